"""Would the lottery, drawn again, give as large a difference though the programme did nothing?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate.specs import instance_of
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.drawn import drawn_lottery, redraws
from prakerja_eval.lottery.first_stage import refuse_unknown_receipt
from prakerja_eval.lottery.kernel_redraw import Redraws
from prakerja_eval.lottery.kernel_redraw_test import accepted, at_least, p_value, t_values
from prakerja_eval.lottery.randomisation import COLUMNS, INVERTIBLE, Randomisation, Redraw
from prakerja_eval.lottery.randomise_statistics import evaluate, statistic_of
from prakerja_eval.lottery.regression import difference
from prakerja_eval.lottery.roster import Roster, rosters
from prakerja_eval.lottery.sample import Sample, sample_of
from prakerja_eval.panel import PanelProtocol, WaveLabel
from prakerja_eval.typing import FloatArray

ENUMERATED = 100_000  # ways to draw of which each is taken, whatever ``reps``
NO_FIRST_STAGE = 1e-10
LONE = (
    "no spread is seen in an arm of one drawn unit: use Redraw(statistic='difference'), or "
    "Design(lone_arms=...)"
)


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """One outcome and wave: who was observed, the estimate, and the labels of its row."""

    sample: Sample
    found: Roster
    wave: int
    labels: dict[str, object]


def randomise(
    panel: PanelProtocol,
    outcome: str | Sequence[str],
    design: Design | None = None,
    redraw: Redraw | None = None,
    *,
    waves: Sequence[WaveLabel] | None = None,
) -> Randomisation:
    """Test effects by drawing the lottery again: its blocks, its quotas, its units.

    Under the sharp null of a constant effect tau of the offer, y − tau·won is what everybody would
    have had after any draw. The p-value is the share of draws whose statistic is as large as the
    observed one in absolute value, (1 + c)/(1 + R) over R random draws, which is exact in any
    sample. Where there are few ways to draw each is taken once and the p-value is their share.
    Everyone in the lottery is drawn, whether they answered or not; all outcomes share the draws.

    Parameters
    ----------
    panel : Panel
        With Roles ``offer``, and ``blocks`` where odds differed; ``received`` for the LATE.
    outcome : str or sequence of str
        Numeric columns.
    design : Design, optional
        Blocks, weights, covariates, and the clusters that were drawn.
    redraw : Redraw, optional
        The statistic, the null, the number of draws and the seed.
    waves : sequence, optional
        Left out: every wave after the baseline.

    Returns
    -------
    Randomisation
        One row an outcome and wave, with the set of effects that are not rejected ("studentised"
        and "difference" only) and the draws, on which a family is adjusted.

    Raises
    ------
    NotEstimableError
        If a block lost an arm to attrition, the odds differ within a block, receipt is not known,
        or the offer moves nobody.
    UsageError
        For a lasso, whose choice of covariates depends on the draw.

    References
    ----------
    Fisher (1935). Wu and Ding (2021), doi 10.1080/01621459.2020.1750415. Phipson and Smyth
    (2010), doi 10.2202/1544-6115.1585. Imbens and Rosenbaum (2005), doi
    10.1111/j.1467-985X.2004.00339.x.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdef"), "won": [1, 1, 1, 0, 0, 0],
    ...                       "income": [3.0, 4.0, 5.0, 1.0, 2.0, 2.5]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", offer="won"))
    >>> found = pe.lottery.randomise(panel, "income")
    >>> float(found.frame.p_value.iloc[0])  # 2 of the 20 ways to draw three of six
    0.1
    """
    design = Design() if design is None else design
    redraw = Redraw() if redraw is None else redraw
    instance_of(design, Design, "design")
    instance_of(redraw, Redraw, "redraw")
    _refuse(design)
    needs = ("offer", "received") if redraw.estimand == "late" else ("offer",)
    found = list(rosters(panel, outcome, design, waves, needs))
    if not found:
        raise UsageError("lottery.randomise was given no outcome.")
    rows = [_row(each, t, design, redraw) for each in found for t in each.chosen]
    drawn = drawn_lottery(panel, found[0], design)
    tests = [statistic_of(r.sample, r.found, r.wave, drawn, design, redraw) for r in rows]
    draws = redraws(drawn, redraw.reps, redraw.seed, ENUMERATED)
    observed, curves = evaluate(tests, draws)
    return _answer(rows, observed, curves, draws, design, redraw)


def _refuse(design: Design) -> None:
    if design.covariate_model == "lasso":
        raise UsageError(
            "lottery.randomise takes no Design(covariate_model='lasso'): which covariates it "
            "keeps depends on the draw. Name those it kept in covariates=(...)."
        )


def _row(found: Roster, wave: int, design: Design, redraw: Redraw) -> _Row:
    """Return the estimate and the counts of an outcome and wave."""
    sample = sample_of(found, (wave,), design)
    answer = difference(sample.y, sample, design)
    estimate = answer.theta
    if redraw.estimand == "late":
        refuse_unknown_receipt(sample)
        first = difference(sample.received, sample, design).theta
        if abs(first) < NO_FIRST_STAGE:
            raise NotEstimableError(
                f"the offer moves receipt for nobody{sample.at_wave}: there is no first stage."
            )
        estimate = estimate / first
    winners = int((sample.arm == 1).sum())
    labels: dict[str, object] = {
        "outcome": sample.outcome,
        "wave": sample.wave,
        "estimand": redraw.estimand.upper(),
        "estimate": estimate,
        "test": redraw.name,
        "null": redraw.null,
        "n": len(sample.y),
        "n_treated": winners,
        "n_comparison": len(sample.y) - winners,
        "comparison_mean": answer.comparison_mean,
    }
    return _Row(sample, found, wave, labels)


def _answer(
    rows: list[_Row],
    observed: FloatArray,
    curves: FloatArray,
    draws: Redraws,
    design: Design,
    redraw: Redraw,
) -> Randomisation:
    """Put p-values, sets and remarks together."""
    exact = draws.state is None
    values = [_values(curves[:, k], redraw) for k in range(len(rows))]
    out, sets = [], []
    for k, row in enumerate(rows):
        own = float(_values(observed[k], redraw))
        note = _no_statistic(row.sample, own, design, redraw)
        pieces: list[tuple[float, float]] = []
        p = np.nan
        if not note:
            p = float(p_value(at_least(values[k], own), exact))
            if redraw.statistic in INVERTIBLE:
                pieces = accepted(observed[k], curves[:, k], exact, redraw.size)
        reachable = _attainable(values[k], draws)
        remarks = [note] if note else _remarks(values[k], reachable, pieces, redraw)
        sets.append(tuple(pieces))
        out.append(
            row.labels
            | {
                "statistic": np.nan if note else own,
                "p_value": p,
                "conf_low": pieces[0][0] if pieces else np.nan,
                "conf_high": pieces[-1][1] if pieces else np.nan,
                "n_draws": draws.reps,
                "exact": exact,
                "attainable": reachable,
                "n_assigned": len(draws.lottery.won),
                "status": "; ".join(remarks) or "ok",
            }
        )
    frame = pd.DataFrame(out, columns=list(COLUMNS))
    return Randomisation(frame, np.column_stack(values), tuple(sets), redraw, observed, curves)


def _values(curve: FloatArray, redraw: Redraw) -> FloatArray:
    """Return the statistic under the null, in its own units."""
    null = redraw.null if redraw.statistic in INVERTIBLE else 0.0
    if redraw.statistic == "studentised":
        return t_values(curve, np.ones(1), np.array([null]))[..., 0]
    return np.asarray(curve[..., 0] - null * curve[..., 1])


def _no_statistic(sample: Sample, own: float, design: Design, redraw: Redraw) -> str:
    """Say why there is no test, or nothing."""
    blocked = redraw.statistic == "studentised" and design.block_weights != "strata_fe"
    if blocked and design.method == "difference" and design.lone_arms != "pashley_miratrix":
        cell = 2 * sample.block + sample.arm.astype(np.int64)
        cells = np.unique(np.column_stack([cell, sample.assigned]), axis=0)[:, 0]
        if np.bincount(cells).min() < 2:
            return LONE
    if not np.isfinite(own):
        return "the statistic is not finite in the lottery as it was drawn"
    return ""


def _attainable(values: FloatArray, draws: Redraws) -> float:
    """Return the smallest p-value that a draw could have had."""
    if draws.state is None:
        size = np.abs(values[np.isfinite(values)])
        return float(p_value(at_least(values, size.max()), True)) if len(size) else 1.0
    least = (2 if draws.lottery.mirrored() else 1) / draws.lottery.assignments()
    return max(least, 1 / (1 + draws.reps))


def _remarks(
    values: FloatArray, reachable: float, pieces: list[tuple[float, float]], redraw: Redraw
) -> list[str]:
    """Return what a reader must know."""
    remarks = []
    size = redraw.size
    if reachable > size:
        remarks.append(
            f"the smallest attainable p-value is {reachable:.3g}: no draw could be significant "
            f"at {size:.3g}"
        )
    unknown = int(np.isnan(values).sum())
    if unknown:
        remarks.append(f"{unknown} draws have no statistic and count as extreme")
    if redraw.statistic not in INVERTIBLE:
        return [*remarks, "no interval from this statistic"]
    if len(pieces) == 2 and np.isinf(pieces[0][0]) and np.isinf(pieces[1][1]):
        remarks.append(
            f"the set is two rays: up to {pieces[0][1]:.6g}, and from {pieces[1][0]:.6g} on"
        )
    elif len(pieces) > 1:
        remarks.append(f"the set has {len(pieces)} pieces: the interval is their hull")
    elif pieces and np.isinf(pieces[0]).all():
        remarks.append("no effect is rejected")
    return remarks
