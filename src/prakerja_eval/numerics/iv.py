"""What is the effect of the endogenous columns when only the instruments' share of them counts."""

from dataclasses import dataclass

from prakerja_eval.errors import CollinearityError, NotEstimableError
from prakerja_eval.numerics.linear import factor
from prakerja_eval.typing import FloatArray


@dataclass(frozen=True, slots=True)
class Iv:
    """A two-stage least-squares fit.

    Attributes
    ----------
    beta : (p,)
        Coefficients of the structural equation.
    psi : (n, p)
        Influence that obeys the law psi_i = d beta / d w_i: the scores plus the estimation of the
        first stage, bread w_i (xhat_i e_i + (x_i - xhat_i) ehat_i), with ehat the projection of
        the residuals on the instruments (zero where the equation is just identified).
    psi_scores : (n, p)
        bread w_i xhat_i e_i alone: what conventional robust standard errors are made of.
    residuals : (n,)
        y - X beta, with X itself and not its projection.
    bread : (p, p)
        (Xhat'W Xhat)^-1.
    design : (n, p)
        Xhat, the regressors projected on the instruments.
    weights : (n,)
        w.
    """

    beta: FloatArray
    psi: FloatArray
    psi_scores: FloatArray
    residuals: FloatArray
    bread: FloatArray
    design: FloatArray
    weights: FloatArray


def tsls(y: FloatArray, X: FloatArray, Z: FloatArray, w: FloatArray) -> Iv:
    """Regress y on X by two-stage least squares with instruments Z.

    Parameters
    ----------
    y : (n,)
        Outcome.
    X : (n, p)
        Exogenous and endogenous regressors.
    Z : (n, q)
        Instruments, the exogenous regressors among them; q >= p.
    w : (n,)
        Unit weights; a row of weight zero contributes nothing.

    Raises
    ------
    CollinearityError
        When an instrument depends on those before it (the column counts in Z).
    NotEstimableError
        When the instruments are fewer than the regressors or do not move one of them.
    """
    if Z.shape[1] < X.shape[1]:
        raise NotEstimableError(
            f"{Z.shape[1]} instrument columns cannot identify {X.shape[1]} coefficients: "
            "add an instrument for every endogenous regressor"
        )
    first = factor(Z, w)
    Xhat = Z @ first.solve(X)
    try:
        second = factor(Xhat, w)
    except CollinearityError as error:
        raise NotEstimableError(
            f"the instruments do not move regressor {error.column} apart from the regressors "
            "before it: its effect is not identified"
        ) from error
    beta = second.solve(y)
    beta = beta + second.solve(y - X @ beta)  # Xhat'W X = Xhat'W Xhat, so this too is a solve
    residuals = y - X @ beta
    bread = second.bread()
    scores = Xhat * (w * residuals)[:, None]
    ehat = Z @ first.solve(residuals)
    first_stage = (X - Xhat) * (w * ehat)[:, None]
    return Iv(beta, (scores + first_stage) @ bread, scores @ bread, residuals, bread, Xhat, w)
