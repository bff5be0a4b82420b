"""How likely was each unit to answer, with an intercept for every cell, however many there are?

The intercepts' part of the information is diagonal and is eliminated first (Schur complement), so
that cells are never written out as columns.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.numerics.linear import factor
from prakerja_eval.typing import FloatArray, IntArray

STEP = 1e-9  # Newton converges quadratically: a last step of 1e-9 leaves about 1e-18
MAX_STEPS = 100
MAX_HALVINGS = 40
FAR = 20.0  # a fitted probability within 2e-9 of zero or one


@dataclass(frozen=True, slots=True)
class CellLogit:
    """A maximum-likelihood logit with C intercepts and k slopes.

    Attributes
    ----------
    probability : (n,)
        p, also where the weight is zero.
    residual : (n,)
        w (r - p).
    alpha, beta : (C,), (k,)
        Intercepts and slopes.
    heft : (C,)
        D_c = sum of w p (1 - p) in the cell.
    mean : (C, k)
        Means of the columns by cell, at the weights w p (1 - p).
    bread : (k, k)
        Inverse of the information on the slopes once the intercepts are eliminated.
    """

    probability: FloatArray
    residual: FloatArray
    alpha: FloatArray
    beta: FloatArray
    heft: FloatArray
    mean: FloatArray
    bread: FloatArray

    def influence(
        self, cell: IntArray, Z: FloatArray, by_alpha: FloatArray, by_beta: FloatArray
    ) -> FloatArray:
        """Return the influence (n,) on a number with these derivatives in alpha and beta."""
        v = self.bread @ (by_beta - self.mean.T @ by_alpha)
        u = by_alpha / self.heft - self.mean @ v
        return np.asarray(self.residual * (u[cell] + Z @ v))


@dataclass(frozen=True, slots=True)
class _Point:
    """Where Newton stands: coefficients, linear predictor and log-likelihood."""

    alpha: FloatArray
    beta: FloatArray
    eta: FloatArray
    loglik: float


def logit_cells(
    r: FloatArray, cell: IntArray, n_cells: int, Z: FloatArray, w: FloatArray
) -> CellLogit:
    """Fit P(r = 1 | cell, z) = 1 / (1 + exp(-alpha_cell - z'beta)).

    Parameters
    ----------
    r : (n,)
        Zeros and ones; both occur in every cell.
    cell : (n,) int
        Codes 0 .. C-1.
    n_cells : int
        C.
    Z : (n, k)
        Columns that vary within cells.
    w : (n,)
        Unit weights, zero or more.

    Raises
    ------
    CollinearityError
        When a column does not vary within cells, or repeats columns before it.
    NotEstimableError
        When the columns or cells decide r for some units: no maximum exists.
    """
    total = _sums(w, cell, n_cells)
    ones = _sums(w * r, cell, n_cells)
    if not ((ones > 0) & (ones < total)).all():
        raise NotEstimableError("a cell has one value of the response only: nothing varies there")
    centre = _means(Z, cell, w, total)
    left = Z - centre[cell]
    scale = factor(_without_rounding(left, Z), w).scale / np.sqrt(total.sum())
    left = left / scale
    start = np.log(ones / (total - ones))
    here = _point(r, w, left, cell, start, np.zeros(Z.shape[1]))
    for _ in range(MAX_STEPS):
        fit = _at(r, w, left, cell, here)
        d_beta, d_alpha = _step(fit, cell, left)
        moved = _climb(r, w, left, cell, (here, d_alpha, d_beta))
        change = float(np.abs(moved.eta - here.eta)[w > 0].max())
        here = moved
        if np.abs(here.eta[w > 0]).max() > FAR:
            break
        if change <= STEP:
            return _unscaled(_at(r, w, left, cell, here), centre, scale)
    raise NotEstimableError(
        "the response is decided by the covariates for some people: their fitted probability of "
        "answering is zero or one"
    )


def _point(
    r: FloatArray,
    w: FloatArray,
    left: FloatArray,
    cell: IntArray,
    alpha: FloatArray,
    beta: FloatArray,
) -> _Point:
    eta = alpha[cell] + left @ beta
    return _Point(alpha, beta, eta, float(w @ (r * eta - np.logaddexp(0.0, eta))))


def _climb(
    r: FloatArray,
    w: FloatArray,
    left: FloatArray,
    cell: IntArray,
    step: tuple[_Point, FloatArray, FloatArray],
) -> _Point:
    """Take Newton's step, halved while the likelihood would fall."""
    here, d_alpha, d_beta = step
    size = 1.0
    for _ in range(MAX_HALVINGS):
        moved = _point(r, w, left, cell, here.alpha + size * d_alpha, here.beta + size * d_beta)
        if moved.loglik >= here.loglik - 1e-10 * (abs(here.loglik) + 1.0):
            break
        size /= 2
    return moved


def _at(r: FloatArray, w: FloatArray, left: FloatArray, cell: IntArray, here: _Point) -> CellLogit:
    """Return score and information, intercepts eliminated."""
    p = expit(here.eta)
    v = w * p * expit(-here.eta)
    heft = _sums(v, cell, len(here.alpha))
    mean = _means(left, cell, v, heft)
    within = left - mean[cell]
    bread = np.linalg.inv(within.T @ (within * v[:, None])) if left.shape[1] else np.zeros((0, 0))
    return CellLogit(p, w * (r - p), here.alpha, here.beta, heft, mean, bread)


def _step(fit: CellLogit, cell: IntArray, left: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return Newton's steps of the slopes and of the intercepts."""
    by_alpha = _sums(fit.residual, cell, len(fit.heft))
    d_beta = fit.bread @ (left.T @ fit.residual - fit.mean.T @ by_alpha)
    return d_beta, by_alpha / fit.heft - fit.mean @ d_beta


def _unscaled(fit: CellLogit, centre: FloatArray, scale: FloatArray) -> CellLogit:
    """Return the fit for the columns as they came."""
    beta = fit.beta / scale
    return CellLogit(
        fit.probability,
        fit.residual,
        fit.alpha - centre @ beta,
        beta,
        fit.heft,
        fit.mean * scale + centre,
        fit.bread / np.outer(scale, scale),
    )


def _means(x: FloatArray, cell: IntArray, w: FloatArray, total: FloatArray) -> FloatArray:
    """Return the weighted means of the columns of x by cell, (C, k)."""
    sums = [_sums(w * column, cell, len(total)) for column in x.T]
    return (np.array(sums).reshape(-1, len(total)) / total).T


def _sums(x: FloatArray, cell: IntArray, n_cells: int) -> FloatArray:
    return np.asarray(np.bincount(cell, x, minlength=n_cells), dtype=np.float64)


def _without_rounding(left: FloatArray, Z: FloatArray) -> FloatArray:
    """Set columns that are constant within cells to zero, which ``factor`` then refuses."""
    constant = np.abs(left).max(axis=0, initial=0) <= 1e-9 * np.abs(Z).max(axis=0, initial=0)
    return np.where(constant, 0.0, left)
