"""Does weighting for response find the effect on everyone where answers are missing at random?

Witnesses: statsmodels' logit with blocks written out as columns, and simulations with the truth.
The influence is held to the law in tests/laws.
"""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import expit

import prakerja_eval as pe
from prakerja_eval.errors import CollinearityError, NotEstimableError, UsageError
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.response import response_weighted
from prakerja_eval.numerics.logit_cells import logit_cells
from prakerja_eval.numerics.response import People
from prakerja_eval.numerics.response import response_weighted as kernel

ODDS = np.array([0.2, 0.35, 0.5, 0.6])


def people(n=2_000, seed=3):
    """A lottery in which the poor answer less, and the poor who won least of all."""
    rng = np.random.default_rng(seed)
    block = rng.integers(0, 4, n)
    won = (rng.random(n) < ODDS[block]).astype(float)
    poor = rng.normal(size=n)
    income = 5.0 + block - 2.0 * poor + won * (1.0 + 0.8 * poor) + rng.normal(size=n)
    chance = expit(1.0 + 0.3 * block - 0.5 * poor - 0.7 * won * poor)
    return pd.DataFrame(
        {
            "id": [f"SYN-{i:06d}" for i in range(n)],
            "block": block,
            "won": won,
            "poor": poor,
            "age": rng.uniform(18, 64, n),
            "full": income,
            "income": np.where(rng.random(n) < chance, income, np.nan),
            "village": [f"v{k:02d}" for k in rng.integers(0, 60, n)],
            "weight": rng.integers(1, 4, n).astype(float),
        }
    )


def panel_of(frame, **roles):
    return pe.read_panel(frame, pe.Roles(unit="id", offer="won", blocks="block", **roles))


def by_hand(frame, weight):
    """Blocks written out, statsmodels' logit in each arm, weighted means in each cell."""
    frame = frame.assign(w=weight, answered=frame.income.notna().astype(float))
    parts = []
    for _, arm in frame.groupby("won"):
        X = np.column_stack([pd.get_dummies(arm.block).astype(float), arm[["poor", "age"]]])
        model = sm.GLM(arm.answered, X, family=sm.families.Binomial(), freq_weights=arm.w)
        parts.append(arm.assign(p=model.fit(tol=1e-13).fittedvalues))
    seen = pd.concat(parts).dropna(subset="income").assign(omega=lambda f: f.w / f.p)
    theta = 0.0
    for b, cell in seen.groupby("block"):
        won, lost = (cell[cell.won == z] for z in (1, 0))
        gap = np.average(won.income, weights=won.omega) - np.average(
            lost.income, weights=lost.omega
        )
        theta += gap * frame.w[frame.block == b].sum() / frame.w.sum()
    return theta


@pytest.mark.parametrize("weighted", [False, True], ids=["each alike", "sampling weights"])
def test_the_estimate_is_that_of_a_logit_written_out(weighted):
    frame = people()
    panel = panel_of(frame, weight="weight") if weighted else panel_of(frame)
    found = response_weighted(panel, "income", ["poor", "age"])
    expected = by_hand(frame, frame.weight if weighted else 1.0)
    # statsmodels stops its iteration by the deviance, which leaves about 1e-9
    assert found.theta[0] == pytest.approx(expected, rel=1e-8)


def test_it_finds_the_effect_on_everyone_where_the_respondents_alone_do_not():
    frame = people(60_000, seed=1)
    panel = panel_of(frame)
    truth = 1.0 + 0.8 * frame.poor.mean()
    weighted = response_weighted(panel, "income", ["poor"]).tidy().iloc[0]
    plain = pe.lottery.itt(panel, "income").tidy().iloc[0]
    assert abs(weighted["estimate"] - truth) < 3 * weighted["std_error"]
    assert abs(plain["estimate"] - truth) > 5 * plain["std_error"]


@pytest.mark.witness
def test_influence_has_the_spread_of_the_estimates():
    draws = np.array([_one_draw(seed) for seed in range(400)])
    error, se = draws[:, 0] - 1.0, draws[:, 1]
    # three Monte Carlo standard errors: 400 draws give a standard deviation to 3.5 %
    assert abs(se.mean() / error.std(ddof=1) - 1) < 0.106
    assert abs(error.mean()) < 3 * error.std(ddof=1) / np.sqrt(400)


