"""Which interval of fixed length is the shortest if the slope of the trend changes by M at most?

Rambachan and Roth (2023, doi 10.1093/restud/rdad018), after Donoho (1994) and Armstrong and Kolesar
(2018, doi 10.3982/ECTA14434). v'beta with v_post = l has bounded bias over Delta^SD(M)
only if it ignores linear trends, and then v = D'w, D the second differences, with bias at most
M |w|_1. The last T_post of w are fixed by v_post = l, so T_pre - 1 numbers are free:
minimise sd cv(bias / sd), cv(t) the 1 - alpha quantile of |N(t, 1)|.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import ndtr, ndtri

from prakerja_eval.did.honest_sets import bends
from prakerja_eval.typing import FloatArray


@dataclass(frozen=True, slots=True)
class FixedLength:
    """The optimal affine estimator.

    Attributes
    ----------
    weight : (K,)
        v.
    bias : float
        Its largest bias over the restriction.
    sd : float
    half_length : float
    """

    weight: FloatArray
    bias: float
    sd: float
    half_length: float


def folded_quantile(t: float, alpha: float) -> float:
    """Return c with P(|N(t, 1)| <= c) = 1 - alpha, t >= 0."""
    low, high = ndtri(1 - alpha) - 1e-9, ndtri(1 - alpha / 2) + 1e-9  # of c - t
    return t + float(
        brentq(lambda d: ndtr(d) - ndtr(-d - 2 * t) - (1 - alpha), max(low, 0.0), high, xtol=1e-14)
    )


def _growth(t: float, c: float) -> float:
    """Return dc/dt of the folded quantile."""
    return float(-np.expm1(-2 * c * t) / (1 + np.exp(-2 * c * t)))


def fixed_length(m: float, target: FloatArray, covariance: FloatArray, alpha: float) -> FixedLength:
    """Return the shortest fixed-length interval's estimator.

    Parameters
    ----------
    m : float
        Largest change of slope.
    target : (T_post,)
        l.
    covariance : (K, K)
    alpha : float
    """
    n_post = len(target)
    bend = bends(len(covariance) - n_post, n_post)
    free, bound = bend[:-n_post], bend[-n_post:]
    g = np.linalg.solve(bound[:, -n_post:].T, target)
    start = g @ bound
    w = _least_variance(free, start, covariance)
    if m > 0 and len(w):
        w = _shortest(m, float(np.abs(g).sum()), free, start, covariance, alpha, w)
    weight = start + w @ free
    sd = float(np.sqrt(weight @ covariance @ weight))
    bias = float(m * (np.abs(g).sum() + np.abs(w).sum()))
    return FixedLength(weight, bias, sd, sd * folded_quantile(bias / sd, alpha))


def _least_variance(free: FloatArray, start: FloatArray, covariance: FloatArray) -> FloatArray:
    """Return the w that minimises the variance, M = 0."""
    return np.asarray(-np.linalg.solve(free @ covariance @ free.T, free @ covariance @ start))


def _shortest(
    m: float,
    fixed: float,
    free: FloatArray,
    start: FloatArray,
    covariance: FloatArray,
    alpha: float,
    first: FloatArray,
) -> FloatArray:
    """Return the w that minimises the half-length; w = p - q with p, q >= 0 makes it smooth."""
    unit = float(np.sqrt((start + first @ free) @ covariance @ (start + first @ free)))
    n = len(first)

    def half_length(pq: FloatArray) -> tuple[float, FloatArray]:
        v = start + (pq[:n] - pq[n:]) @ free
        sd = float(np.sqrt(v @ covariance @ v))
        t = m * (fixed + pq.sum()) / sd
        c = folded_quantile(t, alpha)
        slope = _growth(t, c)
        on_sd = (c - t * slope) * (free @ covariance @ v) / sd
        gradient = slope * m + np.append(on_sd, -on_sd)
        return sd * c / unit, gradient / unit

    begin = np.append(np.maximum(first, 0.0), np.maximum(-first, 0.0))
    found = minimize(
        half_length,
        begin,
        jac=True,
        method="SLSQP",
        bounds=[(0.0, None)] * (2 * n),
        options={"ftol": 1e-15, "maxiter": 1000},
    )
    return np.asarray(found.x[:n] - found.x[n:])
