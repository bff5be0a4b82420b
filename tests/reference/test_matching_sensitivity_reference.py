"""Sensitivity analyses meet rbounds, sensemakr and the printed examples of E-values."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.matching import Nearest
from prakerja_eval.matching.sensitivity.rosenbaum_kernel import walsh_quantile

COVARIATES = ("age", "educ", "race", "married", "nodegree", "re74", "re75")


@pytest.fixture(scope="module")
def folder(shared_reference: Path) -> Path:
    return shared_reference / "matching"


@pytest.fixture(scope="module")
def lalonde(folder: Path) -> pe.Panel:
    data = pd.read_csv(folder / "lalonde_matchit.csv")
    data = data.assign(row=np.arange(1, len(data) + 1))
    return pe.read_panel(data, pe.Roles(unit="row", received="treat"))


@pytest.fixture(scope="module")
def pairs(lalonde: pe.Panel) -> pe.matching.Matched:
    return pe.matching.match(lalonde, Nearest(replace=False, caliper=0.2), covariates=COVARIATES)


def test_p_bounds_meet_rbounds_to_its_four_digits(
    folder: Path, lalonde: pe.Panel, pairs: pe.matching.Matched
) -> None:
    table = pd.read_csv(folder / "rbounds_psens_lalonde_nn1cal02.csv")
    found = pe.matching.rosenbaum(lalonde, pairs, "re78", gammas=table["Gamma"]).frame
    assert found["p_low"].round(4).tolist() == table["Lower bound"].tolist()
    assert found["p_high"].round(4).tolist() == table["Upper bound"].tolist()
    assert (found["distribution"] == "normal").all()


START = 1309.49  # within its plateau, from 1309.32 to 1310.14; fixed to two digits by -806.91


def test_estimate_bounds_meet_rbounds_and_its_grid(
    folder: Path, lalonde: pe.Panel, pairs: pe.matching.Matched
) -> None:
    """The reference walks from a start in steps of .1 until it has passed the bound.

    The start is R's pseudo-median: a root search stops at any place of the plateau between two
    Walsh averages, and it leaves out the 10 pairs without a difference (``zeros="drop"``), though
    the bounds are of all 113. Walking from it to our bounds gives all eight printed numbers to
    their digits. At Gamma 2 the lower bound too is a plateau, .51 wide (place 2147 of 6441 is
    whole); ours is its middle, and the walk ends at its nearer edge.
    """
    table = pd.read_csv(folder / "rbounds_hlsens_lalonde_nn1cal02.csv")
    drop = pe.matching.rosenbaum(lalonde, pairs, "re78", gammas=[1], zeros="drop").frame.iloc[0]
    assert drop["estimate_low"] == drop["estimate_high"]
    # our middle of the plateau, whose half width is .41
    np.testing.assert_allclose(table.iloc[0, 1:].astype(float), drop["estimate_low"], atol=0.42)
    # a hair beside each Gamma, so that no place is whole: the edge of a plateau nearer the start
    gammas = table["Gamma"].iloc[1:] - 1e-6
    found = pe.matching.rosenbaum(lalonde, pairs, "re78", gammas=gammas).frame
    for side, sign in (("low", -1.0), ("high", 1.0)):
        printed = table["Lower bound" if side == "low" else "Upper bound"].iloc[1:]
        steps = np.ceil(sign * (found[f"estimate_{side}"] - START) / 0.1)
        walked = [f"{v:.5g}" for v in START + sign * 0.1 * steps]
        assert walked == [f"{v:.5g}" for v in printed], side


def test_omitted_variable_meets_sensemakr(folder: Path, lalonde: pe.Panel) -> None:
    found = pe.matching.omitted_variable(
        lalonde, "re78", covariates=COVARIATES, benchmarks="re74", k=(1, 2, 3)
    )
    stats = pd.read_csv(folder / "sensemakr_stats.csv").iloc[0]
    mine = found.frame.iloc[0]
    for theirs, ours in {
        "estimate": "estimate",
        "se": "std_error",
        "t_statistic": "statistic",
        "r2yd.x": "partial_r2",
        "rv_q": "rv_q",
        "rv_qa": "rv_qa",
        "f2yd.x": "partial_f2",
        "dof": "df",
    }.items():
        np.testing.assert_allclose(mine[ours], stats[theirs], rtol=1e-8, err_msg=ours)
    bounds = pd.read_csv(folder / "sensemakr_bounds.csv")
    assert (found.bounds["status"] == "ok").all()
    for theirs, ours in {
        "r2dz.x": "r2_treatment",
        "r2yz.dx": "r2_outcome",
        "adjusted_estimate": "estimate",
        "adjusted_se": "std_error",
        "adjusted_t": "statistic",
        "adjusted_lower_CI": "conf_low",
        "adjusted_upper_CI": "conf_high",
    }.items():
        np.testing.assert_allclose(found.bounds[ours], bounds[theirs], rtol=1e-8, err_msg=ours)


@pytest.mark.parametrize(
    ("ratio", "low", "high", "point", "limit", "digits"),
    [
        (3.9, 1.8, 8.7, 7.26, 3.00, 2),  # VanderWeele and Ding (2017), bottle-feeding
        (0.80, 0.71, 0.91, 1.81, 1.43, 2),  # the same, table 2: breastfeeding
        (10.73, 8.02, 14.36, 20.94777, 15.52336, 5),  # README of R's EValue: Hammond and Horn
    ],
)
def test_e_values_meet_their_printed_examples(
    ratio: float, low: float, high: float, point: float, limit: float, digits: int
) -> None:
    row = pe.matching.e_value(risk_ratio=ratio, low=low, high=high).frame.iloc[0]
    assert round(row["e_value"], digits) == point
    assert round(row["e_value_limit"], digits) == limit


@pytest.mark.witness
def test_bounds_of_a_million_pairs_need_no_table_of_their_averages() -> None:
    """5e11 Walsh averages would take terabytes; a normal sample's median is near zero."""
    x = np.sort(np.random.default_rng(3).normal(size=1_000_000))
    assert abs(walsh_quantile(x, 0.5)) < 5 * np.sqrt(np.pi / 3 / len(x))
