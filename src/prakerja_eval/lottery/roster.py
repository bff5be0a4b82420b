"""Who was in the lottery, and with what odds? Everyone who was drawn, answered or not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.lottery.design import Design
from prakerja_eval.panel import ArrayRequest, PanelProtocol, WaveLabel, outcome_waves
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

ODDS_TOLERANCE = 1e-9
SHOWN = 3


@dataclass(frozen=True, slots=True, eq=False)
class Roster:
    """The n people of the lottery, a row each, in order of first appearance.

    Attributes
    ----------
    outcome : str, optional
    waves : tuple of T wave labels
    chosen : tuple of int
        Positions of the waves that are asked for.
    y, received : (n, T) arrays
        Outcome, NaN where it was not seen; whether treated by that wave, NaN where not known.
    arm, weight : (n,) arrays
        1 for winners; sampling weight.
    block : (n,) int array
        Codes 0 .. B-1, merged or left out as the design says; ``block_names`` of length B.
    odds : (n,) array
        Assignment probability: as stated, else the winners of the block over its people.
    stated : bool
        Whether Roles names the odds.
    assigned : (n,) int array
        The unit that was drawn: the person, or the design's cluster.
    covariates : (n, p) array, and ``names`` of its p columns
    units : DataFrame
        Indexed by unit id: ``weight`` and the cluster columns.
    dropped : int
        People left out in blocks without both arms.
    """

    outcome: str | None
    waves: tuple[WaveLabel, ...]
    chosen: tuple[int, ...]
    y: FloatArray
    received: FloatArray
    arm: FloatArray
    weight: FloatArray
    block: IntArray
    block_names: tuple[str, ...]
    odds: FloatArray
    stated: bool
    assigned: IntArray
    covariates: FloatArray
    names: tuple[str, ...]
    units: pd.DataFrame
    dropped: int = 0

    def __len__(self) -> int:
        return len(self.arm)

    def label(self, wave: int) -> WaveLabel | None:
        """Return the label of a wave, None where there is one nameless wave."""
        return None if self.waves == ("",) else self.waves[wave]

    def observed(self, wave: int) -> BoolArray:
        """Return whose outcome was seen in a wave, (n,)."""
        return np.isfinite(self.y[:, wave])

    def take(self, keep: BoolArray) -> "Roster":
        """Return the roster of some of its people, blocks renumbered."""
        present, block = np.unique(self.block[keep], return_inverse=True)
        rows = {
            name: getattr(self, name)[keep]
            for name in ("y", "received", "arm", "weight", "odds", "assigned", "covariates")
        }
        return replace(
            self,
            **rows,
            block=np.asarray(block, dtype=np.int64),
            block_names=tuple(self.block_names[b] for b in present),
            units=self.units[keep],
        )


def rosters(
    panel: PanelProtocol,
    outcomes: str | Sequence[str],
    design: Design,
    waves: Sequence[WaveLabel] | None = None,
    needs: tuple[str, ...] = ("offer",),
) -> Iterator[Roster]:
    """Give one roster an outcome; see ``roster``."""
    if not isinstance(outcomes, str | Sequence):
        raise UsageError(f"an outcome is the name of a column, not {outcomes!r}.")
    if not len(outcomes):
        raise UsageError("name an outcome, or several.")
    for outcome in [outcomes] if isinstance(outcomes, str) else outcomes:
        yield roster(panel, outcome, design, waves, needs)


def roster(
    panel: PanelProtocol,
    outcome: str | None,
    design: Design,
    waves: Sequence[WaveLabel] | None = None,
    needs: tuple[str, ...] = ("offer",),
) -> Roster:
    """Return everyone in the lottery, in the design's blocks.

    Raises
    ------
    UsageError
        For a wave or cluster column that the panel does not have.
    NotEstimableError
        If the stated odds differ within a block (and are not used as weights), people of one
        cluster have different arms, or nobody is in one of the arms.
    """
    tolerated = ("empty_arm",) if design.empty_arms == "drop" else ()
    every = everyone(panel, outcome, design, waves, needs, tolerated)
    if np.ptp(every.arm) == 0:
        raise NotEstimableError("everybody has the same arm: there is nobody to compare with.")
    found = _with_both_arms(every, design)
    if design.method == "difference":
        _refuse_uneven_odds(found)
    return _merged(found) if design.lone_arms == "merge" else found


def everyone(
    panel: PanelProtocol,
    outcome: str | None,
    design: Design,
    waves: Sequence[WaveLabel] | None = None,
    needs: tuple[str, ...] = ("offer",),
    tolerated: tuple[str, ...] = (),
) -> Roster:
    """Return the people with an arm and a positive weight, in the blocks as they are named.

    Raises
    ------
    UsageError
        For what is no panel, or an outcome that is no name.
    """
    refuse_no_panel(panel)
    if outcome is not None and not isinstance(outcome, str):
        raise UsageError(f"an outcome is the name of a column, not {outcome!r}.")
    arrays = panel.arrays(ArrayRequest(outcome, design.covariates, needs, tolerated=tolerated))
    stated = bool(np.isfinite(arrays.probability).any())
    every = Roster(
        outcome=outcome,
        waves=arrays.waves,
        chosen=tuple(dict.fromkeys(outcome_waves(arrays, panel.roles, waves))),
        y=arrays.outcome,
        received=arrays.received,
        arm=arrays.offer,
        weight=arrays.weight,
        block=arrays.block,
        block_names=arrays.block_names,
        odds=arrays.probability,
        stated=stated,
        assigned=np.arange(len(arrays.offer)),
        covariates=arrays.covariates,
        names=arrays.names,
        units=arrays.clusters,
    ).take(np.isfinite(arrays.offer) & (arrays.weight > 0))
    if not len(every):
        raise NotEstimableError("nobody has an arm of the lottery and a positive weight.")
    if design.clusters is not None:
        every = replace(every, assigned=_drawn_clusters(every, design.clusters))
    return every if stated else replace(every, odds=_realised(every))


def refuse_no_panel(panel: object) -> None:
    """Refuse a DataFrame or anything else that does not know its roles.

    Raises
    ------
    UsageError
    """
    if not hasattr(panel, "arrays") or not hasattr(panel, "roles"):
        raise UsageError(
            f"this takes a Panel, not {type(panel).__name__}: panel = pe.read_panel(data, "
            "pe.Roles(unit=..., offer=...))."
        )


def _realised(found: Roster) -> FloatArray:
    """Return the share of the block's drawn units that won: its quota over its applicants, (n,)."""
    _, first = np.unique(found.assigned, return_index=True)
    block, n_blocks = found.block[first], len(found.block_names)
    won = np.bincount(block, found.arm[first], minlength=n_blocks)
    return np.asarray((won / np.bincount(block, minlength=n_blocks))[found.block])


