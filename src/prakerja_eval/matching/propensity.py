"""How likely was each person to be treated, given what was known before?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from prakerja_eval.errors import CollinearityError, NotEstimableError, SeparationError, UsageError
from prakerja_eval.matching.models import Logit, ScoreModel
from prakerja_eval.numerics.logit import Logit as LogitFit
from prakerja_eval.numerics.logit import logit
from prakerja_eval.panel import ArrayRequest, PanelProtocol, UnitArrays, treated_units
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Propensity:
    """A fitted score.

    Attributes
    ----------
    units : DataFrame
        Unit table, n rows in order of first appearance; without people whose receipt is unknown.
    treated : (n,) bool array
    covariates : (n, p) array
        Without the constant.
    names : tuple of p str
    score : (n,) array
        Probability of being treated.
    linear_predictor : (n,) array
        On the scale of the model's link.
    weight : (n,) array
        Sampling weights, ones where Roles names none.
    supported : (n,) bool array
        Units inside common support; the others are neither matched nor weighted.
    model : ScoreModel
        The choices.
    fit : Logit or None
        Coefficients (constant first), influence and information of a parametric model.
    """

    units: pd.DataFrame
    treated: BoolArray
    covariates: FloatArray
    names: tuple[str, ...]
    score: FloatArray
    linear_predictor: FloatArray
    weight: FloatArray
    supported: BoolArray
    model: ScoreModel
    fit: LogitFit | None

    @property
    def frame(self) -> pd.DataFrame:
        """Return unit, treated, score and linear predictor."""
        return pd.DataFrame(
            {
                "treated": self.treated.astype(int),
                "score": self.score,
                "linear_predictor": self.linear_predictor,
            },
            index=self.units.index,
        )

    @property
    def coefficients(self) -> pd.Series:
        """Return the coefficients of a parametric model by name.

        Raises
        ------
        NotEstimableError
            If the score has none.
        """
        if self.fit is None:
            raise NotEstimableError(f"a {self.model.in_words} score has no coefficients.")
        return pd.Series(self.fit.beta, index=["constant", *self.names])

    def positions(self, arrays: UnitArrays) -> IntArray:
        """Return where each of the score's units stands in a panel's arrays.

        Raises
        ------
        UsageError
            If the panel lacks one of them.
        """
        at = pd.Index(arrays.units).get_indexer(self.units.index)
        if (at < 0).any():
            raise UsageError(
                f"{int((at < 0).sum())} of the people whose score was fitted are not in this "
                "panel; fit the score and match on the panel at hand."
            )
        return np.asarray(at, dtype=np.int64)

    def __repr__(self) -> str:
        n1 = int(self.treated.sum())
        return (
            f"Propensity: {self.model.in_words} of treatment on {', '.join(self.names)}; "
            f"{n1:,} treated, {len(self.treated) - n1:,} comparison units"
        )


def propensity(panel: PanelProtocol, covariates: Sequence[str]) -> Propensity:
    """Fit the propensity score P(treated | x) by an unpenalised logit.

    Parameters
    ----------
    panel : Panel
        With Roles ``cohort`` or ``received``.
    covariates : sequence of str
        Baseline columns (see ``ArrayRequest``).

    Returns
    -------
    Propensity

    Raises
    ------
    NotEstimableError
        If a covariate separates the arms or depends on the others (it is named), an arm is empty,
        or Roles names a sampling weight, for which matching is not defined here.

    References
    ----------
    Rosenbaum and Rubin (1983), doi 10.1093/biomet/70.1.41.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdef"), "trained": [1, 0, 1, 0, 1, 0],
    ...                       "age": [20, 21, 30, 28, 25, 40]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", received="trained"))
    >>> len(pe.matching.propensity(panel, ["age"]).score)
    6
    """
    if not covariates:
        raise UsageError("a propensity score needs covariates; name at least one.")
    if panel.roles.weight is not None:
        raise NotEstimableError(
            "matching with sampling weights is not offered; build the panel without Roles(weight)."
        )
    arrays = panel.arrays(ArrayRequest(None, tuple(covariates)))
    arms = treated_units(arrays, panel.roles)
    treated, X = arms.treated[arms.known], arrays.covariates[arms.known]
    if treated.all() or not treated.any():
        arm = "comparison" if treated.all() else "treated"
        raise NotEstimableError(f"the panel has no {arm} unit; widen where().")
    fit = _fit(X, arrays.names, treated)
    return Propensity(
        units=arrays.clusters.iloc[arms.known],
        treated=treated,
        covariates=X,
        names=arrays.names,
        score=fit.probability,
        linear_predictor=fit.linear_predictor,
        weight=arrays.weight[arms.known],
        supported=np.ones_like(treated),
        model=Logit(),
        fit=fit,
    )


def _fit(covariates: FloatArray, names: tuple[str, ...], treated: BoolArray) -> LogitFit:
    """Fit the logit; name the covariate in a refusal."""
    X = np.column_stack([np.ones(len(treated)), covariates])
    try:
        return logit(treated.astype(np.float64), X, np.ones(len(treated)))
    except (SeparationError, CollinearityError) as error:
        name = ("constant", *names)[error.column]
        what = (
            "predicts treatment perfectly, so that some people have no counterpart"
            if isinstance(error, SeparationError)
            else "is a combination of the covariates before it"
        )
        raise NotEstimableError(f"the covariate {name!r} {what}: leave it out.") from error
