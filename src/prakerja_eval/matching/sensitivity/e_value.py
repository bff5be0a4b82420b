"""How strongly would a hidden trait have to go with treatment and outcome, to explain an effect?"""

from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import Estimate, Findings, infer

PER_DIFFERENCE = 0.91  # log risk ratio of one standard deviation
COLUMNS = ("outcome", "wave", "risk_ratio", "low", "high", "e_value", "e_value_limit", "status")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EValue:
    """E-values of effects.

    Attributes
    ----------
    frame : DataFrame
        A row an effect: outcome, wave, risk_ratio with its interval low, high; e_value, and
        e_value_limit, that of the end of the interval nearest 1 (1 where the interval holds 1);
        status.
    """

    frame: pd.DataFrame

    @property
    def verdict(self) -> str:
        """Say in words what the E-values mean, a line an effect."""
        return "\n".join(_verdict(row) for _, row in self.frame.iterrows())

    def __repr__(self) -> str:
        return f"{self._shown().to_string(index=False)}\n{self.verdict}"

    def _repr_html_(self) -> str:
        table = str(self._shown().to_html(index=False, border=0))
        return f"{table}<p>{escape(self.verdict)}</p>".replace("\n", "<br>")

    def _shown(self) -> pd.DataFrame:
        frame = self.frame.dropna(axis=1, how="all")
        numbers = [c for c in COLUMNS[2:7] if c in frame]
        return frame.assign(**{c: frame[c].map("{:.2f}".format) for c in numbers})


def e_value(
    estimate: Estimate | Findings | None = None,
    *,
    sd: float | None = None,
    level: float = 0.95,
    risk_ratio: float | None = None,
    difference: float | None = None,
    low: float | None = None,
    high: float | None = None,
) -> EValue:
    """Say how strong hidden confounding would have to be, to explain an effect away.

    The E-value is the smallest risk ratio that a hidden trait would need, given the covariates,
    both with treatment and with the outcome:

        E = RR + sqrt(RR (RR - 1)),   1 / RR in place of an RR below 1.

    Parameters
    ----------
    estimate : Estimate or Findings, optional
        Effects. Left out ``sd``, on outcomes of 0 and 1: RR = (comparison mean + effect) /
        comparison mean, its interval from that of the effect with the comparison mean taken as
        known.
    sd : float, optional
        Standard deviation of a continuous outcome. The effect is divided by it and RR = exp(.91 d),
        an approximation.
    level : float
        Coverage of the intervals of an Estimate.
    risk_ratio, difference : float, optional
        A published risk ratio, or difference in standard deviations, instead of ``estimate``.
    low, high : float, optional
        Its interval.

    Returns
    -------
    EValue

    Raises
    ------
    UsageError
        Unless one of estimate, risk_ratio and difference is given; for a risk ratio that is not
        above zero, an interval that does not hold it, or effects on an outcome that is no share.

    References
    ----------
    VanderWeele and Ding (2017), doi 10.7326/M16-2607.

    Examples
    --------
    >>> import prakerja_eval as pe
    >>> found = pe.matching.e_value(risk_ratio=3.9, low=1.8, high=8.7)
    >>> found.frame[["e_value", "e_value_limit"]].round(2).iloc[0].tolist()
    [7.26, 3.0]
    """
    given = [v is not None for v in (estimate, risk_ratio, difference)]
    if sum(given) != 1:
        raise UsageError("e_value needs one of an Estimate, risk_ratio=... and difference=...")
    if sd is not None and not 0 < sd < np.inf:
        raise UsageError(f"e_value(sd={sd}) must be above zero, in units of the outcome.")
    if estimate is None:
        return EValue(_frame([_numbers(risk_ratio, difference, low, high)]))
    if low is not None or high is not None:
        raise UsageError("e_value takes the interval of an Estimate from its inference.")
    found = estimate if isinstance(estimate, Findings) else infer(estimate, level=level)
    return EValue(_frame([_of_row(row, sd) for _, row in found.frame.iterrows()]))


