"""Could the draw alone have given this answer? The statistic over draws of the same lottery."""

from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from prakerja_eval.errors import UsageError
from prakerja_eval.figures import parts, style
from prakerja_eval.language import Catalogue

BINS = 41  # odd, so that one bin is about zero
FEW = 2_000  # draws, under which there are fewer bins
TIE = 1e-9  # of the observed statistic: equal but for rounding is as far out


def randomisation(
    draws: Any,
    observed: float | None = None,
    *,
    p_value: float | None = None,
    outcome: str | None = None,
    title: str = "",
    catalogue: Catalogue | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw how often each size of the statistic came up when the lottery was drawn again.

    Parameters
    ----------
    draws : (R,) array, or the answer of ``lottery.randomise``
        The statistic in each draw.
    observed : float, optional
        The statistic as it was observed; left out for an answer of ``lottery.randomise``.
    p_value : float, optional
        Two-sided; left out for such an answer. Where neither is given none is printed.
    outcome : str, optional
        Which of an answer's outcomes; needed if it has several rows.
    title : str
        Name of the outcome or statistic.
    catalogue : Catalogue, optional
        English if left out.
    synthetic : bool
        Print "synthetic data" on the figure.

    Returns
    -------
    matplotlib.figure.Figure
        A histogram of draws, none of people; draws at least as far from zero as the observed
        statistic are in another colour.

    Raises
    ------
    UsageError
        If there is no draw or no observed statistic, or an answer has several rows and none is
        named.
    """
    words = catalogue or Catalogue.named("en")
    values, seen, p = _given(draws, observed, p_value, outcome)
    factor, _, scale = parts.scaled("", float(np.abs([*values, seen]).max()), words)
    values, seen = values * factor, seen * factor
    edges = _edges(values, seen)
    far = np.abs(values) >= abs(seen) * (1 - TIE)
    with style.styled():
        keys = _keys(seen, p, int(far.sum()), len(values), words)
        head = "\n".join(wrap(title, parts.LINE_LETTERS))
        lines = head.count("\n") + 2 * bool(head) + synthetic
        figure, (axis,) = style.new(2.9 + 0.18 * lines + parts.key_height([n for _, n in keys]))
        _bars(axis, values, far, edges)
        _finish(axis, seen, edges, words)
        below = words.text("lottery_figure.statistic")
        axis.set_xlabel(f"{below} ({scale})" if scale else below)
        axis.set_title(head, loc="left", fontsize=10.5, pad=8)
        parts.key_below(figure, [h for h, _ in keys], [n for _, n in keys])
        style.mark_synthetic(figure, words, synthetic)
    return figure


def _given(
    draws: Any, observed: float | None, p_value: float | None, outcome: str | None
) -> tuple[np.ndarray, float, float]:
    """Return the draws, the observed statistic and the p-value, NaN for none."""
    frame = getattr(draws, "frame", None)
    if isinstance(frame, pd.DataFrame):
        at = _row(frame, outcome)
        row = frame.iloc[at]
        draws, observed = np.asarray(draws.draws)[:, at], float(row["statistic"])
        p_value = float(row["p_value"]) if p_value is None else p_value
    values = np.asarray(draws, dtype=np.float64).ravel()
    values = values[np.isfinite(values)]
    if not len(values):
        raise UsageError("figures.randomisation was given no draw with a statistic.")
    if observed is None or not np.isfinite(observed):
        raise UsageError("figures.randomisation needs the observed statistic beside the draws.")
    return values, float(observed), np.nan if p_value is None else float(p_value)


def _row(frame: pd.DataFrame, outcome: str | None) -> int:
    names = frame["outcome"].map(str)
    rows = np.flatnonzero(names == outcome) if outcome is not None else np.arange(len(frame))
    if len(rows) == 1:
        return int(rows[0])
    known = ", ".join(dict.fromkeys(names))
    if not len(rows):
        raise UsageError(f"no row is about {outcome!r}; there are {known}.")
    raise UsageError(
        f"figures.randomisation draws one row of {len(rows)}; name an outcome of {known}, or for "
        "one of several waves give draws[:, k] and its statistic."
    )


def _edges(values: np.ndarray, seen: float) -> np.ndarray:
    """Return the edges of bins, alike on both sides of zero, the observed statistic among them."""
    reach = max(float(np.abs(values).max()), abs(seen)) or 1.0
    count = BINS if len(values) >= FEW else 31
    width = 2 * reach / count
    if abs(seen) > width / 2:
        width = abs(seen) / max(round(abs(seen) / width), 1)
    steps = int(np.ceil(reach / width * (1 - TIE)))
    first = 0 if _one_sided(values, seen) else -steps
    return np.asarray(width * np.arange(first, steps + 1))


def _one_sided(values: np.ndarray, seen: float) -> bool:
    """Say whether the statistic is a distance, which has no sign."""
    return bool(values.min() >= 0 and seen >= 0)


def _bars(axis: Axes, values: np.ndarray, far: np.ndarray, edges: np.ndarray) -> None:
    """Draw both kinds of draws, the farther ones on top."""
    near, _ = np.histogram(values[~far], edges)
    out, _ = np.histogram(np.clip(values[far], edges[0], edges[-1]), edges)
    share = 100 / len(values)
    middle, width = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    look: dict[str, Any] = {"width": width, "linewidth": 0.5, "edgecolor": "white", "zorder": 2}
    axis.bar(middle, near * share, color=parts.lighter(style.BLUE, 0.45), **look)
    axis.bar(middle, out * share, bottom=near * share, color=style.VERMILION, **look)


def _finish(axis: Axes, seen: float, edges: np.ndarray, words: Catalogue) -> None:
    axis.axvline(seen, color=style.INK, lw=2.0, zorder=4)
    if seen and edges[0] < 0:
        axis.axvline(-seen, color=style.INK, lw=1.2, ls=(0, (2, 2)), zorder=4)
    axis.set_xlim(edges[0] - 0.02 * np.ptp(edges), edges[-1] + 0.02 * np.ptp(edges))
    axis.set_ylabel(words.text("lottery_figure.draws"))
    parts.number_upright(axis, words, 5)
    parts.number_side(axis, words, "x", 6)


def _keys(seen: float, p: float, far: int, count: int, words: Catalogue) -> list[tuple[Any, str]]:
    """Return marks and words: the observed statistic, and the draws as far out with the p-value."""
    size = abs(seen)
    digits = 2 if size >= 0.1 or not size else min(int(np.ceil(-np.log10(size))) + 1, 6)
    line = Line2D([], [], color=style.INK, lw=2.0)
    keys: list[tuple[Any, str]] = [
        (line, words.text("lottery_figure.observed_statistic", value=words.number(seen, digits)))
    ]
    told = words.text("lottery_figure.as_far", far=words.number(far), count=words.number(count))
    if np.isfinite(p):
        told += f"\n{words.p_value(p, sentence=True)}"
    keys.append((Patch(color=style.VERMILION), told))
    return keys
