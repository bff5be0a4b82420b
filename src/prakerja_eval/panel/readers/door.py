"""Which reader reads this source? By its ending; then the options, in one order for all formats."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from prakerja_eval.errors import DataError, UsageError, nearest
from prakerja_eval.panel.columns import refuse_repeated_names
from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.readers.codebook import (
    apply_codebook,
    read_codebook,
    refuse_unknown_columns,
)
from prakerja_eval.panel.readers.formats import FORMATS, read_file, read_frame, refuse_unused
from prakerja_eval.panel.readers.long import stub_columns, to_long
from prakerja_eval.panel.readers.mapping import (
    WaveColumns,
    apply_mapping,
    mapping_of,
    read_mapping,
)
from prakerja_eval.panel.readers.waves import WaveFile, file_name, stack, wave_labels
from prakerja_eval.panel.table import Note, Table

File: TypeAlias = str | Path | pd.DataFrame
Source: TypeAlias = str | Path | pd.DataFrame | Mapping[object, str | Path | pd.DataFrame]

__all__ = ["FORMATS", "Source", "read_table"]


def read_table(
    source: Source,
    options: ReadOptions,
    text: frozenset[str] = frozenset(),
    wave: str | None = None,
) -> Table:
    """Read a source into a Table: read and drop, codebook, mapping, stack, wide to long.

    Parameters
    ----------
    source : path, DataFrame, or mapping of wave label to one of these
    options : ReadOptions
    text : frozenset of str
        Columns whose cells are text whatever they look like (ids), beside ``options.text``.
    wave : str, optional
        Name of the wave column that wide columns and wave files make.

    Raises
    ------
    DataError
        If a file is missing, unreadable, or cannot be read in one way only.
    UsageError
        If the format is unknown, or an option names a column that is not there.

    Notes
    -----
    A reader may leave the columns of ``options.drop`` unread; it then says so in a Note with the
    code "dropped" and their names. Those that it did read are dropped here.
    """
    files = _files(source)
    refuse_unused(options, files.values())
    mapped = _mapped(files, options)
    if mapped and not isinstance(source, Mapping):
        files = dict.fromkeys([mapped[0].wave], *files.values())
    ids = text | frozenset(options.text)
    asked = [m.text(ids) | frozenset(options.text) for m in mapped] or [ids] * len(files)
    read = [_read_one(*item, options) for item in zip(files.values(), asked, strict=True)]
    made = {name for columns in mapped for name in columns.columns}
    _refuse_unknown(options, [table for table, _ in read], made)
    read = [(_without(table, options.drop), as_text) for table, as_text in read]
    if options.codebook is not None:
        book = read_codebook(options.codebook)
        refuse_unknown_columns(book, [c for table, _ in read for c in table.frame.columns])
        read = [(apply_codebook(table, book, as_text, options), as_text) for table, as_text in read]
    tables = [table for table, _ in read]
    names = [file_name(file, label) for label, file in files.items()]
    if mapped:
        tables = [apply_mapping(*item) for item in zip(tables, mapped, names, strict=True)]
    table = tables[0]
    if isinstance(source, Mapping) or (mapped and wave is not None):
        parts = zip(wave_labels(list(files)), names, tables, strict=True)
        table = stack([WaveFile(*part) for part in parts], wave, ids)
    return table if options.wide is None else to_long(table, options.wide, wave, ids)


def _files(source: Source) -> Mapping[object, File]:
    """Return the files by wave; a single one has none."""
    if isinstance(source, Mapping):
        wave_labels(list(source))
        return source
    return {None: source}


def _mapped(files: Mapping[object, File], options: ReadOptions) -> list[WaveColumns]:
    """Return the mapping of each file; empty without a mapping."""
    if options.mapping is None:
        return []
    mapping = read_mapping(options.mapping)
    if list(files) != [None]:
        return [mapping_of(mapping, wave, options.mapping) for wave in files]
    if len(mapping) != 1:
        raise UsageError(
            f"the mapping {options.mapping!r} is of the waves {', '.join(mapping)}; name the wave "
            f'of the file: {{"{next(iter(mapping), "2020")}": "file.dta"}}.'
        )
    return list(mapping.values())


def _read_one(
    file: File, text: frozenset[str], options: ReadOptions
) -> tuple[Table, frozenset[str]]:
    """Read one source, and again where wide columns turn out to be ids; say what is text."""
    table = _read(file, options, text)
    if options.wide is None or not text & set(options.wide.stubs):
        return table, text
    found, _ = stub_columns([str(c) for c in table.frame.columns], options.wide)
    text |= {c for stub in text & set(found) for c in found[stub].values()}
    return _read(file, options, text), text


def _read(file: File, options: ReadOptions, text: frozenset[str]) -> Table:
    """Read one source by its own reader."""
    if isinstance(file, pd.DataFrame):
        table = read_frame(file, options, text)
    elif isinstance(file, str | Path):
        table = read_file(_existing(file), options, text)
    else:
        raise UsageError(f"read_panel takes a path or a DataFrame, not {type(file).__name__}.")
    refuse_repeated_names(table.frame)
    return table


def _existing(file: str | Path) -> Path:
    """Return the path of a file that can be opened.

    Raises
    ------
    UsageError
        If the path is empty.
    DataError
        If there is no such file, it is a folder, or it may not be read; a missing one with the
        nearest name in its folder.
    """
    if not str(file).strip():
        raise UsageError("the path of the data is empty; name a file.")
    path = Path(file)
    try:
        if path.is_dir():
            raise DataError(f"there is no file {str(file)!r}: it is a folder; name a file in it.")
        there = path.is_file()
        beside = [p.name for p in path.parent.iterdir()] if not there else []
    except (OSError, ValueError):
        there, beside = False, []
    if not there:
        raise DataError(
            f"there is no file {str(file)!r}; check the path.{nearest(path.name, beside)}"
        )
    if not os.access(path, os.R_OK):
        raise DataError(f"the file {str(file)!r} may not be read; change its permissions.")
    return path


def _refuse_unknown(options: ReadOptions, tables: Iterable[Table], made: Iterable[str]) -> None:
    """Refuse columns to drop, or to read as text, that no file has; ids that are made are text."""
    there: dict[str, None] = {}
    for table in tables:
        there |= dict.fromkeys(map(str, table.frame.columns))
        there |= dict.fromkeys(c for n in table.notes if n.code == "dropped" for c in n.columns)
    later = {*made, *(options.wide.stubs if options.wide else ())}
    for option, known in (("drop", set(there)), ("text", later | set(there))):
        for column in getattr(options, option):
            if column not in known:
                raise UsageError(
                    f"ReadOptions({option}=...) names {column!r}, but there is no such column."
                    f"{nearest(column, sorted(known))}"
                )


def _without(table: Table, drop: tuple[str, ...]) -> Table:
    """Return the table without some columns, and without a word on them but that they are gone."""
    gone = [c for c in drop if c in table.frame.columns]
    if not gone:
        return table
    reasons = table.reasons_or_none().drop(columns=gone, errors="ignore")
    notes = [n for n in table.notes if n.code == "dropped" or not set(n.columns) & set(gone)]
    notes.append(Note("dropped", f"left out, as asked: {', '.join(gone)}.", tuple(gone)))
    return replace(
        table,
        frame=table.frame.drop(columns=gone),
        codebook={c: v for c, v in table.codebook.items() if c not in gone},
        reasons=reasons if len(reasons.columns) else None,
        notes=tuple(notes),
    )
