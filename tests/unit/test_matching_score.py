"""Is the score what its model says, are people left out by rule, and is every bad input named?"""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import prakerja_eval as pe
from prakerja_eval.errors import DataError, NotEstimableError, SeparationError, UsageError
from prakerja_eval.matching.match import match
from prakerja_eval.matching.pairs.design import Nearest
from prakerja_eval.matching.score.models import Learner, Logit, NoScore, Probit
from prakerja_eval.matching.score.propensity import people, propensity
from prakerja_eval.matching.score.support import Region, Support, crump_alpha, inside, region
from prakerja_eval.numerics.logit import logit
from prakerja_eval.numerics.newton import Point
from prakerja_eval.numerics.probit import FAMILY, probit

COVARIATES = ("age", "income", "province")


def frame(n: int = 160, seed: int = 4) -> pd.DataFrame:
    """Make people of whom those with a higher income are more often trained."""
    rng = np.random.default_rng(seed)
    income = rng.normal(size=n)
    return pd.DataFrame(
        {
            "id": [f"p{i:03}" for i in range(n)],
            "age": rng.integers(18, 60, n).astype(float),
            "income": income,
            "province": rng.choice(["Aceh", "Bali", "Jawa"], n),
            "t": (income + rng.normal(size=n) > 0).astype(int),
            "y": rng.normal(size=n),
        }
    )


def panel_of(data: pd.DataFrame, **roles: str) -> pe.Panel:
    return pe.read_panel(data, pe.Roles(unit="id", received="t", **roles))


@cache
def panel() -> pe.Panel:
    """Return the panel of all who ask; it is never changed, and reading it takes time."""
    return panel_of(frame())


# The probit


def test_a_saturated_probit_gives_the_normal_quantile_of_each_share():
    d = np.repeat([1.0, 0.0, 1.0, 0.0], [3, 7, 45, 5])
    X = np.column_stack([np.ones(60), np.repeat([0.0, 1.0], [10, 50])])
    fit = probit(d, X, np.ones(60))
    quantiles = norm.ppf([0.3, 0.9])
    np.testing.assert_allclose(fit.beta, [quantiles[0], quantiles[1] - quantiles[0]], rtol=1e-10)
    np.testing.assert_allclose(fit.probability, X @ [0.3, 0.6], rtol=1e-10)
    # in a saturated fit the observed information is the expected one, phi^2 / (p (1 - p)) a cell
    per_cell = np.array([10, 50]) * norm.pdf(quantiles) ** 2 / np.array([0.21, 0.09])
    np.testing.assert_allclose(
        np.diag(fit.information_inverse), [1 / per_cell[0], (1 / per_cell).sum()], rtol=1e-8
    )
    np.testing.assert_allclose(fit.density, norm.pdf(fit.linear_predictor), rtol=1e-12)


def test_the_probit_likelihood_has_its_derivatives_far_into_both_tails():
    y = np.repeat([0.0, 1.0], 121)
    eta = np.tile(np.linspace(-30, 30, 121), 2)

    def at(shift: float) -> Point:
        return FAMILY.at(y, eta + shift)

    here, step = at(0.0), 1e-4
    np.testing.assert_allclose(here.loglik, norm.logcdf(np.where(y == 1, eta, -eta)), rtol=1e-12)
    # central differences: 1e-8 of truncation and rounding of values near 500
    slope = (at(step).loglik - at(-step).loglik) / (2 * step)
    np.testing.assert_allclose(here.residual, slope, rtol=1e-6, atol=1e-8)
    bend = (at(-step).residual - at(step).residual) / (2 * step)
    np.testing.assert_allclose(here.variance, bend, rtol=1e-6, atol=1e-8)


def test_a_weight_of_two_is_two_people_and_of_zero_nobody_who_yet_has_a_score():
    rng = np.random.default_rng(5)
    X = np.column_stack([np.ones(90), rng.normal(size=(90, 2))])
    d = (X @ [0.2, 0.8, -0.5] + rng.normal(size=90) > 0).astype(float)
    w = rng.integers(0, 4, 90)
    repeated = np.repeat(np.arange(90), w)
    one, other = probit(d, X, w.astype(float)), probit(d[repeated], X[repeated], np.ones(w.sum()))
    np.testing.assert_allclose(one.beta, other.beta, rtol=1e-9)
    np.testing.assert_allclose(one.probability, norm.cdf(X @ one.beta), rtol=1e-12)
    assert (one.psi[w == 0] == 0).all()


