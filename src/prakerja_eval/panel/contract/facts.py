"""What do all rules need to know of a table? Each column read once, labels as whole numbers."""

from functools import cached_property

import numpy as np
import pandas as pd

from prakerja_eval.panel.contract.asked import Asked
from prakerja_eval.panel.contract.blocks import Blocks, blocks_of
from prakerja_eval.panel.contract.codes import Codes, factorise, pair
from prakerja_eval.panel.extent import Extent, extent_of
from prakerja_eval.panel.roles import Roles, WaveLabel
from prakerja_eval.panel.rows import Rows
from prakerja_eval.panel.table import Table
from prakerja_eval.panel.timing import placed_cohorts, wave_times
from prakerja_eval.panel.values import to_number
from prakerja_eval.typing import BoolArray, FloatArray


class Facts:
    """A table under its roles, prepared for the rules; every column is read at most once.

    Parameters
    ----------
    table : Table
    roles : Roles
    asked : Asked
    rows : Rows
        Unit and wave of each row.
    """

    def __init__(self, table: Table, roles: Roles, asked: Asked, rows: Rows) -> None:
        self.table, self.frame = table, table.frame
        self.roles, self.asked = roles, asked
        self.named = roles.columns()
        self._numbers: dict[str, FloatArray] = {}
        self._missing: dict[str, BoolArray] = {}
        self.complete = rows.complete  # each unit has one row in each wave
        run = len(rows.waves) if rows.complete else None
        units = Codes(rows.unit, len(rows.index), run), rows.index
        self.rows, self._codes = rows, {roles.unit: units}

    def number(self, column: str) -> FloatArray:
        """Return a column as float64, NaN where it holds no number."""
        if column not in self._numbers:
            self._numbers[column] = to_number(self.frame[column])
        return self._numbers[column]

    def missing(self, column: str) -> BoolArray:
        """Return which cells of a column are empty."""
        if column not in self._missing:
            self._missing[column] = np.asarray(self.frame[column].isna().to_numpy(), dtype=bool)
        return self._missing[column]

    def codes(self, column: str) -> Codes:
        """Return the labels of a column as codes."""
        return self._factorised(column)[0]

    def labels(self, column: str) -> pd.Index:
        """Return the label of each code of a column."""
        return self._factorised(column)[1]

    def _factorised(self, column: str) -> tuple[Codes, pd.Index]:
        if column not in self._codes:
            self._codes[column] = factorise(self.frame[column])
        return self._codes[column]

    @cached_property
    def unit(self) -> Codes:
        """Return the units as codes."""
        return self.codes(self.roles.unit)

    @cached_property
    def group(self) -> Codes:
        """Return the units, or where Roles names applications, units by application."""
        if self.roles.application is None:
            return self.unit
        found = self.codes(self.roles.application)
        # an application without a number is one of its own
        return pair(self.unit, Codes(np.where(found.known, found.of, found.count), found.count + 1))

    @cached_property
    def waves(self) -> tuple[WaveLabel, ...]:
        """Return the wave labels in order."""
        return self.rows.waves

    @cached_property
    def wave(self) -> Codes:
        """Return the place of each row's wave among the waves; -1 where it has none."""
        places = self.rows.wave
        if self.roles.wave is not None:
            missing = self.missing(self.roles.wave)
            places = np.where(missing, -1, places) if missing.any() else places
        return Codes(places, len(self.waves))

    @cached_property
    def wave_sizes(self) -> FloatArray | None:
        """Return the time of each wave, a number or a day; None where one is neither."""
        return wave_times(self.waves)

    @cached_property
    def cohort(self) -> FloatArray:
        """Return the cohort of each row on that scale; infinite for never, NaN for none."""
        return placed_cohorts(self.frame[str(self.roles.cohort)], self.waves)

    @cached_property
    def baseline(self) -> int | None:
        """Return the place of the baseline among the waves; None without one."""
        named = self.roles.baseline
        return self.waves.index(named) if named in self.waves else None

    @cached_property
    def blocks(self) -> Blocks:
        """Return the lottery's blocks."""
        return blocks_of(self.frame, self.roles)


def extent(facts: Facts, column: str) -> Extent:
    """Return from where to where the numbers of a column go; found once a panel."""
    known = facts.rows.extents
    if column not in known:
        known[column] = extent_of(facts.number(column))
    return known[column]


def numeric_columns(facts: Facts) -> tuple[str, ...]:
    """Return the columns of numbers that have no role."""
    roles = {c for columns in facts.named.values() for c in columns}
    return tuple(c for c in facts.frame.columns if c not in roles and is_number(facts.frame[c]))


def is_number(column: pd.Series) -> bool:
    """Say whether a column is stored as real numbers."""
    numeric = pd.api.types.is_numeric_dtype(column.dtype)
    return bool(numeric and not pd.api.types.is_complex_dtype(column.dtype))
