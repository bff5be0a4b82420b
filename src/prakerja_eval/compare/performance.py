"""How does an estimator do over many draws? Bias, RMSE, coverage, size and power, with their error.

R draws with an estimate; d = estimate less truth of the draw, e = estimate less mean truth. Each
measure is a mean over draws, or a smooth function of means, and its Monte Carlo standard error is
the sd over draws of its influence, over the square root of R (Morris, White and Crowther 2019,
table 6, doi 10.1002/sim.8086).
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.typing import BoolArray, FloatArray

ALPHA = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What one row of an estimator said in each draw, (R,) arrays; NaN where it said nothing.

    Attributes
    ----------
    estimate, std_error, conf_low, conf_high, p_value : (R,) arrays
    truth : (R,) array
        NaN where no truth answers the row.
    """

    estimate: FloatArray
    std_error: FloatArray
    conf_low: FloatArray
    conf_high: FloatArray
    p_value: FloatArray
    truth: FloatArray


def performance(answers: Answers) -> dict[str, float]:
    """Return the measures of one row over the draws that have an estimate.

    Returns
    -------
    dict
        estimated (draws with an estimate), truth and estimate (means), bias, bias_mc_se, sd, rmse,
        rmse_mc_se, mean_se, se_ratio, no_interval (draws with an estimate and no interval),
        coverage, coverage_mc_se, rejects, rejects_mc_se, size, size_mc_se, power, power_mc_se. NaN
        where a measure is not defined: without a truth, an interval, or two draws.
    """
    there = np.isfinite(answers.estimate)
    theta = answers.estimate[there]
    truth = answers.truth[there]
    sd = _sd(theta)
    mean_se = _mean(answers.std_error[there])
    interval = there & ~np.isnan(answers.conf_low) & ~np.isnan(answers.conf_high)
    out: dict[str, float] = {"estimated": int(there.sum()), "truth": _mean(truth)}
    out |= {"estimate": _mean(theta)}
    out |= _errors(theta, truth)
    out |= {"sd": sd, "mean_se": mean_se, "se_ratio": mean_se / sd if sd > 0 else np.nan}
    out |= {"no_interval": int(there.sum() - interval.sum())}
    out |= _coverage(answers, interval)
    return out | _rejections(answers.p_value[there], truth)


def _errors(theta: FloatArray, truth: FloatArray) -> dict[str, float]:
    """Return bias and RMSE about the mean truth.

    MSE = mean(e²) has the influence e_r² − MSE − 2 bias (truth_r − mean truth) of draw r, the last
    part since the mean truth is one over draws; d RMSE = d MSE / (2 RMSE).
    """
    known = np.isfinite(truth)
    theta, truth = theta[known], truth[known]
    if not len(theta):
        return dict.fromkeys(("bias", "bias_mc_se", "rmse", "rmse_mc_se"), np.nan)
    root = np.sqrt(len(theta))
    centre = truth.mean()
    bias = float((theta - truth).mean())
    squared = (theta - centre) ** 2
    rmse = float(np.sqrt(squared.mean()))
    of_mse = _sd(squared - 2 * bias * (truth - centre)) / root
    return {
        "bias": bias,
        "bias_mc_se": _sd(theta - truth) / root,
        "rmse": rmse,
        "rmse_mc_se": of_mse / (2 * rmse) if rmse > 0 else np.nan,
    }


def _coverage(answers: Answers, interval: BoolArray) -> dict[str, float]:
    """Return the share of intervals that hold the mean truth, and its binomial standard error."""
    known = interval & np.isfinite(answers.truth)
    if not known.any():
        return {"coverage": np.nan, "coverage_mc_se": np.nan}
    truth = answers.truth[np.isfinite(answers.estimate) & np.isfinite(answers.truth)].mean()
    low, high = answers.conf_low[known], answers.conf_high[known]
    return _share("coverage", (low <= truth) & (truth <= high))


def _rejections(p_value: FloatArray, truth: FloatArray) -> dict[str, float]:
    """Return the share of p-values below 5 %: size where the truth is always zero, else power."""
    tested = np.isfinite(p_value)
    share = _share("rejects", p_value[tested] < ALPHA)
    known = bool(len(truth)) and bool(np.isfinite(truth).all())
    kind = "" if not known else "size" if bool((truth == 0).all()) else "power"
    out = dict(share)
    for name in ("size", "power"):
        for end in ("", "_mc_se"):
            out[f"{name}{end}"] = share[f"rejects{end}"] if name == kind else np.nan
    return out


def _share(name: str, held: BoolArray) -> dict[str, float]:
    if not len(held):
        return {name: np.nan, f"{name}_mc_se": np.nan}
    share = float(held.mean())
    return {name: share, f"{name}_mc_se": float(np.sqrt(share * (1 - share) / len(held)))}


def _mean(values: FloatArray) -> float:
    """Return the mean of what is a number."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan


def _sd(values: FloatArray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else np.nan
