"""What would the treated have earned, had the means of cohorts moved in proportion?

Wooldridge (2023), "Simple approaches to nonlinear difference-in-differences with panel data",
Econometrics Journal 26(3), doi 10.1093/ectj/utad016: the untreated mean of cohort g in wave t is
mu_gt = exp(alpha_g + lambda_t), fitted by Poisson pseudo-likelihood on the untreated cohort-by-wave
cells. Its first-order conditions hold cell weights and means alone.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import connected_components

from prakerja_eval.errors import SeparationError
from prakerja_eval.numerics.moments import GroupMoments, Loadings
from prakerja_eval.numerics.poisson import poisson
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class CohortMeans:
    """Means by cohort and wave.

    Attributes
    ----------
    weight, n : (G, T)
        Sum of weights, and units, observed.
    mean : (G, T)
        Weighted mean; 0 where nobody is observed.
    """

    weight: FloatArray
    n: IntArray
    mean: FloatArray


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """Counterfactual means of K cells, and how they depend on the data.

    Attributes
    ----------
    mean : (K,)
        mu; NaN where the untreated cells do not determine it.
    level : (C, K)
        d log mu / d W_c at fixed means.
    slope : (C, T, K)
        (d log mu / d m_ct) / W_c.
    used : (C, K) bool
    """

    mean: FloatArray
    level: FloatArray
    slope: FloatArray
    used: BoolArray


@dataclass(frozen=True, slots=True)
class Compared:
    """R comparisons of observed with counterfactual means.

    Attributes
    ----------
    observed, counterfactual : Loadings
        Means of the treated, and what they would have been.
    """

    observed: Loadings
    counterfactual: Loadings


def cohort_means(cells: GroupMoments, n_cohorts: int) -> CohortMeans:
    """Add the patterns of a cohort up.

    Parameters
    ----------
    cells : GroupMoments
        C cells over T waves.
    n_cohorts : int
        G; ``cells.group`` holds codes below it.
    """
    seen = np.isfinite(cells.mean)
    belongs = (cells.group == np.arange(n_cohorts)[:, None]).astype(np.float64)  # (G, C)
    weight = belongs @ (cells.weight[:, None] * seen)
    n = (belongs @ (cells.n[:, None] * seen)).astype(np.int64)
    total = belongs @ (cells.weight[:, None] * np.nan_to_num(cells.mean))
    return CohortMeans(weight, n, total / np.where(weight > 0, weight, 1.0))


def counterfactual(
    cells: GroupMoments, means: CohortMeans, free: BoolArray, cohort: IntArray, wave: IntArray
) -> Counterfactual:
    """Fit untreated means and extrapolate them to K cells.

    Parameters
    ----------
    cells, means
        As in ``cohort_means``.
    free : (G, T) bool
        Whether the cohort is untreated in the wave.
    cohort, wave : (K,) int
        Positions of the cells asked for.

    Raises
    ------
    NotEstimableError
        When a mean is negative or all are zero.
    SeparationError
        When zero means leave a coefficient without a finite value; its ``column`` is g for cohort g
        and G + t for wave t.
    """
    free = free & (means.weight > 0)
    n_cohorts, n_waves = free.shape
    of_cohort, of_wave = _components(free)
    kept = _kept(of_cohort, of_wave)
    g, t = np.nonzero(free)
    X = np.eye(n_cohorts + n_waves)
    rows = (X[g] + X[n_cohorts + t])[:, kept]
    try:
        fit = poisson(means.mean[g, t], rows, means.weight[g, t])
    except SeparationError as error:
        raise SeparationError(str(error), int(kept[error.column])) from error
    known = (of_cohort[cohort] >= 0) & (of_cohort[cohort] == of_wave[wave])
    asked = (X[cohort] + X[n_cohorts + wave])[:, kept]
    mu = np.where(known, np.exp(np.where(known, asked @ fit.beta, 0.0)), np.nan)
    loading = np.zeros((n_cohorts, n_waves, len(cohort)))
    loading[g, t] = rows @ fit.bread @ (asked * known[:, None]).T  # x_gt' A^-1 x_k
    slope = loading[cells.group] * np.isfinite(cells.mean)[:, :, None]
    untreated = np.zeros((n_cohorts, n_waves))
    untreated[g, t] = fit.mean
    residual = np.nan_to_num(cells.mean) - untreated[cells.group]
    level = np.einsum("ctk,ct->ck", slope, residual)
    used = (slope != 0).any(axis=1)
    return Counterfactual(mu, level, slope, used)


def compare(
    cells: GroupMoments,
    means: CohortMeans,
    found: Counterfactual,
    about: tuple[IntArray, IntArray],
    picked: BoolArray,
) -> Compared:
    """Average observed and counterfactual means of cells, weighted by the sizes of their cohorts.

    Parameters
    ----------
    cells, means, found
        As in ``counterfactual``.
    about : (cohort, wave), each (K,) int
        Positions of the cells.
    picked : (K, R) bool
        Cells of each average, one at least; NaN where one of them has no mean.
    """
    cohort, wave = about
    n_waves = cells.mean.shape[1]
    size = np.bincount(cells.group, cells.weight * _observed(cells), minlength=len(means.weight))
    total = size[cohort] @ picked
    share = size[cohort][:, None] * picked / total
    own = cells.group[:, None] == cohort
    at = np.eye(n_waves)[wave]  # (K, T)
    seen = np.isfinite(cells.mean[:, wave]) & own
    weight = means.weight[cohort, wave]
    per_unit = seen / np.where(weight > 0, weight, 1.0)  # (C, K)
    y = means.mean[cohort, wave]
    lost = np.isnan(found.mean) | ~(weight > 0)
    mu = np.where(lost, 0.0, found.mean)
    gap = np.where(seen, np.nan_to_num(cells.mean[:, wave]) - y, 0.0)
    drawn = own * _observed(cells)[:, None]  # whose weight moves the shares
    used = (seen | found.used).astype(int) @ picked.astype(int) > 0
    parts = []
    for value, level, slope in (
        (y, per_unit * gap, per_unit[:, None, :] * at.T),
        (mu, mu * found.level, mu * found.slope),
    ):
        theta = np.where(lost @ picked, np.nan, value @ share)
        moved = (drawn @ (value[:, None] * picked) - (drawn.astype(float) @ picked) * theta) / total
        used = used | (moved != 0)
        parts.append(Loadings(theta, cells.mean, level @ share + moved, slope @ share, used))
    return Compared(*parts)


def in_levels(c: Compared) -> Loadings:
    """Return observed less counterfactual means."""
    return _combined(c, c.observed.theta - c.counterfactual.theta, 1.0, -1.0)


def in_percent(c: Compared) -> Loadings:
    """Return 100 (observed / counterfactual - 1), by the delta method."""
    ratio = c.observed.theta / c.counterfactual.theta
    per_mean = 100 / c.counterfactual.theta
    return _combined(c, 100 * (ratio - 1), per_mean, -ratio * per_mean)


def _combined(
    c: Compared, theta: FloatArray, a: FloatArray | float, b: FloatArray | float
) -> Loadings:
    """Return estimates whose derivatives by observed and counterfactual means are a and b."""
    return Loadings(
        theta,
        c.observed.mean,
        a * c.observed.level + b * c.counterfactual.level,
        a * c.observed.slope + b * c.counterfactual.slope,
        c.counterfactual.used,
    )


def _observed(cells: GroupMoments) -> BoolArray:
    return np.asarray(np.isfinite(cells.mean).any(axis=1))


def _components(free: BoolArray) -> tuple[IntArray, IntArray]:
    """Return components of cohorts (G,) and waves (T,) joined by untreated cells; -1 for none."""
    n_cohorts, n_waves = free.shape
    graph = np.zeros((n_cohorts + n_waves,) * 2, dtype=np.int64)
    graph[:n_cohorts, n_cohorts:] = free
    _, component = connected_components(graph, directed=False)
    alone = np.concatenate([~free.any(axis=1), ~free.any(axis=0)])
    component = np.where(alone, -1, component).astype(np.int64)
    return component[:n_cohorts], component[n_cohorts:]


def _kept(of_cohort: IntArray, of_wave: IntArray) -> IntArray:
    """Return the coefficients kept: all cohorts, and all but the first wave of a component."""
    waves = of_wave >= 0
    waves[np.unique(of_wave, return_index=True)[1]] = False
    return np.flatnonzero(np.concatenate([of_cohort >= 0, waves]))
