"""Who was treated when, and what holds up the answer? The tables of a study of staggered starts."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import pandas as pd

from prakerja_eval import did
from prakerja_eval.panel import Panel
from prakerja_eval.study import evidence
from prakerja_eval.study.details import details
from prakerja_eval.study.results import OverTime
from prakerja_eval.study.schema import Outcome, Plan, StaggeredEntry
from prakerja_eval.study.staggered import Effects
from prakerja_eval.tables.disclosure import hide_flow

Behind: TypeAlias = Mapping[str, pd.DataFrame]  # tables by their name in OverTime
COLUMNS = {
    "pretrends": evidence.PRETRENDS,
    "sensitivity": evidence.SENSITIVITY,
    "decomposition": evidence.DECOMPOSITION,
    "weights": evidence.WEIGHTS,
    "mixture": evidence.MIXTURE,
}


def behind_of(
    panel: Panel, entry: StaggeredEntry, outcome: Outcome, found: Effects, plan: Plan
) -> Behind:
    """Return the tables behind one outcome of a staggered entry."""
    tests = list(evidence.pretrends(panel, entry, outcome.column, found, plan.level))
    robust = evidence.sensitivity(entry, outcome.column, found, plan.level)
    return {
        "details": pd.concat(details(found, entry, plan), ignore_index=True),
        "pretrends": pd.DataFrame(tests, columns=list(evidence.PRETRENDS)),
        "sensitivity": _stacked("", [{"": t} for t in robust], evidence.SENSITIVITY),
        **evidence.mixture(panel, entry, outcome.column),
    }


def over_time(panel: Panel, plan: Plan, behind: Sequence[Behind]) -> OverTime:
    """Return the tables of a study, with the map and the paths of a panel, small cells hidden."""
    return OverTime(
        details=_stacked("details", behind),
        adoption=hide_flow(did.status_map(panel), ["n"]),
        paths=pd.concat([_paths(panel, o.column) for o in plan.outcomes], ignore_index=True),
        **{key: _stacked(key, behind, columns) for key, columns in COLUMNS.items()},
    )


def _stacked(key: str, behind: Sequence[Behind], columns: Sequence[str] = ()) -> pd.DataFrame:
    tables = [tables[key] for tables in behind if key in tables and len(tables[key])]
    if not tables:
        return pd.DataFrame(columns=list(columns))
    stacked = pd.concat(tables, ignore_index=True)
    return stacked.reindex(columns=list(columns)) if columns else stacked


def _paths(panel: Panel, outcome: str) -> pd.DataFrame:
    """Return means by cohort and wave, without those of few people and one more a wave."""
    rows = hide_flow(did.cohort_paths(panel, outcome), ["n"])
    blank = rows["n"].isna()
    return rows.assign(mean=rows["mean"].mask(blank), std_error=rows["std_error"].mask(blank))
