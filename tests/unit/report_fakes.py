"""A small made-up study, so that words and layout can be tested without running one."""

from dataclasses import replace

import numpy as np
import pandas as pd

from prakerja_eval import did, lottery, matching
from prakerja_eval.compare import Agreement
from prakerja_eval.estimate import Findings, WaldTest
from prakerja_eval.estimate.findings import FINDINGS_COLUMNS
from prakerja_eval.panel import Roles
from prakerja_eval.study import Notice, Plan, Results
from prakerja_eval.study.schema import (
    DidEntry,
    Groups,
    LotteryEntry,
    MatchingEntry,
    Outcome,
)

COVARIATES = ("age", "schooling")


def plan(**changes: object) -> Plan:
    """Return a study with a benchmark, two candidates and a placebo."""
    made = Plan(
        title="Training and income",
        question="Did training raise income?",
        about="Two hundred made-up people.",
        data="panel.csv",
        roles=Roles(
            unit="id", wave="year", baseline=2, offer="won", received="won", cohort="first"
        ),
        outcomes=(
            Outcome("income", "Income", "dollars"),
            Outcome("works", "In work", "share", contains_transfers=True),
        ),
        estimates=(
            LotteryEntry("trial", "Experiment", role="benchmark"),
            MatchingEntry(
                "pairs",
                "Matching",
                role="candidate",
                design=matching.Nearest(caliper=0.2),
                covariates=COVARIATES,
            ),
            DidEntry(
                "did", "DiD", role="candidate", design=did.Design(covariates=COVARIATES), base=2
            ),
            DidEntry("before", "Placebo", role="placebo", waves=[2], base=1),
            LotteryEntry("shown", "Adjusted", design=lottery.Design(covariates=("age",))),
        ),
        spillovers="Nobody lost a job to a trained person.",
        groups=Groups("arm", {"t": "Trained", "c": "Controls"}),
        covariate_labels={"age": "Age"},
    )
    return replace(made, **changes)


def row(name: str, label: str, role: str, outcome: str, **numbers: object) -> dict[str, object]:
    """Return one row of findings."""
    unit, scale = ("dollars", 1.0) if outcome == "income" else ("share", 1e-4)
    low, mid, high = (scale * v for v in numbers.pop("interval", (500.0, 1500.0, 2500.0)))
    base = dict.fromkeys(FINDINGS_COLUMNS) | {
        "name": name,
        "label": label,
        "role": role,
        "estimator": "lottery.itt",
        "estimand": "ATT",
        "outcome": outcome,
        "wave": 3,
        "estimate": mid,
        "std_error": (high - low) / 4,
        "statistic": 2.0,
        "p_value": 0.0455,
        "conf_low": low,
        "conf_high": high,
        "band_low": np.nan,
        "band_high": np.nan,
        "p_adjusted": np.nan,
        "df": np.inf,
        "inference": "HC2",
        "unit": unit,
        "truth": np.nan,
        "n": 200,
        "n_treated": 80,
        "n_comparison": 120,
        "n_clusters": 200,
        "comparison_mean": 4000.0 * scale,
        "status": "ok",
    }
    return base | numbers


def findings() -> Findings:
    """Return findings of the five entries on both outcomes."""
    rows = []
    for outcome in ("income", "works"):
        rows += [
            row("trial", "Experiment", "benchmark", outcome),
            row("pairs", "Matching", "candidate", outcome, interval=(-900.0, 1100.0, 3100.0)),
            row("did", "DiD", "candidate", outcome, interval=(-1000.0, -600.0, -200.0)),
            row("before", "Placebo", "placebo", outcome, wave=2, interval=(100.0, 300.0, 500.0)),
            row("shown", "Adjusted", "shown", outcome),
        ]
    return Findings(pd.DataFrame(rows)[["name", "label", "role", *FINDINGS_COLUMNS]])


