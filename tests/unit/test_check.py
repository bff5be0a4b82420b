"""`prakerja-eval check` says everything at once, in words or JSON, with the exit code that fits."""

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from makes import MAKES, survey

import prakerja_eval as pe
from prakerja_eval.cli import main
from prakerja_eval.study.examination import examine

STUDY = """
title = "t"
question = "q"
about = "a"
data = "{data}"
spillovers = "None."

[roles]
unit = "person_id"
wave = "wave"
baseline = 2020
offer = "selected"
received = "received"
blocks = ["batch"]

[[outcomes]]
column = "income"
label = "Income"
unit = "rupiah"

[[estimates]]
name = "did"
label = "DiD"
estimator = "did.two_by_two"
design = {{ covariates = {covariates} }}
"""


def run(*arguments: object) -> tuple[int, str, str]:
    """Run the command in this process."""
    result = CliRunner().invoke(main, ["check", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def write(frame: pd.DataFrame, folder: Path) -> Path:
    path = folder / "panel.csv"
    frame.to_csv(path, index=False)
    return path


def study(folder: Path, covariates: str = "[]") -> Path:
    path = folder / "study.toml"
    path.write_text(STUDY.format(data="panel.csv", covariates=covariates), encoding="utf-8")
    return path


def test_a_clean_file_has_exit_code_0_and_says_its_roles(tmp_path: Path) -> None:
    code, out, err = run(write(survey(), tmp_path))
    assert (code, err) == (0, "")
    assert "480 rows" in out
    assert "240 people" in out
    assert "2 waves" in out
    assert "Roles, guessed" in out
    assert "No faults found." in out
    assert "Identifiers: none found." in out


def test_faults_have_exit_code_3_and_stand_in_the_table(tmp_path: Path) -> None:
    frame = pd.concat([survey(), survey().iloc[[0]]], ignore_index=True)
    code, out, err = run(write(frame, tmp_path), "--study", study(tmp_path))
    assert code == 3
    assert "duplicate" in out or "share a unit" in out
    assert "481" in out  # the row
    assert "Remedy" in out
    assert "listed above" in err
    assert "SYN-" not in out + err


def test_json_holds_faults_identifiers_and_missingness(tmp_path: Path) -> None:
    frame = survey()
    frame.loc[[250, 251], "income"] = None
    frame = pd.concat([frame, frame.iloc[[0]]], ignore_index=True)
    code, out, _ = run(write(frame, tmp_path), "--study", study(tmp_path), "--json")
    assert code == 3
    tree = json.loads(out)
    assert tree["rows"] == 481
    assert tree["roles"]["blocks"] == ["batch"]
    fault = next(f for f in tree["faults"] if f["code"] == "duplicate_unit_wave")
    assert (fault["count"], fault["rows"]) == (2, [1, 481])
    assert fault["severity"] == "error"
    assert fault["why"]
    assert fault["remedy"]
    assert tree["identifiers"] == []
    # rows 251 and 252 are two people's second round; each arm has 120 people
    cells = {(m["wave"], m["selected"]): m["percent"] for m in tree["missing"]}
    arms = frame.loc[[250, 251], "selected"].tolist()
    for arm in (0, 1):
        assert cells["2021", str(arm)] == 100 * arms.count(arm) / 120
        assert cells["2020", str(arm)] == 0


def test_identifiers_win_and_no_cell_is_shown(tmp_path: Path) -> None:
    frame = survey().assign(email=[f"person{i}@example.org" for i in range(480)])
    frame = pd.concat([frame, frame.iloc[[0]]], ignore_index=True)
    path = write(frame, tmp_path)
    for extra in ((), ("--json",)):
        code, out, err = run(path, *extra)
        assert code == 6
        assert "example.org" not in out + err
        assert "email" in out
    assert run(path, "--drop", "email")[0] == 3


def test_warnings_alone_have_exit_code_0(tmp_path: Path) -> None:
    frame = survey()
    frame.loc[3, "income"] = -5
    code, out, _ = run(write(frame, tmp_path))
    assert code == 0
    assert "warning" in out


def test_a_studys_covariates_and_designs_are_checked(tmp_path: Path) -> None:
    path = write(survey(), tmp_path)
    code, out, _ = run(path, "--study", study(tmp_path, '["income@2021"]'))
    assert code == 3
    assert "covariate_after_baseline" in out or "after the baseline" in out
    lone = survey()
    lone.loc[lone["batch"] == 5, "selected"] = 1
    path = write(lone, tmp_path)
    assert run(path, "--study", study(tmp_path))[0] == 0  # difference-in-differences needs no block


def test_reading_options_beside_a_study_are_refused(tmp_path: Path) -> None:
    code, _, err = run(write(survey(), tmp_path), "--study", study(tmp_path), "--decimal", ",")
    assert code == 2
    assert "[reading]" in err


def test_several_wave_files_are_checked_as_one(tmp_path: Path) -> None:
    frame = survey()
    for wave in (2020, 2021):
        part = frame[frame["wave"] == wave].drop(columns="wave")
        part.to_parquet(tmp_path / f"w{wave}.parquet")
    path = study(tmp_path)
    text = path.read_text(encoding="utf-8").replace(
        'data = "panel.csv"', 'data = { 2020 = "w2020.parquet", 2021 = "w2021.parquet" }'
    )
    path.write_text(text, encoding="utf-8")
    code, out, err = run(tmp_path / "w2021.parquet", "--study", path)
    assert code == 0, err
    assert "480 rows" in out
    code, _, err = run(MAKES["panel.parquet"](frame, tmp_path / "other.parquet"), "--study", path)
    assert code == 2
    assert "w2020.parquet" in err
    report = CliRunner().invoke(main, ["report", str(path), "--out", str(tmp_path / "r")])
    assert report.exit_code == 0, report.stderr
    assert CliRunner().invoke(main, ["verify", str(tmp_path / "r")]).exit_code == 0
    first = pd.read_parquet(tmp_path / "w2020.parquet")
    first.assign(income=first["income"] + 1).to_parquet(tmp_path / "w2020.parquet")
    assert CliRunner().invoke(main, ["verify", str(tmp_path / "r")]).exit_code == 5


def test_the_library_gives_the_same_examination(tmp_path: Path) -> None:
    path = write(survey(), tmp_path)
    found = examine(path, pe.Study.read(study(tmp_path)))
    assert found.panel is not None
    assert not found.check
    assert found.tree()["people"] == 240


WAVE_OF_PHONES = """
title = "t"
question = "q"
about = "a"
data = "panel.csv"
spillovers = "None."

[roles]
unit = "person_id"
wave = "{wave}"
baseline = 1

[[outcomes]]
column = "income"
label = "Income"
unit = "rupiah"

[[estimates]]
name = "offer"
label = "Offer"
estimator = "lottery.itt"
"""


@pytest.mark.parametrize(
    ("wave", "cells"),
    [
        ("hp", [f"6281234567{i:03d}" for i in range(10)]),
        ("nama", ["Siti Aminah", "Budi Karya"] * 5),
    ],
)
def test_a_wave_column_of_identifiers_is_told_as_one_and_not_shown(
    tmp_path: Path, wave: str, cells: list[str]
) -> None:
    people = [f"SYN-{i:06d}" for i in range(10)]
    data = write(pd.DataFrame({"person_id": people, wave: cells, "income": range(10)}), tmp_path)
    plan = tmp_path / "study.toml"
    plan.write_text(WAVE_OF_PHONES.format(wave=wave), encoding="utf-8")
    for arguments in ((data, "--study", plan), (data, "--study", plan, "--json")):
        result = CliRunner().invoke(main, ["check", *map(str, arguments)])
        assert result.exit_code == 6
        assert wave in result.stdout
        for cell in cells:
            assert cell not in result.output


def test_identifiers_are_told_before_a_fault_of_the_study(tmp_path: Path) -> None:
    frame = pd.DataFrame({"person_id": ["SYN-1", "SYN-2"], "no_hp": ["081234567001"] * 2})
    data = write(frame, tmp_path)
    result = CliRunner().invoke(main, ["check", str(data), "--study", str(study(tmp_path))])
    assert result.exit_code == 6
    assert "no_hp" in result.stdout
