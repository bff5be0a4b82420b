"""What do figures of cohorts and periods share? Labels that fit, their order, and the key below."""

import math
from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from prakerja_eval.errors import UsageError
from prakerja_eval.figures import style
from prakerja_eval.language import Catalogue, Measure
from prakerja_eval.language.catalogue import plain, unit_name
from prakerja_eval.typing import FloatArray

KEY_LETTERS = 52  # in a line of the key
KEY_LINE = 0.2  # inches that one line of the key takes
LINE_LETTERS = 41  # in a line above or below an axis
TICK_LETTERS = 40  # that fit beside one another under an axis
SCALES = ((1e9, "billion"), (1e6, "million"), (1e3, "thousand"))
NEVER = ("", "nan", "none", "inf", "never", "never treated")


def about(frame: pd.DataFrame, outcome: str | None, what: str) -> tuple[pd.DataFrame, str]:
    """Return the rows of one outcome, and its name; all rows where no outcome is written.

    Raises
    ------
    UsageError
        If there are several outcomes and none is named, or the named one is absent.
    """
    if "outcome" not in frame:
        return frame.reset_index(drop=True), outcome or ""
    names = list(dict.fromkeys(frame["outcome"].map(str)))
    if outcome is None and len(names) > 1:
        raise UsageError(f"{what} draws one outcome; name one of {', '.join(names)}.")
    chosen = outcome or names[0]
    rows = frame[frame["outcome"].map(str) == chosen].reset_index(drop=True)
    if not len(rows):
        raise UsageError(f"no row is about {chosen!r}; there are {', '.join(names)}.")
    return rows, chosen


def unit_of(frame: pd.DataFrame, unit: str | None) -> str:
    """Return the unit that is asked for, or else that of the rows."""
    known = frame["unit"].dropna() if "unit" in frame else pd.Series(dtype=object)
    return unit or (str(known.iloc[0]) if len(known) else "")


def heading(words: Catalogue, key: str, name: str, unit: str, kind: str = "effect") -> str:
    """Return name and unit of what is drawn, in lines that fit above the axis."""
    named = unit_name(words, unit, kind) if unit else ""
    text = words.text(key, outcome=name, unit=named) if unit and name else name or named
    return "\n".join(wrap(text, LINE_LETTERS))


def is_never(cohort: object) -> bool:
    """Say whether a cohort's label stands for people who are never treated."""
    return str(cohort).strip().lower() in NEVER or pd.isna(cohort)


def label_of(value: object, letters: int = 80, tail: int = 0) -> str:
    """Return a cohort or wave in one line; of a long one the start and ``tail`` letters."""
    text = "".join(c if c.isprintable() else " " for c in plain(value))
    if len(text) <= letters:
        return text
    end = text[len(text) - tail :].lstrip()
    return f"{text[: letters - 1 - tail].rstrip()}…{end}"


