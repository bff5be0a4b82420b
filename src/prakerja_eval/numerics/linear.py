"""Which combination of the columns of X is nearest to y, and what did each unit add to it."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from prakerja_eval.errors import CollinearityError, NotEstimableError
from prakerja_eval.typing import FloatArray

# Share of a column's length that must be left over after the columns before it. Rounding leaves
# about 1e-15; below 1e-9 a coefficient could no longer be computed to eight digits.
COLLINEAR = 1e-9
TALL = 20_000  # rows from which a factorisation by products pays


@dataclass(frozen=True, slots=True)
class Factor:
    """The QR factors of sqrt(W) X with its columns scaled to unit length.

    Attributes
    ----------
    Q : (n, p)
        Orthonormal columns.
    R : (p, p)
        Upper triangular.
    scale : (p,)
        Length of each column of sqrt(W) X, so that sqrt(W) X = Q R diag(scale).
    root : (n,)
        sqrt(w).
    """

    Q: FloatArray
    R: FloatArray
    scale: FloatArray
    root: FloatArray

    def solve(self, y: FloatArray) -> FloatArray:
        """Return the coefficients (p, ...) of the weighted regression of y (n, ...)."""
        target = (self.root * y.T).T
        return self.unscale(solve_triangular(self.R, self.Q.T @ target))

    def unscale(self, gamma: FloatArray) -> FloatArray:
        """Return coefficients (p, ...) of X from those of its scaled columns."""
        return np.asarray((gamma.T / self.scale).T, dtype=np.float64)

    def bread(self) -> FloatArray:
        """Return (X'WX)^-1, shape (p, p)."""
        inverse = self.unscale(solve_triangular(self.R, np.eye(self.R.shape[0])))
        return np.asarray(inverse @ inverse.T, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Linear:
    """A weighted least-squares fit.

    Attributes
    ----------
    beta : (p,)
        Coefficients.
    psi : (n, p)
        Influence, bread x_i w_i e_i; obeys the law psi_i = d beta / d w_i.
    residuals : (n,)
        y - X beta, also where the weight is zero.
    bread : (p, p)
        (X'WX)^-1.
    design : (n, p)
        X.
    weights : (n,)
        w.
    """

    beta: FloatArray
    psi: FloatArray
    residuals: FloatArray
    bread: FloatArray
    design: FloatArray
    weights: FloatArray


def factor(X: FloatArray, w: FloatArray) -> Factor:
    """Factor sqrt(W) X, or refuse and name the first column that depends on those before it.

    Parameters
    ----------
    X : (n, p)
        Design matrix; its columns may have very different scales.
    w : (n,)
        Weights, zero or more.

    Raises
    ------
    CollinearityError
        With the position of the first dependent column, read from left to right.
    NotEstimableError
        When a value is missing or infinite.
    """
    root = np.sqrt(w)
    weighted = X * root[:, None]
    length = np.sqrt((weighted**2).sum(axis=0))
    if not np.isfinite(length).all():
        column = int(np.argmin(np.isfinite(length)))
        raise NotEstimableError(
            f"column {column} of the design matrix, or the weight, is missing or infinite in some "
            "row: leave those rows out first"
        )
    scale = np.where(length > 0, length, 1.0)
    Q, R = _orthogonal(weighted / scale)
    # Without pivoting |R_jj| is what is left of column j after the columns before it.
    left_over = np.zeros(X.shape[1])
    diagonal = np.abs(np.diag(R))
    left_over[: diagonal.size] = diagonal
    dependent = ~(left_over > COLLINEAR)
    if dependent.any():
        column = int(np.argmax(dependent))
        raise CollinearityError(
            f"column {column} of the design matrix is a linear combination of the columns "
            "before it among the rows in use: drop it, or drop one of those it repeats",
            column,
        )
    return Factor(Q, R, scale, root)


def triangle(A: FloatArray) -> FloatArray:
    """Return the upper triangular R of A = QR, (p, p)."""
    if len(A) < TALL:
        return np.asarray(np.linalg.qr(A, mode="r"), dtype=np.float64)
    return _orthogonal(A)[1]


def _orthogonal(A: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the QR factors of A (n, p).

    A tall matrix is factored by Cholesky twice (Yamamoto, Nakatsukasa, Yanagisawa and Fukaya 2015,
    Electronic Transactions on Numerical Analysis 44): as orthogonal as Householder's wherever the
    first factor's condition number is below 1e7, and several times faster; else Householder's.
    """
    if len(A) >= TALL:
        try:
            first = np.linalg.cholesky(A.T @ A).T
            if np.linalg.cond(first) < 1e6:
                Q = A @ np.linalg.inv(first)
                second = np.linalg.cholesky(Q.T @ Q).T
                return Q @ np.linalg.inv(second), second @ first
        except np.linalg.LinAlgError:
            pass
    Q, R = np.linalg.qr(A)
    return Q, R


def wls(y: FloatArray, X: FloatArray, w: FloatArray) -> Linear:
    """Regress y on X by weighted least squares.

    Parameters
    ----------
    y : (n,)
        Outcome.
    X : (n, p)
        Regressors, with the constant where one is wanted.
    w : (n,)
        Unit weights; a row of weight zero contributes nothing.

    Raises
    ------
    CollinearityError
        When a column depends on the columns before it.
    """
    fit = factor(X, w)
    beta = fit.solve(y)
    beta = beta + fit.solve(y - X @ beta)  # one refinement for badly conditioned columns
    residuals = y - X @ beta
    bread = fit.bread()
    psi = (X * (w * residuals)[:, None]) @ bread
    return Linear(beta, psi, residuals, bread, X, w)
