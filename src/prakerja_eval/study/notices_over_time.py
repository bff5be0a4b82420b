"""What must a reader be told of staggered entries? Notices about their cells, cohorts and tests."""

from collections.abc import Iterator

import pandas as pd

from prakerja_eval.study.details import CELL, FEW, GIVES_AWAY
from prakerja_eval.study.results import Notice, OverTime
from prakerja_eval.study.schema import Plan, StaggeredEntry

OVERLAP, REAPPLICANTS = "weak overlap", "re-applicants:"  # how the wing begins such a status
LEFT_OUT = "left out: "


def staggered_notices(
    plan: Plan, findings: pd.DataFrame, over_time: OverTime | None
) -> Iterator[Notice]:
    """Yield the notices of staggered entries, in the order of the study file."""
    if over_time is None:
        return
    frame, tests = over_time.details, over_time.pretrends
    for entry in plan.estimates:
        if not isinstance(entry, StaggeredEntry):
            continue
        yield from _left_out(entry, findings[findings["name"] == entry.name])
        for outcome in plan.outcomes:
            about = {"label": entry.label, "outcome": outcome.label}
            mine = (frame["name"] == entry.name) & (frame["outcome"] == outcome.column)
            yield from _statuses(frame[mine], about)
            test = tests[(tests["name"] == entry.name) & (tests["outcome"] == outcome.column)]
            rejected = pd.to_numeric(test["p_value"]) < 1 - plan.level
            for p in test.loc[rejected, "p_value"]:
                yield _notice("trends_apart", **about, p=float(p))


def _left_out(entry: StaggeredEntry, rows: pd.DataFrame) -> Iterator[Notice]:
    """Name the cohorts that a design cannot identify, once for all outcomes that say the same."""
    for text in dict.fromkeys(rows["specification"].dropna().map(str)):
        if LEFT_OUT in text:
            yield _notice("left_out", label=entry.label, reason=text.split(LEFT_OUT, 1)[1])


def _statuses(rows: pd.DataFrame, about: dict[str, str]) -> Iterator[Notice]:
    """Yield what the statuses of the rows behind one answer say, each kind once."""
    status = rows["status"].map(str)
    warned = rows[status.str.startswith(REAPPLICANTS)]
    if len(warned):
        reason = str(warned["status"].iloc[0]).removeprefix(REAPPLICANTS).strip()
        yield _notice("reapplicants", **about, reason=reason)
    cells = rows[(rows["role"] == CELL) & (status != "reference")]
    weak = cells[cells["status"].map(str).str.startswith(OVERLAP)]
    if len(weak):
        yield _notice("weak_overlap", **about, count=len(weak), total=len(cells))
    hidden = int(status.isin((FEW, GIVES_AWAY)).sum())
    if hidden:
        yield _notice("few_people", **about, count=hidden)


def _notice(key: str, **values: object) -> Notice:
    return Notice(f"warning.{key}", tuple(values.items()))
