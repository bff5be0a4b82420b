"""Which cohort is compared with whom, from which wave to which? Decided before any outcome."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prakerja_eval.did.design import Design
from prakerja_eval.errors import UsageError
from prakerja_eval.panel import WaveLabel, adoption_label
from prakerja_eval.typing import BoolArray, FloatArray


@dataclass(frozen=True, slots=True)
class Cell:
    """One group-time comparison.

    Attributes
    ----------
    start : float
        The cohort: its first treated time.
    wave, base : int
        Positions of the outcome wave and of the period before; equal for a reference cell.
    event_time : float
        Time of the wave less the start.
    rivals : float
        Cohorts that start later than this are the comparison group.
    """

    start: float
    wave: int
    base: int
    event_time: float
    rivals: float

    @property
    def reference(self) -> bool:
        """Say whether the effect is zero by normalisation."""
        return self.wave == self.base

    def compared(self, start: FloatArray) -> BoolArray:
        """Say which starts belong to the comparison group."""
        return np.asarray((start > self.rivals) & (start != self.start))


@dataclass(frozen=True, slots=True)
class Plan:
    """The cells that a design can identify, and what it leaves out and why.

    Attributes
    ----------
    cells : tuple of Cell
    left_out : tuple of str
    """

    cells: tuple[Cell, ...]
    left_out: tuple[str, ...]


def plan(start: FloatArray, times: FloatArray, waves: Sequence[WaveLabel], design: Design) -> Plan:
    """Return the cells of a panel.

    Parameters
    ----------
    start : (n,) array
        First treated time of every unit or group; infinite for never, NaN for unknown.
    times : (T,) array
        The waves on the same scale.
    waves : sequence
        Their labels.
    design : Design

    Raises
    ------
    UsageError
        If no cohort starts after the first wave, or nobody is left to compare with.
    """
    starts = np.unique(start[~np.isnan(start)])
    treated = starts[(starts > times[0]) & (starts <= times[-1])]
    if not len(treated):
        raise UsageError(
            f"no cohort is first treated after the first wave {waves[0]} and by the last, "
            f"{waves[-1]}: there is no change to compare. Look at Roles(cohort=...)."
        )
    rivals = starts[starts > times[0]]
    cells, left_out = [], []
    for g in starts[starts <= times[0]]:
        left_out.append(f"cohort {adoption_label(g, waves)} (treated from the first wave on)")
    for g in treated:
        found, lacking = _cells_of(float(g), rivals, times, design)
        cells += found
        left_out += _reasons(float(g), found, lacking, waves)
    if not cells:
        raise UsageError(_nobody(rivals, times, design))
    return Plan(tuple(cells), tuple(left_out))


def _cells_of(
    g: float, starts: FloatArray, times: FloatArray, design: Design
) -> tuple[list[Cell], list[int]]:
    """Return a cohort's cells, and the positions of waves that have nobody to compare with."""
    clean = np.flatnonzero(times + design.anticipation < g)
    if not len(clean):
        return [], []
    last = int(clean[-1])
    cells, lacking = [], []
    for t, time in enumerate(times):
        varying = design.base_period == "varying" and t <= last
        base = t - 1 if varying else last
        if base < 0:
            continue
        later = float(times[max(t, base)]) + design.anticipation
        rivals = max(float(times[-1]), later) if design.comparison == "never_treated" else later
        cell = Cell(g, t, base, float(time - g), rivals)
        if cell.reference or cell.compared(starts).any():
            cells.append(cell)
        else:
            lacking.append(t)
    if all(c.reference for c in cells):
        return [], lacking
    return cells, lacking


def _reasons(
    g: float, found: list[Cell], lacking: list[int], waves: Sequence[WaveLabel]
) -> list[str]:
    """Say why a cohort, or some of its waves, have no cell."""
    name = adoption_label(g, waves)
    if not found and not lacking:
        return [f"cohort {name} (no wave before treatment and its anticipation)"]
    if lacking:
        which = ", ".join(str(waves[t]) for t in lacking)
        return [f"cohort {name} in {which} (nobody left untreated to compare with)"]
    return []


def _nobody(starts: FloatArray, times: FloatArray, design: Design) -> str:
    """Say how to mend a design without a comparison group."""
    if design.comparison == "never_treated" and not (starts > times[-1]).any():
        return (
            "nobody is never treated in this panel, so did.Design(comparison='never_treated') "
            "has nobody to compare with; use comparison='not_yet_treated'."
        )
    return (
        "no cohort has both a wave before treatment (and its anticipation) and anybody untreated "
        "to compare with."
    )
