"""Effects, variances and linear form of matching: definitions and refusals."""

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.matching import Nearest, OtsuRai, Variance
from prakerja_eval.matching.effects.abadie_imbens import (
    constant_sigma2,
    local_sigma2,
    matching_variance,
)
from prakerja_eval.matching.effects.effects import (
    Direction,
    matched_effect,
    matched_effect_of_runs,
    outcome_lines,
)
from prakerja_eval.matching.effects.linear_form import linear_form, rescale
from prakerja_eval.matching.pairs.neighbours import nearest_runs, nearest_with_replacement
from prakerja_eval.matching.pairs.pairs import Pairs, both_ways, in_sample


def draw(rng, n=600):
    score = np.round(rng.uniform(0.1, 0.9, n), 2)  # ties
    treated = rng.uniform(size=n) < score
    y = 1 + 2 * score + treated * (1 + 6 * score) + rng.normal(size=n)
    t, c = np.flatnonzero(treated), np.flatnonzero(~treated)
    att = in_sample(nearest_with_replacement(score[t], score[c]), t, c)
    atc = in_sample(nearest_with_replacement(score[c], score[t]), c, t)
    return y, treated, score, att, atc


@pytest.fixture(scope="module")
def world():
    return draw(np.random.default_rng(20))


def test_the_ate_is_the_att_and_the_atc_weighted_by_their_numbers(world):
    y, treated, _, att, atc = world
    one, zero = (matched_effect(y, treated, p).estimate for p in (att, atc))
    both = matched_effect(y, treated, both_ways(att, atc))
    p = treated.mean()
    np.testing.assert_allclose(both.estimate, p * one + (1 - p) * zero)
    np.testing.assert_allclose(both.estimate, np.mean(both.y1) - both.comparison_mean)


def test_the_atc_is_minus_the_att_of_not_being_treated(world):
    y, treated, _, _, atc = world
    here, there = matched_effect(y, treated, atc), matched_effect(y, ~treated, atc)
    np.testing.assert_allclose(here.estimate, -there.estimate)
    v, u = (matching_variance(e, constant_sigma2(e)) for e in (here, there))
    np.testing.assert_allclose((v.population, v.sample), (u.population, u.sample))


def test_the_estimate_is_a_sum_of_outcomes_weighted_by_use(world):
    y, treated, _, att, atc = world
    for pairs in (att, atc, both_ways(att, atc)):
        e = matched_effect(y, treated, pairs)
        weight = (e.focal + e.used) * np.where(treated, 1, -1)
        np.testing.assert_allclose(e.estimate, weight @ y / e.focal.sum())


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("ratio", "caliper"), [(1, np.inf), (3, np.inf), (3, 0.004)])
def test_runs_give_what_their_pairs_written_out_give(world, ratio, caliper, weighted):
    """With sampling weights and lines of a bias adjustment too."""
    y, treated, score, _, _ = world
    extra = (None, None)
    if weighted:
        X = np.column_stack([score, score**2])
        extra = (outcome_lines(y, treated, X, np.ones(len(y))), 0.5 + score)
    t, c = np.flatnonzero(treated), np.flatnonzero(~treated)
    pairs, ways = [], []
    for f, o in ((t, c), (c, t)):
        found = nearest_with_replacement(score[f], score[o], ratio, caliper)
        pairs.append(in_sample(found, f, o))
        ways.append(Direction(f, o, nearest_runs(score[f], score[o], ratio, caliper)))
    for written, runs in ((pairs[0], ways[:1]), (both_ways(*pairs), ways)):
        one = matched_effect(y, treated, written, *extra)
        other = matched_effect_of_runs(y, treated, runs, *extra)
        for field in fields(one):
            np.testing.assert_allclose(
                getattr(other, field.name), getattr(one, field.name), rtol=1e-9, atol=1e-9
            )


