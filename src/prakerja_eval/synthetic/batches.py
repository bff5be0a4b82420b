"""Which batches does a scenario have? When, with what odds, and who applies first in each."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from prakerja_eval.errors import UsageError
from prakerja_eval.programme import Programme
from prakerja_eval.synthetic.calendar import month_label, month_number
from prakerja_eval.synthetic.limits import between, inside, whole
from prakerja_eval.typing import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Entry:
    """One batch of a scenario, ``[[lottery.batches]]``.

    Attributes
    ----------
    number : int
        Its number in the programme (1 to 22), or any from 1 to 999 where ``month`` is given.
    first : float
        Its part of all first applications; parts are divided by their sum. 0 where losers of
        earlier batches alone apply.
    odds : float, optional
        Places over applicants, above 0 and below 1.
    quota : int, optional
        Places, instead of ``odds``.
    recovery : bool
        The batch gives out the places revoked since the last such batch; it has no odds or quota.
    month : str, optional
        "2020-09"; left out, the month in which the programme opened it.
    """

    number: int
    first: float = 0.0
    odds: float | None = None
    quota: int | None = None
    recovery: bool = False
    month: str | None = None

    def __post_init__(self) -> None:
        whole("lottery.batches, number", self.number, 1, 999)
        key = f"lottery.batches, number {self.number}"
        between(f"{key}: first", self.first, 0, 1e9)
        if self.odds is not None:
            inside(f"{key}: odds", self.odds, 0, 1)
        if self.quota is not None:
            whole(f"{key}: quota", self.quota, 1, 1_000_000_000)
        if (self.odds is not None) + (self.quota is not None) + self.recovery != 1:
            raise UsageError(
                f"{key}: give odds (above 0 and below 1), or a quota (a number of places), or "
                "recovery = true, and one of them alone."
            )
        if self.month is not None:
            month_number(self.month, f"{key}: month")

    def opened(self) -> int:
        """Return the month in which the batch opened, counted from January 2020.

        Raises
        ------
        UsageError
            If neither the scenario nor the programme says it.
        """
        if self.month is not None:
            return month_number(self.month)
        for batch in Programme.named("prakerja").batches:
            if batch.number == self.number and batch.opened is not None:
                day = batch.opened.earliest
                return (day.year - 2020) * 12 + day.month - 1
        raise UsageError(
            f"lottery.batches, number {self.number}: the programme's facts have no opening month; "
            'give month = "2020-09".'
        )

    def n_places(self, applying: int, revoked: int = 0, who: str = "applicants") -> int:
        """Return how many places the batch gives out.

        Parameters
        ----------
        applying : int
            How many take part.
        revoked : int
            Places that a recovery batch can give out.
        who : str
            Who takes part, for the message.

        Raises
        ------
        UsageError
            If nobody would win, or nobody lose.
        """
        if self.odds is not None:
            what, n_places = f"odds = {self.odds:g}", round(self.odds * applying)
        elif self.recovery:
            what, n_places = "recovery = true (places revoked before)", revoked
        else:
            what, n_places = "quota", self.quota or 0
        if not 1 <= n_places < applying:
            most = f"from 1 to {applying - 1:,} places" if applying > 1 else f"2 {who} or more"
            raise UsageError(
                f"lottery.batches, number {self.number}: {what} gives {n_places:,} places to "
                f"{applying:,} {who}; a lottery needs {most}, so that somebody wins and somebody "
                "loses. Change the batch, or simulate more applicants (a few hundred at least)."
            )
        return n_places


# Batches 5 to 14, of which the odds of 5 and 6 (about .47), 9 (at most .16) and 11 (about .07, from
# places revoked before) follow from published figures. The other odds, and how many apply for the
# first time in each, are assumptions; batches 12 to 14 take losers of the earlier ones alone.
PROGRAMME = (
    Entry(5, first=0.10, odds=0.47),
    Entry(6, first=0.10, odds=0.47),
    Entry(7, first=0.18, odds=0.22),
    Entry(8, first=0.20, odds=0.18),
    Entry(9, first=0.28, odds=0.16),
    Entry(11, first=0.14, recovery=True),
    Entry(12, odds=0.12),
    Entry(13, odds=0.12),
    Entry(14, odds=0.12),
)


@dataclass(frozen=True, slots=True)
class Batches:
    """A scenario's batches in order of time.

    Attributes
    ----------
    entries : tuple of B Entry
    months : tuple of B int
        From January 2020.
    """

    entries: tuple[Entry, ...]
    months: tuple[int, ...] = field(default=())

    @classmethod
    def of(cls, entries: tuple[Entry, ...]) -> "Batches":
        """Return the batches with their months.

        Raises
        ------
        UsageError
            If there is none, numbers repeat, months do not rise, or nobody applies first.
        """
        numbers = [e.number for e in entries]
        if not entries:
            raise UsageError("lottery.batches is empty; give at least one [[lottery.batches]].")
        if len(set(numbers)) != len(numbers):
            raise UsageError(f"lottery.batches has a number twice: {numbers}.")
        if len(entries) > 32:
            raise UsageError(f"lottery.batches has {len(entries)} batches; there may be 1 to 32.")
        months = tuple(e.opened() for e in entries)
        if list(months) != sorted(months):
            raise UsageError(
                "lottery.batches must stand in order of time; they open in "
                f"{', '.join(month_label(m) for m in months)}."
            )
        if sum(e.first for e in entries) <= 0:
            raise UsageError("lottery.batches: nobody applies; give first above 0 in one of them.")
        return cls(entries, months)

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.entries)))

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def order(self) -> IntArray:
        """Return the place of each batch among those with first applications, 0, 1, ..., (B,)."""
        fresh = np.array([e.first > 0 for e in self.entries])
        return np.asarray(np.cumsum(fresh) - fresh, dtype=np.int64)

    def first(self, u: FloatArray) -> IntArray:
        """Return the place of the batch of the first application for each uniform number."""
        parts = np.array([e.first for e in self.entries])
        edges = np.cumsum(parts / parts.sum())[:-1]
        return np.asarray(np.searchsorted(edges, u, side="right"), dtype=np.int8)
