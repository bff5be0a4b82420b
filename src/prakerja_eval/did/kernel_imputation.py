"""What would the treated have had, by unit and wave effects fitted on untreated observations?

Borusyak, Jaravel and Spiess (2024), "Revisiting event-study designs", Review of Economic Studies
91(6), doi 10.1093/restud/rdae007: Y_it(0) = alpha_i + lambda_t + error. The fit on the untreated
observations (their Omega_0) depends on cell weights and means alone, since within a cell (cohort by
pattern of observed waves) everybody is untreated in the same waves. Unit effects are partialled out
by the mean over these waves.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import connected_components

from prakerja_eval.numerics.linear import wls
from prakerja_eval.numerics.moments import GroupMoments, Loadings
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Imputed:
    """Average effects by cohort and wave.

    Attributes
    ----------
    loadings : Loadings
        theta is NaN where nobody's outcome can be imputed.
    n_treated : (K,) int
        Units whose effects are averaged.
    n_wave : (K,) int
        Untreated units from whom the effect of the wave is fitted.
    after : (K,)
        Mean outcome of those averaged.
    """

    loadings: Loadings
    n_treated: IntArray
    n_wave: IntArray
    after: FloatArray


@dataclass(frozen=True, slots=True)
class Links:
    """Which waves can be compared through units that are untreated in both.

    Attributes
    ----------
    wave : (T,) int
        Connected component of the wave; -1 for one without an untreated observation.
    cell : (C,) int
        Component of the cell's untreated waves; -1 where it has none.
    kept : (T,) bool
        Waves with an effect of their own: all but the first of each component.
    """

    wave: IntArray
    cell: IntArray
    kept: BoolArray


def links(free: BoolArray) -> Links:
    """Return the components of the untreated observations.

    Parameters
    ----------
    free : (C, T) bool
        Whether the cell's units are observed untreated in the wave.
    """
    together = free.T.astype(np.int64) @ free.astype(np.int64)
    _, component = connected_components(together, directed=False)
    wave = np.where(free.any(axis=0), component, -1).astype(np.int64)
    cell = np.where(free.any(axis=1), wave[np.argmax(free, axis=1)], -1)
    first = np.unique(wave, return_index=True)[1]
    kept = wave >= 0
    kept[first] = False
    return Links(wave, cell, kept)


def demeaned(x: FloatArray, free: BoolArray) -> FloatArray:
    """Return x less its mean over the untreated waves, 0 elsewhere: M_c x_c, all (C, T, ...)."""
    mask = free.reshape(free.shape + (1,) * (x.ndim - 2))
    count = np.maximum(free.sum(axis=1), 1).reshape((-1, 1) + (1,) * (x.ndim - 2))
    mean = np.where(mask, x, 0.0).sum(axis=1, keepdims=True) / count
    return np.where(mask, x - mean, 0.0)


def impute(cells: GroupMoments, free: BoolArray, member: BoolArray, wave: IntArray) -> Imputed:
    """Average what the treated have beyond their imputed outcomes.

    Parameters
    ----------
    cells : GroupMoments
        C cells over T waves.
    free : (C, T) bool
        Whether the cell's units are observed untreated in the wave.
    member : (C, K) bool
        Cells whose effect in wave k is averaged, if it can be imputed.
    wave : (K,) int
        Position of the wave.
    """
    linked = links(free)
    seen = np.isfinite(cells.mean[:, wave])
    inside = member & seen & (linked.cell[:, None] >= 0)
    inside &= linked.cell[:, None] == linked.wave[wave]
    total = cells.weight @ inside
    some = total > 0
    per_unit = inside / np.where(some, total, 1.0)
    share = cells.weight[:, None] * per_unit
    own = free / np.maximum(free.sum(axis=1), 1)[:, None]  # u_c / n_c
    at = np.eye(free.shape[1])[wave] * some[:, None]  # e_t, (K, T)
    left = _centred(cells.mean, free)
    lam, inverse = _wave_effects(left * free, cells.weight, free, linked)
    left = left - lam + (own @ lam)[:, None]
    effect = left[:, wave]
    theta = (share * effect).sum(axis=0)
    v = inverse @ (at.T - own.T @ share)  # how theta falls with lambda, through the fit: A^-1 q
    level = per_unit * (effect - theta) - demeaned(left, free) @ v
    slope = per_unit[:, None, :] * (at.T[None] - own[:, :, None])
    slope -= demeaned(np.broadcast_to(v, slope.shape), free)
    informative = free.sum(axis=1) > 1
    fits = informative[:, None] & (linked.cell[:, None] == linked.wave[wave]) & some
    theta = np.where(some, theta, np.nan)
    return Imputed(
        Loadings(theta, cells.mean, level, slope, inside | fits),
        n_treated=cells.n @ inside,
        n_wave=(cells.n * informative) @ free[:, wave],
        after=np.where(some, (share * np.nan_to_num(cells.mean[:, wave])).sum(axis=0), np.nan),
    )


def lead_effects(cells: GroupMoments, free: BoolArray, lead: BoolArray) -> Loadings:
    """Regress untreated outcomes on leads of treatment, unit and wave effects.

    Parameters
    ----------
    cells, free
        As in ``impute``.
    lead : (C, T, K) bool
        Whether the cell is that far from its start in the wave.

    Raises
    ------
    CollinearityError
        With the position of the lead that the leads before it and the wave effects determine.
    """
    n_cells, n_waves, k_total = lead.shape
    kept = np.flatnonzero(links(free).kept)
    waves = np.broadcast_to(np.eye(n_waves)[:, kept], (n_cells, n_waves, kept.size))
    design = demeaned(np.concatenate([waves, lead], axis=2), free)
    rows = design.reshape(n_cells * n_waves, -1)
    w = (cells.weight[:, None] * free).ravel()
    fit = wls((_centred(cells.mean, free) * free).ravel(), rows, w)
    slope = (rows @ fit.bread[:, kept.size :]).reshape(n_cells, n_waves, k_total)
    residual = fit.residuals.reshape(n_cells, n_waves)
    level = np.einsum("ctk,ct->ck", slope, residual)
    used = np.repeat((free.sum(axis=1) > 1)[:, None], k_total, axis=1)
    return Loadings(fit.beta[kept.size :], cells.mean, level, slope, used)


def _centred(mean: FloatArray, free: BoolArray) -> FloatArray:
    """Return means less the cell's own over untreated waves, so that levels cost no digits."""
    m = np.nan_to_num(mean)
    first = np.take_along_axis(m, np.argmax(free, axis=1)[:, None], axis=1)
    shifted = m - first
    own = (shifted * free).sum(axis=1) / np.maximum(free.sum(axis=1), 1)
    return np.where(np.isfinite(mean), shifted - own[:, None], 0.0)


def _wave_effects(
    m: FloatArray, weight: FloatArray, free: BoolArray, linked: Links
) -> tuple[FloatArray, FloatArray]:
    """Return lambda (T,) and the inverse of A = sum W_c M_c (T, T), zero where normalised away."""
    count = np.maximum(free.sum(axis=1), 1)
    A = np.diag(weight @ free) - (free * (weight / count)[:, None]).T @ free
    inverse = np.zeros_like(A)
    inverse[np.ix_(linked.kept, linked.kept)] = np.linalg.inv(A[np.ix_(linked.kept, linked.kept)])
    lam = inverse @ (weight @ demeaned(m, free))
    left = m - np.where(free, lam, 0.0)
    return lam + inverse @ (weight @ demeaned(left, free)), inverse  # one refinement
