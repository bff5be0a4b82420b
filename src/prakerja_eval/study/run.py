"""What do the data say to the plan? Every entry in order, a failed one as a row with its reason."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from prakerja_eval import did, lottery, matching
from prakerja_eval.errors import DataError, NotEstimableError, UsageError
from prakerja_eval.estimate import (
    Estimate,
    Findings,
    Robust,
    estimate_row,
    infer,
    join,
)
from prakerja_eval.panel import ArrayRequest, Panel, WaveLabel, outcome_waves
from prakerja_eval.study import notices, summaries
from prakerja_eval.study.comparison import compare_designs
from prakerja_eval.study.details import labelled
from prakerja_eval.study.door import check_names, check_words
from prakerja_eval.study.lottery_tables import lottery_tables
from prakerja_eval.study.over_time import Behind, behind_of, over_time
from prakerja_eval.study.read import Study
from prakerja_eval.study.results import OverTime, Results
from prakerja_eval.study.schema import (
    AnyEntry,
    DidEntry,
    LotteryEntry,
    MatchingEntry,
    Outcome,
    Plan,
    StaggeredEntry,
)
from prakerja_eval.study.staggered import effects

OneByOne = LotteryEntry | DidEntry | MatchingEntry


def run(study: Study, on_entry: Callable[[str], None]) -> Results:
    """Run a study; see ``Study.run``."""
    plan = study.plan
    panel = study.panel()
    check = panel.check([o.column for o in plan.outcomes])
    check.about().raise_if_any()
    parts = _parts(panel, plan)
    check_words(panel, plan)
    matched = _matched(parts, plan)
    estimates: dict[str, Estimate] = {}
    behind: list[Behind] = []
    for entry in plan.estimates:
        rows = [_one(parts[entry.name], entry, o, (plan, matched)) for o in plan.outcomes]
        estimates[entry.name] = join(*(row for row, _ in rows))
        behind += [tables for _, tables in rows if tables is not None]
        on_entry(entry.name)
    frame = _findings(plan, estimates)
    compared = compare_designs(plan, estimates)
    found = {k: v for k, v in matched.items() if isinstance(v, matching.Matched)}
    behind_all = _over_time(parts, plan, behind)
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
        notices=(
            *notices.data_warnings(check),
            *notices.notices(plan, frame, found, balance, behind_all),
            *compared.notices,
        ),
        assumed=tuple(note.message for note in panel.notes),
        over_time=behind_all,
        lottery=lottery_tables(panel, plan),
    )


def _findings(plan: Plan, estimates: dict[str, Estimate]) -> pd.DataFrame:
    """Return the rows of all entries; refuse where none has an estimate."""
    tables = [labelled(estimates[e.name], e, e.chosen, plan) for e in plan.estimates]
    frame = pd.concat(tables, ignore_index=True)
    if frame["estimate"].isna().all():
        reasons = "; ".join(dict.fromkeys(text.rstrip(".") for text in frame["status"]))
        raise NotEstimableError(f"no entry of the study can be estimated: {reasons}.")
    return frame


def _parts(panel: Panel, plan: Plan) -> dict[str, Panel]:
    """Return each entry's rows, checking all that it names before anything runs."""
    made: dict[str, Panel] = {}
    outcomes = [o.column for o in plan.outcomes]
    parts = {}
    for entry in plan.estimates:
        try:
            key = repr(sorted(entry.where.items()))
            if key not in made:
                made[key] = panel.where(**entry.where) if entry.where else panel
            parts[entry.name] = made[key]
            faults = made[key].check(outcomes).about(entry.estimator.partition(".")[0])
            faults.without(*_dealt_with(entry)).raise_if_any()
            check_names(made[key], entry)
        except (UsageError, DataError) as error:
            raise type(error)(f"the entry {entry.name!r} of the study file: {error}") from error
    return parts


def _dealt_with(entry: AnyEntry) -> tuple[str, ...]:
    """Return the faults that an entry's own design deals with."""
    drops = isinstance(entry, LotteryEntry) and entry.design.empty_arms == "drop"
    return ("empty_arm",) if drops else ()


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


