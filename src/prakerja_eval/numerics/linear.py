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
BLOCK = 16_384  # rows at a time, so that what is made on the way stays small


@dataclass(frozen=True, slots=True)
class Triangle:
    """The triangular QR factor of sqrt(W) X with its columns scaled to unit length.

    Attributes
    ----------
    R : (p, p)
        Upper triangular.
    scale : (p,)
        Length of each column of sqrt(W) X, so that sqrt(W) X = Q R diag(scale).
    """

    R: FloatArray
    scale: FloatArray

    def unscale(self, gamma: FloatArray) -> FloatArray:
        """Return coefficients (p, ...) of X from those of its scaled columns."""
        return np.asarray((gamma.T / self.scale).T, dtype=np.float64)

    def bread(self) -> FloatArray:
        """Return (X'WX)^-1, shape (p, p)."""
        inverse = self.unscale(solve_triangular(self.R, np.eye(self.R.shape[0])))
        return np.asarray(inverse @ inverse.T, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Factor(Triangle):
    """Both QR factors.

    Attributes
    ----------
    R, scale
        As in a Triangle.
    Q : (n, p)
        Orthonormal columns.
    root : (n,)
        sqrt(w).
    """

    Q: FloatArray
    root: FloatArray

    def solve(self, y: FloatArray) -> FloatArray:
        """Return the coefficients (p, ...) of the weighted regression of y (n, ...)."""
        target = (self.root * y.T).T
        return self.unscale(solve_triangular(self.R, self.Q.T @ target))


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
    scale = _lengths(X, root)
    Q, R = _orthogonal(X, root, scale)
    _refuse_dependent(R)
    return Factor(R, scale, Q, root)


def factor_triangle(X: FloatArray, w: FloatArray) -> Triangle:
    """Factor sqrt(W) X without its orthonormal columns; parameters and errors as of ``factor``."""
    root = np.sqrt(w)
    scale = _lengths(X, root)
    R = triangle(X, root, scale)
    _refuse_dependent(R)
    return Triangle(R, scale)


def _lengths(X: FloatArray, root: FloatArray) -> FloatArray:
    """Return the length of each column of diag(root) X, one where it is zero."""
    length = np.sqrt(sum(((X[b] * root[b, None]) ** 2).sum(axis=0) for b in blocks(len(X))))
    if not np.isfinite(length).all():
        column = int(np.argmin(np.isfinite(length)))
        raise NotEstimableError(
            f"column {column} of the design matrix, or the weight, is missing or infinite in some "
            "row: leave those rows out first"
        )
    return np.where(length > 0, length, 1.0)


def _refuse_dependent(R: FloatArray) -> None:
    """Refuse a triangle of a column that depends on those before it."""
    # Without pivoting |R_jj| is what is left of column j after the columns before it.
    left_over = np.zeros(R.shape[1])
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


def blocks(n: int) -> list[slice]:
    """Cut n rows into slices; one, perhaps empty, where they are few."""
    return [slice(at, at + BLOCK) for at in range(0, max(n, 1), BLOCK)]


def triangle(X: FloatArray, root: FloatArray, scale: FloatArray | float = 1.0) -> FloatArray:
    """Return the upper triangular R of diag(root) X diag(1 / scale) = QR, (p, p)."""
    steps = _steps(X, root, scale)
    if steps is None:
        return np.asarray(np.linalg.qr(X * root[:, None] / scale, mode="r"), dtype=np.float64)
    return steps[1] @ steps[0]


def _orthogonal(
    X: FloatArray, root: FloatArray, scale: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the QR factors of diag(root) X diag(1 / scale)."""
    steps = _steps(X, root, scale)
    if steps is None:
        Q, R = np.linalg.qr(X * root[:, None] / scale)
        return Q, R
    first, second = np.linalg.inv(steps[0]), np.linalg.inv(steps[1])
    Q = np.empty(X.shape)
    for b in blocks(len(X)):
        Q[b] = X[b] * root[b, None] / scale @ first @ second
    return Q, steps[1] @ steps[0]


def _steps(
    X: FloatArray, root: FloatArray, scale: FloatArray | float
) -> tuple[FloatArray, FloatArray] | None:
    """Return the two triangles whose product is R, or None where products do not serve.

    A tall matrix is factored by Cholesky twice (Yamamoto, Nakatsukasa, Yanagisawa and Fukaya 2015,
    Electronic Transactions on Numerical Analysis 44): as orthogonal as Householder's wherever the
    first factor's condition number is below 1e7, and several times faster; else Householder's.
    """
    if len(X) < TALL:
        return None
    try:
        first = _root(_gram(X, root, scale, None))
        if not np.linalg.cond(first) < 1e6:
            return None
        onward = np.asarray(np.linalg.inv(first), dtype=np.float64)
        return first, _root(_gram(X, root, scale, onward))
    except np.linalg.LinAlgError:
        return None


def _root(gram: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.cholesky(gram).T, dtype=np.float64)


def _gram(
    X: FloatArray, root: FloatArray, scale: FloatArray | float, M: FloatArray | None
) -> FloatArray:
    """Return A'A of A = diag(root) X diag(1 / scale) M, (p, p)."""
    total = np.zeros((X.shape[1], X.shape[1]))
    for b in blocks(len(X)):
        A = X[b] * root[b, None] / scale
        A = A if M is None else A @ M
        total += A.T @ A
    return total


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
