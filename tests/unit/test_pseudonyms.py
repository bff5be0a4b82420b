"""Are pseudonyms the HMAC that they claim to be, and is the key kept away from the data?"""

import base64
import hashlib
import hmac
import os
import re
import tomllib

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import prakerja_eval as pe
from prakerja_eval.cli.pseudonymise import pseudonymise as command
from prakerja_eval.errors import DataError, IdentifierError, UsageError
from prakerja_eval.panel import ReadOptions
from prakerja_eval.panel.privacy import screen
from prakerja_eval.panel.privacy.output import codebook_toml, write_output
from prakerja_eval.panel.privacy.pseudonyms import pseudonym, pseudonyms, standing_for_none
from prakerja_eval.panel.readers import read_table
from prakerja_eval.panel.table import Table, Variable

NIKS = ["3201054103900007", "3201051503900008", "3201054103900007", None]
KEY = bytes(range(32))
posix = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")


@pytest.fixture
def places(tmp_path, monkeypatch):
    """A project, a folder of data and a folder of keys, side by side."""
    for name in ("project", "data", "keys"):
        (tmp_path / name).mkdir()
    (tmp_path / "project" / "pyproject.toml").touch()
    monkeypatch.chdir(tmp_path / "project")
    key = tmp_path / "keys" / "survey.key"
    key.write_text(KEY.hex())
    key.chmod(0o600)
    return tmp_path


@pytest.fixture
def key(places):
    return places / "keys" / "survey.key"


def by_hand(text):
    """HMAC by its definition (RFC 2104) over hashlib, without the hmac module."""
    block = KEY.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in block) + text.encode()).digest()
    outer = hashlib.sha256(bytes(b ^ 0x5C for b in block) + inner).digest()
    return "P-" + base64.b32encode(outer[:16]).decode().strip("=").lower()


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_pseudonym_is_the_hmac_of_the_text_by_its_definition(text):
    assert pseudonym(text, KEY) == by_hand(text)
    again = hmac.new(KEY, text.encode(), "sha256").digest()[:16]
    padded = pseudonym(text, KEY)[2:].upper() + "======"
    assert base64.b32decode(padded) == again


def test_a_vector_of_rfc_4231():
    """Test case 2: key "Jefe", digest 5bdcc146bf60754e6a042426089575c7..."""
    padded = pseudonym("what do ya want for nothing?", b"Jefe")[2:].upper() + "======"
    assert base64.b32decode(padded).hex() == "5bdcc146bf60754e6a042426089575c7"


def test_ids_are_replaced_and_missing_ones_stay_missing(key):
    frame = pd.DataFrame({"nik": NIKS, "income": [1.0, 2.0, 3.0, 4.0]})
    out = pe.pseudonymise(frame, "nik", key)
    assert out["nik"].tolist()[:3] == [by_hand(v) for v in NIKS[:3]]
    assert out["nik"].isna().tolist() == [False, False, False, True]
    assert out["income"].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert frame["nik"].tolist()[0] == NIKS[0]


def test_one_id_has_one_pseudonym_in_every_column_type_and_file(key, places):
    pd.DataFrame({"nik": NIKS[:2], "x": [1, 2]}).to_csv(places / "data" / "a.csv", index=False)
    pd.DataFrame({"ibu": [int(NIKS[0])], "anak": [f" {NIKS[0]} "]}).to_parquet(
        places / "data" / "b.parquet"
    )
    a = pe.pseudonymise(places / "data" / "a.csv", "nik", key)
    b = pe.pseudonymise(places / "data" / "b.parquet", ("ibu", "anak"), key)
    assert {a["nik"][0], b["ibu"][0], b["anak"][0]} == {by_hand(NIKS[0])}


def test_spaces_around_an_id_do_not_count_and_blanks_are_missing():
    out = pseudonyms(pd.Series([" a ", "a", "", "  ", None]), KEY)
    assert out.tolist()[:2] == [by_hand("a")] * 2
    assert out.isna().tolist() == [False, False, True, True, True]


def test_ids_keep_their_leading_zeros(key, places):
    (places / "data" / "a.csv").write_text("person,x\n007,1\n8,2\n")
    out = pe.pseudonymise(places / "data" / "a.csv", "person", key)
    assert out["person"].tolist() == [by_hand("007"), by_hand("8")]


