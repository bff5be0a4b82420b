"""Which truth answers a row of an Estimate? Labels of truths, and the rule that joins them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from prakerja_eval.estimate.estimate import INDEX_COLUMNS
from prakerja_eval.typing import FloatArray

COLUMNS = (*INDEX_COLUMNS, "truth", "mc_se", "kind")
OWN = (
    "estimand",
    "population",
    "outcome",
    "cohort",
    "wave",
    "event_time",
    "subgroup",
    "weighting",
)
TREATED: dict[str, object] = {
    "estimand": "ATT",
    "population": "treated people",
    "weighting": "treated people",
}
ON_COHORTS = ("ATT", "pre-trend")
COUNTERPART = "treated people with a counterpart"

Axes = Sequence[tuple[str, Sequence[object]]]


class Block(NamedTuple):
    """Truths on a grid: an array of values with an index column an axis, and what all share.

    Attributes
    ----------
    values : array
        NaN where there is no truth.
    axes : sequence of (column, labels)
        One an axis of ``values``.
    labels : dict
        Index columns that do not vary.
    mc_se : array or float
    """

    values: FloatArray
    axes: Axes
    labels: Mapping[str, object]
    mc_se: FloatArray | float = 0.0


def frame_of(blocks: Sequence[Block], kind: str) -> pd.DataFrame:
    """Return blocks as rows, those without a value left out."""
    parts = [_rows(block) for block in blocks]
    columns = {c: np.concatenate([p[c] for p in parts]) for c in COLUMNS[:-1]}
    labels = {c: pd.Series(columns[c], dtype=object) for c in INDEX_COLUMNS}
    numbers = {c: columns[c].astype(np.float64) for c in ("truth", "mc_se")}
    return pd.DataFrame({**labels, **numbers, "kind": kind}, columns=list(COLUMNS))


def _rows(block: Block) -> dict[str, Any]:
    """Return the columns of a block."""
    values = np.asarray(block.values, dtype=np.float64)
    place = np.nonzero(np.isfinite(values))
    n = len(place[0])
    out: dict[str, Any] = {}
    for column in INDEX_COLUMNS:
        out[column] = np.full(n, block.labels.get(column), dtype=object)
    for (column, labels), at in zip(block.axes, place, strict=True):
        names = np.empty(len(labels), dtype=object)
        names[:] = list(labels)
        out[column] = names[at]
    out["truth"] = values[place]
    out["mc_se"] = np.broadcast_to(block.mc_se, values.shape)[place]
    return out


def cell_block(
    values: FloatArray,
    waves: Sequence[str],
    names: Sequence[str],
    labels: Mapping[str, object],
    mc_se: FloatArray | None = None,
    before: str = "pre-trend",
) -> list[Block]:
    """Return cohort-by-wave values (cohort, wave, ..., outcome) as one block a cell.

    The middle axis, if there is one, is that of subgroups, named by ``labels["subgroup"]``;
    ``before`` is the estimand of cells before the start.
    """
    fixed = {k: v for k, v in labels.items() if k != "subgroup"}
    groups = [("subgroup", labels["subgroup"])] if "subgroup" in labels else []
    blocks = []
    for g in range(1, len(waves)):
        for t in range(len(waves)):
            cell = {
                "estimand": "ATT" if t >= g else before,
                "population": f"cohort {waves[g]}",
                "cohort": waves[g],
                "wave": waves[t],
                "event_time": float(t - g),
                "weighting": "treated people",
            }
            error = 0.0 if mc_se is None else mc_se[g, t]
            axes: Any = [*groups, ("outcome", names)]
            blocks.append(Block(values[g, t], axes, cell | fixed, error))
    return blocks


def key_of(row: Mapping[str, object], waves: Sequence[str]) -> tuple[object, ...]:
    """Return what a row is joined by.

    Averages that turn out to be of one cohort are labelled by it (``did.aggregation`` keeps labels
    on which cells agree), so that a row with a cohort is that cohort's whatever it is called, and
    a wave with an event time is a cohort's.
    """
    found = {c: plain(row.get(c)) for c in OWN}
    if found["estimand"] == "first stage":
        found["outcome"] = "received"
    if found["estimand"] in ON_COHORTS:
        found = _by_cohort(found, waves)
    return tuple(found[c] for c in OWN)


def _by_cohort(found: dict[str, object], waves: Sequence[str]) -> dict[str, object]:
    """Say the cohort of a wave with an event time; rows of cohorts are known by their wave."""
    time, wave = found["event_time"], found["wave"]
    if found["cohort"] is None and isinstance(time, float) and wave in waves:
        g = waves.index(str(wave)) - int(time)
        if not 0 <= g < len(waves):
            return found
        found = found | {"cohort": waves[g]}
    if found["cohort"] is None:
        return found
    own: dict[str, object] = {"population": f"cohort {found['cohort']}"}
    return found | own | ({} if wave is None else {"event_time": None})


def plain(value: object) -> object:
    """Return a label as itself, None for what is missing, numbers as floats."""
    if value is None or isinstance(value, str) or value is pd.NA:
        return None if value is pd.NA else value
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and np.isnan(value):
        return None
    return float(value) if isinstance(value, int | float) else value
