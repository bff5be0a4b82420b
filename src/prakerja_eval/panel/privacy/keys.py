"""Where is the key of the pseudonyms, and is it safe there? Outside the project, for one reader."""

import os
import secrets
import stat
from pathlib import Path

from prakerja_eval.errors import DataError, UsageError

KEY_BYTES = 32
PROJECT_MARKS = (".git", "pyproject.toml")


def new_key(path: str | Path, data: str | Path | None = None) -> Path:
    """Write a fresh random key of 256 bits, readable by its owner alone.

    Parameters
    ----------
    path : path
        A file that does not exist yet, outside the project of the current folder. Whoever has this
        file can link pseudonyms to ids; whoever loses it can never link new data to the old ones.
    data : path, optional
        The file whose ids it is for: the key may not lie beside or below it.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    UsageError
        If the file exists, lies inside the project, or cannot be written.
    """
    target = Path(path).expanduser()
    _refuse_inside(target, None if data is None else Path(data))
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise UsageError(
            f"there is a file {str(path)!r} already, and a key is never overwritten: data made "
            "with it could not be linked any more. Choose another name."
        ) from error
    except OSError as error:
        raise UsageError(
            f"cannot write the key to {str(path)!r} ({error.strerror}); choose another place."
        ) from error
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(KEY_BYTES) + "\n")
    return target


def read_key(path: str | Path, data: Path | None) -> bytes:
    """Return the key in a file.

    Parameters
    ----------
    path : path
        Hexadecimal digits, 64 or more.
    data : Path, optional
        The file whose ids it is for.

    Raises
    ------
    UsageError
        If the file lies beside or below the data or inside the project, or others may read it.
    DataError
        If it is missing or is no key.
    """
    file = Path(path).expanduser()
    _refuse_inside(file, data)
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            text = opened.read(10_000)
    except OSError as error:
        raise DataError(
            f"the key file {str(path)!r} cannot be read ({error.strerror}). Check the path; "
            "pe.new_key(path), or --new-key, makes a new key."
        ) from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageError(
            f"others may read or change the key file {str(path)!r}. Make it yours alone: "
            f"chmod 600 {file.name}"
        )
    try:
        key = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        raise DataError(
            f"{str(path)!r} is no key: it should hold {2 * KEY_BYTES} hexadecimal digits and "
            "nothing else. pe.new_key(path), or --new-key, makes one."
        ) from None
    if len(key) < KEY_BYTES:
        raise DataError(
            f"the key in {str(path)!r} is too short: {2 * KEY_BYTES} hexadecimal digits are "
            "needed. pe.new_key(path), or --new-key, makes one."
        )
    return key


def _refuse_inside(path: Path, data: Path | None) -> None:
    """Refuse a key beside or below the data, or inside the project of the current folder."""
    key = path.resolve()
    places = {"the project": _project(Path.cwd().resolve())}
    if data is not None:
        places["the folder of the data"] = data.resolve().parent
    for what, folder in places.items():
        if folder != Path(folder.anchor) and key.is_relative_to(folder):
            raise UsageError(
                f"the key file lies inside {what} ({folder.name}), where it would travel with the "
                "data. Keep it somewhere else, such as a folder of its own in your home folder."
            )


def _project(folder: Path) -> Path:
    """Return the nearest folder, upwards, with a mark of a project; without one the folder."""
    for place in (folder, *folder.parents):
        if any((place / mark).exists() for mark in PROJECT_MARKS):
            return place
    return folder
