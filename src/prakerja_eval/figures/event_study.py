"""How does the effect move with time since treatment, and was it zero before?"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from textwrap import wrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from prakerja_eval.compare.frames import findings_of
from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import Estimate, Findings
from prakerja_eval.figures import parts, style
from prakerja_eval.language import Catalogue, Measure
from prakerja_eval.language.catalogue import plain

COLUMNS = ("outcome", "estimator", "event_time", "estimate", "conf_low", "conf_high")
APART = ("estimator", "specification", "subgroup")
MARKERS = ("o", "s", "D", "^", "v", "P", "X")  # one more than colours
PLOT_POINTS = 270  # the axis is about so wide
BINNED = re.compile(r"; [^;]* and all (before|after) binned$")  # as did.event_study says it
VARYING, UNIVERSAL = "base varying", "base universal"


@dataclass(frozen=True, slots=True)
class _Series:
    """One line of estimates: its name, its rows by event time, and where it is zero by choice."""

    name: str
    rows: pd.DataFrame
    base: tuple[float, ...]


def event_study(
    findings: Findings | Estimate | pd.DataFrame,
    *,
    outcome: str | None = None,
    unit: str | None = None,
    title: str | None = None,
    level: float = 0.95,
    catalogue: Catalogue | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw effects by time since treatment, with their intervals and simultaneous bands.

    Several estimators, comparison groups or groups of people stand side by side.

    Parameters
    ----------
    findings : Findings, Estimate or DataFrame
        Rows with an ``event_time``; those without one are left out. Series are told apart by
        ``label`` if there is one, or else by estimator, specification and subgroup, whichever
        vary. A row whose status is "reference" is the base period: a hollow mark at zero.
    outcome : str, optional
        Column name of the outcome; needed if there are several.
    unit : str, optional
        Unit of the outcome ("rupiah", "share", ...); left out, that of the findings.
    title : str, optional
        Name of the outcome; left out, its column name.
    level : float
        Coverage of the intervals of a DataFrame; Findings know their own.
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
        If no row has an event time, two rows of one series share one, a column is missing,
        several outcomes are given and none is named, or series with a varying base stand beside
        such with a universal one.

    Notes
    -----
    With a varying base an effect before treatment is a change since the period just before it,
    with a universal base the distance from one base period. The same trend before treatment is a
    level line in the first and a slope in the second, so one figure never holds both.
    """
    words = catalogue or Catalogue.named("en")
    found = findings_of(findings, COLUMNS, "figures.event_study")
    level = level if isinstance(findings, pd.DataFrame) else found.level
    frame, name = parts.about(found.frame, outcome, "event_study")
    series = _series(_placed(frame))
    unit = parts.unit_of(frame, unit)
    values = np.concatenate([s.rows["estimate"].to_numpy(float) for s in series])
    measure = Measure.of(unit, values)
    with style.styled():
        keys = _keys(series, level, words)
        above = parts.heading(words, "figure.effect_axis", title or name, unit)
        below = _below(series, words)
        lines = above.count("\n") + below.count("\n") + synthetic
        height = 3.15 + 0.18 * lines + parts.key_height([n for _, n in keys])
        figure, (axis,) = style.new(height)
        times = sorted({t for s in series for t in s.rows["event_time"]})
        for k, one in enumerate(series):
            _draw(axis, one, (k, len(series)), times, measure.factor)
        _finish(axis, _names(series, words), words)
        axis.set_title(above, loc="left", fontsize=10.5, pad=20)
        axis.set_xlabel(below)
        parts.key_below(figure, [h for h, _ in keys], [n for _, n in keys])
        style.mark_synthetic(figure, words, synthetic)
    return figure


