"""From any file to a first report: what is guessed, why, and that it runs as it is written."""

import tomllib
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from makes import LABELS, MAKES, survey

import prakerja_eval as pe
from prakerja_eval.cli import main
from prakerja_eval.panel.guess import guess_roles, guess_wide
from prakerja_eval.panel.table import Table, Variable


def run(*arguments: object) -> tuple[int, str, str]:
    """Run the command in this process."""
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    return result.exit_code, result.stdout, result.stderr


# One format with every run of the tests; the others, which differ in reading alone, with witnesses.
FORMATS = [n if n.endswith(".csv") else pytest.param(n, marks=pytest.mark.witness) for n in MAKES]


@pytest.mark.parametrize("name", FORMATS)
def test_new_then_report_without_an_edit(name: str, tmp_path: Path) -> None:
    data = MAKES[name](survey(), tmp_path / name)
    study = tmp_path / "study.toml"
    code, _, err = run("new", data, "--out", study)
    assert code == 0, err
    plan = tomllib.loads(study.read_text(encoding="utf-8"))
    assert plan["roles"] == {
        "unit": "person_id",
        "wave": "wave",
        "baseline": 2020,
        "offer": "selected",
        "received": "received",
        "blocks": ["batch"],
    }
    assert {o["column"] for o in plan["outcomes"]} == {"income", "employed"}
    assert [e["estimator"] for e in plan["estimates"]] == [
        "lottery.itt",
        "lottery.itt",
        "lottery.late",
        "did.two_by_two",
        "matching.att",
    ]
    code, _, err = run("check", data, "--study", study)
    assert code == 0, err
    code, _, err = run("report", study, "--out", tmp_path / "report")
    assert code == 0, err
    findings = pd.read_csv(tmp_path / "report" / "findings.csv")
    assert findings["estimate"].notna().all()
    assert run("verify", tmp_path / "report")[0] == 0


def test_labels_of_the_file_become_labels_of_the_study(tmp_path: Path) -> None:
    data = MAKES["panel.dta"](survey(), tmp_path / "panel.dta")
    run("new", data, "--out", tmp_path / "s.toml")
    plan = tomllib.loads((tmp_path / "s.toml").read_text(encoding="utf-8"))
    assert plan["outcomes"][0]["label"] == LABELS["income"]


def test_a_study_file_is_not_overwritten_without_force(tmp_path: Path) -> None:
    data = MAKES["panel.parquet"](survey(), tmp_path / "panel.parquet")
    study = tmp_path / "s.toml"
    study.write_text("mine", encoding="utf-8")
    code, _, err = run("new", data, "--out", study)
    assert code == 2
    assert "--force" in err
    assert study.read_text(encoding="utf-8") == "mine"
    assert run("new", data, "--out", study, "--force")[0] == 0


@pytest.mark.witness
def test_new_refuses_identifiers_until_they_are_dropped(tmp_path: Path) -> None:
    frame = survey().assign(no_hp=[f"0812{i:08d}" for i in range(480)])
    frame.to_csv(tmp_path / "panel.csv", index=False)
    code, _, err = run("new", tmp_path / "panel.csv", "--out", tmp_path / "s.toml")
    assert code == 6
    assert "no_hp" in err
    assert "0812" not in err
    assert not (tmp_path / "s.toml").exists()
    code, _, err = run(
        "new", tmp_path / "panel.csv", "--out", tmp_path / "s.toml", "--drop", "no_hp"
    )
    assert code == 0, err
    assert 'drop = ["no_hp"]' in (tmp_path / "s.toml").read_text(encoding="utf-8")
    assert run("report", tmp_path / "s.toml", "--out", tmp_path / "r")[0] == 0


def test_hostile_names_cannot_leave_their_quotes(tmp_path: Path) -> None:
    frame = survey().rename(columns={"income": 'income"]\n[roles]\nunit = "x'})
    frame.to_parquet(tmp_path / 'a"b.parquet')
    code, _, err = run("new", tmp_path / 'a"b.parquet', "--out", tmp_path / "s.toml")
    assert code == 0, err
    plan = tomllib.loads((tmp_path / "s.toml").read_text(encoding="utf-8"))
    assert plan["roles"]["unit"] == "person_id"
    assert plan["data"] == 'a"b.parquet'


def test_roles_are_taken_by_name_only_if_the_values_fit() -> None:
    frame = survey()
    odd = frame.assign(selected=frame["selected"] + 1)
    guess = guess_roles(Table(odd))
    assert guess.roles is not None
    assert guess.roles.offer is None
    assert "0 for losers and 1 for winners" in guess.reasons["offer"]


