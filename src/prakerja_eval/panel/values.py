"""Which number, which label stands in a cell? Columns as float64 or as text, nothing guessed."""

import numpy as np
import pandas as pd

WHOLE = r"[+-]?[0-9]+(?:[eE][+-][0-9]+)?|[+-]?(?i:inf|infinity)"
POINT = r"[+-]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
# 1.234: thousands, or three decimals; 1E2: a number, or a code
UNCLEAR = r"[+-]?(?:[1-9][0-9]{0,2}\.[0-9]{3}|[0-9]+[eE][0-9]+)"
MARKED = r"[+-]?[0-9.,]*,[0-9.,]*|[+-]?[0-9]+(?:\.[0-9]+){2,}"


def to_number(column: pd.Series) -> np.ndarray:
    """Return a column as float64, NaN where it holds no number (a date is none).

    A cell of text is a number if it can be read in one way only: 12, 0.5, 12.34. One such as 1.234
    is none unless another cell of the column shows that the point is its decimal mark; one with
    commas never is.
    """
    if column.dtype.kind in "mMc" or isinstance(column.dtype, pd.PeriodDtype):
        return np.full(len(column), np.nan)
    if pd.api.types.is_numeric_dtype(column):
        return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))
    codes, found = pd.factorize(column, use_na_sentinel=True)
    numbers = np.full(len(found) + 1, np.nan)  # the last one is of a missing cell
    numbers[:-1] = _numbers(pd.Series(found, dtype=object))
    return np.asarray(numbers[codes])


def _numbers(labels: pd.Series) -> np.ndarray:
    """Return the distinct cells of a column as numbers, NaN for those that are none."""
    words = labels.map(lambda v: isinstance(v, str)).to_numpy(dtype=bool)
    numbers = np.full(len(labels), np.nan)
    if not words.all():
        typed = pd.to_numeric(labels[~words], errors="coerce")
        numbers[~words] = typed.to_numpy(dtype=np.float64, na_value=np.nan)
    cells = labels[words].astype("str").str.strip()
    points, unclear = cells.str.fullmatch(POINT), cells.str.fullmatch(UNCLEAR)
    read = (points | cells.str.fullmatch(WHOLE)) & ~unclear
    if unclear.any() and (points & ~unclear).any() and not cells.str.fullmatch(MARKED).any():
        read |= unclear
    numbers[np.flatnonzero(words)[read]] = cells[read].to_numpy(dtype=object).astype(np.float64)
    return numbers


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
