"""Does a Stata file keep labels, reasons, dates and ids? Written by pandas and by pyreadstat."""

import contextlib

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prakerja_eval.errors import DataError, PrakerjaEvalError, UsageError
from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.readers import read_table
from prakerja_eval.panel.table import Table

IDS = ["SYN-000001", "SYN-000002", "SYN-000003"]


def days(*values):
    return pd.to_datetime(list(values), format="ISO8601")


def labelled(path):
    frame = pd.DataFrame(
        {
            "id": IDS,
            "work": [1.0, "a", 2.0],
            "income": [1.5, np.nan, "b"],
            "city": ["Größe", "", "Jakarta  "],
        }
    )
    pyreadstat.write_dta(
        frame,
        str(path),
        version=15,
        column_labels={"work": "Kegiatan", "income": "Income, café"},
        variable_value_labels={"work": {1: "bekerja", 2: "sekolah", "a": "tidak tahu"}},
        missing_user_values={"work": ["a"], "income": ["b"]},
    )
    return path


def test_labels_stay_beside_the_codes_and_reasons_beside_missing_values(tmp_path):
    table = read_table(labelled(tmp_path / "p.dta"), ReadOptions(), frozenset({"id"}))
    np.testing.assert_array_equal(table.frame["work"], [1, np.nan, 2])
    np.testing.assert_array_equal(table.frame["income"], [1.5, np.nan, np.nan])
    work, income = table.codebook["work"], table.codebook["income"]
    assert (work.label, work.values) == ("Kegiatan", {"1": "bekerja", "2": "sekolah"})
    assert work.missing == {".a": "tidak tahu"}
    assert (income.label, income.values, income.missing) == ("Income, café", {}, {".b": ""})
    assert table.reasons["work"].tolist() == [None, ".a", None]
    assert table.reasons["income"].tolist() == [None, None, ".b"]  # a plain . has no reason
    assert table.frame["city"].tolist()[::2] == ["Größe", "Jakarta"]
    assert table.frame["city"].isna().tolist() == [False, True, False]
    assert not {"id", "city"} & set(table.codebook)


@pytest.mark.parametrize("version", [114, 117, 118, 119])
def test_dates_of_every_kind_become_iso_text(tmp_path, version):
    kinds = {"td": "td", "tc": "tc", "tm": "tm", "tq": "tq", "ty": "ty", "tw": "tw", "th": "th"}
    stamps = days("2021-02-28T13:45", "2021-08-01", None)
    frame = pd.DataFrame(dict.fromkeys(kinds, stamps)).assign(midnight=stamps.normalize())
    path = tmp_path / "d.dta"
    frame.to_stata(path, write_index=False, version=version, convert_dates=kinds)
    read = read_table(path, ReadOptions()).frame
    expected = {
        "td": ["2021-02-28", "2021-08-01"],
        "tc": ["2021-02-28T13:45:00", "2021-08-01T00:00:00"],
        "midnight": ["2021-02-28", "2021-08-01"],
        "tm": ["2021-02", "2021-08"],
        "tq": ["2021Q1", "2021Q3"],
        "ty": [2021, 2021],
        "tw": ["2021-02-26", "2021-07-30"],  # days 57 and 211 of the year: 8 and 30 weeks after 1
        "th": ["2021-01", "2021-07"],
    }
    for name, values in expected.items():
        assert read[name].tolist()[:2] == values, name
        assert pd.isna(read[name][2])


def test_dates_before_1960_and_negative_months_count_backwards(tmp_path):
    stamps = days("1959-12-31", "1945-08-17")
    frame = pd.DataFrame({"d": stamps, "m": stamps, "q": stamps})
    path = tmp_path / "d.dta"
    frame.to_stata(path, write_index=False, convert_dates={"d": "td", "m": "tm", "q": "tq"})
    read = read_table(path, ReadOptions()).frame
    assert read["d"].tolist() == ["1959-12-31", "1945-08-17"]
    assert read["m"].tolist() == ["1959-12", "1945-08"]
    assert read["q"].tolist() == ["1959Q4", "1945Q3"]


def test_accents_of_old_files_are_read_and_noted_and_the_encoding_can_be_named(tmp_path):
    path = tmp_path / "old.dta"
    frame = pd.DataFrame({"x": [1, 2], "name": ["Größe", "é"]})
    frame.to_stata(path, write_index=False, version=114, variable_labels={"x": "Größe"})
    table = read_table(path, ReadOptions())
    assert table.frame["name"].tolist() == ["Größe", "é"]
    assert table.codebook["x"].label == "Größe"
    assert [n.code for n in table.notes] == ["encoding"]
    assert "encoding=" in table.notes[0].message
    named = read_table(path, ReadOptions(encoding="cp1251"))
    assert named.frame["name"].tolist() == ["GrцЯe", "й"]  # the same bytes in Cyrillic
    assert named.notes == ()
    with pytest.raises(UsageError, match="'nonsense' is not known"):
        read_table(path, ReadOptions(encoding="nonsense"))


