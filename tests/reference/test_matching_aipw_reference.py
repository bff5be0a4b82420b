"""Doubly robust estimates meet Stata's teffects aipw, statsmodels and the DoubleML package."""

from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from statsmodels.discrete.discrete_model import Logit
from statsmodels.regression.linear_model import OLS
from statsmodels.treatment.tests.results import results_teffects
from statsmodels.treatment.treatment_effects import TreatmentEffect

import prakerja_eval as pe
from prakerja_eval.learners import cross_fit_mean, cross_fit_probability
from prakerja_eval.matching.effects.aipw_kernel import Nuisance, augmented
from prakerja_eval.matching.weighting.inverse_probability import Tilt

OUTCOME = ["prenatal1_", "mmarried_", "mage", "fbaby_"]
TREATMENT = ["mmarried_", "mage", "fbaby_", "medu"]


@pytest.fixture(scope="module")
def births() -> pd.DataFrame:
    source = files("statsmodels") / "treatment" / "tests" / "results" / "cataneo2.csv"
    return pd.read_csv(str(source)).assign(row=lambda f: np.arange(len(f)))


@pytest.fixture(scope="module")
def panel(births: pd.DataFrame) -> pe.Panel:
    columns = ["row", "bweight", "mbsmoke_", "mage2", *dict.fromkeys(OUTCOME + TREATMENT)]
    return pe.read_panel(births[columns], pe.Roles(unit="row", received="mbsmoke_"))


@pytest.mark.parametrize(
    ("more", "estimate", "std_error"),
    [([], -232.4759, 24.83406), (["mage2"], -230.9892, 26.21056)],
)
def test_aipw_meets_stata_to_the_digits_printed(
    more: list[str], estimate: float, std_error: float, panel: pe.Panel
) -> None:
    """Smoking and birth weight: a probit of smoking, a line by arm.

    The first from a published log; the second is the manual's example, with the mother's age
    squared in the probit. The score's information is the observed one: with the expected one the
    standard errors end in .83439 and .21073.
    """
    score = pe.matching.propensity(panel, [*TREATMENT, *more], model=pe.matching.Probit())
    found = pe.matching.aipw(panel, "bweight", covariates=OUTCOME, score=score)
    row = found.findings().frame.iloc[0]
    assert round(row["estimate"], 4) == estimate
    assert round(row["std_error"], 5) == std_error
    assert row["inference"] == "HC0, normal"


def test_aipw_meets_stata_to_eight_digits(panel: pe.Panel) -> None:
    """Stata's table in full, as statsmodels ships it; its Newton stops near 1e-7."""
    score = pe.matching.propensity(panel, [*TREATMENT, "mage2"], model=pe.matching.Probit())
    row = pe.matching.aipw(panel, "bweight", covariates=OUTCOME, score=score).findings().frame
    theirs = results_teffects.results_aipw.table
    np.testing.assert_allclose(row["estimate"].iloc[0], theirs[0, 0], rtol=1e-8)
    np.testing.assert_allclose(row["std_error"].iloc[0], theirs[0, 1], rtol=1e-6)
    np.testing.assert_allclose(row["comparison_mean"].iloc[0], theirs[1, 0], rtol=1e-8)


def test_aipw_with_a_logit_meets_statsmodels(births: pd.DataFrame, panel: pe.Panel) -> None:
    selection = Logit.from_formula("mbsmoke_ ~ " + " + ".join(TREATMENT), births)
    outcome = OLS.from_formula("bweight ~ " + " + ".join(OUTCOME), births)
    effect = TreatmentEffect(
        outcome, np.asarray(births["mbsmoke_"]), selection.fit(disp=False, tol=1e-12)
    )
    ate, mean0, _ = effect.aipw(return_results=False)
    score = pe.matching.propensity(panel, TREATMENT)
    found = pe.matching.aipw(panel, "bweight", covariates=OUTCOME, score=score)
    np.testing.assert_allclose(found.theta[0], ate, rtol=1e-8)
    np.testing.assert_allclose(found.counts["comparison_mean"].iloc[0], mean0, rtol=1e-8)


class Simulated:
    """Two hundred people of numpy's PCG64, and nuisances written down."""

    rng = np.random.Generator(np.random.PCG64(2018))
    n = 200
    x = rng.normal(size=(n, 2))
    d = rng.random(n) < 1 / (1 + np.exp(-0.7 * x[:, 0]))
    y = 1 + x[:, 0] + d * (1 + 0.5 * x[:, 1]) + rng.normal(size=n)
    p = 1 / (1 + np.exp(-(0.6 * x[:, 0] + 0.2 * x[:, 1])))
    m0, m1 = 0.8 + 0.9 * x[:, 0], 2.1 + x[:, 0] + 0.4 * x[:, 1]


# DoubleML 0.11.4 under scikit-learn 1.9.1: DoubleMLIRM(data, LinearRegression(),
# LogisticRegression(C=0.5, tol=1e-10), score=..., normalize_ipw=False), coef and se, with
# fit(external_predictions={"d": {"ml_g0": m0, "ml_g1": m1, "ml_m": p}}) for "given", and with
# set_sample_splitting of fold = arange(n) % 5 for "learnt".
DOUBLE_ML = {
    ("given", "ATE"): (0.8698403521710002, 0.1491310350055486),
    ("given", "ATT"): (0.916031063925541, 0.15250884540207796),
    ("learnt", "ATE"): (0.7002372633932226, 0.17742171345468757),
    ("learnt", "ATT"): (0.596917250933908, 0.19645341845256287),
}


@pytest.mark.parametrize(("nuisances", "estimand"), DOUBLE_ML)
def test_the_orthogonal_score_meets_doubleml(nuisances: str, estimand: str) -> None:
    s = Simulated
    p, m0, m1 = s.p, s.m0, s.m1
    if nuisances == "learnt":
        fold, one = np.arange(s.n) % 5, np.ones(s.n)
        p = cross_fit_probability(LogisticRegression(C=0.5, tol=1e-10), s.x, s.d, one, fold, 1)
        m0, m1 = (
            cross_fit_mean(LinearRegression(), s.x, s.y, one, fold, 1, among=arm)
            for arm in (~s.d, s.d)
        )
    means = (Nuisance(m0), Nuisance(m1))
    fit = augmented(s.y, s.d, np.ones(s.n), Nuisance(p), 1 - p, means, Tilt[estimand])
    theta, std_error = DOUBLE_ML[nuisances, estimand]
    # the logit's optimiser stops by its gradient
    rtol = 1e-8 if nuisances == "given" else 1e-6
    np.testing.assert_allclose(fit.theta, theta, rtol=rtol)
    np.testing.assert_allclose(np.sqrt(fit.psi @ fit.psi), std_error, rtol=rtol)
