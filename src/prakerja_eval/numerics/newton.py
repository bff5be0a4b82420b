"""Which coefficients maximise a likelihood with a canonical link, and when do none.

The columns are made orthonormal first, so their scales do not matter. A separated fit has no
maximum: its Newton steps never shrink, so convergence is judged by the step of the linear
predictor, and a fit that wandered far is certified by a linear programme before it is returned.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from prakerja_eval.errors import NotEstimableError, SeparationError
from prakerja_eval.numerics.linear import blocks, factor_triangle, triangle
from prakerja_eval.numerics.separation import leading_column
from prakerja_eval.typing import FloatArray

# Newton converges quadratically: a last step of 1e-9 leaves an error of about 1e-18.
STEP = 1e-9
MAX_STEPS = 100
MAX_HALVINGS = 40


@dataclass(frozen=True, slots=True)
class Point:
    """A likelihood at a linear predictor, row by row.

    Attributes
    ----------
    loglik : (n,)
        Contribution to the log-likelihood up to a constant.
    residual : (n,)
        y less its mean.
    variance : (n,)
        Variance function, which is the weight of the information too.
    """

    loglik: FloatArray
    residual: FloatArray
    variance: FloatArray


@dataclass(frozen=True, slots=True)
class Family:
    """A likelihood with a canonical link, as functions of outcome y and linear predictor eta.

    Attributes
    ----------
    at : (y, eta) -> Point
    far : (y, eta) -> bool
        Has some row gone so far that only separation or an extreme row can explain it?
    diverges : (y, basis) -> direction or None
        A direction of the basis along which the likelihood never falls, if there is one.
    """

    at: Callable[[FloatArray, FloatArray], Point]
    far: Callable[[FloatArray, FloatArray], bool]
    diverges: Callable[[FloatArray, FloatArray], FloatArray | None]


@dataclass(frozen=True, slots=True)
class Maximum:
    """The maximum of a likelihood with a canonical link.

    Attributes
    ----------
    beta : (p,)
        Coefficients.
    eta : (n,)
        Linear predictor, also where the weight is zero.
    psi : (n, p)
        Influence, bread x_i w_i (y_i - mean_i).
    bread : (p, p)
        Inverse of the information.
    iterations : int
        Newton steps taken.
    """

    beta: FloatArray
    eta: FloatArray
    psi: FloatArray
    bread: FloatArray
    iterations: int


@dataclass(frozen=True, slots=True)
class _Path:
    """Where Newton's steps ended, in the orthonormal basis, and the last step."""

    gamma: FloatArray
    step: FloatArray
    iterations: int
    converged: bool


@dataclass(frozen=True, slots=True)
class _Sample:
    """The rows of positive weight, in the orthonormal basis U."""

    y: FloatArray
    U: FloatArray
    w: FloatArray
    family: Family

    def at(self, gamma: FloatArray) -> tuple[FloatArray, Point, float]:
        """Return the linear predictor, the likelihood there, and its sum."""
        eta = self.U @ gamma
        point = _point(self.family, self.y, eta)
        return eta, point, float(self.w @ point.loglik)

    def step(self, point: Point) -> FloatArray:
        """Return Newton's step, (p,), or one of NaN where the information is singular.

        The Gram matrix gives it to half the digits, which is enough to lead uphill; the next step
        makes good what rounding left.
        """
        gradient = self.U.T @ (self.w * point.residual)
        scale = self.w * point.variance
        try:
            gram = np.zeros((len(gradient), len(gradient)))
            for b in blocks(len(scale)):
                gram += self.U[b].T @ (self.U[b] * scale[b, None])
            R = np.linalg.cholesky(gram).T
        except np.linalg.LinAlgError:
            R = self.information_root(point)
        if not np.abs(np.diag(R)).min() > 0:
            return np.full_like(gradient, np.nan)
        return np.asarray(solve_triangular(R, solve_triangular(R, gradient, trans="T")))

    def information_root(self, point: Point) -> FloatArray:
        """Upper triangular R with R'R = U' diag(w variance) U."""
        return triangle(self.U, np.sqrt(self.w * point.variance))


def _point(family: Family, y: FloatArray, eta: FloatArray) -> Point:
    """Return the likelihood by row, a block of rows at a time."""
    parts = [family.at(y[b], eta[b]) for b in blocks(len(y))]
    if len(parts) == 1:
        return parts[0]
    return Point(
        np.concatenate([p.loglik for p in parts]),
        np.concatenate([p.residual for p in parts]),
        np.concatenate([p.variance for p in parts]),
    )


