"""Who won, who took the programme up, and of whom is the outcome known? The flow of people."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from prakerja_eval.compare.frames import frame_of
from prakerja_eval.errors import UsageError
from prakerja_eval.figures import parts, style
from prakerja_eval.language import Catalogue
from prakerja_eval.language.catalogue import plain

COLUMNS = ("arm", "stage", "wave", "n")
STAGES = ("assigned", "received", "observed")
SOURCE = "the flow of a lottery"
LETTERS = 24  # in a line of a box, where two stand beside one another
LINE, PAD, GAP = 0.2, 0.1, 0.24  # inches
MOST_ARMS = 3


def flow(
    frame: pd.DataFrame,
    *,
    labels: Mapping[str, str] | None = None,
    catalogue: Catalogue | None = None,
    synthetic: bool = False,
) -> Figure:
    """Draw the flow of participants (CONSORT): drawn, treated, and observed in each wave, by arm.

    Parameters
    ----------
    frame : DataFrame
        arm ("winners", "losers", or another word), stage ("assigned", "received", "observed"),
        wave, n: people, missing where the number may not be shown. Waves stand in the order in
        which the frame has them.
    labels : mapping, optional
        Arm or wave to printed name.
    catalogue : Catalogue, optional
        English if left out.
    synthetic : bool
        Print "synthetic data" on the figure.

    Returns
    -------
    matplotlib.figure.Figure
        Percentages are of those assigned to the arm.

    Raises
    ------
    UsageError
        If a column is missing, a stage is unknown, a number is told twice, an arm was assigned
        nobody, or there are more than three arms.

    References
    ----------
    Schulz, Altman and Moher (2010), CONSORT 2010 statement, doi 10.1136/bmj.c332.
    """
    words = catalogue or Catalogue.named("en")
    rows = _checked(frame_of(frame, COLUMNS, "figures.flow", SOURCE))
    arms = list(dict.fromkeys(rows["arm"].map(str)))
    named = {str(k): str(v) for k, v in (labels or {}).items()}
    letters = LETTERS * 2 // max(len(arms), 2) - 4 * (len(arms) > 2)
    boxes = [_boxes(rows[rows["arm"].map(str) == a], a, (named, letters), words) for a in arms]
    levels = max(map(len, boxes))
    heights = [max(_height(b[i]) for b in boxes if i < len(b)) for i in range(levels)]
    top = _top(rows, words)
    with style.styled():
        note = "\n".join(wrap(words.text("lottery_figure.flow_note"), parts.KEY_LETTERS))
        below = 0.19 * (note.count("\n") + 1) + 0.1
        total = _height(top) + sum(heights) + GAP * levels + below
        figure, (axis,) = style.new(total + 0.1 + 0.25 * synthetic)
        axis.set_xlim(0.0, 1.0)
        axis.set_ylim(-total, 0.02)
        axis.set_axis_off()
        _draw(axis, top, boxes, heights)
        axis.text(0.0, -total + below - 0.08, note, fontsize=9.5, color=style.MUTED, va="top")
        style.mark_synthetic(figure, words, synthetic)
    return figure


def _checked(rows: pd.DataFrame) -> pd.DataFrame:
    unknown = [s for s in dict.fromkeys(rows["stage"].map(str)) if s not in STAGES]
    if unknown:
        known = ", ".join(map(repr, STAGES))
        raise UsageError(f"flow knows no stage {unknown[0]!r}; there are {known}.")
    arms = rows["arm"].map(str)
    if arms.nunique() > MOST_ARMS:
        raise UsageError(f"flow draws {MOST_ARMS} arms at most; these are {arms.nunique()}.")
    keys = pd.DataFrame({"arm": arms, "stage": rows["stage"], "wave": rows["wave"].map(plain)})
    twice = keys[keys.duplicated()]
    if len(twice):
        first = twice.iloc[0]
        raise UsageError(
            f"flow: two rows tell how many of {first['arm']!r} were {first['stage']!r}"
            + (f" in wave {first['wave']}." if first["wave"] else ".")
        )
    told = set(arms[rows["stage"] == "assigned"])
    untold = [a for a in dict.fromkeys(arms) if a not in told]
    if untold:
        raise UsageError(f"flow: no row says how many were assigned to {untold[0]!r}.")
    return rows.assign(n=pd.to_numeric(rows["n"]).astype(float))


def _top(rows: pd.DataFrame, words: Catalogue) -> list[tuple[str, bool]]:
    """Return the first box: everybody in the lottery; no number where one arm's is hidden."""
    n = rows.loc[rows["stage"] == "assigned", "n"].to_numpy(float)
    lines = [(words.text("lottery_figure.in_lottery"), False)]
    return [*lines, (_count(float(n.sum()), None, words), True)]


