"""Is the committed calibration table that of this code, and is every assumption named as one?"""

from dataclasses import fields

import numpy as np
import pytest

from prakerja_eval.programme import Programme
from prakerja_eval.synthetic import Scenario

from .accounts import ACCOUNTS
from .assumptions import ASSUMPTIONS, FORM, SOURCED, TABLES, value_of
from .calibration import MOMENTS, page, published, read, table

LISTED = [moment for moments in MOMENTS.values() for moment in moments]
ACROSS_MACHINES = 1e-6


@pytest.fixture(scope="module")
def committed(project_root):
    return read(project_root / "reports" / "validation" / "calibration.csv")


def test_the_committed_rows_are_the_moments_of_the_code_with_their_published_values(committed):
    assert committed["key"].tolist() == [moment.key for moment in LISTED]
    for row in committed.to_dict("records"):
        low, high, unit, date, mark, _ = published(row["key"])
        np.testing.assert_allclose([row["low"], row["high"]], [low, high], rtol=1e-9)
        assert (row["unit"], row["date"], row["mark"]) == (unit, date, mark)


def test_at_least_forty_published_moments_are_met_under_both_accounts(committed):
    met = [
        row["low"] - row["tolerance"] - 1e-9
        <= row[account]
        <= row["high"] + row["tolerance"] + 1e-9
        for row in committed.to_dict("records")
        for account in ACCOUNTS
    ]
    both = np.array(met).reshape(-1, len(ACCOUNTS)).all(axis=1)
    assert both.sum() >= 40
    assert (committed["verdict"] == np.where(both, "kept", "missed")).all()


def test_every_miss_says_why(committed):
    assert (committed["why"][committed["verdict"] == "missed"].str.len() > 0).all()


def test_nothing_that_was_not_found_is_in_the_table(committed):
    absent = Programme.named("prakerja").not_found
    used = {part for key in committed["key"] for part in key.split(" / ")}
    assert not used & set(absent)
    assert set(committed["mark"]) <= {"F", "D", "M-hi", "M-med", "M-lo"}


def test_every_option_of_the_simulator_is_sourced_or_assumed_or_no_number_of_the_world():
    scenario = Scenario.named("phone_sample")
    options = {f"{t}.{f.name}" for t in TABLES for f in fields(getattr(scenario, t))}
    assumed = {assumption.key for assumption in ASSUMPTIONS}
    assert options == assumed | set(SOURCED) | set(FORM)
    assert not set(FORM) & (assumed | set(SOURCED))
    assert set(SOURCED.values()) <= set(Programme.named("prakerja").figures)


def test_every_assumption_of_an_account_is_listed():
    """Accounts differ in nothing that the table does not show."""
    apart = [Scenario.named("matched_national", account=account) for account in ACCOUNTS]
    differing = {
        f"{t}.{f.name}"
        for t in TABLES
        for f in fields(getattr(apart[0], t))
        if getattr(getattr(apart[0], t), f.name) != getattr(getattr(apart[1], t), f.name)
    }
    assert differing <= {assumption.key for assumption in ASSUMPTIONS}


def test_the_committed_page_is_that_of_the_committed_table(committed, project_root):
    text = (project_root / "reports" / "validation" / "calibration.md").read_text(encoding="utf-8")
    assert text == page(committed)


def test_the_page_prints_the_value_that_a_scenario_has():
    chosen = next(a for a in ASSUMPTIONS if a.key == "survey.denied_in_person")
    account = Scenario.named("matched_national", account="selective_response")
    assert value_of(chosen).startswith(f"{account.survey.denied_in_person:g} ")


@pytest.mark.witness
def test_the_simulated_moments_made_again_are_the_committed_ones(committed):
    again = table()
    for account in ACCOUNTS:
        np.testing.assert_allclose(committed[account], again[account], rtol=ACROSS_MACHINES)
