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
from prakerja_eval.numerics.linear import factor
from prakerja_eval.numerics.separation import leading_column
from prakerja_eval.typing import FloatArray

# Newton converges quadratically: a last step of 1e-9 leaves an error of about 1e-18.
STEP = 1e-9
MAX_STEPS = 100
MAX_HALVINGS = 40


@dataclass(frozen=True, slots=True)
class Family:
    """A likelihood with a canonical link, as functions of outcome y and linear predictor eta.

    Attributes
    ----------
    residual, loglik : (y, eta) -> (n,)
        y less its mean; contribution to the log-likelihood up to a constant.
    variance : eta -> (n,)
        Variance function, which is the weight of the information too.
    far : (y, eta) -> bool
        Has some row gone so far that only separation or an extreme row can explain it?
    diverges : (y, basis) -> direction or None
        A direction of the basis along which the likelihood never falls, if there is one.
    """

    residual: Callable[[FloatArray, FloatArray], FloatArray]
    loglik: Callable[[FloatArray, FloatArray], FloatArray]
    variance: Callable[[FloatArray], FloatArray]
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

    def level(self, eta: FloatArray) -> float:
        """Log-likelihood."""
        return float(self.w @ self.family.loglik(self.y, eta))

    def gradient(self, eta: FloatArray) -> FloatArray:
        """Score of the coefficients, shape (p,)."""
        score = self.w * self.family.residual(self.y, eta)
        return np.asarray(self.U.T @ score, dtype=np.float64)

    def quick_root(self, eta: FloatArray) -> FloatArray:
        """Return ``information_root`` by way of the Gram matrix, to half the digits.

        A step only has to lead uphill; Newton's next one makes good what its rounding left.
        """
        scale = self.w * self.family.variance(eta)
        try:
            return np.asarray(np.linalg.cholesky(self.U.T @ (self.U * scale[:, None])).T)
        except np.linalg.LinAlgError:
            return self.information_root(eta)

    def information_root(self, eta: FloatArray) -> FloatArray:
        """Upper triangular R with R'R = U' diag(w variance) U."""
        root = np.sqrt(self.w * self.family.variance(eta))
        return np.asarray(np.linalg.qr(self.U * root[:, None], mode="r"), dtype=np.float64)


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
    base = factor(X, w)
    used = w > 0
    # T maps coefficients of the orthonormal basis U = X T to coefficients of X.
    T = base.unscale(solve_triangular(base.R, np.eye(X.shape[1]))) * np.sqrt(w.sum())
    U = solve_triangular(base.R, (X / base.scale).T, trans="T").T * np.sqrt(w.sum())
    gamma = base.Q.T @ (base.root * start) / np.sqrt(w.sum())
    sample = _Sample(y[used], U[used], w[used], family)
    path = _climb(sample, gamma, wary=True)
    iterations = path.iterations
    if not path.converged:
        _refuse_separation(path, sample, T, X[used])
        path = _climb(sample, path.gamma, wary=False)
        _refuse_divergence(path)
        iterations += path.iterations
    # Row by row, so that people alike in X are alike in eta to the last bit: a matrix product may
    # add up rows in another order here and there, and matching lives by exact ties.
    eta = np.sum(X * (T @ path.gamma), axis=1)
    score = np.zeros_like(eta)
    score[used] = w[used] * family.residual(y[used], eta[used])
    R = sample.information_root(eta[used])
    half = T @ solve_triangular(R, np.eye(R.shape[0]))
    psi = (U * score[:, None]) @ solve_triangular(R, half.T)
    return Maximum(T @ path.gamma, eta, psi, half @ half.T, iterations)


def _climb(sample: _Sample, gamma: FloatArray, *, wary: bool) -> _Path:
    """Take Newton steps, halved where the likelihood would fall, until they vanish.

    A wary climb stops, unconverged, as soon as a row has gone far.
    """
    eta = sample.U @ gamma
    level = sample.level(eta)
    step = np.zeros_like(gamma)
    for iteration in range(1, MAX_STEPS + 1):
        R = sample.quick_root(eta)
        if not np.abs(np.diag(R)).min() > 0:
            return _Path(gamma, step, iteration, converged=False)
        step = solve_triangular(R, solve_triangular(R, sample.gradient(eta), trans="T"))
        for _ in range(MAX_HALVINGS):
            moved = sample.U @ (gamma + step)
            new = sample.level(moved)
            if new >= level - 1e-10 * (abs(level) + 1.0):
                break
            step = step / 2
        change = float(np.abs(moved - eta).max())
        gamma, eta, level = gamma + step, moved, new
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
