"""The chapter on the lottery: the same numbers as the verbs, small cells hidden, refusals kept."""

import html
import re
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import PrakerjaEvalError, UsageError
from prakerja_eval.language import LANGUAGES, Catalogue
from prakerja_eval.report.lottery import chapter
from prakerja_eval.report.lottery_pictures import lottery_pictures
from prakerja_eval.report.lottery_sheets import lottery_sheets
from prakerja_eval.study.draft import draft
from prakerja_eval.study.lottery_tables import _corrected

DATA = Path(__file__).parents[1] / "reference" / "data" / "lottery" / "synthetic_lottery.csv"
STUDY = """
title = "A lottery"
question = "What did the offer do?"
about = "Simulated applicants."
data = "people.csv"
spillovers = "None."
synthetic = true

[roles]
unit = "id"
offer = "z"
received = "d"
blocks = "stratum"
clusters = "district"

[[outcomes]]
column = "income"
label = "Income"
unit = "rupiah"
contains_transfers = false

[[outcomes]]
column = "employed"
label = "Employed"
unit = "share"

[[estimates]]
name = "itt"
label = "Lottery"
estimator = "lottery.itt"

[lottery]
covariates = ["x1", "x2"]
quantiles = [0.5, 0.9]
zeros = ["income"]
subgroups = ["x2"]
reps = 199
families = { work = ["income", "employed"] }
bounds = { tighten = ["x2"], limits = { income = [0, 100] }, kling_liebman = true }
indices = [{ name = "work", label = "Work", outcomes = ["income", "employed"] }]
"""


def people() -> pd.DataFrame:
    """Return the synthetic lottery, outcomes missing of those who did not respond."""
    frame = pd.read_csv(DATA)
    frame["id"] = [f"SYN-{i:06d}" for i in range(len(frame))]
    frame.loc[frame["responded"] == 0, ["income", "employed"]] = np.nan
    return frame.drop(columns="responded")


def write(folder: Path, frame: pd.DataFrame, text: str = STUDY) -> Path:
    frame.to_csv(folder / "people.csv", index=False)
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return folder / "study.toml"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> pe.Results:
    return pe.Study.read(write(tmp_path_factory.mktemp("study"), people())).run()


@pytest.fixture(scope="module")
def panel() -> pe.Panel:
    roles = pe.Roles(unit="id", offer="z", received="d", blocks="stratum", clusters="district")
    return pe.read_panel(people(), roles)


def rows(results: pe.Results, role: str, outcome: str = "income") -> pd.DataFrame:
    frame = results.lottery.details
    return frame[(frame["role"] == role) & (frame["outcome"] == outcome)].reset_index(drop=True)


def test_the_rows_are_those_of_the_verbs(results: pe.Results, panel: pe.Panel) -> None:
    verbs = {
        "offer": pe.lottery.itt(panel, "income"),
        "receipt": pe.lottery.late(panel, "income"),
        "zeros": pe.lottery.zeros(panel, "income", transfers="net"),
        "quantile": pe.lottery.quantiles(panel, "income", quantiles=(0.5, 0.9)),
        "subgroup": pe.lottery.subgroups(panel, "income", "x2"),
    }
    for role, estimate in verbs.items():
        found, expected = rows(results, role), pe.infer(estimate).frame
        np.testing.assert_array_equal(found["estimate"], expected["estimate"])
        np.testing.assert_array_equal(found["std_error"], expected["std_error"])


def test_draws_are_those_of_one_lottery_drawn_again(results: pe.Results, panel: pe.Panel) -> None:
    redraw = pe.lottery.Redraw(reps=199, seed=1)
    found = pe.lottery.randomise(panel, ["income", "employed"], redraw=redraw)
    np.testing.assert_array_equal(results.lottery.randomisation["p_value"], found.frame["p_value"])
    corrected = found.adjusted("westfall_young")["p_adjusted"]
    np.testing.assert_array_equal(results.lottery.randomisation["p_adjusted"], corrected)
    assert list(rows(results, "randomisation")["p_value"]) == [found.frame["p_value"][0]]


def test_bounds_contain_the_effect_among_those_who_answered(results: pe.Results) -> None:
    bounds = results.lottery.bounds.set_index("kind")
    effect = rows(results, "offer")["estimate"][0]
    income = bounds[bounds["outcome"] == "income"]
    assert set(income.index) == {"lee", "lee_tightened", "manski", "kling_liebman"}
    assert (income["lower"] <= effect).all()
    assert (income["upper"] >= effect).all()


@pytest.mark.parametrize("correction", ["holm", "bh", "sharpened_q", "romano_wolf"])
def test_every_correction_stands_beside_the_raw_p_value(
    correction: str, results: pe.Results, panel: pe.Panel
) -> None:
    redraw = pe.lottery.Redraw(reps=199, seed=1)
    found = pe.lottery.randomise(panel, ["income", "employed"], redraw=redraw)
    corrected = _corrected(found, ("income", "employed"), correction)
    p = np.sort(found.frame["p_value"])
    expected = {"holm": [2 * p[0], max(2 * p[0], p[1])], "bh": [min(2 * p[0], p[1]), p[1]]}
    if correction in expected:
        np.testing.assert_allclose(np.sort(corrected), expected[correction])
    assert np.isfinite(corrected).all()


