"""Is a DataFrame read as a file is, whatever its dtypes, and left as it was?"""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import DataError, UsageError
from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.readers import read_table

NONE = ReadOptions()
LONG = 9_999_999_999_999_991


def read(columns, options=NONE, ids=(), **more):
    return read_table(pd.DataFrame(columns, **more), options, frozenset(ids))


def values(column):
    return [None if pd.isna(v) else v for v in column]


@pytest.mark.parametrize(
    ("column", "kind", "expected"),
    [
        (np.array([1, 2], "int8"), "int64", [1, 2]),
        (np.array([1, 2], "uint16"), "int64", [1, 2]),
        (np.array([1.5, np.nan], "float32"), "float64", [1.5, None]),
        ([True, False], "int64", [1, 0]),
        (pd.array([True, None], "boolean"), "float64", [1, None]),
        (pd.array([1, None], "Int32"), "float64", [1, None]),
        (pd.array([1, 2], "Int64"), "int64", [1, 2]),
        (pd.array([1.5, None], "Float64"), "float64", [1.5, None]),
        (pd.array([1, 0, 0], "Sparse[int64]")[:2], "int64", [1, 0]),
        ([Decimal("1.5"), None], "float64", [1.5, None]),
        ([True, 2], "float64", [1, 2]),
        (pd.Categorical([3, 1]), "int64", [3, 1]),
        (pd.Categorical(["b", "a"]), "str", ["b", "a"]),
        (pd.array([" a", ""], "string"), "str", ["a", None]),
        (pd.to_datetime(["2021-02-28", None]), "str", ["2021-02-28", None]),
        (pd.to_datetime(["2021-02-28T13:45:00", None]), "str", ["2021-02-28T13:45:00", None]),
        ([dt.date(2021, 2, 28), None], "str", ["2021-02-28", None]),
        (pd.PeriodIndex(["2021-02", None], freq="M"), "str", ["2021-02", None]),
        (pd.PeriodIndex(["2021Q1", "2021Q2"], freq="Q"), "str", ["2021Q1", "2021Q2"]),
        (pd.PeriodIndex(["2021", "2022"], freq="Y"), "int64", [2021, 2022]),
        (
            pd.PeriodIndex(["2021-02-28", "2021-03-01"], freq="D"),
            "str",
            ["2021-02-28", "2021-03-01"],
        ),
        ([None, None], "float64", [None, None]),
    ],
)
def test_every_dtype_becomes_numbers_text_or_iso_dates(column, kind, expected):
    found = read({"x": column}).frame["x"]
    assert found.dtype == kind
    assert values(found) == expected


def test_numbers_and_words_in_one_column_are_text_and_said():
    table = read({"x": [1, "a", 2.5, True, None, 1.0, dt.date(2021, 2, 28)]})
    expected = ["1", "a", "2.5", "1", None, "1", "2021-02-28"]
    assert values(table.frame["x"]) == expected
    assert [(n.code, n.columns) for n in table.notes] == [("mixed", ("x",))]


def test_the_order_of_word_categories_stays():
    waves = pd.Categorical(["end", "base"], ["base", "mid", "end"], ordered=True)
    frame = pd.DataFrame({"id": ["a", "a"], "wave": waves, "y": [1, 2]})
    assert read_table(frame, NONE).frame["wave"].cat.categories.tolist() == ["base", "mid", "end"]
    assert pe.read_panel(frame, pe.Roles(unit="id", wave="wave")).waves == ("base", "end")


@pytest.mark.parametrize(
    "ids",
    [
        pd.array([LONG, 7], "int64"),
        pd.array([LONG, 7], "uint64"),
        pd.array([LONG, 7], "Int64"),
        pd.array([str(LONG), " 7 "], "str"),
        pd.array([str(LONG), "7"], "string"),
        pd.Categorical([LONG, 7]),
        pd.Series([LONG, 7], dtype=object),
        pd.Series([LONG, "7"], dtype=object),
        pd.Series([str(LONG), 7.0], dtype=object),
    ],
)
def test_ids_of_any_dtype_keep_their_digits(ids):
    assert read({"id": ids}, ids=["id"]).frame["id"].tolist() == [str(LONG), "7"]


@pytest.mark.parametrize(
    "ids",
    [
        np.array([2.0**53]),
        np.array([2.0**24], "float32"),
        np.array([-(2.0**53)]),
        pd.array([2.0**53], "Float64"),
        pd.Categorical([2.0**53]),
        pd.Series([2.0**53, "a"], dtype=object),
        np.array([np.inf]),
        np.array([1.5]),
    ],
)
def test_ids_that_lost_digits_or_are_none_are_refused_without_a_cell(ids):
    with pytest.raises(DataError, match="the id column 'id'") as refused:
        read({"id": ids}, ids=["id"])
    assert "9007" not in str(refused.value)


