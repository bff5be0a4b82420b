"""How uncertain? The frozen specifications of inference, each of which names its allowed values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from types import UnionType
from typing import Literal, TypeAlias, get_args

from prakerja_eval.errors import UsageError

RobustKind: TypeAlias = Literal["HC0", "HC1", "HC2", "HC3"]
RobustReference: TypeAlias = Literal["t", "normal", "welch"]
ClusterCorrection: TypeAlias = Literal["none", "G", "stata", "CR2", "CR3"]
ClusterReference: TypeAlias = Literal["normal", "t", "satterthwaite"]
MultiplierWeights: TypeAlias = Literal["rademacher", "mammen", "webb"]
ScoreStatus: TypeAlias = Literal["estimated", "known"]

DEFAULT_REFERENCE: dict[str, ClusterReference] = {
    "none": "normal",
    "G": "t",
    "stata": "t",
    "CR2": "satterthwaite",
    "CR3": "satterthwaite",
}


def one_of(value: object, allowed: object, what: str) -> None:
    """Refuse an option that is not among the values of a Literal.

    Raises
    ------
    UsageError
        With the allowed values.
    """
    values = get_args(allowed)
    if value not in values:
        raise UsageError(f"{what} is {value!r}; it must be one of {', '.join(map(repr, values))}.")


def instance_of(value: object, kind: type | UnionType, what: str) -> None:
    """Refuse a value of another kind.

    Raises
    ------
    UsageError
        With the kinds there are.
    """
    if not isinstance(value, kind):
        kinds = get_args(kind) or (kind,)
        names = ", ".join(f"{k.__module__.split('.')[1]}.{k.__name__}" for k in kinds)
        shown = value.__name__ if isinstance(value, type) else type(value).__name__
        raise UsageError(f"{what} takes {names}, not {shown}.")


def number_of(value: object, what: str) -> float:
    """Refuse what is no number.

    Raises
    ------
    UsageError
        With what was given.
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise UsageError(f"{what} is {value!r}; it must be a number.")
    return float(value)


def _whole_draws(reps: object, seed: object, what: str) -> None:
    """Refuse too few draws, and a seed that is none."""
    if not isinstance(reps, int) or reps < 99:
        raise UsageError(f"{what}(reps) is {reps!r}; use at least 99 draws.")
    if not isinstance(seed, int) or seed < 0:
        raise UsageError(f"{what}(seed) is {seed!r}; use a whole number.")


def names_of(names: str | Iterable[str]) -> tuple[str, ...]:
    """Return names as a tuple; one name may stand alone."""
    return (names,) if isinstance(names, str) else tuple(names)


@dataclass(frozen=True, slots=True)
class Classical:
    """Homoscedastic least-squares variance, sigma^2 (X'WX)^-1, with t quantiles on n - p.

    Needs the linear fit behind the estimate.
    """

    @property
    def label(self) -> str:
        """Name the specification as tables print it."""
        return "classical"


@dataclass(frozen=True, slots=True)
class Robust:
    """Heteroscedasticity-robust variance of independent units.

    Parameters
    ----------
    kind : {"HC0", "HC1", "HC2", "HC3"}
        Leverage correction (MacKinnon and White 1985, doi 10.1016/0304-4076(85)90158-7).
    reference : {"t", "normal", "welch"}
        Quantiles: Student on n - p; normal; or the Welch-Satterthwaite degrees of freedom of a
        difference of cell means.
    """

    kind: RobustKind = "HC2"
    reference: RobustReference = "t"

    def __post_init__(self) -> None:
        one_of(self.kind, RobustKind, "Robust(kind)")
        one_of(self.reference, RobustReference, "Robust(reference)")

    @property
    def label(self) -> str:
        """Name the specification as tables print it."""
        return self.kind if self.reference == "t" else f"{self.kind}, {self.reference}"


