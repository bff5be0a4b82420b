"""Who is treated when? The status of each cohort in each wave, with its number of people."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from prakerja_eval.compare.frames import frame_of
from prakerja_eval.errors import UsageError
from prakerja_eval.figures import parts, style
from prakerja_eval.figures.cells import (
    ROW,
    cell_width,
    label_rows,
    label_waves,
    letters_size,
    row_names,
    write,
)
from prakerja_eval.language import Catalogue

COLUMNS = ("cohort", "wave", "status", "n")
SOURCE = "the frame of did.status_map"
# From light to dark, so that they differ in grey too; the lightest is hatched besides.
LOOKS: dict[str, tuple[str, dict[str, Any], str]] = {
    "never treated": (
        "never_treated",
        {"facecolor": "#f3f4f6", "edgecolor": "#c3c9d0", "hatch": "////"},
        style.INK,
    ),
    "not yet treated": ("not_yet_treated", {"facecolor": "#a8d3ef"}, style.INK),
    "treated": ("treated", {"facecolor": "#0b4f82"}, "white"),
}
PEOPLE = 0.7  # inches of the numbers at the right
GAP = 0.02  # inches between tiles


def status_map(
    frame: Any,
    *,
    title: str | None = None,
    catalogue: Catalogue | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw a tile a cohort and wave, coloured by whether its people are treated by then.

    Parameters
    ----------
    frame : DataFrame, or an object with a ``frame``
        cohort, wave, status ("not yet treated", "treated", "never treated"), n: people observed,
        NaN where it is not shown, since they are few.
    title : str, optional
        Above the map.
    catalogue : Catalogue, optional
        English if left out.
    synthetic : bool
        Print "synthetic data" on the figure.

    Returns
    -------
    matplotlib.figure.Figure
        Numbers stand in the tiles, or, where these are too narrow, the largest of each cohort at
        the right. Where nobody was observed there is no tile.

    Raises
    ------
    UsageError
        If a status is unknown, two rows are about one tile, or a column is missing.
    """
    words = catalogue or Catalogue.named("en")
    rows = frame_of(frame, COLUMNS, "figures.status_map", SOURCE)
    _refuse(rows)
    waves = parts.merged(
        list(dict.fromkeys(g["wave"])) for _, g in rows.groupby("cohort", sort=False, dropna=False)
    )
    cohorts = parts.cohorts_of(rows, waves)
    names = row_names(cohorts, words)
    room = cell_width(names, len(waves))
    size = letters_size(rows["n"].map(words.number), room)
    keys = _keys(rows, bool(size), words)
    explained = [n for _, n in keys]
    with style.styled():
        height = 0.9 + ROW * len(cohorts) + parts.key_height(explained)
        figure, (axis,) = style.new(height + 0.25 * (title is not None) + 0.18 * synthetic)
        label_rows(axis, names, words)
        label_waves(axis, waves, room - (0.0 if size else PEOPLE / len(waves)), words)
        texts, inks = _tiles(axis, rows, (cohorts, waves, GAP / room), words)
        if size:
            write(axis, texts, inks, size)
        else:
            _at_the_right(axis, rows, cohorts, words)
        if title:
            parts.head_above(figure, parts.heading(words, "", title, ""), synthetic)
        parts.key_below(figure, [h for h, _ in keys], explained)
        style.mark_synthetic(figure, words, synthetic)
    return figure


def _refuse(rows: pd.DataFrame) -> None:
    unknown = sorted(set(rows["status"].map(str)) - LOOKS.keys())
    if unknown:
        known = ", ".join(map(repr, LOOKS))
        raise UsageError(f"status_map does not know the status {unknown[0]!r}; there are {known}.")
    never = rows["cohort"].map(lambda c: None if parts.is_never(c) else c)
    twice = rows[pd.DataFrame({"c": never, "w": rows["wave"]}).duplicated()]
    if len(twice):
        cohort, wave = twice.iloc[0][["cohort", "wave"]]
        raise UsageError(f"status_map: several rows are about cohort {cohort} in wave {wave}.")


def _tiles(
    axis: Axes,
    rows: pd.DataFrame,
    places: tuple[list[object], list[object], float],
    words: Catalogue,
) -> tuple[dict[tuple[int, ...], str], dict[tuple[int, ...], str]]:
    """Draw the tiles; return the number of each and its colour."""
    cohorts, waves, across = places
    down = GAP / ROW
    texts: dict[tuple[int, ...], str] = {}
    inks: dict[tuple[int, ...], str] = {}
    for row in rows.to_dict("records"):
        cohort = None if parts.is_never(row["cohort"]) else row["cohort"]
        i, j = cohorts.index(cohort), waves.index(row["wave"])
        _, look, ink = LOOKS[row["status"]]
        if row["n"] == 0:
            continue
        corner = (j - 0.5 + across / 2, i - 0.5 + down / 2)
        axis.add_patch(Rectangle(corner, 1 - across, 1 - down, linewidth=0.0, **look))
        texts[i, j], inks[i, j] = words.number(row["n"]), ink
    return texts, inks


def _at_the_right(axis: Axes, rows: pd.DataFrame, cohorts: list[object], words: Catalogue) -> None:
    """Write the largest number of people of each cohort beside its tiles."""
    largest = [parts.of_cohort(rows, cohort)["n"].max() for cohort in cohorts]
    texts = [words.text("figure.people"), *map(words.number, largest)]
    shift = 6.0 * max(map(len, texts)) + 2  # points
    look: dict[str, Any] = {"xycoords": axis.get_yaxis_transform(), "textcoords": "offset points"}
    look |= {"ha": "right", "va": "center", "fontsize": 9.5}
    for i, text in enumerate(texts):
        colour = style.INK if i else style.MUTED
        axis.annotate(text, (1.0, i - 1.0), (shift, 0), color=colour, **look)


def _keys(rows: pd.DataFrame, each: bool, words: Catalogue) -> list[tuple[Patch, str]]:
    """Return colours and words: the statuses there are, then what a dash means."""
    found = set(rows["status"])
    keys = [
        (Patch(linewidth=0.0, **look), words.text(f"figure.{key}"))
        for status, (key, look, _) in reversed(LOOKS.items())
        if status in found
    ]
    never = rows["cohort"].map(parts.is_never)
    cohort = rows["cohort"].map(str).where(~never, "")
    hidden = rows["n"].isna() if each else rows["n"].isna().groupby(cohort).all()
    if hidden.any():
        dash = f"{words.number(np.nan)} {words.text('figure.overlap_hidden')}"
        keys.append((Patch(facecolor="none"), dash))
    return keys