def test_a_named_index_becomes_a_column_unless_there_is_one():
    frame = pd.DataFrame({"x": [1, 2]}, index=pd.Index([7, 8], name="id"))
    table = read_table(frame, NONE, frozenset({"id"}))
    assert table.frame["id"].tolist() == ["7", "8"]
    assert list(table.frame.index) == [0, 1]
    both = frame.assign(id=["a", "b"])
    assert read_table(both, NONE).frame["id"].tolist() == ["a", "b"]
    assert list(read({"x": [1]}, index=[9]).frame.columns) == ["x"]
    levels = frame.assign(wave=[1, 2]).set_index("wave", append=True)
    assert list(read_table(levels, NONE).frame.columns) == ["id", "wave", "x"]


def test_names_that_are_no_text_are_made_text_and_said():
    table = read_table(pd.DataFrame([[1, 2, 3]], columns=[2020, 2021.0, None]), NONE)
    assert list(table.frame.columns) == ["2020", "2021", "column_3"]
    assert [(n.code, n.columns) for n in table.notes] == [("names", ("2020", "2021", "column_3"))]
    with pytest.raises(DataError, match="the same name: 2020"):
        read_table(pd.DataFrame([[1, 2]], columns=[2020, "2020"]), NONE)
    with pytest.raises(DataError, match="several levels"):
        read_table(pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])), NONE)


@pytest.mark.parametrize(
    "column",
    [
        np.array([1 + 2j]),
        pd.Series([1 + 2j], dtype=object),
        pd.Series([[1]], dtype=object),
        pd.Series([{"a": 1}], dtype=object),
        pd.Series([b"x"], dtype=object),
        pd.Series([{1}, "a"], dtype=object),
        pd.Series([object()], dtype=object),
        pd.to_timedelta(["1 day"]),
        pd.IntervalIndex.from_tuples([(0, 1)]),
    ],
)
def test_what_is_no_value_is_refused_by_column_and_can_be_dropped(column):
    frame = pd.DataFrame({"odd": column}).assign(x=1)
    for ids in ((), ("odd",)):
        with pytest.raises(DataError, match=r"'odd' holds .*drop="):
            read_table(frame, NONE, frozenset(ids))
    table = read_table(frame, ReadOptions(drop="odd"))
    assert list(table.frame.columns) == ["x"]


def test_drop_and_text_name_columns_that_are_there():
    frame = pd.DataFrame({"income": [1, 2], "kab": [101, 102]})
    assert read_table(frame, ReadOptions(text="kab")).frame["kab"].tolist() == ["101", "102"]
    for option in ("drop", "text"):
        with pytest.raises(UsageError, match="Did you mean 'income'"):
            read_table(frame, ReadOptions(**{option: "incme"}))
    with pytest.raises(UsageError, match="encoding"):
        read_table(frame, ReadOptions(encoding="cp1252"))


def test_reading_changes_neither_the_source_nor_shares_its_memory():
    frame = pd.DataFrame({"id": [1, 2], "x": [1.5, 2.5], "b": [True, False], "s": ["a ", "b"]})
    before = frame.copy(deep=True)
    table = read_table(frame, NONE, frozenset({"id"}))
    pd.testing.assert_frame_equal(frame, before)
    frame.loc[0, "x"] = -1.0
    frame["x"].to_numpy().flags.writeable = False
    assert table.frame["x"].tolist() == [1.5, 2.5]
    changed = table.frame
    changed.loc[0, "x"] = -2.0  # a Table's own frame can be written to
    assert frame["x"].tolist() == [-1.0, 2.5]


def test_ids_written_as_floating_point_are_one_person():
    frame = pd.DataFrame({"id": ["12", "12.0", " 12"], "x": [1, 2, 3]})
    table = read_table(frame, ReadOptions(), frozenset({"id"}))
    assert table.frame["id"].tolist() == ["12"] * 3
    assert [n.columns for n in table.notes if n.code == "ids_point_zero"] == [("id",)]
    kept = read_table(frame, ReadOptions(text="id"), frozenset({"id"}))
    assert kept.frame["id"].tolist() == ["12", "12.0", "12"]
    plain = read_table(frame.assign(id=["1.0", "1.5", "2"]), ReadOptions(), frozenset({"id"}))
    assert plain.notes == ()
