"""What does an Excel workbook hold? Cells of many kinds, made columns of one kind each."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from prakerja_eval.errors import DataError
from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.readers.dates import iso_text, normalise_dates
from prakerja_eval.panel.readers.header import refuse_data
from prakerja_eval.panel.readers.normal import kept_columns
from prakerja_eval.panel.readers.numbers import Numbers, normalise_numbers
from prakerja_eval.panel.readers.sheet import (
    Cell,
    Sheet,
    addresses,
    hidden_cells,
    read_sheet,
    refuse_merged,
)
from prakerja_eval.panel.table import Note, Table
from prakerja_eval.panel.values import plain_text

NOT_AVAILABLE = "#N/A"
FIRST_ROWS = 50
DIGITS = 1e15  # Excel keeps 15 digits of a number
Values = list[Any]


def read_excel(path: Path, options: ReadOptions, text: frozenset[str]) -> Table:
    """Read a sheet of an Excel workbook.

    Parameters
    ----------
    path : Path
        Of an existing file.
    options : ReadOptions
        ``sheet``, ``header``, ``decimal``, ``thousands``, ``dates``, ``drop`` and ``text`` are
        used; the marks are those of numbers stored as text.
    text : frozenset of str
        Columns that become text whatever their cells hold.

    Raises
    ------
    DataError
        If the file or its header is not clear, a formula has no result or an error as result, or
        ids are numbers of 16 digits, of which Excel keeps 15.
    """
    sheet = read_sheet(path, options)
    names, notes = _names(sheet, path.name, options)
    kept, dropped = kept_columns([n for n in names if n is not None], options, repr(path.name))
    places = [names.index(n) for n in kept]
    refuse_merged(sheet, set(places), path.name)
    columns, missing = _checked(sheet, dict(zip(kept, places, strict=True)), path.name)
    ids = text | frozenset(options.text)
    read = _plain(columns, options, ids)
    said = (*notes, *dropped, *hidden_cells(sheet), *missing, *read.notes)
    return Table(read.frame, reasons=read.reasons, notes=said, marks=read.marks)


def _names(sheet: Sheet, file: str, options: ReadOptions) -> tuple[list[str | None], list[Note]]:
    """Return the name of each column, None for one with neither a name nor a cell."""
    names: list[str | None] = []
    nameless = []
    for i, cell in enumerate(sheet.header):
        if isinstance(cell, Cell):
            raise DataError(f"{file!r}: the name of column {i + 1} is an error or a formula.")
        name = "" if cell is None else _word(cell).strip()
        if not name and any(row[i] is not None for row in sheet.rows):
            name = f"column_{i + 1}"
            nameless.append(name)
        names.append(name or None)
    typed = [
        "" if isinstance(c, datetime | date | time | timedelta) else n or ""
        for c, n in zip(sheet.header, names, strict=True)
    ]
    first = [
        ["" if c is None or isinstance(c, Cell) else _word(c) for c in row]
        for row in sheet.rows[:FIRST_ROWS]
    ]
    refuse_data(typed, first, options.drop, file)
    twice = sorted({n for n in names if n is not None and names.count(n) > 1})
    if twice:
        raise DataError(f"{file!r} has two columns named {twice[0]!r}; rename or drop one of them.")
    if not nameless:
        return names, []
    said = f"Column(s) without a name were named {', '.join(nameless)}."
    return names, [Note("nameless", said, tuple(nameless))]


def _checked(
    sheet: Sheet, places: dict[str, int], file: str
) -> tuple[dict[str, Values], list[Note]]:
    """Return the cells by column, #N/A as missing; refuse other errors and missing results."""
    columns: dict[str, Values] = {}
    absent: dict[str, int] = {}
    errors: list[str] = []
    formulas: list[str] = []
    for name, place in places.items():
        values = [row[place] for row in sheet.rows]
        for i in [i for i, v in enumerate(values) if isinstance(v, Cell)]:
            if values[i].error == NOT_AVAILABLE:
                absent[name] = absent.get(name, 0) + 1
            else:
                (errors if values[i].error else formulas).append(sheet.address(i, place))
            values[i] = None
        columns[name] = values
    if errors:
        raise DataError(
            f"{file!r}: formulas ended in an error (such as #REF! or #DIV/0!) in the cells "
            f"{addresses(errors)}. Mend or empty them in Excel and save again."
        )
    if formulas:
        raise DataError(
            f"{file!r}: the results of the formulas in {addresses(formulas)} are not stored in the "
            "file. Open it in Excel, save it, and read it again."
        )
    if not absent:
        return columns, []
    counts = ", ".join(f"{n} ({k})" for n, k in absent.items())
    return columns, [Note("missing_words", f"#N/A was read as missing: {counts}.", tuple(absent))]


