"""Effects on matched and weighted people meet MatchIt, WeightIt, R Matching and Stata's nnmatch.

Sources: shared reference folder `matching`; README.md there says which option each key stands for.
Standard errors there take weights of matching and strata as given, and the people averaged over
too (`target="sample"`).
"""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.matching import Nearest, Propensity
from prakerja_eval.matching.adjusted import UnitWeights, focal_units

COVARIATES = ("age", "educ", "race", "married", "nodegree", "re74", "re75")
EXACT = ("race", "married", "nodegree")  # the outcome model of the key exact4
UNMET = ("full_", "quick_")  # optimal and generalised full matching are not offered


@dataclass(frozen=True)
class Given:
    """The reference's own weights, so that only the effect is under test."""

    propensity: Propensity
    estimand: str
    weights: np.ndarray
    clusters: dict[str, np.ndarray]
    in_words: str = "weights of the reference"

    @property
    def focal(self) -> np.ndarray:
        return focal_units(self.estimand, self.propensity.treated)

    def among(self, seen: np.ndarray) -> UnitWeights:
        weights = np.where(seen, self.weights, 0.0)
        return UnitWeights(weights, self.focal & (weights > 0), self.clusters)


@pytest.fixture(scope="module")
def folder(shared_reference: Path) -> Path:
    return shared_reference / "matching"


@pytest.fixture(scope="module")
def lalonde(folder: Path) -> pe.Panel:
    frame = pd.read_csv(folder / "lalonde_matchit.csv")
    return pe.read_panel(
        frame.assign(row=np.arange(1, len(frame) + 1)), pe.Roles(unit="row", received="treat")
    )


@pytest.fixture(scope="module")
def score(lalonde: pe.Panel) -> Propensity:
    return pe.matching.propensity(lalonde, COVARIATES)


def close(found: pe.Findings, row: pd.Series, se: str = "se") -> None:
    line = found.frame.iloc[0]
    np.testing.assert_allclose(line["estimate"], row["est"], rtol=1e-8)
    np.testing.assert_allclose(line["std_error"], row[se], rtol=1e-8)


def effect(panel: pe.Panel, adjusted: object, row: pd.Series) -> pe.Estimate:
    if row["adj"].startswith("difference"):
        return pe.matching.difference(panel, adjusted, "re78")
    covariates = EXACT if row["key"].endswith("exact4") else None
    options = {"covariates": covariates, "target": "sample"}
    return pe.matching.g_computation(panel, adjusted, "re78", **options)


def test_leverage_corrected_errors_of_every_key_meet_matchit(
    folder: Path, lalonde: pe.Panel, score: Propensity
) -> None:
    effects = pd.read_csv(folder / "matchit_effects.csv")
    weights = pd.read_csv(folder / "weights_lalonde.csv")
    met = 0
    chosen = effects[effects["vcov"].isin(["HC1", "HC3"])]
    for (whole, _), rows in chosen.groupby(["key", "adj"], sort=False):
        key, first = whole.split(":")[1], rows.iloc[0]
        if key.startswith(UNMET):
            continue
        strata = {"subclass": np.zeros(len(weights), dtype=int)} if key.startswith("sub") else {}
        given = Given(score, first["estimand"], weights[key].to_numpy(float), strata)
        found = effect(lalonde, given, first)
        assert found.counts["n"].iloc[0] == first["n"]
        for _, row in rows.iterrows():
            close(pe.infer(found, pe.Robust(row["vcov"], reference="normal")), row)
            met += 1
    assert met == 84


ONCE = {
    "nn1": Nearest(replace=False),
    "nn2": Nearest(replace=False, ratio=2),
    "nn1_data": Nearest(replace=False, order="data"),
    "nn1_smallest": Nearest(replace=False, order="smallest"),
    "nn1_closest": Nearest(replace=False, order="closest"),
    "nn1_cal02": Nearest(replace=False, caliper=0.2),
    "nn1_linlogit_cal02": Nearest(replace=False, caliper=0.2, scale="logit"),
    "nn1_exact": Nearest(replace=False, exact=("race",)),
    "nn1_atc_cal": Nearest(replace=False, caliper=0.2, estimand="ATC"),
    "nn1_maha": Nearest(replace=False, distance="mahalanobis"),
    "nn1_robmaha": Nearest(replace=False, distance="robust_mahalanobis"),
    "nn1_scaledeuc": Nearest(replace=False, distance="scaled_euclidean"),
    "nn1_mahvars_cal02": Nearest(
        replace=False, distance="mahalanobis", on=("age", "educ", "re74", "re75"), caliper=0.2
    ),
    "nn1_covcal": Nearest(replace=False, caliper=0.2, calipers={"age": 2}),
}


@pytest.mark.parametrize("key", ONCE)
def test_effects_clustered_by_pair_meet_matchit(
    key: str, folder: Path, lalonde: pe.Panel, score: Propensity
) -> None:
    """The default inference after matching without replacement is R's vcovCL by subclass."""
    matched = pe.matching.match(lalonde, ONCE[key], score=score)
    effects = pd.read_csv(folder / "matchit_effects.csv")
    rows = effects[(effects["key"] == f"lalonde:{key}") & (effects["vcov"] == "CL")]
    assert len(rows) == 2
    for _, row in rows.iterrows():
        close(effect(lalonde, matched, row).findings(), row)


