"""How likely was each unit to be treated, given its covariates."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.numerics.newton import Family, Point, maximise
from prakerja_eval.numerics.separation import separating_direction
from prakerja_eval.typing import FloatArray, IntArray

FAR = 20.0  # a fitted probability within 2e-9 of zero or one


@dataclass(frozen=True, slots=True)
class Logit:
    """An unpenalised maximum-likelihood logit.

    Attributes
    ----------
    beta : (p,)
        Coefficients.
    probability : (n,)
        Fitted probability, also where the weight is zero.
    linear_predictor : (n,)
        X beta.
    psi : (n, p)
        Influence, information_inverse x_i w_i (d_i - p_i); obeys the law.
    information_inverse : (p, p)
        (sum_i w_i p_i (1 - p_i) x_i x_i')^-1.
    iterations : int
        Newton steps taken.
    """

    beta: FloatArray
    probability: FloatArray
    linear_predictor: FloatArray
    psi: FloatArray
    information_inverse: FloatArray
    iterations: int


def logit(d: IntArray | FloatArray, X: FloatArray, w: FloatArray) -> Logit:
    """Fit P(d = 1 | x) = 1 / (1 + exp(-x'beta)) by maximum likelihood.

    Parameters
    ----------
    d : (n,)
        Zeros and ones.
    X : (n, p)
        Regressors, with the constant.
    w : (n,)
        Unit weights; a row of weight zero contributes nothing.

    Raises
    ------
    NotEstimableError
        When only one of the two values occurs, or Newton's method does not converge.
    SeparationError
        When some combination of the columns predicts d perfectly for some rows.
    CollinearityError
        When a column depends on the columns before it.
    """
    y = np.asarray(d, dtype=np.float64)
    used = w > 0
    if not ((y == 1) & used).any() or not ((y == 0) & used).any():
        raise NotEstimableError("a propensity score needs treated units and comparison units")
    fit = maximise(y, X, w, FAMILY, np.zeros(y.size))
    return Logit(fit.beta, expit(fit.eta), fit.eta, fit.psi, fit.bread, fit.iterations)


def _at(y: FloatArray, eta: FloatArray) -> Point:
    """One exponential of the distance from zero keeps the digits of a probability near one."""
    small = np.exp(-np.abs(eta))
    near = 1.0 / (1.0 + small)  # probability of the likelier value
    right = (eta > 0) == (y > 0.5)
    miss = np.where(right, small * near, near)  # probability of the other value than y
    loglik = -np.log1p(small) - np.where(right, 0.0, np.abs(eta))
    return Point(loglik, np.where(y > 0.5, miss, -miss), small * near * near)


def _far(y: FloatArray, eta: FloatArray) -> bool:
    return bool(np.abs(eta).max() > FAR)


def _diverges(y: FloatArray, U: FloatArray) -> FloatArray | None:
    return separating_direction(U * (2 * y - 1)[:, None])


FAMILY = Family(_at, _far, _diverges)
