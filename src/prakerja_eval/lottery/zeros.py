"""What did the offer do to an outcome with zeros? In levels, in percent, at both margins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from prakerja_eval.errors import CollinearityError, NotEstimableError
from prakerja_eval.estimate import (
    Estimate,
    Inference,
    LinearFit,
    LinearTerm,
    estimate_row,
    join,
)
from prakerja_eval.estimate.specs import instance_of, names_of, one_of
from prakerja_eval.lottery.design import Design, merged_only
from prakerja_eval.lottery.itt import default_inference, specification, without_regression
from prakerja_eval.lottery.regression import Difference, difference, prepared
from prakerja_eval.lottery.roster import Roster, rosters
from prakerja_eval.lottery.sample import Sample, sample_of
from prakerja_eval.lottery.transform import REFERENCE, pooled_quantile, status_of
from prakerja_eval.numerics.blocks import block_means
from prakerja_eval.numerics.poisson_blocks import BlockPoisson, poisson_blocks
from prakerja_eval.panel import PanelProtocol, WaveLabel
from prakerja_eval.typing import FloatArray

Part: TypeAlias = Literal["levels", "percent", "poisson", "extensive", "intensive", "winsorised"]
Transfers: TypeAlias = Literal["net", "gross"]
PARTS: tuple[Part, ...] = get_args(Part)

ESTIMAND = {
    "levels": "ITT",
    "percent": "ITT / comparison mean",
    "poisson": "ITT / comparison mean, Poisson",
    "extensive": "ITT on any",
    "intensive": "difference among those with any",
    "winsorised": "ITT, winsorised",
}
SAID = {
    "levels": "levels, unit of the outcome",
    "percent": "share of the comparison mean (1 is 100 %)",
    "poisson": "Poisson, exp(b) - 1 (1 is 100 %)",
    "extensive": "share with any, y > 0",
    "intensive": "levels among y > 0, unit of the outcome",
}
TRANSFERS = {"net": "net of the programme's own cash", "gross": "with the programme's own cash"}
SELECTED = "selected by the outcome: no effect on a fixed group; see Lee bounds"
SELF_MADE = "those with any (the offer may change who they are)"


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """What every part is told: the design as asked, the cut, and what rows say of cash."""

    design: Design
    quantile: float
    cut: float
    transfers: Transfers | None


@dataclass(frozen=True, slots=True, eq=False)
class _Answer:
    """One part: its number, and where it departs from the design's labels and inference."""

    sample: Sample
    theta: float
    psi: FloatArray
    terms: tuple[LinearTerm, ...]
    comparison_mean: float
    status: str = "ok"
    weighting: str | None = None
    default: Inference | None = None


def zeros(
    panel: PanelProtocol,
    outcome: str | Sequence[str],
    design: Design | None = None,
    *,
    parts: Sequence[Part] = PARTS,
    quantile: float = 0.99,
    waves: Sequence[WaveLabel] | None = None,
    transfers: Transfers | None = None,
) -> Estimate:
    """Estimate the effect of the offer on an outcome of zero or more, in the ways that zeros allow.

    ======================= ========================================================================
    part                    what a row says
    ======================= ========================================================================
    levels                  the ITT
    percent                 the ITT over the comparison mean; 0.06 is 6 %
    poisson                 exp(b) - 1 of a Poisson pseudo-likelihood with block effects
    extensive               the ITT on 1(y > 0)
    intensive               the difference among those with y > 0, which is no effect on anybody:
                            the offer may change who has any; see Lee bounds
    winsorised              the ITT on min(y, c), with c the quantile of all values observed
    ======================= ========================================================================

    Parameters
    ----------
    panel : Panel
        With Roles ``offer``, and ``blocks`` where odds differed.
    outcome : str or sequence of str
        Numeric columns.
    design : Design, optional
        As in ``itt``. The Poisson fit weighs blocks in its own way, which its row says.
    parts : sequence of str
        Some of the six, in the order wanted. log(1 + y) and asinh are refused: see ``transformed``.
    quantile : float
        For "winsorised", fixed beforehand; taken over both arms, all blocks and the waves asked
        for together. The row states c, and is about min(y, c) at this c.
    waves : sequence, optional
        Left out: every wave after the baseline.
    transfers : {"net", "gross"}, optional
        Whether the outcome is net of the programme's own cash or contains it; written into each
        row. ``net_of_transfers`` makes the net one.

    Returns
    -------
    Estimate
        One row an outcome, wave and part; ``specification`` names the part and its unit. A part
        that the data cannot answer is NaN with its reason in ``status``.

    Raises
    ------
    NotEstimableError
        If attrition leaves a block without an arm, or for "log1p" and "asinh".
    UsageError
        For an unknown part, or a quantile outside (0, 1].

    References
    ----------
    Chen and Roth (2024), doi 10.1093/qje/qjad054.
    Santos Silva and Tenreyro (2006), doi 10.1162/rest.88.4.641.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdefgh"), "won": [1] * 4 + [0] * 4,
    ...                       "income": [0, 4, 6, 6.0, 0, 0, 3, 5]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", offer="won"))
    >>> pe.lottery.zeros(panel, "income", parts=("levels", "percent", "extensive")).theta.tolist()
    [2.0, 1.0, 0.25]
    """
    design = Design() if design is None else design
    instance_of(design, Design, "design")
    wanted = names_of(parts)
    for part in wanted:
        _known_part(part)
    if transfers is not None:
        one_of(transfers, Transfers, "lottery.zeros(transfers)")
    rows = []
    for found in rosters(panel, outcome, design, waves):
        asked = _Asked(design, quantile, _pooled_cut(found, quantile), transfers)
        rows += [_row(found, t, part, asked) for t in found.chosen for part in wanted]
    return join(*rows)


