"""Whose effect does a row of an Estimate hold: everybody's, or that of some people or waves?

Labels name a population; what was handed in may have been a part of it. A row's specification says
what its average leaves out, and its people show what is missing of the world.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from prakerja_eval.synthetic.people import AGE_BANDS, draw_people
from prakerja_eval.synthetic.truth_labels import ON_COHORTS, key_of
from prakerja_eval.synthetic.truth_outcomes import Source
from prakerja_eval.typing import BoolArray, IntArray

PREFIX = "SYN-"
MARKS = ("binned", "balanced to event time", "pooled over waves", "waves before the start too")
GONE = ("left out: ", "without cohort ")
TRAITS = ("female", "urban", "priority", "education", "province")
EXPECTED = 20.0  # e^-20: so many people do not all stay away by chance


def partial(row: Mapping[str, object], waves: Sequence[str]) -> bool:
    """Say whether a row's specification leaves out waves, event times or cohorts of its average.

    Cohorts treated from the first wave on are in no average, so that leaving them out is none; a
    row of one cohort is that cohort's whatever others are left out.
    """
    said = str(row["specification"])
    if any(mark in said for mark in MARKS):
        return True
    gone = "".join(said.partition(word)[2] for word in GONE)
    if not any(wave in gone for wave in waves[1:]) or row["estimand"] not in ON_COHORTS:
        return False
    return key_of(row, waves)[3] is None


def places_of(ids: pd.Index) -> IntArray | None:
    """Return the places of people among all applicants, None if they are not a world's people."""
    names = ids.astype(str)
    numbers = names.str.removeprefix(PREFIX)
    if not len(names) or not (names.str.startswith(PREFIX) & numbers.str.isdigit()).all():
        return None
    return np.asarray(numbers, dtype=np.int64) - 1


def groups_of(source: Source) -> pd.DataFrame:
    """Return codes of blocks, batches and traits that the panel shows, a row an applicant."""
    process, given = source.process, source.assignment
    edges = np.array([low for low, _ in AGE_BANDS[1:]])
    parts = []
    for part in source.draws.parts():
        people = draw_people(process.scenario.people, process.places, part)
        codes = {name: np.asarray(getattr(people, name), dtype=np.int64) for name in TRAITS}
        codes["age"] = np.searchsorted(edges, people.age, side="right")
        parts.append(pd.DataFrame(codes))
    drawn = {"block": given.block, "batch": given.first}
    return pd.concat(parts, ignore_index=True).assign(**drawn)


def lacking(groups: pd.DataFrame, entered: BoolArray, present: IntArray, traits: bool) -> bool:
    """Say whether some people lack a whole group of those who entered a lottery.

    Non-response thins groups and empties none: at the people's overall share a group is missed if
    ``EXPECTED`` of it were to be there and nobody is. ``traits``: of traits alone, for those who
    have all received, not yet from every batch.
    """
    share = len(present) / max(int(entered.sum()), 1)
    for name in groups.columns.drop(["block", "batch"]) if traits else groups.columns:
        code = groups[name].to_numpy() - groups[name].min()
        everybody = np.bincount(code[entered])
        here = np.bincount(code[present], minlength=len(everybody))[: len(everybody)]
        if ((here == 0) & (share * everybody >= EXPECTED)).any():
            return True
    return False
