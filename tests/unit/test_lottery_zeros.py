"""Outcomes with zeros: each part against numbers made another way, and what is refused."""

import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

import prakerja_eval as pe
from prakerja_eval.errors import CollinearityError, NotEstimableError, UsageError
from prakerja_eval.lottery.transform import net_of_transfers, transformed
from prakerja_eval.lottery.zeros import PARTS, zeros
from prakerja_eval.numerics.poisson_blocks import poisson_blocks


def people(n=600, n_blocks=4, seed=3):
    """Earnings of zero for a third; odds from .3 to .6; two villages in five are drawn whole."""
    rng = np.random.default_rng(seed)
    block = np.arange(n) % n_blocks
    won = rng.random(n) < np.array([0.3, 0.6, 0.5, 0.4])[block % 4]
    earns = rng.random(n) < 0.6 + 0.1 * won
    income = np.where(earns, np.round(np.exp(rng.normal(7 + 0.2 * won + 0.3 * block, 1))), 0.0)
    return pd.DataFrame(
        {
            "id": [f"SYN-{i:06d}" for i in range(n)],
            "won": won.astype(int),
            "block": block,
            "age": rng.integers(18, 60, n),
            "income": income,
        }
    )


def panel_of(frame, **roles):
    return pe.read_panel(frame, pe.Roles(unit="id", offer="won", **roles))


def row(estimate, part):
    """Return one part's row of the tidy frame."""
    frame = estimate.tidy()
    return frame[[s.startswith(SAID[part]) for s in frame["specification"]]].iloc[0]


SAID = {
    "levels": "levels, unit",
    "percent": "share of the comparison mean",
    "poisson": "Poisson",
    "extensive": "share with any",
    "intensive": "levels among",
    "winsorised": "winsorised at",
}


def cells_of(frame):
    """Return mean, variance and size of the income by block (rows) and arm (columns)."""
    found = frame.groupby(["block", "won"])["income"].agg(["mean", "var", "size"])
    return {name: found[name].to_numpy().reshape(-1, 2) for name in found}


def test_the_six_parts_are_the_default_and_come_in_the_order_asked():
    panel = panel_of(people())
    assert len(zeros(panel, "income")) == len(PARTS) == 6
    asked = zeros(panel, "income", parts=("extensive", "levels"))
    assert list(asked.index["estimand"]) == ["ITT on any", "ITT"]


def test_levels_are_the_itt():
    panel = panel_of(people(), blocks="block")
    mine = pe.infer(zeros(panel, "income", parts="levels")).frame
    itt = pe.infer(pe.lottery.itt(panel, "income")).frame
    columns = ["estimate", "std_error", "df", "n", "n_treated", "comparison_mean"]
    pd.testing.assert_frame_equal(mine[columns], itt[columns], check_exact=True)


def test_percent_is_the_itt_over_the_comparison_mean_with_the_variance_of_both():
    frame = people()
    found = row(zeros(panel_of(frame, blocks="block"), "income", parts=("percent",)), "percent")
    cells = cells_of(frame)
    share = frame.groupby("block").size().to_numpy() / len(frame)
    m1, m0 = (float(share @ cells["mean"][:, z]) for z in (1, 0))
    r = m1 / m0 - 1
    # r = Σ s m1 / Σ s m0 - 1: the slope in a winner's mean is s / m0, in a loser's -(1 + r) s / m0
    variance = share**2 @ (
        cells["var"][:, 1] / cells["size"][:, 1]
        + (1 + r) ** 2 * cells["var"][:, 0] / cells["size"][:, 0]
    )
    np.testing.assert_allclose(found["estimate"], r, rtol=1e-12)
    np.testing.assert_allclose(found["std_error"], np.sqrt(variance) / m0, rtol=1e-12)
    np.testing.assert_allclose(found["comparison_mean"], m0, rtol=1e-12)


@pytest.mark.parametrize("model", ["ancova", "lin"])
def test_percent_with_covariates_is_the_adjusted_itt_over_the_mean_by_the_same_regression(model):
    frame = people()
    design = pe.lottery.Design(covariates="age", covariate_model=model)
    panel = panel_of(frame, blocks="block")
    found = row(zeros(panel, "income", design, parts=("percent",)), "percent")
    itt = pe.lottery.itt(panel, "income", design).theta[0]
    np.testing.assert_allclose(found["estimate"] * found["comparison_mean"], itt, rtol=1e-10)
    unadjusted = zeros(panel, "income", parts=("percent",)).counts["comparison_mean"].iloc[0]
    assert found["comparison_mean"] == pytest.approx(unadjusted, rel=0.02)


