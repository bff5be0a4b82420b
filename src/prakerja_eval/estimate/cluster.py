"""How far do a few clusters understate the variance? Bias-reduced and jackknife cluster scores.

Bell and McCaffrey (2002, Survey Methodology 28:169); Pustejovsky and Tipton (2018,
doi 10.1080/07350015.2016.1247004), with a working model of independent homoscedastic errors.
With H = X M X'W and B_g = [(I − H)(I − H)']_gg, CR2 multiplies the residuals of cluster g by
A_g = B_g^(+1/2)' and CR3 by (I − H_gg)^(-1). B_g is the identity plus a matrix of rank at most 2p,
so its root is taken in that small space, whatever the size of the cluster.
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.estimate.specs import ClusterCorrection
from prakerja_eval.estimate.terms import LinearFit
from prakerja_eval.typing import FloatArray, IntArray

NULL_EIGENVALUE = 1e-9
# Along a direction that cluster g alone identifies, residuals are zero and no root exists. That is
# harmless for a fixed effect of the cluster, where the lever is orthogonal to it up to rounding.
ALONE = 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class ClusterScores:
    """Adjusted cluster scores of one parameter c'b.

    Attributes
    ----------
    scores : (G,) array
        c'M X_g'W_g A_g e_g; NaN where cluster g alone identifies c'b.
    trace, square : float
        tr(P) and tr(PP) of their covariance P under the working model, up to sigma^2.
    """

    scores: FloatArray
    trace: float
    square: float

    def satterthwaite(self) -> float:
        """Return the degrees of freedom tr(P)^2 / tr(PP) of the variance estimator."""
        return self.trace**2 / self.square if self.square > 0 else np.nan


def cluster_scores(
    fit: LinearFit,
    contrast: FloatArray,
    codes: IntArray,
    n_clusters: int,
    correction: ClusterCorrection,
) -> ClusterScores:
    """Return the scores of c'b summed in clusters, corrected for their leverage.

    Parameters
    ----------
    fit : LinearFit
        The regression, m rows.
    contrast : (p,) array
        c.
    codes : (m,) int array
        Cluster of each row, 0 to G - 1.
    n_clusters : int
        G.
    correction : {"none", "G", "stata", "CR2", "CR3"}
        Only "CR2" and "CR3" change the scores; the others are scalars applied later.

    Raises
    ------
    NotEstimableError
        CR3 where a cluster's own rows identify a coefficient (a fixed effect of the cluster).
    """
    direction = fit.bread @ contrast
    inner = fit.bread @ fit.gram_of_squared_weights() @ fit.bread
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(n_clusters + 1))
    scores = np.zeros(n_clusters)
    own = np.zeros(n_clusters)
    moved = np.zeros((n_clusters, fit.n_parameters))
    moved_w = np.zeros((n_clusters, fit.n_parameters))
    for g in range(n_clusters):
        rows = order[bounds[g] : bounds[g + 1]]
        x, w, e = fit.block(rows), fit.weights[rows], fit.residuals[rows]
        lever = _adjusted_lever(fit, x, w, inner, w * (x @ direction), correction)
        scores[g] = lever @ e
        own[g] = lever @ lever
        moved[g] = x.T @ lever
        moved_w[g] = x.T @ (w * lever)
    trace, square = _working_moments(fit.bread, inner, own, np.hstack([moved, moved_w]))
    return ClusterScores(scores, trace, square)


def _working_moments(
    bread: FloatArray, inner: FloatArray, own: FloatArray, both: FloatArray
) -> tuple[float, float]:
    """Return tr(P) and tr(PP) of P_ij = g_i'[(I - H)(I - H)']_ij g_j, without forming P.

    P is the diagonal ``own`` plus ZSZ' with Z = ``both``, so its moments need 2p by 2p products.
    """
    S = np.block([[inner, -bread], [-bread, np.zeros_like(bread)]])
    off = np.sum((both @ S) * both, axis=1)
    product = S @ (both.T @ both)
    square = own @ own + 2 * own @ off + np.sum(product * product.T)
    return float(own.sum() + off.sum()), float(square)


def _adjusted_lever(
    fit: LinearFit,
    x: FloatArray,
    w: FloatArray,
    inner: FloatArray,
    lever: FloatArray,
    correction: ClusterCorrection,
) -> FloatArray:
    """Return A_g' W_g X_g M c for one cluster."""
    if correction == "CR2":
        # columns that are zero in the cluster, other blocks' cells say, take no part
        some = np.flatnonzero(x.any(axis=0))
        square = np.ix_(some, some)
        return _root_times(x[:, some], w, fit.bread[square], inner[square], lever)
    if correction == "CR3":
        return _jackknife_times(x, w, fit.bread, lever)
    return lever


def _root_times(
    x: FloatArray, w: FloatArray, bread: FloatArray, inner: FloatArray, lever: FloatArray
) -> FloatArray:
    """Return B^(+1/2) times ``lever``, with B = I + QKQ' taken in the span of [X, WX]."""
    if not x.size:
        return lever
    wide = np.hstack([x, x * w[:, None]]) if np.ptp(w) > 0 else x
    basis, values, _ = np.linalg.svd(wide, full_matrices=False)
    basis = basis[:, values > values[0] * 1e-12] if values[0] > 0 else basis[:, :0]
    xq, wxq = x.T @ basis, (x * w[:, None]).T @ basis
    cross = xq.T @ bread @ wxq
    small = np.eye(basis.shape[1]) - cross - cross.T + xq.T @ inner @ xq
    eigenvalues, vectors = np.linalg.eigh((small + small.T) / 2)
    alive = eigenvalues > NULL_EIGENVALUE
    root = np.where(alive, 1 / np.sqrt(np.where(alive, eigenvalues, 1.0)), 0.0)
    inside = vectors.T @ (basis.T @ lever)
    if np.linalg.norm(inside[~alive]) > ALONE * np.linalg.norm(lever):
        return np.full_like(lever, np.nan)
    return lever + basis @ (vectors @ ((root - 1.0) * inside))


def _jackknife_times(
    x: FloatArray, w: FloatArray, bread: FloatArray, lever: FloatArray
) -> FloatArray:
    """Return (I - H_gg)^(-1)' times ``lever`` by Woodbury's identity."""
    wx = x * w[:, None]
    remaining = np.linalg.inv(bread) - x.T @ wx
    scale = np.sqrt(np.abs(np.diag(np.linalg.inv(bread))))
    scaled = remaining / np.outer(scale, scale)
    if np.linalg.eigvalsh((scaled + scaled.T) / 2)[0] < NULL_EIGENVALUE:
        raise NotEstimableError(
            "CR3 is not defined: without one of the clusters a coefficient is not identified "
            "(a fixed effect of the cluster, say). Use Clustered(..., correction='CR2')."
        )
    return np.asarray(lever + wx @ np.linalg.solve(remaining, x.T @ lever))
