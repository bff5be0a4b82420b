"""Which outcomes of a family stand when all are tested on the same draws?"""

import numpy as np

from prakerja_eval.lottery.kernel_redraw_test import TIE, at_least
from prakerja_eval.typing import FloatArray


def maximum(observed: FloatArray, drawn: FloatArray, exact: bool) -> FloatArray:
    """Return step-down p-values by the largest statistic (Romano and Wolf 2005), (K,).

    The most extreme outcome is compared with the largest statistic of all in each draw, the next
    one with the largest of those that are left, and so on; none gets less than the one before it.

    Parameters
    ----------
    observed : (K,) array
        Statistics on one scale.
    drawn : (R, K) array
        The same draw in each row.
    exact : bool
        Whether the rows are all assignments, the observed one among them.
    """
    return _down(np.abs(observed), np.abs(drawn), exact)


def minimum(observed: FloatArray, drawn: FloatArray, exact: bool) -> FloatArray:
    """Return step-down p-values by the smallest p-value (Westfall and Young 1993), (K,).

    Each statistic of each draw has its own p-value among the draws of its outcome (Ge, Dudoit and
    Speed 2003), so that outcomes of unlike scales and tails count alike. Parameters as in
    ``maximum``.
    """
    pool = np.abs(drawn if exact else np.vstack([observed, drawn]))
    pool = np.where(np.isnan(pool), np.inf, pool)
    ranks = np.empty_like(pool)
    own = np.empty(len(observed))
    for k, column in enumerate(pool.T):
        ordered = np.sort(column)
        ranks[:, k] = len(pool) - np.searchsorted(ordered, column * (1 - TIE))
        own[k] = len(pool) - np.searchsorted(ordered, abs(observed[k]) * (1 - TIE))
    rows = ranks if exact else ranks[1:]
    return _down(1 / own, 1 / rows, exact)  # a small p-value is a large 1/p


def _down(observed: FloatArray, drawn: FloatArray, exact: bool) -> FloatArray:
    """Step down from the largest of ``observed`` (K,), all non-negative."""
    drawn = np.where(np.isnan(drawn), np.inf, drawn)
    order = np.argsort(-observed, kind="stable")
    # the largest over an outcome and those after it in the order
    largest = np.maximum.accumulate(drawn[:, order[::-1]], axis=1)[:, ::-1]
    extreme = at_least(largest, observed[order]).sum(axis=0)
    p = extreme / len(drawn) if exact else (1 + extreme) / (1 + len(drawn))
    out = np.empty(len(observed))
    out[order] = np.maximum.accumulate(p)
    return out
