"""What the matched pairs say about the effect.

Pairs stand in positions of one sample. Whose effect it is follows from who is focal: the treated
(ATT), the comparison units (ATC), or both (ATE, from pairs in both directions).
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.matching.pairs import Pairs, matched, times_used, times_used_squared
from prakerja_eval.typing import BoolArray, FloatArray


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
    pair_difference, pair_weight : (m,)
        Treated minus comparison outcome of each pair, and its weight.
    """

    estimate: float
    comparison_mean: float
    focal: BoolArray
    y1: FloatArray
    y0: FloatArray
    used: FloatArray
    used_squared: FloatArray
    pair_difference: FloatArray
    pair_weight: FloatArray


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
    sign = np.where(treated[pairs.focal], 1.0, -1.0)
    return MatchedEffect(
        float(np.mean((y1 - y0)[focal])),
        float(np.mean(y0[focal])),
        focal,
        y1,
        y0,
        times_used(pairs, n),
        times_used_squared(pairs, n),
        sign * (y[pairs.focal] - lent),
        pairs.weight,
    )


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
