"""What were an applicant's chances before the numbers were drawn? Quotas, and the household cap.

Where no household can reach its cap within a stratum, the chance is places over applicants. Where
one can, the lottery is drawn again many times, and the chance is the share of draws won, averaged
over the people whose situation is the same: their stratum, how many of the household may still
win, and how many of it apply in the same and in other strata. The people of such a cell have one
and the same chance, since numbers are exchangeable.
"""

import numpy as np

from prakerja_eval.synthetic import kernel_lottery
from prakerja_eval.synthetic.draws import stream
from prakerja_eval.typing import FloatArray, IntArray

DRAWN = 4_000_000  # applications drawn again in a batch, in all
FEWEST, MOST = 8, 2_000  # lotteries


def redraws(applications: int) -> int:
    """Return how many times the lottery of so many applications is drawn again."""
    return int(np.clip(DRAWN // max(applications, 1), FEWEST, MOST))


def propensities(
    stratum: IntArray, home: IntArray, quota: IntArray, room: IntArray, seed: int, name: str
) -> FloatArray:
    """Return the chance of winning of each of m applicants.

    Parameters
    ----------
    stratum, home : (m,) int arrays
        Stratum 0 .. S-1 and household 0 .. H-1.
    quota, room : (S,) and (H,) int arrays
        Places; how many of the household may still win.
    seed : int
    name : str
        Of the stream from which the lotteries are drawn again.
    """
    size = np.bincount(stratum, minlength=len(quota))
    plain = np.minimum(quota / np.maximum(size, 1), 1.0)[stratum]
    applying = np.bincount(home, minlength=len(room))
    bound = (applying > room)[home]
    touched = np.bincount(stratum[bound], minlength=len(quota)) > 0
    if not touched.any():
        return np.asarray(plain)
    cell = _cells(stratum, home, room, bound)
    rng, n = stream(seed, name), redraws(len(stratum))
    wins = np.zeros(len(stratum))
    for _ in range(n):
        order = rng.permutation(len(stratum))
        wins += kernel_lottery.draw(order, stratum, home, quota, room)
    share = np.bincount(cell, wins) / (n * np.bincount(cell))
    return np.where(touched[stratum], share[cell], plain)


def _cells(stratum: IntArray, home: IntArray, room: IntArray, bound: np.ndarray) -> IntArray:
    """Return a code for people with the same chance, (m,)."""
    n_strata = int(stratum.max()) + 1
    _, pair = np.unique(home * n_strata + stratum, return_inverse=True)
    own = np.bincount(pair)[pair]
    every = np.bincount(home, minlength=len(room))[home]
    situation = np.where(bound, 1 + own + 64 * (every - own) + 4096 * room[home], 0)
    _, cell = np.unique(stratum * (1 << 20) + situation, return_inverse=True)
    return np.asarray(cell, dtype=np.int64)
