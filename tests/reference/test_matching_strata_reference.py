"""Strata meet MatchIt unit by unit; kernel matching meets a printed estimate and its error."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.matching import Coarsened, Exact, Kernel, Stratified, Subclass

COVARIATES = ("age", "educ", "race", "married", "nodegree", "re74", "re75")

KEYS = {
    "sub6": (Subclass(), COVARIATES),
    "sub5_att": (Subclass(5), COVARIATES),
    "sub5_ate": (Subclass(5, estimand="ATE"), COVARIATES),
    "cem": (Coarsened(), COVARIATES),
    "cem_sturges5": (Coarsened(bins=5), COVARIATES),
    "exact4": (Exact(), ("race", "married", "nodegree")),
}


@pytest.fixture(scope="module")
def folder(shared_reference: Path) -> Path:
    return shared_reference / "matching"


@pytest.fixture(scope="module")
def panel(folder: Path) -> pe.Panel:
    frame = pd.read_csv(folder / "lalonde_matchit.csv")
    frame["row"] = np.arange(1, len(frame) + 1)
    return pe.read_panel(frame, pe.Roles(unit="row", received="treat"))


@pytest.fixture(scope="module")
def made(panel: pe.Panel) -> dict[str, Stratified]:
    return {
        key: pe.matching.match(panel, design, covariates=names)
        for key, (design, names) in KEYS.items()
    }


@pytest.mark.parametrize("key", KEYS)
def test_weights_and_counts_meet_matchit(
    key: str, made: dict[str, Stratified], folder: Path
) -> None:
    weights = pd.read_csv(folder / "weights_lalonde.csv")[key]
    np.testing.assert_allclose(made[key].weights, weights, rtol=1e-8)
    counts = pd.read_csv(folder / "matchit_counts.csv").set_index("key").loc[f"lalonde:{key}"]
    mine = made[key].summary()
    for ours, theirs in (
        ("matched_treated", "matched_t"),
        ("matched_comparison", "matched_c"),
        ("n_strata", "n_subclass"),
    ):
        assert mine[ours] == counts[theirs]
    np.testing.assert_allclose(mine["effective_treated"], counts["ess_t"], rtol=1e-8)
    np.testing.assert_allclose(mine["effective_comparison"], counts["ess_c"], rtol=1e-8)


@pytest.mark.parametrize("key", KEYS)
def test_the_effect_meets_matchit_weighted_and_within_strata(
    key: str, made: dict[str, Stratified], panel: pe.Panel, folder: Path
) -> None:
    effects = pd.read_csv(folder / "matchit_effects.csv")
    rows = effects[(effects["key"] == f"lalonde:{key}") & effects["adj"].str.startswith("diff")]
    weighted = pe.matching.difference(panel, made[key], "re78")
    within = pe.matching.att(panel, made[key], "re78")
    np.testing.assert_allclose([weighted.theta[0], within.theta[0]], rows["est"], rtol=1e-8)
    hc3 = rows.loc[rows["vcov"] == "HC3", "se"].iloc[0]
    got = pe.infer(weighted, pe.Robust("HC3")).frame["std_error"].iloc[0]
    np.testing.assert_allclose(got, hc3, rtol=1e-8)


@pytest.mark.parametrize("key", KEYS)
def test_balance_meets_matchit(key: str, made: dict[str, Stratified], folder: Path) -> None:
    """Race has a row less than in the reference: words give indicators of all values but one."""
    balance = pd.read_csv(folder / "matchit_balance.csv")
    theirs = balance[balance["key"] == f"lalonde:{key}"]
    ours = made[key].balance().frame
    names = {n: n for n in KEYS[key][1] if n != "race"}
    names |= {"racehispan": "race[hispan]", "racewhite": "race[white]"}
    if key.startswith("sub"):
        names["distance"] = "propensity score"
    for their_stage, our_stage in (("all", "before"), ("matched", "after")):
        want = theirs[theirs["stage"] == their_stage].set_index("var").loc[list(names)]
        have = ours[ours["stage"] == our_stage].set_index("covariate").loc[list(names.values())]
        for column, mine in (
            ("smd", "smd"),
            ("vr", "variance_ratio"),
            ("ecdf_mean", "ecdf_mean"),
            ("ecdf_max", "ecdf_max"),
        ):
            # the score's row: the reference's fit stops 3e-8 short of the likelihood's maximum
            rtol = np.where(want.index == "distance", 1e-6, 1e-8)
            gap = np.abs(have[mine].to_numpy() - want[column].to_numpy())
            known = np.isfinite(want[column].to_numpy())
            assert (np.isfinite(have[mine].to_numpy()) == known).all()
            allowed = rtol * np.abs(want[column].to_numpy()) + 1e-12
            assert (gap[known] <= allowed[known]).all(), (column, their_stage)


def test_kernel_matching_meets_the_printed_estimate_and_its_naive_error(
    panel: pe.Panel, folder: Path
) -> None:
    """1249.408 (928.486), Epanechnikov, .06. The error printed takes weights and score as known.

    It is sqrt(s1² / n1 + s0² Σ K² / n1²), s² the plain variances of the two arms over those who
    take part: a formula of independent draws, not our standard error.
    """
    matched = pe.matching.match(panel, Kernel(), covariates=COVARIATES)
    assert matched.n_dropped == 1
    found = pe.matching.att(panel, matched, "re78")
    assert round(float(found.theta[0]), 3) == 1249.408
    np.testing.assert_allclose(
        pe.matching.difference(panel, matched, "re78").theta, found.theta, rtol=1e-10
    )
    frame = pd.read_csv(folder / "lalonde_matchit.csv")
    y, treated, w = frame["re78"].to_numpy(), frame["treat"].to_numpy() == 1, matched.weights
    one, zero = treated & (w > 0), ~treated & (w > 0)
    share = w[zero] / w[zero].sum()
    naive = y[one].var(ddof=1) / one.sum() + y[zero].var(ddof=1) * np.sum(share**2)
    assert round(float(np.sqrt(naive)), 3) == 928.486
