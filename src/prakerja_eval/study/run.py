"""What do the data say to the plan? Every entry in order, a failed one as a row with its reason."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from prakerja_eval import did, lottery, matching
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate import (
    Estimate,
    Findings,
    Inference,
    Robust,
    estimate_row,
    infer,
    join,
)
from prakerja_eval.panel import ArrayRequest, Panel, read_panel
from prakerja_eval.study import notices, summaries
from prakerja_eval.study.comparison import compare_designs
from prakerja_eval.study.read import Study
from prakerja_eval.study.results import Results
from prakerja_eval.study.schema import DidEntry, LotteryEntry, MatchingEntry, Outcome, Plan

AnyEntry = LotteryEntry | DidEntry | MatchingEntry


def run(study: Study, on_entry: Callable[[str], None]) -> Results:
    """Run a study; see ``Study.run``."""
    plan = study.plan
    panel = read_panel(study.data_path, plan.roles)
    panel.check([o.column for o in plan.outcomes]).raise_if_any()
    parts = _parts(panel, plan)
    matched = _matched(parts, plan)
    estimates: dict[str, Estimate] = {}
    tables: list[pd.DataFrame] = []
    for entry in plan.estimates:
        rows = [_estimate(parts[entry.name], entry, o, matched) for o in plan.outcomes]
        estimates[entry.name] = join(*rows)
        tables.append(_table(estimates[entry.name], entry, plan))
        on_entry(entry.name)
    frame = pd.concat(tables, ignore_index=True)
    if frame["estimate"].isna().all():
        reasons = "; ".join(dict.fromkeys(frame["status"]))
        raise NotEstimableError(f"no entry of the study can be estimated: {reasons}")
    compared = compare_designs(plan, estimates)
    found = {k: v for k, v in matched.items() if isinstance(v, matching.Matched)}
    balance = summaries.balance(found, plan)
    overlap = summaries.overlap(found)
    return Results(
        plan=plan,
        estimates=estimates,
        findings=Findings(frame, plan.level),
        agreements=compared.agreements,
        flow=summaries.flow(panel, plan),
        paths=summaries.paths(panel, plan),
        balance=balance,
        overlap=overlap,
        notices=(*notices.notices(plan, frame, found, balance), *compared.notices),
    )


def _parts(panel: Panel, plan: Plan) -> dict[str, Panel]:
    """Return each entry's rows, checking all that it names before anything runs."""
    made: dict[str, Panel] = {}
    parts = {}
    for entry in plan.estimates:
        try:
            key = repr(sorted(entry.where.items()))
            if key not in made:
                made[key] = panel.where(**entry.where)
            parts[entry.name] = made[key]
            _check_names(made[key], entry)
        except UsageError as error:
            raise UsageError(f"the entry {entry.name!r} of the study file: {error}") from error
    return parts


def _check_names(part: Panel, entry: AnyEntry) -> None:
    """Refuse a covariate or wave that the data do not have."""
    if isinstance(entry, MatchingEntry):
        names = (*entry.covariates, *entry.design.exact)
    else:
        names = entry.design.covariates
    part.arrays(ArrayRequest(None, names))
    by = getattr(_chosen(entry), "by", "unit")
    clusters = ("unit", "pair", *part.roles.cluster_columns())
    if by not in clusters:
        raise UsageError(f"there is no cluster column {by!r}; there are {', '.join(clusters)}.")
    base = [entry.base] if isinstance(entry, DidEntry) and entry.base is not None else []
    unknown = [w for w in [*(entry.waves or []), *base] if w not in part.waves]
    if unknown:
        known = ", ".join(map(str, part.waves))
        raise UsageError(f"wave {unknown[0]!r} is not in the data; there are {known}.")


def _matched(
    parts: dict[str, Panel], plan: Plan
) -> dict[str, "matching.Matched | NotEstimableError"]:
    """Match once for all outcomes, one score for each sample; a refusal becomes a row's reason."""
    scores: dict[tuple[int, tuple[str, ...]], matching.Propensity] = {}
    out: dict[str, matching.Matched | NotEstimableError] = {}
    for entry in plan.estimates:
        if not isinstance(entry, MatchingEntry):
            continue
        part = parts[entry.name]
        key = (id(part), entry.covariates)
        try:
            if key not in scores:
                scores[key] = matching.propensity(part, entry.covariates)
            out[entry.name] = matching.match(part, entry.design, score=scores[key])
        except NotEstimableError as error:
            out[entry.name] = error
    return out


def _estimate(
    panel: Panel,
    entry: AnyEntry,
    outcome: Outcome,
    matched: dict[str, "matching.Matched | NotEstimableError"],
) -> Estimate:
    """Estimate one outcome of an entry, or return a row that says why not."""
    try:
        estimate = _call(panel, entry, outcome.column, matched)
        chosen = _chosen(entry)
        if chosen is None:
            return estimate
        infer(estimate, chosen)  # refuses here, so that the refusal becomes the row's reason
        return replace(estimate, defaults=(chosen,) * len(estimate))
    except NotEstimableError as error:
        return _failed(entry, outcome, str(error))


def _call(
    panel: Panel,
    entry: AnyEntry,
    outcome: str,
    matched: dict[str, "matching.Matched | NotEstimableError"],
) -> Estimate:
    """Call the estimator that the entry names."""
    if isinstance(entry, LotteryEntry):
        verb = lottery.itt if entry.estimator == "lottery.itt" else lottery.late
        return verb(panel, outcome, entry.design, waves=entry.waves)
    if isinstance(entry, DidEntry):
        return did.two_by_two(panel, outcome, entry.design, base=entry.base, waves=entry.waves)
    pairs = matched[entry.name]
    if isinstance(pairs, NotEstimableError):
        raise pairs
    return matching.att(panel, pairs, outcome, waves=entry.waves)


def _failed(entry: AnyEntry, outcome: Outcome, reason: str) -> Estimate:
    """Return a row without a number."""
    return estimate_row(
        np.nan,
        np.zeros(0),
        pd.DataFrame({"weight": np.zeros(0)}, index=pd.Index([], name="unit", dtype=object)),
        {"estimator": entry.estimator, "outcome": outcome.column},
        {"n": 0, "n_treated": 0, "n_comparison": 0, "status": reason},
        Robust("HC0", reference="normal"),
    )


def _table(estimate: Estimate, entry: AnyEntry, plan: Plan) -> pd.DataFrame:
    """Return the findings of an entry with its name, label and role."""
    found = infer(estimate, _chosen(entry), level=plan.level).frame
    units = {o.column: o.unit for o in plan.outcomes}
    found = found.assign(unit=found["outcome"].map(units))
    for at, column in enumerate(("name", "label", "role")):
        found.insert(at, column, getattr(entry, column))
    return found


def _chosen(entry: AnyEntry) -> Inference | None:
    """Return the inference that the entry names, if any."""
    return None if entry.inference is None else entry.inference.chosen
