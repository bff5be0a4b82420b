"""Are the p-values, sets and families those of going through every way to draw, by hand?

The witness goes through all assignments with itertools and takes each statistic from its
definition; nothing of the kernels is used. Numbers are compared at 1e-9, the tolerance at which
statistics count as ties.
"""

import importlib
from functools import lru_cache
from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.lottery import Design, Redraw, randomise

BLOCK = np.repeat([0, 1, 2], [6, 5, 4])
WON = np.array([1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 1, 0])
VERB = importlib.import_module("prakerja_eval.lottery.randomise")


def outcome(seed=3, effect=0.6):
    rng = np.random.default_rng(seed)
    return rng.normal(size=len(BLOCK)) + effect * WON + BLOCK


def frame_of(y, won=WON, **more):
    ids = [f"SYN-{i:06d}" for i in range(len(y))]
    block = np.array(list("abc"))[BLOCK] if len(y) == len(BLOCK) else "a"
    return pd.DataFrame({"id": ids, "y": y, "won": won, "block": block} | more)


def panel_of(frame, **roles):
    given = {"unit": "id", "offer": "won", "blocks": "block"} | roles
    return pe.read_panel(frame, pe.Roles(**given))


def one(frame, design=None, redraw=None, **roles):
    return randomise(panel_of(frame, **roles), "y", design, redraw)


# --- the witness ----------------------------------------------------------------------------------


def every_way(won, block):
    """Give all assignments with the same number of winners in each block."""
    choices = []
    for b in np.unique(block):
        members = np.flatnonzero(block == b)
        choices.append(list(combinations(members, int(won[members].sum()))))
    for choice in product(*choices):
        z = np.zeros(len(block))
        z[[i for part in choice for i in part]] = 1
        yield z


@lru_cache
def ways(won, block):
    return list(every_way(np.array(won), np.array(block)))


def arms_of(y, z, block):
    """Give the outcomes of winners and losers who were observed, block by block."""
    seen = y == y  # not NaN
    for b in sorted(set(block.tolist())):
        here = seen & (block == b)
        yield y[here & (z == 1)], y[here & (z == 0)]


def by_block(y, z, block, least):
    """Give (n, n1, difference, Neyman variance) of blocks with ``least`` observed in each arm."""
    for a, c in arms_of(y, z, block):
        n, m = len(a), len(c)
        if min(n, m) >= least:
            means = a.sum() / n, c.sum() / m
            squares = ((a - means[0]) ** 2).sum(), ((c - means[1]) ** 2).sum()
            spread = sum(q / k / max(k - 1, 1) for q, k in zip(squares, (n, m), strict=True))
            yield n + m, n, means[0] - means[1], spread


def difference(y, z, block, share=0):
    rows = np.array(list(by_block(y, z, block, 1)))
    return np.nan if not len(rows) else np.average(rows[:, 2], weights=rows[:, share])


def student(y, z, block):
    rows = np.array(list(by_block(y, z, block, 2)))
    if not len(rows):
        return np.nan
    s = rows[:, 0] / rows[:, 0].sum()
    return (s @ rows[:, 2]) / np.sqrt(s**2 @ rows[:, 3])


def van_elteren(y, z, block):
    total = 0.0
    for b in np.unique(block):
        here = (block == b) & np.isfinite(y)
        if 0 < z[here].sum() < here.sum():
            ranks, n = stats.rankdata(y[here]), here.sum()
            expected = z[here].sum() * (n + 1) / 2
            total += (ranks[z[here] == 1].sum() - expected) / (n + 1)
    return total


def smirnov(y, z, block):
    cuts, gap, people = np.unique(y[y == y]), 0.0, 0
    for a, c in arms_of(y, z, block):
        if len(a) and len(c):
            steps = [(v[:, None] <= cuts).sum(axis=0) / len(v) for v in (a, c)]
            gap = gap + (len(a) + len(c)) * (steps[0] - steps[1])
            people += len(a) + len(c)
    return np.abs(gap).max() / people


