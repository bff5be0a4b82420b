"""Are potential outcomes what the options say they are?"""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scenario_worlds import people, world

import prakerja_eval as pe
from prakerja_eval.errors import UsageError
from prakerja_eval.synthetic.draws import Draws
from prakerja_eval.synthetic.effects import Effects
from prakerja_eval.synthetic.outcomes import Outcomes, at_month, never, realise
from prakerja_eval.synthetic.process import begin, crowds, lives, state_at

N = 3_000


@pytest.fixture(scope="module")
def found():
    return people("null")


def at(found, effects, receipt, t=-1, options=None, saturated=0.0):
    """Return the state in a wave, of people who all receive in one month."""
    months = np.full(N, receipt)
    options = options or world("null").scenario.outcomes
    return realise(options, effects, found.latents[t], months, found.before, saturated)


def test_without_work_there_is_no_pay_no_hours_and_no_kind_of_job(found):
    for t in range(len(found.latents)):
        state = at(found, Effects(work=0.5), 8, t)
        out = ~state.employed
        for name in ("income", "hours", "self_employed", "formal", "owns_business", "new_job"):
            assert not getattr(state, name)[out].any(), name
        assert (state.income[state.employed] > 0).all()
        assert (state.hours[state.employed] >= 1).all()
        assert state.income.dtype == np.int64
        assert not (state.formal & state.self_employed).any()
        assert not (state.owns_business & ~state.self_employed).any()


def test_a_job_is_new_against_the_baseline_and_none_is_before(found):
    states = [state_at(world("null").process, found, t, never(N)) for t in range(5)]
    assert not any(state.new_job.any() for state in states[:3])
    entered = states[4].employed & ~states[2].employed
    assert states[4].new_job[entered].all()
    stayed = states[4].employed & states[2].employed
    changers = world("null").scenario.outcomes.changers
    share = states[4].new_job[stayed].mean()
    assert abs(share - changers) < 4 * np.sqrt(changers * (1 - changers) / stayed.sum())  # sampling


def test_an_effect_above_zero_takes_nobodys_work_away_and_a_larger_one_gives_more(found):
    helped = np.arange(N) % 4 > 0  # the effect's spread over people may reach below zero
    mixed = replace(found.latents[-1], strength=np.where(helped, 1.0, -1.0))
    options, receipt = world("null").scenario.outcomes, np.full(N, 8)
    kept = [
        realise(options, Effects(work=w), mixed, receipt, found.before).employed
        for w in (0.0, 0.2, 0.6)
    ]
    for less, more in pairwise(kept):
        assert not (less & ~more)[helped].any()
        assert not (more & ~less)[~helped].any()
        assert (more & ~less).any()
        assert (less & ~more).any()


def test_without_options_receiving_does_nothing(found):
    nothing = Effects()
    for left, right in zip(at(found, nothing, 8), at(found, nothing, 10_000), strict=True):
        np.testing.assert_array_equal(left, right)


def test_pay_rises_by_the_effect_for_those_with_work_anyway_and_not_for_entrants(found):
    effects = Effects(pay=0.5, work=0.4, training=0, ramp=1)
    same = replace(found.latents[-1], strength=np.ones(N))
    options = world("null").scenario.outcomes
    given, without = (
        realise(options, effects, same, np.full(N, month), found.before) for month in (8, 10_000)
    )
    entrant = given.employed & ~without.employed
    stay = without.employed
    assert entrant.sum() > 100
    # pay is in whole rupiah, and the lowest some thousands: half of one is within .0001 of it
    np.testing.assert_allclose(given.income[stay] / without.income[stay], np.exp(0.5), rtol=1e-4)
    np.testing.assert_array_equal(given.income[entrant], np.rint(np.exp(same.log_pay))[entrant])


def test_the_effect_is_nothing_in_training_then_ramps_up_then_grows():
    effects = Effects(training=2, ramp=4, by_month=0.1)
    months = np.arange(-1, 9)
    by_hand = [0, 0, 0, 0.25, 0.5, 0.75, 1.0, 1.1, 1.2, 1.3]
    np.testing.assert_allclose(effects.profile(months), by_hand, atol=1e-12)
    falling = Effects(training=0, ramp=1, by_month=-0.5).profile(np.array([0, 1, 2, 3]))
    np.testing.assert_allclose(falling, [1.0, 0.5, 0.0, 0.0])


