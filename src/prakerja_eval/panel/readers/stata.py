"""What does a Stata file hold? Codes with their labels, ``.a`` to ``.z`` as reasons, ISO dates."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat

from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.readers.ids import FLOAT32, FLOAT64
from prakerja_eval.panel.readers.labelled import (
    Column,
    arrow,
    damaged,
    periods_of,
    read_labelled,
    stamps_of,
    table_of_columns,
    variable_of,
    whole_numbers,
)
from prakerja_eval.panel.table import Note, Table
from prakerja_eval.panel.values import plain_text, to_number
from prakerja_eval.typing import FloatArray

OLD = range(102, 116)  # releases whose first byte is their number
RELEASE = re.compile(rb"<stata_dta><header><release>(\d{3})</release>")
UNICODE = 118  # Stata 14
A_YEAR = {"d": 365.25, "m": 12, "q": 4, "h": 2, "w": 52, "c": 31_557_600_000, "C": 31_557_600_000}
DATE = re.compile(r"%-?(t[cCdwmqhyb]|d)")


def read_stata(path: Path, options: ReadOptions, text: frozenset[str]) -> Table:
    """Read a Stata file.

    Parameters
    ----------
    path : Path
        Of an existing file.
    options : ReadOptions
        ``drop``, ``text``, ``dates`` and ``encoding`` are used; dropped columns are not read.
    text : frozenset of str
        Columns that become text whatever their type.

    Raises
    ------
    DataError
        If the file is damaged or empty; if ids may have lost digits (from 2**24 on in the storage
        type ``float``).
    """
    release = _release(path)
    frame, meta, notes = read_labelled(pyreadstat.read_dta, path, options)
    if release < UNICODE and options.encoding is None:
        said = (
            "The file is of Stata 13 or before, which does not say its encoding; text was read as "
            "cp1252. If accents look wrong, name encoding=."
        )
        notes = (*notes, Note("encoding", said))
    columns = {name: _column(name, frame[name], meta) for name in frame.columns}
    return table_of_columns(columns, options, text, notes)


def _release(path: Path) -> int:
    """Return the number of the file format.

    Raises
    ------
    DataError
        If the file does not begin as a Stata file does.
    """
    with path.open("rb") as file:
        head = file.read(64)
    if found := RELEASE.match(head):
        return int(found[1])
    if head and head[0] in OLD:
        return head[0]
    raise damaged(path)


def _column(name: str, values: pd.Series, meta: Any) -> Column:
    """Return a column with its reasons set apart and its dates written out."""
    kind = meta.readstat_variable_types[name]
    given: Mapping[Any, str] = meta.variable_value_labels.get(name, {})
    label = meta.column_names_to_labels.get(name)
    if kind == "string":
        return Column(arrow(values), variable_of(label, {}))
    labels = {f".{k}" if isinstance(k, str) else plain_text(k): v for k, v in given.items()}
    reasons = None
    if values.dtype == object:
        tags = values.where(values.map(lambda v: isinstance(v, str)))
        reasons = ("." + tags).astype(object).where(tags.notna(), None).to_numpy()
        values = pd.Series(to_number(values))
    occurring = set() if reasons is None else {r for r in reasons if r is not None}
    missing = sorted(occurring | {code for code in labels if code.startswith(".")})
    variable = variable_of(label, labels, missing)
    limit = FLOAT32 if kind == "float" else FLOAT64
    calendar = DATE.match(meta.original_variable_types.get(name) or "")
    if calendar is None:
        return Column(arrow(whole_numbers(to_number(values), limit)), variable, reasons, limit)
    counts, unit = to_number(values), calendar[1][-1]
    cells, notes = _dates(name, counts, unit)
    return Column(cells, variable, reasons, limit, (*notes, *_zeros(name, counts, unit)))


def _zeros(name: str, counts: FloatArray, unit: str) -> tuple[Note, ...]:
    """Say that zeros became a date of 1960 though all other dates are of this century."""
    zeros, others = int((counts == 0).sum()), counts[np.isfinite(counts) & (counts != 0)]
    if unit not in A_YEAR or not zeros or not len(others) or others.min() < 40 * A_YEAR[unit]:
        return ()
    said = (
        f"0 in {name} is a date of January 1960 by its format (in {zeros} row(s)), and all other "
        "dates are from 2000 on. If 0 means never or unknown, give the column a format of numbers, "
        "or make these cells missing, and save again."
    )
    return (Note("zero_dates", said, (name,)),)


def _dates(name: str, values: FloatArray, unit: str) -> tuple[Any, tuple[Note, ...]]:
    """Return dates from Stata's counts since 1960, by the letter of the display format."""
    if unit == "d":
        return stamps_of(name, values, "D", "1960-01-01"), ()
    if unit in "cC":
        return stamps_of(name, values, "ms", "1960-01-01"), ()
    if unit in "mq":
        return periods_of(name, values, unit.upper(), "1960-01"), ()
    if unit in "wh":
        return _first_days(name, values, unit)
    notes: tuple[Note, ...] = ()
    if unit == "b":
        said = (
            f"{name} counts the days of a business calendar, which is not read; it stays numbers."
        )
        notes = (Note("calendar", said, (name,)),)
    return arrow(whole_numbers(values)), notes


def _first_days(name: str, values: FloatArray, unit: str) -> tuple[Any, tuple[Note, ...]]:
    """Return first days of weeks (52 a year, the first on 1 January), first months of halves."""
    if unit == "h":
        said = f"The half-years in {name} were written as their first month, such as 2021-07."
        cells = periods_of(name, values * 6, "M", "1960-01")
        return cells, (Note("halves", said, (name,)),)
    said = f"The weeks in {name} were written as their first day, as Stata counts weeks."
    years = np.floor(values / 52)
    known = np.where(np.abs(years) < 8000, years, 0)
    starts = (known.astype(np.int64) - 10).astype("M8[Y]").astype("M8[D]").astype(np.int64)
    days = np.where(np.abs(years) < 8000, starts + 7 * (values - 52 * years), np.inf)
    days = np.where(np.isnan(values), np.nan, days)
    return stamps_of(name, days, "D", "1970-01-01"), (Note("weeks", said, (name,)),)
