"""Group-time effects and their averages: by hand, by brute force, by the law, and what is refused.

Expected values are means worked out here from the data frame, regressions in plain numpy, or
derivatives in unit weights by finite differences on the public path.
"""

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError, UsageError

ROLES = pe.Roles(unit="id", wave="t", cohort="g", baseline=1)
Design = pe.did.Design
group_time = pe.did.group_time
EXACT = {"rtol": 1e-12, "atol": 1e-12}  # the same sums in another order


def staggered(starts=(0, 3, 4, 5), n=48, waves=6, seed=5, missing=0.0):
    """Return noise about effects that grow, a covariate, weights; cohorts of different sizes."""
    rng = np.random.default_rng(seed)
    g = rng.choice(starts, n)
    g[: 2 * len(starts)] = np.repeat(starts, 2)
    unit, wave = np.divmod(np.arange(n * waves), waves)
    t = wave + 1
    x, w = rng.normal(size=n), rng.uniform(0.5, 3.0, n)
    effect = np.where((g[unit] > 0) & (t >= g[unit]), 1.0 + 0.3 * (t - g[unit]), 0.0)
    y = rng.normal(size=n)[unit] + 0.2 * t * (1 + x[unit]) + effect + rng.normal(size=n * waves)
    data = pd.DataFrame(
        {"id": unit, "t": t, "g": g[unit], "x": x[unit], "w": w[unit], "y": y}
    ).assign(id=lambda d: d["id"].map("SYN-{:06d}".format))
    return data[rng.random(len(data)) >= missing].reset_index(drop=True)


def panel_of(data, **roles):
    return pe.read_panel(data, pe.Roles(**{"unit": "id", "wave": "t", "cohort": "g", **roles}))


def errors(estimate, inference=None):
    return pe.infer(estimate, inference).frame["std_error"].to_numpy(float)


def cell(cells, cohort, wave):
    rows = (cells.index["cohort"] == cohort) & (cells.index["wave"] == wave)
    (k,) = np.flatnonzero(rows)
    return int(k)


def value(cells, cohort, wave):
    return float(cells.theta[cell(cells, cohort, wave)])


def moved(data, cohorts, wave, base):
    """Return the mean change of some cohorts' people between two waves."""
    wide = data[data["g"].isin(cohorts)].pivot_table(index="id", columns="t", values="y")
    return float((wide[wave] - wide[base]).mean())


