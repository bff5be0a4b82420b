"""Does the attrition table count rightly, and do its tests find what attrition spoils, only that?

Witnesses: statsmodels' least squares with block dummies written out and HC2 (F tests), and `itt` on
a column that says who answered.
"""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import prakerja_eval as pe
from prakerja_eval.errors import DataError
from prakerja_eval.lottery.attrition import attrition
from prakerja_eval.lottery.design import Design


def people(n=1_200, seed=4, blocks=3):
    """Everyone in a lottery of unequal odds, with a baseline outcome and a covariate."""
    rng = np.random.default_rng(seed)
    block = rng.integers(0, blocks, n)
    won = (rng.random(n) < np.linspace(0.2, 0.6, blocks)[block]).astype(float)
    before = 10 + 2 * block + rng.normal(0, 3, n)
    return pd.DataFrame(
        {
            "id": [f"SYN-{i:06d}" for i in range(n)],
            "block": block,
            "won": won,
            "before": before,
            "age": rng.uniform(18, 64, n),
            "village": [f"v{k}" for k in rng.integers(0, 40, n)],
            "chance": rng.random(n),
        }
    )


def panel_of(frame, answered, blocks=("block",), clusters=()):
    """Two waves, the outcome missing in the second for those who did not answer."""
    after = (frame.before + frame.won).where(answered)
    long = pd.concat(
        [
            frame.assign(wave=2019, income=frame.before, answered=np.nan),
            frame.assign(wave=2021, income=after, answered=answered.astype(float)),
        ]
    )
    roles = pe.Roles(
        unit="id", wave="wave", baseline=2019, offer="won", blocks=blocks, clusters=clusters
    )
    return pe.read_panel(long, roles)


def alike(frame):
    """Answering that has nothing to do with the lottery or the person."""
    return frame.chance < 0.7


def row_of(found, test):
    return found.tests.set_index("test").loc[test]


def f_test(y, X, tested):
    """Return F and p of the last ``tested`` columns by statsmodels, HC2 and Student's df."""
    fit = sm.OLS(y, X).fit(cov_type="HC2", use_t=True)
    restrictions = np.eye(X.shape[1])[-tested:]
    found = fit.f_test(restrictions)
    return float(found.fvalue), float(found.pvalue)


def dummies(*columns):
    code = pd.Series(list(zip(*columns, strict=True))).factorize()[0]
    return (code[:, None] == np.arange(code.max() + 1)).astype(float)


