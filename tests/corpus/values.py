"""Faults of outcomes, covariates and amounts. Rows by hand: person k has 3k-2 to 3k."""

from dataclasses import replace

import numpy as np
import pandas as pd

from .asking import Asking, Change, Entry, Found, cells, frames, same
from .base import ALL, AWAY, monthly, panel, rows_of
from .panels import edit, fresh

POSITIVE = tuple(r for r in ALL if r != AWAY and panel()["income"][r - 1] > 0)
WAVE = {n: tuple(range(n, 97, 3)) for n in (1, 2, 3)}
INTERVIEWER = tuple(r for r in range(31, 43) if r in POSITIVE)
DEFAULTED = tuple(r for r in range(1, 30) if r in POSITIVE)
LABELS = b"""[education]
label = "Highest school"
values = { 1 = "primary", 2 = "junior secondary", 3 = "senior secondary", 4 = "tertiary" }
"""


def asked(*covariates: str) -> Change:
    return lambda a: replace(a, covariates=covariates)


def outcome(*columns: str) -> Change:
    return lambda a: replace(a, outcomes=columns)


def book(text: bytes) -> Change:
    """Name a codebook beside the file."""

    def change(asking: Asking) -> Asking:
        beside = {**asking.beside, "{}-book.toml": text}
        return replace(asking, beside=beside).read(codebook="{}-book.toml")

    return change


