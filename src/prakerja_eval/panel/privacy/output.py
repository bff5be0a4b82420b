"""How are pseudonymous data written so that nothing is lost? CSV or Parquet, and a codebook."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd

from prakerja_eval.errors import UsageError
from prakerja_eval.panel.readers.toml import toml_of
from prakerja_eval.panel.table import Table, Variable
from prakerja_eval.panel.values import as_text

Writer: TypeAlias = Callable[[Path], object]

ENDINGS = (".csv", ".parquet")


def writable_output(out: Path, *inputs: Path | None) -> None:
    """Refuse an output that is no CSV or Parquet file, or that would replace an input.

    Raises
    ------
    UsageError
    """
    if out.suffix.lower() not in ENDINGS:
        raise UsageError(f"{out.name!r} ends in neither .csv nor .parquet; choose one of the two.")
    if out.is_dir():
        raise UsageError(f"{str(out)!r} is a folder; name a file.")
    for written in (out, codebook_path(out)):
        for given in inputs:
            if given is not None and _same(written, given):
                raise UsageError(f"{written.name!r} would be overwritten; choose another output.")


def codebook_path(out: Path) -> Path:
    """Return where the codebook of an output stands: panel.csv has panel.codebook.toml."""
    return out.with_suffix(".codebook.toml")


def _same(one: Path, other: Path) -> bool:
    if one.resolve() == other.resolve():
        return True
    return one.exists() and other.exists() and one.samefile(other)


def write_output(table: Table, out: Path) -> Path | None:
    """Write a table, and its codebook beside it if it has one; each file whole or not at all.

    Missing reasons stand in the cells (".a", "98"), and the codebook says what they mean, so that
    ``ReadOptions(codebook=...)`` reads all of it back.

    Returns
    -------
    Path or None
        The codebook file, if there is one.

    Raises
    ------
    UsageError
        If the place cannot be written.
    """
    frame, book = with_reasons(table), _book(table)
    codebook = codebook_path(out) if book else None
    if out.suffix.lower() == ".csv":
        write: Writer = partial(frame.to_csv, index=False, lineterminator="\n")
    else:
        write = partial(frame.to_parquet, index=False)
    files = [(out, write)]
    if codebook is not None:
        text = codebook_toml(book)
        files.append((codebook, lambda path: path.write_text(text, encoding="utf-8")))
    _write_whole(files)
    return codebook


def with_reasons(table: Table) -> pd.DataFrame:
    """Return the frame with the reason for a missing value in its cell.

    A column of numbers stays one where all its reasons are numbers; else it is text.
    """
    frame = table.frame.copy()
    reasons = table.reasons_or_none()
    for name in reasons.columns:
        column, why = frame[name], reasons[name]
        codes = pd.to_numeric(why, errors="coerce")
        if pd.api.types.is_numeric_dtype(column) and (codes.notna() == why.notna()).all():
            frame[name] = column.where(why.isna(), codes.astype(np.float64))
        else:
            texts = pd.Series(_plain(column), index=frame.index, dtype="str")
            frame[name] = texts.where(why.isna(), why)
    return frame


def codebook_toml(book: Mapping[str, Variable]) -> str:
    """Write a codebook as TOML: a table a column, with label, values and missing."""
    lines = []
    for name, variable in book.items():
        lines += [f"[{toml_of(name)}]", f"label = {toml_of(variable.label)}"]
        named = {"values": variable.values, "missing": variable.missing}
        lines += [f"{key} = {toml_of(codes)}" for key, codes in named.items() if codes]
        lines.append("")
    return "\n".join(lines)


def _book(table: Table) -> dict[str, Variable]:
    """Return what the codebook file says: a value of a reason's code is under missing alone."""
    reasons = table.reasons_or_none()
    book = {}
    for name in map(str, table.frame.columns):
        variable = table.codebook.get(name, Variable())
        used = reasons[name].dropna().unique() if name in reasons else ()
        missing = {**{str(code): "" for code in used}, **variable.missing}
        values = {k: v for k, v in dict(variable.values).items() if k not in missing}
        if missing or values or variable.label:
            book[name] = replace(variable, values=values, missing=missing)
    return book


def _plain(column: pd.Series) -> np.ndarray:
    """Return numbers as text without exponents, and text as it is."""
    if not pd.api.types.is_float_dtype(column.dtype):
        return as_text(column)
    codes, distinct = pd.factorize(column)
    texts = [np.format_float_positional(v, trim="-") for v in distinct]
    return np.asarray(np.array([*texts, None], dtype=object)[codes])


def _write_whole(files: Sequence[tuple[Path, Writer]]) -> None:
    """Write every file beside its target, and put them in their places when all are written."""
    written: list[tuple[Path, Path]] = []
    try:
        for target, write in files:
            handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
            os.close(handle)
            written.append((Path(name), target))
            write(Path(name))
        for fresh, target in written:
            fresh.replace(target)
    except OSError as error:
        raise UsageError(
            f"cannot write {files[0][0].name!r} there ({error.strerror or error}): choose another "
            "folder, or make room."
        ) from error
    finally:
        for fresh, _ in written:
            fresh.unlink(missing_ok=True)
