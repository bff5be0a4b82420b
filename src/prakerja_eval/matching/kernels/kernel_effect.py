"""What did training do, compared with everybody near in score?"""

import numpy as np

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.estimate import Estimate, Robust, estimate_row
from prakerja_eval.matching.adjusted import (
    NOT_PARAMETRIC,
    counting,
    in_wave,
    labels,
    wave_labels,
    with_two_an_arm,
)
from prakerja_eval.matching.kernels.kernel_matching import KernelMatched, line, within
from prakerja_eval.matching.kernels.kernel_mean import KernelMean, kernel_mean
from prakerja_eval.matching.score.propensity import Propensity
from prakerja_eval.numerics.probit import Probit
from prakerja_eval.panel import UnitArrays
from prakerja_eval.typing import FloatArray

SCORE_KNOWN = "score taken as known"
ROUNDING = 1e-14  # of the outcome


def kernel_effect(
    arrays: UnitArrays, matched: KernelMatched, cell: tuple[str, int, float | None]
) -> Estimate:
    """Estimate one outcome and wave by kernel or radius matching.

    The mean over focal people of the difference between the own outcome and the kernel-weighted
    mean of the other arm. ψ obeys the law with the bandwidth held fixed: it counts how each unit
    moves the means of those nearby, and how the score's coefficients move who is near. A uniform
    kernel jumps, so that ψ takes the score as known there, and the label says so.

    Parameters
    ----------
    arrays : UnitArrays
        With the outcome.
    matched : KernelMatched
    cell : (str, int, float or None)
        Outcome, position of the wave, event time.

    Returns
    -------
    Estimate
        ψ'ψ by default, ``Robust("HC0", reference="normal")``; no standard error after a
        machine-learned score.

    Raises
    ------
    NotEstimableError
        If nobody observed has anybody of the other arm nearby.

    References
    ----------
    Heckman, Ichimura and Todd (1998), doi 10.1111/1467-937X.00044.
    """
    outcome, wave, lead = cell
    score, shape = matched.propensity, matched.design.shape
    place = score.positions(arrays)
    y = arrays.outcome[place, wave]
    seen = np.isfinite(y)
    found = within(matched.design, score, seen)
    if not found.reached.any():
        raise NotEstimableError(
            f"nobody with {outcome!r}{in_wave(arrays, wave)} has anybody of the other arm "
            "near in score."
        )
    base = np.where(seen & score.supported, score.weight, 0.0)
    fit = kernel_mean(shape, line(matched.design, score), y, score.treated, base, found)
    known = SCORE_KNOWN if score.fit is None or not shape.smooth else ""
    lost = int((matched.focal & seen).sum()) > int(found.reached.sum())
    words = labels(matched, "matching.att", lost, known) | wave_labels(arrays, outcome, wave, lead)
    part = found.reached | (found.served > 0)
    counts: dict[str, object] = {
        "n": int(part.sum()),
        "n_treated": int((part & score.treated).sum()),
        "n_comparison": int((part & ~score.treated).sum()),
        "comparison_mean": fit.comparison_mean,
    }
    psi = fit.psi if known else fit.psi + _through_score(matched, fit)
    rows = np.flatnonzero(part | (psi != 0))
    if np.sqrt(psi @ psi) <= ROUNDING * np.abs(y[part]).max():
        psi = np.zeros_like(psi)  # outcomes that are equal in each arm but for rounding
    psi, said = with_two_an_arm(psi[rows], counts)
    if score.fit is None:
        psi, said = np.full(len(rows), np.nan), {**counts, "status": NOT_PARAMETRIC}
    units = arrays.clusters.iloc[place[rows]]
    default = Robust("HC0", reference="normal")
    return counting(estimate_row(fit.theta, psi, units, words, said, default), part[rows])


def _through_score(matched: KernelMatched, fit: KernelMean) -> FloatArray:
    """Return the influence of the score's coefficients, (n,)."""
    score, design = matched.propensity, matched.design
    if score.fit is None:
        return np.zeros(len(score.treated))
    slope = 1.0 if design.scale == "logit" else _density(score)
    by_predictor = fit.by_place * slope / design.bandwidth
    by_coefficient = np.append(by_predictor.sum(), by_predictor @ score.covariates)
    return np.asarray(score.fit.psi @ by_coefficient)


def _density(score: Propensity) -> FloatArray:
    """Return d score / d linear predictor, (n,)."""
    if isinstance(score.fit, Probit):
        return np.asarray(np.exp(-(score.linear_predictor**2) / 2) / np.sqrt(2 * np.pi))
    return score.score * (1 - score.score)
