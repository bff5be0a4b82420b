"""Which estimator can be trusted where? Bias and coverage over simulated draws, side by side."""

from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from prakerja_eval.compare.diagnosis import Diagnosis, about, naming
from prakerja_eval.compare.diagnosis_words import diagnosis_words
from prakerja_eval.compare.frames import frame_of
from prakerja_eval.figures import parts, style
from prakerja_eval.language import Catalogue, Measure
from prakerja_eval.language.catalogue import plain, unit_name
from prakerja_eval.typing import BoolArray

COLUMNS = (
    *("scenario", "estimator", "draws", "failed"),
    *("bias", "bias_mc_se", "rmse", "coverage", "coverage_mc_se"),
)
LINE, ROW, HEAD, AXIS = 0.17, 0.28, 0.3, 0.2  # inches: a label's line, marks, a name, numbers
WIDTH, LETTERS = 5.6, 34
LEVEL, HALF, FAR = 0.95, 1.96, 3.0
LEAST = 0.85  # coverage that the axis always shows


def diagnosis(
    given: Diagnosis | pd.DataFrame,
    *,
    outcome: str | None = None,
    unit: str = "",
    title: str = "",
    catalogue: Catalogue | None = None,
    synthetic: bool = True,
) -> Figure:
    """Draw bias and coverage with their Monte Carlo intervals, a row an estimator.

    Parameters
    ----------
    given : Diagnosis or DataFrame
        The frame of a Diagnosis. Each scenario has panels of its own, on common axes.
    outcome : str, optional
        Column name; needed if there are several outcomes.
    unit : str
        Unit of the outcome: bias of a "share" is in percentage points.
    title : str
        Name of the outcome, written above.
    catalogue : Catalogue, optional
        English if left out.
    synthetic : bool
        Print "synthetic data" on the figure, which it always is about.

    Returns
    -------
    matplotlib.figure.Figure
        Draws without an estimate are counted under the name. A cross at zero: no truth, or no
        estimate at all.

    Raises
    ------
    UsageError
        If the outcome is not there, there are several and none is named, or a column is missing.
    """
    words = diagnosis_words(catalogue)
    frame = frame_of(given, COLUMNS, "figures.diagnosis", "a Diagnosis")
    rows, name = about(frame, outcome, "figures.diagnosis")
    sizes = rows[["bias", "bias_mc_se"]].to_numpy(float).ravel()
    measure = Measure.of(unit, sizes)
    scenarios = list(dict.fromkeys(rows["scenario"]))
    facets = [rows[rows["scenario"] == s].reset_index(drop=True) for s in scenarios]
    texts = [_texts(facet, rows, measure, words) for facet in facets]
    heights = [sum(LINE * len(lines) + ROW for lines in t) + HEAD + AXIS for t in texts]
    with style.styled():
        figure = style.Drawing(
            figsize=(WIDTH, sum(heights) + 1.15 + 0.25 * synthetic), layout="constrained"
        )
        FigureCanvasAgg(figure)
        figure.get_layout_engine().set(w_pad=0.08, h_pad=0.06)  # type: ignore[union-attr, call-arg]
        axes = figure.subplots(
            len(facets), 2, squeeze=False, sharex="col", height_ratios=heights,
            width_ratios=(1.35, 1),
        )  # fmt: skip
        for pair, scenario, facet, lines in zip(axes, scenarios, facets, texts, strict=True):
            _facet(pair, facet, lines, measure.factor)
            pair[0].set_title(scenario, loc="left", fontsize=10.5, fontweight="bold")
        _finish(axes, rows, words)
        axes[-1, 0].set_xlabel(_below(unit, words))
        axes[-1, 1].set_xlabel(words.text("diagnosis.coverage"))
        parts.head_above(figure, title or name, synthetic)
        parts.key_below(figure, *_key(axes[0, 1], words))
        style.mark_synthetic(figure, words, synthetic)
    return figure


def _texts(
    facet: pd.DataFrame, rows: pd.DataFrame, measure: Measure, words: Catalogue
) -> list[list[str]]:
    """Return the lines of each row's label: its name, what tells it apart, how many draws fail."""
    several = [c for c in naming(rows) if c not in ("scenario", "estimator", "outcome")]
    out = []
    for row in facet.to_dict(orient="records"):
        apart = ", ".join(text for c in several if (text := plain(row[c])))
        label = f"{row['estimator']}, {apart}" if apart else str(row["estimator"])
        lines = wrap(label, LETTERS) or [" "]
        if row["failed"]:
            count = {k: words.number(row[k]) for k in ("failed", "draws")}
            lines += wrap(words.text("diagnosis.failed", **count), LETTERS)
        if "truth" in row and not np.isnan(row["bias"]):
            lines += [words.text("diagnosis.mean_truth", truth=words.shown(row["truth"], measure))]
        if np.isnan(row["bias"]) and row["failed"] < row["draws"]:
            lines += [words.text("diagnosis.no_truth")]
        out.append(lines)
    return out