def in_words(y, treated, pairs, w, sigma2):
    """The estimate and both variances with sampling weights, person by person."""
    focal = sorted(set(pairs.focal.tolist()))
    n_f = sum(w[i] for i in focal)
    effects, load = {}, np.zeros(len(y))  # load: what one more unit of a person's outcome moves
    own = np.zeros(len(y))
    for i in focal:
        mates = pairs.comparison[pairs.focal == i]
        sign = 1 if treated[i] else -1
        effects[i] = sign * (y[i] - y[mates].mean())
        load[i] += w[i]
        load[mates] += w[i] / len(mates)
        own[mates] += (w[i] / len(mates)) ** 2
        own[i] += w[i] ** 2
    tau = sum(w[i] * effects[i] for i in focal) / n_f
    spread = sum(w[i] ** 2 * (effects[i] - tau) ** 2 for i in focal)
    # the squares above have each person's noise in them as often as `own` says
    return tau, (spread + sum((load**2 - own) * sigma2)) / n_f**2, sum(load**2 * sigma2) / n_f**2


def test_with_sampling_weights_the_formulas_are_those_of_each_person(world):
    y, treated, score, att, atc = world
    w, sigma2 = np.exp(score), 0.5 + score
    for pairs in (att, atc, both_ways(att, atc)):
        effect = matched_effect(y, treated, pairs, weight=w)
        v = matching_variance(effect, sigma2)
        np.testing.assert_allclose(
            (effect.estimate, v.population, v.sample), in_words(y, treated, pairs, w, sigma2)
        )
        psi = linear_form(y, treated, score, effect).psi
        np.testing.assert_allclose(psi.sum(), 0, atol=1e-12)


def test_one_weight_for_all_changes_nothing(world):
    y, treated, score, att, _ = world
    one = matched_effect(y, treated, att)
    other = matched_effect(y, treated, att, weight=np.full(len(y), 7.0))
    np.testing.assert_allclose(other.estimate, one.estimate)
    for sigma2 in (constant_sigma2(one), local_sigma2(y, treated, score)):
        np.testing.assert_allclose(
            matching_variance(other, sigma2).population, matching_variance(one, sigma2).population
        )
    np.testing.assert_allclose(constant_sigma2(other), constant_sigma2(one))


def test_sampling_weights_of_zero_leave_nobody(world):
    y, treated, _, att, _ = world
    with pytest.raises(NotEstimableError, match="weight of zero"):
        matched_effect(y, treated, att, weight=np.zeros(len(y)))


def test_local_variance_in_several_columns_is_that_of_the_nearest_written_out():
    rng = np.random.default_rng(8)
    n = 60
    treated, groups = np.arange(n) % 2 == 0, np.arange(n) % 3
    Z, y = rng.integers(0, 4, (n, 2)).astype(float), rng.normal(size=n)  # many ties
    for given in (None, groups):
        found = local_sigma2(y, treated, Z, 2, groups=given)
        for i in range(n):
            arm = treated == treated[i]
            near = arm if given is None else arm & (groups == groups[i])
            d = ((Z - Z[i]) ** 2).sum(axis=1)
            kth = np.sort(d[near])[2]  # itself and two others
            np.testing.assert_allclose(found[i], y[near & (d <= kth)].var(ddof=1))


def test_alone_in_its_group_a_unit_has_the_neighbours_of_its_arm():
    treated = np.array([True] * 3 + [False] * 3)
    y, Z = np.array([1.0, 2.0, 4.0, 0.0, 1.0, 3.0]), np.arange(12.0).reshape(6, 2)
    groups = np.array([0, 0, 1, 0, 0, 1])
    found = local_sigma2(y, treated, Z, 1, groups=groups)
    np.testing.assert_allclose(found, [0.5, 0.5, 2.0, 0.5, 0.5, 2.0])


def test_a_score_shared_by_all_gives_the_difference_in_means_at_scale():
    rng = np.random.default_rng(5)
    n = 200_000  # written out, 10 billion pairs
    treated = rng.uniform(size=n) < 0.5
    y = rng.normal(size=n) + treated
    t, c = np.flatnonzero(treated), np.flatnonzero(~treated)
    runs = nearest_runs(np.zeros(len(t)), np.zeros(len(c)))
    effect = matched_effect_of_runs(y, treated, [Direction(t, c, runs)])
    np.testing.assert_allclose(effect.estimate, y[treated].mean() - y[~treated].mean())


def test_runs_without_any_match_give_no_effect():
    runs = nearest_runs(np.array([0.0]), np.array([1.0]), caliper=0.5)
    way = Direction(np.array([0]), np.array([1]), runs)
    with pytest.raises(NotEstimableError, match="no focal unit"):
        matched_effect_of_runs(np.zeros(2), np.array([True, False]), [way])


