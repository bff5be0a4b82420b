"""Which groups of units does a plan form, and what do their outcomes come down to?"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from prakerja_eval.numerics.moments import Loadings, cell_moments, cells_of
from prakerja_eval.panel.requests import Moments, UnitInfluence
from prakerja_eval.panel.roles import WaveLabel
from prakerja_eval.typing import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Grouped:
    """Units in the groups of a MomentPlan.

    Attributes
    ----------
    codes : (n,) int array
        Group of each unit; -1 for units that belong to none.
    groups : DataFrame
        A row a group, by code.
    outcome : (n, T) array
    weight : (n,) array
        Zero for units that belong to no group.
    """

    codes: IntArray
    groups: pd.DataFrame
    outcome: FloatArray
    weight: FloatArray

    def moments(self, waves: tuple[WaveLabel, ...], units: pd.DataFrame) -> Moments:
        """Return the sufficient statistics, with the way back to units."""
        keys, cell = cells_of(self.codes, self.outcome, self.weight)
        cells = cell_moments(keys, cell, self.outcome, self.weight)
        return Moments(self.groups, waves, cells, partial(self._influence, cell=cell, units=units))

    def _influence(
        self, loadings: Loadings, *, cell: IntArray, units: pd.DataFrame
    ) -> UnitInfluence:
        """Return the rows of psi, and who takes part in which estimate."""
        psi = loadings.influence(cell, self.outcome, self.weight)
        used = np.vstack([loadings.used, np.zeros((1, loadings.theta.size), dtype=bool)])
        sample = np.empty(psi.shape, dtype=bool, order="F")
        for k in range(psi.shape[1]):
            np.take(used[:, k], cell, out=sample[:, k], mode="wrap")
        return UnitInfluence(psi, sample, units, self.codes)


def group_labels(labels: pd.DataFrame) -> tuple[IntArray, pd.DataFrame]:
    """Return group codes (n,) by sorted combinations of values, and the groups by code."""
    if not labels.shape[1]:
        return np.zeros(len(labels), dtype=np.int64), pd.DataFrame(index=[0])
    codes = labels.groupby(list(labels.columns), sort=True, dropna=False).ngroup().to_numpy()
    groups = labels.assign(_code=codes).drop_duplicates("_code").sort_values("_code")
    return codes, groups.drop(columns="_code").reset_index(drop=True)


def without_unknown(
    codes: IntArray, groups: pd.DataFrame, weight: FloatArray
) -> tuple[IntArray, pd.DataFrame, FloatArray]:
    """Leave out the groups whose start is not known."""
    known = groups["start"].notna().to_numpy()
    place = np.where(known, np.cumsum(known) - 1, -1)
    codes = place[codes]
    return codes, groups[known].reset_index(drop=True), np.where(codes < 0, 0.0, weight)
