"""Who applied when, with what number and odds, and who won? A row a person and batch."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from prakerja_eval.synthetic.calendar import month_label
from prakerja_eval.synthetic.columns import coded, flag, numbered
from prakerja_eval.synthetic.lottery import Assignment, Round
from prakerja_eval.synthetic.process import Process


def table(process: Process, rounds: Sequence[Round], assignment: Assignment) -> pa.Table:
    """Return the applications of all batches, a row a person and batch, by batch and person."""
    if rounds:
        return pa.concat_tables([of_round(process, r) for r in rounds])
    return _without_rounds(process, assignment)


def of_round(process: Process, found: Round) -> pa.Table:
    """Return the applications of one batch."""
    entry, month = process.batches.entries[found.batch], process.batches.months[found.batch]
    names = [f"b{entry.number:02d}, {name}" for name in found.strata.names]
    return pa.table(
        {
            "person_id": numbered("SYN-", found.person + 1, 8).dictionary_decode(),
            "batch": pa.array(np.full(len(found.person), entry.number), pa.int16()),
            "month": coded(
                np.zeros(len(found.person), int), [month_label(month)]
            ).dictionary_decode(),
            "stratum": coded(found.strata.code, names).dictionary_decode(),
            "number": pa.array(found.number),
            "propensity": pa.array(found.propensity),
            "won": flag(found.won),
        }
    )


def _without_rounds(process: Process, assignment: Assignment) -> pa.Table:
    """Return the applications where nobody applies twice and no person's name is drawn."""
    numbers = np.array([e.number for e in process.batches.entries])
    months = [month_label(m) for m in process.batches.months]
    n = len(assignment.first)
    return pa.table(
        {
            "person_id": numbered("SYN-", np.arange(1, n + 1), 8).dictionary_decode(),
            "batch": pa.array(numbers[assignment.first], pa.int16()),
            "month": coded(assignment.first, months).dictionary_decode(),
            "stratum": coded(assignment.block, assignment.blocks).dictionary_decode(),
            "number": pa.nulls(n, pa.float64()),
            "propensity": pa.array(np.asarray(assignment.propensity, dtype=np.float64)),
            "won": flag(assignment.offer),
        }
    )