def maximise(
    y: FloatArray, X: FloatArray, w: FloatArray, family: Family, start: FloatArray
) -> Maximum:
    """Maximise sum_i w_i loglik(y_i, x_i'beta).

    Parameters
    ----------
    y : (n,)
        Outcome.
    X : (n, p)
        Regressors.
    w : (n,)
        Unit weights; a row of weight zero contributes nothing.
    family : Family
        The likelihood.
    start : (n,)
        Linear predictor to start from; its projection on X is used.

    Raises
    ------
    CollinearityError, SeparationError
        With the column at fault.
    NotEstimableError
        When Newton's method does not converge for another reason.
    """
    base = factor_triangle(X, w)
    used = w > 0
    # T maps coefficients of the orthonormal basis U = X T to coefficients of X.
    T = base.unscale(solve_triangular(base.R, np.eye(X.shape[1]))) * np.sqrt(w.sum())
    U = X @ T
    gamma = U.T @ (w * start) / w.sum()
    sample = _Sample(y, U, w, family) if used.all() else _Sample(y[used], U[used], w[used], family)
    path = _climb(sample, gamma, wary=True)
    iterations = path.iterations
    if not path.converged:
        _refuse_separation(path, sample, T, X[used])
        path = _climb(sample, path.gamma, wary=False)
        _refuse_divergence(path)
        iterations += path.iterations
    beta = T @ path.gamma
    # Row by row, so that people alike in X are alike in eta to the last bit: a matrix product may
    # add up rows in another order here and there, and matching lives by exact ties.
    eta = np.concatenate([np.sum(X[b] * beta, axis=1) for b in blocks(len(X))])
    point = _point(family, sample.y, eta[used])
    score = np.zeros_like(eta)
    score[used] = sample.w * point.residual
    R = sample.information_root(point)
    half = T @ solve_triangular(R, np.eye(R.shape[0]))
    map_ = solve_triangular(R, half.T)
    for b in blocks(len(U)):  # psi takes the place of U, which nobody needs any more
        U[b] = (U[b] * score[b, None]) @ map_
    return Maximum(beta, eta, U, half @ half.T, iterations)


def _climb(sample: _Sample, gamma: FloatArray, *, wary: bool) -> _Path:
    """Take Newton steps, halved where the likelihood would fall, until they vanish.

    A wary climb stops, unconverged, as soon as a row has gone far.
    """
    eta, point, level = sample.at(gamma)
    step = np.zeros_like(gamma)
    for iteration in range(1, MAX_STEPS + 1):
        newton = sample.step(point)
        if np.isnan(newton).any():
            return _Path(gamma, step, iteration, converged=False)
        step = newton
        for _ in range(MAX_HALVINGS):
            moved, there, new = sample.at(gamma + step)
            if new >= level - 1e-10 * (abs(level) + 1.0):
                break
            step = step / 2
        change = float(np.abs(moved - eta).max())
        gamma, eta, point, level = gamma + step, moved, there, new
        if wary and sample.family.far(sample.y, eta):
            return _Path(gamma, step, iteration, converged=False)
        if change <= STEP * max(1.0, float(np.abs(eta).max())):
            return _Path(gamma, step, iteration, converged=True)
    return _Path(gamma, step, MAX_STEPS, converged=False)


def _refuse_separation(path: _Path, sample: _Sample, T: FloatArray, X: FloatArray) -> None:
    """Raise when some direction leads to infinity, and name the column that leads it."""
    direction = sample.family.diverges(sample.y, sample.U)
    if direction is None:
        return
    # The last Newton step shows which coefficients still run away; the programme's own direction
    # is one of many.
    running = path.step if np.abs(path.step).max() > 1e-3 else direction
    column = leading_column(T @ running, X, sample.w)
    raise SeparationError(
        f"column {column} (alone or leading a combination) predicts the outcome perfectly for "
        "some rows, so its coefficient has no finite estimate: drop it, merge its categories, "
        "or leave out the rows that it decides",
        column,
    )


def _refuse_divergence(path: _Path) -> None:
    if not path.converged:
        raise NotEstimableError(
            f"the likelihood did not converge in {path.iterations} Newton steps although nothing "
            "separates the rows: look for extreme values in the regressors"
        )
