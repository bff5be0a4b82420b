"""Matched difference-in-differences: changes of pairs, placebos, weights for the DiD wing."""

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.compare.matched_did import NO_PLACEBO
from prakerja_eval.errors import UsageError

WAVES = (2018, 2019, 2020, 2021)


def people(waves: tuple[int, ...] = WAVES, *, cohort: bool = True) -> pe.Panel:
    rng = np.random.default_rng(11)
    n = 120
    treated = np.arange(n) % 3 == 0
    age = rng.normal(30, 4, n) + 2.0 * treated
    rows = pd.DataFrame({"id": np.repeat(np.arange(n), len(waves)), "wave": np.tile(waves, n)})
    rows["age"] = age[rows["id"]]
    rows["start"] = np.where(treated, 2020, 0)[rows["id"]]
    rows["trained"] = ((rows["start"] > 0) & (rows["wave"] >= 2020)).astype(int)
    growth = (rows["wave"] - 2018) * (1 + 0.1 * rows["age"])
    rows["income"] = 5 + growth + 4.0 * rows["trained"] + rng.normal(0, 1, len(rows))
    role = {"cohort": "start"} if cohort else {"received": "trained"}
    return pe.read_panel(rows, pe.Roles(unit="id", wave="wave", baseline=2019, **role))


def test_effect_and_placebo_are_mean_differences_of_changes_within_pairs() -> None:
    panel = people()
    pairs = pe.matching.match(panel, pe.matching.Nearest(replace=False), covariates=["age"])
    found = pe.compare.matched_did(panel, pairs, "income")
    wide = panel.wide("income")
    rows = pairs.frame
    for k, (base, wave) in enumerate([(2019, 2020), (2019, 2021), (2018, 2019)]):
        change = wide[wave] - wide[base]
        by_hand = np.mean(change[rows["unit"]].to_numpy() - change[rows["counterpart"]].to_numpy())
        assert found.theta[k] == pytest.approx(by_hand, rel=1e-12)
    assert list(found.index["wave"]) == [2020, 2021, 2019]
    assert list(found.index["event_time"].fillna(0)) == [0, 0, -1]
    assert set(found.index["estimator"]) == {"compare.matched_did"}
    assert list(found.counts["status"]) == ["ok"] * 3


@pytest.mark.parametrize("replace", [True, False])
def test_the_did_wing_on_the_reweighted_panel_gives_the_same_effects(replace: bool) -> None:
    panel = people()
    design = pe.matching.Nearest(replace=replace)
    pairs = pe.matching.match(panel, design, covariates=["age"])
    ours = pe.compare.matched_did(panel, pairs, "income")
    weighted = pe.compare.reweighted(panel, pairs)
    theirs = pe.did.two_by_two(weighted, "income")
    assert ours.theta[:2] == pytest.approx(theirs.theta, rel=1e-12)
    cells = pe.did.group_time(weighted, "income")
    effects = cells.theta[cells.index["event_time"].to_numpy() >= 0]
    assert ours.theta[:2] == pytest.approx(effects, rel=1e-12)


def test_without_a_wave_before_the_base_the_status_says_that_there_is_no_placebo() -> None:
    panel = people((2019, 2020))
    pairs = pe.matching.match(panel, covariates=["age"])
    found = pe.compare.matched_did(panel, pairs, "income")
    assert list(found.index["wave"]) == [2020]
    assert list(found.counts["status"]) == [NO_PLACEBO]


@pytest.mark.parametrize("cohort", [True, False])
def test_a_base_in_which_the_treated_are_treated_is_refused(cohort: bool) -> None:
    panel = people(cohort=cohort)
    pairs = pe.matching.match(panel, covariates=["age"])
    with pytest.raises(UsageError, match="already treated"):
        pe.compare.matched_did(panel, pairs, "income", base=2020)
    with pytest.raises(UsageError, match="does not come after the base"):
        pe.compare.matched_did(panel, pairs, "income", base=2019, waves=[2018])


def test_a_base_is_needed_and_a_column_of_the_weights_name_is_refused() -> None:
    panel = people()
    pairs = pe.matching.match(panel, covariates=["age"])
    bare = pe.read_panel(panel.frame, pe.Roles(unit="id", wave="wave", cohort="start"))
    with pytest.raises(UsageError, match="needs the wave before"):
        pe.compare.matched_did(bare, pairs, "income")
    named = pe.read_panel(panel.frame.assign(**{"matching weight": 1.0}), panel.roles)
    with pytest.raises(UsageError, match="rename it"):
        pe.compare.reweighted(named, pairs)


def test_a_start_between_two_waves_counts_too() -> None:
    frame = people().frame.replace({"wave": {2020: 2020.5}, "start": {2020: 2020.2}})
    panel = pe.read_panel(frame, pe.Roles(unit="id", wave="wave", baseline=2019, cohort="start"))
    pairs = pe.matching.match(panel, covariates=["age"])
    with pytest.raises(UsageError, match="already treated"):
        pe.compare.matched_did(panel, pairs, "income", base=2020.5)
