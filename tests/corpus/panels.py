"""Faults of the panel itself: keys, roles, the lottery. Rows by hand: person k has 3k-2 to 3k."""

from dataclasses import replace

import numpy as np
import pandas as pd

from .asking import Asking, Change, Entry, Found, cells, frames, same, several
from .base import ALL, applied, monthly, numbered, panel, rows_of

LOTTERY_AGAIN = {
    "cluster_crosses_blocks": "the second draw was in another batch, with the same household",
}
TAKERS = tuple(k for k in range(2, 33, 2) if k % 8)


def edit(name, says, column, bad, rows, good, code=None, of=None, start=monthly, **more):
    """A fault made by writing cells, and mended by writing the right ones."""
    found = Found(code or name, tuple(of or rows), more.pop("columns", None))
    return Entry(
        name, says, start, cells(column, bad, rows), cells(column, good, rows), (found,), **more
    )


def changing(role, column, bad, good, start=monthly):
    """A role that changes in the last row of person 3, who was asked again after a move."""
    return edit(
        f"varying_{role}",
        f"{column} of a person changes from one wave to the next",
        column,
        bad,
        (9,),
        good,
        of=rows_of(3),
        start=start,
        columns=("person_id", column),
    )


def again(person: int) -> Change:
    """Add the rows of a second application of a person, lost in batch 5, as rows 97 to 99."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        rows = frame.iloc[3 * person - 3 : 3 * person]
        more = rows.assign(application=2, batch=5, province="Bali", selected=0)
        return pd.concat([frame, more], ignore_index=True)

    return frames(change)


def added(*rows: int) -> Change:
    """Write rows a second time below the others."""
    return frames(lambda f: pd.concat([f, f.iloc[[r - 1 for r in rows]]], ignore_index=True))


def without(*rows: int) -> Change:
    """Leave rows out."""
    return frames(lambda f: f.drop(index=[r - 1 for r in rows]).reset_index(drop=True))


def kept(condition) -> Change:
    """Keep the rows that fulfil a condition."""
    return frames(lambda f: f[condition(f)].reset_index(drop=True))


def fresh(asking: Asking) -> Asking:
    """Bring the clean file: what was lost was found."""
    return replace(asking, frame=panel())


def named(**roles) -> Change:
    return lambda a: a.named(**roles)


def blank(asking: Asking) -> Asking:
    """Sixteen rows of nothing below the table."""
    empty = pd.DataFrame(np.full((16, asking.frame.shape[1]), None), columns=asking.frame.columns)
    data = pd.concat([asking.frame.astype(object), empty], ignore_index=True)
    return replace(asking, frame=data)


def early(asking: Asking) -> Asking:
    """A first wave before the programme, and blocks without the batch, whose month is later."""
    frame = asking.frame.replace({"wave": {"2020-07": "2020-02"}})
    return replace(asking, frame=frame).named(baseline=None, blocks=("province",))


def emptied(row: int) -> Change:
    """Leave nothing but the keys in a row, of a panel whose roles are the keys alone."""

    def change(asking: Asking) -> Asking:
        frame = asking.frame.astype(object)
        frame.loc[row - 1, [c for c in frame.columns if c not in ("person_id", "wave")]] = None
        roles = dict.fromkeys(("offer", "received", "probability", "household", "weight"))
        roles |= {"psu": None, "responded": None, "attempts": None, "blocks": ()}
        return replace(asking, frame=frame).named(**roles)

    return change


def reached_not(row: int, column: str = "responded") -> Change:
    """Write that the person of a row was not reached."""
    return several(
        cells(column, 0, (row,)),
        frames(lambda f: f.assign(**{column: f[column].fillna(1)})),
        named(responded=column),
    )


def not_reached_row(frame: pd.DataFrame) -> pd.DataFrame:
    """Put the row of person 17 in the second wave back, without answers."""
    row = panel().iloc[[49]].assign(responded=0, income=None, employed=None)
    return pd.concat([frame.iloc[:49], row, frame.iloc[49:]], ignore_index=True)


KEYS = (
    edit("missing_role", "a weight is missing", "weight", None, (14,), 2.0, columns=("weight",)),
    edit("receipt_unknown", "receipt of a row is not known", "trained", None, (14,), 0),
    edit(
        "missing_unit",
        "a row without a person",
        "person_id",
        None,
        (21,),
        "SYN-000007",
        code="missing_role",
    ),
    edit("missing_wave", "a row without a wave", "wave", None, (21,), "2021-08", "missing_role"),
    edit(
        "missing_block", "a row without province", "province", None, (21,), "Bali", "missing_role"
    ),
    Entry(
        "rows_all_missing",
        "sixteen empty rows below the table, as the statistics office's files have them",
        monthly,
        blank,
        kept(lambda f: f.notna().any(axis=1)),
        (Found("empty_row.blank", tuple(range(97, 113)), ("person_id", "wave")),),
    ),
    Entry(
        "duplicate_unit_wave",
        "a row stands twice",
        monthly,
        added(50),
        frames(lambda f: f.drop_duplicates(ignore_index=True)),
        (Found("duplicate_unit_wave", (50, 97), ("person_id", "wave")),),
    ),
    edit(
        "duplicate_wave_typed_wrong",
        "the third wave of a person is named as the second",
        "wave",
        "2021-02",
        (51,),
        "2021-08",
        "duplicate_unit_wave",
        (50, 51),
    ),
    Entry(
        "duplicate_unit",
        "nobody says that the rows are waves",
        lambda: monthly().named(wave=None, baseline=None),
        same,
        named(wave="wave", baseline="2020-07"),
        (Found("duplicate_unit_wave.cross_section", ALL, ("person_id",)),),
    ),
    Entry(
        "duplicate_application_wave",
        "a row of an application stands twice",
        applied,
        added(50),
        frames(lambda f: f.drop_duplicates(ignore_index=True)),
        (Found("duplicate_unit_wave.application", (50, 97), ("person_id", "wave")),),
    ),
    Entry(
        "several_applications",
        "a loser applied again and lost again",
        applied,
        again(1),
        kept(lambda f: f["application"] == 1),
        (Found("several_applications", (*rows_of(1), 97, 98, 99)),),
        beside=LOTTERY_AGAIN,
    ),
    Entry(
        "wave_gap",
        "the second interview of a person was lost in a merge",
        monthly,
        without(50),
        frames(not_reached_row),
        (Found("wave_gap", (49, 50), ("person_id", "wave")),),
    ),
    Entry(
        "empty_row",
        "a spreadsheet left a person and a wave behind, and nothing else",
        monthly,
        emptied(51),
        without(51),
        (Found("empty_row", (51,)),),
    ),
    Entry(
        "empty_row_not_reached",
        "a row for an interview that did not take place, and nothing says so",
        monthly,
        emptied(50),
        reached_not(50),
        (Found("empty_row", (50,)),),
    ),
    edit(
        "ids_alike",
        "one person's id is in small letters in the last wave",
        "person_id",
        "syn-000003",
        (9,),
        "SYN-000003",
        of=rows_of(3),
    ),
    edit(
        "missing_cluster",
        "two people have no household",
        "household",
        None,
        rows_of(31, 32),
        "H16",
        columns=("household",),
    ),
)

ROLES = (
    edit("non_numeric_role", "calls with a word", "attempts", "1 kali", (33,), 1),
    edit("non_numeric_answer", "'ya'", "responded", "ya", (33,), 1, "non_numeric_role.yes_no"),
    edit(
        "non_numeric_cohort",
        "'never' for no cohort",
        "cohort",
        "never",
        rows_of(1),
        0,
        "non_numeric_role.cohort",
        start=numbered,
    ),
    Entry(
        "offer_one_and_two",
        "winners are 1 and losers 2",
        monthly,
        frames(lambda f: f.assign(selected=2 - f["selected"])),
        frames(lambda f: f.assign(selected=2 - f["selected"])),
        (Found("not_binary", rows_of(*range(1, 33, 2)), ("selected",)),),
    ),
    edit("not_binary", "a 9 in receipt", "trained", 9, (6,), 1, columns=("trained",)),
    Entry(
        "probability_range",
        "odds in per cent",
        monthly,
        cells("odds", 50, ALL),
        frames(lambda f: f.assign(odds=f["odds"] / 100)),
        (Found("probability_range", ALL, ("odds",)),),
    ),
    edit(
        "cohort_range", "minus infinity for never", "cohort", "-inf", rows_of(1), 0, start=numbered
    ),
    edit("negative_weight", "-9 for no weight", "weight", -9, rows_of(5), 2.0),
    edit("infinite_weight", "a weight over 0", "weight", "inf", rows_of(5), 2.0, "negative_weight"),
    edit("zero_weight", "0 for no weight", "weight", 0, rows_of(5), 2.0, columns=("weight",)),
    edit(
        "negative_application",
        "-1 for an application",
        "application",
        -1,
        rows_of(1),
        1,
        start=applied,
    ),
    edit("negative_attempts", "-1 for calls", "attempts", -1, (3,), 3),
    changing("offer", "selected", 1, 0),
    changing("block", "province", "Jambi", "Bali"),
    changing("cohort", "cohort", 202108, 0, start=numbered),
    changing("probability", "odds", 0.4, 0.5),
    changing("household", "household", "H99", "H02"),
    changing("psu", "psu", "P99", "P1"),
    changing("cluster", "village", "V99", "V1", start=applied),
    changing("weight", "weight", 2.5, 1.5),
)

LOTTERY = (
    Entry(
        "empty_arm",
        "the winners of batch 6 are not in the file",
        monthly,
        kept(lambda f: (f["batch"] != 6) | (f["selected"] == 0)),
        kept(lambda f: f["batch"] != 6),
        (Found("empty_arm", tuple(range(73, 85)), ("selected", "batch", "province")),),
    ),
    Entry(
        "empty_arm_no_blocks",
        "only winners are in the file",
        lambda: monthly().named(blocks=(), probability=None),
        kept(lambda f: f["selected"] == 1),
        fresh,
        (Found("empty_arm.no_blocks", tuple(range(1, 49)), ("selected",)),),
    ),
    Entry(
        "singleton_arm",
        "one winner of batch 6 is left",
        monthly,
        without(*rows_of(28, 30, 32)),
        named(blocks=("province",)),
        (Found("singleton_arm", (76, 77, 78), ("selected", "batch", "province")),),
    ),
    edit(
        "household_winners",
        "the codes of households begin anew in each hamlet",
        "household",
        "H01",
        rows_of(1, 2, 3, 4, 5, 6),
        [h for h in ("H01", "H02", "H03") for _ in range(6)],
        of=rows_of(2, 4, 6),
        columns=("selected", "household"),
    ),
    Entry(
        "winner_applies_again",
        "a winner has a second application",
        applied,
        again(2),
        kept(lambda f: f["application"] == 1),
        (Found("winner_applies_again", (97, 98, 99), ("application", "selected")),),
        beside={
            **LOTTERY_AGAIN,
            "several_applications": "a winner who applies again has several applications",
        },
    ),
    Entry(
        "odds_against_stated",
        "odds divided by a hundred once too often",
        monthly,
        cells("odds", 0.005, ALL),
        cells("odds", 0.5, ALL),
        (Found("odds_against_stated", ALL, ("selected", "odds")),),
    ),
    Entry(
        "cluster_crosses_blocks",
        "the codes of sampling units begin anew in each block",
        monthly,
        frames(lambda f: f.assign(psu=([*["P1"] * 12, *["P2"] * 12] * 4))),
        frames(lambda f: f.assign(psu=f["batch"].astype(str) + f["province"] + panel()["psu"])),
        (Found("cluster_crosses_blocks", ALL, ("psu",)),),
    ),
)

TIMING = (
    Entry(
        "treated_at_baseline",
        "the baseline named is a wave in which people were trained",
        lambda: monthly().named(baseline="2021-02"),
        same,
        named(baseline="2020-07"),
        (Found("treated_at_baseline", tuple(3 * k - 1 for k in TAKERS), ("trained",)),),
    ),
    Entry(
        "treated_at_baseline_cohort",
        "the baseline named is the first treated wave",
        lambda: numbered().named(baseline=202102, received=None),
        same,
        named(baseline=202007),
        (Found("treated_at_baseline.cohort", rows_of(*TAKERS), ("cohort",)),),
    ),
    edit(
        "cohort_against_receipt",
        "the cohort of a person is a later wave than the first receipt",
        "cohort",
        202108,
        rows_of(2),
        202102,
        start=numbered,
        columns=("cohort", "trained"),
    ),
    edit(
        "cohort_without_receipt",
        "a person without receipt has a cohort",
        "cohort",
        202102,
        rows_of(1),
        0,
        start=numbered,
    ),
    edit(
        "cohort_no_wave",
        "the cohort is the month of training, not a wave",
        "cohort",
        202012,
        rows_of(*TAKERS),
        202102,
        start=numbered,
        columns=("cohort",),
    ),
    edit(
        "treated_before_programme",
        "receipt in February 2020",
        "trained",
        1,
        (4,),
        0,
        start=lambda: early(monthly()),
        columns=("trained",),
    ),
    edit(
        "treated_before_batch",
        "receipt in July 2020 of someone in a batch of August 2020",
        "trained",
        1,
        (4,),
        0,
        start=lambda: monthly().named(baseline=None),
        columns=("batch", "trained"),
    ),
    edit("receipt_switches_off", "receipt ends", "trained", 0, (6,), 1, columns=("trained",)),
)
