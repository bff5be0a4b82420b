"""Figures: one file each, from tidy frames, findings and agreements to a matplotlib Figure."""

from prakerja_eval.figures.bacon import bacon
from prakerja_eval.figures.cells import cells
from prakerja_eval.figures.cohort_paths import cohort_paths
from prakerja_eval.figures.coverage import coverage
from prakerja_eval.figures.event_study import event_study
from prakerja_eval.figures.forest import forest
from prakerja_eval.figures.love import love
from prakerja_eval.figures.overlap import overlap
from prakerja_eval.figures.paths import paths
from prakerja_eval.figures.save import as_svg, save
from prakerja_eval.figures.sensitivity import sensitivity
from prakerja_eval.figures.status_map import status_map

__all__ = [
    "as_svg",
    "bacon",
    "cells",
    "cohort_paths",
    "coverage",
    "event_study",
    "forest",
    "love",
    "overlap",
    "paths",
    "save",
    "sensitivity",
    "status_map",
]
