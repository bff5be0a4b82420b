"""Is a value of the effect compatible with the coefficients? Conditional and hybrid tests.

Andrews, Roth and Pakes (2023), doi 10.1093/restud/rdad006, on inequalities whose nuisance is gone.
eta = max_v T_v(theta). Given which v attains it and what is independent of it, eta is a normal
truncated to [low, high]; the hybrid first rejects where eta exceeds the least favourable critical
value of size kappa, and then truncates from above at that value.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from prakerja_eval.did.honest_sets import Inequalities
from prakerja_eval.typing import BoolArray, FloatArray

SAME = 1e-9  # two inequalities that move as one
HALVINGS = 40  # of a step of the grid: 1e-12 of it


@dataclass(frozen=True, slots=True)
class Test:
    """How to test.

    Attributes
    ----------
    size : float
        Of the conditional test.
    least : float
        Least favourable critical value; infinite for the conditional test alone.
    """

    size: float
    least: float


@dataclass(frozen=True, slots=True)
class Hull:
    """The smallest interval that holds all accepted values; NaN where there is none.

    Attributes
    ----------
    low, high : float
        Infinite where the grid's edge is accepted: the interval is open there.
    """

    low: float
    high: float


def least_favourable(found: Inequalities, draws: FloatArray, kappa: float) -> float:
    """Return the 1 - kappa quantile of max_v row_v xi.

    Parameters
    ----------
    found : Inequalities
    draws : (N, K)
        xi, normal with the covariance of the coefficients.
    kappa : float
    """
    return float(np.quantile((draws @ found.row.T).max(axis=1), 1 - kappa))


def rejected(
    theta: FloatArray,
    beta: FloatArray,
    covariance: FloatArray,
    found: Inequalities,
    test: Test,
) -> BoolArray:
    """Test each value of the effect.

    Parameters
    ----------
    theta : (N,)
    beta : (K,)
    covariance : (K, K)
    found : Inequalities
    test : Test

    Returns
    -------
    (N,) bool array
    """
    common = found.row @ covariance @ found.row.T
    level = (found.row @ beta - found.bound)[:, None] - found.slope[:, None] * theta
    star = level.argmax(axis=0)
    eta = level[star, np.arange(len(theta))]
    variance = common[star, star]
    with np.errstate(divide="ignore", invalid="ignore"):
        move = common[:, star] / variance
        at = (level - move * eta) / (1.0 - move)  # where another inequality overtakes
    low = np.where(move < 1 - SAME, at, -np.inf).max(axis=0)
    high = np.where(move > 1 + SAME, at, np.inf).min(axis=0)
    p = _upper(eta, low, np.minimum(high, test.least), np.sqrt(variance))
    return np.asarray((eta > 0) & ((eta > test.least) | (variance <= 0) | (p < test.size)))


def _upper(eta: FloatArray, low: FloatArray, high: FloatArray, sd: FloatArray) -> FloatArray:
    """Return P(x > eta) of a centred normal truncated to [low, high], exact far in the tail."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        tail_low, tail, tail_high = (log_ndtr(-x / sd) for x in (low, eta, high))
        above = -np.exp(tail - tail_low) * np.expm1(tail_high - tail)
        return np.asarray(above / -np.expm1(tail_high - tail_low))


def reach(beta: FloatArray, found: Inequalities, width: float) -> tuple[float, float]:
    """Return the values at which the lower and the upper bound are exceeded by ``width``.

    Parameters
    ----------
    beta : (K,)
    found : Inequalities
    width : float
        In units of the statistic; beyond a least favourable critical value all is rejected.
    """
    below, above = (found.row @ beta - found.bound)[:2]
    return float((below - width) / found.slope[0]), float((above - width) / found.slope[1])


def hull(
    grid: FloatArray,
    beta: FloatArray,
    covariance: FloatArray,
    found: Inequalities,
    test: Test,
) -> Hull:
    """Return the hull of the accepted values, its ends refined between points of the grid.

    Parameters
    ----------
    grid : (N,)
        Increasing.
    beta : (K,)
    covariance : (K, K)
    found : Inequalities
    test : Test
    """

    def refused(values: FloatArray) -> BoolArray:
        return rejected(values, beta, covariance, found, test)

    inside = np.flatnonzero(~refused(grid))
    if not len(inside):
        return Hull(np.nan, np.nan)
    first, last = inside[0], inside[-1]
    ends = np.array([grid[first], grid[last]])
    beyond = np.array([grid[max(first - 1, 0)], grid[min(last + 1, len(grid) - 1)]])
    for _ in range(HALVINGS):
        middle = (ends + beyond) / 2
        out = refused(middle)
        beyond, ends = np.where(out, middle, beyond), np.where(out, ends, middle)
    low = -np.inf if first == 0 else float(ends[0])
    return Hull(low, np.inf if last == len(grid) - 1 else float(ends[1]))
