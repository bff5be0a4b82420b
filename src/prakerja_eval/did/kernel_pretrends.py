"""How often does the usual test see a trend before treatment, and what is left when it does not?

Roth (2022), doi 10.1257/aeri.20210236: the test passes where |beta_k| <= z se_k for all k before
treatment, a box. Its probability and the mean of beta inside it come from one integral, by the
separation of variables of Genz (1992, doi 10.1080/10618600.1992.10477010) at points of a lattice.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtri, chndtr, ndtr, ndtri

from prakerja_eval.typing import FloatArray

POINTS = 2**14  # each with its mirror image: probability to 1e-5, mean to 1e-3 standard errors
STEPS = 60  # doublings of the slope until it is always seen


@dataclass(frozen=True, slots=True)
class Passing:
    """What the test lets through.

    Attributes
    ----------
    probability : float
    mean : (K,)
        Of beta given that the test passes; NaN where it never does.
    """

    probability: float
    mean: FloatArray


def passing(trend: FloatArray, covariance: FloatArray, n_pre: int, alpha: float) -> Passing:
    """Return the probability of no significant coefficient, and the mean of all given that.

    Parameters
    ----------
    trend : (K,)
        Mean of the coefficients; those before treatment come first.
    covariance : (K, K)
    n_pre : int
    alpha : float
        Size of each test.
    """
    before = covariance[:n_pre, :n_pre]
    se = np.sqrt(np.diag(before))
    root = np.linalg.cholesky(before / np.outer(se, se))
    draws, weight = _inside(trend[:n_pre] / se, root, float(ndtri(1 - alpha / 2)))
    if not weight.any():
        return Passing(0.0, np.full(len(trend), np.nan))
    shift = root @ (weight @ draws) / weight.sum() * se
    mean = trend + covariance[:, :n_pre] @ np.linalg.solve(before, shift)
    return Passing(float(weight.mean()), mean)


def _inside(mean: FloatArray, root: FloatArray, z: float) -> tuple[FloatArray, FloatArray]:
    """Return e with mean + root e in [-z, z]^k, and the probability density each stands for."""
    k = len(mean)
    places = _lattice(k)
    draws, weight = np.zeros_like(places), np.ones(len(places))
    for j in range(k):
        centre = mean[j] + draws[:, :j] @ root[j, :j]
        low, high = (-z - centre) / root[j, j], (z - centre) / root[j, j]
        side = np.where(low + high > 0, -1.0, 1.0)  # in the lower tail digits are kept
        low, high = np.where(side < 0, -high, low), np.where(side < 0, -low, high)
        place = np.where(side < 0, 1 - places[:, j], places[:, j])
        mass = ndtr(high) - ndtr(low)
        draws[:, j] = side * np.clip(ndtri(ndtr(low) + place * mass), low, high)
        weight *= mass
    return draws, weight


def _lattice(k: int) -> FloatArray:
    """Return points that fill the unit cube evenly, each with its mirror image.

    They are multiples of square roots of primes, folded. Mirrored, they tell no side of zero from
    the other.
    """
    primes = [p for p in range(2, 20 + k * k) if all(p % q for q in range(2, int(p**0.5) + 1))]
    number = np.arange(1, POINTS + 1)[:, None]
    points = np.abs(2 * np.mod(number * np.sqrt(primes[:k]), 1.0) - 1)
    return np.vstack([points, 1 - points])


def joint_power(trend: FloatArray, covariance: FloatArray, alpha: float) -> float:
    """Return the power of the joint Wald test of (K,) coefficients with the mean ``trend``."""
    away = float(trend @ np.linalg.solve(covariance, trend))
    return float(1 - chndtr(chdtri(len(trend), alpha), len(trend), away))


def slope_seen(
    distance: FloatArray, covariance: FloatArray, n_pre: int, alpha: float, power: float
) -> float:
    """Return the slope that the usual test sees with a given probability; NaN if any is seen more.

    Parameters
    ----------
    distance : (K,)
        Event times less the reference's.
    covariance : (K, K)
    n_pre : int
    alpha, power : float
    """

    def lacking(slope: float) -> float:
        return passing(slope * distance, covariance, n_pre, alpha).probability - (1 - power)

    if lacking(0.0) <= 0:
        return np.nan
    unit = float((np.sqrt(np.diag(covariance)) / np.abs(distance))[:n_pre].min())
    high = next(unit * 2.0**j for j in range(STEPS) if lacking(unit * 2.0**j) < 0)
    return float(brentq(lacking, 0.0, high, xtol=1e-10 * unit, rtol=1e-10))
