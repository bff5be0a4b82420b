"""Which unit and which wave does each row belong to? Found once, for the panel and its checks."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from prakerja_eval.errors import DataError
from prakerja_eval.panel.extent import Extent
from prakerja_eval.panel.roles import Roles, WaveLabel
from prakerja_eval.panel.runs import factorise
from prakerja_eval.panel.values import to_number
from prakerja_eval.panel.waves import waves_of
from prakerja_eval.typing import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of a long table by unit and wave.

    Attributes
    ----------
    unit : (N,) int array
        Unit of each row, in order of first appearance; -1 where the id is missing.
    index : Index
        The n unit ids, as every answer of the panel carries them.
    waves : tuple
        Labels of the T waves.
    wave : (N,) int array
        Wave of each row; 0 where it is missing, which the contract reports.
    first : (n,) int array
        First row of each unit.
    complete : bool
        Whether the rows are each unit's waves in order, one unit after the other.
    shared : int
        Rows that share unit and wave with a row before them.
    extents : dict of str to Extent
        Of the columns that were looked at so far.
    """

    unit: IntArray
    index: pd.Index
    waves: tuple[WaveLabel, ...]
    wave: IntArray
    first: IntArray
    complete: bool
    shared: int
    extents: dict[str, Extent] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """Return the numbers of units and waves."""
        return len(self.index), len(self.waves)

    def grid(self, values: pd.Series) -> np.ndarray:
        """Return a column as (n, T): float64 with NaN for numbers, else objects with None.

        Raises
        ------
        DataError
            If two rows share a unit and wave, of two applications say.
        """
        if self.shared:
            raise DataError(
                f"{self.shared} row(s) share a unit and wave with a row before them: no one value "
                "stands there. Of someone with two applications in one wave keep the first, "
                "or make each application a unit of its own and cluster by the person."
            )
        numeric = pd.api.types.is_numeric_dtype(values)
        if numeric and self.complete:
            return to_number(values).reshape(self.shape)
        grid = np.full(self.shape, np.nan) if numeric else np.full(self.shape, None, dtype=object)
        grid[self.unit, self.wave] = to_number(values) if numeric else values
        return grid

    def by_wave(self, values: pd.Series, unit: str, wave: str | None) -> pd.DataFrame:
        """Return a column as (n, T) with its labels; the names are those of the two axes."""
        index, waves = self.index.rename(unit), pd.Index(self.waves, name=wave)
        if self.complete and isinstance(values.dtype, pd.StringDtype):
            text = {t: values.array[t :: len(waves)] for t in range(len(waves))}
            return pd.DataFrame(text, index=index).set_axis(waves, axis=1)
        return pd.DataFrame(self.grid(values), index=index, columns=waves)

    def first_known(self, values: pd.Series) -> np.ndarray:
        """Return each unit's first value that is not missing, (n,)."""
        first = values.iloc[self.first]
        if first.notna().all():
            return np.asarray(first.to_numpy())
        found = values.groupby(self.unit, sort=True).first().reindex(range(len(self.index)))
        return np.asarray(found.to_numpy())


def rows_of(data: pd.DataFrame, roles: Roles) -> Rows:
    """Return the rows of a table whose unit column is text."""
    unit, labels = factorise(data[roles.unit])
    waves, wave = waves_of(data, roles)
    index = labels.rename("unit")
    complete = _complete(unit, wave, len(waves))
    shared = 0 if complete else _shared(unit, wave, len(waves))
    return Rows(unit, index, waves, wave, _first(unit), complete, shared)


def _first(unit: IntArray) -> IntArray:
    """Return the first row of each unit: where its code is higher than all before."""
    if not unit.size:
        return np.zeros(0, dtype=np.int64)
    new = unit >= 0
    new[1:] &= unit[1:] > np.maximum.accumulate(unit)[:-1]
    return np.flatnonzero(new)


def _shared(unit: IntArray, wave: IntArray, n_waves: int) -> int:
    """Count rows whose unit and wave have stood before; rows without a unit are no one's."""
    keys = unit[unit >= 0] * n_waves + wave[unit >= 0]
    counts = np.bincount(keys)
    return int((counts[counts > 1] - 1).sum())


def _complete(unit: IntArray, wave: IntArray, n_waves: int) -> bool:
    if unit.size % n_waves:
        return False
    rows = unit.reshape(-1, n_waves)
    alike = (rows[:, 0] == np.arange(len(rows))).all() and (rows[:, :1] == rows).all()
    return bool(alike and (wave.reshape(-1, n_waves) == np.arange(n_waves)).all())
