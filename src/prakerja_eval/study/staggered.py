"""What does a staggered entry find? Its average, its event study and its cells."""

from dataclasses import dataclass

from prakerja_eval import did
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate import Estimate
from prakerja_eval.panel import Panel
from prakerja_eval.study.schema import StaggeredEntry

TWFE, POISSON = "did.twfe", "did.poisson"


@dataclass(frozen=True, slots=True, eq=False)
class Effects:
    """One outcome of a staggered entry.

    Attributes
    ----------
    overall : Estimate
        One row: the average over cohorts and waves, or the two-way coefficient.
    event_study : Estimate or None
        None where event times cannot be told apart, for the ``reason``.
    cells : Estimate or None
        By cohort and wave; None for two-way fixed effects, which have none.
    reason : str
    """

    overall: Estimate
    event_study: Estimate | None
    cells: Estimate | None
    reason: str = ""


def effects(panel: Panel, entry: StaggeredEntry, outcome: str) -> Effects:
    """Estimate an outcome of a staggered entry.

    Raises
    ------
    NotEstimableError
        If there is no number.
    UsageError
        If the design means nothing in these data; the entry is named.
    """
    try:
        if entry.estimator == TWFE:
            return _two_way(panel, entry, outcome)
        if entry.estimator == POISSON:
            return _in_ratios(panel, entry, outcome)
        cells = _cells(panel, entry, outcome)
        average, balance = entry.average, entry.balance
        kept = balance if average == "event_times" else None
        return Effects(
            did.overall(cells, average=average, balance=kept),
            did.event_study(cells, window=entry.window, ends=entry.ends, balance=balance),
            cells,
        )
    except UsageError as error:
        raise UsageError(f"the entry {entry.name!r} of the study file: {error}") from error


def _cells(panel: Panel, entry: StaggeredEntry, outcome: str) -> Estimate:
    if entry.estimator == "did.group_time":
        return did.group_time(panel, outcome, entry.design, without=entry.without)
    if entry.estimator == "did.imputation":
        return did.imputation(panel, outcome, entry.design)
    return did.sun_abraham(panel, outcome)


def _two_way(panel: Panel, entry: StaggeredEntry, outcome: str) -> Effects:
    """Return the coefficient, and those by event time where they can be told apart."""
    overall, study, reason = did.twfe(panel, outcome), None, ""
    try:
        study = did.twfe(panel, outcome, dynamic=True, window=entry.window)
    except NotEstimableError as error:
        reason = str(error)
    return Effects(overall, study, None, reason)


def _in_ratios(panel: Panel, entry: StaggeredEntry, outcome: str) -> Effects:
    """Return Poisson effects, each a comparison of averages."""
    overall, study, cells = (
        did.poisson(panel, outcome, entry.design, scale=entry.scale, rows=rows)
        for rows in ("overall", "event_times", "cells")
    )
    return Effects(overall, study, cells)
