"""Do table, figure and shell show every estimator, its failures and its Monte Carlo error?"""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from prakerja_eval.cli.diagnose import diagnose as shell
from prakerja_eval.compare.diagnosis import Diagnosis, diagnosis_of
from prakerja_eval.compare.diagnosis_words import diagnosis_words
from prakerja_eval.compare.estimators import STANDARD
from prakerja_eval.errors import UsageError
from prakerja_eval.estimate.estimate import INDEX_COLUMNS
from prakerja_eval.figures.diagnosis import diagnosis as draw
from prakerja_eval.figures.save import as_svg
from prakerja_eval.language import Catalogue
from prakerja_eval.language.catalogue import places
from prakerja_eval.tables.diagnosis import diagnosis as table

NAMES = ["good", "far", "blind", "never"]


def row(estimate: float, truth: float | None, outcome: str = "employed") -> dict[str, object]:
    label = dict.fromkeys(INDEX_COLUMNS) | {"outcome": outcome, "wave": "2021-02"}
    interval = {"conf_low": estimate - 0.1, "conf_high": estimate + 0.1, "std_error": 0.05}
    numbers = {"estimate": estimate, **interval, "p_value": 0.3, "truth": truth}
    return {"label": label, **numbers, "status": "ok"}


def line(number: int, outcome: str = "employed") -> str:

    moved = 0.01 * (-1) ** number
    told = {
        "good": {"rows": [row(moved, 0.0, outcome)]},
        "far": {"rows": [row(0.5 + moved, 0.0, outcome)]} if number else {"refused": "no overlap"},
        "blind": {"rows": [row(moved, None, outcome)]},
        "never": {"refused": "no lottery here"},
    }
    return json.dumps({"draw": number, "estimators": told})


@pytest.fixture
def found() -> Diagnosis:
    one, two = (diagnosis_of(s, NAMES, map(line, range(10))) for s in ("null", "real"))
    return one.join(two)


def test_the_table_has_a_row_for_every_estimator_even_one_that_always_refuses(found) -> None:
    made = table(found)
    named = [(r[0].shown, r[1].shown) for r in made.rows]
    assert named == [(s, e) for s in ("null", "real") for e in NAMES]
    failed = dict(zip(NAMES, [r[3].value for r in made.rows], strict=False))
    assert failed == {"good": 0, "far": 1, "blind": 0, "never": 10}


def test_a_share_is_in_points_with_its_monte_carlo_error_in_brackets(found) -> None:
    made = table(found, unit="share")
    key = [c.key for c in made.columns].index("bias")
    far = made.rows[1][key]
    # nine draws of .5 -+ .01, the first of them below: mean .5 - .01 / 9 = .49889, in points 49.89
    assert far.shown.startswith("49.89 (")
    errors = np.array([0.49] + [0.51, 0.49] * 4)
    assert far.value == pytest.approx((errors.mean(), errors.std(ddof=1) / 3))


def test_the_csv_holds_measure_and_error_apart(found) -> None:
    frame = pd.read_csv(io.StringIO(table(found).to_csv()))
    assert {"bias", "bias_mc_se", "coverage", "coverage_mc_se"} <= set(frame.columns)


def test_the_figure_is_drawn_alike_twice_and_counts_what_failed(found) -> None:
    made = draw(found)
    assert as_svg(made) == as_svg(draw(found))
    texts = [t.get_text() for axis in made.axes for t in axis.texts]
    assert texts.count("1 of 10 draws without an estimate") == 2
    assert texts.count("10 of 10 draws without an estimate") == 2
    assert texts.count("no truth to judge it by") == 2


def test_the_figure_speaks_indonesian(found) -> None:
    made = draw(found, unit="share", catalogue=Catalogue.named("id"))
    assert made.axes[-1].get_xlabel() == "Cakupan, persen"


def test_one_outcome_is_shown_at_a_time() -> None:
    both = [diagnosis_of("null", NAMES, [line(0, o), line(1, o)]) for o in ("employed", "income")]
    every = both[0].join(both[1])
    with pytest.raises(UsageError, match="employed, income"):
        draw(every)
    with pytest.raises(UsageError, match="employed, income"):
        table(every, outcome="hours")
    assert {r[0].shown for r in table(every, outcome="income").rows} == set(NAMES)


def test_the_words_are_the_same_in_both_languages() -> None:
    en, other = (diagnosis_words(Catalogue.named(code)).messages for code in ("en", "id"))
    own = [k for k in en if k.startswith("diagnosis.")]
    assert own == [k for k in other if k.startswith("diagnosis.")]
    assert all(places(en[k]) == places(other[k]) for k in own)


def test_the_summary_says_why_draws_failed(found) -> None:
    text = found.summary()
    assert "null: never: 10 draws: no lottery here" in text
    assert "1 (10%)" in text
    assert "no truth answers this row" in text


# --- the shell ------------------------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch, found):
    """Answer at once, and keep what was asked."""
    kept: list[tuple[object, ...]] = []

    def run(scenario, given):
        kept.append((scenario, given))
        return found

    monkeypatch.setattr("prakerja_eval.cli.diagnose._run", run)
    return kept


def run(*arguments: object):
    return CliRunner().invoke(shell, [*map(str, arguments), "--estimator", "lottery.itt"])


def test_the_shell_prints_the_table_and_writes_a_folder(asked, tmp_path: Path) -> None:
    out = tmp_path / "new"
    answer = run("null", "--out", out)
    assert answer.exit_code == 0
    assert "49.89" not in answer.output  # nobody said that the outcome is a share
    assert "0.4989" in answer.output
    written = sorted(p.name for p in out.iterdir())
    assert written == ["diagnosis-employed.svg", "diagnosis.csv", "reasons.csv"]
    assert pd.read_csv(out / "diagnosis.csv")["estimator"].tolist() == NAMES * 2
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    run("null", "--out", out)
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before


def test_a_folder_with_other_files_is_refused_before_the_work(asked, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    answer = run("null", "--out", tmp_path)
    assert isinstance(answer.exception, UsageError)
    assert "thesis.txt" in str(answer.exception)
    assert not asked


def test_every_standard_estimator_is_named_in_the_documentation(project_root: Path) -> None:
    page = (project_root / "docs" / "methods" / "diagnose.md").read_text(encoding="utf-8")
    assert [name for name in STANDARD if f"`{name}`" not in page] == []
