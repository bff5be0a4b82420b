"""How do the estimates move together? Multiplier draws of t-ratios, bands and step-down tests."""

import numpy as np

from prakerja_eval.estimate.specs import MultiplierBootstrap, MultiplierWeights
from prakerja_eval.typing import FloatArray

CHUNK_CELLS = 20_000_000


def multiplier_weights(
    generator: np.random.Generator, shape: tuple[int, int], kind: MultiplierWeights
) -> FloatArray:
    """Draw weights of mean 0 and variance 1.

    Rademacher: ±1. Mammen (1993): the two-point law with third moment 1. Webb (2023): the
    six-point law ±√(1/2), ±1, ±√(3/2).
    """
    if kind == "rademacher":
        return np.asarray(generator.integers(0, 2, shape) * 2.0 - 1.0, dtype=np.float64)
    if kind == "webb":
        points = np.sqrt(np.array([0.5, 1.0, 1.5]))
        return np.asarray(np.concatenate([-points, points])[generator.integers(0, 6, shape)])
    root5 = np.sqrt(5.0)
    low = generator.random(shape) < (root5 + 1) / (2 * root5)
    return np.asarray(np.where(low, (1 - root5) / 2, (1 + root5) / 2))


def draw_t(scores: FloatArray, covariance: FloatArray, spec: MultiplierBootstrap) -> FloatArray:
    """Return bootstrap t-ratios, (reps, K).

    Parameters
    ----------
    scores : (G, K) array
        Influence summed in clusters.
    covariance : (K, K) array
        Its cross-product, whose diagonal is positive.
    spec : MultiplierBootstrap
        Where ``by`` is "unit" the draws are normal with this covariance.
    """
    generator = np.random.Generator(np.random.PCG64(spec.seed))
    std_error = np.sqrt(np.diag(covariance))
    if spec.by == "unit":
        correlation = covariance / np.outer(std_error, std_error)
        values, vectors = np.linalg.eigh(correlation)
        root = vectors * np.sqrt(np.clip(values, 0.0, None))
        return np.asarray(generator.standard_normal((spec.reps, len(std_error))) @ root.T)
    scaled = scores / std_error
    out = np.empty((spec.reps, len(std_error)))
    step = max(1, CHUNK_CELLS // max(1, len(scores)))
    for start in range(0, spec.reps, step):
        stop = min(spec.reps, start + step)
        shape = (stop - start, len(scores))
        out[start:stop] = multiplier_weights(generator, shape, spec.weights) @ scaled
    return out


def pointwise_quantiles(draws: FloatArray, level: float) -> FloatArray:
    """Return for each parameter the ``level`` quantile of |t*|, (K,)."""
    return np.asarray(np.quantile(np.abs(draws), level, axis=0))


def sup_quantile(draws: FloatArray, level: float) -> float:
    """Return the ``level`` quantile of max over parameters of |t*|."""
    return float(np.quantile(np.abs(draws).max(axis=1), level))


def exceedance(draws: FloatArray, t: FloatArray) -> FloatArray:
    """Return (1 + #{|t*| ≥ |t|}) / (1 + reps) by parameter, (K,)."""
    hits = (np.abs(draws) >= np.abs(t)).sum(axis=0)
    return np.asarray((1.0 + hits) / (1.0 + len(draws)))


def romano_wolf(draws: FloatArray, t: FloatArray) -> FloatArray:
    """Return step-down p-values that control the family-wise error, (K,).

    Romano and Wolf (2005, 2016): the hypotheses in falling order of |t|; each is compared with the
    maximum of |t*| over those not yet rejected, and p-values never fall along the order.
    """
    order = np.argsort(-np.abs(t), kind="stable")
    size = np.abs(draws[:, order])
    # max over the hypotheses from position j to the last
    tail = np.flip(np.maximum.accumulate(np.flip(size, axis=1), axis=1), axis=1)
    raw = exceedance(tail, t[order])
    out = np.empty_like(raw)
    out[order] = np.maximum.accumulate(raw)
    return out
