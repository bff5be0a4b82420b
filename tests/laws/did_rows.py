"""The kernels of two cross-sections obey the law, row by row."""

import numpy as np
from kernels import Law, S, register

from prakerja_eval.did import kernel_rows

POST = (np.random.default_rng(7).random(S.n) < 0.5).astype(float)


def _register(name, fit):
    def make(a):
        at_one = fit(a)
        return Law(lambda v: np.atleast_1d(fit(a * v).att), at_one.psi[:, None])

    register(f"did of rows, {name}")(make)


_register("unconditional", lambda w: kernel_rows.unconditional(S.y, POST, S.treated, w))
_register("reg", lambda w: kernel_rows.outcome_regression(S.y, POST, S.treated, S.X_small, w))
_register("ipw", lambda w: kernel_rows.ipw(S.y, POST, S.treated, S.X_small, w))
_register("dr", lambda w: kernel_rows.doubly_robust(S.y, POST, S.treated, S.X_small, w))
