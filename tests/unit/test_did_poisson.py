"""Poisson difference-in-differences: ratios, averages of them, and what is refused."""

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.did.aggregation import overall
from prakerja_eval.did.design import Design
from prakerja_eval.did.poisson import poisson
from prakerja_eval.errors import NotEstimableError, UsageError

WAVES = (1, 2, 3, 4)


def earnings(cohorts=(3, 4, 0), each=10, seed=3, factor=1.5):
    """Return long earnings, a third of them zero; treatment multiplies them."""
    rng = np.random.default_rng(seed)
    rows = []
    for c, g in enumerate(cohorts):
        for i in range(each):
            for t in WAVES:
                mean = 100 * (c + 1) * 1.1**t * (factor if g and t >= g else 1)
                pay = mean * rng.exponential() * (rng.random() > 1 / 3)
                rows.append((f"u{c}-{i}", t, g, pay))
    return pd.DataFrame(rows, columns=["id", "t", "g", "pay"])


def proportional(cohorts=(3, 4, 0), each=4, factors=None):
    """Return earnings whose cohort means move in exact proportion; half the people have zero."""
    data = earnings(cohorts, each)
    scale = data.g.map({g: 50.0 * (k + 1) for k, g in enumerate(cohorts)})
    odd = data.id.str[-1].astype(int) % 2
    by = data.g.map(factors or {}).where((data.g > 0) & (data.t >= data.g), 1.0).fillna(1.0)
    return data.assign(pay=2 * odd * scale * data.t.map({1: 1.0, 2: 1.3, 3: 0.7, 4: 2.0}) * by)


def panel_of(data, **roles):
    return pe.read_panel(data, pe.Roles(unit="id", wave="t", cohort="g", **roles))


def fit(data, design=None, **options):
    return poisson(panel_of(data), "pay", design, **options)


def test_exact_ratios_come_back_with_zeros_and_uneven_levels():
    data = proportional(factors={3: 1.5, 4: 0.8})
    percent = fit(data, scale="percent")
    assert percent.index[["cohort", "wave"]].to_numpy().tolist() == [[3, 3], [3, 4], [4, 4]]
    np.testing.assert_allclose(percent.theta, [50, 50, -20], rtol=1e-7)
    levels = fit(data)
    np.testing.assert_allclose(
        levels.theta, [50 * 0.7 / 2, 50 * 2.0 / 2, -0.2 * 100 * 2.0], rtol=1e-7
    )
    np.testing.assert_allclose(
        levels.counts["comparison_mean"].astype(float), [35, 100, 200], rtol=1e-7
    )


def test_trends_parallel_in_ratios_are_not_parallel_in_levels():
    from prakerja_eval.did.imputation import imputation

    data = proportional(factors={3: 1.0, 4: 1.0})
    np.testing.assert_allclose(fit(data).theta, 0, atol=1e-6)
    assert np.abs(imputation(panel_of(data), "pay").theta).max() > 10


def test_labels_say_what_is_in_percent():
    data = earnings()
    levels, percent = fit(data), fit(data, scale="percent")
    assert set(levels.index["estimand"]) == {"ATT"}
    assert set(percent.index["estimand"]) == {"ATT in percent"}
    assert set(percent.index["estimator"]) == {"did.poisson"}
    assert percent.index["event_time"].tolist() == [0.0, 1.0, 0.0]
    assert levels.units["treated_from"].nunique() == 2
    assert levels.counts["n"].tolist() == [30] * 3
    assert levels.counts["n_treated"].tolist() == [10] * 3


def test_rows_are_called_by_what_they_average():
    data = earnings()
    assert fit(data, rows="event_times").index["event_time"].tolist() == [0.0, 1.0]
    assert fit(data, rows="cohorts").index["population"].tolist() == ["cohort 3", "cohort 4"]
    assert fit(data, rows="waves").index["wave"].tolist() == [3, 4]
    everyone = fit(data, rows="overall")
    assert everyone.index["population"].tolist() == ["treated people"]
    assert everyone.counts["n_treated"].tolist() == [20]


def test_percent_of_the_average_is_not_the_average_of_percents():
    data = proportional(factors={3: 3.0, 4: 1.0})
    # cohort 3: mean 50; cohort 4: mean 100; at event time 0 in waves 3 (0.7) and 4 (2.0)
    found = fit(data, scale="percent", rows="event_times")
    assert found.theta[0] == pytest.approx(100 * (35 * 3 + 200) / (35 + 200) - 100, rel=1e-7)
    assert found.theta[0] != pytest.approx((200 + 0) / 2, rel=0.1)


