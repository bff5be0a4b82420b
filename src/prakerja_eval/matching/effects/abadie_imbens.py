"""How uncertain a matching estimate is, the score taken as known.

Abadie and Imbens (2006), doi 10.1111/j.1468-0262.2006.00655.x; Abadie, Drukker, Herr and Imbens
(2004), Stata Journal 4:290. With D_i = 1 for the n_f matched focal units, K_i the sum of the pair
weights with which unit i serves and K'_i that of their squares, one pair of formulas holds for
ATT, ATC and ATE:

    population: (sum_i D_i (Y1_i - Y0_i - tau)^2 + sum_i (K_i^2 + 2 D_i K_i - K'_i) s2_i) / n_f^2
    sample:     sum_i (D_i + K_i)^2 s2_i / n_f^2

The square of (Y1_i - Y0_i - tau) has the noise of unit i and of those that serve it in it, s2_i
and their part of K'_j s2_j; what is left of (D + K)^2 s2 is the second sum. A focal unit that a
caliper leaves without a match counts nowhere, and n_f does not count it.
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.matching.effects.effects import MatchedEffect
from prakerja_eval.matching.pairs.distances import Sets, nearest_sets
from prakerja_eval.matching.pairs.neighbours import Runs, nearest_runs
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
    D, K, K_prime = effect.focal.astype(np.float64), effect.used, effect.used_squared
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
    space: FloatArray,
    neighbours: int = 1,
    tie_tolerance: float = 0.0,
    groups: IntArray | None = None,
) -> FloatArray:
    """Estimate the variance of each unit from its nearest neighbours of the same arm.

    The sample variance (divisor: number less one) over the unit itself and its ``neighbours``
    nearest, with all those tied.

    Parameters
    ----------
    y : (n,)
        Outcome.
    treated : (n,) bool
        Who was treated.
    space : (n,) or (n, q)
        What was matched on; distances are Euclidean.
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
    near = (neighbours + 1, tie_tolerance)
    sigma2 = np.empty(len(y))
    for arm in (treated, ~treated):
        Z = space[arm]
        e = y[arm] - y[arm].mean()
        sigma2[arm] = _spread(_sets(Z, *near), e)
        if groups is not None:
            within = _sets(Z, *near, groups[arm])
            sigma2[arm] = np.where(within.count > 1, _spread(within, e), sigma2[arm])
    return sigma2


@dataclass(frozen=True, slots=True)
class _Near:
    """Sets of units of one arm, in compressed rows."""

    sets: Sets

    @property
    def count(self) -> IntArray:
        return self.sets.count

    def total(self, values: FloatArray) -> FloatArray:
        """Sum values over each set; none is empty, each has the unit itself."""
        total: FloatArray = np.add.reduceat(values[self.sets.indices], self.sets.indptr[:-1])
        return total


def _sets(Z: FloatArray, k: int, tolerance: float, groups: IntArray | None = None) -> Runs | _Near:
    """Find the k nearest of each unit among all, itself included."""
    if Z.ndim == 1 or Z.shape[1] == 1:
        score = Z.reshape(-1)
        codes = None if groups is None else (groups, groups)
        return nearest_runs(score, score, k, np.inf, tolerance, codes)
    if groups is None:
        return _Near(nearest_sets(Z, Z, k, tolerance))
    return _Near(_joined(Z, k, tolerance, groups))


def _joined(Z: FloatArray, k: int, tolerance: float, groups: IntArray) -> Sets:
    """Find them group by group, in positions of all."""
    order = np.argsort(groups, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)
    found = [nearest_sets(Z[part], Z[part], k, tolerance) for part in parts]
    rows: list[IntArray] = [np.empty(0, dtype=np.int64)] * len(Z)
    for part, sets in zip(parts, found, strict=True):
        for i, near in zip(part, np.split(sets.indices, sets.indptr[1:-1]), strict=True):
            rows[i] = part[near]
    indptr = np.concatenate(([0], np.cumsum([len(r) for r in rows])))
    indices = np.concatenate(rows)
    return Sets(indptr, indices, np.full(len(indices), np.nan))


def _spread(near: Runs | _Near, e: FloatArray) -> FloatArray:
    """Return the sample variance of each set, NaN where it has one unit."""
    mean = near.total(e) / near.count
    # Not below zero, where rounding would have it so.
    spread = np.maximum(near.total(e**2) - near.count * mean**2, 0.0)
    more = near.count > 1
    return np.where(more, spread / np.where(more, near.count - 1, 1), np.nan)
