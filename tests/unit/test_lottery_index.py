"""Summary indices: against pandas by hand, under changes that must not matter, and refusals."""

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.lottery.index import summary_index

OUTCOMES = ["hours", "wage", "search", "worry"]
SIGNS = {"worry": -1}


def people(n=400, gaps=0.0, seed=5):
    rng = np.random.default_rng(seed)
    block = np.arange(n) % 3
    won = (rng.random(n) < np.array([0.3, 0.5, 0.6])[block]).astype(int)
    common = rng.normal(size=n) + 0.3 * won
    frame = pd.DataFrame(
        {
            "id": [f"SYN-{i:06d}" for i in range(n)],
            "won": won,
            "block": block,
            "age": rng.integers(18, 60, n),
            "hours": 30 + 8 * (common + rng.normal(size=n)),
            "wage": 1000 * np.exp(0.5 * common + 0.3 * rng.normal(size=n)),
            "search": (rng.random(n) < 0.4 + 0.1 * won).astype(float),
            "worry": 5 - common + 2 * rng.normal(size=n),
        }
    )
    lost = rng.random((n, 4)) < gaps
    frame[OUTCOMES] = frame[OUTCOMES].mask(lost)
    return frame


def panel_of(frame, **roles):
    return pe.read_panel(frame, pe.Roles(unit="id", offer="won", **roles))


def standardised(frame):
    Y = frame[OUTCOMES] * [1, 1, 1, -1]
    lost = Y[frame["won"] == 0]
    return (Y - lost.mean()) / lost.std()


def itt_of(frame, values, **roles):
    """Return the ITT on given values, people without one left out."""
    panel = panel_of(frame.assign(given=values), **roles)
    return pe.lottery.itt(panel, "given")


@pytest.mark.parametrize("gaps", [0.0, 0.15])
def test_anderson_weights_are_row_sums_of_the_inverse_covariance_over_what_a_person_has(gaps):
    frame = people(gaps=gaps)
    found = summary_index(panel_of(frame, blocks="block"), OUTCOMES, signs=SIGNS)
    z = standardised(frame)
    v = np.linalg.inv(z.cov()).sum(axis=1)
    np.testing.assert_allclose(found.weights["weight"], v / v.sum(), rtol=1e-10)
    index = (z * v).sum(axis=1, min_count=1) / (z.notna() @ v)
    by_hand = itt_of(frame, index, blocks="block")
    np.testing.assert_allclose(found.estimate.theta, by_hand.theta, rtol=1e-10)
    assert found.estimate.counts["n"][0] == int(z.notna().any(axis=1).sum())


@pytest.mark.parametrize("gaps", [0.0, 0.15])
def test_kling_liebman_katz_average_with_gaps_filled_by_the_mean_of_the_own_arm(gaps):
    frame = people(gaps=gaps)
    panel = panel_of(frame, blocks="block")
    found = summary_index(panel, OUTCOMES, kind="kling_liebman_katz", signs=SIGNS)
    z = standardised(frame)
    filled = z.fillna(z.groupby([frame["block"], frame["won"]]).transform("mean"))
    index = filled.mean(axis=1).where(z.notna().any(axis=1))
    by_hand = itt_of(frame, index, blocks="block")
    np.testing.assert_allclose(found.estimate.theta, by_hand.theta, rtol=1e-10)
    assert (found.weights["weight"] == 0.25).all()


def test_with_equal_weights_and_one_block_the_effect_is_the_mean_of_effects_in_deviations():
    frame = people(gaps=0.1)
    frame = frame[frame[OUTCOMES].notna().any(axis=1)]
    found = summary_index(panel_of(frame), OUTCOMES, kind="kling_liebman_katz", signs=SIGNS)
    means = standardised(frame).groupby(frame["won"]).mean()
    assert found.estimate.theta[0] == pytest.approx((means.loc[1] - means.loc[0]).mean(), rel=1e-10)


@pytest.mark.parametrize("kind", ["anderson", "kling_liebman_katz"])
def test_units_origins_and_turned_signs_change_neither_the_effect_nor_its_standard_error(kind):
    frame = people(gaps=0.15)
    other = frame.assign(
        hours=frame["hours"] / 7 - 100, wage=frame["wage"] * 1e4, worry=-frame["worry"]
    )
    one = summary_index(panel_of(frame, blocks="block"), OUTCOMES, kind=kind, signs=SIGNS).frame
    two = summary_index(panel_of(other, blocks="block"), OUTCOMES, kind=kind).frame
    np.testing.assert_allclose(two["estimate"], one["estimate"], rtol=1e-9)
    np.testing.assert_allclose(two["std_error"], one["std_error"], rtol=1e-9)


def test_the_standard_error_counts_the_scales_where_the_effect_is_large():
    """A leave-one-out jackknife makes everything anew, so it knows what a given index hides."""
    rng = np.random.default_rng(1)
    n = 400
    frame = people(n=n)
    frame["hours"] += 40 * frame["won"]
    frame["wage"] = frame["hours"] * 20 + rng.normal(size=n) * 100 + 4000 * frame["won"]
    Y, won = frame[["hours", "wage"]].to_numpy(), frame["won"].to_numpy() == 1

    def index_of(Y, won):
        z = (Y - Y[~won].mean(axis=0)) / Y[~won].std(axis=0, ddof=1)
        v = np.linalg.inv(np.cov(z.T)).sum(axis=1)
        return z @ v / v.sum()

    def effect(Y, won):
        index = index_of(Y, won)
        return index[won].mean() - index[~won].mean()

    rows = np.arange(n)
    without = np.array([effect(Y[rows != i], won[rows != i]) for i in rows])
    jackknife = np.sqrt((n - 1) / n * np.sum((without - without.mean()) ** 2))
    found = summary_index(panel_of(frame), ["hours", "wage"])
    assert found.estimate.theta[0] == pytest.approx(effect(Y, won), rel=1e-10)
    plain = pe.infer(found.estimate, pe.Robust("HC0", reference="normal")).frame["std_error"][0]
    # the jackknife differs from psi by terms of relative size 1/n in the smaller arm, 1/185 here,
    # and more where the effect is large: four of them are admitted
    assert plain == pytest.approx(jackknife, rel=0.02)
    given = itt_of(frame, index_of(Y, won)).tidy()["std_error"][0]
    assert abs(given / jackknife - 1) > 0.3


