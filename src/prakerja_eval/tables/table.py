"""What is a table before it is HTML, CSV or LaTeX? Cells with what is shown and what is meant."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "\N{MINUS SIGN}": "$-$",
    "\N{EN DASH}": "--",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: the text a reader sees, and the value a machine reads.

    Attributes
    ----------
    shown : str
    value : str, int, float, None, or a tuple of numbers
        Text where there is no number; several numbers fill the parts of their column.
    """

    shown: str
    value: str | int | float | tuple[float | None, ...] | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes
    ----------
    key : str
        Name in the CSV file.
    label : str
        Heading in the reader's language.
    numeric : bool
        Aligned to the right.
    parts : tuple of str
        Names in the CSV file where one column shows several numbers.
    """

    key: str
    label: str
    numeric: bool = True
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """A finished table. The first column names the row.

    Attributes
    ----------
    caption : str
    columns : tuple of Column
    rows : tuple of tuple of Cell
    notes : tuple of str
        Printed under the table.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"{self.caption} ({len(self.rows)} rows)\n{self.to_csv()}"

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_html(self) -> str:
        """Return an HTML table, all text escaped; cells carry their heading for narrow screens."""
        head = "".join(
            f'<th scope="col" role="columnheader"{_class(c)}>{escape(c.label)}</th>'
            for c in self.columns
        )
        body = "\n".join(f'<tr role="row">{self._html_row(row)}</tr>' for row in self.rows)
        notes = "".join(f'<p class="note">{escape(note)}</p>' for note in self.notes)
        return (
            f'<table role="table">\n<caption>{escape(self.caption)}</caption>\n'
            f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>\n'
            f'<tbody role="rowgroup">\n{body}\n</tbody>\n</table>\n{notes}'
        )

    def to_csv(self) -> str:
        """Return CSV with full precision; text that a spreadsheet would run is disarmed."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow([csv_safe(k) for c in self.columns for k in c.parts or (c.key,)])
        for row in self.rows:
            values = (v for cell in row for v in _parts(cell.value))
            writer.writerow([csv_text(v) for v in values])
        return buffer.getvalue()

    def to_latex(self) -> str:
        """Return a booktabs table, all text escaped."""
        align = "".join("r" if c.numeric else "l" for c in self.columns)
        lines = [
            r"\begin{table}",
            rf"\caption{{{latex(self.caption)}}}",
            rf"\begin{{tabular}}{{{align}}}",
            r"\toprule",
            " & ".join(latex(c.label) for c in self.columns) + r" \\",
            r"\midrule",
            *(" & ".join(latex(cell.shown) for cell in row) + r" \\" for row in self.rows),
            r"\bottomrule",
            r"\end{tabular}",
            *(rf"\par\footnotesize {latex(note)}" for note in self.notes),
            r"\end{table}",
        ]
        return "\n".join(lines) + "\n"

    def _html_row(self, row: Sequence[Cell]) -> str:
        first, *others = zip(self.columns, row, strict=True)
        cells = [f'<th scope="row" role="rowheader">{escape(first[1].shown)}</th>']
        cells += [
            f'<td role="cell"{_class(c)} data-label="{escape(c.label)}">{escape(cell.shown)}</td>'
            for c, cell in others
        ]
        return "".join(cells)


def csv_safe(value: str) -> str:
    """Return text that no spreadsheet runs as a formula: such text gets an apostrophe in front."""
    return f"'{value}" if value.startswith(FORMULA) else value


def latex(text: str) -> str:
    """Return text in which nothing is a LaTeX command."""
    return "".join(LATEX.get(letter, letter) for letter in text)


def _class(column: Column) -> str:
    return ' class="number"' if column.numeric else ""


def _parts(
    value: str | int | float | tuple[float | None, ...] | None,
) -> tuple[str | int | float | None, ...]:
    return value if isinstance(value, tuple) else (value,)


def csv_text(value: str | int | float | None) -> str:
    """Return a value as a CSV cell: full precision, nothing for a missing number, safe text."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return csv_safe(value) if isinstance(value, str) else repr(value)
