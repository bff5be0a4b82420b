"""Effects, variances and linear form of matching: definitions and refusals."""

from dataclasses import fields, replace

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


@pytest.mark.parametrize("adjusted", [False, True])
@pytest.mark.parametrize(("ratio", "caliper"), [(1, np.inf), (3, np.inf), (3, 0.004)])
def test_runs_give_what_their_pairs_written_out_give(world, ratio, caliper, adjusted):
    """With lines of a bias adjustment too."""
    y, treated, score, _, _ = world
    X = np.column_stack([score, score**2])
    lines = outcome_lines(y, treated, X, np.ones(len(y))) if adjusted else None
    t, c = np.flatnonzero(treated), np.flatnonzero(~treated)
    pairs, ways = [], []
    for f, o in ((t, c), (c, t)):
        found = nearest_with_replacement(score[f], score[o], ratio, caliper)
        pairs.append(in_sample(found, f, o))
        ways.append(Direction(f, o, nearest_runs(score[f], score[o], ratio, caliper)))
    for written, runs in ((pairs[0], ways[:1]), (both_ways(*pairs), ways)):
        one = matched_effect(y, treated, written, lines)
        other = matched_effect_of_runs(y, treated, runs, lines)
        for field in fields(one):
            np.testing.assert_allclose(
                getattr(other, field.name), getattr(one, field.name), rtol=1e-9, atol=1e-9
            )


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


@pytest.mark.parametrize("design", [{}, {"ratio": 3}, {"replace": False}, {"ties": "first"}])
@pytest.mark.parametrize("estimand", ["ATT", "ATC"])
def test_with_sampling_weights_everybody_keeps_their_own(frame, design, estimand):
    """Both means by hand from the list of pairs; variance, of the weighted distances from them."""
    heavy = frame.assign(w=1 + frame["x"].rank(pct=True))
    found = made(heavy, weight="w", estimand=estimand, **design)
    assert found.findings().frame["inference"][0] == "Abadie-Imbens, score taken as known"
    with pytest.raises(NotEstimableError, match=r"sampling weights|without replacement|first of"):
        pe.infer(found, pe.AbadieImbens("estimated"))
    panel = panel_of(heavy, weight="w")
    score = pe.matching.propensity(panel, ["x", "z"])
    pairs = pe.matching.match(panel, Nearest(estimand=estimand, **design), score=score)
    rows = pairs.frame.astype({"unit": int, "counterpart": int})
    y, w = heavy["income"].to_numpy(), heavy["w"].to_numpy()
    f, c, share = rows["unit"], rows["counterpart"], rows["weight"].to_numpy()
    mean = np.average(y[f], weights=share * w[f]), np.average(y[c], weights=share * w[c])
    sign = 1 if estimand == "ATT" else -1
    np.testing.assert_allclose(found.theta[0], sign * (mean[0] - mean[1]))
    np.testing.assert_allclose(
        found.counts["comparison_mean"][0], mean[1] if estimand == "ATT" else mean[0]
    )
    own = np.average(w[f], weights=share), np.average(w[c], weights=share)
    focal = (score.treated == (estimand == "ATT"))[heavy["id"].to_numpy()]
    z = np.where(focal, w * (y - mean[0]) / own[0], w * (y - mean[1]) / own[1])
    again = heavy.assign(income=z)
    bare = pe.matching.att(panel_of(again), replace(pairs, propensity=equal(score)), "income")
    np.testing.assert_allclose(bare.theta[0], 0, atol=1e-12)
    known = pe.AbadieImbens("known")
    se = [pe.infer(e, known).frame["std_error"][0] for e in (found, bare)]
    np.testing.assert_allclose(se[0], se[1])


def equal(score):
    """Return the score as of people of one weight."""
    return replace(score, weight=np.ones_like(score.weight))


@pytest.mark.parametrize("estimand", ["ATT", "ATC", "ATE"])
def test_weights_that_are_one_number_an_arm_change_nothing(frame, estimand):
    score = pe.matching.propensity(panel_of(frame), ["x", "z"])
    pairs = pe.matching.match(panel_of(frame), Nearest(estimand=estimand), score=score)
    arms = replace(score, weight=np.where(score.treated, 4.0, 0.5))
    plain, heavy = (
        pe.matching.att(panel_of(frame), replace(pairs, propensity=s), "income")
        for s in (score, arms)
    )
    np.testing.assert_allclose(heavy.theta, plain.theta)
    known = pe.AbadieImbens("known")
    se = [pe.infer(e, known).frame["std_error"][0] for e in (heavy, plain)]
    np.testing.assert_allclose(se[0], se[1], rtol=1e-12)
    np.testing.assert_allclose(pairs.weights.sum(), replace(pairs, propensity=score).weights.sum())


def test_the_same_effect_from_runs_and_from_pairs_with_sampling_weights(frame):
    heavy = frame.assign(w=1 + frame["x"].rank(pct=True), x=frame["x"].round(0))
    panel = panel_of(heavy, weight="w")
    pairs = pe.matching.match(panel, Nearest(ratio=2), covariates=["x"])
    written = replace(pairs, found=pairs.pairs)
    for adjust in (False, True):
        one, two = (
            pe.matching.att(panel, p, "income", bias_adjust=adjust) for p in (pairs, written)
        )
        np.testing.assert_allclose(one.theta, two.theta)
        np.testing.assert_allclose(one.psi, two.psi, atol=1e-12)
    np.testing.assert_allclose(pairs.weights, written.weights)


def test_people_of_weight_zero_take_no_part(frame):
    some = np.arange(len(frame)) % 5 == 0
    with_zero = frame.assign(w=np.where(some, 0.0, 1.0))
    found = made(with_zero, weight="w")
    without = made(frame[~some], weight=None)
    np.testing.assert_allclose(found.theta, without.theta)
    assert found.index["estimand"][0] == "ATT"


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
