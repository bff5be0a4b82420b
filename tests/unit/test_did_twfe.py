"""Two-way fixed effects are the dummy regression, say what they are not, and refuse what they must.

The witness is the regression written out: a dummy a unit and wave, least squares by the singular
value decomposition, scores summed by unit. On these panels it holds about eleven digits.
"""

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.did.sun_abraham import sun_abraham
from prakerja_eval.did.twfe import twfe
from prakerja_eval.did.twfe_weights import twfe_weights
from prakerja_eval.errors import NotEstimableError, UsageError

CLOSE = {"rtol": 1e-9, "atol": 1e-11}


def staggered(starts=(0, 3, 4, 5), n=48, waves=6, missing=0.0, seed=1):
    """Return a panel with noise, effects that grow, weights, and rows that are missing."""
    rng = np.random.default_rng(seed)
    unit, wave = np.divmod(np.arange(n * waves), waves)
    g, t = np.array(starts)[unit % len(starts)], wave + 1
    effect = np.where((g > 0) & (t >= g), 1.0 + 0.3 * (t - g) + 0.1 * g, 0.0)
    y = rng.normal(size=n)[unit] + 0.2 * t + effect + rng.normal(size=n * waves)
    w = rng.uniform(0.5, 3.0, n)[unit]
    data = pd.DataFrame({"id": unit, "t": t, "g": g, "y": y, "w": w})
    return data[rng.random(len(data)) >= missing].reset_index(drop=True)


def panel_of(data, **roles):
    return pe.read_panel(data, pe.Roles(unit="id", wave="t", cohort="g", **roles))


def regression(data, X, weighted=False):
    """Return coefficients and errors clustered by unit of X beside unit and wave dummies."""
    dummies = [pd.get_dummies(data[c]).to_numpy(float) for c in ("id", "t")]
    Z = np.column_stack([X, *dummies])
    w = data.w.to_numpy() if weighted else np.ones(len(data))
    bread = np.linalg.pinv(Z.T @ (Z * w[:, None]), rcond=1e-12, hermitian=True)
    y = data.y.to_numpy()
    beta = bread @ (Z.T @ (w * y))
    scores = Z * (w * (y - Z @ beta))[:, None]
    by_unit = pd.DataFrame(scores).groupby(data.id.to_numpy()).sum().to_numpy() @ bread
    k = np.shape(X)[1]
    return beta[:k], np.sqrt((by_unit**2).sum(axis=0))[:k]


def errors(estimate):
    return estimate.tidy()["std_error"].to_numpy(float)


def treated(data):
    return ((data.g > 0) & (data.t >= data.g)).to_numpy(float)[:, None]


def event_times(data):
    return np.where(data.g > 0, data.t - data.g, np.nan)


def indicators(values, kept):
    return np.column_stack([values == e for e in kept]).astype(float)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("missing", [0.0, 0.25])
