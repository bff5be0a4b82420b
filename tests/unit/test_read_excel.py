"""Is a sheet read as it is meant, or refused with the cells to mend? Written by openpyxl."""

import contextlib
import datetime as dt
import zipfile

import numpy as np
import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prakerja_eval.errors import DataError, PrakerjaEvalError, UsageError
from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.readers import read_table
from prakerja_eval.panel.table import Table


def book(path, rows, **sheets):
    """Write rows into the first sheet, and further sheets by name."""
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    for name, more in sheets.items():
        sheet = made.create_sheet(name)
        for row in more:
            sheet.append(row)
    made.save(path)
    return path


def read(tmp_path, rows, ids=(), **options):
    path = book(tmp_path / "p.xlsx", rows)
    return read_table(path, ReadOptions(**options), frozenset(ids))


def codes(table):
    return [n.code for n in table.notes]


def test_cells_of_each_kind_become_numbers_text_and_iso_dates(tmp_path):
    rows = [
        ["id", "n", "x", "day", "stamp", "yes", "job"],
        ["SYN-000001", 1, 1.5, dt.date(2021, 2, 28), dt.datetime(2021, 2, 28, 13, 45), True, " a "],
        ["SYN-000002", 2, None, None, dt.datetime(2021, 3, 1), False, ""],
    ]
    table = read(tmp_path, rows, ["id"])
    frame = table.frame
    assert (frame["n"].dtype, frame["n"].tolist()) == (np.int64, [1, 2])
    np.testing.assert_array_equal(frame["x"], [1.5, np.nan])
    assert frame["day"].tolist()[0] == "2021-02-28"
    assert frame["day"].isna().tolist() == [False, True]
    assert frame["stamp"].tolist() == ["2021-02-28T13:45:00", "2021-03-01T00:00:00"]
    assert (frame["yes"].dtype, frame["yes"].tolist()) == (np.int64, [1, 0])
    assert frame["job"].tolist()[0] == "a"
    assert frame["job"].isna().tolist() == [False, True]


def test_numbers_in_cells_of_text_follow_the_rules_of_text_files(tmp_path):
    rows = [
        ["income", "kab", "y"],
        ["1.250.000,50", "0101", 5],
        ["2,5", "3201", "7"],
        [None, "1", None],
    ]
    table = read(tmp_path, rows)
    np.testing.assert_array_equal(table.frame["income"], [1250000.5, 2.5, np.nan])
    assert table.frame["kab"].tolist() == ["0101", "3201", "1"]
    np.testing.assert_array_equal(table.frame["y"], [5, 7, np.nan])
    assert {"decimal", "thousands"} <= set(codes(table))
    with pytest.raises(DataError, match="decimal="):
        read(tmp_path, [["income"], ["1.250"]])
    assert read(tmp_path, [["income"], ["1.250"]], decimal=",").frame["income"].tolist() == [1250]


def test_reasons_beside_numbers_are_reasons_and_words_beside_numbers_are_said(tmp_path):
    table = read(tmp_path, [["y", "z"], [5, 1], [".a", "tidak"], [7, 2]])
    np.testing.assert_array_equal(table.frame["y"], [5, np.nan, 7])
    assert table.reasons["y"].tolist() == [None, ".a", None]
    assert table.frame["z"].tolist() == ["1", "tidak", "2"]
    assert [n.columns for n in table.notes if n.code == "mixed"] == [("z",)]


def test_ids_keep_zeros_and_numbers_of_sixteen_digits_are_refused(tmp_path):
    assert read(tmp_path, [["id"], ["007"], [8], [9.0]], ["id"]).frame["id"].tolist() == [
        "007",
        "8",
        "9",
    ]
    limit = 10**15
    assert read(tmp_path, [["id"], [limit - 1]], ["id"]).frame["id"].tolist() == ["9" * 15]
    with pytest.raises(DataError, match="Excel keeps 15") as refused:
        read(tmp_path, [["id"], [limit]], ["id"])
    assert str(limit) not in str(refused.value)
    with pytest.raises(DataError, match="fractions"):
        read(tmp_path, [["id"], [1.5]], ["id"])


def test_the_only_sheet_with_cells_is_read_and_one_of_several_must_be_named(tmp_path):
    path = book(tmp_path / "p.xlsx", [["x"], [1]], empty=[], notes=[[None]])
    assert read_table(path, ReadOptions()).frame["x"].tolist() == [1]
    path = book(tmp_path / "q.xlsx", [["x"], [1]], wave2=[["x"], [2]])
    with pytest.raises(DataError, match=r"'Sheet', 'wave2'.*sheet="):
        read_table(path, ReadOptions())
    assert read_table(path, ReadOptions(sheet="wave2")).frame["x"].tolist() == [2]
    with pytest.raises(UsageError, match="Did you mean 'wave2'"):
        read_table(path, ReadOptions(sheet="wave_2"))


