"""Do the designs agree? The answers side by side, each with its difference from the benchmark."""

from typing import Literal, TypeAlias

import pandas as pd

from prakerja_eval.compare import Agreement
from prakerja_eval.language import Catalogue, Measure
from prakerja_eval.language.catalogue import titled, unit_name
from prakerja_eval.tables.impact import interval, number
from prakerja_eval.tables.table import Cell, Column, Table

PARTS = {
    "interval": ("conf_low", "conf_high"),
    "diff_interval": ("diff_conf_low", "diff_conf_high"),
}
Verdict: TypeAlias = Literal["differs", "not_apart", "wide", "missing"]


def verdict(row: "pd.Series", benchmark: float) -> Verdict:
    """Say what the interval of a difference from the benchmark allows.

    Parameters
    ----------
    row : Series
        With diff_conf_low and diff_conf_high.
    benchmark : float
        The benchmark's estimate.

    Returns
    -------
    {"differs", "not_apart", "wide", "missing"}
        The interval excludes zero; or it includes zero and no difference as large as the
        benchmark's estimate; or it includes zero and such a difference too, so that the data cannot
        say; or there is no interval.
    """
    low, high = number(row["diff_conf_low"]), number(row["diff_conf_high"])
    if low is None or high is None:
        return "missing"
    if low > 0 or high < 0:
        return "differs"
    size = abs(benchmark)
    return "wide" if low <= -size or high >= size else "not_apart"


def agreement(
    answers: Agreement,
    *,
    unit: str = "",
    title: str | None = None,
    benchmark: str | None = None,
    level: float = 0.95,
    catalogue: Catalogue | None = None,
) -> Table:
    """Return the answers of the designs beside the benchmark's.

    Parameters
    ----------
    answers : Agreement
    unit : str
        Unit of the outcome.
    title : str, optional
        Name of the outcome in the caption, which adds the period if there is one.
    benchmark : str, optional
        What the caption calls the benchmark.
    level : float
        Coverage of the intervals, for the headings.
    catalogue : Catalogue, optional
        English if left out.

    Returns
    -------
    Table
        Its first row is the benchmark.
    """
    words = catalogue or Catalogue.named("en")
    frame = answers.frame
    measure = Measure.of(unit, frame[["estimate", "std_error"]].to_numpy(float).ravel())
    heads = ("design", "estimate", "std_error", "interval", "difference", "diff_std_error")
    keys = (*heads, "diff_interval", "diff_p_value", "verdict")
    percent = words.percent(level)
    columns = tuple(
        Column(
            k,
            words.text(f"column.{k}", level=percent),
            k not in ("design", "verdict"),
            PARTS.get(k, ()),
        )
        for k in keys
    )
    rows = tuple(_row(frame, i, measure, words) for i in range(len(frame)))
    caption = words.text(
        "caption.agreement" if unit else "caption.agreement_bare",
        outcome=titled(words, title or answers.outcome, answers.wave),
        benchmark=benchmark or words.text("benchmark.other"),
        unit=unit_name(words, unit),
    )
    return Table(caption, columns, rows)


def _row(frame: pd.DataFrame, i: int, measure: Measure, words: Catalogue) -> tuple[Cell, ...]:
    row = frame.iloc[i]
    found = "" if i == 0 else verdict(row, float(frame["estimate"].iloc[0]))
    p = number(row["diff_p_value"])

    def amount(column: str) -> Cell:
        return Cell(words.shown(number(row[column]), measure), number(row[column]))

    return (
        Cell(str(row["label"]), str(row["label"])),
        amount("estimate"),
        amount("std_error"),
        interval(row["conf_low"], row["conf_high"], measure, words),
        amount("difference"),
        amount("diff_std_error"),
        interval(row["diff_conf_low"], row["diff_conf_high"], measure, words),
        Cell(words.p_value(p), p),
        Cell(words.text(f"verdict.{found}") if found else "", found),
    )
