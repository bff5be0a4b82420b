"""Who stands nearest in line, and is still free? Compiled loops over sorted scores.

This module imports numba: import it where it is used, never at the top of a verb's module.
A stretch of a line is the comparison units of one exact group, by score, then position.
"""

from heapq import heapify, heappop, heapreplace

import numpy as np

from prakerja_eval.numerics.redraw import compiled
from prakerja_eval.typing import FloatArray, IntArray


@compiled
def _place(line: FloatArray, low: int, high: int, score: float) -> int:
    """Return the first place of a stretch whose score is not below."""
    while low < high:
        middle = (low + high) // 2
        if line[middle] < score:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _last_within(line: FloatArray, at: int, end: int, score: float, reach: float) -> int:
    """Return where the places within reach end, going from ``at`` towards ``end``.

    Places are doubled, then halved; the rounded difference decides, as `Pairs.distance` has it,
    so that equal differences are ties on either side of the score.
    """
    sign = 1 if end >= at else -1
    inside, step, left = 0, 1, abs(end - at)  # places known to be within reach
    while inside + step <= left:
        if abs(score - line[at + sign * (inside + step - 1)]) > reach:
            break
        inside += step
        step *= 2
    outside = min(inside + step, left + 1)
    while outside - inside > 1:
        middle = (inside + outside) // 2
        if abs(score - line[at + sign * (middle - 1)]) <= reach:
            inside = middle
        else:
            outside = middle
    return at + sign * inside


@compiled
def runs(
    score: FloatArray,
    stretch: IntArray,
    line: FloatArray,
    options: tuple[int, float, float],
    out: IntArray,
) -> None:
    """Bound each focal unit's nearest neighbours, with all those tied.

    Parameters
    ----------
    score : (n_focal,)
    stretch : (n_focal, 2) int
        Where a focal unit's comparison units begin and end in the line.
    line : (n_comparison,)
        Their scores, sorted within stretches.
    options : number of neighbours, largest distance, tolerance on the squared distance
    out : (n_focal, 2) int
        Filled with the first place of the run and the one after its last.
    """
    ratio, caliper, tolerance = options
    for i in range(score.size):
        low, high, own = stretch[i, 0], stretch[i, 1], score[i]
        at = _place(line, low, high, own)
        below, above, near = at - 1, at, 0.0
        for _ in range(min(ratio, high - low)):
            left = abs(own - line[below]) if below >= low else np.inf
            right = abs(own - line[above]) if above < high else np.inf
            if left <= right:
                near, below = left, below - 1
            else:
                near, above = right, above + 1
        reach = min(np.sqrt(near * near + tolerance) if tolerance > 0 else near, caliper)
        out[i, 1] = _last_within(line, at, high, own, reach)
        # The places below are at - 1, at - 2 and so on.
        out[i, 0] = _last_within(line, at - 1, low - 1, own, reach) + 1


@compiled
def distances(score: FloatArray, bounds: IntArray, line: FloatArray, out: FloatArray) -> None:
    """Add up the distances of each run, equal scores at once.

    Parameters
    ----------
    score, line
        As in ``runs``.
    bounds : (n_focal, 2) int
        As ``runs`` fills them.
    out : (n_focal,)
        Filled with sums.
    """
    for i in range(score.size):
        place, out[i] = bounds[i, 0], 0.0
        while place < bounds[i, 1]:
            after = _last_within(line, place, bounds[i, 1], line[place], 0.0)
            out[i] += (after - place) * abs(score[i] - line[place])
            place = after


@compiled
def first_in_line(
    score: FloatArray, stretch: IntArray, line: FloatArray, unit: IntArray, taken: IntArray
) -> None:
    """Take the k nearest going outwards; of two as near and as many steps away the lower position.

    Parameters
    ----------
    score, stretch, line
        As in ``runs``.
    unit : (n_comparison,) int
        Position of each place's unit.
    taken : (n_focal, k) int
        -1 at the start; filled with places, by distance and then by position.
    """
    for i in range(score.size):
        low, high, own = stretch[i, 0], stretch[i, 1], score[i]
        at = _place(line, low, high, own)
        below, above = at - 1, at
        for k in range(min(taken.shape[1], high - low)):
            left = abs(own - line[below]) if below >= low else np.inf
            right = abs(own - line[above]) if above < high else np.inf
            steps = (at - below) - (above - at + 1)
            lower = left < right
            if left == right:
                lower = steps < 0 or (steps == 0 and unit[below] < unit[above])
            place, distance = (below, left) if lower else (above, right)
            below, above = (below - 1, above) if lower else (below, above + 1)
            spot = k
            while spot > 0:
                other = taken[i, spot - 1]
                if abs(own - line[other]) < distance or unit[other] < unit[place]:
                    break
                taken[i, spot] = other
                spot -= 1
            taken[i, spot] = place


@compiled
def _root(link: IntArray, at: int) -> int:
    """Follow the links to an open place, and shorten them on the way."""
    root = at
    while link[root] != root:
        root = link[root]
    while link[at] != root:
        link[at], at = root, link[at]
    return root


@compiled
def _open(link: IntArray, at: int, step: int, had: IntArray) -> int:
    """Return the first open place from ``at`` outwards that is none of ``had``; else -1.

    Place p is p + 1 in the links; 0 and the last stand for "none".
    """
    at = _root(link, at)
    while 0 < at < link.size - 1:
        barred = False
        for place in had:
            barred |= place == at - 1
        if not barred:
            return at - 1
        at = _root(link, at + step)
    return -1


