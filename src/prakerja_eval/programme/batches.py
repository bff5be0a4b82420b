"""When did each batch of the programme open, and how many got in? Read from batches.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache
from importlib import resources
from typing import Literal, TypeAlias

from prakerja_eval.errors import DataError

Confidence: TypeAlias = Literal["F", "M-hi", "M-med", "D"]
MARKS = ("F", "M-hi", "M-med", "D")


@dataclass(frozen=True, slots=True)
class Figure:
    """One published figure with where it is from.

    Attributes
    ----------
    value : date, int or str
        A day, a number of people, or a month as text ("2021-06") where the day is not known.
    source : str
        Where the figure stands.
    confidence : {"F", "M-hi", "M-med", "D"}
        Found in a public source; recalled with high or with medium confidence; derived by
        arithmetic from found figures.
    note : str
        What to know before it is used, such as "almost" or "at least".
    """

    value: date | int | str
    source: str
    confidence: Confidence
    note: str = ""

    @property
    def earliest(self) -> date:
        """Return the first day that the figure may mean.

        Raises
        ------
        DataError
            If the figure is a number of people.
        """
        if isinstance(self.value, date):
            return self.value
        if isinstance(self.value, str):
            return date.fromisoformat(f"{self.value}-01")
        raise DataError(f"{self.value} is a number of people, and no date.")


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch (gelombang) of applicants; what is not known is None.

    Attributes
    ----------
    number : int
    opened, closed : Figure, optional
        First and last day of applications, or their month.
    recipients : Figure, optional
        Quota, or people accepted.
    applicants : Figure, optional
        People who applied.
    """

    number: int
    opened: Figure | None = None
    closed: Figure | None = None
    recipients: Figure | None = None
    applicants: Figure | None = None


@lru_cache(maxsize=1)
def batches() -> tuple[Batch, ...]:
    """Return the batches of which anything is known, in order."""
    source = resources.files("prakerja_eval.programme").joinpath("batches.toml")
    tree = tomllib.loads(source.read_text(encoding="utf-8"))
    found = [_batch(int(number), entry) for number, entry in tree["batch"].items()]
    return tuple(sorted(found, key=lambda b: b.number))


def first_opening() -> date:
    """Return the day on which the programme first took applications: 11 April 2020."""
    return min(b.opened.earliest for b in batches() if b.opened is not None)


def _batch(number: int, entry: Mapping[str, Mapping[str, str]]) -> Batch:
    known = {f.name for f in fields(Batch)} - {"number"}
    strange = set(entry) - known
    if strange:
        raise DataError(f"batches.toml, batch {number}: {', '.join(sorted(strange))} is not known.")
    figures = {key: Figure(**cell) for key, cell in entry.items()}  # type: ignore[arg-type]
    for key, figure in figures.items():
        if figure.confidence not in MARKS or not figure.source:
            raise DataError(f"batches.toml, batch {number}: {key} has no source or confidence.")
    return Batch(number, **figures)
