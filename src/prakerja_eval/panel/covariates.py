"""Which numbers stand for a unit's covariates? Columns at the baseline, or at a named wave."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from prakerja_eval.errors import DataError, UsageError
from prakerja_eval.panel.roles import WaveLabel
from prakerja_eval.typing import FloatArray

if TYPE_CHECKING:
    from prakerja_eval.panel.panel import Panel

BLOCK = 65_536  # units at a time, so that temporaries stay small


def covariate_matrix(
    panel: "Panel", covariates: Sequence[str], wave: WaveLabel | None = None
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return covariates as (n, p) with their names.

    Parameters
    ----------
    panel : Panel
        The panel.
    covariates : sequence of str
        One or more. ``"income@2020"`` is read at that wave; ``"age^2"`` is a square. Without a
        wave, a column that is constant within units is read wherever it has a value, and one that
        varies at ``wave``. A column of text gives an indicator for each value but the first in
        sorted order.
    wave : wave label, optional
        Left out, the baseline.

    Raises
    ------
    UsageError
        For an unknown column or wave, or a varying column where no baseline is named.
    DataError
        If a value is missing: an estimator that dropped people in silence would answer about
        others.
    """
    columns: list[FloatArray] = []
    names: list[str] = []
    for name in covariates:
        values, power = _at_wave(panel, name, panel.roles.baseline if wave is None else wave)
        missing = int(values.isna().sum())
        if missing:
            raise DataError(
                f"the covariate {name!r} is missing for {missing} of {len(values)} units. "
                "Leave it out, fill it in (with an indicator of having done so), or leave these "
                "units out of the panel."
            )
        if pd.api.types.is_numeric_dtype(values):
            with np.errstate(over="ignore"):
                columns.append(values.to_numpy(dtype=np.float64) ** power)
            names.append(name)
            continue
        for level in sorted(values.map(str).unique())[1:]:
            columns.append((values.map(str) == level).to_numpy(dtype=np.float64))
            names.append(f"{name}[{level}]")
    matrix = np.column_stack([np.zeros((len(values), 0)), *columns])
    infinite = ~np.isfinite(matrix).all(axis=0)
    if infinite.any():
        raise DataError(f"the covariate {names[int(np.argmax(infinite))]!r} has infinite values.")
    return matrix, tuple(names)


def _at_wave(panel: "Panel", name: str, period: WaveLabel | None) -> tuple[pd.Series, int]:
    """Read one covariate; return its values by unit and the power to raise them to."""
    bare, square, power = name.partition("^")
    exponent = int(power) if square and power.isdigit() else 1
    if square and not power.isdigit():
        raise UsageError(f"the covariate {name!r} has no whole power; write 'age^2'.")
    column, at, wave = bare.partition("@")
    if column == panel.roles.unit:
        raise UsageError(f"{column!r} names the units; it is no covariate.")
    grid = panel.wide(column)
    if at:
        found = [w for w in panel.waves if str(w) == wave]
        if not found:
            waves = ", ".join(map(str, panel.waves))
            raise UsageError(
                f"the covariate {name!r} names no wave of the panel; there are {waves}."
            )
        _refuse_after_baseline(panel, name, found[0])
        return grid[found[0]].infer_objects(), exponent
    if _constant(grid.to_numpy()):
        return grid.iloc[:, 0], exponent
    known = grid.notna().to_numpy()
    place = np.arange(len(grid)), known.argmax(axis=1)  # a unit's first wave with a value
    first = pd.Series(grid.to_numpy()[place], index=grid.index)
    varies = (known & grid.ne(first, axis=0).to_numpy()).any(axis=1)
    if not varies.any():
        return first.infer_objects(), exponent
    if period is None:
        raise UsageError(
            f"the covariate {name!r} varies over waves for {int(varies.sum())} units. Name the "
            f"wave ('{column}@{panel.waves[0]}') or Roles(baseline=...)."
        )
    return grid[period].infer_objects(), exponent


def _constant(values: np.ndarray) -> bool:
    """Say whether numbers (n, T) are all there and the same in each wave."""
    blocks = (values[i : i + BLOCK] for i in range(0, len(values), BLOCK))
    return values.dtype == np.float64 and all((v == v[:, :1]).all() for v in blocks)


def _refuse_after_baseline(panel: "Panel", name: str, wave: WaveLabel) -> None:
    """Refuse a covariate that treatment may already have moved."""
    baseline = panel.roles.baseline
    if baseline is not None and panel.waves.index(wave) > panel.waves.index(baseline):
        raise UsageError(
            f"the covariate {name!r} is read after the baseline {baseline}: treatment may have "
            "moved it, and comparing people alike in it hides a part of the effect. Read it at the "
            "baseline or before."
        )
