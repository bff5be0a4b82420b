"""Which number stands for the outcome? Columns made from it, and those that are refused."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np

from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate.specs import one_of
from prakerja_eval.panel import ArrayRequest, Note, Panel, WaveLabel, outcome_waves
from prakerja_eval.panel.derived import numbers_of, with_column
from prakerja_eval.typing import FloatArray

Transform: TypeAlias = Literal["winsorised", "log", "log1p", "asinh"]
DEFINED = {"log1p": np.log1p, "asinh": np.arcsinh}
REFERENCE = "Chen and Roth 2024, doi 10.1093/qje/qjad054"
UNIT_DRIVEN = "depends on the unit of the outcome: no percent effect"


def transformed(
    panel: Panel,
    outcome: str,
    kind: Transform,
    *,
    quantile: float = 0.99,
    waves: Sequence[WaveLabel] | None = None,
    force: bool = False,
) -> Panel:
    """Return the panel with one more column, named like "winsorised(income)".

    Any estimator takes the new column as its outcome.

    Parameters
    ----------
    panel : Panel
    outcome : str
        Numeric column.
    kind : {"winsorised", "log", "log1p", "asinh"}
        "winsorised" is min(y, c), with c the quantile of all observed values, both arms and all
        blocks and ``waves`` together; "log" needs values above zero. "log1p" and "asinh" are
        refused unless forced: with zeros, an effect on them depends on the unit of the outcome.
        Paid in thousands of rupiah instead of rupiah, it is another number, of any size.
    quantile : float
        Of "winsorised"; fixed before anyone looks at effects.
    waves : sequence, optional
        Waves whose values make c; left out, those after the baseline.
    force : bool
        Make a refused column all the same. Every row of the lottery wing about it then says in
        ``status`` that it depends on the unit.

    Returns
    -------
    Panel
        With a note that says what was done.

    Raises
    ------
    NotEstimableError
        For "log1p" and "asinh", and for "log" where values are not above zero, unless forced.
    UsageError
        For a column that is not there or holds words.

    References
    ----------
    Chen and Roth (2024), doi 10.1093/qje/qjad054.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcd"), "won": [1, 1, 0, 0], "income": [0, 9, 1, 2.0]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", offer="won"))
    >>> capped = pe.lottery.transformed(panel, "income", "winsorised", quantile=0.75)
    >>> capped.frame["winsorised(income)"].tolist()
    [0.0, 2.0, 1.0, 2.0]
    """
    one_of(kind, Transform, "lottery.transformed(kind)")
    y = numbers_of(panel, outcome)
    name = f"{kind}({outcome})"
    if kind == "winsorised":
        cut = _cut(panel, outcome, quantile, waves)
        note = f"{outcome} above {cut:g} (its quantile {quantile:g}) is set to {cut:g}"
        return with_column(panel, name, np.minimum(y, cut), Note("winsorised", note, (outcome,)))
    zeros, below = int(np.sum(y == 0)), int(np.sum(y < 0))
    if not force:
        _refuse(kind, outcome, zeros, below)
    if kind == "log":
        values = np.log(np.where(y > 0, y, np.nan))
        note = f"log of {outcome}; {zeros + below} values not above zero are missing"
    else:
        if kind == "log1p" and below:
            raise NotEstimableError(f"log(1 + y) of {outcome!r}: {below} values are negative.")
        values, note = DEFINED[kind](y), f"{kind} of {outcome}, forced; {UNIT_DRIVEN} ({REFERENCE})"
    return with_column(panel, name, values, Note("transformed", note, (outcome,)))


def net_of_transfers(panel: Panel, outcome: str, transfers: str) -> Panel:
    """Return the panel with the outcome less the programme's own cash, "income net of cash".

    Parameters
    ----------
    panel : Panel
    outcome : str
        An amount that contains what the programme paid in the same period.
    transfers : str
        Column with what the programme paid the person in that period, 0 where nothing.

    Returns
    -------
    Panel
        With the column ``f"{outcome} net of {transfers}"``.

    Raises
    ------
    NotEstimableError
        If the payment is not known where the outcome is, or exceeds it: the outcome can then not
        contain it.
    """
    y, paid = numbers_of(panel, outcome), numbers_of(panel, transfers)
    unknown = int(np.sum(np.isfinite(y) & ~np.isfinite(paid)))
    if unknown:
        raise NotEstimableError(
            f"{transfers!r} is missing in {unknown} rows with a value of {outcome!r}: fill it in "
            "from the programme's records, 0 for those who were paid nothing."
        )
    more = int(np.sum(paid > y))
    if more:
        raise NotEstimableError(
            f"{transfers!r} is larger than {outcome!r} in {more} rows, so {outcome!r} does not "
            "contain it there: it is net already, or counts another period."
        )
    note = Note("net", f"{outcome} less the programme's own cash in {transfers}", (outcome,))
    return with_column(panel, f"{outcome} net of {transfers}", y - paid, note)


def status_of(outcome: str) -> str:
    """Return the status of rows about an outcome: "ok", or that it depends on the unit."""
    return UNIT_DRIVEN if outcome.startswith(tuple(f"{name}(" for name in DEFINED)) else "ok"


def pooled_quantile(y: FloatArray, w: FloatArray, quantile: float) -> float:
    """Return the smallest value of y (n,) up to which lies a share ``quantile`` of w (n,).

    Raises
    ------
    UsageError
        For a quantile outside (0, 1].
    """
    if not 0 < quantile <= 1:
        raise UsageError(f"quantile is {quantile}; it must lie above 0 and at most 1, 0.99 say.")
    return float(np.quantile(y, quantile, weights=w, method="inverted_cdf"))


def _cut(panel: Panel, outcome: str, quantile: float, waves: Sequence[WaveLabel] | None) -> float:
    """Return the quantile of everybody in the lottery over some waves."""
    arrays = panel.arrays(ArrayRequest(outcome, needs=("offer",)))
    y = arrays.outcome[:, outcome_waves(arrays, panel.roles, waves)]
    w = np.where(np.isfinite(arrays.offer), arrays.weight, 0.0)[:, None] * np.isfinite(y)
    if not (w > 0).any():
        raise NotEstimableError(f"nobody has a value of {outcome!r} in these waves.")
    return pooled_quantile(y[w > 0], w[w > 0], quantile)


def _refuse(kind: str, outcome: str, zeros: int, below: int) -> None:
    """Refuse logarithms of zeros, and what stands in for them."""
    if kind == "log":
        if zeros + below:
            raise NotEstimableError(
                f"log of {outcome!r}: {zeros} values are zero and {below} negative. Without them "
                "the two arms are no longer alike (who has any is an outcome). Use lottery.zeros: "
                "levels, percent of the comparison mean, Poisson, both margins."
            )
        return
    raise NotEstimableError(
        f"{kind}({outcome}) is refused. {zeros} values are zero, and moving one from zero to any "
        "amount counts for as much as the unit of the outcome makes it: the answer can be made as "
        f"large as one likes by counting in smaller units ({REFERENCE}). Use lottery.zeros: "
        "levels, percent of the comparison mean, Poisson, both margins"
        + (", or kind='log', since no value is zero" if not zeros + below else "")
        + ". force=True makes the column, flagged."
    )
