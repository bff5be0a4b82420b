"""Which pairs have the least total distance, no comparison unit serving twice?

An assignment problem (Rosenbaum 1989, doi 10.1080/01621459.1989.10478868), solved by scipy. Each
focal unit asks k times. Without calipers few of all pairs can matter. Give each focal unit a list
of the nearest r comparison units, r at least the number of requests in its component: of the focal
units whose lists overlap, directly or through others. Some optimum uses listed pairs alone. For
take an optimum, and a request served by an unlisted unit. Its r listed units cannot all be held by
its own component, whose other requests are fewer: one is free, or is held by a unit of another
component, which has it unlisted, since lists of different components are disjoint. Move the
request there, at no greater distance, and go on with the one displaced. Each step leaves one
unlisted pair less, so that it ends, at no greater total.
"""

import numpy as np

from prakerja_eval.matching.pairs.by_distance import Codes, strata, within_limits
from prakerja_eval.matching.pairs.pairs import Pairs, equal_shares
from prakerja_eval.matching.pairs.stock import Field
from prakerja_eval.typing import FloatArray, IntArray

DENSE = 4_000_000  # cells of a cost matrix that is written out
MOST_PAIRS = 25_000_000  # candidate pairs of one exact group
Triples = tuple[IntArray, IntArray, FloatArray]


class TooManyPairsError(ValueError):
    """The candidate pairs of an exact group do not fit in memory."""


def optimal_pairs(field: Field, ratio: int = 1, groups: Codes | None = None) -> Pairs:
    """Pair focal with comparison units: as many pairs as possible, at the least total distance.

    Parameters
    ----------
    field : Field
        The two sides and their limits.
    ratio : int
        Number of matches sought for each focal unit, all different.
    groups : pair of int arrays, optional
        Codes of focal and of comparison units; matches share their code.

    Returns
    -------
    Pairs
        Sorted by focal position. Each weighs one over its focal unit's matches.

    Raises
    ------
    TooManyPairsError
        If an exact group has more than ``MOST_PAIRS`` candidate pairs.
    """
    found: list[Triples] = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    for mine, theirs in strata(field, groups):
        if len(mine) * ratio * len(theirs) <= DENSE:
            i, j, d = _dense(field, mine, theirs, ratio)
        else:
            i, j, d = _sparse(field, mine, theirs, ratio)
        found.append((mine[i], theirs[j], d))
    i, j, d = (np.concatenate([f[c] for f in found]) for c in range(3))
    rows = np.lexsort((j, d, i))
    return equal_shares(i[rows], j[rows], d[rows])


def _dense(field: Field, mine: IntArray, theirs: IntArray, ratio: int) -> Triples:
    """Solve with the matrix written out; a pair that is not allowed costs more than all others."""
    d = within_limits(field, mine, theirs)
    allowed = np.isfinite(d)
    if not allowed.any():
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    bar = (float(d[allowed].max()) or 1.0) * (len(mine) * ratio + 1)
    from scipy.optimize import linear_sum_assignment  # late: slow to import, and few calls need it

    i, j = linear_sum_assignment(np.repeat(np.where(allowed, d, bar), ratio, axis=0))
    i = i // ratio
    kept = allowed[i, j]
    return i[kept], j[kept], d[i[kept], j[kept]]


def _sparse(field: Field, mine: IntArray, theirs: IntArray, ratio: int) -> Triples:
    """Solve with the candidate pairs; each request may also go unserved, at a prohibitive cost."""
    limited = len(field.limits.width) > 0
    candidates = _allowed if limited else _nearest
    i, j, d = candidates(field, mine, theirs, ratio)
    if not len(i):
        return i, j, d
    # Every request is served once or goes without, so a constant added to all its costs changes
    # nothing; it keeps costs of zero, which the solver takes for absent, out of the matrix.
    shift = float(d.max()) or 1.0
    n = len(mine) * ratio
    request = (i[:, None] * ratio + np.arange(ratio)).ravel()
    rows = np.concatenate([request, np.arange(n)])
    columns = np.concatenate([np.repeat(j, ratio), len(theirs) + np.arange(n)])
    cost = np.concatenate([np.repeat(d, ratio) + shift, np.full(n, (n + 1) * shift * 2)])
    from scipy.sparse import csr_array  # late: slow to import, and few calls need it
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    matrix = csr_array((cost, (rows, columns)), shape=(n, len(theirs) + n))
    r, c = min_weight_full_bipartite_matching(matrix)
    kept = c < len(theirs)
    i, j = r[kept].astype(np.int64) // ratio, c[kept].astype(np.int64)
    gap = field.focal[mine[i]] - field.comparison[theirs[j]]
    return i, j, np.sqrt(np.sum(gap**2, axis=1))


def _allowed(field: Field, mine: IntArray, theirs: IntArray, ratio: int) -> Triples:
    """Return the pairs within the limits."""
    found: list[Triples] = []
    total, step = 0, max(1, DENSE // len(theirs))
    for low in range(0, len(mine), step):
        d = within_limits(field, mine[low : low + step], theirs)
        i, j = np.nonzero(np.isfinite(d))
        total += len(i) * ratio
        _refuse(total)
        found.append((i + low, j, d[i, j]))
    i, j, d = (np.concatenate([f[c] for f in found]) for c in range(3))
    return i, j, d


def _nearest(field: Field, mine: IntArray, theirs: IntArray, ratio: int) -> Triples:
    """Return each focal unit's nearest, at least as many as its component has requests."""
    from scipy.sparse import coo_array  # late: slow to import, and few calls need it
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    at, tree = field.focal[mine], cKDTree(field.comparison[theirs])
    asked = np.full(len(mine), min(ratio, len(theirs)))
    while True:
        _refuse(int(asked.sum()) * ratio)
        found: list[Triples] = []
        for many in np.unique(asked):
            who = np.flatnonzero(asked == many)
            d, near = tree.query(at[who], k=np.arange(1, many + 1))
            found.append((np.repeat(who, many), near.ravel(), d.ravel()))
        i, j, d = (np.concatenate([f[c] for f in found]) for c in range(3))
        graph = coo_array(
            (np.ones(len(i), dtype=np.int8), (i, len(mine) + j)),
            shape=(len(mine) + len(theirs),) * 2,
        )
        component = connected_components(graph, directed=False)[1][: len(mine)]
        requests = np.bincount(component)[component] * ratio
        short = asked < np.minimum(requests, len(theirs))
        if not short.any():
            return i, j, d
        # Longer lists than needed do no harm, and fewer rounds get there.
        asked = np.where(short, np.minimum(2 * requests, len(theirs)), asked)


def _refuse(pairs: int) -> None:
    if pairs > MOST_PAIRS:
        raise TooManyPairsError(
            f"optimal matching would weigh more than {MOST_PAIRS:,} pairs of one exact group"
        )
