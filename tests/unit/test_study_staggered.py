"""Staggered entries: what is refused, one row an outcome, the details behind it, small cells."""

import html
import itertools
import json
import os
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from staggered_files import STUDY, people, write_study

import prakerja_eval as pe
from prakerja_eval import tables
from prakerja_eval.errors import UsageError
from prakerja_eval.language import LANGUAGES, Catalogue
from prakerja_eval.report.methods import warnings
from prakerja_eval.report.over_time import before_treatment, breaks, two_way
from prakerja_eval.report.pictures_over_time import over_time_pictures
from prakerja_eval.study import Results
from prakerja_eval.study.details import labelled
from prakerja_eval.study.draft import draft
from prakerja_eval.study.notices_over_time import staggered_notices
from prakerja_eval.tables.disclosure import hide_cells


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    return pe.Study.read(write_study(tmp_path_factory.mktemp("study"))).run()


def details(results: Results, name: str, role: str) -> pd.DataFrame:
    """Return the rows behind an entry."""
    assert results.over_time is not None
    frame = results.over_time.details
    return frame[(frame["name"] == name) & (frame["role"] == role)].reset_index(drop=True)


def test_an_entry_is_one_row_an_outcome_with_its_role(results: Results) -> None:
    frame = results.findings.frame
    assert list(frame["name"]) == ["cs", "imputed", "sa", "two_way", "percent"]
    assert list(frame["role"]) == ["benchmark", "candidate", "shown", "shown", "shown"]
    assert list(frame["estimand"]) == ["ATT", "ATT", "ATT", "TWFE coefficient", "ATT in percent"]
    assert list(frame["unit"]) == ["rupiah"] * 4 + ["percent"]
    assert (frame["status"] == "ok").all()


def test_the_row_is_the_mean_of_differences_worked_out_by_hand(results: Results) -> None:
    """Group-time effects against the never treated, weighted by people."""
    wide = people().set_index(["wave", "person_id"])["income"]
    first = people().groupby("person_id")["first"].first()
    effects, sizes = [], []
    for g, t in itertools.product((2, 3, 4), range(1, 7)):
        if t >= g:
            change = wide.loc[t] - wide.loc[g - 1]
            effects.append(change[first == g].mean() - change[first == 0].mean())
            sizes.append((first == g).sum())
    found = results.findings.frame.set_index("name").loc["cs", "estimate"]
    np.testing.assert_allclose(found, np.average(effects, weights=sizes), rtol=1e-10)


def test_details_hold_event_study_and_cells_with_bands(results: Results) -> None:
    study = details(results, "cs", "event_study")
    assert list(study["event_time"]) == [-3, -2, -1, 0, 1, 2, 3, 4]
    assert study["status"].tolist().count("reference") == 1
    shown = study[study["status"] == "ok"]
    assert (shown["band_low"] < shown["conf_low"]).all()
    assert (shown["band_high"] > shown["conf_high"]).all()
    assert len(details(results, "cs", "cell")) == 18  # three cohorts in six waves
    assert len(details(results, "two_way", "event_study")) == 8
    assert not len(details(results, "two_way", "cell"))
    assert len(results.published) == len(results.findings) + len(results.over_time.details)


def test_bands_follow_the_seed_of_the_study_file(results: Results, tmp_path: Path) -> None:
    text = STUDY.replace('role = "benchmark"', 'role = "benchmark"\nseed = 2', 1)
    other = pe.Study.read(write_study(tmp_path, text)).run()
    a, b = (details(r, "cs", "event_study") for r in (results, other))
    np.testing.assert_array_equal(a["std_error"], b["std_error"])
    assert (a["band_low"] != b["band_low"])[a["status"] == "ok"].all()


def test_benchmark_and_candidate_are_compared_like_with_like(results: Results) -> None:
    (answers,) = results.agreements
    assert list(answers.frame["label"]) == ["Group-time effects", "Imputation"]


