"""How uncertain are the estimates? The only room that computes a covariance from influence."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate.cluster import cluster_scores
from prakerja_eval.estimate.corrections import (
    alone,
    alone_cluster,
    df_of_rows,
    leverage_correction,
    linear_terms,
    matching_terms,
    rescaled,
    sum_rows,
)
from prakerja_eval.estimate.estimate import Estimate
from prakerja_eval.estimate.one_cluster import arm_of_one_cluster, cancels
from prakerja_eval.estimate.specs import (
    AbadieImbens,
    Classical,
    Clustered,
    Inference,
    MultiplierBootstrap,
    Robust,
    Unstated,
    WildClusterBootstrap,
    instance_of,
)
from prakerja_eval.estimate.terms import LinearTerm, MatchingTerm, Term
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

ONE_UNIT = "an arm or cell of one unit has no variance"
NO_DEFAULT = "the combined rows have defaults by different clusters: name an inference"
ONE_CLUSTER = "one cluster alone identifies the effect, or a block's: no variance between clusters"


@dataclass(frozen=True, slots=True, eq=False)
class Variance:
    """A covariance and what it was made of.

    Attributes
    ----------
    scores : (G, K) array
        Influence after corrections, summed within clusters; ``covariance`` is its cross-product
        (but for the classical variance).
    covariance : (K, K) array
    df : (K,) array
        Degrees of freedom of the quantiles; infinite for the normal distribution.
    n_clusters : (K,) array
        Independent units or clusters that took part in each row.
    labels, status : tuples of str
        Inference and state of each row; "ok", or why there is no standard error.
    """

    scores: FloatArray
    covariance: FloatArray
    df: FloatArray
    n_clusters: IntArray
    labels: tuple[str, ...]
    status: tuple[str, ...]

    def std_error(self) -> FloatArray:
        """Return the square roots of the diagonal, NaN where there is no variance."""
        diagonal = np.diag(self.covariance)
        return np.sqrt(np.where(diagonal > 0, diagonal, np.nan))

    def of_difference(self, row: int, other: int) -> tuple[float, float]:
        """Return the standard error of row less other, and its degrees of freedom."""
        pair = np.ix_([row, other], [row, other])
        spread = float(np.array([1.0, -1.0]) @ self.covariance[pair] @ np.array([1.0, -1.0]))
        return float(np.sqrt(spread)) if spread > 0 else np.nan, float(self.df[[row, other]].min())


def variance(
    estimate: Estimate, inference: Inference | None = None, *, shares_drawn: bool = False
) -> Variance:
    """Return the joint covariance of an estimate's rows.

    Parameters
    ----------
    estimate : Estimate
        K parameters.
    inference : Inference, optional
        One specification for all rows. Left out: each row under its own default; rows that share
        their independent units then share a covariance, and rows that do not get NaN between them.
    shares_drawn : bool
        Add the influence of shares that a row takes as fixed (those of a lottery's blocks).

    Raises
    ------
    NotEstimableError
        If the specification needs what the estimate does not carry.
    """
    if inference is not None:
        instance_of(inference, Inference, "inference")
    if shares_drawn:
        estimate = replace(estimate, psi=estimate.psi + _shares(estimate))
    specs = estimate.defaults if inference is None else (inference,) * len(estimate)
    levels = [_level(spec) for spec in specs]
    parts = []
    for level in dict.fromkeys(levels):
        rows = np.array([k for k, other in enumerate(levels) if other == level])
        parts.append((rows, _at_level(estimate, rows, [specs[k] for k in rows], level)))
    return parts[0][1] if len(parts) == 1 else _apart(len(estimate), parts)


def _shares(estimate: Estimate) -> FloatArray:
    """Return the influence of the shares that rows take as fixed, (n, K)."""
    n = len(estimate.units)
    columns = []
    for terms in estimate.terms:
        linear = [t for t in terms if isinstance(t, LinearTerm)]
        columns.append(sum_rows([(t.fit.rows, t.share) for t in linear if t.share is not None], n))
    return np.column_stack(columns)


def across_designs(estimate: Estimate) -> bool:
    """Say whether a lottery with fixed block shares stands beside designs that have none.

    Between the blocks the effects vary, and the others' influence has that variation in it. A
    difference at fixed shares would count it twice instead of cancelling it.
    """
    fixed = _shares(estimate).any(axis=0)
    others = [not any(_of_blocks(t) for t in terms) for terms in estimate.terms]
    return bool(fixed.any() and any(others))


def _of_blocks(term: Term) -> bool:
    return isinstance(term, LinearTerm) and not term.sampled


def _level(spec: Inference) -> str:
    """Return the independent units of a specification: the name of a cluster column, or "unit"."""
    if isinstance(spec, Clustered | MultiplierBootstrap | WildClusterBootstrap):
        return spec.by
    return "unit"


def cluster_codes(estimate: Estimate, by: str) -> IntArray:
    """Return the cluster of each unit as codes in order of first appearance.

    Raises
    ------
    UsageError
        For an unknown column, or one on which joined estimates disagree.
    NotEstimableError
        For a unit without a cluster.
    """
    if by == "unit":
        return np.arange(len(estimate.units))
    if by not in estimate.units.columns or by == "weight":
        known = ", ".join(["unit", *(c for c in estimate.units.columns if c != "weight")])
        why = " (the joined estimates disagree on it)" if by in estimate.differing else ""
        raise UsageError(f"there is no cluster column {by!r}{why}; there are: {known}.")
    codes, _ = pd.factorize(estimate.units[by])
    missing = int(((codes < 0) & estimate.sample.any(axis=1)).sum())
    if missing:
        raise NotEstimableError(f"{missing} units have no value in the cluster column {by!r}.")
    return np.asarray(np.where(codes < 0, codes.max(initial=0) + 1, codes), dtype=np.int64)


def _at_level(estimate: Estimate, rows: IntArray, specs: list[Inference], level: str) -> Variance:
    """Covariance of rows that share their independent units."""
    if level == "unit" and all(map(_plain, specs)) and not any(estimate.terms[k] for k in rows):
        return _sums_of_units(estimate, rows, specs)
    codes = cluster_codes(estimate, level)
    groups = int(codes.max(initial=-1)) + 1
    scores = np.zeros((groups, len(rows)))
    df = np.full(len(rows), np.inf)
    status = []
    for j, (k, spec) in enumerate(zip(rows, specs, strict=True)):
        scores[:, j], df[j], state = _row_scores(estimate, int(k), spec, codes, groups)
        status.append(state)
    covariance = scores.T @ scores
    for j, spec in enumerate(specs):
        if isinstance(spec, Classical):
            covariance = _with_classical(estimate, rows, specs, covariance, j)
    counts = [len(_present(codes, estimate.sample[:, k])) for k in rows]
    labels = tuple(s.label for s in specs)
    return Variance(scores, covariance, df, np.array(counts, dtype=np.int64), labels, tuple(status))


def _plain(spec: Inference) -> bool:
    """Say whether a specification takes the influence of clusters as it is, normal quantiles."""
    if isinstance(spec, Clustered):
        return spec.correction == "none" and spec.quantiles == "normal"
    return isinstance(spec, MultiplierBootstrap)


def _sums_of_units(estimate: Estimate, rows: IntArray, specs: list[Inference]) -> Variance:
    """Covariance where each unit is a cluster and nothing is corrected: psi'psi, without a copy."""
    whole = len(rows) == len(estimate) and bool((rows == np.arange(len(rows))).all())
    scores = estimate.psi if whole else estimate.psi[:, rows]
    covariance = scores.T @ scores
    gone = np.isnan(estimate.theta[rows])
    covariance[gone, :] = covariance[:, gone] = np.nan
    counts = np.array([np.count_nonzero(estimate.sample[:, k]) for k in rows], dtype=np.int64)
    if counts.max(initial=2) < 2:
        _refuse_one_cluster(int(counts.max()), "unit")
    status = tuple(str(s) for s in estimate.counts["status"].iloc[rows])
    labels = tuple(spec.label for spec in specs)
    return Variance(scores, covariance, np.full(len(rows), np.inf), counts, labels, status)


def _present(codes: IntArray, sample: BoolArray) -> IntArray:
    """Return the clusters that occur in a sample, in order."""
    return np.flatnonzero(np.bincount(codes[sample]))


def _row_scores(
    estimate: Estimate, k: int, spec: Inference, codes: IntArray, groups: int
) -> tuple[FloatArray, float, str]:
    """Corrected scores of one row by cluster, its degrees of freedom and its status."""
    psi, terms = estimate.psi[:, k], estimate.terms[k]
    state = str(estimate.counts["status"].iloc[k])
    spec = spec.studentised if isinstance(spec, WildClusterBootstrap) else spec
    if np.isnan(estimate.theta[k]) or np.isnan(psi).any():
        return np.full(groups, np.nan), np.inf, state
    if isinstance(spec, Unstated):
        return np.full(groups, np.nan), np.inf, NO_DEFAULT
    if not isinstance(spec, Classical) and any(alone(t, spec) for t in terms):
        return np.full(groups, np.nan), np.inf, ONE_UNIT
    if isinstance(spec, Clustered | MultiplierBootstrap):
        _refuse_one_cluster(len(_present(codes, estimate.sample[:, k])), spec.by)
        alone_in_arm = spec.by != "unit" and arm_of_one_cluster(estimate, k, codes)
        if alone_in_arm or _one_cluster(psi, terms, codes):
            return np.full(groups, np.nan), np.inf, ONE_CLUSTER
    if isinstance(spec, Clustered):
        scores, df = _clustered(estimate, k, spec, codes, groups)
        if spec.by != "unit" and cancels(scores, psi):
            scores = np.full(groups, np.nan)
        return scores, df, ONE_CLUSTER if np.isnan(scores).any() else state
    if isinstance(spec, MultiplierBootstrap):
        psi = _bootstrapped(estimate, k, spec)
    if isinstance(spec, AbadieImbens):
        psi = psi + sum_rows([rescaled(t, spec) for t in matching_terms(terms)], len(psi))
    elif isinstance(spec, Robust):
        psi = psi + sum_rows(
            [leverage_correction(t, spec) for t in linear_terms(terms, spec)], len(psi)
        )
    return sum_rows([(codes, psi)], groups), df_of_rows(terms, spec), state


def _one_cluster(psi: FloatArray, terms: tuple[Term, ...], codes: IntArray) -> bool:
    """Say whether ψ is that of regressions in which one cluster stands alone.

    Influence beyond the regressions, that of drawn block shares, does vary between clusters.
    """
    linear = [t for t in terms if isinstance(t, LinearTerm)]
    inside = sum_rows([(t.fit.rows, t.core()) for t in linear], len(psi))
    beyond = np.abs(psi - inside).max(initial=0.0) > 1e-8 * np.abs(psi).max(initial=0.0)
    return not beyond and any(alone_cluster(t, codes[t.fit.rows]) for t in linear)


def _clustered(
    estimate: Estimate, k: int, spec: Clustered, codes: IntArray, groups: int
) -> tuple[FloatArray, float]:
    """Scores and degrees of freedom of one row, clustered."""
    psi, terms = estimate.psi[:, k], estimate.terms[k]
    if any(isinstance(t, MatchingTerm) for t in terms):
        psi, terms = _pairs_regression(psi, terms, spec)
    present = _present(codes, estimate.sample[:, k])
    scores = sum_rows([(codes, psi)], groups)
    df = np.inf if spec.quantiles == "normal" else float(len(present) - 1)
    if spec.correction in ("CR2", "CR3") or spec.quantiles == "satterthwaite":
        fits = _same_fit(terms, spec)
        compact = np.searchsorted(present, codes[fits.fit.rows])
        plain = np.bincount(compact, fits.core(), minlength=len(present))
        made = cluster_scores(fits.fit, fits.contrast, compact, len(present), spec.correction)
        scores[present] += made.scores - plain
        df = made.satterthwaite() if spec.quantiles == "satterthwaite" else df
    return scores * _cluster_factor(len(present), terms, spec), df


def _bootstrapped(estimate: Estimate, k: int, spec: MultiplierBootstrap) -> FloatArray:
    """Return ψ of one row for multiplier draws, which meet the same refusals as clustering."""
    psi, terms = estimate.psi[:, k], estimate.terms[k]
    if spec.by == "unit":
        return psi
    if any(isinstance(t, MatchingTerm) for t in terms):
        psi, _ = _pairs_regression(psi, terms, spec)
    return psi


def _refuse_one_cluster(groups: int, by: str) -> None:
    if groups < 2:
        raise NotEstimableError(f"clustering by {by!r} leaves {groups} cluster; two at least.")


def _cluster_factor(groups: int, terms: tuple[Term, ...], spec: Clustered) -> float:
    """Return the scalar correction of the scores."""
    if spec.correction == "G":
        return float(np.sqrt(groups / (groups - 1)))
    if spec.correction == "stata":
        fit = _same_fit(terms, spec).fit
        n, p = fit.n_rows, fit.n_parameters
        return float(np.sqrt(groups / (groups - 1) * (n - 1) / (n - p)))
    return 1.0


def _same_fit(terms: tuple[Term, ...], spec: Inference) -> LinearTerm:
    """Merge terms of one regression into one; refuse where there are several regressions."""
    linear = [t for t in terms if isinstance(t, LinearTerm)]
    if not linear:
        raise NotEstimableError(
            f"{spec.label} needs the linear fit behind the estimate, and this one has none; "
            "use Clustered(..., correction='G')."
        )
    if any(t.fit.residuals is not linear[0].fit.residuals for t in linear):
        raise NotEstimableError(
            f"{spec.label} is defined within one regression, and this combines several; "
            "use Clustered(..., correction='G')."
        )
    return LinearTerm(linear[0].fit, np.sum([t.contrast for t in linear], axis=0))


def _pairs_regression(
    psi: FloatArray, terms: tuple[Term, ...], spec: Clustered | MultiplierBootstrap
) -> tuple[FloatArray, tuple[Term, ...]]:
    """Replace the linear form of a matching by the regression in the matched sample."""
    matchings = [t for t in terms if isinstance(t, MatchingTerm)]
    regressions = tuple(t.regression for t in matchings if t.regression is not None)
    if spec.by != "pair" or len(regressions) < len(matchings):
        raise NotEstimableError(
            "clustered inference after nearest-neighbour matching is refused: its coverage is not "
            "shown. Use AbadieImbens(), or Clustered('pair') after matching without replacement "
            "(Abadie and Spiess 2022)."
        )
    swap = sum_rows([(t.rows, -t.psi) for t in matchings], len(psi))
    swap += sum_rows([(t.fit.rows, t.core()) for t in regressions], len(psi))
    return psi + swap, regressions


def _with_classical(
    estimate: Estimate, rows: IntArray, specs: list[Inference], covariance: FloatArray, j: int
) -> FloatArray:
    """Put sigma² c'Mc on the diagonal and sigma² c'Mc' between rows of one regression."""
    out = covariance.copy()
    if np.isnan(covariance[j, j]):
        return out
    mine = _same_fit(tuple(linear_terms(estimate.terms[rows[j]], specs[j])), specs[j])
    _refuse_influence_beyond(mine, estimate.psi[:, rows[j]])
    fit = mine.fit
    if np.ptp(fit.weights[fit.weights > 0]) > 0:
        raise NotEstimableError(
            "the classical variance would take sampling weights for precisions; use Robust('HC2')."
        )
    sigma2 = np.sum(fit.weights * fit.residuals**2) / (fit.n_rows - fit.n_parameters)
    for i, k in enumerate(rows):
        theirs = [t for t in estimate.terms[k] if isinstance(t, LinearTerm)]
        same = bool(theirs) and all(t.fit.residuals is fit.residuals for t in theirs)
        value = np.nan
        if same and isinstance(specs[i], Classical):
            contrast = np.sum([t.contrast for t in theirs], axis=0)
            value = float(sigma2 * mine.contrast @ fit.bread @ contrast)
        out[i, j] = out[j, i] = value
    return out


def _refuse_influence_beyond(term: LinearTerm, psi: FloatArray) -> None:
    """Refuse ψ with a part that the regression does not account for."""
    inside = sum_rows([(term.fit.rows, term.core())], len(psi))
    if np.abs(psi - inside).max(initial=0.0) > 1e-8 * np.abs(inside).max(initial=0.0):
        raise NotEstimableError(
            "the classical variance is that of a regression, and part of this estimate's influence "
            "lies outside (estimated shares, say); use Robust('HC2')."
        )


def _apart(k_total: int, parts: list[tuple[IntArray, Variance]]) -> Variance:
    """Assemble groups of rows whose independent units differ; between them nothing is known."""
    covariance = np.full((k_total, k_total), np.nan)
    df, counts = np.zeros(k_total), np.zeros(k_total, dtype=np.int64)
    labels, status = [""] * k_total, [""] * k_total
    for rows, part in parts:
        covariance[np.ix_(rows, rows)] = part.covariance
        df[rows], counts[rows] = part.df, part.n_clusters
        for j, k in enumerate(rows):
            labels[k], status[k] = part.labels[j], part.status[j]
    scores = np.full((0, k_total), np.nan)
    return Variance(scores, covariance, df, counts, tuple(labels), tuple(status))
