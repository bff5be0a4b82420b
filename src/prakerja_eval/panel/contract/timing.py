"""Do cohort and receipt tell one story, and does it begin after the baseline?"""

from collections.abc import Iterator

import numpy as np

from prakerja_eval.panel.contract.codes import per_group
from prakerja_eval.panel.contract.facts import Facts
from prakerja_eval.panel.contract.finding import Finding, counted
from prakerja_eval.typing import FloatArray, IntArray


def receipt_switches_off(facts: Facts) -> Iterator[Finding]:
    """Find rows without receipt after a wave with it."""
    if facts.roles.received is None or facts.roles.wave is None:
        return
    received, first = _receipt(facts)
    bad = (received == 0) & (facts.wave.of > np.append(first, len(facts.waves))[facts.group.of])
    places = {"units": counted(int(facts.unit.any(bad).sum()), "unit")}
    yield Finding("receipt_switches_off", (facts.roles.received,), bad, places)


def cohort_against_receipt(facts: Facts) -> Iterator[Finding]:
    """Find units whose receipt starts in another wave than their cohort says, or never."""
    sizes, roles = facts.wave_sizes, facts.roles
    if sizes is None or roles.cohort is None or roles.received is None or roles.wave is None:
        return
    received, first = _receipt(facts)
    group, wave, count = facts.group, facts.wave.of, len(sizes)
    before = (received == 0) & (wave < np.append(first, count)[group.of])
    last = per_group(group, wave, before, -1, last=True)
    # treatment began after the last wave without receipt, and no later than the first with it
    earliest = np.append(np.append(sizes, -np.inf)[last], np.nan)[group.of]
    latest = np.append(np.append(sizes, np.inf)[first], np.nan)[group.of]
    cohort = facts.cohort
    cohort = np.where(group.spread(group.varies(cohort, ~np.isnan(cohort))), np.nan, cohort)
    began = np.isfinite(latest)
    columns = (roles.cohort, roles.received)
    bad = began & ~np.isnan(cohort) & ~((earliest < cohort) & (cohort <= latest))
    places = {"units": counted(int(facts.unit.any(bad).sum()), "unit")}
    yield Finding("cohort_against_receipt", columns, bad, places)
    bad = (latest == np.inf) & np.isfinite(cohort) & (cohort <= earliest)
    places = {"units": counted(int(facts.unit.any(bad).sum()), "unit")}
    yield Finding("cohort_without_receipt", columns, bad, places)


def cohort_no_wave(facts: Facts) -> Iterator[Finding]:
    """Find cohorts that lie between two waves."""
    sizes, roles = facts.wave_sizes, facts.roles
    if sizes is None or roles.cohort is None or roles.wave is None:
        return
    cohort = facts.cohort
    bad = (cohort > sizes.min()) & (cohort < sizes.max()) & ~np.isin(cohort, sizes)
    places = {"units": counted(int(facts.unit.any(bad).sum()), "unit")}
    yield Finding("cohort_no_wave", (roles.cohort,), bad, places)


def treated_at_baseline(facts: Facts) -> Iterator[Finding]:
    """Find receipt, or a cohort, at the baseline or before it."""
    if facts.baseline is None:
        return
    places: dict[str, object] = {"baseline": facts.roles.baseline}
    if facts.roles.received is not None:
        received = facts.number(facts.roles.received)
        bad = (received == 1) & facts.wave.known & (facts.wave.of <= facts.baseline)
        units = counted(int(facts.unit.any(bad).sum()), "unit")
        yield Finding(
            "treated_at_baseline", (facts.roles.received,), bad, {**places, "units": units}
        )
    if facts.roles.cohort is not None and facts.wave_sizes is not None:
        cohort = facts.cohort
        bad = np.isfinite(cohort) & (cohort <= facts.wave_sizes[facts.baseline])
        units = counted(int(facts.unit.any(bad).sum()), "unit")
        yield Finding(
            "treated_at_baseline.cohort", (facts.roles.cohort,), bad, {**places, "units": units}
        )


def _receipt(facts: Facts) -> tuple[FloatArray, IntArray]:
    """Return receipt by row, and each unit's (application's) first wave with it, or the number."""
    received = facts.number(str(facts.roles.received))
    first = per_group(facts.group, facts.wave.of, received == 1, len(facts.waves), last=False)
    return received, first
