"""How far did the treated move beyond comparable units, in two cross-sections?

Sant'Anna and Zhao (2020), "Doubly robust difference-in-differences estimators", Journal of
Econometrics 219(1), doi 10.1016/j.jeconom.2020.06.003, the case of repeated cross-sections. Every
estimator is a signed sum of weighted means over rows; ψ of such a sum is its leading terms plus the
estimation effects of the outcome regressions (beta) and of the propensity score (gamma) in them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prakerja_eval.did.kernel import odds_weights
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.numerics.linear import wls
from prakerja_eval.numerics.logit import Logit, logit
from prakerja_eval.typing import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class RowsFit:
    """The average effect on the treated from the rows of two cross-sections.

    Attributes
    ----------
    att : float
        Average effect on the treated, in the units of y.
    psi : (m,)
        Influence of each row with the nuisance estimates in it; obeys the law
        psi_r = d att / d w_r. A unit with two rows has their sum.
    comparison_mean : float
        Mean that the treated of the later cross-section would have had without treatment.
    score : (m,) or None
        Fitted propensity score, where one is used.
    """

    att: float
    psi: FloatArray
    comparison_mean: float
    score: FloatArray | None


@dataclass(frozen=True, slots=True)
class _Regression:
    """A regression within one arm and period.

    Attributes
    ----------
    fitted : (m,)
        Predictions for all rows.
    rows : (k,)
        Where the rows of the arm and period are.
    psi : (k, p)
        Influence of those rows on beta; others have none.
    """

    fitted: FloatArray
    rows: IntArray
    psi: FloatArray


@dataclass(frozen=True, slots=True)
class _Term:
    """A signed mean, sign · Σ v z / Σ v.

    Attributes
    ----------
    sign : float
    v, z : (m,)
    slopes : sequence of (regression, (m,))
        By how much z_r moves with the prediction of a regression.
    odds : bool
        Whether v contains the odds of treatment.
    """

    sign: float
    v: FloatArray
    z: FloatArray
    slopes: Sequence[tuple[_Regression, FloatArray]] = ()
    odds: bool = False


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows about their means: a level of y, or of a covariate, then costs no digits.

    Attributes
    ----------
    y : (m,)
        Outcome less its level.
    level : float
    X : (m, p)
        The constant, then covariates less their means; (m, 0) without covariates.
    post : (m,)
    treated, comparison : (m,)
        Weights of the arms, zero elsewhere.
    """

    y: FloatArray
    level: float
    X: FloatArray
    post: FloatArray
    treated: FloatArray
    comparison: FloatArray

    def arm(self, weights: FloatArray, after: bool) -> FloatArray:
        """Return the weights of an arm in one period."""
        return weights * (self.post if after else 1 - self.post)


def unconditional(y: FloatArray, post: FloatArray, d: FloatArray, w: FloatArray) -> RowsFit:
    """Compare changes of means without covariates.

    Parameters
    ----------
    y : (m,)
        Outcome of each row.
    post : (m,)
        1 for rows of the later period, 0 for the earlier.
    d : (m,)
        1 for treated rows, 0 for comparison rows.
    w : (m,)
        Weights; a row of weight zero contributes nothing.

    Raises
    ------
    NotEstimableError
        When an arm has no row in a period, by name; when an outcome is missing or a weight is
        not a number of zero or more.
    """
    rows = _rows(y, post, d, np.zeros((len(y), 0)), w)
    terms = [
        _Term(s1 * s2, rows.arm(arm, after), rows.y)
        for s1, arm in ((1.0, rows.treated), (-1.0, rows.comparison))
        for s2, after in ((1.0, True), (-1.0, False))
    ]
    return _fit(rows, terms)


def outcome_regression(
    y: FloatArray, post: FloatArray, d: FloatArray, X: FloatArray, w: FloatArray
) -> RowsFit:
    """Predict the treated rows' change from regressions among comparison rows of each period.

    Parameters
    ----------
    y, post, d, w
        As in `unconditional`.
    X : (m, p)
        Covariates that treatment does not move, after the constant as first column.

    Raises
    ------
    NotEstimableError
        When an arm has no row in a period; CollinearityError, with the column, when a column of X
        depends on those before it among the comparison rows of a period.
    """
    rows = _rows(y, post, d, X, w)
    mu0 = {a: _regress(rows, rows.comparison, after=a) for a in (True, False)}
    ones = np.ones_like(y)
    terms = [
        _Term(1.0, rows.arm(rows.treated, True), rows.y),
        _Term(-1.0, rows.arm(rows.treated, False), rows.y),
        _Term(
            -1.0,
            rows.treated,
            mu0[True].fitted - mu0[False].fitted,
            ((mu0[True], ones), (mu0[False], -ones)),
        ),
    ]
    return _fit(rows, terms)


