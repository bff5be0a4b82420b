"""What does the design do with odds, lone arms, empty arms and clusters, and what does it audit?"""

import itertools

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import DataError, NotEstimableError, UsageError
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.roster import roster

ROLES = pe.Roles(unit="id", offer="won", blocks="block")


def panel(block, won, y, roles=ROLES, **more):
    n = len(y)
    ids = [f"SYN-{i:06d}" for i in range(n)]
    return pe.read_panel(
        pd.DataFrame({"id": ids, "block": block, "won": won, "y": y} | more), roles
    )


def several_blocks(rng, sizes, winners):
    block = np.repeat(np.arange(len(sizes)), sizes)
    won = np.concatenate(
        [rng.permutation(np.arange(s) < w) for s, w in zip(sizes, winners, strict=True)]
    )
    return block, won.astype(int)


def test_weighting_by_the_blocks_own_odds_is_the_blocked_difference():
    rng = np.random.default_rng(1)
    block, won = several_blocks(rng, [20, 30, 50], [4, 15, 35])
    data = panel(block, won, rng.normal(size=100) + block)
    plain = pe.lottery.itt(data, "y")
    weighted = pe.lottery.itt(data, "y", Design(method="ipw"))
    assert weighted.theta[0] == pytest.approx(plain.theta[0], rel=1e-12)


def test_stated_odds_that_differ_within_a_block_are_weights_and_no_blocks():
    rng = np.random.default_rng(2)
    p = rng.choice([0.2, 0.5, 0.7], 400)
    won = (rng.random(400) < p).astype(int)
    y = rng.normal(size=400) + 2 * p + won
    roles = pe.Roles(unit="id", offer="won", probability="p")
    data = panel(np.zeros(400), won, y, roles, p=p)
    with pytest.raises(NotEstimableError, match="method='ipw'"):
        pe.lottery.itt(data, "y")
    a1, a0 = won / p, (1 - won) / (1 - p)
    expected = a1 @ y / a1.sum() - a0 @ y / a0.sum()
    assert pe.lottery.itt(data, "y", Design(method="ipw")).theta[0] == pytest.approx(expected)


def test_effect_on_winners_by_odds_weighs_losers_by_the_odds():
    rng = np.random.default_rng(3)
    p = rng.choice([0.2, 0.6], 300)
    won = (rng.random(300) < p).astype(int)
    y = rng.normal(size=300) + won * p
    roles = pe.Roles(unit="id", offer="won", probability="p")
    found = pe.lottery.itt(
        panel(np.zeros(300), won, y, roles, p=p), "y", Design("treated", method="ipw")
    )
    w0 = (1 - won) * p / (1 - p)
    assert found.theta[0] == pytest.approx(y[won == 1].mean() - w0 @ y / w0.sum())


def test_lone_arms_give_no_standard_error_unless_the_design_says_how():
    block, won = np.repeat(np.arange(5), 4), np.tile([1, 0, 0, 0], 5)
    y = np.random.default_rng(4).normal(size=20)
    data = panel(block, won, y)
    assert "one unit" in pe.infer(pe.lottery.itt(data, "y")).frame["status"][0]
    small = pe.lottery.itt(data, "y", Design(lone_arms="pashley_miratrix"))
    assert np.isfinite(pe.infer(small).frame["std_error"][0])
    for other in (pe.Robust("HC0"), pe.Robust("HC1"), pe.Clustered("unit")):
        assert "one unit" in pe.infer(small, other).frame["status"][0]


def test_pashley_miratrix_with_equal_blocks_is_the_variance_between_their_differences():
    block, won = np.repeat(np.arange(6), 3), np.tile([1, 0, 0], 6)
    y = np.random.default_rng(5).normal(size=18)
    found = pe.infer(
        pe.lottery.itt(panel(block, won, y), "y", Design(lone_arms="pashley_miratrix"))
    ).frame
    effects = y[won == 1] - y[won == 0].reshape(6, 2).mean(axis=1)
    assert found["std_error"][0] == pytest.approx(effects.std(ddof=1) / np.sqrt(6))


