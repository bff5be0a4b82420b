"""Which files stand in a folder of synthetic data, and from what were they made?"""

import hashlib
import json
import platform
from importlib import metadata
from pathlib import Path

from prakerja_eval import __version__
from prakerja_eval.errors import UsageError

MANIFEST = "manifest.json"
KIND = "prakerja_eval simulation"
PACKAGES = ("numpy", "pandas", "pyarrow", "scipy")


def write_manifest(folder: Path, made: dict[str, object]) -> None:
    """Write from what a folder was made, the versions used, and the hash of each of its files.

    Parameters
    ----------
    folder : Path
    made : dict
        Scenario, applicants, seed and command.
    """
    own = {"python": platform.python_version(), "prakerja-eval": __version__}
    files = sorted(p.name for p in folder.iterdir() if p.name != MANIFEST)
    tree = {
        "kind": KIND,
        **made,
        "versions": own | {name: metadata.version(name) for name in PACKAGES},
        "outputs": {name: _digest(folder / name) for name in files},
    }
    text = json.dumps(tree, indent=2, ensure_ascii=False) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8", newline="")


def listed(folder: Path) -> set[str] | None:
    """Return the files that the manifest of a folder of synthetic data lists; None without one."""
    try:
        tree = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return set(map(str, tree["outputs"])) if tree["kind"] == KIND else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def refuse_changed(folder: Path, shown: str) -> None:
    """Refuse to replace a folder of which a file was changed since it was written.

    Parameters
    ----------
    folder : Path
    shown : str
        The folder in the message.

    Raises
    ------
    UsageError
        Names the files.
    """
    if listed(folder) is None:
        return
    outputs = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["outputs"]
    here = [name for name in sorted(outputs) if (folder / name).is_file()]
    changed = [name for name in here if _digest(folder / name) != outputs[name]]
    if changed:
        raise UsageError(
            f"{', '.join(changed[:5])} in {shown!r} changed since the simulation wrote it, and the "
            "whole folder would be replaced: name another folder, or move the file away."
        )


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
