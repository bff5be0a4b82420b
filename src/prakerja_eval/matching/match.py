"""Who is each treated person's counterpart? Matching on the score, without a look at outcomes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import pandas as pd

from prakerja_eval.balance import Balance
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate.specs import instance_of
from prakerja_eval.matching.adjusted import UnitWeights, focal_units
from prakerja_eval.matching.kernels.kernel_matching import KernelDesign, KernelMatched, kernel_match
from prakerja_eval.matching.pairs.design import Nearest, PairDesign
from prakerja_eval.matching.pairs.greedy import Order, nearest_without_replacement
from prakerja_eval.matching.pairs.measure import measure, measured, measured_pairs
from prakerja_eval.matching.pairs.neighbours import (
    Direction,
    Ties,
    nearest_runs,
    nearest_with_replacement,
)
from prakerja_eval.matching.pairs.pairs import Pairs, effective_sample_size, in_sample, pair_codes
from prakerja_eval.matching.pairs.unmatched import unmatched
from prakerja_eval.matching.pairs.ways import (
    Ways,
    among_seen,
    joined,
    n_pairs,
    served,
    total_distance,
    written_out,
)
from prakerja_eval.matching.score.propensity import Propensity, propensity
from prakerja_eval.matching.strata.coarsened import Exact
from prakerja_eval.matching.strata.strata import StrataDesign, Stratified, stratify
from prakerja_eval.matching.strata.strata_columns import coded, joint
from prakerja_eval.panel import PanelProtocol
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Matched:
    """Pairs of treated and comparison people.

    Attributes
    ----------
    design : Nearest or Optimal
        The choices.
    propensity : Propensity
        The score and the units.
    found : Pairs or tuple of Direction
        Who is matched with whom: pairs, or, where people tied on the score are averaged, runs of
        the comparison people in order of their scores, which are not written out.
    groups : (n,) int array, optional
        Codes of the combinations on which a pair agrees, where the design asks for that.
    """

    design: PairDesign
    propensity: Propensity
    found: Pairs | Ways
    groups: IntArray | None = None

    @property
    def focal(self) -> BoolArray:
        """Return the units whose effect is sought, (n,)."""
        return focal_units(self.design.estimand, self.propensity.treated)

    @property
    def estimand(self) -> str:
        """Return "ATT", "ATC" or "ATE"."""
        return self.design.estimand

    @property
    def in_words(self) -> str:
        """Return the choices as a short label."""
        return self.design.in_words

    @property
    def n_dropped(self) -> int:
        """Return how many of them found no counterpart."""
        reached = served(self.found, len(self.focal)).reached
        return int(self.focal.sum()) - int(reached.sum())

    @property
    def ways(self) -> Ways:
        """Return the runs of tied people, one entry a direction; empty where there are pairs."""
        return () if isinstance(self.found, Pairs) else self.found

    @property
    def pairs(self) -> Pairs:
        """Return a row a pair: positions of both, weight, distance; written out on demand.

        Raises
        ------
        UsageError
            If ties make more than 100 million.
        """
        return written_out(self.found, self._scale)

    @property
    def _scale(self) -> FloatArray:
        return distance_scale(self.propensity, self.design)

    @property
    def weights(self) -> FloatArray:
        """Return unit weights after matching, zero for the unmatched, (n,).

        A focal unit counts once, and each time (or part of a time) that it serves; in an arm that
        only serves, the use of all adds up to the number of matched people. With sampling weights
        each unit counts with its own.
        """
        own = self.propensity.weight
        return served(self.found, len(own)).weights(own, scaled=self.estimand != "ATE")

    def among(self, seen: BoolArray) -> UnitWeights:
        """Return the weights where only some units were observed: of pairs with both seen."""
        found = among_seen(self.found, seen)
        own = self.propensity.weight
        match = served(found, len(own))
        clusters = {}
        if isinstance(found, Pairs) and not self.design.replace:
            clusters["pair"] = pair_codes(found, len(seen))
        weights = match.weights(own, scaled=self.estimand != "ATE")
        return UnitWeights(weights, match.reached, clusters)

    @property
    def frame(self) -> pd.DataFrame:
        """Return a row a pair: unit, counterpart, weight, distance."""
        ids, pairs = self.propensity.units.index.to_numpy(), self.pairs
        return pd.DataFrame(
            {
                "unit": ids[pairs.focal],
                "counterpart": ids[pairs.comparison],
                "weight": pairs.weight,
                "distance": pairs.distance,
            }
        )

    @property
    def unmatched(self) -> pd.DataFrame:
        """Return the people whose effect is sought that have no counterpart, each with why."""
        reached = served(self.found, len(self.focal)).reached
        left = np.flatnonzero(self.focal & ~reached)
        return unmatched(self.propensity, self.design, self.groups, left, self._scale)

    def summary(self) -> pd.Series:
        """Return counts: people in each arm, matched, effective sample size, dropped, pairs."""
        treated, weights = self.propensity.treated, self.weights
        out: dict[str, float] = {}
        for name, arm in (("treated", treated), ("comparison", ~treated)):
            out[f"n_{name}"] = int(arm.sum())
            out[f"matched_{name}"] = int((weights[arm] > 0).sum())
            out[f"effective_{name}"] = effective_sample_size(weights[arm])
        out |= {"n_dropped": self.n_dropped, "n_pairs": n_pairs(self.found)}
        return pd.Series(out | {"total_distance": total_distance(self.found, self._scale)})

    def balance(self, *, squares: bool = False, interactions: bool = False) -> Balance:
        """Return the balance of the score, if any, and the covariates before and after.

        ``matching.balance`` compares more columns.
        """
        from prakerja_eval.matching.balance import balance

        return balance(self, squares=squares, interactions=interactions)

    def __repr__(self) -> str:
        counts = self.summary()
        return (
            f"Matched ({self.design.estimand}, {self.design.in_words}): "
            f"{counts['matched_treated']:,.0f} of {counts['n_treated']:,.0f} treated with "
            f"{counts['matched_comparison']:,.0f} of {counts['n_comparison']:,.0f} comparison units"
        )


@overload
def match(
    panel: PanelProtocol,
    design: PairDesign | None = None,
    *,
    covariates: Sequence[str] = (),
    score: Propensity | None = None,
) -> Matched: ...


@overload
def match(
    panel: PanelProtocol,
    design: StrataDesign,
    *,
    covariates: Sequence[str] = (),
    score: Propensity | None = None,
) -> Stratified: ...


@overload
def match(
    panel: PanelProtocol,
    design: KernelDesign,
    *,
    covariates: Sequence[str] = (),
    score: Propensity | None = None,
) -> KernelMatched: ...


def match(
    panel: PanelProtocol,
    design: PairDesign | StrataDesign | KernelDesign | None = None,
    *,
    covariates: Sequence[str] = (),
    score: Propensity | None = None,
) -> Matched | Stratified | KernelMatched:
    """Match on the propensity score, or put people into strata.

    Parameters
    ----------
    panel : Panel
        With Roles ``cohort`` or ``received``. Outcomes are not looked at.
    design : Nearest, Optimal, Kernel, Radius, Subclass, Coarsened or Exact, optional
        Left out: one nearest neighbour with replacement, ties averaged, no caliper.
    covariates : sequence of str
        For the logit score; what ``Coarsened`` and ``Exact`` match on.
    score : Propensity, optional
        A score fitted before, instead of ``covariates``.

    Returns
    -------
    Matched, KernelMatched or Stratified

    Raises
    ------
    NotEstimableError
        If nobody finds a counterpart, or the score cannot be fitted.
    UsageError
        If neither or both of covariates and score are given.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdef"), "trained": [1, 0, 1, 0, 1, 0],
    ...                       "age": [20, 21, 30, 28, 25, 40]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", received="trained"))
    >>> pe.matching.match(panel, covariates=["age"]).n_dropped
    0
    """
    instance_of(design or Nearest(), PairDesign | StrataDesign | KernelDesign, "match(design)")
    if score is not None:
        instance_of(score, Propensity, "match(score)")
    if isinstance(design, StrataDesign):
        return stratify(panel, design, covariates, score)
    design = design or Nearest()
    if (score is None) == (not covariates):
        raise UsageError("match needs covariates=[...] or score=..., one of them.")
    if isinstance(design, KernelDesign):
        return kernel_match(panel, design, covariates, score)
    fitted = propensity(panel, covariates) if score is None else score
    if design.distance == "score" and not np.isfinite(fitted.score).all():
        raise UsageError(
            "distances are in the score, and these people have none: fit one with "
            "propensity(panel, covariates), or choose another distance."
        )
    groups = _exact_groups(panel, design, fitted)
    scale = distance_scale(fitted, design)
    directions = {"ATT": (True,), "ATC": (False,), "ATE": (True, False)}[design.estimand]
    if isinstance(design, Nearest) and not measured(design):
        found = [_one_way(scale, treated, fitted, groups, design) for treated in directions]
    else:
        made = measure(panel, design, fitted, scale)
        found = [measured_pairs(made, design, fitted, scale, groups, t) for t in directions]
    all_found = joined(found)
    if not n_pairs(all_found):
        raise NotEstimableError("nobody has a counterpart within the caliper and exact groups.")
    return Matched(design, fitted, all_found, groups)


def distance_scale(score: Propensity, design: PairDesign) -> FloatArray:
    """Return what the design measures distances in, (n,)."""
    return score.score if design.scale == "probability" else score.linear_predictor


def _exact_groups(panel: PanelProtocol, design: PairDesign, fitted: Propensity) -> IntArray | None:
    """Return codes of the combinations on which a pair must agree."""
    if not design.exact:
        return None
    return joint(coded(panel, Exact(), design.exact, fitted))[0]


def _one_way(
    scale: FloatArray,
    treated_focal: bool,
    fitted: Propensity,
    groups: IntArray | None,
    design: Nearest,
) -> Pairs | Direction:
    """Match one arm with the other, in positions of the whole sample.

    Where comparison units choose, the line of units is mirrored, so that a choice between ties is
    the one that the ATT of not being treated would make.
    """
    focal = fitted.treated if treated_focal else ~fitted.treated
    mine = np.flatnonzero(focal & fitted.supported)
    theirs = np.flatnonzero(~focal & fitted.supported)
    sign = 1.0 if treated_focal else -1.0
    theirs = theirs if treated_focal else theirs[::-1]
    sd = float(scale[fitted.supported].std(ddof=1))
    caliper = np.inf if design.caliper is None else design.caliper * sd
    codes = None if groups is None else (groups[mine], groups[theirs])
    line = (sign * scale[mine], sign * scale[theirs], design.ratio, caliper)
    tolerance = design.tie_tolerance * sd**2
    if not design.replace or design.max_uses is not None:
        order = _order(design, treated_focal)
        pairs = nearest_without_replacement(*line, order, design.max_uses or 1, codes)
    elif design.ties == "average":
        return Direction(mine, theirs, nearest_runs(*line, tolerance, codes))
    else:
        pairs = nearest_with_replacement(*line, Ties.FIRST, tolerance, codes)
    return in_sample(pairs, mine, theirs)


def _order(design: Nearest, treated_focal: bool) -> Order:
    """Return who chooses first, on the line as it is handed to the kernel."""
    if design.order is None:
        return Order.LARGEST
    if treated_focal or design.order in ("data", "closest"):
        return Order[design.order.upper()]
    return Order.SMALLEST if design.order == "largest" else Order.LARGEST
