"""Is the report honest, self-contained, escaped, bound by hashes, and whole or not there?"""

import csv
import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import report_fakes as fakes

import prakerja_eval as pe
from prakerja_eval.errors import DataError, DriftError, UsageError
from prakerja_eval.estimate import Findings
from prakerja_eval.language import LANGUAGES, Catalogue
from prakerja_eval.report import folder as folders
from prakerja_eval.report import summary, write
from prakerja_eval.report.manifest import digest

GOLDEN = Path(__file__).parents[1] / "golden"


class Page(HTMLParser):
    """Reads a page: tags with attributes, headings in order, and visible words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.text = text
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip() and "style" not in self._open:
            inner = self._open[-1] if self._open else ""
            self.words.append(f"{inner}: {' '.join(data.split())}")


def made(out: Path, **changes: object) -> Page:
    """Write the report of the made-up study and read its page."""
    language = str(changes.pop("language", "en"))
    pe.report(fakes.results(**changes), out, language=language)
    return Page((out / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return made(tmp_path_factory.mktemp("page") / "report")


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the figures out, where a test is about something else: drawing takes a second."""
    monkeypatch.setattr(write, "pictures", lambda *_: ())


def files(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file of a folder."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


# --- layout and words -----------------------------------------------------------------------------


def wordless(page: Page) -> str:
    """Return the words of a page without any number, since golden files hold none."""
    return "\n".join(re.sub(r"\d[\d.,]*", "#", line) for line in page.words) + "\n"


@pytest.mark.parametrize("language", LANGUAGES)
def test_layout_and_words_are_those_of_the_golden_file(language: str, tmp_path: Path) -> None:
    found = wordless(made(tmp_path / "r", language=language))
    golden = GOLDEN / f"report_{language}.txt"
    if os.environ.get("PRAKERJA_WRITE_GOLDEN"):
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")


def test_golden_files_hold_no_number() -> None:
    for golden in GOLDEN.glob("*.txt"):
        assert not re.search(r"\d", golden.read_text(encoding="utf-8"))


def test_headings_come_in_order_and_one_is_the_title(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))


def test_every_link_of_the_contents_leads_somewhere(page: Page) -> None:
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    links = [str(attrs["href"]) for tag, attrs in page.tags if tag == "a"]
    assert len(links) >= 12
    assert {link.removeprefix("#") for link in links} <= ids


def test_every_picture_says_what_it_shows_and_every_table_has_a_caption(page: Page) -> None:
    tags = [tag for tag, _ in page.tags]
    alts = [attrs["alt"] for tag, attrs in page.tags if tag == "img"]
    assert len(alts) == 6
    assert all(alts)
    assert tags.count("table") == tags.count("caption") == 6
    scopes = {attrs.get("scope") for tag, attrs in page.tags if tag == "th"}
    assert scopes == {"col", "row"}


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_says_its_language(language: str, tmp_path: Path) -> None:
    (html,) = [a for tag, a in made(tmp_path / "r", language=language).tags if tag == "html"]
    assert html["lang"] == language


def test_the_page_asks_nothing_of_the_network_and_runs_no_script(
    page: Page, tmp_path: Path
) -> None:
    for tag, attrs in page.tags:
        assert tag not in {"script", "link", "iframe", "object", "embed", "form", "base"}
        assert not [name for name in attrs if name.startswith("on")]
        source = attrs.get("src")
        assert source is None or source.startswith("data:image/svg+xml;base64,")
    assert not re.search(r"url\(|@import|https?:", page.text)


def test_a_study_without_benchmark_groups_or_matching_still_makes_a_page(tmp_path: Path) -> None:
    plan = fakes.plan(groups=None)
    empty = {"agreements": (), "balance": pd.DataFrame(), "notices": ()}
    few = {name: getattr(fakes, name)().iloc[:0] for name in ("flow", "paths", "overlap")}
    words = made(tmp_path / "r", plan=plan, **empty, **few).words
    assert "h2: All estimates" in words
    assert "h2: Who took part" not in words
    assert any("no benchmark" in w for w in words)


@pytest.mark.usefixtures("undrawn")
def test_synthetic_data_are_said_on_the_page(tmp_path: Path) -> None:
    words = made(tmp_path / "r", plan=fakes.plan(synthetic=True)).words
    assert any("These data are synthetic" in w for w in words)


