"""What did treatment do to each cohort in each wave?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from prakerja_eval.did.cells import (
    ONE_UNIT,
    CellRows,
    cell_labels,
    cells_estimate,
    clear_rounding,
    members,
    only_units,
    treated_from,
)
from prakerja_eval.did.design import Design
from prakerja_eval.did.given import FoundCells, given_covariates
from prakerja_eval.did.histories import say_histories
from prakerja_eval.did.kernel_means import MeanComparisons, mean_effects
from prakerja_eval.did.plan import Cell, Plan, plan
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate import Estimate, join
from prakerja_eval.estimate.estimate import REFERENCE
from prakerja_eval.estimate.specs import instance_of
from prakerja_eval.panel import (
    ArrayRequest,
    MomentPlan,
    Moments,
    PanelProtocol,
    WaveLabel,
    adoption,
    adoption_label,
    wave_scale,
)
from prakerja_eval.typing import FloatArray

WORDS = {"never_treated": "never treated", "not_yet_treated": "not yet treated"}


def group_time(
    panel: PanelProtocol,
    outcome: str | Sequence[str],
    design: Design | None = None,
    *,
    without: Sequence[WaveLabel] = (),
) -> Estimate:
    """Estimate the average effect on each cohort in each wave, ATT(g, t).

    The estimand of a cell is E[Y_t(g) − Y_t(∞) | first treated at g], under parallel trends between
    cohort g and its comparison group, given covariates; before treatment it is a placebo, zero if
    trends were parallel then.

    Parameters
    ----------
    panel : Panel
        With Roles ``cohort`` (first treated wave, 0 for never) or ``received``.
    outcome : str or sequence of str
        Numeric columns.
    design : Design, optional
        Left out: never treated, varying base, no covariates.
    without : sequence of cohort labels
        Cohorts whose units are left out altogether.

    Returns
    -------
    Estimate
        One row an outcome, cohort and wave. ``estimand`` is "ATT" from ``anticipation`` before the
        start on and "pre-trend" earlier; a universal base's own wave is zero with the status
        "reference". A cell that cannot be estimated is NaN with its reason in ``status``; cohorts
        and waves that the design cannot identify are named in ``specification``. The variance sums
        ψ squared over units, normal quantiles. ``comparison_mean`` is the mean that the treated
        would have had. ``units.treated_from`` is each unit's cohort.

    Raises
    ------
    UsageError
        If nobody is treated after the first wave, or nobody is left to compare with.
    NotEstimableError
        If no cell at all can be estimated.

    References
    ----------
    Callaway and Sant'Anna (2021), doi 10.1016/j.jeconom.2020.12.001; Sant'Anna and Zhao (2020), doi
    10.1016/j.jeconom.2020.06.003.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("aaabbbcccddd"), "t": [1, 2, 3] * 4,
    ...                       "g": [2] * 6 + [0] * 6,
    ...                       "income": [1.0, 4, 5, 2, 5, 6, 1, 2, 2, 3, 4, 4]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", wave="t", cohort="g"))
    >>> pe.did.group_time(panel, "income").theta.tolist()
    [2.0, 3.0]
    """
    design = Design() if design is None else design
    instance_of(design, Design, "design")
    names = [outcome] if isinstance(outcome, str) else list(outcome)
    verb = _given if design.covariates else _by_means
    cells = join(*(verb(panel, name, design, tuple(without)) for name in names))
    return say_histories(panel, cells, design)


def _by_means(
    panel: PanelProtocol, outcome: str, design: Design, without: tuple[WaveLabel, ...]
) -> Estimate:
    """Estimate without covariates, from the panel's moments."""
    moments = panel.moments(MomentPlan(outcome, cohorts=True))
    start = moments.groups["start"].to_numpy(float)
    weighed = np.isin(np.arange(len(start)), moments.cells.group)
    start = _leave_out(np.where(weighed, start, np.nan), moments.waves, without)
    planned = plan(start, wave_scale(moments.waves), moments.waves, design)
    effects = mean_effects(moments.cells, _comparisons(moments, start, planned, design))
    rows = moments.influence(effects.loadings)
    found = FoundCells(
        effects.loadings.theta,
        rows.psi,
        rows.sample,
        effects.n_treated,
        effects.n_comparison,
        effects.smallest,
        effects.after,
        ["ok"] * len(planned.cells),
    )
    unit_start = np.append(start, np.nan)[rows.group]
    return _estimate(
        found, rows.units, unit_start, (outcome, moments.waves), (planned, design, without)
    )


def _comparisons(
    moments: Moments, start: FloatArray, planned: Plan, design: Design
) -> MeanComparisons:
    """Write the planned cells as arms among the moments' cells."""
    cell_start = start[moments.cells.group]
    cells = planned.cells
    return MeanComparisons(
        np.array([cell_start == c.start for c in cells]),
        np.array([c.compared(cell_start) for c in cells]),
        np.array([c.wave for c in cells]),
        np.array([c.base for c in cells]),
        paired=design.data == "panel",
    )


