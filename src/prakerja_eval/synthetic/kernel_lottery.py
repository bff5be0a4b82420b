"""Who wins when names are drawn one after the other, with quotas and a cap a household?"""

import numpy as np
from numba import njit

from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@njit(cache=True)
def draw(
    order: IntArray, stratum: IntArray, home: IntArray, quota: IntArray, room: IntArray
) -> BoolArray:
    """Return who wins, (m,): down the order while the stratum has a place and the household room.

    Parameters
    ----------
    order : (m,) int array
        Applicants in the order in which their names are drawn.
    stratum, home : (m,) int arrays
        Stratum 0 .. S-1 and household 0 .. H-1 of each applicant.
    quota : (S,) int array
        Places.
    room : (H,) int array
        How many of the household may still win.
    """
    won = np.zeros(len(order), dtype=np.bool_)
    left, free = quota.copy(), room.copy()
    for i in order:
        s, h = stratum[i], home[i]
        if left[s] > 0 and free[h] > 0:
            won[i] = True
            left[s] -= 1
            free[h] -= 1
    return won


@njit(cache=True)
def last_winning_number(
    number: FloatArray, won: BoolArray, stratum: IntArray, n_strata: int
) -> FloatArray:
    """Return the largest lottery number that won in each stratum, (S,); -1 where nobody did."""
    cut = np.full(n_strata, -1.0)
    for i in range(len(number)):
        if won[i] and number[i] > cut[stratum[i]]:
            cut[stratum[i]] = number[i]
    return cut
