"""Who is compared with whom? The choices of pair matching, made without outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Literal, TypeAlias

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate.specs import number_of, one_of
from prakerja_eval.matching.adjusted import Estimand

Order: TypeAlias = Literal["largest", "smallest", "data", "closest", "random"]
Ties: TypeAlias = Literal["average", "first"]
Scale: TypeAlias = Literal["probability", "logit"]
Distance: TypeAlias = Literal["score", "mahalanobis", "robust_mahalanobis", "scaled_euclidean"]
Covariance: TypeAlias = Literal["pooled", "sample"]
Calipers: TypeAlias = tuple[tuple[str, float], ...] | Mapping[str, float]

DISTANCE_WORDS = {
    "mahalanobis": "Mahalanobis distance",
    "robust_mahalanobis": "rank-based Mahalanobis distance",
    "scaled_euclidean": "scaled Euclidean distance",
}


@dataclass(frozen=True, slots=True)
class Nearest:
    """Nearest-neighbour matching on the propensity score or on covariates.

    Parameters
    ----------
    ratio : int
        Comparison units for each treated one.
    replace : bool
        Whether a comparison unit may serve several treated ones.
    caliper : float, optional
        Greatest distance, in standard deviations of the score over all units, whatever the
        distance is. Treated units without a neighbour inside it are dropped, and the estimand
        changes with them.
    exact : tuple of str
        Baseline columns on which a pair must agree.
    order : {"largest", "smallest", "data", "closest", "random"}, optional
        Who chooses first without replacement: falling score, rising score, order of first
        appearance, the closest pair, or by lot. Left out, the hardest to match first: the largest
        score for an ATT, the smallest for an ATC; where no score plays a part (a distance in
        covariates, no caliper), the order of first appearance.
    ties : {"average", "first"}
        With replacement: average all comparison units at the same distance, or take the first.
    tie_tolerance : float
        Tolerance on the squared distance within which a unit counts as tied: in squared standard
        deviations of the score, or as it is for a distance in covariates.
    max_uses : int, optional
        With replacement: the most often that one comparison unit may serve. The choice is then
        greedy, in ``order``.
    estimand : {"ATT", "ATC", "ATE"}
        Effect on the treated, on the comparison units, or on all.
    scale : {"probability", "logit"}
        Score distances and calipers in the score itself or in its linear predictor.
    distance : {"score", "mahalanobis", "robust_mahalanobis", "scaled_euclidean"}
        Absolute difference of the scores, or a distance in the covariates ``on``: see
        docs/methods/matching-distances.md for the equations.
    on : tuple of str
        Covariates of the distance; left out, all of the score's.
    covariance : {"pooled", "sample"}, optional
        Of the covariates within the arms, or in all people. Left out, pooled; of all for the
        rank-based distance.
    calipers : mapping of str to float, or tuple of pairs
        Greatest difference in a baseline column, in its own units: ``{"age": 2}``.
    seed : int, optional
        Of ``order="random"``.

    Examples
    --------
    Mahalanobis distance in two covariates among those close in the score and in age:

    >>> from prakerja_eval.matching import Nearest
    >>> design = Nearest(replace=False, distance="mahalanobis", on=("age", "school"),
    ...                  caliper=0.2, calipers={"age": 5})
    >>> design.in_words
    '1:1, without replacement, Mahalanobis distance on age, school, caliper 0.2 sd, age within 5'
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
    distance: Distance = "score"
    on: tuple[str, ...] = ()
    covariance: Covariance | None = None
    calipers: Calipers = ()
    seed: int | None = None

    def __post_init__(self) -> None:
        _settle(self, "Nearest")
        if self.order is not None:
            one_of(self.order, Order, "Nearest(order)")
        one_of(self.ties, Ties, "Nearest(ties)")
        one_of(self.estimand, Estimand, "Nearest(estimand)")
        if self.max_uses is not None:
            _at_least_one(self.max_uses, "Nearest(max_uses)")
        if not self.tie_tolerance >= 0:
            raise UsageError(f"Nearest(tie_tolerance) is {self.tie_tolerance}; zero or more.")
        if self.estimand == "ATE" and not self.replace:
            raise UsageError("Nearest(estimand='ATE') needs replacement: each unit is matched.")
        if self.max_uses is not None and not self.replace:
            raise UsageError("Nearest(max_uses) is for matching with replacement.")
        self._check_order()

    def _check_order(self) -> None:
        if self.order == "closest" and self.ratio > 1 and (self.max_uses or 1) > 1:
            raise UsageError("Nearest(order='closest') takes ratio=1 or max_uses=1.")
        if self.order is not None and self.replace and self.max_uses is None:
            raise UsageError(
                "Nearest(order) is for matching without replacement or with max_uses; with "
                "replacement nobody has to choose first."
            )
        if (self.order == "random") != (self.seed is not None):
            raise UsageError(
                "Nearest(order='random') and Nearest(seed) belong together: give both or neither."
            )
        if self.seed is not None and self.seed < 0:
            raise UsageError(f"Nearest(seed) is {self.seed}; zero or more.")

    @property
    def in_words(self) -> str:
        """Return the choices as a short label."""
        parts = [f"{self.ratio}:1", "with replacement" if self.replace else "without replacement"]
        parts += _reach_in_words(self)
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Optimal:
    """Pairs without replacement with the least total distance.

    First as many focal units as possible get their ``ratio`` counterparts within calipers and
    exact groups, then the sum of distances is as small as it can be. A focal unit gets all its
    counterparts or none.

    Parameters
    ----------
    ratio, caliper, exact, scale, distance, on, covariance, calipers
        As in ``Nearest``.
    estimand : {"ATT", "ATC"}
        Effect on the treated or on the comparison units.

    References
    ----------
    Rosenbaum (1989), doi 10.1080/01621459.1989.10478868.

    Examples
    --------
    >>> from prakerja_eval.matching import Optimal
    >>> Optimal(caliper=0.2).in_words
    'optimal 1:1, without replacement, caliper 0.2 sd'
    """

    ratio: int = 1
    caliper: float | None = None
    exact: tuple[str, ...] = ()
    estimand: Estimand = "ATT"
    scale: Scale = "probability"
    distance: Distance = "score"
    on: tuple[str, ...] = ()
    covariance: Covariance | None = None
    calipers: Calipers = ()

    def __post_init__(self) -> None:
        _settle(self, "Optimal")
        one_of(self.estimand, Literal["ATT", "ATC"], "Optimal(estimand)")

    @property
    def replace(self) -> bool:
        """Return False: a comparison unit serves once."""
        return False

    @property
    def max_uses(self) -> None:
        """Return None, as for ``Nearest(replace=False)``."""
        return None

    @property
    def ties(self) -> Ties:
        """Return "first": of optimal pairings, one."""
        return "first"

    @property
    def tie_tolerance(self) -> float:
        """Return 0."""
        return 0.0

    @property
    def in_words(self) -> str:
        """Return the choices as a short label."""
        parts = [f"optimal {self.ratio}:1", "without replacement", *_reach_in_words(self)]
        return ", ".join(parts)


