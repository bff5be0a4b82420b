"""What does the chapter on the lottery show? Its tables; refusals keep their reasons."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import partial
from itertools import product
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd
from scipy import special

from prakerja_eval import lottery
from prakerja_eval.errors import DataError, NotEstimableError, UsageError
from prakerja_eval.estimate import Adjustment, Estimate, infer
from prakerja_eval.estimate.families import adjusted
from prakerja_eval.estimate.findings import FINDINGS_COLUMNS
from prakerja_eval.lottery.roster import Roster, roster
from prakerja_eval.panel import Panel
from prakerja_eval.study.chapter import Chapter, Correction
from prakerja_eval.study.details import COUNTED, FEW
from prakerja_eval.study.results import LotteryTables
from prakerja_eval.study.schema import Outcome, Plan
from prakerja_eval.tables.disclosure import SMALLEST_CELL, hide_rows, small_rows
from prakerja_eval.typing import FloatArray

T = TypeVar("T")
POWER = 0.8
LARGE = 1e9  # degrees of freedom of a normal distribution


@dataclass(frozen=True, slots=True)
class _Asked:
    """The people of the lottery, what is asked of them, and the reasons for what has no answer."""

    panel: Panel
    chapter: Chapter
    plan: Plan
    refused: list[tuple[str, str, str]] = field(default_factory=list)

    def tried(self, part: str, outcome: str, make: Callable[[], T]) -> T | None:
        """Return what is made, or note why it cannot be."""
        try:
            return make()
        except (NotEstimableError, DataError) as error:
            self.refused.append((part, outcome, str(error)))
            return None
        except UsageError as error:
            raise UsageError(f"[lottery] of the study file: {error}") from error

    def about(
        self, outcome: Outcome | str, design: lottery.Design | None = None
    ) -> tuple[Panel, str, lottery.Design]:
        """Return panel, outcome and design as every verb takes them."""
        column = outcome if isinstance(outcome, str) else outcome.column
        return self.panel, column, design or self.chapter.design

    @property
    def when(self) -> dict[str, Any]:
        """Return the waves that the chapter asks for."""
        return {"waves": self.chapter.waves}

    @property
    def received(self) -> bool:
        """Say whether Roles names receipt."""
        return self.panel.roles.received is not None

    @property
    def without_lasso(self) -> lottery.Design:
        """Return the design with the same regression in every draw and sample."""
        return self.chapter.design if self.chapter.design.covariate_model != "lasso" else self.bare

    @property
    def bare(self) -> lottery.Design:
        """Return the design without covariates."""
        return replace(self.chapter.design, covariates=(), covariate_model="ancova")


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
    asked = _Asked(part, chapter, plan)
    every = asked.tried("design", "", partial(roster, part, None, asked.bare))
    if every is None:
        return _refused(asked)
    effects = [e for o in plan.outcomes for e in _effects(asked, o)]
    drawn, draws = _randomised(asked)
    attrition, tests = _attrition(asked)
    index_rows, weights = _indices(asked)
    groups, group_tests = _subgroups(asked)
    bounds, sides = _bounds(asked)
    details = [
        *(*effects, _as_findings(asked, drawn), *sides, *_zeros(asked), *_quantiles(asked)),
        *(*groups, *index_rows),
    ]
    return LotteryTables(
        details=_stacked(details),
        audit=_audit(asked),
        odds=(float(every.odds.min()), float(every.odds.max())),
        flow=_flow(asked, every),
        **_balance(asked),
        randomisation=drawn,
        draws=draws,
        weak=_weak(asked),
        attrition=attrition,
        attrition_tests=tests,
        bounds=bounds,
        group_tests=group_tests,
        weights=weights,
        compliers=_compliers(asked),
        detectable=_detectable(_stacked(effects), plan.level),
        refused=pd.DataFrame(asked.refused, columns=["part", "outcome", "reason"]),
    )


def _refused(asked: _Asked) -> LotteryTables:
    """Return no table but the reason why there is no lottery to read."""
    empty = {f.name: pd.DataFrame() for f in fields(LotteryTables)}
    refused = pd.DataFrame(asked.refused, columns=["part", "outcome", "reason"])
    numbers: dict[str, Any] = {"odds": (np.nan, np.nan), "draws": np.zeros((0, 0))}
    return LotteryTables(**(empty | numbers | {"refused": refused}))


def _found(asked: _Asked, estimate: Estimate, role: str, label: str = "") -> pd.DataFrame:
    """Return findings with name, label and role, the outcome's unit, and few people hidden."""
    frame = infer(estimate, level=asked.plan.level).frame
    units = frame["outcome"].map({o.column: o.unit for o in asked.plan.outcomes})
    few = rf"fewer than {SMALLEST_CELL} \1"
    frame = frame.assign(unit=units, status=frame["status"].str.replace(COUNTED, few, regex=True))
    for at, (key, value) in enumerate((("name", "lottery"), ("label", label), ("role", role))):
        frame.insert(at, key, value)
    return hide_rows(frame, small_rows(frame), FEW)


