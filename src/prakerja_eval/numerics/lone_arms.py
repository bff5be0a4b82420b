"""What variance can be seen where a block has one person in an arm? That between such blocks."""

import numpy as np

from prakerja_eval.typing import FloatArray

HALF = 1e-12


def lone_arm_scores(effects: FloatArray, shares: FloatArray) -> FloatArray | None:
    """Return one score a block, whose squares add up to the variance of the blocks' part.

    With shares s_k that sum to S over these blocks, and their mean difference τ, the variance is
    Σ S² s_k² (τ_k - τ)² / ((S - 2 s_k)(S + Σ s_i² / (S - 2 s_i))), Pashley and Miratrix (2021, 5),
    doi 10.3102/1076998620946272.

    Parameters
    ----------
    effects : (B,)
        Difference in means of each block in which one person stands alone in an arm.
    shares : (B,)
        Their shares of the estimate.

    Returns
    -------
    (B,) array or None
        None where there are fewer than three blocks, or one has half of the shares: nothing can
        be told from them.
    """
    S = shares.sum()
    spare = S - 2 * shares
    if not len(shares) or (spare <= HALF * S).any():
        return None
    scale = S * shares / np.sqrt(spare * (S + np.sum(shares**2 / spare)))
    return np.asarray(scale * (effects - shares @ effects / S))
