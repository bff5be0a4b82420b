"""To which value does the regression with unit and wave effects converge?

Y_it = a_i + l_t + b D_it + e_it. With w the chance that people of cohort c answer in exactly the
waves of the set s, and X = [D, wave dummies] less their means over s, the limit of b is the first
element of (Σ_cs w_cs X_cs'X_cs)⁻¹ Σ_cs X_cs' Z_cs, where Z_cs sums the outcomes told by chance: the
normal equations in expectation. No regression is run on anybody's answers.
"""

import numpy as np

from prakerja_eval.typing import BoolArray, FloatArray, IntArray

WORST = 1e10  # condition number from which treatment cannot be told apart


def twfe_limit(seen: FloatArray, total: FloatArray, sets: BoolArray, kind: IntArray) -> FloatArray:
    """Return the limit of the coefficient, (R, K); NaN where it is not identified.

    Parameters
    ----------
    seen : (R, C, S, 2) array
        Chances of patterns by cohort (the last is never treated) and kind of outcome.
    total : (R, C, S, T, K) array
        Sums of what is told, zero in waves outside a pattern.
    sets : (S, T) bool array
    kind : (K,) int array
        Kind of each outcome.
    """
    X = _demeaned(seen.shape[1], sets)
    n, p = len(seen), X.shape[-1]
    squares = (X.swapaxes(2, 3) @ X).reshape(-1, p * p)
    right = X.reshape(-1, p).T @ total.reshape(n, -1, total.shape[-1])
    out = np.full((n, total.shape[-1]), np.nan)
    for one in np.unique(kind):
        gram = (seen[..., one].reshape(n, -1) @ squares).reshape(n, p, p)
        columns = np.flatnonzero(kind == one)
        for r, square in enumerate(gram):
            if np.linalg.cond(square) < WORST:
                out[r, columns] = np.linalg.solve(square, right[r][:, columns])[0]
    return out


def _demeaned(n_cohorts: int, sets: BoolArray) -> FloatArray:
    """Return treatment and wave dummies less their means over each pattern, (C, S, T, p)."""
    n_waves = sets.shape[1]
    dummies = np.eye(n_waves)[:, 1:]
    X = np.stack([np.column_stack([np.arange(n_waves) >= g, dummies]) for g in range(n_cohorts)])
    held = sets.astype(np.float64)
    size = np.maximum(held.sum(axis=1), 1)
    mean = np.einsum("st,ctp->csp", held, X) / size[:, None]
    return np.asarray((X[:, None] - mean[:, :, None]) * held[None, :, :, None])
