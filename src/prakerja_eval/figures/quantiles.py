"""Whom did the offer move, the poor or the rich? Effects on quantiles with their intervals."""

import re
from textwrap import wrap
from typing import Any

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

COLUMNS = ("outcome", "specification", "estimate", "conf_low", "conf_high")
QUANTILE = re.compile(r"quantile (\d*\.?\d+)")
APART = ("estimator", "specification", "wave", "subgroup")
MARKERS = ("o", "s", "D", "^")


def quantile_effects(
    findings: Findings | Estimate | pd.DataFrame,
    *,
    outcome: str | None = None,
    unit: str | None = None,
    title: str | None = None,
    catalogue: Catalogue | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw the effect on each quantile of the outcome's distribution, with its interval.

    Parameters
    ----------
    findings : Findings, Estimate or DataFrame
        Rows of ``lottery.quantiles``, whose ``specification`` says "quantile 0.25"; other rows are
        left out. Waves, groups and other specifications stand side by side.
    outcome : str, optional
        Column name of the outcome; needed if there are several.
    unit, title : str, optional
        Unit and name of the outcome; left out, the unit of the findings and the column name.
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
        If no row is about a quantile, two rows of one series are about one, a column is missing,
        several outcomes are given and none is named, or there are more than four series.
    """
    words = catalogue or Catalogue.named("en")
    found = findings_of(findings, COLUMNS, "figures.quantile_effects")
    frame, name = parts.about(found.frame, outcome, "quantile_effects")
    series = _series(frame)
    unit = parts.unit_of(frame, unit)
    every = pd.concat(list(series.values()))
    measure = Measure.of(unit, every["estimate"].to_numpy(float))
    with style.styled():
        above = parts.heading(words, "figure.effect_axis", title or name, unit)
        below = "\n".join(wrap(words.text("lottery_figure.quantile_axis"), parts.LINE_LETTERS))
        keys = _keys(series, found.level, words)
        lines = above.count("\n") + below.count("\n") + synthetic
        height = 3.0 + 0.18 * lines + parts.key_height([n for _, n in keys])
        figure, (axis,) = style.new(height)
        for k, rows in enumerate(series.values()):
            _draw(axis, rows, (k, len(series)), measure.factor)
        _finish(axis, sorted(set(every["tau"])), words)
        axis.set_title(above, loc="left", fontsize=10.5, pad=10)
        axis.set_xlabel(below)
        parts.key_below(figure, [h for h, _ in keys], [n for _, n in keys])
        style.mark_synthetic(figure, words, synthetic)
    return figure


def _series(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the rows about quantiles, by what else tells them apart."""
    text = frame["specification"].map(plain)
    tau = pd.to_numeric(text.str.extract(QUANTILE)[0])
    rows = frame.assign(tau=tau, specification=text.str.replace(QUANTILE, "", regex=True))
    rows = rows[tau.notna()]
    if not len(rows):
        raise UsageError(
            "figures.quantile_effects was given no row about a quantile; lottery.quantiles makes "
            "them."
        )
    kinds = [c for c in (("label",) if "label" in rows else APART) if c in rows]
    vary = [c for c in kinds if rows[c].map(plain).nunique() > 1]
    names = [", ".join(filter(None, map(plain, row))) for row in rows[vary].to_numpy()]
    series = dict(list(rows.groupby(pd.Series(names, rows.index, dtype=object), sort=False)))
    for own in series.values():
        twice = own.loc[own["tau"].duplicated(), "tau"]
        if len(twice):
            raise UsageError(
                f"quantile_effects: two rows are about the quantile {twice.iloc[0]:g}."
            )
    if len(series) > len(MARKERS):
        raise UsageError(
            f"quantile_effects draws {len(MARKERS)} series at most, and these are {len(series)}: "
            "keep some of them."
        )
    return {str(k): own.sort_values("tau") for k, own in series.items()}


def _draw(axis: Axes, rows: pd.DataFrame, which: tuple[int, int], factor: float) -> None:
    """Draw one series, shifted so that its intervals stand beside the others'."""
    k, count = which
    x = 100 * rows["tau"].to_numpy(float) + (k - (count - 1) / 2) * 1.6
    y, low, high = (rows[c].to_numpy(float) * factor for c in ("estimate", "conf_low", "conf_high"))
    colour = style.PALETTE[k]
    axis.plot(x, y, color=parts.lighter(colour, 0.4), lw=1.2, zorder=2)
    axis.vlines(x, low, high, color=colour, lw=1.9, zorder=3)
    bare = ~(np.isfinite(low) & np.isfinite(high))
    look: dict[str, Any] = {
        "marker": MARKERS[k],
        "ls": "none",
        "ms": 6.5,
        "color": colour,
        "zorder": 4,
    }
    axis.plot(x[~bare], y[~bare], **look)
    axis.plot(x[bare], y[bare], mfc="white", mew=1.5, **look)
    parts.crosses(axis, x[np.isnan(y)])


def _finish(axis: Axes, taus: list[float], words: Catalogue) -> None:
    axis.axhline(0.0, color=style.MUTED, lw=0.9, zorder=1)
    at = [100 * t for t in taus]
    digits = parts.digits_of(at, 1)
    gap = min(np.diff(at), default=10.0)
    axis.set_xlim(max(at[0] - max(0.6 * gap, 4), -4.0), min(at[-1] + max(0.6 * gap, 4), 104.0))
    names = [words.number(v, digits) for v in at]
    step = parts.step_for(names, 34)
    axis.set_xticks(at[::step], names[::step])
    parts.number_upright(axis, words)


def _keys(
    series: dict[str, pd.DataFrame], level: float, words: Catalogue
) -> list[tuple[Line2D, str]]:
    """Return marks and words: the series, what bars mean, and marks without an interval."""
    keys = []
    for k, name in enumerate(series if len(series) > 1 else []):
        look: dict[str, Any] = {
            "marker": MARKERS[k],
            "ms": 6.5,
            "ls": "none",
            "color": style.PALETTE[k],
        }
        keys.append((Line2D([], [], **look), name or "–"))
    bar: dict[str, Any] = {"color": style.MUTED, "marker": "|", "ms": 13, "mew": 1.9, "ls": "none"}
    text = words.text("figure.interval", level=words.percent(level))
    keys.append((Line2D([], [], **bar), text))
    every = pd.concat(list(series.values()))
    known = np.isfinite(every[["conf_low", "conf_high"]].to_numpy(float)).all(axis=1)
    value = np.isfinite(every["estimate"].to_numpy(float))
    if (value & ~known).any():
        hollow = Line2D([], [], color=style.MUTED, marker="o", mfc="white", mew=1.5, ls="none")
        keys.append((hollow, words.text("figure.no_interval")))
    if (~value).any():
        keys.append((Line2D([], [], **parts.cross()), words.text("figure.no_estimate")))
    return keys
