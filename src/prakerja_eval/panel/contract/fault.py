"""What is a fault, and what does a list of them say? Found by rules, worded by faults.toml."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import pandas as pd

from prakerja_eval.errors import DataError

Severity: TypeAlias = Literal["error", "warning"]

ROWS_SHOWN = 5
ROWS_ARE = "Row numbers count the rows of data below the names, from 1; blank lines do not count."
ROWS_IN_JSON = 1_000
COLUMNS = (
    "severity",
    "code",
    "columns",
    "count",
    "rows",
    "message",
    "why",
    "remedy",
    "designs",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault.

    Attributes
    ----------
    code : str
        Short name, the same in every language and version.
    severity : {"error", "warning"}
        An error stops every estimator that it concerns; a warning is said, and nothing stops.
    designs : tuple of str
        The designs concerned ("lottery", "did", "matching"); empty where it concerns all.
    message : str
        What is wrong and where, without a cell of an id column.
    why : str
        What goes wrong in an estimate if it stays.
    remedy : str
        How to mend it.
    columns : tuple of str
        The columns concerned.
    rows : tuple of int
        Row numbers of the data, from 1 without the header.
    """

    code: str
    severity: Severity
    designs: tuple[str, ...]
    message: str
    why: str
    remedy: str
    columns: tuple[str, ...]
    rows: tuple[int, ...]

    @property
    def count(self) -> int:
        """Return the number of rows concerned."""
        return len(self.rows)

    def concerns(self, design: str) -> bool:
        """Say whether the fault matters for a design."""
        return not self.designs or design in self.designs


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Check:
    """The faults of a panel, errors first; empty, and false, where there are none.

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
    def errors(self) -> tuple[Fault, ...]:
        """Return the faults that stop an estimator."""
        return tuple(f for f in self.faults if f.severity == "error")

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """Return the faults that are only said."""
        return tuple(f for f in self.faults if f.severity == "warning")

    @property
    def frame(self) -> pd.DataFrame:
        """Return a row a fault, with the first of its row numbers."""
        rows = [
            {
                "severity": f.severity,
                "code": f.code,
                "columns": ", ".join(f.columns),
                "count": f.count,
                "rows": row_list(f.rows),
                "message": f.message,
                "why": f.why,
                "remedy": f.remedy,
                "designs": ", ".join(f.designs) or "all",
            }
            for f in self.faults
        ]
        return pd.DataFrame(rows, columns=list(COLUMNS))

    @property
    def records(self) -> list[dict[str, object]]:
        """Return a plain dict a fault, for JSON, with up to 1,000 row numbers each."""
        return [
            {
                "code": f.code,
                "severity": f.severity,
                "designs": list(f.designs),
                "columns": list(f.columns),
                "count": f.count,
                "rows": list(f.rows[:ROWS_IN_JSON]),
                "rows_complete": f.count <= ROWS_IN_JSON,
                "message": f.message,
                "why": f.why,
                "remedy": f.remedy,
            }
            for f in self.faults
        ]

    def json(self) -> str:
        """Return the faults as JSON text."""
        return json.dumps(self.records, ensure_ascii=False, indent=2)

    def __repr__(self) -> str:
        if not self.faults:
            return "No faults found."
        lines = [
            f"{len(self)} fault(s) in the data: {len(self.errors)} error(s), "
            f"{len(self.warnings)} warning(s)."
        ]
        for fault in self.faults:
            lines += [
                f"- {fault.severity}: {fault.message} (rows {row_list(fault.rows)})",
                f"  Why it matters: {fault.why}",
                f"  Remedy: {fault.remedy}",
            ]
        return "\n".join([*lines, ROWS_ARE])

    def _repr_html_(self) -> str:
        if not self.faults:
            return "<p>No faults found.</p>"
        head = f"{len(self.errors)} error(s), {len(self.warnings)} warning(s)"
        return f"<p>{head}. {ROWS_ARE}</p>{self.frame.to_html(index=False, border=0)}"

    def about(self, *designs: str) -> "Check":
        """Return the faults that concern every design, or one of those named."""
        return Check(
            tuple(f for f in self.faults if not f.designs or any(map(f.concerns, designs)))
        )

    def without(self, *codes: str) -> "Check":
        """Return the faults but for those with one of the codes."""
        return Check(tuple(f for f in self.faults if f.code not in codes))

    def only(self, *codes: str) -> "Check":
        """Return the faults with one of the codes."""
        return Check(tuple(f for f in self.faults if f.code in codes))

    def raise_if_any(self) -> None:
        """Raise every error at once; warnings do not stop.

        Raises
        ------
        DataError
            If there is an error.
        """
        if self.errors:
            raise DataError(repr(Check(self.errors)))


def row_list(rows: Sequence[int]) -> str:
    """Write the first row numbers, and how many more there are."""
    shown = ", ".join(map(str, rows[:ROWS_SHOWN]))
    return shown if len(rows) <= ROWS_SHOWN else f"{shown} and {len(rows) - ROWS_SHOWN} more"
