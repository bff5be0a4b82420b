"""When was each unit first treated? One scale of time for waves, cohorts and event times."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import UsageError
from prakerja_eval.panel.requests import UnitArrays
from prakerja_eval.panel.roles import Roles, WaveLabel
from prakerja_eval.panel.timing import wave_times
from prakerja_eval.typing import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Adoption:
    """First treated times on the event scale: wave labels in numbers, or else wave positions.

    Attributes
    ----------
    waves : tuple
        Labels of the T waves.
    times : (T,) array
        The waves on the event scale.
    start : (n,) array
        First treated time; infinite for never in these waves (by receipt: last seen untreated), NaN
        for units of which it is not known: receipt that was never seen, or that began in a gap.
    """

    waves: tuple[WaveLabel, ...]
    times: FloatArray
    start: FloatArray


def adoption(arrays: UnitArrays, roles: Roles) -> Adoption:
    """Return when treatment starts, by Roles ``cohort`` or else by ``received``.

    Cohorts written as dates start with the first wave that begins on that date or later.

    Raises
    ------
    UsageError
        If Roles names neither.
    """
    return starts(arrays.waves, arrays.cohort, arrays.received, roles)


def starts(
    waves: Sequence[WaveLabel], cohort: FloatArray, received: FloatArray, roles: Roles
) -> Adoption:
    """Return the adoption of units with these cohorts (n,) and receipts (n, T)."""
    if roles.cohort is None and roles.received is None:
        raise UsageError("this estimator needs Roles(cohort=...) or Roles(received=...).")
    numbers, times = _numbers(waves), wave_scale(waves)
    _refuse_months(times)
    if roles.cohort is None:
        start = _first_received(received, times)
    else:
        start = cohort if numbers else _positions(cohort, waves)
    return Adoption(tuple(waves), times, start)


def wave_scale(waves: Sequence[WaveLabel]) -> FloatArray:
    """Return the waves on the event scale, (T,)."""
    return np.array(waves if _numbers(waves) else range(len(waves)), dtype=np.float64)


def _refuse_months(times: FloatArray) -> None:
    """Refuse months written as numbers: from 202012 to 202101 they jump by 89."""
    whole = bool(np.isin(times % 100, np.arange(1, 13)).all() and (times >= 190_000).all())
    if whole and (times < 210_000).all() and len(set((times // 100).tolist())) > 1:
        raise UsageError(
            f"the waves look like months written as numbers ({times[0]:.0f}, ...), between which "
            "time cannot be counted; write them as text, 2020-11, and the cohorts alike."
        )


def _numbers(waves: Sequence[WaveLabel]) -> bool:
    return all(isinstance(w, int | float) for w in waves)


def adoption_label(time: float, waves: Sequence[WaveLabel]) -> WaveLabel:
    """Return how a start is written: the number, or the label of the wave at that position."""
    if _numbers(waves):
        return int(time) if float(time).is_integer() else float(time)
    return waves[int(time)]


def refuse_switching(receipt: FloatArray, roles: Roles) -> None:
    """Refuse treatment that ends, where first treated times are read from receipt (n, T).

    Raises
    ------
    UsageError
        With the number of units.
    """
    if roles.cohort is not None:
        return
    since = np.logical_or.accumulate(receipt == 1, axis=1)
    several = int((since & (receipt == 0)).any(axis=1).sum())
    if several:
        raise UsageError(
            f"treatment switches off for {several} unit(s): {roles.received!r} is 0 in a wave "
            "after one with 1, and effects by cohort are of treatment that stays on. Write 1 in "
            "all waves from the first receipt on (the effect of having been treated), or name "
            "Roles(cohort=...)."
        )


def treated_by_wave(receipt: FloatArray) -> FloatArray:
    """Return whether units have been treated by each wave, (n, T), NaN where not known.

    A 1 holds from then on, a 0 for all waves before it; after the last 0, and between it and a
    first 1 that comes later, nothing is known of waves without a row.
    """
    since = np.logical_or.accumulate(receipt == 1, axis=1)
    until = np.logical_or.accumulate(receipt[:, ::-1] == 0, axis=1)[:, ::-1]
    return np.where(since, 1.0, np.where(until, 0.0, np.nan))


def _positions(cohort: FloatArray, waves: Sequence[WaveLabel]) -> FloatArray:
    """Place cohorts in days, or in positions named by words, among the waves."""
    times = wave_times(waves)
    if times is None:
        raise UsageError(
            f"the waves are words ({waves[0]}, ...), so Roles(cohort=...) cannot be placed among "
            "them; name Roles(received=...) instead, or write both as numbers or dates."
        )
    place = np.searchsorted(times, cohort).astype(np.float64)
    place[place == len(times)] = np.inf  # after the last wave: never in these
    return np.where(np.isnan(cohort), np.nan, place)


def _first_received(received: FloatArray, times: FloatArray) -> FloatArray:
    """First time with receipt whose wave before is known to be without it."""
    ever = (received == 1).any(axis=1)
    first = np.argmax(received == 1, axis=1)
    before = np.take_along_axis(received, np.maximum(first - 1, 0)[:, None], axis=1)[:, 0]
    seen = (first == 0) | (before == 0)
    # as decision 0009: who is last seen untreated compares until then, and is missing afterwards
    never = (received == 0).any(axis=1) & ~ever
    return np.where(ever & seen, times[first], np.where(never, np.inf, np.nan))