def test_a_probit_that_separates_names_its_column():
    rng = np.random.default_rng(6)
    x, d = rng.normal(size=(80, 2)), rng.binomial(1, 0.5, 80).astype(float)
    only = np.where(np.arange(80) < 5, 1.0, 0.0)
    d[:5] = 1
    X = np.column_stack([np.ones(80), x, only])
    with pytest.raises(SeparationError) as error:
        probit(d, X, np.ones(80))
    assert error.value.column == 3
    assert np.isfinite(probit(d, X[:, :3], np.ones(80)).beta).all()


def test_one_person_against_all_odds_is_no_separation():
    x = np.append(np.linspace(-4, 4, 60), 25.0)
    d = (x > 0).astype(float)
    d[[20, 40, 60]] = 1 - d[[20, 40, 60]]
    fit = probit(d, np.column_stack([np.ones(61), x]), np.ones(61))
    score = norm.logcdf(np.where(d == 1, 1, -1)[:, None] * (fit.linear_predictor[:, None])).sum()
    for nudge in ([1e-3, 0], [0, 1e-3]):
        near = np.column_stack([np.ones(61), x]) @ (fit.beta + nudge)
        assert norm.logcdf(np.where(d == 1, near, -near)).sum() < score


# Scores by the panel


@pytest.mark.parametrize(("model", "kernel"), [(Logit(), logit), (Probit(), probit)])
def test_sampling_weights_enter_the_likelihood(model, kernel):
    data = frame().assign(w=np.random.default_rng(8).uniform(0.2, 4, 160))
    got = propensity(panel_of(data, weight="w"), COVARIATES, model)
    dummies = [(data["province"] == p).astype(float) for p in ("Bali", "Jawa")]
    X = np.column_stack([np.ones(160), data["age"], data["income"], *dummies])
    want = kernel(data["t"].to_numpy(), X, data["w"].to_numpy())
    np.testing.assert_allclose(got.score, want.probability, rtol=1e-12)
    np.testing.assert_array_equal(got.weight, data["w"])
    assert not np.allclose(got.score, propensity(panel(), COVARIATES, model).score, rtol=1e-3)
    assert list(got.coefficients.index) == ["constant", *got.names]


def test_people_without_a_score_have_all_else():
    got, scored = people(panel(), COVARIATES), propensity(panel(), COVARIATES)
    np.testing.assert_array_equal(got.covariates, scored.covariates)
    np.testing.assert_array_equal(got.treated, scored.treated)
    assert np.isnan(got.score).all()
    assert got.supported.all()
    assert got.model == NoScore()
    assert people(panel(), ()).covariates.shape == (160, 0)
    assert "no score" in repr(got)
    with pytest.raises(NotEstimableError, match="without a score"):
        got.overlap()
    with pytest.raises(NotEstimableError, match=r"^no score has no coefficients"):
        _ = got.coefficients


def test_a_learner_gives_each_person_a_score_of_a_fit_that_did_not_see_them():
    learner = make_pipeline(StandardScaler(), LogisticRegression(C=1e6, tol=1e-8))
    got = propensity(panel(), COVARIATES, Learner(learner, folds=4, seed=2))
    assert got.model.in_words == "LogisticRegression (4 folds)"
    assert got.fit is None
    np.testing.assert_allclose(got.linear_predictor, np.log(got.score / (1 - got.score)))
    plain = propensity(panel(), COVARIATES)
    # seeing people pulls the logit towards their own arm
    own = np.where(got.treated, got.score, 1 - got.score).mean()
    assert own < np.where(plain.treated, plain.score, 1 - plain.score).mean()
    with pytest.raises(NotEstimableError, match=r"LogisticRegression.*no coefficients"):
        _ = got.coefficients


# Missing covariates


def test_missing_covariates_are_named_all_at_once_with_their_counts():
    data = frame()
    data.loc[:30, "age"] = np.nan
    data.loc[20:60, "province"] = None
    for verb in (propensity, people):
        with pytest.raises(DataError, match=r"'age' for 31, 'province' for 41 of 160 units"):
            verb(panel_of(data), COVARIATES)
    with pytest.raises(DataError, match="'age' is missing for 31 of 160 units"):
        match(panel_of(data), covariates=("age",))


