"""Is the offer strong enough an instrument, and what holds if it is not?"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from scipy import special

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import Clustered, Inference, Robust, infer, join, variance
from prakerja_eval.estimate.specs import instance_of
from prakerja_eval.estimate.variance import Variance
from prakerja_eval.lottery.design import Design
from prakerja_eval.lottery.first_stage import NoFirstStageError, effect_row, refuse_unknown_receipt
from prakerja_eval.lottery.itt import default_inference
from prakerja_eval.lottery.late import late_row
from prakerja_eval.lottery.overidentified import blockwise
from prakerja_eval.lottery.regression import prepared
from prakerja_eval.lottery.sample import Sample, samples
from prakerja_eval.numerics.weak import ThetaSet, Z, anderson_rubin, effective_f, tf_critical
from prakerja_eval.numerics.weak_many import invert
from prakerja_eval.panel import PanelProtocol, WaveLabel
from prakerja_eval.typing import FloatArray

Row: TypeAlias = dict[str, Any]

TOLERATED_BIAS = 0.10
TF_LEVEL = 0.95  # the tF curve is that of 5 % tests
STRONG = "strong: worst-case bias below 10 %"
WEAK = "weak: read the Anderson-Rubin set, not the interval"
UNKNOWN = "not known"
COLUMNS = (
    *("outcome", "wave", "specification", "n", "instruments"),
    *("estimate", "std_error", "conf_low", "conf_high"),
    *("first_stage", "first_stage_se", "f_robust", "f_effective", "f_critical", "verdict"),
    *("tf_critical", "tf_std_error", "tf_low", "tf_high"),
    *("ar_shape", "ar_low", "ar_high", "ar_set", "ar_p_value"),
    *("j_statistic", "j_df", "j_p_value", "inference", "status"),
)
PRINTED = ("estimate", "std_error", "first_stage", "f_effective", "f_critical", "tf_std_error")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class WeakInstrument:
    """The strength of the offer as an instrument, and intervals that hold whatever it is.

    Attributes
    ----------
    frame : DataFrame
        A row an outcome and wave: outcome, wave, specification, n, instruments (how many); the LATE
        as estimate, std_error, conf_low, conf_high; first_stage and first_stage_se (the design's
        effect of the offer on receipt); f_robust (Wald statistic of the instruments over their
        number), f_effective, f_critical (bar for a worst-case bias of 10 %), verdict;
        tf_critical, tf_std_error, tf_low, tf_high (one instrument and level .95 only);
        ar_shape ("interval", "two rays", "whole line"; "empty" or "several pieces" with several
        instruments), ar_low and ar_high (the ends of an interval; of two rays the end of the left
        and the start of the right one; the outer ends of several pieces), ar_set (the set
        written out), ar_p_value (of a LATE of zero); j_statistic, j_df, j_p_value (do the blocks
        agree on one effect, several instruments only); inference; status.
    level : float
        Coverage of every interval and set.
    """

    frame: pd.DataFrame
    level: float = 0.95

    def tidy(self) -> pd.DataFrame:
        """Return a copy of the frame."""
        return self.frame.copy()

    def __repr__(self) -> str:
        return f"{self._printed().to_string(index=False, na_rep='')}\n{self._note()}"

    def _repr_html_(self) -> str:
        table = self._printed().to_html(index=False, border=0, na_rep="")
        return f"{table}<p>{escape(self._note())}</p>"

    def _printed(self) -> pd.DataFrame:
        frame = self.frame
        out = frame[["outcome", "wave"]].dropna(axis=1, how="all").copy()
        for column in PRINTED:
            out[column] = [f"{v:.4g}" if np.isfinite(v) else str(v) for v in frame[column]]
        out[["ar_set", "verdict"]] = frame[["ar_set", "verdict"]]
        if (frame["status"] != "ok").any():
            out["status"] = frame["status"]
        return out

    def _note(self) -> str:
        how = "; ".join(dict.fromkeys(self.frame["inference"]))
        return f"Sets and intervals {self.level:.0%}; inference: {how}."


def weak_instrument(
    panel: PanelProtocol,
    outcome: str | Sequence[str],
    design: Design | None = None,
    *,
    waves: Sequence[WaveLabel] | None = None,
    pooled: bool = False,
    inference: Inference | None = None,
    level: float = 0.95,
) -> WeakInstrument:
    """Judge the offer as an instrument, and give what holds if it is weak.

    The Anderson-Rubin set has every θ for which the design's difference in y − θd is not
    significant; it covers at any strength of the first stage. Its ends solve (N − θF)² =
    c (V_NN − 2θV_NF + θ²V_FF), with N and F the effects of the offer on outcome and receipt.

    Parameters
    ----------
    panel, outcome, design, waves, pooled
        As in ``late``.
    inference : Robust or Clustered, optional
        Of every figure: variance, and χ² or F quantiles as it has normal or Student ones. Left
        out, the design's own.
    level : float
        Coverage of intervals and sets. The tF columns are for .95 alone.

    Returns
    -------
    WeakInstrument
        A row an outcome and wave, in ``frame``.

    Raises
    ------
    UsageError
        For an inference other than ``Robust`` or ``Clustered``, or "welch" quantiles.
    NotEstimableError
        As ``late``, but for a first stage of zero, whose Anderson-Rubin set is the answer.

    References
    ----------
    Anderson and Rubin (1949), doi 10.1214/aoms/1177730090. Montiel Olea and Pflueger (2013),
    doi 10.1080/00401706.2013.806694. Lee, McCrary, Moreira and Porter (2022),
    doi 10.1257/aer.20211063.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> frame = pd.DataFrame({"id": list("abcdefgh"), "won": [1] * 4 + [0] * 4,
    ...                       "trained": [1, 1, 1, 0, 0, 0, 1, 0],
    ...                       "income": [5.0, 4.0, 2.0, 1.0, 3.0, 2.0, 2.0, 1.0]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", offer="won", received="trained"))
    >>> pe.lottery.weak_instrument(panel, "income").frame["ar_shape"][0]
    'whole line'
    """
    design = Design() if design is None else design
    instance_of(design, Design, "design")
    if not 0 < level < 1:
        raise UsageError(f"level is {level}; it must lie between 0 and 1, 0.95 say.")
    if inference is not None:
        _refuse_inference(inference)
    found = samples(panel, outcome, design, waves, pooled, ("offer", "received"))
    rows = [_row(sample, design, inference, level) for sample in found]
    return WeakInstrument(pd.DataFrame(rows, columns=list(COLUMNS)), level)


def _refuse_inference(inference: Inference) -> None:
    instance_of(inference, Inference, "inference")
    if not isinstance(inference, Robust | Clustered) or (
        isinstance(inference, Robust) and inference.reference == "welch"
    ):
        raise UsageError(
            f"weak_instrument cannot use {inference.label}: its variance or quantiles do not hold "
            "for every value that the Anderson-Rubin set tries. Give Robust('HC2'), or Clustered."
        )


def _row(sample: Sample, asked: Design, inference: Inference | None, level: float) -> Row:
    """Return one row of the frame."""
    refuse_unknown_receipt(sample)
    spec = default_inference(sample, asked) if inference is None else inference
    blocks = int(sample.block.max()) + 1
    K = blocks if asked.instruments == "offer_by_block" else 1
    row: Row = {
        "outcome": sample.outcome,
        "wave": "pooled" if sample.pooled else sample.wave,
        "n": len(sample.units),
        "instruments": K,
        "inference": spec.label,
    }
    row |= _estimate(sample, asked, spec, level)
    sample, design = prepared(sample, asked, sample.y, sample.received)
    first = effect_row(sample.received, sample, asked, design)
    reduced = effect_row(sample.y, sample, asked, design)
    both = variance(join(reduced, first), spec)
    row |= {"first_stage": float(first.theta[0]), "first_stage_se": np.sqrt(both.covariance[1, 1])}
    if K > 1:
        return _verdict(row | _several(row, sample, spec, level))
    effects = float(reduced.theta[0]), float(first.theta[0])
    return _verdict(row | _single(row, effects, both, level))


def _estimate(sample: Sample, asked: Design, spec: Inference, level: float) -> Row:
    """Return the LATE with its conventional interval; NaN where there is no first stage."""
    names = ("estimate", "std_error", "conf_low", "conf_high")
    try:
        found = infer(late_row(sample, asked), spec, level=level).frame.iloc[0]
    except NoFirstStageError as error:
        return dict.fromkeys(names, np.nan) | {"specification": None, "status": str(error)}
    return {name: found[name] for name in (*names, "specification", "status")}


def _single(row: Row, effects: tuple[float, float], both: Variance, level: float) -> Row:
    """Return strength, tF and Anderson-Rubin set of one instrument."""
    N, F = effects
    V, df = both.covariance, float(both.df.min())
    bad = next((s for s in both.status if s != "ok"), None)
    if bad is not None or not np.isfinite(V).all():
        return {"status": bad or UNKNOWN}
    strength = effective_f(np.array([F]), V[1:, 1], np.ones(1), TOLERATED_BIAS)
    accepted = anderson_rubin(N, F, V, _squared_quantile(df, level))
    return {
        "f_robust": strength.F,
        "f_effective": strength.F,
        "f_critical": strength.critical,
        "ar_p_value": _beyond(N * N / V[0, 0], df) if V[0, 0] > 0 else np.nan,
        **_set_columns(accepted),
        **(_tf(row, strength.F) if level == TF_LEVEL else {}),
    }


def _tf(row: Row, F: float) -> Row:
    """Return the tF critical value, and the interval widened by its ratio to that of the normal."""
    c, theta = tf_critical(F), row["estimate"]
    half = (row["conf_high"] - theta) * c / Z
    return {
        "tf_critical": c,
        "tf_std_error": row["std_error"] * c / Z,
        "tf_low": theta - half,
        "tf_high": theta + half,
    }


def _several(row: Row, sample: Sample, spec: Inference, level: float) -> Row:
    """Return strength, Anderson-Rubin set and over-identification test of K instruments."""
    found = blockwise(sample, spec)
    reduced, law, K = found.reduced, found.law, len(found.reduced.g)
    if not np.isfinite(reduced.ff).all():
        return {"status": found.status}
    strength = effective_f(reduced.f, reduced.ff, found.Q, TOLERATED_BIAS)
    row = row | {
        "f_robust": reduced.wald() / K,
        "f_effective": strength.F,
        "f_critical": strength.critical,
    }
    if found.status != "ok":
        return row | {"status": found.status}
    theta, scale = row["estimate"], row["std_error"]
    if not np.isfinite([theta, scale]).all():
        theta, scale = 0.0, 1.0
    made = invert(reduced, theta, scale, law.quantile(level))
    return {
        **row,
        **_set_columns(made.accepted),
        "ar_p_value": law.beyond(reduced.quadratic(1.0, 0.0)),
        "j_statistic": made.least,
        "j_df": K - 1,
        "j_p_value": law.beyond(made.least, (K - 1) / K),
    }


def _squared_quantile(df: float, level: float) -> float:
    """Return the quantile of a squared t-ratio; df is infinite for the normal distribution."""
    tail = (1 + level) / 2
    return float(special.ndtri(tail) if np.isinf(df) else special.stdtrit(df, tail)) ** 2


def _beyond(squared: float, df: float) -> float:
    """Return the p-value of a squared t-ratio."""
    t = -np.sqrt(squared)
    return float(2 * (special.ndtr(t) if np.isinf(df) else special.stdtr(df, t)))


def _set_columns(accepted: ThetaSet) -> Row:
    pieces, shape = accepted.pieces, accepted.shape
    low, high = (pieces[0, 0], pieces[-1, 1]) if len(pieces) else (np.nan, np.nan)
    if shape == "two rays":
        finite = pieces[np.isfinite(pieces)]
        low, high = (finite[0], finite[-1]) if len(finite) == 2 else (low, high)
    return {
        "ar_shape": shape,
        "ar_low": float(low),
        "ar_high": float(high),
        "ar_set": _written(pieces),
    }


def _written(pieces: FloatArray) -> str:
    """Write a set out: "[1.2, 3.4]", or "(-inf, -5.1] or [2.2, inf)"."""
    if not len(pieces):
        return "no value"
    parts = []
    for low, high in pieces:
        left = "(-inf" if np.isinf(low) else f"[{low:.6g}"
        right = "inf)" if np.isinf(high) else f"{high:.6g}]"
        parts.append(f"{left}, {right}")
    return " or ".join(parts)


def _verdict(row: Row) -> Row:
    """Say whether the effective F clears its bar."""
    if "f_effective" not in row:
        return row | {"verdict": UNKNOWN}
    strong = row["f_effective"] > row["f_critical"]
    return row | {"verdict": STRONG if strong else WEAK}
