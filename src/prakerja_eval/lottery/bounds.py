"""Between which limits does an effect lie, and between which does its interval? Partial answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
from scipy.special import ndtr, stdtr

from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate import (
    Clustered,
    Estimate,
    Inference,
    LinearFit,
    LinearTerm,
    Robust,
    join,
)
from prakerja_eval.estimate.estimate import COUNT_COLUMNS, INDEX_COLUMNS, index_row
from prakerja_eval.estimate.specs import instance_of
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.roster import SHOWN, Roster
from prakerja_eval.numerics.trimming import Response
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

SIDES = ("lower", "upper")
LABELS = ("estimator", "outcome", "wave", "weighting", "specification")
FACTS = (
    "n",
    "n_observed",
    "response_winners",
    "response_losers",
    "trimmed_winners",
    "trimmed_losers",
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Bounds:
    """Limits of an effect that the data do not settle, with an interval that covers the effect.

    Attributes
    ----------
    estimate : Estimate
        Two rows, the lower and the upper limit, for each row of ``frame``.
    frame : DataFrame
        estimator, outcome, wave, weighting, specification; lower, upper, se_lower, se_upper;
        critical, conf_low, conf_high: the interval of Imbens and Manski; n people, n_observed of
        them; response_winners and response_losers; trimmed_winners and trimmed_losers, the shares
        of respondents left out; inference; status.
    level : float
        Coverage of the interval.

    References
    ----------
    Imbens and Manski (2004), doi 10.1111/j.1468-0262.2004.00555.x. Stoye (2009),
    doi 10.3982/ECTA7347.
    """

    estimate: Estimate
    frame: pd.DataFrame
    level: float

    def __repr__(self) -> str:
        return f"{self._head()}\n{self._shown().to_string(index=False)}\n{self._foot()}"

    def _repr_html_(self) -> str:
        table = str(self._shown().to_html(index=False, border=0))
        return f"<p>{escape(self._head())}</p>{table}<p>{escape(self._foot())}</p>"

    def _head(self) -> str:
        return f"Bounds of the effect of the offer, {self.level:.0%} intervals for the effect"

    def _shown(self) -> pd.DataFrame:
        asked = ["outcome", "wave", "specification", "lower", "upper", "conf_low", "conf_high"]
        shown = self.frame[asked].dropna(axis=1, how="all")
        numbers = shown.columns.intersection(asked[3:])
        return shown.assign(**shown[numbers].map(lambda v: float(f"{v:.4g}")))

    def _foot(self) -> str:
        remarks = self.frame.status[self.frame.status != "ok"].unique()
        return "\n".join(remarks) if len(remarks) else "status ok"

    def under(self, inference: Inference, level: float | None = None) -> "Bounds":
        """Return the same limits with other standard errors and intervals."""
        level = self.level if level is None else level
        return _bounds(self.estimate, self.frame[list(FACTS)], level, inference)


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """K limits of one outcome and wave, lower and upper in turn, as a kernel returned them.

    Attributes
    ----------
    theta, comparison : (K,) arrays
    psi : (n, K) array
    terms : K tuples of LinearTerm
    """

    theta: FloatArray
    comparison: FloatArray
    psi: FloatArray
    terms: tuple[tuple[LinearTerm, ...], ...]


def bounds_of(parts: Sequence[tuple[Estimate, pd.DataFrame]], level: float) -> Bounds:
    """Join the limits of several outcomes and waves, each with its facts, and infer."""
    facts = pd.concat([facts for _, facts in parts], ignore_index=True)
    return _bounds(join(*[estimate for estimate, _ in parts]), facts, level, None)


def _bounds(
    estimate: Estimate, facts: pd.DataFrame, level: float, inference: Inference | None
) -> Bounds:
    known_level(level)
    found = estimate.findings(inference).frame
    lower, upper = found.iloc[0::2].reset_index(drop=True), found.iloc[1::2].reset_index(drop=True)
    frame = lower[list(LABELS)].copy()
    frame["lower"], frame["upper"] = lower.estimate, upper.estimate
    frame["se_lower"], frame["se_upper"] = lower.std_error, upper.std_error
    widest = np.maximum(lower.std_error, upper.std_error)
    df = np.minimum(lower.df, upper.df)
    frame["critical"] = [
        critical_value(width, level, freedom)
        for width, freedom in zip((upper.estimate - lower.estimate) / widest, df, strict=True)
    ]
    frame["conf_low"] = lower.estimate - frame.critical * lower.std_error
    frame["conf_high"] = upper.estimate + frame.critical * upper.std_error
    frame = pd.concat([frame, facts.reset_index(drop=True)], axis=1)
    frame["inference"] = lower.inference
    frame["status"] = np.where(lower.status == "ok", upper.status, lower.status)
    return Bounds(estimate, frame, level)


def critical_value(width: float, level: float, df: float = np.inf) -> float:
    """Return the C that solves F(C + width) - F(-C) = level.

    F is the normal distribution, or Student's where the inference has degrees of freedom. At width
    zero C is the two-sided critical value, at a large one the one-sided.

    Parameters
    ----------
    width : float
        (upper - lower) / max(se).
    level, df : float
    """
    from scipy.optimize import brentq  # late: only this needs it

    if not np.isfinite(width):
        return np.nan

    def cdf(x: float) -> float:
        return float(ndtr(x) if np.isinf(df) else stdtr(df, x))

    top = 2.0
    while cdf(top) - cdf(-top) < level:
        top *= 2
    return float(brentq(lambda c: cdf(c + width) - cdf(-c) - level, 0.0, top, xtol=1e-14))


def known_level(level: float) -> None:
    """Refuse a coverage at which one limit alone would already be too much."""
    if not 0.5 < level < 1:
        raise UsageError(f"level is {level!r}; it must lie between 0.5 and 1, 0.95 say.")


def known_design(design: Design | None, verb: str, refused: Sequence[str] = ()) -> Design:
    """Return the design, or refuse what bounds cannot follow."""
    design = Design() if design is None else design
    instance_of(design, Design, "design")
    if design.covariates:
        raise UsageError(
            f"{verb} makes no regression adjustment: leave Design(covariates=...) out"
            + ("; discrete columns may tighten the bounds." if verb.endswith("lee_bounds") else ".")
        )
    if design.block_weights in refused or design.method in refused:
        raise UsageError(
            f"{verb} takes Design(block_weights='population' or 'treated')"
            + (", and method='difference': it works within blocks." if "ipw" in refused else ".")
        )
    return design


def default_inference(design: Design) -> Inference:
    """Return HC2 with normal quantiles, as Imbens and Manski have it; CR2 for drawn clusters."""
    if design.clusters is not None:
        return Clustered(design.clusters, "CR2")
    return Robust("HC2", reference="normal")


def both_answered(
    found: Roster, wave: int, cell: IntArray, names: Sequence[str], design: Design
) -> BoolArray:
    """Return the people of cells in which both arms answered, (n,); refuse the others, or drop."""
    seen = found.observed(wave)
    code = 2 * cell + (found.arm == 1)
    answered = np.bincount(code[seen], minlength=2 * len(names)).reshape(-1, 2)
    lost = np.flatnonzero(answered.min(axis=1) == 0)
    keep = np.asarray(answered.min(axis=1) > 0)[cell]
    if not len(lost) or (design.empty_arms == "drop" and keep.any()):
        return keep
    when = "" if found.label(wave) is None else f" in wave {found.label(wave)}"
    raise NotEstimableError(
        f"of {len(lost)} block(s) no winner or no loser has a value of {found.outcome!r}{when}: "
        f"{', '.join(names[c] for c in lost[:SHOWN])}. Without respondents there is no bound. "
        "Merge blocks that had the same odds, tighten by fewer columns, or leave them out with "
        "Design(empty_arms='drop')."
    )


def base_of(found: Roster, design: Design) -> FloatArray:
    """Return how much each person counts in the people of the block, (n,)."""
    return found.arm if design.block_weights == "treated" else np.ones(len(found))


def attrition_terms(
    rows: tuple[FloatArray, IntArray, FloatArray, BoolArray],
    response: Response,
    parts: tuple[FloatArray, FloatArray, FloatArray],
    psi_share: FloatArray | None,
    design: Design,
) -> tuple[tuple[LinearTerm, ...], ...]:
    """Return for each limit the two regressions behind it, for leverage corrections.

    That of the response on the cells by arm of everybody, and that of the outcome on those of the
    respondents. A lottery of clusters gets them as one stacked regression, which CR2 needs.

    Parameters
    ----------
    rows : arm, cell, weight and whether seen, each (n,)
    response : Response
    parts : slopes (C, 2, K), residuals (n, K), shares (C,)
    psi_share : (n, K) array, optional
        Influence of people that ψ takes as fixed.
    design : Design
    """
    arm, cell, w, seen = rows
    slopes, residuals, shares = parts
    code = 2 * cell + (arm == 1)
    at = np.flatnonzero(seen)
    bread = np.diag(1.0 / response.people.ravel()), np.diag(1.0 / response.answered.ravel())
    missed = seen - response.rates.ravel()[code]
    answer = LinearFit(missed, w, bread[0], np.arange(len(arm)), cells=code)
    contrast = np.column_stack([-shares, shares]).ravel()
    out = []
    for k in range(slopes.shape[2]):
        fit = LinearFit(residuals[at, k], w[at], bread[1], at, cells=code[at])
        share = None if psi_share is None else psi_share[:, k]
        pair = LinearTerm(answer, slopes[:, :, k].ravel(), share), LinearTerm(fit, contrast)
        out.append(pair if design.clusters is None else (_stacked(*pair),))
    return tuple(out)


def _stacked(first: LinearTerm, second: LinearTerm) -> LinearTerm:
    """Return two cell regressions as one, block by block."""
    a, b = first.fit, second.fit
    p, q = a.n_parameters, b.n_parameters
    if a.cells is None or b.cells is None:
        raise ValueError("only regressions on cells are stacked")
    bread = np.zeros((p + q, p + q))
    bread[:p, :p], bread[p:, p:] = a.bread, b.bread
    fit = LinearFit(
        residuals=np.concatenate([a.residuals, b.residuals]),
        weights=np.concatenate([a.weights, b.weights]),
        bread=bread,
        rows=np.concatenate([a.rows, b.rows]),
        cells=np.concatenate([a.cells, b.cells + p]),
    )
    share = None
    if first.share is not None:
        share = np.concatenate([first.share, np.zeros(len(b.weights))])
    return LinearTerm(fit, np.concatenate([first.contrast, second.contrast]), share)


def limits_estimate(
    limits: Limits,
    found: Roster,
    wave: int,
    design: Design,
    labels: Sequence[dict[str, object]],
    status: str = "ok",
) -> Estimate:
    """Return the limits as an Estimate; ``labels`` has one entry a pair of limits."""
    k, n = len(limits.theta), len(found)
    index = [
        index_row(outcome=found.outcome, wave=found.label(wave), **own)
        | {"estimand": f"ITT, {side} bound"}
        for own in labels
        for side in SIDES
    ]
    winners = int(found.arm.sum())
    counts = pd.DataFrame(
        {
            "n": n,
            "n_treated": winners,
            "n_comparison": n - winners,
            "comparison_mean": limits.comparison,
            "status": status,
        }
    )
    return Estimate(
        theta=np.array(limits.theta, dtype=np.float64),
        psi=np.array(limits.psi, dtype=np.float64),
        sample=np.ones((n, k), dtype=bool),
        units=found.units,
        index=pd.DataFrame(index, columns=list(INDEX_COLUMNS), dtype=object),
        counts=counts[list(COUNT_COLUMNS)],
        terms=limits.terms,
        defaults=(default_inference(design),) * k,
    )


def facts_of(
    found: Roster, wave: int, rates: FloatArray, trimmed: FloatArray | None = None, repeat: int = 1
) -> pd.DataFrame:
    """Return the counts and rates of a wave; ``rates`` and ``trimmed`` are (losers, winners)."""
    trimmed = np.full(2, np.nan) if trimmed is None else trimmed
    row = (len(found), int(found.observed(wave).sum()), rates[1], rates[0], trimmed[1], trimmed[0])
    return pd.DataFrame([row] * repeat, columns=list(FACTS))
