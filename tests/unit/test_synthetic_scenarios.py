"""Does each scenario do what it says? Right estimators near the truth, wrong ones far from it.

"Near" is within 4 standard errors of the truth among the same people, "far" is more than 4.
"""

from functools import cache
from itertools import combinations

import numpy as np
import pytest
from scenario_worlds import Potential, far, people, rows, world

import prakerja_eval as pe
from prakerja_eval.synthetic.draws import Draws
from prakerja_eval.synthetic.outcomes import never
from prakerja_eval.synthetic.process import calls_at, state_at

DRAWN = (
    *("null", "staggered_heterogeneous", "differential_attrition", "noncompliance"),
    *("few_clusters", "weak_instrument", "unbalanced"),
)
CHOSEN = ("selection_on_observables", "parallel_trends_violated")
NEAR = 4.0


@pytest.mark.parametrize("name", [*DRAWN, *CHOSEN])
def test_a_scenario_says_what_is_true_in_it_and_reads_back_from_its_own_toml(name, tmp_path):
    found = pe.Scenario.named(name)
    assert found.title
    assert len(found.about) > 200
    path = tmp_path / f"{name}.toml"
    path.write_text(found.to_toml(), encoding="utf-8")
    assert pe.Scenario.read(path) == found


@pytest.mark.parametrize("name", DRAWN)
def test_twelve_hundred_people_are_enough_for_the_lottery(name):
    effects = rows(pe.lottery.itt(world(name, 1_200).panel, ["employed", "income"]))
    assert np.isfinite(effects["std_error"]).all()


# null


def test_null_receiving_changes_nothing_for_anybody():
    found, made = people("null"), world("null")
    for t in range(len(found.latents)):
        with_it = state_at(made.process, found, t, found.receipt.month)
        without = state_at(made.process, found, t, never(3_000))
        for name, left, right in zip(with_it._fields, with_it, without, strict=True):
            np.testing.assert_array_equal(left, right, err_msg=name)
    assert (found.receipt.month <= found.latents[-1].month).mean() > 0.2


def test_null_every_design_finds_nothing():
    panel = world("null", 1_200).panel
    covariates = ("schooling", "age", "female")
    pairs = pe.matching.match(panel, pe.matching.Nearest(), covariates=covariates)
    for estimate in (
        pe.lottery.itt(panel, "employed"),
        pe.lottery.late(panel, "employed"),
        pe.did.overall(pe.did.group_time(panel, "employed")),
        pe.did.twfe(panel, "employed"),
        pe.matching.att(panel, pairs, "employed"),
    ):
        found = rows(estimate)
        assert (abs(found["estimate"]) < NEAR * found["std_error"]).all()
        assert (found["std_error"] < 0.08).all()


# selection_on_observables


def test_selection_on_observables_matching_is_right_and_the_plain_difference_wrong():
    name, n = "selection_on_observables", 3_000
    panel, last = (
        world(name, n).panel,
        Potential(name, "income", "2021-08", n),
    )
    covariates = ("education", "age", "female")
    pairs = pe.matching.match(panel, pe.matching.Nearest(), covariates=covariates)
    matched = rows(pe.matching.att(panel, pairs, "income")).iloc[-1]
    assert abs(far(matched["estimate"], last.att, matched["std_error"])) < NEAR
    plain, se = last.naive()
    assert far(plain, last.att, se) > NEAR
    weights = 1 / (1 / world(name, n).assignment.propensity - 1)  # odds of taking part
    others = np.average(last.seen[~last.got], weights=weights[~last.got])
    weighted = last.seen[last.got].mean() - others
    assert abs(far(weighted, last.att, 1.5 * se)) < NEAR  # weights make the error larger


def test_selection_on_observables_differences_in_differences_need_the_covariates():
    name, n = "selection_on_observables", 8_000
    panel, last = world(name, n).panel, Potential(name, "income", "2021-08", n)
    plain = rows(pe.did.group_time(panel, "income")).iloc[-1]
    assert far(plain["estimate"], last.att, plain["std_error"]) > NEAR
    given = pe.did.Design(covariates=("education", "age", "female"))
    right = rows(pe.did.group_time(panel, "income", given)).iloc[-1]
    assert abs(far(right["estimate"], last.att, right["std_error"])) < NEAR


# parallel_trends_violated