class TestCells:
    def test_one_cohort_is_the_two_by_two_comparison(self):
        data = staggered((0, 3), waves=4)
        panel = panel_of(data, baseline=2)
        cells = group_time(panel, "y")
        plain = pe.did.two_by_two(panel, "y", base=2, waves=[3, 4])
        rows = [cell(cells, 3, 3), cell(cells, 3, 4)]
        np.testing.assert_allclose(cells.theta[rows], plain.theta, **EXACT)
        np.testing.assert_allclose(errors(cells)[rows], errors(plain), **EXACT)
        order = cells.units.index.get_indexer(plain.units.index)
        np.testing.assert_allclose(cells.psi[order][:, rows], plain.psi, **EXACT)

    def test_one_cohort_given_covariates_is_the_two_by_two_comparison(self):
        panel = panel_of(staggered((0, 3), waves=4), baseline=2)
        for method in ("dr", "ipw", "reg"):
            design = Design(method=method, covariates=("x",))
            cells = pe.subset(group_time(panel, "y", design), wave=4)
            plain = pe.did.two_by_two(panel, "y", design, base=2, waves=[4])
            np.testing.assert_allclose(cells.theta, plain.theta, **EXACT)
            np.testing.assert_allclose(errors(cells), errors(plain), **EXACT)

    def test_a_cell_is_a_change_less_the_change_of_the_never_treated(self):
        data = staggered()
        cells = group_time(panel_of(data), "y")
        assert list(zip(cells.index["cohort"], cells.index["wave"], strict=True)) == [
            (g, t) for g in (3, 4, 5) for t in range(2, 7)
        ]
        for g, t in zip(cells.index["cohort"], cells.index["wave"], strict=True):
            base = t - 1 if t < g else g - 1
            by_hand = moved(data, [g], t, base) - moved(data, [0], t, base)
            np.testing.assert_allclose(value(cells, g, t), by_hand, rtol=1e-11)

    def test_the_standard_error_is_that_of_two_means(self):
        data = staggered()
        cells = group_time(panel_of(data), "y")
        wide = data.pivot_table(index="id", columns="t", values="y")
        cohort = data.groupby("id")["g"].first()
        change = wide[5] - wide[3]
        parts = [change[cohort == g] for g in (4, 0)]
        by_hand = np.sqrt(sum(np.var(d) / len(d) for d in parts))
        np.testing.assert_allclose(errors(cells)[cell(cells, 4, 5)], by_hand, rtol=1e-11)
        counts = cells.counts.iloc[cell(cells, 4, 5)]
        assert (counts["n_treated"], counts["n_comparison"]) == (len(parts[0]), len(parts[1]))
        without = wide[5][cohort == 4].mean() - value(cells, 4, 5)
        np.testing.assert_allclose(counts["comparison_mean"], without, rtol=1e-11)

    def test_the_not_yet_treated_are_those_who_start_after_the_wave(self):
        data = staggered()
        cells = group_time(panel_of(data), "y", Design(comparison="not_yet_treated"))
        rivals = {
            (3, 2): (2, 1, [0, 4, 5]),
            (3, 3): (3, 2, [0, 4, 5]),
            (3, 4): (4, 2, [0, 5]),
            (3, 5): (5, 2, [0]),
            (3, 6): (6, 2, [0]),
            (4, 3): (3, 2, [0, 5]),
            (4, 4): (4, 3, [0, 5]),
            (5, 4): (4, 3, [0]),
            (5, 2): (2, 1, [0, 3, 4]),
        }
        for (g, wave), (t, base, others) in rivals.items():
            by_hand = moved(data, [g], t, base) - moved(data, others, t, base)
            np.testing.assert_allclose(value(cells, g, wave), by_hand, rtol=1e-11)

    def test_with_one_base_for_all_waves_nobody_treated_by_the_base_is_compared(self):
        data = staggered()
        design = Design(comparison="not_yet_treated", base_period="universal")
        cells = group_time(panel_of(data), "y", design)
        for (g, wave), (base, others) in {
            (4, 1): (3, [0, 5]),
            (5, 1): (4, [0]),
            (5, 2): (4, [0]),
            (3, 1): (2, [0, 4, 5]),
        }.items():
            by_hand = moved(data, [g], wave, base) - moved(data, others, wave, base)
            np.testing.assert_allclose(value(cells, g, wave), by_hand, rtol=1e-11)

    def test_those_who_start_in_the_last_wave_are_not_never_treated(self):
        data = staggered((0, 3, 6))
        cells = group_time(panel_of(data), "y")
        by_hand = moved(data, [3], 4, 2) - moved(data, [0], 4, 2)
        np.testing.assert_allclose(value(cells, 3, 4), by_hand, rtol=1e-11)

    def test_regression_given_a_covariate_is_least_squares_of_each_change(self):
        data = staggered(n=80)
        for comparison in ("never_treated", "not_yet_treated"):
            design = Design(method="reg", covariates=("x",), comparison=comparison)
            cells = group_time(panel_of(data, baseline=1), "y", design)
            wide = data.pivot_table(index="id", columns="t", values="y")
            first = data.groupby("id")[["g", "x"]].first()
            for g, t in zip(cells.index["cohort"], cells.index["wave"], strict=True):
                base = t - 1 if t < g else g - 1
                later = (first["g"] > max(t, base)) & (first["g"] != g)
                others = (first["g"] == 0) | (later & (comparison == "not_yet_treated"))
                change = (wide[t] - wide[base]).to_numpy()
                X = np.column_stack([np.ones(len(first)), first["x"]])
                beta = np.linalg.lstsq(X[others], change[others], rcond=None)[0]
                treated = (first["g"] == g).to_numpy()
                by_hand = (change - X @ beta)[treated].mean()
                np.testing.assert_allclose(value(cells, g, t), by_hand, rtol=1e-9, atol=1e-11)

    def test_rows_of_units_and_moments_agree_where_the_covariate_is_orthogonal(self):
        # demeaned within every cohort, a covariate takes no part in the regression's prediction
        data = staggered(n=60)
        data["z"] = data["x"] - data.groupby("g")["x"].transform("mean")
        given = group_time(panel_of(data), "y", Design(method="reg", covariates=("z",)))
        plain = group_time(panel_of(data), "y")
        np.testing.assert_allclose(given.theta, plain.theta, rtol=1e-10, atol=1e-12)

    def test_cross_sections_compare_all_who_were_seen_in_either_wave(self):
        data = staggered(missing=0.2, n=80)
        means = data.groupby(["g", "t"])["y"].mean()
        cells = group_time(panel_of(data), "y", Design(data="cross_sections"))
        for g, t in zip(cells.index["cohort"], cells.index["wave"], strict=True):
            base = t - 1 if t < g else g - 1
            by_hand = (means[g, t] - means[g, base]) - (means[0, t] - means[0, base])
            np.testing.assert_allclose(value(cells, g, t), by_hand, rtol=1e-10)

    def test_an_unbalanced_panel_compares_those_seen_in_both_waves(self):
        data = staggered(missing=0.2, n=80)
        cells = group_time(panel_of(data), "y")
        for g, t in ((3, 4), (4, 2), (5, 6)):
            base = t - 1 if t < g else g - 1
            by_hand = moved(data, [g], t, base) - moved(data, [0], t, base)
            np.testing.assert_allclose(value(cells, g, t), by_hand, rtol=1e-10)
            wide = data[data["g"].isin([0, g])].pivot_table(index="id", columns="t", values="y")
            both = int(wide[[t, base]].notna().all(axis=1).sum())
            assert cells.counts["n"][cell(cells, g, t)] == both


