"""What did treatment do to each cohort in each wave, by a regression saturated in both?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prakerja_eval.did.cells import (
    ONE_UNIT,
    CellRows,
    cell_labels,
    cells_estimate,
    clear_rounding,
    members,
    only_units,
    treated_from,
)
from prakerja_eval.did.design import Design
from prakerja_eval.did.kernel_sun_abraham import Saturated, saturated
from prakerja_eval.did.plan import Cell, plan
from prakerja_eval.did.twfe import Cohorts, cohorts
from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import Estimate, join
from prakerja_eval.estimate.estimate import REFERENCE
from prakerja_eval.panel import PanelProtocol, UnitInfluence
from prakerja_eval.typing import BoolArray, FloatArray

UNIVERSAL = Design(method="unconditional", base_period="universal")


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """The effects to estimate, who they are compared with, and in which waves."""

    cells: list[Cell]
    comparison: BoolArray
    seen: BoolArray
    specification: str


def sun_abraham(
    panel: PanelProtocol,
    outcome: str | Sequence[str],
    *,
    window: tuple[float, float] | None = None,
) -> Estimate:
    """Estimate effects by cohort and wave in a regression with unit and wave effects.

    The estimand of a cell is E[Y_t(g) − Y_t(∞) | first treated at g], under parallel trends between
    cohort g and the comparison group: the never treated, or where nobody is never treated those
    treated last, until they are. The base is each cohort's last wave before treatment. On a
    balanced panel this is ``group_time`` with a universal base; on an unbalanced one, unit effects
    use all observations of a person and not only those of two waves.

    Parameters
    ----------
    panel : Panel
        With Roles ``cohort`` (first treated wave, 0 for never) or ``received``; balanced or not.
    outcome : str or sequence of str
        Numeric columns.
    window : (low, high), optional
        Event times returned. The regression keeps an indicator of each of the others too: binned,
        they would bias these.

    Returns
    -------
    Estimate
        One row an outcome, cohort and wave, for ``event_study`` and the other aggregations to
        average with estimated shares. The base is zero with the status "reference"; a cell that the
        data do not link to it is NaN with its reason. The variance sums ψ squared over units,
        normal quantiles.

    Raises
    ------
    UsageError
        If nobody is treated after the first wave, nobody is left to compare with, or the window is
        empty.

    References
    ----------
    Sun and Abraham (2021), doi 10.1016/j.jeconom.2020.09.006.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> from prakerja_eval.did.sun_abraham import sun_abraham
    >>> frame = pd.DataFrame({"id": list("aaabbbcccddd"), "t": [1, 2, 3] * 4,
    ...                       "g": [2] * 6 + [0] * 6,
    ...                       "income": [1, 4, 5, 2, 5, 6, 1, 2, 2, 3, 4, 4]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", wave="t", cohort="g"))
    >>> sun_abraham(panel, "income").theta.round(9).tolist()
    [0.0, 2.0, 3.0]
    """
    if window is not None and not window[0] <= window[1]:
        raise UsageError(f"did.sun_abraham(window={window}) must run from low to high.")
    names = [outcome] if isinstance(outcome, str) else list(outcome)
    return join(*(_one(panel, name, window) for name in names))


def _one(panel: PanelProtocol, outcome: str, window: tuple[float, float] | None) -> Estimate:
    found = cohorts(panel, outcome, "did.sun_abraham")
    asked = _asked(found, window)
    starts = sorted({c.start for c in asked.cells})
    groups = np.array([asked.comparison, *(found.start == g for g in starts)])
    table = np.array([(1 + starts.index(c.start), c.wave, c.base) for c in asked.cells])
    effects = saturated(found.cells, asked.seen, groups, table)
    rows = found.moments.influence(effects.loadings)
    return _estimate(found, effects, rows, outcome, asked)


def _asked(found: Cohorts, window: tuple[float, float] | None) -> _Asked:
    """Choose the comparison group and the waves in which it is untreated."""
    times, words = found.times, "never treated"
    if not found.never.any():
        last = int(found.first.max())  # their wave; cohorts may be several between two waves
        words = f"last treated, cohort {found.names(found.first == last)}, before treatment"
        if not (np.unique(found.first)[:-1] > 0).any():
            raise UsageError(
                "did.sun_abraham: nobody is never treated, and nobody is treated between the first "
                f"wave and {found.waves[last]}, when the last are: there is nobody to compare with."
            )
        times = times[:last]
    comparison = found.first >= len(times)
    planned = plan(np.unique(found.start), times, found.waves[: len(times)], UNIVERSAL)
    low, high = (-np.inf, np.inf) if window is None else window
    kept = [c for c in planned.cells if low <= c.event_time <= high]
    if not kept:
        raise UsageError(f"did.sun_abraham(window={window}) holds no event time of this panel.")
    specification = f"saturated in cohort and wave, {words}, base universal"
    left_out = list(planned.left_out)
    if len(times) < len(found.times):
        left_out.append("waves " + ", ".join(map(str, found.waves[len(times) :])))
    if left_out:
        specification += f"; left out: {'; '.join(left_out)}"
    seen = found.seen & (found.times <= times[-1])
    return _Asked(kept, comparison, seen, specification)


def _estimate(
    found: Cohorts, effects: Saturated, rows: UnitInfluence, outcome: str, asked: _Asked
) -> Estimate:
    """Label the cells."""
    labels, counts, status = [], [], []
    for k, cell in enumerate(asked.cells):
        labels.append(
            cell_labels(cell.start, found.waves[cell.wave], cell.event_time, found.waves)
            | {
                "estimator": "did.sun_abraham",
                "estimand": "pre-trend" if cell.event_time < 0 else "ATT",
                "outcome": outcome,
                "specification": asked.specification,
            }
        )
        n1, n0 = int(effects.n_treated[k]), int(effects.n_comparison[k])
        mean = float(effects.after[k] - effects.loadings.theta[k])
        counts.append({"n": n1 + n0, "n_treated": n1, "n_comparison": n0, "comparison_mean": mean})
        status.append(_status(effects, rows.psi[:, k], k, cell))
    start = np.append(found.moments.groups["start"].to_numpy(dtype=np.float64), np.nan)
    units = rows.units.assign(treated_from=treated_from(start[rows.group], found.waves))
    cells = CellRows(effects.loadings.theta, rows.psi, rows.sample, status)
    return only_units(
        cells_estimate(cells, units, labels, counts), members(rows.sample, units, labels)
    )


def _status(effects: Saturated, psi: FloatArray, k: int, cell: Cell) -> str:
    """Say why a cell has no number, or no variance."""
    if cell.reference:
        return REFERENCE
    theta = effects.loadings.theta[k]
    if np.isnan(theta):
        return "no observations of the cohort, or of its comparison, link the wave to the base"
    if effects.fewest[k] < 2:
        return ONE_UNIT
    clear_rounding(psi, abs(effects.after[k]) + abs(theta))
    return "ok"
