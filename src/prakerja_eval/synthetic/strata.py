"""Among whom is a batch's lottery drawn? Province and priority group, merged where too few win."""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.synthetic.places import Places
from prakerja_eval.typing import BoolArray, CodeArray, FloatArray, IntArray

REST = "rest"


@dataclass(frozen=True, slots=True, eq=False)
class Strata:
    """The strata of one batch.

    Attributes
    ----------
    code : (m,) int array
        Stratum 0 .. S-1 of each applicant.
    names : tuple of S str
        Such as "Jawa Barat, priority".
    priority : (S,) bool array
        Whether the stratum is of the priority group alone.
    table : (P, 2) int array
        Stratum of the regular and of the priority applicants of each province; -1 for none.
    """

    code: CodeArray
    names: tuple[str, ...]
    priority: BoolArray
    table: IntArray

    @property
    def size(self) -> IntArray:
        """Return the applicants of each stratum, (S,)."""
        return np.bincount(self.code, minlength=len(self.names))


def strata(
    province: CodeArray, priority: BoolArray, counted: BoolArray, places: Places, need: float
) -> Strata:
    """Return the strata of a batch's m applicants.

    A province has a quota of its own where at least ``need`` people are ``counted`` (those who
    apply for the first time); the others of its island group share one, or else those of the
    country, or else join the largest. A priority group too small for any lottery of its own is
    drawn with the others.
    """
    apart = min(int((priority & counted).sum()), int((~priority & counted).sum())) >= need
    table = np.full((len(places.names), 2), -1, dtype=np.int64)
    names: list[str] = []
    for group in (0, 1) if apart else (0,):
        mine = priority == group if apart else np.ones(len(priority), dtype=bool)
        count, every = (
            np.bincount(province[who], minlength=len(places.names))
            for who in (mine & counted, mine)
        )
        area, labels = _areas(count, places, need)
        area, labels = _present(area, labels, every)
        table[:, group] = np.where(area >= 0, area + len(names), -1)
        what = ("regular", "priority")[group] if apart else "everybody"
        names += [f"{label}, {what}" for label in labels]
    if not apart:
        table[:, 1] = table[:, 0]
    first = np.array([name.endswith("priority") for name in names])
    short = table.astype(np.int16)
    code = np.where(priority, short[province, 1], short[province, 0])
    return Strata(code, tuple(names), first, table)


def _areas(count: IntArray, places: Places, need: float) -> tuple[IntArray, list[str]]:
    """Return each province's area and the areas' names."""
    area = np.where(count >= need, np.arange(len(count)), -1)
    labels = list(places.names)
    for i, island in enumerate(places.islands):
        left = (area < 0) & (places.island == i)
        if count[left].sum() >= need:
            area[left] = len(labels)
            labels.append(f"{island}, {REST}")
    left = area < 0
    if count[left].sum() < need and (~left).any():
        area[left] = int(np.argmax(np.bincount(area[~left], count[~left])))
    elif left.any():
        area[left] = len(labels)
        labels.append(REST if (~left).any() else "all provinces")
    return area, labels


def _present(area: IntArray, labels: list[str], every: IntArray) -> tuple[IntArray, list[str]]:
    """Return the areas renumbered, -1 for provinces in which nobody applies."""
    area = np.where(every > 0, area, -1)
    used = np.unique(area[area >= 0])
    code = np.searchsorted(used, area)
    return np.where(area >= 0, code, -1), [labels[u] for u in used]


def places_of(n_places: int, found: Strata, advantage: float) -> IntArray:
    """Return the quota of each stratum, (S,), of n_places in all.

    The chance in priority strata is ``advantage`` times that in the others, as far as every
    stratum keeps a winner and a loser.
    """
    size = found.size
    pull: FloatArray = np.where(found.priority, advantage, 1.0)
    return share_out(n_places, pull * size, np.ones_like(size), size - 1)


def share_out(total: int, wanted: FloatArray, low: IntArray, high: IntArray) -> IntArray:
    """Return whole numbers within low and high that sum to ``total``, (S,), as wanted divides it.

    ``total`` lies from sum(low) to sum(high), and everything wanted is above zero.
    """
    less, more = 0.0, float((high / wanted).max())  # a factor that gives too few, and enough
    for _ in range(60):
        factor = (less + more) / 2
        if np.clip(factor * wanted, low, high).sum() < total:
            less = factor
        else:
            more = factor
    exact = np.clip(more * wanted, low, high)
    given = np.floor(exact).astype(np.int64)
    missing = total - int(given.sum())
    given[np.argsort(given - exact, kind="stable")[:missing]] += 1  # largest remainders
    return given
