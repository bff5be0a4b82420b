"""Sensitivity to what was not seen: laws, hand sums, brute force and refusals."""

import sys
from functools import partial
from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.matching import Nearest
from prakerja_eval.matching.sensitivity import omitted_variable_kernel as ov
from prakerja_eval.matching.sensitivity import rosenbaum_kernel as kernel

M = pe.matching


def people(n: int = 240, seed: int = 5) -> pd.DataFrame:
    """Return people whose treatment depends on age and past, with outcomes before and after."""
    rng = np.random.default_rng(seed)
    age, past = rng.normal(size=n), rng.normal(size=n)
    treated = (0.6 * age + 0.5 * past + rng.normal(size=n) > 0.8).astype(int)
    return pd.DataFrame(
        {
            "id": [f"SYN-{i:06d}" for i in range(n)],
            "trained": treated,
            "age": age,
            "past": past,
            "region": np.where(rng.uniform(size=n) < 0.3, "east", "west"),
            "before": past + 0.5 * rng.normal(size=n),
            "work": (rng.uniform(size=n) < 0.4 + 0.2 * treated).astype(int),
            "income": 1.5 * treated + age + past + rng.normal(size=n),
        }
    )


def panel_of(frame: pd.DataFrame, **roles: str) -> pe.Panel:
    return pe.read_panel(frame, pe.Roles(unit="id", received="trained", **roles))


@pytest.fixture(scope="module")
def panel() -> pe.Panel:
    return panel_of(people())


@pytest.fixture(scope="module")
def pairs(panel: pe.Panel) -> M.Matched:
    return M.match(panel, Nearest(replace=False, caliper=0.2), covariates=("age",))


# Rosenbaum bounds


@pytest.mark.parametrize("alternative", ["greater", "less", "two-sided"])
def test_without_hidden_bias_p_is_that_of_the_signed_rank_test(alternative: str) -> None:
    """Normal, ties averaged, no continuity correction; average ranks on a rounded sample."""
    d = np.round(np.random.default_rng(1).normal(0.2, 1, 90), 1)
    frame = pd.DataFrame({"trained": [1, 0] * 90, "pair": np.repeat(np.arange(90), 2)})
    frame["income"] = np.where(frame["trained"] == 1, np.repeat(d, 2), 0.0)
    frame = frame.assign(id=[f"SYN-{i:06d}" for i in range(180)], age=frame["pair"] * 1.0)
    made = panel_of(frame)
    design = Nearest(replace=False, exact=("pair",))
    score = M.propensity(made, ("age",))
    found = M.rosenbaum(
        made, M.match(made, design, score=score), "income", gammas=[1], alternative=alternative
    )
    want = stats.wilcoxon(d, alternative=alternative, method="asymptotic", correction=False)
    row = found.frame.iloc[0]
    assert row["n_equal"] == (d == 0).sum() > 0
    np.testing.assert_allclose([row["p_low"], row["p_high"]], want.pvalue, rtol=1e-12)


def test_few_pairs_have_the_exact_distribution() -> None:
    """Brute force over all signs, with ties and Gamma 1.7."""
    d = np.array([3.0, -1.0, 2.0, 2.0, 5.0, -4.0, 0.0, 1.0])
    signed = kernel.signed_ranks(d)
    ranks = stats.rankdata(np.abs(d[d != 0]))
    observed = ranks[d[d != 0] > 0].sum()
    for positive in (1 / 2.7, 1.7 / 2.7):
        total = 0.0
        for signs in product((0, 1), repeat=len(ranks)):
            chance = positive ** sum(signs) * (1 - positive) ** (len(ranks) - sum(signs))
            total += chance * (np.dot(signs, ranks) >= observed)
        np.testing.assert_allclose(kernel.tail(signed, positive), total, rtol=1e-12)
    bounds = kernel.p_bounds(signed, 1.7)
    assert bounds.low < bounds.high


def test_exact_and_normal_agree_where_one_gives_way_to_the_other() -> None:
    d = np.random.default_rng(2).normal(0.3, 1, kernel.EXACT)
    exact = kernel.tail(kernel.signed_ranks(d), 0.6)
    more = kernel.signed_ranks(np.append(d, 1e-9))  # the smallest rank more
    assert abs(exact - kernel.tail(more, 0.6)) < 0.02


