"""What must be said of effects over time? Trends before treatment, and what a regression mixes."""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import pandas as pd

from prakerja_eval.language import Catalogue, Measure
from prakerja_eval.report.pictures_over_time import measure_of_rows, restrictions
from prakerja_eval.study import Results
from prakerja_eval.study.evidence import FEW, GIVEN, UNBALANCED, UNSEEN
from prakerja_eval.study.results import OverTime

Names: TypeAlias = tuple[dict[str, str], dict[str, str]]  # of entries, of outcomes
REASONS = {FEW: "few", UNBALANCED: "unbalanced", GIVEN: "given", UNSEEN: "unseen"}
SMALL_M = 0.1  # below it, two digits
INTO_TREATED = ("later against already treated", "treated against always treated")


def before_treatment(results: Results, words: Catalogue) -> tuple[str, ...]:
    """Say of each design and outcome whether trends moved alike before treatment."""
    if results.over_time is None:
        return ()
    return tuple(
        _before(results, row, words) for row in results.over_time.pretrends.to_dict("records")
    )


def tests_counted(results: Results, words: Catalogue) -> tuple[str, ...]:
    """Say of each outcome how many designs find that the groups moved apart before treatment."""
    if results.over_time is None:
        return ()
    said = []
    for column, name in _names(results)[1].items():
        tests = results.over_time.pretrends
        p = pd.to_numeric(tests.loc[tests["outcome"] == column, "p_value"]).dropna()
        apart = int((p < 1 - results.plan.level).sum())
        values = {"total": words.number(len(p)), "apart": words.number(apart)}
        said += [words.text("over_time.count", outcome=name, **values)] if len(p) else []
    return tuple(said)


def _before(results: Results, row: dict[str, object], words: Catalogue) -> str:
    """Say whether one design passes its test, and which trend the test would have let through."""
    labels, outcomes = _names(results)
    about = {"label": labels[str(row["name"])], "outcome": outcomes[str(row["outcome"])]}
    if row["reason"]:
        return words.text("over_time.no_test", reason=_reason(row, words), **about)
    p = float(row["p_value"])  # type: ignore[arg-type]
    values = {"p": words.p_value(p, sentence=True), "df": words.number(float(row["df"]))}  # type: ignore[arg-type]
    if p < 1 - results.plan.level:
        return words.text("over_time.rejected", **values, **about)
    said = words.text("over_time.kept", **values, **about)
    slope = float(row["slope"])  # type: ignore[arg-type]
    if np.isnan(slope):
        return said
    shown = words.effect(slope, _measure(results, str(row["outcome"]), slope))
    return f"{said} {words.text('over_time.missed', slope=shown)}"


def _reason(row: dict[str, object], words: Catalogue) -> str:
    """Return why something is missing, in the reader's language where the study says it itself."""
    reason = str(row["reason"])
    key = REASONS.get(reason)
    return words.text(f"reason.{key}") if key else reason.rstrip(".")


def _measure(results: Results, outcome: str, value: float) -> Measure:
    """Return how a number in the unit of an outcome is shown."""
    (unit,) = (o.unit for o in results.plan.outcomes if o.column == outcome)
    return Measure.of(unit, [value])


def breaks(results: Results, words: Catalogue) -> tuple[str, ...]:
    """Say of each design by how much trends may break before its conclusion does."""
    if results.over_time is None:
        return ()
    frame, (labels, outcomes) = results.over_time.sensitivity, _names(results)
    said = []
    for column, name in outcomes.items():
        own = frame[frame["outcome"] == column]
        for (entry, kind), rows in restrictions(own[own["reason"] == ""]):
            about = {"label": labels[entry], "outcome": name}
            said.append(_break(results, column, (kind, rows), about, words))
        for row in own[own["reason"] != ""].to_dict("records"):
            reason = str(row["reason"]).rstrip(".")
            about = {"label": labels[str(row["name"])], "outcome": name}
            said.append(words.text("over_time.no_breaks", reason=reason, **about))
    return tuple(said)


