"""What did every design find? The impact table of one outcome."""

import re
from collections.abc import Callable

import pandas as pd

from prakerja_eval.compare.frames import findings_of
from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import Estimate, Findings
from prakerja_eval.language import Catalogue, Measure
from prakerja_eval.language.catalogue import plain, unit_name
from prakerja_eval.tables.disclosure import hide_small
from prakerja_eval.tables.table import Cell, Column, Table

NEEDED = (
    *("estimator", "estimand", "outcome", "wave", "estimate", "std_error", "p_value", "conf_low"),
    *("conf_high", "inference", "unit", "n", "n_treated", "n_comparison", "n_clusters"),
    *("comparison_mean", "status"),
)
RELATIVE = "ATT in percent"  # such rows have another unit than the outcome
COUNTS = ("n", "n_treated", "n_clusters")
WARNED = ("re-applicants:", "weak overlap:")
TEXT = ("design", "wave", "estimand", "inference", "status")
PARTS = {"interval": ("conf_low", "conf_high")}


def impact(
    findings: Findings | Estimate | pd.DataFrame,
    *,
    outcome: str | None = None,
    title: str | None = None,
    catalogue: Catalogue | None = None,
) -> Table:
    """Return every estimate of one outcome with its comparison mean, N and number of clusters.

    Parameters
    ----------
    findings : Findings, Estimate or DataFrame
        An Estimate stands under its default inference. A column ``label`` names the rows, or else
        the estimator does.
    outcome : str, optional
        Column name; needed if there are several outcomes.
    title : str, optional
        Name of the outcome in the caption.
    catalogue : Catalogue, optional
        English if left out.

    Returns
    -------
    Table
        Effects are treatment minus comparison; no stars. Counts under ten people are not shown.

    Raises
    ------
    UsageError
        If the outcome is not among the findings, there are several and none is named, or a column
        is missing.
    """
    words = catalogue or Catalogue.named("en")
    found = findings_of(findings, NEEDED, "tables.impact")
    frame, name = of_outcome(found.frame, outcome)
    gone = {c: frame[c].notna() for c in COUNTS}
    hidden = hide_small(frame)
    frame = hidden.assign(label=frame["label"] if "label" in frame else frame["estimator"])
    frame = frame.assign(**{f"{c}_hidden": gone[c] & frame[c].isna() for c in COUNTS})
    relative = frame["estimand"] == RELATIVE
    named = frame.loc[~relative, "unit"].dropna()
    unit = str(named.iloc[0]) if len(named) else ""
    makers = _makers(words, _measure(unit, frame[~relative]), _measure("percent", frame[relative]))
    if frame["wave"].map(str).nunique() == 1 and frame["wave"].iloc[0] is None:
        del makers["wave"]
    if all(map(_told_elsewhere, frame.to_dict(orient="records"))):
        del makers["status"]
    level = words.percent(found.level)
    columns = tuple(
        Column(key, words.text(f"column.{key}", level=level), key not in TEXT, PARTS.get(key, ()))
        for key in makers
    )
    rows = tuple(
        tuple(make(row) for make in makers.values()) for row in frame.to_dict(orient="records")
    )
    kind = "impact" if unit else "impact_bare"
    caption = words.text(f"caption.{kind}", outcome=title or name, unit=unit_name(words, unit))
    return Table(caption, columns, rows)


def _measure(unit: str, frame: pd.DataFrame) -> Measure:
    return Measure.of(unit, frame[["estimate", "std_error"]].to_numpy(float).ravel())


def of_outcome(frame: pd.DataFrame, outcome: str | None) -> tuple[pd.DataFrame, str]:
    """Return the rows about one outcome and its name.

    Raises
    ------
    UsageError
        If there is no such outcome, or several and none is named.
    """
    names = list(dict.fromkeys(frame["outcome"].map(str)))
    if outcome is None and len(names) > 1:
        raise UsageError(f"a table is about one outcome; name one of {', '.join(names)}.")
    name = outcome or "".join(names)
    if name not in names:
        raise UsageError(f"no row is about {name!r}; there are {', '.join(names)}.")
    return frame[frame["outcome"].map(str) == name].reset_index(drop=True), name


Maker = Callable[[dict[str, object]], Cell]


