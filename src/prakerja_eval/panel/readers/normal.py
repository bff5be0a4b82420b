"""What do columns that have a type become? Numbers, text, ISO dates; ids as text."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from prakerja_eval.errors import DataError, UsageError
from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.readers.dates import iso_text, normalise_dates
from prakerja_eval.panel.readers.ids import (
    FLOAT64,
    POINT_ZERO_SAID,
    id_cells,
    trimmed,
    without_point_zero,
)
from prakerja_eval.panel.runs import runs_of
from prakerja_eval.panel.table import Note

SAID = {
    "timezone": "Times are as on the clock of their time zone, which is left out",
    "ids_point_zero": POINT_ZERO_SAID,
    "digits": "Whole numbers too large for arithmetic stay text",
}


def plain_columns(
    cells: Mapping[str, pa.ChunkedArray],
    options: ReadOptions,
    text: frozenset[str],
    limits: Mapping[str, float] | None = None,
) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """Turn typed columns into numbers, text and ISO dates.

    Parameters
    ----------
    cells : mapping of str to ChunkedArray
        Columns of one length; null and NaN are missing.
    options : ReadOptions
        ``dates`` and ``text`` are used.
    text : frozenset of str
        Columns that become text whatever their type.
    limits : mapping of str to float, optional
        From which size on a column's floating-point numbers may have lost digits.

    Returns
    -------
    frame : DataFrame
    notes : tuple of Note

    Raises
    ------
    DataError
        For lists, structures, binary data and the like; for ids that may have lost digits.
    """
    ids = text | frozenset(options.text)
    found: dict[str, list[str]] = {}
    columns: dict[str, pd.Series] = {}
    for name, column in cells.items():
        if name in ids:
            limit = (limits or {}).get(name, FLOAT64)
            ids_of_rows = _pretext(name, column, found)
            runs = runs_of(ids_of_rows)
            heads = ids_of_rows if runs is None else pa.chunked_array([runs.heads])
            words = id_cells(name, heads, limit)
            if name not in options.text:
                words, changed = without_point_zero(words)
                found.setdefault("ids_point_zero", []).extend([name] * changed)
            columns[name] = text_series(words if runs is None else runs.spread(words))
        else:
            columns[name] = _plain(name, column, found)
    rows = len(next(iter(cells.values()))) if cells else 0
    frame = pd.DataFrame(columns, index=pd.RangeIndex(rows), copy=False)
    frame, dates = normalise_dates(frame, options, text)
    notes = [Note(c, f"{SAID[c]}: {', '.join(n)}.", tuple(n)) for c, n in found.items() if n]
    return frame, (*notes, *dates)


def kept_columns(
    names: Iterable[str], options: ReadOptions, where: str
) -> tuple[list[str], tuple[Note, ...]]:
    """Return the columns that are not dropped, and a note on the others.

    Raises
    ------
    UsageError
        If none is left.
    """
    there = list(names)
    kept = [c for c in there if c not in options.drop]
    gone = tuple(c for c in there if c in options.drop)
    if there and not kept:
        raise UsageError(f"drop= leaves no column of {where}.")
    if not gone:
        return kept, ()
    return kept, (Note("dropped", f"left out, as asked: {', '.join(gone)}.", gone),)


def refuse_no_rows(rows: int, name: str) -> None:
    """Refuse a file without rows.

    Raises
    ------
    DataError
    """
    if rows == 0:
        raise DataError(f"{name!r} has names and no rows. Export it again.")


def text_series(cells: pa.ChunkedArray) -> pd.Series:
    """Return text as a pandas column."""
    return pd.Series(cells.to_pandas(), dtype="str")


def _plain(name: str, cells: pa.ChunkedArray, found: dict[str, list[str]]) -> pd.Series:
    kind = cells.type
    if pa.types.is_dictionary(kind):
        words = pa.types.is_string(kind.value_type) or pa.types.is_large_string(kind.value_type)
        if kind.ordered and words:
            return cells.to_pandas()
        cells = decoded(cells)
        kind = cells.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view():
        return text_series(trimmed(cells.cast(pa.string())))
    if pa.types.is_temporal(kind) and not pa.types.is_duration(kind):
        return text_series(_temporal(name, cells, found))
    if pa.types.is_decimal(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind):
        return _floats(cells)
    if pa.types.is_boolean(kind):
        cells, kind = cells.cast(pa.int64()), pa.int64()
    if not pa.types.is_integer(kind):
        raise unreadable(name)
    return _whole(name, cells, found)


def _pretext(name: str, cells: pa.ChunkedArray, found: dict[str, list[str]]) -> pa.ChunkedArray:
    """Return the cells of a column that becomes text as something that ids can be."""
    cells = decoded(cells)
    kind = cells.type
    if pa.types.is_null(kind):
        return cells.cast(pa.string())
    if pa.types.is_temporal(kind) and not pa.types.is_duration(kind):
        return _temporal(name, cells, found)
    simple = pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)
    words = pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view()
    if not (simple or words or pa.types.is_decimal(kind)):
        raise unreadable(name)
    return cells


def decoded(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the values of a dictionary column."""
    if not pa.types.is_dictionary(cells.type):
        return cells
    return cells.cast(cells.type.value_type)


def _floats(cells: pa.ChunkedArray) -> pd.Series:
    cells = cells.cast(pa.float64())
    if cells.null_count:
        cells = pc.fill_null(cells, np.nan)
    return pd.Series(cells.to_numpy(), copy=False)


def _whole(name: str, cells: pa.ChunkedArray, found: dict[str, list[str]]) -> pd.Series:
    """Return int64; float64 with NaN where a value is missing; text where digits would be lost."""
    top = FLOAT64 if cells.null_count else 2.0**63
    size = pc.min_max(cells).as_py()
    if size["min"] is not None and not -top <= size["min"] <= size["max"] < top:
        found.setdefault("digits", []).append(name)
        return text_series(cells.cast(pa.string()))
    if cells.null_count:
        return _floats(cells)
    return pd.Series(cells.cast(pa.int64()).to_numpy(), copy=False)


def _temporal(name: str, cells: pa.ChunkedArray, found: dict[str, list[str]]) -> pa.ChunkedArray:
    """Return dates and times as ISO text; each distinct one is written once."""
    if pa.types.is_time(cells.type):
        return pc.replace_substring_regex(cells.cast(pa.string()), r"\.0+$", "")
    if pa.types.is_interval(cells.type):
        raise unreadable(name)
    if pa.types.is_timestamp(cells.type) and cells.type.tz is not None:
        found.setdefault("timezone", []).append(name)
        try:
            cells = pc.local_timestamp(cells)
        except pa.ArrowInvalid as error:
            raise DataError(
                f"the time zone of {name!r} is not known; store the times without a zone, or "
                "leave the column out with drop=."
            ) from error
    coded = cells.combine_chunks().dictionary_encode()
    stamps = coded.dictionary.to_numpy(zero_copy_only=False)
    words = pa.array(iso_text(stamps), type=pa.string())
    return pa.chunked_array([words.take(coded.indices)])


def unreadable(name: str) -> DataError:
    """Return the error of a column whose cells are no values of a panel."""
    return DataError(
        f"the column {name!r} holds lists, binary data, durations or other objects, which are no "
        "values of a panel. Leave it out with drop=, or make it numbers or text and save again."
    )
