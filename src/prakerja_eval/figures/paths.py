"""How did outcomes move in each group? Means by group and wave with their intervals."""

import math
from textwrap import wrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from prakerja_eval.compare.frames import frame_of
from prakerja_eval.errors import UsageError
from prakerja_eval.figures import style
from prakerja_eval.language import Catalogue, Measure
from prakerja_eval.language.catalogue import unit_name

COLUMNS = ("outcome", "group", "wave", "mean", "std_error")
KEY_LINE = 0.21  # inches
MARKERS = ("o", "s", "D", "^", "v", "P", "X")  # one more than colours


def paths(
    frame: pd.DataFrame,
    *,
    outcome: str | None = None,
    title: str | None = None,
    unit: str = "",
    level: float = 0.95,
    catalogue: Catalogue | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw the outcome's mean in each group and wave.

    Parameters
    ----------
    frame : DataFrame
        outcome, group, wave, n, mean, std_error.
    outcome : str, optional
        Needed if the frame holds several.
    title, unit : str
        Name and unit of the outcome on the axis.
    level : float
        Coverage of the intervals (normal quantiles).
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
        If the frame holds several outcomes and none is named, has no row, or a column is missing.
    """
    words = catalogue or Catalogue.named("en")
    frame = frame_of(frame, COLUMNS, "figures.paths", "Results.paths")
    names = list(dict.fromkeys(frame["outcome"].map(str)))
    if outcome is None and len(names) > 1:
        raise UsageError(f"paths draws one outcome; name one of {', '.join(names)}.")
    chosen = frame if outcome is None else frame[frame["outcome"].map(str) == outcome]
    if not len(chosen):
        raise UsageError(f"no row is about {outcome!r}; there are {', '.join(names)}.")
    measure = Measure.of(unit, chosen["mean"])
    groups = list(dict.fromkeys(chosen["group"].map(str)))
    with style.styled():
        keys = ["\n".join(wrap(group, style.LETTERS - 8)) for group in groups]
        figure, (axis,) = style.new(3.3 + KEY_LINE * sum(n.count("\n") + 1 for n in keys))
        waves = list(dict.fromkeys(chosen["wave"]))
        for k, group in enumerate(groups):
            rows = chosen[chosen["group"].map(str) == group]
            _line(axis, rows, _positions(rows["wave"], waves), (k, len(groups)), (level, measure))
        _label(axis, waves, words)
        name = title or outcome or "".join(names)
        named = unit_name(words, unit, "level")
        text = words.text("figure.paths_axis", outcome=name, unit=named) if unit else name
        axis.set_title("\n".join(wrap(text, style.LETTERS - 8)), loc="left", fontsize=10.5)
        _key(axis, keys)
        style.mark_synthetic(figure, words, synthetic)
    return figure


def _positions(waves: pd.Series, every: list[object]) -> np.ndarray:
    """Place numeric waves at their value and named ones in their order."""
    if all(isinstance(w, int | float | np.number) for w in every):
        return np.asarray(waves, dtype=np.float64)
    return np.array([every.index(w) for w in waves], dtype=float)


def _line(
    axis: Axes,
    rows: pd.DataFrame,
    x: np.ndarray,
    which: tuple[int, int],
    how: tuple[float, Measure],
) -> None:
    """Draw one group, shifted a little so that intervals do not hide each other."""
    (k, groups), (level, measure) = which, how
    span = float(x.max() - x.min()) or 1.0
    at = x + (k - (groups - 1) / 2) * 0.012 * span
    mean = rows["mean"].to_numpy(float) * measure.factor
    half = stats.norm.ppf((1 + level) / 2) * rows["std_error"].to_numpy(float) * measure.factor
    colour = style.PALETTE[k % len(style.PALETTE)]
    axis.errorbar(
        at,
        mean,
        yerr=half,
        color=colour,
        marker=MARKERS[k % len(MARKERS)],
        markersize=5.5,
        linewidth=1.7,
        elinewidth=1.4,
        capsize=0,
    )


def _label(axis: Axes, waves: list[object], words: Catalogue) -> None:
    places = _positions(pd.Series(waves, dtype=object), waves)
    names = [_plain(w) for w in waves]
    room = max(style.LETTERS // (max(map(len, names)) + 2), 1)
    step = math.ceil(len(names) / room)
    axis.set_xticks(list(places[::step]), names[::step])
    axis.margins(x=0.06)
    low, high = axis.get_ylim()
    if low > 0:
        axis.set_ylim(bottom=0.0)
    style.number_axis(axis, words, style.tick_digits(low, high), "y")
    axis.grid(axis="y", color=style.LINE, linewidth=0.6)
    axis.set_axisbelow(True)


def _plain(wave: object) -> str:
    return f"{wave:g}" if isinstance(wave, float) else str(wave)


def _key(axis: Axes, groups: list[str]) -> None:
    """Name the groups under the axis, each in its colour: lines may end at one place."""
    axis.legend(
        axis.get_lines()[: len(groups)]
        if len(axis.get_lines()) == len(groups)
        else axis.containers,
        groups,
        loc="upper left",
        bbox_to_anchor=(0.0, -0.12),
        ncols=1,
        frameon=False,
        fontsize=10,
        borderaxespad=0.0,
        handlelength=1.8,
    )
