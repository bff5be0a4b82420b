"""What does a DataFrame hold? The same numbers, text and ISO dates as a file; it is not changed."""

from collections.abc import Hashable
from datetime import date, datetime, time
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa

from prakerja_eval.errors import DataError
from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.readers.ids import id_cells
from prakerja_eval.panel.readers.normal import kept_columns, plain_columns, unreadable
from prakerja_eval.panel.table import Note, Table
from prakerja_eval.panel.values import plain_text

NUMBERS = (bool, int, float, Decimal, np.bool_, np.integer, np.floating)
MOMENTS = (date, datetime, time)


def read_frame(source: pd.DataFrame, options: ReadOptions, text: frozenset[str]) -> Table:
    """Read a DataFrame.

    Parameters
    ----------
    source : DataFrame
        Left as it is. A named index that is no column becomes one; another one is left out.
    options : ReadOptions
        ``drop``, ``text`` and ``dates`` are used.
    text : frozenset of str
        Columns that become text whatever their type.

    Raises
    ------
    DataError
        If two columns have one name, names have several levels, or a column holds complex numbers
        or other objects that are no values of a panel.
    """
    columns, notes = _columns(source)
    kept, dropped = kept_columns(columns, options, "the DataFrame")
    mixed: list[str] = []
    cells = {c: _cells(c, columns[c], mixed) for c in kept}
    if mixed:
        said = f"Columns with numbers and words, or dates and others, are text: {', '.join(mixed)}."
        notes.append(Note("mixed", said, tuple(mixed)))
    for name in set(mixed) & (text | set(options.text)):
        _refuse_lost_digits(name, columns[name])
    frame, more = plain_columns(cells, options, text)
    return Table(_own(frame, columns), notes=(*notes, *dropped, *more))


def _own(frame: pd.DataFrame, columns: dict[str, pd.Series]) -> pd.DataFrame:
    """Return the columns as a table that a change of the source does not reach.

    Numbers that are as they were are shared: pandas copies them when either side is written to.
    Others still lie in Arrow's memory, which may be the source's, and are copied here.
    """
    parts = {}
    for name in frame.columns:
        source = columns[name]
        same = source.dtype == frame[name].dtype and source.dtype in (np.int64, np.float64)
        kept = source if same else frame[name].copy()
        parts[name] = kept.set_axis(pd.RangeIndex(len(frame)))
    return pd.concat(parts, axis=1) if parts else frame.copy()


def period_cells(column: pd.Series) -> pa.ChunkedArray:
    """Return periods as text: 2021, 2021-02, 2021Q1, 2021-02-28; years as numbers."""
    codes, periods = pd.factorize(column)
    words = np.array([*map(str, periods), None], dtype=object)[codes]
    cells = pa.chunked_array([pa.array(words, type=pa.string())])
    yearly = column.dtype.freq.rule_code.startswith(("Y", "A"))
    return cells.cast(pa.int64()) if yearly else cells


def _columns(source: pd.DataFrame) -> tuple[dict[str, pd.Series], list[Note]]:
    """Return the columns by name, those of a named index first."""
    if isinstance(source.columns, pd.MultiIndex):
        raise DataError(
            "the columns of the DataFrame have names of several levels; give each column one name, "
            "such as frame.columns = ['_'.join(map(str, c)) for c in frame.columns]."
        )
    names = [_name(c, i) for i, c in enumerate(source.columns, 1)]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise DataError(f"two columns have the same name: {', '.join(twice)}. Rename one of them.")
    index = {
        str(level): source.index.get_level_values(i).to_series()
        for i, level in enumerate(source.index.names)
        if level is not None and str(level) not in names
    }
    notes = []
    if index:
        said = f"The index of the DataFrame was made a column: {', '.join(index)}."
        notes.append(Note("index", said, tuple(index)))
    changed = tuple(n for n, c in zip(names, source.columns, strict=True) if n != c)
    if changed:
        said = f"Names of columns that were no text are text now: {', '.join(changed)}."
        notes.append(Note("names", said, changed))
    return index | {n: source.iloc[:, i] for i, n in enumerate(names)}, notes


def _name(name: Hashable, position: int) -> str:
    if name is None or name == "" or name != name:  # noqa: PLR0124
        return f"column_{position}"
    return plain_text(name)


def _cells(name: str, column: pd.Series, mixed: list[str]) -> pa.ChunkedArray:
    """Return a column as Arrow; one of numbers and words as text."""
    dtype = column.dtype
    if dtype.kind == "c":
        raise DataError(
            f"the column {name!r} holds complex numbers; keep one part of them, or leave the "
            "column out with drop=."
        )
    if isinstance(dtype, pd.PeriodDtype):
        return period_cells(column)
    if isinstance(dtype, pd.SparseDtype):
        column = column.sparse.to_dense()
    try:
        cells = pa.array(column, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        cells = _mixed(name, column, mixed)
    return cells if isinstance(cells, pa.ChunkedArray) else pa.chunked_array([cells])


def _mixed(name: str, column: pd.Series, mixed: list[str]) -> pa.Array:
    """Return a column of several kinds of objects: numbers if all are, else text."""
    if isinstance(dtype := column.dtype, pd.CategoricalDtype):
        column = column.astype(dtype.categories.dtype)
    there = column.dropna()
    kinds = set(map(type, there))
    if all(issubclass(k, NUMBERS) for k in kinds) and _small(there):
        return pa.array(column.astype("float64"), from_pandas=True)
    if not all(issubclass(k, (*NUMBERS, *MOMENTS, str)) for k in kinds):
        raise unreadable(name)
    mixed.append(name)
    codes, labels = pd.factorize(column.astype(object))
    words = np.array([*map(_word, labels), None], dtype=object)[codes]
    return pa.array(words, type=pa.string())


def _refuse_lost_digits(name: str, column: pd.Series) -> None:
    """Refuse ids of several kinds if the floating-point numbers among them are none."""
    kinds = column.map(lambda v: isinstance(v, float | np.floating)) & column.notna()
    id_cells(name, pa.chunked_array([pa.array(column[kinds].astype("float64"))]))


def _small(numbers: pd.Series) -> bool:
    """Say whether float64 holds the numbers with all the digits of whole ones."""
    return bool((numbers.astype("float64").abs() < 2.0**53).all())


def _word(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    return value.isoformat() if isinstance(value, MOMENTS) else plain_text(value)
