"""How do several wave files become one? Stacked by column name, with what differs said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import pandas as pd

from prakerja_eval.errors import DataError, UsageError
from prakerja_eval.panel.readers.codebook import as_strings, first_reason, merged
from prakerja_eval.panel.readers.long import stacked
from prakerja_eval.panel.table import Note, Table, Variable
from prakerja_eval.panel.values import plain_text

ISO = r"\d{4}-(?:\d{2}|\d{2}-\d{2}(?:T[0-9:.]+)?)|\d{4}Q[1-4]"


@dataclass(frozen=True, slots=True)
class WaveFile:
    """One file of one wave, as read.

    Attributes
    ----------
    wave : int or str
    name : str
        Of the file.
    table : Table
    """

    wave: int | str
    name: str
    table: Table

    @property
    def place(self) -> str:
        """Return how messages name it."""
        return f"{self.wave} ({self.name})"


def wave_labels(keys: Sequence[object]) -> list[int | str]:
    """Return the labels of wave files: whole numbers if all are, else text.

    Raises
    ------
    UsageError
        If there is none, or one is neither a whole number nor text.
    """
    if not keys:
        raise UsageError('name at least one file, with its wave: {2020: "wave2020.dta"}.')
    for key in keys:
        whole = isinstance(key, int | np.integer) and not isinstance(key, bool)
        whole = whole or (isinstance(key, float) and key.is_integer())
        if not whole and not (isinstance(key, str) and key.strip()):
            raise UsageError(
                f"a wave of several files is a whole number or a text, not {key!r}; write "
                '{2020: "wave2020.dta", 2021: "wave2021.dta"}.'
            )
    texts = [plain_text(k) for k in keys]
    if len(set(texts)) < len(texts):
        raise UsageError("two wave files have the same wave; name each wave once.")
    if any(isinstance(k, str) for k in keys):
        return list(texts)
    return [int(t) for t in texts]


def stack(files: Sequence[WaveFile], wave: str | None, text: frozenset[str]) -> Table:
    """Put wave files below each other: all columns of all files, with the wave in one of them.

    Parameters
    ----------
    files : sequence of WaveFile
        In the order in which their rows follow.
    wave : str, optional
        Name of the wave column that is made.
    text : frozenset of str
        The id columns, of which no message shows a cell.

    Raises
    ------
    UsageError
        If the wave column has no name.
    DataError
        If a file has other values in a column of that name, a column holds numbers in one file
        and text in another, a code means two things, or ids were damaged in one file; if marks of
        decimals or dates that are clear in one file are not in another.
    """
    if wave is None:
        raise UsageError("several wave files need a name for the wave column: Roles(wave=...).")
    for item in files:
        _refuse_other_waves(item, wave)
    _refuse_lost_zeros(files, text)
    columns = list(dict.fromkeys(c for f in files for c in f.table.frame.columns if c != wave))
    differ = _marks(files, columns)
    for column in (c for c in columns if c not in text):
        _refuse_undecided_dates(column, files)
    places = [f.place for f in files]
    made: dict[str, pd.Series] = {}
    for column in columns:
        parts = [_part(f.table, column) for f in files]
        made[column] = stacked(column, parts, places)
    lengths = [len(f.table.frame) for f in files]
    labels = pd.Series([f.wave for f in files])
    labels = labels if labels.dtype.kind == "i" else labels.astype("str")
    waves = labels.iloc[np.repeat(np.arange(len(files)), lengths)].reset_index(drop=True)
    frame = pd.DataFrame(made, index=waves.index)
    frame.insert(min(1, len(columns)), wave, waves)
    codebook, said = _codebook(files, columns, text)
    rows, where = _rows(files)
    notes = (*_file_notes(files), *where, *_absent(files, columns), *said, *differ)
    return Table(frame, codebook, _reasons(files, columns, frame.index), notes, rows)


def _part(table: Table, column: str) -> pd.Series:
    if column in table.frame:
        return table.frame[column]
    return pd.Series(np.nan, index=table.frame.index)


def _refuse_other_waves(item: WaveFile, wave: str) -> None:
    """Refuse a wave column of the file's own that says something else."""
    if wave not in item.table.frame:
        return
    found = as_strings(item.table.frame[wave])
    others = int((found.fillna("") != str(item.wave)).sum())
    if others:
        raise DataError(
            f"{item.name!r} is named as the wave {item.wave}, but has a column {wave!r} of its own "
            f"that says otherwise in {others} row(s). Name the right wave, or leave the column out "
            f"with ReadOptions(drop={wave!r})."
        )


def _refuse_lost_zeros(files: Sequence[WaveFile], text: frozenset[str]) -> None:
    """Refuse ids that are the same persons only as numbers: leading zeros were lost in a file."""
    for column in sorted(text):
        having = [f for f in files if column in f.table.frame]
        if len(having) < 2:
            continue
        ids = {f.place: _distinct(f.table.frame[column]) for f in having}
        plain = {place: _as_numbers(values) for place, values in ids.items()}
        for a, b in combinations(ids, 2):
            common = ids[a].isin(ids[b]).sum()
            as_numbers = plain[a].isin(plain[b]).sum()
            padded = [(plain[p] != ids[p]).any() for p in (a, b)]
            if as_numbers > common and (common == 0 or padded[0] != padded[1]):
                raise DataError(
                    f"{column!r} is not written alike in {a} and {b}: ids agree as numbers but not "
                    "as text. Leading zeros were probably lost in one file (a spreadsheet does "
                    "that). Export it again with the ids as text, or make the id in "
                    "ReadOptions(mapping=...) with pad, the number of its digits."
                )