def test_the_table_counts_the_assigned_and_the_observed():
    frame = people()
    answered = alike(frame)
    table = attrition(panel_of(frame, answered), "income").table.set_index("arm")
    for arm, code in (("winners", 1), ("losers", 0)):
        own = frame.won == code
        assert table.loc[arm, "assigned"] == own.sum()
        assert table.loc[arm, "observed"] == (own & answered).sum()
        assert table.loc[arm, "share"] == pytest.approx(answered[own].mean(), rel=1e-14)
    assert (table["wave"] == 2021).all()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"block_weights": "treated"},
        {"block_weights": "strata_fe"},
        {"covariates": ("age",)},
        {"clusters": "village"},
        {"method": "ipw"},
    ],
    ids=str,
)
def test_the_rate_test_is_the_itt_on_having_answered(options):
    frame = people()
    if "clusters" in options:
        code = frame.village.str[1:].astype(int)
        frame["block"], frame["won"] = code % 2, (code // 2 % 3 == 0).astype(float)
    panel = panel_of(frame, alike(frame), clusters="village")
    design = Design(**options)
    found = attrition(panel, "income", design)
    witness = pe.lottery.itt(panel, "answered", design).tidy().iloc[0]
    winners = found.table.iloc[0]
    assert winners["difference"] == pytest.approx(witness["estimate"], rel=1e-12)
    assert winners["std_error"] == pytest.approx(witness["std_error"], rel=1e-12)
    rate = row_of(found, "rate")
    assert rate["statistic"] == pytest.approx(witness["statistic"] ** 2, rel=1e-10)
    assert rate["p_value"] == pytest.approx(witness["p_value"], rel=1e-8)


def test_the_joint_tests_of_the_baseline_are_those_of_regressions_with_block_effects():
    frame = people()
    answered = alike(frame)
    found = attrition(panel_of(frame, answered), "income")
    r, won = answered.to_numpy(float), frame.won.to_numpy()
    arms = np.column_stack([won * r, won * (1 - r)])
    X = np.hstack([dummies(frame.block, answered), arms])
    F, p = f_test(frame.before.to_numpy(), X, 2)
    respondents = row_of(found, "IV-R")
    assert respondents["statistic"] == pytest.approx(F, rel=1e-8)
    assert respondents["p_value"] == pytest.approx(p, rel=1e-8)
    X = np.hstack([dummies(frame.block), arms, r[:, None]])
    F, p = f_test(frame.before.to_numpy(), X, 3)
    population = row_of(found, "IV-P")
    assert population["statistic"] == pytest.approx(F, rel=1e-8)
    assert population["p_value"] == pytest.approx(p, rel=1e-8)
    assert (respondents["df"], population["df"]) == (2, 3)


def test_the_interaction_test_is_that_of_slopes_apart_by_arm():
    frame = people()
    answered = alike(frame)
    found = attrition(panel_of(frame, answered), "income", covariates=("age",))
    X = frame[["before", "age"]].to_numpy() - [10.0, 40.0]
    won = frame.won.to_numpy()[:, None]
    F, p = f_test(
        answered.to_numpy(float), np.hstack([dummies(frame.block, frame.won), X, won * X]), 2
    )
    row = row_of(found, "interactions")
    assert row["statistic"] == pytest.approx(F, rel=1e-7)
    assert row["p_value"] == pytest.approx(p, rel=1e-7)


def test_respondents_are_compared_as_by_regressions_with_block_effects():
    frame = people()
    answered = alike(frame)
    found = attrition(panel_of(frame, answered), "income", covariates=("age",))
    seen = frame[answered]
    X = np.hstack([dummies(seen.block), seen[["won"]].to_numpy()])
    scores, theta = [], []
    for name, column in (("income@2019", "before"), ("age", "age")):
        fit = sm.OLS(seen[column].to_numpy(), X).fit(cov_type="HC2", use_t=True)
        row = found.respondents.set_index("covariate").loc[name]
        assert row["difference"] == pytest.approx(fit.params[-1], rel=1e-9)
        assert row["std_error"] == pytest.approx(fit.bse[-1], rel=1e-9)
        assert row["p_value"] == pytest.approx(fit.pvalues[-1], rel=1e-7)
        assert row["n"] == answered.sum()
        hat = np.sum(X * (X @ np.linalg.inv(X.T @ X)), axis=1)
        lever = X @ np.linalg.inv(X.T @ X)[:, -1]
        scores.append(lever * fit.resid / np.sqrt(1 - hat))
        theta.append(fit.params[-1])
    S, theta = np.array(scores).T, np.array(theta)
    F = theta @ np.linalg.solve(S.T @ S, theta) / 2
    assert row_of(found, "respondents")["statistic"] == pytest.approx(F, rel=1e-8)


def test_selective_attrition_at_equal_rates_is_found_by_all_but_the_rate_test():
    frame = people(4_000)
    # the poorest winners leave and the richest losers, 30 % each
    rank = frame.groupby(["block", "won"])["before"].rank(pct=True)
    found = attrition(panel_of(frame, rank.where(frame.won == 1, 1 - rank) > 0.3), "income")
    assert abs(found.table["difference"].iloc[0]) < 0.01
    assert row_of(found, "rate")["p_value"] > 0.05
    for test in ("respondents", "interactions", "IV-R", "IV-P"):
        assert row_of(found, test)["p_value"] < 1e-6


def test_when_the_poor_of_both_arms_leave_only_the_population_is_lost():
    frame = people(4_000, seed=11)
    rank = frame.groupby(["block", "won"])["before"].rank(pct=True)
    found = attrition(panel_of(frame, rank > 0.3), "income")
    assert row_of(found, "IV-R")["p_value"] > 0.05
    assert row_of(found, "IV-P")["p_value"] < 1e-10


def test_different_rates_need_not_spoil_the_respondents():
    frame = people(4_000)
    found = attrition(panel_of(frame, frame.chance < 0.6 + 0.2 * frame.won), "income")
    assert row_of(found, "rate")["p_value"] < 1e-6
    assert row_of(found, "IV-R")["p_value"] > 0.05
    assert row_of(found, "IV-P")["p_value"] > 0.05


def test_where_everybody_answered_the_table_stands_and_the_tests_say_why_they_do_not():
    frame = people(200)
    found = attrition(panel_of(frame, frame.chance < 2), "income", covariates=("age",))
    assert found.table["share"].tolist() == [1.0, 1.0]
    assert found.table["difference"].iloc[0] == 0
    for test in ("rate", "interactions", "IV-R", "IV-P"):
        row = row_of(found, test)
        assert np.isnan(row["p_value"])
        assert row["status"] != "ok"
    for test in ("rate", "interactions"):
        assert "everybody answered" in row_of(found, test)["status"]
    assert row_of(found, "respondents")["status"] == "ok"


def test_where_no_loser_answered_respondents_are_not_compared():
    frame = people(200)
    found = attrition(panel_of(frame, frame.won == 1), "income")
    assert "no block has both" in row_of(found, "respondents")["status"]
    assert found.respondents.empty
    assert found.table["observed"].tolist() == [frame.won.sum(), 0]


def test_a_block_that_lost_one_person_does_not_stop_the_tests():
    frame = people()
    frame.loc[:40, "block"] = 9
    frame.loc[:40, "won"] = (np.arange(41) % 2).astype(float)
    answered = alike(frame)
    answered.loc[:40] = np.arange(41) != 7
    found = attrition(panel_of(frame, answered), "income")
    assert (found.tests["status"] == "ok").all()


def test_without_a_baseline_only_rates_and_named_covariates_are_tested():
    frame = people(300)
    frame["income"] = frame.before.where(alike(frame))
    panel = pe.read_panel(frame, pe.Roles(unit="id", offer="won", blocks="block"))
    assert attrition(panel, "income").tests["test"].tolist() == ["rate"]
    assert attrition(panel, "income").respondents.empty
    named = attrition(panel, "income", covariates=("age",)).tests["test"].tolist()
    assert named == ["rate", "respondents", "interactions"]


def test_people_without_a_baseline_outcome_are_left_out_of_its_tests_and_counted():
    frame = people()
    frame.loc[:99, "before"] = np.nan
    answered = alike(frame)
    after = panel_of(frame.assign(before=frame.before.fillna(1.0)), answered).frame
    after.loc[(after.wave == 2019) & after.before.eq(1.0), "income"] = np.nan
    roles = pe.Roles(unit="id", wave="wave", baseline=2019, offer="won", blocks="block")
    found = attrition(pe.read_panel(after, roles), "income")
    assert row_of(found, "rate")["n"] == 1_200
    assert row_of(found, "IV-R")["n"] == row_of(found, "interactions")["n"] == 1_100


def test_covariates_that_repeat_each_other_stop_their_test_and_no_other():
    frame = people().assign(months=lambda f: 12 * f.age)
    found = attrition(panel_of(frame, alike(frame)), "income", covariates=("age", "months"))
    assert row_of(found, "interactions")["status"] != "ok"
    assert row_of(found, "respondents")["status"] != "ok"
    assert row_of(found, "IV-R")["status"] == "ok"


def test_a_covariate_missing_for_someone_is_refused():
    frame = people(200)
    frame.loc[3, "age"] = np.nan
    with pytest.raises(DataError, match="missing for 1 of 200"):
        attrition(panel_of(frame, alike(frame)), "income", covariates=("age",))


def test_each_null_names_the_wave_and_the_outcome():
    frame = people(300)
    tests = attrition(panel_of(frame, alike(frame)), "income").tests
    assert tests["null"].str.contains("2021").all()
    assert tests["null"].iloc[1:].str.contains("income").all()


def test_each_wave_has_its_table_and_tests():
    frame = people(400)
    answered = alike(frame)
    long = panel_of(frame, answered).frame
    later = long[long.wave == 2021].assign(wave=2022)
    later["income"] = later.income.where(later.age > 30)
    roles = pe.Roles(unit="id", wave="wave", baseline=2019, offer="won", blocks="block")
    panel = pe.read_panel(pd.concat([long, later]), roles)
    both = attrition(panel, "income")
    assert both.table["wave"].tolist() == [2021, 2021, 2022, 2022]
    assert both.table["observed"].sum() == answered.sum() + (answered & (frame.age > 30)).sum()
    only = attrition(panel, "income", waves=[2022])
    pd.testing.assert_frame_equal(
        only.tests, both.tests[both.tests.wave == 2022].reset_index(drop=True)
    )


def test_it_prints_its_three_tables():
    frame = people(300)
    found = attrition(panel_of(frame, alike(frame)), "income")
    for word in ("assigned", "income@2019", "IV-P"):
        assert word in repr(found)
        assert word in found._repr_html_()
