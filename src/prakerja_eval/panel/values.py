"""Which number, which label stands in a cell? Columns as float64 or as text, nothing guessed."""

import numpy as np
import pandas as pd


def to_number(column: pd.Series) -> np.ndarray:
    """Return a column as float64, NaN where it holds no number (a date is none)."""
    if column.dtype.kind in "mMc" or isinstance(column.dtype, pd.PeriodDtype):
        return np.full(len(column), np.nan)
    values = pd.to_numeric(column, errors="coerce")
    return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))


def as_text(column: pd.Series) -> np.ndarray:
    """Return a column's labels as text, None where missing; each distinct label is written once."""
    codes, labels = pd.factorize(column, use_na_sentinel=True)
    written = labels if _text(column) else [plain_text(v) for v in labels]
    texts = np.array([*written, None], dtype=object)
    return np.asarray(texts[codes])


def _text(column: pd.Series) -> bool:
    """Say whether all labels of a column are text already."""
    return isinstance(column.dtype, pd.StringDtype)


def plain_text(value: object) -> str:
    """Write a label without the decimal that a float column gives a whole number."""
    if isinstance(value, float | np.floating) and value.is_integer():
        return str(int(value))
    return str(value)
