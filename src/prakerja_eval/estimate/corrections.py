"""What do small samples ask of influence? Corrections by leverage, and their quantiles."""

import numpy as np

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.estimate.specs import AbadieImbens, Classical, Inference, Robust
from prakerja_eval.estimate.terms import FULL_LEVERAGE, LinearFit, LinearTerm, MatchingTerm, Term
from prakerja_eval.typing import FloatArray, IntArray

ONE = 1.0 - 1e-9
ALONE = 1e-6


def sum_rows(parts: list[tuple[IntArray, FloatArray]], n: int) -> FloatArray:
    """Add corrections given by row to a vector by unit."""
    out = np.zeros(n)
    for rows, values in parts:
        out += np.bincount(rows, values, minlength=n)
    return out


def linear_terms(terms: tuple[Term, ...], spec: Inference) -> list[LinearTerm]:
    """Return the linear terms that a leverage correction needs; none for HC0."""
    if isinstance(spec, Robust) and spec.kind == "HC0" and spec.reference == "normal":
        return []
    linear = [t for t in terms if isinstance(t, LinearTerm)]
    if not linear or len(linear) < len(terms):
        advice = (
            "use AbadieImbens(), or Clustered('pair') after matching without replacement"
            if any(isinstance(t, MatchingTerm) for t in terms)
            else "use Robust('HC0', reference='normal') or Clustered('unit', correction='none')"
        )
        raise NotEstimableError(
            f"{spec.label} inference needs the linear fit behind the estimate, "
            f"and this one has none; {advice}."
        )
    repeated = any(np.bincount(t.fit.rows).max(initial=0) > 1 for t in linear)
    if repeated:
        raise NotEstimableError(
            f"{spec.label} inference takes rows as independent, and here a unit has several; "
            "use Clustered('unit') or a cluster above it."
        )
    return linear


def matching_terms(terms: tuple[Term, ...]) -> list[MatchingTerm]:
    """Return the matching terms, or refuse if there are none."""
    found = [t for t in terms if isinstance(t, MatchingTerm)]
    if not found or len(found) < len(terms):
        raise NotEstimableError("AbadieImbens is the variance of matching; this is no matching.")
    return found


def rescaled(term: MatchingTerm, spec: AbadieImbens) -> tuple[IntArray, FloatArray]:
    """Return what turns the linear form into that of the variance which the specification names.

    The part of the people whose effect it is, which other designs share, is in both as it is.
    """
    if spec.score == "known":
        return term.rows, term.known - term.psi
    if term.why_known:
        raise NotEstimableError(
            "AbadieImbens('estimated') adds the estimation of the score to the variance, which is "
            f"not derived here: {term.why_known}. Or use AbadieImbens('known'), which takes the "
            "score as known."
        )
    return term.rows, np.zeros_like(term.psi)


def leverage_correction(term: LinearTerm, spec: Robust) -> tuple[IntArray, FloatArray]:
    """Return what HC1, HC2 or HC3 adds to ψ, by row."""
    fit, core = term.fit, term.core()
    if spec.kind == "HC1":
        n, p = fit.n_rows, fit.n_parameters
        return fit.rows, core * (np.sqrt(n / (n - p)) - 1.0)
    if spec.kind == "HC0":
        return fit.rows, np.zeros_like(core)
    leverage = fit.leverage()
    spare = np.where(leverage >= FULL_LEVERAGE, 1.0, 1.0 - leverage)
    factor = 1.0 / np.sqrt(spare) if spec.kind == "HC2" else 1.0 / spare
    if term.small is not None:
        return fit.rows, np.where(term.small.rows, term.small.score, core * factor) - core
    return fit.rows, core * (factor - 1.0)