def divided(rows: tuple[int, ...], by: int) -> list[int]:
    """The incomes of some rows in other units."""
    return [panel()["income"][r - 1] // by for r in rows]


def right(column: str, rows: tuple[int, ...]) -> Change:
    """Write back what the questionnaire says."""
    return cells(column, [panel()[column][r - 1] for r in rows], rows)


def coded(name, says, column, value, rows, code, missing, start=monthly):
    """A code for a missing value, mended by a codebook."""
    text = f'[{column}]\nmissing = {{ "{value}" = "not known" }}\n'.encode()
    return Entry(
        name,
        says,
        start,
        cells(column, value, rows),
        book(text if missing is None else missing),
        (Found(code, tuple(rows), (column,)),),
    )


def rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Incomes to the next half million."""
    steps = frame["income"].astype(float) / 500_000
    return frame.assign(income=500_000 * np.ceil(steps))


OUTCOMES = (
    edit("non_numeric_outcome", "an income in words", "income", "1,2 juta", (8,), 1_200_000),
    edit("infinite_value", "a division by zero", "income", "inf", (8,), None),
    Entry(
        "constant_outcome",
        "everyone works: a filter upstream",
        monthly,
        cells("employed", 1, [r for r in ALL if r != AWAY]),
        outcome("income"),
        (Found("constant_outcome", tuple(r for r in ALL if r != AWAY), ("employed",)),),
    ),
    Entry(
        "constant_outcome_empty",
        "a merge lost an outcome",
        monthly,
        cells("employed", None, ALL),
        outcome("income"),
        (Found("constant_outcome.empty", ALL, ("employed",)),),
    ),
    Entry(
        "wave_without_outcome",
        "a merge lost the incomes of a wave",
        monthly,
        cells("income", None, WAVE[2]),
        fresh,
        (Found("wave_without_outcome", WAVE[2], ("income",)),),
    ),
    Entry(
        "differential_attrition",
        "twelve of the sixteen people of one arm were not asked in the last wave",
        monthly,
        cells("income", None, [3 * k for k in range(1, 25, 2)]),
        fresh,
        (
            Found(
                "differential_attrition",
                tuple(sorted({3 * k for k in range(1, 25, 2)} | {AWAY})),
                ("income",),
            ),
        ),
    ),
    Entry(
        "wave_without_arm",
        "in the last wave winners alone were asked for incomes",
        monthly,
        cells("income", None, [3 * k for k in range(1, 33, 2)]),
        fresh,
        (
            Found(
                "wave_without_arm",
                tuple(3 * k for k in range(2, 33, 2) if 3 * k != AWAY),
                ("income",),
            ),
        ),
    ),
    Entry(
        "covariate_after_baseline",
        "a covariate is asked for at a wave after the baseline",
        lambda: asked("age", "income@2021-02")(monthly()),
        same,
        asked("age", "income@2020-07"),
        (Found("covariate_after_baseline", WAVE[2], ("income",)),),
    ),
    Entry(
        "covariate_only_later",
        "a covariate was asked about in the last wave alone",
        lambda: asked("age", "siblings")(monthly()),
        frames(lambda f: f.assign(siblings=[(r // 3) % 5 if r % 3 == 0 else None for r in ALL])),
        frames(lambda f: f.assign(siblings=f["siblings"].bfill())),
        (Found("covariate_after_baseline.values", WAVE[3], ("siblings",)),),
    ),
    Entry(
        "covariate_named_later",
        "a covariate is of the year after the baseline by its name",
        lambda: asked("age", "skills_2021")(monthly()),
        frames(lambda f: f.assign(skills_2021=[50 + (r // 3) % 20 for r in ALL])),
        asked("age"),
        (Found("covariate_after_baseline.name", ALL, ("skills_2021",)),),
    ),
)

MONEY = (
    Entry(
        "negative_income",
        "two amounts with a slip of the pen",
        monthly,
        cells("income", -250_000, (5, 9)),
        right("income", (5, 9)),
        (Found("negative_income", (5, 9), ("income",)),),
    ),
    Entry(
        "mixed_units",
        "one interviewer wrote thousands",
        monthly,
        cells("income", divided(INTERVIEWER, 1_000), INTERVIEWER),
        frames(
            lambda f: f.assign(
                income=[
                    v * 1_000 if r in INTERVIEWER else v for r, v in enumerate(f["income"], start=1)
                ]
            )
        ),
        (Found("mixed_units", INTERVIEWER, ("income",)),),
    ),
    Entry(
        "impossible_tail",
        "three zeros too many",
        monthly,
        cells("income", 1_147_000_000, (8,)),
        right("income", (8,)),
        (Found("impossible_tail", (8,), ("income",)),),
    ),
    Entry(
        "heaped_income",
        "the form's default in a third of the answers",
        monthly,
        cells("income", 1_500_000, DEFAULTED),
        cells("income", None, DEFAULTED),
        (Found("heaped_income", DEFAULTED, ("income",)),),
    ),
    Entry(
        "heaped_income_rounded",
        "every amount to the next half million; mended by amounts asked for by source",
        monthly,
        frames(rounded),
        fresh,
        (Found("heaped_income.rounded", POSITIVE, ("income",)),),
    ),
    coded(
        "money_code",
        "98 for a refused income",
        "income",
        98,
        (5, 47, 89),
        "undeclared_missing_code",
        None,
    ),
)

CODES = (
    coded("implausible_age", "999 for no age", "age", 999, rows_of(4), "implausible_age", None),
    edit("negative_age", "a year of birth to come", "age", -3, rows_of(4), 39, "implausible_age"),
    coded(
        "labels_missing_code",
        "a code without a label",
        "education",
        9,
        rows_of(4),
        "labels_missing_code",
        LABELS + b'missing = { 9 = "refused" }\n',
        start=lambda: book(LABELS)(monthly()),
    ),
    coded(
        "undeclared_missing_code",
        "99 for no answer",
        "education",
        99,
        rows_of(4),
        "undeclared_missing_code",
        None,
    ),
    coded(
        "undeclared_negative_code",
        "-9 for no answer",
        "education",
        -9,
        rows_of(4),
        "undeclared_missing_code",
        None,
    ),
    coded(
        "undeclared_yes_no_code",
        "8 beside yes and no",
        "female",
        8,
        rows_of(4),
        "undeclared_missing_code",
        None,
    ),
)