def test_indicated_gaps_are_filled_with_the_mean_of_the_known():
    data = frame()
    data.loc[:30, ["age", "income"]] = np.nan
    data.loc[20:60, "province"] = None
    got = propensity(panel_of(data), (*COVARIATES, "age^2"), missing="indicator")
    by_hand = data.assign(
        age=data["age"].fillna(data["age"].mean()),
        square=(data["age"] ** 2).fillna((data["age"] ** 2).mean()),
        income=data["income"].fillna(data["income"].mean()),
        bali=(data["province"] == "Bali").astype(float),
        jawa=(data["province"] == "Jawa").astype(float),
        gap=data["age"].isna().astype(float),
        nowhere=data["province"].isna().astype(float),
    )
    columns = ["age", "income", "bali", "jawa", "square", "gap", "nowhere"]
    np.testing.assert_allclose(got.covariates, by_hand[columns], rtol=1e-12)
    assert got.names[-2:] == ("age, income, age^2 (missing)", "province (missing)")
    assert np.isfinite(got.score).all()


def test_a_filled_value_does_not_matter_beside_its_indicator():
    data = frame()
    data.loc[:30, "age"] = np.nan
    got = propensity(panel_of(data), COVARIATES, missing="indicator")
    other = data.assign(gap=data["age"].isna().astype(float), age=data["age"].fillna(-7.0))
    want = propensity(panel_of(other), (*COVARIATES, "gap"))
    np.testing.assert_allclose(got.score, want.score, rtol=1e-8)


# Support


def scores(seed: int = 0, n: int = 50) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    treated = rng.random(n) < 0.4
    score = np.where(treated, rng.beta(4, 2, n), rng.beta(2, 4, n))
    return score, treated, rng.integers(1, 4, n).astype(float)


def kept(score, treated, weight, support):
    where = region(score, treated, weight, support)
    return inside(score, treated, where, support.discard)


@pytest.mark.parametrize("discard", ["both", "treated", "comparison"])
@pytest.mark.parametrize("rule", ["hull", "minmax"])
def test_who_lies_outside_the_other_arms_range_is_left_out(rule, discard):
    for seed in range(10):
        score, treated, weight = scores(seed)
        got = kept(score, treated, weight, Support(rule, discard))
        for i in range(len(score)):
            other = [s for s, t in zip(score, treated, strict=True) if t != treated[i]]
            outside = score[i] < min(other) or score[i] > max(other)
            asked = discard == "both" or (discard == "treated") == treated[i]
            assert got[i] == (not (outside and asked))


def test_a_trimmed_share_keeps_single_people_from_setting_the_bounds():
    treated = np.repeat([True, False], 100)
    score = np.concatenate([np.linspace(0.3, 0.8, 100), np.linspace(0.1, 0.6, 100)])
    weight = np.ones(200)
    score[99], score[100] = 0.999, 0.001  # one person each who is like nobody
    score[199] = 0.9
    assert region(score, treated, weight, Support()) == Region(0.3, 0.9)
    trimmed = region(score, treated, weight, Support("minmax", trim=0.02))
    assert trimmed == Region(sorted(score[:100])[1], sorted(score[100:])[97])
    weight[199] = 50.0  # a person who stands for fifty is no outlier
    assert region(score, treated, weight, Support("minmax", trim=0.02)).high == score[97]


def test_a_person_of_weight_zero_sets_no_bound():
    score, treated, weight = scores()
    lowest = np.flatnonzero(treated)[np.argmin(score[treated])]
    weight[lowest] = 0
    rest = np.arange(50) != lowest
    for rule in ("hull", "crump"):
        where = region(score, treated, weight, Support(rule))
        assert where == region(score[rest], treated[rest], weight[rest], Support(rule))


