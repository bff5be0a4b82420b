"""Does `did.two_by_two` give R did's cells through the panel, for one cohort and wave at a time?

Source: R did 2.5.x with DRDID, analytic standard errors (README beside the data). R's SE is
the root of the sum of ψ squared with no small-sample factor, which is the wing's default.
"""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError, UsageError

DATA = Path(__file__).parent / "data" / "did"
REFERENCE = pd.read_csv(DATA / "r_did_attgt.csv")
METHODS = ("reg", "ipw", "dr")


@pytest.fixture(scope="module")
def mpdta(shared_reference):
    """County employment of Callaway and Sant'Anna (2021), a panel."""
    frame = pd.read_csv(shared_reference / "did" / "mpdta.csv")
    frame = frame.rename(columns={"first.treat": "cohort"})
    return pe.read_panel(frame, pe.Roles(unit="countyreal", wave="year", cohort="cohort"))


@pytest.fixture(scope="module")
def sim_panel():
    frame = pd.read_csv(DATA / "sim_panel.csv")
    return pe.read_panel(frame, pe.Roles(unit="id", wave="t", cohort="g", clusters="cl"))


@cache
def one_cohort(panel, g):
    """Keep one treated cohort and the never treated; a panel is checked once."""
    return panel.where(**{panel.roles.cohort: (g, 0)})


@cache
def weighted(panel, weight):
    return pe.Panel(panel.frame, replace(panel.roles, weight=weight))


def check(panel, case, outcome, design, inference=None, anticipation=0):
    rows = REFERENCE[REFERENCE.case == case]
    assert len(rows) in (12, 15)
    for row in rows.itertuples():
        first = row.g - anticipation
        base = row.t - 1 if row.t < first else first - 1
        two = one_cohort(panel, int(row.g))
        estimate = pe.did.two_by_two(two, outcome, design, base=base, waves=[row.t])
        found = pe.infer(estimate, inference).frame.iloc[0]
        np.testing.assert_allclose(found["estimate"], row.att, rtol=1e-8)
        np.testing.assert_allclose(found["std_error"], row.se, rtol=1e-8)
        assert (found["wave"], found["df"], found["status"]) == (row.t, np.inf, "ok")


@pytest.mark.parametrize("covariates", ["none", "lpop"])
@pytest.mark.parametrize("method", METHODS)
def test_county_employment_matches_r_did(mpdta, method, covariates):
    names = () if covariates == "none" else (covariates,)
    design = pe.did.Design(method, covariates=names)
    check(mpdta, f"mpdta|{covariates}|never|{method}|varying", "lemp", design)


@pytest.mark.parametrize("anticipation", [0, 1])
@pytest.mark.parametrize("clusters", ["iid", "cl"])
@pytest.mark.parametrize("weights", ["now", "w"])
@pytest.mark.parametrize("covariates", ["none", "x1x2"])
@pytest.mark.parametrize("method", METHODS)
def test_simulated_panel_matches_r_did(
    sim_panel, method, covariates, weights, clusters, anticipation
):
    design = pe.did.Design(method, covariates=() if covariates == "none" else ("x1", "x2"))
    panel = weighted(sim_panel, "w" if weights == "w" else None)
    inference = pe.Clustered("cl" if clusters == "cl" else "unit", correction="none")
    case = f"panel|{covariates}|never|{method}|{weights}|{clusters}|ant{anticipation}"
    check(panel, case, "y", design, inference, anticipation)


def test_without_covariates_every_method_is_the_unconditional_one(sim_panel):
    two = sim_panel.where(g=(4, 0))
    rows = [
        pe.did.two_by_two(two, "y", pe.did.Design(method), base=3, waves=[5])
        for method in (*METHODS, "unconditional")
    ]
    for row in rows[:-1]:
        np.testing.assert_array_equal(row.theta, rows[-1].theta)
        np.testing.assert_array_equal(row.psi, rows[-1].psi)


def test_several_cohorts_at_once_are_refused_with_the_way_out(sim_panel):
    with pytest.raises(UsageError, match=r"panel\.where\(g=\[cohort, 0\]\)"):
        pe.did.two_by_two(sim_panel, "y", base=1)


def test_a_base_period_in_which_the_treated_are_already_treated_is_refused(sim_panel):
    two = sim_panel.where(g=(4, 0))
    for base in (4, 5):
        with pytest.raises(UsageError, match="already treated"):
            pe.did.two_by_two(two, "y", base=base, waves=[6] if base < 6 else [5])


def test_the_period_before_must_be_named(sim_panel):
    with pytest.raises(UsageError, match="period before"):
        pe.did.two_by_two(sim_panel.where(g=(4, 0)), "y")


def test_an_empty_group_is_refused(sim_panel):
    with pytest.raises(NotEstimableError, match="no comparison unit"):
        pe.did.two_by_two(sim_panel.where(g=4), "y", base=3)
    with pytest.raises(NotEstimableError, match="no treated unit"):
        pe.did.two_by_two(sim_panel.where(g=0), "y", base=3)
