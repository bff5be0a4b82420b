"""Which reader reads this source? By its ending; then the options, in one order for all formats."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from prakerja_eval.errors import DataError, UsageError
from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.readers.delimited import read_delimited
from prakerja_eval.panel.readers.parquet import read_parquet
from prakerja_eval.panel.table import Table

Reader: TypeAlias = Callable[[Path, ReadOptions, frozenset[str]], Table]
Source: TypeAlias = str | Path | pd.DataFrame | Mapping[object, str | Path | pd.DataFrame]

FORMATS: dict[str, Reader] = {
    ".csv": read_delimited,
    ".parquet": read_parquet,
}


def read_table(
    source: Source,
    options: ReadOptions,
    text: frozenset[str] = frozenset(),
    wave: str | None = None,
) -> Table:
    """Read a source into a Table.

    Parameters
    ----------
    source : path, DataFrame, or mapping of wave label to one of these
    options : ReadOptions
    text : frozenset of str
        Columns whose cells are text whatever they look like (ids), beside ``options.text``.
    wave : str, optional
        Name of the wave column that wide columns and wave files make.

    Raises
    ------
    DataError
        If a file is missing, unreadable, or cannot be read in one way only.
    UsageError
        If the format is unknown, or an option names a column that is not there.
    """
    del wave
    if isinstance(source, pd.DataFrame):
        return Table(source)
    if not isinstance(source, str | Path):
        raise UsageError(f"read_panel takes a path or a DataFrame, not {type(source).__name__}.")
    path = Path(source)
    if not path.is_file():
        raise DataError(f"there is no file {str(source)!r}; check the path.")
    reader = FORMATS.get(path.suffix.lower())
    if reader is None:
        raise UsageError(f"{path.name!r} is neither .csv nor .parquet; convert it to one of these.")
    return reader(path, options, text | frozenset(options.text))
