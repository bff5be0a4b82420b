"""What the matched pairs say about the effect.

Pairs stand in positions of one sample. Whose effect it is follows from who is focal: the treated
(ATT), the comparison units (ATC), or both (ATE, from pairs in both directions).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.matching.pairs.neighbours import Direction
from prakerja_eval.matching.pairs.pairs import Pairs, matched
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
        D: focal units that found a match.
    y1, y0 : (n,)
        Outcome with and without treatment, one observed and one imputed; NaN where not focal.
    used, used_squared : (n,)
        K and K': sums of the pair weights with which a unit serves, and of their squares.
    pair_deviation : float
        Sum over pairs of pair weight times (treated minus comparison outcome, less the estimate)^2.
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
class Lines:
    """What a regression in each arm says of every unit, to correct for distances within pairs.

    Attributes
    ----------
    own, other : (n,)
        At the unit's covariates, by the line of its own arm and by that of the other.
    """

    own: FloatArray
    other: FloatArray


def matched_effect(
    y: FloatArray,
    treated: BoolArray,
    pairs: Pairs,
    lines: Lines | None = None,
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
    lines : Lines, optional
        A pair lends y_j + m(x_i) - m(x_j), m the line of j's arm; see :func:`outcome_lines`.

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
    mine, theirs, share = pairs.focal, pairs.comparison, pairs.weight
    lent = y[theirs] if lines is None else y[theirs] - lines.own[theirs] + lines.other[mine]
    focal = matched(pairs, n)
    imputed = np.bincount(mine, share * lent, minlength=n)
    squares = share * (lent - imputed[mine]) ** 2
    apart = np.bincount(mine, squares, minlength=n).astype(np.float64)
    used = np.bincount(theirs, share, minlength=n).astype(np.float64)
    used_squared = np.bincount(theirs, share**2, minlength=n).astype(np.float64)
    return _effect(y, treated, np.where(focal, imputed, np.nan), apart, (used, used_squared))


def matched_effect_of_runs(
    y: FloatArray,
    treated: BoolArray,
    directions: Sequence[Direction],
    lines: Lines | None = None,
) -> MatchedEffect:
    """Compute the same with averaged ties, without ever writing out the pairs.

    What :func:`matched_effect` gives for the pairs of the same runs, in O(n) time and memory
    however many units are tied.

    Parameters
    ----------
    y, treated, lines
        As of :func:`matched_effect`.
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
    n = len(y)
    lent, centre = y if lines is None else y - lines.own, np.zeros(2)
    for arm in (0, 1):
        centre[arm] = lent[treated == arm].mean()
    # Running sums keep their digits where what they add up is near zero.
    e = lent - centre[treated.astype(np.int64)]
    imputed, apart = np.full(n, np.nan), np.zeros(n)
    used, used_squared = np.zeros(n), np.zeros(n)
    for way in directions:
        count = way.runs.count
        found = count > 0
        at, M, theirs = way.focal[found], count[found], e[way.comparison]
        mean = way.runs.total(theirs)[found] / M
        apart[at] = np.maximum(way.runs.total(theirs**2)[found] / M - mean**2, 0.0)
        moved = 0.0 if lines is None else lines.other[at]
        imputed[at] = mean + centre[(~treated[at]).astype(np.int64)] + moved
        share = np.divide(1.0, count, out=np.zeros(len(count)), where=found)
        used[way.comparison] += way.runs.used(share)
        used_squared[way.comparison] += way.runs.used(share**2)
    if not np.isfinite(imputed).any():
        raise NotEstimableError("no focal unit found a match")
    return _effect(y, treated, imputed, apart, (used, used_squared))


def _effect(
    y: FloatArray,
    treated: BoolArray,
    imputed: FloatArray,
    apart: FloatArray,
    counted: tuple[FloatArray, FloatArray],
) -> MatchedEffect:
    """Average over focal units; ``imputed`` is NaN elsewhere, ``apart`` the variance in its set."""
    focal = np.isfinite(imputed)
    y1 = np.where(focal, np.where(treated, y, imputed), np.nan)
    y0 = np.where(focal, np.where(treated, imputed, y), np.nan)
    effects = (y1 - y0)[focal]
    estimate = float(effects.mean())
    # The mean square of a unit's pairs is that of their mean and their variance around it.
    deviation = float(np.sum((effects - estimate) ** 2 + apart[focal]))
    mean = float(y0[focal].mean())
    return MatchedEffect(estimate, mean, focal, y1, y0, *counted, deviation)


def outcome_lines(y: FloatArray, treated: BoolArray, X: FloatArray, used: FloatArray) -> Lines:
    """Fit the least-squares line of the outcome on X in each arm, among the units that serve.

    Parameters
    ----------
    y : (n,)
        Outcome.
    treated : (n,) bool
        Who was treated.
    X : (n, p)
        Regressors, without a constant.
    used : (n,)
        K, the weights; zero for a unit that does not serve. An arm that does not serve has a line
        of zero, which nobody needs.

    Returns
    -------
    Lines

    References
    ----------
    Abadie and Imbens (2011), doi 10.1198/jbes.2009.07333.
    """
    line = np.zeros((2, len(y)))
    for arm in (0, 1):
        serve = (treated == arm) & (used > 0)
        if serve.any():
            root = np.sqrt(used[serve])
            centred = X - X[serve].mean(axis=0)
            scale = np.abs(centred[serve]).max(axis=0)
            centred = centred / np.where(scale > 0, scale, 1.0)
            design = np.column_stack((np.ones(int(serve.sum())), centred[serve])) * root[:, None]
            slopes = np.linalg.lstsq(design, y[serve] * root, rcond=None)[0][1:]
            line[arm] = centred @ slopes
    return Lines(np.where(treated, line[1], line[0]), np.where(treated, line[0], line[1]))
