"""Are chances, quotas, caps and second tries those of the lottery that was drawn?"""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import prakerja_eval as pe
from prakerja_eval.errors import UsageError
from prakerja_eval.synthetic import World, kernel_lottery
from prakerja_eval.synthetic.draws import Draws
from prakerja_eval.synthetic.lottery import NEVER
from prakerja_eval.synthetic.odds import chances_of
from prakerja_eval.synthetic.places import places
from prakerja_eval.synthetic.process import persons_of
from prakerja_eval.synthetic.strata import Strata, places_of, share_out, strata

CAP = 2
BATCHES = [
    {"number": 6, "first": 0.4, "odds": 0.4},
    {"number": 7, "first": 0.3, "quota": 130},
    {"number": 9, "first": 0.1, "odds": 0.25},
    {"number": 11, "first": 0.2, "recovery": True},
    {"number": 12, "odds": 0.3},
]


@cache
def world(n: int = 900, seed: int = 4) -> World:
    """Return a lottery that many households enter with three people or more."""
    scenario = pe.Scenario.named("null").but(
        people={"same_household": 0.6, "priority": 0.4},
        lottery={"batches": BATCHES, "household_cap": CAP, "reapply": 0.7, "fewest_winners": 15},
        take_up={"revoked_2020": 0.3},
    )
    return pe.simulate(scenario, n, seed)


def everybody(made: World) -> tuple[np.ndarray, np.ndarray]:
    """Return household and motivation of all applicants, the barred ones included."""
    who = persons_of(made.process, Draws(made.seed, 0, made.n_applicants))
    return who.household, who.motivation


def rooms(made: World) -> list[np.ndarray]:
    """Return how many of each household may still win, batch by batch."""
    home, _ = everybody(made)
    left, out = np.full(made.n_applicants, CAP), []
    for found in made.rounds:
        out.append(left.copy())
        for person in found.person[found.won]:
            left[home[person]] -= 1
    return out


def redrawn(
    stratum: list[int], home: list[int], quota: list[int], room: list[int], times: int
) -> np.ndarray:
    """Return who wins when a lottery is drawn again and again, name by name, (times, m)."""
    rng = np.random.default_rng(77)
    won = np.zeros((times, len(stratum)), dtype=bool)
    for row in won:
        left, free = list(quota), list(room)
        for i in rng.permutation(len(stratum)).tolist():
            if left[stratum[i]] and free[home[i]]:
                row[i] = True
                left[stratum[i]] -= 1
                free[home[i]] -= 1
    return won


@pytest.mark.parametrize("batch", range(len(BATCHES)))
def test_the_stored_propensity_is_the_frequency_of_winning_over_redrawn_lotteries(batch):
    made = world()
    found, (home, _) = made.rounds[batch], everybody(made)
    codes = found.strata.code
    quota = np.bincount(codes[found.won], minlength=len(found.strata.names))
    times, room, mine = 1_000, rooms(made)[batch], home[found.person]
    bound = np.bincount(mine, minlength=len(room))[mine] > room[mine]
    assert bound.sum() > 10  # or the cap would not be tested
    won = redrawn(codes.tolist(), mine.tolist(), quota.tolist(), room.tolist(), times)
    chance = found.propensity
    error = np.sqrt(chance * (1 - chance) / times)
    assert (np.abs(won.mean(axis=0) - chance) < 4 * error).all()
    # groups: their frequencies are far surer, so the formula's own error, at most 1 / m in a
    # stratum of m people (docs/methods/synthetic.md), is allowed beside 4 standard errors
    for s in range(len(quota)):
        for group in (bound, ~bound):
            who = (codes == s) & group
            rate = won[:, who].mean(axis=1)
            allowed = 4 * rate.std() / np.sqrt(times) + 1 / (codes == s).sum()
            assert abs(rate.mean() - chance[who].mean()) < allowed


