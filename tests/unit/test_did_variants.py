"""Do subgroups, placebos, leaving out cohorts, and the tables of adoption say what they should?"""

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import UsageError

WAVES = [1, 2, 3, 4, 5]


def long(people):
    """Return a long panel of (id, cohort, female, outcomes by wave)."""
    rows = [
        (unit, wave, cohort, female, y)
        for unit, cohort, female, path in people
        for wave, y in zip(WAVES, path, strict=True)
    ]
    return pd.DataFrame(rows, columns=["id", "t", "g", "female", "y"])


@pytest.fixture(scope="module")
def frame():
    """Sixty people: effects of 2 for men and 5 for women, trends alike, a little noise."""
    rng = np.random.default_rng(1)
    people = []
    for k in range(60):
        cohort, female = [0, 3, 4][k % 3], (k // 3) % 2
        treated = np.array([cohort != 0 and w >= cohort for w in WAVES])
        path = rng.normal() + 0.5 * np.array(WAVES) + treated * (5 if female else 2)
        people.append((f"SYN-{k:06d}", cohort, female, path + 0.01 * rng.normal(size=5)))
    return long(people)


@pytest.fixture(scope="module")
def panel(frame):
    return pe.read_panel(frame, pe.Roles(unit="id", wave="t", cohort="g"))


def test_subgroups_are_estimated_apart_and_their_difference_tested(panel):
    cells = pe.did.subgroups(panel, "y", "female")
    total = pe.did.overall(cells)
    assert list(total.index["subgroup"]) == ["female = 0", "female = 1"]
    np.testing.assert_allclose(total.theta, [2, 5], atol=0.02)
    test = pe.test_equal(total, by="subgroup")
    assert test.p_value < 1e-6
    # people of one group have no influence on the other's effect
    women = panel.wide("female").iloc[:, 0].reindex(total.units.index).to_numpy() == 1
    assert (total.psi[women, 0] == 0).all()
    assert (total.psi[~women, 1] == 0).all()


def test_a_subgroups_effect_is_that_of_its_own_panel(panel):
    both = pe.did.overall(pe.did.subgroups(panel, "y", "female"))
    alone = pe.did.overall(pe.did.group_time(panel.where(female=1), "y"))
    np.testing.assert_allclose(both.theta[1], alone.theta[0], rtol=1e-12)
    joint, single = pe.infer(both).frame, pe.infer(alone).frame
    np.testing.assert_allclose(joint["std_error"].iloc[1], single["std_error"].iloc[0], rtol=1e-12)


def test_subgroups_refuse_what_makes_no_groups(frame):
    roles = pe.Roles(unit="id", wave="t", cohort="g")
    for column, words in (
        (frame["t"] % 2, "varies over waves"),
        (1, "one value"),
        (frame["female"].where(frame["id"] != "SYN-000000"), "1 unit"),
    ):
        panel = pe.read_panel(frame.assign(part=column), roles)
        with pytest.raises(UsageError, match=words):
            pe.did.subgroups(panel, "y", "part")


def test_leaving_out_a_cohort_is_estimating_without_its_people(panel, frame):
    rows = pe.did.leave_one_cohort_out(panel, "y", pe.did.Design(comparison="not_yet_treated"))
    assert list(rows.index["specification"]) == [
        "all cohorts",
        "without cohort 3",
        "without cohort 4",
    ]
    roles = pe.Roles(unit="id", wave="t", cohort="g")
    without = pe.read_panel(frame[frame["g"] != 3], roles)
    alone = pe.did.overall(
        pe.did.group_time(without, "y", pe.did.Design(comparison="not_yet_treated"))
    )
    np.testing.assert_allclose(rows.theta[1], alone.theta[0], rtol=1e-12)
    one_cohort = pe.read_panel(frame[frame["g"] != 3], roles)
    with pytest.raises(UsageError, match="two cohorts"):
        pe.did.leave_one_cohort_out(one_cohort, "y")


def test_a_placebo_compares_the_waves_before_treatment_with_an_earlier_base(panel, frame):
    cells = pe.did.placebo(panel, "y", lead=1)
    assert set(cells.index["estimand"]) == {"placebo"}
    row = cells.index.index[cells.index["cohort"] == 4][0]
    assert cells.index["wave"][row] == 3
    means = frame.groupby(["g", "t"])["y"].mean()
    by_hand = (means[4, 3] - means[4, 2]) - (means[0, 3] - means[0, 2])
    np.testing.assert_allclose(cells.theta[row], by_hand, rtol=1e-10)
    with pytest.raises(UsageError, match="no cohort has both a wave before"):
        pe.did.placebo(panel, "y", lead=3)
    with pytest.raises(UsageError, match="anticipation"):
        pe.did.placebo(panel, "y", pe.did.Design(anticipation=1))


def test_the_status_map_counts_people_and_says_when_each_cohort_is_treated(panel):
    table = pe.did.status_map(panel)
    assert len(table) == 3 * 5
    assert set(table["n"]) == {20}
    three = table[table["cohort"] == 3]["status"].tolist()
    assert three == ["not yet treated"] * 2 + ["treated"] * 3
    never = table[table["cohort"].isna()]
    assert set(never["status"]) == {"never treated"}


def test_cohort_paths_are_means_by_cohort_and_wave(panel, frame):
    table = pe.did.cohort_paths(panel, "y")
    for row in table.itertuples():
        mine = (frame["g"] == (0 if pd.isna(row.cohort) else row.cohort)) & (frame["t"] == row.wave)
        np.testing.assert_allclose(row.mean, frame["y"][mine].mean(), rtol=1e-12)
        assert row.n == 20
