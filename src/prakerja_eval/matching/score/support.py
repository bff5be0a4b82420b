"""Between which scores are there people of both arms? The rules, chosen without outcomes."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate.specs import number_of, one_of
from prakerja_eval.typing import BoolArray, FloatArray

Rule: TypeAlias = Literal["hull", "crump", "minmax"]
Discard: TypeAlias = Literal["both", "treated", "comparison"]


@dataclass(frozen=True, slots=True)
class Support:
    """Which people are left out because the other arm has nobody like them.

    Parameters
    ----------
    rule : {"hull", "crump", "minmax"}
        "hull": the scores that both arms reach, from the larger of the two minima to the smaller
        of the two maxima. "minmax": the same after a share ``trim`` of each arm is set aside at
        each end, so that single people do not set the bounds (Caliendo and Kopeinig 2008).
        "crump": from alpha to 1 - alpha (Crump, Hotz, Imbens and Mitnik 2009).
    discard : {"both", "treated", "comparison"}
        The arm from which people outside are left out.
    alpha : float, optional
        For "crump": the bound, .1 by their rule of thumb. Left out, the one that makes the
        variance bound of the average effect smallest.
    trim : float
        For "minmax": share of each arm, by sampling weight, at each end.
    refit : bool
        Whether the score is fitted again on those kept; its coefficients then give everybody's.

    Raises
    ------
    UsageError
        If an option is not allowed, or belongs to another rule.

    References
    ----------
    Crump, Hotz, Imbens and Mitnik (2009), doi 10.1093/biomet/asn055. Caliendo and Kopeinig (2008),
    doi 10.1111/j.1467-6419.2007.00527.x.

    Examples
    --------
    >>> import prakerja_eval as pe
    >>> pe.matching.Support("crump", alpha=0.1).in_words
    'support from .1 to .9'
    """

    rule: Rule = "hull"
    discard: Discard = "both"
    alpha: float | None = None
    trim: float = 0.0
    refit: bool = False

    def __post_init__(self) -> None:
        one_of(self.rule, Rule, "Support(rule)")
        one_of(self.discard, Discard, "Support(discard)")
        if self.alpha is not None and not 0 < number_of(self.alpha, "Support(alpha)") < 0.5:
            raise UsageError(f"Support(alpha) is {self.alpha}; it lies between 0 and .5.")
        if not 0 <= number_of(self.trim, "Support(trim)") < 0.5:
            raise UsageError(f"Support(trim) is {self.trim}; from 0 to below .5.")
        if not isinstance(self.refit, bool):
            raise UsageError(f"Support(refit) is {self.refit!r}; it must be True or False.")
        if self.alpha is not None and self.rule != "crump":
            raise UsageError(f"Support(alpha) is for rule='crump', not {self.rule!r}.")
        if self.trim and self.rule != "minmax":
            raise UsageError(f"Support(trim) is for rule='minmax', not {self.rule!r}.")

    @property
    def in_words(self) -> str:
        """Return the choices as a short label."""
        if self.alpha is not None:
            what = f"support from {_short(self.alpha)} to {_short(1 - self.alpha)}"
        else:
            trim = f", {_short(self.trim)} trimmed" if self.trim else ""
            name = {"hull": "common support", "minmax": "min-max support", "crump": "Crump support"}
            what = name[self.rule] + trim
        arm = "" if self.discard == "both" else f" of the {self.discard}"
        return what + arm + (", refitted" if self.refit else "")


@dataclass(frozen=True, slots=True)
class Region:
    """The scores inside common support, both bounds included."""

    low: float
    high: float


def region(score: FloatArray, treated: BoolArray, weight: FloatArray, support: Support) -> Region:
    """Return the scores inside common support.

    Parameters
    ----------
    score : (n,)
        Probability of being treated.
    treated : (n,) bool
    weight : (n,)
        Sampling weights; a unit of weight zero sets no bound.
    support : Support
        The rule.
    """
    if support.rule == "crump":
        alpha = crump_alpha(score, weight) if support.alpha is None else support.alpha
        return Region(alpha, 1 - alpha)
    ends = []
    for arm in (treated & (weight > 0), ~treated & (weight > 0)):
        shares = (support.trim, 1 - support.trim)
        ends.append(
            np.quantile(score[arm], shares, weights=weight[arm], method="inverted_cdf")
            if support.trim
            else (score[arm].min(), score[arm].max())
        )
    return Region(float(max(e[0] for e in ends)), float(min(e[1] for e in ends)))


def inside(score: FloatArray, treated: BoolArray, where: Region, discard: Discard) -> BoolArray:
    """Return who is kept, (n,): those within, and the arm that nobody is left out of."""
    within = (score >= where.low) & (score <= where.high)
    spared = np.zeros_like(treated) if discard == "both" else treated != (discard == "treated")
    return np.asarray(within | spared, dtype=np.bool_)


def crump_alpha(score: FloatArray, weight: FloatArray) -> float:
    """Return the alpha for which the effect on people with alpha <= e <= 1 - alpha is best known.

    With g = 1 / (e (1 - e)), the variance bound under equal variances is proportional to
    E[g | kept] / P(kept), with people kept up to a value gamma = 1 / (alpha (1 - alpha)). Where it
    is smallest gamma = 2 E[g | g <= gamma] (Crump, Hotz, Imbens and Mitnik 2009). The sample's
    smallest is found by trying every value of g; zero if all people are kept.

    Raises
    ------
    NotEstimableError
        If every score is zero or one.
    """
    with np.errstate(divide="ignore", over="ignore"):
        cost = 1 / (score * (1 - score))
    order = np.argsort(cost, kind="stable")
    order = order[(weight[order] > 0) & np.isfinite(cost[order])]
    if not len(order):
        raise NotEstimableError("every score is exactly 0 or 1: nobody has a counterpart.")
    sorted_cost = cost[order]
    last = np.append(np.diff(sorted_cost) > 0, True)  # nobody is kept without those alike
    kept = np.cumsum(weight[order])[last]
    total = np.cumsum(weight[order] * sorted_cost)[last]
    best = int(np.argmin(total / kept**2))
    if best == len(kept) - 1 and len(order) == int((weight > 0).sum()):
        return 0.0
    gamma = 2 * total[best] / kept[best]  # at least 8
    return float(0.5 - np.sqrt(0.25 - 1 / gamma))


def _short(share: float) -> str:
    return f"{share:.4g}".removeprefix("0")
