"""Whose effect is sought but has no counterpart, and why?"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from prakerja_eval.matching.neighbours import nearest_runs
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from prakerja_eval.matching.match import Matched

SUPPORT = "outside common support"
STRATUM = "nobody of the other arm in the exact stratum"
CALIPER = "nobody within the caliper"
TAKEN = "those within reach serve others"
CALIPERS = "nobody left within the calipers"
WEIGHT = "no sampling weight"


def unmatched(matched: "Matched", scale: FloatArray) -> pd.DataFrame:
    """Return the focal people without a counterpart, by unit: arm, score, reason.

    Parameters
    ----------
    matched : Matched
    scale : (n,) array
        What the design measures score distances in.

    Returns
    -------
    DataFrame
        Indexed by unit: treated, score, reason. A person in several reasons has the first of:
        outside common support; nobody of the other arm in the exact stratum; nobody within the
        caliper on the score; nobody left within the calipers (where covariates have calipers);
        those within reach serve others (without replacement).
    """
    units = matched.propensity
    reached = matched.among(np.ones_like(units.treated)).reached
    left = np.flatnonzero(matched.focal & ~reached)
    reason = np.full(len(left), TAKEN, dtype=object)
    if matched.design.calipers:
        reason[:] = CALIPERS
    for arm in (True, False):
        mine = np.flatnonzero(units.treated[left] == arm)
        pool = np.flatnonzero((units.treated != arm) & units.supported)
        codes = matched.groups
        if codes is not None:
            reason[mine[~np.isin(codes[left[mine]], codes[pool])]] = STRATUM
        if matched.design.caliper is not None:
            reach = matched.design.caliper * float(scale[units.supported].std(ddof=1))
            near = _within(scale, left[mine], pool, codes, reach)
            reason[mine[~near & (reason[mine] != STRATUM)]] = CALIPER
    reason[~units.supported[left]] = SUPPORT
    reason[units.weight[left] <= 0] = WEIGHT
    columns = {"treated": units.treated[left].astype(int), "score": units.score[left]}
    return pd.DataFrame(columns | {"reason": reason}, index=units.units.index[left])


def _within(
    scale: FloatArray, mine: IntArray, pool: IntArray, codes: IntArray | None, reach: float
) -> BoolArray:
    """Say which units have somebody of the pool, in their own group, within reach."""
    if not len(mine) or not len(pool):
        return np.zeros(len(mine), dtype=np.bool_)
    groups = None if codes is None else (codes[mine], codes[pool])
    return np.asarray(nearest_runs(scale[mine], scale[pool], 1, reach, 0.0, groups).count > 0)