@pytest.mark.parametrize("n", [1, 2, 3, 40, 260])
@pytest.mark.parametrize("kind", ["normal", "three values", "equal", "heavy"])
def test_walsh_quantiles_are_those_of_the_written_out_averages(n: int, kind: str) -> None:
    rng = np.random.default_rng(n)
    x = {
        "normal": rng.normal(size=n),
        "three values": rng.integers(-1, 2, n).astype(float),
        "equal": np.full(n, 2.5),
        "heavy": rng.standard_cauchy(n) ** 3,
    }[kind]
    averages = np.sort([(a + b) / 2 for a, b in combinations(x, 2)] + list(x))
    for share in (0.1, 0.25, 0.5, 0.6, 0.9):
        got = kernel.walsh_quantile(np.sort(x), share)
        # the mean of two neighbours where the share falls between them
        method = "averaged_inverted_cdf"
        np.testing.assert_allclose(got, np.quantile(averages, share, method=method), rtol=1e-12)


def test_many_ties_among_many_values_end_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "DISTINCT", 0)
    for x in (np.zeros(300), np.repeat([-1.0, 0.0, 1.0], 100)):
        assert kernel.walsh_quantile(x, 0.5) == 0.0


def test_bounds_widen_with_gamma_and_break_where_p_is_one_twentieth(
    panel: pe.Panel, pairs: M.Matched
) -> None:
    found = M.rosenbaum(panel, pairs, "income", gammas=[1, 1.5, 2, 4])
    frame = found.frame
    assert (np.diff(frame["p_high"]) > 0).all()
    assert (np.diff(frame["p_low"]) < 0).all()
    assert (np.diff(frame["estimate_high"]) > 0).all()
    assert (np.diff(frame["estimate_low"]) < 0).all()
    gamma = found.breakdown["gamma"].iloc[0]
    at = M.rosenbaum(panel, pairs, "income", gammas=[gamma]).frame
    np.testing.assert_allclose(at["p_high"], 0.05, rtol=1e-6)
    assert f"{gamma:.2f} times as likely" in found.verdict
    assert found.verdict in repr(found)
    two = M.rosenbaum(panel, pairs, "income", gammas=[1], alternative="two-sided")
    sided = two.breakdown["gamma"].iloc[0]
    at = M.rosenbaum(panel, pairs, "income", gammas=[sided], alternative="two-sided").frame
    np.testing.assert_allclose(at["p_high"], 0.05, rtol=1e-6)


def test_the_largest_p_value_has_its_size_under_the_worst_hidden_bias() -> None:
    """Signs at their worst for Gamma 2: rejected in one of twenty draws, in most at Gamma 1.

    1,000 draws: three Monte Carlo standard errors are .021.
    """
    rng = np.random.default_rng(11)
    size = np.abs(rng.normal(size=80))
    signs = np.where(rng.uniform(size=(1000, 80)) < 2 / 3, 1.0, -1.0)
    signed = [kernel.signed_ranks(size * s) for s in signs]
    worst = np.mean([kernel.p_bounds(s, 2.0).high <= 0.05 for s in signed])
    assert abs(worst - 0.05) < 0.021
    assert np.mean([kernel.p_bounds(s, 1.0).high <= 0.05 for s in signed]) > 0.5
    ends = [kernel.estimate_bounds(np.sort(size * s), 2.0) for s in signs[:50]]
    # the true effect is zero, where the lower bound is centred
    assert abs(np.median([b.low for b in ends])) < 0.1
    assert all(b.high > 0 for b in ends)


def test_turning_the_outcome_turns_the_bounds(panel: pe.Panel, pairs: M.Matched) -> None:
    frame = people().assign(loss=lambda f: -f["income"])
    turned = panel_of(frame)
    up = M.rosenbaum(panel, pairs, "income", gammas=[1.3]).frame.iloc[0]
    down = M.rosenbaum(turned, pairs, "loss", gammas=[1.3], alternative="less").frame.iloc[0]
    np.testing.assert_allclose(down["p_high"], up["p_high"], rtol=1e-12)
    np.testing.assert_allclose(down["estimate_low"], -up["estimate_high"], rtol=1e-12)


