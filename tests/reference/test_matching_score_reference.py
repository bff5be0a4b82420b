"""The score and its common support meet MatchIt; the probit meets R's glm and statsmodels."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import prakerja_eval as pe
from prakerja_eval.matching.match import match
from prakerja_eval.matching.pairs.design import Nearest
from prakerja_eval.matching.score.models import Logit, Probit
from prakerja_eval.matching.score.propensity import Propensity, propensity
from prakerja_eval.matching.score.support import Support

LALONDE = ("age", "educ", "race", "married", "nodegree", "re74", "re75")
HULL = Support()
AGAIN = Support(discard="comparison", refit=True)
KEYS = {
    "nn1_discardboth": (Logit(), HULL),
    "nn1_discardcontrol_reest": (Logit(), AGAIN),
    "nn1_probit": (Probit(), None),
}


@pytest.fixture(scope="module")
def folder(shared_reference: Path) -> Path:
    return shared_reference / "matching"


@pytest.fixture(scope="module")
def lalonde(folder: Path) -> pe.Panel:
    frame = pd.read_csv(folder / "lalonde_matchit.csv")
    data = frame.assign(row=np.arange(1, len(frame) + 1))
    return pe.read_panel(data, pe.Roles(unit="row", received="treat"))


def fisher_scoring(d: np.ndarray, X: np.ndarray, tolerance: float) -> np.ndarray:
    """Fit a probit as R's glm does: its start, its steps, its rule to stop (change of deviance)."""
    mean = (d + 0.5) / 2
    eta, before = norm.ppf(mean), np.inf
    for _ in range(50):
        density = norm.pdf(eta)
        root = density / np.sqrt(mean * (1 - mean))
        working = eta + (d - mean) / density
        beta = np.linalg.lstsq(X * root[:, None], working * root, rcond=None)[0]
        eta = X @ beta
        mean = norm.cdf(eta)
        deviance = -2 * norm.logcdf(np.where(d == 1, eta, -eta)).sum()
        if abs(deviance - before) / (abs(deviance) + 0.1) < tolerance:
            break
        before = deviance
    return mean


def test_the_scores_of_glm_are_a_probit_stopped_early(lalonde: pe.Panel, folder: Path) -> None:
    """R's probit leaves 1.4e-5 in its scores: its stop at 1e-8 of the deviance is early.

    Done again with its start and stop, the scores are R's to 1e-10; from there on to the maximum
    they are ours to 1e-8 (Fisher scoring gains a digit a step and ends at rounding).
    """
    score = propensity(lalonde, LALONDE, Probit())
    reference = pd.read_csv(folder / "pscore_lalonde.csv")["ps_probit"]
    X = np.column_stack([np.ones(len(score.treated)), score.covariates])
    d = score.treated.astype(float)
    np.testing.assert_allclose(fisher_scoring(d, X, 1e-8), reference, rtol=1e-10)
    np.testing.assert_allclose(fisher_scoring(d, X, -1.0), score.score, rtol=1e-8)
    np.testing.assert_allclose(score.score, reference, rtol=2e-5)


def test_the_logit_meets_glm(lalonde: pe.Panel, folder: Path) -> None:
    score = propensity(lalonde, LALONDE)
    reference = pd.read_csv(folder / "pscore_lalonde.csv")
    np.testing.assert_allclose(score.score, reference["ps_logit"], rtol=1e-6)
    np.testing.assert_allclose(score.linear_predictor, reference["linpred_logit"], rtol=1e-6)


def fitted(lalonde: pe.Panel, key: str) -> Propensity:
    model, support = KEYS[key]
    return propensity(lalonde, LALONDE, model, support=support)


@pytest.mark.parametrize("key", KEYS)
def test_matching_on_it_meets_matchit_unit_by_unit(
    key: str, lalonde: pe.Panel, folder: Path
) -> None:
    score = fitted(lalonde, key)
    matched = match(lalonde, Nearest(replace=False), score=score)
    counts = pd.read_csv(folder / "matchit_counts.csv").set_index("key").loc[f"lalonde:{key}"]
    assert (~score.supported).sum() == counts["discarded"]
    weights = pd.read_csv(folder / "weights_lalonde.csv")[key]
    np.testing.assert_allclose(matched.weights, weights, rtol=1e-8)
    mine = matched.summary()
    for theirs, ours in (("matched_t", "matched_treated"), ("matched_c", "matched_comparison")):
        assert mine[ours] == counts[theirs]
    np.testing.assert_allclose(mine["effective_comparison"], counts["ess_c"], rtol=1e-8)
    # distances add up what glm's early stop leaves in the scores
    np.testing.assert_allclose(mine["total_distance"], counts["sum_pair_psdist"], rtol=1e-6)


@pytest.mark.parametrize("key", KEYS)
def test_effects_on_it_meet_matchit(key: str, lalonde: pe.Panel, folder: Path) -> None:
    matched = match(lalonde, Nearest(replace=False), score=fitted(lalonde, key))
    found = pe.matching.att(lalonde, matched, "re78")
    effects = pd.read_csv(folder / "matchit_effects.csv")
    rows = effects[(effects["key"] == f"lalonde:{key}") & effects["adj"].str.startswith("diff")]
    clustered = rows[rows["vcov"] == "CL"].iloc[0]
    np.testing.assert_allclose(found.theta[0], clustered["est"], rtol=1e-8)
    se = pe.infer(found, pe.Clustered("pair", "stata")).frame["std_error"].iloc[0]
    np.testing.assert_allclose(se, clustered["se"], rtol=1e-8)


@pytest.mark.witness
def test_the_probit_meets_statsmodels_with_its_observed_information(lalonde: pe.Panel) -> None:
    from statsmodels.discrete.discrete_model import Probit as StatsmodelsProbit

    score = propensity(lalonde, LALONDE, Probit())
    X = np.column_stack([np.ones(len(score.treated)), score.covariates])
    scale = np.abs(X).max(axis=0)  # statsmodels does not scale columns itself
    model = StatsmodelsProbit(score.treated.astype(float), X / scale)
    theirs = model.fit(disp=0, method="newton", tol=1e-14)
    assert score.fit is not None
    np.testing.assert_allclose(score.fit.beta, theirs.params / scale, rtol=1e-8)
    covariance = theirs.cov_params() / np.outer(scale, scale)
    np.testing.assert_allclose(score.fit.information_inverse, covariance, rtol=1e-6)
