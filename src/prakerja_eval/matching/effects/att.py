"""What did training do to the matched? The difference within pairs, with its variance."""

from collections.abc import Sequence

import numpy as np

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import AbadieImbens, Estimate, estimate_row, join
from prakerja_eval.estimate.specs import instance_of, names_of
from prakerja_eval.matching.adjusted import NOT_PARAMETRIC, counting, labels, wave_labels
from prakerja_eval.matching.effects.difference import learned
from prakerja_eval.matching.effects.matched_sample import Basis, basis, effect_of, observed
from prakerja_eval.matching.effects.matched_variance import Variance, matching_term
from prakerja_eval.matching.kernels.kernel_effect import kernel_effect
from prakerja_eval.matching.kernels.kernel_matching import KernelMatched
from prakerja_eval.matching.match import Matched
from prakerja_eval.matching.pairs.pairs import Pairs, pair_codes
from prakerja_eval.matching.strata.strata import Stratified
from prakerja_eval.matching.strata.strata_effect import stratified_effect
from prakerja_eval.panel import (
    ArrayRequest,
    PanelProtocol,
    UnitArrays,
    WaveLabel,
    outcome_waves,
    treated_units,
)

__all__ = ["Variance", "att"]


def att(
    panel: PanelProtocol,
    matched: Matched | KernelMatched | Stratified,
    outcome: str | Sequence[str],
    *,
    waves: Sequence[WaveLabel] | None = None,
    bias_adjust: bool | Sequence[str] = False,
    variance: Variance | None = None,
) -> Estimate:
    """Estimate the effect on the people whom the matching is about.

    The estimand is E[Y(1) − Y(0) | treated] (or over comparison people, or everyone, as the
    matching's design says), if treatment is as good as random given the covariates. Where a
    caliper dropped people, or a counterpart was not observed, the population is those with one.

    Parameters
    ----------
    panel : Panel
        The panel that was matched, or one with more columns or waves of the same units.
    matched : Matched, KernelMatched or Stratified
        Pairs, people near in score, or strata.
    outcome : str or sequence of str
        Numeric columns.
    waves : sequence, optional
        Left out, every wave after the baseline.
    bias_adjust : bool or sequence of str
        Correct for the distance within pairs by a regression among those who serve (Abadie and
        Imbens 2011): on what was matched on, the score or the distance's covariates, or on the
        baseline columns named here.
    variance : Variance, optional
        Left out: population, local with one neighbour.

    Returns
    -------
    Estimate
        One row an outcome and wave. The default inference is Abadie and Imbens's: with the score's
        estimation (2016) where neighbours were drawn with replacement on a fitted logit or probit,
        ties averaged and nobody was dropped, else as if the score were known (2006). ψ is the
        linear form of Otsu and Rai (2017), with the score's estimation in it, set to that variance,
        so that covariances with other designs are approximate (see docs/methods/agreement.md).
        Clustered inference refuses, but for ``Clustered("pair")`` after matching without
        replacement (Abadie and Spiess 2022, doi 10.1080/01621459.2020.1840383). After a
        machine-learned score there is no standard error. With sampling weights
        everybody keeps their own, as unweighted people each time that they count. That is right
        where the weights depend on what was matched on; where they depend on it and on treatment
        together, ``weight`` or strata are.

    Raises
    ------
    NotEstimableError
        If no pair is observed in a wave.

    References
    ----------
    Abadie and Imbens (2006), doi 10.1111/j.1468-0262.2006.00655.x; (2016), doi 10.3982/ECTA11293.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdef"), "trained": [1, 0, 1, 0, 1, 0],
    ...                       "age": [20, 21, 30, 28, 25, 40], "income": [3.0, 1, 4, 2, 5, 2]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", received="trained"))
    >>> pairs = pe.matching.match(panel, pe.matching.Nearest(replace=False), covariates=["age"])
    >>> round(float(pe.matching.att(panel, pairs, "income").theta[0]), 4)
    2.3333
    """
    instance_of(matched, Matched | KernelMatched | Stratified, "att(matched)")
    if not isinstance(matched, Matched) and (bias_adjust or variance is not None):
        raise UsageError(
            "att(bias_adjust=..., variance=...) are for pairs; for a regression on covariates "
            "use g_computation."
        )
    adjust = bias_adjust if isinstance(bias_adjust, bool) else names_of(bias_adjust)
    on = basis(panel, matched, adjust) if isinstance(matched, Matched) else None
    options = variance or Variance()
    rows = []
    for name in [outcome] if isinstance(outcome, str) else outcome:
        arrays = panel.arrays(ArrayRequest(name, () if on is None else on.columns))
        arms = treated_units(arrays, panel.roles)
        for t in outcome_waves(arrays, panel.roles, waves):
            cell = (name, t, arms.lead(arrays, arrays.waves[t]))
            if isinstance(matched, Stratified):
                rows.append(stratified_effect(arrays, matched, cell))
            elif isinstance(matched, KernelMatched):
                rows.append(kernel_effect(arrays, matched, cell))
            elif on is not None:
                rows.append(_row(arrays, matched, cell, on, options))
    return join(*rows)


def _row(
    arrays: UnitArrays,
    matched: Matched,
    cell: tuple[str, int, float | None],
    on: Basis,
    options: Variance,
) -> Estimate:
    """Estimate one outcome and wave."""
    outcome, wave, lead = cell
    seen = observed(arrays, matched, (outcome, wave), on)
    effect = effect_of(seen, on.adjust)
    who, term = matching_term(seen, matched, effect, options)
    part = effect.focal | (effect.used > 0)
    units = arrays.clusters.iloc[matched.propensity.positions(arrays)[who]]
    if isinstance(seen.found, Pairs) and not matched.design.replace:
        codes = pair_codes(seen.found, len(seen.y))[part]
        units = units.assign(pair=[str(seen.at[c]) for c in codes])
    lost = seen.sought > int(effect.focal.sum())
    words = labels(matched, "matching.att", lost, "bias-adjusted" if on.adjust else "")
    words |= wave_labels(arrays, outcome, wave, lead)
    arm = seen.treated[part]
    counts: dict[str, object] = {
        "n": len(arm),
        "n_treated": int(arm.sum()),
        "n_comparison": int((~arm).sum()),
        "comparison_mean": seen.comparison_mean + effect.comparison_mean,
    }
    psi = term.psi
    if learned(matched):
        psi, counts["status"] = np.full_like(psi, np.nan), NOT_PARAMETRIC
    default = AbadieImbens("known" if term.why_known else "estimated")
    theta = seen.treated_mean - seen.comparison_mean + effect.estimate
    found = estimate_row(theta, psi, units, words, counts, default, [term])
    return counting(found, np.isin(who, seen.at[part]))
