"""Is the comma of a column its decimal mark or its mark of thousands? By what its cells show."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from prakerja_eval.errors import DataError
from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.table import Note
from prakerja_eval.panel.words import suggests
from prakerja_eval.typing import BoolArray

# which mark is the decimal one: the other one, if it stands, is that of thousands
Decimal: TypeAlias = Literal[".", ","]

UNCLEAR = r"^[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}$"  # 1.234: thousands, or three decimals
UNCLEAR_LENGTH = len("-123.456")
ROWS_SHOWN = 3
COLUMNS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the marks in a column of numbers show.

    Attributes
    ----------
    point, comma : (n,) array of bool
        Cells that can only be read with that decimal mark.
    unclear : bool
        Whether there are cells such as 1.234.
    has_point, has_comma : bool
        Whether any cell has the mark.
    """

    point: BoolArray
    comma: BoolArray
    unclear: bool
    has_point: bool
    has_comma: bool


def evidence_of(cells: pa.ChunkedArray, grouped: bool) -> Evidence | None:
    """Return what the marks of a column show; None where there are none.

    Parameters
    ----------
    cells : ChunkedArray of str
        Numbers or null.
    grouped : bool
        Whether a point or comma may stand between thousands at all.
    """
    points, commas = _count(cells, "."), _count(cells, ",")
    if not points.any() and not commas.any():
        return None
    unclear = np.zeros(len(cells), dtype=bool)
    if grouped:
        short = _truth(pc.less_equal(pc.binary_length(cells), UNCLEAR_LENGTH))
        few = cells.filter(pa.array(short))
        unclear[short] = _truth(pc.match_substring_regex(few, UNCLEAR))
    both = (points > 0) & (commas > 0)
    point_last = np.zeros(len(cells), dtype=bool)
    if both.any():
        point_last = _truth(
            pc.greater(pc.find_substring(cells, "."), pc.find_substring(cells, ","))
        )
    # a mark that stands once is the decimal one, one that is repeated is that of thousands; of two
    # marks the last one is the decimal one
    only_point, only_comma = (points > 0) & ~both, (commas > 0) & ~both
    point = (only_point & (points == 1) & ~unclear) | (only_comma & (commas > 1))
    comma = (only_comma & (commas == 1) & ~unclear) | (only_point & (points > 1))
    return Evidence(
        point | (both & point_last),
        comma | (both & ~point_last),
        bool(unclear.any()),
        bool(points.any()),
        bool(commas.any()),
    )


def _count(cells: pa.ChunkedArray, mark: str) -> np.ndarray:
    return np.asarray(pc.fill_null(pc.count_substring(cells, mark), 0))


def _truth(values: pa.ChunkedArray) -> BoolArray:
    return np.asarray(pc.fill_null(values, False), dtype=bool)


def told(options: ReadOptions) -> Decimal | None:
    """Return the decimal mark that the options name, by itself or through that of thousands."""
    if options.decimal is not None:
        return "," if options.decimal == "," else "."
    other: dict[str | None, Decimal] = {".": ",", ",": "."}
    return other.get(options.thousands)


def decimal_marks(
    evidence: Mapping[str, Evidence | None], options: ReadOptions
) -> tuple[dict[str, Decimal], tuple[Note, ...]]:
    """Return the decimal mark of every column of numbers, and what was assumed.

    Parameters
    ----------
    evidence : mapping of str to Evidence
        By column, None for columns without marks.
    options : ReadOptions
        What it names makes cells such as 1.234 readable.

    Raises
    ------
    DataError
        If the cells of a column contradict each other or the options, or can be read in two ways.
    """
    marked = {name: e for name, e in evidence.items() if e is not None}
    named = told(options)
    against = tuple(n for n, e in marked.items() if _certain_against(n, e, options))
    clear: dict[str, Decimal] = {}
    for name, shown in marked.items():
        of_others = None if name in against else named
        _refuse_contradiction(name, shown, of_others)
        if of_others is not None:
            clear[name] = of_others
        elif shown.point.any() or shown.comma.any():
            clear[name] = "." if shown.point.any() else ","
    _refuse_unclear({name: e for name, e in marked.items() if name not in clear})
    marks = {name: clear.get(name, named or ".") for name in evidence}
    return marks, tuple(_notes(marked, marks, against, options))


