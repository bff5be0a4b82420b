"""How much the uncertainty of a matching estimate changes because the score was estimated.

Abadie and Imbens (2016), doi 10.3982/ECTA11293, for a score F(x'theta) with density f (that of a
logit is F (1 - F)) and information I:

    ATE:  V - c' I^-1 c,
          c   = E[f (cov(X, Y | F, W=1) / F + cov(X, Y | F, W=0) / (1 - F))]
    ATT:  V - c_t' I^-1 c_t + d' I^-1 d,
          c_t = E[f (X (mu1(F) - mu0(F) - tau) + cov(X, Y | F, W=1) + F/(1-F) cov(X, Y | F, W=0))]
                / P(W=1)
          d   = E[f X (mu1(X) - mu0(X) - tau)] / P(W=1)

Local means and covariances are those of the L units of an arm that are nearest on F, with all
those tied. For a unit of that arm the covariance is over itself and L - 1 others, and the mean
over L others. mu_w(X) is the unit's own outcome in its arm, and the mean of its nearest neighbours
on the covariates in the other.

In influence that is (d - c)' psi_theta beside the linear form of a known score: c is the covariance
of that form with the score sum x f / (F (1 - F)) (W - F), so that the squares add up to the above.
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.matching.effects.effects import MatchedEffect
from prakerja_eval.matching.pairs.neighbours import nearest_runs
from prakerja_eval.numerics.logit import Logit
from prakerja_eval.numerics.probit import Probit
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class FittedScore:
    """What the correction takes from a fitted score.

    Attributes
    ----------
    probability, density : (n,)
        F and f = dF / d x'theta.
    information_inverse : (p, p)
        I^-1.
    """

    probability: FloatArray
    density: FloatArray
    information_inverse: FloatArray

    @classmethod
    def of(cls, fit: Logit | Probit, at: IntArray | slice = slice(None)) -> "FittedScore":
        """Return it of the units at some positions."""
        F = fit.probability[at]
        f = fit.density[at] if isinstance(fit, Probit) else F * (1 - F)
        return cls(F, f, fit.information_inverse)


@dataclass(frozen=True, slots=True)
class ScoreCorrection:
    """What to add to the variance that takes the score as known.

    Attributes
    ----------
    variance : float
        -c' I^-1 c, for ATT and ATC plus d' I^-1 d; in squared units of the outcome.
    c : (p,)
        Gain from the score's fitting the sample at hand.
    derivative : (p,)
        d tau / d theta; zero for the ATE.
    """

    variance: float
    c: FloatArray
    derivative: FloatArray


@dataclass(frozen=True, slots=True)
class _Local:
    mean: FloatArray
    covariance: FloatArray


def score_correction(
    y: FloatArray,
    treated: BoolArray,
    X: FloatArray,
    score: FittedScore,
    effect: MatchedEffect,
    covariates: FloatArray,
    L: int = 2,
) -> ScoreCorrection:
    """Correct the variance of an estimate matched on a fitted probability.

    Parameters
    ----------
    y : (n,)
        Outcome.
    treated : (n,) bool
        Who was treated.
    X : (n, p)
        Regressors of the score, with its constant.
    score : FittedScore
        Fitted with unit weights of one.
    effect : MatchedEffect
        The estimate, matched on ``score.probability`` without losing a focal unit.
    covariates : (n, q)
        Columns on which the nearest neighbours for ``d`` are sought by Euclidean distance; scale
        them beforehand for another metric. Not used for the ATE.
    L : int
        Number of units in a local covariance.

    Returns
    -------
    ScoreCorrection

    Raises
    ------
    NotEstimableError
        If a caliper left focal units unmatched, for which the correction is not derived, or an arm
        has no more than L people.
    ValueError
        If L is below two.
    """
    smaller = int(min(treated.sum(), (~treated).sum()))
    if L < 2:
        raise ValueError("L must be at least 2")
    if smaller <= L:
        raise NotEstimableError(
            f"an arm has {smaller} people, too few for the correction for an estimated score, "
            f"which takes {L} neighbours besides each of them"
        )
    F, f = score.probability, score.density
    if effect.focal.all():
        c = _gain_ate(y, treated, X, (F, f), L)
        d = np.zeros_like(c)
    elif np.array_equal(effect.focal, treated):
        c = _gain_att(y, treated, X, (F, f), effect.estimate, L)
        d = _derivative_att(y, treated, X, f, effect.estimate, covariates)
    elif np.array_equal(effect.focal, ~treated):
        # The ATC is minus the ATT of not being treated, whose score is 1 - F and theta its minus.
        c = _gain_att(y, ~treated, X, (1 - F, f), -effect.estimate, L)
        d = _derivative_att(y, ~treated, X, f, -effect.estimate, covariates)
    else:
        raise NotEstimableError(
            "the correction for an estimated score is not derived where a caliper drops units"
        )
    inverse = score.information_inverse
    return ScoreCorrection(float(d @ inverse @ d - c @ inverse @ c), c, d)


def _gain_ate(
    y: FloatArray, treated: BoolArray, X: FloatArray, link: tuple[FloatArray, FloatArray], L: int
) -> FloatArray:
    F, f = link
    one, zero = (_local(y, arm, X, F, L) for arm in (treated, ~treated))
    terms = (f / F)[:, None] * one.covariance + (f / (1 - F))[:, None] * zero.covariance
    gain: FloatArray = terms.mean(axis=0)
    return gain


def _gain_att(
    y: FloatArray,
    treated: BoolArray,
    X: FloatArray,
    link: tuple[FloatArray, FloatArray],
    tau: float,
    L: int,
) -> FloatArray:
    F, f = link
    one, zero = (_local(y, arm, X, F, L) for arm in (treated, ~treated))
    terms = (
        X * (f * (one.mean - zero.mean - tau))[:, None]
        + f[:, None] * one.covariance
        + (f * F / (1 - F))[:, None] * zero.covariance
    )
    gain: FloatArray = terms.sum(axis=0) / treated.sum()
    return gain


def _derivative_att(
    y: FloatArray,
    treated: BoolArray,
    X: FloatArray,
    f: FloatArray,
    tau: float,
    covariates: FloatArray,
) -> FloatArray:
    mu1 = np.where(treated, y, 0.0)
    mu0 = np.where(treated, 0.0, y)
    mu1[~treated] = _nearest_mean(covariates[~treated], covariates[treated], y[treated])
    mu0[treated] = _nearest_mean(covariates[treated], covariates[~treated], y[~treated])
    derivative: FloatArray = X.T @ (f * (mu1 - mu0 - tau)) / treated.sum()
    return derivative


def _local(y: FloatArray, arm: BoolArray, X: FloatArray, F: FloatArray, L: int) -> _Local:
    """Compute local mean of y and covariance with X in one arm, at the score of every unit."""
    e = y - y[arm].mean()
    Z = X - X[arm].mean(axis=0)
    runs = nearest_runs(F, F[arm], L)
    n = runs.count[:, None]
    sum_y, sum_x = runs.total(e[arm]), runs.total(Z[arm])
    sum_xy = runs.total(Z[arm] * e[arm][:, None])
    covariance = (sum_xy - sum_x * sum_y[:, None] / n) / (n - 1)
    mean = sum_y / runs.count
    others = nearest_runs(F[arm], F[arm], L + 1)
    mean[arm] = (others.total(e[arm]) - e[arm]) / (others.count - 1)
    return _Local(mean + y[arm].mean(), covariance)


def _nearest_mean(at: FloatArray, points: FloatArray, values: FloatArray) -> FloatArray:
    """Average ``values`` over the nearest of the ``points``, with all those tied."""
    distinct, where = np.unique(points, axis=0, return_inverse=True)
    count = np.bincount(where.ravel())
    total = np.bincount(where.ravel(), values)
    from scipy.spatial import cKDTree  # late: slow to import, and few calls need it

    tree = cKDTree(distinct)
    nearest, _ = tree.query(at)
    reach = nearest * (1 + 1e-9)
    tied = tree.query_ball_point(at, reach)
    return np.array([total[rows].sum() / count[rows].sum() for rows in tied])
