"""Does the wing refuse, or say, what would be a plausible number and is none?"""

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import UsageError

ROLES = {"unit": "id", "wave": "t", "cohort": "g"}


def people(n=120, waves=5, cohorts=(0, 3, 4), seed=0, effect=1.0):
    """Return a long panel: random levels, a common trend, effects that grow by one a wave."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(n):
        g, level = cohorts[k % len(cohorts)], rng.normal()
        for t in range(1, waves + 1):
            gain = effect * (t - g + 1) if g and t >= g else 0.0
            rows.append((f"SYN-{k:06d}", t, g, level + 0.3 * t + gain + rng.normal(), f"V{k % 12}"))
    return pd.DataFrame(rows, columns=["id", "t", "g", "y", "village"])


def panel_of(frame, **roles):
    return pe.read_panel(frame, pe.Roles(**(ROLES | roles)))


def test_losing_untreated_people_late_does_not_move_the_effect_read_from_receipt():
    gaps = []
    for seed in range(8):
        frame = people(300, cohorts=(0, 3), seed=seed, effect=0.0)
        frame["got"] = ((frame["g"] > 0) & (frame["t"] >= 3)).astype(int)
        wide = frame.set_index(["id", "t"])["y"].unstack()  # noqa: PD010
        lost = wide.index[(wide[4] - wide[2]) < -0.3]  # gone in the last wave alone
        frame = frame[~((frame["t"] == 5) & frame["id"].isin(lost))]
        cells = pe.did.group_time(panel_of(frame, cohort=None, received="got"), "y")
        gaps.append(pe.subset(cells, wave=4).theta[0])
    # the sd of one gap is .16: the mean of eight is within .2 of zero by more than three of its own
    assert abs(np.mean(gaps)) < 0.2


@pytest.mark.parametrize("verb", ["group_time", "imputation", "sun_abraham"])
@pytest.mark.parametrize("inference", [pe.Clustered, pe.MultiplierBootstrap])
def test_an_arm_of_one_cluster_has_no_variance(verb, inference):
    frame = people(cohorts=(0, 3))
    frame["arm"] = frame["g"].map({0: "a", 3: "b"})
    treated = frame["village"].where(frame["g"] == 0, "all treated")
    panel = panel_of(frame.assign(one=treated), clusters=("arm", "one"))
    overall = pe.did.overall(getattr(pe.did, verb)(panel, "y"))
    for by in ("arm", "one"):
        row = pe.infer(overall, inference(by=by)).frame.iloc[0]
        assert np.isnan(row["std_error"])
        assert "one cluster alone" in row["status"]
    fine = panel_of(frame, clusters="village")
    spread = pe.did.overall(getattr(pe.did, verb)(fine, "y"))
    assert pe.infer(spread, inference(by="village")).frame["std_error"].iloc[0] > 0.05


def test_a_cohort_without_a_usable_person_makes_its_averages_nan_also_after_a_join():
    frame = people().assign(z=lambda f: f["y"])
    frame.loc[(frame["g"] == 4) & (frame["t"] < 4), "z"] = np.nan
    panel = panel_of(frame)
    for outcome, rows in (("z", [0]), (["y", "z"], [1])):
        overall = pe.did.overall(pe.did.group_time(panel, outcome))
        assert np.isnan(overall.theta[rows]).all()
        assert np.isnan(overall.psi[:, rows]).all()
        assert overall.counts["status"][rows[0]].startswith("cohort 4, wave 4: no treated unit")


def test_a_cohort_of_weight_zero_is_a_cohort_left_out():
    frame = people()
    frame["w"] = np.where(frame["g"] == 4, 0.0, 1.0)
    rest = pe.did.overall(pe.did.group_time(panel_of(frame[frame["g"] != 4]), "y"))
    weighed = pe.did.overall(pe.did.group_time(panel_of(frame, weight="w"), "y"))
    np.testing.assert_allclose(weighed.theta, rest.theta, rtol=1e-12)


@pytest.mark.parametrize(("method", "comparison", "told"), [("reg", 2, True), ("reg", 4, False)])
def test_a_regression_without_error_left_has_no_standard_error(method, comparison, told):
    frame = people(40 + comparison, waves=3, cohorts=(3,))
    rng = np.random.default_rng(5)
    ids = frame["id"].unique()
    frame.loc[frame["id"].isin(ids[:comparison]), "g"] = 0
    frame["x"] = frame["id"].map(dict(zip(ids, rng.normal(size=len(ids)), strict=True)))
    design = pe.did.Design(method=method, covariates="x")
    row = pe.infer(pe.did.group_time(panel_of(frame), "y", design)).frame.iloc[-1]
    assert np.isfinite(row["estimate"])
    assert np.isnan(row["std_error"]) is np.bool_(told)


def test_people_who_may_act_beforehand_do_not_stand_for_the_never_treated():
    frame = people(90, cohorts=(0, 3, 6))
    acts = (frame["g"] == 6) & (frame["t"] == 5)
    frame.loc[acts, "y"] += 50
    design = pe.did.Design(anticipation=1)
    cells = pe.did.group_time(panel_of(frame), "y", design)
    without = pe.did.group_time(panel_of(frame[frame["g"] != 6]), "y", design)
    last = [pe.subset(e, cohort=3, wave=5).theta[0] for e in (cells, without)]
    np.testing.assert_allclose(last[0], last[1], rtol=1e-12)


def test_leaving_out_a_cohort_that_is_none_is_refused_and_one_that_is_is_said():
    panel = panel_of(people())
    with pytest.raises(UsageError, match="there are 3, 4"):
        pe.did.group_time(panel, "y", without=["4"])
    every, some = pe.did.group_time(panel, "y"), pe.did.group_time(panel, "y", without=[4])
    assert "without cohort 4" in some.index["specification"][0]
    assert len(pe.did.overall(pe.join(every, some))) == 2


def test_a_cohort_dated_after_the_last_wave_is_never_treated_in_these():
    frame = people(cohorts=(0, 3, 9))
    months = {k: f"2021-{k:02d}" for k in range(1, 10)}
    dated = frame.assign(t=frame["t"].map(months), g=frame["g"].map(months).fillna("0"))
    for design in (None, pe.did.Design(comparison="not_yet_treated")):
        by_date = pe.did.group_time(panel_of(dated), "y", design)
        by_number = pe.did.group_time(panel_of(frame), "y", design)
        np.testing.assert_allclose(by_date.theta, by_number.theta, rtol=1e-12)
        assert by_date.units["treated_from"].isna().sum() == 80


def test_months_written_as_numbers_are_refused():
    frame = people()
    months = {1: 202011, 2: 202012, 3: 202101, 4: 202102, 5: 202103, 0: 0}
    frame = frame.assign(t=frame["t"].map(months), g=frame["g"].map(months))
    with pytest.raises(UsageError, match="months written as numbers"):
        pe.did.group_time(panel_of(frame), "y")


def test_the_base_of_a_universal_study_takes_no_part_in_a_bin():
    cells = pe.did.group_time(panel_of(people()), "y", pe.did.Design(base_period="universal"))
    narrow = pe.did.event_study(cells, window=(-1, 1), ends="binned")
    early = cells.theta[(cells.index["event_time"] < -1).to_numpy()]  # cohorts of 40 people each
    assert narrow.index["event_time"][0] == -1
    np.testing.assert_allclose(narrow.theta[0], early.mean(), rtol=1e-12)


def test_a_contrast_with_the_base_is_the_row_itself():
    cells = pe.did.group_time(panel_of(people()), "y", pe.did.Design(base_period="universal"))
    study = pe.did.event_study(cells)
    weights = (study.index["event_time"] == 0).to_numpy(float)
    weights -= (study.index["event_time"] == -1).to_numpy(float)
    both = pe.infer(pe.contrast(study, weights)).frame.iloc[0]
    alone = pe.infer(pe.subset(study, event_time=0.0)).frame.iloc[0]
    np.testing.assert_allclose(both["std_error"], alone["std_error"], rtol=1e-12)
    assert both["status"] == "ok"


def test_subgroups_take_an_estimator_without_a_design():
    frame = people().assign(part=lambda f: f["village"].isin(["V0", "V1", "V2", "V3", "V4", "V5"]))
    frame["part"] = frame["part"].astype(int)
    cells = pe.did.subgroups(panel_of(frame), "y", "part", estimator=pe.did.sun_abraham)
    assert len(pe.did.overall(cells)) == 2


@pytest.mark.parametrize("start", ["2021-07-01", "2021-08-15", "2021-09-30", "2021-08", "2021Q3"])
def test_a_start_within_a_quarter_belongs_to_that_quarter(start):
    quarters = {k: f"2021Q{k}" for k in (1, 2, 3, 4)}
    frame = people(waves=4, cohorts=(0, 3)).assign(t=lambda f: f["t"].map(quarters))
    frame["g"] = frame["g"].map({0: "0", 3: start})
    panel = panel_of(frame)
    assert panel.notes == ()
    assert not panel.check("y").faults
    cells = pe.did.group_time(panel, "y")
    assert set(cells.index["cohort"]) == {"2021Q3"}


@pytest.mark.parametrize("verb", ["group_time", "imputation"])
def test_a_cohort_seen_less_before_treatment_does_not_weigh_less(verb):
    # half of cohort 3, and nobody else, was not seen in waves 1 and 2: its cells have 20 people
    frame = people(cohorts=(0, 3, 4))
    late = frame["id"].isin(frame.loc[frame["g"] == 3, "id"].unique()[::2]) & (frame["t"] < 3)
    cells = getattr(pe.did, verb)(panel_of(frame[~late]), "y")
    at = (cells.index["event_time"] == 1).to_numpy()
    assert set(cells.counts["n_treated"][at]) == {20, 40}
    study = pe.subset(pe.did.event_study(cells), event_time=1.0)
    np.testing.assert_allclose(study.theta[0], cells.theta[at].mean(), rtol=1e-12)
    kept = pe.did.event_study(pe.subset(cells, rows=list(np.flatnonzero(at))))
    np.testing.assert_allclose(kept.theta, study.theta, rtol=1e-12)
