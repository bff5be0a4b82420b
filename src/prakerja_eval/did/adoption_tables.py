"""Who was treated when, and how did each cohort's outcome go? Small tidy tables for figures."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from prakerja_eval.estimate.means import group_mean
from prakerja_eval.panel import (
    ArrayRequest,
    MomentPlan,
    PanelProtocol,
    WaveLabel,
    adoption,
    adoption_label,
)

NEVER, NOT_YET, TREATED = "never treated", "not yet treated", "treated"


def status_map(panel: PanelProtocol) -> pd.DataFrame:
    """Return whether each cohort is treated in each wave.

    Parameters
    ----------
    panel : Panel
        With Roles ``cohort`` or ``received``.

    Returns
    -------
    DataFrame
        cohort (None for never treated), wave, status ("never treated", "not yet treated",
        "treated"), n (people of the cohort), in the order of starts. Counts are exact: suppress
        small ones before they leave your hands (reports do). People whose start is not known are
        not in it.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("aabb"), "t": [1, 2] * 2, "g": [2, 2, 0, 0]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", wave="t", cohort="g"))
    >>> pe.did.status_map(panel)["status"].tolist()
    ['not yet treated', 'treated', 'never treated', 'never treated']
    """
    known = adoption(panel.arrays(ArrayRequest(cohorts=True)), panel.roles)
    starts, counts = np.unique(known.start[~np.isnan(known.start)], return_counts=True)
    rows = []
    for start, n in zip(starts, counts, strict=True):
        cohort = _cohort(float(start), known.waves)
        for wave, time in zip(known.waves, known.times, strict=True):
            status = NEVER if np.isinf(start) else TREATED if time >= start else NOT_YET
            rows.append((cohort, wave, status, int(n)))
    return _frame(rows, ["cohort", "wave", "status", "n"])


def cohort_paths(panel: PanelProtocol, outcome: str) -> pd.DataFrame:
    """Return the mean outcome of each cohort in each wave.

    Parameters
    ----------
    panel : Panel
        With Roles ``cohort`` or ``received``.
    outcome : str

    Returns
    -------
    DataFrame
        outcome, cohort (None for never treated), wave, n (people observed), mean, std_error (NaN
        under two people), in the order of starts and waves.
    """
    moments = panel.moments(MomentPlan(outcome, cohorts=True))
    starts = moments.groups["start"].to_numpy(dtype=np.float64)
    rows = []
    for group in np.argsort(starts, kind="stable"):
        cohort = _cohort(float(starts[group]), moments.waves)
        for t, wave in enumerate(moments.waves):
            found = group_mean(moments.cells, int(group), t)
            rows.append((outcome, cohort, wave, found.n, found.mean, found.std_error))
    return _frame(rows, ["outcome", "cohort", "wave", "n", "mean", "std_error"])


def _frame(rows: Sequence[tuple[object, ...]], columns: list[str]) -> pd.DataFrame:
    """Return rows as a frame in which cohorts stay whole numbers beside None."""
    cohorts = [row[columns.index("cohort")] for row in rows]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(cohort=pd.Series(cohorts, dtype=object))


def _cohort(start: float, waves: tuple[WaveLabel, ...]) -> object:
    """Return the label of a cohort, None for never."""
    return adoption_label(start, waves) if np.isfinite(start) else None
