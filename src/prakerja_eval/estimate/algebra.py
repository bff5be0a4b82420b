"""How do estimates combine? Join by unit id, contrast, aggregate, subset, rename."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate.estimate import COUNT_COLUMNS, INDEX_COLUMNS, REFERENCE, Estimate
from prakerja_eval.estimate.specs import Clustered, Inference, Robust, Unstated, instance_of
from prakerja_eval.estimate.terms import Term
from prakerja_eval.typing import BoolArray, FloatArray, IntArray


def join(*estimates: Estimate) -> Estimate:
    """Stack estimates into one, by an outer join on unit id.

    A unit outside one estimate's sample has influence zero there, so the covariance between rows
    of different designs is that of the units which they share.

    Parameters
    ----------
    *estimates : Estimate
        Two or more (one is returned as it is).

    Returns
    -------
    Estimate
        Rows in the order given. A cluster column on which two estimates disagree for the same unit
        (the pairs of two matchings, say) is left out, and inference by it refuses.
    """
    if not estimates:
        raise UsageError("join needs at least one Estimate.")
    for e in estimates:
        instance_of(e, Estimate, "join")
    if len(estimates) == 1:
        return estimates[0]
    ids = pd.Index(pd.unique(np.concatenate([e.units.index.to_numpy() for e in estimates])))
    units, differing = _join_units(estimates, ids)
    k_total = sum(len(e) for e in estimates)
    psi = np.zeros((len(ids), k_total))
    sample = np.zeros((len(ids), k_total), dtype=bool)
    terms: list[tuple[Term, ...]] = []
    start = 0
    for e in estimates:
        positions = ids.get_indexer(e.units.index)
        stop = start + len(e)
        psi[positions, start:stop] = e.psi
        sample[positions, start:stop] = e.sample
        terms += [tuple(t.moved(positions) for t in row) for row in e.terms]
        start = stop
    return Estimate(
        theta=np.concatenate([e.theta for e in estimates]),
        psi=psi,
        sample=sample,
        units=units,
        index=pd.concat([e.index for e in estimates], ignore_index=True),
        counts=pd.concat([e.counts for e in estimates], ignore_index=True),
        terms=tuple(terms),
        defaults=tuple(d for e in estimates for d in e.defaults),
        differing=differing,
    )


def _join_units(
    estimates: Sequence[Estimate], ids: pd.Index
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Join the unit tables; columns that disagree, or that one lacks, are left out and named."""
    columns = list(dict.fromkeys(c for e in estimates for c in e.units.columns))
    gone = {name for e in estimates for name in e.differing}
    kept: dict[str, pd.Series] = {}
    for column in columns:
        parts = [e.units[column] for e in estimates if column in e.units.columns]
        stacked = pd.concat(parts)
        first = stacked[~stacked.index.duplicated()]
        same = stacked.to_numpy() == first.loc[stacked.index].to_numpy()
        blank = stacked.isna().to_numpy() & first.loc[stacked.index].isna().to_numpy()
        if column in gone or not bool(np.all(same | blank)):
            gone.add(column)
        else:
            kept[column] = first.reindex(ids)
    return pd.DataFrame(kept, index=ids.rename("unit")), tuple(sorted(gone))


def subset(estimate: Estimate, rows: Sequence[int] | None = None, **labels: object) -> Estimate:
    """Keep some parameters.

    Parameters
    ----------
    estimate : Estimate
        The estimate.
    rows : sequence of int, optional
        Positions to keep, in this order.
    **labels
        Values of index columns; a list or tuple admits several. ``subset(e, outcome="income")``.

    Raises
    ------
    UsageError
        For an unknown label, or if nothing is left.
    """
    keep = np.arange(len(estimate)) if rows is None else _positions(rows, len(estimate))
    for column, value in labels.items():
        if column not in INDEX_COLUMNS:
            raise UsageError(
                f"{column!r} is no index column; there are {', '.join(INDEX_COLUMNS)}."
            )
        values = list(value) if isinstance(value, list | tuple | set) else [value]
        keep = keep[estimate.index[column].iloc[keep].isin(values).to_numpy()]
    if len(keep) == 0:
        raise UsageError(f"no parameter has {labels}; the index is\n{estimate.index.to_string()}")
    return replace(
        estimate,
        theta=estimate.theta[keep],
        psi=estimate.psi[:, keep],
        sample=estimate.sample[:, keep],
        index=estimate.index.iloc[keep].reset_index(drop=True),
        counts=estimate.counts.iloc[keep].reset_index(drop=True),
        terms=tuple(estimate.terms[i] for i in keep),
        defaults=tuple(estimate.defaults[i] for i in keep),
    )


