"""Is a text file read as it stands, or refused with what would settle it?"""

import csv
import io
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prakerja_eval.errors import DataError, PrakerjaEvalError, UsageError
from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.readers import read_table
from prakerja_eval.panel.readers.delimited import read_delimited
from prakerja_eval.panel.table import Table

IDS = frozenset({"id"})


@pytest.fixture
def read(tmp_path):
    def reader(content, ids=IDS, **options):
        path = tmp_path / "panel.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_delimited(path, ReadOptions(**options), frozenset(ids))

    return reader


def codes(table):
    return [note.code for note in table.notes]


def test_a_plain_file_is_read_without_a_note(read):
    table = read("id,wave,won,income,word\nSYN-000001,2020,1,12.5,None\nSYN-000002,2021,0,,b\n")
    assert table.frame["id"].tolist() == ["SYN-000001", "SYN-000002"]
    assert table.frame["wave"].tolist() == [2020, 2021]
    assert table.frame["word"].tolist() == ["None", "b"]
    np.testing.assert_array_equal(table.frame["income"], [12.5, np.nan])
    assert [str(d) for d in table.frame.dtypes] == ["str", "int64", "int64", "float64", "str"]
    assert table.notes == ()
    assert table.reasons is None


# encoding


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_shows_itself(read, encoding):
    table = read("id,word\n001,Médan ☂\n".encode(encoding))
    assert table.frame.to_dict("list") == {"id": ["001"], "word": ["Médan ☂"]}
    assert table.notes == ()


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_both_orders_of_utf_16_are_read_by_their_mark(read, mark):
    order = "utf-16-le" if mark == b"\xff\xfe" else "utf-16-be"
    assert read(mark + "id,x\na,é\n".encode(order)).frame["x"].tolist() == ["é"]


def test_windows_text_is_read_and_said(read):
    table = read("id,word\na,Yogyakarta – “é”\n".encode("cp1252"))
    assert table.frame["word"].tolist() == ["Yogyakarta – “é”"]
    assert codes(table) == ["encoding"]
    assert "encoding=" in table.notes[0].message


def test_a_named_encoding_wins(read):
    assert read("id,x\na,Ж\n".encode("cp1251"), encoding="cp1251").frame["x"].tolist() == ["Ж"]
    bare = "id,x\na,é\n".encode("utf-16-le")
    assert read(bare, encoding="utf-16-le").frame["x"].tolist() == ["é"]
    marked = read("id,x\na,é\n".encode("utf-8-sig"), encoding="utf-8")
    assert list(marked.frame.columns) == ["id", "x"]


@pytest.mark.parametrize("encoding", ["klingon", "base64", "", "a\0b", "rot13"])
def test_an_unknown_encoding_is_a_wrong_call(read, encoding):
    with pytest.raises(UsageError, match="encoding="):
        read("id,x\na,1\n", encoding=encoding)


def test_bytes_that_are_not_in_the_named_encoding_are_refused(read):
    with pytest.raises(DataError, match="is not text in encoding='utf-8'"):
        read(b"id,x\na,\xe9\n", encoding="utf-8")


@pytest.mark.parametrize(
    "content",
    [
        b"id,x\na,\0\n",
        "id,x\na,1\n".encode("utf-16-le"),
        b"id,x\na,\x81\n",  # no character of cp1252
        b"id,x\na,\xe9\x07\n",  # a control character
        b"\xff\xfeid,x\na,1\n12",  # marked as UTF-16, with half a character
        b"PK\x03\x04\x14\0\x06\0\x08\0",
        b"\x89PNG\r\n\x1a\n\0\0",
    ],
)
def test_what_is_not_text_is_refused_with_the_option(read, content):
    with pytest.raises(DataError, match=r"not a text file.*encoding="):
        read(content)


# layout


@pytest.mark.parametrize(("name", "mark"), [(";", ";"), ("tab", "\t"), ("|", "|"), (",", ",")])
def test_the_delimiter_is_found_said_or_told(read, name, mark):
    content = mark.join(("id", "x", "word")) + "\n" + mark.join(("a", "1", '"b,;|\tc"')) + "\n"
    found = read(content)
    assert found.frame.to_dict("list") == {"id": ["a"], "x": [1], "word": ["b,;|\tc"]}
    assert codes(found) == ([] if mark == "," else ["delimiter"])
    assert read(content, delimiter=name).notes == ()
    assert read(content, delimiter=mark).frame.equals(found.frame)


