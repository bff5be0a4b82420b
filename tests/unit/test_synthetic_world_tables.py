"""Do panel, applications and records tell one story, in the types that they promise?"""

import numpy as np
import pandas as pd
import pytest

from prakerja_eval.errors import UsageError
from prakerja_eval.synthetic import World, simulate
from prakerja_eval.synthetic.columns import numbered

WAVES = ["2020-02", "2020-07", "2021-05", "2021-09"]


@pytest.fixture(scope="module")
def world() -> World:
    """Return a small phone sample."""
    return simulate("phone_sample", 3_000, 5)


@pytest.fixture(scope="module")
def panel(world: World) -> pd.DataFrame:
    return world.panel.frame


def test_ids_are_a_prefix_and_a_number_of_fixed_width() -> None:
    number = np.array([7, 12_345_678, 7, 90_000_001, 0])
    wanted = [f"SYN-H{k:08d}" for k in number]
    assert numbered("SYN-H", number, 8).to_pylist() == wanted


def test_ids_are_text_flags_and_counts_are_small_whole_numbers(panel: pd.DataFrame) -> None:
    text = {"person_id", "wave", "household", "district", "psu", "block", "cohort", "province"}
    assert {str(panel[name].dtype) for name in text} == {"str"}
    flags = ["female", "urban", "priority", "offer", "won", "received", "on_record", "responded"]
    assert {str(panel[name].dtype) for name in flags} == {"int8"}
    assert set(np.unique(panel[flags])) == {0, 1}


def test_a_person_has_a_row_a_wave_in_order(panel: pd.DataFrame) -> None:
    assert panel["wave"].tolist() == WAVES * (len(panel) // 4)
    ids = panel["person_id"].to_numpy().reshape(-1, 4)
    assert (ids == ids[:, :1]).all()
    assert panel["person_id"].is_monotonic_increasing


def test_the_panel_counts_the_applications_and_wins_up_to_each_wave(
    world: World, panel: pd.DataFrame
) -> None:
    every = world.applications
    for wave, rows in panel.groupby("wave"):
        until = every[every["month"] <= wave].groupby("person_id")["won"].agg(["size", "sum"])
        wanted = until.reindex(rows["person_id"]).fillna(0)
        assert (rows["applications"].to_numpy() == wanted["size"].to_numpy()).all()
        assert (rows["won"].to_numpy() == wanted["sum"].to_numpy()).all()


def test_the_offer_is_the_result_of_the_first_application(
    world: World, panel: pd.DataFrame
) -> None:
    first = world.applications.drop_duplicates("person_id").set_index("person_id")
    mine = panel.drop_duplicates("person_id").set_index("person_id")
    assert (first["won"].reindex(mine.index) == mine["offer"]).all()
    assert (first["stratum"].reindex(mine.index) == mine["block"]).all()
    assert (first["batch"].reindex(mine.index) == mine["batch"]).all()


def test_the_cohort_is_the_first_wave_of_receipt(panel: pd.DataFrame) -> None:
    has = panel[panel["received"] == 1].groupby("person_id")["wave"].min()
    wanted = panel["person_id"].map(has).fillna("0")
    assert (panel["cohort"] == wanted).all()


def test_the_programmes_cash_stands_apart_from_income(panel: pd.DataFrame) -> None:
    known = panel[panel["income"].notna()]
    assert (known["income"] + known["programme_cash"] == known["income_gross"]).all()
    assert (known["programme_cash"][known["received"] == 0] == 0).all()
    assert (panel["programme_cash"] > 0).any()


def test_who_does_not_answer_says_nothing(panel: pd.DataFrame) -> None:
    silent = panel[panel["responded"] == 0]
    assert len(silent) > 0
    assert silent[["employed", "hours", "income", "reported_receipt"]].isna().all(axis=None)
    assert panel["employed"].notna().sum() == panel["responded"].sum()


def test_the_records_have_a_row_a_place_that_was_won(world: World) -> None:
    won = world.applications.query("won == 1")[["person_id", "batch"]]
    held = world.records[["person_id", "batch"]]
    pd.testing.assert_frame_equal(
        won.sort_values("person_id", ignore_index=True), held, check_dtype=False
    )


@pytest.mark.parametrize(
    ("n", "seed", "message"),
    [
        (49, 0, "n_applicants = 49 is not allowed; give a whole number from 50 to 99,999,999"),
        (100_000_000, 0, "n_applicants = 100000000 is not allowed"),
        (True, 0, "n_applicants = True is not allowed"),
        (1e4, 0, "n_applicants = 10000.0 is not allowed"),
        (100, -1, "seed = -1 is not allowed"),
    ],
)
def test_numbers_that_are_none_are_refused(n: int, seed: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        simulate("null", n, seed)
