"""Are there comparable people? The propensity score of both groups, one above the other."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from prakerja_eval.compare.frames import frame_of
from prakerja_eval.errors import UsageError
from prakerja_eval.figures import style
from prakerja_eval.figures.love import one_of_several
from prakerja_eval.language import Catalogue

ARMS = (("treated", style.VERMILION), ("comparison", style.BLUE))
COLUMNS = ("arm", "low", "high", "n")
LOWEST, HIDDEN = 0.7, 3.0  # people: where the axis starts, and how high a hidden bar is drawn


def overlap(
    frame: Any,
    *,
    name: str | None = None,
    catalogue: Catalogue | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw how many people have which score, the treated above and the comparison group below.

    Numbers of people stand on a logarithmic axis, since comparison people are often a hundred times
    as many as the treated.

    Parameters
    ----------
    frame : DataFrame, or an object with a ``frame``
        arm ("treated", "comparison"), low, high, n; ``name`` too if several are stacked. A bin
        whose n is NaN (few people) is hatched, at one height for all; one of zero is empty.
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
        If several matchings are given and none is named, a column is missing, or nobody is counted.
    """
    words = catalogue or Catalogue.named("en")
    every = frame_of(frame, COLUMNS, "figures.overlap", "Results.overlap of a study")
    chosen = one_of_several(every, name, "overlap")
    held = chosen[~(chosen["n"] == 0)]
    if not len(held):
        raise UsageError("figures.overlap was given a table in which nobody is counted.")
    hidden = bool(held["n"].isna().any())
    with style.styled():
        figure, axes = style.new(4.0 + 0.25 * hidden + 0.2 * synthetic, rows=2)
        for axis, (arm, colour) in zip(axes, ARMS, strict=True):
            _bars(axis, held[held["arm"] == arm], colour)
            axis.set_title(
                words.text(f"figure.{arm}"), loc="left", color=colour, weight="bold", fontsize=10.5
            )
            _scale(axis, float(held["n"].max()) if held["n"].notna().any() else 10.0, words)
        axes[0].set_xlim(float(held["low"].min()), float(held["high"].max()))
        axes[0].tick_params(labelbottom=False)
        axes[1].set_xlabel(words.text("figure.overlap_axis"))
        style.number_axis(axes[1], words, max(style.tick_digits(*axes[1].get_xlim()), 1))
        figure.supylabel(words.text("figure.overlap_people"), fontsize=10.5)
        if hidden:
            _key(axes[1], words)
        style.mark_synthetic(figure, words, synthetic)
    return figure


def _bars(axis: Axes, rows: pd.DataFrame, colour: str) -> None:
    """Draw a bar a bin; a hidden one in hatches, so that it is neither empty nor a number."""
    for row in rows.itertuples():
        known = np.isfinite(row.n)
        look = {"color": colour, "ec": "white", "lw": 0.6} if known else _hatched(colour)
        height = (float(row.n) if known else HIDDEN) - LOWEST
        width = float(row.high) - float(row.low)
        axis.bar(float(row.low), height, width=width, bottom=LOWEST, align="edge", **look)


def _hatched(colour: str) -> dict[str, Any]:
    return {"facecolor": "white", "edgecolor": colour, "hatch": "////", "lw": 0.8}


def _scale(axis: Axes, most: float, words: Catalogue) -> None:
    """Give both panels one logarithmic axis in whole numbers of people."""
    axis.set_yscale("log")
    axis.set_ylim(LOWEST, most * 1.6)
    axis.yaxis.set_major_locator(LogLocator(base=10.0, numticks=6))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: words.number(value)))
    axis.grid(axis="y", color=style.LINE, linewidth=0.6)
    axis.set_axisbelow(True)


def _key(axis: Axes, words: Catalogue) -> None:
    """Say under the axis what hatches mean."""
    axis.legend(
        handles=[Patch(**_hatched(style.MUTED))],
        labels=[words.text("figure.overlap_hidden")],
        loc="upper left",
        bbox_to_anchor=(0.0, -0.36),
        frameon=False,
        fontsize=10,
        borderaxespad=0.0,
    )
