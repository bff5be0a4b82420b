"""How is a lottery planned? Its people, odds, noise and losses, before anybody has been drawn."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate.specs import instance_of, one_of
from prakerja_eval.lottery.design import BlockWeights, Design
from prakerja_eval.panel import PanelProtocol, WaveLabel
from prakerja_eval.typing import FloatArray

Quantiles: TypeAlias = Literal["normal", "t", "satterthwaite"]
Numbers: TypeAlias = float | Sequence[float]


@dataclass(frozen=True, slots=True)
class PowerDesign:
    """A lottery as it is planned: who takes part, with which odds, and how noisy the outcome is.

    Parameters
    ----------
    n : float or sequence
        People in the lottery, or those of each block.
    odds : float or sequence
        Share that wins, of all or of each block; above 0 and below 1.
    sd : float or sequence
        Standard deviation of the outcome within an arm of a block, of all or of each block.
    block_weights : {"population", "treated", "strata_fe"}
        As in ``lottery.Design``.
    covariate_r2 : float
        Share of the variance within arms and blocks that the covariates explain.
    cluster_r2 : float, optional
        The same of the variance between clusters; left out, ``covariate_r2``.
    take_up : float
        Difference in receipt between winners and losers, above 0 and at most 1.
    attrition : float or pair
        Share of people without an outcome, of all or of (winners, losers).
    cluster_size : float, optional
        Mean people of a cluster, where clusters win or lose whole; left out, people do.
    icc : float
        Intracluster correlation of the outcome: the variance between clusters over all.
    size_cv : float
        Coefficient of variation of the cluster sizes: their standard deviation over their mean.
    alpha : float
        Size of the test.
    two_sided : bool
    reference : {"normal", "t", "satterthwaite"}, optional
        Quantiles of the test: normal; Student on units less parameters; Student on the degrees of
        freedom of Welch and Satterthwaite (those of CR2 for means of whole clusters). Left out:
        normal where people are drawn, and where clusters are "satterthwaite", or "t" for
        ``block_weights="strata_fe"``.

    Raises
    ------
    UsageError
        For a value outside its range, or sequences of different lengths.

    Examples
    --------
    >>> import prakerja_eval as pe
    >>> plan = pe.lottery.PowerDesign(6_000, odds=0.15, take_up=0.75)
    >>> round(pe.lottery.mde(plan).tot, 4)
    0.1351
    """

    n: Numbers
    odds: Numbers = 0.5
    sd: Numbers = 1.0
    block_weights: BlockWeights = "population"
    covariate_r2: float = 0.0
    cluster_r2: float | None = None
    take_up: float = 1.0
    attrition: float | tuple[float, float] = 0.0
    cluster_size: float | None = None
    icc: float = 0.0
    size_cv: float = 0.0
    alpha: float = 0.05
    two_sided: bool = True
    reference: Quantiles | None = None

    def __post_init__(self) -> None:
        for name, low, high in (("n", 0.0, np.inf), ("odds", 0.0, 1.0), ("sd", 0.0, np.inf)):
            object.__setattr__(self, name, _many(getattr(self, name), name, low, high))
        object.__setattr__(self, "attrition", _attrition(self.attrition))
        for name, high in (("covariate_r2", 1.0), ("icc", 1.0), ("size_cv", np.inf)):
            _one(getattr(self, name), name, 0.0, high, closed=True)
        if self.cluster_r2 is not None:
            _one(self.cluster_r2, "cluster_r2", 0.0, 1.0, closed=True)
        _one(self.alpha, "alpha", 0.0, 1.0)
        if _one(self.take_up, "take_up", 0.0, np.inf) > 1:
            raise UsageError(_wrong("take_up", self.take_up, "at most 1"))
        one_of(self.block_weights, BlockWeights, "lottery.PowerDesign(block_weights)")
        if self.reference is not None:
            one_of(self.reference, Quantiles, "lottery.PowerDesign(reference)")
        self._refuse_odd_clusters()
        self._refuse_lengths()

    def _refuse_odd_clusters(self) -> None:
        if self.cluster_size is None:
            given = [k for k in ("icc", "size_cv", "cluster_r2") if getattr(self, k)]
            if given:
                raise UsageError(
                    f"lottery.PowerDesign({given[0]}) is about clusters that win or lose whole: "
                    "give their mean size too (cluster_size)."
                )
        elif _one(self.cluster_size, "cluster_size", 0.0, np.inf) < 1:
            raise UsageError(_wrong("cluster_size", self.cluster_size, "at least 1"))

    def _refuse_lengths(self) -> None:
        """Refuse sequences of different lengths, and odds by block without people by block."""
        blocks = len(self.n)  # type: ignore[arg-type]
        for name in ("odds", "sd"):
            found = len(getattr(self, name))
            if found not in (1, blocks):
                raise UsageError(
                    f"lottery.PowerDesign({name}) has {found} values and n has {blocks}: give the "
                    "people of each block, in the order of the blocks."
                )

    @classmethod
    def of(
        cls,
        panel: PanelProtocol,
        outcome: str,
        design: Design | None = None,
        *,
        wave: WaveLabel | None = None,
        icc: float | None = None,
    ) -> "PowerDesign":
        """Return the plan of a lottery like the one in a panel.

        People and odds are those of the blocks; the standard deviation is that within arms of
        blocks, R² (adjusted) what the design's covariates explain of it. Losses and take-up are
        those of the last wave. Where the design names clusters, their sizes count, and the
        intracluster correlation is that of the analysis of variance.

        Parameters
        ----------
        panel : Panel
        outcome : str
        design : Design, optional
        wave : wave label, optional
            From which the standard deviation, R² and correlation are read; left out, the baseline,
            or else the last wave.
        icc : float, optional
            Stated, and not estimated.

        Raises
        ------
        UsageError
            For an unknown wave, or a take-up or loss that no plan can have.
        NotEstimableError
            If the data do not give a parameter, or it comes out below zero.
        """
        from prakerja_eval.lottery.power_of import planned

        design = Design() if design is None else design
        instance_of(design, Design, "design")
        found = planned(panel, outcome, design, wave, icc)
        given = {f.name: getattr(found, f.name) for f in fields(found)}
        return cls(block_weights=design.block_weights, **given)

    @property
    def by_clusters(self) -> bool:
        """Say whether clusters are drawn."""
        return self.cluster_size is not None

    @property
    def people(self) -> float:
        """Return the people in the lottery."""
        return float(sum(self.n))  # type: ignore[arg-type]

    @property
    def quantiles(self) -> Quantiles:
        """Return the quantiles in force."""
        if self.reference is not None:
            return self.reference
        if not self.by_clusters:
            return "normal"
        return "t" if self.block_weights == "strata_fe" else "satterthwaite"

    @property
    def outcome_sd(self) -> float:
        """Return the standard deviation within blocks, over all people."""
        n, _, sd = self.blocks()
        return float(np.sqrt(n @ sd**2 / n.sum()))

    def blocks(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return people, odds and standard deviation of each block, (B,) each."""
        n = np.asarray(self.n, dtype=np.float64)
        odds, sd = (np.broadcast_to(np.asarray(v, float), n.shape) for v in (self.odds, self.sd))
        return n, odds, sd

    def assigned(self) -> FloatArray:
        """Return the people of each arm and block, (2, B): winners and losers."""
        n, odds, _ = self.blocks()
        return np.stack([n * odds, n * (1 - odds)])

    def observed(self) -> FloatArray:
        """Return the people with an outcome, (2, B)."""
        kept = 1 - np.asarray(self.attrition, dtype=np.float64)
        return np.asarray(self.assigned() * kept[:, None])

    def units(self) -> FloatArray:
        """Return the independent units, (2, B): people with an outcome, or clusters."""
        if self.cluster_size is None:
            return self.observed()
        return self.assigned() / self.cluster_size


