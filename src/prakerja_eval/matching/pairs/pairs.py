"""Who is matched with whom, and how much each unit counts in consequence."""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Pairs:
    """Matched pairs, one row a pair, sorted by focal unit.

    Attributes
    ----------
    focal : (m,) int
        Position of the unit that asked for a match (the treated one for an ATT).
    comparison : (m,) int
        Position of the unit that was found, in the comparison arrays.
    weight : (m,)
        Share of this pair in its focal unit's match: sums to one over a matched focal unit.
    distance : (m,)
        Absolute difference of the scores.
    """

    focal: IntArray
    comparison: IntArray
    weight: FloatArray
    distance: FloatArray


@dataclass(frozen=True, slots=True)
class MatchingWeights:
    """Weights of units after matching, zero for those that no pair uses.

    Attributes
    ----------
    focal : (n_focal,)
        One for a matched focal unit.
    comparison : (n_comparison,)
        Sum of pair weights, scaled to add up to the number of matched comparison units.
    """

    focal: FloatArray
    comparison: FloatArray


def in_sample(pairs: Pairs, focal_units: IntArray, comparison_units: IntArray) -> Pairs:
    """Say the same of positions in the whole sample.

    Parameters
    ----------
    pairs : Pairs
        Rows over positions within the two sides.
    focal_units, comparison_units : (n_focal,), (n_comparison,) int
        Position in the sample of each unit of a side.

    Returns
    -------
    Pairs
        Rows in the same order.
    """
    focal, comparison = focal_units[pairs.focal], comparison_units[pairs.comparison]
    return Pairs(focal, comparison, pairs.weight, pairs.distance)


def both_ways(first: Pairs, second: Pairs) -> Pairs:
    """Put the pairs of two directions, given in positions of one sample, under each other."""
    return Pairs(
        np.concatenate((first.focal, second.focal)),
        np.concatenate((first.comparison, second.comparison)),
        np.concatenate((first.weight, second.weight)),
        np.concatenate((first.distance, second.distance)),
    )


def matched(pairs: Pairs, n_focal: int) -> BoolArray:
    """Return which of the focal units found a match, shape (n_focal,)."""
    found = np.zeros(n_focal, dtype=np.bool_)
    found[pairs.focal] = True
    return found


def times_used(pairs: Pairs, n_comparison: int) -> FloatArray:
    """Return K_M(i), the sum of pair weights with which each comparison unit is used.

    Abadie and Imbens (2006), doi 10.1111/j.1468-0262.2006.00655.x, call it K_M(i) / M.
    Shape (n_comparison,).
    """
    return _bincount(pairs.comparison, pairs.weight, n_comparison)


def times_used_squared(pairs: Pairs, n_comparison: int) -> FloatArray:
    """Return K'_M(i), the sum of squared pair weights of each comparison unit, (n_comparison,)."""
    return _bincount(pairs.comparison, pairs.weight**2, n_comparison)


def matching_weights(pairs: Pairs, n_focal: int, n_comparison: int) -> MatchingWeights:
    """Turn pairs into weights of units.

    A matched focal unit weighs one. A comparison unit weighs its sum of pair weights, scaled so
    that the weights of the matched comparison units add up to their number.

    Parameters
    ----------
    pairs : Pairs
        Rows over focal and comparison positions.
    n_focal, n_comparison : int
        Length of the two sides.

    Returns
    -------
    MatchingWeights
    """
    used = times_used(pairs, n_comparison)
    total = used.sum()
    scale = np.count_nonzero(used) / total if total > 0 else 0.0
    return MatchingWeights(matched(pairs, n_focal).astype(np.float64), used * scale)


def effective_sample_size(w: FloatArray) -> float:
    """Return Kish's (sum w)^2 / sum w^2; NaN where all weights are zero."""
    squares = float(np.sum(w**2))
    return float(np.sum(w)) ** 2 / squares if squares > 0 else float("nan")


def total_distance(pairs: Pairs) -> float:
    """Return the sum of pair distances, each pair counted once whatever its weight."""
    return float(pairs.distance.sum())


def equal_shares(focal: IntArray, comparison: IntArray, distance: FloatArray) -> Pairs:
    """Sort rows by focal unit (stably) and weigh each by one over its focal unit's rows."""
    rows = np.argsort(focal, kind="stable")
    focal = focal[rows]
    count = np.bincount(focal)
    return Pairs(focal, comparison[rows], 1.0 / count[focal], distance[rows])


def between_seen(pairs: Pairs, seen: BoolArray) -> Pairs:
    """Return the pairs of which both units were seen, each focal unit's shares equal again.

    Parameters
    ----------
    pairs : Pairs
        Rows over positions in the sample.
    seen : (n,) bool
        Who was observed.

    Returns
    -------
    Pairs
    """
    both = seen[pairs.focal] & seen[pairs.comparison]
    if both.all():
        return pairs
    return equal_shares(pairs.focal[both], pairs.comparison[both], pairs.distance[both])


def pair_codes(pairs: Pairs, n: int) -> IntArray:
    """Return the focal position of each unit's pair, -1 for a unit in none, (n,).

    For pairs in which nobody serves twice.
    """
    code = np.full(n, -1, dtype=np.int64)
    code[pairs.comparison] = pairs.focal
    code[pairs.focal] = pairs.focal
    return code


def _bincount(at: IntArray, weight: FloatArray, size: int) -> FloatArray:
    total: FloatArray = np.bincount(at, weight, minlength=size).astype(np.float64)
    return total