@dataclass(frozen=True, slots=True)
class Clustered:
    """Cluster-robust variance: the influence is summed within clusters.

    Parameters
    ----------
    by : str
        "unit" or a cluster column that Roles names.
    correction : {"none", "G", "stata", "CR2", "CR3"}
        None; G/(G - 1); Stata's G/(G - 1) (n - 1)/(n - p); bias-reduced linearisation (Bell and
        McCaffrey 2002; Pustejovsky and Tipton 2018, doi 10.1080/07350015.2016.1247004); jackknife.
    reference : {"normal", "t", "satterthwaite"}, optional
        Quantiles: normal, Student on G - 1, or Satterthwaite degrees of freedom under a working
        model of independent errors. Left out: normal for "none", Student for "G" and "stata",
        Satterthwaite for "CR2" and "CR3".
    """

    by: str
    correction: ClusterCorrection = "G"
    reference: ClusterReference | None = None

    def __post_init__(self) -> None:
        one_of(self.correction, ClusterCorrection, "Clustered(correction)")
        if self.reference is not None:
            one_of(self.reference, ClusterReference, "Clustered(reference)")

    @property
    def quantiles(self) -> ClusterReference:
        """Return the reference distribution in force."""
        return self.reference or DEFAULT_REFERENCE[self.correction]

    @property
    def label(self) -> str:
        """Name the specification as tables print it."""
        return f"clustered by {self.by} ({self.correction}, {self.quantiles})"


@dataclass(frozen=True, slots=True)
class AbadieImbens:
    """Variance of nearest-neighbour matching (Abadie and Imbens 2006, 2016), normal quantiles.

    Parameters
    ----------
    score : {"estimated", "known"}
        "estimated" adds the correction for a parametric score that was fitted
        (doi 10.3982/ECTA11293) and needs one; "known" is the 2006 variance
        (doi 10.1111/j.1468-0262.2006.00655.x).
    """

    score: ScoreStatus = "estimated"

    def __post_init__(self) -> None:
        one_of(self.score, ScoreStatus, "AbadieImbens(score)")

    @property
    def label(self) -> str:
        """Name the specification as tables print it."""
        known = "score taken as known"
        return f"Abadie-Imbens, {known if self.score == 'known' else 'estimated score'}"


@dataclass(frozen=True, slots=True)
class MultiplierBootstrap:
    """Multiplier bootstrap of the influence, with pointwise intervals and a simultaneous band.

    Clusters get one random weight each. Where units are the clusters, the draws are Gaussian with
    the exact covariance of the influence, which is their limit and does not depend on n.

    Parameters
    ----------
    reps : int
        Number of draws.
    seed : int
        Seed of ``numpy.random.Generator(PCG64)``.
    weights : {"rademacher", "mammen", "webb"}
        Weights for clusters. "webb" has six points and suits ten clusters or fewer.
    by : str
        "unit" or a cluster column.
    """

    reps: int = 9_999
    seed: int = 1
    weights: MultiplierWeights = "rademacher"
    by: str = "unit"

    def __post_init__(self) -> None:
        one_of(self.weights, MultiplierWeights, "MultiplierBootstrap(weights)")
        _whole_draws(self.reps, self.seed, "MultiplierBootstrap")

    @property
    def label(self) -> str:
        """Name the specification as tables print it."""
        return f"multiplier bootstrap by {self.by} ({self.reps} draws)"


