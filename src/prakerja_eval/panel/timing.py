"""When does a wave lie, and when does a cohort start? Both on one scale, numbers or days."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from prakerja_eval.errors import DataError
from prakerja_eval.panel.calendar import days_of
from prakerja_eval.panel.roles import WaveLabel
from prakerja_eval.panel.values import plain_text, to_number
from prakerja_eval.typing import FloatArray

NEVER = ("0", "inf", "never", "")


def wave_times(waves: Sequence[WaveLabel]) -> FloatArray | None:
    """Return the time of each wave, (T,).

    Its label where all are numbers; the day on which it begins where all are dates in text
    ("2021-02", "2021Q1"), counted as Python's ordinal days; None for other words.
    """
    if all(isinstance(w, int | float) for w in waves):
        return np.array(waves, dtype=np.float64)
    days = [days_of(w) for w in waves]
    if any(d is None for d in days):
        return None
    return np.array([d[0].toordinal() for d in days if d is not None], dtype=np.float64)


def cohort_times(cohort: pd.Series, waves: Sequence[WaveLabel]) -> FloatArray:
    """Return when each unit's treatment starts, on the scale of ``wave_times``; infinite for never.

    Parameters
    ----------
    cohort : Series
        First treated wave: a number beside waves in numbers, a date in text or digits ("2021-02",
        202102) beside waves that are dates in text; 0 or "never" for never.
    waves : sequence of wave labels

    Raises
    ------
    DataError
        If a cohort cannot be placed among waves that are dates.
    """
    times = placed_cohorts(cohort, waves)
    if dated(waves) and (np.isnan(times) & cohort.notna().to_numpy()).any():
        raise DataError(
            "a cohort is neither a date like the waves nor 0 for never; write it as the waves are "
            f"written ({waves[0]})."
        )
    return times


def placed_cohorts(cohort: pd.Series, waves: Sequence[WaveLabel]) -> FloatArray:
    """Return ``cohort_times``, NaN where a cohort cannot be placed."""
    if not dated(waves):
        times = to_number(cohort)
        return np.where(times == 0, np.inf, times)
    codes, labels = pd.factorize(cohort)
    starts = _in_their_waves(np.array([*map(_start, labels)], dtype=np.float64), waves)
    return np.asarray(np.append(starts, np.nan)[codes])


def _in_their_waves(starts: FloatArray, waves: Sequence[WaveLabel]) -> FloatArray:
    """Return starts, those on a day within a wave (a quarter, say) as that wave's first day."""
    spans = [span for span in map(days_of, waves) if span is not None]
    first = np.array([span[0].toordinal() for span in spans], dtype=np.float64)
    last = np.array([span[1].toordinal() for span in spans], dtype=np.float64)
    at = np.maximum(np.searchsorted(first, starts, side="right") - 1, 0)
    return np.where((first[at] <= starts) & (starts <= last[at]), first[at], starts)


def dated(waves: Sequence[WaveLabel]) -> bool:
    """Say whether the waves are dates in text."""
    return any(isinstance(w, str) for w in waves) and wave_times(waves) is not None


def _start(label: object) -> float:
    """Return the day on which a cohort starts; infinite for never, NaN where it is no date."""
    text = plain_text(label).strip()
    if text.lower() in NEVER:
        return np.inf
    days = days_of(text)
    return np.nan if days is None else float(days[0].toordinal())


def start_label(time: float, waves: Sequence[WaveLabel]) -> WaveLabel:
    """Return the label of a start: the number, or the first wave that begins at or after it."""
    times = wave_times(waves)
    if times is None or not dated(waves):
        return time
    after = np.flatnonzero(times >= time)
    return waves[after[0]] if len(after) else date.fromordinal(int(time)).isoformat()
