"""How much must each person count, so that the arms are alike? Weighting, blind to outcomes."""

from collections.abc import Sequence

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate.specs import instance_of
from prakerja_eval.matching.score.propensity import Propensity, people, propensity
from prakerja_eval.matching.weighting.weight_balance import by_balance
from prakerja_eval.matching.weighting.weight_score import by_score
from prakerja_eval.matching.weighting.weighted import Weighted
from prakerja_eval.matching.weighting.weighting import (
    EntropyBalance,
    InverseProbability,
    WeightDesign,
)
from prakerja_eval.panel import PanelProtocol

__all__ = ["Weighted", "weight"]


def weight(
    panel: PanelProtocol,
    design: WeightDesign | None = None,
    *,
    covariates: Sequence[str] = (),
    score: Propensity | None = None,
) -> Weighted:
    """Weight people so that the arms have the same covariates.

    Parameters
    ----------
    panel : Panel
        With Roles ``cohort`` or ``received``. Outcomes are not looked at.
    design : InverseProbability or EntropyBalance, optional
        Left out: inverse-probability weights for the effect on the treated.
    covariates : sequence of str
        For the logit score, or to be balanced.
    score : Propensity, optional
        A score fitted before, instead of ``covariates``; entropy balancing takes its people and
        covariates.

    Returns
    -------
    Weighted

    Raises
    ------
    NotEstimableError
        If the score cannot be fitted, nobody of an arm is left, or no weights balance the arms.
    UsageError
        If neither or both of covariates and score are given.

    References
    ----------
    Hirano, Imbens, Ridder (2003), doi 10.1111/1468-0262.00442. Hainmueller (2012),
    doi 10.1093/pan/mpr025.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdef"), "trained": [1, 0, 1, 0, 1, 0],
    ...                       "age": [20, 21, 30, 28, 25, 40]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", received="trained"))
    >>> made = pe.matching.weight(panel, covariates=["age"])
    >>> made.frame.groupby("treated")["weight"].sum().round(6).tolist()
    [3.0, 3.0]
    """
    design = InverseProbability() if design is None else design
    instance_of(design, WeightDesign, "weight(design)")
    if (score is None) == (not covariates):
        raise UsageError("weight needs covariates=[...] or score=..., one of them.")
    if isinstance(design, EntropyBalance):
        return by_balance(people(panel, covariates) if score is None else score, design)
    return by_score(propensity(panel, covariates) if score is None else score, design)
