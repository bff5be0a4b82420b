"""Do the columns with a role hold what the role means, and one value a unit where it must be?"""

from collections.abc import Iterator

import numpy as np

from prakerja_eval.panel.contract.facts import Facts, is_number
from prakerja_eval.panel.contract.finding import Finding, counted
from prakerja_eval.typing import BoolArray

BINARY_ROLES = ("offer", "received", "responded")
NUMERIC_ROLES = (*BINARY_ROLES, "cohort", "probability", "weight", "application", "attempts")
# what may change from one application to the next, and what belongs to the person
OF_APPLICATION = {
    "offer": "offer",
    "blocks": "block",
    "cohort": "cohort",
    "probability": "probability",
}
OF_UNIT = {"household": "household", "psu": "psu", "clusters": "cluster", "weight": "weight"}


def non_numeric_role(facts: Facts) -> Iterator[Finding]:
    """Find cells of a numeric role that hold no number."""
    for role in NUMERIC_ROLES:
        for column in facts.named.get(role, ()):
            values = facts.cohort if role == "cohort" else facts.number(column)
            bad = np.isnan(values) & ~facts.missing(column)
            variant = ".yes_no" if role in BINARY_ROLES else ".cohort" if role == "cohort" else ""
            yield Finding(f"non_numeric_role{variant}", (column,), bad, {"role": role})


def role_range(facts: Facts) -> Iterator[Finding]:
    """Find numbers that a role cannot have."""
    for role in NUMERIC_ROLES:
        for column in facts.named.get(role, ()):
            values = facts.cohort if role == "cohort" else facts.number(column)
            known = ~np.isnan(values)
            if role in BINARY_ROLES:
                bad, code = known & (values != 0) & (values != 1), "not_binary"
            elif role == "probability":
                bad, code = known & ((values <= 0) | (values >= 1)), "probability_range"
            elif role == "cohort":
                bad, code = known & (values == -np.inf), "cohort_range"
            else:
                bad, code = known & ((values < 0) | np.isinf(values)), f"negative_{role}"
            yield Finding(code, (column,), bad, {"role": role})


def zero_weight(facts: Facts) -> Iterator[Finding]:
    """Find weights of zero."""
    if facts.roles.weight is not None:
        bad = facts.number(facts.roles.weight) == 0
        places = {"units": counted(int(facts.unit.any(bad).sum()), "unit")}
        yield Finding("zero_weight", (facts.roles.weight,), bad, places)


def varying_role(facts: Facts) -> Iterator[Finding]:
    """Find units (or applications) in which a role changes that must not."""
    several = facts.roles.application is not None
    for roles, group in ((OF_APPLICATION, facts.group), (OF_UNIT, facts.unit)):
        for role, word in roles.items():
            for column in facts.named.get(role, ()):
                number = role in NUMERIC_ROLES and role != "cohort"
                changed = group.varies(*_comparable(facts, column, number))
                if not changed.any():
                    continue
                bad = group.spread(changed)
                who = "unit and application" if several and roles is OF_APPLICATION else "unit"
                units = counted(int(facts.unit.any(bad).sum()), "unit")
                places = {"units": units, "who": who}
                yield Finding(f"varying_{word}", (facts.roles.unit, column), bad, places)


def _comparable(facts: Facts, column: str, number: bool) -> tuple[np.ndarray, BoolArray]:
    """Return a column as something to compare, and where it is known: numbers, or codes."""
    if number or is_number(facts.frame[column]):
        values = facts.number(column)
        return values, ~np.isnan(values)
    found = facts.codes(column)
    return found.of, found.known