def test_an_effect_where_there_is_none_is_nothing_to_do_away_with(
    panel: pe.Panel, pairs: M.Matched
) -> None:
    found = M.rosenbaum(panel, pairs, "income", gammas=[1], alternative="less")
    assert np.isnan(found.breakdown["gamma"].iloc[0])
    assert "no finding to do away with" in found.verdict


@pytest.mark.parametrize("design", [Nearest(), Nearest(ties="first"), Nearest(2, replace=False)])
def test_bounds_refuse_sets_that_are_no_pairs(panel: pe.Panel, design: Nearest) -> None:
    matched = M.match(panel, design, covariates=("age",))
    with pytest.raises(UsageError, match="nobody serves twice"):
        M.rosenbaum(panel, matched, "income")


def test_bounds_refuse_what_cannot_be(panel: pe.Panel, pairs: M.Matched) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        M.rosenbaum(panel, pairs, "income", gammas=[0.9])
    with pytest.raises(UsageError, match="'two-sided'"):
        M.rosenbaum(panel, pairs, "income", alternative="both")
    with pytest.raises(UsageError, match=r"matching\.Matched"):
        M.rosenbaum(panel, M.weight(panel, covariates=("age",)), "income")
    flat = panel_of(people().assign(income=1.0))
    with pytest.raises(NotEstimableError, match="the same within each"):
        M.rosenbaum(flat, pairs, "income")
    gone = panel_of(people().assign(income=np.where(people()["trained"] == 1, np.nan, 1.0)))
    with pytest.raises(NotEstimableError, match="no pair has 'income'"):
        M.rosenbaum(gone, pairs, "income")


# Omitted variables


@pytest.fixture(scope="module")
def sensitivity(panel: pe.Panel) -> M.OmittedVariable:
    return M.omitted_variable(
        panel, "income", covariates=("age", "past", "region"), benchmarks=("age", "region")
    )


def test_a_variable_as_strong_as_the_robustness_value_leaves_nothing(
    sensitivity: M.OmittedVariable,
) -> None:
    for q in (1.0, 0.5):
        found = sensitivity.at(q=q)
        fit = found.frame.iloc[0]
        rv = np.array(fit["rv_q"])
        args = (fit["estimate"], fit["std_error"], fit["df"])
        left = ov.adjusted(*args, rv, rv).estimate
        np.testing.assert_allclose(left, (1 - q) * fit["estimate"], atol=1e-12)


@pytest.mark.parametrize(("f", "critical"), [(0.3, 0.1), (0.8, 0.2), (2.0, 0.9), (3.0, 0.4)])
def test_the_robustness_value_is_the_least_strength_by_brute_force(
    f: float, critical: float
) -> None:
    """Search over both strengths up to a bound, for the bound at which t falls to its critical."""
    df = 500.0
    level = np.linspace(0, 1, 2001)[:-1]

    def smallest_t(bound: float) -> float:
        moved = ov.adjusted(f, f / (f * np.sqrt(df)), df, np.array(bound), bound * level)
        return float((moved.estimate / moved.std_error).min()) / np.sqrt(df - 1)

    rv = ov.robustness_value(f, critical)
    assert smallest_t(rv - 1e-3) > critical > smallest_t(rv + 1e-3)


def test_robustness_values_rise_with_t_and_fall_with_what_is_asked(
    sensitivity: M.OmittedVariable,
) -> None:
    values = [ov.robustness_value(f, 0.1) for f in (0.05, 0.1, 0.2, 0.5, 1.0, 9.0, 11.0, 50.0)]
    assert values[0] == values[1] == 0.0
    assert (np.diff(values[1:]) > 0).all()
    assert values[-1] < 1
    strict, loose = (sensitivity.at(level=v).frame.iloc[0] for v in (0.99, 0.8))
    assert strict["rv_qa"] < loose["rv_qa"] < loose["rv_q"] == strict["rv_q"]


