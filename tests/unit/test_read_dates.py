"""Do dates become ISO text where day and month are known, and stay text where they are not?"""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.readers.dates import iso_text, normalise_dates

NONE = frozenset()


def dates(*cells, **options):
    frame = pd.DataFrame({"d": pd.Series(cells, dtype="str")})
    read, notes = normalise_dates(frame, ReadOptions(**options), NONE)
    return [None if pd.isna(v) else v for v in read["d"]], [n.code for n in notes], notes


@pytest.mark.parametrize(
    "cells",
    [
        ["2021-02-28", "2020-02-29"],
        ["2021-02", "2021-12"],
        ["2021Q1", "2021Q4"],
        ["2021-02-28T13:45:00"],
        ["words", "and more"],
        ["3201", "3202"],
        ["1.2.3", "4.5.6"],
        ["3201-45", "3202-99"],  # codes in the shape of months
        ["2021-02-28T13:45:00Z"],
    ],
)
def test_iso_dates_and_words_are_kept_without_a_note(cells):
    assert dates(*cells)[:2] == (cells, [])


@pytest.mark.parametrize("mark", ["/", "-", "."])
def test_a_part_above_twelve_shows_the_order(mark):
    day_first = [f"28{mark}02{mark}2021", f"1{mark}3{mark}2021"]
    assert dates(*day_first)[:2] == (["2021-02-28", "2021-03-01"], ["dates"])
    assert "dd/mm/yyyy" in dates(*day_first)[2][0].message
    month_first = [f"02{mark}28{mark}2021", f"1{mark}3{mark}2021"]
    assert dates(*month_first)[:2] == (["2021-02-28", "2021-01-03"], ["dates"])
    assert "mm/dd/yyyy" in dates(*month_first)[2][0].message


def test_an_order_that_no_cell_shows_is_left_with_the_option_to_name():
    cells = ["03/04/2021", "05/06/2021", None]
    found, codes, notes = dates(*cells)
    assert (found, codes) == (cells, ["date_order"])
    assert "dates='dmy'" in notes[0].message
    assert notes[0].columns == ("d",)
    assert dates(*cells, dates="dmy")[0] == ["2021-04-03", "2021-06-05", None]
    assert dates(*cells, dates="mdy")[0] == ["2021-03-04", "2021-05-06", None]


@pytest.mark.parametrize(
    ("cells", "rows"),
    [
        (["28/01/2021", "31/02/2021", "29/02/2021"], "rows 2, 3"),
        (["28/01/2021", "02/13/2021"], "row 1"),
        (["2021-02-28", "2021-02-30"], "row 2"),
        (["2021-02", "2021-13"], "row 2"),
        (["28/01/2021 13:45", "28/01/2021 24:01"], "row 2"),
        (["01/01/2021", "13/01/2021", "00/01/2021"], "row 3"),
        (["29/02/1900", "28/02/1900"], "row 1"),
    ],
)
def test_dates_that_do_not_exist_stay_text_with_their_rows(cells, rows):
    found, codes, notes = dates(*cells)
    assert (found, codes) == (cells, ["dates_faulty"])
    assert f"({rows})" in notes[0].message


def test_an_order_named_wrongly_is_no_date():
    cells = ["28/01/2021", "01/02/2021"]
    assert dates(*cells, dates="mdy")[:2] == (cells, ["dates_faulty"])


def test_two_digit_years_stay_text():
    for cells in (["28/02/21", "01/03/21"], ["12-Mei-21", "13-Mei-21"]):
        assert dates(*cells)[:2] == (cells, ["two_digit_years"])


def test_dates_with_words_among_them_stay_text_with_their_rows():
    cells = ["28/02/2021", "unknown", "01/03/2021"]
    found, codes, notes = dates(*cells)
    assert (found, codes) == (cells, ["dates_mixed"])
    assert "(row 2)" in notes[0].message
    assert "unknown" not in notes[0].message
    assert dates("28/02/2021", "a", "b", "c")[1] == []


@pytest.mark.parametrize(
    ("cell", "iso"),
    [
        ("12 Mei 2021", "2021-05-12"),
        ("12 May 2021", "2021-05-12"),
        ("1 Agustus 2021", "2021-08-01"),
        ("17-Agt-2021", "2021-08-17"),
        ("May 12, 2021", "2021-05-12"),
        ("31 Desember 2020", "2020-12-31"),
        ("31 dec 2020", "2020-12-31"),
        ("Februari 2021", "2021-02"),
        ("Oct-2021", "2021-10"),
        ("2021-Q3", "2021Q3"),
        ("2021/2/8", "2021-02-08"),
        ("2021-2-8", "2021-02-08"),
        (" 2021-02-08 ", "2021-02-08"),
    ],
)
def test_month_words_and_other_shapes(cell, iso):
    assert dates(cell)[:2] == ([iso], ["dates"])
    assert dates(cell, "2021-01-31")[0] == [iso, "2021-01-31"]


