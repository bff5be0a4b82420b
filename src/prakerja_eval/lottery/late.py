"""What did the training do to those who took it because they won? The offer as an instrument."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from prakerja_eval.estimate import Estimate, FirstStage, join
from prakerja_eval.estimate.specs import instance_of
from prakerja_eval.lottery import overidentified
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.first_stage import NoFirstStageError, refuse_unknown_receipt
from prakerja_eval.lottery.itt import lottery_row
from prakerja_eval.lottery.regression import Difference, difference, prepared
from prakerja_eval.lottery.sample import Sample, samples
from prakerja_eval.panel import PanelProtocol, WaveLabel

NO_FIRST_STAGE = 1e-10


def late(
    panel: PanelProtocol,
    outcome: str | Sequence[str],
    design: Design | None = None,
    *,
    waves: Sequence[WaveLabel] | None = None,
    pooled: bool = False,
) -> Estimate:
    """Estimate the effect of receipt on those whom the offer moved (LATE).

    The estimand is the ratio of the design's ITT on the outcome and on receipt, Σ s_b ITT_b /
    Σ s_b F_b: complier effects weighted by compliers per block. With ``block_weights="strata_fe"``
    the ratio is two-stage least squares with block fixed effects, another weighting and so another
    estimand. Where no loser received the programme and blocks are weighted by their winners, it is
    the effect on the treated, and the row says ATT. With ``instruments="offer_by_block"`` it is
    over-identified two-stage least squares with block fixed effects, which weighs the blocks'
    ratios by n p (1 − p) F_b².

    Parameters
    ----------
    panel : Panel
        With Roles ``offer`` and ``received``.
    outcome, design, waves, pooled
        As in ``itt``; receipt is read at the outcome's wave.

    Returns
    -------
    Estimate
        One row an outcome and wave; ψ = (ψ_ITT − LATE ψ_F) / F. ``n_treated`` counts
        those treated by the wave; ``comparison_mean`` is the mean that compliers have
        without treatment. After inference the status says so where the first stage has F below 10
        under the same inference (with one instrument; ``weak_instrument`` judges several).

    Raises
    ------
    NotEstimableError
        If the offer moves nobody.

    References
    ----------
    Imbens and Angrist (1994), doi 10.2307/2951620. Lee (2018), doi 10.1080/07350015.2016.1186555,
    on the standard error of the over-identified estimate.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdefgh"), "won": [1] * 4 + [0] * 4,
    ...                       "trained": [1, 1, 0, 0, 0, 0, 0, 0],
    ...                       "income": [5.0, 4.0, 2.0, 1.0, 3.0, 2.0, 2.0, 1.0]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", offer="won", received="trained"))
    >>> float(pe.lottery.late(panel, "income").theta[0])
    2.0
    """
    design = Design() if design is None else design
    instance_of(design, Design, "design")
    found = samples(panel, outcome, design, waves, pooled, ("offer", "received"))
    return join(*[late_row(sample, design) for sample in found])


def late_row(sample: Sample, asked: Design) -> Estimate:
    """Return the LATE of one sample.

    Raises
    ------
    NoFirstStageError
        If the offer moves receipt for nobody.
    """
    refuse_unknown_receipt(sample)
    sample, design = prepared(sample, asked, sample.y, sample.received)
    if design.instruments == "offer_by_block":
        answer = overidentified.effect(sample, design)
    else:
        answer = _ratio(sample, design)
    return lottery_row(sample, asked, answer, _labels(sample, design), sample.received)


def _ratio(sample: Sample, design: Design) -> Difference:
    """Return the design's difference in the outcome over that in receipt."""
    first = difference(sample.received, sample, design)
    if abs(first.theta) < NO_FIRST_STAGE:
        raise NoFirstStageError(
            f"the offer moves receipt for nobody{sample.at_wave}: there is no first stage."
        )
    theta = difference(sample.y, sample, design).theta / first.theta
    # the ratio linearised: the difference in y - θd is zero, and its influence over F is ψ
    size = float(np.abs(sample.y).max())
    linear = difference(sample.y - theta * sample.received, sample, design, size)
    return replace(
        linear,
        theta=theta,
        psi=linear.psi / first.theta,
        term=replace(
            linear.term.scaled(1.0 / first.theta), first=FirstStage(first.theta, first.term)
        ),
        comparison_mean=_untreated_mean(sample, design, first.theta),
    )


def _untreated_mean(sample: Sample, design: Design, first: float) -> float:
    """Return the mean that compliers have without treatment, the difference in y(1 − d) over −F."""
    untreated = replace(design, shares="fixed")
    return difference(sample.y * (1 - sample.received), sample, untreated).theta / -first


def _labels(sample: Sample, design: Design) -> dict[str, object]:
    """Say whose effect it is."""
    one_sided = not (sample.received[sample.arm == 0] > 0).any()
    one_block = int(sample.block.max()) == 0
    by_block = design.instruments == "offer_by_block"
    if one_sided and (one_block or (design.block_weights == "treated" and not by_block)):
        return {
            "estimator": "lottery.late",
            "estimand": "ATT",
            "population": "treated people",
            "weighting": "treated people",
        }
    weighting = overidentified.WEIGHTING if by_block else design.weighting
    return {
        "estimator": "lottery.late",
        "estimand": "LATE",
        "population": "compliers",
        "weighting": weighting,
    }
