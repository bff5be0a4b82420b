"""What were an applicant's chances before the numbers were drawn? Quotas, and the household cap.

A lottery number is uniform, and who wins in a stratum are the lowest numbers up to a cut-off, but
for those whose household has its winners already. So a person of stratum s, who has j mates of the
household in the same draw and stratum and l in another stratum t, and whose household may still
have r winners, wins with the chance

    P = integral from 0 to c_s of Pr(Bin(j, u) + Bin(l, min(u, c_t)) < r) du,

the chance that fewer than r mates stand ahead who would win. The cut-offs c are those at which a
stratum's chances sum to its places. Where no cap can bind this is places over applicants, exactly;
else it is exact as strata grow, and its error in a stratum of m people is less than about 1 / m.
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.typing import CodeArray, FloatArray, IntArray

ENOUGH = 1e-12  # of the places: how near the sum of chances must come
ROUNDS = 500


@dataclass(frozen=True, slots=True, eq=False)
class Situations:
    """The C situations in which applicants are, and who is in which; see the formula above.

    Attributes
    ----------
    code : (m,) int array
        Situation of each applicant.
    stratum, other, same, apart, room : (C,) int arrays
        s, t, j, l and r.
    """

    code: CodeArray
    stratum: IntArray
    other: IntArray
    same: IntArray
    apart: IntArray
    room: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Chances:
    """Chances of winning of m applicants, by situation.

    Attributes
    ----------
    code : (m,) int array
    value : (C,) array
    """

    code: CodeArray
    value: FloatArray

    @property
    def of_all(self) -> FloatArray:
        """Return the chance of each applicant, (m,)."""
        return self.value[self.code]


def chances_of(stratum: CodeArray, home: CodeArray, quota: IntArray, room: CodeArray) -> Chances:
    """Return the chances of winning of m applicants.

    Parameters
    ----------
    stratum : (m,) int array
        Stratum 0 .. S-1.
    home : (m,) int array
        Household 0 .. H-1, none without an applicant, rising; its people are in two strata at most.
    quota, room : (S,) and (H,) int arrays
        Places; how many of the household may still win, above 0.
    """
    found = situations(stratum, home, room)
    people = np.bincount(found.code)
    places = quota.astype(np.float64)
    cut = places / np.bincount(stratum, minlength=len(quota))
    for _ in range(ROUNDS):
        chance = chances_given(cut, found)
        filled = np.bincount(found.stratum, people * chance, minlength=len(quota))
        # a cut-off of 1: the cap leaves places that nobody can take
        if np.all((np.abs(filled - places) <= ENOUGH * places) | (cut >= 1)):
            break
        cut = np.minimum(cut * places / filled, 1.0)
    return Chances(found.code, chance)


def situations(stratum: CodeArray, home: CodeArray, room: CodeArray) -> Situations:
    """Return the situations; people whose household cannot reach its cap have no mates in them."""
    starts = np.flatnonzero(np.append(True, home[1:] != home[:-1])).astype(np.int32)
    every = np.diff(starts, append=np.int32(len(home)))
    bound = np.flatnonzero((every > room)[home])
    mine, where = stratum[bound], home[bound]
    low, high = (side.reduceat(stratum, starts)[where] for side in (np.minimum, np.maximum))
    n_strata, most = int(stratum.max()) + 1, int(every.max())
    _, pair = np.unique(where * np.int64(n_strata) + mine, return_inverse=True)
    same = np.bincount(pair)[pair] - 1
    apart = every[where] - 1 - same
    rows = (mine, np.where(mine == low, high, low), same, apart, room[where])
    shape = (n_strata, n_strata, most, most, int(room.max()) + 1)
    kinds, which = np.unique(np.ravel_multi_index(rows, shape), return_inverse=True)
    s, zero = np.arange(n_strata), np.zeros(n_strata, dtype=np.int64)
    free = (s, s, zero, zero, zero + 1)
    code = stratum.astype(np.int32)
    code[bound] = n_strata + which
    bounds = np.unravel_index(kinds, shape)
    return Situations(code, *(np.append(a, b) for a, b in zip(free, bounds, strict=True)))


def chances_given(cut: FloatArray, found: Situations) -> FloatArray:
    """Return the chance of each situation given the cut-offs, (C,)."""
    most = int((found.same + found.apart).max())
    nodes, weights = np.polynomial.legendre.leggauss(most // 2 + 1)  # exact for this degree
    nodes, weights = (nodes + 1) / 2, weights / 2
    own, other = cut[found.stratum], cut[found.other]
    low = np.minimum(own, other)
    total = np.zeros(len(own))
    for start, stop in ((np.zeros_like(low), low), (low, own)):
        u = start[:, None] + (stop - start)[:, None] * nodes
        total += (stop - start) * (_room_left(found, u, np.minimum(u, other[:, None])) @ weights)
    return total


def _room_left(found: Situations, u: FloatArray, v: FloatArray) -> FloatArray:
    """Return the chance that fewer than r mates are ahead, (C, Q).

    A mate of the same stratum is ahead with chance u, one of the other with chance v, (C, Q).
    """
    ahead = np.zeros((int(found.room.max()), *u.shape))  # chance that k are, k < r
    ahead[0] = 1.0
    for mates, chance in ((found.same, u), (found.apart, v)):
        for k in range(int(mates.max())):
            p = np.where((mates > k)[:, None], chance, 0.0)
            ahead[1:] = ahead[1:] * (1 - p) + ahead[:-1] * p
            ahead[0] *= 1 - p
    counted = np.arange(len(ahead))[:, None] < found.room
    return np.asarray((ahead * counted[:, :, None]).sum(axis=0))
