"""How is a folder of outputs written whole or not at all?"""

import ctypes
import glob
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from prakerja_eval.errors import UsageError
from prakerja_eval.report.manifest import MANIFEST, listed

AT_FDCWD = -100
RENAME_EXCHANGE = 2


@dataclass(frozen=True, slots=True)
class Kind:
    """What a folder holds.

    Attributes
    ----------
    name : str
        In messages.
    listed : callable
        Returns the files that a folder's manifest lists; None if the folder is of another kind.
    """

    name: str
    listed: Callable[[Path], set[str] | None]


REPORT = Kind("report", listed)


def writable_target(out: str | Path, kind: Kind = REPORT) -> Path:
    """Return the target's full path, or refuse one that must not be replaced.

    Parameters
    ----------
    out : path
    kind : Kind
        Of what is to be written; a folder of the same kind may be replaced.

    Raises
    ------
    UsageError
        If it is a file, or a folder with files of no such kind, or cannot be written.
    """
    try:
        target = Path(out).resolve()
        if target.exists() and not target.is_dir():
            raise UsageError(f"{str(out)!r} is a file; name a folder for the {kind.name}.")
        _refuse_unwritable(target, str(out), kind)
        _heal(target, kind)
        _refuse_foreign(target, str(out), kind)
    except (OSError, RuntimeError, ValueError) as error:  # too long a name, links in a circle, ...
        why = getattr(error, "strerror", None) or "it leads nowhere"
        raise UsageError(
            f"{str(out)!r} cannot be the folder of the {kind.name} ({why}); choose another name."
        ) from error
    return target


def _refuse_unwritable(target: Path, shown: str, kind: Kind) -> None:
    """Refuse a target under a file, and one that may not be written."""
    home = next((p for p in target.parents if os.path.lexists(p)), target)
    if not home.is_dir():
        raise UsageError(
            f"{shown!r} would lie below {home.name!r}, which is a file; choose another folder."
        )
    for place in (home, target) if target.exists() else (home,):
        if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
            raise UsageError(
                f"nothing may be written in the folder {str(place)!r}; choose another folder for "
                f"the {kind.name}, or ask for the right to write there."
            )


def _refuse_foreign(target: Path, shown: str, kind: Kind) -> None:
    """Refuse a folder that holds anything else."""
    if next(_files(target), None) is None:
        return
    known = kind.listed(target)
    if known is None:
        raise UsageError(
            f"the folder {shown!r} holds files but no {kind.name} (no {MANIFEST} of a "
            f"{kind.name}): "
            "name a new or empty folder, or remove this one."
        )
    strange = sorted(set(_files(target)) - known - {MANIFEST})
    if strange:
        raise UsageError(
            f"the folder {shown!r} holds a {kind.name} and other files ({', '.join(strange[:5])}): "
            "move these away, since the whole folder is replaced."
        )


def write_whole(target: Path, fill: Callable[[Path], None]) -> None:
    """Fill a folder beside the target and exchange the two; a failure leaves the target as it was.

    Parameters
    ----------
    target : Path
        From ``writable_target``.
    fill : callable
        Writes everything into the folder that it is given.

    Raises
    ------
    UsageError
        If the place cannot be written.
    """
    home = target.parent
    made = [folder for folder in (home, *home.parents) if not folder.exists()]
    try:
        _write_beside(target, fill)
    finally:
        for folder in made:  # those that hold the report stay
            with suppress(OSError):
                folder.rmdir()


def _write_beside(target: Path, fill: Callable[[Path], None]) -> None:
    """Fill a folder beside the target, exchange the two, and remove what is left."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        prefix = f"{_unfinished(target)}{os.getpid()}-"
        fresh = Path(tempfile.mkdtemp(prefix=prefix, dir=target.parent))
    except OSError as error:
        raise UsageError(
            f"cannot write beside {target.name!r} ({error.strerror}): choose another folder."
        ) from error
    try:
        try:
            fill(fresh)
            fresh.chmod(0o777 & ~umask())
        except OSError as error:
            raise UsageError(
                f"cannot write beside {target.name!r} ({error.strerror or error}): make "
                "room there, or choose another folder. What was there is as it was."
            ) from error
        try:
            _exchange(fresh, target)
        except OSError as error:
            raise UsageError(
                f"cannot replace {target.name!r} ({error.strerror}): choose another folder."
            ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _exchange(fresh: Path, target: Path) -> None:
    """Put the fresh folder in the target's place; the old one ends where the fresh one was."""
    if not target.exists():
        try:
            fresh.rename(target)
            return
        except OSError:
            if not target.exists():  # else another run was quicker, and this one comes after it
                raise
    if not _exchanged_at_once(fresh, target):
        aside = _aside(target)
        target.rename(aside)
        try:
            fresh.rename(target)
        except OSError:
            aside.rename(target)
            raise
        shutil.rmtree(aside, ignore_errors=True)


def _exchanged_at_once(one: Path, other: Path) -> bool:
    """Exchange two folders in one step where the system can (Linux), or say that it cannot."""
    if not sys.platform.startswith("linux"):
        return False
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    names = os.fsencode(one), os.fsencode(other)
    return bool(rename(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE) == 0)


def _aside(target: Path) -> Path:
    return target.with_name(f".{target.name}.old")


def _heal(target: Path, kind: Kind) -> None:
    """Bring back a folder that an interrupted exchange left aside; remove what is spare."""
    for left in target.parent.glob(f"{glob.escape(_unfinished(target))}*"):
        owner = left.name.removeprefix(_unfinished(target)).partition("-")[0]
        if not _runs(owner):
            shutil.rmtree(left, ignore_errors=True)
    aside = _aside(target)
    if not aside.is_dir() or kind.listed(aside) is None:
        return
    if target.exists():
        shutil.rmtree(aside, ignore_errors=True)
    else:
        aside.rename(target)


def _unfinished(target: Path) -> str:
    """Return how the names of folders begin that are being filled for a target."""
    return f".{target.name}.new-"


def _runs(process: str) -> bool:
    """Say whether a process is running, or cannot be asked about."""
    if not process.isdigit() or os.name != "posix":
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _files(folder: Path) -> Iterator[str]:
    return (p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir())


def umask() -> int:
    """Return which rights new files go without."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
