"""Learners of scikit-learn, each person's prediction made by a fit that has not seen the person."""

from prakerja_eval.learners.checks import name_of, require_classifier, require_mean_learner
from prakerja_eval.learners.cross_fit import cross_fit_mean, cross_fit_probability
from prakerja_eval.learners.folds import folds_by_arm

__all__ = [
    "cross_fit_mean",
    "cross_fit_probability",
    "folds_by_arm",
    "name_of",
    "require_classifier",
    "require_mean_learner",
]
