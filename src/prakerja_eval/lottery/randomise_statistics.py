"""What is looked at in each draw? One object for each statistic; all see the same draws."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.drawn import Drawn
from prakerja_eval.lottery.kernel_redraw import Redraws
from prakerja_eval.lottery.kernel_redraw_moments import CURVE, Columns, Rule, Sums, curves, moments
from prakerja_eval.lottery.kernel_redraw_regression import People, distances, regression_curves
from prakerja_eval.lottery.randomisation import INVERTIBLE, OwnStatistic, Redraw
from prakerja_eval.lottery.roster import Roster
from prakerja_eval.lottery.sample import Sample
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@dataclass(slots=True, eq=False)
class Means:
    """A difference in means, of outcomes or of ranks."""

    columns: FloatArray
    rule: Rule

    def of_sums(self, won: Sums, total: Sums) -> FloatArray:
        """Return the curves of each draw, (R, 5)."""
        return curves(won, total, self.rule)


@dataclass(slots=True, eq=False)
class Regression:
    """A difference with covariates."""

    people: People
    rule: Rule
    lin: bool

    def of_winners(self, won: BoolArray) -> FloatArray:
        """Return the curves of each draw, (R, 5)."""
        return regression_curves(won, self.people, self.rule, self.lin)


@dataclass(slots=True, eq=False)
class Distance:
    """The distance between two distributions."""

    people: People
    rule: Rule

    def of_winners(self, won: BoolArray) -> FloatArray:
        """Return flat curves, (R, 5)."""
        return _flat(distances(won, self.people, self.rule))


@dataclass(slots=True, eq=False)
class Own:
    """A function of the caller's."""

    people: People
    weight: FloatArray
    function: OwnStatistic

    def of_winners(self, won: BoolArray) -> FloatArray:
        """Return flat curves, (R, 5)."""
        y, block, unit = self.people.outcomes[:, 0], self.people.block, self.people.unit
        arms = (drawn[unit].astype(np.int64) for drawn in won)
        return _flat(np.array([float(self.function(y, arm, block, self.weight)) for arm in arms]))


def _flat(values: FloatArray) -> FloatArray:
    """Return curves that say nothing of other nulls, (R, 5)."""
    out = np.zeros((len(values), CURVE))
    out[:, 0], out[:, 2], out[:, 4] = values, 1.0, 1.0
    return out


def statistic_of(
    sample: Sample, found: Roster, wave: int, drawn: Drawn, design: Design, redraw: Redraw
) -> Means | Regression | Distance | Own:
    """Return the statistic of one outcome and wave.

    Everyone who was observed in the wave counts, in the design's blocks: also those in a block
    that the observed draw left without an arm, since another draw would not have.
    """
    rows = np.flatnonzero(found.observed(wave))
    rows = rows[np.argsort(drawn.rank[rows])]
    late = redraw.estimand == "late"
    y, x = found.y[rows, wave], found.received[rows, wave] if late else found.arm[rows]
    rule = _rule(design, redraw, drawn)
    if redraw.statistic not in INVERTIBLE:
        y = y - redraw.null * x
    block, unit, weight = drawn.block[rows], drawn.unit[rows], found.weight[rows]
    n_units = len(drawn.lottery.won)
    if redraw.statistic == "rank_sum":
        y = _ranks(y, block)
        columns = moments(y, x, np.ones_like(weight), unit, n_units)
        return Means(columns, _elteren(rule))
    if redraw.statistic in INVERTIBLE:
        y = _centred(y, block if rule.odds is None else np.zeros_like(block), weight)
        if not found.covariates.shape[1]:
            return Means(moments(y, x, weight, unit, n_units), rule)
    return _by_winners(
        _people(np.column_stack([y, x]), found, rows, drawn, rule), weight, design, redraw, rule
    )


def _by_winners(
    people: People, weight: FloatArray, design: Design, redraw: Redraw, rule: Rule
) -> Regression | Distance | Own:
    if callable(redraw.statistic):
        return Own(people, weight, redraw.statistic)
    if redraw.statistic == "kolmogorov_smirnov":
        return Distance(people, replace(rule, studentised=False))
    return Regression(people, rule, design.covariate_model == "lin")


