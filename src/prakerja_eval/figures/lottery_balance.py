"""Were winners and losers alike before the lottery? Normalised differences with their intervals."""

from collections.abc import Mapping
from textwrap import shorten, wrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from prakerja_eval.compare.frames import frame_of
from prakerja_eval.figures import parts, style
from prakerja_eval.language import Catalogue

COLUMNS = ("covariate", "difference", "std_error", "normalised_difference")
SOURCE = "lottery.balance"
ROW = 0.5  # inches
RULE = 0.1


def lottery_balance(
    balance: Any,
    *,
    labels: Mapping[str, str] | None = None,
    level: float = 0.95,
    catalogue: Catalogue | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw the difference of each covariate between the arms, in its standard deviations.

    Parameters
    ----------
    balance : DataFrame, or an object with a ``frame``
        covariate, difference, std_error, normalised_difference (the difference over the standard
        deviation), and p_value if there is one.
    labels : mapping, optional
        Covariate to printed name.
    level : float
        Coverage of the intervals: normal quantiles of the difference's standard error, the
        standard deviation taken as it is.
    catalogue : Catalogue, optional
        English if left out.
    synthetic : bool
        Print "synthetic data" on the figure.

    Returns
    -------
    matplotlib.figure.Figure
        The dotted lines stand at 0.1 to either side.

    Raises
    ------
    UsageError
        If a column is missing.

    References
    ----------
    Imbens and Rubin (2015), ch. 14, doi 10.1017/CBO9781139025751.
    """
    words = catalogue or Catalogue.named("en")
    rows = frame_of(balance, COLUMNS, "figures.lottery_balance", SOURCE).reset_index(drop=True)
    value = rows["normalised_difference"].to_numpy(float)
    half = _half(rows, level)
    with style.styled():
        text = _note(level, words)
        figure, (axis,) = style.new(ROW * len(rows) + 0.95 + 0.19 * (text.count("\n") + synthetic))
        y = -np.arange(len(rows), dtype=float) * ROW
        axis.axvline(0.0, color=style.MUTED, lw=0.9, zorder=1)
        for side in (-RULE, RULE):
            axis.axvline(side, color=style.MUTED, lw=1, ls=(0, (2, 2)), zorder=1)
        axis.hlines(y, value - half, value + half, color=style.BLUE, lw=1.9, zorder=3)
        axis.plot(value, y, "o", color=style.BLUE, ms=6.5, zorder=4)
        _write(axis, rows, dict(labels or {}), words)
        _finish(axis, len(rows), words)
        axis.set_xlabel(text)
        style.mark_synthetic(figure, words, synthetic)
    return figure


def _half(rows: pd.DataFrame, level: float) -> np.ndarray:
    """Return half the interval in standard deviations; NaN where the difference gives no scale."""
    value, difference, error = (
        rows[c].to_numpy(float) for c in ("normalised_difference", "difference", "std_error")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        half = stats.norm.ppf((1 + level) / 2) * error * np.abs(value / difference)
    return np.where(np.isfinite(half), half, np.nan)


def _write(axis: Axes, rows: pd.DataFrame, labels: dict[str, str], words: Catalogue) -> None:
    """Write each covariate above its line, its difference and p-value at the right."""
    across = axis.get_yaxis_transform()
    look: dict[str, Any] = {"transform": across, "va": "bottom", "path_effects": style.halo()}
    for i, row in enumerate(rows.itertuples()):
        at = -i * ROW + 0.11
        value = words.number(float(row.normalised_difference), 2)
        p = getattr(row, "p_value", np.nan)
        said = f"{value}  ({words.p_value(float(p), sentence=True)})" if np.isfinite(p) else value
        room = style.LETTERS - len(said) - 1
        name = labels.get(str(row.covariate), str(row.covariate))
        axis.text(0.0, at, shorten(name, room, placeholder="…"), ha="left", fontsize=10, **look)
        axis.text(1.0, at, said, ha="right", fontsize=9.5, color=style.MUTED, **look)


def _finish(axis: Axes, count: int, words: Catalogue) -> None:
    """Centre zero, and leave room for the words of the first row."""
    reach = max(abs(v) for v in (*axis.dataLim.intervalx, 1.2 * RULE))
    axis.set_xlim(-1.05 * reach, 1.05 * reach)
    axis.set_ylim(-(count - 1) * ROW - 0.2, 0.34)
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    parts.number_side(axis, words, "x", 5)


def _note(level: float, words: Catalogue) -> str:
    text = words.text("lottery_figure.balance_note", level=words.percent(level))
    return "\n".join(wrap(text, parts.LINE_LETTERS))
