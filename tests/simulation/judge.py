"""Does a row keep its claim? Rule 11: coverage, size of the standard error, bias."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from prakerja_eval.estimate import Estimate, contrast, subset, test_equal, wald
from prakerja_eval.estimate.draws import draw_t, sup_quantile
from prakerja_eval.estimate.variance import across_designs, variance

from .claims import Row, Scenario
from .scenarios import generator

LEVEL = 0.95
SIGMAS = 3.0
RATIO = (0.95, 1.05)
FRAMES = ("set", "tf", "usual", "interval")  # read from tables that are no Estimate
ALONE = ("test", "band", "at least")  # judged by coverage alone
FIRST = 40  # draws that the tests repeat


@dataclass(frozen=True)
class Interval:
    """One answer: estimate, standard error and the half-width of its interval."""

    theta: float
    se: float
    half: float


def answer(row: Row, estimate: Estimate) -> Interval:
    """Return what the public functions print (test_paths_agree.py), without their tables."""
    if row.asks in FRAMES:
        return of_frame(row, estimate.frame)
    estimate = getattr(estimate, "estimate", estimate)
    if row.asks in ("equality", "zero"):
        return _test(row, estimate)
    if row.asks == "band":
        return _band(row, estimate)
    if row.asks == "difference":
        return _difference(row, estimate)
    if row.asks == "contrast":
        return _effect(row, difference_at_fixed_shares(row, estimate), 0)
    return _effect(row, estimate, row.rows[0])


def of_frame(row: Row, frame: pd.DataFrame) -> Interval:
    """Return what a table of the lottery wing prints in its first row."""
    one = frame.iloc[0]
    if row.asks == "interval":
        low, high = float(one["conf_low"]), float(one["conf_high"])
        return Interval((low + high) / 2, float(one["se_lower"]), (high - low) / 2)
    none = np.isnan(one["estimate"])  # the offer moved nobody: a set all the same, no interval
    ratio = (np.inf, np.nan) if none else (float(one["estimate"]), float(one["std_error"]))
    if row.asks == "set":
        covers = in_set(
            row.truth, str(one["ar_shape"]), float(one["ar_low"]), float(one["ar_high"])
        )
        return Interval(*ratio, np.inf if covers else -1.0)
    high = one["tf_high"] if row.asks == "tf" else one["conf_high"]  # infinite where F is small
    return Interval(*ratio, high - one["estimate"])


def in_set(theta: float, shape: str, low: float, high: float) -> bool:
    """Say whether a set of Anderson and Rubin, with one instrument, holds a value."""
    if shape == "two rays":
        return theta <= low or theta >= high
    return shape == "whole line" or low <= theta <= high


def difference_at_fixed_shares(row: Row, estimate: Estimate) -> Estimate:
    """Return the contrast of two rows."""
    return contrast(subset(estimate, rows=row.rows), [1.0, -1.0])


def _effect(row: Row, estimate: Estimate, k: int) -> Interval:
    made = variance(estimate, row.inference)
    return _interval(float(estimate.theta[k]), float(made.std_error()[k]), float(made.df[k]))


def _difference(row: Row, estimate: Estimate) -> Interval:
    first, second = row.rows
    made = variance(estimate, row.inference, shares_drawn=across_designs(estimate))
    theta = float(estimate.theta[first] - estimate.theta[second])
    return _interval(theta, *made.of_difference(first, second))


def _test(row: Row, estimate: Estimate) -> Interval:
    """Return the Wald statistic, the sd of its law and a half-width that covers if it is kept."""
    verb = wald if row.asks == "zero" else test_equal
    test = verb(subset(estimate, rows=row.rows), inference=row.inference)
    statistic = test.statistic * (1 if np.isinf(test.df_denominator) else test.df)
    kept = test.p_value >= 1 - LEVEL
    return Interval(statistic, float(np.sqrt(2 * test.df)), np.inf if kept else -1.0)


def _band(row: Row, estimate: Estimate) -> Interval:
    """Return the t-ratio farthest from zero, which the band covers if it is within the quantile."""
    asked = subset(estimate, rows=row.rows)
    made = variance(asked, row.inference)
    t = asked.theta / made.std_error()
    quantile = sup_quantile(draw_t(made.scores, made.covariance, row.inference), LEVEL)
    return Interval(float(t[np.argmax(np.abs(t))]), 1.0, quantile)


def _interval(theta: float, se: float, df: float) -> Interval:
    return Interval(theta, se, float(stats.t.ppf((1 + LEVEL) / 2, df)) * se)


def simulate(scenario: Scenario, seeds: list[np.random.SeedSequence]) -> dict[str, np.ndarray]:
    """Return (draws, 3) answers of each row: estimate, standard error, half-width."""
    out = {row.name: np.full((len(seeds), 3), np.nan) for row in scenario.rows}
    for i, seed in enumerate(seeds):
        draw = scenario.draw(generator(seed))
        made = {name: run(draw, draw) for name, run in scenario.estimators.items()}
        for row in scenario.rows:
            one = answer(row, made[row.estimator])
            out[row.name][i] = one.theta, one.se, one.half
    return out


def summary(row: Row, answers: np.ndarray) -> dict[str, float]:
    """Return bias, spread, standard error and coverage of one row.

    Coverage is that of all draws; the rest is of those with an estimate (see ``of_frame``).
    """
    coverage = float(np.mean(np.abs(answers[:, 0] - row.truth) <= answers[:, 2]))
    first = answers[:FIRST]
    first = first[~np.isinf(first[:, 0])]
    theta, se, _ = answers[~np.isinf(answers[:, 0])].T
    sd = float(theta.std(ddof=1))
    return {
        "truth": row.truth,
        "mean": float(theta.mean()),
        "bias": float(theta.mean()) - row.truth,
        "bias_mc_se": sd / float(np.sqrt(len(theta))),
        "mc_sd": sd,
        "mean_se": float(se.mean()),
        "se_ratio": float(se.mean()) / sd,
        "coverage": coverage,
        "coverage_mc_se": float(np.sqrt(LEVEL * (1 - LEVEL) / len(answers))),
        "first_mean": float(first[:, 0].mean()),
        "first_mean_se": float(first[:, 1].mean()),
    }


def misses(side: str, s: dict[str, float]) -> list[str]:
    """Return the criteria that a row misses; not a number misses all.

    A test has but its size, and a band its coverage of all rows at once; so has a set or an
    interval that is not estimate and standard error.
    """
    slack = SIGMAS * s["coverage_mc_se"]
    conservative = side in ("conservative", "at least")
    kept = {
        "coverage": s["coverage"] >= LEVEL - slack
        and (conservative or s["coverage"] <= LEVEL + slack),
        "se_ratio": s["se_ratio"] >= RATIO[0] and (conservative or s["se_ratio"] <= RATIO[1]),
        "bias": abs(s["bias"]) <= SIGMAS * s["bias_mc_se"],
    }
    judged = ("coverage",) if side in ALONE else tuple(kept)
    return [name for name in judged if not kept[name]]
