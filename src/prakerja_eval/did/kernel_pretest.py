"""How often does a test before treatment pass, and where do estimates lie when it does?

Roth (2022), doi 10.1257/aeri.20210236. X normal before treatment passes if |X_k| <= c_k for all k.
By Tallis (1961), doi 10.1111/j.2517-6161.1961.tb00408.x, E[X | pass] = mean + V (F(-c) - F(c)) / P,
F_k(x) the density of X_k at x times the probability that the others pass given X_k = x.
Probabilities by the separation of variables of Genz (1992), doi 10.1080/10618600.1992.10477010.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import chdtri, chndtr, ndtr, ndtri

from prakerja_eval.typing import FloatArray

POINTS = 2**15  # of the lattice: probabilities to 5e-5 in twelve dimensions, 1e-5 in four


@dataclass(frozen=True, slots=True)
class Pretest:
    """What a test that looks at each coefficient before treatment does.

    Attributes
    ----------
    passing : float
        Probability that none is significant.
    mean : (K,)
        Expected coefficients given that it passes, NaN if it never does; the first P are those
        before treatment.
    """

    passing: float
    mean: FloatArray


def passing(mean: FloatArray, covariance: FloatArray, half: FloatArray) -> float:
    """Return P(|X_k| <= half_k for all k).

    Parameters
    ----------
    mean : (P,)
    covariance : (P, P)
    half : (P,)
    """
    sd = np.sqrt(np.diag(covariance))
    root = np.linalg.cholesky(covariance / np.outer(sd, sd))
    places = _lattice(len(mean))
    draws, weight = np.zeros_like(places), np.ones(POINTS)
    for k in range(len(mean)):
        centre = mean[k] / sd[k] + root[k, :k] @ draws[:k]
        low = (-half[k] / sd[k] - centre) / root[k, k]
        high = (half[k] / sd[k] - centre) / root[k, k]
        above = low + high > 0  # mirrored to the lower tail, where digits are kept
        low, high = np.where(above, -high, low), np.where(above, -low, high)
        mass = ndtr(high) - ndtr(low)
        weight *= mass
        place = np.where(above, 1 - places[k], places[k])
        draw = np.clip(ndtri(ndtr(low) + place * mass), low, high)
        draws[k] = np.where(above, -draw, draw)
    return float(weight.mean())


@cache
def _lattice(k: int) -> FloatArray:
    """Return (k, POINTS) points that fill the cube: multiples of roots of primes, folded."""
    primes = [p for p in range(2, 20 + k * k) if all(p % q for q in range(2, int(p**0.5) + 1))]
    steps = np.sqrt(primes[:k])[:, None] * np.arange(1, POINTS + 1)
    points = np.abs(2 * np.mod(steps, 1.0) - 1)
    points.setflags(write=False)
    return np.asarray(points)


def after_passing(mean: FloatArray, covariance: FloatArray, half: FloatArray) -> Pretest:
    """Return the expectation of all coefficients given that those before treatment pass.

    Parameters
    ----------
    mean : (K,)
    covariance : (K, K)
    half : (P,)
        Half-widths for the first P coefficients.
    """
    n_pre = len(half)
    before = covariance[:n_pre, :n_pre]
    chance = passing(mean[:n_pre], before, half)
    if chance <= 0:
        return Pretest(chance, np.full(len(mean), np.nan))
    edge = np.array(
        [
            _at(mean[:n_pre], before, half, k, -half[k])
            - _at(mean[:n_pre], before, half, k, half[k])
            for k in range(n_pre)
        ]
    )
    return Pretest(chance, mean + covariance[:, :n_pre] @ edge / chance)


def _at(mean: FloatArray, covariance: FloatArray, half: FloatArray, k: int, x: float) -> float:
    """Return F_k(x)."""
    others = np.arange(len(mean)) != k
    variance = covariance[k, k]
    pull = covariance[others, k] / variance
    left = covariance[np.ix_(others, others)] - np.outer(pull, covariance[k, others])
    density = np.exp(-((x - mean[k]) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
    return float(density * passing(mean[others] + pull * (x - mean[k]), left, half[others]))


def joint_power(mean: FloatArray, covariance: FloatArray, size: float) -> float:
    """Return how often the Wald test of P zeros rejects.

    Parameters
    ----------
    mean : (P,)
    covariance : (P, P)
    size : float
    """
    shift = float(mean @ np.linalg.solve(covariance, mean))
    return float(1 - chndtr(chdtri(len(mean), size), len(mean), shift))
