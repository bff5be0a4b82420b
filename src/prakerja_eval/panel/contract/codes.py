"""Which rows belong together? Labels as whole numbers, and what is the same within a group."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from prakerja_eval.panel.runs import factorise as codes_of
from prakerja_eval.typing import BoolArray, IntArray


@dataclass(frozen=True, eq=False)
class Codes:
    """A label for each row as a whole number.

    Attributes
    ----------
    of : (n,) array of int
        From 0 to ``count`` - 1; -1 where the label is missing.
    count : int
    run : int, optional
        Rows of each label, where they lie together in the order of the labels.
    """

    of: IntArray
    count: int
    run: int | None = None

    @cached_property
    def known(self) -> BoolArray:
        """Return which rows have a label."""
        return np.asarray(self.of >= 0)

    def sizes(self, rows: BoolArray | None = None) -> IntArray:
        """Return the number of rows of each label, of some rows or of all."""
        chosen = self.known if rows is None else rows & self.known
        return np.bincount(self.of[chosen], minlength=self.count)

    def any(self, rows: BoolArray) -> BoolArray:
        """Return for each label whether it has one of these rows."""
        if rows.all():
            return self._used.copy()
        out = np.zeros(self.count, dtype=bool)
        out[self.of[rows & self.known]] = True
        return out

    @cached_property
    def _used(self) -> BoolArray:
        """Return for each label whether it has a row."""
        return np.asarray(np.bincount(self.of + 1, minlength=self.count + 1)[1:] > 0)

    def spread(self, labels: BoolArray) -> BoolArray:
        """Return the rows whose label is one of these."""
        return np.asarray(np.append(labels, False)[self.of])

    def first(self, values: np.ndarray, known: BoolArray, none: float = -1) -> np.ndarray:
        """Return each label's value in the first row where it is known; ``none`` without one."""
        at = np.flatnonzero(known & self.known)[::-1]
        out = np.full(self.count, none, dtype=values.dtype)
        out[self.of[at]] = values[at]
        return out

    def varies(self, values: np.ndarray, known: BoolArray) -> BoolArray:
        """Return the labels that have more than one known value."""
        if not self.count:
            return np.zeros(0, dtype=bool)
        if self.run is not None and known.all():
            grid = values.reshape(self.count, self.run)
            return np.asarray((grid != grid[:, :1]).any(axis=1))
        if known.all():
            differs = values != values[self._first_row]
        else:
            differs = known & (values != self.first(values, known)[self.of])
        return self.any(differs) if differs.any() else np.zeros(self.count, dtype=bool)

    @cached_property
    def _first_row(self) -> IntArray:
        """Return for each row the first row of its label; itself without a label."""
        rows = np.arange(len(self.of))
        return np.where(self.known, self.first(rows, self.known)[self.of], rows)


def factorise(column: pd.Series) -> tuple[Codes, pd.Index]:
    """Return the codes of a column's labels, and the labels."""
    codes, labels = codes_of(column)
    return Codes(codes, len(labels)), labels


def pair(a: Codes, b: Codes) -> Codes:
    """Return the codes of the pairs of two labels that occur; missing where one is."""
    both = np.where(a.known & b.known, a.of * max(b.count, 1) + b.of, -1)
    if a.count * b.count <= 4 * len(both) + 1_000:
        return Codes(both, a.count * b.count)
    codes, labels = pd.factorize(np.where(both < 0, np.nan, both) if (both < 0).any() else both)
    return Codes(np.asarray(codes, dtype=np.int64), len(labels))


def per_group(group: Codes, waves: IntArray, rows: BoolArray, none: int, last: bool) -> IntArray:
    """Return for each group the first (or last) wave of some rows; ``none`` without one."""
    out = np.full(group.count, none, dtype=np.int64)
    at = rows & group.known & (waves >= 0)
    (np.maximum if last else np.minimum).at(out, group.of[at], waves[at])
    return out
