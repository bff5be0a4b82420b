"""What did the training do to those who took it because they won? The offer as an instrument."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from prakerja_eval.errors import DataError, NotEstimableError
from prakerja_eval.estimate import Estimate, join
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.itt import lottery_row
from prakerja_eval.lottery.regression import difference
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
    the effect on the treated, and the row says ATT.

    Parameters
    ----------
    panel : Panel
        With Roles ``offer`` and ``received``.
    outcome, design, waves, pooled
        As in ``itt``; receipt is read at the outcome's wave.

    Returns
    -------
    Estimate
        One row an outcome and wave; ψ = (ψ_ITT − LATE ψ_F) / F.

    Raises
    ------
    NotEstimableError
        If the offer moves nobody.

    References
    ----------
    Imbens and Angrist (1994), doi 10.2307/2951620.

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
    design = design or Design()
    found = samples(panel, outcome, design.covariates, waves, pooled, ("offer", "received"))
    return join(*[_row(sample, design) for sample in found])


def _row(sample: Sample, design: Design) -> Estimate:
    if np.isnan(sample.received).any():
        raise DataError("receipt is missing for some observed units; fill in the received column.")
    first = difference(sample.received, sample, design)
    if abs(first.theta) < NO_FIRST_STAGE:
        raise NotEstimableError(
            f"the offer moves receipt for nobody in wave {sample.wave}: there is no first stage."
        )
    theta = difference(sample.y, sample, design).theta / first.theta
    # the ratio linearised: the difference in y - θd is zero, and its influence over F is ψ
    linear = difference(sample.y - theta * sample.received, sample, design)
    scaled = replace(
        linear,
        theta=theta,
        psi=linear.psi / first.theta,
        term=linear.term.scaled(1.0 / first.theta),
        comparison_mean=difference(sample.y, sample, design).comparison_mean,
    )
    return lottery_row(sample, design, scaled, _labels(sample, design))


def _labels(sample: Sample, design: Design) -> dict[str, object]:
    """Say whose effect it is."""
    one_sided = not (sample.received[sample.arm == 0] > 0).any()
    one_block = int(sample.block.max()) == 0
    on_treated = one_sided and (one_block or design.block_weights == "treated")
    if on_treated:
        return {"estimator": "lottery.late", "estimand": "ATT", "population": "treated people"}
    return {"estimator": "lottery.late", "estimand": "LATE", "population": "compliers"}
