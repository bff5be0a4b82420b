"""How far can an estimator be trusted here? Its performance over simulated draws, as a table."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from prakerja_eval.compare.one_draw import NO_TRUTH, NUMBERS
from prakerja_eval.compare.performance import Answers, performance
from prakerja_eval.errors import UsageError
from prakerja_eval.estimate.estimate import INDEX_COLUMNS

LABELS = tuple(c for c in INDEX_COLUMNS if c != "estimator")
ROW_KEY = ("outcome", "estimand", "cohort", "wave", "event_time", "subgroup")
ALWAYS = ("outcome", "wave")
NAMING = ("outcome", "wave", "estimand", "cohort", "event_time", "subgroup")
COUNTS = ("draws", "failed", "no_interval")
MEASURES = (
    *("truth", "estimate", "bias", "bias_mc_se", "sd", "rmse", "rmse_mc_se", "mean_se", "se_ratio"),
    *("coverage", "coverage_mc_se", "rejects", "rejects_mc_se"),
    *("size", "size_mc_se", "power", "power_mc_se"),
)
REASONS = ("scenario", "estimator", "outcome", "wave", "reason", "draws")
PRINTED = ("truth", "bias", "rmse", "se_ratio", "coverage", "size", "power")
WITH_ERROR = ("bias", "rmse", "coverage", "size", "power")

MANY_FAILED = 0.05  # share of draws from which the table warns

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Diagnosis:
    """Bias, RMSE, coverage, size and power of estimators over simulated draws.

    Attributes
    ----------
    frame : DataFrame
        A row a scenario, estimator and parameter: scenario, estimator (the name it was given), the
        index columns that say anything, draws, failed (draws without an estimate), no_interval
        (draws with an estimate and no interval), truth and estimate (means over draws), bias,
        bias_mc_se, sd, rmse, rmse_mc_se, mean_se, se_ratio (mean_se / sd), coverage of the mean
        truth, coverage_mc_se, rejects (share of p-values below .05), rejects_mc_se, and the same
        share as size where the truth is zero in every draw or as power elsewhere.
    reasons : DataFrame
        Why draws have no estimate, no interval or no truth: scenario, estimator, outcome, wave,
        reason, draws.
    notes : tuple of str
        How the draws were made.
    """

    frame: pd.DataFrame
    reasons: pd.DataFrame
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        body = str(self._printed().to_html(index=False, border=0, na_rep="", escape=True))
        return body + "".join(f"<p>{escape(line)}</p>" for line in self._below())

    def tidy(self) -> pd.DataFrame:
        """Return a copy of the frame."""
        return self.frame.copy()

    def summary(self) -> str:
        """Return the table as text, with Monte Carlo standard errors in brackets."""
        table = self._printed().to_string(index=False, na_rep="")
        return "\n".join([table, *self._below()])

    def to_latex(self) -> str:
        """Return a booktabs table with names escaped for LaTeX."""
        printed = self._printed().rename(columns=lambda c: str(c).replace("_", " "))
        style = printed.style.hide(axis="index").format(escape="latex", na_rep="")
        return str(style.to_latex(hrules=True))

    def join(self, *others: "Diagnosis") -> "Diagnosis":
        """Return the rows of this and other diagnoses in one."""
        every = (self, *others)
        frame = pd.DataFrame([row for d in every for row in d.frame.to_dict(orient="records")])
        reasons = pd.DataFrame(
            [row for d in every for row in d.reasons.to_dict(orient="records")], columns=REASONS
        )
        notes = tuple(dict.fromkeys(note for d in every for note in d.notes))
        return Diagnosis(_ordered(frame), reasons, notes)

    def _printed(self) -> pd.DataFrame:
        """Return the labels that differ, and the measures that there are."""
        frame = self.frame
        shown = frame[naming(frame)].map(_word)
        shown["draws"] = frame["draws"]
        shown["failed"] = [
            f"{row.failed} ({row.failed / row.draws:.0%})" if row.failed else "0"
            for row in frame.itertuples()
        ]
        for measure in PRINTED:
            if frame[measure].notna().any():
                error = f"{measure}_mc_se" if measure in WITH_ERROR else None
                shown[measure] = [
                    _number(row[measure], row[error] if error else None)
                    for row in frame.to_dict(orient="records")
                ]
        return shown

    def _below(self) -> list[str]:
        """Return what is said under the table."""
        lines = ["In brackets: Monte Carlo standard errors. Coverage is of nominal 95% intervals."]
        lines += list(self.notes)
        if self.frame["scenario"].nunique() > 1:
            lines.append("Scenarios share the seeds of their draws: they do not err independently.")
        share = self.frame["failed"] / self.frame["draws"]
        if ((share > MANY_FAILED) & (share < 1)).any():
            lines.append(
                f"More than {MANY_FAILED:.0%} of draws failed: what is left may be selected."
            )
        for row in self.reasons.itertuples():
            about = ", ".join(t for t in (_word(row.outcome), _word(row.wave)) if t)
            where = f"{row.scenario}: {row.estimator}" + (f" ({about})" if about else "")
            draws = "1 draw" if row.draws == 1 else f"{row.draws:,} draws"
            lines.append(f"{where}: {draws}: {row.reason}")
        return lines


def diagnosis_of(scenario: str, estimators: Sequence[str], texts: Iterable[str]) -> Diagnosis:
    """Return the diagnosis of one scenario's draws.

    Parameters
    ----------
    scenario : str
        Its name.
    estimators : sequence of str
        Names, in the order of the table.
    texts : iterable of str
        A line of JSON a draw, in the order of the draws (``one_draw``).
    """
    draws = [json.loads(text)["estimators"] for text in texts]
    rows: list[dict[str, object]] = []
    reasons: list[dict[str, object]] = []
    for name in estimators:
        made, why = _of_estimator([draw[name] for draw in draws])
        about: dict[str, object] = {"scenario": scenario, "estimator": name}
        rows += [about | row for row in made]
        reasons += [about | reason for reason in why]
    return Diagnosis(_ordered(pd.DataFrame(rows)), pd.DataFrame(reasons, columns=REASONS))


def naming(frame: pd.DataFrame) -> list[str]:
    """Return the columns that name a row: scenario, estimator and the labels that differ.

    Rows that have no estimate in any draw say nothing of labels.
    """
    there = frame[frame["failed"] < frame["draws"]]
    several = [c for c in NAMING if c in frame and there[c].map(_word).nunique() > 1]
    scenario = ["scenario"] if frame["scenario"].nunique() > 1 else []
    return [*scenario, "estimator", *several]


def about(frame: pd.DataFrame, outcome: str | None, what: str) -> tuple[pd.DataFrame, str]:
    """Return the rows of one outcome, and its name.

    Rows without an outcome are among them: an estimator that refused every draw names none.

    Raises
    ------
    UsageError
        If there are several outcomes and none is named, or the named one is absent.
    """
    told = frame["outcome"].map(_word)
    names = [name for name in dict.fromkeys(told) if name]
    if outcome is None and len(names) > 1:
        raise UsageError(f"{what} is about one outcome; name one of {', '.join(names)}.")
    if outcome is not None and outcome not in names:
        raise UsageError(f"no row is about {outcome!r}; there are {', '.join(names)}.")
    chosen = outcome or "".join(names)
    return frame[told.isin([chosen, ""])].reset_index(drop=True), chosen


def _of_estimator(draws: list[Row]) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Return the rows of one estimator, and the reasons why some draws have none."""
    refused = Counter(draw["refused"] for draw in draws if "refused" in draw)
    reasons = [_reason(None, text, count) for text, count in refused.items()]
    parameters = _parameters(draws)
    if not parameters:
        nothing = dict.fromkeys(LABELS) | {"draws": len(draws), "failed": len(draws)}
        empty = performance(_answers({}, len(draws)))
        return [nothing | empty], reasons
    rows = []
    for found in parameters.values():
        measured = performance(_answers(found, len(draws)))
        failed = len(draws) - int(measured["estimated"])
        rows.append(_labels(found) | {"draws": len(draws), "failed": failed} | measured)
        absent = len(draws) - refused.total() - len(found)
        reasons += _told(found, absent)
    return rows, reasons


