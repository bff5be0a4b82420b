"""Does a row keep its claim? Rule 11: coverage, size of the standard error, bias."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from prakerja_eval.estimate import Estimate, Inference
from prakerja_eval.estimate.variance import variance

from .scenarios import Row, Scenario, generator

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


def interval(estimate: Estimate, inference: Inference | None) -> Interval:
    """Return what `infer` prints (test_paths_agree.py), without its table."""
    made = variance(estimate, inference)
    se = float(made.std_error()[0])
    quantile = float(stats.t.ppf((1 + LEVEL) / 2, made.df[0]))
    return Interval(float(estimate.theta[0]), se, quantile * se)


def simulate(scenario: Scenario, seeds: list[np.random.SeedSequence]) -> dict[str, np.ndarray]:
    """Return (draws, 3) answers of each row: estimate, standard error, half-width."""
    out = {row.name: np.full((len(seeds), 3), np.nan) for row in scenario.rows}
    for i, seed in enumerate(seeds):
        draw = scenario.draw(generator(seed))
        made = {name: run(draw, draw) for name, run in scenario.estimators.items()}
        for row in scenario.rows:
            answer = interval(made[row.estimator], row.inference)
            out[row.name][i] = answer.theta, answer.se, answer.half
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
    """Return the criteria that a row misses; not a number misses all."""
    slack = SIGMAS * s["coverage_mc_se"]
    conservative = side == "conservative"
    kept = {
        "coverage": s["coverage"] >= LEVEL - slack
        and (conservative or s["coverage"] <= LEVEL + slack),
        "se_ratio": s["se_ratio"] >= RATIO[0] and (conservative or s["se_ratio"] <= RATIO[1]),
        "bias": abs(s["bias"]) <= SIGMAS * s["bias_mc_se"],
    }
    return [name for name, ok in kept.items() if not ok]
