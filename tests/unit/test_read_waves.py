"""Do several wave files become one table, and is what differs between them said or refused?"""

import os

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from prakerja_eval import ReadOptions, Roles, read_panel
from prakerja_eval.errors import DataError, UsageError
from prakerja_eval.panel.readers import read_table
from prakerja_eval.panel.readers.waves import WaveFile, stack
from prakerja_eval.panel.table import Note, Table, Variable

IDS = frozenset({"id"})


def first():
    return pd.DataFrame({"id": ["SYN-000001", "SYN-000002"], "female": [1, 0], "income": [10, 20]})


def second():
    return pd.DataFrame(
        {
            "income": [1.5, np.nan, 3.0],
            "id": ["SYN-000002", "SYN-000003", "SYN-000001"],
            "trained": ["yes", "no", None],
        }
    )


def codes(table):
    return [n.code for n in table.notes]


def test_files_of_two_formats_are_stacked_by_name(tmp_path):
    first().to_csv(tmp_path / "a.csv", index=False)
    second().to_parquet(tmp_path / "b.parquet")
    files = {2020: tmp_path / "a.csv", 2021: str(tmp_path / "b.parquet")}
    table = read_table(files, ReadOptions(), IDS, "year")
    expected = pd.DataFrame(
        {
            "id": ["SYN-000001", "SYN-000002", "SYN-000002", "SYN-000003", "SYN-000001"],
            "year": [2020, 2020, 2021, 2021, 2021],
            "female": [1.0, 0.0, np.nan, np.nan, np.nan],
            "income": [10, 20, 1.5, np.nan, 3.0],
            "trained": [None, None, "yes", "no", None],
        }
    )
    pd.testing.assert_frame_equal(table.frame, expected, check_dtype=False)
    assert table.frame["year"].dtype == np.int64
    assert table.row_numbers().tolist() == [1, 2, 3, 4, 5]
    (where,) = [n.message for n in table.notes if n.code == "files"]
    assert "1 to 2 are 2020 (a.csv); 3 to 5 are 2021 (b.parquet)" in where
    absent = [(n.columns, n.message) for n in table.notes if n.code == "column_absent"]
    assert [c for c, _ in absent] == [("trained",), ("female",)]
    assert "a.csv" in absent[0][1]
    assert "b.parquet" in absent[1][1]


def test_a_stata_and_an_spss_wave_keep_labels_and_reasons(tmp_path):
    a = pd.DataFrame({"id": ["SYN-000001", "SYN-000002"], "sex": [1, 2], "pay": [5.0, "a"]})
    b = pd.DataFrame({"id": ["SYN-000002", "SYN-000001"], "sex": [2, 1], "pay": [98.0, 7.0]})
    labels = {"sex": {1: "male", 2: "female"}}
    pyreadstat.write_dta(
        a,
        str(tmp_path / "a.dta"),
        column_labels=["", "Sex", "Pay"],
        variable_value_labels=labels,
        missing_user_values={"pay": ["a"]},
    )
    pyreadstat.write_sav(
        b,
        str(tmp_path / "b.sav"),
        column_labels=["", "Sex", "Pay"],
        variable_value_labels={**labels, "pay": {98: "refused"}},
        missing_ranges={"pay": [98]},
    )
    files = {2020: tmp_path / "a.dta", 2021: tmp_path / "b.sav"}
    table = read_table(files, ReadOptions(), IDS, "year")
    assert table.frame["sex"].tolist() == [1, 2, 2, 1]
    np.testing.assert_array_equal(table.frame["pay"], [5, np.nan, np.nan, 7])
    assert table.codebook["sex"] == Variable("Sex", {"1": "male", "2": "female"})
    assert table.codebook["pay"].missing["98"] == "refused"
    assert table.reasons is not None
    assert table.reasons["pay"].tolist() == [None, ".a", "98", None]
    says = tmp_path / "book.toml"
    says.write_text('[pay]\nmissing = { ".a" = "refused", 98 = "told nothing" }\n')
    table = read_table(files, ReadOptions(codebook=str(says)), IDS, "year")
    assert table.codebook["pay"].missing == {".a": "refused", "98": "told nothing"}


def test_a_code_that_turns_between_two_files_is_refused(tmp_path):
    data = pd.DataFrame({"id": ["SYN-000001"], "sex": [1]})
    for wave, word in ((2020, "male"), (2021, "female")):
        labels = {"sex": {1: word}}
        path = str(tmp_path / f"{wave}.dta")
        pyreadstat.write_dta(data, path, variable_value_labels=labels)
    files = {wave: tmp_path / f"{wave}.dta" for wave in (2020, 2021)}
    with pytest.raises(DataError, match=r"'sex': 1 code\(s\) .* 2020 .* 2021 .*: 1\.") as refused:
        read_table(files, ReadOptions(), IDS, "year")
    assert "male" not in str(refused.value)
    mapping = tmp_path / "m.toml"
    mapping.write_text(
        '[2020.columns]\nid = "id"\nsex = { column = "sex", recode = { 1 = 1, 2 = 0 } }\n'
        '[2021.columns]\nid = "id"\nsex = { column = "sex", recode = { 1 = 0, 2 = 1 } }\n'
    )
    table = read_table(files, ReadOptions(mapping=str(mapping)), IDS, "year")
    assert table.frame["sex"].tolist() == [1, 0]
    assert table.codebook["sex"].values == {"1": "male", "0": "female"}


