"""Where does a distribution cross tau, how dense is it there, and does it stand on a lump?"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from prakerja_eval.typing import FloatArray

# Sums of weights that should meet tau exactly miss it by rounding.
ROUNDING = 1e-10
REACH = 2.0  # standard errors of F(q) within which a lump spoils the normal approximation


@dataclass(frozen=True, slots=True)
class Quantile:
    """A weighted sample quantile.

    Attributes
    ----------
    q : float
        inf{y : F(y) >= tau}.
    density : float
        f(q) as a difference quotient; NaN where the bandwidth leaves (0, 1) or one value fills it.
    lump : float
        The value with the largest share among those that several people have, that outweigh the
        standard error of F(q) and lie within reach of tau; NaN where there is none.
    lump_share : float
        Its share of the weights.
    """

    q: float
    density: float
    lump: float
    lump_share: float


@dataclass(frozen=True, slots=True)
class Distribution:
    """A weighted sample as its distinct values.

    Attributes
    ----------
    values : (m,)
        In rising order.
    upto : (m,)
        F at each value; the last is one.
    people : (m,)
        Rows with that value and a weight above zero.
    size : float
        Kish's effective number of rows, (sum w)^2 / sum w^2.
    """

    values: FloatArray
    upto: FloatArray
    people: FloatArray
    size: float

    def at(self, tau: float) -> float:
        """Return inf{y : F(y) >= tau}."""
        return float(self.values[np.searchsorted(self.upto, tau - ROUNDING)])


def distribution(y: FloatArray, w: FloatArray) -> Distribution:
    """Sort a sample y (n,) with weights w (n,), at least one above zero."""
    used = w > 0
    values, code = np.unique(y[used], return_inverse=True)
    weight = np.bincount(code, w[used])
    upto = np.cumsum(weight)
    size = w.sum() ** 2 / (w @ w)
    return Distribution(values, upto / upto[-1], np.bincount(code).astype(float), float(size))


def quantile(sample: Distribution, tau: float) -> Quantile:
    """Return the quantile at tau, 0 < tau < 1, with what its standard error needs.

    The density is 2h / (Q(tau + h) - Q(tau - h)) with Hall and Sheather's bandwidth h.
    """
    h = bandwidth(tau, sample.size)
    density = np.nan
    if h < min(tau, 1 - tau):
        spread = sample.at(tau + h) - sample.at(tau - h)
        density = 2 * h / spread if spread > 0 else np.nan
    before = np.concatenate([[0.0], sample.upto[:-1]])
    mass = sample.upto - before
    error = np.sqrt(tau * (1 - tau) / sample.size)
    near = (before < tau + REACH * error) & (sample.upto > tau - REACH * error)
    lumps = np.where(near & (mass > error) & (sample.people > 1), mass, 0.0)
    top = int(np.argmax(lumps))
    lump = float(sample.values[top]) if lumps[top] > 0 else np.nan
    return Quantile(sample.at(tau), density, lump, float(mass[top]))


def bandwidth(tau: float, size: float) -> float:
    """Return n^(-1/3) z^(2/3) (1.5 phi(x)^2 / (2 x^2 + 1))^(1/3), x = ndtri(tau), z = 1.96.

    Hall and Sheather (1988), doi 10.1111/j.2517-6161.1988.tb01735.x: the bandwidth for which a
    studentised quantile has the smallest error of coverage, at the curvature of a normal.
    """
    x = ndtri(tau)
    z = ndtri(0.975)
    phi2 = np.exp(-(x**2)) / (2 * np.pi)
    return float(size ** (-1 / 3) * z ** (2 / 3) * (1.5 * phi2 / (2 * x**2 + 1)) ** (1 / 3))
