"""Which lottery is drawn again? Units of assignment in their blocks, in the order of names."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.kernel_redraw import Lottery, Redraws, every_draw, random_draws
from prakerja_eval.lottery.roster import ODDS_TOLERANCE, Roster, roster
from prakerja_eval.panel import PanelProtocol
from prakerja_eval.typing import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """The lottery behind a roster of n people.

    Attributes
    ----------
    lottery : Lottery
        Units sorted by block of the analysis, block of the lottery and name, so that draws do not
        depend on the order of the data.
    unit, block, rank : (n,) int arrays
        Number of each person's unit; block of the analysis; place among people by unit and name.
    starts : (B,) int array
        First lottery block of each block of the analysis: several where blocks were merged.
    odds : (B0,) array
        Odds of each lottery block.
    """

    lottery: Lottery
    unit: IntArray
    block: IntArray
    rank: IntArray
    starts: IntArray
    odds: FloatArray


def drawn_lottery(panel: PanelProtocol, found: Roster, design: Design) -> Drawn:
    """Return the lottery as it was drawn: quotas of the original blocks, also where merged.

    Raises
    ------
    NotEstimableError
        If the odds differ within a block: then no quota was drawn there.
    """
    _refuse_uneven(found)
    own = found
    if design.lone_arms == "merge":
        bare = replace(design, lone_arms="refuse", covariates=(), covariate_model="ancova")
        own = roster(panel, None, bare)
    analysis, inner = _by_name(found), _by_name(own)
    names = pd.Series(found.units.index.astype(str))
    keys = names if design.clusters is None else found.units[design.clusters].astype(str)
    person = pd.factorize(names, sort=True)[0]
    key = person if design.clusters is None else pd.factorize(np.asarray(keys), sort=True)[0]
    _, first, member = np.unique(found.assigned, return_index=True, return_inverse=True)
    order = np.lexsort((key[first], inner[first], analysis[first]))
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.arange(len(order))
    outer, inside = analysis[first][order], inner[first][order]
    new = np.append(True, (np.diff(inside) != 0) | (np.diff(outer) != 0))
    starts = np.flatnonzero(new)
    unit = number[member]
    return Drawn(
        lottery=Lottery(np.append(starts, len(order)), found.arm[first][order] == 1),
        unit=unit,
        block=analysis,
        rank=np.argsort(np.lexsort((person, unit))),
        starts=np.flatnonzero(np.append(True, np.diff(outer[starts]) != 0)),
        odds=found.odds[first][order][starts],
    )


def redraws(drawn: Drawn, reps: int, seed: int, enumerated: int) -> Redraws:
    """Return every assignment where there are few, else ``reps`` at random."""
    lottery = drawn.lottery
    if lottery.assignments() <= max(reps, enumerated):
        return every_draw(lottery)
    words = np.random.SeedSequence(seed).generate_state(4 * len(lottery.size), np.uint64)
    return random_draws(lottery, reps, np.asarray(words, dtype=np.uint64).reshape(-1, 4))


def _by_name(found: Roster) -> IntArray:
    """Return the rank of each person's block in the order of names, (n,)."""
    place = np.argsort(np.argsort(np.array(found.block_names, dtype=object), kind="stable"))
    return np.asarray(place[found.block], dtype=np.int64)


def _refuse_uneven(found: Roster) -> None:
    """Refuse blocks in which the odds differ."""
    odds = pd.Series(found.odds).groupby(found.block)
    uneven = np.flatnonzero((odds.max() - odds.min()).to_numpy() > ODDS_TOLERANCE)
    if len(uneven):
        raise NotEstimableError(
            f"the stated odds differ within {len(uneven)} block(s), "
            f"{found.block_names[uneven[0]]!r} among them, so that the lottery did not draw a "
            "quota there and cannot be drawn again: name finer blocks in Roles(blocks=...)."
        )