def test_whole_columns_stay_whole_numbers():
    table = read_table({1: first(), 2: first()}, ReadOptions(), IDS, "wave")
    assert table.frame["income"].dtype == np.int64
    assert table.frame["income"].tolist() == [10, 20, 10, 20]


def test_words_are_waves_in_the_order_given():
    roles = Roles(unit="id", wave="round", wave_order=("before", "after"))
    panel = read_panel({"after": second(), "before": first()}, roles)
    assert panel.frame["round"].tolist() == ["after"] * 3 + ["before"] * 2
    assert list(panel.waves) == ["before", "after"]


def test_row_numbers_of_the_files_run_on():
    a = WaveFile(1, "a", Table(first(), rows=np.array([2, 5])))
    b = WaveFile(2, "b", Table(first()))
    table = stack([a, b], "wave", IDS)
    assert table.row_numbers().tolist() == [2, 5, 6, 7]


def test_notes_bear_the_name_of_their_file():
    a = WaveFile(1, "a.csv", Table(first(), notes=(Note("encoding", "read as cp1252."),)))
    table = stack([a, WaveFile(2, "b.csv", Table(first()))], "wave", IDS)
    assert table.notes[0] == Note("encoding", "a.csv: read as cp1252.")


def test_a_wave_column_of_the_file_must_agree():
    good = first().assign(year=2020)
    table = read_table({2020: good, 2021: second()}, ReadOptions(), IDS, "year")
    assert table.frame["year"].tolist() == [2020, 2020, 2021, 2021, 2021]
    wrong = first().assign(year=[2020, 2002])
    with pytest.raises(DataError, match=r"otherwise in 1 row\(s\).*drop='year'"):
        read_table({2020: wrong, 2021: second()}, ReadOptions(), IDS, "year")
    table = read_table({2020: wrong, 2021: second()}, ReadOptions(drop="year"), IDS, "year")
    assert table.frame["year"].tolist() == [2020, 2020, 2021, 2021, 2021]


def test_numbers_and_text_under_one_name_are_refused():
    words = second().assign(income=["much", "little", "none"])
    with pytest.raises(DataError) as refused:
        read_table({2020: first(), 2021: words}, ReadOptions(), IDS, "year")
    assert "'income' holds numbers in 2020 (data of 2020) and text in 2021" in str(refused.value)
    assert "much" not in str(refused.value)


def test_a_code_of_two_meanings_is_refused_and_of_one_kept():
    def item(wave, labels):
        return WaveFile(wave, f"{wave}.dta", Table(first(), {"female": Variable("", labels)}))

    with pytest.raises(DataError, match=r"2 code\(s\) .* 2020 \(2020.dta\) and in .*: 1, 2\."):
        stack([item(2020, {"1": "a", "2": "b"}), item(2021, {"1": "c", "2": "a"})], "year", IDS)
    table = stack([item(2020, {"1": "yes"}), item(2021, {"1": "Yes", "0": "no"})], "year", IDS)
    assert table.codebook["female"].values == {"1": "yes", "0": "no"}
    assert "labels_differ" in codes(table)


def test_reasons_follow_their_rows():
    reasons = pd.DataFrame({"income": [".a", None, ".b"]})
    b = WaveFile(2, "b", Table(second(), {"income": Variable(missing={".a": "ill"})}, reasons))
    table = stack([WaveFile(1, "a", Table(first())), b], "wave", IDS)
    assert table.reasons is not None
    assert table.reasons["income"].tolist() == [None, None, ".a", None, ".b"]
    assert table.codebook["income"].missing == {".a": "ill"}


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (["0000", "0012", "0345"], ["0", "12", "345"]),
        (["0012", "0345", "6789"], ["12", "345", "6789"]),
        (["0012", "0345"], ["12.0", "345.0"]),
        (["0012", "0345"], ["00012", "00345"]),
    ],
)
def test_ids_that_lost_their_zeros_are_refused_without_showing_one(a, b):
    files = {1: pd.DataFrame({"id": a, "y": 1}), 2: pd.DataFrame({"id": b, "y": 2})}
    with pytest.raises(DataError, match="Leading zeros were probably lost") as refused:
        read_table(files, ReadOptions(), IDS, "wave")
    for cell in {*a, *b} - {"0"}:
        assert cell not in str(refused.value)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (["001", "002"], ["002", "003"]),
        (["001", "002"], ["7", "8"]),
        (["a1", "a2"], ["b1", "b2"]),
        (["012", "12"], ["12", "012"]),
        (["1", "2"], ["3", "4"]),
        (["001", None], [None, "001"]),
    ],
)
def test_other_ids_are_no_false_alarm(a, b):
    files = {1: pd.DataFrame({"id": a, "y": 1}), 2: pd.DataFrame({"id": b, "y": 2})}
    table = read_table(files, ReadOptions(), IDS, "wave")
    assert table.frame["id"].dropna().tolist() == [v for v in a + b if v is not None]


