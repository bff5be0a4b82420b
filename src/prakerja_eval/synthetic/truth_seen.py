"""What does a survey show on average? Sums over people, each by the chance to be seen.

The chance of each pattern of answered waves is exact given the outcomes, so that no answers are
drawn. Sums are kept for ``GROUPS`` groups of neighbours, for the Monte Carlo error: how far values
would differ if other people of the same kind had applied (delete-a-group jackknife).
"""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from scipy import sparse

from prakerja_eval.synthetic.outcomes import ANSWERS
from prakerja_eval.synthetic.process import Lives
from prakerja_eval.synthetic.survey import Survey
from prakerja_eval.synthetic.truth_effects import cohorts
from prakerja_eval.synthetic.truth_outcomes import (
    INCOMES,
    RECEIVED,
    TOLD,
    Source,
    Wave,
    as_told,
    offered,
    weights,
)
from prakerja_eval.typing import BoolArray, CodeArray, FloatArray, IntArray

GROUPS = 20
NEIGHBOURS = 8  # people in a row, who may share a household
MOST_PATTERNS = 256
KIND = np.array([0] * len(ANSWERS) + [1] * len(INCOMES))  # answers; and incomes, which some hide


class SeenSums(NamedTuple):
    """Weighted sums: J groups, B blocks, C cohorts, S patterns, T waves, K outcomes that are told.

    Attributes
    ----------
    block_people : (J, T, B, 2) array
        People who are expected to answer after losing and after winning, by who is expected to.
    block_seen : (J, T, B, 2) array, and block_total : (J, T, B, 2, K + 1) array
        Everybody's chances to answer after losing and after winning, and the outcomes (the last
        one is receipt) by them.
    offer_seen, offer_people : (J, T, 2) arrays
        Chances to answer, and people, who lost and who won.
    offer_seen_total, offer_total : (J, T, 2, K) arrays
    people : (J, C) array, and total : (J, C, T, K) array
        Everybody and their outcomes, by cohort.
    seen : (J, C, S, 2) array, and seen_total : (J, C, S, T, K) array
        Chances of patterns (of answers, of incomes), and what is told then.
    """

    block_people: FloatArray
    block_seen: FloatArray
    block_total: FloatArray
    offer_seen: FloatArray
    offer_people: FloatArray
    offer_seen_total: FloatArray
    offer_total: FloatArray
    people: FloatArray
    total: FloatArray
    seen: FloatArray
    seen_total: FloatArray


def patterns(survey: Survey) -> BoolArray:
    """Return the sets of waves in which a person may answer, (S, T); none if they are too many."""
    varying = _varying(survey)
    if 2 ** sum(varying) > MOST_PATTERNS:
        return np.zeros((0, len(varying)), dtype=bool)
    return np.array(list(product(*[(True, False) if v else (True,) for v in varying])), dtype=bool)


def _varying(survey: Survey) -> list[bool]:
    """Return whether a wave can lack answers, (T,)."""
    gaps = survey.missed > 0
    some = gaps or survey.lost > 0 or survey.item > 0 or survey.response < 1
    return [some if t >= survey.after else gaps for t in range(len(survey.waves))]


def seen_sums(source: Source, found: Lives, waves: list[Wave]) -> SeenSums:
    """Return the sums over the people of a part."""
    survey, weight = source.survey, weights(found)
    place = found.persons.start + np.arange(len(weight))
    group = place // NEIGHBOURS % GROUPS
    told = np.stack([as_told(survey, t, w.happened) for t, w in enumerate(waves)], axis=1)
    chance = np.stack([offered(found, w.answers_won, w.answers_lost) for w in waves], axis=1)
    n_cohorts = len(waves) + 1
    by_cohort = group * n_cohorts + cohorts(source, found)
    shape = (GROUPS, n_cohorts)
    everybody = np.stack([w.happened[:, : len(TOLD)] for w in waves], axis=1)
    seen, seen_total = _by_pattern(survey, weight, (by_cohort, shape), chance, told)
    return SeenSums(
        *_by_block(source, found, waves, (weight, group)),
        *_by_offer(found, (weight, group), chance, told, everybody),
        people=_sum(weight, by_cohort, shape, np.ones((len(weight), 1)))[..., 0],
        total=_sum(weight, by_cohort, shape, everybody),
        seen=seen,
        seen_total=seen_total,
    )


def _sum(
    weight: FloatArray, code: CodeArray, shape: Sequence[int], values: FloatArray
) -> FloatArray:
    """Return weighted sums of values (n, ...) by code, (*shape, ...)."""
    n = len(code)
    matrix = sparse.csc_matrix((weight, code, np.arange(n + 1)), shape=(int(np.prod(shape)), n))
    return np.asarray(matrix @ values.reshape(n, -1)).reshape(*shape, *values.shape[1:])


