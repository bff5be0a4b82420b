"""Do the arms share their scores, and which kinds of people are rare in one of them?"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from prakerja_eval.typing import BoolArray, FloatArray

RARE = 10  # below ten events a coefficient, or a mean of counterparts, rests on single people


def overlap(
    score: FloatArray, treated: BoolArray, weight: FloatArray, supported: BoolArray
) -> pd.DataFrame:
    """Return a row an arm on the scores of two arms.

    Returns
    -------
    DataFrame
        Index "treated", "comparison". ``n``, ``lowest``, ``highest``; ``outside``, people whose
        score the other arm does not reach, and their ``share``; ``supported``, people kept;
        ``effective``, how many people the arm is worth once weighted by the odds of being in the
        other arm, (sum v)^2 / sum v^2, among those kept.
    """
    arms = {"treated": treated, "comparison": ~treated}
    rows = {}
    for name, arm in arms.items():
        mine, theirs = score[arm], score[~arm]
        outside = int(((mine < theirs.min()) | (mine > theirs.max())).sum())
        odds = (1 - score) / score if name == "treated" else score / (1 - score)
        rows[name] = {
            "n": int(arm.sum()),
            "lowest": mine.min(),
            "highest": mine.max(),
            "outside": outside,
            "share": outside / len(mine),
            "supported": int((arm & supported).sum()),
            "effective": _effective((weight * odds)[arm & supported]),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _effective(v: FloatArray) -> float:
    return float(v.sum() ** 2 / (v**2).sum())


def rare_cells(covariates: FloatArray, names: Sequence[str], treated: BoolArray) -> pd.DataFrame:
    """Return the values of two-valued covariates that fewer than ten people of an arm have.

    Returns
    -------
    DataFrame
        ``covariate``, ``value``, ``n_treated``, ``n_comparison``: each value of a column with two
        values, and each level of a column of text, its first one (the reference) as "first".
    """
    cells: list[tuple[str, float | str, BoolArray]] = []
    for column, name in enumerate(names):
        x = covariates[:, column]
        values = np.unique([x.min(), x.max()])
        if len(values) == 2 and np.isin(x, values).all() and "[" not in name:
            cells += [(name, float(value), x == value) for value in values]
    for text, columns in _levels(names).items():
        X = covariates[:, columns]
        cells.append((text, "first", (X == 0).all(axis=1)))
        cells += [(text, _level(names[c]), covariates[:, c] == 1) for c in columns]
    rows = [(n, v, int((treated & c).sum()), int((~treated & c).sum())) for n, v, c in cells]
    found = pd.DataFrame(rows, columns=["covariate", "value", "n_treated", "n_comparison"])
    rare = found[["n_treated", "n_comparison"]].min(axis=1) < RARE
    return found[rare].reset_index(drop=True)


def _levels(names: Sequence[str]) -> dict[str, list[int]]:
    """Return the columns of each covariate of text."""
    found: dict[str, list[int]] = {}
    for column, name in enumerate(names):
        if name.endswith("]"):
            found.setdefault(name.partition("[")[0], []).append(column)
    return found


def _level(name: str) -> str:
    return name.partition("[")[2][:-1]
