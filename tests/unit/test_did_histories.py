"""Is a comparison across application histories told, and treatment that ends refused?"""

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import DataError, UsageError

WAVES = [1, 2, 3, 4]
NOT_YET = pe.did.Design(comparison="not_yet_treated")


def panel_of(applications, **roles):
    """Forty people: cohorts 2, 3 and never; `applications(cohort, k)` gives the number by wave."""
    rng = np.random.default_rng(3)
    rows = []
    for k in range(40):
        cohort = [2, 3, 0, 0][k % 4]
        for wave, made in zip(WAVES, applications(cohort, k), strict=True):
            rows.append((f"SYN-{k:06d}", wave, cohort, made, rng.normal()))
    frame = pd.DataFrame(rows, columns=["id", "t", "g", "made", "y"])
    roles = {"unit": "id", "wave": "t", "cohort": "g", "application": "made"} | roles
    return pe.read_panel(frame, pe.Roles(**roles))


def again(cohort, k):
    """Winners of 3 lost in 2 and applied again; everybody else applied once."""
    return [1, 1, 2, 2] if cohort == 3 else [1] * 4


def status(cells, cohort, wave):
    row = (cells.index["cohort"] == cohort) & (cells.index["wave"] == wave)
    return cells.counts["status"][row].item()


def test_not_yet_treated_who_applied_again_are_told():
    cells = pe.did.group_time(panel_of(again), "y", NOT_YET)
    said = status(cells, 2, 2)
    assert said.startswith("re-applicants: 100% of the not yet treated")
    assert "0% of the treated" in said
    assert np.isfinite(pe.infer(cells).frame["std_error"]).all()
    # from wave 3 on nobody is treated later: the never treated are the comparison
    assert status(cells, 2, 3) == "ok"
    overall = pe.did.overall(cells)
    assert overall.counts["status"][0].startswith("cohort 2, wave 2: re-applicants")


def test_the_never_treated_alone_and_equal_histories_raise_no_alarm():
    never = pe.did.group_time(panel_of(again), "y")
    assert set(never.counts["status"]) == {"ok"}
    same = pe.did.group_time(panel_of(lambda cohort, k: [1] * 4), "y", NOT_YET)
    assert set(same.counts["status"]) == {"ok"}


@pytest.mark.parametrize(("share", "told"), [(1, False), (2, True)])
def test_the_alarm_rings_above_ten_points(share, told):
    def some(cohort, k):
        return [1, 1, 2, 2] if cohort == 3 and (k // 4) < share else [1] * 4

    cells = pe.did.group_time(panel_of(some), "y", NOT_YET)
    assert (status(cells, 2, 2) != "ok") is told  # 1 or 2 of ten people


def test_a_number_of_applications_that_is_one_for_each_person_will_do():
    fixed = pe.did.group_time(
        panel_of(lambda cohort, k: [2 if cohort == 3 else 1] * 4), "y", NOT_YET
    )
    assert status(fixed, 2, 2).startswith("re-applicants: 100%")


def test_applications_are_carried_forward_and_unknown_before_the_first():
    panel = panel_of(lambda cohort, k: [np.nan, 1, np.nan, 2])
    made = panel.arrays(pe.panel.ArrayRequest()).applications
    np.testing.assert_array_equal(made[0], [np.nan, 1, 1, 2])


def test_several_applications_stop_the_lottery_and_not_difference_in_differences():
    frame = panel_of(again).frame.assign(won=lambda f: (f["g"] > 0).astype(int))
    roles = pe.Roles(unit="id", wave="t", cohort="g", application="made", offer="won")
    panel = pe.read_panel(frame, roles)
    pe.did.group_time(panel, "y")
    with pytest.raises(DataError, match="more than one application"):
        pe.lottery.itt(panel, "y")


def test_receipt_that_ends_is_refused_unless_a_cohort_is_named():
    frame = panel_of(again).frame
    frame["got"] = ((frame["g"] > 0) & (frame["t"] == frame["g"])).astype(int)
    by_receipt = pe.read_panel(frame, pe.Roles(unit="id", wave="t", received="got"))
    for verb in (pe.did.group_time, pe.did.imputation, pe.did.sun_abraham, pe.did.twfe):
        with pytest.raises(UsageError, match="switches off for 20 unit"):
            verb(by_receipt, "y")
    named = pe.read_panel(frame, pe.Roles(unit="id", wave="t", received="got", cohort="g"))
    assert len(pe.did.group_time(named, "y")) > 0
