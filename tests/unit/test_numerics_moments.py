"""Do group moments keep every digit, and do those of two halves give those of the whole?"""

import numpy as np
import pytest

from prakerja_eval.estimate.means import group_mean
from prakerja_eval.numerics import moments as moments_module
from prakerja_eval.numerics.moments import Loadings, cells_of, combine, group_moments


def sample(n=400, n_waves=4):
    rng = np.random.default_rng(14)
    codes = rng.integers(0, 3, n)
    y = rng.normal(size=(n, n_waves)) * 3 + codes[:, None]
    y[rng.uniform(size=y.shape) < 0.15] = np.nan
    return codes, y, rng.uniform(0.3, 3, n)


def test_each_cell_has_numpys_weighted_mean_and_covariance():
    # Witness: numpy.average and numpy.cov(aweights, ddof=0) on the rows of the cell.
    codes, y, w = sample()
    moments = group_moments(codes, y, w)
    pattern = (~np.isnan(y)) @ (1 << np.arange(4))
    assert moments.n.sum() == 400
    pairs = list(zip(moments.group, moments.pattern, strict=True))
    assert pairs == sorted(set(zip(codes, pattern, strict=True)))
    for c, (g, p) in enumerate(pairs):
        rows = (codes == g) & (pattern == p)
        seen = (p >> np.arange(4)) & 1 == 1
        assert moments.n[c] == rows.sum()
        np.testing.assert_allclose(moments.weight[c], w[rows].sum(), rtol=1e-12)
        np.testing.assert_allclose(moments.weight_sq[c], (w[rows] ** 2).sum(), rtol=1e-12)
        assert np.isnan(moments.mean[c, ~seen]).all()
        assert np.isnan(moments.cross[c][~seen]).all()
        if not seen.any():
            continue
        part = y[rows][:, seen]
        np.testing.assert_allclose(
            moments.mean[c, seen], np.average(part, axis=0, weights=w[rows]), rtol=1e-10
        )
        np.testing.assert_allclose(moments.sum[c, seen], w[rows] @ part, rtol=1e-10, atol=1e-10)
        cov = np.atleast_2d(np.cov(part, rowvar=False, aweights=w[rows], ddof=0))
        np.testing.assert_allclose(
            moments.cross[c][np.ix_(seen, seen)], cov * w[rows].sum(), rtol=1e-9, atol=1e-9
        )


def test_a_shift_of_a_billion_moves_means_exactly_and_leaves_the_spread():
    # On a grid of 1/64 with four units a cell the shifted data, and their means, are exact in
    # floating point, so every digit that differs would be the algorithm's.
    rng = np.random.default_rng(15)
    codes = np.repeat(np.arange(5), 4)
    y = rng.integers(-640, 640, (20, 3)) / 64.0
    low = group_moments(codes, y, np.ones(20))
    high = group_moments(codes, y + 1e9, np.ones(20))
    np.testing.assert_array_equal(high.mean, low.mean + 1e9)
    scale = np.einsum("ctt->ct", low.cross).max()
    assert np.abs(high.cross - low.cross).max() < 1e-9 * scale


def test_two_halves_combine_to_the_whole_even_far_from_zero():
    codes, y, w = sample()
    y += 1e6
    half = np.arange(400) % 3 == 0
    half |= codes == 2  # one group lies wholly in one half
    a, b = (group_moments(codes[k], y[k], w[k]) for k in (half, ~half))
    whole, joined = group_moments(codes, y, w), combine(a, b)
    for name in ("group", "pattern", "n"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(whole, name))
    for name in ("weight", "weight_sq", "mean"):
        np.testing.assert_allclose(getattr(joined, name), getattr(whole, name), rtol=1e-12)
    # A spread of about 3 at a level of 1e6 keeps 16 - 6 digits of a centred product.
    np.testing.assert_allclose(joined.cross, whole.cross, rtol=1e-8, atol=1e-6)


def test_combining_is_symmetric():
    codes, y, w = sample()
    a, b = (
        group_moments(codes[:150], y[:150], w[:150]),
        group_moments(codes[150:], y[150:], w[150:]),
    )
    one, other = combine(a, b), combine(b, a)
    np.testing.assert_allclose(one.mean, other.mean, rtol=1e-12)
    np.testing.assert_allclose(one.cross, other.cross, rtol=1e-10, atol=1e-10)


