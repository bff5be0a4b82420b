"""Bounds under attrition obey the law, the influence of rates, shares and spreads included.

The law of Lee bounds needs response rates that differ and a cut inside a person's weight; the sixty
units have both in every cell, at equal and at unequal weights.
"""

import numpy as np
from kernels import Law, S, register

from prakerja_eval.lottery.kernel_spread import spread_bounds
from prakerja_eval.numerics.trimming import odds_influence, odds_weights, trimmed_bounds

ARM = S.offer.astype(float)
CELL = (S.block > 0).astype(np.int64)
# in cell 0 the losers answer more, in cell 1 the winners
_rate = np.where(S.offer == CELL, 0.85, 0.6)
Y = np.where(np.random.default_rng(4).random(S.n) < _rate, S.y, np.nan)
BASES = {"people": np.ones(S.n), "winners": ARM}
STEPS = np.array([0.05, 0.25])


def _law(fit):
    def make(a):
        at_one = fit(a)
        return Law(lambda v: fit(a * v).theta, at_one.psi + at_one.psi_share)

    return make


for _base, _a in BASES.items():
    for _always in (True, False):
        register(f"Lee bounds, {_base}, {'always-responders' if _always else 'people'}")(
            _law(lambda w, a=_a, k=_always: trimmed_bounds(Y, ARM, CELL, w, a, 0, k))
        )
    register(f"Kling-Liebman bounds, {_base}")(
        _law(lambda w, a=_a: spread_bounds(Y, ARM, CELL, w, a, STEPS))
    )
register("Lee bounds, one direction")(
    _law(lambda w: trimmed_bounds(Y, ARM, CELL, w, BASES["people"], 1))
)


@register("Lee bounds, people per block held fixed")
def _fixed(a):
    at_one = trimmed_bounds(Y, ARM, CELL, a, np.ones(S.n))
    people = np.bincount(CELL, a)

    def theta(v):
        # weights of people undone by the base: only rates and outcomes move
        moved = np.bincount(CELL, a * v)
        return trimmed_bounds(Y, ARM, CELL, a * v, (people / moved)[CELL]).theta

    return Law(theta, at_one.psi)


@register("Lee bounds, weighted by realised odds")
def _weighted(a):
    one = np.ones(S.n)

    def fit(w):
        omega = odds_weights(ARM, S.block, w, one)
        return trimmed_bounds(Y, ARM, CELL, omega, one)

    at_one = fit(a)
    phi = at_one.psi + at_one.psi_share
    return Law(lambda v: fit(a * v).theta, odds_influence(phi, ARM, S.block, a, one))
