"""Does the plan of a lottery say what its test will see?

Witnesses: the printed reference figures of the lottery, the printed example of R's power.t.test,
statsmodels' own power functions, and rejections of the wing's test on drawn data.
"""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.power import TTestIndPower

import prakerja_eval as pe
from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import Clustered, Robust
from prakerja_eval.lottery.kernel_power import Threshold, rejects
from prakerja_eval.lottery.power import mde, needed, power, power_curve
from prakerja_eval.lottery.power_design import PowerDesign

Z = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)


# Printed figures


@pytest.mark.parametrize(
    ("plan", "itt", "tot"),
    [
        (PowerDesign(6_000), 0.07234, 0.07234),
        (PowerDesign(6_000, odds=0.15, take_up=0.75), 0.10129, 0.13506),
        (PowerDesign(100_000, odds=0.12, take_up=0.8), 0.02726, 0.03408),
    ],
)
def test_the_reference_figures_to_their_last_digit(
    plan: PowerDesign, itt: float, tot: float
) -> None:
    found = mde(plan)
    assert (round(found.itt, 5), round(found.tot, 5)) == (itt, tot)
    assert (round(found.itt_sd, 5), round(found.tot_sd, 5)) == (itt, tot)


def test_r_prints_the_same_for_a_small_trial() -> None:
    # R's help of power.t.test: n = 20 an arm, delta = 1: power = 0.8689528; for .90: n = 22.02110.
    # R leaves the other tail out by default, which is 2e-7 here.
    plan = PowerDesign(40, reference="t")
    assert power(plan, 1.0) == pytest.approx(0.8689528, abs=5e-7)
    assert needed(plan, 1.0, 0.9) == math.ceil(2 * 22.02110)


# Peers


@pytest.mark.parametrize("odds", [0.1, 0.5, 0.58])
@pytest.mark.parametrize("n", [50, 6_000])
@pytest.mark.parametrize("two_sided", [True, False])
def test_statsmodels_agrees(odds: float, n: int, two_sided: bool) -> None:
    plan = PowerDesign(n, odds=odds, sd=3.0, reference="t", two_sided=two_sided)
    peer = TTestIndPower()
    kind = "two-sided" if two_sided else "larger"
    for effect in np.array([0.1, 1.0, 3.0, 4.5]) / math.sqrt(n * odds * (1 - odds)):
        theirs = peer.power(effect, n * odds, 0.05, ratio=(1 - odds) / odds, alternative=kind)
        assert power(plan, 3 * effect) == pytest.approx(theirs, abs=1e-9)
    # its own solver stops at six digits, so its power at our least effect is asked
    least = mde(plan, 0.9).itt_sd
    theirs = peer.power(least, n * odds, 0.05, ratio=(1 - odds) / odds, alternative=kind)
    assert theirs == pytest.approx(0.9, abs=1e-9)


# Each term by hand


def test_blocks_with_unequal_odds_are_weighed_as_the_estimator_weighs_them() -> None:
    n, p, sd = np.array([300.0, 900.0]), np.array([0.1, 0.6]), np.array([1.0, 2.0])
    plan = {"n": list(n), "odds": list(p), "sd": list(sd)}
    of_block = sd**2 * (1 / (n * p) + 1 / (n * (1 - p)))
    for weights, raw in (
        ("population", n),
        ("treated", n * p),
        ("strata_fe", n * p * (1 - p)),
    ):
        share = raw / raw.sum()
        found = mde(PowerDesign(**plan, block_weights=weights))
        assert found.std_error == pytest.approx(math.sqrt((share**2 * of_block).sum()), rel=1e-12)
    pooled = math.sqrt((n * sd**2).sum() / n.sum())
    assert found.itt_sd == pytest.approx(found.itt / pooled, rel=1e-12)


def test_equal_blocks_detect_what_one_does() -> None:
    one, four = PowerDesign(400, odds=0.3), PowerDesign([100] * 4, odds=[0.3] * 4)
    assert mde(four).itt == pytest.approx(mde(one).itt, rel=1e-12)


