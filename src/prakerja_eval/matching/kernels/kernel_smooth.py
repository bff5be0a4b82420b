"""What is the kernel-weighted sum of everybody nearby, for each place on a line? n log n, never n².

Places are in bandwidths. A kernel that is a polynomial in the distance needs sums of powers alone:
the line is cut into boxes one bandwidth wide, prefix sums of powers are taken about the middle of
each box, and a window of two bandwidths has at most two whole or cut boxes on each side of its
middle. The Gaussian kernel is expanded about the middle of boxes half a bandwidth wide,
exp(-(r - d)²/2) = exp(-r²/2) exp(-d²/2) Σ (r d)^m / m!, with |r d| < 2.2 (a fast Gauss transform;
Greengard and Strain 1991, doi 10.1137/0912004).
"""

from dataclasses import dataclass
from math import comb

import numpy as np

from prakerja_eval.typing import FloatArray, IntArray

FEW = 16  # people in a window who are summed one by one, so that a faint window loses no digits
WIDTH = 0.5  # of a box, for the Gaussian kernel
REACH = 17  # boxes on each side: 8.5 bandwidths, where the Gaussian kernel is 2e-16
TERMS = 26  # 2.2^26 / 26! is 2e-18
NODES = 20  # within a box the sum is a polynomial of their number, to (2.2 / 2)^20 / 20! or 3e-18


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A kernel as a function of the distance in bandwidths.

    Attributes
    ----------
    coefficients : (p + 1,)
        Of a polynomial in the distance up to one bandwidth, zero beyond; empty for the Gaussian.
    """

    coefficients: FloatArray

    @property
    def compact(self) -> bool:
        """Say whether the kernel ends at one bandwidth."""
        return len(self.coefficients) > 0

    @property
    def smooth(self) -> bool:
        """Say whether the kernel is continuous, so that a sum of it has a derivative."""
        return not self.compact or abs(float(self.coefficients.sum())) < 1e-9


def kernel_sums(
    shape: Shape, source: FloatArray, values: FloatArray, target: FloatArray, slope: bool = False
) -> FloatArray:
    r"""Return :math:`\sum_j v_j K(|a_i - a_j|)` for each target i.

    Parameters
    ----------
    shape : Shape
    source : (m,)
        Places a_j in bandwidths, in rising order.
    values : (m, q)
        v_j.
    target : (n,)
        Places a_i, in any order; rising ones are faster.
    slope : bool
        Return the derivative in a_i instead.

    Returns
    -------
    (n, q) array
    """
    if not len(source):
        return np.zeros((len(target), values.shape[1]))
    return (_polynomial if shape.compact else _gaussian)(shape, source, values, target, slope)


def _polynomial(
    shape: Shape, source: FloatArray, values: FloatArray, target: FloatArray, slope: bool
) -> FloatArray:
    box = np.floor(source)
    low = np.floor(target)
    places = (target - 1, low, target, low + 1)
    ends = [np.searchsorted(source, place, side="left") for place in places]
    ends.append(np.searchsorted(source, target + 1, side="right"))
    powers = _prefix_sums(source - box - 0.5, values, len(shape.coefficients))
    out = np.zeros((len(target), values.shape[1]))
    coefficients = shape.coefficients
    if slope:
        coefficients = coefficients[1:] * np.arange(1, len(coefficients))
    for piece, (side, middle) in enumerate(((-1, -0.5), (-1, 0.5), (1, 0.5), (1, 1.5))):
        away = side * (low + middle - target)
        sign = -side if slope else 1
        for m in range(len(coefficients)):
            term = powers[m][ends[piece + 1]] - powers[m][ends[piece]]
            out += (sign * side**m * _taylor(coefficients, m, away))[:, None] * term
    few = np.flatnonzero(ends[4] - ends[0] <= FEW)
    span = ends[0][few], ends[4][few]
    out[few] = _one_by_one(coefficients, source, values, target[few], span, slope)
    return out


def _prefix_sums(local: FloatArray, values: FloatArray, terms: int) -> list[FloatArray]:
    """Return the sums of values times the m-th power over the first k sources, (m_sources + 1,)."""
    first, power, out = np.zeros((1, values.shape[1])), np.ones_like(local), []
    for _ in range(terms):
        out.append(np.concatenate((first, np.cumsum(values * power[:, None], axis=0))))
        power = power * local
    return out


def _taylor(coefficients: FloatArray, m: int, z: FloatArray) -> FloatArray:
    """Return the factor of x^m in a polynomial of x + z, (n,)."""
    out = np.zeros_like(z)
    for k in range(len(coefficients) - 1, m - 1, -1):
        out = out * z + coefficients[k] * comb(k, m)
    return out


def _one_by_one(
    coefficients: FloatArray,
    source: FloatArray,
    values: FloatArray,
    target: FloatArray,
    span: tuple[IntArray, IntArray],
    slope: bool,
) -> FloatArray:
    """Add up the few sources of narrow windows."""
    out = np.zeros((len(target), values.shape[1]))
    for step in range(FEW):
        here = np.flatnonzero(span[0] + step < span[1])
        j = span[0][here] + step
        gap = source[j] - target[here]
        height = np.polynomial.polynomial.polyval(np.abs(gap), coefficients)
        if slope:
            height = height * np.where(gap < 0, 1.0, -1.0)
        out[here] += height[:, None] * values[j]
    return out


def _gaussian(
    shape: Shape, source: FloatArray, values: FloatArray, target: FloatArray, slope: bool
) -> FloatArray:
    """Sum at a few places of each target's box, and put a polynomial through them."""
    own = np.floor(target / WIDTH)
    boxes, at = np.unique(own, return_inverse=True)
    if len(target) <= NODES * len(boxes):
        return _gaussian_at(source, values, target, slope)
    nodes = np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)
    places = (boxes[:, None] + 0.5 + nodes / 2) * WIDTH
    sums = _gaussian_at(source, values, places.ravel(), slope).reshape(len(boxes), NODES, -1)
    through = np.linalg.solve(np.polynomial.chebyshev.chebvander(nodes, NODES - 1), sums)
    x = (2 * (target / WIDTH - own) - 1)[:, None]
    last = before = np.zeros((len(target), values.shape[1]))
    for k in range(NODES - 1, 0, -1):  # Clenshaw's recurrence
        last, before = 2 * x * last - before + through[at, k], last
    return np.asarray(x * last - before + through[at, 0])


