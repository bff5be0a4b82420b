"""Which numbers stand for a unit's covariates? Columns at the baseline, or at a named wave."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from prakerja_eval.errors import DataError, UsageError
from prakerja_eval.panel.requests import RawColumn
from prakerja_eval.panel.roles import WaveLabel
from prakerja_eval.typing import BoolArray, FloatArray

if TYPE_CHECKING:
    from prakerja_eval.panel.panel import Panel

BLOCK = 65_536  # units at a time, so that temporaries stay small


def covariate_matrix(
    panel: "Panel",
    covariates: Sequence[str],
    wave: WaveLabel | None = None,
    *,
    indicate: bool = False,
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
    indicate : bool
        Whether missing numbers are filled with the mean of those known, missing text with the
        first value, and an indicator of each gap, "age (missing)", comes after all columns.
        Columns missing for the same units share one, "re74, re75 (missing)". Otherwise they are
        refused.

    Raises
    ------
    UsageError
        For an unknown column or wave, or a varying column where no baseline is named.
    DataError
        If values are missing, for all covariates concerned at once: an estimator that dropped
        people in silence would answer about others. With ``indicate``, if a covariate is missing
        for everyone.
    """
    period = panel.roles.baseline if wave is None else wave
    read = [(name, *_at_wave(panel, name, period)) for name in covariates]
    gaps = {name: _missing(values) for name, values, _ in read if values.isna().any()}
    if gaps:
        _refuse_missing(gaps, indicate)
    columns: list[FloatArray] = []
    names: list[str] = []
    for name, values, power in read:
        made = _columns(name, values, power)
        columns += made.values()
        names += made
    for label, gap in _indicators(gaps).items():
        columns.append(gap.astype(np.float64))
        names.append(label)
    n = len(read[0][1]) if read else 0
    matrix = np.column_stack([np.zeros((n, 0)), *columns])
    infinite = ~np.isfinite(matrix).all(axis=0)
    if infinite.any():
        raise DataError(f"the covariate {names[int(np.argmax(infinite))]!r} has infinite values.")
    return matrix, tuple(names)


def raw_columns(panel: "Panel", names: Sequence[str]) -> tuple[RawColumn, ...]:
    """Return columns as they are, read at the baseline or a named wave as covariates are.

    Raises
    ------
    UsageError, DataError
        As :func:`covariate_matrix`.
    """
    read = [(name, *_at_wave(panel, name, panel.roles.baseline)) for name in names]
    gaps = {name: _missing(values) for name, values, _ in read if values.isna().any()}
    if gaps:
        _refuse_missing(gaps, indicate=False)
    return tuple(_raw(name, values, power) for name, values, power in read)


def _raw(name: str, values: pd.Series, power: int) -> RawColumn:
    """Return numbers, or codes of words in sorted order."""
    if pd.api.types.is_numeric_dtype(values):
        with np.errstate(over="ignore"):
            numbers = values.to_numpy(dtype=np.float64) ** power
        if not np.isfinite(numbers).all():
            raise DataError(f"the covariate {name!r} has infinite values.")
        return RawColumn(numbers)
    code, labels = pd.factorize(values, sort=False)
    words = np.array([str(label) for label in labels], dtype=object)
    sorted_words, place = np.unique(words, return_inverse=True)
    return RawColumn(place.astype(np.int64)[code], tuple(sorted_words))


def _missing(values: pd.Series) -> BoolArray:
    return np.asarray(values.isna(), dtype=np.bool_)


def _columns(name: str, values: pd.Series, power: int) -> dict[str, FloatArray]:
    """Return one covariate as columns of numbers by name; gaps are filled."""
    gap = _missing(values)
    if pd.api.types.is_numeric_dtype(values):
        with np.errstate(over="ignore"):
            plain = values.dtype == np.float64  # no copy then
            numbers = values.to_numpy() if plain else values.to_numpy(np.float64, na_value=np.nan)
            numbers = numbers if power == 1 else numbers**power
            return {name: np.where(gap, numbers[~gap].mean(), numbers) if gap.any() else numbers}
    text = values.map(str)
    levels = sorted(text[~gap].unique())[1:]
    return {f"{name}[{level}]": np.where(~gap & (text == level), 1.0, 0.0) for level in levels}


def _refuse_missing(gaps: dict[str, BoolArray], indicate: bool) -> None:
    """Refuse gaps, or a covariate that is nothing else, naming all concerned."""
    n = len(next(iter(gaps.values())))
    counts = {name: int(gap.sum()) for name, gap in gaps.items()}
    if indicate:
        empty = ", ".join(repr(name) for name, count in counts.items() if count == n)
        if empty:
            raise DataError(f"no unit has a value of the covariate {empty}: leave it out.")
        return
    if len(counts) == 1:
        name, count = next(iter(counts.items()))
        what = f"the covariate {name!r} is missing for {count} of {n} units. Leave it out"
    else:
        listed = ", ".join(f"{name!r} for {count}" for name, count in counts.items())
        what = f"covariates are missing: {listed} of {n} units. Leave them out"
    raise DataError(
        f"{what}, fill in (with an indicator of having done so), or leave these units out of "
        "the panel."
    )


def _indicators(gaps: dict[str, BoolArray]) -> dict[str, BoolArray]:
    """Return one indicator for all covariates that are missing for the same units."""
    alike: dict[bytes, list[str]] = {}
    for name, gap in gaps.items():
        alike.setdefault(gap.tobytes(), []).append(name)
    return {f"{', '.join(names)} (missing)": gaps[names[0]] for names in alike.values()}


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
    if grid.shape[1] == 1 or _constant(grid):
        return grid.iloc[:, 0].infer_objects(), exponent
    known = grid.notna().to_numpy()
    first = grid.iloc[:, 0]
    if not known[:, 0].all():
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


def _constant(grid: pd.DataFrame) -> bool:
    """Say whether numbers (n, T) are all there and the same in each wave."""
    if not (grid.dtypes == np.float64).all():
        return False
    values = grid.to_numpy()
    blocks = (values[i : i + BLOCK] for i in range(0, len(values), BLOCK))
    return all((v == v[:, :1]).all() for v in blocks)


def _refuse_after_baseline(panel: "Panel", name: str, wave: WaveLabel) -> None:
    """Refuse a covariate that treatment may already have moved."""
    baseline = panel.roles.baseline
    if baseline is not None and panel.waves.index(wave) > panel.waves.index(baseline):
        raise UsageError(
            f"the covariate {name!r} is read after the baseline {baseline}: treatment may have "
            "moved it, and comparing people alike in it hides a part of the effect. Read it at the "
            "baseline or before."
        )
