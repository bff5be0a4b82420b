"""Does the logit give R's scores to all digits, and refuse where no maximum exists?"""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog
from scipy.special import expit

from prakerja_eval.errors import CollinearityError, NotEstimableError, SeparationError
from prakerja_eval.numerics.logit import logit


def test_lalonde_scores_match_r_glm(shared_reference):
    # R glm(binomial) inside MatchIt 4.7.2. glm stops when the deviance moves by under 1e-8, which
    # leaves about 3e-8 in its scores: hence the 1e-6 of an iterated fit. The last lines show that
    # the difference is R's, since our score equations hold to rounding and its do not.
    data = pd.read_csv(shared_reference / "matching" / "lalonde_matchit.csv")
    scores = pd.read_csv(shared_reference / "matching" / "pscore_lalonde.csv")
    race = pd.get_dummies(data.race)[["hispan", "white"]]
    rest = data[["age", "educ", "married", "nodegree", "re74", "re75"]]
    X = np.column_stack([np.ones(len(data)), rest, race]).astype(float)
    fit = logit(data.treat.to_numpy(), X, np.ones(len(data)))
    np.testing.assert_allclose(fit.probability, scores.ps_logit, rtol=1e-6)
    np.testing.assert_allclose(fit.linear_predictor, scores.linpred_logit, rtol=1e-6)
    d = data.treat.to_numpy()
    ours, theirs = (
        np.abs(X.T @ (d - p)) / X.sum(axis=0) for p in (fit.probability, scores.ps_logit)
    )
    assert ours.max() < 1e-14
    assert theirs.max() > 1e-11


def sample(n=400, seed=9):
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), rng.normal(size=n), rng.uniform(18, 64, n)])
    d = rng.binomial(1, expit(X @ [-1.0, 0.8, 0.02])).astype(float)
    return d, X, rng.uniform(0.3, 3, n)


def test_score_equations_hold_to_rounding():
    d, X, w = sample()
    X = np.column_stack([X, X[:, 2] ** 2, 1e6 * X[:, 1] ** 2])
    fit = logit(d, X, w)
    gradient = X.T @ (w * (d - fit.probability))
    assert (np.abs(gradient) < 1e-12 * (np.abs(X).T @ w)).all()
    information = X.T @ (X * (w * fit.probability * (1 - fit.probability))[:, None])
    unit = np.sqrt(np.outer(np.diag(information), np.diag(information)))
    near_one = (fit.information_inverse * unit) @ (information / unit)
    np.testing.assert_allclose(near_one, np.eye(5), atol=1e-7)


def test_a_saturated_logit_gives_the_log_odds_of_each_cell():
    d = np.repeat([1.0, 0.0, 1.0, 0.0], [3, 7, 45, 5])
    X = np.column_stack([np.ones(60), np.repeat([0.0, 1.0], [10, 50])])
    fit = logit(d, X, np.ones(60))
    np.testing.assert_allclose(fit.beta, [np.log(3 / 7), np.log(9) - np.log(3 / 7)], rtol=1e-12)
    np.testing.assert_allclose(
        np.diag(fit.information_inverse),
        [1 / 3 + 1 / 7, 1 / 3 + 1 / 7 + 1 / 45 + 1 / 5],
        rtol=1e-10,
    )


def separated():
    """Cases by name: d, X and the column at fault."""
    d, X, _ = sample()
    rng = np.random.default_rng(10)
    dummy = np.zeros(400)
    dummy[:6] = 1.0
    treated_six = d.copy()
    treated_six[:6] = 1.0
    comparison_six = d.copy()
    comparison_six[:6] = 0.0
    lone = np.zeros(400)
    lone[17] = 1.0
    wide = np.column_stack([X, X[:, 2] ** 2])
    tie = (X[:, 1] > 0).astype(float)
    meeting = X.copy()
    meeting[:2, 1] = 0.0
    tie[:2] = 0, 1
    return {
        "a category all treated (quasi)": (treated_six, np.column_stack([X, dummy]), 3),
        "a category all comparison (quasi)": (
            comparison_six,
            np.column_stack([X[:, :1], dummy, X[:, 1:]]),
            1,
        ),
        "a dummy of one unit": (d, np.column_stack([X, lone]), 3),
        "complete, in one column": ((X[:, 1] > 0.2).astype(float), X, 1),
        "complete, beside age and its square": ((X[:, 1] > 0.2).astype(float), wide, 1),
        "quasi-complete: both values meet at one point": (tie, meeting, 1),
        "income in dollars": (
            (X[:, 1] > 0.2).astype(float),
            np.column_stack([np.ones(400), rng.normal(size=400), 1e7 * X[:, 1]]),
            2,
        ),
    }


