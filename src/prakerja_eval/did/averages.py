"""How do cells average with estimated cohort sizes as weights? The arithmetic of aggregations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

from prakerja_eval.did.cells import DEFAULT
from prakerja_eval.estimate import Estimate
from prakerja_eval.estimate.estimate import COUNT_COLUMNS, INDEX_COLUMNS, REFERENCE, index_row
from prakerja_eval.typing import BoolArray, FloatArray, IntArray, StringArray

AGREED = ("estimator", "outcome", "cohort", "wave", "event_time", "subgroup", "specification")


@dataclass(frozen=True, slots=True, eq=False)
class Sizes:
    """The cohorts' shares among the people of an Estimate of cells, whether or not seen in a cell.

    Attributes
    ----------
    code : (n,) int
        Cohort of each unit, -1 for the never treated and for units of another subgroup.
    of_row : (K,) int
        Cohort of each cell.
    size : (K,)
        Weight of each cell's cohort.
    weight : (n,)
    """

    code: IntArray
    of_row: IntArray
    size: FloatArray
    weight: FloatArray


def sizes(cells: Estimate) -> Sizes:
    """Weigh the cohorts of cells by their units."""
    code, labels = pd.factorize(cells.units["treated_from"])
    weight = cells.units["weight"].to_numpy(dtype=np.float64)
    code = np.where(_counted(cells), code, -1)
    place = {label: i for i, label in enumerate(labels)}
    of_row = np.array([place.get(c, -1) for c in cells.index["cohort"]], dtype=np.int64)
    total = np.bincount(code + 1, weight, minlength=len(labels) + 1)[1:]
    size = np.where(of_row < 0, 0.0, np.append(total, 0.0)[of_row])
    return Sizes(code.astype(np.int64), of_row, size, weight)


def _counted(cells: Estimate) -> BoolArray:
    """Say whose cohort counts: everybody, or in a subgroup its own people."""
    subgroup = cells.index["subgroup"].iloc[0]
    if subgroup is None or "subgroup" not in cells.units.columns:
        return np.ones(len(cells.units), dtype=bool)
    return np.asarray(cells.units["subgroup"] == subgroup, dtype=bool)


def averages(
    cells: Estimate,
    picked: FloatArray,
    labels: Sequence[Mapping[str, object]],
    *,
    drawn: bool,
) -> Estimate:
    """Return Σ_k a_kr s_k θ_k / Σ_k a_kr s_k for each column r of ``picked``.

    Parameters
    ----------
    cells : Estimate
        K cells.
    picked : (K, R) array
        a, zero for cells outside an average.
    labels : sequence of R mappings
        Index columns beside those on which all cells of an average agree.
    drawn : bool
        Whether the sizes s have influence.
    """
    known = sizes(cells)
    columns = {c: cells.index[c].to_numpy() for c in AGREED}
    shape = len(cells.units), len(labels)
    theta, psi = np.zeros(len(labels)), np.zeros(shape, order="F")
    sample = np.zeros(shape, dtype=bool, order="F")
    index, counts = [], []
    for r, row in enumerate(labels):
        rows = np.flatnonzero(picked[:, r])
        gone = bool(np.isnan(cells.theta[rows]).any())
        omega = picked[:, r] * known.size
        total = float(omega.sum())
        omega = omega / total if total > 0 else np.where(picked[:, r] != 0, np.nan, 0.0)
        theta[r] = np.nan if gone else omega @ _used(cells.theta, omega)
        _average(cells, rows, omega, (psi[:, r], sample[:, r]))
        counts.append(_counts(cells, rows, omega, sample[:, r], known))
        if gone or not total > 0:
            psi[:, r] = np.nan
        elif drawn:
            moved = picked[rows, r] * np.nan_to_num(cells.theta[rows] - theta[r]) / total
            _draw(known, rows, moved, (psi[:, r], sample[:, r]))
        index.append(_labels(columns, rows, row))
    return Estimate(
        theta=theta,
        psi=psi,
        sample=sample,
        units=cells.units,
        index=pd.DataFrame(index, columns=list(INDEX_COLUMNS), dtype=object),
        counts=pd.DataFrame(counts, columns=list(COUNT_COLUMNS)),
        terms=((),) * len(labels),
        defaults=(DEFAULT,) * len(labels),
        differing=cells.differing,
    )


Columns: TypeAlias = tuple[FloatArray, BoolArray]


def _average(cells: Estimate, rows: IntArray, omega: FloatArray, into: Columns) -> None:
    """Write the influence of cells at fixed weights, and who takes part."""
    psi, sample = into
    reference = (cells.counts["status"].iloc[rows] == REFERENCE).to_numpy()
    for k, normalised in zip(rows, reference, strict=True):
        sample |= cells.sample[:, k]
        if not normalised:
            psi += omega[k] * cells.psi[:, k]
    if reference.all():
        psi[:] = np.nan


def _draw(known: Sizes, rows: IntArray, moved: FloatArray, into: Columns) -> None:
    """Add the influence of the cohorts' sizes: whoever moves a share takes part."""
    psi, sample = into
    slope = np.bincount(known.of_row[rows], moved, minlength=int(known.code.max()) + 1)
    psi += np.append(slope, 0.0)[known.code] * known.weight
    sample |= np.append(slope != 0, False)[known.code]


def _used(theta: FloatArray, omega: FloatArray) -> FloatArray:
    """Put zero where the weight is zero, so that NaN elsewhere does not spoil an average."""
    return np.where(omega != 0, theta, 0.0)


def _counts(
    cells: Estimate, rows: IntArray, omega: FloatArray, sample: BoolArray, known: Sizes
) -> dict[str, object]:
    """Count who stands behind an average; the counterfactual mean is averaged as the effects."""
    cohorts = np.unique(known.of_row[rows])
    comparison = cells.counts["n_comparison"].iloc[rows]
    means = cells.counts["comparison_mean"].to_numpy(dtype=np.float64)
    return {
        "n": int(sample.sum()),
        "n_treated": int((np.isin(known.code, cohorts) & sample).sum()),
        "n_comparison": comparison.iloc[0] if comparison.nunique(dropna=False) == 1 else None,
        "comparison_mean": float(omega @ _used(means, omega)),
        "status": _status(cells, rows),
    }


def _status(cells: Estimate, rows: IntArray) -> str:
    """Name the first cell that has no number, or something to be said of."""
    status = cells.counts["status"].to_numpy()
    if (status[rows] == REFERENCE).all():
        return REFERENCE
    told = [k for k in rows if status[k] not in ("ok", REFERENCE)]
    told.sort(key=lambda k: not np.isnan(cells.theta[k]))
    if not told:
        return "ok"
    row = cells.index.iloc[told[0]]
    return f"cohort {row['cohort']}, wave {row['wave']}: {status[told[0]]}"


def _labels(
    columns: Mapping[str, StringArray], rows: IntArray, labels: Mapping[str, object]
) -> dict[str, object]:
    """Return the index row of an average: labels on which its cells agree, and its own."""
    agreed = {c: v[rows[0]] for c, v in columns.items() if len(set(map(str, v[rows]))) == 1}
    base = {"estimand": "ATT", "population": "treated people", "weighting": "treated people"}
    return index_row(**(agreed | base | dict(labels)))
