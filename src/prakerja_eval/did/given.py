"""How do cohorts move beyond comparable others? Cells that share their people share a score."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from prakerja_eval.did import methods
from prakerja_eval.did.design import Design
from prakerja_eval.did.plan import Cell
from prakerja_eval.errors import NotEstimableError
from prakerja_eval.panel import ArrayRequest, PanelProtocol, UnitArrays
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

HIGH_SCORE = 0.99


@dataclass(frozen=True, slots=True, eq=False)
class FoundCells:
    """What was found for K cells.

    Attributes
    ----------
    theta : (K,)
        NaN where a cell could not be estimated.
    psi : (n, K)
    sample : (n, K) bool
    n_treated, n_comparison : (K,) int
    smallest : (K,) int
        Units of the smaller arm in the period in which fewer are seen.
    after : (K,)
        Mean of the treated in the outcome wave.
    status : list of K words
    """

    theta: FloatArray
    psi: FloatArray
    sample: BoolArray
    n_treated: IntArray
    n_comparison: IntArray
    smallest: IntArray
    after: FloatArray
    status: list[str]


def given_covariates(
    panel: PanelProtocol,
    arrays: UnitArrays,
    start: FloatArray,
    cells: Sequence[Cell],
    design: Design,
) -> FoundCells:
    """Estimate cells given covariates.

    Parameters
    ----------
    panel : Panel
        Asked for covariates at the base of each cell, where the design wants these.
    arrays : UnitArrays
        With the outcome, and covariates at the baseline where the design wants these.
    start : (n,)
        First treated time; NaN for units left out.
    cells : sequence of K Cell
    design : Design
        With covariates.
    """
    n, k = len(start), len(cells)
    found = FoundCells(
        np.full(k, np.nan),
        np.zeros((n, k), order="F"),
        np.zeros((n, k), dtype=bool, order="F"),
        np.zeros(k, dtype=np.int64),
        np.zeros(k, dtype=np.int64),
        np.zeros(k, dtype=np.int64),
        np.full(k, np.nan),
        ["ok"] * k,
    )
    arrays = replace(arrays, weight=np.where(np.isnan(start), 0.0, arrays.weight))
    for batch in _batches(cells, arrays, design):
        given = arrays
        if design.covariates_at == "base_period":
            wave = arrays.waves[cells[batch[0]].base]
            asked = panel.arrays(ArrayRequest(None, design.covariates, covariate_wave=wave))
            given = replace(arrays, covariates=asked.covariates, names=asked.names)
        try:
            _fill(found, given, start, [(k, cells[k]) for k in batch], design)
        except NotEstimableError as error:
            for k in batch:
                found.status[k] = str(error).rstrip(".")
    return found


def _batches(cells: Sequence[Cell], arrays: UnitArrays, design: Design) -> list[list[int]]:
    """Put cells together that share their units, arms and covariates, and so their score."""
    complete = bool(np.isfinite(arrays.outcome).all())
    alone = design.data == "cross_sections" or not complete
    batches: dict[tuple[float, ...], list[int]] = {}
    for k, cell in enumerate(cells):
        if not cell.reference:
            base = cell.base if design.covariates_at == "base_period" else -1
            key = (cell.start, cell.rivals, base, k if alone else -1)
            batches.setdefault(key, []).append(k)
    return list(batches.values())


def _fill(
    found: FoundCells,
    arrays: UnitArrays,
    start: FloatArray,
    batch: list[tuple[int, Cell]],
    design: Design,
) -> None:
    """Estimate a batch and write its columns."""
    cell = batch[0][1]
    treated = start == cell.start
    arms = (treated | cell.compared(start)) & (arrays.weight > 0)
    waves, bases = [c.wave for _, c in batch], [c.base for _, c in batch]
    seen = np.isfinite(arrays.outcome)
    now = arms & seen[:, waves].all(axis=1)
    before = arms & seen[:, bases].all(axis=1)
    if design.data == "panel":
        now = before = now & before
    rows, after = np.flatnonzero(now | before), np.flatnonzero(now & treated)
    d = treated[rows].astype(np.float64)
    smallest = min(_spare(treated[p], arrays.covariates.shape[1], design) for p in (now, before))
    for k, c in batch:
        found.smallest[k] = smallest
        found.n_treated[k], found.n_comparison[k] = int(d.sum()), int((1 - d).sum())
        found.after[k] = _mean(arrays.outcome[:, c.wave], arrays.weight, after)
        found.sample[rows, k] = True
    if design.data == "panel":
        y = arrays.outcome[rows]
        given = (arrays.covariates[rows], arrays.names)
        change = y[:, waves] - y[:, bases]
        fit = methods.fit_changes(design.method, change, d, given, arrays.weight[rows])
        att, psi, status = fit.att, fit.psi, _overlap(fit.score, d == 0)
    else:
        att, psi, status = _cross_sections(arrays, treated, (now, before), cell, design)
    for j, (k, _) in enumerate(batch):
        found.theta[k] = att[j]
        found.psi[rows, k] = psi[:, j]
        found.status[k] = status


def _cross_sections(
    arrays: UnitArrays,
    treated: BoolArray,
    periods: tuple[BoolArray, BoolArray],
    cell: Cell,
    design: Design,
) -> tuple[FloatArray, FloatArray, str]:
    """Compare the rows of two waves, and sum each unit's influence over its rows."""
    now, before = (np.flatnonzero(period) for period in periods)
    unit = np.concatenate([now, before])
    d = treated[unit].astype(np.float64)
    fit = methods.fit_rows(
        design.method,
        np.concatenate([arrays.outcome[now, cell.wave], arrays.outcome[before, cell.base]]),
        (np.repeat([1.0, 0.0], [len(now), len(before)]), d),
        (arrays.covariates[unit], arrays.names),
        arrays.weight[unit],
    )
    summed = np.bincount(unit, fit.psi, minlength=len(treated)).astype(np.float64)
    rows = np.flatnonzero(periods[0] | periods[1])
    return np.array([fit.att]), summed[rows, None], _overlap(fit.score, d == 0)


def _spare(treated: BoolArray, covariates: int, design: Design) -> int:
    """Return the units of the smaller arm, less those that its regression fits exactly.

    A regression with as many coefficients as people has no error left, and no standard error.
    """
    n0, n1 = np.bincount(treated, minlength=2)
    if design.method != "ipw":
        n0 -= covariates
        n1 -= covariates if design.method == "dr" and design.data == "cross_sections" else 0
    return int(min(n0, n1))


def _mean(y: FloatArray, w: FloatArray, rows: IntArray) -> float:
    """Return the weighted mean of some rows; NaN without any."""
    return float(np.average(y[rows], weights=w[rows])) if rows.size else np.nan


def _overlap(score: FloatArray | None, comparison: BoolArray) -> str:
    """Report comparison units that look almost like certain treated ones."""
    if score is None:
        return "ok"
    high = score[comparison][score[comparison] > HIGH_SCORE]
    if not len(high):
        return "ok"
    return (
        f"weak overlap: {len(high)} comparison unit(s) have a propensity score above {HIGH_SCORE}, "
        f"the largest {high.max():.4f}"
    )
