"""Who was treated when, and what holds up the answer? The tables of a study of staggered starts."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from prakerja_eval import did
from prakerja_eval.panel import Panel
from prakerja_eval.study.details import details
from prakerja_eval.study.results import OverTime
from prakerja_eval.study.schema import Outcome, Plan, StaggeredEntry
from prakerja_eval.study.staggered import Effects
from prakerja_eval.tables.disclosure import hide_flow


@dataclass(frozen=True, slots=True, eq=False)
class Behind:
    """What stands behind one outcome of a staggered entry: tables, in the order of ``OverTime``."""

    details: pd.DataFrame


def behind_of(
    panel: Panel, entry: StaggeredEntry, outcome: Outcome, found: Effects, plan: Plan
) -> Behind:
    """Return the tables behind one outcome of a staggered entry."""
    return Behind(details=pd.concat(details(found, entry, plan), ignore_index=True))


def over_time(panel: Panel, plan: Plan, behind: Sequence[Behind]) -> OverTime:
    """Return the tables of a study, with the map and the paths of a panel, small cells hidden."""
    return OverTime(
        details=pd.concat([b.details for b in behind], ignore_index=True),
        adoption=hide_flow(did.status_map(panel), ["n"]),
        paths=pd.concat([_paths(panel, o.column) for o in plan.outcomes], ignore_index=True),
    )


def _paths(panel: Panel, outcome: str) -> pd.DataFrame:
    """Return means by cohort and wave, without those of few people and one more a wave."""
    rows = hide_flow(did.cohort_paths(panel, outcome), ["n"])
    blank = rows["n"].isna()
    return rows.assign(mean=rows["mean"].mask(blank), std_error=rows["std_error"].mask(blank))