def test_indonesian_names_are_known() -> None:
    frame = survey().rename(
        columns={
            "person_id": "id_peserta",
            "wave": "tahun",
            "batch": "gelombang",
            "selected": "lolos",
            "received": "menerima",
        }
    )
    roles = guess_roles(Table(frame)).roles
    assert roles == pe.Roles(
        unit="id_peserta",
        wave="tahun",
        baseline=2020,
        offer="lolos",
        received="menerima",
        blocks=("gelombang",),
    )


def test_receipt_in_the_first_wave_leaves_the_baseline_out() -> None:
    frame = survey()
    ever = frame.groupby("person_id")["received"].transform("max")
    guess = guess_roles(Table(frame.assign(received=ever)))
    assert guess.roles is not None
    assert guess.roles.baseline is None
    assert "first wave" in guess.reasons["baseline"]


def test_waves_of_known_words_are_put_in_order() -> None:
    frame = survey()
    frame["wave"] = frame["wave"].map({2020: "endline", 2021: "baseline"})
    frame["received"] = 0
    roles = guess_roles(Table(frame)).roles
    assert roles is not None
    assert roles.wave_order == ("baseline", "endline")


def test_numbered_questions_alone_are_no_waves() -> None:
    one = pd.DataFrame({"id": range(5), "r14a1": 1, "r14a2": 2})
    assert guess_wide(Table(one)) is None
    years = pd.DataFrame({"id": range(5), "income2020": 1, "income2021": 2})
    assert guess_wide(Table(years)) == pe.Wide(("income",), "")


def test_a_file_without_people_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({"income": [1.5, 2.5, 3.5]}).to_csv(tmp_path / "x.csv", index=False)
    code, _, err = run("new", tmp_path / "x.csv", "--out", tmp_path / "s.toml")
    assert code == 3
    assert "person_id" in err


def test_a_column_that_gives_the_treated_away_is_no_covariate(tmp_path: Path) -> None:
    frame = survey()
    ever = frame.groupby("person_id")["received"].transform("max")
    frame["origin"] = ever.map({1: "programme", 0: "survey"})
    frame.to_parquet(tmp_path / "p.parquet")
    assert run("new", tmp_path / "p.parquet", "--out", tmp_path / "s.toml")[0] == 0
    assert "origin" not in (tmp_path / "s.toml").read_text(encoding="utf-8")


def test_other_aid_births_and_starts_are_no_receipt_cohort_or_wave() -> None:
    frame = survey().rename(columns={"received": "penerima_bansos"})
    roles = guess_roles(Table(frame.assign(birth_cohort=1990))).roles
    assert roles is not None
    assert (roles.received, roles.cohort) == (None, None)
    one = survey().query("wave == 2020").drop(columns="wave")
    one["birth_year"] = 1990 + one["age"] % 9
    assert guess_roles(Table(one)).roles == pe.Roles(
        unit="person_id", offer="selected", blocks=("batch",)
    )


def test_a_year_that_never_repeats_within_people_is_no_wave() -> None:
    one = survey().query("wave == 2020").drop(columns="wave")
    one["year"] = 2015 + one["age"] % 5
    guess = guess_roles(Table(one))
    assert guess.roles is not None
    assert guess.roles.wave is None
    assert "one row" in guess.reasons["wave"]


def test_a_list_of_children_is_not_made_long() -> None:
    roster = pd.DataFrame({"id": range(5), "kids_age_1": 1, "kids_age_2": 2, "kids_sex_1": 1})
    assert guess_wide(Table(roster.assign(kids_sex_2=2))) is None
    rounds = pd.DataFrame({"id": range(5), "income_1": 1, "income_2": 2, "job_1": 1, "job_2": 0})
    assert guess_wide(Table(rounds)) == pe.Wide(("income", "job"), "_")


def test_a_lottery_is_proposed_with_the_question_whether_it_was_one(tmp_path: Path) -> None:
    MAKES["panel.parquet"](survey(), tmp_path / "p.parquet")
    run("new", tmp_path / "p.parquet", "--out", tmp_path / "s.toml")
    text = (tmp_path / "s.toml").read_text(encoding="utf-8")
    assert text.count("EDIT: right only if the offer was drawn by lot") == 3


