"""Which effect can a lottery see? Power, the least detectable effect, and the people it takes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate.specs import instance_of, one_of
from prakerja_eval.lottery.kernel_power import Threshold, design_effect, distance, rejects, welch
from prakerja_eval.lottery.power_design import PowerDesign, is_number
from prakerja_eval.typing import FloatArray

Effect: TypeAlias = Literal["offer", "treatment"]

LEAST = 2 - 1e-9  # people, or clusters, in an arm of a block
MOST = 1e12  # times as many people as planned, beyond which no number is given


@dataclass(frozen=True, slots=True, repr=False)
class Detectable:
    """The least effects that a lottery detects.

    Attributes
    ----------
    itt, tot : float
        Of the offer; and of treatment, the former over take-up. In the outcome's unit.
    itt_sd, tot_sd : float
        The same over the standard deviation of the outcome within blocks.
    std_error : float
        Of the estimated effect of the offer.
    df : float
        Degrees of freedom of its test; infinite for normal quantiles.
    n, n_observed, n_clusters : float
        People in the lottery, those with an outcome, and clusters (NaN where people are drawn).
    power, alpha : float
    """

    itt: float
    tot: float
    itt_sd: float
    tot_sd: float
    std_error: float
    df: float
    n: float
    n_observed: float
    n_clusters: float
    power: float
    alpha: float

    def __repr__(self) -> str:
        drawn = "" if math.isnan(self.n_clusters) else f" in {self.n_clusters:,.0f} clusters"
        return (
            f"{self.n:,.0f} people{drawn}, {self.n_observed:,.0f} with an outcome: with power "
            f"{self.power:g} a test at {self.alpha:g} detects an effect of the offer of "
            f"{self.itt:.4g} ({self.itt_sd:.4g} sd), of treatment of {self.tot:.4g} "
            f"({self.tot_sd:.4g} sd)."
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>"


def mde(design: PowerDesign, power: float = 0.8) -> Detectable:
    """Return the least effect that is significant with a given probability.

    It is δ SE with δ such that a test whose statistic is centred at δ rejects with that
    probability: about z(1 − α/2) + z(power) for normal quantiles.

    Parameters
    ----------
    design : PowerDesign
    power : float
        Above the size of the test and below 1.

    Returns
    -------
    Detectable

    Raises
    ------
    UsageError
        If the power is out of range, or the units do not leave a degree of freedom.

    References
    ----------
    Duflo, Glennerster and Kremer (2007), ch. 4, doi 10.1016/S1573-4471(07)04061-2. Eldridge, Ashby
    and Kerry (2006), doi 10.1093/ije/dyl129.

    Examples
    --------
    >>> import prakerja_eval as pe
    >>> round(pe.lottery.mde(pe.lottery.PowerDesign(6_000)).itt, 4)
    0.0723
    """
    _reachable(power, design)
    error, test = _noise(design, 1.0)
    itt = distance(power, test) * error
    sd = design.outcome_sd
    size = design.cluster_size
    return Detectable(
        itt=itt,
        tot=itt / design.take_up,
        itt_sd=itt / sd,
        tot_sd=itt / design.take_up / sd,
        std_error=error,
        df=test.df,
        n=design.people,
        n_observed=float(design.observed().sum()),
        n_clusters=np.nan if size is None else design.people / size,
        power=power,
        alpha=design.alpha,
    )


def power(design: PowerDesign, effect: float, on: Effect = "offer") -> float:
    """Return the probability that an effect is significant.

    Parameters
    ----------
    design : PowerDesign
    effect : float
        In the outcome's unit; standard deviations where ``sd`` is 1.
    on : {"offer", "treatment"}
        Whose effect it is; that of treatment reaches ``take_up`` of the winners.

    Raises
    ------
    UsageError
        If the effect is no number, or the units do not leave a degree of freedom.

    Examples
    --------
    >>> import prakerja_eval as pe
    >>> round(pe.lottery.power(pe.lottery.PowerDesign(6_000), 0.0723), 2)
    0.8
    """
    error, test = _noise(design, 1.0)
    return float(rejects(np.array([_of_offer(design, effect, on) / error]), test)[0])


def needed(design: PowerDesign, effect: float, power: float = 0.8, on: Effect = "offer") -> int:
    """Return how many people a lottery like this one needs to detect an effect.

    Shares of the blocks, odds and sizes of clusters stay as they are; whole clusters are counted.

    Parameters
    ----------
    design : PowerDesign
        Its ``n`` gives the shares of the blocks alone.
    effect : float
        In the outcome's unit, not zero.
    power : float
        Above the size of the test and below 1.
    on : {"offer", "treatment"}

    Raises
    ------
    UsageError
        If the effect is zero or the power is out of range.

    Examples
    --------
    >>> import prakerja_eval as pe
    >>> pe.lottery.needed(pe.lottery.PowerDesign(100), 0.2)
    785
    """
    _reachable(power, design)
    offer = _of_offer(design, effect, on)
    if offer == 0:
        raise UsageError("lottery.needed: no number of people detects an effect of zero.")
    units = design.people / (design.cluster_size or 1.0)
    whole = math.ceil(units * _scale(design, offer, power) * (1 - 1e-9))
    return math.ceil(whole * (design.cluster_size or 1.0) - 1e-9)


def power_curve(
    design: PowerDesign, effects: Sequence[float] | None = None, on: Effect = "offer"
) -> pd.DataFrame:
    """Return the power at each of several effects.

    Parameters
    ----------
    design : PowerDesign
    effects : sequence, optional
        In the outcome's unit; left out, 61 from zero to where the power is 0.99.
    on : {"offer", "treatment"}

    Returns
    -------
    DataFrame
        effect, effect_sd (over the standard deviation within blocks), power, on.

    Raises
    ------
    UsageError
        As in ``power``.
    """
    error, test = _noise(design, 1.0)
    if effects is None:
        last = distance(max(0.99, (1 + design.alpha) / 2), test) * error
        last = last / design.take_up if on == "treatment" else last
        effects = list(np.linspace(0.0, last, 61))
    offers = np.array([_of_offer(design, e, on) for e in effects])
    return pd.DataFrame(
        {
            "effect": np.asarray(effects, dtype=np.float64),
            "effect_sd": np.asarray(effects, dtype=np.float64) / design.outcome_sd,
            "power": rejects(offers / error, test),
            "on": on,
        }
    )


def _noise(design: PowerDesign, scale: float) -> tuple[float, Threshold]:
    """Return the standard error and the test with ``scale`` times as many people.

    V_bz = s_b² σ_b² D_z / N_bz for N_bz observed people of arm z in block b.
    """
    instance_of(design, PowerDesign, "design")
    seen = design.observed() * scale
    winners, losers = seen
    shares = {
        "population": winners + losers,
        "treated": winners,
        "strata_fe": winners * losers / (winners + losers),
    }[design.block_weights]
    shares = shares / shares.sum()
    _, _, sd = design.blocks()
    variance = shares**2 * sd**2 * _design_effect(design)[:, None] / seen
    df = _freedom(design, variance, scale)
    return float(np.sqrt(variance.sum())), Threshold(design.alpha, design.two_sided, df)


def _design_effect(design: PowerDesign) -> FloatArray:
    between = design.covariate_r2 if design.cluster_r2 is None else design.cluster_r2
    partners = (design.cluster_size or 1.0) * (1 + design.size_cv**2) - 1
    kept = 1 - np.asarray(design.attrition, dtype=np.float64)
    return design_effect(np.array([design.covariate_r2, between]), design.icc, partners, kept)


def _freedom(design: PowerDesign, variance: FloatArray, scale: float) -> float:
    """Return the degrees of freedom of the test; infinite for normal quantiles."""
    units = design.units() * scale
    df = float(units.sum()) - _spent(design)
    if design.quantiles == "satterthwaite":
        df = welch(variance, units)
    if df <= 0 or units.min() < LEAST:
        what = "clusters" if design.by_clusters else "people"
        raise UsageError(
            f"lottery.PowerDesign: {units.sum():,.3g} {what} in {units.shape[1]} block(s), the "
            f"smallest arm with {units.min():.3g}, leave no degree of freedom: plan at least two "
            f"{what} in each arm of a block, or merge blocks."
        )
    return np.inf if design.quantiles == "normal" else df


def _spent(design: PowerDesign) -> int:
    """Return the parameters of the regression."""
    blocks = len(design.blocks()[0])
    return blocks + 1 if design.block_weights == "strata_fe" else 2 * blocks


def _scale(design: PowerDesign, offer: float, power: float) -> float:
    """Return how many times as many people detect an effect of the offer."""
    from scipy.optimize import brentq  # late: only this needs it

    def gap(log_scale: float) -> float:
        error, test = _noise(design, math.exp(log_scale))
        return float(rejects(np.array([offer / error]), test)[0]) - power

    low = math.log(_least(design))
    if gap(low) >= 0:
        return math.exp(low)
    high = max(low + 1, 1.0)
    while gap(high) < 0:
        high += 2
        if high > math.log(MOST):
            raise UsageError(f"lottery.needed: an effect of {offer:g} needs too many people.")
    return math.exp(float(brentq(gap, low, high, xtol=1e-13)))


def _least(design: PowerDesign) -> float:
    """Return the scale at which a test begins to be one."""
    units = design.units()
    return max(float(LEAST / units.min()), float((_spent(design) + 1) / units.sum()))


def _of_offer(design: PowerDesign, effect: float, on: Effect) -> float:
    """Return the effect of the offer that belongs to an effect."""
    one_of(on, Effect, "on")
    if not is_number(effect):
        raise UsageError(f"the effect is {effect!r}; give a finite number in the outcome's unit.")
    return float(effect) * (design.take_up if on == "treatment" else 1.0)


def _reachable(power: float, design: PowerDesign) -> None:
    instance_of(design, PowerDesign, "design")
    if not is_number(power) or not design.alpha < power < 1:
        raise UsageError(
            f"the power is {power!r}; it must be above the size of the test ({design.alpha:g}) and "
            "below 1."
        )