def test_in_large_strata_the_chance_under_the_cap_needs_no_allowance():
    rng = np.random.default_rng(1)
    home = np.cumsum(rng.random(2_000) > 0.5) - 1
    home -= home[0]
    stratum, room = rng.integers(0, 2, 2_000), np.full(home[-1] + 1, 1)
    quota = np.array([300, 450])
    chance = chances_of(stratum, home, quota, room).of_all
    won = redrawn(stratum.tolist(), home.tolist(), quota.tolist(), room.tolist(), 300)
    for alone in (True, False):
        for s in (0, 1):
            who = (stratum == s) & ((np.bincount(home)[home] == 1) == alone)
            rate = won[:, who].mean(axis=1)
            assert abs(rate.mean() - chance[who].mean()) < 4 * rate.std() / np.sqrt(300)


def test_chances_sum_to_the_places_of_each_stratum():
    for found in world().rounds:
        codes, n = found.strata.code, len(found.strata.names)
        np.testing.assert_allclose(
            np.bincount(codes, found.propensity, minlength=n),
            np.bincount(codes[found.won], minlength=n),
            rtol=1e-9,
        )


def test_where_no_household_reaches_its_cap_the_chance_is_places_over_applicants():
    scenario = world().scenario.but(lottery={"household_cap": 0})
    for found in pe.simulate(scenario, 900, 4).rounds:
        codes = found.strata.code
        share = np.bincount(codes[found.won]) / np.bincount(codes)
        np.testing.assert_array_equal(found.propensity, share[codes])


def test_two_people_with_one_place_between_them_by_hand():
    # alone in a stratum of one place each, one household that may have one winner: who is drawn
    # first wins, so each wins with chance 1 / 2; the formula says so with cut-offs of 1
    chance = chances_of(np.array([0, 1]), np.array([0, 0]), np.array([1, 1]), np.array([1])).of_all
    np.testing.assert_allclose(chance, [0.5, 0.5])


def test_places_that_the_cap_leaves_empty_make_no_chance():
    # six people of one household that may have two winners, five places: 2 of 6 win
    chance = chances_of(np.zeros(6, int), np.zeros(6, int), np.array([5]), np.array([2])).of_all
    np.testing.assert_allclose(chance, np.full(6, 1 / 3))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_draw_is_what_a_loop_over_names_gives(data):
    m = data.draw(st.integers(1, 25))
    small = st.lists(st.integers(0, 3), min_size=m, max_size=m)
    stratum = np.array(data.draw(small), dtype=np.int16)
    home = np.array(data.draw(small), dtype=np.int32)
    quota = np.array(data.draw(st.lists(st.integers(1, 5), min_size=4, max_size=4)))
    room = np.array(data.draw(st.lists(st.integers(1, 3), min_size=4, max_size=4)), np.int16)
    number = np.array(data.draw(st.permutations(range(m)))) / m
    won = kernel_lottery.draw(number, stratum, home, quota, room).won
    winners: list[int] = []
    for i in sorted(range(m), key=lambda i: number[i]):
        in_stratum = sum(stratum[j] == stratum[i] for j in winners)
        in_home = sum(home[j] == home[i] for j in winners)
        if in_stratum < quota[stratum[i]] and in_home < room[home[i]]:
            winners.append(i)
    assert sorted(winners) == np.flatnonzero(won).tolist()


def test_nobody_wins_twice_or_enters_again_after_winning():
    entered = np.zeros(world().n_applicants, dtype=bool)
    for found in world().rounds:
        assert not entered[found.person].any()
        entered[found.person[found.won]] = True


def test_no_household_has_more_winners_than_the_cap_and_some_reach_it():
    made = world()
    home, _ = everybody(made)
    count = np.bincount(home[made.assignment.win != NEVER])
    assert count.max() == CAP
    assert (np.bincount(home) > CAP).sum() > 50


