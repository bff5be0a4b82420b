"""Are amounts of money plausible: not negative, not heaped, in one unit, without absurd tails?

The thresholds and their reasons: docs/methods/contract.md.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np

from prakerja_eval.panel.contract.facts import Facts, numeric_columns
from prakerja_eval.panel.contract.finding import Finding
from prakerja_eval.panel.contract.values import likely_codes
from prakerja_eval.panel.words import parts_of, suggests
from prakerja_eval.typing import BoolArray, FloatArray

SHARES = (0.0, 0.002, 0.25, 0.5, 0.75, 0.99, 0.998, 1.0)  # ranks that are put in order
ENOUGH = 50  # positive values, below which shares say nothing
HEAP = 0.25  # of positive values in one
ROUND, ROUND_SHARE, ROUND_MEDIAN = 500_000.0, 0.8, 1_000_000.0
UNIT_ENOUGH, UNIT_SHARE, UNIT_COUNT = 20, 0.002, 5
BIN, WINDOW, THIN = 0.1, 3, 0.1  # decades; three bins are a factor of two
UNIT_RATIO = (300.0, 3_000.0)  # of the medians of rupiah and of thousands
TAIL, RICH, RICH_TAIL = 100.0, 1e9, 50.0


@dataclass(frozen=True, slots=True, eq=False)
class Amounts:
    """The positive values of a column of money, by rank.

    Attributes
    ----------
    values : (n,) float array
        Every row, NaN where there is none.
    positive : (m,) float array
        Finite and above zero, partly in order.
    """

    values: FloatArray
    positive: FloatArray

    def rank(self, share: float) -> float:
        """Return the value below which that share of the positive values lies."""
        return float(self.positive[_place(share, len(self.positive))])


def negative_income(facts: Facts) -> Iterator[Finding]:
    """Find amounts below zero that no loss explains."""
    for column in amounts_of(facts):
        if _is_amount(facts, column) and not _named(column, "signed"):
            values = facts.number(column)
            bad = (values < 0) & ~likely_codes(facts, column)
            yield Finding("negative_income", (column,), bad)


def implausible_amounts(facts: Facts) -> Iterator[Finding]:
    """Find heaps, mixed units and impossible tails among amounts."""
    for column in amounts_of(facts):
        if not _is_amount(facts, column):
            continue
        values = np.where(likely_codes(facts, column), np.nan, facts.number(column))
        positive = values[np.isfinite(values) & (values > 0)]
        if not len(positive):
            continue
        kth = sorted({_place(s, len(positive)) for s in SHARES})
        amounts = Amounts(values, np.partition(positive, kth))
        mixed = _mixed(amounts)
        yield Finding("mixed_units", (column,), mixed)
        if mixed.any():
            continue  # heaps and tails of two units say nothing
        if len(positive) >= ENOUGH:
            yield from _heaped(column, amounts)
            yield Finding("impossible_tail", (column,), _tail(amounts))


def amounts_of(facts: Facts) -> tuple[str, ...]:
    """Return the columns of money: asked for, or named so."""
    asked = [c for c in facts.asked.money if c in facts.frame.columns]
    named = [c for c in numeric_columns(facts) if suggests(str(c), "money")]
    return tuple(dict.fromkeys([*asked, *named]))


def _named(column: str, kind: str) -> bool:
    """Say whether a column's name holds a word of a list of amounts.toml."""
    return bool(_words()[kind] & set(parts_of(str(column))))


@lru_cache(maxsize=1)
def _words() -> dict[str, frozenset[str]]:
    source = resources.files("prakerja_eval.panel.contract").joinpath("amounts.toml")
    tree = tomllib.loads(source.read_text(encoding="utf-8"))
    return {kind: frozenset(entry["words"]) for kind, entry in tree.items()}


def _is_amount(facts: Facts, column: str) -> bool:
    """Say whether a column holds amounts, and no scale, share or yes and no."""
    labels = facts.table.codebook.get(column)
    if labels is not None and len(labels.values) >= 2:
        return False
    if column not in facts.asked.money and _named(column, "derived"):
        return False
    values = facts.number(column)
    finite = values[np.isfinite(values)]
    return bool(len(finite)) and float(np.abs(finite).max()) > 10


