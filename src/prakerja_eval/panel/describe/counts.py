"""Who was observed when, which values are there, and why are the others not?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from prakerja_eval.panel.describe.columns import Column
from prakerja_eval.panel.describe.look import Look
from prakerja_eval.panel.table import Variable
from prakerja_eval.panel.values import as_text

REASONS = ("column", "wave", "arm", "reason", "meaning", "n")


def schema(columns: Sequence[Column]) -> pd.DataFrame:
    """Return what each column is, a row a column; no cell of any."""
    rows = [
        (
            c.name,
            ", ".join(c.roles),
            c.kind,
            c.variable.label,
            c.distinct,
            int(c.missing.sum()),
            float(c.missing.mean()) if len(c.missing) else np.nan,
            c.constant,
            len(c.variable.values),
        )
        for c in columns
    ]
    names = "column role kind label distinct missing missing_share constant value_labels"
    return pd.DataFrame(rows, columns=names.split())


def groups(look: Look) -> pd.DataFrame:
    """Return rows and units, a row a wave and arm."""
    everyone = np.ones(len(look.unit), dtype=bool)
    units = np.zeros((len(look.waves), len(look.arms)), dtype=np.int64)
    grid = look.present(everyone)
    for a in range(len(look.arms)):
        units[: look.named, a] = grid[look.unit_arm == a].sum(axis=0)
    if look.named < len(look.waves):
        lost = look.unit[(look.wave == look.named) & (look.unit >= 0)]
        units[-1] = np.bincount(look.unit_arm[np.unique(lost)], minlength=len(look.arms))
    rows = np.bincount(look.cell, minlength=look.cells)
    return look.places().assign(rows=rows, units=units.ravel())


def coverage(look: Look, columns: Sequence[Column]) -> pd.DataFrame:
    """Return how many values a column has and lacks, a row a wave, arm and column."""
    keys = {look.roles.unit, look.roles.wave, look.roles.offer}
    chosen = [c for c in columns if c.name not in keys]
    missing = _missing(look, chosen)
    rows = np.bincount(look.cell, minlength=look.cells)
    out = look.places().loc[np.repeat(np.arange(look.cells), len(chosen))].reset_index(drop=True)
    out["column"] = [c.name for c in chosen] * look.cells
    out["n"] = np.repeat(rows, len(chosen)) - missing.ravel()
    return out.assign(missing=missing.ravel())


def missingness(look: Look, columns: Sequence[Column]) -> pd.DataFrame:
    """Return the share of rows without a value, a row a column without role, wave and arm."""
    chosen = [c for c in columns if not c.roles]
    missing = _missing(look, chosen).T
    rows = np.tile(np.bincount(look.cell, minlength=look.cells), len(chosen))
    out = pd.concat([look.places()] * len(chosen), ignore_index=True) if chosen else look.places()
    out = out.iloc[: len(rows)]
    out.insert(0, "column", np.repeat([c.name for c in chosen], look.cells))
    share = np.divide(missing.ravel(), rows, where=rows > 0, out=np.full(len(rows), np.nan))
    return out.assign(rows=rows, missing=missing.ravel(), share=share)


def reasons(look: Look) -> pd.DataFrame:
    """Return how often each reason for a missing value is given, by column, wave and arm."""
    parts = []
    given = look.table.reasons_or_none()
    for column in given.columns:
        codes, names = pd.factorize(as_text(given[column]), sort=True)
        known = codes >= 0
        if not known.any():
            continue
        size = look.cells * len(names)
        counts = np.bincount(look.cell[known] * len(names) + codes[known], minlength=size)
        meanings = look.table.codebook.get(column, Variable()).missing
        out = look.places().loc[np.repeat(np.arange(look.cells), len(names))]
        out.insert(0, "column", str(column))
        out["reason"] = list(names) * look.cells
        out["meaning"] = [meanings.get(str(n), "") for n in names] * look.cells
        parts.append(out.assign(n=counts)[counts > 0])
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(REASONS))


def _missing(look: Look, columns: Sequence[Column]) -> np.ndarray:
    """Return the number of missing values, (cells, columns)."""
    cell = look.cell
    counts = np.zeros((look.cells, len(columns)), dtype=np.int64)
    for j, column in enumerate(columns):
        counts[:, j] = np.bincount(cell[column.missing], minlength=look.cells)
    return counts
