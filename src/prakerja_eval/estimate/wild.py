"""What can a few clusters tell? p-values and intervals by the restricted wild cluster bootstrap."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.estimate.corrections import sum_rows
from prakerja_eval.estimate.draws import multiplier_weights
from prakerja_eval.estimate.estimate import Estimate
from prakerja_eval.estimate.kernel_wild import (
    ClusterSums,
    Moments,
    cluster_sums,
    exceeding,
    joined,
    moments,
)
from prakerja_eval.estimate.specs import WildClusterBootstrap
from prakerja_eval.estimate.terms import LinearFit, LinearTerm, MatchingTerm
from prakerja_eval.typing import FloatArray, IntArray

ENUMERATED = 2**16
CHUNK_CELLS = 2_000_000
WORK = 3e11  # multiplications, about half a minute
SAME = 1e-8
# Null values at which p is looked up before bisecting, in standard errors from the estimate.
LADDER = np.concatenate([np.arange(0.25, 10.0, 0.25), np.geomspace(10.0, 1e6, 26)])


@dataclass(frozen=True, slots=True, eq=False)
class WildRow:
    """What the draws say of one parameter.

    Attributes
    ----------
    p_value, conf_low, conf_high : float
    label : str
        The inference, with the draws that were made.
    warning : str
        Empty, or what a reader of the row must know.
    """

    p_value: float
    conf_low: float
    conf_high: float
    label: str
    warning: str


@dataclass(frozen=True, slots=True, eq=False)
class _Equation:
    """A regression, or the two behind a ratio; the parameter is ``scale`` times c'b."""

    fit: LinearFit
    contrast: FloatArray
    received: FloatArray | None
    first: float
    scale: float


def wild_row(
    estimate: Estimate,
    k: int,
    spec: WildClusterBootstrap,
    codes: IntArray,
    std_error: float,
    level: float,
) -> WildRow:
    """Test and invert the test of one row.

    Parameters
    ----------
    estimate : Estimate
    k : int
        The row, which has a standard error.
    spec : WildClusterBootstrap
    codes : (n,) int array
        Cluster of each unit.
    std_error : float
        Its standard error, CRV1: the unit in which the interval is searched.
    level : float
        Coverage.

    Raises
    ------
    NotEstimableError
        See ``refuse_without_regression``; or for more clusters than this bootstrap is for.
    """
    equation = _equation(estimate, k, spec)
    sums = _sums(equation, codes)
    draws, complete = _draws(sums, spec)
    B = int(draws.total.shape[1])

    def p_value(delta: float) -> float:
        found = exceeding(sums, draws, delta)
        return float(found / B if complete else (1 + found) / (1 + B))

    theta, se = estimate.theta[k] / equation.scale, std_error / abs(equation.scale)
    # δ = θ̂ − θ0: null values above the estimate have a negative δ
    above = theta + se * _farthest(lambda s: p_value(-s * se), 1 - level)
    below = theta - se * _farthest(lambda s: p_value(s * se), 1 - level)
    ends = sorted([below * equation.scale, above * equation.scale])
    how = f"all {B}" if complete else f"{B}"
    label = f"wild cluster bootstrap by {spec.by} ({spec.weights}, {how} draws)"
    warning = _warning(sums.own.shape[1], complete, ends, 1 - level)
    return WildRow(p_value(theta), ends[0], ends[1], label, warning)


def refuse_without_regression(estimate: Estimate, k: int, spec: WildClusterBootstrap) -> None:
    """Refuse a row that is no parameter of one regression, or ratio of two alike.

    Raises
    ------
    NotEstimableError
        With what the row has instead.
    """
    if np.isfinite(estimate.theta[k]):
        _equation(estimate, k, spec)


def _equation(estimate: Estimate, k: int, spec: WildClusterBootstrap) -> _Equation:
    """Return the regression or the ratio behind a row, or refuse."""
    terms = estimate.terms[k]
    advice = f"use Clustered({spec.by!r}, correction='G')"
    if any(isinstance(t, MatchingTerm) for t in terms):
        raise NotEstimableError(
            "the wild cluster bootstrap is one of regressions, and this is a matching; "
            "use AbadieImbens()."
        )
    linear = [t for t in terms if isinstance(t, LinearTerm)]
    if not linear:
        raise NotEstimableError(
            "the wild cluster bootstrap needs the regression behind the estimate, and this one "
            f"has none; {advice}."
        )
    term = linear[0]
    ratio = any(t.first is not None for t in linear)
    if any(t.fit.residuals is not term.fit.residuals for t in linear) or (ratio and terms[1:]):
        raise NotEstimableError(
            "the wild cluster bootstrap is defined within one regression, and this combines "
            f"several; {advice}."
        )
    inside = sum_rows([(t.fit.rows, t.core()) for t in linear], len(estimate.units))
    psi = estimate.psi[:, k]
    if np.abs(psi - inside).max(initial=0.0) > SAME * np.abs(psi).max(initial=0.0):
        raise NotEstimableError(
            "the wild cluster bootstrap is that of a regression, and part of this estimate's "
            f"influence lies outside (drawn block shares, say); {advice}."
        )
    if ratio or estimate.index["estimator"].iloc[k] == "lottery.late":
        return _ratio(term, advice)
    contrast = np.sum([t.contrast for t in linear], axis=0)
    return _Equation(term.fit, contrast, None, 1.0, 1.0)


