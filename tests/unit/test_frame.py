"""Does the frame hold: the committed data, the locks, and the tools that guard the house?"""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest


def load(path: Path) -> ModuleType:
    """Import a script that belongs to no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def pins(path: Path) -> dict[str, str]:
    """Return package -> version of a lock."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", path.read_text(), flags=re.MULTILINE)
    return dict(found)


@pytest.fixture(scope="module")
def nsw(project_root: Path) -> pd.DataFrame:
    return pd.read_csv(project_root / "data" / "nsw" / "nsw.csv")


# --- data/nsw -------------------------------------------------------------------------------------


def test_rebuilding_the_nsw_file_gives_the_same_bytes(project_root: Path) -> None:
    pytest.importorskip("causaldata", reason="the source package causaldata is not installed")
    build = load(project_root / "data" / "nsw" / "build.py")
    assert build.build() == (project_root / "data" / "nsw" / "nsw.csv").read_bytes()


def test_nsw_file_holds_every_source_value_exactly(nsw: pd.DataFrame) -> None:
    """Source: causaldata's float32 columns, compared as float32."""
    pytest.importorskip("causaldata", reason="the source package causaldata is not installed")
    from causaldata import cps_mixtape, nsw_mixtape

    source = pd.concat([nsw_mixtape.load_pandas().data, cps_mixtape.load_pandas().data])
    for year, column in ((1974, "re74"), (1975, "re75"), (1978, "re78")):
        period = nsw[nsw["year"] == year]
        printed = period["earnings"].to_numpy().astype("float32")
        assert (printed == source[column].to_numpy()).all()
        for ours, theirs in (
            ("age", "age"),
            ("education", "educ"),
            ("black", "black"),
            ("hispanic", "hisp"),
            ("married", "marr"),
            ("nodegree", "nodegree"),
            ("offered", "treat"),
        ):
            assert (period[ours].to_numpy() == source[theirs].to_numpy()).all()


def test_nsw_experiment_equals_the_reference_file(
    nsw: pd.DataFrame, shared_reference: Path
) -> None:
    """Source: reference/lottery/nsw.csv, which prints the Dehejia-Wahba experiment."""
    reference = pd.read_csv(shared_reference / "lottery" / "nsw.csv")
    experiment = nsw[nsw["sample"] != "cps"]
    for year, column in ((1974, "re74"), (1975, "re75"), (1978, "re78")):
        ours = experiment.loc[experiment["year"] == year, "earnings"].to_numpy()
        assert (ours == reference[column].to_numpy()).all()


def test_nsw_mean_difference_is_the_published_one(nsw: pd.DataFrame) -> None:
    """Source: R estimatr 1.0.0, difference of means on the experiment, 1794.342404 (10 digits)."""
    after = nsw[(nsw["year"] == 1978) & (nsw["sample"] != "cps")]
    means = after.groupby("offered")["earnings"].mean()
    assert means[1] - means[0] == pytest.approx(1794.342404, rel=0, abs=5e-7)


def test_nsw_file_is_a_clean_panel(nsw: pd.DataFrame) -> None:
    """Counts from Dehejia and Wahba (1999), table 1: 185, 260 and 15,992."""
    people = nsw.drop_duplicates("person_id")
    assert people["sample"].value_counts().to_dict() == {
        "cps": 15992,
        "nsw_control": 260,
        "nsw_treated": 185,
    }
    assert not nsw.duplicated(["person_id", "year"]).any()
    assert (nsw.groupby("person_id")["year"].count() == 3).all()
    assert nsw["person_id"].str.fullmatch(r"NSW-\d{3}|CPS-\d{5}").all()
    assert (nsw["employed"] == (nsw["earnings"] > 0)).all()
    assert (nsw["first_year"] == nsw["offered"] * 1978).all()


# --- locks ----------------------------------------------------------------------------------------


def test_the_two_locks_agree_on_every_version(project_root: Path) -> None:
    run, dev = (pins(project_root / "locks" / name) for name in ("run.txt", "dev.txt"))
    assert len(run) > 10
    assert {name: dev.get(name) for name in run} == run


def test_every_line_of_the_locks_is_hashed(project_root: Path) -> None:
    for name in ("run.txt", "dev.txt"):
        text = (project_root / "locks" / name).read_text()
        requirements = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
        assert [line for line in requirements if "--hash=sha256:" not in line] == []


