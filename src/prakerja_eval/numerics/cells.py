"""What does a regression say that has an intercept for every cell, however many cells there are?

The cells (blocks, or arms of blocks) are taken out by their means instead of being written out as
columns; what is left is an ordinary regression on the other columns (Frisch and Waugh 1933).
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import CollinearityError
from prakerja_eval.numerics.linear import COLLINEAR, wls
from prakerja_eval.typing import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class CellRegression:
    """A weighted least-squares fit on C cell intercepts and k columns.

    Attributes
    ----------
    beta : (C + k,)
        Intercepts of the cells, then coefficients of the columns.
    residuals : (n,)
        y - X beta.
    bread : (C + k, C + k)
        (X'WX)^-1.
    """

    beta: FloatArray
    residuals: FloatArray
    bread: FloatArray


def cell_regression(
    y: FloatArray, cell: IntArray, n_cells: int, Z: FloatArray, w: FloatArray
) -> CellRegression:
    """Regress y on indicators of the cells and the columns Z.

    Parameters
    ----------
    y : (n,)
        Outcome.
    cell : (n,) int
        Codes 0 .. C-1, each with a row of positive weight.
    n_cells : int
        C.
    Z : (n, k)
        Columns beside the cells.
    w : (n,)
        Weights, zero or more.

    Raises
    ------
    CollinearityError
        When a column of Z depends on the cells or on the columns before it; the position counts
        within Z.
    """
    total = np.asarray(np.bincount(cell, w, minlength=n_cells), dtype=np.float64)
    y_mean = _means(y[:, None], cell, w, total)
    Z_mean = _means(Z, cell, w, total)
    y_left, Z_left = y - y_mean[cell, 0], Z - Z_mean[cell]
    _refuse_constant(Z, Z_left, w)
    fit = wls(y_left, Z_left, w)
    intercepts = y_mean[:, 0] - Z_mean @ fit.beta
    corner = -Z_mean @ fit.bread
    inverse = np.diag(1.0 / total) - corner @ Z_mean.T
    bread = np.block([[inverse, corner], [corner.T, fit.bread]])
    return CellRegression(np.concatenate([intercepts, fit.beta]), fit.residuals, bread)


def _means(x: FloatArray, cell: IntArray, w: FloatArray, total: FloatArray) -> FloatArray:
    """Return the weighted means of the columns of x by cell, (C, k), refined once."""
    first = _sums(x, cell, w, len(total)) / total[:, None]
    return first + _sums(x - first[cell], cell, w, len(total)) / total[:, None]


def _sums(x: FloatArray, cell: IntArray, w: FloatArray, n_cells: int) -> FloatArray:
    columns = [np.bincount(cell, w * column, minlength=n_cells) for column in x.T]
    return np.column_stack(columns) if columns else np.zeros((n_cells, 0))


def _refuse_constant(Z: FloatArray, left: FloatArray, w: FloatArray) -> None:
    """Refuse a column that does not vary within cells: its rounding would pass for a column."""
    before, after = ((w[:, None] * x**2).sum(axis=0) for x in (Z, left))
    constant = ~(np.sqrt(after) > COLLINEAR * np.sqrt(before))
    if constant.any():
        column = int(np.argmax(constant))
        raise CollinearityError(f"column {column} does not vary within the cells", column)