def _ratio(term: LinearTerm, advice: str) -> _Equation:
    """Return the two equations of a ratio, which must have the same regressors."""
    refusal = NotEstimableError(
        "the wild cluster bootstrap of a ratio needs one instrument and the same regressors in "
        f"both equations; {advice}."
    )
    first, fit = term.first, term.fit
    if first is None:
        raise refusal
    other, c = first.term.fit, first.term.contrast
    if fit.bread.shape != other.bread.shape or not np.array_equal(fit.rows, other.rows):
        raise refusal
    scale = first.theta * float(term.contrast @ c) / float(c @ c)
    if not _close(term.contrast * first.theta, scale * c) or not _same_x(fit, other):
        raise refusal
    return _Equation(fit, c, other.residuals, first.theta, scale)


def _same_x(fit: LinearFit, other: LinearFit) -> bool:
    """Say whether two fits have the same regressors and weights."""
    cells = (fit.cells is None) == (other.cells is None)
    if cells and fit.cells is not None and other.cells is not None:
        cells = np.array_equal(fit.cells, other.cells)
    return cells and _close(fit.bread, other.bread) and np.array_equal(fit.weights, other.weights)


def _close(x: FloatArray, y: FloatArray) -> bool:
    return bool(np.abs(x - y).max() <= SAME * np.abs(y).max())


def _sums(equation: _Equation, codes: IntArray) -> ClusterSums:
    """Sum the rows of positive weight within the clusters that occur."""
    fit = equation.fit
    used = fit.weights > 0
    _, compact = np.unique(codes[fit.rows][used], return_inverse=True)
    cells = None if fit.cells is None else fit.cells[used]
    design = None if fit.design is None else fit.design[used]
    received = None if equation.received is None else equation.received[used]
    return cluster_sums(
        (cells, design),
        (fit.residuals[used], received),
        fit.weights[used],
        np.asarray(compact, dtype=np.int64),
        fit.bread,
        equation.contrast,
        equation.first,
    )


def _draws(sums: ClusterSums, spec: WildClusterBootstrap) -> tuple[Moments, bool]:
    """Return the moments of the draws, and whether they are all there are."""
    K, G, p = sums.push.shape
    complete = spec.weights == "rademacher" and max(spec.reps, ENUMERATED) >= 2**G
    B = 2**G if complete else spec.reps
    if K * float(B) * G * min(G, 2 * p) > WORK:
        raise NotEstimableError(
            f"{G} clusters, {p} coefficients and {B} draws are more than the wild cluster "
            f"bootstrap is for: it helps with few clusters. Use Clustered({spec.by!r})."
        )
    weights = _signs(G) if complete else _random(G, spec)
    return joined([moments(sums, V) for V in weights]), complete


def _signs(groups: int) -> Iterator[FloatArray]:
    """Give all 2^G vectors of signs, (b, G) at a time."""
    total, step = 2**groups, max(1, CHUNK_CELLS // groups)
    for start in range(0, total, step):
        number = np.arange(start, min(total, start + step))
        minus = (number[:, None] >> np.arange(groups)) & 1
        yield (1 - 2 * minus).astype(np.float64)


def _random(groups: int, spec: WildClusterBootstrap) -> Iterator[FloatArray]:
    """Give ``reps`` vectors of random weights, (b, G) at a time."""
    generator = np.random.Generator(np.random.PCG64(spec.seed))
    step = max(1, CHUNK_CELLS // groups)
    for start in range(0, spec.reps, step):
        yield multiplier_weights(
            generator, (min(spec.reps, start + step) - start, groups), spec.weights
        )


def _farthest(p_value: Callable[[float], float], alpha: float) -> float:
    """Return the largest distance at which p > alpha, in standard errors; infinite if none is.

    p is 1 at the estimate. It need not fall all along, so the ladder is read from its far end and
    the last crossing is bisected: the interval holds every value that is not rejected, and perhaps
    some between them that are.
    """
    inside = [p_value(step) > alpha for step in LADDER]
    if inside[-1]:
        return np.inf
    last = max((j for j, kept in enumerate(inside) if kept), default=-1)
    low, high = (0.0 if last < 0 else float(LADDER[last])), float(LADDER[last + 1])
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        if not low < middle < high:
            break
        low, high = (middle, high) if p_value(middle) > alpha else (low, middle)
    return low


NEARLY = 0.9  # of the size asked for


def _warning(groups: int, complete: bool, ends: list[float], alpha: float) -> str:
    """Say where the draws are too few for a test, and where the interval has no end."""
    said = []
    step, size = 2 / 2**groups, min(alpha, 0.05)
    if complete and step > size:
        said.append(
            f"{groups} clusters give {2**groups} draws of signs, in mirrored pairs: no p-value "
            f"below about {step:.3g}. Use weights='webb'"
        )
    elif complete and np.floor(size / step) * step < NEARLY * size:
        said.append(
            f"{groups} clusters give {2**groups} draws of signs, in mirrored pairs: p-values move "
            f"in steps of {step:.3g}, so a test at {size:.3g} rejects a true null at most "
            f"{np.floor(size / step) * step:.3g} of the time"
        )
    if np.isinf(ends).all():
        said.append("the interval has no end: no value is rejected, however far")
    elif np.isinf(ends).any():
        side = "below" if np.isinf(ends[0]) else "above"
        said.append(f"the interval has no end {side}: no value there is rejected")
    return "; ".join(said)
