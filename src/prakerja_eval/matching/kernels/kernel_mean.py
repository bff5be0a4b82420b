"""How far is each person from the kernel-weighted mean of the other arm, and who moved it?

With focal units i of sampling weight b_i, units j of the other arm, k_ij the kernel at their
distance, D_i = Σ_j b_j k_ij and m_i = Σ_j b_j k_ij y_j / D_i,

    theta = Σ_i b_i s_i (y_i - m_i) / F,    F = Σ_i b_i,    s_i = 1 for treated, -1 for others,
    d theta / d b_i = (s_i (y_i - m_i) - theta) / F,
    d theta / d b_j = -Σ_i s_i b_i k_ij (y_j - m_i) / D_i / F,
    d theta / d a_i = -s_i b_i Σ_j b_j k'_ij (y_j - m_i) / D_i / F,   and likewise by a_j,

a the places of the units on the line.
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.matching.kernels.kernel_smooth import Shape, kernel_sums
from prakerja_eval.matching.kernels.kernel_weights import KernelWeights, Side
from prakerja_eval.typing import BoolArray, FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class KernelMean:
    """A kernel-matched difference.

    Attributes
    ----------
    theta : float
    psi : (n,)
        d theta / d weight times the weight, places held fixed.
    by_place : (n,)
        d theta / d place, in bandwidths; zeros for a kernel with jumps.
    comparison_mean : float
        Mean of the focal units' outcomes without treatment, observed or imputed.
    """

    theta: float
    psi: FloatArray
    by_place: FloatArray
    comparison_mean: float


def kernel_mean(
    shape: Shape,
    place: FloatArray,
    y: FloatArray,
    treated: BoolArray,
    base: FloatArray,
    found: KernelWeights,
) -> KernelMean:
    """Average the focal units' differences from those nearby.

    Parameters
    ----------
    shape : Shape
    place, y, base : (n,)
        Place in bandwidths, outcome, sampling weight; y of units that take no part is not read.
    treated : (n,) bool
    found : KernelWeights
        Of the same shape, places and weights.

    Returns
    -------
    KernelMean
    """
    shift = float(np.average(y[base > 0], weights=base[base > 0]))
    y = np.where(base > 0, y - shift, 0.0)  # sums of small numbers keep their digits
    effect, without = np.zeros(len(y)), np.zeros(len(y))
    psi, by_place = np.zeros(len(y)), np.zeros(len(y))
    total = base[found.reached].sum()
    for side in found.sides:
        mean = _mean_nearby(shape, place, y, base, side)
        sign = np.where(treated[side.focal], 1.0, -1.0)
        effect[side.focal] = sign * (y[side.focal] - mean)
        without[side.focal] = np.where(sign > 0, mean, y[side.focal])
        values = (-sign * base[side.focal] / side.mass / total)[:, None] * np.column_stack(
            [np.ones_like(mean), mean]
        )
        sums = kernel_sums(shape, place[side.focal], values, place[side.other])
        psi[side.other] += base[side.other] * (y[side.other] * sums[:, 0] - sums[:, 1])
        if shape.smooth:
            own, others = _slopes(shape, place, y, base, side, values)
            by_place[side.focal] += own
            by_place[side.other] += others
    theta = float((base * effect)[found.reached].sum() / total)
    psi[found.reached] += (base * (effect - theta))[found.reached] / total
    comparison = float((base * without)[found.reached].sum() / total)
    return KernelMean(theta, psi, by_place, comparison + shift)


def _mean_nearby(
    shape: Shape, place: FloatArray, y: FloatArray, base: FloatArray, side: Side
) -> FloatArray:
    """Return m_i of the focal units, (m,)."""
    weighted = (base * y)[side.other][:, None]
    found: FloatArray = kernel_sums(shape, place[side.other], weighted, place[side.focal])[:, 0]
    return found / side.mass


def _slopes(
    shape: Shape,
    place: FloatArray,
    y: FloatArray,
    base: FloatArray,
    side: Side,
    values: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return d theta / d place of the focal units and of the others."""
    focal, other = side.focal, side.other
    sources = base[other][:, None] * np.column_stack([np.ones(len(other)), y[other]])
    near = kernel_sums(shape, place[other], sources, place[focal], slope=True)
    far = kernel_sums(shape, place[focal], values, place[other], slope=True)
    own = values[:, 0] * near[:, 1] - values[:, 1] * near[:, 0]
    return own, base[other] * (y[other] * far[:, 0] - far[:, 1])
