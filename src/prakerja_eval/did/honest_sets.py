"""Which values of the effect does a restriction on trends allow, given the coefficients?

Rambachan and Roth (2023), doi 10.1093/restud/rdad018: beta = delta + (0, tau). A restriction says
that T_post changes U delta of the trend lie within +-(e + E delta_pre), and theta = l'tau. U has an
invertible block on the periods after the reference, so the nuisance (all of tau but l'tau) goes
away in closed form: the cone {gamma >= 0, gamma'A L_nuisance = 0} of Andrews, Roth and Pakes (2023,
doi 10.1093/restud/rdad006) has as its extreme rays +-g with g = U_post^{-T} l, split in its
positive and negative parts, and for each change the pair of its two bounds.
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.typing import FloatArray


@dataclass(frozen=True, slots=True)
class Inequalities:
    """R statements row beta - bound - slope theta <= 0, scaled as the paper's vertices gamma.

    Attributes
    ----------
    row : (R, K)
    bound, slope : (R,)
        The first bounds theta from below, the second from above; the others do not move with it.
    """

    row: FloatArray
    bound: FloatArray
    slope: FloatArray


def steps(n_pre: int, n_post: int) -> FloatArray:
    """Return the first differences (K, K) of (delta_pre, 0, delta_post) as rows."""
    place = np.insert(np.eye(n_pre + n_post), n_pre, 0.0, axis=0)
    return np.diff(place, axis=0)


def bends(n_pre: int, n_post: int) -> FloatArray:
    """Return the second differences (K - 1, K) as rows."""
    return np.diff(steps(n_pre, n_post), axis=0)


def smoothness(m: float, target: FloatArray, covariance: FloatArray) -> Inequalities:
    """Return Delta^SD(m): every change of slope after the last pre-period is at most m.

    Parameters
    ----------
    m : float
    target : (T_post,)
        l.
    covariance : (K, K)
    """
    n_post = len(target)
    change = bends(len(covariance) - n_post, n_post)[-n_post:]
    return eliminate(change, np.zeros(len(covariance)), m, target, covariance)


def relative(
    m: float, largest: int, sign: float, target: FloatArray, covariance: FloatArray
) -> Inequalities:
    """Return the piece of Delta^RM(m) in which the largest step before is ``largest``.

    Parameters
    ----------
    m : float
    largest : int
        Position of the step among those before treatment, from 0.
    sign : {1, -1}
        Whether the trend rises or falls in it.
    target : (T_post,)
    covariance : (K, K)
    """
    n_post = len(target)
    step = steps(len(covariance) - n_post, n_post)
    return eliminate(step[-n_post:], sign * m * step[largest], 0.0, target, covariance)


def eliminate(
    change: FloatArray,
    reach: FloatArray,
    slack: float,
    target: FloatArray,
    covariance: FloatArray,
) -> Inequalities:
    """Eliminate the nuisance from |change delta| <= slack + reach delta.

    Parameters
    ----------
    change : (T_post, K)
        U.
    reach : (K,)
        E, zero after the reference.
    slack : float
        e.
    target : (T_post,)
    covariance : (K, K)
    """
    n_post = len(target)
    g = np.linalg.solve(change[:, -n_post:].T, target)
    up, down = np.maximum(g, 0.0), np.maximum(-g, 0.0)
    pairs = np.hstack([np.eye(n_post)] * 2)
    ray = np.vstack([np.append(up, down), np.append(down, up), pairs])
    sides = np.vstack([change, -change]) - reach
    spread = np.sqrt(np.einsum("ik,kl,il->i", sides, covariance, sides))
    scale = ray @ spread
    slope = np.append([1.0, -1.0], np.zeros(n_post)) / scale
    return Inequalities(ray @ sides / scale[:, None], slack * ray.sum(axis=1) / scale, slope)
