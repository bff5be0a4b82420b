"""Did matching make the groups alike? Standardised differences before and after."""

from collections.abc import Mapping
from textwrap import shorten

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from prakerja_eval.balance import Balance
from prakerja_eval.compare.frames import frame_of
from prakerja_eval.errors import UsageError
from prakerja_eval.figures import style
from prakerja_eval.language import Catalogue

ROW = 0.46  # inches
RULE = 0.1
BALANCES = "the balance() of a matching or Results.balance"


def love(
    balance: pd.DataFrame | Balance,
    *,
    name: str | None = None,
    labels: Mapping[str, str] | None = None,
    catalogue: Catalogue | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw the absolute standardised difference of each covariate before and after matching.

    Parameters
    ----------
    balance : DataFrame or Balance
        stage ("before", "after"), covariate, smd; ``name`` too if several matchings are stacked.
    name : str, optional
        Which matching; needed if there are several.
    labels : mapping, optional
        Covariate to printed name.
    catalogue : Catalogue, optional
        English if left out.
    synthetic : bool
        Print "synthetic data" on the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The dotted line stands at 0.1.

    Raises
    ------
    UsageError
        If several matchings are given and none is named, or a column is missing.
    """
    words = catalogue or Catalogue.named("en")
    every = frame_of(balance, ("stage", "covariate", "smd"), "figures.love", BALANCES)
    frame = one_of_several(every, name, "love")
    sizes = frame["smd"].abs().where(np.isfinite(frame["smd"]))
    table = frame.assign(size=sizes).pivot_table(
        index="covariate", columns="stage", values="size", sort=False, dropna=False
    )
    table = table.reindex(list(dict.fromkeys(frame["covariate"])))
    table = table.reindex(columns=["before", "after"])
    with style.styled():
        figure, (axis,) = style.new(ROW * len(table) + 1.15)
        _draw(axis, table)
        _label(axis, table, dict(labels or {}), words)
        style.mark_synthetic(figure, words, synthetic)
    return figure


def one_of_several(frame: pd.DataFrame, name: str | None, what: str) -> pd.DataFrame:
    """Return the rows of one matching.

    Raises
    ------
    UsageError
        If the frame holds several and none is named, or the named one is absent.
    """
    names = list(dict.fromkeys(frame["name"])) if "name" in frame else []
    if name is None and len(names) > 1:
        raise UsageError(f"{what} draws one matching; name one of {', '.join(map(str, names))}.")
    if name is None:
        return frame
    if name not in names:
        raise UsageError(f"no matching is named {name!r}; there are {', '.join(map(str, names))}.")
    return frame[frame["name"] == name]


def _draw(axis: Axes, table: pd.DataFrame) -> None:
    y = -np.arange(len(table), dtype=float) * ROW
    before, after = table["before"].to_numpy(float), table["after"].to_numpy(float)
    axis.hlines(y, np.minimum(before, after), np.maximum(before, after), color=style.LINE, lw=2)
    axis.plot(
        before, y, "o", mfc="white", mec=style.VERMILION, mew=1.6, ms=7, zorder=3, clip_on=False
    )
    axis.plot(after, y, "o", color=style.BLUE, ms=7, zorder=4, clip_on=False)
    axis.axvline(RULE, color=style.MUTED, lw=1, ls=(0, (2, 2)), zorder=1)


def _label(axis: Axes, table: pd.DataFrame, labels: dict[str, str], words: Catalogue) -> None:
    """Write covariates above their line, and what the two marks mean once, above the first."""
    across = axis.get_yaxis_transform()
    for i, covariate in enumerate(table.index):
        text = shorten(labels.get(str(covariate), str(covariate)), style.LETTERS, placeholder="…")
        at = -i * ROW + 0.12
        axis.text(
            0.0, at, text, transform=across, fontsize=10, va="bottom", path_effects=style.halo()
        )
    axis.set_ylim(-(len(table) - 1) * ROW - 0.16, 0.36)
    axis.set_xlim(left=0.0)
    axis.margins(x=0.05)
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    axis.set_xlabel(words.text("figure.love_axis"))
    style.number_axis(axis, words, max(style.tick_digits(*axis.get_xlim()), 1))
    marks = axis.get_lines()
    names = [words.text("figure.before"), words.text("figure.after")]
    axis.legend(
        marks[:2],
        names,
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=2,
        frameon=False,
        fontsize=10,
        handletextpad=0.2,
        borderaxespad=0.0,
    )
