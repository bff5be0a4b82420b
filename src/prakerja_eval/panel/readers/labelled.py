"""How are files with labels read? What Stata and SPSS share: metadata, calendars, codes."""

import codecs
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from prakerja_eval.errors import DataError, PrakerjaEvalError, UsageError
from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.readers.ids import FLOAT64
from prakerja_eval.panel.readers.normal import kept_columns, plain_columns, refuse_no_rows
from prakerja_eval.panel.table import Note, Table, Variable
from prakerja_eval.typing import FloatArray

PER_YEAR = {"D": 365.2425, "M": 12.0, "Q": 4.0, "s": 31_556_952.0, "ms": 31_556_952_000.0}


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A column of a labelled file, its missing reasons set apart.

    ``cells`` are numbers, text or time stamps; ``reasons`` the code of each row, None where there
    is none; ``limit`` is the size from which on whole numbers may have lost digits.
    """

    cells: pa.ChunkedArray
    variable: Variable
    reasons: np.ndarray | None = None
    limit: float = FLOAT64
    notes: tuple[Note, ...] = ()


def read_labelled(
    read: Callable[..., Any], path: Path, options: ReadOptions
) -> tuple[pd.DataFrame, Any, tuple[Note, ...]]:
    """Return the columns that are not dropped, the metadata, and a note on what was dropped.

    Parameters
    ----------
    read : callable
        ``read_dta`` or ``read_sav`` of pyreadstat.
    path : Path
    options : ReadOptions
        ``drop`` and ``encoding`` are used.

    Raises
    ------
    DataError
        If the file is damaged or has no rows.
    UsageError
        If the encoding is not known, or every column is dropped.
    """
    asked = {"encoding": _encoding(options)}
    try:
        _, meta = read(str(path), metadataonly=True, **asked)
        names = [n for n in meta.column_names if isinstance(n, str) and n]
        if not names or len(set(names)) < len(meta.column_names):
            raise damaged(path)
        kept, notes = kept_columns(names, options, repr(path.name))
        columns = {"usecols": kept} if notes else {}
        raw = {"user_missing": True, "disable_datetime_conversion": True}
        frame, meta = read(str(path), **raw, **asked, **columns)
    except PrakerjaEvalError:
        raise
    except Exception as error:  # a parser in C: what a damaged file makes it raise is open
        raise damaged(path) from error
    refuse_no_rows(len(frame), path.name)
    return frame, meta, notes


def damaged(path: Path) -> DataError:
    """Return the error of a file that cannot be read."""
    kind = "Stata" if path.suffix.lower() == ".dta" else "SPSS"
    return DataError(
        f"{path.name!r} cannot be read as {kind}: it is damaged, not complete, or no {kind} file. "
        "Export it again; if its text is in another encoding, name it in encoding=."
    )


def _encoding(options: ReadOptions) -> str | None:
    if options.encoding is None:
        return None
    try:
        return codecs.lookup(options.encoding).name
    except LookupError as error:
        raise UsageError(
            f"encoding={options.encoding!r} is not known; name one such as 'utf-8' or 'cp1252'."
        ) from error


def table_of_columns(
    columns: Mapping[str, Column],
    options: ReadOptions,
    text: frozenset[str],
    notes: Iterable[Note],
) -> Table:
    """Put columns together to a table."""
    cells = {name: column.cells for name, column in columns.items()}
    limits = {name: column.limit for name, column in columns.items()}
    frame, more = plain_columns(cells, options, text, limits)
    why = {n: c.reasons for n, c in columns.items() if c.reasons is not None}
    reasons = pd.DataFrame(why, index=frame.index, dtype=object) if why else None
    codebook = {n: c.variable for n, c in columns.items() if c.variable != Variable()}
    own = [note for column in columns.values() for note in column.notes]
    return Table(frame, codebook, reasons, (*notes, *own, *more))


def variable_of(
    label: str | None, labels: Mapping[str, str], missing: Iterable[str] = ()
) -> Variable:
    """Return the entry of a column: what codes mean, and which of them are missing reasons."""
    reasons = {code: labels.get(code, "") for code in missing}
    values = {code: text for code, text in labels.items() if code not in reasons}
    return Variable(label or "", values, reasons)


def arrow(values: np.ndarray | pd.Series) -> pa.ChunkedArray:
    """Return values as Arrow; NaN, NaT and None are missing."""
    return pa.chunked_array([pa.array(values, from_pandas=True)])


def whole_numbers(values: FloatArray, limit: float = FLOAT64) -> np.ndarray:
    """Return int64 where every number is whole, below the limit and none is missing."""
    whole = np.isfinite(values) & (np.floor(values) == values) & (np.abs(values) < limit)
    return values.astype(np.int64) if whole.all() else values


def stamps_of(name: str, values: FloatArray, unit: str, origin: str) -> pa.ChunkedArray:
    """Return time stamps from counts of days, seconds or milliseconds since an origin."""
    refuse_no_calendar(name, values, unit, origin)
    kind = f"M8[{unit}]"
    out = np.full(len(values), "NaT", dtype=kind)
    known = ~np.isnan(values)
    start = np.array([origin], dtype=kind).astype(np.int64)
    out[known] = (np.floor(values[known]).astype(np.int64) + start).astype(kind)
    return arrow(out)


def periods_of(name: str, values: FloatArray, unit: str, origin: str) -> pa.ChunkedArray:
    """Return "2021-02" (unit "M") or "2021Q1" (unit "Q") from counts since an origin."""
    refuse_no_calendar(name, values, unit, origin)
    out = np.full(len(values), None, dtype=object)
    known = ~np.isnan(values)
    start = pd.Period(origin, freq=unit).ordinal
    counts, places = np.unique(np.floor(values[known]).astype(np.int64), return_inverse=True)
    periods = pd.PeriodIndex.from_ordinals(counts + start, freq=unit)
    out[known] = np.array([str(p) for p in periods], dtype=object)[places]
    return pa.chunked_array([pa.array(out, type=pa.string())])


def refuse_no_calendar(name: str, values: FloatArray, unit: str, origin: str) -> None:
    """Refuse dates outside the years 1000 to 9999.

    Raises
    ------
    DataError
    """
    years = int(origin[:4]) + values[~np.isnan(values)] / PER_YEAR[unit]
    if not ((years >= 1000) & (years < 9999)).all():
        raise DataError(
            f"the column {name!r} is formatted as dates, and its values are none between the years "
            "1000 and 9999. Give it a format of numbers and save again, or leave it out with drop=."
        )
