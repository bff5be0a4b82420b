"""The within-study comparison: biases by hand, joint covariance, and what is not compared."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError, UsageError

X = ["age", "educ"]


@pytest.fixture(scope="module")
def whole() -> pe.Panel:
    """Winners and losers of a lottery (no blocks), and people of a survey with other ages."""
    rng = np.random.default_rng(5)
    n = 240
    group = np.repeat(["won", "lost", "survey"], n // 3)
    age = rng.normal(30, 5, n) + 2.0 * (group == "survey")
    educ = rng.integers(6, 16, n).astype(float)
    won = (group == "won").astype(int)
    income = 10 + 0.5 * age + educ + 3.0 * won + rng.normal(0, 2, n)
    frame = pd.DataFrame(
        {"id": np.arange(n), "group": group, "won": won, "age": age, "educ": educ, "income": income}
    )
    return pe.read_panel(frame, pe.Roles(unit="id", offer="won", received="won"))


@pytest.fixture(scope="module")
def experiment(whole: pe.Panel) -> pe.Panel:
    return whole.where(group=("won", "lost"))


@pytest.fixture(scope="module")
def survey(whole: pe.Panel) -> pe.Panel:
    return whole.where(group=("won", "survey"))


def matched(panel: pe.Panel) -> pe.Estimate:
    return pe.matching.att(panel, pe.matching.match(panel, covariates=X), "income")


def difference(panel: pe.Panel) -> pe.Estimate:
    """Compare plain means, whose influence is known by hand."""
    frame = panel.frame
    d, y = frame["won"].to_numpy() == 1, frame["income"].to_numpy()
    theta = y[d].mean() - y[~d].mean()
    psi = np.where(d, (y - y[d].mean()) / d.sum(), -(y - y[~d].mean()) / (~d).sum())
    found = matched(panel)
    units = pd.DataFrame({"weight": 1.0}, index=frame["id"].astype(str))
    row = found.index.iloc[0].to_dict()
    from prakerja_eval.estimate import estimate_row

    return estimate_row(theta, psi, units, row, {"n": len(y)}, pe.Clustered("unit", "none"))


def lottery_by_hand(panel: pe.Panel) -> pe.Estimate:
    return difference(panel)


def test_bias_and_its_standard_error_are_those_of_two_means(
    experiment: pe.Panel, survey: pe.Panel
) -> None:
    """The winners cancel: the bias is mean(lost) - mean(survey), with the variances of these."""
    found = pe.compare.within_study(
        experiment, survey, "income", {"means": difference}, benchmark=lottery_by_hand
    )
    row = found.frame.iloc[1]
    y0, y1 = (p.frame.loc[p.frame["won"] == 0, "income"].to_numpy() for p in (experiment, survey))
    assert row["bias"] == pytest.approx(y0.mean() - y1.mean(), rel=1e-12)
    by_hand = np.sqrt(y0.var() / len(y0) + y1.var() / len(y1))
    assert row["bias_std_error"] == pytest.approx(by_hand, rel=1e-12)
    assert row["share"] == pytest.approx(row["bias"] / found.frame["estimate"].iloc[0])
    assert found.joint is not None
    assert found.joint.df == 1


def test_the_benchmark_left_out_is_the_lottery_on_the_treated(
    experiment: pe.Panel, survey: pe.Panel
) -> None:
    found = pe.compare.within_study(experiment, survey, "income", {"nearest": matched})
    late = pe.lottery.late(experiment, "income", pe.lottery.Design("treated"))
    assert found.frame["estimate"].iloc[0] == late.theta[0]
    assert list(found.frame["specification"]) == ["experiment", "nearest"]
    assert np.isnan(found.frame["bias"].iloc[0])


def test_the_same_as_agreement_where_both_compare(experiment: pe.Panel, survey: pe.Panel) -> None:
    late = pe.lottery.late(experiment, "income", pe.lottery.Design("treated"))
    pair = pe.compare.agreement(late, [matched(survey)])
    found = pe.compare.within_study(experiment, survey, "income", {"nearest": matched})
    assert found.frame["bias_std_error"].iloc[1] == pair.frame["diff_std_error"].iloc[1]
    assert found.joint is not None
    assert found.joint.p_value == pair.joint.p_value


def test_what_answers_another_question_is_shown_and_not_compared(
    experiment: pe.Panel, survey: pe.Panel
) -> None:
    def caliper(panel: pe.Panel) -> pe.Estimate:
        pairs = pe.matching.match(panel, pe.matching.Nearest(caliper=0.05), covariates=X)
        assert pairs.n_dropped
        return pe.matching.att(panel, pairs, "income")

    def refused(panel: pe.Panel) -> pe.Estimate:
        raise NotEstimableError("no comparison unit is like them.")

    found = pe.compare.within_study(
        experiment, survey, "income", {"caliper": caliper, "none": refused, "nearest": matched}
    )
    status = found.frame.set_index("specification")["status"]
    assert status["caliper"] == "another estimand: feasible ATT (experiment: ATT)"
    assert status["none"] == "no comparison unit is like them."
    rows = found.frame.set_index("specification")
    assert np.isfinite(rows.loc["caliper", "estimate"])
    assert rows.loc[["caliper", "none"], ["bias", "p_value"]].isna().all(axis=None)
    assert "1 of 1 specifications" in found.verdict
    assert pe.figures.within_study(found, unit="rupiah").axes


def test_several_comparison_groups_are_rows_of_their_own(
    whole: pe.Panel, experiment: pe.Panel, survey: pe.Panel
) -> None:
    panels = {"survey": survey, "losers": experiment}
    found = pe.compare.within_study(experiment, panels, "income", {"nearest": matched})
    assert list(found.frame["comparison"]) == ["", "survey", "losers"]
    assert "nearest, survey" in repr(found.joint)


@pytest.mark.parametrize(
    ("specifications", "message"),
    [({}, "name at least one"), ({"two": lambda p: pe.join(matched(p), matched(p))}, "2 rows")],
)
def test_nothing_asked_and_several_rows_are_refused(
    experiment: pe.Panel,
    survey: pe.Panel,
    specifications: dict[str, Callable[[pe.Panel], pe.Estimate]],
    message: str,
) -> None:
    with pytest.raises(UsageError, match=message):
        pe.compare.within_study(experiment, survey, "income", specifications)
