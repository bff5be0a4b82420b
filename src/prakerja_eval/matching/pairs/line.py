"""In which line do the comparison units stand? By exact group, score and position, sorted once."""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.typing import FloatArray, IntArray

Codes = tuple[IntArray, IntArray]


@dataclass(frozen=True, slots=True)
class Line:
    """Comparison units by exact group, then score, then position.

    Attributes
    ----------
    order : (n_comparison,) int
        Position of the unit at each place.
    score : (n_comparison,)
        Score at each place.
    edges : (S + 1,) int
        Where the stretch of each group begins.
    group : (n_focal,) int
        Group of each focal unit.
    """

    order: IntArray
    score: FloatArray
    edges: IntArray
    group: IntArray

    @property
    def stretch(self) -> IntArray:
        """Return where each focal unit's comparison units begin and end, (n_focal, 2)."""
        return np.column_stack((self.edges[self.group], self.edges[self.group + 1]))

    def queue(self, first: IntArray) -> tuple[IntArray, IntArray]:
        """Return focal positions (n_focal,) by group, in each as in ``first``, and the edges."""
        n_groups = len(self.edges) - 1
        return by_group(first, self.group, n_groups), _edges(self.group, n_groups)


def line_of(n_focal: int, score: FloatArray, groups: Codes | None) -> Line:
    """Put the comparison units in line.

    Parameters
    ----------
    n_focal : int
        Number of focal units.
    score : (n_comparison,)
        Scores of the comparison units.
    groups : pair of int arrays, optional
        Codes of focal and of comparison units; small numbers from zero are the fastest.
    """
    order = np.argsort(score, kind="stable")
    if groups is None:
        edges = np.array([0, len(score)])
        return Line(order, score[order], edges, np.zeros(n_focal, dtype=np.int64))
    focal, comparison, n_groups = _small(groups)
    order = by_group(order, comparison, n_groups)
    return Line(order, score[order], _edges(comparison, n_groups), focal)


def by_group(order: IntArray, codes: IntArray, n_groups: int) -> IntArray:
    """Return positions by code, in each group as they stood."""
    if n_groups == 1:
        return order
    # numpy sorts integers of two bytes by their digits, in linear time.
    small = np.uint16 if n_groups < 2**16 else np.int64
    sorted_: IntArray = order[np.argsort(codes[order].astype(small), kind="stable")]
    return sorted_


def written_out(taken: IntArray, line: Line) -> tuple[IntArray, IntArray]:
    """Return focal and comparison positions of places taken, (n_focal, k), -1 for none."""
    some = taken >= 0
    return np.nonzero(some)[0], line.order[taken[some]]


def _small(groups: Codes) -> tuple[IntArray, IntArray, int]:
    """Return codes from zero on, no higher than there are units, and their number."""
    focal, comparison = groups
    size = len(focal) + len(comparison)
    low = min((int(g.min()) for g in groups if len(g)), default=0)
    high = max((int(g.max()) for g in groups if len(g)), default=0)
    if low < 0 or high > size:
        found, codes = np.unique(np.concatenate(groups), return_inverse=True)
        return codes[: len(focal)], codes[len(focal) :], max(len(found), 1)
    return focal, comparison, high + 1


def _edges(codes: IntArray, n_groups: int) -> IntArray:
    return np.concatenate(([0], np.cumsum(np.bincount(codes, minlength=n_groups))))
