"""Which few sums a group's panel of outcomes comes down to, missing waves and all."""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.typing import BoolArray, FloatArray, IntArray

BLOCK = 65_536  # rows at a time, so that temporaries stay small
ROWS, ROWS_A_CELL = 4_096, 64  # of influence at a time, so that they stay in the cache


@dataclass(frozen=True, slots=True)
class GroupMoments:
    """Sufficient statistics of outcomes over T waves, by group and pattern of missing waves.

    Attributes
    ----------
    group : (C,) int
        Group code of the cell.
    pattern : (C,) int
        Bit t is set where the cell's units are observed at wave t.
    n : (C,) int
        Units of positive weight; those of weight zero are left out of everything.
    weight, weight_sq : (C,)
        Sums of w and of w squared.
    mean : (C, T)
        Weighted means; NaN where not observed.
    cross : (C, T, T)
        sum w (y - mean)(y - mean)' about the cell's own mean; NaN where not observed.
    first_sq, second_sq : (C, T)
        Sums of w squared times (y - mean) and (y - mean) squared, from which the variance of a
        weighted mean follows; NaN where not observed.
    """

    group: IntArray
    pattern: IntArray
    n: IntArray
    weight: FloatArray
    weight_sq: FloatArray
    mean: FloatArray
    cross: FloatArray
    first_sq: FloatArray
    second_sq: FloatArray

    @property
    def sum(self) -> FloatArray:
        """Weighted sums (C, T); NaN where not observed."""
        return np.asarray(self.weight[:, None] * self.mean, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Loadings:
    """Estimates that depend on the data through cell weights and means alone, and how.

    With m_c the mean of cell c, psi_i = w_i (level_c + (y_i - m_c)' slope_c) obeys the law exactly.

    Attributes
    ----------
    theta : (K,)
        Estimates.
    mean : (C, T)
        Cell means m_c; NaN where not observed.
    level : (C, K)
        d theta / d W_c at fixed means, W_c the weight of the cell.
    slope : (C, T, K)
        (d theta / d m_ct) / W_c; 0 where not observed.
    used : (C, K) bool
        Whether the cell's units take part in the estimate.
    """

    theta: FloatArray
    mean: FloatArray
    level: FloatArray
    slope: FloatArray
    used: BoolArray

    def influence(self, cell: IntArray, y: FloatArray, w: FloatArray) -> FloatArray:
        """Return psi (n, K), columns contiguous.

        Parameters
        ----------
        cell : (n,) int
            Cell of each unit; -1 for units outside all cells, whose influence is zero.
        y : (n, T)
            Outcomes.
        w : (n,)
            Unit weights.
        """
        psi = np.empty((cell.size, self.theta.size), order="F")
        level = np.where(self.used, self.level, 0.0)
        slope = np.where(self.used[:, None, :], self.slope, 0.0)
        centre = np.nan_to_num(self.mean)
        size = max(ROWS, ROWS_A_CELL * len(centre))
        for start in range(0, cell.size, size):
            at = slice(start, start + size)
            y_at, w_at = y[at], w[at]
            found = np.zeros((len(y_at), self.theta.size))
            for c, members in enumerate(_members(cell[at], len(centre))):
                if members.size:
                    deviation = y_at[members] - centre[c]
                    deviation[np.isnan(deviation)] = 0.0
                    found[members] = w_at[members, None] * (level[c] + deviation @ slope[c])
            psi[at] = found  # turned while it is in the cache
        return psi


def group_moments(codes: IntArray, y: FloatArray, w: FloatArray) -> GroupMoments:
    """Reduce outcomes to moments, one cell a group and pattern of missing waves.

    Parameters
    ----------
    codes : (n,) int
        Group of each unit.
    y : (n, T)
        Outcomes, NaN where a wave is missing; at most 62 waves.
    w : (n,)
        Unit weights.
    """
    keys, cell = cells_of(codes, y, w)
    return cell_moments(keys, cell, y, w)


def cell_moments(keys: IntArray, cell: IntArray, y: FloatArray, w: FloatArray) -> GroupMoments:
    """Reduce outcomes to the moments of cells that are known already.

    Parameters
    ----------
    keys, cell
        As ``cells_of`` returns them.
    y, w
        As in ``group_moments``.
    """
    n_cells, n_waves = len(keys), y.shape[1]
    found = [_cell(y, w, members) for members in _members(cell, n_cells)]
    placed, weight = cell + 1, np.where(cell < 0, 0.0, w)
    return GroupMoments(
        group=keys[:, 0],
        pattern=keys[:, 1],
        n=np.bincount(placed, minlength=n_cells + 1)[1:].astype(np.int64),
        weight=np.bincount(placed, weight, minlength=n_cells + 1)[1:].astype(np.float64),
        weight_sq=np.bincount(placed, weight**2, minlength=n_cells + 1)[1:].astype(np.float64),
        mean=np.array([c[0] for c in found], dtype=np.float64).reshape(-1, n_waves),
        cross=np.array([c[1] for c in found], dtype=np.float64).reshape(-1, n_waves, n_waves),
        first_sq=np.array([c[2] for c in found], dtype=np.float64).reshape(-1, n_waves),
        second_sq=np.array([c[3] for c in found], dtype=np.float64).reshape(-1, n_waves),
    )


def cells_of(codes: IntArray, y: FloatArray, w: FloatArray) -> tuple[IntArray, IntArray]:
    """Put units into cells by group and pattern of missing waves.

    Parameters
    ----------
    codes, y, w
        As in ``group_moments``.

    Returns
    -------
    keys : (C, 2) int
        Group and pattern of each cell, in sorted order.
    cell : (n,) int
        Cell of each unit; -1 where the weight is zero.
    """
    n_waves = y.shape[1]
    if n_waves > 62:
        raise ValueError(f"a missingness pattern holds 62 waves, not {n_waves}")
    if np.isfinite(y.sum()):  # nothing is missing: one pattern
        patterns = np.array([(np.int64(1) << n_waves) - 1])
        where = np.zeros(1, dtype=np.int64)
    else:
        bits = np.int64(1) << np.arange(n_waves, dtype=np.int64)
        patterns, where = np.unique(~np.isnan(y) @ bits, return_inverse=True)
    pairs = np.where(w > 0, codes * len(patterns) + where, -1)
    present = np.flatnonzero(np.bincount(pairs + 1)[1:])
    place = np.full(int(pairs.max(initial=-1)) + 2, -1, dtype=np.int64)
    place[present] = np.arange(present.size)
    keys = np.column_stack([present // len(patterns), patterns[present % len(patterns)]])
    return keys.astype(np.int64), place[pairs]


def _members(cell: IntArray, n_cells: int) -> list[IntArray]:
    """Return the units of each cell, in order; those of no cell are left out."""
    # numpy sorts whole numbers of two bytes digit by digit, in time proportional to n
    small = cell.astype(np.int16) if n_cells < 2**15 else cell
    order = np.argsort(small, kind="stable")
    counts = np.bincount(cell + 1, minlength=n_cells + 1)
    return np.split(order, np.cumsum(counts)[:-1])[1:]


def combine(a: GroupMoments, b: GroupMoments) -> GroupMoments:
    """Join the moments of two disjoint sets of units, as Chan, Golub and LeVeque (1983) do."""
    n_waves = a.mean.shape[1]
    cells = np.concatenate([_keys(a), _keys(b)])
    keys, position = np.unique(cells, axis=0, return_inverse=True)
    position = position.ravel()
    left = _spread(a, position[: a.n.size], len(keys))
    right = _spread(b, position[a.n.size :], len(keys))
    weight = left.weight + right.weight
    share = np.divide(right.weight, weight, out=np.zeros(len(keys)), where=weight > 0)
    delta = right.mean - left.mean
    between = (left.weight * share)[:, None, None] * delta[:, :, None] * delta[:, None, :]
    mean = left.mean + share[:, None] * delta
    cross = left.cross + right.cross + between
    seen = (keys[:, 1][:, None] >> np.arange(n_waves)) & 1 == 1
    firsts, seconds = zip(*(about(m, mean) for m in (left, right)), strict=True)
    return GroupMoments(
        group=keys[:, 0],
        pattern=keys[:, 1],
        n=left.n + right.n,
        weight=weight,
        weight_sq=left.weight_sq + right.weight_sq,
        mean=np.where(seen, mean, np.nan),
        cross=np.where(seen[:, :, None] & seen[:, None, :], cross, np.nan),
        first_sq=np.where(seen, sum(firsts), np.nan),
        second_sq=np.where(seen, sum(seconds), np.nan),
    )


def about(m: GroupMoments, centre: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the sums of w squared times (y - centre) and (y - centre) squared, each (C, T)."""
    shift = m.mean - centre
    weight_sq = m.weight_sq[:, None]
    first = m.first_sq + weight_sq * shift
    return first, m.second_sq + 2 * shift * m.first_sq + weight_sq * shift**2


def _cell(
    y: FloatArray, w: FloatArray, members: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Mean, centred cross-products, and sums of w squared times deviations, of one cell.

    Differences from a unit of the cell come first: a large common level then costs no digits.
    """
    origin, total, offset = y[members[0]], w[members].sum(), np.zeros(y.shape[1])
    blocks = [members[i : i + BLOCK] for i in range(0, members.size, BLOCK)]
    for rows in blocks:
        offset = offset + w[rows] @ (y[rows] - origin)
    offset = offset / total if total > 0 else np.zeros_like(origin)
    cross = np.zeros((origin.size, origin.size))
    first, second = np.zeros_like(origin), np.zeros_like(origin)
    for rows in blocks:
        centred = (y[rows] - origin) - offset
        cross += (centred * w[rows, None]).T @ centred
        first += w[rows] ** 2 @ centred
        second += w[rows] ** 2 @ centred**2
    return origin + offset, cross, first, second


def _keys(m: GroupMoments) -> IntArray:
    return np.column_stack([m.group, m.pattern]).astype(np.int64)


def _spread(m: GroupMoments, position: IntArray, n_cells: int) -> GroupMoments:
    """Lay the cells of m out over all cells; absent ones weigh nothing and sit at mean zero."""
    n_waves = m.mean.shape[1]
    n = np.zeros(n_cells, dtype=np.int64)
    weight, weight_sq = np.zeros(n_cells), np.zeros(n_cells)
    mean, cross = np.zeros((n_cells, n_waves)), np.zeros((n_cells, n_waves, n_waves))
    first_sq, second_sq = np.zeros((n_cells, n_waves)), np.zeros((n_cells, n_waves))
    n[position], weight[position], weight_sq[position] = m.n, m.weight, m.weight_sq
    mean[position], cross[position] = m.mean, m.cross
    first_sq[position], second_sq[position] = m.first_sq, m.second_sq
    return GroupMoments(n, n, n, weight, weight_sq, mean, cross, first_sq, second_sq)
