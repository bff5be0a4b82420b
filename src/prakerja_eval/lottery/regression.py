"""How far apart are winners and losers within their blocks, with or without covariates?"""

from dataclasses import dataclass, replace

import numpy as np

from prakerja_eval.errors import CollinearityError, NotEstimableError
from prakerja_eval.estimate import LinearFit, LinearTerm
from prakerja_eval.estimate.terms import SmallBlocks
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.sample import Sample
from prakerja_eval.numerics.blocks import BlockMeans, block_means
from prakerja_eval.numerics.cells import cell_regression
from prakerja_eval.numerics.lone_arms import lone_arm_scores
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


def prepared(sample: Sample, design: Design, *targets: FloatArray) -> tuple[Sample, Design]:
    """Replace a lasso by the regression on what it selects; other designs pass unchanged.

    Parameters
    ----------
    sample : Sample
    design : Design
    targets : (m,) arrays
        The row variables that one set of covariates must serve: the outcome, or outcome and receipt
        of a ratio. The offer is selected for besides.
    """
    if design.covariate_model != "lasso":
        return sample, design
    from prakerja_eval.lottery.selection import selected

    found = [selected(y, sample) for y in targets]
    keep = np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)
    names = design.covariates if len(keep) else ()
    return sample.with_covariates(keep), replace(design, covariate_model="ancova", covariates=names)


def difference(
    y: FloatArray, sample: Sample, design: Design, size: float | None = None
) -> Difference:
    """Return the design's difference in ``y`` between winners and losers.

    Parameters
    ----------
    y : (m,) array
        The outcome, or receipt, or y - θd when a ratio is linearised.
    sample : Sample
        m rows.
    design : Design
        Weights of the blocks, shares, covariates and method.
    size : float, optional
        How large the numbers are that ``y`` was made of: a residual or a share's influence 1e-13
        times smaller is rounding, which has no standard error. Left out, the largest of ``y``.
    """
    nothing = ROUNDING * (float(np.abs(y).max()) if size is None else size)
    if design.method == "ipw":
        sample = _weighted_by_odds(sample, design)
    share_weights = _share_weights(sample, design)
    blocks = _cleared(
        block_means(y, sample.arm, sample.block, sample.weight, share_weights), nothing
    )
    if design.block_weights != "strata_fe" and not sample.covariates.shape[1]:
        answer = Difference(
            blocks.theta, blocks.psi, _cell_means(blocks, sample, design), blocks.comparison_mean
        )
        return _with_shares(answer, blocks.psi_share, design)
    return _regression(y, sample, design, (share_weights, nothing), blocks.comparison_mean)


def _cleared(blocks: BlockMeans, nothing: float) -> BlockMeans:
    """Take away residuals, and differences between blocks, that are all rounding."""
    if np.abs(blocks.residuals).max() <= nothing:
        zero = np.zeros_like(blocks.psi)
        blocks = replace(blocks, residuals=zero, psi=zero)
    if np.abs(blocks.effects - blocks.theta).max() <= nothing:
        blocks = replace(blocks, psi_share=np.zeros_like(blocks.psi))
    return blocks


def _weighted_by_odds(sample: Sample, design: Design) -> Sample:
    """Return everybody in one block, weighted by one over the odds of the own arm.

    For the effect on winners a loser stands for p / (1 - p) of them.
    """
    p, won = sample.odds, sample.arm == 1
    if design.block_weights == "treated":
        inverse = np.where(won, 1.0, p / (1 - p))
    else:
        inverse = np.where(won, 1 / p, 1 / (1 - p))
    one = np.zeros_like(sample.block)
    return replace(sample, weight=sample.weight * inverse, block=one)


def _cell_means(blocks: BlockMeans, sample: Sample, design: Design) -> LinearTerm:
    """Return the regression on arms of blocks, whose coefficients are their means."""
    fit = LinearFit(
        residuals=blocks.residuals,
        weights=sample.weight,
        bread=np.diag(1.0 / np.bincount(blocks.cell, sample.weight)),
        rows=sample.rows,
        cells=blocks.cell,
    )
    small = None
    if design.lone_arms == "pashley_miratrix":
        small = _small_blocks(blocks, sample)
    contrast = np.column_stack([-blocks.shares, blocks.shares]).ravel()
    return LinearTerm(fit, contrast, small=small)


