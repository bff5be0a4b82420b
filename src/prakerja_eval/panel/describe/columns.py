"""What kind of values does a column hold, where are they missing, and do they ever change?"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from prakerja_eval.panel.describe.look import Look
from prakerja_eval.panel.table import Variable
from prakerja_eval.panel.values import to_number
from prakerja_eval.typing import BoolArray

NUMBER, WHOLE, TEXT, DATE, EMPTY = "number", "whole number", "text", "date", "empty"
# 2021-02, 2021Q1, 2021-02-28, 2021-02-28T13:45:00; a year alone may as well be a code
ISO = re.compile(r"\d{4}(-?Q[1-4]|-\d{2}(-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?)?)")
MOST_DATES = 10_000  # distinct ones that are looked at


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
    roles : tuple of str
    variable : Variable
        What the codebook says of it.
    kind : {"number", "whole number", "text", "date", "empty"}
    missing : (n,) array of bool
    keys : (n,) array
        The number, or the position of the text in ``labels``.
    labels : array, optional
        The distinct texts; None for numbers.
    distinct : int
    constant : bool
        No unit has two different values.
    complete : bool
        No unit has a value in one row and none in another.
    """

    name: str
    roles: tuple[str, ...]
    variable: Variable
    kind: str
    missing: BoolArray
    keys: np.ndarray
    labels: np.ndarray | None
    distinct: int
    constant: bool
    complete: bool

    @property
    def numeric(self) -> bool:
        """Say whether it holds numbers."""
        return self.kind in (NUMBER, WHOLE)

    @property
    def meanings(self) -> Mapping[str, str]:
        """Return the labels of its codes."""
        return self.variable.values


def columns_of(look: Look) -> list[Column]:
    """Return every column of a table, in the table's order."""
    roles: dict[str, list[str]] = {}
    for role, names in look.roles.columns().items():
        for name in names:
            roles.setdefault(name, []).append(role)
    frame, codebook = look.table.frame, look.table.codebook
    return [
        _column(look, frame[name], tuple(roles.get(name, ())), codebook.get(name, Variable()))
        for name in frame.columns
    ]


def _column(look: Look, series: pd.Series, roles: tuple[str, ...], variable: Variable) -> Column:
    keys, labels, missing = _keys(series)
    if "unit" in roles:
        constant, complete = True, True
    else:
        constant, complete = _constant(look, keys, missing), _complete(look, missing)
    return Column(
        name=str(series.name),
        roles=roles,
        variable=variable,
        kind=_kind(series, keys, labels, missing),
        missing=missing,
        keys=keys,
        labels=labels,
        distinct=_distinct(keys, missing) if labels is None else len(labels),
        constant=constant,
        complete=complete,
    )


def _keys(series: pd.Series) -> tuple[np.ndarray, np.ndarray | None, BoolArray]:
    """Return numbers as they are and everything else by the position of its label."""
    if series.dtype.kind in "iufb":
        values = to_number(series)
        return values, None, np.isnan(values)
    try:
        codes, labels = pd.factorize(series, use_na_sentinel=True)
    except TypeError:  # lists, say, which have no hash
        codes, labels = pd.factorize(series.astype(str).where(series.notna()))
    return codes, np.asarray(labels, dtype=object), codes < 0


def _kind(
    series: pd.Series, keys: np.ndarray, labels: np.ndarray | None, missing: BoolArray
) -> str:
    if missing.all():
        return EMPTY
    if labels is None:
        whole = (np.rint(keys) == keys) | missing
        return WHOLE if whole.all() else NUMBER
    if series.dtype.kind in "mM" or isinstance(series.dtype, pd.PeriodDtype):
        return DATE
    texts = (str(v) for v in labels[:MOST_DATES])
    return DATE if all(map(ISO.fullmatch, texts)) else TEXT


def _distinct(keys: np.ndarray, missing: BoolArray) -> int:
    values = np.sort(keys[~missing])
    return int(np.count_nonzero(values[1:] != values[:-1]) + 1) if len(values) else 0


def _constant(look: Look, keys: np.ndarray, missing: BoolArray) -> bool:
    known = ~missing & (look.unit >= 0)
    one, _ = look.one_each(keys, known)
    return not bool(((one[look.unit] != keys) & known).any()) if look.units else True


def _complete(look: Look, missing: BoolArray) -> bool:
    if not missing.any() or not look.units:
        return True
    rows = look.unit >= 0
    every = np.bincount(look.unit[rows], minlength=look.units)
    held = np.bincount(look.unit[rows & ~missing], minlength=look.units)
    return not bool(((held > 0) & (held < every)).any())
