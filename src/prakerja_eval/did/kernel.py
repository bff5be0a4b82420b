"""How far did the treated move beyond where comparable units moved, in two periods of a panel.

Sant'Anna and Zhao (2020), "Doubly robust difference-in-differences estimators", Journal of
Econometrics 219(1), doi 10.1016/j.jeconom.2020.06.003, the panel case. All four estimators are the
mean of the treated units' changes less a counterfactual mean; they differ in the counterfactual.
Influence terms carry the paper's names: the leading term, the estimation effect of the outcome
regression (beta), the estimation effect of the propensity score (gamma).

Every estimator is linear in the changes, so M changes of the same units (to several periods) share
one score and one Gram matrix.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.numerics.linear import TALL, factor
from prakerja_eval.numerics.logit import Logit, logit
from prakerja_eval.typing import FloatArray, IntArray

# Odds above 1e10 mean that one comparison unit would stand for all: overlap has failed.
NO_OVERLAP = 1e-10


@dataclass(frozen=True, slots=True)
class DidFit:
    """The average effect on the treated in M two-by-two comparisons of the same units.

    Attributes
    ----------
    att : (M,)
        Average effect on the treated, in the units of dy.
    psi : (n, M)
        Influence with the nuisance estimates in it; obeys the law psi_i = d att / d w_i.
    comparison_mean : (M,)
        Counterfactual change: what the treated would have changed by without treatment.
    score : (n,) or None
        Fitted propensity score, where one is used.
    """

    att: FloatArray
    psi: FloatArray
    comparison_mean: FloatArray
    score: FloatArray | None


def unconditional(dy: FloatArray, d: IntArray | FloatArray, w: FloatArray) -> DidFit:
    """Compare mean changes without covariates.

    Parameters
    ----------
    dy : (n, M)
        Outcomes after less outcome before.
    d : (n,)
        1 for treated units, 0 for comparison units.
    w : (n,)
        Unit weights; a row of weight zero contributes nothing.

    Raises
    ------
    NotEstimableError
        When an arm is empty.
    """
    treated, comparison = arms(d, w)
    share1, share0 = treated / treated.sum(), comparison / comparison.sum()
    eta1, eta0 = share1 @ dy, share0 @ dy
    psi = share1[:, None] * (dy - eta1) - share0[:, None] * (dy - eta0)
    return DidFit(eta1 - eta0, psi, eta0, None)


def outcome_regression(
    dy: FloatArray, d: IntArray | FloatArray, X: FloatArray, w: FloatArray
) -> DidFit:
    """Predict the treated units' change from a regression among comparison units.

    Parameters
    ----------
    dy, d, w
        As in `unconditional`.
    X : (n, p)
        Covariates before treatment, with the constant.

    Raises
    ------
    NotEstimableError
        When an arm is empty; CollinearityError, with the column, when a column of X depends on
        those before it among comparison units.
    """
    treated, comparison = arms(d, w)
    regression = _regress(dy, X, comparison)
    share1 = treated / treated.sum()
    eta1 = share1 @ regression.left_over
    effect_of_beta = comparison * (X @ (regression.bread @ (share1 @ X)))
    psi = regression.left_over * (share1 - effect_of_beta)[:, None] - np.outer(share1, eta1)
    return DidFit(eta1, psi, share1 @ dy - eta1, None)


def ipw(dy: FloatArray, d: IntArray | FloatArray, X: FloatArray, w: FloatArray) -> DidFit:
    """Reweight comparison units by the odds of treatment, weights summing to one (Hajek).

    Parameters
    ----------
    dy, d, w
        As in `unconditional`.
    X : (n, p)
        Covariates before treatment, with the constant.

    Raises
    ------
    NotEstimableError
        When an arm is empty, the score does not exist (SeparationError, CollinearityError) or
        a comparison unit's score reaches one; no score is clipped.
    """
    treated, comparison = arms(d, w)
    ps = logit(d, X, w)
    share1, share0 = treated / treated.sum(), _odds_shares(comparison, ps)
    level = share1 @ dy  # taken off first, so that a large common change costs no digits
    moved = dy - level
    eta1, eta0 = share1 @ moved, share0 @ moved
    by_score = _by_score(moved, X, share0)
    psi = moved * (share1 - share0)[:, None]
    psi -= _constants(share1, share0, ps.psi) @ np.vstack([eta1, -eta0, by_score])
    return DidFit(eta1 - eta0, psi, level + eta0, ps.probability)


def doubly_robust(dy: FloatArray, d: IntArray | FloatArray, X: FloatArray, w: FloatArray) -> DidFit:
    """Reweight what a regression among comparison units leaves over.

    Parameters
    ----------
    dy, d, w
        As in `unconditional`.
    X : (n, p)
        Covariates before treatment, with the constant.

    Raises
    ------
    NotEstimableError
        As in `ipw` and `outcome_regression`.
    """
    treated, comparison = arms(d, w)
    ps = logit(d, X, w)
    regression = _regress(dy, X, comparison)
    left_over = regression.left_over
    share1, share0 = treated / treated.sum(), _odds_shares(comparison, ps)
    eta1, eta0 = share1 @ left_over, share0 @ left_over
    effect_of_beta = comparison * (X @ (regression.bread @ ((share1 - share0) @ X)))
    by_score = _by_score(left_over, X, share0)
    psi = left_over * (share1 - share0 - effect_of_beta)[:, None]
    psi -= _constants(share1, share0, ps.psi) @ np.vstack([eta1, -eta0, by_score])
    att = eta1 - eta0
    return DidFit(att, psi, share1 @ dy - att, ps.probability)


@dataclass(frozen=True, slots=True)
class _Regression:
    """Regressions among comparison units: dy less the prediction (n, M), and (X'WX)^-1 (p, p)."""

    left_over: FloatArray
    bread: FloatArray


def _regress(dy: FloatArray, X: FloatArray, comparison: FloatArray) -> _Regression:
    fit = factor(X, comparison)
    beta = fit.solve(dy)
    left_over = dy - X @ beta
    if len(X) < TALL:  # one refinement, as numerics.linear; a tall factor is well conditioned
        left_over -= X @ fit.solve(left_over)
    return _Regression(left_over, fit.bread())


def _constants(share1: FloatArray, share0: FloatArray, score: FloatArray) -> FloatArray:
    return np.column_stack([share1, share0, score])


def _by_score(x: FloatArray, X: FloatArray, share0: FloatArray) -> FloatArray:
    """Return how the reweighted means of x (n, M) move with gamma, (p, M).

    d odds / d gamma = odds x, since odds = exp(x'gamma).
    """
    weighted = X * share0[:, None]
    return weighted.T @ x - np.outer(weighted.sum(axis=0), share0 @ x)


def arms(d: IntArray | FloatArray, w: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return weights (n,) of the treated and of the comparison units, neither all zero."""
    treated = np.asarray(w * d, dtype=np.float64)
    comparison = np.asarray(w * (1 - d), dtype=np.float64)
    for weights, name in ((treated, "treated"), (comparison, "comparison")):
        if not weights.sum() > 0:
            raise NotEstimableError(f"there is no {name} unit: nothing to compare")
    return treated, comparison


def _odds_shares(comparison: FloatArray, ps: Logit) -> FloatArray:
    """Return comparison weights times the odds, as shares of their sum."""
    odds = odds_weights(comparison, ps)
    return np.asarray(odds / odds.sum(), dtype=np.float64)


def odds_weights(comparison: FloatArray, ps: Logit) -> FloatArray:
    """Comparison weights times p / (1 - p), which is exp(x'gamma)."""
    used = comparison > 0
    hopeless = used & (expit(-ps.linear_predictor) <= NO_OVERLAP)
    if hopeless.any():
        raise NotEstimableError(
            f"{int(hopeless.sum())} comparison unit(s) have a propensity score of one to ten "
            "digits, so no overlap: restrict the sample or drop the covariate that sets them apart"
        )
    odds = np.zeros_like(comparison)
    odds[used] = comparison[used] * np.exp(ps.linear_predictor[used])
    return odds