def test_a_wrong_delimiter_is_refused_with_the_right_one(read):
    for named in (",", "|", "tab"):
        with pytest.raises(DataError, match=r"reads as one column.*delimiter=';'"):
            read("id;x\na;1\n", delimiter=named)


def test_two_delimiters_that_fit_equally_are_refused(read):
    with pytest.raises(
        DataError, match="commas or semicolons; name delimiter=',' or delimiter=';'"
    ):
        read("id;x,y\na;1,5\nb;2,5\n")
    assert list(read("id;x,y\na;1,5\n", delimiter=",").frame.columns) == ["id;x", "y"]


def test_a_header_between_blanks_is_refused(read):
    with pytest.raises(DataError, match="reads as one column"):
        read("id won income\na 1 2\n")


def test_the_line_that_names_the_delimiter_for_excel_is_obeyed(read):
    table = read("sep=;\nid;x,y\na;1,5\n")
    assert table.frame.to_dict("list") == {"id": ["a"], "x,y": [1.5]}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_blank_lines_are_no_cells(read, end):
    table = read(end.join(["", "id,x", "", "a,1", "  ", "b,2", "", "\x1a"]))
    assert table.frame.to_dict("list") == {"id": ["a", "b"], "x": [1, 2]}


def test_a_row_of_empty_cells_is_a_row(read):
    table = read("id,x\na,1\n,\nb,2\n")
    assert table.frame["id"].isna().tolist() == [False, True, False]
    np.testing.assert_array_equal(table.frame["x"], [1, np.nan, 2])


@pytest.mark.parametrize("content", ["", "\n \n", "\ufeff", "\r\n"])
def test_an_empty_file_is_refused(read, content):
    with pytest.raises(DataError, match="it is empty"):
        read(content)


@pytest.mark.parametrize("content", ["id,x", "id,x\n", "id;x\n\n"])
def test_names_without_rows_are_refused(read, content):
    with pytest.raises(DataError, match="names and no rows"):
        read(content)


@pytest.mark.parametrize(
    ("row", "cells"), [("b,2,3,4", 4), ("b,2", 2), ("b", 1), ("SECRET,2,,,,", 6)]
)
def test_a_ragged_row_is_refused_with_its_number_and_without_its_cells(read, row, cells):
    with pytest.raises(DataError, match=rf"row 2 .* has {cells} cell.*3 name") as refused:
        read(f"id,x,y\na,1,2\n\n{row}\nc,1,2\n")
    assert "SECRET" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


def test_row_names_of_r_are_not_shifted_in_silence(read):
    with pytest.raises(DataError, match="as R writes row names"):
        read("id,x\n1,a,1\n2,b,2\n")
    named = read('"","id","x"\n"1","a",1\n"2","b",2\n')
    assert list(named.frame.columns) == ["column_1", "id", "x"]
    assert codes(named) == ["nameless"]
    assert named.notes[0].columns == ("column_1",)


def test_a_decimal_comma_among_commas_is_explained(read):
    with pytest.raises(DataError, match="decimal commas need quotation marks"):
        read("id,x\na,1\nb,2,5\n")


@pytest.mark.parametrize(
    "content",
    [
        'id,x\na,"1\nb,2\n',  # as many cells as names
        'id,x\n"a,1\nb,2\n',
        'id,x\na,1\nb,"2',
        'id,"x\na,1\n',
    ],
)
def test_a_quotation_mark_that_is_not_closed_is_refused(read, content):
    with pytest.raises(DataError, match="quotation mark"):
        read(content)


def test_quoted_cells_hold_delimiters_quotes_and_line_ends(read):
    table = read('id,word,x\na,"b ""c"", d\ne",1\nf,5" pipe,2\n')
    assert table.frame["word"].tolist() == ['b "c", d\ne', '5" pipe']
    assert table.frame["x"].tolist() == [1, 2]


def test_names_that_stand_twice_are_refused(read):
    for header in ("id,x,x", "id,x, x"):
        with pytest.raises(DataError, match="two columns named 'x'"):
            read(f"{header}\na,1,2\n")


def test_blanks_around_names_and_cells_are_taken_off_and_said(read):
    table = read('id , net  income,word\n a, 1.5 ,b \nc,2," "\n')
    assert list(table.frame.columns) == ["id", "net income", "word"]
    assert table.frame["id"].tolist() == ["a", "c"]
    assert table.frame["net income"].tolist() == [1.5, 2.0]
    assert table.frame["word"].isna().tolist() == [False, True]
    assert dict.fromkeys(codes(table)) == {"names": None, "blanks": None}


