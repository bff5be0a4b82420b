"""What does a panel say about the next lottery like it? People, odds, noise, losses, take-up."""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.roster import Roster, roster
from prakerja_eval.panel import PanelProtocol, WaveLabel
from prakerja_eval.typing import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Planned:
    """The parameters of a plan that a panel gives; the names are those of ``PowerDesign``."""

    n: tuple[float, ...]
    odds: tuple[float, ...]
    sd: float
    covariate_r2: float
    take_up: float
    attrition: tuple[float, float]
    cluster_size: float | None
    icc: float
    size_cv: float


def planned(
    panel: PanelProtocol,
    outcome: str,
    design: Design,
    wave: WaveLabel | None,
    icc: float | None,
) -> Planned:
    """Read the parameters of a plan from a panel; see ``PowerDesign.of``."""
    found = roster(panel, outcome, design)
    at = _wave(found, panel.roles.baseline, wave)
    seen = found.observed(at)
    blocks = len(found.block_names)
    people = np.bincount(found.block, minlength=blocks).astype(float)
    won = np.bincount(found.block, found.arm, minlength=blocks)
    cell = np.unique(2 * found.block[seen] + found.arm[seen].astype(np.int64), return_inverse=True)
    y, code = found.y[seen, at], np.asarray(cell[1], dtype=np.int64)
    sd, given, size, cv = _spread(y, code), 0.0, None, 0.0
    if design.clusters is not None:
        sd, given = _between(y, code, found.assigned[seen], icc)
        members = np.unique(found.assigned, return_counts=True)[1]
        size, cv = float(members.mean()), float(members.std() / members.mean())
    last = found.chosen[-1]
    share = {
        "population": people,
        "treated": won,
        "strata_fe": won * (people - won) / people,
    }[design.block_weights]
    return Planned(
        n=tuple(people),
        odds=tuple(won / people),
        sd=sd,
        covariate_r2=_explained(y, found.covariates[seen], code),
        take_up=_take_up(found, last, share / share.sum()),
        attrition=_lost(found, last),
        cluster_size=size,
        icc=given,
        size_cv=cv,
    )


def _wave(found: Roster, baseline: WaveLabel | None, wave: WaveLabel | None) -> int:
    """Return the wave from which the noise is read: as asked, the baseline, or else the last."""
    asked = wave if wave is not None else baseline
    if asked is None:
        return found.chosen[-1]
    if asked not in found.waves:
        known = ", ".join(map(str, found.waves))
        raise UsageError(f"lottery.PowerDesign.of(wave={asked!r}): there are {known}.")
    at = found.waves.index(asked)
    return found.chosen[-1] if wave is None and not found.observed(at).any() else at


def _means(y: FloatArray, group: IntArray) -> FloatArray:
    return np.asarray(np.bincount(group, y) / np.bincount(group))


def _spread(y: FloatArray, cell: IntArray) -> float:
    """Return the standard deviation within arms of blocks."""
    left = len(y) - (int(cell.max()) + 1 if len(y) else 0)
    if left < 1:
        raise NotEstimableError("no arm of a block has two people with the outcome: no spread.")
    return float(np.sqrt(((y - _means(y, cell)[cell]) ** 2).sum() / left))


def _between(
    y: FloatArray, cell: IntArray, assigned: IntArray, icc: float | None
) -> tuple[float, float]:
    """Return standard deviation and intracluster correlation by the analysis of variance.

    MSB = Σ_j n_j (ȳ_j − ȳ_cell)² / (J − C), MSW = Σ (y − ȳ_j)² / (m − J), σ_b² = (MSB − MSW) / n0.
    """
    _, first, cluster = np.unique(assigned, return_index=True, return_inverse=True)
    size, owner = np.bincount(cluster).astype(float), cell[first]
    m, clusters, cells = len(y), len(size), int(cell.max()) + 1
    if clusters <= cells or m <= clusters:
        raise NotEstimableError(
            "the intracluster correlation needs two clusters in some arm of a block, and one of "
            "two people; state it in PowerDesign(icc=...)."
        )
    own = _means(y, cluster)
    msw = float(((y - own[cluster]) ** 2).sum() / (m - clusters))
    msb = float((size * (own - _means(y, cell)[owner]) ** 2).sum() / (clusters - cells))
    n0 = (m - (np.bincount(owner, size**2) / np.bincount(owner, size)).sum()) / (clusters - cells)
    total = (msb - msw) / n0 + msw
    found = (msb - msw) / n0 / total
    if icc is None and found < 0:
        raise NotEstimableError(
            f"people of a cluster are less alike than strangers here (intracluster correlation "
            f"{found:.3f}): state what to plan with, PowerDesign.of(..., icc=0)."
        )
    sd = float(np.sqrt(total)) if found >= 0 else _spread(y, cell)
    return sd, found if icc is None else icc


def _explained(y: FloatArray, X: FloatArray, cell: IntArray) -> float:
    """Return the adjusted R² of the covariates within arms of blocks."""
    if not X.shape[1]:
        return 0.0
    inner = np.column_stack([x - _means(x, cell)[cell] for x in X.T])
    rest = y - _means(y, cell)[cell]
    beta, _, rank, _ = np.linalg.lstsq(inner, rest, rcond=None)
    left = len(y) - int(cell.max()) - 1
    if left <= rank or not rest.any():
        raise NotEstimableError("too few people with the outcome to see what covariates explain.")
    r2 = 1 - ((rest - inner @ beta) ** 2).sum() / (left - rank) / ((rest**2).sum() / left)
    if r2 < 0:
        raise NotEstimableError(
            f"the covariates explain less than as many random numbers would (adjusted R² "
            f"{r2:.3f}): plan without them."
        )
    return float(r2)


def _take_up(found: Roster, wave: int, shares: FloatArray) -> float:
    """Return the difference in receipt within blocks; 1 where receipt is not recorded."""
    known = np.isfinite(found.received[:, wave])
    if not known.any():
        return 1.0
    cell = 2 * found.block[known] + found.arm[known].astype(np.int64)
    count = np.bincount(cell, minlength=2 * len(shares))
    if not (count > 0).all():
        raise NotEstimableError("receipt is known of nobody in an arm of a block: no take-up.")
    mean = np.bincount(cell, found.received[known, wave], minlength=len(count)) / count
    return float(shares @ (mean[1::2] - mean[::2]))


def _lost(found: Roster, wave: int) -> tuple[float, float]:
    """Return the shares of winners and losers without an outcome."""
    gone = ~found.observed(wave)
    return float(gone[found.arm == 1].mean()), float(gone[found.arm == 0].mean())
