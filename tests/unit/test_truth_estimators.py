"""Whether estimators find the truth that their labels name, and the limits that are theirs."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval import did, lottery, matching
from prakerja_eval.compare.estimators import standard
from prakerja_eval.estimate import subset
from prakerja_eval.synthetic.draws import Draws
from prakerja_eval.synthetic.process import observe, state_at
from prakerja_eval.synthetic.survey import response_chance, told_income
from prakerja_eval.synthetic.truth_outcomes import TOLD, Source, as_told, in_wave
from prakerja_eval.synthetic.truth_seen import patterns, seen_sums

HIDDEN = ("non_response", "item_non_response", "heaping")
OUTCOMES = ["employed", "income"]
FOUR = 4.0  # standard errors: a true null fails once in 16,000


@pytest.fixture(scope="module")
def lots():
    """Return a lottery with several cohorts and nothing hidden."""
    one = pe.Scenario.named("unbalanced").without(*HIDDEN)
    one = one.but(survey={"waves": ("2020-02", "2020-07", "2020-10", "2021-01", "2021-07")})
    return pe.simulate(one, n_applicants=1_500, seed=7)


def assert_near(truth, estimate, size=FOUR):
    """Claim that every row has a truth, and lies near it."""
    found = truth.findings(estimate).frame
    assert found["truth"].notna().all(), found[found["truth"].isna()]
    error = found["std_error"].where(found["status"] != "reference", 0.0).astype(float)
    gap = (found["estimate"] - found["truth"]).abs().astype(float)
    assert (gap <= size * error).all(), found[gap > size * error]


LOTTERY = {
    "itt": lambda p: lottery.itt(p, OUTCOMES),
    "of winners": lambda p: lottery.itt(p, "income", lottery.Design(block_weights="treated")),
    "fixed effects": lambda p: lottery.itt(p, "income", lottery.Design(block_weights="strata_fe")),
    "pooled": lambda p: lottery.itt(p, "income", pooled=True),
    "receipt": lottery.first_stage,
    "receipt among those with an income": lambda p: lottery.first_stage(p, outcome="income"),
    "late": lambda p: lottery.late(p, OUTCOMES),
    "late, pooled": lambda p: lottery.late(p, "income", pooled=True),
    "late, winners": lambda p: lottery.late(
        p, "income", lottery.Design(block_weights="treated"), waves=["2021-07"]
    ),
    "percent": lambda p: lottery.zeros(p, "income", parts=("levels", "percent")),
    "women and men": lambda p: lottery.subgroups(
        p, "employed", "female", lottery.Design(empty_arms="drop")
    ),
}


@pytest.mark.parametrize("name", LOTTERY)
def test_the_lottery_finds_its_truth(lots, name):
    estimate = LOTTERY[name](lots.panel)
    if name == "percent":  # the levels are named as an ITT by another estimator
        assert set(estimate.index["estimator"]) == {"lottery.zeros"}
    assert_near(lots.truth, estimate)


OVER_TIME = {
    "cells": lambda cells: cells,
    "overall": did.overall,
    "event study": did.event_study,
    "by cohort": did.by_cohort,
    "by calendar": did.by_calendar,
}


@pytest.fixture(scope="module")
def cells(lots):
    return {
        "group-time": did.group_time(lots.panel, "income"),
        "imputation": did.imputation(lots.panel, "income"),
    }


@pytest.mark.parametrize(
    ("estimator", "verb"),
    [*(("group-time", verb) for verb in OVER_TIME), ("imputation", "cells")],
)
def test_effects_by_cohort_and_wave_and_their_averages_find_their_truth(
    lots, cells, estimator, verb
):
    assert_near(lots.truth, OVER_TIME[verb](cells[estimator]))


def test_averages_of_one_cohort_are_labelled_by_it_and_find_their_truth(lots, cells):
    of = cells["group-time"].index
    rows = np.flatnonzero(of["cohort"] == "2021-01")
    one = subset(cells["group-time"], rows=list(rows))
    for verb in OVER_TIME.values():
        estimate = verb(one)
        assert (estimate.index["cohort"] == "2021-01").all()
        assert_near(lots.truth, estimate)


def test_subgroups_over_time_find_their_truth(lots):
    by_sex = did.subgroups(lots.panel, "employed", "female")
    assert_near(lots.truth, did.overall(by_sex))


def test_binned_event_times_have_no_truth(lots, cells):
    study = did.event_study(cells["group-time"], window=(-1, 1), ends="binned")
    ends = study.index["event_time"].isin([-1.0, 1.0]).to_numpy()
    assert ends.any()
    assert (np.isnan(lots.truth.of(study)) == ends).all()


def test_a_two_period_placebo_is_zero(lots):
    one = pe.simulate(
        pe.Scenario.named("parallel_trends_violated").but(
            outcomes={"motivation": 0.0, "trend_motivation": 0.0}
        ),
        n_applicants=800,
        seed=1,
    )
    estimate = did.two_by_two(one.panel, "income", base="2019-07")
    assert_near(one.truth, estimate)
    placebos = estimate.index["event_time"].notna().to_numpy()
    assert placebos.any()
    assert (one.truth.of(estimate)[placebos] == 0).all()


def test_where_people_act_on_receipt_to_come_that_is_an_effect_and_no_pre_trend():
    ahead = pe.Scenario.named("selection_on_observables").but(
        effects={"anticipation": 0.5, "anticipated": 6}, lottery={"selection_education": 0.0}
    )
    world = pe.simulate(ahead, n_applicants=1_000, seed=1)
    design = did.Design(anticipation=1)
    cells = did.group_time(world.panel, "employed", design)
    early = ((cells.index["event_time"] == -1) & (cells.index["estimand"] == "ATT")).to_numpy()
    truth = world.truth.of(cells)
    assert (truth[early] > 0.02).all()
    pre_trends = (cells.index["estimand"] == "pre-trend").to_numpy()
    assert np.isnan(truth[pre_trends]).all()
    assert pre_trends.any()


@pytest.fixture(scope="module")
def observables():
    return pe.simulate("selection_on_observables", n_applicants=1_000, seed=3)


def test_matching_finds_the_effect_on_the_treated(observables):
    score = ["age", "female", "schooling"]
    pairs = matching.match(observables.panel, matching.Nearest(), covariates=score)
    estimate = matching.att(observables.panel, pairs, "income")
    assert set(estimate.index["population"]) == {"treated people"}
    assert_near(observables.truth, estimate)


def test_after_a_caliper_the_truth_is_that_of_the_people_who_are_left(observables):
    panel, truth = observables.panel, observables.truth
    few = matching.Nearest(caliper=0.0005, replace=False)
    pairs = matching.match(panel, few, covariates=["age", "female", "schooling"])
    estimate = matching.att(panel, pairs, "income", waves=["2021-08"])
    assert set(estimate.index["population"]) == {"treated people with a counterpart"}
    wide = panel.wide("received")["2021-08"]
    ids = [i for i in estimate.units.index if wide[i] == 1]
    assert 0 < len(ids) < (wide == 1).sum()
    assert truth.of(estimate)[0] == truth.att(ids, "income", "2021-08")


# --- limits ---------------------------------------------------------------------------------------


def test_where_nothing_is_hidden_limits_are_what_the_panel_gives(lots):
    panel, truth = lots.panel, lots.truth
    names = ["naive.winners", "naive.difference", "naive.before_after"]
    estimates = [one.estimate(panel) for one in standard(names, OUTCOMES).values()]
    cells = did.group_time(panel, OUTCOMES)
    estimates += [did.twfe(panel, OUTCOMES), cells, did.overall(cells), did.event_study(cells)]
    for estimate in estimates:
        limit = truth.of(estimate, kind="limit")
        np.testing.assert_allclose(limit, estimate.theta, rtol=1e-7, atol=1e-9)


def test_where_people_weigh_differently_the_naive_comparisons_and_their_limits_do_too():
    one = pe.Scenario.named("matched_national").without(*HIDDEN)
    world = pe.simulate(one.but(people={"oversampling": 0.5}), n_applicants=800, seed=5)
    assert world.panel.frame["weight"].nunique() > 1
    for judged in standard(["naive.winners", "naive.difference", "naive.before_after"]).values():
        estimate = judged.estimate(world.panel)
        limit = world.truth.of(estimate, kind="limit")
        np.testing.assert_allclose(limit, estimate.theta, rtol=1e-7, atol=1e-9)


def test_two_periods_converge_to_the_effect_plus_the_gap_in_trends():
    world = pe.simulate("parallel_trends_violated", n_applicants=800, seed=2)
    estimate = did.two_by_two(world.panel, OUTCOMES[:1])
    limit = world.truth.of(estimate, kind="limit")
    np.testing.assert_allclose(limit, estimate.theta, atol=1e-12)
    assert (limit > world.truth.of(estimate) + 0.02).all()


def test_two_way_effects_have_the_wrong_sign_where_effects_grow():
    world = pe.simulate("staggered_heterogeneous", n_applicants=1_500, seed=2)
    twfe = did.twfe(world.panel, "employed")
    treated = did.overall(did.group_time(world.panel, "employed"))
    assert world.truth.of(twfe, kind="limit")[0] < 0 < world.truth.of(treated)[0]


@pytest.fixture(scope="module")
def selective():
    """Return a survey that winners with work answer more, with gaps, losses and hidden incomes."""
    one = pe.Scenario.named("differential_attrition").but(
        survey={"missed": 0.1, "lost": 0.1, "item": 0.1, "heaping": 0.0}
    )
    return pe.simulate(one, n_applicants=2_500, seed=3)


@pytest.fixture(scope="module")
def source(selective):
    draws = Draws(selective.seed, 0, selective.n_applicants)
    return Source(selective.process, selective.assignment, draws)


def test_the_chances_of_all_patterns_of_answers_add_up_to_everybody(selective, source):
    _, found = next(source.parts())
    waves = [in_wave(source.process, found, t) for t in range(3)]
    sums = seen_sums(source, found, waves)
    everybody = sums.people.sum()
    np.testing.assert_allclose(sums.seen.sum(axis=(0, 1, 2)), everybody, rtol=1e-12)


def test_patterns_of_answers_are_as_frequent_as_their_chances_say(selective, source):
    part, found = next(source.parts())
    waves = [in_wave(source.process, found, t) for t in range(3)]
    expected = seen_sums(source, found, waves).seen[..., 0].sum(axis=(0, 1))
    calls = observe(selective.process, selective.assignment, part).calls
    inside = selective.assignment.block >= 0
    answered = np.stack([c.responded for c in calls], axis=1)[inside]
    counted = [(answered == held).all(axis=1).sum() for held in patterns(source.survey)]
    # a binomial count has a variance below its mean
    assert (np.abs(counted - expected) < FOUR * np.sqrt(expected)).all()


class Same(NamedTuple):
    """Draws in which everybody has the same uniform number."""

    number: float
    n: int

    def uniform(self, _name):
        return np.full(self.n, self.number)


def test_incomes_count_as_they_are_told_on_average_some_in_round_numbers(source):
    survey, wave = replace(source.survey, heaping=0.3, item=0.0), source.survey.waves[2]
    _, found = next(source.parts())
    y = in_wave(source.process, found, 2).happened
    income = y[:, TOLD.index("income")].astype(np.int64)
    never, always = (told_income(survey, income, wave, Same(u, len(y))) for u in (0.5, 0.0))
    assert (never != always).mean() > 0.3
    expected = 0.7 * never + 0.3 * always
    told = as_told(survey, 2, y)
    np.testing.assert_allclose(told[:, TOLD.index("income")], expected, rtol=1e-12)
    cash = y[:, TOLD.index("income_gross")] - income
    np.testing.assert_allclose(told[:, TOLD.index("income_gross")], expected + cash, rtol=1e-12)


def test_the_limit_of_the_offer_among_those_who_answer_counts_people_by_their_chances(
    selective, source
):
    _, found = next(source.parts())
    given, survey, t = found.assignment, source.survey, 2
    month = survey.months[t]
    opened = np.array(source.process.batches.months)
    sums = {}
    for arm, receipt, batch in (
        (1, found.receipt.if_offered, given.first),
        (0, found.receipt.if_not, given.later),
    ):
        state = state_at(source.process, found, t, receipt)
        won = (batch >= 0) & (opened[batch] <= month)
        chance = response_chance(survey, found.persons, survey.waves[t], won, state)
        for i in np.flatnonzero(given.block >= 0):
            odds = given.propensity[i] if arm else 1 - given.propensity[i]
            cell = sums.setdefault(given.block[i], np.zeros((2, 3)))
            cell[arm] += [chance[i], chance[i] * state.employed[i], odds * chance[i]]
    size = {b: s[:, 2].sum() for b, s in sums.items()}
    gap = {b: s[1, 1] / s[1, 0] - s[0, 1] / s[0, 0] for b, s in sums.items()}
    by_hand = sum(size[b] * gap[b] for b in sums) / sum(size.values())
    estimate = lottery.itt(selective.panel, "employed", waves=[survey.waves[t]])
    limit = selective.truth.of(estimate, kind="limit")[0]
    assert limit == pytest.approx(by_hand, rel=1e-6)  # propensities are single precision
    assert limit > selective.truth.of(estimate)[0] + 0.03


def test_under_selective_response_estimators_are_near_their_limits_and_far_from_the_truth(
    selective,
):
    panel, truth = selective.panel, selective.truth
    names = ["naive.winners", "naive.difference", "naive.before_after", "did.twfe"]
    estimates = [one.estimate(panel) for one in standard(names, OUTCOMES).values()]
    estimates += [lottery.itt(panel, OUTCOMES), lottery.late(panel, OUTCOMES)]
    estimates.append(did.overall(did.group_time(panel, OUTCOMES)))
    for estimate in estimates:
        found = estimate.findings().frame
        gap = found["estimate"] - truth.of(estimate, kind="limit")
        assert (gap.abs() < FOUR * found["std_error"]).all()


def test_the_two_way_limit_is_the_regression_on_every_person_and_pattern_by_its_chance(selective):
    """Least squares with a dummy a person and pattern, weighted, written out for 50 people."""
    few = pe.simulate(selective.scenario, n_applicants=50, seed=1)
    draws = Draws(1, 0, 50)
    source = Source(few.process, few.assignment, draws)
    _, found = next(source.parts())
    survey = source.survey
    waves = [in_wave(source.process, found, t) for t in range(3)]
    rows = []
    for i in np.flatnonzero(few.assignment.block >= 0):
        chances = [
            w.answers_won[i] if few.assignment.offer[i] else w.answers_lost[i] for w in waves
        ]
        for held in patterns(survey):
            share = _chance_by_hand(survey, held, chances)
            for t in np.flatnonzero(held):
                treated = float(found.receipt.month[i] <= survey.months[t])
                y = waves[t].happened[i, TOLD.index("employed")]
                rows.append((f"{i} {held}", t, treated, y, share))
    data = pd.DataFrame(rows, columns=["unit", "t", "d", "y", "share"])
    dummies = pd.get_dummies(data["t"])[[1, 2]], pd.get_dummies(data["unit"])
    X = np.column_stack([data["d"], *dummies]).astype(float)
    weighted = X.T * data["share"].to_numpy()
    by_hand = np.linalg.solve(weighted @ X, weighted @ data["y"].to_numpy())[0]
    frame = few.truth.frame
    on = (frame["estimator"] == "did.twfe") & (frame["outcome"] == "employed")
    assert frame.loc[on, "truth"].iloc[0] == pytest.approx(by_hand, rel=1e-9)


def _chance_by_hand(survey, held, chances):
    """Return the chance of a pattern: over the wave from which on somebody is lost."""
    total = 0.0
    for lost_from in (1, 2, 3):
        share = survey.lost * (1 - survey.lost) ** (lost_from - 1)
        if lost_from == 3:
            share = (1 - survey.lost) ** 2
        for t in range(3):
            seen = chances[t] * (1 - survey.missed) * (t < lost_from)
            share *= seen if held[t] else 1 - seen
        total += share
    return total
