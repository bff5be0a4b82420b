"""How far apart are two arms inside blocks, and what did each unit add to the answer.

The difference in means of every block is averaged with shares. Shares proportional to
n_b p_b (1 - p_b) are those of a regression with strata fixed effects: run `wls` on the arm and
`block_dummies` for it.
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.typing import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class BlockMeans:
    """A share-weighted average of within-block differences in means.

    Attributes
    ----------
    theta : float
        sum_b share_b effect_b.
    psi : (n,)
        Influence at fixed block shares.
    psi_share : (n,)
        Influence of the estimated shares; psi + psi_share obeys the law d theta / d w_i.
    cell : (n,) int
        2 * block + arm.
    leverage : (n,)
        w_i over the sum of w in the cell.
    residuals : (n,)
        y minus the mean of the cell.
    effects : (B,)
        Difference in means of each block, treated less comparison.
    shares : (B,)
        Weights of the blocks; they sum to one.
    comparison_mean : float
        Share-weighted mean of the comparison cells.
    """

    theta: float
    psi: FloatArray
    psi_share: FloatArray
    cell: IntArray
    leverage: FloatArray
    residuals: FloatArray
    effects: FloatArray
    shares: FloatArray
    comparison_mean: float


def block_means(
    y: FloatArray,
    arm: IntArray | FloatArray,
    block: IntArray,
    w: FloatArray,
    share_weights: FloatArray,
) -> BlockMeans:
    """Average the within-block differences in means with estimated shares.

    Parameters
    ----------
    y : (n,)
        Outcome.
    arm : (n,)
        1 for the treated arm, 0 for the comparison.
    block : (n,) int
        Codes 0 .. B-1.
    w : (n,)
        Unit weights; a row of weight zero contributes nothing.
    share_weights : (n,)
        a_i in share_b = sum_{i in b} a_i w_i / sum_i a_i w_i: ones weight blocks by population,
        the arm itself weights them by treated people.

    Raises
    ------
    NotEstimableError
        When an arm of a block is empty (the block's code is named), or no unit has a share.
    """
    n_blocks = int(block.max()) + 1 if block.size else 0
    treated = np.asarray(arm, dtype=np.int64)
    cell = 2 * np.asarray(block, dtype=np.int64) + treated
    cell_weight = _cell_sums(w, cell, 2 * n_blocks)
    _refuse_empty_arms(cell_weight)
    means = _cell_means(y, cell, w, cell_weight)
    effects = means[1::2] - means[0::2]
    aw = share_weights * w
    total = aw.sum()
    if not total > 0:
        raise NotEstimableError("no unit has a share weight above zero: nothing to average over")
    shares = _cell_sums(aw, block, n_blocks) / total
    theta = float(shares @ effects)
    residuals = y - means[cell]
    leverage = w / cell_weight[cell]
    psi = shares[block] * (2 * treated - 1) * leverage * residuals
    psi_share = aw / total * (effects[block] - theta)
    comparison = float(shares @ means[0::2])
    return BlockMeans(theta, psi, psi_share, cell, leverage, residuals, effects, shares, comparison)


def block_dummies(block: IntArray, n_blocks: int) -> FloatArray:
    """Return the (n, B) indicators of block codes 0 .. B-1, for strata fixed effects by `wls`."""
    return np.asarray(block[:, None] == np.arange(n_blocks), dtype=np.float64)


def _cell_means(
    y: FloatArray, cell: IntArray, w: FloatArray, cell_weight: FloatArray
) -> FloatArray:
    """Weighted mean of each cell, with a second pass over the residuals against rounding."""
    means = _cell_sums(w * y, cell, cell_weight.size) / cell_weight
    rest = _cell_sums(w * (y - means[cell]), cell, cell_weight.size)
    return np.asarray(means + rest / cell_weight, dtype=np.float64)


def _cell_sums(x: FloatArray, cell: IntArray, n_cells: int) -> FloatArray:
    return np.asarray(np.bincount(cell, weights=x, minlength=n_cells), dtype=np.float64)


def _refuse_empty_arms(cell_weight: FloatArray) -> None:
    empty = np.flatnonzero(~(cell_weight > 0))
    if empty.size or not cell_weight.size:
        code, arm = divmod(int(empty[0]), 2) if empty.size else (0, 0)
        name = "treated" if arm else "comparison"
        raise NotEstimableError(
            f"block {code} has no {name} unit: leave the block out or merge it with another "
            f"({empty.size} empty cells in all)"
        )
