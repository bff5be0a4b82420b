"""Which columns of X matter to y? Lasso with a penalty that the data's own noise sets.

Belloni, Chen, Chernozhukov and Hansen (2012), doi 10.3982/ECTA9626, for the penalty under
heteroscedasticity; Belloni, Chernozhukov, Hansen and Kozbur (2016),
doi 10.1080/07350015.2015.1102733, for its loadings where rows come in clusters.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.typing import FloatArray, IntArray

SLACK = 1.1  # c: the penalty exceeds the noise by a tenth
LOADING_STEPS = 15
SETTLED = 1e-6  # relative change of the loadings at which they have settled
STEPS = 20  # for each column, at most
TIGHT = 1e-8  # share of the penalty by which a condition of the minimum may be missed
RIDGE = 1e-12  # beside ones on the diagonal
VOID = 1e-18  # share of a column's sum of squares below which only rounding is left of it


@dataclass(frozen=True, slots=True)
class Lasso:
    """A lasso fit.

    Attributes
    ----------
    beta : (p,)
        Coefficients; exactly zero for columns left out.
    penalty : (p,)
        lambda l_j / (2n), the bound on |x_j'W(y - X beta)| / n.
    """

    beta: FloatArray
    penalty: FloatArray


def plug_in_lasso(y: FloatArray, X: FloatArray, w: FloatArray, group: IntArray) -> Lasso:
    """Minimise sum w (y - Xb)^2 / n + (lambda / n) sum_j l_j |b_j|.

    lambda = 2 c sqrt(n) ndtri(1 - g / (2p)), c = 1.1, g = 0.1 / log n. The loading
    l_j^2 = sum_g (sum_{i in g} w_i x_ij e_i)^2 / n starts at e = y and is renewed at the residuals
    of least squares on the columns chosen, until it settles.

    Parameters
    ----------
    y : (n,)
        Outcome, centred (within blocks, say).
    X : (n, p)
        Columns, centred alike.
    w : (n,)
        Unit weights.
    group : (n,) int
        Codes 0 .. G-1 of the units that are independent of each other.

    Raises
    ------
    NotEstimableError
        Where the minimum is not found.
    """
    n, p = X.shape
    if p == 0:
        return Lasso(np.zeros(0), np.zeros(0))
    w = w / w.mean()
    size = np.sqrt(w @ X**2 / n)
    size[size == 0] = 1.0  # of a column of zeros, which is never chosen
    X = X / size
    gram, slope = (X * w[:, None]).T @ X / n, X.T @ (w * y) / n
    level = SLACK * ndtri(1 - 0.1 / np.log(max(n, 3)) / (2 * p)) / np.sqrt(n)
    e, loading, beta = y, np.zeros(p), np.zeros(p)
    for _ in range(LOADING_STEPS):
        renewed = _loadings(X * (w * e)[:, None], group)
        if (np.abs(renewed - loading) <= SETTLED * renewed).all():
            break
        loading = renewed
        beta = minimum(gram, slope, level * loading, beta)
        e = y - _post(X, y, w, beta)
    return Lasso(beta / size, level * loading * size)


def minimum(
    gram: FloatArray, slope: FloatArray, penalty: FloatArray, beta: FloatArray
) -> FloatArray:
    """Minimise b'Gb / 2 - s'b + sum_j penalty_j |b_j| from beta, (p,).

    Active sets (Lee, Battle, Raina and Ng 2007, "Efficient sparse coding algorithms"): the column
    whose condition is broken most joins; the minimum at the signs of the active columns is one
    linear system; where a sign would change on the way, the best such point is taken. The
    objective falls at every step, so that no set comes twice, and columns that nearly repeat each
    other cost no more than others.
    """
    for _ in range(STEPS * len(beta)):
        pull, sign = slope - gram @ beta, np.sign(beta)
        off = (beta != 0) & (np.abs(pull - penalty * sign) > TIGHT * penalty)
        if not off.any():
            excess = np.where(beta == 0, np.abs(pull) - (1 + TIGHT) * penalty, 0.0)
            j = int(np.argmax(excess))
            if excess[j] <= 0:
                return beta
            sign[j] = np.sign(pull[j])
        active = np.flatnonzero(sign)
        part = np.ix_(active, active)
        found = _towards(gram[part], slope[active], penalty[active], sign[active], beta[active])
        beta = np.zeros_like(beta)
        beta[active] = found
    raise NotEstimableError(
        "the lasso does not settle: some covariates are nearly copies of others. Leave them out."
    )


def _towards(
    gram: FloatArray, slope: FloatArray, penalty: FloatArray, sign: FloatArray, beta: FloatArray
) -> FloatArray:
    """Go towards the minimum at the given signs, (k,), to the best point where one changes."""
    # the ridge only matters where columns repeat each other: the step then runs along the repeat
    aim = np.linalg.solve(gram + RIDGE * np.eye(len(beta)), slope - penalty * sign)
    with np.errstate(divide="ignore", invalid="ignore"):
        change = beta / (beta - aim)
    change[~((change > 0) & (change < 1))] = 1.0
    points = beta + change[:, None] * (aim - beta)
    np.fill_diagonal(points, np.where(change < 1, 0.0, points.diagonal()))
    height = np.sum(points @ gram * points, axis=1) / 2 - points @ slope + np.abs(points) @ penalty
    return np.asarray(points[np.argmin(height)])


def _loadings(score: FloatArray, group: IntArray) -> FloatArray:
    """Return the root of the mean square of the scores (n, p) summed by group, (p,)."""
    summed = np.column_stack([np.bincount(group, column) for column in score.T])
    return np.asarray(np.sqrt((summed**2).sum(axis=0) / len(score)))


def _post(X: FloatArray, y: FloatArray, w: FloatArray, beta: FloatArray) -> FloatArray:
    """Return the fitted values of least squares on the columns with a coefficient, (n,)."""
    kept = np.flatnonzero(beta)
    root = np.sqrt(w)
    solved = np.linalg.lstsq(X[:, kept] * root[:, None], y * root, rcond=None)[0]
    return np.asarray(X[:, kept] @ solved)


def within_blocks(X: FloatArray, block: IntArray, w: FloatArray) -> FloatArray:
    """Take the weighted block means out of the columns of X (n, p); rounding is set to zero."""
    people = np.bincount(block, w)
    out = np.empty(X.shape)
    for j, column in enumerate(X.T):
        inside = column - (np.bincount(block, w * column) / people)[block]
        out[:, j] = inside if w @ inside**2 > VOID * (w @ column**2) else 0.0
    return out
