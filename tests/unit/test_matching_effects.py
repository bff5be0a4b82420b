"""Effects, variances and linear form of matching: definitions and refusals."""

from dataclasses import fields

import numpy as np
import pytest

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.matching.abadie_imbens import constant_sigma2, local_sigma2, matching_variance
from prakerja_eval.matching.effects import (
    Direction,
    matched_effect,
    matched_effect_of_runs,
    outcome_lines,
)
from prakerja_eval.matching.linear_form import linear_form, rescale
from prakerja_eval.matching.neighbours import nearest_runs, nearest_with_replacement
from prakerja_eval.matching.pairs import Pairs, both_ways, in_sample


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


@pytest.mark.parametrize("caliper", [np.inf, 0.004])
@pytest.mark.parametrize("ratio", [1, 3])
def test_runs_give_what_their_pairs_written_out_give(world, ratio, caliper):
    y, treated, score, _, _ = world
    t, c = np.flatnonzero(treated), np.flatnonzero(~treated)
    pairs, ways = [], []
    for f, o in ((t, c), (c, t)):
        found = nearest_with_replacement(score[f], score[o], ratio, caliper)
        pairs.append(in_sample(found, f, o))
        ways.append(Direction(f, o, nearest_runs(score[f], score[o], ratio, caliper)))
    for written, runs in ((pairs[0], ways[:1]), (both_ways(*pairs), ways)):
        one = matched_effect(y, treated, written)
        other = matched_effect_of_runs(y, treated, runs)
        for field in fields(one):
            np.testing.assert_allclose(
                getattr(other, field.name), getattr(one, field.name), rtol=1e-9, atol=1e-9
            )


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
