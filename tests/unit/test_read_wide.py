"""Do columns that repeat by wave become the right rows? Against pandas' own reshaping."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prakerja_eval import ReadOptions, Roles, Wide, read_panel
from prakerja_eval.errors import DataError, UsageError
from prakerja_eval.panel.readers import read_table
from prakerja_eval.panel.readers.long import to_long
from prakerja_eval.panel.table import Table, Variable

WIDE = Wide(("income", "employed"))


def wide_frame():
    return pd.DataFrame(
        {
            "id": ["SYN-000003", "SYN-000001", "SYN-000002"],
            "income_2021": [30.5, np.nan, 10.0],
            "female": [1, 0, 1],
            "income_2020": [3, 2, 1],
            "employed_2020": ["yes", "no", "no"],
            "employed_2021": ["no", None, "yes"],
        }
    )


def codes(table):
    return [n.code for n in table.notes]


def test_a_wide_file_is_what_pandas_makes_of_it(tmp_path):
    path = tmp_path / "wide.parquet"
    wide_frame().to_parquet(path)
    table = read_table(path, ReadOptions(wide=WIDE), frozenset({"id"}), "year")
    expected = pd.wide_to_long(wide_frame(), ["income", "employed"], i="id", j="year", sep="_").loc[
        ["SYN-000003", "SYN-000001", "SYN-000002"]
    ]
    expected = expected.sort_index(level="year").loc[wide_frame()["id"].tolist()].reset_index()
    assert table.frame["year"].dtype == np.int64
    pd.testing.assert_frame_equal(
        table.frame[expected.columns], expected, check_dtype=False, check_index_type=False
    )
    assert table.row_numbers().tolist() == [1, 1, 2, 2, 3, 3]
    assert codes(table) == ["wide"]
    assert "2020, 2021" in table.notes[0].message


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 6),
    waves=st.lists(st.integers(1, 2030), min_size=1, max_size=5, unique=True),
    stubs=st.lists(st.sampled_from(["a", "a_b", "a_b_c", "x"]), min_size=1, unique=True),
    seed=st.integers(0, 1_000),
)
def test_any_wide_frame_is_what_melt_and_pivot_make_of_it(n, waves, stubs, seed):
    rng = np.random.default_rng(seed)
    columns = [(s, w) for s in stubs for w in waves]
    rng.shuffle(columns)
    frame = pd.DataFrame({f"{s}_{w}": rng.normal(size=n) for s, w in columns})
    frame.insert(0, "id", [f"SYN-{i:06d}" for i in rng.permutation(n)])
    table = to_long(Table(frame), Wide(tuple(stubs)), "wave")
    melted = frame.melt("id")
    melted[["stub", "wave"]] = melted["variable"].str.rsplit("_", n=1, expand=True)
    melted["wave"] = melted["wave"].astype(int)
    expected = melted.pivot_table(index=["id", "wave"], columns="stub", values="value")
    got = table.frame.set_index(["id", "wave"])
    assert table.frame["id"].tolist() == np.repeat(frame["id"].tolist(), len(waves)).tolist()
    assert table.frame["wave"].tolist() == sorted(waves) * n
    pd.testing.assert_frame_equal(
        got[stubs].sort_index(), expected[stubs].sort_index(), check_names=False
    )


def test_overlapping_stubs_go_to_the_longest():
    frame = pd.DataFrame(
        {"income_main_1": [1], "income_1": [2], "income_main_2": [3], "income_2": [4]}
    )
    table = to_long(Table(frame), Wide(("income", "income_main")), "wave")
    assert table.frame.to_dict("list") == {"wave": [1, 2], "income": [2, 4], "income_main": [1, 3]}


def test_what_is_no_wave_stays_a_column_and_is_said():
    frame = pd.DataFrame({"income_1": [2], "income_2": [4], "income_main_2": [3]})
    table = to_long(Table(frame), Wide("income"), "wave")
    assert table.frame["income_main_2"].tolist() == [3, 3]
    assert table.frame["wave"].tolist() == [1, 2]
    (note,) = [n for n in table.notes if n.code == "not_wide"]
    assert note.columns == ("income_main_2",)


def test_words_are_waves_where_no_label_is_a_number():
    frame = pd.DataFrame({"income_end": [2.0, 3.0], "income_base": [4.0, 5.0]})
    table = to_long(Table(frame), Wide("income"), "round")
    assert table.frame["round"].tolist() == ["base", "end", "base", "end"]
    assert table.frame["income"].tolist() == [4.0, 2.0, 5.0, 3.0]


def test_dates_are_waves_as_text_and_the_separator_may_be_empty():
    frame = pd.DataFrame({"y2021-02": [2], "y2020-08": [4], "years": [7]})
    table = to_long(Table(frame), Wide("y", separator=""), "round")
    assert table.frame["round"].tolist() == ["2020-08", "2021-02"]
    assert table.frame["y"].tolist() == [4, 2]
    assert table.frame["years"].tolist() == [7, 7]


def test_waves_sort_by_size_and_leading_zeros_do_not_count():
    frame = pd.DataFrame({"y_10": [10], "y_02": [2], "x_2": [20], "x_10": [100]})
    table = to_long(Table(frame), Wide(("x", "y")), "wave")
    assert table.frame.to_dict("list") == {"wave": [2, 10], "x": [20, 100], "y": [2, 10]}


def test_a_stub_absent_in_a_wave_is_missing_there_and_said():
    frame = wide_frame().drop(columns=["employed_2021"])
    table = to_long(Table(frame), WIDE, "year")
    assert table.frame["employed"].isna().tolist() == [False, True] * 3
    (note,) = [n for n in table.notes if n.code == "column_absent"]
    assert note.columns == ("employed",)
    assert "2021" in note.message


def test_rows_without_any_value_of_a_wave_stay():
    frame = wide_frame()
    frame.loc[1, ["income_2021", "employed_2021"]] = None
    table = to_long(Table(frame), WIDE, "year")
    assert len(table.frame) == 6
    assert table.frame.loc[3, ["income", "employed"]].isna().all()


def test_labels_and_reasons_follow_their_values():
    frame = pd.DataFrame(
        {"id": ["a", "b"], "y_1": [np.nan, 1.0], "y_2": [2.0, np.nan], "z_1": [0, 1], "z_2": [1, 0]}
    )
    reasons = pd.DataFrame({"y_1": [".a", None], "y_2": [None, ".b"], "id": [None, None]})
    book = {
        "id": Variable("Person"),
        "y_1": Variable("Pay", {"1": "low"}, {".a": "refused"}),
        "y_2": Variable("Pay", {"2": "high"}, {".b": "unknown"}),
    }
    table = to_long(Table(frame, book, reasons), Wide(("y", "z")), "wave")
    assert table.reasons is not None
    assert table.reasons["y"].tolist() == [".a", None, None, ".b"]
    assert set(table.reasons.columns) == {"id", "y"}
    assert table.codebook["y"] == Variable(
        "Pay", {"1": "low", "2": "high"}, {".a": "refused", ".b": "unknown"}
    )
    assert table.codebook["id"] == Variable("Person")
    assert codes(table) == ["wide", "labels_differ"]
    assert table.frame["z"].tolist() == [0, 1, 1, 0]
    assert table.frame["z"].dtype == np.int64


def test_a_code_that_changes_its_meaning_is_refused():
    book = {"y_1": Variable(values={"1": "male"}), "y_2": Variable(values={"1": "female"})}
    table = Table(pd.DataFrame({"y_1": [1], "y_2": [1]}), book)
    with pytest.raises(DataError, match=r"1 code\(s\) .* in y_1 and in y_2: 1\.") as refused:
        to_long(table, Wide("y"), "wave")
    assert "male" not in str(refused.value)
    with pytest.raises(DataError, match=r"in y_1 and in y_2\."):
        to_long(table, Wide("y"), "wave", frozenset({"y"}))


def test_numbers_in_one_wave_and_text_in_another_are_refused():
    frame = pd.DataFrame({"y_1": [1, 2], "y_2": ["a", "b"]})
    with pytest.raises(DataError, match="'y' holds numbers in y_1 and text in y_2"):
        to_long(Table(frame), Wide("y"), "wave")
    empty = pd.DataFrame({"y_1": [np.nan, np.nan], "y_2": ["a", "b"]})
    assert to_long(Table(empty), Wide("y"), "wave").frame["y"].tolist()[1::2] == ["a", "b"]


@pytest.mark.parametrize(
    ("wide", "wave", "said"),
    [
        (WIDE, None, r"Roles\(wave=...\)"),
        (WIDE, "female", "'female' is taken"),
        (WIDE, "income", "'income' is taken"),
        (Wide("incme"), "year", "Did you mean 'income'"),
        (Wide("income", separator="."), "year", "no column is named 'income', '.' and a wave"),
    ],
)
def test_a_wrong_call_is_refused_with_the_way_out(wide, wave, said):
    with pytest.raises(UsageError, match=said):
        to_long(Table(wide_frame()), wide, wave)


def test_a_stub_that_is_a_column_already_is_refused():
    with pytest.raises(UsageError, match="'income' is taken"):
        to_long(Table(wide_frame().assign(income=1)), WIDE, "year")


def test_two_columns_of_one_stub_and_wave_are_refused():
    frame = pd.DataFrame({"y_1": [1], "y_01": [2]})
    with pytest.raises(DataError, match="'y_1' and 'y_01' are both 'y'"):
        to_long(Table(frame), Wide("y"), "wave")


def test_wide_ids_keep_their_zeros(tmp_path):
    path = tmp_path / "wide.csv"
    path.write_text("id,hh_1,hh_2,y_1,y_2\n001,010,011,1,2\n002,100,200,3,4\n")
    roles = Roles(unit="id", wave="wave", household="hh")
    panel = read_panel(path, roles, ReadOptions(wide=Wide(("hh", "y"))))
    assert panel.frame["hh"].tolist() == ["010", "011", "100", "200"]
    assert panel.frame["id"].tolist() == ["001", "001", "002", "002"]


def test_a_stub_may_be_named_as_text():
    frame = pd.DataFrame({"hh_1": ["01", "7"], "hh_2": ["02", "8"], "y_1": [1, 2], "y_2": [3, 4]})
    table = read_table(frame, ReadOptions(wide=Wide(("hh", "y")), text="hh"), wave="wave")
    assert table.frame["hh"].tolist() == ["01", "02", "7", "8"]
    numbers = frame.assign(hh_1=[1, 7], hh_2=[2, 8])
    table = read_table(numbers, ReadOptions(wide=Wide(("hh", "y")), text="hh"), wave="wave")
    assert table.frame["hh"].astype(str).tolist() == ["1", "2", "7", "8"]
    with pytest.raises(UsageError, match="names 'h', but there is no such column"):
        read_table(frame, ReadOptions(wide=Wide(("hh", "y")), text="h"), wave="wave")


def test_the_table_given_is_not_changed():
    frame = wide_frame()
    to_long(Table(frame), WIDE, "year")
    pd.testing.assert_frame_equal(frame, wide_frame())
