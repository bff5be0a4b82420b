"""Does the answer hang on a choice? Every specification's answer, over the choices behind it."""

from textwrap import wrap
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from prakerja_eval.compare.frames import frame_of
from prakerja_eval.figures import parts, style
from prakerja_eval.language import Catalogue, Measure
from prakerja_eval.typing import BoolArray

COLUMNS = ("specification", "estimate", "conf_low", "conf_high", "status")
CHOICES = ("covariates", "model", "support", "design", "effect")
LETTERS = 56  # in a line above a row of marks
Block: TypeAlias = tuple[str, list[tuple[str, BoolArray]]]

HEAD, LINE, ROW, UPPER = 0.24, 0.165, 0.17, 2.5  # inches


def specification_curve(
    curve: Any,
    *,
    unit: str = "",
    title: str = "",
    catalogue: Catalogue | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw estimates in rising order with their intervals, and below which choices were made.

    Parameters
    ----------
    curve : SpecificationCurve or DataFrame
        specification, estimate, conf_low, conf_high, status, and the choices (covariates, model,
        support, design, effect); those alike in all rows are left out. Refused specifications
        stand at the right, with a cross.
    unit, title : str
        Unit and name of the outcome.
    catalogue : Catalogue, optional
        English if left out.
    synthetic : bool
        Print "synthetic data" on the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    UsageError
        If a column is missing.

    References
    ----------
    Simonsohn, Simmons and Nelson (2020), doi 10.1038/s41562-020-0912-z.
    """
    words = catalogue or Catalogue.named("en")
    given = frame_of(curve, COLUMNS, "figures.specification_curve", "matching.specification_curve")
    rows = given.sort_values("estimate", kind="stable", na_position="last").reset_index(drop=True)
    name = title or str(getattr(curve, "outcome", ""))
    numbers = rows[["estimate", "conf_low", "conf_high"]].to_numpy(float)
    measure = Measure.of(unit, numbers.ravel())
    head = parts.heading(words, "figure.effect_axis", name, unit)
    levels = {c: list(dict.fromkeys(given[c].map(str))) for c in CHOICES if c in given}
    board = _board(rows, levels, words)
    with style.styled():
        keys = _keys(rows, words)
        names = [n for _, n in keys]
        lower = sum(_height(block) for block in board) + 0.1
        extra = 0.18 * (head.count("\n") + synthetic) + parts.key_height(names) + 0.75
        figure, axes = style.new(UPPER + lower + extra, 2)
        axes[0].get_gridspec().set_height_ratios([UPPER, lower])  # type: ignore[union-attr]
        _estimates(axes[0], rows, measure, words)
        axes[0].set_title(head, loc="left", fontsize=10.5)
        _dashboard(axes[1], board, rows, lower)
        axes[1].set_xlabel(words.text("figure.curve_axis"))
        parts.key_below(figure, [h for h, _ in keys], names)
        style.mark_synthetic(figure, words, synthetic)
    return figure


def _apart(rows: pd.DataFrame) -> BoolArray:
    """Say which intervals leave zero out."""
    low, high = (rows[c].to_numpy(float) for c in ("conf_low", "conf_high"))
    return np.asarray((low > 0) | (high < 0))


def _size(rows: pd.DataFrame) -> float:
    """Return a mark's size in points, so that marks stand apart."""
    return float(np.clip(0.7 * 72 * (style.WIDTH - 0.6) / max(len(rows), 1), 1.6, 7.0))


def _estimates(axis: Axes, rows: pd.DataFrame, measure: Measure, words: Catalogue) -> None:
    """Draw points and upright intervals, zero, and the median."""
    x, size = np.arange(len(rows)), _size(rows)
    point, low, high = (
        rows[c].to_numpy(float) * measure.factor for c in ("estimate", "conf_low", "conf_high")
    )
    known, apart = np.isfinite(point), _apart(rows)
    kinds = ((apart & known, style.BLUE, True), (~apart & known, style.MUTED, False))
    for some, colour, full in kinds:
        axis.vlines(x[some], low[some], high[some], color=colour, lw=min(size / 3, 1.6), zorder=2)
        fill = colour if full else "white"
        look: dict[str, Any] = {"ls": "none", "ms": size, "mec": colour, "mfc": fill, "zorder": 3}
        axis.plot(x[some], point[some], marker="o", mew=min(size / 4, 1.3), **look)
    parts.crosses(axis, x[~known], min(size, 6.5))
    axis.axhline(0.0, color=style.INK, linewidth=0.9, zorder=1)
    axis.set_xlim(-0.8, len(rows) - 0.2)
    axis.tick_params(axis="x", length=0, labelbottom=False)
    parts.number_upright(axis, words, 6)
    if known.any():
        _median(axis, float(np.median(point[known])), measure, words)


def _median(axis: Axes, value: float, measure: Measure, words: Catalogue) -> None:
    axis.axhline(value, color=style.VERMILION, lw=1.0, ls=(0, (4, 2)), zorder=1)
    axis.annotate(
        words.text("figure.curve_median", value=words.number(value, measure.digits)),
        (0.01, 0.98),
        xycoords="axes fraction",
        ha="left",
        va="top",
        fontsize=9.5,
        color=style.VERMILION,
        path_effects=style.halo(),
    )


def _board(rows: pd.DataFrame, levels: dict[str, list[str]], words: Catalogue) -> list[Block]:
    """Return for each choice that differs its name, and its levels with who has them."""
    return [
        (
            words.text(f"figure.choice_{choice}"),
            [("\n".join(wrap(v, LETTERS)), (rows[choice].map(str) == v).to_numpy()) for v in every],
        )
        for choice, every in levels.items()
        if len(every) > 1
    ]


def _height(block: Block) -> float:
    """Return the inches that one choice takes."""
    return HEAD + sum(LINE * (level.count("\n") + 1) + ROW for level, _ in block[1])


def _dashboard(
    axis: Axes,
    board: list[Block],
    rows: pd.DataFrame,
    height: float,
) -> None:
    """Draw a line of marks a level, under its words; coordinates are inches from the top."""
    across = axis.get_yaxis_transform()
    colours = np.where(_apart(rows), style.BLUE, style.MUTED)
    size, x, y = _size(rows), np.arange(len(rows)), 0.0
    text: dict[str, Any] = {"transform": across, "va": "top", "ha": "left", "linespacing": 1.15}
    for name, levels in board:
        axis.text(0.0, y - 0.04, name, fontsize=10, fontweight="bold", **text)
        y -= HEAD
        for level, has in levels:
            axis.text(0.0, y, level, fontsize=8.8, color=style.INK, **text)
            y -= LINE * (level.count("\n") + 1) + ROW / 2
            axis.axhline(y, color=style.LINE, lw=0.5, zorder=0)
            mark: dict[str, Any] = {"marker": "|", "s": 62, "linewidths": min(size / 1.6, 3.0)}
            axis.scatter(x[has], np.full(has.sum(), y), c=list(colours[has]), zorder=2, **mark)
            y -= ROW / 2
    axis.set_ylim(-height, 0.0)
    axis.set_yticks([])
    axis.tick_params(axis="x", length=0, labelbottom=False)
    parts.bare(axis)


def _keys(rows: pd.DataFrame, words: Catalogue) -> list[tuple[Line2D, str]]:
    """Return marks and words for what is there."""
    known, apart = np.isfinite(rows["estimate"].to_numpy(float)), _apart(rows)
    look: dict[str, Any] = {"marker": "o", "ms": 6.5, "lw": 1.5}
    keys = []
    if apart.any():
        handle = Line2D([], [], color=style.BLUE, **look)
        keys.append((handle, words.text("figure.curve_apart")))
    if (known & ~apart).any():
        handle = Line2D([], [], color=style.MUTED, mfc="white", **look)
        keys.append((handle, words.text("figure.curve_zero")))
    if (~known).any():
        handle = Line2D([], [], **parts.cross())
        keys.append((handle, words.text("figure.curve_refused")))
    return keys