def is_number(value: Any) -> bool:
    """Say whether a value is a finite number."""
    kinds = (int, float, np.integer, np.floating)
    return isinstance(value, kinds) and not isinstance(value, bool) and math.isfinite(value)


def _one(value: Any, name: str, low: float, high: float, *, closed: bool = False) -> float:
    """Return a number, or refuse one out of its range; ``closed`` takes the lower end in."""
    if is_number(value) and (low < value < high or (closed and value == low)):
        return float(value)
    floor = f"{low:g} or more" if closed else f"above {low:g}"
    raise UsageError(_wrong(name, value, floor + (f" and below {high:g}" if high < np.inf else "")))


def _wrong(name: str, value: object, must: str) -> str:
    return f"lottery.PowerDesign({name}) is {value!r}; it must be a number {must}."


def _many(given: Any, name: str, low: float, high: float) -> tuple[float, ...]:
    """Return one number or several as a tuple."""
    several = isinstance(given, Sequence | np.ndarray | pd.Series) and not isinstance(given, str)
    values = tuple(given) if several else (given,)
    if not values:
        raise UsageError(_wrong(name, given, "or one a block"))
    return tuple(_one(v, name, low, high) for v in values)


def _attrition(given: Any) -> tuple[float, float]:
    """Return the shares lost of winners and of losers."""
    pair = isinstance(given, Sequence | np.ndarray) and not isinstance(given, str)
    values = tuple(given) if pair else (given, given)
    if len(values) != 2:
        raise UsageError(_wrong("attrition", given, "or two, of winners and of losers"))
    winners, losers = (_one(v, "attrition", 0.0, 1.0, closed=True) for v in values)
    return winners, losers
