"""Which comparisons make up a two-way fixed effects estimate? The Goodman-Bacon scatter."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from prakerja_eval.compare.frames import frame_of
from prakerja_eval.errors import UsageError
from prakerja_eval.figures import parts, style
from prakerja_eval.language import Catalogue, Measure

COLUMNS = ("treated", "comparison", "kind", "weight", "estimate")
SOURCE = "the decomposition that did.bacon returns"
KINDS = {
    "treated against never treated": ("never", style.BLUE, "o"),
    "treated against always treated": ("always", style.PURPLE, "s"),
    "earlier against later": ("earlier", style.GREEN, "^"),
    "later against already treated": ("later", style.VERMILION, "X"),
}


def bacon(
    frame: Any,
    *,
    outcome: str | None = None,
    unit: str = "",
    title: str | None = None,
    catalogue: Catalogue | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw each two-by-two comparison at its weight and estimate, and their weighted average.

    Parameters
    ----------
    frame : DataFrame, or an object with a ``frame``
        treated, comparison (cohorts), kind ("treated against never treated", "treated against
        always treated", "earlier against later", "later against already treated"), weight,
        estimate; or an object with such a ``frame``, as did.bacon returns it.
    outcome : str, optional
        Needed if the frame has a column ``outcome`` with several.
    unit, title : str
        Unit and name of the outcome.
    catalogue : Catalogue, optional
        English if left out.
    synthetic : bool
        Print "synthetic data" on the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The key gives weight and mean of each kind. The average is left out where a comparison
        has no estimate.

    Raises
    ------
    UsageError
        If a kind is unknown, a column is missing, or several outcomes are given and none is named.

    References
    ----------
    Goodman-Bacon, A. (2021). Difference-in-differences with variation in treatment timing.
    Journal of Econometrics 225(2). https://doi.org/10.1016/j.jeconom.2021.03.014
    """
    words = catalogue or Catalogue.named("en")
    every = frame_of(frame, COLUMNS, "figures.bacon", SOURCE)
    rows, name = parts.about(every, outcome, "bacon")
    name = title or name or str(getattr(frame, "outcome", ""))
    unknown = sorted(set(rows["kind"].map(str)) - KINDS.keys())
    if unknown:
        raise UsageError(
            f"bacon does not know the kind {unknown[0]!r}; there are {', '.join(map(repr, KINDS))}."
        )
    measure = Measure.of(unit, rows["estimate"])
    head = parts.heading(words, "figure.effect_axis", name, unit)
    with style.styled():
        keys = _keys(rows, measure, words)
        names = [n for _, n in keys]
        extra = 0.18 * (head.count("\n") + synthetic)
        figure, (axis,) = style.new(3.1 + extra + parts.key_height(names))
        _draw(axis, rows, measure.factor)
        _finish(axis, words)
        axis.set_title(head, loc="left", fontsize=10.5)
        parts.key_below(figure, [h for h, _ in keys], names)
        style.mark_synthetic(figure, words, synthetic)
    return figure


def _average(rows: pd.DataFrame) -> float:
    """Return the weighted mean; NaN where a weighted comparison has no estimate."""
    weight, estimate = rows["weight"].to_numpy(float), rows["estimate"].to_numpy(float)
    used = weight != 0
    total = weight[used].sum()
    return float(weight[used] @ estimate[used] / total) if total > 0 else float("nan")


def _draw(axis: Axes, rows: pd.DataFrame, factor: float) -> None:
    """Draw a mark a comparison, and the average as a line."""
    axis.axhline(0.0, color=style.MUTED, linewidth=0.9, zorder=1)
    size = float(np.clip(60 / np.sqrt(len(rows)), 4.0, 7.5))
    for kind, (_, colour, marker) in KINDS.items():
        own = rows[rows["kind"] == kind]
        axis.plot(
            100 * own["weight"].to_numpy(float),
            own["estimate"].to_numpy(float) * factor,
            marker,
            color=colour,
            markersize=size,
            markeredgecolor="white",
            markeredgewidth=0.6,
            zorder=3,
        )
    average = _average(rows) * factor
    if np.isfinite(average):
        axis.axhline(average, color=style.INK, linewidth=1.4, linestyle=(0, (5, 2)), zorder=2)


def _finish(axis: Axes, words: Catalogue) -> None:
    axis.margins(x=0.05, y=0.08)
    low, high = axis.get_xlim()
    axis.set_xlim(min(low, 0.0), max(high, 1e-3))
    axis.set_xlabel(words.text("figure.bacon_weight"))
    parts.number_side(axis, words, "x", 5)
    parts.number_upright(axis, words)


def _keys(rows: pd.DataFrame, measure: Measure, words: Catalogue) -> list[tuple[Line2D, str]]:
    """Return marks and words: each kind with its weight and mean, then the average."""
    keys = []
    for kind, (key, colour, marker) in KINDS.items():
        own = rows[rows["kind"] == kind]
        if len(own):
            text = words.text(
                "figure.bacon_part",
                kind=words.text(f"figure.bacon_{key}"),
                weight=words.percent(float(own["weight"].sum())),
                estimate=words.shown(_average(own), measure),
            )
            keys.append((Line2D([], [], color=colour, marker=marker, ls="none", ms=7), text))
    average = _average(rows)
    line = Line2D([], [], color=style.INK, linewidth=1.4, linestyle=(0, (5, 2)))
    text = words.text("figure.bacon_average", estimate=words.effect(average, measure))
    if np.isfinite(average):
        keys.append((line, text))
    gone = int(rows["estimate"].isna().sum())
    if gone:
        blank = Line2D([], [], ls="none")
        keys.append((blank, words.text("figure.bacon_missing", count=words.number(gone))))
    return keys
