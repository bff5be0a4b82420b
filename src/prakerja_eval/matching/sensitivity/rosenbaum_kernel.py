"""How far can hidden bias move the signed-rank test of matched pairs, and its estimate?

Rosenbaum (2002), Observational Studies, ch. 4: within a pair, one person is up to Gamma times as
likely as the other to be the treated one. Each difference is then positive with a probability
between 1 / (1 + Gamma) and Gamma / (1 + Gamma) under no effect, and Wilcoxon's statistic has its
extremes where all are at one of the two.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.typing import FloatArray, IntArray

EXACT = 50  # pairs with a difference up to which the distribution is the exact one
CANDIDATES = 4  # times n: the Walsh averages that are written out once the search is that narrow
DISTINCT = 200  # values up to which every pair of them is counted
FAR = 1e6


@dataclass(frozen=True, slots=True)
class SignedRanks:
    """Pairs that differ.

    Attributes
    ----------
    ranks : (m,)
        Of the absolute differences, average ranks where they are equal.
    statistic : float
        Sum of the ranks of positive differences.
    """

    ranks: FloatArray
    statistic: float

    @property
    def opposite(self) -> "SignedRanks":
        """Return the same of the differences with their sign turned."""
        return SignedRanks(self.ranks, float(self.ranks.sum()) - self.statistic)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The smallest and the largest value under a Gamma."""

    low: float
    high: float


def signed_ranks(difference: FloatArray) -> SignedRanks:
    """Rank the differences (n,) that are not zero.

    Raises
    ------
    NotEstimableError
        If all are zero.
    """
    some = difference[difference != 0]
    if not len(some):
        raise NotEstimableError("no pair has a difference in the outcome")
    from scipy import stats  # late: slow to import, and few calls need it

    ranks = np.asarray(stats.rankdata(np.abs(some)), dtype=np.float64)
    return SignedRanks(ranks, float(ranks[some > 0].sum()))


def tail(signed: SignedRanks, positive: float) -> float:
    """Return P(statistic or more) where each difference is positive with one probability.

    Normal with mean p sum(r) and variance p (1 - p) sum(r^2), without a continuity correction, as
    Rosenbaum (2002, section 4.3.3) has it; exact up to ``EXACT`` pairs.
    """
    r = signed.ranks
    if len(r) <= EXACT:
        return _exact_tail(signed, positive)
    spread = np.sqrt(positive * (1 - positive) * np.sum(r**2))
    return float(special.ndtr((positive * r.sum() - signed.statistic) / spread))


def _exact_tail(signed: SignedRanks, positive: float) -> float:
    """Return the same from the distribution, built up rank by rank (ranks are whole or halves)."""
    doubled = np.rint(2 * signed.ranks).astype(np.int64)
    law = np.zeros(int(doubled.sum()) + 1)
    law[0] = 1.0
    for r in doubled:
        moved = np.zeros_like(law)
        moved[r:] = law[: len(law) - r]
        law = (1 - positive) * law + positive * moved
    return min(float(law[round(2 * signed.statistic) :].sum()), 1.0)


def p_bounds(signed: SignedRanks, gamma: float) -> Bounds:
    """Return the bounds of the one-sided p-value against positive differences."""
    return Bounds(tail(signed, 1 / (1 + gamma)), tail(signed, gamma / (1 + gamma)))


def breakdown(signed: SignedRanks, alpha: float) -> float:
    """Return the Gamma at which the largest one-sided p-value reaches alpha.

    NaN where it is above alpha at Gamma = 1; infinite where it is below at ``FAR``.
    """

    def excess(gamma: float) -> float:
        return p_bounds(signed, gamma).high - alpha

    if excess(1.0) > 0:
        return float("nan")
    if excess(FAR) < 0:
        return float("inf")
    from scipy import optimize  # late: slow to import, and few calls need it

    return float(optimize.brentq(excess, 1.0, FAR, xtol=1e-10))


