"""Who registered, applied and won, and what became of the places? Counts of a world."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from prakerja_eval.synthetic.calendar import month_label
from prakerja_eval.synthetic.draws import Draws
from prakerja_eval.synthetic.funnel import shares
from prakerja_eval.synthetic.lottery import NEVER, Round
from prakerja_eval.synthetic.process import persons_of, taken
from prakerja_eval.synthetic.take_up import NOT_YET, Receipt, receive
from prakerja_eval.typing import BoolArray, CodeArray, IntArray

if TYPE_CHECKING:
    from prakerja_eval.synthetic.world import World

NAMES = {
    "registered": "registered",
    "e_mail_verified": "e-mail verified",
    "identity_verified": "identity verified",
    "eligible": "eligible",
}
WITHOUT = "received without a place"
PLACES = (  # what people had, and what that is a part of
    ("won a place", ""),
    ("place revoked", "won a place"),
    ("place used, on record", "won a place"),
    ("received themselves", "place used, on record"),
    ("used by somebody else", "place used, on record"),
    ("completed a course", "received themselves"),
    (WITHOUT, ""),
)


class Drawn(NamedTuple):
    """The m applications of one batch: who, who won, and who was passed over."""

    batch: int
    person: CodeArray
    won: BoolArray
    passed_over: int


def funnel(world: "World") -> pd.DataFrame:
    """Return how many people stood at each stage before the lottery."""
    passed = shares(world.funnel)
    rows = [(NAMES[s], n, passed.get(s, np.nan)) for s, n in world.funnel.items()]
    return pd.DataFrame(rows, columns=["stage", "people", "passed"])


def kept_out(world: "World") -> int:
    """Return how many could never enter a lottery, since their household had its winners."""
    return int((world.assignment.block == NEVER).sum())


def batches(world: "World") -> pd.DataFrame:
    """Return applicants, quota, winners and odds of each batch."""
    given, process = world.assignment, world.process
    rows, freed, lapsed = [], 0, _revoked_by_batch(world)
    for found in _drawn(world):
        entry = process.batches.entries[found.batch]
        fresh = given.first[found.person] == found.batch
        n = len(found.person)
        by_odds = None if entry.odds is None else round(entry.odds * n)
        quota = freed if entry.recovery else entry.quota or by_odds
        freed = int(lapsed[found.batch]) + (0 if entry.recovery else freed)
        rows.append(
            {
                "batch": entry.number,
                "opened": month_label(process.batches.months[found.batch]),
                "applicants": n,
                "again": int((~fresh).sum()),
                "quota": quota if world.scenario.lottery.kind == "person" else None,
                "winners": int(found.won.sum()),
                "odds": _share(found.won),
                "odds_first": _share(found.won[fresh]),
                "odds_again": _share(found.won[~fresh]),
                "passed_over": found.passed_over,
            }
        )
    return pd.DataFrame(rows).astype({"quota": "Int64"})


def places(world: "World") -> pd.DataFrame:
    """Return what became of the places that were won."""
    total = sum(map(_counts, _receipts(world)), np.zeros(len(PLACES), dtype=np.int64))
    count = dict(zip((what for what, _ in PLACES), total.tolist(), strict=True))
    rows = [
        (what, count[what], of, count[what] / count[of] if of and count[of] else np.nan)
        for what, of in PLACES
        if count[what] or what != WITHOUT
    ]
    return pd.DataFrame(rows, columns=["what", "people", "of", "share"])


def _counts(receipt: Receipt) -> IntArray:
    """Return the counts of ``PLACES`` in a part of the people."""
    won, used = receipt.won != NOT_YET, receipt.on_record != NOT_YET
    received = receipt.month != NOT_YET
    own = used & received
    masks = (
        won,
        receipt.revoked,
        used,
        own,
        used & ~received,
        own & receipt.completed,
        received & ~used,
    )
    return np.array([mask.sum() for mask in masks], dtype=np.int64)


def _receipts(world: "World") -> Iterator[Receipt]:
    """Give what became of places, part by part of the people."""
    process, given = world.process, world.assignment
    for part in Draws(world.seed, 0, world.n_applicants).parts():
        persons, mine = persons_of(process, part), taken(given, part)
        months = process.batches.months
        yield receive(process.scenario.take_up, months, persons, mine, part)


def _revoked_by_batch(world: "World") -> IntArray:
    """Return how many places of each batch were revoked, (B,)."""
    revoked = np.concatenate([receipt.revoked for receipt in _receipts(world)])
    win = world.assignment.win[revoked]
    return np.bincount(win, minlength=len(world.process.batches))


def _drawn(world: "World") -> Iterator[Drawn]:
    """Give the applications of each batch."""
    if world.rounds:
        for found in world.rounds:
            yield Drawn(found.batch, found.person, found.won, _passed_over(found))
        return
    given = world.assignment
    for batch in world.process.batches:
        people = np.flatnonzero(given.first == batch)
        yield Drawn(batch, people, given.offer[people], 0)


def _passed_over(found: Round) -> int:
    """Return how many did not win with a number before the last that won in their stratum."""
    cut = np.full(len(found.strata.names), -1.0)
    code = found.strata.code
    np.maximum.at(cut, code[found.won], found.number[found.won])
    return int((~found.won & (found.number < cut[code])).sum())


def _share(won: BoolArray) -> float:
    return float(won.mean()) if len(won) else np.nan
