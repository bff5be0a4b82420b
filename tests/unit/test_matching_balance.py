"""Balance of matched and weighted arms: more columns, the past, verdicts, histograms."""

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.balance import Balance, expanded
from prakerja_eval.errors import NotEstimableError, UsageError


@pytest.fixture(scope="module")
def panel() -> pe.Panel:
    rng = np.random.default_rng(3)
    n = 300
    treated = np.arange(n) % 3 == 0
    age = np.round(rng.normal(30, 6, n) + 3 * treated)
    kids = rng.integers(0, 4, n)
    rows = pd.DataFrame({"id": np.repeat(np.arange(n), 3), "wave": np.tile([1, 2, 3], n)})
    rows["age"], rows["kids"] = age[rows["id"]], kids[rows["id"]]
    rows["start"] = np.where(treated, 3, 0)[rows["id"]]
    rows["income"] = 2.0 * rows["age"] + rng.normal(0, 1, len(rows))
    roles = pe.Roles(unit="id", wave="wave", cohort="start", baseline=2)
    return pe.read_panel(rows, roles)


@pytest.fixture(scope="module")
def pairs(panel: pe.Panel) -> pe.matching.Matched:
    return pe.matching.match(panel, covariates=["age"])


def test_squares_and_products_that_vary_are_added_and_no_others() -> None:
    X = np.array([[1.0, 0, 1], [2, 1, 0], [3, 0, 0], [4, 1, 0]])
    out, names = expanded(X, ("a", "b", "c"), squares=True, interactions=True)
    assert names == ("a", "b", "c", "a^2", "a * b", "a * c")
    assert out[:, 3] == pytest.approx([1, 4, 9, 16])
    assert out[:, 4] == pytest.approx([0, 2, 0, 4])


def test_outcomes_of_the_past_and_other_traits_stand_beside_the_covariates(
    panel: pe.Panel, pairs: pe.matching.Matched
) -> None:
    found = pe.matching.balance(pairs, panel, ["kids", "age", "income@1"])
    rows = found.frame[found.frame["stage"] == "after"].set_index("covariate")
    assert list(rows.index) == ["propensity score", "age", "kids", "income@1"]
    wide, w = panel.wide("income")[1].to_numpy(), pairs.weights
    treated = pairs.propensity.treated
    means = [np.average(wide[arm], weights=w[arm]) for arm in (treated, ~treated)]
    by_hand = (means[0] - means[1]) / wide[treated].std(ddof=1)
    assert rows.loc["income@1", "smd"] == pytest.approx(by_hand, rel=1e-12)


def test_an_outcome_after_the_baseline_is_no_balance(
    panel: pe.Panel, pairs: pe.matching.Matched
) -> None:
    with pytest.raises(UsageError, match="after the baseline"):
        pe.matching.balance(pairs, panel, ["income@3"])
    with pytest.raises(UsageError, match="both or neither"):
        pe.matching.balance(pairs, columns=["kids"])


def test_the_prognostic_score_is_fitted_on_comparison_units_and_says_what_it_saw(
    panel: pe.Panel, pairs: pe.matching.Matched
) -> None:
    found = pe.matching.prognostic_balance(panel, pairs, "income", wave=3)
    y, x = panel.wide("income")[3].to_numpy(), pairs.propensity.covariates[:, 0]
    d, w = pairs.propensity.treated, pairs.weights
    slope, level = np.polyfit(x[~d], y[~d], 1)
    score = level + slope * x
    gap = np.average(score[d], weights=w[d]) - np.average(score[~d], weights=w[~d])
    after = found.frame.set_index("stage").loc["after"]
    assert after["smd"] == pytest.approx(gap / score[d].std(ddof=1), rel=1e-8)
    assert found.outcomes_seen == ("income",)
    assert "saw the outcome 'income'" in repr(found)
    assert "saw the outcome" in found._repr_html_()
    assert pairs.balance().outcomes_seen == ()


def test_too_few_comparison_units_have_no_prognostic_score(panel: pe.Panel) -> None:
    few = panel.where(id=[*map(str, range(0, 300, 3)), "1", "2"])
    pairs = pe.matching.match(few, pe.matching.Subclass(n=1), covariates=["age"])
    with pytest.raises(NotEstimableError, match="2 comparison units have 'income'"):
        pe.matching.prognostic_balance(few, pairs, "income")


def test_the_verdict_counts_names_the_worst_and_says_what_it_cannot_judge() -> None:
    frame = pd.DataFrame(
        {
            "stage": "after",
            "covariate": ["age", "kids", "same"],
            "smd": [0.25, -0.05, np.nan],
            "variance_ratio": [3.0, 1.1, np.nan],
        }
    )
    said = Balance(frame).verdict()
    assert said.startswith("After: 1 of 2 columns differ by at most 0.1 standard deviations")
    assert "that of age, 0.250." in said
    assert "factor of 2 for age (3.00)." in said
    assert "Not judged, since they do not vary among those in question: same." in said
    assert "2 of 2" in Balance(frame).verdict(smd=0.3)
    with pytest.raises(UsageError, match="no stage 'before'; there are after"):
        Balance(frame).verdict("before")


def test_histograms_add_up_and_hide_bins_of_few_people(
    panel: pe.Panel, pairs: pe.matching.Matched
) -> None:
    spread = pe.matching.distribution(pairs, "age", bins=8)
    age, d = pairs.propensity.covariates[:, 0], pairs.propensity.treated
    before = spread.frame[(spread.frame["stage"] == "before") & (spread.frame["arm"] == "treated")]
    whole, _ = np.histogram(age[d], np.append(before["low"], before["high"].iloc[-1]))
    shown = before["n"].notna().to_numpy()
    assert (before["n"].to_numpy()[shown] == whole[shown]).all()
    assert before["share"].to_numpy()[shown] == pytest.approx(whole[shown] / d.sum())
    assert not ((whole > 0) & (whole < 10) & shown).any()
    assert (~shown).sum() != 1
    figure = pe.figures.distribution(spread)
    assert len(figure.axes) == 2


def test_the_spread_of_weights_knows_their_effective_number(pairs: pe.matching.Matched) -> None:
    spread = pe.matching.weight_spread(pairs)
    d, w = pairs.propensity.treated, pairs.weights
    rows = spread.effective.set_index("arm")
    by_hand = w[~d].sum() ** 2 / (w[~d] ** 2).sum()
    assert rows.loc["comparison", "effective"] == pytest.approx(by_hand)
    assert rows.loc["treated", "n"] == d.sum()
    assert len(pe.figures.weights(spread).axes) == 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: pe.matching.distribution(p, "height"), "there are propensity score, age"),
        (lambda p: pe.matching.distribution(p, "age", bins=0), "at least one"),
        (lambda p: pe.figures.weights(pe.matching.distribution(p, "age")), "weight_spread"),
        (lambda p: pe.figures.distribution(p.balance()), "matching.distribution"),
    ],
)
def test_wrong_names_and_tables_are_refused(call, message, pairs) -> None:
    with pytest.raises(UsageError, match=message):
        call(pairs)
