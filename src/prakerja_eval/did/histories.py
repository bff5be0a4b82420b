"""Are the not yet treated people who applied again? Then they are not like first-time winners.

Losers who apply again are a selected, more motivated group. Who is treated later won later, so the
not yet treated of a programme with a lottery are full of them.
"""

from dataclasses import replace

import numpy as np

from prakerja_eval.did.design import Design
from prakerja_eval.estimate import Estimate
from prakerja_eval.panel import ArrayRequest, PanelProtocol, adoption, adoption_label
from prakerja_eval.typing import BoolArray, FloatArray

UNLIKE = 0.10  # difference of the shares that had applied before


def say_histories(panel: PanelProtocol, cells: Estimate, design: Design) -> Estimate:
    """Put a warning in the status of effects that compare across application histories.

    A person had applied before if the first treated wave finds a second or later application. Both
    shares are among people whose number of applications is known; the never treated do not count.

    Parameters
    ----------
    panel : Panel
        With Roles ``application``, or else nothing is said.
    cells : Estimate
        Of group_time.
    design : Design
        With the not yet treated, or else nothing is said.
    """
    if panel.roles.application is None or design.comparison != "not_yet_treated":
        return cells
    arrays = panel.arrays(ArrayRequest(cohorts=True))
    known = adoption(arrays, panel.roles)
    place = arrays.clusters.index.get_indexer(cells.units.index)
    start = known.start[place]
    again = _applied_before(start, known.times, arrays.applications[place])
    labels = {g: adoption_label(float(g), known.waves) for g in _cohorts(known.start)}
    places = {label: g for g, label in labels.items()}
    status = list(cells.counts["status"])
    for k, row in enumerate(cells.index.itertuples()):
        if status[k] == "ok" and row.event_time >= 0:
            time = known.times[known.waves.index(row.wave)]
            sample = cells.sample[:, k]
            later = sample & (start > time + design.anticipation)
            status[k] = _unlike(again, sample & (start == places[row.cohort]), later)
    return replace(cells, counts=cells.counts.assign(status=status))


def _cohorts(start: FloatArray) -> FloatArray:
    return np.unique(start[np.isfinite(start)])


def _applied_before(start: FloatArray, times: FloatArray, made: FloatArray) -> FloatArray:
    """Return 1 for units with two applications or more by their start, NaN where not known."""
    at = np.minimum(np.searchsorted(times, start), len(times) - 1)
    number = made[np.arange(len(start)), at]
    return np.where(np.isfinite(start) & ~np.isnan(number), number >= 2, np.nan)


def _unlike(again: FloatArray, treated: BoolArray, later: BoolArray) -> str:
    """Say how many had applied before, where the arms differ much in it."""
    shares = [again[arm & ~np.isnan(again)] for arm in (treated, later)]
    if not all(len(s) for s in shares):
        return "ok"
    mine, theirs = (float(s.mean()) for s in shares)
    if abs(mine - theirs) <= UNLIKE:
        return "ok"
    return (
        f"re-applicants: {theirs:.0%} of the not yet treated had applied before they won, and "
        f"{mine:.0%} of the treated; people who apply again are more motivated"
    )