def _small_blocks(blocks: BlockMeans, sample: Sample) -> SmallBlocks | None:
    """Return the variance of blocks with one person in an arm, from their own differences."""
    count = np.bincount(blocks.cell, minlength=2 * len(blocks.shares))
    small = np.minimum(count[0::2], count[1::2]) == 1
    if not small.any():
        return None
    scores = lone_arm_scores(blocks.effects[small], blocks.shares[small])
    if scores is None:
        raise NotEstimableError(
            "lottery.Design(lone_arms='pashley_miratrix') compares blocks with one person in an "
            "arm among themselves: it needs three or more, none with half of their people."
        )
    _, first = np.unique(sample.block, return_index=True)
    score = np.zeros(len(sample.block))
    score[first[np.flatnonzero(small)]] = scores
    return SmallBlocks(small[sample.block], score)


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
    y: FloatArray, sample: Sample, design: Design, how: tuple[FloatArray, float], mean: float
) -> Difference:
    """Regress on cells and covariates; average the cells' differences with the shares."""
    share_weights, nothing = how
    n_blocks = int(sample.block.max()) + 1
    single = design.block_weights == "strata_fe"
    arm = sample.arm[:, None]
    drawn = sample.weight * share_weights
    drawn = drawn / drawn.sum()
    centred = sample.covariates - drawn @ sample.covariates
    interactions = arm * centred if design.covariate_model == "lin" else centred[:, :0]
    Z = np.hstack([arm if single else centred[:, :0], centred, interactions])
    cell = sample.block if single else 2 * sample.block + sample.arm.astype(np.int64)
    n_cells = n_blocks if single else 2 * n_blocks
    try:
        # Cells take up a shift of y; without it a constant outcome leaves no rounding.
        fit = cell_regression(y - y[0], cell, n_cells, Z, sample.weight)
    except CollinearityError as error:
        raise NotEstimableError(_collinear(error.column, single, design)) from error
    residuals = fit.residuals
    if np.abs(residuals).max() <= nothing:
        # covariates that reproduce y leave rounding, which has no standard error
        residuals = np.zeros_like(y)
    shares = np.bincount(sample.block, drawn, minlength=n_blocks)
    contrast = np.zeros(n_cells + Z.shape[1])
    if single:
        contrast[n_cells] = 1.0
    else:
        contrast[:n_cells] = np.column_stack([-shares, shares]).ravel()
    linear = LinearFit(residuals, sample.weight, fit.bread, sample.rows, design=Z, cells=cell)
    term = LinearTerm(linear, contrast)
    theta = float(contrast @ fit.beta)
    answer = Difference(theta, term.core(), term, mean)
    if single:
        return answer
    effects = (fit.beta[1:n_cells:2] - fit.beta[0:n_cells:2])[sample.block]
    k = interactions.shape[1]
    tilt = centred @ fit.beta[len(fit.beta) - k :] if k else 0.0
    apart = effects + tilt - theta
    return _with_shares(answer, drawn * np.where(np.abs(apart) <= nothing, 0.0, apart), design)


def _with_shares(answer: Difference, share: FloatArray, design: Design) -> Difference:
    """Put the influence of the block shares into ψ where they are drawn, beside it where fixed."""
    if design.shares == "superpopulation" or design.method == "ipw":
        return replace(answer, psi=answer.psi + share)
    return replace(answer, term=replace(answer.term, share=share))


def _collinear(column: int, single: bool, design: Design) -> str:
    """Name the covariate (or block effect) that depends on the columns before it."""
    if single and column == 0:
        return "the arm cannot be told apart from the blocks: a block has one arm only."
    names = ", ".join(design.covariates)
    return (
        f"the covariates ({names}) depend on each other or on the blocks: one of them is a "
        "combination of the others among the people observed. Leave it out."
    )
