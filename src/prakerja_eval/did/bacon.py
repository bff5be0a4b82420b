"""Which comparisons, sound and unsound, make up the two-way fixed effects coefficient?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from prakerja_eval.did.kernel_bacon import Pairs, decompose
from prakerja_eval.did.twfe import Cohorts, coefficient, cohorts
from prakerja_eval.errors import UsageError
from prakerja_eval.panel import PanelProtocol
from prakerja_eval.typing import FloatArray, IntArray

COLUMNS = ("treated", "comparison", "kind", "weight", "estimate")
NEVER, ALWAYS = "never treated", "always treated"
AGAINST_NEVER = "treated against never treated"
AGAINST_ALWAYS = "treated against always treated"
EARLIER = "earlier against later"
LATER = "later against already treated"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Decomposition:
    """The two-by-two comparisons behind a two-way fixed effects coefficient.

    Attributes
    ----------
    outcome : str
    estimate : float
        The coefficient, sum of weight times estimate.
    frame : DataFrame
        One row a comparison: treated, comparison (cohorts), kind ("treated against never treated",
        "treated against always treated", "earlier against later", "later against already treated"),
        weight (they sum to one), estimate.
    """

    outcome: str
    estimate: float
    frame: pd.DataFrame

    def __repr__(self) -> str:
        table = self.frame.round(4).to_string(index=False)
        return f"{self._head()}\n{self.by_kind().round(4).to_string(index=False)}\n\n{table}"

    def _repr_html_(self) -> str:
        tables = (self.by_kind(), self.frame)
        return f"<p>{self._head()}</p>" + "".join(
            str(t.round(4).to_html(index=False, border=0)) for t in tables
        )

    def by_kind(self) -> pd.DataFrame:
        """Return the weight of each kind of comparison, and its weighted mean estimate."""
        parts = self.frame.assign(estimate=self.frame["weight"] * self.frame["estimate"])
        sums = parts.groupby("kind", sort=False)[["weight", "estimate"]].sum().reset_index()
        return sums.assign(estimate=sums["estimate"] / sums["weight"])

    def _head(self) -> str:
        return f"TWFE coefficient of {self.outcome}: {self.estimate:.6g}"


def bacon(panel: PanelProtocol, outcome: str) -> Decomposition:
    """Decompose the two-way fixed effects coefficient into two-by-two comparisons.

    Each is the change of a cohort less the change of another whose treatment does not change in
    these waves. Comparisons with cohorts already treated subtract the growth of their effects.

    Parameters
    ----------
    panel : Panel
        Balanced: everybody with the outcome in one wave has it in all. People without it in any
        wave count nowhere.
    outcome : str
        Numeric column.

    Raises
    ------
    UsageError
        If the panel is not balanced, or treatment does not vary.

    References
    ----------
    Goodman-Bacon (2021), doi 10.1016/j.jeconom.2021.03.014.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> from prakerja_eval.did.bacon import bacon
    >>> frame = pd.DataFrame({"id": list("aaabbbccc"), "t": [1, 2, 3] * 3,
    ...                       "g": [2] * 3 + [3] * 3 + [0] * 3,
    ...                       "income": [1, 2, 4, 1, 1, 2, 1, 1, 1]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", wave="t", cohort="g"))
    >>> round(bacon(panel, "income").estimate, 9)
    1.0
    """
    found = cohorts(panel, outcome, "did.bacon")
    _refuse_unbalanced(found, outcome)
    position = np.unique(found.first[found.seen.all(axis=1)])
    weight, mean = _groups(found, position)
    pairs = decompose(weight, position, mean)
    estimate = float(coefficient(found).theta[0])
    return Decomposition(outcome, estimate, _frame(found, position, pairs))


def _refuse_unbalanced(found: Cohorts, outcome: str) -> None:
    partly = found.seen.any(axis=1) & ~found.seen.all(axis=1)
    if partly.any():
        n = int(found.cells.n[partly].sum())
        raise UsageError(
            f"did.bacon: {n:,} people lack {outcome!r} in some waves, and the decomposition holds "
            "for a balanced panel alone. Keep the people seen in every wave (or waves in which all "
            "are seen); did.twfe_weights takes an unbalanced panel as it is."
        )


def _groups(found: Cohorts, position: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return weights (G,) and mean outcomes (G, T) of the people first treated at a position."""
    weight, mean = [], []
    for first in position:
        rows = np.flatnonzero((found.first == first) & found.seen.all(axis=1))
        share = found.cells.weight[rows] / found.cells.weight[rows].sum()
        base = found.cells.mean[rows[0]]
        weight.append(found.cells.weight[rows].sum())
        mean.append(base + share @ (found.cells.mean[rows] - base))
    return np.array(weight), np.array(mean)


def _frame(found: Cohorts, position: IntArray, pairs: Pairs) -> pd.DataFrame:
    n_waves = len(found.times)
    names = [_name(found, int(first)) for first in position]
    rows = [
        (names[a], names[b], _kind(int(position[a]), int(position[b]), n_waves))
        for a, b in zip(pairs.treated, pairs.comparison, strict=True)
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS[:3]), dtype=object)
    return frame.assign(weight=pairs.weight, estimate=pairs.estimate)


def _name(found: Cohorts, first: int) -> object:
    """Return how the people first treated at a position are called."""
    if first in (0, len(found.times)):
        return NEVER if first else ALWAYS
    names = found.labels(found.first == first)
    return names[0] if len(names) == 1 else ", ".join(map(str, names))


def _kind(treated: int, comparison: int, n_waves: int) -> str:
    if comparison == n_waves:
        return AGAINST_NEVER
    if comparison == 0:
        return AGAINST_ALWAYS
    return EARLIER if treated < comparison else LATER
