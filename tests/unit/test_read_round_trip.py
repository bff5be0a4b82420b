"""Is one panel the same from every format? Written by the csv module, pandas, pyreadstat, openpyxl.

What a format cannot hold (labels and reasons in CSV, Excel, Parquet) a codebook file says.
"""

import csv

import numpy as np
import openpyxl
import pandas as pd
import pyreadstat
import pytest

from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.readers import read_table
from prakerja_eval.panel.table import Variable

IDS = ["SYN-000001", "SYN-000001", "000042", "000042"]
WAVES = [2020, 2021, 2020, 2021]
KAB = ["0101", "0101", "3201", "3201"]
INCOME = [1250000.5, None, 2750000.25, 987654.75]
WORK = [1, 98, 2, 1]  # 98 is "don't know"
DAY = ["2021-02-28", None, "2021-03-01", "1959-12-31"]
CITY = ["Café Jaya", "Größe", "Jakarta, Selatan", "Ñandú; barat"]
NAMES = ("id", "wave", "kab", "income", "work", "day", "city")
CODEBOOK = """
[work]
label = "Kegiatan utama – séminggu"
values = { 1 = "bekerja", 2 = "sekolah" }
missing = { 98 = "tidak tahu" }

[income]
label = "Pendapatan"
"""
LABELS = {"work": "Kegiatan utama – séminggu", "income": "Pendapatan"}
TEXT = frozenset({"id"})


def rows(number=str, day=str):
    """Return the rows, numbers and dates written as told; None where missing."""
    shown = [
        [None if v is None else number(v) for v in INCOME],
        [None if v is None else day(v) for v in DAY],
    ]
    columns = (IDS, WAVES, KAB, shown[0], WORK, shown[1], CITY)
    return [list(row) for row in zip(*columns, strict=True)]


def frame():
    income, day = [np.nan if v is None else v for v in INCOME], pd.to_datetime(pd.Series(DAY))
    columns = (IDS, WAVES, KAB, income, WORK, day, CITY)
    return pd.DataFrame(dict(zip(NAMES, columns, strict=True)))


def codebook(tmp_path):
    path = tmp_path / "panel.codebook.toml"
    path.write_text(CODEBOOK, encoding="utf-8")
    return str(path)


def refuse_any_difference(table, reason="98", wave=np.int64):
    """Compare a table with the panel above, value by value."""
    found = table.frame
    assert tuple(found.columns) == NAMES
    assert found["id"].tolist() == IDS
    assert (found["wave"].dtype, found["wave"].tolist()) == (wave, WAVES)
    assert found["kab"].tolist() == KAB
    np.testing.assert_array_equal(found["income"], [np.nan if v is None else v for v in INCOME])
    np.testing.assert_array_equal(found["work"], [1, np.nan, 2, 1])
    assert [None if pd.isna(v) else v for v in found["day"]] == DAY
    assert found["city"].tolist() == CITY
    assert list(table.reasons.columns) == ["work"]
    assert table.reasons["work"].tolist() == [None, reason, None, None]
    assert dict(table.codebook) == {
        "work": Variable(LABELS["work"], {"1": "bekerja", "2": "sekolah"}, {reason: "tidak tahu"}),
        "income": Variable(LABELS["income"]),
    }


def dotted(value):
    """Write 1250000.5 as 1.250.000,50."""
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


@pytest.mark.parametrize(
    ("delimiter", "encoding", "number"),
    [
        (",", "utf-8", str),
        (";", "utf-8-sig", lambda v: str(v).replace(".", ",")),
        (";", "cp1252", dotted),
        ("\t", "utf-8", str),
    ],
    ids=["comma", "semicolon, decimal comma, BOM", "thousands dot, cp1252", "tab"],
)
def test_text_files(tmp_path, delimiter, encoding, number):
    path = tmp_path / "panel.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([NAMES, *rows(number)])
    refuse_any_difference(read_table(path, ReadOptions(codebook=codebook(tmp_path)), TEXT))


def test_reasons_in_the_cells_of_a_text_file(tmp_path):
    path = tmp_path / "panel.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        written = [[".a" if cell == 98 else cell for cell in row] for row in rows()]
        csv.writer(file).writerows([NAMES, *written])
    book = tmp_path / "a.toml"
    book.write_text(CODEBOOK.replace("98 =", '".a" ='), encoding="utf-8")
    refuse_any_difference(read_table(path, ReadOptions(codebook=str(book)), TEXT), ".a")


@pytest.mark.parametrize("categories", [False, True])
def test_parquet(tmp_path, categories):
    path = tmp_path / "panel.parquet"
    source = frame()
    if categories:
        source = source.astype({"id": "category", "city": "category", "wave": "category"})
    source.to_parquet(path)
    refuse_any_difference(read_table(path, ReadOptions(codebook=codebook(tmp_path)), TEXT))


def test_a_data_frame(tmp_path):
    refuse_any_difference(read_table(frame(), ReadOptions(codebook=codebook(tmp_path)), TEXT))


def test_excel(tmp_path):
    path = tmp_path / "panel.xlsx"
    made = openpyxl.Workbook()
    for row in [NAMES, *rows(float, pd.Timestamp)]:
        made.active.append(row)
    made.save(path)
    refuse_any_difference(read_table(path, ReadOptions(codebook=codebook(tmp_path)), TEXT))


def test_excel_with_every_number_stored_as_text(tmp_path):
    path = tmp_path / "panel.xlsx"
    made = openpyxl.Workbook()
    for row in [NAMES, *rows(dotted)]:
        made.active.append([None if cell is None else str(cell) for cell in row])
    made.save(path)
    refuse_any_difference(read_table(path, ReadOptions(codebook=codebook(tmp_path)), TEXT))


@pytest.mark.parametrize("version", [118, 119])
def test_stata_written_by_pandas(tmp_path, version):
    path = tmp_path / "panel.dta"
    frame().to_stata(
        path,
        write_index=False,
        version=version,
        convert_dates={"day": "td"},
        variable_labels=LABELS,
        value_labels={"work": {1: "bekerja", 2: "sekolah"}},
    )
    # pandas writes no .a: the code is declared missing by a codebook, the labels are the file's
    book = tmp_path / "missing.toml"
    book.write_text('[work]\nmissing = { 98 = "tidak tahu" }\n', encoding="utf-8")
    refuse_any_difference(read_table(path, ReadOptions(codebook=str(book)), TEXT))


def test_stata_written_by_pyreadstat_with_a_reason(tmp_path):
    path = tmp_path / "panel.dta"
    source = frame().assign(work=["a" if v == 98 else v for v in WORK])
    source["day"] = pd.Series([None if v is None else pd.Timestamp(v).date() for v in DAY])
    pyreadstat.write_dta(
        source,
        str(path),
        column_labels=LABELS,
        variable_value_labels={"work": {1: "bekerja", 2: "sekolah", "a": "tidak tahu"}},
        missing_user_values={"work": ["a"]},
    )
    refuse_any_difference(read_table(path, ReadOptions(), TEXT), ".a")


@pytest.mark.parametrize("compress", [False, True])
def test_spss(tmp_path, compress):
    path = tmp_path / ("panel.zsav" if compress else "panel.sav")
    source = frame()
    source["day"] = pd.Series([None if v is None else pd.Timestamp(v).date() for v in DAY])
    pyreadstat.write_sav(
        source,
        str(path),
        column_labels=LABELS,
        compress=compress,
        variable_value_labels={"work": {1: "bekerja", 2: "sekolah", 98: "tidak tahu"}},
        missing_ranges={"work": [98]},
    )
    refuse_any_difference(read_table(path, ReadOptions(), TEXT))
