"""Who answers, after how many calls, and what do they say?

Waves up to the baseline are the registration form, which everybody filled in. Later waves are
interviews: by phone, where who answers may depend on schooling, device, arm and outcome, or in
person, where it depends on neither arm nor outcome.
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import UsageError
from prakerja_eval.synthetic.calendar import month_number
from prakerja_eval.synthetic.draws import Draws
from prakerja_eval.synthetic.limits import between, one_of, whole
from prakerja_eval.synthetic.outcomes import State
from prakerja_eval.synthetic.people import Persons
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Survey:
    """How people are interviewed.

    Attributes
    ----------
    waves : tuple of str
        Months, "2020-07".
    baseline : str
        The last wave of the registration form.
    mode : {"phone", "in_person"}
        Of the waves after the baseline.
    visits : tuple of str
        Waves after the baseline that are in person whatever the mode of the others.
    response : float
        Chance to answer of the average loser; 1 for everybody whatever the log odds below.
    education, urban, smartphone : float
        Log odds of answering for a level of schooling, in cities, with a smartphone.
    employed : float
        Log odds, among winners and losers, of those with work, by phone.
    winners : float
        Log odds for winners.
    winners_employed, winners_self_employed, winners_owner, winners_new_job, winners_pay : float
        Log odds, among winners, of those with work, with work of their own, with a business that
        has workers, with a new job, and for a unit of log pay (of those with work): selective
        response. These and ``winners`` hold by phone; who opens the door does not depend on them.
    lost : float
        Chance to be lost for good before each wave after the baseline: people lost stay lost, so
        that this part of the attrition is monotone.
    calls : int
        Call attempts, at most.
    missed : float
        Chance that any wave, registration included, is missing altogether.
    item : float
        Chance that somebody who answers does not tell their income.
    heaping : float
        Share of incomes told in round numbers (Rp 50,000, or 500,000 above Rp 5 million).
    denied, denied_in_person : float
        Chance that somebody who received says that they did not, by phone (where the programme
        itself asks) and in person (where a household answers a labour force survey).
    claimed : float
        Chance that a winner who did not receive says that they did.
    """

    waves: tuple[str, ...] = ("2020-02", "2020-07", "2021-05", "2021-09")
    baseline: str = "2020-07"
    mode: str = "phone"
    visits: tuple[str, ...] = ()
    response: float = 0.62
    education: float = 0.05
    urban: float = 0.1
    smartphone: float = 0.3
    employed: float = 0.0
    winners: float = 0.0
    winners_employed: float = 0.0
    winners_self_employed: float = 0.0
    winners_owner: float = 0.0
    winners_new_job: float = 0.0
    winners_pay: float = 0.0
    lost: float = 0.0
    calls: int = 6
    missed: float = 0.0
    item: float = 0.03
    heaping: float = 0.5
    denied: float = 0.03
    denied_in_person: float = 0.03
    claimed: float = 0.0

    def __post_init__(self) -> None:
        months = [month_number(w, "survey.waves") for w in self.waves]
        if months != sorted(set(months)) or len(months) < 2:
            raise UsageError(f"survey.waves = {list(self.waves)}: give 2 or more months that rise.")
        one_of("survey.baseline", self.baseline, self.waves[:-1])
        one_of("survey.mode", self.mode, ("phone", "in_person"))
        for wave in self.visits:
            one_of("survey.visits", wave, self.waves[self.after :])
        between("survey.response", self.response, 0.01, 1)
        tilts = ("employed", "self_employed", "owner", "new_job", "pay")
        for key in ("education", "urban", "smartphone", "employed", "winners"):
            between(f"survey.{key}", getattr(self, key), -5, 5)
        for key in tilts:
            between(f"survey.winners_{key}", getattr(self, f"winners_{key}"), -5, 5)
        whole("survey.calls", self.calls, 1, 30)
        for key in ("lost", "missed", "item", "heaping", "denied", "denied_in_person", "claimed"):
            between(f"survey.{key}", getattr(self, key), 0, 0.99)

    @property
    def months(self) -> tuple[int, ...]:
        """Return the waves' months from January 2020."""
        return tuple(month_number(w) for w in self.waves)

    @property
    def after(self) -> int:
        """Return the position of the first wave after the baseline."""
        return self.waves.index(self.baseline) + 1

    def how(self, wave: str) -> str:
        """Return how a wave is held: "registration", "phone" or "in_person"."""
        if wave <= self.baseline:
            return "registration"
        return "in_person" if wave in self.visits else self.mode


