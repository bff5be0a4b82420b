"""Was anyone treated before the programme existed, or before their own batch opened?"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np

from prakerja_eval.panel.calendar import days_of
from prakerja_eval.panel.contract.facts import Facts
from prakerja_eval.panel.contract.finding import Finding, counted
from prakerja_eval.panel.values import plain_text
from prakerja_eval.panel.words import parts_of
from prakerja_eval.programme import batches, first_opening
from prakerja_eval.typing import IntArray

BATCH_WORDS = frozenset({"batch", "gelombang", "angkatan"})
NEVER = np.iinfo(np.int64).max


def treated_before_programme(facts: Facts) -> Iterator[Finding]:
    """Find receipt, or a cohort, wholly before the programme first took applications."""
    opening = first_opening()
    for column, last in _treatment(facts):
        bad = last < opening.toordinal()
        places = {"opening": opening.isoformat(), "units": _units(facts, bad)}
        yield Finding("treated_before_programme", (column,), bad, places)


def treated_before_batch(facts: Facts) -> Iterator[Finding]:
    """Find receipt, or a cohort, wholly before the month in which the batch opened."""
    named = (*facts.named.get("blocks", ()), *facts.named.get("clusters", ()))
    opens = _opening_months()
    for batch in dict.fromkeys(c for c in named if BATCH_WORDS & set(parts_of(str(c)))):
        number = facts.number(batch)
        whole = np.isfinite(number) & (number == np.floor(number))
        known = whole & (number >= 0) & (number < len(opens))
        month = opens[np.where(known, number, 0).astype(np.int64)]
        for column, last in _treatment(facts):
            bad = last < month
            places = {"batch": batch, "units": _units(facts, bad)}
            yield Finding("treated_before_batch", (batch, column), bad, places)


def _treatment(facts: Facts) -> Iterator[tuple[str, IntArray]]:
    """Give each column of treatment, and the last day of the treatment of each row, or never.

    Only of a panel with a date in or after the programme's first year.
    """
    days = [days_of(w) for w in facts.waves]
    year = first_opening().year
    if not any(d is not None and d[1].year >= year for d in days):
        return
    roles = facts.roles
    if roles.received is not None:
        ends = np.array([*(NEVER if d is None else d[1].toordinal() for d in days), NEVER])
        received = facts.number(roles.received) == 1
        yield roles.received, np.where(received, ends[facts.wave.of], NEVER)
    if roles.cohort is not None:
        yield roles.cohort, _last_days(facts, roles.cohort)


def _last_days(facts: Facts, column: str) -> IntArray:
    """Return the last day of each label of a column; never where it is no date."""
    codes = facts.codes(column).of
    days = [days_of(plain_text(v)) for v in facts.labels(column)]
    ends = np.array([*(NEVER if d is None else d[1].toordinal() for d in days), NEVER])
    return np.asarray(ends[codes])


@lru_cache(maxsize=1)
def _opening_months() -> IntArray:
    """Return the first day of the month in which each batch opened; 0 where that is not known."""
    known = {b.number: b.opened.earliest for b in batches() if b.opened is not None}
    out = np.zeros(max(known) + 1, dtype=np.int64)
    for number, day in known.items():
        out[number] = day.replace(day=1).toordinal()
    return out


def _units(facts: Facts, bad: np.ndarray) -> str:
    return counted(int(facts.unit.any(bad).sum()), "unit")
