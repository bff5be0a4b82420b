"""What does a design answer? Parameters with the influence of every unit on each of them.

θ̂ − θ ≈ Σᵢ ψᵢ: ψ is already divided by n, rows are keyed by unit id, and the variance of the
parameters under independent units is ψ'ψ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate.specs import Inference
from prakerja_eval.estimate.terms import Term
from prakerja_eval.typing import BoolArray, FloatArray

if TYPE_CHECKING:
    from prakerja_eval.estimate.findings import Findings

INDEX_COLUMNS = (
    "estimator",
    "estimand",
    "population",
    "outcome",
    "cohort",
    "wave",
    "event_time",
    "subgroup",
    "weighting",
    "specification",
)
REFERENCE = "reference"  # the status of a row that is zero by normalisation
COUNT_COLUMNS = ("n", "n_treated", "n_comparison", "comparison_mean", "status")


def known_label(column: str) -> None:
    """Refuse a name that is no index column.

    Raises
    ------
    UsageError
        With the names there are.
    """
    if column not in INDEX_COLUMNS:
        raise UsageError(f"{column!r} is no index column; there are {', '.join(INDEX_COLUMNS)}.")


def index_row(**labels: object) -> dict[str, object]:
    """Return one row of an Estimate's index; what is not said is None.

    Raises
    ------
    UsageError
        For a label that is no index column.
    """
    for column in labels:
        known_label(column)
    return {column: labels.get(column) for column in INDEX_COLUMNS}


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """A vector of K parameters with its influence.

    Attributes
    ----------
    theta : (K,) array
        Estimates; NaN where a row could not be estimated (``counts.status`` says why).
    psi : (n, K) array
        Influence of each unit, already divided by n; zero for units outside a row's sample.
    sample : (n, K) bool array
        Which units took part in which row.
    units : DataFrame
        Indexed by unit id (strings), with ``weight`` and the cluster columns that Roles names.
    index : DataFrame
        K rows: estimator, estimand, population, outcome, cohort, wave, event_time, subgroup,
        weighting, specification.
    counts : DataFrame
        K rows: n, n_treated, n_comparison, comparison_mean, status.
    terms : tuple of tuples
        For each parameter the regressions or matchings behind it (see ``terms.py``); empty where
        only ψ is known, and then HC1-HC3, CR2 and the classical variance refuse.
    defaults : tuple
        The default inference of each row, the one that printing shows.
    """

    theta: FloatArray
    psi: FloatArray
    sample: BoolArray
    units: pd.DataFrame
    index: pd.DataFrame
    counts: pd.DataFrame
    terms: tuple[tuple[Term, ...], ...]
    defaults: tuple[Inference, ...]
    differing: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        n, k = self.psi.shape
        sizes = {len(self.theta), len(self.index), len(self.counts), len(self.terms)}
        if sizes != {k} or len(self.defaults) != k or len(self.units) != n:
            raise ValueError(f"an Estimate of {k} parameters on {n} units has parts of other sizes")
        if self.sample.shape != (n, k):
            raise ValueError("the sample mask has another shape than psi")
        if not self.units.index.is_unique:
            raise ValueError("unit ids repeat")
        for array in (self.theta, self.psi, self.sample):
            array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.theta)

    def __repr__(self) -> str:
        return repr(self.findings())

    def _repr_html_(self) -> str:
        return self.findings()._repr_html_()

    def findings(self, inference: Inference | None = None) -> "Findings":
        """Return the tidy table under the rows' default inference, or under another one."""
        from prakerja_eval.estimate.infer import infer

        return infer(self, inference)

    def summary(self) -> str:
        """Return the printed table under the default inference."""
        return self.findings().summary()

    def tidy(self) -> pd.DataFrame:
        """Return the tidy frame under the default inference."""
        return self.findings().tidy()

    def to_latex(self) -> str:
        """Return a LaTeX table under the default inference."""
        return self.findings().to_latex()


def estimate_row(
    theta: float,
    psi: FloatArray,
    units: pd.DataFrame,
    labels: Mapping[str, object],
    counts: Mapping[str, object],
    default: Inference,
    terms: Sequence[Term] = (),
) -> Estimate:
    """Return an Estimate of one parameter in which every unit of ``units`` took part."""
    return Estimate(
        theta=np.array([theta], dtype=np.float64),
        psi=np.array(psi, dtype=np.float64).reshape(-1, 1),
        sample=np.ones((len(units), 1), dtype=bool),
        units=units,
        index=pd.DataFrame([index_row(**labels)], columns=list(INDEX_COLUMNS), dtype=object),
        counts=pd.DataFrame([{"status": "ok", **counts}], columns=list(COUNT_COLUMNS)),
        terms=(tuple(terms),),
        defaults=(default,),
    )
