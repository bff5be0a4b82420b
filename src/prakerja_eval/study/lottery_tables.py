"""What does the chapter on the lottery show? Its tables; refusals keep their reasons."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from prakerja_eval import lottery
from prakerja_eval.estimate import Adjustment, Estimate
from prakerja_eval.estimate.families import adjusted
from prakerja_eval.estimate.findings import FINDINGS_COLUMNS
from prakerja_eval.lottery.roster import Roster, roster
from prakerja_eval.panel import Panel
from prakerja_eval.study.chapter import Correction
from prakerja_eval.study.details import FEW
from prakerja_eval.study.lottery_asked import Asked, few_pairs, found, stacked
from prakerja_eval.study.lottery_parts import (
    bounds,
    compliers,
    indices,
    quantiles,
    subgroups,
    zeros,
)
from prakerja_eval.study.results import LotteryTables
from prakerja_eval.study.schema import Outcome, Plan
from prakerja_eval.tables.disclosure import SMALLEST_CELL, hide_rows, small_rows
from prakerja_eval.typing import FloatArray

POWER = 0.8
LARGE = 1e9  # degrees of freedom of a normal distribution


def lottery_tables(panel: Panel, plan: Plan) -> LotteryTables | None:
    """Return the tables of the chapter on the lottery, if the plan has one.

    Raises
    ------
    UsageError
        If the chapter names what the data do not have, or asks for what makes no sense.
    """
    chapter = plan.lottery
    if chapter is None:
        return None
    part = panel.where(**chapter.where) if chapter.where else panel
    asked = Asked(part, chapter, plan)
    every = asked.tried("design", "", partial(roster, part, None, asked.bare))
    if not asked.received:
        asked.refused.append(("receipt", "", "Roles names no column of receipt"))
    if every is None or _too_few(asked, every):
        return _refused(asked)
    asked = replace(asked, few=few_pairs(asked))
    effects = [e for o in plan.outcomes for e in _effects(asked, o)]
    drawn, draws = _randomised(asked)
    attrition, tests = _attrition(asked)
    index_rows, weights = indices(asked)
    groups, group_tests = subgroups(asked)
    limits, sides = bounds(asked)
    details = [
        *(*effects, _as_findings(asked, drawn), *sides, *zeros(asked), *quantiles(asked)),
        *(*groups, *index_rows),
    ]
    return LotteryTables(
        details=stacked(details),
        audit=_audit(asked),
        odds=(float(every.odds.min()), float(every.odds.max())),
        flow=_flow(asked, every),
        **_balance(asked),
        randomisation=drawn,
        draws=draws,
        weak=_weak(asked),
        attrition=attrition,
        attrition_tests=tests,
        bounds=limits,
        group_tests=group_tests,
        weights=weights,
        compliers=compliers(asked),
        detectable=_detectable(stacked(effects), plan.level),
        refused=pd.DataFrame(asked.refused, columns=["part", "outcome", "reason"]),
    )


def _too_few(asked: Asked, every: Roster) -> bool:
    """Say whether an arm has so few people that nothing can be shown."""
    few = min((every.arm == 1).sum(), (every.arm == 0).sum()) < SMALLEST_CELL
    if few:
        asked.refused.append(("design", "", FEW))
    return bool(few)


def _refused(asked: Asked) -> LotteryTables:
    """Return no table but the reason why there is no lottery to read."""
    empty = {f.name: pd.DataFrame() for f in fields(LotteryTables)}
    refused = pd.DataFrame(asked.refused, columns=["part", "outcome", "reason"])
    numbers: dict[str, Any] = {"odds": (np.nan, np.nan), "draws": np.zeros((0, 0))}
    return LotteryTables(**(empty | numbers | {"refused": refused}))


def _effects(asked: Asked, outcome: Outcome) -> Iterator[pd.DataFrame]:
    """Yield the effect of the offer, and that of receipt where it is known."""
    verbs: dict[str, Callable[..., Estimate]] = {"offer": lottery.itt}
    if asked.received:
        verbs["receipt"] = lottery.late
    for role, verb in verbs.items():
        made = asked.tried(role, outcome.column, partial(verb, *asked.about(outcome), **asked.when))
        if made is not None:
            yield found(asked, made, role, outcome.label)


def _audit(asked: Asked) -> pd.DataFrame:
    """Count blocks and their people by what is wrong with them; few people are not counted."""
    summary = asked.chapter.design.audit(asked.panel).summary()
    few = summary["people"] < SMALLEST_CELL
    return summary.assign(people=summary["people"].astype("float64").mask(few))


def _flow(asked: Asked, every: Roster) -> pd.DataFrame:
    """Count by arm who was in the lottery, took part and answered; few people are not counted."""
    rows: list[tuple[str, str, object, str, float]] = []
    for arm, name in ((1, "winners"), (0, "losers")):
        own = every.arm == arm
        rows.append((name, "assigned", None, "", int(own.sum())))
        for t in every.chosen if asked.received else ():
            took = int((every.received[own, t] == 1).sum())
            rows.append((name, "received", every.label(t), "", took))
    for outcome in asked.plan.outcomes:
        seen = roster(
            asked.panel,
            outcome.column,
            asked.bare,
            asked.chapter.waves,
        )
        for arm, name in ((1, "winners"), (0, "losers")):
            for t in seen.chosen:
                n = int((seen.observed(t) & (seen.arm == arm)).sum())
                rows.append((name, "observed", seen.label(t), outcome.column, n))
    frame = pd.DataFrame(rows, columns=["arm", "stage", "wave", "outcome", "n"])
    few = (frame["n"] > 0) & (frame["n"] < SMALLEST_CELL)
    few |= (frame["stage"] == "observed") & ~asked.shown(frame)
    return frame.assign(n=frame["n"].astype("float64").mask(few))


def _balance(asked: Asked) -> dict[str, pd.DataFrame]:
    """Return balance by covariate, and the omnibus test."""
    chapter, made = asked.chapter, None
    if chapter.covariates:
        draws = {"reps": chapter.reps, "seed": chapter.seed}
        verb = partial(lottery.balance, asked.panel, chapter.covariates, asked.bare, **draws)
        made = asked.tried("balance", "", verb)
    if made is None:
        return {"balance": pd.DataFrame(), "omnibus": pd.DataFrame()}
    row = {key: getattr(made, key) for key in ("statistic", "df", "p_value", "p_randomisation")}
    return {"balance": made.frame, "omnibus": pd.DataFrame([row])}


def _randomised(asked: Asked) -> tuple[pd.DataFrame, FloatArray]:
    """Return p-values by drawing again, corrected in their families, and the draws."""
    chapter, columns = asked.chapter, _drawable(asked)
    redraw = lottery.Redraw(reps=chapter.reps, seed=chapter.seed, level=asked.plan.level)
    verb = partial(
        lottery.randomise, asked.panel, columns, asked.without_lasso, redraw, **asked.when
    )
    made = asked.tried("randomisation", "", verb) if columns else None
    if made is None:
        return pd.DataFrame(), np.zeros((0, 0))
    frame = made.frame.assign(family=None, p_adjusted=np.nan)
    for family, named in chapter.families.items():
        outcomes = tuple(o for o in named if o in columns)
        rows = frame["outcome"].isin(outcomes)
        frame.loc[rows, "family"] = family
        if outcomes:
            frame.loc[rows, "p_adjusted"] = _corrected(made, outcomes, chapter.correction)
    shown = asked.shown(frame)
    return frame[shown].reset_index(drop=True), made.draws[:, shown]


def _drawable(asked: Asked) -> list[str]:
    """Return the outcomes of which every wave has an effect; the others keep their reason."""
    out = []
    for outcome in asked.plan.outcomes:
        about = asked.about(outcome, asked.without_lasso)
        verb = partial(lottery.itt, *about, **asked.when)
        if asked.tried("randomisation", outcome.column, verb) is not None:
            out.append(outcome.column)
    return out


def _corrected(
    made: lottery.Randomisation, outcomes: tuple[str, ...], how: Correction
) -> FloatArray:
    """Return the corrected p-values of a family: on the draws, or from the p-values alone."""
    if how == "westfall_young" or how == "romano_wolf":  # noqa: PLR1714  mypy narrows no tuple
        return np.asarray(made.adjusted(how, outcomes)["p_adjusted"], dtype=np.float64)
    rows = made.frame[made.frame["outcome"].isin(outcomes)]
    p, t = (rows[c].to_numpy(dtype=np.float64) for c in ("p_value", "statistic"))
    corrected = adjusted(p, t, None, list(rows["outcome"]), Adjustment(how))["p_adjusted"]
    return np.asarray(corrected, dtype=np.float64)


def _weak(asked: Asked) -> pd.DataFrame:
    """Return the strength of the first stage and Anderson-Rubin sets."""
    frames = []
    for outcome in asked.plan.outcomes if asked.received else ():
        options = {**asked.when, "level": asked.plan.level}
        verb = partial(lottery.weak_instrument, *asked.about(outcome), **options)
        made = asked.tried("weak", outcome.column, verb)
        frames += [] if made is None else [made.frame[asked.shown(made.frame)]]
    return stacked(frames)


def _attrition(asked: Asked) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return response by arm and the tests of each outcome; few people are not counted."""
    tables, tests = [], []
    for outcome in asked.plan.outcomes:
        options = {**asked.when, "covariates": asked.chapter.covariates}
        about = asked.about(outcome, asked.without_lasso)
        made = asked.tried(
            "attrition", outcome.column, partial(lottery.attrition, *about, **options)
        )
        if made is not None:
            counts = made.table[["assigned", "observed"]].astype("float64")
            few = ((counts > 0) & (counts < SMALLEST_CELL)).any(axis=1)
            hidden = counts.apply(lambda column, few=few: column.mask(few))
            table = made.table.assign(**hidden, outcome=outcome.column)
            numbers = ["share", "difference", "std_error", "p_value"]
            pair = few | ~asked.shown(table)
            table[numbers] = table[numbers].apply(lambda column, pair=pair: column.mask(pair))
            table.loc[pair, "observed"] = np.nan
            tables.append(table)
            tests.append(made.tests.assign(outcome=outcome.column))
    return stacked(tables), stacked(tests)


