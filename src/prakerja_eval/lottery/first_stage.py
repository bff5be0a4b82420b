"""How many did the offer move? Its effect on receipt."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from prakerja_eval.errors import NotEstimableError
from prakerja_eval.estimate import Estimate, join
from prakerja_eval.estimate.specs import instance_of
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.itt import lottery_row
from prakerja_eval.lottery.regression import difference, prepared
from prakerja_eval.lottery.roster import roster
from prakerja_eval.lottery.sample import Sample, sample_of
from prakerja_eval.panel import PanelProtocol, WaveLabel
from prakerja_eval.typing import FloatArray


class NoFirstStageError(NotEstimableError):
    """The offer moves receipt for nobody."""


def first_stage(
    panel: PanelProtocol,
    design: Design | None = None,
    *,
    outcome: str | None = None,
    waves: Sequence[WaveLabel] | None = None,
) -> Estimate:
    """Estimate the effect of the offer on receipt.

    The estimand is Σ_b s_b (P[treated | won, b] − P[treated | lost, b]), the share of compliers,
    blocks weighted as by ``itt``.

    Parameters
    ----------
    panel : Panel
        With Roles ``offer`` and ``received``.
    design : Design, optional
        As in ``itt``.
    outcome : str, optional
        Count those people only who have a value of it: the first stage of its LATE. Left out,
        everyone in the lottery.
    waves : sequence, optional
        Left out: every wave after the baseline.

    Returns
    -------
    Estimate
        One row a wave; receipt counts as had by then.

    Raises
    ------
    NotEstimableError
        If receipt is not known of somebody who counts; and as in ``itt``.

    References
    ----------
    Angrist, Imbens and Rubin (1996), doi 10.1080/01621459.1996.10476902.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdefgh"), "won": [1] * 4 + [0] * 4,
    ...                       "trained": [1, 1, 1, 0, 0, 0, 0, 0]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", offer="won", received="trained"))
    >>> float(pe.lottery.first_stage(panel).theta[0])
    0.75
    """
    design = Design() if design is None else design
    instance_of(design, Design, "design")
    needs = ("offer", "received")
    found = roster(panel, outcome, design, waves, needs)
    if outcome is None:
        name = panel.roles.received or "receipt"
        found = replace(found, outcome=name, y=np.ones_like(found.received))
    return join(*[_row(sample_of(found, (t,), design), design) for t in found.chosen])


def _row(sample: Sample, asked: Design) -> Estimate:
    refuse_unknown_receipt(sample)
    sample, design = prepared(sample, asked, sample.received)
    return effect_row(sample.received, sample, asked, design)


def effect_row(y: FloatArray, sample: Sample, asked: Design, design: Design) -> Estimate:
    """Return the design's difference in a row variable, ``design`` being what a lasso made it."""
    population = "winners" if design.block_weights == "treated" else "everyone in the lottery"
    labels = {
        "estimator": "lottery.first_stage",
        "estimand": "first stage",
        "population": population,
    }
    return lottery_row(sample, asked, difference(y, sample, design), labels, sample.arm)


def refuse_unknown_receipt(sample: Sample) -> None:
    """Refuse a sample with people of whom receipt is not known.

    Raises
    ------
    NotEstimableError
        With their number.
    """
    unknown = int(np.isnan(sample.received).sum())
    if unknown:
        raise NotEstimableError(
            f"receipt is not known of {unknown} people with a value of {sample.outcome!r}"
            f"{sample.at_wave}: the effect on the treated needs it of all. Fill it in from the "
            "programme's records, or estimate the effect of the offer (itt)."
        )
