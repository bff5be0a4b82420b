"""What did the programme do to each outcome, beside the mean of those without it?"""

from collections.abc import Mapping
from textwrap import wrap
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from prakerja_eval.compare.frames import findings_of
from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import Estimate, Findings
from prakerja_eval.estimate.specs import one_of
from prakerja_eval.figures import parts, style
from prakerja_eval.language import Catalogue, Measure
from prakerja_eval.language.catalogue import plain

Scale: TypeAlias = Literal["percent", "unit"]

COLUMNS = ("outcome", "estimator", "estimate", "conf_low", "conf_high", "comparison_mean")
APART = ("estimator", "estimand", "specification", "wave", "subgroup")
LINE, ROW = 0.19, 0.5  # inches


RELATIVE = "ITT / comparison mean"


def effects(
    findings: Findings | Estimate | pd.DataFrame,
    *,
    scale: Scale = "percent",
    labels: Mapping[str, str] | None = None,
    level: float = 0.95,
    catalogue: Catalogue | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw the effects on several outcomes with their intervals and comparison means.

    Parameters
    ----------
    findings : Findings, Estimate or DataFrame
        A row an effect, with the mean of the comparison group; ``unit`` tells how numbers are
        written. Rows of one outcome are told apart by ``label`` if there is one, or else by what
        varies among estimator, estimand, specification, wave and subgroup.
    scale : {"percent", "unit"}
        "percent" draws effect and interval over the size of the comparison mean, on one axis; a
        row whose comparison mean is zero or not shown is crossed. "unit" draws each row on a scale
        of its own about the common zero, and writes its interval.
    labels : mapping, optional
        Outcome to printed name.
    level : float
        Coverage of the intervals of a DataFrame; Findings know their own.
    catalogue : Catalogue, optional
        English if left out.
    synthetic : bool
        Print "synthetic data" on the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The comparison mean is taken as it is: intervals do not count that it is estimated.

    Raises
    ------
    UsageError
        If a column is missing or the scale is unknown.
    """
    words = catalogue or Catalogue.named("en")
    one_of(scale, Scale, "figures.effects(scale)")
    found = findings_of(findings, COLUMNS, "figures.effects")
    level = level if isinstance(findings, pd.DataFrame) else found.level
    rows = found.frame.reset_index(drop=True)
    drawn = _drawn(rows, scale)
    if not np.isfinite(drawn).any():
        raise UsageError(
            "figures.effects: no row has an effect to draw; in percent each needs a comparison "
            'mean other than zero, else use scale="unit".'
        )
    texts = [_texts(row, scale, dict(labels or {}), words) for row in _named(rows)]
    with style.styled():
        heights = np.array([LINE * len(t) + 0.3 for t in texts])
        below = _below(scale, level, words)
        extra = LINE * below.count("\n") + 0.25 * synthetic
        figure, (axis,) = style.new(
            float(heights.sum()) + 0.5 + 0.25 * (scale == "percent") + extra
        )
        bottoms = -np.cumsum(heights)
        axis.axvline(0.0, color=style.MUTED, lw=0.9, zorder=1)
        _marks(axis, drawn, bottoms + 0.14)
        _write(axis, texts, bottoms + heights, words)
        _finish(axis, float(bottoms[-1]), scale, words)
        axis.set_xlabel(below)
        style.mark_synthetic(figure, words, synthetic)
    return figure


def _drawn(rows: pd.DataFrame, scale: str) -> np.ndarray:
    """Return what is drawn of estimate and interval, (K, 3); NaN where it cannot be."""
    values = rows[["estimate", "conf_low", "conf_high"]].astype(float).to_numpy()
    if scale == "percent":
        size = np.abs(pd.to_numeric(rows["comparison_mean"]).to_numpy(float))
        if "estimand" in rows:  # an effect that is a share of the mean already
            size = np.where(rows["estimand"].map(str).str.startswith(RELATIVE), 1.0, size)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(size[:, None] > 0, 100 * values / size[:, None], np.nan)
    finite = np.where(np.isfinite(values), np.abs(values), 0.0).max(axis=1)
    return np.asarray(values / np.where(finite > 0, finite, 1.0)[:, None])


def _named(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows with what tells those of one outcome apart."""
    kinds = ["label"] if "label" in rows else [c for c in APART if c in rows]
    vary = [
        c
        for c in kinds
        if rows.groupby(rows["outcome"].map(str), sort=False)[c].agg(_kinds).max() > 1
    ]
    out = []
    for row in rows.to_dict(orient="records"):
        apart = ", ".join(text for c in vary if (text := plain(row[c])))
        out.append({str(k): v for k, v in row.items()} | {"apart": apart})
    return out


def _kinds(column: pd.Series) -> int:
    return int(column.map(plain).nunique())


def _texts(
    row: Mapping[str, Any], scale: str, labels: Mapping[str, str], words: Catalogue
) -> list[tuple[str, str]]:
    """Return the lines of a row, each with what stands at its left and its right."""
    outcome = str(row["outcome"])
    name = labels.get(outcome, outcome) + (f", {row['apart']}" if row["apart"] else "")
    effect, low, high = (float(row[c]) for c in ("estimate", "conf_low", "conf_high"))
    mean = float(pd.to_numeric(row["comparison_mean"]))
    unit = str(row.get("unit") or "") if not pd.isna(row.get("unit")) else ""
    measure = Measure.of(unit, [effect, high - low])
    value = words.shown(effect, measure)
    if scale == "percent":
        value = words.number(np.nan)
        if np.isfinite(effect) and np.isfinite(mean) and mean:
            share = words.number(100 * effect / abs(mean), 1)
            value = words.text("format.percent_cell", number=share)
    said = words.text("lottery_figure.no_mean")
    if np.isfinite(mean):
        said = words.text(
            "lottery_figure.mean", mean=words.level(mean, Measure.of(unit, [mean])).strip()
        )
    lines = wrap(name, style.LETTERS - 10, max_lines=3, placeholder="…") or [" "]
    told = [(line, value if i == 0 else "") for i, line in enumerate(lines)]
    amount = words.effect(effect, measure)
    if scale == "unit" and np.isfinite(low) and np.isfinite(high):
        amount = words.interval(low, high, measure)
    return [*told, *[(line, "muted") for line in wrap(f"{amount}; {said}", style.LETTERS + 4)]]


def _marks(axis: Axes, drawn: np.ndarray, y: np.ndarray) -> None:
    """Draw points and intervals; a cross at zero where there is no effect to draw."""
    value, low, high = drawn.T
    axis.hlines(y, low, high, color=style.BLUE, lw=1.9, zorder=3)
    axis.plot(value, y, "o", color=style.BLUE, ms=6.5, zorder=4)
    missing = y[np.isnan(value)]
    axis.plot(np.zeros(len(missing)), missing, **parts.cross())


def _write(
    axis: Axes, texts: list[list[tuple[str, str]]], tops: np.ndarray, words: Catalogue
) -> None:
    look: dict[str, Any] = {"transform": axis.get_yaxis_transform(), "va": "top", "zorder": 5}
    look["path_effects"] = style.halo()
    for lines, top in zip(texts, tops, strict=True):
        for i, (left, right) in enumerate(lines):
            at = top - LINE * i - 0.02
            muted = right == "muted"
            size: dict[str, Any] = {
                "fontsize": 9 if muted else 10,
                "color": style.MUTED if muted else style.INK,
            }
            axis.text(0.0, at, left, ha="left", **size, **look)
            if right and not muted:
                axis.text(1.0, at, right, ha="right", fontsize=10, fontweight="bold", **look)


def _finish(axis: Axes, bottom: float, scale: str, words: Catalogue) -> None:
    axis.set_ylim(bottom - 0.04, 0.02)
    axis.margins(x=0.04)
    axis.autoscale_view(scaley=False)
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    if scale == "percent":
        parts.number_side(axis, words, "x", 5)
        return
    axis.set_xlim(-1.1, 1.1)
    axis.set_xticks([0.0], [words.number(0.0)])


def _below(scale: str, level: float, words: Catalogue) -> str:
    text = words.text(f"lottery_figure.effects_{scale}", level=words.percent(level))
    return "\n".join(wrap(text, style.LETTERS))
