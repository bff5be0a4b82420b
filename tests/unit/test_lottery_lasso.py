"""Double selection: conditions of a minimum, what is selected, and what the wing does with it."""

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import UsageError
from prakerja_eval.lottery import Design
from prakerja_eval.numerics.lasso import minimum, plug_in_lasso, within_blocks

N = 400


def people(seed=0, n=N, p=40):
    """Columns of very different scales, noise that grows with the first, weights and blocks."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    y = X[:, 0] + 0.8 * X[:, 1] - 0.8 * X[:, 2] + rng.normal(size=n) * (1 + np.abs(X[:, 0]))
    block, w = rng.integers(0, 6, n), rng.uniform(0.5, 2.0, n)
    X = within_blocks(X * 10.0 ** rng.integers(-3, 6, p), block, w)
    return within_blocks(y[:, None], block, w)[:, 0], X, w, rng


@pytest.mark.parametrize("seed", range(4))
def test_the_minimum_meets_its_conditions(seed):
    """Karush-Kuhn-Tucker: the gradient is the penalty where a coefficient is not zero, or less."""
    y, X, w, _ = people(seed)
    fit = plug_in_lasso(y, X, w, np.arange(N))
    gradient = X.T @ (w / w.mean() * (y - X @ fit.beta)) / N / fit.penalty
    kept = fit.beta != 0
    assert kept.any()
    np.testing.assert_allclose(gradient[kept], np.sign(fit.beta[kept]), atol=1e-7)
    assert (np.abs(gradient[~kept]) <= 1 + 1e-7).all()


def test_columns_that_repeat_each_other_are_no_trouble():
    """An exact copy, a sum of two, a near-copy (correlation 1 - 5e-8), and all of four dummies."""
    rng = np.random.default_rng(3)
    A = rng.normal(size=(N, 4))
    group = np.eye(4)[rng.integers(0, 4, N)]
    X = np.column_stack([A, A[:, 0], A[:, 0] + A[:, 1], group, 3 * A[:, 2] + 1e-3 * A[:, 3]])
    X = within_blocks(X, np.zeros(N, dtype=int), np.ones(N))
    y = A[:, 0] + A[:, 1] + A[:, 2] + 2 * group[:, 1] - 2 * group[:, 2] + rng.normal(size=N)
    y = y - y.mean()
    fit = plug_in_lasso(y, X, np.ones(N), np.arange(N))
    gradient = X.T @ (y - X @ fit.beta) / N / fit.penalty
    kept = fit.beta != 0
    np.testing.assert_allclose(gradient[kept], np.sign(fit.beta[kept]), atol=1e-7)
    assert (np.abs(gradient) <= 1 + 1e-7).all()


def test_a_single_column_is_thresholded_as_by_hand():
    gram, slope = np.array([[2.0]]), np.array([3.0])
    np.testing.assert_allclose(minimum(gram, slope, np.array([1.0]), np.zeros(1)), [1.0])
    np.testing.assert_array_equal(minimum(gram, slope, np.array([3.5]), np.zeros(1)), [0.0])
    np.testing.assert_allclose(minimum(gram, -slope, np.array([1.0]), np.ones(1)), [-1.0])


def test_the_penalty_is_the_printed_one_at_the_last_residuals():
    """lambda l / (2n), with 1.1 and 0.1 / log n written out, loadings at post-lasso residuals."""
    from scipy import stats

    y, X, w, _ = people(1)
    fit = plug_in_lasso(y, X, w, np.arange(N))
    kept = np.flatnonzero(fit.beta)
    root = np.sqrt(w)
    unit = X / np.sqrt((X**2).sum(axis=0))
    b = np.linalg.lstsq(unit[:, kept] * root[:, None], y * root, rcond=None)[0]
    e = y - unit[:, kept] @ b
    loading = np.sqrt(np.mean((w / w.mean())[:, None] ** 2 * X**2 * e[:, None] ** 2, axis=0))
    lam = 2 * 1.1 * np.sqrt(N) * stats.norm.ppf(1 - 0.1 / np.log(N) / (2 * X.shape[1]))
    np.testing.assert_allclose(fit.penalty, lam * loading / (2 * N), rtol=1e-5)


def test_rows_that_belong_together_count_once_in_the_noise():
    """Each row three times over, as one unit: root three times the loading by row, by hand."""
    y, X, w, _ = people(1)
    once = plug_in_lasso(y, X, w, np.arange(N))
    rows = np.repeat(np.arange(N), 3)
    three = plug_in_lasso(y[rows], X[rows], w[rows], rows)
    # lambda l / 2n: l rises by root 3 and lambda / n falls by it, but for log n in g
    np.testing.assert_allclose(three.penalty, once.penalty, rtol=0.03)
    apart = plug_in_lasso(y[rows], X[rows], w[rows], np.arange(3 * N))
    assert (apart.penalty < 0.65 * three.penalty).all()


def test_scales_of_columns_and_outcome_do_not_change_what_is_selected():
    y, X, w, rng = people(2)
    kept = np.flatnonzero(plug_in_lasso(y, X, w, np.arange(N)).beta)
    scale = 10.0 ** rng.integers(-6, 6, X.shape[1])
    again = np.flatnonzero(plug_in_lasso(1e6 * y, X * scale, w, np.arange(N)).beta)
    np.testing.assert_array_equal(again, kept)


def test_an_outcome_or_column_of_zeros_selects_nothing():
    y, X, w, _ = people()
    assert not plug_in_lasso(0 * y, X, w, np.arange(N)).beta.any()
    assert not plug_in_lasso(y, 0 * X, w, np.arange(N)).beta.any()
    assert plug_in_lasso(y, X[:, :0], w, np.arange(N)).beta.shape == (0,)


def test_more_columns_than_people():
    X = np.random.default_rng(5).normal(size=(100, 300))
    y = 3 * X[:, 7] - 3 * X[:, 100] + np.random.default_rng(6).normal(size=100)
    fit = plug_in_lasso(y, X, np.ones(100), np.arange(100))
    np.testing.assert_array_equal(np.flatnonzero(fit.beta), [7, 100])


# --- in the wing ---


NAMES = tuple(f"x{j}" for j in range(30))


def lottery(seed=4, n=600):
    """Income depends on x0 and x1; x2 rises with the block, as income does, and matters not."""
    rng = np.random.default_rng(seed)
    block = rng.integers(0, 8, n)
    won = rng.binomial(1, 0.2 + 0.05 * block)
    X = rng.normal(size=(n, len(NAMES)))
    X[:, 2] += 5.0 * block
    take = rng.binomial(1, 1 / (1 + np.exp(-1.5 * X[:, 3])))
    return pd.DataFrame(X, columns=NAMES).assign(
        id=[f"SYN-{i:06d}" for i in range(n)],
        block=block,
        won=won,
        trained=won * take,
        income=2 * X[:, 0] - X[:, 1] + 5.0 * block + won * take + rng.normal(size=n),
    )


def read(frame, **roles):
    return pe.read_panel(frame, pe.Roles(unit="id", offer="won", blocks="block", **roles))


LASSO = Design(covariates=NAMES, covariate_model="lasso")


def test_the_answer_is_the_regression_on_what_was_selected():
    panel = read(lottery())
    found = pe.lottery.itt(panel, "income", LASSO)
    chosen = pe.lottery.itt(panel, "income", Design(covariates=("x0", "x1")))
    assert found.index["specification"][0].endswith("of 30: x0, x1")
    np.testing.assert_allclose(found.theta, chosen.theta, rtol=1e-12)
    a, b = found.findings().frame.iloc[0], chosen.findings().frame.iloc[0]
    for column in ("std_error", "df", "p_value"):
        np.testing.assert_allclose(a[column], b[column], rtol=1e-10)


def test_what_differs_between_blocks_alone_is_not_selected():
    """x2 follows income from block to block; the blocks, which take that up, come out first."""
    frame = lottery()
    assert np.corrcoef(frame.x2, frame.income)[0, 1] > 0.8
    assert "x2" not in pe.lottery.itt(read(frame), "income", LASSO).index["specification"][0]
    constant = frame.assign(x2=frame.block)
    assert "x2" not in pe.lottery.itt(read(constant), "income", LASSO).index["specification"][0]


def test_the_two_parts_of_a_ratio_share_one_set():
    """x3 moves receipt alone, x0 and x1 income alone: the LATE adjusts both for all three."""
    panel = read(lottery(n=3000), received="trained")
    found = pe.lottery.late(panel, "income", LASSO)
    chosen = pe.lottery.late(panel, "income", Design(covariates=("x0", "x1", "x3")))
    assert found.index["specification"][0].endswith("of 30: x0, x1, x3")
    np.testing.assert_allclose(found.theta, chosen.theta, rtol=1e-12)


def test_chance_imbalance_large_enough_is_mended():
    """x9 predicts the offer and little else: it is selected for the offer's sake."""
    frame = lottery()
    frame["x9"] = frame.won + 0.3 * np.random.default_rng(6).normal(size=len(frame))
    assert "x9" in pe.lottery.itt(read(frame), "income", LASSO).index["specification"][0]