def _placed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that have a time since treatment."""
    at = pd.to_numeric(frame["event_time"], errors="coerce").astype(float)
    rows = frame.assign(event_time=at, bin="")[np.isfinite(at)]
    if "specification" in rows:
        text = rows["specification"].map(plain)
        ends = text.str.extract(BINNED)[0].map({"before": "≤", "after": "≥"}).fillna("")
        rows = rows.assign(specification=text.str.replace(BINNED, "", regex=True), bin=ends)
    if not len(rows):
        raise UsageError(
            "figures.event_study was given no row with an event time; "
            "did.event_study(cells) makes them from the cells of did.group_time."
        )
    return rows


def _series(frame: pd.DataFrame) -> list[_Series]:
    """Split the rows by what tells them apart."""
    _refuse_mixed_bases(frame)
    kinds = [c for c in (("label", "subgroup") if "label" in frame else APART) if c in frame]
    apart = frame[kinds].map(plain).agg("\x1f".join, axis=1)
    names = _named(frame[kinds].map(plain))
    made = []
    for _, rows in frame.groupby(apart, sort=False):
        twice = rows.loc[rows["event_time"].duplicated(), "event_time"]
        if len(twice):
            raise UsageError(
                f"event_study: several rows have the event time {twice.iloc[0]:g} and the same "
                f"{', '.join(kinds)}. Cells of several cohorts are first put together by "
                "did.event_study(cells), or drawn one by one by figures.cells."
            )
        base = rows.loc[_is_base(rows), "event_time"]
        name = names[rows.index[0]]
        made.append(_Series(name, rows.sort_values("event_time"), tuple(sorted(base))))
    return made


def _named(kinds: pd.DataFrame) -> pd.Series:
    """Name each row by the labels that vary; of specifications the words that do."""
    shown = kinds.copy()
    if "specification" in kinds:
        for _, column in kinds.groupby("estimator")["specification"]:
            shown.loc[column.index, "specification"] = _short(column)
    for column in kinds:
        if kinds[column].nunique() == 1:
            shown[column] = ""
    return shown.agg(lambda row: ", ".join(filter(None, row)), axis=1)


def _short(column: pd.Series) -> list[str]:
    """Leave out of each specification the words that all have."""
    split = [re.split("[,;] ", text) for text in column]
    common = set.intersection(*map(set, split))
    return [", ".join(p for p in words if p not in common) for words in split]


def _refuse_mixed_bases(frame: pd.DataFrame) -> None:
    words = frame["specification"].map(str) if "specification" in frame else pd.Series(dtype=str)
    kinds = [k for k in (VARYING, UNIVERSAL) if words.str.contains(k, regex=False).any()]
    if len(kinds) > 1:
        raise UsageError(
            "event_study draws either a varying or a universal base, not both: before treatment "
            "the first is a change since the period before, the second a distance from one base "
            "period, so the same trend looks different in each. Draw two figures, or estimate "
            "all series with one base_period."
        )


def _is_base(rows: pd.DataFrame) -> pd.Series:
    return rows["status"] == "reference" if "status" in rows else rows["estimate"].isin(())


def _below(series: list[_Series], words: Catalogue) -> str:
    """Say what stands under the axis, and to what the effects are relative."""
    lines = [words.text("figure.event_axis")]
    bases = {s.base for s in series if s.base}
    specified = any(
        VARYING in str(v) for s in series if "specification" in s.rows for v in s.rows.specification
    )
    if len(bases) == 1:
        lines.append(_base(next(iter(bases)), words))
    elif specified:
        lines.append(words.text("figure.base_varying"))
    if any(s.rows["bin"].any() for s in series):
        lines.append(words.text("figure.binned"))
    return "\n".join(part for line in lines for part in wrap(line, parts.LINE_LETTERS))


def _base(times: Iterable[float], words: Catalogue) -> str:
    return words.text("figure.base", period=", ".join(_time(t, words) for t in times))


def _time(time: float, words: Catalogue) -> str:
    return words.number(time, 0 if float(time).is_integer() else 1)


def _keys(series: list[_Series], level: float, words: Catalogue) -> list[tuple[Line2D, str]]:
    """Return the marks and their words: the series, then what bars and hollow marks mean."""
    made = []
    apart = len({s.base for s in series if s.base}) > 1
    for k, one in enumerate(series if len(series) > 1 else []):
        base = f" ({_base(one.base, words)})" if apart and one.base else ""
        made.append((_mark(_colour(k), _marker(k)), (one.name or "–") + base))
    every = pd.concat([s.rows for s in series])
    bar = {"marker": "|", "markersize": 13, "linestyle": "none"}
    percent = words.percent(level)
    if _known(every, "conf_low").any():
        handle = Line2D([], [], color=style.MUTED, markeredgewidth=1.7, **bar)  # type: ignore[arg-type]
        made.append((handle, words.text("figure.interval", level=percent)))
    if _known(every, "band_low").any():
        pale = parts.lighter(style.MUTED)
        handle = Line2D([], [], color=pale, markeredgewidth=6, **bar)  # type: ignore[arg-type]
        made.append((handle, words.text("figure.simultaneous", level=percent)))
    if _is_base(every).any():
        made.append((_mark(style.MUTED, "o", hollow=True), words.text("figure.base_mark")))
    if every["estimate"].isna().any():
        made.append((_mark(style.MUTED, "x"), words.text("figure.no_estimate")))
    return made


def _known(rows: pd.DataFrame, column: str) -> pd.Series:
    if column not in rows:
        return pd.Series(False, rows.index)
    return pd.to_numeric(rows[column]).notna() & ~_is_base(rows)


def _mark(colour: str, marker: str, hollow: bool = False) -> Line2D:
    face = "white" if hollow else colour
    look = {"markersize": 6.5, "markeredgewidth": 1.5, "linestyle": "none"}
    return Line2D([], [], color=colour, marker=marker, markerfacecolor=face, **look)  # type: ignore[arg-type]


def _colour(k: int) -> str:
    return style.PALETTE[k % len(style.PALETTE)]


def _marker(k: int) -> str:
    return MARKERS[k % len(MARKERS)]


def _gap(times: list[float]) -> float:
    """Return the least distance of two event times; 1 where there is one alone."""
    return float(min(np.diff(times), default=1.0))


def _draw(
    axis: Axes, one: _Series, which: tuple[int, int], times: list[float], factor: float
) -> None:
    """Draw one series, shifted so that its intervals stand beside the others'."""
    k, count = which
    slots = max((times[-1] - times[0]) / _gap(times) + 1, 5.0)
    shift = min(0.22, 0.75 / count) * _gap(times)
    room = PLOT_POINTS / slots * shift / _gap(times) if count > 1 else PLOT_POINTS / slots / 3
    size = float(np.clip(0.9 * room, 2.8, 6.5))
    x = one.rows["event_time"].to_numpy(float) + (k - (count - 1) / 2) * shift
    colour, base = _colour(k), _is_base(one.rows).to_numpy(bool)
    for low, high, width, shade in (
        ("band_low", "band_high", size, parts.lighter(colour)),
        ("conf_low", "conf_high", min(1.7, size / 2.5), colour),
    ):
        known = _known(one.rows, low).to_numpy(bool)
        if known.any():
            ends = one.rows.loc[known, [low, high]].to_numpy(float).T * factor
            axis.vlines(x[known], *ends, color=shade, linewidth=width, zorder=2 + (width < 2))
    y = one.rows["estimate"].to_numpy(float) * factor
    look = {"linestyle": "none", "color": colour, "marker": _marker(k), "markersize": size}
    axis.plot(x[~base], y[~base], zorder=4, **look)  # type: ignore[arg-type]
    face = {"markerfacecolor": "white", "markeredgewidth": min(1.5, size / 3)}
    axis.plot(x[base], np.zeros(base.sum()), zorder=4, **look, **face)  # type: ignore[arg-type]
    parts.crosses(axis, x[np.isnan(y) & ~base], size)


