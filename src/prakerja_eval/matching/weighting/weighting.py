"""How are people weighted to be comparable? The choices, made without outcomes."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate.specs import one_of
from prakerja_eval.matching.adjusted import Estimand

WeightEstimand: TypeAlias = Literal["ATT", "ATC", "ATE", "ATO", "ATM"]
Moments: TypeAlias = Literal[1, 2, 3]

KINDS = {"ATO": "overlap weights", "ATM": "matching weights"}


@dataclass(frozen=True, slots=True)
class InverseProbability:
    """Weights from the propensity score e.

    A treated person weighs h(e) / e and a comparison person h(e) / (1 - e), times the sampling
    weight; h(e) says whose effect it is.

    Parameters
    ----------
    estimand : {"ATT", "ATC", "ATE", "ATO", "ATM"}
        h is e, 1 - e, 1, e (1 - e) and min(e, 1 - e): the effect on the treated, on the comparison
        people, on everyone, on people as far as the arms overlap (Li, Morgan and Zaslavsky 2018),
        and on those that matching one to one would keep (Li and Greene 2013).
    trim : float, optional
        Leave out people whose score lies outside [trim, 1 - trim]. The estimand is then feasible
        only: an effect on the others. The score is not fitted again; for that trim the score's
        support.
    truncate : float, optional
        The share, .99 say, above whose quantile a weight is set to that quantile, arm by arm,
        before the sampling weight comes in; an arm that weighs one each is left alone. It trades
        variance for bias: the arms are no longer balanced on the score.

    References
    ----------
    Li, Morgan, Zaslavsky (2018), doi 10.1080/01621459.2016.1260466. Li, Greene (2013),
    doi 10.1515/ijb-2012-0030. Cole, Hernan (2008), doi 10.1093/aje/kwn164, on truncation.
    """

    estimand: WeightEstimand = "ATT"
    trim: float | None = None
    truncate: float | None = None

    def __post_init__(self) -> None:
        one_of(self.estimand, WeightEstimand, "InverseProbability(estimand)")
        if self.trim is not None and not 0 < self.trim < 0.5:
            raise UsageError(
                f"InverseProbability(trim) is {self.trim}; it must lie between 0 and 0.5."
            )
        if self.truncate is not None and not 0.5 <= self.truncate < 1:
            raise UsageError(
                f"InverseProbability(truncate) is {self.truncate}; it must be a share from 0.5 to "
                "below 1, 0.99 for the 99th percentile."
            )

    @property
    def in_words(self) -> str:
        """Return the choices as a short label."""
        parts = [KINDS.get(self.estimand, "inverse-probability weights")]
        if self.trim is not None:
            parts.append(f"scores within [{self.trim:g}, {1 - self.trim:g}]")
        if self.truncate is not None:
            parts.append(f"truncated at quantile {self.truncate:g}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class EntropyBalance:
    """Weights as near to the sampling weights as exact balance of covariate moments allows.

    Parameters
    ----------
    estimand : {"ATT", "ATC", "ATE"}
        Comparison people are weighted to the moments of the treated, the treated to those of the
        comparison people, or both arms to those of everyone.
    moments : {1, 2, 3}
        Balance means, also squares, also cubes.
    interactions : bool
        Balance the products of every two covariates too.
    drawn : bool
        Whether the moments to be met count as drawn from a population, so that their sampling
        enters standard errors. False takes them as known.

    References
    ----------
    Hainmueller (2012), doi 10.1093/pan/mpr025. Zhao, Percival (2017), doi 10.1515/jci-2016-0010.
    """

    estimand: Estimand = "ATT"
    moments: Moments = 1
    interactions: bool = False
    drawn: bool = True

    def __post_init__(self) -> None:
        one_of(self.estimand, Estimand, "EntropyBalance(estimand)")
        one_of(self.moments, Moments, "EntropyBalance(moments)")

    @property
    def in_words(self) -> str:
        """Return the choices as a short label."""
        parts = ["entropy balancing"]
        if self.moments > 1:
            parts.append("squares" if self.moments == 2 else "squares and cubes")
        if self.interactions:
            parts.append("interactions")
        if not self.drawn:
            parts.append("moments taken as known")
        return ", ".join(parts)


WeightDesign: TypeAlias = InverseProbability | EntropyBalance
