"""What does the regression with covariates say of a re-draw? The design's own, solved each time."""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.lottery.kernel_redraw_moments import CURVE, Rule
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

SINGULAR = 1e-6  # of a regressor's length, left over; products keep half the digits


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """The m people who were observed.

    Attributes
    ----------
    outcomes : (m, 2) array
        y and x.
    covariates : (m, p) array
    unit, block : (m,) int arrays
        Unit of assignment, and block of the analysis.
    weights : (m, 2) array
        Weight as a loser and as a winner.
    first : (m,) bool array
        Whether the person is the first one of the unit.
    n_units : int
        G.
    """

    outcomes: FloatArray
    covariates: FloatArray
    unit: IntArray
    block: IntArray
    weights: FloatArray
    first: BoolArray
    n_units: int

    @property
    def clustered(self) -> bool:
        """Say whether a unit may be several people."""
        return not bool(self.first.all())


def distances(won: BoolArray, people: People, rule: Rule) -> FloatArray:
    """Return the largest distance between the arms' distributions of y in each draw, (R,).

    A block's distributions are averaged with the shares of the rule; a block without an arm in a
    draw is left out of it.
    """
    from prakerja_eval.numerics.redraw import arm_weights, ecdf_distance

    y = people.outcomes[:, 0]
    order = np.argsort(y, kind="stable")
    last = np.append(y[order][1:] != y[order][:-1], True)
    unit, block, weights = people.unit[order], people.block[order], people.weights[order]
    total = np.zeros((len(won), int(block.max()) + 1, 2))
    arm_weights(won, unit, block, weights, total)
    usable = np.asarray((total > 0).all(axis=2))
    with np.errstate(invalid="ignore"):
        share = rule.shares(total[..., 1], total[..., 0], usable)
    step = share[..., None] * _inverse_weight(total) * np.array([-1.0, 1.0])
    out = np.zeros(len(won))
    ecdf_distance(won, unit, block, weights, last, step, out)
    return np.where(usable.any(axis=1), out, np.nan)


def regression_curves(won: BoolArray, people: People, rule: Rule, lin: bool) -> FloatArray:
    """Return a, b, v0, v1, v2 of each draw, (R, 5); see ``kernel_redraw_moments.curves``.

    The variance is HC2 for people; for clusters each cell's influence counts over one less the
    mean leverage of its clusters, covariates aside. A draw in which the regressors depend on each
    other has NaN.

    Parameters
    ----------
    won : (R, G) bool array
    people : People
    rule : Rule
    lin : bool
        Whether covariates are interacted with the arm.
    """
    out = np.full((len(won), CURVE), np.nan)
    for r, drawn in enumerate(won):
        _curve(drawn, people, rule, lin, out[r])
    if not rule.studentised:
        out[:, 2:] = [1.0, 0.0, 1.0]
    return out


def _curve(won: BoolArray, people: People, rule: Rule, lin: bool, out: FloatArray) -> None:
    """Fill in one draw: cells taken out by their means, the rest solved."""
    from prakerja_eval.numerics import redraw_regression as loops

    m, n_blocks = len(people.unit), int(people.block.max()) + 1
    cell, w = np.empty(m, dtype=np.int64), np.empty(m)
    count, total = np.empty(2 * n_blocks), np.empty(2 * n_blocks)
    who = people.unit, people.first, people.block, people.weights
    loops.cells(won, who, rule.least, (cell, w, count, total))
    lost, winners = total[0::2], total[1::2]
    usable = np.asarray((lost > 0) & (winners > 0))
    if not usable.any():
        return
    share = rule.shares(winners[None], lost[None], usable[None])[0]
    saturated = not rule.by_regression
    V = _regressors(people, _mean(people, rule, share, cell, w), cell, saturated, lin)
    A = people.outcomes.copy()
    group = cell if saturated else people.block
    n_groups = 2 * n_blocks if saturated else n_blocks
    v_means, a_means = np.empty((n_groups, V.shape[1])), np.empty((n_groups, 2))
    loops.centre(V, group, w, v_means)
    loops.centre(A, group, w, a_means)
    S, T = np.empty((V.shape[1], V.shape[1])), np.empty((V.shape[1], 2))
    loops.products(V, A, w, S, T)
    bread = _inverse(S)
    if bread is None:
        return
    gamma = bread @ T
    if saturated:  # the cells' difference in y less that in the regressors
        delta = share @ (v_means[1::2] - v_means[0::2])
        own = np.column_stack([-share, share]).ravel() * _inverse_weight(total)
        out[:2] = share @ (a_means[1::2] - a_means[0::2]) - delta @ gamma
    else:  # the arm's own coefficient
        delta, own = -np.eye(1, V.shape[1])[0], np.zeros(2 * n_blocks)
        out[:2] = gamma[0]
    base = _inverse_weight(total if saturated else np.repeat(lost + winners, 2))
    scores = np.zeros((people.n_units if people.clustered else 0, 2))
    by_cell = own, base, _spare(count, total, base, saturated)
    out[2:] = loops.spread((V, A, w, cell, people.unit), (bread, delta, gamma), by_cell, scores)


def _regressors(
    people: People, mean: FloatArray, cell: IntArray, saturated: bool, lin: bool
) -> FloatArray:
    """Return the regressors besides the cells, (m, k)."""
    from prakerja_eval.numerics.redraw_regression import regressors

    m, p = people.covariates.shape
    V = np.empty((m, (2 * p if lin else p) + (0 if saturated else 1)))
    regressors(people.covariates, cell, mean, saturated, lin, V)
    return V


def _mean(
    people: People, rule: Rule, share: FloatArray, cell: IntArray, w: FloatArray
) -> FloatArray:
    """Return the mean of the covariates about which interactions are centred, (p,)."""
    counted = w * (cell % 2).astype(np.float64) if rule.by_winners else w
    total = np.bincount(people.block, counted, len(share)).astype(np.float64)
    weight = counted * (share * _inverse_weight(total))[people.block]
    return np.asarray(weight @ people.covariates)


def _inverse(S: FloatArray) -> FloatArray | None:
    """Return the inverse of a symmetric positive matrix, None where it has none."""
    length = np.sqrt(np.diag(S))
    if not (length > 0).all():
        return None
    try:
        root = np.linalg.cholesky(S / np.outer(length, length))
    except np.linalg.LinAlgError:
        return None
    if np.diag(root).min() < SINGULAR:
        return None
    half = np.linalg.inv(root) / length
    return np.asarray(half.T @ half)


def _inverse_weight(total: FloatArray) -> FloatArray:
    return np.where(total > 0, 1.0 / np.where(total > 0, total, 1.0), 0.0)


def _spare(count: FloatArray, total: FloatArray, base: FloatArray, saturated: bool) -> FloatArray:
    """Return one less the mean leverage of a drawn unit by cell, covariates aside."""
    leverage = base.copy()
    if not saturated:
        lost, won = total[0::2], total[1::2]
        people = _inverse_weight(lost + won)
        squares = (lost * won * people).sum()
        deviation = np.column_stack([won * people, lost * people]).ravel()
        leverage += deviation**2 / squares
    mean_weight = total / np.where(count > 0, count, 1.0)
    spare = 1.0 - mean_weight * leverage
    return np.where(spare > 0, spare, np.nan)
