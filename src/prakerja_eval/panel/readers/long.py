"""How do columns that repeat by wave become rows? ``income_2020``, ``income_2021`` made long."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from prakerja_eval.errors import DataError, UsageError, nearest
from prakerja_eval.panel.options import Wide
from prakerja_eval.panel.readers.codebook import as_strings, first_reason, merged
from prakerja_eval.panel.table import Note, Table

# a whole number, 2021-02, 2021-02-28, 2021Q1: what is a wave wherever one label is
LIKE_A_WAVE = re.compile(r"\d+|\d{4}-?(Q[1-4]|\d{2}(-\d{2})?)", re.IGNORECASE)


def to_long(
    table: Table, wide: Wide, wave: str | None, text: frozenset[str] = frozenset()
) -> Table:
    """Return a row a unit and wave: units in the order of the file, waves sorted within.

    Rows without any value of a wave stay, since attrition is data.

    Parameters
    ----------
    table : Table
        A row a unit.
    wide : Wide
        The stubs; of two that fit a column the longer one has it.
    wave : str, optional
        Name of the wave column that is made.
    text : frozenset of str
        Id columns, of which no message shows a code.

    Raises
    ------
    UsageError
        If the wave has no name or one that is taken, or a stub has no column.
    DataError
        If a stub holds numbers in one wave and text in another, or a code means two things.
    """
    found, aside = stub_columns([str(c) for c in table.frame.columns], wide)
    used = {c for columns in found.values() for c in columns.values()}
    kept = [c for c in table.frame.columns if c not in used]
    name = _free_wave_name(wave, wide, kept)
    labels = sorted({label for columns in found.values() for label in columns}, key=_by_size)
    n, T = len(table.frame), len(labels)
    by_unit = np.arange(n * T).reshape(T, n).T.ravel()
    repeated = table.take(np.repeat(np.arange(n), T))
    frame = repeated.frame[kept].copy()
    frame.insert(min(1, len(kept)), name, _wave_column(labels, n))
    had = repeated.reasons_or_none()
    reasons = had[[c for c in had.columns if c not in used]].copy()
    codebook = {c: v for c, v in table.codebook.items() if c not in used}
    notes = [*table.notes, *_notes(found, labels, aside, wide)]
    for stub, columns in found.items():
        parts = [_part(table.frame, columns.get(label)) for label in labels]
        places = [columns.get(label, f"wave {label}") for label in labels]
        frame[stub] = stacked(stub, parts, places).iloc[by_unit].reset_index(drop=True)
        why = [_reason(table, columns.get(label)) for label in labels]
        if any(w is not None for w in why):
            empty = np.full(n, None, dtype=object)
            all_of_them = np.concatenate([empty if w is None else w for w in why])
            reasons[stub] = pd.Series(all_of_them[by_unit], frame.index, dtype=object)
        says = [(c, table.codebook[c]) for c in columns.values() if c in table.codebook]
        if says:
            codebook[stub], said = merged(stub, says, stub in text)
            notes += said
    kept_reasons = reasons if len(reasons.columns) else None
    return Table(frame, codebook, kept_reasons, tuple(notes), repeated.rows)


def stub_columns(
    columns: Sequence[str], wide: Wide
) -> tuple[dict[str, dict[str, str]], tuple[str, ...]]:
    """Return the column of each stub and wave, and the columns that look like one but are none.

    Raises
    ------
    UsageError
        If a stub has no column; with the nearest stub that has.
    DataError
        If two columns are of one stub and wave, such as ``income_1`` and ``income_01``.
    """
    hits = [
        (stub, label, c)
        for c in columns
        if (stub := _stub_of(c, wide)) is not None
        for label in [c[len(stub) + len(wide.separator) :]]
    ]
    dated = any(LIKE_A_WAVE.fullmatch(label) for _, label, _ in hits)
    waves = [h for h in hits if LIKE_A_WAVE.fullmatch(h[1]) or not dated]
    whole = all(label.isascii() and label.isdigit() for _, label, _ in waves)
    found: dict[str, dict[str, str]] = {stub: {} for stub in wide.stubs}
    for stub, label, column in waves:
        plain = str(int(label)) if whole else label
        if plain in found[stub]:
            raise DataError(
                f"the columns {found[stub][plain]!r} and {column!r} are both {stub!r} in the wave "
                f"{plain}; leave one out with ReadOptions(drop=...)."
            )
        found[stub][plain] = column
    for stub, of_stub in found.items():
        if not of_stub:
            likely = {c.rpartition(wide.separator or "_")[0] for c in columns} - {""}
            raise UsageError(
                f"Wide(stubs=...) names {stub!r}, but no column is named {stub!r}, "
                f"{wide.separator!r} and a wave.{nearest(stub, sorted(likely))}"
            )
    return found, tuple(column for _, label, column in hits if (_, label, column) not in waves)


def _stub_of(column: str, wide: Wide) -> str | None:
    """Return the longest stub that a column begins with."""
    fitting = [s for s in wide.stubs if column.startswith(s + wide.separator)]
    longest = max(fitting, key=len, default=None)
    if longest is None or len(column) == len(longest) + len(wide.separator):
        return None
    return longest


def _free_wave_name(wave: str | None, wide: Wide, kept: Sequence[str]) -> str:
    if wave is None:
        raise UsageError(
            "wide columns become rows by wave, and the wave column needs a name: Roles(wave=...)."
        )
    for name in (wave, *wide.stubs):
        if name in kept or (name == wave and name in wide.stubs):
            raise UsageError(
                f"the name {name!r} is taken: wide columns would make a second column of that "
                "name. Choose another Roles(wave=...), or leave the column out with "
                "ReadOptions(drop=...)."
            )
    return wave


def _by_size(label: str) -> tuple[int, str]:
    return (int(label), label) if label.isascii() and label.isdigit() else (0, label)


def _wave_column(labels: Sequence[str], n: int) -> pd.Series:
    """Return the waves, repeated for each of n units; whole numbers if all are."""
    whole = all(label.isascii() and label.isdigit() for label in labels)
    values = pd.Series([int(v) for v in labels], dtype="int64") if whole else None
    made = pd.Series(labels, dtype="str") if values is None else values
    return made.iloc[np.tile(np.arange(len(labels)), n)].reset_index(drop=True)


def _part(frame: pd.DataFrame, column: str | None) -> pd.Series:
    return pd.Series(np.nan, index=frame.index) if column is None else frame[column]


def _reason(table: Table, column: str | None) -> np.ndarray | None:
    if column is None or table.reasons is None or column not in table.reasons:
        return None
    return first_reason(table.reasons[column])


def stacked(name: str, parts: Sequence[pd.Series], places: Sequence[str]) -> pd.Series:
    """Put columns below each other: numbers with numbers, text with text, empty ones with either.

    Raises
    ------
    DataError
        If one holds numbers and another text; both places are named.
    """
    filled = [p.notna().any() for p in parts]
    numeric = [pd.api.types.is_numeric_dtype(p) for p in parts]
    numbers = [
        place
        for place, f, is_number in zip(places, filled, numeric, strict=True)
        if f and is_number
    ]
    words = [
        place
        for place, f, is_number in zip(places, filled, numeric, strict=True)
        if f and not is_number
    ]
    if numbers and words:
        raise DataError(
            f"{name!r} holds numbers in {numbers[0]} and text in {words[0]}. If it is a code or a "
            "name, say ReadOptions(text=...); if it is a number, mend the cells that are none, or "
            "name them as missing in ReadOptions(codebook=...)."
        )
    if words or not any(numeric):
        texts = [as_strings(p) for p in parts]
        return pd.concat(texts, ignore_index=True)
    floats = [
        p if is_number else pd.Series(np.nan, index=p.index)
        for p, is_number in zip(parts, numeric, strict=True)
    ]
    return pd.concat(floats, ignore_index=True)


def _notes(
    found: Mapping[str, Mapping[str, str]],
    labels: Sequence[str],
    aside: Sequence[str],
    wide: Wide,
) -> list[Note]:
    """Say what became long, what is absent, and what was left as it is."""
    stubs = ", ".join(found)
    notes = [
        Note(
            "wide",
            f"one row a unit and wave was made of the columns of {stubs}; waves: "
            f"{', '.join(labels)}.",
            tuple(found),
        )
    ]
    for stub, columns in found.items():
        absent = [label for label in labels if label not in columns]
        if absent:
            message = f"{stub!r} has no column in {', '.join(absent)}; it is missing there."
            notes.append(Note("column_absent", message, (stub,)))
    if aside:
        message = (
            f"{', '.join(aside)}: named like a stub of Wide(stubs={wide.stubs!r}), but what "
            "follows is no wave as in the other columns; left as they are, the same in each wave."
        )
        notes.append(Note("not_wide", message, tuple(aside)))
    return notes
