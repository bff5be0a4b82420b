"""Who of the matched was seen in a wave, and what does the outcome say of them?"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.matching.adjusted import in_wave
from prakerja_eval.matching.effects.effects import (
    Lines,
    MatchedEffect,
    matched_effect,
    matched_effect_of_runs,
    outcome_lines,
)
from prakerja_eval.matching.match import Matched, distance_scale
from prakerja_eval.matching.pairs.measure import measure
from prakerja_eval.matching.pairs.pairs import Pairs, in_sample
from prakerja_eval.matching.pairs.ways import Ways, among_seen, n_pairs, placed, served
from prakerja_eval.panel import PanelProtocol, UnitArrays
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """The score's units seen in a wave and inside support, and who is matched with whom.

    Attributes
    ----------
    at, rows : (m,) int array
        Positions among the score's units, and in the panel.
    y : (m,) array
        Outcome; with sampling weights, its weighted distance from the mean of the arm.
    treated_mean, comparison_mean : float
        With sampling weights, what was taken off; else zero.
    named : bool
        Whether the bias adjustment is on columns of its own.
    treated, focal : (m,) bool arrays
    sought : int
        How many focal units were seen, inside support or not.
    space : (m, q) array
        What was matched on, in units in which distances are Euclidean.
    X : (m, k) array
        Regressors of a bias adjustment.
    groups : (m,) int array, optional
        Exact groups.
    found : Pairs or tuple of Direction
        Over positions 0 to m - 1.
    """

    at: IntArray
    rows: IntArray
    y: FloatArray
    treated: BoolArray
    focal: BoolArray
    sought: int
    space: FloatArray
    X: FloatArray
    groups: IntArray | None
    found: Pairs | Ways
    treated_mean: float = 0.0
    comparison_mean: float = 0.0
    named: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """What pairs are alike in, over the score's n units.

    Attributes
    ----------
    space : (n, q) array
        What was matched on, in units in which distances are Euclidean; NaN outside support.
    columns : tuple of str
        Panel columns of a bias adjustment; empty where it is on ``X``.
    X : (n, k) array
        What was matched on, in its own units: the score, or the covariates of the distance.
    adjust : bool
        Whether there is a bias adjustment.
    """

    space: FloatArray
    columns: tuple[str, ...]
    X: FloatArray
    adjust: bool


def basis(panel: PanelProtocol, matched: Matched, adjust: bool | tuple[str, ...]) -> Basis:
    """Return what was matched on, and the regressors of ``att(bias_adjust)``."""
    score, design = matched.propensity, matched.design
    scale = distance_scale(score, design)
    named = () if isinstance(adjust, bool) else adjust
    if design.distance == "score":
        return Basis(scale[:, None], named, scale[:, None], bool(adjust))
    space = measure(panel, design, score, scale).space
    columns = named or (design.on if adjust else ())
    return Basis(space, columns, score.covariates, bool(adjust))


def observed(arrays: UnitArrays, matched: Matched, cell: tuple[str, int], on: Basis) -> Observed:
    """Return the people seen in a wave.

    Parameters
    ----------
    arrays : UnitArrays
        With the outcome, and the covariates ``on.columns``.
    matched : Matched
    cell : (str, int)
        Outcome and position of the wave.
    on : Basis

    Raises
    ------
    NotEstimableError
        If no pair is seen.
    """
    outcome, wave = cell
    score = matched.propensity
    place_in_panel = score.positions(arrays)
    y = arrays.outcome[place_in_panel, wave]
    seen = np.isfinite(y) & score.supported
    at, place = np.flatnonzero(seen), np.cumsum(seen) - 1
    found = among_seen(matched.found, seen)
    if not n_pairs(found):
        raise NotEstimableError(f"no pair has {outcome!r}{in_wave(arrays, wave)}.")
    kept = in_sample(found, place, place) if isinstance(found, Pairs) else placed(found, place)
    seen_y, means = _in_weight(y[at], score.treated[at], score.weight[at], kept)
    return Observed(
        at=at,
        rows=place_in_panel[at],
        y=seen_y,
        treated_mean=means[1],
        comparison_mean=means[0],
        named=bool(on.columns),
        treated=score.treated[at],
        focal=matched.focal[at],
        sought=int((matched.focal & np.isfinite(y)).sum()),
        space=on.space[at],
        X=arrays.covariates[place_in_panel[at]] if on.columns else on.X[at],
        groups=None if matched.groups is None else matched.groups[at],
        found=kept,
    )


def effect_of(seen: Observed, adjust: bool) -> MatchedEffect:
    """Return the effect on those matched, with the lines of a bias adjustment if asked for."""
    plain = _effect(seen, None)
    if not adjust:
        return plain
    return _effect(seen, outcome_lines(seen.y, seen.treated, seen.X, plain.used))


def _effect(seen: Observed, lines: Lines | None) -> MatchedEffect:
    if isinstance(seen.found, Pairs):
        return matched_effect(seen.y, seen.treated, seen.found, lines)
    return matched_effect_of_runs(seen.y, seen.treated, seen.found, lines)


def _in_weight(
    y: FloatArray, treated: BoolArray, w: FloatArray, found: Pairs | Ways
) -> tuple[FloatArray, tuple[float, float]]:
    """Return the outcome in which an unweighted matching tells of the weighted effect.

    Everybody keeps their own weight: with c_i = D_i + K_i the times that unit i counts, an arm's
    mean is mu = sum c w y / sum c w. The difference of two such means has the error of an
    unweighted matching of Z = w (y - mu) / w_bar, w_bar = sum c w / sum c, whose own estimate is
    zero.
    """
    if w.max() == w.min():
        return y, (0.0, 0.0)
    count = served(found, len(y))
    c = count.reached + count.used
    Z, means = np.zeros_like(y), [0.0, 0.0]
    for arm in (0, 1):
        rows = treated == arm
        total, times = float(c[rows] @ w[rows]), float(c[rows].sum())
        means[arm] = float(c[rows] @ (w[rows] * y[rows])) / total
        Z[rows] = w[rows] * (y[rows] - means[arm]) * times / total
    return Z, (means[0], means[1])
