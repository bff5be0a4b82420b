"""Do both languages say everything, and write numbers as their readers do?"""

import subprocess
import sys

import pytest

from prakerja_eval.errors import UsageError
from prakerja_eval.language import LANGUAGES, Catalogue, Measure
from prakerja_eval.language.catalogue import listing, places

EN, ID = Catalogue.named("en"), Catalogue.named("id")
DOLLARS, SHARE = Measure("dollars"), Measure.of("share")


def test_both_languages_have_the_same_messages() -> None:
    assert EN.messages.keys() == ID.messages.keys()


@pytest.mark.parametrize("key", sorted(EN.messages))
def test_a_message_has_the_same_places_in_both_languages(key: str) -> None:
    assert places(EN.messages[key]) == places(ID.messages[key])
    assert EN.messages[key].strip()
    assert ID.messages[key].strip()


def test_indonesian_sentences_are_not_english_left_over() -> None:
    sentences = [k for k, text in EN.messages.items() if text.count(" ") >= 5]
    same = [k for k in sentences if EN.messages[k] == ID.messages[k]]
    assert set(same) <= {"method.lottery_itt.reference", "method.compare.reference"}


def test_thousands_and_decimals_follow_the_language() -> None:
    # CLDR: English 1,234.5; Indonesian 1.234,5
    assert EN.number(1234.5, 1) == "1,234.5"
    assert ID.number(1234.5, 1) == "1.234,5"


def test_negative_numbers_have_a_minus_sign_and_zero_has_none() -> None:
    assert EN.number(-0.04, 1) == "0.0"
    assert EN.number(-3) == "\N{MINUS SIGN}3"


@pytest.mark.parametrize("nothing", [None, float("nan"), float("inf")])
def test_what_is_no_number_is_a_dash(nothing: float | None) -> None:
    assert EN.number(nothing) == "–"


def test_money_and_shares_have_their_units() -> None:
    assert EN.money(1794.34, "dollars") == "1,794 dollars"
    assert ID.money(1794.34, "dollars") == "1.794 dolar"
    assert EN.percent_points(0.11060) == "11.1 percentage points"
    assert ID.percent_points(0.11060) == "11,1 poin persentase"
    assert EN.level(0.6461, SHARE) == "64.6 percent"
    assert EN.effect(3.0, Measure("sacks of rice")) == "3 sacks of rice"


def test_an_interval_names_its_unit_once() -> None:
    assert EN.interval(-550.2, 3038.4, DOLLARS) == "from \N{MINUS SIGN}550 to 3,038 dollars"


def test_p_values_are_never_zero() -> None:
    assert EN.p_value(0.0000001) == "<\u00a00.001"
    assert EN.p_value(0.0124) == "0.012"
    assert ID.p_value(0.0124, sentence=True) == "p\u00a0=\u00a00,012"
    assert EN.p_value(0.0004, sentence=True) == "p\u00a0<\u00a00.001"


@pytest.mark.parametrize(
    ("values", "digits"), [((1794.0, 633.0), 0), ((12.3,), 1), ((0.5,), 3), ((), 0), ((0.0,), 1)]
)
def test_digits_follow_the_largest_number(values: tuple[float, ...], digits: int) -> None:
    assert Measure.of("rupiah", values).digits == digits


def test_a_list_ends_in_and() -> None:
    assert listing(EN, ["a", "b", "c"]) == "a, b and c"
    assert listing(ID, ["a", "b"]) == "a dan b"
    assert listing(EN, ["a"]) == "a"


def test_an_unknown_language_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="'en', 'id'"):
        Catalogue.named("de")


def test_an_unknown_message_is_refused_with_its_neighbours() -> None:
    with pytest.raises(KeyError, match=r"verdict\.differs"):
        EN.text("verdict.unheard_of")


def test_an_empty_place_is_refused() -> None:
    with pytest.raises(KeyError):
        EN.text("format.percent")


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_of_a_study_are_not_read_as_places(language: str) -> None:
    text = Catalogue.named(language).text("method.used", label="{options}", options="a")
    assert text == "{options}: a."


def test_the_catalogue_needs_no_pandas() -> None:
    code = "import sys, prakerja_eval.language as l; l.Catalogue.named('id'); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pandas", "numpy", "matplotlib"} & set(run.stdout.split())
