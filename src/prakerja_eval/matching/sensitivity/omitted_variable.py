"""How strong an omitted variable would change the answer of a regression?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

from prakerja_eval.errors import CollinearityError, NotEstimableError, UsageError, nearest
from prakerja_eval.estimate import (
    Classical,
    Estimate,
    LinearFit,
    LinearTerm,
    estimate_row,
    join,
)
from prakerja_eval.estimate.specs import names_of
from prakerja_eval.matching.adjusted import in_wave, wave_labels
from prakerja_eval.matching.sensitivity.omitted_variable_kernel import Strength, partial_r2
from prakerja_eval.matching.sensitivity.omitted_variable_result import OmittedVariable
from prakerja_eval.numerics.linear import Linear, wls
from prakerja_eval.panel import (
    ArrayRequest,
    PanelProtocol,
    UnitArrays,
    WaveLabel,
    outcome_waves,
    treated_units,
)
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

Benchmarks: TypeAlias = str | Sequence[str] | Mapping[str, Sequence[str]]


def omitted_variable(
    panel: PanelProtocol,
    outcome: str | Sequence[str],
    *,
    covariates: Sequence[str],
    benchmarks: Benchmarks = (),
    k: Sequence[float] = (1, 2, 3),
    q: float = 1.0,
    waves: Sequence[WaveLabel] | None = None,
) -> OmittedVariable:
    """Say how strong an omitted variable would have to be, to change a regression's answer.

    The answer is the coefficient of treatment in the least-squares regression of the outcome on
    treatment, the covariates and a constant: the effect, if it is the same for everybody and
    treatment is as good as random given the covariates, in lines. RV_q is the partial R2 that an
    omitted variable would need with both treatment and outcome:

        RV_q = (sqrt(f^4 + 4 f^2) - f^2) / 2,   f = q |t| / sqrt(df).

    Parameters
    ----------
    panel : Panel
        With Roles ``cohort`` or ``received``.
    outcome : str or sequence of str
        Numeric columns.
    covariates : sequence of str
        Baseline columns.
    benchmarks : str, sequence of str, or mapping of name to covariates
        Covariates to compare the omitted variable with. All indicators of a column of text are one
        benchmark; a mapping makes groups of several columns.
    k : sequence of float
        How many times as strong as a benchmark.
    q : float
        Share of the estimate that is to be explained away.
    waves : sequence, optional
        Left out, every wave after the baseline.

    Returns
    -------
    OmittedVariable
        At level .95; ``.at(level=...)`` gives another.

    Raises
    ------
    NotEstimableError
        With sampling weights, since the derivation is for least squares with its classical
        variance; if covariates are collinear (one is named), or an arm is empty in a wave.
    UsageError
        For a benchmark that is no covariate.

    References
    ----------
    Cinelli and Hazlett (2020), doi 10.1111/rssb.12348.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdef"), "trained": [1, 0, 1, 0, 1, 0],
    ...                       "age": [20, 21, 30, 28, 25, 40], "income": [3.0, 1, 4, 2, 5, 2]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", received="trained"))
    >>> found = pe.matching.omitted_variable(panel, "income", covariates=["age"])
    >>> round(float(found.frame["rv_q"].iloc[0]), 3)
    0.849
    """
    names = names_of(covariates)
    if not names:
        raise UsageError("omitted_variable needs covariates=[...], those of the regression.")
    if panel.roles.weight is not None:
        raise NotEstimableError(
            "omitted_variable is derived for least squares with its classical variance, not for "
            "sampling weights; build the panel without Roles(weight)."
        )
    rows: list[Estimate] = []
    strengths: list[tuple[object, ...]] = []
    for name in names_of(outcome):
        arrays = panel.arrays(ArrayRequest(name, names))
        groups = _groups(benchmarks, names, arrays.names)
        arms = treated_units(arrays, panel.roles)
        for t in outcome_waves(arrays, panel.roles, waves):
            rows_seen = np.flatnonzero(arms.known & np.isfinite(arrays.outcome[:, t]))
            seen = _observed(arrays, rows_seen, arms.treated[rows_seen], (name, t))
            words = wave_labels(arrays, name, t, arms.lead(arrays, arrays.waves[t]))
            for group, columns in groups.items():
                pair = seen.strength(columns)
                strengths.append((len(rows), group, pair.treatment, pair.outcome))
            rows.append(_row(arrays, seen, words))
    table = pd.DataFrame(strengths, columns=["row", "benchmark", "r2_treatment", "r2_outcome"])
    return OmittedVariable(join(*rows), table, tuple(float(v) for v in k), float(q))


def _groups(
    benchmarks: Benchmarks, covariates: tuple[str, ...], names: tuple[str, ...]
) -> dict[str, IntArray]:
    """Return the columns of each benchmark among the covariates' columns."""
    if isinstance(benchmarks, Mapping):
        asked = {str(n): names_of(v) for n, v in benchmarks.items()}
    else:
        asked = {n: (n,) for n in names_of(benchmarks)}
    out = {}
    for group, members in asked.items():
        found: list[int] = []
        for member in members:
            own = [i for i, n in enumerate(names) if n == member or n.startswith(f"{member}[")]
            if not own:
                known = ", ".join(covariates)
                hint = nearest(member, (*covariates, *names))
                raise UsageError(f"the benchmark {member!r} is no covariate ({known}).{hint}")
            found += own
        if not found:
            raise UsageError(f"the benchmark {group!r} names no covariate.")
        out[group] = np.unique(np.array(found, dtype=np.int64))
    return out