def test_the_bias_formula_is_that_of_a_regression_with_the_variable_in_it() -> None:
    """Leave a covariate out, give the formula its true partial R2, and get the long regression."""
    frame = people()
    long = M.omitted_variable(
        panel_of(frame), "income", covariates=("age", "past"), benchmarks="past"
    )
    short = M.omitted_variable(panel_of(frame), "income", covariates=("age",))
    strength = long.benchmarks.iloc[0]
    fit, want = short.frame.iloc[0], long.frame.iloc[0]
    got = ov.adjusted(
        *(fit[c] for c in ("estimate", "std_error", "df")),
        np.array(strength["r2_treatment"]),
        np.array(strength["r2_outcome"]),
    )
    np.testing.assert_allclose(got.estimate, want["estimate"], rtol=1e-10)
    np.testing.assert_allclose(got.std_error, want["std_error"], rtol=1e-10)


def test_partial_r2_of_a_group_is_what_it_adds_to_the_fit() -> None:
    frame = people()
    y = frame["income"].to_numpy()
    X = np.column_stack([np.ones(len(y)), frame["age"], frame["past"], frame["before"]])

    def left(columns: list[int]) -> float:
        residual = y - X[:, columns] @ np.linalg.lstsq(X[:, columns], y, rcond=None)[0]
        return float(residual @ residual)

    want = 1 - left([0, 1, 2, 3]) / left([0, 1])
    np.testing.assert_allclose(ov.partial_r2(y, X, np.array([2, 3])), want, rtol=1e-12)


def test_groups_of_covariates_are_one_benchmark(panel: pe.Panel) -> None:
    found = M.omitted_variable(
        panel, "income", covariates=("age", "past", "region"), benchmarks={"both": ("age", "past")}
    )
    alone = M.omitted_variable(panel, "income", covariates=("age", "past", "region"))
    assert found.benchmarks["benchmark"].tolist() == ["both"]
    assert not len(alone.bounds)
    text = M.omitted_variable(panel, "income", covariates=("age", "region"), benchmarks="region")
    same = M.omitted_variable(
        panel, "income", covariates=("age", "region"), benchmarks="region[west]"
    )
    np.testing.assert_allclose(text.benchmarks.iloc[0, 2:], same.benchmarks.iloc[0, 2:])


def test_a_benchmark_that_nothing_can_match_has_no_number(sensitivity: M.OmittedVariable) -> None:
    strength = ov.bound(ov.Strength(0.6, 0.1), 1.0)
    assert np.isnan(strength.treatment)
    # with the outcome strength has a bound alone, which is one at the most (Cinelli, Hazlett 4.4)
    assert ov.bound(ov.Strength(0.01, 0.9), 2.0).outcome == 1.0
    table = sensitivity.benchmarks.assign(r2_treatment=0.6)
    gone = M.OmittedVariable(sensitivity.estimate, table, (1.0,)).bounds
    assert gone["estimate"].isna().all()
    assert gone["status"].str.contains("nothing can be that strong").all()


def test_the_contour_starts_from_the_answer_and_meets_the_bounds(
    sensitivity: M.OmittedVariable,
) -> None:
    fit = sensitivity.frame.iloc[0]
    grid = sensitivity.contour(largest=0.5)
    none = grid[(grid["r2_treatment"] == 0) & (grid["r2_outcome"] == 0)]
    assert none["value"].tolist() == [fit["estimate"]]
    assert (grid["critical"] == 0).all()
    t = sensitivity.contour("t")
    zero = t[(t["r2_treatment"] == 0) & (t["r2_outcome"] == 0)]["value"].iloc[0]
    np.testing.assert_allclose(zero, fit["statistic"] * np.sqrt((fit["df"] - 1) / fit["df"]))
    np.testing.assert_allclose(t["critical"], stats.t.ppf(0.975, fit["df"] - 1))
    with pytest.raises(UsageError, match="'estimate', 't'"):
        sensitivity.contour("p")


def test_sensitivity_speaks(sensitivity: M.OmittedVariable) -> None:
    said = repr(sensitivity)
    assert "would do away with the effect" in said
    assert "as strong as age" in said
    assert "3 times as strong as region" in said
    assert "<table" in sensitivity._repr_html_()


