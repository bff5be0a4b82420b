"""Did the treated change more than the comparison group, from one period to another?"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from prakerja_eval.did.design import Design, read_design
from prakerja_eval.did.methods import fit_changes
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate import Clustered, Estimate, estimate_row, join
from prakerja_eval.panel import (
    Arms,
    ArrayRequest,
    PanelProtocol,
    UnitArrays,
    WaveLabel,
    outcome_waves,
    treated_units,
    wave_position,
    wave_times,
)
from prakerja_eval.typing import BoolArray, FloatArray

ROUNDING = 1e-14


def two_by_two(
    panel: PanelProtocol,
    outcome: str | Sequence[str],
    design: Design | None = None,
    *,
    base: WaveLabel | None = None,
    waves: Sequence[WaveLabel] | None = None,
) -> Estimate:
    """Estimate the effect on the treated by two-period difference-in-differences.

    The estimand is E[Y_t(1) − Y_t(0) | treated], under parallel trends between the treated and the
    never treated, given the covariates. A wave before treatment is a placebo: its effect is zero
    if trends were parallel then.

    Parameters
    ----------
    panel : Panel
        With Roles ``cohort`` (0 for never; one treated cohort) or, without it, ``received`` (a
        unit is treated if it ever received the programme; people lost before treatment began,
        whose receipt was never seen, are left out).
    outcome : str or sequence of str
        Numeric columns.
    design : Design, optional
        Left out: doubly robust without covariates, which is the unconditional estimator. Covariates
        that vary over waves are read at ``base``.
    base : wave, optional
        The period before; left out, the panel's baseline.
    waves : sequence, optional
        The periods after; left out, every wave after ``base``.

    Returns
    -------
    Estimate
        One row an outcome and wave, on the units observed in both periods; a wave before treatment
        (a placebo) has its negative ``event_time``; the variance sums ψ
        squared over units, normal quantiles. ``comparison_mean`` is the mean that the treated
        would have had: their mean less the effect.

    Raises
    ------
    UsageError
        If there is no base period, several treated cohorts, or a base period in which the treated
        were already treated.
    NotEstimableError
        If a group is empty, the covariates separate the groups, or they are collinear.

    References
    ----------
    Sant'Anna and Zhao (2020), doi 10.1016/j.jeconom.2020.06.003.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("aabbccdd"), "t": [1, 2] * 4,
    ...                       "g": [2, 2, 2, 2, 0, 0, 0, 0],
    ...                       "income": [1.0, 4.0, 2.0, 5.0, 1.0, 2.0, 3.0, 4.0]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", wave="t", cohort="g", baseline=1))
    >>> float(pe.did.two_by_two(panel, "income").theta[0])
    2.0
    """
    design = read_design(design, "two_by_two", "method", "covariates")
    period = panel.roles.baseline if base is None else base
    if period is None:
        raise UsageError("two_by_two needs the period before: base=..., or Roles(baseline=...).")
    rows: list[Estimate] = []
    for name in [outcome] if isinstance(outcome, str) else outcome:
        arrays = panel.arrays(ArrayRequest(name, design.covariates, covariate_wave=period))
        before = wave_position(arrays, period)
        after = outcome_waves(arrays, replace(panel.roles, baseline=period), waves)
        _refuse_backwards(arrays, before, min(after))
        arms = treated_units(arrays, panel.roles)
        _refuse_treated_base(arrays, arms.treated, before)
        rows += [_row(arrays, arms, name, before, t, design) for t in after]
    return join(*rows)


def _refuse_backwards(arrays: UnitArrays, before: int, after: int) -> None:
    """Refuse an outcome wave that does not come after the base."""
    if after <= before:
        raise UsageError(
            f"the outcome wave {arrays.waves[after]} does not come after the base "
            f"{arrays.waves[before]}; name the earlier one as base: a change is read forwards."
        )


def _refuse_treated_base(arrays: UnitArrays, treated: BoolArray, before: int) -> None:
    """Refuse a period before which is no period before: the change from it is no effect."""
    base = arrays.waves[before]
    cohort = arrays.cohort[treated]
    if np.isfinite(cohort).any():
        times = wave_times(arrays.waves)
        late = times is not None and bool((cohort <= times[before]).any())
    else:
        late = bool((arrays.received[treated, before] == 1).any())
    if late:
        raise UsageError(
            f"in the base period {base} the treated are already treated; choose an earlier base. "
            "(Received is 1 only from the wave of treatment on; a flag that is 1 in all waves "
            "needs Roles(cohort=...) to say when treatment began.)"
        )


def _row(
    arrays: UnitArrays,
    arms: Arms,
    outcome: str,
    before: int,
    after: int,
    design: Design,
) -> Estimate:
    """Estimate one outcome and wave on the units seen in both periods."""
    change = arrays.outcome[:, after] - arrays.outcome[:, before]
    keep = np.flatnonzero(np.isfinite(change) & (arrays.weight > 0) & arms.known)
    d = arms.treated[keep].astype(np.float64)
    wave, base = arrays.waves[after], arrays.waves[before]
    n_treated = int(d.sum())
    _refuse_empty(n_treated, len(keep), f"{outcome!r} in both {base} and {wave}")
    w = arrays.weight[keep]
    given = (arrays.covariates[keep], arrays.names)
    fit = fit_changes(design.method, change[keep, None], d, given, w)
    att = float(fit.att[0])
    psi, status = _known_influence(fit.psi[:, 0], d, arrays.outcome[keep][:, [before, after]])
    observed = w * d @ arrays.outcome[keep, after] / (w @ d)
    labels = {
        "estimator": "did.two_by_two",
        "estimand": "ATT",
        "population": "treated people",
        "outcome": outcome,
        "wave": wave,
        "event_time": arms.lead(arrays, wave),
        "weighting": "treated people",
        "specification": _specification(design, base),
    }
    counts = {
        "n": len(keep),
        "n_treated": n_treated,
        "n_comparison": len(keep) - n_treated,
        "comparison_mean": float(observed) - att,
        "status": status,
    }
    default = Clustered("unit", correction="none")
    return estimate_row(att, psi, arrays.clusters.iloc[keep], labels, counts, default)


def _refuse_empty(n_treated: int, n: int, what: str) -> None:
    """Refuse a comparison without one of its groups."""
    if n_treated in (0, n):
        empty = "treated" if n_treated == 0 else "comparison"
        raise NotEstimableError(f"no {empty} unit has {what}; choose other waves.")


def _known_influence(psi: FloatArray, d: FloatArray, outcome: FloatArray) -> tuple[FloatArray, str]:
    """Return ψ and a status: NaN where a group has one unit, 0 where all is rounding.

    Changes that are equal but for the rounding of ``outcome`` (n, 2) would else have a standard
    error of 1e-17.
    """
    if min(d.sum(), (1 - d).sum()) < 2:
        return np.full_like(psi, np.nan), "a group of one unit has no variance"
    if np.sqrt(psi @ psi) <= ROUNDING * np.abs(outcome).max():
        return np.zeros_like(psi), "ok"
    return psi, "ok"


def _specification(design: Design, base: WaveLabel) -> str:
    """Return method, base period and covariates in words."""
    if not design.covariates:
        return f"unconditional, base {base}"
    return f"{design.method} given {', '.join(design.covariates)}, base {base}"