def test_one_id_with_and_without_its_zeros_is_refused_and_not_shown(key):
    with pytest.raises(DataError, match=r"'person'.*zeros") as error:
        pe.pseudonymise(pd.DataFrame({"person": ["00471", "471", "12"]}), "person", key)
    assert "471" not in str(error.value)


def test_a_nik_written_in_several_ways_has_one_pseudonym(key):
    nik = "3201054103900007"
    written = [
        nik,
        "3201.0541.0390.0007",
        "320105 410390 0007",
        "320105-410390-0007",
        f" {nik} ",
        f"{nik}.0",
        f"'{nik}",
    ]
    out = pe.pseudonymise(pd.DataFrame({"nik": written}), "nik", key)
    assert set(out["nik"]) == {by_hand(nik)}
    assert pseudonyms(pd.Series(["12-3", "12.5"]), KEY).tolist() == [
        by_hand("12-3"),
        by_hand("12.5"),
    ]


def test_a_whole_number_with_a_decimal_is_the_whole_number():
    assert (
        pseudonyms(pd.Series(["12.0", "12", 12.0], dtype=object), KEY).tolist()
        == [by_hand("12")] * 3
    )


NO_IDS = [
    "-",
    "tidak tahu",
    "Tidak Ada",
    "0",
    "9999999999999999",
    "0000",
    "NA",
    "",
    " ",
    "...",
    "n/a",
]


def test_cells_that_stand_for_no_id_become_nobody():
    out = pseudonyms(pd.Series([*NO_IDS, "a", "99", "1111", "11112222"]), KEY)
    assert out.isna().tolist() == [True] * len(NO_IDS) + [False] * 4
    assert standing_for_none(pd.Series([*NO_IDS, None, "a"])) == len(NO_IDS)


def test_the_command_says_how_many_cells_stand_for_no_id(places, key):
    raw, out = places / "data" / "raw.csv", places / "data" / "safe.csv"
    raw.write_text("nik,income\n3201054103900007,5\ntidak tahu,6\n9999999999999999,7\n")
    done = run(raw, "--columns", "nik", "--key", key, "--out", out)
    assert done.exit_code == 0, done.output
    assert "nik: 1 ids replaced in 1 cells" in done.output
    assert "nik: 2 cells that stand for no id are left empty" in done.output


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30), st.binary(min_size=32))
def test_pseudonyms_pass_the_screen_under_any_name(ids, secret):
    values = [pseudonym(str(i), secret) for i in ids]
    assert len(set(values)) == len(set(ids))
    for name in ("nik", "hp", "q1"):
        assert screen(Table(pd.DataFrame({name: values}))) == ()


def test_identifiers_must_be_named_or_dropped(key):
    frame = pd.DataFrame({"nik": NIKS[:2], "hp": ["081234567001", "081234567002"]})
    with pytest.raises(IdentifierError, match="'hp'") as error:
        pe.pseudonymise(frame, "nik", key)
    assert re.search(r"\d{6}", str(error.value)) is None
    assert list(pe.pseudonymise(frame, "nik", key, drop="hp")) == ["nik"]
    assert pe.pseudonymise(frame, ("nik", "hp"), key)["hp"].str.startswith("P-").all()


@pytest.mark.parametrize(
    ("values", "dtype"),
    [([2.0**53], "float64"), ([1.5], "float64"), ([2.0**24], "float32"), ([np.inf], "float64")],
)
def test_float_ids_that_may_have_lost_digits_are_refused(key, values, dtype):
    frame = pd.DataFrame({"person": pd.Series(values, dtype=dtype)})
    with pytest.raises(DataError, match="'person'") as error:
        pe.pseudonymise(frame, "person", key)
    assert "9007199254740992" not in str(error.value)


def test_whole_float_ids_that_hold_every_digit_are_taken(key):
    frame = pd.DataFrame({"person": [12.0, np.nan, 2.0**53 - 1]})
    out = pe.pseudonymise(frame, "person", key)["person"]
    assert [out[0], out[2]] == [by_hand("12"), by_hand("9007199254740991")]
    assert pd.isna(out[1])


