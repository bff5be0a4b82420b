"""Matched DiD and the within-study comparison on National Supported Work meet printed figures.

Source of the figures: the reference page `matching/README.md`, "Matched DiD, re78 - re75" and
"experimental benchmark"; data from causaldata (MIT), in data/nsw.
"""

from pathlib import Path

import pandas as pd
import pytest

import prakerja_eval as pe

TRAITS = ("age", "education", "black", "hispanic", "married", "nodegree")
COVARIATES = (*TRAITS, "earnings@1974", "earnings@1975")


@pytest.fixture(scope="module")
def nsw() -> pe.Panel:
    frame = pd.read_csv(Path(__file__).parents[2] / "data" / "nsw" / "nsw.csv")
    roles = pe.Roles(
        unit="person_id", wave="year", baseline=1975, cohort="first_year", offer="offered",
        received="trained",
    )  # fmt: skip
    return pe.read_panel(frame, roles)


@pytest.fixture(scope="module")
def cps(nsw: pe.Panel) -> pe.Panel:
    return nsw.where(sample=("nsw_treated", "cps"))


@pytest.fixture(scope="module")
def experiment(nsw: pe.Panel) -> pe.Panel:
    return nsw.where(sample=("nsw_treated", "nsw_control"))


def test_the_experiments_change_in_earnings(experiment: pe.Panel) -> None:
    """1529.2 (715.1), HC2, by the regression of the change on the offer."""
    wide = experiment.wide("earnings")
    change = (wide[1978] - wide[1975]).rename("change").rename_axis("person_id").reset_index()
    first = experiment.frame.drop_duplicates("person_id")[["person_id", "offered"]]
    panel = pe.read_panel(
        change.merge(first.astype({"person_id": str})), pe.Roles(unit="person_id", offer="offered")
    )
    found = pe.lottery.itt(panel, "change").findings(pe.Robust("HC2")).frame.iloc[0]
    assert (round(found["estimate"], 1), round(found["std_error"], 1)) == (1529.2, 715.1)


def test_nearest_neighbours_from_the_survey_change_like_the_controls(cps: pe.Panel) -> None:
    """1476.9: one neighbour without replacement, largest score first."""
    pairs = pe.matching.match(cps, pe.matching.Nearest(replace=False), covariates=COVARIATES)
    found = pe.compare.matched_did(cps, pairs, "earnings")
    assert round(found.theta[0], 1) == 1476.9
    assert list(found.index["wave"]) == [1978, 1975]


def test_without_the_last_period_in_the_score_the_placebo_tells(cps: pe.Panel) -> None:
    """Ashenfelter's dip: their earnings fell before training, those of their matches did not."""
    names = (*TRAITS, "earnings@1974")
    pairs = pe.matching.match(cps, pe.matching.Nearest(replace=False), covariates=names)
    placebo = pe.compare.matched_did(cps, pairs, "earnings").findings().frame.iloc[1]
    assert placebo["conf_high"] < 0


def test_the_within_study_comparison_starts_at_the_printed_figures(
    experiment: pe.Panel, cps: pe.Panel
) -> None:
    """Experiment 1794.342 (670.997); raw difference from CPS-1 -8497.516."""

    def raw(panel: pe.Panel) -> pe.Estimate:
        """Weigh everybody alike: one subclass of all, whose difference is the raw one."""
        everyone = pe.matching.match(panel, pe.matching.Subclass(n=1), covariates=["age"])
        return pe.matching.difference(panel, everyone, "earnings")

    found = pe.compare.within_study(experiment, cps, "earnings", {"raw": raw})
    first, row = found.frame.iloc[0], found.frame.iloc[1]
    assert round(first["estimate"], 3) == 1794.342
    assert round(first["std_error"], 3) == 670.997
    assert round(row["estimate"], 3) == -8497.516
    assert row["bias"] == pytest.approx(-8497.516 - 1794.342, abs=1e-3)