def _one(
    panel: Panel,
    entry: AnyEntry,
    outcome: Outcome,
    known: tuple[Plan, dict[str, "matching.Matched | NotEstimableError"]],
) -> tuple[Estimate, Behind | None]:
    """Estimate one outcome of an entry; a staggered one has tables behind it."""
    plan, matched = known
    if isinstance(entry, StaggeredEntry):
        return _staggered(panel, entry, outcome, plan)
    return _estimate(panel, entry, outcome, matched), None


def _estimate(
    panel: Panel,
    entry: OneByOne,
    outcome: Outcome,
    matched: dict[str, "matching.Matched | NotEstimableError"],
) -> Estimate:
    """Estimate one outcome of an entry, wave by wave; a wave that fails is a row that says why."""
    rows = []
    for wave in _waves(panel, entry):
        try:
            estimate = _call(panel, entry, outcome.column, (matched, wave))
            chosen = entry.chosen
            if chosen is not None:
                infer(estimate, chosen)  # refuses here, so that the refusal becomes the reason
                estimate = replace(estimate, defaults=(chosen,) * len(estimate))
            rows.append(estimate)
        except NotEstimableError as error:
            rows.append(_failed(entry, outcome, wave, str(error)))
    return join(*rows)


def _staggered(
    panel: Panel, entry: StaggeredEntry, outcome: Outcome, plan: Plan
) -> tuple[Estimate, Behind | None]:
    """Estimate one outcome of a staggered entry, and what stands behind it."""
    try:
        found = effects(panel, entry, outcome.column)
        chosen = entry.chosen
        overall = found.overall
        if chosen is not None:
            infer(overall, chosen)
            overall = replace(overall, defaults=(chosen,) * len(overall))
        return overall, behind_of(panel, entry, outcome, found, plan)
    except NotEstimableError as error:
        return _failed(entry, outcome, None, str(error)), None


def _over_time(parts: dict[str, Panel], plan: Plan, behind: list[Behind]) -> OverTime | None:
    """Return the tables over time, of the people of the first staggered entry."""
    first = [e.name for e in plan.estimates if isinstance(e, StaggeredEntry)]
    return over_time(parts[first[0]], plan, behind) if first else None


def _waves(panel: Panel, entry: OneByOne) -> list[WaveLabel | None]:
    """Return the outcome waves of an entry; one None for all at once."""
    pooled = isinstance(entry, LotteryEntry) and entry.pooled
    if pooled or panel.waves == ("",):
        return [None]
    base = entry.base if isinstance(entry, DidEntry) else None
    arrays = panel.arrays(ArrayRequest())
    period = panel.roles.baseline if base is None else base
    roles = replace(panel.roles, baseline=period)
    return [panel.waves[t] for t in outcome_waves(arrays, roles, entry.waves)]


def _call(
    panel: Panel,
    entry: OneByOne,
    outcome: str,
    at: tuple[dict[str, "matching.Matched | NotEstimableError"], WaveLabel | None],
) -> Estimate:
    """Call the estimator that the entry names."""
    matched, wave = at
    waves = entry.waves if wave is None else [wave]
    if isinstance(entry, LotteryEntry):
        verb = lottery.itt if entry.estimator == "lottery.itt" else lottery.late
        return verb(panel, outcome, entry.design, waves=waves, pooled=entry.pooled)
    if isinstance(entry, DidEntry):
        return did.two_by_two(panel, outcome, entry.design, base=entry.base, waves=waves)
    pairs = matched[entry.name]
    if isinstance(pairs, NotEstimableError):
        raise pairs
    return matching.att(
        panel, pairs, outcome, waves=waves, bias_adjust=entry.bias_adjust, variance=entry.variance
    )


def _failed(
    entry: OneByOne | StaggeredEntry, outcome: Outcome, wave: WaveLabel | None, reason: str
) -> Estimate:
    """Return a row without a number."""
    return estimate_row(
        np.nan,
        np.zeros(0),
        pd.DataFrame({"weight": np.zeros(0)}, index=pd.Index([], name="unit", dtype=object)),
        {"estimator": entry.estimator, "outcome": outcome.column, "wave": wave},
        {"n": 0, "n_treated": 0, "n_comparison": 0, "status": reason},
        Robust("HC0", reference="normal"),
    )
