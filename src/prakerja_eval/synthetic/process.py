"""How does one layer follow from the other? People, lottery, take-up, outcomes, survey."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from prakerja_eval.synthetic import lottery, selection
from prakerja_eval.synthetic.batches import Batches
from prakerja_eval.synthetic.draws import Draws
from prakerja_eval.synthetic.effects import strengths
from prakerja_eval.synthetic.lottery import Applicants, Assignment, Round
from prakerja_eval.synthetic.outcomes import Latent, State, latents, never, realise
from prakerja_eval.synthetic.people import Persons, draw_people
from prakerja_eval.synthetic.places import Places, places
from prakerja_eval.synthetic.scenario import Scenario
from prakerja_eval.synthetic.survey import Calls, call
from prakerja_eval.synthetic.take_up import Receipt, receive
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

BY_PERSON = tuple(f.name for f in fields(Assignment) if f.name != "blocks")


@dataclass(frozen=True, slots=True)
class Process:
    """A scenario with what follows from it alone."""

    scenario: Scenario
    places: Places
    batches: Batches


def begin(scenario: Scenario) -> Process:
    """Return a scenario's places and batches.

    Raises
    ------
    UsageError
        For an unknown province, or batches that are none.
    """
    people = scenario.people
    where = places(people.provinces, people.districts, people.oversampling)
    return Process(scenario, where, Batches.of(scenario.lottery.batches))


def assignment(
    process: Process, draws: Draws, on_round: Callable[[Round], None] = lambda _round: None
) -> Assignment:
    """Return who wins among all applicants.

    Raises
    ------
    UsageError
        If a batch has no winner or no loser.
    """
    scenario = process.scenario
    options, batches = scenario.lottery, process.batches
    if options.kind == "self_selection":
        parts = [
            selection.by_choice(options, batches, persons_of(process, part), part)
            for part in draws.parts()
        ]
        return joined(parts)
    who = _applicants(process, draws)
    if options.kind == "district":
        return selection.by_district(batches, who.district, draws)
    revoked = np.array([scenario.take_up.revoked(m) for m in batches.months])
    return lottery.assign(options, batches, who, process.places, draws, revoked, on_round)


def persons_of(process: Process, part: Draws) -> Persons:
    """Return the people of a part."""
    return draw_people(process.scenario.people, process.places, part)


def _applicants(process: Process, draws: Draws) -> Applicants:
    """Return what the lottery knows of everybody, in small arrays."""
    parts, by_district = [], process.scenario.lottery.kind == "district"
    for part in draws.parts():
        who = persons_of(process, part)
        parts.append(
            (
                who.province.astype(np.int8),
                who.household.astype(np.int32),
                who.district.astype(np.int16) if by_district else who.district[:0],
                who.priority,
                who.motivation.astype(np.float32),
            )
        )
    return Applicants(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def joined(parts: list[Assignment]) -> Assignment:
    """Return one assignment for all parts."""
    whole = {name: np.concatenate([getattr(p, name) for p in parts]) for name in BY_PERSON}
    return Assignment(**whole, blocks=parts[0].blocks)


def taken(assignment: Assignment, part: Draws) -> Assignment:
    """Return the assignment of a part of the people."""
    rows = slice(part.start, part.stop)
    mine = {name: getattr(assignment, name)[rows] for name in BY_PERSON}
    return Assignment(**mine, blocks=assignment.blocks)


class Lives(NamedTuple):
    """The people of a part, with what fixes all that can happen to them.

    Attributes
    ----------
    persons : Persons
    assignment : Assignment
    receipt : Receipt
    latents : list of T Latent
        One a wave.
    before : (n,) bool array
        Who had work at the baseline.
    saturation : (T, n) array or None
        Share of the district's other applicants who have received, wave by wave; None where
        nothing depends on it.
    """

    persons: Persons
    assignment: Assignment
    receipt: Receipt
    latents: list[Latent]
    before: BoolArray
    saturation: FloatArray | None


class Crowd(NamedTuple):
    """How many applicants each of D districts has, and how many of them have received.

    Attributes
    ----------
    people : (D,) array
    received : (T, D) array
        By wave.
    """

    people: FloatArray
    received: FloatArray

    def others(self, district: IntArray, own: BoolArray) -> FloatArray:
        """Return the share of each person's district that has received but for themselves, (T, n).

        ``own`` (T, n) is who has received, as it happened: a potential outcome is a person's own,
        everybody else's receipt given.
        """
        left = np.maximum(self.people[district] - 1, 1)
        return np.asarray((self.received[:, district] - own) / left)


def crowds(process: Process, assignment: Assignment, draws: Draws) -> Crowd | None:
    """Return how many have received in each district; None where there is no displacement."""
    scenario = process.scenario
    if not scenario.effects.displacement:
        return None
    n_districts = int(process.places.districts.sum())
    people, got = np.zeros(n_districts), np.zeros((len(scenario.survey.months), n_districts))
    for part in draws.parts():
        persons, mine = persons_of(process, part), taken(assignment, part)
        receipt = receive(scenario.take_up, process.batches.months, persons, mine, part)
        people += np.bincount(persons.district, minlength=n_districts)
        for t, month in enumerate(scenario.survey.months):
            has = persons.district[receipt.month <= month]
            got[t] += np.bincount(has, minlength=n_districts)
    return Crowd(people, got)


def lives(
    process: Process,
    assignment: Assignment,
    part: Draws,
    crowd: Crowd | None = None,
) -> Lives:
    """Return the people of a part and what fixes their potential outcomes in every wave.

    Parameters
    ----------
    process : Process
    assignment : Assignment
        Of everybody.
    part : Draws
    crowd : Crowd, optional
        What ``crowds`` returns.
    """
    scenario, batches = process.scenario, process.batches
    persons, mine = persons_of(process, part), taken(assignment, part)
    receipt = receive(scenario.take_up, batches.months, persons, mine, part)
    applied = np.array(batches.months)[mine.first]
    strength = strengths(scenario.effects, persons, batches.order[mine.first], part)
    pay = process.places.pay[persons.province]
    options = scenario.outcomes
    found = latents(options, persons, scenario.survey.months, applied, strength, pay, part)
    start = found[scenario.survey.after - 1]
    nobody = never(len(persons))
    before = realise(options, scenario.effects, start, nobody, np.zeros(len(persons), bool))
    near = None
    if crowd is not None:
        own = np.stack([receipt.month <= month for month in scenario.survey.months])
        near = crowd.others(persons.district, own)
    return Lives(persons, mine, receipt, found, before.employed, near)


class Seen(NamedTuple):
    """What happens to a part's people: one State and one Calls a wave."""

    lives: Lives
    states: list[State]
    calls: list[Calls]


