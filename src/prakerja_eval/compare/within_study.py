"""Would we have found the experiment's answer without the experiment?

LaLonde's comparison in one call: the experiment's treated people with comparison people from
elsewhere, by any number of specifications, each beside the lottery's own answer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from prakerja_eval import lottery
from prakerja_eval.compare.agreement import differences
from prakerja_eval.errors import DataError, NotEstimableError, UsageError
from prakerja_eval.estimate import Estimate, Inference, WaldTest, join, rename, test_equal
from prakerja_eval.estimate.hypotheses import LIKE_WITH_LIKE
from prakerja_eval.panel import PanelProtocol

Specification = Callable[[PanelProtocol], Estimate]
BENCHMARK = "experiment"
COLUMNS = (
    *("comparison", "specification", "estimate", "std_error", "conf_low", "conf_high"),
    *("bias", "bias_std_error", "bias_low", "bias_high", "p_value", "share", "status"),
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class WithinStudy:
    """What observational specifications say, beside the experiment's answer on the same people.

    Attributes
    ----------
    outcome : str
    wave : object
        Of the benchmark; None if there is none.
    frame : DataFrame
        The experiment first, then a row a comparison group and specification: estimate, std_error,
        conf_low, conf_high; ``bias``, its difference from the experiment, with bias_std_error,
        bias_low, bias_high, p_value (NaN for the experiment); ``share``, the bias as a share of
        the experiment's estimate; status "ok", or why a number is missing.
    joint : WaldTest or None
        That all comparable rows equal the experiment, with their joint covariance.
    joint_status : str
        "ok", or why there is no joint test.
    estimates : Estimate
        The experiment and every row that answers its question, joined by person.
    level : float
        Coverage of the intervals.
    """

    outcome: str
    wave: object
    frame: pd.DataFrame
    joint: WaldTest | None
    joint_status: str
    estimates: Estimate
    level: float

    @property
    def verdict(self) -> str:
        """Return in words how many specifications recover the experiment's answer."""
        rows = self.frame[self.frame["bias_std_error"].notna()]
        apart = int((rows["p_value"] < 1 - self.level).sum())
        if not len(rows):
            return "No specification can be compared with the experiment."
        nearest = rows.loc[rows["bias"].abs().idxmin()]
        widest = rows.loc[rows["bias_std_error"].idxmax()]
        return (
            f"{len(rows) - apart} of {len(rows)} specifications have an interval of the bias that "
            f"includes zero at {self.level:.0%}. The smallest bias is {nearest['bias']:,.4g} "
            f"({_named(nearest)}). Its standard errors reach {widest['bias_std_error']:,.4g} "
            f"({_named(widest)}): an interval around zero is no news where it is that wide."
        )

    def __repr__(self) -> str:
        table = self.frame.drop(columns=["bias_low", "bias_high"]).round(4)
        test = repr(self.joint) if self.joint else f"no joint test: {self.joint_status}"
        return f"{table.to_string(index=False)}\n{self.verdict}\n{test}"

    def _repr_html_(self) -> str:
        return f"{self.frame.round(4).to_html(index=False, border=0)}<p>{escape(self.verdict)}</p>"