def _gaussian_at(
    source: FloatArray, values: FloatArray, target: FloatArray, slope: bool
) -> FloatArray:
    box = np.floor(source / WIDTH)
    boxes, start = np.unique(box, return_index=True)
    local = source - (box + 0.5) * WIDTH
    weighted = values * np.exp(-(local**2) / 2)[:, None]
    moments = [weighted]
    for _ in range(TERMS):
        moments.append(moments[-1] * local[:, None])
    sums = [np.add.reduceat(moment, start, axis=0) for moment in moments]
    own = np.floor(target / WIDTH)
    out = np.zeros((len(target), values.shape[1]))
    for offset in range(-REACH, REACH + 1):
        at = np.searchsorted(boxes, own + offset)
        here = np.flatnonzero(boxes[np.minimum(at, len(boxes) - 1)] == own + offset)
        if not len(here):
            continue
        r = target[here] - (own[here] + offset + 0.5) * WIDTH
        total = _series(sums, at[here], r, 0)
        if slope:
            total = _series(sums, at[here], r, 1) - r[:, None] * total
        out[here] += np.exp(-(r**2) / 2)[:, None] * total
    return out


def _series(sums: list[FloatArray], at: IntArray, r: FloatArray, first: int) -> FloatArray:
    """Return Σ_m S_{m + first} r^m / m!, (n, q)."""
    out = np.zeros((len(r), sums[0].shape[1]))
    for m in range(TERMS - 1, -1, -1):
        out = sums[m + first][at] + out * (r / (m + 1))[:, None]
    return out
