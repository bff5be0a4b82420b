"""What would the lottery have drawn another time? Compiled loops that draw and add up.

This module imports numba: import it where it is used, never at the top of a verb's module.
"""

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from prakerja_eval.typing import BoolArray, FloatArray, IntArray

LANES = 4  # columns that are added up together

Order = NDArray[np.int32]
State = NDArray[np.uint64]
F = TypeVar("F", bound=Callable[..., object])

HALF = np.uint64(32)
LOW = np.uint64(0xFFFFFFFF)


def compiled(function: F) -> F:
    """Compile at first use; keep the result beside the file, where that can be written."""
    try:
        return cast("F", numba.njit(cache=True)(function))
    except RuntimeError:  # no place for a cache: compile in each process
        return cast("F", numba.njit(function))


@compiled
def _pick(order: Order, take: int, state: State) -> None:
    """Bring a simple random sample of ``order`` to its first ``take`` places.

    A partial Fisher-Yates shuffle. Whatever the order before, each subset is equally likely, so it
    need not be restored between draws. The words are xoshiro256++ (Blackman and Vigna 2021, doi
    10.1145/3460772), turned into a position by multiplication with rejection (Lemire 2019, doi
    10.1145/3230636), which is exactly uniform.
    """
    s0, s1, s2, s3 = state[0], state[1], state[2], state[3]
    place = 0
    while place < take:
        total = s0 + s3
        word = ((total << np.uint64(23)) | (total >> np.uint64(41))) + s0
        shifted = s1 << np.uint64(17)
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= shifted
        s3 = (s3 << np.uint64(45)) | (s3 >> np.uint64(19))
        left = np.uint64(order.size - place)
        product = (word >> HALF) * left
        rest = product & LOW
        if rest < left and rest < ((np.uint64(1) << HALF) - left) % left:
            continue
        other = place + np.int64(product >> HALF)
        kept = order[other]
        order[other] = order[place]
        order[place] = kept
        place += 1
    state[0], state[1], state[2], state[3] = s0, s1, s2, s3


@compiled
def draw_sums(
    order: Order, starts: IntArray, take: IntArray, x: FloatArray, state: State, out: FloatArray
) -> None:
    """Draw ``take`` units of each block, R times, and add up their columns.

    Parameters
    ----------
    order : (G,) int32 array
        Units, block after block; shuffled in place within blocks.
    starts : (B + 1,) int array
        Where each block begins in ``order``.
    take : (B,) int array
    x : (G, q) array
        Rows by unit; q a multiple of ``LANES``.
    state : (B, 4) uint64 array
        A generator a block, carried on in place: draws do not depend on how they are cut in runs.
    out : (R, B, q) array
        Filled with the sums.
    """
    for b in range(take.size):
        own = order[starts[b] : starts[b + 1]]
        for r in range(out.shape[0]):
            _pick(own, take[b], state[b])
            for c in range(0, x.shape[1], LANES):
                a0, a1, a2, a3 = 0.0, 0.0, 0.0, 0.0
                for j in range(take[b]):
                    u = own[j]
                    a0 += x[u, c]
                    a1 += x[u, c + 1]
                    a2 += x[u, c + 2]
                    a3 += x[u, c + 3]
                out[r, b, c], out[r, b, c + 1] = a0, a1
                out[r, b, c + 2], out[r, b, c + 3] = a2, a3


@compiled
def draw_units(
    order: Order, starts: IntArray, take: IntArray, state: State, out: BoolArray
) -> None:
    """Draw as ``draw_sums`` does, the same units from the same state, and mark them.

    Parameters
    ----------
    order, starts, take, state
        As in ``draw_sums``.
    out : (R, G) bool array
        False at the start; drawn units are set to True.
    """
    for b in range(take.size):
        own = order[starts[b] : starts[b + 1]]
        for r in range(out.shape[0]):
            _pick(own, take[b], state[b])
            for j in range(take[b]):
                out[r, own[j]] = True


@compiled
def arm_weights(
    won: BoolArray, unit: IntArray, block: IntArray, weights: FloatArray, out: FloatArray
) -> None:
    """Add up the weight of each arm by draw and block.

    Parameters
    ----------
    won : (R, G) bool array
    unit, block : (m,) int arrays
        Unit of assignment and block of each person.
    weights : (m, 2) array
        Weight as a loser and as a winner.
    out : (R, B, 2) array
        Zero at the start; losers and winners at the end.
    """
    for r in range(won.shape[0]):
        for i in range(unit.size):
            arm = 1 if won[r, unit[i]] else 0
            out[r, block[i], arm] += weights[i, arm]


@compiled
def ecdf_distance(
    won: BoolArray,
    unit: IntArray,
    block: IntArray,
    weights: FloatArray,
    last: BoolArray,
    step: FloatArray,
    out: FloatArray,
) -> None:
    """Find the largest distance between the arms' weighted distribution functions.

    Parameters
    ----------
    won : (R, G) bool array
    unit, block : (m,) int arrays
        Of people in the order of their outcomes.
    weights : (m, 2) array
        Weight as a loser and as a winner.
    last : (m,) bool array
        Whether the person is the last one with the value.
    step : (R, B, 2) array
        What a unit of weight adds to the distance, losers with a minus.
    out : (R,) array
        Zero at the start.
    """
    for r in range(won.shape[0]):
        distance = 0.0
        for i in range(unit.size):
            arm = 1 if won[r, unit[i]] else 0
            distance += weights[i, arm] * step[r, block[i], arm]
            if last[i] and abs(distance) > out[r]:
                out[r] = abs(distance)
