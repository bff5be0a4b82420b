"""How strong a hidden trait do matched pairs withstand? Bounds of p-value and effect."""

from textwrap import wrap
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from prakerja_eval.compare.frames import frame_of
from prakerja_eval.errors import UsageError
from prakerja_eval.figures import parts, style
from prakerja_eval.language import Catalogue, Measure

COLUMNS = ("outcome", "wave", "gamma", "p_low", "p_high", "estimate_low", "estimate_high")
SOURCE = "the bounds of matching.rosenbaum"


def rosenbaum(
    bounds: Any,
    *,
    significance: float = 0.05,
    unit: str = "",
    title: str = "",
    catalogue: Catalogue | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw the bounds of the p-value, and of the Hodges-Lehmann effect, by the strength gamma.

    Parameters
    ----------
    bounds : RosenbaumBounds or DataFrame
        outcome, wave, gamma, p_low, p_high, estimate_low, estimate_high; of one outcome and wave.
    significance : float
        Drawn as a line among the p-values.
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
        If a column is missing, or there are rows of several outcomes or waves.
    """
    words = catalogue or Catalogue.named("en")
    rows = frame_of(bounds, COLUMNS, "figures.rosenbaum", SOURCE)
    cells = rows[["outcome", "wave"]].drop_duplicates()
    if len(cells) > 1:
        raise UsageError(
            f"rosenbaum draws one outcome and wave; there are {len(cells)}, keep the rows of one."
        )
    rows = rows.sort_values("gamma")
    name = title or str(rows["outcome"].iloc[0])
    measure = Measure.of(unit, rows[["estimate_low", "estimate_high"]].to_numpy(float).ravel())
    heads = [
        "\n".join(wrap(words.text("figure.rosenbaum_p"), parts.LINE_LETTERS)),
        parts.heading(words, "figure.rosenbaum_estimate", name, unit),
    ]
    below = "\n".join(wrap(words.text("figure.rosenbaum_axis"), parts.LINE_LETTERS))
    with style.styled():
        extra = 0.18 * (sum(h.count("\n") for h in (*heads, below)) + synthetic)
        figure, (upper, lower) = style.new(4.6 + extra, 2)
        _band(upper, rows, ("p_low", "p_high"), 1.0)
        _level(upper, significance, words)
        _band(lower, rows, ("estimate_low", "estimate_high"), measure.factor)
        lower.axhline(0.0, color=style.MUTED, linewidth=0.9, zorder=1)
        upper.set_ylim(-0.03, max(1.03 * float(rows["p_high"].max()), 4 * significance))
        for axis, head in zip((upper, lower), heads, strict=True):
            axis.set_title(head, loc="left", fontsize=10.5)
            parts.number_upright(axis, words, 5)
        parts.number_side(lower, words, "x")
        lower.set_xlabel(below)
        style.mark_synthetic(figure, words, synthetic)
    return figure


def _band(axis: Axes, rows: pd.DataFrame, columns: tuple[str, str], factor: float) -> None:
    """Fill what lies between the bounds; one gamma alone is an upright line."""
    x = rows["gamma"].to_numpy(float)
    low, high = (rows[c].to_numpy(float) * factor for c in columns)
    if len(x) > 1:
        axis.fill_between(x, low, high, color=style.BAND, lw=0, zorder=1)
    look: dict[str, Any] = {"color": style.BLUE, "lw": 1.6, "zorder": 3}
    for y in (low, high):
        axis.plot(x, y, marker="o" if len(x) < 30 else "", ms=3.5, **look)
    axis.vlines(x[:1], low[:1], high[:1], **look)


def _level(axis: Axes, significance: float, words: Catalogue) -> None:
    axis.axhline(significance, color=style.VERMILION, lw=1.2, ls=(0, (4, 2)), zorder=2)
    number = words.number(significance, parts.digits_of([significance]))
    axis.annotate(
        words.text("figure.significance", level=number),
        (0.99, significance),
        (0, 3),
        xycoords=axis.get_yaxis_transform(),
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=9.5,
        color=style.VERMILION,
        path_effects=style.halo(),
    )
