"""Does a column hold values that stand for no value: a code for "unknown", an age of 999?"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from prakerja_eval.panel.contract.facts import Facts, extent, numeric_columns
from prakerja_eval.panel.contract.finding import Finding
from prakerja_eval.panel.values import plain_text
from prakerja_eval.panel.words import suggests
from prakerja_eval.typing import BoolArray, FloatArray

OLDEST = 110
NAMED_SHARE = 0.8  # of the values, from which a column counts as one of labelled codes
ENOUGH, REPEATED, FAR = 20, 2, 4.0
BELOW = np.array([-float(f"{d}".rjust(k, "9")) for k in range(1, 7) for d in (7, 8, 9)])
ABOVE = np.array([float(f"{d}".rjust(k, "9")) for k in range(2, 10) for d in (6, 7, 8, 9)])
YES_NO = np.array([8.0, 9.0])


def implausible_age(facts: Facts) -> Iterator[Finding]:
    """Find ages that nobody has, in columns that otherwise hold ages."""
    roles = {c for columns in facts.named.values() for c in columns}
    for column in facts.frame.columns:
        if column in roles or not suggests(str(column), "age"):
            continue
        values, missing = facts.number(column), facts.missing(column)
        bad = ~missing & ~((values >= 0) & (values <= OLDEST))
        # where most are no ages the column is something else: groups, months, squares
        if 2 * np.count_nonzero(bad) < np.count_nonzero(~missing):
            yield Finding("implausible_age", (column,), bad, {"oldest": OLDEST})


def labels_missing_code(facts: Facts) -> Iterator[Finding]:
    """Find values that the labels do not name, of columns whose values mostly have labels."""
    ids = set(facts.roles.id_columns())
    for column, variable in facts.table.codebook.items():
        if column in ids or column not in facts.frame.columns or len(variable.values) < 2:
            continue
        codes, values = pd.factorize(facts.frame[column])
        named = np.array([plain_text(v) in variable.values for v in values], dtype=bool)
        bad = np.append(~named, False)[codes]
        present = np.count_nonzero(codes >= 0)
        few = np.count_nonzero(~named) <= len(variable.values)
        if few and np.count_nonzero(bad) <= (1 - NAMED_SHARE) * present:
            yield Finding("labels_missing_code", (column,), bad)


def undeclared_missing_code(facts: Facts) -> Iterator[Finding]:
    """Find repeated 99, 999, -9 and the like that stand far outside the other values."""
    for column in numeric_columns(facts):
        bad = likely_codes(facts, column)
        if bad.any():
            values = np.unique(facts.number(column)[bad])
            places = {"codes": ", ".join(f"{v:.0f}" for v in values)}
            yield Finding("undeclared_missing_code", (column,), bad, places)


def likely_codes(facts: Facts, column: str) -> BoolArray:
    """Return the rows whose value is in all likelihood a code for a missing value."""
    ends = extent(facts, column)
    none = np.zeros(len(facts.frame), dtype=bool)
    variable = facts.table.codebook.get(column)
    labelled = variable is not None and len(variable.values) >= 2
    if labelled or suggests(str(column), "age") or ends.count < ENOUGH:
        return none
    low, high, small = ends.low, ends.high, ends.positive
    if low not in BELOW and high not in ABOVE and high not in YES_NO and small not in ABOVE:
        return none
    values, bad = facts.number(column), none
    for candidates in (BELOW, ABOVE, YES_NO):
        bad = bad | _standing_out(values, candidates, suggests(str(column), "money"))
    return np.asarray(bad)


def _standing_out(values: FloatArray, candidates: FloatArray, money: bool) -> BoolArray:
    """Return the rows of the candidates if they are repeated and far outside the rest."""
    at = np.isin(values, candidates)
    rest = values[~at & np.isfinite(values) & ~np.isin(values, BELOW)]
    if np.count_nonzero(at) < REPEATED or not len(rest):
        return np.zeros(len(values), dtype=bool)
    if candidates is BELOW:
        return at if rest.min() >= 0 else at & False
    top = float(rest.max())
    if candidates is YES_NO:
        yes_no = rest.min() >= 0 and top <= 2 and len(np.unique(rest)) <= 2
        return at if yes_no else at & False
    above = at & (values > FAR * max(top, 1.0))
    some = rest[rest > 0]
    if money and len(some) and np.count_nonzero(above) == 0:
        above = at & (values < float(some.min()) / 10)
    return above if np.count_nonzero(above) >= REPEATED else at & False
