"""What is a group's mean, and how uncertain? From sufficient statistics alone."""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.numerics.moments import GroupMoments


@dataclass(frozen=True, slots=True)
class GroupMean:
    """A weighted mean of one group in one wave.

    Attributes
    ----------
    n : int
        People observed.
    mean, std_error : float
        NaN with fewer than two people. The standard error takes the weights as unrelated to the
        spread of the outcome: s / sqrt(n_eff), with Kish's effective number n_eff.
    """

    n: int
    mean: float
    std_error: float


def group_mean(cells: GroupMoments, group: int, wave: int) -> GroupMean:
    """Pool a group's cells (its patterns of missing waves) at one wave."""
    seen = (cells.group == group) & ((cells.pattern >> wave) & 1 == 1)
    w, m = cells.weight[seen], cells.mean[seen, wave]
    n, total = int(cells.n[seen].sum()), float(w.sum())
    if n < 2 or total <= 0:
        return GroupMean(n, np.nan, np.nan)
    mean = float(w @ m / total)
    squares = float(cells.cross[seen, wave, wave].sum() + w @ (m - mean) ** 2)
    effective = total**2 / float(cells.weight_sq[seen].sum())
    return GroupMean(n, mean, float(np.sqrt(squares / total / (effective - 1))))