class TestBase:
    def test_effects_after_treatment_do_not_depend_on_the_base_for_waves_before(self):
        panel = panel_of(staggered())
        varying, universal = (
            group_time(panel, "y", Design(base_period=b)) for b in ("varying", "universal")
        )
        for g in (3, 4, 5):
            for t in range(g, 7):
                assert value(varying, g, t) == value(universal, g, t)

    def test_a_universal_base_is_zero_by_normalisation_and_has_no_standard_error(self):
        data = staggered()
        cells = group_time(panel_of(data), "y", Design(base_period="universal"))
        found = pe.infer(cells).frame
        reference = found[found["status"] == "reference"]
        assert list(zip(reference["cohort"], reference["wave"], strict=True)) == [
            (3, 2),
            (4, 3),
            (5, 4),
        ]
        assert (reference["estimate"] == 0).all()
        assert reference["std_error"].isna().all()
        by_hand = moved(data, [5], 1, 4) - moved(data, [0], 1, 4)
        np.testing.assert_allclose(value(cells, 5, 1), by_hand, rtol=1e-11)
        design = Design(base_period="universal", covariates=("x",))
        given = group_time(panel_of(data, baseline=1), "y", design)
        normalised = (given.counts["status"] == "reference").to_numpy()
        assert normalised.sum() == 3
        assert (given.theta[normalised] == 0).all()
        study = pe.did.event_study(cells)
        row = study.index["event_time"].tolist().index(-1)
        assert study.theta[row] == 0
        assert study.counts["status"][row] == "reference"
        assert np.isnan(errors(study)[row])
        assert np.isfinite(np.delete(errors(study), row)).all()

    def test_anticipation_moves_the_base_and_what_counts_as_an_effect(self):
        data = staggered()
        cells = group_time(panel_of(data), "y", Design(anticipation=1))
        for g, t in ((4, 3), (4, 4), (4, 6)):
            by_hand = moved(data, [g], t, 2) - moved(data, [0], t, 2)
            np.testing.assert_allclose(value(cells, g, t), by_hand, rtol=1e-11)
        early = cells.index["event_time"] < -1
        assert set(cells.index["estimand"][early]) == {"pre-trend"}
        assert set(cells.index["estimand"][~early]) == {"ATT"}
        words = cells.index["specification"][0]
        assert "anticipation 1" in words

    def test_a_cohort_whose_anticipation_leaves_no_wave_before_has_no_cell(self):
        cells = group_time(panel_of(staggered((0, 2, 4))), "y", Design(anticipation=1))
        assert set(cells.index["cohort"]) == {4}
        assert "cohort 2 (no wave before treatment" in cells.index["specification"][0]

    def test_covariates_may_be_read_at_each_base(self):
        data = staggered(n=80)
        data["z"] = data["x"] * data["t"]
        design = Design(method="reg", covariates=("z",), covariates_at="base_period")
        cells = group_time(panel_of(data, baseline=1), "y", design)
        wide = data.pivot_table(index="id", columns="t", values="y")
        z = data.pivot_table(index="id", columns="t", values="z")[3]
        g = data.groupby("id")["g"].first()
        change = (wide[5] - wide[3]).to_numpy()
        X = np.column_stack([np.ones(len(z)), z])
        beta = np.linalg.lstsq(X[g == 0], change[g == 0], rcond=None)[0]
        by_hand = (change - X @ beta)[g == 4].mean()
        np.testing.assert_allclose(value(cells, 4, 5), by_hand, rtol=1e-9)


class TestInvariance:
    @pytest.mark.parametrize("covariates", [(), ("x",)])
    def test_shuffled_rows_give_the_same_answer_to_the_same_people(self, covariates):
        data = staggered(missing=0.1, n=80)
        shuffled = data.sample(frac=1, random_state=3)
        design = Design(covariates=covariates)
        one, two = (group_time(panel_of(d, baseline=1), "y", design) for d in (data, shuffled))
        np.testing.assert_allclose(one.theta, two.theta, rtol=1e-10, atol=1e-12)
        order = two.units.index.get_indexer(one.units.index)
        np.testing.assert_allclose(one.psi, two.psi[order], rtol=1e-8, atol=1e-12)
        assert list(one.units["treated_from"].fillna(0)) == list(
            two.units["treated_from"].iloc[order].fillna(0)
        )

    @pytest.mark.parametrize("design", [Design(), Design(covariates=("x",)), Design("ipw", ("x",))])
    def test_a_large_common_level_moves_nothing(self, design):
        # a double at 1e9 resolves 1.2e-7: outcomes themselves are rounded there
        data = staggered(n=80)
        plain = group_time(panel_of(data, baseline=1), "y", design)
        far = group_time(panel_of(data.assign(y=data["y"] + 1e9), baseline=1), "y", design)
        np.testing.assert_allclose(far.theta, plain.theta, atol=1e-6)
        np.testing.assert_allclose(errors(far), errors(plain), rtol=1e-5)
        np.testing.assert_allclose(
            pe.did.overall(far).theta, pe.did.overall(plain).theta, atol=1e-6
        )

    @pytest.mark.parametrize("covariates", [(), ("x",)])
    def test_the_scale_of_weights_does_not_matter(self, covariates):
        data = staggered(n=80)
        design = Design(covariates=covariates)
        made = [
            pe.did.overall(group_time(panel_of(d, baseline=1, weight="w"), "y", design))
            for d in (data, data.assign(w=10 * data["w"]))
        ]
        np.testing.assert_allclose(made[0].theta, made[1].theta, rtol=1e-11)
        np.testing.assert_allclose(errors(made[0]), errors(made[1]), rtol=1e-11)

    @pytest.mark.parametrize("covariates", [(), ("x",)])
    def test_a_weight_of_two_is_two_people(self, covariates):
        data = staggered(n=60)
        number = data["id"].str[-6:].astype(int)
        weighted = data.assign(w=np.where(number % 3 == 0, 2.0, 1.0))
        again = data[number % 3 == 0].assign(id=lambda d: d["id"].str.replace("SYN-0", "SYN-9"))
        design = Design(covariates=covariates)
        one = group_time(panel_of(weighted, baseline=1, weight="w"), "y", design)
        two = group_time(panel_of(pd.concat([data, again]), baseline=1), "y", design)
        np.testing.assert_allclose(one.theta, two.theta, rtol=1e-9, atol=1e-12)
        for verb in (pe.did.overall, pe.did.event_study, pe.did.by_calendar, pe.did.by_cohort):
            np.testing.assert_allclose(verb(one).theta, verb(two).theta, rtol=1e-9, atol=1e-12)

    def test_an_effect_plus_itself_has_twice_the_standard_error(self):
        total = pe.did.overall(group_time(panel_of(staggered()), "y"))
        twice = pe.contrast(pe.join(total, total), [1.0, 1.0])
        np.testing.assert_allclose(errors(twice), 2 * errors(total), rtol=1e-12)
        study = pe.did.event_study(group_time(panel_of(staggered()), "y"))
        twice = pe.contrast(pe.join(study, study), np.vstack([np.eye(len(study))] * 2))
        np.testing.assert_allclose(errors(twice), 2 * errors(study), rtol=1e-12)


