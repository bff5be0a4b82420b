"""Which fold is each person in, so that every fold has its part of both arms?"""

import numpy as np

from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.typing import BoolArray, IntArray


def folds_by_arm(arm: BoolArray, folds: int, seed: int, groups: IntArray | None = None) -> IntArray:
    """Deal people to folds at random, each arm in equal parts.

    Groups (households, say) are dealt whole: those with somebody in the arm first, then the others,
    round and round the folds, each of the two in random order.

    Parameters
    ----------
    arm : (n,) bool
        Who was treated.
    folds : int
        Number K of folds, two or more.
    seed : int
        Of ``numpy.random.Generator(PCG64)``. The same people in the same order get the same folds.
    groups : (n,) int, optional
        Codes of groups that stay together, zero or more; left out, everybody stands alone.

    Returns
    -------
    (n,) int array
        Fold of each person, 0 to K - 1.

    Raises
    ------
    UsageError
        If there are fewer than two folds.
    NotEstimableError
        If a fold holds a whole arm, so that nothing is left to learn from.
    """
    if folds < 2:
        raise UsageError(f"folds is {folds}; cross-fitting needs 2 or more.")
    code = np.arange(len(arm)) if groups is None else np.unique(groups, return_inverse=True)[1]
    holds = np.bincount(code, arm) > 0
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))
    shuffled = generator.permutation(len(holds))
    line = np.concatenate([shuffled[holds[shuffled]], shuffled[~holds[shuffled]]])
    of_group = np.empty(len(holds), dtype=np.int64)
    of_group[line] = np.arange(len(line)) % folds
    fold: IntArray = of_group[code]
    for name, mine in (("treated", arm), ("comparison", ~arm)):
        inside = np.bincount(fold[mine], minlength=folds)
        if 0 < inside.sum() == inside.max():
            raise NotEstimableError(
                f"one fold holds all {int(inside.sum())} {name} people, so that no other fold can "
                "learn about them: there are too few of them, or of the groups that stay together."
            )
    return fold
