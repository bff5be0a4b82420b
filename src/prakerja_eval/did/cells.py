"""How do cohort-by-wave effects become an Estimate? One index for every estimator of cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from prakerja_eval.estimate import Clustered, Estimate
from prakerja_eval.estimate.estimate import COUNT_COLUMNS, INDEX_COLUMNS, REFERENCE, index_row
from prakerja_eval.panel import WaveLabel, adoption_label
from prakerja_eval.typing import BoolArray, FloatArray, StringArray

DEFAULT = Clustered("unit", correction="none")
ROUNDING = 1e-14
ONE_UNIT = "a group of one unit has no variance"


@dataclass(frozen=True, slots=True, eq=False)
class CellRows:
    """What an estimator found for K cells.

    Attributes
    ----------
    theta : (K,)
    psi : (n, K)
    sample : (n, K) bool
    status : list of K words
        "ok", "reference", or why there is no number.
    """

    theta: FloatArray
    psi: FloatArray
    sample: BoolArray
    status: Sequence[str]


def cell_labels(
    start: float, wave: WaveLabel, event_time: float, waves: Sequence[WaveLabel]
) -> dict[str, object]:
    """Return what tells a cell apart: population, cohort, wave and event time."""
    cohort = adoption_label(start, waves)
    return {
        "population": f"cohort {cohort}",
        "cohort": cohort,
        "wave": wave,
        "event_time": float(event_time),
        "weighting": "treated people",
    }


def treated_from(start: FloatArray, waves: Sequence[WaveLabel]) -> FloatArray | StringArray:
    """Return the cohort label of units by their start; NaN or None for never and unknown."""
    if all(isinstance(w, int | float) for w in waves):
        return np.where(np.isfinite(start), start, np.nan)
    labels = np.array([*waves, None], dtype=object)
    place = np.where(np.isfinite(start), start, len(waves))
    return np.asarray(labels[place.astype(np.int64)])


def cells_estimate(
    rows: CellRows,
    units: pd.DataFrame,
    labels: Sequence[Mapping[str, object]],
    counts: Sequence[Mapping[str, object]],
) -> Estimate:
    """Assemble the Estimate of K cells.

    Where a cell has no number, or a group of one unit, its psi is NaN; where all is rounding, 0.
    ``units`` has the column ``treated_from``.
    """
    theta = np.array(rows.theta, dtype=np.float64)
    for k, status in enumerate(rows.status):
        if status == REFERENCE:
            theta[k] = 0.0
            rows.psi[:, k] = np.nan
        elif (status != "ok" and np.isnan(theta[k])) or status == ONE_UNIT:
            rows.psi[:, k] = np.nan
    return Estimate(
        theta=theta,
        psi=rows.psi,
        sample=rows.sample,
        units=units,
        index=pd.DataFrame(
            [index_row(**row) for row in labels], columns=list(INDEX_COLUMNS), dtype=object
        ),
        counts=pd.DataFrame(
            [{**row, "status": s} for row, s in zip(counts, rows.status, strict=True)],
            columns=list(COUNT_COLUMNS),
        ),
        terms=((),) * len(theta),
        defaults=(DEFAULT,) * len(theta),
    )


def any_column(sample: BoolArray) -> BoolArray:
    """Say who takes part in any cell, a column at a time: rows are far apart in memory."""
    out = np.zeros(len(sample), dtype=bool)
    for column in sample.T:
        out |= column
    return out


def clear_rounding(psi: FloatArray, scale: float) -> None:
    """Put one cell's psi (n,) at zero where all of it is rounding of outcomes as large as scale.

    Paths that are alike for everyone would else have a standard error of 1e-17.
    """
    size = ROUNDING * scale
    if np.abs(psi[:4096]).max(initial=0.0) <= size and np.sqrt(psi @ psi) <= size:
        psi[:] = 0.0


def members(
    sample: BoolArray, units: pd.DataFrame, labels: Sequence[Mapping[str, object]]
) -> BoolArray:
    """Say who belongs to an analysis: who takes part in a cell, and all people of its cohorts.

    Cohort sizes count everybody of the cohort, also those who were not seen often enough for a
    cell; else cohorts with little time before treatment would weigh less for being seen less.
    """
    cohorts = {row["cohort"] for row in labels}
    theirs = units["treated_from"].isin(cohorts) & (units["weight"] > 0)
    return np.asarray(any_column(sample) | theirs.to_numpy(dtype=bool), dtype=bool)


def only_units(estimate: Estimate, keep: BoolArray) -> Estimate:
    """Keep the units that belong to the analysis."""
    if keep.all():
        return estimate
    return replace(
        estimate,
        psi=estimate.psi[keep],
        sample=estimate.sample[keep],
        units=estimate.units[keep],
    )
