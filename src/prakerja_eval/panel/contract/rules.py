"""What is wrong with the data? Every fault at once, with its count, its rows and its remedy."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from prakerja_eval.panel.contract.fault import ROWS_SHOWN, Check, Fault
from prakerja_eval.panel.roles import Roles
from prakerja_eval.panel.table import Table
from prakerja_eval.panel.values import as_text, to_number
from prakerja_eval.typing import BoolArray

CONSTANT_ROLES = (
    "offer",
    "blocks",
    "cohort",
    "household",
    "psu",
    "probability",
    "clusters",
    "weight",
)
BINARY_ROLES = ("offer", "received", "responded")
NUMERIC_ROLES = (*BINARY_ROLES, "cohort", "probability", "weight", "application", "attempts")
FILLED_ROLES = ("unit", "wave", "offer", "blocks", "cohort", "received", "weight", "probability")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a check is asked about beside the roles.

    Attributes
    ----------
    outcomes : tuple of str
        Columns of the table that must hold numbers that vary.
    covariates : tuple of str
        As estimators take them ("age", "income@2020", "age^2").
    money : tuple of str
        Columns of amounts, beside those whose names say so.
    """

    outcomes: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    money: tuple[str, ...] = ()


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
    """
    frame = table.frame
    rules: tuple[Callable[[pd.DataFrame, Roles], Iterator[Fault]], ...] = (
        _missing_values,
        _duplicates,
        _role_values,
        _varying,
        _empty_arms,
    )
    faults = [fault for rule in rules for fault in rule(frame, roles)]
    faults += _outcome_values(frame, roles, asked.outcomes)
    return Check(tuple(faults))


def _fault(
    bad: BoolArray, code: str, columns: Sequence[str], message: str, remedy: str
) -> Iterator[Fault]:
    """Give a fault if any row is bad; ``{n}`` in the message is the number of rows."""
    rows = np.flatnonzero(bad) + 1
    if len(rows):
        found = message.replace("{n}", str(len(rows)), 1)
        designs = ("lottery",) if code == "empty_arm" else ()
        at = tuple(int(r) for r in rows)
        yield Fault(code, "error", designs, found, "", remedy, tuple(columns), at)


def _missing_values(frame: pd.DataFrame, roles: Roles) -> Iterator[Fault]:
    named = roles.columns()
    for role in FILLED_ROLES:
        for column in named.get(role, ()):
            yield from _fault(
                frame[column].isna().to_numpy(),
                "missing_role",
                [column],
                f"{{n}} rows have no value in {column!r}, the {role} column",
                "Fill the value in, or leave these rows out; for a cohort write 0 for never.",
            )


def _duplicates(frame: pd.DataFrame, roles: Roles) -> Iterator[Fault]:
    keys = [roles.unit] if roles.wave is None else [roles.unit, roles.wave]
    yield from _fault(
        frame.duplicated(keys, keep=False).to_numpy(),
        "duplicate_unit_wave",
        keys,
        "{n} rows share a unit and wave with another row",
        "Keep one row a unit and wave; if these are waves, name the column in Roles(wave=...).",
    )


def _role_values(frame: pd.DataFrame, roles: Roles) -> Iterator[Fault]:
    named = roles.columns()
    for role in NUMERIC_ROLES:
        for column in named.get(role, ()):
            values = to_number(frame[column])
            yield from _fault(
                np.isnan(values) & frame[column].notna().to_numpy(),
                "non_numeric_role",
                [column],
                f"{{n}} rows have no number in {column!r}, the {role} column",
                "Write numbers with a decimal point, and nothing else in the cell.",
            )
            yield from _range(values, role, column)


def _range(values: np.ndarray, role: str, column: str) -> Iterator[Fault]:
    """Check the range of a numeric role."""
    known = ~np.isnan(values)
    if role in BINARY_ROLES:
        bad, code, want = known & (values != 0) & (values != 1), "not_binary", "0 or 1"
    elif role == "probability":
        bad, code, want = known & ((values <= 0) | (values >= 1)), "probability_range", "in (0, 1)"
    elif role == "cohort":
        bad, code, want = known & (values == -np.inf), "cohort_range", "a wave, or 0 for never"
    else:
        bad = known & ((values < 0) | np.isinf(values))
        code, want = f"negative_{role}", "finite and zero or more"
    yield from _fault(
        bad,
        code,
        [column],
        f"{{n}} rows have a value in {column!r}, the {role} column, that is not {want}",
        f"Correct them: {column!r} must be {want}.",
    )


def _varying(frame: pd.DataFrame, roles: Roles) -> Iterator[Fault]:
    named = roles.columns()
    for role in CONSTANT_ROLES:
        for column in named.get(role, ()):
            counts = frame.groupby(roles.unit, sort=False)[column].nunique(dropna=True)
            bad = frame[roles.unit].isin(counts.index[counts > 1]).to_numpy()
            word = {"blocks": "block", "clusters": "cluster"}.get(role, role)
            yield from _fault(
                bad,
                f"varying_{word}",
                [roles.unit, column],
                f"{{n}} rows belong to units whose {word} ({column!r}) changes between waves",
                "A unit has one value over all its waves: keep the first application, or make each "
                "application a unit of its own and cluster by person.",
            )


def _empty_arms(frame: pd.DataFrame, roles: Roles) -> Iterator[Fault]:
    if roles.offer is None:
        return
    offer = to_number(frame[roles.offer])
    blocks = block_labels(frame, roles)
    arms = pd.DataFrame({"block": blocks, "offer": offer}).dropna()
    both = arms.groupby("block")["offer"].nunique()
    lone = both.index[both < 2]
    names = ", ".join(map(str, lone[:ROWS_SHOWN]))
    if roles.blocks:
        message = f"{{n}} rows lie in {len(lone)} blocks with winners or losers only: {names}"
    else:
        message = f"all {{n}} rows are in one arm of {roles.offer!r}"
    yield from _fault(
        np.isin(blocks, lone) & ~np.isnan(offer),
        "empty_arm",
        [roles.offer, *roles.blocks],
        message,
        "A comparison needs both arms in each block: leave these blocks out with where(), or "
        "merge them with neighbours that had the same odds.",
    )


def _outcome_values(frame: pd.DataFrame, roles: Roles, outcomes: Sequence[str]) -> list[Fault]:
    role_columns = {c for columns in roles.columns().values() for c in columns}
    numeric = [c for c in frame.columns if pd.api.types.is_numeric_dtype(frame[c])]
    faults: list[Fault] = []
    for column in dict.fromkeys([*outcomes, *(c for c in numeric if c not in role_columns)]):
        values = to_number(frame[column])
        faults += _fault(
            np.isnan(values) & frame[column].notna().to_numpy(),
            "non_numeric_outcome",
            [column],
            f"{{n}} rows have no number in the outcome {column!r}",
            "Write numbers with a decimal point; leave the cell empty where nothing was observed.",
        )
        faults += _fault(
            np.isinf(values),
            "infinite_value",
            [column],
            f"{{n}} rows have an infinite value in {column!r}",
            "Leave the cell empty where nothing was observed.",
        )
    return faults


def block_labels(frame: pd.DataFrame, roles: Roles) -> np.ndarray:
    """Return the block of each row as text; one block where Roles names none."""
    if not roles.blocks:
        return np.full(len(frame), "all", dtype=object)
    text = as_text(frame[roles.blocks[0]])
    for column in roles.blocks[1:]:
        pairs = zip(text, as_text(frame[column]), strict=True)
        text = np.array([None if None in p else f"{p[0]} / {p[1]}" for p in pairs], dtype=object)
    return text
