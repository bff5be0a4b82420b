"""Who wins when names are drawn one after the other, with quotas and a cap a household?"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from prakerja_eval.typing import BoolArray, CodeArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """The outcome of one lottery among m people in S strata.

    Attributes
    ----------
    won : (m,) bool array
    cut : (S,) array
        Lottery number of the last to win in each stratum; infinite where places are left, since
        the household cap kept people from them.
    """

    won: BoolArray
    cut: FloatArray


def draw(
    number: FloatArray, stratum: CodeArray, home: CodeArray, quota: IntArray, room: CodeArray
) -> Drawn:
    """Return who wins: by lottery number, while the stratum has a place and the household room.

    Parameters
    ----------
    number : (m,) array
        Lottery numbers; the lowest is drawn first.
    stratum, home : (m,) int arrays
        Stratum 0 .. S-1 and household 0 .. H-1 of each applicant.
    quota : (S,) int array
        Places.
    room : (H,) int array
        How many of the household may still win.
    """
    order = np.argsort(number, kind="stable")
    won, cut = _down(order, number, stratum, home, quota.copy(), room.copy())
    return Drawn(won, cut)


@njit(cache=True)
def _down(
    order: IntArray,
    number: FloatArray,
    stratum: CodeArray,
    home: CodeArray,
    left: IntArray,
    free: CodeArray,
) -> tuple[BoolArray, FloatArray]:
    """Go down the order; ``left`` and ``free`` are used up."""
    won = np.zeros(len(order), dtype=np.bool_)
    cut = np.full(len(left), np.inf)
    for i in order:
        s, h = stratum[i], home[i]
        if left[s] > 0 and free[h] > 0:
            won[i] = True
            left[s] -= 1
            free[h] -= 1
            if left[s] == 0:
                cut[s] = number[i]
    return won, cut
