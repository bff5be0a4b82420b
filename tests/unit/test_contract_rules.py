"""Where does each rule begin and end: lottery, time, programme, covariates, rows?"""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from contract_examples import CROSS, DATED, ROLES, Asking, all_of, clean, dated, edited, people

import prakerja_eval as pe
from prakerja_eval.errors import DataError, UsageError
from prakerja_eval.panel.calendar import days_of
from prakerja_eval.panel.contract.blocks import block_labels
from prakerja_eval.panel.table import Table


def found(asking):
    return {f.code: f.rows for f in asking.check().faults}


# Rows


def test_a_row_without_answers_is_empty_but_with_a_reason_or_a_refusal_it_is_not():
    frame = people(3, wave=1, responded=1, income=[1.0, np.nan, np.nan])
    roles = pe.Roles(unit="nik", wave="wave", responded="responded")
    assert found(Asking(frame, roles, ())) == {"empty_row": (2, 3)}
    assert found(Asking(frame.assign(responded=[1, 0, 1]), roles, ())) == {"empty_row": (3,)}
    reasons = pd.DataFrame({"income": [None, None, ".a"]})
    check = pe.Panel(Table(frame, reasons=reasons), roles).check()
    assert [(f.code, f.rows) for f in check.faults] == [("empty_row", (2,))]


def test_a_table_of_keys_alone_has_no_empty_rows():
    assert found(Asking(people(3, wave=[1, 1, 1]), pe.Roles(unit="nik", wave="wave"), ())) == {}


def test_leaving_and_coming_late_are_no_gaps():
    frame = clean().drop(index=[0, 5]).reset_index(drop=True)
    assert "wave_gap" not in found(Asking(frame))


def test_gaps_are_counted_by_wave():
    four = pd.concat([clean(), clean()[clean().wave == 3].assign(wave=4)], ignore_index=True)
    gone = four[~((four.nik == "SYN-000000") & four.wave.isin([2, 3]))]
    gone = gone[~((gone.nik == "SYN-000001") & (gone.wave == 3))].reset_index(drop=True)
    (fault,) = [f for f in Asking(gone).check().faults if f.code == "wave_gap"]
    assert "2 units" in fault.message
    assert "2 (1), 3 (2)" in fault.message


def test_someone_with_a_cluster_in_one_row_has_one():
    frame = clean()
    frame.loc[[6, 7], "household"] = None
    assert "missing_cluster" not in found(Asking(frame))


def test_two_applications_a_unit_are_refused_by_wide_and_by_estimators():
    again = pd.concat([clean(), clean()[:3].assign(application=2)], ignore_index=True)
    panel = pe.Panel(again, ROLES)
    assert [f.code for f in panel.check().faults] == ["several_applications"]
    with pytest.raises(DataError, match="share a unit and wave"):
        panel.wide("income")
    with pytest.raises(DataError, match="more than one application"):
        pe.lottery.itt(panel, "income")


# The lottery


def fair(winners, people_=1_000, odds=0.2, **columns):
    won = (np.arange(people_) < winners).astype(int)
    frame = people(people_, won=won, odds=odds, **columns)
    return Asking(frame, pe.Roles(unit="nik", offer="won", probability="odds"), ())


def test_odds_are_judged_by_the_exact_binomial():
    # binomial(1000, 0.2), scipy.stats: twice the tail at 250 winners is 1.4e-4, at 253 5.4e-5
    assert found(fair(200)) == {}
    assert found(fair(250)) == {}
    assert list(found(fair(253))) == ["odds_against_stated"]
    assert list(found(fair(140))) == ["odds_against_stated"]


@pytest.mark.parametrize(("winners", "odds"), [(0, 0.2), (1_000, 0.8)])
def test_nobody_or_everybody_won_at_odds_that_say_otherwise(winners, odds):
    assert "odds_against_stated" in found(fair(winners, odds=odds))


