"""Which people answer the question? The observed winners and losers of one wave, or of several."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.roster import SHOWN, Roster, rosters
from prakerja_eval.panel import PanelProtocol, WaveLabel
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """m observed rows of one outcome, and the n units to which they belong.

    Attributes
    ----------
    y, arm, weight : (m,) arrays
        Outcome; 1 for winners; sampling weight.
    received : (m,) array
        Whether the unit had been treated by the row's wave; NaN where Roles names no receipt.
    block : (m,) int array
        Blocks that occur, renumbered; a pooled sample has one for each block and wave.
    covariates : (m, p) array, and ``names`` of its p columns
    odds : (m,) array
        Assignment probability.
    assigned : (m,) int array
        The unit that was drawn: person or cluster.
    rows : (m,) int array
        Position of each row's unit in ``units``.
    units : DataFrame
        The unit table of an Estimate.
    outcome : str
    wave : wave label, optional
        None for a cross-section and for a pooled sample.
    pooled : bool
    dropped : int
        People left out because their block lacks an arm.
    some : tuple of wave labels
        Of a pooled sample, its waves, if they are not all after the baseline.
    """

    y: FloatArray
    arm: FloatArray
    weight: FloatArray
    received: FloatArray
    block: IntArray
    covariates: FloatArray
    names: tuple[str, ...]
    odds: FloatArray
    assigned: IntArray
    rows: IntArray
    units: pd.DataFrame
    outcome: str
    wave: WaveLabel | None
    pooled: bool
    dropped: int = 0
    some: tuple[WaveLabel, ...] = ()

    @property
    def at_wave(self) -> str:
        """Return " in wave ..." for messages, empty where there is one nameless wave."""
        return "" if self.wave is None else f" in wave {self.wave}"

    def by_unit(self, values: FloatArray) -> FloatArray:
        """Sum row values by unit, (n,)."""
        return np.asarray(np.bincount(self.rows, values, minlength=len(self.units)))

    def with_covariates(self, keep: IntArray) -> "Sample":
        """Return the sample with some of its covariates."""
        names = tuple(self.names[j] for j in keep)
        return replace(self, covariates=self.covariates[:, keep], names=names)


def samples(
    panel: PanelProtocol,
    outcomes: str | Sequence[str],
    design: Design,
    waves: Sequence[WaveLabel] | None = None,
    pooled: bool = False,
    needs: tuple[str, ...] = ("offer",),
) -> Iterator[Sample]:
    """Give one sample an outcome and wave, or one an outcome if pooled.

    Raises
    ------
    UsageError
        For a wave that the panel does not have.
    NotEstimableError
        If attrition leaves a block without an arm, nobody was observed, or the stated odds differ
        within a block.
    """
    for found in rosters(panel, outcomes, design, waves, needs):
        if pooled:
            sample = sample_of(found, found.chosen, design, pooled)
            yield replace(sample, some=_some(found, panel.roles.baseline))
            continue
        for t in found.chosen:
            yield sample_of(found, (t,), design)


def _some(found: Roster, baseline: WaveLabel | None) -> tuple[WaveLabel, ...]:
    """Return the chosen waves, none if they are all after the baseline."""
    start = found.waves.index(baseline) + 1 if baseline in found.waves else 0
    if sorted(found.chosen) == list(range(start, len(found.waves))):
        return ()
    return tuple(found.waves[t] for t in sorted(found.chosen))


def sample_of(found: Roster, waves: Sequence[int], design: Design, pooled: bool = False) -> Sample:
    """Stack the observed rows of some waves of a roster."""
    parts = [np.flatnonzero(found.observed(t)) for t in waves]
    unit = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
    wave = np.repeat(np.asarray(waves, dtype=np.int64), [len(p) for p in parts])
    label = None if pooled else found.label(waves[0])
    keep = _with_both_arms(found, unit, wave, design)
    dropped = found.dropped + len(np.unique(unit[~keep]))
    unit, wave = unit[keep], wave[keep]
    if not len(unit):
        when = "" if label is None else f" in wave {label}"
        raise NotEstimableError(f"nobody has a value of {found.outcome!r}{when}.")
    present, rows = np.unique(unit, return_inverse=True)
    _, block = np.unique(found.block[unit] * len(found.waves) + wave, return_inverse=True)
    return Sample(
        y=found.y[unit, wave],
        arm=found.arm[unit],
        weight=found.weight[unit],
        received=found.received[unit, wave],
        block=np.asarray(block, dtype=np.int64),
        covariates=found.covariates[unit],
        names=found.names,
        odds=found.odds[unit],
        assigned=found.assigned[unit],
        rows=np.asarray(rows, dtype=np.int64),
        units=found.units.iloc[present],
        outcome=str(found.outcome),
        wave=label,
        pooled=pooled,
        dropped=dropped,
    )


def _with_both_arms(found: Roster, unit: IntArray, wave: IntArray, design: Design) -> BoolArray:
    """Return the rows in blocks of which both arms answered, (m,); refuse the others, or drop."""
    code = found.block[unit] * len(found.waves) + wave
    size = len(found.block_names) * len(found.waves)
    won = np.bincount(code, found.arm[unit], minlength=size)
    seen = np.bincount(code, minlength=size)
    lone = np.flatnonzero((seen > 0) & ((won == 0) | (won == seen)))
    keep = ~np.isin(code, lone)
    if not len(lone) or (design.empty_arms == "drop" and keep.any()):
        return np.asarray(keep)
    n_waves = len(found.waves)
    waves = ["" if w == "" else f" (wave {w})" for w in found.waves]
    names = [found.block_names[c // n_waves] + waves[c % n_waves] for c in lone[:SHOWN]]
    raise NotEstimableError(
        f"among those with a value of {found.outcome!r}, {len(lone)} block(s) have winners or "
        f"losers only: {', '.join(names)}. "
        + ("Leave them out with Design(empty_arms='drop'), or m" if keep.any() else "M")
        + "erge blocks that had the same odds."
    )