def _one_draw(seed):
    frame = people(800, seed=1_000 + seed)
    won, block, poor = (frame[c].to_numpy() for c in ("won", "block", "poor"))
    answered = frame.income.notna().to_numpy()
    everyone = People(answered, won, block, poor[:, None], np.ones(800))
    found = kernel(frame.income.to_numpy(), everyone, np.ones(800), by_block=True)
    return found.theta, np.sqrt(np.sum((found.psi + found.psi_share) ** 2))


def test_where_everybody_answered_it_is_the_itt():
    frame = people(300)
    panel = panel_of(frame)
    found = response_weighted(panel, "full", ["poor"]).tidy().iloc[0]
    plain = pe.lottery.itt(panel, "full").tidy().iloc[0]
    for column in ("estimate", "std_error", "p_value", "comparison_mean", "n", "n_treated", "df"):
        assert found[column] == pytest.approx(plain[column], rel=1e-10)


def test_an_arm_of_a_block_in_which_everybody_answered_needs_no_weights():
    frame = people()
    whole = (frame.block == 1) & (frame.won == 1)
    frame["income"] = frame.income.where(~whole, frame.full)
    found = response_weighted(panel_of(frame), "income", ["poor"])
    # twice the covariate there changes nothing: its people take no part in the logit
    moved = frame.assign(poor=np.where(whole, 2 * frame.poor, frame.poor))
    again = response_weighted(panel_of(moved), "income", ["poor"])
    assert again.theta[0] == pytest.approx(found.theta[0], rel=1e-12)


def test_small_blocks_share_an_intercept_in_each_arm_and_the_index_says_so():
    frame = people(900)
    frame["block"] = np.arange(900) // 30
    few = response_weighted(panel_of(frame), "income", ["poor"])
    assert "one intercept for each arm" in few.index["specification"].iloc[0]
    many = response_weighted(panel_of(people()), "income", ["poor"])
    assert "one intercept for each block" in many.index["specification"].iloc[0]
    for found in (few, many):
        assert "missing at random" in found.index["specification"].iloc[0]


def test_shares_are_those_of_everyone_who_was_drawn():
    frame = people()
    found = response_weighted(panel_of(frame), "income", ["poor"])
    scores = response_weighted(
        panel_of(frame), "income", ["poor"], Design(shares="superpopulation")
    )
    by_block = [
        response_weighted(panel_of(frame[frame.block == b]), "income", ["poor"]).theta[0]
        for b in range(4)
    ]
    # one block at a time the logit has other slopes, so the shares are read from the influence
    beyond = (scores.psi - found.psi)[:, 0] * len(frame)
    effects = pd.Series(beyond).groupby(frame.block.to_numpy()).agg(["min", "max"])
    np.testing.assert_allclose(effects["min"], effects["max"], rtol=1e-9)
    assert beyond.sum() == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(effects["min"] + found.theta[0], by_block, atol=0.1)
    treated = response_weighted(
        panel_of(frame), "income", ["poor"], Design(block_weights="treated")
    )
    block_effects = effects["min"].to_numpy() + found.theta[0]
    winners = frame.groupby("block").won.sum().to_numpy()
    assert treated.theta[0] == pytest.approx(block_effects @ winners / winners.sum(), rel=1e-10)
    assert treated.index["population"].iloc[0] == "winners"


def test_each_wave_is_weighted_by_its_own_response():
    frame = people()
    long = pd.concat(
        [
            frame.assign(wave=2019, income=frame.full - frame.won),
            frame.assign(wave=2020),
            frame.assign(wave=2021, income=frame.income.where(frame.age > 25)),
        ]
    )
    panel = panel_of(long, wave="wave", baseline=2019)
    found = response_weighted(panel, "income", ["income@2019"])
    assert found.index["wave"].tolist() == [2020, 2021]
    assert found.counts["n"].tolist() == [
        frame.income.notna().sum(),
        (frame.income.notna() & (frame.age > 25)).sum(),
    ]


