"""Is it the lottery that was stated? Its blocks and odds, seen before any outcome."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import special

from prakerja_eval.lottery.roster import Roster, everyone
from prakerja_eval.panel import Check, Panel
from prakerja_eval.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from prakerja_eval.lottery.design import Design

CHANCE = 1e-4  # of any block whose stated odds are true
CONCERNED = ("empty_arm", "several_applications", "winner_applies_again", "household_winners")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Audit:
    """What a lottery looks like before any outcome is seen.

    Attributes
    ----------
    blocks : DataFrame
        A row a block: block, people, drawn (people, or clusters where these were drawn), winners
        and losers among them, share (of winners), odds (stated, NaN where none are; NaN too where
        they differ within the block), p_value (exact binomial of the share under the stated odds,
        two-sided), p_adjusted (Holm over blocks), remark ("empty arm", "one winner", "one loser",
        "odds differ" within the block, "odds do not fit": the stated ones
        cannot explain the share, or empty), used (whether the design's estimates have the block).
    faults : Check
        Applications and prizes that cannot be: several applications of a person, a winner who
        applies again, more winners a household than the programme allows, with their counts.
    """

    blocks: pd.DataFrame
    faults: Check

    def of(self, remark: str) -> pd.DataFrame:
        """Return the blocks with a remark: "empty arm", say."""
        return self.blocks[self.blocks["remark"] == remark].reset_index(drop=True)

    def summary(self) -> pd.DataFrame:
        """Return one row a remark: how many blocks, and how many people in them."""
        named = self.blocks.assign(
            remark=self.blocks["remark"].where(self.blocks["remark"] != "", "none")
        )
        grouped = named.groupby("remark", sort=True)
        return grouped.agg(blocks=("block", "size"), people=("people", "sum")).reset_index()

    def __repr__(self) -> str:
        text = self.summary().to_string(index=False)
        return f"{len(self.blocks)} block(s) of the lottery.\n{text}\n{self.faults!r}"

    def _repr_html_(self) -> str:
        table = self.blocks.round(4).to_html(index=False, border=0)
        return f"{table}{self.faults._repr_html_()}"


def audit(panel: Panel, design: "Design") -> Audit:
    """See ``Design.audit``."""
    bare = replace(design, covariates=(), covariate_model="ancova")
    every = everyone(panel, None, bare, tolerated=CONCERNED)
    _, first = np.unique(every.assigned, return_index=True)
    n_blocks = len(every.block_names)
    block, arm = every.block[first], every.arm[first]
    drawn = np.asarray(np.bincount(block, minlength=n_blocks), dtype=np.int64)
    won = np.asarray(np.bincount(block, arm, minlength=n_blocks), dtype=np.int64)
    odds, uneven = _odds(every, n_blocks)
    p_value = _binomial(won, drawn, odds)
    empty, adjusted = (won == 0) | (won == drawn), _holm(p_value)
    remark = np.select(
        [empty, uneven, adjusted < CHANCE, won == 1, drawn - won == 1],
        ["empty arm", "odds differ", "odds do not fit", "one winner", "one loser"],
        "",
    )
    frame = pd.DataFrame(
        {
            "block": list(every.block_names),
            "people": np.bincount(every.block, minlength=n_blocks),
            "drawn": drawn,
            "winners": won,
            "losers": drawn - won,
            "share": won / drawn,
            "odds": odds,
            "p_value": p_value,
            "p_adjusted": adjusted,
            "remark": remark,
            "used": ~empty & ~(uneven & (design.method == "difference")),
        }
    )
    faults = panel.check().about("lottery")
    return Audit(frame, faults.only(*CONCERNED))


def _odds(every: Roster, n_blocks: int) -> tuple[FloatArray, np.ndarray]:
    """Return the stated odds by block, and the blocks in which they differ."""
    if not every.stated:
        return np.full(n_blocks, np.nan), np.zeros(n_blocks, dtype=bool)
    by_block = pd.Series(every.odds).groupby(every.block)
    low, high = by_block.min().to_numpy(), by_block.max().to_numpy()
    uneven = high - low > 1e-9
    return np.where(uneven, np.nan, low), np.asarray(uneven)


def _binomial(won: IntArray, drawn: IntArray, odds: FloatArray) -> FloatArray:
    """Return twice the smaller tail of a binomial, at most one; NaN where no odds are stated."""
    at_most = special.bdtr(won, drawn, odds)
    at_least = 1.0 - np.where(won > 0, special.bdtr(np.maximum(won - 1, 0), drawn, odds), 0.0)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(at_most, at_least)))


def _holm(p_value: FloatArray) -> FloatArray:
    """Return p-values corrected over the blocks that have one."""
    out = np.full(len(p_value), np.nan)
    known = np.isfinite(p_value)
    if known.any():
        from statsmodels.stats.multitest import multipletests

        out[known] = multipletests(p_value[known], method="holm")[1]
    return out
