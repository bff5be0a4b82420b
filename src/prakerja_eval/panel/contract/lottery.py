"""Does the panel show the lottery that its columns state: both arms, the odds, one prize each?"""

from collections.abc import Iterator

import numpy as np

from prakerja_eval.panel.contract.codes import Codes, pair
from prakerja_eval.panel.contract.facts import Facts
from prakerja_eval.panel.contract.finding import Finding, counted
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

WINNERS_A_HOUSEHOLD = 2  # the programme's own limit
CHANCE = 1e-4  # of any false alarm over all groups of equal odds
ROUNDING = 0.005  # odds stated to two decimals are off by no more


def empty_arm(facts: Facts) -> Iterator[Finding]:
    """Find blocks with winners or losers only."""
    if facts.roles.offer is None:
        return
    offer, block = facts.number(facts.roles.offer), facts.blocks.codes
    lone = (block.any(offer == 1) ^ block.any(offer == 0)) & ~_unsure(facts)
    bad = block.spread(lone) & ~np.isnan(offer)
    code = "empty_arm" if facts.roles.blocks else "empty_arm.no_blocks"
    columns = (facts.roles.offer, *facts.roles.blocks)
    places = {"offer": facts.roles.offer, "blocks": facts.blocks.shown(lone)}
    yield Finding(code, columns, bad, places)


def singleton_arm(facts: Facts) -> Iterator[Finding]:
    """Find people who are the only winner, or the only loser, of their block."""
    if facts.roles.offer is None:
        return
    offer, block = arms(facts)
    count = facts.blocks.codes.count
    won = np.bincount(block[(offer == 1) & (block >= 0)], minlength=count)
    lost = np.bincount(block[(offer == 0) & (block >= 0)], minlength=count)
    both = (won > 0) & (lost > 0) & ~_unsure(facts)
    alone = ((offer == 1) & np.append(both & (won == 1), False)[block]) | (
        (offer == 0) & np.append(both & (lost == 1), False)[block]
    )
    chosen = both & ((won == 1) | (lost == 1))
    columns = (facts.roles.offer, *facts.roles.blocks)
    places = {"blocks": facts.blocks.shown(chosen)}
    yield Finding("singleton_arm", columns, facts.group.spread(alone), places)


def household_winners(facts: Facts) -> Iterator[Finding]:
    """Find households in which more people won than the programme allows."""
    if facts.roles.offer is None or facts.roles.household is None:
        return
    home, unit = facts.codes(facts.roles.household), facts.unit
    won = facts.number(facts.roles.offer) == 1
    winner = unit.any(won)
    at = _steady(unit, home.of, home.known)
    crowd = np.bincount(at[winner & (at >= 0)], minlength=home.count)
    many = crowd > WINNERS_A_HOUSEHOLD
    bad = won & home.spread(many) & unit.spread(at >= 0)
    places = {
        "households": counted(int(many.sum()), "household"),
        "limit": WINNERS_A_HOUSEHOLD,
        "most": int(crowd.max(initial=0)),
    }
    yield Finding("household_winners", (facts.roles.offer, facts.roles.household), bad, places)


def winner_applies_again(facts: Facts) -> Iterator[Finding]:
    """Find applications of people who had already won."""
    if facts.roles.offer is None or facts.roles.application is None:
        return
    number, won = facts.number(facts.roles.application), facts.number(facts.roles.offer) == 1
    first = np.full(facts.unit.count, np.inf)
    at = won & facts.unit.known & ~np.isnan(number)
    np.minimum.at(first, facts.unit.of[at], number[at])
    bad = number > np.append(first, np.inf)[facts.unit.of]
    places = {"units": counted(int(facts.unit.any(bad).sum()), "unit")}
    yield Finding("winner_applies_again", (facts.roles.application, facts.roles.offer), bad, places)