def test_unknown_empty_or_contradictory_columns_are_refused(key):
    frame = pd.DataFrame({"person": ["a"], "x": [1]})
    with pytest.raises(UsageError, match="Did you mean 'person'"):
        pe.pseudonymise(frame, "persn", key)
    with pytest.raises(UsageError, match="at least one"):
        pe.pseudonymise(frame, (), key)
    with pytest.raises(UsageError, match="at once"):
        pe.pseudonymise(frame, "person", key, drop="person")


def test_a_new_key_is_random_private_and_never_overwritten(places):
    one = pe.new_key(places / "keys" / "one.key")
    other = pe.new_key(places / "keys" / "other.key")
    assert len(bytes.fromhex(one.read_text())) == 32
    assert one.read_text() != other.read_text()
    with pytest.raises(UsageError, match="never overwritten"):
        pe.new_key(one)


@posix
def test_a_new_key_is_readable_by_its_owner_alone(places):
    assert pe.new_key(places / "keys" / "one.key").stat().st_mode & 0o777 == 0o600


@posix
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602])
def test_a_key_that_others_may_read_or_change_is_refused(key, mode):
    key.chmod(mode)
    with pytest.raises(UsageError, match="chmod 600"):
        pe.pseudonymise(pd.DataFrame({"person": ["a"]}), "person", key)


def test_a_key_inside_the_project_is_refused(places, monkeypatch):
    deep = places / "project" / "deep"
    deep.mkdir()
    monkeypatch.chdir(deep)
    with pytest.raises(UsageError, match="inside the project"):
        pe.new_key(places / "project" / "one.key")
    assert not (places / "project" / "one.key").exists()


def test_without_a_project_the_current_folder_is_one(places, monkeypatch):
    monkeypatch.chdir(places / "keys")
    with pytest.raises(UsageError, match="inside the project"):
        pe.new_key("one.key")


@pytest.mark.parametrize("below", ["", "keys"])
def test_a_key_beside_or_below_the_data_is_refused(places, key, below):
    (places / "data" / "a.csv").write_text("person\na\n")
    inside = places / "data" / below / "k.key"
    inside.parent.mkdir(exist_ok=True)
    key.rename(inside)
    with pytest.raises(UsageError, match="folder of the data"):
        pe.pseudonymise(places / "data" / "a.csv", "person", inside)


def test_a_link_to_a_key_inside_the_project_is_refused(places, key):
    inside = places / "project" / "k.key"
    key.rename(inside)
    key.symlink_to(inside)
    with pytest.raises(UsageError, match="inside the project"):
        pe.pseudonymise(pd.DataFrame({"person": ["a"]}), "person", key)


@pytest.mark.parametrize("text", ["ab" * 31, "not a key", "", "\xff" * 64])
def test_a_short_or_broken_key_is_refused_and_not_shown(key, text):
    key.write_text(text)
    with pytest.raises(DataError) as error:
        pe.pseudonymise(pd.DataFrame({"person": ["a"]}), "person", key)
    assert not text or text not in str(error.value)


def test_a_missing_key_is_an_error_that_says_how_to_make_one(places):
    with pytest.raises(DataError, match="new_key"):
        pe.pseudonymise(pd.DataFrame({"person": ["a"]}), "person", places / "keys" / "none.key")


def test_column_names_that_are_identifiers_are_refused(key):
    with pytest.raises(IdentifierError) as error:
        pe.pseudonymise(pd.DataFrame({"person": ["a"], "081234567001": [1]}), "person", key)
    assert "column 2" in str(error.value)
    assert "081234567001" not in str(error.value)


def run(*arguments):
    return CliRunner().invoke(command, [str(a) for a in arguments])


def test_the_command_writes_data_and_says_counts_and_no_ids(places, key):
    raw, out = places / "data" / "raw.csv", places / "data" / "safe.parquet"
    raw.write_text("nik,nama,income\n3201054103900007,Siti Aminah,5\n3201054103900007,Siti A,6\n")
    done = run(raw, "--columns", "nik", "--drop", "nama", "--key", key, "--out", out)
    assert done.exit_code == 0, done.output
    assert "nik: 1 ids replaced in 2 cells" in done.output
    assert "left out: nama" in done.output
    assert re.search(r"3201|Siti|P-", done.output) is None
    frame = pd.read_parquet(out)
    assert frame["nik"].tolist() == [by_hand("3201054103900007")] * 2
    assert frame["income"].tolist() == [5, 6]
    assert sorted(p.name for p in out.parent.iterdir()) == ["raw.csv", "safe.parquet"]


