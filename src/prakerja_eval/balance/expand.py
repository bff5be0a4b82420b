"""Are the arms alike in more than means? Squares and products of covariates, to be compared too."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from prakerja_eval.typing import FloatArray


def expanded(
    X: FloatArray, names: Sequence[str], *, squares: bool = False, interactions: bool = False
) -> tuple[FloatArray, tuple[str, ...]]:
    """Append squares and products of two columns.

    The square of a column of two values, and a product that does not vary (of two indicators of
    one category, say), tell nothing new and are left out.

    Parameters
    ----------
    X : (n, p) array
    names : sequence of p str
    squares, interactions : bool

    Returns
    -------
    (n, q) array and q names
        "age^2", "age * educ".
    """
    columns, labels = [X], list(names)
    many = [len(np.unique(x)) > 2 for x in X.T]
    if squares:
        keep = np.flatnonzero(many)
        columns.append(X[:, keep] ** 2)
        labels += [f"{names[j]}^2" for j in keep.tolist()]
    if interactions:
        for j, k in combinations(range(X.shape[1]), 2):
            product = X[:, j] * X[:, k]
            if product.max() > product.min():
                columns.append(product[:, None])
                labels.append(f"{names[j]} * {names[k]}")
    return np.hstack(columns), tuple(labels)