def test_quotas_are_given_out_to_the_place_and_recovery_gives_what_was_revoked():
    made = world()
    lapse = Draws(made.seed, 0, made.n_applicants).uniform("take_up.revoked")
    n = [len(found.person) for found in made.rounds]
    got = [int(found.won.sum()) for found in made.rounds]
    assert got[0] == round(0.4 * n[0])
    assert got[1] == 130
    assert got[2] == round(0.25 * n[2])
    before = np.concatenate([found.person[found.won] for found in made.rounds[:3]])
    assert got[3] == (lapse[before] < 0.3).sum()
    assert got[4] == round(0.3 * n[4])


def test_a_second_recovery_batch_gives_out_only_what_was_revoked_since_the_first():
    batches = [*BATCHES, {"number": 17, "recovery": True}]
    made = pe.simulate(world().scenario.but(lottery={"batches": batches}), 2_000, 4)
    lapse = Draws(made.seed, 0, made.n_applicants).uniform("take_up.revoked")
    limit = {3: 0.3, 4: 0.0144}  # batch 11 is of 2020, batch 12 of 2021
    since = sum(
        (lapse[made.rounds[k].person[made.rounds[k].won]] < p).sum() for k, p in limit.items()
    )
    assert made.rounds[5].won.sum() == since


def test_the_priority_group_wins_as_much_more_often_as_asked():
    scenario = world().scenario.but(
        lottery={"household_cap": 0, "priority_advantage": 1.6, "fewest_winners": 1},
        people={"provinces": ["Jawa Barat"]},
    )
    found = pe.simulate(scenario, 20_000, 1).rounds[0]
    regular, priority = (
        np.unique(found.propensity[found.strata.priority[found.strata.code] == g])
        for g in (False, True)
    )
    # places are whole, so the ratio is right to one place in each group
    assert priority / regular == pytest.approx(1.6, rel=2 / found.won.sum())


@given(
    st.lists(st.tuples(st.integers(2, 60), st.floats(0.2, 5)), min_size=1, max_size=12), st.data()
)
def test_places_are_shared_out_whole_within_their_limits_and_in_proportion(rows, data):
    size = np.array([s for s, _ in rows])
    wanted = size * np.array([w for _, w in rows])
    total = data.draw(st.integers(len(rows), int(size.sum()) - len(rows)))
    given_out = share_out(total, wanted, np.ones_like(size), size - 1)
    assert given_out.sum() == total
    assert ((given_out >= 1) & (given_out <= size - 1)).all()
    # two strata that are at no limit have as many places as they want, to the place, for some
    # common factor
    free = (given_out > 1) & (given_out < size - 1)
    low = ((given_out - 1) / wanted)[free].max(initial=0)
    high = ((given_out + 1) / wanted)[free].min(initial=np.inf)
    assert low <= high


def test_a_quota_is_kept_also_where_priority_would_want_more_places_than_people():
    code, names = np.repeat([0, 1], [60, 40]), ("a, regular", "a, priority")
    found = Strata(code, names, np.array([False, True]), np.array([[0, 1]]))
    # 1.4 times the chance would be 43 places for 40 people: 39, and the others have the rest
    assert places_of(90, found, 1.4).tolist() == [51, 39]


def test_strata_hold_enough_first_applications_or_are_merged_by_island_then_country():
    where = places((), 34, 0.0)
    count = np.full(34, 10)
    count[where.names.index("Jawa Barat")] = 90
    province = np.repeat(np.arange(34), count)
    nobody, everyone = np.zeros(len(province), bool), np.ones(len(province), bool)
    found = strata(province, nobody, everyone, where, need=60)
    # ten provinces of Sumatera and six of Sulawesi reach 60 with each other, the others do not
    rest = ("Sumatera, rest, everybody", "Sulawesi, rest, everybody", "rest, everybody")
    assert found.names == ("Jawa Barat, everybody", *rest)
    assert found.size.tolist() == [90, 100, 60, 170]


def test_a_priority_group_too_small_for_a_lottery_is_drawn_with_the_others():
    where = places(("Aceh", "Bali"), 2, 0.0)
    priority = np.arange(200) < 5
    everybody_counts = np.ones(200, dtype=bool)
    found = strata(np.arange(200) % 2, priority, everybody_counts, where, need=20)
    assert found.names == ("Aceh, everybody", "Bali, everybody")
    assert not found.priority.any()


