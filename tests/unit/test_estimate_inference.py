"""Does every specification say what it knows, and refuse or give NaN where it knows nothing?"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate import LinearFit, LinearTerm, MatchingTerm, estimate_row
from prakerja_eval.estimate.cluster import cluster_scores
from prakerja_eval.numerics.linear import wls

PRINTED_INDEX = [
    "estimator",
    "estimand",
    "population",
    "outcome",
    "cohort",
    "wave",
    "event_time",
    "subgroup",
    "weighting",
    "specification",
]
AFTER_INDEX = [
    "estimate",
    "std_error",
    "statistic",
    "p_value",
    "conf_low",
    "conf_high",
    "band_low",
    "band_high",
    "p_adjusted",
    "df",
    "inference",
    "family",
    "unit",
    "truth",
    "n",
    "n_treated",
    "n_comparison",
    "n_clusters",
    "comparison_mean",
    "status",
]


def people(n=60, seed=1):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"id": [f"SYN-{i:06d}" for i in range(n)], "won": np.arange(n) % 2})
    frame["village"] = rng.integers(0, 10, n)
    frame["age"] = rng.normal(size=n)
    frame["income"] = 2 + frame.won + rng.normal(size=n) * (1 + frame.won)
    return frame


def itt(frame, design=None, **roles):
    named = {"unit": "id", "offer": "won", "clusters": "village"} | roles
    return pe.lottery.itt(pe.read_panel(frame, pe.Roles(**named)), "income", design)


@pytest.fixture(scope="module")
def estimate():
    return itt(people())


def first(estimate, inference, **options):
    return pe.infer(estimate, inference, **options).frame.iloc[0]


def test_findings_have_the_columns_of_the_design_page(estimate):
    frame = pe.infer(estimate).frame
    assert list(frame.columns) == PRINTED_INDEX + AFTER_INDEX
    assert frame["status"].iloc[0] == "ok"
    assert frame["p_adjusted"].isna().all()
    assert frame["truth"].isna().all()
    assert frame[["unit", "family"]].isna().all(axis=None)


def test_welch_gives_scipys_unequal_variance_t_test(estimate):
    frame = people()
    won, lost = (frame.income[frame.won == w] for w in (1, 0))
    welch = stats.ttest_ind(won, lost, equal_var=False)
    found = first(estimate, pe.Robust("HC2", "welch"))
    np.testing.assert_allclose(found["statistic"], welch.statistic, rtol=1e-10)
    np.testing.assert_allclose(found["p_value"], welch.pvalue, rtol=1e-10)
    np.testing.assert_allclose(found["df"], welch.df, rtol=1e-10)
    low, high = welch.confidence_interval(0.9)
    found = first(estimate, pe.Robust("HC2", "welch"), level=0.9)
    np.testing.assert_allclose([found["conf_low"], found["conf_high"]], [low, high], rtol=1e-10)


def test_classical_gives_scipys_equal_variance_t_test(estimate):
    frame = people()
    student = stats.ttest_ind(frame.income[frame.won == 1], frame.income[frame.won == 0])
    found = first(estimate, pe.Classical())
    np.testing.assert_allclose(found["p_value"], student.pvalue, rtol=1e-10)
    assert found["df"] == 58


@pytest.mark.parametrize("level", [0, 1, 1.5, -0.1, 95])
def test_a_level_that_is_no_share_is_refused(estimate, level):
    with pytest.raises(UsageError, match="between 0 and 1"):
        pe.infer(estimate, level=level)


@pytest.mark.parametrize(
    ("make", "allowed"),
    [
        (lambda: pe.Robust("HC4"), "'HC0', 'HC1', 'HC2', 'HC3'"),
        (lambda: pe.Robust(reference="z"), "'t', 'normal', 'welch'"),
        (lambda: pe.Clustered("village", "CR1"), "'none', 'G', 'stata', 'CR2', 'CR3'"),
        (lambda: pe.Clustered("village", reference="z"), "'normal', 't', 'satterthwaite'"),
        (lambda: pe.AbadieImbens("guessed"), "'estimated', 'known'"),
        (lambda: pe.MultiplierBootstrap(weights="gamma"), "'rademacher', 'mammen', 'webb'"),
        (lambda: pe.MultiplierBootstrap(reps=9), "at least 99"),
        (lambda: pe.MultiplierBootstrap(reps=199.5), "at least 99"),
        (lambda: pe.MultiplierBootstrap(seed=-1), "whole number"),
        (lambda: pe.MultiplierBootstrap(seed="one"), "whole number"),
        (lambda: pe.Adjustment("bonferroni"), "'holm', 'bh', 'romano_wolf'"),
    ],
)
def test_options_name_their_allowed_values(make, allowed):
    with pytest.raises(UsageError, match=allowed):
        make()


def test_specifications_are_frozen_values():
    assert pe.Clustered("village") == pe.Clustered("village", "G")
    assert len({pe.Robust(), pe.Robust("HC2")}) == 1
    with pytest.raises(AttributeError):
        pe.Robust().kind = "HC3"


# What is not known is not printed


def one_winner(n=40):
    frame = people(n)
    return frame.assign(won=(frame.index == 0).astype(int))


@pytest.mark.parametrize(
    "inference",
    [
        pe.Robust("HC0"),
        pe.Robust("HC1"),
        pe.Robust("HC2"),
        pe.Robust("HC3"),
        pe.Robust("HC2", "welch"),
        pe.Clustered("unit", "none"),
        pe.Clustered("unit", "CR2"),
        pe.Clustered("village", "CR2"),
        pe.MultiplierBootstrap(reps=99),
    ],
    ids=lambda i: i.label,
)
def test_an_arm_of_one_has_no_standard_error_and_says_why(inference):
    found = first(itt(one_winner()), inference)
    assert np.isfinite(found["estimate"])
    assert found[["std_error", "p_value", "conf_low", "conf_high"]].isna().all()
    assert "no variance" in found["status"]


def test_an_arm_of_one_among_covariates_has_no_standard_error_either():
    design = pe.lottery.Design(covariates=("age",))
    found = first(itt(one_winner(), design), pe.Robust("HC2"))
    assert np.isnan(found["std_error"])
    assert found["status"] == "an arm or cell of one unit has no variance"


def test_an_arm_that_is_one_cluster_has_no_bias_reduced_standard_error():
    frame = people().assign(won=lambda f: (f.village == 3).astype(int))
    for correction in ("CR2", "CR3"):
        found = first(itt(frame), pe.Clustered("village", correction))
        assert np.isnan(found["std_error"])
        assert "one cluster alone" in found["status"]


PLAIN = [
    *(pe.Clustered("village", c) for c in ("none", "G", "stata", "CR2")),
    pe.MultiplierBootstrap(reps=99, by="village"),
]


@pytest.mark.parametrize("inference", PLAIN, ids=lambda i: i.label)
@pytest.mark.parametrize("covariates", [(), ("age",)])
def test_one_treated_cluster_has_no_standard_error(inference, covariates):
    frame = people().assign(won=lambda f: (f.village == 3).astype(int))
    found = first(itt(frame, pe.lottery.Design(covariates=covariates)), inference)
    assert np.isnan(found["std_error"])
    assert "one cluster alone" in found["status"]


@pytest.mark.parametrize("inference", PLAIN, ids=lambda i: i.label)
@pytest.mark.parametrize("covariates", [(), ("age",)])
def test_blocks_inside_clusters_leave_no_variance_between_clusters(inference, covariates):
    # with fixed shares the scores of a cluster that holds a whole block add up to zero
    nested = people().assign(village=lambda f: f.index // 10, block=lambda f: f.index // 10)
    fixed = itt(nested, pe.lottery.Design(covariates=covariates), blocks="block")
    assert np.isnan(first(fixed, inference)["std_error"])
    assert "one cluster alone" in first(fixed, inference)["status"]
    # block fixed effects take one effect for all, which every cluster helps to identify
    one_effect = itt(nested, pe.lottery.Design("strata_fe", covariates=covariates), blocks="block")
    assert first(one_effect, inference)["std_error"] > 0.05


def test_blocks_that_are_drawn_do_vary_between_clusters():
    nested = people().assign(village=lambda f: f.index // 10, block=lambda f: f.index // 10)
    drawn = itt(nested, pe.lottery.Design(shares="superpopulation"), blocks="block")
    found = first(drawn, pe.Clustered("village", "none"))
    effects = nested.groupby(["block", "won"])["income"].mean().unstack()  # noqa: PD010
    gap = effects[1] - effects[0]
    by_hand = np.sqrt(np.sum((gap - gap.mean()) ** 2)) / 6
    np.testing.assert_allclose(found["std_error"], by_hand, rtol=1e-10)


def test_a_block_with_an_arm_of_one_leaves_the_other_rows_alone():
    frame = people().assign(hours=lambda f: f.income.where((f.won == 0) | (f.index < 3)))
    panel = pe.read_panel(frame, pe.Roles(unit="id", offer="won"))
    found = pe.infer(pe.lottery.itt(panel, ["hours", "income"]), pe.Robust("HC2")).frame
    assert np.isnan(found["std_error"].iloc[0])
    assert np.isfinite(found["std_error"].iloc[1])
    assert list(found["status"]) == ["an arm or cell of one unit has no variance", "ok"]


@pytest.mark.parametrize("value", [0.0, 0.1, -1e9])
@pytest.mark.parametrize("covariates", [(), ("age",)])
@pytest.mark.parametrize("weights", ["population", "strata_fe"])
def test_a_constant_outcome_has_effect_zero_and_no_standard_error(value, covariates, weights):
    design = pe.lottery.Design(weights, covariates=covariates)
    found = first(itt(people().assign(income=value), design), None)
    assert abs(found["estimate"]) < 1e-12
    assert np.isnan(found["std_error"])
    assert "no variance" in found["status"]


def test_an_outcome_that_a_covariate_repeats_has_no_standard_error():
    frame = people()
    design = pe.lottery.Design(covariates=("age",))
    found = first(itt(frame.assign(income=frame.age), design), None)
    assert np.isnan(found["std_error"])


# Clusters


def test_clustering_sums_influence_within_clusters_and_never_falls_back(estimate):
    frame = people()
    sums = pd.Series(estimate.psi[:, 0]).groupby(frame.village.to_numpy()).sum()
    found = first(estimate, pe.Clustered("village", "none"))
    np.testing.assert_allclose(found["std_error"], np.sqrt(np.sum(sums**2)), rtol=1e-12)
    assert (found["n_clusters"], found["df"]) == (frame.village.nunique(), np.inf)
    g = frame.village.nunique()
    small = first(estimate, pe.Clustered("village", "G"))
    np.testing.assert_allclose(small["std_error"], found["std_error"] * np.sqrt(g / (g - 1)))
    assert small["df"] == g - 1


@pytest.mark.parametrize("by", ["vilage", "weight", "id", "income", ""])
def test_an_unknown_cluster_is_refused_with_the_names_there_are(estimate, by):
    with pytest.raises(UsageError, match="there are: unit, village"):
        pe.infer(estimate, pe.Clustered(by))
    with pytest.raises(UsageError, match="there are: unit, village"):
        pe.infer(estimate, pe.MultiplierBootstrap(by=by))


@pytest.mark.parametrize("inference", [pe.Clustered, lambda by: pe.MultiplierBootstrap(by=by)])
def test_one_cluster_and_missing_clusters_are_refused(inference):
    with pytest.raises(NotEstimableError, match="leaves 1 cluster"):
        pe.infer(itt(people().assign(village="a")), inference("village"))
    holes = people().assign(village=lambda f: f.village.astype("Int64").where(f.index > 4))
    with pytest.raises(NotEstimableError, match="5 units have no value"):
        pe.infer(itt(holes), inference("village"))


def test_household_and_psu_serve_as_clusters_by_role_and_by_name():
    estimate = itt(people(), household="village", clusters=())
    a, b = (first(estimate, pe.Clustered(by)) for by in ("household", "village"))
    assert a["std_error"] == b["std_error"]


def test_many_clusters_need_no_square_matrix():
    n = 6_000
    rng = np.random.default_rng(0)
    X = np.column_stack([np.ones(n), rng.normal(size=n), np.arange(n) % 2])
    fit = wls(rng.normal(size=n), X, np.ones(n))
    linear = LinearFit(fit.residuals, fit.weights, fit.bread, np.arange(n), design=X)
    made = cluster_scores(linear, np.array([0.0, 0.0, 1.0]), np.arange(n), n, "CR2")
    # clusters of one: bias-reduced scores are those of HC2
    h = linear.leverage()
    hc2 = (X @ fit.bread)[:, 2] * fit.residuals / np.sqrt(1 - h)
    np.testing.assert_allclose(made.scores, hc2, rtol=1e-10)
    assert not any(np.size(getattr(made, name)) > n for name in made.__slots__)


def test_satterthwaite_moments_equal_those_of_the_dense_working_covariance():
    rng = np.random.default_rng(8)
    n, groups = 60, 7
    X = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    w = rng.uniform(0.5, 2.0, n)
    codes = rng.integers(0, groups, n)
    fit = wls(rng.normal(size=n), X, w)
    linear = LinearFit(fit.residuals, w, fit.bread, np.arange(n), design=X)
    c = np.array([0.0, 1.0, 0.0])
    spread = np.eye(n) - X @ fit.bread @ (X.T * w)
    for correction in ("none", "CR2", "CR3"):
        levers = np.zeros((n, groups))
        for g in range(groups):
            rows = np.flatnonzero(codes == g)
            plain = w[rows] * (X[rows] @ fit.bread @ c)
            block = spread[np.ix_(rows, rows)]
            if correction == "CR2":
                both = spread[rows] @ spread[rows].T
                values, vectors = np.linalg.eigh(both)
                plain = vectors @ ((vectors.T @ plain) / np.sqrt(values))
            elif correction == "CR3":
                plain = np.linalg.solve(block.T, plain)
            levers[rows, g] = plain
        P = levers.T @ spread @ spread.T @ levers
        made = cluster_scores(linear, c, codes, groups, correction)
        np.testing.assert_allclose(made.scores, levers.T @ fit.residuals, rtol=1e-9, atol=1e-13)
        df = np.trace(P) ** 2 / np.sum(P**2)
        np.testing.assert_allclose(made.satterthwaite(), df, rtol=1e-9)


def test_a_cluster_whose_regressors_are_all_zero_contributes_nothing():
    X = np.array([[1.0], [2.0], [0.0], [0.0], [3.0]])
    fit = wls(np.array([1.0, 1.0, 5.0, 7.0, 4.0]), X, np.ones(5))
    linear = LinearFit(fit.residuals, fit.weights, fit.bread, np.arange(5), design=X)
    made = cluster_scores(linear, np.ones(1), np.array([0, 1, 2, 2, 3]), 4, "CR2")
    assert made.scores[2] == 0
    assert np.isfinite(made.satterthwaite())


def test_leaving_out_zero_columns_of_a_cluster_changes_no_score():
    frame = people().assign(block=lambda f: f.index // 20)
    saturated = itt(frame, blocks="block")
    design = pd.get_dummies(frame.block * 2 + frame.won).to_numpy(float)
    fit = wls(frame.income.to_numpy(), design, np.ones(60))
    linear = LinearFit(fit.residuals, fit.weights, fit.bread, np.arange(60), design=design)
    term = LinearTerm(linear, saturated.terms[0][0].contrast)
    dense = estimate_row(
        saturated.theta[0],
        saturated.psi[:, 0],
        saturated.units,
        {"estimator": "dense"},
        {"n": 60},
        pe.Robust(),
        [term],
    )
    for inference in ALL_LINEAR:
        a, b = (first(e, inference) for e in (saturated, dense))
        np.testing.assert_allclose(a["std_error"], b["std_error"], rtol=1e-10)
        np.testing.assert_allclose(a["df"], b["df"], rtol=1e-9)


ALL_LINEAR = [
    pe.Classical(),
    *(pe.Robust(kind) for kind in ("HC0", "HC1", "HC2", "HC3")),
    *(pe.Clustered("village", c, "satterthwaite") for c in ("none", "G", "stata", "CR2", "CR3")),
]


# What an estimate without its regression, or with one of another kind, refuses


@pytest.fixture(scope="module")
def bare():
    rng = np.random.default_rng(3)
    units = pd.DataFrame({"weight": 1.0, "village": np.arange(20) % 5})
    units.index = [f"u{i}" for i in range(20)]
    psi = rng.normal(size=20) / 20
    return estimate_row(0.3, psi, units, {"estimator": "x"}, {"n": 20}, pe.Clustered("unit"))


@pytest.mark.parametrize(
    "inference",
    [
        pe.Classical(),
        pe.Robust("HC1"),
        pe.Robust("HC2"),
        pe.Robust("HC3"),
        pe.Robust("HC0"),
        pe.Clustered("village", "stata"),
        pe.Clustered("village", "CR2"),
        pe.Clustered("village", "CR3"),
        pe.Clustered("village", "G", "satterthwaite"),
        pe.AbadieImbens(),
    ],
    ids=lambda i: i.label,
)
def test_leverage_corrections_need_the_regression(bare, inference):
    with pytest.raises(NotEstimableError):
        pe.infer(bare, inference)


def test_influence_alone_is_enough_for_the_plain_variance(bare):
    plain = np.sqrt(np.sum(bare.psi**2))
    for inference in (pe.Robust("HC0", "normal"), pe.Clustered("unit", "none")):
        np.testing.assert_allclose(first(bare, inference)["std_error"], plain, rtol=1e-14)


def test_the_classical_variance_refuses_influence_outside_its_regression():
    frame = people().assign(block=lambda f: f.index % 3)
    frame["income"] += frame.block * frame.won
    drawn = itt(frame, pe.lottery.Design(shares="superpopulation"), blocks="block")
    with pytest.raises(NotEstimableError, match="lies outside"):
        pe.infer(drawn, pe.Classical())


def test_pooled_waves_refuse_inference_that_takes_rows_as_independent():
    frame = pd.concat([people().assign(t=t) for t in (1, 2)])
    panel = pe.read_panel(frame, pe.Roles(unit="id", wave="t", offer="won", clusters="village"))
    pooled = pe.lottery.itt(panel, "income", pooled=True)
    for inference in (pe.Robust("HC2"), pe.Classical()):
        with pytest.raises(NotEstimableError, match="several"):
            pe.infer(pooled, inference)
    # the same people twice tell no more than once
    once = pe.lottery.itt(panel, "income", waves=[1])
    a = first(pooled, pe.Clustered("unit", "none"))
    b = first(once, pe.Clustered("unit", "none"))
    np.testing.assert_allclose(a["std_error"], b["std_error"], rtol=1e-12)
    assert (a["n"], a["n_clusters"]) == (60, 60)


@pytest.fixture(scope="module")
def matched():
    units = pd.DataFrame({"weight": 1.0, "village": np.arange(8) % 4}, index=list("abcdefgh"))
    psi = np.array([0.2, -0.1, 0.05, 0.1, -0.1, 0.05, -0.15, 0.2])
    term = MatchingTerm(psi, 1.2 * psi, np.arange(8))
    labels = {"estimator": "matching.att"}
    return estimate_row(1.0, psi, units, labels, {"n": 8}, pe.AbadieImbens(), [term])


def test_matching_takes_abadie_imbens_and_refuses_clusters_however_they_are_asked_for(matched):
    estimated = first(matched, pe.AbadieImbens())["std_error"]
    known = first(matched, pe.AbadieImbens("known"))["std_error"]
    np.testing.assert_allclose(known, 1.2 * estimated, rtol=1e-12)
    for inference in (pe.Clustered("village"), pe.MultiplierBootstrap(by="village")):
        with pytest.raises(NotEstimableError, match="coverage is not shown"):
            pe.infer(matched, inference)
    with pytest.raises(NotEstimableError, match="AbadieImbens"):
        pe.infer(matched, pe.Robust("HC2"))
    drawn = first(matched, pe.MultiplierBootstrap(reps=99))
    np.testing.assert_allclose(drawn["std_error"], estimated, rtol=1e-12)


def test_rows_with_other_clusters_by_default_share_no_covariance():
    frame = pd.concat([people().assign(t=t) for t in (1, 2)])
    panel = pe.read_panel(frame, pe.Roles(unit="id", wave="t", offer="won", clusters="village"))
    row = pe.lottery.itt(panel, "income", waves=[2])
    other = pe.estimate.Estimate(
        **{n: getattr(row, n) for n in ("theta", "psi", "sample", "units", "index", "counts")},
        terms=row.terms,
        defaults=(pe.Clustered("village"),),
    )
    both = pe.join(row, pe.rename(other, specification="by village"))
    var = pe.estimate.variance(both)
    assert np.isnan(var.covariance[0, 1])
    np.testing.assert_allclose(
        var.std_error(),
        [first(row, None)["std_error"], first(row, pe.Clustered("village"))["std_error"]],
    )
    with pytest.raises(NotEstimableError, match="name one inference"):
        pe.test_equal(both, by="specification")


def test_a_welch_reference_is_for_a_difference_of_means():
    design = pe.lottery.Design(covariates=("age",))
    with pytest.raises(NotEstimableError, match="difference of cell means"):
        pe.infer(itt(people(), design), pe.Robust("HC2", "welch"))


def test_a_linear_term_keeps_its_influence_when_scaled_and_moved():
    X = np.column_stack([np.ones(5), np.arange(5.0)])
    fit = wls(np.array([1.0, 0.0, 2.0, 3.0, 1.0]), X, np.ones(5))
    linear = LinearFit(fit.residuals, fit.weights, fit.bread, np.arange(5), design=X)
    term = LinearTerm(linear, np.array([0.0, 1.0]))
    np.testing.assert_allclose(term.core(), fit.psi[:, 1], rtol=1e-12, atol=1e-15)
    tripled = term.scaled(3.0).core()
    np.testing.assert_allclose(tripled, 3 * fit.psi[:, 1], rtol=1e-12, atol=1e-15)
    moved = term.moved(np.array([4, 3, 2, 1, 0]))
    np.testing.assert_array_equal(moved.fit.rows, [4, 3, 2, 1, 0])
