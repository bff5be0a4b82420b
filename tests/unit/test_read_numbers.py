"""Which text cells become numbers, and which are refused or stay text? By what they show."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prakerja_eval.errors import DataError
from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.readers.numbers import normalise_numbers, numbers_of
from prakerja_eval.panel.values import to_number

NONE = frozenset()


def column(*cells, name="x", **options):
    read = numbers_of(pd.Series(cells, name=name, dtype="str"), ReadOptions(**options))
    return read.frame[name], read.reasons, read.notes


def values(*cells, name="x", **options):
    return column(*cells, name=name, **options)[0].tolist()


def table(options=None, text=NONE, **columns):
    frame = pd.DataFrame({n: pd.Series(c, dtype="str") for n, c in columns.items()})
    return normalise_numbers(frame, options or ReadOptions(), frozenset(text))[:3]


def decimal_point():
    return ReadOptions(decimal=".")


def said(notes):
    return {note.code: note.columns for note in notes}


# one column by its own cells


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "-2", "+3"], [1, -2, 3]),
        (["0.853", "1.234"], [0.853, 1.234]),
        (["12.34", "1.234"], [12.34, 1.234]),
        (["1234.567"], [1234.567]),
        (["1,5", "1,234"], [1.5, 1.234]),
        (["0,853", "-1,234"], [0.853, -1.234]),
        (["1.234.567", "1.234"], [1234567, 1234]),
        (["1.234.567", "1,234"], [1234567, 1.234]),
        (["1,234,567", "1,234", "12"], [1234567, 1234, 12]),
        (["1.234,5", "1.234"], [1234.5, 1234]),
        (["1,234.5", "1.234"], [1234.5, 1.234]),
        (["1.5e3", "2E-1", "1e5"], [1500, 0.2, 100000]),
        ([".5", "5.", "-.25"], [0.5, 5.0, -0.25]),
        ([",5", "1,"], [0.5, 1.0]),
        (["inf", "-Inf", "1"], [np.inf, -np.inf, 1]),
        ([" 1", "2 ", "3"], [1, 2, 3]),
        (["123456789012345"], [123456789012345]),
        (["12.345.678.901.234.567.890", "1"], [12345678901234567890.0, 1]),
    ],
)
def test_a_column_is_read_by_its_own_clear_cells(cells, expected):
    assert values(*cells) == expected


@pytest.mark.parametrize(
    "cells",
    [
        ["1", "x"],
        ["1.2.3"],
        ["1.23.456"],
        ["1,23,456.7"],
        ["12 345"],
        ["62 812 345"],
        ["1_000"],
        ["0x10"],
        ["--1"],
        ["-"],
        ["1d5"],
        ["50%"],
        ["NAN"],
        ["(1.5)"],
        ["1.234,567.8"],
        ["٣"],
        ["None"],
        ["Rp 5"],
        ["2021-02"],
    ],
)
def test_a_column_with_any_other_cell_stays_as_it_is(cells):
    assert values(*cells) == cells
    assert values("7", *cells) == ["7", *cells]


def test_whole_numbers_are_int64_and_missing_ones_make_float64():
    assert str(column("1", "2")[0].dtype) == "int64"
    assert str(column("1.000.000", "2")[0].dtype) == "int64"
    assert str(column("1", "")[0].dtype) == "float64"
    assert str(column("1.0", "2.0")[0].dtype) == "float64"
    nothing = column("", None)[0]
    assert str(nothing.dtype) == "float64"
    assert nothing.isna().all()


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.floats(allow_nan=False), min_size=1).filter(
        lambda v: not all(x.is_integer() and abs(x) < 1e15 for x in v)
    )
)
def test_what_python_writes_comes_back_to_the_last_digit(numbers):
    found = values(*map(repr, numbers), decimal=".")
    np.testing.assert_array_equal(np.array(found), np.array(numbers))


# what can be read in two ways


@pytest.mark.parametrize("cells", [["1.234"], ["1.234", "5"], ["1,234"], ["-999.999", "1,234"]])
def test_an_unclear_column_alone_is_refused_with_the_options(cells):
    with pytest.raises(DataError, match=r"'x' can be read in two ways.*decimal=.*thousands="):
        column(*cells)


def test_unclear_money_is_refused_even_if_the_rest_is_clear():
    for name in ("income", "pendapatan_bulan", "upah2021"):
        with pytest.raises(DataError, match=f"'{name}'.*decimal='.'.*thousands="):
            table(**{name: ["1.234", "2.345"], "rate": ["0.5", "1.25"]})


def test_every_unclear_column_is_named_at_once():
    with pytest.raises(DataError, match="'income', 'wage'"):
        table(income=["1.234"], wage=["2.345"])


@pytest.mark.parametrize("name", ["score", "hhincome", "total_inc", "y", "pengeluaranbln", "bobot"])
@pytest.mark.parametrize("rate", [["0.5", "1.25"], ["0,5", "1,25"]])
def test_another_column_does_not_say_what_1_234_is(name, rate):
    with pytest.raises(DataError, match=rf"'{name}'.*decimal='\.'.*thousands='\.'"):
        table(**{name: ["1.250", "2.375"], "rate": rate})
    frame, _, _ = table(**{name: ["1.250", "2.375"], "rate": ["0.5", "1"]}, options=decimal_point())
    assert frame[name].tolist() == [1.25, 2.375]


def test_one_clear_cell_of_the_same_column_says_it():
    assert values("0.853", "1.250") == [0.853, 1.25]
    assert values("1.500.000", "1.250") == [1500000, 1250]
    with pytest.raises(DataError, match="'score'"):
        table(score=["1.234"], a=["0,5"], b=["0.5"])
    with pytest.raises(DataError, match="'score'"):
        table(score=["1.234"], a=["5"])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"decimal": "."}, 1.234),
        ({"decimal": ","}, 1234),
        ({"thousands": "."}, 1234),
        ({"thousands": ","}, 1.234),
        ({"thousands": "none"}, 1.234),
        ({"thousands": " "}, 1.234),
        ({"decimal": ",", "thousands": "."}, 1234),
    ],
)
def test_a_named_mark_makes_money_readable(options, expected):
    assert values("1.234", name="income", **options) == [expected]


def test_blanks_between_thousands_are_read_when_named():
    found = values("1 234 567,5", "12\u00a0345", "7\u202f000", thousands=" ", name="income")
    assert found == [1234567.5, 12345, 7000]


@pytest.mark.parametrize("options", [{}, {"decimal": "."}, {"decimal": ","}])
def test_cells_that_contradict_each_other_are_refused_with_their_rows(options):
    with pytest.raises(
        DataError, match=r"'income'.*\(row 1\).*\(rows 2, 4\).*decimal=.*thousands="
    ):
        column("12.5", "12,5", "7", "1.234.567", name="income", **options)


@pytest.mark.parametrize(
    ("cells", "options"),
    [
        (["1", "12.5"], {"decimal": ","}),
        (["1", "12,5"], {"decimal": "."}),
        (["1", "12,5", "1,234"], {"thousands": ","}),
        (["1", "1.234.567"], {"decimal": "."}),
    ],
)
def test_cells_that_contradict_the_options_are_refused_with_their_rows(cells, options):
    with pytest.raises(DataError, match=r"do not fit.*row 2.*decimal="):
        column(*cells, **options)


def test_certain_decimals_stay_though_their_mark_is_named_for_thousands():
    frame, _, notes = table(
        ReadOptions(thousands="."), y=["1.147", "900"], rate=["0.5", "1.25"], n=["1.000", "2"]
    )
    assert frame["y"].tolist() == [1147, 900]
    assert frame["rate"].tolist() == [0.5, 1.25]
    assert frame["n"].tolist() == [1000, 2]
    assert said(notes)["marks_against"] == ("rate",)
    for name, cells in (("income", ["900", "12.5"]), ("rate", ["1.234", "0.5"])):
        with pytest.raises(DataError, match="do not fit"):
            table(ReadOptions(thousands="."), **{name: cells})
    with pytest.raises(DataError, match="do not fit"):
        table(ReadOptions(thousands=".", decimal=","), rate=["0.5"])


def test_without_thousands_a_repeated_mark_makes_no_number():
    assert values("1.234.567", thousands="none") == ["1.234.567"]


def test_columns_may_differ_in_their_marks_if_each_is_clear():
    frame, _, notes = table(lat=["-6.25", "0.5"], income=["1.234,5", "2"])
    assert frame["lat"].tolist() == [-6.25, 0.5]
    assert frame["income"].tolist() == [1234.5, 2]
    assert said(notes) == {
        "decimal": ("income",),
        "thousands": ("income",),
        "marks_differ": ("income", "lat"),
    }


def test_commas_between_thousands_are_said_and_named_marks_are_not():
    assert said(column("1,234,567", "1.5")[2]) == {"thousands": ("x",)}
    assert said(column("1,5", decimal=",")[2]) == {}
    assert said(column("1.234,5", decimal=",")[2]) == {"thousands": ("x",)}
    assert said(column("1.234,5", decimal=",", thousands=".")[2]) == {}


# missing cells


@pytest.mark.parametrize("word", ["NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null", "."])
def test_words_for_missing_are_missing_and_counted(word):
    frame, reasons, notes = table(x=["1", word, f" {word}", ""], w=["a", word, "b", "c"])
    np.testing.assert_array_equal(frame["x"], [1, np.nan, np.nan, np.nan])
    assert frame["w"].isna().tolist() == [False, True, False, False]
    assert reasons is None
    note = next(n for n in notes if n.code == "missing_words")
    assert "x (2), w (1)" in note.message
    assert note.columns == ("x", "w")


def test_an_empty_cell_alone_is_missing_among_ids_and_named_text():
    cells = ["NA", ".", ".a", "", "1.234", "TRUE"]
    frame, reasons, notes = table(ReadOptions(text=("t",)), text={"id"}, id=cells, t=cells)
    for name in ("id", "t"):
        found = [None if pd.isna(v) else v for v in frame[name]]
        assert found == ["NA", ".", ".a", None, "1.234", "TRUE"]
    assert reasons is None
    assert notes == ()


def test_reasons_beside_numbers_are_kept():
    frame, reasons, _ = table(x=[".a", "1", ".z", "", "NA"], y=["1", "2", "3", "4", "5"])
    np.testing.assert_array_equal(frame["x"], [np.nan, 1, np.nan, np.nan, np.nan])
    assert reasons.columns.tolist() == ["x"]
    assert reasons["x"].tolist() == [".a", None, ".z", None, None]


def test_reasons_beside_words_and_other_points_are_cells():
    assert values(".a", "word") == [".a", "word"]
    assert values(".A", "1") == [".A", "1"]
    assert values(".ab", "1") == [".ab", "1"]


# codes, words, currency


@pytest.mark.parametrize(
    "cells",
    [
        ["007", "12"],
        ["00"],
        ["08.30", "9.15"],
        ["9999999999999990", "1"],
        ["-9999999999999990"],
        ["+628000000", "1"],
    ],
)
def test_codes_stay_text_and_are_said(cells):
    found, _, notes = column(*cells)
    assert found.tolist() == cells
    assert said(notes) == {"codes": ("x",)}


@pytest.mark.parametrize("code", ["0750", "00", "+628000000", "9999999999999990"])
def test_money_with_marks_is_never_codes(code):
    with pytest.raises(DataError, match=r"1 cell\(s\).*decimal= or thousands=.*text=") as refused:
        column("1.500", "2.000", code, name="pendapatan")
    assert code not in str(refused.value)
    assert values("1500", code, name="pendapatan") == ["1500", code]


def test_leading_zeros_of_amounts_are_none_where_the_marks_are_named():
    found, _, notes = column("1.500", "0750", "00", name="pendapatan", thousands=".")
    assert found.tolist() == [1500, 750, 0]
    assert said(notes)["leading_zeros"] == ("pendapatan",)
    assert values("1.500", "0750", name="y", thousands=".") == [1500, 750]
    assert values("12.5", "0750", name="pendapatan", decimal=".") == [12.5, 750]
    assert values("08.30", "9.15", name="time", decimal=".") == ["08.30", "9.15"]
    with pytest.raises(DataError, match="Mend these cells"):
        column("1.500", "+628000000", name="pendapatan", thousands=".")


def test_cells_such_as_1E2_alone_stay_text_and_are_said():
    found, _, notes = column("1E2", "5e3", "")
    assert found.tolist()[:2] == ["1E2", "5e3"]
    assert said(notes) == {"exponents": ("x",)}
    assert column("1E2", "5E3")[0].tolist() == ["1E2", "5E3"]
    assert values("1e+05", "2e+05") == [100000, 200000]
    assert values("1E2", "7") == [100, 7]


def test_ids_written_as_floating_point_are_whole_and_said():
    frame, _, notes = table(
        ReadOptions(text="kept"), text={"id"}, id=["12", "12.0", "P2"], kept=["1", "1.0", "2"]
    )
    assert frame["id"].tolist() == ["12", "12", "P2"]
    assert frame["kept"].tolist() == ["1", "1.0", "2"]
    assert said(notes) == {"ids_point_zero": ("id",)}
    for cells in (["12.0", "12.5"], ["1.0.0", "1.0"], ["012.0", "3.0"]):
        assert table(text={"id"}, id=cells)[0]["id"].tolist() == cells


def test_a_single_zero_and_fractions_are_no_codes():
    assert values("0", "10", "-0") == [0, 10, 0]
    assert values("0.5", "0") == [0.5, 0]
    assert values("0.12345678901234567") == [0.12345678901234567]


def test_true_and_false_become_one_and_nought():
    found, _, notes = column("TRUE", "false", "True")
    assert found.tolist() == [1, 0, 1]
    assert said(notes) == {"logical": ("x",)}
    np.testing.assert_array_equal(column("true", "", "NA")[0], [1, np.nan, np.nan])
    assert values("TRUE", "1") == ["TRUE", "1"]
    assert values("T", "F") == ["T", "F"]


def test_a_leading_rp_of_money_is_taken_off_and_said():
    cells = ["Rp 1.234.567", "rp500", "Rp. 600.000,-", "-Rp 5", "IDR 7,50", "12", ""]
    found, _, notes = column(*cells, name="income")
    np.testing.assert_array_equal(found, [1234567, 500, 600000, -5, 7.5, 12, np.nan])
    assert said(notes)["currency"] == ("income",)
    assert values("Rp 5", "about 6", name="income") == ["Rp 5", "about 6"]
    assert values("Rp 5", name="x") == ["Rp 5"]


# tables


def test_other_columns_and_the_index_stay():
    frame = pd.DataFrame(
        {"n": [1, 2], "m": ["a", 3], "s": ["1", ".b"], "d": pd.to_datetime(["2021-01-01"] * 2)},
        index=[5, 9],
    )
    read, reasons, *_ = normalise_numbers(frame, ReadOptions(), NONE)
    assert read.index.tolist() == [5, 9]
    assert reasons.index.tolist() == [5, 9]
    assert read.columns.tolist() == frame.columns.tolist()
    pd.testing.assert_frame_equal(read[["n", "m", "d"]], frame[["n", "m", "d"]])
    np.testing.assert_array_equal(read["s"], [1, np.nan])


def test_messages_show_no_cell():
    for cells in (["98.765"], ["98,7", "98.7"]):
        with pytest.raises(DataError) as refused:
            column(*cells, name="income")
        assert "98" not in str(refused.value)


# columns of text in the frame


@pytest.mark.parametrize("dtype", ["str", "object", "category"])
@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1.500", "2.000", "0750"], [np.nan, np.nan, 750]),
        (["1.500", "0.5"], [1.5, 0.5]),
        (["1.500", "12.34", None], [1.5, 12.34, np.nan]),
        (["1.500", "0.5", "1.500.000"], [np.nan, 0.5, np.nan]),
        (["1.500", "0.5", "7,5"], [np.nan, 0.5, np.nan]),
        (["1,5", "1,234"], [np.nan, np.nan]),
        (["1.2345", "-3", "+4", " 5 "], [1.2345, -3, 4, 5]),
        (["1E2", "2e3"], [np.nan, np.nan]),
        (["1e+05", "inf", "-Infinity", "nan"], [1e5, np.inf, -np.inf, np.nan]),
        (["2021-02-28", "0x10", "1_000", ""], [np.nan] * 4),
    ],
)
def test_text_is_a_number_only_where_it_is_one_in_one_way(cells, expected, dtype):
    np.testing.assert_array_equal(to_number(pd.Series(cells, dtype=dtype)), expected)


def test_numbers_among_text_stay_numbers():
    mixed = pd.Series([1, "1.250", 2.5, True, None, pd.Timestamp("2021-01-01")], dtype=object)
    np.testing.assert_array_equal(to_number(mixed), [1, np.nan, 2.5, 1, np.nan, np.nan])