def _stacked(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _effects(asked: _Asked, outcome: Outcome) -> Iterator[pd.DataFrame]:
    """Yield the effect of the offer, and that of receipt where it is known."""
    verbs: dict[str, Callable[..., Estimate]] = {"offer": lottery.itt}
    if asked.received:
        verbs["receipt"] = lottery.late
    for role, verb in verbs.items():
        made = asked.tried(role, outcome.column, partial(verb, *asked.about(outcome), **asked.when))
        if made is not None:
            yield _found(asked, made, role, outcome.label)


def _audit(asked: _Asked) -> pd.DataFrame:
    """Count blocks and their people by what is wrong with them; few people are not counted."""
    summary = asked.chapter.design.audit(asked.panel).summary()
    few = summary["people"] < SMALLEST_CELL
    return summary.assign(people=summary["people"].astype("float64").mask(few))


def _flow(asked: _Asked, every: Roster) -> pd.DataFrame:
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
            replace(asked.chapter.design, covariates=()),
            asked.chapter.waves,
        )
        for arm, name in ((1, "winners"), (0, "losers")):
            for t in seen.chosen:
                n = int((seen.observed(t) & (seen.arm == arm)).sum())
                rows.append((name, "observed", seen.label(t), outcome.column, n))
    frame = pd.DataFrame(rows, columns=["arm", "stage", "wave", "outcome", "n"])
    few = (frame["n"] > 0) & (frame["n"] < SMALLEST_CELL)
    return frame.assign(n=frame["n"].astype("float64").mask(few))


def _balance(asked: _Asked) -> dict[str, pd.DataFrame]:
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


def _randomised(asked: _Asked) -> tuple[pd.DataFrame, FloatArray]:
    """Return p-values by drawing again, corrected in their families, and the draws."""
    chapter, columns = asked.chapter, [o.column for o in asked.plan.outcomes]
    redraw = lottery.Redraw(reps=chapter.reps, seed=chapter.seed, level=asked.plan.level)
    verb = partial(
        lottery.randomise, asked.panel, columns, asked.without_lasso, redraw, **asked.when
    )
    made = asked.tried("randomisation", "", verb)
    if made is None:
        return pd.DataFrame(), np.zeros((0, 0))
    frame = made.frame.assign(family=None, p_adjusted=np.nan)
    for family, outcomes in chapter.families.items():
        rows = frame["outcome"].isin(outcomes)
        frame.loc[rows, "family"] = family
        frame.loc[rows, "p_adjusted"] = _corrected(made, outcomes, chapter.correction)
    return frame, made.draws


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


def _weak(asked: _Asked) -> pd.DataFrame:
    """Return the strength of the first stage and Anderson-Rubin sets."""
    frames = []
    for outcome in asked.plan.outcomes if asked.received else ():
        options = {**asked.when, "level": asked.plan.level}
        verb = partial(lottery.weak_instrument, *asked.about(outcome), **options)
        made = asked.tried("weak", outcome.column, verb)
        frames += [] if made is None else [made.frame]
    return _stacked(frames)


def _attrition(asked: _Asked) -> tuple[pd.DataFrame, pd.DataFrame]:
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
            share = made.table["share"].mask(few)
            tables.append(made.table.assign(**hidden, share=share, outcome=outcome.column))
            tests.append(made.tests.assign(outcome=outcome.column))
    return _stacked(tables), _stacked(tests)