def test_covariates_and_losses_and_take_up_scale_the_least_effect() -> None:
    plain = mde(PowerDesign(1_000))
    assert plain.itt == pytest.approx(Z * math.sqrt(4 / 1_000), rel=1e-5)  # but for the other tail
    explained = mde(PowerDesign(1_000, covariate_r2=0.36))
    assert explained.itt == pytest.approx(0.8 * plain.itt, rel=1e-12)
    assert mde(PowerDesign(1_000, attrition=0.19)).itt == pytest.approx(plain.itt / 0.9, rel=1e-12)
    lost = mde(PowerDesign(1_000, attrition=(0.5, 0.0)))
    assert lost.std_error == pytest.approx(math.sqrt(1 / 250 + 1 / 500), rel=1e-12)
    assert lost.n_observed == pytest.approx(750)
    assert mde(PowerDesign(1_000, take_up=0.4)).tot == pytest.approx(plain.itt / 0.4, rel=1e-12)


def test_the_design_effect_of_clusters_of_one_size_and_of_many() -> None:
    people = mde(PowerDesign(2_000)).std_error

    def effect(**clusters: float) -> float:
        plan = PowerDesign(2_000, cluster_size=20, icc=0.05, **clusters)
        return (mde(plan).std_error / people) ** 2

    assert effect() == pytest.approx(1 + 19 * 0.05, rel=1e-12)
    # Eldridge, Ashby and Kerry (2006): 1 + ((cv² + 1) m - 1) icc
    assert effect(size_cv=0.6) == pytest.approx(1 + ((0.36 + 1) * 20 - 1) * 0.05, rel=1e-12)
    # Bloom: each level's variance has its own explained share
    two_levels = 0.95 * (1 - 0.1) + 0.05 * (1 - 0.5) * 20
    assert effect(covariate_r2=0.1, cluster_r2=0.5) == pytest.approx(two_levels, rel=1e-12)


def test_losses_thin_the_clusters_as_drawn_sizes_say() -> None:
    # brute force: clusters of 4 and of 16, each person kept with probability 0.7; Kish's design
    # effect of the sizes that are left is 1 + (sum m² / sum m - 1) icc
    rng = np.random.default_rng(3)
    left = rng.binomial(np.repeat([4, 16], 200_000), 0.7).astype(float)
    kish = 1 + ((left**2).sum() / left.sum() - 1) * 0.2
    plan = PowerDesign(1_000, cluster_size=10, icc=0.2, size_cv=0.6, attrition=0.3)
    found = (mde(plan).std_error / mde(PowerDesign(1_000, attrition=0.3)).std_error) ** 2
    assert found == pytest.approx(kish, rel=2e-3)  # 400,000 sizes leave about 1e-3


def test_few_clusters_of_unequal_number_have_the_degrees_of_freedom_of_welch() -> None:
    # 3 winning and 27 losing clusters: (1/3 + 1/27)² / (1/9/2 + 1/729/26)
    plan = PowerDesign(300, odds=0.1, cluster_size=10, icc=0.1)
    assert mde(plan).df == pytest.approx((1 / 3 + 1 / 27) ** 2 / (1 / 18 + 1 / 729 / 26), rel=1e-12)
    assert mde(plan).n_clusters == 30
    fixed = dataclasses.replace(plan, block_weights="strata_fe")
    assert mde(fixed).df == 28
    assert mde(dataclasses.replace(plan, reference="normal")).df == math.inf


# What belongs together


@pytest.mark.parametrize(
    "plan",
    [
        PowerDesign(500, odds=0.2, take_up=0.6, attrition=(0.1, 0.3)),
        PowerDesign([60, 90], odds=[0.2, 0.5], reference="t"),
        PowerDesign([400, 600], odds=[0.2, 0.5], cluster_size=10, icc=0.1),
        PowerDesign(500, alpha=0.1, two_sided=False),
    ],
)
@pytest.mark.parametrize("wanted", [0.5, 0.8, 0.99])
def test_the_least_effect_has_the_power_and_needs_the_people(
    plan: PowerDesign, wanted: float
) -> None:
    found = mde(plan, wanted)
    assert power(plan, found.itt) == pytest.approx(wanted, abs=1e-9)
    assert power(plan, -found.tot, on="treatment") == pytest.approx(wanted, abs=1e-9)
    assert needed(plan, found.itt, wanted) == plan.people
    assert needed(plan, found.tot, wanted, on="treatment") == plan.people


def test_whole_clusters_are_needed() -> None:
    plan = PowerDesign(100, cluster_size=12.5, icc=0.1)
    people = needed(plan, 0.3)
    clusters = people / 12.5
    assert clusters == pytest.approx(round(clusters), abs=1 / 12.5)
    enough = dataclasses.replace(plan, n=round(clusters) * 12.5)
    assert power(enough, 0.3) >= 0.8
    assert power(dataclasses.replace(plan, n=(round(clusters) - 1) * 12.5), 0.3) < 0.8


