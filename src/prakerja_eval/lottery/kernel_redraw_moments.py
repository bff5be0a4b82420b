"""What does a re-draw say of a difference in means? Sums over winners, and what follows from them.

Write N, Y, X for a unit of assignment's weight and weighted outcomes: one person, or a cluster's
sums. Two outcomes y and x go together, so that the statistic of y - tau x is known for every tau.
"""

from dataclasses import dataclass, field

import numpy as np

from prakerja_eval.typing import BoolArray, FloatArray, IntArray

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
    between : bool
        Whether blocks with one unit in an arm have a variance from their own differences.
    """

    starts: IntArray
    by_winners: bool = False
    by_regression: bool = False
    odds: FloatArray | None = None
    studentised: bool = True
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


def curves(won: FloatArray, total: FloatArray, rule: Rule) -> FloatArray:
    """Return a, b, v0, v1, v2 of each draw, (R, 5).

    The difference in y - tau x is a - tau b, its variance v0 - 2 tau v1 + tau^2 v2. A block without
    a usable arm in a draw is left out of it; with none left the numbers are NaN.

    Parameters
    ----------
    won : (R, B0, 10) array
        Winners' sums of ``moments`` by lottery block.
    total : (B0, 10) array
        Everybody's.
    rule : Rule
    """
    lost = total - won
    if rule.odds is None:
        won, lost = (np.add.reduceat(s, rule.starts, axis=1) for s in (won, lost))
    else:
        won, lost = (_pooled(s, f) for s, f in zip((won, lost), rule.factors(), strict=True))
    fewest = np.minimum(won[..., COUNT], lost[..., COUNT])
    usable = fewest >= rule.least
    n1, n0 = (np.where(usable, s[..., N], 1.0) for s in (won, lost))
    with np.errstate(invalid="ignore"):
        share = rule.shares(n1, n0, usable)
    means = np.stack([s[..., [Y, X]] / n[..., None] for s, n in ((won, n1), (lost, n0))])
    effects = means[0] - means[1]
    theta = np.einsum("rb,rbk->rk", share, np.where(usable[..., None], effects, 0.0))
    out = np.empty((len(won), CURVE))
    out[:, :2] = theta
    if not rule.studentised:
        out[:, 2:] = [1.0, 0.0, 1.0]
        return out
    if rule.by_regression:
        load, fitted = _regression(n1, n0, won, lost, means, theta, usable)
    else:
        load = [_load(share, n, s[..., COUNT]) for n, s in ((n1, won), (n0, lost))]
        fitted = means
    within = usable & (fewest > 1) if rule.between else usable
    out[:, 2:] = sum(
        _variance(np.where(within, f, 0.0), s, m)
        for f, s, m in zip(load, (won, lost), fitted, strict=True)
    )
    if rule.between:
        out[:, 2:] += _between(np.where(fewest == 1, share, 0.0), effects)
    return out


def _pooled(sums: FloatArray, factor: FloatArray) -> FloatArray:
    """Return the sums over blocks with weights multiplied, (R, 1, 10)."""
    power = np.array([0, 1, 1, 2, 2, 2, 1, 2, 2, 2])
    pooled = np.einsum("rbk,bk->rk", sums, factor[:, None] ** power)
    return np.asarray(pooled[:, None, :], dtype=np.float64)


def _load(share: FloatArray, n: FloatArray, count: FloatArray) -> FloatArray:
    """Return (s / N)^2 G / (G - 1), by which squared residuals of a cell count, (R, B)."""
    return np.asarray((share / n) ** 2 * count / np.where(count > 1, count - 1, 1.0))


def _regression(
    n1: FloatArray,
    n0: FloatArray,
    won: FloatArray,
    lost: FloatArray,
    means: FloatArray,
    theta: FloatArray,
    usable: BoolArray,
) -> tuple[list[FloatArray], FloatArray]:
    """Return the loads and fitted values of the regression with block fixed effects.

    The arm less its mean in the block is 1 - p for winners and -p for losers; D is the sum of its
    squares; leverage is the cell's mean one.
    """
    people = n1 + n0
    squares = np.where(usable, n1 * n0 / people, 0.0).sum(axis=1)[:, None]
    deviations = (n0 / people, -n1 / people)
    gap = means[0] - means[1] - theta[:, None, :]
    fitted = np.stack([m - d[..., None] * gap for m, d in zip(means, deviations, strict=True)])
    load = []
    for n, s, d in zip((n1, n0), (won, lost), deviations, strict=True):
        mean_weight = n / np.where(s[..., COUNT] > 0, s[..., COUNT], 1.0)
        spare = 1 - mean_weight * (1 / people + d**2 / squares)
        spare = np.where(spare > ROUNDING, spare, np.nan)
        load.append((d / squares) ** 2 / spare)
    return load, fitted


def _between(share: FloatArray, effects: FloatArray) -> FloatArray:
    """Return the part of blocks with one unit in an arm in v0, v1, v2, (R, 3).

    With shares s that sum to S over these blocks it is sum S^2 s^2 (tau - mean tau)^2 / ((S - 2 s)
    (S + sum s^2 / (S - 2 s))), Pashley and Miratrix (2021, 5); NaN where one has half of them.
    """
    S = share.sum(axis=1, keepdims=True)
    spare = S - 2 * share
    spare = np.where((share > 0) & (spare <= 1e-12 * S), np.nan, np.where(share > 0, spare, 1.0))
    weight = (S * share) ** 2 / spare
    weight /= np.where(S > 0, S + (share**2 / spare).sum(axis=1, keepdims=True), 1.0)
    inside = np.where((share > 0)[..., None], effects, 0.0)
    mean = np.einsum("rb,rbk->rk", share, inside) / np.where(S > 0, S, 1.0)
    y, x = np.moveaxis(inside - mean[:, None, :], -1, 0)
    return np.stack([(weight * q).sum(axis=1) for q in (y * y, y * x, x * x)], axis=1)


def _variance(load: FloatArray, s: FloatArray, fitted: FloatArray) -> FloatArray:
    """Return the part of one arm in v0, v1, v2, (R, 3); rounding is cleared to zero."""
    my, mx = fitted[..., 0], fitted[..., 1]
    yy = s[..., YY] - 2 * my * s[..., NY] + my**2 * s[..., NN]
    yx = s[..., YX] - my * s[..., NX] - mx * s[..., NY] + my * mx * s[..., NN]
    xx = s[..., XX] - 2 * mx * s[..., NX] + mx**2 * s[..., NN]
    yy = np.where(yy > ROUNDING * s[..., YY], yy, 0.0)
    xx = np.where(xx > ROUNDING * s[..., XX], xx, 0.0)
    yx = np.where((yy > 0) & (xx > 0), yx, 0.0)
    return np.stack([(load * q).sum(axis=1) for q in (yy, yx, xx)], axis=1)
