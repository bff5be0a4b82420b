"""How much must a person count, so that the arms have the same covariates?

Balancing weights (Li, Morgan and Zaslavsky 2018, doi 10.1080/01621459.2016.1260466): with a score e
and a population of density proportional to h(e), a treated unit weighs h(e) / e and a comparison
unit h(e) / (1 - e).
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from prakerja_eval.typing import BoolArray, FloatArray


class Tilt(Enum):
    """The function h that says which population the weights make."""

    ATT = "e"
    ATC = "1 - e"
    ATE = "1"
    ATO = "e (1 - e)"
    ATM = "min(e, 1 - e)"


@dataclass(frozen=True, slots=True)
class BalancingWeights:
    """Weights that follow from a score.

    Attributes
    ----------
    weight : (n,)
        h(e) / e for the treated, h(e) / (1 - e) for the others; without sampling weights.
    slope : (n,)
        d weight / d e. For ATM the two sides of e = 1/2 differ: there it is the mean of both.
    tilt : (n,)
        h(e): what a unit counts in the population of the estimand.
    """

    weight: FloatArray
    slope: FloatArray
    tilt: FloatArray


def balancing_weights(
    score: FloatArray, complement: FloatArray, treated: BoolArray, tilt: Tilt
) -> BalancingWeights:
    """Compute the weights of a score and their derivative.

    Parameters
    ----------
    score, complement : (n,)
        e and 1 - e, apart, so that a score near one loses no digits.
    treated : (n,) bool
    tilt : Tilt

    Returns
    -------
    BalancingWeights
    """
    own = np.where(treated, score, complement)  # probability of the arm that one is in
    other = np.where(treated, complement, score)
    sign = np.where(treated, 1.0, -1.0)  # d own / d e
    one, zero = np.ones_like(own), np.zeros_like(own)
    focal = treated if tilt is Tilt.ATT else ~treated
    if tilt in (Tilt.ATT, Tilt.ATC):
        weight, by_own = np.where(focal, one, other / own), np.where(focal, zero, -1 / own**2)
    elif tilt is Tilt.ATE:
        weight, by_own = 1 / own, -1 / own**2
    elif tilt is Tilt.ATO:
        weight, by_own = other, -one
    else:
        weight = np.minimum(one, other / own)
        side = np.sign(own - other)  # min(e, 1 - e) is the smaller; a tie takes half of each slope
        by_own = -(1 + side) / 2 / own**2
    return BalancingWeights(weight, sign * by_own, _population(score, complement, tilt))


def _population(score: FloatArray, complement: FloatArray, tilt: Tilt) -> FloatArray:
    """Return h(e), (n,)."""
    if tilt is Tilt.ATE:
        return np.ones_like(score)
    if tilt is Tilt.ATM:
        return np.minimum(score, complement)
    if tilt is Tilt.ATO:
        return score * complement
    return score if tilt is Tilt.ATT else complement


def ceilings(
    weight: FloatArray, base: FloatArray, treated: BoolArray, share: float
) -> tuple[float, float]:
    """Return the weights of the treated and the comparison arm below which a share of it lies.

    Parameters
    ----------
    weight : (n,)
        As of :func:`balancing_weights`.
    base : (n,)
        Sampling weights, zero for units that take no part: a unit of two counts as two units.
    treated : (n,) bool
    share : float
        Between 0 and 1; the quantile is one of the weights (the inverse distribution function).
    """
    found = [
        float(np.quantile(weight[arm], share, weights=base[arm], method="inverted_cdf"))
        for arm in (treated, ~treated)
    ]
    return found[0], found[1]


def truncated(
    made: BalancingWeights, treated: BoolArray, ceiling: tuple[float, float]
) -> BalancingWeights:
    """Set weights above their arm's ceiling to it; the ceiling is taken as given.

    Parameters
    ----------
    made : BalancingWeights
    treated : (n,) bool
    ceiling : pair of float
        Of the treated and of the comparison arm.
    """
    top = np.where(treated, *ceiling)
    above = made.weight > top
    return BalancingWeights(
        np.where(above, top, made.weight), np.where(above, 0.0, made.slope), made.tilt
    )
