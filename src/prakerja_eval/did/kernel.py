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
from prakerja_eval.numerics.linear import factor
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


@dataclass(frozen=True, slots=True)
class _Mean:
    """Ratios sum(v x) / sum(v), (M,), and leading influence v (x - value) / sum(v), (n, M)."""

    value: FloatArray
    leading: FloatArray
    share: FloatArray


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
    eta1 = _mean(dy, treated)
    eta0 = _mean(dy, comparison)
    return DidFit(eta1.value - eta0.value, eta1.leading - eta0.leading, eta0.value, None)


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
    left_over, bread = _regress(dy, X, comparison)
    eta1 = _mean(left_over, treated)
    effect_of_beta = X @ (bread @ (eta1.share @ X))
    psi = eta1.leading - (effect_of_beta * comparison)[:, None] * left_over
    mean_change = _mean(dy, treated).value
    return DidFit(eta1.value, psi, mean_change - eta1.value, None)


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
    eta1 = _mean(dy, treated)
    eta0 = _mean(dy, _odds_weights(comparison, ps))
    # d odds / d gamma = odds x, since odds = exp(x'gamma).
    effect_of_gamma = ps.psi @ (X.T @ eta0.leading)
    psi = eta1.leading - eta0.leading - effect_of_gamma
    return DidFit(eta1.value - eta0.value, psi, eta0.value, ps.probability)


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
    left_over, bread = _regress(dy, X, comparison)
    eta1 = _mean(left_over, treated)
    eta0 = _mean(left_over, _odds_weights(comparison, ps))
    effect_of_beta = X @ (bread @ ((eta1.share - eta0.share) @ X))
    psi = eta1.leading - eta0.leading
    psi -= (effect_of_beta * comparison)[:, None] * left_over
    psi -= ps.psi @ (X.T @ eta0.leading)  # effect of gamma
    att = eta1.value - eta0.value
    return DidFit(att, psi, _mean(dy, treated).value - att, ps.probability)


def _regress(
    dy: FloatArray, X: FloatArray, comparison: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return what is left of dy after a regression among comparison units, and (X'WX)^-1."""
    fit = factor(X, comparison)
    left_over = dy - X @ fit.solve(dy)
    left_over = left_over - X @ fit.solve(left_over)  # one refinement, as numerics.linear
    return left_over, fit.bread()


def arms(d: IntArray | FloatArray, w: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return weights (n,) of the treated and of the comparison units, neither all zero."""
    treated = np.asarray(w * d, dtype=np.float64)
    comparison = np.asarray(w * (1 - d), dtype=np.float64)
    for weights, name in ((treated, "treated"), (comparison, "comparison")):
        if not weights.sum() > 0:
            raise NotEstimableError(f"there is no {name} unit: nothing to compare")
    return treated, comparison


def _mean(x: FloatArray, v: FloatArray) -> _Mean:
    share = v / v.sum()
    value = share @ x
    value = value + share @ (x - value)
    return _Mean(value, share[:, None] * (x - value), share)


def _odds_weights(comparison: FloatArray, ps: Logit) -> FloatArray:
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
