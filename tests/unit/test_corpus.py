"""Are the faults of some hundred and sixty spoiled files found, named, and mended as advised?

The files and what is to be found in them: tests/corpus. Rows are counted there by hand.
"""

import json
import re
from pathlib import Path
from string import Formatter

import pytest
from click.testing import CliRunner

from corpus import build
from corpus.asking import Entry
from corpus.clean import CLEAN, Clean
from corpus.studies import study_of
from corpus.together import CHOSEN
from prakerja_eval.cli import main
from prakerja_eval.panel.contract.finding import wordings
from prakerja_eval.panel.privacy import screen
from prakerja_eval.panel.read import read_long

FOUND = [e for e in build.ENTRIES if e.error is None]
REFUSED = [e for e in build.ENTRIES if e.error is not None]
# the command is asked about a quarter of them, and about every file with identifiers
BY_STUDY = [e for e in build.ENTRIES if not e.asking.waves]
SPREAD = [e for i, e in enumerate(BY_STUDY) if i % 4 == 0 or e.kinds]


def named(entries: list) -> dict[str, object]:
    return {"argvalues": entries, "ids": [e.name for e in entries]}


def pattern(template: str) -> str:
    """A message of faults.toml as a regular expression, anything in its places."""
    parts = Formatter().parse(template)
    return "".join(re.escape(text) + (".+" if place else "") for text, place, _, _ in parts)


def test_the_corpus_is_as_large_as_was_promised() -> None:
    assert len(build.SINGLE) >= 60
    assert len(build.TOGETHER) >= 20
    assert all(2 <= len(names) <= 4 for names in CHOSEN)
    assert len(CLEAN) >= 10
    assert len(SPREAD) >= 40
    assert len({e.name for e in (*build.ENTRIES, *CLEAN)}) == len(build.ENTRIES) + len(CLEAN)


def test_every_fault_and_variant_of_the_contract_is_in_the_corpus() -> None:
    assert {f.code for e in build.SINGLE for f in e.found} == set(wordings())


def test_the_script_still_writes_the_committed_files() -> None:
    texts = build.texts()
    assert {p.name: p.read_bytes() for p in build.HERE.iterdir()} == texts
    assert sum(map(len, texts.values())) < 1_000_000
    assert build.INDEX.read_text(encoding="utf-8") == build.index()


@pytest.mark.parametrize("entry", **named(FOUND))
def test_each_fault_is_found_with_its_rows_and_no_other(entry: Entry, tmp_path: Path) -> None:
    _, check = entry.asking.check(entry.name, tmp_path)
    told = [f for f in check.faults if f.code not in entry.beside]
    wanted = sorted((f.code.partition(".")[0], f.rows) for f in entry.found)
    assert sorted((f.code, f.rows) for f in told) == wanted, check
    assert set(entry.beside) <= {f.code for f in check.faults}
    for want in entry.found:
        words = wordings()[want.code]
        assert any(
            re.fullmatch(pattern(words.message), f.message)
            and re.fullmatch(pattern(words.remedy), f.remedy)
            and f.rows == want.rows
            and f.severity == words.severity
            and want.columns in (None, f.columns)
            for f in told
        ), want
    assert "SYN-" not in repr(check).upper()


@pytest.mark.parametrize("entry", **named(REFUSED))
def test_what_cannot_be_read_is_refused_with_what_settles_it(entry: Entry, tmp_path: Path) -> None:
    with pytest.raises(entry.error) as caught:
        entry.asking.check(entry.name, tmp_path)
    message = str(caught.value)
    assert type(caught.value) is entry.error
    assert [w for w in entry.words if w not in message] == []
    assert "SYN-" not in message.upper()


@pytest.mark.parametrize("entry", **named([e for e in REFUSED if e.kinds]))
def test_identifiers_are_named_with_their_kind(entry: Entry, tmp_path: Path) -> None:
    asking = entry.asking
    table = read_long(asking.place(entry.name, tmp_path), asking.roles, asking.options)
    assert tuple((i.column, i.kind) for i in screen(table)) == entry.kinds


@pytest.mark.parametrize("entry", **named(list(build.ENTRIES)))
def test_the_remedy_leaves_no_fault(entry: Entry, tmp_path: Path) -> None:
    panel, check = entry.mended.check(entry.name, tmp_path)
    assert len(panel) >= 12
    assert repr(check) == "No faults found."


@pytest.mark.parametrize("clean", **named(list(CLEAN)))
def test_nothing_is_found_in_a_clean_file(clean: Clean, tmp_path: Path) -> None:
    _, check = clean.asking().check(clean.name, tmp_path)
    assert repr(check) == "No faults found."


def command(entry: Entry, folder: Path) -> tuple[int, str, str]:
    """Check the file of an entry by a study file that asks the same."""
    asking = entry.asking
    study = folder / f"{entry.name}-study.toml"
    study.write_text(study_of(asking, entry.name), encoding="utf-8")
    path = asking.place(entry.name, folder)
    result = CliRunner().invoke(main, ["check", str(path), "--study", str(study), "--json"])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("entry", **named([e for e in SPREAD if e.error is None]))
def test_the_command_tells_the_same_with_its_exit_code(entry: Entry, tmp_path: Path) -> None:
    code, out, err = command(entry, tmp_path)
    faults = json.loads(out)["faults"]
    told = sorted((f["code"], tuple(f["rows"])) for f in faults if f["code"] not in entry.beside)
    assert told == sorted((f.code.partition(".")[0], f.rows) for f in entry.found)
    stops = any(f["severity"] == "error" for f in faults)
    assert code == (3 if stops else 0), err
    assert ("error(s) that stop" in err) == stops
    assert "SYN-" not in (out + err).upper()


@pytest.mark.parametrize("entry", **named([e for e in SPREAD if e.error is not None]))
def test_the_command_refuses_with_its_exit_code(entry: Entry, tmp_path: Path) -> None:
    code, out, err = command(entry, tmp_path)
    assert code == entry.error.exit_code, err
    message = err if not entry.kinds else err + out
    assert [w for w in entry.words if w not in message] == []
    assert "Traceback" not in err
    assert err.startswith("prakerja-eval: ")
    assert "SYN-" not in (out + err).upper()
