"""Who is in the study, and how do they differ? Small tidy tables, small cells suppressed."""

import numpy as np
import pandas as pd

from prakerja_eval import matching
from prakerja_eval.balance.table import BALANCE_COLUMNS
from prakerja_eval.errors import NotEstimableError
from prakerja_eval.estimate.means import group_mean
from prakerja_eval.panel import MomentPlan, Panel
from prakerja_eval.study.schema import Plan
from prakerja_eval.tables.disclosure import SMALLEST_CELL, hide_flow

BINS = 20


def flow(panel: Panel, plan: Plan) -> pd.DataFrame:
    """Count units and observed outcomes by group and wave.

    Cells under ten people, and the next smallest of their wave so that they cannot be computed
    back, are NaN.
    """
    columns = ["group", "wave", "n_units", *(o.column for o in plan.outcomes)]
    groups = plan.groups
    if groups is None:
        return pd.DataFrame(columns=columns)
    by = groups.column
    tables = {o.column: _counts(panel, o.column, by) for o in plan.outcomes}
    first = next(iter(tables.values()))
    out = first[["group", "wave", "n_units"]].copy()
    for column, table in tables.items():
        out[column] = table["n"]
    out["group"] = out["group"].map(lambda g: groups.labels.get(str(g), str(g)))
    return hide_flow(out[columns], columns[2:])


def _counts(panel: Panel, outcome: str, by: str) -> pd.DataFrame:
    """Count units and observations by group and wave from the panel's moments."""
    moments = panel.moments(MomentPlan(outcome, by))
    rows = []
    for code, group in enumerate(moments.groups[by]):
        cells = moments.cells
        mine = cells.group == code
        n_units = int(cells.n[mine].sum())
        for t, wave in enumerate(moments.waves):
            seen = mine & ((cells.pattern >> t) & 1 == 1)
            rows.append((group, wave, n_units, int(cells.n[seen].sum())))
    return pd.DataFrame(rows, columns=["group", "wave", "n_units", "n"])


def paths(panel: Panel, plan: Plan) -> pd.DataFrame:
    """Return outcome means by group and wave, with standard errors; small cells left out."""
    columns = ["outcome", "group", "wave", "n", "mean", "std_error"]
    rows: list[tuple[object, ...]] = []
    groups = plan.groups
    if groups is None:
        return pd.DataFrame(columns=columns)
    for outcome in plan.outcomes:
        moments = panel.moments(MomentPlan(outcome.column, groups.column))
        for code, value in enumerate(moments.groups[groups.column]):
            label = groups.labels.get(str(value), str(value))
            for t, wave in enumerate(moments.waves):
                found = group_mean(moments.cells, code, t)
                if found.n >= SMALLEST_CELL:
                    numbers = (found.n, found.mean, found.std_error)
                    rows.append((outcome.column, label, wave, *numbers))
    return pd.DataFrame(rows, columns=columns)


def balance(matched: dict[str, "matching.Matched"], plan: Plan) -> pd.DataFrame:
    """Stack the balance tables of the matchings, covariates under their printed names."""
    tables = []
    for name, pairs in matched.items():
        try:
            table = pairs.balance().frame.copy()
        except NotEstimableError:  # an arm of one person has no spread; its effect says so itself
            continue
        table["covariate"] = [plan.covariate_labels.get(c, c) for c in table["covariate"]]
        table.insert(0, "name", name)
        tables.append(table)
    if not tables:
        return pd.DataFrame(columns=["name", *BALANCE_COLUMNS])
    return pd.concat(tables, ignore_index=True)


def overlap(matched: dict[str, "matching.Matched"]) -> pd.DataFrame:
    """Return histograms of the score by arm, with n and share of the arm.

    Bins with one to nine people, and the next smallest of their arm where one could be computed
    back, are NaN.
    """
    edges = np.linspace(0.0, 1.0, BINS + 1)
    rows = []
    seen: list[np.ndarray] = []
    for name, pairs in matched.items():
        score, treated = pairs.propensity.score, pairs.propensity.treated
        if any(len(score) == len(s) and np.array_equal(score, s) for s in seen):
            continue
        seen.append(score)
        for arm, mask in (("treated", treated), ("comparison", ~treated)):
            counts, _ = np.histogram(score[mask], edges)
            shown = np.where(_hidden(counts), np.nan, counts)
            for low, high, count in zip(edges[:-1], edges[1:], shown, strict=True):
                share = float(count / mask.sum())
                rows.append((name, arm, float(low), float(high), float(count), share))
    return pd.DataFrame(rows, columns=["name", "arm", "low", "high", "n", "share"])


def _hidden(counts: np.ndarray) -> np.ndarray:
    """Say which counts of a total must not be shown: the small, and one more if there is one."""
    small = (counts > 0) & (counts < SMALLEST_CELL)
    if small.sum() == 1 and (counts >= SMALLEST_CELL).any():
        small[np.argmin(np.where(counts >= SMALLEST_CELL, counts, np.inf))] = True
    return small