def test_the_header_stands_where_it_is_told_and_empty_ends_are_left_out(tmp_path):
    rows = [["Survey of 2021"], [], ["id", "x", None, None], ["a", 1], [], ["b", 2], [], [" ", ""]]
    table = read(tmp_path, rows, header=3)
    assert list(table.frame.columns) == ["id", "x"]
    np.testing.assert_array_equal(table.frame["x"], [1, np.nan, 2])
    with pytest.raises(DataError, match="no cells in row 20"):
        read(tmp_path, rows, header=20)
    with pytest.raises(DataError, match="no rows"):
        read(tmp_path, [["id", "x"]])


def test_names_are_checked_as_in_text_files(tmp_path):
    table = read(tmp_path, [["id", None, None, 2020], ["a", 1, None, 3]])
    assert list(table.frame.columns) == ["id", "column_2", "2020"]
    assert [n.columns for n in table.notes if n.code == "nameless"] == [("column_2",)]
    with pytest.raises(DataError, match="two columns named 'x'"):
        read(tmp_path, [["x", "x "], [1, 2]])


def test_merged_cells_of_the_data_are_refused_by_their_ranges(tmp_path):
    path = tmp_path / "m.xlsx"
    made = openpyxl.Workbook()
    for row in (["id", "hh", "x"], ["a", "H1", 1], ["b", None, 2], ["c", "H2", 3]):
        made.active.append(row)
    made.active.merge_cells("B2:B3")
    made.active.merge_cells("E10:F11")
    made.save(path)
    with pytest.raises(DataError, match=r"cells are merged \(B2:B3\).*fill each cell"):
        read_table(path, ReadOptions())
    assert read_table(path, ReadOptions(drop="hh")).frame["x"].tolist() == [1, 2, 3]


def test_hidden_rows_and_columns_and_filters_are_said(tmp_path):
    path = tmp_path / "h.xlsx"
    made = openpyxl.Workbook()
    sheet = made.active
    for row in (["id", "x", "y"], ["a", 1, 4], ["b", 2, 5], ["c", 3, 6]):
        sheet.append(row)
    made.save(path)
    assert "hidden" not in codes(read_table(path, ReadOptions()))
    sheet.row_dimensions[3].hidden = sheet.row_dimensions[4].hidden = True
    sheet.column_dimensions["B"].hidden = True
    made.save(path)
    table = read_table(path, ReadOptions())
    assert table.frame["x"].tolist() == [1, 2, 3]
    (note,) = [n for n in table.notes if n.code == "hidden"]
    assert "2 row(s) and 1 column(s);" in note.message
    sheet.auto_filter.ref = "A1:C4"
    sheet.auto_filter.add_filter_column(0, ["a"])
    made.save(path)
    assert "a filter is set" in read_table(path, ReadOptions()).notes[0].message


def test_a_row_of_data_is_not_taken_for_names_in_a_sheet(tmp_path):
    with pytest.raises(DataError, match="looks like a row of data") as refused:
        read(tmp_path, [["Budi", 2500000], ["Siti", 1500000]])
    assert "Budi" not in str(refused.value)
    assert "2500000" not in str(refused.value)


def test_merged_names_are_refused_and_merged_titles_are_not(tmp_path):
    path = tmp_path / "m.xlsx"
    made = openpyxl.Workbook()
    for row in (["Title", None], ["income", None], [1, 2]):
        made.active.append(row)
    made.active.merge_cells("A1:B1")
    made.save(path)
    assert list(read_table(path, ReadOptions(header=2)).frame.columns) == ["income", "column_2"]
    made.active.merge_cells("A2:B2")
    made.save(path)
    with pytest.raises(DataError, match=r"merged \(A2:B2\)"):
        read_table(path, ReadOptions(header=2))


def test_not_available_is_missing_and_other_errors_are_named_by_address(tmp_path):
    table = read(tmp_path, [["x", "y"], [1, 2], ["#N/A", 3]])
    np.testing.assert_array_equal(table.frame["x"], [1, np.nan])
    assert [n.columns for n in table.notes if n.code == "missing_words"] == [("x",)]
    rows = [["x", "y"], [1, "#REF!"], ["#DIV/0!", 2]]
    with pytest.raises(DataError, match="A3, B2"):
        read(tmp_path, rows)
    assert read(tmp_path, [["x", "y"], [1, "#REF!"]], drop="y").frame["x"].tolist() == [1]