@pytest.mark.parametrize("estimand", ["ATT", "ATE", "ATC", "ATO", "ATM"])
def test_standard_errors_with_estimated_weights_meet_weightit(
    estimand: str, folder: Path, lalonde: pe.Panel, score: Propensity
) -> None:
    row = pd.read_csv(folder / "weighting_effects.csv").set_index("key")
    made = pe.matching.weight(
        lalonde, pe.matching.InverseProbability(estimand=estimand), score=score
    )
    found = pe.matching.difference(lalonde, made, "re78").findings()
    close(found, row.loc[f"lalonde:glm:{estimand}"], "se_mest")


@pytest.mark.parametrize("key", ["glm:ATT", "glm:ATE", "glm:ATC", "ebal:ATT", "ebal:ATE"])
def test_weights_taken_as_given_meet_weightit(
    key: str, folder: Path, lalonde: pe.Panel, score: Propensity
) -> None:
    row = pd.read_csv(folder / "weighting_effects.csv").set_index("key").loc[f"lalonde:{key}"]
    weights = pd.read_csv(folder / "balweights_lalonde.csv")[key.replace(":", "_")]
    given = Given(score, key.split(":")[1], weights.to_numpy(float), {})
    found = pe.matching.difference(lalonde, given, "re78")
    for kind in ("HC0", "HC3"):
        close(pe.infer(found, pe.Robust(kind, reference="normal")), row, f"se_{kind.lower()}")


# R Matching: averaged ties, squared distances within 1e-5 of the nearest count as tied -----------

BINARY = {"black": "black", "hispan": "hisp"}


@pytest.fixture(scope="module")
def studies(folder: Path) -> dict[str, tuple[pe.Panel, tuple[str, ...]]]:
    """Both samples with the reference's own coding of race, on which one of the metrics depends."""
    lalonde = pd.read_csv(folder / "lalonde_matchit.csv")
    lalonde = lalonde.assign(**{name: (lalonde["race"] == v) * 1 for v, name in BINARY.items()})
    out = {}
    for name, frame, words in (
        ("nsw_dw", pd.read_csv(folder / "nsw_dw.csv"), ("marr", "nodeg")),
        ("lalonde", lalonde, ("married", "nodegree")),
    ):
        panel = pe.read_panel(
            frame.assign(row=range(len(frame))), pe.Roles("row", received="treat")
        )
        out[name] = (panel, ("age", "educ", "black", "hisp", *words, "re74", "re75"))
    return out


METRIC = {"iv": "scaled_euclidean", "maha": "mahalanobis"}


@pytest.mark.parametrize(
    "spec",
    [
        *("iv_att_m1", "iv_att_m4", "iv_att_m1_bias", "iv_att_m4_bias"),
        *("maha_att_m1", "maha_att_m4_bias", "maha_ate_m1", "maha_att_m1_exact"),
    ],
)
@pytest.mark.parametrize("data", ["nsw_dw", "lalonde"])
def test_distances_in_covariates_meet_r_matching(
    data: str, spec: str, folder: Path, studies: dict[str, tuple[pe.Panel, tuple[str, ...]]]
) -> None:
    panel, names = studies[data]
    table = pd.read_csv(folder / "Matching_Match.csv").set_index(["data", "spec"])
    row = table.loc[(data, spec)]
    design = Nearest(
        distance=METRIC[spec.partition("_")[0]],
        covariance="sample",
        ratio=4 if "_m4" in spec else 1,
        estimand="ATE" if "_ate" in spec else "ATT",
        exact=("black", "hisp", names[5]) if spec.endswith("exact") else (),
        tie_tolerance=1e-5,
    )
    matched = pe.matching.match(panel, design, covariates=names)
    options = {"variance": pe.matching.Variance("constant")}
    adjust = spec.endswith("bias")
    found = pe.matching.att(panel, matched, "re78", bias_adjust=adjust, **options)
    close(found.findings(), row, "ai_se")
    plain = pe.matching.att(panel, matched, "re78", **options)
    np.testing.assert_allclose(plain.theta[0], row["est_noadj"], rtol=1e-8)
    assert len(matched.pairs.focal) == row["n_matched_rows"]


# Stata: teffects nnmatch on cattaneo2 ------------------------------------------------------------


@pytest.mark.parametrize(
    ("exact", "adjust", "estimate", "std_error"),
    [
        ((), False, -210.5435, 29.32969),
        (("prenatal1_", "mmarried_"), ("mage", "fage", "medu"), -210.0558, 29.32803),
    ],
)
def test_distances_in_covariates_meet_stata_nnmatch(
    exact: tuple[str, ...], adjust: bool | tuple[str, ...], estimate: float, std_error: float
) -> None:
    """To the digits printed; the distance is in all five covariates, exact groups or not."""
    source = files("statsmodels.treatment.tests.results") / "cataneo2.csv"
    with source.open() as text:
        frame = pd.read_csv(text)
    frame = frame.assign(row=range(len(frame)), smokes=frame["mbsmoke_"].astype(int))
    panel = pe.read_panel(frame, pe.Roles("row", received="smokes"))
    design = Nearest(estimand="ATE", distance="mahalanobis", covariance="sample", exact=exact)
    names = ("mmarried_", "mage", "fage", "medu", "prenatal1_")
    matched = pe.matching.match(panel, design, score=pe.matching.people(panel, names))
    options = pe.matching.Variance(neighbours=2)
    found = pe.matching.att(panel, matched, "bweight", bias_adjust=adjust, variance=options)
    line = found.findings().frame.iloc[0]
    assert round(line["estimate"], 4) == estimate
    assert round(line["std_error"], 5) == std_error
    assert line["inference"] == "Abadie-Imbens, score taken as known"