def within_study(
    experiment: PanelProtocol,
    observational: PanelProtocol | Mapping[str, PanelProtocol],
    outcome: str,
    specifications: Mapping[str, Specification],
    *,
    benchmark: Specification | None = None,
    inference: Inference | None = None,
    level: float = 0.95,
) -> WithinStudy:
    """Compare observational estimates with the lottery's, the treated people being the same.

    Bias of a specification = its estimate − the experiment's. Its standard error takes account of
    the people whom both share: it comes from their joint influence, joined on unit id.

    Parameters
    ----------
    experiment : Panel
        Winners and losers of the lottery, with Roles ``offer``.
    observational : Panel, or mapping of name to Panel
        The treated of the experiment, under the same ids, with comparison people from elsewhere:
        one panel for each comparison group.
    outcome : str
        Numeric column.
    specifications : mapping of name to callable
        Each takes a panel and returns an Estimate of one row:
        ``{"matched": lambda p: matching.att(p, matching.match(p, covariates=X), "income")}``.
    benchmark : callable, optional
        As a specification, for the experiment. Left out: ``lottery.late`` weighted by treated
        people, which is the effect on the treated and so comparable with an ATT.
    inference : Inference, optional
        One for all rows; left out, each row's default.
    level : float
        Coverage of the intervals.

    Returns
    -------
    WithinStudy

    Raises
    ------
    UsageError
        If nothing is asked, or the benchmark or a specification has several rows.

    Notes
    -----
    A specification that refuses, or whose estimand, population, wave or weighting is not the
    benchmark's (a caliper that dropped treated people, say), is a row with its reason as status;
    it has no bias.

    References
    ----------
    LaLonde (1986), https://www.jstor.org/stable/1806062. Dehejia and Wahba (1999),
    doi 10.1080/01621459.1999.10473858.

    Examples
    --------
    >>> import numpy as np, pandas as pd, prakerja_eval as pe
    >>> age, group = np.tile(np.arange(20, 30), 6), np.repeat(["t", "c", "s"], 20)
    >>> frame = pd.DataFrame({"id": np.arange(60), "age": age, "group": group})
    >>> frame["won"] = (frame["group"] == "t").astype(int)
    >>> frame["income"] = frame["age"] + 2.0 * frame["won"] + frame["id"] % 3
    >>> whole = pe.read_panel(frame, pe.Roles(unit="id", offer="won", received="won"))
    >>> lottery, survey = whole.where(group=("t", "c")), whole.where(group=("t", "s"))
    >>> def matched(p):
    ...     return pe.matching.att(p, pe.matching.match(p, covariates=["age"]), "income")
    >>> found = pe.compare.within_study(lottery, survey, "income", {"nearest": matched})
    >>> list(found.frame["specification"])
    ['experiment', 'nearest']
    """
    if not specifications:
        raise UsageError("within_study compares specifications; name at least one.")
    panels = observational if isinstance(observational, Mapping) else {"": observational}
    if not panels:
        raise UsageError("within_study needs an observational panel; the mapping is empty.")
    answer = (benchmark or _late(outcome))(experiment)
    _one_row(answer, "the benchmark")
    rows: list[dict[str, object]] = []
    kept = [rename(answer, estimator=BENCHMARK)]
    for group, panel in panels.items():
        for name, specification in specifications.items():
            found, status = _asked(specification, panel, name, answer)
            rows.append({"comparison": group, "specification": name, "status": status})
            if found is not None and status == "ok":
                rows[-1]["row"] = len(kept)
                kept.append(rename(found, estimator=f"{name}, {group}" if group else name))
            elif found is not None:
                rows[-1] |= _alone(found)
    every = join(*kept)
    joint, joint_status = _joint(every, inference)
    frame = _frame(rows, differences(every, inference, level), float(every.theta[0]))
    wave = every.index["wave"].iloc[0]
    wave = None if pd.isna(wave) else wave
    return WithinStudy(outcome, wave, frame, joint, joint_status, every, level)


def _named(row: "pd.Series[Any]") -> str:
    """Return specification and comparison group of a row."""
    return ", ".join(filter(None, (str(row["specification"]), str(row["comparison"]))))


def _late(outcome: str) -> Specification:
    """Return the effect on the treated by the lottery."""
    return lambda panel: lottery.late(panel, outcome, lottery.Design("treated"))


def _one_row(found: Estimate, what: str) -> None:
    if len(found) != 1:
        raise UsageError(
            f"{what} has {len(found)} rows; one is compared (waves=[...], or pe.subset)."
        )


def _asked(
    specification: Specification, panel: PanelProtocol, name: str, answer: Estimate
) -> tuple[Estimate | None, str]:
    """Return what a specification says, and "ok" or why it is not compared."""
    try:
        found = specification(panel)
    except (NotEstimableError, DataError, UsageError) as error:
        return None, str(error)
    _one_row(found, f"the specification {name!r}")
    mine, theirs = found.index.iloc[0], answer.index.iloc[0]
    for column in LIKE_WITH_LIKE:
        if column != "estimator" and str(mine[column]) != str(theirs[column]):
            named = column.replace("_", " ")
            return found, f"another {named}: {mine[column]} (experiment: {theirs[column]})"
    if not np.isfinite(found.theta).all():
        return None, str(found.counts["status"].iloc[0])
    return found, "ok"


def _alone(found: Estimate) -> dict[str, object]:
    """Return estimate and interval of a row that is not compared, under its own default."""
    row = found.findings().frame.iloc[0]
    return {c: row[c] for c in ("estimate", "std_error", "conf_low", "conf_high")}


def _joint(every: Estimate, inference: Inference | None) -> tuple[WaldTest | None, str]:
    if len(every) < 2:
        return None, "no specification answers the experiment's question"
    try:
        return test_equal(every, inference=inference), "ok"
    except (NotEstimableError, UsageError) as error:
        return None, str(error)


def _frame(rows: list[dict[str, object]], found: pd.DataFrame, truth: float) -> pd.DataFrame:
    """Put the experiment first, and beside each row its bias where it is compared."""
    names = {"difference": "bias", "diff_std_error": "bias_std_error", "diff_conf_low": "bias_low"}
    names |= {"diff_conf_high": "bias_high", "diff_p_value": "p_value"}
    numbers = found.drop(columns="label").rename(columns=names).to_dict("records")
    first: dict[str, object] = {"specification": BENCHMARK, "comparison": "", "status": "ok"}
    out = [first | numbers[0] | {"bias": np.nan}]
    for row in rows:
        at = row.get("row")
        out.append(row | (numbers[at] if isinstance(at, int) else {}))
    frame = pd.DataFrame(out).reindex(columns=[*COLUMNS])
    return frame.assign(share=frame["bias"] / truth if truth else np.nan)
