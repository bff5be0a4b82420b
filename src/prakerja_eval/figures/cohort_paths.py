"""Did cohorts move together before treatment? The mean of each by wave, its start marked."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy import stats

from prakerja_eval.compare.frames import frame_of
from prakerja_eval.figures import parts, style
from prakerja_eval.language import Catalogue, Measure
from prakerja_eval.language.measure import SHARE

COLUMNS = ("outcome", "cohort", "wave", "n", "mean", "std_error")
SOURCE = "the frame of did.cohort_paths"
MARKERS = ("o", "s", "D", "^", "v", "P")
TOGETHER = 6  # lines on one axis; more stand in panels of their own
ACROSS, PANEL = 3, 1.12  # panels beside one another; inches of height


@dataclass(frozen=True, slots=True)
class _Line:
    """One cohort: name, positions of its waves, mean and half interval, and where it starts."""

    name: str
    x: np.ndarray
    mean: np.ndarray
    half: np.ndarray
    start: int | None
    never: bool


def cohort_paths(
    frame: Any,
    *,
    outcome: str | None = None,
    unit: str = "",
    title: str | None = None,
    level: float = 0.95,
    catalogue: Catalogue | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw the mean by wave of each cohort and of the never treated.

    Parameters
    ----------
    frame : DataFrame, or an object with a ``frame``
        outcome, cohort, wave, n, mean, std_error. The cohort is the first treated wave, in numbers
        or text; None, NaN or "never treated" stands for people who are never treated.
    outcome : str, optional
        Needed if the frame holds several.
    unit, title : str
        Unit and name of the outcome.
    level : float
        Coverage of the intervals (normal quantiles).
    catalogue : Catalogue, optional
        English if left out.
    synthetic : bool
        Print "synthetic data" on the figure.

    Returns
    -------
    matplotlib.figure.Figure
        Up to six lines on one axis; more cohorts in a panel each, beside the never treated.

    Raises
    ------
    UsageError
        If the frame holds several outcomes and none is named, has no row, or a column is missing.
    """
    words = catalogue or Catalogue.named("en")
    every = frame_of(frame, COLUMNS, "figures.cohort_paths", SOURCE)
    rows, name = parts.about(every, outcome, "cohort_paths")
    waves = _waves(rows)
    together = len(parts.cohorts_of(rows, waves)) <= TOGETHER
    factor, named = _scale(unit, rows["mean"], together, words)
    lines = _lines(rows, waves, stats.norm.ppf((1 + level) / 2), factor, words)
    head = parts.heading(words, "figure.paths_axis", title or name, named, "level")
    with style.styled():
        draw = _together if together else _apart
        figure = draw(lines, waves, head, words, synthetic)
        style.mark_synthetic(figure, words, synthetic)
    return figure


def _scale(unit: str, means: pd.Series, whole: bool, words: Catalogue) -> tuple[float, str]:
    """Return factor and unit; amounts in thousands or millions where panels are narrow."""
    if whole or unit == SHARE:
        return Measure.of(unit, means).factor, unit
    factor, _, named = parts.scaled(unit, float(means.abs().max()), words)
    return factor, named


def _waves(rows: pd.DataFrame) -> list[object]:
    return parts.merged(
        list(dict.fromkeys(g["wave"])) for _, g in rows.groupby("cohort", sort=False, dropna=False)
    )


def _lines(
    rows: pd.DataFrame, waves: list[object], quantile: float, factor: float, words: Catalogue
) -> list[_Line]:
    cohorts = parts.cohorts_of(rows, waves)
    names = parts.labels_of([c for c in cohorts if c is not None], 80)
    at = [float(w) for w in waves] if parts.numeric(waves) else range(len(waves))  # type: ignore[arg-type]
    made = []
    for k, cohort in enumerate(cohorts):
        own = parts.of_cohort(rows, cohort)
        own = own.iloc[np.argsort([waves.index(w) for w in own["wave"]], kind="stable")]
        never = cohort is None
        mean, error = (own[c].to_numpy(float) * factor for c in ("mean", "std_error"))
        x = np.array([at[waves.index(w)] for w in own["wave"]], dtype=float)
        place = parts.starts_at(cohort, waves)
        later = np.flatnonzero(x >= at[place]) if place is not None else np.array([], int)
        start = int(later[0]) if len(later) else None
        name = words.text("figure.never_treated") if never else names[k]
        made.append(_Line(name, x, mean, quantile * error, start, never))
    return made


def _look(k: int, line: _Line) -> tuple[str, str]:
    if line.never:
        return style.MUTED, "X"
    return style.PALETTE[k % len(style.PALETTE)], MARKERS[k % len(MARKERS)]


