"""Optimal pairs: brute force, calipers, both solvers, never above greedy."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import prakerja_eval as pe
from prakerja_eval.errors import UsageError
from prakerja_eval.matching.pairs import optimal
from prakerja_eval.matching.pairs.by_distance import greedy_by_distance
from prakerja_eval.matching.pairs.design import Optimal
from prakerja_eval.matching.pairs.optimal import TooManyPairsError, optimal_pairs
from prakerja_eval.matching.pairs.stock import Field, Limits, steps


def field(seed: int, n_f: int, n_c: int, width: float | None = None) -> Field:
    """Return two sides in two columns, with a caliper on the first if a width is given."""
    rng = np.random.default_rng(seed)
    f, c = rng.normal(size=(n_f, 2)), rng.normal(size=(n_c, 2))
    widths = np.array([] if width is None else [width])
    limits = Limits(f[:, : len(widths)], c[:, : len(widths)], widths)
    return Field(f, c, steps(f[:, 1], c[:, 1]), limits, True)


def best_by_brute_force(it: Field, ratio: int) -> tuple[int, float]:
    """Return most pairs and least distance over all ways to hand out comparison units or none."""
    d = np.sqrt(((it.focal[:, None] - it.comparison[None]) ** 2).sum(axis=2))
    far = np.abs(it.limits.focal[:, None] - it.limits.comparison[None]) > it.limits.width
    d[far.any(axis=2)] = np.inf
    requests = np.repeat(np.arange(len(d)), ratio)
    nobody = np.full((len(d), len(requests)), np.nan)
    d = np.hstack([d, nobody])
    best = (0, 0.0)
    for way in set(permutations(range(d.shape[1]), len(requests))):
        cost = d[requests, list(way)]
        if not np.isinf(cost).any():
            served = np.isfinite(cost)
            best = min(best, (-int(served.sum()), float(cost[served].sum())))
    return -best[0], best[1]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([None, 0.4, 1.0]), st.booleans())
def test_brute_force_finds_nothing_better(seed: int, width: float | None, dense: bool) -> None:
    it = field(seed, 3, 4, width)
    with pytest.MonkeyPatch.context() as patch:
        if not dense:
            patch.setattr(optimal, "DENSE", 0)
        pairs = optimal_pairs(it)
    many, total = best_by_brute_force(it, 1)
    assert len(pairs.focal) == many
    np.testing.assert_allclose(pairs.distance.sum(), total, rtol=1e-12)


@pytest.mark.parametrize("dense", [True, False])
def test_two_matches_each_are_the_best_two_each(
    dense: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optimal, "DENSE", 1_000_000 if dense else 0)
    it = field(5, 2, 5)
    pairs = optimal_pairs(it, 2)
    many, total = best_by_brute_force(it, 2)
    assert np.bincount(pairs.focal).tolist() == [2, 2]
    assert len(np.unique(pairs.comparison)) == many == 4
    np.testing.assert_allclose(pairs.distance.sum(), total, rtol=1e-12)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([None, 0.3]),
    st.integers(1, 2),
    st.integers(30, 90),
)
def test_few_candidates_are_enough_and_greedy_is_never_better(
    seed: int, width: float | None, ratio: int, n_c: int
) -> None:
    it = field(seed, 30, n_c, width)
    full = optimal_pairs(it, ratio)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(optimal, "DENSE", 0)
        sparse = optimal_pairs(it, ratio)
    assert len(sparse.focal) == len(full.focal)
    np.testing.assert_allclose(sparse.distance.sum(), full.distance.sum(), rtol=1e-10)
    greedy = greedy_by_distance(it, np.arange(30), ratio)
    assert len(greedy.focal) <= len(full.focal)
    if len(greedy.focal) == len(full.focal):
        assert full.distance.sum() <= greedy.distance.sum() * (1 + 1e-12)
    if width is not None:
        gap = np.abs(it.focal[full.focal, 0] - it.comparison[full.comparison, 0])
        assert gap.max() <= width


def test_what_greedy_costs_above_the_optimum_on_a_score() -> None:
    """The largest first little, the smallest first half as much again, as others measured."""
    rng = np.random.default_rng(3)
    f, c = rng.beta(4, 3, 400), rng.beta(2, 4, 900)
    limits = Limits(np.empty((400, 0)), np.empty((900, 0)), np.empty(0))
    it = Field(f[:, None], c[:, None], steps(f, c), limits, False)
    best = optimal_pairs(it).distance.sum()
    largest, smallest = (
        greedy_by_distance(it, np.argsort(sign * f)).distance.sum() / best - 1 for sign in (-1, 1)
    )
    assert 0 <= largest < 0.01 < smallest


def test_too_many_pairs_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimal, "DENSE", 0)
    monkeypatch.setattr(optimal, "MOST_PAIRS", 50)
    with pytest.raises(TooManyPairsError, match="more than 50 pairs"):
        optimal_pairs(field(1, 20, 30))
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"id": range(60), "d": np.arange(60) % 2, "x": rng.normal(size=60)})
    panel = pe.read_panel(frame, pe.Roles(unit="id", received="d"))
    with pytest.raises(UsageError, match="narrower caliper or more exact columns"):
        pe.matching.match(panel, Optimal(), covariates=["x"])


def test_optimal_pairs_stay_within_exact_groups() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"id": range(80), "x": rng.normal(size=80), "g": np.arange(80) % 3})
    frame["d"] = (rng.random(80) < 0.3).astype(int)
    panel = pe.read_panel(frame, pe.Roles(unit="id", received="d"))
    pairs = pe.matching.match(panel, Optimal(exact=("g",), ratio=2), covariates=["x"]).pairs
    g = frame["g"].to_numpy()
    assert (g[pairs.focal] == g[pairs.comparison]).all()
    assert len(np.unique(pairs.comparison)) == len(pairs.comparison)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"estimand": "ATE"}, "'ATT', 'ATC'"),
        ({"ratio": 0}, "at least 1"),
        ({"caliper": 0.0}, "above zero"),
        ({"distance": "cosine"}, "'scaled_euclidean'"),
        ({"on": ("x",)}, "distance in covariates"),
        ({"covariance": "pooled"}, "distance in covariates"),
        ({"exact": "x"}, "tuple of column names"),
        ({"calipers": {"x": -1}}, "'x'"),
        ({"calipers": 3}, "columns and widths"),
    ],
)
def test_options_are_refused_by_name(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Optimal(**options)  # type: ignore[arg-type]
