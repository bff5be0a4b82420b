"""How far apart are the arms once those who answered stand for those alike who did not?

Within each arm of a block the people who answered are weighted by one over their estimated
probability of answering (Horvitz and Thompson 1952; Wooldridge 2007).
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.numerics.logit_cells import CellLogit, logit_cells
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class ResponseWeighted:
    """A share-weighted average of differences in weighted means.

    Attributes
    ----------
    theta : float
        sum_b share_b (mean of winners who answered - mean of losers who answered).
    psi : (n,)
        Influence at fixed shares, the estimation of the probabilities included.
    psi_share : (n,)
        Influence of the shares; psi + psi_share obeys the law d theta / d w_i.
    probability : (n,)
        Fitted probability of answering; 1 where everybody of the cell answered.
    omega : (n,)
        w over the probability, 0 for those who did not answer.
    cell : (n,) int
        2 * block + arm.
    cell_weight : (2B,)
        Sums of omega.
    residuals : (n,)
        y less the mean of the cell, 0 for those who did not answer.
    shares : (B,)
    comparison_mean : float
    """

    theta: float
    psi: FloatArray
    psi_share: FloatArray
    probability: FloatArray
    omega: FloatArray
    cell: IntArray
    cell_weight: FloatArray
    residuals: FloatArray
    shares: FloatArray
    comparison_mean: float


@dataclass(frozen=True, slots=True)
class People:
    """Everyone who was drawn: n rows.

    Attributes
    ----------
    answered : (n,) bool
        Somebody of each arm of each block did.
    arm : (n,)
        1 for winners.
    block : (n,) int
        Codes 0 .. B-1.
    X : (n, k)
        Covariates.
    w : (n,)
        Weights above zero.
    """

    answered: BoolArray
    arm: FloatArray
    block: IntArray
    X: FloatArray
    w: FloatArray


@dataclass(frozen=True, slots=True)
class _Fit:
    """The logit of one arm, on the people of cells that not everybody of answered."""

    logit: CellLogit
    rows: IntArray
    cell: IntArray
    Z: FloatArray


def _fit(people: People, arm: int, by_block: bool) -> _Fit | None:
    """Fit the response of one arm; None where everybody answered."""
    own = people.arm == arm
    group = people.block if by_block else np.zeros_like(people.block)
    missed = np.bincount(group, own & ~people.answered, minlength=int(group.max()) + 1)
    rows = np.flatnonzero(own & (missed[group] > 0))
    if not len(rows):
        return None
    present, cell = np.unique(group[rows], return_inverse=True)
    Z = people.X[rows]
    r = people.answered[rows].astype(np.float64)
    logit = logit_cells(r, cell, len(present), Z, people.w[rows])
    return _Fit(logit, rows, cell, Z)


def response_weighted(
    y: FloatArray, people: People, share_weights: FloatArray, by_block: bool
) -> ResponseWeighted:
    """Compare the arms within blocks with the people who answered weighted by 1/p.

    Parameters
    ----------
    y : (n,)
        Outcome; whatever stands where nobody answered is not read.
    people : People
    share_weights : (n,)
        a_i in share_b = sum_{i in b} a_i w_i / sum a_i w_i, over everyone who was drawn.
    by_block : bool
        Whether the logit has an intercept for each block, or one for each arm.

    Raises
    ------
    CollinearityError, NotEstimableError
        When the response can not be modelled, in one of the arms.
    """
    r = people.answered.astype(np.float64)
    y = np.where(people.answered, y, 0.0)
    block, w = people.block, people.w
    n_blocks = int(block.max()) + 1
    cell = 2 * block + people.arm.astype(np.int64)
    aw = share_weights * w
    shares = np.bincount(block, aw, minlength=n_blocks) / aw.sum()
    signed = shares[block] * (2 * people.arm - 1)
    fits = [fit for arm in (0, 1) if (fit := _fit(people, arm, by_block)) is not None]
    probability = np.ones(len(y))
    for fit in fits:
        probability[fit.rows] = fit.logit.probability
    omega = w * r / probability
    cell_weight = np.bincount(cell, omega, minlength=2 * n_blocks).astype(np.float64)
    means = np.bincount(cell, omega * y, minlength=2 * n_blocks) / cell_weight
    residuals = np.where(people.answered, y - means[cell], 0.0)
    direct = signed * omega * residuals / cell_weight[cell]
    psi = direct.copy()
    for fit in fits:
        slope = -direct[fit.rows] * (1 - probability[fit.rows])  # d(1/p)/d eta = -(1 - p)/p
        by_alpha = np.bincount(fit.cell, slope).astype(np.float64)
        psi[fit.rows] += fit.logit.influence(fit.cell, fit.Z, by_alpha, fit.Z.T @ slope)
    effects = means[1::2] - means[0::2]
    theta = float(shares @ effects)
    return ResponseWeighted(
        theta=theta,
        psi=psi,
        psi_share=aw / aw.sum() * (effects[block] - theta),
        probability=probability,
        omega=omega,
        cell=cell,
        cell_weight=cell_weight,
        residuals=residuals,
        shares=shares,
        comparison_mean=float(shares @ means[0::2]),
    )