def _drawn_clusters(found: Roster, column: str) -> IntArray:
    """Return the cluster of each person; everybody of a cluster has one arm and one block."""
    if column not in found.units.columns or column == "weight":
        known = ", ".join(c for c in found.units.columns if c != "weight") or "none"
        raise UsageError(
            f"lottery.Design(clusters={column!r}) names no cluster column of Roles; "
            f"there are: {known}."
        )
    codes, _ = pd.factorize(found.units[column])
    if (codes < 0).any():
        raise NotEstimableError(
            f"{int((codes < 0).sum())} people have no value in {column!r}, by which the lottery "
            "was drawn; fill it in or leave them out."
        )
    cells = pd.DataFrame({"cluster": codes, "arm": found.arm, "block": found.block})
    mixed = cells.drop_duplicates().groupby("cluster").size()
    split = int((mixed > 1).sum())
    if split:
        raise NotEstimableError(
            f"the lottery was not drawn by {column!r}: {split} of its clusters have people of both "
            "arms or of several blocks. Leave Design(clusters=...) out and name the column in "
            "pe.Clustered(...) if people of a cluster are alike."
        )
    return np.asarray(codes, dtype=np.int64)


def _with_both_arms(found: Roster, design: Design) -> Roster:
    """Leave out blocks with one arm where the design says so; else the contract refused them."""
    n_blocks = len(found.block_names)
    won = np.bincount(found.block, found.arm, minlength=n_blocks)
    both = (won > 0) & (won < np.bincount(found.block, minlength=n_blocks))
    keep = both[found.block]
    if keep.all() or design.empty_arms == "refuse":
        return found
    if not keep.any():
        raise NotEstimableError("no block of the lottery has both winners and losers.")
    return replace(found.take(keep), dropped=int((~keep).sum()))


def _refuse_uneven_odds(found: Roster) -> None:
    """Refuse blocks in which the stated odds differ: their difference in means is confounded."""
    odds = pd.Series(found.odds).groupby(found.block)
    uneven = np.flatnonzero((odds.max() - odds.min()).to_numpy() > ODDS_TOLERANCE)
    if len(uneven):
        names = ", ".join(found.block_names[b] for b in uneven[:SHOWN])
        raise NotEstimableError(
            f"the stated assignment probability differs within {len(uneven)} block(s): {names}. "
            "People with unequal odds are compared only within their own; name finer blocks, or "
            "weigh by the odds with Design(method='ipw')."
        )


def _merged(found: Roster) -> Roster:
    """Pool each block that has one drawn unit in an arm with blocks of the same odds.

    The smallest blocks come first, and blocks join until both arms have two.
    """
    _, first = np.unique(found.assigned, return_index=True)
    n_blocks = len(found.block_names)
    size = np.bincount(found.block[first], minlength=n_blocks)
    won = np.bincount(found.block[first], found.arm[first], minlength=n_blocks).astype(np.int64)
    odds = np.zeros(n_blocks)
    odds[found.block] = found.odds
    lone = np.minimum(won, size - won) < 2
    group, names = np.arange(n_blocks), list(found.block_names)
    for value in np.unique(np.round(odds[lone], 9)):
        alike = np.flatnonzero(np.abs(odds - value) <= 2 * ODDS_TOLERANCE)
        order = alike[np.lexsort((alike, size[alike], ~lone[alike]))]
        _pool(order, lone, won, size - won, group, names)
    _, block = np.unique(group[found.block], return_inverse=True)
    kept = np.unique(group)
    return replace(
        found,
        block=np.asarray(block, dtype=np.int64),
        block_names=tuple(names[b] for b in kept),
        odds=found.odds,
    )


def _pool(
    order: IntArray,
    lone: BoolArray,
    won: IntArray,
    lost: IntArray,
    group: IntArray,
    names: list[str],
) -> None:
    """Write into ``group`` which blocks of one odds are pooled: lone ones until they suffice."""
    pools: list[list[int]] = []
    pool: list[int] = []
    for b in order:
        if not lone[b] and not pool:
            break
        pool.append(int(b))
        if min(won[pool].sum(), lost[pool].sum()) >= 2:
            pools.append(pool)
            pool = []
    if pool and pools:  # a rest of lone blocks joins the last pool of their odds
        pools[-1] += pool
        pool = []
    for made in pools:
        group[made] = made[0]
        names[made[0]] = " + ".join(names[p] for p in made)
    if pool:
        raise NotEstimableError(
            f"the block(s) {', '.join(names[p] for p in pool[:SHOWN])} have one winner or one "
            "loser, and no other block has the same odds to merge with. Use "
            "Design(lone_arms='pashley_miratrix'), or leave them out with panel.where()."
        )
