"""Do the committed sizes of the tests stand, and are they those of this code?

The long run is ``python -m tests.simulation.size``. Here its committed results are read and judged
again; under `make witness` the first draws of each cell run again, and go the public way besides.
"""

import numpy as np
import pytest

from .scenarios import generator
from .size import (
    CELLS,
    DRAWS,
    FIRST,
    KEPT,
    SEED,
    SHORTFALLS,
    p_values,
    page,
    printed,
    read,
    rows_of,
    seeds,
    verdict,
)

PUBLIC = 3  # draws of a cell that also go the public way, where intervals take their time


@pytest.fixture(scope="module")
def committed(project_root):
    return read(project_root / "reports" / "validation" / "size.csv")


def test_the_committed_rows_are_the_cells_and_tests_of_the_code(committed):
    listed = [(c.name, test, SEED, DRAWS) for c in CELLS for test in c.tests]
    found = committed[["cell", "test", "seed", "draws"]].itertuples(index=False, name=None)
    assert list(found) == listed


def test_every_rate_is_judged_as_the_code_judges_it(committed):
    again = [verdict(row) for row in committed.to_dict("records")]
    assert committed["verdict"].tolist() == again


def test_the_rates_that_miss_are_the_documented_ones(committed):
    missed = committed[~committed["verdict"].isin(KEPT)]
    assert set(zip(missed["cell"], missed["test"], strict=True)) == set(SHORTFALLS)


def test_randomisation_never_rejects_more_than_it_says(committed):
    drawn = committed[committed["test"].str.startswith("randomisation")]
    assert drawn["verdict"].isin(KEPT).all()


def test_the_committed_page_is_that_of_the_committed_table(committed, project_root):
    text = (project_root / "reports" / "validation" / "size.md").read_text(encoding="utf-8")
    assert text == page(committed)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "kept"),
        ({"rejected": 0.066}, "rejects too often"),
        ({"rejected": 0.034}, "rejects too seldom"),
        ({"without_answer": 1.0, "rejected": 0.0}, "no answer given"),
        ({"attainable": 1 / 32, "rejected": 0.03}, "does not warn"),
        ({"attainable": 1 / 32, "rejected": 0.03, "warned": 1.0}, "kept"),
        ({"attainable": 1 / 32, "rejected": 0.051, "warned": 1.0}, "rejects too often"),
        ({"attainable": 0.0, "rejected": 0.0, "warned": 1.0}, "kept"),
    ],
)
def test_a_rate_is_judged_by_what_can_be_attained(change, said):
    good = {"rejected": 0.05, "attainable": 0.05, "draws": 2_000, "without_answer": 0.0}
    assert verdict(good | {"warned": 0.0} | change) == said


@pytest.mark.witness
@pytest.mark.parametrize("number", range(len(CELLS)))
def test_the_first_draws_run_again_give_the_committed_numbers(committed, number):
    again = rows_of(number, FIRST)
    mine = committed[committed["cell"] == CELLS[number].name]
    for column in ("first_mean", "smallest_p", "warned"):
        np.testing.assert_allclose(mine[column], [row[column] for row in again], rtol=1e-8)


@pytest.mark.witness
@pytest.mark.parametrize("number", range(len(CELLS)))
def test_the_short_path_of_the_sizes_is_the_public_path(number):
    cell = CELLS[number]
    for i, seed in enumerate(seeds(number)[:PUBLIC]):
        draw = cell.draw(generator(seed))
        short = [p for p, _ in p_values(draw, cell, i)]
        public = [p for p, _ in printed(draw, cell, i)]
        np.testing.assert_array_equal(short, public)
