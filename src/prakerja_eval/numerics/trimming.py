"""How far can attrition move a difference? Trimming the arm that answers more (Lee 2009).

In every cell (a block, or a block's people with the same covariates) the arm with the higher
response rate holds the always-responders and people who answer because of their arm. Leaving out
its highest or its lowest values, as many as the rates say, brackets the always-responders' mean.
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.typing import FloatArray, IntArray

# Sums of weights that should meet the kept mass exactly miss it by rounding.
ROUNDING = 1e-10


@dataclass(frozen=True, slots=True)
class Response:
    """Who answered, by cell (rows) and arm (columns: losers, winners).

    Attributes
    ----------
    people, answered : (C, 2)
        N and R: sums of weights of everybody, and of those who answered.
    rates : (C, 2)
        q = R / N; NaN where the cell has nobody in the arm.
    """

    people: FloatArray
    answered: FloatArray
    rates: FloatArray


@dataclass(frozen=True, slots=True)
class Trimmed:
    """The two limits of the always-responders' effect; the last axis is (lower, upper).

    Attributes
    ----------
    theta : (2,)
        sum_c s_c B_c.
    psi, psi_share : (n, 2)
        Influence at fixed people per cell, and that of the people; their sum obeys the law.
    response : Response
    trimmed : (C,) int
        h, the arm that is trimmed.
    kept : (C,)
        kappa = q_l / q_h, the share of its respondents that is kept.
    shares : (C,)
        s.
    slopes : (C, 2, 2)
        d theta / d q by cell, arm and limit.
    residuals : (n, 2)
        Of the outcome regression on cells by arm: y less its mean or, in a trimmed arm,
        (y censored at the cut, less its mean) / kappa. Zero where y is missing.
    comparison : (2,)
        sum_c s_c times the mean of the losers who are kept.
    """

    theta: FloatArray
    psi: FloatArray
    psi_share: FloatArray
    response: Response
    trimmed: IntArray
    kept: FloatArray
    shares: FloatArray
    slopes: FloatArray
    residuals: FloatArray
    comparison: FloatArray


@dataclass(frozen=True, slots=True)
class _Kept:
    """The kept tails of the trimmed arms; the last axis is (lowest values, highest values).

    Attributes
    ----------
    rows : (m,) int
        Respondents of the trimmed arms.
    cut, mean : (C, 2)
        The value at the cut, and the mean of what is kept.
    pseudo : (m, 2)
        (y censored at the cut, less its mean) / kappa.
    """

    rows: IntArray
    cut: FloatArray
    mean: FloatArray
    pseudo: FloatArray


def response(y: FloatArray, arm: FloatArray, cell: IntArray, w: FloatArray) -> Response:
    """Count who answered: y (n,) is NaN for those who did not; cells are 0 .. C-1."""
    n_cells = int(cell.max(initial=-1)) + 1
    code = 2 * cell + (arm == 1)
    seen = np.isfinite(y)
    people = _sums(w, code, 2 * n_cells).reshape(n_cells, 2)
    answered = _sums(w[seen], code[seen], 2 * n_cells).reshape(n_cells, 2)
    rates = np.full_like(people, np.nan)
    np.divide(answered, people, out=rates, where=people > 0)
    return Response(people, answered, rates)


def trimmed_bounds(
    y: FloatArray,
    arm: FloatArray,
    cell: IntArray,
    w: FloatArray,
    base: FloatArray,
    direction: int = 0,
    always: bool = True,
) -> Trimmed:
    """Bound the difference between arms among those who answer in either.

    Parameters
    ----------
    y : (n,)
        Outcome, NaN for those who did not answer.
    arm : (n,)
        1 for winners, 0 for losers.
    cell : (n,) int
        Codes 0 .. C-1.
    w : (n,)
        Weights above zero.
    base : (n,)
        a_i in the people of a cell, sum a_i w_i: ones, or the arm itself for the winners.
    direction : int
        Which arm is trimmed: 0, each cell's own with the higher rate; 1, the winners everywhere;
        -1, the losers. A cell with the opposite rates is not trimmed.
    always : bool
        Whether cells count by people times the lower rate (always-responders), or by people.

    Raises
    ------
    NotEstimableError
        If nobody answered in an arm of a cell.
    """
    found = response(y, arm, cell, w)
    refuse_silence(found)
    q, each = found.rates, np.arange(len(found.rates))
    h = np.where(direction == 0, q[:, 1] >= q[:, 0], direction > 0).astype(np.int64)
    low = np.where(q[each, h] < q[each, 1 - h], h, 1 - h)  # the arm with the lower rate
    lowest, kept = q[each, low], q[each, low] / q[each, h]
    mean, cut, rest, residuals = _means(y, arm, cell, w, h, kept)
    sign = (2 * h - 1)[:, None]
    effects = sign * (mean - rest[:, None])
    counted = lowest if always else np.ones(len(q))
    drawn = base * w * counted[cell]
    drawn = drawn / drawn.sum()
    shares = _sums(drawn, cell, len(q))
    theta = shares @ effects
    steep = np.where((low == h)[:, None], 0.0, sign * shares[:, None] * (mean - cut))
    slopes = np.stack([steep, steep], axis=1) / q[:, :, None]
    slopes[each, 1 - h] *= -1
    if always:
        slopes[each, low] += shares[:, None] * (effects - theta) / lowest[:, None]
    return Trimmed(
        theta=theta,
        psi=influence(y, arm, cell, w, found, (slopes, residuals, shares)),
        psi_share=drawn[:, None] * (effects - theta)[cell],
        response=found,
        trimmed=h,
        kept=kept,
        shares=shares,
        slopes=slopes,
        residuals=residuals,
        comparison=shares @ np.where((h == 0)[:, None], mean, rest[:, None]),
    )


def refuse_silence(found: Response) -> None:
    """Refuse a cell in which nobody of an arm answered."""
    if not (found.answered > 0).all():
        raise NotEstimableError("nobody answered in an arm of a cell: nothing to compare")


def influence(
    y: FloatArray,
    arm: FloatArray,
    cell: IntArray,
    w: FloatArray,
    found: Response,
    parts: tuple[FloatArray, FloatArray, FloatArray],
) -> FloatArray:
    """Return the influence (n, K) of limits that depend on response rates and respondents.

    ``parts`` are the slopes (C, 2, K) in the rates, the residuals (n, K) of the respondents and the
    shares (C,) of the cells: the regressions of the response on everybody's arm and cell, and of
    the outcome on the respondents'.
    """
    slopes, residuals, shares = parts
    code = 2 * cell + (arm == 1)
    answer = w * (np.isfinite(y) - found.rates.ravel()[code]) / found.people.ravel()[code]
    lever = (2 * arm - 1) * shares[cell] * w / found.answered.ravel()[code]
    flat = slopes.reshape(-1, slopes.shape[2])
    return np.asarray(answer[:, None] * flat[code] + lever[:, None] * residuals)


def _means(
    y: FloatArray, arm: FloatArray, cell: IntArray, w: FloatArray, h: IntArray, kept: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return means and cuts (C, 2) of the trimmed arms, means of the others (C,), residuals (n, 2).

    The last axis of each pair is (lower, upper) limit.
    """
    tails = _kept_tails(y, arm, cell, w, h, kept)
    rest, residuals = _untrimmed(y, arm, cell, w, h)
    # winners' lowest values are in the lower limit, losers' lowest in the upper one
    flip = h == 0
    residuals[tails.rows] = _flipped(tails.pseudo, flip[cell[tails.rows]])
    return _flipped(tails.mean, flip), _flipped(tails.cut, flip), rest, residuals


