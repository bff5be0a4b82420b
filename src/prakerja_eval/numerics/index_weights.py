"""How do several outcomes make one index, and what did each unit add to its scales and weights?

Both indices are averages of outcomes in standard deviations of the comparison group. An effect on
an index is theta = sum_i a_i index_i with coefficients a of a regression; the means, standard
deviations, covariances and imputed values in the index are estimated, so they have influence:
`influence` is what they add to the psi of theta with the index held.
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

SINGULAR = 1e-10  # smallest eigenvalue of the correlations, in units of the largest
NO_WEIGHT = 1e-8  # total weight of the outcomes that a unit has, in units of the whole


@dataclass(frozen=True, slots=True)
class Scale:
    """Mean and standard deviation of the comparison group, column by column.

    Attributes
    ----------
    mean, sd : (K,)
        Weighted; the divisor of sd is n - 1 in place of n.
    lost : (n, K)
        Share of each unit in the mean of a column; zero for winners and missing values.
    inflate : (K,)
        n / (n - 1).
    """

    mean: FloatArray
    sd: FloatArray
    lost: FloatArray
    inflate: FloatArray


@dataclass(frozen=True, slots=True)
class Index:
    """An index and its parts.

    Attributes
    ----------
    value : (n,)
    weights : (K,)
        They sum to one; negative ones occur with inverse covariances.
    scale : Scale
    covariance : (K, K)
        Of the standardised columns over both arms, pairwise; empty for equal weights.
    """

    value: FloatArray
    weights: FloatArray
    scale: Scale
    covariance: FloatArray


def comparison_scale(Y: FloatArray, arm: FloatArray, w: FloatArray) -> Scale:
    """Return the means and standard deviations of the comparison group.

    Parameters
    ----------
    Y : (n, K)
        NaN where missing.
    arm : (n,)
        1 for winners.
    w : (n,)
        Unit weights.

    Raises
    ------
    NotEstimableError
        When a column has fewer than two values, or one value only, in the comparison group.
    """
    lost = np.isfinite(Y) * (w * (1 - arm))[:, None]
    n, total = np.count_nonzero(lost, axis=0), lost.sum(axis=0)
    if (n < 2).any():
        column = int(np.argmax(n < 2))
        raise NotEstimableError(f"column {column} has fewer than two comparison values")
    lost = lost / total
    filled = np.where(np.isfinite(Y), Y, 0.0)
    mean = np.sum(lost * filled, axis=0)
    mean = mean + np.sum(lost * (filled - mean), axis=0)
    inflate = n / (n - 1.0)
    sd = np.sqrt(inflate * np.sum(lost * (filled - mean) ** 2, axis=0))
    flat = ~(sd > 1e-12 * np.abs(np.where(lost > 0, filled, 0.0)).max(axis=0))
    if flat.any():
        column = int(np.argmax(flat))
        raise NotEstimableError(f"column {column} does not vary in the comparison group")
    return Scale(mean, sd, lost, inflate)


def inverse_covariance_index(Y: FloatArray, arm: FloatArray, w: FloatArray) -> Index:
    """Weigh standardised columns by the row sums of their inverse covariance (Anderson 2008).

    With v = R^-1 1, index_i = sum_k v_k z_ik / sum_k v_k over the columns that unit i has.

    Parameters
    ----------
    Y : (n, K)
        Better is larger; NaN where missing, one value a row at least.
    arm : (n,)
        1 for winners.
    w : (n,)
        Unit weights.

    Raises
    ------
    NotEstimableError
        When the columns are collinear, two are never seen together, or negative weights leave a
        unit without positive weight.
    """
    scale = comparison_scale(Y, arm, w)
    R = _pairwise_covariance(Y, w) / np.outer(scale.sd, scale.sd)
    values = np.linalg.eigvalsh(R)
    if not values[0] > SINGULAR * values[-1]:
        raise NotEstimableError(
            "the outcomes have no inverse covariance: one is a combination of the others, or two "
            "are seldom seen together"
        )
    v = np.linalg.solve(R, np.ones(len(R)))
    v = v / v.sum()  # 1'R^-1 1 > 0, since R is positive definite
    seen = np.isfinite(Y)
    has = seen @ v
    if not (has[w > 0] > NO_WEIGHT).all():
        raise NotEstimableError(
            f"{int((has[w > 0] <= NO_WEIGHT).sum())} units have only outcomes whose weights do not "
            "add up to more than zero"
        )
    value = (np.where(seen, (Y - scale.mean) / scale.sd, 0.0) @ v) / has
    return Index(value, v, scale, R)


def equal_weights_index(
    Y: FloatArray, arm: FloatArray, w: FloatArray, cell: IntArray, n_cells: int
) -> Index:
    """Average standardised columns, missing values filled with the cell's mean (KLK 2007).

    Parameters
    ----------
    Y : (n, K)
        Better is larger; NaN where missing, one value a row at least.
    arm : (n,)
        1 for winners.
    w : (n,)
        Unit weights.
    cell : (n,) int
        Arm of a block, 0 .. n_cells - 1.

    Raises
    ------
    NotEstimableError
        When a value is missing in a cell that has none of the column.
    """
    scale = comparison_scale(Y, arm, w)
    means, _ = _cell_means(Y, w, cell, n_cells)
    z = (np.where(np.isfinite(Y), Y, means[cell]) - scale.mean) / scale.sd
    if np.isnan(z[w > 0]).any():
        i, k = np.argwhere(np.isnan(z) & (w > 0)[:, None])[0]
        raise NotEstimableError(f"cell {cell[i]} has no value of column {k} to fill in")
    K = Y.shape[1]
    return Index(z.mean(axis=1), np.full(K, 1.0 / K), scale, np.zeros((0, 0)))


def inverse_covariance_influence(
    a: FloatArray, Y: FloatArray, w: FloatArray, index: Index
) -> FloatArray:
    """Return the influence of scales and weights on sum_i a_i index_i, (n,).

    Parameters
    ----------
    a : (n,)
        Coefficients of the effect.
    Y, w
        As for the index.
    index : Index
        By ``inverse_covariance_index``.
    """
    v, s, R = index.weights, index.scale.sd, index.covariance
    seen = np.isfinite(Y)
    z = np.where(seen, (Y - index.scale.mean) / s, 0.0)
    pull = (a / (seen @ v))[:, None] * seen
    by_mean = -v / s * pull.sum(axis=0)
    by_sd = -v / s * np.sum(pull * z, axis=0)
    by_weight = np.sum(pull * (z - index.value[:, None]), axis=0)
    # v solves R v = 1 up to a scale that the index does not feel: dv = -R^-1 dR v
    u = np.linalg.solve(R, by_weight)
    by_sd = by_sd + (u * (R @ v) + v * by_weight) / s
    by_covariance = -np.outer(u, v) / np.outer(s, s)
    psi = _scale_influence(Y, index.scale, by_mean, by_sd)
    for m in range(Y.shape[1]):
        for n in range(m + 1):
            twice = by_covariance[m, n] + (by_covariance[n, m] if n < m else 0.0)
            psi += twice * _covariance_influence(Y[:, m], Y[:, n], w)
    return psi


def equal_weights_influence(
    a: FloatArray, Y: FloatArray, w: FloatArray, index: Index, cell: IntArray, n_cells: int
) -> FloatArray:
    """Return the influence of scales and filled values on sum_i a_i index_i, (n,).

    Parameters
    ----------
    a : (n,)
        Coefficients of the effect.
    Y, w, cell, n_cells
        As for the index.
    index : Index
        By ``equal_weights_index``.
    """
    s, K = index.scale.sd, Y.shape[1]
    seen = np.isfinite(Y)
    means, total = _cell_means(Y, w, cell, n_cells)
    z = (np.where(seen, Y, means[cell]) - index.scale.mean) / s
    psi = _scale_influence(Y, index.scale, -a.sum() / (K * s), -(a @ z) / (K * s))
    for k in range(K):
        filled = np.bincount(cell, a * ~seen[:, k], minlength=n_cells) / (K * s[k])
        rest = np.where(seen[:, k], Y[:, k] - means[cell, k], 0.0)
        psi += (filled / np.where(total[:, k] > 0, total[:, k], 1.0))[cell] * w * rest
    return psi


def _scale_influence(
    Y: FloatArray, scale: Scale, by_mean: FloatArray, by_sd: FloatArray
) -> FloatArray:
    """Return the influence of comparison means and standard deviations with given slopes, (n,)."""
    rest = np.where(scale.lost > 0, Y - scale.mean, 0.0)
    of_sd = (scale.inflate * rest**2 - scale.sd**2) / (2 * scale.sd)
    return np.asarray(np.sum(scale.lost * (by_mean * rest + by_sd * of_sd), axis=1))


def _pairwise_covariance(Y: FloatArray, w: FloatArray) -> FloatArray:
    """Return covariances over the units that have both columns, about their own means, (K, K)."""
    K = Y.shape[1]
    out = np.empty((K, K))
    for m in range(K):
        for n in range(m + 1):
            share, x, y, inflate = _pair(Y[:, m], Y[:, n], w)
            out[m, n] = out[n, m] = inflate * share @ (x * y)
    return out


def _covariance_influence(x: FloatArray, y: FloatArray, w: FloatArray) -> FloatArray:
    """Return the influence on one pairwise covariance, (n,)."""
    share, x, y, inflate = _pair(x, y, w)
    product = inflate * x * y
    return np.asarray(share * (product - share @ product))


def _pair(
    x: FloatArray, y: FloatArray, w: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, float]:
    """Return shares of the units that have both, both centred there, and n / (n - 1)."""
    both: BoolArray = np.isfinite(x) & np.isfinite(y) & (w > 0)
    n = int(both.sum())
    if n < 2:
        raise NotEstimableError("two of the outcomes are never seen together: no covariance")
    share = np.where(both, w, 0.0) / w[both].sum()
    x, y = np.where(both, x, 0.0), np.where(both, y, 0.0)
    return (
        share,
        np.where(both, x - share @ x, 0.0),
        np.where(both, y - share @ y, 0.0),
        n / (n - 1),
    )


def _cell_means(
    Y: FloatArray, w: FloatArray, cell: IntArray, n_cells: int
) -> tuple[FloatArray, FloatArray]:
    """Return the means of the columns by cell, NaN in an empty one, and their weights (C, K)."""
    seen = np.isfinite(Y)
    filled = np.where(seen, Y, 0.0)
    pairs = [
        (np.bincount(cell, w * y, minlength=n_cells), np.bincount(cell, w * s, minlength=n_cells))
        for y, s in zip(filled.T, seen.T, strict=True)
    ]
    sums, total = (np.column_stack(part) for part in zip(*pairs, strict=True))
    return np.divide(sums, total, out=np.full_like(sums, np.nan), where=total > 0), total
