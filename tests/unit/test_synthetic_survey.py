"""Does the survey answer, forget, round and misreport as its options say?

Shares of n people are within 4 standard errors of binomial sampling, sqrt(p (1 - p) / n).
"""

from dataclasses import replace

import numpy as np
import pytest
from scenario_worlds import people, world

import prakerja_eval as pe
from prakerja_eval.errors import UsageError
from prakerja_eval.synthetic.draws import Draws
from prakerja_eval.synthetic.outcomes import never
from prakerja_eval.synthetic.process import state_at
from prakerja_eval.synthetic.survey import Survey, call, told_income, told_receipt

N = 3_000
DRAWS = Draws(1, 0, N)
WAVES = ("2020-02", "2020-05", "2020-07", "2021-02", "2021-08")
PLAIN = Survey(waves=WAVES, response=0.6, education=0.0, urban=0.0, smartphone=0.0)
LOST, WON = np.zeros(N, bool), np.ones(N, bool)


def near(share, wanted, n=N):
    """Say whether a share of n people is what is wanted, up to sampling."""
    return abs(share - wanted) < 4 * np.sqrt(max(wanted * (1 - wanted), 1e-9) / n)


@pytest.fixture(scope="module")
def state():
    return state_at(world("null").process, people("null"), 4, never(N))


def calls(options, won, state, wave="2021-08"):
    return call(options, people("null").persons, wave, won, state, DRAWS)


def test_the_chance_of_an_answer_within_the_calls_is_the_response(state):
    for most in (1, 6, 30):
        found = calls(replace(PLAIN, calls=most), LOST, state)
        assert near(found.responded.mean(), 0.6)
        assert found.attempts.min() == 1
        assert found.attempts.max() == most
        assert (found.attempts[~found.responded] == most).all()
    # each call finds a person with chance 1 - (1 - .6)^(1/6), whatever happened before
    six = calls(replace(PLAIN, calls=6), LOST, state)
    each = 1 - 0.4 ** (1 / 6)
    assert near((six.responded & (six.attempts == 1)).mean(), each)
    assert near((six.responded & (six.attempts == 3)).mean(), each * (1 - each) ** 2)


def test_where_nobody_refuses_everybody_answers_the_first_call(state):
    options = replace(PLAIN, response=1.0, winners_employed=2.0)
    found = calls(options, WON, state)
    assert found.responded.all()
    assert (found.attempts == 1).all()
    whole = pe.Scenario.named("unbalanced").without("non_response", "item_non_response")
    frame = pe.simulate(whole, n_applicants=300, seed=1).panel.frame
    assert len(frame) == 300 * 8
    assert (frame["responded"] == 1).all()
    assert (frame.loc[frame["wave"] > "2020-07", "attempts"] == 1).all()
    assert frame["income"].notna().all()


def test_who_answers_by_phone_depends_on_arm_and_outcome_and_in_person_on_neither(state):
    tilted = replace(PLAIN, winners=-0.3, winners_employed=0.8, employed=0.5)
    work = state.employed
    for won, working, wanted in (
        (LOST, False, 0.0),
        (LOST, True, 0.5),
        (WON, False, -0.3),
        (WON, True, 1.0),
    ):
        mine = work == working
        odds = 0.6 / 0.4 * np.exp(wanted)
        answered = calls(tilted, won, state).responded[mine]
        assert near(answered.mean(), odds / (1 + odds), mine.sum())
    visited = replace(tilted, visits=("2021-08",))
    for options in (visited, replace(tilted, mode="in_person")):
        won, lost = (calls(options, w, state).responded for w in (WON, LOST))
        np.testing.assert_array_equal(won, lost)
        assert near(won.mean(), 0.6)
    assert [visited.how(w) for w in WAVES] == ["registration"] * 3 + ["phone", "in_person"]


