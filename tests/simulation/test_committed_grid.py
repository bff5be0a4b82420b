"""Does the committed grid keep what is expected of the estimators, and is it that of this code?

The long run is `python -m tests.simulation.grid`. Here its results are judged again, compared with
the table of expectations, and the first draws of each scenario run again.
"""

import pandas as pd
import pytest

from prakerja_eval.compare.diagnose import _named
from prakerja_eval.compare.diagnosis import NAMING
from prakerja_eval.synthetic import Scenario

from .grid import (
    DRAWS,
    FIRST,
    FOLDER,
    KEY,
    SEED,
    SHORTFALLS,
    diagnose,
    estimators,
    expectations,
    read,
    verdict,
)

EVERY = {e.scenario: e for e in expectations()}


@pytest.fixture(scope="module")
def committed() -> pd.DataFrame:
    path = FOLDER / "grid.csv"
    if not path.is_file():
        pytest.skip("the grid was never run: python -m tests.simulation.grid")
    return read(path)


def test_every_scenario_that_ships_is_in_the_grid() -> None:
    assert {name.partition(":")[0] for name in EVERY} == set(Scenario.names())
    accounts = {name.partition(":")[2] for name in EVERY} - {""}
    assert accounts == set(Scenario.accounts())


@pytest.mark.parametrize("name", EVERY)
def test_what_is_expected_names_estimators_and_a_reason_for_each_that_is_wrong(name) -> None:
    _named(name)  # refuses an unknown scenario
    expected = EVERY[name]
    assert set(expected.right) | set(expected.wrong) <= set(estimators())
    assert not set(expected.right) & set(expected.wrong)
    assert all(reason.endswith(".") for reason in expected.wrong.values())


def test_the_committed_grid_is_that_of_the_expectations(committed) -> None:
    ran = committed.groupby("scenario", sort=False)
    assert list(ran.groups) == [name for name in EVERY if name in ran.groups]
    assert set(ran.groups) == set(EVERY)
    for name, rows in ran:
        expected = EVERY[name]
        assert list(rows["estimator"].unique()) == expected.names
        assert set(rows.loc[rows["claim"], "estimator"]) == set(expected.right)
        assert set(rows["applicants"]) == {expected.applicants}
        assert set(rows["seed"]) == {SEED}
        assert set(rows["draws"]) == {DRAWS}


def test_every_claim_of_the_grid_is_kept(committed) -> None:
    claims = committed[committed["claim"]].to_dict("records")
    judged = {tuple(str(r[c]) for c in KEY): r for r in claims}
    assert {k: verdict(r) for k, r in judged.items() if verdict(r) != "kept"} == {
        key: what for key, (what, _) in SHORTFALLS.items()
    }
    assert all(verdict(r) == r["verdict"] for r in claims)


def test_two_way_fixed_effects_have_the_wrong_sign_where_effects_grow(committed) -> None:
    rows = committed[committed["scenario"] == "staggered_heterogeneous"].set_index("estimator")
    twfe = rows.loc["did.twfe"]
    assert (twfe["truth"] > 0).all()
    assert (twfe["estimate"] + 3 * twfe["sd"] / DRAWS**0.5 < 0).all()


@pytest.mark.witness
@pytest.mark.parametrize("name", EVERY)
def test_the_first_draws_are_made_again(name, tmp_path) -> None:
    # the same numbers from one process and from a folder that a run of one draw began
    expected = EVERY[name]
    diagnose(expected, 1, 1, tmp_path)
    again = diagnose(expected, FIRST, 1, tmp_path).frame
    whole = diagnose(expected, FIRST, 2, None).frame
    pd.testing.assert_frame_equal(again, whole, check_exact=True)
    assert set(NAMING) & set(whole.columns)
