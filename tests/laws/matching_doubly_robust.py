"""Doubly robust estimates obey the law: score, outcome models and sampling weights move together.

Nine of the sixty outcomes were not seen: these people count in the score alone. Learned nuisances
stay as they are while the weights move.
"""

import numpy as np
from kernels import Law, S, register
from scipy.special import expit, ndtr

from prakerja_eval.matching.effects.aipw_kernel import (
    Nuisance,
    augmented,
    averaged,
    linear_mean,
    logit_mean,
    poisson_mean,
)
from prakerja_eval.matching.weighting.inverse_probability import Tilt
from prakerja_eval.numerics.logit import logit
from prakerja_eval.numerics.probit import probit

TREATED = S.treated == 1
SEEN = np.random.default_rng(9).random(S.n) > 0.15
X_OUTCOME = np.column_stack([np.ones(S.n), S.x, S.x**2])
OUTCOMES = {
    "linear": (linear_mean, S.y),
    "logit": (logit_mean, (S.y + S.dose > 1.0).astype(float)),
    "poisson": (poisson_mean, S.count),
}


def _score(w, link):
    fit = (logit if link is expit else probit)(S.treated, S.X_small, w)
    eta = fit.linear_predictor
    density = np.exp(-(eta**2) / 2) / np.sqrt(2 * np.pi)
    slope = fit.probability * link(-eta) if link is expit else density
    return Nuisance(fit.probability, slope, S.X_small, fit.psi), link(-eta)


def _register(name, tilt, link, model):
    mean, y = OUTCOMES[model]

    def fit(w):
        seen = np.where(SEEN, w, 0.0)
        score, complement = _score(w, link)
        arms = tuple(mean(y, X_OUTCOME, np.where(arm, seen, 0.0)) for arm in (~TREATED, TREATED))
        return augmented(y, TREATED, seen, score, complement, arms, tilt)

    def make(a):
        return Law(lambda v: np.atleast_1d(fit(a * v).theta), fit(a).psi[:, None])

    register(f"aipw, {name}, {model}, {tilt.name}")(make)


_register("logit", Tilt.ATE, expit, "linear")
_register("probit", Tilt.ATT, ndtr, "linear")
_register("logit", Tilt.ATC, expit, "logit")
_register("probit", Tilt.ATE, ndtr, "poisson")


@register("double machine learning, two splits, nuisances held fixed")
def _learned(a):
    rng = np.random.default_rng(11)
    fixed = [(expit(rng.normal(size=S.n)), *rng.normal(size=(2, S.n))) for _ in range(2)]

    def fit(w):
        seen = np.where(SEEN, w, 0.0)
        return averaged(
            [
                augmented(
                    S.y, TREATED, seen, Nuisance(p), 1 - p, (Nuisance(m0), Nuisance(m1)), Tilt.ATT
                )
                for p, m0, m1 in fixed
            ]
        )

    return Law(lambda v: np.atleast_1d(fit(a * v).theta), fit(a).psi[:, None])
