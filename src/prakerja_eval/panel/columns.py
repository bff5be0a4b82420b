"""Does the table have the columns that are named, once each, with ids that are whole?"""

from collections.abc import Iterable

import pandas as pd

from prakerja_eval.errors import DataError, UsageError, nearest
from prakerja_eval.panel.shown import shown_names
from prakerja_eval.panel.values import to_number

SCIENTIFIC = r"[1-9](?:[.,][0-9]+)?[eE]\+[0-9]{2}"


def refuse_repeated_names(frame: pd.DataFrame) -> None:
    """Refuse two columns of one name.

    Raises
    ------
    DataError
    """
    repeated = frame.columns[frame.columns.duplicated()].unique()
    if len(repeated):
        shown = dict(zip(map(str, frame.columns), shown_names(frame.columns), strict=True))
        named = ", ".join(shown[str(name)] for name in repeated)
        raise DataError(f"two columns have the same name: {named}. Rename one of them.")


def refuse_damaged_ids(frame: pd.DataFrame, ids: Iterable[str], limit: float) -> None:
    """Refuse ids in floating-point numbers at or above ``limit``, or written like 3.2E+15.

    Raises
    ------
    DataError
        With the column; no id is shown.
    """
    for column in ids:
        cells = frame[column]
        if pd.api.types.is_float_dtype(cells) and (to_number(cells) >= limit).any():
            raise DataError(
                f"the id column {column!r} is stored as floating-point numbers, which do not hold "
                "16 digits: ids may already be damaged. Store ids as text and export again."
            )
        if pd.api.types.is_string_dtype(cells) and _rounded(cells):
            raise DataError(
                f"the id column {column!r} holds numbers such as 1.2E+15, as a spreadsheet writes "
                "long ones: their last digits are lost. Store ids as text where they are whole, "
                "and export again."
            )


def _rounded(cells: pd.Series) -> bool:
    """Say whether a cell is a number in scientific notation."""
    suspicious = cells[cells.str.contains("+", regex=False, na=False)]
    return bool(suspicious.str.strip().str.fullmatch(SCIENTIFIC).any())


def known_column(frame: pd.DataFrame, column: str) -> str:
    """Return the name if the table has it.

    Raises
    ------
    UsageError
        With the nearest name there is.
    """
    if column in frame.columns:
        return column
    names = shown_names(frame.columns)
    hint = nearest(column, names)
    raise UsageError(f"there is no column {column!r}.{hint} Columns: {', '.join(names)}.")