def test_omitted_variable_refuses_what_is_not_derived(panel: pe.Panel) -> None:
    weighted = panel_of(people().assign(w=1.0), weight="w")
    with pytest.raises(NotEstimableError, match="sampling weights"):
        M.omitted_variable(weighted, "income", covariates=("age",))
    with pytest.raises(UsageError, match="Did you mean 'past'"):
        M.omitted_variable(panel, "income", covariates=("age", "past"), benchmarks="pas")
    double = panel_of(people().assign(twice=lambda f: 2 * f["age"]))
    with pytest.raises(NotEstimableError, match="'twice' is a combination"):
        M.omitted_variable(double, "income", covariates=("age", "twice"))
    with pytest.raises(UsageError, match="k takes numbers above zero"):
        M.omitted_variable(panel, "income", covariates=("age",), k=(0,))
    with pytest.raises(NotEstimableError, match="leaves nothing"):
        M.omitted_variable(panel_of(people().iloc[:4]), "income", covariates=("age", "past"))


# E-values


def test_the_e_value_explains_the_ratio_away_exactly() -> None:
    """Ding and VanderWeele's bounding factor RR_EU RR_UD / (RR_EU + RR_UD - 1) at E is the RR."""
    for ratio in (1.2, 2.0, 7.5):
        e = M.e_value(risk_ratio=ratio).frame["e_value"].iloc[0]
        np.testing.assert_allclose(e * e / (2 * e - 1), ratio, rtol=1e-12)
        inverse = M.e_value(risk_ratio=1 / ratio).frame["e_value"].iloc[0]
        np.testing.assert_allclose(inverse, e, rtol=1e-12)


def test_an_interval_with_one_in_it_needs_no_hidden_trait() -> None:
    assert M.e_value(risk_ratio=1.4, low=0.9, high=2).frame["e_value_limit"].iloc[0] == 1
    assert M.e_value(risk_ratio=0.8, low=0.5, high=1).frame["e_value_limit"].iloc[0] == 1
    assert "none is needed" in M.e_value(risk_ratio=1.4, low=0.9, high=2).verdict


def test_e_values_of_an_estimate_use_its_comparison_mean(panel: pe.Panel, pairs: M.Matched) -> None:
    found = M.difference(panel, pairs, "work")
    row, fit = M.e_value(found).frame.iloc[0], found.findings().frame.iloc[0]
    mean = fit["comparison_mean"]
    np.testing.assert_allclose(row["risk_ratio"], (mean + fit["estimate"]) / mean)
    np.testing.assert_allclose(row["high"], (mean + fit["conf_high"]) / mean)
    narrow = M.e_value(found, level=0.5).frame.iloc[0]
    assert row["low"] < narrow["low"] < narrow["risk_ratio"] == row["risk_ratio"]
    continuous = M.e_value(M.difference(panel, pairs, "income"), sd=2.0).frame.iloc[0]
    effect = M.difference(panel, pairs, "income").theta[0]
    np.testing.assert_allclose(continuous["risk_ratio"], np.exp(0.91 * effect / 2))
    plain = M.e_value(difference=effect / 2).frame.iloc[0]
    np.testing.assert_allclose(plain["e_value"], continuous["e_value"])


def test_e_values_refuse_what_is_no_ratio(panel: pe.Panel, pairs: M.Matched) -> None:
    with pytest.raises(UsageError, match="no share of people"):
        M.e_value(M.difference(panel, pairs, "income"))
    with pytest.raises(UsageError, match="one of an Estimate"):
        M.e_value()
    with pytest.raises(UsageError, match="does not lie between"):
        M.e_value(risk_ratio=2, low=3, high=4)
    with pytest.raises(UsageError, match="above zero"):
        M.e_value(risk_ratio=-1)
    with pytest.raises(UsageError, match=r"sd=0"):
        M.e_value(M.difference(panel, pairs, "income"), sd=0)


# Placebo outcomes


