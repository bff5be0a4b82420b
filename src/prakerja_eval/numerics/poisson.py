"""By which factor does a non-negative outcome differ, zeros included."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import null_space

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.numerics.newton import Family, Point, maximise
from prakerja_eval.numerics.separation import separating_direction
from prakerja_eval.typing import FloatArray

FAR = 20.0  # a fitted mean below 2e-9 of the average


@dataclass(frozen=True, slots=True)
class Poisson:
    """A Poisson pseudo-likelihood fit with a log link.

    Attributes
    ----------
    beta : (p,)
        Coefficients; exp(beta) are ratios of means.
    mean : (n,)
        exp(X beta), in the units of y, also where the weight is zero.
    psi : (n, p)
        Influence, bread x_i w_i (y_i - mean_i); obeys the law.
    bread : (p, p)
        (sum_i w_i mean_i x_i x_i')^-1.
    iterations : int
        Newton steps taken.
    """

    beta: FloatArray
    mean: FloatArray
    psi: FloatArray
    bread: FloatArray
    iterations: int


def poisson(y: FloatArray, X: FloatArray, w: FloatArray) -> Poisson:
    """Fit E(y | x) = exp(x'beta) by Poisson pseudo-likelihood.

    Parameters
    ----------
    y : (n,)
        Outcome, zero or more; whole numbers are not needed.
    X : (n, p)
        Regressors, with the constant.
    w : (n,)
        Unit weights; a row of weight zero contributes nothing.

    Raises
    ------
    NotEstimableError
        When y is negative somewhere or zero everywhere, or Newton's method does not converge.
    SeparationError
        When a combination of columns is zero wherever y > 0 and has one sign where y = 0.
    CollinearityError
        When a column depends on the columns before it.
    """
    if (y[w > 0] < 0).any():
        raise NotEstimableError("a Poisson fit needs an outcome of zero or more")
    mean = float(w @ y / w.sum())
    if not mean > 0:
        raise NotEstimableError("the outcome is zero for every unit: no ratio of means exists")
    start = np.log((np.where(w > 0, y, mean) + mean) / 2)
    fit = maximise(y, X, w, FAMILY, start)
    return Poisson(fit.beta, _exp(fit.eta), fit.psi, fit.bread, fit.iterations)


def _exp(eta: FloatArray) -> FloatArray:
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(eta), dtype=np.float64)


def _at(y: FloatArray, eta: FloatArray) -> Point:
    mean = _exp(eta)
    return Point(y * eta - mean, y - mean, mean)


def _far(y: FloatArray, eta: FloatArray) -> bool:
    return bool((y == 0).any() and eta[y == 0].min() < np.log(y.mean()) - FAR)


def _diverges(y: FloatArray, U: FloatArray) -> FloatArray | None:
    # Where y > 0 the direction must not move the mean at all; where y = 0 it may only lower it.
    triangle = np.linalg.qr(U[y > 0], mode="r")  # same null space, p rows
    flat = np.asarray(null_space(triangle, rcond=1e-9), dtype=np.float64)
    inner = separating_direction(-(U[y == 0] @ flat))
    return None if inner is None else flat @ inner


FAMILY = Family(_at, _far, _diverges)
