"""What came of a study? Findings and the small tidy tables that figures and reports read."""

from dataclasses import dataclass, replace

import pandas as pd

from prakerja_eval.compare import Agreement
from prakerja_eval.estimate import Estimate, Findings
from prakerja_eval.study.schema import Plan
from prakerja_eval.typing import FloatArray


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a reader must know: a key of the message catalogue and its values.

    Attributes
    ----------
    key : str
        ``warning.<name>`` in the catalogue.
    values : tuple of (name, value) pairs
        What the message is filled in with.
    """

    key: str
    values: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class OverTime:
    """What a study of staggered starts shows besides its findings. Small cells are suppressed.

    Attributes
    ----------
    details : DataFrame
        Findings with the columns of ``Results.findings``: the event study of each staggered entry
        (role "event_study", with simultaneous bands) and its cells by cohort and wave ("cell").
    adoption : DataFrame
        cohort (None for never treated), wave, status, n.
    paths : DataFrame
        outcome, cohort, wave, n, mean, std_error.
    pretrends : DataFrame
        name, outcome, statistic, df, p_value, null, slope (of a trend that leaves no period before
        treatment significant half of the time), reason (why there is no test, or empty).
    sensitivity : DataFrame
        name, outcome, restriction, method, m, conf_low, conf_high, status, breakdown, target,
        reason (why there is none, or empty).
    decomposition : DataFrame
        name, outcome, treated, comparison, kind, weight, estimate: of each two-way coefficient.
    weights : DataFrame
        name, outcome, cohort, wave, event_time, n, share, weight: of effects in it.
    mixture : DataFrame
        name, outcome, n_weights, n_negative, sum_negative, reason (why a part is missing).
    """

    details: pd.DataFrame
    adoption: pd.DataFrame
    paths: pd.DataFrame
    pretrends: pd.DataFrame
    sensitivity: pd.DataFrame
    decomposition: pd.DataFrame
    weights: pd.DataFrame
    mixture: pd.DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class LotteryTables:
    """What the chapter on the lottery shows. Counts of few people are missing.

    Attributes
    ----------
    details : DataFrame
        Findings with the columns of ``Results.findings``, name "lottery", and the role "offer"
        (effect of it), "receipt" (effect of that on compliers), "zeros", "quantile", "subgroup"
        (label: the column) or "index" (label: the index; unit "sd").
    audit : DataFrame
        remark ("none", "empty arm", ...), blocks, people.
    odds : (float, float)
        Smallest and largest odds of the blocks in use.
    flow : DataFrame
        arm, stage, wave, outcome, n.
    balance, omnibus : DataFrame
        Of ``lottery.balance``: by covariate; statistic, df, p_value, p_randomisation.
    randomisation : DataFrame
        As ``lottery.randomise`` gives it, with family and p_adjusted.
    draws : (R, K) array
        The statistics of the draws behind its rows.
    weak : DataFrame
        As ``lottery.weak_instrument`` gives it.
    attrition, attrition_tests : DataFrame
        As ``lottery.attrition`` gives them, with the outcome.
    bounds : DataFrame
        As ``lottery.lee_bounds`` and the others give them, with kind ("lee", "lee_tightened",
        "manski", "kling_liebman").
    group_tests : DataFrame
        by, outcome, wave, statistic, df, p_value: that the effect is the same in every group.
    weights : DataFrame
        Of the outcomes in each index.
    compliers : DataFrame
        As ``lottery.complier_table`` gives it.
    detectable : DataFrame
        outcome, wave, effect: of the offer, found with power .8, in the last period.
    refused : DataFrame
        part, outcome, reason.
    """

    details: pd.DataFrame
    audit: pd.DataFrame
    odds: tuple[float, float]
    flow: pd.DataFrame
    balance: pd.DataFrame
    omnibus: pd.DataFrame
    randomisation: pd.DataFrame
    draws: FloatArray
    weak: pd.DataFrame
    attrition: pd.DataFrame
    attrition_tests: pd.DataFrame
    bounds: pd.DataFrame
    group_tests: pd.DataFrame
    weights: pd.DataFrame
    compliers: pd.DataFrame
    detectable: pd.DataFrame
    refused: pd.DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """A study after it has run. Small cells are suppressed already.

    Attributes
    ----------
    plan : Plan
        The study file.
    estimates : dict of str to Estimate
        By the name of the study file's entry, outcomes stacked.
    findings : Findings
        A row an entry, outcome and wave, in the order of the file. Besides the columns of Findings:
        ``name``, ``label`` and ``role`` of the entry (first). ``unit`` is the outcome's unit.
    agreements : tuple of Agreement
        One an outcome: the designs that answer the same question, side by side, in the benchmark's
        last period.
    flow : DataFrame
        group, wave, n_units, then one column an outcome with the number observed.
    paths : DataFrame
        outcome, group, wave, n, mean, std_error.
    balance : DataFrame
        name, stage ("before", "after"), covariate, mean_treated, mean_comparison, smd,
        variance_ratio, ecdf_mean, ecdf_max.
    overlap : DataFrame
        name, arm ("treated", "comparison"), low, high, n, share: histogram of the propensity score.
    notices : tuple of Notice
    assumed : tuple of str
        What was assumed while the data were read.
    over_time : OverTime, optional
        Where the study has an entry of staggered difference-in-differences.
    lottery : LotteryTables, optional
        Where the study has a ``[lottery]``.
    """

    plan: Plan
    estimates: dict[str, Estimate]
    findings: Findings
    agreements: tuple[Agreement, ...]
    flow: pd.DataFrame
    paths: pd.DataFrame
    balance: pd.DataFrame
    overlap: pd.DataFrame
    notices: tuple[Notice, ...]
    assumed: tuple[str, ...] = ()
    over_time: OverTime | None = None
    lottery: LotteryTables | None = None

    @property
    def published(self) -> Findings:
        """Return the findings with the details behind them, as they are kept in a report."""
        behind = [part.details for part in (self.over_time, self.lottery) if part is not None]
        behind = [table for table in behind if len(table)]
        if not behind:
            return self.findings
        frame = pd.concat([self.findings.frame, *behind], ignore_index=True)
        return replace(self.findings, frame=frame)
