"""What is the effect when each block's offer is an instrument of its own?

Two-stage least squares with block fixed effects, never writing a column for a block.
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import CollinearityError, NotEstimableError
from prakerja_eval.numerics.cells import cell_regression
from prakerja_eval.typing import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class OfferByBlock:
    """A two-stage least-squares fit with instruments offer × block.

    Attributes
    ----------
    theta : float
        Coefficient of the treatment.
    psi : (n,)
        Influence that obeys the law ψ_i = d θ / d w_i: scores of the second stage plus the
        estimation of the first.
    residuals : (n,)
        y - θ d - block effect - X β, with the treatment itself and not its projection.
    design : (n, 1 + p)
        The projected treatment, then X: the columns of the second stage beside the B blocks.
    bread : (B + 1 + p, B + 1 + p)
        (X̂'W X̂)⁻¹, blocks first.
    """

    theta: float
    psi: FloatArray
    residuals: FloatArray
    design: FloatArray
    bread: FloatArray


def offer_by_block(
    y: FloatArray, d: FloatArray, arm: FloatArray, block: IntArray, X: FloatArray, w: FloatArray
) -> OfferByBlock:
    """Regress y on d, block effects and X; instruments are arm × block.

    The first stage is saturated in the cells (blocks by arm), so the projected treatment is the
    mean of the cell plus what X explains within cells.

    Parameters
    ----------
    y, d : (n,)
        Outcome and treatment.
    arm : (n,)
        1 for winners, 0 for losers.
    block : (n,) int
        Codes 0 .. B-1, each with both arms.
    X : (n, p)
        Covariates.
    w : (n,)
        Weights, zero or more.

    Raises
    ------
    NotEstimableError
        When the offer moves the treatment in no block.
    CollinearityError
        When a covariate depends on the blocks or on those before it; the position counts within X.
    """
    n_blocks = int(block.max()) + 1
    cell = 2 * block + np.asarray(arm, dtype=np.int64)
    v = cell_regression(d, cell, 2 * n_blocks, X, w).residuals
    design = np.column_stack([d - v, X])
    try:
        second = cell_regression(y - y[0], block, n_blocks, design, w)
    except CollinearityError as error:
        if error.column > 0:
            raise CollinearityError(str(error), error.column - 1) from error
        raise NotEstimableError("the offer moves receipt in no block") from error
    theta = float(second.beta[n_blocks])
    residuals = second.residuals - theta * v
    lever = second.bread[n_blocks]
    projected = residuals - cell_regression(residuals, cell, 2 * n_blocks, X, w).residuals
    scores = (lever[block] + design @ lever[n_blocks:]) * residuals
    psi = w * (scores + lever[n_blocks] * v * projected)
    return OfferByBlock(theta, psi, residuals, design, second.bread)