def _plain(columns: dict[str, Values], options: ReadOptions, ids: frozenset[str]) -> Numbers:
    """Return numbers, text and ISO dates; numbers in cells of text by the rules of text files."""
    ready: dict[str, pd.Series] = {}
    mixed: dict[str, Values] = {}
    for name, values in columns.items():
        kinds = set(map(type, values)) - {type(None)}
        if name in ids:
            ready[name] = _text([_id_word(name, v) for v in values])
        elif kinds and kinds <= {int, float, bool}:
            ready[name] = _numbers(values)
        elif kinds and kinds <= {datetime, date}:
            ready[name] = _text(list(_iso(values)))
        elif len(kinds) == 1 and kinds != {str}:
            ready[name] = _text([None if v is None else _word(v) for v in values])
        else:
            words = [v if isinstance(v, str) else None for v in values]
            if kinds - {str}:
                mixed[name] = values
            ready[name] = _text(words)
    frame, reasons, notes, marks = normalise_numbers(pd.DataFrame(ready), options, ids)
    frame = frame.assign(**{n: _together(frame[n], values) for n, values in mixed.items()})
    words_still = [n for n in mixed if not pd.api.types.is_numeric_dtype(frame[n])]
    if reasons is not None:
        reasons = reasons.drop(columns=[n for n in words_still if n in reasons.columns])
        reasons = reasons if len(reasons.columns) else None
    frame, dates = normalise_dates(frame, options, ids)
    if words_still:
        shown = ", ".join(words_still)
        said = f"Columns with numbers and words, or dates and others, are text: {shown}."
        notes = (*notes, Note("mixed", said, tuple(words_still)))
    return Numbers(frame, reasons, (*notes, *dates), marks)


def _together(words: pd.Series, values: Values) -> pd.Series:
    """Put the numbers of a column beside those that its cells of text hold; else all is text."""
    numeric = pd.api.types.is_numeric_dtype(words)
    others = [None if isinstance(v, str) else v for v in values]
    if numeric and all(v is None or isinstance(v, int | float) for v in others):
        numbers = _numbers(others)
        return _narrow(words.where(words.notna(), numbers))
    return _text([None if v is None else _word(v) for v in values])


def _numbers(values: Values) -> pd.Series:
    """Return int64 where every cell is whole and none is missing, else float64."""
    return _narrow(
        pd.Series([np.nan if v is None else float(v) for v in values], dtype="float64"), values
    )


def _narrow(numbers: pd.Series, values: Sequence[Any] = ()) -> pd.Series:
    array = numbers.to_numpy(dtype=np.float64)
    whole = np.isfinite(array).all() and (np.floor(array) == array).all()
    if whole and (np.abs(array) < DIGITS).all() and not any(isinstance(v, float) for v in values):
        return numbers.astype("int64")
    return numbers


def _text(words: Values) -> pd.Series:
    stripped = [None if w is None else w.strip() or None for w in words]
    return pd.Series(pa.array(stripped, type=pa.string()).to_pandas(), dtype="str")


def _iso(values: Values) -> np.ndarray:
    return iso_text(np.array([np.datetime64("NaT") if v is None else v for v in values], "M8[us]"))


def _id_word(name: str, value: object) -> str | None:
    """Return an id as text; refuse numbers of which Excel has lost digits."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if abs(value) >= DIGITS:
            raise DataError(
                f"the id column {name!r} holds numbers of 16 and more digits, of which Excel keeps "
                "15: ids may already be damaged. Store ids as text and export again."
            )
        if not float(value).is_integer():
            raise DataError(
                f"the id column {name!r} holds numbers with fractions, so they are no ids. Name "
                "another column, or store ids as text."
            )
    return None if value is None else _word(value)


def _word(value: object) -> str:
    """Write a cell as text."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, datetime | date | time):
        words = value.isoformat()
        return words.removesuffix("T00:00:00")
    return str(value) if isinstance(value, timedelta) else plain_text(value)
