"""Which comparison units are nearest on a score, when each may serve as often as needed.

The comparison scores are sorted once; the units within any distance of a focal unit are then one
run of that order. A run is two numbers however many units share a score, so that averaging tied
units costs O(n log n) even where thousands are tied (see :class:`Runs`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np

from prakerja_eval.matching.pairs import Pairs, equal_shares
from prakerja_eval.typing import FloatArray, IntArray

Codes = tuple[IntArray, IntArray]


class Ties(Enum):
    """What to do with comparison units as near as the last one taken."""

    AVERAGE = 1
    FIRST = 2


@dataclass(frozen=True, slots=True)
class Runs:
    """Matched sets as runs of the sorted comparison units, never written out.

    Attributes
    ----------
    order : (n_comparison,) int
        Comparison positions sorted by exact group and score, then position.
    start, stop : (n_focal,) int
        Focal unit i is matched with ``order[start[i]:stop[i]]``; empty where it has no match.
    """

    order: IntArray
    start: IntArray
    stop: IntArray

    @property
    def count(self) -> IntArray:
        """Number of matches M_i of each focal unit, (n_focal,)."""
        return self.stop - self.start

    def total(self, values: FloatArray) -> FloatArray:
        """Sum comparison ``values`` (n_comparison, ...) over each matched set, (n_focal, ...)."""
        zero = np.zeros((1, *values.shape[1:]))
        running = np.concatenate((zero, np.cumsum(values[self.order], axis=0)))
        total: FloatArray = running[self.stop] - running[self.start]
        return total

    def used(self, share: FloatArray) -> FloatArray:
        """Sum ``share`` (n_focal,) over the focal units in whose set a comparison unit is.

        With ``share`` 1 / M_i this is K_M; with 1 / M_i**2 it is K'_M. Shape (n_comparison,).
        """
        size = len(self.order) + 1
        some = self.count > 0
        steps = np.bincount(self.start[some], share[some], minlength=size)
        steps = steps - np.bincount(self.stop[some], share[some], minlength=size)
        used = np.empty(len(self.order))
        used[self.order] = np.cumsum(steps)[:-1]
        return used


def nearest_runs(
    score_focal: FloatArray,
    score_comparison: FloatArray,
    ratio: int = 1,
    caliper: float = np.inf,
    tie_tolerance: float = 0.0,
    groups: Codes | None = None,
) -> Runs:
    """Find the ``ratio`` nearest comparison units of each focal unit, with all those tied.

    Kept are the units with ``d <= sqrt(d_k**2 + tie_tolerance)`` and ``d <= caliper``, where d_k
    is the distance of the k-th nearest (of the last, where fewer than k exist).

    Parameters
    ----------
    score_focal, score_comparison : (n_focal,), (n_comparison,)
        Scores of the two sides.
    ratio : int
        Number of matches k.
    caliper : float
        Largest distance allowed, in units of the score.
    tie_tolerance : float
        Tolerance on the squared distance within which a unit counts as tied.
    groups : pair of int arrays, optional
        Codes of focal and of comparison units; matches share their code.

    Returns
    -------
    Runs

    Raises
    ------
    ValueError
        If ``ratio`` is below one, or the caliper or tolerance negative.
    """
    _refuse(ratio, caliper, tie_tolerance)
    n = len(score_focal)
    start, stop = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    order, strata = _ladders(n, score_comparison, groups)
    for mine, low, high in strata:
        ladder = score_comparison[order[low:high]]
        first, last = _run(score_focal[mine], ladder, ratio, caliper, tie_tolerance)
        start[mine], stop[mine] = low + first, low + last
    return Runs(order, start, stop)


def nearest_with_replacement(
    score_focal: FloatArray,
    score_comparison: FloatArray,
    ratio: int = 1,
    caliper: float = np.inf,
    ties: Ties = Ties.AVERAGE,
    tie_tolerance: float = 0.0,
    groups: Codes | None = None,
) -> Pairs:
    """Match each focal unit with its nearest comparison units, which may serve again.

    Parameters
    ----------
    score_focal, score_comparison : (n_focal,), (n_comparison,)
        Scores of the two sides.
    ratio : int
        Number of matches k.
    caliper : float
        Largest distance allowed, in units of the score.
    ties : Ties
        ``AVERAGE`` keeps every unit tied at the k-th distance, each pair weighing one over their
        number. ``FIRST`` keeps k: the comparison units stand in line by score, then position, the
        focal unit before those equal to it, and takes what it meets first going outwards (so of
        several with one score below it the last by position, of those at or above it the first).
    tie_tolerance : float
        Tolerance on the squared distance within which a unit counts as tied; for ``AVERAGE``.
    groups : pair of int arrays, optional
        Codes of focal and of comparison units; matches share their code.

    Returns
    -------
    Pairs
        Sorted by focal position, then distance, then comparison position. A focal unit with no
        comparison unit within the caliper has no row.

    Raises
    ------
    ValueError
        If ``ratio`` is below one, or the caliper or tolerance negative.
    """
    if ties is Ties.FIRST:
        _refuse(ratio, caliper, tie_tolerance)
        focal, comparison = _first(score_focal, score_comparison, ratio, groups)
    else:
        runs = nearest_runs(score_focal, score_comparison, ratio, caliper, tie_tolerance, groups)
        focal, comparison = _written_out(runs)
    distance = np.abs(score_focal[focal] - score_comparison[comparison])
    rows = np.lexsort((comparison, distance, focal))
    rows = rows[distance[rows] <= caliper]
    return equal_shares(focal[rows], comparison[rows], distance[rows])


def _refuse(ratio: int, caliper: float, tie_tolerance: float) -> None:
    if ratio < 1 or caliper < 0 or tie_tolerance < 0:
        raise ValueError("ratio must be at least 1, caliper and tie_tolerance at least 0")


def _ladders(
    n_focal: int, score_comparison: FloatArray, groups: Codes | None
) -> tuple[IntArray, Iterator[tuple[IntArray, int, int]]]:
    """Sort the comparison units by group and score; yield focal positions and rungs by group."""
    n_comparison = len(score_comparison)
    zeros = np.zeros(n_focal, dtype=np.int64), np.zeros(n_comparison, dtype=np.int64)
    g_focal, g_comparison = groups if groups is not None else zeros
    order = np.lexsort((score_comparison, g_comparison)).astype(np.int64)

    def strata() -> Iterator[tuple[IntArray, int, int]]:
        by_code = np.argsort(g_focal, kind="stable")
        found, begin = np.unique(g_focal[by_code], return_index=True)
        low = np.searchsorted(g_comparison[order], found, side="left")
        high = np.searchsorted(g_comparison[order], found, side="right")
        for mine, a, b in zip(np.split(by_code, begin[1:]), low, high, strict=False):
            if b > a:
                yield mine, int(a), int(b)

    return order, strata()


def _run(
    score: FloatArray, ladder: FloatArray, ratio: int, caliper: float, tolerance: float
) -> tuple[IntArray, IntArray]:
    """Bound the matched set of each focal score in one sorted ladder of comparison scores."""
    k = min(ratio, len(ladder))
    near = np.partition(_window(score, ladder, k)[1], k - 1, axis=1)[:, k - 1]
    reach = np.minimum(np.sqrt(near**2 + tolerance), caliper)
    # The edges are found at rounded sums, then settled at the rounded differences that
    # `Pairs.distance` reports, so that equal differences are ties on either side.
    slack = 4 * np.finfo(np.float64).eps * (np.abs(score) + reach)
    values, begin = np.unique(ladder, return_index=True)
    first = np.searchsorted(values, score - reach - slack, side="left")
    last = np.searchsorted(values, score + reach + slack, side="right")
    for _ in range(8):
        lowest = values[np.minimum(first, len(values) - 1)]
        first = first + ((first < last) & (np.abs(score - lowest) > reach))
        highest = values[np.maximum(last - 1, 0)]
        last = last - ((first < last) & (np.abs(score - highest) > reach))
    edges = np.append(begin, len(ladder))
    return edges[first], edges[last]


def _window(score: FloatArray, ladder: FloatArray, k: int) -> tuple[IntArray, FloatArray]:
    """Return rungs and distances of k neighbours below and k above, (n, 2k); infinite if none."""
    rung = np.searchsorted(ladder, score)[:, None] + np.arange(-k, k)
    inside = (rung >= 0) & (rung < len(ladder))
    distance = np.abs(score[:, None] - ladder[np.where(inside, rung, 0)])
    return rung, np.where(inside, distance, np.inf)


def _first(
    score_focal: FloatArray, score_comparison: FloatArray, ratio: int, groups: Codes | None
) -> tuple[IntArray, IntArray]:
    """Take k neighbours in line, at equal distance below and above the lower position."""
    order, strata = _ladders(len(score_focal), score_comparison, groups)
    focal, comparison = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for mine, low, high in strata:
        k = min(ratio, high - low)
        rung, distance = _window(score_focal[mine], score_comparison[order[low:high]], k)
        unit = order[low + np.clip(rung, 0, high - low - 1)]
        # Of several with one score the nearest in line counts as nearer.
        step = np.abs(np.arange(-k, k) + 0.5)
        taken = np.lexsort((unit, np.broadcast_to(step, rung.shape), distance), axis=1)[:, :k]
        focal.append(np.repeat(mine, k))
        comparison.append(np.take_along_axis(unit, taken, axis=1).ravel())
    return np.concatenate(focal), np.concatenate(comparison)


def _written_out(runs: Runs) -> tuple[IntArray, IntArray]:
    focal = np.repeat(np.arange(len(runs.start)), runs.count)
    within = np.arange(len(focal)) - np.repeat(np.cumsum(runs.count) - runs.count, runs.count)
    return focal, runs.order[runs.start[focal] + within]