def _marks(files: Sequence[WaveFile], columns: Sequence[str]) -> list[Note]:
    """Refuse a decimal mark that says what 1.234 is in one file and is not that of another file.

    Where no file has such cells each one is certain by itself, and the difference is noted.
    """
    notes = []
    for column in columns:
        having = [(f.name, f.table.marks[column]) for f in files if column in f.table.marks]
        by = {d: [(n, m) for n, m in having if m.decimal == d] for d in (".", ",")}
        if not by["."] or not by[","]:
            continue
        point, comma = by["."][0][0], by[","][0][0]
        if any(mark.unclear for _, mark in having):
            raise DataError(
                f"{column!r} is read with a decimal point in {point!r} and with a decimal comma in "
                f"{comma!r}, and holds numbers such as 1.234, which mean another amount in each. "
                "Name decimal= as it is in both, or write both in one way."
            )
        said = f"{column!r} has a decimal point in {point} and a decimal comma in {comma}."
        notes.append(Note("marks_differ", said, (column,)))
    return notes


def _refuse_undecided_dates(column: str, files: Sequence[WaveFile]) -> None:
    """Refuse dates in one file beside dates that stayed text, or words, in another."""
    kinds = [(f.name, _all_iso(f.table.frame[column])) for f in files if column in f.table.frame]
    dates = [name for name, iso in kinds if iso is True]
    others = [name for name, iso in kinds if iso is False]
    if dates and others:
        raise DataError(
            f"{column!r} holds dates in {dates[0]!r}, and text that could not be read as dates in "
            f"{others[0]!r}. Name dates='dmy' or dates='mdy' if day and month are not clear there; "
            "else write all of them as 2021-02-28, or name the column in text=."
        )


def _all_iso(column: pd.Series) -> bool | None:
    """Say whether all cells of a column of text are ISO dates; None if it is no text, or empty."""
    if pd.api.types.is_numeric_dtype(column) or column.isna().all():
        return None
    return bool(_distinct(column).str.fullmatch(ISO).all())


def _distinct(column: pd.Series) -> pd.Series:
    return as_strings(column).dropna().drop_duplicates()


def _as_numbers(ids: pd.Series) -> pd.Series:
    """Return ids of digits without leading zeros and without ".0"; unchanged where that clashes."""
    plain = ids.str.replace(r"^0*(\d+?)(\.0+)?$", r"\1", regex=True)
    return ids if plain.duplicated().any() else plain


def _codebook(
    files: Sequence[WaveFile], columns: Sequence[str], text: frozenset[str]
) -> tuple[dict[str, Variable], list[Note]]:
    codebook: dict[str, Variable] = {}
    notes: list[Note] = []
    for column in columns:
        having = [(f.place, f.table.codebook) for f in files]
        says = [(place, book[column]) for place, book in having if column in book]
        if says:
            codebook[column], said = merged(column, says, column in text)
            notes += said
    return codebook, notes


def _reasons(
    files: Sequence[WaveFile], columns: Sequence[str], index: pd.Index
) -> pd.DataFrame | None:
    tables = [(f.table.reasons_or_none(), len(f.table.frame)) for f in files]
    out = {}
    for column in columns:
        if any(column in reasons for reasons, _ in tables):
            parts = [
                first_reason(r[column]) if column in r else np.full(n, None, dtype=object)
                for r, n in tables
            ]
            out[column] = np.concatenate(parts)
    return pd.DataFrame(out, index=index, dtype=object) if out else None


def _rows(files: Sequence[WaveFile]) -> tuple[np.ndarray, tuple[Note, ...]]:
    """Return row numbers that run through all files, and say which are of which."""
    numbers, spans, before = [], [], 0
    for item in files:
        own = item.table.row_numbers()
        numbers.append(own + before)
        last = before + int(own.max(initial=0))
        spans.append(
            f"{before + 1} to {last} are {item.place}"
            if last > before
            else f"{item.place} has none"
        )
        before = last
    message = f"rows are numbered through all files: {'; '.join(spans)}."
    return np.concatenate(numbers).astype(np.int64), (Note("files", message),)


def _file_notes(files: Sequence[WaveFile]) -> list[Note]:
    return [replace(n, message=f"{f.name}: {n.message}") for f in files for n in f.table.notes]


def _absent(files: Sequence[WaveFile], columns: Sequence[str]) -> list[Note]:
    """Note the columns that a file does not have."""
    notes = []
    for item in files:
        absent = tuple(c for c in columns if c not in item.table.frame)
        if absent:
            message = f"{item.place} has no {', '.join(absent)}; missing in its rows."
            notes.append(Note("column_absent", message, absent))
    return notes


def file_name(source: object, wave: object) -> str:
    """Return how messages name a source: by its file name, or as data of its wave."""
    if isinstance(source, pd.DataFrame):
        return f"data of {wave}"
    return str(source).replace("\\", "/").rpartition("/")[2]