def test_formulas_without_results_are_named_by_address(tmp_path):
    with pytest.raises(DataError, match=r"formulas in B2, B3 .* Open it in Excel, save it"):
        read(tmp_path, [["x", "y"], [1, "=A2*2"], [2, "=A3*2"]])
    with pytest.raises(DataError, match="the name of column 2"):
        read(tmp_path, [["x", "=A1"], [1, 2]])


def test_the_stored_result_of_a_formula_is_its_value(tmp_path):
    path = book(tmp_path / "f.xlsx", [["x", "y"], [1, "=A2*2"]])
    with zipfile.ZipFile(path) as source:
        parts = {n: source.read(n) for n in source.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet].replace(b"<v></v>", b"<v>2</v>").replace(b"<v />", b"<v>2</v>")
    with zipfile.ZipFile(path, "w") as target:
        for name, content in parts.items():
            target.writestr(name, content)
    assert read_table(path, ReadOptions()).frame["y"].tolist() == [2]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no Excel workbook"),
        (b"id,x\n1,2\n", "no Excel workbook"),
        (b"PK\x03\x04 and no more", "no Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "has a password"),
    ],
)
def test_what_is_no_workbook_is_refused_with_the_way_out(tmp_path, content, said):
    path = tmp_path / "p.xlsx"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said):
        read_table(path, ReadOptions())


def test_a_sheet_that_claims_to_be_huge_is_read_by_its_cells(tmp_path):
    path = book(tmp_path / "f.xlsx", [["x", "y"], [1, 2]])
    with zipfile.ZipFile(path) as source:
        parts = {n: source.read(n) for n in source.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    assert b'ref="A1:B2"' in parts[sheet]
    parts[sheet] = parts[sheet].replace(b'ref="A1:B2"', b'ref="A1:XFD1048576"')
    with zipfile.ZipFile(path, "w") as target:
        for name, content in parts.items():
            target.writestr(name, content)
    assert read_table(path, ReadOptions()).frame.shape == (1, 2)


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("p.xls", "save it as .xlsx"),
        ("p.ods", "save it as .xlsx"),
        ("p.dbf", "save it as .xlsx"),
        ("p.rds", "haven::write_dta"),
        ("p.RData", "haven::write_dta"),
        ("p.feather", "pandas"),
        ("p.json", "pandas"),
        ("p.zip", "Unpack"),
        ("p.docx", "Export it as one of these"),
    ],
)
def test_formats_that_are_not_read_are_refused_with_a_way_to_convert(tmp_path, name, way):
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UsageError, match=r"neither \.csv, .*\.dta, .*nor \.xlsm") as refused:
        read_table(tmp_path / name, ReadOptions())
    assert way in str(refused.value)


@given(st.binary(max_size=200), st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06"]))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_bytes_are_refused(tmp_path, content, head):
    path = tmp_path / "random.xlsx"
    path.write_bytes(head + content)
    with pytest.raises(DataError, match="cannot be read as Excel"):
        read_table(path, ReadOptions())


ROWS = [["id", "x", "d"], ["SYN-000001", 1.5, dt.date(2021, 2, 28)], ["SYN-000002", "2,5", None]]


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_damaged_file_gives_a_table_or_one_of_our_errors(tmp_path, data):
    """The bytes of the archive, or of the sheet inside it.

    A workbook holds the time at which it was written, so its length may differ by a byte from
    example to example: what is drawn does not depend on it.
    """
    path = book(tmp_path / "whole.xlsx", ROWS)
    with zipfile.ZipFile(path) as source:
        parts = {n: source.read(n) for n in source.namelist()}
    inside = data.draw(st.one_of(st.none(), st.sampled_from(sorted(parts))))
    content = bytearray(path.read_bytes() if inside is None else parts[inside])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.floats(0, 1, exclude_max=True))
        content[int(place * len(content))] = data.draw(st.integers(0, 255))
    kept = data.draw(st.one_of(st.none(), st.floats(0, 1)))
    damaged = bytes(content if kept is None else content[: int(kept * len(content))])
    path = tmp_path / "damaged.xlsx"
    if inside is None:
        path.write_bytes(damaged)
    else:
        with zipfile.ZipFile(path, "w") as target:
            for name, part in (parts | {inside: damaged}).items():
                target.writestr(name, part)
    with contextlib.suppress(PrakerjaEvalError):
        assert isinstance(read_table(path, ReadOptions(), frozenset({"id"})), Table)
