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
from prakerja_eval.errors import NotEstimableError
from prakerja_eval.numerics.linear import wls
from prakerja_eval.numerics.logit import Logit, logit
from prakerja_eval.typing import FloatArray


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
    """A regression within one arm and period: predictions (m,), ψ of beta (m, p)."""

    fitted: FloatArray
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
    """The rows by arm and period: weights (m,) of each, zero elsewhere."""

    y: FloatArray
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
        When an arm has no row in a period, by name.
    """
    rows = _rows(y, post, d, w)
    terms = [
        _Term(s1 * s2, rows.arm(arm, after), y)
        for s1, arm in ((1.0, rows.treated), (-1.0, rows.comparison))
        for s2, after in ((1.0, True), (-1.0, False))
    ]
    return _fit(rows, terms, None, None)


def outcome_regression(
    y: FloatArray, post: FloatArray, d: FloatArray, X: FloatArray, w: FloatArray
) -> RowsFit:
    """Predict the treated rows' change from regressions among comparison rows of each period.

    Parameters
    ----------
    y, post, d, w
        As in `unconditional`.
    X : (m, p)
        Covariates that treatment does not move, with the constant.

    Raises
    ------
    NotEstimableError
        When an arm has no row in a period; CollinearityError, with the column, when a column of X
        depends on those before it among the comparison rows of a period.
    """
    rows = _rows(y, post, d, w)
    mu0 = {a: _regress(rows, rows.comparison, X, after=a) for a in (True, False)}
    ones = np.ones_like(y)
    terms = [
        _Term(1.0, rows.arm(rows.treated, True), y),
        _Term(-1.0, rows.arm(rows.treated, False), y),
        _Term(
            -1.0,
            rows.treated,
            mu0[True].fitted - mu0[False].fitted,
            ((mu0[True], ones), (mu0[False], -ones)),
        ),
    ]
    return _fit(rows, terms, X, None)


def ipw(y: FloatArray, post: FloatArray, d: FloatArray, X: FloatArray, w: FloatArray) -> RowsFit:
    """Reweight comparison rows by the odds of treatment, weights summing to one (Hajek).

    Parameters
    ----------
    y, post, d, w
        As in `unconditional`.
    X : (m, p)
        Covariates that treatment does not move, with the constant; one score for both periods.

    Raises
    ------
    NotEstimableError
        When an arm has no row in a period, the score does not exist (SeparationError,
        CollinearityError) or a comparison row's score reaches one; no score is clipped.
    """
    rows = _rows(y, post, d, w)
    ps = logit(d, X, w)
    reweighted = odds_weights(rows.comparison, ps)
    terms = [
        *(_Term(s, rows.arm(rows.treated, a), y) for s, a in ((1.0, True), (-1.0, False))),
        *(_Term(s, rows.arm(reweighted, a), y, odds=True) for s, a in ((-1.0, True), (1.0, False))),
    ]
    return _fit(rows, terms, X, ps)


def doubly_robust(
    y: FloatArray, post: FloatArray, d: FloatArray, X: FloatArray, w: FloatArray
) -> RowsFit:
    """Reweight what regressions leave over; the locally efficient form, four regressions.

    Parameters
    ----------
    y, post, d, w
        As in `unconditional`.
    X : (m, p)
        Covariates that treatment does not move, with the constant.

    Raises
    ------
    NotEstimableError
        As in `ipw`, and CollinearityError where a column depends on those before it among the rows
        of an arm in a period.
    """
    rows = _rows(y, post, d, w)
    ps = logit(d, X, w)
    reweighted = odds_weights(rows.comparison, ps)
    mu0 = {a: _regress(rows, rows.comparison, X, after=a) for a in (True, False)}
    mu1 = {a: _regress(rows, rows.treated, X, after=a) for a in (True, False)}
    ones = np.ones_like(y)
    terms = []
    for sign, after in ((1.0, True), (-1.0, False)):
        left_over, slope = y - mu0[after].fitted, ((mu0[after], -ones),)
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
    return _fit(rows, terms, X, ps)


def _rows(y: FloatArray, post: FloatArray, d: FloatArray, w: FloatArray) -> _Rows:
    """Return the rows, or refuse an arm that is empty in a period."""
    rows = _Rows(y, post, w * d, w * (1 - d))
    for arm, name in ((rows.treated, "treated"), (rows.comparison, "comparison")):
        for after, when in ((True, "after"), (False, "before")):
            if not rows.arm(arm, after).sum() > 0:
                raise NotEstimableError(f"there is no {name} row in the period {when}")
    return rows


def _regress(rows: _Rows, arm: FloatArray, X: FloatArray, *, after: bool) -> _Regression:
    fit = wls(rows.y, X, rows.arm(arm, after))
    return _Regression(X @ fit.beta, fit.psi)


def _fit(rows: _Rows, terms: Sequence[_Term], X: FloatArray | None, ps: Logit | None) -> RowsFit:
    """Add up the terms with their influence."""
    att, psi = 0.0, np.zeros_like(rows.y)
    for term in terms:
        share = term.v / term.v.sum()
        value = float(share @ term.z)
        value += float(share @ (term.z - value))
        leading = share * (term.z - value)
        att += term.sign * value
        psi += term.sign * leading
        if X is None:
            continue
        for regression, slope in term.slopes:
            psi += term.sign * (regression.psi @ ((share * slope) @ X))
        if term.odds and ps is not None:  # d odds / d gamma = odds x
            psi += term.sign * (ps.psi @ (leading @ X))
    after = rows.arm(rows.treated, True)
    mean = float(after @ rows.y / after.sum())
    return RowsFit(att, psi, mean - att, None if ps is None else ps.probability)
