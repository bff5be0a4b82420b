"""How far apart are two people in several covariates? Columns in which the distance is Euclidean.

Every metric here is d(x, y)^2 = (x - y)' V (x - y) with a fixed V, so the columns z = V^(1/2) x
carry it: what finds neighbours needs to know z alone.
"""

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from prakerja_eval.typing import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

# Distances that differ by less than this share of themselves are one distance: a sum of squares
# in another order, or in other units of a covariate, moves it by some 1e-15.
ROUNDING = 1e-9
# Directions of the correlation matrix with less variance than this carry rounding alone.
DEPENDENT = 1e-10
BLOCK = 8_192


class Metric(Enum):
    """Which matrix V weighs the covariates' differences."""

    MAHALANOBIS = 1
    ROBUST = 2
    SCALED = 3


@dataclass(frozen=True, slots=True)
class Sets:
    """A set of points for each place, in compressed rows.

    Attributes
    ----------
    indptr : (n + 1,) int
        The set of place i is ``indices[indptr[i]:indptr[i + 1]]``.
    indices : (m,) int
        Points, by distance, then position.
    distance : (m,)
        Euclidean distances.
    """

    indptr: IntArray
    indices: IntArray
    distance: FloatArray

    @property
    def count(self) -> IntArray:
        """Return how many points each set has, (n,)."""
        return np.diff(self.indptr)


def whitened(X: FloatArray, metric: Metric, arms: BoolArray | None = None) -> FloatArray:
    """Return columns in which the Euclidean distance is the metric.

    Parameters
    ----------
    X : (n, p)
        Covariates, one column each; none may be constant.
    metric : Metric
        ``MAHALANOBIS``: V is the inverse of the covariance S; ``SCALED``: of its diagonal.
        ``ROBUST`` (Rosenbaum 2010, section 8.3): Mahalanobis of the ranks, tied ones averaged,
        after S is rescaled to the variance of untied ranks, so that a rare indicator or an
        outlier does not govern the distance.
    arms : (n,) bool, optional
        Then S is pooled within the two arms, sum over arms of (n_a - 1) S_a / (n - 2); left out,
        it is that of all n.

    Returns
    -------
    (n, p) array
        Under Mahalanobis (x - mean) D^-1 R^-1/2 with D the standard deviations and R the
        correlations, the symmetric root: of all whitened columns those most like the covariates
        themselves (Kessy, Lewin and Strimmer 2018). Free of the covariates' units. A covariate
        that is a linear combination of others (the last indicator of a category) adds nothing:
        R^-1 is then the generalised inverse. People alike in X are alike to the last bit.

    Raises
    ------
    ValueError
        If a column has no variance (within the arms).

    References
    ----------
    Rubin (1980), doi 10.2307/2529981. Rosenbaum (2010), doi 10.1007/978-1-4419-1213-8. Kessy,
    Lewin and Strimmer (2018), doi 10.1080/00031305.2016.1277159.
    """
    z, root = _standardised(X, metric, arms)
    return z if root is None else _row_by_row(z, root)


def in_line(X: FloatArray, metric: Metric, arms: BoolArray | None = None) -> FloatArray:
    """Return where people stand in the line that chooses between units at one distance, (n,).

    By the covariate that the others explain best: the k with the largest diagonal of R^-1 (its
    variance inflation; the first of equal ones), as column k of (x - mean) D^-1 R^-1. That is, to
    a factor, the residual of covariate k on the others. Under ``SCALED`` R^-1 is the identity, and
    the line is that of the first covariate.

    Parameters
    ----------
    X, metric, arms
        As of :func:`whitened`.
    """
    z, root = _standardised(X, metric, arms)
    if root is None:
        first: FloatArray = z[:, 0]
        return first
    inverse = root @ root
    inflation = np.diag(inverse)
    k = int(np.argmax(inflation >= inflation.max() * (1 - ROUNDING)))
    line: FloatArray = _row_by_row(z, inverse[:, [k]])[:, 0]
    return line


def _standardised(
    X: FloatArray, metric: Metric, arms: BoolArray | None
) -> tuple[FloatArray, FloatArray | None]:
    """Return (x - mean) D^-1 and R^-1/2, which is None where the metric does not ask for it."""
    from scipy.stats import rankdata  # late: slow to import, and few calls need it

    x = np.column_stack([rankdata(c) for c in X.T]) if metric is Metric.ROBUST else X
    S = covariance(x, arms)
    variance = np.diag(S)
    if not (variance > 0).all():
        raise ValueError("a column has no variance")
    sd = np.sqrt(variance)
    z: FloatArray = (x - x.mean(axis=0)) / sd
    if metric is Metric.SCALED:
        return z, None
    if metric is Metric.ROBUST:  # in units of the spread of untied ranks
        z = z * (sd / np.sqrt(len(x) * (len(x) + 1) / 12.0))
    values, vectors = np.linalg.eigh(S / np.outer(sd, sd))
    kept = values > DEPENDENT * values[-1]
    return z, vectors[:, kept] / np.sqrt(values[kept]) @ vectors[:, kept].T