@dataclass(frozen=True, slots=True, eq=False)
class _Observed:
    """People seen in a wave; ``rows`` are positions in the panel, X has the constant first."""

    rows: IntArray
    y: FloatArray
    treated: FloatArray
    X: FloatArray
    fit: Linear

    def strength(self, columns: IntArray) -> Strength:
        """Return the partial R2 of some covariates with the treatment and with the outcome."""
        both = np.column_stack([self.X, self.treated])
        return Strength(
            partial_r2(self.treated, self.X, columns + 1), partial_r2(self.y, both, columns + 1)
        )


def _observed(
    arrays: UnitArrays, rows: IntArray, treated: BoolArray, cell: tuple[str, int]
) -> _Observed:
    """Fit the regression; name what stands in its way."""
    outcome, wave = cell
    where = f"{outcome!r}{in_wave(arrays, wave)}"
    if treated.all() or not treated.any():
        raise NotEstimableError(f"one arm has nobody with {where}.")
    y, d = arrays.outcome[rows, wave], treated.astype(np.float64)
    X = np.column_stack([np.ones(len(d)), arrays.covariates[rows]])
    full = np.column_stack([X, d])
    try:
        fit = wls(y, full, np.ones(len(y)))
    except CollinearityError as error:
        name = ("constant", *arrays.names, "treatment")[error.column]
        raise NotEstimableError(
            f"{name!r} is a combination of the covariates before it among people with {where}: "
            "leave one out."
        ) from error
    if len(y) < full.shape[1] + 2 or not np.ptp(fit.residuals) > 1e-12 * np.abs(y).max():
        raise NotEstimableError(
            f"the regression of {where} on {full.shape[1]} columns leaves nothing of "
            f"{len(y):,} people to tell its uncertainty by."
        )
    return _Observed(rows, y, d, X, fit)


def _row(arrays: UnitArrays, seen: _Observed, words: dict[str, object]) -> Estimate:
    """Label the coefficient of treatment, the last one."""
    fit, p = seen.fit, seen.fit.design.shape[1]
    contrast = np.zeros(p)
    contrast[-1] = 1.0
    linear = LinearFit(
        fit.residuals, fit.weights, fit.bread, np.arange(len(seen.y)), design=fit.design
    )
    treated = int(seen.treated.sum())
    counts = {
        "n": len(seen.y),
        "n_treated": treated,
        "n_comparison": len(seen.y) - treated,
        "comparison_mean": float(seen.y[seen.treated == 0].mean()),
    }
    labels = {
        "estimator": "matching.omitted_variable",
        "estimand": "effect alike for all",
        "population": "everyone",
        "weighting": "everyone, by what covariates leave of treatment",
        "specification": f"least squares on {', '.join(arrays.names)}",
    }
    units = arrays.clusters.iloc[seen.rows]
    term = LinearTerm(linear, contrast)
    theta, psi = float(fit.beta[-1]), fit.psi[:, -1]
    return estimate_row(theta, psi, units, labels | words, counts, Classical(), [term])
