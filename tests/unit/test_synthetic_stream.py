"""Is a streamed programme the one in memory: same rows, same bytes, whole or not at all?"""

import hashlib
import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from prakerja_eval.errors import UsageError
from prakerja_eval.study import Study
from prakerja_eval.synthetic import Scenario, simulate
from prakerja_eval.synthetic.draws import CHUNK
from prakerja_eval.synthetic.made import listed
from prakerja_eval.synthetic.starter import study_text
from prakerja_eval.synthetic.stream import Order, fill, stream

FEW = 400
TWO_CHUNKS = CHUNK + 500


def brief() -> Scenario:
    """Return a phone sample of two waves alone."""
    found = Scenario.named("phone_sample")
    return replace(found.but(survey={"waves": ("2020-07", "2021-05")}), name="brief")


@pytest.fixture(scope="module")
def streamed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a programme of two chunks of people."""
    folder = tmp_path_factory.mktemp("streamed") / "world"
    return stream(brief(), TWO_CHUNKS, 3, folder)


def hashes(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def test_the_streamed_tables_hold_the_rows_of_the_world_in_memory(streamed: Path) -> None:
    world = simulate(brief(), TWO_CHUNKS, 3)
    pd.testing.assert_frame_equal(pd.read_parquet(streamed / "panel.parquet"), world.panel.frame)
    held = pd.read_parquet(streamed / "applications.parquet")
    pd.testing.assert_frame_equal(held, world.applications)
    pd.testing.assert_frame_equal(pd.read_parquet(streamed / "records.parquet"), world.records)


def test_a_chunk_of_people_is_a_row_group_and_nobody_is_split(streamed: Path) -> None:
    with parquet.ParquetFile(streamed / "panel.parquet") as file:
        assert file.num_row_groups == 2
        ids = [set(file.read_row_group(k, ["person_id"])[0].to_pylist()) for k in (0, 1)]
    assert max(ids[0]) <= f"SYN-{CHUNK:08d}" < min(ids[1])


def test_the_manifest_names_each_file_with_its_hash(streamed: Path) -> None:
    tree = json.loads((streamed / "manifest.json").read_text())
    found = hashes(streamed)
    found.pop("manifest.json")
    assert tree["outputs"] == found
    assert set(found) == listed(streamed)
    assert (tree["scenario"], tree["n_applicants"], tree["seed"]) == ("brief", TWO_CHUNKS, 3)


def test_the_scenario_reads_back_as_the_same(streamed: Path) -> None:
    back = Scenario.read(streamed / "scenario.toml")
    assert back == brief()


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_two_runs_give_the_same_bytes_on_any_number_of_threads(form: str, tmp_path: Path) -> None:
    before, order = pa.cpu_count(), Order(Scenario.named("null"), FEW, 1, form)
    found = []
    try:
        for threads in (1, 4):
            pa.set_cpu_count(threads)
            folder = tmp_path / str(threads)
            folder.mkdir()
            fill(folder, order)
            found.append(hashes(folder))
    finally:
        pa.set_cpu_count(before)
    assert found[0] == found[1]


def test_csv_and_parquet_hold_the_same_values(tmp_path: Path) -> None:
    scenario = Scenario.named("phone_sample")
    fill(tmp_path, Order(scenario, FEW, 1, "csv"))
    fill(tmp_path, Order(scenario, FEW, 1, "parquet"))
    for name in ("panel", "applications", "records"):
        path = tmp_path / f"{name}.csv"
        text = pd.read_csv(path, dtype={"cohort": "str"})
        binary = pd.read_parquet(tmp_path / f"{name}.parquet")
        # a float is written with as many digits as tell it from its neighbours
        pd.testing.assert_frame_equal(text, binary, check_dtype=False, rtol=0, atol=0)


def test_a_run_that_is_interrupted_leaves_nothing(tmp_path: Path) -> None:
    def stop(_people: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stream("null", FEW, 1, tmp_path / "world", stop)
    assert list(tmp_path.iterdir()) == []


def test_each_chunk_is_reported_with_its_people(tmp_path: Path) -> None:
    seen: list[int] = []
    stream("null", FEW, 1, tmp_path / "world", seen.append)
    assert seen == [FEW]


def test_what_is_there_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="name a new or an empty folder"):
        stream("null", FEW, 1, tmp_path)
    with pytest.raises(UsageError, match="name a new or an empty folder"):
        stream("null", FEW, 1, tmp_path / "notes.txt")
    with pytest.raises(UsageError, match="cannot be written"):
        stream("null", FEW, 1, tmp_path / "notes.txt" / "below")
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_applicants": 49}, "n_applicants = 49 is not allowed; give a whole number from 50 to"),
        ({"seed": -1}, "seed = -1 is not allowed"),
        ({"form": "xlsx"}, "form = 'xlsx' is not allowed"),
        ({"language": "fr"}, "language = 'fr' is not allowed"),
    ],
)
def test_an_order_that_cannot_be_filled_is_refused(
    options: dict[str, object], message: str
) -> None:
    given: dict[str, object] = {"n_applicants": FEW, "seed": 1, **options}
    with pytest.raises(UsageError, match=message):
        Order(Scenario.named("null"), **given)  # type: ignore[arg-type]


def test_nobody_applies_twice_where_no_persons_name_is_drawn() -> None:
    chosen = Scenario.named("null").but(lottery={"kind": "self_selection"})
    found = simulate(chosen, FEW, 1).applications
    assert found["person_id"].is_unique
    assert len(found) == FEW
    assert found["number"].isna().all()
    assert list(found.index) == list(found.sort_values(["batch", "person_id"]).index)


@pytest.mark.parametrize("name", Scenario.names())
def test_a_first_study_of_each_scenario_is_accepted_at_the_door(name: str, tmp_path: Path) -> None:
    (tmp_path / "study.toml").write_text(study_text(Scenario.named(name), "panel.csv", FEW, 1))
    assert Study.read(tmp_path / "study.toml").plan.synthetic


def roles_of(scenario: Scenario) -> dict[str, str]:
    entries = tomllib.loads(study_text(scenario, "panel.csv", FEW, 1))["estimates"]
    return {entry["estimator"]: entry["role"] for entry in entries}


def test_the_first_study_compares_what_answers_one_question() -> None:
    once = Scenario.named("null").but(
        lottery={"reapply": 0.0}, survey={"waves": ("2020-02", "2021-02"), "baseline": "2020-02"}
    )
    # nobody who lost receives, and all receive between the two waves: all are effects on recipients
    assert roles_of(once) == {
        "lottery.itt": "shown",
        "lottery.late": "benchmark",
        "did.two_by_two": "candidate",
        "matching.att": "candidate",
    }
    # losers who win later: the lottery's effect is that on compliers, which no other answer is
    again = roles_of(once.but(lottery={"reapply": 0.5}))
    assert set(again.values()) == {"shown"}
    # who is drawn with a district is drawn once
    assert roles_of(once.but(lottery={"kind": "district"}))["lottery.late"] == "benchmark"
    chosen = once.but(lottery={"kind": "self_selection"})
    assert roles_of(chosen) == {"did.two_by_two": "candidate", "matching.att": "benchmark"}
    # people chose by what no data hold: no design is right
    unseen = roles_of(chosen.but(lottery={"selection_motivation": 1.0}))
    assert set(unseen.values()) == {"shown"}


@pytest.mark.parametrize("name", Scenario.names())
def test_a_benchmark_stands_where_there_is_a_candidate_and_nowhere_else(name: str) -> None:
    found = list(roles_of(Scenario.named(name)).values())
    assert found.count("benchmark") == ("candidate" in found)


def test_where_districts_are_drawn_every_estimate_is_clustered_by_district() -> None:
    text = study_text(Scenario.named("few_clusters"), "panel.csv", FEW, 1)
    entries = {entry["name"]: entry for entry in tomllib.loads(text)["estimates"]}
    assert set(entries) == {"itt", "late", "did"}
    by = entries["itt"]["design"]["clusters"]
    assert entries["late"]["design"]["clusters"] == by == "district"
    assert entries["did"]["inference"] == {"clustered": {"by": by}}


def test_the_study_says_the_true_effects_of_the_last_wave(streamed: Path) -> None:
    about = tomllib.loads((streamed / "study.toml").read_text())["about"]
    truth = pd.read_csv(streamed / "truth.csv", low_memory=False)
    rows = truth[truth["wave"].eq("2021-05") & truth["cohort"].isna() & truth["subgroup"].isna()]
    pay = rows[rows["outcome"].eq("income")].set_index(["estimand", "weighting"])["truth"]
    itt, att = pay["ITT", "people per block"].iloc[0], pay["ATT", "treated people"].iloc[0]
    assert "The true effects in 2021-05, among these very people: winning the first" in about
    assert f"Rp {itt:,.0f} a month (ITT)" in about
    assert f"Rp {att:,.0f} a month on those who received (ATT)." in about


def test_without_a_lottery_the_truth_is_that_on_recipients_and_stands_on_one_line() -> None:
    world = simulate("selection_on_observables", FEW, 1)
    text = study_text(world.scenario, "panel.csv", FEW, 1, world.truth.frame)
    about = tomllib.loads(text)["about"]
    assert "\n" not in about
    assert "(ATT)" in about
    assert "(ITT)" not in about
