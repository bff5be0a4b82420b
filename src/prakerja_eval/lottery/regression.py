"""How far apart are winners and losers within their blocks, with or without covariates?"""

from dataclasses import dataclass, replace

import numpy as np

from prakerja_eval.errors import CollinearityError, NotEstimableError
from prakerja_eval.estimate import LinearFit, LinearTerm
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.sample import Sample
from prakerja_eval.numerics.blocks import block_dummies, block_means
from prakerja_eval.numerics.linear import wls
from prakerja_eval.typing import FloatArray

ROUNDING = 1e-13


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """A difference between arms, and what stands behind it.

    Attributes
    ----------
    theta : float
    psi : (m,) array
        Influence by row, with that of the block shares where the design counts them as drawn.
    term : LinearTerm
        The regression, for leverage corrections.
    comparison_mean : float
        Share-weighted mean of the losers.
    """

    theta: float
    psi: FloatArray
    term: LinearTerm
    comparison_mean: float


def difference(y: FloatArray, sample: Sample, design: Design) -> Difference:
    """Return the design's difference in ``y`` between winners and losers.

    Parameters
    ----------
    y : (m,) array
        The outcome, or receipt, or y - θd when a ratio is linearised.
    sample : Sample
        m rows.
    design : Design
        Weights of the blocks, shares and covariates.
    """
    share_weights = _share_weights(sample, design)
    blocks = block_means(y, sample.arm, sample.block, sample.weight, share_weights)
    if design.block_weights != "strata_fe" and not sample.covariates.shape[1]:
        cell_weight = np.bincount(blocks.cell, sample.weight)
        contrast = np.column_stack([-blocks.shares, blocks.shares]).ravel()
        fit = LinearFit(
            residuals=blocks.residuals,
            weights=sample.weight,
            bread=np.diag(1.0 / cell_weight),
            rows=sample.rows,
            cells=blocks.cell,
        )
        term = LinearTerm(fit, contrast)
        answer = Difference(blocks.theta, blocks.psi, term, blocks.comparison_mean)
        return _with_shares(answer, blocks.psi_share, design)
    return _regression(y, sample, design, share_weights, blocks.comparison_mean)


def _share_weights(sample: Sample, design: Design) -> FloatArray:
    """Return how much each person counts in the share of the block, (m,)."""
    if design.block_weights == "treated":
        return sample.arm
    if design.block_weights == "population":
        return np.ones_like(sample.weight)
    people = np.bincount(sample.block, sample.weight)
    odds = (np.bincount(sample.block, sample.weight * sample.arm) / people)[sample.block]
    return odds * (1 - odds)


def _regression(
    y: FloatArray, sample: Sample, design: Design, share_weights: FloatArray, mean: float
) -> Difference:
    """Regress on arm, blocks and covariates; average the arm's coefficients with the shares."""
    n_blocks = int(sample.block.max()) + 1
    dummies = block_dummies(sample.block, n_blocks)
    arm = sample.arm[:, None]
    drawn = sample.weight * share_weights
    drawn = drawn / drawn.sum()
    centred = sample.covariates - drawn @ sample.covariates
    single = design.block_weights == "strata_fe"
    effects = arm if single else arm * dummies
    interactions = arm * centred if design.covariate_model == "lin" else centred[:, :0]
    X = np.hstack([effects, dummies, centred, interactions])
    try:
        # Block effects take up a shift of y; without it a constant outcome leaves no rounding.
        fit = wls(y - y[0], X, sample.weight)
    except CollinearityError as error:
        raise NotEstimableError(_collinear(error.column, effects.shape[1], design)) from error
    if np.abs(fit.residuals).max() <= ROUNDING * np.abs(y).max():
        # covariates that reproduce y leave rounding, which has no standard error
        fit = replace(fit, psi=np.zeros_like(fit.psi), residuals=np.zeros_like(y))
    shares = np.ones(1) if single else drawn @ dummies
    contrast = np.concatenate([shares, np.zeros(X.shape[1] - len(shares))])
    psi = fit.psi @ contrast
    theta = float(contrast @ fit.beta)
    linear = LinearFit(fit.residuals, fit.weights, fit.bread, sample.rows, design=X)
    answer = Difference(theta, psi, LinearTerm(linear, contrast), mean)
    if single:
        return answer
    k = interactions.shape[1]
    tilt = centred @ fit.beta[X.shape[1] - k :] if k else 0.0
    share = drawn * (dummies @ fit.beta[:n_blocks] + tilt - theta)
    return _with_shares(answer, share, design)


def _with_shares(answer: Difference, share: FloatArray, design: Design) -> Difference:
    """Put the influence of the block shares into ψ where they are drawn, beside it where fixed."""
    if design.shares == "superpopulation":
        return replace(answer, psi=answer.psi + share)
    return replace(answer, term=replace(answer.term, share=share))


def _collinear(column: int, n_effects: int, design: Design) -> str:
    """Name the covariate (or block effect) that depends on the columns before it."""
    if column < 2 * n_effects:
        return "the arm cannot be told apart from the blocks: a block has one arm only."
    names = ", ".join(design.covariates)
    return (
        f"the covariates ({names}) depend on each other or on the blocks: one of them is a "
        "combination of the others among the people observed. Leave it out."
    )
