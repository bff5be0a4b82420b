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


def t_values(curve: FloatArray, one: float, tau: float) -> FloatArray:
    """Return the statistics of one * y - tau * x, (...).

    Without spread it is zero where the difference is zero too, and infinite elsewhere.

    Parameters
    ----------
    curve : (..., 5) array
    one, tau : float
        (1, tau) for a value of tau; (0, 1) for tau without end.
    """
    a, b, v0, v1, v2 = np.moveaxis(curve, -1, 0)
    top = one * a - tau * b
    parts = one**2 * v0 + tau**2 * v2, 2 * one * tau * v1
    variance = parts[0] - parts[1]
    variance = np.where(variance <= ROUNDING * parts[0], 0.0, variance)
    top = np.where(np.abs(top) > ROUNDING * (np.abs(one * a) + np.abs(tau * b)), top, 0.0 * top)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = top / np.sqrt(variance)
    return np.where((top == 0) & (variance == 0), 0.0, t)


def at_least(drawn: FloatArray, observed: FloatArray | float) -> BoolArray:
    """Say which draws are as extreme as the observed one; one without a statistic counts."""
    with np.errstate(invalid="ignore"):
        return np.asarray(~(np.abs(drawn) < np.abs(observed) * (1 - TIE)))


def p_value(extreme: BoolArray, exact: bool) -> FloatArray:
    """Return the share of extreme draws over the last axis, the observed among them."""
    count, reps = extreme.sum(axis=-1), extreme.shape[-1]
    return np.asarray(count / reps if exact else (1 + count) / (1 + reps))


def p_at(observed: FloatArray, drawn: FloatArray, exact: bool, one: float, tau: float) -> float:
    """Return the p-value of an effect of tau (``one`` = 1; see ``t_values``).

    Parameters
    ----------
    observed : (5,) array
    drawn : (R, 5) array
    exact : bool
        Whether the draws are all assignments, the observed one among them.
    """
    extreme = at_least(t_values(drawn, one, tau), t_values(observed, one, tau))
    return float(p_value(extreme, exact))


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

    def inside(angle: float) -> bool:
        one = np.cos(angle)
        return p_at(observed, drawn, exact, one, one * centre + scale * np.sin(angle)) > alpha

    angles = np.linspace(-np.pi / 2, np.pi / 2, ANGLES)
    within = [inside(angle) for angle in angles[:-1]]
    within.append(within[0])  # the two ends are one point
    if all(within):
        return [(-np.inf, np.inf)]
    ends = [-np.inf] if within[0] else []
    for k in np.flatnonzero(np.diff(within)):
        low, high = angles[k], angles[k + 1]
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if inside(middle) == within[k] else (low, middle)
        ends.append(float(centre + scale * np.tan((low + high) / 2)))
    if within[-1]:
        ends.append(np.inf)
    return list(zip(ends[::2], ends[1::2], strict=True))