def test_a_csv_keeps_the_zeros_of_ids_in_each_file(tmp_path):
    for wave in (1, 2):
        (tmp_path / f"{wave}.csv").write_text("id,y\n001,1\n010,2\n")
    files = {1: tmp_path / "1.csv", 2: tmp_path / "2.csv"}
    panel = read_panel(files, Roles(unit="id", wave="wave"))
    assert panel.units == ["001", "010"]


@pytest.mark.parametrize(
    ("files", "wave", "said"),
    [
        ({}, "wave", "name at least one file"),
        ({1: first()}, None, r"Roles\(wave=...\)"),
        ({True: first()}, "wave", "a whole number or a text"),
        ({1.5: first()}, "wave", "a whole number or a text"),
        ({None: first()}, "wave", "a whole number or a text"),
        ({" ": first()}, "wave", "a whole number or a text"),
        ({1: first(), "1": first()}, "wave", "the same wave"),
        ({1: [1, 2]}, "wave", "not list"),
    ],
)
def test_a_wrong_call_is_refused(files, wave, said):
    with pytest.raises(UsageError, match=said):
        read_table(files, ReadOptions(), IDS, wave)


def test_two_columns_of_one_name_are_refused():
    twice = pd.DataFrame([[1, 2]], columns=["y", "y"])
    with pytest.raises(DataError, match="two columns have the same name: y"):
        read_table({1: twice}, ReadOptions(), IDS, "wave")


def test_a_missing_file_is_named_with_the_nearest_beside_it(tmp_path):
    (tmp_path / "panel_2020.csv").write_text("id\n1\n")
    with pytest.raises(DataError, match=r"there is no file .* Did you mean 'panel_2020.csv'"):
        read_table(tmp_path / "panel2020.csv", ReadOptions())
    for path in (tmp_path / "no" / "panel.csv", tmp_path / ("x" * 300 + ".csv"), "a\0b.csv"):
        with pytest.raises(DataError, match="there is no file"):
            read_table(path, ReadOptions())


@pytest.mark.parametrize("path", ["", "  "])
def test_an_empty_path_is_refused(path):
    with pytest.raises(UsageError, match="the path of the data is empty"):
        read_table(path, ReadOptions())


def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "panel.csv"
    path.write_text("id\n1\n")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(DataError, match="may not be read"):
        read_table(path, ReadOptions())


def two_files(tmp_path, a, b):
    for name, text in (("a.csv", a), ("b.csv", b)):
        (tmp_path / name).write_text(text)
    return {2020: tmp_path / "a.csv", 2021: tmp_path / "b.csv"}


def test_1_234_with_another_mark_in_another_file_is_refused(tmp_path):
    files = two_files(tmp_path, "id;y\na;1.500.000\n", "id;y\na;750.000\nb;900.5\n")
    with pytest.raises(DataError, match=r"'y'.*point in 'b.csv'.*comma in 'a.csv'.*decimal="):
        read_table(files, ReadOptions(), IDS, "year")
    mapping = tmp_path / "m.toml"
    mapping.write_text("".join(f'[{w}.columns]\nid = "id"\npay = "y"\n' for w in (2020, 2021)))
    with pytest.raises(DataError, match=r"'pay'.*decimal="):
        read_table(files, ReadOptions(mapping=str(mapping)), IDS, "year")


def test_marks_that_are_certain_in_each_file_may_differ_and_are_said(tmp_path):
    files = two_files(tmp_path, "id;y\na;0,5\nb;12,25\n", "id;y\na;0.75\nb;2\n")
    table = read_table(files, ReadOptions(), IDS, "year")
    assert table.frame["y"].tolist() == [0.5, 12.25, 0.75, 2]
    assert [n.columns for n in table.notes if n.code == "marks_differ"] == [("y",)]


@pytest.mark.parametrize("other", ["03/04/2021", "soon"])
def test_dates_beside_text_that_is_none_are_refused(tmp_path, other):
    a = "id,day\na,25/06/2021\nb,01/07/2021\n"
    files = two_files(tmp_path, a, f"id,day\na,{other}\n")
    with pytest.raises(
        DataError, match=r"'day' holds dates in 'a.csv'.*'b.csv'.*dates="
    ) as refused:
        read_table(files, ReadOptions(), IDS, "year")
    assert other not in str(refused.value)
    table = read_table(files, ReadOptions(text=("day",)), IDS, "year")
    assert table.frame["day"].tolist() == ["25/06/2021", "01/07/2021", other]
    if other != "soon":
        table = read_table(files, ReadOptions(dates="dmy"), IDS, "year")
        assert table.frame["day"].tolist() == ["2021-06-25", "2021-07-01", "2021-04-03"]


def test_dates_in_two_iso_forms_are_no_false_alarm():
    files = {1: first().assign(d="2021-02"), 2: first().assign(d="2021-02-28")}
    table = read_table(files, ReadOptions(), IDS, "wave")
    assert table.frame["d"].tolist() == ["2021-02"] * 2 + ["2021-02-28"] * 2