def test_the_command_makes_a_key_and_takes_it_back_if_it_fails(places):
    raw, out = places / "data" / "raw.csv", places / "data" / "safe.csv"
    raw.write_text("person,x\na,1\n")
    fresh = places / "keys" / "fresh.key"
    failed = run(raw, "--columns", "none", "--key", fresh, "--new-key", "--out", out)
    assert isinstance(failed.exception, UsageError)
    assert not fresh.exists()
    assert not out.exists()
    done = run(raw, "--columns", "person", "--key", fresh, "--new-key", "--out", out)
    assert done.exit_code == 0, done.output
    assert fresh.read_text().strip() not in done.output
    kept = fresh.read_text()
    again = run(raw, "--columns", "person", "--key", fresh, "--new-key", "--out", out)
    assert isinstance(again.exception, UsageError)
    assert fresh.read_text() == kept


def test_the_command_never_replaces_an_input(places, key):
    raw = places / "data" / "raw.csv"
    raw.write_text("person,x\na,1\n")
    (places / "data" / "link.csv").hardlink_to(raw)
    for out in (raw, places / "data" / "link.csv", places / "data", places / "data" / "a.xlsx"):
        done = run(raw, "--columns", "person", "--key", key, "--out", out)
        assert isinstance(done.exception, UsageError)
    assert raw.read_text() == "person,x\na,1\n"


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_labels_and_missing_reasons_come_back_with_the_codebook(places, ending):
    frame = pd.DataFrame(
        {
            "person": pd.Series(["P-x", "P-y", "P-z"], dtype="str"),
            "income": [1.5, np.nan, 0.0000001],
            "hours": [np.nan, 40.0, 38.0],
            "sex": [1, 2, 1],
        }
    )
    reasons = pd.DataFrame({"income": [None, ".a", None], "hours": ["98", None, None]})
    book = {
        "income": Variable('Income, "net"\x7f', missing={".a": "refused"}),
        "sex": Variable("Sex", {"1": "L", "2": "P"}),
    }
    out = places / "data" / f"safe{ending}"
    codebook = write_output(Table(frame, book, reasons), out)
    assert codebook == places / "data" / "safe.codebook.toml"
    back = read_table(out, ReadOptions(codebook=str(codebook)), frozenset(["person"]))
    pd.testing.assert_frame_equal(back.frame, frame, check_dtype=False)
    for name in reasons:
        assert back.reasons[name].fillna("").tolist() == reasons[name].fillna("").tolist()
    assert back.codebook["sex"].values == {"1": "L", "2": "P"}
    assert back.codebook["income"].label == 'Income, "net"\x7f'
    assert back.codebook["income"].missing == {".a": "refused"}
    assert back.codebook["hours"].missing == {"98": ""}


def test_a_failed_write_leaves_nothing(places, monkeypatch):
    def fails(*_arguments, **_named):
        raise OSError(28, "No space left on device")

    out = places / "data" / "safe.csv"
    out.write_text("old")
    monkeypatch.setattr("pathlib.Path.write_text", fails)
    table = Table(pd.DataFrame({"sex": [1, 2]}), {"sex": Variable("Sex")})
    with pytest.raises(UsageError, match="No space left"):
        write_output(table, out)
    assert out.read_text() == "old"
    assert [p.name for p in out.parent.iterdir()] == ["safe.csv"]


def test_an_output_in_a_folder_that_is_not_there_is_refused(places):
    with pytest.raises(UsageError, match="another folder"):
        write_output(Table(pd.DataFrame({"x": [1]})), places / "none" / "safe.csv")


text = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.dictionaries(text, st.builds(Variable, text, st.dictionaries(text, text))))
def test_a_codebook_is_toml_that_says_the_same(book):
    tree = tomllib.loads(codebook_toml(book))
    assert tree.keys() == book.keys()
    for name, variable in book.items():
        assert tree[name]["label"] == variable.label
        assert tree[name].get("values", {}) == variable.values
