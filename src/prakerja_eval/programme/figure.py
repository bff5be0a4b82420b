"""What does one published figure say, in which unit, when, and where does it stand?"""

import datetime as dt
import html
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from prakerja_eval.errors import DataError, UsageError

Value: TypeAlias = dt.date | int | float | str | tuple[float, float]
Confidence: TypeAlias = Literal["F", "M-hi", "M-med", "M-lo", "D"]

MARKS: Mapping[str, str] = MappingProxyType(
    {
        "F": "found",
        "M-hi": "recalled, high confidence",
        "M-med": "recalled, medium confidence",
        "M-lo": "recalled, low confidence",
        "D": "derived",
    }
)
CURRENCIES = ("Rp", "$", "KSh", "TL")  # written before the amount


@dataclass(frozen=True, slots=True)
class Figure:
    """One published figure with its unit, its date and where it is from.

    Attributes
    ----------
    value : date, int, float, str or (low, high)
        A number; a day, or a month as text ("2021-06") where the day is not known; a rule in
        words; or the two ends where the sources give a range, which is never made one number.
    source : str
        Where the figure stands.
    confidence : {"F", "M-hi", "M-med", "M-lo", "D"}
        Found in a public source; recalled with high (about 95 %), medium (75 %) or low (50 %)
        confidence; derived by arithmetic from found figures.
    note : str
        What to know before it is used: "almost", "at least", a conflict with another source.
    unit : str
        "people", "percent", "Rp a month", "unknown/index", ...
    date : str
        When, or for when, it holds: "2020", "2021-08", "2020-2022".
    interval : (low, high), optional
        Ends of a published confidence interval about `value`.

    Raises
    ------
    UsageError
        Without a source, with an unknown mark, with a value that is no number, text, date or
        pair, or with ends in the wrong order.

    Examples
    --------
    >>> from prakerja_eval.programme import Figure
    >>> print(Figure(1_000_000, "pontas.id", "F", unit="Rp", date="2020-2022"))
    Rp 1,000,000 (2020-2022; pontas.id; found)
    """

    value: Value
    source: str
    confidence: Confidence
    note: str = ""
    unit: str = ""
    date: str = ""
    interval: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        faults = list(_faults(self))
        if faults:
            raise UsageError(f"A figure {'; it '.join(faults)}.")

    @property
    def earliest(self) -> dt.date:
        """Return the first day that the figure may mean.

        Raises
        ------
        DataError
            If the figure is a number of people, or another value that is no date.
        """
        if isinstance(self.value, dt.date):
            return self.value
        if isinstance(self.value, str):
            try:
                return dt.date.fromisoformat(f"{self.value}-01")
            except ValueError:
                raise DataError(f"{self.value!r} is a text, and no date.") from None
        raise DataError(f"{self.value} is a number of {self.unit or 'people'}, and no date.")

    @property
    def number(self) -> float:
        """Return the value as one number.

        Raises
        ------
        DataError
            If it is a range, a text or a date: no middle is made up.
        """
        if isinstance(self.value, int | float):
            return self.value
        remedy = " Choose one of .low and .high." if isinstance(self.value, tuple) else ""
        raise DataError(f"{self.amount} is not one number.{remedy}")

    @property
    def low(self) -> float | None:
        """Return the lower end of the range or of the interval; None where there is none."""
        ends = self._ends()
        return None if ends is None else ends[0]

    @property
    def high(self) -> float | None:
        """Return the upper end of the range or of the interval; None where there is none."""
        ends = self._ends()
        return None if ends is None else ends[1]

    @property
    def amount(self) -> str:
        """Return the value with its unit: "Rp 600,000", "0.74 to 0.77 unknown/index"."""
        text = _text(self.value)
        first, _, rest = self.unit.partition(" ")
        if first in CURRENCIES:
            text = f"{first} {text} {rest}".rstrip()
        elif self.unit:
            text = f"{text} {self.unit}"
        return text if self.interval is None else f"{text}, interval {_text(self.interval)}"

    def __str__(self) -> str:
        when = f"{self.date}; " if self.date else ""
        return f"{self.amount} ({when}{self.source}; {MARKS[self.confidence]})"

    def _repr_html_(self) -> str:
        note = f"<br><small>{html.escape(self.note)}</small>" if self.note else ""
        return f"<p>{html.escape(str(self))}{note}</p>"

    def _ends(self) -> tuple[float, float] | None:
        return self.value if isinstance(self.value, tuple) else self.interval


def _text(value: Value) -> str:
    if isinstance(value, tuple):
        return " to ".join(map(_text, value))
    if isinstance(value, int | float):
        return f"{value:,}"
    return str(value)


def _faults(figure: Figure) -> Iterator[str]:
    """Give what is wrong with a figure, each as the end of a sentence, with its remedy."""
    if not figure.source:
        yield "has no source: write source = the host or the paper where it stands"
    mark = str(figure.confidence)
    if not mark:
        yield f"has no confidence: write one of {', '.join(MARKS)}"
    elif mark not in MARKS:
        yield f"has the confidence {mark!r}: write one of {', '.join(MARKS)}"
    if not _known_value(figure.value):
        yield (
            f"has the value {figure.value!r}: write a finite number, a text, a date, or "
            "[low, high] with low below high"
        )
    if figure.interval is not None and not _ordered(figure.interval):
        yield f"has the interval {figure.interval!r}: write [low, high] with low below high"


def _known_value(value: object) -> bool:
    if isinstance(value, bool | dt.datetime):
        return False
    if isinstance(value, int | float):
        return math.isfinite(value)
    if isinstance(value, str):
        return bool(value)
    return isinstance(value, dt.date) or _ordered(value)


def _ordered(pair: object) -> bool:
    """Say whether these are two finite numbers, the lower first."""
    if not isinstance(pair, tuple) or len(pair) != 2:
        return False
    numbers = [v for v in pair if isinstance(v, int | float) and not isinstance(v, bool)]
    return len(numbers) == 2 and all(map(math.isfinite, numbers)) and numbers[0] < numbers[1]
