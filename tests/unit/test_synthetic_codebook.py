"""Does the codebook name every column that a synthetic programme has, in both languages?"""

import tomllib
from dataclasses import fields
from importlib import resources

import pytest

from prakerja_eval.errors import UsageError
from prakerja_eval.panel import Roles
from prakerja_eval.synthetic import Scenario, simulate
from prakerja_eval.synthetic.codebook import codebook
from prakerja_eval.synthetic.world import roles

LANGUAGES = ("en", "id")


@pytest.fixture(scope="module")
def world():
    return simulate("phone_sample", n_applicants=1_500, seed=3)


@pytest.fixture(scope="module")
def made(world):
    return {
        "panel": list(world.panel.frame.columns),
        "applications": list(world.applications.columns),
        "records": list(world.records.columns),
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_column_has_an_entry_and_every_entry_a_column(made, language):
    book = codebook(language)
    named = {name: list(part["column"]) for name, part in book.groupby("table", sort=False)}
    assert named == made


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_but_roles_and_units_is_left_empty(language):
    book = codebook(language).drop(columns=["role", "unit"])
    assert not (book == "").any(axis=None)
    assert not book.isna().any(axis=None)


def test_the_two_languages_tell_of_the_same_columns_in_other_words():
    english, indonesian = codebook("en"), codebook("id")
    same = ["table", "column", "role"]
    assert english[same].equals(indonesian[same])
    assert (english["meaning"] != indonesian["meaning"]).all()
    assert (english["unit"] == "").equals(indonesian["unit"] == "")


def test_no_translation_is_left_over():
    source = resources.files("prakerja_eval.synthetic").joinpath("codebook.toml")
    words = tomllib.loads(source.read_text(encoding="utf-8"))["words"]
    used = set(codebook("en")[["kind", "unit", "values", "observed"]].to_numpy().ravel())
    assert set(words) == used - {""}


def test_the_roles_are_those_that_the_scenarios_give():
    book = codebook().query("table == 'panel' and role != ''")
    written = set(zip(book["role"], book["column"], strict=True))
    given = set()
    for name in Scenario.names():
        found = roles(Scenario.named(name))
        for field in fields(Roles):
            value = getattr(found, field.name)
            columns = value if isinstance(value, tuple) else (value,)
            given |= {(field.name, column) for column in columns if column}
    given -= {pair for pair in given if pair[0] == "baseline"}  # a wave, not a column
    assert written == given


def test_kinds_and_units_are_those_of_the_panel(world):
    book = codebook().query("table == 'panel'").set_index("column")
    frame = world.panel.frame
    flags = book.index[book["kind"] == "0 or 1"]
    assert frame[flags].isin([0, 1]).where(frame[flags].notna(), True).all(axis=None)
    whole = book.index[book["kind"].isin(["whole number", "0 or 1"])]
    assert (frame[whole] % 1).fillna(0).eq(0).all(axis=None)
    text = set(book.index[book["kind"].isin(["text", "month"])])
    assert text == set(frame.select_dtypes("string").columns)


def test_the_truth_of_receipt_is_known_only_in_a_simulation():
    book = codebook().query("observed == 'only in a simulation'")
    assert set(book["column"]) == {"cohort", "received", "programme_cash", "income_gross"}


def test_another_language_is_refused():
    with pytest.raises(UsageError, match="'fr' is not known; there are 'en', 'id'"):
        codebook("fr")
