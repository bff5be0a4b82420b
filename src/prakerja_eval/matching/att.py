"""What did training do to the matched? The difference within pairs, with its variance."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate import (
    AbadieImbens,
    Estimate,
    LinearFit,
    LinearTerm,
    MatchingTerm,
    estimate_row,
    join,
)
from prakerja_eval.estimate.specs import one_of
from prakerja_eval.matching.abadie_imbens import constant_sigma2, local_sigma2, matching_variance
from prakerja_eval.matching.adjusted import labels, wave_labels
from prakerja_eval.matching.effects import MatchedEffect, bias_adjustment, matched_effect
from prakerja_eval.matching.estimated_score import score_correction
from prakerja_eval.matching.linear_form import linear_form, rescale
from prakerja_eval.matching.match import Matched
from prakerja_eval.matching.pairs import Pairs, between_seen, in_sample, pair_codes
from prakerja_eval.panel import (
    ArrayRequest,
    PanelProtocol,
    UnitArrays,
    WaveLabel,
    outcome_waves,
    treated_units,
)
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

ConditionalVariance: TypeAlias = Literal["local", "constant"]
Target: TypeAlias = Literal["population", "sample"]
Metric: TypeAlias = Literal["euclidean", "mahalanobis"]


@dataclass(frozen=True, slots=True)
class Variance:
    """How the Abadie-Imbens variance is made.

    Parameters
    ----------
    conditional : {"local", "constant"}
        Variance of the outcome given the score: from each unit's nearest neighbours of its own
        arm, or one for all, which supposes a constant effect.
    neighbours : int
        Number of neighbours besides the unit itself, for "local".
    target : {"population", "sample"}
        Of the effect in the population, or on the very people at hand.
    metric : {"euclidean", "mahalanobis"}
        For the correction of an estimated score, which matches on the covariates themselves: their
        own units (Stata's convention), or free of units.
    """

    conditional: ConditionalVariance = "local"
    neighbours: int = 1
    target: Target = "population"
    metric: Metric = "euclidean"

    def __post_init__(self) -> None:
        one_of(self.conditional, ConditionalVariance, "matching.Variance(conditional)")
        one_of(self.target, Target, "matching.Variance(target)")
        one_of(self.metric, Metric, "matching.Variance(metric)")
        if self.neighbours < 1:
            raise UsageError("matching.Variance(neighbours) must be at least 1.")


def att(
    panel: PanelProtocol,
    matched: Matched,
    outcome: str | Sequence[str],
    *,
    waves: Sequence[WaveLabel] | None = None,
    bias_adjust: bool = False,
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
    matched : Matched
        Pairs.
    outcome : str or sequence of str
        Numeric columns.
    waves : sequence, optional
        Left out, every wave after the baseline.
    bias_adjust : bool
        Correct for the distance within pairs by a regression on the score (Abadie and Imbens 2011).
    variance : Variance, optional
        Left out: population, local with one neighbour.

    Returns
    -------
    Estimate
        One row an outcome and wave. The default inference is Abadie and Imbens's: with the score's
        estimation (2016) where neighbours were drawn with replacement, ties averaged and nobody
        was dropped, else as if the score were known (2006). ψ is the linear form of Otsu and Rai
        (2017) rescaled to it, so that covariances with other designs are approximate (see
        docs/methods/agreement.md for how far).
        Clustered inference refuses, but for ``Clustered("pair")`` after matching without
        replacement (Abadie and Spiess 2022, doi 10.1080/01621459.2020.1840383).

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
    options = variance or Variance()
    rows = []
    for name in [outcome] if isinstance(outcome, str) else outcome:
        arrays = panel.arrays(ArrayRequest(name))
        arms = treated_units(arrays, panel.roles)
        for t in outcome_waves(arrays, panel.roles, waves):
            cell = (name, t, arms.lead(arrays, arrays.waves[t]))
            rows.append(_row(arrays, matched, cell, bias_adjust, options))
    return join(*rows)


@dataclass(frozen=True, slots=True, eq=False)
class _Observed:
    """The matched sample's units seen in a wave, and the pairs of which both people were seen.

    ``at`` are positions in the matched sample; ``rows`` in the panel.
    """

    at: IntArray
    rows: IntArray
    y: FloatArray
    treated: BoolArray
    score: FloatArray
    groups: IntArray | None
    pairs: Pairs


def _observed(arrays: UnitArrays, matched: Matched, wave: int) -> _Observed:
    place_in_panel = matched.propensity.positions(arrays)
    y = arrays.outcome[place_in_panel, wave]
    seen = np.isfinite(y)
    at = np.flatnonzero(seen)
    place = np.cumsum(seen) - 1
    kept = in_sample(between_seen(matched.pairs, seen), place, place)
    score = matched.propensity
    scale = score.score if matched.design.scale == "probability" else score.linear_predictor
    groups = None if matched.groups is None else matched.groups[at]
    treated = matched.propensity.treated[at]
    return _Observed(at, place_in_panel[at], y[at], treated, scale[at], groups, kept)


def _row(
    arrays: UnitArrays,
    matched: Matched,
    cell: tuple[str, int, float | None],
    bias_adjust: bool,
    options: Variance,
) -> Estimate:
    """Estimate one outcome and wave."""
    outcome, wave, _ = cell
    seen = _observed(arrays, matched, wave)
    if not len(seen.pairs.focal):
        raise NotEstimableError(f"no pair has {outcome!r} in wave {arrays.waves[wave]}.")
    X = seen.score[:, None]
    shift = bias_adjustment(seen.y, seen.treated, X, seen.pairs) if bias_adjust else None
    effect = matched_effect(seen.y, seen.treated, seen.pairs, shift)
    part = np.flatnonzero(effect.focal | (effect.used > 0))
    term = _term(seen, matched, effect, part, options)
    units = arrays.clusters.iloc[seen.rows[part]]
    if not matched.design.replace:
        codes = pair_codes(seen.pairs, len(seen.y))[part]
        units = units.assign(pair=[str(seen.at[c]) for c in codes])
    arm = seen.treated[part]
    lost = int(matched.focal[seen.at].sum()) > int(effect.focal.sum())
    words = labels(matched, "matching.att", lost, "bias-adjusted" if bias_adjust else "")
    words |= wave_labels(arrays, outcome, wave, cell[2])
    counts = {
        "n": len(part),
        "n_treated": int(arm.sum()),
        "n_comparison": int((~arm).sum()),
        "comparison_mean": effect.comparison_mean,
    }
    default = AbadieImbens("estimated" if term.score_fitted else "known")
    return estimate_row(effect.estimate, term.psi, units, words, counts, default, [term])


def _term(
    seen: _Observed, matched: Matched, effect: MatchedEffect, part: IntArray, options: Variance
) -> MatchingTerm:
    """Return the linear form, scaled to the variance, with the regression behind it."""
    smaller = min(int(seen.treated.sum()), int((~seen.treated).sum()))
    if smaller <= options.neighbours + 1:
        raise NotEstimableError(
            f"an arm has {smaller} people observed, too few for the Abadie-Imbens variance from "
            f"{options.neighbours} neighbour(s) of the same arm."
        )
    if options.conditional == "constant":
        sigma2 = constant_sigma2(effect)
    else:
        tolerance = matched.design.tie_tolerance * float(seen.score.var(ddof=1))
        sigma2 = local_sigma2(
            seen.y, seen.treated, seen.score, options.neighbours, tolerance, seen.groups
        )
    known = getattr(matching_variance(effect, sigma2), options.target)
    fitted = _corrected(seen, matched, effect, known, options)
    variance = known if fitted is None else fitted
    if not variance > 0:
        raise NotEstimableError(
            "the Abadie-Imbens variance is not above zero: there are too few pairs, or the "
            "outcome does not vary among them."
        )
    psi = linear_form(seen.y, seen.treated, seen.score, effect, seen.groups)
    return MatchingTerm(
        psi=rescale(psi, variance, effect.focal)[part],
        rows=np.arange(len(part)),
        variance=variance,
        variance_known=known,
        score_fitted=fitted is not None,
        regression=None if matched.design.replace else _regression(seen, effect, part),
    )


def _corrected(
    seen: _Observed, matched: Matched, effect: MatchedEffect, known: float, options: Variance
) -> float | None:
    """Return the variance with the score's estimation, or None where that is not derived."""
    design, score = matched.design, matched.propensity
    focal = matched.focal[seen.at]
    if options.target == "sample" or score.fit is None:
        return None
    derived = design.replace and design.max_uses is None and design.ties == "average"
    if not derived or design.exact or not np.array_equal(effect.focal, focal):
        return None
    space = score.covariates[seen.at]
    if options.metric == "mahalanobis":
        spread = np.cov(score.covariates, rowvar=False).reshape(len(score.names), -1)
        space = space @ np.linalg.cholesky(np.linalg.inv(spread))
    X = np.column_stack([np.ones(len(seen.at)), score.covariates[seen.at]])
    fit = replace(score.fit, probability=score.score[seen.at])
    correction = score_correction(seen.y, seen.treated, X, fit, effect, space)
    return known + correction.variance


def _regression(seen: _Observed, effect: MatchedEffect, part: IntArray) -> LinearTerm:
    """Return the weighted regression of the outcome on treatment among the matched."""
    weight = np.where(effect.focal, 1.0, effect.used)[part]
    arm = seen.treated[part].astype(np.int64)
    total = np.bincount(arm, weight, minlength=2)
    mean = np.bincount(arm, weight * seen.y[part], minlength=2) / total
    fit = LinearFit(
        residuals=seen.y[part] - mean[arm],
        weights=weight,
        bread=np.diag(1.0 / total),
        rows=np.arange(len(part)),
        cells=arm,
    )
    return LinearTerm(fit, np.array([-1.0, 1.0]))
