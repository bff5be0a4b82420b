"""What would the treated have had, if trends are parallel among people alike in covariates?

Borusyak, Jaravel and Spiess (2024), doi 10.1093/restud/rdae007, with
Y_it(0) = alpha_i + lambda_t + x_i' delta_t + error, or alpha_i + Lambda_t' z_i with z_i = (1, x_i).
Unit effects are partialled out by the mean over each unit's untreated waves, which depends on its
pattern alone, so the normal equations are sums over patterns of M_c times a Gram matrix of z.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, solve_triangular

from prakerja_eval.did.kernel_imputation import Links, demeaned, links
from prakerja_eval.errors import CollinearityError
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

# Share of a column's squared length that must be left over after the columns before it. Rounding
# leaves about 1e-15 in a Gram matrix; the columns are centred and scaled first.
COLLINEAR = 1e-11


@dataclass(frozen=True, slots=True)
class ImputedGiven:
    """Average effects by cohort and wave, given covariates.

    Attributes
    ----------
    theta : (K,)
        NaN where nobody's outcome can be imputed.
    psi : (n, K)
        Obeys the law.
    used : (n, K) bool
    n_treated, n_wave : (K,) int
        Units averaged; untreated units from whom the effects of the wave are fitted.
    after : (K,)
        Mean outcome of those averaged.
    """

    theta: FloatArray
    psi: FloatArray
    used: BoolArray
    n_treated: IntArray
    n_wave: IntArray
    after: FloatArray


@dataclass(frozen=True, slots=True)
class _Fit:
    """Lambda (T, q), the Cholesky factor of the scaled normal equations, and how to read it.

    ``place`` holds the positions of the kept coefficients among T q, constants first; ``scale``
    their lengths.
    """

    factor: FloatArray
    place: IntArray
    scale: FloatArray

    def solve(self, b: FloatArray) -> FloatArray:
        """Return A^-1 b for b (T, q, ...), zero where normalised away."""
        flat = b.reshape((b.shape[0] * b.shape[1], -1))
        out = np.zeros_like(flat)
        inner = cho_solve((self.factor, True), flat[self.place] / self.scale[:, None])
        out[self.place] = inner / self.scale[:, None]
        return out.reshape(b.shape)


def impute_given(
    y: FloatArray,
    x: FloatArray,
    free: BoolArray,
    member: BoolArray,
    wave: IntArray,
    w: FloatArray,
) -> ImputedGiven:
    """Average what the treated have beyond their imputed outcomes.

    Parameters
    ----------
    y : (n, T)
        Outcomes, NaN where not observed; at most 62 waves.
    x : (n, p)
        Covariates.
    free : (n, T) bool
        Whether the unit is observed untreated in the wave.
    member : (n, K) bool
        Units whose effect in wave k is averaged, if it can be imputed.
    wave : (K,) int
        Position of the wave.
    w : (n,)
        Unit weights, above zero.

    Raises
    ------
    CollinearityError
        With the position t p + j of the covariate j that is constant, or a combination of those
        before it, among the untreated in wave t.
    """
    patterns, which = _patterns(free)
    linked = links(patterns)
    component = linked.cell[which]
    inside = member & np.isfinite(y[:, wave]) & (component[:, None] >= 0)
    inside &= component[:, None] == linked.wave[wave]
    total = w @ inside
    some = total > 0
    per_unit = inside / np.where(some, total, 1.0)
    z = _standardised(x, w)
    fit = _factor(z, w, patterns, which, linked)
    left = _left_over(y, z, w, free, fit)
    effect = left[:, wave]
    theta = ((w[:, None] * per_unit) * effect).sum(axis=0)
    residual = np.where(free, left, 0.0)
    v = fit.solve(_reach(z, w[:, None] * per_unit, free, wave))
    psi = per_unit * (effect - theta)
    for j in range(z.shape[1]):
        psi -= (residual * z[:, [j]]) @ v[:, j]
    informative = free.sum(axis=1) > 1
    fits = informative[:, None] & (component[:, None] == linked.wave[wave]) & some
    after = ((w[:, None] * per_unit) * np.nan_to_num(y[:, wave])).sum(axis=0)
    return ImputedGiven(
        np.where(some, theta, np.nan),
        w[:, None] * psi,
        inside | fits,
        inside.sum(axis=0),
        (informative[:, None] & free[:, wave]).sum(axis=0),
        np.where(some, after, np.nan),
    )


def _patterns(free: BoolArray) -> tuple[BoolArray, IntArray]:
    """Return the distinct rows (P, T), and each unit's (n,)."""
    bits = np.int64(1) << np.arange(free.shape[1], dtype=np.int64)
    packed = free @ bits
    values = np.unique(packed)
    patterns = (values[:, None] & bits) > 0
    return np.asarray(patterns), np.searchsorted(values, packed).astype(np.int64)


