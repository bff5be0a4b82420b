"""Where do the names stand in a text file, and what stands between its cells?"""

import csv
import io
import re
from dataclasses import dataclass
from itertools import islice

from prakerja_eval.errors import DataError
from prakerja_eval.panel.options import DELIMITERS, ReadOptions
from prakerja_eval.panel.readers.header import refuse_data
from prakerja_eval.panel.table import Note

SAMPLE = 1 << 20
RECORDS = 50
WORDS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
OPTION = {",": "','", ";": "';'", "\t": "'tab'", "|": "'|'"}
SEP_LINE = re.compile(
    rb'"?sep=([,;\t|])"?\n', re.IGNORECASE
)  # the first line of some Excel exports


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a text file is laid out.

    Attributes
    ----------
    delimiter : str
        Between the cells.
    names : tuple of str
        As they stand in the file, without blanks around them.
    nameless : tuple of str
        Those of ``names`` that were made up for columns without one.
    start : int
        Byte at which the first row after the names starts.
    notes : tuple of Note
    """

    delimiter: str
    names: tuple[str, ...]
    nameless: tuple[str, ...]
    start: int
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class _Layout:
    """The first records of a file under one delimiter."""

    header: tuple[str, ...]
    lines: int
    rows: tuple[tuple[str, ...], ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """Return the number of cells of each record."""
        return tuple(map(len, self.rows))

    @property
    def share(self) -> float:
        """Return the share of records with as many cells as the header; 1 without records."""
        if not self.counts:
            return 1.0
        return sum(c == len(self.header) for c in self.counts) / len(self.counts)


def dialect_of(data: bytes, options: ReadOptions, name: str) -> Dialect:
    """Find out the layout of a UTF-8 text, or take it as told.

    Parameters
    ----------
    data : bytes
        With lines ended by newlines.
    options : ReadOptions
        ``delimiter`` and ``header`` are used.
    name : str
        Of the file, for messages.

    Raises
    ------
    DataError
        If no delimiter fits, or two fit equally, or the row of names is not there.
    """
    told = options.delimiter and options.delimiter.replace("tab", "\t")
    offset = 0
    line = SEP_LINE.match(data[:16])
    if line is not None:
        offset = line.end()
        told = told or line[1].decode()
    complete = len(data) - offset <= SAMPLE
    sample = data[offset : offset + SAMPLE].decode("utf-8", "ignore")
    layouts = {
        mark: layout
        for mark in DELIMITERS
        if (layout := _layout(sample, mark, options.header, complete)) is not None
    }
    one = all(len(layout.header) == 1 for layout in layouts.values())
    if not layouts or (one and len(layouts) < len(DELIMITERS)):
        raise DataError(
            f"{name!r} has no row of names where header={options.header} says, or a quotation "
            "mark in it is not closed. Name header= as the row in which the names stand."
        )
    delimiter = _told(told, layouts, name) if told else _found(layouts, name)
    layout = layouts[delimiter]
    for _ in range(layout.lines):
        found = data.find(b"\n", offset)
        offset = len(data) if found < 0 else found + 1
    header = tuple(" ".join(cell.split()) for cell in layout.header)
    refuse_data(header, layout.rows, options.drop, name)
    names, nameless, notes = _tidy(layout.header, options.drop, name)
    if delimiter != "," and options.delimiter is None:
        said = f"The cells are separated by {WORDS[delimiter]}. Name delimiter= if not."
        notes = (Note("delimiter", said), *notes)
    return Dialect(delimiter, names, nameless, offset, notes)


def _layout(sample: str, mark: str, header: int, complete: bool) -> _Layout | None:
    """Read the first records under a delimiter; None where no header is found."""
    lines = io.StringIO(sample, newline="\n")
    try:
        reader = csv.reader(lines, delimiter=mark)
        names: list[str] = next(islice(reader, header - 1, None), [])
        while not any(cell.strip() for cell in names):
            names = next(reader)
        used = reader.line_num
        records = [r for r in islice(reader, RECORDS + 1) if any(c.strip() for c in r)]
    except (csv.Error, StopIteration, ValueError, TypeError):
        return None
    if not records and any("\n" in cell for cell in names):
        return None  # an open quotation mark among the names swallows the rest
    if len(records) <= RECORDS and not complete:
        records = records[:-1]  # it may be cut
    return _Layout(tuple(names), used, tuple(map(tuple, records[:RECORDS])))


def _told(told: str, layouts: dict[str, _Layout], name: str) -> str:
    """Take the delimiter that was named, unless the header shows that it is another."""
    if told not in layouts:
        raise DataError(f"{name!r} cannot be split at {WORDS[told]}; name another delimiter=.")
    if len(layouts[told].header) == 1:
        for mark, layout in layouts.items():
            if len(layout.header) > 1:
                raise DataError(
                    f"{name!r} is not separated by {WORDS[told]}: its header reads as one "
                    f"column. It looks separated by {WORDS[mark]}; name delimiter={OPTION[mark]}."
                )
    return told


def _found(layouts: dict[str, _Layout], name: str) -> str:
    """Return the only delimiter that fits best."""
    shares = {mark: x.share for mark, x in layouts.items() if len(x.header) > 1}
    if not shares:
        mark = next(iter(layouts))
        _refuse_blanks(layouts[mark].header, name)
        return mark
    best = [mark for mark, share in shares.items() if share == max(shares.values())]
    if len(best) > 1:
        either = " or ".join(WORDS[m] for m in best)
        options = " or ".join(f"delimiter={OPTION[m]}" for m in best)
        raise DataError(f"{name!r} could be separated by {either}; name {options}.")
    return best[0]


def _refuse_blanks(header: tuple[str, ...], name: str) -> None:
    """Refuse a header of one name that looks like several between blanks."""
    if len(header[0].split()) > 2:
        raise DataError(
            f"{name!r} is not separated by commas, semicolons, tabs or bars: its header reads as "
            "one column. Export it with one of these, or name header= if the names stand in a "
            "later row."
        )


def _tidy(
    header: tuple[str, ...], drop: tuple[str, ...], name: str
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[Note, ...]]:
    """Strip the names, name the nameless (given apart too), refuse two of one name."""
    stripped = [" ".join(cell.split()) for cell in header]
    twice = sorted({s for s in stripped if s and s not in drop and stripped.count(s) > 1})
    if twice:
        raise DataError(f"{name!r} has two columns named {twice[0]!r}; rename or drop one of them.")
    padded = tuple(
        s for s, cell in zip(stripped, header, strict=True) if s and s != cell and s not in drop
    )
    said = f"Blanks were taken off the names of {len(padded)} column(s)."
    notes = (Note("names", said, padded),) if padded else ()
    names: list[str] = []
    nameless: list[str] = []
    for position, found in enumerate(stripped, start=1):
        chosen = found or f"column_{position}"
        while not found and chosen in stripped:
            chosen += "_"
        names.append(chosen)
        nameless += [] if found else [chosen]
    return tuple(names), tuple(nameless), notes
