"""Does the omnibus test have the moments that the lottery gives it, and do the rows add up?

Witness: every assignment of small lotteries written out, with the statistic in plain formulas.
"""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest

import prakerja_eval as pe
from prakerja_eval.errors import DataError, UsageError
from prakerja_eval.lottery.balance import balance
from prakerja_eval.lottery.design import Design
from prakerja_eval.numerics.hansen_bowers import hansen_bowers

SIZES, QUOTAS = (6, 5), (3, 2)


def small(seed=8, k=3):
    """Two blocks of 6 and 5 units, with 3 and 2 winners."""
    rng = np.random.default_rng(seed)
    block = np.repeat([0, 1], SIZES)
    X = rng.normal(5, 2, (11, k)) + block[:, None]
    won = np.zeros(11, dtype=bool)
    won[[0, 2, 5, 7, 10]] = True
    return X, won, block


def assignments():
    """Every way in which the small lottery could have gone."""
    first = combinations(range(6), 3)
    second = combinations(range(6, 11), 2)
    for a, b in product(first, second):
        won = np.zeros(11, dtype=bool)
        won[[*a, *b]] = True
        yield won


def sums(X, won, block):
    """Return the winners' sum less its mean, in plain formulas."""
    T = np.zeros(X.shape[1])
    for b in np.unique(block):
        own = block == b
        T += X[own & won].sum(axis=0) - won[own].sum() * X[own].mean(axis=0)
    return T


def exact_covariance(X, block):
    """Return the covariance of the winners' sum over every assignment."""
    every = np.array([sums(X, won, block) for won in assignments()])
    assert np.abs(every.mean(axis=0)).max() < 1e-12
    return every.T @ every / len(every)


def frame_of(X, won, block):
    names = [f"x{j}" for j in range(X.shape[1])]
    frame = pd.DataFrame(X, columns=names)
    return frame.assign(id=[f"SYN-{i}" for i in range(len(X))], won=won.astype(int), block=block)


def panel_of(frame, **roles):
    return pe.read_panel(frame, pe.Roles(unit="id", offer="won", **roles))


def test_the_statistic_is_in_units_of_the_covariance_over_every_assignment():
    X, won, block = small()
    T = sums(X, won, block)
    expected = T @ np.linalg.solve(exact_covariance(X, block), T)
    found = hansen_bowers(X, won, block)
    assert found.statistic == pytest.approx(expected, rel=1e-10)
    assert found.rank == 3


