"""What would each person's outcomes be in a wave: after winning, after losing, never receiving?"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from prakerja_eval.synthetic.draws import Draws
from prakerja_eval.synthetic.lottery import NEVER, Assignment
from prakerja_eval.synthetic.outcomes import ANSWERS, State, never
from prakerja_eval.synthetic.process import Lives, Process, crowds, lives, state_at
from prakerja_eval.synthetic.survey import Survey, response_chance
from prakerja_eval.synthetic.take_up import NOT_YET, cash
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

INCOMES = ("income", "income_gross")
TOLD = (*ANSWERS, *INCOMES)  # in the panel only where somebody answered
OUTCOMES = (*TOLD, "programme_cash", "received")
RECEIVED = OUTCOMES.index("received")


@dataclass(frozen=True, slots=True)
class Source:
    """What the truth is computed from: a world's process, what its lotteries did, its numbers."""

    process: Process
    assignment: Assignment
    draws: Draws

    @property
    def survey(self) -> Survey:
        """Return the survey's options."""
        return self.process.scenario.survey

    def parts(self) -> Iterator[tuple[Draws, Lives]]:
        """Give the people chunk by chunk, with what fixes all that can happen to them."""
        near = crowds(self.process, self.assignment, self.draws)
        for part in self.draws.parts():
            yield part, lives(self.process, self.assignment, part, near)


class Wave(NamedTuple):
    """Outcomes of n people in a wave, (n, K) in the order of ``OUTCOMES``.

    Attributes
    ----------
    won, lost : arrays
        After winning, and after losing, the first application.
    never, happened : arrays
        Without ever receiving, and as it happened.
    answers_won, answers_lost : (n,) arrays
        Chance to answer after winning and losing; 1 up to the baseline.
    """

    won: FloatArray
    lost: FloatArray
    never: FloatArray
    happened: FloatArray
    answers_won: FloatArray
    answers_lost: FloatArray


def weights(found: Lives) -> FloatArray:
    """Return sampling weights, (n,), zero for those who could not enter a lottery."""
    return np.where(found.assignment.block == NEVER, 0.0, found.persons.weight)


def offered(found: Lives, won: FloatArray, lost: FloatArray) -> FloatArray:
    """Return what happened: the outcome after winning or after losing."""
    offer: BoolArray = found.assignment.offer
    return np.where(offer if won.ndim == 1 else offer[:, None], won, lost)


def in_wave(process: Process, found: Lives, t: int) -> Wave:
    """Return the potential outcomes of a wave and the chances to answer it."""
    receipt, given = found.receipt, found.assignment
    won, if_won = _outcomes(process, found, t, receipt.if_offered)
    lost, if_lost = _outcomes(process, found, t, receipt.if_not)
    nothing, _ = _outcomes(process, found, t, never(len(found.persons)))
    opened = np.append(np.array(process.batches.months), NOT_YET)  # the last for -1, never
    return Wave(
        won=won,
        lost=lost,
        never=nothing,
        happened=offered(found, won, lost),
        answers_won=_chance(process, found, t, if_won, opened[given.first]),
        answers_lost=_chance(process, found, t, if_lost, opened[given.later]),
    )


def _outcomes(process: Process, found: Lives, t: int, month: IntArray) -> tuple[FloatArray, State]:
    """Return the outcomes of a wave given months of receipt, (n, K), and the state behind them."""
    state, now = state_at(process, found, t, month), found.latents[t].month
    paid = cash(process.scenario.take_up, replace(found.receipt, month=month), now)
    out = np.empty((len(month), len(OUTCOMES)))
    for k, name in enumerate(ANSWERS):
        out[:, k] = getattr(state, name)
    out[:, len(ANSWERS)] = state.income
    out[:, len(ANSWERS) + 1] = state.income + paid
    out[:, len(TOLD)] = paid
    out[:, RECEIVED] = month <= now
    return out, state


def _chance(process: Process, found: Lives, t: int, state: State, won: IntArray) -> FloatArray:
    """Return the chance to answer a wave of those who have a row in it and are not lost for good.

    Being lost, and having no row, depends on nothing, so that it leaves means alone.
    """
    survey = process.scenario.survey
    if t < survey.after:
        return np.ones(len(won))
    by_now = won <= found.latents[t].month
    return response_chance(survey, found.persons, survey.waves[t], by_now, state)


def as_told(survey: Survey, t: int, y: FloatArray) -> FloatArray:
    """Return what people tell of outcomes (n, K) on average, (n, told): incomes are rounded.

    Rounding as in ``survey.told_income``; the programme's cash is added after it.
    """
    told = np.array(y[:, : len(TOLD)])
    if t < survey.after or not survey.heaping:
        return told
    income = y[:, len(ANSWERS)]
    step = np.where(income > 5_000_000, 500_000, 50_000)
    rounded = np.rint(income / step) * step
    shift = survey.heaping * np.where(rounded > 0, rounded - income, 0.0)
    return np.concatenate([told[:, : len(ANSWERS)], told[:, len(ANSWERS) :] + shift[:, None]], 1)
