"""Do the weak-instrument kernels do what their equations say, tried by brute force?"""

import numpy as np
import pytest
from scipy import stats

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.lottery.kernel_tsls import offer_by_block
from prakerja_eval.numerics.blocks import block_dummies
from prakerja_eval.numerics.iv import tsls
from prakerja_eval.numerics.weak import anderson_rubin, effective_f, tf_critical
from prakerja_eval.numerics.weak_many import Reduced, hotelling, invert, sum_of_squared_t

CRITICAL = stats.chi2.ppf(0.95, 1)


def squared_t(theta, N, F, V):
    """(N - θF)² over its variance, for many θ."""
    return (N - theta * F) ** 2 / (V[0, 0] - 2 * theta * V[0, 1] + theta**2 * V[1, 1])


def inside(accepted, theta):
    return np.any([(low <= theta) & (theta <= high) for low, high in accepted.pieces], axis=0)


# --- Anderson-Rubin, one instrument ---


@pytest.mark.parametrize(
    ("F", "N", "shape"),
    [
        (3.0, 5.0, "interval"),
        (1.0, 5.0, "two rays"),
        (-1.0, 5.0, "two rays"),
        (1.0, 0.5, "whole line"),
    ],
)
def test_the_set_has_every_value_that_is_not_rejected_and_no_other(F, N, shape):
    V = np.array([[1.0, 0.4], [0.4, 1.0]])
    found = anderson_rubin(N, F, V, CRITICAL)
    theta = np.concatenate([np.linspace(-30, 30, 6001), [-1e6, 1e6]])
    assert found.shape == shape
    np.testing.assert_array_equal(inside(found, theta), squared_t(theta, N, F, V) <= CRITICAL)


def test_at_its_ends_the_test_just_does_not_reject():
    rng = np.random.default_rng(3)
    shapes = set()
    for _ in range(300):
        root = rng.normal(size=(2, 2)) * [[50.0], [0.05]]  # an outcome in rupiah, a share
        V = root @ root.T
        N, F = 100 * rng.normal(), 0.1 * rng.normal()
        found = anderson_rubin(N, F, V, CRITICAL)
        ends = found.pieces[np.isfinite(found.pieces)]
        np.testing.assert_allclose(squared_t(ends, N, F, V), CRITICAL, rtol=1e-8)
        shapes.add(found.shape)
    assert shapes == {"interval", "two rays", "whole line"}


def test_with_full_take_up_it_is_the_usual_interval():
    found = anderson_rubin(3.0, 1.0, np.array([[4.0, 0.0], [0.0, 0.0]]), CRITICAL)
    half = 2 * np.sqrt(CRITICAL)
    np.testing.assert_allclose(found.pieces, [[3 - half, 3 + half]], rtol=1e-12)


def test_a_first_stage_at_the_bar_leaves_a_half_line():
    # F² = critical V_FF exactly: the quadratic is a line
    found = anderson_rubin(4.0, 2.0, np.eye(2), 4.0)
    np.testing.assert_allclose(found.pieces, [[(16 - 4) / 16, np.inf]])
    mirrored = anderson_rubin(-4.0, 2.0, np.eye(2), 4.0)
    np.testing.assert_allclose(mirrored.pieces, [[-np.inf, -(16 - 4) / 16]])


def test_a_treatment_that_nobody_takes_leaves_every_value_or_none():
    alone = np.diag([1.0, 0.0])
    assert anderson_rubin(5.0, 0.0, alone, 4.0).shape == "empty"
    assert anderson_rubin(1.0, 0.0, alone, 4.0).shape == "whole line"


def test_an_outcome_without_variance_is_refused():
    with pytest.raises(NotEstimableError, match="no variance"):
        anderson_rubin(0.0, 0.0, np.zeros((2, 2)), CRITICAL)


# --- tF ---


def rejection(f0, width=9.0, points=200_001):
    """P(|t| > c(f²)) for f ~ N(f0, 1) and t = f (f - f0) / f0, by the trapezoidal rule."""
    f = np.linspace(f0 - width, f0 + width, points)
    grid = np.concatenate(
        [1.95996399 + np.geomspace(1e-8, 1e-2, 800), np.linspace(1.9700001, 70, 8000)]
    )
    curve = np.array([tf_critical(x * x) for x in grid])
    c = np.where(np.abs(f) < grid[0], np.inf, np.interp(np.abs(f), grid, curve))
    rejects = np.abs(f * (f - f0) / f0) > c
    return np.sum(rejects * stats.norm.pdf(f - f0)) * (f[1] - f[0])


@pytest.mark.parametrize("f0", [0.1, 1.0, 2.5, 5.0, 8.5])
def test_the_tf_test_rejects_the_truth_five_times_in_a_hundred(f0):
    # the grid places the two ends to 1e-4, times a density below .4
    np.testing.assert_allclose(rejection(f0), 0.05, atol=5e-5)


@pytest.mark.parametrize("f0", [9.0, 10.0, 12.0, 20.0, 50.0])
def test_beyond_a_strong_first_stage_it_rejects_less(f0):
    assert 0.045 < rejection(f0) < 0.05