def _kept_tails(
    y: FloatArray, arm: FloatArray, cell: IntArray, w: FloatArray, h: IntArray, kept: FloatArray
) -> _Kept:
    """Sort the trimmed arms once; the value at the cut counts with the part that fills the mass.

    With K = kappa R, the mean of the lowest values is cut + sum w min(y - cut, 0) / K.
    """
    n_cells = len(h)
    rows = np.flatnonzero(np.isfinite(y) & (arm == h[cell]))
    rows = rows[np.argsort(y[rows])]
    rows = rows[np.argsort(_narrow(cell[rows], n_cells), kind="stable")]
    values, mass, at = y[rows], w[rows], cell[rows]
    first = np.searchsorted(at, np.arange(n_cells + 1))
    upto = np.cumsum(mass)
    upto -= np.concatenate([[0.0], upto])[first[:-1]][at]
    total = _sums(mass, at, n_cells)
    K = kept * total
    short = (K * (1 - ROUNDING))[at]
    below = np.bincount(at[upto < short], minlength=n_cells)
    above = np.bincount(at[total[at] - upto + mass < short], minlength=n_cells)
    cut = np.column_stack([values[first[:-1] + below], values[first[1:] - 1 - above]])
    beyond = values[:, None] - cut[at]
    beyond = np.column_stack([np.minimum(beyond[:, 0], 0.0), np.maximum(beyond[:, 1], 0.0)])
    sums = np.column_stack([_sums(mass * column, at, n_cells) for column in beyond.T])
    pseudo = (beyond - (sums / total[:, None])[at]) / kept[at][:, None]
    return _Kept(rows, cut, cut + sums / K[:, None], pseudo)