def test_a_constant_effect_without_noise_has_no_variance():
    treated = np.array([True, True, False, False])
    pairs = Pairs(np.array([0, 1]), np.array([2, 2]), np.ones(2), np.zeros(2))
    effect = matched_effect(np.array([5.0, 5.0, 3.0, 9.0]), treated, pairs)
    v = matching_variance(effect, constant_sigma2(effect))
    assert (effect.estimate, v.population, v.sample) == (2.0, 0.0, 0.0)


def test_local_variance_of_two_equal_scores_is_half_their_squared_difference():
    y = np.array([1.0, 4.0, 10.0, 10.0])
    treated = np.array([True, True, False, False])
    np.testing.assert_allclose(local_sigma2(y, treated, np.zeros(4)), [4.5, 4.5, 0, 0])


def test_bias_adjustment_removes_a_linear_outcome_exactly():
    rng = np.random.default_rng(3)
    treated = np.arange(80) < 30
    X = rng.normal(size=(80, 2))
    y = X @ [2.0, -1.0] + 3 * treated
    t, c = np.flatnonzero(treated), np.flatnonzero(~treated)
    found = both_ways(
        in_sample(nearest_with_replacement(X[t, 0], X[c, 0]), t, c),
        in_sample(nearest_with_replacement(X[c, 0], X[t, 0]), c, t),
    )
    plain = matched_effect(y, treated, found)
    lines = outcome_lines(y, treated, X, plain.used)
    np.testing.assert_allclose(matched_effect(y, treated, found, lines).estimate, 3.0)
    assert abs(plain.estimate - 3) > 0.05


def test_linear_form_adds_up_to_zero_and_is_rescaled_to_the_variance_asked_for(world):
    y, treated, score, att, atc = world
    for pairs in (att, atc, both_ways(att, atc)):
        effect = matched_effect(y, treated, pairs)
        psi = linear_form(y, treated, score, effect).psi
        np.testing.assert_allclose(psi.sum(), 0, atol=1e-12)
        for variance in (0.25 * (psi @ psi), 4 * (psi @ psi)):
            scaled = rescale(psi, variance, effect.focal)
            np.testing.assert_allclose(scaled @ scaled, variance)


def test_rescaling_leaves_the_part_that_other_designs_share(world):
    y, treated, score, att, _ = world
    effect = matched_effect(y, treated, att)
    psi = linear_form(y, treated, score, effect).psi
    own = psi[effect.focal] @ psi[effect.focal]
    scaled = rescale(psi, 1.5 * own, effect.focal)
    np.testing.assert_array_equal(scaled[effect.focal], psi[effect.focal])


def test_linear_form_has_the_abadie_imbens_variance_on_average():
    # Over 25 draws of 2,400 the ratio has a Monte Carlo sd of about .02 (over 100 of 600 as well),
    # and the fit of mu takes .04 to .05 off at this size (.09 at 600, .005 at 9,600): a missing or
    # doubled term (the effect's heterogeneity, K for D + K) moves the ratio by more than a tenth.
    rng = np.random.default_rng(7)
    total = np.zeros((3, 2))
    for _ in range(25):
        y, treated, score, att, atc = draw(rng, 2_400)
        for k, pairs in enumerate((att, atc, both_ways(att, atc))):
            effect = matched_effect(y, treated, pairs)
            psi = linear_form(y, treated, score, effect).psi
            v = matching_variance(effect, local_sigma2(y, treated, score)).population
            total[k] += psi @ psi, v
    np.testing.assert_allclose(total[:, 0] / total[:, 1], 1, atol=0.1)


def test_units_without_part_in_the_estimate_contribute_nothing(world):
    y, treated, score, att, _ = world
    effect = matched_effect(y, treated, att)
    psi = linear_form(y, treated, score, effect).psi
    idle = ~effect.focal & (effect.used == 0)
    assert idle.any()
    assert np.all(psi[idle] == 0)


