"""Does a study still give the committed report? What changed, term by term."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from prakerja_eval.errors import DriftError, UsageError
from prakerja_eval.report.findings_files import Value, published, read_findings
from prakerja_eval.report.manifest import Manifest, digest, find_study, outputs, shown_path
from prakerja_eval.study import Study

RTOL = 1e-6  # numbers across machines; counts and texts are compared exactly
ATOL = 1e-12  # a zero is a zero
LOTTERY = ("offer", "receipt", "randomisation", "bounds", "zeros", "quantile", "subgroup", "index")
DETAILS = ("event_study", "cell", *LOTTERY)  # roles of rows behind an entry's own
TOLD_BY_WORDS = ("bounds", "zeros", "quantile")  # whose rows differ in words alone
KEYS = ("name", "outcome", "cohort", "wave", "event_time", "subgroup")
SHOWN = 40


@dataclass(frozen=True, slots=True)
class Drift:
    """One thing that is not as it was.

    Attributes
    ----------
    kind : {"input", "output", "finding"}
    term : str
        The file; or entry / outcome / period / column of the findings.
    old, new : str
        As committed, and as found now.
    difference : float
        New minus old; NaN where these are no numbers.
    """

    kind: str
    term: str
    old: str
    new: str
    difference: float = math.nan


@dataclass(frozen=True, slots=True, repr=False)
class Verification:
    """What a verification found; true if nothing has changed.

    Attributes
    ----------
    folder : Path
    drifts : tuple of Drift
    study : Path
        The study file that was run.
    """

    folder: Path
    drifts: tuple[Drift, ...]
    study: Path

    def __bool__(self) -> bool:
        return not self.drifts

    @property
    def frame(self) -> pd.DataFrame:
        """Return a row a drift: kind, term, old, new, difference."""
        rows = [(d.kind, d.term, d.old, d.new, d.difference) for d in self.drifts]
        return pd.DataFrame(rows, columns=["kind", "term", "old", "new", "difference"])

    def __repr__(self) -> str:
        if not self.drifts:
            return f"{self.folder.name}: nothing has changed."
        rows = [("term", "old", "new", "difference"), *map(_cells, self.drifts[:SHOWN])]
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        lines = [
            "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        more = len(self.drifts) - SHOWN
        if more > 0:
            lines.append(f"and {more} more")
        head = (
            f"{self.folder.name}: changes found: {len(self.drifts)}; study file run: {self.study}"
        )
        return "\n".join([head, *lines])

    def raise_if_drifted(self) -> None:
        """Raise everything that changed at once.

        Raises
        ------
        DriftError
            With a table of term, old, new and difference.
        """
        if self.drifts:
            raise DriftError(repr(self))


def verify(folder: str | Path, *, study_path: str | Path | None = None) -> Verification:
    """Re-run the study behind a report and compare.

    The hashes of study file, data and every output are compared with the manifest. Findings are
    computed anew and compared with the committed ones, numbers at a relative 1e-6, counts and texts
    exactly. Figures and the page are compared with their hash alone, since another machine may draw
    them with other bytes.

    Parameters
    ----------
    folder : path
        A report folder.
    study_path : path, optional
        Where the study file lies; left out, it is looked for upwards from the folder, then upwards
        from the working directory. One whose hash is not the manifest's is a drift, and the
        verification says which file was run.

    Returns
    -------
    Verification

    Raises
    ------
    UsageError
        If the folder is no report, was made without a study path, or its study file is gone.
    DataError
        If the manifest or the findings are damaged, or the data are missing or at fault.
    """
    place = Path(folder).resolve()
    if not place.is_dir():
        raise UsageError(f"there is no folder {str(folder)!r}; name a report folder.")
    manifest = Manifest.read(place)
    study = Study.read(_study_of(manifest, place, study_path))
    drifts = [*_outputs(manifest, place), *_inputs(manifest, study)]
    findings = study.run().published
    drifts += _findings(read_findings(place), published(findings))
    return Verification(place, tuple(drifts), study.path)


def _study_of(manifest: Manifest, folder: Path, given: str | Path | None) -> Path:
    """Return where the study file lies."""
    if given is not None:
        return Path(given)
    if manifest.study is None:
        raise UsageError(
            f"the report {folder.name!r} was made without the path of its study file: write it "
            "again with study_path, or name the file."
        )
    found = find_study(manifest.study, folder)
    if found is None:
        raise UsageError(
            f"the study file {manifest.study.path!r} of the report {folder.name!r} is neither "
            "above the report nor above the working directory: run verify from the project."
        )
    return found


def _outputs(manifest: Manifest, folder: Path) -> Iterator[Drift]:
    """Compare every file of the folder with the manifest."""
    present = outputs(folder)
    for name in sorted(manifest.outputs.keys() | present.keys()):
        old, new = manifest.outputs.get(name), present.get(name)
        if old != new:
            yield Drift("output", name, _short(old), _short(new))


def _inputs(manifest: Manifest, study: Study) -> Iterator[Drift]:
    """Compare the study file and all that it reads with the manifest."""
    stored = [] if manifest.study is None else [manifest.study, *manifest.data]
    before = {source.path: source.sha256 for source in stored}
    now = {} if manifest.study is None else {manifest.study.path: study.path}
    for name in study.plan.inputs:
        now[shown_path(name)] = study.folder / name
    for term in dict.fromkeys([*before, *now]):
        old, path = before.get(term), now.get(term)
        new = digest(path) if path is not None and path.exists() else None
        if old != new:
            yield Drift("input", term, _short(old), _short(new))


def _findings(old: list[dict[str, Value]], new: list[dict[str, Value]]) -> Iterator[Drift]:
    """Compare findings row by row, cell by cell."""
    before, after = _keyed(old), _keyed(new)
    for key in dict.fromkeys([*before, *after]):
        if key not in after:
            yield Drift("finding", key, "present", "absent")
        elif key not in before:
            yield Drift("finding", key, "absent", "present")
        else:
            for column in dict.fromkeys([*before[key], *after[key]]):
                a, b = before[key].get(column), after[key].get(column)
                if not _same(a, b):
                    yield Drift("finding", f"{key} / {column}", _text(a), _text(b), _minus(a, b))


def _keyed(rows: list[dict[str, Value]]) -> dict[str, dict[str, Value]]:
    """Return rows by the term that names them; repeated names are numbered."""
    out: dict[str, dict[str, Value]] = {}
    for row in rows:
        parts = [_text(row.get(k)) for k in KEYS if row.get(k) is not None]
        if row.get("role") in DETAILS:
            parts.insert(1, _text(row["role"]))
        if row.get("role") in TOLD_BY_WORDS:
            parts += [_text(row["estimand"]), _text(row["specification"])]
        name, again = " / ".join(parts), 1
        term = name
        while term in out:
            again += 1
            term = f"{name} ({again})"
        out[term] = row
    return out


def _same(a: Value, b: Value) -> bool:
    if isinstance(a, float) and isinstance(b, float | int) and not isinstance(b, bool):
        return math.isclose(a, float(b), rel_tol=RTOL, abs_tol=ATOL)
    if isinstance(b, float) and isinstance(a, int) and not isinstance(a, bool):
        return math.isclose(float(a), b, rel_tol=RTOL, abs_tol=ATOL)
    return a == b


def _minus(a: Value, b: Value) -> float:
    numbers = isinstance(a, int | float) and isinstance(b, int | float)
    return float(b) - float(a) if numbers else math.nan  # type: ignore[arg-type]


def _text(value: Value) -> str:
    if value is None:
        return "none"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _short(sha256: str | None) -> str:
    return "absent" if sha256 is None else sha256[:12]


def _cells(drift: Drift) -> tuple[str, str, str, str]:
    difference = "" if math.isnan(drift.difference) else f"{drift.difference:+.6g}"
    return drift.term, drift.old, drift.new, difference
