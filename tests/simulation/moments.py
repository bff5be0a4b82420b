"""What would a survey show on average? Exact over offers, calls and answers, given the people.

Every person has a chance to answer after winning and after losing the first application, and an
outcome in either case. Weighted means over people need no draw of who wins, who is called and who
answers: what is left of chance is who the people are.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from prakerja_eval.synthetic import Scenario
from prakerja_eval.synthetic.draws import Draws
from prakerja_eval.synthetic.outcomes import State, never
from prakerja_eval.synthetic.process import Lives, Process, assignment, begin, lives, state_at
from prakerja_eval.synthetic.survey import Survey, response_chance
from prakerja_eval.synthetic.take_up import NOT_YET

PEOPLE = 400_000
SEED = 2_001  # neither of the seeds that solved the accounts nor of those that are drawn
OUTCOMES = ("employed", "self_employed", "owns_business", "new_job", "certificate")
NAMES = (*OUTCOMES, "financial_account", "income")
Key = tuple[str, int, str]


@dataclass(frozen=True, eq=False)
class Population:
    """The people of a scenario, and what fixes all that can happen to them."""

    process: Process
    parts: tuple[Lives, ...]


def population(scenario: Scenario, n: int = PEOPLE, seed: int = SEED) -> Population:
    """Draw the people of a scenario."""
    process, draws = begin(scenario), Draws(seed, 0, n)
    given = assignment(process, draws)
    return Population(process, tuple(lives(process, given, part) for part in draws.parts()))


class Sums:
    """Sums of weights and of weighted values by key, and their ratios."""

    def __init__(self) -> None:
        self.total: dict[Key, np.ndarray] = defaultdict(lambda: np.zeros(2))

    def add(self, key: Key, weight: np.ndarray, value: np.ndarray) -> None:
        self.total[key] += float((weight * value).sum()), float(weight.sum())

    def means(self) -> dict[Key, float]:
        return {key: total / weight for key, (total, weight) in self.total.items() if weight}


def by_arm(found: Population, scenario: Scenario, wave: int = -1) -> dict[Key, float]:
    """Return means by (name, arm, who), arm 1 having won the first application and 0 lost it.

    Who: "all"; "frame", those whom a phone survey can reach; "answering"; "call k", those who
    answer to the k-th call. Besides the outcomes there are "response" (the chance to answer),
    "before" (had work at the baseline), "received" and "said" (would say that they received).

    `scenario` may differ from the population's in the effects and in the survey.
    """
    process = Process(scenario, found.process.places, found.process.batches)
    sums = Sums()
    for part in found.parts:
        for arm in (1, 0):
            _add_arm(sums, process, part, arm, wave)
    return sums.means()


def _add_arm(sums: Sums, process: Process, part: Lives, arm: int, wave: int) -> None:
    survey = process.scenario.survey
    t = range(len(part.latents))[wave]
    month = part.latents[t].month
    receipt = part.receipt.if_offered if arm else part.receipt.if_not
    state = state_at(process, part, t, receipt)
    won = _won(process, part, arm) <= month
    chance = response_chance(survey, part.persons, survey.waves[t], won, state)
    weight = part.persons.weight * (part.assignment.block >= 0)
    who = {"all": weight, "frame": weight * part.persons.reachable, "answering": weight * chance}
    columns = {name: getattr(state, name).astype(float) for name in NAMES}
    got = receipt <= month
    said = _said(survey, t, got, won)
    columns |= {"before": part.before * 1.0, "received": got * 1.0, "said": said}
    for name, values in columns.items():
        for group, w in who.items():
            sums.add((name, arm, group), w, values)
    sums.add(("response", arm, "all"), weight, chance)
    for k, w in _by_call(survey, chance):
        sums.add(("employed", arm, f"call {k}"), weight * w, columns["employed"])


def _won(process: Process, part: Lives, arm: int) -> np.ndarray:
    """Return the month of the batch won after winning, or losing, the first application."""
    months, given = np.array(process.batches.months), part.assignment
    if arm:
        return months[given.first]
    return np.where(given.later >= 0, months[given.later], NOT_YET)


def _said(survey: Survey, t: int, got: np.ndarray, won: np.ndarray) -> np.ndarray:
    """Return the chance to say that one received."""
    visited = survey.how(survey.waves[t]) == "in_person"
    denied = survey.denied_in_person if visited else survey.denied
    return np.where(got, 1 - denied, won * survey.claimed)


def _by_call(survey: Survey, chance: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Return the chance that the answer comes at each call: calls are alike and independent."""
    silent = (1 - chance) ** (1 / survey.calls)
    return [(k + 1, silent**k * (1 - silent)) for k in range(survey.calls)]


def effect(means: Mapping[Key, float], name: str, who: str = "answering") -> float:
    """Return the difference between the arms; of income in parts of the losers' mean."""
    won, lost = means[name, 1, who], means[name, 0, who]
    return (won - lost) / (lost if name == "income" else 1.0)


def recipients(found: Population, scenario: Scenario, wave: int = -2) -> dict[str, float]:
    """Return shares among those who have received by the administration's records.

    "received" truly, "reported" receipt when they answer, the same of "received_frame",
    "received_others" by whether a phone survey can reach them, and work "before" and "after" of
    those who answer.
    """
    process = Process(scenario, found.process.places, found.process.batches)
    sums = Sums()
    for part in found.parts:
        _add_recipients(sums, process, part, wave)
    return {name: value for (name, _, _), value in sums.means().items()}


def _add_recipients(sums: Sums, process: Process, part: Lives, wave: int) -> None:
    t = range(len(part.latents))[wave]
    month, survey = part.latents[t].month, process.scenario.survey
    state = state_at(process, part, t, part.receipt.month)
    first = state_at(process, part, survey.waves.index(survey.baseline), never(len(part.before)))
    won = part.receipt.won <= month
    chance = response_chance(survey, part.persons, survey.waves[t], won, state)
    listed = part.persons.weight * (part.receipt.on_record <= month)
    got, reach = part.receipt.month <= month, part.persons.reachable
    columns = {"received": (listed, got), "received_frame": (listed * reach, got)}
    columns |= {"received_others": (listed * ~reach, got)}
    columns |= {"reported": (listed * chance, _said(survey, t, got, won))}
    columns |= _status("before", first, listed * chance) | _status("after", state, listed * chance)
    for name, (weight, values) in columns.items():
        sums.add((name, 1, ""), weight, values)


def _status(
    when: str, state: State, weight: np.ndarray
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the columns of work and of own work at a time."""
    return {
        when: (weight, state.employed * 1.0),
        f"{when}_own": (weight, state.self_employed * 1.0),
    }
