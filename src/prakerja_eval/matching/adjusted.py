"""What matching and weighting have in common: weights of units, and whose effect they are about.

Estimators that work on weights (a weighted difference, g-computation) ask an adjustment for no
more than this, so that each of them follows every way to match or weight.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, TypeAlias

import numpy as np

from prakerja_eval.estimate import Estimate
from prakerja_eval.estimate.variance import ONE_UNIT
from prakerja_eval.matching.score.propensity import Propensity
from prakerja_eval.panel import UnitArrays
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

Estimand: TypeAlias = Literal["ATT", "ATC", "ATE"]

NOT_PARAMETRIC = "score not parametric"  # a status: no standard error

POPULATIONS = {
    "ATT": "treated people",
    "ATC": "comparison people",
    "ATE": "everyone",
    "ATO": "people weighted by overlap",
    "ATM": "people weighted as matched",
}


@dataclass(frozen=True, slots=True, eq=False)
class UnitWeights:
    """Weights of the units observed in a wave; arrays stand over the score's n units.

    Attributes
    ----------
    weights : (n,)
        Sampling weights included; zero for a unit that was not seen or does not take part. Their
        scale within an arm is free.
    reached : (n,) bool
        Focal units seen and still represented.
    clusters : mapping of name to (n,) int
        Groups that the adjustment made and inference may cluster by: "pair" after matching without
        replacement, "subclass"; -1 for a unit that takes no part.
    derivative : (n, q), optional
        d weights / d nuisance parameters (coefficients of the score, dual of the balance
        constraints), where the weights are a smooth function of them.
    nuisance : (n, q), optional
        Influence of those parameters; rows of units not seen count too.
    """

    weights: FloatArray
    reached: BoolArray
    clusters: Mapping[str, IntArray] = field(default_factory=dict)
    derivative: FloatArray | None = None
    nuisance: FloatArray | None = None


class Adjusted(Protocol):
    """Matched, stratified or weighted units."""

    @property
    def propensity(self) -> Propensity:
        """Return the units, their arms and covariates, with their score if there is one."""

    @property
    def estimand(self) -> str:
        """Return a key of ``POPULATIONS``."""

    @property
    def in_words(self) -> str:
        """Return the choices as a short label."""

    @property
    def focal(self) -> BoolArray:
        """Return the units whose effect is sought, before any was dropped, (n,)."""

    @property
    def weights(self) -> FloatArray:
        """Return the weights of units, all taken as seen, (n,)."""

    def among(self, seen: BoolArray) -> UnitWeights:
        """Return the weights where only some units were observed, (n,) bool."""


def focal_units(estimand: str, treated: BoolArray) -> BoolArray:
    """Return the units whose effect an estimand is about, (n,)."""
    if estimand in ("ATT", "ATC"):
        return treated if estimand == "ATT" else ~treated
    return np.ones_like(treated)


def labels(
    adjusted: Adjusted, estimator: str, lost: bool, *specification: str
) -> dict[str, object]:
    """Say whose effect it is and how people were made comparable.

    Parameters
    ----------
    adjusted : Adjusted
    estimator : str
        As in the column of that name.
    lost : bool
        Whether focal units that were seen have no counterpart: the estimand is then that of
        the others, "feasible ATT" say (King, Lucas and Nielsen 2017, doi 10.1111/ajps.12272).
    *specification : str
        What the estimator adds to the design's own words; empty ones are left out.
    """
    population = POPULATIONS[adjusted.estimand]
    score = adjusted.propensity.in_words
    return {
        "estimator": estimator,
        "estimand": f"feasible {adjusted.estimand}" if lost else adjusted.estimand,
        "population": f"{population} with a counterpart" if lost else population,
        "weighting": population,
        "specification": ", ".join(filter(None, [adjusted.in_words, score, *specification])),
    }


def wave_labels(
    arrays: UnitArrays, outcome: str, wave: int, lead: float | None
) -> dict[str, object]:
    """Return the index columns that say which outcome and wave a row is about."""
    return {
        "outcome": outcome,
        "wave": None if arrays.waves == ("",) else arrays.waves[wave],
        "event_time": lead,
    }


def with_two_an_arm(
    psi: FloatArray, counts: Mapping[str, object]
) -> tuple[FloatArray, Mapping[str, object]]:
    """Return ψ and the counts; ψ of NaN with a status where an arm has one person.

    Where no regression stands behind an estimate, nothing else would notice.
    """
    if min(int(str(counts[c])) for c in ("n_treated", "n_comparison")) > 1:
        return psi, counts
    return np.full_like(psi, np.nan), {**counts, "status": ONE_UNIT}


def counting(estimate: Estimate, part: BoolArray) -> Estimate:
    """Return an estimate of one row whose sample is ``part`` of its units, (n,) bool.

    The others took part in fitting the score: they have influence, and are not counted.
    """
    return replace(estimate, sample=part[:, None])


def in_wave(arrays: UnitArrays, wave: int) -> str:
    """Return " in wave 2020" for a message; nothing where the panel has one nameless wave."""
    return "" if arrays.waves == ("",) else f" in wave {arrays.waves[wave]}"
