"""What each unit contributes to a matching estimate, so that it can be joined with others.

Otsu and Rai (2017), doi 10.1080/01621459.2016.1231613: the bias-corrected matching estimator is
the mean of

    psi_i = (D_i (mu1(S_i) - mu0(S_i) - tau) + (2 W_i - 1) (D_i + K_i) (Y_i - mu_W(S_i))) / n_f

where D marks the n_f matched focal units, K_i is the use of a unit, and mu_w a series regression
of the outcome on the score in arm w. Matching is not smooth: psi is no derivative by unit weights
and does not obey the law. Its squares add up to a variance near that of Abadie and Imbens, to
which :func:`rescale` sets them exactly.
"""

import numpy as np
from numpy.polynomial import legendre

from prakerja_eval.matching.effects import MatchedEffect
from prakerja_eval.typing import BoolArray, FloatArray

ORDER = 3
"""Order of the polynomial in the score; lower in an arm with fewer than four distinct scores."""


def linear_form(
    y: FloatArray, treated: BoolArray, score: FloatArray, effect: MatchedEffect
) -> FloatArray:
    """Decompose a matching estimate into one contribution a unit.

    tau is the bias-corrected estimate of the same decomposition, so that psi adds up to zero.

    Parameters
    ----------
    y, score : (n,)
        Outcome, and the variable matched on.
    treated : (n,) bool
        Who was treated.
    effect : MatchedEffect
        The estimate.

    Returns
    -------
    (n,) array
        psi, in units of the outcome, divided by the number of focal units. Zero where a unit
        neither is focal nor serves.
    """
    D = effect.focal.astype(np.float64)
    mu1 = _series(y, score, treated)
    mu0 = _series(y, score, ~treated)
    residual = np.where(treated, y - mu1, mu0 - y)
    raw = D * (mu1 - mu0) + (D + effect.used) * residual
    psi: FloatArray = (raw - D * (raw.sum() / D.sum())) / D.sum()
    return psi


def rescale(psi: FloatArray, variance: float) -> FloatArray:
    """Scale psi so that its squares add up to ``variance``.

    Parameters
    ----------
    psi : (n,)
        Contributions.
    variance : float
        Variance to be met.

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
    scaled: FloatArray = psi * np.sqrt(variance / squares)
    return scaled


def _series(y: FloatArray, score: FloatArray, arm: BoolArray) -> FloatArray:
    """Fit a Legendre series in the score within one arm, and evaluate it at every score."""
    low, high = float(score.min()), float(score.max())
    x = 2 * (score - low) / (high - low) - 1 if high > low else np.zeros_like(score)
    order = min(ORDER, len(np.unique(x[arm])) - 1)
    basis = legendre.legvander(x, order)
    coefficients = np.linalg.lstsq(basis[arm], y[arm], rcond=None)[0]
    fitted: FloatArray = basis @ coefficients
    return fitted
