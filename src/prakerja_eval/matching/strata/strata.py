"""Who is compared with whom within strata? Units put together, without a look at outcomes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

from prakerja_eval.balance import Balance
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.matching.adjusted import UnitWeights, focal_units
from prakerja_eval.matching.pairs.pairs import effective_sample_size
from prakerja_eval.matching.score.models import NoScore
from prakerja_eval.matching.score.propensity import Propensity, people, propensity
from prakerja_eval.matching.strata.coarsened import Coarsened, Exact
from prakerja_eval.matching.strata.strata_columns import coded, joint
from prakerja_eval.matching.strata.stratum_weights import StratumWeights, stratum_weights
from prakerja_eval.matching.strata.subclass import Subclass, subclasses
from prakerja_eval.panel import PanelProtocol
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

StrataDesign: TypeAlias = Subclass | Coarsened | Exact


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Stratified:
    """Units in strata, within which the arms are compared.

    Attributes
    ----------
    design : Subclass, Coarsened or Exact
        The choices.
    propensity : Propensity
        The units, their arms and covariates; the score where the strata are made of it.
    cell : (n,) int array
        The stratum of each unit as it was made, -1 for people outside common support.
    strata : DataFrame
        What each stratum is: a row a code, a column for each column matched on, or the range of
        the score.
    """

    design: StrataDesign
    propensity: Propensity
    cell: IntArray
    strata: pd.DataFrame

    @property
    def estimand(self) -> str:
        """Return "ATT", "ATC" or "ATE"."""
        return self.design.estimand

    @property
    def in_words(self) -> str:
        """Return the choices as a short label."""
        return self.design.in_words

    @property
    def focal(self) -> BoolArray:
        """Return the units whose effect is sought, (n,)."""
        return focal_units(self.design.estimand, self.propensity.treated)

    @property
    def weights(self) -> FloatArray:
        """Return unit weights, zero for people in a stratum that lacks an arm, (n,).

        Within a stratum an arm weighs as much as the focal units there; each arm adds up to those
        of it that take part, with their sampling weights.
        """
        return self._within(np.ones_like(self.propensity.treated)).weights

    @property
    def stratum(self) -> IntArray:
        """Return the stratum in which each unit is compared, -1 for none, (n,)."""
        return self._within(np.ones_like(self.propensity.treated)).stratum

    def _within(self, seen: BoolArray) -> StratumWeights:
        units = self.propensity
        return stratum_weights(self.cell, units.treated, self.focal, units.weight, seen)

    def among(self, seen: BoolArray) -> UnitWeights:
        """Return the weights where only some units were observed: made again of those."""
        found = self._within(seen)
        reached = self.focal & (found.stratum >= 0)
        return UnitWeights(found.weights, reached, {"subclass": found.stratum})

    @property
    def n_dropped(self) -> int:
        """Return how many focal units have nobody of the other arm in their stratum."""
        return int((self.focal & (self.stratum < 0)).sum())

    @property
    def frame(self) -> pd.DataFrame:
        """Return a row a stratum: what it is, people of each arm, whether they are compared."""
        treated = self.propensity.treated
        counts = {
            name: np.bincount(self.cell[arm & (self.cell >= 0)], minlength=len(self.strata))
            for name, arm in (("treated", treated), ("comparison", ~treated))
        }
        used = np.bincount(self.stratum[self.stratum >= 0], minlength=len(self.strata)) > 0
        return self.strata.assign(**counts, compared=used)

    @property
    def unmatched(self) -> pd.DataFrame:
        """Return who takes no part, by unit: arm, stratum, reason."""
        out = self.stratum < 0
        treated, cell = self.propensity.treated[out], self.cell[out]
        lacking = np.where(treated, "no comparison unit", "no treated unit")
        reason = np.where(cell < 0, "outside common support", lacking)
        return pd.DataFrame(
            {
                "treated": treated.astype(int),
                "stratum": cell,
                "reason": reason,
            },
            index=self.propensity.units.index[out],
        )

    def summary(self) -> pd.Series:
        """Return counts: people in each arm, matched, effective sample size, dropped, strata."""
        treated, weights = self.propensity.treated, self.weights
        out: dict[str, float] = {}
        for name, arm in (("treated", treated), ("comparison", ~treated)):
            out[f"n_{name}"] = int(arm.sum())
            out[f"matched_{name}"] = int((weights[arm] > 0).sum())
            out[f"effective_{name}"] = effective_sample_size(weights[arm])
        n_strata = len(np.unique(self.stratum[self.stratum >= 0]))
        out |= {"n_dropped": self.n_dropped, "n_strata": n_strata}
        return pd.Series(out | {"n_strata_dropped": len(self.strata) - n_strata})

    def balance(self, *, squares: bool = False, interactions: bool = False) -> Balance:
        """Return the balance of the score, if any, and the covariates before and after.

        ``matching.balance`` compares more columns.
        """
        from prakerja_eval.matching.balance import balance

        return balance(self, squares=squares, interactions=interactions)

    def __repr__(self) -> str:
        counts = self.summary()
        return (
            f"Stratified ({self.estimand}, {self.in_words}): "
            f"{counts['matched_treated']:,.0f} of {counts['n_treated']:,.0f} treated with "
            f"{counts['matched_comparison']:,.0f} of {counts['n_comparison']:,.0f} comparison "
            f"units in {counts['n_strata']:,.0f} strata"
        )


def stratify(
    panel: PanelProtocol,
    design: StrataDesign,
    covariates: Sequence[str] = (),
    score: Propensity | None = None,
) -> Stratified:
    """Put units into strata: of a score, or of what they have in common.

    Parameters
    ----------
    panel : Panel
    design : Subclass, Coarsened or Exact
    covariates : sequence of str
        For the logit score of ``Subclass``; what ``Coarsened`` and ``Exact`` match on, unless their
        ``on`` says so. Balance is shown on all of them.
    score : Propensity, optional
        A score fitted before, instead of ``covariates``.

    Raises
    ------
    NotEstimableError
        If no stratum holds both arms.
    UsageError
        If nothing says what to match on.
    """
    if isinstance(design, Subclass):
        made = _by_score(design, propensity(panel, covariates) if score is None else score)
    else:
        made = _by_covariates(panel, design, covariates, score)
    if not (made.stratum >= 0).any():
        raise NotEstimableError(
            f"none of the {len(made.strata):,} strata ({design.in_words}) holds both treated and "
            "comparison people; coarsen them."
        )
    return made


def _by_score(design: Subclass, fitted: Propensity) -> Stratified:
    """Cut the score of those inside common support."""
    inside, focal = fitted.supported, focal_units(design.estimand, fitted.treated)
    if isinstance(fitted.model, NoScore):
        raise UsageError("Subclass needs a score; fit one by propensity(panel, covariates).")
    if not (focal & inside).any():
        raise NotEstimableError("nobody whose effect is sought is inside common support.")
    cell = np.where(inside, subclasses(fitted.score, focal & inside, design.n), -1)
    by_cell = pd.Series(fitted.score[inside]).groupby(cell[inside])
    ends = pd.DataFrame({"score_low": by_cell.min(), "score_high": by_cell.max()})
    strata = ends.reindex(pd.RangeIndex(design.n, name="stratum"))
    return Stratified(design, fitted, cell, strata)


def _by_covariates(
    panel: PanelProtocol,
    design: Coarsened | Exact,
    covariates: Sequence[str],
    score: Propensity | None,
) -> Stratified:
    """Put those together who agree on every column."""
    names = design.on or tuple(covariates)
    if not names:
        raise UsageError(f"{type(design).__name__}(on=...) names the columns to match on.")
    if score is None:
        score = people(panel, covariates or (names if isinstance(design, Coarsened) else ()))
    code, words = joint(coded(panel, design, names, score))
    index = pd.RangeIndex(len(words), name="stratum")
    strata = pd.DataFrame(words, columns=list(names), index=index)
    return Stratified(design, score, np.where(score.supported, code, -1), strata)
