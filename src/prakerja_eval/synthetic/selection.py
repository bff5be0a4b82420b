"""Who gets in where no person's name is drawn? Districts drawn whole, or people who choose to."""

import numpy as np

from prakerja_eval.errors import UsageError
from prakerja_eval.synthetic.batches import Batches
from prakerja_eval.synthetic.draws import Draws, stream
from prakerja_eval.synthetic.lottery import NEVER, Assignment, Lottery
from prakerja_eval.synthetic.people import Persons
from prakerja_eval.typing import BoolArray, CodeArray, FloatArray, RealArray


def by_district(batches: Batches, district: CodeArray, draws: Draws) -> Assignment:
    """Return the assignment of a lottery among districts, within batches.

    Raises
    ------
    UsageError
        If a batch asks for a quota of people, or none of its districts would win, or none lose.
    """
    first = batches.first(draws.uniform("lottery.first"))
    offer = np.zeros(len(first), dtype=bool)
    chance = np.full(len(first), np.nan)
    number = stream(draws.seed, "lottery.district").random(int(district.max()) + 1)
    for k in np.unique(first):
        entry, mine = batches.entries[k], first == k
        if entry.odds is None:
            raise UsageError(
                f"lottery.batches, number {entry.number}: a lottery among districts needs odds "
                "(above 0 and below 1)."
            )
        present = np.unique(district[mine])
        n_places = entry.n_places(len(present), who="districts")
        winners = present[np.argsort(number[present], kind="stable")[:n_places]]
        offer[mine] = np.isin(district[mine], winners)
        chance[mine] = n_places / len(present)
    names = tuple(f"b{e.number:02d}, all districts" for e in batches.entries)
    return _assignment(first, first.astype(np.int32), names, chance, offer)


def by_choice(options: Lottery, batches: Batches, persons: Persons, draws: Draws) -> Assignment:
    """Return who selects themselves, with the chance that their traits give them."""
    first = batches.first(draws.uniform("lottery.first"))
    chance = selection_score(options, persons)
    chosen = draws.uniform("lottery.choice") < chance
    names = tuple(f"b{e.number:02d}" for e in batches.entries)
    return _assignment(first, first.astype(np.int32), names, chance, chosen)


def selection_score(options: Lottery, persons: Persons) -> FloatArray:
    """Return each person's chance of selecting themselves, (n,)."""
    index = (
        options.selection_constant
        + options.selection_education * (persons.education - 2.7) / 1.3
        + options.selection_age * (persons.age - 29.0) / 9.0
        + options.selection_female * (persons.female - 0.45) / 0.5
        + options.selection_ability * persons.ability
        + options.selection_motivation * persons.motivation
    )
    return np.asarray(1 / (1 + np.exp(-index)))


def _assignment(
    first: CodeArray, block: CodeArray, names: tuple[str, ...], chance: RealArray, offer: BoolArray
) -> Assignment:
    """Return an assignment in which nobody applies twice."""
    return Assignment(
        first=first,
        block=block,
        blocks=names,
        propensity=chance,
        offer=offer,
        win=np.where(offer, first, NEVER).astype(np.int8),
        later=np.full(len(first), NEVER, dtype=np.int8),
        applications=(np.uint32(1) << first.astype(np.uint32)),
    )
