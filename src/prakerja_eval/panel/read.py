"""How does a file become a panel? Read, screened for identifiers, and given its roles."""

from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.panel import Panel
from prakerja_eval.panel.privacy import refuse_identifiers
from prakerja_eval.panel.readers import Source, read_table
from prakerja_eval.panel.roles import Roles
from prakerja_eval.panel.table import Table


def read_panel(source: Source, roles: Roles, options: ReadOptions | None = None) -> Panel:
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
    table = read_long(source, roles, options or ReadOptions())
    refuse_identifiers(table)
    return Panel(table, roles)


def read_long(source: Source, roles: Roles, options: ReadOptions) -> Table:
    """Read a source into a long table, ids as text, before it is screened for identifiers.

    Raises
    ------
    DataError
        If a file is missing or cannot be read.
    UsageError
        If the format is unknown, or an option names a column that is not there.
    """
    return read_table(source, options, frozenset(roles.id_columns()), roles.wave)
