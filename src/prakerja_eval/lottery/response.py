"""What did the offer do if those who answered stand for those alike who did not?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from prakerja_eval.errors import CollinearityError, NotEstimableError, UsageError
from prakerja_eval.estimate import (
    Clustered,
    Estimate,
    Inference,
    LinearFit,
    LinearTerm,
    Robust,
    estimate_row,
    join,
)
from prakerja_eval.estimate.specs import instance_of, names_of
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.roster import SHOWN, Roster, rosters
from prakerja_eval.numerics.response import People, ResponseWeighted
from prakerja_eval.numerics.response import response_weighted as kernel
from prakerja_eval.panel import PanelProtocol, WaveLabel
from prakerja_eval.typing import BoolArray, FloatArray

# People per cell of the logit below which its intercepts would carry the slopes off (incidental
# parameters: a bias of about one over the people of a cell).
PER_CELL = 20


def response_weighted(
    panel: PanelProtocol,
    outcome: str | Sequence[str],
    covariates: str | Sequence[str],
    design: Design | None = None,
    *,
    waves: Sequence[WaveLabel] | None = None,
) -> Estimate:
    """Estimate the effect of the offer with people weighted by one over their odds of answering.

    The estimand is the ITT on everyone in the lottery, Σ_b s_b (E[Y | won, b] − E[Y | lost, b]),
    answered or not. It is found where outcomes are missing at random given arm, block and
    covariates; ψ counts the estimation of the odds. The logit of answering is fitted for each arm,
    with an intercept for each block where the blocks with missing outcomes have 20 people an arm on
    average, and one intercept otherwise. Means are normalised within the arms of blocks.

    Parameters
    ----------
    panel : Panel
        With Roles ``offer``, and ``blocks`` where odds differed.
    outcome : str or sequence of str
        Numeric columns.
    covariates : sequence of str
        As in ``Design(covariates=...)``; the baseline outcome is the first to think of.
    design : Design, optional
        Block weights, shares, clusters, and what is done with lone and empty arms.
    waves : sequence, optional
        Left out: every wave after the baseline.

    Returns
    -------
    Estimate
        One row an outcome and wave, HC2 by default (CR2 where clusters were drawn). ``n`` counts
        people who answered.

    Raises
    ------
    UsageError
        Without covariates, or for a design that adjusts or weights otherwise.
    NotEstimableError
        If covariates decide for some people whether they answer, are collinear within blocks, or
        nobody answered in one arm of a block.

    References
    ----------
    Horvitz and Thompson (1952), doi 10.1080/01621459.1952.10483446.
    Wooldridge (2007), doi 10.1016/j.jeconom.2007.02.002.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> from prakerja_eval.lottery.response import response_weighted
    >>> frame = pd.DataFrame({"id": [f"p{i}" for i in range(16)], "won": [1, 0] * 8,
    ...                       "female": [0] * 8 + [1] * 8})
    >>> frame["income"] = 1.0 + frame["won"] + frame["female"] * (1 + frame["won"])
    >>> frame.loc[[8, 9, 10, 11, 0, 1], "income"] = float("nan")
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", offer="won"))
    >>> round(float(response_weighted(panel, "income", ["female"]).theta[0]), 6)
    1.5
    """
    asked = Design() if design is None else design
    instance_of(asked, Design, "design")
    names = names_of(covariates)
    _refuse(asked, names)
    rows = []
    for found in rosters(panel, outcome, replace(asked, covariates=names), waves):
        rows += [_row(_answerable(found, t, asked), t, asked, names) for t in found.chosen]
    return join(*rows)


def _refuse(design: Design, names: tuple[str, ...]) -> None:
    """Refuse designs that the weighting does not go with."""
    if not names:
        raise UsageError("lottery.response_weighted(covariates) names no column to weight by.")
    if design.covariates:
        raise UsageError(
            "lottery.response_weighted compares weighted means: name the covariates that explain "
            "the response in the call, and none in Design(covariates=...)."
        )
    if design.method == "ipw" or design.lone_arms == "pashley_miratrix":
        raise UsageError(
            "lottery.response_weighted goes with Design(method='difference') and lone_arms "
            "'refuse' or 'merge'."
        )


def _answerable(found: Roster, wave: int, design: Design) -> Roster:
    """Return the roster without blocks of which an arm did not answer; refuse those, or drop."""
    code = 2 * found.block + found.arm.astype(np.int64)
    seen = np.bincount(code, found.observed(wave), minlength=2 * len(found.block_names))
    lone = np.minimum(seen[0::2], seen[1::2]) == 0
    if not lone.any():
        return found
    keep = ~lone[found.block]
    if design.empty_arms == "drop" and keep.any():
        return replace(found.take(keep), dropped=found.dropped + int((~keep).sum()))
    at = np.flatnonzero(lone)
    names = ", ".join(found.block_names[b] for b in at[:SHOWN])
    raise NotEstimableError(
        f"nobody of one arm has a value of {found.outcome!r} in {len(at)} block(s)"
        f"{_at(found, wave)}: {names}. No weight can stand for them; leave the blocks out with "
        "Design(empty_arms='drop'), or merge blocks that had the same odds."
    )


def _at(found: Roster, wave: int) -> str:
    label = found.label(wave)
    return "" if label is None else f" in wave {label}"


def _row(found: Roster, wave: int, design: Design, names: tuple[str, ...]) -> Estimate:
    answered = found.observed(wave)
    people = People(answered, found.arm, found.block, found.covariates, found.weight)
    by_block = _by_block(people)
    try:
        answer = kernel(found.y[:, wave], people, _share_weights(found, design), by_block)
    except CollinearityError as error:
        raise NotEstimableError(
            f"the covariate {found.names[error.column]!r} does not vary among the people of an arm "
            f"within blocks{_at(found, wave)}, or repeats covariates before it: leave it out."
        ) from error
    except NotEstimableError as error:
        raise NotEstimableError(
            f"no weights for {found.outcome!r}{_at(found, wave)}: {error}. Leave out covariates, "
            "or merge their values."
        ) from error
    return _labelled(found, wave, design, _Answer(answer, answered, names, by_block))


def _by_block(people: People) -> bool:
    """Say whether the cells with missing outcomes are large enough for an intercept each."""
    code = 2 * people.block + people.arm.astype(np.int64)
    missed = np.bincount(code, ~people.answered) > 0
    sizes = np.bincount(code)[missed]
    return bool(len(sizes) and sizes.mean() >= PER_CELL)


def _share_weights(found: Roster, design: Design) -> FloatArray:
    """Return how much each person counts in the share of the block, (n,)."""
    if design.block_weights == "treated":
        return found.arm
    if design.block_weights == "population":
        return np.ones(len(found))
    won = np.bincount(found.block, found.weight * found.arm)
    share = (won / np.bincount(found.block, found.weight))[found.block]
    return np.asarray(share * (1 - share))


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """What the kernel found, and how it was asked."""

    found: ResponseWeighted
    answered: BoolArray
    names: tuple[str, ...]
    by_block: bool


def _specification(found: Roster, design: Design, answer: _Answer) -> str:
    """Return the weighting and its assumption in words."""
    level = "block" if answer.by_block else "arm"
    parts = [
        f"weighted for response by {', '.join(answer.names)} (logit by arm, one intercept for each "
        f"{level}; missing at random given arm, block and these)"
    ]
    if design.shares == "superpopulation":
        parts.append("superpopulation")
    if design.lone_arms == "merge":
        parts.append("lone arms merged")
    if found.dropped:
        parts.append("blocks without both arms left out")
    return "; ".join(parts)


def _labelled(found: Roster, wave: int, design: Design, answer: _Answer) -> Estimate:
    """Return the Estimate, with the weighted means behind it for leverage corrections."""
    made = answer.found
    fit = LinearFit(
        residuals=made.residuals,
        weights=made.omega,
        bread=np.diag(1.0 / made.cell_weight),
        rows=np.arange(len(found)),
        cells=made.cell,
    )
    drawn = design.shares == "superpopulation"
    contrast = np.column_stack([-made.shares, made.shares]).ravel()
    term = LinearTerm(fit, contrast, share=None if drawn else made.psi_share)
    winners = int((answer.answered & (found.arm == 1)).sum())
    n = int(answer.answered.sum())
    drawn_by = design.clusters
    default: Inference = Robust("HC2") if drawn_by is None else Clustered(drawn_by, "CR2")
    population = "winners" if design.block_weights == "treated" else "everyone in the lottery"
    return estimate_row(
        made.theta,
        made.psi + made.psi_share if drawn else made.psi,
        found.units,
        {
            "estimator": "lottery.response_weighted",
            "estimand": "ITT",
            "population": population,
            "outcome": found.outcome,
            "wave": found.label(wave),
            "weighting": design.weighting,
            "specification": _specification(found, design, answer),
        },
        {"n": n, "n_treated": winners, "n_comparison": n - winners}
        | {"comparison_mean": made.comparison_mean},
        default,
        [term],
    )
