"""The law for weighted differences: ψ with the estimated weights is the derivative.

θ is the difference in weighted means (Hájek), with everything that stands before it done again at
the moved unit weights: score to weights, or balance constraints to weights. The difference and its
direct influence are written out here; only the weights, their derivative and the influence of what
they rest on are the library's.
"""

import numpy as np
from kernels import Law, S, register
from scipy.special import ndtr

from prakerja_eval.matching.weighting.entropy import dual_influence, entropy_weights
from prakerja_eval.matching.weighting.entropy_moments import moment_columns
from prakerja_eval.matching.weighting.inverse_probability import Tilt, balancing_weights, truncated
from prakerja_eval.numerics.logit import logit
from prakerja_eval.numerics.probit import probit

TREATED = S.treated == 1
COVARIATES = np.column_stack([S.x, S.age])
CEILING = (1.9, 1.6)  # cuts some weights of either arm, held fixed


def hajek(weights: np.ndarray) -> float:
    """Difference in weighted means."""
    return float(
        np.average(S.y[TREATED], weights=weights[TREATED])
        - np.average(S.y[~TREATED], weights=weights[~TREATED])
    )


def influence(weights: np.ndarray, derivative: np.ndarray, nuisance: np.ndarray) -> np.ndarray:
    """Influence of the difference: direct, and through the weights' nuisance parameters."""
    pull = np.zeros(S.n)  # d difference / d weight
    for arm, sign in ((TREATED, 1.0), (~TREATED, -1.0)):
        mean = np.average(S.y[arm], weights=weights[arm])
        pull[arm] = sign * (S.y[arm] - mean) / weights[arm].sum()
    return (weights * pull + nuisance @ (derivative.T @ pull))[:, None]


def _by_score(model: str, tilt: Tilt, cut: bool):
    def at(w):
        fit = (logit if model == "logit" else probit)(S.treated, S.X_small, w)
        e = fit.probability
        made = balancing_weights(e, 1 - e, TREATED, tilt)
        return fit, truncated(made, TREATED, CEILING) if cut else made

    def make(a: np.ndarray) -> Law:
        fit, made = at(a)
        eta, e = fit.linear_predictor, fit.probability
        np.testing.assert_allclose(e, ndtr(eta) if model == "probit" else 1 / (1 + np.exp(-eta)))
        density = e * (1 - e) if model == "logit" else np.exp(-(eta**2) / 2) / np.sqrt(2 * np.pi)
        derivative = (a * made.slope * density)[:, None] * S.X_small
        psi = influence(a * made.weight, derivative, fit.psi)
        return Law(lambda v: np.atleast_1d(hajek(a * v * at(a * v)[1].weight)), psi)

    return make


for _tilt, _model in (
    (Tilt.ATT, "logit"),
    (Tilt.ATC, "probit"),
    (Tilt.ATE, "logit"),
    (Tilt.ATO, "logit"),
    (Tilt.ATM, "probit"),
):
    _cut = _tilt is Tilt.ATE
    _name = f"weighting, {_model}, {_tilt.name}" + (
        ", truncated at a fixed ceiling" if _cut else ""
    )
    register(_name)(_by_score(_model, _tilt, _cut))


def _by_balance(focal: np.ndarray, arms: tuple[np.ndarray, ...], powers: int):
    """Standardising at the moved weights is part of θ: the span of the columns is the same."""

    def at(w):
        made = moment_columns(COVARIATES, w, powers, products=powers > 1)
        asked = np.where(focal, w, 0.0) / w[focal].sum()
        raw = w.copy()
        for arm in arms:
            found = entropy_weights(made.columns[arm] - asked @ made.columns, w[arm])
            raw[arm] = found.weight
        return made.columns, asked, raw

    def make(a: np.ndarray) -> Law:
        Z, asked, raw = at(a)
        target = asked @ Z
        own = [np.where(arm, raw, 0.0) for arm in arms]
        derivative = np.hstack([w[:, None] * (Z - target) for w in own])
        nuisance = np.hstack([dual_influence(Z, target, w, asked) for w in own])
        psi = influence(raw, derivative, nuisance)
        return Law(lambda v: np.atleast_1d(hajek(at(a * v)[2])), psi)

    return make


EVERYONE = np.ones(S.n, dtype=bool)
register("entropy balancing, ATT")(_by_balance(TREATED, (~TREATED,), 1))
register("entropy balancing, squares and products, ATC")(_by_balance(~TREATED, (TREATED,), 2))
register("entropy balancing, ATE")(_by_balance(EVERYONE, (TREATED, ~TREATED), 1))