# --- the summary ----------------------------------------------------------------------------------

EN = Catalogue.named("en")


def test_the_summary_tells_different_from_too_wide_to_say() -> None:
    first = summary.summaries(fakes.results(), EN)[0]
    assert [line.verdict for line in first.lines] == ["wide", "differs"]
    assert "cannot say" in first.lines[0].sentences[-1]
    assert "excludes zero" in first.lines[1].sentences[-1]


def test_the_summary_gives_effect_interval_and_size() -> None:
    said = " ".join(summary.summaries(fakes.results(), EN)[0].sentences)
    assert "1,500 dollars" in said
    assert "from 500 to 2,500 dollars" in said
    assert "38 percent of 4,000 dollars, the mean of the treated without" in said  # 1500 / 4000
    assert "The interval excludes zero." in said


def test_the_summary_says_percentage_points_of_a_share() -> None:
    said = " ".join(summary.summaries(fakes.results(), EN)[1].sentences)
    assert "15.0 percentage points" in said
    assert "from 5.0 to 25.0 percentage points" in said


def test_an_effect_that_may_be_zero_is_said_to_be() -> None:
    frame = fakes.findings().frame
    frame.loc[0, "conf_low"] = -10.0
    said = summary.summaries(fakes.results(findings=Findings(frame)), EN)[0].sentences
    assert any("cannot be told apart from no effect" in s for s in said)


def test_the_joint_test_is_said_either_way_and_never_proves_agreement() -> None:
    answers = fakes.agreement("income")
    kept = replace(answers, joint=replace(answers.joint, p_value=0.4))
    said = [
        summary.summaries(fakes.results(agreements=(a,)), EN)[0].sentences[-1]
        for a in (answers, kept)
    ]
    assert "rejected at the 5 percent level" in said[0]
    assert "not rejected" in said[1]
    assert "does not prove" in said[1]


def test_a_design_without_an_estimate_is_named_with_its_reason() -> None:
    frame = fakes.findings().frame
    frame.loc[1, ["estimate", "std_error", "conf_low", "conf_high"]] = np.nan
    frame["status"] = ["ok", "the score separates", *frame["status"][2:]]
    answers = fakes.agreement("income")
    short = replace(answers, frame=answers.frame.drop(1).reset_index(drop=True))
    results = fakes.results(findings=Findings(frame), agreements=(short,))
    lines = summary.summaries(results, EN)[0].lines
    assert [(line.label, line.verdict) for line in lines] == [
        ("DiD", "differs"),
        ("Matching", "missing"),
    ]
    assert lines[1].sentences == ("the score separates",)


def test_a_placebo_that_finds_an_effect_fails() -> None:
    lines = summary.placebos(fakes.results(), EN)
    assert [line.verdict for line in lines] == ["fails", "fails"]
    frame = fakes.findings().frame
    frame.loc[frame["role"] == "placebo", "conf_low"] = -100.0
    lines = summary.placebos(fakes.results(findings=Findings(frame)), EN)
    assert [line.verdict for line in lines] == ["passes", "passes"]


def test_warnings_are_sentences_with_readable_numbers(page: Page) -> None:
    words = "\n".join(page.words)
    assert (
        "Placebo, Income: the placebo finds an effect where there can be none (p = 0.004)" in words
    )
    assert "leaves out 12 of the 80 people" in words
    assert "6 percent of the treated" in words
    assert "schooling, 0.12 standard deviations" in words
    assert "DiD, Income in period 3: could not be estimated. too few." in words


# --- escaping and privacy -------------------------------------------------------------------------

EVIL = (
    "<script>alert(1)</script>",
    "=HYPERLINK(1)",
    "\\input{/etc/passwd}",
    '"><img src=x onerror=y>',
)


