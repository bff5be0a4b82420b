"""Who was treated, and in which waves is the outcome read? One rule for all three wings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import UsageError
from prakerja_eval.panel.requests import UnitArrays
from prakerja_eval.panel.roles import Roles, WaveLabel
from prakerja_eval.panel.timing import start_label
from prakerja_eval.panel.values import plain_text
from prakerja_eval.typing import BoolArray


@dataclass(frozen=True, slots=True, eq=False)
class Arms:
    """The treated and the never treated.

    Attributes
    ----------
    treated : (n,) bool array
    known : (n,) bool array
        False for people lost before treatment began whose receipt was never seen: they belong to
        neither arm, and estimators leave them out.
    start : wave label, optional
        First treated wave; None where that is not known.
    """

    treated: BoolArray
    known: BoolArray
    start: WaveLabel | None = None

    def lead(self, arrays: UnitArrays, wave: WaveLabel) -> float | None:
        """Return how far a wave lies before the start of treatment (negative), None if it does not.

        In the labels' own units where they are numbers, in waves elsewhere.
        """
        start = self.start
        if isinstance(start, int | float) and isinstance(wave, int | float):
            return float(wave - start) if wave < start else None
        if start is None or start not in arrays.waves:
            return None
        steps = arrays.waves.index(wave) - arrays.waves.index(start)
        return float(steps) if steps < 0 else None


def treated_units(arrays: UnitArrays, roles: Roles) -> Arms:
    """Return who was treated in any wave.

    By Roles ``cohort`` (a first treated wave that is not 0), or by ``received``; one wave for all.

    Raises
    ------
    UsageError
        If Roles names neither, or treatment starts in several waves.
    """
    if roles.cohort is not None:
        cohorts = np.unique(arrays.cohort[np.isfinite(arrays.cohort)])
        labels = [start_label(c, arrays.waves) for c in cohorts]
        _refuse_several([plain_text(v) for v in labels], f"{roles.cohort}=[cohort, 0]")
        treated = np.isfinite(arrays.cohort)
        start = labels[0] if labels else None
        return Arms(treated, np.ones_like(treated), start)
    if roles.received is None:
        raise UsageError("this estimator needs Roles(cohort=...) or Roles(received=...).")
    received = arrays.received
    treated = np.asarray((received == 1).any(axis=1))
    first = np.argmax(received[treated] == 1, axis=1)
    if not len(first):
        return Arms(treated, np.asarray(np.isfinite(received).any(axis=1)))
    before = np.take_along_axis(received[treated], np.maximum(first - 1, 0)[:, None], axis=1)[:, 0]
    seen = (first == 0) | (before == 0)
    # a first 1 after a gap started there or earlier: a start of its own only if before all others
    starts = np.unique(first[seen]) if seen.any() else np.array([first.min()])
    starts = np.unique(np.append(starts, first[first < starts.min()]))
    waves = [str(arrays.waves[t]) for t in starts]
    _refuse_several(waves, "...")
    known = np.asarray(received[:, starts[0]] == 0)
    return Arms(treated, treated | known, arrays.waves[starts[0]])


def _refuse_several(starts: list[str], where: str) -> None:
    """Refuse treatment that starts in more than one wave."""
    if len(starts) > 1:
        raise UsageError(
            f"treatment starts in several waves ({', '.join(starts)}), and this estimator compares "
            "one cohort with the never treated. Name Roles(cohort=...) and keep one cohort: "
            f"panel.where({where})."
        )


def wave_position(arrays: UnitArrays, wave: WaveLabel) -> int:
    """Return the position of a wave among the panel's.

    Raises
    ------
    UsageError
        If the panel has no such wave.
    """
    if wave not in arrays.waves:
        known = ", ".join(map(str, arrays.waves))
        raise UsageError(f"wave {wave!r} is not in the panel; there are {known}.")
    return arrays.waves.index(wave)


def outcome_waves(
    arrays: UnitArrays, roles: Roles, waves: Sequence[WaveLabel] | WaveLabel | None
) -> list[int]:
    """Return the positions of the waves asked for; left out, of those after the baseline.

    Raises
    ------
    UsageError
        If a wave is not in the panel, or none comes after the baseline.
    """
    if waves is not None:
        chosen = [waves] if isinstance(waves, int | float | str) else list(waves)
        if not chosen:
            raise UsageError("waves=[] asks for nothing; name a wave, or leave waves out.")
        return [wave_position(arrays, w) for w in chosen]
    first = 0 if roles.baseline is None else wave_position(arrays, roles.baseline) + 1
    if first == len(arrays.waves):
        raise UsageError(f"no wave comes after the baseline {roles.baseline!r}; name waves=[...].")
    return list(range(first, len(arrays.waves)))
