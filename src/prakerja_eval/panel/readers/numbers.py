"""Which cells of text are numbers, which are missing, and why? Column by column."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from prakerja_eval.errors import DataError
from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.readers.cells import arrow_text, trimmed, without
from prakerja_eval.panel.readers.ids import POINT_ZERO_SAID, without_point_zero
from prakerja_eval.panel.readers.marks import Decimal, Evidence, decimal_marks, evidence_of
from prakerja_eval.panel.table import Mark, Note
from prakerja_eval.panel.words import suggests

TOKENS = ("NA", "N/A", "#N/A", "NaN", "nan", "NULL", "null", ".")
REASON = r"^\.[a-z]$"
INFINITE = r"(?i:inf|infinity)"
EXPONENT = r"(?:[eE][+-]?[0-9]+)?"
PLAIN = r"[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+"
GROUPS = r"[1-9][0-9]{0,2}(?:\.[0-9]{3})+(?:,[0-9]*)?|[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]*)?"
NUMBER = rf"^[+-]?(?:(?:{PLAIN}){EXPONENT}|{INFINITE})$"
GROUPED = rf"^[+-]?(?:(?:{PLAIN}|{GROUPS}){EXPONENT}|{INFINITE})$"
BLANKS = r"^[+-]?[1-9][0-9]{0,2}(?:[ \x{00a0}\x{202f}][0-9]{3})+(?:[.,][0-9]*)?$"
# 007, 08.30, a telephone number with its plus, and what float64 does not hold
CODE = r"^(?:0[0-9].*|\+[0-9]{8,}|[+-]?[0-9]{16,})$"
ZEROS = r"^0[0-9]{1,14}$"
FIRST = 50
GROUP = r"^[+-]?[1-9][0-9]{0,2}(?:[.,][0-9]{3})+$"
MARK = r"[0-9][., \x{00a0}\x{202f}][0-9]"
EXPONENTS = r"^[0-9]+[eE][0-9]+$"  # 1E2: a number, or a code
CURRENCY = r"^([+-]?)\s*(?:(?i:rp\.?|idr)\s*)?([0-9][^-]*?)(?:,--?)?$"
HAS_CURRENCY = r"^[+-]?\s*(?i:rp|idr)"


@dataclass(frozen=True, slots=True)
class _Column:
    """A column after its cells were looked at, before its marks are known.

    ``cells`` are text without the words for missing; ``kind`` is "number", "logical", "text",
    "code" or "exponent", or "zeros" for numbers of which some have leading zeros; ``tokens`` counts
    the words for missing; ``blanks``, ``currency`` and ``point_zero`` say that blanks, "Rp" or ".0"
    were taken off.
    """

    kind: str
    cells: pa.ChunkedArray
    tokens: int = 0
    blanks: bool = False
    reasons: pa.ChunkedArray | None = None
    currency: bool = False
    point_zero: bool = False


class Numbers(NamedTuple):
    """Columns of text as they were read.

    Attributes
    ----------
    frame : DataFrame
    reasons : DataFrame or None
        Of the columns with cells ``.a`` to ``.z`` beside numbers.
    notes : tuple of Note
    marks : mapping of str to Mark
        The decimal mark of the columns of numbers that have marks.
    """

    frame: pd.DataFrame
    reasons: pd.DataFrame | None
    notes: tuple[Note, ...]
    marks: Mapping[str, Mark]


def read_cells(
    cells: Mapping[str, pa.ChunkedArray],
    options: ReadOptions,
    text: frozenset[str],
) -> Numbers:
    """Read columns of text as numbers, as 0 and 1, or as text.

    Parameters
    ----------
    cells : mapping of str to ChunkedArray of str
        Columns of one length; null or an empty cell is missing.
    options : ReadOptions
        ``decimal``, ``thousands`` and ``text`` are used.
    text : frozenset of str
        Columns that stay text, with an empty cell alone missing.

    Raises
    ------
    DataError
        If numbers can be read in two ways, or contradict each other or the options.
    """
    ids = text | frozenset(options.text)
    people = text - frozenset(options.text)
    seen = {
        n: _as_text(c, n in people) if n in ids else _look(n, c, options) for n, c in cells.items()
    }
    grouped = options.thousands not in (" ", "none")
    evidence: dict[str, Evidence | None] = {
        n: evidence_of(c.cells, grouped) for n, c in seen.items() if c.kind in ("number", "zeros")
    }
    marks, notes = decimal_marks(evidence, options)
    columns = {n: _values(c, marks.get(n, "."), evidence.get(n)) for n, c in seen.items()}
    why = {
        n: c.reasons.to_pandas().astype(object) for n, c in seen.items() if c.reasons is not None
    }
    reasons = pd.DataFrame({n: w.where(w.notna(), None) for n, w in why.items()}) if why else None
    said = {n: Mark(marks[n], e.unclear) for n, e in evidence.items() if e is not None}
    return Numbers(pd.DataFrame(columns), reasons, (*_notes(seen), *notes), said)


def normalise_numbers(frame: pd.DataFrame, options: ReadOptions, text: frozenset[str]) -> Numbers:
    """Read the columns of text of a table as ``read_cells`` does; the others stay as they are.

    A column counts as text if each of its cells is a string or missing.

    Raises
    ------
    DataError
        As ``read_cells``.
    """
    cells = {n: c for n in frame.columns if (c := arrow_text(frame[n])) is not None}
    read, reasons, notes, marks = read_cells(cells, options, text)
    columns = {n: read[n].set_axis(frame.index) if n in read else frame[n] for n in frame.columns}
    if reasons is not None:
        reasons = reasons.set_axis(frame.index)
    return Numbers(pd.DataFrame(columns, index=frame.index), reasons, notes, marks)


def numbers_of(column: pd.Series, options: ReadOptions | None = None) -> Numbers:
    """Read one column of text.

    Raises
    ------
    DataError
        As ``read_cells``; the name of the column says whether it holds money.
    """
    frame = column.to_frame(str(column.name))
    return normalise_numbers(frame, options or ReadOptions(), frozenset())


def _as_text(cells: pa.ChunkedArray, ids: bool) -> _Column:
    """Keep a column as text whatever it looks like; ids without the ".0" of whole numbers."""
    cells, blanks = trimmed(cells)
    cells, point_zero = without_point_zero(cells) if ids else (cells, False)
    empty = pc.equal(cells, "")
    return _Column("text", without(cells, empty), blanks=blanks, point_zero=point_zero)


def _look(name: str, cells: pa.ChunkedArray, options: ReadOptions) -> _Column:
    """Find out what the cells of a column are."""
    if _is_plain(cells):  # a column without a gap
        return _Column(_kind(name, cells, cells, options), cells)
    cells, blanks = trimmed(cells)
    word = pc.is_in(cells, value_set=pa.array(TOKENS))
    tokens = pc.sum(word).as_py() or 0
    cells = without(cells, pc.or_(word, pc.fill_null(pc.equal(cells, ""), True)))
    numbers, reasons, currency = cells, None, False
    if not _is_plain(cells):
        reason = pc.match_substring_regex(cells, REASON)
        if pc.any(reason).as_py():
            numbers = without(cells, reason)
            reasons = without(cells, pc.invert(reason))
        numbers, currency = _as_numbers(name, numbers, options)
    if numbers is None:
        lower = pc.unique(pc.utf8_lower(cells)).drop_null().to_pylist()
        kind = "logical" if lower and set(lower) <= {"true", "false"} else "text"
        return _Column(kind, cells, tokens, blanks)
    kind = _kind(name, cells, numbers, options)
    if kind in ("code", "exponent"):
        return _Column(kind, cells, tokens, blanks)
    return _Column(kind, numbers, tokens, False, reasons, currency)


def _kind(name: str, cells: pa.ChunkedArray, numbers: pa.ChunkedArray, options: ReadOptions) -> str:
    """Say whether cells that could be numbers are numbers or codes."""
    if _all_exponents(numbers):
        return "exponent"
    codes = _codes(numbers)
    if codes is None:
        return "number"
    if not pc.any(pc.match_substring_regex(cells, MARK)).as_py():
        return "code"
    money = suggests(name, "money")
    named = options.decimal is not None or options.thousands is not None
    if not money and not (named and pc.any(pc.match_substring_regex(cells, GROUP)).as_py()):
        return "code"
    if named and _all_match(codes, ZEROS):
        return "zeros"
    raise DataError(
        f"{name!r} holds amounts with points or commas, and {len(codes)} cell(s) that look like "
        "codes: with leading zeros, a plus, or 16 digits and more. "
        + (
            "Mend these cells, or name"
            if named
            else "Name decimal= or thousands= to read all as numbers, or name"
        )
        + " the column in text= to keep it as text."
    )


def _all_exponents(numbers: pa.ChunkedArray) -> bool:
    """Say whether every cell is like 1E2."""
    first = numbers.slice(0, FIRST).drop_null()
    if len(first) and not _all_match(first, EXPONENTS):
        return False
    return numbers.null_count < len(numbers) and _all_match(numbers, EXPONENTS)


def _as_numbers(
    name: str, cells: pa.ChunkedArray, options: ReadOptions
) -> tuple[pa.ChunkedArray | None, bool]:
    """Return cells of which each one is a number or null, and whether "Rp" was taken off."""
    shape = NUMBER if options.thousands in (" ", "none") else GROUPED
    if options.thousands == " ":
        spaced = pc.replace_substring_regex(cells, r"[ \x{00a0}\x{202f}]", "")
        cells = pc.if_else(pc.match_substring_regex(cells, BLANKS), spaced, cells)
    if _all_match(cells, shape):
        return cells, False
    if suggests(name, "money") and pc.any(pc.match_substring_regex(cells, HAS_CURRENCY)).as_py():
        bare = pc.replace_substring_regex(cells, CURRENCY, r"\1\2")
        if _all_match(bare, shape):
            return bare, True
    return None, False


def _is_plain(cells: pa.ChunkedArray) -> bool:
    """Say whether every cell is a number as programmes write it; no verdict where it is not."""
    try:
        return not pc.any(pc.is_nan(pc.cast(cells, pa.float64()))).as_py()
    except pa.ArrowInvalid:
        return False


def _codes(numbers: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Return the cells that are codes, None without one; few can be, and those are looked at."""
    length = pc.binary_length(numbers)
    zero = pc.and_(pc.starts_with(numbers, "0"), pc.greater(length, 1))
    perhaps = pc.or_(pc.or_(zero, pc.starts_with(numbers, "+")), pc.greater_equal(length, 16))
    if not pc.any(perhaps).as_py():
        return None
    few = numbers.filter(perhaps)
    codes = few.filter(pc.match_substring_regex(few, CODE))
    return codes if len(codes) else None