class TestAverages:
    def test_the_overall_effect_weighs_cells_by_the_people_of_their_cohort(self):
        data = staggered()
        cells = group_time(panel_of(data), "y")
        size = data.groupby("g")["id"].nunique()
        after = [(g, t) for g in (3, 4, 5) for t in range(g, 7)]
        weight = np.array([size[g] for g, _ in after], float)
        effect = np.array([value(cells, g, t) for g, t in after])
        np.testing.assert_allclose(
            pe.did.overall(cells).theta[0], weight @ effect / weight.sum(), rtol=1e-12
        )

    def test_the_event_study_weighs_cohorts_seen_at_that_event_time(self):
        data = staggered()
        cells = group_time(panel_of(data), "y")
        size = data.groupby("g")["id"].nunique()
        study = pe.did.event_study(cells)
        assert study.index["event_time"].tolist() == [-3, -2, -1, 0, 1, 2, 3]
        for e, theta in zip(study.index["event_time"], study.theta, strict=True):
            there = [g for g in (3, 4, 5) if 2 <= g + e <= 6]
            effects = [value(cells, g, g + e) for g in there]
            by_hand = np.average(effects, weights=[size[g] for g in there])
            np.testing.assert_allclose(theta, by_hand, rtol=1e-12)
        assert study.index["estimand"].tolist() == ["pre-trend"] * 3 + ["ATT"] * 4

    def test_averages_of_waves_cohorts_and_event_times(self):
        data = staggered()
        cells = group_time(panel_of(data), "y")
        size = data.groupby("g")["id"].nunique()
        waves = pe.did.by_calendar(cells)
        assert waves.index["wave"].tolist() == [3, 4, 5, 6]
        in_four = np.average([value(cells, g, 4) for g in (3, 4)], weights=size[[3, 4]])
        np.testing.assert_allclose(waves.theta[1], in_four, rtol=1e-12)
        by_cohort = pe.did.by_cohort(cells)
        mine = [np.mean([value(cells, g, t) for t in range(g, 7)]) for g in (3, 4, 5)]
        np.testing.assert_allclose(by_cohort.theta, mine, rtol=1e-12)
        typical = pe.did.overall(cells, average="cohorts").theta[0]
        np.testing.assert_allclose(typical, np.average(mine, weights=size[[3, 4, 5]]), rtol=1e-12)
        over_waves = pe.did.overall(cells, average="waves").theta[0]
        np.testing.assert_allclose(over_waves, waves.theta.mean(), rtol=1e-12)
        study = pe.subset(pe.did.event_study(cells), event_time=[0, 1, 2, 3])
        dynamic = pe.did.overall(cells, average="event_times").theta[0]
        np.testing.assert_allclose(dynamic, study.theta.mean(), rtol=1e-12)

    def test_fixed_shares_are_a_contrast_and_drawn_ones_add_their_influence(self):
        data = staggered(n=60)
        cells = group_time(panel_of(data), "y")
        drawn, fixed = (pe.did.overall(cells, shares=s) for s in ("drawn", "fixed"))
        assert drawn.theta[0] == fixed.theta[0]
        cohort = cells.units["treated_from"]
        after = cells.index["event_time"].to_numpy(float) >= 0
        sizes = cells.index["cohort"].map(cohort.value_counts()).to_numpy(float)
        weights = after * sizes / sizes[after].sum()
        np.testing.assert_allclose(fixed.psi[:, 0], cells.psi @ weights, rtol=1e-12, atol=1e-15)
        for g in (3, 4, 5):
            mine = after & (cells.index["cohort"] == g).to_numpy()
            by_share = (cells.theta[mine] - drawn.theta[0]).sum() / sizes[after].sum()
            added = (drawn.psi - fixed.psi)[(cohort == g).to_numpy(), 0]
            np.testing.assert_allclose(added, by_share, rtol=1e-9)
        never = cohort.isna().to_numpy()
        np.testing.assert_array_equal(drawn.psi[never], fixed.psi[never])

    def test_anticipated_waves_count_in_a_cohorts_average_if_asked(self):
        data = staggered()
        cells = group_time(panel_of(data), "y", Design(anticipation=1))
        four = {s: pe.subset(pe.did.by_cohort(cells, since=s), population="cohort 4")
                for s in ("start", "anticipation")}  # fmt: skip
        from_start = np.mean([value(cells, 4, t) for t in (4, 5, 6)])
        before_too = np.mean([value(cells, 4, t) for t in (3, 4, 5, 6)])
        np.testing.assert_allclose(four["start"].theta[0], from_start, rtol=1e-12)
        np.testing.assert_allclose(four["anticipation"].theta[0], before_too, rtol=1e-12)

    def test_a_window_drops_or_bins_its_ends_and_says_so(self):
        data = staggered()
        cells = group_time(panel_of(data), "y")
        size = data.groupby("g")["id"].nunique()
        whole = pe.did.event_study(cells)
        dropped = pe.did.event_study(cells, window=(-1, 1))
        assert dropped.index["event_time"].tolist() == [-1, 0, 1]
        np.testing.assert_array_equal(dropped.theta, whole.theta[2:5])
        binned = pe.did.event_study(cells, window=(-1, 1), ends="binned")
        assert binned.index["event_time"].tolist() == [-1, 0, 1]
        late = [(g, t) for g in (3, 4, 5) for t in range(g + 1, 7)]
        by_hand = np.average(
            [value(cells, g, t) for g, t in late], weights=[size[g] for g, _ in late]
        )
        np.testing.assert_allclose(binned.theta[2], by_hand, rtol=1e-12)
        assert binned.theta[1] == whole.theta[3]
        words = binned.index["specification"].tolist()
        assert words[0].endswith("-1 and all before binned")
        assert words[2].endswith("1 and all after binned")
        assert "binned" not in words[1]

    def test_a_balanced_event_study_has_the_same_cohorts_throughout(self):
        data = staggered()
        cells = group_time(panel_of(data), "y")
        size = data.groupby("g")["id"].nunique()
        study = pe.did.event_study(cells, balance=2)
        assert study.index["event_time"].tolist() == [-2, -1, 0, 1, 2]
        for e in (0, 1, 2):  # cohort 5 is seen until event time 1 only
            by_hand = np.average([value(cells, g, g + e) for g in (3, 4)], weights=size[[3, 4]])
            row = study.index["event_time"].tolist().index(e)
            np.testing.assert_allclose(study.theta[row], by_hand, rtol=1e-12)
        mean = pe.did.overall(cells, average="event_times", balance=2)
        np.testing.assert_allclose(mean.theta[0], study.theta[-3:].mean(), rtol=1e-12)

    @pytest.mark.parametrize(
        ("verb", "options", "words"),
        [
            ("event_study", {"window": (2, -1)}, "must run from low to high"),
            ("event_study", {"ends": "binned"}, r"needs window=\(low, high\)"),
            ("event_study", {"window": (7, 9)}, "no event time is left"),
            ("event_study", {"balance": 9}, "no event time is left"),
            ("event_study", {"ends": "kept"}, "binned"),
            ("overall", {"balance": 1}, "belongs to average='event_times'"),
            ("overall", {"average": "people"}, "cohorts"),
            ("overall", {"shares": "known"}, "drawn"),
            ("by_cohort", {"since": "birth"}, "anticipation"),
        ],
    )
    def test_what_makes_no_average_is_refused(self, verb, options, words):
        cells = group_time(panel_of(staggered()), "y")
        with pytest.raises(UsageError, match=words):
            getattr(pe.did, verb)(cells, **options)

    def test_averages_refuse_what_is_no_estimate_of_cells(self):
        people = pd.DataFrame({"id": list("abcdef"), "won": [1, 1, 1, 0, 0, 0], "y": range(6)})
        itt = pe.lottery.itt(pe.read_panel(people, pe.Roles(unit="id", offer="won")), "y")
        cells = group_time(panel_of(staggered()), "y")
        for verb in (pe.did.overall, pe.did.event_study, pe.did.by_cohort, pe.did.by_calendar):
            with pytest.raises(UsageError, match="cohort-by-wave effects"):
                verb(itt)
            with pytest.raises(UsageError, match="cohort-by-wave effects"):
                verb(pe.did.overall(cells))

    def test_outcomes_are_joined_and_averaged_apart(self):
        data = staggered()
        data["z"] = data["y"] ** 2
        panel = panel_of(data)
        both = pe.did.overall(group_time(panel, ["y", "z"]))
        assert both.index["outcome"].tolist() == ["y", "z"]
        alone = [pe.did.overall(group_time(panel, name)) for name in ("y", "z")]
        np.testing.assert_allclose(both.theta, [a.theta[0] for a in alone], rtol=1e-12)
        np.testing.assert_allclose(errors(both), [errors(a)[0] for a in alone], rtol=1e-12)
        shared = (both.psi[:, 0] * both.psi[:, 1]).sum()
        assert abs(shared) > 0


