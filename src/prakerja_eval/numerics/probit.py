"""How likely was each unit to be treated, if a normal threshold decides?"""

from dataclasses import dataclass

import numpy as np
from scipy.special import erfcx, log_ndtr, ndtr

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.numerics.newton import Family, Point, maximise
from prakerja_eval.numerics.separation import separating_direction
from prakerja_eval.typing import FloatArray, IntArray

FAR = 6.0  # a fitted probability within 1e-9 of zero or one
ROOT_TWO = np.sqrt(2.0)
ROOT_TWO_PI = np.sqrt(2.0 * np.pi)


@dataclass(frozen=True, slots=True)
class Probit:
    """An unpenalised maximum-likelihood probit; attributes as in a logit.

    Attributes
    ----------
    beta : (p,)
        Coefficients.
    probability : (n,)
        Fitted probability, also where the weight is zero.
    linear_predictor : (n,)
        X beta.
    psi : (n, p)
        Influence, information_inverse x_i w_i s_i, s_i the derivative of the log-likelihood by the
        linear predictor; obeys the law.
    information_inverse : (p, p)
        Inverse of the observed information, (sum_i w_i h_i x_i x_i')^-1, h_i minus the second
        derivative; the expected one would break the law.
    iterations : int
        Newton steps taken.
    """

    beta: FloatArray
    probability: FloatArray
    linear_predictor: FloatArray
    psi: FloatArray
    information_inverse: FloatArray
    iterations: int

    @property
    def density(self) -> FloatArray:
        """Return d probability / d linear predictor, (n,): the normal density."""
        return np.asarray(np.exp(-(self.linear_predictor**2) / 2) / ROOT_TWO_PI)


def probit(d: IntArray | FloatArray, X: FloatArray, w: FloatArray) -> Probit:
    """Fit P(d = 1 | x) = Phi(x'beta) by maximum likelihood.

    The log-likelihood is concave (Pratt 1981, doi 10.1080/01621459.1981.10477613), so Newton's
    method on the observed information climbs as it does for a canonical link.

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
    probability = np.asarray(ndtr(fit.eta), dtype=np.float64)
    return Probit(fit.beta, probability, fit.eta, fit.psi, fit.bread, fit.iterations)


def _at(y: FloatArray, eta: FloatArray) -> Point:
    """With z = (2 y - 1) eta and m = phi(z) / Phi(z): first derivative (2 y - 1) m, second -m(m+z).

    m comes from the scaled complementary error function, which neither tail overflows.
    """
    sign = np.where(y > 0.5, 1.0, -1.0)
    z = sign * eta
    mills = 2.0 / (ROOT_TWO_PI * erfcx(-z / ROOT_TWO))
    return Point(log_ndtr(z), sign * mills, mills * (mills + z))


def _far(y: FloatArray, eta: FloatArray) -> bool:
    return bool(np.abs(eta).max() > FAR)


def _diverges(y: FloatArray, U: FloatArray) -> FloatArray | None:
    return separating_direction(U * (2 * y - 1)[:, None])


FAMILY = Family(_at, _far, _diverges)