def test_pashley_miratrix_beside_large_blocks_is_the_hybrid_of_the_paper():
    rng = np.random.default_rng(6)
    sizes = np.array([3, 4, 5, 6, 40])
    block, won = several_blocks(rng, sizes, [1, 1, 1, 1, 15])
    y = rng.normal(size=sizes.sum()) + block
    found = pe.infer(
        pe.lottery.itt(panel(block, won, y), "y", Design(lone_arms="pashley_miratrix"))
    ).frame
    frame = pd.DataFrame({"block": block, "won": won, "y": y})
    means = frame.groupby(["won", "block"])["y"].mean()
    effect = (means[1] - means[0]).to_numpy()
    n, small = sizes.sum(), sizes[:4]
    m = small.sum()
    centre = small @ effect[:4] / m
    weight = small**2 / ((m - 2 * small) * (m + (small**2 / (m - 2 * small)).sum()))
    variance = (m / n) ** 2 * weight @ (effect[:4] - centre) ** 2
    big = frame[frame.block == 4].groupby("won")["y"].agg(["var", "size"])
    variance += (40 / n) ** 2 * (big["var"] / big["size"]).sum()
    assert found["std_error"][0] == pytest.approx(np.sqrt(variance))


def test_pashley_miratrix_needs_three_blocks_none_of_which_is_half():
    block, won = np.repeat(np.arange(2), 3), np.tile([1, 0, 0], 2)
    data = panel(block, won, np.arange(6.0))
    with pytest.raises(NotEstimableError, match="three or more"):
        pe.lottery.itt(data, "y", Design(lone_arms="pashley_miratrix"))


def test_pashley_miratrix_is_unbiased_over_the_lottery_where_effects_are_alike():
    y0 = np.random.default_rng(7).normal(size=12)
    estimates, variances = [], []
    for pick in itertools.product(range(3), repeat=4):
        won = np.zeros(12, dtype=int)
        won[np.arange(4) * 3 + np.array(pick)] = 1
        y = y0 + 2.0 * won
        effect = y[won == 1] - y[won == 0].reshape(4, 2).mean(axis=1)
        estimates.append(effect.mean())
        variances.append(effect.var(ddof=1) / 4)
    # Over all lotteries the estimator exceeds the true variance by the spread of the blocks'
    # expected differences, which are all 2 here.
    assert np.mean(variances) == pytest.approx(np.var(estimates))


def test_merged_lone_arms_are_pooled_with_blocks_of_the_same_odds_only():
    block, won = (
        np.array([0] * 4 + [1] * 4 + [2] * 6),
        np.array([1, 0, 0, 0] * 2 + [1, 1, 1, 0, 0, 0]),
    )
    y = np.arange(14.0) ** 1.5
    found = roster(panel(block, won, y), "y", Design(lone_arms="merge"))
    assert found.block_names == ("0 + 1", "2")
    merged = pe.lottery.itt(panel(block, won, y), "y", Design(lone_arms="merge"))
    renamed = pe.lottery.itt(panel(np.where(block == 2, 2, 0), won, y), "y")
    assert merged.theta[0] == renamed.theta[0]
    assert np.isfinite(pe.infer(merged).frame["std_error"][0])


def test_a_lone_block_that_is_left_over_joins_a_pool_of_its_odds():
    block, won = np.repeat([0, 1, 2], 3), np.tile([1, 0, 0], 3)
    found = roster(panel(block, won, np.arange(9.0)), "y", Design(lone_arms="merge"))
    assert found.block_names == ("0 + 1 + 2",)


def test_a_lone_arm_without_a_block_of_its_odds_is_not_merged_with_another():
    block, won = np.array([0] * 5 + [1] * 6), np.array([1, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0])
    with pytest.raises(NotEstimableError, match="no other block has the same odds"):
        pe.lottery.itt(panel(block, won, np.arange(11.0)), "y", Design(lone_arms="merge"))


def test_blocks_with_an_empty_arm_are_refused_or_left_out_and_said():
    block, won = np.repeat([0, 1, 2], 4), np.array([1, 1, 0, 0] * 2 + [1] * 4)
    data = panel(block, won, np.arange(12.0))
    with pytest.raises(DataError, match="everyone won"):
        pe.lottery.itt(data, "y")
    found = pe.lottery.itt(data, "y", Design(empty_arms="drop"))
    assert found.counts["n"][0] == 8
    assert "blocks without both arms left out" in found.index["specification"][0]
    assert found.theta[0] == pe.lottery.itt(data.where(block=[0, 1]), "y").theta[0]


