"""What is wrong with the data? Every rule asked once, every fault told together."""

import numpy as np

from prakerja_eval.panel.contract.asked import Asked
from prakerja_eval.panel.contract.attrition import differential_attrition
from prakerja_eval.panel.contract.covariates import covariate_after_baseline
from prakerja_eval.panel.contract.facts import Facts
from prakerja_eval.panel.contract.fault import Check, Fault
from prakerja_eval.panel.contract.finding import Rule, faults_of, in_order
from prakerja_eval.panel.contract.lottery import (
    cluster_crosses_blocks,
    empty_arm,
    household_winners,
    odds_against_stated,
    singleton_arm,
    winner_applies_again,
)
from prakerja_eval.panel.contract.money import implausible_amounts, negative_income
from prakerja_eval.panel.contract.outcomes import (
    constant_outcome,
    infinite_value,
    non_numeric_outcome,
    wave_without_arm,
    wave_without_outcome,
)
from prakerja_eval.panel.contract.programme import treated_before_batch, treated_before_programme
from prakerja_eval.panel.contract.roles import (
    non_numeric_role,
    role_range,
    varying_role,
    zero_weight,
)
from prakerja_eval.panel.contract.structure import (
    duplicate_unit_wave,
    empty_row,
    ids_alike,
    missing_cluster,
    missing_role,
    several_applications,
    wave_gap,
)
from prakerja_eval.panel.contract.timing import (
    cohort_against_receipt,
    cohort_no_wave,
    receipt_switches_off,
    treated_at_baseline,
)
from prakerja_eval.panel.contract.values import (
    implausible_age,
    labels_missing_code,
    undeclared_missing_code,
)
from prakerja_eval.panel.roles import Roles
from prakerja_eval.panel.rows import Rows, rows_of
from prakerja_eval.panel.table import Table

# of the table and its roles alone, and of what is asked beside them
STANDING: tuple[Rule, ...] = (
    missing_role,
    missing_cluster,
    duplicate_unit_wave,
    several_applications,
    ids_alike,
    empty_row,
    wave_gap,
    non_numeric_role,
    role_range,
    zero_weight,
    varying_role,
    empty_arm,
    singleton_arm,
    household_winners,
    winner_applies_again,
    odds_against_stated,
    cluster_crosses_blocks,
    cohort_against_receipt,
    cohort_no_wave,
    receipt_switches_off,
    treated_at_baseline,
    treated_before_programme,
    treated_before_batch,
    implausible_age,
    labels_missing_code,
    undeclared_missing_code,
)
ASKED: tuple[Rule, ...] = (
    covariate_after_baseline,
    non_numeric_outcome,
    infinite_value,
    differential_attrition,
    constant_outcome,
    wave_without_outcome,
    wave_without_arm,
    negative_income,
    implausible_amounts,
)


def find_faults(
    table: Table,
    roles: Roles,
    asked: Asked,
    known: tuple[Rows, tuple[Fault, ...]] | None = None,
) -> Check:
    """Return every fault of a long table under its roles, in one pass.

    Parameters
    ----------
    table : Table
        Long data, a row a unit and wave.
    roles : Roles
        Their columns exist.
    asked : Asked
        Outcomes, covariates and amounts; every other numeric column must at least be finite.
    known : (Rows, tuple of Fault), optional
        The rows and ``standing_faults`` of the same table and roles, where they are known already.

    Returns
    -------
    Check
        Errors first, in the order of faults.toml. The order of the rows does not matter.
    """
    if known is None:
        rows = rows_of(table.frame, roles)
        known = rows, standing_faults(table, roles, rows)
    rows, standing = known
    facts = Facts(table, roles, asked, rows)
    return Check(in_order((*standing, *_faults(facts, ASKED))))


def standing_faults(table: Table, roles: Roles, rows: Rows) -> tuple[Fault, ...]:
    """Return the faults that do not depend on what is asked."""
    return _faults(Facts(table, roles, Asked(), rows), STANDING)


def _faults(facts: Facts, rules: tuple[Rule, ...]) -> tuple[Fault, ...]:
    with np.errstate(over="ignore", invalid="ignore"):
        found = (finding for rule in rules for finding in rule(facts))
        return faults_of(found, facts.table.row_numbers())
