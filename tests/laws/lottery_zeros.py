"""The law for the lottery's outcomes with zeros and for its summary indices.

Block shares are counted as drawn wherever the design allows, so that ψ is the whole law. A unit's
outcomes, arm and block stay; the weight alone moves, and with it every mean, standard deviation,
covariance, filled value and Poisson coefficient.
"""

from dataclasses import replace

import numpy as np
from kernels import Law, Make, S, _lottery_sample, register

from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.regression import difference
from prakerja_eval.lottery.zeros import ANSWERS, _Asked
from prakerja_eval.numerics.index_weights import (
    equal_weights_index,
    equal_weights_influence,
    inverse_covariance_index,
    inverse_covariance_influence,
)
from prakerja_eval.numerics.poisson_blocks import poisson_blocks

rng = np.random.default_rng(7)
MONEY = np.where(rng.random(S.n) < 0.35, 0.0, np.exp(rng.normal(size=S.n) + 0.3 * S.offer)) * 900
OUTCOMES = np.column_stack([S.y, S.dy + 0.4 * S.y, S.count / 1500 + S.offer, S.x * S.y])
MISSING = OUTCOMES.copy()
MISSING[rng.random(OUTCOMES.shape) < 0.2] = np.nan
MISSING[:, :2] = OUTCOMES[:, :2]  # everyone has the first two, whose weights add up to more than 0
CELL = 2 * S.block + S.offer
N_CELLS = 8
X_BLOCKS = np.column_stack([S.offer, S.x, S.age])

DESIGNS = {
    "drawn shares": Design(shares="superpopulation"),
    "lin": Design(shares="superpopulation", covariates=("x", "age"), covariate_model="lin"),
    "by odds": Design(method="ipw"),
}


@register("poisson with blocks taken out")
def _poisson_blocks(a: np.ndarray) -> Law:
    def fit(w):
        return poisson_blocks(MONEY, X_BLOCKS, S.block, w)

    return Law(lambda v: fit(a * v).beta, fit(a).psi)


def _part(part: str, design: Design) -> Make:
    asked = _Asked(design, 0.99, np.inf, None)

    def make(a: np.ndarray) -> Law:
        def answer(w):
            sample = replace(_lottery_sample(w, bool(design.covariates)), y=MONEY)
            return ANSWERS[part](sample, asked)

        return Law(lambda v: np.atleast_1d(answer(a * v).theta), answer(a).psi[:, None])

    return make


def _poisson_at_fixed_cells(a: np.ndarray) -> Law:
    """Weights move the means of arms of blocks, and not how much the cells count."""
    total = np.bincount(CELL, a)

    def answer(w):
        held = w * (total / np.bincount(CELL, w))[CELL]
        sample = replace(_lottery_sample(held, False), y=MONEY)
        return ANSWERS["poisson"](sample, _Asked(Design(), 0.99, np.inf, None))

    return Law(lambda v: np.atleast_1d(answer(a * v).theta), answer(a).psi[:, None])


for _name, _design in DESIGNS.items():
    register(f"lottery percent, {_name}")(_part("percent", _design))
register("lottery poisson, drawn shares")(_part("poisson", DESIGNS["drawn shares"]))
register("lottery poisson, fixed shares")(_poisson_at_fixed_cells)


def _index(Y: np.ndarray, design: Design, kind: str) -> Make:
    def make(a: np.ndarray) -> Law:
        def parts(w):
            sample = _lottery_sample(w, bool(design.covariates))
            if kind == "anderson":
                index = inverse_covariance_index(Y, sample.arm, w)
            else:
                index = equal_weights_index(Y, sample.arm, w, CELL, N_CELLS)
            return sample, index, difference(index.value, sample, design)

        _, index, answer = parts(a)
        fit = answer.term.fit
        slopes = fit.project(answer.term.contrast) * fit.weights
        if kind == "anderson":
            beyond = inverse_covariance_influence(slopes, Y, a, index)
        else:
            beyond = equal_weights_influence(slopes, Y, a, index, CELL, N_CELLS)
        psi = (answer.psi + beyond)[:, None]
        return Law(lambda v: np.atleast_1d(parts(a * v)[2].theta), psi)

    return make


for _kind, _said, _Y, _name in (
    ("anderson", "complete", OUTCOMES, "drawn shares"),
    ("anderson", "with gaps", MISSING, "lin"),
    ("equal weights", "with gaps", MISSING, "drawn shares"),
    ("equal weights", "with gaps", MISSING, "by odds"),
):
    register(f"lottery index, {_kind}, {_said}, {_name}")(_index(_Y, DESIGNS[_name], _kind))