def estimate_bounds(ordered: FloatArray, gamma: float) -> Bounds:
    """Return the bounds of the Hodges-Lehmann estimate.

    The statistic of differences less tau is the number of Walsh averages (d_i + d_j) / 2, i <= j,
    above tau. Its expectation is M p, M = n (n + 1) / 2, so that the bounds are the quantiles
    1 - p and p of the Walsh averages, p = Gamma / (1 + Gamma).

    Parameters
    ----------
    ordered : (n,)
        Differences in rising order.
    gamma : float
    """
    high = gamma / (1 + gamma)
    return Bounds(walsh_quantile(ordered, 1 - high), walsh_quantile(ordered, high))


def walsh_quantile(ordered: FloatArray, share: float) -> float:
    """Return a quantile of the n (n + 1) / 2 Walsh averages without writing them out.

    The mean of two neighbours where the share falls between them, as for a median.
    """
    n = len(ordered)
    place = share * (n * (n + 1) // 2)
    whole = round(place)
    between = abs(place - whole) < 1e-9 * max(place, 1.0) and 0 < whole < n * (n + 1) // 2
    places = (whole, whole + 1) if between else (int(np.ceil(place)),)
    values, counts = np.unique(ordered, return_counts=True)
    if len(values) <= DISTINCT:
        return float(np.mean(_of_few_values(values, counts.astype(np.float64), places)))
    return float(np.mean([_kth(ordered, k) for k in places]))


def _of_few_values(values: FloatArray, counts: FloatArray, places: tuple[int, ...]) -> FloatArray:
    """Return the Walsh averages at some places in their order, from the distinct differences."""
    i, j = np.triu_indices(len(values))
    average = (values[i] + values[j]) / 2
    number = np.where(i == j, counts[i] * (counts[i] + 1) / 2, counts[i] * counts[j])
    order = np.argsort(average, kind="stable")
    at = np.searchsorted(np.cumsum(number[order]), np.array(places, dtype=np.float64))
    return np.asarray(average[order][at])


def _kth(x: FloatArray, k: int) -> float:
    """Return the k-th smallest Walsh average: narrow an interval by counts, then write it out."""
    n = len(x)
    low, high = float(np.nextafter(x[0], -np.inf)), float(x[-1])
    below, upto = 0, n * (n + 1) // 2
    numbers = np.finfo(np.float64)
    fine = 4 * max(float(numbers.eps * np.abs(x).max()), float(numbers.tiny))
    step = 0
    while upto - below > CANDIDATES * n and high - low > fine:
        # by turns where the counts suggest places k + n and k - n, and in the middle
        aim = k - below + (n, -n, 0)[step % 3]
        share = 0.5 if step % 3 == 2 else float(np.clip(aim / (upto - below), 0.001, 0.999))
        middle = low + share * (high - low)
        count = int(_reach(x, middle).sum())
        if count < k:
            low, below = middle, count
        else:
            high, upto = middle, count
        step += 1
    if upto - below > CANDIDATES * n:  # all equal to the last digits
        return _smallest_above(x, low)
    first, last = _reach(x, low), _reach(x, high)
    i = np.repeat(np.arange(n), last - first)
    offset = np.arange(len(i)) - np.repeat(np.cumsum(last - first) - (last - first), last - first)
    j = i + first[i] + offset
    averages = (x[i] + x[j]) / 2
    return float(np.partition(averages, k - below - 1)[k - below - 1])


def _reach(x: FloatArray, value: float) -> IntArray:
    """Return for each i the number of j >= i with (x_i + x_j) / 2 <= value, (n,)."""
    upto = np.searchsorted(x, 2 * value - x, side="right") - np.arange(len(x))
    return np.asarray(np.maximum(upto, 0), dtype=np.int64)


def _smallest_above(x: FloatArray, value: float) -> float:
    j = np.arange(len(x)) + _reach(x, value)
    inside = j < len(x)
    return float(np.min((x[inside] + x[j[inside]]) / 2))