@pytest.mark.parametrize("evil", EVIL)
def test_hostile_names_of_a_study_do_nothing(evil: str, tmp_path: Path) -> None:
    base = fakes.plan()
    plan = replace(
        base,
        title=evil,
        question=evil,
        about=evil,
        spillovers=evil,
        outcomes=tuple(replace(o, label=evil) for o in base.outcomes),
        estimates=tuple(replace(e, label=evil) for e in base.estimates),
        covariate_labels={"age": evil},
    )
    frame = fakes.findings().frame.assign(label=evil)
    out = tmp_path / "r"
    tags = made(out, plan=plan, findings=Findings(frame)).tags
    assert "script" not in {tag for tag, _ in tags}
    assert all(str(a["src"]).startswith("data:image/svg") for tag, a in tags if tag == "img")
    for path in [*(out / "tables").glob("*.csv"), out / "findings.csv"]:
        for row in csv.reader(path.read_text(encoding="utf-8").splitlines()):
            assert not [cell for cell in row if cell.startswith(("=", "@", "+"))], path.name
    for path in (out / "tables").glob("*.tex"):
        assert "\\input" not in path.read_text(encoding="utf-8")
    for path in (out / "tables").glob("*.html"):
        assert "<script" not in path.read_text(encoding="utf-8")


