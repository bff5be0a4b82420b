"""What are compliers like? Means of covariates by type, through Abadie's kappa.

Abadie (2003), doi 10.1016/S0304-4076(02)00201-4: under monotonicity a unit with odds p of winning
stands for

    always-takers   a = D (1 - Z) / (1 - p)
    never-takers    n = (1 - D) Z / p
    compliers       kappa = 1 - a - n

of each type in expectation, so that E[k x] / E[k] is the mean of x in the type of k.
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.typing import FloatArray, IntArray

EVERYONE, COMPLIERS, ALWAYS, NEVER = range(4)


@dataclass(frozen=True, slots=True)
class TypeMeans:
    """Shares of four groups, and means of k variables in each: everyone, compliers, always, never.

    Attributes
    ----------
    share : (4,)
        E[k]; one for everyone.
    psi_share : (n, 4)
    mean : (4, k)
        E[k x] / E[k]; NaN where the share is zero.
    psi_mean : (n, 4, k)
        Both influences obey the law psi_i = d theta / d w_i, estimated odds included.
    """

    share: FloatArray
    psi_share: FloatArray
    mean: FloatArray
    psi_mean: FloatArray


def type_means(
    x: FloatArray,
    received: FloatArray,
    arm: FloatArray,
    odds: FloatArray,
    w: FloatArray,
    block: IntArray | None = None,
) -> TypeMeans:
    """Return the shares of the types and the means of x in them.

    Parameters
    ----------
    x : (n, k)
        Variables fixed before the lottery.
    received, arm : (n,)
        D and Z, each 0 or 1.
    odds : (n,)
        p. With ``block`` it must be the weighted share of winners in the unit's block.
    w : (n,)
        Unit weights; a row of weight zero contributes nothing.
    block : (n,) int, optional
        Codes 0 .. B-1 where the odds are estimated by the block's share of winners: psi then has
        their influence. Left out, the odds are known.
    """
    k, slope = _kappas(received, arm, odds)
    share = w @ k / w.sum()
    psi_share = (w / w.sum())[:, None] * (k - share)
    n, columns = x.shape
    mean = np.full((4, columns), np.nan)
    psi_mean = np.full((n, 4, columns), np.nan)
    for t in np.flatnonzero(share != 0):
        total = w @ k[:, t]
        mean[t] = (w * k[:, t]) @ x / total
        psi_mean[:, t] = (w * k[:, t] / total)[:, None] * (x - mean[t])
    if block is not None:
        # p_b = sum w Z / sum w moves by w_i (Z_i - p_b) / W_b, and k with it by its slope
        people = np.bincount(block, w)
        moved = w * (arm - odds) / people[block]
        psi_share += moved[:, None] * _block_sums(w[:, None] * slope, block)[block] / w.sum()
        for t in np.flatnonzero(share != 0):
            tilt = (w * slope[:, t])[:, None] * (x - mean[t]) / (w @ k[:, t])
            psi_mean[:, t] += moved[:, None] * _block_sums(tilt, block)[block]
    return TypeMeans(share, psi_share, mean, psi_mean)


def _kappas(
    received: FloatArray, arm: FloatArray, odds: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return k (n, 4) and its derivative in p."""
    always = received * (1 - arm) / (1 - odds)
    never = (1 - received) * arm / odds
    one, zero = np.ones_like(always), np.zeros_like(always)
    k = np.column_stack([one, one - always - never, always, never])
    d_always, d_never = always / (1 - odds), -never / odds
    return k, np.column_stack([zero, -d_always - d_never, d_always, d_never])


def _block_sums(values: FloatArray, block: IntArray) -> FloatArray:
    """Sum the columns of values (n, k) by block, (B, k)."""
    return np.column_stack([np.bincount(block, column) for column in values.T])
