"""Who is matched with whom, as pairs or as runs of tied people that are never written out?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from prakerja_eval.errors import UsageError
from prakerja_eval.matching.pairs.neighbours import Direction
from prakerja_eval.matching.pairs.pairs import Pairs, between_seen, both_ways, in_sample, matched
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
        Weights of focal units, shared out among those that serve them.
    """

    reached: BoolArray
    used: FloatArray

    def weights(self, own: FloatArray, scaled: bool) -> FloatArray:
        """Return unit weights, (n,): a unit's own where it was matched, and its use.

        ``scaled`` brings the use to the number of units that serve, times the matched units' mean
        weight.
        """
        used = self.used
        if scaled and used.any():
            used = used * (np.count_nonzero(used) / int(self.reached.sum()))
        weights: FloatArray = np.where(self.reached, own, 0.0) + used
        return weights


def served(found: Pairs | Ways, weight: FloatArray) -> Served:
    """Add up who serves whom; ``weight`` (n,) is the focal units'."""
    n = len(weight)
    if isinstance(found, Pairs):
        share = found.weight * weight[found.focal]
        used = np.bincount(found.comparison, share, minlength=n).astype(np.float64)
        return Served(matched(found, n), used)
    reached, used = np.zeros(n, dtype=np.bool_), np.zeros(n)
    for way in found:
        count = way.runs.count
        reached[way.focal[count > 0]] = True
        used[way.comparison] += way.runs.used(weight[way.focal] / np.maximum(count, 1))
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