@pytest.mark.parametrize("name", separated())
def test_separation_is_refused_and_its_column_named(name):
    d, X, column = separated()[name]
    with pytest.raises(SeparationError, match=f"column {column} ") as refused:
        logit(d, X, np.ones(d.size))
    assert refused.value.column == column


def test_separation_among_the_rows_in_use_counts_and_other_rows_do_not():
    d, X, _ = sample()
    d = (X[:, 1] > 0).astype(float)
    flipped = np.abs(X[:, 1]) < 0.5
    d[flipped] = 1 - d[flipped]
    w = np.ones(400)
    assert logit(d, X, w).iterations < 20
    w[flipped] = 0.0
    with pytest.raises(SeparationError):
        logit(d, X, w)


def test_nearly_separated_data_have_a_maximum_and_are_fitted():
    # One pair of units in the wrong order is all that keeps the slope finite.
    x = np.concatenate([np.linspace(-3, -0.1, 200), np.linspace(0.1, 3, 200)])
    d = (x > 0).astype(float)
    d[199], d[200] = 1.0, 0.0
    X = np.column_stack([np.ones(400), x])
    fit = logit(d, X, np.ones(400))
    assert np.abs(X.T @ (d - fit.probability)).max() < 1e-9
    assert 5 < fit.beta[1] < 100


def test_an_extreme_but_harmless_regressor_is_no_separation():
    # A lone value of 200 lies on its own side of the odds, so its score is one to many digits, but
    # the other rows hold the slope.
    d, X, w = sample()
    X[0, 1], d[0] = 200.0, 1.0
    fit = logit(d, X, w)
    assert fit.linear_predictor[0] > 50
    rest = logit(d[1:], X[1:], w[1:])
    np.testing.assert_allclose(fit.beta, rest.beta, rtol=1e-8)


def test_collinear_columns_and_one_valued_treatment_are_refused():
    d, X, w = sample()
    with pytest.raises(CollinearityError) as refused:
        logit(d, np.column_stack([X, X[:, 1] - X[:, 2]]), w)
    assert refused.value.column == 3
    for value in (0.0, 1.0):
        with pytest.raises(NotEstimableError, match="treated units and comparison units"):
            logit(np.full(400, value), X, w)


def test_rows_of_weight_zero_get_a_score_and_no_influence():
    d, X, w = sample()
    w[:50] = 0.0
    whole, part = logit(d, X, w), logit(d[50:], X[50:], w[50:])
    np.testing.assert_allclose(whole.beta, part.beta, rtol=1e-10)
    np.testing.assert_allclose(whole.probability[:50], expit(X[:50] @ part.beta), rtol=1e-10)
    assert (whole.psi[:50] == 0).all()


def test_refusals_are_exactly_those_of_the_full_linear_programme():
    # Witness: Konis (2007). Data are separated when max sum_i s_i x_i'b over s_i x_i'b >= 0 and
    # |b| <= 1 is above zero, solved here over all rows at once, without any fit.
    rng = np.random.default_rng(16)
    verdicts = []
    for k in range(150):
        n, p = int(rng.integers(8, 40)), int(rng.integers(1, 4))
        columns = rng.normal(size=(n, p)) if k % 2 else rng.integers(0, 3, (n, p))
        X = np.column_stack([np.ones(n), columns])
        d = rng.binomial(1, expit(2 * X[:, 1])).astype(float)
        if d.min() == d.max() or np.linalg.matrix_rank(X) <= p:
            continue
        rows = X * (2 * d - 1)[:, None]
        best = linprog(-rows.sum(axis=0), A_ub=-rows, b_ub=np.zeros(n), bounds=(-1, 1))
        separated = -best.fun > 1e-6
        verdicts.append(separated)
        if separated:
            with pytest.raises(SeparationError):
                logit(d, X, np.ones(n))
        else:
            fit = logit(d, X, np.ones(n))
            assert np.abs(X.T @ (d - fit.probability)).max() < 1e-9
    assert 20 < sum(verdicts) < len(verdicts) - 20