def _certain_against(name: str, shown: Evidence, options: ReadOptions) -> bool:
    """Say whether a column has decimals for certain, with the mark named for thousands alone.

    So one file can hold rates such as 0.5 beside amounts such as 1.234. Amounts of money are not
    among them: there 12.5 is more likely a slip.
    """
    if options.decimal is not None or suggests(name, "money") or shown.unclear:
        return False
    ours, other = (
        (shown.point, shown.comma) if options.thousands == "." else (shown.comma, shown.point)
    )
    return options.thousands in (".", ",") and bool(ours.any()) and not other.any()


def _refuse_contradiction(name: str, shown: Evidence, named: Decimal | None) -> None:
    points, commas = np.flatnonzero(shown.point) + 1, np.flatnonzero(shown.comma) + 1
    if len(points) and len(commas):
        raise DataError(
            f"the numbers in {name!r} have a decimal point ({_rows(points)}) and a "
            f"decimal comma ({_rows(commas)}), so that decimal= and thousands= cannot "
            "settle it. Write them in one way, or name the column in text= to keep it as text."
        )
    against = {".": commas, ",": points}.get(named or "", points[:0])
    if len(against):
        raise DataError(
            f"the numbers in {name!r} do not fit the marks that decimal= or thousands= names: see "
            f"{_rows(against)}. Correct them, or name the other mark in decimal=."
        )


def _refuse_unclear(unclear: Mapping[str, Evidence]) -> None:
    """Refuse columns of which every marked cell is like 1.234."""
    if not unclear:
        return
    shown = ", ".join(repr(n) for n in list(unclear)[:COLUMNS_SHOWN])
    more = len(unclear) - COLUMNS_SHOWN
    also = f" and {more} more" if more > 0 else ""
    marks = [
        m
        for m, has in ((".", "has_point"), (",", "has_comma"))
        if any(getattr(e, has) for e in unclear.values())
    ]
    decimals = " or ".join(f"decimal={m!r}" for m in marks)
    thousands = " or ".join(f"thousands={m!r}" for m in marks)
    raise DataError(
        f"numbers such as 1.234 or 1,234 in {shown}{also} can be read in two ways. Name {decimals} "
        f"if they have three decimals, or {thousands} if the mark stands between thousands."
    )


def _rows(rows: np.ndarray) -> str:
    shown = ", ".join(map(str, rows[:ROWS_SHOWN]))
    more = len(rows) - ROWS_SHOWN
    return f"row{'s' * (len(rows) > 1)} {shown}" + (f" and {more} more" if more > 0 else "")


def _notes(
    marked: Mapping[str, Evidence],
    marks: Mapping[str, Decimal],
    against: tuple[str, ...],
    options: ReadOptions,
) -> list[Note]:
    """Say which marks were assumed; what the options name was not."""
    by = {d: [n for n in marked if marks[n] == d] for d in (".", ",")}
    commas = tuple(n for n in by[","] if marked[n].has_comma and n not in against)
    dots = tuple(n for n in by[","] if marked[n].has_point)
    grouped = tuple(n for n in by["."] if marked[n].has_comma)
    found: list[Note] = []
    if commas and options.decimal is None:
        said = f"The comma is the decimal mark in {', '.join(commas)}. Name decimal='.' if not."
        found.append(Note("decimal", said, commas))
    for columns, word, mark in ((dots, "point", "."), (grouped, "comma", ",")):
        if columns and options.thousands is None:
            said = (
                f"The {word} stands between thousands in {', '.join(columns)}. Name "
                f"decimal={mark!r} if it is the decimal mark."
            )
            found.append(Note("thousands", said, columns))
    if against:
        said = (
            f"The numbers in {', '.join(against)} show that {options.thousands!r} is their decimal "
            "mark, though thousands= names it; they were read so. Name decimal= too to refuse them."
        )
        found.append(Note("marks_against", said, against))
    if by["."] and by[","]:
        said = (
            f"The decimal mark is a comma in {', '.join(by[','])} and a point in "
            f"{', '.join(by['.'])}: each column shows its own."
        )
        found.append(Note("marks_differ", said, (*by[","], *by["."])))
    return found
