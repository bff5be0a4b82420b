"""Which random number belongs to whom? One stream a variable and block of people.

A person's numbers depend on the seed, the name of the variable and the person's place alone, so
that adding people, waves or layers, or asking for a part of the people, changes nobody's numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from prakerja_eval.typing import FloatArray

CHUNK = 65_536  # people a stream; streams are read from their start, so parts begin at a multiple


@dataclass(frozen=True, slots=True)
class Draws:
    """The random numbers of the people at places start, ..., stop - 1.

    Attributes
    ----------
    seed : int
        Zero or more.
    start, stop : int
        ``start`` is a multiple of ``CHUNK``.
    """

    seed: int
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def uniform(self, name: str) -> FloatArray:
        """Return (n,) uniform numbers in [0, 1) of the variable called ``name``."""
        parts = [rng.random(size) for rng, size in self._streams(name)]
        return np.concatenate(parts) if len(parts) != 1 else parts[0]

    def normal(self, name: str) -> FloatArray:
        """Return (n,) standard normal numbers of the variable called ``name``."""
        parts = [rng.standard_normal(size) for rng, size in self._streams(name)]
        return np.concatenate(parts) if len(parts) != 1 else parts[0]

    def district(self, name: str, most: int = 4_096) -> FloatArray:
        """Return standard normal numbers of districts (or other places), (most,)."""
        return stream(self.seed, name).standard_normal(most)

    def parts(self) -> Iterator["Draws"]:
        """Give the draws chunk by chunk."""
        for first in range(self.start, self.stop, CHUNK):
            yield Draws(self.seed, first, min(first + CHUNK, self.stop))

    def _streams(self, name: str) -> Iterator[tuple[np.random.Generator, int]]:
        """Give the generator and the number of people of each chunk."""
        for part in self.parts():
            yield stream(self.seed, name, part.start // CHUNK), len(part)


def stream(seed: int, name: str, place: int = 0) -> np.random.Generator:
    """Return the generator of a variable (and a chunk of people)."""
    key = (crc32(name.encode()), place)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))