def _standardised(x: FloatArray, w: FloatArray) -> FloatArray:
    """Return z (n, 1 + p): the constant, and covariates centred and scaled."""
    centred = x - x[:1]
    centred = centred - w @ centred / w.sum()
    length = np.sqrt(w @ centred**2 / w.sum())
    return np.column_stack([np.ones(len(x)), centred / np.where(length > 0, length, 1.0)])


def _factor(
    z: FloatArray, w: FloatArray, patterns: BoolArray, which: IntArray, linked: Links
) -> _Fit:
    """Factor A = sum over patterns of M_c times the Gram matrix of z."""
    n_waves, q = patterns.shape[1], z.shape[1]
    A = np.zeros((n_waves, q, n_waves, q))
    rows = np.split(np.argsort(which, kind="stable"), np.cumsum(np.bincount(which))[:-1])
    for u, of in zip(patterns, rows, strict=True):
        M = np.diag(u.astype(float)) - np.outer(u, u) / max(u.sum(), 1)
        gram = (z[of] * w[of, None]).T @ z[of]
        A += M[:, None, :, None] * gram[None, :, None, :]
    kept = np.flatnonzero(linked.kept)
    place = np.concatenate([kept * q + j for j in range(q)]).astype(np.int64)
    flat = A.reshape(n_waves * q, n_waves * q)[np.ix_(place, place)]
    length = np.sqrt(np.diag(flat))
    scale = np.where(length > 0, length, 1.0)
    return _Fit(_cholesky(flat / np.outer(scale, scale), place, q), place, scale)


def _cholesky(A: FloatArray, place: IntArray, q: int) -> FloatArray:
    """Return the lower factor, or name the first column that depends on those before it."""
    L = np.zeros_like(A)
    for k in range(len(A)):
        row = solve_triangular(L[:k, :k], A[:k, k], lower=True) if k else np.zeros(0)
        rest = A[k, k] - row @ row
        if not rest > COLLINEAR:
            t, j = divmod(int(place[k]), q)
            raise CollinearityError(
                f"covariate {j - 1} is constant, or a combination of those before it, among the "
                f"untreated in wave {t}",
                t * (q - 1) + j - 1,
            )
        L[k, :k], L[k, k] = row, np.sqrt(rest)
    return L


def _left_over(
    y: FloatArray, z: FloatArray, w: FloatArray, free: BoolArray, fit: _Fit
) -> FloatArray:
    """Return y less its imputed value (n, T), 0 where not observed."""
    left = y - np.where(free, y, 0.0).sum(axis=1, keepdims=True) / _count(free)
    for _ in range(2):  # the fit, and one refinement
        b = (demeaned(left, free) * w[:, None]).T @ z
        left = left - z @ fit.solve(b).T
        left = left - np.where(free, left, 0.0).sum(axis=1, keepdims=True) / _count(free)
    return np.asarray(np.nan_to_num(left), dtype=np.float64)


def _reach(z: FloatArray, share: FloatArray, free: BoolArray, wave: IntArray) -> FloatArray:
    """Return how theta (K,) falls with Lambda, (T, q, K)."""
    n_waves, k_total = free.shape[1], len(wave)
    own = free / _count(free)
    out = np.empty((n_waves, z.shape[1], k_total))
    for j in range(z.shape[1]):
        weighted = share * z[:, [j]]
        out[:, j] = -own.T @ weighted
        out[wave, j, np.arange(k_total)] += weighted.sum(axis=0)
    return out


def _count(free: BoolArray) -> FloatArray:
    return np.asarray(np.maximum(free.sum(axis=1, keepdims=True), 1), dtype=np.float64)
