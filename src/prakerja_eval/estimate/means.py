"""What is a group's mean, and how uncertain? From sufficient statistics alone."""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.numerics.moments import GroupMoments, about


@dataclass(frozen=True, slots=True)
class GroupMean:
    """A weighted mean of one group in one wave.

    Attributes
    ----------
    n : int
        People observed.
    mean, std_error : float
        NaN with fewer than two people. The standard error is that of a ratio of weighted sums,
        sqrt(n / (n - 1) sum w^2 (y - mean)^2) / sum w; with equal weights, s / sqrt(n).
    """

    n: int
    mean: float
    std_error: float


def group_mean(cells: GroupMoments, group: int, wave: int) -> GroupMean:
    """Pool a group's cells (its patterns of missing waves) at one wave."""
    seen = (cells.group == group) & ((cells.pattern >> wave) & 1 == 1)
    w, m = cells.weight[seen], cells.mean[seen, wave]
    n, total = int(cells.n[seen].sum()), float(w.sum())
    if n < 2:
        return GroupMean(n, np.nan, np.nan)
    mean = float(w @ m / total)
    _, second = about(cells, np.full_like(cells.mean, mean))
    squares = float(second[seen, wave].sum())
    return GroupMean(n, mean, float(np.sqrt(n / (n - 1) * squares) / total))