def _parameters(draws: list[Row]) -> dict[tuple[object, ...], dict[int, Row]]:
    """Return by parameter the row that each draw has of it, in the order of first appearance.

    Rows of one draw that share what tells parameters apart are told apart by their order. Neither
    population nor specification tells them apart, since both may depend on who was observed.
    """
    out: dict[tuple[object, ...], dict[int, Row]] = {}
    for number, draw in enumerate(draws):
        seen: Counter[tuple[object, ...]] = Counter()
        for row in draw.get("rows", []):
            key = tuple(row["label"][c] for c in ROW_KEY)
            out.setdefault((*key, seen[key]), {})[number] = row
            seen[key] += 1
    return out


def _labels(found: Mapping[int, Row]) -> dict[str, object]:
    """Return the labels of a parameter; where a label differs between draws, all of its values."""
    labels: dict[str, object] = {}
    for column in LABELS:
        values = list(dict.fromkeys(row["label"][column] for row in found.values()))
        labels[column] = values[0] if len(values) == 1 else " / ".join(map(_word, values))
    return labels


def _answers(found: Mapping[int, Row], draws: int) -> Answers:
    def column(name: str) -> np.ndarray:
        out = np.full(draws, np.nan)
        for number, row in found.items():
            out[number] = np.nan if row[name] is None else float(row[name])
        return out

    return Answers(**{name: column(name) for name in (*NUMBERS, "truth")})


def _told(found: Mapping[int, Row], absent: int) -> list[dict[str, object]]:
    """Return why rows of a parameter lack an estimate, an interval or a truth."""
    first = next(iter(found.values()))["label"]
    told: Counter[str] = Counter()
    for row in found.values():
        if row["estimate"] is None or row["conf_low"] is None:
            told[row["status"]] += 1
        if row["truth"] is None:
            told[NO_TRUTH] += 1
    if absent:
        told["no such row in this draw"] += absent
    return [_reason(first, text, count) for text, count in told.items()]


def _reason(label: Row | None, text: str, draws: int) -> dict[str, object]:
    about = {c: None if label is None else label[c] for c in ALWAYS}
    return {**about, "reason": text, "draws": draws}


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the columns in their order, without index columns that say nothing."""
    labels = [c for c in LABELS if c in frame and (c in ALWAYS or frame[c].notna().any())]
    return frame[["scenario", "estimator", *labels, *COUNTS, *MEASURES]].reset_index(drop=True)


def _word(value: object) -> str:
    """Return a label; an empty one for None, whole numbers without a decimal."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(value: float, error: float | None) -> str:
    """Return a number with four significant digits, and its Monte Carlo error with two."""
    if not np.isfinite(value):
        return ""
    text = _digits(value, 4)
    return text if error is None or not np.isfinite(error) else f"{text} ({_digits(error, 2)})"


def _digits(value: float, digits: int) -> str:
    """Return a number with its significant digits, a large one whole and with commas."""
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{float(f'{value:.{digits}g}'):g}"
