"""Is every fault in the data found at once, each with its rows and a remedy, and no id printed?"""

import numpy as np
import pandas as pd
import pytest
from contract_examples import ROLES, WAVES, N, all_of, clean, edited

import prakerja_eval as pe
from prakerja_eval.errors import DataError

# what is edited; the code of the fault; the columns it names; the rows it names
SINGLE = [
    (("nik", None, [4]), "missing_role", ("nik",), (4,)),
    (("wave", np.nan, [2, 9]), "missing_role", ("wave",), (2, 9)),
    (("won", np.nan, [1]), "missing_role", ("won",), (1,)),
    (("batch", None, [5]), "missing_role", ("batch",), (5,)),
    (("cohort", np.nan, [5]), "missing_role", ("cohort",), (5,)),
    (("weight", np.nan, [24]), "missing_role", ("weight",), (24,)),
    (("odds", np.nan, [3]), "missing_role", ("odds",), (3,)),
    (("wave", 1, [2]), "duplicate_unit_wave", ("nik", "wave"), (1, 2)),
    (("won", "yes", [4]), "non_numeric_role", ("won",), (4,)),
    (("trained", "ya", [7]), "non_numeric_role", ("trained",), (7,)),
    (("cohort", "never", [1]), "non_numeric_role", ("cohort",), (1,)),
    (("weight", "1,5", [6]), "non_numeric_role", ("weight",), (6,)),
    (("application", "first", [6]), "non_numeric_role", ("application",), (6,)),
    (("attempts", "many", [6]), "non_numeric_role", ("attempts",), (6,)),
    (("won", 2, all_of(0)), "not_binary", ("won",), all_of(0)),
    (("trained", 0.5, [1]), "not_binary", ("trained",), (1,)),
    (("responded", -1, [1]), "not_binary", ("responded",), (1,)),
    (("odds", 0.0, all_of(0)), "probability_range", ("odds",), all_of(0)),
    (("odds", 1.0, all_of(0)), "probability_range", ("odds",), all_of(0)),
    (("cohort", -np.inf, all_of(0)), "cohort_range", ("cohort",), all_of(0)),
    (("weight", -0.1, [3]), "negative_weight", ("weight",), (3,)),
    (("weight", np.inf, [3]), "negative_weight", ("weight",), (3,)),
    (("attempts", -1, [3]), "negative_attempts", ("attempts",), (3,)),
    (("application", -1, [3]), "negative_application", ("application",), (3,)),
    (("won", 1, [1]), "varying_offer", ("nik", "won"), all_of(0)),
    (("stratum", 2, [4]), "varying_block", ("nik", "stratum"), all_of(1)),
    (("cohort", 3, [4]), "varying_cohort", ("nik", "cohort"), all_of(1)),
    (("household", "H9", [4]), "varying_household", ("nik", "household"), all_of(1)),
    (("village", 9, [4]), "varying_cluster", ("nik", "village"), all_of(1)),
    (("psu", 9, [4]), "varying_psu", ("nik", "psu"), all_of(1)),
    (("odds", 0.4, [4]), "varying_probability", ("nik", "odds"), all_of(1)),
    (("stratum", 2, all_of(0)), "empty_arm", ("won", "batch", "stratum"), all_of(0)),
    (("income", np.inf, [8]), "infinite_value", ("income",), (8,)),
    (("income", -np.inf, [8]), "infinite_value", ("income",), (8,)),
    (("income", "1,000", [8]), "non_numeric_outcome", ("income",), (8,)),
    (("income", "n/a", [8]), "non_numeric_outcome", ("income",), (8,)),
]


@pytest.mark.parametrize(("edit", "code", "columns", "rows"), SINGLE)
def test_each_fault_is_found_with_its_rows_and_a_remedy(edit, code, columns, rows):
    panel = pe.Panel(edited(*edit), ROLES)
    found = panel.check(["income"])
    matching = [f for f in found.faults if f.code == code and f.columns == columns]
    assert len(matching) == 1, found
    fault = matching[0]
    assert fault.rows == rows
    assert fault.count == len(rows)
    assert len(fault.remedy) > 20
    assert "{" not in fault.message
    with pytest.raises(DataError, match="fault"):
        pe.lottery.itt(panel, "income")


def test_a_clean_panel_has_no_fault():
    check = pe.Panel(clean(), ROLES).check(["income"])
    assert not check
    assert len(check) == 0
    assert repr(check) == "No faults found."
    assert check.frame.empty
    check.raise_if_any()


def test_missing_outcomes_are_attrition_and_no_fault():
    frame = clean()
    frame.loc[[1, 4, 5], "income"] = np.nan
    panel = pe.Panel(frame, ROLES)
    assert not panel.check("income")
    assert pe.lottery.itt(panel, "income").counts["n"].tolist() == [6, 7]