def _known_part(part: str) -> None:
    """Refuse parts that there are not, with the reason where it is one of principle."""
    if part in ("log1p", "asinh"):
        raise NotEstimableError(
            f"lottery.zeros(parts={part!r}) is refused: with zeros in the outcome, an effect on "
            f"{part}(y) depends on the unit of y and can be made as large as one likes "
            f"({REFERENCE}). Read 'percent', 'poisson' and the two margins instead; "
            "lottery.transformed(..., force=True) makes the column, flagged."
        )
    one_of(part, Part, "lottery.zeros(parts)")


def _pooled_cut(found: Roster, quantile: float) -> float:
    """Return the quantile of all values in the waves asked for."""
    y = found.y[:, list(found.chosen)]
    seen = np.isfinite(y)
    if not seen.any():
        raise NotEstimableError(f"nobody has a value of {found.outcome!r}.")
    weight = np.broadcast_to(found.weight[:, None], y.shape)
    return pooled_quantile(y[seen], weight[seen], quantile)


def _row(found: Roster, wave: int, part: str, asked: _Asked) -> Estimate:
    """Estimate one part in one wave, or say why it is not estimable."""
    sample = sample_of(found, (wave,), asked.design)
    try:
        if part in ("poisson", "extensive", "intensive"):
            _refuse_negative(sample)
        if part == "intensive":
            answer = _intensive(found, wave, asked)
        else:
            answer = ANSWERS[part](sample, asked)
    except NotEstimableError as error:
        gone = np.full(len(sample.y), np.nan)
        answer = _Answer(sample, np.nan, gone, (), np.nan, status=str(error))
    return _estimate(answer, part, asked)


def _estimate(answer: _Answer, part: str, asked: _Asked) -> Estimate:
    """Label an answer."""
    sample, design = answer.sample, asked.design
    if part == "winsorised":
        said = f"winsorised at {asked.cut:g}, quantile {asked.quantile:g} of all values"
    else:
        said = SAID[part]
    cash = [] if asked.transfers is None else [TRANSFERS[asked.transfers]]
    if part == "poisson":  # additive covariates, blocks weighed by the fit
        plain: dict[str, Any] = {"lone_arms": merged_only(design), "block_weights": "population"}
        if design.covariate_model == "lin":
            plain["covariate_model"] = "ancova"
        design = replace(design, **plain)
    everyone = "winners" if design.block_weights == "treated" else "everyone in the lottery"
    won = int(np.count_nonzero(sample.arm))
    return estimate_row(
        answer.theta,
        sample.by_unit(answer.psi),
        sample.units,
        {
            "estimator": "lottery.zeros",
            "estimand": ESTIMAND[part],
            "population": SELF_MADE if part == "intensive" else everyone,
            "outcome": sample.outcome,
            "wave": sample.wave,
            "weighting": answer.weighting or design.weighting,
            "specification": "; ".join([said, *cash, specification(design, sample)]),
        },
        {
            "n": len(sample.units),
            "n_treated": won,
            "n_comparison": len(sample.units) - won,
            "comparison_mean": answer.comparison_mean,
            "status": answer.status if answer.status != "ok" else status_of(sample.outcome),
        },
        answer.default or default_inference(sample, design),
        answer.terms,
    )


def _of_difference(sample: Sample, answer: Difference, status: str = "ok") -> _Answer:
    return _Answer(sample, answer.theta, answer.psi, (answer.term,), answer.comparison_mean, status)


def _levels(sample: Sample, asked: _Asked) -> _Answer:
    return _on(sample.y, sample, asked)


def _on(y: FloatArray, sample: Sample, asked: _Asked, status: str = "ok") -> _Answer:
    """Return the design's difference in a row variable."""
    ready, design = prepared(sample, asked.design, y)
    return _of_difference(ready, difference(y, ready, design), status)


