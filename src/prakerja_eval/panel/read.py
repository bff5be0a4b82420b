"""How does a file become a panel? CSV, Parquet and DataFrames, ids always as strings."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd

from prakerja_eval.errors import DataError, UsageError
from prakerja_eval.panel.panel import Panel, refuse_float_ids
from prakerja_eval.panel.roles import Roles


def read_panel(source: str | Path | pd.DataFrame, roles: Roles) -> Panel:
    """Read a participant panel.

    Parameters
    ----------
    source : path or DataFrame
        A ``.csv`` file (comma, decimal point, UTF-8, with a header), a ``.parquet`` file, or a
        DataFrame; a row a unit and wave.
    roles : Roles
        Which column is what. Unit ids, households and clusters are read as strings.

    Returns
    -------
    Panel
        Faults in the values are listed by ``panel.check()``; an estimator refuses them.

    Raises
    ------
    DataError
        If the file is missing or cannot be read.
    UsageError
        If the format is unknown or a role names a column that is not there.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": ["a", "b"], "won": [1, 0], "income": [2.0, 1.0]})
    >>> len(pe.read_panel(frame, pe.Roles(unit="id", offer="won")))
    2
    """
    if isinstance(source, pd.DataFrame):
        return Panel(source, roles)
    if not isinstance(source, str | Path):
        raise UsageError(f"read_panel takes a path or a DataFrame, not {type(source).__name__}.")
    path = Path(source)
    if not path.is_file():
        raise DataError(f"there is no file {str(source)!r}; check the path.")
    readers = {".csv": _read_csv, ".parquet": _read_parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise UsageError(f"{path.name!r} is neither .csv nor .parquet; convert it to one of these.")
    return Panel(reader(path, roles), roles)


def _read_csv(path: Path, roles: Roles) -> pd.DataFrame:
    _refuse_header(path)
    try:
        return pd.read_csv(path, dtype=dict.fromkeys(roles.id_columns(), "str"), encoding="utf-8")
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path.name!r} cannot be read as comma-separated UTF-8 text: {error}. "
            "Export it with commas, decimal points and UTF-8."
        ) from error


def _refuse_header(path: Path) -> None:
    """Refuse a header that is not comma-separated, or in which a name stands twice."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            names = next(csv.reader(lines), [])
    except (OSError, UnicodeDecodeError, csv.Error):
        return  # the reader says what is wrong
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        raise DataError(
            f"{path.name!r} is not separated by commas: its header reads as one column. Export it "
            "with commas and decimal points."
        )
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise DataError(
            f"{path.name!r} has two columns named {twice[0]!r}; rename or drop one of them."
        )


def _read_parquet(path: Path, roles: Roles) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path.name!r} cannot be read as Parquet: {error}.") from error
    refuse_float_ids(frame, roles, -np.inf)
    return frame