def test_blocks_that_lost_an_arm_are_refused_or_left_out():
    block, won = np.repeat([0, 1], 4), np.array([1, 1, 0, 0] * 2)
    y = np.array([1.0, 2, 3, 4, 5, 6, np.nan, np.nan])
    data = panel(block, won, y)
    with pytest.raises(NotEstimableError, match="empty_arms='drop'"):
        pe.lottery.itt(data, "y")
    assert pe.lottery.itt(data, "y", Design(empty_arms="drop")).counts["n"][0] == 4


def test_a_lottery_drawn_by_cluster_has_clustered_standard_errors_by_default():
    rng = np.random.default_rng(8)
    village = np.repeat(np.arange(20), 5)
    won = (village % 2).astype(int)
    roles = pe.Roles(unit="id", offer="won", clusters="village")
    data = panel(np.zeros(100), won, rng.normal(size=100), roles, village=village)
    found = pe.infer(pe.lottery.itt(data, "y", Design(clusters="village"))).frame
    assert found["inference"][0] == pe.Clustered("village", "CR2").label
    assert found["n_clusters"][0] == 20


def test_clusters_with_both_arms_were_not_drawn():
    village, won = np.repeat(np.arange(10), 2), np.tile([0, 1], 10)
    roles = pe.Roles(unit="id", offer="won", clusters="village")
    data = panel(np.zeros(20), won, np.arange(20.0), roles, village=village)
    with pytest.raises(NotEstimableError, match="not drawn by 'village'"):
        pe.lottery.itt(data, "y", Design(clusters="village"))
    with pytest.raises(UsageError, match="there are: village"):
        pe.lottery.itt(data, "y", Design(clusters="town"))


def test_the_audit_lists_blocks_by_what_is_wrong_with_them():
    block = np.repeat(["a", "b", "c", "d"], [4, 4, 4, 40])
    won = np.array([1] * 4 + [1, 0, 0, 0] + [1, 1, 0, 0] + [1] * 38 + [0] * 2)
    odds = np.repeat([0.5, 0.25, 0.5, 0.5], [4, 4, 4, 40])
    roles = pe.Roles(unit="id", offer="won", blocks="block", probability="odds")
    audit = Design().audit(panel(block, won, np.zeros(52), roles, odds=odds))
    assert list(audit.blocks["remark"]) == ["empty arm", "one winner", "", "odds do not fit"]
    assert list(audit.blocks["used"]) == [False, True, True, True]
    assert list(audit.of("empty arm")["people"]) == [4]
    # two tails of a fair coin: 4 of 4 heads 2/16; 38 or more of 40
    assert audit.blocks["p_value"][0] == pytest.approx(2 / 16)
    tail = sum(float(np.prod(np.arange(41 - k, 41) / np.arange(1, k + 1))) for k in (0, 1, 2))
    assert audit.blocks["p_value"][3] == pytest.approx(2 * tail / 2**40, rel=1e-9)
    assert audit.blocks["p_adjusted"][3] < 1e-8
    assert "empty_arm" in [fault.code for fault in audit.faults.faults]


def test_the_audit_sees_no_outcome_and_no_covariate():
    block, won = np.repeat([0, 1], 4), np.tile([1, 1, 0, 0], 2)
    data = panel(block, won, np.full(8, np.nan))
    assert len(Design(covariates=("y",)).audit(data).blocks) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"method": "ipw", "block_weights": "strata_fe"},
        {"method": "ipw", "shares": "superpopulation"},
        {"lone_arms": "pashley_miratrix", "covariates": ("x",)},
        {"instruments": "offer_by_block", "method": "ipw"},
        {"covariate_model": "lasso"},
        {"empty_arms": "keep"},
    ],
)
def test_choices_that_contradict_each_other_are_refused(options):
    with pytest.raises(UsageError, match=r"lottery\.Design"):
        Design(**options)


