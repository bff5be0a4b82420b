"""How strong must an omitted variable be, to change a least-squares answer?

Cinelli and Hazlett (2020), doi 10.1111/rssb.12348. Z is the omitted variable, D the treatment, Y
the outcome, X the covariates. Strengths are partial R^2: of Z with D given X (``r2_treatment``),
and of Z with Y given D and X (``r2_outcome``). Equations are those of the paper.
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.numerics.linear import factor
from prakerja_eval.typing import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Adjusted:
    """What the regression would have said with the omitted variable in it (arrays of one shape)."""

    estimate: FloatArray
    std_error: FloatArray


@dataclass(frozen=True, slots=True)
class Strength:
    """Partial R^2 with the treatment and with the outcome."""

    treatment: float
    outcome: float


def partial_r2(y: FloatArray, X: FloatArray, group: IntArray) -> float:
    """Return how much of what the other columns of X leave of y some columns of X explain.

    Parameters
    ----------
    y : (n,)
    X : (n, p)
        With the constant.
    group : (g,) int
        Columns of X.

    Raises
    ------
    CollinearityError
        If a column of X depends on the others.
    """
    others = np.setdiff1d(np.arange(X.shape[1]), group)
    Q = factor(X[:, np.concatenate([others, group])], np.ones(len(y))).Q
    # what the others leave, taken off twice so that a long y loses no digits
    left = y - Q[:, : len(others)] @ (Q[:, : len(others)].T @ y)
    left = left - Q[:, : len(others)] @ (Q[:, : len(others)].T @ left)
    along = Q[:, len(others) :].T @ left
    return float(along @ along / (left @ left))


def robustness_value(f: float, critical: float) -> float:
    """Return the strength, alike with treatment and outcome, that does away with the answer.

    Parameters
    ----------
    f : float
        q |t| / sqrt(df), the partial Cohen's f of the treatment times the share q of the estimate
        that is to be explained away.
    critical : float
        0 for the estimate itself (RV_q); |t*| / sqrt(df - 1), with t* the quantile on df - 1, for
        its significance (RV_qa).

    Notes
    -----
    With R as the bound of both, the adjusted t-ratio is
    sqrt(df - 1) (f - b a) sqrt(1 - R) / sqrt(1 - b^2), where b^2 <= R and a^2 = R / (1 - R). At
    b^2 = R this is the equation of section 4.2, with f - critical for f. It is smallest inside,
    at b = a / f, if f critical > 1, and then R = (f^2 - critical^2) / (1 + f^2).
    """
    if f <= critical:
        return 0.0
    if f * critical > 1:
        return float((f**2 - critical**2) / (1 + f**2))
    g = f - critical
    return float((np.sqrt(g**4 + 4 * g**2) - g**2) / 2)


def adjusted(
    estimate: float, std_error: float, df: float, r2_treatment: FloatArray, r2_outcome: FloatArray
) -> Adjusted:
    """Return estimate and standard error with an omitted variable that shrinks the estimate.

    Bias: se sqrt(df R2_Y R2_D / (1 - R2_D)); standard error:
    se sqrt((1 - R2_Y) / (1 - R2_D) df / (df - 1)).
    """
    bias = std_error * np.sqrt(df * r2_outcome * r2_treatment / (1 - r2_treatment))
    spread = std_error * np.sqrt((1 - r2_outcome) / (1 - r2_treatment) * df / (df - 1))
    return Adjusted(np.asarray(estimate - np.sign(estimate) * bias), np.asarray(spread))


def bound(covariate: Strength, k: float) -> Strength:
    """Return the strength of an omitted variable k times as strong as a covariate X_j.

    Section 4.4: k compares how much Z and X_j add beyond the other covariates; Z is taken as
    orthogonal to X_j. NaN where nothing can be that strong with the treatment, which is an
    equality; with the outcome it is a bound, which is one at the most.

    Parameters
    ----------
    covariate : Strength
        Partial R^2 of X_j with D given the other covariates, and with Y given D and the others.
    k : float
    """
    impossible = Strength(float("nan"), float("nan"))
    d, y = covariate.treatment, covariate.outcome
    treatment = k * d / (1 - d)
    if treatment >= 1 or k * d >= 1:
        return impossible
    with_j = k * d**2 / ((1 - k * d) * (1 - d))  # of Z with X_j given D and the others
    if with_j >= 1:
        return impossible
    eta = (np.sqrt(k) + np.sqrt(with_j)) / np.sqrt(1 - with_j)
    outcome = eta**2 * y / (1 - y)
    return Strength(float(treatment), min(float(outcome), 1.0))
