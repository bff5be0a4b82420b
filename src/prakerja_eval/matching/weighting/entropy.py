"""Which weights, as near as possible to given ones, have given means?

Hainmueller (2012), doi 10.1093/pan/mpr025: least sum of w log(w / base) subject to sum w = 1 and
sum w z = target. Its dual has one parameter a constraint: minimise

    f(dual) = log sum base exp((z - target)'dual),    w proportional to base exp((z - target)'dual).

f is convex, its gradient the imbalance left and its Hessian the weighted covariance, so Newton's
method with backtracking converges quadratically. Rows pass by in blocks that fit a processor's
cache; nothing of length n is kept but the columns.
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.typing import BoolArray, FloatArray

ASKED = 1e-10  # greatest imbalance that counts as balance, in standard deviations
TIGHT = 1e-12  # where Newton stops: one step beyond 1e-6, and above what rounding leaves
COLLINEAR = 1e-12  # of a variance of about one, what the columns before must leave of a column
FLAT = 1e-10  # share of the largest variance below which the weights do not vary in a direction
MAX_STEPS = 200
MAX_HALVINGS = 50
ROWS = 4096


class ImbalanceError(NotEstimableError):
    """No weights have the means asked for.

    Attributes
    ----------
    column : int
        The column that is farthest off.
    """

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.column = column


@dataclass(frozen=True, slots=True)
class EntropyWeights:
    """Balanced weights.

    Attributes
    ----------
    weight : (n,)
        Sum to one.
    dual : (k,)
        Zero for a column that repeats those before it among the rows.
    gap : (k,)
        Weighted mean less target, at most 1e-10.
    iterations : int
        Newton steps taken.
    """

    weight: FloatArray
    dual: FloatArray
    gap: FloatArray
    iterations: int


@dataclass(frozen=True, slots=True)
class _Point:
    """The dual at a parameter: value, gradient, Hessian, and the largest exponent."""

    level: float
    gradient: FloatArray
    hessian: FloatArray
    top: float


def entropy_weights(D: FloatArray, base: FloatArray) -> EntropyWeights:
    """Solve for the weights.

    Parameters
    ----------
    D : (n, k)
        Columns less their target, with standard deviations of about one in the population that
        sets the scale.
    base : (n,)
        Above zero.

    Raises
    ------
    ImbalanceError
        If the target lies outside what weighted means of the rows can reach, or is not met to
        1e-10: the column of the largest imbalance left.
    """
    used = independent(covariance(D, base))
    dual, iterations = _descend(D if used.all() else np.ascontiguousarray(D[:, used]), base)
    whole = np.zeros(D.shape[1])
    whole[used] = dual
    exponent = D @ whole
    weight = base * np.exp(exponent - exponent.max())
    weight /= weight.sum()
    gap = weight @ D
    if not np.abs(gap).max() <= ASKED:
        column = _farthest(D, gap)
        raise ImbalanceError(
            f"no weights give column {column} its mean; {abs(gap[column]):.2g} are left", column
        )
    return EntropyWeights(weight, whole, gap, iterations)


def dual_influence(
    Z: FloatArray, target: FloatArray, weight: FloatArray, asked: FloatArray
) -> FloatArray:
    """Return the influence of the dual parameters, (n, k), for all rows of both kinds.

    The estimating equations are sum w (z - m) = 0 over the rows that are weighted, and
    sum asked (z - m) = 0 over those whose mean m is the target. With H the weighted covariance,

        psi = H^-1 (asked - weight) (z - m).

    In a direction in which the weighted rows do not vary the weights have no dual to estimate.

    Parameters
    ----------
    Z : (n, k)
        Columns of everybody.
    target : (k,)
    weight : (n,)
        Balanced weights, sum to one, zero for the rows that are not weighted.
    asked : (n,)
        Shares of the rows in the target, sum to one; zeros where the target is known.
    """
    D = Z - target
    variance, axes = np.linalg.eigh(_products(D, weight)[1])
    kept = variance > FLAT * variance[-1]
    inverse = (axes[:, kept] / variance[kept]) @ axes[:, kept].T
    D *= (asked - weight)[:, None]
    return np.asarray(D @ inverse)


def covariance(D: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the weighted covariance of columns, (k, k)."""
    total = weight.sum()
    mean, products = _products(D, weight)
    return np.asarray(products / total - np.outer(mean, mean) / total**2)


def independent(C: FloatArray) -> BoolArray:
    """Say which columns of a covariance are no combination of a constant and those before, (k,)."""
    left = C.copy()
    kept = np.zeros(len(C), dtype=np.bool_)
    for j in range(len(C)):
        kept[j] = left[j, j] > COLLINEAR
        if kept[j]:
            left = left - np.outer(left[:, j], left[j]) / left[j, j]
    return kept


def _descend(D: FloatArray, base: FloatArray) -> tuple[FloatArray, int]:
    """Take Newton steps, halved until the dual falls enough, until the gradient vanishes.

    Stops early where all exponents are negative: then a plane lies between target and rows, and
    the dual falls for ever.
    """
    dual = np.zeros(D.shape[1])
    here = _at(D, base, dual)
    for iteration in range(MAX_STEPS):
        apart = here.top < -1e-9 * float(np.abs(dual).sum())
        if apart or np.abs(here.gradient).max(initial=0.0) <= TIGHT:
            return dual, iteration
        step = -_solve(here.hessian, here.gradient)
        slope = float(here.gradient @ step)
        size = 1.0
        for _ in range(MAX_HALVINGS):
            there = _at(D, base, dual + size * step)
            if there.level <= here.level + 1e-4 * size * slope + 1e-13 * (1 + abs(here.level)):
                break
            size /= 2
        else:
            return dual, iteration
        dual, here = dual + size * step, there
    return dual, MAX_STEPS


def _solve(H: FloatArray, g: FloatArray) -> FloatArray:
    """Return H^-1 g, leaving out directions in which H is zero to rounding."""
    variance, axes = np.linalg.eigh(H)
    kept = variance > 1e-15 * variance[-1]
    return np.asarray(axes[:, kept] @ ((axes[:, kept].T @ g) / variance[kept]))


def _at(D: FloatArray, base: FloatArray, dual: FloatArray) -> _Point:
    """Evaluate the dual in one pass, in exponents relative to the largest met so far."""
    k = D.shape[1]
    top, total, first, second = -np.inf, 0.0, np.zeros(k), np.zeros((k, k))
    for start in range(0, len(D), ROWS):
        block = D[start : start + ROWS]
        exponent = block @ dual
        high = float(exponent.max())
        if high > top:
            shrink = np.exp(top - high)
            top, total, first, second = high, total * shrink, first * shrink, second * shrink
        weight = base[start : start + ROWS] * np.exp(exponent - top)
        total += float(weight.sum())
        first = first + weight @ block
        second = second + block.T @ (block * weight[:, None])
    mean = first / total
    return _Point(float(np.log(total)) + top, mean, second / total - np.outer(mean, mean), top)


def _products(D: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return sum weight d, (k,), and sum weight d d', (k, k)."""
    first, second = np.zeros(D.shape[1]), np.zeros((D.shape[1], D.shape[1]))
    for start in range(0, len(D), ROWS):
        block, w = D[start : start + ROWS], weight[start : start + ROWS]
        first += w @ block
        second += block.T @ (block * w[:, None])
    return first, second


def _farthest(D: FloatArray, gap: FloatArray) -> int:
    """Return the column whose target is farthest outside its own range, else with most left."""
    outside = np.maximum(D.min(axis=0), -D.max(axis=0))
    return int(np.argmax(outside if outside.max() > 0 else np.abs(gap)))