def _makers(words: Catalogue, measure: Measure, relative: Measure) -> dict[str, Maker]:
    """Return how each column's cell is made from a row of findings."""

    def amount(column: str) -> Maker:
        return lambda row: _amount(row, column, (measure, relative), words)

    def count(column: str) -> Maker:
        return lambda row: _count(row, column, words)

    def word(column: str) -> Maker:
        return lambda row: Cell(plain(row[column]), plain(row[column]))

    return {
        "design": word("label"),
        "wave": word("wave"),
        "estimand": word("estimand"),
        "estimate": amount("estimate"),
        "std_error": amount("std_error"),
        "interval": lambda row: _interval(row, (measure, relative), words),
        "p_value": lambda row: Cell(words.p_value(number(row["p_value"])), number(row["p_value"])),
        "comparison_mean": amount("comparison_mean"),
        "percent_of_mean": lambda row: _percent(row, words),
        "n": count("n"),
        "n_treated": count("n_treated"),
        "n_clusters": count("n_clusters"),
        "inference": lambda row: Cell(
            inference_words(plain(row["inference"]), words), plain(row["inference"])
        ),
        "status": lambda row: Cell(
            "" if _told_elsewhere(row) else plain(row["status"]), plain(row["status"])
        ),
    }


def _told_elsewhere(row: dict[str, object]) -> bool:
    """Say whether a row's status is none, or stands in words under the report's warnings."""
    said = str(row["status"])
    told = any(words in said for words in WARNED) and not pd.isna(row["std_error"])
    return said == "ok" or told


Measures = tuple[Measure, Measure]  # of amounts, of percents


def _amount(row: dict[str, object], column: str, how: Measures, words: Catalogue) -> Cell:
    """Return an amount; with its unit where that is percent."""
    value = number(row[column])
    if row["estimand"] != RELATIVE or column == "comparison_mean":
        return Cell(words.shown(value, how[0]), value)
    shown = words.shown(value, how[1])
    return Cell(shown if value is None else words.text("format.percent_cell", number=shown), value)


def _interval(row: dict[str, object], how: Measures, words: Catalogue) -> Cell:
    """Return an interval; with its unit where that is percent."""
    relative = row["estimand"] == RELATIVE
    cell = interval(row["conf_low"], row["conf_high"], how[relative], words)
    if not relative or number(row["conf_low"]) is None:
        return cell
    return Cell(words.text("format.percent_cell", number=cell.shown), cell.value)


def number(value: object) -> float | None:
    """Return a number, or None where there is none."""
    return None if value is None or pd.isna(value) else float(value)  # type: ignore[arg-type]


def interval(low: object, high: object, measure: Measure, words: Catalogue) -> Cell:
    """Return an interval as one cell."""
    ends = number(low), number(high)
    if None in ends:
        return Cell(words.text("format.missing"), ends)
    shown = [words.shown(end, measure) for end in ends]
    text = words.text("format.interval_cell", low=shown[0], high=shown[1])
    return Cell(text, ends)


def share_of_mean(estimate: object, mean: object) -> float | None:
    """Return effect over comparison mean, where the mean is above zero."""
    top, bottom = number(estimate), number(mean)
    return None if top is None or bottom is None or bottom <= 0 else top / bottom


def _percent(row: dict[str, object], words: Catalogue) -> Cell:
    if row["estimand"] == RELATIVE:
        return Cell(words.number(number(row["estimate"]), 1), number(row["estimate"]))
    share = share_of_mean(row["estimate"], row["comparison_mean"])
    value = None if share is None else 100 * share
    return Cell(words.number(value, 1), value)


def _count(row: dict[str, object], column: str, words: Catalogue) -> Cell:
    found = number(row[column])
    if found is None:
        hidden = row[f"{column}_hidden"] or number(row["estimate"]) is not None
        return Cell(words.text("format.hidden" if hidden else "format.missing"), None)
    return Cell(words.number(found), int(found))


PATTERNS = (
    (r"classical", "classical"),
    (r"(?P<kind>HC\d)", "robust"),
    (r"(?P<kind>HC\d), (?P<how>welch|normal)", "{how}"),
    (r"Abadie-Imbens, estimated score", "abadie_imbens_estimated"),
    (r"Abadie-Imbens, score taken as known", "abadie_imbens_known"),
    (r"clustered by (?P<by>.+) \((?P<correction>[^,)]*),[^)]*\)", "clustered"),
    (
        r"wild cluster bootstrap by (?P<by>.+) \((?P<law>\w+), all (?P<draws>\d+) draws\)",
        "wild_all",
    ),
    (r"wild cluster bootstrap by (?P<by>.+) \((?P<law>\w+), (?P<draws>\d+) draws\)", "wild"),
    (r"multiplier bootstrap by (?P<by>.+) \((?P<draws>\d+) draws\)", "bootstrap"),
)


def inference_words(label: str, words: Catalogue) -> str:
    """Return how a standard error was made, in the reader's language; unknown ones as they are."""
    for pattern, key in PATTERNS:
        found = re.fullmatch(pattern, label)
        if found:
            parts = found.groupdict()
            if parts.get("by") == "unit":
                parts["by"] = words.text("inference.unit")
            if "correction" in parts:
                parts["correction"] = words.text(f"inference.correction_{parts['correction']}")
            return words.text(f"inference.{key.format(**parts)}", **parts)
    return label