class TestDummyRegression:
    def roles(self, weighted):
        return {"weight": "w"} if weighted else {}

    def test_the_static_coefficient_with_people_always_treated(self, missing, weighted):
        data = staggered((0, 1, 3, 5), missing=missing)
        theta, se = regression(data, treated(data), weighted)
        found = twfe(panel_of(data, **self.roles(weighted)), "y")
        np.testing.assert_allclose(found.theta, theta, **CLOSE)
        np.testing.assert_allclose(errors(found), se, **CLOSE)

    def test_coefficients_by_event_time(self, missing, weighted):
        data = staggered(missing=missing)
        kept = [-4, -3, -2, 0, 1, 2, 3]
        theta, se = regression(data, indicators(event_times(data), kept), weighted)
        found = twfe(panel_of(data, **self.roles(weighted)), "y", dynamic=True)
        assert list(found.index.event_time) == sorted([*kept, -1])
        rows = found.index.event_time != -1
        np.testing.assert_allclose(found.theta[rows], theta, **CLOSE)
        np.testing.assert_allclose(errors(found)[rows], se, **CLOSE)

    def test_binned_endpoints_and_two_references(self, missing, weighted):
        data = staggered((3, 4, 5), missing=missing)
        panel = panel_of(data, **self.roles(weighted))
        binned = indicators(np.clip(event_times(data), -2, 2), [-2, 0, 1, 2])
        theta, se = regression(data, binned, weighted)
        found = twfe(panel, "y", dynamic=True, window=(-2, 2))
        rows = found.index.event_time != -1
        np.testing.assert_allclose(found.theta[rows], theta, **CLOSE)
        np.testing.assert_allclose(errors(found)[rows], se, **CLOSE)
        theta, se = regression(data, indicators(event_times(data), [-3, -2, 0, 1, 2, 3]), weighted)
        found = twfe(panel, "y", dynamic=True, reference=(-4, -1))
        rows = ~found.index.event_time.isin([-4, -1])
        np.testing.assert_allclose(found.theta[rows], theta, **CLOSE)
        np.testing.assert_allclose(errors(found)[rows], se, **CLOSE)

    def test_sun_abraham_is_the_regression_on_all_cohort_by_wave_indicators(
        self, missing, weighted
    ):
        data = staggered((0, 3, 5), missing=missing)
        pairs = [(g, t) for g in (3, 5) for t in range(1, 7) if t != g - 1]
        X = np.column_stack([(data.g == g) & (data.t == t) for g, t in pairs]).astype(float)
        theta, se = regression(data, X, weighted)
        found = sun_abraham(panel_of(data, **self.roles(weighted)), "y")
        rows = (found.counts.status == "ok").to_numpy()
        assert list(zip(found.index.cohort[rows], found.index.wave[rows], strict=True)) == pairs
        np.testing.assert_allclose(found.theta[rows], theta, **CLOSE)
        np.testing.assert_allclose(errors(found)[rows], se, **CLOSE)


class TestStatic:
    def test_it_is_the_two_by_two_comparison_with_two_waves_and_one_cohort(self):
        data = staggered((0, 2), waves=2)
        change = data.pivot_table(index="id", columns="t", values="y").diff(axis=1)[2]
        cohort = data.groupby("id").g.first()
        expected = change[cohort == 2].mean() - change[cohort == 0].mean()
        assert twfe(panel_of(data), "y").theta[0] == pytest.approx(expected, rel=1e-12)

    def test_it_can_be_negative_though_every_effect_is_positive(self):
        # Cohorts 2 and 3 over waves 1 to 3, everything else zero: the weights of the three effects
        # are 1, -1/2, 1/2 (de Chaisemartin and D'Haultfoeuille), so that effects of 1, 6, 1 make
        # 1 - 3 + 1/2. Every cell estimated against the not yet treated is right.
        effects = {(2, 2): 1.0, (2, 3): 6.0, (3, 3): 1.0}
        data = pd.DataFrame(
            [
                {"id": f"{g}{k}", "t": t, "g": g, "y": k + t + effects.get((g, t), 0.0)}
                for g in (2, 3)
                for k in range(3)
                for t in (1, 2, 3)
            ]
        )
        panel = panel_of(data)
        assert twfe(panel, "y").theta[0] == pytest.approx(-1.5, abs=1e-12)
        assert sun_abraham(panel, "y").theta.tolist() == pytest.approx([0.0, 1.0])
        assert list(twfe_weights(panel).frame.weight) == pytest.approx([1.0, -0.5, 0.5])

    def test_a_common_level_of_a_billion_costs_no_digits(self):
        data = staggered(missing=0.2)
        data["y"] = data["y"].round(3)
        high = data.assign(y=data.y + 2.0**30)  # steps of 1e-7 in y, so 1e-6 is asked for
        for verb in (twfe, sun_abraham):
            low, far = verb(panel_of(data), "y"), verb(panel_of(high), "y")
            np.testing.assert_allclose(far.theta, low.theta, atol=1e-6)
            np.testing.assert_allclose(np.nan_to_num(far.psi), np.nan_to_num(low.psi), atol=1e-6)

    def test_the_row_says_that_it_is_no_average_effect(self):
        row = twfe(panel_of(staggered((0, 1, 3))), "y").tidy().iloc[0]
        assert row.estimand == "TWFE coefficient"
        assert (
            "kept as treated throughout: cohort 1"
            in twfe(panel_of(staggered((0, 1, 3))), "y").index.specification.iloc[0]
        )
        assert (row.n, row.n_treated, row.n_comparison) == (48, 32, 16)

    def test_people_seen_once_take_no_part(self):
        data = staggered()
        alone = data[(data.id != 0) | (data.t == 2)]
        without = data[data.id != 0]
        ours, theirs = twfe(panel_of(alone), "y"), twfe(panel_of(without), "y")
        np.testing.assert_allclose(ours.theta, theirs.theta, rtol=1e-12)
        assert len(ours.units) == len(theirs.units) == 47

    def test_one_treated_person_has_no_variance(self):
        data = staggered((0, 3), n=8)
        data = data[(data.g == 0) | (data.id == 1)]
        row = twfe(panel_of(data), "y").tidy().iloc[0]
        assert np.isfinite(row.estimate)
        assert np.isnan(row.std_error)
        assert "one unit" in row.status

    def test_outcomes_that_the_regression_fits_exactly_have_no_error_from_rounding(self):
        data = staggered((0, 3, 4))
        data["y"] = 0.1 * data.t + 0.3 * treated(data)[:, 0] + 0.7 * data.id
        panel = panel_of(data)
        for found in (twfe(panel, "y"), twfe(panel, "y", dynamic=True)):
            assert not np.nan_to_num(found.psi).any()
            assert np.isnan(errors(found)).all()

    def test_several_outcomes_are_several_rows(self):
        data = staggered().assign(z=lambda d: 2 * d.y)
        found = twfe(panel_of(data), ["y", "z"])
        assert list(found.index.outcome) == ["y", "z"]
        assert found.theta[1] == pytest.approx(2 * found.theta[0])


