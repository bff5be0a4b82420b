"""Weighting for response, its logit included, and the tests of attrition obey the law."""

import numpy as np
from kernels import Law, S, register

from prakerja_eval.estimate import LinearFit, LinearTerm
from prakerja_eval.numerics.cells import cell_regression
from prakerja_eval.numerics.logit_cells import logit_cells
from prakerja_eval.numerics.response import People, response_weighted

# In one arm of a block everybody answers: that cell takes no part in the logit.
_rng = np.random.default_rng(77)
_chance = 1 / (1 + np.exp(-0.4 - 0.6 * S.x - 0.3 * S.offer))
ANSWERED = (_rng.random(S.n) < _chance) | ((S.block == 2) & (S.offer == 1))
X = np.column_stack([S.x, S.age])


def _people(w):
    return People(ANSWERED, S.offer.astype(float), S.block, X, w)


def _register(name, share_weights, by_block):
    def fit(w):
        return response_weighted(S.y, _people(w), share_weights, by_block)

    def make(a):
        at_one = fit(a)
        psi = at_one.psi + at_one.psi_share
        return Law(lambda v: np.atleast_1d(fit(a * v).theta), psi[:, None])

    register(f"response weighted, {name}")(make)


_register("an intercept a block", np.ones(S.n), by_block=True)
_register("an intercept an arm", np.ones(S.n), by_block=False)
_register("shares of winners", S.offer.astype(float), by_block=True)


@register("logit with cells")
def _logit_cells(a):
    def fit(w):
        return logit_cells(S.treated, S.block, 4, X, w)

    at_one = fit(a)
    unit = np.eye(6)
    psi = [at_one.influence(S.block, X, u[:4], u[4:]) for u in unit]

    def theta(v):
        found = fit(a * v)
        return np.concatenate([found.alpha, found.beta])

    return Law(theta, np.column_stack(psi))


@register("attrition tests: arms by response")
def _groups(a):
    Z = np.column_stack([S.offer * ANSWERED, S.offer * ~ANSWERED, ANSWERED]).astype(float)

    def fit(w):
        return cell_regression(S.y, S.block, 4, Z, w)

    at_one = fit(a)
    rows = np.arange(S.n)
    linear = LinearFit(at_one.residuals, a, at_one.bread, rows, design=Z, cells=S.block)
    psi = [LinearTerm(linear, unit).core() for unit in np.eye(7)[4:]]
    return Law(lambda v: fit(a * v).beta[4:], np.column_stack(psi))
