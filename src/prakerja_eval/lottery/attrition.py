"""Who was lost, and does it spoil the comparison of winners and losers?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from prakerja_eval.estimate import Estimate, infer
from prakerja_eval.estimate.specs import instance_of, names_of
from prakerja_eval.lottery.attrition_tests import Asked, respondents, tests_of
from prakerja_eval.lottery.design import Design, merged_only
from prakerja_eval.lottery.itt import lottery_row
from prakerja_eval.lottery.regression import difference, prepared
from prakerja_eval.lottery.roster import Roster, roster
from prakerja_eval.lottery.sample import sample_of
from prakerja_eval.panel import PanelProtocol, WaveLabel

ARMS = {1: "winners", 0: "losers"}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Attrition:
    """Who answered, by arm, and tests of whether those lost differ.

    Attributes
    ----------
    table : DataFrame
        A row a wave and arm: wave, arm, assigned, observed (people), share (observed over
        assigned), and on the winners' row difference (of the response rates within blocks, by the
        design), std_error, p_value. Cells under ten people are not blanked here.
    respondents : DataFrame
        A row a wave and covariate: wave, covariate, n, mean_treated, mean_comparison, difference
        (within blocks, among those who answered), std_error, p_value.
    tests : DataFrame
        A row a test and wave: test ("rate", "respondents", "interactions", "IV-R", "IV-P"), wave,
        n, statistic (F, or chi-squared where df_denominator is infinite), df, df_denominator,
        p_value, null in words, status.
    """

    table: pd.DataFrame
    respondents: pd.DataFrame
    tests: pd.DataFrame

    def __repr__(self) -> str:
        shown = self.tests[["test", "wave", "n", "statistic", "df", "p_value", "status"]]
        parts = (self.table, self.respondents, shown)
        return "\n\n".join(p.round(4).to_string(index=False) for p in parts if len(p))

    def _repr_html_(self) -> str:
        parts = (self.table, self.respondents, self.tests)
        return "".join(p.round(4).to_html(index=False, border=0) for p in parts if len(p))


def attrition(
    panel: PanelProtocol,
    outcome: str,
    design: Design | None = None,
    *,
    covariates: Sequence[str] = (),
    waves: Sequence[WaveLabel] | None = None,
) -> Attrition:
    """Count who answered in each arm, and test whether attrition spoils the comparison.

    Whoever lacks a value of the outcome in a wave did not answer in it. The rate is the design's
    difference in the response indicator. The tests of covariates (the outcome at the baseline, if
    Roles names one, and those named) weigh blocks as block fixed effects do, so that blocks in
    which few are lost need not be left out:

    - "respondents": no covariate differs between winners and losers who answered;
    - "interactions": covariates predict response alike in both arms;
    - "IV-R": the baseline outcome has one mean among winners and losers who answered, and one among
      winners and losers who did not (internal validity for respondents);
    - "IV-P": the four groups have one mean (internal validity for everyone in the lottery).

    Parameters
    ----------
    panel : Panel
        With Roles ``offer``; with ``baseline`` for IV-R and IV-P.
    outcome : str
        Numeric column.
    design : Design, optional
        Blocks, weights and clusters of the lottery.
    covariates : sequence of str
        As in ``Design(covariates=...)``.
    waves : sequence, optional
        Left out: every wave after the baseline.

    Returns
    -------
    Attrition
        Tests are joint Wald tests under HC2 (CR2 where clusters were drawn); one that cannot be
        made has NaN and the reason in ``status``.

    Raises
    ------
    DataError
        If the panel has a fault, or a covariate is missing for someone.

    References
    ----------
    Ghanem, Hirshleifer and Ortiz-Becerra (2023), doi 10.3368/jhr.0920-11190R2.

    Examples
    --------
    >>> import pandas as pd, prakerja_eval as pe
    >>> from prakerja_eval.lottery.attrition import attrition
    >>> frame = pd.DataFrame({"id": list("abcdefgh"), "won": [1] * 4 + [0] * 4,
    ...                       "income": [3.0, 4.0, 5.0, None, 1.0, 2.0, None, None]})
    >>> panel = pe.read_panel(frame, pe.Roles(unit="id", offer="won"))
    >>> attrition(panel, "income").table["share"].tolist()
    [0.75, 0.5]
    """
    asked = Design() if design is None else design
    instance_of(asked, Design, "design")
    found = roster(panel, outcome, asked, waves)
    names = names_of(covariates)
    lone = merged_only(asked)
    plain = replace(asked, lone_arms=lone, covariates=names, covariate_model="ancova")
    named = roster(panel, outcome, plain, waves) if names != asked.covariates else found
    baseline = panel.roles.baseline
    first = None if baseline is None else found.waves.index(baseline)
    table, compared, tests = [], [], []
    for t in found.chosen:
        rate = _rate(found, t, asked)
        table.append(_table(found, t, rate))
        what = Asked(named, t, first, asked.clusters)
        compared.append(respondents(what))
        tests.append(tests_of(what, rate))
    return Attrition(*(pd.concat(part, ignore_index=True) for part in (table, compared, tests)))


def _rate(found: Roster, wave: int, asked: Design) -> Estimate:
    """Return the design's difference in the response indicator."""
    answered = found.observed(wave).astype(np.float64)
    y = np.full_like(found.y, np.nan)
    y[:, wave] = answered
    sample = sample_of(replace(found, y=y), [wave], asked)
    sample, design = prepared(sample, asked, sample.y)
    answer = difference(sample.y, sample, design)
    labels = {"estimator": "lottery.attrition", "estimand": "response"}
    return lottery_row(sample, asked, answer, labels, sample.arm)


def _table(found: Roster, wave: int, rate: Estimate) -> pd.DataFrame:
    """Count the assigned and the observed, by arm."""
    answered, row = found.observed(wave), infer(rate).frame.iloc[0]
    rows = []
    for code, arm in ARMS.items():
        own = found.arm == code
        n, seen = int(own.sum()), int((own & answered).sum())
        rows.append(
            {
                "wave": found.label(wave),
                "arm": arm,
                "assigned": n,
                "observed": seen,
                "share": seen / n,
                "difference": row["estimate"] if code else np.nan,
                "std_error": row["std_error"] if code else np.nan,
                "p_value": row["p_value"] if code else np.nan,
            }
        )
    return pd.DataFrame(rows)