def _extensive(sample: Sample, asked: _Asked) -> _Answer:
    return _on((sample.y > 0).astype(np.float64), sample, asked)


def _winsorised(sample: Sample, asked: _Asked) -> _Answer:
    if asked.cut <= sample.y.min():
        raise NotEstimableError(
            f"the quantile {asked.quantile:g} of the values is {asked.cut:g}, the least of them: "
            "nothing is left to compare"
        )
    return _on(np.minimum(sample.y, asked.cut), sample, asked)


def _intensive(found: Roster, wave: int, asked: _Asked) -> _Answer:
    """Return the difference among rows above zero, blocks checked anew."""
    some = replace(found, y=np.where(found.y > 0, found.y, np.nan))
    try:
        sample = sample_of(some, (wave,), asked.design)
    except NotEstimableError as error:
        raise NotEstimableError(f"of values above zero: {error}") from error
    return _on(sample.y, sample, asked, SELECTED)


def _percent(sample: Sample, asked: _Asked) -> _Answer:
    """Return r = ITT / m0, with m0 the comparison mean by the same design.

    The design's difference Δ is linear in the outcome, Δ(y (1 - Z)) = -m0, and r solves
    Δ(y + r y (1 - Z)) = 0, whose influence over m0 is that of r.
    """
    ready, design = prepared(sample, asked.design, sample.y)
    lost = sample.y * (1 - sample.arm)
    mean = -difference(lost, ready, design).theta
    if not mean > 0:
        raise NotEstimableError("the comparison mean is not above zero: no percent of it")
    r = difference(sample.y, ready, design).theta / mean
    linear = difference(sample.y + r * lost, ready, design)
    return _Answer(ready, r, linear.psi / mean, (linear.term.scaled(1 / mean),), mean)


def _poisson(sample: Sample, asked: _Asked) -> _Answer:
    """Return exp(b) - 1; ψ is exp(b) ψ_b."""
    design = asked.design
    if design.method == "ipw":
        raise NotEstimableError("weights by the odds leave no block effects: read 'percent'")
    sample, design = prepared(sample, design, sample.y)
    for arm, name in ((1, "winner"), (0, "loser")):
        if not sample.y[sample.arm == arm].any():
            raise NotEstimableError(f"no {name} has a value above zero: no finite ratio")
    X = np.column_stack([sample.arm, sample.covariates - sample.covariates.mean(axis=0)])
    try:
        fit = poisson_blocks(sample.y, X, sample.block, sample.weight)
    except CollinearityError as error:
        column = ("the offer", *sample.names)[error.column]
        raise NotEstimableError(
            f"{column} depends on the blocks or on other covariates among the people observed"
        ) from error
    ratio = float(np.exp(fit.beta[0]))
    one_block = int(sample.block.max()) == 0
    answer = _Answer(
        sample,
        ratio - 1,
        ratio * fit.psi[:, 0],
        (),
        difference(sample.y, sample, design).comparison_mean,
        weighting=None if one_block else "blocks as a Poisson fit weighs them",
        default=without_regression(asked.design),
    )
    if sample.covariates.shape[1]:
        return answer
    term = _cell_term(fit, sample, ratio)
    if design.shares == "superpopulation":
        return replace(answer, terms=(replace(term, share=None),), default=None)
    return replace(answer, psi=term.core(), terms=(term,), default=None)


def _cell_term(fit: BlockPoisson, sample: Sample, ratio: float) -> LinearTerm:
    """Write exp(b) - 1 as a function of cell means, (Z - zbar_b) w / bread the weight of a row.

    What its influence has beyond the means, at fixed people in each cell, is that of the cells'
    sizes: zero where the ratio is the same in every block.
    """
    w, ones = sample.weight, np.ones_like(sample.weight)
    means = block_means(sample.y, sample.arm, sample.block, w, ones)
    total = np.bincount(means.cell, w)
    slope = np.zeros(len(total))
    slope[means.cell] = ratio * fit.bread[0, 0] * fit.left[:, 0]
    bread = np.diag(1 / total)
    linear = LinearFit(means.residuals, w, bread, sample.rows, cells=means.cell)
    term = LinearTerm(linear, slope * total)
    return replace(term, share=ratio * fit.psi[:, 0] - term.core())


def _refuse_negative(sample: Sample) -> None:
    below = int((sample.y < 0).sum())
    if below:
        raise NotEstimableError(
            f"{below} values are negative: a ratio and 'any' are for outcomes of zero or more"
        )


ANSWERS: dict[str, Callable[[Sample, _Asked], _Answer]] = {
    "levels": _levels,
    "percent": _percent,
    "poisson": _poisson,
    "extensive": _extensive,
    "winsorised": _winsorised,
}
