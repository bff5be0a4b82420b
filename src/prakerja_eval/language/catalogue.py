"""Which words and number formats does a language have? The message catalogue."""

import math
import string
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType

from babel.numbers import format_decimal

from prakerja_eval.errors import UsageError
from prakerja_eval.language.measure import SHARE, Measure

LANGUAGES = ("en", "id")
SMALL_P = 0.001
HUGE = 1e15
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True, repr=False)
class Catalogue:
    """The messages and number formats of one language.

    Attributes
    ----------
    language : str
        "en" or "id".
    messages : mapping
        Dotted key to message with named places, ``{label}``.

    Examples
    --------
    >>> from prakerja_eval.language import Catalogue
    >>> Catalogue.named("en").number(1794.34)
    '1,794'
    """

    language: str
    messages: Mapping[str, str]

    @classmethod
    def named(cls, language: str) -> "Catalogue":
        """Return the catalogue of a language.

        Parameters
        ----------
        language : {"en", "id"}

        Raises
        ------
        UsageError
            For a language that there is not.
        """
        if language not in LANGUAGES:
            known = ", ".join(map(repr, LANGUAGES))
            raise UsageError(f"language {language!r} is not known; there are {known}.")
        source = resources.files("prakerja_eval.language").joinpath(f"{language}.toml")
        tree = tomllib.loads(source.read_text(encoding="utf-8"))
        return cls(language, MappingProxyType(dict(_flat(tree))))

    def __repr__(self) -> str:
        return f"Catalogue.named({self.language!r})"

    def __contains__(self, key: str) -> bool:
        return key in self.messages

    def text(self, key: str, **values: object) -> str:
        """Return a message with its places filled in.

        Raises
        ------
        KeyError
            For a key that there is not, or a place that is left empty.
        """
        if key not in self.messages:
            head = key.partition(".")[0]
            near = sorted(k for k in self.messages if k.partition(".")[0] == head)
            known = ", ".join(near or sorted({k.partition(".")[0] for k in self.messages}))
            raise KeyError(f"no message {key!r}; there are {known}")
        return self.messages[key].format(**values)

    def number(self, value: float | None, digits: int = 0) -> str:
        """Return a number with the language's separators; a dash where there is none.

        From 1e15 on it is written as a power of ten, "1.23e156".
        """
        if value is None or not math.isfinite(value):
            return self.messages["format.missing"]
        if abs(value) >= HUGE:
            return self._power_of_ten(float(value))
        rounded = round(float(value), digits) + 0.0  # no "minus zero"
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        return str(format_decimal(rounded, pattern, locale=self.language)).replace("-", MINUS)

    def percent(self, share: float | None, digits: int = 0) -> str:
        """Return a share as percent: 0.95 is "95 percent"."""
        value = None if share is None else 100 * share
        return self.text("format.percent", number=self.number(value, digits))

    def percent_points(self, share: float | None, digits: int = 1) -> str:
        """Return a difference of shares in percentage points."""
        return self.effect(share, Measure(SHARE, 100.0, digits))

    def money(self, value: float | None, unit: str) -> str:
        """Return an amount with its unit, whole where it is large."""
        return self.effect(value, Measure.of(unit, () if value is None else (value,)))

    def effect(self, value: float | None, measure: Measure) -> str:
        """Return a difference with its unit: "1,794 dollars", "11.1 percentage points"."""
        return self._amount(value, measure, "effect")

    def level(self, value: float | None, measure: Measure) -> str:
        """Return a mean with its unit: "4,555 dollars", "69.2 percent"."""
        return self._amount(value, measure, "level")

    def interval(self, low: float, high: float, measure: Measure) -> str:
        """Return "from low to high" with the unit of an effect."""
        return self.text(
            "format.interval", low=self.shown(low, measure), high=self.effect(high, measure)
        )

    def shown(self, value: float | None, measure: Measure) -> str:
        """Return the number alone, scaled as the measure says."""
        return self.number(None if value is None else value * measure.factor, measure.digits)

    def p_value(self, p: float | None, sentence: bool = False) -> str:
        """Return "0.012" or "< 0.001"; in a sentence, "p = 0.012" or "p < 0.001"."""
        small = p is not None and p < SMALL_P
        value = self.number(SMALL_P if small else p, 3)
        kind = ("p_below" if small else "p_equal") if sentence else "below"
        return self.text(f"format.{kind}", value=value) if sentence or small else value

    def _power_of_ten(self, value: float) -> str:
        """Return "1.23 times ten to the power of 156" as "1.23e156"."""
        head, power = f"{value:.2e}".split("e")
        shown = str(format_decimal(float(head), "0.00", locale=self.language))
        return f"{shown}e{int(power)}".replace("-", MINUS)

    def _amount(self, value: float | None, measure: Measure, kind: str) -> str:
        number = self.shown(value, measure)
        unit = unit_name(self, measure.unit, kind)
        return self.text("format.amount", number=number, unit=unit) if unit else number


def unit_name(catalogue: Catalogue, unit: str, kind: str = "effect") -> str:
    """Return the name of a unit; one that the catalogue does not know stands as it is.

    Parameters
    ----------
    catalogue : Catalogue
    unit : str
    kind : {"effect", "level"}
        A difference of shares is in percentage points, a share in percent.
    """
    key = f"unit.{SHARE}_{kind}" if unit == SHARE else f"unit.{unit}"
    return catalogue.text(key) if key in catalogue else unit


def plain(value: object) -> str:
    """Return a label; whole numbers without a decimal, nothing for None or NaN."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    whole = isinstance(value, float) and value.is_integer() and abs(value) < HUGE
    return f"{value:.0f}" if whole else str(value)


def titled(catalogue: Catalogue, name: str, wave: object) -> str:
    """Return the name of an outcome with its period, if there is one."""
    period = plain(wave)
    return catalogue.text("format.outcome_wave", outcome=name, wave=period) if period else name


def in_period(catalogue: Catalogue, wave: object) -> str:
    """Return " in period 2021" as a part of a sentence, or nothing."""
    period = plain(wave)
    return " " + catalogue.text("format.in_period", wave=period) if period else ""


def listing(catalogue: Catalogue, words: Sequence[str]) -> str:
    """Return "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return catalogue.text("format.list", first=", ".join(words[:-1]), last=words[-1])


def places(message: str) -> frozenset[str]:
    """Return the names of the places in a message."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(message) if name)


def _flat(tree: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield dotted keys and messages of nested TOML tables."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)
