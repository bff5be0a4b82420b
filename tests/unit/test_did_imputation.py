"""Imputation: what is imputed, what is refused, and what is said of the rest."""

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.did.aggregation import event_study, overall
from prakerja_eval.did.design import Design
from prakerja_eval.did.imputation import imputation
from prakerja_eval.did.imputation_pretrend import imputation_pretrend
from prakerja_eval.errors import NotEstimableError, UsageError

WAVES = (1, 2, 3, 4, 5)


def staggered(cohorts=(3, 4, 0), each=8, seed=5, level=100.0):
    """Return a long panel with an effect of 2 at the start that grows by 1 a wave."""
    rng = np.random.default_rng(seed)
    rows = []
    for c, g in enumerate(cohorts):
        for i in range(each):
            alpha, x = rng.normal(size=2)
            for t in WAVES:
                effect = 2 + t - g if g and t >= g else 0
                y = level + alpha + 0.5 * t + effect + rng.normal(scale=0.1)
                rows.append((f"u{c}-{i}", t, g, y, round(x, 3)))
    return pd.DataFrame(rows, columns=["id", "t", "g", "y", "x"])


def panel_of(data, **roles):
    """Without a baseline where a cohort is treated by then."""
    if not (data.g == 1).any():
        roles["baseline"] = 1
    return pe.read_panel(data, pe.Roles(unit="id", wave="t", cohort="g", **roles))


def impute(long, **options):
    return imputation(panel_of(long), "y", Design(**options))


def test_rows_are_cohorts_by_waves_from_the_start_on_with_every_label():
    found = impute(staggered())
    assert found.index[["cohort", "wave", "event_time"]].to_numpy().tolist() == [
        [3, 3, 0.0], [3, 4, 1.0], [3, 5, 2.0], [4, 4, 0.0], [4, 5, 1.0],
    ]  # fmt: skip
    assert set(found.index["estimator"]) == {"did.imputation"}
    assert set(found.index["estimand"]) == {"ATT"}
    assert set(found.index["weighting"]) == {"treated people"}
    assert found.index["population"].iloc[3] == "cohort 4"
    np.testing.assert_allclose(found.theta, [2, 3, 4, 2, 3], atol=0.3)
    assert found.counts["n_treated"].tolist() == [8] * 5
    assert found.counts["n_comparison"].tolist() == [16] * 5
    treated = staggered().query("g == 3 and t == 5").y.mean()
    assert found.counts["comparison_mean"].iloc[2] == pytest.approx(treated - found.theta[2])


def test_exact_effects_come_back_without_noise_and_with_covariate_trends():
    data = staggered()
    data["y"] = data.x * data.t**2 + 3.0 * data.t + (data.g > 0) * (data.t >= data.g) * 7
    np.testing.assert_allclose(impute(data, covariates=("x",)).theta, 7, rtol=1e-9)
    assert np.abs(impute(data).theta - 7).max() > 0.1


def test_a_common_level_of_ten_million_costs_no_digits():
    low, high = impute(staggered(level=0.0)), impute(staggered(level=1e7))
    np.testing.assert_allclose(low.theta, high.theta, atol=1e-7)
    np.testing.assert_allclose(low.psi, high.psi, atol=1e-7)


def test_order_of_rows_and_names_of_units_change_nothing():
    data = staggered()
    shuffled = data.sample(frac=1, random_state=1)
    a, b = impute(data), impute(shuffled)
    np.testing.assert_allclose(a.theta, b.theta, rtol=1e-12)
    np.testing.assert_allclose(a.psi, b.psi[b.units.index.get_indexer(a.units.index)], atol=1e-12)


def test_two_groups_of_a_covariate_are_two_imputations():
    """With an indicator alone, trends given it are those of each group by itself."""
    data = staggered(each=12)
    data["x"] = data.id.str.split("-").str[1].astype(int) % 2
    given = impute(data, covariates=("x",))
    each = [impute(data[data.x == v]) for v in (0, 1)]
    np.testing.assert_allclose(given.theta, (each[0].theta + each[1].theta) / 2, rtol=1e-9)


def test_anticipation_counts_waves_before_the_start_as_treated():
    found = impute(staggered(), anticipation=1)
    assert found.index["event_time"].tolist() == [-1.0, 0.0, 1.0, 2.0, -1.0, 0.0, 1.0]
    assert set(found.index["estimand"]) == {"ATT"}
    assert "anticipation 1" in found.index["specification"].iloc[0]


def test_waves_with_nobody_left_untreated_and_cohorts_always_treated_are_named():
    data = staggered(cohorts=(1, 3, 5))
    found = impute(data)
    assert found.index[["cohort", "wave"]].to_numpy().tolist() == [[3, 3], [3, 4]]
    words = found.index["specification"].iloc[0]
    assert "cohort 1 (no wave before treatment" in words
    assert "cohort 3 in 5 (nobody left untreated" in words
    assert not found.units.index.str.startswith("u0").any()
    assert np.isfinite(overall(found).theta).all()


def test_people_never_seen_untreated_are_left_out_of_the_average():
    data = staggered()
    late = data[~((data.id == "u0-0") & (data.t < 3))]
    found = impute(late)
    assert found.counts["n_treated"].iloc[0] == 7
    assert not found.psi[found.units.index == "u0-0"].any()  # counts in the cohort's size alone
    without = impute(data[data.id != "u0-0"])
    np.testing.assert_allclose(found.theta, without.theta, rtol=1e-12)


