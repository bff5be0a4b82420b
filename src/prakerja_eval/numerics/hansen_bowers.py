"""Are the drawn and the others alike on all covariates at once? The omnibus test of a lottery.

Hansen and Bowers (2008, doi 10.1214/08-STS254): under the lottery the sum of a fixed vector over
the winners has a known mean and covariance, so that the squared length of its deviation, in units
of that covariance, is a test statistic.
"""

from dataclasses import dataclass

import numpy as np

from prakerja_eval.typing import BoolArray, FloatArray, IntArray

# An eigenvalue of the correlation of the sums below this share of the largest is rounding: the
# column repeats others.
RANK = 1e-10
CONSTANT = 1e-12


@dataclass(frozen=True, slots=True)
class Omnibus:
    """The statistic, and what a new draw of the lottery needs to compute it again.

    Attributes
    ----------
    statistic : float
        d2 = T'V^-T, T the deviation of the winners' sum from its mean, V its covariance.
    rank : int
        Rank of V: the degrees of freedom of the chi-squared distribution.
    determined : bool
        There are as many independent columns as units less blocks, so that every draw gives the
        same statistic and there is no test.
    scores : (G, rank)
        Columns with mean zero in each block whose sums over the winners are uncorrelated with
        variance one: d2 is the squared length of the winners' sum of scores.
    """

    statistic: float
    rank: int
    determined: bool
    scores: FloatArray


def hansen_bowers(X: FloatArray, won: BoolArray, block: IntArray) -> Omnibus:
    """Return d2 for units drawn at random within blocks.

    With n_b units in block b of which m_b won, T = sum_b sum_{i in b, won} (x_i - xbar_b) and
    V = sum_b m_b (n_b - m_b) / (n_b (n_b - 1)) sum_{i in b} (x_i - xbar_b)(x_i - xbar_b)'.
    T is sum_b h_b (mean of winners - mean of losers) with the harmonic h_b = m_b (n_b - m_b) / n_b.

    Parameters
    ----------
    X : (G, k)
        A row a drawn unit; totals over the people of a drawn cluster.
    won : (G,) bool
    block : (G,) int
        Codes 0 .. B-1, each with winners and losers.
    """
    n = np.bincount(block)
    m = np.bincount(block, won, minlength=len(n))
    spread = m * (n - m) / (n * np.maximum(n - 1.0, 1.0))
    centred = _centred(X, block, n)
    root = centred * np.sqrt(spread)[block][:, None]
    length = np.sqrt((root**2).sum(axis=0))
    varies = length > 0
    unit = root[:, varies] / length[varies]
    values, vectors = np.linalg.eigh(unit.T @ unit)
    kept = values > RANK * values.max(initial=0.0)
    turn = vectors[:, kept] / np.sqrt(values[kept])
    scores = (centred[:, varies] / length[varies]) @ turn
    rank = int(kept.sum())
    total = scores[won].sum(axis=0)
    determined = rank >= int((n - 1).sum())
    return Omnibus(float(total @ total), rank, determined, scores)


def _centred(X: FloatArray, block: IntArray, n: IntArray) -> FloatArray:
    """Take out block means, twice against rounding; a constant column becomes exactly zero."""
    left = X
    for _ in range(2):
        sums = [np.bincount(block, column, minlength=len(n)) for column in left.T]
        left = left - (np.array(sums).reshape(-1, len(n)) / n)[:, block].T
    constant = np.abs(left).max(axis=0, initial=0) <= CONSTANT * np.abs(X).max(axis=0, initial=0)
    return np.where(constant, 0.0, left)