def test_a_column_without_name_and_cells_is_left_out(read):
    table = read("id,x,,\na,1,,\nb,2,,\n")
    assert list(table.frame.columns) == ["id", "x"]
    assert codes(table) == ["empty_columns"]


def test_a_made_up_name_is_new(read):
    table = read("id,,column_2\na,1,2\n")
    assert list(table.frame.columns) == ["id", "column_2_", "column_2"]


def test_title_rows_are_left_out_when_told(read):
    content = "Survey of 2021,,\n\nid,x,y\na,1,2\n"
    assert read(content, header=3).frame.to_dict("list") == {"id": ["a"], "x": [1], "y": [2]}
    with pytest.raises(DataError, match="header=9"):
        read(content, header=9)


def test_a_row_of_data_is_not_taken_for_names(read):
    with pytest.raises(DataError, match="header=") as refused:
        read("9999999999999990,1\n9999999999999991,0\n")
    assert "999999" not in str(refused.value)


@pytest.mark.parametrize(
    "content",
    [
        "Budi,Jl Merdeka 5,1,2500000\nSiti,Jl Kartini 7,0,1500000\n",
        "Budi,1234\nSiti,1235\n",
        "Budi,1.500\nSiti,2.000\n",
        "Budi,budi@example.org\nSiti,siti@example.org\n",
        "Budi,0812-000-0000\nSiti,0812-000-0001\n",
        "Budi,+62 812 000\nSiti,+62 812 001\n",
        "Budi,25/06/2021\nSiti,26/06/2021\n",
        "Budi,1,1\nSiti,0,1\n",
        "Budi,Bali,L\nSiti,Jambi,P\nAgus,Bali,L\n",
    ],
)
def test_the_first_person_of_a_file_without_names_is_not_shown(read, content):
    with pytest.raises(DataError, match=r"looks like a row of data.*row of names.*header=") as said:
        read(content)
    assert "Budi" not in str(said.value)


@pytest.mark.parametrize(
    "header",
    ["id,2020,2021", "id,1,2", "q7,q7.1,7", "desa,1990,3", "id,inc_2020,y2021-02", "a,b,c"],
)
def test_years_and_questions_are_names(read, header):
    table = read(f"{header}\nSYN-000001,2020,1\nSYN-000002,2021,2\n", ids=())
    assert list(table.frame.columns) == header.split(",")


def test_names_repeated_among_the_rows_are_no_data(read):
    table = read("kode,kab,sex\na,Bali,L\nkode,kab,sex\n", ids=())
    assert list(table.frame.columns) == ["kode", "kab", "sex"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("<!DOCTYPE html>\n<html><body>Sign in, please</body></html>\n", "HTML"),
        ("\n <html>\n", "HTML"),
        ('<?xml version="1.0"?>\n<a/>\n', "XML"),
        ('{"id": ["a"], "x": [1]}\n', "JSON"),
        ('[{"id": "a"},\n{"id": "b"}]\n', "JSON"),
        ("%PDF-1.7\nid,x\n", "PDF"),
    ],
)
def test_what_is_another_format_is_told_as_what_it_is(read, content, kind):
    with pytest.raises(DataError, match=f"is .*{kind}.*as CSV"):
        read(content)


def test_dropped_columns_appear_nowhere(read):
    content = "id,phone ,income,x\na,NA,1.234,1\nb, 2,2.345,2\n"
    table = read(content, drop=("phone", "income"))
    assert list(table.frame.columns) == ["id", "x"]
    assert [(n.code, n.columns) for n in table.notes] == [("dropped", ("phone", "income"))]
    twice = read("id,phone,x,phone\na,1,2,3\n", drop=("phone",))
    assert twice.frame.to_dict("list") == {"id": ["a"], "x": [2]}
    with pytest.raises(UsageError, match="leaves no column"):
        read("id,x\na,1\n", drop=("id", "x"))


def test_a_file_that_cannot_be_opened_is_refused(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_delimited(tmp_path, ReadOptions(), IDS)


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".txt", ".TXT"])
def test_the_door_knows_the_endings(tmp_path, ending):
    path = tmp_path / f"panel{ending}"
    path.write_text("id\tx\na\t1\n")
    assert read_table(path, ReadOptions(), IDS).frame["x"].tolist() == [1]


