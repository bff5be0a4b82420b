"""Is a diagnosis that can tell nothing refused, early and in words?"""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from prakerja_eval.cli.diagnose import diagnose as shell
from prakerja_eval.compare import resume
from prakerja_eval.compare.diagnose import Experiment, diagnose
from prakerja_eval.compare.diagnosis import diagnosis_of
from prakerja_eval.compare.estimators import standard
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate.estimate import INDEX_COLUMNS

NAME = "naive.before_after"


def never(scenario, n_applicants, seed):
    raise AssertionError("drawn before it was refused")


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        ("pendapatan", "no column"),
        ("education", "no outcome"),
        ("person_id", "no outcome"),
        ("incom", "Did you mean 'income'"),
    ],
)
def test_an_unknown_outcome_is_refused_even_beside_a_good_one(outcome: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        Experiment("null", standard([NAME], ["employed", outcome]))


def test_estimators_that_fail_in_every_draw_exit_as_not_estimable() -> None:
    asked = ["selection_on_observables", "--estimator", "lottery.itt", "--draws", "2"]
    answer = CliRunner().invoke(shell, [*asked, "--applicants", "300", "--jobs", "1"])
    assert isinstance(answer.exception, NotEstimableError)
    assert "in any draw: " in str(answer.exception)


@pytest.mark.parametrize("draws", [0, 100_001, 99_999_999_999])
def test_draws_out_of_range_are_refused_with_key_and_range(draws: int) -> None:
    with pytest.raises(UsageError, match=r"diagnose\(draws\).*from 1 to 100,000"):
        Experiment("null", [NAME], draws)


def test_a_target_that_takes_no_folder_is_refused_before_drawing(monkeypatch) -> None:
    monkeypatch.setattr("prakerja_eval.cli.diagnose._run", never)
    if not Path("/proc").is_dir():
        pytest.skip("no /proc here")
    answer = CliRunner().invoke(shell, ["null", "--estimator", NAME, "--out", "/proc/x"])
    assert isinstance(answer.exception, UsageError)
    assert "cannot be written" in str(answer.exception)


def test_the_setting_that_differs_is_said_in_words(tmp_path: Path) -> None:
    was = {"estimators": {"a": [{"outcomes": ["x"] * 40}, "default"]}, "scenario": "p = 1\nq = 2"}
    now = {
        "estimators": {"a": [{"outcomes": ["y"]}, "default"], "b": [None, "default"]},
        "scenario": "p = 1\nq = 3",
    }
    resume.opened(tmp_path, was)
    with pytest.raises(UsageError) as refused:
        resume.opened(tmp_path, now)
    told = str(refused.value)
    assert "estimators a outcomes x, x" in told
    assert "now y;" in told
    assert "estimators b is new" in told
    assert "scenario q = 2, now q = 3" in told


def test_an_estimator_that_returns_no_estimate_is_named() -> None:
    with pytest.raises(UsageError, match="'mine' returned a float"):
        diagnose("null", {"mine": lambda panel: 1.5}, draws=1, n_applicants=300, jobs=1)


def test_an_outcome_given_twice_has_its_rows_once() -> None:
    twice = standard([NAME], ["income", "income"])
    found = diagnose("null", twice, draws=1, n_applicants=300, jobs=1).frame
    assert not found.duplicated(["estimator", "outcome", "wave"]).any()
    assert set(found["outcome"]) == {"income"}


def test_the_table_warns_of_draws_that_failed_and_writes_large_numbers_with_commas() -> None:
    label = dict.fromkeys(INDEX_COLUMNS) | {"outcome": "income", "wave": "2021-02"}
    made = {"std_error": 1.0, "conf_low": 0.0, "conf_high": 1.0, "p_value": 0.5, "truth": 0.0}
    texts = []
    for number in range(10):
        row = {"label": label, "estimate": 2e5 * number, **made, "status": "ok"}
        told = {"refused": "no overlap"} if number == 0 else {"rows": [row]}
        texts.append(json.dumps({"draw": number, "estimators": {"mine": told}}))
    text = diagnosis_of("null", ["mine"], texts).summary()
    assert "1,000,000 (182,574)" in text  # mean of 1..9 times 2e5; sd 2e5 sqrt(7.5), over 3
    assert "e+0" not in text
    assert "what is left may be selected" in text
    assert "1 draw: no overlap" in text
