"""What do first_stage and weak_instrument say of small lotteries worked out by hand?"""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.lottery.first_stage import first_stage
from prakerja_eval.lottery.weak_instrument import weak_instrument

Design = pe.lottery.Design
BY_BLOCK = Design(instruments="offer_by_block")
NORMAL = pe.Robust("HC2", reference="normal")


def lottery(n=400, winners=0.5, losers=0.0, effect=10.0, seed=1, n_blocks=4):
    """Half of each block win; take-up is fixed by rank within the arm of a block."""
    rng = np.random.default_rng(seed)
    won = np.arange(n) % 2
    block = (np.arange(n) // 2) % n_blocks
    rank = np.arange(n) // (2 * n_blocks) / (n / (2 * n_blocks))
    trained = np.where(won == 1, rank < winners, rank < losers).astype(int)
    return pd.DataFrame(
        {
            "id": [f"SYN-{i:06d}" for i in range(n)],
            "won": won,
            "block": block,
            "village": np.arange(n) // 8,
            "trained": trained,
            "income": 50 + effect * trained + 5 * rng.normal(size=n) + 3 * block,
        }
    )


def panel_of(frame, **roles):
    roles = {"blocks": "block", "clusters": "village"} | roles
    return pe.read_panel(frame, pe.Roles(unit="id", offer="won", received="trained", **roles))


def judged(frame, design=None, **options):
    return weak_instrument(panel_of(frame), "income", design, **options).frame.iloc[0]


# --- first stage ---


def test_the_first_stage_is_the_share_that_the_offer_moves() -> None:
    found = first_stage(panel_of(lottery(winners=0.6, losers=0.1)))
    np.testing.assert_allclose(found.theta, [0.5], rtol=1e-12)
    assert found.index["outcome"][0] == "trained"
    assert found.counts["n"][0] == 400


def test_with_an_outcome_only_those_who_have_it_count() -> None:
    frame = lottery(winners=0.6)
    frame.loc[(frame["won"] == 1) & (frame["trained"] == 0), "income"] = np.nan
    found = first_stage(panel_of(frame), outcome="income")
    assert found.theta[0] == pytest.approx(1.0)
    assert found.counts["n"][0] == int(frame["income"].notna().sum())
    assert found.index["outcome"][0] == "income"
    np.testing.assert_allclose(first_stage(panel_of(frame)).theta, [0.6], rtol=1e-12)


def test_receipt_by_wave_gives_a_row_a_wave() -> None:
    frame = lottery(winners=0.6)
    waves = [
        frame.assign(wave=t, trained=frame["trained"] * (t >= 1) * (frame["block"] < t))
        for t in (0, 1, 2)
    ]
    panel = panel_of(pd.concat(waves), wave="wave", baseline=0)
    found = first_stage(panel)
    assert list(found.index["wave"]) == [1, 2]
    np.testing.assert_allclose(found.theta, [0.15, 0.30], rtol=1e-12)
    assert list(first_stage(panel, waves=[2]).index["wave"]) == [2]


def test_unknown_receipt_is_refused_with_its_count() -> None:
    frame = lottery()
    frame["trained"] = frame["trained"].astype(float)
    frame.loc[:2, "trained"] = np.nan
    with pytest.raises(NotEstimableError, match="not known of 3 people"):
        first_stage(panel_of(frame))


# --- one instrument ---


def test_the_row_holds_the_late_and_its_first_stage() -> None:
    frame = lottery(winners=0.5, losers=0.05)
    row = judged(frame)
    late = pe.lottery.late(panel_of(frame), "income").findings().frame.iloc[0]
    for name in ("estimate", "std_error", "conf_low", "conf_high", "n"):
        assert row[name] == late[name]
    first = first_stage(panel_of(frame)).findings().frame.iloc[0]
    assert row["first_stage"] == first["estimate"]
    assert row["first_stage_se"] == pytest.approx(first["std_error"], rel=1e-12)
    assert row["f_robust"] == pytest.approx(first["statistic"] ** 2, rel=1e-12)
    assert row["ar_low"] < row["estimate"] < row["ar_high"]
    itt = pe.lottery.itt(panel_of(frame), "income").findings().frame.iloc[0]
    assert row["ar_p_value"] == pytest.approx(itt["p_value"], rel=1e-10)
    assert row["status"] == "ok"


def test_with_full_take_up_every_interval_is_that_of_the_itt() -> None:
    frame = lottery(winners=1.0)
    row = judged(frame)
    itt = pe.lottery.itt(panel_of(frame), "income").findings().frame.iloc[0]
    assert row["f_effective"] == np.inf
    assert row["tf_critical"] == pytest.approx(stats.norm.ppf(0.975))
    for low, high in (("ar_low", "ar_high"), ("tf_low", "tf_high"), ("conf_low", "conf_high")):
        np.testing.assert_allclose(
            [row[low], row[high]], [itt["conf_low"], itt["conf_high"]], rtol=1e-9
        )


def test_a_weak_first_stage_says_so_and_widens_what_it_must() -> None:
    # winners 6 %, losers 2 %: F is about 4, below the bar of 23.1, above 3.84
    frame = lottery(winners=0.06, losers=0.02, effect=2.0)
    row = judged(frame, inference=NORMAL)
    assert stats.chi2.ppf(0.95, 1) < row["f_robust"] < 10
    assert row["verdict"].startswith("weak")
    assert row["tf_std_error"] > 2 * row["std_error"]
    assert row["ar_shape"] == "interval"
    assert row["ar_high"] - row["ar_low"] > row["conf_high"] - row["conf_low"]
    assert "weak first stage" in row["status"]


def test_an_insignificant_first_stage_leaves_no_bounded_set() -> None:
    frame = lottery(winners=0.04, losers=0.02, effect=0.0)
    whole = judged(frame, inference=NORMAL)
    assert whole["ar_shape"] == "whole line"
    assert whole["ar_set"] == "(-inf, inf)"
    assert (whole["tf_low"], whole["tf_high"]) == (-np.inf, np.inf)
    frame["income"] += 5 * frame["won"]
    rays = judged(frame, inference=NORMAL)
    assert rays["ar_shape"] == "two rays"
    assert rays["ar_low"] < rays["ar_high"]
    assert " or " in rays["ar_set"]
    assert rays["ar_p_value"] < 0.05
    assert rays["ar_low"] < 0 < rays["ar_high"]  # zero is rejected, between the rays


def test_a_first_stage_of_zero_still_has_a_set() -> None:
    frame = lottery(winners=0.1, losers=0.1, effect=0.0)
    row = judged(frame)
    assert np.isnan(row["estimate"])
    assert row["ar_shape"] == "whole line"
    assert "moves receipt for nobody" in row["status"]
    with pytest.raises(NotEstimableError, match="moves receipt for nobody"):
        pe.lottery.late(panel_of(frame), "income")


def test_tf_is_for_five_percent_tests_alone() -> None:
    frame = lottery()
    assert np.isnan(judged(frame, level=0.9)["tf_critical"])
    assert np.isfinite(judged(frame)["tf_critical"])
    narrow, wide = judged(frame, level=0.9), judged(frame)
    assert narrow["ar_high"] - narrow["ar_low"] < wide["ar_high"] - wide["ar_low"]


@pytest.mark.parametrize(
    "design",
    [
        Design(block_weights="treated"),
        Design(block_weights="strata_fe"),
        Design(shares="superpopulation"),
        Design(method="ipw"),
        Design(clusters="village"),
    ],
)
def test_every_design_and_its_own_inference_gives_ends_at_which_it_just_accepts(design) -> None:
    """y - θd as an outcome of its own, under the design's default inference: p is .05 there."""
    frame = lottery(winners=0.5, losers=0.1)
    if design.clusters is not None:
        won = (frame["village"] // 2) % 2
        trained = won * (np.arange(400) % 5 < 3)
        frame = frame.assign(won=won, block=frame["village"] % 2, trained=trained)
    row = judged(frame, design)
    for theta in (row["ar_low"], row["ar_high"]):
        moved = frame.assign(moved=frame["income"] - theta * frame["trained"])
        found = pe.lottery.itt(panel_of(moved), "moved", design).findings().frame.iloc[0]
        assert found["p_value"] == pytest.approx(0.05, rel=1e-7)


def test_waves_pooled_are_clustered_by_person() -> None:
    frame = lottery()
    frame = pd.concat([frame.assign(wave=t, trained=frame["trained"] * (t > 0)) for t in range(3)])
    panel = panel_of(frame, wave="wave", baseline=0)
    apart = weak_instrument(panel, "income").frame
    assert list(apart["wave"]) == [1, 2]
    pooled = weak_instrument(panel, "income", pooled=True).frame.iloc[0]
    assert pooled["wave"] == "pooled"
    assert "unit" in pooled["inference"]


@pytest.mark.parametrize(
    "inference",
    [pe.Classical(), pe.MultiplierBootstrap(), pe.Robust("HC2", reference="welch")],
)
def test_an_inference_that_does_not_hold_for_every_value_is_refused(inference) -> None:
    with pytest.raises(UsageError, match="cannot use"):
        judged(lottery(), inference=inference)


def test_a_lone_winner_has_no_variance_and_the_row_says_why() -> None:
    frame = lottery()
    frame = frame[(frame["block"] > 0) | (frame["won"] == 0) | (frame.index < 3)]
    row = judged(frame)
    assert np.isfinite(row["estimate"])
    assert np.isnan(row["ar_low"])
    assert row["verdict"] == "not known"
    assert "one unit" in row["status"]


def test_it_prints_one_line_a_row_and_the_inference() -> None:
    found = weak_instrument(panel_of(lottery()), "income")
    text = repr(found)
    assert "strong" in text
    assert "inference: HC2" in text
    assert "<table" in found._repr_html_()
    assert found.tidy() is not found.frame


# --- several instruments ---


def test_by_block_the_estimate_weighs_blocks_by_squared_take_up() -> None:
    """By hand: Σ n p (1 - p) F_b N_b over Σ n p (1 - p) F_b²."""
    frame = lottery(n=400, winners=0.5)
    frame.loc[(frame["block"] == 0) & (frame["won"] == 1), "trained"] = 1
    top = fell = 0.0
    for _, block in frame.groupby("block"):
        p = block["won"].mean()
        means = block.groupby("won")[["income", "trained"]].mean()
        N, F = means.loc[1] - means.loc[0]
        weight = len(block) * p * (1 - p)
        top, fell = top + weight * F * N, fell + weight * F * F
    found = pe.lottery.late(panel_of(frame), "income", BY_BLOCK)
    np.testing.assert_allclose(found.theta[0], top / fell, rtol=1e-10)
    assert found.index["estimand"][0] == "LATE"
    assert "squared" in found.index["weighting"][0]
    # its untreated mean: the same weights on what y (1 - d) loses by the offer
    assert 40 < found.counts["comparison_mean"][0] < 65


def test_with_one_block_by_block_is_the_ratio() -> None:
    frame = lottery(n_blocks=1)
    ratio, by_block = (
        pe.lottery.late(panel_of(frame), "income", d).findings().frame.iloc[0]
        for d in (Design(), BY_BLOCK)
    )
    for name in ("estimate", "std_error", "df", "comparison_mean"):
        assert by_block[name] == pytest.approx(ratio[name], rel=1e-9)
    assert by_block["estimand"] == ratio["estimand"] == "ATT"
    row = judged(frame, BY_BLOCK)
    assert row["instruments"] == 1
    assert np.isnan(row["j_p_value"])
    assert np.isfinite(row["tf_critical"])


def test_blocks_with_opposite_effects_fail_the_over_identification_test() -> None:
    frame = lottery(n=800, winners=0.8)
    agreeing = judged(frame, BY_BLOCK)
    assert agreeing["j_df"] == 3
    assert agreeing["j_p_value"] > 0.05
    frame["income"] += 20 * frame["trained"] * np.where(frame["block"] % 2, 1, -1)
    opposed = judged(frame, BY_BLOCK)
    assert opposed["j_p_value"] < 1e-6
    assert opposed["ar_shape"] == "empty"
    assert opposed["ar_set"] == "no value"
    assert np.isnan(opposed["tf_critical"])


def test_clusters_within_blocks_and_across_them_are_both_taken() -> None:
    frame = lottery(n=960)
    frame["trained"] = frame["won"] * (np.random.default_rng(6).random(960) < 0.7)
    frame["inside"] = frame["block"] * 100 + np.arange(960) // 48
    frame["across"] = np.arange(960) // 24
    panel = panel_of(frame, clusters=("inside", "across"))
    inside, across = (
        weak_instrument(panel, "income", BY_BLOCK, inference=pe.Clustered(by)).frame.iloc[0]
        for by in ("inside", "across")
    )
    for row in (inside, across):
        assert row["status"] == "ok"
        assert row["ar_low"] < row["estimate"] < row["ar_high"]
    frame["few"] = np.arange(960) // 240
    few = weak_instrument(
        panel_of(frame, clusters="few"), "income", BY_BLOCK, inference=pe.Clustered("few")
    ).frame.iloc[0]
    assert "clusters are too few" in few["status"]
    assert np.isnan(few["ar_p_value"])


def test_blocks_too_small_for_a_joint_test_keep_their_estimate() -> None:
    row = judged(lottery(n=64, winners=0.5, n_blocks=16), BY_BLOCK)
    assert np.isfinite([row["estimate"], row["f_effective"]]).all()
    assert np.isnan(row["ar_p_value"])
    assert "too few people" in row["status"]


@pytest.mark.parametrize(
    "design",
    [
        Design(instruments="offer_by_block", block_weights="treated"),
        Design(instruments="offer_by_block", shares="superpopulation"),
        Design(instruments="offer_by_block", lone_arms="pashley_miratrix"),
    ],
)
def test_choices_without_a_place_in_that_regression_are_refused(design) -> None:
    with pytest.raises(UsageError, match="offer_by_block"):
        pe.lottery.late(panel_of(lottery()), "income", design)


def test_an_offer_that_moves_nobody_in_any_block_has_no_estimate() -> None:
    frame = lottery(winners=0.2, losers=0.2, effect=0.0)
    with pytest.raises(NotEstimableError, match="in no block"):
        pe.lottery.late(panel_of(frame), "income", BY_BLOCK)
    row = judged(frame, BY_BLOCK)
    assert np.isnan(row["estimate"])
    assert row["ar_shape"] == "whole line"
    assert row["f_effective"] == pytest.approx(0.0)


def test_repeated_covariates_are_named() -> None:
    frame = lottery().assign(age=np.arange(400) % 37)
    frame["months"] = 12 * frame["age"]
    design = Design(instruments="offer_by_block", covariates=("age", "months"))
    with pytest.raises(NotEstimableError, match="age, months"):
        pe.lottery.late(panel_of(frame), "income", design)
