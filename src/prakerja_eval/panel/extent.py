"""From where to where do the numbers of a column go? Read once, a block at a time."""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.typing import FloatArray

BLOCK = 65_536  # numbers at a time, so that they stay in the cache


@dataclass(frozen=True, slots=True)
class Extent:
    """The ends of a column of numbers.

    Attributes
    ----------
    count : int
        Numbers, infinite ones too, without the missing ones.
    low, high : float
        The least and the largest; inf and -inf without a number.
    positive : float
        The least above zero; inf without one.
    """

    count: int
    low: float
    high: float
    positive: float

    @property
    def infinite(self) -> bool:
        """Say whether one of the numbers is infinite."""
        return self.count > 0 and not np.isfinite([self.low, self.high]).all()


def extent_of(values: FloatArray) -> Extent:
    """Return the ends of numbers, NaN where missing."""
    count, low, high, positive = 0, np.inf, -np.inf, np.inf
    for start in range(0, len(values), BLOCK):
        block = values[start : start + BLOCK]
        missing = np.isnan(block)
        block = block[~missing] if missing.any() else block
        if not block.size:
            continue
        least = block.min()
        above = block if least > 0 else block[block > 0]
        count += block.size
        low, high = min(low, least), max(high, block.max())
        positive = min(positive, above.min(initial=np.inf))
    return Extent(count, float(low), float(high), float(positive))
