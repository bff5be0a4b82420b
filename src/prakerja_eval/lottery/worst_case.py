"""How bad could the missing answers be? Worst-case limits, and limits at stated departures."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import Estimate
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
from prakerja_eval.lottery.kernel_spread import spread_bounds
from prakerja_eval.lottery.regression import difference
from prakerja_eval.lottery.roster import Roster, rosters
from prakerja_eval.lottery.sample import sample_of
from prakerja_eval.numerics.trimming import response
from prakerja_eval.panel import PanelProtocol, WaveLabel
from prakerja_eval.typing import FloatArray

STEPS = (0.05, 0.1, 0.25)


def manski_bounds(
    panel: PanelProtocol,
    outcome: str | Sequence[str],
    design: Design | None = None,
    *,
    low: float | None = None,
    high: float | None = None,
    waves: Sequence[WaveLabel] | None = None,
    level: float = 0.95,
) -> Bounds:
    """Bound the effect of the offer on everybody, whatever the missing answers are.

    The lower limit is the design's ITT with every missing winner at ``low`` and every missing loser
    at ``high``; the upper limit is the reverse. Nothing is assumed of why people did not answer.

    Parameters
    ----------
    panel : Panel
        With Roles ``offer``, and ``blocks`` where odds differed.
    outcome : str or sequence of str
        Numeric columns with values from ``low`` to ``high``.
    design : Design, optional
        No covariates.
    low, high : float, optional
        The range that the outcome can have by its definition. Left out, 0 and 1 for an outcome of
        zeros and ones; any other outcome needs both.
    waves : sequence, optional
        Left out: every wave after the baseline.
    level : float
        Coverage of the effect by the interval.

    Returns
    -------
    Bounds
        One row an outcome and wave.

    Raises
    ------
    UsageError
        Without limits for an outcome that is not zero or one, or with a value outside of them.

    References
    ----------
    Manski (1990), American Economic Review 80(2), 319-323. Horowitz and Manski (2000),
    doi 10.2307/2669468.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdefgh"), "won": [1] * 4 + [0] * 4,
    ...                       "works": [1.0, 1.0, 0.0, None, 1.0, 0.0, 0.0, None]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", offer="won"))
    >>> found = pe.lottery.manski_bounds(panel, "works").frame
    >>> float(found.lower[0]), float(found.upper[0])
    (0.0, 0.5)
    """
    known_level(level)
    design = known_design(design, "lottery.manski_bounds")
    parts = []
    for found in rosters(panel, outcome, design, waves):
        limits = _range(found, low, high)
        parts += [_worst(found, t, design, limits) for t in found.chosen]
    return bounds_of(parts, level)


def _range(found: Roster, low: float | None, high: float | None) -> tuple[float, float]:
    """Return the limits of an outcome, checked against the values that were seen."""
    values = found.y[:, list(found.chosen)]
    values = values[np.isfinite(values)]
    if low is None and high is None and np.isin(values, (0.0, 1.0)).all():
        return 0.0, 1.0
    if low is None or high is None:
        raise UsageError(
            f"lottery.manski_bounds needs low= and high= for {found.outcome!r}: the least and the "
            "greatest value that it can have by its definition. The least and the greatest that "
            "were seen are no such limits."
        )
    if not (np.isfinite([low, high]).all() and low < high):
        raise UsageError(f"low={low!r} and high={high!r} must be finite, low below high.")
    outside = int(((values < low) | (values > high)).sum())
    if outside:
        raise UsageError(
            f"{outside} values of {found.outcome!r} lie outside low={low:g} to high={high:g}: "
            "they are no limits of it."
        )
    return float(low), float(high)


def _worst(
    found: Roster, wave: int, design: Design, limits: tuple[float, float]
) -> tuple[Estimate, pd.DataFrame]:
    """Fill the missing values of one wave both ways."""
    y, won = found.y[:, wave], found.arm == 1
    seen = np.isfinite(y)
    low, high = limits
    fills = np.where(won, low, high), np.where(won, high, low)
    whole = replace(found, y=np.where(np.isfinite(found.y), found.y, 0.0))
    sample = sample_of(whole, (wave,), design)
    answers = [difference(np.where(seen, y, fill), sample, design) for fill in fills]
    estimate = limits_estimate(
        Limits(
            theta=np.array([a.theta for a in answers]),
            comparison=np.array([a.comparison_mean for a in answers]),
            psi=np.column_stack([a.psi for a in answers]),
            terms=tuple((a.term,) for a in answers),
        ),
        found,
        wave,
        design,
        [_labels("manski_bounds", f"values from {low:g} to {high:g}", found, design)],
    )
    rates = response(y, found.arm, found.block, found.weight)
    return estimate, facts_of(found, wave, _overall(rates.rates, found, design))


def kling_liebman_bounds(
    panel: PanelProtocol,
    outcome: str | Sequence[str],
    design: Design | None = None,
    *,
    steps: Sequence[float] = STEPS,
    waves: Sequence[WaveLabel] | None = None,
    level: float = 0.95,
) -> Bounds:
    """Bound the effect of the offer on everybody, the missing k standard deviations off.

    For the lower limit a missing winner has the mean of the winners who answered in the block less
    k standard deviations of the winners who answered (in all blocks), and a missing loser the mean
    of the block's losers plus k standard deviations of the losers; for the upper limit the reverse.

    Parameters
    ----------
    panel, outcome, waves, level
        As in ``lee_bounds``.
    design : Design, optional
        ``block_weights`` "population" or "treated", method "difference"; no covariates.
    steps : sequence of float
        k, above or at zero. 0.05 is a small departure from answers missing at random within block
        and arm, 0.25 a large one.

    Returns
    -------
    Bounds
        One row an outcome, wave and step.

    Raises
    ------
    NotEstimableError
        If nobody answered in an arm of a block, unless ``Design(empty_arms="drop")``.

    References
    ----------
    Kling and Liebman (2004), Princeton IRS Working Paper 483.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdefgh"), "won": [1] * 4 + [0] * 4,
    ...                       "income": [4.0, 5.0, 6.0, None, 1.0, 2.0, 3.0, None]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", offer="won"))
    >>> found = pe.lottery.kling_liebman_bounds(panel, "income", steps=(0.5,)).frame
    >>> float(found.lower[0]), float(found.upper[0])
    (2.75, 3.25)
    """
    known_level(level)
    design = known_design(design, "lottery.kling_liebman_bounds", ("strata_fe", "ipw"))
    sizes = np.asarray(steps, dtype=np.float64)
    if sizes.ndim != 1 or not len(sizes) or not (np.isfinite(sizes) & (sizes >= 0)).all():
        raise UsageError("steps are numbers of standard deviations, zero or more; (0.1, 0.25) say.")
    found = rosters(panel, outcome, design, waves)
    return bounds_of([_spread(r, t, design, sizes) for r in found for t in r.chosen], level)


def _spread(
    found: Roster, wave: int, design: Design, steps: FloatArray
) -> tuple[Estimate, pd.DataFrame]:
    """Fill the missing values of one wave at every step."""
    keep = both_answered(found, wave, found.block, found.block_names, design)
    if not keep.all():
        found = replace(found.take(keep), dropped=found.dropped + int((~keep).sum()))
    y, base = found.y[:, wave], base_of(found, design)
    spread = spread_bounds(y, found.arm, found.block, found.weight, base, steps)
    drawn = design.shares == "superpopulation"
    rows = found.arm, found.block, found.weight, found.observed(wave)
    same = np.repeat(spread.residuals[:, None], len(spread.theta), axis=1)
    terms = attrition_terms(
        rows,
        spread.response,
        (spread.slopes, same, spread.shares),
        None if drawn else spread.psi_share,
        design,
    )
    psi = spread.psi + spread.psi_share if drawn else spread.psi
    limits = Limits(spread.theta, spread.comparison, psi, terms)
    labels = [
        _labels("kling_liebman_bounds", f"missing {k:g} sd off", found, design) for k in steps
    ]
    rates = _overall(spread.response.rates, found, design)
    return (
        limits_estimate(limits, found, wave, design, labels),
        facts_of(found, wave, rates, repeat=len(steps)),
    )


def _overall(rates: FloatArray, found: Roster, design: Design) -> FloatArray:
    """Average the response rates (B, 2) with the people of the blocks."""
    people = np.bincount(found.block, base_of(found, design) * found.weight)
    return np.asarray(people @ rates / people.sum())


def _labels(verb: str, how: str, found: Roster, design: Design) -> dict[str, object]:
    parts = [how]
    if design.method == "ipw":
        parts.append("weighted by the odds")
    if design.shares == "superpopulation":
        parts.append("superpopulation")
    if found.dropped:
        parts.append("blocks without both arms left out")
    treated = design.block_weights == "treated"
    return {
        "estimator": f"lottery.{verb}",
        "population": "winners" if treated else "everyone in the lottery",
        "weighting": design.weighting,
        "specification": "; ".join(parts),
    }
