"""How rare is what was drawn, and which effects would make it no rarity?

A draw is a curve a, b, v0, v1, v2: the statistic of y - tau x is (a - tau b) over the root of
v0 - 2 tau v1 + tau^2 v2. So a test of any tau needs no new draw, and a confidence set is the tau
whose test does not reject.
"""

import numpy as np

from prakerja_eval.typing import BoolArray, FloatArray

TIE = 1e-9  # statistics closer than this, relatively, are equal
ROUNDING = 1e-12
ANGLES = 401
HALVINGS = 50
HELD = 20_000  # statistics at a time


def t_values(curve: FloatArray, one: FloatArray, tau: FloatArray) -> FloatArray:
    """Return the statistics of one * y - tau * x, (..., A).

    Without spread it is zero where the difference is zero too, and infinite elsewhere.

    Parameters
    ----------
    curve : (..., 5) array
    one, tau : (A,) arrays
        (1, tau) for a value of tau; (0, 1) for tau without end.
    """
    a, b, v0, v1, v2 = np.moveaxis(curve[..., None], -2, 0)
    top = one * a - tau * b
    squares, twice = one**2 * v0 + tau**2 * v2, 2 * one * tau * v1
    variance = squares - twice
    variance = np.where(variance <= ROUNDING * squares, 0.0, variance)
    top = np.where(np.abs(top) > ROUNDING * (np.abs(one * a) + np.abs(tau * b)), top, 0.0 * top)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = top / np.sqrt(variance)
    return np.where((top == 0) & (variance == 0), 0.0, t)


def at_least(drawn: FloatArray, observed: FloatArray | float) -> BoolArray:
    """Say which draws are as extreme as the observed one; one without a statistic counts."""
    with np.errstate(invalid="ignore"):
        return np.asarray(~(np.abs(drawn) < np.abs(observed) * (1 - TIE)))


def p_value(extreme: BoolArray, exact: bool) -> FloatArray:
    """Return the share of extreme draws over the first axis, the observed among them."""
    count, reps = extreme.sum(axis=0), len(extreme)
    return np.asarray(count / reps if exact else (1 + count) / (1 + reps))


def p_at(
    observed: FloatArray, drawn: FloatArray, exact: bool, one: FloatArray, tau: FloatArray
) -> FloatArray:
    """Return the p-values of effects of tau (``one`` = 1; see ``t_values``), (A,).

    Parameters
    ----------
    observed : (5,) array
    drawn : (R, 5) array
    exact : bool
        Whether the draws are all assignments, the observed one among them.
    one, tau : (A,) arrays
    """
    p, step = np.empty(len(tau)), max(1, HELD // len(drawn))
    for first in range(0, len(tau), step):
        at = slice(first, first + step)
        extreme = at_least(t_values(drawn, one[at], tau[at]), t_values(observed, one[at], tau[at]))
        p[at] = p_value(extreme, exact)
    return p


def accepted(
    observed: FloatArray, drawn: FloatArray, exact: bool, alpha: float
) -> list[tuple[float, float]]:
    """Return the intervals of tau whose p-value is above alpha, from left to right.

    Values are laid on a half circle, tau = centre + scale tan(angle), whose two ends are one point,
    tau without end. The p-value is taken at ``ANGLES`` angles and each change halved to its place;
    a gap narrower than the step between angles is not seen.
    """
    centre = observed[0] / observed[1]
    spread = np.nanstd(drawn[:, 0] - centre * drawn[:, 1])
    scale = spread / abs(observed[1]) if spread > 0 else 1.0

    def inside(angle: FloatArray) -> BoolArray:
        one = np.cos(angle)
        tau = one * centre + scale * np.sin(angle)
        return np.asarray(p_at(observed, drawn, exact, one, tau) > alpha)

    angles = np.linspace(-np.pi / 2, np.pi / 2, ANGLES)
    within = inside(angles[:-1])
    within = np.append(within, within[0])  # the two ends are one point
    change = np.flatnonzero(within[1:] != within[:-1])
    low, high = angles[change], angles[change + 1]
    for _ in range(HALVINGS if len(change) else 0):
        middle = (low + high) / 2
        left = inside(middle) == within[change]
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    ends = (centre + scale * np.tan((low + high) / 2)).tolist()
    if within[0]:
        ends = [-np.inf, *ends, np.inf]
    return list(zip(ends[::2], ends[1::2], strict=True))
