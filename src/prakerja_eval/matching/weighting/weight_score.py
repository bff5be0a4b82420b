"""What does the score make of each person? Inverse-probability weights of a panel's people."""

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.special import expit, ndtr

from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.matching.adjusted import focal_units
from prakerja_eval.matching.score.propensity import Propensity
from prakerja_eval.matching.weighting.inverse_probability import (
    Tilt,
    balancing_weights,
    ceilings,
    truncated,
)
from prakerja_eval.matching.weighting.weighted import ARMS, Weighted, has_score
from prakerja_eval.matching.weighting.weighting import InverseProbability
from prakerja_eval.numerics.logit import Logit
from prakerja_eval.typing import BoolArray, FloatArray


def by_score(score: Propensity, design: InverseProbability) -> Weighted:
    """Weight people by their score.

    Parameters
    ----------
    score : Propensity
    design : InverseProbability

    Raises
    ------
    UsageError
        If people have no score.
    NotEstimableError
        If nobody of an arm is left within the bounds, or someone is in an arm whose probability
        is zero.
    """
    if not has_score(score):
        raise UsageError("inverse-probability weights need a score; give covariates=[...].")
    treated, e = score.treated, score.score
    kept = score.supported
    if design.trim is not None:
        kept = kept & (e >= design.trim) & (e <= 1 - design.trim)
    base = np.where(kept, score.weight, 0.0)
    _refuse_empty_arm(base, treated)
    complement = _complement(score)
    _refuse_certain(np.where(treated, e, complement)[kept])
    made = balancing_weights(e, complement, treated, Tilt[design.estimand])
    focal = focal_units(design.estimand, treated)
    counts = made.tilt if design.estimand in ("ATO", "ATM") else focal.astype(np.float64)
    if design.truncate is not None:
        made = truncated(made, treated, ceilings(made.weight, base, treated, design.truncate))
    slope = np.where(kept, base * made.slope, 0.0)
    size = float(base @ counts)
    return Weighted(design, score, base * made.weight, size, _through(score, slope))


def _through(
    score: Propensity, slope: FloatArray
) -> Callable[[], tuple[FloatArray, FloatArray]] | None:
    """Say how weights depend on a parametric score, given d weights / d e."""
    if score.fit is None:
        return None
    by_predictor = slope * _density(score)
    return partial(_through_score, score.covariates, by_predictor, score.fit.psi)


def _through_score(
    covariates: FloatArray, slope: FloatArray, psi: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return d weights / d coefficients of the score, and their influence."""
    return slope[:, None] * np.column_stack([np.ones(len(slope)), covariates]), psi


def _refuse_empty_arm(base: FloatArray, treated: BoolArray) -> None:
    for name, arm in zip(ARMS, (treated, ~treated), strict=True):
        if not (base[arm] > 0).any():
            raise NotEstimableError(
                f"no {name} person has a score within the bounds: trim less, or narrow where()."
            )


def _refuse_certain(own: FloatArray) -> None:
    """Refuse people who were certain to be in the arm that they are not in."""
    lost = int((own <= 0).sum())
    if lost:
        raise NotEstimableError(
            f"{lost} people have probability 0 of the arm that they are in, so that their "
            "weights are infinite: trim=0.01, say, leaves out such scores."
        )


def _complement(score: Propensity) -> FloatArray:
    """Return 1 - e, to all digits where the link is known, (n,)."""
    if score.fit is None:
        return 1 - score.score
    link = expit if isinstance(score.fit, Logit) else ndtr
    return np.asarray(link(-score.linear_predictor), dtype=np.float64)


def _density(score: Propensity) -> FloatArray:
    """Return d e / d linear predictor, (n,)."""
    if isinstance(score.fit, Logit):
        return score.score * _complement(score)
    return np.asarray(np.exp(-(score.linear_predictor**2) / 2) / np.sqrt(2 * np.pi))
