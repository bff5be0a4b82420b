"""What came of drawing the lottery again? The options, and the answer with its draws."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate.specs import one_of
from prakerja_eval.lottery import step_down
from prakerja_eval.lottery.kernel_redraw_test import p_at
from prakerja_eval.typing import FloatArray, IntArray

Statistic: TypeAlias = Literal["studentised", "difference", "rank_sum", "kolmogorov_smirnov"]
OwnStatistic: TypeAlias = Callable[[FloatArray, IntArray, IntArray, FloatArray], float]
RandomisedEstimand: TypeAlias = Literal["itt", "late"]
StepDown: TypeAlias = Literal["westfall_young", "romano_wolf"]

COLUMNS = (
    *("outcome", "wave", "estimand", "estimate", "test", "statistic", "null", "p_value"),
    *("conf_low", "conf_high", "n_draws", "exact", "attainable", "n", "n_treated"),
    *("n_comparison", "n_assigned", "comparison_mean", "status"),
)
SHOWN = ("outcome", "wave", "estimate", "statistic", "p_value", "conf_low", "conf_high", "status")
INVERTIBLE = ("studentised", "difference")


@dataclass(frozen=True, slots=True)
class Redraw:
    """How the lottery is drawn again, and what is looked at in each draw.

    Parameters
    ----------
    statistic : str or function
        "studentised": the design's difference over its own standard error, which also tests the
        weak null of no average effect in large samples (Wu and Ding 2021). "difference": the
        difference itself. "rank_sum": van Elteren's, ranks within blocks. "kolmogorov_smirnov": the
        largest distance between the arms' distributions. A function (y, arm, block, weight) ->
        float is called with the people who were observed, in each draw; its absolute value counts.
    estimand : {"itt", "late"}
        What ``null`` and the interval are about: a constant effect of the offer; or of receipt,
        where the test of y - null * received is an exact Anderson-Rubin test.
    null : float
        The effect that is tested.
    reps : int
        Draws, where there are more ways to draw than these and than 100,000; else each is taken
        once.
    seed : int
    level : float
        Of the interval.
    """

    statistic: Statistic | OwnStatistic = "studentised"
    estimand: RandomisedEstimand = "itt"
    null: float = 0.0
    reps: int = 9_999
    seed: int = 1
    level: float = 0.95

    def __post_init__(self) -> None:
        if not callable(self.statistic):
            one_of(self.statistic, Statistic, "lottery.Redraw(statistic)")
        one_of(self.estimand, RandomisedEstimand, "lottery.Redraw(estimand)")
        if not isinstance(self.reps, int) or self.reps < 99:
            raise UsageError(f"lottery.Redraw(reps) is {self.reps!r}; use at least 99 draws.")
        if not isinstance(self.seed, int) or self.seed < 0:
            raise UsageError(f"lottery.Redraw(seed) is {self.seed!r}; use a whole number.")
        if not isinstance(self.null, int | float) or not np.isfinite(self.null):
            raise UsageError(f"lottery.Redraw(null) is {self.null!r}; use a finite number.")
        if not 0 < self.level < 1:
            raise UsageError(f"lottery.Redraw(level) is {self.level!r}; use one between 0 and 1.")

    @property
    def size(self) -> float:
        """Return one less the level, without the last digits' rounding: p-values may equal it."""
        return round(1 - self.level, 12)

    @property
    def name(self) -> str:
        """Return the statistic's name."""
        if callable(self.statistic):
            return str(getattr(self.statistic, "__name__", "own statistic"))
        return self.statistic


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Randomisation:
    """Randomisation tests of K outcomes on the same re-draws of the lottery.

    Attributes
    ----------
    frame : DataFrame
        A row an outcome and wave: outcome, wave, estimand, estimate, test (the statistic's name),
        statistic (as observed), null, p_value (two-sided), conf_low and conf_high (the ends of the
        set of effects that are not rejected; infinite where it has no end), n_draws, exact (whether
        these are all ways to draw), attainable (the smallest p-value that a draw could have had),
        n, n_treated, n_comparison, n_assigned (units drawn: people or clusters), comparison_mean,
        status.
    draws : (R, K) array
        The statistic in each draw.
    sets : tuple of K tuples of (low, high)
        The sets of effects that are not rejected, piece by piece.
    redraw : Redraw
    observed : (K, 5) array, and ``curves`` (R, K, 5)
        What the statistic of any other null follows from (``at``).
    """

    frame: pd.DataFrame
    draws: FloatArray
    sets: tuple[tuple[tuple[float, float], ...], ...]
    redraw: Redraw
    observed: FloatArray
    curves: FloatArray

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        return f"{self._head()}\n{self._shown().to_string(index=False)}"

    def _repr_html_(self) -> str:
        return f"<p>{escape(self._head())}</p>{self._shown().to_html(index=False, border=0)}"

    def _head(self) -> str:
        exact = bool(self.frame["exact"].all())
        how = f"all {len(self.draws):,} ways to draw" if exact else f"{len(self.draws):,} draws"
        return f"Randomisation test of the lottery, {self.redraw.name}: {how}."

    def _shown(self) -> pd.DataFrame:
        numbers = ["estimate", "statistic", "p_value", "conf_low", "conf_high"]
        rounded = self.frame[numbers].map(lambda v: float(f"{v:.4g}"))
        return self.frame.assign(**rounded)[list(SHOWN)]

    def tidy(self) -> pd.DataFrame:
        """Return a copy of the frame."""
        return self.frame.copy()

    def at(self, null: float) -> FloatArray:
        """Return the p-values of another null on the same draws, (K,).

        Raises
        ------
        UsageError
            For a statistic that would have to be drawn again.
        """
        if self.redraw.statistic not in INVERTIBLE:
            raise UsageError(
                f"the statistic {self.redraw.name!r} does not say what it would be under another "
                "null: pass lottery.Redraw(null=...) to a new call."
            )
        exact = self.frame["exact"].to_numpy()
        one, tau = np.ones(1), np.array([null], dtype=np.float64)
        p = [
            p_at(seen, self.curves[:, k], bool(exact[k]), one, tau)[0]
            for k, seen in enumerate(self.observed)
        ]
        return np.where(self.frame["p_value"].isna(), np.nan, p)

    def adjusted(
        self, method: StepDown = "westfall_young", outcomes: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Return the frame with step-down p-values of a family, column ``p_adjusted``.

        Both methods keep the chance of any false rejection in the family at its level, whatever
        the dependence between outcomes, since all of them lie in the same draws.

        Parameters
        ----------
        method : {"westfall_young", "romano_wolf"}
            The smallest p-value of each draw (Westfall and Young 1993), for any statistic; or the
            largest studentised statistic (Romano and Wolf 2005, doi
            10.1198/016214504000000539).
        outcomes : sequence of str, optional
            The family; left out, all rows.

        Raises
        ------
        UsageError
            For an unknown outcome, or Romano and Wolf's method on a statistic with a scale.
        """
        one_of(method, StepDown, "adjusted(method)")
        if method == "romano_wolf" and self.redraw.statistic != "studentised":
            raise UsageError(
                "adjusted('romano_wolf') compares statistics between outcomes, which needs "
                "Redraw(statistic='studentised'); use 'westfall_young' for others."
            )
        family = self._family(outcomes)
        usable = self.frame["p_value"].notna().to_numpy()[family]
        rows = family[usable]
        adjusted = np.full(len(family), np.nan)
        if len(rows):
            observed = self.frame["statistic"].to_numpy(dtype=np.float64)[rows]
            down = step_down.maximum if method == "romano_wolf" else step_down.minimum
            exact = bool(self.frame["exact"].all())
            adjusted[usable] = down(observed, self.draws[:, rows], exact)
        return self.frame.iloc[family].assign(p_adjusted=adjusted).reset_index(drop=True)

    def _family(self, outcomes: Sequence[str] | None) -> IntArray:
        """Return the rows of a family."""
        if outcomes is None:
            return np.arange(len(self))
        wanted = [outcomes] if isinstance(outcomes, str) else list(outcomes)
        known = self.frame["outcome"].unique()
        unknown = [name for name in wanted if name not in known]
        if unknown:
            raise UsageError(
                f"{unknown[0]!r} was not tested; there are {', '.join(map(str, known))}."
            )
        return np.flatnonzero(self.frame["outcome"].isin(wanted))
