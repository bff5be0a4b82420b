"""What did the file say? Values, what the codes mean, why a value is missing, what was assumed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from prakerja_eval.typing import IntArray

NO_NAMES: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Variable:
    """What a file says of one column beside its values.

    Attributes
    ----------
    label : str
        The variable's label; empty where there is none.
    values : mapping of str to str
        Code, as text, to its label. The codes stay the values of analysis.
    missing : mapping of str to str
        Reason code (".a", "98") to its meaning; the meaning is empty where the file names none.
    """

    label: str = ""
    values: Mapping[str, str] = field(default_factory=lambda: NO_NAMES)
    missing: Mapping[str, str] = field(default_factory=lambda: NO_NAMES)


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that was assumed, changed or set aside while the file was read.

    Attributes
    ----------
    code : str
        Short name, the same in every version: "encoding", "decimal", ...
    message : str
        A sentence that says what was assumed and, where it may be wrong, the option that says
        otherwise. It never holds a cell of an id column.
    columns : tuple of str
        The columns concerned, empty for the whole file.
    """

    code: str
    message: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """With which decimal mark the numbers of a column of text were read.

    Attributes
    ----------
    decimal : str
        "." or ",".
    unclear : bool
        Whether it says what cells such as 1.234 are.
    """

    decimal: str
    unclear: bool


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Table:
    """A file as it was read, before anyone says which column is what.

    Attributes
    ----------
    frame : DataFrame
        Index 0..n-1; unique text names. Numbers are int64 or float64 with NaN where missing, codes
        with leading zeros and other words are text (``str``), dates are ISO text ("2021-02-28",
        "2021-02", "2021Q1", "2021-02-28T13:45:00").
    codebook : mapping of str to Variable
        Of the columns of which the file says more than values.
    reasons : DataFrame
        Same index; for the columns with missing reasons alone, the reason code as text (".a",
        "98"), None where there is none. A value with a reason is missing in ``frame``.
    notes : tuple of Note
        What was assumed.
    rows : (n,) array of int, optional
        Row number in the file of each row, from 1 without the header; None for 1..n.
    marks : mapping of str to Mark
        Of the columns whose numbers were read from text with decimal marks or marks of thousands.
    """

    frame: pd.DataFrame
    codebook: Mapping[str, Variable] = field(default_factory=dict)
    reasons: pd.DataFrame | None = None
    notes: tuple[Note, ...] = ()
    rows: IntArray | None = None
    marks: Mapping[str, Mark] = field(default_factory=dict)

    def row_numbers(self) -> IntArray:
        """Return the row number in the file of each row."""
        return np.arange(1, len(self.frame) + 1) if self.rows is None else self.rows

    def reasons_or_none(self) -> pd.DataFrame:
        """Return the missing reasons; without columns where there are none."""
        if self.reasons is None:
            return pd.DataFrame(index=self.frame.index)
        return self.reasons.copy()

    def take(self, positions: IntArray) -> "Table":
        """Return some of the rows, in the order given."""
        reasons = None
        if self.reasons is not None:
            reasons = self.reasons.iloc[positions].reset_index(drop=True)
        frame = self.frame.iloc[positions].reset_index(drop=True)
        return replace(self, frame=frame, reasons=reasons, rows=self.row_numbers()[positions])
