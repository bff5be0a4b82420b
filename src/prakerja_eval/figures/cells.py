"""What is the effect in each cohort and period? The grid of group-time effects in colours."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from prakerja_eval.compare.frames import findings_of
from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import Estimate, Findings
from prakerja_eval.figures import parts, style
from prakerja_eval.language import Catalogue

COLUMNS = ("outcome", "cohort", "wave", "event_time", "estimate")
SHADES = LinearSegmentedColormap.from_list("effect", ["#b3490a", "#f7f3ee", "#0a5a94"])
ROW, ROW_LETTERS = 0.3, 14  # inches a cohort; letters of its name
LETTER = 0.0088  # inches that a digit takes, a point of its size
TICK_LETTER = 0.092  # inches that a letter takes beside or under the tiles
SMALLEST, LARGEST = 7.5, 10.0  # points of the numbers in the cells
DARK = 0.62  # of the largest effect: from there on numbers are white


@dataclass(frozen=True, slots=True)
class _Grid:
    """Effects (cohorts, waves) as shown; NaN where there is none, and which cells are what."""

    cohorts: list[object]
    waves: list[object]
    effect: np.ndarray
    before: np.ndarray
    base: np.ndarray
    gone: np.ndarray


def cells(
    findings: Findings | Estimate | pd.DataFrame,
    *,
    outcome: str | None = None,
    unit: str | None = None,
    title: str | None = None,
    catalogue: Catalogue | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw the effect of each cohort in each wave as a coloured cell with its number.

    Parameters
    ----------
    findings : Findings, Estimate or DataFrame
        A row a cell, as did.group_time gives them: cohort, wave, event_time, estimate, status.
    outcome : str, optional
        Column name of the outcome; needed if there are several.
    unit : str, optional
        Unit of the outcome; left out, that of the findings. Large amounts are shown in thousands
        or millions.
    title : str, optional
        Name of the outcome; left out, its column name.
    catalogue : Catalogue, optional
        English if left out.
    synthetic : bool
        Print "synthetic data" on the figure.

    Returns
    -------
    matplotlib.figure.Figure
        Cells before treatment are hatched; one that could not be estimated has a cross. Where
        waves are so many that numbers cannot be read, a bar explains the colours instead.

    Raises
    ------
    UsageError
        If two rows are about one cell, no row has a cohort and a wave, a column is missing, or
        several outcomes are given and none is named.
    """
    words = catalogue or Catalogue.named("en")
    found = findings_of(findings, COLUMNS, "figures.cells")
    frame, name = parts.about(found.frame, outcome, "cells")
    unit = parts.unit_of(frame, unit)
    largest = float(np.nanmax([0.0, *frame["estimate"].abs()]))
    factor, digits, unit_words = parts.scaled(unit, largest, words)
    grid = _grid(frame, factor)
    head = parts.heading(words, "figure.effect_axis", title or name, unit_words)
    with style.styled():
        keys = _keys(grid, words)
        height = 1.2 + ROW * len(grid.cohorts) + parts.key_height([n for _, n in keys])
        figure, (axis,) = style.new(height + 0.18 * (head.count("\n") + synthetic))
        names = row_names(grid.cohorts, words)
        room = cell_width(names, len(grid.waves))
        label_rows(axis, names, words)
        label_waves(axis, grid.waves, room, words)
        mesh = _colour(axis, grid)
        texts, size = _texts(grid, digits, room, words)
        if size:
            write(axis, texts, _inks(grid), size)
        else:
            bar = figure.colorbar(mesh, ax=axis, aspect=30, pad=0.02)
            bar.outline.set_visible(False)
            parts.number_side(bar.ax, words, "y", 5)
        parts.head_above(figure, head, synthetic)
        parts.key_below(figure, [h for h, _ in keys], [n for _, n in keys])
        style.mark_synthetic(figure, words, synthetic)
    return figure


def _grid(frame: pd.DataFrame, factor: float) -> _Grid:
    """Place each row at its cohort and wave."""
    rows = frame[~frame["cohort"].map(parts.is_never) & frame["wave"].notna()]
    if not len(rows):
        raise UsageError(
            "figures.cells was given no row with a cohort and a wave; did.group_time makes them."
        )
    twice = rows[rows.duplicated(["cohort", "wave"])]
    if len(twice):
        first = twice.iloc[0]
        kinds = ("estimator", "specification", "subgroup", "population", "name")
        vary = [c for c in kinds if c in rows and rows[c].map(str).nunique() > 1]
        raise UsageError(
            f"cells: several rows are about cohort {first['cohort']} in wave {first['wave']}; keep "
            f"one {' and one '.join(vary) or 'row'}."
        )
    by_cohort = [list(g["wave"]) for _, g in rows.groupby("cohort", sort=False)]
    waves = parts.merged(by_cohort)
    cohorts = parts.cohorts_of(rows, waves)
    shape = len(cohorts), len(waves)
    effect = np.full(shape, np.nan)
    before, base, gone = (np.zeros(shape, dtype=bool) for _ in range(3))
    status = rows["status"] if "status" in rows else pd.Series("ok", rows.index)
    for row, state in zip(rows.to_dict("records"), status, strict=True):
        at = cohorts.index(row["cohort"]), waves.index(row["wave"])
        effect[at] = float(row["estimate"]) * factor
        before[at] = float(row["event_time"]) < 0
        base[at] = state == "reference"
        gone[at] = not np.isfinite(effect[at])
    return _Grid(cohorts, waves, np.where(gone, np.nan, effect), before, base, gone)


