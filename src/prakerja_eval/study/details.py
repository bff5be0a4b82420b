"""What stands behind the averages? Event studies and cells as findings, small cells hidden."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from prakerja_eval import did
from prakerja_eval.estimate import Estimate, Inference, infer
from prakerja_eval.study.schema import AnyEntry, Plan, StaggeredEntry
from prakerja_eval.study.staggered import Effects
from prakerja_eval.tables.disclosure import SMALLEST_CELL, hide_cells, hide_rows, small_rows
from prakerja_eval.tables.impact import RELATIVE
from prakerja_eval.typing import FloatArray

EVENT_STUDY, CELL = "event_study", "cell"
FEW = f"fewer than {SMALLEST_CELL} people: not shown"
COUNTED = r"\b[1-9] ((?:comparison |treated )?unit\(s\))"  # people that a status counts
GIVES_AWAY = f"not shown: with it, one of fewer than {SMALLEST_CELL} people could be computed"


def labelled(
    estimate: Estimate,
    entry: AnyEntry,
    inference: Inference | None,
    plan: Plan,
    role: str | None = None,
) -> pd.DataFrame:
    """Return findings with name and label of an entry, its role or another, and their unit."""
    found = infer(estimate, inference, level=plan.level).frame
    units = found["outcome"].map({o.column: o.unit for o in plan.outcomes})
    found = found.assign(
        unit=units.where(found["estimand"] != RELATIVE, "percent"),
        status=found["status"].str.replace(COUNTED, f"fewer than {SMALLEST_CELL} \\1", regex=True),
    )
    for at, value in enumerate((entry.name, entry.label, role or entry.role)):
        found.insert(at, ("name", "label", "role")[at], value)
    return found


def details(found: Effects, entry: StaggeredEntry, plan: Plan) -> list[pd.DataFrame]:
    """Return the event study and the cells of one outcome, without what few people stand behind."""
    study = cells = None
    if found.event_study is not None:
        study = labelled(found.event_study, entry, entry.bands, plan, EVENT_STUDY)
    if found.cells is not None:
        cells = labelled(found.cells, entry, entry.chosen, plan, CELL)
    if study is not None and cells is not None and found.cells is not None:
        study, cells = _hidden(study, cells, found.cells, entry)
    elif study is not None:
        study = hide_rows(study, small_rows(study), FEW)
    return [table for table in (study, cells) if table is not None]


def _hidden(
    study: pd.DataFrame, cells: pd.DataFrame, estimate: Estimate, entry: StaggeredEntry
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Hide small cells and event times, and what they could be computed from."""
    few, few_times = small_rows(cells), small_rows(study)
    if few.any():
        codes, _ = pd.factorize(cells["cohort"].map(str))
        size = pd.to_numeric(cells["n_treated"]).to_numpy(dtype=np.float64)
        size = np.where((cells["status"] == "reference") | ~(size > 0), np.inf, size)
        sums = _weights(estimate, codes, entry)
        shown = np.flatnonzero(np.append(True, ~few_times))
        hidden, gone = hide_cells(few, codes, size, sums[shown])
        cells = hide_rows(cells, hidden & ~few, GIVES_AWAY)
        more = np.zeros(len(sums), dtype=bool)
        more[shown] = gone
        study = hide_rows(study, more[1:], GIVES_AWAY)
    return hide_rows(study, few_times, FEW), hide_rows(cells, few, FEW)


def _weights(cells: Estimate, codes: Sequence[int], entry: StaggeredEntry) -> FloatArray:
    """Return the weight of each cell in the average, and in each event time below it.

    Read off the averages of cells that are one in turn and zero else, a unit a cohort.
    """
    cohort = np.asarray(codes)
    size = cells.counts["n_treated"].astype("float64").groupby(cohort).max()
    first = [int(np.argmax(cohort == c)) for c in size.index]
    labels = cells.index["cohort"].iloc[first].to_numpy()
    units = pd.DataFrame(
        {"weight": size.to_numpy(), "treated_from": labels},
        index=pd.Index(list(map(str, size.index)), name="unit"),
    )
    shape = len(units), len(cells)
    bare = replace(
        cells,
        psi=np.zeros(shape),
        sample=np.ones(shape, dtype=bool),
        units=units,
        terms=((),) * len(cells),
    )
    columns = []
    for k in range(len(cells)):
        one = replace(bare, theta=np.eye(len(cells))[k])
        kept = entry.balance if entry.average == "event_times" else None
        mean = did.overall(one, average=entry.average, balance=kept, shares="fixed")
        by_time = did.event_study(
            one, window=entry.window, ends=entry.ends, balance=entry.balance, shares="fixed"
        )
        columns.append(np.append(mean.theta, by_time.theta))
    return np.column_stack(columns)
