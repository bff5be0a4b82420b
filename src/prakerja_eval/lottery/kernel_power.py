"""How often does a test reject whose statistic is centred elsewhere, and how noisy is it?"""

from dataclasses import dataclass

import numpy as np
from scipy.special import nctdtr, ndtr, ndtri, stdtrit

from prakerja_eval.typing import FloatArray

NORMAL_FROM = 1e8  # degrees of freedom from which Student is normal to nine digits
FAR = 40.0  # standard errors, which a test on any usable degrees of freedom sees


@dataclass(frozen=True, slots=True)
class Threshold:
    """A test of one number: its size, whether both tails count, and its degrees of freedom.

    Attributes
    ----------
    alpha : float
    two_sided : bool
    df : float
        Infinite for normal quantiles.
    """

    alpha: float
    two_sided: bool
    df: float


def design_effect(r2: FloatArray, icc: float, partners: float, kept: FloatArray) -> FloatArray:
    """Return the variance of an arm's mean over that of as many unlike people, (2,).

    D_z = (1 − ρ)(1 − R²) + ρ (1 − R_c²)(1 + k_z q): of two people of a cluster both are seen with
    probability k_z², and each seen one has k_z q partners.

    Parameters
    ----------
    r2 : (2,)
        Explained shares R² of the variance within clusters and R_c² of that between them.
    icc : float
        ρ, the variance between clusters over all.
    partners : float
        q = m (1 + c²) − 1, the others in the cluster of a person drawn at random, for clusters of
        mean size m and coefficient of variation c.
    kept : (2,)
        k_z, the share with an outcome.
    """
    within, between = r2
    return np.asarray((1 - icc) * (1 - within) + icc * (1 - between) * (1 + kept * partners))


def welch(variance: FloatArray, units: FloatArray) -> float:
    """Return the degrees of freedom of Welch and Satterthwaite; 0 where a mean has one unit.

    Parameters
    ----------
    variance : (2, B)
        What the mean of each arm and block adds to the variance.
    units : (2, B)
        Independent units behind it.
    """
    if not (units > 1).all():
        return 0.0
    return float(variance.sum() ** 2 / (variance**2 / (units - 1)).sum())


def rejects(distance: FloatArray, test: Threshold) -> FloatArray:
    """Return how often a test rejects, (K,).

    Parameters
    ----------
    distance : (K,)
        Where the statistic is centred, in standard errors.
    test : Threshold
    """
    tail = test.alpha / 2 if test.two_sided else test.alpha
    far = np.abs(distance)
    if test.df >= NORMAL_FROM:
        edge = -ndtri(tail)
        other = ndtr(-edge - far) if test.two_sided else 0.0
        return np.asarray(ndtr(far - edge) + other)
    edge = -stdtrit(test.df, tail)
    other = _below(-edge, test.df, far) if test.two_sided else 0.0
    return np.asarray(1 - _below(edge, test.df, far) + other)


def _below(edge: float, df: float, centre: FloatArray) -> FloatArray:
    """Return how often noncentral t is below ``edge``; what is below 1e-14 may come as NaN."""
    return np.asarray(np.nan_to_num(nctdtr(df, centre, edge)))


def distance(power: float, test: Threshold) -> float:
    """Return where the statistic must be centred, in standard errors, for a power above alpha."""
    from scipy.optimize import brentq  # late: only this needs it

    def gap(at: float) -> float:
        return float(rejects(np.array([at]), test)[0]) - power

    far = FAR
    while gap(far) < 0:
        far *= 2
    return float(brentq(gap, 0.0, far, xtol=1e-12, rtol=1e-12))
