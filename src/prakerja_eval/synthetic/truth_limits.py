"""To which values do estimators converge that are biased here, by selection or by response?"""

from collections.abc import Sequence

import numpy as np

from prakerja_eval.synthetic.truth_labels import TREATED, Block, cell_block
from prakerja_eval.synthetic.truth_outcomes import TOLD, Source
from prakerja_eval.synthetic.truth_rows import (
    EVERYONE,
    LATE,
    averages,
    block_weights,
    late,
    population,
    ratio,
)
from prakerja_eval.synthetic.truth_seen import KIND, SeenSums, patterns
from prakerja_eval.synthetic.truth_twfe import twfe_limit
from prakerja_eval.typing import BoolArray, FloatArray

ANSWERING = "among those who answer"
ALL = "if everybody answered"
UNCONDITIONAL = "unconditional, never treated, base varying"


def limit_rows(source: Source, sums: SeenSums) -> list[Block]:
    """Return the limits of estimators that do not allow for selection, for response, or for both.

    Their estimators' names say whose they are; with ", if everybody answered" behind the name, what
    they would converge to without non-response, rounding and hidden incomes.
    """
    survey = source.survey
    there = sums.people.sum(axis=1) > 0
    sums = SeenSums(*(_replicates(x[there]) for x in sums))
    everybody = np.ones((1, len(survey.waves)), dtype=bool)
    people = np.repeat(sums.people[:, :, None, None], 2, axis=3)
    shown = [(ALL, people, sums.total[:, :, None], everybody)]
    sets = patterns(survey)
    if len(sets):
        shown.append((ANSWERING, sums.seen, sums.seen_total, sets))
    blocks = []
    for said, seen, total, which in shown:
        table = _Table(seen, total, which, sums.people, said)
        blocks += [*_naive(table, survey.waves, survey.after), *_over_time(table, survey.waves)]
        blocks += _two_by_two(table, survey.waves, survey.after)
    if source.process.scenario.lottery.kind != "self_selection":
        blocks += _lottery(sums, survey.waves, survey.after)
        blocks += _winners(sums, survey.waves, survey.after)
    return blocks


def _replicates(sums: FloatArray) -> FloatArray:
    """Return the sum over groups, and after it the sums without each group, (1 + J, ...)."""
    total = sums.sum(axis=0)
    return np.concatenate([total[None], total - sums])


def _block(values: FloatArray, axes: object, labels: dict[str, object]) -> Block:
    """Return the block of values (1 + J, ...) with the jackknife's Monte Carlo error."""
    return Block(values[0], axes, labels, jackknife(values))  # type: ignore[arg-type]


def jackknife(values: FloatArray) -> FloatArray:
    """Return the standard error of values (1 + J, ...) by leaving out groups."""
    left = values[1:]
    spread = ((left - left.mean(axis=0)) ** 2).sum(axis=0)
    return np.asarray(np.sqrt((len(left) - 1) / len(left) * spread))


def _named(estimator: str, said: str) -> dict[str, object]:
    """Return the labels of whose limit it is."""
    name = estimator if said == ANSWERING else f"{estimator}, {said}"
    return {"estimator": name, "specification": said}


# --- the lottery ----------------------------------------------------------------------------------


def _lottery(sums: SeenSums, waves: Sequence[str], after: int) -> list[Block]:
    """Return ITT and LATE within blocks among those who answer."""
    mean = ratio(sums.block_total, sums.block_seen[..., None])[:, after:]
    effect, lost = np.nan_to_num(mean[..., 1, :] - mean[..., 0, :]), np.nan_to_num(mean[..., 0, :])
    people = sums.block_people[:, after:]
    shares = block_weights(people.sum(axis=-1), people[..., 1])
    axes = [("wave", waves[after:]), ("outcome", TOLD)]
    blocks = []
    for weighting, share in shares.items():
        itt, base = (_over_blocks(x, share) for x in (effect, lost))
        label = {"population": population(weighting), "weighting": weighting}
        found = itt[..., :-1]
        percent = ratio(found, base[..., :-1])
        named = _named("lottery.itt", ANSWERING) | label | {"estimand": "ITT"}
        as_percent = {"estimand": "ITT / comparison mean"}
        blocks += [
            _block(found, axes, named),
            _block(percent, axes, _named("lottery.zeros", ANSWERING) | label | as_percent),
            _block(
                late(found, itt[..., -1]), axes, _named("lottery.late", ANSWERING) | label | LATE
            ),
        ]
    return blocks


def _over_blocks(values: FloatArray, share: FloatArray) -> FloatArray:
    """Return the average over blocks of values (R, T, B, K) by shares (R, T, B)."""
    return ratio(np.einsum("rtbk,rtb->rtk", values, share), share.sum(axis=2)[..., None])


