"""Two-way fixed effects and Sun-Abraham cells obey the law, on an unbalanced panel."""

import numpy as np
from kernels import Law, register

from prakerja_eval.did.kernel_sun_abraham import saturated
from prakerja_eval.did.kernel_twfe import two_way
from prakerja_eval.numerics.moments import cells_of, group_moments


class Adoption:
    """Sixty units over five waves: cohorts 0 (always), 2, 3 and never; observations are missing."""

    rng = np.random.default_rng(20211)
    n, n_waves = 60, 5
    code = np.arange(n) % 4
    starts = np.array([0.0, 2.0, 3.0, np.inf])
    event = np.arange(n_waves) - starts[code][:, None]
    y = 50 + rng.normal(size=(n, 1)) + 0.3 * np.arange(n_waves) + rng.normal(size=(n, n_waves))
    y = y + (event >= 0) * (1 + 0.2 * np.maximum(event, 0))
    y[rng.random((n, n_waves)) < 0.1] = np.nan


P = Adoption


def _moments(w):
    cells = group_moments(P.code, P.y, w)
    event = np.arange(P.n_waves) - P.starts[cells.group][:, None]
    return cells, np.isfinite(cells.mean), event


def _static(w):
    cells, seen, event = _moments(w)
    return two_way(cells.weight, cells.mean, seen, (event >= 0)[:, :, None].astype(float))


def _dynamic(w):
    cells, seen, event = _moments(w)
    indicator = event[:, :, None] == np.array([-3.0, -2.0, 0.0, 1.0, 2.0])
    seen = seen & (cells.group > 0)[:, None]
    return two_way(cells.weight, cells.mean, seen, indicator.astype(float))


def _saturated(w):
    cells, seen, _ = _moments(w)
    groups = np.array([cells.group == 3, cells.group == 1, cells.group == 2])
    asked = [(g, t, g) for g in (1, 2) for t in range(P.n_waves) if t != g]
    return saturated(cells, seen, groups, np.array(asked)).loadings


def _by_cells(fit, first):
    """Leave out wave effects that are zero by normalisation, which have no influence."""

    def make(a):
        loadings = fit(a)
        psi = loadings.influence(cells_of(P.code, P.y, a)[1], P.y, a)
        return Law(lambda v: fit(a * v).theta[first:], psi[:, first:])

    return make


register("two-way fixed effects")(_by_cells(_static, 1))
register("two-way fixed effects, by event time")(_by_cells(_dynamic, 1))
register("Sun and Abraham")(_by_cells(_saturated, 0))