def test_groups_of_few_people_are_not_shown(tmp_path: Path) -> None:
    frame = people().assign(small=0)
    chosen = [
        *frame[(frame["stratum"] == 3) & (frame["z"] == 1)].index[:4],
        *frame[(frame["stratum"] == 3) & (frame["z"] == 0)].index[:4],
    ]
    frame.loc[chosen, "small"] = 1
    text = STUDY.replace('subgroups = ["x2"]', 'subgroups = ["small"]')
    found = pe.Study.read(write(tmp_path, frame, text)).run()
    group = rows(found, "subgroup", "employed")
    hidden = group[group["subgroup"] == "small = 1"]
    assert hidden[["estimate", "std_error", "n", "n_treated"]].isna().all(axis=None)


def test_what_has_no_answer_is_said_with_its_reason(tmp_path: Path) -> None:
    frame = people().assign(d=lambda f: f["z"] * 0)
    found = pe.Study.read(write(tmp_path, frame)).run()
    refused = found.lottery.refused.set_index("part")["reason"]
    assert "moves receipt for nobody" in refused["receipt"].iloc[0]
    words = Catalogue.named("en")
    said = [part for part in chapter(found, words) if part.key == "refused"]
    assert any("moves receipt for nobody" in s for s in said[0].sentences)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('zeros = ["income"]', 'zeros = ["incom"]', "incom"),
        ('subgroups = ["x2"]', 'subgroups = ["sex"]', "sex"),
        ('covariates = ["x1", "x2"]', 'covariates = ["x3"]', "x3"),
        ("reps = 199", "reps = 9", "99 draws"),
        ("quantiles = [0.5, 0.9]", "quantiles = [0.5, 1.0]", "between 0 and 1"),
        ("reps = 199", "reps = 199\nwhatever = 1", "whatever"),
        ('"income", "employed"] }\nbounds', '"income", "income"] }\nbounds', "two families"),
    ],
)
def test_a_chapter_that_cannot_be_meant_is_refused_before_anything_runs(
    old: str, new: str, said: str, tmp_path: Path
) -> None:
    text = STUDY.replace(old, new)
    assert text != STUDY
    with pytest.raises(PrakerjaEvalError, match=re.escape(said)):
        pe.Study.read(write(tmp_path, people()[:900], text)).run()


def test_a_lottery_without_an_offer_is_refused(tmp_path: Path) -> None:
    text = STUDY.replace('offer = "z"\n', "")
    with pytest.raises(UsageError, match="offer"):
        pe.Study.read(write(tmp_path, people()[:900], text)).run()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_part_table_and_figure_has_its_words(results: pe.Results, language: str) -> None:
    words = Catalogue.named(language)
    said = [s for p in chapter(results, words) for s in (p.title, p.intro, *p.sentences)]
    said += [sheet.table.to_html() for sheet in lottery_sheets(results, words)]
    said += [t for p in lottery_pictures(results, words) for t in (p.caption, p.alt)]
    assert len(chapter(results, words)) == 10
    assert not any(re.search(r"[{}]|\bnan\b", text) for text in said)


def test_the_page_has_every_part_table_and_figure(results: pe.Results, tmp_path: Path) -> None:
    words = Catalogue.named("en")
    written = pe.report(results, tmp_path / "report")
    text = html.unescape(written.page.read_text(encoding="utf-8"))
    for part in chapter(results, words):
        assert part.title in text
        assert all(sentence in text for sentence in part.sentences)
    for sheet in lottery_sheets(results, words):
        assert sheet.table.caption in text
        assert (written.folder / "tables" / f"{sheet.name}.csv").is_file()
    assert "{" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)


def test_figures_say_in_words_what_they_show(results: pe.Results) -> None:
    pictures = list(lottery_pictures(results, Catalogue.named("en")))
    names = [picture.name for picture in pictures]
    assert names[:2] == ["lottery_flow", "lottery_balance"]
    assert {"lottery_draws_income", "lottery_bounds_employed", "lottery_quantiles_income"} <= {
        *names
    }
    assert all(picture.alt and picture.caption for picture in pictures)


def test_a_study_without_the_chapter_has_none(tmp_path: Path) -> None:
    text = STUDY[: STUDY.index("[lottery]")]
    found = pe.Study.read(write(tmp_path, people()[:900], text)).run()
    assert found.lottery is None
    assert chapter(found, Catalogue.named("en")) == ()


def test_the_study_file_of_this_test_is_toml() -> None:
    assert tomllib.loads(STUDY)["lottery"]["reps"] == 199


