"""Does the shell answer which effect a lottery sees, in both languages, and refuse what is none?"""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from prakerja_eval.cli import main


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["power", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


def test_the_reference_figures_stand_in_the_table() -> None:
    code, out, err = run("--n", 6000, "--odds", 0.15, "--take-up", 0.75)
    assert (code, err) == (0, "")
    assert "6,000 people in the lottery, 6,000 with an outcome, 15.0 percent win." in out
    # .10129 and .13506 in the reference, to the four digits of the table
    assert "of the offer    0.1013" in out
    assert "of treatment    0.1351" in out
    assert "Normal quantiles." in out


def test_a_standard_deviation_adds_the_outcomes_unit() -> None:
    _, out, _ = run("--n", 6000, "--odds", 0.15, "--sd", 2_000_000, "--unit", "rupiah")
    row = next(line for line in out.splitlines() if "of the offer" in line)
    assert row.split()[-2:] == ["0.1013", "202,583"]  # 2,000,000 times .10129153
    assert "rupiah" in out


def test_an_effect_has_its_power_and_the_people_it_takes() -> None:
    # R: power.t.test(n = 20, delta = 1) has power 0.8689528; for .90 it takes 22.02110 an arm
    _, out, _ = run("--n", 40, "--quantiles", "t", "--effect", 1, "--power", 0.9)
    assert "is found with 86.9 percent power; for 90 percent it takes 45 people." in out


def test_clusters_may_be_given_by_size_or_by_number() -> None:
    common = ["--n", "1000,1400", "--odds", "0.2,0.5", "--icc", 0.05, "--effect-treatment", 0.3]
    by_size, by_number = run(*common, "--cluster-size", 20)[1], run(*common, "--clusters", 120)[1]
    assert by_size == by_number
    assert "120 clusters are drawn; intracluster correlation 0.050." in by_size
    assert "degrees of freedom" in by_size
    assert "An effect of treatment of 0.300 sd" in by_size


def test_the_answer_is_given_in_indonesian_too() -> None:
    _, out, _ = run("--n", 6000, "--odds", 0.15, "--take-up", 0.75, "--lang", "id")
    assert "6.000 orang ikut undian" in out
    assert "0,1013" in out


@pytest.mark.parametrize("ending", ["png", "svg", "SVG"])
def test_the_curve_is_drawn_into_the_file(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"curve.{ending}"
    code, out, err = run("--n", 600, "--plot", path)
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == str(path)
    written = path.read_bytes()
    if ending == "png":
        assert written.startswith(b"\x89PNG")
    else:
        assert ElementTree.fromstring(written).tag.endswith("svg")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    run("--n", 600, "--plot", path)
    assert path.read_bytes() == written


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ([], "--n 6000"),
        (["--n", "many"], "--n is 'many'"),
        (["--n", "nan"], "--n is nan"),
        (["--n", 100, "--odds", 0], "--odds is 0.0"),
        (["--n", 100, "--odds", "0,5"], "can be read in two ways"),
        (["--n", 100, "--odds", "0.1,0.2"], "people of each block"),
        (["--n", 100, "--take-up", 0], "--take-up is 0.0"),
        (["--n", 100, "--r2", 1], "--r2 is 1.0"),
        (["--n", 100, "--attrition", "0.1,0.2,0.3"], "--attrition is"),
        (["--n", 100, "--icc", -0.1, "--cluster-size", 5], "--icc is -0.1"),
        (["--n", 100, "--icc", 0.1], "give their mean size"),
        (["--n", 100, "--clusters", 0], "--clusters is 0"),
        (["--n", 100, "--clusters", 10, "--cluster-size", 10], "either --cluster-size or"),
        (["--n", 100, "--clusters", 2], "two clusters in each arm"),
        (["--n", 100, "--power", 0.01], "above the size of the test"),
        (["--n", 100, "--effect", 0], "effect of zero"),
        (["--n", 100, "--effect", "nan"], "finite number"),
        (["--n", 100, "--plot", "curve.pdf"], "neither .png nor .svg"),
        (["--n", 100, "--plot", "no/such/folder/curve.png"], "cannot be written"),
        (["--n", 100, "--weights", "people"], "--weights"),
    ],
)
def test_a_wrong_value_is_one_message_and_exit_code_two(wrong: list, said: str) -> None:
    code, out, err = run(*wrong)
    assert code == 2
    assert out == ""
    assert said in err
    assert "Traceback" not in err
    assert "PowerDesign" not in err


def test_help_imports_no_heavy_library() -> None:
    code = (
        "import sys\nfrom prakerja_eval.cli import main\n"
        "try:\n    main(['power', '--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'pandas', 'scipy', 'matplotlib', 'babel'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--take-up" in done.stdout
