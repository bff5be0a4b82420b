"""What does a regression say of each re-draw? The compiled loops over people.

This module imports numba: import it where it is used, never at the top of a verb's module.
"""

import numpy as np

from prakerja_eval.numerics.redraw import compiled
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@compiled
def centre(A: FloatArray, group: IntArray, w: FloatArray, means: FloatArray) -> None:
    """Write the weighted means of the groups, (n_groups, k), and take them out of A (m, k)."""
    total = np.zeros(means.shape[0])
    means[:] = 0.0
    for i in range(A.shape[0]):
        total[group[i]] += w[i]
        for j in range(A.shape[1]):
            means[group[i], j] += w[i] * A[i, j]
    for g in range(means.shape[0]):
        if total[g] > 0:
            means[g] /= total[g]
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            A[i, j] -= means[group[i], j]


@compiled
def cells(
    won: BoolArray,
    people: tuple[IntArray, BoolArray, IntArray, FloatArray],
    least: int,
    out: tuple[IntArray, FloatArray, FloatArray, FloatArray],
) -> None:
    """Write each person's cell (2 block + arm) and weight, and each cell's units and weight.

    Blocks with fewer than ``least`` units in an arm get weight zero.

    Parameters
    ----------
    won : (G,) bool array
    people : (m,), (m,), (m,), (m, 2) arrays
        Unit, whether the person is the first of the unit, block, weights as a loser and a winner.
    least : int
    out : (m,), (m,), (2 B,), (2 B,) arrays
        Cell, weight; count, total.
    """
    unit, first, block, weights = people
    cell, w, count, total = out
    count[:] = 0.0
    total[:] = 0.0
    for i in range(unit.size):
        cell[i] = 2 * block[i] + (1 if won[unit[i]] else 0)
        if first[i]:
            count[cell[i]] += 1.0
    for i in range(unit.size):
        both = min(count[2 * block[i]], count[2 * block[i] + 1]) >= least
        w[i] = weights[i, cell[i] % 2] if both else 0.0
        total[cell[i]] += w[i]


@compiled
def regressors(
    C: FloatArray, cell: IntArray, mean: FloatArray, saturated: bool, lin: bool, V: FloatArray
) -> None:
    """Write the regressors besides the cells, (m, k).

    Saturated: the covariates, by arm where interacted. With block effects: arm, covariates, and
    arm times centred covariates where interacted.
    """
    p = C.shape[1]
    lead = 0 if saturated else 1
    for i in range(C.shape[0]):
        arm = cell[i] % 2
        if not saturated:
            V[i, 0] = arm
        for j in range(p):
            x = C[i, j] - mean[j]
            if not lin:
                V[i, lead + j] = x
            else:
                V[i, lead + j] = x * (1 - arm) if saturated else x
                V[i, lead + p + j] = x * arm


@compiled
def products(V: FloatArray, A: FloatArray, w: FloatArray, S: FloatArray, T: FloatArray) -> None:
    """Write V'WV, (k, k), and V'WA, (k, 2)."""
    S[:] = 0.0
    T[:] = 0.0
    for i in range(V.shape[0]):
        if w[i] > 0:
            for j in range(V.shape[1]):
                weighted = w[i] * V[i, j]
                for h in range(j + 1):
                    S[j, h] += weighted * V[i, h]
                T[j, 0] += weighted * A[i, 0]
                T[j, 1] += weighted * A[i, 1]
    for j in range(V.shape[1]):
        for h in range(j):
            S[h, j] = S[j, h]


@compiled
def spread(
    rows: tuple[FloatArray, FloatArray, FloatArray, IntArray, IntArray],
    fit: tuple[FloatArray, FloatArray, FloatArray],
    by_cell: tuple[FloatArray, FloatArray, FloatArray],
    scores: FloatArray,
) -> FloatArray:
    """Return the variances and covariance of the two effects, (3,).

    A person's influence is w e (own - delta'M v); its square counts over one less the leverage
    w (base + v'M v). Where units are clusters (``scores`` has a row each) influence is added up by
    unit, and counts over the root of ``spare`` of the cell.

    Parameters
    ----------
    rows : (m, k), (m, 2), (m,), (m,), (m,) arrays
        v and outcomes less their group's means, w, cell, unit.
    fit : (k, k), (k,), (k, 2) arrays
        M, delta, and the coefficients.
    by_cell : (2 B,) arrays
        own, base, spare.
    scores : (G, 2) array, or (0, 2) where people were drawn
    """
    V, A, w, cell, unit = rows
    bread, delta, gamma = fit
    own, base, spare = by_cell
    out = np.zeros(3)
    tilt = bread @ delta
    scores[:] = 0.0
    for i in range(V.shape[0]):
        if w[i] > 0:
            e0, e1 = A[i, 0], A[i, 1]
            g, h = own[cell[i]], base[cell[i]]
            for j in range(V.shape[1]):
                e0 -= V[i, j] * gamma[j, 0]
                e1 -= V[i, j] * gamma[j, 1]
                g -= V[i, j] * tilt[j]
                for k in range(V.shape[1]):
                    h += V[i, j] * bread[j, k] * V[i, k]
            g *= w[i]
            if scores.shape[0]:
                g /= np.sqrt(spare[cell[i]])
                scores[unit[i], 0] += g * e0
                scores[unit[i], 1] += g * e1
            else:
                g *= g / (1.0 - w[i] * h)
                out[0] += g * e0 * e0
                out[1] += g * e0 * e1
                out[2] += g * e1 * e1
    for u in range(scores.shape[0]):
        out[0] += scores[u, 0] ** 2
        out[1] += scores[u, 0] * scores[u, 1]
        out[2] += scores[u, 1] ** 2
    return out
