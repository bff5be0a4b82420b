"""What the matched pairs say about the effect.

Pairs stand in positions of one sample. Whose effect it is follows from who is focal: the treated
(ATT), the comparison units (ATC), or both (ATE, from pairs in both directions).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.matching.neighbours import Runs
from prakerja_eval.matching.pairs import Pairs, matched, times_used, times_used_squared
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class MatchedEffect:
    """Average effect on the matched focal units, and what its variance needs.

    Attributes
    ----------
    estimate : float
        Mean of ``y1 - y0`` over matched focal units, in units of the outcome.
    comparison_mean : float
        Mean of ``y0`` over matched focal units.
    focal : (n,) bool
        Focal units that found a match.
    y1, y0 : (n,)
        Outcome with and without treatment, one observed and one imputed; NaN where not focal.
    used, used_squared : (n,)
        K_M and K'_M: sums of the weights, and of their squares, with which a unit serves.
    pair_deviation : float
        Sum over pairs of weight times (treated minus comparison outcome, less the estimate)^2.
    """

    estimate: float
    comparison_mean: float
    focal: BoolArray
    y1: FloatArray
    y0: FloatArray
    used: FloatArray
    used_squared: FloatArray
    pair_deviation: float


@dataclass(frozen=True, slots=True)
class Direction:
    """Runs, and the positions in the sample of their two sides.

    Attributes
    ----------
    focal, comparison : (n_focal,), (n_comparison,) int
        Position in the sample of each unit of a side.
    runs : Runs
        Matched sets.
    """

    focal: IntArray
    comparison: IntArray
    runs: Runs


def matched_effect(
    y: FloatArray, treated: BoolArray, pairs: Pairs, adjustment: FloatArray | None = None
) -> MatchedEffect:
    """Impute the missing outcome of each focal unit from its pairs, and average the differences.

    Parameters
    ----------
    y : (n,)
        Outcome.
    treated : (n,) bool
        Who was treated.
    pairs : Pairs
        Rows over positions in the sample; each pairs a focal unit with one of the other arm.
    adjustment : (m,), optional
        Added to the outcome that each pair lends, see :func:`bias_adjustment`.

    Returns
    -------
    MatchedEffect

    Raises
    ------
    NotEstimableError
        If there are no pairs.
    ValueError
        If a pair joins two units of one arm.
    """
    if len(pairs.focal) == 0:
        raise NotEstimableError("no focal unit found a match")
    if np.any(treated[pairs.focal] == treated[pairs.comparison]):
        raise ValueError("a pair joins two units of the same arm")
    n = len(y)
    lent = y[pairs.comparison] + (0.0 if adjustment is None else adjustment)
    focal = matched(pairs, n)
    imputed = np.bincount(pairs.focal, pairs.weight * lent, minlength=n)
    y1 = np.where(focal, np.where(treated, y, imputed), np.nan)
    y0 = np.where(focal, np.where(treated, imputed, y), np.nan)
    estimate = float(np.mean((y1 - y0)[focal]))
    difference = np.where(treated[pairs.focal], 1.0, -1.0) * (y[pairs.focal] - lent)
    return MatchedEffect(
        estimate,
        float(np.mean(y0[focal])),
        focal,
        y1,
        y0,
        times_used(pairs, n),
        times_used_squared(pairs, n),
        float(np.sum(pairs.weight * (difference - estimate) ** 2)),
    )


def matched_effect_of_runs(
    y: FloatArray, treated: BoolArray, directions: Sequence[Direction]
) -> MatchedEffect:
    """Compute the same with averaged ties, without ever writing out the pairs.

    What :func:`matched_effect` gives for the pairs of the same runs, in O(n) time and memory
    however many units are tied.

    Parameters
    ----------
    y : (n,)
        Outcome.
    treated : (n,) bool
        Who was treated.
    directions : sequence of Direction
        One for an ATT or ATC, both for an ATE.

    Returns
    -------
    MatchedEffect

    Raises
    ------
    NotEstimableError
        If no focal unit found a match.
    """
    n, centre = len(y), float(y.mean())
    e = y - centre
    imputed, spread = np.full(n, np.nan), np.zeros(n)
    used, used_squared = np.zeros(n), np.zeros(n)
    for way in directions:
        count = way.runs.count
        found = count > 0
        at, M = way.focal[found], count[found]
        lent = e[way.comparison]
        imputed[at] = way.runs.total(lent)[found] / M
        spread[at] = way.runs.total(lent**2)[found] / M - imputed[at] ** 2
        share = np.divide(1.0, count, out=np.zeros(len(count)), where=found)
        used[way.comparison] += way.runs.used(share)
        used_squared[way.comparison] += way.runs.used(share**2)
    focal = np.isfinite(imputed)
    if not focal.any():
        raise NotEstimableError("no focal unit found a match")
    y1 = np.where(focal, np.where(treated, y, imputed + centre), np.nan)
    y0 = np.where(focal, np.where(treated, imputed + centre, y), np.nan)
    effects = (y1 - y0)[focal]
    estimate = float(effects.mean())
    # The mean square of a unit's pairs is that of their mean and their variance around it.
    deviation = float(np.sum((effects - estimate) ** 2) + np.sum(np.maximum(spread, 0.0)))
    comparison_mean = float(y0[focal].mean())
    return MatchedEffect(estimate, comparison_mean, focal, y1, y0, used, used_squared, deviation)


def bias_adjustment(y: FloatArray, treated: BoolArray, X: FloatArray, pairs: Pairs) -> FloatArray:
    """Correct what a pair lends for the distance between its two units.

    mu_w(X_focal) - mu_w(X_comparison), where mu_w is the least-squares line of y on X among the
    units of arm w that serve, each weighing K_M.

    Parameters
    ----------
    y : (n,)
        Outcome.
    treated : (n,) bool
        Who was treated.
    X : (n, p)
        Regressors, without a constant.
    pairs : Pairs
        Rows over positions in the sample.

    Returns
    -------
    (m,) array
        To be handed to :func:`matched_effect`.

    References
    ----------
    Abadie and Imbens (2011), doi 10.1198/jbes.2009.07333.
    """
    used = times_used(pairs, len(y))
    lends = treated[pairs.comparison]
    adjustment = np.zeros(len(pairs.focal))
    for arm in (False, True):
        rows = lends == arm
        serve = (treated == arm) & (used > 0)
        if rows.any():
            root = np.sqrt(used[serve])
            design = np.column_stack((np.ones(serve.sum()), X[serve])) * root[:, None]
            slope = np.linalg.lstsq(design, y[serve] * root, rcond=None)[0][1:]
            adjustment[rows] = (X[pairs.focal[rows]] - X[pairs.comparison[rows]]) @ slope
    return adjustment
