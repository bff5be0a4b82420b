"""What stands in the cells of an Excel sheet? Rows as the file stores them, or why it cannot be."""

import re
import warnings
import zipfile
from collections.abc import Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import openpyxl
from openpyxl.utils import get_column_letter, range_boundaries

from prakerja_eval.errors import DataError, PrakerjaEvalError, UsageError, nearest
from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.table import Note

OLE = b"\xd0\xcf\x11\xe0"
MERGED = re.compile(rb'mergeCell [^>]*?ref="([A-Z]+[0-9]+:[A-Z]+[0-9]+)"')
ROW = re.compile(rb"<(?:\w+:)?row\s[^>]*>")
COLUMN = re.compile(rb"<(?:\w+:)?col\s[^>]*>")
FILTER = re.compile(rb"<(?:\w+:)?filterColumn[\s>]")
HIDDEN = re.compile(rb'\shidden="(?:1|true)"')
AT, MIN, MAX = (re.compile(rb'\s%s="(\d{1,7})"' % key) for key in (b"r", b"min", b"max"))
FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Cell:
    """A value that is no plain one: an error such as #N/A, or a formula without a result."""

    error: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The header and the rows of a sheet, of one length, without empty ones at the end."""

    header: tuple[Any, ...]
    rows: tuple[tuple[Any, ...], ...]
    first: int
    source: bytes = b""

    def address(self, row: int, column: int) -> str:
        """Return the address of a cell of the rows, such as B7."""
        return f"{get_column_letter(column + 1)}{self.first + row}"


def read_sheet(path: Path, options: ReadOptions) -> Sheet:
    """Read the sheet that the options name, or the only one with cells.

    Raises
    ------
    DataError
        If the file is damaged or has a password, if several sheets have cells and none is named,
        or there is no row below the names.
    UsageError
        If there is no sheet of the name.
    """
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            if file.read(4) == OLE:
                raise DataError(
                    f"{path.name!r} has a password, or is an old .xls workbook under another "
                    "ending. Open it in Excel and save it as .xlsx without a password."
                )
            warnings.simplefilter("ignore")  # of styles and menus, which are no data
            return _read(file, options, path.name)
    except PrakerjaEvalError:
        raise
    except Exception as error:  # what a damaged file makes the parser raise is open
        raise DataError(
            f"{path.name!r} cannot be read as Excel: it is damaged, or no Excel workbook. Open it "
            "in Excel and save it again as .xlsx."
        ) from error


def _read(file: BinaryIO, options: ReadOptions, name: str) -> Sheet:
    book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    try:
        sheet = _chosen(book, options, name)
        part = sheet._worksheet_path
        rows = _rows(sheet)
    finally:
        book.close()
    with zipfile.ZipFile(file) as archive:
        source = archive.read(part)
    if FORMULA.search(source):
        rows = _with_formulas(file, sheet.title, rows)
    filled = [i for i, row in enumerate(rows) if any(v is not None for v in row)]
    if not filled or filled[-1] < options.header - 1:
        raise DataError(
            f"the sheet {sheet.title!r} of {name!r} has no cells in row {options.header}, "
            "where the names should stand. Name that row in header=."
        )
    rows = rows[options.header - 1 : filled[-1] + 1]
    width = max(j + 1 for row in rows for j, v in enumerate(row) if v is not None)
    full = [tuple(row[:width]) + (None,) * (width - len(row)) for row in rows]
    if len(full) == 1:
        raise DataError(f"{name!r} has names and no rows. Fill the sheet, or name header=.")
    return Sheet(full[0], tuple(full[1:]), options.header + 1, source)


def _chosen(book: Any, options: ReadOptions, name: str) -> Any:
    """Return the sheet that is named, or the only one with cells."""
    titles = [s.title for s in book.worksheets]
    for sheet in book.worksheets:
        sheet.reset_dimensions()
    if options.sheet is not None:
        if options.sheet not in titles:
            raise UsageError(
                f"{name!r} has no sheet {options.sheet!r}.{nearest(options.sheet, titles)} There "
                f"are: {', '.join(titles)}."
            )
        return book.worksheets[titles.index(options.sheet)]
    filled = [
        s
        for s in book.worksheets
        if any(v is not None for r in s.iter_rows(values_only=True) for v in r)
    ]
    if len(filled) == 1:
        return filled[0]
    if not filled:
        raise DataError(f"{name!r} has no cells in any sheet. Check that it is the right file.")
    shown = ", ".join(repr(s.title) for s in filled)
    raise DataError(f"{name!r} has cells in the sheets {shown}. Name one of them in sheet=.")


def _rows(sheet: Any) -> list[tuple[Any, ...]]:
    """Return the values of a sheet; an empty text cell has none, an error is a Cell."""
    return [
        tuple(
            Cell(str(c.value)) if c.data_type == "e" else None if _blank(c.value) else c.value
            for c in row
        )
        for row in sheet.iter_rows()
    ]


def _blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _with_formulas(
    file: BinaryIO, title: str, rows: list[tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    """Mark the formulas whose result the file does not store."""
    book = openpyxl.load_workbook(file, read_only=True)
    try:
        sheet = book[title]
        sheet.reset_dimensions()
        said = [tuple(c.data_type == "f" for c in row) for row in sheet.iter_rows()]
    finally:
        book.close()
    return [
        tuple(Cell("") if f and v is None else v for v, f in zip(row, formulas, strict=True))
        for row, formulas in zip(rows, said, strict=True)
    ]


def refuse_merged(sheet: Sheet, places: Set[int], name: str) -> None:
    """Refuse merged cells in the header or below it, in the columns that are read.

    Raises
    ------
    DataError
        With the ranges.
    """
    last = sheet.first + len(sheet.rows) - 1
    header: list[str] = []
    body: list[str] = []
    for ref in (m.decode() for m in MERGED.findall(sheet.source)):
        left, top, right, bottom = range_boundaries(ref)
        if top > last or bottom < sheet.first - 1 or not places & set(range(left - 1, right)):
            continue
        (header if top < sheet.first else body).append(ref)
    if header:
        raise DataError(
            f"{name!r}: cells of the header are merged ({addresses(header)}), so that columns "
            "share a name. Split them and write each column's name, or name another row in header=."
        )
    if body:
        raise DataError(
            f"{name!r}: cells are merged ({addresses(body)}); only the first one of each holds a "
            "value, and the others would be missing. Split them in Excel and fill each cell, or "
            "leave the column out with drop=."
        )


def hidden_cells(sheet: Sheet) -> tuple[Note, ...]:
    """Say how many rows and columns are hidden, and whether a filter is set: all are read."""
    width, last = len(sheet.header), sheet.first + len(sheet.rows) - 1
    rows = [
        int(m[1]) for t in ROW.findall(sheet.source) if HIDDEN.search(t) and (m := AT.search(t))
    ]
    spans = [
        (int(a[1]), int(b[1]))
        for t in COLUMN.findall(sheet.source)
        if HIDDEN.search(t) and (a := MIN.search(t)) and (b := MAX.search(t))
    ]
    below = sum(sheet.first <= r <= last for r in rows)
    beside = sum(max(0, min(b, width) - a + 1) for a, b in spans)
    filtered = FILTER.search(sheet.source) is not None
    if not (below or beside or filtered):
        return ()
    said = (
        f"The sheet hides {below} row(s) and {beside} column(s)"
        + (", and a filter is set" if filtered else "")
        + "; they were read like all others. Delete in Excel those that are no data."
    )
    return (Note("hidden", said),)


def addresses(found: Sequence[str]) -> str:
    """Write the first addresses, and how many more there are."""
    more = len(found) - SHOWN
    return ", ".join(found[:SHOWN]) + (f" and {more} more" if more > 0 else "")
