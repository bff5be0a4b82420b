"""What may still be said when the instrument hardly moves the treatment?

Three answers that do not lean on a strong first stage: the Anderson-Rubin set, the tF critical
value, and a first-stage F with the bar that it has to clear.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from scipy.special import chndtrix, ndtr, ndtri

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.typing import FloatArray

if TYPE_CHECKING:
    from scipy.interpolate import CubicSpline

SetShape: TypeAlias = Literal["interval", "two rays", "whole line", "empty", "several pieces"]

# The tF curve: c(F) is infinite up to z², and z from 104.67 on.
Z = float(ndtri(0.975))
START = 1e-5  # sqrt(F) - z up to which the expansion at the pole stands in, to 6e-6 of c
KNOTS = 30  # points on the first stretch of the recurrence


@dataclass(frozen=True, slots=True)
class ThetaSet:
    """The values of a parameter that a test does not reject.

    Attributes
    ----------
    pieces : (J, 2) array
        Closed intervals in order, ends infinite where the set is unbounded.
    shape : str
        "interval", "two rays", "whole line"; "empty" and "several pieces" with more instruments
        than one.
    """

    pieces: FloatArray
    shape: SetShape


@dataclass(frozen=True, slots=True)
class EffectiveF:
    """The effective first-stage F of Montiel Olea and Pflueger and its critical value.

    Attributes
    ----------
    F : float
        γ'Qγ / tr(ΣQ).
    critical : float
        Bar of a 5 % test of weakness.
    K_eff : float
        Effective number of instruments in the Patnaik approximation.
    """

    F: float
    critical: float
    K_eff: float


def anderson_rubin(N: float, F: float, V: FloatArray, critical: float) -> ThetaSet:
    """Return {θ : (N - θF)² <= critical · (1, -θ) V (1, -θ)'}, by solving the quadratic.

    Parameters
    ----------
    N, F : float
        The instrument's effect on the outcome and on the treatment.
    V : (2, 2)
        Their covariance.
    critical : float
        Quantile of a squared t-ratio.

    Raises
    ------
    NotEstimableError
        When the effect on the outcome has no variance.
    """
    a = F * F - critical * V[1, 1]
    b = N * F - critical * V[0, 1]
    c = N * N - critical * V[0, 0]
    # b² - ac with N²F² cancelled by hand
    spread = F * F * V[0, 0] - 2 * N * F * V[0, 1] + N * N * V[1, 1]
    disc = critical * spread - critical**2 * (V[0, 0] * V[1, 1] - V[0, 1] ** 2)
    if V[0, 0] <= 0:
        raise NotEstimableError("the outcome's effect has no variance")
    if a == 0 and b == 0:  # a treatment that moves nobody: every θ is tested alike
        kept = c <= 0
        pieces = np.array([[-np.inf, np.inf]]) if kept else np.zeros((0, 2))
        return ThetaSet(pieces, "whole line" if kept else "empty")
    if a <= 0 and disc <= 0:
        return ThetaSet(np.array([[-np.inf, np.inf]]), "whole line")
    q = b + np.copysign(np.sqrt(max(disc, 0.0)), b)
    if a == 0:  # a half-line: the other ray has gone to infinity
        end = c / (2 * b)
        ray = [end, np.inf] if b > 0 else [-np.inf, end]
        return ThetaSet(np.array([ray]), "two rays")
    low, high = sorted((q / a, c / q if q else 0.0))
    if a > 0:
        return ThetaSet(np.array([[low, high]]), "interval")
    return ThetaSet(np.array([[-np.inf, low], [high, np.inf]]), "two rays")


def effective_f(gamma: FloatArray, sigma: FloatArray, Q: FloatArray, tau: float) -> EffectiveF:
    """Return the effective F and its simplified (conservative) critical value.

    F = γ'Qγ / tr(ΣQ). With W = Q^½ Σ Q^½ and x = 1/τ, K_eff = tr(W)² (1 + 2x) / (tr(W²) + 2x tr(W)
    λ_max(W)), and the critical value is the 95 % quantile of χ²(K_eff, x K_eff) over K_eff
    (Montiel Olea and Pflueger 2013, section 2.3 and theorem 1).

    Parameters
    ----------
    gamma : (K,)
        First-stage coefficients.
    sigma : (K,) or (K, K)
        Their covariance, its diagonal where they are uncorrelated.
    Q : (K,) or (K, K)
        Gram matrix of the instruments after the controls, its diagonal where they are orthogonal.
    tau : float
        Tolerated worst-case bias relative to that of a worst-case benchmark, 0.1 for 10 %.
    """
    if sigma.ndim == 1 and Q.ndim == 1:
        values, size = Q * sigma, float(Q @ gamma**2)
    else:
        Q, sigma = (np.diag(a) if a.ndim == 1 else a for a in (Q, sigma))
        root = np.linalg.cholesky(Q)
        values, size = np.linalg.eigvalsh(root.T @ sigma @ root), float(gamma @ Q @ gamma)
    trace = float(values.sum())
    if trace <= 0:
        return EffectiveF(np.inf, _mop(1.0, tau), 1.0)
    x = 1.0 / tau
    K_eff = trace**2 * (1 + 2 * x) / float(values @ values + 2 * x * trace * values.max())
    return EffectiveF(size / trace, _mop(K_eff, tau), K_eff)


def _mop(K_eff: float, tau: float) -> float:
    return float(chndtrix(0.95, K_eff, K_eff / tau) / K_eff)


def tf_critical(F: float) -> float:
    """Return the 5 % critical value c(F) of |t| for one instrument with first-stage F.

    Lee, McCrary, Moreira and Porter (2022). With errors of correlation one, the worst case, and
    f ~ N(f0, 1) the root of F, the t-ratio of the true value is f (f - f0) / f0. A test that
    rejects for |t| > c(f²) accepts f between -x and u, where the curve is met from either side:

        c(x²) = x (x + f0) / f0,   c(u²) = u (u - f0) / f0,   Φ(u - f0) - Φ(-x - f0) = .95

    The first and third equations give u from x: a recurrence that starts at the pole c(z²) = ∞,
    where c² = z⁵ / 2(√F - z) + O(1) is the only solution (put x = z + a f0² in and compare
    powers of f0). Where the curve falls to z, at F = 104.67, |t| > z has size .05 from there on.

    Parameters
    ----------
    F : float
        First-stage F, robust as the standard error is.
    """
    root = float(np.sqrt(F))
    if root <= Z:
        return np.inf
    if root - Z <= START:
        return float(np.sqrt(Z**5 / (2 * (root - Z))))
    curve, end = _tf_curve()
    return Z if root >= end else max(Z, float(np.exp(curve(np.log(root - Z)))))


@lru_cache(maxsize=1)
def _tf_curve() -> "tuple[CubicSpline, float]":
    """Return log c by log(√F - z), and the √F at which c has fallen to z."""
    first = np.array([Z + START])
    stop = _next(first, np.sqrt(Z**5 / (2 * (first - Z))))[0]
    x = Z + np.linspace(START, stop[0] - Z, KNOTS, endpoint=False)
    c = np.sqrt(Z**5 / (2 * (x - Z)))
    xs, cs = [x], [c]
    while len(x):
        x, c = _next(x, c)
        xs.append(x)
        cs.append(c)
        on = c > x * (1 + 1e-9)  # beyond it no f0 accepts down to -x
        x, c = x[on], c[on]
    root, critical = np.concatenate(xs), np.concatenate(cs)
    near = root < 12.0
    from scipy.interpolate import CubicSpline  # late: it is slow to load

    curve = CubicSpline(np.log(root[near] - Z), np.log(critical[near]))
    one_sided = float(ndtri(0.95))  # by then only the upper end rejects: u (u0) / (u - u0) = z
    return curve, Z * one_sided / (Z - one_sided)


def _next(x: FloatArray, c: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the point (u, c(u²)) that shares its f0 with (x, c(x²))."""
    f0 = x * x / (c - x)
    u = f0 + ndtri(0.95 + ndtr(-x - f0))
    return u, u * (u - f0) / f0
