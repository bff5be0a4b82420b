"""What are the true effects? Weighted sums of differences between potential outcomes."""

from typing import NamedTuple

import numpy as np
from scipy import sparse

from prakerja_eval.synthetic.people import AGE_BANDS, Persons
from prakerja_eval.synthetic.process import Lives
from prakerja_eval.synthetic.truth_outcomes import Source, Wave, weights
from prakerja_eval.typing import CodeArray, FloatArray, IntArray

TRAITS = ("female", "urban", "priority", "reachable", "senior")
BANDS = [f"age_band = {low}-{high}" for low, high in AGE_BANDS]
GROUPS: tuple[str | None, ...] = (
    None,
    *(f"{trait} = {value}" for trait in TRAITS for value in (0, 1)),
    *BANDS,
)
LONGEST = 120  # months since receipt that are told apart


class EffectSums(NamedTuple):
    """Sums over people, weighted: T waves, B blocks, L groups, C cohorts, K outcomes.

    Attributes
    ----------
    people, winners : (B, L) arrays
    offer, lost : (T, B, L, K) arrays
        Of the effect of winning the first application, and of the outcome after losing it.
    cohort : (C, L) array
        People by the wave in which they have first received; the last one is never.
    receipt : (T, C, L, K) array
        Of the effect of having received as it happened, against never.
    month : (M,) array, and since : (M, K) array
        Person-waves, and the effect, by months since receipt.
    """

    people: FloatArray
    winners: FloatArray
    offer: FloatArray
    lost: FloatArray
    cohort: FloatArray
    receipt: FloatArray
    month: FloatArray
    since: FloatArray


def effect_sums(source: Source, found: Lives, waves: list[Wave]) -> EffectSums:
    """Return the sums over the people of a part."""
    weight, given = weights(found), found.assignment
    blocks, n_waves = len(given.blocks), len(waves)
    by_block = [_summing(c, blocks, n, weight) for c, n in _codes(found.persons, given.block)]
    starts = cohorts(source, found)
    by_cohort = [_summing(c, n_waves + 1, n, weight) for c, n in _codes(found.persons, starts)]
    one = np.ones((len(weight), 1))
    won = given.offer[:, None].astype(np.float64)
    month, since = _by_month(source, found, waves, weight)
    return EffectSums(
        people=_tabled(by_block, blocks, one)[..., 0],
        winners=_tabled(by_block, blocks, won)[..., 0],
        offer=np.stack([_tabled(by_block, blocks, w.won - w.lost) for w in waves]),
        lost=np.stack([_tabled(by_block, blocks, w.lost) for w in waves]),
        cohort=_tabled(by_cohort, n_waves + 1, one)[..., 0],
        receipt=np.stack([_tabled(by_cohort, n_waves + 1, w.happened - w.never) for w in waves]),
        month=month,
        since=since,
    )


def cohorts(source: Source, found: Lives) -> IntArray:
    """Return the position of the first wave in which each person has received, T for never."""
    return np.searchsorted(np.array(source.survey.months), found.receipt.month)


def _codes(persons: Persons, row: CodeArray) -> list[tuple[IntArray, int]]:
    """Return row-and-level codes and the number of levels, a pair a partition of the people."""
    levels: list[tuple[IntArray, int]] = [(np.zeros(len(persons), dtype=np.int64), 1)]
    levels += [(getattr(persons, trait).astype(np.int64), 2) for trait in TRAITS]
    edges = np.array([low for low, _ in AGE_BANDS[1:]])
    levels.append((np.searchsorted(edges, persons.age, side="right"), len(BANDS)))
    place = np.maximum(row, 0).astype(np.int64)  # who has no block has no weight
    return [(place * n + level, n) for level, n in levels]


def _summing(
    code: IntArray, rows: int, levels: int, weight: FloatArray
) -> tuple[sparse.csc_matrix, int]:
    """Return the (rows * levels, n) matrix that sums by code, and the number of levels."""
    n = len(code)
    shape = (rows * levels, n)
    return sparse.csc_matrix((weight, code, np.arange(n + 1)), shape=shape), levels


def _tabled(
    summing: list[tuple[sparse.csc_matrix, int]], rows: int, values: FloatArray
) -> FloatArray:
    """Return the sums of values (n, K) by row and group, (rows, L, K)."""
    parts = [(matrix @ values).reshape(rows, levels, -1) for matrix, levels in summing]
    return np.concatenate(parts, axis=1)


def _by_month(
    source: Source, found: Lives, waves: list[Wave], weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return weights (M,) and effects (M, K) of person-waves by months since receipt."""
    count, total = np.zeros(LONGEST), np.zeros((LONGEST, waves[0].won.shape[1]))
    for month, wave in zip(source.survey.months, waves, strict=True):
        since = month - found.receipt.month
        rows = np.flatnonzero((since >= 0) & (since < LONGEST))
        matrix, _ = _summing(since[rows], LONGEST, 1, weight[rows])
        count += matrix @ np.ones(len(rows))
        total += matrix @ (wave.happened - wave.never)[rows]
    return count, total
