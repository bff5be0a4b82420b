"""Who wins, in which batch, and with what odds? Batches, quotas, re-application, household cap.

A batch's applicants are those who apply for the first time and losers who try again. Names are
drawn by lottery number within strata of province and priority group, down to the quota; a person
whose household already has its two winners is passed over. Winners never enter again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from prakerja_eval.synthetic import kernel_lottery
from prakerja_eval.synthetic.batches import PROGRAMME, Batches, Entry
from prakerja_eval.synthetic.draws import Draws
from prakerja_eval.synthetic.limits import between, one_of, whole
from prakerja_eval.synthetic.odds import Chances, chances_of
from prakerja_eval.synthetic.places import Places
from prakerja_eval.synthetic.strata import Strata, places_of, strata
from prakerja_eval.typing import BoolArray, CodeArray, FloatArray, RealArray

NEVER = -1


@dataclass(frozen=True, slots=True)
class Lottery:
    """How places are given out.

    Attributes
    ----------
    kind : {"person", "district", "self_selection"}
        Whose name is drawn; or nobody's, and people select themselves.
    batches : tuple of Entry
        In order of time; left out, batches 5 to 14 of the programme.
    priority_advantage : float
        Chance of winning of the priority group over that of the others, within a batch.
    reapply : float
        Chance that a loser of average motivation tries again in the next batch; who does not has
        given up. An assumption: it is not published.
    reapply_motivation : float
        How much likelier (log odds) for a standard deviation of motivation.
    household_cap : int
        Winners a household may have; 0 for no cap.
    fewest_winners : float
        Winners (and losers) that the first applications of a stratum must be expected to have, else
        it is merged with others.
    selection_constant, selection_education, selection_age, selection_female, selection_ability, \
selection_motivation : float
        Log odds of selecting oneself: at the mean, and for a standard deviation of each.
    """

    kind: str = "person"
    batches: tuple[Entry, ...] = PROGRAMME
    priority_advantage: float = 1.4
    reapply: float = 0.5
    reapply_motivation: float = 0.5
    household_cap: int = 2
    fewest_winners: float = 20.0
    selection_constant: float = -0.8
    selection_education: float = 0.0
    selection_age: float = 0.0
    selection_female: float = 0.0
    selection_ability: float = 0.0
    selection_motivation: float = 0.0

    def __post_init__(self) -> None:
        one_of("lottery.kind", self.kind, ("person", "district", "self_selection"))
        between("lottery.priority_advantage", self.priority_advantage, 0.1, 10)
        between("lottery.reapply", self.reapply, 0, 0.95)
        between("lottery.reapply_motivation", self.reapply_motivation, -3, 3)
        whole("lottery.household_cap", self.household_cap, 0, 20)
        between("lottery.fewest_winners", self.fewest_winners, 1, 1_000)
        for key in ("constant", "education", "age", "female", "ability", "motivation"):
            between(f"lottery.selection_{key}", getattr(self, f"selection_{key}"), -5, 5)
        Batches.of(self.batches)


@dataclass(frozen=True, slots=True, eq=False)
class Applicants:
    """What the lottery knows of all n people: small arrays, in the order of their places.

    Attributes
    ----------
    province, household, district : (n,) int arrays
    priority : (n,) bool array
    motivation : (n,) array
    """

    province: CodeArray
    household: CodeArray
    district: CodeArray
    priority: BoolArray
    motivation: RealArray

    def __len__(self) -> int:
        return len(self.province)


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """The m applications of one batch.

    Attributes
    ----------
    batch : int
        Place of the batch among the scenario's.
    person : (m,) int array
    strata : Strata
    number : (m,) array
        Lottery number in [0, 1), lower is earlier.
    chances : Chances
        Of winning, before numbers are drawn.
    won : (m,) bool array
    imagined : (l,) int array
        Winners of their first application who, had they lost it, would have tried again here.
    would_win : (l,) bool array
        Who of them would have won.
    """

    batch: int
    person: CodeArray
    strata: Strata
    number: FloatArray
    chances: Chances
    won: BoolArray
    imagined: CodeArray
    would_win: BoolArray

    @property
    def propensity(self) -> FloatArray:
        """Return each applicant's chance of winning before numbers are drawn, (m,)."""
        return self.chances.of_all


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """What the lotteries did to each of n people.

    Attributes
    ----------
    first : (n,) int array
        Batch of the first application, as its place among the scenario's batches.
    block : (n,) int array
        Stratum of the first application, in ``blocks``; -1 for people who could not win, since
        their household already had its winners.
    blocks : tuple of str
        Such as "b07, Jawa Barat, priority".
    propensity : (n,) array
        Chance of winning at the first application; NaN for people who could not win.
    offer : (n,) bool array
        Who won at the first application.
    win : (n,) int array
        Batch won in, -1 for never.
    later : (n,) int array
        Batch that would have been, or was, won in after losing the first; -1 for none.
    applications : (n,) int array
        Bit k is set for who applied in batch k.
    """

    first: CodeArray
    block: CodeArray
    blocks: tuple[str, ...]
    propensity: RealArray
    offer: BoolArray
    win: CodeArray
    later: CodeArray
    applications: CodeArray