def _positions(rows: Sequence[int], k: int) -> IntArray:
    """Return row positions, or refuse what is none."""
    wanted = np.asarray(rows)
    if wanted.size and (wanted.dtype.kind not in "iu" or wanted.min() < 0 or wanted.max() >= k):
        raise UsageError(f"rows are positions from 0 to {k - 1}; subset(e, rows=[0]), say.")
    return np.asarray(wanted, dtype=np.int64)


def rename(estimate: Estimate, **labels: object) -> Estimate:
    """Set index columns to a value (or, by a function, from their present values).

    ``rename(e, specification="with covariates")``; ``rename(e, outcome=str.upper)``.
    """
    index = estimate.index.copy()
    for column, value in labels.items():
        if column not in INDEX_COLUMNS:
            raise UsageError(
                f"{column!r} is no index column; there are {', '.join(INDEX_COLUMNS)}."
            )
        index[column] = [value(old) if callable(value) else value for old in index[column]]
    return replace(estimate, index=index)


def contrast(
    estimate: Estimate, weights: Sequence[float] | FloatArray, **labels: object
) -> Estimate:
    """Return the linear combinations w'θ, with their influence ψ w.

    Parameters
    ----------
    estimate : Estimate
        K parameters.
    weights : (K,) or (K, R) array
        One column a combination.
    **labels
        Index columns of the result; a column on which all combined rows agree is kept by itself.

    Returns
    -------
    Estimate
        R parameters. ``n`` counts units that take part in any row with a weight.
    """
    try:
        matrix = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError("weights are numbers, one for each parameter.") from error
    matrix = matrix.reshape(-1, 1) if matrix.ndim == 1 else matrix
    if matrix.ndim != 2 or matrix.shape[0] != len(estimate):
        raise UsageError(f"weights of shape {matrix.shape} for {len(estimate)} parameters.")
    if not np.isfinite(matrix).all() or not matrix.any(axis=0).all():
        raise UsageError("weights must be finite, and one of them at least must not be zero.")
    psi = _product(_normalised_to_zero(estimate), matrix)
    return _combined(estimate, _product(estimate.theta[None, :], matrix)[0], psi, matrix, labels)


def _normalised_to_zero(estimate: Estimate) -> FloatArray:
    """Return ψ with 0 for rows that are zero by normalisation: a known number has no influence."""
    reference = (estimate.counts["status"] == REFERENCE).to_numpy()
    if not reference.any():
        return estimate.psi
    return np.where(reference, 0.0, estimate.psi)


def aggregate(
    estimate: Estimate, shares: Estimate | Sequence[float] | FloatArray, **labels: object
) -> Estimate:
    """Return the weighted average Σ s_k θ_k / Σ s_k, with the influence of the weights.

    Parameters
    ----------
    estimate : Estimate
        K parameters.
    shares : Estimate of K parameters, or (K,) array
        Weights, normalised here. Estimated shares (cohort sizes, say) add their own influence by
        the delta method; an array is taken as fixed.
    **labels
        Index columns of the result.

    Returns
    -------
    Estimate
        One parameter.
    """
    k = len(estimate)
    sizes = shares.theta if isinstance(shares, Estimate) else np.asarray(shares, dtype=np.float64)
    if len(sizes) != k:
        raise UsageError(f"{len(sizes)} shares for {k} parameters.")
    total = float(sizes.sum())
    if not np.isfinite(total) or total == 0:
        raise UsageError("the shares must be finite and must not add up to zero.")
    w = sizes / total
    if not isinstance(shares, Estimate):
        return contrast(estimate, w, **labels)
    both = join(estimate, shares)
    theta = _product(estimate.theta[None, :], w[:, None])[0]
    psi = _product(both.psi[:, :k], w[:, None])
    moved = both.psi[:, k:].any(axis=0)
    psi = psi + both.psi[:, k:] @ np.where(moved, (estimate.theta - theta) / total, 0.0)[:, None]
    # whoever moves a share takes part in the average
    drawn = np.any(both.sample[:, k:], axis=1, keepdims=True)
    effects = replace(subset(both, rows=range(k)), sample=both.sample[:, :k] | drawn)
    return _combined(effects, theta, psi, w[:, None], labels)


