"""Does the table have the columns that are named, once each, with ids that are whole?"""

from collections.abc import Iterable
from difflib import get_close_matches

import pandas as pd

from prakerja_eval.errors import DataError, UsageError
from prakerja_eval.panel.values import to_number


def refuse_repeated_names(frame: pd.DataFrame) -> None:
    """Refuse two columns of one name.

    Raises
    ------
    DataError
    """
    repeated = frame.columns[frame.columns.duplicated()].unique()
    if len(repeated):
        raise DataError(
            f"two columns have the same name: {', '.join(map(str, repeated))}. Rename one of them."
        )


def refuse_float_ids(frame: pd.DataFrame, ids: Iterable[str], limit: float) -> None:
    """Refuse ids in floating-point numbers at or above ``limit``.

    Raises
    ------
    DataError
        With the column; no id is shown.
    """
    for column in ids:
        if column not in frame.columns or not pd.api.types.is_float_dtype(frame[column]):
            continue
        if (to_number(frame[column]) >= limit).any():
            raise DataError(
                f"the id column {column!r} is stored as floating-point numbers, which do not hold "
                "16 digits: ids may already be damaged. Store ids as text and export again."
            )


def known_column(frame: pd.DataFrame, column: str) -> str:
    """Return the name if the table has it.

    Raises
    ------
    UsageError
        With the nearest name there is.
    """
    if column in frame.columns:
        return column
    near = get_close_matches(column, [str(c) for c in frame.columns], n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise UsageError(
        f"there is no column {column!r}.{hint} Columns: {', '.join(map(str, frame.columns))}."
    )
