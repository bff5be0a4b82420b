"""Which columns are to be balanced? Covariates, their powers and products, each on one scale."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from prakerja_eval.errors import CollinearityError
from prakerja_eval.matching.weighting.entropy import covariance, independent
from prakerja_eval.typing import FloatArray


@dataclass(frozen=True, slots=True)
class MomentColumns:
    """Columns to be balanced.

    Attributes
    ----------
    columns : (n, k)
        Mean 0 and standard deviation 1 over everybody, by weight.
    factors : tuple of k tuples of int
        Positions of the covariates whose product a column is: (j,) a covariate itself, (j, j) its
        square. A product that repeats the columns before it (the square of an indicator) is left
        out.
    """

    columns: FloatArray
    factors: tuple[tuple[int, ...], ...]


def moment_columns(
    X: FloatArray, weight: FloatArray, powers: int, *, products: bool
) -> MomentColumns:
    """Build the columns.

    Powers and products are of standardised covariates: together with the covariates themselves
    they span what those of the covariates as they are would.

    Parameters
    ----------
    X : (n, p)
        Covariates.
    weight : (n,)
        Sampling weights; zero for those who take no part.
    powers : int
        Highest power.
    products : bool
        Whether products of two covariates join.

    Raises
    ------
    CollinearityError
        If a covariate is constant, or a combination of those before it.
    """
    p = X.shape[1]
    Z = _standardised(X, weight)
    factors: list[tuple[int, ...]] = [(j,) for j in range(p)]
    kept = independent(covariance(Z, weight))
    if not kept.all():
        column = int(np.argmin(kept))
        raise CollinearityError(f"column {column} is a combination of those before it", column)
    factors += [(j,) * power for power in range(2, powers + 1) for j in range(p)]
    factors += combinations(range(p), 2) if products else []
    if len(factors) == p:
        return MomentColumns(Z, tuple(factors))
    made = np.column_stack([np.prod(Z[:, list(f)], axis=1) for f in factors[p:]])
    Z = np.column_stack([Z, _standardised(made, weight)])
    kept = independent(covariance(Z, weight))
    return MomentColumns(Z[:, kept], tuple(f for f, k in zip(factors, kept, strict=True) if k))


def _standardised(X: FloatArray, weight: FloatArray) -> FloatArray:
    """Return columns less their mean, over their standard deviation; zeros where that is zero."""
    Z: FloatArray = X - weight @ X / weight.sum()
    spread = np.sqrt(np.diag(covariance(Z, weight)))
    flat = spread <= 1e-12 * np.abs(X).max(axis=0)
    Z *= np.where(flat, 0.0, 1.0 / np.where(flat, 1.0, spread))
    return Z
