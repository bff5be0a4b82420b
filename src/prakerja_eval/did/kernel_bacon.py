"""Which two-by-two comparisons make up the two-way fixed effects coefficient of a balanced panel?

Goodman-Bacon (2021), doi 10.1016/j.jeconom.2021.03.014, theorem 1. Group a is first treated at
wave position f_a (0: from the first wave on; T: never). A pair (a, b) is compared over the waves in
which b's treatment does not change and a is first not, then treated. With p waves before and q
after, all of the theorem's weights s are W_a W_b p q / sum over pairs.
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.typing import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Pairs:
    """The comparisons of a decomposition.

    Attributes
    ----------
    treated, comparison : (P,) int
        Groups compared.
    weight : (P,)
        Sums to one.
    estimate : (P,)
        Difference-in-differences of mean outcomes.
    """

    treated: IntArray
    comparison: IntArray
    weight: FloatArray
    estimate: FloatArray


def decompose(weight: FloatArray, first: IntArray, mean: FloatArray) -> Pairs:
    """Return every pair of groups that has a weight.

    Parameters
    ----------
    weight : (G,)
        Sum of unit weights.
    first : (G,) int
        Position of the first treated wave, distinct; T for never.
    mean : (G, T)
        Mean outcomes.
    """
    n_waves = mean.shape[1]
    path = mean - mean[:, :1]  # a large common level costs no digits
    rows = []
    for a, f in enumerate(first):
        for b, rival in enumerate(first):
            low, high = (rival, n_waves) if rival < f else (0, rival)
            p, q = f - low, high - f
            if a == b or p <= 0 or q <= 0:
                continue
            change = path[:, f:high].mean(axis=1) - path[:, low:f].mean(axis=1)
            rows.append((a, b, weight[a] * weight[b] * p * q, change[a] - change[b]))
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    pair = table[:, :2].astype(np.int64)
    return Pairs(pair[:, 0], pair[:, 1], table[:, 2] / table[:, 2].sum(), table[:, 3])
