"""Does one cluster alone hold an arm? Then the influence of its units cancels, and says nothing."""

import numpy as np

from prakerja_eval.estimate.estimate import Estimate
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

CANCELLED = 1e-14  # of the squares that would add up without cancelling
STARTS = "treated_from"  # column of units: the cohort, missing for the never treated


def cancels(scores: FloatArray, psi: FloatArray) -> bool:
    """Say whether cluster sums are rounding beside the influence that they add up."""
    return bool(scores @ scores <= CANCELLED * (psi @ psi) and psi.any())


def arm_of_one_cluster(estimate: Estimate, k: int, codes: IntArray) -> bool:
    """Say whether the treated of a row, or those they are compared with, lie in one cluster.

    The treated are those of the row's cohort, or of any; a row in which nobody is never treated has
    no arm of its own to compare with.

    Parameters
    ----------
    estimate : Estimate
        Whose units carry their cohort; else nothing is said.
    k : int
        The row.
    codes : (n,) int
        Cluster of each unit.
    """
    if STARTS not in estimate.units.columns:
        return False
    start = estimate.units[STARTS]
    cohort = estimate.index["cohort"].iloc[k]
    treated = np.asarray(start.notna() if cohort is None else start == cohort, dtype=bool)
    sample = estimate.sample[:, k]
    return any(_clusters(codes, sample & arm) == 1 for arm in (treated, ~treated))


def _clusters(codes: IntArray, members: BoolArray) -> int:
    return len(np.unique(codes[members]))
