"""Matching on covariates: greedy and with replacement against brute force, limits, options."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

import prakerja_eval as pe
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.matching.pairs.by_distance import greedy_by_distance, nearest_by_distance
from prakerja_eval.matching.pairs.design import Nearest
from prakerja_eval.matching.pairs.neighbours import Ties
from prakerja_eval.matching.pairs.stock import Field, Limits, TreeStock, WindowStock, steps
from prakerja_eval.typing import FloatArray, IntArray


def field(seed: int, n_f: int, n_c: int, width: float | None, lumpy: bool = False) -> Field:
    """Return two sides in two columns, with calipers on both if a width is given."""
    rng = np.random.default_rng(seed)
    f, c = rng.normal(size=(n_f, 2)), rng.normal(size=(n_c, 2))
    if lumpy:
        f, c = np.round(f * 2), np.round(c * 2)
    widths = np.array([] if width is None else [width, 2 * width])
    limits = Limits(f[:, : len(widths)], c[:, : len(widths)], widths)
    return Field(f, c, steps(f[:, 1], c[:, 1]), limits, True)


def apart(it: Field) -> FloatArray:
    """Return distances, infinite beyond a limit."""
    d = np.sqrt(((it.focal[:, None] - it.comparison[None]) ** 2).sum(axis=2))
    far = np.abs(it.limits.focal[:, None] - it.limits.comparison[None]) > it.limits.width
    d[far.any(axis=2)] = np.inf
    return np.asarray(d)


def greedy_in_words(it: Field, queue: IntArray, ratio: int, uses: int) -> list[tuple[int, int]]:
    """Match as the page says, unit by unit: of tied ones the farthest in line, then the first."""
    d, left = apart(it), np.full(len(it.comparison), uses)
    rows: list[tuple[int, int]] = []
    for _ in range(ratio):
        for i in queue.tolist():
            may = [
                j
                for j in range(len(left))
                if left[j] and np.isfinite(d[i, j]) and (i, j) not in rows
            ]
            if not may:
                continue
            nearest = min(d[i, j] for j in may)
            tied = [j for j in may if d[i, j] <= nearest * (1 + 1e-9)]
            taken = max(tied, key=lambda j: (abs(int(it.step[1][j] - it.step[0][i])), -j))
            rows.append((i, taken))
            left[taken] -= 1
    return rows


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([None, 0.5, 1.0]),
    st.booleans(),
    st.integers(1, 3),
    st.integers(1, 2),
)
def test_greedy_matching_is_what_the_page_says(
    seed: int, width: float | None, lumpy: bool, ratio: int, uses: int
) -> None:
    it = field(seed, 12, 25, width, lumpy)
    queue = np.random.default_rng(seed).permutation(12)
    pairs = greedy_by_distance(it, queue, ratio, uses)
    expected = greedy_in_words(it, queue, ratio, uses)
    assert sorted(zip(pairs.focal.tolist(), pairs.comparison.tolist(), strict=True)) == sorted(
        expected
    )
    np.testing.assert_allclose(pairs.distance, apart(it)[pairs.focal, pairs.comparison])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([None, 0.8]))
def test_closest_first_makes_the_closest_pair_of_what_is_left(
    seed: int, width: float | None
) -> None:
    it = field(seed, 10, 14, width)
    d, expected = apart(it), []
    while np.isfinite(d).any():
        i, j = np.unravel_index(np.argmin(d), d.shape)
        expected.append((int(i), int(j)))
        d[i], d[:, j] = np.inf, np.inf
    pairs = greedy_by_distance(it, None)
    assert list(zip(pairs.focal.tolist(), pairs.comparison.tolist(), strict=True)) == sorted(
        expected
    )


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10_000), st.sampled_from([None, 0.6]), st.booleans(), st.sampled_from([0.0, 0.5])
)
def test_with_replacement_all_tied_units_are_kept(
    seed: int, width: float | None, lumpy: bool, tolerance: float
) -> None:
    it = field(seed, 12, 20, width, lumpy)
    pairs = nearest_by_distance(it, 3, Ties.AVERAGE, tolerance)
    for i, d in enumerate(apart(it)):
        inside = np.sort(d[np.isfinite(d)])
        kept = set(pairs.comparison[pairs.focal == i].tolist())
        reach = inside[min(3, len(inside)) - 1] ** 2 + tolerance if len(inside) else -1.0
        assert kept == {j for j in range(20) if np.isfinite(d[j]) and d[j] ** 2 <= reach + 1e-9}
    first = nearest_by_distance(it, 1, Ties.FIRST)
    endless = greedy_by_distance(it, np.arange(12), 1, 12)
    assert np.array_equal(first.comparison, endless.comparison)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_tree_and_window_find_the_same(seed: int, lumpy: bool) -> None:
    it = field(seed, 40, 60, 1e6, lumpy)
    mine, theirs = np.arange(40), np.arange(60)
    tree, window = (kind(it, mine, theirs, 1) for kind in (TreeStock, WindowStock))
    for i in mine.tolist():
        a, b = tree.nearest(i, set()), window.nearest(i, set())
        assert a is not None
        assert b is not None
        assert a[1] == b[1]
        tree.take(a[1])
        window.take(b[1])


def people(seed: int, n: int = 150) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    frame = pd.DataFrame(x, columns=["a", "b", "c"]).assign(id=[f"u{i}" for i in range(n)])
    frame["g"] = rng.choice(["north", "south", "west"], n)
    frame["d"] = (rng.random(n) < 1 / (2 + np.exp(-x[:, 0]))).astype(int)
    return frame


def matched(frame: pd.DataFrame, design: Nearest) -> pd.DataFrame:
    panel = pe.read_panel(frame, pe.Roles(unit="id", received="d"))
    return pe.matching.match(panel, design, covariates=["a", "b", "c"]).frame


@pytest.mark.parametrize("distance", ["mahalanobis", "robust_mahalanobis", "scaled_euclidean"])
@pytest.mark.parametrize("replace", [True, False])
def test_units_of_covariates_change_nothing(distance: str, replace: bool) -> None:
    frame = people(1)
    design = Nearest(distance=distance, replace=replace, on=("a", "b", "c", "g"))  # type: ignore[arg-type]
    here = matched(frame, design)
    other = matched(frame.assign(a=frame["a"] * 1e4 - 3, b=frame["b"] / 50), design)
    pd.testing.assert_frame_equal(here, other, rtol=1e-8)


def test_the_order_of_rows_changes_nothing_where_the_score_orders() -> None:
    frame = people(2)
    design = Nearest(replace=False, distance="mahalanobis", caliper=0.5)
    shuffled = matched(frame.sample(frac=1, random_state=3), design)
    here = matched(frame, design)
    pd.testing.assert_frame_equal(
        here.sort_values("unit", ignore_index=True),
        shuffled.sort_values("unit", ignore_index=True),
        rtol=1e-8,
    )


def test_calipers_and_exact_groups_are_kept() -> None:
    frame = people(3)
    design = Nearest(
        distance="mahalanobis", caliper=0.5, calipers={"b": 0.7}, exact=("g",), replace=False
    )
    pairs = matched(frame, design)
    by = frame.set_index("id")
    one, two = by.loc[pairs["unit"]], by.loc[pairs["counterpart"]]
    assert len(pairs) > 5
    assert (one["g"].to_numpy() == two["g"].to_numpy()).all()
    assert np.abs(one["b"].to_numpy() - two["b"].to_numpy()).max() <= 0.7


def test_a_lot_decides_who_chooses_first_and_its_seed_alone() -> None:
    frame = people(4, 60)
    first, again, other = (
        matched(frame, Nearest(replace=False, order="random", seed=s)) for s in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(first, again)
    assert not first["counterpart"].equals(other["counterpart"])


def test_mahalanobis_needs_no_score() -> None:
    panel = pe.read_panel(people(5), pe.Roles(unit="id", received="d"))
    alone = pe.matching.people(panel, ["a", "b", "c"])
    design = Nearest(replace=False, distance="mahalanobis")
    pairs = pe.matching.match(panel, design, score=alone).pairs
    same = pe.matching.match(panel, design, covariates=["a", "b", "c"]).pairs
    assert np.array_equal(pairs.comparison, same.comparison)
    with pytest.raises(UsageError, match="have no score"):
        pe.matching.match(panel, Nearest(distance="mahalanobis", caliper=0.2), score=alone)


def test_a_constant_covariate_and_a_caliper_on_words_are_refused() -> None:
    frame = people(6).assign(same=1.0)
    with pytest.raises(NotEstimableError, match="'same' does not vary"):
        matched(frame, Nearest(distance="mahalanobis", on=("a", "same")))
    with pytest.raises(UsageError, match="'g' is not possible"):
        matched(frame, Nearest(calipers={"g": 1}))


def test_calipers_are_read_from_a_study_file() -> None:
    table = {"calipers": {"age": 2}, "distance": "mahalanobis", "on": ["age"], "caliper": 0.2}
    design = TypeAdapter(Nearest).validate_python(table)
    assert design == Nearest(
        calipers=(("age", 2.0),), distance="mahalanobis", on=("age",), caliper=0.2
    )
    hash(design)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"order": "random", "replace": False}, "belong together"),
        ({"seed": 1}, "belong together"),
        ({"order": "random", "replace": False, "seed": -1}, "zero or more"),
        ({"distance": "manhattan"}, "'robust_mahalanobis'"),
        ({"distance": "mahalanobis", "covariance": "within"}, "'pooled', 'sample'"),
        ({"on": ("age",)}, "distance='mahalanobis'"),
        ({"calipers": {"age": -2}}, "zero or more"),
        ({"tie_tolerance": -1.0}, "zero or more"),
    ],
)
def test_options_are_refused_by_name(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Nearest(**options)  # type: ignore[arg-type]
