"""Which effects do several instruments not reject together? The over-identified test, inverted."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, chdtri

from prakerja_eval.numerics.weak import SetShape, ThetaSet
from prakerja_eval.typing import FloatArray

GRID = 361
SINGULAR = 1e-12


@dataclass(frozen=True, slots=True)
class Reduced:
    """The effects of K instruments on outcome and treatment, with their covariances.

    Attributes
    ----------
    g, f : (K,)
        On the outcome and on the treatment.
    gg, gf, ff : (K,) or (K, K)
        cov(g, g), cov(g, f), cov(f, f); diagonals where instruments are uncorrelated.
    """

    g: FloatArray
    f: FloatArray
    gg: FloatArray
    gf: FloatArray
    ff: FloatArray

    def moved(self, theta: float) -> "Reduced":
        """Return the effects on y - θd and on d."""
        cross = self.gf - theta * self.ff
        gg = self.gg - theta * (self.gf + self.gf.T) + theta**2 * self.ff
        return Reduced(self.g - theta * self.f, self.f, gg, cross, self.ff)

    def wald(self) -> float:
        """Return f'V⁻¹f, the joint test of the first stage.

        Instruments of which the effect on treatment is known without error (nobody, or everybody,
        takes part) say nothing if it is zero, and everything if it is not.
        """
        sure = (self.ff if self.ff.ndim == 1 else np.diag(self.ff)) <= 0
        if (self.f[sure] != 0).any():
            return np.inf
        f = self.f[~sure]
        if self.ff.ndim == 1:
            return float(np.sum(f * f / self.ff[~sure]))
        return _form(f, self.ff[np.ix_(~sure, ~sure)])

    def quadratic(self, c: float, s: float) -> float:
        """Return h'V⁻¹h for h = c g - s f and V its covariance."""
        h = c * self.g - s * self.f
        V = c * c * self.gg - c * s * (self.gf + self.gf.T) + s * s * self.ff
        return float(np.sum(h * h / V)) if V.ndim == 1 else _form(h, V)


@dataclass(frozen=True, slots=True)
class Inverted:
    """The values of θ that an over-identified test does not reject, and its least value.

    Attributes
    ----------
    accepted : ThetaSet
    least : float
        min over θ of the statistic: Hansen's J of the continuous updating estimator.
    """

    accepted: ThetaSet
    least: float


@dataclass(frozen=True, slots=True)
class Scaled:
    """A multiple of χ², by which the distribution of a Wald statistic is approximated.

    Attributes
    ----------
    scale, df : float
        The statistic over ``scale`` has χ² with ``df`` degrees of freedom.
    """

    scale: float
    df: float

    @staticmethod
    def of(mean: float, variance: float) -> "Scaled":
        """Return the multiple with a mean and a variance."""
        return Scaled(variance / (2 * mean), 2 * mean**2 / variance)

    def quantile(self, level: float) -> float:
        """Return the value that is exceeded with probability 1 - level."""
        return self.scale * float(chdtri(self.df, 1 - level))

    def beyond(self, statistic: float, restrictions: float = 1.0) -> float:
        """Return the p-value; ``restrictions`` is the share of them that are tested."""
        return float(chdtrc(self.df * restrictions, statistic / self.scale))


def sum_of_squared_t(nu: FloatArray) -> Scaled:
    """Return the distribution of Σ t_k² for independent t-ratios with ν_k > 4 degrees of freedom.

    Each t_k² is F(1, ν_k); their means and variances add up (a sum of χ² would be too small: with
    500 blocks of 20 its nominal 5 % test rejects more often than not).
    """
    mean = nu / (nu - 2)
    variance = 2 * nu**2 * (nu - 1) / ((nu - 2) ** 2 * (nu - 4))
    return Scaled.of(float(mean.sum()), float(variance.sum()))


def hotelling(K: int, nu: float) -> Scaled:
    """Return the distribution of K effects' T² with a covariance of ν >= K + 4 degrees of freedom.

    T² is K ν / (ν - K + 1) times F(K, ν - K + 1), here by its mean and variance.
    """
    rest = nu - K + 1
    factor = K * nu / rest
    mean = factor * rest / (rest - 2)
    variance = 2 * rest**2 * (K + rest - 2) / (K * (rest - 2) ** 2 * (rest - 4))
    return Scaled.of(mean, factor**2 * variance)


