"""How does any tidy frame become a table? A column, what kind of number it holds, its heading."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import pandas as pd

from prakerja_eval.language import Catalogue, Measure
from prakerja_eval.language.catalogue import plain
from prakerja_eval.tables.impact import interval, number
from prakerja_eval.tables.table import Cell, Column, Table

Kind: TypeAlias = Literal["text", "count", "number", "percent", "p_value", "amount", "interval"]
Row: TypeAlias = Mapping[str, object]
PLAIN = Measure("", 1.0, 2)


@dataclass(frozen=True, slots=True)
class Shown:
    """A column of a frame as a table shows it.

    Attributes
    ----------
    key : str
        Column of the frame; of an interval "low,high".
    kind : {"text", "count", "number", "percent", "p_value", "amount", "interval"}
        An amount and an interval are in the unit of the row's outcome. A missing count is hidden.
    heading : str
        In the reader's language.
    """

    key: str
    kind: Kind
    heading: str


def rows_table(
    frame: pd.DataFrame,
    columns: Sequence[Shown],
    caption: str,
    *,
    measures: Mapping[str, Measure] | None = None,
    catalogue: Catalogue | None = None,
) -> Table:
    """Return a table of the frame's rows, in their order.

    Parameters
    ----------
    frame : DataFrame
        The columns shown, and ``measured`` (a key of ``measures``) where there are amounts.
    columns : sequence of Shown
        The first names the row.
    caption : str
    measures : mapping, optional
        How amounts are shown, by the row's ``measured``.
    catalogue : Catalogue, optional
        English if left out.
    """
    words = catalogue or Catalogue.named("en")
    makers = [_maker(c, measures or {}, words) for c in columns]
    return Table(
        caption,
        tuple(
            Column(
                c.key.replace(",", "_"),
                c.heading,
                c.kind != "text",
                tuple(c.key.split(",")) if c.kind == "interval" else (),
            )
            for c in columns
        ),
        tuple(tuple(make(row) for make in makers) for row in frame.to_dict(orient="records")),
    )


def _maker(
    column: Shown, measures: Mapping[str, Measure], words: Catalogue
) -> Callable[[Row], Cell]:
    """Return how a cell of a column is made."""

    def measure(row: Row) -> Measure:
        return measures.get(str(row.get("measured")), PLAIN)

    def text(row: Row) -> Cell:
        return Cell(plain(row[column.key]), plain(row[column.key]))

    def count(row: Row) -> Cell:
        found = number(row[column.key])
        if found is None:
            return Cell(words.text("format.hidden"), None)
        return Cell(words.number(found), int(found))

    def between(row: Row) -> Cell:
        low, high = column.key.split(",")
        return interval(row[low], row[high], measure(row), words)

    def numeric(row: Row) -> Cell:
        found = number(row[column.key])
        if found is None:
            return Cell(words.text("format.missing"), None)
        return Cell(_shown(found, column.kind, measure(row), words), found)

    special = {"text": text, "count": count, "interval": between}
    return special.get(column.kind, numeric)


def _shown(value: float, kind: Kind, measure: Measure, words: Catalogue) -> str:
    """Return a number as its kind is printed."""
    if kind == "percent":
        return words.percent(value, 1)
    if kind == "p_value":
        return words.p_value(value)
    return words.shown(value, measure) if kind == "amount" else words.number(value, 2)