@pytest.mark.parametrize("seed", range(6))
def test_crumps_alpha_gives_the_smallest_variance_and_solves_its_equation(seed):
    rng = np.random.default_rng(seed)
    score, weight = rng.beta(0.5, 0.7, 300), rng.integers(1, 4, 300)
    alpha = crump_alpha(score, weight.astype(float))

    def variance(a: float) -> float:  # everyone counted as often as they weigh
        e = np.repeat(score, weight)
        e = e[(e >= a) & (e <= 1 - a)]
        return (1 / (e * (1 - e))).sum() / len(e) ** 2

    grid = np.append(np.linspace(0, 0.45, 2001), np.minimum(score, 1 - score) - 1e-12)
    assert variance(alpha) <= min(variance(a) for a in grid) * (1 + 1e-12)
    e = np.repeat(score, weight)
    e = e[(e >= alpha) & (e <= 1 - alpha)]
    np.testing.assert_allclose(1 / (alpha * (1 - alpha)), 2 * (1 / (e * (1 - e))).mean())


def test_crumps_alpha_of_even_scores_is_that_of_the_uniform_law():
    # E[1 / (e (1 - e)) | a <= e <= 1 - a] = 2 log((1 - a) / a) / (1 - 2 a)
    want = brentq(
        lambda a: 1 / (a * (1 - a)) - 4 * np.log((1 - a) / a) / (1 - 2 * a), 1e-3, 0.3, xtol=1e-14
    )
    n = 200_000
    got = crump_alpha((np.arange(n) + 0.5) / n, np.ones(n))
    np.testing.assert_allclose(got, want, atol=2 / n)  # the spacing of the scores


def test_crump_keeps_everybody_where_scores_are_moderate():
    assert crump_alpha(np.linspace(0.3, 0.7, 40), np.ones(40)) == 0.0
    assert crump_alpha(np.array([0.0, 0.5, 0.5, 1.0]), np.ones(4)) > 0.0
    with pytest.raises(NotEstimableError, match="exactly 0 or 1"):
        crump_alpha(np.array([0.0, 1.0]), np.ones(2))


def test_a_fixed_alpha_is_its_own_region():
    got = propensity(panel(), COVARIATES, support=Support("crump", alpha=0.1))
    np.testing.assert_array_equal(got.supported, (got.score >= 0.1) & (got.score <= 0.9))
    assert got.region == Region(0.1, 0.9)
    assert not got.supported.all()


@pytest.mark.parametrize("model", [Logit(), Probit()])
def test_a_refitted_score_is_that_of_the_people_kept(model):
    first = propensity(panel(), COVARIATES, model)
    again = propensity(panel(), COVARIATES, model, support=Support(refit=True))
    alone = propensity(panel_of(frame()[again.supported]), COVARIATES, model)
    np.testing.assert_allclose(again.score[again.supported], alone.score, rtol=1e-9)
    assert (~again.supported).any()
    assert np.isfinite(again.score).all()
    assert (again.fit.psi[~again.supported] == 0).all()
    plain = propensity(panel(), COVARIATES, model, support=Support())
    np.testing.assert_array_equal(plain.score, first.score)
    np.testing.assert_array_equal(plain.supported, again.supported)


@pytest.mark.parametrize("scale", ["probability", "logit"])
def test_matching_within_support_is_matching_of_those_kept(scale):
    """The caliper too: its standard deviation is over the people kept, as MatchIt has it."""
    design = Nearest(replace=False, caliper=0.05, scale=scale)
    score = propensity(panel(), COVARIATES, support=Support(refit=True))
    within = match(panel(), design, score=score)
    alone = match(panel_of(frame()[score.supported]), design, covariates=COVARIATES)
    pd.testing.assert_frame_equal(
        within.frame[["unit", "counterpart"]], alone.frame[["unit", "counterpart"]]
    )
    out = int((score.treated & ~score.supported).sum())
    assert out > 0
    assert within.n_dropped == alone.n_dropped + out


def test_an_effect_without_the_discarded_treated_is_a_feasible_att_and_says_why():
    score = propensity(panel(), COVARIATES, Probit(), support=Support(discard="treated"))
    matched = match(panel(), Nearest(), score=score)
    assert matched.n_dropped == (score.treated & ~score.supported).sum() > 0
    row = pe.matching.att(panel(), matched, "y").index.iloc[0]
    assert row["estimand"] == "feasible ATT"
    assert row["specification"].endswith("probit score, common support of the treated")
    plain = propensity(panel(), COVARIATES, support=Support(discard="comparison"))
    full = pe.matching.att(panel(), match(panel(), Nearest(), score=plain), "y").index.iloc[0]
    assert full["estimand"] == "ATT"


