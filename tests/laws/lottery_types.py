"""Means by complier type obey the law, with the blocks' odds estimated and with odds known."""

import numpy as np
from kernels import Law, S, register

from prakerja_eval.numerics.kappa import type_means

_x = np.column_stack([S.x, S.age, S.x > 0])
_arm = S.offer.astype(float)
_known = np.array([0.3, 0.5, 0.6, 0.5])[S.block]


def _register(name, stated):
    def fit(w):
        if stated:
            return type_means(_x, S.received, _arm, _known, w)
        share = np.bincount(S.block, w * _arm) / np.bincount(S.block, w)
        return type_means(_x, S.received, _arm, share[S.block], w, S.block)

    def make(a):
        at_one = fit(a)
        psi = np.hstack([at_one.psi_share[:, 1:], at_one.psi_mean.reshape(S.n, -1)])

        def theta(v):
            found = fit(a * v)
            return np.concatenate([found.share[1:], found.mean.ravel()])

        return Law(theta, psi)

    register(f"complier types, {name}")(make)


_register("odds by block", stated=False)
_register("odds known", stated=True)
