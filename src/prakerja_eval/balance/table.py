"""How alike are the two arms? A table by covariate, before and after a design."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from prakerja_eval.balance.kernel import (
    BalanceStats,
    pooled_standard_deviations,
    standard_deviations,
)
from prakerja_eval.balance.kernel import balance as balance_kernel
from prakerja_eval.errors import NotEstimableError, UsageError
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
        ecdf_mean, ecdf_max (the Kolmogorov-Smirnov distance). The standardised difference divides
        by one standard deviation, that of the arm whose effect is sought before any matching (for
        an effect on both, the root of the mean of both variances), so that stages compare.
    outcomes_seen : tuple of str
        Outcomes behind the table: a prognostic score has one, a balance of covariates none.
    """

    frame: pd.DataFrame
    outcomes_seen: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "\n".join([str(self.frame.round(4).to_string(index=False)), *self._saw()])

    def _repr_html_(self) -> str:
        table = str(self.frame.round(4).to_html(index=False, border=0))
        return table + "".join(f"<p>{escape(line)}</p>" for line in self._saw())

    def _saw(self) -> list[str]:
        """Return the log of outcomes that were looked at."""
        return [f"This table saw the outcome {name!r}." for name in self.outcomes_seen]

    def worst(self, stage: str = "after") -> float:
        """Return the largest absolute standardised difference of a stage."""
        return float(self.frame.loc[self.frame["stage"] == stage, "smd"].abs().max())

    def verdict(self, stage: str = "after", *, smd: float = 0.1, variance: float = 2.0) -> str:
        """Say in words whether the arms are alike.

        Parameters
        ----------
        stage : str
            "before" or "after".
        smd : float
            Largest absolute standardised difference that counts as alike.
        variance : float
            Variances farther apart than this factor are named.

        Raises
        ------
        UsageError
            For a stage that the table does not have.

        References
        ----------
        Rubin (2001), doi 10.1023/A:1020363010465; Austin (2009), doi 10.1002/sim.3697.
        """
        rows = self.frame[self.frame["stage"] == stage]
        if not len(rows):
            known = ", ".join(dict.fromkeys(self.frame["stage"]))
            raise UsageError(f"the balance has no stage {stage!r}; there are {known}.")
        size = rows["smd"].abs()
        judged, apart = rows[size.notna()], rows[size > smd]
        said = (
            f"{stage.capitalize()}: {len(judged) - len(apart)} of {len(judged)} columns differ "
            f"by at most {smd:g} standard deviations"
        )
        if len(judged):
            worst = judged.loc[size.idxmax()]
            said += f"; the largest difference is that of {worst['covariate']}, {worst['smd']:.3f}"
        lines = [said + "."]
        ratio = rows["variance_ratio"]
        spread = rows[(ratio > variance) | (ratio < 1 / variance)]
        if len(spread):
            named = _first_few(
                [
                    f"{c} ({r:.2f})"
                    for c, r in zip(spread["covariate"], spread["variance_ratio"], strict=True)
                ]
            )
            lines.append(f"Variances differ by more than a factor of {variance:g} for {named}.")
        still = rows.loc[size.isna(), "covariate"]
        if len(still):
            named = _first_few(list(map(str, still)))
            lines.append(f"Not judged, since they do not vary among those in question: {named}.")
        return " ".join([*lines, *self._saw()])


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
        The units whose effect is sought: the standard deviation of their arm divides, before any
        weighting; where they are of both arms, the root of the mean of both variances.

    Raises
    ------
    NotEstimableError
        If an arm has fewer than two people.
    """
    if min(int(treated.sum()), int((~treated).sum())) < 2:
        raise NotEstimableError("balance compares two arms of at least two people each.")
    both = bool(reference[treated].any() and reference[~treated].any())
    sd = pooled_standard_deviations(X, treated) if both else standard_deviations(X, reference)
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


def _first_few(names: list[str], most: int = 5) -> str:
    """Return names in a list, the number of those beyond the first."""
    more = [f"and {len(names) - most} more"] if len(names) > most else []
    return ", ".join(names[:most] + more)


def _frame(stage: str, names: Sequence[str], stats: BalanceStats) -> pd.DataFrame:
    columns = {c: getattr(stats, c) for c in BALANCE_COLUMNS[2:]}
    return pd.DataFrame({"stage": stage, "covariate": list(names)} | columns)
