"""Where do the arms lie, before and after? A covariate's distribution, and that of the weights."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from prakerja_eval.errors import UsageError
from prakerja_eval.figures import style
from prakerja_eval.language import Catalogue
from prakerja_eval.matching.spread import Spread

ARMS = (("treated", style.VERMILION), ("comparison", style.BLUE))


def distribution(
    spread: Spread,
    *,
    label: str | None = None,
    catalogue: Catalogue | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw a covariate's distribution in both arms, before above and after below.

    Parameters
    ----------
    spread : Spread
        From ``matching.distribution``.
    label : str, optional
        Printed name of the covariate.
    catalogue : Catalogue, optional
        English if left out.
    synthetic : bool
        Print "synthetic data" on the figure.

    Returns
    -------
    matplotlib.figure.Figure
        Shares of each arm by bin. A gap in an outline is a bin of few people, not shown.

    Raises
    ------
    UsageError
        If this is no distribution by stage.

    Examples
    --------
    >>> import numpy as np, pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": np.arange(80), "trained": np.arange(80) % 2,
    ...                       "age": 20 + np.arange(80) % 17})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", received="trained"))
    >>> pairs = pe.matching.match(panel, covariates=["age"])
    >>> figure = pe.figures.distribution(pe.matching.distribution(pairs, "age", bins=4))
    """
    words = catalogue or Catalogue.named("en")
    frame = _frame(spread, "figures.distribution", "matching.distribution")
    stages = list(dict.fromkeys(frame["stage"]))
    with style.styled():
        figure, axes = style.new(1.75 * len(stages) + 0.7 + 0.2 * synthetic, rows=len(stages))
        for axis, stage in zip(axes, stages, strict=True):
            for arm, colour in ARMS:
                rows = frame[(frame["stage"] == stage) & (frame["arm"] == arm)]
                _outline(axis, rows, colour, filled=arm == "comparison")
            axis.set_title(words.text(f"figure.{stage}"), loc="left", fontsize=10.5)
            axis.set_ylim(bottom=0.0)
            style.number_axis(axis, words, style.tick_digits(0.0, axis.get_ylim()[1] * 100), "y")
            axis.yaxis.set_major_formatter(lambda value, _: words.number(100 * value))
        axes[-1].set_xlabel(label or spread.name)
        axes[-1].tick_params(labelbottom=True)
        style.number_axis(axes[-1], words, style.tick_digits(*axes[-1].get_xlim()))
        figure.supylabel(words.text("figure.share_of_arm"), fontsize=10.5)
        _names(axes[0], words)
        style.mark_synthetic(figure, words, synthetic)
    return figure


def weights(
    spread: Spread, *, catalogue: Catalogue | None = None, synthetic: bool = False
) -> Figure:
    """Draw how the weights are spread, with how many equal people they are worth.

    Parameters
    ----------
    spread : Spread
        From ``matching.weight_spread``.
    catalogue : Catalogue, optional
        English if left out.
    synthetic : bool
        Print "synthetic data" on the figure.

    Returns
    -------
    matplotlib.figure.Figure
        An arm a panel; a weight of one is the arm's mean. Each says its people and Kish's effective
        sample size.

    Raises
    ------
    UsageError
        If this is no spread of weights.
    """
    words = catalogue or Catalogue.named("en")
    frame = _frame(spread, "figures.weights", "matching.weight_spread")
    with style.styled():
        figure, axes = style.new(4.2 + 0.2 * synthetic, rows=2)
        for axis, (arm, colour) in zip(axes, ARMS, strict=True):
            rows = frame[frame["arm"] == arm]
            _outline(axis, rows, colour, filled=True)
            counts = spread.effective.set_index("arm").loc[arm]
            said = words.text(
                "figure.effective",
                arm=words.text(f"figure.{arm}"),
                n=words.number(counts["n"]),
                effective=words.number(counts["effective"]),
            )
            axis.set_title(said, loc="left", color=colour, fontsize=10)
            axis.set_ylim(bottom=0.0)
            axis.yaxis.set_major_formatter(lambda value, _: words.number(100 * value))
        axes[1].set_xlabel(words.text("figure.weight_axis"))
        axes[1].tick_params(labelbottom=True)
        style.number_axis(axes[1], words, style.tick_digits(*axes[1].get_xlim()))
        figure.supylabel(words.text("figure.share_of_arm"), fontsize=10.5)
        style.mark_synthetic(figure, words, synthetic)
    return figure


def _frame(spread: object, what: str, source: str) -> pd.DataFrame:
    if not isinstance(spread, Spread) or (spread.name == "weight") != source.endswith(
        "weight_spread"
    ):
        raise UsageError(f"{what} draws what {source}(...) returns.")
    return spread.frame


def _outline(axis: Axes, rows: pd.DataFrame, colour: str, *, filled: bool) -> None:
    """Draw a histogram as steps; a hidden bin is a gap."""
    edges = np.append(rows["low"].to_numpy(float), rows["high"].to_numpy(float)[-1:])
    share = rows["share"].to_numpy(float)
    if filled:
        axis.stairs(np.nan_to_num(share), edges, fill=True, color=colour, alpha=0.25, zorder=2)
    axis.stairs(share, edges, color=colour, lw=1.8, zorder=3, baseline=None)


def _names(axis: Axes, words: Catalogue) -> None:
    """Name the two arms in their colours, above the first panel."""
    for (arm, colour), x in zip(ARMS, (0.72, 1.0), strict=True):
        axis.text(
            x, 1.04, words.text(f"figure.{arm}"), transform=axis.transAxes, ha="right",
            va="bottom", color=colour, fontweight="bold", fontsize=10,
        )  # fmt: skip
