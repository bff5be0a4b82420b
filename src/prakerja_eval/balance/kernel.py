"""How far apart the arms are on each covariate, before and after matching or weighting.

The denominators of standardised differences are fixed once from the full sample, so that before
and after are on one scale.
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class BalanceStats:
    """Balance of p columns, each array (p,).

    Attributes
    ----------
    mean_treated, mean_comparison : (p,)
        Weighted means, in units of the column.
    smd : (p,)
        Difference of the means over the fixed standard deviation; NaN where that is zero.
    variance_ratio : (p,)
        Weighted variance of the treated over that of the comparison units; NaN for a column of
        two values.
    ecdf_mean, ecdf_max : (p,)
        Mean and largest absolute difference of the weighted distribution functions over the
        distinct values in the full sample; for a column of two values both are the difference in
        shares.
    """

    mean_treated: FloatArray
    mean_comparison: FloatArray
    smd: FloatArray
    variance_ratio: FloatArray
    ecdf_mean: FloatArray
    ecdf_max: FloatArray


def balance(
    X: FloatArray, treated: BoolArray, weights: FloatArray, standard_deviation: FloatArray
) -> BalanceStats:
    """Compare the arms column by column.

    Parameters
    ----------
    X : (n, p)
        Covariates of the full sample, units with weight zero included.
    treated : (n,) bool
        Arm.
    weights : (n,)
        Weights of units, ones before matching; scaled within each arm here.
    standard_deviation : (p,)
        Denominators, from :func:`standard_deviations` on the arm whose effect is sought, before
        matching.

    Returns
    -------
    BalanceStats

    Raises
    ------
    ValueError
        If an arm has no weight.
    """
    w1, w0 = (np.where(arm, weights, 0.0) for arm in (treated, ~treated))
    if w1.sum() <= 0 or w0.sum() <= 0:
        raise ValueError("an arm has no weight")
    w1, w0 = w1 / w1.sum(), w0 / w0.sum()
    mean1, mean0 = w1 @ X, w0 @ X
    two = _two_values(X)
    with np.errstate(divide="ignore", invalid="ignore"):
        smd = (mean1 - mean0) / standard_deviation
        ratio = _weighted_variance(X, w1) / _weighted_variance(X, w0)
    gaps = np.array([_ecdf_gap(x, w1, w0) for x in X.T]).reshape(-1, 2)
    shares = np.abs((w1 - w0) @ _above_lowest(X))
    return BalanceStats(
        mean1,
        mean0,
        np.where(standard_deviation > 0, smd, np.nan),
        np.where(two | ~np.isfinite(ratio), np.nan, ratio),
        np.where(two, shares, gaps[:, 0]),
        np.where(two, shares, gaps[:, 1]),
    )


def standard_deviations(X: FloatArray, arm: BoolArray) -> FloatArray:
    """Compute denominators from one arm: sqrt(p (1 - p)) for two values, else the sample SD.

    Parameters
    ----------
    X : (n, p)
        Covariates of the full sample, before matching.
    arm : (n,) bool
        The arm whose effect is sought.

    Returns
    -------
    (p,) array
        A column with two values a < b gives (b - a) sqrt(p (1 - p)), p the share of b in the arm.
    """
    sd: FloatArray = np.where(_two_values(X), X[arm].std(axis=0), X[arm].std(axis=0, ddof=1))
    return sd


def pooled_standard_deviations(X: FloatArray, treated: BoolArray) -> FloatArray:
    """Compute denominators from both arms, sqrt((sd_1^2 + sd_0^2) / 2), each arm's as above.

    Parameters
    ----------
    X : (n, p)
        Covariates of the full sample, before matching.
    treated : (n,) bool

    Returns
    -------
    (p,) array
    """
    one, zero = standard_deviations(X, treated), standard_deviations(X, ~treated)
    return np.asarray(np.sqrt((one**2 + zero**2) / 2))


def pair_distance(
    X: FloatArray, focal: IntArray, comparison: IntArray, standard_deviation: FloatArray
) -> FloatArray:
    """Average the standardised absolute difference within pairs, each pair counted once.

    Parameters
    ----------
    X : (n, p)
        Covariates.
    focal, comparison : (m,) int
        Positions in the sample of the two units of each pair.
    standard_deviation : (p,)
        Denominators.

    Returns
    -------
    (p,) array
        NaN where the denominator is zero or there are no pairs.
    """
    if len(focal) == 0:
        return np.full(X.shape[1], np.nan)
    gap = np.abs(X[focal] - X[comparison]).mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance: FloatArray = np.where(standard_deviation > 0, gap / standard_deviation, np.nan)
    return distance


def _above_lowest(X: FloatArray) -> BoolArray:
    above: BoolArray = np.not_equal(X, X.min(axis=0))
    return above


def _two_values(X: FloatArray) -> BoolArray:
    """Say which columns take at most two values."""
    two: BoolArray = np.all(~_above_lowest(X) | np.equal(X, X.max(axis=0)), axis=0)
    return two


def _weighted_variance(X: FloatArray, w: FloatArray) -> FloatArray:
    """Compute sum w (x - mean)^2 / (1 - sum w^2) for weights that add up to one."""
    spread: FloatArray = w @ (X - w @ X) ** 2
    return spread / (1 - w @ w)


def _ecdf_gap(x: FloatArray, w1: FloatArray, w0: FloatArray) -> tuple[float, float]:
    """Return mean and maximum of |F1 - F0| over the distinct values of x."""
    values, where = np.unique(x, return_inverse=True)
    gap = np.abs(np.cumsum(np.bincount(where, w1 - w0, minlength=len(values))))
    return float(gap.mean()), float(gap.max())