def test_a_late_fault_is_found_beyond_the_first_block(read):
    body = "".join(f"SYN-{i:06d},{i}\n" for i in range(30_000))
    assert len(read("id,x\n" + body).frame) == 30_000
    with pytest.raises(DataError, match="row 30001 "):
        read("id,x\n" + body + "SYN-030000,1,2\n")
    with pytest.raises(DataError, match="quotation mark"):
        read("id,x\n" + body + 'SYN-030000,"1\n' + body)


# round trips, by a writer of our own


def written(frame, delimiter, decimal=".", thousands=""):
    """Write numbers as a spreadsheet of a country does, and everything else as it is."""

    def number(value):
        if isinstance(value, str):
            return value
        if np.isnan(value):
            return ""
        text = f"{value:,.2f}" if thousands else f"{value:.2f}"
        return text.translate(str.maketrans({",": thousands, ".": decimal}))

    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(frame.columns)
    writer.writerows([number(v) for v in row] for row in frame.itertuples(index=False))
    return out.getvalue()


cents = st.integers(-(10**11), 10**11).map(lambda v: v / 100)
words = st.text(st.sampled_from("abÉü,;|\t\"' x–"), max_size=8).map(lambda w: f"w{w}w")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(st.tuples(words, cents, st.one_of(cents, st.just(np.nan))), min_size=1),
    dialect=st.sampled_from(
        [(",", ".", "", "utf-8"), (";", ",", "", "utf-8-sig"), (";", ",", ".", "utf-16"),
         ("\t", ".", ",", "cp1252")]
    ),
    told=st.booleans(),
)  # fmt: skip
def test_numbers_and_words_come_back_from_four_dialects(read, rows, dialect, told):
    delimiter, decimal, thousands, encoding = dialect
    frame = pd.DataFrame(rows, columns=["word", "income", "profit"])
    frame.insert(0, "id", [f"{i:03d}" for i in range(len(frame))])
    named = {"decimal": decimal, "delimiter": delimiter} if told else {"delimiter": delimiter}
    content = written(frame, delimiter, decimal, thousands).encode(encoding)
    table = read(content, **named)
    assert table.frame["id"].tolist() == frame["id"].tolist()
    assert table.frame["word"].tolist() == frame["word"].tolist()
    for column in ("income", "profit"):
        np.testing.assert_array_equal(table.frame[column].to_numpy(), frame[column].to_numpy())


CELLS = st.sampled_from(
    ["a", "1", "1.234", "1,5", "1.5", '"', '""', ",", ";", "\t", "|", "\n", "\r", "\r\n", "NA",
     ".", ".a", "01/02/2021", "31/02/2021", "Rp 5", "TRUE", "007", "é", "\0", " ", "-", "1e5",
     "2021-02", "12 Mei 2021", "sep=", "inf", "id", "income", "\x1a", "\ufeff", "9" * 20]
)  # fmt: skip


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    content=st.one_of(
        st.binary(max_size=200),
        st.lists(CELLS, max_size=40).map(lambda c: "".join(c).encode()),
        st.lists(CELLS, max_size=40).map(lambda c: ("id,income\n" + ",".join(c)).encode()),
    ),
    options=st.fixed_dictionaries(
        {},
        optional={
            "delimiter": st.sampled_from([",", ";", "tab", "|"]),
            "thousands": st.sampled_from([" ", "none"]),
            "encoding": st.sampled_from(["utf-16", "cp1252", "latin-1", "utf-7", "idna", "gbk"]),
            "header": st.integers(1, 4),
            "dates": st.sampled_from(["dmy", "mdy"]),
            "drop": st.just(("id",)),
        },
    ),
)
def test_any_bytes_give_a_table_or_one_of_our_errors(read, content, options):
    try:
        table = read(content, **options)
    except PrakerjaEvalError:
        return
    assert isinstance(table, Table)
    assert len(table.frame) > 0
    assert table.frame.columns.is_unique
    assert {d.kind if d.kind in "if" else str(d) for d in table.frame.dtypes} <= {"i", "f", "str"}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cells=st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=1))
def test_ids_come_back_as_they_are_but_for_blanks_around_them(read, cells):
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([["id", "x"], *([c, 1] for c in cells)])
    found = read(out.getvalue()).frame["id"]
    if any("." in c for c in cells) and all(re.fullmatch(r"\d+\.0", c) for c in cells if "." in c):
        return
    assert [None if pd.isna(v) else v for v in found] == [c.strip() or None for c in cells]
