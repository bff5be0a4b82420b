"""Does Parquet give values by the file's types? Written by pyarrow and by pandas."""

import contextlib
import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prakerja_eval.errors import DataError, PrakerjaEvalError, UsageError
from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.readers import read_table
from prakerja_eval.panel.table import Table

NONE = ReadOptions()


def read(tmp_path, columns, options=NONE, ids=()):
    path = tmp_path / "p.parquet"
    pq.write_table(pa.table(columns), path)
    return read_table(path, options, frozenset(ids))


def test_types_become_numbers_text_and_iso_dates(tmp_path):
    stamp = dt.datetime(2021, 2, 28, 13, 45)
    columns = {
        "i": pa.array([1, 2], pa.int8()),
        "j": pa.array([1, None], pa.int32()),
        "f": pa.array([1.5, float("nan")], pa.float32()),
        "b": pa.array([True, False]),
        "c": pa.array([True, None]),
        "m": pa.array([Decimal("1.50"), None], pa.decimal128(9, 2)),
        "day": pa.array([stamp.date(), None]),
        "at": pa.array([stamp, None], pa.timestamp("us")),
        "midnight": pa.array([dt.datetime(2021, 2, 28), None], pa.timestamp("ns")),
        "hour": pa.array([dt.time(13, 45), None], pa.time32("s")),
        "s": pa.array([" a ", ""]),
        "n": pa.nulls(2),
        "city": pa.array(["x", "y"]).dictionary_encode(),
    }
    frame = read(tmp_path, columns).frame
    for name, kind in {"i": np.int64, "b": np.int64}.items():
        assert frame[name].dtype == kind
    assert frame["i"].tolist() == [1, 2]
    assert frame["b"].tolist() == [1, 0]
    for name, first in {"j": 1, "f": 1.5, "c": 1, "m": 1.5}.items():
        assert frame[name].dtype == np.float64
        np.testing.assert_array_equal(frame[name], [first, np.nan])
    words = {"day": "2021-02-28", "at": "2021-02-28T13:45:00", "midnight": "2021-02-28"}
    for name, first in {**words, "hour": "13:45:00", "s": "a"}.items():
        assert frame[name][0] == first
        assert pd.isna(frame[name][1])
    assert frame["n"].isna().all()
    assert frame["city"].tolist() == ["x", "y"]
    assert not isinstance(frame["city"].dtype, pd.CategoricalDtype)


def test_the_order_of_word_categories_stays_and_that_of_numbers_is_their_own(tmp_path):
    waves = pd.Categorical(["endline", "baseline"], ["baseline", "endline"], ordered=True)
    frame = pd.DataFrame({"w": waves, "k": pd.Categorical([2, 1], [2, 1], ordered=True)})
    path = tmp_path / "p.parquet"
    frame.to_parquet(path)
    table = read_table(path, ReadOptions())
    assert table.frame["w"].cat.ordered
    assert table.frame["w"].cat.categories.tolist() == ["baseline", "endline"]
    assert table.frame["w"].tolist() == ["endline", "baseline"]
    assert (table.frame["k"].dtype, table.frame["k"].tolist()) == (np.int64, [2, 1])


def test_the_clock_of_a_time_zone_stays_and_the_zone_is_noted(tmp_path):
    stamp = pa.array([dt.datetime(2021, 2, 28, 17, 30)], pa.timestamp("us", "Asia/Jakarta"))
    table = read(tmp_path, {"t": stamp})  # Arrow holds UTC; Jakarta is seven hours ahead
    assert table.frame["t"].tolist() == ["2021-03-01T00:30:00"]
    assert [(n.code, n.columns) for n in table.notes] == [("timezone", ("t",))]


LONG = 9_999_999_999_999_991  # beyond 2**53


def test_ids_of_every_type_keep_their_digits(tmp_path):
    for cells, expected in (
        (pa.array([LONG, None]), [str(LONG), None]),
        (pa.array([LONG, 1], pa.uint64()), [str(LONG), "1"]),
        (pa.array(["007", " 8 "]), ["007", "8"]),
        (pa.array(["007", "8"], pa.large_string()), ["007", "8"]),
        (pa.array(["007", "8"]).dictionary_encode(), ["007", "8"]),
        (pa.array([3.0, float("nan")]), ["3", None]),
        (pa.array([2.0**24 - 1], pa.float32()), ["16777215"]),
        (pa.array([Decimal(LONG)], pa.decimal128(20, 0)), [str(LONG)]),
        (pa.array([Decimal("3.00")], pa.decimal128(5, 2)), ["3"]),
    ):
        found = read(tmp_path, {"id": cells, "x": cells}, ids=["id"]).frame["id"]
        assert [None if pd.isna(v) else v for v in found] == expected, cells.type


@pytest.mark.parametrize(
    "cells",
    [
        pa.array([2.0**53]),
        pa.array([2.0**24], pa.float32()),
        pa.array([1.5]),
        pa.array([float("inf")]),
        pa.array([Decimal("1.50")], pa.decimal128(5, 2)),
    ],
)
def test_ids_that_lost_digits_or_are_none_are_refused(tmp_path, cells):
    with pytest.raises(DataError, match="the id column 'id'"):
        read(tmp_path, {"id": cells}, ids=["id"])


