"""How are covariates and weights spread in each arm? Histograms that give no small group away."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from prakerja_eval.errors import UsageError
from prakerja_eval.matching.adjusted import Adjusted
from prakerja_eval.matching.balance import SCORE_NAME
from prakerja_eval.matching.pairs.pairs import effective_sample_size
from prakerja_eval.typing import BoolArray, FloatArray

SMALLEST_CELL = 10
ARMS = ("treated", "comparison")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Spread:
    """A histogram by arm.

    Attributes
    ----------
    name : str
        What is spread: a covariate, or "weight".
    frame : DataFrame
        stage ("before", "after"), arm ("treated", "comparison"), low, high, n (people), share (of
        the arm's weight). Bins of one to nine people are NaN, and so is the next smallest of their
        arm where one could be computed back.
    effective : DataFrame
        stage, arm, n (people with weight), effective (Kish's sample size), largest (greatest share
        that one person has of the arm's weight; NaN below ten people).
    """

    name: str
    frame: pd.DataFrame
    effective: pd.DataFrame

    def __repr__(self) -> str:
        return str(self.effective.round(4).to_string(index=False))


def distribution(adjusted: Adjusted, covariate: str, *, bins: int = 20) -> Spread:
    """Return the distribution of a covariate or of the score in each arm, before and after.

    Parameters
    ----------
    adjusted : Matched, Stratified or Weighted
    covariate : str
        A covariate of the score, or "propensity score".
    bins : int
        Number of bins of equal width, over the range of both arms.

    Raises
    ------
    UsageError
        For an unknown covariate.
    """
    units = adjusted.propensity
    known = [*((SCORE_NAME,) if np.isfinite(units.score).all() else ()), *units.names]
    if covariate not in known:
        raise UsageError(f"no covariate is named {covariate!r}; there are {', '.join(known)}.")
    score = covariate == SCORE_NAME
    x = units.score if score else units.covariates[:, units.names.index(covariate)]
    edges = _edges(x, bins)
    stages = {"before": units.weight, "after": adjusted.weights}
    return _spread(covariate, {s: (x, w) for s, w in stages.items()}, units.treated, edges)


def weight_spread(adjusted: Adjusted, *, bins: int = 20) -> Spread:
    """Return the distribution of the weights in each arm, scaled to a mean of one.

    Parameters
    ----------
    adjusted : Matched, Stratified or Weighted
    bins : int
        Number of bins of equal width, from zero.
    """
    treated, w = adjusted.propensity.treated, adjusted.weights
    scaled = np.empty_like(w)
    for arm in (treated, ~treated):
        mean = w[arm & (w > 0)].mean() if (arm & (w > 0)).any() else 1.0
        scaled[arm] = w[arm] / mean
    edges = _edges(np.append(scaled, 0.0), bins)
    return _spread("weight", {"after": (scaled, w)}, treated, edges)


def _edges(x: FloatArray, bins: int) -> FloatArray:
    """Return the edges of equal bins; each of few distinct values gets its own."""
    if bins < 1:
        raise UsageError(f"bins is {bins}; at least one.")
    low, high = float(x.min()), float(x.max())
    values = np.unique(x)
    if len(values) <= min(bins, 12) and np.array_equal(values, values.round()):
        return np.arange(low - 0.5, high + 1.0)
    return np.linspace(low, high if high > low else low + 1.0, bins + 1)


def _spread(
    name: str,
    stages: dict[str, tuple[FloatArray, FloatArray]],
    treated: BoolArray,
    edges: FloatArray,
) -> Spread:
    rows: list[pd.DataFrame] = []
    effective: list[dict[str, object]] = []
    for stage, (x, w) in stages.items():
        for arm, mask in zip(ARMS, (treated, ~treated), strict=True):
            part = mask & (w > 0)
            n, _ = np.histogram(x[part], edges)
            total, _ = np.histogram(x[part], edges, weights=w[part])
            share = total / w[part].sum() if part.any() else total
            hidden = _hidden(n)
            columns = {"low": edges[:-1], "high": edges[1:]}
            columns |= {"n": np.where(hidden, np.nan, n), "share": np.where(hidden, np.nan, share)}
            rows.append(pd.DataFrame({"stage": stage, "arm": arm} | columns))
            few = int(part.sum()) < SMALLEST_CELL
            largest = np.nan if few else float(w[part].max() / w[part].sum())
            said = {"stage": stage, "arm": arm, "n": int(part.sum()), "largest": largest}
            effective.append(said | {"effective": effective_sample_size(w[part])})
    return Spread(name, pd.concat(rows, ignore_index=True), pd.DataFrame(effective))


def _hidden(n: np.ndarray) -> np.ndarray:
    """Say which counts of a total must not be shown: the small, and one more if there is one."""
    small = (n > 0) & (n < SMALLEST_CELL)
    if small.sum() == 1 and (n >= SMALLEST_CELL).any():
        small[np.argmin(np.where(n >= SMALLEST_CELL, n, np.inf))] = True
    return np.asarray(small)
