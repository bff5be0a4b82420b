"""How far did cohorts move beyond others, when only cell means are needed?

Without covariates every estimator of Sant'Anna and Zhao (2020) is a difference of mean changes
(panel) or of changes of means (cross-sections): functions of the weights W_c and means m_c of the
cells (cohort by pattern of observed waves).
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.numerics.moments import GroupMoments, Loadings
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class MeanComparisons:
    """K comparisons among C cells.

    Attributes
    ----------
    treated, comparison : (K, C) bool
        Cells whose cohort is in the arm.
    wave, base : (K,) int
    paired : bool
        Whether a unit counts only if it is seen in both periods.
    """

    treated: BoolArray
    comparison: BoolArray
    wave: IntArray
    base: IntArray
    paired: bool


@dataclass(frozen=True, slots=True)
class MeanEffects:
    """The comparisons' loadings, and what stands beside them.

    Attributes
    ----------
    loadings : Loadings
        theta is NaN where an arm is empty.
    n_treated, n_comparison : (K,) int
        Units that take part.
    smallest : (K,) int
        Units of the smaller arm in the period in which fewer are seen.
    after : (K,)
        Mean of the treated in the outcome wave.
    """

    loadings: Loadings
    n_treated: IntArray
    n_comparison: IntArray
    smallest: IntArray
    after: FloatArray


def mean_effects(cells: GroupMoments, asked: MeanComparisons) -> MeanEffects:
    """Compare mean changes.

    Parameters
    ----------
    cells : GroupMoments
        C cells over T waves.
    asked : MeanComparisons
    """
    n_cells, n_waves = cells.mean.shape
    k_total = len(asked.wave)
    seen = ((cells.pattern[:, None] >> np.arange(n_waves)) & 1).astype(bool)
    theta, after = np.zeros(k_total), np.zeros(k_total)
    level = np.zeros((n_cells, k_total))
    slope = np.zeros((n_cells, n_waves, k_total))
    used = np.zeros((n_cells, k_total), dtype=bool)
    counts = np.zeros((2, k_total), dtype=np.int64)
    smallest = np.zeros((4, k_total), dtype=np.int64)
    for k, (t, b) in enumerate(zip(asked.wave, asked.base, strict=True)):
        periods = seen[:, t], seen[:, b]
        if asked.paired:
            periods = (periods[0] & periods[1],) * 2
        for side, (arm, sign) in enumerate(((asked.treated[k], 1.0), (asked.comparison[k], -1.0))):
            for wave, period, s in ((int(t), periods[0], sign), (int(b), periods[1], -sign)):
                which = arm & period
                smallest[2 * side + (s != sign), k] = cells.n[which].sum()
                mean, share = _mean(cells, which, wave)
                theta[k] += s * mean
                level[which, k] += s * share * (cells.mean[which, wave] - mean)
                slope[which, wave, k] += s * share
            used[:, k] |= arm & (periods[0] | periods[1])
            counts[side, k] = cells.n[arm & (periods[0] | periods[1])].sum()
        after[k], _ = _mean(cells, asked.treated[k] & periods[0], int(t))
    loadings = Loadings(theta, cells.mean, level, slope, used)
    return MeanEffects(loadings, counts[0], counts[1], smallest.min(axis=0), after)


def _mean(cells: GroupMoments, which: BoolArray, wave: int) -> tuple[float, float]:
    """Return the weighted mean of cells at a wave, and 1 / their weight; NaN for no cell."""
    total = float(cells.weight[which].sum())
    if not total > 0:
        return np.nan, np.nan
    first = cells.mean[which, wave][0]
    shifted = cells.mean[which, wave] - first
    return float(first + cells.weight[which] @ shifted / total), 1.0 / total