def test_lock_in_holds_while_in_training_alone(found):
    effects, month = Effects(lock_in=-0.5, training=2), found.latents[-1].month
    alone = at(found, effects, 10_000).employed
    for ago, fewer in ((0, True), (1, True), (2, False), (9, False)):
        now = at(found, effects, month - ago).employed
        assert not (now & ~alone).any()
        assert ((alone & ~now).any()) == fewer


def test_anticipation_is_off_and_where_on_holds_in_the_months_before_receipt(found):
    month = found.latents[-1].month
    plain, early = Effects(work=0.3), Effects(work=0.3, anticipation=-0.4, anticipated=2)
    for ahead, fewer in ((1, True), (2, True), (3, False)):
        without = at(found, plain, 10_000).employed
        assert (at(found, plain, month + ahead).employed == without).all()
        assert (at(found, early, month + ahead).employed != without).any() == fewer
    assert (at(found, early, 10_000).employed == at(found, plain, 10_000).employed).all()


def test_displacement_is_off_and_where_on_takes_work_from_everybody_in_the_district(found):
    without = at(found, Effects(), 10_000).employed
    index = found.latents[-1].index
    crowded = at(found, Effects(displacement=0.4), 10_000, saturated=0.5).employed
    np.testing.assert_array_equal(crowded, index > 0.2)  # 0.4 for a share of 1, so 0.2 for a half
    assert (without & ~crowded).any()
    assert found.saturation is None


def test_displacement_counts_the_others_of_the_district_who_have_received():
    scenario = pe.Scenario.named("few_clusters").but(effects={"displacement": 0.5})
    made = pe.simulate(scenario, n_applicants=600, seed=2)
    draws = Draws(2, 0, 600)
    near = lives(
        made.process, made.assignment, draws, crowds(made.process, made.assignment, draws)
    ).saturation
    assert near.shape == (4, 600)
    seen = made.panel.frame
    last = seen[seen["wave"] == "2021-08"].reset_index(drop=True)
    for i, person in last.iterrows():
        others = last[(last["district"] == person["district"]) & (last.index != i)]
        assert near[-1][i] == pytest.approx(others["received"].mean(), abs=1e-12)


def test_the_dip_comes_with_the_application_and_halves():
    sunk = pe.Scenario.named("null").but(outcomes={"dip": 0.8, "dip_months": 3.0})
    process = begin(sunk)
    made = world("null")
    deep = lives(process, made.assignment, Draws(1, 0, N)).latents
    applied = np.array(process.batches.months)[made.assignment.first]
    for low, high in zip(deep, people("null").latents, strict=True):
        gap, since = high.index - low.index, low.month - applied
        wanted = np.where(since < 0, 0.0, 0.8 * 0.5 ** (since / 3.0))
        np.testing.assert_allclose(gap, wanted, atol=1e-12)
    assert (deep[-1].month - applied).min() > 9  # so that the halving is seen


def test_a_path_is_straight_between_its_months_and_constant_outside():
    path = (("2020-02", 0.4), ("2020-06", 0.0))
    assert [at_month(path, m) for m in (0, 1, 3, 5, 9)] == pytest.approx([0.4, 0.4, 0.2, 0.0, 0.0])
    for bad in ((("2020-06", 0.0), ("2020-02", 0.4)), ()):
        with pytest.raises(UsageError, match=r"outcomes\.path"):
            Outcomes(path=bad)


def test_persistence_is_the_correlation_of_the_index_over_time(found):
    flat = {"education": 0.0, "female": 0.0, "age": 0.0, "persistence": 0.7}
    process = begin(pe.Scenario.named("null").but(outcomes=flat))
    latents = lives(process, world("null").assignment, Draws(1, 0, N)).latents
    r = np.corrcoef(latents[0].index, latents[-1].index)[0, 1]
    assert abs(r - 0.7) < 4 * (1 - 0.7**2) / np.sqrt(N)  # the standard error of a correlation
    assert never(3).tolist() == [10_000] * 3


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"work": 4.0}, "effects.work"),
        ({"ramp": 0}, "effects.ramp"),
        ({"anticipated": 13}, "effects.anticipated"),
        ({"account": 1.5}, "effects.account"),
        ({"spread": -1.0}, "effects.spread"),
    ],
)
def test_an_effect_out_of_range_is_refused_by_its_key(options, key):
    with pytest.raises(UsageError, match=key):
        Effects(**options)