def _heaped(column: str, amounts: Amounts) -> Iterator[Finding]:
    """Find one value that holds a quarter of all, or answers rounded to half a million."""
    if _named(column, "fixed"):
        return
    positive = amounts.positive
    # a value with more than a quarter of all stands at an end or at a quartile
    often = {amounts.rank(s) for s in (0.0, 0.25, 0.5, 0.75, 1.0)}
    shares = {v: np.count_nonzero(positive == v) / len(positive) for v in often}
    top = max(shares, key=lambda v: (shares[v], v))
    if shares[top] > HEAP:
        places = {"share": f"{100 * shares[top]:.0f}"}
        yield Finding("heaped_income", (column,), amounts.values == top, places)
        return
    if amounts.rank(0.5) < ROUND_MEDIAN:
        return
    rounded = np.mod(positive, ROUND) == 0
    if rounded.mean() >= ROUND_SHARE:
        with np.errstate(invalid="ignore"):
            bad = (amounts.values > 0) & (np.mod(amounts.values, ROUND) == 0)
        places = {"share": f"{100 * rounded.mean():.0f}"}
        yield Finding("heaped_income.rounded", (column,), bad, places)


def _mixed(amounts: Amounts) -> BoolArray:
    """Return the rows of the smaller unit group, where there are two a factor of 1,000 apart."""
    none = np.zeros(len(amounts.values), dtype=bool)
    n = len(amounts.positive)
    if n < UNIT_ENOUGH or (n >= ENOUGH and amounts.rank(0.998) < 100 * amounts.rank(0.002)):
        return none
    cut = _trough(np.log10(amounts.positive), max(UNIT_COUNT, int(np.ceil(UNIT_SHARE * n))))
    if cut is None:
        return none
    below = amounts.positive < cut
    low, high = amounts.positive[below], amounts.positive[~below]
    ratio = np.median(high) / np.median(low)
    bottom, top = np.quantile(high, [0.05, 0.95])
    inside = np.mean((1_000 * low >= bottom) & (1_000 * low <= top))
    alike = UNIT_RATIO[0] <= ratio <= UNIT_RATIO[1] and inside >= 0.5
    if not alike or min(len(np.unique(low)), len(np.unique(high))) < 3:
        return none
    values = amounts.values
    small = values < cut if len(low) <= len(high) else values >= cut
    return np.asarray((values > 0) & small)


def _trough(logs: FloatArray, edge: int) -> float | None:
    """Return the amount between two groups: a factor of two that is as good as empty.

    ``edge`` values must lie on either side, and the window must hold at most a tenth of what the
    fullest window of that width holds on both sides.
    """
    bins = np.floor(logs / BIN).astype(np.int64)
    start = int(bins.min())
    counts = np.bincount(bins - start)
    if len(counts) < 3 * WINDOW:
        return None
    windows = np.convolve(counts, np.ones(WINDOW, dtype=np.int64), mode="valid")
    before = np.maximum.accumulate(windows)[: -2 * WINDOW]
    after = np.maximum.accumulate(windows[::-1])[::-1][2 * WINDOW :]
    middle = windows[WINDOW:-WINDOW]
    left = np.cumsum(counts)[WINDOW - 1 : -2 * WINDOW]
    right = len(logs) - np.cumsum(counts)[2 * WINDOW - 1 : -WINDOW]
    thin = (middle <= np.minimum(before, after) * THIN) & (left >= edge) & (right >= edge)
    if not thin.any():
        return None
    best = np.flatnonzero(thin & (middle == middle[thin].min()))
    place = best[len(best) // 2] + WINDOW + WINDOW / 2
    return float(10 ** ((start + place) * BIN))


def _tail(amounts: Amounts) -> BoolArray:
    """Return the rows far above the 99th percentile."""
    usual = amounts.rank(0.99)
    limit = TAIL * usual
    if usual >= 1e4:
        limit = min(limit, max(RICH, RICH_TAIL * usual))
    return np.asarray(np.isfinite(amounts.values) & (amounts.values > limit))


def _place(share: float, count: int) -> int:
    return int(share * (count - 1))
