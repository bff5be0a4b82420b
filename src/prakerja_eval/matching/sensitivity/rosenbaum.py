"""How strong would a hidden trait have to be, to do away with what the pairs show?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate.specs import instance_of, names_of, one_of
from prakerja_eval.matching.adjusted import in_wave
from prakerja_eval.matching.match import Matched
from prakerja_eval.matching.pairs.pairs import between_seen
from prakerja_eval.matching.sensitivity.rosenbaum_kernel import (
    EXACT,
    Bounds,
    SignedRanks,
    breakdown,
    estimate_bounds,
    p_bounds,
    signed_ranks,
)
from prakerja_eval.panel import ArrayRequest, PanelProtocol, WaveLabel, outcome_waves
from prakerja_eval.typing import FloatArray

Alternative: TypeAlias = Literal["greater", "less", "two-sided"]
Zeros: TypeAlias = Literal["keep", "drop"]

ALPHA = 0.05
GAMMAS = (1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0)
COLUMNS = (
    *("outcome", "wave", "gamma", "p_low", "p_high", "estimate_low", "estimate_high"),
    *("n_pairs", "n_equal", "distribution"),
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RosenbaumBounds:
    """Bounds of the signed-rank test and of its estimate by the strength of a hidden trait.

    Attributes
    ----------
    frame : DataFrame
        A row an outcome, wave and gamma: p_low, p_high (bounds of the p-value), estimate_low,
        estimate_high (of the Hodges-Lehmann estimate, in units of the outcome), n_pairs, n_equal
        (pairs without a difference), distribution ("exact" or "normal").
    breakdown : DataFrame
        A row an outcome and wave: p_value without hidden bias, and gamma, at which the largest
        p-value reaches .05; NaN where it is above from the start.
    alternative, zeros : str
        The choices.
    """

    frame: pd.DataFrame
    breakdown: pd.DataFrame
    alternative: str
    zeros: str

    @property
    def verdict(self) -> str:
        """Say in words how strong a hidden trait would have to be, a line an outcome and wave."""
        rows = zip(*(self.breakdown[c] for c in self.breakdown), strict=True)
        return "\n".join(_verdict(*row) for row in rows)

    def __repr__(self) -> str:
        return f"{self._head()}\n{self._shown().to_string(index=False)}\n{self.verdict}"

    def _repr_html_(self) -> str:
        table = str(self._shown().to_html(index=False, border=0))
        said = escape(self.verdict).replace("\n", "<br>")
        return f"<p>{escape(self._head())}</p>{table}<p>{said}</p>"

    def _head(self) -> str:
        return f"Rosenbaum bounds of matched pairs, alternative {self.alternative}"

    def _shown(self) -> pd.DataFrame:
        blank = [c for c in ("wave",) if self.frame[c].isna().all()]
        frame = self.frame.drop(columns=blank)
        for column in ("p_low", "p_high"):
            frame[column] = frame[column].map("{:.4f}".format)
        for column in ("gamma", "estimate_low", "estimate_high"):
            frame[column] = frame[column].map("{:.5g}".format)
        return frame


def rosenbaum(
    panel: PanelProtocol,
    matched: Matched,
    outcome: str | Sequence[str],
    *,
    gammas: Sequence[float] = GAMMAS,
    waves: Sequence[WaveLabel] | None = None,
    alternative: Alternative = "greater",
    zeros: Zeros = "keep",
) -> RosenbaumBounds:
    """Bound what matched pairs show by the strength of a hidden trait.

    In a pair, one person may be up to gamma times as likely as the other to be the treated one.
    At gamma 1 chance decided, as in an experiment. With T Wilcoxon's sum of the ranks r of
    positive differences (treated minus comparison), the bounds of the p-value are

        P(N(p sum r, p (1 - p) sum r^2) >= T),   p = 1 / (1 + gamma) and gamma / (1 + gamma),

    by the exact distribution up to 50 pairs. The Hodges-Lehmann estimate tau, under an effect
    that is the same for all, has as its bounds the quantiles 1 - p and p of the Walsh averages
    (d_i + d_j) / 2.

    Parameters
    ----------
    panel : Panel
        The panel that was matched, or one with more columns or waves of the same people.
    matched : Matched
        Pairs, one to one, in which nobody serves twice. Pairs with both outcomes seen count.
    outcome : str or sequence of str
        Numeric columns.
    gammas : sequence of float
        Each at least 1.
    waves : sequence, optional
        Left out, every wave after the baseline.
    alternative : {"greater", "less", "two-sided"}
        Treatment raises the outcome, lowers it, or either (twice the smaller p-value).
    zeros : {"keep", "drop"}
        Whether pairs without a difference count for the estimate. The p-value never uses them,
        since they say nothing about the sign.

    Returns
    -------
    RosenbaumBounds
        About the very pairs at hand: sampling weights are not used.

    Raises
    ------
    UsageError
        For a gamma below 1, or if somebody serves in two pairs.
    NotEstimableError
        If no pair is observed in a wave, or none has a difference.

    References
    ----------
    Rosenbaum (2002), Observational Studies, 2nd edition, ch. 4, doi 10.1007/978-1-4757-3692-2;
    (1993), doi 10.1080/01621459.1993.10476405.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdef"), "trained": [1, 0, 1, 0, 1, 0],
    ...                       "age": [20, 21, 30, 28, 25, 40], "income": [3.0, 1, 4, 2, 5, 2]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", received="trained"))
    >>> pairs = pe.matching.match(panel, pe.matching.Nearest(replace=False), covariates=["age"])
    >>> found = pe.matching.rosenbaum(panel, pairs, "income", gammas=[1, 2])
    >>> found.frame["p_high"].round(4).tolist()
    [0.125, 0.2963]
    """
    instance_of(matched, Matched, "matching.rosenbaum(matched)")
    one_of(alternative, Alternative, "matching.rosenbaum(alternative)")
    one_of(zeros, Zeros, "matching.rosenbaum(zeros)")
    sizes = _sizes(gammas)
    _refuse_reuse(matched)
    rows: list[tuple[object, ...]] = []
    limits: list[tuple[object, ...]] = []
    for name, wave, difference in _differences(panel, matched, names_of(outcome), waves):
        signed = signed_ranks(difference)
        used = np.sort(difference[difference != 0] if zeros == "drop" else difference)
        law = "exact" if len(signed.ranks) <= EXACT else "normal"
        counts = (len(difference), int(np.sum(difference == 0)), law)
        for gamma in sizes:
            p, hl = _p(signed, gamma, alternative), estimate_bounds(used, gamma)
            rows.append((name, wave, gamma, p.low, p.high, hl.low, hl.high, *counts))
        start = _p(signed, 1.0, alternative).high
        limits.append((name, wave, start, _limit(signed, alternative)))
    limit_columns = ["outcome", "wave", "p_value", "gamma"]
    return RosenbaumBounds(
        pd.DataFrame(rows, columns=list(COLUMNS)),
        pd.DataFrame(limits, columns=limit_columns),
        alternative,
        zeros,
    )


def _sizes(gammas: Sequence[float]) -> tuple[float, ...]:
    sizes = tuple(float(g) for g in gammas)
    if not sizes or not all(1 <= g < np.inf for g in sizes):
        raise UsageError("matching.rosenbaum(gammas) takes numbers of at least 1, (1, 1.5, 2) say.")
    return sizes


def _refuse_reuse(matched: Matched) -> None:
    """Refuse sets that are no pairs."""
    how = "match with Nearest(replace=False, ratio=1)."
    if matched.ways:
        raise UsageError(
            "matching.rosenbaum is for pairs in which nobody serves twice, and this matching has "
            f"replacement with ties averaged; {how}"
        )
    people = np.concatenate([matched.pairs.focal, matched.pairs.comparison])
    twice = len(people) - len(np.unique(people))
    if twice:
        raise UsageError(
            f"matching.rosenbaum is for pairs in which nobody serves twice, and {twice:,} places "
            f"are taken by somebody who serves already; {how}"
        )


def _differences(
    panel: PanelProtocol,
    matched: Matched,
    outcomes: Sequence[str],
    waves: Sequence[WaveLabel] | None,
) -> Iterator[tuple[str, WaveLabel | None, FloatArray]]:
    """Yield outcome, wave, and treated minus comparison of the pairs with both seen."""
    treated = matched.propensity.treated
    for name in outcomes:
        arrays = panel.arrays(ArrayRequest(name))
        at = matched.propensity.positions(arrays)
        for t in outcome_waves(arrays, panel.roles, waves):
            y = arrays.outcome[at, t]
            pairs = between_seen(matched.pairs, np.isfinite(y))
            if not len(pairs.focal):
                raise NotEstimableError(f"no pair has {name!r}{in_wave(arrays, t)}.")
            sign = np.where(treated[pairs.focal], 1.0, -1.0)
            difference = sign * (y[pairs.focal] - y[pairs.comparison])
            if not difference.any():
                raise NotEstimableError(
                    f"the outcome {name!r} is the same within each of {len(difference):,} pairs"
                    f"{in_wave(arrays, t)}: there is nothing to test."
                )
            yield name, None if arrays.waves == ("",) else arrays.waves[t], difference


def _p(signed: SignedRanks, gamma: float, alternative: str) -> Bounds:
    above, below = p_bounds(signed, gamma), p_bounds(signed.opposite, gamma)
    if alternative == "two-sided":
        low, high = min(above.low, below.low), min(above.high, below.high)
        return Bounds(min(2 * low, 1.0), min(2 * high, 1.0))
    return above if alternative == "greater" else below


def _limit(signed: SignedRanks, alternative: str) -> float:
    """Return the gamma at which the largest p-value reaches .05."""
    if alternative == "greater":
        return breakdown(signed, ALPHA)
    if alternative == "less":
        return breakdown(signed.opposite, ALPHA)
    side = signed if signed.statistic >= signed.opposite.statistic else signed.opposite
    return breakdown(side, ALPHA / 2)


def _verdict(outcome: object, wave: object, p_value: float, gamma: float) -> str:
    where = f"{outcome}" if wave is None else f"{outcome}, wave {wave}"
    if np.isnan(gamma):
        return (
            f"{where}: there is no finding to do away with; without hidden bias p = "
            f"{p_value:.4f}, above {ALPHA:g}."
        )
    if np.isinf(gamma):
        return f"{where}: no hidden trait, however strong, would do away with the finding."
    return (
        f"{where}: an unobserved trait that makes one of a pair {gamma:.2f} times as likely to be "
        f"treated as the other would do away with the finding (p above {ALPHA:g})."
    )
