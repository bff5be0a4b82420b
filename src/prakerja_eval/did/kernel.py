"""How far did the treated move beyond where comparable units moved, in two periods of a panel.

Sant'Anna and Zhao (2020), "Doubly robust difference-in-differences estimators", Journal of
Econometrics 219(1), doi 10.1016/j.jeconom.2020.06.003, the panel case. All four estimators are the
mean of the treated units' changes less a counterfactual mean; they differ in the counterfactual.
Influence terms carry the paper's names: the leading term, the estimation effect of the outcome
regression (beta), the estimation effect of the propensity score (gamma).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.numerics.linear import wls
from prakerja_eval.numerics.logit import Logit, logit
from prakerja_eval.typing import FloatArray, IntArray

# Odds above 1e10 mean that one comparison unit would stand for all: overlap has failed.
NO_OVERLAP = 1e-10


@dataclass(frozen=True, slots=True)
class DidFit:
    """The average effect on the treated in one two-by-two comparison.

    Attributes
    ----------
    att : float
        Average effect on the treated, in the units of dy.
    psi : (n,)
        Influence with the nuisance estimates in it; obeys the law psi_i = d att / d w_i.
    comparison_mean : float
        Counterfactual change: what the treated would have changed by without treatment.
    score : (n,) or None
        Fitted propensity score, where one is used.
    """

    att: float
    psi: FloatArray
    comparison_mean: float
    score: FloatArray | None


@dataclass(frozen=True, slots=True)
class _Mean:
    """A ratio sum(v x) / sum(v) with its leading influence v (x - value) / sum(v)."""

    value: float
    leading: FloatArray
    share: FloatArray


def unconditional(dy: FloatArray, d: IntArray | FloatArray, w: FloatArray) -> DidFit:
    """Compare mean changes without covariates.

    Parameters
    ----------
    dy : (n,)
        Outcome after less outcome before.
    d : (n,)
        1 for treated units, 0 for comparison units.
    w : (n,)
        Unit weights; a row of weight zero contributes nothing.

    Raises
    ------
    NotEstimableError
        When an arm is empty.
    """
    treated, comparison = _arms(d, w)
    eta1 = _mean(dy, treated)
    eta0 = _mean(dy, comparison)
    return DidFit(eta1.value - eta0.value, eta1.leading - eta0.leading, eta0.value, None)


def outcome_regression(
    dy: FloatArray, d: IntArray | FloatArray, X: FloatArray, w: FloatArray
) -> DidFit:
    """Predict the treated units' change from a regression among comparison units.

    Parameters
    ----------
    dy, d, w : (n,)
        As in `unconditional`.
    X : (n, p)
        Covariates before treatment, with the constant.

    Raises
    ------
    NotEstimableError
        When an arm is empty; CollinearityError, with the column, when a column of X depends on
        those before it among comparison units.
    """
    treated, comparison = _arms(d, w)
    regression = wls(dy, X, comparison)
    eta1 = _mean(dy, treated)
    mu0 = _mean(X @ regression.beta, treated)
    leading = eta1.leading - mu0.leading
    effect_of_beta = regression.psi @ (treated @ X / treated.sum())
    return DidFit(eta1.value - mu0.value, leading - effect_of_beta, mu0.value, None)


def ipw(dy: FloatArray, d: IntArray | FloatArray, X: FloatArray, w: FloatArray) -> DidFit:
    """Reweight comparison units by the odds of treatment, weights summing to one (Hajek).

    Parameters
    ----------
    dy, d, w : (n,)
        As in `unconditional`.
    X : (n, p)
        Covariates before treatment, with the constant.

    Raises
    ------
    NotEstimableError
        When an arm is empty, the score does not exist (SeparationError, CollinearityError) or
        a comparison unit's score reaches one; no score is clipped.
    """
    treated, comparison = _arms(d, w)
    ps = logit(d, X, w)
    eta1 = _mean(dy, treated)
    eta0 = _mean(dy, _odds_weights(comparison, ps))
    # d odds / d gamma = odds x, since odds = exp(x'gamma).
    effect_of_gamma = ps.psi @ (eta0.leading @ X)
    psi = eta1.leading - eta0.leading - effect_of_gamma
    return DidFit(eta1.value - eta0.value, psi, eta0.value, ps.probability)


def doubly_robust(dy: FloatArray, d: IntArray | FloatArray, X: FloatArray, w: FloatArray) -> DidFit:
    """Reweight what a regression among comparison units leaves over.

    Parameters
    ----------
    dy, d, w : (n,)
        As in `unconditional`.
    X : (n, p)
        Covariates before treatment, with the constant.

    Raises
    ------
    NotEstimableError
        As in `ipw` and `outcome_regression`.
    """
    treated, comparison = _arms(d, w)
    ps = logit(d, X, w)
    regression = wls(dy, X, comparison)
    left_over = dy - X @ regression.beta
    eta1 = _mean(left_over, treated)
    eta0 = _mean(left_over, _odds_weights(comparison, ps))
    effect_of_beta = regression.psi @ ((eta1.share - eta0.share) @ X)
    effect_of_gamma = ps.psi @ (eta0.leading @ X)
    psi = eta1.leading - eta0.leading - effect_of_beta - effect_of_gamma
    att = eta1.value - eta0.value
    return DidFit(att, psi, _mean(dy, treated).value - att, ps.probability)


def _arms(d: IntArray | FloatArray, w: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return weights (n,) of the treated and of the comparison units, neither all zero."""
    treated = np.asarray(w * d, dtype=np.float64)
    comparison = np.asarray(w * (1 - d), dtype=np.float64)
    for weights, name in ((treated, "treated"), (comparison, "comparison")):
        if not weights.sum() > 0:
            raise NotEstimableError(f"there is no {name} unit: nothing to compare")
    return treated, comparison


def _mean(x: FloatArray, v: FloatArray) -> _Mean:
    share = v / v.sum()
    value = float(share @ x)
    value += float(share @ (x - value))
    return _Mean(value, share * (x - value), share)


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
