"""What would a regression in each weighted arm say of the people whose effect is sought?"""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import Estimate
from prakerja_eval.estimate.specs import names_of, one_of
from prakerja_eval.matching.adjusted import Adjusted
from prakerja_eval.matching.effects.difference import Regression, estimated
from prakerja_eval.panel import PanelProtocol, WaveLabel

Target: TypeAlias = Literal["population", "sample"]


def g_computation(
    panel: PanelProtocol,
    adjusted: Adjusted,
    outcome: str | Sequence[str],
    *,
    covariates: Sequence[str] | None = None,
    interactions: bool = True,
    target: Target = "population",
    waves: Sequence[WaveLabel] | None = None,
) -> Estimate:
    """Estimate an effect by weighted regression in each arm, averaged over whom it is about.

    With m_d(x) the weighted least-squares line of the outcome in arm d, θ is the mean of
    m_1(x) − m_0(x) over the focal people that were reached, each with its sampling weight. It is
    right if either the weights balance what matters or the lines are right.

    Parameters
    ----------
    panel : Panel
        The panel that was matched or weighted, or one with more columns or waves of the same units.
    adjusted : Matched, Stratified or Weighted
        Where the weights come from.
    outcome : str or sequence of str
        Numeric columns.
    covariates : sequence of str, optional
        Baseline columns of the regression; left out, those of the score.
    interactions : bool
        Slopes of its own in each arm; else one for both, to which the arms contribute by their
        weights.
    target : {"population", "sample"}
        Whether the people averaged over count as drawn from a population. With "sample" they are
        taken as given, as R's marginaleffects does; standard errors are then smaller where
        effects differ with x.
    waves : sequence, optional
        Left out, every wave after the baseline.

    Returns
    -------
    Estimate
        One row an outcome and wave; ψ and default inference as of :func:`difference`.

    Raises
    ------
    NotEstimableError
        If an arm has nobody observed in a wave, or a covariate does not vary in it (it is named).

    References
    ----------
    Snowden, Rose and Mortimer (2011), doi 10.1093/aje/kwq472. Ho, Imai, King and Stuart (2007),
    doi 10.1093/pan/mpl013.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdef"), "trained": [1, 0, 1, 0, 1, 0],
    ...                       "age": [20, 21, 30, 28, 25, 40], "income": [3.0, 1, 4, 2, 5, 2]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", received="trained"))
    >>> pairs = pe.matching.match(panel, pe.matching.Nearest(replace=False), covariates=["age"])
    >>> round(float(pe.matching.g_computation(panel, pairs, "income").theta[0]), 4)
    2.5523
    """
    one_of(target, Target, "g_computation(target)")
    names = None if covariates is None else names_of(covariates)
    if names == ():
        raise UsageError("g_computation needs covariates; without, use matching.difference.")
    own = Regression("matching.g_computation", names, interactions, target == "population")
    return estimated(panel, adjusted, outcome, waves, own)
