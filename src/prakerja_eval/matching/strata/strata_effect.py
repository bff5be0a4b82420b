"""What did training do within strata? Differences between arms, averaged over strata."""

import numpy as np

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.estimate import Estimate, LinearFit, LinearTerm, Robust, estimate_row
from prakerja_eval.estimate.terms import FULL_LEVERAGE, SmallBlocks
from prakerja_eval.matching.adjusted import NOT_PARAMETRIC, in_wave, labels, wave_labels
from prakerja_eval.matching.strata.strata import Stratified
from prakerja_eval.matching.strata.subclass import Subclass
from prakerja_eval.numerics.blocks import BlockMeans, block_means
from prakerja_eval.numerics.lone_arms import lone_arm_scores
from prakerja_eval.panel import UnitArrays
from prakerja_eval.typing import FloatArray, IntArray

WRITTEN_OUT = 2_000  # strata, whose regression is a matrix of (2 S)² numbers
MANY = (
    f"a person alone in an arm of a stratum, and over {WRITTEN_OUT:,} strata: no standard error "
    "here, use matching.difference"
)


def stratified_effect(
    arrays: UnitArrays, stratified: Stratified, cell: tuple[str, int, float | None]
) -> Estimate:
    r"""Estimate one outcome and wave by the average of differences within strata.

    .. math:: \theta = \sum_s \frac{F_s}{F} (\bar y_{1s} - \bar y_{0s})

    with F_s the focal people of stratum s, sampling weights included. The number is that of
    ``difference``; the standard error is not, since it looks at outcomes within strata and
    counts the shares as drawn. Strata are taken as given, the score behind them too.

    Parameters
    ----------
    arrays : UnitArrays
        With the outcome.
    stratified : Stratified
    cell : (str, int, float or None)
        Outcome, position of the wave, event time.

    Returns
    -------
    Estimate
        HC2 by default (HC0 of over 2,000 strata). Strata with one person in an arm have their
        variance from the differences between such strata, where there are three or more (Pashley
        and Miratrix 2021), else there is no standard error.

    Raises
    ------
    NotEstimableError
        If no stratum has both arms observed.

    References
    ----------
    Imbens and Rubin (2015), ch. 17.
    """
    outcome, wave, lead = cell
    units = stratified.propensity
    place = units.positions(arrays)
    y = arrays.outcome[place, wave]
    seen = np.isfinite(y)
    made = stratified.among(seen)
    part = np.flatnonzero(made.clusters["subclass"] >= 0)
    if not len(part):
        raise NotEstimableError(f"no stratum has {outcome!r} of both arms{in_wave(arrays, wave)}.")
    _, block = np.unique(made.clusters["subclass"][part], return_inverse=True)
    arm, weight = units.treated[part].astype(np.int64), units.weight[part]
    # A shift of y changes no difference; without it a constant outcome leaves no rounding.
    shift = float(y[part[0]])
    focal = stratified.focal[part].astype(np.float64)
    means = block_means(y[part] - shift, arm, block, weight, focal)
    lost = int((stratified.focal & seen).sum()) > int(made.reached.sum())
    words = labels(stratified, "matching.att", lost, _as_given(stratified))
    counts: dict[str, object] = {
        "n": len(part),
        "n_treated": int(arm.sum()),
        "n_comparison": len(part) - int(arm.sum()),
        "comparison_mean": means.comparison_mean + shift,
    }
    psi, many = means.psi + means.psi_share, len(means.shares) > WRITTEN_OUT
    if reason := _no_standard_error(stratified, means):
        psi, counts["status"] = np.full_like(psi, np.nan), reason
    return estimate_row(
        means.theta,
        psi,
        arrays.clusters.iloc[place[part]],
        words | wave_labels(arrays, outcome, wave, lead),
        counts,
        Robust("HC0", reference="normal") if many else Robust("HC2"),
        [] if many else [_term(means, block, weight, focal)],
    )


def _as_given(stratified: Stratified) -> str:
    """Say what was estimated before and is taken as known."""
    return "cut points of the score as given" if isinstance(stratified.design, Subclass) else ""


def _no_standard_error(stratified: Stratified, means: BlockMeans) -> str:
    """Say why there is no standard error, if there is none."""
    if isinstance(stratified.design, Subclass) and stratified.propensity.fit is None:
        return NOT_PARAMETRIC
    many = len(means.shares) > WRITTEN_OUT
    return MANY if many and bool((means.leverage >= FULL_LEVERAGE).any()) else ""


def _term(means: BlockMeans, block: IntArray, weight: FloatArray, focal: FloatArray) -> LinearTerm:
    """Return the regression on arms of strata, whose coefficients are their means."""
    fit = LinearFit(
        residuals=means.residuals,
        weights=weight,
        bread=np.diag(1.0 / np.bincount(means.cell, weight)),
        rows=np.arange(len(block)),
        cells=means.cell,
    )
    contrast = np.column_stack([-means.shares, means.shares]).ravel()
    counted = focal * weight / (focal @ weight)
    return LinearTerm(fit, contrast, small=_alone(means, block, counted), sampled=True)


def _alone(means: BlockMeans, block: IntArray, counted: FloatArray) -> SmallBlocks | None:
    """Return the variance of strata with one person in an arm, where it can be told.

    The variance between such strata holds the spread of their effects, so that ψ's part for their
    shares as drawn, ``counted`` times the effect less theta, is left with the distance of their
    mean effect from theta.
    """
    count = np.bincount(means.cell, minlength=2 * len(means.shares))
    small = np.minimum(count[0::2], count[1::2]) == 1
    effects, shares = means.effects[small], means.shares[small]
    scores = lone_arm_scores(effects, shares)
    if scores is None:
        return None
    _, first = np.unique(block, return_index=True)
    spread = means.effects - shares @ effects / shares.sum()
    score = -counted * spread[block]
    score[first[small]] += scores
    return SmallBlocks(small[block], score)