def test_scale_of_the_outcome_changes_levels_in_proportion_and_percent_not_at_all():
    data = earnings()
    rupiah = data.assign(pay=data.pay * 15_000)
    a, b = fit(data, scale="percent"), fit(rupiah, scale="percent")
    np.testing.assert_allclose(a.theta, b.theta, rtol=1e-9)
    np.testing.assert_allclose(a.psi, b.psi, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(fit(rupiah).theta, 15_000 * fit(data).theta, rtol=1e-9)


def test_negative_outcomes_are_refused_even_where_means_are_positive():
    data = earnings()
    data.loc[3, "pay"] = -0.5
    with pytest.raises(NotEstimableError, match="negative in 1 observation"):
        fit(data)


def test_cohorts_and_waves_without_any_earnings_before_treatment_are_named():
    data = earnings()
    none = data.assign(pay=data.pay.where((data.g != 3) | (data.t >= 3), 0.0))
    with pytest.raises(NotEstimableError, match="cohort 3"):
        fit(none)
    lockdown = data.assign(pay=data.pay.where(data.t != 4, 0.0))
    with pytest.raises(NotEstimableError, match="wave 4"):
        fit(lockdown)
    never = data.assign(pay=data.pay.where(data.g != 0, 0.0))
    with pytest.raises(NotEstimableError, match="no ratio"):
        fit(never)
    with pytest.raises(NotEstimableError, match="zero"):
        fit(data.assign(pay=0.0))


def test_a_single_untreated_cell_of_zeros_is_no_obstacle():
    data = earnings()
    data = data.assign(pay=data.pay.where((data.g != 4) | (data.t != 2), 0.0))
    assert np.isfinite(fit(data).tidy()["std_error"].astype(float)).all()


def test_treated_who_all_have_zero_are_minus_a_hundred_percent_without_an_error():
    data = earnings()
    data = data.assign(pay=data.pay.where((data.g != 4) | (data.t < 4), 0.0))
    found = fit(data, scale="percent")
    assert found.theta[2] == -100
    assert np.isnan(found.tidy()["std_error"].astype(float).iloc[2])
    assert "zero for all the treated" in found.counts["status"].iloc[2]
    assert np.isfinite(fit(data).tidy()["std_error"].astype(float)).all()


def test_cells_that_untreated_means_do_not_determine_are_nan_or_named():
    found = fit(earnings(cohorts=(3, 4)))
    assert found.index[["cohort", "wave"]].to_numpy().tolist() == [[3, 3]]
    assert "cohort 4 in 4 (nobody left untreated" in found.index["specification"].iloc[0]
    data = earnings()
    gone = data[(data.g != 0) | (data.t < 4)]
    lost = fit(gone)
    assert np.isnan(lost.theta[1:]).all()
    assert "wave 4" in lost.counts["status"].iloc[1]
    assert np.isnan(fit(gone, rows="overall", scale="percent").theta).all()
    unseen = fit(data[(data.g != 3) | (data.t != 4)], rows="event_times")
    assert np.isfinite(unseen.theta[0])
    assert np.isnan(unseen.theta[1])
    assert "nobody of cohort 3 is seen in wave 4" in unseen.counts["status"].iloc[1]


def test_a_cohort_of_one_has_no_variance():
    data = earnings()
    data = data[(data.g != 4) | (data.id == "u1-1")].assign(pay=lambda d: d.pay + 1)
    found = fit(data)
    assert found.counts["status"].tolist() == ["ok", "ok", "a group of one unit has no variance"]
    assert np.isfinite(found.theta).all()


def test_anticipation_moves_waves_to_the_treated():
    found = fit(earnings(), Design(anticipation=1))
    assert found.index["event_time"].tolist() == [-1.0, 0.0, 1.0, -1.0, 0.0]
    assert fit(earnings(), Design(anticipation=1), rows="overall").index["event_time"].isna().all()


def test_options_that_mean_nothing_here_are_refused_by_name():
    for option in ({"covariates": ("x",)}, {"comparison": "not_yet_treated"}, {"method": "reg"}):
        with pytest.raises(UsageError, match=next(iter(option))):
            fit(earnings(), Design(**option))
    with pytest.raises(UsageError, match="scale"):
        fit(earnings(), scale="log")
    with pytest.raises(UsageError, match="rows"):
        fit(earnings(), rows="all")


def test_the_shared_averages_take_cells_in_levels_and_not_averages():
    cells = fit(earnings())
    assert overall(cells).theta == pytest.approx(fit(earnings(), rows="overall").theta, rel=1e-9)
    with pytest.raises(UsageError, match="another kind"):
        overall(fit(earnings(), rows="event_times"))


def test_percents_of_cells_are_not_averaged_by_the_shared_averages():
    with pytest.raises(UsageError, match="another kind"):
        overall(fit(earnings(), scale="percent"))
