"""Does a row keep its claim? Rule 11: coverage, size of the standard error, bias."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from prakerja_eval.estimate import Estimate, contrast, subset, test_equal, wald
from prakerja_eval.estimate.draws import draw_t, sup_quantile
from prakerja_eval.estimate.variance import across_designs, variance

from .claims import Row, Scenario
from .scenarios import generator

LEVEL = 0.95
SIGMAS = 3.0
RATIO = (0.95, 1.05)
FIRST = 40  # draws that the tests repeat


@dataclass(frozen=True)
class Interval:
    """One answer: estimate, standard error and the half-width of its interval."""

    theta: float
    se: float
    half: float


def answer(row: Row, estimate: Estimate) -> Interval:
    """Return what the public functions print (test_paths_agree.py), without their tables."""
    if row.asks in ("equality", "zero"):
        return _test(row, estimate)
    if row.asks == "band":
        return _band(row, estimate)
    if row.asks == "difference":
        return _difference(row, estimate)
    if row.asks == "contrast":
        return _effect(row, difference_at_fixed_shares(row, estimate), 0)
    return _effect(row, estimate, row.rows[0])


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
    """Return bias, spread, standard error and coverage of one row."""
    theta, se, half = answers.T
    sd = float(theta.std(ddof=1))
    first = answers[:FIRST]
    return {
        "truth": row.truth,
        "mean": float(theta.mean()),
        "bias": float(theta.mean()) - row.truth,
        "bias_mc_se": sd / float(np.sqrt(len(theta))),
        "mc_sd": sd,
        "mean_se": float(se.mean()),
        "se_ratio": float(se.mean()) / sd,
        "coverage": float(np.mean(np.abs(theta - row.truth) <= half)),
        "coverage_mc_se": float(np.sqrt(LEVEL * (1 - LEVEL) / len(theta))),
        "first_mean": float(first[:, 0].mean()),
        "first_mean_se": float(first[:, 1].mean()),
    }


def misses(side: str, s: dict[str, float]) -> list[str]:
    """Return the criteria that a row misses; not a number misses all.

    A test has but its size, and a band its coverage of all rows at once.
    """
    slack = SIGMAS * s["coverage_mc_se"]
    conservative = side == "conservative"
    kept = {
        "coverage": s["coverage"] >= LEVEL - slack
        and (conservative or s["coverage"] <= LEVEL + slack),
        "se_ratio": s["se_ratio"] >= RATIO[0] and (conservative or s["se_ratio"] <= RATIO[1]),
        "bias": abs(s["bias"]) <= SIGMAS * s["bias_mc_se"],
    }
    judged = ("coverage",) if side in ("test", "band") else tuple(kept)
    return [name for name in judged if not kept[name]]
