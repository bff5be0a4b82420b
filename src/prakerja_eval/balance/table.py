"""How alike are the two arms? A table by covariate, before and after a design."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from prakerja_eval.balance.kernel import BalanceStats, standard_deviations
from prakerja_eval.balance.kernel import balance as balance_kernel
from prakerja_eval.errors import NotEstimableError
from prakerja_eval.panel import ArrayRequest, PanelProtocol, treated_units
from prakerja_eval.typing import BoolArray, FloatArray

BALANCE_COLUMNS = (
    "stage",
    "covariate",
    "mean_treated",
    "mean_comparison",
    "smd",
    "variance_ratio",
    "ecdf_mean",
    "ecdf_max",
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Balance:
    """Balance of covariates between the arms.

    Attributes
    ----------
    frame : DataFrame
        stage ("before", "after"), covariate, mean_treated, mean_comparison, smd, variance_ratio,
        ecdf_mean, ecdf_max. The standardised difference divides by one standard deviation, that
        of the arm whose effect is sought before any matching, so that stages compare.
    """

    frame: pd.DataFrame

    def __repr__(self) -> str:
        return str(self.frame.round(4).to_string(index=False))

    def _repr_html_(self) -> str:
        return str(self.frame.round(4).to_html(index=False, border=0))

    def worst(self, stage: str = "after") -> float:
        """Return the largest absolute standardised difference of a stage."""
        return float(self.frame.loc[self.frame["stage"] == stage, "smd"].abs().max())


def stages(
    X: FloatArray,
    names: Sequence[str],
    treated: BoolArray,
    weights: dict[str, FloatArray],
    reference: BoolArray,
) -> Balance:
    """Return the table for several weightings of the same units.

    Parameters
    ----------
    X : (n, p) array
        Covariates of the full sample.
    names : sequence of p names
    treated : (n,) bool array
    weights : dict of stage to (n,) array
        Unit weights of each stage.
    reference : (n,) bool array
        The units whose standard deviation divides, before any weighting.

    Raises
    ------
    NotEstimableError
        If an arm has fewer than two people.
    """
    if min(int(treated.sum()), int((~treated).sum())) < 2:
        raise NotEstimableError("balance compares two arms of at least two people each.")
    sd = standard_deviations(X, reference)
    tables = [
        _frame(stage, names, balance_kernel(X, treated, w, sd)) for stage, w in weights.items()
    ]
    return Balance(pd.concat(tables, ignore_index=True))


def table(panel: PanelProtocol, covariates: Sequence[str]) -> Balance:
    """Compare the covariates of the two arms as they are.

    Winners and losers where Roles names an offer, the treated and the others elsewhere; sampling
    weights count.

    Parameters
    ----------
    panel : Panel
    covariates : sequence of str
        Baseline columns (see ``ArrayRequest``).

    Raises
    ------
    UsageError
        For an unknown column, or if Roles names no arm.
    """
    arrays = panel.arrays(ArrayRequest(None, tuple(covariates)))
    offered = panel.roles.offer is not None
    if offered:
        treated, known = arrays.offer == 1, np.isfinite(arrays.offer)
    else:
        arms = treated_units(arrays, panel.roles)
        treated, known = arms.treated, arms.known
    X, weights = arrays.covariates[known], {"before": arrays.weight[known]}
    return stages(X, arrays.names, treated[known], weights, treated[known])


def _frame(stage: str, names: Sequence[str], stats: BalanceStats) -> pd.DataFrame:
    columns = {c: getattr(stats, c) for c in BALANCE_COLUMNS[2:]}
    return pd.DataFrame({"stage": stage, "covariate": list(names)} | columns)
