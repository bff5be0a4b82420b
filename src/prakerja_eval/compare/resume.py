"""Where do finished draws wait for the others? A folder with a record and a file a draw."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from prakerja_eval.errors import DataError, UsageError

RECORD = "record.json"


def draw_name(number: int) -> str:
    """Return the name of a draw's file."""
    return f"draw-{number:06d}.json"


def opened(folder: Path, record: Mapping[str, object]) -> Path:
    """Return the folder of a run, made if it is not there; one made by other settings is refused.

    Parameters
    ----------
    folder : Path
    record : mapping
        The settings on which the draws depend, as JSON can hold them.

    Raises
    ------
    UsageError
        If the folder holds other things, or draws made by other settings: each is named.
    """
    if (folder / RECORD).is_file():
        _refuse_others(folder, record)
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(not p.name.startswith(".") for p in folder.iterdir()):  # but an unfinished record
            raise UsageError(
                f"resume={str(folder)!r} holds files but no {RECORD} of a diagnosis: name a new or "
                "empty folder."
            )
        _write(folder / RECORD, json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    except OSError as error:
        raise UsageError(
            f"resume={str(folder)!r} cannot be used ({error.strerror}); name another folder."
        ) from error
    return folder


def _refuse_others(folder: Path, record: Mapping[str, object]) -> None:
    found = _read(folder / RECORD)
    asked = json.loads(json.dumps(record))
    told = "; ".join(_changes("", found, asked))
    if told:
        raise UsageError(
            f"the draws in resume={str(folder)!r} were made by other settings: {told}. Name "
            "another folder, or give the settings it was made with."
        )


def _changes(key: str, was: object, now: object) -> Iterator[str]:
    """Yield each setting that differs, with what it was and what it is now."""
    if was == now:
        return
    if isinstance(was, dict) and isinstance(now, dict):
        for name in {**now, **was}:
            below = f"{key} {name}".strip()
            if name in was and name in now:
                yield from _changes(below, was[name], now[name])
            else:
                yield f"{below} is new" if name in now else f"{below} is gone"
    elif isinstance(was, list) and isinstance(now, list):
        if len(was) == len(now) and any(isinstance(v, dict) for v in (*was, *now)):
            for one, other in zip(was, now, strict=True):
                yield from _changes(key, one, other)
        else:
            yield f"{key} {_shown(was)}, now {_shown(now)}"
    elif isinstance(was, str) and isinstance(now, str) and "\n" in was + now:
        old, new = was.splitlines(), now.splitlines()
        gone, come = ([v for v in a if v not in b] for a, b in ((old, new), (new, old)))
        yield f"{key} {_shown(gone)}, now {_shown(come)}"
    else:
        yield f"{key} {_shown(was)}, now {_shown(now)}"


def _shown(value: object) -> str:
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return ", ".join(value) or "nothing"
    return json.dumps(value, ensure_ascii=False)


def kept(folder: Path, number: int) -> str | None:
    """Return a draw that is there already, or None.

    Raises
    ------
    DataError
        If its file is damaged.
    """
    path = folder / draw_name(number)
    if not path.is_file():
        return None
    if _read(path).get("draw") != number:
        raise DataError(f"{str(path)!r} is not draw {number}; remove it, and it is made again.")
    return path.read_text(encoding="utf-8").removesuffix("\n")


def keep(folder: Path, number: int, text: str) -> None:
    """Write a draw whole or not at all.

    Raises
    ------
    UsageError
        If the folder takes no more.
    """
    try:
        _write(folder / draw_name(number), text + "\n")
    except OSError as error:
        raise UsageError(
            f"draw {number} cannot be written to {str(folder)!r} ({error.strerror}): make room, "
            "and the run goes on from there."
        ) from error


def _read(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise DataError(f"{str(path)!r} cannot be read ({error}); remove it.") from error
    if not isinstance(found, dict):
        raise DataError(f"{str(path)!r} is no record of a diagnosis; remove it.")
    return found


def _write(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".new")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
