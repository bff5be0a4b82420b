"""Does the shell write a synthetic programme whole, say what it wrote, and refuse what is none?"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from prakerja_eval.cli import main
from prakerja_eval.study import Study
from prakerja_eval.synthetic import Scenario

FILES = {"truth.csv", "scenario.toml", "study.toml", "codebook.csv", "manifest.json"}
TABLES = ("panel", "applications", "records")
SMALL = ("--scenario", "null", "--applicants", 200, "--seed", 3)


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that the command wrote."""
    out = tmp_path_factory.mktemp("simulate") / "world"
    asked = ("--scenario", "phone_sample", "--applicants", 2_000, "--seed", 3)
    code, said, error = run("simulate", *asked, "--format", "csv", "--lang", "id", "--out", out)
    assert (code, error) == (0, "")
    assert said.startswith(f"{out}\n")
    return out


def test_the_folder_holds_everything(written: Path) -> None:
    names = {p.name for p in written.iterdir()}
    assert names == FILES | {f"{table}.csv" for table in TABLES}
    book = pd.read_csv(written / "codebook.csv").set_index(["table", "column"])
    assert book.loc[("panel", "employed"), "label"] == "Bekerja"


def test_the_manifest_has_the_command_without_the_folders_of_a_machine(written: Path) -> None:
    tree = json.loads((written / "manifest.json").read_text())
    assert tree["command"] == (
        "prakerja-eval simulate --scenario phone_sample --applicants 2000 --seed 3 --format csv "
        "--lang id"
    )
    assert str(written.parent) not in (written / "manifest.json").read_text()


def test_check_finds_no_error_in_what_was_written(written: Path) -> None:
    code, out, _ = run("check", written / "panel.csv", "--study", written / "study.toml")
    assert code == 0
    assert "0 error(s)" in out
    assert "Identifiers: none found." in out


def test_the_study_runs_as_it_is(written: Path) -> None:
    results = Study.read(written / "study.toml").run()
    found = results.findings.frame
    assert set(found["outcome"]) == {"employed", "income"}
    assert {"lottery.itt", "lottery.late", "matching.att"} <= set(found["estimator"])
    assert (found["status"] == "ok").all()


def test_another_run_replaces_the_folder_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "world"
    assert run("simulate", *SMALL, "--out", out)[0] == 0
    assert run("simulate", *SMALL, "--without", "heaping", "--out", out)[0] == 0
    tree = tomllib.loads((out / "scenario.toml").read_text())
    assert tree["survey"]["heaping"] == 0
    (out / "notes.txt").write_text("mine")
    code, _, error = run("simulate", *SMALL, "--out", out)
    assert code == 2
    assert "holds a simulation and other files (notes.txt)" in error
    assert [p.name for p in tmp_path.iterdir()] == ["world"]


def test_a_study_that_was_edited_is_not_replaced(tmp_path: Path) -> None:
    out = tmp_path / "world"
    assert run("simulate", *SMALL, "--out", out)[0] == 0
    study = out / "study.toml"
    study.write_text(study.read_text() + "# mine\n")
    edited = study.read_bytes()
    code, _, error = run("simulate", *SMALL, "--out", out)
    assert code == 2
    assert "study.toml in" in error
    assert "name another folder, or move the file away" in error
    assert study.read_bytes() == edited
    study.rename(tmp_path / "mine.toml")
    assert run("simulate", *SMALL, "--out", out)[0] == 0


def test_an_account_stands_behind_a_colon_as_in_diagnose() -> None:
    code, out, _ = run("simulate", "--scenario", "phone_sample:selective_response", "--show")
    assert code == 0
    assert tomllib.loads(out)["account"] == "selective_response"


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    code, _, error = run("simulate", *SMALL, "--out", tmp_path)
    assert code == 2
    assert "holds files but no simulation" in error
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


def test_an_interrupted_run_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "world"
    assert run("simulate", *SMALL, "--out", out)[0] == 0
    before = (out / "manifest.json").read_bytes()

    def stop(*_given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("prakerja_eval.synthetic.sheets.Sheet.write", stop)
    assert run("simulate", *SMALL, "--seed", 4, "--out", out)[0] == 130
    assert (out / "manifest.json").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["world"]


def test_what_a_killed_run_left_goes_with_the_next_one(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-S", "-c", ""])
    gone.wait()
    left = tmp_path / f".world.new-{gone.pid}-stream"
    left.mkdir()
    (left / "panel.parquet").write_text("half")
    assert run("simulate", *SMALL, "--out", tmp_path / "world")[0] == 0
    assert [p.name for p in tmp_path.iterdir()] == ["world"]


def test_the_scenarios_are_listed_with_their_titles() -> None:
    code, out, _ = run("simulate", "--list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(Scenario.names())
    assert "Phone sample (account: non_receipt; of non_receipt, selective_response)" in out


def test_a_scenario_is_shown_as_toml_that_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    options = ("--account", "selective_response", "--without", "heaping")
    code, out, _ = run("simulate", "--scenario", "phone_sample", *options, "--show")
    assert code == 0
    path.write_text(out)
    wanted = Scenario.named("phone_sample", "selective_response").without("heaping")
    assert Scenario.read(path) == wanted
    code, again, _ = run("simulate", "--scenario", path, "--show")
    assert (code, again) == (0, out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name a scenario: --scenario phone_sample"),
        (("--scenario", "null"), "name a folder to write: --out"),
        (("--scenario", "phone_sample:", "--show"), "names no account after the colon"),
        (("--scenario", "nul", "--out", "x"), "Did you mean 'null'?"),
        (("--scenario", "no.toml", "--out", "x"), "there is no scenario 'no.toml'"),
        (("--scenario", "null", "--applicants", 5, "--out", "x"), "n_applicants = 5 is not"),
        (("--scenario", "null", "--seed", -5, "--out", "x"), "seed = -5 is not allowed"),
        (("--scenario", "null", "--without", "heap", "--out", "x"), "Did you mean 'heaping'?"),
        (("--scenario", "null", "--account", "non_receipt", "--show"), "follows no account"),
        (("--scenario", "a.toml", "--account", "non_receipt", "--show"), "in a file, write"),
    ],
)
def test_what_cannot_be_simulated_is_refused(
    arguments: tuple[object, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, error = run("simulate", *arguments)
    assert (code, out) == (2, "")
    assert message in error
    assert list(tmp_path.iterdir()) == []