def _boxes(
    rows: pd.DataFrame, arm: str, how: tuple[Mapping[str, str], int], words: Catalogue
) -> list[list[tuple[str, bool]]]:
    """Return the lines of each box of an arm; each with whether it is a number."""
    named, letters = how
    stage = {s: rows[rows["stage"] == s] for s in STAGES}
    assigned = float(stage["assigned"]["n"].iloc[0])
    key = f"lottery_figure.{arm}"
    title = named.get(arm) or (words.text(key) if key in words else arm)
    first = [*_lines(title, letters), (_count(assigned, None, words), True)]
    for row in stage["received"].itertuples():
        first += _told("received", row, (named, letters, assigned), words)
    after = [
        _told("observed", row, (named, letters, assigned), words)
        for row in stage["observed"].itertuples()
    ]
    return [first, *after]


def _told(
    kind: str, row: Any, how: tuple[Mapping[str, str], int, float], words: Catalogue
) -> list[tuple[str, bool]]:
    """Return a stage's words, with its wave if it has one, and its number."""
    named, letters, assigned = how
    wave = plain(row.wave)
    ending = "_wave" if wave else ""
    text = words.text(f"lottery_figure.{kind}{ending}", wave=named.get(wave, wave))
    return [*_lines(text, letters), (_count(row.n, assigned, words), True)]


def _lines(text: str, letters: int) -> list[tuple[str, bool]]:
    return [
        (part, False)
        for part in wrap(text, letters, max_lines=3, placeholder="…", break_on_hyphens=False)
        or [" "]
    ]


def _count(n: float, assigned: float | None, words: Catalogue) -> str:
    """Return a number with its share of those assigned, or that it is not shown."""
    if not np.isfinite(n):
        return words.text("format.hidden")
    if assigned is None or not np.isfinite(assigned) or assigned <= 0:
        return words.number(n)
    share = words.text("format.percent_cell", number=words.number(100 * n / assigned))
    return f"{words.number(n)} ({share})"


def _height(lines: Sequence[tuple[str, bool]]) -> float:
    return LINE * len(lines) + 2 * PAD


def _draw(
    axis: Axes,
    top: list[tuple[str, bool]],
    boxes: list[list[list[tuple[str, bool]]]],
    heights: list[float],
) -> None:
    """Draw the first box, one column an arm below it, and the arrows between."""
    centres = [(k + 0.5) / len(boxes) for k in range(len(boxes))]
    width = 0.94 / max(len(boxes), 2)
    _box(axis, (0.5, 0.0), (width, _height(top)), top, style.BAND)
    split = -_height(top) - GAP / 2
    axis.plot([0.5, 0.5], [-_height(top), split], color=style.MUTED, lw=1.1, zorder=1)
    axis.plot([centres[0], centres[-1]], [split, split], color=style.MUTED, lw=1.1, zorder=1)
    for k, (x, column) in enumerate(zip(centres, boxes, strict=True)):
        start, y = split, -_height(top) - GAP
        for i, lines in enumerate(column):
            _arrow(axis, x, start, y)
            colour = parts.lighter(style.PALETTE[k], 0.85) if i == 0 else "white"
            _box(axis, (x, y), (width, heights[i]), lines, colour)
            start = y - heights[i]
            y = start - GAP


def _box(
    axis: Axes,
    place: tuple[float, float],
    size: tuple[float, float],
    lines: list[tuple[str, bool]],
    colour: str,
) -> None:
    """Draw a box below a place, its lines in the middle, numbers in bold."""
    (x, y), (width, height) = place, size
    axis.add_patch(
        Rectangle((x - width / 2, y - height), width, height, fc=colour, ec=style.MUTED, lw=0.9)
    )
    first = y - (height - LINE * len(lines)) / 2 - LINE / 2
    for i, (text, number) in enumerate(lines):
        look: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 10, "zorder": 4}
        axis.text(x, first - i * LINE, text, fontweight="bold" if number else "normal", **look)


def _arrow(axis: Axes, x: float, start: float, end: float) -> None:
    axis.annotate(
        "",
        (x, end),
        (x, start),
        arrowprops={
            "arrowstyle": "-|>",
            "color": style.MUTED,
            "lw": 1.1,
            "shrinkA": 0,
            "shrinkB": 0,
            "mutation_scale": 10,
        },
    )