def brute(statistic, y, won=WON, block=BLOCK):
    """Return the exact two-sided p-value; a way without a statistic counts as extreme."""
    seen = abs(statistic(y, won, block))
    drawn = np.abs([statistic(y, z, block) for z in ways(tuple(won), tuple(block))])
    return float(np.mean(~(drawn < seen * (1 - 1e-9))))


STATISTICS = {
    "difference": difference,
    "studentised": student,
    "rank_sum": van_elteren,
    "kolmogorov_smirnov": smirnov,
}


@pytest.mark.parametrize("name", STATISTICS)
def test_p_is_the_share_of_all_ways_to_draw(name):
    y = outcome()
    found = one(frame_of(y), None, Redraw(statistic=name)).frame.iloc[0]
    assert found.exact
    assert found.n_draws == 15 * 10 * 6
    assert found.p_value == pytest.approx(brute(STATISTICS[name], y), abs=1e-12)
    assert found.statistic == pytest.approx(STATISTICS[name](y, WON, BLOCK), rel=1e-9)


@pytest.mark.parametrize("name", STATISTICS)
def test_everyone_is_drawn_and_a_block_that_a_draw_leaves_without_an_arm_is_left_out(name):
    y = outcome()
    y[[3, 4, 7] if name == "studentised" else [3, 4, 7, 12, 14]] = np.nan
    least = 2 if name == "studentised" else 1
    kept = {len(list(by_block(y, z, BLOCK, least))) for z in ways(tuple(WON), tuple(BLOCK))}
    assert len(kept) > 1  # some draws do lose a block
    found = one(frame_of(y), None, Redraw(statistic=name)).frame.iloc[0]
    assert found.n_assigned == len(y)
    assert found.n == np.isfinite(y).sum()
    assert found.p_value == pytest.approx(brute(STATISTICS[name], y), abs=1e-12)


def test_weights_by_winners_and_a_statistic_of_the_caller():
    y = outcome()
    by_winners = one(frame_of(y), Design(block_weights="treated"), Redraw(statistic="difference"))
    wanted = brute(lambda *a: difference(*a, share=1), y)
    assert by_winners.frame.p_value.item() == pytest.approx(wanted, abs=1e-12)

    def medians(y, arm, block, weight):
        return np.median(y[arm == 1]) - np.median(y[arm == 0])

    own = one(frame_of(y), None, Redraw(statistic=medians))
    wanted = brute(lambda y, z, block: medians(y, z, block, None), y)
    assert own.frame.p_value.item() == pytest.approx(wanted, abs=1e-12)
    assert own.frame.test.item() == "medians"


# --- the statistic is the design's own ------------------------------------------------------------

SMALL = np.repeat([0, 1], [4, 4])
DESIGNS = {
    "people": Design(),
    "winners": Design(block_weights="treated"),
    "strata_fe": Design(block_weights="strata_fe"),
    "ancova": Design(covariates="x"),
    "lin": Design(covariates="x", covariate_model="lin", block_weights="treated"),
    "strata_fe, ancova": Design(covariates="x", block_weights="strata_fe"),
    "strata_fe, lin": Design(covariates="x", covariate_model="lin", block_weights="strata_fe"),
    "ipw": Design(method="ipw"),
    "ipw, ancova": Design(method="ipw", covariates="x"),
}


