"""Which parametric score fits, and which covariate is to blame where none does?"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from prakerja_eval.errors import CollinearityError, NotEstimableError, SeparationError
from prakerja_eval.numerics.linear import factor
from prakerja_eval.numerics.logit import Logit, logit
from prakerja_eval.numerics.probit import Probit, probit
from prakerja_eval.numerics.separation import GAIN, separating_direction
from prakerja_eval.typing import FloatArray

ScoreFit: TypeAlias = Logit | Probit
ARMS = {0.0: "comparison", 1.0: "treated"}


def fit_score(
    d: FloatArray,
    covariates: FloatArray,
    names: Sequence[str],
    weight: FloatArray,
    *,
    normal: bool,
) -> ScoreFit:
    """Fit a probit (normal) or a logit with a constant; name the covariate in a refusal.

    Parameters
    ----------
    d : (n,)
        One for treated people, else zero.
    covariates : (n, p)
        Without the constant.
    names : sequence of p str
    weight : (n,)
        Sampling weights.
    normal : bool
        Whether the link is that of a probit.

    Raises
    ------
    NotEstimableError
        If a covariate separates the arms or depends on those before it.
    """
    X = np.column_stack([np.ones(len(d)), covariates])
    try:
        return (probit if normal else logit)(d, X, weight)
    except CollinearityError as error:
        name = ("constant", *names)[error.column]
        raise NotEstimableError(
            f"the covariate {name!r} is a combination of the covariates before it: leave it out."
        ) from error
    except SeparationError as error:
        used, name = weight > 0, ("constant", *names)[error.column]
        decided = _decided(X[used], d[used], error.column)
        raise NotEstimableError(
            f"the covariate {name!r} predicts treatment perfectly {decided}: their score is "
            "0 or 1 and they have no counterpart. Leave it out, merge its value with another, or "
            "leave these people out of the panel."
        ) from error


def refuse_constant(covariates: FloatArray, names: Sequence[str]) -> None:
    """Refuse covariates that are the same for everybody, (n, p), and name them.

    Raises
    ------
    NotEstimableError
        If there is one.
    """
    constant = covariates.min(axis=0) == covariates.max(axis=0)
    if constant.any():
        listed = ", ".join(
            f"{name!r} (always {value:g})"
            for name, value, same in zip(names, covariates[0], constant, strict=True)
            if same
        )
        raise NotEstimableError(
            f"covariates are constant among the {len(covariates):,} people of the two arms: "
            f"{listed}. They tell nobody apart: leave them out."
        )


def _decided(X: FloatArray, d: FloatArray, column: int) -> str:
    """Say how many people a separating covariate decides, and in which arm they are.

    Of a two-valued column, those with a value that one arm alone has; else those on whom one
    direction of separation gains, of which there may be more.
    """
    x, n = X[:, column], len(d)
    values = np.unique([x.min(), x.max()])
    if np.isin(x, values).all():
        pure = {value: d[x == value] for value in values if np.ptp(d[x == value]) == 0}
        if pure:
            count = sum(map(len, pure.values()))
            said = " and ".join(
                f"{v:g} only in the {ARMS[arms[0]]} arm" for v, arms in pure.items()
            )
            return f"for {count:,} of {n:,} people (value {said})"
    rows = factor(X, np.ones(n)).Q * np.sqrt(n) * (2 * d - 1)[:, None]
    direction = separating_direction(rows)
    count = 0 if direction is None else int((rows @ direction > GAIN).sum())
    return f"for at least {count:,} of {n:,} people (alone or with other covariates)"