def test_all_faults_come_at_once():
    frame = edited("income", np.inf, [1, 2])
    frame["weight"] = -1.0
    frame.loc[0, "won"] = 1 - frame.loc[0, "won"]
    frame.loc[6, "wave"] = frame.loc[7, "wave"]
    frame["trained"] = frame.trained.astype(object)
    frame.loc[8, "trained"] = "ya"
    check = pe.Panel(frame, ROLES).check("income")
    codes = {f.code for f in check.faults}
    assert codes == {
        "infinite_value",
        "negative_weight",
        "varying_offer",
        "duplicate_unit_wave",
        "non_numeric_role",
    }
    with pytest.raises(DataError) as refused:
        pe.lottery.itt(pe.Panel(frame, ROLES), "income")
    for fault in check.faults:
        assert fault.message in str(refused.value)
        assert fault.remedy in str(refused.value)
    assert list(check.frame["code"]) == [f.code for f in check.faults]
    assert "<td>" in check._repr_html_()


def test_no_message_prints_an_id():
    frame = clean()
    frame["nik"] = [f"32010112345{k:05d}" for k in np.repeat(np.arange(N), WAVES)]
    frame["income"] = "lots"
    frame["weight"] = -1
    frame.loc[0, "won"] = 1
    frame.loc[1, "wave"] = 1
    frame.loc[4, "batch"] = None
    panel = pe.Panel(frame, ROLES)
    check = panel.check("income")
    assert len(check) >= 5
    shown = [repr(check), check._repr_html_(), check.frame.to_string(), repr(panel)]
    with pytest.raises(DataError) as refused:
        panel.arrays(pe.panel.ArrayRequest("income"))
    shown.append(str(refused.value))
    assert not any("3201011" in text for text in shown)


def test_many_rows_are_counted_and_the_first_five_shown():
    check = pe.Panel(clean().assign(income="x"), ROLES).check("income")
    assert "24 rows" in check.faults[0].message
    assert check.frame["rows"].iloc[0] == "1, 2, 3, 4, 5 and 19 more"
    assert check.frame["count"].iloc[0] == 24


def test_names_with_braces_do_not_break_a_message():
    frame = clean().rename(columns={"won": "won{n", "income": "{income}"})
    frame["batch"] = [f"{{{b}}}" for b in frame.batch]
    frame["won{n"] = 1
    frame["{income}"] = "x"
    roles = pe.Roles(unit="nik", wave="wave", offer="won{n", blocks="batch")
    check = pe.Panel(frame, roles).check("{income}")
    assert {f.code for f in check.faults} == {"empty_arm", "non_numeric_outcome"}
    assert "{first}" in repr(check)


def test_one_arm_alone_is_a_fault_with_or_without_blocks():
    frame = clean().assign(won=1)
    for blocks in ((), ("batch",)):
        roles = pe.Roles(unit="nik", wave="wave", offer="won", blocks=blocks)
        faults = pe.Panel(frame, roles).check().faults
        assert [f.code for f in faults] == ["empty_arm"]
        assert faults[0].count == 24


@pytest.mark.parametrize(
    "values",
    [
        pd.date_range("2020-01-01", periods=24),
        pd.to_timedelta(np.arange(24), "D"),
        pd.period_range("2020", periods=24, freq="M"),
        pd.date_range("2020-01-01", periods=24, tz="Asia/Jakarta"),
        np.arange(24) + 1j,
        ["a"] * 24,
        pd.Categorical(["a", "b"] * 12),
    ],
    ids=["dates", "durations", "periods", "zoned dates", "complex", "text", "categories"],
)
def test_an_outcome_that_is_no_number_is_a_fault(values):
    check = pe.Panel(clean().assign(income=values), ROLES).check("income")
    assert [f.code for f in check.faults] == ["non_numeric_outcome"]
    assert check.faults[0].count == 24


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "string", "str", "category", "object"])
def test_numbers_are_numbers_in_any_dtype(dtype):
    plain = pe.Panel(clean(), ROLES)
    cast = clean()
    for column in ("won", "trained", "cohort", "income", "application", "weight"):
        values = cast[column]
        if dtype == "Int64" and column in ("income", "weight"):
            values = (values * 2).astype("int64")
        cast[column] = values.astype(dtype)
    panel = pe.Panel(cast, ROLES)
    assert not panel.check("income")
    scale = 2 if dtype == "Int64" else 1
    a, b = (pe.lottery.itt(p, "income") for p in (plain, panel))
    np.testing.assert_allclose(b.theta, scale * a.theta, rtol=1e-12)
    np.testing.assert_allclose(b.psi, scale * a.psi, rtol=1e-12)
