"""Where does a distribution cross tau, how dense is it there, and does it stand on a lump?"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.typing import FloatArray

# Sums of weights that should meet tau exactly miss it by rounding.
ROUNDING = 1e-10
REACH = 1.96  # standard errors of F(q) that the density looks to either side


@dataclass(frozen=True, slots=True)
class Quantile:
    """A weighted sample quantile.

    Attributes
    ----------
    q : float
        inf{y : F(y) >= tau}.
    density : float
        f(q) as a difference quotient; NaN where the window leaves (0, 1) or one value fills it.
    lump : float
        The value with the largest share among those in the window that several people have and
        that outweigh the standard error of F(q); NaN where there is none.
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

    The density is 2h / (Q(tau + h) - Q(tau - h)) with h = 1.96 sqrt(tau (1 - tau) / n): the
    interval between the two quantiles is then Woodruff's for Q(tau) in a sample of n
    (1952, doi 10.1080/01621459.1952.10483443). A wider window covers less where the density bends.
    """
    error = np.sqrt(tau * (1 - tau) / sample.size)
    h = REACH * error
    density = np.nan
    if h < min(tau, 1 - tau):
        spread = sample.at(tau + h) - sample.at(tau - h)
        density = 2 * h / spread if spread > 0 else np.nan
    before = np.concatenate([[0.0], sample.upto[:-1]])
    mass = sample.upto - before
    near = (before < tau + h) & (sample.upto > tau - h)
    lumps = np.where(near & (mass > error) & (sample.people > 1), mass, 0.0)
    top = int(np.argmax(lumps))
    lump = float(sample.values[top]) if lumps[top] > 0 else np.nan
    return Quantile(sample.at(tau), density, lump, float(mass[top]))
