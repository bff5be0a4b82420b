"""Which estimators does a diagnosis run, and against which truth is each judged?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np

from prakerja_eval import did, lottery, matching
from prakerja_eval.errors import NotEstimableError, UsageError, nearest
from prakerja_eval.estimate import Estimate, Inference, Robust, estimate_row, join
from prakerja_eval.estimate.estimate import known_label
from prakerja_eval.panel import (
    ArrayRequest,
    MomentPlan,
    Moments,
    PanelProtocol,
    Roles,
    UnitArrays,
    outcome_waves,
)
from prakerja_eval.typing import BoolArray, FloatArray

LIMIT: Literal["limit"] = "limit"
OUTCOMES = ("employed", "income")
COVARIATES = ("age", "female", "urban", "education")

Estimator: TypeAlias = Callable[[PanelProtocol], Estimate]
Against: TypeAlias = Mapping[str, object] | Literal["limit"] | None


@dataclass(frozen=True, slots=True)
class Judged:
    """An estimator, and what it is held against.

    Parameters
    ----------
    estimate : callable
        Of a panel; returns an Estimate of any number of rows.
    inference : Inference, optional
        Left out, each row's own default.
    against : mapping, "limit" or None
        Which truth answers a row. None: the effect that the row's own labels name,
        ``truth.of(estimate)``. "limit": the value to which the estimator of that name converges.
        A mapping of index labels: the effect that the row would name if it had these labels, such
        as ``{"estimand": "ATT", "population": "treated people", "weighting": "treated people"}``.

    Raises
    ------
    UsageError
        For labels that are no index columns.
    """

    estimate: Estimator
    inference: Inference | None = None
    against: Against = None

    def __post_init__(self) -> None:
        if not callable(self.estimate):
            raise UsageError("Judged(estimate) is a function of a panel that returns an Estimate.")
        if isinstance(self.against, Mapping):
            for label in self.against:
                known_label(label)
            object.__setattr__(self, "against", MappingProxyType(dict(self.against)))
        elif self.against not in (None, LIMIT):
            raise UsageError(
                f"Judged(against) is {self.against!r}; it is None, 'limit' or a mapping of labels "
                "such as {'estimand': 'ATT'}."
            )


def standard(
    names: Sequence[str],
    outcomes: str | Sequence[str] = OUTCOMES,
    *,
    covariates: Sequence[str] = COVARIATES,
) -> dict[str, Judged]:
    """Return standard estimators by their names, as ``diagnose`` takes them.

    Parameters
    ----------
    names : sequence of str
        "lottery.itt", "lottery.late", "did.group_time" and "did.imputation" (their average over
        treated people and waves), "did.twfe", "matching.att" (recipients by the last wave, one
        nearest neighbour on the score), "naive.winners" and "naive.difference" (winners or
        recipients against all others, without blocks), "naive.before_after" (recipients against
        themselves at the baseline), with the panel's sampling weights.
    outcomes : str or sequence of str
        Numeric columns.
    covariates : sequence of str
        Of the matching's score, read at the baseline.

    Raises
    ------
    UsageError
        For an unknown name, with the nearest, or none at all.

    Notes
    -----
    Each is judged against the effect that it is read as: two-way fixed effects, the naive
    comparison and the naive change as the effect on the treated, whatever else they are.

    Examples
    --------
    >>> from prakerja_eval.compare.estimators import standard
    >>> list(standard(["lottery.itt", "did.twfe"], "income"))
    ['lottery.itt', 'did.twfe']
    """
    chosen = (outcomes,) if isinstance(outcomes, str) else tuple(outcomes)
    if not names or not chosen:
        raise UsageError("name at least one estimator and one outcome.")
    made = {}
    for name in names:
        if name not in STANDARD:
            known = ", ".join(STANDARD)
            raise UsageError(
                f"no standard estimator is named {name!r}.{nearest(name, STANDARD)} There are "
                f"{known}; any other one is given as a function of a panel."
            )
        one = STANDARD[name]
        made[name] = Judged(_Call(one, chosen, tuple(covariates)), against=one.against)
    return made


@dataclass(frozen=True, slots=True)
class _Standard:
    """How one standard estimator is called: panel, outcomes, covariates."""

    call: Callable[[PanelProtocol, Sequence[str], Sequence[str]], Estimate]
    against: Against = None


@dataclass(frozen=True, slots=True)
class _Call:
    """A standard estimator of some outcomes."""

    standard: _Standard
    outcomes: tuple[str, ...]
    covariates: tuple[str, ...]

    @property
    def settings(self) -> dict[str, list[str]]:
        """Return what was asked, as a record of a run holds it."""
        return {"outcomes": list(self.outcomes), "covariates": list(self.covariates)}

    def __call__(self, panel: PanelProtocol) -> Estimate:
        return self.standard.call(panel, self.outcomes, self.covariates)


# --- the wings' -----------------------------------------------------------------------------------


def _matching(panel: PanelProtocol, outcomes: Sequence[str], covariates: Sequence[str]) -> Estimate:
    """Match those who had received by the last wave with the others."""
    static = _ByLastWave(panel)
    matched = matching.match(static, covariates=covariates)
    last = panel.arrays(ArrayRequest()).waves[-1]
    return matching.att(static, matched, outcomes, waves=[last])


@dataclass(frozen=True, slots=True, eq=False)
class _ByLastWave:
    """A panel in which receipt is that by the last wave: matching compares one cohort with others.

    Attributes
    ----------
    panel : PanelProtocol
        With Roles ``received``.
    """

    panel: PanelProtocol
    roles: Roles = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "roles", replace(self.panel.roles, cohort=None))

    def arrays(self, request: ArrayRequest) -> UnitArrays:
        """Answer a request, with nobody treated before the last wave."""
        found = self.panel.arrays(request)
        received = np.zeros_like(found.received)
        received[:, -1] = found.received[:, -1]
        return replace(found, received=received)

    def moments(self, plan: MomentPlan) -> Moments:
        """Answer a request for moments, which matching never makes."""
        return self.panel.moments(plan)


# --- what people compute without a design ---------------------------------------------------------


def _winners(panel: PanelProtocol, outcomes: Sequence[str], _: Sequence[str]) -> Estimate:
    """Compare winners with losers, whatever their odds were."""
    labels = {
        "estimator": "naive.winners",
        "estimand": "ITT",
        "population": "everyone in the lottery",
        "weighting": "people per block",
    }
    return _each(panel, outcomes, labels, lambda arrays, t: _gap(arrays, t, arrays.offer))


def _recipients(panel: PanelProtocol, outcomes: Sequence[str], _: Sequence[str]) -> Estimate:
    """Compare those who had received by a wave with those who had not."""
    labels = ON_TREATED | {"estimator": "naive.difference"}
    return _each(panel, outcomes, labels, lambda arrays, t: _gap(arrays, t, arrays.received[:, t]))


def _before_after(panel: PanelProtocol, outcomes: Sequence[str], _: Sequence[str]) -> Estimate:
    """Compare recipients with themselves at the baseline."""
    labels = ON_TREATED | {"estimator": "naive.before_after"}
    baseline = panel.roles.baseline
    if baseline is None:
        raise UsageError("naive.before_after needs Roles(baseline=...).")

    def change(arrays: UnitArrays, t: int) -> "_Found":
        before = arrays.outcome[:, arrays.waves.index(baseline)]
        moved = arrays.outcome[:, t] - before
        seen = np.isfinite(moved) & (arrays.received[:, t] == 1) & (arrays.weight > 0)
        if seen.sum() < 2:
            raise NotEstimableError("fewer than two recipients are seen in both waves")
        weight = arrays.weight[seen] / arrays.weight[seen].sum()
        mean = float(weight @ moved[seen])
        psi = weight * (moved[seen] - mean)
        return _Found(mean, psi, seen, int(seen.sum()), float(weight @ before[seen]))

    return _each(panel, outcomes, labels, change)


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """A mean or difference with the influence of those seen."""

    theta: float
    psi: FloatArray
    seen: BoolArray
    n_treated: int
    comparison_mean: float


def _gap(arrays: UnitArrays, wave: int, arm: FloatArray) -> _Found:
    """Return the difference in weighted means between arms 1 and 0, ψ = ±w(y − mean) / Σ w."""
    y, weight = arrays.outcome[:, wave], arrays.weight
    seen = np.isfinite(y) & np.isfinite(arm) & (weight > 0)
    one, zero = seen & (arm == 1), seen & (arm == 0)
    if min(one.sum(), zero.sum()) < 2:
        raise NotEstimableError("an arm of the naive comparison has fewer than two people")
    won, lost = weight[one].sum(), weight[zero].sum()
    high, low = float(weight[one] @ y[one] / won), float(weight[zero] @ y[zero] / lost)
    psi = (weight * np.where(one, (y - high) / won, -(y - low) / lost))[seen]
    return _Found(high - low, psi, seen, int(one.sum()), low)


def _each(
    panel: PanelProtocol,
    outcomes: Sequence[str],
    labels: Mapping[str, object],
    compare: Callable[[UnitArrays, int], _Found],
) -> Estimate:
    """Return a row an outcome and wave after the baseline; one that fails says why."""
    rows = []
    for outcome in outcomes:
        arrays = panel.arrays(ArrayRequest(outcome))
        for t in outcome_waves(arrays, panel.roles, None):
            status = "ok"
            try:
                found = compare(arrays, t)
            except NotEstimableError as error:
                nobody = np.zeros(len(arrays.clusters), dtype=bool)
                found, status = _Found(np.nan, np.zeros(0), nobody, 0, np.nan), str(error)
            n = int(found.seen.sum())
            counts = {
                "n": n,
                "n_treated": found.n_treated,
                "n_comparison": n - found.n_treated,
                "comparison_mean": found.comparison_mean,
                "status": status,
            }
            named = {**labels, "outcome": outcome, "wave": arrays.waves[t]}
            units = arrays.clusters[found.seen]
            default = Robust("HC0", reference="normal")
            rows.append(estimate_row(found.theta, found.psi, units, named, counts, default))
    return join(*rows)


ON_TREATED: dict[str, object] = {
    "estimand": "ATT",
    "population": "treated people",
    "weighting": "treated people",
}
STANDARD: Mapping[str, _Standard] = MappingProxyType(
    {
        "lottery.itt": _Standard(lambda p, y, _: lottery.itt(p, y)),
        "lottery.late": _Standard(lambda p, y, _: lottery.late(p, y)),
        "did.group_time": _Standard(lambda p, y, _: did.overall(did.group_time(p, y))),
        "did.imputation": _Standard(lambda p, y, _: did.overall(did.imputation(p, y))),
        "did.twfe": _Standard(lambda p, y, _: did.twfe(p, y), MappingProxyType(ON_TREATED)),
        "matching.att": _Standard(_matching),
        "naive.winners": _Standard(_winners),
        "naive.difference": _Standard(_recipients),
        "naive.before_after": _Standard(_before_after),
    }
)
