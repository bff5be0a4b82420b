"""Which comparison unit each focal unit takes, when one that is taken is gone.

Greedy matching: focal units choose in a stated order, or the closest pair of all is made first.
All units stand in one line by score, at equal scores the focal before the comparison units and
each kind by position; a focal unit takes what it meets first going outwards. So the result
depends on the order of the arrays only where scores are tied, and never on chance.
"""

from collections import deque
from collections.abc import Iterator, Set
from enum import Enum
from heapq import heapify, heappop, heapreplace

import numpy as np

from prakerja_eval.matching.pairs import Pairs, equal_shares
from prakerja_eval.typing import FloatArray, IntArray

Codes = tuple[IntArray, IntArray]
Row = tuple[int, int, float]

_NOBODY: Set[int] = frozenset()


class Order(Enum):
    """Who chooses first."""

    LARGEST = 1
    SMALLEST = 2
    DATA = 3
    CLOSEST = 4


def nearest_without_replacement(
    score_focal: FloatArray,
    score_comparison: FloatArray,
    ratio: int = 1,
    caliper: float = np.inf,
    order: Order = Order.LARGEST,
    max_uses: int = 1,
    groups: Codes | None = None,
) -> Pairs:
    """Match greedily, each comparison unit serving at most ``max_uses`` times.

    With ``ratio`` k there are k rounds: every focal unit gets its first match before any gets its
    second. Ties are settled by position, as the module says.

    Parameters
    ----------
    score_focal, score_comparison : (n_focal,), (n_comparison,)
        Scores of the two sides.
    ratio : int
        Number of matches k sought for each focal unit.
    caliper : float
        Largest distance allowed, in units of the score.
    order : Order
        Largest score first, smallest first, as the arrays stand, or the closest pair first.
    max_uses : int
        How often a comparison unit may serve; never twice for one focal unit.
    groups : pair of int arrays, optional
        Codes of focal and of comparison units; matches share their code.

    Returns
    -------
    Pairs
        Sorted by focal position, then round. Each weighs one over its focal unit's matches.

    Raises
    ------
    ValueError
        If ``ratio`` or ``max_uses`` is below one, the caliper negative, or closest-first is asked
        for with both above one.
    """
    if ratio < 1 or max_uses < 1 or caliper < 0:
        raise ValueError("ratio and max_uses must be at least 1, the caliper at least 0")
    if order is Order.CLOSEST and ratio > 1 and max_uses > 1:
        raise ValueError("closest-first is defined for ratio 1 or max_uses 1")
    rows: list[Row] = []
    for mine, theirs in _strata(len(score_focal), len(score_comparison), groups):
        stock = _Stock(score_comparison, theirs, max_uses)
        if order is Order.CLOSEST:
            for _ in range(ratio):
                rows += _closest_first(score_focal, mine, stock, caliper)
        else:
            rows += _in_turn(score_focal, _queue(score_focal, mine, order), stock, ratio, caliper)
    focal, comparison, distance = zip(*rows, strict=True) if rows else ((), (), ())
    return equal_shares(
        np.array(focal, dtype=np.int64),
        np.array(comparison, dtype=np.int64),
        np.array(distance, dtype=np.float64),
    )


