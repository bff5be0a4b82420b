"""Which cells are dates, and in which order do day and month stand? As ISO text, or left alone."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.readers.cells import arrow_text
from prakerja_eval.panel.readers.datewords import Parts, months_of, parts_of_dates
from prakerja_eval.panel.table import Note
from prakerja_eval.panel.timing import NEVER
from prakerja_eval.typing import BoolArray

Unit: TypeAlias = Literal["M", "D", "s", "us"]

SAMPLE = 200
MOSTLY = 0.5
ROWS_SHOWN = 3
ORDERS = {"dmy": "dd/mm/yyyy", "mdy": "mm/dd/yyyy"}


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a column of dates stays text; ``bad`` are the distinct cells concerned, if any."""

    code: str
    message: str
    bad: BoolArray | None = None


def normalise_dates(
    frame: pd.DataFrame, options: ReadOptions, text: frozenset[str]
) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """Write every date of a table as ISO text.

    Dates and date-times, in cells of text or in columns of time stamps, become "2021-02-28" and
    "2021-02-28T13:45:00" (dates alone where it is always midnight); "2021-02" and "2021Q1" stay.
    A column of text is changed only if each of its cells is a date that exists and the order of
    day and month is known: by a cell with a part above 12, or by ``options.dates``.

    Parameters
    ----------
    frame : DataFrame
        Unique names.
    options : ReadOptions
        ``dates`` and ``text`` are used.
    text : frozenset of str
        Columns whose cells of text are left alone.

    Returns
    -------
    frame : DataFrame
    notes : tuple of Note
        Orders found; columns that look like dates and stay text, with the reason.
    """
    ids = text | frozenset(options.text)
    changed: dict[str, pd.Series] = {}
    notes: list[Note] = []
    for name in frame.columns:
        stamps = _stamps(frame[name])
        if stamps is not None:
            changed[name] = stamps
        elif name not in ids:
            written, note = _written(frame[name], options)
            notes += [] if note is None else [note]
            if written is not None:
                changed[name] = written
    return (frame.assign(**changed) if changed else frame), tuple(notes)


def iso_text(stamps: np.ndarray) -> np.ndarray:
    """Return datetime64 as ISO text, None where missing; dates alone if all are midnight."""
    known = ~np.isnat(stamps)
    days, seconds = stamps.astype("M8[D]"), stamps.astype("M8[s]")
    unit: Unit = "us"
    if (days == stamps)[known].all():
        unit = "D"
    elif (seconds == stamps)[known].all():
        unit = "s"
    out = np.full(len(stamps), None, dtype=object)
    out[known] = _strings(stamps[known], unit)
    return out


def _strings(stamps: np.ndarray, unit: Unit) -> np.ndarray:
    return np.datetime_as_string(np.asarray(stamps.astype(f"M8[{unit}]")), unit=unit)


def _stamps(column: pd.Series) -> pd.Series | None:
    """Return a column of time stamps, dates or periods as ISO text; None for any other column."""
    if isinstance(column.dtype, pd.PeriodDtype):
        if str(column.dtype).startswith("period[Y") and column.notna().all():
            return column.dt.year.astype("int64")
        return column.astype("str").where(column.notna())
    if column.dtype == object and pd.api.types.infer_dtype(column) in ("date", "datetime"):
        try:
            column = pd.to_datetime(column)
        except (ValueError, TypeError, OverflowError):
            return None
    if not pd.api.types.is_datetime64_any_dtype(column):
        return None
    if getattr(column.dtype, "tz", None) is not None:
        column = column.dt.tz_localize(None)
    return pd.Series(iso_text(column.to_numpy()), index=column.index, dtype="str")


def _written(column: pd.Series, options: ReadOptions) -> tuple[pd.Series | None, Note | None]:
    """Return a column of text as ISO dates, or None; and what there is to say."""
    found = _distinct(column)
    if found is None:
        return None, None
    cells, words, parts = found
    name = str(column.name)
    order = options.dates or _order(parts)
    if not parts.exist(order or "dmy").any() and not parts.short.any() and order:
        return None, None  # codes in the shape of a date
    if not parts.numeric.any() and _means_never(words, ~parts.found) and not parts.found.all():
        return None, None  # cohorts as they should be written: dates, and 0 for never
    refusal = _refusal(parts, order)
    if refusal is not None:
        return None, _refused(name, refusal, cells)
    iso = pa.array(_iso(parts, order, words), type=pa.string())
    if iso.equals(cells.dictionary):
        return None, None
    series = pd.Series(iso.take(cells.indices).to_pandas(), dtype="str").set_axis(column.index)
    said = f"The dates in {name} were written in ISO form, such as 2021-02-28"
    if parts.numeric.any():
        said += f"; their order is {ORDERS[order or 'dmy']}"
        said += "" if options.dates else ", as a part above 12 shows"
    return series, Note("dates", f"{said}.", (name,))