def _winners(sums: SeenSums, waves: Sequence[str], after: int) -> list[Block]:
    """Return winners against losers, whatever their odds."""
    label = {"estimand": "ITT", "population": EVERYONE, "weighting": "people per block"}
    axes = [("wave", waves[after:]), ("outcome", TOLD)]
    blocks = []
    for said, total, n in (
        (ANSWERING, sums.offer_seen_total, sums.offer_seen),
        (ALL, sums.offer_total, sums.offer_people),
    ):
        mean = ratio(total, n[..., None])[:, after:]
        gap = mean[:, :, 1] - mean[:, :, 0]
        blocks.append(_block(gap, axes, _named("naive.winners", said) | label))
    return blocks


# --- over time ------------------------------------------------------------------------------------


class _Table:
    """What is seen by cohort and pattern of waves: R replicates, C cohorts (the last is never)."""

    def __init__(
        self, seen: FloatArray, total: FloatArray, sets: BoolArray, people: FloatArray, said: str
    ) -> None:
        self.seen, self.total, self.sets = seen, total, sets
        self.people, self.said = people, said
        held = sets.astype(np.float64)
        pairs = np.einsum("st,sb->stb", held, held).reshape(len(sets), -1)
        n = np.moveaxis(seen, 2, -1) @ pairs  # who answers in both of two waves
        n_waves = sets.shape[1]
        self._n = n.reshape(*n.shape[:3], n_waves, n_waves)[:, :, KIND]
        # what they tell in the first of the two
        self._told = np.tensordot(total, held, axes=(2, 0))

    def mean(self, t: int, cohorts: slice) -> FloatArray:
        """Return the mean of some cohorts together in a wave, (R, K)."""
        told = self._told[:, cohorts, t, :, t].sum(axis=1)
        return ratio(told, self._n[:, cohorts, :, t, t].sum(axis=1))

    def change(self, t: int, base: int, cohorts: slice) -> FloatArray:
        """Return the mean change of some cohorts together from a base to a wave, (R, K)."""
        told = self._told[:, cohorts, t, :, base] - self._told[:, cohorts, base, :, t]
        return ratio(told.sum(axis=1), self._n[:, cohorts, :, t, base].sum(axis=1))

    def gap(self, t: int, base: int, g: int) -> FloatArray:
        """Return the change of a cohort less that of those who never receive, (R, K)."""
        own, never = slice(g, g + 1), slice(self.sets.shape[1], None)
        return self.change(t, base, own) - self.change(t, base, never)


def _naive(table: _Table, waves: Sequence[str], after: int) -> list[Block]:
    """Return recipients against the others, and against themselves before."""
    gaps, changes = [], []
    for t in range(after, len(waves)):
        got, not_yet = slice(0, t + 1), slice(t + 1, None)
        gaps.append(table.mean(t, got) - table.mean(t, not_yet))
        changes.append(table.change(t, after - 1, got))
    axes = [("wave", waves[after:]), ("outcome", TOLD)]
    return [
        _block(np.stack(values, axis=1), axes, _named(name, table.said) | TREATED)
        for name, values in (("naive.difference", gaps), ("naive.before_after", changes))
    ]


def _over_time(table: _Table, waves: Sequence[str]) -> list[Block]:
    """Return the two-way coefficient, and group-time effects with their averages."""
    coefficient = twfe_limit(table.seen, table.total, table.sets, KIND)
    two_way = {
        "estimand": "TWFE coefficient",
        "population": "all people",
        "weighting": "two-way regression",
    }
    outcome = [("outcome", TOLD)]
    blocks = [_block(coefficient, outcome, _named("did.twfe", table.said) | two_way)]
    named = _named("did.group_time", table.said)
    named["specification"] = f"{UNCONDITIONAL}; {table.said}"
    cells = _group_time(table, len(waves))
    blocks += cell_block(cells[..., 0, :], waves, TOLD, named, _errors(cells))
    size = table.people[:, :-1].T  # (cohort, replicate)
    for labels, values in averages(cells, size, waves):
        blocks.append(_block(values, outcome, TREATED | labels | named))
    return blocks


def _group_time(table: _Table, n_waves: int) -> FloatArray:
    """Return changes of cohorts less those of the never treated, (C, T, R, K).

    From the start on against the wave before it, earlier against the wave before.
    """
    cells = np.full((n_waves, n_waves, len(table.seen), len(TOLD)), np.nan)
    for g in range(1, n_waves):
        for t in range(1, n_waves):
            base = g - 1 if t >= g else t - 1
            cells[g, t] = table.gap(t, base, g)
    return cells


def _errors(cells: FloatArray) -> FloatArray:
    """Return the Monte Carlo errors of (C, T, R, K) cells, (C, T, K)."""
    return jackknife(np.moveaxis(cells, 2, 0))


def _two_by_two(table: _Table, waves: Sequence[str], after: int) -> list[Block]:
    """Return two-period differences from the baseline, where there is one treated cohort."""
    treated = np.flatnonzero(table.people[0, :-1])
    if len(treated) != 1 or treated[0] < after:
        return []
    g = int(treated[0])
    named = _named("did.two_by_two", table.said) | TREATED
    blocks = []
    for t in range(after, len(waves)):
        gap = table.gap(t, after - 1, g)
        when = {"wave": waves[t], "event_time": float(t - g) if t < g else None}
        blocks.append(_block(gap, [("outcome", TOLD)], named | when))
    return blocks
