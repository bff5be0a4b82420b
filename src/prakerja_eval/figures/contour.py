"""How strong an omitted variable would change the answer? Contours over two strengths."""

from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from prakerja_eval.compare.frames import frame_of
from prakerja_eval.errors import UsageError
from prakerja_eval.figures import parts, style
from prakerja_eval.language import Catalogue, Measure
from prakerja_eval.typing import FloatArray

COLUMNS = ("outcome", "kind", "r2_treatment", "r2_outcome", "value", "critical")
MARKS = ("D", "s", "^", "v", "P", "X")


def contour(
    grid: pd.DataFrame,
    bounds: pd.DataFrame | None = None,
    *,
    unit: str = "",
    title: str = "",
    catalogue: Catalogue | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw what the answer would be, by an omitted variable's strength with treatment and outcome.

    Parameters
    ----------
    grid : DataFrame
        Of ``OmittedVariable.contour``: outcome, kind, r2_treatment, r2_outcome, value, critical.
    bounds : DataFrame, optional
        ``OmittedVariable.bounds``: marks where a variable as strong as a covariate would lie.
        Points outside the grid are left out of the figure.
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
        If a column is missing, or the rows are no grid of one outcome, wave and kind.

    References
    ----------
    Cinelli and Hazlett (2020), doi 10.1111/rssb.12348, figure 2.
    """
    words = catalogue or Catalogue.named("en")
    rows = frame_of(grid, COLUMNS, "figures.contour", "OmittedVariable.contour()")
    x, y, z = _square(rows)
    name, is_t = title or str(rows["outcome"].iloc[0]), rows["kind"].iloc[0] == "t"
    measure = Measure("", 1.0, 2) if is_t else Measure.of(unit, z.ravel())
    critical = float(rows["critical"].iloc[0]) * measure.factor
    head = (
        "\n".join(wrap(words.text("figure.contour_t", outcome=name), parts.LINE_LETTERS))
        if is_t
        else parts.heading(words, "figure.contour_estimate", name, unit)
    )
    sides = [
        "\n".join(wrap(words.text(f"figure.contour_{side}"), parts.LINE_LETTERS))
        for side in ("treatment", "outcome")
    ]
    points = _points(bounds, rows, x, y)
    with style.styled():
        keys = _keys(points, float(z[0, 0]), critical, (is_t, measure), words)
        names = [n for _, n in keys]
        lines = sum(t.count("\n") for t in (head, sides[0])) + synthetic
        figure, (axis,) = style.new(4.1 + 0.18 * lines + parts.key_height(names))
        _lines(axis, (100 * x, 100 * y, z * measure.factor), critical, words)
        _benchmarks(axis, points)
        parts.number_side(axis, words, "x")
        parts.number_side(axis, words, "y")
        axis.set_xlabel(sides[0])
        axis.set_ylabel(sides[1])
        axis.set_title(head, loc="left", fontsize=10.5)
        parts.key_below(figure, [h for h, _ in keys], names)
        style.mark_synthetic(figure, words, synthetic)
    return figure


def _square(rows: pd.DataFrame) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the two sides and the values over them, (len(y), len(x))."""
    table = None
    several = [c for c in ("outcome", "wave", "kind") if c in rows and rows[c].nunique() > 1]
    if not several and not rows.duplicated(["r2_treatment", "r2_outcome"]).any():
        table = rows.set_index(["r2_outcome", "r2_treatment"])["value"].unstack()  # noqa: PD010
    if table is None or min(table.shape) < 2 or table.isna().any(axis=None):
        raise UsageError(
            "figures.contour draws one full grid of one outcome, wave and kind; give it what one "
            "call of OmittedVariable.contour() returns."
        )
    x, y = table.columns.to_numpy(float), table.index.to_numpy(float)
    return x, y, table.to_numpy(float)


def _points(
    bounds: pd.DataFrame | None, rows: pd.DataFrame, x: FloatArray, y: FloatArray
) -> pd.DataFrame:
    """Return the benchmarks of this outcome and wave that lie on the grid."""
    columns = ["benchmark", "k", "r2_treatment", "r2_outcome"]
    if bounds is None or not len(bounds):
        return pd.DataFrame(columns=columns)
    frame = frame_of(bounds, columns, "figures.contour", "OmittedVariable.bounds")
    for column in ("outcome", "wave"):
        if column in frame and column in rows:
            frame = frame[frame[column].map(str) == str(rows[column].iloc[0])]
    inside = (frame["r2_treatment"] <= x[-1]) & (frame["r2_outcome"] <= y[-1])
    return frame[inside]


def _benchmarks(axis: Axes, points: pd.DataFrame) -> None:
    """Mark the answer as it is, and where variables as strong as covariates lie."""
    axis.plot([0], [0], marker="o", color=style.INK, ms=8, clip_on=False, zorder=6)
    for i, (_, own) in enumerate(points.groupby("benchmark", sort=False)):
        at = 100 * own["r2_treatment"], 100 * own["r2_outcome"]
        axis.plot(*at, color=style.MUTED, lw=0.8, zorder=4)
        axis.plot(*at, zorder=5, **_mark(i))


def _lines(
    axis: Axes, grid: tuple[FloatArray, FloatArray, FloatArray], critical: float, words: Catalogue
) -> None:
    """Draw the contours with their numbers, and the critical one."""
    x, y, z = grid
    levels = MaxNLocator(nbins=9, steps=[1, 2, 2.5, 5, 10]).tick_values(z.min(), z.max())
    levels = levels[(levels > z.min()) & (levels < z.max())]
    near = np.diff(levels).min() / 4 if len(levels) > 1 else 0.0
    # no line beside the critical one, nor one that hugs the axes
    levels = levels[(np.abs(levels - critical) > near) & (np.abs(levels - z[0, 0]) > 2 * near)]
    digits = parts.digits_of(levels)
    look: dict[str, Any] = {"fontsize": 9, "inline_spacing": 3}
    if len(levels):
        thinly: dict[str, Any] = {"linewidths": 0.9, "linestyles": "solid"}
        thin = axis.contour(x, y, z, levels=levels, colors=style.MUTED, **thinly)
        axis.clabel(thin, fmt=FuncFormatter(lambda v, _: words.number(v, digits)), **look)
    if z.min() < critical < z.max():
        axis.contour(
            x, y, z, levels=[critical], colors=style.VERMILION, linewidths=2.0, linestyles="solid"
        )


def _mark(place: int) -> dict[str, Any]:
    colour = style.PALETTE[(place * 2) % len(style.PALETTE)]
    return {"marker": MARKS[place % len(MARKS)], "color": colour, "ms": 7, "ls": "none"}


def _keys(
    points: pd.DataFrame,
    now: float,
    critical: float,
    how: tuple[bool, Measure],
    words: Catalogue,
) -> list[tuple[Line2D, str]]:
    """Return marks and words: as estimated, where it ends, the benchmarks."""
    is_t, measure = how
    number = words.number(critical, measure.digits)
    end = "figure.contour_insignificant" if is_t else "figure.contour_nothing"
    keys = [
        (
            Line2D([], [], marker="o", color=style.INK, ms=8, ls="none"),
            words.text("figure.contour_now", value=words.shown(now, measure)),
        ),
        (Line2D([], [], color=style.VERMILION, lw=2.0), words.text(end, value=number)),
    ]
    for i, (name, own) in enumerate(points.groupby("benchmark", sort=False)):
        times = ", ".join(words.number(k, parts.digits_of([k])) for k in own["k"])
        text = words.text("figure.contour_benchmark", name=name, k=times)
        keys.append((Line2D([], [], **_mark(i)), text))
    return keys
