"""Who is compared with whom? The choices of nearest-neighbour matching, made without outcomes."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate.specs import one_of
from prakerja_eval.matching.adjusted import Estimand

Order: TypeAlias = Literal["largest", "smallest", "data", "closest"]
Ties: TypeAlias = Literal["average", "first"]
Scale: TypeAlias = Literal["probability", "logit"]


@dataclass(frozen=True, slots=True)
class Nearest:
    """Nearest-neighbour matching on the propensity score.

    Parameters
    ----------
    ratio : int
        Comparison units for each treated one.
    replace : bool
        Whether a comparison unit may serve several treated ones.
    caliper : float, optional
        Greatest distance, in standard deviations of the score over all units. Treated units
        without a neighbour inside it are dropped, and the estimand changes with them.
    exact : tuple of str
        Baseline columns on which a pair must agree.
    order : {"largest", "smallest", "data", "closest"}, optional
        Who chooses first without replacement: falling score, rising score, order of first
        appearance, or the closest pair. Left out, the hardest to match first: the largest score
        for an ATT, the smallest for an ATC.
    ties : {"average", "first"}
        With replacement: average all comparison units at the same distance, or take the first.
    tie_tolerance : float
        Tolerance on the squared distance within which a unit counts as tied, in squared standard
        deviations of the score.
    max_uses : int, optional
        With replacement: the most often that one comparison unit may serve. The choice is then
        greedy, in ``order``.
    estimand : {"ATT", "ATC", "ATE"}
        Effect on the treated, on the comparison units, or on all.
    scale : {"probability", "logit"}
        Distances in the score itself or in its linear predictor.
    """

    ratio: int = 1
    replace: bool = True
    caliper: float | None = None
    exact: tuple[str, ...] = ()
    order: Order | None = None
    ties: Ties = "average"
    tie_tolerance: float = 0.0
    max_uses: int | None = None
    estimand: Estimand = "ATT"
    scale: Scale = "probability"

    def __post_init__(self) -> None:
        object.__setattr__(self, "exact", tuple(self.exact))
        if self.order is not None:
            one_of(self.order, Order, "Nearest(order)")
        one_of(self.ties, Ties, "Nearest(ties)")
        one_of(self.estimand, Estimand, "Nearest(estimand)")
        one_of(self.scale, Scale, "Nearest(scale)")
        for name in ("ratio", "max_uses"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"Nearest({name}) is {value}; it must be at least 1.")
        if self.caliper is not None and not self.caliper > 0:
            raise UsageError(f"Nearest(caliper) is {self.caliper}; it must be above zero.")
        if self.tie_tolerance < 0:
            raise UsageError(f"Nearest(tie_tolerance) is {self.tie_tolerance}; zero or more.")
        if self.estimand == "ATE" and not self.replace:
            raise UsageError("Nearest(estimand='ATE') needs replacement: each unit is matched.")
        if self.order == "closest" and self.ratio > 1 and (self.max_uses or 1) > 1:
            raise UsageError("Nearest(order='closest') takes ratio=1 or max_uses=1.")
        if self.order is not None and self.replace and self.max_uses is None:
            raise UsageError(
                "Nearest(order) is for matching without replacement or with max_uses; with "
                "replacement nobody has to choose first."
            )
        if self.max_uses is not None and not self.replace:
            raise UsageError("Nearest(max_uses) is for matching with replacement.")

    @property
    def in_words(self) -> str:
        """Return the choices as a short label."""
        parts = [f"{self.ratio}:1", "with replacement" if self.replace else "without replacement"]
        if self.caliper is not None:
            parts.append(f"caliper {self.caliper:g} sd")
        if self.exact:
            parts.append(f"exact on {', '.join(self.exact)}")
        return ", ".join(parts)