class TestDynamic:
    def test_the_reference_is_zero_without_variance(self):
        found = twfe(panel_of(staggered()), "y", dynamic=True, reference=-2).tidy()
        row = found[found.event_time == -2].iloc[0]
        assert row.estimate == 0
        assert np.isnan(row.std_error)
        assert row.status == "reference"
        assert (found.status == "reference").sum() == 1

    def test_rows_before_treatment_are_named_apart(self):
        index = twfe(panel_of(staggered()), "y", dynamic=True).index
        before = (index.event_time < 0).to_numpy()
        assert set(index.estimand[before]) == {"TWFE pre-trend"}
        assert set(index.estimand[~before]) == {"TWFE coefficient"}

    def test_the_specification_names_bins_and_those_left_out(self):
        panel = panel_of(staggered((0, 1, 3, 4)))
        found = twfe(panel, "y", dynamic=True, window=(-2, 1))
        words = set(found.index.specification)
        assert words == {
            "unit and wave effects, reference -1, binned endpoints: -2 and before, 1 and after; "
            "left out: cohort 1 (treated from the first wave on)"
        }

    def test_people_always_treated_are_left_out(self):
        data = staggered((0, 1, 3, 4))
        ours = twfe(panel_of(data), "y", dynamic=True)
        theirs = twfe(panel_of(data[data.g != 1]), "y", dynamic=True)
        np.testing.assert_allclose(ours.theta, theirs.theta, rtol=1e-12)
        assert list(ours.units.index) == list(theirs.units.index)

    def test_without_never_treated_one_reference_is_refused_with_the_other_named(self):
        panel = panel_of(staggered((3, 4, 5)))
        with pytest.raises(NotEstimableError, match=r"reference=\(-4, -1\)"):
            twfe(panel, "y", dynamic=True)
        assert np.isfinite(twfe(panel, "y", dynamic=True, reference=(-4, -1)).theta).all()

    def test_an_event_time_that_waves_determine_is_refused_by_name(self):
        # The cohort is not seen at its reference, so that its indicators sum to a unit effect.
        data = staggered((0, 3))
        data = data[(data.g == 0) | (data.t != 2) | (data.id == 1)]
        data = data[(data.id != 1) | (data.t == 2)]
        with pytest.raises(NotEstimableError, match="event time 3 cannot be told apart"):
            twfe(panel_of(data), "y", dynamic=True)

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"reference": -9}, "no event time of this panel; there are -4, -3"),
            ({"window": (-1, 0), "reference": (-1, 0)}, "leaves no event time"),
            ({"window": (1, 0)}, "from a lower to a higher"),
            ({"window": (-np.inf, 0)}, "from a lower to a higher"),
        ],
    )
    def test_options_that_do_not_fit(self, options, words):
        with pytest.raises(UsageError, match=words):
            twfe(panel_of(staggered()), "y", dynamic=True, **options)

    @pytest.mark.parametrize("options", [{"window": (-2, 2)}, {"reference": -2}])
    def test_options_of_the_dynamic_regression_alone(self, options):
        with pytest.raises(UsageError, match="dynamic=True"):
            twfe(panel_of(staggered()), "y", **options)


