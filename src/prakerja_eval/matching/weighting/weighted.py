"""How much does each person count, and how many people is that worth?"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from prakerja_eval.balance import Balance
from prakerja_eval.matching.adjusted import UnitWeights, focal_units
from prakerja_eval.matching.pairs.pairs import effective_sample_size
from prakerja_eval.matching.score.models import NoScore
from prakerja_eval.matching.score.propensity import Propensity
from prakerja_eval.matching.weighting.weighting import EntropyBalance, WeightDesign
from prakerja_eval.typing import BoolArray, FloatArray

THIN = 0.10  # an effective sample below this share of an arm is worth a word
HEAVY = 0.10  # so is a person with more than this share of an arm's weight
ARMS = ("treated", "comparison")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Weighted:
    """People weighted to be comparable; satisfies ``Adjusted``.

    Attributes
    ----------
    design : InverseProbability or EntropyBalance
        The choices.
    propensity : Propensity
        The people; with their score where the design uses one.
    raw : (n,) array
        Weights as the formula gives them, times the sampling weights; zero for people who take no
        part. Inverse-probability weights of the treated are one for an ATT, 1 / e for an ATE; those
        of entropy balancing have, within each arm, the sum of its sampling weights.
    size : float
        People whose effect is sought, by sampling weight: the treated for an ATT, comparison people
        for an ATC, everyone for an ATE, without those left out; for ATO and ATM the sum of h(e).
    dependence : function, optional
        Returns d raw / d nuisance parameters and the influence of those parameters, both (n, q);
        None where they are not finitely many.
    """

    design: WeightDesign
    propensity: Propensity
    raw: FloatArray
    size: float
    dependence: Callable[[], tuple[FloatArray, FloatArray]] | None = None

    @property
    def weights(self) -> FloatArray:
        """Return the weights scaled to add up to ``size`` in each arm (Hájek), (n,)."""
        treated = self.propensity.treated
        total = np.where(treated, self.raw @ treated, self.raw @ ~treated)
        return np.asarray(self.raw * (self.size / total), dtype=np.float64)

    @property
    def estimand(self) -> str:
        """Return "ATT", "ATC", "ATE", "ATO" or "ATM"."""
        return self.design.estimand

    @property
    def in_words(self) -> str:
        """Return the choices as a short label."""
        score = self.propensity
        support = "" if score.support is None else score.support.in_words
        about = support if isinstance(self.design, EntropyBalance) else score.in_words
        return ", ".join(filter(None, [self.design.in_words, about]))

    @property
    def focal(self) -> BoolArray:
        """Return the people whose effect is sought, before any was left out, (n,)."""
        return focal_units(self.design.estimand, self.propensity.treated)

    @property
    def parametric(self) -> bool:
        """Say whether the weights follow from finitely many parameters whose influence is known.

        If not (a machine-learned score), ``among`` has no derivative, and an effect on these
        weights has no standard error: its status is "score not parametric".
        """
        return self.dependence is not None

    @property
    def n_dropped(self) -> int:
        """Return how many people whose effect is sought were left out."""
        return int((self.focal & self._left_out()).sum())

    @property
    def effective(self) -> pd.Series:
        """Return Kish's effective sample size (sum w)^2 / sum w^2 of each arm."""
        return pd.Series({a: effective_sample_size(self.raw[arm]) for a, arm in self._arms()})

    def among(self, seen: BoolArray) -> UnitWeights:
        """Return the weights, unscaled, where only some people were observed.

        They are not made anew: whoever was not seen weighs zero.
        """
        weights = np.where(seen, self.raw, 0.0)
        reached = self.focal & seen & ~self._left_out()
        if self.dependence is None:
            return UnitWeights(weights, reached)
        by_parameter, nuisance = self.dependence()
        derivative = by_parameter * seen[:, None]
        return UnitWeights(weights, reached, derivative=derivative, nuisance=nuisance)

    @property
    def frame(self) -> pd.DataFrame:
        """Return a row a person: treated, score if there is one, weight."""
        score = self.propensity
        columns = {"treated": score.treated.astype(int)}
        columns |= {"score": score.score} if has_score(score) else {}
        return pd.DataFrame(columns | {"weight": self.weights}, index=score.units.index)

    def summary(self) -> pd.Series:
        """Return, by arm: people, those with weight, effective sample size, largest weight.

        ``share_*`` is the largest weight over the arm's sum.
        """
        out: dict[str, float] = {}
        for name, arm in self._arms():
            w = self.weights[arm]
            out |= {f"n_{name}": len(w), f"weighted_{name}": int((w > 0).sum())}
            out[f"effective_{name}"] = effective_sample_size(w)
            out |= {f"largest_{name}": float(w.max()), f"share_{name}": float(w.max() / w.sum())}
        return pd.Series(out | {"n_dropped": self.n_dropped})

    @property
    def notices(self) -> tuple[str, ...]:
        """Return, in words, what should be known before an effect is computed."""
        found, counts = [], self.summary()
        for name, _ in self._arms():
            n, effective = counts[f"weighted_{name}"], counts[f"effective_{name}"]
            if effective < THIN * n:
                found.append(
                    f"the {n:,.0f} {name} people count as {effective:,.1f}: "
                    "few of them are like the people whose effect is sought"
                )
            if n > 1 / HEAVY and counts[f"share_{name}"] > HEAVY:
                found.append(f"one {name} person has {counts[f'share_{name}']:.0%} of the weight")
        if self.n_dropped:
            found.append(f"{self.n_dropped:,} people whose effect is sought were left out")
        return tuple(found)

    def balance(self, *, squares: bool = False, interactions: bool = False) -> Balance:
        """Return the balance of the score, if any, and the covariates before and after.

        ``matching.balance`` compares more columns.
        """
        from prakerja_eval.matching.balance import balance

        return balance(self, squares=squares, interactions=interactions)

    def _left_out(self) -> BoolArray:
        return np.asarray((self.raw == 0) & (self.propensity.weight > 0))

    def _arms(self) -> tuple[tuple[str, BoolArray], ...]:
        treated = self.propensity.treated
        return tuple(zip(ARMS, (treated, ~treated), strict=True))

    def __repr__(self) -> str:
        sizes = ", ".join(
            f"{arm.sum():,} {name} count as {self.effective[name]:,.1f}"
            for name, arm in self._arms()
        )
        estimand = f"feasible {self.estimand}" if self.n_dropped else self.estimand
        lines = [f"Weighted ({estimand}, {self.in_words}): {sizes}"]
        return "\n".join([*lines, *(f"note: {notice}" for notice in self.notices)])


def has_score(people: Propensity) -> bool:
    """Say whether people have a score."""
    return not isinstance(people.model, NoScore)
