"""Were trends parallel before treatment, and could the test have seen it if they were not?"""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import ndtri

from prakerja_eval.did.kernel_pretest import after_passing, joint_power, passing
from prakerja_eval.did.long_differences import LongDifferences, long_differences
from prakerja_eval.errors import UsageError
from prakerja_eval.estimate import Estimate, Inference, WaldTest, subset, wald
from prakerja_eval.estimate.estimate import REFERENCE
from prakerja_eval.estimate.specs import instance_of
from prakerja_eval.typing import FloatArray

COLUMNS = ("event_time", "estimate", "trend", "expected_after_passing", "bias_from_passing")
POWERS = (0.5, 0.8)
RARE = 1e-3  # a test that passes less often says nothing of the estimates when it does
FAR = 40.0  # standard errors of one coefficient, which every test sees
FINE = 1e-6  # of a detectable slope, relative; its probability is known to 5e-5


def pretrends(
    cells: Estimate, inference: Inference | None = None, *, before: float | None = None
) -> WaldTest:
    """Test that all rows before treatment are zero.

    Parameters
    ----------
    cells : Estimate
        Cohort-by-wave effects, an event study, or ``did.imputation_pretrend``.
    inference : Inference, optional
        Left out, the rows' default.
    before : float, optional
        Test the rows with an event time below this one. Left out: the rows with the estimand
        "pre-trend", which leaves out the waves in which the design lets people act beforehand.

    Returns
    -------
    WaldTest
        Chi-squared on as many degrees of freedom as there are rows. A reference, which is zero by
        construction, does not count.

    Raises
    ------
    UsageError
        If there is no such row.
    NotEstimableError
        If one has no standard error, or their covariance is singular.

    References
    ----------
    Callaway and Sant'Anna (2021), doi 10.1016/j.jeconom.2020.12.001.
    """
    instance_of(cells, Estimate, "did.pretrends")
    early = cells.index["estimand"] == "pre-trend"
    if before is not None:
        early = cells.index["event_time"].astype(float) < before
    rows = np.flatnonzero(early & (cells.counts["status"] != REFERENCE))
    if not len(rows):
        said = (
            "with the estimand 'pre-trend'" if before is None else f"before event time {before:g}"
        )
        raise UsageError(f"did.pretrends: no row {said} that is not the reference.")
    kept = subset(cells, rows=list(rows))
    return wald(kept, inference, null=_null(kept))


def _null(rows: Estimate) -> str:
    outcome = ", ".join(dict.fromkeys(map(str, rows.index["outcome"])))
    event = rows.index["event_time"].to_numpy(dtype=np.float64)
    span = f"event times {event.min():g} to {event.max():g}"
    span = f"event time {event.min():g}" if event.min() == event.max() else span
    return f"no effect on {outcome} before treatment ({len(rows)} rows, {span})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PretrendPower:
    """What a pre-test sees of a linear violation of parallel trends.

    Attributes
    ----------
    frame : DataFrame
        One row an event time: event_time, estimate, trend (the violation: the bias of an effect),
        expected_after_passing (the bias given that no coefficient before treatment is significant),
        bias_from_passing (their difference, which the test adds); NaN where the test passes less
        than once in a thousand.
    slope : float
        Of the violation, per unit of event time.
    individual, joint : float
        How often any coefficient before treatment is significant; how often the Wald test rejects.
    detectable : DataFrame
        power, individual, joint: the slopes that the two tests detect with this power.
    outcome : str
    level : float
        One less the size of each test.
    """

    frame: pd.DataFrame
    slope: float
    individual: float
    joint: float
    detectable: pd.DataFrame
    outcome: str
    level: float

    def __repr__(self) -> str:
        tables = (_shown(self.detectable), _shown(self.frame))
        return "\n\n".join([self._head(), *(t.to_string(index=False) for t in tables)])

    def _repr_html_(self) -> str:
        tables = (_shown(self.detectable), _shown(self.frame))
        html = "".join(str(t.to_html(index=False, border=0)) for t in tables)
        return f"<p>{escape(self._head())}</p>{html}"

    def _head(self) -> str:
        return (
            f"A linear violation of {self.slope:.4g} per unit of event time in {self.outcome} is "
            f"detected by a coefficient before treatment (at {1 - self.level:.0%} each) with "
            f"probability {self.individual:.3f}, by the joint test with {self.joint:.3f}."
        )


