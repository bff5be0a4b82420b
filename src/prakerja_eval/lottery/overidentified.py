"""What if the offer of each block is an instrument of its own? Two-stage least squares by block."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from prakerja_eval.errors import CollinearityError, NotEstimableError, UsageError
from prakerja_eval.estimate import Estimate, Inference, LinearFit, LinearTerm, variance
from prakerja_eval.estimate.estimate import COUNT_COLUMNS, INDEX_COLUMNS, index_row
from prakerja_eval.estimate.specs import Clustered
from prakerja_eval.estimate.variance import Variance, cluster_codes
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.first_stage import NoFirstStageError
from prakerja_eval.lottery.kernel_tsls import OfferByBlock, offer_by_block
from prakerja_eval.lottery.regression import Difference
from prakerja_eval.lottery.sample import Sample
from prakerja_eval.numerics.cells import cell_regression
from prakerja_eval.numerics.weak_many import Reduced, Scaled, hotelling, sum_of_squared_t
from prakerja_eval.typing import FloatArray, IntArray

WEIGHTING = "n p (1 - p) times squared take-up"
LARGEST = 2e7  # numbers in the influence of all blocks written out
SINGULAR = 1e-10
FEWEST = 4.0  # degrees of freedom, beyond which a squared t-ratio has a variance
NO_LAW = Scaled(np.nan, np.nan)
FEW = "no joint test of the blocks: some have too few people, or clusters are too few"
JOINT = "no joint test of the blocks: their effects have no joint variance"
MANY = "no joint test of the blocks: too many people and blocks with covariates or shared clusters"


def _refuse_options(design: Design) -> None:
    """Refuse choices that two-stage least squares by block has no place for."""
    if (
        design.block_weights == "treated"
        or design.shares == "superpopulation"
        or design.lone_arms == "pashley_miratrix"
    ):
        raise UsageError(
            "lottery.Design(instruments='offer_by_block') weighs blocks by its own regression: "
            "leave out block_weights='treated', shares='superpopulation' and "
            "lone_arms='pashley_miratrix'."
        )


def effect(sample: Sample, design: Design) -> Difference:
    """Return two-stage least squares of the outcome on receipt with instruments offer × block."""
    _refuse_options(design)
    fit = _fit(sample.y, sample, design)
    n_blocks = int(sample.block.max()) + 1
    linear = LinearFit(
        residuals=fit.residuals,
        weights=sample.weight,
        bread=fit.bread,
        rows=sample.rows,
        design=fit.design,
        cells=sample.block,
    )
    contrast = np.zeros(len(fit.bread))
    contrast[n_blocks] = 1.0
    untreated = _fit(sample.y * (1 - sample.received), sample, design)
    return Difference(fit.theta, fit.psi, LinearTerm(linear, contrast), -untreated.theta)


def _fit(y: FloatArray, sample: Sample, design: Design) -> OfferByBlock:
    s = sample
    try:
        return offer_by_block(y, s.received, s.arm, s.block, s.covariates, s.weight)
    except CollinearityError as error:
        names = ", ".join(design.covariates)
        raise NotEstimableError(
            f"the covariates ({names}) depend on each other or on the blocks among the people "
            f"observed{s.at_wave}. Leave one out."
        ) from error
    except NotEstimableError as error:
        raise NoFirstStageError(f"{error}{s.at_wave}: there is no first stage.") from error


@dataclass(frozen=True, slots=True)
class Blockwise:
    """What each block's offer does to outcome and receipt, and what the instruments weigh.

    Attributes
    ----------
    reduced : Reduced
        K effects and their covariances.
    Q : (K,) or (K, K) array
        Gram matrix of the instruments after block effects and covariates.
    law : Scaled
        Distribution of the joint test of K effects.
    status : str
        "ok", or why there is no joint test.
    """

    reduced: Reduced
    Q: FloatArray
    law: Scaled
    status: str


def blockwise(sample: Sample, inference: Inference) -> Blockwise:
    """Return the K effects of the offer by block on outcome and receipt, with their covariances.

    Where units (or clusters) lie within blocks and there are no covariates, the effects of two
    blocks are uncorrelated and only the K diagonals are made; else the covariance is K by K.
    """
    K = int(sample.block.max()) + 1
    cells = [_cells(v, sample, K) for v in (sample.y - sample.y[0], sample.received)]
    effects = [means[1::2] - means[0::2] for _, means in cells]
    sums = _stack([_contrast(fit, np.tile([-1.0, 1.0], K)) for fit, _ in cells], sample)
    by = inference.by if isinstance(inference, Clustered) else "unit"
    codes = cluster_codes(sums, by)[sample.rows]
    nested = len(np.unique(codes)) == len(np.unique(codes * K + sample.block))
    if nested and not sample.covariates.shape[1]:
        found = variance(sums, inference)
        parts = _diagonals(found, codes, sample.block, K)
    elif 2.0 * K * len(sample.units) > LARGEST:
        nan = np.full(K, np.nan)
        return Blockwise(Reduced(effects[0], effects[1], nan, nan, nan), nan, NO_LAW, MANY)
    else:
        each = np.kron(np.eye(K), [-1.0, 1.0])
        rows = [_contrast(fit, c) for fit, _ in cells for c in each]
        found = variance(_stack(rows, sample), inference)
        V = found.covariance
        parts = V[:K, :K], V[:K, K:], V[K:, K:]
    reduced = Reduced(effects[0], effects[1], *parts)
    law = Scaled(1.0, K) if np.isinf(found.df).all() else _law(sample, codes, nested, K)
    state = next((s for s in found.status if s != "ok"), "ok")
    if state == "ok":
        state = FEW if law is None else JOINT if _singular(reduced.gg) else "ok"
    return Blockwise(reduced, _gram(sample, K), law or NO_LAW, state)


def _law(sample: Sample, codes: IntArray, nested: bool, K: int) -> Scaled | None:
    """Return the distribution of the joint test, None where too few units bear its variance.

    With units within arms of blocks each block's t-ratio has Welch's degrees of freedom, that of
    equal spread in both arms; with clusters of both arms within blocks, their number less one; with
    clusters across blocks all K share the clusters'.
    """
    arm = sample.arm.astype(np.int64)
    _, first = np.unique(codes, return_index=True)
    groups = np.bincount(sample.block[first], minlength=K)
    if not nested:
        return hotelling(K, len(first) - 1.0) if len(first) - K > FEWEST else None
    nu = groups - 1.0
    if len(np.unique(2 * codes + arm)) == len(first):
        won = np.bincount(sample.block[first], arm[first], minlength=K)
        lost = groups - won
        if min(won.min(), lost.min()) < 2:
            return None
        nu = (1 / won + 1 / lost) ** 2 / (1 / (won**2 * (won - 1)) + 1 / (lost**2 * (lost - 1)))
    return sum_of_squared_t(np.asarray(nu)) if nu.min() > FEWEST else None


def _cells(v: FloatArray, sample: Sample, K: int) -> tuple[LinearFit, FloatArray]:
    """Return the regression of v on arms of blocks and covariates, and the cells' intercepts."""
    cell = 2 * sample.block + sample.arm.astype(np.int64)
    X = sample.covariates
    fit = cell_regression(v, cell, 2 * K, X, sample.weight)
    linear = LinearFit(
        residuals=fit.residuals,
        weights=sample.weight,
        bread=fit.bread,
        rows=sample.rows,
        design=X if X.shape[1] else None,
        cells=cell,
    )
    return linear, fit.beta[: 2 * K]


