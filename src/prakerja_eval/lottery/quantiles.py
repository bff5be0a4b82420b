"""What did the offer do to the poor and to the rich? Quantiles of winners less those of losers."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import Estimate, join
from prakerja_eval.estimate.specs import instance_of
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.itt import lottery_row, specification
from prakerja_eval.lottery.regression import Difference, difference
from prakerja_eval.lottery.sample import Sample, samples
from prakerja_eval.numerics.quantile import Quantile, distribution, quantile
from prakerja_eval.panel import PanelProtocol, WaveLabel
from prakerja_eval.typing import FloatArray

TAUS = (0.1, 0.25, 0.5, 0.75, 0.9)


def quantiles(
    panel: PanelProtocol,
    outcome: str | Sequence[str],
    design: Design | None = None,
    *,
    quantiles: float | Sequence[float] = TAUS,
    waves: Sequence[WaveLabel] | None = None,
) -> Estimate:
    """Estimate the effect of the offer on quantiles of the outcome's distribution.

    The estimand is Q_1(τ) − Q_0(τ), where Q_z(τ) = inf{y : F_z(y) ≥ τ} and F_z = Σ_b s_b F_bz is
    the outcome's distribution if everyone had arm z, blocks weighted as the design says. It is a
    difference of two distributions, no distribution of effects: who stands at the quantile may
    differ between the arms.

    Parameters
    ----------
    panel : Panel
        With Roles ``offer``, and ``blocks`` where odds differed.
    outcome : str or sequence of str
        Numeric columns.
    design : Design, optional
        Left out: blocks weighted by their people. Covariates are refused.
    quantiles : float or sequence of float
        τ, between 0 and 1.
    waves : sequence, optional
        Left out: every wave after the baseline.

    Returns
    -------
    Estimate
        One row an outcome, wave and quantile, which ``specification`` names. ψ is that of the
        design's difference in (τ − 1{y ≤ Q_z(τ)}) / f_z(Q_z(τ)), with the density f_z a difference
        quotient over Woodruff's interval; default inference as in ``itt``. Where the
        outcome has a mass point at a quantile, or the tail is too thin for a density, the estimate
        stands and ``status`` says why it has no standard error. ``comparison_mean`` is the mean of
        the losers, no quantile.

    Raises
    ------
    UsageError
        For covariates, or a quantile that is not between 0 and 1.
    NotEstimableError
        If attrition leaves a block without an arm.

    References
    ----------
    Firpo (2007), doi 10.1111/j.1468-0262.2007.00738.x. Woodruff (1952),
    doi 10.1080/01621459.1952.10483443.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> from prakerja_eval.lottery.quantiles import quantiles
    >>> frame = pd.DataFrame({"id": list("abcdef"), "won": [1, 1, 1, 0, 0, 0],
    ...                       "income": [3.0, 4.0, 8.0, 1.0, 2.0, 3.0]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", offer="won"))
    >>> float(quantiles(panel, "income", quantiles=0.5).theta[0])
    2.0
    """
    design = Design() if design is None else design
    instance_of(design, Design, "design")
    if design.covariates:
        raise UsageError(
            "quantile effects compare two distributions, and covariates would change which ones: "
            "leave Design(covariates=...) out."
        )
    taus = _checked(quantiles)
    found = samples(panel, outcome, design, waves)
    return join(*[row for sample in found for row in _rows(sample, design, taus)])


def _checked(quantiles: float | Sequence[float]) -> FloatArray:
    """Return quantiles as numbers between 0 and 1, each once."""
    try:
        taus = np.atleast_1d(np.asarray(quantiles, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise UsageError(f"quantiles={quantiles!r} are no numbers; (0.25, 0.5), say.") from error
    wrong = [f"{tau:g}" for tau in taus.ravel() if not 0 < tau < 1]
    if wrong or taus.ndim != 1 or not len(taus) or len(np.unique(taus)) < len(taus):
        what = f"{', '.join(wrong)} lies outside" if wrong else "name some, each once, in one list"
        raise UsageError(f"quantiles are numbers above 0 and below 1 ({what}); 0.5 is the median.")
    return taus


def _rows(sample: Sample, design: Design, taus: FloatArray) -> Iterator[Estimate]:
    """Return one Estimate a quantile."""
    means = difference(sample.y, sample, design)
    # the difference in means is a weighted sum of outcomes: its weights are those of the two arms
    weight = means.term.fit.project(means.term.contrast) * means.term.fit.weights
    won = sample.arm == 1
    arms = [distribution(sample.y[rows], np.abs(weight[rows])) for rows in (~won, won)]
    other = specification(design, sample)
    for tau in taus:
        lost_at, won_at = (quantile(arm, float(tau)) for arm in arms)
        answer, status = _linearised(sample, design, float(tau), lost_at, won_at)
        words = f"quantile {tau:g}" + ("" if other == "unadjusted" else f"; {other}")
        row = lottery_row(
            sample,
            design,
            replace(
                means if answer is None else answer,
                theta=won_at.q - lost_at.q,
                comparison_mean=means.comparison_mean,
            ),
            {
                "estimator": "lottery.quantiles",
                "estimand": "QTE",
                "population": "winners"
                if design.block_weights == "treated"
                else "everyone in the lottery",
                "specification": words,
            },
            sample.arm,
        )
        yield row if answer is not None else _without_error(row, status)


def _linearised(
    sample: Sample, design: Design, tau: float, lost_at: Quantile, won_at: Quantile
) -> tuple[Difference | None, str]:
    """Return the difference in (τ − 1{y ≤ q_z}) / f_z, which has the quantiles' influence.

    None where there is none, with the reason.
    """
    for name, at in (("losers", lost_at), ("winners", won_at)):
        if np.isfinite(at.lump):
            return None, (
                f"a mass point: {at.lump_share:.1%} of the {name} have the value {at.lump:g}, so "
                "the quantile has no standard error"
            )
        if np.isnan(at.density):
            return None, (
                f"too few {name} beyond the quantile for the density that its standard error needs"
            )
    won = sample.arm == 1
    q = np.where(won, won_at.q, lost_at.q)
    density = np.where(won, won_at.density, lost_at.density)
    return difference((tau - (sample.y <= q)) / density, sample, design), ""


def _without_error(row: Estimate, status: str) -> Estimate:
    """Keep the estimate of a row; its influence is not known."""
    return replace(
        row,
        psi=np.full(row.psi.shape, np.nan),
        counts=row.counts.assign(status=status),
        terms=((),),
    )
