"""Does the order of the rows, or where they stand in a file, change what is said of them?"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from contract_examples import EXAMPLES, ROLES, Asking, clean
from hypothesis import given, settings
from hypothesis import strategies as st

import prakerja_eval as pe
from prakerja_eval.panel.contract import Asked, find_faults
from prakerja_eval.panel.table import Table


def said(check):
    return [(f.code, f.severity, f.columns, f.count, f.message, f.remedy) for f in check.faults]


def rows_of(check):
    return [f.rows for f in check.faults]


@pytest.mark.parametrize("name", EXAMPLES)
def test_shuffled_rows_have_the_same_faults_at_their_new_places(name):
    asking = EXAMPLES[name].asking
    order = np.random.default_rng(5).permutation(len(asking.frame))
    before = asking.check()
    after = replace(asking, frame=asking.frame.iloc[order].reset_index(drop=True)).check()
    assert said(after) == said(before)
    for found, rows in zip(after.faults, rows_of(before), strict=True):
        assert {order[r - 1] + 1 for r in found.rows} == set(rows)


CELLS = {
    "nik": ["SYN-000001", "syn-000001", None],
    "wave": [1, 2, 3, np.nan],
    "won": [0, 1, 2, np.nan],
    "trained": [0, 1, np.nan],
    "cohort": [0, 1, 2, 2.5, 3, np.nan],
    "batch": ["first", "second", "third", None],
    "odds": [0.5, 0.2, 0.0],
    "application": [1, 2, np.nan],
    "household": ["H0", "H9", None],
    "weight": [1.5, 0.0, -1.0, np.nan],
    "responded": [0, 1],
    "income": [-9.0, 5.0, np.inf, np.nan],
}
EDIT = st.sampled_from([(c, v) for c, values in CELLS.items() for v in values])


@pytest.mark.witness
@settings(max_examples=150, deadline=None)
@given(
    edits=st.lists(st.tuples(st.integers(0, 23), EDIT), max_size=12),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_order_of_faulty_rows_changes_codes_messages_counts_or_rows(edits, seed):
    frame = clean().astype(dict.fromkeys(CELLS, object))
    for row, (column, value) in edits:
        frame.loc[row, column] = value
    frame = frame.infer_objects()
    order = np.random.default_rng(seed).permutation(len(frame))
    asked = Asked(("income",), ("income@1", "note"), ("income",))
    roles = replace(ROLES, baseline=None)
    before = find_faults(Table(frame), roles, asked)
    shuffled = Table(frame.iloc[order].reset_index(drop=True), rows=order + 1)
    after = find_faults(shuffled, roles, asked)
    assert said(after) == said(before)
    assert rows_of(after) == rows_of(before)


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from(["2020-02", "1e400", "nan", "inf", "-9", "99", 5e-324, 1.7e308]),
)
COLUMNS = ["cohort", "won", "trained", "batch", "odds", "application", "weight", "income", "age"]


@settings(max_examples=150, deadline=None)
@given(
    column=st.sampled_from(COLUMNS),
    cells=st.lists(ANYTHING, min_size=24, max_size=24),
    numbers=st.booleans(),
)
def test_whatever_stands_in_a_column_is_checked_without_another_error(column, cells, numbers):
    values = pd.Series(cells, dtype=object)
    if numbers:
        values = pd.Series([c if isinstance(c, float) else np.nan for c in cells])
    frame = clean().assign(age=30).assign(**{column: values})
    check = find_faults(Table(frame), ROLES, Asked(("income",), ("income@1", "age"), ("income",)))
    for fault in check.faults:
        assert fault.count > 0
        assert "SYN-" not in repr(check)


def test_rows_are_numbered_as_in_the_file():
    frame = clean()
    frame.loc[3, "weight"] = -1.0
    table = Table(frame.iloc[3:].reset_index(drop=True), rows=np.arange(104, 125))
    check = find_faults(table, ROLES, Asked())
    assert [f.rows for f in check.faults if f.code == "negative_weight"] == [(104,)]


def test_a_part_of_a_panel_keeps_the_row_numbers_of_the_whole():
    frame = clean()
    frame.loc[20, "weight"] = -1.0
    check = pe.Panel(frame, ROLES).where(batch="second").check()
    assert [f.rows for f in check.faults if f.code == "negative_weight"] == [(21,)]


def test_errors_come_first_in_one_order_whatever_the_columns_order():
    frame = EXAMPLES["treated_before_programme"].asking
    turned = replace(frame, frame=frame.frame[frame.frame.columns[::-1]])
    assert said(turned.check()) == said(frame.check())
    assert isinstance(frame, Asking)
