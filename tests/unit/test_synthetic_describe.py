"""Does a world's description count what its tables hold?"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from prakerja_eval.synthetic import Scenario, simulate


@pytest.fixture(scope="module")
def world():
    # large households, so that the cap of two winners binds
    scenario = Scenario.named("phone_sample").but(people={"same_household": 0.6})
    return simulate(scenario, n_applicants=3_000, seed=5)


@pytest.fixture(scope="module")
def told(world):
    return world.describe()


@pytest.fixture(scope="module")
def recorded(world):
    return world.records


def test_applicants_and_winners_are_those_of_the_applications(world, told):
    listed = world.applications.groupby("batch")["won"].agg(["size", "sum", "mean"])
    shown = told.batches.set_index("batch")
    np.testing.assert_array_equal(shown["applicants"], listed["size"])
    np.testing.assert_array_equal(shown["winners"], listed["sum"])
    np.testing.assert_allclose(shown["odds"], listed["mean"], rtol=1e-12)  # the same division


def test_those_who_apply_again_have_applied_before(world, told):
    rows = world.applications
    before = rows.duplicated("person_id")  # rows stand by batch
    by_batch = before.groupby(rows["batch"]).sum()
    np.testing.assert_array_equal(told.batches["again"], by_batch)
    first, again = (rows[kept].groupby("batch")["won"].mean() for kept in (~before, before))
    shown = told.batches.set_index("batch")
    assert shown["odds_first"].dropna().to_dict() == pytest.approx(first.to_dict())
    assert shown["odds_again"].dropna().to_dict() == pytest.approx(again.to_dict())


def test_a_recovery_batch_gives_out_what_was_revoked_before(told, recorded):
    revoked = recorded.groupby("batch")["revoked"].sum()
    quota = told.batches.set_index("batch")["quota"]
    assert quota[11] == revoked[[5, 6, 7, 8, 9]].sum()
    assert (told.batches["winners"] == told.batches["quota"]).all()


def test_people_passed_over_have_a_number_that_would_have_won(world, told):
    total = 0
    for _, stratum in world.applications.groupby("stratum"):
        ordered = stratum.sort_values("number")["won"].to_numpy()
        last = np.flatnonzero(ordered).max()
        total += int((ordered[:last] == 0).sum())
    assert total > 0
    assert told.batches["passed_over"].sum() == total
    text = repr(told)
    assert f"its winners: {total:,}" in text


def test_people_kept_out_are_those_who_are_in_no_panel(world, told):
    assert told.kept_out == 3_000 - len(world.panel.units) > 0


def test_places_are_those_on_record(told, recorded):
    people = told.places.set_index("what")["people"]
    assert people["won a place"] == len(recorded)
    assert people["place revoked"] == recorded["revoked"].sum()
    assert people["place used, on record"] == recorded["bought_in"].notna().sum()
    assert (
        people["received themselves"] + people["used by somebody else"]
        == people["place used, on record"]
    )


def test_receipt_is_that_of_the_panel(world, told):
    people = told.places.set_index("what")["people"]
    last = world.panel.frame.query("wave == '2021-09'")
    in_panel = last["received"].sum()  # every batch opened before the last wave
    assert people["received themselves"] == in_panel


def test_people_can_receive_without_a_place():
    told = simulate("noncompliance", n_applicants=1_000, seed=2).describe()
    assert told.places.set_index("what").loc["received without a place", "people"] > 0


def test_response_is_counted_among_those_in_the_panel(world, told):
    rows = world.panel.frame.query("wave == '2021-09' and offer == 1")
    shown = told.response.query("wave == '2021-09' and arm == 'offered'").iloc[0]
    assert shown["people"] == len(rows)
    assert shown["answered"] == rows["employed"].notna().mean()
    answers = rows.query("responded == 1 and on_record == 1")["reported_receipt"]
    assert shown["says_so"] == (answers == 1).sum() / len(answers)


def test_effects_are_the_truth_of_the_last_wave(world, told):
    last = world.panel.frame.query("wave == '2021-09' and received == 1")["person_id"]
    shown = told.effects.query("estimand == 'ATT' and outcome == 'employed'")["truth"]
    assert shown.item() == pytest.approx(world.truth.att(list(last), "employed", "2021-09"))
    assert "points" in repr(told)


def test_the_funnel_narrows_to_the_applicants(told):
    stages = told.funnel.set_index("stage")
    assert stages.loc["eligible", "people"] == 3_000
    ratio = stages["people"] / stages["people"].shift()
    pd.testing.assert_series_equal(stages["passed"], ratio, check_names=False)


@pytest.mark.parametrize("name", ["selection_on_observables", "few_clusters"])
def test_worlds_without_a_lottery_of_people_have_no_quota(name):
    told = simulate(name, n_applicants=500, seed=1).describe()
    assert told.batches["quota"].isna().all()
    assert told.batches["winners"].sum() > 0


def test_the_text_says_synthetic_and_fits_a_screen(told):
    lines = repr(told).splitlines()
    assert lines[0] == "Phone sample (synthetic)"
    assert "Nobody in it is real." in repr(told)
    assert max(map(len, lines)) <= 100


def test_a_scenario_cannot_write_html(world):
    scenario = replace(world.scenario, title="<b>bold</b>", about="a <script> & more")
    page = replace(world, scenario=scenario).describe()._repr_html_()
    assert "&lt;b&gt;bold&lt;/b&gt; (synthetic)" in page
    assert "<script>" not in page


def test_the_true_effects_say_how_people_weigh(told):
    said = " ".join(repr(told).split())
    assert "ITT and LATE: each lottery block weighs by its people." in said