@dataclass(frozen=True, slots=True, eq=False)
class Calls:
    """Whether n people answer in a wave.

    Attributes
    ----------
    responded : (n,) bool array
    attempts : (n,) int array
        Calls made: up to the answer, or all of them.
    present : (n,) bool array
        Whether there is a row at all.
    """

    responded: BoolArray
    attempts: IntArray
    present: BoolArray


def call(
    options: Survey, persons: Persons, wave: str, won: BoolArray, state: State, draws: Draws
) -> Calls:
    """Return who answers in a wave.

    Each call finds a person with the same chance, so that the chance of an answer within the calls
    allowed is the one that the options say.

    Parameters
    ----------
    options : Survey
    persons : Persons
    wave : str
    won : (n,) bool array
        Who has won by this wave.
    state : State
        Work and pay in this wave.
    draws : Draws
    """
    seen = draws.uniform(f"survey.missed.{wave}") >= options.missed
    if wave <= options.baseline:
        return Calls(seen, np.zeros(len(seen), dtype=np.int64), seen)
    chance = response_chance(options, persons, wave, won, state)
    u = draws.uniform(f"survey.response.{wave}")
    with np.errstate(divide="ignore"):  # a chance of 1 is an answer to the first call
        each = -np.log1p(-chance) / options.calls  # minus the log of the chance that a call fails
    needed = np.floor(-np.log1p(-u) / each) + 1
    made = np.minimum(needed, options.calls).astype(np.int64)
    found = (needed <= options.calls) & ~_lost(options, wave, draws)
    return Calls(found & seen, np.where(found, made, options.calls), seen)


def _lost(options: Survey, wave: str, draws: Draws) -> BoolArray:
    """Return who is lost for good by a wave, (n,)."""
    chances = options.waves.index(wave) - options.after + 1
    return np.asarray(draws.uniform("survey.lost") >= (1 - options.lost) ** chances)


def response_chance(
    options: Survey, persons: Persons, wave: str, won: BoolArray, state: State
) -> FloatArray:
    """Return each person's chance to answer a wave unless lost for good, (n,)."""
    if options.response == 1:
        return np.ones(len(persons))
    index = options.education * (persons.education - 2.7)
    index = index + np.log(options.response / (1 - options.response))
    index = index + options.urban * (persons.urban - 0.76)
    index = index + options.smartphone * (persons.smartphone - 0.85)
    if options.how(wave) == "in_person":
        return np.asarray(1 / (1 + np.exp(-index)))
    index = index + options.employed * state.employed
    tilt = options.winners + options.winners_employed * state.employed
    tilt = tilt + options.winners_self_employed * state.self_employed
    tilt = tilt + options.winners_owner * state.owns_business
    tilt = tilt + options.winners_new_job * state.new_job
    if options.winners_pay:
        log_pay = np.log(np.maximum(state.income, 1)) - 14.3
        tilt = tilt + options.winners_pay * np.where(state.employed, log_pay, 0.0)
    index = index + won * tilt
    return np.asarray(1 / (1 + np.exp(-index)))


def told_income(options: Survey, income: IntArray, wave: str, draws: Draws) -> FloatArray:
    """Return incomes as told, (n,): some in round numbers, some not at all (NaN)."""
    step = np.where(income > 5_000_000, 500_000, 50_000)
    rounded = np.rint(income / step) * step
    heaps = (draws.uniform(f"survey.heaping.{wave}") < options.heaping) & (rounded > 0)
    silent = draws.uniform(f"survey.item.{wave}") < options.item
    return np.where(silent, np.nan, np.where(heaps, rounded, income))


def told_receipt(
    options: Survey, wave: str, received: BoolArray, won: BoolArray, draws: Draws
) -> BoolArray:
    """Return who says that they received, (n,); to the same kind of interview always the same."""
    u = draws.uniform("survey.receipt")
    denied = options.denied_in_person if options.how(wave) == "in_person" else options.denied
    return np.where(received, u >= denied, won & (u < options.claimed))
