"""What do the codes mean? A codebook file, and the codebooks of several columns made one."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from prakerja_eval.errors import DataError, UsageError, nearest
from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.readers.numbers import numbers_of
from prakerja_eval.panel.readers.toml import labels_of, read_toml, table_of, text_of
from prakerja_eval.panel.table import Note, Table, Variable
from prakerja_eval.panel.values import as_text, plain_text, to_number

KEYS = ("label", "values", "missing")
SHORT_CODE = re.compile(r"-?\d{1,3}")
CODES_SHOWN = 5
NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d+)?")


def read_codebook(path: str) -> dict[str, Variable]:
    """Read a codebook file: a table a column, with ``label``, ``values`` and ``missing``.

    Raises
    ------
    UsageError
        If the file is missing or not TOML, has an unknown key, or names a code twice.
    """
    book = {}
    for column, value in read_toml(path, "codebook").items():
        where = f"the codebook {path!r}, [{column}]"
        says = table_of(value, where, KEYS)
        values = table_of(says.get("values", {}), f"{where} values")
        variable = Variable(
            label=text_of(says.get("label", ""), f"{where} label"),
            values=labels_of(values, f"{where} values"),
            missing=labels_of(says.get("missing", {}), f"{where} missing"),
        )
        if twice := sorted(set(variable.values) & set(variable.missing)):
            raise UsageError(
                f"{where}: the code {twice[0]!r} is under values and under missing; keep one."
            )
        book[column] = variable
    return book


def refuse_unknown_columns(book: Mapping[str, Variable], columns: Sequence[str]) -> None:
    """Refuse a codebook that names a column which no file has.

    Raises
    ------
    UsageError
        With the nearest column there is.
    """
    for column in book:
        if column not in columns:
            raise UsageError(
                f"the codebook names the column {column!r}, which is not there."
                f"{nearest(column, columns)} Mend ReadOptions(codebook=...)."
            )


def apply_codebook(
    table: Table, book: Mapping[str, Variable], text: frozenset[str], options: ReadOptions
) -> Table:
    """Return the table with the codebook's labels, and its missing codes set to missing.

    Parameters
    ----------
    table : Table
    book : mapping of str to Variable
        Columns that the table does not have are passed over.
    text : frozenset of str
        Columns that stay text.
    options : ReadOptions
        How numbers are written in a column that is text but for its missing codes.

    Raises
    ------
    DataError
        If the numbers of such a column can be read in two ways.
    """
    frame, reasons = table.frame.copy(), table.reasons_or_none()
    variables, notes, marks = dict(table.codebook), [*table.notes], dict(table.marks)
    for name in (c for c in book if c in frame.columns):
        says = in_the_words_of(frame[name], book[name])
        had = variables.get(name, Variable())
        values, codes = without_codes(frame[name], tuple(says.missing))
        if codes is not None:
            more = None
            if name not in text and not pd.api.types.is_numeric_dtype(values):
                read = numbers_of(values, options)
                values, more = (
                    read.frame[name],
                    None if read.reasons is None else read.reasons[name],
                )
                notes, marks = [*notes, *read.notes], marks | dict(read.marks)
            given = first_reason(codes, reasons.get(name), more)
            reasons[name] = pd.Series(given, frame.index, dtype=object)
        frame[name] = values
        variables[name] = overridden(had, says)
        if differs := _differences(had, says):
            notes.append(
                Note(
                    "codebook",
                    f"the file and the codebook do not agree on {differs} of {name!r}; "
                    "the codebook's words are used.",
                    (name,),
                )
            )
    kept = reasons if len(reasons.columns) else None
    return replace(
        table,
        frame=frame,
        reasons=kept,
        codebook=variables,
        notes=tuple(notes),
        marks=marks,
    )


def in_the_words_of(column: pd.Series, says: Variable) -> Variable:
    """Return a codebook entry with its codes as a column of numbers writes them: "01" is "1"."""
    if not pd.api.types.is_numeric_dtype(column):
        return says
    return replace(
        says,
        values={_plain_code(k): v for k, v in says.values.items()},
        missing={_plain_code(k): v for k, v in says.missing.items()},
    )


def _plain_code(code: str) -> str:
    try:
        return plain_text(float(code)) if np.isfinite(float(code)) else code
    except ValueError:
        return code


def without_codes(column: pd.Series, codes: Sequence[str]) -> tuple[pd.Series, np.ndarray | None]:
    """Set codes to missing; return the column and the code by row, None where no row has one."""
    reason = np.full(len(column), None, dtype=object)
    for code in codes:
        reason[equals(column, code)] = code
    hit = ~pd.isna(reason)
    return (column.mask(hit), reason) if hit.any() else (column, None)


def equals(column: pd.Series, code: str) -> np.ndarray:
    """Say which cells are a code: by value in a column of numbers, else by text."""
    if pd.api.types.is_numeric_dtype(column):
        number = float(code) if NUMBER.fullmatch(code) else np.nan
        return np.asarray(to_number(column) == number)
    return np.asarray((column == code).fillna(False), dtype=bool)


def as_strings(column: pd.Series) -> pd.Series:
    """Return a column as text, itself if it is; whole numbers without a decimal."""
    if isinstance(column.dtype, pd.StringDtype):
        return column
    return pd.Series(as_text(column), index=column.index, dtype="str")


def first_reason(*columns: np.ndarray | pd.Series | None) -> np.ndarray:
    """Return by row the first reason there is, None where there is none."""
    given = [np.asarray(c, dtype=object) for c in columns if c is not None]
    out = given[0].copy()
    out[pd.isna(out)] = None
    for other in given[1:]:
        open_yet = pd.isna(out) & ~pd.isna(other)
        out[open_yet] = other[open_yet]
    return out


def overridden(had: Variable, says: Variable) -> Variable:
    """Return what is said of a column, the second over the first."""
    values = {k: v for k, v in had.values.items() if k not in says.missing} | dict(says.values)
    known = {**had.missing, **{k: v for k, v in had.values.items() if k in says.missing}}
    missing = dict(had.missing)
    for code, meaning in says.missing.items():
        missing[code] = meaning or known.get(code, "")
    return Variable(says.label or had.label, values, missing)


def _differences(had: Variable, says: Variable) -> str:
    """Say on what two entries do not agree; without the codes, since they are cells."""
    known = {**had.values, **had.missing}
    codes = [k for k, v in {**says.values, **says.missing}.items() if v and known.get(k, v) != v]
    label = bool(had.label and says.label and had.label != says.label)
    labels = f"the meaning of {len(codes)} code(s)" if codes else ""
    return " and ".join(filter(None, ("the label" if label else "", labels)))


def merged(
    name: str, given: Sequence[tuple[str, Variable]], hide_codes: bool = False
) -> tuple[Variable, tuple[Note, ...]]:
    """Make one entry of those of several waves.

    Parameters
    ----------
    name : str
        The column.
    given : sequence of (str, Variable)
        Where each one is from, and what it says; the first says the label.
    hide_codes : bool
        Whether codes are cells of an id column, which no message shows.

    Raises
    ------
    DataError
        If one code means two things.
    """
    values: dict[str, tuple[str, str]] = {}
    missing: dict[str, str] = {}
    for where, variable in given:
        clash = [
            code
            for code, label in variable.values.items()
            if _folded(values.setdefault(code, (where, label))[1]) != _folded(label)
        ]
        if clash:
            first = values[clash[0]][0]
            raise DataError(_two_meanings(name, clash, first, where, hide_codes))
        for code, meaning in variable.missing.items():
            if _folded(meaning) not in map(_folded, missing.get(code, "").split("; ")):
                missing[code] = "; ".join(filter(None, (missing.get(code, ""), meaning)))
            missing.setdefault(code, "")
    label = next((v.label for _, v in given if v.label), "")
    one = Variable(label, {k: v for k, (_, v) in values.items()}, missing)
    return one, tuple(_label_notes(name, given))


def _two_meanings(
    name: str, codes: Sequence[str], first: str, second: str, hide_codes: bool
) -> str:
    """Say which codes mean two things; without the labels, which may be the names of people."""
    shown = [c for c in codes if SHORT_CODE.fullmatch(c)]
    which = ""
    if shown and not hide_codes:
        more = len(codes) - len(shown[:CODES_SHOWN])
        which = f": {', '.join(shown[:CODES_SHOWN])}" + (f" and {more} more" if more else "")
    return (
        f"{name!r}: {len(codes)} code(s) do not mean the same in {first} and in "
        f"{second}{which}. If they do, name their meaning in "
        "ReadOptions(codebook=...); if not, recode one of them in ReadOptions(mapping=...)."
    )


def _label_notes(name: str, given: Sequence[tuple[str, Variable]]) -> list[Note]:
    """Note where the waves do not say the same of a column."""
    labelled = [v for _, v in given if v.values]
    parts: dict[str, set[object]] = {
        "label": {_folded(v.label) for _, v in given if v.label},
        "value labels": {frozenset(v.values) for v in labelled},
        "meaning of missing codes": {frozenset(v.missing.items()) for _, v in given if v.missing},
    }
    differ = [what for what, kinds in parts.items() if len(kinds) > 1]
    if not differ:
        return []
    where = ", ".join(place for place, _ in given)
    message = (
        f"{name!r} has not the same {' and '.join(differ)} in {where}; they are put together, and "
        "the first label holds. ReadOptions(codebook=...) says otherwise."
    )
    return [Note("labels_differ", message, (name,))]


def _folded(label: str) -> str:
    return " ".join(label.split()).casefold()
