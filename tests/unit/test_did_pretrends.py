"""Does the pre-test say what it tests, and its power agree with plain simulation?"""

import numpy as np
import pytest
from honest_cases import covariance_of, event_study
from scipy.stats import chi2, norm

from prakerja_eval.did.pretrends import pretrend_power, pretrends
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate import Clustered, join, subset

BETA = np.array([0.04, -0.03, 0.05, 0.42, 0.55])
TIMES = (-4, -3, -2, 0, 1)
COVARIANCE = covariance_of(5, seed=9)
DRAWS = 200_000


def study(**more):
    return event_study(BETA, COVARIANCE, TIMES, **more)


def drawn(slope):
    """Coefficients with a linear trend, and which draws pass each coefficient at 5 %."""
    distance = np.array(TIMES) + 1.0
    root = np.linalg.cholesky(COVARIANCE).T
    beta = slope * distance + np.random.default_rng(4).standard_normal((DRAWS, 5)) @ root
    t = beta[:, :3] / np.sqrt(np.diag(COVARIANCE)[:3])
    return beta, (np.abs(t) < norm.ppf(0.975)).all(axis=1)


def test_the_pre_test_is_the_quadratic_form_of_the_rows_before_treatment():
    found = pretrends(study())
    expected = BETA[:3] @ np.linalg.inv(COVARIANCE[:3, :3]) @ BETA[:3]
    assert found.statistic == pytest.approx(expected, rel=1e-10)
    assert (found.df, found.p_value) == (3, pytest.approx(chi2.sf(expected, 3), rel=1e-10))
    assert found.null == "no effect on income before treatment (3 rows, event times -4 to -2)"


def test_it_takes_rows_before_an_event_time_and_leaves_the_reference_out():
    early = event_study(BETA, COVARIANCE, (-4, -3, -1, 0, 1), reference=-2)
    assert pretrends(early).df == 2  # the wave of anticipation counts as treated
    assert pretrends(early, before=0).df == 3
    assert "event time -4)" in pretrends(early, before=-3).null


def test_one_inference_may_be_named():
    assert np.isfinite(pretrends(study(), Clustered("unit", "G")).df_denominator)


def test_without_a_row_before_treatment_it_refuses():
    with pytest.raises(UsageError, match="pre-trend"):
        pretrends(subset(study(), rows=[3, 4, 5]))
    with pytest.raises(UsageError, match="before event time -9"):
        pretrends(study(), before=-9)


@pytest.mark.parametrize("slope", [0.0, 0.02, -0.05])
def test_power_is_the_share_of_draws_that_the_tests_reject(slope):
    found = pretrend_power(study(), slope)
    beta, passed = drawn(slope)
    within = 3 * np.sqrt(0.25 / DRAWS)
    assert found.individual == pytest.approx(1 - passed.mean(), abs=within)
    wald = np.einsum("ij,jk,ik->i", beta[:, :3], np.linalg.inv(COVARIANCE[:3, :3]), beta[:, :3])
    assert found.joint == pytest.approx(np.mean(wald > chi2.isf(0.05, 3)), abs=within)


@pytest.mark.parametrize("slope", [0.0, 0.02, -0.05])
def test_estimates_after_passing_are_those_of_the_draws_that_pass(slope):
    frame = pretrend_power(study(), slope).frame
    beta, passed = drawn(slope)
    kept = beta[passed]
    within = 4 * kept.std(axis=0).max() / np.sqrt(len(kept))
    np.testing.assert_allclose(frame["expected_after_passing"], kept.mean(axis=0), atol=within)
    np.testing.assert_allclose(frame["trend"], slope * (np.array(TIMES) + 1.0))


def test_passing_a_positive_correlation_adds_to_the_bias():
    # Roth (2022), proposition 2: under equal correlations selection makes a monotone bias worse
    equal = 0.01 * (0.5 + 0.5 * np.eye(5))
    frame = pretrend_power(event_study(BETA, equal, TIMES), 0.1).frame
    assert (frame["bias_from_passing"][3:] > 0).all()


def test_the_detectable_slopes_have_the_power_asked():
    found = pretrend_power(study(), power=0.65)
    assert list(found.detectable["power"]) == [0.5, 0.65, 0.8]
    # probabilities of three dimensions are known to 1e-5
    for _, row in found.detectable.iterrows():
        again = pretrend_power(study(), row["individual"])
        assert again.individual == pytest.approx(row["power"], abs=3e-5)
        joint = pretrend_power(study(), row["joint"]).joint
        assert joint == pytest.approx(row["power"], abs=3e-5)
    assert found.individual == pytest.approx(0.65, abs=3e-5)
    assert found.slope == found.detectable["individual"][1]


def test_with_one_wave_before_power_is_that_of_a_two_sided_test():
    covariance = covariance_of(2, seed=1)
    found = pretrend_power(event_study([0.0, 0.5], covariance, (-2, 0)), 0.07)
    shift, z = 0.07 / np.sqrt(covariance[0, 0]), norm.ppf(0.975)
    expected = norm.sf(z - shift) + norm.cdf(-z - shift)
    assert found.individual == pytest.approx(expected, rel=1e-9)
    assert found.joint == pytest.approx(expected, rel=1e-9)


def test_a_test_that_never_passes_says_nothing_of_what_follows():
    frame = pretrend_power(study(), 10.0).frame
    assert frame["expected_after_passing"].isna().all()
    assert frame["trend"].notna().all()


def test_the_unit_of_the_outcome_does_not_matter():
    found = pretrend_power(study())
    big = pretrend_power(event_study(BETA * 1e6, COVARIANCE * 1e12, TIMES))
    assert big.slope == pytest.approx(1e6 * found.slope, rel=1e-4)


@pytest.mark.parametrize(
    "ask",
    [
        lambda: pretrend_power(study(), power=0.05),
        lambda: pretrend_power(study(), power=1.5),
        lambda: pretrend_power(study(), float("nan")),
        lambda: pretrend_power(study(), level=95),
        lambda: pretrend_power(study(specification="base varying")),
        lambda: pretrend_power(join(study(), study(outcome="hours"))),
        lambda: pretrends("study"),
    ],
)
def test_wrong_questions_are_refused(ask):
    with pytest.raises(UsageError):
        ask()


def test_a_study_without_effects_is_refused():
    with pytest.raises(NotEstimableError, match="from treatment on"):
        pretrend_power(subset(study(), rows=[0, 1, 2, 3]))


def test_it_prints_as_text_and_html():
    found = pretrend_power(event_study(BETA, COVARIANCE, TIMES, outcome="a<b"))
    assert "with probability 0.500" in repr(found)
    assert "a&lt;b" in found._repr_html_()
