"""Bad inputs at the command line: the exit code, one message, nothing half written, no id shown."""

import csv
import io
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from bad_inputs import CASES, Case, nik, report, separating, small, winners, with_hp
from click.testing import CliRunner
from study_files import STUDY, people, write_study

from prakerja_eval.cli import main

IDS = re.compile(r"SYN-\d|0812\d{8}|32010\d{11}")  # what stands in id cells of the cases
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
KINDS = {2, 3, 4, 5, 6}


def run(arguments: list[object]) -> tuple[int, str, str]:
    """Run the command in this process; an exception other than an exit fails the test."""
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stdout, result.stderr


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return everything below a folder."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() if p.is_file() else None
        for p in folder.rglob("*")
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_input_has_its_exit_code_and_message_and_leaves_nothing(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    arguments = case.build(tmp_path)
    before = tree(tmp_path)
    code, stdout, stderr = run(arguments)
    assert code == case.code, stderr
    assert case.said in stderr
    assert "Traceback" not in stderr + stdout
    assert not IDS.search(stderr + stdout)
    assert not UNSAFE.search(stderr + stdout)
    assert tree(tmp_path) == before
    if arguments[0] == "check" and "Usage:" not in stderr:
        code, stdout, _ = run([*arguments, "--json"])
        assert code == case.code
        assert isinstance(json.loads(stdout), dict)


def test_the_cases_are_many_and_the_page_lists_each() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "methods" / "exit-codes.md"
    lines = page.read_text(encoding="utf-8").splitlines()
    table = [line for line in lines if re.search(r"^\| .* \| \d+ \| ", line)]
    assert sorted(table) == sorted(case.row for case in CASES)
    assert len({case.name for case in CASES}) == len(CASES) >= 40
    assert {case.code for case in CASES} == KINDS - {5}


def test_one_entry_that_fails_beside_others_is_a_row_with_its_reason(tmp_path: Path) -> None:
    code, _, stderr = run(report(tmp_path, frame=separating(people())))
    assert (code, stderr) == (0, "")
    found = pd.read_csv(tmp_path / "out" / "findings.csv").set_index("name")
    assert found["estimate"].notna()["lottery"]
    assert found["estimate"].isna()["matching"]
    assert "predicts treatment perfectly" in found["status"]["matching"]


@pytest.mark.parametrize(
    "change", [winners(1), lambda f: f.assign(income=5.0)], ids=["arm of one", "constant outcome"]
)
def test_what_has_no_spread_gives_no_standard_error_and_says_why(
    tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    code, _, stderr = run(report(tmp_path, frame=change(people())))
    assert (code, stderr) == (0, "")
    found = pd.read_csv(tmp_path / "out" / "findings.csv")
    assert found["std_error"].isna().all()
    assert (found["status"] != "ok").all()


def test_debug_shows_the_traceback_and_a_bug_is_no_traceback_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("SYN-000001")

    monkeypatch.setattr("prakerja_eval.study.examination.examine", broken)
    arguments = ["check", small(tmp_path / "a.csv")]
    code, stdout, stderr = run(arguments)
    assert code == 1
    assert "bug" in stderr
    assert not IDS.search(stdout + stderr)
    assert "Traceback" in run(["--debug", *arguments])[2]


def test_data_that_do_not_fit_into_memory_are_said_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("prakerja_eval.study.examination.examine", full)
    code, _, stderr = run(["check", small(tmp_path / "a.csv")])
    assert code == 3
    assert "memory" in stderr


def test_names_and_cells_never_steer_the_terminal(tmp_path: Path) -> None:
    hostile = "\x1b]0;own\x07\u202e\x9b31m\u2066"
    lines = [f"person_id,wave,{hostile},x\u200f\n", "SYN-000001,1,,\x1b[2J\n", "SYN-000002,1,5,b\n"]
    path = tmp_path / f"a{hostile}.csv"
    path.write_text("".join(lines), encoding="utf-8")
    for extra in ([], ["--json"], ["--drop", hostile], ["--drop", "nothing\x1b[2J"]):
        code, stdout, stderr = run(["check", path, *extra])
        assert code == (2 if "nothing\x1b[2J" in extra else 0), stderr
        assert not UNSAFE.search(stdout + stderr)
    named = json.loads(run(["check", path, "--json"])[1])["columns"]
    assert hostile in named  # the name itself is not changed
    text = STUDY.replace("title =", f'"{"titel"}\\u001b[2J" =')
    code, stdout, stderr = run(report(tmp_path, text))
    assert code == 2
    assert "titel\\u001b[2J" in stderr
    assert not UNSAFE.search(stdout + stderr)


def test_a_name_with_a_line_break_does_not_fake_a_line(tmp_path: Path) -> None:
    frame = with_hp(people(20)).rename(columns={"no_hp": "hp\nIdentifiers: none found."})
    frame.to_parquet(tmp_path / "a.parquet")  # the reader of text takes line breaks off names
    code, stdout, stderr = run(["check", tmp_path / "a.parquet"])
    assert code == 6
    lines = (stdout + stderr).splitlines()
    assert not [line for line in lines if line.startswith("Identifiers: none found.")]


def test_very_long_names_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(f"person_id,wave,{'x' * 100_000}\nSYN-1,1,2\nSYN-2,1,5\n", "utf-8")
    assert run(["check", path])[0] == 0


HTML = '<script>alert(1)</script><img src=x onerror="alert(2)">'
LATEX = r"\input{/etc/passwd} $x$ & % # _ { } ~ ^"
FORMULAS = ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1")
PATHS = '../../x"; rm'


def hostile_study(folder: Path) -> Path:
    """Write a study in which every name is hostile."""
    column = "../y <b>&=%_"
    text = STUDY.replace('"income"', f"'{column}'").replace("income@1", f"{column}@1")
    text = text.replace("covariates = [", "covariates = [", 1)
    text = text.replace('label = "Income"', f"label = '''=1+1 {HTML} {LATEX}'''")
    text = text.replace('title = "A small study"', f"title = '''{HTML}'''")
    text = text.replace('about = "Simulated people."', f"about = '''{HTML} {LATEX}'''")
    text = text.replace('1 = "Winners"', f"1 = '''../{HTML}'''").replace('"Losers"', '"@SUM(1)"')
    text = text.replace('name = "lottery"', 'name = "=1+1"').replace('"Lottery"', '"\\t=1"')
    text = text.replace('name = "matching"', f"name = '{PATHS}'").replace(
        'label = "Matching"', 'label = "-1 \\u202e\\u001b[2J"'
    )
    text = text.replace('name = "did"', 'name = "\\r=1"')
    return write_study(folder, text, people().rename(columns={"income": column}))


class Elements(HTMLParser):
    """The elements of a page, each with the names of its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element."""
        self.found += [(tag, ""), *((tag, name) for name, _ in attrs)]


def test_hostile_names_stay_text_in_every_output(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    study, out = hostile_study(home), home / "deep" / "out"
    before = set(tree(tmp_path))
    code, _, stderr = run(["report", study, "--out", out])
    assert code == 0, stderr
    new = set(tree(tmp_path)) - before
    assert all(name == "home/deep" or name.startswith("home/deep/out") for name in new)
    assert all(re.fullmatch(r"[\w./-]+", name) for name in new)

    page = (out / "report.html").read_text(encoding="utf-8")
    for text in (page, *(p.read_text("utf-8") for p in out.rglob("*.html"))):
        elements = Elements(text).found
        assert not [e for e in elements if e[0] == "script" or e[1].startswith("on")]
        assert {name for name, _ in elements} >= {"table"}
        assert not {"b", "script"} & {name for name, _ in elements}
    assert "&lt;script&gt;" in page

    for path in out.rglob("*.tex"):
        text = path.read_text(encoding="utf-8")
        assert "\\input" not in text
        assert not re.search(r"(?<!\\)[%#]|(?<!\\)\$(?!-\$)(?<!-\$)", text.replace("$-$", ""))

    texts = [p.read_bytes().decode() for p in out.rglob("*.csv")]
    rows = [row for text in texts for row in csv.reader(io.StringIO(text, newline=""))]
    for cell in (cell for row in rows for cell in row):
        if cell.startswith(("=", "+", "-", "@", "\t", "\r")):
            assert float(cell) < 0  # a number stays a number
    cells = {cell for row in rows for cell in row}
    assert {"'=1+1", "'\t=1", "'\r=1"} <= cells
    assert json.loads((out / "findings.json").read_text("utf-8"))[0]["name"] == "=1+1"
    assert run(["verify", out])[0] == 0


def test_a_drift_of_hostile_names_does_not_steer_the_terminal(tmp_path: Path) -> None:
    study, out = hostile_study(tmp_path), tmp_path / "out"
    assert run(["report", study, "--out", out])[0] == 0
    text = (out / "findings.json").read_text(encoding="utf-8")
    (out / "findings.json").write_text(text.replace('"ok"', '"\\u001b[2J"'), encoding="utf-8")
    code, stdout, stderr = run(["verify", out])
    assert code == 5
    assert "\\u001b[2J" in stderr
    assert not UNSAFE.search(stdout + stderr)


def test_data_outside_and_a_target_behind_a_link_are_fine_and_show_no_path(tmp_path: Path) -> None:
    for name in ("secret_place", "project", "elsewhere"):
        (tmp_path / name).mkdir()
    people().to_csv(tmp_path / "secret_place" / "people.csv", index=False)
    study = tmp_path / "project" / "small.toml"
    absolute = (tmp_path / "secret_place" / "people.csv").as_posix()
    study.write_text(STUDY.replace("people.csv", absolute), encoding="utf-8")
    link = tmp_path / "project" / "out"
    link.symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert run(["report", study, "--out", link])[0] == 0
    assert link.is_symlink()
    assert (tmp_path / "elsewhere" / "report.html").is_file()
    for path in (tmp_path / "elsewhere").rglob("*.[hj]*"):
        assert "secret_place" not in path.read_text(encoding="utf-8")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["elsewhere", "project", "secret_place"]


def test_the_numbers_of_these_tests_have_the_form_of_identity_numbers() -> None:
    assert all(IDS.fullmatch(nik(i)) for i in range(400))
