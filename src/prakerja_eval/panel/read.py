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
    source : path, DataFrame, or mapping of wave label to one of these
        CSV (any usual delimiter, decimal mark and encoding), Parquet, Stata, SPSS, Excel, or a
        DataFrame; a row a unit and wave, or wide with ``options.wide``. A mapping is of one file a
        wave, and makes the wave column.
    roles : Roles
        Which column is what. Unit ids, households and clusters are read as text.
    options : ReadOptions, optional
        What the file does not say itself. Left out, it is found out, and ``panel.notes`` says what
        was assumed; what can be read in two ways is refused.

    Returns
    -------
    Panel
        Labels and missing reasons are kept in ``panel.codebook`` and ``panel.reasons``. Faults in
        the values are listed by ``panel.check()``; an estimator refuses them.

    Raises
    ------
    DataError
        If a file is missing, unreadable, or can be read in more than one way.
    UsageError
        If the format is unknown, or a role or an option names a column that is not there.
    IdentifierError
        If a column looks like a direct identifier (a NIK, a phone number, a name, ...).

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": ["a", "b"], "won": [1, 0], "income": [2.0, 1.0]})
    >>> len(pe.read_panel(frame, pe.Roles(unit="id", offer="won")))
    2
    """
    table = read_long(source, roles, options or ReadOptions())
    refuse_identifiers(table)
    panel = Panel(table, roles)
    panel.check()  # kept by the panel, so that estimators need not look again
    return panel


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
