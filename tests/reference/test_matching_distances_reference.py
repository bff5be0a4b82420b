"""Matching on covariates, within covariate calipers and optimally meets MatchIt and R Matching."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.matching import Variance
from prakerja_eval.matching.pairs.design import Nearest, Optimal

LALONDE = ("age", "educ", "race", "married", "nodegree", "re74", "re75")
NSW = ("age", "educ", "black", "hisp", "marr", "nodeg", "re74", "re75")
NUMBERS = ("age", "educ", "black", "hispan", "married", "nodegree", "re74", "re75")

# MatchIt's defaults: covariance within the arms, of all people for the ranks; order of the data
# where there is no score, the largest score first where there is one.
KEYS = {
    "nn1_maha": Nearest(replace=False, distance="mahalanobis"),
    "nn1_robmaha": Nearest(replace=False, distance="robust_mahalanobis"),
    "nn1_scaledeuc": Nearest(replace=False, distance="scaled_euclidean"),
    "nn1_maha_rep": Nearest(ties="first", distance="mahalanobis"),
    "nn1_mahvars_cal02": Nearest(
        replace=False, distance="mahalanobis", on=("age", "educ", "re74", "re75"), caliper=0.2
    ),
    "nn1_covcal": Nearest(replace=False, caliper=0.2, calipers={"age": 2}),
}

# R Matching's: covariance of all people; squared distances within 1e-5 of the nearest are ties.
IV = {"distance": "scaled_euclidean", "covariance": "sample", "tie_tolerance": 1e-5}
MAHALANOBIS = {"distance": "mahalanobis", "covariance": "sample", "tie_tolerance": 1e-5}
R_MATCHING = {
    "iv_att_m1": Nearest(**IV),
    "iv_att_m4": Nearest(ratio=4, **IV),
    "maha_att_m1": Nearest(**MAHALANOBIS),
    "maha_att_m4_bias": Nearest(ratio=4, **MAHALANOBIS),
    "maha_ate_m1": Nearest(estimand="ATE", **MAHALANOBIS),
    "maha_att_m1_exact": Nearest(exact=("black", "hispanic", "nodegree"), **MAHALANOBIS),
}


def panel_of(frame: pd.DataFrame) -> pe.Panel:
    data = frame.assign(row=np.arange(1, len(frame) + 1))
    return pe.read_panel(data, pe.Roles(unit="row", received="treat"))


@pytest.fixture(scope="module")
def panels(shared_reference: Path) -> dict[str, pe.Panel]:
    lalonde = pd.read_csv(shared_reference / "matching" / "lalonde_matchit.csv")
    nsw = pd.read_csv(shared_reference / "matching" / "nsw_dw.csv")
    black, hispan = (lalonde["race"] == "black") * 1, (lalonde["race"] == "hispan") * 1
    lalonde = lalonde.assign(black=black, hispan=hispan, hispanic=hispan)
    nsw = nsw.assign(hispanic=nsw["hisp"], nodegree=nsw["nodeg"])
    return {"lalonde": panel_of(lalonde), "nsw_dw": panel_of(nsw)}


@pytest.fixture(scope="module")
def tables(shared_reference: Path) -> dict[str, pd.DataFrame]:
    names = ("matchit_counts", "matchit_effects", "matchit_balance", "weights_lalonde")
    out = {name: pd.read_csv(shared_reference / "matching" / f"{name}.csv") for name in names}
    out["r_matching"] = pd.read_csv(shared_reference / "matching" / "Matching_Match.csv")
    return out


@pytest.mark.parametrize("key", KEYS)
def test_weights_counts_effects_and_balance_meet_matchit(
    key: str, panels: dict[str, pe.Panel], tables: dict[str, pd.DataFrame]
) -> None:
    panel = panels["lalonde"]
    matched = pe.matching.match(panel, KEYS[key], covariates=LALONDE)
    np.testing.assert_allclose(matched.weights, tables["weights_lalonde"][key], rtol=1e-8)
    mine = matched.summary()
    counts = tables["matchit_counts"].set_index("key")
    if f"lalonde:{key}" in counts.index:
        row = counts.loc[f"lalonde:{key}"]
        theirs = row[["matched_t", "matched_c", "ess_t", "ess_c"]].astype(float)
        names = ["matched_treated", "matched_comparison"]
        ours = mine[[*names, "effective_treated", "effective_comparison"]]
        np.testing.assert_allclose(ours, theirs, rtol=1e-8)
        if row["n_pairs"]:
            assert mine["n_pairs"] == row["n_pairs"]
    effects = tables["matchit_effects"]
    here = (effects["key"] == f"lalonde:{key}") & effects["adj"].str.startswith("diff")
    found = pe.matching.difference(panel, matched, "re78")
    np.testing.assert_allclose(found.theta[0], effects[here]["est"].iloc[0], rtol=1e-8)
    frame = matched.balance().frame
    have = frame[frame["stage"] == "after"].set_index("covariate")
    balance = tables["matchit_balance"]
    here = (balance["key"] == f"lalonde:{key}") & (balance["stage"] == "matched")
    want = balance[here].set_index("var")
    for name in ("age", "educ", "married", "nodegree", "re74", "re75"):
        for theirs, ours in (("smd", "smd"), ("mean_c", "mean_comparison"), ("ecdf_max",) * 2):
            np.testing.assert_allclose(
                have.loc[name, ours], want.loc[name, theirs], rtol=1e-8, atol=1e-12
            )


@pytest.mark.parametrize("spec", R_MATCHING)
@pytest.mark.parametrize("data", ["lalonde", "nsw_dw"])
def test_estimates_standard_errors_and_numbers_of_pairs_meet_r_matching(
    data: str, spec: str, panels: dict[str, pe.Panel], tables: dict[str, pd.DataFrame]
) -> None:
    names = NUMBERS if data == "lalonde" else NSW
    matched = pe.matching.match(panels[data], R_MATCHING[spec], covariates=names)
    table = tables["r_matching"]
    row = table[(table["data"] == data) & (table["spec"] == spec)].iloc[0]
    assert len(matched.pairs.focal) == row["n_matched_rows"]
    found = pe.matching.att(panels[data], matched, "re78", variance=Variance("constant"))
    got = pe.infer(found, pe.AbadieImbens("known")).frame.iloc[0]
    np.testing.assert_allclose(got["estimate"], row["est_noadj"], rtol=1e-8)
    if not spec.endswith("bias"):
        np.testing.assert_allclose(got["std_error"], row["ai_se"], rtol=1e-8)


def test_optimal_pairs_are_within_optmatchs_tolerance_and_below_it(
    panels: dict[str, pe.Panel], tables: dict[str, pd.DataFrame]
) -> None:
    """MatchIt solves a rounded problem: tol = 1e-3 allows it that much a person.

    Its opt1 is no optimum: its greedy nn1 has a smaller total, which is ours.
    """
    mine = pe.matching.match(panels["lalonde"], Optimal(), covariates=LALONDE).summary()
    counts = tables["matchit_counts"].set_index("key")
    opt1, nn1 = counts.loc["lalonde:opt1"], counts.loc["lalonde:nn1"]
    assert mine["total_distance"] < opt1["sum_pair_psdist"]
    assert opt1["sum_pair_psdist"] < mine["total_distance"] * (1 + 5e-5)
    # the reference's scores stop 3e-8 short of the maximum of the likelihood, and distances add up
    np.testing.assert_allclose(mine["total_distance"], nn1["sum_pair_psdist"], rtol=1e-6)
    assert mine["n_pairs"] == opt1["n_pairs"]