def test_poisson_in_one_block_is_the_percent_row_to_the_last_digits():
    estimate = zeros(panel_of(people()), "income", parts=("percent", "poisson"))
    found = estimate.tidy()
    assert found["estimate"][0] == pytest.approx(found["estimate"][1], rel=1e-12)
    assert found["std_error"][0] == pytest.approx(found["std_error"][1], rel=1e-12)
    assert found["df"][0] == found["df"][1]
    assert list(found["weighting"]) == ["people per block"] * 2


def dummies(frame, columns):
    return np.column_stack(
        [frame[columns].to_numpy(float)]
        + [(frame["block"] == b).to_numpy(float) for b in frame["block"].unique()]
    )


@pytest.mark.parametrize("covariates", [(), ("age",)])
def test_poisson_with_blocks_is_the_fit_with_a_dummy_for_every_block(covariates):
    frame = people()
    design = pe.lottery.Design(shares="superpopulation", covariates=covariates)
    panel = panel_of(frame, blocks="block")
    estimate = zeros(panel, "income", design, parts=("poisson",))
    X = dummies(frame, ["won", *covariates])
    fit = sm.GLM(frame["income"], X, sm.families.Poisson()).fit(tol=1e-14, cov_type="HC0")
    ratio = np.exp(fit.params.iloc[0])
    np.testing.assert_allclose(estimate.theta[0], ratio - 1, rtol=1e-8)
    found = pe.infer(estimate, pe.Robust("HC0", reference="normal")).frame
    np.testing.assert_allclose(found["std_error"][0], ratio * fit.bse.iloc[0], rtol=1e-8)
    assert estimate.index["weighting"][0] == "blocks as a Poisson fit weighs them"


def test_poisson_at_fixed_shares_has_neymans_variance_of_the_cell_means():
    frame = people()
    found = row(zeros(panel_of(frame, blocks="block"), "income", parts=("poisson",)), "poisson")
    cells = cells_of(frame)
    W0, W1 = cells["size"].T

    def ratio(m1, m0):
        low, high = 0.01, 100.0
        for _ in range(200):  # bisection of Σ W1 W0 (m1 - e m0) / (W1 e + W0) = 0
            e = (low * high) ** 0.5
            above = (W1 * W0 * (m1 - e * m0) / (W1 * e + W0)).sum() > 0
            low, high = (e, high) if above else (low, e)
        return e

    m0, m1 = cells["mean"].T
    np.testing.assert_allclose(found["estimate"], ratio(m1, m0) - 1, rtol=1e-10)
    variance = 0.0
    for b in range(4):
        step = np.where(np.arange(4) == b, 1e-3, 0.0)
        for z, slope in (
            (1, (ratio(m1 + step, m0) - ratio(m1 - step, m0)) / 2e-3),
            (0, (ratio(m1, m0 + step) - ratio(m1, m0 - step)) / 2e-3),
        ):
            variance += slope**2 * cells["var"][b, z] / cells["size"][b, z]
    # the slopes are differences of bisected numbers: 1e-16 over a step of 1e-6 of the means
    np.testing.assert_allclose(found["std_error"], np.sqrt(variance), rtol=1e-6)


def test_a_block_of_zeros_tells_a_poisson_fit_nothing():
    frame = people()
    frame.loc[frame["block"] == 2, "income"] = 0.0
    panel = panel_of(frame, blocks="block")
    whole = zeros(panel, "income", parts=("poisson",))
    part = zeros(panel.where(block=[0, 1, 3]), "income", parts=("poisson",))
    np.testing.assert_allclose(whole.theta, part.theta, rtol=1e-12)
    assert whole.tidy()["std_error"][0] == pytest.approx(part.tidy()["std_error"][0], rel=1e-12)


def test_the_margins_are_a_difference_of_shares_and_one_among_earners_that_says_what_it_is():
    frame = people()
    estimate = zeros(panel_of(frame), "income")
    any_income = (frame["income"] > 0).groupby(frame["won"]).mean()
    extensive, intensive = row(estimate, "extensive"), row(estimate, "intensive")
    assert extensive["estimate"] == pytest.approx(any_income[1] - any_income[0], rel=1e-12)
    earners = frame[frame["income"] > 0]
    means = earners.groupby("won")["income"].mean()
    assert intensive["estimate"] == pytest.approx(means[1] - means[0], rel=1e-12)
    assert intensive["n"] == len(earners)
    assert "no effect" in intensive["status"]
    assert "Lee bounds" in intensive["status"]
    assert np.isfinite(intensive["std_error"])


def two_waves():
    first = people().assign(wave=1)
    second = people(seed=4).assign(wave=2, won=first["won"], age=first["age"])
    second["income"] *= 3
    return pd.concat([first, second], ignore_index=True)