def test_a_block_of_which_one_arm_is_lost_is_refused_by_the_odds_too():
    rng = np.random.default_rng(9)
    block, won = several_blocks(rng, [100, 100], [50, 50])
    y = 100.0 * block + rng.normal(size=200)
    y[(block == 1) & (won == 0)] = np.nan
    data = panel(block, won, y)
    for verb in (pe.lottery.itt, pe.lottery.lee_bounds):
        with pytest.raises(NotEstimableError, match="empty_arms='drop'"):
            verb(data, "y", Design(method="ipw"))
    found = pe.lottery.itt(data, "y", Design(method="ipw", empty_arms="drop"))
    assert abs(found.theta[0]) < 1


@pytest.mark.parametrize(
    "design",
    [Design(), Design(method="ipw"), Design(shares="superpopulation"), Design("strata_fe")],
)
def test_rounding_is_no_standard_error(design):
    rng = np.random.default_rng(10)
    block, won = several_blocks(rng, [40, 60], [13, 27])
    data = panel(block, won, 0.1 + 0.7 * won, ROLES, d=won)
    assert np.isnan(pe.infer(pe.lottery.itt(data, "y", design)).frame["std_error"][0])
    roles = pe.Roles(unit="id", offer="won", received="d", blocks="block")
    data = panel(block, won, 0.1 + 0.7 * won, roles, d=won)
    assert np.isnan(pe.infer(pe.lottery.late(data, "y", design)).frame["std_error"][0])


def test_clusters_that_won_or_lost_whole_are_told_where_the_design_takes_people():
    rng = np.random.default_rng(11)
    village = np.repeat(np.arange(30), 8)
    roles = pe.Roles(unit="id", offer="won", clusters="village")
    whole = panel(np.zeros(240), village % 2, rng.normal(size=240), roles, village=village)
    assert "Design(clusters='village')" in pe.infer(pe.lottery.itt(whole, "y")).frame["status"][0]
    split = panel(np.zeros(240), np.arange(240) % 2, rng.normal(size=240), roles, village=village)
    assert pe.infer(pe.lottery.itt(split, "y")).frame["status"][0] == "ok"
    few = panel(np.zeros(240), village < 3, rng.normal(size=240), roles, village=village)
    found = pe.infer(pe.lottery.itt(few, "y", Design(clusters="village"))).frame
    assert "3 clusters in an arm" in found["status"][0]


def test_audits_of_designs_with_covariates_need_none():
    block, won = np.repeat([0, 1], 4), np.tile([1, 1, 0, 0], 2)
    data = panel(block, won, np.arange(8.0))
    for model in ("lin", "lasso"):
        audit = Design(covariates=("y",), covariate_model=model).audit(data)
        assert len(audit.blocks) == 2


def test_what_is_no_panel_is_refused_by_name():
    frame = pd.DataFrame({"id": ["a", "b"], "won": [0, 1], "y": [1.0, 2.0]})
    for verb in (pe.lottery.itt, pe.lottery.lee_bounds, pe.lottery.randomise, pe.lottery.zeros):
        with pytest.raises(UsageError, match="takes a Panel, not DataFrame"):
            verb(frame, "y")
    data = panel(np.zeros(4), [0, 1, 0, 1], np.arange(4.0))
    for wrong in (3, ["y", 3], []):
        with pytest.raises(UsageError, match="outcome"):
            pe.lottery.itt(data, wrong)


def test_plans_with_less_than_two_people_in_an_arm_are_refused():
    for plan in (pe.lottery.PowerDesign(3), pe.lottery.PowerDesign(10, odds=0.1)):
        with pytest.raises(UsageError, match="plan at least two"):
            pe.lottery.mde(plan)
    assert pe.lottery.needed(pe.lottery.PowerDesign(100), 50.0) == 4


def test_a_poisson_row_says_what_it_is():
    rng = np.random.default_rng(12)
    block, won = several_blocks(rng, [60, 60], [20, 30])
    data = panel(block, won, rng.poisson(2.0, 120).astype(float), ROLES, x=rng.normal(size=120))
    design = Design("treated", covariates=("x",), covariate_model="lin")
    row = pe.lottery.zeros(data, "y", design, parts=("poisson",)).index.iloc[0]
    assert "adjusted for x" in row["specification"]
    assert row["population"] == "everyone in the lottery"