@pytest.mark.witness
def test_without_a_wave_before_only_fixed_traits_are_covariates(tmp_path: Path) -> None:
    one = survey().query("wave == 2021").drop(columns="wave")
    one = one.assign(hours=one["age"] % 40 + one["received"], village=one["age"] * 1000)
    one.to_parquet(tmp_path / "p.parquet")
    run("new", tmp_path / "p.parquet", "--out", tmp_path / "s.toml")
    plan = tomllib.loads((tmp_path / "s.toml").read_text(encoding="utf-8"))
    matching = next(e for e in plan["estimates"] if e["estimator"] == "matching.att")
    assert matching["covariates"] == ["female", "age"]
    assert run("report", tmp_path / "s.toml", "--out", tmp_path / "r")[0] == 0


def test_a_variable_label_tells_the_role_of_an_odd_name() -> None:
    frame = survey().rename(columns={"received": "q17"})
    assert guess_roles(Table(frame)).roles.received is None
    book = {"q17": Variable(label="Menerima pelatihan")}
    assert guess_roles(Table(frame, book)).roles.received == "q17"


@pytest.mark.witness
def test_the_codebook_beside_the_file_is_used_and_its_path_follows_the_study(
    tmp_path: Path,
) -> None:
    frame = survey().astype({"income": "str"})
    frame.loc[[250, 260], "income"] = ".a"
    frame.to_parquet(tmp_path / "safe.parquet")
    (tmp_path / "safe.codebook.toml").write_text(
        '[income]\nlabel = "Income"\nmissing = { ".a" = "refused" }\n', encoding="utf-8"
    )
    (tmp_path / "studies").mkdir()
    study = tmp_path / "studies" / "s.toml"
    assert run("new", tmp_path / "safe.parquet", "--out", study)[0] == 0
    plan = tomllib.loads(study.read_text(encoding="utf-8"))
    assert plan["reading"]["codebook"] == "../safe.codebook.toml"
    assert "income" in [o["column"] for o in plan["outcomes"]]
    assert run("report", study, "--out", tmp_path / "r")[0] == 0
    assert "safe.codebook.toml" in run("check", tmp_path / "safe.parquet")[1]


def test_an_income_of_text_is_an_error_of_check(tmp_path: Path) -> None:
    frame = survey().astype({"income": "str"})
    frame.loc[[250, 260], "income"] = "tidak tahu"
    frame.to_parquet(tmp_path / "p.parquet")
    code, out, _ = run("check", tmp_path / "p.parquet")
    assert code == 3
    assert "'income'" in out


def test_a_lottery_that_cannot_be_estimated_is_commented_out(tmp_path: Path) -> None:
    frame = survey()
    gone = (frame["batch"] == 5) & (frame["selected"] == 0) & (frame["wave"] == 2021)
    frame[~gone].to_parquet(tmp_path / "p.parquet")
    run("new", tmp_path / "p.parquet", "--out", tmp_path / "s.toml")
    plan = tomllib.loads((tmp_path / "s.toml").read_text(encoding="utf-8"))
    assert not [e for e in plan["estimates"] if e["estimator"].startswith("lottery")]
    assert run("report", tmp_path / "s.toml", "--out", tmp_path / "r")[0] == 0


def test_new_says_how_many_errors_the_data_have(tmp_path: Path) -> None:
    frame = pd.concat([survey(), survey().iloc[[0]]], ignore_index=True)
    frame.to_parquet(tmp_path / "p.parquet")
    code, out, _ = run("new", tmp_path / "p.parquet", "--out", tmp_path / "s.toml")
    assert code == 0
    assert "1 error(s)" in out


@pytest.mark.witness
def test_money_whose_contents_nobody_stated_is_said_to_be_so(tmp_path: Path) -> None:
    data = MAKES["panel.parquet"](survey(), tmp_path / "p.parquet")
    run("new", data, "--out", tmp_path / "s.toml")
    run("report", tmp_path / "s.toml", "--out", tmp_path / "r")
    page = (tmp_path / "r" / "report.html").read_text(encoding="utf-8")
    assert "Nobody has stated whether these outcomes contain" in page
    assert "do not contain the programme" not in page


def test_shares_are_not_printed_as_percent_a_hundred_times_too_small(tmp_path: Path) -> None:
    data = MAKES["panel.parquet"](survey(), tmp_path / "p.parquet")
    study = tmp_path / "s.toml"
    run("new", data, "--out", study)
    text = study.read_text(encoding="utf-8").replace('unit = "share"', 'unit = "percent"')
    study.write_text(text, encoding="utf-8")
    code, _, err = run("report", study, "--out", tmp_path / "r")
    assert code == 2
    assert "'share'" in err
