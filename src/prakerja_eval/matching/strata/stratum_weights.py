"""How much does each unit count where arms are compared within strata?"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class StratumWeights:
    """Weights of units within strata that hold both arms.

    Attributes
    ----------
    stratum : (n,) int
        Code of the stratum; -1 for a unit that takes no part.
    weights : (n,)
        Zero for a unit that takes no part.
    """

    stratum: IntArray
    weights: FloatArray


def stratum_weights(
    cell: IntArray, treated: BoolArray, focal: BoolArray, base: FloatArray, present: BoolArray
) -> StratumWeights:
    r"""Weigh units so that both arms are spread over the strata as the focal units are.

    A unit of arm a in stratum s weighs :math:`b_i F_s / N_{as}`, with F_s the focal units of the
    stratum and N_as those of the arm, counted with their sampling weights b. Each arm is then
    scaled to add up to the sampling weights of those who take part.

    Parameters
    ----------
    cell : (n,) int
        Stratum codes; -1 for units in none.
    treated, focal : (n,) bool
        Arm; units whose effect is sought.
    base : (n,)
        Sampling weights.
    present : (n,) bool
        Units that may take part.

    Returns
    -------
    StratumWeights
        A stratum without one of the arms takes no part.
    """
    n_cells = int(cell.max(initial=-1)) + 1
    taking = present & (cell >= 0) & (base > 0)
    arm = treated.astype(np.int64)
    place = np.where(taking, 2 * cell + arm, 2 * n_cells)
    mass = np.bincount(place, base, minlength=2 * n_cells + 1)[:-1].reshape(n_cells, 2)
    share = np.bincount(cell[taking], (base * focal)[taking], minlength=n_cells)
    both = np.append((mass > 0).all(axis=1), False)
    used = taking & both[cell]
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.append((share[:, None] / mass).ravel(), 0.0)
    weights = np.where(used, base * rate[place], 0.0)
    for side in (treated, ~treated):
        total = weights[side].sum()
        if total > 0:
            weights[side] *= base[side & used].sum() / total
    return StratumWeights(np.where(used, cell, -1), weights)
