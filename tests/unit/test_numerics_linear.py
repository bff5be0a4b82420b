"""Does least squares reproduce certified and published numbers, and refuse what it must?"""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from prakerja_eval.errors import CollinearityError, NotEstimableError
from prakerja_eval.numerics.blocks import block_dummies
from prakerja_eval.numerics.linear import wls


def test_longley_meets_the_certified_values_of_nist():
    # NIST StRD, Linear Regression, dataset Longley, certified values; its condition number after
    # scaling is about 4e4.
    data = sm.datasets.longley.load_pandas()
    X = sm.add_constant(data.exog).to_numpy()
    fit = wls(data.endog.to_numpy(), X, np.ones(16))
    certified = [
        (-3482258.63459582, 890420.383607373),
        (15.0618722713733, 84.9149257747669),
        (-0.0358191792925910, 0.0334910077722432),
        (-2.02022980381683, 0.488399681651699),
        (-1.03322686717359, 0.214274163161675),
        (-0.0511041056535807, 0.226073200069370),
        (1829.15146461355, 455.478499142212),
    ]
    beta, se = np.array(certified).T
    np.testing.assert_allclose(fit.beta, beta, rtol=1e-8)
    classical = np.sqrt(np.diag(fit.bread) * (fit.residuals @ fit.residuals) / (16 - 7))
    np.testing.assert_allclose(classical, se, rtol=1e-8)


def test_a_quintic_on_raw_powers_gives_its_own_coefficients():
    # NIST StRD Wampler1: y = 1 + x + ... + x^5 at x = 0..20, all coefficients certified 1.
    X = np.arange(21.0)[:, None] ** np.arange(6)
    np.testing.assert_allclose(wls(X.sum(axis=1), X, np.ones(21)).beta, 1.0, rtol=1e-8)


def test_nsw_experiment_matches_estimatr_hc0_to_hc3(shared_reference):
    # R estimatr 1.0.0, lm_robust(re78 ~ treat); numbers printed to ten digits.
    nsw = pd.read_csv(shared_reference / "lottery" / "nsw.csv")
    table = pd.read_csv(shared_reference / "lottery" / "estimatr.csv")
    table = table[table.dataset == "nsw"].set_index("spec")
    X = np.column_stack([np.ones(445), nsw.treat])
    fit = wls(nsw.re78.to_numpy(), X, np.ones(445))
    leverage = np.einsum("ij,jk,ik->i", fit.design, fit.bread, fit.design)
    variance = {
        "HC0": (fit.psi**2).sum(axis=0),
        "HC1": (fit.psi**2).sum(axis=0) * 445 / 443,
        "HC2": (fit.psi**2 / (1 - leverage)[:, None]).sum(axis=0),
        "HC3": (fit.psi**2 / (1 - leverage)[:, None] ** 2).sum(axis=0),
    }
    for kind, value in variance.items():
        row = table.loc[f"lm_robust re78~treat {kind}"]
        np.testing.assert_allclose(fit.beta[1], row.estimate, rtol=1e-8)
        np.testing.assert_allclose(np.sqrt(value[1]), row.se, rtol=1e-8)


def test_strata_fixed_effects_match_estimatr(shared_reference):
    # R estimatr 1.0.0, lm_robust with strata dummies, HC1.
    data = pd.read_csv(shared_reference / "lottery" / "synthetic_lottery.csv")
    table = pd.read_csv(shared_reference / "lottery" / "estimatr.csv")
    row = table[(table.dataset == "synthetic") & (table.spec == "strata FE HC1")].iloc[0]
    codes = pd.factorize(data.stratum)[0]
    X = np.column_stack([data.z, block_dummies(codes, codes.max() + 1)])
    fit = wls(data.income.to_numpy(), X, np.ones(len(data)))
    n, p = X.shape
    np.testing.assert_allclose(fit.beta[0], row.estimate, rtol=1e-8)
    np.testing.assert_allclose(np.sqrt((fit.psi[:, 0] ** 2).sum() * n / (n - p)), row.se, rtol=1e-8)