def _untrimmed(
    y: FloatArray, arm: FloatArray, cell: IntArray, w: FloatArray, h: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return the means (C,) of the arms that are not trimmed, and their residuals (n, 2)."""
    rows = np.flatnonzero(np.isfinite(y) & (arm != h[cell]))
    at, mass = cell[rows], w[rows]
    total = _sums(mass, at, len(h))
    mean = _sums(mass * y[rows], at, len(h)) / total
    mean = mean + _sums(mass * (y[rows] - mean[at]), at, len(h)) / total  # against rounding
    residuals = np.zeros((len(y), 2))
    residuals[rows] = (y[rows] - mean[at])[:, None]
    return mean, residuals


def _flipped(pairs: FloatArray, flip: FloatArray) -> FloatArray:
    """Swap the two columns in the rows marked."""
    return np.where(flip[:, None], pairs[:, ::-1], pairs)


def _narrow(cell: IntArray, n_cells: int) -> IntArray:
    """Return the codes in two bytes where they fit: a stable sort of those is by counting."""
    return cell.astype(np.uint16) if n_cells <= 1 << 16 else cell


def _sums(x: FloatArray, cell: IntArray, n_cells: int) -> FloatArray:
    return np.asarray(np.bincount(cell, x, minlength=n_cells), dtype=np.float64)


def odds_weights(arm: FloatArray, block: IntArray, w: FloatArray, base: FloatArray) -> FloatArray:
    """Weigh each arm to the people of the blocks, (n,): w_i A_b / N_ba, the odds as realised.

    A_b sums ``base`` times w over the block, N_ba sums w over its arm; no arm may be empty.
    """
    people, wanted = _odds_sums(arm, block, w, base)
    return np.asarray(w * wanted[block] / people[2 * block + (arm == 1)])


def odds_influence(
    phi: FloatArray, arm: FloatArray, block: IntArray, w: FloatArray, base: FloatArray
) -> FloatArray:
    """Return the influence (n, K) of an estimate with ``odds_weights``, from that at known weights.

    d log weight = d log w + d log A_b - d log N_ba, so each person also moves the sums of phi over
    the own arm and block.
    """
    people, wanted = _odds_sums(arm, block, w, base)
    code = 2 * block + (arm == 1)
    psi = np.array(phi)
    for k, column in enumerate(phi.T):
        by_arm = _sums(column, code, len(people))
        by_block = by_arm[0::2] + by_arm[1::2]
        psi[:, k] += base * w * (by_block / wanted)[block] - w * (by_arm / people)[code]
    return psi


def _odds_sums(
    arm: FloatArray, block: IntArray, w: FloatArray, base: FloatArray
) -> tuple[FloatArray, FloatArray]:
    n_blocks = int(block.max()) + 1
    people = _sums(w, 2 * block + (arm == 1), 2 * n_blocks)
    return people, _sums(base * w, block, n_blocks)
