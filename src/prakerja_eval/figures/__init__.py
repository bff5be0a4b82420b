"""Figures: one file each, from tidy frames, findings and agreements to a matplotlib Figure."""

from prakerja_eval.figures.coverage import coverage
from prakerja_eval.figures.forest import forest
from prakerja_eval.figures.love import love
from prakerja_eval.figures.overlap import overlap
from prakerja_eval.figures.paths import paths
from prakerja_eval.figures.save import as_svg, save

__all__ = ["as_svg", "coverage", "forest", "love", "overlap", "paths", "save"]
