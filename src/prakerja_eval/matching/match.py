"""Who is each treated person's counterpart? Matching on the score, without a look at outcomes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import pandas as pd

from prakerja_eval.balance import Balance, stages
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.matching.adjusted import UnitWeights, focal_units
from prakerja_eval.matching.design import Nearest
from prakerja_eval.matching.greedy import Order, nearest_without_replacement
from prakerja_eval.matching.neighbours import Ties, nearest_with_replacement
from prakerja_eval.matching.pairs import (
    Pairs,
    between_seen,
    both_ways,
    effective_sample_size,
    in_sample,
    matched,
    matching_weights,
    pair_codes,
    times_used,
)
from prakerja_eval.matching.propensity import Propensity, propensity
from prakerja_eval.matching.strata import StrataDesign, Stratified, stratify
from prakerja_eval.panel import ArrayRequest, PanelProtocol
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

SCORE_NAME = "propensity score"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Matched:
    """Pairs of treated and comparison people.

    Attributes
    ----------
    design : Nearest
        The choices.
    propensity : Propensity
        The score and the units.
    pairs : Pairs
        Positions of the focal unit and of the unit it is compared with, weight, distance.
    groups : (n,) int array, optional
        Codes of the combinations on which a pair agrees, where the design asks for that.
    """

    design: Nearest
    propensity: Propensity
    pairs: Pairs
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
        return int(self.focal.sum()) - len(np.unique(self.pairs.focal))

    @property
    def weights(self) -> FloatArray:
        """Return unit weights after matching, zero for the unmatched, (n,).

        A focal unit counts once, and each time (or part of a time) that it serves; in an arm that
        only serves, weights add up to the number of matched people.
        """
        return _weights(self.pairs, self.design.estimand, len(self.focal))

    def among(self, seen: BoolArray) -> UnitWeights:
        """Return the weights where only some units were observed: of pairs with both seen."""
        pairs = between_seen(self.pairs, seen)
        n = len(seen)
        clusters = {} if self.design.replace else {"pair": pair_codes(pairs, n)}
        return UnitWeights(_weights(pairs, self.design.estimand, n), matched(pairs, n), clusters)

    @property
    def frame(self) -> pd.DataFrame:
        """Return a row a pair: unit, counterpart, weight, distance."""
        ids = self.propensity.units.index.to_numpy()
        return pd.DataFrame(
            {
                "unit": ids[self.pairs.focal],
                "counterpart": ids[self.pairs.comparison],
                "weight": self.pairs.weight,
                "distance": self.pairs.distance,
            }
        )

    def summary(self) -> pd.Series:
        """Return counts: people in each arm, matched, effective sample size, dropped, pairs."""
        treated, weights = self.propensity.treated, self.weights
        out: dict[str, float] = {}
        for name, arm in (("treated", treated), ("comparison", ~treated)):
            out[f"n_{name}"] = int(arm.sum())
            out[f"matched_{name}"] = int((weights[arm] > 0).sum())
            out[f"effective_{name}"] = effective_sample_size(weights[arm])
        out |= {"n_dropped": self.n_dropped, "n_pairs": len(self.pairs.focal)}
        return pd.Series(out | {"total_distance": float(self.pairs.distance.sum())})

    def balance(self) -> Balance:
        """Return the balance of the score and the covariates before and after matching."""
        score = self.propensity
        X = np.column_stack([score.score, score.covariates])
        weights = {"before": np.ones(len(score.treated)), "after": self.weights}
        return stages(X, (SCORE_NAME, *score.names), score.treated, weights, self.focal)

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
    design: Nearest | None = None,
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


def match(
    panel: PanelProtocol,
    design: Nearest | StrataDesign | None = None,
    *,
    covariates: Sequence[str] = (),
    score: Propensity | None = None,
) -> Matched | Stratified:
    """Match on the propensity score, or put people into strata.

    Parameters
    ----------
    panel : Panel
        With Roles ``cohort`` or ``received``. Outcomes are not looked at.
    design : Nearest, Subclass, Coarsened or Exact, optional
        Left out: one nearest neighbour with replacement, ties averaged, no caliper.
    covariates : sequence of str
        For the logit score; what ``Coarsened`` and ``Exact`` match on.
    score : Propensity, optional
        A score fitted before, instead of ``covariates``.

    Returns
    -------
    Matched or Stratified

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
    if isinstance(design, StrataDesign):
        return stratify(panel, design, covariates, score)
    design = design or Nearest()
    if (score is None) == (not covariates):
        raise UsageError("match needs covariates=[...] or score=..., one of them.")
    fitted = propensity(panel, covariates) if score is None else score
    groups = _exact_groups(panel, design, fitted)
    scale = fitted.score if design.scale == "probability" else fitted.linear_predictor
    directions = {"ATT": (True,), "ATC": (False,), "ATE": (True, False)}[design.estimand]
    found = [_one_way(scale, treated, fitted, groups, design) for treated in directions]
    pairs = found[0] if len(found) == 1 else both_ways(*found)
    if not len(pairs.focal):
        raise NotEstimableError("nobody has a counterpart within the caliper and exact groups.")
    return Matched(design, fitted, pairs, groups)


def _weights(pairs: Pairs, estimand: str, n: int) -> FloatArray:
    """Return unit weights, (n,)."""
    if estimand != "ATE":
        made = matching_weights(pairs, n, n)
        return made.focal + made.comparison
    return matched(pairs, n) + times_used(pairs, n)


def _exact_groups(panel: PanelProtocol, design: Nearest, fitted: Propensity) -> IntArray | None:
    """Return codes of the combinations on which a pair must agree."""
    if not design.exact:
        return None
    arrays = panel.arrays(ArrayRequest(None, design.exact))
    at = fitted.positions(arrays)
    _, codes = np.unique(arrays.covariates[at], axis=0, return_inverse=True)
    return np.asarray(codes.ravel(), dtype=np.int64)


def _one_way(
    scale: FloatArray,
    treated_focal: bool,
    fitted: Propensity,
    groups: IntArray | None,
    design: Nearest,
) -> Pairs:
    """Match one arm with the other, in positions of the whole sample.

    Where comparison units choose, the line of units is mirrored, so that a choice between ties is
    the one that the ATT of not being treated would make.
    """
    focal = fitted.treated if treated_focal else ~fitted.treated
    mine, theirs = np.flatnonzero(focal), np.flatnonzero(~focal)
    sign = 1.0 if treated_focal else -1.0
    theirs = theirs if treated_focal else theirs[::-1]
    sd = float(scale.std(ddof=1))
    caliper = np.inf if design.caliper is None else design.caliper * sd
    codes = None if groups is None else (groups[mine], groups[theirs])
    line = (sign * scale[mine], sign * scale[theirs], design.ratio, caliper)
    if design.replace and design.max_uses is None:
        tolerance = design.tie_tolerance * sd**2
        pairs = nearest_with_replacement(*line, Ties[design.ties.upper()], tolerance, codes)
    else:
        order = _order(design, treated_focal)
        pairs = nearest_without_replacement(*line, order, design.max_uses or 1, codes)
    return in_sample(pairs, mine, theirs)


def _order(design: Nearest, treated_focal: bool) -> Order:
    """Return who chooses first, on the line as it is handed to the kernel."""
    if design.order is None:
        return Order.LARGEST
    if treated_focal or design.order in ("data", "closest"):
        return Order[design.order.upper()]
    return Order.SMALLEST if design.order == "largest" else Order.LARGEST