def test_a_lottery_that_cannot_be_read_leaves_the_rest_of_the_study(tmp_path: Path) -> None:
    frame = people()[:900].assign(odds=lambda f: np.where(f["x2"] == 1, 0.3, 0.4))
    text = STUDY.replace("[roles]\n", '[roles]\nprobability = "odds"\n').replace(
        'estimator = "lottery.itt"', 'estimator = "lottery.itt"\ndesign = { method = "ipw" }'
    )
    found = pe.Study.read(write(tmp_path, frame, text)).run()
    assert np.isfinite(found.findings.frame["estimate"]).all()
    assert list(found.lottery.refused["part"]) == ["design"]
    words = Catalogue.named("en")
    assert [part.key for part in chapter(found, words)] == ["refused"]
    assert not list(lottery_sheets(found, words))
    assert not list(lottery_pictures(found, words))
    assert pe.report(found, tmp_path / "report").page.is_file()


def test_a_drafted_study_of_a_lottery_has_the_chapter(tmp_path: Path) -> None:
    write(tmp_path, people().rename(columns={"z": "offer", "d": "received"}))
    text = draft(tmp_path / "people.csv", tmp_path / "new.toml")
    assert "lottery" in tomllib.loads(text)
    (tmp_path / "new.toml").write_text(text, encoding="utf-8")
    assert pe.Study.read(tmp_path / "new.toml").run().lottery is not None


def test_no_number_about_few_people_of_an_arm_is_shown(tmp_path: Path) -> None:
    """Eight of the winners answered; another study has six winners in all."""
    frame = people()[:1200].assign(stratum=1)
    winners = frame.index[frame["z"] == 1]
    frame.loc[winners[8:], "income"] = np.nan
    frame.loc[winners[:8], "income"] = 4.225
    found = pe.Study.read(write(tmp_path, frame)).run().lottery
    for table in (found.randomisation, found.weak, found.bounds):
        assert "income" not in set(table["outcome"])
        assert "employed" in set(table["outcome"])
    told = found.details[found.details["outcome"] == "income"]
    assert told[["estimate", "comparison_mean", "p_value"]].isna().all(axis=None)
    attrition = found.attrition[found.attrition["outcome"] == "income"]
    assert attrition[["observed", "share", "difference", "p_value"]].isna().all(axis=None)
    flow = found.flow[found.flow["outcome"] == "income"]
    assert flow["n"].isna().all()
    few = people()[:1200].drop(index=winners[6:])
    (tmp_path / "two").mkdir()
    found = pe.Study.read(write(tmp_path / "two", few.assign(stratum=1))).run().lottery
    assert list(found.refused["part"]) == ["design"]
    assert not any(len(t) for t in (found.details, found.balance, found.compliers, found.flow))


def test_two_groups_are_hidden_where_one_is_small(tmp_path: Path) -> None:
    frame = people().assign(small=0)
    chosen = [
        *frame[(frame["stratum"] == 3) & (frame["z"] == 1)].index[:4],
        *frame[(frame["stratum"] == 3) & (frame["z"] == 0)].index[:4],
    ]
    frame.loc[chosen, "small"] = 1
    text = STUDY.replace('subgroups = ["x2"]', 'subgroups = ["small"]')
    found = pe.Study.read(write(tmp_path, frame, text)).run()
    group = rows(found, "subgroup", "employed")
    assert group[["estimate", "n", "df"]].isna().all(axis=None)
    assert not len(found.lottery.group_tests)


@pytest.mark.parametrize(
    "design",
    [
        'covariates = ["x1"], covariate_model = "lasso"',
        'covariates = ["x1"], covariate_model = "lin"',
        'block_weights = "strata_fe"',
        'block_weights = "treated"',
        'method = "ipw"',
        'lone_arms = "pashley_miratrix"',
    ],
)
def test_every_design_leaves_a_chapter(design: str, tmp_path: Path) -> None:
    text = STUDY.replace("[lottery]\n", f"[lottery]\ndesign = {{ {design} }}\n")
    found = pe.Study.read(write(tmp_path, people()[:2000], text)).run().lottery
    assert {"offer", "receipt", "randomisation"} <= set(found.details["role"])
    assert not found.refused["part"].isin(["design", "offer", "receipt", "balance"]).any()


def test_one_outcome_without_draws_leaves_the_others_theirs(tmp_path: Path) -> None:
    frame = people()
    frame.loc[(frame["stratum"] == 2) & (frame["z"] == 1), "income"] = np.nan
    found = pe.Study.read(write(tmp_path, frame)).run().lottery
    assert list(found.randomisation["outcome"]) == ["employed"]
    gone = found.refused[found.refused["part"] == "randomisation"]
    assert list(gone["outcome"]) == ["income"]


def test_blocks_without_both_arms_are_left_out_where_the_study_says_so(tmp_path: Path) -> None:
    frame = people()
    frame = frame[~((frame["stratum"] == 2) & (frame["z"] == 1))]
    drop = '{ empty_arms = "drop" }'
    text = STUDY.replace("[lottery]\n", f"[lottery]\ndesign = {drop}\n").replace(
        'estimator = "lottery.itt"', f'estimator = "lottery.itt"\ndesign = {drop}'
    )
    found = pe.Study.read(write(tmp_path, frame, text)).run()
    assert np.isfinite(found.findings.frame["estimate"]).all()
    assert "empty arm" in set(found.lottery.audit["remark"])
