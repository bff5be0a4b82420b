"""Were the outcomes of winners and of losers kept alike?"""

from collections.abc import Iterator
from math import erfc, sqrt

import numpy as np

from prakerja_eval.panel.contract.facts import Facts
from prakerja_eval.panel.contract.finding import Finding
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

GAP, RARE = 0.05, 1e-3  # points between the arms, and how seldom chance makes such a gap


def differential_attrition(facts: Facts) -> Iterator[Finding]:
    """Find waves after the baseline in which the arms kept different shares of their people."""
    if facts.roles.offer is None or facts.roles.wave is None:
        return
    unit, offer = facts.unit, facts.number(facts.roles.offer)
    won = unit.first(offer, ~np.isnan(offer), np.nan)
    block = unit.first(facts.blocks.codes.of, facts.blocks.codes.known)
    people = np.isin(won, (0, 1)) & (block >= 0)
    first = 0 if facts.baseline is None else facts.baseline + 1
    for column in dict.fromkeys(facts.asked.outcomes):
        known = ~np.isnan(facts.number(column))
        for wave in range(first, len(facts.waves)):
            seen = unit.any(known & (facts.wave.of == wave))
            both = all(seen[people & (won == arm)].any() for arm in (0, 1))  # else another fault
            if not both or not _differs(won[people], block[people], seen[people]):
                continue
            shares = [f"{100 * seen[people & (won == arm)].mean():.0f}" for arm in (1, 0)]
            places = {"wave": facts.waves[wave], "won": shares[0], "lost": shares[1]}
            here = facts.wave.of == wave
            gone = people & ~seen
            bad = unit.known & unit.spread(gone) & (here | unit.spread(~unit.any(here)))
            yield Finding("differential_attrition", (column,), bad, places)


def _differs(won: FloatArray, block: IntArray, seen: BoolArray) -> bool:
    """Say whether the shares differ by more than chance, arms compared within blocks.

    The difference of shares with weights n1 n0 / (n1 + n0), and its normal test with each block's
    pooled share (Mantel and Haenszel 1959, doi 10.1093/jnci/22.4.719).
    """
    count = int(block.max()) + 1 if len(block) else 0
    n1, r1 = (np.bincount(block[won == 1], x, count) for x in (None, seen[won == 1] * 1.0))
    n0, r0 = (np.bincount(block[won == 0], x, count) for x in (None, seen[won == 0] * 1.0))
    both = (n1 > 0) & (n0 > 0)
    if not both.any():
        return False
    n1, r1, n0, r0 = n1[both], r1[both], n0[both], r0[both]
    weight = n1 * n0 / (n1 + n0)
    pooled = (r1 + r0) / (n1 + n0)
    gap = float((weight * (r1 / n1 - r0 / n0)).sum() / weight.sum())
    variance = float((weight * pooled * (1 - pooled)).sum()) / weight.sum() ** 2
    return abs(gap) > GAP and variance > 0 and erfc(abs(gap) / sqrt(2 * variance)) < RARE