@pytest.mark.parametrize("covariates", [(), ("x",)])
def test_a_cell_that_cannot_be_imputed_is_nan_with_its_reason(covariates):
    data = staggered()
    found = impute(data[~((data.g == 3) & (data.t < 3))], covariates=covariates)
    assert np.isnan(found.theta[:3]).all()
    assert np.isfinite(found.theta[3:]).all()
    assert "was seen untreated" in found.counts["status"].iloc[0]
    gone = impute(data[~((data.g == 0) & (data.t == 5))], covariates=covariates)
    assert np.isnan(gone.theta[2])
    assert "nobody is untreated in wave 5" in gone.counts["status"].iloc[2]
    assert "cohort 3, wave 5" in overall(gone).counts["status"].iloc[0]


def test_waves_that_no_untreated_person_links_are_not_compared():
    data = staggered(cohorts=(4, 0))
    early, late = data.g == 4, (data.g == 0) & (data.t < 4)
    found = impute(data[(early & (data.t != 5)) | ((data.g == 0) & ~late)])
    assert np.isnan(found.theta).all()
    assert "link" in found.counts["status"].iloc[0]


@pytest.mark.parametrize("cohorts", [(3, 0), (0, 3)])
def test_a_cohort_or_a_comparison_of_one_has_no_variance(cohorts):
    data = staggered(cohorts=cohorts)
    data = data[~data.id.str.startswith("u0") | (data.id == "u0-0")]
    found = impute(data)
    assert np.isfinite(found.theta).all()
    assert found.tidy()["std_error"].isna().all()
    assert set(found.counts["status"]) == {"a group of one unit has no variance"}


def test_options_that_mean_nothing_here_are_refused_by_name():
    for option in (
        {"method": "ipw"},
        {"comparison": "not_yet_treated"},
        {"base_period": "universal"},
        {"data": "cross_sections"},
        {"covariates_at": "base_period"},
    ):
        with pytest.raises(UsageError, match=next(iter(option))):
            impute(staggered(), **option)


def test_nothing_to_impute_is_refused():
    with pytest.raises(UsageError, match="nothing to impute"):
        impute(staggered(cohorts=(1, 0)))
    with pytest.raises(UsageError, match="nothing to impute"):
        impute(staggered(cohorts=(3,)))


def test_a_covariate_that_is_constant_among_the_untreated_of_a_wave_is_named():
    data = staggered()
    data["z"] = (data.g == 3) * 1.0
    with pytest.raises(NotEstimableError, match=r"wave 3 .*'z'"):
        impute(data, covariates=("x", "z"))


def test_waves_in_words_count_as_positions():
    data = staggered()
    data["t"] = data.t.map(dict(zip(WAVES, "abcde", strict=True)))
    data["d"] = ((data.g > 0) & (data.t >= data.g.map({3: "c", 4: "d", 0: "z"}))) * 1
    panel = pe.read_panel(
        data, pe.Roles(unit="id", wave="t", received="d", wave_order=tuple("abcde"))
    )
    found = imputation(panel, "y")
    np.testing.assert_allclose(found.theta, impute(staggered()).theta, rtol=1e-12)
    assert found.index["cohort"].tolist() == list("cccdd")
    assert event_study(found).index["event_time"].tolist() == [0.0, 1.0, 2.0]


def test_several_outcomes_are_stacked():
    data = staggered().assign(double=lambda d: 2 * d.y)
    found = imputation(panel_of(data), ["y", "double"])
    np.testing.assert_allclose(found.theta[5:], 2 * found.theta[:5], rtol=1e-12)


def test_a_weight_of_three_is_three_people():
    data = staggered().assign(w=lambda d: np.where(d.id == "u0-1", 3.0, 1.0))
    copies = [data[data.id == "u0-1"].assign(id=f"copy{k}") for k in range(2)]
    found = imputation(panel_of(data, weight="w"), "y")
    np.testing.assert_allclose(found.theta, impute(pd.concat([data, *copies])).theta, rtol=1e-12)


def test_leads_find_a_movement_before_treatment_and_no_effect_after_it_touches_them():
    data = staggered(each=20)
    ahead = (data.g > 0) & (data.t == data.g - 1)
    found = imputation_pretrend(panel_of(data.assign(y=data.y + 3 * ahead)), "y", leads=1)
    assert found.theta[0] == pytest.approx(3, abs=0.2)
    assert found.index["estimand"].tolist() == ["pre-trend"]
    late = (data.g > 0) & (data.t >= data.g)
    again = imputation_pretrend(panel_of(data.assign(y=data.y + 50 * late)), "y", leads=1)
    plain = imputation_pretrend(panel_of(data), "y", leads=1)
    np.testing.assert_allclose(again.theta, plain.theta, atol=1e-12)


def test_leads_are_tested_together():
    found = imputation_pretrend(panel_of(staggered(each=20)), "y", leads=2)
    assert found.index["event_time"].tolist() == [-1.0, -2.0]
    assert 0.001 < pe.wald(found).p_value < 1


def test_leads_that_leave_nothing_to_compare_with_are_refused():
    with pytest.raises(NotEstimableError, match="has 3"):
        imputation_pretrend(panel_of(staggered()), "y", leads=4)
    with pytest.raises(NotEstimableError, match="fewer leads"):
        imputation_pretrend(panel_of(staggered(cohorts=(3, 4))), "y", leads=3)
    with pytest.raises(UsageError, match="whole number"):
        imputation_pretrend(panel_of(staggered()), "y", leads=0)
    with pytest.raises(UsageError, match="covariates"):
        imputation_pretrend(panel_of(staggered()), "y", Design(covariates=("x",)), leads=1)
