"""How uncertain is the effect on the matched, and what does each person contribute to it?"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate import LinearFit, LinearTerm, MatchingTerm
from prakerja_eval.estimate.specs import one_of
from prakerja_eval.matching.effects.abadie_imbens import (
    constant_sigma2,
    local_sigma2,
    matching_variance,
)
from prakerja_eval.matching.effects.effects import MatchedEffect
from prakerja_eval.matching.effects.estimated_score import (
    FittedScore,
    ScoreCorrection,
    score_correction,
)
from prakerja_eval.matching.effects.linear_form import linear_form, rescale
from prakerja_eval.matching.effects.matched_sample import Observed
from prakerja_eval.matching.match import Matched
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
        Variance of the outcome given what was matched on: from each unit's nearest neighbours of
        its own arm, or one for all, which supposes a constant effect.
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


@dataclass(frozen=True, slots=True, eq=False)
class Forms:
    """What each of the score's units contributes, before it is set to a variance.

    Attributes
    ----------
    estimate : float
        The estimate corrected for the distance within pairs, which the form decomposes.
    known, fitted : (n,) arrays
        With the score taken as known, and with its estimation where that is derived.
    focal, part : (n,) bool arrays
        Whose effect it is, and who contributes.
    added : float
        What the score's estimation adds to the variance.
    why_known : str
        Why it adds nothing; empty where it does.
    """

    estimate: float
    known: FloatArray
    fitted: FloatArray
    focal: BoolArray
    part: BoolArray
    added: float
    why_known: str


def forms(seen: Observed, matched: Matched, effect: MatchedEffect, options: Variance) -> Forms:
    """Return the linear form of a matching estimate.

    The score's units that were matched contribute and, where the score's estimation is in the form,
    all that took part in the fit.
    """
    n, fit = len(matched.focal), matched.propensity.fit
    found = linear_form(seen.y, seen.treated, seen.space, effect, seen.groups)
    known, focal, part = np.zeros(n), np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    known[seen.at], focal[seen.at] = found.psi, effect.focal
    part[seen.at] = effect.focal | (effect.used > 0)
    why = why_known(seen, matched, effect, options)
    if why or fit is None:
        return Forms(found.estimate, known, known, focal, part, 0.0, why)
    correction = _correction(seen, matched, effect, options)
    fitted = known + fit.psi @ (correction.derivative - correction.c)
    part |= fit.psi.any(axis=1)
    return Forms(found.estimate, known, fitted, focal, part, correction.variance, why)


def matching_term(
    seen: Observed, matched: Matched, effect: MatchedEffect, options: Variance
) -> tuple[IntArray, MatchingTerm]:
    """Return who contributes, and the linear form set to the variance, with its regression."""
    known = _known_variance(seen, matched, effect, options)
    made = forms(seen, matched, effect, options)
    _refuse_none(known + made.added)
    psi = rescale(made.fitted, known + made.added, made.focal)
    of_known = rescale(made.known, known, made.focal)
    rows = np.flatnonzero(made.part)
    regression = None if matched.design.replace else _regression(seen, effect, rows)
    term = MatchingTerm(psi[rows], of_known[rows], np.arange(len(rows)), made.why_known, regression)
    return rows, term


def why_known(seen: Observed, matched: Matched, effect: MatchedEffect, options: Variance) -> str:
    """Say why the score's estimation is not in the variance, and what would mend it."""
    design, score = matched.design, matched.propensity
    reasons = (
        (design.distance != "score", "distances are in covariates, with no score in them"),
        (score.fit is None, "no parametric score was fitted; use a logit or probit score"),
        (options.target == "sample", "Variance(target='sample') holds the people at hand fixed"),
        (not design.replace, "matching was without replacement; use Clustered('pair')"),
        (design.max_uses is not None, "max_uses limits who may serve; leave it out"),
        (design.ties != "average", "the first of tied people was taken; use ties='average'"),
        (bool(design.exact), "pairs agree on exact columns; put those into the score instead"),
        (score.support is not None, "people outside common support were left out; match all"),
        (np.ptp(score.weight) > 0, "people have sampling weights"),
        (seen.named, "the bias adjustment is on columns of its own; use bias_adjust=True"),
        (
            not np.array_equal(effect.focal, seen.focal),
            "a caliper, or a counterpart that was not seen, left people without one; widen it",
        ),
    )
    return next((why for holds, why in reasons if holds), "")


def _known_variance(
    seen: Observed, matched: Matched, effect: MatchedEffect, options: Variance
) -> float:
    """Return the 2006 variance."""
    served = effect.focal | (effect.used > 0)
    if min(int((served & seen.treated).sum()), int((served & ~seen.treated).sum())) < 2:
        raise NotEstimableError(
            "one person of an arm was matched, who has no variance; widen the caliper, or the "
            "exact columns."
        )
    smaller = min(int(seen.treated.sum()), int((~seen.treated).sum()))
    if smaller <= options.neighbours + 1:
        raise NotEstimableError(
            f"an arm has {smaller} people observed, too few for the Abadie-Imbens variance from "
            f"{options.neighbours} neighbour(s) of the same arm."
        )
    if options.conditional == "constant":
        sigma2 = constant_sigma2(effect)
    else:
        on_score = matched.design.distance == "score"
        unit = float(seen.space.var(ddof=1)) if on_score else 1.0
        tolerance = matched.design.tie_tolerance * unit
        near = (options.neighbours, tolerance, seen.groups)
        sigma2 = local_sigma2(seen.y, seen.treated, seen.space, *near)
    known: float = getattr(matching_variance(effect, sigma2), options.target)
    _refuse_none(known)
    return known


def _refuse_none(variance: float) -> None:
    if not variance > 0:
        raise NotEstimableError(
            "the Abadie-Imbens variance is not above zero: there are too few pairs, or the "
            "outcome does not vary among them."
        )


def _correction(
    seen: Observed, matched: Matched, effect: MatchedEffect, options: Variance
) -> ScoreCorrection:
    """Return what the fitted score adds to the variance."""
    score = matched.propensity
    if score.fit is None:
        raise ValueError("there is no parametric score")
    space = score.covariates[seen.at]
    if options.metric == "mahalanobis":
        spread = np.cov(score.covariates, rowvar=False).reshape(len(score.names), -1)
        space = space @ np.linalg.cholesky(np.linalg.inv(spread))
    X = np.column_stack([np.ones(len(seen.at)), score.covariates[seen.at]])
    fitted = FittedScore.of(score.fit, seen.at)
    return score_correction(seen.y, seen.treated, X, fitted, effect, space)


def _regression(seen: Observed, effect: MatchedEffect, rows: IntArray) -> LinearTerm:
    """Return the weighted regression of the outcome on treatment among the matched."""
    part = np.flatnonzero(effect.focal | (effect.used > 0))
    weight: FloatArray = (effect.focal + effect.used)[part]
    arm = seen.treated[part].astype(np.int64)
    total = np.bincount(arm, weight, minlength=2)
    mean = np.bincount(arm, weight * seen.y[part], minlength=2) / total
    fit = LinearFit(
        residuals=seen.y[part] - mean[arm],
        weights=weight,
        bread=np.diag(1.0 / total),
        rows=np.searchsorted(rows, seen.at[part]),
        cells=arm,
    )
    return LinearTerm(fit, np.array([-1.0, 1.0]))