def _by_block(
    source: Source, found: Lives, waves: list[Wave], who: tuple[FloatArray, IntArray]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the sums by block after losing and after winning."""
    (weight, group), given = who, found.assignment
    n_blocks = len(given.blocks)
    code = group * n_blocks + np.maximum(given.block, 0)
    shape = (GROUPS, n_blocks)
    odds = np.nan_to_num(np.asarray(given.propensity, dtype=np.float64))
    people, seen, total = [], [], []
    for t, wave in enumerate(waves):
        arms = ((1 - odds, wave.answers_lost, wave.lost), (odds, wave.answers_won, wave.won))
        chances = np.stack([r for _, r, _ in arms], axis=1)
        likely = np.stack([p * r for p, r, _ in arms], axis=1)
        told = np.stack([_with_receipt(source.survey, t, y) for _, _, y in arms], axis=1)
        people.append(_sum(weight, code, shape, likely))
        seen.append(_sum(weight, code, shape, chances))
        total.append(_sum(weight, code, shape, chances[:, :, None] * told))
    return np.stack(people, axis=1), np.stack(seen, axis=1), np.stack(total, axis=1)


def _with_receipt(survey: Survey, t: int, y: FloatArray) -> FloatArray:
    """Return what is told, and receipt, (n, K + 1)."""
    return np.concatenate([as_told(survey, t, y), y[:, [RECEIVED]]], axis=1)


def _by_offer(
    found: Lives,
    who: tuple[FloatArray, IntArray],
    chance: FloatArray,
    told: FloatArray,
    everybody: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return the sums of losers and winners as it happened: of (n, T) chances, (n, T, K) others."""
    weight, group = who
    code, shape = group * 2 + found.assignment.offer, (GROUPS, 2)
    ones = np.ones_like(chance)
    return (
        _sum(weight, code, shape, chance).swapaxes(1, 2),
        _sum(weight, code, shape, ones).swapaxes(1, 2),
        _sum(weight, code, shape, chance[..., None] * told).swapaxes(1, 2),
        _sum(weight, code, shape, everybody).swapaxes(1, 2),
    )


def _by_pattern(
    survey: Survey,
    weight: FloatArray,
    by: tuple[IntArray, tuple[int, int]],
    chance: FloatArray,
    told: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return chances and what is told by pattern of waves answered."""
    code, shape = by
    sets = patterns(survey)
    n_waves, n_told = told.shape[1:]
    seen = np.zeros((int(np.prod(shape)), len(sets), 2))
    total = np.zeros((*seen.shape[:2], n_waves, n_told))
    if not len(sets):
        return seen.reshape(*shape, 0, 2), total.reshape(*shape, *total.shape[1:])
    order = np.argsort(code, kind="stable")
    bounds = np.searchsorted(code[order], np.arange(len(seen) + 1))
    for c in np.flatnonzero(np.diff(bounds)):  # few people at a time: their chances stay in cache
        rows = order[bounds[c] : bounds[c + 1]]
        for kind, silent in enumerate((0.0, survey.item)):
            columns = np.flatnonzero(kind == KIND)
            shares = _pattern_chances(survey, chance[rows], silent) * weight[rows]
            y = told[rows][:, :, columns].reshape(len(rows), -1)
            seen[c, :, kind] = shares.sum(axis=1)
            total[c][..., columns] = (shares @ y).reshape(len(sets), n_waves, -1)
    total *= sets[None, :, :, None]
    return seen.reshape(*shape, *seen.shape[1:]), total.reshape(*shape, *total.shape[1:])


def _pattern_chances(survey: Survey, chance: FloatArray, silent: float) -> FloatArray:
    """Return each person's chance to answer in exactly the waves of each pattern, (S, n).

    Being lost comes once for all later waves, so chances multiply given the last wave before it.
    """
    after, (n, n_waves) = survey.after, chance.shape
    varying = _varying(survey)
    out = np.zeros((2 ** sum(varying), n))
    for held in range(n_waves - after + 1):  # waves after the baseline before being lost
        stays = (1 - survey.lost) ** held * (survey.lost if held < n_waves - after else 1.0)
        if stays == 0:
            continue
        each = np.full((1, n), stays)
        for t in range(n_waves):
            if varying[t]:  # the patterns so far, each with this wave and without it
                here = chance[:, t] * (1 - survey.missed)
                here = here * (1 - silent) * (t - after < held) if t >= after else here
                each = np.stack([each * here, each * (1 - here)], axis=1).reshape(-1, n)
        out += each
    return out
