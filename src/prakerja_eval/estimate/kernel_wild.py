"""How often does chance alone, drawn by cluster under the null, give a t-ratio as large?

The restricted wild cluster bootstrap from cluster sums (Roodman, Nielsen, MacKinnon and Webb 2019,
doi 10.1177/1536867X19830877; MacKinnon 2023, doi 10.1016/j.ecosta.2021.11.009), and its restricted
efficient form for a ratio (Davidson and MacKinnon 2010, doi 10.1198/jbes.2009.07221).

With a = XMc and δ = θ̂ − θ0, the residuals under θ0 are u + (e + F a/c'Mc) δ, where u are those of
y − θ̂ d, e those of d, F = c'b(d). A regression alone is the case e = 0, F = 1. So all that a draw v
of cluster weights gives is linear in the three vectors u, a/c'Mc, e, whatever θ0: a few numbers a
draw answer for every θ0.
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.typing import FloatArray, IntArray

U, A, D = 0, 1, 2  # positions of u, a/c'Mc and e

# Draws that equal the data's own t-ratio but for rounding (the draw v = 1 among them) count as at
# least as large: products of float64 sums agree to about 1e-12.
TIE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class ClusterSums:
    """What the bootstrap reads of a regression, summed within clusters; K is 2 or 3.

    Attributes
    ----------
    own : (K, G)
        a'W r of each cluster, for r = u, a/c'Mc and, of a ratio, e.
    pull : (G, p)
        X'W a of each cluster.
    push : (K, G, p)
        X'W r of each cluster.
    bread : (p, p)
        M = (X'WX)^-1.
    square : (3,)
        u'Wu, u'We, e'We over all rows.
    first : float
        F.
    """

    own: FloatArray
    pull: FloatArray
    push: FloatArray
    bread: FloatArray
    square: FloatArray
    first: float


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """The numbers that B draws leave behind.

    Attributes
    ----------
    total : (3, B)
        c'M X'W (v r) for each r; zeros for an absent e.
    product : (3, 3, B)
        Σ_h z_rh z_sh over clusters, of the cluster scores z_r of the residuals of v r on X.
    """

    total: FloatArray
    product: FloatArray


def cluster_sums(
    X: tuple[IntArray | None, FloatArray | None],
    residuals: tuple[FloatArray, FloatArray | None],
    w: FloatArray,
    codes: IntArray,
    bread: FloatArray,
    c: FloatArray,
    first: float,
) -> ClusterSums:
    """Sum a regression within clusters.

    Parameters
    ----------
    X : pair
        Cells (n,) int whose one-hot coding stands first in X, and columns (n, k) written out;
        either may be None.
    residuals : pair
        u (n,), and e (n,) of the first stage, None for a regression alone.
    w : (n,)
        Weights.
    codes : (n,) int
        Clusters 0 .. G-1, each of which occurs.
    bread : (p, p)
        M.
    c : (p,)
        Contrast.
    first : float
        F = c'b(d); 1 for a regression alone.
    """
    cells, written = X
    direction = bread @ c
    n_cells = len(bread) - (0 if written is None else written.shape[1])
    a = np.zeros(len(w))
    if cells is not None:
        a += direction[cells]
    if written is not None:
        a += written @ direction[n_cells:]
    u, e = residuals
    columns = [u, a / (c @ direction)] + ([] if e is None else [e])
    R = w * np.stack(columns)
    groups = int(codes.max()) + 1
    own = np.stack([np.bincount(codes, a * r, minlength=groups) for r in R]).astype(np.float64)
    push = _sums_of_x(cells, written, n_cells, R, codes, groups)
    square = np.array([R[U] @ u, 0.0 if e is None else R[U] @ e, 0.0 if e is None else R[D] @ e])
    return ClusterSums(own, push[A] * (c @ direction), push, bread, square, first)


def _sums_of_x(
    cells: IntArray | None,
    written: FloatArray | None,
    n_cells: int,
    R: FloatArray,
    codes: IntArray,
    groups: int,
) -> FloatArray:
    """Return X_g' r_g for each cluster and each of the K rows of R, (K, G, p)."""
    parts = []
    if cells is not None:
        key, size = codes * n_cells + cells, groups * n_cells
        sums = [np.bincount(key, r, minlength=size).reshape(groups, n_cells) for r in R]
        parts.append(np.stack(sums))
    if written is not None:
        order = np.argsort(codes, kind="stable")
        bounds = np.searchsorted(codes[order], np.arange(groups + 1))
        spans = [order[bounds[g] : bounds[g + 1]] for g in range(groups)]
        parts.append(np.stack([R[:, rows] @ written[rows] for rows in spans], axis=1))
    return np.concatenate(parts, axis=2)


def moments(sums: ClusterSums, V: FloatArray) -> Moments:
    """Return what draws V (B, G) of cluster weights leave behind.

    The residuals of v r on X have in cluster h the score z_h = v_h own_h − pull_h M Σ_g push_g v_g.
    """
    K, groups = sums.own.shape
    reach = sums.bread @ sums.pull.T
    through = groups > 2 * len(sums.bread)  # (V Q) L costs less than V (Q L) then
    z = []
    for own, push in zip(sums.own, sums.push, strict=True):
        z.append(V * own - (V @ push) @ reach if through else V @ (np.diag(own) - push @ reach))
    total = np.zeros((3, len(V)))
    product = np.zeros((3, 3, len(V)))
    total[:K] = sums.own @ V.T
    for r in range(K):
        for s in range(r, K):
            product[r, s] = product[s, r] = np.einsum("bg,bg->b", z[r], z[s])
    return Moments(total, product)


def joined(parts: list[Moments]) -> Moments:
    """Return the draws of several batches as one."""
    total = np.concatenate([m.total for m in parts], axis=1)
    return Moments(total, np.concatenate([m.product for m in parts], axis=2))


def exceeding(sums: ClusterSums, draws: Moments, delta: float) -> int:
    """Count the draws with |t*| >= |t| when the null is θ0 = θ̂ − δ.

    t*² = N² / (f Σ_h (z_h(ũ) − r z_h(ṽ))²) with r = N / F*, where ũ are the residuals under the
    null, ṽ those of the efficient first stage d = Xπ̃ + ρũ-part, and t² = δ² F² / (f Σ_h own_h²);
    the factor f of CRV1 cancels. With τ = 1 − ρδ, g = r − δ and h = F(rτ − g) the score is
    z(u) + h z(a/c'Mc) − g z(e), in which nothing grows with δ but N and r.
    """
    F, (uu, ue, ee) = sums.first, sums.square
    u, a, e = draws.total
    energy = uu + 2.0 * delta * ue + delta**2 * ee
    tau = (uu + delta * ue) / energy
    moved = e + F * a
    N = u + delta * moved
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        fitted = moved + tau * F * (1.0 - a)  # F*
        g = (u - delta * tau * F * (1.0 - a)) / fitted
        h = F * (N / fitted * tau - g)
        P = draws.product
        spread = P[U, U] + h * (h * P[A, A] + 2.0 * P[U, A])
        if ee > 0.0:
            spread = spread + g * (g * P[D, D] - 2.0 * P[U, D] - 2.0 * h * P[A, D])
        observed = float(sums.own[U] @ sums.own[U])
        as_large = N**2 * observed >= (1.0 - TIE) * (delta * F) ** 2 * spread
    return int(np.count_nonzero(as_large))
