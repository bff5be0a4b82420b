"""How far could a matching estimate have come out elsewhere? Draws that keep who is matched."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from prakerja_eval.errors import NotEstimableError, UsageError
from prakerja_eval.estimate import Clustered, Estimate, Findings, estimate_row, infer, join
from prakerja_eval.estimate.draws import multiplier_weights
from prakerja_eval.estimate.specs import instance_of, one_of
from prakerja_eval.matching.adjusted import NOT_PARAMETRIC, counting, labels, wave_labels
from prakerja_eval.matching.effects.difference import learned
from prakerja_eval.matching.effects.matched_sample import Basis, basis, effect_of, observed
from prakerja_eval.matching.effects.matched_variance import Variance, forms
from prakerja_eval.matching.match import Matched
from prakerja_eval.panel import (
    ArrayRequest,
    PanelProtocol,
    UnitArrays,
    WaveLabel,
    outcome_waves,
    treated_units,
)
from prakerja_eval.typing import FloatArray

DrawWeights: TypeAlias = Literal["mammen", "rademacher", "multinomial"]
CELLS = 20_000_000


@dataclass(frozen=True, slots=True)
class OtsuRai:
    """How the draws are made.

    Parameters
    ----------
    reps : int
        Number of draws.
    seed : int
        Seed of ``numpy.random.Generator(PCG64)``.
    weights : {"mammen", "rademacher", "multinomial"}
        Two-point weights with third moment one; random signs; or how often each person is drawn
        again with replacement (the bootstrap, matches kept).
    """

    reps: int = 1_999
    seed: int = 1
    weights: DrawWeights = "mammen"

    def __post_init__(self) -> None:
        one_of(self.weights, DrawWeights, "OtsuRai(weights)")
        if not isinstance(self.reps, int) or self.reps < 99:
            raise UsageError(f"OtsuRai(reps) is {self.reps!r}; use at least 99 draws.")
        if not isinstance(self.seed, int) or self.seed < 0:
            raise UsageError(f"OtsuRai(seed) is {self.seed!r}; use a whole number.")

    @property
    def label(self) -> str:
        """Name the draws as tables print it."""
        return f"Otsu-Rai bootstrap ({self.weights}, {self.reps} draws)"


def otsu_rai(
    panel: PanelProtocol,
    matched: Matched,
    outcome: str | Sequence[str],
    draws: OtsuRai | None = None,
    *,
    waves: Sequence[WaveLabel] | None = None,
    level: float = 0.95,
) -> Findings:
    """Estimate a matched effect with the weighted bootstrap of Otsu and Rai.

    The naive bootstrap, which matches anew in every draw, is invalid for nearest neighbours (Abadie
    and Imbens 2008, doi 10.3982/ECTA6474). Here the estimate, corrected for the distance within
    pairs by a series in what was matched on, is a mean over people, and its draws are
    Σ ε_i ψ_i with the matches and ψ as they are.

    Parameters
    ----------
    panel : Panel
        The panel that was matched, or one with more columns or waves of the same units.
    matched : Matched
        Pairs.
    outcome : str or sequence of str
        Numeric columns.
    draws : OtsuRai, optional
        Left out, 1,999 draws with Mammen's weights.
    waves : sequence, optional
        Left out, every wave after the baseline.
    level : float
        Coverage of the intervals.

    Returns
    -------
    Findings
        One row an outcome and wave: the bias-corrected estimate, the standard deviation of the
        draws, and the interval θ − q(1 − α/2) to θ − q(α/2) by their quantiles q. The fitted score
        enters ψ where :func:`att` says "estimated score". Unlike there, ψ is not set to the
        variance of Abadie and Imbens.

    Raises
    ------
    NotEstimableError
        If no pair is observed in a wave.
    UsageError
        For a level outside (0, 1).

    References
    ----------
    Otsu and Rai (2017), doi 10.1080/01621459.2016.1231613.

    Examples
    --------
    >>> import numpy as np, pandas as pd, prakerja_eval as pe
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame({"id": range(60), "trained": [1, 0] * 30, "age": rng.normal(size=60)})
    >>> frame["income"] = frame["age"] + 2 * frame["trained"] + rng.normal(size=60)
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", received="trained"))
    >>> pairs = pe.matching.match(panel, covariates=["age"])
    >>> len(pe.matching.otsu_rai(panel, pairs, "income"))
    1
    """
    instance_of(matched, Matched, "otsu_rai(matched)")
    options = draws or OtsuRai()
    on = basis(panel, matched, False)
    rows = []
    for name in [outcome] if isinstance(outcome, str) else outcome:
        arrays = panel.arrays(ArrayRequest(name))
        arms = treated_units(arrays, panel.roles)
        for t in outcome_waves(arrays, panel.roles, waves):
            lead = arms.lead(arrays, arrays.waves[t])
            rows.append(_row(arrays, matched, (name, t, lead), on))
    estimate = join(*rows)
    table = infer(estimate, Clustered("unit", "none"), level=level)
    return Findings(table.frame.assign(**_by_draws(estimate, options, level)), level=level)


def _row(
    arrays: UnitArrays, matched: Matched, cell: tuple[str, int, float | None], on: Basis
) -> Estimate:
    """Return the bias-corrected estimate of one outcome and wave with its linear form."""
    outcome, wave, lead = cell
    seen = observed(arrays, matched, (outcome, wave), on)
    effect = effect_of(seen, adjust=False)
    made = forms(seen, matched, effect, Variance())
    part = np.flatnonzero(made.part)
    psi = made.fitted[part]
    if not psi.any():
        raise NotEstimableError("the outcome does not vary among the matched.")
    lost = seen.sought > int(effect.focal.sum())
    words = labels(matched, "matching.otsu_rai", lost, "bias-corrected")
    arm = seen.treated[effect.focal | (effect.used > 0)]
    counts: dict[str, object] = {
        "n": len(arm),
        "n_treated": int(arm.sum()),
        "n_comparison": int((~arm).sum()),
        "comparison_mean": seen.comparison_mean + effect.comparison_mean,
    }
    if learned(matched):
        psi, counts["status"] = np.full_like(psi, np.nan), NOT_PARAMETRIC
    units = arrays.clusters.iloc[matched.propensity.positions(arrays)[part]]
    words |= wave_labels(arrays, outcome, wave, lead)
    theta = seen.treated_mean - seen.comparison_mean + made.estimate
    found = estimate_row(theta, psi, units, words, counts, Clustered("unit", "none"))
    took = seen.at[effect.focal | (effect.used > 0)]
    return counting(found, np.isin(part, took))


def _by_draws(estimate: Estimate, options: OtsuRai, level: float) -> dict[str, object]:
    """Return the columns that the draws decide."""
    moved = _draws(estimate.psi, options)
    spread = moved.std(axis=0, ddof=1)
    tail = (1 - level) / 2
    low, high = np.quantile(moved, [tail, 1 - tail], axis=0)
    beyond = (np.abs(moved) >= np.abs(estimate.theta)).sum(axis=0)
    alive = np.isfinite(spread)
    return {
        "std_error": spread,
        "statistic": estimate.theta / spread,
        "p_value": np.where(alive, (1.0 + beyond) / (1.0 + options.reps), np.nan),
        "conf_low": estimate.theta - high,
        "conf_high": estimate.theta - low,
        "inference": options.label,
    }


def _draws(psi: FloatArray, options: OtsuRai) -> FloatArray:
    """Return the sums of ψ times random weights of mean zero and variance one, (reps, K)."""
    generator = np.random.Generator(np.random.PCG64(options.seed))
    n, out = len(psi), np.empty((options.reps, psi.shape[1]))
    step = max(1, CELLS // n)
    for start in range(0, options.reps, step):
        shape = (min(step, options.reps - start), n)
        if options.weights == "multinomial":
            even = np.full(n, 1.0 / n)
            weights = generator.multinomial(n, even, size=shape[0]) - 1.0
        else:
            weights = multiplier_weights(generator, shape, options.weights)
        out[start : start + shape[0]] = weights @ psi
    return out
