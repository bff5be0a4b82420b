"""Weights from the score: their formulas, sums, bounds, and what they say about themselves."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.matching import InverseProbability, Learner, Probit, Support
from prakerja_eval.matching.weighting.inverse_probability import Tilt, balancing_weights, ceilings

ESTIMANDS = ("ATT", "ATC", "ATE", "ATO", "ATM")
COVARIATES = ("age", "urban", "school")


def people(n: int = 240, pull: float = 0.8) -> pd.DataFrame:
    """Draw people whose age and schooling lead to treatment."""
    rng = np.random.default_rng(5)
    age, urban = rng.uniform(18, 60, n), rng.integers(0, 2, n)
    school = rng.integers(6, 17, n) + urban
    index = pull * ((age - 40) / 12 + 0.4 * urban - 0.1 * (school - 11))
    trained = (rng.random(n) < 1 / (1 + np.exp(-index))).astype(int)
    frame = pd.DataFrame({"id": np.arange(n), "age": age, "urban": urban, "school": school})
    income = 10 + 0.1 * age + trained + rng.normal(size=n)
    return frame.assign(trained=trained, income=income, w=rng.integers(1, 4, n))


def panel(frame: pd.DataFrame, weight: str | None = None) -> pe.Panel:
    drop = [] if weight else ["w"]
    return pe.read_panel(
        frame.drop(columns=drop), pe.Roles(unit="id", received="trained", weight=weight)
    )


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return people()


@pytest.fixture(scope="module")
def score(frame: pd.DataFrame) -> pe.matching.Propensity:
    return pe.matching.propensity(panel(frame), COVARIATES)


BY_HAND = {
    "ATT": lambda e: (1.0, e / (1 - e)),
    "ATC": lambda e: ((1 - e) / e, 1.0),
    "ATE": lambda e: (1 / e, 1 / (1 - e)),
    "ATO": lambda e: (1 - e, e),
    "ATM": lambda e: (min(e, 1 - e) / e, min(e, 1 - e) / (1 - e)),
}


@pytest.mark.parametrize("estimand", ESTIMANDS)
def test_each_person_weighs_what_the_formula_says(estimand, frame, score):
    made = pe.matching.weight(panel(frame), InverseProbability(estimand), score=score)
    pairs = [BY_HAND[estimand](e) for e in score.score]
    want = [t if d else c for (t, c), d in zip(pairs, score.treated, strict=True)]
    np.testing.assert_allclose(made.raw, want, rtol=1e-12)


@pytest.mark.parametrize("model", [None, Probit()])
@pytest.mark.parametrize("estimand", ESTIMANDS)
def test_each_arm_adds_up_to_the_people_whose_effect_is_sought(estimand, model, frame):
    """A probit's weights do not do so before they are scaled."""
    weighted = panel(frame, "w")
    score = pe.matching.propensity(weighted, COVARIATES, model)
    made = pe.matching.weight(weighted, InverseProbability(estimand), score=score)
    e, w, d = score.score, frame["w"].to_numpy(), frame["trained"].to_numpy() == 1
    people = {
        "ATT": w[d].sum(),
        "ATC": w[~d].sum(),
        "ATE": w.sum(),
        "ATO": (w * e * (1 - e)).sum(),
        "ATM": (w * np.minimum(e, 1 - e)).sum(),
    }[estimand]
    for arm in (d, ~d):
        np.testing.assert_allclose(made.weights[arm].sum(), people, rtol=1e-12)


def test_overlap_weights_of_a_logit_balance_every_mean_exactly(frame):
    """Li, Morgan and Zaslavsky (2018), theorem 3."""
    made = pe.matching.weight(panel(frame), InverseProbability("ATO"), covariates=COVARIATES)
    rows = made.balance().frame.set_index(["covariate", "stage"])["smd"]
    for name in COVARIATES:
        assert abs(rows[name, "before"]) > 1e-3
        assert abs(rows[name, "after"]) < 1e-10


@pytest.mark.parametrize("estimand", ESTIMANDS)
def test_the_slope_is_the_derivative_in_the_score(estimand, score):
    """Central differences; no score lies within the step of 1/2, where ATM has a corner."""
    e, d, step = score.score, score.treated, 1e-6
    assert np.abs(e - 0.5).min() > step
    up, down = (
        balancing_weights(e + h, 1 - e - h, d, Tilt[estimand]).weight for h in (step, -step)
    )
    slope = balancing_weights(e, 1 - e, d, Tilt[estimand]).slope
    np.testing.assert_allclose(slope, (up - down) / (2 * step), rtol=1e-6, atol=1e-8)


