"""Who is matched with whom, where the distance has several columns or calipers are on covariates?

Kernels: positions in, :class:`Pairs` out. Of units at one distance (up to rounding) the choice is
the line's, see :class:`prakerja_eval.matching.pairs.stock.Field`; never chance.
"""

from collections.abc import Iterator
from heapq import heapify, heappop, heapreplace

import numpy as np

from prakerja_eval.matching.pairs.distances import ROUNDING, Sets, nearest_sets
from prakerja_eval.matching.pairs.neighbours import Ties
from prakerja_eval.matching.pairs.pairs import Pairs, equal_shares
from prakerja_eval.matching.pairs.stock import Field, Stock, stock, windows
from prakerja_eval.typing import FloatArray, IntArray

Codes = tuple[IntArray, IntArray]
CELLS = 2_000_000  # distances held at once


def nearest_by_distance(
    field: Field,
    ratio: int = 1,
    ties: Ties = Ties.AVERAGE,
    tolerance: float = 0.0,
    groups: Codes | None = None,
) -> Pairs:
    """Match each focal unit with its nearest comparison units, which may serve again.

    Parameters
    ----------
    field : Field
        The two sides, their line and limits.
    ratio : int
        Number of matches k.
    ties : Ties
        ``AVERAGE`` keeps every unit with d^2 <= d_k^2 + tolerance, each pair weighing one over
        their number; ``FIRST`` keeps k, of those tied up to rounding the line's choice.
    tolerance : float
        On the squared distance; for ``AVERAGE``.
    groups : pair of int arrays, optional
        Codes of focal and of comparison units; matches share their code.

    Returns
    -------
    Pairs
        Sorted by focal position, then distance.
    """
    if ties is Ties.FIRST:
        tolerance = 0.0
    focal, comparison = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    distance = [np.empty(0)]
    for mine, theirs in strata(field, groups):
        sets = _sets(field, mine, theirs, ratio, tolerance)
        focal.append(np.repeat(mine, sets.count))
        comparison.append(theirs[sets.indices])
        distance.append(sets.distance)
    i, j, d = np.concatenate(focal), np.concatenate(comparison), np.concatenate(distance)
    rows = _in_turn(field, i, j, d)
    if ties is Ties.FIRST:
        i = i[rows]
        turn = np.arange(len(i)) - np.searchsorted(i, i, side="left")
        rows = rows[turn < ratio]
        i = np.concatenate(focal)
    return equal_shares(i[rows], j[rows], d[rows])


def greedy_by_distance(
    field: Field,
    queue: IntArray | None,
    ratio: int = 1,
    max_uses: int = 1,
    groups: Codes | None = None,
) -> Pairs:
    """Match greedily, each comparison unit serving at most ``max_uses`` times.

    Parameters
    ----------
    field : Field
        The two sides, their line and limits.
    queue : (n_focal,) int, optional
        Focal positions in the order in which they choose, in ``ratio`` rounds; left out, the
        closest pair is made first, then the closest of what is left (of equally close ones that
        of the first focal position).
    ratio, max_uses : int
    groups : pair of int arrays, optional
        Codes of focal and of comparison units; matches share their code.

    Returns
    -------
    Pairs
        Sorted by focal position, then round.
    """
    rows: list[tuple[int, int, float]] = []
    place = np.arange(len(field.focal)) if queue is None else np.argsort(queue)
    for mine, theirs in strata(field, groups):
        had: dict[int, set[int]] = {i: set() for i in mine.tolist()}
        kept = stock(field, mine, theirs, max_uses)
        turns = mine[np.argsort(place[mine])].tolist()
        for _ in range(ratio):
            made = _closest_first(turns, kept, had) if queue is None else _each(turns, kept, had)
            for i, j, distance in made:
                rows.append((i, j, distance))
                if max_uses > 1:
                    had[i].add(j)
    who, whom, away = zip(*rows, strict=True) if rows else ((), (), ())
    focal, comparison = np.array(who, dtype=np.int64), np.array(whom, dtype=np.int64)
    return equal_shares(focal, comparison, np.array(away, dtype=np.float64))


