"""What does a Parquet file hold? Its types say it; ids become text before a number is rounded."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from prakerja_eval.errors import DataError
from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.readers.frame import period_cells
from prakerja_eval.panel.readers.normal import kept_columns, plain_columns, refuse_no_rows
from prakerja_eval.panel.table import Note, Table

HIDDEN = "__index_level_"  # what pandas calls an index without a name
DAMAGED = (OSError, ValueError, KeyError, TypeError, AttributeError, MemoryError, pa.ArrowException)


def read_parquet(path: Path, options: ReadOptions, text: frozenset[str]) -> Table:
    """Read a Parquet file.

    Parameters
    ----------
    path : Path
        Of an existing file.
    options : ReadOptions
        ``drop``, ``text`` and ``dates`` are used; dropped columns are not read.
    text : frozenset of str
        Columns that become text whatever their type.

    Raises
    ------
    DataError
        If the file is damaged or empty, or holds columns that are no values of a panel.
    """
    pa.array(pd.array(["2021-02"], dtype="period[M]"))  # makes the type of periods known to Arrow
    try:
        with pq.ParquetFile(path) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
            index = _range_index(schema, rows)
            names = [*index, *schema.names]
            kept, dropped = kept_columns(names, options, repr(path.name))
            kept = [c for c in kept if not _hidden_number(schema, c)]
            table = file.read(columns=[c for c in kept if c not in index])
            table.validate(full=True)
    except DAMAGED as error:
        raise DataError(
            f"{path.name!r} cannot be read as Parquet: it is damaged, or no Parquet file. Export "
            "it again."
        ) from error
    refuse_no_rows(rows, path.name)
    cells = {c: index[c] if c in index else _values(table, c) for c in kept}
    cells, named = _named(cells)
    frame, notes = plain_columns(cells, options, text)
    return Table(frame, notes=(*dropped, *named, *notes))


def _range_index(schema: pa.Schema, rows: int) -> dict[str, pa.ChunkedArray]:
    """Return the index that pandas describes and does not write, if it has a name."""
    found = {}
    for item in (schema.pandas_metadata or {}).get("index_columns", []):
        if isinstance(item, dict) and item.get("name") is not None:
            values = np.arange(rows, dtype=np.int64) * int(item["step"]) + int(item["start"])
            found[str(item["name"])] = pa.chunked_array([values])
    return found


def _hidden_number(schema: pa.Schema, name: str) -> bool:
    """Say whether a column is a numbered index without a name, which means nothing."""
    return name.startswith(HIDDEN) and pa.types.is_integer(schema.field(name).type)


def _named(
    cells: dict[str, pa.ChunkedArray],
) -> tuple[dict[str, pa.ChunkedArray], tuple[Note, ...]]:
    """Name the columns that have no name of their own."""
    names = {c: c for c in cells}
    names |= {c: f"index_{i}" for i, c in enumerate(cells, 1) if c.startswith(HIDDEN)}
    names |= {c: f"column_{i}" for i, c in enumerate(cells, 1) if not c.strip()}
    new = tuple(n for c, n in names.items() if n != c)
    if not new:
        return cells, ()
    note = Note("nameless", f"Column(s) without a name were named {', '.join(new)}.", new)
    return {names[c]: v for c, v in cells.items()}, (note,)


def _values(table: pa.Table, name: str) -> pa.ChunkedArray:
    """Return a column; periods of pandas as text.

    Raises
    ------
    DataError
        If two columns have the name.
    """
    if table.schema.names.count(name) > 1:
        raise DataError(f"two columns have the same name: {name}. Rename one of them.")
    cells = table[name]
    if isinstance(cells.type, pa.BaseExtensionType):
        series = cells.to_pandas()
        if isinstance(series.dtype, pd.PeriodDtype):
            return period_cells(series)
    return cells
