"""A declared plan, checked at the door, run, and its results."""

from prakerja_eval.study.read import Study
from prakerja_eval.study.results import Notice, Results
from prakerja_eval.study.schema import Plan

__all__ = ["Notice", "Plan", "Results", "Study"]