def agreement(outcome: str) -> Agreement:
    """Return the comparison of the benchmark with the two candidates."""
    scale = 1.0 if outcome == "income" else 1e-4
    nan = np.nan
    frame = pd.DataFrame(
        {
            "label": ["Experiment", "Matching", "DiD"],
            "estimate": np.array([1500.0, 1100.0, -600.0]) * scale,
            "std_error": np.array([500.0, 1000.0, 200.0]) * scale,
            "conf_low": np.array([500.0, -900.0, -1000.0]) * scale,
            "conf_high": np.array([2500.0, 3100.0, -200.0]) * scale,
            "difference": np.array([nan, -400.0, -2100.0]) * scale,
            "diff_std_error": np.array([nan, 1000.0, 500.0]) * scale,
            "diff_conf_low": np.array([nan, -2400.0, -3100.0]) * scale,
            "diff_conf_high": np.array([nan, 1600.0, -1100.0]) * scale,
            "diff_p_value": [nan, 0.69, 0.00003],
        }
    )
    joint = WaldTest("all equal", 17.6, 2, np.inf, 0.00015)
    return Agreement(outcome, frame, joint, "specification", wave=3)


def flow() -> pd.DataFrame:
    """Return counts of two groups over three waves."""
    rows = [(g, w, n, n - 1, n) for g, n in (("Trained", 80), ("Controls", 120)) for w in (1, 2, 3)]
    return pd.DataFrame(rows, columns=["group", "wave", "n_units", "income", "works"])


def paths() -> pd.DataFrame:
    """Return means of two groups over three waves."""
    rows = [
        (o, g, w, 80, s * (3000 + 500 * w + 400 * k), s * 300)
        for o, s in (("income", 1.0), ("works", 1e-4))
        for k, g in enumerate(("Trained", "Controls"))
        for w in (1, 2, 3)
    ]
    return pd.DataFrame(rows, columns=["outcome", "group", "wave", "n", "mean", "std_error"])


def balance() -> pd.DataFrame:
    """Return two covariates before and after matching."""
    rows = [
        ("pairs", stage, covariate, 30.0, 33.0, smd, 1.1, 0.1, 0.2)
        for stage, smds in (("before", (-0.8, 0.5)), ("after", (-0.05, 0.12)))
        for covariate, smd in zip(("Age", "schooling"), smds, strict=True)
    ]
    columns = ["name", "stage", "covariate", "mean_treated", "mean_comparison", "smd"]
    return pd.DataFrame(rows, columns=[*columns, "variance_ratio", "ecdf_mean", "ecdf_max"])


def overlap() -> pd.DataFrame:
    """Return a histogram of the score in four bins."""
    rows = [
        ("pairs", arm, low, low + 0.25, n, n / 100)
        for arm, counts in (
            ("treated", (10.0, 20.0, 30.0, 40.0)),
            ("comparison", (70.0, 20.0, 0.0, np.nan)),
        )
        for low, n in zip((0.0, 0.25, 0.5, 0.75), counts, strict=True)
    ]
    return pd.DataFrame(rows, columns=["name", "arm", "low", "high", "n", "share"])


NOTICES = (
    Notice("warning.placebo_fails", (("label", "Placebo"), ("outcome", "Income"), ("p", 0.004))),
    Notice("warning.caliper_drops", (("label", "Matching"), ("dropped", 12), ("treated", 80))),
    Notice("warning.overlap", (("label", "Matching"), ("share", 0.0625))),
    Notice(
        "warning.imbalance", (("label", "Matching"), ("covariate", "schooling"), ("smd", 0.1234))
    ),
    Notice(
        "warning.not_estimable",
        (("label", "DiD"), ("outcome", "income"), ("wave", "3"), ("reason", "too few")),
    ),
)


def results(**changes: object) -> Results:
    """Return the results of the made-up study."""
    made = Results(
        plan=plan(),
        estimates={},
        findings=findings(),
        agreements=(agreement("income"), agreement("works")),
        flow=flow(),
        paths=paths(),
        balance=balance(),
        overlap=overlap(),
        notices=NOTICES,
    )
    return replace(made, **changes)