@pytest.mark.parametrize("name", DESIGNS)
def test_each_draw_has_the_statistic_that_the_table_would_have_shown(name):
    design, rng = DESIGNS[name], np.random.default_rng(5)
    y, x = rng.normal(size=(2, 8))
    lotteries = list(every_way(np.array([1, 1, 0, 0] * 2), SMALL))

    def panel(z):
        block = np.array(["a", "b"])[SMALL]
        frame = frame_of(y, z.astype(int), x=x).assign(block=block)
        return panel_of(frame)

    tables = [
        pe.infer(pe.lottery.itt(panel(z), "y", design), pe.Robust("HC2")).frame.iloc[0]
        for z in lotteries[::9]
    ]
    drawn = randomise(panel(lotteries[0]), "y", design).draws[:, 0]
    # the draws have another order than the ways: each table's t must be among them. Saturated
    # regressions of eight people leave little, so rounding reaches 1e-9 of the largest.
    for table in tables:
        assert np.abs(drawn - table.statistic).min() < 1e-8 * np.abs(drawn).max()
    shown = randomise(panel(lotteries[0]), "y", design, Redraw(statistic="difference"))
    assert shown.frame.estimate.item() == pytest.approx(tables[0].estimate, rel=1e-12)
    for table in tables:
        assert np.abs(shown.draws[:, 0] - table.estimate).min() < 1e-9


def test_pairs_are_studentised_by_the_differences_between_them():
    y = np.random.default_rng(2).normal(size=12)
    pairs = np.repeat(np.arange(6), 2)
    won = np.tile([1, 0], 6)
    frame = frame_of(y, won).assign(block=[f"pair {b}" for b in pairs])
    found = one(frame, Design(lone_arms="pashley_miratrix"))
    gaps = y[won == 1] - y[won == 0]
    wanted = [stats.ttest_1samp(gaps * s, 0).statistic for s in product([1, -1], repeat=6)]
    np.testing.assert_allclose(np.sort(found.draws[:, 0]), np.sort(wanted), rtol=1e-9)
    assert "no spread is seen" in one(frame).frame.status.item()
    assert np.isnan(one(frame).frame.p_value.item())