class _State:
    """What is known after the batches so far; it changes from batch to batch, in this module alone.

    ``later`` follows everyone as if the first application had been lost: for losers that is what
    happens, for winners what would have.
    """

    def __init__(self, first: CodeArray) -> None:
        n = len(first)
        self.first = first
        self.block = np.full(n, NEVER, dtype=np.int16)
        self.situation = np.full(n, NEVER, dtype=np.int32)  # of the first application
        self.win = np.full(n, NEVER, dtype=np.int8)
        self.later = np.full(n, NEVER, dtype=np.int8)
        self.applied = np.zeros(n, dtype=np.uint32)
        self.losing = np.zeros(n, dtype=bool)  # lost the last batch, or would have
        self.winners = np.zeros(n, dtype=np.int8)  # by household
        self.blocks: list[str] = []
        self.chances: list[FloatArray] = []  # of each situation, batch by batch
        self.revoked = 0  # places that a recovery batch can give out


Numbered: TypeAlias = tuple[CodeArray, FloatArray]  # people and their lottery numbers


def assign(
    options: Lottery,
    batches: Batches,
    applicants: Applicants,
    places: Places,
    draws: Draws,
    revoked: FloatArray,
    on_round: Callable[[Round], None] = lambda _round: None,
) -> Assignment:
    """Return who won; ``on_round`` is given the applications of each batch.

    Parameters
    ----------
    revoked : (B,) array
        Share of a batch's winners whose place is revoked later.

    Raises
    ------
    UsageError
        If a batch has fewer applicants than places, or no winner, or no loser.
    """
    state = _State(_collected(draws, lambda part: batches.first(part.uniform("lottery.first"))))
    for k in batches:
        entry = batches.entries[k]
        found = _round(options, entry, applicants, places, draws, k, state)
        _record(found, entry, applicants.household, state)
        lapses = _lapses(found.person[found.won], revoked[k], draws)
        state.revoked = lapses + (0 if entry.recovery else state.revoked)
        on_round(found)
    return Assignment(
        first=state.first,
        block=state.block,
        blocks=tuple(state.blocks),
        propensity=np.concatenate([*state.chances, [np.nan]])[state.situation],
        offer=state.win == state.first,
        win=state.win,
        later=state.later,
        applications=state.applied,
    )


def _collected(draws: Draws, column: Callable[[Draws], CodeArray]) -> CodeArray:
    """Return a column of everybody, made part by part so that nothing wide is held, (n,)."""
    return np.concatenate([column(part) for part in draws.parts()])


def _round(
    options: Lottery,
    entry: Entry,
    applicants: Applicants,
    places: Places,
    draws: Draws,
    k: int,
    state: _State,
) -> Round:
    """Draw one batch's lottery."""
    (real, number), (late, late_number) = _entering(options, applicants, draws, entry, k, state)
    n_places = entry.n_places(len(real), revoked=state.revoked)
    odds = n_places / len(real)
    fresh = state.first[real] == k if entry.first else np.ones(len(real), dtype=bool)
    need = options.fewest_winners / min(odds, 1 - odds)
    found = strata(applicants.province[real], applicants.priority[real], fresh, places, need)
    quota = places_of(n_places, found, options.priority_advantage)
    home, room = _homes(options, applicants.household[real], state.winners)
    outcome = kernel_lottery.draw(number, found.code, home, quota, room)
    chances = chances_of(found.code, home, quota, room)
    # who would have come back: with a number before the last that won, one of the winners' places
    # would have been theirs; the household has room, since the place won at first is not taken
    code = found.table[applicants.province[late], applicants.priority[late].astype(np.int64)]
    would = (code >= 0) & (late_number <= outcome.cut[code])
    return Round(k, real, found, number, chances, outcome.won, late, would)


