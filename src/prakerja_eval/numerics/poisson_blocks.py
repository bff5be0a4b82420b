"""By which factor does a non-negative outcome differ within blocks, however many blocks there are?

The block effects of a Poisson fit have a closed form given the other coefficients, so that they are
taken out of the likelihood and never written as columns.
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import CollinearityError, NotEstimableError
from prakerja_eval.numerics.linear import COLLINEAR, factor
from prakerja_eval.typing import FloatArray, IntArray

# Newton converges quadratically: a last step of 1e-9 leaves an error of about 1e-18.
STEP = 1e-9
MAX_STEPS = 100
MAX_HALVINGS = 40


@dataclass(frozen=True, slots=True)
class BlockPoisson:
    """A Poisson pseudo-likelihood fit with log link and an effect for every block.

    Attributes
    ----------
    beta : (k,)
        Coefficients of the columns; exp(beta) are ratios of means.
    mean : (n,)
        Fitted means, zero in blocks where every outcome is zero.
    psi : (n, k)
        Influence, bread (x_i - xbar_b) w_i (y_i - mean_i); obeys the law.
    left : (n, k)
        x_i - xbar_b, the columns less their block means at weights w_i mean_i.
    bread : (k, k)
        (sum_i w_i mean_i left_i left_i')^-1.
    """

    beta: FloatArray
    mean: FloatArray
    psi: FloatArray
    left: FloatArray
    bread: FloatArray


@dataclass(frozen=True, slots=True)
class _Point:
    """The profile likelihood at some coefficients, and the fitted means."""

    loglik: float
    mean: FloatArray


def poisson_blocks(y: FloatArray, X: FloatArray, block: IntArray, w: FloatArray) -> BlockPoisson:
    """Fit E(y | x, b) = exp(alpha_b + x'beta) by Poisson pseudo-likelihood.

    Given beta, exp(alpha_b) = S_b / T_b with S_b = sum_b w y and T_b = sum_b w exp(x'beta), so
    beta maximises sum_i w_i y_i x_i'beta - sum_b S_b log T_b.

    Parameters
    ----------
    y : (n,)
        Outcome, zero or more; whole numbers are not needed.
    X : (n, k)
        Columns that vary within blocks.
    block : (n,) int
        Codes 0 .. B-1.
    w : (n,)
        Unit weights; a row of weight zero contributes nothing.

    Raises
    ------
    NotEstimableError
        When y is negative somewhere or zero everywhere, or the likelihood has no maximum (a column
        that is zero wherever y > 0, say).
    CollinearityError
        When a column depends on the blocks and the columns before it.
    """
    if (y[w > 0] < 0).any():
        raise NotEstimableError("a Poisson fit needs an outcome of zero or more")
    sums = np.asarray(np.bincount(block, w * y), dtype=np.float64)
    if not sums.sum() > 0:
        raise NotEstimableError("the outcome is zero for everybody: no ratio of means exists")
    beta = np.zeros(X.shape[1])
    here = _at(y, X, block, w, sums, beta)
    for _ in range(MAX_STEPS):
        left, bread = _within(X, block, w * here.mean, sums)
        step = bread @ (left.T @ (w * (y - here.mean)))
        beta, here = _climb(y, X, block, w, sums, (beta, step, here))
        moved = float(np.abs(left @ step)[w * here.mean > 0].max(initial=0.0))
        if moved <= STEP:
            left, bread = _within(X, block, w * here.mean, sums)
            psi = (left * (w * (y - here.mean))[:, None]) @ bread
            return BlockPoisson(beta, here.mean, psi, left, bread)
    raise NotEstimableError(
        "the Poisson fit has no maximum: a column (or a combination) is found only where the "
        "outcome is zero. Leave it out."
    )


def _at(
    y: FloatArray, X: FloatArray, block: IntArray, w: FloatArray, sums: FloatArray, beta: FloatArray
) -> _Point:
    """Return the profile likelihood, and means that add up to the outcome in every block."""
    eta = X @ beta
    top = np.full(len(sums), -np.inf)
    np.maximum.at(top, block, eta)
    relative = np.exp(eta - top[block])
    total = np.bincount(block, w * relative, minlength=len(sums))
    some = sums > 0
    loglik = w @ (y * eta) - sums[some] @ (np.log(total[some]) + top[some])
    level = np.divide(sums, total, out=np.zeros_like(sums), where=some)
    return _Point(float(loglik), level[block] * relative)


def _within(
    X: FloatArray, block: IntArray, heft: FloatArray, sums: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Take the block means at weights ``heft`` out of X; return the rest and its inverse Gram."""
    safe = np.where(sums > 0, sums, 1.0)
    means = np.column_stack([np.bincount(block, heft * x, minlength=len(sums)) for x in X.T])
    left = X - (means / safe[:, None])[block]
    before, after = (np.sqrt(heft @ x**2) for x in (X, left))
    if (after <= COLLINEAR * before).any():  # rounding would pass for a column
        column = int(np.argmax(after <= COLLINEAR * before))
        raise CollinearityError(f"column {column} does not vary within the blocks", column)
    return left, factor(left, heft).bread()


def _climb(
    y: FloatArray,
    X: FloatArray,
    block: IntArray,
    w: FloatArray,
    sums: FloatArray,
    at: tuple[FloatArray, FloatArray, _Point],
) -> tuple[FloatArray, _Point]:
    """Take a Newton step, halved where the likelihood would fall."""
    beta, step, here = at
    for _ in range(MAX_HALVINGS):
        there = _at(y, X, block, w, sums, beta + step)
        if there.loglik >= here.loglik - 1e-10 * (abs(here.loglik) + 1.0):
            break
        step = step / 2
    return beta + step, there
