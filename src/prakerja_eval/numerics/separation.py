"""Can some combination of the columns run to infinity without ever making the fit worse."""

import numpy as np

from prakerja_eval.numerics.linear import factor
from prakerja_eval.typing import FloatArray

# The solver meets a constraint to FEASIBLE; a true direction gains far more than GAIN on a row,
# because rows have about unit length and the direction fills the box [-1, 1]^p.
FEASIBLE = 1e-9
GAIN = 1e-6


def separating_direction(rows: FloatArray) -> FloatArray | None:
    """Return gamma with rows @ gamma >= 0 everywhere and > 0 somewhere, or None without one.

    The linear programme max sum(rows @ gamma) over the box [-1, 1]^p is solved with the rows that
    bind: it starts from a few, and takes in the rows that its answer breaks until none is broken.

    Parameters
    ----------
    rows : (m, p)
        For a logit (2 d_i - 1) x_i. For a Poisson fit -x_i of the rows with y_i = 0, within the
        null space of the rows with y_i > 0. Columns of about unit variance.
    """
    from scipy.optimize import linprog  # late: slow to import, and few fits need it

    n_rows, n_columns = rows.shape
    if n_rows == 0 or n_columns == 0:
        return None
    batch = 50 * n_columns
    working = np.zeros(n_rows, dtype=np.bool_)
    working[:: max(1, n_rows // batch)] = True
    while True:
        answer = linprog(
            -rows.sum(axis=0),
            A_ub=-rows[working],
            b_ub=np.zeros(int(working.sum())),
            bounds=(-1.0, 1.0),
            method="highs",
            options={"primal_feasibility_tolerance": FEASIBLE},
        )
        if answer.x is None:
            return None
        gain = np.asarray(rows @ answer.x, dtype=np.float64)
        # The working rows are a relaxation: no gain over them is no gain over all.
        if gain.sum() <= GAIN:
            return None
        broken = np.flatnonzero((gain < -2 * FEASIBLE) & ~working)
        if broken.size == 0:
            return np.asarray(answer.x, dtype=np.float64) if gain.max() > GAIN else None
        worst = broken[np.argsort(gain[broken])[:batch]]
        working[worst] = True


def leading_column(direction: FloatArray, X: FloatArray, w: FloatArray) -> int:
    """Return the column whose coefficient, times its own spread, moves most along the direction.

    A column's own spread is what the other columns leave of it, so that two nearly collinear
    columns whose coefficients run off against each other do not hide the column at fault.

    Parameters
    ----------
    direction : (p,)
        A direction of the coefficients of X.
    X : (n, p)
        Design matrix without collinear columns.
    w : (n,)
        Unit weights.
    """
    own = 1 / np.sqrt(np.diag(factor(X, w).bread()))
    moved = np.abs(direction) * own
    constant = np.ptp(X, axis=0) == 0
    others = np.where(constant, 0.0, moved)
    return int(np.argmax(others if others.max() > 1e-6 * moved.max() else moved))
