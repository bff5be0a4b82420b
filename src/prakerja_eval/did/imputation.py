"""What did treatment do to each cohort in each wave, against outcomes imputed for them?"""

from collections.abc import Sequence
from dataclasses import dataclass

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
from prakerja_eval.did.design import Design, read_design
from prakerja_eval.did.kernel_imputation import impute
from prakerja_eval.did.kernel_imputation_given import impute_given
from prakerja_eval.errors import CollinearityError, NotEstimableError, UsageError
from prakerja_eval.estimate import Estimate, join
from prakerja_eval.panel import (
    ArrayRequest,
    MomentPlan,
    PanelProtocol,
    WaveLabel,
    adoption,
    adoption_label,
    wave_scale,
)
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """The cells to impute, K of them, on the event scale, and cohorts that have none.

    Attributes
    ----------
    start : (K,) array
    wave : (K,) int array
        Position of the wave.
    event_time : (K,) array
    left_out : tuple of str
        Cohorts, or waves of theirs, that the design cannot identify.
    """

    start: FloatArray
    wave: IntArray
    event_time: FloatArray
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What a kernel found: rows, people averaged, untreated people beyond coefficients, means."""

    rows: CellRows
    n_treated: IntArray
    n_wave: IntArray
    after: FloatArray


def imputation(
    panel: PanelProtocol, outcome: str | Sequence[str], design: Design | None = None
) -> Estimate:
    """Estimate effects by cohort and wave against imputed untreated outcomes.

    The estimand of a cell is E[Y_t(g) − Y_t(∞) | first treated at g] among the people whose
    untreated outcome can be imputed: those seen in the wave and in one before treatment. Unit and
    wave effects, Y_it(∞) = α_i + λ_t (+ x_i'δ_t), are fitted by least squares on all untreated
    observations, those before treatment and those of the never treated.

    Parameters
    ----------
    panel : Panel
        With Roles ``cohort`` (first treated wave, 0 for never) or ``received``; unbalanced or not.
    outcome : str or sequence of str
        Numeric columns.
    design : Design, optional
        ``covariates`` (read at the baseline) let trends differ by them; waves from ``anticipation``
        before the start on count as treated. Other options mean nothing here and are refused.

    Returns
    -------
    Estimate
        One row an outcome, cohort and wave from ``anticipation`` before the start on. A cell that
        cannot be imputed is NaN with its reason in ``status``; cohorts always treated, and waves in
        which nobody is left untreated, are named in ``specification``. The variance sums ψ squared
        over units, normal quantiles: of a cell, or of cells averaged with ``shares="fixed"``, this
        is the conditional, conservative one of Borusyak, Jaravel and Spiess with residuals about
        cohort-by-wave averages; ``shares="drawn"`` adds the sampling of cohort shares.

    Raises
    ------
    UsageError
        If no cohort is seen both before and after its start, or for an option that means nothing.
    NotEstimableError
        If a covariate does not vary enough among the untreated of a wave.

    References
    ----------
    Borusyak, Jaravel and Spiess (2024), doi 10.1093/restud/rdae007.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("aaabbbcccddd"), "t": [1, 2, 3] * 4,
    ...                       "g": [3] * 6 + [0] * 6,
    ...                       "income": [1, 2, 5, 2, 3, 6, 1, 2, 2, 3, 4, 4]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", wave="t", cohort="g"))
    >>> pe.did.imputation(panel, "income").theta.round(9).tolist()
    [3.0]
    """
    design = read_design(design, "did.imputation", "covariates", "anticipation")
    names = [outcome] if isinstance(outcome, str) else list(outcome)
    verb = _given if design.covariates else _by_means
    return join(*(verb(panel, name, design) for name in names))


def _by_means(panel: PanelProtocol, outcome: str, design: Design) -> Estimate:
    """Impute without covariates, from the panel's moments."""
    moments = panel.moments(MomentPlan(outcome, cohorts=True))
    start = moments.groups["start"].to_numpy(dtype=np.float64)
    asked = asked_cells(start, moments.waves, design)
    cells, cell_start = moments.cells, start[moments.cells.group]
    free = _untreated(np.isfinite(cells.mean), cell_start, moments.waves, design)
    found = impute(cells, free, cell_start[:, None] == asked.start, asked.wave)
    rows = moments.influence(found.loadings)
    result = _Found(
        CellRows(found.loadings.theta, rows.psi, rows.sample, ()),
        found.n_treated,
        found.n_wave,
        found.after,
    )
    unit_start = np.append(start, np.nan)[rows.group]
    units = rows.units.assign(treated_from=treated_from(unit_start, moments.waves))
    return _estimate(result, units, asked, (outcome, moments.waves, design))


def _given(panel: PanelProtocol, outcome: str, design: Design) -> Estimate:
    """Impute given covariates, from rows of units."""
    arrays = panel.arrays(ArrayRequest(outcome, design.covariates, cohorts=True))
    known = adoption(arrays, panel.roles)
    keep = np.flatnonzero((arrays.weight > 0) & ~np.isnan(known.start))
    start, y = known.start[keep], arrays.outcome[keep]
    asked = asked_cells(np.unique(start), known.waves, design)
    free = _untreated(np.isfinite(y), start, known.waves, design)
    member = start[:, None] == asked.start
    try:
        found = impute_given(
            y, arrays.covariates[keep], free, member, asked.wave, arrays.weight[keep]
        )
    except CollinearityError as error:
        t, j = divmod(error.column, len(arrays.names))
        raise NotEstimableError(
            f"among people untreated in wave {known.waves[t]} the covariate {arrays.names[j]!r} is "
            "constant, or a combination of those before it: leave it out."
        ) from error
    result = _Found(
        CellRows(found.theta, found.psi, found.used, ()),
        found.n_treated,
        found.n_wave - len(arrays.names),
        found.after,
    )
    units = arrays.clusters.iloc[keep].assign(treated_from=treated_from(start, known.waves))
    return _estimate(result, units, asked, (outcome, known.waves, design))


def asked_cells(start: FloatArray, waves: Sequence[WaveLabel], design: Design) -> Asked:
    """Return the treated cohorts' waves, from ``anticipation`` before the start on.

    Raises
    ------
    UsageError
        If no cohort has waves both before and after.
    """
    times = wave_scale(waves)
    last = float(np.max(start, initial=-np.inf, where=~np.isnan(start))) - design.anticipation
    pairs: list[tuple[float, int]] = []
    left_out = []
    for g in np.unique(start[np.isfinite(start)]):
        name = f"cohort {adoption_label(float(g), waves)}"
        treated = np.flatnonzero(times >= g - design.anticipation)
        alone = [str(waves[int(t)]) for t in treated if times[t] >= last]
        if len(treated) == len(times):
            left_out.append(f"{name} (no wave before treatment and its anticipation)")
            continue
        if alone:
            left_out.append(f"{name} in {', '.join(alone)} (nobody left untreated to compare with)")
        pairs += [(float(g), int(t)) for t in treated if times[t] < last]
    if not pairs:
        raise UsageError(
            "no cohort has waves both before its treatment (and anticipation) and after it while "
            "others are untreated: there is nothing to impute. Look at Roles(cohort=...)."
        )
    starts = np.array([g for g, _ in pairs])
    wave = np.array([t for _, t in pairs], dtype=np.int64)
    return Asked(starts, wave, times[wave] - starts, tuple(left_out))


def _untreated(
    seen: BoolArray, start: FloatArray, waves: Sequence[WaveLabel], design: Design
) -> BoolArray:
    """Say which observations are untreated and before anticipation: the paper's Omega_0."""
    return np.asarray(seen & (wave_scale(waves) < start[:, None] - design.anticipation))


def _estimate(
    found: _Found,
    units: pd.DataFrame,
    asked: Asked,
    about: tuple[str, Sequence[WaveLabel], Design],
) -> Estimate:
    """Label the cells."""
    outcome, waves, design = about
    specification = _specification(asked, design)
    labels, counts, status = [], [], []
    for k, (g, t, event) in enumerate(zip(asked.start, asked.wave, asked.event_time, strict=True)):
        labels.append(
            cell_labels(float(g), waves[t], float(event), waves)
            | {
                "estimator": "did.imputation",
                "estimand": "ATT",
                "outcome": outcome,
                "specification": specification,
            }
        )
        n, n1 = int(found.rows.sample[:, k].sum()), int(found.n_treated[k])
        mean = float(found.after[k] - found.rows.theta[k])
        counts.append({"n": n, "n_treated": n1, "n_comparison": n - n1, "comparison_mean": mean})
        status.append(_status(found, k, waves[t]))
    rows = CellRows(found.rows.theta, found.rows.psi, found.rows.sample, status)
    return only_units(
        cells_estimate(rows, units, labels, counts), members(rows.sample, units, labels)
    )


def _status(found: _Found, k: int, wave: WaveLabel) -> str:
    """Say why a cell has no number, or no variance."""
    if np.isnan(found.rows.theta[k]):
        if not found.n_wave[k] > 0:
            return f"nobody is untreated in wave {wave} and in another: it cannot be imputed"
        return (
            f"nobody of the cohort seen in wave {wave} was seen untreated in a wave that untreated "
            "people link to it"
        )
    if min(found.n_treated[k], found.n_wave[k]) < 2:
        return ONE_UNIT
    clear_rounding(found.rows.psi[:, k], abs(found.after[k]) + abs(found.rows.theta[k]))
    return "ok"


def _specification(asked: Asked, design: Design) -> str:
    """Return the design in words, with what it leaves out."""
    words = "unit and wave effects of untreated observations"
    if design.covariates:
        words += f", trends given {', '.join(design.covariates)}"
    words += anticipated(design)
    return f"{words}; left out: {'; '.join(asked.left_out)}" if asked.left_out else words


def anticipated(design: Design) -> str:
    """Return the anticipation in words, or nothing."""
    return f", anticipation {design.anticipation:g}" if design.anticipation else ""
