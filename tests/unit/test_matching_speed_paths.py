"""Compiled matching and runs against definitions written out slowly, and the laws of matching."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import prakerja_eval as pe
from prakerja_eval.errors import DataError, UsageError
from prakerja_eval.matching import Nearest
from prakerja_eval.matching.pairs import ways
from prakerja_eval.matching.pairs.greedy import Order, nearest_without_replacement
from prakerja_eval.matching.pairs.neighbours import (
    Direction,
    Runs,
    Ties,
    nearest_runs,
    nearest_with_replacement,
)
from prakerja_eval.matching.pairs.ways import (
    among_seen,
    n_pairs,
    served,
    total_distance,
    written_out,
)

few = settings(max_examples=40)

# Eighths are exact in floating point and tie often; sevenths round.
score = st.integers(0, 16).map(lambda k: k / 8) | st.integers(0, 9).map(lambda k: k / 7)
scores = st.lists(score, min_size=0, max_size=10).map(np.array)
calipers = st.sampled_from([np.inf, 0.5, 0.125, 0.0])


@st.composite
def sides(draw):
    """Draw scores of both sides and their groups, or none."""
    a, b = draw(scores), draw(scores)
    codes = st.integers(0, draw(st.integers(0, 2)))
    if draw(st.booleans()):
        return a, b, None
    g = [np.array(draw(st.lists(codes, min_size=len(s), max_size=len(s))), int) for s in (a, b)]
    return a, b, (g[0], g[1])


def in_line(own, b, free):
    """Return who may be met going outwards: the nearest below and the nearest at or above."""
    below = [j for j in free if b[j] < own]
    above = [j for j in free if b[j] >= own]
    met = []
    if below:
        met.append(max(below, key=lambda j: (b[j], j)))
    if above:
        met.append(min(above, key=lambda j: (b[j], j)))
    return min(met, key=lambda j: (abs(own - b[j]), j), default=None)


def slowly(a, b, groups, queue, ratio, caliper, max_uses):
    """Return the comparison units of each focal unit, by walking the line for everyone."""
    g, h = groups if groups else (np.zeros(len(a)), np.zeros(len(b)))
    left, had = [max_uses] * len(b), [[] for _ in a]
    for _ in range(ratio):
        for i in queue:
            free = [j for j in range(len(b)) if left[j] and h[j] == g[i] and j not in had[i]]
            j = in_line(a[i], b, free)
            if j is not None and abs(a[i] - b[j]) <= caliper:
                left[j] -= 1
                had[i].append(j)
    return had


@few
@given(sides(), st.integers(1, 3), st.integers(1, 3), calipers, st.data())
def test_greedy_is_its_definition_with_ties_groups_and_any_queue(both, ratio, uses, caliper, data):
    a, b, groups = both
    queues = {
        Order.LARGEST: sorted(range(len(a)), key=lambda i: -a[i]),
        Order.SMALLEST: sorted(range(len(a)), key=lambda i: a[i]),
        Order.DATA: list(range(len(a))),
    }
    drawn = data.draw(st.permutations(range(len(a))))
    asked = [*queues.items(), (np.array(drawn, dtype=np.int64), drawn)]
    order, queue = asked[data.draw(st.integers(0, 3))]
    pairs = nearest_without_replacement(a, b, ratio, caliper, order, uses, groups)
    had = slowly(a, b, groups, queue, ratio, caliper, uses)
    assert [pairs.comparison[pairs.focal == i].tolist() for i in range(len(a))] == had
    np.testing.assert_array_equal(pairs.distance, np.abs(a[pairs.focal] - b[pairs.comparison]))


@few
@given(sides(), calipers, st.integers(1, 2))
def test_closest_first_leaves_no_closer_pair_unmade(both, caliper, ratio):
    a, b, groups = both
    pairs = nearest_without_replacement(a, b, ratio, caliper, Order.CLOSEST, 1, groups)
    g, h = groups if groups else (np.zeros(len(a), int), np.zeros(len(b), int))
    distance = np.where(g[:, None] == h, np.abs(a[:, None] - b), np.inf)
    expected = []
    for _ in range(ratio):
        waiting = np.ones(len(a), bool)
        while waiting.any() and distance[waiting].min(initial=np.inf) <= min(caliper, 99):
            at = np.where(waiting[:, None], distance, np.inf)
            i, j = np.unravel_index(at.argmin(), at.shape)
            expected.append(at[i, j])
            waiting[i], distance[:, j] = False, np.inf
    # Ties may be settled in any order here, but in one dimension all end in the same distances.
    np.testing.assert_array_equal(np.sort(pairs.distance), np.sort(expected))


@few
@given(sides(), st.integers(1, 4), calipers, st.sampled_from([0.0, 0.02]), st.sampled_from(Ties))
def test_with_replacement_is_its_definition(both, ratio, caliper, tolerance, ties):
    a, b, groups = both
    g, h = groups if groups else (np.zeros(len(a)), np.zeros(len(b)))
    pairs = nearest_with_replacement(a, b, ratio, caliper, ties, tolerance, groups)
    for i, own in enumerate(a):
        free = [j for j in range(len(b)) if h[j] == g[i]]
        found = pairs.comparison[pairs.focal == i].tolist()
        if ties is Ties.AVERAGE:
            near = sorted(abs(own - b[j]) for j in free)[:ratio]
            reach = min(np.sqrt(near[-1] ** 2 + tolerance), caliper) if near else -1.0
            assert sorted(found) == [j for j in free if abs(own - b[j]) <= reach]
            continue
        below = sorted((j for j in free if b[j] < own), key=lambda j: (-b[j], -j))
        above = sorted((j for j in free if b[j] >= own), key=lambda j: (b[j], j))
        steps = [*enumerate(below), *enumerate(above)]
        line = sorted((abs(own - b[j]), step, j) for step, j in steps)[:ratio]
        assert found == [j for d, j in sorted((d, j) for d, _, j in line) if d <= caliper]


@few
@given(sides(), st.integers(1, 3), calipers, st.data())
def test_runs_say_what_their_pairs_say_seen_or_not(both, ratio, caliper, data):
    a, b, groups = both
    runs = nearest_runs(a, b, ratio, caliper, 0.0, groups)
    n = len(a) + len(b)
    place = np.array(data.draw(st.permutations(range(n))), dtype=np.int64)
    found = (Direction(place[: len(a)], place[len(a) :], runs),)
    line = np.empty(n)
    line[place] = np.concatenate((a, b))
    seen = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), dtype=bool)
    for who in (np.ones(n, bool), seen):
        left = among_seen(found, who)
        pairs = among_seen(written_out(found, line), who)
        assert n_pairs(left) == n_pairs(pairs)
        np.testing.assert_allclose(total_distance(left, line), total_distance(pairs, line))
        np.testing.assert_array_equal(served(left, n).reached, served(pairs, n).reached)
        used = served(pairs, n).used
        np.testing.assert_allclose(served(left, n).used, used, atol=1e-12)
        np.testing.assert_array_equal(served(left, n).used == 0, used == 0)
    np.testing.assert_array_equal(
        runs.count_seen(seen[place[len(a) :]])[seen[place[: len(a)]]],
        among_seen(found, seen)[0].runs.count,
    )


def kinds(a, b, caliper, groups):
    """Match in every way, as sets of pairs."""
    made = [nearest_without_replacement(a, b, 2, caliper, o, 1, groups) for o in Order]
    made += [nearest_with_replacement(a, b, 2, caliper, t, 0.0, groups) for t in Ties]
    return [set(zip(p.focal.tolist(), p.comparison.tolist(), strict=True)) for p in made]


@few
@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=16, unique=True), st.data())
def test_shuffling_rows_changes_nothing_where_no_two_distances_tie(values, data):
    half = len(values) // 2
    # Powers of an irrational number: distances are distinct.
    line = np.array(values) + np.sqrt(2) * np.arange(len(values)) ** 2 / 1e3
    a, b = line[:half], line[half:]
    distances = np.abs(a[:, None] - b).ravel()
    if len(np.unique(distances)) < distances.size:
        return
    p, q = (np.array(data.draw(st.permutations(range(len(s)))), dtype=np.int64) for s in (a, b))
    here, there = kinds(a, b, 1e5, None), kinds(a[p], b[q], 1e5, None)
    orders = [o is not Order.DATA for o in Order] + [True, True]  # that order is about the rows
    for one, other, kept in zip(here, there, orders, strict=True):
        assert not kept or one == {(int(p[i]), int(q[j])) for i, j in other}


@few
@given(sides(), st.sampled_from([0.5, 0.125]))
def test_groups_and_the_caliper_hold_and_units_outside_change_nothing(both, caliper):
    a, b, groups = both
    g, h = groups if groups else (np.zeros(len(a), int), np.zeros(len(b), int))
    here = kinds(a, b, caliper, (g, h))
    for pairs in here:
        assert all(g[i] == h[j] and abs(a[i] - b[j]) <= caliper for i, j in pairs)
    far, elsewhere = np.append(b, 9.0), np.append(b, a[:1] if len(a) else 9.0)
    assert kinds(a, far, caliper, (g, np.append(h, 0))) == here
    assert kinds(a, elsewhere, caliper, (g, np.append(h, 5))) == here


def people(n, values, rng):
    frame = pd.DataFrame({"id": [f"p{i}" for i in range(n)], "x": rng.integers(0, values, n)})
    frame["d"] = (rng.random(n) < 0.2 + 0.3 * frame["x"] / values).astype(int)
    frame["place"] = rng.choice(["a", "b", "c"], n)
    frame["code"] = rng.integers(0, 2, n)
    frame["z"] = rng.normal(size=n)
    return frame


@pytest.fixture(scope="module")
def frame():
    return people(400, 5, np.random.default_rng(5))


def panel_of(frame):
    return pe.read_panel(frame, pe.Roles(unit="id", received="d"))


def test_hundreds_of_ties_stay_runs_and_can_be_written_out(frame, monkeypatch):
    matched = pe.matching.match(panel_of(frame), covariates=["x"])
    n1 = int(frame["d"].sum())
    pairs = matched.pairs
    assert len(matched.ways) == 1
    assert len(pairs.focal) == matched.summary()["n_pairs"] > 20 * n1
    x = frame["x"].to_numpy()
    np.testing.assert_array_equal(x[pairs.focal], x[pairs.comparison])
    # Among people of one x each comparison unit weighs the same: treated over comparison units.
    arms = frame.groupby("x")["d"].agg(["sum", "size"])
    share = (arms["sum"] / (arms["size"] - arms["sum"])).loc[x].to_numpy()
    idle = frame["d"].to_numpy() == 0
    n0 = int(idle.sum())
    np.testing.assert_allclose(matched.weights[idle], share[idle] * n0 / n1, rtol=1e-8)
    monkeypatch.setattr(ways, "MOST_PAIRS", 1_000)
    with pytest.raises(UsageError, match="too many to write out"):
        _ = matched.pairs
    assert matched.n_dropped == 0


def test_pairs_agree_on_words_and_numbers_of_the_exact_columns(frame):
    design = Nearest(replace=False, exact=("place", "code"))
    pairs = pe.matching.match(panel_of(frame), design, covariates=["z", "x"]).pairs
    for column in ("place", "code"):
        values = frame[column].to_numpy()
        np.testing.assert_array_equal(values[pairs.focal], values[pairs.comparison])


def test_a_missing_value_in_an_exact_column_is_refused_with_its_name_and_count(frame):
    holed = frame.assign(place=frame["place"].where(frame.index > 2))
    with pytest.raises(DataError, match="'place' is missing for 3 of 400"):
        pe.matching.match(panel_of(holed), Nearest(exact=("place",)), covariates=["z"])


def test_an_exact_column_is_read_at_the_baseline(frame):
    later = frame.assign(wave=2, place="c")
    long = pd.concat([frame.assign(wave=1, d=0), later], ignore_index=True)
    panel = pe.read_panel(long, pe.Roles(unit="id", wave="wave", baseline=1, received="d"))
    pairs = pe.matching.match(panel, Nearest(exact=("place",)), covariates=["z"]).pairs
    place = frame["place"].to_numpy()
    np.testing.assert_array_equal(place[pairs.focal], place[pairs.comparison])


@few
@given(st.integers(0, 2**32 - 1))
def test_sums_over_runs_are_exact_where_nobody_is_tied(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.random(30), rng.random(40)
    runs = nearest_runs(a, b)
    times = np.bincount(np.abs(a[:, None] - b).argmin(axis=1), minlength=40)
    np.testing.assert_array_equal(runs.used(np.ones(30)), times)
    assert isinstance(runs, Runs)