def invert(reduced: Reduced, theta: float, scale: float, critical: float) -> Inverted:
    """Return {θ : AR(θ) <= critical}, AR(θ) = (g - θf)' V(θ)⁻¹ (g - θf).

    The statistic is a smooth function of the angle φ in θ = θ₁ + σ tan φ, on a circle whose one
    point ±π/2 is θ = ±∞. It is scanned on two grids of that kind, σ the standard error and the
    ratio of the effects' spreads, and its crossings are refined as roots.

    Parameters
    ----------
    reduced : Reduced
        K instruments.
    theta, scale : float
        θ₁ and σ: an estimate and its standard error.
    critical : float
        Quantile of the statistic.
    """
    at = reduced.moved(theta)
    spread = np.sqrt(_trace(at.gg) / _trace(at.ff)) if _trace(at.ff) > 0 else scale

    def excess(phi: float) -> float:
        return at.quadratic(np.cos(phi), scale * np.sin(phi)) - critical

    even = np.linspace(-np.pi / 2, np.pi / 2, GRID)
    other = np.arctan(np.tan(even[1:-1]) * spread / scale)
    grid = np.unique(np.concatenate([even, other]))
    values = np.array([excess(phi) for phi in grid])
    j = int(np.clip(np.argmin(values), 1, len(grid) - 2))
    from scipy.optimize import minimize_scalar  # late: it is slow to load

    lowest = minimize_scalar(
        excess, bounds=(grid[j - 1], grid[j + 1]), method="bounded", options={"xatol": 1e-12}
    )
    grid, values = np.insert(grid, j, lowest.x), np.insert(values, j, lowest.fun)
    order = np.argsort(grid)
    roots = _crossings(excess, grid[order], values[order])
    ends = theta + scale * np.tan(roots)
    least = float(values.min()) + critical
    return Inverted(_pieces(ends, bool(values[0] <= 0), bool((values <= 0).any())), least)


def _form(h: FloatArray, V: FloatArray) -> float:
    """Return h'V⁻¹h; infinite where h has a part that V says does not vary."""
    size = np.sqrt(np.diag(V))
    unit, correlation = h / size, V / np.outer(size, size)
    try:
        root = np.linalg.cholesky(correlation)
        return float(np.sum(np.linalg.solve(root, unit) ** 2))
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(correlation)
        along, alive = vectors.T @ unit, values > SINGULAR
        if np.abs(along[~alive]).max() > np.sqrt(SINGULAR) * np.abs(unit).max():
            return np.inf
        return float(np.sum(along[alive] ** 2 / values[alive]))


def _trace(a: FloatArray) -> float:
    return float(a.sum() if a.ndim == 1 else np.trace(a))


def _crossings(
    excess: Callable[[float], float], grid: FloatArray, values: FloatArray
) -> FloatArray:
    """Return the roots between neighbours of different sign."""
    change = np.flatnonzero((values[:-1] <= 0) != (values[1:] <= 0))
    from scipy.optimize import brentq  # late: it is slow to load

    found = [brentq(excess, grid[i], grid[i + 1], xtol=1e-15, rtol=1e-14) for i in change]
    return np.array(found, dtype=np.float64)


def _pieces(ends: FloatArray, unbounded: bool, any_inside: bool) -> ThetaSet:
    """Assemble the accepted pieces from their ends, in order."""
    if not len(ends):
        if not any_inside:
            return ThetaSet(np.zeros((0, 2)), "empty")
        return ThetaSet(np.array([[-np.inf, np.inf]]), "whole line")
    if unbounded:
        ends = np.concatenate([[-np.inf], ends, [np.inf]])
    shape: SetShape = "several pieces"
    if len(ends) == (4 if unbounded else 2):
        shape = "two rays" if unbounded else "interval"
    return ThetaSet(ends.reshape(-1, 2), shape)