def test_a_weight_below_zero_is_shown_and_flagged():
    frame = people()
    rng = np.random.default_rng(2)
    frame["wage"] = 3 * frame["hours"] + rng.normal(size=len(frame)) * 3
    frame["search"] = frame["hours"] + 20 * rng.normal(size=len(frame))
    frame["hours"] = frame["wage"] * 0.5 + frame["search"] * 0.4 + rng.normal(size=len(frame)) * 4
    found = summary_index(panel_of(frame), ["hours", "wage", "search"])
    below = found.weights["weight"] < 0
    assert below.any()
    assert (found.weights["negative"] == below).all()
    assert "weight below zero" in found.frame["status"][0]
    assert np.isfinite(found.frame["std_error"][0])


def test_people_with_nothing_but_weights_below_zero_have_no_index():
    frame = people()
    rng = np.random.default_rng(2)
    frame["wage"] = 3 * frame["hours"] + rng.normal(size=len(frame)) * 3
    frame["search"] = frame["hours"] + 20 * rng.normal(size=len(frame))
    frame["hours"] = frame["wage"] * 0.5 + frame["search"] * 0.4 + rng.normal(size=len(frame)) * 4
    names = ["hours", "wage", "search"]
    weights = summary_index(panel_of(frame), names).weights
    worst = weights.loc[weights["weight"].idxmin(), "outcome"]
    frame.loc[:1, [n for n in names if n != worst]] = np.nan
    with pytest.raises(NotEstimableError, match="do not add up to more than zero"):
        summary_index(panel_of(frame), names)


def test_weights_say_what_the_index_is_made_of_in_each_wave():
    first = people().assign(wave=1)
    second = people(seed=6, gaps=0.1).assign(wave=2, won=first["won"], age=first["age"])
    frame = pd.concat([first, second], ignore_index=True)
    panel = panel_of(frame, wave="wave", blocks="block")
    found = summary_index(panel, OUTCOMES, signs=[1, 1, 1, -1], name="work")
    assert list(found.frame["wave"]) == [1, 2]
    assert set(found.frame["outcome"]) == {"work"}
    np.testing.assert_allclose(found.weights.groupby("wave")["weight"].sum(), 1.0)
    last = found.weights.iloc[-1]
    lost = second[second["won"] == 0]["worry"]
    assert last["comparison_mean"] == pytest.approx(lost.mean())
    assert last["comparison_sd"] == pytest.approx(lost.std())
    assert (last["n"], last["n_comparison"]) == (second["worry"].notna().sum(), lost.count())
    assert "Anderson 2008" in found.frame["specification"][0]
    assert "weights" in repr(found)


def test_an_index_in_a_lottery_by_village_has_its_clusters_and_covariates_are_allowed():
    frame = people()
    frame["village"] = frame.index // 10
    frame["won"] = frame["village"] % 2
    design = pe.lottery.Design(clusters="village", covariates=("age",))
    found = summary_index(panel_of(frame, clusters="village"), OUTCOMES, design, signs=SIGNS)
    assert found.frame["inference"][0].startswith("clustered by village (CR2")
    assert np.isfinite(found.frame["std_error"][0])


def test_calls_that_make_no_index_are_refused():
    panel = panel_of(people())
    with pytest.raises(UsageError, match="two outcomes or more"):
        summary_index(panel, ["hours"])
    with pytest.raises(UsageError, match="twice"):
        summary_index(panel, ["hours", "hours"])
    with pytest.raises(UsageError, match=r"1 \(larger is better\) or -1"):
        summary_index(panel, OUTCOMES, signs=[1, 1, 0, 1])
    with pytest.raises(UsageError, match="'fear', which is none of"):
        summary_index(panel, OUTCOMES, signs={"fear": -1})
    with pytest.raises(UsageError, match="'anderson', 'kling_liebman_katz'"):
        summary_index(panel, OUTCOMES, kind="pca")


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (lambda f: 2 * f["hours"] - 1, "combination of the others"),
        (lambda f: 1.0 * f["won"], "column 1 does not vary"),
        (lambda f: f["wage"].where(f["won"] == 1), "column 1 has fewer than two"),
    ],
)
def test_outcomes_that_make_no_index_are_refused_by_name(column, message):
    frame = people()
    frame["wage"] = column(frame)
    with pytest.raises(NotEstimableError, match=rf"{message}.*1 = wage"):
        summary_index(panel_of(frame), ["hours", "wage"])


def test_a_gap_in_an_arm_of_a_block_without_values_cannot_be_filled():
    frame = people()
    frame.loc[(frame["block"] == 1) & (frame["won"] == 1), "wage"] = np.nan
    with pytest.raises(NotEstimableError, match="to fill in"):
        summary_index(panel_of(frame, blocks="block"), OUTCOMES, kind="kling_liebman_katz")
