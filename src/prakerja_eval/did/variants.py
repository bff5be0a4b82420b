"""Does the answer hold for other groups, without a cohort, or before anything happened?"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from prakerja_eval.did.aggregation import Average, overall
from prakerja_eval.did.design import Design
from prakerja_eval.did.group_time import group_time
from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate import Estimate, join, rename, subset
from prakerja_eval.panel import Panel, PanelProtocol
from prakerja_eval.panel.values import plain_text

Estimator: TypeAlias = Callable[..., Estimate]


def subgroups(
    panel: Panel,
    outcome: str | Sequence[str],
    by: str,
    design: Design | None = None,
    *,
    estimator: Estimator = group_time,
) -> Estimate:
    """Estimate cells in each group of a column apart, with its own comparison group.

    Parameters
    ----------
    panel : Panel
    outcome : str or sequence of str
    by : str
        Column whose values are the groups; constant within a unit, known for all.
    design : Design, optional
        The same for all groups.
    estimator : function, optional
        ``group_time``, ``imputation`` or ``sun_abraham``: (panel, outcome, design) -> cells, called
        without a design where none is given.

    Returns
    -------
    Estimate
        The cells of all groups, told apart by ``subgroup``. Aggregations keep them apart, and
        ``pe.test_equal(pe.did.overall(...), by="subgroup")`` tests whether the effect differs.

    Raises
    ------
    UsageError
        If the column varies within units, or is missing for some.

    Examples
    --------
    >>> import prakerja_eval as pe
    >>> by_sex = pe.did.subgroups(panel, "income", "female")  # doctest: +SKIP
    >>> pe.test_equal(pe.did.overall(by_sex), by="subgroup")  # doctest: +SKIP
    """
    values = panel.wide(by)
    known = values.notna().to_numpy()
    if not known.any(axis=1).all():
        lost = int((~known.any(axis=1)).sum())
        raise UsageError(
            f"{lost} unit(s) have no value in {by!r}; keep the groups that you want first: "
            f"panel.where({by}=[...])."
        )
    varying = int((values.nunique(axis=1, dropna=True) > 1).sum())
    if varying:
        raise UsageError(
            f"{by!r} varies over waves for {varying} unit(s), so it makes no groups of people; "
            "use its value before treatment."
        )
    first = values.to_numpy()[np.arange(len(values)), known.argmax(axis=1)]
    parts = []
    for value in sorted(set(first), key=lambda v: (str(type(v)), v)):
        part = panel.where(**{by: value})
        try:
            cells = estimator(part, outcome) if design is None else estimator(part, outcome, design)
        except (UsageError, NotEstimableError) as error:
            kind = UsageError if isinstance(error, UsageError) else NotEstimableError
            raise kind(f"in the group {by} = {plain_text(value)}: {error}") from error
        label = f"{by} = {plain_text(value)}"
        named = rename(cells, subgroup=label)
        parts.append(replace(named, units=named.units.assign(subgroup=label)))
    if len(parts) < 2:
        raise UsageError(f"{by!r} has one value, {first[0]}: there are no groups to compare.")
    return join(*parts)


def leave_one_cohort_out(
    panel: PanelProtocol,
    outcome: str | Sequence[str],
    design: Design | None = None,
    *,
    average: Average = "cells",
) -> Estimate:
    """Estimate the overall effect with all cohorts, and without each of them in turn.

    Parameters
    ----------
    panel : Panel
    outcome : str or sequence of str
    design : Design, optional
    average : {"cells", "event_times", "cohorts", "waves"}
        As in ``overall``.

    Returns
    -------
    Estimate
        One row an outcome for all cohorts, and one without each cohort, whose people then serve
        neither as treated nor for comparison; ``specification`` says which. All rows are joined, so
        that differences have their covariance.
    """
    cells = group_time(panel, outcome, design)
    cohorts = list(dict.fromkeys(cells.index["cohort"]))
    if len(cohorts) < 2:
        raise UsageError("leave_one_cohort_out needs two cohorts or more; this panel has one.")
    rows = [rename(overall(cells, average=average), specification="all cohorts")]
    for cohort in cohorts:
        left = overall(group_time(panel, outcome, design, without=[cohort]), average=average)
        rows.append(rename(left, specification=f"without cohort {cohort}"))
    return join(*rows)


def placebo(
    panel: PanelProtocol,
    outcome: str | Sequence[str],
    design: Design | None = None,
    *,
    lead: float = 1,
) -> Estimate:
    """Estimate the "effect" in the last periods before treatment, as if it had started earlier.

    Parameters
    ----------
    panel : Panel
    outcome : str or sequence of str
    design : Design, optional
        Without anticipation.
    lead : number
        How much earlier, in the unit of the waves.

    Returns
    -------
    Estimate
        Cells from ``lead`` before the start until the wave before it, ``estimand`` "placebo": zero
        if trends were parallel and nobody acted beforehand.
    """
    design = Design() if design is None else design
    if design.anticipation:
        raise UsageError("placebo moves the start itself; leave anticipation out of the design.")
    if not lead > 0:
        raise UsageError(f"placebo(lead={lead}) must be above 0.")
    cells = group_time(panel, outcome, replace(design, anticipation=lead))
    event_time = cells.index["event_time"].to_numpy(dtype=np.float64)
    rows = np.flatnonzero((event_time >= -lead) & (event_time < 0))
    if not len(rows):
        raise UsageError(f"no cohort has a wave up to {lead:g} before its start and one before it.")
    return rename(subset(cells, rows=list(rows)), estimand="placebo")