def test_where_clusters_were_drawn_they_are_the_independent_units():
    frame = people()
    code = frame.village.str[1:].astype(int)
    frame["block"], frame["won"] = code % 2, (code // 2 % 3 == 0).astype(float)
    panel = panel_of(frame, clusters="village")
    row = response_weighted(panel, "income", ["poor"], Design(clusters="village")).tidy().iloc[0]
    assert "village" in row["inference"]
    assert row["n_clusters"] == 60
    assert np.isfinite(row["std_error"])


def test_a_block_of_which_an_arm_did_not_answer_is_refused_or_dropped():
    frame = people()
    frame.loc[(frame.block == 2) & (frame.won == 1), "income"] = np.nan
    with pytest.raises(NotEstimableError, match=r"1 block\(s\): 2"):
        response_weighted(panel_of(frame), "income", ["poor"])
    dropped = response_weighted(panel_of(frame), "income", ["poor"], Design(empty_arms="drop"))
    rest = response_weighted(panel_of(frame[frame.block != 2]), "income", ["poor"])
    assert dropped.theta[0] == pytest.approx(rest.theta[0], rel=1e-12)
    assert "left out" in dropped.index["specification"].iloc[0]


def test_response_that_a_covariate_decides_is_refused():
    frame = people().assign(phone=lambda f: f.income.notna().astype(float))
    with pytest.raises(NotEstimableError, match="decided by the covariates"):
        response_weighted(panel_of(frame), "income", ["poor", "phone"])


def test_a_covariate_that_repeats_another_is_refused_by_name():
    frame = people().assign(months=lambda f: 12 * f.age)
    with pytest.raises(NotEstimableError, match="'months'"):
        response_weighted(panel_of(frame), "income", ["age", "months"])
    frame["level"] = 2.0 * frame.block
    with pytest.raises(NotEstimableError, match="'level'"):
        response_weighted(panel_of(frame), "income", ["age", "level"])


@pytest.mark.parametrize(
    ("covariates", "options", "message"),
    [
        ([], {}, "names no column"),
        (["poor"], {"covariates": ("age",)}, "none in Design"),
        (["poor"], {"method": "ipw"}, "method='difference'"),
        (["poor"], {"lone_arms": "pashley_miratrix"}, "'refuse' or 'merge'"),
    ],
)
def test_designs_that_adjust_otherwise_are_refused(covariates, options, message):
    with pytest.raises(UsageError, match=message):
        response_weighted(panel_of(people(200)), "income", covariates, Design(**options))


def test_a_logit_with_cells_is_a_logit_with_their_indicators():
    frame = people(500)
    r = frame.income.notna().to_numpy(float)
    cell = frame.block.to_numpy()
    Z = frame[["poor", "age"]].to_numpy() + np.array([0.0, 1e4])
    w = frame.weight.to_numpy()
    found = logit_cells(r, cell, 4, Z, w)
    X = np.hstack([cell[:, None] == np.arange(4), Z - [0.0, 1e4]]).astype(float)
    fit = sm.GLM(r, X, family=sm.families.Binomial(), freq_weights=w).fit(tol=1e-14)
    np.testing.assert_allclose(found.beta, fit.params[4:], rtol=1e-7)
    np.testing.assert_allclose(found.probability, fit.fittedvalues, rtol=1e-8)
    np.testing.assert_allclose(found.bread, fit.cov_params()[4:, 4:], rtol=1e-6)


def test_a_logit_with_cells_refuses_what_has_no_maximum():
    frame = people(200)
    r = frame.income.notna().to_numpy(float)
    cell, w, poor = frame.block.to_numpy(), np.ones(200), frame[["poor"]].to_numpy()
    with pytest.raises(NotEstimableError, match="decided"):
        logit_cells((poor[:, 0] > 0).astype(float), cell, 4, poor, w)
    with pytest.raises(NotEstimableError, match="one value"):
        logit_cells(np.where(cell == 1, 1.0, r), cell, 4, poor, w)
    with pytest.raises(CollinearityError) as caught:
        logit_cells(r, cell, 4, np.column_stack([poor, cell]).astype(float), w)
    assert caught.value.column == 1
