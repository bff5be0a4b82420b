"""Tests before treatment of a panel, from cells on: what they test, would miss, and refuse."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import prakerja_eval as pe
from prakerja_eval.errors import UsageError

Z = stats.norm.ppf(0.975)


def panel(seed=1, n=80, waves=6):
    rng = np.random.default_rng(seed)
    g = np.repeat([0, 4, 5, 6], n // 4)
    unit, wave = np.divmod(np.arange(n * waves), waves)
    y = rng.normal(size=n)[unit] + 0.1 * wave + rng.normal(size=n * waves)
    data = pd.DataFrame({"id": unit, "t": wave + 1, "g": g[unit], "y": y})
    return pe.read_panel(data, pe.Roles(unit="id", wave="t", cohort="g"))


@pytest.fixture(scope="module")
def cells():
    return pe.did.group_time(panel(), "y", pe.did.Design(base_period="universal"))


@pytest.fixture(scope="module")
def study(cells):
    return pe.did.event_study(cells)


class TestJointTest:
    def test_it_is_the_quadratic_form_of_the_rows_before_treatment(self, study):
        # written out: influence of the rows by name, no reference, a chi-squared with as many
        rows = [k for k, e in enumerate(study.index["event_time"]) if e < -1]
        psi, theta = study.psi[:, rows], study.theta[rows]
        found = pe.did.pretrends(study)
        expected = theta @ np.linalg.inv(psi.T @ psi) @ theta
        assert found.df == len(rows) == 4
        assert found.statistic == pytest.approx(expected, rel=1e-10)
        assert found.p_value == pytest.approx(stats.chi2.sf(expected, 4), rel=1e-10)

    def test_cells_are_tested_one_by_one(self, cells):
        assert pe.did.pretrends(cells).df == 2 + 3 + 4  # cohorts 4, 5, 6; base the wave before

    def test_the_null_is_said(self, study):
        assert pe.did.pretrends(study).null == (
            "no effect on y before treatment (4 rows, event times -5 to -2)"
        )

    def test_waves_of_anticipation_are_tested_when_asked_for(self):
        rows = pe.did.group_time(panel(), "y", pe.did.Design(anticipation=1))
        default, more = pe.did.pretrends(rows), pe.did.pretrends(rows, before=0)
        assert more.df == default.df + 3
        assert "to -2)" in default.null
        assert "to -1)" in more.null

    def test_the_inference_named_is_taken(self, study):
        found = pe.did.pretrends(study, pe.Clustered("unit", correction="G"))
        # G / (G - 1) of each row's units, and an F law
        groups = study.sample[:, :4].sum(axis=0)
        scaled = study.psi[:, :4] * np.sqrt(groups / (groups - 1))
        theta = study.theta[:4]
        expected = theta @ np.linalg.inv(scaled.T @ scaled) @ theta / 4
        assert found.df_denominator == groups.min() - 1
        assert found.statistic == pytest.approx(expected, rel=1e-10)

    def test_nothing_before_treatment_is_refused(self, study):
        effects = pe.subset(study, rows=[k for k, e in enumerate(study.index.event_time) if e >= 0])
        with pytest.raises(UsageError, match="no row with the estimand 'pre-trend'"):
            pe.did.pretrends(effects)
        with pytest.raises(UsageError, match="no row before event time 0"):
            pe.did.pretrends(effects, before=0)


class TestPower:
    def test_the_slopes_found_are_seen_with_the_probability_asked_for(self, study):
        found = pe.did.pretrend_power(study, power=0.7)
        assert found.individual == pytest.approx(0.7, abs=3e-5)  # the integral to 1e-5, twice
        assert list(found.detectable["power"]) == [0.5, 0.7, 0.8]
        for row in found.detectable.itertuples():
            at = pe.did.pretrend_power(study, -row.individual)
            assert at.individual == pytest.approx(row.power, abs=3e-5)
            at = pe.did.pretrend_power(study, row.joint)
            assert at.joint == pytest.approx(row.power, abs=1e-4)

    def test_the_slope_of_one_coefficient_solves_the_normal_equation(self, study):
        rows = [k for k, e in enumerate(study.index["event_time"]) if -3 < e < 1]
        short = pe.subset(study, rows=rows)
        se = pe.infer(short).frame["std_error"].iloc[0]
        away = pe.did.pretrend_power(short, power=0.8).slope / se
        assert stats.norm.sf(Z - away) + stats.norm.cdf(-Z - away) == pytest.approx(0.8, abs=1e-4)

    def test_without_a_trend_the_tests_have_their_size_and_leave_no_bias(self, study):
        found = pe.did.pretrend_power(study, 0.0)
        assert found.joint == pytest.approx(0.05, abs=1e-9)
        assert 0.05 < found.individual < 0.2  # between one test and four apart
        se = pe.infer(study).frame["std_error"].max()
        np.testing.assert_allclose(found.frame["expected_after_passing"], 0.0, atol=1e-5 * se)

    def test_what_hardly_ever_passes_has_no_expectation(self, study):
        frame = pe.did.pretrend_power(study, 5.0).frame
        assert frame["expected_after_passing"].isna().all()

    def test_trends_run_through_the_reference(self, study):
        frame = pe.did.pretrend_power(study, 0.5).frame
        np.testing.assert_allclose(frame["trend"], 0.5 * (frame["event_time"] + 1), atol=1e-15)
        assert list(frame["event_time"]) == [-5, -4, -3, -2, 0, 1, 2]

    def test_it_prints_what_it_found(self, study):
        found = pe.did.pretrend_power(study, 0.5)
        assert "0.5 per unit of event time" in repr(found)
        assert f"{found.joint:.3f}" in repr(found)
        assert "<table" in found._repr_html_()

    def test_a_varying_base_is_refused(self):
        rows = pe.did.event_study(pe.did.group_time(panel(), "y"))
        with pytest.raises(UsageError, match='base_period="universal"'):
            pe.did.pretrend_power(rows)

    def test_impossible_asks_are_refused(self, study):
        with pytest.raises(UsageError, match="ask for more"):
            pe.did.pretrend_power(study, power=0.04)
        with pytest.raises(UsageError, match="between 0 and 1"):
            pe.did.pretrend_power(study, power=1.5)
        with pytest.raises(UsageError, match="finite"):
            pe.did.pretrend_power(study, np.nan)
        with pytest.raises(UsageError, match="level"):
            pe.did.pretrend_power(study, level=95)
