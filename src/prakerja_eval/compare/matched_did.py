"""Did the matched change more than those they are matched with?

The estimator of Heckman, Ichimura and Todd: matching removes what people show, differencing what
they keep over time. Whatever the matching wing estimates of a level it can estimate of a change,
so the panel is handed to it as one of changes. And a panel with the matching's weights serves
every estimator of the DiD wing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from prakerja_eval import matching
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate import Estimate, join, rename
from prakerja_eval.matching.adjusted import Adjusted
from prakerja_eval.panel import (
    ArrayRequest,
    MomentPlan,
    Moments,
    Panel,
    PanelProtocol,
    Roles,
    UnitArrays,
    WaveLabel,
    outcome_waves,
    treated_units,
    wave_position,
)

NAME = "compare.matched_did"
WEIGHT = "matching weight"
NO_PLACEBO = "no wave before the base: parallel trends cannot be probed by a placebo"

Effect = Callable[..., Estimate]


def matched_did(
    panel: PanelProtocol,
    adjusted: Adjusted,
    outcome: str | Sequence[str],
    *,
    effect: Effect = matching.att,
    base: WaveLabel | None = None,
    waves: Sequence[WaveLabel] | None = None,
) -> Estimate:
    """Estimate the effect on the treated by matching on the past and differencing what is left.

    The estimand is E[Y_t(1) − Y_t(0) | treated], if the matched would have changed alike without
    treatment: E[Y_t(0) − Y_b(0) | x, treated] = E[Y_t(0) − Y_b(0) | x, not treated]. The estimate
    is ``effect`` of the change Y_t − Y_b.

    Parameters
    ----------
    panel : Panel
        With the waves before and after, and the roles by which the people were matched.
    adjusted : Matched, Stratified or Weighted
        From ``matching.match`` or ``matching.weight``.
    outcome : str or sequence of str
        Numeric columns.
    effect : callable
        ``matching.att`` (matched pairs), ``matching.difference`` or ``matching.g_computation``.
    base : wave, optional
        b, the last wave before treatment; left out, the panel's baseline.
    waves : sequence, optional
        The waves t; left out, every wave after ``base``.

    Returns
    -------
    Estimate
        For each outcome the waves asked for, and always a placebo for every wave s before the
        base: the effect on Y_b − Y_s, with a negative ``event_time``, which is zero in
        expectation if the assumption held then. Where no wave lies before the base, the status
        says that there is none.

    Raises
    ------
    UsageError
        If there is no base, a wave does not come after it, or the treated were treated by then.

    References
    ----------
    Heckman, Ichimura and Todd (1997), doi 10.2307/2971733.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> rows = [(i, t, 2 * (i % 2), 20 + i // 2, 10.0 * t * (i % 2) + (i * t) % 5)
    ...         for i in range(12) for t in (0, 1, 2)]
    >>> frame = pd.DataFrame(rows, columns=["id", "t", "start", "age", "income"])
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", wave="t", cohort="start", baseline=1))
    >>> pairs = pe.matching.match(panel, covariates=["age"])
    >>> found = pe.compare.matched_did(panel, pairs, "income")
    >>> found.index[["wave", "event_time"]].values.tolist()
    [[2, None], [1, -1.0]]
    """
    period = panel.roles.baseline if base is None else base
    if period is None:
        raise UsageError("matched_did needs the wave before: base=..., or Roles(baseline=...).")
    names = [outcome] if isinstance(outcome, str) else list(outcome)
    arrays = panel.arrays(ArrayRequest(names[0]))
    before = wave_position(arrays, period)
    after = outcome_waves(arrays, replace(panel.roles, baseline=period), waves)
    if min(after) <= before:
        raise UsageError(
            f"the outcome wave {arrays.waves[min(after)]} does not come after the base {period}; "
            "placebos before it are made without being asked for."
        )
    _refuse_treated_base(panel, arrays, before)
    labels = arrays.waves
    asked = [(period, labels[t]) for t in after] + [(labels[s], period) for s in range(before)]
    rows = [_change(panel, adjusted, name, effect, wave) for name in names for wave in asked]
    found = join(*rows)
    return found if before else _without_placebo(found)


def reweighted(panel: Panel, adjusted: Adjusted) -> Panel:
    """Return the panel with the weights of a matching, for any estimator of the DiD wing.

    People of weight zero are left out. Standard errors of what is estimated from it take the
    weights as known; those of :func:`matched_did` do not.

    Parameters
    ----------
    panel : Panel
    adjusted : Matched, Stratified or Weighted
        Its weights include the sampling weights, so they take the place of Roles(weight).
    """
    frame = panel.frame
    if WEIGHT in frame:
        raise UsageError(f"the panel has a column {WEIGHT!r}; rename it.")
    units = adjusted.propensity.units.index
    weight = dict(zip(map(str, units), adjusted.weights, strict=True))
    frame[WEIGHT] = frame[panel.roles.unit].astype(str).map(weight).fillna(0.0)
    kept = frame[frame[WEIGHT] > 0].reset_index(drop=True)
    return Panel(kept, replace(panel.roles, weight=WEIGHT))


@dataclass(frozen=True, slots=True, eq=False)
class _Changes:
    """A panel whose outcomes are changes since a wave.

    Attributes
    ----------
    panel : PanelProtocol
    base : wave label
    """

    panel: PanelProtocol
    base: WaveLabel

    @property
    def roles(self) -> Roles:
        """Return the roles of the panel itself."""
        return self.panel.roles

    def arrays(self, request: ArrayRequest) -> UnitArrays:
        """Answer a request, the outcome less its value at the base."""
        found = self.panel.arrays(request)
        if request.outcome is None:
            return found
        before = found.outcome[:, [wave_position(found, self.base)]]
        return replace(found, outcome=found.outcome - before)

    def moments(self, plan: MomentPlan) -> Moments:
        """Answer a request for moments, which matching never makes."""
        return self.panel.moments(plan)


def _change(
    panel: PanelProtocol,
    adjusted: Adjusted,
    outcome: str,
    effect: Effect,
    periods: tuple[WaveLabel, WaveLabel],
) -> Estimate:
    """Estimate the effect on one change, from the first of two waves to the second."""
    base, wave = periods
    try:
        found = effect(_Changes(panel, base), adjusted, outcome, waves=[wave])
    except NotEstimableError as error:
        raise NotEstimableError(f"change of {outcome!r} from {base} to {wave}: {error}") from error
    words = f"change from {base}"
    return rename(found, estimator=NAME, specification=lambda old: f"{old}, {words}")


def _refuse_treated_base(panel: PanelProtocol, arrays: UnitArrays, before: int) -> None:
    """Refuse a base in which the treated were treated: the change from it is no effect."""
    base = arrays.waves[before]
    arms = treated_units(arrays, panel.roles)
    told = arms.start in arrays.waves or not isinstance(arms.start, str)
    if arms.start is not None and told and arms.lead(arrays, base) is None:
        raise UsageError(
            f"in the base {base} the treated are already treated (from {arms.start} on); choose an "
            "earlier one."
        )
    if arms.start is None:
        treated = arrays.received[arms.treated, before]
        if bool(np.any(treated == 1)):
            raise UsageError(f"in the base {base} the treated are already treated.")


def _without_placebo(found: Estimate) -> Estimate:
    """Say of rows that are fine otherwise that nothing probes their assumption."""
    counts = found.counts.copy()
    counts["status"] = counts["status"].where(counts["status"] != "ok", NO_PLACEBO)
    return replace(found, counts=counts)
