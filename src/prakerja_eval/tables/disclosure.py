"""Which counts may be shown? None under ten people, and none from which one can be computed."""

import numpy as np
import pandas as pd

SMALLEST_CELL = 10


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
