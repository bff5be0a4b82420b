"""Nearest neighbours with replacement: definitions, ties and edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from prakerja_eval.matching.pairs.neighbours import Ties, nearest_runs, nearest_with_replacement
from prakerja_eval.matching.pairs.pairs import (
    effective_sample_size,
    matching_weights,
    times_used,
    times_used_squared,
    total_distance,
)

# Eighths are exact in floating point and tie often.
scores = st.lists(st.integers(0, 16).map(lambda k: k / 8), min_size=1, max_size=12).map(np.array)


def pairs_as_dict(pairs):
    out = {}
    for i, j in zip(pairs.focal.tolist(), pairs.comparison.tolist(), strict=True):
        out.setdefault(i, set()).add(j)
    return out


@given(scores, scores, st.integers(1, 4), st.sampled_from([np.inf, 0.25, 0.0]))
def test_averaged_ties_are_all_units_as_near_as_the_kth(a, b, ratio, caliper):
    pairs = nearest_with_replacement(a, b, ratio, caliper)
    expected = {}
    for i, s in enumerate(a):
        d = np.abs(s - b)
        kth = np.sort(d)[min(ratio, len(b)) - 1]
        if found := set(np.flatnonzero((d <= kth) & (d <= caliper)).tolist()):
            expected[i] = found
    assert pairs_as_dict(pairs) == expected
    np.testing.assert_array_equal(pairs.distance, np.abs(a[pairs.focal] - b[pairs.comparison]))
    np.testing.assert_allclose(
        np.bincount(pairs.focal, pairs.weight, minlength=len(a)),
        [1.0 if i in expected else 0.0 for i in range(len(a))],
    )


@given(scores, scores, st.integers(1, 4))
def test_first_ties_keep_k_units_at_the_k_smallest_distances(a, b, ratio):
    pairs = nearest_with_replacement(a, b, ratio, ties=Ties.FIRST)
    k = min(ratio, len(b))
    for i, s in enumerate(a):
        mine = pairs.focal == i
        assert len(set(pairs.comparison[mine].tolist())) == k
        np.testing.assert_array_equal(pairs.distance[mine], np.sort(np.abs(s - b))[:k])


@given(scores, scores, st.randoms(use_true_random=False))
def test_averaging_ties_does_not_depend_on_the_order_of_the_arrays(a, b, random):
    shuffle = list(range(len(b)))
    random.shuffle(shuffle)
    here = times_used(nearest_with_replacement(a, b), len(b))
    there = times_used(nearest_with_replacement(a, b[shuffle]), len(b))
    np.testing.assert_allclose(there, here[shuffle])


@given(scores, scores, st.integers(1, 3))
def test_runs_sum_what_written_out_pairs_sum(a, b, ratio):
    runs = nearest_runs(a, b, ratio)
    pairs = nearest_with_replacement(a, b, ratio)
    values = np.arange(len(b)) ** 2.0
    written = np.bincount(pairs.focal, pairs.weight * values[pairs.comparison])
    np.testing.assert_allclose(runs.total(values) / runs.count, written)
    share = 1 / runs.count
    np.testing.assert_allclose(runs.used(share), times_used(pairs, len(b)), atol=1e-12)
    np.testing.assert_allclose(runs.used(share**2), times_used_squared(pairs, len(b)), atol=1e-12)


@given(scores, scores, st.data())
def test_exact_groups_are_matched_apart(a, b, data):
    codes = st.integers(0, 2)
    g = np.array(data.draw(st.lists(codes, min_size=len(a), max_size=len(a))))
    h = np.array(data.draw(st.lists(codes, min_size=len(b), max_size=len(b))))
    together = nearest_with_replacement(a, b, groups=(g, h))
    for code in range(3):
        i, j = np.flatnonzero(g == code), np.flatnonzero(h == code)
        apart = nearest_with_replacement(a[i], b[j]) if len(i) and len(j) else None
        mine = g[together.focal] == code
        expected = apart.weight.sum() if apart else 0
        np.testing.assert_allclose(together.weight[mine].sum(), expected)
        np.testing.assert_array_equal(h[together.comparison[mine]], code)
        if apart:
            np.testing.assert_array_equal(together.distance[mine], apart.distance)


def test_a_tolerance_on_the_squared_distance_widens_the_ties():
    a, b = np.array([0.0]), np.array([0.1, 0.2, 0.3])
    assert len(nearest_with_replacement(a, b, tie_tolerance=0.02).focal) == 1
    assert len(nearest_with_replacement(a, b, tie_tolerance=0.031).focal) == 2


def test_first_takes_the_nearest_in_line_of_several_with_one_score():
    b = np.array([1.0, 1.0, 1.0])
    first = [
        nearest_with_replacement(np.array([s]), b, ties=Ties.FIRST).comparison[0]
        for s in (0.5, 1.0, 1.5)
    ]
    assert first == [0, 0, 2]


def test_equal_distance_below_and_above_goes_to_the_lower_position():
    a = np.array([1.0])
    for b, taken in (([0.0, 2.0], 0), ([2.0, 0.0], 0)):
        pairs = nearest_with_replacement(a, np.array(b), ties=Ties.FIRST)
        assert pairs.comparison.tolist() == [taken]


def test_equal_differences_tie_whatever_the_rounding_of_sums():
    # 0.1 + 0.2 and 0.3 differ in the last bit; the differences are computed, never the sums.
    a, b = np.array([0.2]), np.array([0.1, 0.1, 0.3 + 1e-3])
    assert nearest_with_replacement(a, b).comparison.tolist() == [0, 1]


def test_thousands_of_ties_are_two_numbers_a_unit():
    runs = nearest_runs(np.zeros(20_000), np.zeros(20_000))
    np.testing.assert_allclose(runs.used(1 / runs.count), 1.0)


def test_no_comparison_unit_gives_no_pair():
    pairs = nearest_with_replacement(np.array([0.5]), np.array([]))
    assert len(pairs.focal) == 0
    weights = matching_weights(pairs, 1, 0)
    assert weights.focal.tolist() == [0.0]
    assert np.isnan(effective_sample_size(weights.focal))
    assert total_distance(pairs) == 0


@pytest.mark.parametrize("wrong", [{"ratio": 0}, {"caliper": -1.0}, {"tie_tolerance": -1.0}])
@pytest.mark.parametrize("ties", list(Ties))
def test_impossible_options_are_refused(wrong, ties):
    with pytest.raises(ValueError, match="at least"):
        nearest_with_replacement(np.zeros(2), np.zeros(2), ties=ties, **wrong)
