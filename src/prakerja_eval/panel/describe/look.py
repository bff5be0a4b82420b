"""Which rows, units, waves and arms are there? Coded once, for every table of a description."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from prakerja_eval.panel.roles import Roles, WaveLabel
from prakerja_eval.panel.table import Table
from prakerja_eval.panel.values import to_number
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

TREATMENT, COMPARISON, UNKNOWN, ALL = "treatment", "comparison", "unknown", "all"


@dataclass(frozen=True, slots=True)
class Places:
    """Where each row of a panel belongs.

    Attributes
    ----------
    unit : (n,) array of int
        Position of the unit; -1 where the row names none.
    units : int
        Number of units.
    wave : (n,) array of int
        Position of the wave.
    waves : tuple of wave labels
        In order; one nameless wave for a cross-section.
    """

    unit: IntArray
    units: int
    wave: IntArray
    waves: tuple[WaveLabel, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Look:
    """A table with the codes of its rows.

    Attributes
    ----------
    table : Table
    roles : Roles
    unit, units, wave : as in Places
        A row without a wave has the position after the last wave.
    waves : tuple
        Labels, and None at the end if some row names no wave.
    named : int
        Number of waves that have a label.
    arm : (n,) array of int
        Position in ``arms`` of the row's unit.
    unit_arm : (units,) array of int
    arms : tuple of str
        Those of "treatment", "comparison", "unknown" that occur; or "all".
    by : str
        What tells the arms apart: "offer", "cohort", "received" or "all".
    """

    table: Table
    roles: Roles
    unit: IntArray
    units: int
    wave: IntArray
    waves: tuple[WaveLabel | None, ...]
    named: int
    arm: IntArray
    unit_arm: IntArray
    arms: tuple[str, ...]
    by: str

    @property
    def cell(self) -> IntArray:
        """Return each row's wave and arm as one number."""
        return self.wave * len(self.arms) + self.arm

    @property
    def cells(self) -> int:
        """Return the number of waves times arms."""
        return len(self.waves) * len(self.arms)

    def places(self) -> pd.DataFrame:
        """Return wave and arm, a row a cell."""
        waves = pd.Series(list(self.waves), dtype=object if None in self.waves else None)
        return pd.DataFrame(
            {
                "wave": waves.repeat(len(self.arms)).to_numpy(),
                "arm": list(self.arms) * len(self.waves),
            }
        )

    def one_each(self, keys: np.ndarray, known: BoolArray) -> tuple[np.ndarray, BoolArray]:
        """Return a known value of each unit, and whether it has any."""
        rows = np.flatnonzero(known & (self.unit >= 0))
        values, has = np.zeros(self.units, dtype=keys.dtype), np.zeros(self.units, dtype=bool)
        values[self.unit[rows]] = keys[rows]
        has[self.unit[rows]] = True
        return values, has

    def present(self, rows: BoolArray) -> BoolArray:
        """Return whether a unit has one of the rows in a wave, (units, named waves)."""
        grid = np.zeros(self.units * self.named, dtype=bool)
        keep = rows & (self.unit >= 0) & (self.wave < self.named)
        grid[self.unit[keep] * self.named + self.wave[keep]] = True
        return grid.reshape(self.units, self.named)


def look_at(table: Table, roles: Roles, places: Places) -> Look:
    """Return the codes of a table's rows.

    Parameters
    ----------
    table : Table
    roles : Roles
    places : Places
    """
    frame = table.frame
    wave, waves = places.wave, list[WaveLabel | None](places.waves)
    if roles.wave is not None and (lost := frame[roles.wave].isna().to_numpy()).any():
        wave, waves = np.where(lost, len(waves), wave), [*waves, None]
    by, kinds = _arms(frame, roles, places)
    order: tuple[str, ...] = (ALL,) if by == ALL else (TREATMENT, COMPARISON, UNKNOWN)
    last = len(order) - 1
    arm = np.where(places.unit >= 0, np.append(kinds, last)[places.unit], last)
    if by != ALL and not (arm == last).any():
        order = order[:last]  # every arm is known
    named = len(places.waves)
    return Look(
        table, roles, places.unit, places.units, wave, tuple(waves), named, arm, kinds, order, by
    )


def _arms(frame: pd.DataFrame, roles: Roles, places: Places) -> tuple[str, IntArray]:
    """Return what tells the arms apart, and each unit's: 0 treated, 1 comparison, 2 unknown."""
    if roles.offer is not None:
        offer = _first_number(frame[roles.offer], places)
        return "offer", np.select([offer == 1, offer == 0], [0, 1], 2)
    if roles.cohort is not None:
        cohort = _first_number(frame[roles.cohort], places)
        never = (cohort == 0) | np.isposinf(cohort)
        return "cohort", np.select([np.isnan(cohort), never], [2, 1], 0)
    if roles.received is not None:
        received = to_number(frame[roles.received])
        ever, known = np.zeros(places.units, bool), np.zeros(places.units, bool)
        ever[places.unit[(received == 1) & (places.unit >= 0)]] = True
        known[places.unit[(received == 0) & (places.unit >= 0)]] = True
        return "received", np.select([ever, known], [0, 1], 2)
    return ALL, np.zeros(places.units, dtype=np.int64)


def _first_number(column: pd.Series, places: Places) -> FloatArray:
    values = to_number(column)
    rows = np.flatnonzero(~np.isnan(values) & (places.unit >= 0))[::-1]  # the first is last
    first = np.full(places.units, np.nan)
    first[places.unit[rows]] = values[rows]
    return first
