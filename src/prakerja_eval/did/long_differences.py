"""Is this an event study of long differences, all from one wave before treatment?"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate import Estimate, Inference, subset, variance
from prakerja_eval.estimate.estimate import REFERENCE
from prakerja_eval.estimate.specs import instance_of
from prakerja_eval.typing import FloatArray, IntArray

MEND = (
    "Use pe.did.event_study(pe.did.group_time(panel, outcome, "
    'pe.did.Design(base_period="universal")))'
)
BLOCK = ("estimator", "outcome", "subgroup", "specification")
SINGULAR = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class LongDifferences:
    """The coefficients of an event study in order of event time, without the reference.

    Attributes
    ----------
    time : (K,)
        Event times.
    reference : float
        Event time of the reference.
    n_pre : int
        Coefficients before the reference; they come first.
    theta : (K,)
    covariance : (K, K)
    rows : (K,) int
        Their positions in the Estimate.
    """

    time: FloatArray
    reference: float
    n_pre: int
    theta: FloatArray
    covariance: FloatArray
    rows: IntArray


def long_differences(study: Estimate, inference: Inference | None, what: str) -> LongDifferences:
    """Return an event study's coefficients with their covariance.

    Parameters
    ----------
    study : Estimate
        One row an event time; the reference may be a row or left out.
    inference : Inference, optional
        Left out, the rows' default.
    what : str
        Who asks, for messages.

    Raises
    ------
    UsageError
        If the rows are no single event study with one reference at equal steps of event time.
    NotEstimableError
        If a row has no number, or the covariance is singular.
    """
    instance_of(study, Estimate, what)
    event = _event_times(study, what)
    is_reference = (study.counts["status"] == REFERENCE).to_numpy()
    rows = np.flatnonzero(~is_reference)
    rows = rows[np.argsort(event[rows])]
    reference = _reference(event[rows], event[is_reference], what)
    _refuse_unequal_steps(np.sort(np.append(event[rows], reference)), what)
    time = event[rows]
    n_pre = int((time < reference).sum())
    if not n_pre or not (time[n_pre:] >= 0).any():
        side = "from treatment on" if n_pre else "before the reference"
        raise NotEstimableError(f"{what}: the event study has no coefficient {side}.")
    kept = subset(study, rows=list(rows))
    covariance = _covariance(kept, inference, what)
    return LongDifferences(time, reference, n_pre, kept.theta, covariance, rows)


def _event_times(study: Estimate, what: str) -> FloatArray:
    """Return the event times of one event study on one base."""
    index = study.index
    if index["event_time"].isna().any():
        raise UsageError(f"{what} takes an event study, and a row has no event_time. {MEND}.")
    words = " / ".join(map(str, dict.fromkeys(index["specification"].map(str))))
    if "base varying" in words:
        raise UsageError(
            f"{what}: this event study has a varying base, so that its rows before treatment are "
            f"changes from wave to wave, and not differences from the reference. {MEND}."
        )
    if "binned" in words:
        raise UsageError(
            f"{what}: an end of this event study pools several event times; leave them out by "
            "pe.did.event_study(cells, window=..., ends='dropped')."
        )
    event = index["event_time"].to_numpy(dtype=np.float64)
    mixed = [c for c in BLOCK if index[c].map(str).nunique() > 1]
    if mixed or len(np.unique(event)) < len(event):
        raise UsageError(
            f"{what} takes one event study, one row an event time; these rows differ in "
            f"{', '.join(mixed) or 'cohort or wave'}. pe.subset keeps one, pe.did.event_study "
            "averages cohorts."
        )
    return np.asarray(event)


def _reference(event: FloatArray, marked: FloatArray, what: str) -> float:
    """Return the event time of the reference: a row that says so, or the one gap before 0."""
    if len(marked) == 1:
        return float(marked[0])
    gap = np.diff(event)
    wide = np.flatnonzero(gap > 1.5 * gap.min(initial=np.inf))
    if len(marked) or len(wide) != 1 or event[wide[0]] >= 0:
        raise UsageError(
            f"{what} needs differences from one reference before treatment, and this event study "
            f"has {len(marked) or 'no'} reference rows. {MEND}."
        )
    return float(event[wide[0]] + gap.min())


def _refuse_unequal_steps(event: FloatArray, what: str) -> None:
    gap = np.diff(event)
    if np.ptp(gap) > 1e-9 * gap.max():
        times = ", ".join(f"{e:g}" for e in event)
        raise UsageError(
            f"{what} compares steps of equal length, and the event times are {times}. Keep a "
            "window without gaps: pe.did.event_study(cells, window=(low, high))."
        )


def _covariance(study: Estimate, inference: Inference | None, what: str) -> FloatArray:
    """Return the joint covariance, or refuse one that has gaps or is singular."""
    found = variance(study, inference)
    se = found.std_error()
    for k in np.flatnonzero(~np.isfinite(se) | ~np.isfinite(study.theta)):
        time = study.index["event_time"].iloc[k]
        raise NotEstimableError(
            f"{what}: event time {time:g} has no estimate with a standard error: {found.status[k]}."
        )
    if np.isnan(found.covariance).any():
        raise NotEstimableError(
            f"{what}: the rows have no common covariance; name one inference for all."
        )
    if np.linalg.eigvalsh(found.covariance / np.outer(se, se))[0] < SINGULAR:
        raise NotEstimableError(
            f"{what}: the covariance of the {len(se)} coefficients is singular; are there fewer "
            "people or clusters than coefficients?"
        )
    return found.covariance
