"""How are distributions and codes printed, so that no few people can be told apart?"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from prakerja_eval.language import Catalogue, Measure
from prakerja_eval.panel.describe.distributions import PERCENTS
from prakerja_eval.panel.describe.grid import Grid, Section, grid
from prakerja_eval.panel.values import plain_text

if TYPE_CHECKING:
    from prakerja_eval.panel.describe.description import Description

FEWEST = 10  # people or values behind a printed cell
MOST_ROWS = 60
DIGITS = 3  # at most, after the decimal sign
AMOUNTS = ("mean", "sd", *(f"p{p}" for p in PERCENTS))
SHORT = ("mean", "sd", "p10", "p50", "p90")


def spread_section(about: "Description", words: Catalogue, short: bool) -> Section:
    """Return the distributions of numbers and the commonest codes.

    Parameters
    ----------
    about : Description
    words : Catalogue
    short : bool
    """
    grids, lines = [], [words.text("describe.percentiles")]
    frame = about.distributions
    if short and len(frame) > MOST_ROWS:
        lines.append(words.text("describe.first_rows", count=words.number(MOST_ROWS)))
        frame = frame.iloc[:MOST_ROWS]
    if len(frame):
        grids.append(_numbers(frame, words, short))
    if len(about.levels):
        lines.append(words.text("describe.few", count=FEWEST))
        grids.append(_codes(about.levels, words))
    return Section(words.text("describe.spread"), tuple(lines), tuple(grids))


def _numbers(frame: pd.DataFrame, words: Catalogue, short: bool) -> Grid:
    amounts = SHORT if short else AMOUNTS
    waves = any(not pd.isna(w) and w != "" for w in frame["wave"])
    head = [words.text("describe.column"), *([words.text("describe.wave")] if waves else [])]
    head += [words.text("describe.n"), *([] if short else [words.text("describe.missing_n")])]
    head += [words.text(f"describe.{a}") if a in ("mean", "sd") else a for a in amounts]
    below = ("zero", "negative") if (frame["negative"] > 0).any() or not short else ("zero",)
    head += [words.text(f"describe.{k}") for k in below]
    head += [] if short else [words.text("describe.distinct")]
    rows = []
    for _, part in frame.groupby("column", sort=False):
        sizes = np.abs(part[["mean", "p50", "p90"]].to_numpy(float)).ravel()
        digits = min(Measure.of("", sizes).digits, DIGITS)
        rows += [
            _line(row, (amounts, below, digits, waves, short), words) for _, row in part.iterrows()
        ]
    return grid(words.text("describe.numbers"), head, rows, 2 if waves else 1)


def _line(
    row: pd.Series, how: tuple[tuple[str, ...], tuple[str, ...], int, bool, bool], words: Catalogue
) -> tuple[str, ...]:
    """Return a row of statistics; of fewer than ten values only how many there are."""
    amounts, below, digits, waves, short = how
    enough = row["n"] >= FEWEST
    cells = [row["column"]]
    if waves:
        cells.append(
            words.text("describe.each_unit") if pd.isna(row["wave"]) else plain_text(row["wave"])
        )
    cells += [words.number(row["n"]), *([] if short else [words.number(row["missing"])])]
    cells += [words.number(row[a] if enough else None, digits) for a in amounts]
    cells += [words.number(100 * row[k] if enough else None, 1) for k in below]
    return tuple(cells if short else [*cells, words.number(row["distinct"])])


def _codes(levels: pd.DataFrame, words: Catalogue) -> Grid:
    head = [
        words.text(f"describe.{k}") for k in ("column", "code", "label", "n", "people", "percent")
    ]
    rows = []
    for name, part in levels.groupby("column", sort=False):
        shown, pool = _told_apart(part)
        for row in part.loc[shown].itertuples():
            numbers = (
                words.number(row.n),
                words.number(row.people),
                words.number(100 * row.share, 1),
            )
            rows.append((name, row.code, row.label, *numbers))
        if len(pool):
            others = part.loc[pool]
            count = words.number(int(others["codes"].sum()))
            share = words.number(100 * float(others["share"].sum()), 1)
            text = words.text("describe.other_codes", count=count)
            dash = words.number(None)
            rows.append((name, text, "", words.number(int(others["n"].sum())), dash, share))
    return grid(words.text("describe.codes"), head, rows, 3)


def _told_apart(part: pd.DataFrame) -> tuple[pd.Index, pd.Index]:
    """Return which codes are shown, and which are pooled.

    Those of fewer than ten people are pooled, and with them the next commonest ones until the pool
    is of ten people too: their number could be had by subtraction.
    """
    people = part["people"].to_numpy()
    pooled = (people < FEWEST) | part["code"].isna().to_numpy()
    for k in np.argsort(people, kind="stable"):
        if pooled.any() and people[pooled].max() < FEWEST and not pooled[k]:
            pooled[k] = True
    return part.index[~pooled], part.index[pooled]