def observe(
    process: Process,
    assignment: Assignment,
    part: Draws,
    crowd: Crowd | None = None,
) -> Seen:
    """Return what happens to the people of a part, and who answers; see ``lives``."""
    found = lives(process, assignment, part, crowd)
    states, calls = [], []
    for t in range(len(found.latents)):
        state = state_at(process, found, t, found.receipt.month)
        states.append(state)
        calls.append(calls_at(process, found, t, state, found.receipt.won, part))
    return Seen(found, states, calls)


def state_at(process: Process, found: Lives, t: int, receipt: IntArray) -> State:
    """Return work and pay in a wave, given months of receipt."""
    scenario, near = process.scenario, found.saturation
    state = realise(
        scenario.outcomes,
        scenario.effects,
        found.latents[t],
        receipt,
        found.before,
        0.0 if near is None else near[t],
    )
    if t < scenario.survey.after:  # a job is new against the baseline, so that none is new before
        return state._replace(new_job=np.zeros_like(state.new_job))
    return state


def calls_at(
    process: Process, found: Lives, t: int, state: State, won: IntArray, part: Draws
) -> Calls:
    """Return who answers in a wave, given work and pay and the month of the batch won."""
    survey = process.scenario.survey
    by_now = won <= found.latents[t].month
    return call(survey, found.persons, survey.waves[t], by_now, state, part)
