"""How far apart are the treated and the weighted comparison units?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import CollinearityError, NotEstimableError, UsageError
from prakerja_eval.estimate import (
    Clustered,
    Estimate,
    Inference,
    LinearFit,
    LinearTerm,
    Robust,
    estimate_row,
    join,
)
from prakerja_eval.matching.adjusted import (
    NOT_PARAMETRIC,
    Adjusted,
    UnitWeights,
    counting,
    in_wave,
    labels,
    wave_labels,
)
from prakerja_eval.matching.effects.weighted_regression import ArmContrast, arm_contrast
from prakerja_eval.matching.score.models import Learner
from prakerja_eval.panel import (
    ArrayRequest,
    PanelProtocol,
    UnitArrays,
    WaveLabel,
    outcome_waves,
    treated_units,
)
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Regression:
    """The outcome regression of an effect on weighted units.

    Attributes
    ----------
    estimator : str
        As in the column of that name.
    covariates : tuple of str, optional
        Baseline columns; None for those of the score, none for a difference in means.
    interactions : bool
        Whether each arm has slopes of its own.
    drawn : bool
        Whether ψ counts the units averaged over as drawn from a population.
    """

    estimator: str
    covariates: tuple[str, ...] | None = ()
    interactions: bool = True
    drawn: bool = True

    @property
    def in_words(self) -> str:
        """Return what is added to the design's own words."""
        return "" if self.covariates == () else "outcome regression"


def difference(
    panel: PanelProtocol,
    adjusted: Adjusted,
    outcome: str | Sequence[str],
    *,
    waves: Sequence[WaveLabel] | None = None,
) -> Estimate:
    """Estimate an effect by the difference in weighted means.

    The estimand is the adjustment's own (ATT, ATC, ATE, ...), if treatment is as good as random
    given the covariates: Σ w y / Σ w over the treated, less the same over comparison units.

    Parameters
    ----------
    panel : Panel
        The panel that was matched or weighted, or one with more columns or waves of the same units.
    adjusted : Matched, Stratified or Weighted
        Where the weights come from.
    outcome : str or sequence of str
        Numeric columns.
    waves : sequence, optional
        Left out, every wave after the baseline.

    Returns
    -------
    Estimate
        One row an outcome and wave. Where weights are a smooth function of estimated parameters
        (inverse-probability weights, entropy balancing), ψ carries their estimation and the default
        inference is ψ'ψ, M-estimation (``Robust("HC0", reference="normal")``). Else ψ takes the
        weights as given, and the default is ``Clustered("pair", "stata", "normal")`` after matching
        without replacement and ``Robust("HC3", reference="normal")`` for the rest. After a
        machine-learned score there is no standard error.

    Raises
    ------
    NotEstimableError
        If an arm has nobody observed in a wave.

    References
    ----------
    Stefanski and Boos (2002), doi 10.1198/000313002753631330. Abadie and Spiess (2022), doi
    10.1080/01621459.2020.1840383.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdef"), "trained": [1, 0, 1, 0, 1, 0],
    ...                       "age": [20, 21, 30, 28, 25, 40], "income": [3.0, 1, 4, 2, 5, 2]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", received="trained"))
    >>> pairs = pe.matching.match(panel, pe.matching.Nearest(replace=False), covariates=["age"])
    >>> round(float(pe.matching.difference(panel, pairs, "income").theta[0]), 4)
    2.3333
    """
    return estimated(panel, adjusted, outcome, waves, Regression("matching.difference"))


def estimated(
    panel: PanelProtocol,
    adjusted: Adjusted,
    outcome: str | Sequence[str],
    waves: Sequence[WaveLabel] | None,
    regression: Regression,
) -> Estimate:
    """Estimate an effect by a regression on weighted units, a row an outcome and wave."""
    if not hasattr(adjusted, "among"):
        raise UsageError(
            f"{regression.estimator}(adjusted) takes what match or weight returned, not "
            f"{type(adjusted).__name__}."
        )
    rows = []
    for name in [outcome] if isinstance(outcome, str) else outcome:
        arrays = panel.arrays(ArrayRequest(name, regression.covariates or ()))
        arms = treated_units(arrays, panel.roles)
        for t in outcome_waves(arrays, panel.roles, waves):
            cell = (name, t, arms.lead(arrays, arrays.waves[t]))
            rows.append(_row(arrays, adjusted, cell, regression))
    return join(*rows)


@dataclass(frozen=True, slots=True, eq=False)
class _Observed:
    """Outcome and covariates of the score's units, and who takes part.

    ``place`` are the units' positions in the panel; ``part`` positions among the score's units.
    """

    place: IntArray
    y: FloatArray
    X: FloatArray
    names: tuple[str, ...]
    seen: BoolArray
    made: UnitWeights
    part: IntArray


