"""What do the lottery's respondents say of those who would answer either way? Lee's bounds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from prakerja_eval.estimate import Estimate
from prakerja_eval.estimate.specs import instance_of, names_of, one_of
from prakerja_eval.lottery.bounds import (
    Bounds,
    Limits,
    attrition_terms,
    base_of,
    both_answered,
    bounds_of,
    facts_of,
    known_design,
    known_level,
    limits_estimate,
)
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.roster import Roster, rosters
from prakerja_eval.numerics.trimming import (
    Response,
    Trimmed,
    odds_influence,
    odds_weights,
    response,
    trimmed_bounds,
)
from prakerja_eval.panel import PanelProtocol, WaveLabel
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

TrimWeights: TypeAlias = Literal["always_responders", "people"]
Direction: TypeAlias = Literal["by_block", "common", "raises", "lowers"]

SETTLED = 2.0  # standard errors between the rates of the arms
SIGNS = {"by_block": 0, "raises": 1, "lowers": -1}


@dataclass(frozen=True, slots=True)
class Trimming:
    """How blocks are averaged, and which arm is trimmed.

    Parameters
    ----------
    weights : {"always_responders", "people"}
        A block counts by its people times the lower of its response rates, which estimates its
        always-responders; or by its people.
    direction : {"by_block", "common", "raises", "lowers"}
        What the offer does to response (Lee's monotonicity). "by_block": whatever each block's
        rates say, so that it may raise response in one and lower it in another; "common": one
        direction, read off the rates of all blocks together; "raises" and "lowers" assume it. With
        one direction, a block whose rates point the other way is not trimmed.
    """

    weights: TrimWeights = "always_responders"
    direction: Direction = "by_block"

    def __post_init__(self) -> None:
        one_of(self.weights, TrimWeights, "lottery.Trimming(weights)")
        one_of(self.direction, Direction, "lottery.Trimming(direction)")


def lee_bounds(
    panel: PanelProtocol,
    outcome: str | Sequence[str],
    design: Design | None = None,
    *,
    tighten: str | Sequence[str] = (),
    waves: Sequence[WaveLabel] | None = None,
    trimming: Trimming | None = None,
    level: float = 0.95,
) -> Bounds:
    """Bound the effect of the offer on those who answer whether they win or lose.

    In each block the arm with the higher response rate is trimmed by the share
    |q1 - q0| / max(q1, q0) of its respondents, from the top for one limit and from the bottom for
    the other; the person at the cut counts in part, so that ties do no harm. The estimand is
    Σ_b s_b E[Y(1) - Y(0) | answers either way, b], with s_b the share of always-responders who are
    in the block. ``Design(method="ipw")`` trims everybody at once by one share instead, weighted by
    one over the odds of the own arm.

    Parameters
    ----------
    panel : Panel
        With Roles ``offer``, and ``blocks`` where odds differed. A missing outcome is a person who
        did not answer.
    outcome : str or sequence of str
        Numeric columns.
    design : Design, optional
        ``block_weights`` "population" or "treated"; no covariates.
    tighten : str or sequence of str
        Discrete baseline columns: blocks are trimmed within their values, which narrows the bounds
        in large samples; in cells of few people chance picks the trimmed arm, and they widen.
    waves : sequence, optional
        Left out: every wave after the baseline.
    trimming : Trimming, optional
        Weights of the blocks, and the direction of the offer's effect on response.
    level : float
        Coverage of the effect by the interval.

    Returns
    -------
    Bounds
        One row an outcome and wave; HC2 with normal quantiles by default, CR2 by the design's
        clusters. The status says in how many blocks the arm to trim is not settled.

    Raises
    ------
    NotEstimableError
        If nobody answered in an arm of a block (or of a block's people with one value of
        ``tighten``), unless ``Design(empty_arms="drop")`` leaves them out.

    References
    ----------
    Lee (2009), doi 10.1111/j.1467-937X.2009.00536.x. Imbens and Manski (2004),
    doi 10.1111/j.1468-0262.2004.00555.x.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdefgh"), "won": [1] * 4 + [0] * 4,
    ...                       "income": [1.0, 2.0, 3.0, 6.0, 1.0, 2.0, 3.0, None]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", offer="won"))
    >>> found = pe.lottery.lee_bounds(panel, "income").frame
    >>> [round(float(v), 4) for v in (found.lower[0], found.upper[0])]
    [0.0, 1.6667]
    """
    known_level(level)
    design = known_design(design, "lottery.lee_bounds", ("strata_fe",))
    trimming = Trimming() if trimming is None else trimming
    instance_of(trimming, Trimming, "trimming")
    asked = replace(design, covariates=names_of(tighten))
    found = rosters(panel, outcome, asked, waves)
    return bounds_of([_row(r, t, asked, trimming) for r in found for t in r.chosen], level)


def _row(
    found: Roster, wave: int, design: Design, trimming: Trimming
) -> tuple[Estimate, pd.DataFrame]:
    """Bound one outcome in one wave."""
    cell, names = _cells(found, design)
    keep = both_answered(found, wave, cell, names, design)
    if design.method == "ipw":
        keep &= both_answered(found, wave, found.block, found.block_names, design)
    if not keep.all():
        found = replace(found.take(keep), dropped=found.dropped + int((~keep).sum()))
        cell, names = _cells(found, design)
    y, base = found.y[:, wave], base_of(found, design)
    w = _weights(found, design, base)
    base = np.ones_like(base) if design.method == "ipw" else base
    answers = response(y, found.arm, cell, w)
    people = np.asarray(np.bincount(cell, base * w), dtype=np.float64)
    sign = SIGNS.get(trimming.direction, _common_sign(answers, people))
    always = trimming.weights == "always_responders"
    bounds = trimmed_bounds(y, found.arm, cell, w, base, sign, always)
    limits = _limits(bounds, found, wave, cell, w, design)
    drawn = None if design.clusters is None else found.assigned
    noise = _noise(found.observed(wave), 2 * cell + (found.arm == 1), w, answers, drawn)
    labels = [_labels(found, design, trimming)]
    status = _status(bounds, noise, people, trimming, "cells" if design.covariates else "blocks")
    estimate = limits_estimate(limits, found, wave, design, labels, status)
    rates = people @ answers.rates / people.sum()
    return estimate, facts_of(found, wave, rates, _trimmed_shares(bounds))


def _cells(found: Roster, design: Design) -> tuple[IntArray, list[str]]:
    """Return within whom we trim: the block (or everybody) and the values that tighten; names."""
    cell, names = found.block, list(found.block_names)
    if design.method == "ipw":
        cell, names = np.zeros_like(cell), ["everybody"]
    for name, column in zip(found.names, found.covariates.T, strict=True):
        values, code = np.unique(column, return_inverse=True)
        present, cell = np.unique(cell * len(values) + code, return_inverse=True)
        pairs = (divmod(int(p), len(values)) for p in present)
        names = [f"{names[c]}, {name} = {values[v]:g}" for c, v in pairs]
    return np.asarray(cell, dtype=np.int64), names


def _weights(found: Roster, design: Design, base: FloatArray) -> FloatArray:
    """Return the sampling weights, over the odds of the own arm where the design weighs by them.

    Stated odds are known; otherwise each arm is weighted to the people of its blocks.
    """
    if design.method != "ipw":
        return found.weight
    if not found.stated:
        return odds_weights(found.arm, found.block, found.weight, base)
    won, p = found.arm == 1, found.odds
    if design.block_weights == "treated":
        return np.where(won, 1.0, p / (1 - p)) * found.weight
    return np.where(won, 1 / p, 1 / (1 - p)) * found.weight


def _limits(
    bounds: Trimmed, found: Roster, wave: int, cell: IntArray, w: FloatArray, design: Design
) -> Limits:
    """Say what of the influence is in ψ, and put the regressions beside it."""
    weighted = design.method == "ipw"
    drawn = weighted or design.shares == "superpopulation"
    psi = bounds.psi + bounds.psi_share if drawn else bounds.psi
    if weighted and not found.stated:
        base = base_of(found, design)
        psi = odds_influence(psi, found.arm, found.block, found.weight, base)
    rows = found.arm, cell, w, found.observed(wave)
    parts = bounds.slopes, bounds.residuals, bounds.shares
    share = None if drawn else bounds.psi_share
    terms = attrition_terms(rows, bounds.response, parts, share, design)
    return Limits(bounds.theta, bounds.comparison, psi, terms)


def _common_sign(answers: Response, people: FloatArray) -> int:
    """Return 1 if winners answer more over all cells, -1 if losers do."""
    return 1 if people @ (answers.rates[:, 1] - answers.rates[:, 0]) >= 0 else -1


def _noise(
    seen: BoolArray, code: IntArray, w: FloatArray, answers: Response, drawn: IntArray | None
) -> FloatArray:
    """Return the sampling variance of q1 - q0 by cell, (C,); it decides a remark, not a result.

    ``code`` is 2 cell + arm; ``drawn`` names the clusters of a lottery of clusters.
    """
    moved = w * (seen - answers.rates.ravel()[code]) / answers.people.ravel()[code]
    if drawn is not None:
        n = int(drawn.max()) + 1
        pairs, at = np.unique(code * n + drawn, return_inverse=True)
        code, moved = pairs // n, np.asarray(np.bincount(at, moved), dtype=np.float64)
    squares = np.bincount(code, moved**2, minlength=answers.rates.size)
    return np.asarray(squares[0::2] + squares[1::2], dtype=np.float64)


def _status(
    bounds: Trimmed, noise: FloatArray, people: FloatArray, trimming: Trimming, what: str
) -> str:
    """Say where it is not settled which arm to trim, and where nothing was trimmed for it."""
    gap = bounds.response.rates[:, 1] - bounds.response.rates[:, 0]
    n, remarks = len(gap), []
    close = int(np.sum(gap**2 < SETTLED**2 * noise))
    shares = people / people.sum()
    if trimming.direction == "by_block" and close:
        where = "" if n == 1 else f" in {close} of {n} {what}"
        remarks.append(f"response rates within 2 SE of each other{where}: arm to trim not settled")
    if trimming.direction == "common" and (shares @ gap) ** 2 < SETTLED**2 * (shares**2 @ noise):
        remarks.append("response rates within 2 SE of each other: arm to trim not settled")
    other = int(np.sum(gap * (2 * bounds.trimmed - 1) < 0))
    if other:
        remarks.append(f"rates point the other way in {other} of {n} {what}: nothing trimmed there")
    return "; ".join(remarks) or "ok"


def _trimmed_shares(bounds: Trimmed) -> FloatArray:
    """Return the shares of the losers and winners who answered that are left out, (2,)."""
    answered = bounds.response.answered
    gone = np.zeros_like(answered)
    each = np.arange(len(answered))
    gone[each, bounds.trimmed] = (1 - bounds.kept) * answered[each, bounds.trimmed]
    return np.asarray(gone.sum(axis=0) / answered.sum(axis=0))


def _labels(found: Roster, design: Design, trimming: Trimming) -> dict[str, object]:
    """Say whose effect it is, and how it was bounded."""
    winners = " among the winners" if design.block_weights == "treated" else ""
    always = trimming.weights == "always_responders"
    parts = ["weighted by the odds" if design.method == "ipw" else "trimmed within blocks"]
    if design.covariates:
        parts.append(f"tightened by {', '.join(design.covariates)}")
    if trimming.direction != "by_block":
        one = {"common": "one direction", "raises": "the offer raises response"}
        parts.append(one.get(trimming.direction, "the offer lowers response"))
    if design.shares == "superpopulation":
        parts.append("superpopulation")
    if found.dropped:
        parts.append("blocks without both arms left out")
    return {
        "estimator": "lottery.lee_bounds",
        "population": f"always-responders{winners}",
        "weighting": "always-responders per block" if always else design.weighting,
        "specification": "; ".join(parts),
    }