def _distinct(column: pd.Series) -> tuple[pa.DictionaryArray, pa.Array, Parts] | None:
    """Return a column by its distinct cells, these, and their parts; None if few are dates."""
    text = arrow_text(column)
    if text is None or text.null_count == len(text):
        return None
    encoded = text.dictionary_encode().unify_dictionaries().combine_chunks()
    words = pc.utf8_trim_whitespace(encoded.dictionary)
    if parts_of_dates(words.slice(0, SAMPLE)).found.mean() < MOSTLY:
        return None
    parts = parts_of_dates(words)
    return None if parts.found.mean() < MOSTLY else (encoded, words, parts)


def _means_never(words: pa.Array, other: BoolArray) -> bool:
    """Say whether all cells that are no dates are words for never."""
    rest = {str(w).strip().lower() for w in np.asarray(words, dtype=object)[other]}
    return rest <= set(NEVER)


def _order(parts: Parts) -> str | None:
    """Return the order of day and month that the cells show; None where they do not."""
    first, second = parts.numeric & (parts.first > 12), parts.numeric & (parts.second > 12)
    if not parts.numeric.any():
        return "dmy"  # no cell depends on it
    if first.any() == second.any():
        return None
    return "dmy" if first.any() else "mdy"


def _refusal(parts: Parts, order: str | None) -> _Refusal | None:
    """Say why a column stays text; None if it can be read."""
    if not parts.found.all():
        return _Refusal("dates_mixed", "some cells are no dates", ~parts.found)
    if parts.short.any():
        return _Refusal("two_digit_years", "years have two digits", parts.short)
    if order is None:
        first = parts.numeric & (parts.first > 12)
        if first.any():
            return _Refusal("dates_faulty", "day and month change places", first)
        return _Refusal("date_order", "no cell shows whether the day or the month stands first")
    real = parts.exist(order)
    if not real.all():
        return _Refusal("dates_faulty", "some cells are dates or times that do not exist", ~real)
    return None


def _refused(name: str, refusal: _Refusal, cells: pa.DictionaryArray) -> Note:
    """Say that a column stays text, why, and what would settle it."""
    where = ""
    if refusal.bad is not None:
        codes = np.asarray(pc.fill_null(cells.indices, -1))
        rows = np.flatnonzero(np.isin(codes, np.flatnonzero(refusal.bad))) + 1
        shown = ", ".join(map(str, rows[:ROWS_SHOWN]))
        more = len(rows) - ROWS_SHOWN
        more_rows = f" and {more} more" if more > 0 else ""
        where = f" (row{'s' * (len(rows) > 1)} {shown}{more_rows})"
    remedy = "Write them as 2021-02-28."
    if refusal.code == "date_order":
        remedy = "Name dates='dmy' or dates='mdy'."
    said = f"{name} looks like dates and stays text: {refusal.message}{where}. {remedy}"
    return Note(refusal.code, said, (name,))


def _iso(parts: Parts, order: str | None, words: pa.Array) -> np.ndarray:
    """Write the distinct cells as ISO text."""
    day, month = parts.in_order(order or "dmy")
    months = months_of(parts.year, month)
    days = months.astype("M8[D]") + (day - 1)
    out = np.array(words.to_pylist(), dtype=object)
    monthly, daily = parts.month_only, ~parts.month_only & ~parts.quarter
    out[monthly] = _strings(months[monthly], "M")
    out[daily] = _strings(days[daily], "D")
    out[parts.quarter] = np.array([w.replace("-", "") for w in out[parts.quarter]], dtype=object)
    timed = daily & parts.timed
    if (parts.seconds[timed] > 0).any():
        stamps = days[timed].astype("M8[s]") + parts.seconds[timed]
        out[timed] = _strings(stamps, "s")
    return out
