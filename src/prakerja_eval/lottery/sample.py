"""Which people answer the question? The observed winners and losers of one wave, or of several."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.panel import ArrayRequest, PanelProtocol, UnitArrays, WaveLabel, outcome_waves
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

ODDS_TOLERANCE = 1e-9


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
    covariates : (m, p) array
    rows : (m,) int array
        Position of each row's unit in ``units``.
    units : DataFrame
        The unit table of an Estimate.
    outcome : str
    wave : wave label, optional
        None for a cross-section and for a pooled sample.
    pooled : bool
    """

    y: FloatArray
    arm: FloatArray
    weight: FloatArray
    received: FloatArray
    block: IntArray
    covariates: FloatArray
    rows: IntArray
    units: pd.DataFrame
    outcome: str
    wave: WaveLabel | None
    pooled: bool

    @property
    def at_wave(self) -> str:
        """Return " in wave ..." for messages, empty where there is one nameless wave."""
        return "" if self.wave is None else f" in wave {self.wave}"

    def by_unit(self, values: FloatArray) -> FloatArray:
        """Sum row values by unit, (n,)."""
        return np.asarray(np.bincount(self.rows, values, minlength=len(self.units)))


def samples(
    panel: PanelProtocol,
    outcomes: str | Sequence[str],
    covariates: tuple[str, ...],
    waves: Sequence[WaveLabel] | None,
    pooled: bool,
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
    for outcome in [outcomes] if isinstance(outcomes, str) else outcomes:
        arrays = panel.arrays(ArrayRequest(outcome, covariates, needs))
        _refuse_uneven_odds(arrays)
        chosen = outcome_waves(arrays, panel.roles, waves)
        for group in [chosen] if pooled else [[t] for t in chosen]:
            yield _sample(arrays, outcome, group, pooled)


def _refuse_uneven_odds(arrays: UnitArrays) -> None:
    """Refuse blocks in which the stated odds differ: their difference in means is confounded."""
    odds = pd.Series(arrays.probability).groupby(arrays.block)
    uneven = np.flatnonzero((odds.max() - odds.min()).to_numpy() > ODDS_TOLERANCE)
    if len(uneven):
        names = ", ".join(arrays.block_names[b] for b in uneven[:3])
        raise NotEstimableError(
            f"the stated assignment probability differs within {len(uneven)} block(s): {names}. "
            "People with unequal odds are compared only within their own; name finer blocks."
        )


def _sample(arrays: UnitArrays, outcome: str, waves: list[int], pooled: bool) -> Sample:
    """Stack the observed rows of some waves."""
    parts = [np.flatnonzero(_observed(arrays, t)) for t in waves]
    unit = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
    wave = np.repeat(waves, [len(p) for p in parts])
    label = None if pooled or arrays.waves == ("",) else arrays.waves[waves[0]]
    if not len(unit):
        when = "" if label is None else f" in wave {label}"
        raise NotEstimableError(f"nobody has a value of {outcome!r}{when}.")
    present, rows = np.unique(unit, return_inverse=True)
    code = arrays.block[unit] * len(arrays.waves) + wave
    _refuse_lost_arms(arrays, code, arrays.offer[unit], outcome)
    _, block = np.unique(code, return_inverse=True)
    return Sample(
        y=arrays.outcome[unit, wave],
        arm=arrays.offer[unit],
        weight=arrays.weight[unit],
        received=arrays.received[unit, wave],
        block=np.asarray(block, dtype=np.int64),
        covariates=arrays.covariates[unit],
        rows=np.asarray(rows, dtype=np.int64),
        units=arrays.clusters.iloc[present],
        outcome=outcome,
        wave=label,
        pooled=pooled,
    )


def _observed(arrays: UnitArrays, wave: int) -> BoolArray:
    """Return which units have an outcome, an arm and a positive weight."""
    seen = np.isfinite(arrays.outcome[:, wave]) & np.isfinite(arrays.offer)
    return np.asarray(seen & (arrays.weight > 0))


def _refuse_lost_arms(arrays: UnitArrays, code: IntArray, arm: FloatArray, outcome: str) -> None:
    """Refuse blocks in which the observed are winners or losers only."""
    cells = pd.DataFrame({"code": code, "arm": arm}).drop_duplicates()
    lone = cells.groupby("code").size().loc[lambda size: size < 2].index
    if len(lone):
        n_waves = len(arrays.waves)
        waves = ["" if w == "" else f" (wave {w})" for w in arrays.waves]
        names = [arrays.block_names[c // n_waves] + waves[c % n_waves] for c in lone[:3]]
        raise NotEstimableError(
            f"among those with a value of {outcome!r}, {len(lone)} block(s) have winners or losers "
            f"only: {', '.join(names)}. Leave them out with panel.where(), or merge blocks that "
            "had the same odds."
        )
