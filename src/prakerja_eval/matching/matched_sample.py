"""Who of the matched was seen in a wave, and what does the outcome say of them?"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.matching.effects import (
    Lines,
    MatchedEffect,
    matched_effect,
    matched_effect_of_runs,
    outcome_lines,
)
from prakerja_eval.matching.match import Matched, distance_scale
from prakerja_eval.matching.pairs import Pairs, in_sample
from prakerja_eval.matching.ways import Ways, among_seen, n_pairs, placed
from prakerja_eval.panel import UnitArrays
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """The score's units seen in a wave, and who of them is matched with whom.

    Attributes
    ----------
    at, rows : (m,) int array
        Positions among the score's units, and in the panel.
    y, weight : (m,) arrays
        Outcome and sampling weight.
    treated, focal : (m,) bool arrays
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
    weight: FloatArray
    treated: BoolArray
    focal: BoolArray
    space: FloatArray
    X: FloatArray
    groups: IntArray | None
    found: Pairs | Ways


def matched_on(matched: Matched) -> tuple[FloatArray, FloatArray]:
    """Return what distances are Euclidean in, (n, q), and the variables behind it, (n, k)."""
    scale = distance_scale(matched.propensity, matched.design)[:, None]
    return scale, scale


def observed(
    arrays: UnitArrays, matched: Matched, cell: tuple[str, int], adjust: bool | tuple[str, ...]
) -> Observed:
    """Return the people seen in a wave.

    Parameters
    ----------
    arrays : UnitArrays
        With the outcome, and the columns of ``adjust``.
    matched : Matched
    cell : (str, int)
        Outcome and position of the wave.
    adjust : bool or tuple of str
        As of ``att(bias_adjust)``.

    Raises
    ------
    NotEstimableError
        If no pair is seen.
    """
    outcome, wave = cell
    score = matched.propensity
    place_in_panel = score.positions(arrays)
    y = arrays.outcome[place_in_panel, wave]
    seen = np.isfinite(y)
    at, place = np.flatnonzero(seen), np.cumsum(seen) - 1
    found = among_seen(matched.found, seen)
    if not n_pairs(found):
        raise NotEstimableError(f"no pair has {outcome!r} in wave {arrays.waves[wave]}.")
    kept = in_sample(found, place, place) if isinstance(found, Pairs) else placed(found, place)
    space, regressors = matched_on(matched)
    if not isinstance(adjust, bool):
        regressors = arrays.covariates[place_in_panel]
    return Observed(
        at=at,
        rows=place_in_panel[at],
        y=y[at],
        weight=score.weight[at],
        treated=score.treated[at],
        focal=matched.focal[at],
        space=space[at],
        X=regressors[at],
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
    given = (lines, seen.weight)
    if isinstance(seen.found, Pairs):
        return matched_effect(seen.y, seen.treated, seen.found, *given)
    return matched_effect_of_runs(seen.y, seen.treated, seen.found, *given)
