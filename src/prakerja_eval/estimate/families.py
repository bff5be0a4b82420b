"""How often would a family of answers show something by chance alone? Corrected p-values."""

from collections.abc import Sequence

import numpy as np

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import draws as boot
from prakerja_eval.estimate.specs import Adjustment
from prakerja_eval.typing import FloatArray

STEP = 0.001  # Anderson's grid of levels


def adjusted(
    p: FloatArray,
    t: FloatArray,
    draws: FloatArray | None,
    outcomes: Sequence[object],
    adjust: Adjustment,
) -> dict[str, object]:
    """Correct p-values family by family, over the rows that have one.

    Parameters
    ----------
    p, t : (K,) arrays
        p-values and t-ratios.
    draws : (B, K) array, optional
        Shared draws of t-ratios.
    outcomes : sequence
        Outcome of each row.
    adjust : Adjustment

    Returns
    -------
    dict
        Columns ``p_adjusted`` and ``family``.

    Raises
    ------
    UsageError
        For Romano-Wolf without draws, or an outcome that no row has.
    """
    if adjust.method == "romano_wolf" and draws is None:
        raise UsageError(
            "Adjustment('romano_wolf') uses the shared draws of a bootstrap; "
            "call infer(estimate, MultiplierBootstrap(...), adjust=...)."
        )
    out = np.full(len(p), np.nan)
    family: list[str | None] = [None] * len(p)
    for name, rows in adjust.groups(outcomes).items():
        alive = np.array([k for k in rows if np.isfinite(p[k])], dtype=np.int64)
        for k in rows:
            family[k] = name
        if len(alive):
            some = None if draws is None else draws[:, alive]
            out[alive] = _corrected(p[alive], t[alive], some, adjust)
    return {"p_adjusted": out, "family": family}


def _corrected(
    p: FloatArray, t: FloatArray, draws: FloatArray | None, adjust: Adjustment
) -> FloatArray:
    """Correct one family."""
    if adjust.method == "romano_wolf" and draws is not None:
        return boot.romano_wolf(draws, t)
    if adjust.method == "sharpened_q":
        return sharpened_q(p)
    from statsmodels.stats.multitest import multipletests

    name = {"holm": "holm", "bh": "fdr_bh"}[adjust.method]
    return np.asarray(multipletests(p, method=name)[1])


def sharpened_q(p: FloatArray) -> FloatArray:
    """Return Anderson's sharpened two-stage q-values, (m,).

    The two-stage procedure of Benjamini, Krieger and Yekutieli (2006, doi 10.1093/biomet/93.3.491)
    at level q rejects r hypotheses by Benjamini and Hochberg at u = q / (1 + q), and then by them
    at u m / (m - r). The q-value is the smallest level on Anderson's grid .001, .002, ..., 1 at
    which a hypothesis is rejected (2008, doi 10.1198/016214508000000841), and 1 if none is.

    With b_k the Benjamini-Hochberg p-values in rising order, r are rejected at first where
    u >= b_r, and then the k-th where u >= b_k (m - r) / m. Both sides fall in r, so the smallest
    such u is the minimum over r of the larger of the two.
    """
    m = len(p)
    order = np.argsort(p, kind="stable")
    rank = np.arange(1, m + 1)
    b = np.minimum.accumulate((p[order] * m / rank)[::-1])[::-1]
    first = np.concatenate([[0.0], b])
    second = b[:, None] * (m - np.arange(m + 1)) / m
    u = np.maximum(first, second).min(axis=1)
    level = np.where(u < 0.5, u / np.where(u < 0.5, 1.0 - u, 1.0), 1.0)
    out = np.empty(m)
    # A level that is on the grid but for rounding is not pushed to the next; none lies below .001.
    out[order] = np.clip(np.ceil(level / STEP - 1e-9), 1, round(1 / STEP)) / round(1 / STEP)
    return out
