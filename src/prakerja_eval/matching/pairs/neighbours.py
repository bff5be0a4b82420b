"""Which comparison units are nearest on a score, when each may serve as often as needed.

The comparison scores are sorted once; the units within any distance of a focal unit are then one
run of that order. A run is two numbers however many units share a score, so that averaging tied
units costs O(n log n) even where thousands are tied (see :class:`Runs`).
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from prakerja_eval.matching.pairs.line import Codes, line_of, written_out
from prakerja_eval.matching.pairs.pairs import Pairs, equal_shares
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


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

        With ``share`` 1 / M_i this is K_M; with 1 / M_i**2 it is K'_M. Shape (n_comparison,);
        exactly zero for a unit in no set.
        """
        some = self.count > 0
        serves = self._open(np.ones(int(some.sum())), some) > 0.5
        used = np.empty(len(self.order))
        used[self.order] = np.where(serves, self._open(share[some], some), 0.0)
        return used

    def _open(self, weight: FloatArray, some: BoolArray) -> FloatArray:
        """Sum the weights of the runs that hold each place, (n_comparison,)."""
        size = len(self.order) + 1
        opened = np.bincount(self.start[some], weight, minlength=size)
        closed = np.bincount(self.stop[some], weight, minlength=size)
        held: FloatArray = np.cumsum(opened - closed)[:-1]
        return held

    def count_seen(self, seen: BoolArray) -> IntArray:
        """Count the comparison units of each set that were ``seen`` (n_comparison,), (n_focal,)."""
        return self.total(seen.astype(np.float64)).astype(np.int64)

    def among(self, focal: BoolArray, comparison: BoolArray) -> "Runs":
        """Return the sets that are left where only some units of each side were seen.

        Positions are those among the units seen.
        """
        kept = comparison[self.order]
        place = np.concatenate(([0], np.cumsum(kept)))
        order = (np.cumsum(comparison) - 1)[self.order[kept]]
        return Runs(order, place[self.start[focal]], place[self.stop[focal]])

    def distance(self, score_focal: FloatArray, score_comparison: FloatArray) -> FloatArray:
        """Sum the distances of each set, (n_focal,)."""
        from prakerja_eval.matching.pairs import kernel_line  # late: numba is slow to import

        bounds, total = np.column_stack((self.start, self.stop)), np.empty(len(self.start))
        kernel_line.distances(score_focal, bounds, score_comparison[self.order], total)
        return total

    def pairs(self, score_focal: FloatArray, score_comparison: FloatArray) -> Pairs:
        """Write the sets out: by focal position, then distance, then comparison position."""
        count = self.count
        focal = np.repeat(np.arange(len(count)), count)
        within = np.arange(len(focal)) - np.repeat(np.cumsum(count) - count, count)
        comparison = self.order[self.start[focal] + within]
        distance = np.abs(score_focal[focal] - score_comparison[comparison])
        if count.max(initial=0) > 1:
            rows = np.lexsort((comparison, distance, focal))
            comparison, distance = comparison[rows], distance[rows]
        return Pairs(focal, comparison, 1.0 / count[focal], distance)


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
    from prakerja_eval.matching.pairs import kernel_line  # late: numba is slow to import

    line = line_of(len(score_focal), score_comparison, groups)
    bounds = np.empty((len(score_focal), 2), dtype=np.int64)
    options = (ratio, float(caliper), float(tie_tolerance))
    kernel_line.runs(score_focal, line.stretch, line.score, options, bounds)
    return Runs(line.order, bounds[:, 0], bounds[:, 1])


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
    if ties is Ties.AVERAGE:
        runs = nearest_runs(score_focal, score_comparison, ratio, caliper, tie_tolerance, groups)
        return runs.pairs(score_focal, score_comparison)
    _refuse(ratio, caliper, tie_tolerance)
    from prakerja_eval.matching.pairs import kernel_line  # late: numba is slow to import

    line = line_of(len(score_focal), score_comparison, groups)
    taken = np.full((len(score_focal), min(ratio, len(score_comparison))), -1)
    kernel_line.first_in_line(score_focal, line.stretch, line.score, line.order, taken)
    focal, comparison = written_out(taken, line)
    distance = np.abs(score_focal[focal] - score_comparison[comparison])
    near = distance <= caliper
    return equal_shares(focal[near], comparison[near], distance[near])


def _refuse(ratio: int, caliper: float, tie_tolerance: float) -> None:
    if ratio < 1 or caliper < 0 or tie_tolerance < 0:
        raise ValueError("ratio must be at least 1, caliper and tie_tolerance at least 0")
