"""Are ids that are read once a run, and ends that are read a block at a time, what pandas finds?"""

from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import prakerja_eval as pe
from prakerja_eval.panel import extent
from prakerja_eval.panel.extent import extent_of
from prakerja_eval.panel.runs import factorise, runs_of

CELLS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "", "é", None]), st.integers(1, 6)), max_size=12
)


def repeated(parts):
    return [cell for cell, times in parts for _ in range(times)]


@given(CELLS)
def test_codes_and_labels_are_those_of_pandas(parts):
    column = pd.Series(repeated(parts), dtype="str")
    codes, labels = factorise(column)
    expected, distinct = pd.factorize(column)
    np.testing.assert_array_equal(codes, expected)
    assert list(labels) == list(distinct)
    assert labels.dtype == distinct.dtype


@given(CELLS, st.integers(1, 4))
def test_runs_spread_back_to_their_cells_however_the_column_is_cut(parts, pieces):
    cells = pa.array(repeated(parts), type=pa.string())
    cuts = np.linspace(0, len(cells), pieces + 1).astype(int)
    chunks = [cells[a:b] for a, b in pairwise(cuts)]
    runs = runs_of(pa.chunked_array(chunks, type=pa.string()))
    if runs is None:
        return
    assert 2 * len(runs.heads) <= len(cells)
    assert runs.lengths().sum() == len(cells)
    back = runs.spread(pa.chunked_array([runs.heads]))
    assert back.to_pylist() == cells.to_pylist()


def test_cells_that_all_differ_have_no_runs_worth_having():
    assert runs_of(pa.array(["a", "b", "c"])) is None
    assert runs_of(pa.array([1.5, 1.5, 1.5])) is None  # numbers that are no ids


@pytest.mark.parametrize("kind", ["int64", "float64", "str"])
def test_a_panel_in_runs_has_the_ids_of_one_in_disorder(kind):
    ids = pd.Series(np.repeat([30, 4, 100], 4)).astype("int64").astype(kind)
    frame = pd.DataFrame({"id": ids, "t": [1, 2, 3, 4] * 3, "y": np.arange(12.0)})
    roles = pe.Roles(unit="id", wave="t")
    mixed = frame.iloc[[0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]]
    there, other = pe.read_panel(frame, roles), pe.read_panel(mixed, roles)
    assert there.units == other.units == ["30", "4", "100"]
    pd.testing.assert_frame_equal(there.wide("y"), other.wide("y"))
    pd.testing.assert_frame_equal(other.frame, there.frame.iloc[mixed.index].reset_index(drop=True))


@settings(max_examples=50)
@given(st.lists(st.sampled_from([np.nan, -np.inf, -2.0, 0.0, 0.5, 3.0, np.inf]), max_size=20))
def test_ends_of_blocks_are_the_ends_of_the_whole(values):
    numbers = np.array(values, dtype=np.float64)
    before, extent.BLOCK = extent.BLOCK, 3
    try:
        found = extent_of(numbers)
    finally:
        extent.BLOCK = before
    there = [v for v in values if v == v]
    assert found.count == len(there)
    assert found.low == min(there, default=np.inf)
    assert found.high == max(there, default=-np.inf)
    assert found.positive == min((v for v in there if v > 0), default=np.inf)
    assert found.infinite == any(abs(v) == np.inf for v in there)
