"""What if those who did not answer lie some standard deviations off? Kling and Liebman (2004).

Every missing value is the mean of the own arm and block, moved by k standard deviations of the own
arm: winners down and losers up for the lower limit, the reverse for the upper one.
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.numerics.trimming import Response, influence, refuse_silence, response
from prakerja_eval.typing import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Spread:
    """Limits at S steps; columns are (lower, upper) of each step in turn.

    Attributes
    ----------
    theta : (2S,)
    psi, psi_share : (n, 2S)
        Influence at fixed people per block, and that of the people; their sum obeys the law.
    psi_spread : (n, 2S)
        The part of ``psi`` that comes from the standard deviations.
    response : Response
    shares : (B,)
        s, people by block.
    slopes : (B, 2, 2S)
        d theta / d q by block, arm and limit.
    residuals : (n,)
        y less the mean of the respondents of its block and arm; zero where y is missing.
    deviations : (2,)
        Standard deviations of the losers and the winners who answered.
    comparison : (2S,)
        sum_b s_b times the losers' mean, filled in.
    """

    theta: FloatArray
    psi: FloatArray
    psi_share: FloatArray
    psi_spread: FloatArray
    response: Response
    shares: FloatArray
    slopes: FloatArray
    residuals: FloatArray
    deviations: FloatArray
    comparison: FloatArray


def spread_bounds(
    y: FloatArray,
    arm: FloatArray,
    block: IntArray,
    w: FloatArray,
    base: FloatArray,
    steps: FloatArray,
) -> Spread:
    """Fill in means moved by k standard deviations.

    Parameters
    ----------
    y, arm, block, w, base : (n,)
        As in ``numerics.trimming.trimmed_bounds``, a cell being a block.
    steps : (S,)
        k.

    Raises
    ------
    NotEstimableError
        If nobody answered in an arm of a block, or one person in an arm.
    """
    found = response(y, arm, block, w)
    refuse_silence(found)
    n_blocks = len(found.rates)
    mean, residuals = _block_means(y, 2 * block + (arm == 1), w, found.answered.ravel())
    sd, d_sd = _deviations(y, arm, w)
    # sign of k by arm (losers, winners) and limit
    moved = np.array([[1.0, -1.0], [-1.0, 1.0]])[:, None, :] * steps[None, :, None]
    moved = moved.reshape(2, -1)
    missing = 1 - found.rates
    filled = mean.reshape(n_blocks, 2)[:, :, None] + missing[:, :, None] * (sd[:, None] * moved)
    effects = filled[:, 1] - filled[:, 0]
    drawn = base * w / np.sum(base * w)
    shares = np.asarray(np.bincount(block, drawn, minlength=n_blocks), dtype=np.float64)
    theta = shares @ effects
    sign = np.array([-1.0, 1.0])
    slopes = -shares[:, None, None] * (sign * sd)[:, None] * moved
    outcome = np.repeat(residuals[:, None], len(theta), axis=1)
    direct = influence(y, arm, block, w, found, (slopes, outcome, shares))
    by_arm = (sign * (shares @ missing))[:, None] * moved
    spread = d_sd[:, None] * by_arm[(arm == 1).astype(np.int64)]
    return Spread(
        theta=theta,
        psi=direct + spread,
        psi_share=drawn[:, None] * (effects - theta)[block],
        psi_spread=spread,
        response=found,
        shares=shares,
        slopes=slopes,
        residuals=residuals,
        deviations=sd,
        comparison=shares @ filled[:, 0],
    )


def _block_means(
    y: FloatArray, code: IntArray, w: FloatArray, answered: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the respondents' means by block and arm (2B,), and residuals (n,)."""
    seen = np.isfinite(y)
    at, mass, values = code[seen], w[seen], y[seen]
    mean = np.bincount(at, mass * values, minlength=len(answered)) / answered
    mean += np.bincount(at, mass * (values - mean[at]), minlength=len(answered)) / answered
    residuals = np.zeros(len(y))
    residuals[seen] = values - mean[at]
    return mean, residuals


def _deviations(y: FloatArray, arm: FloatArray, w: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the standard deviation of the respondents of each arm (2,), and its influence (n,).

    The variance is n / (n - 1) times the weighted mean square around the arm's mean.
    """
    sd, psi = np.zeros(2), np.zeros(len(y))
    for a in (0, 1):
        rows = np.flatnonzero(np.isfinite(y) & (arm == a))
        if len(rows) < 2:
            raise NotEstimableError("an arm with one respondent has no standard deviation")
        share = w[rows] / w[rows].sum()
        square = (y[rows] - share @ y[rows]) ** 2
        small = len(rows) / (len(rows) - 1)
        variance = float(share @ square)
        sd[a] = np.sqrt(small * variance)
        if variance > 0:
            psi[rows] = small * share * (square - variance) / (2 * sd[a])
    return sd, psi