def _all_match(cells: pa.ChunkedArray, pattern: str) -> bool:
    return pc.all(pc.match_substring_regex(cells, pattern)).as_py() is not False


def _values(column: _Column, decimal: Decimal, evidence: Evidence | None) -> pd.Series:
    """Turn a column into what its kind says."""
    if column.kind == "logical":
        return _numeric(pc.cast(pc.equal(pc.utf8_lower(column.cells), "true"), pa.int64()))
    if column.kind not in ("number", "zeros"):
        return pd.Series(column.cells.to_pandas(), dtype="str")
    cells = column.cells
    if pc.any(pc.starts_with(cells, "+")).as_py():
        cells = pc.replace_substring_regex(cells, r"^\+", "")
    if evidence is not None:
        cells = pc.replace_substring(cells, "." if decimal == "," else ",", "")
        cells = pc.replace_substring(cells, ",", ".")
    if len(cells) == cells.null_count:
        return pd.Series(np.full(len(cells), np.nan))
    try:
        return _numeric(pc.cast(cells, pa.int64()))
    except pa.ArrowInvalid:
        return _numeric(pc.cast(cells, pa.float64()))


def _numeric(values: pa.ChunkedArray) -> pd.Series:
    """Return int64, or float64 with NaN where a value is missing."""
    if values.null_count:
        values = pc.fill_null(pc.cast(values, pa.float64(), safe=False), np.nan)
    return pd.Series(values.to_numpy())


