"""By how much, or by what share, did treatment change a mean with zeros in it, as earnings have?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from prakerja_eval.did.cells import (
    ONE_UNIT,
    CellRows,
    any_column,
    cell_labels,
    cells_estimate,
    only_units,
    treated_from,
)
from prakerja_eval.did.design import Design, read_design
from prakerja_eval.did.imputation import Asked, anticipated, asked_cells
from prakerja_eval.did.kernel_poisson import (
    CohortMeans,
    Compared,
    Counterfactual,
    cohort_means,
    compare,
    counterfactual,
    in_levels,
    in_percent,
)
from prakerja_eval.errors import NotEstimableError, SeparationError, UsageError
from prakerja_eval.estimate import Estimate, join
from prakerja_eval.estimate.specs import one_of
from prakerja_eval.panel import (
    ArrayRequest,
    MomentPlan,
    Moments,
    PanelProtocol,
    adoption_label,
    wave_scale,
)
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

Scale: TypeAlias = Literal["levels", "percent"]
Rows: TypeAlias = Literal["cells", "event_times", "cohorts", "waves", "overall"]
NO_VARIANCE = "the outcome is zero for all the treated: no variance"


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    """Moments, the cells asked for (``cohort``: their rows in the groups), and the means."""

    moments: Moments
    start: FloatArray
    asked: Asked
    cohort: IntArray
    free: BoolArray
    means: CohortMeans
    found: Counterfactual


@dataclass(frozen=True, slots=True, eq=False)
class _Average:
    """One row: its labels, and which cells it averages."""

    labels: dict[str, object]
    picked: BoolArray


def poisson(
    panel: PanelProtocol,
    outcome: str | Sequence[str],
    design: Design | None = None,
    *,
    scale: Scale = "levels",
    rows: Rows = "cells",
) -> Estimate:
    """Estimate effects on a mean of zero or more, if untreated means move in proportion.

    Parallel trends hold in ratios: without treatment every cohort's mean would have grown by the
    same factor from wave to wave, E[Y_it(∞) | cohort g] = exp(α_g + λ_t). Fitted by Poisson
    pseudo-likelihood on the untreated cohort-by-wave means (before treatment, and of the never
    treated); nothing else about the distribution is assumed, and zeros count as what they are.

    Parameters
    ----------
    panel : Panel
        With Roles ``cohort`` (first treated wave, 0 for never) or ``received``. An unbalanced panel
        counts as cohort-by-wave means: each wave's mean is that of the people seen in it.
    outcome : str or sequence of str
        Numeric columns, zero or more.
    design : Design, optional
        ``anticipation`` alone is read.
    scale : {"levels", "percent"}
        Observed mean less counterfactual mean, or that in percent of the counterfactual mean.
    rows : {"cells", "event_times", "cohorts", "waves", "overall"}
        What a row averages over. Observed and counterfactual means are averaged, weighted by
        the sizes of cohorts (estimated, with their influence), before they are compared: a percent
        of an average, not the average of percents, which cells of a small mean would rule.
        "overall" and "waves" average from the start of treatment on.

    Returns
    -------
    Estimate
        One row an outcome and cell or average; ``estimand`` "ATT" or "ATT in percent";
        ``comparison_mean`` is the counterfactual mean. A cell that the untreated means do not
        determine is NaN with its reason in ``status``. The variance sums ψ squared over units,
        normal quantiles.

    Raises
    ------
    UsageError
        If no cohort is seen both before and after its start, or for an option that means nothing.
    NotEstimableError
        If an outcome is negative, or all untreated outcomes of a cohort or a wave are zero.

    References
    ----------
    Wooldridge (2023), doi 10.1093/ectj/utad016; Chen and Roth (2024), doi 10.1093/qje/qjad054.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("aabbccdd"), "t": [1, 2] * 4, "g": [2] * 4 + [0] * 4,
    ...                       "income": [10, 30, 10, 30, 20, 40, 0, 0]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", wave="t", cohort="g"))
    >>> pe.did.poisson(panel, "income", scale="percent").theta.round(6).tolist()
    [50.0]
    """
    design = read_design(design, "did.poisson", "anticipation")
    one_of(scale, Scale, "did.poisson(scale)")
    one_of(rows, Rows, "did.poisson(rows)")
    names = [outcome] if isinstance(outcome, str) else list(outcome)
    return join(*(_estimate(panel, name, design, scale, rows) for name in names))


def _estimate(
    panel: PanelProtocol, outcome: str, design: Design, scale: Scale, rows: Rows
) -> Estimate:
    """Estimate one outcome."""
    _refuse_negative(panel, outcome)
    fitted = _fit(panel.moments(MomentPlan(outcome, cohorts=True)), design)
    averages = [a for a in _averages(fitted, rows) if a.picked.any()]
    if not averages:
        raise UsageError("no cell from the start of treatment on is left to average.")
    picked = np.column_stack([a.picked for a in averages])
    about = (fitted.cohort, fitted.asked.wave)
    cells, moments = fitted.moments.cells, fitted.moments
    compared = compare(cells, fitted.means, fitted.found, about, picked)
    loadings = in_levels(compared) if scale == "levels" else in_percent(compared)
    influence = moments.influence(loadings)
    status = [_status(fitted, compared, r, picked[:, r], scale) for r in range(len(averages))]
    psi = influence.psi
    psi[:, [s == NO_VARIANCE for s in status]] = np.nan
    shared = {
        "estimator": "did.poisson",
        "estimand": "ATT" if scale == "levels" else "ATT in percent",
        "population": "treated people",
        "outcome": outcome,
        "weighting": "treated people",
        "specification": _specification(fitted.asked, design),
    }
    labels = [shared | a.labels for a in averages]
    n = influence.sample.sum(axis=0)
    counts = [
        {"n": int(n[r]), "n_treated": n1, "n_comparison": int(n[r]) - n1, "comparison_mean": mean}
        for r, (n1, mean) in enumerate(
            zip(_people(fitted, picked), compared.counterfactual.theta, strict=True)
        )
    ]
    units = influence.units
    if scale == "levels":  # without cohorts of units the shared averages refuse to average percents
        unit_start = np.append(fitted.start, np.nan)[influence.group]
        units = units.assign(treated_from=treated_from(unit_start, moments.waves))
    found = CellRows(loadings.theta, psi, influence.sample, status)
    return only_units(cells_estimate(found, units, labels, counts), any_column(influence.sample))


def _refuse_negative(panel: PanelProtocol, outcome: str) -> None:
    arrays = panel.arrays(ArrayRequest(outcome))
    below = int((arrays.outcome[arrays.weight > 0] < 0).sum())
    if below:
        raise NotEstimableError(
            f"{outcome!r} is negative in {below} observations, and did.poisson compares means of "
            "zero or more in ratios: use did.group_time or did.imputation, or mend the values."
        )


def _fit(moments: Moments, design: Design) -> _Fitted:
    """Fit the untreated means."""
    start = moments.groups["start"].to_numpy(dtype=np.float64)
    asked = asked_cells(start, moments.waves, design)
    means = cohort_means(moments.cells, len(start))
    cohort = np.searchsorted(start, asked.start)
    free = (wave_scale(moments.waves) < start[:, None] - design.anticipation) & (means.weight > 0)
    try:
        found = counterfactual(moments.cells, means, free, cohort, asked.wave)
    except SeparationError as error:
        g, t = error.column, error.column - len(start)
        whose = f"wave {moments.waves[t]}" if t >= 0 else _cohort_name(float(start[g]), moments)
        raise NotEstimableError(
            f"untreated means of zero leave no ratio for {whose}: leave it out of the panel, or "
            "join it with another."
        ) from error
    return _Fitted(moments, start, asked, cohort, free, means, found)


def _cohort_name(start: float, moments: Moments) -> str:
    if not np.isfinite(start):
        return "the never treated"
    return f"cohort {adoption_label(start, moments.waves)}"


def _averages(fitted: _Fitted, rows: Rows) -> list[_Average]:
    """Return the rows: which cells they average, and how they are called."""
    asked, waves = fitted.asked, fitted.moments.waves
    started = asked.event_time >= 0
    cells = [
        cell_labels(float(g), waves[int(t)], float(event), waves)
        for g, t, event in zip(asked.start, asked.wave, asked.event_time, strict=True)
    ]
    if rows == "cells":
        each = np.eye(len(cells), dtype=bool)
        return [_Average(labels, one) for labels, one in zip(cells, each, strict=True)]
    if rows == "overall":
        return [_Average({}, started)]
    if rows == "event_times":
        times = np.unique(asked.event_time)
        return [_Average({"event_time": float(e)}, asked.event_time == e) for e in times]
    if rows == "cohorts":
        cohorts = np.unique(asked.start[started])
        names = [cells[int(np.argmax(asked.start == g))]["cohort"] for g in cohorts]
        return [
            _Average({"population": f"cohort {name}", "cohort": name}, started & (asked.start == g))
            for name, g in zip(names, cohorts, strict=True)
        ]
    return [
        _Average({"wave": waves[int(t)]}, started & (asked.wave == t))
        for t in np.unique(asked.wave[started])
    ]


def _people(fitted: _Fitted, picked: BoolArray) -> list[int]:
    """Return how many treated people each row averages, (R,)."""
    cells = fitted.moments.cells
    seen = np.isfinite(cells.mean[:, fitted.asked.wave])
    seen &= cells.group[:, None] == fitted.cohort
    return [int(n) for n in cells.n @ (seen.astype(int) @ picked.astype(int) > 0)]


def _status(fitted: _Fitted, compared: Compared, r: int, picked: BoolArray, scale: Scale) -> str:
    """Say why a row has no number, or no variance."""
    waves, alone = fitted.moments.waves, False
    for k in np.flatnonzero(picked):
        g, t = fitted.cohort[k], int(fitted.asked.wave[k])
        name = _cohort_name(float(fitted.start[g]), fitted.moments)
        if not fitted.means.n[g, t] > 0:
            return f"nobody of {name} is seen in wave {waves[t]}"
        if np.isnan(fitted.found.mean[k]):
            return f"no untreated means link {name} with wave {waves[t]}"
        behind = fitted.means.n * fitted.free
        alone |= min(fitted.means.n[g, t], behind[g].sum(), behind[:, t].sum()) < 2
    if alone:
        return ONE_UNIT
    if scale == "percent" and compared.observed.theta[r] == 0:
        return NO_VARIANCE
    return "ok"


def _specification(asked: Asked, design: Design) -> str:
    """Return the design in words, with what it leaves out."""
    words = f"Poisson, cohort and wave effects of untreated means{anticipated(design)}"
    return f"{words}; left out: {'; '.join(asked.left_out)}" if asked.left_out else words
