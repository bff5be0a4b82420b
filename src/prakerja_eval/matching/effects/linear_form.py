"""What each unit contributes to a matching estimate, so that it can be joined with others.

Otsu and Rai (2017), doi 10.1080/01621459.2016.1231613: the bias-corrected matching estimator is
the mean of

    psi_i = (D_i (mu1(S_i) - mu0(S_i) - tau) + (2 W_i - 1) (D_i + K_i) (Y_i - mu_W(S_i))) / n_f

where D marks the n_f matched focal units, K_i is the use of a unit, and
mu_w a series regression of the outcome on the score in arm w. Matching is not smooth: psi is no
derivative by unit weights and does not obey the law. Its squares add up to a variance near that of
Abadie and Imbens, to which :func:`rescale` sets them exactly.
"""

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import legendre

from prakerja_eval.matching.effects.effects import MatchedEffect
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

ORDER = 3
"""Order of the polynomial in the score; lower in an arm with fewer than four distinct scores."""
ORDER_OF_MANY = 2


@dataclass(frozen=True, slots=True)
class LinearForm:
    """A matching estimate as a sum over units.

    Attributes
    ----------
    estimate : float
        tau, corrected for the distance within pairs by mu_w.
    psi : (n,)
        In units of the outcome, divided by the number of focal units; adds up to zero. Zero
        where a unit neither is focal nor serves.
    """

    estimate: float
    psi: FloatArray


def linear_form(
    y: FloatArray,
    treated: BoolArray,
    space: FloatArray,
    effect: MatchedEffect,
    groups: IntArray | None = None,
) -> LinearForm:
    """Decompose a matching estimate into one contribution a unit.

    mu_w is fitted where it is needed: among the units of arm w that are focal or serve, each
    weighing D_i + K_i. tau is the bias-corrected estimate of the same decomposition, so that psi
    adds up to zero.

    Parameters
    ----------
    y : (n,)
        Outcome.
    treated : (n,) bool
        Who was treated.
    space : (n,) or (n, q)
        The variable matched on, or the columns in which distances are Euclidean.
    effect : MatchedEffect
        The estimate.
    groups : (n,) int array, optional
        Exact groups; mu_w has a level of its own in each.

    Returns
    -------
    LinearForm
    """
    D = effect.focal.astype(np.float64)
    part = np.flatnonzero((D > 0) | (effect.used > 0))
    weight = (D + effect.used)[part]
    series, arm = _series(space[part]), treated[part]
    level = np.zeros(len(part), dtype=np.int64)
    if groups is not None:
        level = np.unique(groups[part], return_inverse=True)[1]
    mu1, mu0 = (_fitted(y[part], series, level, np.where(a, weight, 0.0)) for a in (arm, ~arm))
    residual = np.where(arm, y[part] - mu1, mu0 - y[part])
    focal = D[part]
    raw = focal * (mu1 - mu0) + weight * residual
    psi = np.zeros(len(y))
    estimate = float(raw.sum() / focal.sum())
    psi[part] = (raw - focal * estimate) / focal.sum()
    return LinearForm(estimate, psi)


def rescale(psi: FloatArray, variance: float, focal: BoolArray) -> FloatArray:
    """Scale psi so that its squares add up to ``variance``.

    The focal units' part is shared with other designs on the same people and stays as it is; the
    part of the units that only serve is scaled. Where the focal part alone exceeds the variance,
    or everyone is focal, all is scaled alike.

    Parameters
    ----------
    psi : (n,)
        Contributions.
    variance : float
        Variance to be met.
    focal : (n,) bool
        Whose effect it is.

    Returns
    -------
    (n,) array

    Raises
    ------
    ValueError
        If the variance is negative or psi is zero throughout.
    """
    squares = float(psi @ psi)
    if variance < 0 or squares == 0:
        raise ValueError("the variance must not be negative, nor psi zero throughout")
    own = float(psi[focal] @ psi[focal])
    if variance - own > 0 and own < squares * (1 - 1e-9):
        factor = np.sqrt((variance - own) / (squares - own))
        return np.where(focal, psi, psi * factor)
    return np.asarray(psi * np.sqrt(variance / squares))


def _series(space: FloatArray) -> FloatArray:
    """Return a Legendre series in the score, without its constant.

    In several columns each has a series of its own, of order 2, so that it stays short.
    """
    Z = space.reshape(len(space), -1)
    low, high = Z.min(axis=0), Z.max(axis=0)
    apart = np.where(high > low, high - low, 1.0)
    x = np.where(high > low, 2 * (Z - low) / apart - 1, 0.0)
    order = ORDER if Z.shape[1] == 1 else ORDER_OF_MANY
    return np.hstack([legendre.legvander(column, order)[:, 1:] for column in x.T])


def _fitted(y: FloatArray, series: FloatArray, level: IntArray, weight: FloatArray) -> FloatArray:
    """Fit y on levels and the series by weighted least squares; evaluate it for every unit.

    Levels are taken out of both first, in O(n) however many there are. The shortest coefficients
    of the series where the weighted units do not tell all its terms apart.
    """
    root = np.sqrt(weight)
    centre = _level_means(np.column_stack((y, series)), level, weight)
    x = series - centre[:, 1:]
    coefficients = np.linalg.lstsq(x * root[:, None], (y - centre[:, 0]) * root, rcond=None)[0]
    return np.asarray(centre[:, 0] + x @ coefficients)


def _level_means(A: FloatArray, level: IntArray, weight: FloatArray) -> FloatArray:
    """Return for each unit the weighted means of its level, (n, k); of all, where none weighs."""
    total = np.bincount(level, weight)
    some = total > 0
    means = np.tile(weight @ A / weight.sum(), (len(total), 1))
    for k, column in enumerate(A.T):
        means[some, k] = np.bincount(level, weight * column)[some] / total[some]
    return np.asarray(means[level])