def _detectable(effects: pd.DataFrame, level: float) -> pd.DataFrame:
    """Say which effect this lottery finds four times in five, by its own standard error.

    The quantile of the test and that of the power, on the test's degrees of freedom, times the
    standard error; of each outcome in its last period.
    """
    rows = []
    for outcome, own in effects.groupby("outcome", sort=False) if len(effects) else ():
        last = own[own["role"] == "offer"].tail(1)
        for row in last.to_dict("records"):
            ends = special.stdtrit(min(row["df"], LARGE), [(1 + level) / 2, POWER])
            rows.append((outcome, row["wave"], float(ends.sum() * row["std_error"])))
    return pd.DataFrame(rows, columns=["outcome", "wave", "effect"]).dropna(subset="effect")


def _as_findings(asked: Asked, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the tests by drawing again as findings."""
    if not len(frame):
        return pd.DataFrame()
    units = {o.column: o.unit for o in asked.plan.outcomes}
    labels = {o.column: o.label for o in asked.plan.outcomes}
    how = [
        f"lottery drawn again ({'all ' if exact else ''}{n:,} draws)"
        for n, exact in zip(frame["n_draws"], frame["exact"], strict=True)
    ]
    out = frame.reindex(columns=[c for c in FINDINGS_COLUMNS if c in frame]).assign(
        estimator="lottery.randomise",
        unit=frame["outcome"].map(units),
        inference=how,
        n_clusters=frame["n_assigned"],
    )
    out = out.reindex(columns=list(FINDINGS_COLUMNS))
    for at, (key, value) in enumerate((("name", "lottery"), ("role", "randomisation"))):
        out.insert(at, key, value)
    out.insert(1, "label", frame["outcome"].map(labels))
    return hide_rows(out, small_rows(out), FEW)