def test_linear_form_lowers_its_order_where_scores_are_few():
    y = np.array([1.0, 2.0, 3.0, 5.0])
    treated = np.array([True, True, False, False])
    pairs = Pairs(np.array([0, 1]), np.array([2, 3]), np.ones(2), np.zeros(2))
    psi = linear_form(y, treated, np.zeros(4), matched_effect(y, treated, pairs)).psi
    np.testing.assert_allclose(psi, [-0.25, 0.25, 0.5, -0.5])


def test_no_pairs_give_no_effect():
    nobody = np.array([], dtype=np.int64)
    pairs = Pairs(nobody, nobody, np.array([]), np.array([]))
    with pytest.raises(NotEstimableError, match="no focal unit"):
        matched_effect(np.zeros(2), np.array([True, False]), pairs)


def test_pairs_within_one_arm_are_refused():
    pairs = Pairs(np.array([0]), np.array([1]), np.ones(1), np.zeros(1))
    with pytest.raises(ValueError, match="same arm"):
        matched_effect(np.zeros(2), np.array([True, True]), pairs)


@pytest.mark.parametrize("neighbours", [0, 2])
def test_local_variance_refuses_what_an_arm_cannot_give(neighbours):
    with pytest.raises(ValueError, match="neighbours"):
        local_sigma2(np.zeros(4), np.array([True, True, False, False]), np.zeros(4), neighbours)


def test_rescaling_to_a_negative_variance_is_refused():
    with pytest.raises(ValueError, match="negative"):
        rescale(np.ones(3), -1.0, np.array([True, False, False]))


# through the public names -----------------------------------------------------------------------


def people(n=300):
    rng = np.random.default_rng(12)
    x, z = rng.normal(size=n), rng.normal(size=n)
    trained = (rng.random(n) < 1 / (1 + np.exp(1 - 0.6 * x))).astype(int)
    income = x + 0.5 * z + trained * (1 + x) + rng.normal(size=n)
    columns = {"id": range(n), "trained": trained, "untrained": 1 - trained, "x": x, "z": z}
    return pd.DataFrame(columns | {"income": income, "g": rng.integers(0, 2, n)})


def panel_of(frame, arm="trained", **roles):
    return pe.read_panel(frame, pe.Roles(unit="id", received=arm, **roles))


@pytest.fixture(scope="module")
def frame():
    return people()


def made(frame, arm="trained", weight=None, options=None, score=None, **design):
    panel = panel_of(frame, arm, weight=weight)
    model = pe.matching.propensity(panel, ["x", "z"], score)
    pairs = pe.matching.match(panel, Nearest(**design), score=model)
    return pe.matching.att(panel, pairs, "income", variance=options)


@pytest.mark.parametrize("score", [pe.matching.Logit(), pe.matching.Probit()])
def test_the_influence_of_an_atc_is_minus_that_of_the_att_of_not_being_treated(frame, score):
    here = made(frame, score=score, estimand="ATC")
    there = made(frame, "untrained", score=score, estimand="ATT")
    np.testing.assert_allclose(here.psi, -there.psi, atol=1e-10)
    assert here.findings().frame["inference"][0] == "Abadie-Imbens, estimated score"


def test_a_probit_of_the_same_people_corrects_about_as_a_logit_does(frame):
    """Scores by the two links hardly differ, so neither should what their estimation adds."""
    added = []
    for score in (pe.matching.Logit(), pe.matching.Probit()):
        found = made(frame, score=score, estimand="ATE")
        known, fitted = (
            pe.infer(found, pe.AbadieImbens(s)).frame["std_error"][0]
            for s in ("known", "estimated")
        )
        added.append(fitted / known)
    assert added[0] < 0.97
    assert abs(added[0] - added[1]) < 0.02


def test_both_variances_leave_the_part_of_those_whose_effect_it_is(frame):
    """On the score as known, and fitted: only those who serve are set to the variance."""
    found = made(frame)
    term = found.terms[0][0]
    treated = frame["trained"].to_numpy()[found.units.index.astype(int)] == 1
    known, fitted = pe.AbadieImbens("known"), pe.AbadieImbens("estimated")
    for spec, psi in ((known, term.known), (fitted, term.psi)):
        se = pe.infer(found, spec).frame["std_error"][0]
        np.testing.assert_allclose(se, np.sqrt(psi @ psi))
    assert abs(term.known[treated] - term.psi[treated]).max() > 0
    np.testing.assert_allclose(term.known[treated].sum(), 0, atol=1e-10)