def _facet(pair: np.ndarray, facet: pd.DataFrame, texts: list[list[str]], factor: float) -> None:
    """Draw the rows of one scenario from top to bottom."""
    left, right = pair
    heights = np.array([LINE * len(lines) + ROW for lines in texts])
    bottoms = -np.cumsum(heights)
    y = bottoms + 0.45 * ROW
    for axis, place in ((left, 0.0), (right, 100 * LEVEL)):  # beside the marks, not the labels
        axis.vlines(
            np.full(len(y), place),
            y - 0.45 * ROW,
            y + 0.45 * ROW,
            color=style.MUTED,
            lw=0.9,
            zorder=1,
        )
    for axis, key, scale, rest in ((left, "bias", factor, 0.0), (right, "coverage", 100, 95.0)):
        value = scale * facet[key].to_numpy(float)
        half = HALF * scale * facet[f"{key}_mc_se"].to_numpy(float)
        colours = np.array(_colours(facet))
        low, high = value - half, value + half
        if key == "coverage":  # a share: its normal interval ends where shares do
            low, high = np.maximum(low, 0.0), np.minimum(high, 100.0)
        axis.hlines(y, low, high, color=colours, lw=1.9, zorder=3)
        off = (key == "coverage") & _off(facet)
        axis.scatter(value[~off], y[~off], color=colours[~off], s=34, zorder=4, clip_on=False)
        axis.scatter(value[off], y[off], color=colours[off], s=38, marker="D", zorder=4)
        missing = np.isnan(value)
        axis.plot(np.full(missing.sum(), rest), y[missing], **parts.cross())
        axis.set_ylim(bottoms[-1] - 0.04, 0.02)
        axis.set_yticks([])
        axis.spines["left"].set_visible(False)
    look: dict[str, Any] = {"transform": left.get_yaxis_transform(), "va": "top", "zorder": 5}
    look["path_effects"] = style.halo()
    for lines, top in zip(texts, bottoms + heights, strict=True):
        for i, line in enumerate(lines):
            muted = i > 0
            colour, size = (style.MUTED, 8.5) if muted else (style.INK, 9.5)
            left.text(0.0, top - LINE * i - 0.02, line, color=colour, fontsize=size, **look)


def _colours(facet: pd.DataFrame) -> list[str]:
    """Return blue where bias is within three Monte Carlo errors of zero, vermilion elsewhere."""
    ratio = np.abs(facet["bias"].to_numpy(float)) / facet["bias_mc_se"].to_numpy(float)
    return [style.VERMILION if r > FAR else style.BLUE for r in ratio]


def _off(facet: pd.DataFrame) -> BoolArray:
    """Say where coverage is beyond three errors of 95%, the errors that 95% itself would have."""
    count = np.maximum((facet["draws"] - facet["failed"]).to_numpy(float), 1.0)
    error = np.sqrt(LEVEL * (1.0 - LEVEL) / count)  # not that of 100%, which is none
    return np.asarray(np.abs(facet["coverage"].to_numpy(float) - LEVEL) > FAR * error)


def _finish(axes: np.ndarray, rows: pd.DataFrame, words: Catalogue) -> None:
    """Give both columns of panels an axis that all of their rows share."""
    left, right = axes[-1]
    covered = rows["coverage"] - HALF * rows["coverage_mc_se"].fillna(0.0)
    lowest = float(np.nanmin([LEAST, *covered.to_numpy(float)]))
    room = 4.0 * (1.0 - max(lowest, 0.0))  # percent: a whole mark at 0 and at 100
    right.set_xlim(100 * max(lowest, 0.0) - room, 100 + room)
    left.margins(x=0.06)
    left.autoscale_view(scaley=False)
    for first, second in axes:
        first.tick_params(labelbottom=True)
        second.tick_params(labelbottom=True)
        parts.number_side(first, words, "x", 5)
        parts.number_side(second, words, "x", 4)


def _below(unit: str, words: Catalogue) -> str:
    named = unit_name(words, unit) if unit else ""
    return words.text("diagnosis.bias", unit=named) if named else words.text("diagnosis.bias_bare")


def _key(axis: Axes, words: Catalogue) -> tuple[list[Any], list[str]]:
    """Return the marks and the words that explain them."""
    line = axis.plot([], [], color=style.INK, lw=1.9)[0]
    far = axis.plot([], [], "o", color=style.VERMILION, ms=6)[0]
    near = axis.plot([], [], "o", color=style.BLUE, ms=6)[0]
    off = axis.plot([], [], "D", color=style.INK, ms=6)[0]
    named = ("interval", "near", "far", "off")
    return [line, near, far, off], [words.text(f"diagnosis.{name}") for name in named]
