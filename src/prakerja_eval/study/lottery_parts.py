"""What does the chapter show of bounds, zeros, quantiles, groups, indices and compliers?"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import Any, Literal

import numpy as np
import pandas as pd

from prakerja_eval import lottery
from prakerja_eval.estimate import Estimate, subset
from prakerja_eval.language.catalogue import plain
from prakerja_eval.study.details import FEW
from prakerja_eval.study.lottery_asked import Asked, found, stacked
from prakerja_eval.study.schema import Outcome
from prakerja_eval.tables.disclosure import SMALLEST_CELL, hide_rows

MIN_GROUPS = 2


def bounds(asked: Asked) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """Return the bounds where somebody did not answer, and their two sides as findings."""
    frames, sides = [], []
    for outcome in asked.plan.outcomes:
        for kind, verb in _kinds_of_bounds(asked, outcome).items():
            made = asked.tried(kind, outcome.column, verb)
            if made is not None:
                answered = (made.frame["n_observed"] == made.frame["n"]).to_numpy()
                lost = ~answered & asked.shown(made.frame)
                frames.append(made.frame[lost].assign(kind=kind))
                both = found(asked, made.estimate, "bounds", kind)
                sides.append(both[np.repeat(lost, 2)])  # a lower and an upper row each
    return stacked(frames), sides


def _kinds_of_bounds(asked: Asked, outcome: Outcome) -> dict[str, Callable[[], lottery.Bounds]]:
    """Return the verbs behind the bounds of an outcome."""
    wanted, about = asked.chapter.bounds, asked.about(outcome, asked.bare)
    options = {**asked.when, "level": asked.plan.level}
    trimmed = {**options, "trimming": wanted.trimming}
    verbs: dict[str, Callable[[], lottery.Bounds]] = {}
    if wanted.lee:
        verbs["lee"] = partial(lottery.lee_bounds, *about, **trimmed)
        if wanted.tighten:
            tight = {**trimmed, "tighten": wanted.tighten}
            verbs["lee_tightened"] = partial(lottery.lee_bounds, *about, **tight)
    if outcome.column in wanted.limits or outcome.unit == "share":
        low, high = wanted.limits.get(outcome.column, (0.0, 1.0))
        verbs["manski"] = partial(lottery.manski_bounds, *about, low=low, high=high, **options)
    if wanted.kling_liebman:
        verbs["kling_liebman"] = partial(lottery.kling_liebman_bounds, *about, **options)
    return verbs


def zeros(asked: Asked) -> list[pd.DataFrame]:
    """Return the ways to read an outcome with zeros."""
    cash: dict[bool | None, Literal["net", "gross"] | None]
    cash = {True: "gross", False: "net", None: None}
    frames = []
    for outcome in asked.plan.outcomes:
        if outcome.column in asked.chapter.zeros:
            options = {**asked.when, "transfers": cash[outcome.contains_transfers]}
            about = asked.about(outcome, asked.without_lasso)
            made = asked.tried("zeros", outcome.column, partial(lottery.zeros, *about, **options))
            frames += [] if made is None else [found(asked, made, "zeros", outcome.label)]
    return frames


def quantiles(asked: Asked) -> list[pd.DataFrame]:
    """Return quantile effects of the outcomes that are no shares."""
    levels, frames = asked.chapter.quantiles, []
    for outcome in asked.plan.outcomes if levels else ():
        if outcome.unit != "share":
            about = asked.about(outcome, asked.bare)
            verb = partial(lottery.quantiles, *about, quantiles=levels, **asked.when)
            made = asked.tried("quantiles", outcome.column, verb)
            frames += [] if made is None else [found(asked, made, "quantile", outcome.label)]
    return frames


def subgroups(asked: Asked) -> tuple[list[pd.DataFrame], pd.DataFrame]:
    """Return effects by group, and the tests that they are equal, by outcome."""
    frames, tests = [], []
    for by, outcome in product(asked.chapter.subgroups, asked.plan.outcomes):
        panel, column, design = asked.about(outcome)
        verb = partial(lottery.subgroups, panel, column, by, design, **asked.when)
        made = asked.tried("subgroups", column, verb)
        if made is not None:
            rows = _with_partner(found(asked, made, "subgroup", by))
            frames.append(rows)
            for wave, own in _by_wave(made):
                shown = rows["wave"].map(plain) == plain(wave)
                if rows.loc[shown, "estimate"].notna().sum() < MIN_GROUPS:
                    continue
                test = asked.tried("subgroups", column, partial(lottery.same_effect, own))
                if test is not None:
                    tests.append((by, column, wave, test.statistic, test.df, test.p_value))
    columns = ["by", "outcome", "wave", "statistic", "df", "p_value"]
    return frames, pd.DataFrame(tests, columns=columns)


def _by_wave(estimate: Estimate) -> Iterator[tuple[Any, Estimate]]:
    """Yield the rows of each wave."""
    waves = estimate.index["wave"].map(plain)
    for shown in dict.fromkeys(waves):
        rows = np.flatnonzero(waves == shown)
        yield estimate.index["wave"].iloc[rows[0]], subset(estimate, rows=rows.tolist())


def _with_partner(groups: pd.DataFrame) -> pd.DataFrame:
    """Hide a second group where one alone is hidden, since the total would give it away."""
    out = groups
    for _, rows in groups.groupby(groups["wave"].map(plain), sort=False):
        few = rows["status"] == FEW
        if few.sum() == 1:
            size = pd.to_numeric(rows["n"]).where(~few)
            hidden = np.asarray(groups.index == size.idxmin())
            out = hide_rows(out, hidden, FEW)
    return out


def indices(asked: Asked) -> tuple[list[pd.DataFrame], pd.DataFrame]:
    """Return effects on summary indices, and the weights of their outcomes."""
    frames, weights = [], []
    for index in asked.chapter.indices:
        options: dict[str, Any] = {"kind": index.kind, "signs": index.signs or None, **asked.when}
        about = asked.panel, index.outcomes, asked.without_lasso
        verb = partial(lottery.summary_index, *about, name=index.name, **options)
        made = asked.tried("indices", index.name, verb)
        if made is not None:
            frames.append(found(asked, made.estimate, "index", index.label).assign(unit="sd"))
            weights.append(made.weights.assign(index=index.name))
    return frames, stacked(weights)


def compliers(asked: Asked) -> pd.DataFrame:
    """Describe those who took part because they won."""
    names = asked.chapter.covariates
    if not asked.received or not names:
        return pd.DataFrame()
    made = asked.tried("compliers", "", partial(lottery.compliers, asked.panel, names, asked.bare))
    if made is None:
        return pd.DataFrame()
    index, n = made.index, made.counts["n"].astype("float64").to_numpy()
    moved = ((index["estimand"] == "share") & (index["population"] == "compliers")).to_numpy()
    if (made.theta[moved] * n[moved] < SMALLEST_CELL).any():
        asked.refused.append(("compliers", "", FEW))
        return pd.DataFrame()
    return lottery.complier_table(made).drop(columns=["always_takers", "never_takers"])