def test_schooling_and_device_move_the_answer_as_their_log_odds_say(state):
    options = replace(PLAIN, smartphone=1.0)
    has = people("null").persons.smartphone
    answered = calls(options, LOST, state).responded
    for who, centred in ((has, 0.15), (~has, -0.85)):  # smartphone less its mean of .85
        odds = 0.6 / 0.4 * np.exp(centred)
        assert near(answered[who].mean(), odds / (1 + odds), who.sum())


def test_people_lost_stay_lost(state):
    options = replace(PLAIN, response=1.0, lost=0.2)
    first, second = (calls(options, LOST, state, w).responded for w in WAVES[3:])
    assert near(first.mean(), 0.8)
    assert near(second.mean(), 0.64)
    assert not (second & ~first).any()
    assert (calls(options, LOST, state).attempts[~second] == options.calls).all()
    assert calls(options, LOST, state, WAVES[2]).responded.all()


def test_a_row_that_is_missing_is_missing_also_at_registration(state):
    for wave in WAVES:
        found = calls(replace(PLAIN, missed=0.2), LOST, state, wave)
        assert near(found.present.mean(), 0.8)
        assert not (found.responded & ~found.present).any()


def test_incomes_are_kept_rounded_or_not_told_in_the_shares_asked_for():
    income = np.arange(3_000_017, 3_000_017 + 7_001 * N, 7_001)  # none is a round number
    options = replace(PLAIN, heaping=0.5, item=0.1)
    told = told_income(options, income, "2021-08", DRAWS)
    silent = np.isnan(told)
    assert near(silent.mean(), 0.1)
    kept = told == income
    assert near(kept[~silent].mean(), 0.5, (~silent).sum())
    heaped = ~silent & ~kept
    low = income <= 5_000_000
    assert (told[heaped & low] % 50_000 == 0).all()
    assert (abs(told - income)[heaped & low] <= 25_000).all()
    assert (told[heaped & ~low] % 500_000 == 0).all()
    assert (abs(told - income)[heaped & ~low] <= 250_000).all()
    nothing = told_income(options, np.zeros(N, np.int64), "2021-08", DRAWS)
    assert set(nothing[~np.isnan(nothing)]) == {0.0}


def test_receipt_is_denied_and_claimed_in_the_shares_asked_for():
    options = replace(PLAIN, denied=0.1, denied_in_person=0.6, claimed=0.2, visits=("2021-08",))
    by_phone, visited = (told_receipt(options, w, WON, WON, DRAWS) for w in WAVES[3:])
    assert near(by_phone.mean(), 0.9)
    assert near(visited.mean(), 0.4)
    assert near(told_receipt(options, "2021-02", LOST, WON, DRAWS).mean(), 0.2)
    assert not told_receipt(options, "2021-02", LOST, LOST, DRAWS).any()


def test_the_panel_says_how_a_wave_was_held_and_keeps_the_calls():
    mixed = pe.Scenario.named("unbalanced").but(survey={"visits": ("2021-10",), "calls": 4})
    frame = pe.simulate(mixed, n_applicants=300, seed=1).panel.frame
    how = frame.groupby("wave")["mode"].agg(["nunique", "first"])
    assert (how["nunique"] == 1).all()
    assert how["first"].tolist() == ["registration"] * 3 + ["phone"] * 4 + ["in_person"]
    asked = frame[frame["mode"] != "registration"]
    assert set(asked["attempts"]) == {1, 2, 3, 4}
    assert asked.loc[asked["responded"] == 0, "employed"].isna().all()


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"waves": ("2020-07", "2020-02")}, "survey.waves"),
        ({"baseline": "2021-09"}, "survey.baseline"),
        ({"visits": ("2020-07",)}, "survey.visits"),
        ({"response": 0.0}, "survey.response"),
        ({"response": 1.2}, "survey.response"),
        ({"lost": -0.1}, "survey.lost"),
        ({"calls": 0}, "survey.calls"),
        ({"mode": "letter"}, "survey.mode"),
    ],
)
def test_a_survey_that_cannot_be_is_refused_by_its_key(options, key):
    with pytest.raises(UsageError, match=key):
        Survey(**options)