def _colour(axis: Axes, grid: _Grid) -> Any:
    """Colour the cells by their distance from zero, and hatch those before treatment."""
    most = float(np.nanmax([*np.abs(grid.effect).ravel(), 0.0])) or 1.0
    edges = [np.arange(size + 1) - 0.5 for size in (len(grid.waves), len(grid.cohorts))]
    shown = np.ma.masked_invalid(grid.effect)
    mesh = axis.pcolormesh(
        *edges, shown, cmap=SHADES, vmin=-most, vmax=most, edgecolors="white", lw=1.2
    )
    for i, j in zip(*np.nonzero(grid.before & np.isfinite(grid.effect)), strict=True):
        axis.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, **_hatched()))
    for here, look in ((grid.gone, parts.cross(6)), (grid.base, _ring())):
        i, j = np.nonzero(here)
        if len(i):
            axis.plot(j, i, **look)
    return mesh


def _hatched() -> dict[str, Any]:
    return {"facecolor": "none", "edgecolor": "white", "hatch": "////", "linewidth": 0.0}


def _texts(
    grid: _Grid, digits: int, room: float, words: Catalogue
) -> tuple[dict[tuple[int, ...], str], float]:
    """Return the numbers and their size; fewer digits, though two figures, where tiles are narrow.

    The size is 0 where no number can be read.
    """
    shown = np.isfinite(grid.effect) & ~grid.base
    most = float(np.abs(grid.effect[shown]).max(initial=0.0))
    least = max(1 - math.floor(math.log10(most)), 0) if most > 0 else 0
    for d in range(digits, min(least, digits) - 1, -1):
        texts = {
            at: words.number(grid.effect[at], d) for at in zip(*np.nonzero(shown), strict=True)
        }
        size = letters_size(texts.values(), room)
        if size:
            break
    return texts, size


def _ring() -> dict[str, Any]:
    return {"marker": "o", "mfc": "white", "mec": style.MUTED, "ms": 6, "mew": 1.5, "ls": "none"}


def _inks(grid: _Grid) -> dict[tuple[int, ...], str]:
    """Return the colour of each number: white on dark cells."""
    most = float(np.nanmax([*np.abs(grid.effect).ravel(), 0.0])) or 1.0
    dark = np.abs(grid.effect) > DARK * most
    return {
        at: "white" if dark[at] and not grid.before[at] else style.INK
        for at in np.ndindex(grid.effect.shape)
    }


def _keys(grid: _Grid, words: Catalogue) -> list[tuple[Any, str]]:
    keys: list[tuple[Any, str]] = []
    if (grid.before & ~grid.gone).any():
        look = _hatched() | {"facecolor": style.LINE}
        keys.append((Patch(**look), words.text("figure.before_treatment")))
    if grid.base.any():
        keys.append((Line2D([], [], **_ring()), words.text("figure.base_mark")))
    if grid.gone.any():
        keys.append((Line2D([], [], **parts.cross()), words.text("figure.no_estimate")))
    return keys


def row_names(cohorts: list[object], words: Catalogue) -> list[str]:
    """Return the names of cohorts that stand at the left of their tiles."""
    short = parts.labels_of([c for c in cohorts if c is not None], ROW_LETTERS)
    return [*short, *([words.text("figure.never")] if None in cohorts else [])]


def label_rows(axis: Axes, names: list[str], words: Catalogue) -> None:
    """Name the cohorts at the left, the first on top."""
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.annotate(
        words.text("figure.cohort_word"),
        (0.0, 1.0),
        (-4, 3),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=style.MUTED,
    )


def label_waves(axis: Axes, waves: list[object], room: float, words: Catalogue) -> None:
    """Name the waves under the tiles, each so many inches wide, as many as fit."""
    letters = int(room * len(waves) / TICK_LETTER)
    names = parts.wave_names(waves, letters)
    step = parts.step_for(names, letters)
    axis.set_xticks(range(0, len(names), step), names[::step])
    axis.set_xlim(-0.5, len(waves) - 0.5)
    axis.set_xlabel(words.text("figure.wave_axis"))
    parts.bare(axis)


def cell_width(names: list[str], waves: int) -> float:
    """Return the inches that a tile is wide beside the names of the cohorts."""
    return (style.WIDTH - 0.3 - TICK_LETTER * max(map(len, names))) / waves


def letters_size(texts: Iterable[str], room: float) -> float:
    """Return the size in points with which texts fit in so many inches; 0 if none is readable."""
    size = min(LARGEST, (room - 0.06) / (LETTER * max(map(len, texts), default=1)))
    return size if size >= SMALLEST else 0.0


def write(
    axis: Axes, texts: dict[tuple[int, ...], str], inks: dict[tuple[int, ...], str], size: float
) -> None:
    """Write the texts of the tiles in their inks."""
    look: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": size, "zorder": 5}
    for (i, j), text in texts.items():
        axis.text(j, i, text, color=inks[i, j], **look)