def test_no_effect_is_found_as_often_as_the_size_says() -> None:
    assert power(PowerDesign(40, alpha=0.1), 0.0) == pytest.approx(0.1, abs=1e-12)
    assert power(PowerDesign(40, reference="t"), 0.0) == pytest.approx(0.05, abs=1e-12)


def test_the_curve_starts_at_the_size_and_passes_the_least_effect() -> None:
    plan = PowerDesign(800, sd=4.0, take_up=0.5)
    curve = power_curve(plan)
    assert list(curve.columns) == ["effect", "effect_sd", "power", "on"]
    assert curve["power"].iloc[0] == pytest.approx(0.05)
    assert curve["power"].iloc[-1] == pytest.approx(0.99)
    assert curve["power"].is_monotonic_increasing
    least = mde(plan)
    at = power_curve(plan, [least.tot], on="treatment").iloc[0]
    assert at["power"] == pytest.approx(0.8)
    assert at["effect_sd"] == pytest.approx(least.tot / 4)


def test_huge_effects_and_many_degrees_of_freedom_have_power_one() -> None:
    assert power(PowerDesign(1e9, reference="t"), 5.0) == 1.0
    assert power(PowerDesign(10, reference="t"), 1e9) == pytest.approx(1.0)


# The wing's own test

DRAWS = 20_000


