"""Do the joint tests state the quadratic form they claim, and refuse rows that are not alike?"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError, UsageError


@pytest.fixture(scope="module")
def panel():
    rng = np.random.default_rng(11)
    n = 90
    frame = pd.DataFrame({"id": [f"SYN-{i:06d}" for i in range(n)], "won": np.arange(n) % 2})
    frame["trained"] = frame.won * (rng.random(n) < 0.7)
    frame["village"] = rng.integers(0, 12, n)
    frame["age"] = rng.normal(size=n)
    for wave in (1, 2, 3):
        frame[f"y{wave}"] = rng.normal(size=n) + frame.trained + 0.5 * frame.age
    long = frame.melt(
        ["id", "won", "trained", "village", "age"], ["y1", "y2", "y3"], "wave", "income"
    )
    long["wave"] = long.wave.str[1:].astype(int)
    long["hours"] = long.income**2
    roles = pe.Roles(
        unit="id", wave="wave", baseline=1, offer="won", received="trained", clusters="village"
    )
    return pe.read_panel(long, roles)


def test_the_wald_statistic_is_the_quadratic_form_by_hand(panel):
    both = pe.lottery.itt(panel, ["income", "hours"], waves=[2])
    sums = pd.DataFrame(both.psi).groupby(both.units["village"].to_numpy()).sum().to_numpy()
    V = sums.T @ sums
    by_hand = both.theta @ np.linalg.inv(V) @ both.theta
    test = pe.wald(both, pe.Clustered("village", "none"))
    np.testing.assert_allclose(test.statistic, by_hand, rtol=1e-10)
    np.testing.assert_allclose(test.p_value, stats.chi2.sf(by_hand, 2), rtol=1e-10)
    assert (test.df, test.df_denominator) == (2, np.inf)
    R = np.array([[1.0, -2.0]])
    one = pe.wald(both, pe.Clustered("village", "none"), restrictions=R)
    z = (R @ both.theta)[0] / np.sqrt((R @ V @ R.T)[0, 0])
    np.testing.assert_allclose(one.statistic, z**2, rtol=1e-10)


def test_finite_degrees_of_freedom_give_an_f_test(panel):
    both = pe.lottery.itt(panel, ["income", "hours"], waves=[2])
    test = pe.wald(both, pe.Clustered("village", "G"))
    g = both.units["village"].nunique()
    plain = pe.wald(both, pe.Clustered("village", "none")).statistic
    np.testing.assert_allclose(test.statistic, plain * (g - 1) / g / 2, rtol=1e-10)
    np.testing.assert_allclose(test.p_value, stats.f.sf(test.statistic, 2, g - 1), rtol=1e-10)
    assert repr(test).splitlines()[1].startswith(f"F(2, {g - 1})")


def test_one_restriction_is_the_square_of_the_t_ratio(panel):
    row = pe.lottery.itt(panel, "income", waves=[2])
    for inference in (pe.Robust("HC2"), pe.Clustered("village", "CR2")):
        found = pe.infer(row, inference).frame.iloc[0]
        test = pe.wald(row, inference)
        np.testing.assert_allclose(test.statistic, found["statistic"] ** 2, rtol=1e-10)
        np.testing.assert_allclose(test.p_value, found["p_value"], rtol=1e-8)


@pytest.mark.parametrize(
    ("restrictions", "error", "message"),
    [
        ([[1.0]], UsageError, "restrictions on 1 of 2"),
        ([[1.0, 0.0], [2.0, 0.0]], NotEstimableError, "linearly dependent"),
        ([[0.0, 0.0]], NotEstimableError, "variance zero"),
    ],
)
def test_restrictions_that_test_nothing_are_refused(panel, restrictions, error, message):
    both = pe.lottery.itt(panel, ["income", "hours"], waves=[2])
    with pytest.raises(error, match=message):
        pe.wald(both, restrictions=restrictions)


def test_equality_of_two_specifications_uses_their_joint_covariance(panel):
    plain = pe.lottery.itt(panel, "income", waves=[2])
    adjusted = pe.lottery.itt(panel, "income", pe.lottery.Design(covariates=("age",)), waves=[2])
    both = pe.join(plain, adjusted)
    test = pe.test_equal(both, by="specification", inference=pe.Clustered("unit", "none"))
    gap = (plain.psi - adjusted.psi)[:, 0]
    z2 = (plain.theta - adjusted.theta)[0] ** 2 / (gap @ gap)
    np.testing.assert_allclose(test.statistic, z2, rtol=1e-9)
    assert test.df == 1
    # the joint covariance matters: as if independent, the statistic would be another
    apart = (plain.theta - adjusted.theta)[0] ** 2 / (plain.psi**2 + adjusted.psi**2).sum()
    assert test.statistic > 1.5 * apart
    assert test.null == ("the effect on income is the same by unadjusted and adjusted for age")
    assert repr(test).startswith("H0: the effect on income")


def test_an_itt_beside_an_att_is_refused_and_the_column_named(panel):
    itt = pe.lottery.itt(panel, "income", waves=[2])
    att = pe.lottery.late(panel, "income", pe.lottery.Design("treated"), waves=[2])
    assert att.index["estimand"].iloc[0] == "ATT"
    with pytest.raises(UsageError, match="differ in estimand: ITT / ATT"):
        pe.test_equal(pe.join(itt, att))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("estimand", "ATT"),
        ("population", "others"),
        ("outcome", "hours"),
        ("cohort", 2),
        ("wave", 3),
        ("event_time", 1),
        ("subgroup", "women"),
        ("weighting", "treated people"),
    ],
)
def test_rows_that_differ_in_what_they_estimate_are_refused(panel, column, value):
    row = pe.lottery.itt(panel, "income", waves=[2])
    other = pe.rename(row, **{column: value, "estimator": "another"})
    with pytest.raises(UsageError, match=f"differ in {column}"):
        pe.test_equal(pe.join(row, other))


def test_waves_may_be_compared_by_name(panel):
    rows = pe.lottery.itt(panel, "income")
    test = pe.test_equal(rows, by="wave")
    assert "the same by 2 and 3" in test.null


def test_a_row_is_not_compared_with_itself(panel):
    row = pe.lottery.itt(panel, "income", waves=[2])
    twin = pe.rename(row, specification="the same again")
    for inference in (None, pe.Clustered("village"), pe.Clustered("unit", "none")):
        with pytest.raises(NotEstimableError, match="with itself"):
            pe.test_equal(pe.join(row, twin), by="specification", inference=inference)
    # nor with one that differs by rounding alone
    nearly = pe.contrast(pe.join(row, twin), [1 / 3, 2 / 3], specification="nearly")
    with pytest.raises(NotEstimableError, match="with itself"):
        pe.test_equal(pe.join(row, nearly), by="specification")


def test_one_row_and_rows_of_one_name_are_refused(panel):
    row = pe.lottery.itt(panel, "income", waves=[2])
    with pytest.raises(UsageError, match="has one"):
        pe.test_equal(row)
    with pytest.raises(UsageError, match="two rows have the same estimator"):
        pe.test_equal(pe.join(row, row))
    with pytest.raises(UsageError, match="no index column"):
        pe.test_equal(pe.join(row, row), by="design")


def test_a_row_without_a_standard_error_is_not_tested(panel):
    frame = panel.frame
    lone = frame.assign(won=(frame.id == "SYN-000001").astype(int))
    row = pe.lottery.itt(pe.read_panel(lone, panel.roles), ["income", "hours"], waves=[2])
    with pytest.raises(NotEstimableError, match="an arm or cell of one unit"):
        pe.wald(row)