def needed(risk_ratio: float) -> float:
    """Return the E-value of a risk ratio."""
    if np.isnan(risk_ratio):
        return float("nan")
    ratio = max(risk_ratio, 1 / risk_ratio) if risk_ratio > 0 else float("inf")
    return float(ratio + np.sqrt(ratio * (ratio - 1))) if np.isfinite(ratio) else float("inf")


def _limit(ratio: float, low: float, high: float) -> float:
    """Return the E-value of the end nearest 1; 1 where the interval holds 1."""
    end = low if ratio >= 1 else high
    if np.isnan(end):
        return float("nan")
    return 1.0 if (end <= 1) == (ratio >= 1) else needed(end)


def _numbers(
    risk_ratio: float | None, difference: float | None, low: float | None, high: float | None
) -> tuple[object, ...]:
    """Return the row of plain numbers."""
    point = risk_ratio if risk_ratio is not None else difference
    ends = [np.nan if v is None else float(v) for v in (low, point, high)]
    inside = [v for v in ends if not np.isnan(v)]
    if inside != sorted(inside) or np.isnan(ends[1]):
        raise UsageError(f"e_value: {point} does not lie between low={low} and high={high}.")
    if risk_ratio is not None and min(inside) <= 0:
        raise UsageError("e_value: a risk ratio and its interval lie above zero.")
    if difference is not None:
        ends = [float(np.exp(PER_DIFFERENCE * v)) for v in ends]
    return (None, None, ends[1], ends[0], ends[2], "ok")


def _of_row(row: pd.Series, sd: float | None) -> tuple[object, ...]:
    """Return the row of one effect."""
    values = [float(row[c]) for c in ("estimate", "conf_low", "conf_high")]
    mean = float(row["comparison_mean"])
    head = (row["outcome"], row["wave"])
    if np.isnan(values[0]):
        return (*head, np.nan, np.nan, np.nan, row["status"])
    if sd is not None:
        return (*head, *(float(np.exp(PER_DIFFERENCE * v / sd)) for v in values), row["status"])
    if not (0 < mean < 1 and 0 <= mean + values[0] <= 1):
        raise UsageError(
            f"e_value: {row['outcome']!r} goes from {mean:.4g} to {mean + values[0]:.4g}, so that "
            "it is no share of people between 0 and 1; give sd=... for a continuous outcome."
        )
    ratios = [(mean + v) / mean for v in values]
    if ratios[1] < 0:  # a normal interval may reach below a risk of zero
        return (*head, ratios[0], 0.0, ratios[2], "the interval reaches below a risk of zero")
    return (*head, *ratios, row["status"])


def _frame(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    """Add the E-values."""
    frame = pd.DataFrame(rows, columns=["outcome", "wave", "risk_ratio", "low", "high", "status"])
    ends = frame[["risk_ratio", "low", "high"]].to_numpy(dtype=float)
    frame["e_value"] = [needed(r) for r, _, _ in ends]
    frame["e_value_limit"] = [_limit(*e) for e in ends]
    return frame[list(COLUMNS)]


def _verdict(row: pd.Series) -> str:
    where = "" if row["outcome"] is None else f"{row['outcome']}: "
    where = where if row["wave"] is None else f"{row['outcome']}, wave {row['wave']}: "
    if np.isnan(row["e_value"]):
        return f"{where}no E-value ({row['status']})."
    said = (
        f"{where}a hidden trait would have to go with both treatment and outcome by a risk ratio "
        f"of {row['e_value']:.2f}, beyond the covariates, to explain the effect away"
    )
    if np.isnan(row["e_value_limit"]):
        return f"{said}."
    if row["e_value_limit"] == 1:
        return f"{said}; none is needed for an interval that holds no effect, since this one does."
    return f"{said}; {row['e_value_limit']:.2f} for its interval to reach no effect."
