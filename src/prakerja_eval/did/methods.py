"""Which kernel answers a method, and which covariate is to blame when it refuses?"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from prakerja_eval.did import kernel, kernel_rows
from prakerja_eval.did.design import Method
from prakerja_eval.errors import CollinearityError, NotEstimableError, SeparationError
from prakerja_eval.typing import FloatArray

Given = tuple[FloatArray, Sequence[str]]

CHANGES = {
    "dr": kernel.doubly_robust,
    "ipw": kernel.ipw,
    "reg": kernel.outcome_regression,
}


ROWS = {
    "dr": kernel_rows.doubly_robust,
    "ipw": kernel_rows.ipw,
    "reg": kernel_rows.outcome_regression,
}


def fit_changes(
    method: Method, dy: FloatArray, d: FloatArray, given: Given, w: FloatArray
) -> kernel.DidFit:
    """Compare M changes (n, M) of units, given covariates (n, p) and their names.

    Raises
    ------
    NotEstimableError
        Naming the covariate at fault.
    """
    covariates, names = given
    if not names:
        return kernel.unconditional(dy, d, w)
    with _naming(names):
        return CHANGES[method](dy, d, _with_constant(covariates), w)


def fit_rows(
    method: Method,
    y: FloatArray,
    when: tuple[FloatArray, FloatArray],
    given: Given,
    w: FloatArray,
) -> kernel_rows.RowsFit:
    """Compare rows (m,) of two cross-sections; ``when`` is (after or before, treated or not).

    Raises
    ------
    NotEstimableError
        Naming the covariate at fault.
    """
    covariates, names = given
    post, d = when
    with _naming(names):
        return ROWS[method](y, post, d, _with_constant(covariates), w)


def _with_constant(covariates: FloatArray) -> FloatArray:
    """Put the constant first, and covariates about their means: their origin costs no digits."""
    return np.column_stack([np.ones(len(covariates)), covariates - covariates.mean(axis=0)])


@contextmanager
def _naming(names: Sequence[str]) -> Iterator[None]:
    """Say which covariate separates the arms or repeats others."""
    try:
        yield
    except (SeparationError, CollinearityError) as error:
        name = ("constant", *names)[error.column]
        what = (
            "predicts treatment perfectly"
            if isinstance(error, SeparationError)
            else "is constant among those compared, or a combination of the covariates before it"
        )
        raise NotEstimableError(f"the covariate {name!r} {what}: leave it out.") from error