def test_parallel_trends_violated_every_design_is_too_high_and_earlier_waves_say_so():
    name = "parallel_trends_violated"
    panel, last = world(name).panel, Potential(name, "employed", "2021-07")
    cells = rows(pe.did.group_time(panel, "employed", pe.did.Design(base_period="universal")))
    first, end = cells.iloc[0], cells.iloc[-1]
    assert far(end["estimate"], last.att, end["std_error"]) > NEAR
    assert first["wave"] == "2019-07"
    assert far(first["estimate"], 0.0, first["std_error"]) < -NEAR
    pairs = pe.matching.match(
        panel, pe.matching.Nearest(), covariates=("schooling", "age", "female")
    )
    matched = rows(pe.matching.att(panel, pairs, "employed")).iloc[-1]
    assert far(matched["estimate"], last.att, matched["std_error"]) > NEAR


# staggered_heterogeneous


def _true_cells(name, outcome, cells, n):
    """Return ATT(g, t) of each row, from the potential outcomes of those first treated at g."""
    months = dict(zip(world(name, n).scenario.survey.waves, _months(name, n), strict=True))
    waves = sorted(months)
    out = []
    for g, t in zip(cells["cohort"], cells["wave"], strict=True):
        found = Potential(name, outcome, t, n)
        before = waves.index(g) - 1
        since = found.month > (months[waves[before]] if before >= 0 else -1_000)
        mine = since & (found.month <= months[g])
        out.append((found.seen - found.never)[mine].mean())
    return np.array(out)


def _months(name, n):
    return world(name, n).scenario.survey.months


def test_staggered_heterogeneous_two_way_fixed_effects_have_the_wrong_sign():
    name, n, outcomes = "staggered_heterogeneous", 8_000, ["employed", "income"]
    panel, own = world(name, n).panel, pe.did.Design(comparison="not_yet_treated")
    every = rows(pe.did.group_time(panel, outcomes, own))
    every = every[every["wave"] >= every["cohort"]]
    wrong = rows(pe.did.twfe(panel, outcomes)).set_index("outcome")
    for outcome, cells in every.groupby("outcome"):
        truth = _true_cells(name, outcome, cells, n)
        assert (truth > 0).all()
        assert (abs(far(cells["estimate"], truth, cells["std_error"])) < NEAR).all()
        assert wrong.loc[outcome, "estimate"] / wrong.loc[outcome, "std_error"] < -NEAR


# differential_attrition


def test_differential_attrition_those_who_answer_show_too_much_and_weights_do_not_mend_it():
    name, n, wave, seed = "differential_attrition", 8_000, "2021-08", 2
    panel, true = world(name, n, seed).panel, Potential(name, "employed", wave, n, seed)
    for estimate in (
        pe.lottery.itt(panel, "employed"),
        pe.lottery.response_weighted(panel, "employed", ("schooling", "age", "female")),
    ):
        found = rows(estimate).iloc[-1]
        assert far(found["estimate"], true.itt, found["std_error"]) > NEAR
    either = _answer_either_way(world(name, n, seed), people(name, n, seed), wave)
    one_way = pe.lottery.Trimming(direction="common")
    bounds = pe.lottery.lee_bounds(panel, "employed", trimming=one_way).frame.iloc[-1]
    assert bounds["conf_low"] < (true.won - true.lost)[either].mean() < bounds["conf_high"]
    assert bounds["response_winners"] - bounds["response_losers"] > 0.08


def _answer_either_way(made, found, wave):
    """Return who would answer having won and having lost the first application."""
    t, n = made.scenario.survey.waves.index(wave), made.n_applicants
    part, taken = Draws(made.seed, 0, n), found.receipt
    opened = np.array(made.process.batches.months)[found.assignment.first]
    won = state_at(made.process, found, t, taken.if_offered)
    lost = state_at(made.process, found, t, taken.if_not)
    calls_won = calls_at(made.process, found, t, won, opened, part)
    calls_lost = calls_at(made.process, found, t, lost, never(n), part)
    assert not (calls_lost.responded & ~calls_won.responded).any()  # winning makes nobody silent
    return calls_won.responded & calls_lost.responded


# noncompliance


def test_noncompliance_offer_and_compliers_are_right_and_as_treated_is_wrong():
    name, n = "noncompliance", 5_000
    panel, true = world(name, n).panel, Potential(name, "employed", "2021-08", n)
    itt, late = (rows(f(panel, "employed")).iloc[-1] for f in (pe.lottery.itt, pe.lottery.late))
    assert abs(far(itt["estimate"], true.itt, itt["std_error"])) < NEAR
    assert abs(far(late["estimate"], true.late, late["std_error"])) < NEAR
    assert far(*true.naive()[:1], true.late, true.naive()[1]) > NEAR
    assert 0.3 < true.got_won.mean() - true.got_lost.mean() < 0.5
    assert true.got_lost.mean() > 0.05


