"""In which order do the waves follow? Numbers and dates by themselves, other words as told."""

import re

import numpy as np
import pandas as pd

from prakerja_eval.errors import DataError, UsageError
from prakerja_eval.panel.roles import Roles, WaveLabel
from prakerja_eval.panel.shown import are_periods, shown_waves
from prakerja_eval.panel.values import plain_text, to_number
from prakerja_eval.typing import IntArray

# 2021, 2021-02, 2021-02-28, 2021Q1, 2021-Q1: their alphabetical order is that of time
DATED = re.compile(r"\d{4}(-?(Q[1-4]|\d{2}(-\d{2})?))?")

UNREAD = re.compile(r"\d{1,2}([/.-])\d{1,2}\1\d{2}(\d{2})?")


def waves_of(frame: pd.DataFrame, roles: Roles) -> tuple[tuple[WaveLabel, ...], IntArray]:
    """Return the wave labels in order and each row's position among them.

    One nameless wave for a cross-section.

    Raises
    ------
    DataError
        If the wave column is empty.
    UsageError
        If the labels are words and nothing says in which order they follow.
    """
    if roles.wave is None:
        return ("",), np.zeros(len(frame), dtype=np.int64)
    found, distinct = pd.factorize(frame[roles.wave])
    column = pd.Series(distinct, name=roles.wave)
    labels = _as_told(column, roles) if roles.wave_order else in_order(column)
    if labels is None:
        words = sorted(map(plain_text, column.dropna().unique()))
        raise UsageError(
            f"the waves in {roles.wave!r} are words ({shown_waves(words, 5)}), and their order in "
            "time is not known; name it in Roles(wave_order=(...)), first wave first."
            f"{_hint(words)}"
        )
    if not labels:
        raise DataError(
            f"the wave column {roles.wave!r} is empty; name another one in Roles(wave=...)."
        )
    position = {label: i for i, label in enumerate(labels)}
    # a missing wave has the code -1 and takes the 0 at the end; the contract reports it
    places = np.array([*(position[v] for v in distinct), 0], dtype=np.int64)
    plain = tuple(v.item() if isinstance(v, np.generic) else v for v in labels)
    whole = tuple(int(v) if isinstance(v, float) and v.is_integer() else v for v in plain)
    return whole, places[found]


def _hint(words: list[str]) -> str:
    """Say what else to do where the waves look like dates in another form, or in two forms."""
    if any(UNREAD.fullmatch(w) for w in words):
        return (
            " If they are dates, name ReadOptions(dates='dmy') or 'mdy' instead; years need four "
            "digits."
        )
    others = [w for w in words if not DATED.fullmatch(w)]
    if len(others) < len(words) and are_periods(words):
        return f" Or write every wave in one form, such as 2021-02: {others[0]!r} is in another."
    return ""


def in_order(column: pd.Series) -> list[WaveLabel] | None:
    """Sort a column's labels as ordered categories stand, or by size or date; None for words."""
    labels = list(column.dropna().unique())
    if isinstance(column.dtype, pd.CategoricalDtype) and column.dtype.ordered:
        return [v for v in column.dtype.categories if v in labels]
    words = [v for v in labels if isinstance(v, str)]
    if not words:
        return sorted(labels)
    sizes = to_number(pd.Series(labels, dtype=object))
    if len(words) == len(labels) and not np.isnan(sizes).any():
        return [labels[i] for i in np.argsort(sizes, kind="stable")]
    if len(labels) > 1 and not all(DATED.fullmatch(str(v)) for v in labels):
        return None
    return sorted(labels, key=str)


def _as_told(column: pd.Series, roles: Roles) -> list[WaveLabel]:
    """Return the labels that occur in the order of Roles(wave_order=...)."""
    labels = list(column.dropna().unique())
    told = {plain_text(v): i for i, v in enumerate(roles.wave_order)}
    missing = [v for v in labels if plain_text(v) not in told]
    if missing:
        which = f"the wave {missing[0]!r}" if are_periods(labels) else f"{len(missing):,} values"
        raise UsageError(
            f"Roles(wave_order=...) leaves out {which} of {roles.wave!r}; "
            "name every wave, first one first."
        )
    return sorted(labels, key=lambda v: told[plain_text(v)])
