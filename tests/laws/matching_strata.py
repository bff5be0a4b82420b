"""Effects within strata and by kernels obey the law, a fitted score's part included."""

import numpy as np
from kernels import Law, S, register

from prakerja_eval.matching.kernels.kernel_matching import SHAPES
from prakerja_eval.matching.kernels.kernel_mean import kernel_mean
from prakerja_eval.matching.kernels.kernel_smooth import Shape
from prakerja_eval.matching.kernels.kernel_weights import kernel_weights
from prakerja_eval.matching.strata.stratum_weights import stratum_weights
from prakerja_eval.numerics.blocks import block_means
from prakerja_eval.numerics.logit import logit

_treated = S.treated == 1
_focal = {"ATT": _treated, "ATC": ~_treated, "ATE": np.ones(S.n, dtype=bool)}


def _weighted_difference(weights):
    return np.average(S.y[_treated], weights=weights[_treated]) - np.average(
        S.y[~_treated], weights=weights[~_treated]
    )


def _strata(focal):
    def make(a):
        means = block_means(S.y, S.treated, S.block, a, focal.astype(float))

        def theta(v):
            made = stratum_weights(S.block, _treated, focal, a * v, np.ones(S.n, dtype=bool))
            return np.atleast_1d(_weighted_difference(made.weights))

        return Law(theta, (means.psi + means.psi_share)[:, None])

    return make


for _name, _who in _focal.items():
    register(f"matching within strata, {_name}")(_strata(_who))


def _kernel(shape, focal, bandwidth, fitted):
    """Return the law of a kernel-matched difference: on a known line, or on a fitted score."""

    def fit(w):
        score = logit(S.treated, S.X_small, w)
        place = (score.probability if fitted else 1 / (1 + np.exp(-S.x))) / bandwidth
        found = kernel_weights(shape, place, _treated, focal, w)
        return score, kernel_mean(shape, place, S.y, _treated, w, found)

    def make(a):
        score, mean = fit(a)
        psi = mean.psi
        if fitted:
            slope = mean.by_place * score.probability * (1 - score.probability) / bandwidth
            psi = psi + score.psi @ (S.X_small.T @ slope)
        return Law(lambda v: np.atleast_1d(fit(a * v)[1].theta), psi[:, None])

    return make


# The other kernels differ in their sums alone, which meet double loops in the unit tests.
for _name, _estimand, _fitted in (
    ("epanechnikov", "ATT", False),
    ("epanechnikov", "ATE", True),
    ("uniform", "ATC", False),
):
    _shape = Shape(np.array(SHAPES[_name], dtype=float))
    _score = "fitted" if _fitted else "known"
    _law = _kernel(_shape, _focal[_estimand], 0.2, _fitted)
    register(f"matching by {_name} kernel, {_estimand}, score {_score}")(_law)