def derivative(data, make, unit, h=1e-5):
    """Return w d theta / d w of a unit's weight on the public path, by central differences."""
    mine = data["id"] == unit
    sides = []
    for sign in (1, -1):
        moved = data.assign(w=np.where(mine, data["w"] * (1 + sign * h), data["w"]))
        sides.append(make(panel_of(moved, baseline=1, weight="w")).theta)
    return (sides[0] - sides[1]) / (2 * h)


GIVEN = {"covariates": ("x",)}
LAWS = {
    "overall": ({}, pe.did.overall),
    "event study": ({}, pe.did.event_study),
    "event study, universal base": ({"base_period": "universal"}, pe.did.event_study),
    "event study, binned": (
        {"comparison": "not_yet_treated"},
        lambda cells: pe.did.event_study(cells, window=(-1, 1), ends="binned"),
    ),
    "waves": ({"comparison": "not_yet_treated"}, pe.did.by_calendar),
    "mean over waves": ({}, lambda cells: pe.did.overall(cells, average="waves")),
    "mean over event times": ({}, lambda cells: pe.did.overall(cells, average="event_times")),
    "cohorts": ({}, pe.did.by_cohort),
    "mean over cohorts": ({}, lambda cells: pe.did.overall(cells, average="cohorts")),
    "dr": (GIVEN, pe.did.overall),
    "ipw": (GIVEN | {"method": "ipw"}, pe.did.event_study),
    "reg": (GIVEN | {"method": "reg", "anticipation": 1}, pe.did.overall),
    "cross-sections": ({"data": "cross_sections"}, pe.did.event_study),
    "dr, cross-sections": (GIVEN | {"data": "cross_sections"}, pe.did.overall),
}


