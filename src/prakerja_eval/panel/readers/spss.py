"""What does an SPSS file hold? Codes with labels, user-missing codes as reasons, ISO dates."""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat

from prakerja_eval.panel.options import ReadOptions
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
from prakerja_eval.panel.values import as_text, plain_text, to_number
from prakerja_eval.typing import BoolArray, FloatArray

MAGIC = (b"$FL2", b"$FL3")
DAY = 86_400.0
ORIGIN = "1582-10-14"
DAYS = ("DATE", "ADATE", "EDATE", "SDATE", "JDATE", "WKYR")
MOMENTS = ("DATETIME", "YMDHMS")
DURATIONS = ("TIME", "DTIME", "MTIME")
# A damaged table of value labels ends the interpreter (pyreadstat 1.3.7); better that of a child
TRIAL = "import sys, pyreadstat; pyreadstat.read_sav(sys.argv[1], metadataonly=True)"
PATIENCE = 60


def read_spss(path: Path, options: ReadOptions, text: frozenset[str]) -> Table:
    """Read an SPSS file.

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
        If the file is damaged or empty, or ids may have lost digits.
    """
    _refuse_damaged(path)
    frame, meta, notes = read_labelled(pyreadstat.read_sav, path, options)
    columns = {name: _column(name, frame[name], meta) for name in frame.columns}
    return table_of_columns(columns, options, text, notes)


def _refuse_damaged(path: Path) -> None:
    """Refuse a file whose dictionary cannot be read, without risk for this process.

    Raises
    ------
    DataError
    """
    with path.open("rb") as file:
        if file.read(4) not in MAGIC:
            raise damaged(path)
    if not sys.executable:
        return
    command = [sys.executable, "-P", "-c", TRIAL, str(path)]
    try:
        tried = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired as error:
        raise damaged(path) from error
    except OSError:
        return  # no child can be started here: the file is read without a trial
    if tried.returncode not in (0, 1):  # 1 is an exception, which the reader names
        raise damaged(path)


def _column(name: str, values: pd.Series, meta: Any) -> Column:
    """Return a column with its user-missing codes set apart and its dates written out."""
    given: Mapping[Any, str] = meta.variable_value_labels.get(name, {})
    ranges = meta.missing_ranges.get(name, [])
    label = meta.column_names_to_labels.get(name)
    if meta.readstat_variable_types[name] == "string":
        return _words(values, label, given, [str(r["lo"]).strip() for r in ranges])
    labels = {plain_text(k): v for k, v in given.items()}
    numbers = to_number(values)
    hit = _within(numbers, ranges)
    reasons = as_text(pd.Series(np.where(hit, numbers, np.nan))) if hit.any() else None
    occurring = set() if reasons is None else {r for r in reasons if r is not None}
    declared = {plain_text(r["lo"]) for r in ranges if r["lo"] == r["hi"]}
    coded = np.array([float(k) for k in given], dtype=np.float64)
    labelled = {plain_text(k) for k in coded[_within(coded, ranges)]}
    variable = variable_of(label, labels, sorted(occurring | declared | labelled, key=float))
    numbers = np.where(hit, np.nan, numbers)
    cells, notes = _dates(name, numbers, meta.original_variable_types.get(name) or "")
    return Column(cells, variable, reasons, notes=notes)


def _words(
    values: pd.Series, label: str | None, given: Mapping[Any, str], missing: list[str]
) -> Column:
    """Return a column of text, without the blanks that SPSS fills it up with."""
    labels = {str(k).strip(): v for k, v in given.items()}
    trimmed = values.astype("str").str.strip()
    hit = trimmed.isin(missing) & (trimmed != "")
    reasons = None
    if hit.any():
        reasons = trimmed.astype(object).where(hit, None).to_numpy()
    return Column(arrow(trimmed.mask(hit)), variable_of(label, labels, missing), reasons)


def _within(numbers: FloatArray, ranges: list[dict[str, Any]]) -> BoolArray:
    hit = np.zeros(len(numbers), dtype=bool)
    for span in ranges:
        hit |= (numbers >= span["lo"]) & (numbers <= span["hi"])
    return hit


def _dates(name: str, values: FloatArray, shown: str) -> tuple[Any, tuple[Note, ...]]:
    """Return dates from seconds since 1582-10-14, by display format; other numbers stay."""
    kind = re.match("[A-Z]*", shown)
    letters = kind[0] if kind else ""
    if letters in DAYS:
        return stamps_of(name, np.floor(values / DAY), "D", ORIGIN), ()
    if letters in MOMENTS:
        return stamps_of(name, values, "s", ORIGIN), ()
    if letters in ("MOYR", "QYR"):
        stamps = stamps_of(name, values, "s", ORIGIN).to_numpy().astype("M8[M]")
        months = np.where(np.isnat(stamps), np.nan, stamps.astype(np.int64).astype(np.float64))
        if letters == "MOYR":
            return periods_of(name, months, "M", "1970-01"), ()
        return periods_of(name, np.floor(months / 3), "Q", "1970-01"), ()
    notes: tuple[Note, ...] = ()
    if letters in DURATIONS:
        notes = (Note("durations", f"The times in {name} are in seconds.", (name,)),)
    return arrow(whole_numbers(values)), notes
