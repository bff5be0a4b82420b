"""Figures: one file each, from tidy frames, findings and agreements to a matplotlib Figure."""

from prakerja_eval.figures.bacon import bacon
from prakerja_eval.figures.bounds import bounds
from prakerja_eval.figures.cells import cells
from prakerja_eval.figures.cohort_paths import cohort_paths
from prakerja_eval.figures.contour import contour
from prakerja_eval.figures.coverage import coverage
from prakerja_eval.figures.diagnosis import diagnosis
from prakerja_eval.figures.effects import effects
from prakerja_eval.figures.event_study import event_study
from prakerja_eval.figures.flow import flow
from prakerja_eval.figures.forest import forest
from prakerja_eval.figures.lottery_balance import lottery_balance
from prakerja_eval.figures.love import love
from prakerja_eval.figures.overlap import overlap
from prakerja_eval.figures.paths import paths
from prakerja_eval.figures.power import power_curve
from prakerja_eval.figures.quantiles import quantile_effects
from prakerja_eval.figures.randomisation import randomisation
from prakerja_eval.figures.rosenbaum import rosenbaum
from prakerja_eval.figures.save import as_svg, save
from prakerja_eval.figures.sensitivity import sensitivity
from prakerja_eval.figures.specification_curve import specification_curve
from prakerja_eval.figures.spread import distribution, weights
from prakerja_eval.figures.status_map import status_map
from prakerja_eval.figures.within_study import within_study

__all__ = [
    "as_svg",
    "bacon",
    "bounds",
    "cells",
    "cohort_paths",
    "contour",
    "coverage",
    "diagnosis",
    "distribution",
    "effects",
    "event_study",
    "flow",
    "forest",
    "lottery_balance",
    "love",
    "overlap",
    "paths",
    "power_curve",
    "quantile_effects",
    "randomisation",
    "rosenbaum",
    "save",
    "sensitivity",
    "specification_curve",
    "status_map",
    "weights",
    "within_study",
]
