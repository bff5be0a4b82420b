"""From results to the page that an official reads, bound to its inputs, and verified."""

from prakerja_eval.report.folder import writable_target
from prakerja_eval.report.manifest import Manifest, Source
from prakerja_eval.report.verification import Drift, Verification, verify
from prakerja_eval.report.write import Report, report

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
