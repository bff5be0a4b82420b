"""Which counts may be shown? None under ten people, and none from which one can be computed."""

import numpy as np
import pandas as pd

from prakerja_eval.typing import BoolArray, FloatArray, IntArray

SMALLEST_CELL = 10
NUMBERS = (
    *("estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"),
    *("band_low", "band_high", "p_adjusted", "comparison_mean"),
    *("n", "n_treated", "n_comparison", "n_clusters", "df"),
)


def hide_small(findings: pd.DataFrame) -> pd.DataFrame:
    """Return findings without counts under ten, nor the total that would give them away.

    Parameters
    ----------
    findings : DataFrame
        With n, n_treated, n_comparison, n_clusters and comparison_mean.

    Returns
    -------
    DataFrame
        A copy. Where an arm has one to nine people, its count, the total and the number of
        independent units are missing, and so is the comparison mean: with the effect it would give
        away the mean of the other arm.
    """
    out = findings.copy()
    small = {c: _small(out[c]) for c in ("n", "n_treated", "n_comparison")}
    either = small["n"] | small["n_treated"] | small["n_comparison"]
    hidden = {
        "n": either,
        "n_clusters": either,
        "n_treated": small["n_treated"] | small["n"],
        "n_comparison": small["n_comparison"] | small["n"],
        "comparison_mean": either,
    }
    for column, mask in hidden.items():
        if mask.any():
            out[column] = pd.to_numeric(out[column]).astype("float64").mask(mask)
    return out


def hide_flow(flow: pd.DataFrame, counts: list[str]) -> pd.DataFrame:
    """Return a flow table in which small counts, and one more a wave where needed, are missing.

    Parameters
    ----------
    flow : DataFrame
        group, wave and the columns of counts.
    counts : list of str
        If exactly one group of a wave is hidden, so is the smallest of the others, since the total
        would give it away.
    """
    out = flow.copy()
    for column in counts:
        values = pd.to_numeric(out[column]).astype("float64")
        small = _small(values)
        for _, index in out.groupby("wave", sort=False).groups.items():
            rows = values.loc[index]
            gone = small.loc[index] | rows.isna()
            others = rows[~gone & (rows > 0)]
            if gone.sum() == 1 and small.loc[index].any() and len(others):
                small.loc[others.idxmin()] = True
        out[column] = values.mask(small)
    return out


def _small(values: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(values).astype("float64").fillna(np.inf)
    return (numbers > 0) & (numbers < SMALLEST_CELL)


def small_rows(findings: pd.DataFrame) -> BoolArray:
    """Say which rows rest on one to nine treated or comparison people."""
    reference = (findings["status"] == "reference").to_numpy()
    few = _small(findings["n_treated"]) | _small(findings["n_comparison"])
    return np.asarray(few.to_numpy() & ~reference)


def hide_rows(findings: pd.DataFrame, hidden: BoolArray, reason: str) -> pd.DataFrame:
    """Return findings without any number in the hidden rows, whose status is the reason."""
    out = findings.copy()
    if not hidden.any():
        return out
    for column in NUMBERS:
        out[column] = pd.to_numeric(out[column]).astype("float64").mask(hidden)
    out["status"] = out["status"].mask(hidden, reason)
    return out


def hide_cells(
    small: BoolArray, cohort: IntArray, size: FloatArray, sums: FloatArray
) -> tuple[BoolArray, BoolArray]:
    """Say which cells, and which sums of cells, cannot be shown.

    Parameters
    ----------
    small : (K,) bool array
        Cells on few people.
    cohort : (K,) int array
        Of each cell.
    size : (K,) array
        People of each cell; the smallest are hidden first. Infinite: never.
    sums : (R, K) array
        Weights of the cells in each published sum; the first is always published.

    Returns
    -------
    cells : (K,) bool array
        The small, and others until no combination of sums and of shown cells tells anything about
        the small cells of one cohort alone.
    rows : (R,) bool array
        Sums that would tell it whatever else is hidden.
    """
    hidden, gone = small.copy(), np.zeros(len(sums), dtype=bool)
    while (told := _told(sums[~gone], hidden, small, cohort)) is not None:
        touching = (sums[:, told] != 0).any(axis=1) & ~gone
        others = (sums[touching] != 0).any(axis=0) & ~hidden & np.isfinite(size)
        direct = touching & ~(sums[:, hidden & ~told] != 0).any(axis=1)
        first = (sums[np.flatnonzero(direct)[:1]] != 0).any(axis=0) & others
        pool = first if first.any() else others
        if pool.any():
            hidden[np.argmin(np.where(pool, size, np.inf))] = True
            continue
        touching[0] = False
        if not touching.any():
            break
        gone |= touching
    return hidden, gone


def _told(
    sums: FloatArray, hidden: BoolArray, small: BoolArray, cohort: IntArray
) -> BoolArray | None:
    """Return small cells of one cohort about which the sums tell something; None if there are none.

    A combination of sums that holds none of the other hidden cells tells it.
    """
    for code in np.unique(cohort[small]):
        own: BoolArray = np.asarray(small & (cohort == code))
        if _rank(sums[:, hidden]) > _rank(sums[:, hidden & ~own]):
            return own
    return None


def _rank(matrix: FloatArray) -> int:
    return int(np.linalg.matrix_rank(matrix)) if matrix.size else 0
