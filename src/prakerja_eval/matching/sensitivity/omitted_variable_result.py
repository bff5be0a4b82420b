"""What would the answers of a regression be with an omitted variable in it?"""

from dataclasses import dataclass, replace
from html import escape
from typing import Literal, TypeAlias

import numpy as np
import pandas as pd
from scipy import special

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import Estimate, infer
from prakerja_eval.estimate.specs import one_of
from prakerja_eval.matching.sensitivity.omitted_variable_kernel import (
    Strength,
    adjusted,
    bound,
    robustness_value,
)

Kind: TypeAlias = Literal["estimate", "t"]

IMPOSSIBLE = "nothing can be that strong: a partial R2 above one"
UNBOUNDED = "no bound on the strength with the outcome: taken as one"
GRID = 81
BOUNDS = (
    *("outcome", "wave", "benchmark", "k", "r2_treatment", "r2_outcome"),
    *("estimate", "std_error", "statistic", "conf_low", "conf_high", "status"),
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OmittedVariable:
    """Least-squares answers and how an omitted variable would change them.

    Attributes
    ----------
    estimate : Estimate
        A row an outcome and wave, under the classical variance.
    benchmarks : DataFrame
        A row an estimate and benchmark: row (position of the estimate), benchmark, r2_treatment,
        r2_outcome (partial R2 of the observed covariate).
    k : tuple of float
        Multiples of the benchmarks' strength.
    q : float
        Share of the estimate that is to be explained away.
    level : float
        Coverage of intervals; 1 - level is the significance of ``rv_qa``.
    """

    estimate: Estimate
    benchmarks: pd.DataFrame
    k: tuple[float, ...]
    q: float = 1.0
    level: float = 0.95

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise UsageError(f"level is {self.level}; it must lie between 0 and 1, 0.95 say.")
        if not 0 < self.q < np.inf:
            raise UsageError(f"q is {self.q}; it must be above zero, 1 for the whole estimate.")
        if not self.k or not all(0 < k < np.inf for k in self.k):
            raise UsageError("k takes numbers above zero, (1, 2, 3) say.")

    def at(self, *, level: float | None = None, q: float | None = None) -> "OmittedVariable":
        """Return the same at another level, or for another share of the estimate."""
        changed = {n: v for n, v in (("level", level), ("q", q)) if v is not None}
        return replace(self, **changed)  # type: ignore[arg-type]

    @property
    def frame(self) -> pd.DataFrame:
        """Return a row an estimate, with its partial R2 and robustness values.

        partial_r2 and partial_f2 are the treatment's; rv_q is the strength, alike with treatment
        and outcome, that does away with the share q of the estimate; rv_qa with its significance.
        """
        found = infer(self.estimate, level=self.level).frame
        frame = found[["outcome", "wave", "estimate", "std_error", "statistic", "df"]].copy()
        f = np.abs(frame["statistic"]) / np.sqrt(frame["df"])
        frame["partial_r2"] = f**2 / (1 + f**2)
        frame["partial_f2"] = f**2
        frame["rv_q"] = [robustness_value(self.q * v, 0.0) for v in f]
        frame["rv_qa"] = [
            robustness_value(self.q * v, self._critical(df - 1) / np.sqrt(df - 1))
            for v, df in zip(f, frame["df"], strict=True)
        ]
        return frame

    @property
    def bounds(self) -> pd.DataFrame:
        """Return the answer with an omitted variable k times as strong as each benchmark.

        Columns outcome, wave, benchmark, k, r2_treatment, r2_outcome, estimate, std_error,
        statistic, conf_low, conf_high (quantiles on the regression's degrees of freedom), status.
        """
        frame = self.frame
        rows = []
        for row, name, d, y in self.benchmarks.itertuples(index=False):
            fit = frame.iloc[row]
            for k in self.k:
                strength = bound(Strength(d, y), k)
                rows.append(self._bound(fit, str(name), k, strength))
        return pd.DataFrame(rows, columns=list(BOUNDS))

    def contour(
        self, kind: Kind = "estimate", *, row: int = 0, largest: float = 0.4
    ) -> pd.DataFrame:
        """Return the adjusted estimate, or its t-ratio, over a grid of strengths.

        Parameters
        ----------
        kind : {"estimate", "t"}
            The t-ratio is that of the hypothesis that 1 - q of the estimate is left.
        row : int
            Position of the estimate.
        largest : float
            Largest partial R2 on both axes.

        Returns
        -------
        DataFrame
            outcome, wave, kind, r2_treatment, r2_outcome, value, critical: the value at which the
            answer is explained away, or its significance lost.
        """
        one_of(kind, Kind, "contour(kind)")
        if not 0 < largest < 1:
            raise UsageError(f"contour(largest={largest}) must lie between 0 and 1.")
        fit = self.frame.iloc[row]
        side = np.linspace(0, largest, GRID)
        d, y = (m.ravel() for m in np.meshgrid(side, side, indexing="ij"))
        left = (1 - self.q) * fit["estimate"]
        moved = adjusted(fit["estimate"], fit["std_error"], fit["df"], d, y)
        value, critical = moved.estimate, left
        if kind == "t":
            value = (moved.estimate - left) / moved.std_error
            critical = np.sign(fit["estimate"]) * self._critical(fit["df"] - 1)
        head = {"outcome": fit["outcome"], "wave": fit["wave"], "kind": kind}
        numbers = {"r2_treatment": d, "r2_outcome": y, "value": value, "critical": critical}
        return pd.DataFrame(head | numbers)

    @property
    def verdict(self) -> str:
        """Say in words how strong the omitted variable would have to be, a line an estimate."""
        said = [_verdict(fit, self.q, self.level) for _, fit in self.frame.iterrows()]
        said += [_bound_verdict(b) for _, b in self.bounds.iterrows()]
        return "\n".join(said)

    def _critical(self, df: float) -> float:
        return float(special.stdtrit(df, (1 + self.level) / 2))

    def _bound(self, fit: pd.Series, name: str, k: float, at: Strength) -> tuple[object, ...]:
        theta, se, df = (float(fit[c]) for c in ("estimate", "std_error", "df"))
        moved = adjusted(theta, se, df, np.array(at.treatment), np.array(at.outcome))
        left = (1 - self.q) * fit["estimate"]
        value, se = float(moved.estimate), float(moved.std_error)
        half = self._critical(fit["df"]) * se
        status = IMPOSSIBLE if np.isnan(at.treatment) else "ok"
        if at.outcome >= 1:  # nothing would be left to tell its uncertainty by
            status, se, half = UNBOUNDED, np.nan, np.nan
        head = (fit["outcome"], fit["wave"], name, k, at.treatment, at.outcome)
        t = (value - left) / se if se > 0 else np.nan
        return (*head, value, se, t, value - half, value + half, status)

    def __repr__(self) -> str:
        tables = [
            self._shown(f).to_string(index=False) for f in (self.frame, self.bounds) if len(f)
        ]
        return "\n".join([*tables, self.verdict])

    def _repr_html_(self) -> str:
        tables = [
            str(self._shown(f).to_html(index=False, border=0))
            for f in (self.frame, self.bounds)
            if len(f)
        ]
        return "".join(tables) + f"<p>{escape(self.verdict)}</p>".replace("\n", "<br>")

    def _shown(self, frame: pd.DataFrame) -> pd.DataFrame:
        kept = frame.drop(columns=[c for c in ("wave",) if frame[c].isna().all()])
        numbers = kept.select_dtypes("number").columns
        return kept.assign(**{c: kept[c].map("{:.4g}".format) for c in numbers})


def _named(row: pd.Series) -> str:
    return str(row["outcome"]) if row["wave"] is None else f"{row['outcome']}, wave {row['wave']}"


def _percent(share: float) -> str:
    return f"{100 * share:.2g}%"


def _verdict(fit: pd.Series, q: float, level: float) -> str:
    """Say what the robustness values mean."""
    where, what = _named(fit), "the effect" if q == 1 else f"{q:.0%} of the effect"
    said = (
        f"{where}: an omitted variable that explains {_percent(fit['rv_q'])} of what the "
        f"covariates leave of treatment, and as much of the outcome, would do away with {what}"
    )
    if fit["rv_qa"] == 0:
        return f"{said}; at {level:.0%} the estimate cannot be told apart from that as it is."
    return f"{said}; {_percent(fit['rv_qa'])} would make it insignificant at {level:.0%}."


def _bound_verdict(row: pd.Series) -> str:
    """Say what an omitted variable as strong as a covariate would do."""
    times = "" if row["k"] == 1 else f"{row['k']:g} times "
    where = f"{_named(row)}: one {times}as strong as {row['benchmark']}"
    if row["status"] == IMPOSSIBLE:
        return f"{where} cannot exist."
    if row["status"] == UNBOUNDED:
        return (
            f"{where} with the treatment may explain all that is left of the outcome, and would "
            f"then leave {row['estimate']:.4g}: the covariate gives no bound."
        )
    covers = row["conf_low"] <= 0 <= row["conf_high"]
    ends = f"({row['conf_low']:.4g} to {row['conf_high']:.4g})"
    tail = ", an interval with zero in it" if covers else ""
    return f"{where} would leave {row['estimate']:.4g} {ends}{tail}."
