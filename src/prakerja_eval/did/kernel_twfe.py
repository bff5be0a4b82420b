"""What do unit and wave effects leave of cohorts' outcomes, and how does that depend on the data?

Everybody in a cell (cohort by pattern of observed waves) has the same regressors, so the weighted
regression of y_it on x_ct, unit effects and wave effects depends on cell weights W_c and means m_ct
alone. With M_c the demeaning over the cell's observed waves, Z_c = M_c (wave indicators, X_c) and
A = sum W_c Z_c'Z_c, the coefficients are theta = A^-1 sum W_c Z_c'm_c. Hence
d theta / d m_ct = W_c A^-1 z_ct, and d theta / d W_c = A^-1 Z_c'(m_c - Z_c theta).
"""

import numpy as np

from prakerja_eval.did.kernel_imputation import demeaned, links
from prakerja_eval.errors import CollinearityError
from prakerja_eval.numerics.linear import wls
from prakerja_eval.numerics.moments import Loadings
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


def two_way(weight: FloatArray, mean: FloatArray, seen: BoolArray, X: FloatArray) -> Loadings:
    """Regress outcomes on unit effects, wave effects and X.

    Parameters
    ----------
    weight : (C,)
        Cell weights.
    mean : (C, T)
        Cell means.
    seen : (C, T) bool
        Observations in use; the mean is finite there.
    X : (C, T, K)
        Regressors.

    Returns
    -------
    Loadings
        T + K of them: wave effects, those of the first of each set of linked waves zero, and the
        coefficients of X.

    Raises
    ------
    CollinearityError
        With the position of the first column of X that those before it and the effects determine.
    """
    n_cells, n_waves, k_total = X.shape
    kept = np.flatnonzero(links(seen).kept)
    column = np.concatenate([kept, n_waves + np.arange(k_total)])
    theta = np.zeros(n_waves + k_total)
    slope = np.zeros((n_cells, n_waves, theta.size))
    level = np.zeros((n_cells, theta.size))
    if column.size:
        Z = _within(seen, X, kept)
        rows = Z.reshape(n_cells * n_waves, -1)
        y, w = demeaned(_shifted(mean, seen), seen), weight[:, None] * seen
        try:
            fit = wls(y.ravel(), rows, w.ravel())
        except CollinearityError as error:
            raise CollinearityError(str(error), error.column - kept.size) from error
        theta[column] = fit.beta
        slope[:, :, column] = Z @ fit.bread
        level = np.einsum("ctk,ct->ck", slope, fit.residuals.reshape(n_cells, n_waves))
    used = np.repeat((seen.sum(axis=1) > 1)[:, None], theta.size, axis=1)
    return Loadings(theta, mean, level, slope, used)


def left_over(weight: FloatArray, seen: BoolArray, x: FloatArray) -> FloatArray:
    """Return what unit and wave effects leave of x (C, T), 0 where not seen.

    Parameters
    ----------
    weight, seen
        As in ``two_way``.
    x : (C, T)
    """
    effects = two_way(weight, np.where(seen, x, np.nan), seen, np.zeros((*x.shape, 0)))
    return demeaned(x - effects.theta, seen)


def _within(seen: BoolArray, X: FloatArray, kept: IntArray) -> FloatArray:
    """Return the demeaned indicators of the kept waves, and X: Z (C, T, p)."""
    indicators = np.broadcast_to(np.eye(seen.shape[1])[:, kept], (*seen.shape, kept.size))
    return demeaned(np.concatenate([indicators, X], axis=2), seen)


def _shifted(mean: FloatArray, seen: BoolArray) -> FloatArray:
    """Return means less the cell's first, so that a large common level costs no digits."""
    m = np.where(seen, mean, 0.0)
    return np.asarray(m - np.take_along_axis(m, np.argmax(seen, axis=1)[:, None], axis=1))
