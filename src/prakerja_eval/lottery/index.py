"""What did the offer do to a family of outcomes at once? One index, its weights shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate import Estimate, join
from prakerja_eval.estimate.specs import instance_of, one_of
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.itt import lottery_row, specification
from prakerja_eval.lottery.regression import difference, prepared
from prakerja_eval.lottery.roster import Roster, rosters
from prakerja_eval.lottery.sample import Sample, sample_of
from prakerja_eval.numerics.index_weights import (
    Index,
    equal_weights_index,
    equal_weights_influence,
    inverse_covariance_index,
    inverse_covariance_influence,
)
from prakerja_eval.panel import PanelProtocol, WaveLabel
from prakerja_eval.typing import FloatArray

Kind: TypeAlias = Literal["anderson", "kling_liebman_katz"]
Signs: TypeAlias = Sequence[int] | Mapping[str, int]

EVERYONE = "everyone in the lottery"
SAID = {
    "anderson": "inverse-covariance weights (Anderson 2008)",
    "kling_liebman_katz": "equal weights (Kling, Liebman and Katz 2007)",
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SummaryIndex:
    """The effect of the offer on an index of several outcomes.

    Attributes
    ----------
    estimate : Estimate
        One row a wave: the ITT on the index, in standard deviations of the comparison group.
    weights : DataFrame
        A row a wave and outcome: wave, outcome, sign, weight (they sum to one in a wave),
        comparison_mean and comparison_sd (in the outcome's unit), n, n_comparison, and negative,
        which marks weights below zero.
    """

    estimate: Estimate
    weights: pd.DataFrame

    @property
    def frame(self) -> pd.DataFrame:
        """Return the tidy frame of the estimate under its default inference."""
        return self.estimate.tidy()

    def __repr__(self) -> str:
        shown = self.weights.to_string(index=False, float_format=lambda x: f"{x:.4g}")
        return f"{self.estimate!r}\n\nweights\n{shown}"


def summary_index(
    panel: PanelProtocol,
    outcomes: Sequence[str],
    design: Design | None = None,
    *,
    kind: Kind = "anderson",
    signs: Signs | None = None,
    waves: Sequence[WaveLabel] | None = None,
    name: str = "summary index",
) -> SummaryIndex:
    """Estimate the effect of the offer on an index of several outcomes.

    Each outcome is turned so that larger is better, less its comparison mean and over its
    comparison standard deviation: z_ik. The index of person i is Σ_k v_k z_ik / Σ_k v_k.

    Parameters
    ----------
    panel : Panel
        With Roles ``offer``, and ``blocks`` where odds differed.
    outcomes : sequence of str
        Two numeric columns or more.
    design : Design, optional
        As in ``itt``.
    kind : {"anderson", "kling_liebman_katz"}
        "anderson": v = R⁻¹1, with R the covariance of the z of both arms, each pair over those who
        have both; a person's sums run over the outcomes that the person has. "kling_liebman_katz":
        v = 1; a missing outcome of a person who has another one is filled with the mean of the
        own arm (of the own block).
    signs : sequence or mapping of str to int, optional
        1 where larger is better, -1 where smaller is, in the order of ``outcomes`` or by name (1
        for those left out). Left out: larger is better for all.
    waves : sequence, optional
        Left out: every wave after the baseline; each has an index of its own.
    name : str
        What the rows call the index.

    Returns
    -------
    SummaryIndex
        Means, standard deviations, covariances and filled values are estimated and have influence:
        the standard error is not that of a regression on a given index.

    Raises
    ------
    UsageError
        For fewer than two outcomes, one named twice, or signs that are not 1 and -1.
    NotEstimableError
        If an outcome does not vary among the losers, one is a combination of the others, or weights
        below zero leave people without an index.

    References
    ----------
    Anderson (2008), doi 10.1198/016214508000000841.
    Kling, Liebman and Katz (2007), doi 10.1111/j.1468-0262.2007.00733.x.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdefgh"), "won": [1] * 4 + [0] * 4,
    ...                       "hours": [9, 4, 6, 5.0, 0, 8, 3, 5],
    ...                       "idle": [1, 0, 0, 0, 1, 0, 0, 1]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", offer="won"))
    >>> index = pe.lottery.summary_index(panel, ("hours", "idle"), signs={"idle": -1})
    >>> index.weights["weight"].round(3).tolist()
    [0.536, 0.464]
    """
    design = Design() if design is None else design
    instance_of(design, Design, "design")
    one_of(kind, Kind, "lottery.summary_index(kind)")
    names = _distinct(outcomes)
    turned = _signs(names, signs)
    found = list(rosters(panel, names, design, waves))
    rows, weights = [], []
    for wave in found[0].chosen:
        Y = np.column_stack([each.y[:, wave] for each in found]) * turned
        sample, Y = _sample(found[0], Y, wave, design, name)
        index = _index(Y, sample, kind, names)
        rows.append(_row(Y, sample, index, design, kind))
        weights.append(_weights(Y, sample, index, names, turned))
    return SummaryIndex(join(*rows), pd.concat(weights, ignore_index=True))


def _distinct(outcomes: Sequence[str]) -> tuple[str, ...]:
    """Return two or more outcomes, or refuse."""
    names = (outcomes,) if isinstance(outcomes, str) else tuple(outcomes)
    if len(names) < 2:
        raise UsageError("lottery.summary_index needs two outcomes or more; itt takes one.")
    if len(set(names)) < len(names):
        raise UsageError(f"lottery.summary_index names an outcome twice: {', '.join(names)}.")
    return names


def _signs(names: tuple[str, ...], signs: Signs | None) -> FloatArray:
    """Return the sign of each outcome, (K,)."""
    if signs is None:
        return np.ones(len(names))
    if isinstance(signs, Mapping):
        unknown = [s for s in signs if s not in names]
        if unknown:
            raise UsageError(f"signs name {unknown[0]!r}, which is none of {', '.join(names)}.")
        signs = [signs.get(name, 1) for name in names]
    if len(signs) != len(names) or any(s not in (1, -1) for s in signs):
        raise UsageError(
            f"signs must be 1 (larger is better) or -1 for each of {len(names)} outcomes."
        )
    return np.asarray(signs, dtype=np.float64)


def _sample(
    found: Roster, Y: FloatArray, wave: int, design: Design, name: str
) -> tuple[Sample, FloatArray]:
    """Return the people with one outcome or more, and their outcomes."""
    y = np.full_like(found.y, np.nan)
    some = np.isfinite(Y).any(axis=1)
    y[some, wave] = np.flatnonzero(some)  # the row of each person, read back below
    sample = sample_of(replace(found, y=y, outcome=name), (wave,), design)
    return sample, Y[sample.y.astype(np.int64)]


def _cells(sample: Sample) -> tuple[np.ndarray, int]:
    return 2 * sample.block + sample.arm.astype(np.int64), 2 * int(sample.block.max()) + 2


def _index(Y: FloatArray, sample: Sample, kind: Kind, names: tuple[str, ...]) -> Index:
    """Build the index; refusals name the outcomes in place of columns."""
    try:
        if kind == "anderson":
            return inverse_covariance_index(Y, sample.arm, sample.weight)
        return equal_weights_index(Y, sample.arm, sample.weight, *_cells(sample))
    except NotEstimableError as error:
        listed = ", ".join(f"{k} = {name}" for k, name in enumerate(names))
        raise NotEstimableError(
            f"no index{sample.at_wave}: {error} (columns: {listed})."
        ) from error


def _row(Y: FloatArray, sample: Sample, index: Index, asked: Design, kind: Kind) -> Estimate:
    """Estimate the ITT on the index, with the influence of what the index is made of."""
    ready, design = prepared(sample, asked, index.value)
    answer = difference(index.value, ready, design)
    fit = answer.term.fit
    a = fit.project(answer.term.contrast) * fit.weights  # theta = sum_i a_i index_i
    if kind == "anderson":
        beyond = inverse_covariance_influence(a, Y, sample.weight, index)
    else:
        beyond = equal_weights_influence(a, Y, sample.weight, index, *_cells(sample))
    row = lottery_row(
        ready,
        asked,
        replace(answer, psi=answer.psi + beyond),
        {
            "estimator": "lottery.summary_index",
            "estimand": "ITT on the index",
            "population": "winners" if design.block_weights == "treated" else EVERYONE,
            "specification": f"{SAID[kind]}; {specification(asked, ready)}",
        },
        sample.arm,
    )
    below = int((index.weights < 0).sum())
    if not below:
        return row
    said = f"{below} outcome(s) with a weight below zero: doing better there lowers the index"
    return replace(row, counts=row.counts.assign(status=said))


def _weights(
    Y: FloatArray, sample: Sample, index: Index, names: tuple[str, ...], signs: FloatArray
) -> pd.DataFrame:
    """Show what the index is made of."""
    seen = np.isfinite(Y)
    return pd.DataFrame(
        {
            "wave": sample.wave,
            "outcome": names,
            "sign": signs.astype(int),
            "weight": index.weights,
            "comparison_mean": signs * index.scale.mean,
            "comparison_sd": index.scale.sd,
            "n": seen.sum(axis=0),
            "n_comparison": seen[sample.arm == 0].sum(axis=0),
            "negative": index.weights < 0,
        }
    )