def test_odds_rounded_to_two_decimals_are_no_fault_however_many_apply():
    assert found(fair(40_500, 200_000, 0.2)) == {}
    assert list(found(fair(42_000, 200_000, 0.2))) == ["odds_against_stated"]


def test_odds_are_judged_by_block_and_by_stated_odds():
    low, high = fair(200).frame, fair(700).frame.assign(odds=0.7)
    high["nik"] += "B"
    both = pd.concat([low, high], ignore_index=True)
    roles = pe.Roles(unit="nik", offer="won", probability="odds")
    assert found(Asking(both, roles, ())) == {}
    blocks = replace(roles, blocks=("batch",))
    wrong = both.assign(batch=np.repeat(["a", "b"], 1_000), odds=0.2)
    (fault,) = Asking(wrong, blocks, ()).check().faults
    assert fault.rows == tuple(range(1_001, 2_001))
    assert "1 block: b" in fault.message
    assert "50.0 percentage points" in fault.message


def test_weights_that_undo_unequal_sampling_excuse_the_share():
    # 500 winners among 1,000 at odds of a fifth: each loser stands for four
    frame = fair(500).frame.assign(weight=lambda f: np.where(f.won == 1, 1.0, 4.0))
    roles = pe.Roles(unit="nik", offer="won", probability="odds")
    assert list(found(Asking(frame, roles, ()))) == ["odds_against_stated"]
    assert found(Asking(frame, replace(roles, weight="weight"), ())) == {}


def test_two_winners_a_household_are_allowed():
    frame = clean().assign(household=lambda f: np.where(f.nik < "SYN-000004", "H0", "H1"))
    assert found(Asking(frame)) == {}


def test_no_lottery_rule_speaks_without_an_offer():
    frame = clean().assign(won=1, household="H0")
    roles = replace(ROLES, offer=None, application=None)
    assert found(Asking(frame, roles)) == {}


def test_lottery_faults_do_not_stop_other_designs():
    check = Asking(clean().assign(won=1)).check()
    assert {f.code for f in check.errors} == {"empty_arm"}
    assert not check.about("did", "matching").errors


def test_blocks_of_ids_are_counted_and_not_named():
    frame = clean().assign(won=1)
    roles = replace(ROLES, blocks=("household",))
    (fault,) = Asking(frame, roles).check().errors
    assert "4 blocks" in fault.message
    assert "H0" not in fault.message


def test_block_labels_are_the_columns_labels_and_missing_where_one_is():
    frame = pd.DataFrame({"a": ["x", "y", None, "x"], "b": [1.0, 2.0, 3.0, np.nan]})
    roles = pe.Roles(unit="u", blocks=("a", "b"))
    assert block_labels(frame, roles).tolist() == ["x / 1", "y / 2", None, None]
    assert block_labels(frame, pe.Roles(unit="u")).tolist() == ["all"] * 4


# Time


@pytest.mark.parametrize(
    ("cohort", "receipt", "codes"),
    [
        (2, (0, 1, 1), []),
        (3, (0, 1, 1), ["cohort_against_receipt"]),
        (2, (0, 0, 1), ["cohort_against_receipt"]),
        (0, (0, 0, 1), ["cohort_against_receipt"]),
        (np.inf, (0, 0, 1), ["cohort_against_receipt"]),
        (2, (0, None, 1), []),
        (3, (0, None, 1), []),
        (4, (0, 0, 0), []),
        (2, (0, 0, 0), ["cohort_without_receipt"]),
        (2, (0, None, None), []),
        (2, (0, 1, 0), ["receipt_switches_off"]),
        (2.5, (0, 0, 1), ["cohort_no_wave"]),
    ],
)
def test_cohort_and_receipt_must_tell_one_story(cohort, receipt, codes):
    frame = clean()[["nik", "wave", "income"]].assign(cohort=0.0, trained=0.0)
    frame.loc[:2, "cohort"] = cohort
    frame.loc[:2, "trained"] = [np.nan if r is None else r for r in receipt]
    frame = frame.dropna().reset_index(drop=True)
    roles = pe.Roles(unit="nik", wave="wave", cohort="cohort", received="trained")
    assert sorted(found(Asking(frame, roles)).keys() - {"wave_gap"}) == codes