def _given(
    panel: PanelProtocol, outcome: str, design: Design, without: tuple[WaveLabel, ...]
) -> Estimate:
    """Estimate given covariates, from rows of units."""
    at_baseline = design.covariates if design.covariates_at == "baseline" else ()
    arrays = panel.arrays(ArrayRequest(outcome, at_baseline, cohorts=True))
    known = adoption(arrays, panel.roles)
    seen = np.where(arrays.weight > 0, known.start, np.nan)
    start = _leave_out(seen, known.waves, without)
    planned = plan(start, known.times, known.waves, design)
    found = given_covariates(panel, arrays, start, planned.cells, design)
    return _estimate(
        found, arrays.clusters, start, (outcome, known.waves), (planned, design, without)
    )


def _leave_out(
    start: FloatArray, waves: Sequence[WaveLabel], without: tuple[WaveLabel, ...]
) -> FloatArray:
    """Return starts with NaN for cohorts that are left out."""
    cohorts = {adoption_label(float(g), waves): g for g in np.unique(start[np.isfinite(start)])}
    unknown = [g for g in without if g not in cohorts]
    if unknown:
        known = ", ".join(map(repr, cohorts))
        raise UsageError(f"without={unknown!r} names no cohort of the panel; there are {known}.")
    gone = np.isin(start, [cohorts[g] for g in without])
    return np.where(gone, np.nan, start)


def _estimate(
    found: FoundCells,
    units: pd.DataFrame,
    start: FloatArray,
    about: tuple[str, Sequence[WaveLabel]],
    chosen: tuple[Plan, Design, tuple[WaveLabel, ...]],
) -> Estimate:
    """Label the cells."""
    (outcome, waves), (planned, design, without) = about, chosen
    specification = _specification(planned, waves, design)
    if without:
        specification += f"; without cohort {', '.join(map(str, without))}"
    labels, counts, status = [], [], []
    for k, cell in enumerate(planned.cells):
        before = cell.event_time < -design.anticipation
        labels.append(
            cell_labels(cell.start, waves[cell.wave], cell.event_time, waves)
            | {
                "estimator": "did.group_time",
                "estimand": "pre-trend" if before else "ATT",
                "outcome": outcome,
                "specification": specification,
            }
        )
        n1, n0 = int(found.n_treated[k]), int(found.n_comparison[k])
        mean = float(found.after[k] - found.theta[k])
        counts.append({"n": n1 + n0, "n_treated": n1, "n_comparison": n0, "comparison_mean": mean})
        status.append(_status(found, k, cell, (n1, n0)))
    _refuse_nothing(found, planned, status, design)
    units = units.assign(treated_from=treated_from(start, waves))
    rows = CellRows(found.theta, found.psi, found.sample, status)
    return only_units(
        cells_estimate(rows, units, labels, counts), members(found.sample, units, labels)
    )


def _refuse_nothing(found: FoundCells, planned: Plan, status: list[str], design: Design) -> None:
    """Refuse where no cell has a number: there is nothing to put in a table."""
    real = [k for k, cell in enumerate(planned.cells) if not cell.reference]
    if not np.isnan(found.theta[real]).all():
        return
    unseen = design.data == "panel" and not found.sample.any()
    hint = " For repeated cross-sections use did.Design(data='cross_sections')." if unseen else ""
    raise NotEstimableError(f"no cell can be estimated: {status[real[0]]}.{hint}")


def _status(found: FoundCells, k: int, cell: Cell, arms: tuple[int, int]) -> str:
    """Say why a cell has no number, or no variance."""
    if cell.reference:
        return REFERENCE
    if found.status[k] != "ok" and np.isnan(found.theta[k]):
        return found.status[k]
    for n, name in zip(arms, ("treated", "comparison"), strict=True):
        if n == 0:
            return f"no {name} unit of this cell is seen in the wave and in the period before"
    if found.smallest[k] < 2:
        return ONE_UNIT
    clear_rounding(found.psi[:, k], abs(found.after[k]) + abs(found.theta[k]))
    return found.status[k]


def _specification(planned: Plan, waves: Sequence[WaveLabel], design: Design) -> str:
    """Return the design in words, with what it leaves out."""
    given = f"{design.method} given {', '.join(design.covariates)}"
    parts = [
        given if design.covariates else "unconditional",
        WORDS[design.comparison],
        f"base {design.base_period}",
    ]
    if design.anticipation:
        parts.append(f"anticipation {design.anticipation:g}")
    if design.covariates and design.covariates_at == "base_period":
        parts.append("covariates at the base")
    if design.data == "cross_sections":
        parts.append("cross-sections")
    gaps = np.diff(wave_scale(waves))
    if len(set(gaps.tolist())) > 1:
        parts.append("waves at unequal distances")
    words = ", ".join(parts)
    return f"{words}; left out: {'; '.join(planned.left_out)}" if planned.left_out else words
