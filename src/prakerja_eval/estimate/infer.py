"""What can be said of the estimates? Standard errors, intervals, bands and corrected p-values."""

import numpy as np
import pandas as pd
from scipy import special

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import draws as boot
from prakerja_eval.estimate.estimate import INDEX_COLUMNS, Estimate
from prakerja_eval.estimate.families import adjusted
from prakerja_eval.estimate.findings import FINDINGS_COLUMNS, Findings
from prakerja_eval.estimate.specs import (
    Adjustment,
    Clustered,
    Inference,
    MultiplierBootstrap,
    WildClusterBootstrap,
    instance_of,
)
from prakerja_eval.estimate.strength import weak_first_stages
from prakerja_eval.estimate.variance import Variance, cluster_codes, variance
from prakerja_eval.estimate.wild import refuse_without_regression, wild_row
from prakerja_eval.typing import FloatArray


def infer(
    estimate: Estimate,
    inference: Inference | None = None,
    *,
    level: float = 0.95,
    adjust: Adjustment | None = None,
) -> Findings:
    """Return the tidy table of an estimate after inference.

    Parameters
    ----------
    estimate : Estimate
        K parameters.
    inference : Inference, optional
        One specification for every row; left out, each row's own default.
    level : float
        Coverage of intervals and bands.
    adjust : Adjustment, optional
        Corrects the p-values of all rows as one family, or family by family; the raw ones stay
        beside them.

    Returns
    -------
    Findings
        Rows without a standard error have NaN and the reason in ``status``.

    Raises
    ------
    NotEstimableError
        If the specification needs what the estimate does not carry.
    UsageError
        For a level outside (0, 1) or Romano-Wolf without a MultiplierBootstrap.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdef"), "won": [1, 1, 1, 0, 0, 0],
    ...                       "income": [3.0, 4.0, 5.0, 1.0, 2.0, 3.0]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", offer="won"))
    >>> found = pe.infer(pe.lottery.itt(panel, "income"), pe.Classical())
    >>> round(float(found.frame["std_error"].iloc[0]), 3)
    0.816
    """
    if not 0 < level < 1:
        raise UsageError(f"level is {level}; it must lie between 0 and 1, 0.95 say.")
    if adjust is not None:
        instance_of(adjust, Adjustment, "adjust")
    spec = _for_all(estimate, inference)
    wild = _wild_specs(estimate, spec)
    var = variance(estimate, spec)
    columns = _intervals(estimate.theta, var, level)
    draws = None
    if isinstance(spec, MultiplierBootstrap):
        columns, draws = _bootstrap(estimate.theta, var, spec, level, columns)
    columns |= {"df": var.df, "inference": _labels(estimate, spec, var)}
    columns |= {"status": _status(var, weak_first_stages(estimate, spec))}
    columns |= _by_wild_draws(estimate, wild, var, level, columns)
    columns |= {"p_adjusted": np.full(len(estimate), np.nan), "family": None}
    if adjust is not None:
        p, t = (np.array(columns[c], dtype=float) for c in ("p_value", "statistic"))
        columns |= adjusted(p, t, draws, estimate.index["outcome"].to_list(), adjust)
    counts = estimate.counts
    frame = pd.DataFrame(
        {c: estimate.index[c].to_numpy() for c in INDEX_COLUMNS}
        | {"estimate": estimate.theta}
        | columns
        | {"unit": None, "truth": np.nan}
        | {c: counts[c].to_numpy() for c in ("n", "n_treated", "n_comparison")}
        | {"n_clusters": var.n_clusters, "comparison_mean": counts["comparison_mean"].to_numpy()}
    )
    return Findings(frame[list(FINDINGS_COLUMNS)], level=level)


def _for_all(estimate: Estimate, inference: Inference | None) -> Inference | None:
    """Return one specification for all rows: the one given, or a default that all share."""
    if inference is not None:
        return inference
    first = estimate.defaults[0]
    return first if all(d == first for d in estimate.defaults) else None


def _labels(estimate: Estimate, spec: Inference | None, var: Variance) -> list[str]:
    """Name each row's inference; a bootstrap among other defaults is not drawn, and says so."""
    if spec is not None:
        return list(var.labels)
    return [
        Clustered(d.by, "none").label if isinstance(d, MultiplierBootstrap) else label
        for d, label in zip(estimate.defaults, var.labels, strict=True)
    ]