def _bounds(asked: _Asked) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Return the bounds where somebody did not answer, and their two sides as findings."""
    frames, sides = [], []
    for outcome in asked.plan.outcomes:
        for kind, verb in _kinds_of_bounds(asked, outcome).items():
            made = asked.tried(kind, outcome.column, verb)
            if made is not None:
                lost = (made.frame["n_observed"] < made.frame["n"]).to_numpy()
                frames.append(made.frame[lost].assign(kind=kind))
                both = _found(asked, made.estimate, "bounds", kind)
                sides.append(both[np.repeat(lost, 2)])
    return _stacked(frames), sides


def _kinds_of_bounds(asked: _Asked, outcome: Outcome) -> dict[str, Callable[[], lottery.Bounds]]:
    """Return the verbs behind the bounds of an outcome."""
    wanted, about = asked.chapter.bounds, asked.about(outcome, asked.bare)
    options = {**asked.when, "level": asked.plan.level}
    verbs: dict[str, Callable[[], lottery.Bounds]] = {}
    if wanted.lee:
        verbs["lee"] = partial(lottery.lee_bounds, *about, **options)
        if wanted.tighten:
            tight = {**options, "tighten": wanted.tighten}
            verbs["lee_tightened"] = partial(lottery.lee_bounds, *about, **tight)
    if outcome.column in wanted.limits or outcome.unit == "share":
        low, high = wanted.limits.get(outcome.column, (0.0, 1.0))
        verbs["manski"] = partial(lottery.manski_bounds, *about, low=low, high=high, **options)
    if wanted.kling_liebman:
        verbs["kling_liebman"] = partial(lottery.kling_liebman_bounds, *about, **options)
    return verbs


def _zeros(asked: _Asked) -> list[pd.DataFrame]:
    """Return the ways to read an outcome with zeros."""
    cash: dict[bool | None, Literal["net", "gross"] | None]
    cash = {True: "gross", False: "net", None: None}
    frames = []
    for outcome in asked.plan.outcomes:
        if outcome.column in asked.chapter.zeros:
            options = {**asked.when, "transfers": cash[outcome.contains_transfers]}
            about = asked.about(outcome, asked.without_lasso)
            made = asked.tried("zeros", outcome.column, partial(lottery.zeros, *about, **options))
            frames += [] if made is None else [_found(asked, made, "zeros", outcome.label)]
    return frames


def _quantiles(asked: _Asked) -> list[pd.DataFrame]:
    """Return quantile effects of the outcomes that are no shares."""
    levels, frames = asked.chapter.quantiles, []
    for outcome in asked.plan.outcomes if levels else ():
        if outcome.unit != "share":
            about = asked.about(outcome, asked.bare)
            verb = partial(lottery.quantiles, *about, quantiles=levels, **asked.when)
            made = asked.tried("quantiles", outcome.column, verb)
            frames += [] if made is None else [_found(asked, made, "quantile", outcome.label)]
    return frames


def _subgroups(asked: _Asked) -> tuple[list[pd.DataFrame], pd.DataFrame]:
    """Return effects by group, and the tests that they are equal, by outcome."""
    frames, tests = [], []
    for by, outcome in product(asked.chapter.subgroups, asked.plan.outcomes):
        panel, column, design = asked.about(outcome)
        verb = partial(lottery.subgroups, panel, column, by, design, **asked.when)
        made = asked.tried("subgroups", column, verb)
        if made is not None:
            frames.append(_found(asked, made, "subgroup", by))
            test = asked.tried("subgroups", column, partial(lottery.same_effect, made))
            if test is not None:
                tests.append((by, column, test.statistic, test.df, test.p_value))
    return frames, pd.DataFrame(tests, columns=["by", "outcome", "statistic", "df", "p_value"])


def _indices(asked: _Asked) -> tuple[list[pd.DataFrame], pd.DataFrame]:
    """Return effects on summary indices, and the weights of their outcomes."""
    frames, weights = [], []
    for index in asked.chapter.indices:
        options: dict[str, Any] = {"kind": index.kind, "signs": index.signs or None, **asked.when}
        about = asked.panel, index.outcomes, asked.without_lasso
        verb = partial(lottery.summary_index, *about, name=index.name, **options)
        made = asked.tried("indices", index.name, verb)
        if made is not None:
            frames.append(_found(asked, made.estimate, "index", index.label).assign(unit="sd"))
            weights.append(made.weights.assign(index=index.name))
    return frames, _stacked(weights)


def _compliers(asked: _Asked) -> pd.DataFrame:
    """Describe those who took part because they won."""
    names = asked.chapter.covariates
    if not asked.received or not names:
        return pd.DataFrame()
    made = asked.tried("compliers", "", partial(lottery.compliers, asked.panel, names, asked.bare))
    return pd.DataFrame() if made is None else lottery.complier_table(made)


def _detectable(effects: pd.DataFrame, level: float) -> pd.DataFrame:
    """Say which effect this lottery finds four times in five, by its own standard error.

    The quantile of the test and that of the power, on the test's degrees of freedom, times the
    standard error; of each outcome in its last period.
    """
    rows = []
    for outcome, own in effects.groupby("outcome", sort=False) if len(effects) else ():
        last = own[own["role"] == "offer"].tail(1)
        for row in last.to_dict("records"):
            quantiles = special.stdtrit(min(row["df"], LARGE), [(1 + level) / 2, POWER])
            rows.append((outcome, row["wave"], float(quantiles.sum() * row["std_error"])))
    return pd.DataFrame(rows, columns=["outcome", "wave", "effect"]).dropna(subset="effect")


def _as_findings(asked: _Asked, frame: pd.DataFrame) -> pd.DataFrame:
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
