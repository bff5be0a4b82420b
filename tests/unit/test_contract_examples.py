"""Is every kind of fault found, with its rows and no others, and gone once mended as advised?"""

import re
from pathlib import Path
from string import Formatter

import pytest
from contract_examples import DATED, EXAMPLES, Asking, clean, dated

from prakerja_eval.panel.contract.finding import codes, wordings

PAGE = Path(__file__).parents[2] / "docs/methods/contract.md"


def test_there_is_an_example_of_every_fault_and_variant():
    assert set(EXAMPLES) == set(wordings())


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_fault_is_found_with_its_rows_and_nothing_else(name):
    example = EXAMPLES[name]
    code = name.partition(".")[0]
    words = wordings()[name]
    check = example.asking.check()
    found = [f for f in check.faults if f.code == code]
    assert [f.rows for f in found] == [tuple(example.rows)], check
    assert {f.code for f in check.faults} == {code, *example.beside}
    fault = found[0]
    assert fault.columns == (example.columns or fault.columns)
    assert (fault.severity, fault.designs) == (words.severity, words.designs)
    assert re.fullmatch(pattern(words.message), fault.message)
    for text in (fault.message, fault.why, fault.remedy):
        assert len(text) > 20
        assert "{" not in text
        assert "SYN-" not in text.upper()


def pattern(template):
    """A template as a regular expression, anything in its places."""
    parts = Formatter().parse(template)
    return "".join(re.escape(text) + (".+" if place else "") for text, place, _, _ in parts)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_remedy_makes_it_vanish(name):
    example = EXAMPLES[name]
    after = example.mend(example.asking).check()
    left = {f.code for f in after.faults} - example.beside
    assert name.partition(".")[0] not in left, after
    assert not left, after


@pytest.mark.parametrize(
    "asking", [Asking(clean()), Asking(dated(), DATED)], ids=["plain", "dated"]
)
def test_a_clean_panel_has_no_fault(asking):
    assert repr(asking.check()) == "No faults found."


def test_the_page_names_the_same_codes_with_severity_and_designs():
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ([\w, ]+) \|", PAGE.read_text("utf-8"), re.M)
    assert len(rows) == len({r[0] for r in rows})
    told = {code: wordings()[code] for code in codes()}
    assert {r[0]: (r[1], r[2]) for r in rows} == {
        c: (w.severity, ", ".join(w.designs) or "all") for c, w in told.items()
    }


def test_every_wording_is_whole_and_names_something_to_do():
    for name, words in wordings().items():
        assert words.severity in ("error", "warning"), name
        assert set(words.designs) <= {"lottery", "did", "matching"}, name
        assert "{rows}" in words.message, name
        assert words.why.endswith("."), name
        assert words.remedy.endswith("."), name
        assert not words.message.endswith("."), name