@pytest.mark.parametrize("verb", [twfe, sun_abraham, twfe_weights])
class TestNothingToCompare:
    @pytest.mark.parametrize("starts", [(0,), (0, 1), (0, 9)])
    def test_treatment_that_never_changes(self, verb, starts):
        with pytest.raises(UsageError, match="treatment never changes"):
            verb(panel_of(staggered(starts)), "y")

    def test_everybody_treated_in_one_wave(self, verb):
        with pytest.raises(UsageError, match="everybody is first treated in wave 3"):
            verb(panel_of(staggered((3,))), "y")


@pytest.mark.parametrize("verb", [twfe, twfe_weights])
def test_missing_waves_that_leave_no_variation_are_refused(verb):
    data = staggered((0, 3))
    data = data[(data.g == 0) | (data.t >= 3)]
    with pytest.raises(NotEstimableError, match="hardly anybody is seen both before and after"):
        verb(panel_of(data), "y")


class TestSunAbraham:
    def test_the_last_treated_stand_in_until_they_are_treated(self):
        found = sun_abraham(panel_of(staggered((3, 4, 5))), "y")
        assert set(found.index.wave) == {1, 2, 3, 4}
        words = found.index.specification.iloc[0]
        assert "last treated, cohort 5, before treatment" in words
        assert "left out: waves 5, 6" in words

    def test_always_treated_and_last_treated_alone_are_refused(self):
        with pytest.raises(UsageError, match="nobody to compare with"):
            sun_abraham(panel_of(staggered((1, 4))), "y")

    def test_a_window_chooses_rows_and_leaves_numbers_alone(self):
        panel = panel_of(staggered(missing=0.2))
        every, some = sun_abraham(panel, "y"), sun_abraham(panel, "y", window=(-1, 1))
        inside = every.index.event_time.between(-1, 1).to_numpy()
        assert set(some.index.event_time) == {-1, 0, 1}
        np.testing.assert_array_equal(some.theta, every.theta[inside])

    @pytest.mark.parametrize(
        ("window", "words"), [((2, 1), "from low to high"), ((20, 30), "no event time")]
    )
    def test_windows_that_do_not_fit(self, window, words):
        with pytest.raises(UsageError, match=words):
            sun_abraham(panel_of(staggered()), "y", window=window)

    def test_a_cohort_not_seen_at_its_base_has_no_number_and_says_why(self):
        data = staggered((0, 3, 5))
        found = sun_abraham(panel_of(data[(data.g != 3) | (data.t != 2)]), "y").tidy()
        lost = found[(found.cohort == 3) & (found.status != "reference")]
        assert lost.estimate.isna().all()
        assert lost.std_error.isna().all()
        assert lost.status.str.contains("link the wave to the base").all()
        assert np.isfinite(found[found.cohort == 5].estimate).all()

    def test_one_person_of_a_cohort_in_a_wave_has_no_variance(self):
        data = staggered((0, 3))
        only = data[(data.g == 0) | (data.t != 5) | (data.id == 1)]
        found = sun_abraham(panel_of(only), "y").tidy().set_index("wave")
        assert np.isfinite(found.estimate[5])
        assert np.isnan(found.std_error[5])
        assert np.isfinite(found.std_error[6])

    def test_people_seen_once_are_not_counted_and_have_no_influence(self):
        data = staggered((0, 3))
        seen_once = data[~data.id.isin([0, 1]) | (data.t == 4)]
        found = sun_abraham(panel_of(seen_once), "y")
        assert set(found.counts.n_treated) == set(found.counts.n_comparison) == {23}
        assert "0" not in found.units.index  # never treated
        once = found.psi[found.units.index == "1"]  # counts in the cohort's size alone
        assert not np.nan_to_num(once).any()

    def test_paths_that_are_equal_for_everyone_have_no_error_from_rounding(self):
        data = staggered((0, 3))
        data["y"] = 0.1 * data.t + 0.3 * ((data.g == 3) & (data.t >= 3)) + 0.7 * data.id
        found = sun_abraham(panel_of(data), "y")
        assert not np.nan_to_num(found.psi).any()

    def test_units_carry_their_cohort_for_the_aggregations(self):
        found = sun_abraham(panel_of(staggered((0, 3, 4))), "y")
        assert set(found.units.treated_from.dropna()) == {3, 4}
        study = pe.did.event_study(found)
        picked = found.index.event_time == 1
        assert study.theta[list(study.index.event_time).index(1)] == pytest.approx(
            found.theta[picked].mean()  # the cohorts are of one size
        )

    def test_waves_in_words_and_receipt_serve_as_well(self):
        data = staggered((0, 3, 4), missing=0.1)
        words = {t: f"w{t}" for t in range(1, 7)}
        named = data.assign(t=data.t.map(words), got=treated(data)[:, 0])
        roles = pe.Roles(unit="id", wave="t", received="got", wave_order=tuple(words.values()))
        found = sun_abraham(pe.read_panel(named, roles), "y")
        received = data.assign(got=treated(data)[:, 0])
        other = sun_abraham(
            pe.read_panel(received, pe.Roles(unit="id", wave="t", received="got")), "y"
        )
        assert set(found.index.cohort) == {"w3", "w4"}
        np.testing.assert_allclose(found.theta, other.theta, rtol=1e-12)


