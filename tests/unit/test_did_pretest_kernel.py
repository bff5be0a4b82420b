"""How often a box is passed and the mean inside it: closed forms, and draws kept one by one."""

import numpy as np
import pytest
from scipy import stats

from prakerja_eval.did.kernel_pretest import after_passing, joint_power
from prakerja_eval.did.kernel_pretest import passing as chance

Z = stats.norm.ppf(0.975)


def wishart(k, seed):
    root = np.random.default_rng(seed).normal(size=(k, 2 * k))
    return root @ root.T / (50 * k)


def passing(trend, covariance, n_pre, alpha=0.05):
    half = stats.norm.ppf(1 - alpha / 2) * np.sqrt(np.diag(covariance)[:n_pre])
    return after_passing(trend, covariance, half)


class TestPassingKernel:
    """The lattice is good to 1e-5 in four dimensions; its edges enter the mean."""

    def test_one_coefficient_is_a_truncated_normal(self):
        covariance = np.array([[0.04, 0.01], [0.01, 0.09]])
        found = passing(np.array([-0.3, 0.2]), covariance, 1)
        inside = stats.truncnorm(-Z + 1.5, Z + 1.5, loc=-0.3, scale=0.2)
        expected = stats.norm.cdf(Z + 1.5) - stats.norm.cdf(1.5 - Z)
        assert found.passing == pytest.approx(expected, rel=1e-12)
        assert found.mean[0] == pytest.approx(inside.mean(), rel=1e-10)
        assert found.mean[1] == pytest.approx(0.2 + (inside.mean() + 0.3) / 4, rel=1e-10)

    def test_independent_coefficients_multiply(self):
        mean, sd = np.array([-0.4, -0.2, 0.1, 0.3]), np.array([0.2, 0.3, 0.1, 0.1])
        found = passing(np.append(mean, 1.0), np.diag(np.append(sd, 1.0) ** 2), 4, 0.1)
        z = stats.norm.ppf(0.95)
        each = stats.norm.cdf(z - mean / sd) - stats.norm.cdf(-z - mean / sd)
        inside = stats.truncnorm(-z - mean / sd, z - mean / sd, loc=mean, scale=sd).mean()
        assert found.passing == pytest.approx(each.prod(), rel=1e-5)
        np.testing.assert_allclose(found.mean[:4], inside, atol=1e-5)
        assert found.mean[4] == pytest.approx(1.0, abs=1e-12)

    @pytest.mark.parametrize("k", [2, 4, 8, 12])
    def test_the_probability_is_scipys_integral_over_the_box(self, k):
        covariance = wishart(k, k)
        sd = np.sqrt(np.diag(covariance))
        trend = (sd / np.arange(k, 0, -1)).min() * np.arange(-k, 0.0)
        law = stats.multivariate_normal(trend, covariance, seed=1, maxpts=1_000_000, abseps=1e-6)
        expected = law.cdf(Z * sd, lower_limit=-Z * sd)
        assert chance(trend, covariance, Z * sd) == pytest.approx(expected, abs=5e-5)

    def test_a_falling_trend_is_passed_as_often_as_a_rising_one(self):
        covariance, trend = wishart(5, 2), 0.05 * np.arange(-5, 0.0)
        half = Z * np.sqrt(np.diag(covariance))
        up, down = (chance(sign * trend, covariance, half) for sign in (1, -1))
        assert up == pytest.approx(down, abs=2e-5)

    @pytest.mark.parametrize("k", [3, 6])
    def test_the_mean_is_that_of_the_draws_that_pass(self, k):
        covariance = wishart(2 * k, k)
        trend = 0.3 / k * np.append(np.arange(-k, 0.0), np.arange(1.0, k + 1))
        draws = np.random.default_rng(7).multivariate_normal(trend, covariance, 400_000)
        inside = abs(draws[:, :k]) <= Z * np.sqrt(np.diag(covariance))[:k]
        kept = draws[inside.all(axis=1)]
        found = passing(trend, covariance, k)
        error = kept.std(axis=0) / np.sqrt(len(kept))
        assert (abs(found.mean - kept.mean(axis=0)) < 4 * error).all()
        share = len(kept) / 400_000
        assert abs(found.passing - share) < 4 * np.sqrt(share * (1 - share) / 400_000)

    def test_what_never_passes_has_no_mean(self):
        found = passing(np.array([-1e3, 1e3]), np.eye(2), 1)
        assert found.passing == 0
        assert np.isnan(found.mean).all()

    def test_the_joint_test_is_a_noncentral_chi_squared(self):
        covariance, trend = wishart(4, 5), np.array([-0.3, -0.2, 0.1, 0.1])
        away = trend @ np.linalg.inv(covariance) @ trend
        expected = stats.ncx2.sf(stats.chi2.ppf(0.95, 4), 4, away)
        assert joint_power(trend, covariance, 0.05) == pytest.approx(expected, rel=1e-9)