@pytest.mark.parametrize("effect", [M.difference, M.att, M.g_computation])
def test_placebos_find_what_the_score_left_out(
    panel: pe.Panel, pairs: M.Matched, effect: object
) -> None:
    """Matched on age alone, though past outcomes decide who is treated."""
    found = M.placebo_outcomes(panel, pairs, ("before", "past"), effect=effect)
    assert (found.frame["p_adjusted"] < 0.05).all()
    assert found.test.p_value < 0.05
    assert "still differ" in found.verdict
    raw = found.frame["p_value"].to_numpy()
    smaller, larger = np.sort(raw)
    want = np.where(raw == smaller, 2 * smaller, max(2 * smaller, larger))
    np.testing.assert_allclose(found.frame["p_adjusted"], want, rtol=1e-12)  # Holm by hand


def test_a_placebo_among_the_covariates_is_said_and_not_tested(panel: pe.Panel) -> None:
    matched = M.match(panel, Nearest(replace=False, caliper=0.1), covariates=("age", "past"))
    found = M.placebo_outcomes(panel, matched, ("past", "before"))
    assert found.frame["outcome"].tolist() == ["before", "past"]
    assert found.frame["p_adjusted"].isna().tolist() == [False, True]
    assert found.test.df == 1
    assert "tests nothing: past" in found.verdict
    assert "no difference is found" in found.verdict
    with pytest.raises(UsageError, match="every outcome is among the covariates"):
        M.placebo_outcomes(panel, matched, "past")


def test_placebos_of_a_panel_are_its_waves_before_treatment() -> None:
    frame = people(120)
    long = pd.concat(
        frame.assign(wave=w, trained=frame["trained"] * (w > 2), income=frame["before"] + w)
        for w in (1, 2, 3)
    )
    panel = pe.read_panel(long, pe.Roles(unit="id", wave="wave", received="trained", baseline=2))
    matched = M.match(panel, Nearest(replace=False), covariates=("age", "income"))
    found = M.placebo_outcomes(panel, matched, "income")
    assert found.frame["wave"].tolist() == [1, 2]
    assert found.frame["status"].tolist() == ["ok", "among the covariates: it tests nothing"]
    with pytest.raises(UsageError, match="does not lie before treatment"):
        M.placebo_outcomes(panel, matched, "income", waves=[3])


# The specification curve


@pytest.fixture(scope="module")
def curve(panel: pe.Panel) -> M.SpecificationCurve:
    grid = M.specifications(
        {"age": ("age",), "both": ("age", "past")},
        designs=[Nearest(), Nearest(replace=False, caliper=0.2), M.InverseProbability()],
        effects=[M.difference, M.att],
    )
    return M.specification_curve(panel, "income", grid)


def test_every_specification_is_a_row_and_a_refusal_says_why(curve: M.SpecificationCurve) -> None:
    frame = curve.frame
    assert frame["specification"].tolist() == [str(i) for i in range(1, 13)]
    refused = frame[frame["estimate"].isna()]
    assert refused["design"].unique().tolist() == ["inverse-probability weights (ATT)"]
    assert refused["effect"].unique().tolist() == ["att"]
    assert refused["status"].str.contains("for matched pairs").all()
    assert len(curve.estimate) == 10
    assert (
        list(curve.estimate.index["specification"])
        == frame.loc[frame["estimate"].notna(), "specification"].tolist()
    )


def test_a_row_is_what_its_specification_gives_by_itself(
    panel: pe.Panel, curve: M.SpecificationCurve
) -> None:
    matched = M.match(panel, Nearest(replace=False, caliper=0.2), covariates=("age", "past"))
    alone = M.att(panel, matched, "income").findings().frame.iloc[0]
    row = curve.frame.query("effect == 'att' and covariates == 'age, past'").iloc[1]
    for column in ("estimate", "std_error", "conf_low", "n_treated", "estimand"):
        assert row[column] == alone[column]