def p_values(y: np.ndarray, cell: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return p by draw of the share-weighted differences of means, after Neyman and Welch.

    y has a row a unit and a column a draw; cell is 2 * block + arm.
    """
    sizes = np.bincount(cell)
    groups = [y[cell == c] for c in range(len(sizes))]
    mean = np.array([g.mean(axis=0) for g in groups])
    v = np.array([g.var(axis=0, ddof=1) / len(g) for g in groups])
    v = v * np.repeat(shares**2, 2)[:, None]
    theta = shares @ (mean[1::2] - mean[::2])
    df = v.sum(axis=0) ** 2 / (v**2 / (sizes - 1)[:, None]).sum(axis=0)
    return 2 * stats.t.sf(np.abs(theta) / np.sqrt(v.sum(axis=0)), df)


def wing(y: np.ndarray, roles: pe.Roles, inference: object, **columns: np.ndarray) -> np.ndarray:
    """Return the wing's p for the first three draws."""
    names = ["y0", "y1", "y2"]
    frame = pd.DataFrame(y[:, :3], columns=names).assign(**columns)
    frame["id"] = [f"p{i}" for i in range(len(y))]
    estimate = pe.lottery.itt(pe.read_panel(frame, roles), names)
    return estimate.findings(inference).frame["p_value"].to_numpy()


def three_errors(share: float) -> float:
    return 3 * math.sqrt(share * (1 - share) / DRAWS)


def test_the_wing_rejects_as_often_as_the_plan_says_with_blocks() -> None:
    rng = np.random.default_rng(11)
    sizes, winners = np.array([60, 90]), np.array([24, 54])
    block = np.repeat([0, 1], sizes)
    won = np.concatenate([np.arange(n) < k for n, k in zip(sizes, winners, strict=True)]) * 1
    y = rng.normal(size=(150, DRAWS)) * 2 + 1.0 * won[:, None] + 5 * block[:, None]
    p = p_values(y, 2 * block + won, sizes / 150)
    roles = pe.Roles(unit="id", offer="won", blocks="block")
    ours = wing(y, roles, Robust("HC2", "welch"), won=won, block=block)
    assert ours == pytest.approx(p[:3], rel=1e-8)
    plan = PowerDesign(list(sizes), odds=list(winners / sizes), sd=2.0, reference="satterthwaite")
    expected = power(plan, 1.0)
    assert 0.6 < expected < 0.95
    assert abs((p < 0.05).mean() - expected) < three_errors(expected)


def test_the_wing_rejects_as_often_as_the_plan_says_with_clusters() -> None:
    # CR2 on whole clusters of one size is Welch's test of their means, but for its degrees of
    # freedom, which take one variance for all: 6 and 14 clusters give 8.98, whatever is drawn
    rng = np.random.default_rng(12)
    size, winners, icc = 8, 6, 0.3
    won = np.arange(20) < winners
    means = rng.normal(size=(20, DRAWS)) * math.sqrt(icc + (1 - icc) / size) + 1.0 * won[:, None]
    v = [means[won == a].var(axis=0, ddof=1) / (won == a).sum() for a in (0, 1)]
    theta = means[won].mean(axis=0) - means[~won].mean(axis=0)
    df = (1 / 6 + 1 / 14) ** 2 / (1 / 36 / 5 + 1 / 196 / 13)
    p = 2 * stats.t.sf(np.abs(theta) / np.sqrt(v[0] + v[1]), df)
    people, place = np.repeat(means[:, :3], size, axis=0), np.repeat(np.arange(20), size)
    roles = pe.Roles(unit="id", offer="won", clusters="place")
    columns = {"won": won[place] * 1, "place": place}
    assert wing(people, roles, Clustered("place", "CR2"), **columns) == pytest.approx(p[:3], 1e-8)
    plan = PowerDesign(160, odds=winners / 20, cluster_size=size, icc=icc)
    expected = power(plan, 1.0)
    assert 0.6 < expected < 0.95
    assert mde(plan).df == pytest.approx(df)
    # the quantile of fixed degrees of freedom stands for a variance of random weights: a hundredth
    assert abs((p < 0.05).mean() - expected) < three_errors(expected) + 0.01


@pytest.mark.parametrize("df", [1.0, 2.47, 12.0, 300.0])
def test_the_probability_of_rejection_is_the_integral_over_the_variance(df: float) -> None:
    at = np.array([0.0, 0.5, 2.0, 3.5, 8.0, 20.0, 45.0])
    edge = stats.t.isf(0.025, df)
    share = (np.arange(200_000) + 0.5) / 200_000  # midpoints of equal probability
    spread = np.sqrt(stats.chi2.ppf(share, df) / df)
    for value, found in zip(at, rejects(at, Threshold(0.05, True, df)), strict=True):
        both = stats.norm.sf(edge * spread - value) + stats.norm.cdf(-edge * spread - value)
        assert found == pytest.approx(both.mean(), abs=1e-5)  # of 200,000 midpoints


# Refusals


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"n": 0}, "n"),
        ({"n": float("nan")}, "n"),
        ({"n": "many"}, "n"),
        ({"n": []}, "n"),
        ({"n": True}, "n"),
        ({"odds": 0}, "odds"),
        ({"odds": 1.0}, "odds"),
        ({"odds": [0.2, 0.3]}, "odds"),
        ({"sd": -1}, "sd"),
        ({"take_up": 0}, "take_up"),
        ({"take_up": 1.2}, "take_up"),
        ({"take_up": -0.1}, "take_up"),
        ({"attrition": 1.0}, "attrition"),
        ({"attrition": (0.1, 0.2, 0.3)}, "attrition"),
        ({"icc": -0.1, "cluster_size": 5}, "icc"),
        ({"icc": 0.1}, "cluster_size"),
        ({"cluster_size": 0.5}, "cluster_size"),
        ({"size_cv": -1, "cluster_size": 5}, "size_cv"),
        ({"covariate_r2": 1.0}, "covariate_r2"),
        ({"cluster_r2": 1.5, "cluster_size": 5}, "cluster_r2"),
        ({"alpha": 0}, "alpha"),
        ({"reference": "chi2"}, "reference"),
        ({"block_weights": "people"}, "block_weights"),
    ],
)
def test_a_wrong_plan_is_refused_by_name(wrong: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        PowerDesign(**({"n": 100} | wrong))


def test_a_wrong_question_is_refused() -> None:
    plan = PowerDesign(100)
    with pytest.raises(UsageError, match="above the size"):
        mde(plan, 0.05)
    with pytest.raises(UsageError, match="below 1"):
        needed(plan, 1.0, 1.0)
    with pytest.raises(UsageError, match="effect of zero"):
        needed(plan, 0)
    with pytest.raises(UsageError, match="too many people"):
        needed(plan, 1e-9)
    with pytest.raises(UsageError, match="finite"):
        power(plan, float("inf"))
    with pytest.raises(UsageError, match="'offer', 'treatment'"):
        power(plan, 1.0, on="winners")
    with pytest.raises(UsageError, match="PowerDesign"):
        mde(0.5)


def test_an_arm_of_one_cluster_has_no_test() -> None:
    with pytest.raises(UsageError, match="two clusters in each arm"):
        mde(PowerDesign(100, odds=0.1, cluster_size=10, icc=0.1))
    with pytest.raises(UsageError, match="no degree of freedom"):
        mde(PowerDesign([2, 2], reference="t"))