def test_nothing_selected_leaves_the_difference_in_means():
    frame = lottery()
    frame["income"] = np.random.default_rng(7).normal(size=len(frame))
    panel = read(frame)
    found = pe.lottery.itt(panel, "income", LASSO)
    assert found.index["specification"][0].endswith("none")
    np.testing.assert_allclose(found.theta, pe.lottery.itt(panel, "income").theta, rtol=1e-12)


def test_a_lasso_without_covariates_is_refused():
    with pytest.raises(UsageError, match="needs covariates"):
        Design(covariate_model="lasso")


@pytest.mark.witness
def test_selection_does_not_spoil_coverage_and_buys_precision():
    """150 waves of fresh outcomes, 30 columns of which two matter: 95 % within 3 MC errors."""
    rng = np.random.default_rng(12)
    n, draws = 300, 150
    block = np.arange(n) % 4
    won = (np.arange(n) // 4 % 10 < np.array([2, 4, 5, 6])[block]).astype(int)
    X = rng.normal(size=(n, 30))
    y = (
        2 * X[:, [0]]
        - X[:, [1]]
        + block[:, None]
        + 0.5 * won[:, None]
        + rng.normal(size=(n, draws))
    )
    first = pd.DataFrame(X, columns=NAMES).assign(
        id=[f"SYN-{i:06d}" for i in range(n)], block=block, won=won
    )
    frame = first.loc[np.repeat(np.arange(n), draws)].reset_index(drop=True)
    frame = frame.assign(wave=np.tile(np.arange(draws), n), income=y.ravel())
    panel = read(frame, wave="wave")
    found = pe.lottery.itt(panel, "income", LASSO).findings().frame
    covered = ((found.conf_low <= 0.5) & (found.conf_high >= 0.5)).mean()
    assert abs(covered - 0.95) < 3 * np.sqrt(0.95 * 0.05 / draws)
    plain = pe.lottery.itt(panel, "income").findings().frame
    # the variance of income within blocks falls from 6 to 1
    assert found.std_error.mean() < 0.6 * plain.std_error.mean()