def test_whole_numbers_that_arithmetic_would_round_stay_text(tmp_path):
    table = read(tmp_path, {"x": pa.array([LONG, None]), "y": pa.array([LONG, 1])})
    assert table.frame["x"][0] == str(LONG)
    assert table.frame["y"].tolist() == [LONG, 1]
    assert [n.columns for n in table.notes if n.code == "digits"] == [("x",)]


@pytest.mark.parametrize(
    "cells",
    [
        pa.array([[1, 2]]),
        pa.array([{"a": 1}]),
        pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
        pa.array([b"\x00"]),
        pa.array([b"\x00"], pa.binary(1)),
        pa.array([dt.timedelta(1)]),
    ],
)
def test_columns_that_are_no_values_are_named_and_can_be_dropped(tmp_path, cells):
    columns = {"x": pa.array([1]), "odd": cells}
    for ids in ((), ("odd",)):
        with pytest.raises(DataError, match=r"'odd' holds lists.*drop="):
            read(tmp_path, columns, ids=ids)
    table = read(tmp_path, columns, ReadOptions(drop=("odd",)))
    assert list(table.frame.columns) == ["x"]
    assert [(n.code, n.columns) for n in table.notes] == [("dropped", ("odd",))]


def test_a_named_index_is_a_column_and_a_nameless_one_is_none(tmp_path):
    path = tmp_path / "p.parquet"
    frame = pd.DataFrame({"x": [1, 2]})
    for index, names in (
        (pd.Index(["a", "b"], name="id"), ["x", "id"]),
        (pd.RangeIndex(5, 7, name="id"), ["id", "x"]),
        (pd.RangeIndex(5, 7), ["x"]),
        (pd.Index([5, 9]), ["x"]),
        (pd.Index(["a", "b"]), ["x", "index_2"]),
    ):
        frame.set_index(index).to_parquet(path)
        table = read_table(path, ReadOptions(), frozenset({"id"}))
        assert list(table.frame.columns) == names
        if "id" in names:
            assert table.frame["id"].tolist() == [str(v) for v in index]


def test_periods_of_pandas_are_text(tmp_path):
    path = tmp_path / "p.parquet"
    months = pd.PeriodIndex(["2021-02", "2021-03"], freq="M")
    pd.DataFrame({"m": months, "q": months.asfreq("Q"), "y": months.asfreq("Y")}).to_parquet(path)
    frame = read_table(path, ReadOptions()).frame
    assert frame["m"].tolist() == ["2021-02", "2021-03"]
    assert frame["q"].tolist() == ["2021Q1", "2021Q1"]
    assert frame["y"].tolist() == [2021, 2021]


def test_two_columns_of_one_name_and_files_without_rows_are_refused(tmp_path):
    path = tmp_path / "p.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["x", "x"]), path)
    with pytest.raises(DataError, match="two columns have the same name: x"):
        read_table(path, ReadOptions())
    with pytest.raises(DataError, match="no rows"):
        read(tmp_path, {"x": pa.array([], pa.int64())})


def test_names_in_drop_and_text_must_be_there(tmp_path):
    columns = {"income": pa.array([1])}
    for option in ("drop", "text"):
        with pytest.raises(UsageError, match="Did you mean 'income'"):
            read(tmp_path, columns, ReadOptions(**{option: "incme"}))
    assert read(tmp_path, columns, ReadOptions(text="income")).frame["income"].tolist() == ["1"]
    for option in ({"encoding": "cp1252"}, {"thousands": "."}, {"delimiter": ";"}):
        with pytest.raises(UsageError, match=next(iter(option))):
            read(tmp_path, columns, ReadOptions(**option))


def test_text_that_is_no_utf8_is_refused(tmp_path):
    raw = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.array([0, 2], pa.int32()).buffers()[1], pa.py_buffer(b"\xff\xfe")]
    )
    with pytest.raises(DataError, match="damaged"):
        read(tmp_path, {"s": raw})


@given(st.binary(max_size=200), st.sampled_from([b"", b"PAR1"]))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_bytes_are_refused(tmp_path, content, head):
    path = tmp_path / "random.parquet"
    path.write_bytes(head + content + head)
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read_table(path, ReadOptions())


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_damaged_file_gives_a_table_or_one_of_our_errors(tmp_path, data):
    path = tmp_path / "damaged.parquet"
    waves = pd.Categorical(["a", "b", None], ordered=True)
    pd.DataFrame(
        {
            "id": ["SYN-000001", "SYN-000002", None],
            "x": [1.5, 2, np.nan],
            "n": [1, 2, 3],
            "w": waves,
        }
    ).to_parquet(path, compression=data.draw(st.sampled_from(["snappy", None])))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.none(), st.integers(0, len(content))))
    path.write_bytes(bytes(content[:cut]))
    with contextlib.suppress(PrakerjaEvalError):
        assert isinstance(read_table(path, ReadOptions(), frozenset({"id"})), Table)