def test_the_curve_falls_from_infinity_to_the_normal_quantile():
    z = stats.norm.ppf(0.975)
    assert tf_critical(z**2) == np.inf
    assert tf_critical(0.0) == np.inf
    F = np.concatenate([z**2 + np.geomspace(1e-6, 1, 40), np.linspace(5, 104.6, 60)])
    c = np.array([tf_critical(x) for x in F])
    assert (np.diff(c) < 0).all()
    assert tf_critical(104.68) == pytest.approx(z, rel=1e-12)
    assert tf_critical(np.inf) == pytest.approx(z, rel=1e-12)


# --- effective F ---


def test_with_one_instrument_the_effective_f_is_the_squared_t_ratio():
    found = effective_f(np.array([3.0]), np.array([0.5]), np.array([7.0]), 0.1)
    np.testing.assert_allclose(found.F, 18.0, rtol=1e-12)
    # the bar: P(χ²₁ with noncentrality 1/τ > c) = .05
    assert stats.ncx2.sf(found.critical, 1, 10) == pytest.approx(0.05, rel=1e-8)


def test_several_instruments_follow_the_formula():
    rng = np.random.default_rng(5)
    K, x = 4, 10.0
    gamma = rng.normal(size=K)
    a, b = rng.normal(size=(2, K, 9))
    sigma, Q = a @ a.T, b @ b.T
    found = effective_f(gamma, sigma, Q, 1 / x)
    values, vectors = np.linalg.eigh(Q)
    root = vectors @ np.diag(np.sqrt(values)) @ vectors.T
    W = root @ sigma @ root
    largest = np.linalg.eigvalsh(W).max()
    K_eff = np.trace(W) ** 2 * (1 + 2 * x) / (np.trace(W @ W) + 2 * x * np.trace(W) * largest)
    np.testing.assert_allclose(found.F, gamma @ Q @ gamma / np.trace(W), rtol=1e-10)
    assert found.K_eff == pytest.approx(K_eff, rel=1e-10)
    tail = stats.ncx2.sf(found.critical * K_eff, K_eff, x * K_eff)
    assert tail == pytest.approx(0.05, rel=1e-6)


def test_diagonals_and_matrices_give_one_answer():
    gamma, sigma, q = (
        np.array([1.0, 2.0, 0.5]),
        np.array([0.3, 0.2, 0.9]),
        np.array([5.0, 8.0, 2.0]),
    )
    thin = effective_f(gamma, sigma, q, 0.1)
    for wide in (
        effective_f(gamma, np.diag(sigma), np.diag(q), 0.1),
        effective_f(gamma, np.diag(sigma), q, 0.1),
    ):
        np.testing.assert_allclose(
            [wide.F, wide.critical, wide.K_eff], [thin.F, thin.critical, thin.K_eff], rtol=1e-10
        )


# --- Anderson-Rubin, several instruments ---


def reduced(rng, K, strength, disagreement=0.0, dense=False):
    """K effects with a true θ of 2 (or one for each block)."""
    root = rng.normal(size=(2 * K, 4 * K)) / np.sqrt(4 * K)
    V = root @ root.T
    draw = np.linalg.cholesky(V) @ rng.normal(size=2 * K)
    f = strength + draw[K:]
    g = (2 + disagreement * np.arange(K)) * strength + draw[:K]
    parts = V[:K, :K], V[:K, K:], V[K:, K:]
    return Reduced(g, f, *(parts if dense else (np.diag(p) for p in parts)))


@pytest.mark.parametrize("dense", [False, True])
def test_the_over_identified_set_is_what_a_fine_grid_accepts(dense):
    rng = np.random.default_rng(11)
    shapes = set()
    critical = stats.chi2.ppf(0.95, 3)
    for strength in (0.0, 0.3, 1.0, 3.0) * 5:
        effects = reduced(rng, 3, strength, 0.0, dense)
        found = invert(effects, 1.0, 0.5, critical)
        theta = np.tan(np.linspace(-1.5707, 1.5707, 501))
        full = [p if dense else np.diag(p) for p in (effects.gg, effects.gf, effects.ff)]
        value = np.empty_like(theta)
        for i, t in enumerate(theta):
            V = full[0] - t * (full[1] + full[1].T) + t * t * full[2]
            h = effects.g - t * effects.f
            value[i] = h @ np.linalg.inv(V) @ h
        near = np.abs(value - critical) < 1e-6 * critical
        accepted = inside(found.accepted, theta) if len(found.accepted.pieces) else theta < -np.inf
        np.testing.assert_array_equal(accepted[~near], (value <= critical)[~near])
        assert found.least <= value.min() + 1e-9
        shapes.add(found.accepted.shape)
    assert {"interval", "two rays", "whole line"} <= shapes


def test_instruments_that_contradict_each_other_leave_no_value():
    found = invert(
        reduced(np.random.default_rng(1), 4, 30.0, 3.0), 2.0, 0.1, stats.chi2.ppf(0.95, 4)
    )
    assert found.accepted.shape == "empty"
    assert found.least > stats.chi2.ppf(0.95, 4)


