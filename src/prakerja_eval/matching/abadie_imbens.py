"""How uncertain a matching estimate is, the score taken as known.

Abadie and Imbens (2006), doi 10.1111/j.1468-0262.2006.00655.x; Abadie, Drukker, Herr and Imbens
(2004), Stata Journal 4:290. With D_i = 1 for the n_f matched focal units, K_i the sum of the pair
weights with which unit i serves and K'_i that of their squares, one pair of formulas holds for
ATT, ATC and ATE:

    population: (sum_i D_i (Y1_i - Y0_i - tau)^2 + sum_i (K_i^2 + 2 D_i K_i - K'_i) s2_i) / n_f^2
    sample:     sum_i (D_i + K_i)^2 s2_i / n_f^2

A focal unit that a caliper leaves without a match counts nowhere, and n_f does not count it.
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.matching.effects import MatchedEffect
from prakerja_eval.matching.neighbours import Runs, nearest_runs
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class MatchingVariance:
    """Variances of a matching estimate, in squared units of the outcome.

    Attributes
    ----------
    population : float
        Of the estimate as one of the effect in the population.
    sample : float
        Of the estimate as one of the effect on the very units at hand (SATT, SATC, SATE).
    """

    population: float
    sample: float


def matching_variance(effect: MatchedEffect, sigma2: FloatArray) -> MatchingVariance:
    """Compute both variances from the conditional variances of the outcome.

    Parameters
    ----------
    effect : MatchedEffect
        Estimate, imputed outcomes and use of each unit.
    sigma2 : (n,)
        Variance of the outcome given score and arm, from :func:`constant_sigma2` or
        :func:`local_sigma2`.

    Returns
    -------
    MatchingVariance
    """
    D = effect.focal.astype(np.float64)
    K, K_prime = effect.used, effect.used_squared
    heterogeneity = np.sum((effect.y1 - effect.y0 - effect.estimate)[effect.focal] ** 2)
    serves = np.sum((K**2 + 2 * D * K - K_prime) * sigma2)
    squared = float(D.sum()) ** 2
    population = float(heterogeneity + serves) / squared
    return MatchingVariance(population, float(np.sum((D + K) ** 2 * sigma2)) / squared)


def constant_sigma2(effect: MatchedEffect) -> FloatArray:
    """Estimate one variance for all: half the mean squared deviation of the pair differences.

    s2 = sum_pairs weight (difference - tau)^2 / (2 n_f). It supposes a constant effect and one
    variance for all, and overstates the variance where effects differ.

    Parameters
    ----------
    effect : MatchedEffect
        Estimate with its pairs.

    Returns
    -------
    (n,) array
        The same value n times.
    """
    sigma2 = effect.pair_deviation / (2 * effect.focal.sum())
    return np.full(len(effect.focal), sigma2)


def local_sigma2(
    y: FloatArray,
    treated: BoolArray,
    score: FloatArray,
    neighbours: int = 1,
    tie_tolerance: float = 0.0,
    groups: IntArray | None = None,
) -> FloatArray:
    """Estimate the variance of each unit from its nearest neighbours of the same arm.

    The sample variance (divisor: number less one) over the unit itself and its ``neighbours``
    nearest, with all those tied.

    Parameters
    ----------
    y, score : (n,)
        Outcome, and the variable matched on.
    treated : (n,) bool
        Who was treated.
    neighbours : int
        Number J of other units; an arm has to have more.
    tie_tolerance : float
        Tolerance on the squared distance within which a unit counts as tied.
    groups : (n,) int array, optional
        Exact groups: neighbours share the unit's own. A unit that is alone of its arm in its group
        has those of the whole arm.

    Returns
    -------
    (n,) array

    Raises
    ------
    ValueError
        If ``neighbours`` is below one or not below the size of an arm.
    """
    if neighbours < 1 or neighbours >= min(treated.sum(), (~treated).sum()):
        raise ValueError("neighbours must be at least 1 and below the size of either arm")
    sigma2 = np.empty(len(y))
    for arm in (treated, ~treated):
        near = (score[arm], score[arm], neighbours + 1, np.inf, tie_tolerance)
        e = y[arm] - y[arm].mean()
        sigma2[arm] = _spread(nearest_runs(*near), e)
        if groups is not None:
            within = nearest_runs(*near, (groups[arm], groups[arm]))
            sigma2[arm] = np.where(within.count > 1, _spread(within, e), sigma2[arm])
    return sigma2


def _spread(runs: Runs, e: FloatArray) -> FloatArray:
    """Return the sample variance of each run, NaN where it has one unit."""
    mean = runs.total(e) / runs.count
    # Not below zero, where rounding would have it so.
    spread = np.maximum(runs.total(e**2) - runs.count * mean**2, 0.0)
    more = runs.count > 1
    return np.where(more, spread / np.where(more, runs.count - 1, 1), np.nan)
