"""Differences and g-computation on weighted people: definitions, influence, refusals."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from sklearn.linear_model import LogisticRegression

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.matching import InverseProbability, Learner, Nearest

ROLES = {"unit": "id", "received": "trained"}


def people(n: int = 160, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age, x = rng.integers(18, 60, n).astype(float), rng.normal(size=n)
    trained = (rng.random(n) < 1 / (1 + np.exp(-0.6 * x))).astype(int)
    income = 0.1 * age + x + trained * (1 + 0.5 * x) + rng.normal(size=n)
    return pd.DataFrame(
        {"id": np.arange(n), "trained": trained, "age": age, "x": x, "income": income}
    )


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return people()


@pytest.fixture(scope="module")
def panel(frame: pd.DataFrame) -> pe.Panel:
    return pe.read_panel(frame, pe.Roles(**ROLES))


def matched(panel: pe.Panel, **design: object) -> pe.matching.Matched:
    return pe.matching.match(panel, Nearest(**design), covariates=["age", "x"])


def weighted(panel: pe.Panel, estimand: str = "ATT") -> pe.matching.Weighted:
    design = InverseProbability(estimand=estimand)
    return pe.matching.weight(panel, design, covariates=["age", "x"])


def test_the_difference_is_that_of_weighted_means(frame: pd.DataFrame, panel: pe.Panel) -> None:
    for adjusted in (matched(panel, replace=False), matched(panel), weighted(panel, "ATE")):
        found = pe.matching.difference(panel, adjusted, "income")
        w, d, y = adjusted.weights, frame["trained"] == 1, frame["income"]
        by_hand = [np.average(y[arm], weights=w[arm]) for arm in (d, ~d)]
        np.testing.assert_allclose(found.theta[0], by_hand[0] - by_hand[1])
        np.testing.assert_allclose(found.counts["comparison_mean"], by_hand[1])


def test_each_way_to_adjust_prints_the_inference_that_suits_it(panel: pe.Panel) -> None:
    def label(adjusted: object) -> str:
        return pe.matching.difference(panel, adjusted, "income").findings().frame["inference"][0]

    assert label(matched(panel, replace=False)) == "clustered by pair (stata, normal)"
    assert label(matched(panel)) == "HC3, normal"
    assert label(weighted(panel)) == "HC0, normal"


def test_one_slope_is_the_coefficient_of_a_weighted_regression(
    frame: pd.DataFrame, panel: pe.Panel
) -> None:
    made = weighted(panel, "ATE")
    found = pe.matching.g_computation(panel, made, "income", interactions=False)
    X = sm.add_constant(frame[["trained", "age", "x"]])
    raw = made.among(np.ones(len(frame), dtype=bool)).weights  # the arms count as weighted
    fit = sm.WLS(frame["income"], X, raw).fit()
    np.testing.assert_allclose(found.theta[0], fit.params["trained"], rtol=1e-9)


def test_g_computation_averages_two_regressions_over_the_treated(
    frame: pd.DataFrame, panel: pe.Panel
) -> None:
    made = matched(panel, replace=False, caliper=0.1)
    found = pe.matching.g_computation(panel, made, "income", covariates=["x"])
    here = frame[(frame["trained"] == 1) & (made.weights > 0)]
    said = []
    for arm in (1, 0):
        part = (frame["trained"] == arm) & (made.weights > 0)
        X = sm.add_constant(frame[["x"]])
        said.append(sm.WLS(frame["income"][part], X[part], made.weights[part]).fit())
    means = [fit.predict(sm.add_constant(here[["x"]])).mean() for fit in said]
    np.testing.assert_allclose(found.theta[0], means[0] - means[1], rtol=1e-9)
    assert found.index["estimand"][0] == "feasible ATT"
    assert found.counts["n_treated"][0] == len(here) < frame["trained"].sum()


def test_the_sample_as_given_leaves_the_spread_of_effects_beside_the_influence(
    panel: pe.Panel,
) -> None:
    made = matched(panel, replace=False)
    drawn, given = (
        pe.matching.g_computation(panel, made, "income", target=target)
        for target in ("population", "sample")
    )
    np.testing.assert_allclose(drawn.theta, given.theta, rtol=0)
    share = given.terms[0][0].share
    np.testing.assert_allclose(drawn.psi[:, 0] - given.psi[:, 0], share, atol=1e-12)
    assert abs(share).max() > 0
    assert drawn.terms[0][0].share is None


def test_people_who_were_not_seen_count_through_the_score_they_helped_to_fit(
    frame: pd.DataFrame,
) -> None:
    gone = frame.assign(income=frame["income"].where(frame["id"] >= 12))
    panel = pe.read_panel(gone, pe.Roles(**ROLES))
    found = pe.matching.difference(panel, weighted(panel), "income")
    assert found.counts["n"][0] == len(frame) - 12
    assert len(found.units) == len(frame)
    assert (found.psi[found.units.index.astype(int) < 12, 0] != 0).all()
    pairs = pe.matching.difference(panel, matched(panel), "income")
    assert (pairs.units.index.astype(int) >= 12).all()


def test_a_whole_weight_is_that_many_people(frame: pd.DataFrame) -> None:
    times = 1 + frame["id"] % 3
    roles = pe.Roles(**ROLES, weight="times")
    once = pe.read_panel(frame.assign(times=times), roles)
    copies = frame.loc[frame.index.repeat(times)].assign(id=lambda f: np.arange(len(f)), times=1)
    many = pe.read_panel(copies, roles)
    for verb in (pe.matching.difference, pe.matching.g_computation):
        here, there = (verb(p, weighted(p), "income") for p in (once, many))
        np.testing.assert_allclose(here.theta, there.theta, rtol=1e-7)  # two fits of the score


def test_a_learned_score_has_an_effect_and_no_standard_error(panel: pe.Panel) -> None:
    learner = Learner(LogisticRegression(), folds=2)
    score = pe.matching.propensity(panel, ["age", "x"], learner)
    made = pe.matching.weight(panel, InverseProbability(), score=score)
    pairs = pe.matching.match(panel, Nearest(), score=score)
    found = pe.join(
        pe.matching.difference(panel, made, "income"),
        pe.matching.g_computation(panel, pairs, "income"),
        pe.matching.att(panel, pairs, "income"),
    )
    frame = pe.infer(found, pe.Robust("HC0", reference="normal")).frame
    assert (frame["status"] == "score not parametric").all()
    assert frame["estimate"].notna().all()
    assert frame["std_error"].isna().all()


def test_every_outcome_and_wave_has_a_row(frame: pd.DataFrame) -> None:
    waves = [frame.assign(wave=t, income=frame["income"] + t, trained=0) for t in (0, 1)]
    waves += [frame.assign(wave=2)]
    long = pd.concat(waves).assign(other=lambda f: -f["income"])
    roles = pe.Roles(**ROLES, wave="wave", baseline=0)
    panel = pe.read_panel(long, roles)
    found = pe.matching.difference(panel, matched(panel), ["income", "other"])
    assert list(found.index["wave"]) == [1, 2, 1, 2]
    assert list(found.index["event_time"]) == [-1, None, -1, None]
    np.testing.assert_allclose(found.theta[:2], -found.theta[2:])


def test_a_covariate_that_says_nothing_is_named(frame: pd.DataFrame) -> None:
    panel = pe.read_panel(frame.assign(twice=2 * frame["age"]), pe.Roles(**ROLES))
    pairs = matched(panel)
    with pytest.raises(NotEstimableError, match="'twice'"):
        pe.matching.g_computation(panel, pairs, "income", covariates=["age", "twice"])


def test_what_cannot_be_asked_is_refused(frame: pd.DataFrame, panel: pe.Panel) -> None:
    made = matched(panel)
    with pytest.raises(UsageError, match="population"):
        pe.matching.g_computation(panel, made, "income", target="people")
    with pytest.raises(UsageError, match="needs covariates"):
        pe.matching.g_computation(panel, made, "income", covariates=[])
    with pytest.raises(UsageError, match="what match or weight returned, not Propensity"):
        pe.matching.difference(panel, made.propensity, "income")
    with pytest.raises(UsageError, match="not Weighted"):
        pe.matching.att(panel, weighted(panel), "income")
    gone = frame.assign(income=frame["income"].where(frame["trained"] == 1))
    other = pe.read_panel(gone, pe.Roles(**ROLES))
    one_arm = weighted(other)
    with pytest.raises(NotEstimableError, match="no comparison unit"):
        pe.matching.difference(other, one_arm, "income")


def test_beside_a_lottery_its_block_shares_count_as_drawn() -> None:
    """As beside a DiD: people matched or weighted are taken as drawn, so the lottery's are too."""
    rng = np.random.default_rng(21)
    n = 600
    role, block = np.repeat(["winner", "loser", "outside"], n // 3), rng.integers(0, 4, n)
    won, x = (role == "winner").astype(int), rng.normal(size=n)
    income = x + won * (1.0 + 2.0 * block) + rng.normal(size=n)
    frame = pd.DataFrame({"id": range(n), "role": role, "won": won, "trained": won, "block": block})
    frame = frame.assign(x=x, income=income)
    panel = pe.read_panel(frame, pe.Roles(**ROLES, offer="won", blocks="block"))
    outside = panel.where(role=("winner", "outside"))
    weights = pe.matching.weight(outside, covariates=["x"])
    apart = []
    for shares in ("fixed", "superpopulation"):
        design = pe.lottery.Design(block_weights="treated", shares=shares)
        late = pe.lottery.late(panel.where(role=("winner", "loser")), "income", design)
        made = pe.compare.agreement(late, [pe.matching.difference(outside, weights, "income")])
        apart.append(float(made.frame["diff_std_error"][1]))
    np.testing.assert_allclose(apart[0], apart[1], rtol=1e-12)


@pytest.mark.parametrize("arm", [0, 1])
@pytest.mark.parametrize("verb", ["kernel", "aipw"])
def test_an_arm_of_one_person_has_an_effect_and_no_standard_error(arm: int, verb: str) -> None:
    """Where no regression stands behind the estimate too, nothing plausible takes its place."""
    rng = np.random.default_rng(4)
    n = 60
    frame = pd.DataFrame({"id": range(n), "x": rng.normal(size=n), "y": rng.normal(size=n)})
    frame["d"] = np.where(frame["id"] == 3, arm, 1 - arm)
    panel = pe.read_panel(frame, pe.Roles(unit="id", received="d"))
    if verb == "kernel":
        kernel = pe.matching.Kernel(bandwidth=0.5)
        found = pe.matching.att(panel, pe.matching.match(panel, kernel, covariates=["x"]), "y")
    else:
        estimand = "ATT" if arm else "ATC"
        found = pe.matching.aipw(panel, "y", covariates=["x"], estimand=estimand)
    row = found.findings().frame.iloc[0]
    assert np.isfinite(row["estimate"])
    assert np.isnan(row["std_error"])
    assert row["status"] == "an arm or cell of one unit has no variance"


def test_too_small_an_arm_is_refused_by_the_weighted_bootstrap() -> None:
    frame = pd.DataFrame({"id": range(30), "x": np.arange(30) % 7, "y": np.arange(30.0) % 5})
    frame["d"] = (frame["id"] < 2).astype(int)
    panel = pe.read_panel(frame, pe.Roles(unit="id", received="d"))
    pairs = pe.matching.match(panel, covariates=["x"])
    with pytest.raises(NotEstimableError, match="an arm has 2 people"):
        pe.matching.otsu_rai(panel, pairs, "y")


def test_those_who_only_took_part_in_fitting_the_score_are_not_counted() -> None:
    """They have influence; the number of independent units is that of the people compared."""
    rng = np.random.default_rng(9)
    n = 120
    x = rng.normal(size=n)
    frame = pd.DataFrame({"id": range(n), "x": x, "d": (x + rng.normal(size=n) > 0.4).astype(int)})
    frame["y"] = np.where(frame["id"] % 6 == 0, np.nan, x + frame["d"] + rng.normal(size=n))
    panel = pe.read_panel(frame, pe.Roles(unit="id", received="d"))
    pairs = pe.matching.match(panel, covariates=["x"])
    kernel = pe.matching.match(panel, pe.matching.Kernel(bandwidth=0.3), covariates=["x"])
    weighted = pe.matching.weight(panel, InverseProbability(), covariates=["x"])
    for found in (
        pe.matching.att(panel, pairs, "y"),
        pe.matching.att(panel, kernel, "y"),
        pe.matching.difference(panel, weighted, "y"),
        pe.matching.aipw(panel, "y", covariates=["x"]),
    ):
        row = found.findings(pe.Clustered("unit", "none") if len(found.terms[0]) == 0 else None)
        one = row.frame.iloc[0]
        assert one["n_clusters"] == one["n"]
    unseen = frame.loc[frame["y"].isna(), "id"].astype(str)
    assert set(unseen) <= set(pe.matching.aipw(panel, "y", covariates=["x"]).units.index)