def ipw(y: FloatArray, post: FloatArray, d: FloatArray, X: FloatArray, w: FloatArray) -> RowsFit:
    """Reweight comparison rows by the odds of treatment, weights summing to one (Hajek).

    Parameters
    ----------
    y, post, d, w
        As in `unconditional`.
    X : (m, p)
        As in `outcome_regression`; one score for both periods.

    Raises
    ------
    NotEstimableError
        When an arm has no row in a period, the score does not exist (SeparationError,
        CollinearityError) or a comparison row's score reaches one; no score is clipped.
    """
    rows = _rows(y, post, d, X, w)
    ps = logit(d, rows.X, w)
    reweighted = odds_weights(rows.comparison, ps)
    terms = []
    for sign, after in ((1.0, True), (-1.0, False)):
        terms += [
            _Term(sign, rows.arm(rows.treated, after), rows.y),
            _Term(-sign, rows.arm(reweighted, after), rows.y, odds=True),
        ]
    return _fit(rows, terms, ps)


def doubly_robust(
    y: FloatArray, post: FloatArray, d: FloatArray, X: FloatArray, w: FloatArray
) -> RowsFit:
    """Reweight what regressions leave over; the locally efficient form, four regressions.

    Parameters
    ----------
    y, post, d, w
        As in `unconditional`.
    X : (m, p)
        Covariates that treatment does not move, after the constant as first column.

    Raises
    ------
    NotEstimableError
        As in `ipw`, and CollinearityError where a column depends on those before it among the rows
        of an arm in a period.
    """
    rows = _rows(y, post, d, X, w)
    ps = logit(d, rows.X, w)
    reweighted = odds_weights(rows.comparison, ps)
    mu0 = {a: _regress(rows, rows.comparison, after=a) for a in (True, False)}
    mu1 = {a: _regress(rows, rows.treated, after=a) for a in (True, False)}
    ones = np.ones_like(y)
    terms = []
    for sign, after in ((1.0, True), (-1.0, False)):
        left_over, slope = rows.y - mu0[after].fitted, ((mu0[after], -ones),)
        terms += [
            _Term(sign, rows.arm(rows.treated, after), left_over, slope),
            _Term(-sign, rows.arm(reweighted, after), left_over, slope, odds=True),
        ]
        gain = mu1[after].fitted - mu0[after].fitted
        slopes = ((mu1[after], ones), (mu0[after], -ones))
        terms += [
            _Term(sign, rows.treated, gain, slopes),
            _Term(-sign, rows.arm(rows.treated, after), gain, slopes),
        ]
    return _fit(rows, terms, ps)


def _rows(y: FloatArray, post: FloatArray, d: FloatArray, X: FloatArray, w: FloatArray) -> _Rows:
    """Return the rows about their means, or refuse an arm that is empty in a period."""
    if not (np.isfinite(y).all() and np.isfinite(w).all() and (w >= 0).all()):
        raise NotEstimableError(
            "an outcome is missing or infinite, or a weight is negative, missing or infinite, in "
            "some row: leave those rows out first"
        )
    if X.shape[1] and not (X[:, 0] == 1).all():
        raise UsageError("the first column of X must be the constant, ones")
    share = w / w.sum() if w.any() else w
    level = float(share @ y)
    X = np.column_stack([X[:, :1], X[:, 1:] - share @ X[:, 1:]])
    rows = _Rows(y - level, level, X, post, w * d, w * (1 - d))
    for arm, name in ((rows.treated, "treated"), (rows.comparison, "comparison")):
        for after, when in ((True, "after"), (False, "before")):
            if not rows.arm(arm, after).sum() > 0:
                raise NotEstimableError(f"there is no {name} row in the period {when}")
    return rows


def _regress(rows: _Rows, arm: FloatArray, *, after: bool) -> _Regression:
    weights = rows.arm(arm, after)
    used = np.flatnonzero(weights)
    fit = wls(rows.y[used], rows.X[used], weights[used])
    return _Regression(rows.X @ fit.beta, used, fit.psi)


def _fit(rows: _Rows, terms: Sequence[_Term], ps: Logit | None = None) -> RowsFit:
    """Add up the terms with their influence."""
    att, psi = 0.0, np.zeros_like(rows.y)
    for term in terms:
        share = term.v / term.v.sum()
        value = float(share @ term.z)
        leading = share * (term.z - value)
        att += term.sign * value
        psi += term.sign * leading
        for regression, slope in term.slopes:
            psi[regression.rows] += term.sign * (regression.psi @ ((share * slope) @ rows.X))
        if term.odds and ps is not None:  # d odds / d gamma = odds x
            psi += term.sign * (ps.psi @ (leading @ rows.X))
    after = rows.arm(rows.treated, True)
    mean = rows.level + float(after @ rows.y / after.sum())
    return RowsFit(att, psi, mean - att, None if ps is None else ps.probability)
