"""Does the offer do the same for everyone? Effects by group, and the test that they are equal."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd

from prakerja_eval.errors import DataError, NotEstimableError, UsageError
from prakerja_eval.estimate import Estimate, Inference, WaldTest, join, rename, wald
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.itt import itt
from prakerja_eval.lottery.roster import refuse_no_panel
from prakerja_eval.panel import Panel, WaveLabel
from prakerja_eval.panel.values import plain_text

Verb: TypeAlias = Callable[..., Estimate]


def subgroups(
    panel: Panel,
    outcome: str | Sequence[str],
    by: str,
    design: Design | None = None,
    *,
    verb: Verb = itt,
    waves: Sequence[WaveLabel] | None = None,
) -> Estimate:
    """Estimate the effect in each group of a baseline column, winners against losers of the group.

    Parameters
    ----------
    panel : Panel
    outcome : str or sequence of str
    by : str
        Column whose values are the groups: known for all before the lottery, constant within a
        person. A group that the offer can move people into has no effect of its own.
    design : Design, optional
        The same for all groups. Blocks of a group may lose an arm: ``empty_arms="drop"``.
    verb : function, optional
        ``itt``, ``late`` or ``zeros``: (panel, outcome, design, waves=...) -> Estimate.
    waves : sequence, optional
        Left out: every wave after the baseline.

    Returns
    -------
    Estimate
        The rows of all groups, told apart by ``subgroup``; ``same_effect`` and
        ``pe.test_equal(..., by="subgroup")`` test whether they differ. One group with p < .05 and
        another without is no such test.

    Raises
    ------
    UsageError
        If the column varies within people, is missing for some (at the baseline, where Roles names
        it), or has one value.
    DataError, NotEstimableError
        If a group has no answer; the group is named.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdefgh"), "won": [1, 1, 0, 0] * 2,
    ...                       "female": [1] * 4 + [0] * 4, "income": [5, 6, 1, 2.0, 3, 3, 2, 2]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", offer="won"))
    >>> pe.lottery.subgroups(panel, "income", "female").theta.tolist()
    [1.0, 4.0]
    """
    refuse_no_panel(panel)
    if not isinstance(by, str):
        raise UsageError(f"by is the name of one column, not {by!r}.")
    if not callable(verb):
        raise UsageError(f"verb is a function such as pe.lottery.late, not {verb!r}.")
    groups = _groups(panel, by)
    parts = []
    for value in groups:
        label = f"{by} = {plain_text(value)}"
        try:
            found = verb(panel.where(**{by: value}), outcome, design, waves=waves)
        except (UsageError, DataError, NotEstimableError) as error:
            kinds = (UsageError, DataError, NotEstimableError)
            kind = next(k for k in kinds if isinstance(error, k))
            raise kind(f"in the group {label}: {error}") from error
        parts.append(rename(found, subgroup=label))
    return join(*parts)


def _groups(panel: Panel, by: str) -> list[object]:
    """Return the values of a column that is known before the lottery and stays."""
    values = panel.wide(by)
    codes, known = pd.factorize(values.to_numpy().ravel())  # -1 where missing
    code = np.where(codes < 0, np.nan, codes).reshape(values.shape)
    varying = int((np.fmax.reduce(code, axis=1) > np.fmin.reduce(code, axis=1)).sum())
    if varying:
        raise UsageError(
            f"{by!r} varies over waves for {varying} unit(s), so it makes no groups of people; "
            "use its value before the lottery, as a column of its own."
        )
    baseline = panel.roles.baseline
    before = values if baseline is None else values[[baseline]]
    lost = int((~before.notna().any(axis=1)).sum())
    if lost:
        when = "" if baseline is None else f" at the baseline {baseline!r}"
        raise UsageError(
            f"{lost} unit(s) have no value in {by!r}{when}: groups are those of the baseline, and "
            f"everyone has one. Keep the groups that you want first: panel.where({by}=[...])."
        )
    found = sorted(known, key=lambda v: (str(type(v)), v))
    if len(found) < 2:
        raise UsageError(
            f"{by!r} has one value, {plain_text(found[0])}: there are no groups to compare."
        )
    return found


def same_effect(estimate: Estimate, inference: Inference | None = None) -> WaldTest:
    """Test that the effect is the same in every subgroup, for all outcomes and waves at once.

    Parameters
    ----------
    estimate : Estimate
        From ``subgroups``: rows that are alike but for ``subgroup`` are compared.
    inference : Inference, optional
        Left out, each row's default.

    Returns
    -------
    WaldTest
        Printed with its null. With one outcome and wave, that of ``pe.test_equal``.

    Raises
    ------
    UsageError
        If the rows are not those of subgroups, or the groups differ in more: an effect on the
        treated in one (no loser was trained) and on compliers in another, say.
    NotEstimableError
        If a row has no standard error.
    """
    index = estimate.index
    groups = list(dict.fromkeys(index["subgroup"]))
    if len(groups) < 2 or None in groups:
        raise UsageError("same_effect compares the rows of lottery.subgroups; here are none.")
    alike = [c for c in index.columns if c not in ("subgroup", "specification")]
    codes = index[alike].map(str).groupby(alike, sort=False).ngroup().to_numpy()
    restrictions = []
    for code in np.unique(codes):
        *firsts, last = np.flatnonzero(codes == code)
        if sorted(index["subgroup"].iloc[[*firsts, last]]) != sorted(groups):
            raise UsageError(f"same_effect compares like with like: {_unlike(index, alike)}.")
        for first in firsts:
            restrictions.append(np.zeros(len(estimate)))
            restrictions[-1][[first, last]] = 1.0, -1.0
    null = f"the effect on {_listed(index['outcome'])} is the same in {_listed(index['subgroup'])}"
    return wald(estimate, inference, restrictions=np.array(restrictions), null=null)


def _unlike(index: pd.DataFrame, columns: list[str]) -> str:
    """Name the first column in which the groups have other rows."""
    for column in columns:
        rows = index.groupby("subgroup", sort=False)[column].agg(lambda v: sorted(map(str, v)))
        if any(values != rows.iloc[0] for values in rows):
            shown = "; ".join(f"{g}: {', '.join(dict.fromkeys(v))}" for g, v in rows.items())
            return f"the groups differ in {column} ({shown})"
    return "a group has several rows with the same labels"


def _listed(values: pd.Series) -> str:
    """Name the distinct values, "a, b and c"."""
    names = list(dict.fromkeys(map(str, values)))
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