def test_losing_the_first_application_leads_where_a_replay_by_hand_leads():
    """Winners had they lost: others' results as they were, the same numbers and second tries."""
    made = world()
    given_, draws = made.assignment, Draws(made.seed, 0, made.n_applicants)
    home, motivation = everybody(made)
    numbers = [e.number for e in made.process.batches.entries]
    share = 1 / (1 + np.exp(-(np.log(0.7 / 0.3) + 0.5 * motivation)))
    again = [draws.uniform(f"lottery.reapply.{k}") < share for k in numbers]
    number = [draws.uniform(f"lottery.number.{k}") for k in numbers]
    frame = made.panel.frame.drop_duplicates("person_id")
    province = dict(zip(frame["person_id"], frame["province"], strict=True))
    priority = dict(zip(frame["person_id"], frame["priority"], strict=True))
    winning = [sorted(zip(f.strata.code[f.won], f.number[f.won], strict=True)) for f in made.rounds]
    won_by = [{int(p) for p in f.person[f.won]} for f in made.rounds]
    assert (given_.block == NEVER).any()
    for i in range(made.n_applicants):
        wanted = NEVER
        if given_.block[i] == NEVER:
            assert (given_.later[i], given_.win[i]) == (NEVER, NEVER)
            continue
        for k in range(int(given_.first[i]) + 1, len(numbers)):
            if not again[k][i]:
                break  # has given up
            if given_.offer[i]:
                code = made.rounds[k].strata.table[
                    made.process.places.names.index(province[f"SYN-{i + 1:08d}"]),
                    priority[f"SYN-{i + 1:08d}"],
                ]
                ahead = sum(s == code and x < number[k][i] for s, x in winning[k])
                wins = ahead < sum(s == code for s, _ in winning[k])
            else:
                full = sum(home[j] == home[i] for w in won_by[:k] for j in w) >= CAP
                if full:
                    break
                wins = i in won_by[k]
            if wins:
                wanted = k
                break
        assert given_.later[i] == wanted
        if given_.offer[i] and wanted != NEVER:
            others = sum(home[j] == home[i] for w in won_by for j in w if j != i)
            assert others < CAP  # so the household keeps within its cap on that path too


def test_a_lottery_among_districts_gives_each_district_the_same_chance_and_draws_it_whole():
    made = pe.simulate("few_clusters", 1_500, 3)
    frame = made.panel.frame.drop_duplicates("person_id")
    assert (frame.groupby(["batch", "district"])["offer"].nunique() == 1).all()
    for _, batch in frame.groupby("batch"):
        by_district = batch.groupby("district")["offer"].first()
        assert (batch["propensity"] == by_district.mean()).all()


@pytest.mark.parametrize(
    ("batches", "n", "message"),
    [
        ([{"number": 6, "first": 1, "quota": 5_000}], 300, "quota gives 5,000 places to 300"),
        ([{"number": 6, "first": 1, "quota": 300}], 300, "needs from 1 to 299 places"),
        ([{"number": 6, "first": 1, "odds": 0.001}], 300, "odds = 0.001 gives 0 places"),
        ([{"number": 6, "first": 1, "odds": 0.999}], 300, "odds = 0.999 gives 300 places"),
        ([{"number": 11, "first": 1, "recovery": True}], 300, "revoked before.*gives 0 places"),
        (
            [{"number": 6, "first": 1, "odds": 0.5}, {"number": 7, "first": 1e-9, "odds": 0.5}],
            60,
            "number 7.*applicants",
        ),
    ],
)
def test_a_batch_without_a_winner_or_a_loser_is_refused_by_its_number(batches, n, message):
    scenario = pe.Scenario.named("null").but(lottery={"batches": batches, "reapply": 0.0})
    with pytest.raises(UsageError, match=message):
        pe.simulate(scenario, n)
