"""Which comparison unit that may still serve is nearest in several columns?

Two ways to keep the comparison units of one exact group: a tree where distance alone decides, and
a sorted column where calipers leave each focal unit a window. Both are mutable and live within one
call of a matching function. Memory is linear in the units; nothing is n by n.
"""

from collections.abc import Set
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from prakerja_eval.matching.pairs.distances import ROUNDING, distinct
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

FIRST_LOOK = 8  # sites that a focal unit knows at first
Found = tuple[float, int]
_List = tuple[FloatArray, IntArray, bool]  # distances, sites, whether these are all


@dataclass(frozen=True, slots=True)
class Limits:
    """Calipers: columns in which a pair may differ by no more than a width.

    Attributes
    ----------
    focal, comparison : (n_focal, c), (n_comparison, c)
    width : (c,)
    """

    focal: FloatArray
    comparison: FloatArray
    width: FloatArray


@dataclass(frozen=True, slots=True)
class Field:
    """Two sides in the columns of a distance.

    Attributes
    ----------
    focal, comparison : (n_focal, q), (n_comparison, q)
        The distance is Euclidean in these.
    step : (n_focal,), (n_comparison,) int
        Places in the line in which tied units stand: comparison units 2, 4, 6, ..., focal units
        odd numbers between.
    limits : Limits
    outermost : bool
        Of tied units, whether the farthest in line is taken, or the nearest of either side.
    """

    focal: FloatArray
    comparison: FloatArray
    step: tuple[IntArray, IntArray]
    limits: Limits
    outermost: bool

    def choose(self, i: int, tied: IntArray) -> int:
        """Return which of the tied comparison units focal unit i takes; positions settle a par."""
        if len(tied) == 1:
            return int(tied[0])
        off = self.step[1][tied] - self.step[0][i]
        if self.outermost:
            far = np.abs(off)
            return int(tied[far == far.max()].min())
        sides = [
            tied[side][np.argmin(np.abs(off[side]))] for side in (off < 0, off > 0) if side.any()
        ]
        return int(min(sides))


def steps(key_focal: FloatArray, key_comparison: FloatArray) -> tuple[IntArray, IntArray]:
    """Put all units in line by a key, at equal keys the focal first, each kind by position."""
    order = np.argsort(key_comparison, kind="stable")
    own = np.empty(len(order), dtype=np.int64)
    own[order] = 2 * np.arange(1, len(order) + 1)
    below = np.searchsorted(key_comparison[order], key_focal, side="left")
    return 2 * below.astype(np.int64) + 1, own


class Stock(Protocol):
    """The comparison units of one exact group, and how often each may still serve."""

    def nearest(self, i: int, barred: Set[int]) -> Found | None:
        """Return the distance and position of the unit that focal unit i would take."""

    def take(self, j: int) -> None:
        """Use comparison unit j once."""


def stock(field: Field, mine: IntArray, theirs: IntArray, max_uses: int) -> Stock:
    """Return the way to keep comparison units that the field's limits ask for."""
    if len(field.limits.width):
        return WindowStock(field, mine, theirs, max_uses)
    return TreeStock(field, mine, theirs, max_uses)


class WindowStock:
    """Units sorted by the first limit; each focal unit looks through its window."""

    def __init__(self, field: Field, mine: IntArray, theirs: IntArray, max_uses: int) -> None:
        self.field = field
        self.unit, low, high = windows(field.limits, mine, theirs)
        self.run = {int(i): slice(a, b) for i, a, b in zip(mine, low, high, strict=True)}
        self.left = np.full(len(theirs), max_uses)
        self.slot = np.full(len(field.comparison), -1, dtype=np.int64)
        self.slot[self.unit] = np.arange(len(theirs))
        self.points = field.comparison[self.unit]
        self.columns = np.ascontiguousarray(field.limits.comparison[self.unit].T)

    def nearest(self, i: int, barred: Set[int]) -> Found | None:
        """Return the distance and position of the unit that focal unit i would take."""
        run, field = self.run[i], self.field
        may = self.left[run] > 0
        for column, at, width in zip(
            self.columns, field.limits.focal[i], field.limits.width, strict=True
        ):
            may &= np.abs(column[run] - at) <= width
        if barred:
            may &= ~np.isin(self.unit[run], list(barred))
        here = run.start + np.flatnonzero(may)
        if not len(here):
            return None
        d = np.sqrt(np.sum((self.points[here] - field.focal[i]) ** 2, axis=1))
        nearest = d.min()
        tied = self.unit[here[d <= nearest * (1 + ROUNDING)]]
        return float(nearest), field.choose(i, tied)

    def take(self, j: int) -> None:
        """Use comparison unit j once."""
        self.left[self.slot[j]] -= 1


