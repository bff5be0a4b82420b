"""Who was observed, and what is missing? Response by wave and arm; columns by wave."""

import math
from collections.abc import Sequence
from textwrap import shorten

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from prakerja_eval.figures import style
from prakerja_eval.language import Catalogue
from prakerja_eval.panel.describe import Description

WIDTH = 9.2  # inches
ROW, LEAST, EDGES = 0.27, 3.4, 1.05  # inches: a column's row, the least height, titles and ticks
MOST_COLUMNS, MOST_PRINTED, LEAST_ROWS = 20, 8, 7
LETTERS = 24  # of a column's name
LOOKS = {
    "treatment": (style.BLUE, "o"),  # as in the report, where winners come first
    "comparison": (style.VERMILION, "s"),
    "unknown": (style.MUTED, "D"),
    "all": (style.BLUE, "o"),
}
SHADES = LinearSegmentedColormap.from_list("missing", ["#f6f8fa", "#f3b48a", "#8f3200"])


def coverage(description: Description, language: str = "en", *, synthetic: bool = False) -> Figure:
    """Draw the response rate by wave and arm, and which columns lack values in which wave.

    Parameters
    ----------
    description : Description
        As ``panel.describe()`` returns it.
    language : {"en", "id"}
    synthetic : bool
        Print "synthetic data" on the figure.

    Returns
    -------
    matplotlib.figure.Figure
        Left, a line an arm; right, a row a column, of the twenty with most missing values.
    """
    words = Catalogue.named(language)
    table = _most_missing(description.missingness)
    with style.styled():
        height = max(LEAST, ROW * len(table) + EDGES)
        figure = style.Drawing(figsize=(WIDTH, height), layout="constrained")
        FigureCanvasAgg(figure)
        engine = figure.get_layout_engine()
        engine.set(w_pad=0.12, h_pad=0.08)  # type: ignore[union-attr, call-arg]
        left, right = figure.subplots(1, 2, width_ratios=(1, 1.15))
        _response(left, description.response, words)
        _missing(right, table, description.missingness["column"].nunique(), words)
        style.mark_synthetic(figure, words, synthetic)
    return figure


def _most_missing(frame: pd.DataFrame) -> pd.DataFrame:
    """Return percent missing, columns by waves, those with most missing values first."""
    sums = frame.groupby(["column", "wave"], sort=False, dropna=False)[["missing", "rows"]].sum()
    share = 100 * sums["missing"] / sums["rows"].where(sums["rows"] > 0)
    total = frame.groupby("column", sort=False)["missing"].sum()
    order = total[total > 0].sort_values(ascending=False, kind="stable").index[:MOST_COLUMNS]
    wide = share.astype(float).unstack("wave", sort=False)  # noqa: PD010 - no aggregation
    return wide.reindex(list(order))


def _response(axis: Axes, frame: pd.DataFrame, words: Catalogue) -> None:
    """Draw a line an arm, a mark a wave."""
    waves = list(dict.fromkeys(frame["wave"]))
    arms = list(dict.fromkeys(frame["arm"]))
    for k, arm in enumerate(arms):
        rate = 100 * frame.loc[frame["arm"] == arm, "rate"].to_numpy(float)
        at = np.arange(len(waves)) + (k - (len(arms) - 1) / 2) * 0.06
        colour, marker = LOOKS[arm]
        name = words.text(f"describe.arm_{arm}")
        axis.plot(at, rate, color=colour, marker=marker, ms=6, lw=1.7, label=name)
    lowest = float(np.nanmin([*(100 * frame["rate"]), 100.0]))
    axis.set_ylim(max(0.0, min(math.floor((lowest - 2) / 10) * 10, 80)), 102)
    axis.set_xlim(-0.4, len(waves) - 0.6)
    axis.set_title(words.text("describe.figure_response"), loc="left", fontsize=10.5)
    style.number_axis(axis, words, 0, "y")
    axis.grid(axis="y", color=style.LINE, linewidth=0.6)
    axis.set_axisbelow(True)
    _waves(axis, waves, words)
    axis.set_xlabel("" if waves == [""] else words.text("describe.figure_wave"))
    if arms != ["all"]:
        axis.legend(loc="best", frameon=False, fontsize=10)


def _missing(axis: Axes, table: pd.DataFrame, every: int, words: Catalogue) -> None:
    """Draw a row a column and a cell a wave, darker where more is missing."""
    key = "figure_missing" if len(table) else "figure_no_holes"
    title = words.text(f"describe.{key}")
    if len(table) == MOST_COLUMNS < every:
        title += "\n" + words.text("describe.figure_first", count=words.number(MOST_COLUMNS))
    axis.set_title(title, loc="left", fontsize=10.5)
    if not len(table):
        axis.set_axis_off()
        return
    values = table.to_numpy(float)
    edges = np.arange(values.shape[1] + 1) - 0.5, np.arange(values.shape[0] + 1) - 0.5
    shown = np.ma.masked_invalid(values)  # no row in the wave
    mesh = axis.pcolormesh(*edges, shown, cmap=SHADES, vmin=0, vmax=100, edgecolors="white", lw=1)
    axis.set_ylim(max(len(values), LEAST_ROWS) - 0.5, -0.5)
    names = [shorten(_one_line(name), LETTERS, placeholder="…") for name in table.index]
    axis.set_yticks(range(len(names)), names)
    axis.tick_params(length=0)
    for side in axis.spines.values():
        side.set_visible(False)
    _waves(axis, list(table.columns), words)
    axis.xaxis.tick_top()
    if values.shape[1] > MOST_PRINTED:
        bar = axis.figure.colorbar(mesh, ax=axis, aspect=30, pad=0.02)
        bar.outline.set_visible(False)
        style.number_axis(bar.ax, words, 0, "y")
        return
    for (i, j), value in np.ndenumerate(values):
        colour = "white" if value > 60 else style.INK
        axis.text(j, i, _percent(value, words), ha="center", va="center", fontsize=9, color=colour)


def _percent(value: float, words: Catalogue) -> str:
    """Write a share so that a little is not nothing."""
    return (
        words.text("format.below", value=words.number(1))
        if 0 < value < 0.5
        else words.number(value)
    )


def _one_line(name: object) -> str:
    """Return a name without control characters, its end cut where it is one long word."""
    text = "".join(c if c.isprintable() else " " for c in str(name))
    return text if len(text) <= LETTERS else text[: LETTERS - 1] + "…"


def _waves(axis: Axes, waves: Sequence[object], words: Catalogue) -> None:
    """Name the waves under an axis, as many as there is room for."""
    if list(waves) == [""]:
        axis.set_xticks([])
        return
    names = [words.text("describe.no_wave") if pd.isna(w) else _one_line(w) for w in waves]
    step = math.ceil(len(names) * (max(map(len, names)) + 2) / style.LETTERS)
    axis.set_xticks(range(0, len(names), step), names[::step])