PairDesign: TypeAlias = Nearest | Optimal


def pooled(design: PairDesign) -> bool:
    """Return whether the covariance of the distance is that within the arms."""
    if design.covariance is None:
        return design.distance != "robust_mahalanobis"
    return design.covariance == "pooled"


def _settle(design: PairDesign, name: str) -> None:
    """Bring tuples to their form, and check what both designs have."""
    for field in ("exact", "on"):
        object.__setattr__(design, field, _names(getattr(design, field), f"{name}({field})"))
    object.__setattr__(design, "calipers", _widths(design.calipers, name))
    one_of(design.scale, Scale, f"{name}(scale)")
    one_of(design.distance, Distance, f"{name}(distance)")
    if design.covariance is not None:
        one_of(design.covariance, Covariance, f"{name}(covariance)")
    for field in ("on", "covariance"):
        if design.distance == "score" and getattr(design, field):
            raise UsageError(
                f"{name}({field}) is for a distance in covariates; choose distance='mahalanobis', "
                "'robust_mahalanobis' or 'scaled_euclidean'."
            )
    _at_least_one(design.ratio, f"{name}(ratio)")
    if not isinstance(design.replace, bool):
        raise UsageError(f"{name}(replace) is {design.replace!r}; it must be True or False.")
    if design.caliper is not None and not number_of(design.caliper, f"{name}(caliper)") > 0:
        raise UsageError(f"{name}(caliper) is {design.caliper}; it must be above zero.")


def _at_least_one(value: object, what: str) -> None:
    """Refuse what is no whole number from one."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise UsageError(f"{what} is {value!r}; it must be a whole number.")
    if value < 1:
        raise UsageError(f"{what} is {value}; it must be at least 1.")


def _names(value: object, where: str) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, tuple | list):
        raise UsageError(f"{where} is {value!r}; give a tuple of column names.")
    return tuple(value)


def _widths(calipers: Calipers, name: str) -> tuple[tuple[str, float], ...]:
    """Return calipers as pairs of column and width."""
    try:
        widths = {column: float(width) for column, width in dict(calipers).items()}
    except (TypeError, ValueError):
        raise UsageError(
            f"{name}(calipers) is {calipers!r}; give columns and widths, {{'age': 2}} say."
        ) from None
    for column, width in widths.items():
        if not width >= 0:
            raise UsageError(f"{name}(calipers) has {width:g} for {column!r}; zero or more.")
    return tuple(widths.items())


def _reach_in_words(design: PairDesign) -> list[str]:
    """Say what is measured, and how far a counterpart may be."""
    parts = []
    if design.distance != "score":
        on = f" on {', '.join(design.on)}" if design.on else ""
        covariance = f", {design.covariance} covariance" if design.covariance else ""
        parts.append(f"{DISTANCE_WORDS[design.distance]}{on}{covariance}")
    if design.caliper is not None:
        parts.append(f"caliper {design.caliper:g} sd")
    parts += [f"{column} within {width:g}" for column, width in dict(design.calipers).items()]
    if design.exact:
        parts.append(f"exact on {', '.join(design.exact)}")
    return parts