@dataclass(frozen=True, slots=True)
class WildClusterBootstrap:
    """Restricted wild cluster bootstrap-t, for few clusters: p-values and intervals by its draws.

    Under the null of each hypothesised value the residuals of a regression, or of both equations of
    a LATE, change sign by cluster; the t-ratio is studentised anew in each draw with Stata's
    cluster-robust variance. The interval holds every value that is not rejected. All 2^G draws of
    signs are gone through where they are no more than ``reps`` or 2^16.

    Parameters
    ----------
    by : str
        A cluster column that Roles names, or "unit".
    reps : int
        Number of draws, where not all are gone through.
    seed : int
        Seed of ``numpy.random.Generator(PCG64)``.
    weights : {"rademacher", "webb", "mammen"}
        "webb" has six points and suits fewer than about ten clusters, whose signs alone give too
        few different draws.

    References
    ----------
    Cameron, Gelbach and Miller (2008), doi 10.1162/rest.90.3.414. Davidson and MacKinnon (2010),
    doi 10.1198/jbes.2009.07221. Webb (2023), doi 10.1111/caje.12661.
    """

    by: str
    reps: int = 9_999
    seed: int = 1
    weights: MultiplierWeights = "rademacher"

    def __post_init__(self) -> None:
        one_of(self.weights, MultiplierWeights, "WildClusterBootstrap(weights)")
        _whole_draws(self.reps, self.seed, "WildClusterBootstrap")

    @property
    def studentised(self) -> Clustered:
        """Return the cluster-robust variance behind the t-ratio."""
        return Clustered(self.by, "stata")

    @property
    def label(self) -> str:
        """Name the specification as tables print it."""
        return f"wild cluster bootstrap by {self.by} ({self.weights}, {self.reps} draws)"


@dataclass(frozen=True, slots=True)
class Unstated:
    """The default of a combination of rows whose own defaults have different clusters."""

    @property
    def label(self) -> str:
        """Name the specification as tables print it."""
        return "none stated"


Inference: TypeAlias = (
    Classical
    | Robust
    | Clustered
    | AbadieImbens
    | MultiplierBootstrap
    | WildClusterBootstrap
    | Unstated
)

AdjustMethod: TypeAlias = Literal["holm", "bh", "romano_wolf", "sharpened_q"]
Families: TypeAlias = Mapping[str, Sequence[str]] | tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Correct the p-values of a family of outcomes or comparisons.

    Parameters
    ----------
    method : {"holm", "bh", "romano_wolf", "sharpened_q"}
        Holm (1979) and Benjamini and Hochberg (1995) work on any p-values, and so do Anderson's
        sharpened q-values (2008, doi 10.1198/016214508000000841), on his grid of 0.001; Romano and
        Wolf's step-down (2005, doi 10.1198/016214504000000539) works on the shared draws of a
        ``MultiplierBootstrap`` and so respects the dependence between outcomes.
    family : str
        The name printed in the column ``family`` where all rows are one family.
    families : mapping, optional
        Name of a family to its outcomes; each is corrected by itself, and rows of outcomes in no
        family stay uncorrected. Left out, all rows are one family.
    """

    method: AdjustMethod = "holm"
    family: str = "all rows"
    families: Families = ()

    def __post_init__(self) -> None:
        one_of(self.method, AdjustMethod, "Adjustment(method)")
        try:
            pairs = tuple((str(name), names_of(some)) for name, some in dict(self.families).items())
        except (TypeError, ValueError) as error:
            raise UsageError(
                "Adjustment(families) takes a name and its outcomes, {'money': ('income',)} say."
            ) from error
        object.__setattr__(self, "families", pairs)
        outcomes = [outcome for _, some in pairs for outcome in some]
        twice = sorted({o for o in outcomes if outcomes.count(o) > 1})
        if twice:
            raise UsageError(f"Adjustment(families) names {twice[0]!r} twice; one family each.")

    def groups(self, outcomes: Sequence[object]) -> dict[str, list[int]]:
        """Return the positions of each family's rows, given the outcome of every row.

        Raises
        ------
        UsageError
            For a family's outcome that no row has.
        """
        if not self.families:
            return {self.family: list(range(len(outcomes)))}
        pairs = dict(self.families)
        unknown = [o for some in pairs.values() for o in some if o not in outcomes]
        if unknown:
            known = ", ".join(map(str, dict.fromkeys(outcomes)))
            raise UsageError(
                f"Adjustment(families) names the outcome {unknown[0]!r}; there are {known}."
            )
        return {
            name: [k for k, outcome in enumerate(outcomes) if outcome in some]
            for name, some in pairs.items()
        }
