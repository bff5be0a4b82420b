"""Are there comparable people? The propensity score of both groups, one above the other."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from prakerja_eval.figures import style
from prakerja_eval.figures.love import one_of_several
from prakerja_eval.language import Catalogue


def overlap(
    frame: pd.DataFrame,
    *,
    name: str | None = None,
    catalogue: Catalogue | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw the histogram of the score, the treated upwards and the comparison group downwards.

    Parameters
    ----------
    frame : DataFrame
        arm ("treated", "comparison"), low, high, share; ``name`` too if several are stacked. A bin
        that is NaN (few people) is left out.
    name : str, optional
        Which matching; needed if there are several.
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
        If several matchings are given and none is named.
    """
    words = catalogue or Catalogue.named("en")
    chosen = one_of_several(frame, name, "overlap")
    with style.styled():
        figure, (axis,) = style.new(3.3)
        for arm, sign, colour in (
            ("treated", 1.0, style.VERMILION),
            ("comparison", -1.0, style.BLUE),
        ):
            _bars(axis, chosen[chosen["arm"] == arm], sign, colour)
        axis.axhline(0.0, color=style.INK, linewidth=0.9)
        _label(axis, words)
        style.mark_synthetic(figure, words, synthetic)
    return figure


def _bars(axis: Axes, rows: pd.DataFrame, sign: float, colour: str) -> None:
    low, high = rows["low"].to_numpy(float), rows["high"].to_numpy(float)
    height = sign * 100 * np.nan_to_num(rows["share"].to_numpy(float))
    axis.bar(low, height, width=high - low, align="edge", color=colour, ec="white", lw=0.6)


def _label(axis: Axes, words: Catalogue) -> None:
    low, high = axis.get_ylim()
    reach = max(abs(low), abs(high)) * 1.08
    axis.set_ylim(-reach, reach)
    axis.set_xlim(0.0, 1.0)
    axis.set_xlabel(words.text("figure.overlap_axis"))
    axis.set_ylabel(words.text("figure.overlap_share"))
    style.number_axis(axis, words, 1)
    style.number_axis(axis, words, 0, "y")
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.number(abs(value))))
    for arm, y, side, colour in (
        ("treated", 0.97, "top", style.VERMILION),
        ("comparison", 0.03, "bottom", style.BLUE),
    ):
        text = words.text(f"figure.{arm}")
        axis.text(
            0.98,
            y,
            text,
            transform=axis.transAxes,
            ha="right",
            va=side,
            color=colour,
            weight="bold",
        )