def _intervals(theta: FloatArray, var: Variance, level: float) -> dict[str, object]:
    """t-ratios, p-values and pointwise intervals by Student or normal quantiles."""
    se = var.std_error()
    normal = np.isinf(var.df)
    finite = np.where(normal, 1.0, var.df)
    tail = (1 + level) / 2
    quantile = np.where(normal, special.ndtri(tail), special.stdtrit(finite, tail))
    t = theta / se
    beyond = np.where(normal, special.ndtr(-np.abs(t)), special.stdtr(finite, -np.abs(t)))
    blank = np.full(len(theta), np.nan)
    return {
        "std_error": se,
        "statistic": t,
        "p_value": 2 * beyond,
        "conf_low": theta - quantile * se,
        "conf_high": theta + quantile * se,
        "band_low": blank,
        "band_high": blank,
    }


def _bootstrap(
    theta: FloatArray,
    var: Variance,
    spec: MultiplierBootstrap,
    level: float,
    columns: dict[str, object],
) -> tuple[dict[str, object], FloatArray]:
    """Quantiles by multiplier draws, and the band that holds for all rows at once."""
    se = var.std_error()
    alive = np.flatnonzero(np.isfinite(se))
    all_draws = np.full((spec.reps, len(theta)), np.nan)
    out = {name: np.array(columns[name], dtype=float) for name in _BOOTSTRAPPED}
    if len(alive):
        cov = var.covariance[np.ix_(alive, alive)]
        draws = boot.draw_t(var.scores[:, alive], cov, spec)
        all_draws[:, alive] = draws
        t = theta[alive] / se[alive]
        point = boot.pointwise_quantiles(draws, level) * se[alive]
        sup = boot.sup_quantile(draws, level) * se[alive]
        out["p_value"][alive] = boot.exceedance(draws, t)
        for name, half in (("conf", point), ("band", sup)):
            out[f"{name}_low"][alive] = theta[alive] - half
            out[f"{name}_high"][alive] = theta[alive] + half
    return columns | out, all_draws


_BOOTSTRAPPED = ("p_value", "conf_low", "conf_high", "band_low", "band_high")


def _wild_specs(estimate: Estimate, spec: Inference | None) -> dict[int, WildClusterBootstrap]:
    """Return the rows whose inference is the wild bootstrap, each by its own regression."""
    specs = estimate.defaults if spec is None else (spec,) * len(estimate)
    found = {k: s for k, s in enumerate(specs) if isinstance(s, WildClusterBootstrap)}
    for k, own in found.items():
        refuse_without_regression(estimate, k, own)
    return found


def _by_wild_draws(
    estimate: Estimate,
    wild: dict[int, WildClusterBootstrap],
    var: Variance,
    level: float,
    columns: dict[str, object],
) -> dict[str, object]:
    """Replace p-values and intervals by those of the restricted wild bootstrap."""
    out = {name: list(columns[name]) for name in _WILD}  # type: ignore[call-overload]
    codes = {by: cluster_codes(estimate, by) for by in {own.by for own in wild.values()}}
    for k, own in wild.items():
        out["df"][k] = np.inf
        se = float(var.std_error()[k])
        if np.isfinite(se):
            row = wild_row(estimate, k, own, codes[own.by], se, level)
            out["p_value"][k], out["inference"][k] = row.p_value, row.label
            out["conf_low"][k], out["conf_high"][k] = row.conf_low, row.conf_high
            told = [s for s in (out["status"][k], row.warning) if s not in ("", "ok")]
            out["status"][k] = "; ".join(told) or "ok"
    return out


_WILD = ("p_value", "conf_low", "conf_high", "df", "inference", "status")


def _status(var: Variance, weak: dict[int, str]) -> list[str]:
    """Say why a standard error is missing where nothing was said yet, or not to be trusted."""
    status = []
    for k, (se, state) in enumerate(zip(var.std_error(), var.status, strict=True)):
        if state != "ok":
            status.append(state)
        elif not np.isfinite(se):
            status.append("no variance: the influence is zero for every unit")
        else:
            status.append(weak.get(k, state))
    return status
