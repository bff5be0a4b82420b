"""Are blocked means those of estimatr, and is an empty arm refused by name?"""

import numpy as np
import pandas as pd
import pytest

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.numerics.blocks import block_dummies, block_means
from prakerja_eval.numerics.linear import wls


def read(shared_reference, dataset):
    if dataset == "synthetic":
        data = pd.read_csv(shared_reference / "lottery" / "synthetic_lottery.csv")
        return data.income.to_numpy(), data.z.to_numpy(), pd.factorize(data.stratum)[0]
    data = pd.read_csv(shared_reference / "lottery" / "jtpa.csv")
    data = data[data.sex == (dataset == "jtpa_men")]
    return data.earnings.to_numpy(), data.assignmt.to_numpy(), pd.factorize(data.site)[0]


@pytest.mark.parametrize(
    ("dataset", "spec"),
    [
        ("synthetic", "DIM blocks=stratum"),
        ("jtpa_men", "difference_in_means blocks=site"),
        ("jtpa_women", "difference_in_means blocks=site"),
    ],
)
def test_population_weighted_blocks_match_estimatr(shared_reference, dataset, spec):
    # R estimatr 1.0.0, difference_in_means(blocks): the leverage-corrected (HC2) variance, which
    # is Neyman's within every block.
    y, arm, block = read(shared_reference, dataset)
    table = pd.read_csv(shared_reference / "lottery" / "estimatr.csv")
    row = table[(table.dataset == dataset) & (table.spec == spec)].iloc[0]
    ones = np.ones(y.size)
    fit = block_means(y, arm, block, ones, ones)
    np.testing.assert_allclose(fit.theta, row.estimate, rtol=1e-8)
    hc2 = np.sqrt((fit.psi**2 / (1 - fit.leverage)).sum())
    np.testing.assert_allclose(hc2, row.se, rtol=1e-8)


@pytest.mark.parametrize(("dataset", "printed"), [("jtpa_men", 563.053), ("jtpa_women", 355.988)])
def test_share_influence_adds_the_superpopulation_term(shared_reference, dataset, printed):
    # Reference README, lottery: Bugni-Canay-Shaikh V_H added; printed to three decimals.
    y, arm, block = read(shared_reference, dataset)
    ones = np.ones(y.size)
    fit = block_means(y, arm, block, ones, ones)
    variance = (fit.psi**2 / (1 - fit.leverage)).sum() + (fit.psi_share**2).sum()
    assert abs(np.sqrt(variance) - printed) < 0.0006


def toy():
    # Two blocks. Block 0: 4, 6 | 1, 3 -> 3. Block 1: 10 | 2, 4, 6 -> 6.
    y = np.array([4.0, 6.0, 1.0, 3.0, 10.0, 2.0, 4.0, 6.0])
    arm = np.array([1, 1, 0, 0, 1, 0, 0, 0])
    return y, arm, np.repeat([0, 1], 4)


def test_shares_follow_people_or_treated_people_by_hand():
    y, arm, block = toy()
    ones = np.ones(8)
    people = block_means(y, arm, block, ones, ones)
    treated = block_means(y, arm, block, ones, arm.astype(float))
    np.testing.assert_allclose(people.effects, [3.0, 6.0], rtol=1e-14)
    np.testing.assert_allclose(people.shares, [1 / 2, 1 / 2], rtol=1e-14)
    np.testing.assert_allclose(people.theta, 4.5, rtol=1e-14)
    np.testing.assert_allclose(people.comparison_mean, 3.0, rtol=1e-14)
    np.testing.assert_allclose(treated.shares, [2 / 3, 1 / 3], rtol=1e-14)
    np.testing.assert_allclose(treated.theta, 4.0, rtol=1e-14)
    np.testing.assert_array_equal(people.cell, [1, 1, 0, 0, 3, 2, 2, 2])
    np.testing.assert_allclose(people.leverage, [1 / 2] * 4 + [1] + [1 / 3] * 3, rtol=1e-14)
    np.testing.assert_allclose(people.residuals, [-1, 1, -1, 1, 0, -2, 0, 2], atol=1e-14)


def test_fixed_effects_are_blocks_weighted_by_n_p_one_minus_p():
    rng = np.random.default_rng(12)
    block = rng.integers(0, 5, 200)
    arm = rng.binomial(1, 0.2 + 0.1 * block)
    y, w = rng.normal(size=200) + arm * block, rng.uniform(0.5, 2, 200)
    means = block_means(y, arm, block, w, np.ones(200))
    n_b = np.bincount(block, w)
    p_b = np.bincount(block, w * arm) / n_b
    share = n_b * p_b * (1 - p_b)
    fit = wls(y, np.column_stack([arm, block_dummies(block, 5)]), w)
    np.testing.assert_allclose(fit.beta[0], share @ means.effects / share.sum(), rtol=1e-10)


def test_saturated_regression_gives_the_effect_of_every_block():
    rng = np.random.default_rng(13)
    block, y, w = np.arange(120) % 3, rng.normal(size=120), rng.uniform(0.5, 2, 120)
    arm = rng.binomial(1, 0.5, 120)
    D = block_dummies(block, 3)
    fit = wls(y, np.column_stack([D, D * arm[:, None]]), w)
    means = block_means(y, arm, block, w, np.ones(120))
    np.testing.assert_allclose(means.effects, fit.beta[3:], rtol=1e-10)


@pytest.mark.parametrize(("arm_left", "name"), [(0, "treated"), (1, "comparison")])
def test_an_empty_arm_names_its_block(arm_left, name):
    y, arm, block = toy()
    arm = np.where(block == 1, arm_left, arm)
    with pytest.raises(NotEstimableError, match=f"block 1 has no {name} unit"):
        block_means(y, arm, block, np.ones(8), np.ones(8))


def test_an_arm_whose_units_all_weigh_nothing_is_empty():
    y, arm, block = toy()
    w = np.ones(8)
    w[4] = 0.0
    with pytest.raises(NotEstimableError, match="block 1 has no treated unit"):
        block_means(y, arm, block, w, np.ones(8))


def test_dummies_have_one_column_a_block_even_where_a_block_is_absent():
    np.testing.assert_array_equal(
        block_dummies(np.array([0, 2, 2]), 4), [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0]]
    )
