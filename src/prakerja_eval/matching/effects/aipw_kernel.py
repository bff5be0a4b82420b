"""How far apart are the arms, once outcome models and the score correct each other?

With h(p) = 1, p or 1 - p and h = 1, d or 1 - d for the ATE, ATT and ATC, residuals of both outcome
models e_a = y - m_a(x) for everybody, and the score p:

    theta = sum_i w_i (c_1 e_1 + c_0 e_0)_i / sum_i w_i h_i
    c_1 = d h(p) / p - h,    c_0 = h - (1 - d) h(p) / (1 - p)

For the ATE this is m_1 - m_0 + d (y - m_1) / p - (1 - d) (y - m_0) / (1 - p) of Robins, Rotnitzky
and Zhao (1994, doi 10.1080/01621459.1994.10476818), since e_0 - e_1 = m_1 - m_0; for the ATT
(d - (1 - d) p / (1 - p)) (y - m_0), c_1 being zero; for the ATC its mirror image. It is also the
score of the interactive regression model (Chernozhukov et al. 2018, doi 10.1111/ectj.12097).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.matching.weighting.inverse_probability import Tilt, balancing_weights
from prakerja_eval.numerics.linear import wls
from prakerja_eval.numerics.logit import logit
from prakerja_eval.numerics.poisson import poisson
from prakerja_eval.typing import BoolArray, FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Nuisance:
    """A fitted score or outcome model, evaluated for everybody.

    Attributes
    ----------
    value : (n,)
        Probability, or mean of the outcome in its units.
    slope : (n,), optional
        d value / d linear predictor; None where the fit counts as fixed (cross-fitted learners).
    design : (n, q), optional
        Regressors with the constant.
    psi : (n, q), optional
        Influence of the coefficients of ``design``.
    """

    value: FloatArray
    slope: FloatArray | None = None
    design: FloatArray | None = None
    psi: FloatArray | None = None

    def influence(self, by_value: FloatArray) -> FloatArray:
        """Return what the fit adds to psi, (n,), from d theta / d value (n,)."""
        if self.slope is None or self.design is None or self.psi is None:
            return np.zeros_like(self.value)
        by_coefficient = self.design.T @ (by_value * self.slope)
        return np.asarray(self.psi @ by_coefficient)


@dataclass(frozen=True, slots=True, eq=False)
class AugmentedFit:
    """A doubly robust difference.

    Attributes
    ----------
    theta : float
        In units of the outcome.
    comparison_mean : float
        Mean outcome without treatment in the target population.
    psi : (n,)
        Influence with that of the nuisances that are not fixed; obeys the law.
    """

    theta: float
    comparison_mean: float
    psi: FloatArray


def augmented(
    y: FloatArray,
    treated: BoolArray,
    w: FloatArray,
    score: Nuisance,
    complement: FloatArray,
    outcome: tuple[Nuisance, Nuisance],
    tilt: Tilt,
) -> AugmentedFit:
    """Average the doubly robust scores.

    Parameters
    ----------
    y : (n,)
        Outcome; finite, also where the weight is zero.
    treated : (n,) bool
    w : (n,)
        Sampling weights, zero for units whose outcome was not seen or that are left out.
    score : Nuisance
        Strictly between zero and one where w > 0.
    complement : (n,)
        One less the score, apart so that a score near one loses no digits.
    outcome : two Nuisance
        Mean outcome given covariates in the comparison arm, and in the treated arm. For the ATT
        the second is not used, nor the first for the ATC.
    tilt : Tilt
        ATE, ATT or ATC.

    Returns
    -------
    AugmentedFit
    """
    used = w > 0
    p, q = (np.where(used, value, 0.5) for value in (score.value, complement))
    made = balancing_weights(p, q, treated, tilt)
    focal = {Tilt.ATE: np.ones_like(treated), Tilt.ATT: treated, Tilt.ATC: ~treated}[tilt]
    h, d = focal.astype(np.float64), treated.astype(np.float64)
    e0, e1 = (np.where(used, y - arm.value, 0.0) for arm in outcome)
    c1, c0 = d * made.weight - h, h - (1 - d) * made.weight
    share = w / float(w @ h)
    phi = c1 * e1 + c0 * e0
    theta = float(share @ phi)
    psi = share * (phi - theta * h)
    psi += score.influence(share * made.slope * np.where(treated, e1, -e0))
    psi += outcome[0].influence(-share * c0) + outcome[1].influence(-share * c1)
    return AugmentedFit(theta, float(share @ (h * y - c0 * e0)), psi)


def averaged(fits: Sequence[AugmentedFit]) -> AugmentedFit:
    """Average estimates of repeated splits, and their influence with them.

    The mean and not the median: its influence is the mean of theirs, and so obeys the law.
    """
    return AugmentedFit(
        float(np.mean([fit.theta for fit in fits])),
        float(np.mean([fit.comparison_mean for fit in fits])),
        np.mean([fit.psi for fit in fits], axis=0),
    )


def linear_mean(y: FloatArray, X: FloatArray, w: FloatArray) -> Nuisance:
    """Fit the mean outcome of one arm by least squares.

    Parameters
    ----------
    y : (n,)
        Outcome; what it is where the weight is zero does not matter.
    X : (n, p)
        Regressors with the constant, of everybody.
    w : (n,)
        Weights, zero outside the arm.

    Raises
    ------
    CollinearityError
        When a column depends on the columns before it in this arm.
    """
    fit = wls(y, X, w)
    return Nuisance(X @ fit.beta, np.ones(len(y)), X, fit.psi)


def logit_mean(y: FloatArray, X: FloatArray, w: FloatArray) -> Nuisance:
    """Fit the probability of a one in one arm by a logit; arguments as in :func:`linear_mean`.

    Raises
    ------
    NotEstimableError
        When y is not of zeros and ones, or no maximum exists.
    """
    if not np.isin(y[w > 0], (0.0, 1.0)).all():
        raise NotEstimableError("a logit needs an outcome of zeros and ones")
    fit = logit(y, X, w)
    mean = expit(fit.linear_predictor)
    return Nuisance(mean, mean * (1 - mean), X, fit.psi)


def poisson_mean(y: FloatArray, X: FloatArray, w: FloatArray) -> Nuisance:
    """Fit a mean of zero or more in one arm by Poisson pseudo-likelihood, as ``linear_mean``.

    Raises
    ------
    NotEstimableError
        When y is negative somewhere or zero everywhere, or no maximum exists.
    """
    fit = poisson(y, X, w)
    return Nuisance(fit.mean, fit.mean, X, fit.psi)
