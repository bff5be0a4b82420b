"""How often does a test before treatment pass, and where do estimates lie when it does?

Roth (2022), doi 10.1257/aeri.20210236. X normal before treatment passes if |X_k| <= c_k for all k.
By Tallis (1961), doi 10.1111/j.2517-6161.1961.tb00408.x, E[X | pass] = mean + V (F(-c) - F(c)) / P,
F_k(x) the density of X_k at x times the probability that the others pass given X_k = x.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri, chndtr, ndtr

from prakerja_eval.typing import FloatArray

CLOSE = 1e-5  # asked of each probability from three dimensions on, absolute and relative
POINTS = 50_000  # a dimension, at most


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


def passing(mean: FloatArray, covariance: FloatArray, half: FloatArray, seed: int) -> float:
    """Return P(|X_k| <= half_k for all k).

    Parameters
    ----------
    mean : (P,)
    covariance : (P, P)
    half : (P,)
    seed : int
        Of the lattice of Genz's integration, from three dimensions on.
    """
    if len(mean) == 0:
        return 1.0
    if len(mean) == 1:
        sd = np.sqrt(covariance[0, 0])
        return float(ndtr((half[0] - mean[0]) / sd) - ndtr((-half[0] - mean[0]) / sd))
    from scipy.stats import multivariate_normal  # late: it takes half a second

    found = multivariate_normal.cdf(
        half,
        mean,
        covariance,
        lower_limit=-half,
        maxpts=POINTS * len(mean),
        abseps=CLOSE,
        releps=CLOSE,
        rng=np.random.Generator(np.random.PCG64(seed)),
    )
    return float(found)


def after_passing(mean: FloatArray, covariance: FloatArray, half: FloatArray, seed: int) -> Pretest:
    """Return the expectation of all coefficients given that those before treatment pass.

    Parameters
    ----------
    mean : (K,)
    covariance : (K, K)
    half : (P,)
        Half-widths for the first P coefficients.
    seed : int
    """
    n_pre = len(half)
    before = covariance[:n_pre, :n_pre]
    chance = passing(mean[:n_pre], before, half, seed)
    if chance <= 0:
        return Pretest(chance, np.full(len(mean), np.nan))
    edge = np.array(
        [
            _at(mean[:n_pre], before, half, k, -half[k], seed)
            - _at(mean[:n_pre], before, half, k, half[k], seed)
            for k in range(n_pre)
        ]
    )
    return Pretest(chance, mean + covariance[:, :n_pre] @ edge / chance)


def _at(
    mean: FloatArray, covariance: FloatArray, half: FloatArray, k: int, x: float, seed: int
) -> float:
    """Return F_k(x)."""
    others = np.arange(len(mean)) != k
    variance = covariance[k, k]
    pull = covariance[others, k] / variance
    left = covariance[np.ix_(others, others)] - np.outer(pull, covariance[k, others])
    density = np.exp(-((x - mean[k]) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
    return float(density * passing(mean[others] + pull * (x - mean[k]), left, half[others], seed))


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