def test_treatment_at_the_baseline_is_told_by_receipt_and_by_cohort():
    early = clean().assign(trained=lambda f: f.won, cohort=lambda f: f.won)
    check = Asking(early).check()
    assert [(f.code, f.columns) for f in check.faults] == [
        ("treated_at_baseline", ("trained",)),
        ("treated_at_baseline", ("cohort",)),
    ]
    assert all(f.concerns("did") and f.concerns("matching") for f in check.faults)
    assert found(Asking(early, replace(ROLES, baseline=None))) == {}


@pytest.mark.parametrize(
    ("label", "first", "last"),
    [
        (2020, date(2020, 1, 1), date(2020, 12, 31)),
        (2020.0, date(2020, 1, 1), date(2020, 12, 31)),
        ("2020-02", date(2020, 2, 1), date(2020, 2, 29)),
        (202112, date(2021, 12, 1), date(2021, 12, 31)),
        ("2020Q1", date(2020, 1, 1), date(2020, 3, 31)),
        ("2020-Q4", date(2020, 10, 1), date(2020, 12, 31)),
        ("2020-04-11", date(2020, 4, 11), date(2020, 4, 11)),
        ("2020-04-11T08:00:00", date(2020, 4, 11), date(2020, 4, 11)),
        (pd.Timestamp("2020-04-11"), date(2020, 4, 11), date(2020, 4, 11)),
        (pd.Period("2020-04", "M"), date(2020, 4, 1), date(2020, 4, 30)),
    ],
)
def test_labels_that_are_dates_have_a_first_and_last_day(label, first, last):
    assert days_of(label) == (first, last)


@pytest.mark.parametrize("label", [1, 0, "endline", "2020-13", "2020-02-31", 20200, 1850, "", None])
def test_other_labels_are_no_dates(label):
    assert days_of(label) is None


@pytest.mark.parametrize(
    ("waves", "bad"),
    [
        (("2020-01", "2020-03", "2020-08"), True),
        (("2019Q4", "2020Q1", "2020Q3"), True),
        (("2019Q4", "2020Q2", "2020Q3"), False),
        (("2020-02", "2020-04", "2020-08"), False),
        (("2020-04-01", "2020-04-10", "2020-08-01"), True),
        (("2020-04-01", "2020-04-11", "2020-08-01"), False),
        ((2019, 2020, 2021), False),
        ((2018, 2019, 2020), True),
        ((2017, 2018, 2019), False),
        ((1974, 1975, 1978), False),
        ((1, 2, 3), False),
    ],
)
def test_nobody_is_treated_before_the_programme_took_applications(waves, bad):
    frame = clean().assign(wave=lambda f: f.wave.map(dict(zip((1, 2, 3), waves, strict=True))))
    roles = pe.Roles(unit="nik", wave="wave", received="trained")
    expected = tuple(range(5, 25, 6)) if bad else ()
    assert found(Asking(frame, roles)).get("treated_before_programme", ()) == expected


def test_a_cohort_before_the_programme_is_one_too():
    frame = dated().assign(cohort=lambda f: np.where(f.won == 1, 2019, 0))
    roles = pe.Roles(unit="nik", wave="wave", cohort="cohort")
    assert found(Asking(frame, roles)) == {"treated_before_programme": all_of(1, 3, 5, 7)}


@pytest.mark.parametrize(
    ("batch", "wave", "bad"),
    [
        (12, "2021-01", True),
        (12, "2021-02", False),
        (17, "2021-05", True),
        (17, "2021-06", False),
        (22, "2020-05", False),
        (99, "2020-05", False),
        (1.5, "2020-05", False),
        ("12", "2021-01", True),
    ],
)
def test_nobody_is_treated_before_the_month_of_their_batch(batch, wave, bad):
    frame = people(2, wave=[wave, "2022-01"], trained=[1, 0], gelombang=batch)
    roles = pe.Roles(unit="nik", wave="wave", received="trained", clusters="gelombang")
    assert found(Asking(frame, roles, ())) == ({"treated_before_batch": (1,)} if bad else {})


