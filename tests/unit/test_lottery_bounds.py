"""Bounds under attrition: by hand, by brute force, and what they refuse or remark."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq, linprog
from scipy.stats import norm, t

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.lottery.bounds import critical_value
from prakerja_eval.lottery.lee import Trimming, lee_bounds
from prakerja_eval.lottery.worst_case import kling_liebman_bounds, manski_bounds
from prakerja_eval.numerics.trimming import trimmed_bounds

Design = pe.lottery.Design


def lottery(n=240, blocks=4, seed=1, gap=0.25):
    """Odds differ by block, winners answer more, a third of the outcomes is zero."""
    rng = np.random.default_rng(seed)
    block = np.arange(n) % blocks
    won = (np.arange(n) // blocks % 5 < 1 + block % 3).astype(int)
    y = np.where(rng.random(n) < 0.33, 0.0, rng.exponential(size=n)) + 0.2 * won
    answers = rng.random(n) < 0.65 + gap * won
    return pd.DataFrame(
        {
            "id": [f"SYN-{i:04d}" for i in range(n)],
            "block": [f"b{b}" for b in block],
            "won": won,
            "female": rng.integers(0, 2, n),
            "village": np.arange(n) // (2 * blocks),
            "weight": rng.uniform(0.5, 2.0, n),
            "income": np.where(answers, y, np.nan),
            "works": np.where(answers, (y > 0.3).astype(float), np.nan),
        }
    )


def panel(frame, **roles):
    named = {"unit": "id", "offer": "won", "blocks": "block"} | roles
    return pe.read_panel(frame, pe.Roles(**named))


def difference(frame, y):
    """Winners less losers, averaged over blocks of equal size."""
    means = frame.assign(y=y).pivot_table("y", "block", "won")
    return (means[1] - means[0]).mean()


def kept_mean(y, w, mass, lowest):
    """Mean of the lowest (highest) values with total weight ``mass``, by linear programming."""
    sign = 1 if lowest else -1
    found = linprog(sign * w * y, A_eq=[w], b_eq=[mass], bounds=[(0, 1)] * len(y))
    return sign * found.fun / mass


def by_programming(frame, weight):
    """Lee bounds with always-responder weights, every trimmed mean a linear programme."""
    limits, sizes = [], []
    for _, g in frame.groupby("block"):
        w, seen = weight[g.index], g.income.notna().to_numpy()
        arm, y = g.won.to_numpy(), g.income.to_numpy()
        q = [w[(arm == a) & seen].sum() / w[arm == a].sum() for a in (0, 1)]
        means = {}
        for a in (0, 1):
            rows = (arm == a) & seen
            mass = min(q) * w[arm == a].sum()
            means[a] = [kept_mean(y[rows], w[rows], mass, low) for low in (True, False)]
        limits.append((means[1][0] - means[0][1], means[1][1] - means[0][0]))
        sizes.append(w.sum() * min(q))
    return np.average(limits, axis=0, weights=sizes)


@pytest.mark.parametrize("weighted", [False, True])
def test_each_trimmed_mean_is_the_extreme_over_all_ways_to_leave_the_share_out(weighted):
    frame = lottery()
    weight = frame.weight.to_numpy() if weighted else np.ones(len(frame))
    found = lee_bounds(panel(frame, weight="weight" if weighted else None), "income").frame
    # the programme's own tolerance is 1e-7 of a mean
    np.testing.assert_allclose(
        [found.lower[0], found.upper[0]], by_programming(frame, weight), rtol=1e-6
    )


def test_the_person_at_the_cut_counts_in_part():
    # winners 0 0 4 8 all answer, two of three losers do: 8/3 of the winners are kept
    y = np.array([0.0, 0.0, 4.0, 8.0, 1.0, 3.0, np.nan])
    arm = np.array([1.0, 1, 1, 1, 0, 0, 0])
    one, cell = np.ones(7), np.zeros(7, dtype=np.int64)
    found = trimmed_bounds(y, arm, cell, one, one)
    low, high = (2 / 3 * 4) / (8 / 3), (8 + 4 + 2 / 3 * 0) / (8 / 3)
    np.testing.assert_allclose(found.theta, [low - 2, high - 2], rtol=1e-14)
    assert found.kept == pytest.approx(2 / 3)


def test_a_weight_of_two_is_two_people():
    y = np.array([0.0, 1.0, 4.0, 8.0, 1.0, 3.0, np.nan])
    arm, w = np.array([1.0, 1, 1, 1, 0, 0, 0]), np.array([1.0, 2, 1, 1, 2, 1, 2])
    rows = np.repeat(np.arange(7), w.astype(int))
    cell = np.zeros(7, dtype=np.int64)
    weighted = trimmed_bounds(y, arm, cell, w, np.ones(7))
    ones = np.ones(len(rows))
    repeated = trimmed_bounds(y[rows], arm[rows], cell[rows], ones, ones)
    np.testing.assert_allclose(weighted.theta, repeated.theta, rtol=1e-14)


def test_where_losers_answer_more_they_are_trimmed_and_the_signs_turn():
    frame = lottery()
    there = lee_bounds(panel(frame), "income").frame
    turned = lee_bounds(panel(frame.assign(won=1 - frame.won)), "income").frame
    assert there.lower[0] == pytest.approx(-turned.upper[0], rel=1e-12)
    assert there.se_lower[0] == pytest.approx(turned.se_upper[0], rel=1e-12)
    assert there.trimmed_winners[0] == pytest.approx(turned.trimmed_losers[0])


def test_the_order_of_the_rows_changes_nothing():
    frame = lottery()
    shuffled = frame.sample(frac=1, random_state=3)
    for verb in (lee_bounds, kling_liebman_bounds):
        a, b = verb(panel(frame), "income").frame, verb(panel(shuffled), "income").frame
        numbers = ["lower", "upper", "se_lower", "se_upper", "conf_low", "conf_high"]
        np.testing.assert_allclose(a[numbers], b[numbers], rtol=1e-10)


def test_bounds_widen_as_more_winners_answer():
    rng = np.random.default_rng(2)
    y, arm = rng.normal(size=200), (np.arange(200) < 100).astype(float)
    one, cell = np.ones(200), np.zeros(200, dtype=np.int64)
    widths = []
    for missing in (40, 30, 20, 10):
        seen = np.where(arm == 1, np.arange(200) >= missing, np.arange(200) < 160)
        limits = trimmed_bounds(np.where(seen, y, np.nan), arm, cell, one, one).theta
        widths.append(limits[1] - limits[0])
    assert widths[0] == pytest.approx(0.0, abs=1e-12)
    assert (np.diff(widths) > 0).all()


def test_with_equal_response_both_limits_are_the_difference_among_respondents():
    y = np.array([1.0, 2, 5, np.nan, 0.5, 3, 3.5, np.nan])
    frame = pd.DataFrame({"id": list("abcdefgh"), "won": [1] * 4 + [0] * 4, "income": y})
    found = lee_bounds(panel(frame, blocks=()), "income").frame
    expected = y[:3].mean() - y[4:7].mean()
    np.testing.assert_allclose([found.lower[0], found.upper[0]], expected, rtol=1e-14)
    assert "within 2 SE" in found.status[0]


@pytest.mark.parametrize("shares", ["fixed", "superpopulation"])
def test_when_nobody_is_missing_every_bound_is_the_itt_with_its_standard_error(shares):
    frame = lottery().assign(income=lambda f: np.arange(len(f)) % 17 + f.won)
    design = Design(shares=shares)
    itt = pe.infer(
        pe.lottery.itt(panel(frame), "income", design), pe.Robust("HC2", "normal")
    ).frame.iloc[0]
    for found in (
        lee_bounds(panel(frame), "income", design).frame,
        manski_bounds(panel(frame), "income", design, low=0, high=18).frame,
        kling_liebman_bounds(panel(frame), "income", design).frame,
    ):
        np.testing.assert_allclose(found[["lower", "upper"]], itt["estimate"], rtol=1e-11)
        np.testing.assert_allclose(found[["se_lower", "se_upper"]], itt["std_error"], rtol=1e-10)
        np.testing.assert_allclose(found[["conf_low"]], itt["conf_low"], rtol=1e-9)
        assert (found.status == "ok").all()


def balanced(rng):
    """The same number of each sex in each arm, so that the strata match exactly."""
    won, female = np.repeat([1, 0], 200), np.tile([0, 1], 200)
    y = rng.normal(size=400) + 2 * female
    rate = np.where(won == 1, 0.9, np.where(female == 1, 0.8, 0.5))
    order = np.arange(400) // 2 % 100 / 100
    income = np.where(order < rate, y, np.nan)
    ids = [f"SYN-{i:03d}" for i in range(400)]
    return pd.DataFrame({"id": ids, "won": won, "female": female, "income": income})


def test_tightened_bounds_lie_inside():
    frame = balanced(np.random.default_rng(7))
    wide = lee_bounds(panel(frame, blocks=()), "income").frame.iloc[0]
    tight = lee_bounds(panel(frame, blocks=()), "income", tighten="female").frame.iloc[0]
    assert wide.lower < tight.lower < tight.upper < wide.upper
    assert "tightened by female" in tight.specification


def test_tightening_is_trimming_within_finer_blocks():
    frame = lottery(n=480)
    fine = panel(frame, blocks=("block", "female"))
    np.testing.assert_allclose(
        lee_bounds(panel(frame), "income", tighten=["female"]).estimate.theta,
        lee_bounds(fine, "income").estimate.theta,
        rtol=1e-12,
    )


def test_one_direction_leaves_a_block_that_points_the_other_way_untrimmed():
    frame = lottery(gap=-0.3)
    p = panel(frame)
    raises = lee_bounds(p, "income", trimming=Trimming(direction="raises")).frame.iloc[0]
    common = lee_bounds(p, "income", trimming=Trimming(direction="common")).frame.iloc[0]
    assert raises.trimmed_losers == 0
    assert "point the other way" in raises.status
    assert common.trimmed_winners == 0
    assert common.trimmed_losers > 0


def test_weights_of_people_average_the_blocks_own_bounds():
    frame = lottery()
    own = [
        lee_bounds(panel(g, blocks=()), "income").estimate.theta for _, g in frame.groupby("block")
    ]
    people = lee_bounds(panel(frame), "income", trimming=Trimming(weights="people"))
    np.testing.assert_allclose(people.estimate.theta, np.mean(own, axis=0), rtol=1e-12)


def test_stated_odds_are_known_and_realised_ones_have_influence():
    frame = lottery()
    odds = frame.groupby("block").won.transform("mean")
    ipw = Design(method="ipw")
    realised = lee_bounds(panel(frame), "income", ipw)
    stated = lee_bounds(panel(frame.assign(p=odds), probability="p"), "income", ipw)
    np.testing.assert_allclose(realised.estimate.theta, stated.estimate.theta, rtol=1e-12)
    assert (realised.frame.se_upper != stated.frame.se_upper).all()


def test_a_lottery_of_villages_is_inferred_by_village():
    frame = lottery().assign(village=lambda f: f.block + "-" + (f.index // 16).astype(str))
    frame["won"] = frame.groupby("block").village.transform(lambda v: pd.factorize(v)[0]) % 2
    found = lee_bounds(
        panel(frame, clusters="village"), "income", Design(clusters="village")
    ).frame.iloc[0]
    assert found.inference.startswith("clustered by village (CR2")
    assert found.se_lower > 0
    assert found.critical > norm.ppf(0.95)


def test_an_arm_of_one_respondent_has_bounds_and_no_standard_error():
    y = [1.0, 2, 5, 4, 3.0, np.nan, np.nan, np.nan]
    frame = pd.DataFrame({"id": list("abcdefgh"), "won": [1] * 4 + [0] * 4, "income": y})
    found = lee_bounds(panel(frame, blocks=()), "income").frame.iloc[0]
    assert found.lower < found.upper
    assert np.isnan([found.se_lower, found.conf_low]).all()
    assert "one unit" in found.status


def test_a_silent_arm_is_refused_by_name_or_its_block_left_out():
    frame = lottery()
    frame.loc[(frame.block == "b2") & (frame.won == 0), "income"] = np.nan
    for verb in (lee_bounds, kling_liebman_bounds):
        with pytest.raises(NotEstimableError, match="b2"):
            verb(panel(frame), "income")
        found = verb(panel(frame), "income", Design(empty_arms="drop")).frame
        rest = verb(panel(frame[frame.block != "b2"]), "income").frame
        np.testing.assert_array_equal(found.lower, rest.lower)
        assert "left out" in found.specification[0]
        assert found.n[0] == 180
    tight = frame[frame.block != "b2"]
    silent = (tight.block == "b1") & (tight.won == 1) & (tight.female == 0)
    with pytest.raises(NotEstimableError, match="b1, female = 0"):
        lee_bounds(
            panel(tight.assign(income=tight.income.mask(silent))), "income", tighten="female"
        )


def test_worst_case_bounds_fill_every_gap_with_a_limit():
    frame = lottery()
    found = manski_bounds(panel(frame), "works").frame.iloc[0]
    limits = []
    for gap_winner, gap_loser in ((0, 1), (1, 0)):
        y = frame.works.fillna(frame.won.map({1: gap_winner, 0: gap_loser}))
        limits.append(difference(frame, y))
    np.testing.assert_allclose([found.lower, found.upper], limits, rtol=1e-12)
    missing = frame.works.isna().groupby([frame.block, frame.won]).mean()
    width = missing.groupby("block").sum().mean()
    assert found.upper - found.lower == pytest.approx(width)


def test_worst_case_bounds_contain_kling_and_liebmans():
    p = panel(lottery())
    wide = manski_bounds(p, "works").frame.iloc[0]
    inner = kling_liebman_bounds(p, "works").frame
    assert (wide.lower < inner.lower).all()
    assert (inner.upper < wide.upper).all()


def test_limits_are_never_read_off_the_sample():
    p = panel(lottery())
    with pytest.raises(UsageError, match="needs low= and high="):
        manski_bounds(p, "income")
    with pytest.raises(UsageError, match="needs low= and high="):
        manski_bounds(p, "income", low=0)
    with pytest.raises(UsageError, match="lie outside"):
        manski_bounds(p, "income", low=0, high=1)
    with pytest.raises(UsageError, match="low below high"):
        manski_bounds(p, "works", low=1, high=0)


def test_kling_and_liebman_by_filling_in():
    frame = lottery()
    found = kling_liebman_bounds(panel(frame), "income", steps=(0, 0.25)).frame
    sd = frame.groupby("won").income.std()
    mean = frame.groupby(["block", "won"]).income.transform("mean")
    for row, k in zip(found.itertuples(), (0, 0.25), strict=True):
        for limit, sign in ((row.lower, -1), (row.upper, 1)):
            fill = mean + sign * k * np.where(frame.won == 1, sd[1], -sd[0])
            assert limit == pytest.approx(difference(frame, frame.income.fillna(fill)), rel=1e-12)
    assert found.lower[0] == pytest.approx(found.upper[0])


def test_the_interval_is_that_of_imbens_and_manski():
    found = lee_bounds(panel(lottery()), "income", level=0.9).frame.iloc[0]
    width = (found.upper - found.lower) / max(found.se_lower, found.se_upper)
    c = brentq(lambda c: norm.cdf(c + width) - norm.cdf(-c) - 0.9, 0, 5)
    assert found.critical == pytest.approx(c, rel=1e-8)
    assert found.conf_low == pytest.approx(found.lower - c * found.se_lower, rel=1e-8)
    assert found.conf_high == pytest.approx(found.upper + c * found.se_upper, rel=1e-8)


def test_the_critical_value_runs_from_two_sided_to_one_sided():
    assert critical_value(0.0, 0.95) == pytest.approx(norm.ppf(0.975))
    assert critical_value(50.0, 0.95) == pytest.approx(norm.ppf(0.95))
    assert critical_value(0.0, 0.95, 4.0) == pytest.approx(t.ppf(0.975, 4))
    assert np.isnan(critical_value(np.nan, 0.95))


def test_another_inference_moves_the_interval_and_not_the_limits():
    bounds = lee_bounds(panel(lottery(), clusters="village"), "income")
    other = bounds.under(pe.Clustered("village"), level=0.9)
    assert other.frame.lower[0] == bounds.frame.lower[0]
    assert other.frame.se_lower[0] != bounds.frame.se_lower[0]
    assert other.frame.inference[0].startswith("clustered by village")
    assert "90%" in repr(other)
    assert "<table" in other._repr_html_()


def test_each_outcome_and_wave_is_a_row():
    late = lottery().assign(wave=2)
    frame = pd.concat([late.assign(wave=1), late.assign(income=late.income * 2)])
    p = panel(frame, wave="wave", baseline=1)
    found = lee_bounds(p, ["income", "works"], waves=[1, 2])
    assert list(zip(found.frame.outcome, found.frame.wave, strict=True)) == [
        ("income", 1),
        ("income", 2),
        ("works", 1),
        ("works", 2),
    ]
    assert found.frame.upper[1] == pytest.approx(2 * found.frame.upper[0])
    assert len(found.estimate) == 8


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: lee_bounds(p, "income", Design(covariates=("female",))), "no regression"),
        (lambda p: lee_bounds(p, "income", Design(block_weights="strata_fe")), "population"),
        (lambda p: kling_liebman_bounds(p, "income", Design(method="ipw")), "within blocks"),
        (lambda p: kling_liebman_bounds(p, "income", steps=(-0.1,)), "zero or more"),
        (lambda p: lee_bounds(p, "income", level=0.4), "between 0.5 and 1"),
        (lambda p: lee_bounds(p, "income", trimming="people"), "trimming"),
        (lambda p: Trimming(direction="up"), "direction"),
    ],
)
def test_a_wrong_call_says_how_to_mend_it(call, message):
    with pytest.raises(UsageError, match=message):
        call(panel(lottery()))
