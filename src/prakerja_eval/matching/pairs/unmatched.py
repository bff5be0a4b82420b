"""Whose effect is sought but has no counterpart, and why?"""

import numpy as np
import pandas as pd

from prakerja_eval.matching.pairs.design import PairDesign
from prakerja_eval.matching.pairs.neighbours import nearest_runs
from prakerja_eval.matching.score.propensity import Propensity
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

SUPPORT = "outside common support"
STRATUM = "nobody of the other arm in the exact stratum"
CALIPER = "nobody within the caliper"
TAKEN = "those within reach serve others"
CALIPERS = "nobody left within the calipers"


def unmatched(
    units: Propensity,
    design: PairDesign,
    groups: IntArray | None,
    left: IntArray,
    scale: FloatArray,
) -> pd.DataFrame:
    """Return the focal people without a counterpart, by unit: arm, score, reason.

    Parameters
    ----------
    units : Propensity
    design : Nearest or Optimal
    groups : (n,) int array, optional
        Codes of the exact strata.
    left : (m,) int array
        Positions of the people without a counterpart.
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
    reason = np.full(len(left), TAKEN, dtype=object)
    if design.calipers:
        reason[:] = CALIPERS
    for arm in (True, False):
        mine = np.flatnonzero(units.treated[left] == arm)
        pool = np.flatnonzero((units.treated != arm) & units.supported)
        if groups is not None:
            reason[mine[~np.isin(groups[left[mine]], groups[pool])]] = STRATUM
        if design.caliper is not None:
            reach = design.caliper * float(scale[units.supported].std(ddof=1))
            near = _within(scale, left[mine], pool, groups, reach)
            reason[mine[~near & (reason[mine] != STRATUM)]] = CALIPER
    reason[~units.supported[left]] = SUPPORT
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
