"""Files with two to four faults: entries spoiled one after another, and mended one after another.

The parts touch other cells; where one takes rows out of the table, the others lie above.
"""

from .asking import Entry, several
from .panels import KEYS, LOTTERY, ROLES, TIMING
from .values import CODES, MONEY, OUTCOMES

PARTS = {e.name: e for e in (*KEYS, *ROLES, *LOTTERY, *TIMING, *OUTCOMES, *MONEY, *CODES)}

# the first one brings the panel and its roles
CHOSEN = (
    ("missing_role", "negative_income"),
    ("duplicate_unit_wave", "implausible_age"),
    ("ids_alike", "infinite_weight", "undeclared_missing_code"),
    ("varying_offer", "missing_cluster", "not_binary"),
    ("varying_block", "negative_attempts", "impossible_tail"),
    ("treated_before_batch", "non_numeric_outcome"),
    ("cohort_against_receipt", "cohort_without_receipt", "varying_cohort"),
    ("cohort_no_wave", "money_code"),
    ("wave_gap", "negative_attempts", "varying_psu"),
    ("rows_all_missing", "mixed_units"),
    ("several_applications", "varying_cluster", "zero_weight"),
    ("winner_applies_again", "negative_weight"),
    ("probability_range", "household_winners"),
    ("odds_against_stated", "receipt_switches_off", "heaped_income"),
    ("empty_arm", "varying_household", "negative_income"),
    ("covariate_after_baseline", "missing_block", "cluster_crosses_blocks"),
    ("treated_at_baseline", "constant_outcome"),
    ("non_numeric_role", "non_numeric_outcome", "varying_probability"),
    ("labels_missing_code", "negative_age", "impossible_tail"),
    ("covariate_named_later", "missing_wave", "missing_cluster", "infinite_weight"),
    ("ids_alike", "negative_weight", "undeclared_negative_code", "negative_attempts"),
)


def combined(number: int, names: tuple[str, ...]) -> Entry:
    """Several entries in one file."""
    parts = [PARTS[name] for name in names]
    return Entry(
        f"together_{number:02d}",
        " and ".join(names),
        parts[0].start,
        several(*(p.spoil for p in parts)),
        several(*(p.mend for p in parts)),
        tuple(f for p in parts for f in p.found),
        beside={code: why for p in parts for code, why in p.beside.items()},
    )


TOGETHER = tuple(combined(i, names) for i, names in enumerate(CHOSEN, start=1))
