"""Do places, layers and batches nest as a survey statistician expects?"""

import numpy as np

import prakerja_eval as pe
from prakerja_eval.panel.guess import guess_roles
from prakerja_eval.panel.table import Table
from prakerja_eval.synthetic.batches import Batches, Entry


def test_a_psu_lies_in_one_stratum_and_a_household_in_one_psu():
    frame = pe.simulate("matched_national", n_applicants=6_000, seed=3).panel.frame
    assert frame.groupby("psu")["survey_stratum"].nunique().max() == 1
    assert frame.groupby("household")["psu"].nunique().max() == 1
    assert frame.groupby("psu").size().max() > frame.groupby("person_id").size().max()


def test_without_reachability_nobody_differs_for_being_reached():
    options = pe.Scenario.named("matched_national").without("reachability").people
    given = pe.Scenario.named("matched_national").people
    shifts = ("reach_urban", "reach_education", "reach_smartphone")
    assert [getattr(options, name) for name in shifts] == [0.0, 0.0, 0.0]
    assert all(getattr(given, name) > 0 for name in shifts)


def test_batches_of_losers_alone_do_not_count_in_the_growth_of_effects():
    entries = (
        Entry(5, first=0.5, odds=0.4),
        Entry(6, odds=0.4),
        Entry(7, first=0.5, odds=0.4),
    )
    np.testing.assert_array_equal(Batches.of(entries).order[[0, 2]], [0, 1])
    fresh = tuple(e for e in entries if e.first)  # what is left without re-application
    np.testing.assert_array_equal(Batches.of(fresh).order, [0, 1])


def test_a_simulated_panel_without_roles_is_read_with_its_cohorts_of_named_months():
    frame = pe.simulate("staggered_heterogeneous", n_applicants=600, seed=1).panel.frame
    roles = guess_roles(Table(frame)).roles
    assert (roles.unit, roles.wave, roles.cohort) == ("person_id", "wave", "cohort")
    assert (roles.offer, roles.received, roles.household) == ("offer", "received", "household")
