"""Does a codebook file label codes and name what is missing, whatever the format of the data?"""

import numpy as np
import pandas as pd
import pytest

from prakerja_eval import ReadOptions
from prakerja_eval.errors import DataError, UsageError
from prakerja_eval.panel.readers import read_table
from prakerja_eval.panel.readers.codebook import apply_codebook, merged, read_codebook
from prakerja_eval.panel.table import Table, Variable

BOOK = """
[sex]
label = "Sex"
values = { 1 = "male", 2 = "female" }

[income]
missing = { 98 = "don't know", 99 = "refused" }

[tenure]
missing = { ".a" = "refused", "-" = "" }
"""


@pytest.fixture
def book(tmp_path):
    def write(text):
        path = tmp_path / "panel.codebook.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def frame():
    return pd.DataFrame(
        {
            "id": ["SYN-000001", "SYN-000002", "SYN-000003"],
            "sex": [1, 2, 1],
            "income": [98, 500, 99],
            "tenure": ["owner", ".a", "-"],
        }
    )


def test_labels_and_missing_codes_of_any_format(tmp_path, book):
    path = tmp_path / "panel.parquet"
    frame().to_parquet(path)
    for source in (frame(), path):
        table = read_table(source, ReadOptions(codebook=book(BOOK)), frozenset({"id"}))
        assert table.codebook["sex"] == Variable("Sex", {"1": "male", "2": "female"})
        assert table.frame["sex"].tolist() == [1, 2, 1]
        np.testing.assert_array_equal(table.frame["income"], [np.nan, 500, np.nan])
        assert table.frame["tenure"].isna().tolist() == [False, True, True]
        assert table.reasons is not None
        assert table.reasons["income"].tolist() == ["98", None, "99"]
        assert table.reasons["tenure"].tolist() == [None, ".a", "-"]
        assert table.codebook["income"].missing == {"98": "don't know", "99": "refused"}
        assert table.notes == ()


def test_the_codebook_wins_over_the_file_and_says_so(book):
    had = {"sex": Variable("Gender", {"1": "boy", "2": "female", "3": "other"})}
    table = apply_codebook(
        Table(frame(), had), read_codebook(book(BOOK)), frozenset(), ReadOptions()
    )
    assert table.codebook["sex"].values == {"1": "male", "2": "female", "3": "other"}
    assert table.codebook["sex"].label == "Sex"
    (note,) = table.notes
    assert note.code == "codebook"
    assert note.columns == ("sex",)
    assert "the label and the meaning of 1 code(s)" in note.message


def test_a_label_of_the_file_becomes_the_meaning_of_a_missing_code(book):
    had = {"income": Variable("Pay", {"98": "not known", "500": "half"}, {".b": "ill"})}
    reasons = pd.DataFrame({"income": [None, ".b", None]})
    data = frame().assign(income=[98.0, np.nan, 1.0])
    says = read_codebook(book("[income]\nmissing = [98]\n"))
    table = apply_codebook(Table(data, had, reasons), says, frozenset(), ReadOptions())
    assert table.codebook["income"] == Variable(
        "Pay", {"500": "half"}, {".b": "ill", "98": "not known"}
    )
    assert table.reasons is not None
    assert table.reasons["income"].tolist() == ["98", ".b", None]
    assert table.notes == ()


def test_text_that_is_numbers_but_for_its_missing_codes_becomes_numbers(book):
    says = read_codebook(book('[pay]\nmissing = { ".a" = "" }\n[code]\nmissing = { ".a" = "" }\n'))
    data = pd.DataFrame({"pay": ["10", ".a", "2.5"], "code": ["01", ".a", "10"]})
    table = apply_codebook(Table(data), says, frozenset(), ReadOptions())
    np.testing.assert_array_equal(table.frame["pay"], [10, np.nan, 2.5])
    assert table.frame["code"].tolist()[::2] == ["01", "10"]
    as_ids = apply_codebook(Table(data), says, frozenset({"pay"}), ReadOptions())
    assert as_ids.frame["pay"].tolist()[::2] == ["10", "2.5"]


def test_a_code_is_one_number_however_it_is_written(book):
    data = pd.DataFrame({"x": [1.0, 98.0, -9.0, 1.5]})
    says = '[x]\nvalues = { 01 = "one" }\nmissing = { 098 = "", "-9" = "left", "1.5" = "half" }\n'
    table = apply_codebook(Table(data), read_codebook(book(says)), frozenset(), ReadOptions())
    assert table.frame["x"].isna().tolist() == [False, True, True, True]
    assert table.codebook["x"].values == {"1": "one"}
    assert table.reasons is not None
    assert table.reasons["x"].tolist() == [None, "98", "-9", "1.5"]


