"""What stands in the cells of an Excel sheet? Rows as the file stores them, or why it cannot be."""

import re
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import openpyxl
from openpyxl.utils import get_column_letter, range_boundaries

from prakerja_eval.errors import DataError, PrakerjaEvalError, UsageError
from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.readers.toml import nearest

OLE = b"\xd0\xcf\x11\xe0"
MERGED = re.compile(rb'mergeCell [^>]*?ref="([A-Z]+[0-9]+:[A-Z]+[0-9]+)"')
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

    def address(self, row: int, column: int) -> str:
        """Return the address of a cell of the rows, such as B7."""
        return f"{get_column_letter(column + 1)}{self.first + row}"


def read_sheet(path: Path, options: ReadOptions) -> Sheet:
    """Read the sheet that the options name, or the only one with cells.

    Raises
    ------
    DataError
        If the file is damaged or has a password, if several sheets have cells and none is named,
        if the header is merged, or there is no row below it.
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
    _refuse_merged(source, options.header, name)
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
    return Sheet(full[0], tuple(full[1:]), options.header + 1)


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


def _refuse_merged(source: bytes, header: int, name: str) -> None:
    """Refuse merged cells in the header."""
    found = [m.decode() for m in MERGED.findall(source)]
    bad = [ref for ref in found if range_boundaries(ref)[1] <= header <= range_boundaries(ref)[3]]
    if bad:
        raise DataError(
            f"{name!r}: cells of the header are merged ({', '.join(bad[:SHOWN])}), so that columns "
            "share a name. Split them and write each column's name, or name another row in header=."
        )


def addresses(found: Sequence[str]) -> str:
    """Write the first addresses, and how many more there are."""
    more = len(found) - SHOWN
    return ", ".join(found[:SHOWN]) + (f" and {more} more" if more > 0 else "")