@pytest.mark.parametrize(
    ("dtype", "value", "held"),
    [
        ("float32", 2**24 - 1, True),
        ("float32", 2**24, False),
        ("float64", 2**24, True),
        ("float64", 2**53 - 1, True),
        ("float64", 2**53, False),
        ("int32", 2**31 - 200, True),
    ],
)
def test_ids_are_text_unless_their_storage_type_lost_digits(tmp_path, dtype, value, held):
    path = tmp_path / "ids.dta"
    pd.DataFrame({"id": np.array([value, 7], dtype=dtype), "x": [1.0, 2.0]}).to_stata(
        path, write_index=False, version=118
    )
    if held:
        read = read_table(path, ReadOptions(), frozenset({"id"}))
        assert read.frame["id"].tolist() == [str(value), "7"]
    else:
        with pytest.raises(DataError, match="the id column 'id' is stored as floating") as refused:
            read_table(path, ReadOptions(), frozenset({"id"}))
        assert str(value) not in str(refused.value)


def test_long_strings_are_read_and_dropped_columns_are_not(tmp_path):
    path = tmp_path / "long.dta"
    frame = pd.DataFrame({"id": IDS, "note": ["x" * 3000, "y", ""], "x": [1, 2, 3]})
    frame.to_stata(path, write_index=False, version=118, convert_strl=["note"])
    assert read_table(path, ReadOptions()).frame["note"][0] == "x" * 3000
    table = read_table(path, ReadOptions(drop=("note",)))
    assert list(table.frame.columns) == ["id", "x"]
    assert [(n.code, n.columns) for n in table.notes] == [("dropped", ("note",))]
    with pytest.raises(UsageError, match="Did you mean 'note'"):
        read_table(path, ReadOptions(drop=("notes",)))


def test_a_value_that_no_calendar_has_is_refused_with_its_column(tmp_path):
    path = tmp_path / "far.dta"
    frame = pd.DataFrame({"x": [1.0, 1e12], "w": [1.0, 1e12]})
    for name in ("%td", "%tc", "%tm", "%tq", "%tw", "%th"):
        values = frame.assign(x=frame["x"] * 1e6)
        pyreadstat.write_dta(values, str(path), variable_format={"x": name})
        with pytest.raises(DataError, match="the column 'x' is formatted as dates"):
            read_table(path, ReadOptions())


def test_no_rows_is_an_error_that_says_so(tmp_path):
    path = tmp_path / "none.dta"
    pyreadstat.write_dta(pd.DataFrame({"x": pd.Series([], dtype="float64")}), str(path))
    with pytest.raises(DataError, match="no rows"):
        read_table(path, ReadOptions())


def test_options_of_other_formats_are_refused(tmp_path):
    path = labelled(tmp_path / "p.dta")
    for option in ({"delimiter": ";"}, {"sheet": "a"}, {"decimal": ","}, {"header": 2}):
        with pytest.raises(UsageError, match=next(iter(option))):
            read_table(path, ReadOptions(**option))


@given(st.binary(max_size=200), st.sampled_from([b"", b"\x72\x02\x01\x00", b"<stata_dta>"]))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_bytes_are_refused(tmp_path, content, head):
    path = tmp_path / "random.dta"
    path.write_bytes(head + content)
    with pytest.raises(DataError, match="cannot be read as Stata"):
        read_table(path, ReadOptions())


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_damaged_file_gives_a_table_or_one_of_our_errors(tmp_path, data):
    path = labelled(tmp_path / "whole.dta")
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.none(), st.integers(0, len(content))))
    path = tmp_path / "damaged.dta"
    path.write_bytes(bytes(content[:cut]))
    with contextlib.suppress(PrakerjaEvalError):
        assert isinstance(read_table(path, ReadOptions(), frozenset({"id"})), Table)


def test_zeros_among_dates_of_this_century_are_said(tmp_path):
    frame = pd.DataFrame(
        {"m": [733.0, 0, 734], "born": [3650.0, 0, 7300], "d": [22339.0, 22340, 1]}
    )
    path = tmp_path / "z.dta"
    formats = {"m": "%tm", "born": "%td", "d": "%td"}
    pyreadstat.write_dta(frame, str(path), variable_format=formats)
    table = read_table(path, ReadOptions())
    (note,) = [n for n in table.notes if n.code == "zero_dates"]
    assert note.columns == ("m",)
    assert "1 row(s)" in note.message
    assert table.frame["m"].tolist() == ["2021-02", "1960-01", "2021-03"]
