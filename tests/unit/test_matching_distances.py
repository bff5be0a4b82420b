"""Distances in several covariates: equations, neighbours against brute force, units of measure."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prakerja_eval.matching.pairs.distances import Metric, in_line, nearest_sets, whitened
from prakerja_eval.typing import FloatArray


def people(seed: int, n: int = 40) -> tuple[FloatArray, FloatArray]:
    """Return covariates of many kinds and arms."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    kind = rng.integers(0, 3, n)
    X = np.column_stack([x, x[:, 0] + rng.normal(size=n), kind == 0, kind == 1, kind == 2])
    arms = rng.random(n) < 0.4
    arms[:4], arms[4:8] = True, False
    return X.astype(np.float64), arms


def squared(z: FloatArray) -> FloatArray:
    """Return squared Euclidean distances of all pairs of rows."""
    return np.array([[float(np.sum((a - b) ** 2)) for b in z] for a in z])


def quadratic(x: FloatArray, V: FloatArray) -> FloatArray:
    """Return (x - y)' V (x - y) of all pairs of rows."""
    return np.array([[float((a - b) @ V @ (a - b)) for b in x] for a in x])


@pytest.mark.parametrize("pooled", [False, True])
def test_the_columns_carry_the_metric_of_the_equation(pooled: bool) -> None:
    X, arms = people(1)
    X = X[:, :5]  # without the last indicator, S has an inverse
    within = [np.cov(X[a], rowvar=False) * (a.sum() - 1) for a in (arms, ~arms)]
    S = sum(within) / (len(X) - 2) if pooled else np.cov(X, rowvar=False)
    z = whitened(X, Metric.MAHALANOBIS, arms if pooled else None)
    np.testing.assert_allclose(squared(z), quadratic(X, np.linalg.inv(S)), rtol=1e-9, atol=1e-12)
    z = whitened(X, Metric.SCALED, arms if pooled else None)
    diagonal = np.diag(1 / np.diag(S))
    np.testing.assert_allclose(squared(z), quadratic(X, diagonal), rtol=1e-9, atol=1e-12)


def test_robust_mahalanobis_ranks_with_tied_ones_averaged() -> None:
    """Rosenbaum (2010): ranks; covariance rescaled to that of untied ranks, n (n + 1) / 12."""
    X = np.array([[1.0, 0], [2, 0], [2, 1], [50, 0], [3, 0]])
    ranks = np.array([[1.0, 2.5], [2.5, 2.5], [2.5, 5], [5, 2.5], [4, 2.5]])
    S = np.cov(ranks, rowvar=False)
    scale = np.sqrt(5 * 6 / 12 / np.diag(S))
    V = np.linalg.inv(S * np.outer(scale, scale))
    z = whitened(X, Metric.ROBUST)
    np.testing.assert_allclose(squared(z), quadratic(ranks, V), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("metric", [Metric.MAHALANOBIS, Metric.ROBUST])
def test_a_redundant_indicator_adds_nothing(metric: Metric) -> None:
    X, arms = people(2)
    if metric is Metric.ROBUST:  # ranks of two indicators say what a third would, to a factor
        X = np.column_stack([X[:, :3], X[:, 3], 1 - X[:, 3]])
    fewer = squared(whitened(X[:, :-1], metric, arms))
    np.testing.assert_allclose(squared(whitened(X, metric, arms)), fewer, rtol=1e-8, atol=1e-10)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([Metric.MAHALANOBIS, Metric.ROBUST]))
def test_units_of_measure_do_not_matter(seed: int, metric: Metric) -> None:
    X, arms = people(seed)
    other = X * np.array([1000.0, 1e-3, 12, 1, 5, 1]) + np.array([0.0, 7, 0, 1, 0, 0])
    here, there = (squared(whitened(x, metric, arms)) for x in (X, other))
    np.testing.assert_allclose(here, there, rtol=1e-8, atol=1e-10)


def test_people_alike_are_alike_to_the_last_bit() -> None:
    X, arms = people(3)
    z = whitened(np.vstack([X, X[::-1]]), Metric.MAHALANOBIS, np.concatenate([arms, arms[::-1]]))
    assert np.array_equal(z[: len(X)], z[len(X) :][::-1])


@pytest.mark.parametrize("all_kinds", [False, True])
def test_the_line_is_the_residual_of_the_covariate_that_the_others_explain_best(
    all_kinds: bool,
) -> None:
    X, _ = people(4, 60)
    X = X[:, [0, 1, 2]] if not all_kinds else np.column_stack([X[:, :3], X[:, 0] ** 2, X[:, 3]])
    rest = [np.column_stack([np.ones(60), np.delete(X, k, axis=1)]) for k in range(X.shape[1])]
    residuals = [
        x - o @ np.linalg.lstsq(o, x, rcond=None)[0] for x, o in zip(X.T, rest, strict=True)
    ]
    unexplained = [r.var() / x.var() for r, x in zip(residuals, X.T, strict=True)]
    k = int(np.argmin(unexplained))
    line = in_line(X, Metric.MAHALANOBIS)
    np.testing.assert_allclose(line * X[:, k].std(ddof=1) * unexplained[k], residuals[k], atol=1e-9)
    assert np.array_equal(np.argsort(in_line(X, Metric.SCALED)), np.argsort(X[:, 0]))


def test_of_covariates_explained_alike_the_first_makes_the_line() -> None:
    X, _ = people(5)  # of two, each explains the other as well as it is explained
    both = X[:, [0, 2]] - X[:, [0, 2]].mean(axis=0)
    slope = both[:, 0] @ both[:, 1] / (both[:, 1] @ both[:, 1])
    residual = both[:, 0] - slope * both[:, 1]
    line = in_line(X[:, [0, 2]], Metric.MAHALANOBIS)
    np.testing.assert_allclose(line * residual.std() / line.std(), residual, atol=1e-9)


def test_a_constant_column_is_refused() -> None:
    with pytest.raises(ValueError, match="no variance"):
        whitened(np.column_stack([np.ones(5), np.arange(5.0)]), Metric.SCALED)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.sampled_from([0.0, 0.6]), st.booleans())
def test_nearest_sets_are_those_of_brute_force(
    seed: int, k: int, tolerance: float, lumpy: bool
) -> None:
    rng = np.random.default_rng(seed)
    at, points = rng.normal(size=(9, 2)), rng.normal(size=(int(rng.integers(1, 25)), 2))
    if lumpy:  # whole numbers: many ties, and their squares are exact
        at, points = np.round(at * 2), np.round(points * 2)
    sets = nearest_sets(at, points, k, tolerance)
    for i, place in enumerate(at):
        d2 = [float(np.sum((place - p) ** 2)) for p in points]
        bound = sorted(d2)[min(k, len(points)) - 1] + tolerance
        row = slice(sets.indptr[i], sets.indptr[i + 1])
        assert sorted(sets.indices[row]) == [j for j, d in enumerate(d2) if d <= bound + 1e-12]
        np.testing.assert_allclose(sets.distance[row] ** 2, np.sort(d2)[: row.stop - row.start])


def test_a_point_is_in_its_own_set() -> None:
    z = np.array([[0.0], [0.0], [1.0], [3.0]])
    sets = nearest_sets(z, z, 2)
    assert np.split(sets.indices, sets.indptr[1:-1])[2].tolist() == [2, 0, 1]
    assert sets.count.tolist() == [2, 2, 3, 2]
