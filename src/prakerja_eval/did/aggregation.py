"""What is the effect over cohorts and waves? Averages of cells, with the influence of the shares.

Callaway and Sant'Anna (2021), section 3, doi 10.1016/j.jeconom.2020.12.001. A share s_g is the
weight of cohort g among the units of the estimate; θ = Σ_k a_k s_g(k) θ_k / Σ_k a_k s_g(k) with
fixed a_k, so that each unit of cohort g adds its weight times Σ_{k in g} a_k (θ_k − θ) / Σ a s.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from prakerja_eval.did.averages import averages
from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import Estimate, contrast, join, rename, subset
from prakerja_eval.estimate.estimate import REFERENCE
from prakerja_eval.estimate.specs import instance_of, one_of
from prakerja_eval.typing import BoolArray

Shares: TypeAlias = Literal["drawn", "fixed"]
Average: TypeAlias = Literal["cells", "event_times", "cohorts", "waves"]
Since: TypeAlias = Literal["start", "anticipation"]
Ends: TypeAlias = Literal["dropped", "binned"]
ALIKE = {
    "event_times": "event times alike",
    "cohorts": "cohorts by size, their waves alike",
    "waves": "waves alike",
}
BLOCK = ["estimator", "outcome", "subgroup", "specification", "weighting"]


def overall(
    cells: Estimate,
    *,
    average: Average = "cells",
    balance: float | None = None,
    shares: Shares = "drawn",
) -> Estimate:
    """Return the average effect on the treated over cohorts and waves from the start on.

    Parameters
    ----------
    cells : Estimate
        Of ``group_time``, ``imputation`` or ``sun_abraham``.
    average : {"cells", "event_times", "cohorts", "waves"}
        "cells": all cells weighted by the sizes of their cohorts; "event_times": the mean of the
        event study from event time 0 on; "cohorts": the mean of ``by_cohort`` weighted by size, the
        effect on a typical treated person; "waves": the mean of ``by_calendar``.
    balance : number, optional
        With "event_times": as in ``event_study``.
    shares : {"drawn", "fixed"}
        Whether the sizes of cohorts are estimated, with their influence, or taken as fixed.

    Returns
    -------
    Estimate
        One row an outcome, specification and subgroup; ``weighting`` says which average it is
        ("treated people" for that over cells). NaN with the cell's reason where one of its
        cells has no number.

    References
    ----------
    Callaway and Sant'Anna (2021), equations (3.7) to (3.11).
    """
    _known(cells, shares)
    one_of(average, Average, "overall(average)")
    if balance is not None and average != "event_times":
        raise UsageError("overall(balance=...) belongs to average='event_times'.")
    if average == "cells":
        return _each(cells, lambda block: _overall(block, shares))
    alike: dict[Average, Callable[[Estimate], Estimate]] = {
        "cohorts": lambda block: _by_size(block, shares),
        "waves": lambda block: _mean(by_calendar(block, shares=shares)),
        "event_times": lambda block: _mean(
            _from_start(event_study(block, balance=balance, shares=shares))
        ),
    }
    return rename(_each(cells, alike[average]), weighting=ALIKE[average])


def event_study(
    cells: Estimate,
    *,
    window: tuple[float, float] | None = None,
    ends: Ends = "dropped",
    balance: float | None = None,
    shares: Shares = "drawn",
) -> Estimate:
    """Return the average effect by time since the start of treatment.

    Parameters
    ----------
    cells : Estimate
        Of ``group_time``, ``imputation`` or ``sun_abraham``.
    window : (low, high), optional
        Event times shown.
    ends : {"dropped", "binned"}
        What becomes of event times beyond the window: left out, or averaged into its two ends.
    balance : number, optional
        Keep only the cohorts seen until this event time, and event times up to it, so that the same
        cohorts stand behind every effect from the start on.
    shares : {"drawn", "fixed"}
        As in ``overall``.

    Returns
    -------
    Estimate
        One row an event time; ``estimand`` "pre-trend" before treatment. With a universal base its
        own row is zero with the status "reference".
    """
    _known(cells, shares)
    one_of(ends, Ends, "event_study(ends)")
    if window is not None and not window[0] <= window[1]:
        raise UsageError(f"event_study(window={window}) must run from low to high.")
    if ends == "binned" and window is None:
        raise UsageError("event_study(ends='binned') needs window=(low, high).")
    return _each(cells, lambda block: _event_study(block, window, ends, balance, shares))


def by_cohort(cells: Estimate, *, since: Since = "start") -> Estimate:
    """Return each cohort's average effect over its waves, which weigh alike.

    Parameters
    ----------
    cells : Estimate
        Of ``group_time``, ``imputation`` or ``sun_abraham``.
    since : {"start", "anticipation"}
        Whether to count only waves from the start of treatment on, or those in which the design
        lets people act on it beforehand too.
    """
    _known(cells, "fixed")
    one_of(since, Since, "by_cohort(since)")
    return _each(cells, lambda block: _cohorts(block, since))


def by_calendar(cells: Estimate, *, shares: Shares = "drawn") -> Estimate:
    """Return the average effect in each wave on all who had been treated by then.

    Parameters
    ----------
    cells : Estimate
        Of ``group_time``, ``imputation`` or ``sun_abraham``.
    shares : {"drawn", "fixed"}
        As in ``overall``.
    """
    _known(cells, shares)
    return _each(cells, lambda block: _grouped(block, "wave", _started(block), shares))


def _known(cells: Estimate, shares: Shares) -> None:
    """Refuse what is no Estimate of cells."""
    instance_of(cells, Estimate, "the aggregation")
    one_of(shares, Shares, "shares")
    lacking = cells.index["cohort"].isna() | cells.index["event_time"].isna()
    if "weight" not in cells.units.columns and "weight" in cells.differing:
        raise UsageError(
            "these cells were joined from panels with different weights, so that no cohort has one "
            "size; average them before you join them."
        )
    if "treated_from" not in cells.units.columns or lacking.any():
        raise UsageError(
            "aggregations take cohort-by-wave effects, of pe.did.group_time say, and this Estimate "
            "has rows of another kind."
        )


def _each(cells: Estimate, verb: Callable[[Estimate], Estimate]) -> Estimate:
    """Apply a verb to the rows of each estimator, outcome, subgroup and specification."""
    keys = list(zip(*(map(str, cells.index[c]) for c in BLOCK), strict=True))
    blocks = [[k for k, key in enumerate(keys) if key == one] for one in dict.fromkeys(keys)]
    if len(blocks) == 1:
        return verb(cells)
    return join(*(verb(subset(cells, rows=rows)) for rows in blocks))


def _started(cells: Estimate) -> BoolArray:
    return np.asarray(cells.index["event_time"].to_numpy(float) >= 0)


def _since(cells: Estimate, since: Since) -> BoolArray:
    if since == "start":
        return _started(cells)
    return np.asarray(cells.index["estimand"] == "ATT")


def _from_start(study: Estimate) -> Estimate:
    rows = np.flatnonzero(_started(study))
    if not len(rows):
        raise UsageError("no event time from the start of treatment on is left to average.")
    return subset(study, rows=list(rows))


def _mean(rows: Estimate) -> Estimate:
    """Return the plain mean of rows, over whatever told them apart."""
    mean = contrast(rows, np.full(len(rows), 1.0 / len(rows)))
    weighted = rows.counts["comparison_mean"].to_numpy(dtype=np.float64).mean()
    return replace(mean, counts=mean.counts.assign(comparison_mean=weighted))


def _overall(block: Estimate, shares: Shares) -> Estimate:
    picked = _started(block).astype(np.float64)
    if not picked.any():
        raise UsageError("no cell from the start of treatment on is left to average.")
    return averages(block, picked[:, None], [{}], drawn=shares == "drawn")


def _by_size(block: Estimate, shares: Shares) -> Estimate:
    """Return the mean over a cohort's waves, averaged over cohorts by their size."""
    effects = _started(block).astype(np.float64)
    codes, _ = pd.factorize(block.index["cohort"])
    waves = np.bincount(codes, effects)[codes]
    picked = np.divide(effects, waves, out=np.zeros_like(effects), where=waves > 0)
    return averages(block, picked[:, None], [{}], drawn=shares == "drawn")