def alone(term: Term, spec: Inference) -> bool:
    """Say whether a row of the regression decides its own fitted value and moves the parameter.

    Its residual is zero whatever its outcome, so that no variance can be seen from it: the only
    winner of a block, say. Every variance made of residuals by row then understates.
    """
    if not isinstance(term, LinearTerm):
        return False
    full = term.fit.leverage() >= FULL_LEVERAGE
    if term.small is not None and isinstance(spec, Robust) and spec.kind in ("HC2", "HC3"):
        full &= ~term.small.rows
    if not full.any():
        return False
    weight = np.abs(term.fit.project(term.contrast)) * term.fit.weights
    return bool((full & (weight > 1e-12 * weight.max(initial=0.0))).any())


def alone_cluster(term: Term, codes: IntArray) -> bool:
    """Say whether one cluster of rows identifies a part of the parameter that no other does.

    Its scores then add up to zero whatever its outcomes: the only treated village, say, or a
    village that holds a whole block. An eigenvalue 1 of its part of the hat matrix marks such a
    direction, so only clusters whose leverages add up to one or more can have it.
    """
    if not isinstance(term, LinearTerm):
        return False
    fit, used = term.fit, term.fit.weights > 0
    if fit.cells is not None and fit.cell_means:
        pairs = np.unique(np.column_stack([fit.cells[used], codes[used]]), axis=0)
        clusters = np.bincount(pairs[:, 0], minlength=fit.n_parameters)
        return bool((clusters[np.abs(term.contrast) > 0] < 2).any())
    lever = fit.project(term.contrast) * np.sqrt(fit.weights)
    size = np.sqrt(term.contrast @ fit.bread @ term.contrast)
    totals = np.bincount(codes, fit.leverage())
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(totals) + 1))
    for g in np.flatnonzero(totals >= FULL_LEVERAGE):
        rows = order[bounds[g] : bounds[g + 1]]
        own = _alone_directions(fit, rows[used[rows]]).T @ lever[rows[used[rows]]]
        if np.linalg.norm(own) > ALONE * size:
            return True
    return False


def _alone_directions(fit: LinearFit, rows: IntArray) -> FloatArray:
    """Return the directions of outcomes that these rows alone fit, without a residual, (r, d)."""
    x, columns = fit.local(rows)
    x = x * np.sqrt(fit.weights[rows])[:, None]
    bread = fit.bread[np.ix_(columns, columns)]
    product = (x.T @ x) @ bread
    # the sum of squared eigenvalues: below one, none of them is one
    if np.sum(product * product.T) < FULL_LEVERAGE:
        return np.zeros((len(rows), 0))
    vectors, values, _ = np.linalg.svd(x @ np.linalg.cholesky(bread), full_matrices=False)
    return np.asarray(vectors[:, values**2 > ONE])


def df_of_rows(terms: tuple[Term, ...], spec: Inference) -> float:
    """Degrees of freedom where units are independent."""
    if isinstance(spec, Classical) or (isinstance(spec, Robust) and spec.reference == "t"):
        linear = linear_terms(terms, spec)
        return float(min(t.fit.n_rows - t.fit.n_parameters for t in linear))
    if isinstance(spec, Robust) and spec.reference == "welch":
        return welch_df(linear_terms(terms, spec), spec)
    return np.inf


def welch_df(terms: list[LinearTerm], spec: Robust) -> float:
    """Welch-Satterthwaite degrees of freedom: (Σ v_c)² / Σ v_c²/(n_c − 1) over cells."""
    if len(terms) != 1 or not terms[0].fit.cell_means:
        raise NotEstimableError(
            f"Robust('{spec.kind}', reference='welch') is for a difference of cell means; "
            "use reference='t'."
        )
    fit, cells = terms[0].fit, terms[0].fit.cells
    if cells is None or terms[0].small is not None:
        raise NotEstimableError("Welch's degrees of freedom need two people in each arm.")
    _, extra = leverage_correction(terms[0], spec)
    v = np.bincount(cells, (terms[0].core() + extra) ** 2, minlength=fit.n_parameters)
    n = np.bincount(cells, fit.weights > 0, minlength=fit.n_parameters)
    used = v > 0
    if not used.any():
        return np.inf
    return float(v.sum() ** 2 / np.sum(v[used] ** 2 / (n[used] - 1)))
