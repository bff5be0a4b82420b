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


@dataclass(frozen=True, slots=True)
class _Problem:
    """v = start + free'w with F free weights; ``fixed`` is |w|_1 of the others."""

    m: float
    alpha: float
    covariance: FloatArray
    start: FloatArray
    free: FloatArray
    fixed: float

    def least_variance(self) -> FloatArray:
        """Return the w of generalised least squares, M = 0."""
        covered = self.free @ self.covariance
        return np.asarray(-np.linalg.solve(covered @ self.free.T, covered @ self.start))

    def at(self, w: FloatArray) -> FixedLength:
        """Return the estimator of these weights."""
        v = self.start + w @ self.free
        sd = float(np.sqrt(v @ self.covariance @ v))
        bias = float(self.m * (self.fixed + np.abs(w).sum()))
        return FixedLength(v, bias, sd, sd * folded_quantile(bias / sd, self.alpha))

    def length(self, pq: FloatArray) -> tuple[float, FloatArray]:
        """Return the half-length and its gradient; w = p - q with p, q >= 0 makes it smooth."""
        p, q = np.split(pq, 2)
        v = self.start + (p - q) @ self.free
        sd = float(np.sqrt(v @ self.covariance @ v))
        t = self.m * (self.fixed + pq.sum()) / sd
        c = folded_quantile(t, self.alpha)
        slope = _growth(t, c)
        on_w = (c - t * slope) * (self.free @ self.covariance @ v) / sd
        return sd * c, slope * self.m + np.append(on_w, -on_w)

    def shortest(self, begin: FloatArray) -> FloatArray:
        """Return the w that minimises the half-length, from where the search begins."""
        pq = np.append(np.maximum(begin, 0.0), np.maximum(-begin, 0.0))
        unit = self.length(pq)[0]

        def scaled(pq: FloatArray) -> tuple[float, FloatArray]:
            value, gradient = self.length(pq)
            return value / unit, gradient / unit

        found = minimize(
            scaled,
            pq,
            jac=True,
            method="SLSQP",
            bounds=[(0.0, None)] * len(pq),
            options={"ftol": 1e-15, "maxiter": 1000},
        )
        p, q = np.split(found.x, 2)
        return np.asarray(p - q)


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
    problem = _Problem(m, alpha, covariance, g @ bound, free, float(np.abs(g).sum()))
    plain = problem.least_variance()
    if m == 0 or not len(plain):
        return problem.at(plain)
    # convex, but the search may stall at a kink: begin at least variance and at least bias
    begins = (plain, np.zeros(len(plain)))
    found = [problem.at(w) for b in begins for w in (b, problem.shortest(b))]
    return min(found, key=lambda f: f.half_length)
