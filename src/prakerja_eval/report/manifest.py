"""What is bound to what? The hashes of a report's inputs and outputs, and the versions used."""

import hashlib
import json
import os
import platform
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from prakerja_eval import __version__
from prakerja_eval.errors import DataError, UsageError

MANIFEST = "manifest.json"
KIND = "prakerja_eval report"
PACKAGES = ("numpy", "pandas", "scipy", "statsmodels", "matplotlib")
STEPS_UP = 3


@dataclass(frozen=True, slots=True)
class Source:
    """An input of a report.

    Attributes
    ----------
    path : str
        Of the study file: from the working directory if it lies inside, or else from the folder
        that holds study and data. Of other inputs: as the study file names them.
    sha256 : str
    """

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a report folder is bound to.

    Attributes
    ----------
    study : Source or None
        None where a report was made without the path of its study file.
    data : tuple of Source
        The files that the study reads: data, codebook, mapping; empty without a study file.
    language : str
    versions : dict
        Of Python, of this package and of those that compute.
    outputs : dict
        File, relative to the folder, to SHA-256.
    """

    study: Source | None
    data: tuple[Source, ...]
    language: str
    versions: dict[str, str]
    outputs: dict[str, str]

    def write(self, folder: Path) -> None:
        """Write ``manifest.json``."""
        tree = {
            "kind": KIND,
            "study": _tree(self.study),
            "data": [_tree(source) for source in self.data],
            "language": self.language,
            "versions": self.versions,
            "outputs": self.outputs,
        }
        text = json.dumps(tree, indent=2, ensure_ascii=False) + "\n"
        (folder / MANIFEST).write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Read the manifest of a report folder.

        Raises
        ------
        UsageError
            If the folder or its manifest is not there.
        DataError
            If the manifest is damaged.
        """
        path = folder / MANIFEST
        if not path.is_file():
            raise UsageError(
                f"{folder.name!r} is no report: it has no {MANIFEST}. Name the folder that "
                "`prakerja-eval report` wrote."
            )
        try:
            tree = json.loads(path.read_text(encoding="utf-8"))
            if tree["kind"] != KIND:
                raise UsageError(f"the {MANIFEST} in {folder.name!r} is not that of a report.")
            return cls(
                study=None if tree["study"] is None else _source(tree["study"]),
                data=tuple(_source(item) for item in tree["data"]),
                language=str(tree["language"]),
                versions={str(k): str(v) for k, v in tree["versions"].items()},
                outputs={str(k): str(v) for k, v in tree["outputs"].items()},
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DataError(
                f"the {MANIFEST} in {folder.name!r} is damaged ({error}): bring back the committed "
                "one, or write the report anew."
            ) from error


def sources(
    study_path: Path | None, inputs: tuple[str, ...]
) -> tuple[Source | None, tuple[Source, ...]]:
    """Return the study file and the files that it reads; nothing where no path is known.

    Raises
    ------
    UsageError
        If the study file is not there.
    DataError
        If a file that it reads is not there.
    """
    if study_path is None:
        return None, ()
    if not study_path.is_file():
        raise UsageError(f"there is no study file {study_path.name!r}; check study_path.")
    found = []
    for name in inputs:
        place = study_path.parent / name
        if not place.exists():
            raise DataError(
                f"there is no file {name!r}, where the study file says; check its path."
            )
        found.append(Source(shown_path(name), digest(place)))
    return Source(_from_here(study_path, inputs), digest(study_path)), tuple(found)


def shown_path(name: str) -> str:
    """Return a path of a study file as a report shows it: without the folders of one machine."""
    return Path(name).name if Path(name).is_absolute() else Path(name).as_posix()


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, or of all files of a folder with their names."""
    if path.is_dir():
        inner = sorted(p for p in path.rglob("*") if p.is_file())
        lines = [f"{p.relative_to(path).as_posix()} {digest(p)}" for p in inner]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of what computed the numbers."""
    own = {"python": platform.python_version(), "prakerja-eval": __version__}
    return own | {name: metadata.version(name) for name in PACKAGES}


def outputs(folder: Path) -> dict[str, str]:
    """Return every file of a folder but the manifest, with its hash, in order of name."""
    files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    return {name: digest(folder / name) for name in files if name != MANIFEST}


def listed(folder: Path) -> set[str] | None:
    """Return the files that a folder's manifest lists; None if it is no report."""
    try:
        return set(Manifest.read(folder).outputs)
    except (UsageError, DataError, OSError):
        return None


def find_study(stored: Source, folder: Path) -> Path | None:
    """Return the study file of a report, looked for upwards from the folder, then from here.

    A file with the stored hash is preferred to one without.
    """
    here = Path.cwd()
    bases = dict.fromkeys([folder, *folder.parents, here, *here.parents])
    found = [base / stored.path for base in bases if (base / stored.path).is_file()]
    same = [path for path in found if digest(path) == stored.sha256]
    return next(iter([*same, *found]), None)


def _from_here(study_path: Path, inputs: tuple[str, ...]) -> str:
    """Return the study's path from the working directory, or from the folder of study and data.

    It says nothing about where the project lies on this machine, nor where the report is written.
    """
    here, place = Path.cwd().resolve(), study_path.resolve()
    if here != Path(here.anchor) and place.is_relative_to(here):
        return place.relative_to(here).as_posix()
    up = max(sum(p == os.pardir for p in Path(os.path.normpath(name)).parts) for name in inputs)
    parts = study_path.absolute().parts
    return Path(*parts[-1 - min(up, STEPS_UP, len(parts) - 2) :]).as_posix()


def _tree(source: Source | None) -> dict[str, str] | None:
    return None if source is None else {"path": source.path, "sha256": source.sha256}


def _source(tree: dict[str, str]) -> Source:
    return Source(str(tree["path"]), str(tree["sha256"]))