def test_rows_of_weight_zero_are_left_out():
    codes, y, w = np.zeros(4, dtype=np.int64), np.array([[1.0], [3.0], [50.0], [7.0]]), np.ones(4)
    w[2] = 0.0
    moments = group_moments(codes, y, w)
    assert (moments.n[0], moments.weight[0]) == (3, 3.0)
    np.testing.assert_allclose(moments.mean[0, 0], 11 / 3, rtol=1e-14)
    empty = group_moments(codes[:1], y[:1], np.zeros(1))
    np.testing.assert_allclose(combine(empty, moments).mean, moments.mean, rtol=1e-14)


def test_more_waves_than_a_pattern_holds_are_refused():
    with pytest.raises(ValueError, match="62 waves"):
        group_moments(np.zeros(1, dtype=np.int64), np.zeros((1, 63)), np.ones(1))


def test_a_group_mean_has_the_standard_error_of_a_weighted_mean() -> None:
    """Against the ratio estimator's linearisation, with weights that go with the outcome."""
    rng = np.random.Generator(np.random.PCG64(11))
    y = rng.gamma(2.0, 1.0, (60, 2))
    y[::7, 1] = np.nan
    w = 0.2 + y[:, 0] ** 2
    w[5] = 0.0
    cells = group_moments(np.zeros(60, dtype=np.int64), y, w)
    for wave in (0, 1):
        seen = (w > 0) & ~np.isnan(y[:, wave])
        values, weights = y[seen, wave], w[seen]
        n = seen.sum()
        mean = np.average(values, weights=weights)
        meat = n / (n - 1) * np.sum((weights * (values - mean)) ** 2)
        found = group_mean(cells, 0, wave)
        assert found.n == n
        np.testing.assert_allclose(found.mean, mean, rtol=1e-12)
        np.testing.assert_allclose(found.std_error, np.sqrt(meat) / weights.sum(), rtol=1e-12)


def test_the_moments_of_two_halves_give_the_same_standard_error() -> None:
    rng = np.random.Generator(np.random.PCG64(12))
    y, w = rng.normal(1e6, 1.0, (40, 1)), rng.uniform(0.5, 2.0, 40)
    codes = np.zeros(40, dtype=np.int64)
    whole = group_mean(group_moments(codes, y, w), 0, 0)
    halves = combine(
        group_moments(codes[:15], y[:15], w[:15]), group_moments(codes[15:], y[15:], w[15:])
    )
    joined = group_mean(halves, 0, 0)
    np.testing.assert_allclose(joined.mean, whole.mean, rtol=1e-14)
    np.testing.assert_allclose(joined.std_error, whole.std_error, rtol=1e-8)


def test_influence_in_blocks_is_the_sum_written_out_for_each_unit(monkeypatch):
    # Witness: psi_i = w_i (level + sum over observed waves of (y - mean) slope), unit by unit.
    monkeypatch.setattr(moments_module, "ROWS", 7)
    monkeypatch.setattr(moments_module, "ROWS_A_CELL", 1)
    codes, y, w = sample(90, 3)
    w[::9] = 0.0
    keys, cell = cells_of(codes, y, w)
    found = group_moments(codes, y, w)
    rng, shape = np.random.default_rng(16), (len(keys), 3, 5)
    used = rng.random((len(keys), 5)) < 0.7
    level, slope = rng.normal(size=(len(keys), 5)), rng.normal(size=shape)
    psi = Loadings(np.zeros(5), found.mean, level, slope, used).influence(cell, y, w)
    assert psi.flags.f_contiguous
    for i, c in enumerate(cell):
        seen = ~np.isnan(y[i])
        written = level[c] + (y[i] - found.mean[c])[seen] @ slope[c][seen]
        expected = np.where(used[c], w[i] * written, 0.0) if c >= 0 else np.zeros(5)
        np.testing.assert_allclose(psi[i], expected, rtol=1e-12, atol=1e-12)  # sums of three terms