def test_the_cut_is_one_for_both_arms_all_blocks_and_the_waves_asked_for():
    frame = two_waves()
    panel = panel_of(frame, wave="wave", blocks="block")
    both = zeros(panel, "income", parts=("winsorised",), quantile=0.9)
    cut = np.sort(frame["income"])[int(np.ceil(0.9 * len(frame))) - 1]
    assert all(f"winsorised at {cut:g}, quantile 0.9" in s for s in both.index["specification"])
    capped = panel_of(
        frame.assign(income=frame["income"].clip(upper=cut)), wave="wave", blocks="block"
    )
    np.testing.assert_allclose(both.theta, pe.lottery.itt(capped, "income").theta, rtol=1e-12)
    later = zeros(panel, "income", parts=("winsorised",), quantile=0.9, waves=[2])
    second = frame.loc[frame["wave"] == 2, "income"]
    own = np.sort(second)[int(np.ceil(0.9 * len(second))) - 1]
    assert f"winsorised at {own:g}" in later.index["specification"][0]


def test_the_transformed_column_has_the_same_cut_and_goes_into_any_estimator():
    panel = panel_of(two_waves(), wave="wave", blocks="block")
    capped = transformed(panel, "income", "winsorised", quantile=0.9)
    there = zeros(panel, "income", parts=("winsorised",), quantile=0.9)
    here = pe.lottery.itt(capped, "winsorised(income)")
    np.testing.assert_allclose(here.theta, there.theta, rtol=1e-14)
    assert "is set to" in capped.notes[-1].message
    assert "winsorised(income)" not in panel.frame.columns


@pytest.mark.parametrize("kind", ["log1p", "asinh"])
def test_logs_with_zeros_are_refused_with_the_reason_unless_forced_and_then_flagged(kind):
    panel = panel_of(people())
    with pytest.raises(NotEstimableError, match=r"unit of the outcome.*Chen and Roth 2024"):
        transformed(panel, "income", kind)
    with pytest.raises(NotEstimableError, match=r"depends on the unit.*Chen and Roth 2024"):
        zeros(panel, "income", parts=("levels", kind))
    forced = transformed(panel, "income", kind, force=True)
    name = f"{kind}(income)"
    values = {"log1p": np.log1p, "asinh": np.arcsinh}[kind](panel.frame["income"])
    np.testing.assert_array_equal(forced.frame[name], values)
    assert "depends on the unit" in forced.notes[-1].message
    assert "depends on the unit" in zeros(forced, name, parts=("levels",)).counts["status"][0]


def test_a_forced_asinh_moves_with_the_unit_and_the_parts_of_zeros_do_not():
    frame = people()
    answers, shares = [], []
    for unit in (1, 1000):
        panel = panel_of(frame.assign(income=frame["income"] * unit), blocks="block")
        forced = transformed(panel, "income", "asinh", force=True)
        answers.append(pe.lottery.itt(forced, "asinh(income)").theta[0])
        shares.append(zeros(panel, "income", parts=("percent", "poisson", "extensive")).theta)
    np.testing.assert_allclose(shares[1], shares[0], rtol=1e-10)
    extensive = shares[0][2]
    # far from zero asinh(y) is log(2 y): a thousandfold adds log(1000) wherever y > 0
    assert answers[1] - answers[0] == pytest.approx(np.log(1000) * extensive, rel=1e-3)


def test_log_is_refused_where_a_value_is_zero_and_made_where_none_is():
    frame = people()
    with pytest.raises(NotEstimableError, match="no longer alike"):
        transformed(panel_of(frame), "income", "log")
    above = panel_of(frame.assign(income=frame["income"] + 1.0))
    made = transformed(above, "income", "log").frame["log(income)"]
    np.testing.assert_allclose(made, np.log(frame["income"] + 1.0))
    with pytest.raises(NotEstimableError, match="kind='log', since no value is zero"):
        transformed(above, "income", "asinh")


def test_a_part_without_an_answer_is_nan_with_its_reason_and_leaves_the_others_alone():
    frame = people()
    frame.loc[frame["won"] == 1, "income"] = 0.0
    found = zeros(panel_of(frame), "income")
    assert "no winner has a value above zero" in row(found, "poisson")["status"]
    assert np.isnan(row(found, "poisson")["estimate"])
    assert row(found, "percent")["estimate"] == pytest.approx(-1.0)
    assert "of values above zero" in row(found, "intensive")["status"]
    assert row(found, "levels")["status"] == "ok"
    frame["income"] = 1.0 * (frame["won"] == 1) * (frame["age"] > 50)
    assert "not above zero" in row(zeros(panel_of(frame), "income"), "percent")["status"]


