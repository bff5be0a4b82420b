"""Are the columns of each wave's file made into those of the panel as the mapping says?"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from prakerja_eval import ReadOptions, Roles, read_panel
from prakerja_eval.errors import DataError, UsageError
from prakerja_eval.panel.readers import read_table
from prakerja_eval.panel.readers.mapping import apply_mapping, read_mapping
from prakerja_eval.panel.table import Table, Variable

MAPPING = """
["2020-08".columns]
id = "nomor"
sex = { column = "r4", recode = { 1 = 1, 2 = 0 }, label = "Male" }
wage = { sum = ["r14a1", "r14a2"], missing = { 0 = "none told" } }
employed = { any = ["r9a", "r10a"], equal = 1 }
place = { join = ["prov", "kab"] }

["2021-08"]
keep = "all"
[ "2021-08".columns]
id = { column = "no", pad = 4 }
sex = { column = "r6", recode = { 1 = 0, 2 = 1 } }
wage = "upah"
"""


@pytest.fixture
def mapping(tmp_path):
    def write(text):
        path = tmp_path / "mapping.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def year2020():
    return pd.DataFrame(
        {
            "nomor": ["0001", "0002", "0003"],
            "r4": [1.0, 2.0, np.nan],
            "r14a1": [100.0, 0.0, np.nan],
            "r14a2": [np.nan, 0.0, np.nan],
            "r9a": [2.0, 1.0, np.nan],
            "r10a": [2.0, np.nan, np.nan],
            "prov": [11, 94, 11],
            "kab": [1.0, 71.0, np.nan],
            "left": [1, 2, 3],
        }
    )


def year2021():
    return pd.DataFrame({"no": [1, 2], "r6": [2, 1], "upah": [150, 250], "age": [30, 40]})


def made(tmp_path, spec, data, **table):
    path = tmp_path / "one.toml"
    path.write_text(f"[w.columns]\nx = {spec}\n")
    return apply_mapping(Table(data, **table), read_mapping(str(path))["w"], "a.dta")


def test_two_questionnaires_become_one_panel(mapping):
    files = {"2020-08": year2020(), "2021-08": year2021()}
    options = ReadOptions(mapping=mapping(MAPPING))
    table = read_table(files, options, frozenset({"id"}), "wave")
    expected = pd.DataFrame(
        {
            "id": ["0001", "0002", "0003", "0001", "0002"],
            "wave": ["2020-08"] * 3 + ["2021-08"] * 2,
            "sex": [1, 0, np.nan, 1, 0],
            "wage": [100, np.nan, np.nan, 150, 250],
            "employed": [0, 1, np.nan, np.nan, np.nan],
            "place": ["11-1", "94-71", None, None, None],
            "age": [np.nan, np.nan, np.nan, 30, 40],
        }
    )
    pd.testing.assert_frame_equal(table.frame, expected, check_dtype=False)
    assert table.reasons is not None
    assert table.reasons["wage"].tolist() == [None, "0", None, None, None]
    assert table.codebook["wage"].missing == {"0": "none told"}
    assert table.codebook["sex"].label == "Male"


def test_one_file_of_a_mapping_of_one_wave_needs_no_wave(mapping):
    text = '["2020-08".columns]\nid = "nomor"\n'
    options = ReadOptions(mapping=mapping(text))
    assert list(read_table(year2020(), options).frame) == ["id"]
    table = read_table(year2020(), options, frozenset({"id"}), "round")
    assert table.frame["round"].tolist() == ["2020-08"] * 3
    with pytest.raises(UsageError, match="is of the waves 2020-08, 2021-08; name the wave"):
        read_table(year2020(), ReadOptions(mapping=mapping(MAPPING)))


def test_a_sum_is_missing_only_where_all_are(tmp_path):
    data = pd.DataFrame({"a": [1.0, np.nan, np.nan], "b": [2.0, 5.0, np.nan]})
    table = made(tmp_path, '{ sum = ["a", "b"] }', data)
    np.testing.assert_array_equal(table.frame["x"], [3, 5, np.nan])
    whole = made(tmp_path, '{ sum = ["a", "b"] }', pd.DataFrame({"a": [1], "b": [2]}))
    assert whole.frame["x"].dtype == np.int64
    words = pd.DataFrame({"a": ["x"], "b": [1]})
    with pytest.raises(DataError, match="adds up 'a', which holds text"):
        made(tmp_path, '{ sum = ["a", "b"] }', words)


def test_any_is_zero_where_one_was_asked_and_none_is_equal(tmp_path):
    data = pd.DataFrame({"a": [1, 2, 2, None], "b": ["no", "1", None, None]})
    table = made(tmp_path, '{ any = ["a", "b"], equal = 1 }', data)
    np.testing.assert_array_equal(table.frame["x"], [1, 1, 0, np.nan])
    text = made(tmp_path, '{ any = ["b"], equal = "no" }', data.iloc[:2])
    assert text.frame["x"].tolist() == [1, 0]
    assert text.frame["x"].dtype == np.int64


def test_reasons_of_the_file_follow_what_is_made_of_it(tmp_path):
    data = pd.DataFrame({"a": [np.nan, np.nan, 1.0], "b": [np.nan, 2.0, 3.0]})
    reasons = pd.DataFrame({"a": [".a", ".b", None]})
    book = {"a": Variable("A", {"1": "one"}, {".a": "ill", ".b": "away"})}
    table = made(tmp_path, '{ sum = ["a", "b"] }', data, reasons=reasons, codebook=book)
    assert table.reasons is not None
    assert table.reasons["x"].tolist() == [".a", None, None]
    assert table.codebook["x"] == Variable("", {}, {".a": "ill", ".b": "away"})
    table = made(tmp_path, '{ column = "a", label = "B" }', data, reasons=reasons, codebook=book)
    assert table.codebook["x"] == Variable("B", {"1": "one"}, {".a": "ill", ".b": "away"})


def test_labels_go_with_recoded_codes(tmp_path):
    data = pd.DataFrame({"a": [1, 2, 3]})
    book = {"a": Variable("", {"1": "never", "2": "once", "3": "often"})}
    table = made(
        tmp_path, '{ column = "a", recode = { 1 = 0, 2 = 1, 3 = 1 } }', data, codebook=book
    )
    assert table.frame["x"].tolist() == [0, 1, 1]
    assert table.codebook["x"].values == {"0": "never", "1": "once / often"}
    words = made(tmp_path, '{ column = "a", recode = { 1 = "n", 2 = "y", 3 = "y" } }', data)
    assert words.frame["x"].tolist() == ["n", "y", "y"]


def test_a_code_that_recode_does_not_name_is_refused_but_not_a_missing_one(tmp_path):
    data = pd.DataFrame({"a": [1.0, 9.0, np.nan, 2.0]})
    with pytest.raises(DataError, match=r"'x' of the wave 'w' has 1 row\(s\) with a code"):
        made(tmp_path, '{ column = "a", recode = { 1 = 1, 2 = 0 } }', data)
    table = made(tmp_path, '{ column = "a", recode = { 1 = 1, 2 = 0 }, missing = [9] }', data)
    np.testing.assert_array_equal(table.frame["x"], [1, np.nan, np.nan, 0])
    assert table.reasons is not None
    assert table.reasons["x"].tolist() == [None, "9", None, None]


def test_ids_are_joined_whole_or_not_at_all(tmp_path):
    data = pd.DataFrame({"a": [1.0, 12.0], "b": ["01", None]})
    assert made(tmp_path, '{ join = ["a", "b"] }', data).frame["x"].tolist()[0] == "1-01"
    padded = made(tmp_path, '{ join = ["a", "b"], pad = 3, separator = "" }', data)
    assert padded.frame["x"].tolist()[0] == "001001"
    assert padded.frame["x"].isna().tolist() == [False, True]
    for bad in ([1.5, 2.0], [2.0**53, 1.0]):
        with pytest.raises(DataError, match="made of 'a', which holds numbers that are not whole"):
            made(tmp_path, '{ join = ["a"] }', pd.DataFrame({"a": bad}))


def test_parts_of_an_id_keep_their_zeros_in_a_csv(tmp_path, mapping):
    path = tmp_path / "a.csv"
    path.write_text("kab,no,y\n01,007,1\n10,012,2\n")
    text = '[1.columns]\nid = { join = ["kab", "no"] }\ny = "y"\n'
    panel = read_panel({1: path}, Roles(unit="id", wave="w"), ReadOptions(mapping=mapping(text)))
    assert panel.units == ["01-007", "10-012"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('["2020-08"]\nkep = "all"\n', "unknown key 'kep'. Did you mean 'keep'"),
        ('["2020-08"]\nkeep = "some"\n[ "2020-08".columns]\nx = "r4"\n', "keep is 'all' or"),
        ('["2020-08"]\n', "columns must be a table"),
        ('["2020-08".columns]\n', "maps no column"),
        ("x = 3", "must be a table"),
        ('x = { colum = "r4" }', "unknown key 'colum'. Did you mean 'column'"),
        ('x = { label = "r4" }', "names one of column, join, sum, any; it names 0"),
        ('x = { column = "r4", any = ["r4"] }', "it names 2"),
        ('x = { any = ["r4"] }', "any needs equal"),
        ('x = { column = "r4", equal = 1 }', "equal goes with any"),
        ('x = { sum = ["r4"], separator = "" }', "separator goes with join"),
        ('x = { sum = "r4" }', "sum is a list of columns"),
        ('x = { sum = ["r4", "r4"] }', "names a column twice"),
        ('x = { column = ["r4"] }', "column is the name of a column"),
        ('x = { column = "r4", pad = 99 }', "pad is a number of digits"),
        ('x = { column = "r4", recode = { 1 = true } }', "a code is a number"),
        ('x = { column = "r4", recode = { 1 = 1, 2 = "b" } }', "all numbers or"),
        ('x = { column = "r4", missing = [[0]] }', "a list of codes"),
        ('x = { column = "R14A" }', "'R14A', which .* Did you mean 'r14a"),
        ('["2020-08"]\nkeep = "all"\n[ "2020-08".columns]\nleft = "r4"\n', "makes one of that"),
        ('["2019-08".columns]\nx = "r4"\n', "no wave '2020-08'. .*Waves mapped: 2019-08"),
    ],
)
def test_a_faulty_mapping_is_refused_with_the_way_out(mapping, text, said):
    whole = text if text.startswith("[") else f'["2020-08".columns]\n{text}\n'
    with pytest.raises(UsageError, match=said):
        read_table({"2020-08": year2020()}, ReadOptions(mapping=mapping(whole)), wave="wave")


def test_a_mapping_that_does_not_ship_is_named_with_the_nearest():
    with pytest.raises(UsageError, match=r"ships \(sakernas\). Did you mean 'sakernas'"):
        read_table({"2020-08": year2020()}, ReadOptions(mapping="sakerna"), wave="wave")
    with pytest.raises(UsageError, match=r"has no wave '2021-08'. .*Waves mapped: 2020-08"):
        read_table({"2021-08": year2021()}, ReadOptions(mapping="sakernas"), wave="wave")


# --- Sakernas, August 2020: columns as the mapping's source names them, cells made up -------------


def simulated(n=40, seed=5):
    """A small file shaped like that of August 2020, with its two known faults."""
    rng = np.random.default_rng(seed)
    asked = dict.fromkeys(("r8a", "r8b", "r8c", "r8e"), 4)
    asked |= dict.fromkeys(("r9a", "r9b", "r9c", "r10a", "r22a"), 2)
    asked |= {"r22b": 2, "r4": 4, "r5": 3, "r6a": 9, "k3": 8, "r12a": 7, "r12b": 6}
    asked |= {"r13a_kateg": 17, "r13b_kbji2": 9, "r16a": 80, "r23a": 3, "r23b": 11, "r25a": 10}
    data = pd.DataFrame({k: rng.integers(1, top + 1, n).astype(float) for k, top in asked.items()})
    for column in ("r9b", "r10a", "r12a", "r16a", "r23a"):
        data.loc[rng.random(n) < 0.3, column] = np.nan
    data["r14a1"] = np.where(rng.random(n) < 0.4, np.nan, rng.choice([0.0, 1.5e6, 4e6], n))
    data["r14a2"] = np.where(rng.random(n) < 0.4, np.nan, rng.choice([0.0, 2e5], n))
    data["kode_prov"] = rng.choice([11.0, 31.0, 94.0], n)
    data["kode_kab"] = rng.choice([1.0, 11.0, 71.0], n)
    data["klasifikas"] = rng.choice([1.0, 2.0], n)
    data["id_nks"] = rng.integers(100, 99_999, n).astype(float)
    data["no_dsrt"] = rng.integers(1, 11, n).astype(float)
    data["k1"] = rng.integers(1, 9, n).astype(float)
    data["weight"] = rng.uniform(50, 900, n).round(3)
    data["year"] = 2020.0
    ids = ["kode_prov", "kode_kab", "klasifikas", "id_nks", "no_dsrt", "k1"]
    data.loc[n - 1, ids] = data.loc[0, ids]  # a person who stands twice
    data.loc[[n - 3, n - 2], :] = np.nan  # rows in which all is missing, with a wrong year
    data.loc[[n - 3, n - 2], "year"] = 2002.0
    data["urutan"] = np.arange(1.0, n + 1)
    data.loc[[n - 3, n - 2], "urutan"] = np.nan
    return data


def joined(row, parts):
    return None if row[parts].isna().any() else "-".join(str(int(row[p])) for p in parts)


def by_hand(row):
    """What the panel should say of one person, cell by cell."""
    place = ["kode_prov", "kode_kab", "klasifikas", "id_nks", "no_dsrt"]
    work = [row[c] for c in ("r9a", "r9b", "r9c", "r10a") if not np.isnan(row[c])]
    pay = [row[c] for c in ("r14a1", "r14a2") if not np.isnan(row[c])]
    return {
        "household_id": joined(row, place),
        "person_id": joined(row, [*place, "k1"]),
        "district": joined(row, place[:2]),
        "province": row["kode_prov"],
        "urban": {1.0: 1, 2.0: 0}.get(row["klasifikas"], np.nan),
        "attending": np.nan if np.isnan(row["r5"]) else int(row["r5"] == 2),
        "employed": int(1.0 in work) if work else np.nan,
        "wage": sum(pay) if pay and sum(pay) > 0 else np.nan,
        "status": row["r12a"],
        "hours": row["r16a"],
        "weight": row["weight"],
        "row_order": row["urutan"],
    }


@pytest.fixture
def sakernas(tmp_path) -> Path:
    path = tmp_path / "sak20aug.dta"
    pyreadstat.write_dta(simulated(), str(path), column_labels=["x"] * simulated().shape[1])
    return path


def test_sakernas_of_august_2020_is_read_by_the_mapping_that_ships(sakernas):
    ids = frozenset({"person_id", "household_id"})
    options = ReadOptions(mapping="sakernas")
    table = read_table({"2020-08": sakernas}, options, ids, "wave")
    expected = pd.DataFrame([by_hand(row) for _, row in simulated().iterrows()])
    for column in expected:
        pd.testing.assert_series_equal(
            table.frame[column], expected[column], check_dtype=False, rtol=1e-12
        )
    assert table.frame["wave"].unique().tolist() == ["2020-08"]
    assert len(table.frame) == len(simulated())
    assert "year" not in table.frame
    paid = simulated()[["r14a1", "r14a2"]].sum(axis=1, min_count=1)
    assert table.reasons is not None
    assert (table.reasons["wage"] == "0").tolist() == (paid == 0).tolist()
    assert (paid == 0).any()
    assert table.codebook["status"].values["4"] == "employee"


def test_the_faults_of_the_file_are_left_for_the_contract(sakernas):
    roles = Roles(unit="person_id", wave="wave", household="household_id", weight="weight")
    table = read_table(sakernas, ReadOptions(mapping="sakernas"), frozenset(roles.id_columns()))
    assert table.frame["person_id"].isna().sum() == 2
    assert table.frame["person_id"].dropna().duplicated().sum() == 1
    panel = read_panel({"2020-08": sakernas}, roles, ReadOptions(mapping="sakernas"))
    rows = {f.code: set(f.rows) for f in panel.check().errors}
    assert rows["duplicate_unit_wave"] >= {1, 40}
    assert any(found >= {38, 39} for found in rows.values())
