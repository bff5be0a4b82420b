"""Does the adjustment find an effect where there can be none?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeAlias

import numpy as np
import pandas as pd

from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate import (
    Adjustment,
    Estimate,
    Findings,
    Inference,
    WaldTest,
    infer,
    join,
    subset,
    wald,
)
from prakerja_eval.estimate.specs import names_of
from prakerja_eval.matching.adjusted import Adjusted
from prakerja_eval.matching.effects.difference import difference
from prakerja_eval.panel import (
    ArrayRequest,
    PanelProtocol,
    UnitArrays,
    WaveLabel,
    treated_units,
    wave_position,
)

Effect: TypeAlias = Callable[..., Estimate]

ALPHA = 0.05
COVARIATE = "among the covariates: it tests nothing"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Placebo:
    """Effects on outcomes that treatment cannot have moved.

    Attributes
    ----------
    estimate : Estimate
        A row an outcome and wave; those that test something, then those among the covariates.
    frame : DataFrame
        The findings of all rows; ``p_adjusted`` is Holm's over the rows that test something, and
        the status of the others says that they do not.
    test : WaldTest, optional
        That all effects which test something are zero.
    reason : str
        Why there is no joint test.
    """

    estimate: Estimate
    frame: pd.DataFrame
    test: WaldTest | None
    reason: str = ""

    @property
    def verdict(self) -> str:
        """Say in words what was found."""
        frame = self.frame[self.frame["status"] != COVARIATE]
        found = frame[frame["p_adjusted"] < ALPHA]
        rejected = self.test is not None and self.test.p_value < ALPHA
        joint = (
            f"jointly p = {self.test.p_value:.4f}" if self.test else f"no joint test: {self.reason}"
        )
        if frame["p_value"].isna().all():
            said = f"Nothing could be tested ({joint})."
        elif rejected or len(found):
            where = ", ".join(
                f"{_named(row)} (p = {row['p_adjusted']:.4f} by Holm)"
                for _, row in found.iterrows()
            )
            said = (
                "After adjustment the groups still differ where treatment cannot have moved them"
                f"{': ' + where if where else ''} ({joint}). What is seen later may be bias."
            )
        else:
            said = (
                f"After adjustment no difference is found where there can be none ({joint}, "
                f"{_count(len(frame))}). That does not prove that the groups are alike in what "
                "was not seen."
            )
        own = self.frame[self.frame["status"] == COVARIATE]
        names = ", ".join(_named(row) for _, row in own.iterrows())
        return f"{said} Among the covariates, so that it tests nothing: {names}." if names else said

    def __repr__(self) -> str:
        return f"{Findings(self.frame)!r}\n{self.verdict}"

    def _repr_html_(self) -> str:
        return f"{Findings(self.frame)._repr_html_()}<p>{escape(self.verdict)}</p>"


def placebo_outcomes(
    panel: PanelProtocol,
    adjusted: Adjusted,
    outcomes: str | Sequence[str],
    *,
    effect: Effect = difference,
    waves: Sequence[WaveLabel] | None = None,
    inference: Inference | None = None,
    level: float = 0.95,
) -> Placebo:
    """Estimate effects on outcomes that treatment cannot have moved, and test them together.

    The estimand is that of the adjustment, on outcomes from before treatment (or others that it
    cannot touch), where the true effect is zero. What is found beside chance is bias.

    Parameters
    ----------
    panel : Panel
        The panel that was matched or weighted, or one with more columns or waves.
    adjusted : Matched, Stratified or Weighted
        As for the real outcome.
    outcomes : str or sequence of str
        Numeric columns.
    effect : callable
        ``matching.difference``, ``matching.g_computation``, or ``matching.att`` for pairs: called
        with panel, adjusted, outcome and ``waves=``.
    waves : sequence, optional
        Waves before treatment began; left out, all of them. In a panel of one wave the columns
        themselves are from before.
    inference : Inference, optional
        Left out, the effect's default.
    level : float
        Coverage of intervals.

    Returns
    -------
    Placebo
        With a joint Wald test and p-values by Holm (1979). An outcome that is itself a covariate
        stands apart: balance on it was made, so that it tests nothing.

    Raises
    ------
    UsageError
        If a wave does not lie before treatment, or every outcome is among the covariates.

    References
    ----------
    Imbens and Rubin (2015), Causal Inference for Statistics, Social, and Biomedical Sciences,
    ch. 21, doi 10.1017/CBO9781139025751. Holm (1979), Scandinavian Journal of Statistics 6(2).

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdef"), "trained": [1, 0, 1, 0, 1, 0],
    ...                       "age": [20, 21, 30, 28, 25, 40], "before": [3.0, 1, 4, 2, 5, 2]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", received="trained"))
    >>> pairs = pe.matching.match(panel, pe.matching.Nearest(replace=False), covariates=["age"])
    >>> found = pe.matching.placebo_outcomes(panel, pairs, "before")
    >>> round(float(found.estimate.theta[0]), 4)
    2.3333
    """
    names = names_of(outcomes)
    if not names:
        raise UsageError("placebo_outcomes needs outcomes; name at least one.")
    arrays = panel.arrays(ArrayRequest(names[0]))
    chosen = _before(arrays, panel, waves)
    cells = [(name, wave) for name in names for wave in chosen]
    own = [c for c in cells if _covariate(adjusted, panel, arrays, *c)]
    tested = [c for c in cells if c not in own]
    if not tested:
        raise UsageError(
            "placebo_outcomes: every outcome is among the covariates, so that balance on it was "
            "made and tests nothing; leave one out of the score, or name another outcome."
        )
    estimate = join(*(effect(panel, adjusted, name, waves=[w]) for name, w in (*tested, *own)))
    rows = list(range(len(tested)))
    head = infer(subset(estimate, rows), inference, level=level, adjust=Adjustment("holm")).frame
    parts = [head]
    if own:
        rest = infer(subset(estimate, list(range(len(rows), len(cells)))), inference, level=level)
        parts.append(rest.frame.assign(status=COVARIATE))
    frame = pd.concat([p.astype(object) for p in parts], ignore_index=True).infer_objects()
    test, reason = _joint(subset(estimate, rows), inference)
    return Placebo(estimate, frame, test, reason)


def _before(
    arrays: UnitArrays, panel: PanelProtocol, waves: Sequence[WaveLabel] | None
) -> list[WaveLabel]:
    """Return the waves before treatment began."""
    if arrays.waves == ("",):
        return [""]
    arms = treated_units(arrays, panel.roles)
    early = [w for w in arrays.waves if arms.lead(arrays, w) is not None]
    if waves is None:
        if not early:
            raise UsageError(
                "placebo_outcomes: no wave of the panel is known to lie before treatment; give "
                "Roles(cohort=...) and waves from before."
            )
        return early
    asked: list[WaveLabel] = [waves] if isinstance(waves, int | float | str) else list(waves)
    for wave in asked:
        wave_position(arrays, wave)
        if wave not in early:
            raise UsageError(f"placebo_outcomes: wave {wave!r} does not lie before treatment.")
    return asked


def _covariate(
    adjusted: Adjusted, panel: PanelProtocol, arrays: UnitArrays, outcome: str, wave: WaveLabel
) -> bool:
    """Say whether an outcome of a wave is what the adjustment has balanced."""
    names = adjusted.propensity.names
    at_base = arrays.waves == ("",) or wave == panel.roles.baseline
    return f"{outcome}@{wave}" in names or (at_base and outcome in names)


def _joint(estimate: Estimate, inference: Inference | None) -> tuple[WaldTest | None, str]:
    """Return the joint test, or why there is none."""
    null = "treatment has no effect on outcomes that it cannot have moved"
    try:
        return wald(estimate, inference, null=null), ""
    except NotEstimableError as error:
        return None, str(error)


def _named(row: pd.Series) -> str:
    wave = row["wave"]
    blank = wave is None or (isinstance(wave, float) and np.isnan(wave))
    return str(row["outcome"]) if blank else f"{row['outcome']} in wave {wave}"


def _count(number: int) -> str:
    return "one outcome" if number == 1 else f"{number} outcomes"
