"""How far from the experiment's answer does each specification end? The bias with its interval."""

from textwrap import wrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from prakerja_eval.compare import WithinStudy
from prakerja_eval.figures import style
from prakerja_eval.language import Catalogue, Measure
from prakerja_eval.language.catalogue import titled, unit_name

ROW, LINE_HEIGHT = 0.52, 0.19  # inches
RECOVERED, MISSED = style.BLUE, style.VERMILION


def within_study(
    study: WithinStudy,
    *,
    unit: str = "",
    title: str | None = None,
    catalogue: Catalogue | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw each specification's bias and its interval around the experiment's answer.

    Filled circles have an interval that includes zero, crosses do not. A specification that cannot
    be compared keeps its row, with the reason.

    Parameters
    ----------
    study : WithinStudy
        From ``compare.within_study``.
    unit : str
        Unit of the outcome ("dollars", "share", ...).
    title : str, optional
        Name of the outcome; left out, its column name.
    catalogue : Catalogue, optional
        English if left out.
    synthetic : bool
        Print "synthetic data" on the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np, pandas as pd, prakerja_eval as pe
    >>> age, group = np.tile(np.arange(20, 30), 6), np.repeat(["t", "c", "s"], 20)
    >>> frame = pd.DataFrame({"id": np.arange(60), "age": age, "group": group})
    >>> frame["won"] = (frame["group"] == "t").astype(int)
    >>> frame["income"] = frame["age"] + 2.0 * frame["won"] + frame["id"] % 3
    >>> whole = pe.read_panel(frame, pe.Roles(unit="id", offer="won", received="won"))
    >>> lottery, survey = whole.where(group=("t", "c")), whole.where(group=("t", "s"))
    >>> def matched(p):
    ...     return pe.matching.att(p, pe.matching.match(p, covariates=["age"]), "income")
    >>> found = pe.compare.within_study(lottery, survey, "income", {"nearest": matched})
    >>> figure = pe.figures.within_study(found, unit="rupiah")
    """
    words = catalogue or Catalogue.named("en")
    frame = study.frame.iloc[1:].reset_index(drop=True)
    numbers = study.frame[["estimate", "bias", "bias_std_error"]].to_numpy(dtype=float).ravel()
    measure = Measure.of(unit, numbers)
    labels = ["\n".join(wrap(text, style.LETTERS - 8)) for text in _labels(frame)]
    lines = np.array([label.count("\n") + 1 for label in labels])
    with style.styled():
        heights = ROW + LINE_HEIGHT * (lines - 1)
        named = titled(words, title or study.outcome, study.wave)
        below = _below(named, unit, words)
        above = _above(study, measure, words)
        extra = below.count("\n") + above.count("\n") + synthetic
        figure, (axis,) = style.new(float(heights.sum()) + 1.0 + LINE_HEIGHT * extra)
        bottoms = -np.cumsum(heights)
        axis.axvline(0.0, color=style.MUTED, linewidth=0.9, zorder=1)
        places = zip(frame.to_dict("records"), labels, bottoms, lines, strict=True)
        for row, label, bottom, count in places:
            _draw(axis, row, bottom + 0.15, (measure, study.level, words))
            _write(axis, row, label, bottom + 0.36 + LINE_HEIGHT * (count - 1), (measure, words))
        _finish(axis, float(bottoms[-1]), words)
        axis.set_xlabel(below)
        axis.set_title(above, loc="left", fontsize=9.5, color=style.BLUE, pad=6)
        style.mark_synthetic(figure, words, synthetic)
    return figure


def _labels(frame: pd.DataFrame) -> list[str]:
    """Return specification and, where there are several, comparison group of each row."""
    several = frame["comparison"].nunique() > 1
    texts = frame["specification"].astype(str)
    return list(texts + ", " + frame["comparison"].astype(str) if several else texts)


def _draw(
    axis: Axes, row: dict[str, float], y: float, how: tuple[Measure, float, Catalogue]
) -> None:
    """Draw bias and interval, or say why there is none."""
    measure, level, _ = how
    if not np.isfinite(row["bias_std_error"]):
        reason = "\n".join(wrap(str(row["status"]), style.LETTERS + 8)[:1])
        place = axis.get_yaxis_transform()
        axis.text(0.0, y, reason, transform=place, fontsize=8.5, color=style.MUTED, va="center")
        return
    colour = MISSED if row["p_value"] < 1 - level else RECOVERED
    low, high, point = (row[c] * measure.factor for c in ("bias_low", "bias_high", "bias"))
    axis.plot([low, high], [y, y], color=colour, linewidth=1.6, zorder=3)
    marker = "X" if colour == MISSED else "o"
    axis.plot([point], [y], marker=marker, color=colour, markersize=6.5, zorder=4)


def _write(
    axis: Axes, row: dict[str, float], label: str, y: float, how: tuple[Measure, Catalogue]
) -> None:
    """Write the label above the interval, and the bias at the right."""
    measure, words = how
    place = axis.get_yaxis_transform()
    effects = style.halo()
    axis.text(0.0, y, label, transform=place, va="top", fontsize=10, path_effects=effects)
    if np.isfinite(row["bias_std_error"]):
        number = words.shown(row["bias"], measure)
        axis.text(
            1.0, y, number, transform=place, ha="right", va="top", fontweight="bold", fontsize=10,
            path_effects=effects,
        )  # fmt: skip


def _finish(axis: Axes, bottom: float, words: Catalogue) -> None:
    axis.set_ylim(bottom - 0.05, 0.04)
    axis.margins(x=0.04)
    axis.autoscale_view(scaley=False)
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    low, high = axis.get_xlim()
    style.number_axis(axis, words, style.tick_digits(low, high))


def _below(outcome: str, unit: str, words: Catalogue) -> str:
    """Return the text under the axis."""
    key, place = ("bias_axis_unit", unit_name(words, unit)) if unit else ("bias_axis", "")
    text = words.text(f"figure.{key}", outcome=outcome, **({"unit": place} if unit else {}))
    return "\n".join(wrap(text, style.LETTERS))


def _above(study: WithinStudy, measure: Measure, words: Catalogue) -> str:
    """Return what zero stands for, and what the marks mean."""
    answer = words.effect(float(study.frame["estimate"].iloc[0]), measure)
    text = words.text("figure.bias_zero", answer=answer, level=words.percent(study.level))
    return "\n".join(wrap(text, style.LETTERS + 4))
