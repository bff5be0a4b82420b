"""How do sums become true effects? ITT, LATE and ATT, weighed as the estimators weigh."""

from collections.abc import Iterable, Sequence

import numpy as np

from prakerja_eval.synthetic.survey import Survey
from prakerja_eval.synthetic.truth_effects import GROUPS, EffectSums
from prakerja_eval.synthetic.truth_labels import TREATED, Axes, Block, cell_block
from prakerja_eval.synthetic.truth_outcomes import OUTCOMES, RECEIVED
from prakerja_eval.typing import BoolArray, FloatArray

EVERYONE = "everyone in the lottery"
WEIGHTINGS = ("people per block", "treated people", "strata fixed effects")
NO_FIRST_STAGE = 1e-10


def ratio(top: FloatArray, bottom: FloatArray) -> FloatArray:
    """Return top / bottom, NaN where the bottom is zero."""
    top, bottom = np.broadcast_arrays(top, bottom)
    out = np.full(top.shape, np.nan)
    np.divide(top, bottom, out=out, where=bottom != 0)
    return out


def block_weights(people: FloatArray, winners: FloatArray) -> dict[str, FloatArray]:
    """Return the weight of each block under each weighting, from (..., B, L) sums of people."""
    losers = people - winners
    weighed = (people, winners, np.nan_to_num(ratio(winners * losers, people)))
    return dict(zip(WEIGHTINGS, weighed, strict=True))


def population(weighting: str) -> str:
    """Return whom an effect of the offer is about."""
    return "winners" if weighting == "treated people" else EVERYONE


def lottery_rows(sums: EffectSums, waves: Sequence[str], after: int) -> list[Block]:
    """Return ITT, first stage and LATE, by wave after the baseline and pooled over them."""
    named = (*waves[after:], "pooled")
    axes = [("wave", named), ("subgroup", GROUPS), ("outcome", OUTCOMES)]
    blocks = []
    for weighting, share in block_weights(sums.people, sums.winners).items():
        effect, lost = (
            _averaged(np.nan_to_num(ratio(x, sums.people[..., None])), share)[after:]
            for x in (sums.offer, sums.lost)
        )
        effect, lost = (np.concatenate([x, x.mean(axis=0)[None]]) for x in (effect, lost))
        label = {"population": population(weighting), "weighting": weighting}
        first = effect[..., RECEIVED]
        blocks += [
            Block(effect, axes, label | {"estimand": "ITT"}),
            Block(ratio(effect, lost), axes, label | {"estimand": "ITT / comparison mean"}),
            Block(first, axes[:2], label | {"estimand": "first stage", "outcome": "received"}),
            Block(late(effect, first), axes, label | LATE),
        ]
    return blocks


LATE: dict[str, object] = {"estimand": "LATE", "population": "compliers"}


def late(effect: FloatArray, first: FloatArray) -> FloatArray:
    """Return effect (..., K) over first stage (...), NaN where the offer moves nobody."""
    return ratio(effect, np.where(np.abs(first) < NO_FIRST_STAGE, 0.0, first)[..., None])


def _averaged(effect: FloatArray, share: FloatArray) -> FloatArray:
    """Return the average over blocks of effects (T, B, L, K) by shares (B, L): (T, L, K)."""
    return ratio(np.einsum("tblk,bl->tlk", effect, share), share.sum(axis=0)[:, None])


