"""Which columns hold numbers and which hold words? Baseline columns as strata are made of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from prakerja_eval.errors import UsageError
from prakerja_eval.matching.score.propensity import Propensity
from prakerja_eval.matching.strata.coarsened import Coarsened, Exact
from prakerja_eval.panel import ArrayRequest, PanelProtocol
from prakerja_eval.panel.requests import RawColumn
from prakerja_eval.typing import FloatArray, IntArray

LARGEST = 2**62  # of a code


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """A column as whole numbers: (n,) codes, and what each code from 0 stands for."""

    code: IntArray
    labels: tuple[str, ...]


def coded(
    panel: PanelProtocol, design: Exact | Coarsened, names: Sequence[str], fitted: Propensity
) -> list[Codes]:
    """Return each column by the people of a score, as the design cuts it.

    Raises
    ------
    DataError
        If a value is missing (the column and the count are named).
    UsageError
        If a column varies over waves and no baseline says which counts, an option names a column
        that is not matched on, bins or cut points are for words, or values put together are not
        there.
    """
    arrays = panel.arrays(ArrayRequest(None, raw=tuple(names)))
    at = fitted.positions(arrays)
    columns = [_of(column, at) for column in arrays.raw]
    if isinstance(design, Exact):
        return [c if isinstance(c, Codes) else _distinct(c) for c in columns]
    if strange := sorted((design.numeric | {*design.together}) - {*names}):
        raise UsageError(
            f"Coarsened has bins, cuts or values together for {', '.join(strange)}, which is not "
            f"among the columns matched on: {', '.join(names)}."
        )
    return [_coarse(design, name, c) for name, c in zip(names, columns, strict=True)]


def joint(columns: Sequence[Codes]) -> tuple[IntArray, list[tuple[str, ...]]]:
    """Give a number to each combination that occurs, in code order, and say what each is."""
    code, size = np.zeros(len(columns[0].code), dtype=np.int64), 1
    for column in columns:
        if size * len(column.labels) > LARGEST:
            values, code = np.unique(code, return_inverse=True)
            size = len(values)
        code, size = code * len(column.labels) + column.code, size * len(column.labels)
    code, found = pd.factorize(code, sort=True)
    first = np.empty(len(found), dtype=np.int64)
    first[code[::-1]] = np.arange(len(code))[::-1]
    words = [np.array(c.labels, dtype=object)[c.code[first]] for c in columns]
    return code, list(zip(*words, strict=True))


def _of(column: RawColumn, at: IntArray) -> FloatArray | Codes:
    """Return a column of the people at these positions."""
    if column.labels:
        return Codes(np.asarray(column.values[at], dtype=np.int64), column.labels)
    return np.asarray(column.values[at], dtype=np.float64)


def _distinct(x: FloatArray) -> Codes:
    values, code = np.unique(x, return_inverse=True)
    return Codes(np.asarray(code, dtype=np.int64), tuple(f"{v:g}" for v in values))


def _coarse(design: Coarsened, name: str, column: FloatArray | Codes) -> Codes:
    """Cut a column of numbers into bins; put values of words together."""
    if isinstance(column, Codes):
        if name in design.numeric:
            raise UsageError(
                f"Coarsened cuts {name!r} into bins, but it holds words: say "
                "Coarsened(together=...) for those that count as one."
            )
        return _put_together(design, name, column)
    if name in design.together:
        raise UsageError(
            f"Coarsened(together) is for words, but {name!r} holds numbers: say "
            "Coarsened(cuts=...) or Coarsened(bins=...)."
        )
    edges = design.edges(name, column)
    ends = [f"{e:.6g}" for e in (column.min(), *edges, column.max())]
    marks = tuple(f"{low} to {high}" for low, high in pairwise(ends))
    return Codes(np.searchsorted(edges, column, side="right"), marks)


def _put_together(design: Coarsened, name: str, column: Codes) -> Codes:
    """Give values that count as one a single code, that of the first of them in sorted order."""
    asked = [tuple(map(str, group)) for group in design.together.get(name, ())]
    if strange := [v for group in asked for v in group if v not in column.labels]:
        raise UsageError(
            f"Coarsened(together) of {name!r} names {', '.join(strange)}; the values are "
            f"{', '.join(column.labels)}."
        )
    new = np.arange(len(column.labels))
    labels = list(column.labels)
    for group in asked:
        members = [column.labels.index(v) for v in group]
        new[members] = min(members)
        labels[min(members)] = "/".join(group)
    return Codes(new[column.code], tuple(labels))