class TestEffectWeights:
    @pytest.mark.parametrize("missing", [0.0, 0.25])
    def test_they_are_the_residuals_of_treatment_on_dummies(self, missing):
        data = staggered((0, 1, 3, 5), missing=missing)
        d = treated(data)[:, 0]
        dummies = np.column_stack([pd.get_dummies(data[c]).to_numpy(float) for c in ("id", "t")])
        root = np.sqrt(data.w.to_numpy())
        fit = np.linalg.lstsq(dummies * root[:, None], d * root, rcond=None)[0]
        each = data.assign(v=data.w * (d - dummies @ fit) * d, s=data.w * d)[d == 1]
        expected = each.groupby(["g", "t"])[["v", "s"]].sum() / each[["v", "s"]].sum()
        found = twfe_weights(panel_of(data, weight="w"), "y").frame
        assert list(zip(found.cohort, found.wave, strict=True)) == list(expected.index)
        np.testing.assert_allclose(found.weight, expected.v, **CLOSE)
        np.testing.assert_allclose(found.share, expected.s, **CLOSE)
        assert list(found.n) == list(each.groupby(["g", "t"]).size())

    @pytest.mark.parametrize("missing", [0.0, 0.25])
    def test_weights_times_effects_are_the_coefficient(self, missing):
        data = staggered((0, 3, 4, 6), missing=missing)
        effect = np.where(treated(data)[:, 0] == 1, data.g**2 - 3.0 * data.t, 0.0)
        data["y"] = data.id + 0.5 * data.t + effect
        found = twfe_weights(panel_of(data), "y").frame
        total = (found.weight * (found.cohort**2 - 3.0 * found.wave)).sum()
        assert twfe(panel_of(data), "y").theta[0] == pytest.approx(total, rel=1e-9)

    def test_without_an_outcome_everybody_counts_in_every_wave(self):
        data = staggered((0, 1, 3, 5))
        pd.testing.assert_frame_equal(
            twfe_weights(panel_of(data, weight="w")).frame,
            twfe_weights(panel_of(data, weight="w"), "y").frame,
        )

    def test_negative_weights_are_counted_and_shown(self):
        found = twfe_weights(panel_of(staggered((2, 3), waves=3)))
        assert found.n_negative == 1
        assert found.sum_negative == pytest.approx(-0.5)
        assert found.frame.weight.sum() == pytest.approx(1.0)
        assert "1 of 3 negative, which sum to -0.5000" in repr(found)
        assert "<table" in found._repr_html_()
