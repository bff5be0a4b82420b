"""Who was treated, and in which waves is the outcome read? One rule for all three wings."""

from collections.abc import Sequence

import numpy as np

from prakerja_eval.errors import UsageError
from prakerja_eval.panel.requests import UnitArrays
from prakerja_eval.panel.roles import Roles, WaveLabel
from prakerja_eval.typing import BoolArray


def treated_units(arrays: UnitArrays, roles: Roles) -> BoolArray:
    """Return who was treated in any wave, (n,).

    By Roles ``cohort`` (a first treated wave that is not 0), or by ``received``; one wave for all.

    Raises
    ------
    UsageError
        If Roles names neither, or the panel has several treated cohorts.
    """
    if roles.cohort is not None:
        cohorts = np.unique(arrays.cohort[np.isfinite(arrays.cohort)])
        if len(cohorts) > 1:
            shown = ", ".join(f"{c:g}" for c in cohorts)
            raise UsageError(
                f"this estimator compares one treated cohort with the never treated, and there "
                f"are {shown}. Keep one: panel.where({roles.cohort}=[cohort, 0])."
            )
        return np.isfinite(arrays.cohort)
    if roles.received is None:
        raise UsageError("this estimator needs Roles(cohort=...) or Roles(received=...).")
    treated = np.asarray(arrays.received.max(axis=1) > 0)
    starts = np.unique(np.argmax(arrays.received[treated] > 0, axis=1))
    if len(starts) > 1:
        waves = ", ".join(str(arrays.waves[t]) for t in starts)
        raise UsageError(
            f"treatment starts in several waves ({waves}), and this estimator compares one cohort "
            "with the never treated. Name Roles(cohort=...) and keep one cohort with where()."
        )
    return treated


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
