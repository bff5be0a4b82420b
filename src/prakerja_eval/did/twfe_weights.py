"""How does the two-way fixed effects coefficient weigh the effects on each cohort in each wave?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from prakerja_eval.did.kernel_twfe import left_over
from prakerja_eval.did.twfe import cohorts, first_treated
from prakerja_eval.errors import NotEstimableError
from prakerja_eval.panel import (
    ArrayRequest,
    PanelProtocol,
    WaveLabel,
    adoption,
    adoption_label,
)
from prakerja_eval.typing import BoolArray, FloatArray, IntArray

ROUNDING = 1e-12
ESTIMATOR = "did.twfe_weights"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EffectWeights:
    """The weights of cohort-by-wave effects in a two-way fixed effects coefficient.

    Attributes
    ----------
    frame : DataFrame
        One row a treated cohort and wave: cohort, wave, event_time, n (people seen), share (of the
        cell among treated observations: its weight in the average effect on the treated), weight
        (in the coefficient). Both sum to one.
    """

    frame: pd.DataFrame

    @property
    def n_negative(self) -> int:
        """Return how many weights are negative."""
        return int((self.frame["weight"] < 0).sum())

    @property
    def sum_negative(self) -> float:
        """Return the sum of the negative weights."""
        return float(self.frame["weight"].clip(upper=0).sum())

    def __repr__(self) -> str:
        return f"{self._head()}\n{self.frame.round(4).to_string(index=False)}"

    def _repr_html_(self) -> str:
        return f"<p>{self._head()}</p>{self.frame.round(4).to_html(index=False, border=0)}"

    def _head(self) -> str:
        return (
            f"TWFE weights: {self.n_negative} of {len(self.frame)} negative, "
            f"which sum to {self.sum_negative:.4f}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """Cells (C,) by first treated time, and in which of the waves (T,) each is seen."""

    start: FloatArray
    weight: FloatArray
    n: IntArray
    seen: BoolArray
    times: FloatArray
    waves: tuple[WaveLabel, ...]


def twfe_weights(panel: PanelProtocol, outcome: str | None = None) -> EffectWeights:
    """Return the weight of each treated cohort and wave in the coefficient of ``twfe``.

    Under parallel trends the coefficient is the sum of weight times effect. A negative weight lets
    it fall when that effect grows.

    Parameters
    ----------
    panel : Panel
        With Roles ``cohort`` or ``received``.
    outcome : str, optional
        Numeric column, missing where people were not observed. Left out: everybody counts as seen
        in every wave.

    Raises
    ------
    UsageError
        If treatment does not vary.
    NotEstimableError
        If missing waves leave no variation.

    References
    ----------
    de Chaisemartin and D'Haultfoeuille (2020), theorem 1, doi 10.1257/aer.20181169.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> from prakerja_eval.did.twfe_weights import twfe_weights
    >>> frame = pd.DataFrame({"id": list("aaabbb"), "t": [1, 2, 3] * 2,
    ...                       "g": [2] * 3 + [3] * 3, "income": [1, 2, 4, 1, 1, 2]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", wave="t", cohort="g"))
    >>> twfe_weights(panel).frame["weight"].round(9).tolist()
    [1.0, -0.5, 0.5]
    """
    known = _everybody(panel) if outcome is None else _seen(panel, outcome)
    treated = known.seen & (known.times >= known.start[:, None])
    residual = left_over(known.weight, known.seen, treated.astype(np.float64))
    each = known.weight[:, None] * residual * treated
    size = (known.weight[:, None] * treated).sum()
    if each.sum() <= ROUNDING * size:
        raise NotEstimableError(
            f"{ESTIMATOR}: in the observations that are not missing, treatment cannot be told "
            "apart from unit and wave effects: hardly anybody is seen both before and after."
        )
    rows = []
    for g in np.unique(known.start[treated.any(axis=1)]):
        for t in np.flatnonzero(treated[known.start == g].any(axis=0)):
            cell = treated[:, t] & (known.start == g)
            rows.append(
                {
                    "cohort": adoption_label(float(g), known.waves),
                    "wave": known.waves[t],
                    "event_time": float(known.times[t] - g),
                    "n": int(known.n[cell].sum()),
                    "share": known.weight[cell].sum() / size,
                    "weight": each[cell, t].sum() / each.sum(),
                }
            )
    return EffectWeights(pd.DataFrame(rows))


def _seen(panel: PanelProtocol, outcome: str) -> _Known:
    found = cohorts(panel, outcome, ESTIMATOR)
    cells = found.cells
    return _Known(found.start, cells.weight, cells.n, found.seen, found.times, found.waves)


def _everybody(panel: PanelProtocol) -> _Known:
    """Take everybody as seen in every wave."""
    arrays = panel.arrays(ArrayRequest(cohorts=True))
    known = adoption(arrays, panel.roles)
    used = (arrays.weight > 0) & ~np.isnan(known.start)
    start, code = np.unique(known.start[used], return_inverse=True)
    first_treated(start, known.times, known.waves, ESTIMATOR)
    weight = np.bincount(code, arrays.weight[used]).astype(np.float64)
    seen = np.ones((len(start), len(known.times)), dtype=bool)
    n = np.bincount(code).astype(np.int64)
    return _Known(start, weight, n, seen, known.times, known.waves)