def _homes(
    options: Lottery, household: CodeArray, winners: CodeArray
) -> tuple[CodeArray, CodeArray]:
    """Return applicants' households as 0 .. H-1, (m,), and how many of each may still win, (H,).

    Applicants stand in order of their places, so that those of one household stand together.
    """
    begins = np.append(True, household[1:] != household[:-1])
    room = _cap(options) - winners[household[begins]].astype(np.int16)
    return np.cumsum(begins, dtype=np.int32) - np.int32(1), room


def _cap(options: Lottery) -> int:
    """Return how many of a household may win."""
    return options.household_cap or 1_000


def _entering(
    options: Lottery,
    applicants: Applicants,
    draws: Draws,
    entry: Entry,
    k: int,
    state: _State,
) -> tuple[Numbered, Numbered]:
    """Return who enters a batch and their lottery numbers; and who would have, and theirs.

    The latter are winners of their first application, followed as if they had lost it. People whose
    household has all its winners cannot enter.
    """
    entering, imagined = [], []
    for part in draws.parts():
        rows = slice(part.start - draws.start, part.stop - draws.start)
        pull = options.reapply_motivation * applicants.motivation[rows]
        again = part.uniform(f"lottery.reapply.{entry.number}") < _shifted(options.reapply, pull)
        waiting = state.losing[rows] & again
        place = np.arange(rows.start, rows.stop, dtype=np.int32)
        number = part.uniform(f"lottery.number.{entry.number}")
        has_won = state.win[rows] != NEVER
        full = state.winners[applicants.household[rows]] >= _cap(options)
        enters = ((state.first[rows] == k) | waiting) & ~has_won & ~full
        entering.append((place[enters], number[enters]))
        imagined.append((place[waiting & has_won], number[waiting & has_won]))
    return _together(entering), _together(imagined)


def _together(parts: list[Numbered]) -> Numbered:
    """Return the people and numbers of all parts."""
    return np.concatenate([p for p, _ in parts]), np.concatenate([n for _, n in parts])


def _shifted(share: float, shift: RealArray) -> FloatArray:
    """Return a share whose log odds are shifted, (n,)."""
    odds = share / (1 - share) * np.exp(shift)
    return np.asarray(odds / (1 + odds))


def _record(found: Round, entry: Entry, household: CodeArray, state: _State) -> None:
    """Write down what a batch's lottery did."""
    k, person, won = found.batch, found.person, found.won
    state.applied[person] |= np.uint32(1 << k)
    fresh = state.first[person] == k
    state.block[person[fresh]] = found.strata.code[fresh] + len(state.blocks)
    before = sum(len(c) for c in state.chances)
    state.situation[person[fresh]] = found.chances.code[fresh] + np.int32(before)
    state.chances.append(found.chances.value)
    state.blocks += [f"b{entry.number:02d}, {name}" for name in found.strata.names]
    state.win[person[won]] = k
    state.later[person[won & ~fresh]] = k
    state.later[found.imagined[found.would_win]] = k
    state.losing[:] = False
    state.losing[person[~won | fresh]] = True
    state.losing[found.imagined[~found.would_win]] = True
    np.add.at(state.winners, household[person[won]], 1)


def _lapses(winners: CodeArray, share: float, draws: Draws) -> int:
    """Return how many of a batch's winners lose their place again."""
    edges = np.searchsorted(winners, [p.stop - draws.start for p in draws.parts()])
    count = 0
    for part, mine in zip(draws.parts(), np.split(winners, edges), strict=False):
        lost = part.uniform("take_up.revoked") < share
        count += int(lost[mine - (part.start - draws.start)].sum())
    return count
