"""What must a reader be told? Notices, each a key of the message catalogue with its values."""

from typing import Any

import numpy as np
import pandas as pd

from prakerja_eval import matching
from prakerja_eval.panel import Check
from prakerja_eval.panel.values import plain_text
from prakerja_eval.study.notices_over_time import OVERLAP, REAPPLICANTS, staggered_notices
from prakerja_eval.study.results import Notice, OverTime
from prakerja_eval.study.schema import Plan

IMBALANCE = 0.1
THIN_SUPPORT = 0.05


def notices(
    plan: Plan,
    findings: pd.DataFrame,
    matched: dict[str, "matching.Matched"],
    balance: pd.DataFrame,
    over_time: OverTime | None = None,
) -> tuple[Notice, ...]:
    """Return every notice in the order of the study file."""
    out = [
        *_not_estimable(findings),
        *_cautions(findings),
        *staggered_notices(plan, findings, over_time),
        *_placebos(plan, findings),
        *_lost(findings, matched),
    ]
    labels = {entry.name: entry.label for entry in plan.estimates}
    for name, pairs in matched.items():
        out += _dropped(labels[name], pairs)
        out += _imbalance(labels[name], balance[balance["name"] == name])
    seen: list[np.ndarray] = []
    for name, pairs in matched.items():
        if pairs.design.estimand == "ATT" and not any(
            np.array_equal(pairs.propensity.score, s) for s in seen
        ):
            seen.append(pairs.propensity.score)
            out += _overlap(labels[name], pairs)
    return tuple(out)


def data_warnings(check: Check) -> tuple[Notice, ...]:
    """Name the warnings that the check of the data gives."""
    codes = ", ".join(dict.fromkeys(fault.code for fault in check.warnings))
    return (_notice("data_check", codes=codes),) if codes else ()


def _notice(key: str, **values: object) -> Notice:
    return Notice(f"warning.{key}", tuple(values.items()))


def _not_estimable(findings: pd.DataFrame) -> list[Notice]:
    """Name rows without an estimate, and estimates without a standard error."""
    out = []
    for row in findings[findings["std_error"].isna()].itertuples():
        key = "not_estimable" if np.isnan(row.estimate) else "no_variance"
        out.append(_notice(key, **_place(row), reason=row.status))
    return out


def _place(row: Any) -> dict[str, object]:
    """Say which entry, outcome and wave a row is."""
    wave = "" if row.wave is None else plain_text(row.wave)
    return {"label": row.label, "outcome": row.outcome, "wave": wave}


def _cautions(findings: pd.DataFrame) -> list[Notice]:
    """Pass on what an estimator says of a number that it still gives."""
    status = findings["status"].map(str)
    own = status.str.contains("|".join((OVERLAP, REAPPLICANTS)), regex=True)  # have notices
    rows = findings[findings["std_error"].notna() & (status != "ok") & ~own]
    return [_notice("caution", **_place(row), reason=row.status) for row in rows.itertuples()]


def _lost(findings: pd.DataFrame, matched: dict[str, "matching.Matched"]) -> list[Notice]:
    """Count the matched people who were not observed, or whose counterpart was not."""
    out = []
    for row in findings[findings["name"].isin(list(matched))].itertuples():
        pairs = matched[row.name]
        found = int(pairs.focal.sum()) - pairs.n_dropped
        used = row.n_treated if pairs.design.estimand == "ATT" else found
        if used < found and "counterpart" in str(row.population):
            out.append(_notice("lost_counterparts", **_place(row), used=used, treated=found))
    return out


def _placebos(plan: Plan, findings: pd.DataFrame) -> list[Notice]:
    apart = (findings["conf_low"] > 0) | (findings["conf_high"] < 0)
    rows = findings[(findings["role"] == "placebo") & apart]
    names = {o.column: o.label for o in plan.outcomes}
    return [
        _notice("placebo_fails", label=row.label, outcome=names[row.outcome], p=row.p_value)
        for row in rows.itertuples()
    ]


def _dropped(label: str, pairs: "matching.Matched") -> list[Notice]:
    """Treated people without a neighbour in the caliper change whom the answer is about."""
    if not pairs.n_dropped:
        return []
    total = int(pairs.focal.sum())
    return [_notice("caliper_drops", label=label, dropped=pairs.n_dropped, treated=total)]


def _imbalance(label: str, balance: pd.DataFrame) -> list[Notice]:
    after = balance[(balance["stage"] == "after") & balance["smd"].notna()]
    worst = after.loc[after["smd"].abs().idxmax()] if len(after) else None
    if worst is None or abs(worst["smd"]) <= IMBALANCE:
        return []
    return [_notice("imbalance", label=label, covariate=worst["covariate"], smd=worst["smd"])]


def _overlap(label: str, pairs: "matching.Matched") -> list[Notice]:
    """Treated people whose score is above that of every comparison unit have no counterpart."""
    score, treated = pairs.propensity.score, pairs.propensity.treated
    share = float(np.mean(score[treated] > score[~treated].max()))
    return [_notice("overlap", label=label, share=share)] if share > THIN_SUPPORT else []