def test_at_one_half_the_slope_of_matching_weights_is_the_mean_of_both_sides():
    half, treated = np.array([0.5, 0.5]), np.array([True, False])
    made = balancing_weights(half, half, treated, Tilt.ATM)
    np.testing.assert_array_equal(made.weight, [1.0, 1.0])
    np.testing.assert_array_equal(made.slope, [(0.0 - 4.0) / 2, (4.0 + 0.0) / 2])


def test_a_score_near_one_keeps_its_digits():
    """1 - e of a logit at 30 is 9.4e-14; taken from e it would have three digits."""
    frame = people(80)
    fitted = pe.matching.propensity(panel(frame), ("age",))
    far = np.where(fitted.treated, fitted.linear_predictor, 30.0)
    moved = replace(fitted, linear_predictor=far, score=1 / (1 + np.exp(-far)))
    made = pe.matching.weight(panel(frame), score=moved)
    np.testing.assert_allclose(made.raw[~fitted.treated], np.exp(30.0), rtol=1e-12)


def test_trimming_leaves_people_out_and_changes_whose_effect_it_is(frame, score):
    made = pe.matching.weight(panel(frame), InverseProbability(trim=0.3), score=score)
    out = (score.score < 0.3) | (score.score > 0.7)
    assert 0 < out.sum() < len(out)
    np.testing.assert_array_equal(made.raw == 0, out)
    assert made.n_dropped == (out & score.treated).sum()
    assert made.size == (~out & score.treated).sum()
    assert "feasible ATT" in repr(made)
    row = pe.matching.difference(panel(frame), made, "income").findings().frame.iloc[0]
    assert row["estimand"] == "feasible ATT"
    assert row["population"] == "treated people with a counterpart"


def test_people_outside_common_support_take_no_part(frame):
    fitted = pe.matching.propensity(panel(frame), COVARIATES, support=Support("crump", alpha=0.3))
    made = pe.matching.weight(panel(frame), score=fitted)
    assert not fitted.supported.all()
    np.testing.assert_array_equal(made.raw == 0, ~fitted.supported)


def test_truncation_caps_the_arm_that_varies_and_nobody_else(frame, score):
    free = pe.matching.weight(panel(frame), InverseProbability("ATT"), score=score)
    cut = pe.matching.weight(panel(frame), InverseProbability("ATT", truncate=0.9), score=score)
    np.testing.assert_array_equal(cut.raw[score.treated], 1.0)
    before, after = free.raw[~score.treated], cut.raw[~score.treated]
    cap = np.sort(before)[int(np.ceil(0.9 * len(before))) - 1]
    np.testing.assert_allclose(after, np.minimum(before, cap), rtol=1e-12)
    assert cut.n_dropped == 0
    assert cut.in_words == "inverse-probability weights, truncated at quantile 0.9"


def test_a_ceiling_counts_a_person_of_weight_two_twice():
    weight, treated = np.array([1.0, 2, 3, 4, 9]), np.array([True, True, True, True, False])
    top = ceilings(weight, np.array([1.0, 1, 5, 1, 1]), treated, 0.8)
    written_out = np.repeat(weight[:4], [1, 1, 5, 1])
    assert top == (np.sort(written_out)[int(np.ceil(0.8 * 8)) - 1], 9.0)


@pytest.mark.parametrize("estimand", ESTIMANDS)
def test_a_person_of_sampling_weight_two_is_two_people(estimand, frame):
    twice = frame.loc[frame.index.repeat(frame["w"])].reset_index(drop=True)
    twice["id"] = np.arange(len(twice))
    design = InverseProbability(estimand, truncate=0.95)
    one = pe.matching.weight(panel(frame, "w"), design, covariates=COVARIATES)
    two = pe.matching.weight(panel(twice), design, covariates=COVARIATES)
    first = np.cumsum(frame["w"]) - frame["w"]
    np.testing.assert_allclose(one.weights, two.weights[first] * frame["w"], rtol=1e-9)


def test_what_was_not_seen_weighs_nothing_and_the_others_as_before(frame, score):
    made = pe.matching.weight(panel(frame), InverseProbability("ATE"), score=score)
    seen = np.arange(len(frame)) % 3 > 0
    part = made.among(seen)
    np.testing.assert_array_equal(part.weights, np.where(seen, made.raw, 0.0))
    np.testing.assert_array_equal(part.reached, seen)
    assert not part.derivative[~seen].any()
    assert part.nuisance[~seen].any()  # they took part in fitting the score


def test_a_machine_learned_score_gives_an_effect_without_a_standard_error(frame):
    model = Learner(LogisticRegression(max_iter=1000))
    fitted = pe.matching.propensity(panel(frame), COVARIATES, model)
    made = pe.matching.weight(panel(frame), score=fitted)
    assert not made.parametric
    assert made.among(np.ones(len(frame), dtype=bool)).derivative is None
    row = pe.matching.difference(panel(frame), made, "income").findings().frame.iloc[0]
    assert np.isfinite(row["estimate"])
    assert np.isnan(row["std_error"])
    assert row["status"] == "score not parametric"


