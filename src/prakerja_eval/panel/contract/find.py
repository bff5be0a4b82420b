"""What is wrong with the data? Every rule asked once, every fault told together."""

from collections.abc import Iterator

import numpy as np

from prakerja_eval.panel.contract.asked import Asked
from prakerja_eval.panel.contract.attrition import differential_attrition
from prakerja_eval.panel.contract.covariates import covariate_after_baseline
from prakerja_eval.panel.contract.facts import Facts
from prakerja_eval.panel.contract.fault import Check
from prakerja_eval.panel.contract.finding import Finding, Rule, faults_of
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
from prakerja_eval.panel.table import Table

RULES: tuple[Rule, ...] = (
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
    covariate_after_baseline,
    non_numeric_outcome,
    infinite_value,
    differential_attrition,
    constant_outcome,
    wave_without_outcome,
    wave_without_arm,
    negative_income,
    implausible_amounts,
    implausible_age,
    labels_missing_code,
    undeclared_missing_code,
)


def find_faults(table: Table, roles: Roles, asked: Asked) -> Check:
    """Return every fault of a long table under its roles, in one pass.

    Parameters
    ----------
    table : Table
        Long data, a row a unit and wave.
    roles : Roles
        Their columns exist.
    asked : Asked
        Outcomes, covariates and amounts; every other numeric column must at least be finite.

    Returns
    -------
    Check
        Errors first, in the order of faults.toml. The order of the rows does not matter.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        return Check(faults_of(_findings(Facts(table, roles, asked)), table.row_numbers()))


def _findings(facts: Facts) -> Iterator[Finding]:
    for rule in RULES:
        yield from rule(facts)
