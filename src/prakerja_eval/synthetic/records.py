"""What does the administration record of each place? Course, institution, payments, revocation.

A row a place that was won. The records say what was bought and paid in the winner's name; whether
the winner received it is another question, which the panel's ``received`` answers.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from prakerja_eval.synthetic.calendar import month_label
from prakerja_eval.synthetic.columns import flag, numbered
from prakerja_eval.synthetic.draws import Draws
from prakerja_eval.synthetic.lottery import NEVER, Assignment
from prakerja_eval.synthetic.process import Process, persons_of, taken
from prakerja_eval.synthetic.take_up import CHANNELS, Receipt, receive
from prakerja_eval.typing import BoolArray, IntArray


def tables(process: Process, assignment: Assignment, seed: int) -> Iterator[pa.Table]:
    """Give the records as Arrow tables, one a chunk of people, text as dictionaries."""
    draws, months = Draws(seed, 0, len(assignment.first)), process.batches.months
    for part in draws.parts():
        persons, mine = persons_of(process, part), taken(assignment, part)
        receipt = receive(process.scenario.take_up, months, persons, mine, part)
        yield _table(process, mine, receipt, part)


def _table(process: Process, given: Assignment, receipt: Receipt, part: Draws) -> pa.Table:
    """Return the records of one part's winners."""
    options = process.scenario.take_up
    won = np.flatnonzero(given.win != NEVER)
    numbers = np.array([e.number for e in process.batches.entries])
    used, bought = ~receipt.revoked[won], receipt.on_record[won]
    paid = used & receipt.paid[won]
    out = {
        "person_id": numbered("SYN-", won + part.start + 1, 8),
        "batch": pa.array(numbers[given.win[won]], pa.int16()),
        "won_in": _months(receipt.won[won], np.full(len(won), True)),
        "revoked": flag(~used),
        "bought_in": _months(bought, used),
        "institution": pa.array(receipt.institution[won].astype(np.int16), mask=~used),
        "completed": flag(used & receipt.completed[won]),
        "channel": _named(receipt.channel[won], CHANNELS, paid),
    }
    for k in range(1, options.incentives + 1):
        out[f"incentive_{k}_in"] = _months(bought + k, paid)
    for k in range(1, options.survey_incentives + 1):
        out[f"survey_incentive_{k}_in"] = _months(bought + 2 * k, paid)
    return pa.table(out)


def _months(month: IntArray, known: BoolArray) -> pa.Array:
    """Return months as text, empty where there is none."""
    last = int(month[known].max(initial=0))
    return _named(month, [month_label(m) for m in range(last + 1)], known)


def _named(code: IntArray, names: Sequence[str], known: BoolArray) -> pa.Array:
    """Return text by code as an Arrow dictionary, empty where it is not known."""
    codes = pa.array(np.where(known, code, 0).astype(np.int32), mask=~known)
    return pa.DictionaryArray.from_arrays(codes, pa.array(list(names)))
