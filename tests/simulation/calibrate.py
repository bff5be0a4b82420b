"""With which parameters do the two accounts give the published effects?

``python -m tests.simulation.calibrate`` prints those of accounts/*.toml; about ten minutes of one
core. It starts from the committed ones, and each of twelve populations is solved by itself: the
spread of the answers is the Monte Carlo error of their mean.
"""

import argparse
import sys
from collections.abc import Sequence

import numpy as np

from prakerja_eval.programme import Programme
from prakerja_eval.synthetic import Scenario

from .moments import PEOPLE, Population, by_arm, effect, population

SEEDS = range(101, 113)
CLOSE = 2e-5  # of a share: 0.002 points
STEP = 0.05
ROUNDS, SLOPES = 8, 4  # steps at most, and how many of them take the slopes anew
PUBLISHED = {
    "employed": "employed",
    "self_employed": "self_employed",
    "owns_business": "owns_business",
    "new_job": "new_job",
    "certificate": "certificate",
    "income": "earnings_relative",
}
# What each account solves for, in the order of the effects it is solved by. Selective response has
# one equation more: as many winners as losers answer.
PARAMETERS = {
    "non_receipt": (
        ("effects", "work"),
        ("effects", "self_employed"),
        ("effects", "owner"),
        ("effects", "changers"),
        ("effects", "certificate"),
        ("effects", "pay"),
    ),
    "selective_response": (
        ("survey", "winners_employed"),
        ("survey", "winners_self_employed"),
        ("survey", "winners_owner"),
        ("survey", "winners_new_job"),
        ("effects", "certificate"),
        ("survey", "winners_pay"),
        ("survey", "winners"),
    ),
}


def targets() -> dict[str, float]:
    """Return the published effects in parts of one, by outcome."""
    figure = Programme.named("prakerja").figure
    return {
        name: figure(f"evaluations.jpal_2021.{key}").number / 100 for name, key in PUBLISHED.items()
    }


def with_values(scenario: Scenario, values: Sequence[float]) -> Scenario:
    """Return the scenario with other values of its account's parameters."""
    for (table, key), value in zip(PARAMETERS[scenario.account], values, strict=True):
        scenario = scenario.but(**{table: {key: float(value)}})
    return scenario


def values_of(scenario: Scenario) -> np.ndarray:
    """Return the values of its account's parameters."""
    pairs = PARAMETERS[scenario.account]
    return np.array([getattr(getattr(scenario, table), key) for table, key in pairs])


def residuals(found: Population, scenario: Scenario) -> np.ndarray:
    """Return effects among those who answer less the published ones, and the gap in response."""
    means = by_arm(found, scenario)
    gaps = [effect(means, name) - value for name, value in targets().items()]
    if scenario.account == "selective_response":
        gaps.append(means["response", 1, "all"] - means["response", 0, "all"])
    return np.array(gaps)


def solve(found: Population, scenario: Scenario) -> np.ndarray:
    """Return the parameters that leave no residual in a population: Newton's method."""
    x = values_of(scenario)
    for step in range(ROUNDS):
        gaps = residuals(found, with_values(scenario, x))
        if np.abs(gaps).max() < CLOSE:
            return x
        if step < SLOPES:
            slopes = _slopes(found, scenario, x, gaps)
        x = x - np.linalg.solve(slopes, gaps)
    raise RuntimeError(f"{scenario.account}: no solution in {ROUNDS} steps; left {gaps}")


def _slopes(found: Population, scenario: Scenario, x: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """Return the derivatives of the residuals, by differences on the same random numbers."""
    moved = x + STEP * np.eye(len(x))
    columns = [(residuals(found, with_values(scenario, y)) - gaps) / STEP for y in moved]
    return np.array(columns).T


def main() -> int:
    """Solve both accounts in every population and print the means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--account", choices=list(PARAMETERS), action="append")
    asked = parser.parse_args()
    for account in asked.account or PARAMETERS:
        scenario = Scenario.named("phone_sample", account=account)
        solved = []
        for seed in SEEDS:
            solved.append(solve(population(scenario, asked.people, seed), scenario))
            print(account, seed, np.round(solved[-1], 4), file=sys.stderr, flush=True)
        mean = np.mean(solved, axis=0)
        error = np.std(solved, axis=0, ddof=1) / np.sqrt(len(solved))
        print(f"{account}: mean (Monte Carlo standard error)")
        for (table, key), m, e in zip(PARAMETERS[account], mean, error, strict=True):
            print(f"  {table}.{key} = {m:.4f} ({e:.4f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
