"""How does the lottery go a second time? Its quotas, drawn again within each block."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from prakerja_eval.typing import BoolArray, FloatArray, IntArray

CHUNK = 200_000  # sums held at a time: what follows from them stays in the processor's cache
MANY = 10**18  # ways to draw, beyond which they are not counted
DRAWS = 64  # or those of as many draws, since each chunk reads all units once
MARKS = 4_000_000  # numbers, or marks of winners, that are never exceeded


@dataclass(frozen=True, slots=True, eq=False)
class Lottery:
    """G units of assignment in B blocks, each with its quota of winners.

    Attributes
    ----------
    starts : (B + 1,) int array
        Units are numbered block after block; block b has starts[b] .. starts[b + 1] - 1.
    won : (G,) bool array
        Who won.
    """

    starts: IntArray
    won: BoolArray

    @property
    def size(self) -> IntArray:
        """Return the units of each block, (B,)."""
        return np.diff(self.starts)

    @property
    def quota(self) -> IntArray:
        """Return the winners of each block, (B,)."""
        return self.block_sums(self.won[:, None].astype(np.float64))[:, 0].astype(np.int64)

    def block_sums(self, x: FloatArray) -> FloatArray:
        """Return the sums of x (G, q) by block, (B, q)."""
        return np.asarray(np.add.reduceat(x, self.starts[:-1], axis=0))

    def assignments(self) -> int:
        """Return the number of ways in which the lottery could have gone, at most ``MANY``."""
        blocks = [(int(n), int(m)) for n, m in zip(self.size, self.quota, strict=True)]
        size = sum(
            math.lgamma(n + 1) - math.lgamma(m + 1) - math.lgamma(n - m + 1) for n, m in blocks
        )
        if size > math.log(MANY):  # the number itself would have thousands of digits
            return MANY
        return math.prod(math.comb(n, m) for n, m in blocks)

    def mirrored(self) -> bool:
        """Say whether winners and losers could change places, everywhere at once."""
        return bool((2 * self.quota == self.size).all())


@dataclass(frozen=True, slots=True, eq=False)
class Redraws:
    """R re-draws of a lottery: every assignment once, or a random sample of them.

    Each call of ``sums`` and ``winners`` goes through the same draws in the same order.

    Attributes
    ----------
    lottery : Lottery
    reps : int
        R.
    state : (B, 4) uint64 array, optional
        Generators of a random sample; None for every assignment.
    """

    lottery: Lottery
    reps: int
    state: NDArray[np.uint64] | None = None

    def sums(self, x: FloatArray) -> Iterator[FloatArray]:
        """Give the winners' sums of x (G, q) in chunks, (r, B, q)."""
        n_blocks, q = len(self.lottery.size), x.shape[1]
        cells = n_blocks * q
        chunk = max(1, CHUNK // cells, min(DRAWS, MARKS // cells))
        few, turned = self._smaller_arm()
        total = self.lottery.block_sums(x)
        drawn = self._every_sum(x, few, chunk) if self.state is None else self._sums(x, few, chunk)
        for sums in drawn:
            sums[:, turned] = total[turned] - sums[:, turned]
            yield sums

    def winners(self, chunk: int | None = None) -> Iterator[BoolArray]:
        """Give the winners in chunks, (r, G)."""
        size = self.lottery.size
        chunk = chunk or max(1, MARKS // len(self.lottery.won))
        few, turned = self._smaller_arm()
        drawn = self._every_unit(few, chunk) if self.state is None else self._units(few, chunk)
        for chosen in drawn:
            yield chosen ^ np.repeat(turned, size)

    def _smaller_arm(self) -> tuple[IntArray, BoolArray]:
        """Return the size of each block's smaller arm, and whether those are the losers."""
        size, quota = self.lottery.size, self.lottery.quota
        return np.minimum(quota, size - quota), 2 * quota > size

    def _sums(self, x: FloatArray, few: IntArray, chunk: int) -> Iterator[FloatArray]:
        from prakerja_eval.numerics.redraw import LANES, draw_sums

        assert self.state is not None
        padded = np.zeros((len(x), -(-x.shape[1] // LANES) * LANES))
        padded[:, : x.shape[1]] = x
        order, state = np.arange(len(x), dtype=np.int32), self.state.copy()
        for first in range(0, self.reps, chunk):
            out = np.empty((min(chunk, self.reps - first), len(few), padded.shape[1]))
            draw_sums(order, self.lottery.starts, few, padded, state, out)
            yield out[:, :, : x.shape[1]]

    def _units(self, few: IntArray, chunk: int) -> Iterator[BoolArray]:
        from prakerja_eval.numerics.redraw import draw_units

        assert self.state is not None
        n_units = len(self.lottery.won)
        order, state = np.arange(n_units, dtype=np.int32), self.state.copy()
        for first in range(0, self.reps, chunk):
            out = np.zeros((min(chunk, self.reps - first), n_units), dtype=bool)
            draw_units(order, self.lottery.starts, few, state, out)
            yield out

    def _every_sum(self, x: FloatArray, few: IntArray, chunk: int) -> Iterator[FloatArray]:
        subsets = self._subsets(few)
        tables = [x[chosen].sum(axis=1) for chosen in subsets]
        for digits in _odometer([len(t) for t in tables], chunk):
            yield np.stack([t[d] for t, d in zip(tables, digits, strict=True)], axis=1)

    def _every_unit(self, few: IntArray, chunk: int) -> Iterator[BoolArray]:
        subsets = self._subsets(few)
        for digits in _odometer([len(s) for s in subsets], chunk):
            out = np.zeros((digits.shape[1], len(self.lottery.won)), dtype=bool)
            for chosen, digit in zip(subsets, digits, strict=True):
                np.put_along_axis(out, chosen[digit], True, axis=1)
            yield out

    def _subsets(self, few: IntArray) -> list[IntArray]:
        """Return the subsets of each block of the size of its smaller arm, (C_b, few_b)."""
        blocks = zip(self.lottery.starts, self.lottery.size, few, strict=False)
        return [
            start + np.array(list(combinations(range(size), int(take))), dtype=np.int64)
            for start, size, take in blocks
        ]


def _odometer(counts: list[int], chunk: int) -> Iterator[IntArray]:
    """Give every combination of one choice a block, (B, r) positions a chunk."""
    total = math.prod(counts)
    strides = np.cumprod([1, *counts[:-1]])
    for first in range(0, total, chunk):
        number = np.arange(first, min(first + chunk, total))
        yield number // strides[:, None] % np.array(counts)[:, None]


def every_draw(lottery: Lottery) -> Redraws:
    """Return all assignments."""
    return Redraws(lottery, lottery.assignments())


def random_draws(lottery: Lottery, reps: int, state: NDArray[np.uint64]) -> Redraws:
    """Return a random sample of assignments; ``state`` (B, 4) seeds a generator for each block."""
    return Redraws(lottery, reps, state)