def test_merged_blocks_are_compared_as_one_and_drawn_apart():
    y = np.random.default_rng(4).normal(size=12)
    block, won = np.repeat([0, 1, 2, 3], 3), np.tile([1, 0, 0], 4)
    frame = frame_of(y, won).assign(block=np.array(list("abcd"))[block])
    found = one(frame, Design(lone_arms="merge"))
    assert found.frame.n_draws.item() == 3**4  # not the 225 ways to draw two of six, twice
    wanted = [student(y, z, block // 2) for z in every_way(won, block)]
    np.testing.assert_allclose(np.sort(found.draws[:, 0]), np.sort(wanted), rtol=1e-9)


# --- clusters -------------------------------------------------------------------------------------


def villages():
    rng = np.random.default_rng(8)
    size = np.array([3, 1, 4, 2, 2, 5, 1, 3])
    village = np.repeat(np.arange(8), size)
    won = np.array([1, 1, 0, 0, 0, 1, 1, 0])[village]
    y = rng.normal(size=8)[village] + rng.normal(size=len(village))
    block = np.array(["a", "a", "a", "a", "a", "b", "b", "b"])[village]
    frame = frame_of(y, won).assign(village=[f"v{v}" for v in village], block=block)
    return frame, village


def cluster_t(y, won, village, z):
    """Give the blocked t whose variance sums residuals by village, times G / (G - 1) by arm."""
    theta, variance, n = 0.0, 0.0, len(y)
    for members in (range(5), range(5, 8)):
        share = np.isin(village, list(members)).sum() / n
        for arm in (1, 0):
            own = [v for v in members if z[v] == arm]
            rows = np.isin(village, own)
            mean = y[rows].mean()
            scores = [(y[village == v] - mean).sum() / rows.sum() for v in own]
            theta += share * (mean if arm else -mean)
            if len(own) > 1:
                variance += share**2 * np.square(scores).sum() * len(own) / (len(own) - 1)
            else:
                return np.nan, theta
    return theta / np.sqrt(variance), theta


def test_whole_clusters_are_drawn():
    frame, village = villages()
    won = np.array([1, 1, 0, 0, 0, 1, 1, 0])
    design = Design(clusters="village")
    found = one(frame, design, Redraw(statistic="difference"), clusters="village")
    blocks = np.repeat([0, 1], [5, 3])
    wanted = [cluster_t(frame.y.to_numpy(), won, village, z)[1] for z in every_way(won, blocks)]
    assert found.frame.n_draws.item() == 10 * 3
    assert found.frame.n_assigned.item() == 8
    np.testing.assert_allclose(np.sort(found.draws[:, 0]), np.sort(wanted), atol=1e-12)


@pytest.mark.parametrize("covariates", [(), ("x",)])
def test_clusters_are_studentised_by_sums_within_them(covariates):
    frame, village = villages()
    frame = frame[frame.block == "a"]
    village = village[village < 5]
    won = np.array([1, 1, 0, 0, 0])
    frame = frame.assign(x=np.random.default_rng(1).normal(size=len(frame)))
    design = Design(clusters="village", covariates=covariates)
    found = one(frame, design, clusters="village")
    y = frame.y.to_numpy()
    wanted = []
    for z in every_way(won, np.zeros(5)):
        arm = z[village]
        X = np.column_stack([np.ones(len(y)), arm, *[frame[c] for c in covariates]])
        b = np.linalg.lstsq(X, y, rcond=None)[0]
        scores = np.linalg.inv(X.T @ X)[1] @ X.T * (y - X @ b)
        sums = np.bincount(village, scores)
        groups = np.where(z == 1, z.sum(), 5 - z.sum())
        wanted.append(b[1] / np.sqrt(np.sum(sums**2 * groups / (groups - 1))))
    np.testing.assert_allclose(np.sort(found.draws[:, 0]), np.sort(wanted), rtol=1e-9)


def test_few_clusters_say_what_no_draw_could_reach():
    rng = np.random.default_rng(6)
    village = np.repeat(np.arange(6), 4)
    frame = frame_of(rng.normal(size=24), (village % 2).astype(int))
    frame["village"] = [f"v{v}" for v in village]
    found = one(frame, Design(clusters="village"), clusters="village").frame.iloc[0]
    assert found.attainable == pytest.approx(2 / 20)
    assert "smallest attainable p-value is 0.1" in found.status
    assert (found.conf_low, found.conf_high) == (-np.inf, np.inf)


# --- exactness ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["studentised", "difference"])
def test_under_the_sharp_null_no_level_is_exceeded_and_attained_levels_are_met(name):
    """Whatever the draw, the set of p-values over all draws is what uniformity asks."""
    y = np.random.default_rng(9).normal(size=7)
    block, found = np.repeat([0, 1], [4, 3]), []
    for z in every_way(np.array([1, 1, 0, 0, 1, 0, 0]), block):
        frame = frame_of(y, z.astype(int)).assign(block=np.array(["a", "b"])[block])
        design = Design(block_weights="strata_fe")
        found.append(one(frame, design, Redraw(statistic=name)).frame.p_value.item())
    p = np.array(found)
    assert len(p) == 18
    for level in np.unique(p):
        assert np.mean(p <= level + 1e-12) == pytest.approx(level, abs=1e-12)


# --- sets of effects ------------------------------------------------------------------------------

GRID = np.linspace(-3, 4, 29) + 0.0123


@pytest.mark.parametrize("name", ["difference", "studentised"])
def test_another_null_is_tested_without_drawing_again(name):
    y = outcome()
    found = one(frame_of(y), None, Redraw(statistic=name))
    for tau in GRID[::10]:
        wanted = brute(STATISTICS[name], y - tau * WON)
        assert found.at(tau).item() == pytest.approx(wanted, abs=1e-12)
        asked = one(frame_of(y), None, Redraw(statistic=name, null=float(tau)))
        assert asked.frame.p_value.item() == pytest.approx(wanted, abs=1e-12)


def edge(p_of, rejected, kept, size):
    """Give where p rises above the size, by halving."""
    assert p_of(rejected) <= size < p_of(kept)
    while abs(kept - rejected) > 1e-9:
        middle = (rejected + kept) / 2
        rejected, kept = (rejected, middle) if p_of(middle) > size else (middle, kept)
    return kept


@pytest.mark.parametrize("name", ["difference", "studentised"])
def test_the_interval_ends_where_the_test_begins_to_reject(name):
    y = outcome()[BLOCK == 0]
    won, block = WON[BLOCK == 0], np.zeros(6)
    found = one(frame_of(y, won), None, Redraw(statistic=name, level=0.8))

    def p_of(tau):
        return brute(STATISTICS[name], y - tau * won, won, block)

    row = found.frame.iloc[0]
    # ties are told apart at 1e-9 of the statistic, so ends are known to about that
    assert row.conf_low == pytest.approx(edge(p_of, -60, row.estimate, 0.2), abs=1e-7)
    assert row.conf_high == pytest.approx(edge(p_of, 60, row.estimate, 0.2), abs=1e-7)


def receipt(weak):
    d = WON.astype(float)
    d[[2, 8]] = 0.0
    d[[9, 11]] = 1.0
    if weak:
        d[[0, 3]] = d[[3, 0]]
    return d


@pytest.mark.parametrize("name", ["difference", "studentised"])
@pytest.mark.parametrize("weak", [False, True])
def test_effects_of_receipt_are_tested_by_what_is_left_without_them(name, weak):
    y, d = outcome(effect=2.0), receipt(weak)
    asked = Redraw(statistic=name, estimand="late")
    found = one(frame_of(y, took=d), None, asked, received="took")
    for tau in GRID[::10]:
        wanted = brute(STATISTICS[name], y - tau * d)
        assert found.at(tau).item() == pytest.approx(wanted, abs=1e-12)
        inside = any(low <= tau <= high for low, high in found.sets[0])
        assert inside == (wanted > 0.05)
    late = pe.lottery.late(panel_of(frame_of(y, took=d), received="took"), "y")
    assert found.frame.estimate.item() == pytest.approx(late.theta[0], rel=1e-12)
    # tau without end tests the first stage: the set is bounded if and only if the offer moved it
    bounded = np.isfinite(found.frame[["conf_low", "conf_high"]].to_numpy()).all()
    assert bounded == (brute(STATISTICS[name], d) <= 0.05)


def test_a_weak_first_stage_leaves_two_rays():
    rng = np.random.default_rng(1)
    won = np.repeat([1, 0], 60)
    took = (rng.random(120) < 0.3 + 0.1 * won).astype(float)
    frame = frame_of(rng.normal(size=120) + 1.2 * won, won, took=took)
    found = one(frame, None, Redraw(estimand="late", reps=999), received="took")
    row = found.frame.iloc[0]
    assert row.p_value < 0.05
    (a, b), (c, d) = found.sets[0]
    assert (a, d) == (-np.inf, np.inf)
    assert b < 0 < c  # no effect of receipt is rejected, since y - 0 d differs between the arms
    assert f"two rays: up to {b:.6g}, and from {c:.6g} on" in row.status


# --- draws and families ---------------------------------------------------------------------------


def family(k=3):
    return frame_of(outcome(1), u=outcome(2, 1.5), v=outcome(7, 0.1) * 100)


def step_down_by_hand(observed, drawn):
    """Give the textbook's loop: the largest of those left, and never less than before."""
    left, p, before = list(range(len(observed))), np.empty(len(observed)), 0.0
    while left:
        top = max(left, key=lambda k: observed[k])
        count = sum(max(row[k] for k in left) >= observed[top] * (1 - 1e-9) for row in drawn)
        before = max(before, count / len(drawn))
        p[top] = before
        left.remove(top)
    return p


def test_families_step_down_on_shared_draws():
    names = ["y", "u", "v"]
    frame = family()
    found = randomise(panel_of(frame), names)
    y = [frame[k].to_numpy() for k in names]
    t = np.abs([[student(v, z, BLOCK) for v in y] for z in ways(tuple(WON), tuple(BLOCK))])
    seen = np.abs([student(frame[k].to_numpy(), WON, BLOCK) for k in names])
    adjusted = found.adjusted("romano_wolf")
    np.testing.assert_allclose(adjusted.p_adjusted, step_down_by_hand(seen, t), atol=1e-12)
    own = np.array([[np.mean(t[:, k] >= v * (1 - 1e-9)) for k, v in enumerate(row)] for row in t])
    mine = np.array([np.mean(t[:, k] >= v * (1 - 1e-9)) for k, v in enumerate(seen)])
    np.testing.assert_allclose(
        found.adjusted().p_adjusted, step_down_by_hand(1 / mine, 1 / own), atol=1e-12
    )
    assert (adjusted.p_adjusted >= adjusted.p_value).all()


def test_a_family_of_one_or_of_copies_needs_no_correction():
    frame = family().assign(copy=lambda f: 3 * f.y)
    found = randomise(panel_of(frame), ["y", "u", "copy"])
    for method in ("westfall_young", "romano_wolf"):
        alone = found.adjusted(method, ["u"])
        assert alone.p_adjusted.tolist() == alone.p_value.tolist()
        twice = found.adjusted(method, ["y", "copy"])
        np.testing.assert_allclose(twice.p_adjusted, twice.p_value, atol=1e-12)


@pytest.mark.parametrize("name", STATISTICS)
def test_random_draws_come_near_to_the_exact_p_value(name, monkeypatch):
    y = outcome()
    exact = brute(STATISTICS[name], y)
    monkeypatch.setattr(VERB, "ENUMERATED", 0)
    found = one(frame_of(y), None, Redraw(statistic=name, reps=899)).frame.iloc[0]
    assert not found.exact
    assert found.n_draws == 899
    assert abs(found.p_value - exact) < 3 * np.sqrt(exact * (1 - exact) / 899) + 1 / 900


def test_p_counts_the_observed_draw_among_the_random_ones(monkeypatch):
    monkeypatch.setattr(VERB, "ENUMERATED", 0)
    found = one(frame_of(outcome(effect=3.0)), None, Redraw(reps=199))
    count = np.sum(np.abs(found.draws[:, 0]) >= abs(found.frame.statistic.item()))
    assert found.frame.p_value.item() == (1 + count) / 200
    assert found.frame.attainable.item() == 1 / 200


def test_outcomes_share_the_draws_and_the_order_of_the_rows_does_not_matter(monkeypatch):
    monkeypatch.setattr(VERB, "ENUMERATED", 0)
    frame = family().assign(x=outcome(4))
    frame.loc[[3, 7], "u"] = np.nan
    asked = Redraw(reps=199, seed=5)
    for design in (Design(), Design(covariates="x", block_weights="strata_fe")):
        first = randomise(panel_of(frame), ["y", "u"], design, asked)
        alone = randomise(panel_of(frame), "u", design, asked)
        np.testing.assert_array_equal(first.draws[:, 1], alone.draws[:, 0])
        shuffled = frame.sample(frac=1, random_state=2)
        again = randomise(panel_of(shuffled), ["y", "u"], design, asked)
        # block codes follow the order of the data, so sums over blocks may round otherwise
        np.testing.assert_allclose(first.draws, again.draws, rtol=1e-9, atol=1e-12)
        assert first.frame.p_value.tolist() == again.frame.p_value.tolist()
        other = randomise(panel_of(frame), "y", design, Redraw(reps=199, seed=6))
        assert (first.draws[:, 0] != other.draws[:, 0]).any()


def test_waves_have_a_row_each():
    y = outcome()
    long = pd.concat([frame_of(y).assign(wave=1), frame_of(2 * y).assign(wave=2)])
    panel = pe.read_panel(long, pe.Roles(unit="id", offer="won", blocks="block", wave="wave"))
    found = randomise(panel, "y", waves=[2, 1])
    p = brute(student, y)
    assert found.frame.wave.tolist() == [2, 1]
    np.testing.assert_allclose(found.frame.p_value, [p, p], atol=1e-12)


# --- edges and refusals ---------------------------------------------------------------------------


def test_an_outcome_without_spread_is_no_evidence():
    found = one(frame_of(np.full(15, 3.3))).frame.iloc[0]
    assert found.p_value == 1.0
    assert found.statistic == 0.0


def test_ties_count_as_extreme():
    y = np.array([1.0] * 3 + [0.0] * 12)
    found = one(frame_of(y), None, Redraw(statistic="difference")).frame.iloc[0]
    assert found.p_value == pytest.approx(brute(difference, y), abs=1e-12)


def test_a_draw_without_a_statistic_counts_as_extreme_and_is_reported():
    def often_missing(y, arm, block, weight):
        return np.nan if arm[0] == 0 else 1.0 + y[arm == 1].mean()

    found = one(frame_of(outcome()), None, Redraw(statistic=often_missing)).frame.iloc[0]
    assert "600 draws have no statistic and count as extreme" in found.status
    assert found.p_value >= 600 / 900


def test_blocks_that_attrition_left_without_an_arm_follow_the_design():
    y = outcome()
    y[[6, 8]] = np.nan
    with pytest.raises(NotEstimableError, match="winners or losers only"):
        one(frame_of(y))
    found = one(frame_of(y), Design(empty_arms="drop"), Redraw(statistic="difference"))
    assert found.frame.p_value.item() == pytest.approx(brute(difference, y), abs=1e-12)


def test_what_cannot_be_drawn_again_is_refused():
    y = outcome()
    uneven = frame_of(y, p=np.where(np.arange(15) % 2, 0.3, 0.4))
    with pytest.raises(NotEstimableError, match="cannot be drawn again"):
        one(uneven, Design(method="ipw"), probability="p")
    lasso = Design(covariates="x", covariate_model="lasso")
    with pytest.raises(UsageError, match="lasso"):
        one(frame_of(y, x=outcome(9)), lasso)
    took = frame_of(y, took=np.where(np.arange(15) == 4, np.nan, WON))
    with pytest.raises(NotEstimableError, match="receipt is not known of 1"):
        one(took, None, Redraw(estimand="late"), received="took")
    nobody = frame_of(y, took=np.zeros(15))
    with pytest.raises(NotEstimableError, match="no first stage"):
        one(nobody, None, Redraw(estimand="late"), received="took")


def test_options_and_questions_that_make_no_sense_are_refused():
    for options, words in (
        ({"statistic": "median"}, "must be one of"),
        ({"estimand": "att"}, "must be one of"),
        ({"reps": 9}, "at least 99"),
        ({"seed": -1}, "whole number"),
        ({"level": 95}, "between 0 and 1"),
        ({"null": np.inf}, "finite"),
    ):
        with pytest.raises(UsageError, match=words):
            Redraw(**options)
    found = one(frame_of(outcome()), None, Redraw(statistic="rank_sum"))
    with pytest.raises(UsageError, match="another null"):
        found.at(1.0)
    with pytest.raises(UsageError, match="studentised"):
        found.adjusted("romano_wolf")
    with pytest.raises(UsageError, match="'z' was not tested"):
        found.adjusted(outcomes=["z"])
    with pytest.raises(UsageError, match="name an outcome"):
        randomise(panel_of(frame_of(outcome())), [])
    with pytest.raises(UsageError, match="redraw takes"):
        one(frame_of(outcome()), None, Design())
    assert "no interval" in found.frame.status.item()
    assert "all 900 ways to draw" in repr(found)
    assert "<table" in found._repr_html_()
