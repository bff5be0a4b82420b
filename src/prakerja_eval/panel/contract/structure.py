"""Is it a row a unit and wave, with every role filled in and no row empty?"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from prakerja_eval.panel.contract.codes import pair
from prakerja_eval.panel.contract.facts import Facts
from prakerja_eval.panel.contract.finding import Finding, counted
from prakerja_eval.typing import BoolArray

FILLED_ROLES = ("unit", "wave", "offer", "blocks", "cohort", "received", "weight", "probability")
KEY_ROLES = ("unit", "wave", "application", "responded", "attempts")
CLUSTER_ROLES = ("household", "psu", "clusters")


def missing_role(facts: Facts) -> Iterator[Finding]:
    """Find rows without a value in a role that every row needs; wholly empty ones are told apart.

    Receipt and weight need not be known where the person was not reached, and receipt that is not
    known is a warning.
    """
    blank = _blank(facts)
    for role in FILLED_ROLES:
        for column in facts.named.get(role, ()):
            bad = facts.missing(column) & ~blank
            if role in ("received", "weight") and facts.roles.responded is not None:
                bad = bad & (facts.number(facts.roles.responded) != 0)
            code = "receipt_unknown" if role == "received" else "missing_role"
            yield Finding(code, (column,), bad, {"role": role})


def missing_cluster(facts: Facts) -> Iterator[Finding]:
    """Find units that have no cluster in any of their rows."""
    for role in CLUSTER_ROLES:
        for column in facts.named.get(role, ()):
            missing = facts.missing(column)
            if not missing.any():
                continue
            never = ~facts.unit.any(~missing)
            bad = missing & facts.unit.known & facts.unit.spread(never)
            places = {"units": counted(int(facts.unit.any(bad).sum()), "unit")}
            yield Finding("missing_cluster", (column,), bad, places)


def duplicate_unit_wave(facts: Facts) -> Iterator[Finding]:
    """Find rows that share their unit, application and wave with another row."""
    roles = facts.roles
    if facts.complete:
        return
    keys = pair(facts.group, facts.wave)
    columns = tuple(c for c in (roles.unit, roles.wave) if c is not None)
    bad = keys.spread(keys.sizes() > 1)
    code = "duplicate_unit_wave"
    if roles.wave is None:
        code = "duplicate_unit_wave.cross_section"
    elif roles.application is not None:
        code = "duplicate_unit_wave.application"
    yield Finding(code, columns, bad)


def several_applications(facts: Facts) -> Iterator[Finding]:
    """Find units with more than one application."""
    column = facts.roles.application
    if column is None:
        return
    found = facts.codes(column)
    several = facts.unit.varies(found.of, found.known)
    places = {"units": counted(int(several.sum()), "unit")}
    columns = tuple(c for c in (facts.roles.unit, facts.roles.wave) if c is not None)
    yield Finding(
        "several_applications",
        columns,
        facts.unit.spread(several),
        {**places, "application": column},
    )


def ids_alike(facts: Facts) -> Iterator[Finding]:
    """Find unit ids that differ in blanks or in capitals alone."""
    labels = pd.Series(facts.labels(facts.roles.unit)).astype("str")
    plain = labels.str.strip().str.lower()
    if plain.equals(labels):
        return  # written as they are compared, and each label is there once
    alike = plain.duplicated(keep=False).to_numpy(dtype=bool)
    places = {"units": counted(int(alike.sum()), "id")}
    yield Finding("ids_alike", (facts.roles.unit,), facts.unit.spread(alike), places)


def empty_row(facts: Facts) -> Iterator[Finding]:
    """Find rows that hold nothing, or a unit and wave and nothing else without a reason."""
    named = facts.named
    columns = tuple(c for c in (facts.roles.unit, facts.roles.wave) if c is not None)
    blank = _blank(facts)
    yield Finding("empty_row.blank", columns, blank)
    keys = {c for role in KEY_ROLES for c in named.get(role, ())}
    others = [c for c in facts.frame.columns if c not in keys]
    if not others:
        return
    # columns of numbers that hold no gap settle it at once
    others.sort(key=lambda c: facts.frame[c].dtype.kind not in "iub")
    bad = np.ones(len(facts.frame), dtype=bool)
    for column in others:
        bad &= facts.missing(column)
        if not bad.any():
            return
    if facts.roles.responded is not None:
        bad &= facts.number(facts.roles.responded) != 0
    if facts.table.reasons is not None:
        bad &= ~facts.table.reasons.notna().to_numpy().any(axis=1)
    yield Finding("empty_row", columns, bad & ~blank)


def wave_gap(facts: Facts) -> Iterator[Finding]:
    """Find units without a row in a wave, seen before it and after it."""
    count = len(facts.waves)
    if facts.roles.wave is None or count < 3:
        return
    if facts.complete and facts.roles.responded is None:
        return
    unit, wave = facts.unit, facts.wave
    row = np.zeros((unit.count, count), dtype=bool)
    at = unit.known & wave.known
    row[unit.of[at], wave.of[at]] = True
    seen = row
    if facts.roles.responded is not None:
        seen = np.zeros_like(row)
        at &= facts.number(facts.roles.responded) != 0
        seen[unit.of[at], wave.of[at]] = True
    before = np.logical_or.accumulate(seen, axis=1)
    after = np.logical_or.accumulate(seen[:, ::-1], axis=1)[:, ::-1]
    gap = before & after & ~row
    by_wave = gap.sum(axis=0)
    if not by_wave.any():
        return
    shown = ", ".join(f"{w} ({n:,})" for w, n in zip(facts.waves, by_wave, strict=True) if n)
    gone = np.asarray(gap.any(axis=1))
    places = {"units": counted(int(gone.sum()), "unit"), "waves": shown}
    columns = (facts.roles.unit, facts.roles.wave)
    yield Finding("wave_gap", columns, unit.spread(gone), places)


def _blank(facts: Facts) -> BoolArray:
    """Return the rows in which every cell is empty."""
    bad = facts.missing(facts.roles.unit)
    for column in facts.frame.columns:
        if not bad.any():
            break
        bad = bad & facts.missing(column)
    return bad
