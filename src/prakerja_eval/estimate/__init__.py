"""Estimates, their algebra, and every way to say how uncertain they are."""

from prakerja_eval.estimate.algebra import aggregate, contrast, join, rename, subset
from prakerja_eval.estimate.estimate import Estimate, estimate_row
from prakerja_eval.estimate.findings import Findings
from prakerja_eval.estimate.hypotheses import WaldTest, test_equal, wald
from prakerja_eval.estimate.infer import infer
from prakerja_eval.estimate.specs import (
    AbadieImbens,
    Adjustment,
    Classical,
    Clustered,
    Inference,
    MultiplierBootstrap,
    Robust,
    WildClusterBootstrap,
)
from prakerja_eval.estimate.terms import FirstStage, LinearFit, LinearTerm, MatchingTerm
from prakerja_eval.estimate.variance import Variance, variance

__all__ = [
    "AbadieImbens",
    "Adjustment",
    "Classical",
    "Clustered",
    "Estimate",
    "Findings",
    "FirstStage",
    "Inference",
    "LinearFit",
    "LinearTerm",
    "MatchingTerm",
    "MultiplierBootstrap",
    "Robust",
    "Variance",
    "WaldTest",
    "WildClusterBootstrap",
    "aggregate",
    "contrast",
    "estimate_row",
    "infer",
    "join",
    "rename",
    "subset",
    "test_equal",
    "variance",
    "wald",
]
