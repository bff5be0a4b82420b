"""How much does each unit serve as a counterpart, where all those nearby do?"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.matching.kernels.kernel_smooth import Shape, kernel_sums
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

FAINT = 1e-10  # of the mean weight: who stands at the edge of a window serves nobody


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One direction: units whose effect is sought, and those of the other arm.

    Attributes
    ----------
    focal, other : (m,), (k,) int
        Positions in the sample by rising place; focal ones with somebody nearby.
    mass : (m,)
        D_i, the kernel-weighted sampling weights around a focal unit.
    """

    focal: IntArray
    other: IntArray
    mass: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class KernelWeights:
    """Weights of units that follow from a kernel.

    Attributes
    ----------
    served : (n,)
        K_j, the sampling weights of focal units for whom unit j stands in.
    reached : (n,) bool
        Focal units with somebody nearby.
    sides : tuple of Side
        The treated as focal units first, then the comparison units, as far as they are focal.
    """

    served: FloatArray
    reached: BoolArray
    sides: tuple[Side, ...]


def kernel_weights(
    shape: Shape, place: FloatArray, treated: BoolArray, focal: BoolArray, base: FloatArray
) -> KernelWeights:
    r"""Let everybody of the other arm serve, the nearer the more.

    :math:`K_j = b_j \sum_i b_i k_{ij} / D_i` with :math:`D_i = \sum_j b_j k_{ij}`, over focal
    units i and units j of the other arm, b the sampling weights.

    Parameters
    ----------
    shape : Shape
    place : (n,)
        In bandwidths.
    treated, focal : (n,) bool
    base : (n,)
        Sampling weights, zero for units that take no part.

    Returns
    -------
    KernelWeights
    """
    order = np.argsort(place, kind="stable")
    order = order[base[order] > 0]
    served, reached, sides = np.zeros(len(place)), np.zeros(len(place), dtype=np.bool_), []
    for arm in (treated, ~treated):
        asking, other = order[(arm & focal)[order]], order[~arm[order]]
        if not len(asking):
            continue
        mass = kernel_sums(shape, place[other], base[other][:, None], place[asking])[:, 0]
        near = mass > FAINT * base[order].mean()
        asking, mass = asking[near], mass[near]
        share = (base[asking] / mass)[:, None]
        again = kernel_sums(shape, place[asking], share, place[other])[:, 0]
        served[other] += base[other] * np.maximum(again, 0.0)
        reached[asking] = True
        sides.append(Side(asking, other, mass))
    return KernelWeights(served, reached, tuple(sides))
