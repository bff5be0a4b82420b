"""Are the synthetic panels that ship what the tool makes, and can a stranger use them?"""

import importlib.util
import sys
import tomllib
from dataclasses import replace

import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.synthetic import Scenario
from prakerja_eval.synthetic.world import roles

QUICK = ("null", "phone_sample_non_receipt")  # the rest: python tools/make_synthetic.py --check
LARGEST = 15_000_000


@pytest.fixture(scope="module")
def home(project_root):
    return project_root / "data" / "synthetic"


@pytest.fixture(scope="module")
def tool(project_root):
    path = project_root / "tools" / "make_synthetic.py"
    spec = importlib.util.spec_from_file_location("make_synthetic", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["make_synthetic"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["make_synthetic"]


@pytest.fixture(scope="module")
def again(tool, tmp_path_factory):
    place = tmp_path_factory.mktemp("synthetic")
    tool.write_all(place, [s for s in tool.samples() if s.folder in QUICK])
    return place


def test_panels_made_again_have_the_same_bytes(tool, home, again):
    found = tool.differences(home, again, tool.written_by(home) == tool.pyarrow_version())
    mine = [f for f in found if f.partition("/")[0] in QUICK or "/" not in f.partition(":")[0]]
    assert mine == []


def test_a_change_is_seen(tool, again, tmp_path):
    for name in ("a.csv", "b.csv", "null/panel.csv", "null/gone.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("changed")
    found = tool.differences(tmp_path, again, same_writer=True)
    assert "null/panel.csv: differs" in found
    assert "null/gone.csv: is made by no scenario" in found
    assert "phone_sample_non_receipt/truth.csv: is missing" in found
    assert not any("a.csv" in line for line in found)  # not in a folder of a scenario


def test_parquet_of_another_writer_is_compared_by_content(tool, again, tmp_path):
    old = again / "null" / "truth.parquet"
    table = tool.parquet.read_table(old)
    same, other = tmp_path / "same.parquet", tmp_path / "other.parquet"
    tool.parquet.write_table(table, same, compression="gzip")
    tool.parquet.write_table(table.slice(1), other)
    assert tool.same(old, same, same_writer=False)
    assert not tool.same(old, same, same_writer=True)
    assert not tool.same(old, other, same_writer=False)


def test_every_scenario_ships_a_panel_under_each_of_its_accounts(tool, home):
    names = {p.parent.name for p in home.glob("*/made.toml")}
    assert names == {sample.folder for sample in tool.samples()}
    assert {s.scenario for s in tool.samples()} == set(Scenario.names())
    for name in ("phone_sample", "matched_national"):
        assert {f"{name}_{a}" for a in Scenario.accounts()} <= names


def test_all_of_it_is_small(home):
    assert sum(p.stat().st_size for p in home.rglob("*.*") if p.is_file()) < LARGEST


@pytest.mark.parametrize("folder", QUICK)
def test_a_stranger_reads_the_panel_and_finds_no_fault(home, folder):
    made = tomllib.loads((home / folder / "made.toml").read_text(encoding="utf-8"))
    scenario = Scenario.read(home / folder / "scenario.toml")
    assert scenario == replace(
        Scenario.named(made["scenario"], made.get("account")), name="scenario"
    )
    panels = [
        pe.read_panel(home / folder / f"panel.{form}", roles(scenario))
        for form in ("csv", "parquet")
    ]
    pd.testing.assert_frame_equal(panels[0].frame, panels[1].frame, check_dtype=False)
    assert not panels[0].check().errors


def test_the_truth_in_csv_is_that_of_everybody(home):
    folder = home / "null"
    whole, shown = pd.read_parquet(folder / "truth.parquet"), pd.read_csv(folder / "truth.csv")
    everybody = whole[whole["subgroup"].isna()]
    assert shown["truth"].tolist() == everybody["truth"].tolist()
    effects = whole.query("kind == 'effect' and outcome == 'employed'")
    assert (effects["truth"] == 0).all()  # nothing has an effect in this scenario


@pytest.mark.parametrize("language", ["en", "id"])
@pytest.mark.parametrize("table", ["panel", "applications", "records"])
def test_the_codebooks_name_every_column_that_ships(home, table, language):
    book = pd.read_csv(home / f"codebook_{language}.csv").query("table == @table")
    assert list(book["column"]) == list(pd.read_parquet(home / "null" / f"{table}.parquet"))
