"""What did the offer do? Winners against losers within the blocks of the lottery."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from prakerja_eval.estimate import Clustered, Estimate, Inference, Robust, estimate_row, join
from prakerja_eval.estimate.specs import instance_of
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.regression import Difference, difference, prepared
from prakerja_eval.lottery.sample import Sample, samples
from prakerja_eval.lottery.transform import status_of
from prakerja_eval.panel import PanelProtocol, WaveLabel
from prakerja_eval.typing import FloatArray


def itt(
    panel: PanelProtocol,
    outcome: str | Sequence[str],
    design: Design | None = None,
    *,
    waves: Sequence[WaveLabel] | None = None,
    pooled: bool = False,
) -> Estimate:
    """Estimate the intention-to-treat effect of the offer.

    The estimand is Σ_b s_b (E[Y | won, b] − E[Y | lost, b]), with shares s_b by the design: the
    people per block, the winners per block, or those of a regression with block fixed effects.

    Parameters
    ----------
    panel : Panel
        With Roles ``offer``, and ``blocks`` where odds differed.
    outcome : str or sequence of str
        Numeric columns.
    design : Design, optional
        Left out: blocks weighted by their people, no covariates.
    waves : sequence, optional
        Left out: every wave after the baseline.
    pooled : bool
        One estimate over the waves (a block for each block and wave, rows weighted alike) instead
        of one a wave; standard errors are then clustered by unit.

    Returns
    -------
    Estimate
        One row an outcome and wave; HC2 by default, which for cell means is Neyman's variance.

    Raises
    ------
    DataError
        If the panel has a fault.
    NotEstimableError
        If attrition leaves a block without an arm, or the covariates are collinear.

    References
    ----------
    Imbens and Rubin (2015), ch. 9. Lin (2013), doi 10.1214/12-AOAS583.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdef"), "won": [1, 1, 1, 0, 0, 0],
    ...                       "income": [3.0, 4.0, 5.0, 1.0, 2.0, 3.0]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", offer="won"))
    >>> float(pe.lottery.itt(panel, "income").theta[0])
    2.0
    """
    design = Design() if design is None else design
    instance_of(design, Design, "design")
    found = samples(panel, outcome, design, waves, pooled)
    return join(*[_row(sample, design) for sample in found])


def _row(sample: Sample, asked: Design) -> Estimate:
    sample, design = prepared(sample, asked, sample.y)
    answer = difference(sample.y, sample, design)
    population = "winners" if design.block_weights == "treated" else "everyone in the lottery"
    labels = {"estimator": "lottery.itt", "estimand": "ITT", "population": population}
    return lottery_row(sample, asked, answer, labels, sample.arm)


def default_inference(sample: Sample, design: Design) -> Inference:
    """Return the inference of the unit that was drawn: HC2 for people, CR2 for clusters."""
    if design.clusters is not None:
        return Clustered(design.clusters, "CR2")
    return Clustered("unit") if sample.pooled else Robust("HC2")


def without_regression(design: Design) -> Inference:
    """Return the inference of the unit that was drawn where ψ alone stands behind a row."""
    if design.clusters is not None:
        return Clustered(design.clusters, "G")
    return Robust("HC0", reference="normal")


def lottery_row(
    sample: Sample,
    design: Design,
    answer: Difference,
    labels: Mapping[str, object],
    treated: FloatArray,
) -> Estimate:
    """Label a difference and return it as an Estimate of one parameter.

    ``treated`` marks the rows of those whom ``n_treated`` counts: winners, or recipients.
    """
    winners = np.unique(sample.rows[treated == 1])
    return estimate_row(
        answer.theta,
        sample.by_unit(answer.psi),
        sample.units,
        {
            "outcome": sample.outcome,
            "wave": "pooled" if sample.pooled else sample.wave,
            "weighting": design.weighting,
            "specification": specification(design, sample),
        }
        | dict(labels),
        {
            "n": len(sample.units),
            "n_treated": len(winners),
            "n_comparison": len(sample.units) - len(winners),
            "comparison_mean": answer.comparison_mean,
            "status": _status(sample, design),
        },
        default_inference(sample, design),
        [answer.term],
    )


def _status(sample: Sample, design: Design) -> str:
    """Say that an outcome depends on its unit, or that clusters won or lost whole."""
    status = status_of(sample.outcome)
    if status != "ok":
        return status
    if design.clusters is not None:
        return _few_clusters(sample)
    for column in sample.units.columns.drop("weight"):
        if _drawn_whole(sample, column):
            return (
                f"everybody of a {column} won or lost together: if the lottery drew them whole, "
                f"say Design(clusters={column!r}), or the standard error is too small"
            )
    return status


def _few_clusters(sample: Sample) -> str:
    """Say where so few clusters won, or lost, that variances between clusters mislead."""
    _, first = np.unique(sample.assigned, return_index=True)
    won = int(sample.arm[first].sum())
    few = min(won, len(first) - won)
    if few >= FEW_CLUSTERS:
        return "ok"
    return (
        f"{few} clusters in an arm: p-values of clustered variances and wild bootstraps are "
        "unreliable; draw the lottery again (lottery.randomise)"
    )


def _drawn_whole(sample: Sample, column: str) -> bool:
    """Say whether every cluster has one arm, which people drawn one by one would not have."""
    _, first = np.unique(sample.rows, return_index=True)
    codes, _ = pd.factorize(sample.units[column])
    known = codes >= 0
    arm, odds = sample.arm[first][known], sample.odds[first][known]
    size = np.bincount(codes[known])
    won = np.bincount(codes[known], arm)
    if not size.size or not ((won == 0) | (won == size)).all():
        return False
    together = np.bincount(codes[known], np.log(odds)), np.bincount(codes[known], np.log1p(-odds))
    return bool(np.logaddexp(*together)[size > 1].sum() < RARE)


FEW_CLUSTERS = 4  # in simulations of 2 of 6, 2 of 16 and 3 of 6 tests at 5 % reject .001 to .09
RARE = float(np.log(1e-6))  # of all clusters by chance
ADJUSTED = {"ancova": "adjusted for", "lin": "interacted with"}
LONE = {"merge": "lone arms merged", "pashley_miratrix": "lone arms by Pashley and Miratrix"}


def specification(design: Design, sample: Sample) -> str:
    """Return in words what is not the plain difference within blocks."""
    parts = []
    if design.covariate_model == "lasso":
        kept = ", ".join(sample.names) or "none"
        parts.append(f"adjusted for what the lasso kept of {len(design.covariates)}: {kept}")
    elif design.covariates:
        parts.append(f"{ADJUSTED[design.covariate_model]} {', '.join(design.covariates)}")
    if design.method == "ipw":
        parts.append("weighted by the odds")
    if design.shares == "superpopulation":
        parts.append("superpopulation")
    if design.lone_arms in LONE:
        parts.append(LONE[design.lone_arms])
    if sample.some:
        parts.append(f"pooled over waves {', '.join(map(str, sample.some))}")
    if sample.dropped:
        parts.append("blocks without both arms left out")
    return "; ".join(parts) or "unadjusted"