def windows(
    limits: Limits, mine: IntArray, theirs: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Return comparison units sorted by the first limit, and where each focal unit's run is.

    The run is a little too wide, so that rounding leaves nobody out; the caller tests the limit.
    """
    here, width = limits.comparison[theirs, 0], limits.width[0]
    order = np.argsort(here, kind="stable")
    at = limits.focal[mine, 0]
    slack = 4 * np.finfo(np.float64).eps * (np.abs(at) + width)
    low = np.searchsorted(here[order], at - width - slack, side="left")
    high = np.searchsorted(here[order], at + width + slack, side="right")
    return theirs[order], low.astype(np.int64), high.astype(np.int64)


class TreeStock:
    """Units by site (place in space) in a tree; each focal unit keeps a list of near sites.

    A list made before some sites were used up still begins with the nearest of the others, so it
    is made anew, longer, only when all its sites are gone. The tree is then planted again if more
    than half of its sites are.
    """

    def __init__(self, field: Field, mine: IntArray, theirs: IntArray, max_uses: int) -> None:
        self.field = field
        self.sites, at = distinct(field.comparison[theirs])
        self.site = np.full(len(field.comparison), -1, dtype=np.int64)
        self.site[theirs] = at
        self.left = np.zeros(len(field.comparison), dtype=np.int64)
        self.left[theirs] = max_uses
        in_line = theirs[np.lexsort((field.step[1][theirs], at))]
        ends = np.cumsum(np.bincount(at, minlength=len(self.sites)))[:-1]
        self.units = [part.tolist() for part in np.split(in_line, ends)]
        self.open: BoolArray = np.ones(len(self.sites), dtype=np.bool_)
        self._plant()
        self.row = {int(i): r for r, i in enumerate(mine)}
        self.lists = self._look(field.focal[mine], FIRST_LOOK)
        self.longer: dict[int, _List] = {}

    def _plant(self) -> None:
        # With nothing open, what is left of the old tree says that nobody may serve.
        self.standing = np.flatnonzero(self.open) if self.open.any() else np.array([0])
        from scipy.spatial import cKDTree  # late: slow to import, and few calls need it

        self.tree = cKDTree(self.sites[self.standing])

    def _look(self, at: FloatArray, many: int) -> _List:
        many = min(many, len(self.standing))
        d, near = self.tree.query(at, k=np.arange(1, many + 1))
        return d, self.standing[near], many == len(self.standing)

    def nearest(self, i: int, barred: Set[int]) -> Found | None:
        """Return the distance and position of the unit that focal unit i would take."""
        row = self.row[i]
        d, sites, whole = self.longer.get(
            i, (self.lists[0][row], self.lists[1][row], self.lists[2])
        )
        while True:
            may = self.open[sites]
            if barred:
                may &= np.array([bool(self._ends(s, barred)) for s in sites.tolist()])
            here = np.flatnonzero(may)
            if len(here):
                reach = d[here[0]] * (1 + ROUNDING)
                if d[-1] > reach or whole:
                    tied = sites[here[d[here] <= reach]].tolist()
                    units = [j for s in tied for j in self._ends(s, barred)]
                    return float(d[here[0]]), self.field.choose(i, np.array(units))
            elif whole:
                return None
            if 2 * int(self.open.sum()) < len(self.standing):
                self._plant()
            d, sites, whole = self._look(self.field.focal[i], 2 * len(sites))
            self.longer[i] = (d, sites, whole)

    def _ends(self, site: int, barred: Set[int]) -> list[int]:
        """Return the first and last unit in line at a site that may serve."""
        units = self.units[site]
        first = next((j for j in units if j not in barred), None)
        if first is None:
            return []
        return [first, next(j for j in reversed(units) if j not in barred)]

    def take(self, j: int) -> None:
        """Use comparison unit j once."""
        self.left[j] -= 1
        if self.left[j] == 0:
            site = int(self.site[j])
            units = self.units[site]
            del units[-1 if units[-1] == j else units.index(j)]
            self.open[site] = bool(units)