def _contrast(fit: LinearFit, of_cells: FloatArray) -> LinearTerm:
    """Return a contrast of the cells' intercepts."""
    covariates = np.zeros(fit.n_parameters - len(of_cells))
    return LinearTerm(fit, np.concatenate([of_cells, covariates]))


def _stack(terms: list[LinearTerm], sample: Sample) -> Estimate:
    """Return an Estimate with a row for each contrast, for its covariance alone."""
    psi = np.column_stack([sample.by_unit(term.core()) for term in terms])
    k = len(terms)
    return Estimate(
        theta=np.zeros(k),
        psi=psi,
        sample=np.ones(psi.shape, dtype=bool),
        units=sample.units,
        index=pd.DataFrame([index_row()] * k, columns=list(INDEX_COLUMNS), dtype=object),
        counts=pd.DataFrame([{"status": "ok"}] * k, columns=list(COUNT_COLUMNS)),
        terms=tuple((term,) for term in terms),
        defaults=(Clustered("unit"),) * k,
    )


def _diagonals(
    found: Variance, codes: IntArray, block: IntArray, n_blocks: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Split the covariance of the sums over blocks into what each block adds."""
    home = np.zeros(len(found.scores), dtype=np.int64)
    home[codes] = block
    g, f = found.scores.T

    def within(product: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(home, product, minlength=n_blocks), dtype=np.float64)

    return within(g * g), within(g * f), within(f * f)


def _singular(V: FloatArray) -> bool:
    """Say whether a covariance, or its diagonal, has no inverse."""
    size = V if V.ndim == 1 else np.diag(V)
    if not (size > 0).all():
        return True
    if V.ndim == 1:
        return False
    return bool(np.linalg.eigvalsh(V / np.sqrt(np.outer(size, size)))[0] < SINGULAR)


def _gram(sample: Sample, K: int) -> FloatArray:
    """Return Z'WZ of the instruments after block effects and covariates: q, or q − A G⁻¹ A'."""
    w, block = sample.weight, sample.block
    people = np.bincount(block, w)
    offered = sample.arm - (np.bincount(block, w * sample.arm) / people)[block]
    q = np.bincount(block, w * offered**2)
    if not sample.covariates.shape[1]:
        return np.asarray(q)
    columns = sample.covariates.T
    A = np.column_stack([np.bincount(block, w * offered * x) for x in columns])
    means = np.column_stack([np.bincount(block, w * x) / people for x in columns])
    left = sample.covariates - means[block]
    return np.asarray(np.diag(q) - A @ np.linalg.solve(left.T @ (left * w[:, None]), A.T))