REFUSED = {
    "exact columns": ({"exact": ("g",)}, None),
    "max_uses": ({"max_uses": 2}, None),
    "caliper": ({"caliper": 0.0005}, None),
    "without replacement": ({"replace": False}, None),
    "first of tied": ({"ties": "first"}, None),
    "target='sample'": ({}, Variance(target="sample")),
}


@pytest.mark.parametrize("why", REFUSED)
def test_where_the_estimated_score_is_not_derived_the_refusal_says_why(frame, why):
    design, options = REFUSED[why]
    found = made(frame, options=options, **design)
    assert found.findings().frame["inference"][0] == "Abadie-Imbens, score taken as known"
    with pytest.raises(NotEstimableError, match=why):
        pe.infer(found, pe.AbadieImbens("estimated"))


def test_sampling_weights_count_the_treated_and_are_no_longer_refused(frame):
    heavy = frame.assign(w=np.where(frame["x"] > 0, 3.0, 1.0))
    found = made(heavy, weight="w")
    assert found.findings().frame["inference"][0] == "Abadie-Imbens, score taken as known"
    with pytest.raises(NotEstimableError, match="sampling weights"):
        pe.infer(found, pe.AbadieImbens("estimated"))
    panel = panel_of(heavy, weight="w")
    pairs = pe.matching.match(panel, covariates=["x", "z"])
    one = pairs.frame.merge(heavy, left_on="unit", right_on=heavy["id"].astype(str))
    lent = heavy.set_index(heavy["id"].astype(str))["income"].loc[one["counterpart"]].to_numpy()
    by_hand = np.average(one["income"] - lent, weights=one["w"] * one["weight"])
    np.testing.assert_allclose(found.theta[0], by_hand)
    plain = made(frame).theta[0]
    assert found.theta[0] - plain > 0.2  # effects grow with x, and the heavy have a large one


def test_bias_adjustment_takes_the_columns_named(frame):
    panel = panel_of(frame)
    pairs = pe.matching.match(panel, covariates=["x"])
    plain, named, own = (
        pe.matching.att(panel, pairs, "income", bias_adjust=a).theta[0]
        for a in (False, ["z"], True)
    )
    # by hand: the line of income on z among those who serve, each as often as they do
    one = pairs.frame.astype({"unit": int, "counterpart": int})
    f, c = one["unit"], one["counterpart"]
    slope = np.polyfit(frame["z"][c], frame["income"][c], 1, w=np.sqrt(one["weight"]))[0]
    gap = frame["z"][f].to_numpy() - frame["z"][c].to_numpy()
    by_hand = plain - slope * np.average(gap, weights=one["weight"])
    np.testing.assert_allclose(named, by_hand)
    assert named != own != plain


@pytest.mark.parametrize("weights", ["mammen", "rademacher", "multinomial"])
def test_the_weighted_bootstrap_has_the_spread_of_the_linear_form(frame, weights):
    """The form of a known score (no term for its estimation) is checked against its squares."""
    panel = panel_of(frame)
    pairs = pe.matching.match(panel, Nearest(exact=("g",)), covariates=["x", "z"])
    found = pe.matching.otsu_rai(panel, pairs, "income", OtsuRai(4_000, 3, weights)).frame.iloc[0]
    near = pe.matching.att(panel, pairs, "income", bias_adjust=True).findings().frame.iloc[0]
    # 4,000 draws: the sd of the spread is 1.1 %; the form is some percent below Abadie-Imbens
    assert 0.75 < found["std_error"] / near["std_error"] < 1.1
    assert abs(found["estimate"] - near["estimate"]) < 0.3 * near["std_error"]
    half = (found["conf_high"] - found["conf_low"]) / 2
    assert 1.8 < half / found["std_error"] < 2.1
    assert found["inference"] == f"Otsu-Rai bootstrap ({weights}, 4000 draws)"


def test_what_the_weighted_bootstrap_cannot_do_is_refused():
    for options in ({"reps": 10}, {"seed": -1}, {"weights": "webb"}):
        with pytest.raises(UsageError, match="OtsuRai"):
            OtsuRai(**options)
