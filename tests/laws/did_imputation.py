"""Imputation and Poisson difference-in-differences obey the law, on an unbalanced panel."""

import numpy as np
from kernels import Law, register

from prakerja_eval.did.kernel_imputation import impute, lead_effects
from prakerja_eval.did.kernel_imputation_given import impute_given
from prakerja_eval.did.kernel_poisson import (
    cohort_means,
    compare,
    counterfactual,
    in_levels,
    in_percent,
)
from prakerja_eval.numerics.moments import cells_of, group_moments


class Staggered:
    """Sixty units over five waves: cohorts 2, 3 and never; some observations are missing."""

    rng = np.random.default_rng(20231)
    n, n_waves = 60, 5
    code = np.arange(n) % 3
    starts = np.array([2.0, 3.0, np.inf])
    start = starts[code]
    x = rng.normal(size=(n, 2))
    event = np.arange(n_waves) - start[:, None]
    y = 9 + rng.normal(size=(n, 1)) + 0.3 * np.arange(n_waves) + rng.normal(size=(n, n_waves))
    y = y + (event >= 0) * (1 + 0.2 * np.maximum(event, 0)) + 0.2 * x[:, :1] * np.arange(n_waves)
    y[rng.random((n, n_waves)) < 0.1] = np.nan
    cohort = np.array([2.0, 2.0, 2.0, 3.0, 3.0])
    wave = np.array([2, 3, 4, 3, 4])


P = Staggered


def _moments(w):
    cells = group_moments(P.code, P.y, w)
    event = np.arange(P.n_waves) - P.starts[cells.group][:, None]
    return cells, np.isfinite(cells.mean) & (event < 0), event


def _imputed(w):
    cells, free, _ = _moments(w)
    member = P.starts[cells.group][:, None] == P.cohort
    return impute(cells, free, member, P.wave).loadings


def _leads(w):
    cells, free, event = _moments(w)
    return lead_effects(cells, free, event[:, :, None] == np.array([-1.0, -2.0]))


def _by_cells(fit):
    def make(a):
        loadings = fit(a)
        psi = loadings.influence(cells_of(P.code, P.y, a)[1], P.y, a)
        return Law(lambda v: fit(a * v).theta, psi)

    return make


register("imputation")(_by_cells(_imputed))
register("imputation, leads")(_by_cells(_leads))


@register("imputation given covariates")
def _given(a):
    free = np.isfinite(P.y) & (P.event < 0)
    member = P.start[:, None] == P.cohort

    def fit(w):
        return impute_given(P.y, P.x, free, member, P.wave, w)

    return Law(lambda v: fit(a * v).theta, fit(a).psi)


def _poisson(scale, picked):
    """Return the loadings of the Poisson comparisons, as functions of weights."""

    def fit(w):
        cells = group_moments(P.code, P.y, w)
        means = cohort_means(cells, 3)
        free = np.arange(P.n_waves) < P.starts[:, None]
        cohort = np.searchsorted(P.starts, P.cohort)
        found = counterfactual(cells, means, free, cohort, P.wave)
        return scale(compare(cells, means, found, (cohort, P.wave), picked))

    return fit


_each = np.eye(5, dtype=bool)
_event_times = (P.wave - P.cohort)[:, None] == np.arange(3)
for _name, _picked in (("cells", _each), ("event times", _event_times)):
    register(f"poisson did, levels, {_name}")(_by_cells(_poisson(in_levels, _picked)))
    register(f"poisson did, percent, {_name}")(_by_cells(_poisson(in_percent, _picked)))
