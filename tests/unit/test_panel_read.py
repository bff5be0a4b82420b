"""Do ids survive the door? CSV, Parquet and DataFrames; 16 digits, leading zeros, floats."""

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import DataError, UsageError

ROLES = pe.Roles(unit="id", offer="won", household="home", clusters="village")
# made up, and shaped like 16-digit numbers that float64 cannot tell apart
LONG = [9_999_999_999_999_990 + k for k in range(4)]


def table(ids):
    return pd.DataFrame(
        {
            "id": ids,
            "won": [1, 0, 1, 0],
            "home": ["0007", "0007", "0010", "0010"],
            "village": ["01", "02", "02", "01"],
            "income": [1.0, 2.0, 3.0, 5.0],
        }
    )


def test_sixteen_digits_survive_a_data_frame():
    assert pe.read_panel(table(LONG), ROLES).units == [str(v) for v in LONG]
    exact = pd.array(LONG, dtype="Int64")
    assert pe.read_panel(table(exact), ROLES).units == [str(v) for v in LONG]


def test_ids_of_any_dtype_are_one_set_of_strings():
    ids = [3, 1, 2, 4]
    for dtype in ("int64", "Int64", "float64", "Float64", "str", "string", "category", "object"):
        panel = pe.read_panel(table(pd.Series(ids).astype(dtype)), ROLES)
        assert panel.units == ["3", "1", "2", "4"], dtype
    joined = pe.join(
        pe.lottery.itt(pe.read_panel(table(ids), ROLES), "income"),
        pe.lottery.itt(pe.read_panel(table([str(v) for v in ids]), ROLES), "income"),
    )
    assert len(joined.units) == 4


def test_leading_zeros_and_long_numbers_survive_a_csv(tmp_path):
    path = tmp_path / "panel.csv"
    table([f"{v:020d}" for v in LONG]).to_csv(path, index=False)
    panel = pe.read_panel(path, ROLES)
    assert panel.units == [f"{v:020d}" for v in LONG]
    clusters = pe.lottery.itt(panel, "income").units
    assert clusters["household"].tolist() == ["0007", "0007", "0010", "0010"]
    assert clusters["village"].tolist() == ["01", "02", "02", "01"]
    assert pe.read_panel(str(path), ROLES).units == panel.units


def test_parquet_keeps_ids_and_refuses_floats_that_lost_digits(tmp_path):
    path = tmp_path / "panel.parquet"
    for ids in (LONG, [str(v) for v in LONG]):
        table(ids).to_parquet(path)
        assert pe.read_panel(path, ROLES).units == [str(v) for v in LONG]
    floats = table([1.0, 2.0, 3.0, 4.0])
    floats.to_parquet(path)
    assert pe.read_panel(path, ROLES).units == ["1", "2", "3", "4"]
    for column in ("id", "home", "village"):
        floats.assign(**{column: [float(v) for v in LONG]}).to_parquet(path)
        with pytest.raises(DataError, match=f"the id column '{column}' is stored as floating"):
            pe.read_panel(path, ROLES)


def test_floats_too_large_to_be_exact_are_refused_from_a_data_frame_too():
    with pytest.raises(DataError, match="do not hold 16 digits") as refused:
        pe.read_panel(table([float(v) for v in LONG]), ROLES)
    assert "99999" not in str(refused.value)
    assert pe.read_panel(table([1.0, 2.0, 3.0, 4.0]), ROLES).units == ["1", "2", "3", "4"]


def test_a_csv_and_a_frame_give_the_same_answer(tmp_path):
    path = tmp_path / "panel.CSV"
    table(["a", "b", "c", "d"]).to_csv(path, index=False)
    a = pe.lottery.itt(pe.read_panel(path, ROLES), "income")
    b = pe.lottery.itt(pe.read_panel(table(["a", "b", "c", "d"]), ROLES), "income")
    np.testing.assert_array_equal(a.theta, b.theta)
    pd.testing.assert_frame_equal(a.units, b.units)


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("absent.csv", None, DataError, "there is no file"),
        ("panel.docx", b"x", UsageError, "is neither .csv"),
        ("empty.csv", b"", DataError, "cannot be read"),
        ("latin.csv", b"id,won,home,village\n\x81\xfe,1,a,b\n", DataError, "UTF-8"),
        ("ragged.csv", b"id,won,home,village\n1,0,a,b\n1,2,3,4,5,6\n", DataError, "cannot be read"),
        ("broken.parquet", b"not parquet", DataError, "cannot be read as Parquet"),
        ("headless.csv", b"1,0,a,b\n2,1,a,b\n", DataError, "looks like a row of data"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_its_name(
    tmp_path, name, content, error, message
):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=message):
        pe.read_panel(path, ROLES)


@pytest.mark.parametrize("source", [None, 3, {"id": [1]}, [["a"]]])
def test_what_is_neither_path_nor_frame_is_refused(source):
    with pytest.raises(UsageError, match="a path or a DataFrame"):
        pe.read_panel(source, ROLES)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        pe.read_panel(tmp_path, ROLES)


def test_an_empty_id_in_a_csv_is_a_fault_and_not_a_person_named_nan(tmp_path):
    path = tmp_path / "panel.csv"
    path.write_text("id,won,home,village,income\na,1,h,v,1\n,0,h,v,2\nc,1,h,v,2\nd,0,h,v,3\n")
    panel = pe.read_panel(path, ROLES)
    assert panel.units == ["a", "c", "d"]
    assert [f.code for f in panel.check().errors] == ["missing_role"]
    with pytest.raises(DataError, match="1 row without a value in 'id'"):
        pe.lottery.itt(panel, "income")


def test_a_csv_with_two_columns_of_one_name_is_refused(tmp_path):
    path = tmp_path / "twice.csv"
    path.write_text("id,won,y,y\na,1,2,3\n")
    with pytest.raises(DataError, match="two columns named 'y'"):
        pe.read_panel(path, pe.Roles(unit="id", offer="won"))


def test_a_csv_of_semicolons_is_read_and_refused_under_another_delimiter(tmp_path):
    path = tmp_path / "semicolon.csv"
    path.write_text("id;won;y\na;1;2,5\n")
    roles = pe.Roles(unit="id", offer="won")
    panel = pe.read_panel(path, roles)
    assert panel.frame["y"].tolist() == [2.5]
    assert [note.code for note in panel.notes] == ["delimiter", "decimal"]
    with pytest.raises(DataError, match="not separated by commas"):
        pe.read_panel(path, roles, pe.ReadOptions(delimiter=","))
