"""Augmented weighting and double machine learning: what they must equal, and what they refuse."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.matching import Learner, Learners, Support, aipw, double_ml, propensity

ESTIMANDS = ("ATE", "ATT", "ATC")
LINEAR = Learners(LinearRegression(), LogisticRegression(), folds=4)


def frame_of(n: int = 200) -> pd.DataFrame:
    """Simulate people in households of two, with weights of one to three."""
    rng = np.random.default_rng(19)
    x, z = rng.normal(size=n), rng.integers(0, 3, n)
    d = rng.random(n) < 1 / (1 + np.exp(-0.7 * x - 0.3 * (z == 1)))
    y = 1 + x + 0.5 * z + d * (1 + 0.5 * x) + rng.normal(size=n)
    return pd.DataFrame(
        {
            "id": [f"p{i:03d}" for i in range(n)],
            "hh": [f"h{i // 2}" for i in range(n)],
            "d": d.astype(int),
            "x": x,
            "z": [("low", "mid", "top")[k] for k in z],
            "y": y,
            "works": (y > 1.5).astype(int),
            "w": rng.integers(1, 4, n),
        }
    )


def panel_of(frame: pd.DataFrame, **roles: str) -> pe.Panel:
    return pe.read_panel(frame, pe.Roles(unit="id", received="d", **roles))


FRAME = frame_of()
PANEL = panel_of(FRAME.drop(columns=["hh", "w"]))
HOUSEHOLDS = panel_of(FRAME.drop(columns="w"), household="hh")
WEIGHTED = panel_of(FRAME.drop(columns="hh"), weight="w")


@pytest.mark.parametrize("estimand", ESTIMANDS)
def test_with_cells_alone_it_is_the_average_of_the_cells_differences(estimand: str) -> None:
    """A saturated score and saturated outcome models leave nothing to correct."""
    found = aipw(PANEL, "y", covariates=["z"], estimand=estimand)
    means = FRAME.groupby(["z", "d"])["y"].mean().unstack()  # noqa: PD010
    focal = {"ATE": FRAME, "ATT": FRAME[FRAME["d"] == 1], "ATC": FRAME[FRAME["d"] == 0]}[estimand]
    share = focal["z"].value_counts(normalize=True)
    np.testing.assert_allclose(found.theta[0], (share * (means[1] - means[0])).sum(), rtol=1e-8)
    np.testing.assert_allclose(
        found.counts["comparison_mean"].iloc[0], (share * means[0]).sum(), rtol=1e-8
    )
    # the variance of a stratified average whose shares are drawn (Hahn 1998's bound, by hand)
    n = len(FRAME)
    gap = FRAME["z"].map(means[1] - means[0]) - found.theta[0]
    own = np.where(FRAME["d"] == 1, FRAME["z"].map(means[1]), FRAME["z"].map(means[0]))
    part = {"ATE": np.ones(n), "ATT": FRAME["d"], "ATC": 1 - FRAME["d"]}[estimand]
    cell = pd.Series(part).groupby(FRAME["z"]).transform("sum")
    arm = FRAME.groupby(["z", "d"])["y"].transform("size")
    by_hand = (part * gap) ** 2 + (cell / arm * (FRAME["y"] - own)) ** 2
    se = np.sqrt(by_hand.sum()) / np.sum(part)
    # the two parts are uncorrelated within cells, so that squares add up
    np.testing.assert_allclose(found.findings().frame["std_error"].iloc[0], se, rtol=1e-8)


@pytest.mark.parametrize("estimand", ESTIMANDS)
def test_an_exact_outcome_model_needs_no_score(estimand: str) -> None:
    exact = FRAME.assign(y=2 + 3 * FRAME["x"] + FRAME["d"] * (1 - FRAME["x"]))
    panel = panel_of(exact.drop(columns=["hh", "w"]))
    found = aipw(panel, "y", covariates=["x"], score=propensity(panel, ["z"]), estimand=estimand)
    focal = {"ATE": exact, "ATT": exact[exact["d"] == 1], "ATC": exact[exact["d"] == 0]}[estimand]
    np.testing.assert_allclose(found.theta[0], (1 - focal["x"]).mean(), rtol=1e-8)


def test_the_effect_on_comparison_people_is_that_on_the_treated_the_other_way_round() -> None:
    frame = FRAME.iloc[:50].drop(columns=["hh", "w"])
    panel, swapped = panel_of(frame), panel_of(frame.assign(d=1 - frame["d"]))
    # everybody alone in a fold, so that folds do not depend on which arm is called treated
    learners = Learners(LinearRegression(), LogisticRegression(tol=1e-12), folds=len(frame))
    for way in (
        lambda panel, e: aipw(panel, "y", covariates=["x", "z"], estimand=e),
        lambda panel, e: double_ml(panel, "y", learners, covariates=["x"], estimand=e),
    ):
        first, second = way(panel, "ATC"), way(swapped, "ATT")
        np.testing.assert_allclose(first.theta, -second.theta, rtol=1e-7)
        np.testing.assert_allclose(
            pe.infer(first).frame["std_error"], pe.infer(second).frame["std_error"], rtol=1e-7
        )


@pytest.mark.parametrize("estimand", ESTIMANDS)
def test_a_sampling_weight_of_two_is_two_people(estimand: str) -> None:
    times = FRAME.loc[FRAME.index.repeat(FRAME["w"])].drop(columns="w")
    times["person"], times["id"] = times["id"], [f"q{i:04d}" for i in range(len(times))]
    repeated = pe.read_panel(
        times.drop(columns="hh"), pe.Roles(unit="id", received="d", clusters="person")
    )
    one = aipw(WEIGHTED, "y", covariates=["x", "z"], estimand=estimand)
    many = aipw(repeated, "y", covariates=["x", "z"], estimand=estimand)
    np.testing.assert_allclose(one.theta, many.theta, rtol=1e-8)
    np.testing.assert_allclose(
        pe.infer(one, pe.Clustered("unit", "none")).frame["std_error"],
        pe.infer(many, pe.Clustered("person", "none")).frame["std_error"],
        rtol=1e-8,
    )


def robins_rotnitzky_zhao(frame: pd.DataFrame, p: np.ndarray, kept: np.ndarray) -> float:
    """Average their formula over those kept, with lines in x by arm."""
    X = np.column_stack([np.ones(len(frame)), frame["x"]])
    d, y = frame["d"].to_numpy(), frame["y"].to_numpy()
    m0, m1 = (
        X @ np.linalg.lstsq(X[kept & (d == a)], y[kept & (d == a)], rcond=None)[0] for a in (0, 1)
    )
    scores = m1 - m0 + d * (y - m1) / p - (1 - d) * (y - m0) / (1 - p)
    return float(scores[kept].mean())


def test_people_not_seen_count_in_the_score_alone() -> None:
    lost = np.arange(len(FRAME)) % 9 == 0
    frame = FRAME.assign(y=FRAME["y"].where(~lost)).drop(columns=["hh", "w"])
    found = aipw(panel_of(frame), "y", covariates=["x"])
    X = np.column_stack([np.ones(len(frame)), frame["x"]])
    d = frame["d"].to_numpy()
    beta = np.zeros(2)
    for _ in range(30):
        p = 1 / (1 + np.exp(-X @ beta))
        beta += np.linalg.solve((X * (p * (1 - p))[:, None]).T @ X, X.T @ (d - p))
    want = robins_rotnitzky_zhao(frame, p, ~lost)
    np.testing.assert_allclose(found.theta[0], want, rtol=1e-8)
    counts = found.counts.iloc[0]
    assert counts["n"] == (~lost).sum()
    assert counts["n_treated"] == (~lost & (d == 1)).sum()
    assert len(found.units) == len(FRAME)  # they have influence through the score
    assert found.index["population"].iloc[0] == "everyone"


def test_shuffled_rows_change_nothing() -> None:
    mixed = panel_of(FRAME.drop(columns=["hh", "w"]).sample(frac=1, random_state=3))
    one, two = (aipw(p, "y", covariates=["x", "z"]) for p in (PANEL, mixed))
    np.testing.assert_allclose(one.theta, two.theta, rtol=1e-12)
    # double machine learning deals and learns in the order of ids: the same bytes
    forest = Learners(LinearRegression(), RandomForestClassifier(5, min_samples_leaf=25), folds=2)
    one, two = (double_ml(p, "y", forest, covariates=["x", "z"]) for p in (PANEL, mixed))
    assert one.theta.tobytes() == two.theta.tobytes()
    assert one.psi.tobytes() == two.psi.tobytes()


def test_another_seed_deals_other_folds_and_repeats_average_them() -> None:
    one, other = (
        double_ml(PANEL, "y", Learners(*_learners(), seed=s), covariates=["x"]) for s in (1, 2)
    )
    assert one.theta[0] != other.theta[0]
    several = double_ml(PANEL, "y", Learners(*_learners(), repeats=5), covariates=["x"])
    assert abs(several.theta[0] - one.theta[0]) < 0.2 * np.sqrt(np.sum(one.psi**2))
    assert abs(several.psi.sum()) < 1e-12
    assert several.index["specification"].iloc[0].endswith("5 folds, 5 splits")


def _learners() -> tuple[object, object]:
    return LinearRegression(), LogisticRegression()


def test_double_ml_is_near_aipw_where_the_models_are_right() -> None:
    learners = Learners(LinearRegression(), LogisticRegression(C=1e6), folds=10)
    for estimand in ("ATE", "ATT"):
        one = aipw(PANEL, "y", covariates=["x", "z"], estimand=estimand)
        two = double_ml(PANEL, "y", learners, covariates=["x", "z"], estimand=estimand)
        gap = pe.infer(pe.join(one, two)).frame
        assert abs(gap["estimate"].diff().iloc[1]) < 0.25 * gap["std_error"].iloc[0]
        assert gap["std_error"].iloc[1] == pytest.approx(gap["std_error"].iloc[0], rel=0.1)


def test_households_stay_in_one_fold_and_can_be_clustered_by() -> None:
    together = Learners(*_learners(), by="household")
    found = double_ml(HOUSEHOLDS, "y", together, covariates=["x"])
    assert "5 folds by household" in found.index["specification"].iloc[0]
    apart = double_ml(HOUSEHOLDS, "y", Learners(*_learners()), covariates=["x"])
    assert found.theta[0] != apart.theta[0]
    clustered = pe.infer(found, pe.Clustered("household", "none")).frame["std_error"].iloc[0]
    sums = pd.Series(found.psi[:, 0]).groupby(found.units["household"].to_numpy()).sum()
    np.testing.assert_allclose(clustered, np.sqrt((sums**2).sum()), rtol=1e-10)
    with pytest.raises(UsageError, match=r"by='village'.*Roles names hh, household"):
        double_ml(HOUSEHOLDS, "y", Learners(*_learners(), by="village"), covariates=["x"])


@pytest.mark.parametrize("outcome_model", ["logit", "poisson"])
def test_outcomes_of_zeros_and_ones_may_have_a_model_of_their_own(outcome_model: str) -> None:
    found = aipw(PANEL, "works", covariates=["z"], outcome_model=outcome_model)
    # saturated: whatever the link, the cells' means
    line = aipw(PANEL, "works", covariates=["z"])
    np.testing.assert_allclose(found.theta, line.theta, rtol=1e-8)
    np.testing.assert_allclose(
        pe.infer(found).frame["std_error"], pe.infer(line).frame["std_error"], rtol=1e-8
    )
    learners = Learners(LogisticRegression(), LogisticRegression())
    assert -1 < double_ml(PANEL, "works", learners, covariates=["x", "z"]).theta[0] < 1


def test_a_cross_fitted_score_counts_as_fixed_and_is_named() -> None:
    score = propensity(PANEL, ["x"], model=Learner(LogisticRegression(C=1e6)))
    found = aipw(PANEL, "y", covariates=["x"], score=score)
    parametric = aipw(PANEL, "y", covariates=["x"])
    assert "cross-fitted" in found.index["specification"].iloc[0]
    errors = pe.infer(pe.join(found, parametric)).frame["std_error"]
    assert errors.iloc[0] == pytest.approx(errors.iloc[1], rel=0.1)


def test_people_outside_common_support_are_left_out_and_the_estimand_says_so() -> None:
    score = propensity(PANEL, ["x"], support=Support("crump", alpha=0.3))
    assert not score.supported.all()
    found = aipw(PANEL, "y", score=score)
    row = found.findings().frame.iloc[0]
    assert row["estimand"] == "feasible ATE"
    assert row["population"] == "everyone with a counterpart"
    assert row["n"] == score.supported.sum()
    # the score is that of all, the outcome models and the average are of those kept
    want = robins_rotnitzky_zhao(FRAME, score.score, score.supported)
    np.testing.assert_allclose(found.theta[0], want, rtol=1e-8)


def test_extreme_scores_are_counted_in_the_status() -> None:
    frame = FRAME.drop(columns=["hh", "w"]).assign(x=FRAME["x"] * 4)
    frame["d"] = (frame["x"] + np.random.default_rng(2).logistic(size=len(frame)) > 0).astype(int)
    panel = panel_of(frame)
    p = propensity(panel, ["x"]).score
    for estimand, bad, words in (
        ("ATE", (p < 0.01) | (p > 0.99), "outside .01 to .99"),
        ("ATT", p > 0.99, "above .99"),
        ("ATC", p < 0.01, "below .01"),
    ):
        status = aipw(panel, "y", covariates=["x"], estimand=estimand).counts["status"].iloc[0]
        assert status == (f"weak overlap: {bad.sum()} unit(s) have a propensity score {words}")


def test_clipped_scores_are_said_in_label_and_status() -> None:
    clipped = Learners(*_learners(), clip=0.3)
    found = double_ml(PANEL, "y", clipped, covariates=["x"])
    assert found.index["specification"].iloc[0].endswith("scores clipped at 0.3")
    assert "had their propensity score clipped" in found.counts["status"].iloc[0]


def test_a_forest_that_is_certain_is_refused_with_the_number_of_people() -> None:
    certain = Learners(LinearRegression(), RandomForestClassifier(5), folds=2)
    with pytest.raises(NotEstimableError, match=r"gives \d+ of 200 people a score of 0 or 1"):
        double_ml(PANEL, "y", certain, covariates=["x"])


def test_each_wave_has_its_own_people() -> None:
    late = FRAME.drop(columns=["hh", "w"]).assign(t=2, y=lambda f: f["y"].where(f.index % 5 > 0))
    early = late.assign(t=1, y=0.5, d=0)
    early["y"] += np.arange(len(early)) % 7
    roles = pe.Roles(unit="id", wave="t", baseline=1, received="d")
    panel = pe.read_panel(pd.concat([early, late]), roles)
    for found in (
        aipw(panel, "y", covariates=["x"], waves=[1, 2]),
        double_ml(panel, "y", LINEAR, covariates=["x"], waves=[1, 2]),
    ):
        assert list(found.index["wave"]) == [1, 2]
        assert list(found.counts["n"]) == [200, 160]
        assert found.index["event_time"].iloc[0] == -1


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: aipw(PANEL, "y"), UsageError, "needs covariates"),
        (lambda: double_ml(PANEL, "y", LINEAR, covariates=[]), UsageError, "needs covariates"),
        (
            lambda: double_ml(PANEL, "y", LinearRegression(), covariates=["x"]),
            UsageError,
            r"double_ml\(learners\) takes matching.Learners, not LinearRegression",
        ),
        (
            lambda: aipw(PANEL, "y", score=LogisticRegression()),
            UsageError,
            r"aipw\(score\) takes matching.Propensity, not LogisticRegression",
        ),
        (
            lambda: aipw(PANEL, "y", covariates=["x"], estimand="ATO"),
            UsageError,
            r"aipw\(estimand\) is 'ATO'; it must be one of 'ATT'",
        ),
        (
            lambda: aipw(PANEL, "y", covariates=["x"], outcome_model="probit"),
            UsageError,
            r"aipw\(outcome_model\) is 'probit'",
        ),
        (
            lambda: aipw(PANEL, "y", covariates=["x"], outcome_model="logit"),
            NotEstimableError,
            "y: a logit needs an outcome of zeros and ones",
        ),
        (
            lambda: Learners(LogisticRegression(), LinearRegression()),
            UsageError,
            r"Learners\(treatment\) is LinearRegression, which has no predict_proba",
        ),
        (
            lambda: double_ml(
                PANEL, "y", Learners(LogisticRegression(), LogisticRegression()), covariates=["x"]
            ),
            UsageError,
            "LogisticRegression is a classifier",
        ),
        (
            lambda: double_ml(
                WEIGHTED,
                "y",
                Learners(KNeighborsRegressor(), LogisticRegression()),
                covariates=["x"],
            ),
            UsageError,
            "takes no sample_weight",
        ),
        (lambda: Learners(*_learners(), folds=1), UsageError, r"Learners\(folds\) is 1"),
        (lambda: Learners(*_learners(), repeats=0), UsageError, r"Learners\(repeats\) is 0"),
        (lambda: Learners(*_learners(), clip=0.5), UsageError, r"Learners\(clip\) is 0.5"),
    ],
)
def test_wrong_calls_are_refused(call, error, message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_an_outcome_model_that_an_arm_cannot_bear_is_refused_by_name() -> None:
    flat = FRAME.drop(columns=["hh", "w"]).assign(only=np.where(FRAME["d"] == 1, 3.0, FRAME["x"]))
    panel = panel_of(flat)
    with pytest.raises(NotEstimableError, match=r"covariate 'only' is constant.*observed treated"):
        aipw(panel, "y", covariates=["z", "only"], score=propensity(panel, ["x"]))
    few = panel_of(FRAME[(FRAME["d"] == 0) | (FRAME.index < 6)].drop(columns=["hh", "w"]))
    n = int(FRAME["d"].iloc[:6].sum())
    score = propensity(few, ["x"])
    with pytest.raises(NotEstimableError, match=f"{n} treated people are observed, too few"):
        aipw(few, "y", covariates=["x", "z"], score=score)
    # the effect on the treated needs no model of theirs
    assert np.isfinite(aipw(few, "y", covariates=["x", "z"], score=score, estimand="ATT").theta[0])


def test_an_outcome_that_does_not_vary_has_no_standard_error() -> None:
    panel = panel_of(FRAME.drop(columns=["hh", "w"]).assign(y=2.0 + (FRAME["d"] == 1)))
    with pytest.raises(NotEstimableError, match="y: the outcome does not vary beyond"):
        aipw(panel, "y", covariates=["x"])


def test_a_wave_in_which_an_arm_is_not_seen_is_refused() -> None:
    gone = FRAME.drop(columns=["hh", "w"]).assign(y=FRAME["y"].where(FRAME["d"] == 0))
    for way in (
        lambda panel: aipw(panel, "y", covariates=["x"]),
        lambda panel: double_ml(panel, "y", LINEAR, covariates=["x"]),
    ):
        with pytest.raises(NotEstimableError, match=r"y: (no treated person is observed|.*nobody)"):
            way(panel_of(gone))


def test_double_ml_leaves_out_people_of_weight_zero_and_does_not_see_the_unit_of_weights() -> None:
    rng = np.random.default_rng(8)
    n = 150
    frame = pd.DataFrame({"id": range(n), "x": rng.normal(size=n)})
    frame["d"] = (0.7 * frame["x"] + rng.normal(size=n) > 0).astype(int)
    frame["y"] = frame["x"] + frame["d"] + rng.normal(size=n)
    frame["w"] = rng.uniform(0.5, 2.0, n)
    extra = frame.head(20).assign(id=range(n, n + 20), w=0.0, x=50.0)
    learners = Learners(Ridge(10.0), LogisticRegression(C=0.1))
    found = [
        double_ml(
            pe.read_panel(f, pe.Roles(unit="id", received="d", weight="w")),
            "y",
            learners,
            covariates=["x"],
        ).theta[0]
        for f in (frame, pd.concat([frame, extra]), frame.assign(w=500 * frame["w"]))
    ]
    assert found == pytest.approx([found[0]] * 3, rel=1e-6)
