"""From results to the page that an official reads, bound to its inputs, and verified."""

import sys
from pathlib import Path
from types import ModuleType

from prakerja_eval.report.folder import writable_target
from prakerja_eval.report.manifest import Manifest, Source
from prakerja_eval.report.verification import Drift, Verification, verify
from prakerja_eval.report.write import Report, report
from prakerja_eval.study import Results

__all__ = [
    "Drift",
    "Manifest",
    "Report",
    "Source",
    "Verification",
    "report",
    "verify",
    "writable_target",
]


class _Room(ModuleType):
    """The room, called like the verb of the same name.

    ``pe.report(results, "reports/nsw")`` is a contract name, and so is the room ``report/``: once
    the room has been imported, Python binds it to that name.
    """

    def __call__(
        self,
        results: Results,
        out: str | Path,
        *,
        language: str = "en",
        study_path: str | Path | None = None,
    ) -> Report:
        return report(results, out, language=language, study_path=study_path)


sys.modules[__name__].__class__ = _Room
