"""What is wrong with the data? Every fault at once, with its count, its rows and its remedy."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from prakerja_eval.errors import DataError
from prakerja_eval.panel.roles import Roles
from prakerja_eval.typing import BoolArray

ROWS_SHOWN = 5
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
class Fault:
    """One kind of fault.

    Attributes
    ----------
    code : str
        Short name, the same in every language and version.
    message : str
        What is wrong and where.
    remedy : str
        How to mend it.
    columns : tuple of str
        The columns concerned.
    rows : tuple of int
        Row numbers of the data, from 1 without the header.
    """

    code: str
    message: str
    remedy: str
    columns: tuple[str, ...]
    rows: tuple[int, ...]

    @property
    def count(self) -> int:
        """Return the number of rows concerned."""
        return len(self.rows)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Check:
    """The faults of a panel; empty, and false, where there are none.

    Attributes
    ----------
    faults : tuple of Fault
    """

    faults: tuple[Fault, ...]

    def __bool__(self) -> bool:
        return bool(self.faults)

    def __len__(self) -> int:
        return len(self.faults)

    @property
    def frame(self) -> pd.DataFrame:
        """Return a row a fault: code, columns, count, first rows, message, remedy."""
        rows = [
            {
                "code": f.code,
                "columns": ", ".join(f.columns),
                "count": f.count,
                "rows": _row_list(f.rows),
                "message": f.message,
                "remedy": f.remedy,
            }
            for f in self.faults
        ]
        return pd.DataFrame(rows, columns=["code", "columns", "count", "rows", "message", "remedy"])

    def __repr__(self) -> str:
        if not self.faults:
            return "No faults found."
        lines = [f"{len(self.faults)} fault(s) in the data:"]
        for fault in self.faults:
            lines += [f"- {fault.message} (rows {_row_list(fault.rows)})", f"  {fault.remedy}"]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        if not self.faults:
            return "<p>No faults found.</p>"
        return f"<p>{len(self.faults)} fault(s)</p>{self.frame.to_html(index=False, border=0)}"

    def about(self, lottery: bool) -> "Check":
        """Return the faults that concern a design; an arm missing in a block only a lottery's."""
        return self if lottery else Check(tuple(f for f in self.faults if f.code != "empty_arm"))

    def raise_if_any(self) -> None:
        """Raise every fault at once.

        Raises
        ------
        DataError
            If there is a fault.
        """
        if self.faults:
            raise DataError(repr(self))


def _row_list(rows: Sequence[int]) -> str:
    shown = ", ".join(map(str, rows[:ROWS_SHOWN]))
    return shown if len(rows) <= ROWS_SHOWN else f"{shown} and {len(rows) - ROWS_SHOWN} more"


def find_faults(frame: pd.DataFrame, roles: Roles, outcomes: Sequence[str]) -> Check:
    """Return every fault of a long table under its roles, in one pass.

    Parameters
    ----------
    frame : DataFrame
        Long data, a row a unit and wave.
    roles : Roles
        Their columns exist.
    outcomes : sequence of str
        Columns that must be numeric; every other numeric column must at least be finite.
    """
    rules: tuple[Callable[[pd.DataFrame, Roles], Iterator[Fault]], ...] = (
        _missing_values,
        _duplicates,
        _role_values,
        _varying,
        _empty_arms,
    )
    faults = [fault for rule in rules for fault in rule(frame, roles)]
    faults += _outcome_values(frame, roles, outcomes)
    return Check(tuple(faults))


def _fault(
    bad: BoolArray, code: str, columns: Sequence[str], message: str, remedy: str
) -> Iterator[Fault]:
    """Give a fault if any row is bad; ``{n}`` in the message is the number of rows."""
    rows = np.flatnonzero(bad) + 1
    if len(rows):
        found = message.replace("{n}", str(len(rows)), 1)
        yield Fault(code, found, remedy, tuple(columns), tuple(int(r) for r in rows))


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


def to_number(column: pd.Series) -> np.ndarray:
    """Return a column as float64, NaN where it holds no number (a date is none)."""
    if column.dtype.kind in "mMc" or isinstance(column.dtype, pd.PeriodDtype):
        return np.full(len(column), np.nan)
    values = pd.to_numeric(column, errors="coerce")
    return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))


def block_labels(frame: pd.DataFrame, roles: Roles) -> np.ndarray:
    """Return the block of each row as text; one block where Roles names none."""
    if not roles.blocks:
        return np.full(len(frame), "all", dtype=object)
    text = as_text(frame[roles.blocks[0]])
    for column in roles.blocks[1:]:
        pairs = zip(text, as_text(frame[column]), strict=True)
        text = np.array([None if None in p else f"{p[0]} / {p[1]}" for p in pairs], dtype=object)
    return text


def as_text(column: pd.Series) -> np.ndarray:
    """Return a column's labels as text, None where missing; each distinct label is written once."""
    codes, labels = pd.factorize(column, use_na_sentinel=True)
    texts = np.array([*(plain_text(v) for v in labels), None], dtype=object)
    return np.asarray(texts[codes])


def plain_text(value: object) -> str:
    """Write a label without the decimal that a float column gives a whole number."""
    if isinstance(value, float | np.floating) and value.is_integer():
        return str(int(value))
    return str(value)
