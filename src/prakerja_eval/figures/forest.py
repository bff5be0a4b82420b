"""How far apart are the answers of the designs? The forest of one outcome."""

from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from prakerja_eval.compare import Agreement
from prakerja_eval.compare.frames import findings_of
from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import Estimate, Findings
from prakerja_eval.figures import style
from prakerja_eval.language import Catalogue, Measure
from prakerja_eval.language.catalogue import plain, titled, unit_name

COLUMNS = ("outcome", "estimator", "estimate", "std_error", "conf_low", "conf_high")
ROW, LINE_HEIGHT = 0.56, 0.19  # inches


def forest(
    answers: Agreement | Findings | Estimate | pd.DataFrame,
    *,
    outcome: str | None = None,
    unit: str | None = None,
    title: str | None = None,
    level: float = 0.95,
    catalogue: Catalogue | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw each design's estimate with its interval, the first row's interval as a band.

    Parameters
    ----------
    answers : Agreement, Findings, Estimate or DataFrame
        An Estimate stands under its default inference. An Agreement's benchmark, or the row of
        Findings whose ``role`` is "benchmark", is drawn first with its interval as a band through
        all rows.
    outcome : str, optional
        Column name of the outcome; needed if Findings hold several.
    unit : str, optional
        Unit of the outcome ("dollars", "share", ...); left out, that of the Findings.
    title : str, optional
        Name of the outcome on the axis, which adds the period if there is one; left out, its column
        name.
    level : float
        Coverage of the intervals of an Agreement; Findings know their own.
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
        If the outcome is not among the answers, Findings hold several and none is named, or a
        column is missing.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdef"), "won": [1, 1, 1, 0, 0, 0],
    ...                       "income": [3.0, 4.0, 5.0, 1.0, 2.0, 3.0]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", offer="won"))
    >>> figure = pe.figures.forest(pe.lottery.itt(panel, "income").findings(), unit="rupiah")
    """
    words = catalogue or Catalogue.named("en")
    if not isinstance(answers, Agreement):
        answers = findings_of(answers, COLUMNS, "figures.forest")
        level = answers.level
    frame, name, wave = _rows(answers, outcome)
    named = titled(words, title or name, wave)
    unit = unit or _unit(frame)
    measure = Measure.of(unit, frame[["estimate", "std_error"]].to_numpy(dtype=float).ravel())
    labels = ["\n".join(wrap(str(label), style.LETTERS - 6)) or " " for label in frame["label"]]
    lines = np.array([label.count("\n") + 1 for label in labels])
    with style.styled():
        heights = ROW + LINE_HEIGHT * (lines - 1)
        below, above = _captions(frame, (named, unit), level, words)
        extra = below.count("\n") + above.count("\n") + synthetic
        figure, (axis,) = style.new(float(heights.sum()) + 0.95 + LINE_HEIGHT * extra)
        bottoms = -np.cumsum(heights)
        _band(axis, frame, measure)
        _draw(axis, frame, measure, bottoms, words)
        _write(axis, frame, measure, list(zip(labels, bottoms, lines, strict=True)), words)
        _finish(axis, float(bottoms[-1]), words)
        axis.set_xlabel(below)
        axis.set_title(above, loc="left", fontsize=9.5, color=style.BLUE, pad=6)
        style.mark_synthetic(figure, words, synthetic)
    return figure


def _rows(answers: Agreement | Findings, outcome: str | None) -> tuple[pd.DataFrame, str, object]:
    """Return label, estimate and interval a row, the outcome's name, and the period of all rows."""
    if isinstance(answers, Agreement):
        frame = answers.frame.assign(role=["benchmark"] + ["candidate"] * (len(answers.frame) - 1))
        return frame, answers.outcome, answers.wave
    frame = answers.frame
    names = list(dict.fromkeys(frame["outcome"].map(str)))
    if outcome is None and len(names) > 1:
        raise UsageError(f"forest draws one outcome; name one of {', '.join(names)}.")
    chosen = outcome or "".join(names)
    frame = frame[frame["outcome"].map(str) == chosen].reset_index(drop=True)
    if not len(frame):
        raise UsageError(f"no row is about {chosen!r}; there are {', '.join(names)}.")
    waves = list(dict.fromkeys(frame["wave"].map(plain))) if "wave" in frame else []
    frame = frame.assign(label=_labels(frame, len(waves) > 1))
    if "role" not in frame:
        frame = frame.assign(role="shown")
    frame = frame.sort_values("role", key=lambda r: r != "benchmark", kind="stable")
    return frame, chosen, waves[0] if len(waves) == 1 else None


def _labels(frame: pd.DataFrame, waves: bool) -> list[str]:
    """Return what tells the rows apart: their label or estimator, and the wave if it differs."""
    kinds = ("estimator", "estimand", "specification", "cohort", "wave", "subgroup")
    several = [c for c in kinds if c in frame and frame[c].map(str).nunique() > 1]
    if "label" in frame:
        several = ["label", *(["wave"] if waves else [])]
    rows = frame[several or ["estimator"]].to_numpy()
    return [", ".join(text for v in row if (text := plain(v))) for row in rows]


def _unit(frame: pd.DataFrame) -> str:
    known = frame["unit"].dropna() if "unit" in frame else pd.Series(dtype=object)
    return str(known.iloc[0]) if len(known) else ""


def _has_band(frame: pd.DataFrame) -> bool:
    first = frame.iloc[0]
    return bool(first["role"] == "benchmark" and np.isfinite(first["conf_low"]))


def _band(axis: Axes, frame: pd.DataFrame, measure: Measure) -> None:
    if _has_band(frame):
        low, high = (float(frame.iloc[0][c]) * measure.factor for c in ("conf_low", "conf_high"))
        axis.axvspan(low, high, color=style.BAND, zorder=0, linewidth=0)
    axis.axvline(0.0, color=style.MUTED, linewidth=0.9, zorder=1)


def _draw(
    axis: Axes, frame: pd.DataFrame, measure: Measure, bottoms: np.ndarray, words: Catalogue
) -> None:
    """Draw point and interval on the lower line of each row."""
    for row, y in zip(frame.itertuples(), bottoms + 0.16, strict=True):
        first = row.role == "benchmark"
        colour = style.BLUE if first else style.INK
        low, high, point = (v * measure.factor for v in (row.conf_low, row.conf_high, row.estimate))
        axis.plot([low, high], [y, y], color=colour, linewidth=2.0 if first else 1.5, zorder=3)
        marker = "D" if first else "o"
        axis.plot([point], [y], marker=marker, color=colour, markersize=6.5, zorder=4)


def _write(
    axis: Axes,
    frame: pd.DataFrame,
    measure: Measure,
    places: list[tuple[str, float, int]],
    words: Catalogue,
) -> None:
    """Write each label on its own line above the interval, and the number at the right."""
    across = axis.get_yaxis_transform()
    for row, (label, bottom, lines) in zip(frame.itertuples(), places, strict=True):
        top = bottom + 0.33 + LINE_HEIGHT * (lines - 1) + 0.06
        weight = "bold" if row.role == "benchmark" else "normal"
        text: dict[str, Any] = {"transform": across, "fontsize": 10, "zorder": 5, "va": "top"}
        text["path_effects"] = style.halo()
        axis.text(0.0, top + 0.06, label, ha="left", linespacing=1.25, fontweight=weight, **text)
        number = words.shown(row.estimate, measure)
        axis.text(1.0, top + 0.06, number, ha="right", fontweight="bold", **text)


def _finish(axis: Axes, bottom: float, words: Catalogue) -> None:
    axis.set_ylim(bottom - 0.05, 0.06)
    axis.margins(x=0.04)
    axis.autoscale_view(scaley=False)
    axis.set_yticks([])
    axis.spines["left"].set_visible(False)
    low, high = axis.get_xlim()
    style.number_axis(axis, words, style.tick_digits(low, high))


def _captions(
    frame: pd.DataFrame, what: tuple[str, str], level: float, words: Catalogue
) -> tuple[str, str]:
    """Return the text under the axis and the one that explains the band, in lines that fit."""
    outcome, unit = what
    below, above = outcome, ""
    if unit:
        below = words.text("figure.effect_axis", outcome=outcome, unit=unit_name(words, unit))
    if _has_band(frame):
        label = str(frame.iloc[0]["label"])
        above = words.text("figure.band", level=words.percent(level), label=label)
    return "\n".join(wrap(below, style.LETTERS)), "\n".join(wrap(above, style.LETTERS))