def _draw(axis: Axes, line: _Line, look: tuple[str, str], size: float, shift: float = 0.0) -> None:
    """Draw a cohort: dashed and hollow until its start, which has a ring, then full."""
    colour, marker = look
    x = line.x + shift
    axis.vlines(x, line.mean - line.half, line.mean + line.half, color=colour, lw=size / 4.5)
    first = len(x) if line.start is None else line.start
    if line.never:
        axis.plot(x, line.mean, color=colour, lw=size / 3.5, marker=marker, ms=size, zorder=2)
        return
    both: dict[str, Any] = {"color": colour, "zorder": 3, "lw": size / 3.5}
    axis.plot(x[: first + 1], line.mean[: first + 1], ls=(0, (3, 1.5)), **both)
    axis.plot(x[first:], line.mean[first:], **both)
    mark: dict[str, Any] = {"color": colour, "ls": "none", "marker": marker, "mew": size / 5}
    axis.plot(x[:first], line.mean[:first], ms=size, mfc="white", zorder=4, **mark)
    axis.plot(x[first:], line.mean[first:], ms=size, zorder=4, **mark)
    ring: dict[str, Any] = {"marker": "o", "mfc": "none", "mec": style.INK, "ls": "none"}
    axis.plot(
        x[first : first + 1], line.mean[first : first + 1], ms=size * 2, mew=1.3, zorder=5, **ring
    )


def _keys(words: Catalogue, started: bool) -> list[tuple[Line2D, str]]:
    """Return the ring that marks the start, and its words."""
    ring = Line2D([], [], marker="o", mfc="none", mec=style.INK, ls="none", ms=11, mew=1.3)
    return [(ring, words.text("figure.treatment_starts"))] if started else []


def _together(
    lines: list[_Line], waves: list[object], head: str, words: Catalogue, synthetic: bool
) -> Figure:
    """Draw all cohorts on one axis."""
    looks = [_look(k, line) for k, line in enumerate(lines)]
    keys = [
        (
            _handle(colour, marker),
            line.name if line.never else words.text("figure.cohort", cohort=line.name),
        )
        for line, (colour, marker) in zip(lines, looks, strict=True)
    ]
    keys += _keys(words, any(line.start is not None for line in lines))
    names = [n for _, n in keys]
    figure, (axis,) = style.new(3.0 + _lines_above(head, synthetic) + parts.key_height(names))
    every = np.concatenate([line.x for line in lines])
    span = float(np.ptp(every)) or 1.0
    for k, (line, look) in enumerate(zip(lines, looks, strict=True)):
        size = float(np.clip(60 / len(waves), 3.5, 6))
        _draw(axis, line, look, size, (k - (len(lines) - 1) / 2) * 0.01 * span)
    _ticks(axis, waves, words, parts.TICK_LETTERS)
    if not np.ptp(every):
        axis.set_xlim(every[0] - 0.5, every[0] + 0.5)
    axis.set_title(head, loc="left", fontsize=10.5)
    parts.key_below(figure, [h for h, _ in keys], names)
    return figure


def _apart(
    lines: list[_Line], waves: list[object], head: str, words: Catalogue, synthetic: bool
) -> Figure:
    """Draw a panel a cohort, the never treated in each for comparison."""
    own, never = ([line for line in lines if line.never is kind] for kind in (False, True))
    keys = [(_handle(style.MUTED, ""), line.name) for line in never]
    keys += _keys(words, any(line.start is not None for line in own))
    down, names = -(-len(own) // ACROSS), [n for _, n in keys]
    height = 0.6 + _lines_above(head, synthetic) + PANEL * down + parts.key_height(names)
    figure = style.Drawing(figsize=(style.WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    figure.get_layout_engine().set(w_pad=0.05, h_pad=0.05)  # type: ignore[union-attr, call-arg]
    grid = figure.subplots(down, ACROSS, squeeze=False, sharex=True, sharey=True).ravel()
    names_of = parts.labels_of([line.name for line in own], 15)
    for k, (axis, line) in enumerate(zip(grid, own, strict=False)):
        for other in never:
            _draw(axis, other, (style.MUTED, ""), 3.5)
        _draw(axis, line, (style.BLUE, "o"), 3.5)
        axis.set_title(names_of[k], loc="left", fontsize=9.5, pad=2)
        axis.tick_params(labelsize=9, labelbottom=k >= len(own) - ACROSS)
        _ticks(axis, waves, words, 0)
    for axis in grid[len(own) :]:
        axis.set_axis_off()
    parts.head_above(figure, head, synthetic)
    parts.key_below(figure, [h for h, _ in keys], names)
    return figure


def _ticks(axis: Axes, waves: list[object], words: Catalogue, letters: int) -> None:
    """Name the waves that fit, the first and the last where letters are none; number the means."""
    at = [float(w) for w in waves] if parts.numeric(waves) else range(len(waves))  # type: ignore[arg-type]
    if letters:
        names = parts.wave_names(waves, letters)
        step = parts.step_for(names, letters)
        axis.set_xticks(list(at)[::step], names[::step])
    else:
        ends = sorted({0, len(waves) - 1})
        axis.set_xticks([at[i] for i in ends], parts.labels_of([waves[i] for i in ends], 7))
        for label, last in zip(axis.get_xticklabels(), (False, True), strict=False):
            label.set_horizontalalignment("right" if last else "left")
    axis.margins(x=0.06)
    parts.number_upright(axis, words, 7 if letters else 5)


def _lines_above(head: str, synthetic: bool) -> float:
    return 0.18 * (head.count("\n") + synthetic)


def _handle(colour: str, marker: str) -> Line2D:
    return Line2D([], [], color=colour, marker=marker, ms=6, lw=1.7)
