"""How far can people who were lost move the answer? Bounds beside the unadjusted estimate."""

from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from prakerja_eval.compare.frames import frame_of
from prakerja_eval.figures import parts, style
from prakerja_eval.language import Catalogue, Measure

COLUMNS = ("label", "lower", "upper", "conf_low", "conf_high")
SOURCE = "bounds under attrition"
LINE = 0.19  # inches
THICK = 6.5


def bounds(
    frame: Any,
    *,
    unit: str = "",
    title: str = "",
    level: float = 0.95,
    catalogue: Catalogue | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw the bounds of an effect with their intervals, and points where the two bounds are one.

    Parameters
    ----------
    frame : DataFrame, or an object with a ``frame``
        label, lower, upper, conf_low, conf_high: the bounds of Lee, Manski, Kling and Liebman, the
        unadjusted estimate (lower and upper alike). An end that is infinite is open.
    unit, title : str
        Unit and name of the outcome.
    level : float
        Coverage of the intervals (Imbens and Manski's of the effect, for bounds).
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
    Lee (2009), doi 10.1111/j.1467-937X.2009.00536.x. Imbens and Manski (2004),
    doi 10.1111/j.1468-0262.2004.00555.x.
    """
    words = catalogue or Catalogue.named("en")
    rows = frame_of(frame, COLUMNS, "figures.bounds", SOURCE).reset_index(drop=True)
    ends = rows[list(COLUMNS[1:])].astype(float).to_numpy()
    known = np.abs(ends[:, :2][np.isfinite(ends[:, :2])])
    factor, digits, named = parts.scaled(unit, float(known.max(initial=0.0)), words)
    measure = Measure(named, factor, digits)
    labels = [wrap(str(v), style.LETTERS - 2, max_lines=3, placeholder="…") for v in rows["label"]]
    heights = np.array([LINE * (len(lines) + 1) + 0.34 for lines in labels])
    keys = _keys(ends, level, words)
    below = parts.heading(words, "figure.effect_axis", title, named)
    with style.styled():
        extra = LINE * (below.count("\n") + bool(below)) + parts.key_height([n for _, n in keys])
        figure, (axis,) = style.new(float(heights.sum()) + 0.38 + extra + 0.25 * synthetic)
        bottoms = -np.cumsum(heights)
        low, high = _limits(ends * measure.factor)
        axis.set_xlim(low, high)
        axis.axvline(0.0, color=style.MUTED, lw=0.9, zorder=1)
        for row, y in zip(ends * measure.factor, bottoms + 0.16, strict=True):
            _draw(axis, row, float(y))
        numbers = [_numbers(row, measure, words) for row in ends]
        _write(axis, labels, numbers, bottoms + heights)
        axis.set_ylim(float(bottoms[-1]) - 0.05, 0.02)
        axis.set_yticks([])
        axis.spines["left"].set_visible(False)
        parts.number_side(axis, words, "x", 5)
        axis.set_xlabel(below)
        parts.key_below(figure, [h for h, _ in keys], [n for _, n in keys])
        style.mark_synthetic(figure, words, synthetic)
    return figure


def _limits(ends: np.ndarray) -> tuple[float, float]:
    """Return the axis's ends: all known ends and zero, with room for arrows."""
    known = np.append(ends[np.isfinite(ends)], 0.0)
    room = 0.06 * float(np.ptp(known)) or 1.0
    return float(known.min() - room), float(known.max() + room)


def _is_point(ends: np.ndarray) -> bool:
    return bool(ends[0] == ends[1])


def _draw(axis: Axes, ends: np.ndarray, y: float) -> None:
    """Draw a thick bar from bound to bound, a thin line for the interval, arrows at open ends."""
    low, high = axis.get_xlim()
    if np.isnan(ends[:2]).any():
        axis.plot([np.clip(0.0, low, high)], [y], **parts.cross())
        return
    colour = style.INK if _is_point(ends) else style.BLUE
    shown = np.clip(ends, low, high)
    if not np.isnan(ends[2:]).any():
        axis.hlines([y], *shown[2:], color=colour, lw=1.7, zorder=3)
    if _is_point(ends):
        axis.plot(shown[:1], [y], "o", color=colour, ms=6.5, zorder=4)
    else:
        axis.hlines([y], *shown[:2], color=colour, lw=THICK, zorder=4)
    for value, place, mark in zip(ends[2:], shown[2:], ("<", ">"), strict=True):
        if np.isinf(value):
            axis.plot([place], [y], mark, color=colour, ms=7, mew=0, clip_on=False, zorder=5)


def _numbers(ends: np.ndarray, measure: Measure, words: Catalogue) -> str:
    """Return the estimate, or the two bounds; in words where an end is open or not known."""
    if np.isnan(ends[:2]).any():
        return words.text("lottery_figure.no_bounds")
    if _is_point(ends):
        return words.shown(ends[0], measure)
    low, high = (words.shown(v, measure) if np.isfinite(v) else "∞" for v in ends[:2])
    return words.text("format.interval", low="−∞" if low == "∞" else low, high=high)


def _write(axis: Axes, labels: list[list[str]], numbers: list[str], tops: np.ndarray) -> None:
    """Write the label of each row, then its numbers, above its bar."""
    look: dict[str, Any] = {"transform": axis.get_yaxis_transform(), "va": "top", "zorder": 5}
    look |= {"path_effects": style.halo(), "ha": "left"}
    for lines, number, top in zip(labels, numbers, tops, strict=True):
        for i, line in enumerate(lines):
            axis.text(0.0, top - LINE * i - 0.03, line, fontsize=10, **look)
        at = top - LINE * len(lines) - 0.03
        axis.text(0.0, at, number, fontsize=10, fontweight="bold", **look)


def _keys(ends: np.ndarray, level: float, words: Catalogue) -> list[tuple[Line2D, str]]:
    """Return the marks that are drawn, with their words."""
    keys = []
    known = ~np.isnan(ends[:, :2]).any(axis=1)
    points = known & (ends[:, 0] == ends[:, 1])
    if points.any():
        dot = Line2D([], [], color=style.INK, marker="o", ms=6.5, lw=1.7)
        keys.append((dot, words.text("lottery_figure.point", level=words.percent(level))))
    if (known & ~points).any():
        bar = Line2D([], [], color=style.BLUE, lw=THICK)
        keys.append((bar, words.text("lottery_figure.bounds")))
        line = Line2D([], [], color=style.BLUE, lw=1.7)
        keys.append(
            (line, words.text("lottery_figure.bounds_interval", level=words.percent(level)))
        )
    if np.isinf(ends).any():
        arrow = Line2D([], [], color=style.MUTED, marker=">", ms=7, mew=0, ls="none")
        keys.append((arrow, words.text("lottery_figure.open")))
    if (~known).any():
        keys.append((Line2D([], [], **parts.cross()), words.text("lottery_figure.no_bounds")))
    return keys