def _break(
    results: Results,
    outcome: str,
    robust: tuple[str, pd.DataFrame],
    about: dict[str, str],
    words: Catalogue,
) -> str:
    """Say how large a break of trend one conclusion survives."""
    kind, rows = robust
    slope = "_slope" if kind == "smoothness" else ""
    breakdown, original = float(rows["breakdown"].iloc[-1]), rows.iloc[0]
    if original["conf_low"] <= 0 <= original["conf_high"]:
        return words.text("over_time.holds_never", **about)
    if breakdown == 0:
        return words.text(f"over_time.holds{slope}_not", **about)
    size = float(rows["m"].max()) if np.isinf(breakdown) else _floor(breakdown, bool(slope))
    if slope:
        shown = words.effect(size, _measure(results, outcome, size))
    else:
        shown = words.number(size, 2 if size >= SMALL_M else 3)
    key = f"over_time.holds{slope}{'_all' if np.isinf(breakdown) else ''}"
    return words.text(key, m=shown, **about)


def _floor(value: float, amount: bool) -> float:
    """Return a positive number rounded down: two digits of an amount, two decimals of a ratio."""
    ratio = not amount and value >= SMALL_M
    step = 0.01 if ratio else 10.0 ** (np.floor(np.log10(value)) - 1)
    return float(np.floor(value / step) * step)


def two_way(results: Results, words: Catalogue) -> tuple[str, ...]:
    """Say what each two-way coefficient is, what another design finds, and what it mixes."""
    found = results.over_time
    if found is None:
        return ()
    labels, outcomes = _names(results)
    return tuple(
        " ".join(_mixture(results, found, row, words))
        for row in found.mixture.to_dict("records")
        if str(row["name"]) in labels and str(row["outcome"]) in outcomes
    )


def _mixture(
    results: Results, found: OverTime, row: dict[str, object], words: Catalogue
) -> Iterator[str]:
    """Yield the sentences about one coefficient."""
    labels, outcomes = _names(results)
    frame = results.findings.frame
    same = frame[frame["outcome"] == row["outcome"]]
    own = same[same["name"] == row["name"]]
    measure = measure_of_rows(own)
    about = {
        "label": labels[str(row["name"])],
        "outcome": outcomes[str(row["outcome"])],
        "effect": words.effect(float(own["estimate"].iloc[0]), measure),
    }
    other = same[(same["estimand"] == "ATT") & same["name"].isin(list(_staggered(found)))]
    other = other[other["estimate"].notna()]
    if len(other):
        average = words.effect(float(other["estimate"].iloc[0]), measure)
        named = {"other": other["label"].iloc[0], "average": average}
        yield words.text("two_way.beside", **about, **named)
    else:
        yield words.text("two_way.coefficient", **about)
    if pd.notna(row["n_weights"]):
        yield _weights(row, words)
    parts = found.decomposition
    parts = parts[(parts["name"] == row["name"]) & (parts["outcome"] == row["outcome"])]
    later = float(parts.loc[parts["kind"].isin(INTO_TREATED), "weight"].sum())
    if later > 0:
        yield words.text("two_way.later", share=words.percent(later))
    if row["reason"]:
        yield words.text("two_way.missing", reason=_reason(row, words))


def _weights(row: dict[str, object], words: Catalogue) -> str:
    """Say how many effects enter with a negative weight."""
    total, count = (int(row[c]) for c in ("n_weights", "n_negative"))  # type: ignore[call-overload]
    if not count:
        return words.text("two_way.none_negative", total=words.number(total))
    size = float(row["sum_negative"])  # type: ignore[arg-type]
    numbers = {"total": words.number(total), "count": words.number(count)}
    return words.text("two_way.negative", sum=words.number(size, 2), **numbers)


def _staggered(found: OverTime) -> dict[str, None]:
    """Return the names of the staggered entries with details, in order."""
    return dict.fromkeys(map(str, found.details["name"]))


def _names(results: Results) -> Names:
    """Return the printed names of entries and of outcomes."""
    plan = results.plan
    return {e.name: e.label for e in plan.estimates}, {o.column: o.label for o in plan.outcomes}