def _product(left: FloatArray, matrix: FloatArray) -> FloatArray:
    """Multiply so that a NaN row with weight zero does not spoil a combination."""
    out = np.zeros((left.shape[0], matrix.shape[1]))
    for r in range(matrix.shape[1]):
        used = np.flatnonzero(matrix[:, r])
        out[:, r] = left[:, used] @ matrix[used, r]
    return out


def _combined(
    estimate: Estimate,
    theta: FloatArray,
    psi: FloatArray,
    matrix: FloatArray,
    labels: dict[str, object],
) -> Estimate:
    """Assemble the combinations of an estimate's rows that ``matrix`` (K, R) weighs."""
    parts = [np.flatnonzero(column) for column in matrix.T]
    rows = [{c: _agreed(estimate.index[c].iloc[p]) for c in INDEX_COLUMNS} for p in parts]
    sample = np.column_stack([estimate.sample[:, p].any(axis=1) for p in parts])
    counts = [
        _joint_counts(estimate.counts.iloc[p], int(s.sum()), np.isnan(estimate.theta[p]))
        for p, s in zip(parts, sample.T, strict=True)
    ]
    combined = Estimate(
        theta=theta,
        psi=psi,
        sample=sample,
        units=estimate.units,
        index=pd.DataFrame(rows, columns=list(INDEX_COLUMNS), dtype=object),
        counts=pd.DataFrame(counts, columns=list(COUNT_COLUMNS)),
        terms=tuple(_scaled_terms(estimate, p, matrix[p, r]) for r, p in enumerate(parts)),
        defaults=tuple(_agreed_default(estimate, p) for p in parts),
        differing=estimate.differing,
    )
    return rename(combined, **labels) if labels else combined


def _agreed(values: pd.Series) -> object:
    """Return the value on which all rows agree, or None."""
    first = values.iloc[0]
    return first if all(v is first or v == first for v in values) else None


def _agreed_default(estimate: Estimate, rows: IntArray) -> Inference:
    """Return the rows' common default inference.

    Where they differ but share their clusters, cluster sums with G/(G − 1), or for independent
    units the plain variance of ψ; where the clusters differ, none, and inference must be named.
    """
    specs: list[Inference] = [estimate.defaults[int(k)] for k in rows]
    if all(spec == specs[0] for spec in specs):
        return specs[0]
    levels = {getattr(spec, "by", "unit") for spec in specs}
    if levels == {"unit"}:
        return Robust("HC0", reference="normal")
    return Clustered(levels.pop()) if len(levels) == 1 else Unstated()


def _joint_counts(counts: pd.DataFrame, n: int, gone: BoolArray) -> dict[str, object]:
    """Count a combination: n anew; arm counts and the mean only where all rows agree.

    The status of a row without a number comes before other words.
    """
    status = counts["status"].to_numpy()
    bad = [s for s in (*status[gone], *status[~gone]) if s not in ("ok", REFERENCE)]
    bad = [REFERENCE] if not bad and (status == REFERENCE).all() else bad
    arms = {c: _agreed(counts[c]) for c in ("n_treated", "n_comparison", "comparison_mean")}
    return {"n": n, **arms, "status": bad[0] if bad else "ok"}


def _scaled_terms(estimate: Estimate, rows: IntArray, weights: FloatArray) -> tuple[Term, ...]:
    """Scale the terms of the combined rows; a row without terms leaves the combination none."""
    if any(not estimate.terms[k] for k in rows):
        return ()
    pairs = zip(rows, weights, strict=True)
    return tuple(t.scaled(float(w)) for k, w in pairs for t in estimate.terms[k])