def test_text_codes_match_as_they_are_written():
    data = pd.DataFrame({"x": ["98", "098", None]})
    table = apply_codebook(
        Table(data), {"x": Variable(missing={"98": ""})}, frozenset({"x"}), ReadOptions()
    )
    assert table.frame["x"].isna().tolist() == [True, False, True]


def test_numbers_beside_missing_words_are_read_as_the_file_writes_them(tmp_path, book):
    path = tmp_path / "panel.csv"
    path.write_text("id;income;size\n1;1.000,50;2\n2;refused;.b\n3;250,25;3\n")
    says = '[income]\nmissing = { refused = "" }\n[size]\nmissing = { ".b" = "not asked" }\n'
    table = read_table(path, ReadOptions(codebook=book(says)), frozenset({"id"}))
    np.testing.assert_array_equal(table.frame["income"], [1000.5, np.nan, 250.25])
    np.testing.assert_array_equal(table.frame["size"], [2, np.nan, 3])
    assert table.reasons is not None
    assert table.reasons["income"].tolist() == [None, "refused", None]
    assert table.reasons["size"].tolist() == [None, ".b", None]
    assert table.codebook["size"].missing == {".b": "not asked"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[incme]\nlabel = 'x'\n", "'incme', which is not there. Did you mean 'income'"),
        ("[income]\nmising = { 98 = '' }\n", "unknown key 'mising'. Did you mean 'missing'"),
        ("income = 3\n", "must be a table"),
        ("[income]\nlabel = 3\n", "label must be text"),
        ("[income]\nvalues = [1, 2]\n", "values must be a table"),
        ("[income]\nvalues = { 1 = 2 }\n", "the label of '1' must be text"),
        ("[income]\nmissing = { 1.5 = 'x' }\n", "a code with a point in it"),
        ("[income]\nvalues = { 1 = 'x' }\nmissing = { 1 = 'y' }\n", "keep one"),
        ("[income\n", "is not a TOML file"),
    ],
)
def test_a_faulty_codebook_is_refused_with_the_way_out(book, text, said):
    with pytest.raises(UsageError, match=said):
        read_table(frame(), ReadOptions(codebook=book(text)))


def test_a_codebook_that_is_not_there_is_named():
    with pytest.raises(UsageError, match=r"codebook='nowhere.toml'\): there is no such file"):
        read_table(frame(), ReadOptions(codebook="nowhere.toml"))


def test_a_codebook_may_name_a_column_of_one_wave_only(book):
    first, second = frame(), frame().drop(columns=["tenure"])
    options = ReadOptions(codebook=book(BOOK))
    table = read_table({1: first, 2: second}, options, frozenset({"id"}), "wave")
    assert table.frame["tenure"].notna().tolist() == [True] + [False] * 5
    assert table.reasons is not None
    assert table.reasons["tenure"].tolist() == [None, ".a", "-", None, None, None]


def test_entries_of_waves_are_one_where_they_agree():
    a, b = Variable("Pay", {"1": "Low "}, {".a": "x"}), Variable("Pay", {"1": "low"}, {".a": "y"})
    one, notes = merged("y", [("2020", a), ("2021", b)])
    assert one == Variable("Pay", {"1": "Low "}, {".a": "x; y"})
    assert [n.code for n in notes] == ["labels_differ"]
    same, none = merged("y", [("2020", a), ("2021", a)])
    assert same == a
    assert none == ()
    with pytest.raises(DataError, match=r"ReadOptions\(codebook=...\)"):
        merged("y", [("2020", a), ("2021", Variable(values={"1": "high"}))])


def test_dropped_columns_are_gone_and_unknown_ones_refused(tmp_path):
    path = tmp_path / "panel.csv"
    frame().to_csv(path, index=False)
    assert "tenure" not in read_table(path, ReadOptions(drop="tenure")).frame
    had = read_table(frame(), ReadOptions(drop="tenure"))
    assert "tenure" not in had.frame
    assert [(n.code, n.columns) for n in had.notes] == [("dropped", ("tenure",))]
    with pytest.raises(UsageError, match=r"names 'tenur', but .* Did you mean 'tenure'"):
        read_table(frame(), ReadOptions(drop=("sex", "tenur")))
    with pytest.raises(UsageError, match=r"text=.* names 'SEX', .* Did you mean 'sex'"):
        read_table(frame(), ReadOptions(text="SEX"))
