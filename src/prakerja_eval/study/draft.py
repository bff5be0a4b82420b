"""What would a study of this file look like? A commented study file from a look at the data."""

import os
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from prakerja_eval.errors import DataError, UsageError
from prakerja_eval.panel import Panel, ReadOptions, Roles
from prakerja_eval.panel.guess import Guess, guess_roles, guess_wide
from prakerja_eval.panel.privacy import refuse_identifiers
from prakerja_eval.panel.privacy.output import codebook_path
from prakerja_eval.panel.readers import read_table
from prakerja_eval.panel.readers.toml import toml_of
from prakerja_eval.panel.table import Note, Table
from prakerja_eval.study.proposals import propose, propose_outcomes
from prakerja_eval.study.schema import own_mapping

WAVE = "wave"
MEND = "MEND FIRST"


@dataclass(frozen=True, slots=True)
class Reading:
    """A table, how it was read, and the roles guessed for its columns."""

    table: Table
    options: ReadOptions
    guess: Guess


def look(data: Path, options: ReadOptions) -> Reading:
    """Read a file whose roles nobody has named, and guess them.

    Raises
    ------
    DataError
        If the file is missing or unreadable.
    """
    beside = codebook_path(data)
    chosen = options
    said: tuple[Note, ...] = ()
    if options.codebook is None and beside.is_file():
        chosen = replace(options, codebook=str(beside))
        said = (Note("codebook", f"The codebook {beside.name!r} beside the file was used."),)
    table = read_table(data, chosen)
    if options.wide is None:
        wide = guess_wide(table)
        chosen = chosen if wide is None else replace(chosen, wide=wide)
    wave = None if chosen.wide is None else WAVE
    if wave is not None:
        table = read_table(data, chosen, wave=wave)
    guess = guess_roles(table)
    if guess.roles is not None:  # once more, with the ids as text
        table = read_table(data, chosen, frozenset(guess.roles.id_columns()), wave)
    return Reading(replace(table, notes=(*said, *table.notes)), chosen, guess)


def draft(data: Path, out: Path, options: ReadOptions | None = None) -> str:
    """Return the text of a study file for a file of data.

    Parameters
    ----------
    data : path
        CSV, Parquet, Stata, SPSS or Excel.
    out : path
        Where the study file will stand; the path of the data is written relative to it.
    options : ReadOptions, optional
        What the file does not say itself.

    Raises
    ------
    DataError
        If the file is missing or unreadable, or no column can be the person id.
    IdentifierError
        If a column looks like a direct identifier.
    """
    read = look(data, options or ReadOptions())
    refuse_identifiers(read.table)
    if read.guess.roles is None:
        raise DataError(
            f"nothing in {data.name!r} names the people: {read.guess.reasons['unit']}. Rename that "
            "column to person_id, or write the study file by hand (docs/methods/study-file.md)."
        )
    panel = Panel(read.table, read.guess.roles)
    outcomes = propose_outcomes(panel)
    entries = propose(panel, outcomes)
    text = _render(
        {
            **_front(data, out, read, panel),
            "roles": list(_roles(read.guess)),
            "groups": read.guess.roles.offer,
            "outcomes": outcomes,
            "entries": entries,
            "lottery": any("lottery." in line for e in entries if not e.off for line in e.lines),
        }
    )
    tomllib.loads(text)  # a draft that cannot be read is our fault, and shows here
    return text


def writable_draft(out: Path, inputs: Iterable[Path | None], *, replace: bool) -> None:
    """Refuse a place for a study file where something else would be lost.

    Raises
    ------
    UsageError
        If it does not end in .toml, is a folder or an input, or is there and may not be replaced.
    """
    if out.suffix.lower() != ".toml":
        raise UsageError(f"{out.name!r} is no name for a study file; let it end in .toml.")
    if _there(out) and out.is_dir():
        raise UsageError(f"{str(out)!r} is a folder; name a file in it.")
    if not _there(out):
        return
    if any(given and _there(given) and out.samefile(given) for given in inputs):
        raise UsageError(f"{str(out)!r} is read by this command; name another study file.")
    if not replace:
        raise UsageError(f"{str(out)!r} is there already; name another file, or add --force.")


def _there(path: Path) -> bool:
    """Say whether something is at a path; too long a name has nothing."""
    try:
        return path.exists()
    except OSError:
        return False


def write_draft(text: str, out: Path) -> None:
    """Write a study file whole or not at all.

    Raises
    ------
    UsageError
        If the place cannot be written.
    """
    fresh = out.with_name(f".{out.name}.new")
    made = [p for p in (out.parent, *out.parent.parents) if not p.exists()]
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(out)
    except OSError as error:
        raise UsageError(
            f"cannot write {str(out)!r} ({error.strerror}): choose another place, or make room."
        ) from error
    finally:
        with suppress(OSError):
            fresh.unlink()
        for folder in made:  # one that holds the study file stays
            with suppress(OSError):
                folder.rmdir()


def _front(data: Path, out: Path, read: Reading, panel: Panel) -> dict[str, Any]:
    """Return what stands above the roles."""
    faults = panel.check()
    errors = [f"{MEND}: {f.message}. {f.remedy}" for f in faults.errors]
    waves = "" if panel.waves == ("",) else f" in {len(panel.waves)} waves"
    return {
        "name": data.name,
        "shown": os.path.relpath(data, Path.cwd()) if not data.is_absolute() else data.name,
        "study": out.name if out.parent == Path() else out.as_posix(),
        "data": _from(out.resolve().parent, data),
        "notes": [note.message for note in panel.notes],
        "faults": errors,
        "rows": len(panel),
        "people": len(panel.units),
        "waves": waves,
        "synthetic": all(u.startswith("SYN-") for u in panel.units),
        "reading": _told(read.options, out.resolve().parent),
        "wide": read.options.wide,
    }


def _from(folder: Path, file: str | Path) -> str:
    """Return a path as it stands in a study file of this folder."""
    return Path(os.path.relpath(Path(file).resolve(), folder)).as_posix()


def _told(options: ReadOptions, folder: Path) -> dict[str, Any]:
    """Return the options that differ from their defaults, as they stand in a study file."""
    plain = ReadOptions()
    named = {f.name: getattr(options, f.name) for f in fields(options) if f.name != "wide"}
    told = {k: v for k, v in named.items() if v != getattr(plain, k)}
    files = {"codebook"} | ({"mapping"} if own_mapping(options) else set())
    return {k: _from(folder, v) if k in files else v for k, v in told.items()}


def _roles(guess: Guess) -> Iterator[dict[str, Any]]:
    """Yield the roles named, and those for which a column was looked at and left."""
    assert guess.roles is not None
    for item in fields(Roles):
        value = getattr(guess.roles, item.name)
        if value in (None, ()):
            value = None
        why = guess.reasons.get(item.name)
        if why is not None:
            yield {"name": item.name, "value": value, "why": why}


def _one_line(text: str) -> str:
    """Return a text fit for a comment: one line, no control characters."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))


def _inside(text: object) -> str:
    """Write a text as it stands between the quotes of a TOML string."""
    return toml_of(str(text))[1:-1]


def _render(places: dict[str, Any]) -> str:
    environment = Environment(
        loader=PackageLoader("prakerja_eval.study"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters |= {"toml": toml_of, "inside": _inside, "line": _one_line}
    return environment.get_template("new.toml.jinja").render(places)
