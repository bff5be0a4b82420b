"""What did a rule find, and how is it said? Words, severity and designs from faults.toml."""

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import TypeAlias

import numpy as np

from prakerja_eval.panel.contract.facts import Facts
from prakerja_eval.panel.contract.fault import Fault, Severity
from prakerja_eval.typing import BoolArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """The bad rows that a rule found.

    Attributes
    ----------
    code : str
        A table of faults.toml, or "table.variant" for one of its variants.
    columns : tuple of str
    bad : (n,) bool array
        Nothing is found where no row is bad.
    places : mapping of str to object
        Fills the named places of the message, why and remedy. ``column`` and ``rows`` are always
        there; never a cell of an id column.
    """

    code: str
    columns: tuple[str, ...]
    bad: BoolArray
    places: Mapping[str, object] = field(default_factory=dict)


Rule: TypeAlias = Callable[[Facts], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Wording:
    """How a kind of fault is said.

    Attributes
    ----------
    severity : {"error", "warning"}
    designs : tuple of str
    message, why, remedy : str
        With named places in braces.
    """

    severity: Severity
    designs: tuple[str, ...]
    message: str
    why: str
    remedy: str


@lru_cache(maxsize=1)
def wordings() -> Mapping[str, Wording]:
    """Return the words of each code, and of each variant as "code.variant", in order."""
    source = resources.files("prakerja_eval.panel.contract").joinpath("faults.toml")
    tree = tomllib.loads(source.read_text(encoding="utf-8"))
    out: dict[str, Wording] = {}
    for code, entry in tree.items():
        variants = entry.pop("variant", {})
        for name, changes in (("", {}), *variants.items()):
            words = {**entry, **changes}
            words["designs"] = tuple(words["designs"])
            out[f"{code}.{name}" if name else code] = Wording(**words)
    return out


def codes() -> tuple[str, ...]:
    """Return every code there is, in the order in which they are told."""
    return tuple(c for c in wordings() if "." not in c)


def counted(number: int, word: str) -> str:
    """Write a number of things: "1 row", "24 rows", "3 waves"."""
    return f"{number:,} {word if number == 1 else word + 's'}"


def faults_of(findings: Iterator[Finding], row_numbers: IntArray) -> tuple[Fault, ...]:
    """Put the findings into words: errors first, then in the order of faults.toml."""
    return in_order(_fault(f, np.sort(row_numbers[f.bad])) for f in findings if f.bad.any())


def in_order(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Return faults as they are told: errors first, then in the order of faults.toml."""
    order = {code: i for i, code in enumerate(codes())}
    return tuple(sorted(faults, key=lambda f: (f.severity != "error", order[f.code])))


def _fault(found: Finding, rows: IntArray) -> Fault:
    words = wordings()[found.code]
    places = {"column": found.columns[-1], **found.places, "rows": counted(len(rows), "row")}
    return Fault(
        code=found.code.partition(".")[0],
        severity=words.severity,
        designs=words.designs,
        message=words.message.format(**places),
        why=words.why.format(**places),
        remedy=words.remedy.format(**places),
        columns=found.columns,
        rows=tuple(rows.tolist()),
    )
