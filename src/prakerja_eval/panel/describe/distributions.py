"""How are the values spread? Moments, percentiles and the commonest codes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from prakerja_eval.panel.describe.columns import Column
from prakerja_eval.panel.describe.look import Look
from prakerja_eval.panel.values import plain_text
from prakerja_eval.typing import FloatArray, IntArray

PERCENTS = (1, 5, 10, 25, 50, 75, 90, 95, 99)
BEYOND = 10  # observations that must lie on either side of a percentile
MOST_TEXTS, MOST_LEVELS = 50, 12
STATISTICS = (
    *("n", "missing", "mean", "sd"),
    *(f"p{p}" for p in PERCENTS),
    *("zero", "negative", "distinct"),
)
LEVELS = ("column", "code", "label", "codes", "n", "people", "share")


def distributions(look: Look, columns: Sequence[Column]) -> pd.DataFrame:
    """Return statistics of each numeric column without role: by wave if it changes within units.

    A column that never changes within a unit is told once for all units, wave None.
    """
    order = np.argsort(look.wave, kind="stable")
    ends = np.searchsorted(look.wave[order], np.arange(len(look.waves) + 1))
    rows: list[tuple[object, ...]] = []
    for column in columns:
        if column.roles or not column.numeric:
            continue
        if column.constant:
            values, has = look.one_each(column.keys, ~column.missing)
            rows.append((column.name, None, *_spread(values[has], len(has))))
            continue
        values = column.keys[order]
        for w, wave in enumerate(look.waves):
            part = values[ends[w] : ends[w + 1]]
            rows.append((column.name, wave, *_spread(part[~np.isnan(part)], len(part))))
    table = pd.DataFrame(rows, columns=["column", "wave", *STATISTICS])
    return table.assign(wave=pd.Series([row[1] for row in rows], dtype=object))


def _spread(values: FloatArray, rows: int) -> tuple[float, ...]:
    """Return the statistics of known values."""
    n = len(values)
    if not n:
        nothing = (np.nan,) * (len(STATISTICS) - 3)
        return (0, rows, *nothing, 0)
    values = np.sort(values)
    with np.errstate(all="ignore"):  # infinite values give no number, and check() names them
        mean = float(values.mean())
        sd = float(values.std(ddof=1)) if n > 1 else np.nan
        percentiles = _percentiles(values)
        distinct = int(np.count_nonzero(values[1:] != values[:-1]) + 1)
    below, to = np.searchsorted(values, 0.0, "left"), np.searchsorted(values, 0.0, "right")
    return (n, rows - n, mean, sd, *percentiles, (to - below) / n, below / n, distinct)


def _percentiles(values: FloatArray) -> list[float]:
    """Return percentiles of sorted values, linear between neighbours; NaN where few lie beyond."""
    n = len(values)
    at = np.array(PERCENTS) * (n - 1) / 100
    low = np.floor(at).astype(np.int64)
    high = np.minimum(low + 1, n - 1)
    between = values[low] + (at - low) * (values[high] - values[low])
    beyond = np.minimum(PERCENTS, 100 - np.array(PERCENTS)) * n
    return [float(v) for v in np.where(beyond >= 100 * BEYOND, between, np.nan)]


def levels(look: Look, columns: Sequence[Column]) -> pd.DataFrame:
    """Return the commonest codes of each column of text, dates or labelled codes.

    Never of an id or the wave, nor of a column with more than 50 distinct codes. The last row of a
    column with more than twelve, code None, stands for the other ones.
    """
    ids = {*look.roles.id_columns(), look.roles.wave}
    parts = [
        _levels(look, c)
        for c in columns
        if c.name not in ids
        and (c.labels is not None or c.meanings)
        and 0 < c.distinct <= MOST_TEXTS
    ]
    rows = [row for part in parts for row in part]
    return pd.DataFrame(rows, columns=list(LEVELS))


def _levels(look: Look, column: Column) -> list[tuple[object, ...]]:
    """Return the codes of one column, commonest first."""
    codes, labels = column.keys, column.labels
    if labels is None:
        codes, labels = pd.factorize(column.keys)
    names = [plain_text(v) for v in labels]
    known = codes >= 0
    count = np.bincount(codes[known], minlength=len(names))
    total = int(count.sum())
    ranked = sorted(range(len(names)), key=lambda k: (-count[k], names[k]))
    slot = np.full(len(names), MOST_LEVELS)
    slot[ranked[:MOST_LEVELS]] = np.arange(min(len(names), MOST_LEVELS))
    people = _people(look, np.where(known, slot[codes], -1))
    meanings = column.meanings
    rows: list[tuple[object, ...]] = []
    for i, k in enumerate(ranked[:MOST_LEVELS]):
        label = meanings.get(names[k], "")
        n = int(count[k])
        rows.append((column.name, names[k], label, 1, n, int(people[i]), n / total))
    if others := ranked[MOST_LEVELS:]:
        n = int(count[others].sum())
        last = int(people[MOST_LEVELS])
        rows.append((column.name, None, "", len(others), n, last, n / total))
    return rows


def _people(look: Look, slot: IntArray) -> IntArray:
    """Return how many units have each slot at least once."""
    size = MOST_LEVELS + 1
    keep = (slot >= 0) & (look.unit >= 0)
    seen = np.zeros(look.units * size, dtype=bool)
    seen[look.unit[keep] * size + slot[keep]] = True
    return np.asarray(seen.reshape(look.units, size).sum(axis=0), dtype=np.int64)
