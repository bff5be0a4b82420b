"""How large may a break of parallel trends be? Robust intervals by the size that is allowed."""

from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import CARETDOWN, CARETUP, MarkerStyle

from prakerja_eval.compare.frames import frame_of
from prakerja_eval.errors import UsageError
from prakerja_eval.figures import parts, style
from prakerja_eval.language import Catalogue, Measure

COLUMNS = ("restriction", "method", "m", "conf_low", "conf_high", "status")
SOURCE = "the robust intervals of an event study by the size of the violation"
ARROWS = MarkerStyle(CARETDOWN), MarkerStyle(CARETUP)
NONE = "none"  # the restriction of the original interval


def sensitivity(
    frame: Any,
    *,
    breakdown: float | None = None,
    unit: str = "",
    title: str = "",
    level: float = 0.95,
    catalogue: Catalogue | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw the interval of the effect for each size M of a violation of parallel trends.

    Parameters
    ----------
    frame : DataFrame, or an object with a ``frame``
        restriction ("none" for the original interval, else one restriction), method, m, conf_low,
        conf_high, status. An end that is infinite is open: the interval goes on beyond the grid.
    breakdown : float, optional
        The smallest M at which the interval holds zero; infinite if there is none.
    unit, title : str
        Unit and name of the outcome.
    level : float
        Coverage of the intervals.
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
        If a column is missing, or rows of several restrictions are given: M means another thing
        in each.

    References
    ----------
    Rambachan, A. and Roth, J. (2023). A more credible approach to parallel trends. Review of
    Economic Studies 90(5). https://doi.org/10.1093/restud/rdad018
    """
    words = catalogue or Catalogue.named("en")
    rows = frame_of(frame, COLUMNS, "figures.sensitivity", SOURCE)
    restriction = _restriction(rows)
    ends = rows[["conf_low", "conf_high"]].to_numpy(float)
    measure = Measure.of(unit, ends[np.isfinite(ends)])
    head = parts.heading(words, "figure.effect_axis", title, unit)
    with style.styled():
        keys = _keys(rows, level, words)
        names = [n for _, n in keys]
        below = "\n".join(wrap(_axis_words(restriction, words), parts.LINE_LETTERS))
        extra = 0.18 * (head.count("\n") + below.count("\n") + synthetic)
        figure, (axis,) = style.new(3.0 + extra + parts.key_height(names))
        places = _places(rows)
        axis.set_ylim(*_limits(rows, measure.factor))
        _everything(axis, rows, places, measure.factor)
        _finish(axis, places, bool((rows["restriction"] == NONE).any()), words)
        _mark_breakdown(axis, breakdown, places, words)
        axis.set_title(head, loc="left", fontsize=10.5, pad=20)
        axis.set_xlabel(below)
        parts.key_below(figure, [h for h, _ in keys], names)
        style.mark_synthetic(figure, words, synthetic)
    return figure


def _restriction(rows: pd.DataFrame) -> str:
    """Return the one restriction of the rows, without the original interval's."""
    found = [r for r in dict.fromkeys(rows["restriction"].map(str)) if r != NONE]
    if len(found) > 1:
        raise UsageError(
            f"sensitivity draws one restriction, since M means another thing in each; keep the "
            f"rows of {' or '.join(map(repr, found))}, and those of {NONE!r}."
        )
    return "".join(found)


def _methods(rows: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(rows.loc[rows["restriction"] != NONE, "method"].map(str)))


def _places(rows: pd.DataFrame) -> list[float]:
    """Return where the original interval stands, then each M, in order."""
    m = sorted({float(v) for v in rows.loc[rows["restriction"] != NONE, "m"]})
    step = (m[-1] - m[0]) / (len(m) - 1) if len(m) > 1 else 1.0
    return [(m[0] if m else 1.0) - 1.2 * step, *m]


def _axis_words(restriction: str, words: Catalogue) -> str:
    for key in ("relative", "smoothness"):
        if key in restriction.lower():
            return words.text(f"figure.restriction_{key}")
    return words.text("figure.restriction_other", restriction=restriction) if restriction else ""


def _limits(rows: pd.DataFrame, factor: float) -> tuple[float, float]:
    """Return the axis's ends: all known ends and zero, with room for arrows."""
    ends = rows[["conf_low", "conf_high"]].to_numpy(float) * factor
    low, high = (f([0.0, *ends[np.isfinite(ends)]]) for f in (min, max))
    room = 0.1 * (high - low) or 1.0
    return float(low - room), float(high + room)


def _draw(
    axis: Axes, rows: pd.DataFrame, x: np.ndarray, colour: str, measure: tuple[float, float]
) -> None:
    """Draw upright intervals with a bar at a known end and an arrow at an open one."""
    factor, size = measure
    bottom, top = axis.get_ylim()
    ends = rows[["conf_low", "conf_high"]].to_numpy(float) * factor
    for at, (low, high) in zip(x, ends, strict=True):
        if np.isnan(low) or np.isnan(high):
            parts.crosses(axis, np.array([at]))
            continue
        shown = np.clip([low, high], bottom, top)
        axis.vlines([at], *shown, color=colour, lw=1.9, zorder=3)
        for value, place, arrow in zip((low, high), shown, ARROWS, strict=True):
            known = np.isfinite(value)
            look: dict[str, Any] = {"mew": 1.9, "ms": size} if known else {"mew": 0, "ms": size}
            mark = "_" if known else arrow
            axis.plot([at], [place], marker=mark, color=colour, clip_on=False, zorder=4, **look)


def _everything(axis: Axes, rows: pd.DataFrame, places: list[float], factor: float) -> None:
    """Draw the original interval, then those of each method beside one another."""
    step = (places[-1] - places[0]) / max(len(places) - 1, 1) or 1.0
    methods = _methods(rows)
    size = float(np.clip(100 / len(places) / max(len(methods), 1), 5, 10))
    original = rows[rows["restriction"] == NONE]
    _draw(axis, original, np.full(len(original), places[0]), style.INK, (factor, size))
    for k, method in enumerate(methods):
        own = rows[(rows["method"].map(str) == method) & (rows["restriction"] != NONE)]
        shift = (k - (len(methods) - 1) / 2) * min(0.2, 0.7 / len(methods)) * step
        x = own["m"].to_numpy(float) + shift
        _draw(axis, own, x, style.PALETTE[k % len(style.PALETTE)], (factor, size))


def _finish(axis: Axes, places: list[float], original: bool, words: Catalogue) -> None:
    """Draw zero, and name the original interval and as many sizes as fit."""
    axis.axhline(0.0, color=style.MUTED, linewidth=0.9, zorder=1)
    step = (places[-1] - places[0]) / max(len(places) - 1, 1) or 1.0
    at = places if original else places[1:]
    axis.set_xlim(at[0] - 0.6 * step, at[-1] + 0.6 * step)
    every = places[1:]
    names = [words.number(v, parts.digits_of(every)) for v in every]
    thin = parts.step_for(names, 32)
    ticks = list(zip(every, names, strict=True))[::thin]
    first = [(places[0], words.text("figure.original"))] if original else []
    if first and ticks:
        axis.axvline(places[1] - 0.6 * step, color=style.LINE, linewidth=0.8, zorder=0)
    axis.set_xticks([v for v, _ in first + ticks], [n for _, n in first + ticks])
    parts.number_upright(axis, words)


def _mark_breakdown(
    axis: Axes, breakdown: float | None, places: list[float], words: Catalogue
) -> None:
    """Mark the breakdown value, or say that there is none up to the largest size."""
    if breakdown is None or np.isnan(breakdown) or len(places) < 2:
        return
    beyond = breakdown > axis.get_xlim()[1]
    value = places[-1] if beyond else breakdown
    number = words.number(value, parts.digits_of([value], 2))
    text = words.text("figure.breakdown_beyond" if beyond else "figure.breakdown", m=number)
    place = axis.get_xlim()[1] if beyond else breakdown
    if not beyond:
        axis.axvline(place, color=style.MUTED, lw=1.2, ls=(0, (2, 2)), zorder=1)
    left = place < float(np.mean(axis.get_xlim()))
    axis.annotate(
        text,
        (place, 1.0),
        (-2 if left else 2, 3),
        xycoords=axis.get_xaxis_transform(),
        textcoords="offset points",
        ha="left" if left else "right",
        va="bottom",
        fontsize=9.5,
        color=style.MUTED,
    )


def _keys(rows: pd.DataFrame, level: float, words: Catalogue) -> list[tuple[Line2D, str]]:
    """Return marks and words: the methods, then what an arrow and a cross mean."""
    bar: dict[str, Any] = {"marker": "|", "ms": 13, "mew": 1.9, "ls": "none"}
    keys = []
    percent = words.percent(level)
    for k, method in enumerate(_methods(rows)):
        handle = Line2D([], [], color=style.PALETTE[k % len(style.PALETTE)], **bar)
        keys.append((handle, words.text("figure.interval_of", level=percent, method=method)))
    if (rows["restriction"] == NONE).any():
        handle = Line2D([], [], color=style.INK, **bar)
        keys.append((handle, words.text("figure.interval_original", level=percent)))
    ends = rows[["conf_low", "conf_high"]].to_numpy(float)
    if np.isinf(ends).any():
        arrow = Line2D([], [], color=style.MUTED, marker=ARROWS[1], ms=8, mew=0, ls="none")
        keys.append((arrow, words.text("figure.open_interval")))
    if np.isnan(ends).any():
        keys.append((Line2D([], [], **parts.cross()), words.text("figure.no_interval")))
    return keys