def test_weights_that_rest_on_few_people_say_so():
    frame = people(400, pull=4.0)
    made = pe.matching.weight(panel(frame), covariates=COVARIATES)
    counts = made.summary()
    assert counts["effective_comparison"] < 0.1 * counts["n_comparison"]
    assert counts["share_comparison"] > 0.1
    said = repr(made)
    assert "comparison people count as" in said
    assert "one comparison person has" in said
    assert not pe.matching.weight(panel(people(pull=0.3)), covariates=COVARIATES).notices


def test_summary_and_frame_agree_with_the_weights(frame, score):
    made = pe.matching.weight(panel(frame), InverseProbability("ATE"), score=score)
    w = made.weights[score.treated]
    counts = made.summary()
    np.testing.assert_allclose(made.effective["treated"], w.sum() ** 2 / (w**2).sum())
    np.testing.assert_allclose(counts["largest_treated"], w.max())
    np.testing.assert_array_equal(made.frame["weight"], made.weights)
    assert list(made.frame.columns) == ["treated", "score", "weight"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"estimand": "LATE"}, "'ATT', 'ATC', 'ATE', 'ATO', 'ATM'"),
        ({"trim": 0.5}, r"InverseProbability\(trim\) is 0.5"),
        ({"trim": 0.0}, r"InverseProbability\(trim\) is 0.0"),
        ({"truncate": 99}, "0.99 for the 99th percentile"),
    ],
)
def test_options_name_what_they_take(options, said):
    with pytest.raises(UsageError, match=said):
        InverseProbability(**options)


def test_the_verb_refuses_what_it_cannot_use(frame, score):
    with pytest.raises(UsageError, match="one of them"):
        pe.matching.weight(panel(frame))
    with pytest.raises(UsageError, match="one of them"):
        pe.matching.weight(panel(frame), covariates=COVARIATES, score=score)
    with pytest.raises(UsageError, match=r"takes matching\.InverseProbability"):
        pe.matching.weight(panel(frame), pe.matching.Nearest(), covariates=COVARIATES)
    with pytest.raises(UsageError, match="need a score"):
        pe.matching.weight(panel(frame), score=pe.matching.people(panel(frame), COVARIATES))


def test_bounds_that_leave_nobody_and_certain_scores_are_refused(frame, score):
    high = replace(score, score=np.where(score.treated, 0.95, 0.5))
    with pytest.raises(NotEstimableError, match="no treated person has a score within"):
        pe.matching.weight(panel(frame), InverseProbability(trim=0.1), score=high)
    certain = replace(score, fit=None, score=np.where(score.treated, score.score, 1.0))
    with pytest.raises(NotEstimableError, match="people have probability 0 of the arm"):
        pe.matching.weight(panel(frame), score=certain)


def test_perfect_separation_is_refused_by_the_score(frame):
    parted = frame.assign(age=np.where(frame["trained"] == 1, 70, frame["age"]))
    with pytest.raises(NotEstimableError, match="'age' predicts treatment perfectly"):
        pe.matching.weight(panel(parted), covariates=("age", "urban"))


@pytest.mark.parametrize("estimand", ["ATT", "ATE"])
@pytest.mark.parametrize("interactions", [True, False])
def test_influence_after_entropy_balancing_is_the_derivative_in_a_sampling_weight(
    estimand: str, interactions: bool
) -> None:
    """With slopes that both arms share, the scale of an arm's weights counts too."""
    rng = np.random.default_rng(2)
    n = 150
    x = rng.normal(size=n)
    frame = pd.DataFrame({"id": range(n), "x": x, "w": rng.uniform(0.5, 2.0, n)})
    frame["d"] = (0.6 * x + rng.normal(size=n) > 0.2).astype(int)
    frame["y"] = x**2 + frame["d"] * (1 + x) + rng.normal(size=n)
    frame["z"] = x**3 / 5 + rng.normal(size=n)

    def found(weight: pd.Series) -> pe.Estimate:
        panel = pe.read_panel(frame.assign(w=weight), pe.Roles("id", received="d", weight="w"))
        balanced = pe.matching.EntropyBalance(estimand=estimand)
        made = pe.matching.weight(panel, balanced, covariates=["x", "z"])
        return pe.matching.g_computation(panel, made, "y", interactions=interactions)

    psi = found(frame["w"])
    by_unit = dict(zip(psi.units.index, psi.psi[:, 0], strict=True))
    for i in (0, 41, 97):
        step = 1e-4 * (frame["id"] == i)
        up, down = (found(frame["w"] * (1 + s * step)).theta[0] for s in (1, -1))
        assert (up - down) / 2e-4 == pytest.approx(by_unit[str(i)], rel=1e-5, abs=1e-9)