def test_a_column_of_another_name_is_no_batch():
    frame = dated().rename(columns={"gelombang": "wilayah"})
    frame.loc[frame.index[13], "trained"] = 1
    roles = replace(DATED, clusters="wilayah", cohort=None)
    assert "treated_before_batch" not in found(Asking(frame, roles))


# Covariates and outcomes


@pytest.mark.parametrize(
    ("name", "waves", "baseline", "bad"),
    [
        ("income_2021", (2020, 2021, 2022), 2020, True),
        ("income_2020", (2020, 2021, 2022), 2020, False),
        ("income2022", (2020, 2021, 2022), 2020, True),
        ("income_2019", (2020, 2021, 2022), 2020, False),
        ("income_2023", (2020, 2021, 2022), 2020, True),
        ("income_endline", ("baseline", "endline"), "baseline", True),
        ("endline_income", ("baseline", "endline"), "baseline", False),
        ("compost", ("pre", "post"), "pre", False),
        ("x_post", ("pre", "post"), "pre", True),
        ("x2", (1, 2, 3), 1, False),
        ("school_3", (1, 2, 3), 1, False),
        ("income_w2", (1, 2, 3), 1, True),
        ("income_w1", (1, 2, 3), 1, False),
        ("income_2021_02", ("2020-02", "2021-02"), "2020-02", True),
        ("income_2020_02", ("2020-02", "2021-02"), "2020-02", False),
        ("code_12021", (2020, 2021, 2022), 2020, False),
    ],
)
def test_covariates_dated_by_their_name(name, waves, baseline, bad):
    frame = pd.concat([people(4, wave=w) for w in waves], ignore_index=True)
    frame[name] = np.arange(len(frame))
    roles = pe.Roles(unit="nik", wave="wave", baseline=baseline, wave_order=waves)
    codes = found(Asking(frame, roles, (), covariates=(name,)))
    assert list(codes) == (["covariate_after_baseline"] if bad else [])


def test_covariates_at_the_baseline_and_squares_are_no_fault_and_unknown_ones_are_refused():
    asked = ("income@1", "income^2", "income", "note")
    assert found(Asking(clean(), covariates=asked)) == {}
    assert list(found(Asking(clean(), covariates=("income@3^2",)))) == ["covariate_after_baseline"]
    with pytest.raises(UsageError, match="no column 'incom'"):
        Asking(clean(), covariates=("incom@1^2",)).check()


def test_an_outcome_of_the_endline_alone_lacks_no_wave_before_it():
    frame = clean().assign(income=lambda f: f.income.where(f.wave > 1))
    assert found(Asking(frame)) == {}


def test_an_outcome_of_words_is_no_constant():
    assert list(found(Asking(clean().assign(income="lots")))) == ["non_numeric_outcome"]


# Words


def test_counts_are_written_for_people_to_read():
    frame = people(2_000, weight=np.where(np.arange(2_000) < 1_500, 0.0, 1.0))
    (fault,) = Asking(frame, replace(CROSS, weight="weight"), ()).check().faults
    assert "1,500 units" in fault.message
    assert fault.count == 1_500
    (fault,) = Asking(edited("attempts", -1, [3])).check().faults
    assert fault.message.startswith("1 row ")


def test_nsw_is_clean(project_root):
    roles = pe.Roles(
        unit="person_id",
        wave="year",
        baseline=1975,
        offer="offered",
        received="trained",
        cohort="first_year",
    )
    panel = pe.read_panel(project_root / "data" / "nsw" / "nsw.csv", roles)
    asked = (["earnings", "employed"], ["age", "education", "earnings@1974"])
    assert repr(panel.check(*asked)) == "No faults found."
    assert (
        repr(panel.where(sample=("nsw_treated", "nsw_control")).check(*asked)) == "No faults found."
    )
