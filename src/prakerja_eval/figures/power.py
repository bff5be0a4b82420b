"""Which effect would a lottery see? The probability of a significant answer by its size."""

from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from scipy.special import ndtri

from prakerja_eval.compare.frames import frame_of
from prakerja_eval.errors import UsageError
from prakerja_eval.figures import parts, style
from prakerja_eval.language import Catalogue, Measure
from prakerja_eval.language.catalogue import plain

COLUMNS = ("effect", "power")
SOURCE = "lottery.power_curve"
DASHES = ("-", (0, (5, 2)), (0, (2, 1.5)), (0, (6, 2, 1.5, 2)))


def power_curve(
    frame: Any,
    *,
    power: float = 0.8,
    unit: str = "",
    title: str = "",
    catalogue: Catalogue | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw the power of a planned lottery by the size of the effect, and the least detectable one.

    Parameters
    ----------
    frame : DataFrame
        effect, power, as ``lottery.power_curve`` makes them; with a column ``label`` for several
        curves. Without a unit ``effect_sd`` is drawn where there is one.
    power : float
        The line at which the least detectable effect is read off.
    unit, title : str
        Unit and name of the outcome; without a unit, standard deviations.
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
        If a column is missing, or there are more than four curves.
    """
    words = catalogue or Catalogue.named("en")
    rows = frame_of(frame, COLUMNS, "figures.power_curve", SOURCE)
    column = "effect" if unit or "effect_sd" not in rows else "effect_sd"
    curves = _curves(rows, column)
    largest = max(float(np.abs(x).max()) for x, _ in curves.values())
    factor, digits, named = parts.scaled(unit, largest, words)
    measure = Measure(named, factor, digits)
    least = {n: _least(x, y, power) * measure.factor for n, (x, y) in curves.items()}
    digits = _digits(list(least.values()), measure)
    with style.styled():
        keys = _keys(least, power, digits, words)
        below = _below(rows, (title, named), words)
        extra = 0.18 * (below.count("\n") + synthetic) + parts.key_height([n for _, n in keys])
        figure, (axis,) = style.new(3.0 + extra)
        for k, (name, (x, y)) in enumerate(curves.items()):
            look: dict[str, Any] = {"color": style.PALETTE[k], "ls": DASHES[k], "lw": 2.0}
            axis.plot(x * measure.factor, 100 * y, zorder=3, **look)
            _drop(axis, least[name], power, style.PALETTE[k])
        _finish(axis, power, words)
        axis.set_title(words.text("lottery_figure.power_axis"), loc="left", fontsize=10.5, pad=10)
        axis.set_xlabel(below)
        parts.key_below(figure, [h for h, _ in keys], [n for _, n in keys])
        style.mark_synthetic(figure, words, synthetic)
    return figure


def _curves(rows: pd.DataFrame, column: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return effects and power of each curve, effects in order."""
    names = rows["label"].map(plain) if "label" in rows else pd.Series("", index=rows.index)
    out = {}
    for name, own in rows.groupby(names, sort=False):
        ranked = own.sort_values(column)
        out[str(name)] = (ranked[column].to_numpy(float), ranked["power"].to_numpy(float))
    if len(out) > len(DASHES):
        raise UsageError(f"power_curve draws {len(DASHES)} curves at most; these are {len(out)}.")
    return out


def _least(x: np.ndarray, y: np.ndarray, power: float) -> float:
    """Return where a curve crosses the power to the right of zero, NaN if it does not.

    Between points the probit of the power is taken as straight, as it nearly is.
    """
    right = (x >= 0) & (y > 0) & (y < 1)
    x, z = x[right], ndtri(y[right])
    target = float(ndtri(power))
    if len(x) < 2 or not z.min() <= target <= z.max():
        return np.nan
    return float(np.interp(target, z, x))


def _digits(least: list[float], measure: Measure) -> int:
    known = [v for v in least if np.isfinite(v)]
    return Measure.of("", known).digits if known else measure.digits


def _drop(axis: Axes, at: float, power: float, colour: str) -> None:
    """Mark the least detectable effect on the curve and down to the axis."""
    if np.isfinite(at):
        axis.plot([at, at], [0.0, 100 * power], color=colour, lw=1.1, ls=(0, (2, 2)), zorder=2)
        axis.plot([at], [100 * power], "o", color=colour, ms=6.5, zorder=4)


def _finish(axis: Axes, power: float, words: Catalogue) -> None:
    axis.axhline(100 * power, color=style.MUTED, lw=1.0, ls=(0, (2, 2)), zorder=1)
    axis.set_ylim(0.0, 103.0)
    axis.margins(x=0.02)
    axis.autoscale_view(scaley=False)
    parts.number_upright(axis, words, 6)
    parts.number_side(axis, words, "x", 6)


def _below(rows: pd.DataFrame, what: tuple[str, str], words: Catalogue) -> str:
    """Return the words under the axis: an effect of the offer or of treatment, and its unit."""
    title, unit = what
    on = set(rows["on"].map(str)) if "on" in rows else {"offer"}
    kind = "treatment" if on == {"treatment"} else "offer"
    named = unit or words.text("lottery_figure.sd")
    ending = "_named" if title else ""
    text = words.text(f"lottery_figure.effect_of_{kind}{ending}", outcome=title, unit=named)
    return "\n".join(wrap(text, parts.LINE_LETTERS))


def _keys(
    least: dict[str, float], power: float, digits: int, words: Catalogue
) -> list[tuple[Line2D, str]]:
    """Return each curve with its least detectable effect."""
    keys = []
    for k, (name, value) in enumerate(least.items()):
        handle = Line2D([], [], color=style.PALETTE[k], ls=DASHES[k], lw=2.0)
        kind = "detects" if np.isfinite(value) else "detects_none"
        text = words.text(
            f"lottery_figure.{kind}",
            power=words.percent(power),
            effect=words.number(value, digits),
        )
        keys.append((handle, f"{name}\n{text}" if name else text))
    return keys