def labels_of(values: Iterable[object], letters: int) -> list[str]:
    """Return short labels; where starts are alike their ends are kept, or else they stay long."""
    every = list(values)
    tries = [[label_of(v, letters, tail) for v in every] for tail in (0, letters // 2)]
    whole = [label_of(v) for v in every]
    return next((t for t in tries if len(set(t)) == len(set(whole))), whole)


def wave_names(waves: Sequence[object], letters: int) -> list[str]:
    """Return the names of waves under an axis; the long ones of few waves in several lines."""
    width = max(letters // max(len(waves), 1) - 1, 9)
    if len(waves) > 4:
        return labels_of(waves, 12)
    look: dict[str, Any] = {"max_lines": 3, "placeholder": "…"}
    return ["\n".join(wrap(label_of(w), width, **look)) or label_of(w) for w in waves]


def scaled(unit: str, largest: float, words: Catalogue) -> tuple[float, int, str]:
    """Return factor, digits and unit in words with which numbers have at most three figures."""
    measure = Measure.of(unit, [largest])
    named = unit_name(words, unit) if unit else ""
    if measure.factor != 1.0:
        return measure.factor, measure.digits, named
    for size, key in SCALES:
        if largest >= size:
            digits = Measure.of(unit, [largest / size]).digits
            in_words = words.text(f"figure.{key}", unit=named).strip()
            return 1 / size, min(digits, 1), in_words
    return 1.0, min(measure.digits, 3), named


def numeric(values: Iterable[object]) -> bool:
    """Say whether all labels are numbers."""
    return all(isinstance(v, int | float | np.number) and not pd.isna(v) for v in values)


def merged(rows: Iterable[Sequence[object]]) -> list[object]:
    """Return labels in their order: that of numbers, or else the one in which the rows have them.

    A row may lack labels that another has: each new one goes before the first that follows it.
    """
    order: list[object] = []
    for labels in rows:
        for i, label in enumerate(labels):
            if label not in order:
                later = [order.index(v) for v in labels[i + 1 :] if v in order]
                order.insert(min(later, default=len(order)), label)
    return sorted(order, key=float) if numeric(order) else order  # type: ignore[arg-type]


def cohorts_of(frame: pd.DataFrame, waves: Sequence[object]) -> list[object]:
    """Return the cohorts from the first to the last, the never treated (None) at the end.

    Cohorts in words that are no waves ("after the last wave") leave all as the frame has them.
    """
    every = list(dict.fromkeys(None if is_never(c) else c for c in frame["cohort"]))
    dated = [c for c in every if c is not None]
    if numeric(dated):
        dated = sorted(dated, key=float)
    elif all(c in waves for c in dated):
        dated = sorted(dated, key=waves.index)
    return dated + ([None] if None in every else [])


def of_cohort(frame: pd.DataFrame, cohort: object) -> pd.DataFrame:
    """Return the rows of one cohort; None for the never treated."""
    never = frame["cohort"].map(is_never)
    return frame[never if cohort is None else ~never & (frame["cohort"] == cohort)]


def starts_at(cohort: object, waves: Sequence[object]) -> int | None:
    """Return the position of a cohort's first treated wave; None where it has none among them."""
    if cohort is None:
        return None
    if numeric([*waves, cohort]):
        later = [i for i, w in enumerate(waves) if w >= cohort]  # type: ignore[operator]
        return later[0] if later else None
    return list(waves).index(cohort) if cohort in waves else None


def step_for(names: Sequence[str], letters: int = TICK_LETTERS) -> int:
    """Return every how many labels one fits beside the next."""
    widest = max((len(line) for name in names for line in name.split("\n")), default=1)
    room = max(letters // (widest + 1), 1)
    return max(math.ceil(len(names) / room), 1)


def head_above(figure: Figure, text: str, synthetic: bool) -> None:
    """Write what is drawn at the figure's left edge, under the mark of synthetic data."""
    figure.legend(
        [],
        [],
        title=("\n" if synthetic else "") + text,
        title_fontsize=10.5,
        loc="outside upper left",
        frameon=False,
        borderaxespad=0.0,
        borderpad=0.3,
    )


def key_below(figure: Figure, handles: Sequence[Artist], names: Sequence[str]) -> None:
    """Explain the marks under everything else, in two columns where the words are short."""
    if not handles:
        return
    figure.legend(
        list(handles),
        key_lines(names),
        loc="outside lower left",
        ncols=key_columns(names),
        frameon=False,
        fontsize=10,
        handlelength=1.6,
        columnspacing=1.2,
        labelspacing=0.35,
        borderaxespad=0.0,
        borderpad=0.4,
    )


def key_lines(names: Sequence[str]) -> list[str]:
    """Return the words of the key in lines that fit."""
    return ["\n".join(p for part in n.split("\n") for p in wrap(part, KEY_LETTERS)) for n in names]


def key_columns(names: Sequence[str]) -> int:
    """Return how many columns of the key stand beside one another."""
    return 2 if len(names) > 1 and max(map(len, names)) <= KEY_LETTERS // 2 - 2 else 1


def key_height(names: Sequence[str]) -> float:
    """Return the inches that the key takes."""
    lines = sum(n.count("\n") + 1 for n in key_lines(names))
    return KEY_LINE * math.ceil(lines / key_columns(names)) + 0.1 * bool(names)


def lighter(colour: str, share: float = 0.65) -> str:
    """Return a colour mixed with white."""
    red, green, blue = (v + (1 - v) * share for v in to_rgb(colour))
    return str(to_hex((red, green, blue)))


def crosses(axis: Axes, x: FloatArray, size: float = 6.5) -> None:
    """Mark at the foot of an axis that something has no number."""
    if len(x):
        across = axis.get_xaxis_transform()
        axis.plot(x, np.full(len(x), 0.03), transform=across, **cross(size))


def cross(size: float = 6.5) -> dict[str, Any]:
    """Return how the mark of what has no number looks."""
    return {"marker": "x", "color": style.MUTED, "ms": size, "mew": 1.5, "ls": "none", "zorder": 4}


def number_side(axis: Axes, words: Catalogue, which: str = "y", ticks: int = 7) -> None:
    """Print as many digits at the ticks of one side as tell them apart."""
    style.number_axis(axis, words, 0, which)
    side = axis.xaxis if which == "x" else axis.yaxis
    side.set_major_locator(MaxNLocator(nbins=ticks, steps=[1, 2, 2.5, 5, 10]))
    digits = digits_of(side.get_majorticklocs())
    side.set_major_formatter(FuncFormatter(lambda value, _: words.number(value, digits)))


def number_upright(axis: Axes, words: Catalogue, ticks: int = 7) -> None:
    """Print the numbers of the upright axis, with light lines behind what is drawn."""
    number_side(axis, words, "y", ticks)
    axis.grid(axis="y", color=style.LINE, linewidth=0.6)
    axis.set_axisbelow(True)


def digits_of(values: Iterable[float], most: int = 6) -> int:
    """Return the digits after the decimal sign that tell numbers such as 0.5 and 1.25 exactly."""
    every = [float(v) for v in values]
    small = 1e-9 * max(map(abs, every), default=1.0)
    return next((d for d in range(most) if all(abs(round(v, d) - v) <= small for v in every)), most)


def bare(axis: Axes) -> None:
    """Take the frame and the tick marks from an axis of tiles."""
    axis.tick_params(length=0)
    for side in axis.spines.values():
        side.set_visible(False)