def _row(
    arrays: UnitArrays,
    adjusted: Adjusted,
    cell: tuple[str, int, float | None],
    regression: Regression,
) -> Estimate:
    """Estimate one outcome and wave."""
    outcome, wave, lead = cell
    score = adjusted.propensity
    seen = _observed(arrays, adjusted, cell, regression)
    part, treated = seen.part, score.treated[seen.part]
    target = _averaged_over(adjusted, seen)
    fit = _contrast(seen, treated, target, regression)
    rows, psi, share = _influence(adjusted, seen, fit, regression)
    at = np.searchsorted(rows, part)
    linear = LinearFit(
        fit.residuals,
        seen.made.weights[part],
        fit.bread,
        at,
        design=fit.design if fit.design.shape[1] else None,
        cells=fit.cells,
    )
    lost = int((adjusted.focal & seen.seen).sum()) > int(seen.made.reached.sum())
    words = labels(adjusted, regression.estimator, lost, regression.in_words)
    words |= wave_labels(arrays, outcome, wave, lead)
    counts: dict[str, object] = {
        "n": len(part),
        "n_treated": int(treated.sum()),
        "n_comparison": int((~treated).sum()),
        "comparison_mean": fit.comparison_mean,
    }
    if learned(adjusted):
        psi, counts["status"] = np.full(len(rows), np.nan), NOT_PARAMETRIC
    units = arrays.clusters.iloc[seen.place[rows]]
    for name, codes in seen.made.clusters.items():
        units = units.assign(**{name: [None if c < 0 else str(c) for c in codes[rows]]})
    fixed = None if regression.drawn else share
    term = LinearTerm(linear, fit.contrast, share=fixed, sampled=True)
    found = estimate_row(fit.theta, psi, units, words, counts, _default(seen.made), [term])
    return counting(found, np.isin(rows, seen.part))


def _observed(
    arrays: UnitArrays,
    adjusted: Adjusted,
    cell: tuple[str, int, float | None],
    regression: Regression,
) -> _Observed:
    """Return the units with the weights of those seen in a wave."""
    outcome, wave, _ = cell
    score = adjusted.propensity
    place = score.positions(arrays)
    y = arrays.outcome[place, wave]
    seen = np.isfinite(y)
    made = adjusted.among(seen)
    part = np.flatnonzero(made.weights > 0)
    own = regression.covariates is None
    X = score.covariates if own else arrays.covariates[place]
    treated = score.treated[part]
    if treated.all() or not treated.any():
        arm = "comparison" if treated.any() else "treated"
        raise NotEstimableError(
            f"no {arm} unit with a weight has {outcome!r}{in_wave(arrays, wave)}."
        )
    return _Observed(place, y, X, score.names if own else arrays.names, seen, made, part)


def _averaged_over(adjusted: Adjusted, seen: _Observed) -> FloatArray:
    """Return the weights with which those who take part are averaged over, (m,).

    Focal units count with their sampling weight. Strata count as the weights say, whose people may
    be missing, and so do those whom overlap and matching weights are about.
    """
    made = seen.made
    if _by_weights(adjusted, made):
        return made.weights[seen.part]
    focal = adjusted.focal & made.reached
    return np.where(focal, adjusted.propensity.weight, 0.0)[seen.part]


def _by_weights(adjusted: Adjusted, made: UnitWeights) -> bool:
    strata_of_all = adjusted.estimand == "ATE" and "subclass" in made.clusters
    return strata_of_all or adjusted.estimand not in ("ATT", "ATC", "ATE")


def _contrast(
    seen: _Observed, treated: BoolArray, target: FloatArray, regression: Regression
) -> ArmContrast:
    part = seen.part
    data = (seen.y[part], treated, seen.X[part], seen.made.weights[part], target)
    try:
        return arm_contrast(*data, interactions=regression.interactions)
    except CollinearityError as error:
        name = seen.names[error.column % len(seen.names)]
        arms = "an arm" if error.column >= len(seen.names) else "both arms"
        raise NotEstimableError(
            f"the covariate {name!r} is constant, or a combination of the others, in {arms} of "
            "the weighted sample: leave it out of covariates=[...]."
        ) from error


def _influence(
    adjusted: Adjusted, seen: _Observed, fit: ArmContrast, regression: Regression
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return the units that have influence, their ψ, and the share of who is averaged over, (m,).

    Units whose outcome was not seen took part in fitting the score.
    """
    made, part = seen.made, seen.part
    weight = made.weights[part]
    target = _averaged_over(adjusted, seen)
    share = target * fit.by_target
    psi = np.zeros(len(made.weights))
    psi[part] = weight * fit.by_weight + (share if regression.drawn else 0.0)
    if made.derivative is None or made.nuisance is None:
        return part, psi[part], share
    slope = fit.by_weight
    if _by_weights(adjusted, made):
        slope = slope + fit.by_target
    psi += made.nuisance @ (made.derivative[part].T @ slope)
    rows = np.flatnonzero(made.nuisance.any(axis=1) | (made.weights > 0))
    return rows, psi[rows], share


def learned(adjusted: Adjusted) -> bool:
    """Say whether the weights come from a score that is no function of a few parameters."""
    parametric = bool(getattr(adjusted, "parametric", True))
    return isinstance(adjusted.propensity.model, Learner) or not parametric


def _default(made: UnitWeights) -> Inference:
    """Return the inference that printing shows."""
    if made.derivative is not None:
        return Robust("HC0", reference="normal")
    if "pair" in made.clusters:
        return Clustered("pair", "stata", "normal")
    return Robust("HC3", reference="normal")
