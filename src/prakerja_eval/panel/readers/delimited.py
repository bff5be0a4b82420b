"""What do the cells of a text file say? Its encoding and delimiter, found out or told."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from prakerja_eval.errors import DataError, UsageError
from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.readers.dates import normalise_dates
from prakerja_eval.panel.readers.dialect import Dialect, dialect_of
from prakerja_eval.panel.readers.encoding import utf8_of
from prakerja_eval.panel.readers.numbers import read_cells
from prakerja_eval.panel.table import Note, Table, Variable

LAST = "\x1fthe last row\x1f"  # written after the data: an open quotation mark would swallow it
BLOCK = 1 << 24
BLANK = " \t\x1a"  # a line of these is no row; the last one ended files of old systems


def read_delimited(path: Path, options: ReadOptions, text: frozenset[str]) -> Table:
    """Read a delimited text file.

    Parameters
    ----------
    path : Path
        Of an existing file.
    options : ReadOptions
    text : frozenset of str
        Columns whose cells are text whatever they look like; only an empty cell is missing there.

    Raises
    ------
    DataError
        If the file is not text, its layout is not clear, a row has too many cells or too few, or
        numbers could be read in two ways; with the option that settles it.
    UsageError
        If an option names an encoding that is not known, or every column is dropped.
    """
    data, notes = utf8_of(path, options)
    dialect = dialect_of(data, options, path.name)
    gone = tuple(n for n in dialect.names if n in options.drop)
    dropped = (Note("dropped", f"left out, as asked: {', '.join(gone)}.", gone),) if gone else ()
    cells, more = _name_nameless(_cells(data, dialect, options, path.name), dialect.nameless)
    frame, reasons, numbers, marks = read_cells(cells, options, text)
    frame, dates = normalise_dates(frame, options, text)
    said = (*notes, *dialect.notes, *dropped, *more, *numbers, *dates)
    return Table(frame, _codebook(reasons), reasons, said, marks=marks)


def _codebook(reasons: pd.DataFrame | None) -> dict[str, Variable]:
    """Return the reasons that occur, without a meaning: a text file names none."""
    if reasons is None:
        return {}
    codes = {c: sorted(reasons[c].dropna().unique()) for c in reasons.columns}
    return {c: Variable(missing=dict.fromkeys(found, "")) for c, found in codes.items()}


def _cells(
    data: bytes, dialect: Dialect, options: ReadOptions, name: str
) -> dict[str, pa.ChunkedArray]:
    """Return every column that is not dropped, as text."""
    names = list(dialect.names)
    kept = [n for n in names if n not in options.drop]
    if not kept:
        raise UsageError(f"drop= leaves no column of {name!r}.")
    last = dialect.delimiter.join([LAST] * len(names)).encode()
    source = data[dialect.start :] + b"\n" + last + b"\n"
    table, bad = _parsed(source, dialect, kept)
    if bad is not None:
        raise DataError(_ragged(bad, dialect, name))
    if table is None:
        raise DataError(_open_quote(name, None))
    rows = table.num_rows - 1
    if rows < 0 or any(column[rows].as_py() != LAST for column in table.columns):
        raise DataError(_open_quote(name, rows + 1))
    if rows == 0:
        raise DataError(f"{name!r} has names and no rows. Export it again.")
    return dict(zip(kept, table.slice(0, rows).columns, strict=True))


def _parsed(
    source: bytes, dialect: Dialect, kept: list[str]
) -> tuple[pa.Table | None, pacsv.InvalidRow | None]:
    """Return the cells, or the first row that has too many or too few, or neither."""
    names = list(dialect.names)
    bad: list[pacsv.InvalidRow] = []

    def stop(row: pacsv.InvalidRow) -> str:
        if not row.text.strip(BLANK):
            return "skip"
        bad.append(row)
        return "error"

    try:
        table = pacsv.read_csv(
            pa.BufferReader(source),
            pacsv.ReadOptions(use_threads=False, column_names=names, block_size=BLOCK),
            pacsv.ParseOptions(
                delimiter=dialect.delimiter,
                newlines_in_values=b'"' in source,
                invalid_row_handler=stop,
            ),
            pacsv.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=kept,
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:  # its text shows cells: it is not passed on
        return None, bad[0] if bad else None
    return table, None


def _open_quote(name: str, row: int | None) -> str:
    where = "" if row is None else f", in row {row} or before it"
    return (
        f'{name!r} cannot be read: a quotation mark (") is opened and not closed{where}. Close '
        "it, or export the file again."
    )


def _ragged(row: pacsv.InvalidRow, dialect: Dialect, name: str) -> str:
    """Say which row has too many or too few cells."""
    if LAST in row.text:
        return _open_quote(name, row.number)
    hints = ["Mend the row, or name delimiter= or header=."]
    if row.actual_columns > row.expected_columns and dialect.delimiter == ",":
        hints.append("Numbers with decimal commas need quotation marks or another delimiter.")
    if row.number == 1 and row.actual_columns == row.expected_columns + 1:
        hints.append("If the first column has no name (as R writes row names), write one.")
    return (
        f"{name!r} cannot be read: row {row.number} below the names has {row.actual_columns} "
        f"cell(s), and there are {row.expected_columns} name(s). {' '.join(hints)}"
    )


def _name_nameless(
    cells: dict[str, pa.ChunkedArray], nameless: tuple[str, ...]
) -> tuple[dict[str, pa.ChunkedArray], tuple[Note, ...]]:
    """Leave out the columns that have neither a name nor a cell, and note the others."""
    present = [c for c in nameless if c in cells]
    empty = [
        c for c in present if len(cells) > 1 and not pc.any(pc.not_equal(cells[c], "")).as_py()
    ]
    named = tuple(c for c in present if c not in empty)
    notes: list[Note] = []
    if named:
        said = f"Column(s) without a name were named {', '.join(named)}."
        notes.append(Note("nameless", said, named))
    if empty:
        said = f"{len(empty)} column(s) with neither a name nor a cell were left out."
        notes.append(Note("empty_columns", said))
    return {k: v for k, v in cells.items() if k not in empty}, tuple(notes)
