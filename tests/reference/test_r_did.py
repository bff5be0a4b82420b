"""Do group-time effects, their averages and the pre-trend test give R did's numbers?

Source: R did 2.5.x with DRDID, analytic standard errors: see data/did/README.md. ATT and standard
errors are met at 1e-8, those with a logit too (R stops its logit about 1e-9 short of the maximum,
hence 1e-8 and no closer; asked at 1e-6 where a coefficient is near zero and an absolute error of
1e-10 is large beside it). One exception: doubly robust with covariates on two cross-sections, where
DRDID 1.2.3's influence has one part with the wrong sign (docs/methods/did-cross-sections.md). There
the effect is met at 1e-8 and the standard error follows the law (tests/laws/did_rows.py), which R's
misses by up to 3 % with independent rows and 6 % with clusters.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe

pytestmark = pytest.mark.witness  # run by `make witness`, and so by .ci/run

DATA = Path(__file__).parent / "data" / "did"
CELLS = pd.read_csv(DATA / "r_did_attgt.csv")
AVERAGES = pd.read_csv(DATA / "r_did_aggte.csv")
COMPARISON = {"never": "never_treated", "notyet": "not_yet_treated"}
FILES = {"panel": "sim_panel.csv", "unbal": "sim_unbalanced.csv", "rc": "sim_rc.csv"}
SIMULATED = [c for c in CELLS["case"].unique() if not c.startswith("mpdta")]
COUNTIES = [c for c in CELLS["case"].unique() if c.startswith("mpdta")]


@lru_cache
def simulated(name: str, weighted: bool) -> pe.Panel:
    roles = pe.Roles(
        unit="id", wave="t", cohort="g", clusters="cl", weight="w" if weighted else None
    )
    return pe.read_panel(pd.read_csv(DATA / FILES[name]), roles)


def close(found: pd.DataFrame, expected: pd.DataFrame, exact_se: bool, se_gap: float) -> None:
    """Compare estimates and standard errors row by row; a reference cell has no standard error."""
    assert len(found) == len(expected) > 0
    att = expected["att"].to_numpy()
    np.testing.assert_allclose(found["estimate"].to_numpy(), att, rtol=1e-8, atol=1e-10)
    normalised = expected["se"].isna().to_numpy()
    assert (found["std_error"].isna().to_numpy() == normalised).all()
    assert set(found["status"][normalised]) <= {"reference"}
    se = expected["se"].to_numpy()[~normalised]
    tolerance = 1e-8 if exact_se else se_gap
    np.testing.assert_allclose(found["std_error"].to_numpy()[~normalised], se, rtol=tolerance)


def check(cells, case: str, inference, exact_se: bool = True, se_gap: float = 0.0) -> None:
    """Hold cells, all averages and the pre-trend test against R's rows of a case."""

    def rows(estimate):
        return pe.infer(estimate, inference).frame

    expected = CELLS[CELLS["case"] == case].sort_values(["g", "t"])
    found = rows(cells)
    assert found["cohort"].tolist() == expected["g"].tolist()
    assert found["wave"].tolist() == expected["t"].tolist()
    close(found, expected, exact_se, se_gap)
    did = pe.did
    averages = {
        "simple": (did.overall(cells), None, None),
        "group": (did.overall(cells, average="cohorts"), did.by_cohort(cells), "cohort"),
        "dynamic": (
            did.overall(cells, average="event_times"),
            did.event_study(cells),
            "event_time",
        ),
        "calendar": (did.overall(cells, average="waves"), did.by_calendar(cells), "wave"),
        "dynamic_balance_e1": (
            did.overall(cells, average="event_times", balance=1),
            did.event_study(cells, balance=1),
            "event_time",
        ),
    }
    theirs = AVERAGES[AVERAGES["case"] == case]
    assert set(theirs["type"]) == set(averages)
    for kind, (overall, by, column) in averages.items():
        mine = theirs[theirs["type"] == kind]
        close(rows(overall), mine[mine["egt"].isna()], exact_se, se_gap)
        if by is not None:
            apart = mine[mine["egt"].notna()].sort_values("egt")
            found = rows(by)
            assert found[column].astype(float).tolist() == apart["egt"].tolist()
            close(found, apart, exact_se, se_gap)
    if exact_se:
        early = np.flatnonzero(
            (cells.index["event_time"] < 0) & (cells.counts["status"] != "reference")
        )
        before = pe.subset(cells, rows=list(early))
        statistic = pe.wald(before, inference).statistic
        np.testing.assert_allclose(statistic, expected["W"].iloc[0], rtol=1e-7)


@pytest.mark.parametrize("case", SIMULATED)
def test_simulated_data_match_r_did(case):
    data, covariates, control, method, weights, clusters, anticipation = case.split("|")
    design = pe.did.Design(
        method=method,
        covariates=() if covariates == "none" else ("x1", "x2"),
        comparison=COMPARISON[control],
        anticipation=int(anticipation.removeprefix("ant")),
        data="panel" if data == "panel" else "cross_sections",
    )
    cells = pe.did.group_time(simulated(data, weights == "w"), "y", design)
    inference = None if clusters == "iid" else pe.Clustered("cl", correction="none")
    exact = data == "panel" or covariates == "none" or method != "dr"
    check(cells, case, inference, exact, 0.03 if clusters == "iid" else 0.06)


@pytest.fixture(scope="module")
def counties(shared_reference):
    """County employment of Callaway and Sant'Anna (2021)."""
    frame = pd.read_csv(shared_reference / "did" / "mpdta.csv")
    return pe.read_panel(frame, pe.Roles(unit="countyreal", wave="year", cohort="first.treat"))


@pytest.mark.parametrize("case", COUNTIES)
def test_county_employment_matches_r_did(counties, case):
    _, covariates, control, method, base = case.split("|")
    design = pe.did.Design(
        method=method,
        covariates=() if covariates == "none" else ("lpop",),
        comparison=COMPARISON[control],
        base_period=base,
    )
    check(pe.did.group_time(counties, "lemp", design), case, None)


def test_printed_county_averages(counties):
    """The README of R did: simple -0.0400 (0.0120), group -0.0310 (0.0124)."""
    cells = pe.did.group_time(counties, "lemp")
    simple = pe.infer(pe.did.overall(cells)).frame.iloc[0]
    group = pe.infer(pe.did.overall(cells, average="cohorts")).frame.iloc[0]
    assert (round(simple["estimate"], 4), round(simple["std_error"], 4)) == (-0.0400, 0.0120)
    assert (round(group["estimate"], 4), round(group["std_error"], 4)) == (-0.0310, 0.0124)


def test_shares_taken_as_fixed_leave_out_their_influence(counties):
    """Without the influence of the weights the simple SE is 0.011747 (data/did/README.md)."""
    cells = pe.did.group_time(counties, "lemp")
    fixed = pe.infer(pe.did.overall(cells, shares="fixed")).frame.iloc[0]
    assert round(fixed["std_error"], 6) == 0.011747
