"""Does two-stage least squares match R and linearmodels, and refuse what is not identified?"""

import numpy as np
import pandas as pd
import pytest
from linearmodels.iv import IV2SLS

from prakerja_eval.errors import CollinearityError, NotEstimableError
from prakerja_eval.numerics.blocks import block_dummies
from prakerja_eval.numerics.iv import tsls


def hc(fit, column, kind):
    n, p = fit.design.shape
    if kind == "HC1":
        return np.sqrt((fit.psi_scores[:, column] ** 2).sum() * n / (n - p))
    leverage = np.einsum("ij,jk,ik->i", fit.design, fit.bread, fit.design)
    return np.sqrt((fit.psi_scores[:, column] ** 2 / (1 - leverage)).sum())


@pytest.mark.parametrize(
    ("spec", "effects", "kind"),
    [
        ("iv_robust nocov HC1", False, "HC1"),
        ("iv_robust nocov HC2", False, "HC2"),
        ("iv_robust site FE HC1", True, "HC1"),
        ("iv_robust site FE HC2", True, "HC2"),
    ],
)
@pytest.mark.parametrize(("men", "dataset"), [(1, "jtpa_men"), (0, "jtpa_women")])
def test_jtpa_training_effect_matches_estimatr(shared_reference, men, dataset, spec, effects, kind):
    # R estimatr 1.0.0, iv_robust(earnings ~ training | assignmt); HC2 with the leverage of the
    # second stage.
    data = pd.read_csv(shared_reference / "lottery" / "jtpa.csv")
    data = data[data.sex == men]
    table = pd.read_csv(shared_reference / "lottery" / "estimatr.csv")
    row = table[(table.dataset == dataset) & (table.spec == spec)].iloc[0]
    n = len(data)
    codes = pd.factorize(data.site)[0] if effects else np.zeros(n, dtype=np.int64)
    C = block_dummies(codes, codes.max() + 1)
    fit = tsls(
        data.earnings.to_numpy(),
        np.column_stack([C, data.training]),
        np.column_stack([C, data.assignmt]),
        np.ones(n),
    )
    np.testing.assert_allclose(fit.beta[-1], row.estimate, rtol=1e-8)
    np.testing.assert_allclose(hc(fit, -1, kind), row.se, rtol=1e-8)


def sample(n=300):
    rng = np.random.default_rng(8)
    u, x = rng.normal(size=(2, n))
    z = rng.normal(size=(n, 3))
    d = z @ [0.7, -0.4, 0.2] + u + rng.normal(size=n)
    y = 1 + 2 * d + 0.5 * x + u * (1 + z[:, 0] ** 2)
    one = np.ones(n)
    return y, np.column_stack([one, x, d]), np.column_stack([one, x, z]), rng.uniform(0.3, 2, n)


def test_over_identified_scores_match_linearmodels_robust():
    # linearmodels 7, IV2SLS(weights).fit(cov_type="robust"), which is HC0 without debiasing.
    y, X, Z, w = sample()
    peer = IV2SLS(y, X[:, :2], X[:, 2:], Z[:, 2:], weights=w).fit(cov_type="robust")
    fit = tsls(y, X, Z, w)
    np.testing.assert_allclose(fit.beta, peer.params, rtol=1e-8)
    np.testing.assert_allclose(fit.psi_scores.T @ fit.psi_scores, peer.cov, rtol=1e-8, atol=1e-14)


def test_just_identified_influence_is_the_score_and_over_identified_is_not():
    y, X, Z, w = sample()
    just, over = tsls(y, X, Z[:, :3], w), tsls(y, X, Z, w)
    largest = np.abs(just.psi).max()
    np.testing.assert_allclose(just.psi, just.psi_scores, atol=1e-10 * largest)
    assert np.abs(over.psi - over.psi_scores).max() > 1e-3 * np.abs(over.psi).max()


def test_regressors_that_instrument_themselves_give_least_squares():
    y, X, _, w = sample()
    fit = tsls(y, X, X, w)
    root = np.sqrt(w)[:, None]
    expected = np.linalg.lstsq(X * root, y * root[:, 0], rcond=None)[0]
    np.testing.assert_allclose(fit.beta, expected, rtol=1e-10)


def test_fewer_instruments_than_regressors_are_refused():
    y, X, Z, w = sample()
    with pytest.raises(NotEstimableError, match="2 instrument columns cannot identify 3"):
        tsls(y, X, Z[:, :2], w)


def test_instruments_that_move_nothing_are_refused_with_the_regressor():
    y, X, Z, _ = sample()
    dead = Z[:, :3].copy()
    dead[:, 2] = np.tile([1.0, -1.0], 150)
    still = X.copy()
    still[:, 2] = np.repeat(np.arange(150.0), 2)
    still[:, 1] = dead[:, 1] = np.repeat(np.arange(150.0) ** 2, 2)
    with pytest.raises(NotEstimableError, match="regressor 2 "):
        tsls(y, still, dead, np.ones(300))


def test_a_repeated_instrument_is_named():
    y, X, Z, w = sample()
    with pytest.raises(CollinearityError) as refused:
        tsls(y, X, np.column_stack([Z, Z[:, 2] - Z[:, 3]]), w)
    assert refused.value.column == 5
