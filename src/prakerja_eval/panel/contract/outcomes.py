"""Do the outcomes hold finite numbers that vary, in every wave that matters?"""

from collections.abc import Iterator

import numpy as np

from prakerja_eval.panel.contract.facts import Facts, extent, numeric_columns
from prakerja_eval.panel.contract.finding import Finding


def non_numeric_outcome(facts: Facts) -> Iterator[Finding]:
    """Find cells of an outcome, or of an amount asked about, that hold no number."""
    asked = (*facts.asked.outcomes, *(c for c in facts.asked.money if c in facts.frame.columns))
    for column in dict.fromkeys(asked):
        if extent(facts, column).count == len(facts.frame):
            continue
        bad = np.isnan(facts.number(column)) & ~facts.missing(column)
        yield Finding("non_numeric_outcome", (column,), bad)


def infinite_value(facts: Facts) -> Iterator[Finding]:
    """Find infinite values in outcomes and in every column of numbers."""
    for column in dict.fromkeys([*facts.asked.outcomes, *numeric_columns(facts)]):
        if facts.frame[column].dtype.kind not in "iub" and extent(facts, column).infinite:
            yield Finding("infinite_value", (column,), np.isinf(facts.number(column)))


def constant_outcome(facts: Facts) -> Iterator[Finding]:
    """Find outcomes with one single value, or with none."""
    for column in dict.fromkeys(facts.asked.outcomes):
        ends, missing = extent(facts, column), facts.missing(column)
        if missing.all():
            yield Finding("constant_outcome.empty", (column,), missing)
        elif ends.count == np.count_nonzero(~missing) and ends.low == ends.high:
            yield Finding("constant_outcome", (column,), ~missing)


def wave_without_outcome(facts: Facts) -> Iterator[Finding]:
    """Find waves after the baseline in which nobody has a value of an outcome."""
    if facts.roles.wave is None:
        return
    wave = facts.wave
    after = np.arange(wave.count) > (-1 if facts.baseline is None else facts.baseline)
    for column in dict.fromkeys(facts.asked.outcomes):
        some = wave.any(~facts.missing(column))
        lacking = after & ~some
        if some.any() and lacking.any():
            shown = ", ".join(str(w) for w, none in zip(facts.waves, lacking, strict=True) if none)
            places = {"waves": shown}
            yield Finding("wave_without_outcome", (column,), wave.spread(lacking), places)


def wave_without_arm(facts: Facts) -> Iterator[Finding]:
    """Find waves in which winners alone, or losers alone, have a value of an outcome."""
    if facts.roles.wave is None or facts.roles.offer is None:
        return
    offer, wave = facts.number(facts.roles.offer), facts.wave
    after = np.arange(wave.count) > (-1 if facts.baseline is None else facts.baseline)
    for column in dict.fromkeys(facts.asked.outcomes):
        present = ~facts.missing(column)
        arms = [wave.any(present & (offer == arm)) for arm in (0, 1)]
        lone = after & (arms[0] ^ arms[1])
        # a panel of one arm is another fault's matter
        if lone.any() and (offer == 0).any() and (offer == 1).any():
            shown = ", ".join(str(w) for w, one in zip(facts.waves, lone, strict=True) if one)
            bad = wave.spread(lone) & present
            yield Finding("wave_without_arm", (column,), bad, {"waves": shown})