def test_no_overlap_within_a_support_is_refused_with_both_ranges():
    with pytest.raises(NotEstimableError, match=r"no .* unit lies inside.*comparison: scores 0\."):
        propensity(panel(), COVARIATES, support=Support("crump", alpha=0.4999999))


# What is said about overlap


def test_overlap_counts_people_and_what_they_are_worth():
    data = frame().assign(w=np.random.default_rng(8).uniform(0.2, 4, 160))
    got = propensity(panel_of(data, weight="w"), COVARIATES, support=Support())
    table = got.overlap()
    e, t, w = got.score, got.treated, got.weight
    for arm, here in (("treated", t), ("comparison", ~t)):
        row = table.loc[arm]
        assert row["n"] == here.sum()
        assert (row["lowest"], row["highest"]) == (e[here].min(), e[here].max())
        assert row["outside"] == (here & ~got.supported).sum() == row["n"] - row["supported"]
        odds = (1 - e) / e if arm == "treated" else e / (1 - e)
        v = (w * odds)[here & got.supported]
        np.testing.assert_allclose(row["effective"], v.sum() ** 2 / (v @ v))
    said = repr(got)
    assert f"{table.loc['treated', 'outside']:.0f} ({table.loc['treated', 'share']:.1%})" in said
    assert "common support" in said


def test_rare_values_are_listed_and_a_rare_reference_too():
    data = frame()
    treated, others = data.index[data["t"] == 1], data.index[data["t"] == 0]
    data["province"] = "Bali"
    data.loc[[*treated[:3], *others[:30]], "province"] = "Aceh"  # the reference: first in order
    data.loc[[*treated[10:30], *others[30:34]], "province"] = "Papua"
    data["won"] = 0
    data.loc[[*treated[:12], *others[:2]], "won"] = 1
    data["female"] = np.arange(160) % 2
    got = people(panel_of(data), ("age", "won", "female", "province")).rare_cells
    assert got.to_numpy().tolist() == [
        ["won", 1.0, 12, 2],
        ["province", "first", 3, 30],
        ["province", "Papua", 20, 4],
    ]


# Bad inputs


def of_one_level(arm: int, count: int) -> pd.DataFrame:
    data = frame()
    data.loc[data.index[data["t"] == arm][:count], "province"] = "Papua"
    return data


@cache
def waves() -> pe.Panel:
    data = pd.concat([frame(60).assign(wave=w) for w in (1, 2, 3)], ignore_index=True)
    data["t"] = data["t"] * (data["wave"] > 1)
    data["later"] = np.where(data["wave"] == 3, data["age"] + 1, np.nan)
    data["income_w3"] = data["income"]
    return pe.read_panel(data, pe.Roles(unit="id", wave="wave", baseline=1, received="t"))


