"""A clean panel; for every kind of fault a small panel that has it, and how it is mended."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

import prakerja_eval as pe
from prakerja_eval.panel.table import Table, Variable

N, WAVES = 8, 3
ROLES = pe.Roles(
    unit="nik",
    wave="wave",
    baseline=1,
    cohort="cohort",
    offer="won",
    received="trained",
    blocks=("batch", "stratum"),
    probability="odds",
    application="application",
    household="household",
    clusters="village",
    weight="weight",
    psu="psu",
    responded="responded",
    attempts="attempts",
)
DATED = replace(ROLES, wave="wave", baseline=2019, clusters="gelombang")
CROSS = pe.Roles(unit="nik")


def clean():
    """Eight people in two blocks over three waves, a row a person and wave, people together."""
    i = np.repeat(np.arange(N), WAVES)
    wave = np.tile(np.arange(1, WAVES + 1), N)
    won = (i % 2).astype(int)
    return pd.DataFrame(
        {
            "nik": [f"SYN-{k:06d}" for k in i],
            "wave": wave,
            "cohort": won * 2,
            "won": won,
            "trained": won * (wave >= 2),
            "batch": np.where(i < 4, "first", "second"),
            "stratum": 1,
            "odds": 0.5,
            "application": 1,
            "household": [f"H{k // 2}" for k in i],
            "village": i // 4,
            "weight": 1.5,
            "psu": i // 2,
            "responded": 1,
            "attempts": wave,
            "income": 100.0 + i + wave,
            "note": "x",
        }
    )


def dated():
    """The same with waves 2019, 2020 and 2021, of people in batch 1 and batch 12."""
    frame = clean()
    frame["wave"] += 2018
    frame["cohort"] = np.where(frame.won == 1, 2021, 0)
    frame["trained"] = frame.won * (frame.wave >= 2021)
    return frame.assign(gelombang=np.where(frame.batch == "first", 1, 12))


def people(n=100, **columns):
    """People seen once."""
    return pd.DataFrame({"nik": [f"SYN-{k:06d}" for k in range(n)], **columns})


def edited(column, values, rows, start=clean):
    """A clean frame with cells of one column changed; ``rows`` count from 1."""
    frame = start()
    positions = np.asarray(rows) - 1
    if isinstance(values, str) or values is None:
        frame[column] = frame[column].astype(object)
    elif isinstance(values, float):
        frame[column] = frame[column].astype(float)
    frame.iloc[positions, frame.columns.get_loc(column)] = values
    return frame


def all_of(*units):
    """Rows, from 1, of some people."""
    return tuple(r for u in units for r in range(u * WAVES + 1, u * WAVES + WAVES + 1))


def reapplied(unit):
    """A person with a second application, which won: its rows follow the others, 25 to 27."""
    frame = clean()
    again = frame.iloc[unit * WAVES : (unit + 1) * WAVES].assign(application=2, won=1)
    return pd.concat([frame, again], ignore_index=True)


def rupiah(n=100):
    """Amounts from 1.0 to about 3.5 million, no two alike and none round."""
    return 1_000_000.0 + 25_013.0 * np.arange(n)


@dataclass(frozen=True)
class Asking:
    """What is checked."""

    frame: pd.DataFrame
    roles: pe.Roles = ROLES
    outcomes: tuple = ("income",)
    covariates: tuple = ()
    money: tuple = ()
    codebook: dict = field(default_factory=dict)

    def check(self):
        table = Table(self.frame, codebook=self.codebook)
        return pe.Panel(table, self.roles).check(self.outcomes, self.covariates, self.money)


@dataclass(frozen=True)
class Example:
    """A fault, its rows, what else comes with it, and the remedy."""

    asking: Asking
    rows: tuple
    mend: Callable[[Asking], Asking]
    columns: tuple | None = None
    beside: frozenset = frozenset()


def cells(column, values, rows):
    """Mend by writing cells."""

    def mend(asking):
        frame = asking.frame.astype({column: object})
        frame.iloc[np.asarray(rows) - 1, frame.columns.get_loc(column)] = values
        return replace(asking, frame=frame.infer_objects())

    return mend


def kept(condition):
    """Mend by leaving rows out."""
    return lambda a: replace(a, frame=a.frame[condition(a.frame)].reset_index(drop=True))


def named(**roles):
    """Mend by naming other roles."""
    return lambda a: replace(a, roles=replace(a.roles, **roles))


def edit(column, values, rows, back, *, of=None, **more):
    """A fault made by an edit, and mended by writing back."""
    asking = Asking(edited(column, values, rows))
    return Example(asking, of or tuple(rows), cells(column, back, of or rows), **more)


def varying(column, value, unit=1):
    """A role that changes in the first row of a person, written back."""
    row = unit * WAVES + 1
    good = clean()[column][row - 1]
    good = good if isinstance(good, str) else good.item()
    return edit(column, value, [row], good, of=all_of(unit), columns=("nik", column))


NO_CLUSTERS = {"household": None, "psu": None, "clusters": ()}
WITH_MANY = {"roles": CROSS, "outcomes": ()}


def valued(column, good, bad, rows, **more):
    """One hundred people with values of which some are bad; mended by the good ones."""
    n = len(good)
    values = np.array(good, dtype=object if isinstance(bad, str) else float)
    values[np.asarray(rows) - 1] = bad
    frame = people(n, **{column: values if isinstance(bad, str) else values.astype(float)})
    asking = Asking(frame, **{**WITH_MANY, **more})
    return Example(asking, tuple(rows), lambda a: replace(a, frame=people(n, **{column: good})))


def lone_winner():
    frame = clean()
    frame.loc[frame.nik.isin(["SYN-000001"]), ["won", "trained", "cohort"]] = 0
    return frame


def crowded():
    return clean().assign(household=lambda f: np.where(f.nik < "SYN-000006", "H0", "H1"))


def unfair():
    """One hundred people in one block with odds of a half, of whom eighty won."""
    won = np.arange(100) < 80
    return people(won=won.astype(int), odds=0.5, income=rupiah())


TWO_WAVES = pe.Roles(unit="nik", wave="wave", baseline=1, offer="won")


def lost(n):
    """A hundred losers, the first n without income in the second wave, and a hundred winners."""
    frame = pd.concat([people(200, won=np.repeat([0, 1], 100), wave=w) for w in (1, 2)])
    frame = frame.sort_values(["nik", "wave"], ignore_index=True)
    frame["income"] = 100.0 + np.arange(400)
    frame.loc[(frame.wave == 2) & (frame.index < 2 * n), "income"] = np.nan
    return frame


THOUSANDS = np.array([2, 30, 44, 60, 71])
UNFAIR_ROLES = pe.Roles(unit="nik", offer="won", probability="odds")
LABELS = {"status": Variable(values={"1": "works", "2": "seeks", "3": "neither"})}

EXAMPLES = {
    "missing_role": edit("weight", np.nan, [24], 1.5),
    "receipt_unknown": edit("trained", np.nan, [24], 1),
    "missing_cluster": edit("household", None, all_of(2), "H1"),
    "duplicate_unit_wave": Example(
        Asking(edited("wave", 2, [3]), replace(ROLES, application=None)),
        (2, 3),
        cells("wave", 3, [3]),
        ("nik", "wave"),
    ),
    "duplicate_unit_wave.application": Example(
        Asking(edited("wave", 2, [3])), (2, 3), cells("wave", 3, [3]), ("nik", "wave")
    ),
    "duplicate_unit_wave.cross_section": Example(
        Asking(clean(), replace(ROLES, wave=None, baseline=None, application=None)),
        tuple(range(1, 25)),
        named(wave="wave"),
        ("nik",),
    ),
    "several_applications": Example(
        Asking(reapplied(0)),
        (1, 2, 3, 25, 26, 27),
        kept(lambda f: f.application == 1),
        ("nik", "wave"),
    ),
    "ids_alike": edit("nik", "syn-000003 ", [12], "SYN-000003", of=all_of(3)),
    "empty_row": Example(
        Asking(
            people(4, wave=1, income=[1.0, np.nan, 3.0, np.nan], note=["x", None, "y", "z"]),
            pe.Roles(unit="nik", wave="wave"),
        ),
        (2,),
        kept(lambda f: f.income.notna() | f.note.notna()),
    ),
    "empty_row.blank": Example(
        Asking(pd.concat([clean(), clean().iloc[:2].map(lambda _: None)], ignore_index=True)),
        (25, 26),
        kept(lambda f: f.notna().any(axis=1)),
        ("nik", "wave"),
    ),
    "wave_gap": Example(
        Asking(clean().drop(index=[4]).reset_index(drop=True)),
        (4, 5),
        lambda a: replace(a, frame=clean().assign(responded=lambda f: (f.index != 4).astype(int))),
        ("nik", "wave"),
    ),
    "non_numeric_role": edit("weight", "1,5", [6], 1.5),
    "non_numeric_role.yes_no": edit("trained", "ya", [6], 1),
    "non_numeric_role.cohort": edit("cohort", "never", all_of(0), 0),
    "not_binary": edit("responded", -1, [1], 1),
    "probability_range": edit("odds", 50.0, all_of(0), 0.5),
    "cohort_range": edit("cohort", -np.inf, all_of(0), 0),
    "negative_weight": edit("weight", -9.0, all_of(0), 1.5),
    "negative_application": edit("application", -1, all_of(0), 1),
    "negative_attempts": edit("attempts", -1, [3], 3),
    "zero_weight": edit("weight", 0.0, all_of(0), 1.5),
    "varying_offer": Example(
        Asking(edited("won", 1, [7])),
        all_of(2),
        cells("won", 0, [7]),
        ("nik", "won"),
    ),
    "varying_block": varying("stratum", 2),
    "varying_cohort": varying("cohort", 3),
    "varying_probability": varying("odds", 0.4),
    "varying_household": varying("household", "H9"),
    "varying_psu": varying("psu", 9),
    "varying_cluster": varying("village", 9),
    "varying_weight": varying("weight", 2.5),
    "empty_arm": Example(
        Asking(edited("stratum", 2, all_of(0, 2)), replace(ROLES, **NO_CLUSTERS)),
        all_of(0, 1, 2, 3),
        kept(lambda f: f.batch == "second"),
        ("won", "batch", "stratum"),
    ),
    "empty_arm.no_blocks": Example(
        Asking(clean().assign(won=1), replace(ROLES, blocks=(), probability=None, household=None)),
        tuple(range(1, 25)),
        lambda a: replace(a, frame=clean()),
        ("won",),
    ),
    "winner_applies_again": Example(
        Asking(reapplied(1)),
        (25, 26, 27),
        kept(lambda f: f.application == 1),
        ("application", "won"),
        frozenset({"several_applications"}),
    ),
    "singleton_arm": Example(
        Asking(lone_winner()), all_of(3), named(blocks=("stratum",)), ("won", "batch", "stratum")
    ),
    "household_winners": Example(
        Asking(crowded(), replace(ROLES, blocks=("stratum",))),
        all_of(1, 3, 5),
        lambda a: replace(a, frame=clean()),
        ("won", "household"),
    ),
    "odds_against_stated": Example(
        Asking(unfair(), UNFAIR_ROLES),
        tuple(range(1, 101)),
        lambda a: replace(a, frame=a.frame.assign(odds=0.8)),
    ),
    "cluster_crosses_blocks": Example(
        Asking(clean().assign(village=0)),
        tuple(range(1, 25)),
        lambda a: replace(a, frame=clean()),
        ("village",),
    ),
    "treated_at_baseline": edit("trained", 1, [4], 0, beside=frozenset({"cohort_against_receipt"})),
    "treated_at_baseline.cohort": edit(
        "cohort", 1, all_of(1), 2, beside=frozenset({"cohort_against_receipt"})
    ),
    "cohort_against_receipt": edit("cohort", 3, all_of(1), 2, columns=("cohort", "trained")),
    "cohort_without_receipt": edit("cohort", 2, all_of(0), 0, columns=("cohort", "trained")),
    "cohort_no_wave": Example(
        Asking(clean().assign(cohort=clean().cohort * 0.75), replace(ROLES, received=None)),
        all_of(1, 3, 5, 7),
        lambda a: replace(a, frame=clean()),
        ("cohort",),
    ),
    "treated_before_programme": Example(
        Asking(edited("trained", 1, [4], dated), replace(DATED, baseline=None, cohort=None)),
        (4,),
        cells("trained", 0, [4]),
        ("trained",),
        frozenset({"treated_before_batch", "receipt_switches_off"}),
    ),
    "treated_before_batch": Example(
        Asking(
            edited("trained", 1, [14, 17], dated).query("won == 1").reset_index(drop=True),
            replace(DATED, offer=None, blocks=(), cohort=None),
        ),
        (8,),
        cells("trained", 0, [8]),
        ("gelombang", "trained"),
    ),
    "covariate_after_baseline": Example(
        Asking(clean(), covariates=("income@2",)),
        tuple(range(2, 25, 3)),
        lambda a: replace(a, covariates=("income@1",)),
        ("income",),
    ),
    "covariate_after_baseline.values": Example(
        Asking(clean().assign(hours=lambda f: f.income.where(f.wave == 3)), covariates=("hours",)),
        tuple(range(3, 25, 3)),
        lambda a: replace(a, frame=a.frame.assign(hours=a.frame.income)),
        ("hours",),
    ),
    "covariate_after_baseline.name": Example(
        Asking(clean().assign(hours_w2=40 + clean().psu), covariates=("hours_w2",)),
        tuple(range(1, 25)),
        lambda a: replace(a, covariates=()),
        ("hours_w2",),
    ),
    "receipt_switches_off": edit("trained", 0, [6], 1),
    "non_numeric_outcome": edit("income", "1,000", [8], 1000.0),
    "infinite_value": edit("income", np.inf, [8], np.nan),
    "differential_attrition": Example(
        Asking(lost(40), TWO_WAVES), tuple(range(2, 81, 2)), lambda a: replace(a, frame=lost(0))
    ),
    "constant_outcome": Example(
        Asking(clean().assign(income=5.0)),
        tuple(range(1, 25)),
        lambda a: replace(a, outcomes=("village",)),
    ),
    "constant_outcome.empty": Example(
        Asking(clean().assign(income=np.nan)),
        tuple(range(1, 25)),
        lambda a: replace(a, outcomes=("village",)),
    ),
    "wave_without_outcome": Example(
        Asking(clean().assign(income=lambda f: f.income.where(f.wave != 2))),
        tuple(range(2, 25, 3)),
        lambda a: replace(a, frame=clean()),
    ),
    "wave_without_arm": Example(
        Asking(clean().assign(income=lambda f: f.income.where((f.wave < 3) | (f.won == 1)))),
        (6, 12, 18, 24),
        lambda a: replace(a, frame=clean()),
    ),
    "negative_income": edit("income", -250.0, [5, 9], np.nan),
    "mixed_units": valued(
        "income", rupiah(), rupiah()[[2, 30, 44, 60, 71]] / 1000, [3, 31, 45, 61, 72]
    ),
    "impossible_tail": valued("income", rupiah(), 8.1e9, [7]),
    "heaped_income": valued("income", rupiah(), 1_500_001.0, list(range(1, 31))),
    "heaped_income.rounded": valued(
        "income", rupiah(), 500_000.0 * (2 + np.arange(85) % 17), list(range(1, 86))
    ),
    "implausible_age": valued("age", 20.0 + np.arange(100) % 40, 999.0, [4, 9]),
    "labels_missing_code": valued(
        "status", 1.0 + np.arange(100) % 3, 9.0, [10, 20], codebook=LABELS
    ),
    "undeclared_missing_code": valued("children", np.arange(100.0) % 6, 99.0, [50, 51, 90]),
}
