"""Is this something that a figure or a table can show? Its frame, with the columns it must have."""

from collections.abc import Sequence

import pandas as pd

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import Estimate, Findings


def frame_of(given: object, columns: Sequence[str], what: str, source: str) -> pd.DataFrame:
    """Return a frame, or the frame of an object that has one, if it has the columns and a row.

    Parameters
    ----------
    given : DataFrame, or an object with a ``frame``
    columns : sequence of str
        That it must have.
    what : str
        Who asks, for the message.
    source : str
        Where such a frame comes from, for the message.

    Raises
    ------
    UsageError
        If there is no frame, a column is missing, or there is no row.
    """
    frame = given if isinstance(given, pd.DataFrame) else getattr(given, "frame", None)
    if not isinstance(frame, pd.DataFrame):
        kind = type(given).__name__
        raise UsageError(f"{what} reads a table such as {source}; this is a {kind}.")
    missing = [c for c in columns if c not in frame]
    if missing:
        raise UsageError(f"{what} needs the columns {', '.join(missing)}; {source} has them.")
    if not len(frame):
        raise UsageError(f"{what} was given a table without rows.")
    return frame


def findings_of(given: object, columns: Sequence[str], what: str) -> Findings:
    """Return the findings of an Estimate, Findings as they are, or a frame as Findings.

    Raises
    ------
    UsageError
        If a column is missing, or there is no row.
    """
    found = given.findings() if isinstance(given, Estimate) else given
    frame = frame_of(found, columns, what, "the Findings of an Estimate")
    return found if isinstance(found, Findings) else Findings(frame)
