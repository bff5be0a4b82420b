"""How does a study become a folder that a ministry reads and a referee re-runs?"""

from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

from prakerja_eval import figures
from prakerja_eval.language import Catalogue
from prakerja_eval.report.findings_files import write_findings
from prakerja_eval.report.folder import writable_target, write_whole
from prakerja_eval.report.manifest import Manifest, outputs, sources, versions
from prakerja_eval.report.page import Parts, page
from prakerja_eval.report.pictures import pictures
from prakerja_eval.report.sheets import sheets
from prakerja_eval.study import Results


@dataclass(frozen=True, slots=True)
class Report:
    """A report that has been written.

    Attributes
    ----------
    folder : Path
        Holds report.html, findings.csv and .json, figures/, tables/ and manifest.json.
    manifest : Manifest
        The hashes of inputs and outputs, and the versions used.
    """

    folder: Path
    manifest: Manifest

    @property
    def page(self) -> Path:
        """Return the path of ``report.html``."""
        return self.folder / "report.html"

    def _repr_html_(self) -> str:
        link = escape(self.page.absolute().as_uri())
        count = len(self.manifest.outputs)
        return f'<p><a href="{link}">{escape(str(self.page))}</a> ({count} files)</p>'


def report(
    results: Results,
    out: str | Path,
    *,
    language: str = "en",
    study_path: str | Path | None = None,
) -> Report:
    """Write the report of a study: the page, findings, figures, tables and the manifest.

    Parameters
    ----------
    results : Results
        What ``Study.run`` returned.
    out : path
        Folder of the report; an earlier report there is replaced as a whole, or stays as it is if
        anything fails.
    language : {"en", "id"}
        Language of every word that does not come from the study file.
    study_path : path, optional
        Where the study file lies. Without it the report is bound to no input and cannot be
        verified.

    Returns
    -------
    Report

    Raises
    ------
    UsageError
        If the language is unknown, or the folder holds anything but an earlier report.
    DataError
        If the study's data are gone.

    Examples
    --------
    >>> import prakerja_eval as pe
    >>> results = pe.Study.read("studies/nsw.toml").run()  # doctest: +SKIP
    >>> pe.report(results, "reports/nsw", study_path="studies/nsw.toml")  # doctest: +SKIP
    """
    words = Catalogue.named(language)
    target = writable_target(out)
    path = None if study_path is None else Path(study_path)
    study, data = sources(path, results.plan.inputs)
    manifest = Manifest(study, data, language, versions(), {})

    def fill(folder: Path) -> None:
        _fill(folder, results, manifest, words)
        replace(manifest, outputs=outputs(folder)).write(folder)

    write_whole(target, fill)
    return Report(Path(out), Manifest.read(target))


def _fill(folder: Path, results: Results, manifest: Manifest, words: Catalogue) -> None:
    """Write everything but the manifest."""
    drawn, tabled = pictures(results, words), sheets(results, words)
    for name in ("figures", "tables"):
        (folder / name).mkdir()
    for picture in drawn:
        figures.save(picture.figure, folder / "figures", picture.name)
    for sheet in tabled:
        sheet.write(folder / "tables")
    write_findings(results.published, folder)
    parts = Parts(drawn, tabled, manifest, folder / "figures")
    (folder / "report.html").write_text(page(results, parts, words), encoding="utf-8")