@pytest.mark.parametrize(
    ("name", "missing"),
    [*((name, 0.15) for name in LAWS), ("overall", 0.0), ("dr", 0.0), ("reg", 0.0)],
)
def test_influence_is_the_derivative_in_the_units_weight(name, missing):
    design, average = LAWS[name]
    data = staggered(n=72, missing=missing)

    def make(panel):
        return average(group_time(panel, "y", Design(**design)))

    made = make(panel_of(data, baseline=1, weight="w"))
    known = (made.counts["status"] != "reference").to_numpy()
    scale = np.abs(made.psi[:, known]).max()
    psi = pd.DataFrame(made.psi[:, known], index=made.units.index)
    seen = data.drop_duplicates("id")
    inside = seen["id"].isin(psi.index)
    people = seen[inside].groupby("g").head(1)["id"].tolist()  # one of each cohort, and of none
    people += seen[~inside].head(1)["id"].tolist()
    psi = psi.reindex(people, fill_value=0.0)  # whoever is in no cell has none
    for unit in people:
        slope = derivative(data, make, unit)
        # central differences with a step of 1e-5: about 1e-9, and 1e-8 where a logit is iterated
        np.testing.assert_allclose(psi.loc[unit], slope[known], rtol=0, atol=1e-7 * scale)


