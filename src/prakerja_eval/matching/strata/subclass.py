"""Into how many classes of the score are people put? Subclassification, chosen without outcomes."""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate.specs import one_of
from prakerja_eval.matching.adjusted import Estimand
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Subclass:
    """Subclassification on the propensity score.

    Parameters
    ----------
    n : int
        Number of classes, with about as many focal units each: cut at the quantiles of the
        focal units' score, of the treated for an ATT, of everyone for an ATE.
    estimand : {"ATT", "ATC", "ATE"}
        Effect on the treated, on the comparison units, or on all.

    References
    ----------
    Rosenbaum and Rubin (1984), doi 10.1080/01621459.1984.10478078.
    """

    n: int = 6
    estimand: Estimand = "ATT"

    def __post_init__(self) -> None:
        one_of(self.estimand, Estimand, "Subclass(estimand)")
        if isinstance(self.n, bool) or not isinstance(self.n, int) or self.n < 1:
            raise UsageError(f"Subclass(n) is {self.n!r}; it must be a whole number from 1.")

    @property
    def in_words(self) -> str:
        """Return the choices as a short label."""
        return f"{self.n} subclasses of the score"


def subclasses(score: FloatArray, focal: BoolArray, n: int) -> IntArray:
    """Put units into n classes of the score, (n_units,) codes 0 .. n-1 from the lowest.

    The cut points are the quantiles of the focal units' score (interpolated linearly); a score on
    a cut point belongs to the class above it, and scores beyond the focal units' range to the
    outermost classes.

    Raises
    ------
    NotEstimableError
        If too few distinct scores leave two cut points on one spot.
    """
    cuts = np.quantile(score[focal], np.linspace(0.0, 1.0, n + 1))
    if n > 1 and (np.diff(cuts) <= 0).any():
        raise NotEstimableError(
            f"Subclass(n={n}) has cut points on one spot: {int(focal.sum()):,} units whose effect "
            f"is sought have {len(np.unique(score[focal])):,} distinct scores. Use a smaller n, or "
            "match exactly on the covariates."
        )
    return np.asarray(np.searchsorted(cuts[1:-1], score, side="right"), dtype=np.int64)
