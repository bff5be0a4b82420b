"""The command line answers with exit codes and one clear message."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from study_files import STUDY, people, write_study

from prakerja_eval.cli import main


def run(*arguments: object) -> tuple[int, str, str]:
    """Run the command in this process."""
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    return result.exit_code, result.stdout, result.stderr


def test_help_imports_no_heavy_library() -> None:
    code = (
        "import sys\nfrom prakerja_eval.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'pandas', 'scipy', 'matplotlib', 'pydantic'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "report" in done.stdout


def test_report_then_verify_is_fine(tmp_path: Path) -> None:
    study, out = write_study(tmp_path), tmp_path / "out"
    code, stdout, stderr = run("report", study, "--out", out)
    assert (code, stderr) == (0, "")
    assert stdout.strip() == str(out / "report.html")
    assert run("verify", out)[0] == 0


def test_an_edited_cell_is_a_drift_that_names_the_term(tmp_path: Path) -> None:
    study, out = write_study(tmp_path), tmp_path / "out"
    run("report", study, "--out", out)
    frame = people()
    frame.loc[frame.index[-1], "income"] += 1_000
    frame.to_csv(tmp_path / "people.csv", index=False)
    code, _, stderr = run("verify", out)
    assert code == 5
    assert "lottery" in stderr
    assert "estimate" in stderr
    assert "people.csv" in stderr


@pytest.mark.parametrize(
    ("spoil", "code", "said"),
    [
        (lambda text, frame: (text.replace("title =", "titel ="), frame), 2, "title"),
        (lambda text, frame: (text.replace('"age"', '"agee"'), frame), 2, "agee"),
        (lambda text, frame: (text.replace("people.csv", "nobody.csv"), frame), 3, "nobody.csv"),
        (lambda text, frame: (text, frame.assign(won=2)), 3, "0 or 1"),
        (
            lambda text, frame: (text, frame.assign(income=frame["income"].where(frame.wave == 1))),
            4,
            "no entry",
        ),
    ],
)
def test_each_failure_has_its_exit_code_and_no_traceback(
    tmp_path: Path, spoil: object, code: int, said: str
) -> None:
    text, frame = spoil(STUDY, people())  # type: ignore[operator]
    got, stdout, stderr = run("report", write_study(tmp_path, text, frame), "--out", tmp_path / "o")
    assert got == code
    assert said in stderr
    assert "Traceback" not in stderr + stdout
    assert not (tmp_path / "o").exists()


def test_a_missing_study_and_an_unusable_target_are_usage_errors(tmp_path: Path) -> None:
    assert run("report", tmp_path / "none.toml")[0] == 2
    study = write_study(tmp_path)
    target = tmp_path / "precious"
    target.mkdir()
    (target / "thesis.txt").write_text("mine")
    assert run("report", study, "--out", target)[0] == 2
    assert (target / "thesis.txt").read_text() == "mine"
    assert run("verify", tmp_path / "nothing")[0] in {2, 3}


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    code, _, stderr = run("--debug", "report", tmp_path / "none.toml")
    assert code == 2
    assert "Traceback" in stderr


def test_the_numbers_do_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    import prakerja_eval as pe

    first = pe.Study.read(write_study(tmp_path)).run().findings.frame
    shuffled = people().sample(frac=1.0, random_state=5)
    second = pe.Study.read(write_study(tmp_path, frame=shuffled)).run().findings.frame
    for column in ("estimate", "std_error"):
        np.testing.assert_allclose(second[column], first[column], rtol=1e-9)