def test_losses_leave_levels_percent_and_the_cap_and_nothing_that_needs_zero_or_more():
    frame = people()
    frame.loc[5, "income"] = -100.0
    found = zeros(panel_of(frame), "income").tidy()
    answered = found["estimate"].notna().tolist()
    assert answered == [True, True, False, False, False, True]
    assert (
        found["status"][2]
        == "1 values are negative: a ratio and 'any' are for outcomes of zero or more"
    )


def test_a_covariate_that_does_not_vary_within_blocks_is_named():
    frame = people().assign(twice=lambda f: 2 * f["block"])
    design = pe.lottery.Design(covariates=("age", "twice"))
    found = zeros(panel_of(frame, blocks="block"), "income", design)
    assert found.counts["status"][2].startswith("twice depends on the blocks")
    assert "depend on each other or on the blocks" in found.counts["status"][0]


def test_a_cut_at_the_least_value_is_refused():
    found = zeros(panel_of(people()), "income", parts=("winsorised",), quantile=0.1)
    assert np.isnan(found.theta[0])
    assert "nothing is left" in found.counts["status"][0]
    with pytest.raises(UsageError, match=r"quantile is 1\.5"):
        zeros(panel_of(people()), "income", quantile=1.5)


def test_by_odds_percent_is_the_ratio_of_weighted_means_and_poisson_sends_there():
    frame = people().assign(odds=lambda f: np.array([0.3, 0.6, 0.5, 0.4])[f["block"]])
    panel = panel_of(frame, probability="odds")
    found = zeros(panel, "income", pe.lottery.Design(method="ipw"), parts=("percent", "poisson"))
    weight = np.where(frame["won"] == 1, 1 / frame["odds"], 1 / (1 - frame["odds"]))
    means = [np.average(frame["income"], weights=weight * (frame["won"] == z)) for z in (0, 1)]
    assert found.theta[0] == pytest.approx(means[1] / means[0] - 1, rel=1e-12)
    assert "read 'percent'" in found.counts["status"][1]


def test_a_lottery_drawn_by_village_has_an_inference_for_every_part():
    frame = people(n=800)
    frame["village"] = frame.index // 4 % 40
    frame["won"] = frame["village"] % 2
    panel = panel_of(frame, clusters="village")
    plain = pe.lottery.Design(clusters="village")
    found = zeros(panel, "income", plain).tidy()
    assert found["std_error"].notna().all()
    assert set(found["inference"]) == {"clustered by village (CR2, satterthwaite)"}
    adjusted = pe.lottery.Design(clusters="village", covariates=("age",))
    found = zeros(panel, "income", adjusted).tidy()
    assert found["std_error"].notna().all()
    assert found["inference"][2] == "clustered by village (G, t)"


@pytest.mark.parametrize(
    ("transfers", "said"), [("net", "net of the programme's own cash"), ("gross", "with the")]
)
def test_rows_say_whether_income_contains_the_programmes_cash(transfers, said):
    found = zeros(panel_of(people()), "income", transfers=transfers)
    assert all(said in s for s in found.index["specification"])
    unsaid = zeros(panel_of(people()), "income")
    assert not any("cash" in s for s in unsaid.index["specification"])
    with pytest.raises(UsageError, match="'net', 'gross'"):
        zeros(panel_of(people()), "income", transfers="yes")


def test_income_net_of_cash_is_the_difference_and_refuses_cash_that_cannot_be_in_it():
    frame = people()
    frame["cash"] = 600.0 * frame["won"]
    frame["gross"] = frame["income"] + frame["cash"]
    net = net_of_transfers(panel_of(frame), "gross", "cash")
    np.testing.assert_allclose(net.frame["gross net of cash"], frame["income"])
    with pytest.raises(NotEstimableError, match="larger than 'income'"):
        net_of_transfers(panel_of(frame), "income", "cash")
    frame.loc[3, "cash"] = np.nan
    with pytest.raises(NotEstimableError, match="missing in 1 rows"):
        net_of_transfers(panel_of(frame), "gross", "cash")
    with pytest.raises(UsageError, match="already"):
        net_of_transfers(net, "gross", "cash")


def test_a_column_that_never_varies_within_blocks_or_only_where_y_is_zero_has_no_poisson_fit():
    frame = people()
    y, block = frame["income"].to_numpy(), frame["block"].to_numpy()
    won, ones = frame["won"].to_numpy(float), np.ones(len(frame))
    with pytest.raises(CollinearityError) as refusal:
        poisson_blocks(y, np.column_stack([won, 0.1 * block]), block, ones)
    assert refusal.value.column == 1
    lonely = (y == 0).astype(float)
    with pytest.raises(NotEstimableError, match=re.escape("found only where the outcome is zero")):
        poisson_blocks(y, np.column_stack([won, lonely]), block, ones)
