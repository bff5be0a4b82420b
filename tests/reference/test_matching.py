"""Matching through the public names meets MatchIt, R Matching and Stata's teffects psmatch."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.matching import Nearest, Variance

LALONDE = ("age", "educ", "race", "married", "nodegree", "re74", "re75")
NSW = ("age", "educ", "black", "hisp", "marr", "nodeg", "re74", "re75")

# MatchIt's keys on the logit score, in the terms of Nearest; MatchIt takes the first of tied units.
KEYS = {
    "nn1": Nearest(replace=False),
    "nn2": Nearest(replace=False, ratio=2),
    "nn1_data": Nearest(replace=False, order="data"),
    "nn1_smallest": Nearest(replace=False, order="smallest"),
    "nn1_closest": Nearest(replace=False, order="closest"),
    "nn1_cal02": Nearest(replace=False, caliper=0.2),
    "nn1_cal01_closest": Nearest(replace=False, caliper=0.1, order="closest"),
    "nn1_linlogit_cal02": Nearest(replace=False, caliper=0.2, scale="logit"),
    "nn1_rep": Nearest(ties="first"),
    "nn4_rep": Nearest(ratio=4, ties="first"),
    "nn1_rep_cal02": Nearest(caliper=0.2, ties="first"),
    "nn1_reuse3": Nearest(max_uses=3),
    "nn1_exact": Nearest(replace=False, exact=("race",)),
    "nn1_exact_cal02": Nearest(replace=False, exact=("race",), caliper=0.2),
    "nn1_atc_cal": Nearest(replace=False, caliper=0.2, estimand="ATC"),
}


def panel_of(frame: pd.DataFrame, treat: str) -> pe.Panel:
    """Make a panel of a cross-section, rows numbered from 1 as in the reference."""
    data = frame.assign(row=np.arange(1, len(frame) + 1))
    return pe.read_panel(data, pe.Roles(unit="row", received=treat))


@pytest.fixture(scope="module")
def lalonde(shared_reference: Path) -> pe.Panel:
    return panel_of(pd.read_csv(shared_reference / "matching" / "lalonde_matchit.csv"), "treat")


@pytest.fixture(scope="module")
def nsw(shared_reference: Path) -> pe.Panel:
    return panel_of(pd.read_csv(shared_reference / "matching" / "nsw_dw.csv"), "treat")


@pytest.fixture(scope="module")
def tables(shared_reference: Path) -> dict[str, pd.DataFrame]:
    names = ("matchit_counts", "matchit_effects", "matchit_balance", "weights_lalonde")
    out = {name: pd.read_csv(shared_reference / "matching" / f"{name}.csv") for name in names}
    out["r_matching"] = pd.read_csv(shared_reference / "matching" / "Matching_Match.csv")
    return out


@pytest.mark.parametrize("key", KEYS)
def test_matching_meets_matchit_unit_by_unit(
    key: str, lalonde: pe.Panel, tables: dict[str, pd.DataFrame]
) -> None:
    matched = pe.matching.match(lalonde, KEYS[key], covariates=LALONDE)
    np.testing.assert_allclose(matched.weights, tables["weights_lalonde"][key], rtol=1e-8)
    counts = tables["matchit_counts"].set_index("key").loc[f"lalonde:{key}"]
    mine = matched.summary()
    for theirs, ours in (("matched_t", "matched_treated"), ("matched_c", "matched_comparison")):
        assert mine[ours] == counts[theirs]
    np.testing.assert_allclose(mine["effective_treated"], counts["ess_t"], rtol=1e-8)
    np.testing.assert_allclose(mine["effective_comparison"], counts["ess_c"], rtol=1e-8)
    assert mine["n_pairs"] == counts["n_pairs"]
    # the reference's scores stop 3e-8 short of the maximum of the likelihood, and distances add up
    np.testing.assert_allclose(mine["total_distance"], counts["sum_pair_psdist"], rtol=1e-6)


@pytest.mark.parametrize("key", KEYS)
def test_effects_meet_matchit(key: str, lalonde: pe.Panel, tables: dict[str, pd.DataFrame]) -> None:
    matched = pe.matching.match(lalonde, KEYS[key], covariates=LALONDE)
    found = pe.matching.att(lalonde, matched, "re78")
    effects = tables["matchit_effects"]
    rows = effects[(effects["key"] == f"lalonde:{key}") & effects["adj"].str.startswith("diff")]
    np.testing.assert_allclose(found.theta[0], rows["est"].iloc[0], rtol=1e-8)
    clustered = rows[rows["vcov"] == "CL"]
    if len(clustered):  # pairs, Stata's small-sample factor: R's vcovCL
        se = pe.infer(found, pe.Clustered("pair", "stata")).frame["std_error"].iloc[0]
        np.testing.assert_allclose(se, clustered["se"].iloc[0], rtol=1e-8)
    else:
        assert KEYS[key].replace


@pytest.mark.parametrize("key", KEYS)
def test_balance_meets_matchit(
    key: str, lalonde: pe.Panel, tables: dict[str, pd.DataFrame]
) -> None:
    """For the numeric covariates; the reference codes race as three indicators, we as two."""
    frame = pe.matching.match(lalonde, KEYS[key], covariates=LALONDE).balance().frame
    balance = tables["matchit_balance"]
    theirs = balance[balance["key"] == f"lalonde:{key}"]
    names = {"distance": "propensity score"} if "linlogit" not in key else {}
    names |= {n: n for n in ("age", "educ", "married", "nodegree", "re74", "re75")}
    for reference_stage, stage in (("all", "before"), ("matched", "after")):
        want = theirs[theirs["stage"] == reference_stage].set_index("var").loc[list(names)]
        have = frame[frame["stage"] == stage].set_index("covariate").loc[list(names.values())]
        for column, ours in (
            ("mean_t", "mean_treated"),
            ("mean_c", "mean_comparison"),
            ("smd", "smd"),
            ("vr", "variance_ratio"),
            ("ecdf_mean", "ecdf_mean"),
            ("ecdf_max", "ecdf_max"),
        ):
            covariates = slice(int("distance" in names), None)
            np.testing.assert_allclose(
                have[ours].iloc[covariates], want[column].iloc[covariates], rtol=1e-8, atol=1e-12
            )
            # the score's own row: the reference stops 3e-8 short of the maximum of the likelihood
            np.testing.assert_allclose(have[ours], want[column], rtol=1e-6, atol=1e-12)


R_MATCHING = {
    "ps_att_m1": (Nearest(), Variance("constant")),
    "ps_att_m4": (Nearest(ratio=4), Variance("constant")),
    "lp_att_m1": (Nearest(scale="logit"), Variance("constant")),
    "ps_atc_m1": (Nearest(estimand="ATC"), Variance("constant")),
    "ps_ate_m1": (Nearest(estimand="ATE"), Variance("constant")),
    "ps_ate_m4": (Nearest(estimand="ATE", ratio=4), Variance("constant")),
    "ps_att_m1_sample": (Nearest(), Variance("constant", target="sample")),
    "ps_att_m1_varcalc4": (Nearest(), Variance("local", neighbours=4)),
    "ps_att_m1_bias": (Nearest(), Variance("constant")),
}


@pytest.mark.parametrize("spec", R_MATCHING)
@pytest.mark.parametrize("data", ["nsw_dw", "lalonde"])
def test_abadie_imbens_2006_meets_r_matching(
    data: str, spec: str, nsw: pe.Panel, lalonde: pe.Panel, tables: dict[str, pd.DataFrame]
) -> None:
    """R Matching counts squared standardised distances within 1e-5 of the nearest as ties."""
    panel, names = (nsw, NSW) if data == "nsw_dw" else (lalonde, LALONDE)
    design, variance = R_MATCHING[spec]
    options = {f: getattr(design, f) for f in ("ratio", "estimand", "scale")}
    matched = pe.matching.match(panel, Nearest(**options, tie_tolerance=1e-5), covariates=names)
    found = pe.matching.att(
        panel, matched, "re78", bias_adjust=spec.endswith("bias"), variance=variance
    )
    table = tables["r_matching"]
    row = table[(table["data"] == data) & (table["spec"] == spec)].iloc[0]
    got = pe.infer(found, pe.AbadieImbens("known")).frame.iloc[0]
    np.testing.assert_allclose(got["estimate"], row["est"], rtol=1e-8)
    np.testing.assert_allclose(got["std_error"], row["ai_se"], rtol=1e-8)
    assert len(matched.pairs.focal) == row["n_matched_rows"]


@pytest.mark.parametrize(
    ("estimand", "estimate", "std_error"),
    [("ATE", -229.4492, 25.88746), ("ATT", -224.5927, 30.55147)],
)
def test_abadie_imbens_2016_meets_stata_psmatch(
    estimand: str, estimate: float, std_error: float
) -> None:
    """Stata's printed teffects psmatch on cattaneo2, to the digits printed."""
    source = files("statsmodels") / "treatment" / "tests" / "results" / "cataneo2.csv"
    frame = pd.read_csv(str(source))
    smokes = frame["mbsmoke_"] if "mbsmoke_" in frame else frame["mbsmoke"]
    married = frame["mmarried_"] if "mmarried_" in frame else frame["mmarried"]
    if smokes.dtype == object or str(smokes.dtype).startswith("str"):
        smokes, married = (smokes == "smoker").astype(int), (married == "married").astype(int)
    frame = frame.assign(smokes=smokes, married=married)
    names = ("married", "mage", "fage", "medu")
    if str(frame["prenatal1"].dtype).startswith(("str", "object")):
        frame["prenatal1"] = (frame["prenatal1"] == "Yes").astype(int)
    panel = panel_of(frame, "smokes")
    matched = pe.matching.match(panel, Nearest(estimand=estimand), covariates=(*names, "prenatal1"))
    got = pe.matching.att(panel, matched, "bweight").findings().frame.iloc[0]
    assert round(got["estimate"], 4) == estimate
    assert round(got["std_error"], 5) == std_error
    assert got["inference"] == "Abadie-Imbens, estimated score"