def _shown(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.map(lambda v: float(f"{v:.4g}"))


def pretrend_power(
    event_study: Estimate,
    slope: float | None = None,
    *,
    power: float = 0.5,
    inference: Inference | None = None,
    level: float = 0.95,
) -> PretrendPower:
    """Return the power of the pre-test against a linear trend, and the bias if it passes.

    Parameters
    ----------
    event_study : Estimate
        Differences from one reference (a universal base), as for ``did.honest``.
    slope : float, optional
        Of the differential trend, per unit of event time. Left out: the one at which some
        coefficient before treatment is significant with probability ``power``.
    power : float
        Also listed among the detectable slopes, beside 0.5 and 0.8.
    inference : Inference, optional
        Left out, the rows' default.
    level : float
        One less the size of the tests; normal quantiles.

    Raises
    ------
    UsageError
        With a varying base or several event studies; a power that the tests have without violation.
    NotEstimableError
        If a coefficient has no variance.

    References
    ----------
    Roth (2022), doi 10.1257/aeri.20210236.
    """
    if not 0.5 < level < 1:
        raise UsageError(f"did.pretrend_power(level={level!r}) must lie between 0.5 and 1.")
    if not 0 < power < 1:
        raise UsageError(f"did.pretrend_power(power={power!r}) must lie between 0 and 1.")
    if slope is not None and not np.isfinite(slope):
        raise UsageError(f"did.pretrend_power(slope={slope!r}) must be a finite number.")
    study = long_differences(event_study, inference, "did.pretrend_power")
    tests = _tests(study, level)
    powers = sorted({power, *POWERS})
    slopes = [[_slope(study, test, wanted) for test in tests] for wanted in powers]
    asked = slopes[powers.index(power)][0] if slope is None else float(slope)
    detectable = pd.DataFrame(slopes, columns=["individual", "joint"])
    detectable.insert(0, "power", powers)
    return PretrendPower(
        frame=_frame(study, asked, level),
        slope=asked,
        individual=tests[0](asked),
        joint=tests[1](asked),
        detectable=detectable,
        outcome=str(event_study.index["outcome"].iloc[0]),
        level=level,
    )


def _half(study: LongDifferences, level: float) -> FloatArray:
    """Return the largest coefficients before treatment that are not significant."""
    variance = np.diag(study.covariance)[: study.n_pre]
    return np.asarray(ndtri((1 + level) / 2) * np.sqrt(variance))


def _tests(
    study: LongDifferences, level: float
) -> tuple[Callable[[float], float], Callable[[float], float]]:
    """Return the power of the individual tests and of the joint one, by slope."""
    n_pre = study.n_pre
    distance = (study.time - study.reference)[:n_pre]
    before, half = study.covariance[:n_pre, :n_pre], _half(study, level)
    return (
        lambda slope: 1 - passing(slope * distance, before, half),
        lambda slope: joint_power(slope * distance, before, 1 - level),
    )


def _slope(study: LongDifferences, test: Callable[[float], float], power: float) -> float:
    """Return the slope that a test detects with this power."""
    if test(0.0) >= power:
        raise UsageError(
            f"did.pretrend_power(power={power:g}): the test rejects as often, {test(0.0):.3f}, "
            "without any violation; ask for more."
        )
    far = study.reference - study.time[: study.n_pre]
    sd = np.sqrt(np.diag(study.covariance)[: study.n_pre])
    most = FAR * float((sd / far).min())
    return float(brentq(lambda slope: test(slope) - power, 0.0, most, xtol=FINE * most))


def _frame(study: LongDifferences, slope: float, level: float) -> pd.DataFrame:
    trend = slope * (study.time - study.reference)
    found = after_passing(trend, study.covariance, _half(study, level))
    after = found.mean if found.passing > RARE else np.full(len(trend), np.nan)
    columns = (study.time, study.theta, trend, after, after - trend)
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
