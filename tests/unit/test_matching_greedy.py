"""Greedy matching against its own definition, written out slowly."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prakerja_eval.matching.pairs.greedy import Order, nearest_without_replacement
from prakerja_eval.matching.pairs.pairs import times_used

distinct = st.lists(
    st.integers(0, 10_000).map(lambda k: k / 7), min_size=2, max_size=16, unique=True
)
tied = st.lists(st.integers(0, 6).map(float), min_size=1, max_size=10).map(np.array)
in_turn = st.sampled_from([Order.LARGEST, Order.SMALLEST, Order.DATA])


def queue(a, order):
    rows = list(range(len(a)))
    if order is Order.DATA:
        return rows
    return sorted(rows, key=lambda i: -a[i] if order is Order.LARGEST else a[i])


@given(distinct, st.integers(1, 3), st.integers(1, 3), in_turn, st.sampled_from([np.inf, 300.0]))
def test_each_in_turn_takes_the_nearest_left(values, ratio, max_uses, order, caliper):
    half = len(values) // 2
    a, b = np.array(values[:half]), np.array(values[half:])
    left, expected = [max_uses] * len(b), {i: [] for i in range(len(a))}
    for _ in range(ratio):
        for i in queue(a, order):
            free = [j for j in range(len(b)) if left[j] and j not in expected[i]]
            if free:
                j = min(free, key=lambda j: (abs(a[i] - b[j]), j))
                if abs(a[i] - b[j]) <= caliper:
                    left[j] -= 1
                    expected[i].append(j)
    pairs = nearest_without_replacement(a, b, ratio, caliper, order, max_uses)
    for i in range(len(a)):
        assert pairs.comparison[pairs.focal == i].tolist() == expected[i]


@given(distinct, st.sampled_from([np.inf, 300.0]))
def test_closest_first_makes_the_closest_pair_of_all_that_are_left(values, caliper):
    half = len(values) // 2
    a, b = np.array(values[:half]), np.array(values[half:])
    distance = np.abs(a[:, None] - b)
    expected = []
    while np.isfinite(distance).any() and distance.min() <= caliper:
        expected.append(distance.min())
        i, j = np.unravel_index(distance.argmin(), distance.shape)
        distance[i], distance[:, j] = np.inf, np.inf
    pairs = nearest_without_replacement(a, b, caliper=caliper, order=Order.CLOSEST)
    np.testing.assert_array_equal(np.sort(pairs.distance), expected)


@given(tied, tied, st.sampled_from(list(Order)), st.integers(1, 3))
def test_nobody_serves_more_often_than_allowed_and_nobody_is_left_over(a, b, order, uses):
    pairs = nearest_without_replacement(a, b, order=order, max_uses=uses)
    assert len(set(pairs.focal.tolist())) == len(pairs.focal) == min(len(a), uses * len(b))
    assert times_used(pairs, len(b)).max() <= uses


@given(tied, tied, st.sampled_from(list(Order)))
def test_two_rounds_serve_everybody_once_before_anybody_twice(a, b, order):
    pairs = nearest_without_replacement(a, b, ratio=2, order=order)
    count = np.bincount(pairs.focal, minlength=len(a))
    assert count.sum() == min(2 * len(a), len(b))
    assert count.max() <= 1 + count.min()
    total = np.bincount(pairs.focal, pairs.weight, minlength=len(a))
    np.testing.assert_allclose(total[count > 0], 1.0)


@given(tied, tied, st.sampled_from(list(Order)), st.data())
def test_exact_groups_are_matched_apart(a, b, order, data):
    codes = st.integers(0, 2)
    g = np.array(data.draw(st.lists(codes, min_size=len(a), max_size=len(a))))
    h = np.array(data.draw(st.lists(codes, min_size=len(b), max_size=len(b))))
    pairs = nearest_without_replacement(a, b, order=order, groups=(g, h))
    np.testing.assert_array_equal(g[pairs.focal], h[pairs.comparison])
    for code in range(3):
        i, j = np.flatnonzero(g == code), np.flatnonzero(h == code)
        apart = nearest_without_replacement(a[i], b[j], order=order)
        mine = g[pairs.focal] == code
        np.testing.assert_array_equal(pairs.focal[mine], i[apart.focal])
        np.testing.assert_array_equal(pairs.comparison[mine], j[apart.comparison])


def test_equal_scores_are_served_by_position():
    a, b = np.full(3, 0.5), np.full(2, 0.5)
    for order in Order:
        pairs = nearest_without_replacement(a, b, order=order)
        assert pairs.focal.tolist() == [0, 1]
        assert pairs.comparison.tolist() == [0, 1]


def test_a_comparison_unit_never_serves_one_focal_unit_twice():
    pairs = nearest_without_replacement(np.zeros(1), np.array([0.0, 5.0]), ratio=2, max_uses=2)
    assert pairs.comparison.tolist() == [0, 1]


def test_arrays_are_left_as_they_were():
    a, b = np.array([0.3, 0.1]), np.array([0.2, 0.4])
    for array in (a, b):
        array.flags.writeable = False
    for order in Order:
        nearest_without_replacement(a, b, order=order)


@pytest.mark.parametrize("order", list(Order))
def test_twenty_thousand_units_take_seconds_even_with_poor_overlap(order):
    rng = np.random.default_rng(1)
    a, b = rng.normal(2, 1, 10_000), rng.normal(0, 1, 10_000)
    began = time.perf_counter()
    assert len(nearest_without_replacement(a, b, order=order).focal) == 10_000
    assert time.perf_counter() - began < 20  # quadratic search took minutes


@pytest.mark.parametrize("wrong", [{"ratio": 0}, {"max_uses": 0}, {"caliper": -1.0}])
def test_impossible_options_are_refused(wrong):
    with pytest.raises(ValueError, match="at least"):
        nearest_without_replacement(np.zeros(2), np.zeros(2), **wrong)


def test_closest_first_with_reuse_and_several_matches_is_refused():
    with pytest.raises(ValueError, match="closest-first"):
        nearest_without_replacement(
            np.zeros(2), np.zeros(2), ratio=2, max_uses=2, order=Order.CLOSEST
        )
