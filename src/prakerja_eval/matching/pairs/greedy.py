"""Which comparison unit each focal unit takes, when one that is taken is gone.

Greedy matching: focal units choose in a stated order, or the closest pair of all is made first.
All units stand in one line by score, at equal scores the focal before the comparison units and
each kind by position; a focal unit takes what it meets first going outwards. So the result
depends on the order of the arrays only where scores are tied, and never on chance.
"""

from enum import Enum

import numpy as np

from prakerja_eval.matching.pairs.line import Codes, line_of, written_out
from prakerja_eval.matching.pairs.pairs import Pairs
from prakerja_eval.typing import FloatArray, IntArray


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
    order: Order | IntArray = Order.LARGEST,
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
    order : Order or (n_focal,) int array
        Largest score first, smallest first, as the arrays stand, or the closest pair first; or the
        focal positions in the order in which they choose.
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
    from prakerja_eval.matching.pairs import kernel_line  # late: numba is slow to import

    line = line_of(len(score_focal), score_comparison, groups)
    match = kernel_line.closest_first if order is Order.CLOSEST else kernel_line.in_turn
    first = _queue(score_focal, order) if isinstance(order, Order) else order
    taken = np.full((len(score_focal), ratio), -1)
    match(
        score_focal,
        line.queue(first),
        line.score,
        line.order,
        line.edges,
        (float(caliper), max_uses),
        taken,
    )
    focal, comparison = written_out(taken, line)
    distance = np.abs(score_focal[focal] - score_comparison[comparison])
    return Pairs(focal, comparison, 1.0 / np.bincount(focal)[focal], distance)


def _queue(score: FloatArray, order: Order) -> IntArray:
    """Return focal positions in the order in which they choose."""
    if order is Order.DATA:
        return np.arange(len(score))
    return np.argsort(-score if order is Order.LARGEST else score, kind="stable")