def covariance(x: FloatArray, arms: BoolArray | None = None) -> FloatArray:
    """Return the covariance (p, p), pooled within two arms where they are given."""
    if arms is None:
        centred = x - x.mean(axis=0)
        sample: FloatArray = centred.T @ centred / (len(x) - 1)
        return sample
    centred = np.empty_like(x)
    for arm in (arms, ~arms):
        centred[arm] = x[arm] - x[arm].mean(axis=0)
    pooled: FloatArray = centred.T @ centred / (len(x) - 2)
    return pooled


def nearest_sets(
    at: FloatArray,
    points: FloatArray,
    k: int,
    tolerance: float = 0.0,
    *,
    rounding: float = ROUNDING,
) -> Sets:
    """Find the ``k`` nearest points of each place, with all those tied.

    Kept are the points with d^2 <= d_k^2 + tolerance up to rounding, d_k the distance of the k-th
    nearest (of the last, where there are fewer).

    Parameters
    ----------
    at : (n, q)
        Places. Where they are the points themselves, each is in its own set, at distance zero.
    points : (m, q)
    k : int
    tolerance : float
        On the squared distance.

    Returns
    -------
    Sets
        O((n + m) log m) for distinct points and few ties; its size is that of the sets.

    Raises
    ------
    ValueError
        If k is below one, the tolerance negative, or there is no point.
    """
    if k < 1 or tolerance < 0 or not len(points):
        raise ValueError("k must be at least 1, the tolerance at least 0, and points exist")
    sites, site = distinct(points)
    places, place = distinct(at)
    members, begin, many = _members(site, len(sites))
    from scipy.spatial import cKDTree  # late: slow to import, and few calls need it

    tree = cKDTree(sites)
    found = [
        _block(places[low : low + BLOCK], tree, many, k, tolerance)
        for low in range(0, len(places), BLOCK)
    ]
    count, near, away = (np.concatenate([f[i] for f in found]) for i in range(3))
    # From distinct places to all of them, and from sites to their points.
    own = _runs(_starts(count)[place], count[place])
    who, size = np.repeat(np.arange(len(at)), count[place]), many[near[own]]
    indices = members[_runs(begin[near[own]], size)]
    who, distance = np.repeat(who, size), np.repeat(away[own], size)
    rows = np.lexsort((indices, distance, who))
    indptr = np.concatenate(([0], np.cumsum(np.bincount(who, minlength=len(at)))))
    return Sets(indptr.astype(np.int64), indices[rows], distance[rows])


def distinct(x: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return the distinct rows of x (n, q), sorted, and which of them each row is, (n,)."""
    order = np.lexsort(x.T[::-1])
    in_order = x[order]
    new = np.ones(len(x), dtype=np.bool_)
    new[1:] = (in_order[1:] != in_order[:-1]).any(axis=1)
    which = np.empty(len(x), dtype=np.int64)
    which[order] = np.cumsum(new) - 1
    return in_order[new], which


def _block(
    at: FloatArray, tree: "cKDTree", many: IntArray, k: int, tolerance: float
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return for each place the number of sites kept, and the sites and their distances in turn.

    Asks for a few sites more than needed, and for twice as many where the last is still kept.
    """
    rows, sites, away = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0)]
    left, ask = np.arange(len(at)), min(k + 2, len(many))
    while len(left):
        d, near = tree.query(at[left], k=np.arange(1, ask + 1))
        enough = np.cumsum(many[near], axis=1) >= k
        kth = np.where(enough.any(axis=1), enough.argmax(axis=1), ask - 1)
        d_k = d[np.arange(len(left)), kth]
        inside = d <= (np.sqrt(d_k**2 + tolerance) * (1 + ROUNDING))[:, None]
        done = ~inside[:, -1] | (ask == len(many))
        inside &= done[:, None]
        rows.append(np.repeat(left, inside.sum(axis=1)))
        sites.append(near[inside])
        away.append(d[inside])
        left, ask = left[~done], min(2 * ask, len(many))
    row = np.concatenate(rows)
    order = np.argsort(row, kind="stable")
    count = np.bincount(row, minlength=len(at)).astype(np.int64)
    return count, np.concatenate(sites)[order], np.concatenate(away)[order]


def _members(site: IntArray, n_sites: int) -> tuple[IntArray, IntArray, IntArray]:
    """Return points by site, where each site begins among them, and how many it has."""
    many = np.bincount(site, minlength=n_sites)
    return np.argsort(site, kind="stable"), _starts(many), many


def _starts(count: IntArray) -> IntArray:
    return np.cumsum(count) - count


def _runs(start: IntArray, count: IntArray) -> IntArray:
    """Return start[0], start[0] + 1, ..., for each run in turn."""
    within = np.arange(int(count.sum())) - np.repeat(_starts(count), count)
    runs: IntArray = np.repeat(start, count) + within
    return runs


def _row_by_row(z: FloatArray, A: FloatArray) -> FloatArray:
    """Return z A, each row added up in the same order, so that equal rows stay equal."""
    out = np.zeros((len(z), A.shape[1]))
    for j in range(z.shape[1]):
        out += z[:, j, None] * A[j]
    return out