def strata(field: Field, groups: Codes | None) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield focal and comparison positions of each exact group that has both."""
    codes = groups
    if codes is None:
        codes = (
            np.zeros(len(field.focal), dtype=np.int64),
            np.zeros(len(field.comparison), dtype=np.int64),
        )
    sides = [(np.argsort(c, kind="stable"), np.sort(c)) for c in codes]
    for code in np.intersect1d(*codes):
        mine, theirs = (
            order[slice(*np.searchsorted(ranked, (code, code + 1)))] for order, ranked in sides
        )
        yield mine, theirs


def _each(
    turns: list[int], kept: Stock, had: dict[int, set[int]]
) -> Iterator[tuple[int, int, float]]:
    """Let focal units choose one after the other."""
    for i in turns:
        found = kept.nearest(i, had[i])
        if found is not None:
            kept.take(found[1])
            yield i, found[1], found[0]


def _closest_first(
    turns: list[int], kept: Stock, had: dict[int, set[int]]
) -> Iterator[tuple[int, int, float]]:
    """Make the closest pair; who aimed at a unit that is gone aims anew when its turn comes."""
    heap = [(found[0], i) for i in turns if (found := kept.nearest(i, had[i])) is not None]
    heapify(heap)
    while heap:
        d, i = heap[0]
        found = kept.nearest(i, had[i])
        if found is None:
            heappop(heap)
        elif found[0] > d * (1 + ROUNDING):
            heapreplace(heap, (found[0], i))
        else:
            heappop(heap)
            kept.take(found[1])
            yield i, found[1], found[0]


def _in_turn(field: Field, i: IntArray, j: IntArray, d: FloatArray) -> IntArray:
    """Sort pairs by focal unit and distance; where distances are one, as the line chooses."""
    rows = np.lexsort((d, i))
    step = np.abs(field.step[1][j] - field.step[0][i])
    if field.outermost:
        step = -step
    i, d = i[rows], d[rows]
    apart = np.ones(len(rows), dtype=np.bool_)
    apart[1:] = (i[1:] != i[:-1]) | (d[1:] > d[:-1] * (1 + ROUNDING))
    return rows[np.lexsort((j[rows], step[rows], np.cumsum(apart)))]


def _sets(field: Field, mine: IntArray, theirs: IntArray, k: int, tolerance: float) -> Sets:
    """Return the nearest of one exact group within the limits, with all those tied."""
    at, points = field.focal[mine], field.comparison[theirs]
    if not len(field.limits.width):
        return nearest_sets(at, points, k, tolerance)
    place = np.empty(len(field.comparison), dtype=np.int64)
    place[theirs] = np.arange(len(theirs))
    order, low, high = windows(field.limits, mine, theirs)
    rows, indices, away = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0)]
    for block in _blocks(low, high):
        near = order[low[block].min() : high[block].max()]
        d = within_limits(field, mine[block], near)
        last = min(k, len(near)) - 1
        kth = np.partition(d, last, axis=1)[:, last]
        # Fewer than k within the limits: all of them.
        kth = np.where(np.isfinite(kth), kth, np.where(np.isfinite(d), d, 0.0).max(axis=1))
        inside = d <= (np.sqrt(kth**2 + tolerance) * (1 + ROUNDING))[:, None]
        r, c = np.nonzero(inside)
        rows.append(block[r])
        indices.append(place[near[c]])
        away.append(d[r, c])
    row = np.concatenate(rows)
    by = np.lexsort((np.concatenate(away), row))
    indptr = np.concatenate(([0], np.cumsum(np.bincount(row, minlength=len(mine)))))
    return Sets(indptr.astype(np.int64), np.concatenate(indices)[by], np.concatenate(away)[by])


def _blocks(low: IntArray, high: IntArray) -> Iterator[IntArray]:
    """Yield focal units with neighbouring runs, so many that their distances fit in memory."""
    turn = np.argsort(low, kind="stable")
    turn = turn[high[turn] > low[turn]]
    while len(turn):
        widest = int(high[turn[0]] - low[turn[0]])
        block = turn[: max(1, CELLS // widest)]
        widest = int(high[block].max() - low[block[0]])
        block = block[: max(1, CELLS // widest)]
        yield block
        turn = turn[len(block) :]


def within_limits(field: Field, mine: IntArray, near: IntArray) -> FloatArray:
    """Return distances between positions of both sides, infinite where a limit is exceeded."""
    from scipy.spatial.distance import cdist  # late: slow to import, and few calls need it

    d: FloatArray = cdist(field.focal[mine], field.comparison[near])
    limits = field.limits
    for c, width in enumerate(limits.width):
        apart = np.abs(limits.focal[mine, c, None] - limits.comparison[near, c])
        d[apart > width] = np.inf
    return d
