"""How much may parallel trends fail before the conclusion does? Robust intervals by the failure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from prakerja_eval.did.honest_flci import fixed_length
from prakerja_eval.did.honest_sets import Inequalities, relative, smoothness
from prakerja_eval.did.honest_test import Hull, Test, hull, least_favourable, reach
from prakerja_eval.did.long_differences import LongDifferences, long_differences
from prakerja_eval.did.restrictions import RelativeMagnitudes, Search, Smoothness
from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import Estimate, Inference, contrast, infer
from prakerja_eval.estimate.specs import instance_of, one_of
from prakerja_eval.typing import FloatArray

Target: TypeAlias = Literal["first", "average"] | Sequence[float] | FloatArray

COLUMNS = ("restriction", "method", "m", "conf_low", "conf_high", "status")
PRECISION = 1e-4  # of the breakdown value, relative
DOUBLINGS = 30


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sensitivity:
    """Robust intervals by the size of the violation, and where the conclusion breaks.

    Attributes
    ----------
    frame : DataFrame
        restriction ("none" for the original interval, first), method, m, conf_low, conf_high,
        status. An end beyond the edge of the search is infinite, and the status says so.
    breakdown : float
        Smallest m whose interval contains zero, from above to a relative 1e-4; infinite if there
        is none.
    outcome, target : str
        What the effect is.
    level : float
        Coverage.
    """

    frame: pd.DataFrame
    breakdown: float
    outcome: str
    target: str
    level: float
    restriction: str = field(default="")

    def __repr__(self) -> str:
        return f"{self._head()}\n{self._shown().to_string(index=False)}\n{self._foot()}"

    def _repr_html_(self) -> str:
        table = str(self._shown().to_html(index=False, border=0))
        return f"<p>{escape(self._head())}</p>{table}<p>{escape(self._foot())}</p>"

    def _head(self) -> str:
        return (
            f"Effect on {self.outcome}, {self.target}: {self.level:.0%} intervals robust to "
            f"violations of parallel trends ({self.restriction})"
        )

    def _shown(self) -> pd.DataFrame:
        ends = self.frame[["m", "conf_low", "conf_high"]].map(lambda v: float(f"{v:.4g}"))
        return self.frame.assign(**ends)

    def _foot(self) -> str:
        if np.isinf(self.breakdown):
            return "No size of the violation makes the interval contain zero."
        if self.breakdown == 0:
            return "The interval contains zero without any violation, m = 0."
        return f"The interval contains zero from m = {self.breakdown:.4g} on."


def honest(
    event_study: Estimate,
    restriction: RelativeMagnitudes | Smoothness,
    *,
    contrast: Target = "first",
    inference: Inference | None = None,
    level: float = 0.95,
    search: Search | None = None,
) -> Sensitivity:
    """Return intervals of an effect that hold though parallel trends fail by a stated size.

    beta = delta + (0, tau), delta the differential trend; the interval covers l'tau for every delta
    that the restriction allows.

    Parameters
    ----------
    event_study : Estimate
        Of ``did.event_study`` or ``did.twfe(dynamic=True)``: differences from one reference before
        treatment (a universal base), equally spaced.
    restriction : RelativeMagnitudes or Smoothness
    contrast : {"first", "average"} or sequence of float
        l: the effect at the first event time from 0 on, the mean from 0 on, or one weight for each
        event time after the reference.
    inference : Inference, optional
        Left out, the rows' default.
    level : float
        Coverage.
    search : Search, optional

    Raises
    ------
    UsageError
        With a varying base, several event studies, or event times at unequal steps.
    NotEstimableError
        If a coefficient has no variance, or none lies before the reference.

    References
    ----------
    Rambachan and Roth (2023), doi 10.1093/restud/rdad018; Andrews, Roth and Pakes (2023), doi
    10.1093/restud/rdad006.
    """
    instance_of(restriction, RelativeMagnitudes | Smoothness, "did.honest(restriction)")
    if not 0.5 < level < 1:
        raise UsageError(f"did.honest(level={level!r}) must lie between 0.5 and 1.")
    study = long_differences(event_study, inference, "did.honest")
    target = _target(study, contrast)
    search = search or Search()
    solver = _solver(study, target, restriction, 1 - level, search)
    name = "relative magnitudes" if isinstance(restriction, RelativeMagnitudes) else "smoothness"
    m = restriction.m if restriction.m is not None else _default_sizes(study, target)
    rows = [_original(event_study, study, target, inference, level)]
    found = [solver(size) for size in m]
    for size, ends in zip(m, found, strict=True):
        rows.append((name, restriction.method, size, ends.low, ends.high, _status(ends, search)))
    return Sensitivity(
        frame=pd.DataFrame(rows, columns=list(COLUMNS)),
        breakdown=_breakdown(solver, m, found),
        outcome=str(event_study.index["outcome"].iloc[0]),
        target=_words(study, target),
        level=level,
        restriction=name,
    )


def _target(study: LongDifferences, asked: Target) -> FloatArray:
    """Return l over the coefficients after the reference."""
    after = study.time[study.n_pre :]
    if isinstance(asked, str):
        one_of(asked, Literal["first", "average"], "did.honest(contrast)")
        chosen = (after >= 0) if asked == "average" else after == after[after >= 0][0]
        return np.asarray(chosen / chosen.sum())
    weights = np.asarray(asked, dtype=np.float64)
    if weights.shape != after.shape or not np.isfinite(weights).all() or not weights.any():
        times = ", ".join(f"{t:g}" for t in after)
        raise UsageError(
            f"did.honest(contrast=...) takes one weight for each event time after the reference "
            f"({times}), not all zero."
        )
    return weights


def _words(study: LongDifferences, target: FloatArray) -> str:
    """Name the target."""
    times, weights = study.time[study.n_pre :][target != 0], target[target != 0]
    if len(times) == 1 and weights[0] == 1:
        return f"event time {times[0]:g}"
    if np.ptp(weights) == 0 and np.isclose(weights.sum(), 1):
        return "mean of event times " + ", ".join(f"{t:g}" for t in times)
    parts = (f"{w:g} x event time {t:g}" for w, t in zip(weights, times, strict=True))
    return " + ".join(parts)


def _default_sizes(study: LongDifferences, target: FloatArray) -> tuple[float, ...]:
    after = study.covariance[study.n_pre :, study.n_pre :]
    return tuple(float(k * np.sqrt(target @ after @ target)) for k in (0, 0.25, 0.5, 0.75, 1))


def _original(
    event_study: Estimate,
    study: LongDifferences,
    target: FloatArray,
    inference: Inference | None,
    level: float,
) -> tuple[object, ...]:
    """Return the row of the interval that takes parallel trends as given."""
    weights = np.zeros(len(event_study))
    weights[study.rows[study.n_pre :]] = target
    frame = infer(contrast(event_study, weights), inference, level=level).frame
    low, high = float(frame["conf_low"].iloc[0]), float(frame["conf_high"].iloc[0])
    return ("none", "original", np.nan, low, high, "ok")


def _solver(
    study: LongDifferences,
    target: FloatArray,
    restriction: RelativeMagnitudes | Smoothness,
    alpha: float,
    search: Search,
) -> Callable[[float], Hull]:
    """Return the function from a size to its interval."""
    beta, covariance = study.theta, study.covariance
    if restriction.method == "flci":

        def fixed(m: float) -> Hull:
            found = fixed_length(m, target, covariance, alpha)
            centre = float(found.weight @ beta)
            return Hull(centre - found.half_length, centre + found.half_length)

        return fixed
    hybrid = restriction.method == "conditional_hybrid"
    draws = _draws(covariance, search) if hybrid else np.empty((0, len(beta)))
    kappa = alpha / 10 if hybrid else 0.0

    def tested(m: float) -> Hull:
        hulls = []
        for signs in _pieces(study, target, restriction, m):
            # the two signs of a step have the same least favourable distribution
            least = least_favourable(signs[0], draws, kappa) if hybrid else np.inf
            test = Test((alpha - kappa) / (1 - kappa), least)
            for piece in signs:
                grid = _grid(beta, piece, least, search)
                hulls.append(hull(grid, beta, covariance, piece, test))
        return _union(hulls)

    return tested


def _draws(covariance: FloatArray, search: Search) -> FloatArray:
    generator = np.random.Generator(np.random.PCG64(search.seed))
    normal = generator.standard_normal((search.draws, len(covariance)))
    return np.asarray(normal @ np.linalg.cholesky(covariance).T)


def _pieces(
    study: LongDifferences,
    target: FloatArray,
    restriction: RelativeMagnitudes | Smoothness,
    m: float,
) -> list[list[Inequalities]]:
    """Return the convex sets whose union the restriction is, the two signs of a step together."""
    covariance = study.covariance
    if isinstance(restriction, Smoothness):
        return [[smoothness(m, target, covariance)]]
    if m == 0:  # no step after the reference, whichever was the largest before
        return [[relative(0.0, 0, 1.0, target, covariance)]]
    return [
        [relative(m, largest, sign, target, covariance) for sign in (1.0, -1.0)]
        for largest in range(study.n_pre)
    ]


def _grid(beta: FloatArray, piece: Inequalities, least: float, search: Search) -> FloatArray:
    """Return the values tested; the hybrid rejects the first, the last, and all beyond them."""
    low, high = reach(beta, piece, search.far if np.isinf(least) else least)
    room = 1e-6 * abs(high - low)
    return np.linspace(low - room, max(low, high + room), search.points)


def _union(hulls: list[Hull]) -> Hull:
    """Return the hull of the union; the piece of the largest step before is never empty."""
    known = [h for h in hulls if not np.isnan(h.low)]
    return Hull(min(h.low for h in known), max(h.high for h in known))


def _status(ends: Hull, search: Search) -> str:
    sides = [("below", ends.low), ("above", ends.high)]
    found = " and ".join(side for side, end in sides if np.isinf(end))
    return (
        f"open {found}: accepted at the edge, {search.far:g} standard errors out" if found else "ok"
    )


def _breakdown(solver: Callable[[float], Hull], m: tuple[float, ...], found: list[Hull]) -> float:
    """Return the smallest size whose interval contains zero, by halving between sizes."""
    inside = [h.low <= 0 <= h.high for h in found]
    if any(inside):
        first = inside.index(True)
        low, high = (m[first - 1] if first else 0.0), m[first]
        if first == 0 and (high == 0 or _holds(solver, 0.0)):
            return 0.0
    else:
        low, high = m[-1], 2 * m[-1] or 1.0
        for _ in range(DOUBLINGS):
            if _holds(solver, high):
                break
            low, high = high, 2 * high
        else:
            return np.inf
    while high - low > PRECISION * high:
        middle = (low + high) / 2
        low, high = (low, middle) if _holds(solver, middle) else (middle, high)
    return high


def _holds(solver: Callable[[float], Hull], m: float) -> bool:
    found = solver(m)
    return bool(found.low <= 0 <= found.high)
