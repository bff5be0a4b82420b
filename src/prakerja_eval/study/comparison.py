"""Which entries answer the benchmark's question, and do they agree with it?"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.compare import Agreement, agreement
from prakerja_eval.errors import NotEstimableError
from prakerja_eval.estimate import Estimate, rename, subset
from prakerja_eval.estimate.hypotheses import LIKE_WITH_LIKE
from prakerja_eval.study.results import Notice
from prakerja_eval.study.schema import AnyEntry, Outcome, Plan, StaggeredEntry


@dataclass(frozen=True, slots=True)
class Compared:
    """The comparisons of a study, and what could not be compared."""

    agreements: tuple[Agreement, ...]
    notices: tuple[Notice, ...]


def compare_designs(plan: Plan, estimates: dict[str, Estimate]) -> Compared:
    """Compare the candidates with the benchmark, an outcome at a time.

    At the last wave of the benchmark. A candidate that estimates something else (a caliper dropped
    people, say) is left out with a notice, and so is an outcome without a benchmark.
    """
    agreements: list[Agreement] = []
    notices: list[Notice] = []
    for outcome in plan.outcomes:
        rows, said = _alike(plan, estimates, outcome)
        notices += said
        if len(rows) < 2:
            continue
        try:
            agreements.append(agreement(rows[0], rows[1:], by="specification", level=plan.level))
        except NotEstimableError as error:
            values = (("outcome", outcome.label), ("reason", str(error)))
            notices.append(Notice("warning.no_joint_test", values))
    return Compared(tuple(agreements), tuple(notices))


def _alike(
    plan: Plan, estimates: dict[str, Estimate], outcome: Outcome
) -> tuple[list[Estimate], list[Notice]]:
    """Return the benchmark's row and the candidates' rows of the same kind, labelled."""
    first = [e for e in plan.estimates if e.role == "benchmark"]
    if not first:
        return [], []
    benchmark = _row(estimates[first[0].name], outcome.column, None)
    if benchmark is None:
        return [], []
    wave = benchmark.index["wave"][0]
    rows, notices = [rename(benchmark, specification=first[0].label)], []
    waves = estimates[first[0].name].index.query("outcome == @outcome.column")["wave"]
    if len(waves) > 1:
        said = (("outcome", outcome.label), ("wave", str(wave)))
        notices.append(Notice("warning.one_wave", said))
    for entry in plan.estimates:
        if entry.role != "candidate":
            continue
        row = _row(estimates[entry.name], outcome.column, wave)
        if row is None:
            notices += _other_wave(entry, estimates[entry.name], outcome)
            continue
        apart = [c for c in LIKE_WITH_LIKE if str(row.index[c][0]) != str(benchmark.index[c][0])]
        if apart:
            values = (("label", entry.label), ("outcome", outcome.label), ("column", apart[0]))
            notices.append(Notice("warning.not_compared", values))
        else:
            rows.append(rename(row, specification=entry.label))
    return rows, notices


def _other_wave(entry: AnyEntry, estimate: Estimate, outcome: Outcome) -> list[Notice]:
    """Say that an average over waves is not compared with an effect in one, or the other way."""
    rows = (estimate.index["outcome"] == outcome.column) & np.isfinite(estimate.theta)
    if not isinstance(entry, StaggeredEntry) or not rows.any():
        return []
    values = (("label", entry.label), ("outcome", outcome.label), ("column", "wave"))
    return [Notice("warning.not_compared", values)]


def _row(estimate: Estimate, outcome: str, wave: object) -> Estimate | None:
    """Return the outcome's row at a wave (the last one if None), or None without an estimate."""
    same = estimate.index["outcome"] == outcome
    if wave is not None:
        same &= estimate.index["wave"].map(str) == str(wave)
    alive = np.flatnonzero(same.to_numpy() & np.isfinite(estimate.theta))
    return subset(estimate, rows=[int(alive[-1])]) if len(alive) else None