def test_a_coefficient_and_percents_are_not_compared_with_an_effect(tmp_path: Path) -> None:
    text = STUDY.replace('estimator = "did.twfe"', 'estimator = "did.twfe"\nrole = "candidate"')
    text = text.replace('scale = "percent"', 'scale = "percent"\nrole = "candidate"')
    found = pe.Study.read(write_study(tmp_path, text)).run()
    apart = [dict(n.values) for n in found.notices if n.key == "warning.not_compared"]
    assert [(n["label"], n["column"]) for n in apart] == [
        ("Two-way fixed effects", "estimand"),
        ("Poisson, in percent", "estimand"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"did.twfe"', '"did.twfe"\naverage = "cohorts"', "does not read 'average'"),
        ('"did.twfe"', '"did.twfe"\ndesign = { anticipation = 1 }', "does not read 'design'"),
        ('"did.sun_abraham"', '"did.sun_abraham"\nscale = "percent"', "does not read 'scale'"),
        ('"did.imputation"', '"did.imputation"\nwithout = [2]', "does not read 'without'"),
        ('scale = "percent"', "window = [-2, 2]", "does not read 'window'"),
        ('"did.imputation"', '"did.imputation"\ndesign = { method = "ipw" }', "method"),
        ('scale = "percent"', 'design = { covariates = ["x"] }', "covariates"),
        ('"did.group_time"', '"did.group_time"\nwaves = [3]', "leave 'waves' out"),
        ('"did.group_time"', '"did.group_time"\nwindow = [2, -2]', "low to high"),
        ('"did.group_time"', '"did.group_time"\nends = "binned"', "needs window"),
        ('"did.group_time"', '"did.group_time"\nends = "bind"', "'dropped', 'binned'"),
        ('"did.group_time"', '"did.group_time"\nseed = -1', "0 or more"),
        ("universal", "varying", "sensitivity needs base_period = 'universal'"),
        ("smoothness = {}", "smoothnes = {}", "did you mean 'smoothness'"),
        ("m = [0.5, 1]", "m = [-1]", "0 or more"),
        ('"did.group_time"', '"did.group_time"\nbalanced = 1', "did you mean 'balance'"),
    ],
)
def test_what_an_estimator_does_not_read_is_refused_when_the_file_is_read(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in STUDY
    with pytest.raises(UsageError, match=r"staggered\.toml") as caught:
        pe.Study.read(write_study(tmp_path, STUDY.replace(old, new, 1)))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"did.group_time"', '"did.group_time"\nwithout = [7]', "cohort 7; there are 2, 3, 4"),
        ("universal", 'universal", covariates = ["age"], method = "dr', "'age'"),
        ('cohort = "first"\n', "", "cohort"),
    ],
)
def test_what_the_data_do_not_have_names_the_entry(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    text = STUDY.replace('method = "unconditional", ', "").replace(old, new, 1)
    with pytest.raises(UsageError, match="entry 'cs'") as caught:
        pe.Study.read(write_study(tmp_path, text)).run()
    assert said in str(caught.value)


def test_nobody_left_to_compare_with_is_refused_with_the_entry_named(tmp_path: Path) -> None:
    frame = people()
    study = pe.Study.read(write_study(tmp_path, frame=frame[frame["first"] > 0]))
    with pytest.raises(UsageError, match=r"entry 'cs'.*not_yet_treated"):
        study.run()


# --- disclosure -----------------------------------------------------------------------------------


def brute_told(hidden: np.ndarray, own: np.ndarray, sums: np.ndarray) -> bool:
    """Whether sums tell anything about ``own``: is there a combination without other hidden cells?

    By the null space, as the function under test does not.
    """
    others = hidden & ~own
    null = np.eye(len(sums))
    if others.any():
        _, values, vectors = np.linalg.svd(sums[:, others].T)
        null = vectors[(values > 1e-9 * values[0]).sum() :]
    return bool((np.abs(null @ sums[:, own]) > 1e-9).any())


@pytest.mark.parametrize("seed", range(40))
def test_no_combination_of_shown_numbers_gives_a_small_cell_away(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    cohorts, times = 4, 3
    people_of = rng.choice([5, 8, 20, 40, 90], cohorts).astype(float)
    cohort = np.repeat(np.arange(cohorts), times)
    event = np.tile(np.arange(times), cohorts)
    size = people_of[cohort] - rng.integers(0, 3, len(cohort))
    small = size < 10
    by_time = np.array([(event == e) * people_of[cohort] for e in range(times)])
    mean = rng.uniform(0.1, 1.0, len(cohort)) if seed % 2 else by_time.sum(axis=0)
    sums = np.vstack([mean, by_time])
    hidden, gone = hide_cells(small, cohort, size, sums)
    assert hidden[small].all()
    assert not gone[0]
    shown = sums[~gone]
    if not small.any():
        assert not hidden.any()
    elif not small.all():
        for g in np.unique(cohort[small]):
            assert not brute_told(hidden, small & (cohort == g), shown)


@pytest.mark.witness
def test_cells_of_a_small_cohort_are_blank_and_so_is_what_would_give_them_away(
    tmp_path: Path,
) -> None:
    frame = people({2: 80, 3: 6, 4: 60, 0: 160})
    found = pe.Study.read(write_study(tmp_path, frame=frame)).run()
    cells = details(found, "cs", "cell")
    few = cells[(cells["cohort"] == 3) & (cells["status"] != "reference")]
    assert few["estimate"].isna().all()
    assert few["n_treated"].isna().all()
    assert few["status"].str.contains("fewer than 10").all()
    study = details(found, "cs", "event_study").set_index("event_time")
    assert study["estimate"].notna().all()  # sums of several cohorts
    for e in (0.0, 1.0, 2.0):
        at = cells[cells["event_time"] == e]
        assert at["estimate"].isna().sum() == 2  # one alone could be computed
    assert found.over_time is not None
    adoption = found.over_time.adoption
    hidden = adoption[adoption["n"].isna()]
    assert set(hidden["cohort"]) == {3, 4}
    paths = found.over_time.paths
    assert paths.loc[paths["cohort"] == 3, ["n", "mean", "std_error"]].isna().all().all()


def test_cells_of_few_never_treated_people_are_blank(tmp_path: Path) -> None:
    frame = people({2: 80, 3: 100, 4: 60, 0: 7})
    found = pe.Study.read(write_study(tmp_path, frame=frame)).run()
    cells = details(found, "cs", "cell")
    assert cells.loc[cells["status"] != "reference", "estimate"].isna().all()


# --- a first study file ---------------------------------------------------------------------------


@pytest.mark.parametrize(("never", "comparison"), [(160, "never_treated"), (0, "not_yet_treated")])
def test_a_draft_of_staggered_cohorts_proposes_effects_by_cohort_and_runs(
    tmp_path: Path, never: int, comparison: str
) -> None:
    frame = people({2: 80, 3: 100, 4: 60, 0: never}).assign(age=lambda f: 20 + f.index % 7)
    frame["age"] = frame.groupby("person_id")["age"].transform("first")
    frame = frame.rename(columns={"first": "cohort"})
    frame.to_csv(tmp_path / "p.csv", index=False)
    text = draft(tmp_path / "p.csv", tmp_path / "s.toml")
    (entry,) = [e for e in tomllib.loads(text)["estimates"] if e["estimator"].startswith("did.")]
    assert entry["estimator"] == "did.group_time"
    assert entry["design"] == {
        "method": "dr",
        "covariates": ["age"],
        "comparison": comparison,
        "base_period": "universal",
    }
    (tmp_path / "s.toml").write_text(text, encoding="utf-8")
    found = pe.Study.read(tmp_path / "s.toml").run().findings.frame
    assert found["estimate"].notna().all()


# --- the report -----------------------------------------------------------------------------------

GOLDEN = Path(__file__).parents[1] / "golden"


def wordless(page: str) -> str:
    """Return the words of a page, a line each, without any number: golden files hold none."""
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.S)
    words = (" ".join(html.unescape(w).split()) for w in re.split(r"<[^>]*>", body))
    return "\n".join(re.sub(r"\d[\d.,]*", "#", w) for w in words if w) + "\n"


@pytest.fixture(scope="module")
def pages(results: Results, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    out = tmp_path_factory.mktemp("reports")
    return {lang: pe.report(results, out / lang, language=lang).folder for lang in LANGUAGES}


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_of_a_staggered_report_are_those_of_the_golden_file(
    pages: dict[str, Path], language: str
) -> None:
    found = wordless((pages[language] / "report.html").read_text(encoding="utf-8"))
    golden = GOLDEN / f"staggered_{language}.txt"
    if os.environ.get("PRAKERJA_WRITE_GOLDEN"):
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")


def test_details_are_in_the_findings_and_not_in_the_impact_table(
    pages: dict[str, Path], results: Results
) -> None:
    kept = pd.read_csv(pages["en"] / "findings.csv")
    assert set(kept["role"]) == {"benchmark", "candidate", "shown", "event_study", "cell"}
    assert len(kept) == len(results.published)
    table = pd.read_csv(pages["en"] / "tables" / "impact_income.csv")
    assert len(table) == len(results.findings)


def test_every_figure_of_staggered_starts_is_in_the_report(pages: dict[str, Path]) -> None:
    names = {p.stem for p in (pages["en"] / "figures").glob("*.svg")}
    assert {"status_map", "cohorts_income", "event_study_income", "cells_cs_income"} <= names
    assert {"bacon_two_way_income", "event_study_income_2"} <= names  # rupiah and percent apart


@pytest.mark.witness
def test_varying_and_universal_bases_stand_in_two_figures(tmp_path: Path) -> None:
    more = """
[[estimates]]
name = "varying"
label = "Varying"
estimator = "did.group_time"
"""
    found = pe.Study.read(write_study(tmp_path, STUDY + more)).run()
    drawn = [p.name for p in over_time_pictures(found, Catalogue.named("en"))]
    assert [n for n in drawn if n.startswith("event_study")] == [
        f"event_study_income{k}" for k in ("", "_2", "_3")
    ]


@pytest.mark.witness
def test_verify_names_a_changed_cell_by_its_role(tmp_path: Path) -> None:
    path = write_study(tmp_path)
    out = pe.report(pe.Study.read(path).run(), tmp_path / "r", study_path=path).folder
    assert pe.verify(out)
    rows = json.loads((out / "findings.json").read_text(encoding="utf-8"))
    spoiled = next(r for r in rows if r["role"] == "cell" and r["status"] == "ok")
    spoiled["estimate"] += 1.0
    (out / "findings.json").write_text(json.dumps(rows), encoding="utf-8")
    drifts = [d for d in pe.verify(out).drifts if d.kind == "finding"]
    assert [d.term for d in drifts] == ["cs / cell / income / 2 / 2 / 0 / estimate"]


def test_trends_that_part_before_treatment_are_a_warning_and_a_sentence(tmp_path: Path) -> None:
    frame = people()
    frame["income"] += 40.0 * frame["wave"] * (frame["first"] > 0)
    found = pe.Study.read(write_study(tmp_path, frame=frame)).run()
    assert [n for n in found.notices if n.key == "warning.trends_apart"]
    said = before_treatment(found, Catalogue.named("en"))
    assert "already moved apart" in said[0]


def test_breaks_of_trend_are_said_with_the_size_that_the_conclusion_survives(
    results: Results, pages: dict[str, Path]
) -> None:
    assert results.over_time is not None
    said = breaks(results, Catalogue.named("en"))
    assert len(said) == 2
    words = r"holds as long as a break .* at most 1\.\d\d times the largest before"
    assert re.search(words, said[0])
    frame = results.over_time.sensitivity
    assert set(frame["restriction"]) == {"none", "relative magnitudes", "smoothness"}
    names = {p.stem for p in (pages["en"] / "figures").glob("sensitivity*.svg")}
    assert names == {f"sensitivity_cs_income_{k}" for k in ("relative_magnitudes", "smoothness")}


@pytest.mark.parametrize(
    ("breakdown", "ends", "said"),
    [
        (np.inf, (5.0, 9.0), "even if a break of trend after treatment is 1.00 times"),
        (0.0, (5.0, 9.0), "only if trends are exactly parallel"),
        (0.0, (-1.0, 9.0), "even if trends are taken as parallel"),
        (0.7999, (5.0, 9.0), "at most 0.79 times"),
    ],
)
def test_a_breakdown_value_is_never_rounded_up(
    results: Results, breakdown: float, ends: tuple[float, float], said: str
) -> None:
    assert results.over_time is not None
    frame = results.over_time.sensitivity
    frame = frame[frame["restriction"] != "smoothness"].iloc[-3:].assign(breakdown=breakdown)
    frame.loc[frame["restriction"] == "none", ["conf_low", "conf_high"]] = ends
    behind = replace(results.over_time, sensitivity=frame)
    (told,) = breaks(replace(results, over_time=behind), Catalogue.named("en"))
    assert said in told


def test_a_panel_with_gaps_is_not_taken_apart_and_says_why(tmp_path: Path) -> None:
    found = pe.Study.read(write_study(tmp_path, frame=people().drop(index=7))).run()
    (said,) = two_way(found, Catalogue.named("en"))
    assert "not taken apart" in said
    assert "seen in every period" in said


def test_cohorts_left_out_are_named_once(tmp_path: Path) -> None:
    frame = people({1: 40, 2: 80, 3: 100, 0: 160})
    found = pe.Study.read(write_study(tmp_path, frame=frame)).run()
    said = [dict(n.values) for n in found.notices if n.key == "warning.left_out"]
    assert said[0]["label"] == "Group-time effects"
    assert "cohort 1" in str(said[0]["reason"])


def test_an_outcome_in_percent_is_said_in_percent(results: Results, pages: dict[str, Path]) -> None:
    table = tables.impact(results.findings, title="Income")
    row = next(r for r in table.rows if r[0].shown == "Poisson, in percent")
    at = [c.key for c in table.columns].index("estimate")
    assert re.fullmatch(r"6\.\d\d%", row[at].shown)
    plain = next(r for r in table.rows if r[0].shown == "Imputation")
    assert re.fullmatch(r"75\.\d", plain[at].shown)


def test_re_applicants_and_weak_overlap_are_warnings_of_their_own(results: Results) -> None:
    assert results.over_time is not None
    frame = results.over_time.details.copy()
    mine = frame[(frame["name"] == "cs") & (frame["role"] == "cell") & (frame["status"] == "ok")]
    frame.loc[mine.index[:3], "status"] = "weak overlap: 12 comparison unit(s) stand for many"
    frame.loc[mine.index[3], "status"] = "re-applicants: 40% against 10%"
    behind = replace(results.over_time, details=frame)
    told = tuple(staggered_notices(results.plan, results.findings.frame, behind))
    said = {n.key: dict(n.values) for n in told}
    assert said["warning.weak_overlap"]["count"] == 3
    assert said["warning.reapplicants"]["reason"] == "40% against 10%"
    sentences = warnings(replace(results, notices=told), Catalogue.named("en"))
    assert any("in 3 of 15 cohorts and periods" in s for s in sentences)


def test_no_status_counts_fewer_than_ten_people(results: Results) -> None:
    estimate = results.estimates["cs"]
    status = "cohort 2, wave 3: weak overlap: 3 comparison unit(s) have a high score"
    told = replace(estimate, counts=estimate.counts.assign(status=status))
    (entry,) = [e for e in results.plan.estimates if e.name == "cs"]
    (said,) = labelled(told, entry, None, results.plan)["status"]
    assert said == (
        "cohort 2, wave 3: weak overlap: fewer than 10 comparison unit(s) have a high score"
    )
