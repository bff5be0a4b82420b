"""Does the Poisson pseudo-likelihood match its peers, and refuse a mean that runs to zero?"""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from prakerja_eval.errors import NotEstimableError, SeparationError
from prakerja_eval.numerics.poisson import poisson


def sample(n=300):
    rng = np.random.default_rng(11)
    X = np.column_stack([np.ones(n), rng.normal(size=n), rng.binomial(1, 0.4, n)])
    return rng.poisson(np.exp(X @ [0.2, 0.5, -0.4])) * 1.0, X, rng.uniform(0.3, 3, n)


def test_robust_fit_matches_statsmodels_glm():
    # statsmodels 0.14 GLM(Poisson), cov_type HC0, IRLS run to full convergence.
    y, X, _ = sample()
    peer = sm.GLM(y, X, family=sm.families.Poisson()).fit(tol=1e-14, cov_type="HC0")
    fit = poisson(y, X, np.ones(300))
    np.testing.assert_allclose(fit.beta, peer.params, rtol=1e-8)
    np.testing.assert_allclose(fit.psi.T @ fit.psi, peer.cov_params(), rtol=1e-8, atol=1e-12)


def test_jtpa_ratio_is_the_itt_over_the_comparison_mean(shared_reference):
    # Reference README, lottery: exp(b) - 1 = .06067216776 (men), .1018760223 (women).
    data = pd.read_csv(shared_reference / "lottery" / "jtpa.csv")
    for men, printed in ((1, 0.06067216776), (0, 0.1018760223)):
        part = data[data.sex == men]
        X = np.column_stack([np.ones(len(part)), part.assignmt])
        fit = poisson(part.earnings.to_numpy(), X, np.ones(len(part)))
        np.testing.assert_allclose(np.expm1(fit.beta[1]), printed, rtol=1e-8)


def test_the_unit_of_the_outcome_moves_the_constant_alone():
    y, X, w = sample()
    one, rupiah = poisson(y, X, w), poisson(1.5e7 * y, X, w)
    np.testing.assert_allclose(rupiah.beta[1:], one.beta[1:], rtol=1e-9)
    np.testing.assert_allclose(rupiah.beta[0] - one.beta[0], np.log(1.5e7), rtol=1e-9)


def test_a_column_that_lives_only_where_the_outcome_is_zero_is_named():
    y, X, w = sample()
    dead = np.zeros(300)
    dead[:9] = 1.0
    y[:9] = 0.0
    with pytest.raises(SeparationError) as refused:
        poisson(y, np.column_stack([X[:, :2], dead, X[:, 2]]), w)
    assert refused.value.column == 2


def test_a_column_of_both_signs_where_the_outcome_is_zero_is_harmless():
    # It vanishes wherever y > 0, but has no direction of one sign: a maximum exists.
    y, X, w = sample()
    both = np.zeros(300)
    both[:8] = [1.0, -1.0] * 4
    y[:8] = 0.0
    fit = poisson(y, np.column_stack([X, both]), w)
    assert np.abs(np.column_stack([X, both]).T @ (w * (y - fit.mean))).max() < 1e-9


def test_negative_and_all_zero_outcomes_are_refused():
    y, X, w = sample()
    with pytest.raises(NotEstimableError, match="zero for every unit"):
        poisson(np.zeros(300), X, w)
    y[4] = -1.0
    with pytest.raises(NotEstimableError, match="zero or more"):
        poisson(y, X, w)
