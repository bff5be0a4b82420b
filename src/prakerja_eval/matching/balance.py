"""Did matching or weighting make the arms alike? In covariates, their products, and the past."""

from collections.abc import Sequence

import numpy as np

from prakerja_eval.balance import Balance, expanded, stages
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.matching.adjusted import Adjusted, in_wave
from prakerja_eval.numerics.linear import wls
from prakerja_eval.panel import ArrayRequest, PanelProtocol, WaveLabel, wave_position
from prakerja_eval.typing import FloatArray

SCORE_NAME = "propensity score"


def balance(
    adjusted: Adjusted,
    panel: PanelProtocol | None = None,
    columns: Sequence[str] = (),
    *,
    squares: bool = False,
    interactions: bool = False,
) -> Balance:
    """Compare the arms before and after, without a look at outcomes of interest.

    Parameters
    ----------
    adjusted : Matched, Stratified or Weighted
    panel : Panel, optional
        Where ``columns`` are read.
    columns : sequence of str
        More columns than those of the score, read as covariates are: other traits, or outcomes of
        waves before treatment, ``"income@2019"``.
    squares, interactions : bool
        Add squares, and products of two covariates.

    Returns
    -------
    Balance
        Score and covariates (and what was asked for), stages "before" and "after". Standardised
        differences divide by the standard deviation of the units whose effect is sought, in the
        sample before matching.

    Raises
    ------
    UsageError
        If columns are named without a panel, or a panel without columns.
    DataError
        If a column has missing values.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdef"), "trained": [1, 0, 1, 0, 1, 0],
    ...                       "age": [20, 21, 30, 28, 25, 40], "kids": [0, 1, 2, 0, 1, 2]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", received="trained"))
    >>> pairs = pe.matching.match(panel, covariates=["age"])
    >>> found = pe.matching.balance(pairs, panel, ["kids"], squares=True)
    >>> list(found.frame["covariate"].unique())
    ['propensity score', 'age', 'kids', 'age^2', 'kids^2']
    """
    if (panel is None) == bool(columns):
        raise UsageError("balance reads columns=[...] from panel=...; name both or neither.")
    units = adjusted.propensity
    X, names = units.covariates, units.names
    if panel is not None:
        arrays = panel.arrays(ArrayRequest(None, tuple(columns)))
        new = [j for j, name in enumerate(arrays.names) if name not in names]
        X = np.column_stack([X, arrays.covariates[units.positions(arrays)][:, new]])
        names = (*names, *(arrays.names[j] for j in new))
    X, names = expanded(X, names, squares=squares, interactions=interactions)
    if np.isfinite(units.score).all():
        X, names = np.column_stack([units.score, X]), (SCORE_NAME, *names)
    return _before_and_after(adjusted, X, names)


def prognostic_balance(
    panel: PanelProtocol,
    adjusted: Adjusted,
    outcome: str,
    *,
    wave: WaveLabel | None = None,
    covariates: Sequence[str] = (),
) -> Balance:
    """Compare the arms in the outcome that their covariates predict without treatment.

    The prognostic score is the least-squares prediction of the outcome from the covariates, fitted
    on comparison units alone and evaluated for everybody. A difference in it is the bias that
    imbalance in covariates leaves, in standard deviations of the prediction. **This sees the
    outcome**, of comparison units only, and the table says so: choose the design before it.

    Parameters
    ----------
    panel : Panel
        The panel that was matched.
    adjusted : Matched, Stratified or Weighted
    outcome : str
        Numeric column.
    wave : wave label, optional
        Where the outcome is read; left out, the last wave.
    covariates : sequence of str
        Left out, those of the score.

    Raises
    ------
    NotEstimableError
        If too few comparison units were seen, or the covariates are collinear among them.

    References
    ----------
    Hansen (2008), doi 10.1093/biomet/asn004. Stuart, Lee and Leacy (2013),
    doi 10.1016/j.jclinepi.2013.01.013.
    """
    units = adjusted.propensity
    arrays = panel.arrays(ArrayRequest(outcome, tuple(covariates)))
    at = units.positions(arrays)
    t = len(arrays.waves) - 1 if wave is None else wave_position(arrays, wave)
    y, X = arrays.outcome[at, t], arrays.covariates[at] if covariates else units.covariates
    fitted_on = ~units.treated & np.isfinite(y)
    if fitted_on.sum() < X.shape[1] + 2:
        raise NotEstimableError(
            f"{int(fitted_on.sum())} comparison units have {outcome!r}{in_wave(arrays, t)}, "
            f"too few for a prognostic score on {X.shape[1]} covariates."
        )
    design = np.column_stack([np.ones(len(y)), X])
    fit = wls(y[fitted_on], design[fitted_on], units.weight[fitted_on])
    found = _before_and_after(
        adjusted, (design @ fit.beta)[:, None], (f"prognostic score of {outcome}",)
    )
    return Balance(found.frame, outcomes_seen=(outcome,))


def _before_and_after(adjusted: Adjusted, X: FloatArray, names: tuple[str, ...]) -> Balance:
    units = adjusted.propensity
    weights = {"before": units.weight, "after": adjusted.weights}
    return stages(X, names, units.treated, weights, adjusted.focal)
