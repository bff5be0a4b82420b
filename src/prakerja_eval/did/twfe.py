"""What does the regression with unit and wave effects say, for comparison with what is sound?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prakerja_eval.did.cells import (
    ONE_UNIT,
    CellRows,
    any_column,
    cells_estimate,
    clear_rounding,
    only_units,
    treated_from,
)
from prakerja_eval.did.kernel_twfe import two_way
from prakerja_eval.errors import CollinearityError, NotEstimableError, UsageError
from prakerja_eval.estimate import Estimate, join
from prakerja_eval.estimate.estimate import REFERENCE
from prakerja_eval.numerics.moments import GroupMoments, Loadings
from prakerja_eval.panel import (
    MomentPlan,
    Moments,
    PanelProtocol,
    WaveLabel,
    adoption_label,
    wave_scale,
)
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

COEFFICIENT, LEAD = "TWFE coefficient", "TWFE pre-trend"
LABELS: dict[str, object] = {
    "estimator": "did.twfe",
    "population": "all people",
    "weighting": "two-way regression",
}


@dataclass(frozen=True, slots=True, eq=False)
class Cohorts:
    """The cells of a panel's moments, on the event scale.

    Attributes
    ----------
    moments : Moments
    start : (C,) array
        First treated time of each cell; infinite for never.
    times : (T,) array
        The waves.
    seen : (C, T) bool array
    first : (C,) int array
        Position of the first treated wave: 0 for always treated, T for never in these waves.
    """

    moments: Moments
    start: FloatArray
    times: FloatArray
    seen: BoolArray
    first: IntArray

    @property
    def cells(self) -> GroupMoments:
        """Return the cells."""
        return self.moments.cells

    @property
    def waves(self) -> tuple[WaveLabel, ...]:
        """Return the labels of the waves."""
        return self.moments.waves

    @property
    def never(self) -> BoolArray:
        """Say which cells are not treated in any of the waves, (C,)."""
        return np.asarray(self.first == len(self.times))

    @property
    def always(self) -> BoolArray:
        """Say which cells are treated in all of the waves, (C,)."""
        return np.asarray(self.first == 0)

    def labels(self, which: BoolArray) -> list[WaveLabel]:
        """Return the cohorts of some cells."""
        return [adoption_label(float(g), self.waves) for g in np.unique(self.start[which])]

    def names(self, which: BoolArray) -> str:
        """Return the cohorts of some cells in words."""
        return ", ".join(map(str, self.labels(which)))


def twfe(
    panel: PanelProtocol,
    outcome: str | Sequence[str],
    *,
    dynamic: bool = False,
    window: tuple[float, float] | None = None,
    reference: float | Sequence[float] = -1,
) -> Estimate:
    """Regress the outcome on treatment, unit effects and wave effects.

    The coefficient is an average effect on the treated only if effects are the same for every
    cohort and event time. Otherwise it weighs effects by weights that may be negative
    (``twfe_weights``, ``bacon``), and can have the opposite sign of every effect. It is here to be
    compared with ``group_time``, ``imputation`` and ``sun_abraham``.

    Parameters
    ----------
    panel : Panel
        With Roles ``cohort`` (first treated wave, 0 for never) or ``received``; balanced or not.
    outcome : str or sequence of str
        Numeric columns.
    dynamic : bool
        Whether to estimate one coefficient an event time (wave less start) instead of one in all.
    window : (low, high), optional
        With ``dynamic``: event times beyond are binned into the two ends.
    reference : number or sequence of numbers
        With ``dynamic``: event times whose coefficient is zero by normalisation. Where nobody is
        never treated two are needed, unless ``window`` bins some.

    Returns
    -------
    Estimate
        One row an outcome, "TWFE coefficient"; with ``dynamic`` one an event time, "TWFE pre-trend"
        before treatment, references zero with the status "reference". People treated from the first
        wave on count as treated throughout in the one coefficient, and are left out of the dynamic
        ones, since they have no time before; ``specification`` says so. The variance sums ψ squared
        over units, normal quantiles.

    Raises
    ------
    UsageError
        If nobody's treatment starts within the waves, or for a reference or window that does not
        fit.
    NotEstimableError
        If the coefficients are not told apart from unit and wave effects.

    References
    ----------
    de Chaisemartin and D'Haultfoeuille (2020), doi 10.1257/aer.20181169; Sun and Abraham (2021),
    doi 10.1016/j.jeconom.2020.09.006.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> from prakerja_eval.did.twfe import twfe
    >>> frame = pd.DataFrame({"id": list("aaabbbcccddd"), "t": [1, 2, 3] * 4,
    ...                       "g": [2] * 6 + [0] * 6,
    ...                       "income": [1, 4, 5, 2, 5, 6, 1, 2, 2, 3, 4, 4]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", wave="t", cohort="g"))
    >>> twfe(panel, "income").theta.round(9).tolist()
    [2.5]
    """
    references = np.atleast_1d(np.asarray(reference, dtype=np.float64))
    if not dynamic and (window is not None or not np.array_equal(references, [-1])):
        raise UsageError("did.twfe(window=..., reference=...) belong to dynamic=True.")
    if window is not None and not -np.inf < window[0] < window[1] < np.inf:
        raise UsageError(f"did.twfe(window={window}) must run from a lower to a higher event time.")
    names = [outcome] if isinstance(outcome, str) else list(outcome)
    found = (cohorts(panel, name, "did.twfe") for name in names)
    if dynamic:
        return join(
            *(_dynamic(c, name, references, window) for c, name in zip(found, names, strict=True))
        )
    return join(*(_static(c, name) for c, name in zip(found, names, strict=True)))


def cohorts(panel: PanelProtocol, outcome: str, estimator: str) -> Cohorts:
    """Return the cells of a panel by cohort and pattern of observed waves.

    Raises
    ------
    UsageError
        If no cohort is first treated after the first wave and by the last, or all in one wave and
        nobody is left to compare with.
    """
    moments = panel.moments(MomentPlan(outcome, cohorts=True))
    times = wave_scale(moments.waves)
    start = moments.groups["start"].to_numpy(dtype=np.float64)[moments.cells.group]
    first = first_treated(start, times, moments.waves, estimator)
    seen = np.isfinite(moments.cells.mean)
    return Cohorts(moments, start, times, seen, first)


def first_treated(
    start: FloatArray, times: FloatArray, waves: Sequence[WaveLabel], estimator: str
) -> IntArray:
    """Return the position of the first treated wave, T for never; refuse what has no variation."""
    first = np.searchsorted(times, start).astype(np.int64)
    paths = np.unique(first)
    switching = paths[(paths > 0) & (paths < len(times))]
    if not len(switching):
        raise UsageError(
            f"{estimator}: no cohort is first treated after the first wave {waves[0]} and by the "
            f"last, {waves[-1]}: treatment never changes. Look at Roles(cohort=...)."
        )
    if len(paths) == 1:
        raise UsageError(
            f"{estimator}: everybody is first treated in wave {waves[switching[0]]}, so that "
            "treatment and waves cannot be told apart: people treated later or never are needed."
        )
    return first


def coefficient(found: Cohorts) -> Loadings:
    """Return the static coefficient.

    Raises
    ------
    NotEstimableError
        If missing waves leave no variation.
    """
    treated = (found.times >= found.start[:, None]).astype(np.float64)
    try:
        fit = two_way(found.cells.weight, found.cells.mean, found.seen, treated[:, :, None])
    except CollinearityError as error:
        raise NotEstimableError(
            "in the observations that are not missing, treatment cannot be told apart from unit "
            "and wave effects: hardly anybody is seen both before and after."
        ) from error
    return _columns(fit, len(found.times))


def _static(found: Cohorts, outcome: str) -> Estimate:
    words = "unit and wave effects"
    if found.always.any():
        words += f"; kept as treated throughout: cohort {found.names(found.always)}"
    label = LABELS | {"estimand": COEFFICIENT, "outcome": outcome, "specification": words}
    loadings = coefficient(found)
    several = found.seen.sum(axis=1) > 1
    paths = np.bincount(found.first[several], found.cells.n[several])
    lone = paths.sum() - paths.max() < 2
    treated = found.cells.n @ (several & ~found.never)
    return _estimate(found, loadings, [label], [int(treated)], [ONE_UNIT if lone else "ok"])


def _dynamic(
    found: Cohorts,
    outcome: str,
    references: FloatArray,
    window: tuple[float, float] | None,
) -> Estimate:
    event = np.where(found.never[:, None], np.nan, found.times - found.start[:, None])
    if window is not None:
        event = np.clip(event, *window)
    seen = found.seen & ~found.always[:, None]
    times = np.unique(event[seen & ~np.isnan(event)])
    is_reference = _references(times, references)
    loadings = _by_event_time(found, seen, event, times, is_reference)
    n_treated = found.cells.n @ ((event[:, :, None] == times) & seen[:, :, None]).any(axis=1)
    label = LABELS | {
        "outcome": outcome,
        "specification": _specification(found, references, window, times),
    }
    labels = [
        label | {"event_time": float(e), "estimand": LEAD if e < 0 else COEFFICIENT} for e in times
    ]
    status = [
        REFERENCE if zero else ONE_UNIT if n == 1 else "ok"
        for zero, n in zip(is_reference, n_treated, strict=True)
    ]
    return _estimate(found, loadings, labels, [int(n) for n in n_treated], status)


def _by_event_time(
    found: Cohorts, seen: BoolArray, event: FloatArray, times: FloatArray, zero: BoolArray
) -> Loadings:
    """Return a loading an event time; those of references are another's, to be blanked."""
    estimated = times[~zero]
    X = (event[:, :, None] == estimated).astype(np.float64)
    try:
        fit = two_way(found.cells.weight, found.cells.mean, seen, X)
    except CollinearityError as error:
        raise _not_identified(found, times, zero, float(estimated[error.column])) from error
    place = np.where(zero, 0, np.searchsorted(estimated, times))
    return _columns(fit, len(found.times) + place)


def _columns(fit: Loadings, column: int | IntArray) -> Loadings:
    """Return some of the loadings."""
    k = np.atleast_1d(column)
    return Loadings(fit.theta[k], fit.mean, fit.level[:, k], fit.slope[:, :, k], fit.used[:, k])


def _estimate(
    found: Cohorts,
    loadings: Loadings,
    labels: list[dict[str, object]],
    n_treated: list[int],
    status: list[str],
) -> Estimate:
    """Label the rows."""
    rows = found.moments.influence(loadings)
    level = float(np.nanmax(np.abs(found.cells.mean)))
    for k, theta in enumerate(loadings.theta):
        clear_rounding(rows.psi[:, k], level + abs(theta))
    start = np.append(found.moments.groups["start"].to_numpy(dtype=np.float64), np.nan)
    units = rows.units.assign(treated_from=treated_from(start[rows.group], found.waves))
    n = rows.sample.sum(axis=0)
    counts = [
        {"n": int(total), "n_treated": n1, "n_comparison": int(total) - n1}
        for total, n1 in zip(n, n_treated, strict=True)
    ]
    cells = CellRows(loadings.theta, rows.psi, rows.sample, status)
    return only_units(cells_estimate(cells, units, labels, counts), any_column(rows.sample))


def _references(times: FloatArray, references: FloatArray) -> BoolArray:
    """Say which event times are zero by normalisation."""
    for e in references:
        if e not in times:
            raise UsageError(
                f"did.twfe(reference={e:g}) is no event time of this panel; there are "
                f"{_list(times)}."
            )
    zero = np.isin(times, references)
    if zero.all():
        raise UsageError(f"did.twfe(reference=...) leaves no event time of {_list(times)}.")
    return zero


def _not_identified(
    found: Cohorts, times: FloatArray, zero: BoolArray, alone: float
) -> NotEstimableError:
    """Say which normalisation is lacking."""
    if not found.never.any() and zero.sum() == 1:
        return NotEstimableError(
            "nobody is never treated, so coefficients by event time are known up to a linear trend "
            "only: two references are needed. Say "
            f"did.twfe(..., reference=({times[~zero][0]:g}, {times[zero][0]:g})), or bin the ends "
            "with window=(low, high); either is an assumption."
        )
    return NotEstimableError(
        f"the coefficient of event time {alone:g} cannot be told apart from the others and from "
        "unit and wave effects: add a reference, or bin the ends with window=(low, high)."
    )


def _specification(
    found: Cohorts,
    references: FloatArray,
    window: tuple[float, float] | None,
    times: FloatArray,
) -> str:
    """Return the regression in words, with what it bins and leaves out."""
    words = f"unit and wave effects, reference {_list(references)}"
    if window is not None:
        words += f", binned endpoints: {times[0]:g} and before, {times[-1]:g} and after"
    if found.always.any():
        words += f"; left out: cohort {found.names(found.always)} (treated from the first wave on)"
    return words


def _list(values: FloatArray) -> str:
    return ", ".join(f"{v:g}" for v in values)
