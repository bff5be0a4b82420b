"""Differences and g-computation on weights that come from a fitted score obey the law.

Weights here are written out from their definition on a logit, beside the library's own; some people
are not observed, who took part in the fit of the score.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from kernels import Law, S, register

import prakerja_eval as pe
from prakerja_eval.matching.adjusted import UnitWeights, focal_units
from prakerja_eval.matching.effects.difference import Regression, estimated
from prakerja_eval.matching.score.models import Logit
from prakerja_eval.matching.score.propensity import Propensity
from prakerja_eval.numerics.logit import logit

UNSEEN = (3, 17, 41)


@dataclass(frozen=True)
class ByOdds:
    """Inverse-probability weights with their derivative in the coefficients of the logit."""

    propensity: Propensity
    estimand: str
    in_words: str = "by hand"

    @property
    def focal(self) -> np.ndarray:
        return focal_units(self.estimand, self.propensity.treated)

    def among(self, seen: np.ndarray) -> UnitWeights:
        score = self.propensity
        p, t, s = score.score, score.treated, score.weight * seen
        X = np.column_stack([np.ones(S.n), score.covariates])
        tilt, slope = {
            "ATT": (p, p * (1 - p)),
            "ATE": (np.ones(S.n), np.zeros(S.n)),
            "ATO": (p * (1 - p), p * (1 - p) * (1 - 2 * p)),
        }[self.estimand]
        own = np.where(t, p, 1 - p)
        turn = np.where(t, 1.0, -1.0) * p * (1 - p)
        by_score = s * (slope / own - tilt * turn / own**2)
        return UnitWeights(
            s * tilt / own, seen & self.focal, {}, by_score[:, None] * X, score.fit.psi
        )


def _panel() -> pe.Panel:
    y = S.y.copy()
    y[list(UNSEEN)] = np.nan
    frame = pd.DataFrame({"id": np.arange(S.n), "d": S.treated, "y": y, "x": S.x, "age": S.age})
    return pe.read_panel(frame, pe.Roles(unit="id", received="d"))


PANEL = _panel()


def _score(w: np.ndarray) -> Propensity:
    X = np.column_stack([S.x, (S.age - 40) / 10])
    fit = logit(S.treated, np.column_stack([np.ones(S.n), X]), w)
    units = PANEL.arrays(pe.panel.ArrayRequest(None)).clusters
    everyone = np.ones(S.n, dtype=bool)
    return Propensity(
        units, S.treated == 1, X, ("x", "age"), fit.probability, fit.linear_predictor, w,
        everyone, Logit(), fit,
    )  # fmt: skip


def _law(estimand: str, regression: Regression):
    def make(a: np.ndarray) -> Law:
        def fit(w: np.ndarray):
            return estimated(PANEL, ByOdds(_score(w), estimand), "y", None, regression)

        psi = np.zeros((S.n, 1))
        found = fit(a)
        psi[found.units.index.astype(int)] = found.psi
        return Law(lambda v: fit(a * v).theta, psi)

    return make


MEANS = Regression("difference")
LINES = Regression("g", covariates=None)
register("matching difference, ATT")(_law("ATT", MEANS))
register("matching g-computation, ATE, one slope")(_law("ATE", replace(LINES, interactions=False)))
register("matching g-computation, ATO")(_law("ATO", LINES))