def treated_rows(sums: EffectSums, survey: Survey, ahead: bool) -> list[Block]:
    """Return effects on the treated by cohort and wave, and their averages.

    Before the start they are pre-trends, or where people act on receipt to come (``ahead``) effects
    too, as estimators with ``anticipation`` call them.
    """
    waves, before = survey.waves, "ATT" if ahead else "pre-trend"
    size = sums.cohort[:-1]  # those who never receive are last
    total = np.moveaxis(sums.receipt[:, :-1], 0, 1)  # (cohort, wave, group, outcome)
    cells = ratio(total, size[:, None, :, None])
    known = {"subgroup": GROUPS}
    blocks = cell_block(cells, waves, OUTCOMES, known, before=before)
    for labels, values in averages(cells, size, waves, before):
        axes = [("subgroup", GROUPS), ("outcome", OUTCOMES)]
        blocks.append(Block(values, axes, TREATED | labels))
    blocks.append(_pooled(cells, size, survey.after))
    months = np.flatnonzero(sums.month)
    since = ratio(sums.since[months], sums.month[months, None])
    by_month: Axes = [("event_time", [float(m) for m in months]), ("outcome", OUTCOMES)]
    said = {"estimand": "TOT", "specification": "event_time in months since receipt"}
    blocks.append(Block(since, by_month, TREATED | said))
    return blocks


def averages(
    cells: FloatArray, size: FloatArray, waves: Sequence[str], before: str = "pre-trend"
) -> list[tuple[dict[str, object], FloatArray]]:
    """Return the averages of cells (C, T, ...) that ``did.aggregation`` takes, with their labels.

    Cohorts treated from the first wave on have no time before, and take no part. ``size`` is
    (C, ...) without the last axis of the cells, that of outcomes; ``before`` as in ``cell_block``.
    """
    n = len(waves)
    g, t = np.meshgrid(np.arange(n), np.arange(n), indexing="ij")
    on = (g > 0) & (t >= g)
    out: list[tuple[dict[str, object], FloatArray]] = []
    out.append(({}, _mean(cells, size, on)))
    cohorts = {k: _mean(cells, size, on & (g == k)) for k in range(1, n)}
    for k, value in cohorts.items():
        out.append(({"population": f"cohort {waves[k]}", "cohort": waves[k]}, value))
    calendar = {k: _mean(cells, size, on & (t == k)) for k in range(1, n)}
    out += [({"wave": waves[k]}, value) for k, value in calendar.items()]
    times = {e: _mean(cells, size, (g > 0) & (t - g == e)) for e in range(1 - n, n - 1)}
    for e, value in times.items():
        estimand = "ATT" if e >= 0 else before
        out.append(({"event_time": float(e), "estimand": estimand}, value))
    since = [v for e, v in times.items() if e >= 0]
    alike = {"event times alike": _plain_mean(since), "waves alike": _plain_mean(calendar.values())}
    by_size = np.stack([np.nan_to_num(v) for v in cohorts.values()])
    weight = size[1:, ..., None]
    alike["cohorts by size, their waves alike"] = ratio((by_size * weight).sum(0), weight.sum(0))
    return out + [({"weighting": name}, value) for name, value in alike.items()]


def _mean(cells: FloatArray, size: FloatArray, on: BoolArray) -> FloatArray:
    """Return the average of the cells that are on, by the sizes of their cohorts."""
    g, t = np.nonzero(on)
    weight = size[g][..., None] * np.isfinite(cells[g, t])
    return ratio((np.nan_to_num(cells[g, t]) * weight).sum(axis=0), weight.sum(axis=0))


def _plain_mean(values: Iterable[FloatArray]) -> FloatArray:
    """Return the mean of those arrays that have numbers."""
    stacked = np.stack(list(values))
    there = np.isfinite(stacked)
    return ratio(np.where(there, stacked, 0.0).sum(axis=0), there.sum(axis=0).astype(np.float64))


def _pooled(cells: FloatArray, size: FloatArray, after: int) -> Block:
    """Return the effect over all waves after the baseline in which somebody has received."""
    n = len(size)
    g, t = np.meshgrid(np.arange(n), np.arange(n), indexing="ij")
    value = _mean(cells, size, (g > 0) & (t >= g) & (t >= after))
    axes = [("subgroup", GROUPS), ("outcome", OUTCOMES)]
    return Block(value, axes, TREATED | {"wave": "pooled"})