def test_the_curve_tells_its_median_and_who_differs_from_zero(curve: M.SpecificationCurve) -> None:
    known = curve.frame.dropna(subset="estimate")
    assert curve.median == np.median(known["estimate"])
    summary = curve.summary()
    assert summary["n_refused"] == 2
    assert summary["share_above_zero"] == (known["conf_low"] > 0).mean()
    assert "of 12 specifications 10 gave an estimate" in curve.verdict
    assert "different people" in curve.verdict
    psi = curve.estimate.psi.mean(axis=1)
    se = curve.mean.findings().frame["std_error"].iloc[0]
    np.testing.assert_allclose(se, np.sqrt(psi @ psi), rtol=1e-12)
    np.testing.assert_allclose(curve.mean.theta[0], known["estimate"].mean())


def test_scores_and_designs_are_made_once(panel: pe.Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: dict[str, int] = {"propensity": 0, "match": 0}

    def counted(name: str, real: object) -> object:
        def call(*args: object, **options: object) -> object:
            calls[name] += 1
            return real(*args, **options)  # type: ignore[operator]

        return call

    home = sys.modules["prakerja_eval.matching.sensitivity.specification_curve"]
    for name in calls:
        monkeypatch.setattr(home, name, counted(name, getattr(home, name)))
    free = partial(M.g_computation, interactions=False)
    grid = M.specifications(
        ("age",), designs=[Nearest(), Nearest(ratio=2)], effects=[M.difference, free]
    )
    assert grid[1].choices["effect"] == "g-computation, interactions=False"
    assert len(M.specification_curve(panel, "income", grid).frame) == 4
    assert calls == {"propensity": 1, "match": 2}


def test_the_curve_refuses_what_it_cannot_tell_apart(panel: pe.Panel) -> None:
    one = M.Specification("a", ("age",))
    with pytest.raises(UsageError, match="a name of its own"):
        M.specification_curve(panel, "income", [one, one])
    with pytest.raises(NotEstimableError, match="no specification gives an estimate"):
        M.specification_curve(panel, "income", [M.Specification("a", ("nothing",))])
    with pytest.raises(UsageError, match="at least one covariate"):
        M.Specification("a", ())


def test_a_benchmark_without_a_bound_on_the_outcome_side_is_not_called_impossible() -> None:
    """The omitted z exists here and is about as strong as x; x explains most of the outcome."""
    rng = np.random.default_rng(3)
    n = 2_000
    x, z = rng.normal(size=(2, n))
    d = (0.9 * x - 0.9 * z + rng.normal(size=n) > 0).astype(int)
    y = 2 * x + 2 * z + 0.3 * d + 0.7 * rng.normal(size=n)
    frame = pd.DataFrame({"id": range(n), "x": x, "d": d, "y": y})
    panel = pe.read_panel(frame, pe.Roles(unit="id", received="d"))
    found = pe.matching.omitted_variable(panel, "y", covariates=["x"], benchmarks=["x"], k=(1,))
    row = found.bounds.iloc[0]
    assert "no bound" in row["status"]
    assert np.isfinite(float(row["estimate"]))
    assert "cannot exist" not in found.verdict
    assert "gives no bound" in found.verdict


def test_coarsened_designs_stand_in_a_specification_curve() -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"id": range(90), "x": rng.integers(0, 3, 90), "y": rng.normal(size=90)})
    frame["d"] = np.arange(90) % 2
    panel = pe.read_panel(frame, pe.Roles(unit="id", received="d"))
    grid = pe.matching.specifications(["x"], designs=[pe.matching.Coarsened(("x",))])
    curve = pe.matching.specification_curve(panel, "y", grid)
    assert np.isfinite(curve.frame["estimate"]).all()


def test_a_placebo_without_standard_errors_is_not_called_reassuring() -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"id": range(200), "x": rng.normal(size=200), "y": rng.normal(size=200)})
    frame["d"] = (frame["x"] + rng.normal(size=200) > 0).astype(int)
    panel = pe.read_panel(frame, pe.Roles(unit="id", received="d"))
    learner = pe.matching.Learner(LogisticRegression())
    score = pe.matching.propensity(panel, ["x"], learner)
    weighted = pe.matching.weight(panel, pe.matching.InverseProbability(), score=score)
    said = pe.matching.placebo_outcomes(panel, weighted, ["y"], effect=pe.matching.difference)
    assert said.verdict.startswith("Nothing could be tested")
