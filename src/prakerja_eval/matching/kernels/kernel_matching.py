"""Who stands in for each person when everybody near in score does, the nearer the more?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from prakerja_eval.balance import Balance
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate.specs import number_of, one_of
from prakerja_eval.matching.adjusted import Estimand, UnitWeights, focal_units
from prakerja_eval.matching.kernels.kernel_smooth import Shape
from prakerja_eval.matching.kernels.kernel_weights import KernelWeights, kernel_weights
from prakerja_eval.matching.pairs.design import Scale
from prakerja_eval.matching.pairs.pairs import effective_sample_size
from prakerja_eval.matching.score.models import NoScore
from prakerja_eval.matching.score.propensity import Propensity, propensity
from prakerja_eval.panel import PanelProtocol
from prakerja_eval.typing import BoolArray, FloatArray

KernelName: TypeAlias = Literal[
    "epanechnikov", "biweight", "tricube", "triangular", "uniform", "gaussian"
]

# Coefficients of the polynomial in |u| up to one bandwidth; a constant factor cancels.
SHAPES: dict[str, tuple[int, ...]] = {
    "epanechnikov": (1, 0, -1),
    "biweight": (1, 0, -2, 0, 1),
    "tricube": (1, 0, 0, -3, 0, 0, 3, 0, 0, -1),
    "triangular": (1, -1),
    "uniform": (1,),
    "gaussian": (),
}


@dataclass(frozen=True, slots=True)
class Kernel:
    """Kernel matching on the propensity score.

    Each person is compared with the mean of the other arm, weighted by a kernel in the distance of
    the scores.

    Parameters
    ----------
    kernel : {"epanechnikov", "biweight", "tricube", "triangular", "uniform", "gaussian"}
        All but the Gaussian end at one bandwidth; that is cut at 8.5.
    bandwidth : float
        In units of ``scale``. People without anybody of the other arm within it are dropped, and
        the estimand changes with them.
    scale : {"probability", "logit"}
        Distances in the score itself or in its linear predictor.
    estimand : {"ATT", "ATC", "ATE"}
        Effect on the treated, on the comparison units, or on all.

    References
    ----------
    Heckman, Ichimura and Todd (1997), doi 10.2307/2971733.
    """

    kernel: KernelName = "epanechnikov"
    bandwidth: float = 0.06
    scale: Scale = "probability"
    estimand: Estimand = "ATT"

    def __post_init__(self) -> None:
        one_of(self.kernel, KernelName, "Kernel(kernel)")
        one_of(self.scale, Scale, "Kernel(scale)")
        one_of(self.estimand, Estimand, "Kernel(estimand)")
        if not (number_of(self.bandwidth, "Kernel(bandwidth)") > 0 and np.isfinite(self.bandwidth)):
            raise UsageError(f"Kernel(bandwidth) is {self.bandwidth}; it must be above zero.")

    @property
    def shape(self) -> Shape:
        """Return the kernel as the arithmetic takes it."""
        return Shape(np.array(SHAPES[self.kernel], dtype=np.float64))

    @property
    def in_words(self) -> str:
        """Return the choices as a short label."""
        of = "" if self.scale == "probability" else " of the linear predictor"
        return f"{self.kernel} kernel, bandwidth {self.bandwidth:g}{of}"


@dataclass(frozen=True, slots=True)
class Radius:
    """Radius matching on the propensity score: everybody within the radius counts alike.

    Parameters
    ----------
    radius : float
        In units of ``scale``. People without anybody of the other arm within it are dropped, and
        the estimand changes with them.
    scale : {"probability", "logit"}
        Distances in the score itself or in its linear predictor.
    estimand : {"ATT", "ATC", "ATE"}
        Effect on the treated, on the comparison units, or on all.

    References
    ----------
    Dehejia and Wahba (2002), doi 10.1162/003465302317331982.
    """

    radius: float
    scale: Scale = "probability"
    estimand: Estimand = "ATT"

    def __post_init__(self) -> None:
        one_of(self.scale, Scale, "Radius(scale)")
        one_of(self.estimand, Estimand, "Radius(estimand)")
        if not (number_of(self.radius, "Radius(radius)") > 0 and np.isfinite(self.radius)):
            raise UsageError(f"Radius(radius) is {self.radius}; it must be above zero.")

    @property
    def bandwidth(self) -> float:
        """Return the radius."""
        return self.radius

    @property
    def shape(self) -> Shape:
        """Return the kernel as the arithmetic takes it."""
        return Shape(np.array(SHAPES["uniform"], dtype=np.float64))

    @property
    def in_words(self) -> str:
        """Return the choices as a short label."""
        of = "" if self.scale == "probability" else " of the linear predictor"
        return f"within radius {self.radius:g}{of}"


KernelDesign: TypeAlias = Kernel | Radius


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class KernelMatched:
    """People compared with everybody near in score.

    Attributes
    ----------
    design : Kernel or Radius
        The choices.
    propensity : Propensity
        The score and the units.
    made : UnitWeights
        Weights with everybody seen.
    """

    design: KernelDesign
    propensity: Propensity
    made: UnitWeights

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
        """Return unit weights, zero for those who serve nobody, (n,).

        A focal unit counts with its sampling weight, and with each part of a counterpart that it
        is; in an arm that only serves, weights add up to the sampling weights of those who do.
        """
        return self.made.weights

    def among(self, seen: BoolArray) -> UnitWeights:
        """Return the weights where only some units were observed: made again of those."""
        return self.made if seen.all() else _unit_weights(self.design, self.propensity, seen)

    @property
    def n_dropped(self) -> int:
        """Return how many focal units have nobody of the other arm within the bandwidth."""
        return int((self.focal & ~self.made.reached).sum())

    @property
    def frame(self) -> pd.DataFrame:
        """Return a row a unit: treated, score, weight, whether dropped."""
        units = self.propensity
        return units.frame.assign(weight=self.weights, dropped=self.focal & ~self.made.reached)

    @property
    def unmatched(self) -> pd.DataFrame:
        """Return the focal people who were dropped, by unit: treated, score, reason."""
        out = self.focal & ~self.made.reached
        units = self.propensity
        reason = np.where(units.supported, "nobody within the bandwidth", "outside common support")
        return units.frame[["treated", "score"]].assign(reason=reason)[out]

    def summary(self) -> pd.Series:
        """Return counts: people in each arm, matched, effective sample size, dropped."""
        treated, weights = self.propensity.treated, self.weights
        out: dict[str, float] = {}
        for name, arm in (("treated", treated), ("comparison", ~treated)):
            out[f"n_{name}"] = int(arm.sum())
            out[f"matched_{name}"] = int((weights[arm] > 0).sum())
            out[f"effective_{name}"] = effective_sample_size(weights[arm])
        return pd.Series(out | {"n_dropped": self.n_dropped})

    def balance(self, *, squares: bool = False, interactions: bool = False) -> Balance:
        """Return the balance of the score, if any, and the covariates before and after.

        ``matching.balance`` compares more columns.
        """
        from prakerja_eval.matching.balance import balance

        return balance(self, squares=squares, interactions=interactions)

    def __repr__(self) -> str:
        counts = self.summary()
        return (
            f"KernelMatched ({self.estimand}, {self.in_words}): "
            f"{counts['matched_treated']:,.0f} of {counts['n_treated']:,.0f} treated with "
            f"{counts['matched_comparison']:,.0f} of {counts['n_comparison']:,.0f} comparison units"
        )


def kernel_match(
    panel: PanelProtocol,
    design: KernelDesign,
    covariates: Sequence[str] = (),
    score: Propensity | None = None,
) -> KernelMatched:
    """Compare people with everybody near in score.

    Parameters
    ----------
    panel : Panel
    design : Kernel or Radius
    covariates : sequence of str
        For the logit score.
    score : Propensity, optional
        A score fitted before, instead of ``covariates``.

    Raises
    ------
    NotEstimableError
        If nobody has anybody of the other arm within the bandwidth.
    UsageError
        If there is no score.
    """
    fitted = propensity(panel, covariates) if score is None else score
    if isinstance(fitted.model, NoScore):
        raise UsageError("Kernel and Radius need a score; fit one by propensity(...).")
    made = _unit_weights(design, fitted, np.ones_like(fitted.treated))
    if not made.reached.any():
        raise NotEstimableError(
            f"nobody has anybody of the other arm near in score ({design.in_words}); widen it."
        )
    return KernelMatched(design, fitted, made)


def line(design: KernelDesign, score: Propensity) -> FloatArray:
    """Return where each unit stands, in bandwidths, (n,)."""
    place = score.score if design.scale == "probability" else score.linear_predictor
    return place / design.bandwidth


def within(design: KernelDesign, score: Propensity, seen: BoolArray) -> KernelWeights:
    """Return how much each unit serves where only some were observed."""
    base = np.where(seen & score.supported, score.weight, 0.0)
    focal = focal_units(design.estimand, score.treated)
    return kernel_weights(design.shape, line(design, score), score.treated, focal, base)


def _unit_weights(design: KernelDesign, score: Propensity, seen: BoolArray) -> UnitWeights:
    """Return the weights of units, focal ones with those that serve them."""
    found = within(design, score, seen)
    served = found.served
    if design.estimand != "ATE" and served.any():
        served = served * (score.weight[served > 0].sum() / served.sum())
    return UnitWeights(np.where(found.reached, score.weight, 0.0) + served, found.reached)
