"""Who came back? Patterns of presence, and the rate of response by wave and arm."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from prakerja_eval.panel.describe.columns import Column
from prakerja_eval.panel.describe.look import COMPARISON, TREATMENT, Look
from prakerja_eval.panel.values import to_number
from prakerja_eval.typing import BoolArray, IntArray

DIGITS_AT_ONCE = 40  # binary digits that fit an integer, with room


def presence(look: Look, columns: Sequence[Column]) -> BoolArray:
    """Return whether each unit was observed in each wave, (units, named waves).

    With ``Roles(responded=...)``, a row whose answer is not 0. Without it, or where it is missing,
    a row that has a value in a column without role that changes within units (its value, or
    whether there is one); if no column changes, any row.
    """
    live = [c for c in columns if not c.roles and not (c.constant and c.complete)]
    held = np.zeros(len(look.unit), dtype=bool)
    for column in live:
        held |= ~column.missing
    if not live:
        held[:] = True
    if look.roles.responded is not None:
        said = to_number(look.table.frame[look.roles.responded])
        held = np.where(np.isnan(said), held, said != 0)
    return look.present(held)


def patterns(look: Look, present: BoolArray) -> pd.DataFrame:
    """Return units by pattern ("1101": absent in the third wave) and arm, commonest first."""
    codes = _pattern_codes(present)
    kinds, first, which = np.unique(codes, return_index=True, return_inverse=True)
    arms = len(look.arms)
    counts = np.bincount(which * arms + look.unit_arm, minlength=len(kinds) * arms)
    counts = counts.reshape(len(kinds), arms)
    names = ["".join("01"[int(p)] for p in row) for row in present[first]]
    order = sorted(range(len(kinds)), key=lambda k: names[k], reverse=True)
    order.sort(key=lambda k: -counts[k].sum())
    size = counts.sum(axis=0)
    share = np.divide(counts, size, where=size > 0, out=np.full(counts.shape, np.nan))
    return pd.DataFrame(
        {
            "pattern": [names[k] for k in order for _ in look.arms],
            "arm": list(look.arms) * len(kinds),
            "units": counts[order].ravel(),
            "share": share[order].ravel(),
        }
    )


def _pattern_codes(present: BoolArray) -> IntArray:
    """Return a number for each pattern; renumbered where there are more waves than digits."""
    codes = np.zeros(len(present), dtype=np.int64)
    for j in range(present.shape[1]):
        codes = codes * 2 + present[:, j]
        if j % DIGITS_AT_ONCE == DIGITS_AT_ONCE - 1:
            codes = pd.factorize(codes)[0].astype(np.int64)
    return codes


def response(look: Look, present: BoolArray) -> pd.DataFrame:
    """Return the share of each arm's units that were observed, by wave.

    ``difference_points`` stands in the rows of the treatment arm: its rate minus that of the
    comparison arm, in percentage points.
    """
    size = np.bincount(look.unit_arm, minlength=len(look.arms))
    came = np.array([present[look.unit_arm == a].sum(axis=0) for a in range(len(look.arms))]).T
    rate = np.divide(came, size, where=size > 0, out=np.full(came.shape, np.nan))
    gap = np.full(came.shape, np.nan)
    if {TREATMENT, COMPARISON} <= set(look.arms):
        one, other = look.arms.index(TREATMENT), look.arms.index(COMPARISON)
        gap[:, one] = 100 * (rate[:, one] - rate[:, other])
    return (
        look.places()
        .iloc[: came.size]
        .assign(
            units=np.tile(size, look.named),
            present=came.ravel(),
            rate=rate.ravel(),
            difference_points=gap.ravel(),
        )
    )