class TestWithoutANumber:
    """Every refusal names what is wrong and where; every NaN has its reason."""

    def test_a_cell_nobody_is_seen_in_has_no_number_and_its_averages_name_it(self):
        data = staggered()
        data.loc[(data["g"] == 3) & (data["t"] == 4), "y"] = np.nan
        cells = group_time(panel_of(data), "y")
        k = cell(cells, 3, 4)
        assert np.isnan(cells.theta[k])
        assert np.isnan(cells.psi[:, k]).all()
        assert cells.counts["status"][k] == (
            "no treated unit of this cell is seen in the wave and in the period before"
        )
        assert np.isfinite(np.delete(cells.theta, k)).all()
        total = pe.infer(pe.did.overall(cells)).frame.iloc[0]
        assert np.isnan(total["estimate"])
        assert np.isnan(total["std_error"])
        assert total["status"].startswith("cohort 3, wave 4: no treated unit")
        study = pe.did.event_study(cells)
        assert np.isnan(study.theta[study.index["event_time"] == 1]).all()
        assert np.isfinite(study.theta[study.index["event_time"] != 1]).all()
        without = pe.did.overall(group_time(panel_of(data), "y", without=[3]))
        assert np.isfinite(without.theta).all()

    def test_the_comparison_group_unseen_is_named_too(self):
        data = staggered()
        data.loc[(data["g"] == 0) & (data["t"] == 6), "y"] = np.nan
        cells = group_time(panel_of(data), "y")
        assert cells.counts["status"][cell(cells, 4, 6)].startswith("no comparison unit")
        assert cells.counts["status"][cell(cells, 4, 5)] == "ok"

    def test_a_cohort_of_one_has_an_effect_and_no_standard_error(self):
        data = staggered((0, 3, 4))
        (lonely,) = data.loc[data["g"] == 3, "id"].unique()[:1]
        data.loc[data["id"] == lonely, "g"] = 5
        cells = group_time(panel_of(data), "y")
        found = pe.infer(cells).frame
        mine = found[found["cohort"] == 5]
        assert mine["estimate"].notna().all()
        assert mine["std_error"].isna().all()
        assert set(mine["status"]) == {"a group of one unit has no variance"}
        by_hand = moved(data, [5], 6, 4) - moved(data, [0], 6, 4)
        np.testing.assert_allclose(value(cells, 5, 6), by_hand, rtol=1e-10)
        total = pe.infer(pe.did.overall(cells)).frame.iloc[0]
        assert np.isfinite(total["estimate"])
        assert np.isnan(total["std_error"])
        assert total["status"].startswith("cohort 5, wave 5: a group of one unit")

    def test_changes_that_are_equal_for_all_have_no_variance(self):
        data = staggered().assign(y=lambda d: 0.1 * d["t"])
        found = pe.infer(group_time(panel_of(data), "y")).frame
        np.testing.assert_allclose(found["estimate"], 0, atol=1e-15)
        assert found["std_error"].isna().all()
        assert found["status"].str.startswith("no variance").all()

    def test_those_always_treated_are_left_out_and_named(self):
        data = staggered((0, 1, 3))
        cells = group_time(panel_of(data), "y")
        assert set(cells.index["cohort"]) == {3}
        words = cells.index["specification"][0]
        assert words.endswith("left out: cohort 1 (treated from the first wave on)")
        always = set(data.loc[data["g"] == 1, "id"])
        assert not always & set(cells.units.index)
        without = group_time(panel_of(data[data["g"] != 1]), "y")
        np.testing.assert_allclose(cells.theta, without.theta, **EXACT)

    def test_nobody_treated_within_the_waves_is_refused(self):
        for starts in ((0, 1), (0, 9)):
            with pytest.raises(UsageError, match="no cohort is first treated after the first wave"):
                group_time(panel_of(staggered(starts)), "y")

    def test_nobody_never_treated_is_refused_with_the_way_out(self):
        panel = panel_of(staggered((3, 4)))
        with pytest.raises(UsageError, match="use comparison='not_yet_treated'"):
            group_time(panel, "y")
        cells = group_time(panel, "y", Design(comparison="not_yet_treated"))
        assert list(zip(cells.index["cohort"], cells.index["wave"], strict=True)) == [
            (3, 2),
            (3, 3),
            (4, 2),
        ]
        words = cells.index["specification"][0]
        assert "cohort 3 in 4, 5, 6 (nobody left untreated to compare with)" in words

    def test_a_cohort_after_the_last_wave_serves_as_never_treated(self):
        late = staggered((9, 3, 4))
        cells = group_time(panel_of(late), "y")
        never = group_time(panel_of(late.assign(g=late["g"].replace(9, 0))), "y")
        np.testing.assert_array_equal(cells.theta, never.theta)

    def test_nobody_left_to_compare_with_is_refused(self):
        with pytest.raises(UsageError, match="no cohort has both a wave before"):
            group_time(panel_of(staggered((4,))), "y", Design(comparison="not_yet_treated"))
        early = panel_of(staggered((0, 2)))
        with pytest.raises(UsageError, match="no cohort has both a wave before"):
            group_time(early, "y", Design(anticipation=1))

    def test_repeated_cross_sections_are_told_which_design_they_need(self):
        data = staggered(n=300).groupby("id").sample(1, random_state=1)
        with pytest.raises(NotEstimableError, match=r"did.Design\(data='cross_sections'\)"):
            group_time(panel_of(data), "y")
        cells = group_time(panel_of(data), "y", Design(data="cross_sections"))
        assert np.isfinite(cells.theta).all()

    def test_a_covariate_that_separates_or_repeats_is_named(self):
        data = staggered(n=80)
        data["apart"] = data["x"] + 20 * (data["g"] > 0)
        data["again"] = 2 * data["x"]
        data["flat"] = np.where(data["g"] == 0, 1.0, data["x"])
        panel = panel_of(data, baseline=1)
        for covariates, words in (
            (("apart",), "'apart' predicts treatment perfectly"),
            (("x", "again"), "'again' is constant among those compared, or a combination"),
            (("flat",), "'flat'"),
        ):
            with pytest.raises(NotEstimableError, match=words):
                group_time(panel, "y", Design(covariates=covariates))

    def test_a_covariate_that_fails_in_one_cohort_leaves_the_others(self):
        data = staggered(n=80)
        data["z"] = data["x"] + 20 * (data["g"] == 4)
        cells = group_time(panel_of(data, baseline=1), "y", Design(covariates=("z",)))
        four = (cells.index["cohort"] == 4).to_numpy()
        assert np.isnan(cells.theta[four]).all()
        assert cells.counts["status"][four].str.contains("'z' predicts treatment").all()
        assert np.isfinite(cells.theta[~four]).all()

    def test_comparison_units_that_look_treated_are_counted_and_not_clipped(self):
        data = staggered((0, 3), n=200, seed=8)
        number = data["id"].str[-6:].astype(int)
        data["z"] = data["x"] + 3.5 * (data["g"] == 3) + 6 * ((data["g"] == 0) & (number % 40 == 1))
        cells = group_time(panel_of(data, baseline=1), "y", Design("ipw", ("z",)))
        (status,) = set(cells.counts["status"])
        assert status.startswith("weak overlap: ")
        first = data[data["t"] == 1]
        treated = (first["g"] == 3).to_numpy(float)
        X = np.column_stack([np.ones(len(first)), first["z"]])
        beta = np.zeros(2)
        for _ in range(50):  # Newton's steps
            p = 1 / (1 + np.exp(-X @ beta))
            beta += np.linalg.solve((X.T * (p * (1 - p))) @ X, X.T @ (treated - p))
        above = p[(treated == 0) & (p > 0.99)]
        assert len(above) > 0
        words = f"{len(above)} comparison unit(s) have a propensity score above 0.99"
        assert words in status
        assert status.endswith(f"the largest {above.max():.4f}")
        wide = data.pivot_table(index="id", columns="t", values="y")
        change = (wide[4] - wide[2]).loc[first["id"]].to_numpy()
        odds = (1 - treated) * p / (1 - p)
        by_hand = change[treated == 1].mean() - odds @ change / odds.sum()
        np.testing.assert_allclose(value(cells, 3, 4), by_hand, rtol=1e-6)