def test_with_one_instrument_it_is_the_quadratic_set():
    rng = np.random.default_rng(2)
    for _ in range(40):
        a = rng.normal(size=(2, 3))
        V, (N, F) = a @ a.T, 3 * rng.normal(size=2)
        one = Reduced(np.array([N]), np.array([F]), V[:1, 0], V[:1, 1], V[1:, 1])
        found = invert(one, 0.7, 0.3, CRITICAL).accepted
        exact = anderson_rubin(N, F, V, CRITICAL)
        assert found.shape == exact.shape
        np.testing.assert_allclose(found.pieces, exact.pieces, rtol=1e-8)


def test_a_block_without_doubt_about_receipt_decides_the_joint_first_stage():
    ones = np.ones(2)
    nobody = Reduced(ones, np.array([0.5, 0.0]), ones, 0 * ones, np.array([0.01, 0.0]))
    assert nobody.wald() == pytest.approx(25.0)
    everybody = Reduced(ones, np.array([0.5, 1.0]), ones, 0 * ones, np.array([0.01, 0.0]))
    assert everybody.wald() == np.inf


def test_the_laws_have_the_moments_of_sums_of_f():
    nu = np.array([9.0, 30.0, 200.0])
    law = sum_of_squared_t(nu)
    mean, variance = (sum(stats.f.stats(1, v, moments=m) for v in nu) for m in "mv")
    assert law.scale * law.df == pytest.approx(mean, rel=1e-12)
    assert 2 * law.scale**2 * law.df == pytest.approx(variance, rel=1e-12)
    joint, K, v = hotelling(3, 20.0), 3, 20.0
    factor = K * v / (v - K + 1)
    assert joint.scale * joint.df == pytest.approx(factor * stats.f.mean(K, v - K + 1), rel=1e-12)
    assert 2 * joint.scale**2 * joint.df == pytest.approx(
        factor**2 * stats.f.var(K, v - K + 1), rel=1e-12
    )


def test_many_small_blocks_keep_their_size_and_plain_chi_squared_does_not():
    rng = np.random.default_rng(4)
    K, n, draws = 50, 10, 2000
    t = stats.t.rvs(2 * n - 2, size=(draws, K), random_state=rng)
    total = (t**2).sum(axis=1)
    law = sum_of_squared_t(np.full(K, 2.0 * n - 2))
    # three standard errors of a share of .05 over 2,000 draws
    assert abs((total > law.quantile(0.95)).mean() - 0.05) < 3 * np.sqrt(0.05 * 0.95 / draws)
    assert (total > stats.chi2.ppf(0.95, K)).mean() > 0.10


# --- two-stage least squares, offer by block ---


def people(n=120, n_blocks=5):
    rng = np.random.default_rng(8)
    block = rng.permutation(np.arange(n) % n_blocks)
    arm = (rng.random(n) < 0.4).astype(float)
    u = rng.normal(size=n)
    d = (u + arm * (0.3 + 0.4 * block) > 0.8).astype(float)
    X = rng.normal(size=(n, 2))
    y = u + d * (1 + block) + X @ [1.0, 2.0] + rng.normal(size=n)
    return y, d, arm, block, X, rng.uniform(0.3, 3, n)


@pytest.mark.parametrize("covariates", [0, 2])
@pytest.mark.parametrize("weighted", [False, True])
def test_by_block_it_is_two_stage_least_squares_with_the_columns_written_out(covariates, weighted):
    y, d, arm, block, X, w = people()
    X, w = X[:, :covariates], w if weighted else np.ones(len(y))
    D = block_dummies(block, 5)
    dense = tsls(y, np.column_stack([D, d, X]), np.column_stack([D * arm[:, None], D, X]), w)
    found = offer_by_block(y, d, arm, block, X, w)
    np.testing.assert_allclose(found.theta, dense.beta[5], rtol=1e-10)
    largest = np.abs(dense.psi[:, 5]).max()
    np.testing.assert_allclose(found.psi, dense.psi[:, 5], atol=1e-10 * largest)
    np.testing.assert_allclose(found.residuals, dense.residuals, atol=1e-10)
    np.testing.assert_allclose(found.bread, dense.bread, atol=1e-10)


@pytest.mark.parametrize("covariates", [0, 2])
def test_its_influence_is_the_derivative_in_the_weights(covariates):
    y, d, arm, block, X, w = people(80, 4)
    X, step = X[:, :covariates], 1e-5
    psi = offer_by_block(y, d, arm, block, X, w).psi
    slope = np.empty_like(psi)
    for i in range(len(y)):
        v = np.zeros(len(y))
        v[i] = step
        up, down = (offer_by_block(y, d, arm, block, X, w * (1 + s * v)).theta for s in (1, -1))
        slope[i] = (up - down) / (2 * step)
    # the step leaves 1e-10 of truncation and 1e-11 / |psi| of rounding
    np.testing.assert_allclose(slope, psi, atol=1e-7 * np.abs(psi).max())


def test_an_offer_that_moves_nobody_is_refused():
    y, _, arm, block, X, w = people()
    with pytest.raises(NotEstimableError, match="in no block"):
        offer_by_block(y, block % 2 * 1.0, arm, block, X, w)
