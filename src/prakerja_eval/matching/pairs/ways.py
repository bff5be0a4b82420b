"""Who is matched with whom, as pairs or as runs of tied people that are never written out?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from prakerja_eval.errors import UsageError
from prakerja_eval.matching.pairs.neighbours import Direction
from prakerja_eval.matching.pairs.pairs import (
    Pairs,
    between_seen,
    both_ways,
    in_sample,
    matched,
    times_used,
)
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

Ways: TypeAlias = tuple[Direction, ...]
MOST_PAIRS = 100_000_000


@dataclass(frozen=True, slots=True)
class Served:
    """Who was matched, and how much each unit serves.

    Attributes
    ----------
    reached : (n,) bool
        Focal units with a counterpart.
    used : (n,)
        Sum of the pair weights with which each unit serves.
    """

    reached: BoolArray
    used: FloatArray

    def weights(self, own: FloatArray, scaled: bool) -> FloatArray:
        """Return unit weights, (n,): a unit's own, for being matched and each time that it serves.

        ``scaled`` brings the use of all to the number of units that serve.
        """
        used = self.used
        if scaled and used.any():
            used = used * (np.count_nonzero(used) / used.sum())
        weights: FloatArray = (self.reached + used) * own
        return weights


def served(found: Pairs | Ways, n: int) -> Served:
    """Add up who serves whom in a sample of n units."""
    if isinstance(found, Pairs):
        return Served(matched(found, n), times_used(found, n))
    reached, used = np.zeros(n, dtype=np.bool_), np.zeros(n)
    for way in found:
        count = way.runs.count
        some = count > 0
        reached[way.focal[some]] = True
        share = np.divide(1.0, count, out=np.zeros(len(count)), where=some)
        used[way.comparison] += way.runs.used(share)
    return Served(reached, used)


def among_seen(found: Pairs | Ways, seen: BoolArray) -> Pairs | Ways:
    """Return what is left where only some units were observed, in positions of the whole sample.

    A focal unit's shares are equal over its counterparts that were seen.
    """
    if isinstance(found, Pairs):
        return between_seen(found, seen)
    if seen.all():
        return found
    return tuple(_seen_way(way, seen) for way in found)


def _seen_way(way: Direction, seen: BoolArray) -> Direction:
    focal, comparison = seen[way.focal], seen[way.comparison]
    runs = way.runs.among(focal, comparison)
    return Direction(way.focal[focal], way.comparison[comparison], runs)


def placed(ways: Ways, place: IntArray) -> Ways:
    """Return the same in other positions of the sample, ``place`` (n,) by old position."""
    return tuple(Direction(place[w.focal], place[w.comparison], w.runs) for w in ways)


def n_pairs(found: Pairs | Ways) -> int:
    """Return the number of pairs, written out or not."""
    if isinstance(found, Pairs):
        return len(found.focal)
    return sum(int(way.runs.count.sum()) for way in found)


def total_distance(found: Pairs | Ways, score: FloatArray) -> float:
    """Return the sum of pair distances, each pair counted once whatever its weight."""
    if isinstance(found, Pairs):
        return float(found.distance.sum())
    return sum(float(w.runs.distance(score[w.focal], score[w.comparison]).sum()) for w in found)


def written_out(found: Pairs | Ways, score: FloatArray) -> Pairs:
    """Write out the pairs, in positions of the sample.

    Raises
    ------
    UsageError
        If there are too many of them.
    """
    if isinstance(found, Pairs):
        return found
    if n_pairs(found) > MOST_PAIRS:
        raise UsageError(
            f"{n_pairs(found):,} pairs are too many to write out: people tied on the score are all "
            "averaged. Weights, balance and effects do not need the pairs; for a list of them "
            "match with Nearest(ties='first')."
        )
    first, *second = (_pairs(way, score) for way in found)
    return both_ways(first, *second) if second else first


def _pairs(way: Direction, score: FloatArray) -> Pairs:
    pairs = way.runs.pairs(score[way.focal], score[way.comparison])
    return in_sample(pairs, way.focal, way.comparison)


def joined(found: Sequence[Pairs | Direction]) -> Pairs | Ways:
    """Put one direction, or both, together."""
    pairs = [f for f in found if isinstance(f, Pairs)]
    if pairs:
        return pairs[0] if len(pairs) == 1 else both_ways(*pairs)
    return tuple(f for f in found if isinstance(f, Direction))