@compiled
def _nearest(
    score: float,
    line: FloatArray,
    unit: IntArray,
    links: tuple[IntArray, IntArray],
    had: IntArray,
) -> tuple[float, int]:
    """Return distance and place of the nearest one to be had; infinite and -1 without one."""
    at = _place(line, 0, line.size, score)
    below, above = _open(links[0], at, -1, had), _open(links[1], at + 1, 1, had)
    left = abs(score - line[below]) if below >= 0 else np.inf
    right = abs(score - line[above]) if above >= 0 else np.inf
    if above < 0 or left < right or (left == right and unit[below] < unit[above]):
        return left, below
    return right, above


@compiled
def _take(place: int, left: IntArray, links: tuple[IntArray, IntArray]) -> None:
    """Use a unit once; close its place when it may serve no more."""
    left[place] -= 1
    if left[place] == 0:
        links[0][place + 1] = place
        links[1][place + 1] = place + 2


@compiled
def in_turn(
    score: FloatArray,
    queue: tuple[IntArray, IntArray],
    line: FloatArray,
    unit: IntArray,
    edges: IntArray,
    options: tuple[float, int],
    taken: IntArray,
) -> None:
    """Let focal units choose one after the other, in as many rounds as ``taken`` has columns.

    Parameters
    ----------
    score : (n_focal,)
    queue : focal positions by stretch, in the order in which they choose; (S + 1,) its edges
    line, unit : (n_comparison,)
        Scores and positions, stretch after stretch.
    edges : (S + 1,) int
        Where each stretch begins in the line.
    options : largest distance, and how often a unit may serve
    taken : (n_focal, ratio) int
        -1 at the start; filled with places of the line.
    """
    caliper, max_uses = options
    choosers, begin = queue
    ratio = taken.shape[1]
    for s in range(edges.size - 1):
        low, high = edges[s], edges[s + 1]
        if low == high or begin[s] == begin[s + 1]:
            continue
        scores, units = line[low:high], unit[low:high]
        links = (np.arange(high - low + 2), np.arange(high - low + 2))
        left = np.full(high - low, max_uses)
        for r in range(ratio):
            for q in range(begin[s], begin[s + 1]):
                i = choosers[q]
                # Without reuse, nothing that a focal unit had can come its way again.
                had = taken[i, : (r if max_uses > 1 else 0)]
                distance, place = _nearest(score[i], scores, units, links, had)
                if place >= 0 and distance <= caliper:
                    _take(place, left, links)
                    taken[i, r] = place
        for i in choosers[begin[s] : begin[s + 1]]:
            for r in range(ratio):
                taken[i, r] += low if taken[i, r] >= 0 else 0


@compiled
def _closest_round(
    score: FloatArray,
    order: IntArray,
    stock: tuple[FloatArray, IntArray, IntArray, IntArray, IntArray],
    caliper: float,
    out: IntArray,
) -> None:
    """Make the closest pair of all, then the closest of what is left, in one round.

    Focal units of one score wait in one queue, by position. A queue aims at the nearest unit to
    be had, and aims anew when its turn comes and that unit is gone. If the new aim is farther
    away, the queue is served from its other end: each unit re-enters before its equals.
    """
    line, unit, left, down, up = stock
    links, nothing = (down, up), np.zeros(0, np.int64)
    head, tail, turned = np.zeros_like(order), np.zeros_like(order), np.zeros(order.size, np.bool_)
    heap = [(0.0, 0, 0, 0) for _ in range(0)]
    b = -1
    for q in range(order.size):
        if q == 0 or score[order[q]] != score[order[q - 1]]:
            b += 1
            head[b] = q
            distance, place = _nearest(score[order[q]], line, unit, links, nothing)
            heap.append((distance, order[q], b, place))
        tail[b] = q
    heapify(heap)
    while heap and heap[0][0] <= caliper and heap[0][3] >= 0:
        distance, _, b, place = heap[0]
        if left[place]:
            _take(place, left, links)
            out[order[tail[b] if turned[b] else head[b]]] = place
            if turned[b]:
                tail[b] -= 1
            else:
                head[b] += 1
        if head[b] > tail[b]:
            heappop(heap)
            continue
        farther, place = _nearest(score[order[head[b]]], line, unit, links, nothing)
        turned[b] ^= farther > distance
        heapreplace(heap, (farther, order[tail[b] if turned[b] else head[b]], b, place))


@compiled
def closest_first(
    score: FloatArray,
    queue: tuple[IntArray, IntArray],
    line: FloatArray,
    unit: IntArray,
    edges: IntArray,
    options: tuple[float, int],
    taken: IntArray,
) -> None:
    """Make the closest pair first; parameters as in ``in_turn``, the queue by score, rising."""
    caliper, max_uses = options
    choosers, begin = queue
    out = np.empty(score.size, np.int64)
    for s in range(edges.size - 1):
        low, high, own = edges[s], edges[s + 1], choosers[begin[s] : begin[s + 1]]
        if low == high or own.size == 0:
            continue
        links = (np.arange(high - low + 2), np.arange(high - low + 2))
        stock = (line[low:high], unit[low:high], np.full(high - low, max_uses), *links)
        for r in range(taken.shape[1]):
            out[own] = -1
            _closest_round(score, own, stock, caliper, out)
            for i in own:
                taken[i, r] = low + out[i] if out[i] >= 0 else -1
