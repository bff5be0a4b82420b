"""How far apart are the arms, once units are weighted and covariates held equal?

Least squares of the outcome on treatment, or on treatment times covariates, with the weights of
an adjustment. With b the coefficients, M = (X'WX)^-1, e the residuals, and v the weights over which
the covariates' part is averaged (xbar_v their mean of x),

    theta = b_1 - b_0 + (g_1 - g_0)' xbar_v
    d theta / d w_i = (X M c)_i e_i,    d theta / d v_i = (g_1 - g_0)' (x_i - xbar_v) / sum v.
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.numerics.cells import cell_regression
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class ArmContrast:
    """A weighted contrast of two arms, and its slopes in all weights.

    Attributes
    ----------
    theta : float
        Treated less comparison.
    comparison_mean : float
        What the comparison arm says of the units averaged over.
    by_weight, by_target : (m,)
        d theta / d w_i, and d theta / d v_i.
    residuals : (m,)
    bread : (p, p)
        (X'WX)^-1; the two arms first.
    cells : (m,) int
        The arm.
    design : (m, p - 2)
        Covariates less their mean over v, then the same for the treated alone.
    contrast : (p,)
        c.
    """

    theta: float
    comparison_mean: float
    by_weight: FloatArray
    by_target: FloatArray
    residuals: FloatArray
    bread: FloatArray
    cells: IntArray
    design: FloatArray
    contrast: FloatArray


def arm_contrast(
    y: FloatArray,
    treated: BoolArray,
    X: FloatArray,
    w: FloatArray,
    v: FloatArray,
    interactions: bool = True,
) -> ArmContrast:
    """Compare two arms by weighted least squares.

    Parameters
    ----------
    y : (m,)
        Outcome.
    treated : (m,) bool
        Each arm has a unit.
    X : (m, q)
        Covariates without a constant; none for a difference in weighted means.
    w : (m,)
        Weights, above zero.
    v : (m,)
        Weights of the units averaged over, zero or more.
    interactions : bool
        Whether each arm has slopes of its own.

    Returns
    -------
    ArmContrast

    Raises
    ------
    CollinearityError
        When a covariate depends on the others within the arms; the position counts the columns of
        ``design``.
    """
    arm = treated.astype(np.int64)
    total = v.sum()
    centred = X - v @ X / total
    own = centred * arm[:, None] if interactions else centred[:, :0]
    Z = np.hstack([centred, own])
    # The intercepts take up a shift of y; without it a constant outcome leaves no rounding.
    fit = cell_regression(y - y[0], arm, 2, Z, w)
    contrast = np.zeros(2 + Z.shape[1])
    contrast[:2] = -1.0, 1.0
    slopes = fit.beta[2 + X.shape[1] :]
    direction = fit.bread @ contrast
    lever = direction[arm] + Z @ direction[2:]
    return ArmContrast(
        theta=float(contrast @ fit.beta),
        comparison_mean=float(fit.beta[0] + y[0]),
        by_weight=lever * fit.residuals,
        by_target=_tilt(centred, slopes) / total,
        residuals=fit.residuals,
        bread=fit.bread,
        cells=arm,
        design=Z,
        contrast=contrast,
    )


def _tilt(centred: FloatArray, slopes: FloatArray) -> FloatArray:
    """Return how far each unit's effect is from the average, (m,)."""
    return centred @ slopes if len(slopes) else np.zeros(len(centred))
