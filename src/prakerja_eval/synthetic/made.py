"""Which files stand in a folder of synthetic data, and from what were they made?"""

import hashlib
import json
import platform
from importlib import metadata
from pathlib import Path

from prakerja_eval import __version__

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


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