def _cohorts(block: Estimate, since: Since) -> Estimate:
    """Average each cohort's cells, and say so where waves before the start are among them."""
    kept = _since(block, since)
    found = _grouped(block, "cohort", kept, "fixed")
    early = set(block.index["cohort"][kept & ~_started(block)])
    if not early:
        return found
    words = [
        f"{said}; waves before the start too" if cohort in early else said
        for said, cohort in zip(found.index["specification"], found.index["cohort"], strict=True)
    ]
    return replace(found, index=found.index.assign(specification=words))


def _grouped(block: Estimate, by: str, kept: BoolArray, shares: Shares) -> Estimate:
    """Average the kept cells of each cohort or wave."""
    values = list(dict.fromkeys(block.index[by][kept]))
    if not values:
        raise UsageError("no cell from the start of treatment on is left to average.")
    picked = np.column_stack([kept & (block.index[by] == v) for v in values]).astype(np.float64)
    names = [{"population": f"cohort {v}"} if by == "cohort" else {} for v in values]
    return averages(block, picked, names, drawn=shares == "drawn")


def _event_study(
    block: Estimate,
    window: tuple[float, float] | None,
    ends: Ends,
    balance: float | None,
    shares: Shares,
) -> Estimate:
    event_time = block.index["event_time"].to_numpy(dtype=np.float64)
    kept = np.ones(len(block), dtype=bool) if balance is None else _balanced(block, balance)
    low, high = (-np.inf, np.inf) if window is None else window
    shown = np.clip(event_time, low, high) if ends == "binned" else event_time
    kept &= (shown >= low) & (shown <= high)
    times = np.unique(shown[kept])
    if not len(times):
        raise UsageError("no event time is left; widen window or lower balance.")
    picked = np.column_stack([kept & (shown == e) for e in times])
    # a base is zero by normalisation: it is no effect, and no part of a mean with other cells
    reference = (block.counts["status"] == REFERENCE).to_numpy()[:, None]
    mixed = (picked & ~reference).any(axis=0)
    picked = np.where(reference & mixed, False, picked).astype(np.float64)
    estimand, words = block.index["estimand"].to_numpy(), block.index["specification"].iloc[0]
    if balance is not None:  # in front: behind "left out: " stand the cohorts alone
        words = f"balanced to event time {balance:g}; {words}"
    names = []
    for r, e in enumerate(times):
        inside = set(estimand[picked[:, r] > 0])
        name: dict[str, object] = {"event_time": float(e), "specification": words}
        name["estimand"] = inside.pop() if len(inside) == 1 else "mixed"
        if ends == "binned" and e in (low, high):
            side = "before" if e == low else "after"
            name["specification"] = f"{words}; {e:g} and all {side} binned"
        names.append(name)
    return averages(block, picked, names, drawn=shares == "drawn")


def _balanced(block: Estimate, balance: float) -> BoolArray:
    """Keep event times up to ``balance`` of the cohorts that are seen until then."""
    event_time = block.index["event_time"].to_numpy(dtype=np.float64)
    cohort = block.index["cohort"].map(str).to_numpy()
    last = pd.Series(event_time).groupby(cohort).transform("max").to_numpy()
    return np.asarray((last >= balance) & (event_time <= balance))