# few_clusters


def test_few_clusters_people_are_not_independent_and_clusters_know_it():
    name, n = "few_clusters", 6_000
    panel, true = world(name, n).panel, Potential(name, "employed", "2021-08", n)
    design = pe.lottery.Design(clusters="district")
    robust = rows(pe.lottery.itt(panel, "employed"), pe.Robust("HC2")).iloc[-1]
    clustered = rows(pe.lottery.itt(panel, "employed", design)).iloc[-1]
    district = people(name, n).persons.district
    assert len(np.unique(district)) == 12
    spread = _spread_over_draws(true, district)
    assert robust["std_error"] < spread / 3
    # a standard deviation from 10 degrees of freedom has a standard error of 22 %: 4 of them
    assert 0.12 < clustered["std_error"] / spread < 1.9
    assert clustered["std_error"] > 2 * robust["std_error"]
    assert abs(far(clustered["estimate"], true.itt, clustered["std_error"])) < NEAR


def _spread_over_draws(true, district):
    """Return the standard deviation of the difference of means over all draws of 6 districts."""
    code = np.unique(district, return_inverse=True)[1]
    size, won, lost = (np.bincount(code, w) for w in (np.ones(len(code)), true.won, true.lost))
    found = []
    for six in combinations(range(12), 6):
        drawn = np.isin(np.arange(12), six)
        found.append(won[drawn].sum() / size[drawn].sum() - lost[~drawn].sum() / size[~drawn].sum())
    assert len(found) == 924
    return np.std(found)


# weak_instrument


def test_weak_instrument_first_stage_is_weak_and_the_usual_interval_misses_too_often():
    true = Potential("weak_instrument", "employed", "2021-08", 2_000, seed=2)
    strength, wald, sets = _drawn_again(true, draws=1_000)
    assert 0.02 < true.got_won.mean() - true.got_lost.mean() < 0.06
    assert 2 < np.median(strength) < 10
    # 4 Monte Carlo errors of 1,000 draws are .028 at .95: the set is within, the interval is not
    assert wald.mean() < 0.95 - 0.028
    assert abs(sets.mean() - 0.95) < 0.028
    assert far(*true.naive()[:1], true.late, true.naive()[1]) > NEAR


def _drawn_again(true, draws):
    """Return F, and whether Wald's interval and the Anderson-Rubin set hold the effect, by draw."""
    block = people("weak_instrument", 2_000, 2).assignment.block
    rng = np.random.default_rng(3)
    strength, wald, sets = [], [], []
    z = true.offer.astype(float)
    places = [np.flatnonzero(block == b) for b in np.unique(block)]
    share = np.zeros(len(z))
    for mine in places:
        share[mine] = z[mine].mean()
    for _ in range(draws):
        for mine in places:
            z[mine] = rng.permutation(z[mine])
        y, d = (np.where(z > 0, a, b) for a, b in _pairs(true))
        y, d = y - y.mean(), d - d.mean()
        lever = z - share
        late, moved = lever @ y / (lever @ d), lever @ d
        error = np.sqrt((lever**2) @ (y - late * d) ** 2) / abs(moved)
        rest = y - true.late * d
        strength.append(moved**2 / ((lever**2) @ (d - lever * moved / (lever @ lever)) ** 2))
        wald.append(abs(late - true.late) < 1.96 * error)
        sets.append((lever @ rest) ** 2 < 1.96**2 * ((lever**2) @ rest**2))
    return np.array(strength), np.array(wald), np.array(sets)


def _pairs(true):
    yield true.won, true.lost
    yield true.got_won.astype(float), true.got_lost.astype(float)


# unbalanced


@cache
def _unbalanced():
    return world("unbalanced", 4_000).panel


@pytest.mark.parametrize("verb", ["group_time", "imputation"])
def test_unbalanced_differences_in_differences_use_the_people_who_are_there(verb):
    cells = rows(getattr(pe.did, verb)(_unbalanced(), "employed"))
    cells = cells[(cells["wave"] >= cells["cohort"]) & np.isfinite(cells["std_error"])]
    truth = _true_cells("unbalanced", "employed", cells, 4_000)
    assert len(cells) > 8
    assert (abs(far(cells["estimate"], truth, cells["std_error"])) < NEAR).all()


def test_unbalanced_rows_are_missing_also_at_registration_and_few_are_there_throughout():
    seen = _unbalanced().wide("employed")
    there = np.isfinite(np.asarray(seen.values, dtype=float))
    assert (there.mean(axis=0) < 0.92).all()
    assert 0.05 < there.all(axis=1).mean() < 0.35