def _names(series: list[_Series], words: Catalogue) -> dict[float, str]:
    """Return event times and their words, with a sign where all beyond one are put together."""
    rows = pd.concat([s.rows for s in series]).sort_values("event_time")
    signs = rows.groupby("event_time")["bin"].max()
    return {float(t): f"{sign} {_time(t, words)}".strip() for t, sign in signs.items()}


def _finish(axis: Axes, named: Mapping[float, str], words: Catalogue) -> None:
    """Draw zero and the start of treatment, and label as many event times as fit."""
    times, names = list(named), list(named.values())
    axis.axhline(0.0, color=style.MUTED, linewidth=0.9, zorder=1)
    gap = _gap(times)
    axis.set_xlim(times[0] - 0.6 * gap, times[-1] + 0.6 * gap)
    before, after = [t for t in times if t < 0], [t for t in times if t >= 0]
    if before and after:
        _divide(axis, (before[-1] + after[0]) / 2, words)
    step = parts.step_for(names, 34)
    anchor = times.index(after[0]) if after else 0  # the start of treatment keeps its label
    shown = [i for i in range(len(times)) if (i - anchor) % step == 0]
    axis.set_xticks([times[i] for i in shown], [names[i] for i in shown])
    parts.number_upright(axis, words)


def _divide(axis: Axes, at: float, words: Catalogue) -> None:
    """Part what was before treatment from what came after, in a light line and in words."""
    axis.axvline(at, color=style.MUTED, linewidth=0.8, linestyle=(0, (2, 3)), zorder=1)
    for key, side, shift in (("before", "right", -4), ("after", "left", 4)):
        axis.annotate(
            words.text(f"figure.{key}"),
            (at, 1.0),
            (shift, 3),
            xycoords=axis.get_xaxis_transform(),
            textcoords="offset points",
            ha=side,
            va="bottom",
            fontsize=9.5,
            color=style.MUTED,
        )