class TestWaves:
    def test_waves_written_as_dates_are_counted_in_waves(self):
        data = staggered()
        dated = data.assign(t=data["t"].map("2021-{:02d}".format))
        dated["g"] = data["g"].map(lambda g: f"2021-{g:02d}" if g else "0")
        plain, cells = group_time(panel_of(data), "y"), group_time(panel_of(dated), "y")
        np.testing.assert_allclose(cells.theta, plain.theta, **EXACT)
        assert cells.index["cohort"].tolist()[0] == "2021-03"
        assert cells.index["wave"].tolist()[:2] == ["2021-02", "2021-03"]
        assert cells.index["event_time"].tolist() == plain.index["event_time"].tolist()
        assert set(cells.units["treated_from"].dropna()) == {"2021-03", "2021-04", "2021-05"}
        for verb in (pe.did.overall, pe.did.event_study, pe.did.by_cohort, pe.did.by_calendar):
            np.testing.assert_allclose(verb(cells).theta, verb(plain).theta, **EXACT)
            np.testing.assert_allclose(errors(verb(cells)), errors(verb(plain)), **EXACT)

    def test_receipt_says_when_treatment_began(self):
        data = staggered()
        data["d"] = ((data["g"] > 0) & (data["t"] >= data["g"])).astype(int)
        by_receipt = group_time(
            pe.read_panel(data, pe.Roles(unit="id", wave="t", received="d")), "y"
        )
        by_cohort = group_time(panel_of(data), "y")
        np.testing.assert_array_equal(by_receipt.theta, by_cohort.theta)
        assert by_receipt.index["cohort"].tolist() == by_cohort.index["cohort"].tolist()

    def test_people_lost_before_their_receipt_was_known_compare_until_then(self):
        data = staggered((0, 4))
        data["d"] = ((data["g"] > 0) & (data["t"] >= data["g"])).astype(int)
        never = data.loc[data["g"] == 0, "id"].unique()
        treated = data.loc[data["g"] == 4, "id"].unique()
        lost_before, lost_after = [never[0], treated[0]], treated[1]
        gone = data["id"].isin(lost_before) & (data["t"] >= 3)
        gone |= (data["id"] == lost_after) & (data["t"] >= 5)
        left = data[~gone]
        roles = pe.Roles(unit="id", wave="t", received="d")
        cells = group_time(pe.read_panel(left, roles), "y")
        assert cells.units["treated_from"][lost_before].isna().all()
        assert cells.units["treated_from"][lost_after] == 4
        known = left[~left["id"].isin(lost_before)]
        by_hand = moved(known, [4], 4, 3) - moved(known, [0], 4, 3)
        np.testing.assert_allclose(value(cells, 4, 4), by_hand, rtol=1e-11)

    def test_people_lost_after_treatment_stay_in_the_cells_they_were_seen_in(self):
        data = staggered((0, 3))
        data = data[~(data["id"].isin(data["id"].unique()[:5]) & (data["t"] >= 5))]
        cells = group_time(panel_of(data), "y")
        assert cells.counts["n"][cell(cells, 3, 4)] == 48
        assert cells.counts["n"][cell(cells, 3, 5)] == 43

    def test_a_gap_between_waves_is_said_and_the_base_is_the_wave_before(self):
        data = staggered()
        left = data[data["t"] != 3]
        cells = group_time(panel_of(left), "y")
        assert "waves at unequal distances" in cells.index["specification"][0]
        by_hand = moved(data, [4], 5, 2) - moved(data, [0], 5, 2)
        np.testing.assert_allclose(value(cells, 4, 5), by_hand, rtol=1e-11)
        assert cells.index["event_time"][cell(cells, 3, 4)] == 1

    def test_cohorts_can_be_left_out(self):
        data = staggered()
        for comparison in ("never_treated", "not_yet_treated"):
            design = Design(comparison=comparison)
            left = group_time(panel_of(data), "y", design, without=[4])
            gone = group_time(panel_of(data[data["g"] != 4]), "y", design)
            np.testing.assert_allclose(left.theta, gone.theta, **EXACT)
            assert set(left.index["cohort"]) == {3, 5}
            assert set(left.units.index) == set(gone.units.index)
            np.testing.assert_allclose(
                errors(pe.did.overall(left)), errors(pe.did.overall(gone)), rtol=1e-11
            )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "matching"}, "unconditional"),
        ({"comparison": "everybody"}, "not_yet_treated"),
        ({"base_period": "long"}, "universal"),
        ({"data": "repeated"}, "cross_sections"),
        ({"covariates_at": "endline"}, "base_period"),
        ({"anticipation": -1}, "0 or more"),
        ({"anticipation": "one"}, "number of periods"),
        ({"method": "unconditional", "covariates": ("x",)}, "uses no covariates"),
    ],
)
def test_a_design_names_the_values_there_are(options, words):
    with pytest.raises(UsageError, match=words):
        Design(**options)
