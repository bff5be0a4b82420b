"""Did untreated outcomes move ahead of treatment, beyond unit and wave effects?"""

import numpy as np

from prakerja_eval.did.cells import (
    ONE_UNIT,
    CellRows,
    any_column,
    cells_estimate,
    only_units,
    treated_from,
)
from prakerja_eval.did.design import Design, read_design
from prakerja_eval.did.imputation import anticipated
from prakerja_eval.did.kernel_imputation import lead_effects
from prakerja_eval.errors import CollinearityError, NotEstimableError, UsageError
from prakerja_eval.estimate import Estimate
from prakerja_eval.numerics.moments import Loadings
from prakerja_eval.panel import MomentPlan, Moments, PanelProtocol, wave_scale
from prakerja_eval.typing import BoolArray, FloatArray


def imputation_pretrend(
    panel: PanelProtocol,
    outcome: str,
    design: Design | None = None,
    *,
    leads: int,
) -> Estimate:
    """Estimate how untreated outcomes moved ahead of treatment, in a regression of their own.

    Untreated observations alone are regressed on unit and wave effects and on indicators of the
    last event times before treatment: the pre-trend test of Borusyak, Jaravel and Spiess, which no
    effect of treatment touches. Earlier event times, with the never treated, are the reference.

    Parameters
    ----------
    panel, outcome, design
        As in ``imputation``, without covariates.
    leads : int
        How many event times, counted back from the last before treatment (and its anticipation).

    Returns
    -------
    Estimate
        One row a lead, estimand "pre-trend"; ``pe.wald(e)`` tests them all.

    Raises
    ------
    NotEstimableError
        If there are no earlier observations that leads can be compared with.
    """
    design = read_design(design, "did.imputation_pretrend", "anticipation")
    if isinstance(leads, bool) or not isinstance(leads, int) or leads < 1:
        raise UsageError(f"leads={leads!r} must be a whole number, 1 or more.")
    moments = panel.moments(MomentPlan(outcome, cohorts=True))
    start = moments.groups["start"].to_numpy(dtype=np.float64)
    event = wave_scale(moments.waves) - start[moments.cells.group][:, None]
    free = np.isfinite(moments.cells.mean) & (event < -design.anticipation)
    times = np.unique(event[free & np.isfinite(event)])[::-1][:leads]
    if len(times) < leads:
        raise NotEstimableError(f"{leads} leads were asked for; the panel has {len(times)}.")
    lead = (event[:, :, None] == times) & free[:, :, None]
    found = _fit(moments, free, lead, times)
    rows = moments.influence(found)
    n_lead = moments.cells.n @ lead.any(axis=1)
    specification = f"{leads} leads, untreated observations{anticipated(design)}"
    labels = [_labels(outcome, float(time), specification) for time in times]
    counts = [
        {"n": int(n), "n_treated": int(n1), "n_comparison": int(n - n1)}
        for n, n1 in zip(rows.sample.sum(axis=0), n_lead, strict=True)
    ]
    status = [ONE_UNIT if n == 1 else "ok" for n in n_lead]
    unit_start = np.append(start, np.nan)[rows.group]
    units = rows.units.assign(treated_from=treated_from(unit_start, moments.waves))
    cells = CellRows(found.theta, rows.psi, rows.sample, status)
    return only_units(cells_estimate(cells, units, labels, counts), any_column(rows.sample))


def _fit(moments: Moments, free: BoolArray, lead: BoolArray, times: FloatArray) -> Loadings:
    """Call the kernel; say what to do when the leads are not identified."""
    try:
        return lead_effects(moments.cells, free, lead)
    except CollinearityError as error:
        raise NotEstimableError(
            f"the {len(times)} leads, from {times[-1]:g} to {times[0]:g}, leave too few earlier or "
            "never treated observations to be compared with: ask for fewer leads."
        ) from error


def _labels(outcome: str, event_time: float, specification: str) -> dict[str, object]:
    return {
        "estimator": "did.imputation",
        "estimand": "pre-trend",
        "population": "treated people",
        "outcome": outcome,
        "event_time": event_time,
        "weighting": "treated people",
        "specification": specification,
    }