def _notes(seen: Mapping[str, _Column]) -> list[Note]:
    """Say what was read as missing, and what stayed text or did not."""
    found: list[Note] = []
    tokens = {n: c.tokens for n, c in seen.items() if c.tokens}
    if tokens:
        counts = ", ".join(f"{n} ({k})" for n, k in tokens.items())
        said = (
            f"Cells that say NA, N/A, #N/A, NaN, NULL or . were read as missing: {counts}. Name a "
            "column in text= to keep them."
        )
        found.append(Note("missing_words", said, tuple(tokens)))
    sentences = {
        "codes": "Cells with leading zeros, a plus or 16 and more digits are codes, so these "
        "columns stay text",
        "exponents": "Cells such as 1E2 may be codes, so these columns stay text; write 100 if "
        "they are numbers",
        "leading_zeros": "Cells such as 0750 were read as the number 750, since decimal= or "
        "thousands= says how these columns are written; name text= if they are codes",
        "ids_point_zero": POINT_ZERO_SAID,
        "logical": "TRUE and FALSE were read as 1 and 0",
        "currency": 'A leading "Rp" was taken off',
        "blanks": "Blanks around the cells were taken off",
    }
    groups = {
        "codes": [n for n, c in seen.items() if c.kind == "code"],
        "exponents": [n for n, c in seen.items() if c.kind == "exponent"],
        "leading_zeros": [n for n, c in seen.items() if c.kind == "zeros"],
        "ids_point_zero": [n for n, c in seen.items() if c.point_zero],
        "logical": [n for n, c in seen.items() if c.kind == "logical"],
        "currency": [n for n, c in seen.items() if c.currency],
        "blanks": [n for n, c in seen.items() if c.blanks],
    }
    for code, columns in groups.items():
        if columns:
            said = f"{sentences[code]}: {', '.join(columns)}."
            found.append(Note(code, said, tuple(columns)))
    return found
