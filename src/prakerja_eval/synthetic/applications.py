"""Who applied when, with what number and odds, and who won? A row a person and batch."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from prakerja_eval.synthetic.calendar import month_label
from prakerja_eval.synthetic.columns import coded, flag, numbered
from prakerja_eval.synthetic.lottery import Assignment, Round
from prakerja_eval.synthetic.process import Process
from prakerja_eval.typing import BoolArray, CodeArray, IntArray, RealArray

ROWS = 262_144  # of a table, at most


def table(process: Process, rounds: Sequence[Round], assignment: Assignment) -> pa.Table:
    """Return the applications of all batches, a row a person and batch, by batch and person."""
    drawn = [piece for found in rounds for piece in of_round(process, found)]
    return pa.concat_tables(drawn or list(without_rounds(process, assignment)))


def of_round(process: Process, found: Round) -> Iterator[pa.Table]:
    """Give the applications of one batch, piece by piece, by person."""
    names = [f"{_short(process, found.batch)}, {name}" for name in found.strata.names]
    for rows in _pieces(np.arange(len(found.person))):
        yield _table(
            process,
            found.batch,
            found.person[rows],
            coded(found.strata.code[rows], names),
            pa.array(found.number[rows]),
            found.propensity[rows],
            found.won[rows],
        )


def without_rounds(process: Process, assignment: Assignment) -> Iterator[pa.Table]:
    """Give the applications where nobody applies twice and no person's name is drawn."""
    for batch in process.batches:
        for rows in _pieces(np.flatnonzero(assignment.first == batch)):
            yield _table(
                process,
                batch,
                rows,
                coded(assignment.block[rows], assignment.blocks),
                pa.nulls(len(rows), pa.float64()),
                assignment.propensity[rows],
                assignment.offer[rows],
            )


def _pieces(rows: IntArray) -> Iterator[IntArray]:
    """Give rows in pieces, none of them empty."""
    for start in range(0, len(rows), ROWS):
        yield rows[start : start + ROWS]


def _short(process: Process, batch: int) -> str:
    """Return a batch's name in those of its strata."""
    return f"b{process.batches.entries[batch].number:02d}"


def _table(
    process: Process,
    batch: int,
    person: CodeArray,
    stratum: pa.Array,
    number: pa.Array,
    propensity: RealArray,
    won: BoolArray,
) -> pa.Table:
    """Return applications of one batch as an Arrow table, text as dictionaries."""
    n, entry = len(person), process.batches.entries[batch]
    month = month_label(process.batches.months[batch])
    return pa.table(
        {
            "person_id": numbered("SYN-", person + 1, 8),
            "batch": pa.array(np.full(n, entry.number), pa.int16()),
            "month": coded(np.zeros(n, dtype=np.int32), [month]),
            "stratum": stratum,
            "number": number,
            "propensity": pa.array(np.asarray(propensity, dtype=np.float64)),
            "won": flag(won),
        }
    )
