"""Whether a row about some waves, cohorts or people gets their truth or none, never another's."""

import numpy as np
import pytest

import prakerja_eval as pe
from prakerja_eval import did, lottery, matching
from prakerja_eval.compare.estimators import _ByLastWave

HIDDEN = ("non_response", "item_non_response", "heaping")
FIRST, LAST = "2020-10", "2021-07"


@pytest.fixture(scope="module")
def world():
    """Return a lottery whose effects differ by batch, sex and time, with nothing hidden."""
    one = pe.Scenario.named("unbalanced").without(*HIDDEN)
    one = one.but(
        survey={"waves": ("2020-02", "2020-07", FIRST, "2021-01", LAST)},
        effects={"work": 0.6, "by_batch": 0.3, "by_month": 0.05, "women": 1.5},
    )
    return pe.simulate(one, n_applicants=1_500, seed=7)


@pytest.fixture(scope="module")
def cells(world):
    return did.group_time(world.panel, "employed")


@pytest.mark.parametrize("verb", [lottery.itt, lottery.late])
def test_an_effect_pooled_over_some_waves_is_not_that_over_all(world, verb):
    every = verb(world.panel, "employed", pooled=True)
    named = verb(world.panel, "employed", pooled=True, waves=[LAST, "2021-01", FIRST])
    some = verb(world.panel, "employed", pooled=True, waves=[LAST, FIRST])
    assert f"pooled over waves {FIRST}, {LAST}" in some.index["specification"][0]
    assert list(every.index["specification"]) == list(named.index["specification"])
    assert np.isfinite(world.truth.of(every)).all()
    assert world.truth.of(named) == world.truth.of(every)
    assert np.isnan(world.truth.of(some)).all()


def true_cells(world, cells):
    """Return the true cells from the start on, with the number of people of their cohort."""
    start = world.panel.wide("received").eq(1).idxmax(axis=1)
    size = start[world.panel.wide("received").eq(1).any(axis=1)].value_counts()
    of = cells.index.assign(truth=world.truth.of(cells))
    of = of[of["event_time"].astype(float) >= 0]
    return of.assign(size=of["cohort"].map(size).astype(float))


def mean_by(of, column):
    return of.groupby(column).apply(
        lambda some: np.average(some["truth"].astype(float), weights=some["size"]),
        include_groups=False,
    )


def test_each_overall_average_says_which_it_is_and_finds_its_own_truth(world, cells):
    of = true_cells(world, cells)
    sizes = of.groupby("cohort")["size"].first()
    expected = {
        "cells": np.average(of["truth"].astype(float), weights=of["size"]),
        "event_times": mean_by(of, "event_time").mean(),
        "waves": mean_by(of, "wave").mean(),
        "cohorts": np.average(mean_by(of, "cohort"), weights=sizes),
    }
    assert len({round(v, 4) for v in expected.values()}) == 4
    labels = set()
    for average, value in expected.items():
        for made in (cells, did.imputation(world.panel, "employed")):
            estimate = did.overall(made, average=average)
            assert world.truth.of(estimate)[0] == pytest.approx(value, rel=1e-9)
        labels.add(estimate.index["weighting"][0])
    assert len(labels) == 4
    assert "treated people" in labels


def test_cohorts_averaged_from_anticipation_on_have_no_truth_from_the_start_on(world):
    ahead = did.group_time(world.panel, "employed", did.Design(anticipation=1))
    assert np.isnan(world.truth.of(did.by_cohort(ahead, since="anticipation"))).all()
    assert np.isfinite(world.truth.of(did.by_cohort(ahead))).all()


def test_a_balanced_event_study_has_no_truth_of_all_cohorts(world, cells):
    balanced = did.event_study(cells, balance=1)
    mean = did.overall(cells, average="event_times", balance=1)
    for estimate in (balanced, mean):
        assert estimate.index["specification"].str.contains("balanced to event time 1").all()
        assert np.isnan(world.truth.of(estimate)).all()
    assert np.isfinite(world.truth.of(did.event_study(cells))).all()


def test_without_a_cohort_the_average_has_no_truth_and_the_cells_keep_theirs(world):
    truths = world.truth.of(did.leave_one_cohort_out(world.panel, "employed"))
    assert np.isfinite(truths[0])
    assert np.isnan(truths[1:]).all()
    assert len(truths) > 2
    some = did.group_time(world.panel, "employed", without=[LAST])
    assert np.isfinite(world.truth.of(some)).all()
    assert np.isnan(world.truth.of(did.overall(some))).all()


@pytest.mark.parametrize(
    "keep", [{"female": 1}, {"batch": 4}, {"province": ["Jawa Barat", "Jawa Timur"]}]
)
def test_people_of_one_kind_are_not_everybody(world, keep):
    some = world.panel.where(**keep)
    design = lottery.Design(empty_arms="drop")
    estimates = [lottery.itt(some, "employed", design, waves=[LAST])]
    estimates.append(did.group_time(some, "employed"))
    for estimate in estimates:
        assert np.isnan(world.truth.of(estimate)).all()
        assert np.isnan(world.truth.of(estimate, kind="limit")).all()
    both = pe.join(lottery.itt(world.panel, "employed", design, waves=[LAST]), estimates[0])
    assert list(np.isnan(world.truth.of(both))) == [False, True]


def test_people_who_do_not_answer_are_no_other_people():
    world = pe.simulate("phone_sample", n_applicants=3_000, seed=2)
    estimate = lottery.itt(world.panel, "employed")
    assert (estimate.counts["n"] < 0.8 * len(world.panel.wide("employed"))).all()
    assert np.isfinite(world.truth.of(estimate)).all()


@pytest.mark.parametrize("wave", [FIRST, "2021-01", LAST])
def test_matched_people_of_several_cohorts_have_their_own_truth_in_every_wave(world, wave):
    static = _ByLastWave(world.panel)
    pairs = matching.match(static, covariates=["age", "female", "schooling"])
    estimate = matching.att(static, pairs, "employed", waves=[wave])
    received = world.panel.wide("received")[LAST]
    ids = [i for i in estimate.units.index if received[i] == 1]
    assert estimate.counts["n_treated"][0] == len(ids)
    theirs = world.truth.att(ids, "employed", wave)
    assert theirs > 0.01
    assert world.truth.of(estimate)[0] == theirs