# --- tools/budgets.py -----------------------------------------------------------------------------


def budget_faults(project_root: Path, tmp_path: Path, source: str, exceptions: str = "") -> str:
    """Run the budget check on one file and return what it printed; empty when it passed."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "module.py").write_text(source)
    (tmp_path / "exceptions.toml").write_text(exceptions)
    answer = subprocess.run(
        [
            sys.executable,
            str(project_root / "tools" / "budgets.py"),
            str(tmp_path / "src"),
            "--exceptions",
            str(tmp_path / "exceptions.toml"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == (1 if answer.stderr else 0), answer.stdout
    return answer.stderr


def lines(count: int) -> str:
    return "".join(f"    x{i} = {i}\n" for i in range(count))


def test_a_function_of_forty_lines_passes_whatever_its_comments(
    project_root: Path, tmp_path: Path
) -> None:
    source = 'def f():\n    """Doc\n\n    of several lines.\n    """\n\n    # why\n' + lines(39)
    assert budget_faults(project_root, tmp_path, source) == ""


def test_a_function_of_forty_one_lines_is_named(project_root: Path, tmp_path: Path) -> None:
    source = 'def f():\n    """Doc."""\n' + lines(40)
    said = budget_faults(project_root, tmp_path, source)
    assert "module.py:1: f has 41 lines of code (40 allowed)" in said


def test_a_file_of_four_hundred_lines_is_named(project_root: Path, tmp_path: Path) -> None:
    assert "has 400 lines (fewer than 400)" in budget_faults(project_root, tmp_path, "\n" * 400)


def test_keyword_only_parameters_count_and_self_does_not(
    project_root: Path, tmp_path: Path
) -> None:
    source = (
        "def public(a, b, c, d, *, e, f, g, h): ...\n"
        "def _private(a, b, c, d, e, f, g, h): ...\n"
        "class Wide:\n    def m(self, a, b, c, d, e, f, g): ...\n"
    )
    said = budget_faults(project_root, tmp_path, source).splitlines()
    assert len(said) == 1
    assert "module.py:1: public has 8 parameters (7 allowed)" in said[0]


def test_a_class_of_thirteen_public_methods_is_named(project_root: Path, tmp_path: Path) -> None:
    source = "class Big:\n" + "".join(f"    def m{i}(self): ...\n" for i in range(13))
    said = budget_faults(project_root, tmp_path, source)
    assert "module.py:1: Big has 13 public methods (12 allowed)" in said


def test_an_exception_excuses_and_an_unused_one_is_a_fault(
    project_root: Path, tmp_path: Path
) -> None:
    source = 'def f():\n    """Doc."""\n' + lines(40)
    entry = '[[exception]]\nfile = "module.py"\nname = "f"\nbudget = "lines"\nreason = "a table"\n'
    assert budget_faults(project_root, tmp_path, source, entry) == ""
    (tmp_path / "src" / "module.py").unlink()
    (tmp_path / "src").rmdir()
    assert "is not needed" in budget_faults(project_root, tmp_path, "x = 1\n", entry)


# --- tools/hygiene.py -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("a.md", "see /wo" + "rk/main", "machine path"),
        ("a.toml", "index = 'https://py" + "pi.org/sim" + "ple'", "package index"),
        ("locks/run.txt", "--index" + "-url x", "index address"),
        ("tests/test_a.py", "def test_a():\n    assert " + "True\n", "cannot fail"),
        ("tests/test_a.py", "def test_a():\n    pytest." + "skip()\n", "without a reason"),
        ("tests/test_a.py", "@pytest.mark." + "skip\ndef test_a(): ...\n", "without a reason"),
    ],
)
def test_hygiene_names_each_fault(project_root: Path, name: str, text: str, word: str) -> None:
    hygiene = load(project_root / "tools" / "hygiene.py")
    faults = hygiene.faults_of(name, text)
    assert len(faults) == 1
    assert word in faults[0]


def test_hygiene_passes_plain_files(project_root: Path) -> None:
    hygiene = load(project_root / "tools" / "hygiene.py")
    assert hygiene.faults_of("README.md", "Runs on /usr and https://doi.org/10.1257/x.\n") == []
    honest = 'def test_a():\n    pytest.skip("no data")\n'
    assert hygiene.faults_of("tests/test_a.py", honest) == []
