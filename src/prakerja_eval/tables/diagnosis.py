"""How do the estimators do in simulated worlds? The table of a diagnosis."""

import numpy as np
import pandas as pd

from prakerja_eval.compare.diagnosis import MEASURES, WITH_ERROR, Diagnosis, about, naming
from prakerja_eval.compare.diagnosis_words import diagnosis_words
from prakerja_eval.compare.frames import frame_of
from prakerja_eval.language import Catalogue, Measure
from prakerja_eval.language.catalogue import plain, unit_name
from prakerja_eval.tables.impact import number
from prakerja_eval.tables.table import Cell, Column, Table

NEEDED = ("scenario", "estimator", "outcome", "draws", "failed", *MEASURES)
AMOUNTS = ("truth", "estimate", "bias", "rmse")
SHARES = ("coverage", "size", "power")
HEADINGS = {"bias": "bias_column", "coverage": "coverage_column"}


def diagnosis(
    given: Diagnosis | pd.DataFrame,
    *,
    outcome: str | None = None,
    unit: str = "",
    title: str | None = None,
    catalogue: Catalogue | None = None,
) -> Table:
    """Return bias, RMSE, coverage, size and power, each with its Monte Carlo standard error.

    Parameters
    ----------
    given : Diagnosis or DataFrame
        The frame of a Diagnosis.
    outcome : str, optional
        Column name; needed if there are several outcomes.
    unit : str, optional
        Unit of the outcome: of a "share" amounts are in percentage points.
    title : str, optional
        Name of the outcome in the caption.
    catalogue : Catalogue, optional
        English if left out.

    Returns
    -------
    Table
        A row a scenario, estimator and parameter. The CSV holds measure and error apart.

    Raises
    ------
    UsageError
        If the outcome is not there, there are several and none is named, or a column is missing.
    """
    words = diagnosis_words(catalogue)
    frame = frame_of(given, NEEDED, "tables.diagnosis", "a Diagnosis")
    frame, name = about(frame, outcome, "tables.diagnosis")
    measure = Measure.of(unit, frame[["bias", "rmse"]].to_numpy(float).ravel())
    labels = naming(frame)
    measures = [
        *AMOUNTS,
        "se_ratio",
        "coverage",
        *(c for c in ("size", "power") if frame[c].notna().any()),
    ]
    columns = (
        *(Column(c, words.text(f"diagnosis.{c}"), numeric=False) for c in labels),
        Column("draws", words.text("diagnosis.draws")),
        Column("failed", words.text("diagnosis.failed_column")),
        *(_column(c, words) for c in measures),
    )
    rows = tuple(
        (
            *(Cell(plain(row[c]), plain(row[c])) for c in labels),
            Cell(words.number(row["draws"]), int(row["draws"])),
            Cell(words.number(100 * row["failed"] / row["draws"], 1), int(row["failed"])),
            *(_cell(row, c, measure, words) for c in measures),
        )
        for row in frame.to_dict(orient="records")
    )
    notes = (unit_name(words, unit),) if unit else ()
    return Table(words.text("diagnosis.caption", outcome=title or name), columns, rows, notes)


def _column(key: str, words: Catalogue) -> Column:
    parts = (key, f"{key}_mc_se") if key in WITH_ERROR else ()
    return Column(key, words.text(f"diagnosis.{HEADINGS.get(key, key)}"), parts=parts)


def _cell(row: dict[object, object], key: str, measure: Measure, words: Catalogue) -> Cell:
    """Return a measure, with its Monte Carlo standard error in brackets where it has one."""
    error = number(row[f"{key}_mc_se"]) if key in WITH_ERROR else None
    value = number(row[key])
    shown = [_shown(v, key, measure, words) for v in (value, error)]
    if key not in WITH_ERROR:
        return Cell(shown[0], value)
    text = shown[0] if error is None or value is None else f"{shown[0]} ({shown[1]})"
    return Cell(text, (value, error))


def _shown(value: float | None, key: str, measure: Measure, words: Catalogue) -> str:
    if key in SHARES:
        return words.number(None if value is None else 100 * value, 1)
    if key in AMOUNTS:
        more = Measure(measure.unit, measure.factor, measure.digits + 1)
        return words.shown(np.nan if value is None else value, more)
    return words.number(value, 3)