REFUSED = {
    "one covariate separates": (
        frame().assign(income=lambda f: f["income"].abs() * (2 * f["t"] - 1)),
        COVARIATES,
        r"'income' predicts treatment perfectly for at least 1[56]\d of 160 people",
    ),
    "treatment itself": (
        frame().assign(won=lambda f: f["t"]),
        ("age", "won"),
        r"'won' predicts .* 160 of 160 people \(value 0 only in the comparison arm and 1 only in ",
    ),
    "a level of the treated": (
        of_one_level(1, 4),
        COVARIATES,
        r"'province\[Papua\]' predicts .* 4 of 160 people \(value 1 only in the treated arm\)",
    ),
    "a level of one comparison person": (
        of_one_level(0, 1),
        COVARIATES,
        r"'province\[Papua\]' .* 1 of 160 people \(value 1 only in the comparison arm\)",
    ),
    "a constant": (
        frame().assign(one=3.0, two=5),
        ("age", "one", "two"),
        r"constant among the 160 people .*'one' \(always 3\), 'two' \(always 5\)",
    ),
    "a constant text": (frame().assign(city="x"), ("age", "city"), "'city' has one value only"),
    "twice the same": (frame(), ("age", "age"), "'age' is a combination of the covariates before"),
    "nobody treated": (frame().assign(t=0), COVARIATES, "no treated unit; widen"),
    "nobody to compare": (frame().assign(t=1), COVARIATES, "no comparison unit; widen"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_score_can_be_fitted_to_is_refused_and_named(case):
    data, covariates, message = REFUSED[case]
    bad = panel_of(data)
    for model in (Logit(), Probit()):
        with pytest.raises(NotEstimableError, match=message):
            propensity(bad, covariates, model)


@pytest.mark.parametrize("name", ["age@3", "later", "income_w3"])
@pytest.mark.parametrize("verb", [propensity, people, lambda p, c: match(p, covariates=c)])
def test_a_covariate_dated_after_the_baseline_is_refused(verb, name):
    """By the wave asked for, by the waves in which it has values, and by its own name."""
    with pytest.raises((UsageError, DataError), match="after the baseline"):
        verb(waves(), ("age", name))


def test_weights_of_one_arm_that_are_all_zero_leave_nobody_to_compare():
    data = frame().assign(w=lambda f: 1.0 * f["t"])
    with pytest.raises(NotEstimableError, match="no comparison unit of positive weight"):
        propensity(panel_of(data, weight="w"), COVARIATES)
    with pytest.raises(DataError, match="160 rows without a value in 'w'"):
        propensity(panel_of(data.assign(w=np.nan), weight="w"), COVARIATES)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: propensity(panel(), ()), "needs covariates"),
        (lambda: propensity(panel(), "age"), r"covariates is the text 'age'; write \['age'\]"),
        (lambda: propensity(panel(), ["agee"]), "Did you mean 'age'"),
        (lambda: propensity(panel(), ["age"], "probit"), r"Logit\(\), Probit\(\) or Learner"),
        (lambda: propensity(panel(), ["age"], NoScore()), r"Logit\(\), Probit\(\) or Learner"),
        (lambda: propensity(panel(), ["age"], support="hull"), r"must be Support\(...\)"),
        (lambda: propensity(panel(), ["age"], missing="drop"), "'refuse', 'indicator'"),
        (lambda: Support("hul"), "'hull', 'crump', 'minmax'"),
        (lambda: Support(discard="control"), "'both', 'treated', 'comparison'"),
        (lambda: Support("crump", alpha=0.5), "between 0 and .5"),
        (lambda: Support(alpha=0.1), "alpha.* is for rule='crump'"),
        (lambda: Support("minmax", trim=0.5), "from 0 to below .5"),
        (lambda: Support("crump", trim=0.1), "trim.* is for rule='minmax'"),
        (lambda: Learner(SVC()), "predict_proba"),
        (lambda: Learner(LogisticRegression), "instance"),
        (lambda: Learner(LogisticRegression(), folds=1), "folds.* is 1; a whole number from 2"),
        (
            lambda: propensity(
                panel(), ["age"], Learner(LogisticRegression()), support=Support(refit=True)
            ),
            "refit.*Learner has none",
        ),
    ],
)
def test_wrong_options_are_refused_with_the_allowed_ones(call, message):
    with pytest.raises(UsageError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: pe.matching.match(p, pe.matching.Nearest, covariates=["x"]), "match.design."),
        (lambda p: pe.matching.match(p, "nearest", covariates=["x"]), "not str"),
        (lambda p: pe.matching.match(p, pe.matching.EntropyBalance(), covariates=["x"]), "takes"),
        (lambda p: pe.matching.match(p, score="x"), "match.score. takes"),
        (lambda p: pe.matching.propensity(p.frame, ["x"]), "a panel is needed, not DataFrame"),
        (lambda p: pe.matching.propensity(p, [1]), "names of columns; 1 is none"),
        (lambda p: pe.matching.Support("crump", alpha="a"), "'a'; it must be a number"),
        (lambda p: pe.matching.Support(refit="yes"), "True or False"),
        (lambda p: pe.matching.Nearest(replace="no"), "True or False"),
        (lambda p: pe.matching.Nearest(ratio=1.5), "1.5; it must be a whole number"),
        (
            lambda p: pe.matching.match(p, score=pe.matching.people(p, ["x"])),
            "these people have none",
        ),
        (lambda p: pe.matching.Kernel(bandwidth="wide"), "'wide'; it must be a number"),
        (lambda p: pe.matching.Coarsened(cuts={"x": 3}), "a list of numbers that rise"),
    ],
)
def test_what_is_of_another_kind_is_refused_by_name(call, message) -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"id": range(40), "d": np.arange(40) % 2, "x": rng.normal(size=40)})
    panel = pe.read_panel(frame, pe.Roles(unit="id", received="d"))
    with pytest.raises(UsageError, match=message):
        call(panel)