def _people(
    outcomes: FloatArray, found: Roster, rows: IntArray, drawn: Drawn, rule: Rule
) -> People:
    """Return those observed, in the order of their units and names."""
    unit, block, weight = drawn.unit[rows], drawn.block[rows], found.weight[rows]
    weights = np.column_stack([weight, weight])
    if rule.odds is not None:
        lottery_block = np.searchsorted(drawn.lottery.starts, unit, side="right") - 1
        win, lose = rule.factors()
        weights = weights * np.column_stack([lose, win])[lottery_block]
        block = np.zeros_like(block)
    first = np.append(True, np.diff(unit) != 0)
    return People(
        outcomes, found.covariates[rows], unit, block, weights, first, len(drawn.lottery.won)
    )


def _rule(design: Design, redraw: Redraw, drawn: Drawn) -> Rule:
    """Return how the design averages blocks."""
    return Rule(
        starts=drawn.starts,
        by_winners=design.block_weights == "treated",
        by_regression=design.block_weights == "strata_fe",
        odds=drawn.odds if design.method == "ipw" else None,
        studentised=redraw.statistic == "studentised",
        between=design.lone_arms == "pashley_miratrix",
    )


def _elteren(rule: Rule) -> Rule:
    """Return van Elteren's weights: winners' ranks less their mean over n + 1, added up."""
    return replace(rule, by_regression=True, added=True, studentised=False, odds=None)


def _centred(y: FloatArray, block: IntArray, weight: FloatArray) -> FloatArray:
    """Return y less its mean in the block, which changes no difference and keeps digits."""
    total = np.bincount(block, weight)
    mean = np.bincount(block, weight * y) / np.where(total > 0, total, 1.0)
    return np.asarray(y - mean[block])


def _ranks(y: FloatArray, block: IntArray) -> FloatArray:
    """Return average ranks within blocks over one more than the block's people."""
    grouped = pd.Series(y).groupby(block)
    return np.asarray(grouped.rank() / (grouped.transform("size") + 1), dtype=np.float64)


def evaluate(
    tests: Sequence[Means | Regression | Distance | Own], draws: Redraws
) -> tuple[FloatArray, FloatArray]:
    """Return the observed curves (K, 5) and those of each draw (R, K, 5)."""
    observed = np.empty((len(tests), CURVE))
    drawn = np.empty((draws.reps, len(tests), CURVE))
    sums = [(k, test) for k, test in enumerate(tests) if isinstance(test, Means)]
    if sums:
        _by_sums(sums, draws, observed, drawn)
    rest = [(k, test) for k, test in enumerate(tests) if not isinstance(test, Means)]
    if rest:
        for k, test in rest:
            observed[k] = test.of_winners(draws.lottery.won[None])[0]
        at = 0
        for won in draws.winners():
            for k, test in rest:
                drawn[at : at + len(won), k] = test.of_winners(won)
            at += len(won)
    return observed, drawn


def _by_sums(
    tests: list[tuple[int, Means]], draws: Redraws, observed: FloatArray, drawn: FloatArray
) -> None:
    """Add up the columns of all tests at once, equal ones once, and fill in the curves."""
    store = Columns()
    places = [store.add(test.columns) for _, test in tests]
    matrix = store.matrix()
    lottery = draws.lottery
    total = lottery.block_sums(matrix).T
    seen = lottery.block_sums(matrix * lottery.won[:, None]).T[:, None, :]
    for (k, test), place in zip(tests, places, strict=True):
        observed[k] = test.of_sums(list(seen[place]), list(total[place]))[0]
    at = 0
    for won in draws.sums(matrix):
        layers = np.ascontiguousarray(np.moveaxis(won, 2, 0))
        for (k, test), place in zip(tests, places, strict=True):
            drawn[at : at + len(won), k] = test.of_sums(
                [layers[p] for p in place], list(total[place])
            )
        at += len(won)