def test_a_word_that_is_no_month_makes_no_date():
    assert dates("12 Monyet 2021", "may be 2021")[:2] == (["12 Monyet 2021", "may be 2021"], [])


@pytest.mark.parametrize(
    ("cell", "iso"),
    [
        ("28/02/2021 13:45", "2021-02-28T13:45:00"),
        ("28/02/2021 13.45.07", "2021-02-28T13:45:07"),
        ("2/28/2021 1:45:00 PM", "2021-02-28T13:45:00"),
        ("2/28/2021 12:05 AM", "2021-02-28T00:05:00"),
        ("2021-02-28 13:45:00", "2021-02-28T13:45:00"),
        ("2021-02-28T13:45", "2021-02-28T13:45:00"),
    ],
)
def test_date_times(cell, iso):
    assert dates(cell)[0] == [iso]


def test_times_that_are_all_midnight_are_left_out():
    assert dates("2021-02-28 00:00:00", "2021-03-01 00:00")[0] == ["2021-02-28", "2021-03-01"]
    mixed = dates("2021-02-28 00:00:00", "2021-03-01 01:00")[0]
    assert mixed == ["2021-02-28T00:00:00", "2021-03-01T01:00:00"]


def test_columns_of_text_are_left_alone_when_told():
    frame = pd.DataFrame({"id": ["28/02/2021"], "t": ["28/02/2021"]})
    read, notes = normalise_dates(frame, ReadOptions(text=("t",)), frozenset({"id"}))
    pd.testing.assert_frame_equal(read, frame)
    assert notes == ()


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_time_stamps_become_iso_text(unit):
    stamps = pd.Series(pd.to_datetime(["2021-02-28", None, "1999-12-31"])).astype(f"M8[{unit}]")
    frame = pd.DataFrame({"d": stamps, "t": stamps + pd.Timedelta(hours=13, minutes=45)})
    read, notes = normalise_dates(frame, ReadOptions(), NONE)
    assert read["d"].dropna().tolist() == ["2021-02-28", "1999-12-31"]
    assert read["t"].dropna().tolist() == ["2021-02-28T13:45:00", "1999-12-31T13:45:00"]
    assert read["d"].isna().tolist() == [False, True, False]
    assert [str(t) for t in read.dtypes] == ["str", "str"]
    assert notes == ()
    assert frame["d"].dtype == stamps.dtype  # the source is not changed


def test_zones_dates_and_periods_become_iso_text():
    frame = pd.DataFrame(
        {
            "zone": pd.to_datetime(["2021-02-28 07:00"]).tz_localize("Asia/Jakarta"),
            "date": [datetime.date(2021, 2, 28)],
            "month": pd.PeriodIndex(["2021-02"], freq="M"),
            "quarter": pd.PeriodIndex(["2021Q1"], freq="Q"),
            "year": pd.PeriodIndex(["2021"], freq="Y"),
            "number": [3],
        }
    )
    read, _ = normalise_dates(frame, ReadOptions(), NONE)
    assert read.iloc[0].tolist() == [
        "2021-02-28T07:00:00", "2021-02-28", "2021-02", "2021Q1", 2021, 3
    ]  # fmt: skip


def test_iso_text_keeps_fractions_of_a_second_and_gaps():
    stamps = np.array(["2021-02-28T00:00:00.5", "NaT"], dtype="M8[ns]")
    assert iso_text(stamps).tolist() == ["2021-02-28T00:00:00.500000", None]
    assert iso_text(np.array(["NaT"], dtype="M8[s]")).tolist() == [None]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.dates(min_value=datetime.date(1000, 1, 1)), min_size=1),
    st.sampled_from([("%d/%m/%Y", "dmy"), ("%m-%d-%Y", "mdy"), ("%d.%m.%Y", "dmy")]),
)
def test_written_dates_come_back(days, form):
    pattern, order = form
    found = dates(*(d.strftime(pattern) for d in days), dates=order)[0]
    assert found == [d.isoformat() for d in days]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.from_regex(r"[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{4}( [0-9]{2}:[0-9]{2})?",
                          fullmatch=True),
            st.from_regex(r"[0-9]{4}-?(Q[0-9]|[0-9]{2}|[0-9]{2}-[0-9]{2})", fullmatch=True),
            st.from_regex(r"[0-9]{1,2} (Mei|Feb|xyz) [0-9]{2,4}", fullmatch=True),
        ),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([None, "dmy", "mdy"]),
)  # fmt: skip
def test_any_cells_in_the_shape_of_dates_are_written_or_left_whole(cells, order):
    found, codes, _ = dates(*cells, dates=order)
    assert len(codes) <= 1
    if codes != ["dates"]:
        assert found == cells
    else:
        assert all(len(v) >= 6 and v[:4].isdigit() for v in found)