def test_scores_have_mean_zero_and_variance_one_over_every_assignment():
    X, won, block = small()
    scores = hansen_bowers(X, won, block).scores
    every = np.array([scores[other].sum(axis=0) for other in assignments()])
    np.testing.assert_allclose(every.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(every.T @ every / len(every), np.eye(3), atol=1e-12)
    # so the statistic's mean is its degrees of freedom
    assert (every**2).sum(axis=1).mean() == pytest.approx(3, rel=1e-12)


def test_the_p_value_of_a_small_lottery_counts_every_assignment():
    X, won, block = small()
    inverse = np.linalg.inv(exact_covariance(X, block))
    every = [sums(X, other, block) for other in assignments()]
    far = [T @ inverse @ T for T in every]
    here = sums(X, won, block) @ inverse @ sums(X, won, block)
    found = balance(panel_of(frame_of(X, won, block), blocks="block"), ["x0", "x1", "x2"])
    assert found.draws == 200
    assert found.p_randomisation == np.mean(np.array(far) >= here - 1e-9)


def test_random_draws_agree_with_every_assignment():
    X, won, block = small()
    panel = panel_of(frame_of(X, won, block), blocks="block")
    exact = balance(panel, ["x0", "x1"]).p_randomisation
    drawn = balance(panel, ["x0", "x1"], reps=150, seed=3)
    assert drawn.draws == 151
    # three Monte Carlo standard errors of 150 draws
    assert abs(drawn.p_randomisation - exact) < 3 * np.sqrt(exact * (1 - exact) / 150) + 1 / 151
    assert balance(panel, ["x0", "x1"], reps=150, seed=3).p_randomisation == drawn.p_randomisation


def test_where_clusters_are_drawn_the_totals_and_sizes_of_clusters_are_compared():
    X, won, block = small(k=1)
    members = np.array([1, 2, 3, 1, 2, 1, 2, 2, 1, 3, 1])
    cluster = np.repeat(np.arange(11), members)
    rng = np.random.default_rng(2)
    x = X[cluster, 0] + rng.normal(size=len(cluster))
    frame = frame_of(x[:, None], won[cluster], block[cluster])
    frame["village"] = [f"v{c:02d}" for c in cluster]
    panel = panel_of(frame, blocks="block", clusters="village")
    found = balance(panel, "x0", Design(clusters="village"))
    totals = np.column_stack([members, np.bincount(cluster, x)])
    inverse = np.linalg.inv(exact_covariance(totals, block))
    far = [sums(totals, w, block) @ inverse @ sums(totals, w, block) for w in assignments()]
    here = sums(totals, won, block) @ inverse @ sums(totals, won, block)
    assert found.statistic == pytest.approx(here, rel=1e-10)
    assert (found.df, found.draws) == (2, 200)
    assert found.p_randomisation == np.mean(np.array(far) >= here - 1e-9)
    assert "size is one of the covariates" in found.note
    shifted = panel_of(frame.assign(x0=frame.x0 + 1e4), blocks="block", clusters="village")
    again = balance(shifted, "x0", Design(clusters="village"))
    assert again.statistic == pytest.approx(here, rel=1e-6)


def lottery(n=600, seed=5):
    rng = np.random.default_rng(seed)
    block = rng.integers(0, 4, n)
    won = (rng.random(n) < np.array([0.2, 0.3, 0.5, 0.6])[block]).astype(int)
    return pd.DataFrame(
        {
            "id": [f"SYN-{i:04d}" for i in range(n)],
            "block": block,
            "won": won,
            "age": rng.uniform(18, 64, n) + block,
            "weight": rng.uniform(0.5, 2, n),
            "island": rng.choice(["Jawa", "Sumatra", "Papua"], n),
        }
    )


@pytest.mark.parametrize(
    "options", [{}, {"block_weights": "treated"}, {"block_weights": "strata_fe"}], ids=str
)
def test_each_row_is_the_itt_on_the_covariate(options):
    panel = panel_of(lottery(), blocks="block", weight="weight")
    row = balance(panel, ["age"], Design(**options), reps=99).frame.iloc[0]
    witness = pe.lottery.itt(panel, "age", Design(**options)).tidy().iloc[0]
    for mine, theirs in (
        ("difference", "estimate"),
        ("std_error", "std_error"),
        ("p_value", "p_value"),
        ("mean_comparison", "comparison_mean"),
    ):
        assert row[mine] == pytest.approx(witness[theirs], rel=1e-11)
    assert row["mean_treated"] - row["mean_comparison"] == pytest.approx(row["difference"])


def test_the_normalised_difference_divides_by_the_arms_standard_deviations():
    frame = lottery()
    row = balance(panel_of(frame), ["age"], reps=99).frame.iloc[0]
    won, lost = (frame.age[frame.won == z] for z in (1, 0))
    expected = (won.mean() - lost.mean()) / np.sqrt((won.var() + lost.var()) / 2)
    assert row["normalised_difference"] == pytest.approx(expected, rel=1e-12)


def test_text_gives_a_row_a_value():
    found = balance(panel_of(lottery(), blocks="block"), ["island", "age"], reps=99)
    assert found.frame["covariate"].tolist() == ["island[Papua]", "island[Sumatra]", "age"]


def test_covariates_that_repeat_others_cost_no_degree_of_freedom():
    frame = lottery()
    frame = frame.assign(months=12 * frame.age, constant=3.0, by_block=frame.block * 2.0)
    panel = panel_of(frame, blocks="block")
    alone = balance(panel, ["age"], reps=99)
    more = balance(panel, ["months", "constant", "age", "by_block"], reps=99)
    assert more.statistic == pytest.approx(alone.statistic, rel=1e-9)
    assert more.df == alone.df == 1
    assert more.p_randomisation == alone.p_randomisation
    assert "3 of them" in more.note
    flat = more.frame.set_index("covariate").loc["constant"]
    assert flat["difference"] == 0
    assert np.isnan(flat["normalised_difference"])


def test_a_covariate_that_never_varies_leaves_no_test():
    found = balance(panel_of(lottery().assign(k=1.0)), ["k"], reps=99)
    assert found.df == 0
    assert np.isnan(found.p_value)
    assert "No covariate varies" in found.note


def test_as_many_covariates_as_units_leave_no_test():
    X, won, block = small(k=9)
    found = balance(panel_of(frame_of(X, won, block), blocks="block"), [f"x{j}" for j in range(9)])
    # 11 units less 2 blocks: the statistic is 9 whatever is drawn
    every = {round(hansen_bowers(X, other, block).statistic, 8) for other in assignments()}
    assert len(every) == 1
    assert np.isnan(found.p_value)
    assert np.isnan(found.p_randomisation)
    assert "Name fewer covariates" in found.note


def test_merged_blocks_are_drawn_as_the_lottery_drew_them():
    X, won, block = small()
    block = np.where(np.arange(11) < 3, 2, block)  # two blocks of one winner in three
    won = np.zeros(11, dtype=bool)
    won[[0, 3, 6, 7]] = True
    frame = frame_of(X, won, block)
    panel = panel_of(frame, blocks="block")
    merged = balance(panel, ["x0"], Design(lone_arms="merge"))
    plain = balance(panel, ["x0"])
    assert merged.draws == plain.draws == 3 * 3 * 10
    assert merged.p_randomisation == plain.p_randomisation
    assert np.isnan(plain.frame["std_error"].iloc[0])
    assert np.isfinite(merged.frame["std_error"].iloc[0])


def test_the_design_s_own_covariates_and_outcomes_do_not_count():
    frame = lottery().assign(income=np.nan)
    panel = panel_of(frame, blocks="block")
    asked = Design(covariates=("island",), covariate_model="lin")
    assert balance(panel, ["age"], asked, reps=99).frame.equals(
        balance(panel, ["age"], reps=99).frame
    )


def test_the_order_of_people_and_blocks_does_not_matter():
    frame = lottery()
    one = balance(panel_of(frame, blocks="block"), ["age"], reps=199)
    shuffled = frame.sample(frac=1, random_state=1)
    two = balance(panel_of(shuffled, blocks="block"), ["age"], reps=199)
    assert two.statistic == pytest.approx(one.statistic, rel=1e-10)
    assert two.p_randomisation == one.p_randomisation


def test_a_panel_of_a_baseline_alone_is_enough():
    frame = lottery().assign(wave=2019)
    panel = panel_of(frame, blocks="block", wave="wave", baseline=2019)
    assert len(balance(panel, ["age"], reps=99).frame) == 1


def test_the_print_says_the_null_and_both_p_values():
    found = balance(panel_of(lottery(), blocks="block"), ["age"], reps=99)
    assert "did not favour anyone" in repr(found)
    assert "chi-squared" in repr(found)
    assert "100 draws" in found._repr_html_()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"covariates": []}, "names no column"),
        ({"covariates": ["age"], "reps": 10}, "at least 99"),
        ({"covariates": ["age"], "seed": -1}, "whole number"),
        ({"covariates": ["agee"]}, "agee"),
    ],
)
def test_wrong_calls_are_refused(call, message):
    with pytest.raises(UsageError, match=message):
        balance(panel_of(lottery()), **call)


def test_a_missing_covariate_is_refused():
    frame = lottery()
    frame.loc[0, "age"] = np.nan
    with pytest.raises(DataError, match="missing for 1 of 600"):
        balance(panel_of(frame), ["age"])