@pytest.mark.usefixtures("undrawn")
def test_counts_under_ten_are_in_no_file(tmp_path: Path) -> None:
    frame = fakes.findings().frame
    frame[["n", "n_treated", "n_comparison"]] = [127, 7, 120]
    flow = fakes.flow()
    flow.loc[flow["group"] == "Trained", ["n_units", "income", "works"]] = 7
    made(tmp_path / "r", findings=Findings(frame), flow=flow)
    with (tmp_path / "r" / "findings.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {(row["n"], row["n_treated"], row["n_clusters"]) for row in rows} == {("", "", "")}
    with (tmp_path / "r" / "tables" / "flow.csv").open(encoding="utf-8") as file:
        assert {row["n_units"] for row in csv.DictReader(file)} == {""}


# --- findings, manifest, bytes --------------------------------------------------------------------


@pytest.mark.usefixtures("undrawn")
def test_findings_are_kept_in_full_precision_and_study_order(tmp_path: Path) -> None:
    frame = fakes.findings().frame
    frame["estimate"] = np.arange(len(frame)) + 1 / 3
    made(tmp_path / "r", findings=Findings(frame))
    rows = json.loads((tmp_path / "r" / "findings.json").read_text(encoding="utf-8"))
    assert [row["estimate"] for row in rows] == list(frame["estimate"])
    assert [row["name"] for row in rows] == list(frame["name"])
    assert rows[0]["truth"] is None
    assert rows[0]["df"] == "inf"
    with (tmp_path / "r" / "findings.csv").open(encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert [float(row["estimate"]) for row in table] == list(frame["estimate"])
    assert table[0]["truth"] == ""


def test_the_manifest_binds_every_other_file(tmp_path: Path) -> None:
    made(tmp_path / "r")
    present = files(tmp_path / "r")
    tree = json.loads(present.pop("manifest.json"))
    assert tree["outputs"] == {n: hashlib.sha256(b).hexdigest() for n, b in present.items()}
    assert {"figures/forest_income.svg", "figures/forest_income.png", "findings.csv"} <= set(
        present
    )
    assert {"tables/impact_income.csv", "tables/impact_income.tex", "report.html"} <= set(present)
    assert set(tree["versions"]) >= {"python", "numpy", "pandas", "scipy", "statsmodels"}


RUN = """
import sys; sys.path.insert(0, sys.argv[1])
import report_fakes as f, prakerja_eval as pe
pe.report(f.results(), sys.argv[2])
"""


@pytest.mark.witness
def test_two_runs_give_the_same_bytes_wherever_they_write(tmp_path: Path) -> None:
    outs = [tmp_path / "a", tmp_path / "deep" / "er" / "b"]
    for seed, out in zip(("1", "2"), outs, strict=True):
        command = [sys.executable, "-c", RUN, str(Path(__file__).parent), str(out)]
        subprocess.run(command, check=True, env=os.environ | {"PYTHONHASHSEED": seed})
    assert files(outs[0]) == files(outs[1])


def test_no_file_tells_where_it_was_made(tmp_path: Path) -> None:
    study = write_study(tmp_path / "project")
    pe.report(study.run(), tmp_path / "r", study_path=study.path)
    for name, content in files(tmp_path / "r").items():
        assert str(tmp_path).encode() not in content, name


# --- whole or not at all --------------------------------------------------------------------------


@pytest.mark.usefixtures("undrawn")
def test_a_failure_midway_leaves_the_old_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path / "r")
    before = files(tmp_path / "r")

    def fail(*_: object) -> None:
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(write, "page", fail)
    with pytest.raises(RuntimeError, match="disk on fire"):
        pe.report(fakes.results(plan=fakes.plan(title="New")), tmp_path / "r")
    assert files(tmp_path / "r") == before
    assert [p.name for p in tmp_path.iterdir()] == ["r"]


@pytest.mark.usefixtures("undrawn")
def test_a_failure_at_first_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "page", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        pe.report(fakes.results(), tmp_path / "r")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("at_once", [True, False])
def test_a_new_report_replaces_the_old_one_whole(
    at_once: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not at_once:
        monkeypatch.setattr(folders, "_exchanged_at_once", lambda *_: False)
    made(tmp_path / "r")
    made(tmp_path / "r", balance=pd.DataFrame(), plan=fakes.plan(title="Second"))
    assert not [n for n in files(tmp_path / "r") if "balance" in n]
    assert "Second" in (tmp_path / "r" / "report.html").read_text(encoding="utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["r"]
    assert ((tmp_path / "r").stat().st_mode & 0o777) == 0o777 & ~folders.umask()


@pytest.mark.usefixtures("undrawn")
def test_an_interrupted_exchange_is_healed(tmp_path: Path) -> None:
    made(tmp_path / "r")
    before = files(tmp_path / "r")
    (tmp_path / "r").rename(tmp_path / ".r.old")
    assert pe.report(fakes.results(), tmp_path / "r").folder == tmp_path / "r"
    assert files(tmp_path / "r") == before
    assert [p.name for p in tmp_path.iterdir()] == ["r"]


def test_a_folder_that_is_no_report_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("three years of work", encoding="utf-8")
    with pytest.raises(UsageError, match="no report"):
        pe.report(fakes.results(), tmp_path)
    (tmp_path / "manifest.json").write_text('{"kind": "web app"}', encoding="utf-8")
    with pytest.raises(UsageError, match="no report"):
        pe.report(fakes.results(), tmp_path)
    with pytest.raises(UsageError, match="is a file"):
        pe.report(fakes.results(), tmp_path / "thesis.txt")
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "three years of work"


@pytest.mark.usefixtures("undrawn")
def test_other_files_beside_a_report_are_never_lost(tmp_path: Path) -> None:
    made(tmp_path / "r")
    (tmp_path / "r" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match=r"notes\.txt"):
        pe.report(fakes.results(), tmp_path / "r")


@pytest.mark.usefixtures("undrawn")
def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "r").mkdir()
    assert pe.report(fakes.results(), tmp_path / "r").page.is_file()


def test_an_unknown_language_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'en', 'id'"):
        pe.report(fakes.results(), tmp_path / "r", language="fr")
    assert not list(tmp_path.iterdir())


# --- verify ---------------------------------------------------------------------------------------

STUDY = """
title = "Lottery"
question = "Did it help?"
about = "Made-up people."
data = "../data/panel.csv"
spillovers = "None assumed."

[roles]
unit = "id"
offer = "won"

[[outcomes]]
column = "income"
label = "Income"
unit = "rupiah"

[[estimates]]
name = "itt"
label = "Winners against losers"
estimator = "lottery.itt"
"""


def write_study(root: Path) -> "pe.Study":
    """Write a small study with its data and read it."""
    (root / "studies").mkdir(parents=True)
    (root / "data").mkdir()
    (root / "studies" / "lottery.toml").write_text(STUDY, encoding="utf-8")
    rows = [f"p{i},{i % 2},{1000 + 37 * i}" for i in range(40)]
    text = "\n".join(["id,won,income", *rows]) + "\n"
    (root / "data" / "panel.csv").write_text(text, encoding="utf-8")
    return pe.Study.read(root / "studies" / "lottery.toml")


@pytest.fixture
def committed(tmp_path: Path) -> Path:
    """Return the folder of a report that was made from a study in the same project."""
    study = write_study(tmp_path)
    out = tmp_path / "reports" / "lottery"
    pe.report(study.run(), out, study_path=study.path)
    return out


def test_verify_finds_the_study_and_no_change(committed: Path) -> None:
    found = pe.verify(committed)
    assert found
    found.raise_if_drifted()
    assert "nothing has changed" in repr(found)


def test_verify_finds_the_study_from_the_working_directory(
    committed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    away = tmp_path_factory.mktemp("away") / "lottery"
    committed.rename(away)
    with pytest.raises(UsageError, match=r"studies/lottery\.toml"):
        pe.verify(away)
    monkeypatch.chdir(tmp_path / "data")
    assert pe.verify(away)


def test_one_edited_cell_drifts_with_its_term_named(committed: Path, tmp_path: Path) -> None:
    data = tmp_path / "data" / "panel.csv"
    data.write_text(data.read_text().replace("p7,1,1259", "p7,1,1269"), encoding="utf-8")
    found = pe.verify(committed)
    assert not found
    terms = {d.term: d for d in found.drifts}
    assert terms["../data/panel.csv"].kind == "input"
    drift = terms["itt / income / estimate"]
    assert drift.difference == pytest.approx(10 / 20)  # one of twenty winners earns ten more
    with pytest.raises(DriftError, match="itt / income / estimate") as error:
        found.raise_if_drifted()
    assert error.value.exit_code == 5
    assert list(found.frame.columns) == ["kind", "term", "old", "new", "difference"]


def test_a_change_below_a_millionth_is_no_drift_but_a_count_is(committed: Path) -> None:
    path = committed / "findings.json"
    text = path.read_text(encoding="utf-8")
    rows = json.loads(text)
    rows[0]["estimate"] *= 1 + 1e-9
    path.write_text(json.dumps(rows), encoding="utf-8")
    assert [d.term for d in pe.verify(committed).drifts] == ["findings.json"]
    rows[0]["n"] += 1
    rows[0]["std_error"] *= 1 + 1e-5
    path.write_text(json.dumps(rows), encoding="utf-8")
    terms = [d.term for d in pe.verify(committed).drifts]
    assert terms == ["findings.json", "itt / income / std_error", "itt / income / n"]


def test_an_edited_missing_or_added_output_drifts(committed: Path) -> None:
    (committed / "report.html").write_text("better numbers", encoding="utf-8")
    (committed / "tables" / "impact_income.tex").unlink()
    (committed / "extra.txt").write_text("x", encoding="utf-8")
    found = {d.term: d for d in pe.verify(committed).drifts}
    assert set(found) == {"report.html", "tables/impact_income.tex", "extra.txt"}
    assert found["tables/impact_income.tex"].new == "absent"
    assert found["extra.txt"].old == "absent"


def test_a_changed_study_file_drifts_and_so_do_its_rows(committed: Path, tmp_path: Path) -> None:
    path = tmp_path / "studies" / "lottery.toml"
    path.write_text(STUDY.replace('name = "itt"', 'name = "offer"'), encoding="utf-8")
    terms = [(d.term, d.new) for d in pe.verify(committed).drifts]
    assert terms[0] == ("studies/lottery.toml", digest(path)[:12])
    assert terms[1:] == [("itt / income", "absent"), ("offer / income", "present")]


def test_a_damaged_or_missing_manifest_is_refused_with_a_remedy(committed: Path) -> None:
    manifest = committed / "manifest.json"
    manifest.write_text(manifest.read_text(encoding="utf-8")[:100], encoding="utf-8")
    with pytest.raises(DataError, match="damaged"):
        pe.verify(committed)
    manifest.write_text('{"kind": "prakerja_eval report"}', encoding="utf-8")
    with pytest.raises(DataError, match="damaged"):
        pe.verify(committed)
    manifest.unlink()
    with pytest.raises(UsageError, match="is no report"):
        pe.verify(committed)
    with pytest.raises(UsageError, match="no folder"):
        pe.verify(committed / "nowhere")


def test_damaged_findings_are_refused(committed: Path) -> None:
    (committed / "findings.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(DataError, match=r"findings\.json"):
        pe.verify(committed)


@pytest.mark.usefixtures("undrawn")
def test_a_report_bound_to_no_study_cannot_be_verified(tmp_path: Path) -> None:
    made(tmp_path / "r")
    with pytest.raises(UsageError, match="without the path of its study file"):
        pe.verify(tmp_path / "r")


def test_missing_data_are_refused_before_a_report_is_written(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    results = study.run()
    (tmp_path / "data" / "panel.csv").unlink()
    with pytest.raises(DataError, match=r"\.\./data/panel\.csv"):
        pe.report(results, tmp_path / "r", study_path=study.path)
    assert not (tmp_path / "r").exists()