def sample(seed, n=50):
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), rng.uniform(18, 64, n), rng.normal(size=n)])
    return rng.normal(size=n), X, rng.uniform(0.2, 3, n)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(-8, 8))
def test_the_unit_of_a_column_divides_its_coefficient_and_nothing_else(seed, exponent):
    y, X, w = sample(seed)
    unit = np.array([1.0, 10.0**exponent, 1.0])
    one, other = wls(y, X, w), wls(y, X * unit, w)
    scale = np.abs(one.psi).max(axis=0)
    np.testing.assert_allclose(other.beta * unit, one.beta, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(other.psi * unit / scale, one.psi / scale, atol=1e-8)


def test_rows_of_weight_zero_contribute_nothing_but_keep_their_place():
    y, X, w = sample(1)
    w[::3] = 0.0
    kept = w > 0
    y[~kept] = 1e9
    whole, part = wls(y, X, w), wls(y[kept], X[kept], w[kept])
    np.testing.assert_allclose(whole.beta, part.beta, rtol=1e-12)
    np.testing.assert_allclose(whole.psi[kept], part.psi, rtol=1e-9, atol=1e-15)
    assert (whole.psi[~kept] == 0).all()
    assert whole.residuals.shape == y.shape


def _columns():
    rng = np.random.default_rng(2)
    a, b, c = rng.normal(size=(3, 30)) * np.array([[1e-3], [1.0], [1e6]])
    one = np.ones(30)
    group = block_dummies(np.arange(30) % 3, 3)
    return {
        "a sum of two before it": ([one, a, b, a + b, c], 3),
        "two faults, the first named": ([one, a, 2 * a, b, 3 * b], 2),
        "the dummy trap": ([one, *group.T, a], 3),
        "a second constant": ([a, one, c, 5 * one], 3),
        "an empty column": ([one, np.zeros(30), a], 1),
        "dollars and their thousands": ([one, c, b, c / 1000], 3),
    }


@pytest.mark.parametrize("name", _columns())
def test_the_first_dependent_column_is_named(name):
    columns, expected = _columns()[name]
    with pytest.raises(CollinearityError, match=f"column {expected} ") as refused:
        wls(np.arange(30.0), np.column_stack(columns), np.ones(30))
    assert refused.value.column == expected


def test_a_column_is_collinear_when_it_varies_only_among_rows_of_weight_zero():
    y, X, w = sample(4)
    X[:, 2] = 0.0
    X[:5, 2] = 1.0
    w[:5] = 0.0
    with pytest.raises(CollinearityError) as refused:
        wls(y, X, w)
    assert refused.value.column == 2


def test_more_columns_than_rows_names_the_first_column_too_many():
    rng = np.random.default_rng(5)
    with pytest.raises(CollinearityError) as refused:
        wls(rng.normal(size=4), rng.normal(size=(4, 6)), np.ones(4))
    assert refused.value.column == 4


def test_age_and_its_square_beside_dollars_are_not_collinear():
    rng = np.random.default_rng(6)
    age, dollars = rng.integers(18, 65, 400).astype(float), rng.gamma(2, 2e6, 400)
    X = np.column_stack([np.ones(400), age, age**2, dollars, dollars**2, dollars == 0])
    X[:3, 5] = 1.0
    beta = np.array([1e3, -2.0, 0.03, 4e-6, 5e-14, 7.0])
    np.testing.assert_allclose(wls(X @ beta, X, np.ones(400)).beta, beta, rtol=1e-8)


def test_inputs_are_left_as_they_were():
    y, X, w = sample(7)
    before = y.copy(), X.copy(), w.copy()
    wls(y, X, w)
    for now, then in zip((y, X, w), before, strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_missing_or_infinite_regressor_is_refused_with_its_column(value):
    y, X, w = sample(8)
    X[3, 2] = value
    with pytest.raises(NotEstimableError, match=r"column 2 .* missing or infinite"):
        wls(y, X, w)