def odds_against_stated(facts: Facts) -> Iterator[Finding]:
    """Find groups of equal stated odds whose share of winners these odds cannot explain."""
    if facts.roles.offer is None or facts.roles.probability is None:
        return
    offer, block = arms(facts)
    odds = facts.number(facts.roles.probability)
    stated = _steady(facts.group, odds, ~np.isnan(odds), np.nan)
    use = ((offer == 0) | (offer == 1)) & (block >= 0) & (stated > 0) & (stated < 1)
    if not use.any():
        return
    levels, level = np.unique(stated[use], return_inverse=True)
    cells = pair(Codes(block[use], facts.blocks.codes.count), Codes(level, len(levels)))
    weight = _weights(facts)[use]
    off, gap = _off(cells, offer[use], stated[use], weight)
    bad = np.zeros(facts.group.count, dtype=bool)
    bad[np.flatnonzero(use)[cells.spread(off)]] = True
    blocks = np.zeros(facts.blocks.codes.count, dtype=bool)
    blocks[block[bad]] = True
    places = {"blocks": facts.blocks.shown(blocks), "gap": f"{100 * gap:.1f}"}
    columns = (facts.roles.offer, facts.roles.probability)
    yield Finding("odds_against_stated", columns, facts.group.spread(bad), places)


def cluster_crosses_blocks(facts: Facts) -> Iterator[Finding]:
    """Find clusters whose people lie in several blocks."""
    if facts.roles.offer is None or not facts.roles.blocks:
        return
    block, named = facts.blocks.codes, facts.named
    steady = block.known & ~facts.group.spread(facts.group.varies(block.of, block.known))
    columns = [c for role in ("household", "psu", "clusters") for c in named.get(role, ())]
    for column in dict.fromkeys(columns):
        if column in facts.roles.blocks or column == facts.roles.unit:
            continue
        cluster = facts.codes(column)
        crossing = cluster.varies(block.of, steady)
        places = {"clusters": counted(int(crossing.sum()), "cluster"), "of": f"{cluster.count:,}"}
        yield Finding("cluster_crosses_blocks", (column,), cluster.spread(crossing), places)


def arms(facts: Facts) -> tuple[FloatArray, IntArray]:
    """Return offer and block of each unit (and application); NaN and -1 where one changes."""
    offer = facts.number(str(facts.roles.offer))
    block = facts.blocks.codes
    return (
        _steady(facts.group, offer, ~np.isnan(offer), np.nan),
        _steady(facts.group, block.of, block.known),
    )


def _steady(group: Codes, values: np.ndarray, known: BoolArray, none: float = -1) -> np.ndarray:
    """Return each group's value; none where it has none or several, so that no order counts."""
    first = group.first(values, known, none)
    first[group.varies(values, known)] = none
    return first


def _unsure(facts: Facts) -> BoolArray:
    """Return the blocks with an offer or block of another fault: it changes, or is no 0 or 1."""
    column, block = str(facts.roles.offer), facts.blocks.codes
    offer = facts.number(column)
    changed = facts.group.varies(offer, ~np.isnan(offer))
    changed |= facts.group.varies(block.of, block.known)
    strange = (offer != 0) & (offer != 1) & ~facts.missing(column)
    return block.any(facts.group.spread(changed) | strange)


def _weights(facts: Facts) -> FloatArray:
    """Return the weight of each unit (and application); 1 where it has no usable one."""
    if facts.roles.weight is None:
        return np.ones(facts.group.count)
    values = facts.number(facts.roles.weight)
    weight = _steady(facts.group, values, ~np.isnan(values), np.nan)
    return np.where(np.isfinite(weight) & (weight >= 0), weight, 1.0)


def _off(
    cells: Codes, offer: FloatArray, stated: FloatArray, weight: FloatArray
) -> tuple[BoolArray, float]:
    """Return the cells whose winners are too many or too few, and the widest gap among them.

    The exact binomial test at the number of equally weighted people that the weights are worth.
    """
    from scipy.special import bdtr, bdtrc  # late: a look at data without odds never needs it

    def total(values: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(cells.of, values, cells.count), dtype=np.float64)

    size = total(weight)
    filled = size > 0
    safe = np.where(filled, size, 1.0)
    share, odds = total(weight * offer) / safe, total(weight * stated) / safe
    worth = np.where(filled, size**2 / np.where(filled, total(weight**2), 1.0), 0.0)
    n = np.rint(worth)
    k, whole = np.rint(share * n), n.astype(np.int64)
    tail = np.minimum(bdtr(k, whole, odds), bdtrc(k - 1, whole, odds))
    tests = max(int(filled.sum()), 1)
    off = filled & (2 * tail * tests < CHANCE) & (np.abs(share - odds) > ROUNDING)
    return off, float(np.abs(share - odds)[off].max(initial=0.0))
