"""Effects on quantiles: the definition, the weights of blocks, standard errors, and mass points."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate import subset, wald
from prakerja_eval.lottery import Design
from prakerja_eval.lottery.quantiles import quantiles
from prakerja_eval.numerics.quantile import distribution, quantile

DECILES = tuple(np.round(np.arange(0.1, 0.95, 0.1), 1))


def read(frame, **roles):
    frame = frame.assign(id=[f"SYN-{i:06d}" for i in range(len(frame))])
    return pe.read_panel(frame, pe.Roles(unit="id", offer="won", **roles))


def lottery(n=600, seed=2):
    """Three blocks with odds from .2 to .6; the outcome's level rises with the odds."""
    rng = np.random.default_rng(seed)
    block = rng.integers(0, 3, n)
    won = rng.binomial(1, np.array([0.2, 0.4, 0.6])[block])
    noise = np.exp(0.5 * rng.normal(size=n))
    return pd.DataFrame(
        {
            "block": block,
            "won": won,
            "income": noise + block + 0.3 * won,
            "weight": rng.integers(1, 5, n),
        }
    )


# --- the definition ---


@pytest.mark.parametrize("seed", range(5))
def test_a_quantile_is_the_first_value_at_which_the_share_reaches_tau(seed):
    """Whole weights in tenths of their sum, counted in fractions: sums meet tau exactly."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 9, 20).astype(float)
    w = rng.multinomial(40, np.ones(20) / 20)
    for tau in (Fraction(1, 10), Fraction(1, 4), Fraction(1, 2), Fraction(9, 10)):
        for value in sorted(set(y[w > 0])):
            if Fraction(int(w[y <= value].sum()), 40) >= tau:
                break
        # weights that add up to one, and so are rounded
        assert distribution(y, w / 40).at(float(tau)) == value


@pytest.mark.parametrize("weighted", [False, True])
def test_each_arm_is_weighted_to_everyone_by_the_odds_of_the_blocks(weighted):
    frame = lottery()
    w = frame.weight.astype(float) if weighted else pd.Series(1.0, index=frame.index)
    panel = read(frame, blocks="block", weight="weight" if weighted else None)
    found = quantiles(panel, "income", quantiles=DECILES)
    cell, block = w.groupby([frame.block, frame.won]), w.groupby(frame.block)
    omega = w * block.transform("sum") / cell.transform("sum")
    for k, tau in enumerate(DECILES):
        at = [
            np.quantile(frame.income[rows], tau, weights=omega[rows], method="inverted_cdf")
            for rows in (frame.won == 0, frame.won == 1)
        ]
        np.testing.assert_allclose(found.theta[k], at[1] - at[0], rtol=1e-12)


@pytest.mark.parametrize(
    ("design", "share"),
    [
        ({"block_weights": "treated"}, lambda p: p),
        ({"block_weights": "strata_fe"}, lambda p: p * (1 - p)),
        ({"method": "ipw"}, lambda p: 1 + 0 * p),
    ],
)
def test_other_weights_of_blocks_give_other_distributions(design, share):
    frame = lottery()
    found = quantiles(read(frame, blocks="block"), "income", Design(**design))
    p = frame.groupby("block").won.transform("mean")
    omega = share(p) / np.where(frame.won == 1, p, 1 - p)
    for k, tau in enumerate((0.1, 0.25, 0.5, 0.75, 0.9)):
        at = [
            np.quantile(frame.income[rows], tau, weights=omega[rows], method="inverted_cdf")
            for rows in (frame.won == 0, frame.won == 1)
        ]
        np.testing.assert_allclose(found.theta[k], at[1] - at[0], rtol=1e-12)


def test_winners_like_losers_within_blocks_have_no_effect_though_pooled_they_differ():
    """Block 1 is richer and luckier: 3 winners a loser there, 1 winner to 3 losers in block 0."""
    values = np.arange(1.0, 41.0)
    rows = [(0, 1, v) for v in values] + [(0, 0, v) for v in values for _ in range(3)]
    rows += [(1, 1, v + 100) for v in values for _ in range(3)] + [(1, 0, v + 100) for v in values]
    frame = pd.DataFrame(rows, columns=["block", "won", "income"])
    within = quantiles(read(frame, blocks="block"), "income", quantiles=DECILES)
    np.testing.assert_array_equal(within.theta, 0.0)
    assert quantiles(read(frame), "income", quantiles=0.5).theta[0] > 50


# --- standard errors ---


def test_the_standard_error_of_an_even_grid_is_that_of_a_uniform_distribution():
    """Values k/n have density one; the difference quotient is out by a step of the grid, 1/n."""
    n = 4000
    frame = pd.DataFrame({"won": np.tile([1, 0], n), "income": np.repeat(np.arange(n) / n, 2)})
    found = pe.infer(quantiles(read(frame), "income"), pe.Robust("HC0", reference="normal")).frame
    for tau, error in zip((0.1, 0.25, 0.5, 0.75, 0.9), found["std_error"], strict=True):
        expected, window = np.sqrt(2 * tau * (1 - tau) / n), 1.96 * np.sqrt(tau * (1 - tau) / n)
        np.testing.assert_allclose(error, expected, rtol=1 / (n * window))


def test_the_default_is_hc2_and_the_counts_are_those_of_the_effect_in_means():
    frame = lottery()
    panel = read(frame, blocks="block")
    found, means = quantiles(panel, "income").findings().frame, pe.lottery.itt(panel, "income")
    row = means.findings().frame.iloc[0]
    for column in ("inference", "df", "n", "n_treated", "comparison_mean", "weighting"):
        assert (found[column] == row[column]).all()
    assert list(found["specification"]) == [f"quantile {t}" for t in (0.1, 0.25, 0.5, 0.75, 0.9)]
    assert set(found["estimand"]) == {"QTE"}
    assert (found["status"] == "ok").all()


def test_the_standard_error_is_that_of_the_bootstrap_within_blocks_and_arms():
    """300 draws know a standard deviation to 4 %; a density from about 150 people is out by 8 %."""
    frame = lottery(6000).assign(income=lambda f: f.income - 0.7 * f.block)
    found = quantiles(read(frame, blocks="block"), "income", quantiles=(0.25, 0.5, 0.75))
    error = found.findings().frame["std_error"].to_numpy()
    rng, drawn = np.random.default_rng(8), np.empty((300, 3))
    income, cell = frame.income.to_numpy(), (2 * frame.block + frame.won).to_numpy()
    where = [np.flatnonzero(cell == c) for c in range(6)]
    people = np.bincount(frame.block)
    options = {"q": (0.25, 0.5, 0.75), "method": "inverted_cdf"}
    for r in range(len(drawn)):
        arms = []
        for arm in (0, 1):
            parts = [rng.choice(where[2 * b + arm], len(where[2 * b + arm])) for b in range(3)]
            w = np.concatenate([np.full(len(p), people[b] / len(p)) for b, p in enumerate(parts)])
            arms.append(np.quantile(income[np.concatenate(parts)], weights=w, **options))
        drawn[r] = arms[1] - arms[0]
    np.testing.assert_allclose(error, drawn.std(axis=0), rtol=0.2)


def test_intervals_cover_the_effect_on_the_median_and_the_tail():
    """Outcomes drawn afresh in 200 waves, effect 0.5: 95 % within 3 Monte Carlo errors."""
    rng = np.random.default_rng(17)
    n, draws = 500, 200
    block = np.arange(n) % 3
    won = (np.arange(n) // 3 % 10 < np.array([2, 4, 6])[block]).astype(int)
    level = 0.3 * block[:, None] + 0.5 * won[:, None]
    frame = pd.DataFrame(
        {
            "id": np.repeat([f"SYN-{i:06d}" for i in range(n)], draws),
            "wave": np.tile(np.arange(draws), n),
            "block": np.repeat(block, draws),
            "won": np.repeat(won, draws),
            "income": (np.exp(0.6 * rng.normal(size=(n, draws))) + level).ravel(),
        }
    )
    roles = pe.Roles(unit="id", offer="won", blocks="block", wave="wave")
    panel = pe.read_panel(frame, roles)
    found = quantiles(panel, "income", quantiles=(0.5, 0.9)).findings().frame
    for tau in ("quantile 0.5", "quantile 0.9"):
        rows = found[found.specification == tau]
        covered = ((rows.conf_low <= 0.5) & (rows.conf_high >= 0.5)).mean()
        assert abs(covered - 0.95) < 3 * np.sqrt(0.95 * 0.05 / draws)
        # the Monte Carlo standard deviation of 200 draws is itself known to 5 %
        assert abs(rows.std_error.mean() / rows.estimate.std() - 1) < 0.15


@pytest.mark.parametrize(("shift", "scale"), [(1e6, 1.0), (0.0, 1e5)])
def test_units_and_levels_of_money_change_nothing_but_the_units(shift, scale):
    frame = lottery()
    base = quantiles(read(frame, blocks="block"), "income").findings().frame
    moved = frame.assign(income=lambda f: f.income * scale + shift)
    found = quantiles(read(moved, blocks="block"), "income").findings().frame
    # a shift of a million leaves ten digits of the outcome
    for column in ("estimate", "std_error"):
        np.testing.assert_allclose(found[column], base[column] * scale, rtol=1e-6)


def test_people_of_a_village_that_was_drawn_together_are_judged_together():
    frame = lottery().assign(block=0, village=lambda f: [f"v{i % 30}" for i in range(len(f))])
    frame["won"] = frame.village.map({f"v{i}": int(i < 12) for i in range(30)})
    found = quantiles(read(frame, clusters="village"), "income", Design(clusters="village"))
    assert found.findings().frame["inference"].str.contains("CR2").all()


# --- where there is no standard error ---


def with_zeros(share=0.35):
    frame = lottery(1000)
    return frame.assign(income=lambda f: f.income.where(f.index % 100 >= 100 * share, 0.0))


def test_at_a_mass_point_the_estimate_stands_without_a_standard_error():
    found = quantiles(read(with_zeros(), blocks="block"), "income").findings().frame
    low, high = found.iloc[:2], found.iloc[2:]
    assert (low["estimate"] == 0).all()
    assert low["std_error"].isna().all()
    assert low["p_value"].isna().all()
    assert low["status"].str.match(r"a mass point: \d\d\.\d% of the (losers|winners) have").all()
    assert low["status"].str.contains("the value 0,").all()
    assert (high["status"] == "ok").all()
    assert (high["std_error"] > 0).all()


def test_the_other_quantiles_keep_their_joint_covariance_beside_one_without():
    found = quantiles(read(with_zeros(), blocks="block"), "income")
    assert wald(subset(found, rows=[2, 3])).p_value >= 0
    with pytest.raises(NotEstimableError, match="mass point"):
        wald(found)


def test_a_mass_point_within_reach_of_the_quantile_counts_too():
    """35 % zeros in an arm of 100 people: the 38th of them may fall on it by chance."""
    y = np.concatenate([np.zeros(35), 1 + np.arange(65.0)])
    sample = distribution(y, np.ones(100))
    assert quantile(sample, 0.38).lump == 0.0
    assert quantile(sample, 0.38).q == 3.0
    assert np.isnan(quantile(sample, 0.6).lump)
    np.testing.assert_allclose(quantile(sample, 0.38).lump_share, 0.35, rtol=1e-12)


def test_ordinary_ties_are_no_mass_point():
    """Incomes in steps of which each holds half a standard error of the share below, 1.1 %."""
    y = np.floor(np.arange(2000) / 10)
    sample = distribution(y, np.ones(2000))
    assert np.isnan(quantile(sample, 0.5).lump)
    assert np.isfinite(quantile(sample, 0.5).density)


def test_a_binary_outcome_has_no_quantile_with_a_standard_error():
    frame = lottery().assign(job=lambda f: (f.income > 1.5).astype(int))
    found = quantiles(read(frame, blocks="block"), "job").findings().frame
    assert found["std_error"].isna().all()
    assert found["status"].str.contains("mass point").all()


def test_too_few_people_in_the_tail_is_said():
    frame = lottery(60).assign(block=0)
    found = quantiles(read(frame), "income", quantiles=(0.01, 0.5)).findings().frame
    assert "too few losers beyond the quantile" in found["status"][0]
    assert np.isfinite(found["estimate"]).all()
    assert found["status"][1] == "ok"


@pytest.mark.parametrize("wrong", [0, 1, 1.5, (), (0.5, 0.5), "half", (0.5, None)])
def test_quantiles_are_numbers_between_zero_and_one(wrong):
    with pytest.raises(UsageError, match="quantiles"):
        quantiles(read(lottery()), "income", quantiles=wrong)


def test_covariates_are_refused():
    with pytest.raises(UsageError, match="leave Design"):
        quantiles(read(lottery()), "income", Design(covariates=("weight",)))
