"""What does a re-draw say of a difference in means? Sums over winners, and what follows from them.

Write N, Y, X for a unit of assignment's weight and weighted outcomes: one person, or a cluster's
sums. Two outcomes y and x go together, so that the statistic of y - tau x is known for every tau.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from prakerja_eval.typing import BoolArray, FloatArray, IntArray

Sums: TypeAlias = Sequence[FloatArray]

COUNT, N, Y, NN, NY, YY, X, NX, YX, XX = range(10)
CURVE = 5  # numbers kept of a draw: a, b, v0, v1, v2
ROUNDING = 1e-13


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """How blocks are averaged.

    Attributes
    ----------
    starts : (B,) int array
        First lottery block of each block of the analysis; they differ where blocks are merged.
    by_winners : bool
        Shares by winners, not by people.
    by_regression : bool
        Shares N1 N0 / (N1 + N0), those of a regression with block fixed effects.
    odds : (B,) array, optional
        Weigh everybody by one over the odds of the own arm, and compare the arms at large.
    studentised : bool
        Whether variances are wanted.
    added : bool
        Whether blocks are added up instead of averaged.
    between : bool
        Whether blocks with one unit in an arm have a variance from their own differences.
    """

    starts: IntArray
    by_winners: bool = False
    by_regression: bool = False
    odds: FloatArray | None = None
    studentised: bool = True
    added: bool = False
    between: bool = False

    @property
    def least(self) -> int:
        """Return the units that an arm must have for its block to count in a draw."""
        lone = self.by_regression or self.between or not self.studentised
        return 1 if lone else 2

    def shares(self, won: FloatArray, lost: FloatArray, usable: BoolArray) -> FloatArray:
        """Return the shares of the blocks from the weights of the arms, (R, B)."""
        if self.by_regression:
            share = won * lost / np.where(won + lost > 0, won + lost, 1.0)
        else:
            share = won if self.by_winners else won + lost
        share = np.where(usable, share, 0.0)
        if self.added:
            return np.where(usable.any(axis=1, keepdims=True), share, np.nan)
        return np.asarray(share / share.sum(axis=1, keepdims=True))

    def factors(self) -> tuple[FloatArray, FloatArray]:
        """Return what a winner's and a loser's weight is multiplied with, (B,) each."""
        if self.odds is None:
            raise ValueError("there are no odds")
        if self.by_winners:
            return np.ones_like(self.odds), self.odds / (1 - self.odds)
        return 1 / self.odds, 1 / (1 - self.odds)


@dataclass(slots=True, eq=False)
class Columns:
    """Columns (G,) to be added up, equal ones once."""

    kept: list[FloatArray] = field(default_factory=list)
    known: dict[bytes, int] = field(default_factory=dict)

    def add(self, values: FloatArray) -> IntArray:
        """Return the positions of the columns of values (G, k)."""
        return np.array([self._add(np.ascontiguousarray(column)) for column in values.T])

    def _add(self, column: FloatArray) -> int:
        place = self.known.setdefault(column.tobytes(), len(self.kept))
        if place == len(self.kept):
            self.kept.append(column)
        return place

    def matrix(self) -> FloatArray:
        """Return the columns, (G, q)."""
        return np.column_stack(self.kept)


def moments(
    y: FloatArray, x: FloatArray, w: FloatArray, unit: IntArray, n_units: int
) -> FloatArray:
    """Return the ten columns of each unit of assignment, (G, 10).

    Parameters
    ----------
    y, x, w : (m,) arrays
        Outcomes and weights of those observed.
    unit : (m,) int array
        Their units of assignment.
    n_units : int
        G.
    """
    n, sy, sx = (np.bincount(unit, w * v, n_units) for v in (np.ones_like(w), y, x))
    seen = (np.bincount(unit, minlength=n_units) > 0).astype(np.float64)
    return np.column_stack([seen, n, sy, n * n, n * sy, sy * sy, sx, n * sx, sy * sx, sx * sx])


def curves(won: Sums, total: Sums, rule: Rule) -> FloatArray:
    """Return a, b, v0, v1, v2 of each draw, (R, 5).

    The difference in y - tau x is a - tau b, its variance v0 - 2 tau v1 + tau^2 v2. A block without
    a usable arm in a draw is left out of it; with none left the numbers are NaN.

    Parameters
    ----------
    won : ten arrays (R, B0)
        Winners' sums of ``moments`` by lottery block.
    total : ten arrays (B0,)
        Everybody's.
    rule : Rule
    """
    arms = _arms(won, total, rule)
    counts = arms[0][COUNT], arms[1][COUNT]
    fewest = np.minimum(*counts)
    usable = fewest >= rule.least
    n = [np.where(usable, arm[N], 1.0) for arm in arms]
    with np.errstate(invalid="ignore"):
        share = rule.shares(n[0], n[1], usable)
    means = [[arm[k] / size for k in (Y, X)] for arm, size in zip(arms, n, strict=True)]
    effects = [np.where(usable, a - b, 0.0) for a, b in zip(*means, strict=True)]
    theta = [(share * effect).sum(axis=1) for effect in effects]
    out = np.empty((len(usable), CURVE))
    out[:, 0], out[:, 1], out[:, 2:] = theta[0], theta[1], [1.0, 0.0, 1.0]
    if not rule.studentised:
        return out
    if rule.by_regression:
        load, means = _regression(n, counts, means, theta, usable)
    else:
        load = [_load(share, size, count) for size, count in zip(n, counts, strict=True)]
    within = usable & (fewest > 1) if rule.between else usable
    load = [np.where(within, each, 0.0) for each in load]
    parts = [_variance(each, arm, m) for each, arm, m in zip(load, arms, means, strict=True)]
    out[:, 2:] = parts[0] + parts[1]
    if rule.between:
        out[:, 2:] += _between(np.where(fewest == 1, share, 0.0), effects)
    return out


def _arms(won: Sums, total: Sums, rule: Rule) -> list[list[FloatArray]]:
    """Return the sums of winners and of losers by block of the analysis, ten (R, B) each."""
    arms = [list(won), [t - w for t, w in zip(total, won, strict=True)]]
    if rule.odds is not None:
        power = [0, 1, 1, 2, 2, 2, 1, 2, 2, 2]
        return [
            [(s @ factor**k)[:, None] for s, k in zip(arm, power, strict=True)]
            for arm, factor in zip(arms, rule.factors(), strict=True)
        ]
    if len(rule.starts) < won[0].shape[1]:
        return [[np.add.reduceat(s, rule.starts, axis=1) for s in arm] for arm in arms]
    return arms


def _load(share: FloatArray, n: FloatArray, count: FloatArray) -> FloatArray:
    """Return (s / N)^2 G / (G - 1), by which squared residuals of a cell count, (R, B)."""
    return np.asarray((share / n) ** 2 * count / np.maximum(count - 1, 1.0))


def _regression(
    n: list[FloatArray],
    counts: tuple[FloatArray, FloatArray],
    means: list[list[FloatArray]],
    theta: list[FloatArray],
    usable: BoolArray,
) -> tuple[list[FloatArray], list[list[FloatArray]]]:
    """Return the loads and fitted values of the regression with block fixed effects.

    The arm less its mean in the block is 1 - p for winners and -p for losers; D is the sum of its
    squares; leverage is the cell's mean one.
    """
    people = n[0] + n[1]
    squares = np.where(usable, n[0] * n[1] / people, 0.0).sum(axis=1)[:, None]
    deviations = n[1] / people, -n[0] / people
    gaps = [a - b - t[:, None] for a, b, t in zip(*means, theta, strict=True)]
    load, fitted = [], []
    for size, count, d, mean in zip(n, counts, deviations, means, strict=True):
        spare = 1 - size / np.maximum(count, 1.0) * (1 / people + d**2 / squares)
        load.append((d / squares) ** 2 / np.where(spare > ROUNDING, spare, np.nan))
        fitted.append([m - d * gap for m, gap in zip(mean, gaps, strict=True)])
    return load, fitted


def _between(share: FloatArray, effects: list[FloatArray]) -> FloatArray:
    """Return the part of blocks with one unit in an arm in v0, v1, v2, (R, 3).

    With shares s that sum to S over these blocks it is sum S^2 s^2 (tau - mean tau)^2 / ((S - 2 s)
    (S + sum s^2 / (S - 2 s))), Pashley and Miratrix (2021, 5); NaN where one has half of them.
    """
    S = share.sum(axis=1, keepdims=True)
    some = np.where(S > 0, S, 1.0)
    spare = np.where(share > 0, S - 2 * share, 1.0)
    spare = np.where(spare > 1e-12 * S, spare, np.nan)
    weight = (S * share) ** 2 / (spare * (some + (share**2 / spare).sum(axis=1, keepdims=True)))
    y, x = (e - (share * e).sum(axis=1, keepdims=True) / some for e in effects)
    return np.stack([(weight * q).sum(axis=1) for q in (y * y, y * x, x * x)], axis=1)


def _variance(load: FloatArray, s: list[FloatArray], fitted: list[FloatArray]) -> FloatArray:
    """Return the part of one arm in v0, v1, v2, (R, 3); rounding is cleared to zero."""
    my, mx = fitted
    yy = s[YY] - my * (2 * s[NY] - my * s[NN])
    yx = s[YX] - my * s[NX] - mx * (s[NY] - my * s[NN])
    xx = s[XX] - mx * (2 * s[NX] - mx * s[NN])
    yy = np.where(yy > ROUNDING * s[YY], yy, 0.0)
    xx = np.where(xx > ROUNDING * s[XX], xx, 0.0)
    yx = np.where((yy > 0) & (xx > 0), yx, 0.0)
    return np.stack([(load * q).sum(axis=1) for q in (yy, yx, xx)], axis=1)
