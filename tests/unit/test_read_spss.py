"""Does an SPSS file keep labels, user-missing codes and dates? Written by pyreadstat."""

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


def labelled(path, **more):
    frame = pd.DataFrame(
        {
            "id": ["SYN-000001", "SYN-000002", "SYN-000003  ", "SYN-000004"],
            "work": [1.0, 98, 2, np.nan],
            "income": [97.0, 98.5, 99, 250],
            "wave": [1.0, 2, 1, 2],
            "job": ["tani", "XX", "  ", "toko"],
        }
    )
    pyreadstat.write_sav(
        frame,
        str(path),
        column_labels={"work": "Kegiatan", "job": "Pekerjaan, é"},
        variable_value_labels={
            "work": {1: "bekerja", 2: "sekolah", 98: "tidak tahu", 99: "menolak"},
            "income": {97: "refused"},
            "job": {"XX": "unknown"},
        },
        missing_ranges={"work": [98, 99], "income": [{"lo": 97, "hi": 99}], "job": ["XX"]},
        **more,
    )
    return path


@pytest.mark.parametrize(
    ("ending", "more"),
    [(".sav", {}), (".sav", {"row_compress": True}), (".zsav", {"compress": True})],
)
def test_codes_and_user_missing_values_and_ranges_are_told_apart(tmp_path, ending, more):
    path = labelled(tmp_path / f"p{ending}", **more)
    table = read_table(path, ReadOptions(), frozenset({"id"}))
    np.testing.assert_array_equal(table.frame["work"], [1, np.nan, 2, np.nan])
    np.testing.assert_array_equal(table.frame["income"], [np.nan] * 3 + [250])
    work, income, job = (table.codebook[c] for c in ("work", "income", "job"))
    assert (work.label, work.values) == ("Kegiatan", {"1": "bekerja", "2": "sekolah"})
    assert work.missing == {"98": "tidak tahu", "99": "menolak"}
    assert (income.values, income.missing) == ({}, {"97": "refused", "98.5": "", "99": ""})
    assert (job.label, job.values, job.missing) == ("Pekerjaan, é", {}, {"XX": "unknown"})
    assert table.reasons["work"].tolist() == [None, "98", None, None]
    assert table.reasons["income"].tolist() == ["97", "98.5", "99", None]
    assert table.reasons["job"].tolist() == [None, "XX", None, None]
    assert table.frame["id"].tolist() == [f"SYN-00000{k}" for k in (1, 2, 3, 4)]
    assert table.frame["job"].isna().tolist() == [False, True, True, False]
    assert table.frame["wave"].dtype == np.int64
    assert "wave" not in table.codebook


def seconds(stamp):
    return (pd.Timestamp(stamp) - pd.Timestamp("1582-10-14")).total_seconds()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("DATE11", "2021-02-28"),
        ("ADATE10", "2021-02-28"),
        ("EDATE10", "2021-02-28"),
        ("SDATE10", "2021-02-28"),
        ("JDATE7", "2021-02-28"),
        ("DATETIME20", "2021-02-28T13:45:00"),
        ("MOYR8", "2021-02"),
        ("QYR8", "2021Q1"),
    ],
)
def test_dates_of_every_format_become_iso_text(tmp_path, kind, expected):
    path = tmp_path / "d.sav"
    frame = pd.DataFrame({"d": [seconds("2021-02-28T13:45:00"), np.nan], "x": [1, 2]})
    pyreadstat.write_sav(frame, str(path), variable_format={"d": kind})
    read = read_table(path, ReadOptions()).frame["d"]
    assert read[0] == expected
    assert pd.isna(read[1])


def test_date_times_at_midnight_are_dates_and_durations_stay_seconds(tmp_path):
    path = tmp_path / "d.sav"
    frame = pd.DataFrame({"d": [seconds("2021-02-28"), seconds("1945-08-17")], "t": [60.0, 90.5]})
    pyreadstat.write_sav(frame, str(path), variable_format={"d": "DATETIME20", "t": "TIME8"})
    table = read_table(path, ReadOptions())
    assert table.frame["d"].tolist() == ["2021-02-28", "1945-08-17"]
    assert table.frame["t"].tolist() == [60.0, 90.5]
    assert [n.code for n in table.notes] == ["durations"]


def test_values_that_no_calendar_has_are_refused(tmp_path):
    path = tmp_path / "d.sav"
    frame = pd.DataFrame({"d": [1.0, 1e15]})
    for kind in ("DATE11", "DATETIME20", "MOYR8", "QYR8"):
        pyreadstat.write_sav(frame, str(path), variable_format={"d": kind})
        with pytest.raises(DataError, match="the column 'd' is formatted as dates"):
            read_table(path, ReadOptions())


def test_numeric_ids_are_text_and_those_that_lost_digits_are_refused(tmp_path):
    path = tmp_path / "ids.sav"
    pyreadstat.write_sav(pd.DataFrame({"id": [2.0**53 - 1, 7], "x": [1, 2]}), str(path))
    read = read_table(path, ReadOptions(), frozenset({"id"})).frame
    assert read["id"].tolist() == ["9007199254740991", "7"]
    for bad, said in ((2.0**53, "floating-point"), (1.5, "fractions")):
        pyreadstat.write_sav(pd.DataFrame({"id": [bad, 7], "x": [1, 2]}), str(path))
        with pytest.raises(DataError, match=said):
            read_table(path, ReadOptions(), frozenset({"id"}))


def test_dropped_columns_are_not_read_and_options_of_other_formats_are_refused(tmp_path):
    path = labelled(tmp_path / "p.sav")
    table = read_table(path, ReadOptions(drop=("job", "work")))
    assert list(table.frame.columns) == ["id", "income", "wave"]
    assert set(table.codebook) == {"income"}
    with pytest.raises(UsageError, match="drop= leaves no column"):
        read_table(path, ReadOptions(drop=("id", "work", "income", "wave", "job")))
    with pytest.raises(UsageError, match="sheet"):
        read_table(path, ReadOptions(sheet="a"))


def test_a_table_of_value_labels_that_ends_pyreadstat_does_not_end_us(tmp_path):
    content = bytearray(labelled(tmp_path / "p.sav").read_bytes())
    # record 4 follows the labels: its type, one variable, the variable's place, here none there
    place = content.index(b"\x04\x00\x00\x00\x01\x00\x00\x00\x03\x00\x00\x00")
    content[place + 8] = 0
    path = tmp_path / "damaged.sav"
    path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read as SPSS"):
        read_table(path, ReadOptions())


@given(st.binary(max_size=200), st.sampled_from([b"", b"$FL2@(#) SPSS", b"$FL3"]))
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_bytes_are_refused(tmp_path, content, head):
    path = tmp_path / "random.sav"
    path.write_bytes(head + content)
    with pytest.raises(DataError, match="cannot be read as SPSS"):
        read_table(path, ReadOptions())


@pytest.mark.witness
@given(st.data())
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_damaged_file_gives_a_table_or_one_of_our_errors(tmp_path, data):
    compress = data.draw(st.booleans())
    path = labelled(tmp_path / "whole.sav", compress=compress)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.none(), st.integers(0, len(content))))
    path = tmp_path / "damaged.sav"
    path.write_bytes(bytes(content[:cut]))
    with contextlib.suppress(PrakerjaEvalError):
        assert isinstance(read_table(path, ReadOptions(), frozenset({"id"})), Table)
