"""How does a column made from others join a panel? As a new panel; the old one stays as it was."""

from dataclasses import replace

import numpy as np
import pandas as pd

from prakerja_eval.errors import UsageError
from prakerja_eval.panel.columns import known_column
from prakerja_eval.panel.panel import Panel
from prakerja_eval.panel.table import Note, Variable
from prakerja_eval.panel.values import to_number
from prakerja_eval.typing import FloatArray


def numbers_of(panel: Panel, column: str) -> FloatArray:
    """Return a column of a panel as numbers, a value a row, NaN where missing.

    Raises
    ------
    UsageError
        For an unknown column, or one that holds words.
    """
    frame = panel._table.frame
    values = frame[known_column(frame, column)]
    numbers = to_number(values)
    lost = int((np.isnan(numbers) & values.notna().to_numpy()).sum())
    if lost:
        raise UsageError(f"{column!r} holds no number in {lost} rows; panel.check() shows them.")
    return numbers


def with_column(panel: Panel, name: str, values: FloatArray, note: Note) -> Panel:
    """Return the panel with one more column, and a note that says how it was made.

    Raises
    ------
    UsageError
        If the panel has a column of that name.
    """
    table = panel._table
    if name in table.frame.columns:
        raise UsageError(f"the panel has a column {name!r} already.")
    frame = pd.concat([table.frame, pd.Series(values, name=name)], axis=1)
    codebook = {**table.codebook, name: Variable(label=note.message)}
    notes = (*table.notes, note)
    return Panel(replace(table, frame=frame, codebook=codebook, notes=notes), panel.roles)