def _strata(
    n_focal: int, n_comparison: int, groups: Codes | None
) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield the focal and comparison positions of each exact group that has both."""
    if groups is None:
        yield np.arange(n_focal), np.arange(n_comparison)
        return
    sides = []
    for codes in groups:
        order = np.argsort(codes, kind="stable")
        found, begin = np.unique(codes[order], return_index=True)
        sides.append(dict(zip(found.tolist(), np.split(order, begin[1:]), strict=False)))
    for code, mine in sides[0].items():
        if code in sides[1]:
            yield mine, sides[1][code]


def _queue(score: FloatArray, mine: IntArray, order: Order) -> IntArray:
    if order is Order.DATA:
        return mine
    sign = -1.0 if order is Order.LARGEST else 1.0
    queue: IntArray = mine[np.argsort(sign * score[mine], kind="stable")]
    return queue


def _in_turn(
    score: FloatArray, queue: IntArray, stock: "_Stock", ratio: int, caliper: float
) -> list[Row]:
    """Let focal units choose one after the other, in ``ratio`` rounds."""
    rows: list[Row] = []
    # Without reuse, nothing that a focal unit had can come its way again.
    had: dict[int, set[int]] = {i: set() for i in queue.tolist()} if stock.max_uses > 1 else {}
    for _ in range(ratio):
        for i in queue.tolist():
            best = stock.nearest(float(score[i]), had.get(i, _NOBODY))
            if best is None or best[0] > caliper:
                continue
            distance, j, place = best
            stock.take(place)
            rows.append((i, j, distance))
            if had:
                had[i].add(j)
    return rows


class _Stock:
    """The comparison units of one exact group in line, and how often each may still serve.

    Mutable, and lives within one call of the matching function.
    """

    def __init__(self, score: FloatArray, positions: IntArray, max_uses: int) -> None:
        order = positions[np.argsort(score[positions], kind="stable")]
        self._sorted = score[order]
        self.max_uses = max_uses
        self.score: list[float] = self._sorted.tolist()
        self.unit: list[int] = order.tolist()
        self.left = [max_uses] * len(order)
        # Place p is p + 1 here; 0 and len + 1 stand for "none".
        self._down = list(range(len(order) + 2))
        self._up = list(range(len(order) + 2))

    def nearest(self, score: float, barred: Set[int]) -> tuple[float, int, int] | None:
        """Return distance, unit and place of the nearest one that is not barred."""
        at = int(np.searchsorted(self._sorted, score)) + 1
        found = (self._look(self._down, at - 1, -1, barred), self._look(self._up, at, 1, barred))
        options = [(abs(score - self.score[p]), self.unit[p], p) for p in found if p >= 0]
        return min(options, default=None)

    def take(self, place: int) -> None:
        """Use a unit once; close its place when it may serve no more."""
        self.left[place] -= 1
        if self.left[place] == 0:
            self._down[place + 1] = place
            self._up[place + 1] = place + 2

    def _look(self, link: list[int], at: int, step: int, barred: Set[int]) -> int:
        """Return the first open place from ``at`` outwards whose unit is not barred; else -1."""
        at = _root(link, at)
        while 0 < at <= len(self.unit):
            if self.unit[at - 1] not in barred:
                return at - 1
            at = _root(link, at + step)
        return -1


def _root(link: list[int], at: int) -> int:
    """Follow the links to an open place, and shorten them on the way."""
    root = at
    while link[root] != root:
        root = link[root]
    while link[at] != root:
        link[at], at = root, link[at]
    return root


def _closest_first(score: FloatArray, mine: IntArray, stock: _Stock, caliper: float) -> list[Row]:
    """Make the closest pair of all, then the closest of what is left, in one round.

    Focal units of one score wait in one queue, by position. A queue aims at the nearest unit to
    be had, and aims anew when its turn comes and that unit is gone. If the new aim is farther
    away, the queue is served from its other end: each unit re-enters before its equals.
    """
    order = mine[np.argsort(score[mine], kind="stable")]
    values, begin = np.unique(score[order], return_index=True)
    queues = [deque(part.tolist()) for part in np.split(order, begin[1:])]
    heap = [_aim(b, value, queues[b], stock) for b, value in enumerate(values.tolist())]
    heapify(heap)
    rows: list[Row] = []
    while heap and heap[0][0] <= caliper and heap[0][3] >= 0:
        distance, _, b, place = heap[0]
        queue = queues[b]
        if stock.left[place]:
            stock.take(place)
            rows.append((queue.popleft(), stock.unit[place], distance))
        if not queue:
            heappop(heap)
            continue
        new = _aim(b, float(values[b]), queue, stock)
        if new[0] > distance:
            queue.reverse()
            new = (new[0], queue[0], *new[2:])
        heapreplace(heap, new)
    return rows


def _aim(b: int, value: float, queue: deque[int], stock: _Stock) -> tuple[float, int, int, int]:
    """Return distance, first in the queue, queue and place aimed at; infinite if none is left."""
    best = stock.nearest(value, _NOBODY)
    return (best[0], queue[0], b, best[2]) if best else (np.inf, queue[0], b, -1)
