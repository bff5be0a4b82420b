"""What does the study say in plain words? The sentences of the summary, honest about doubt."""

from dataclasses import dataclass

import pandas as pd

from prakerja_eval.compare import Agreement
from prakerja_eval.language import Catalogue, Measure
from prakerja_eval.language.catalogue import plain, titled
from prakerja_eval.study import Plan, Results
from prakerja_eval.study.schema import Outcome
from prakerja_eval.tables import hide_small, verdict
from prakerja_eval.tables.impact import RELATIVE, number, share_of_mean


@dataclass(frozen=True, slots=True)
class Line:
    """One design's answer.

    Attributes
    ----------
    label : str
    sentences : tuple of str
    verdict : str
        Key of the verdict: "differs", "not_apart", "wide", "missing", "fails", "passes"; "" if
        there is none.
    chip : str
        The verdict in a word or two.
    """

    label: str
    sentences: tuple[str, ...]
    verdict: str = ""
    chip: str = ""

    @property
    def short(self) -> str:
        """Return how far the answer is from the benchmark, or what there is to say instead."""
        return self.sentences[1] if len(self.sentences) > 1 else " ".join(self.sentences)


@dataclass(frozen=True, slots=True)
class OutcomeSummary:
    """What is said of one outcome: the benchmark, all designs in short, and each in turn."""

    column: str
    title: str
    sentences: tuple[str, ...]
    lines: tuple[Line, ...]


def benchmark_word(plan: Plan, words: Catalogue) -> str:
    """Return what the benchmark is called: "the experiment" if it is a lottery."""
    lottery = any(
        e.role == "benchmark" and e.estimator.startswith("lottery.") for e in plan.estimates
    )
    return words.text("benchmark.lottery" if lottery else "benchmark.other")


def measure_of(results: Results, outcome: Outcome) -> Measure:
    """Return how the outcome's numbers are shown everywhere in the report."""
    frame = results.findings.frame
    rows = frame[(frame["outcome"] == outcome.column) & (frame["estimand"] != RELATIVE)]
    return Measure.of(outcome.unit, rows[["estimate", "std_error"]].to_numpy(float).ravel())


def summaries(results: Results, words: Catalogue) -> tuple[OutcomeSummary, ...]:
    """Return the summary of each outcome in the order of the study file."""
    by_outcome = {a.outcome: a for a in results.agreements}
    return tuple(
        _compared(results, o, by_outcome[o.column], words)
        if o.column in by_outcome
        else _listed(results, o, words)
        for o in results.plan.outcomes
    )


def _compared(
    results: Results, outcome: Outcome, answers: Agreement, words: Catalogue
) -> OutcomeSummary:
    """Summarise an outcome whose answers were compared with a benchmark."""
    measure, title = measure_of(results, outcome), titled(words, outcome.label, answers.wave)
    name = benchmark_word(results.plan, words)
    first = answers.frame.iloc[0]
    lines = [
        _candidate(answers.frame.iloc[i], float(first["estimate"]), (results, measure), words)
        for i in range(1, len(answers.frame))
    ]
    lines += _failed(results, outcome, answers, words)
    found = [line.verdict for line in lines]
    counts = {kind: words.number(found.count(kind)) for kind in ("differs", "not_apart", "wide")}
    total = words.number(sum(v != "missing" for v in found))
    sentences = (
        *_benchmark(results, outcome, answers, words),
        words.text("summary.count", benchmark=name, total=total, **counts),
        *_joint(answers, results.plan.level, words),
    )
    return OutcomeSummary(outcome.column, title, sentences, tuple(lines))


def _benchmark(
    results: Results, outcome: Outcome, answers: Agreement, words: Catalogue
) -> tuple[str, ...]:
    """Say what the benchmark finds in the period of the comparison, and that there are others."""
    frame = results.findings.frame
    every = frame[(frame["outcome"] == outcome.column) & (frame["role"] == "benchmark")]
    rows = every[every["wave"].map(plain) == plain(answers.wave)]
    title = titled(words, outcome.label, answers.wave)
    said = _answer(rows.iloc[0], title, (results, measure_of(results, outcome)), words)
    if len(every) > 1:
        name = benchmark_word(results.plan, words)
        said = (
            *said,
            words.text("summary.one_wave", benchmark=name, wave=plain(answers.wave)),
        )
    return said


def _answer(
    row: "pd.Series", title: str, how: tuple[Results, Measure], words: Catalogue
) -> tuple[str, ...]:
    """Say what one design finds, how large that is, and whether it differs from zero."""
    results, measure = how
    relative = row["estimand"] == RELATIVE
    low, high = number(row["conf_low"]), number(row["conf_high"])
    if relative:
        measure = Measure.of("percent", [row["estimate"], row["std_error"]])
    if number(row["estimate"]) is None:
        return (words.text("summary.not_estimable", label=row["label"], reason=row["status"]),)
    if low is None or high is None:
        effect = words.effect(row["estimate"], measure)
        values = {"label": row["label"], "outcome": title, "effect": effect}
        return (words.text("summary.no_variance", reason=row["status"], **values),)
    sentences = [
        words.text(
            "summary.benchmark",
            label=row["label"],
            outcome=title,
            effect=words.effect(row["estimate"], measure),
            level=words.percent(results.plan.level),
            interval=words.interval(low, high, measure),
        )
    ]
    shown = hide_small(pd.DataFrame([row]))["comparison_mean"].iloc[0]
    share = None if relative else share_of_mean(row["estimate"], shown)
    if share is not None:
        values = {"percent": words.percent(share), "mean": words.level(shown, measure)}
        whose = words.text(f"whose.{_whose(row['estimand'])}")
        sentences.append(words.text("summary.percent_of_mean", whose=whose, **values))
    excludes = low > 0 or high < 0
    sentences.append(words.text("summary.excludes_zero" if excludes else "summary.includes_zero"))
    if row["estimator"] == "did.twfe":
        sentences.append(words.text("summary.two_way"))
    if row["status"] != "ok":
        sentences.append(words.text("summary.caution", reason=str(row["status"]).rstrip(".")))
    return tuple(sentences)


def _whose(estimand: object) -> str:
    """Return whose mean without the programme the comparison mean is, as a key."""
    known = ("att", "itt", "late", "ate", "atc")
    return name if (name := str(estimand).removeprefix("feasible ").lower()) in known else "other"


def _candidate(
    row: "pd.Series", benchmark: float, how: tuple[Results, Measure], words: Catalogue
) -> Line:
    """Say how far one design is from the benchmark, and what the interval of that allows."""
    results, measure = how
    name, level = benchmark_word(results.plan, words), words.percent(results.plan.level)
    kind = verdict(row, benchmark)
    if kind == "missing":
        effect = words.effect(row["estimate"], measure)
        said = words.text("summary.candidate_alone", effect=effect)
        return Line(str(row["label"]), (said,), kind, words.text("verdict.no_interval"))
    sentences = [
        words.text(
            "summary.candidate",
            effect=words.effect(row["estimate"], measure),
            level=level,
            interval=words.interval(row["conf_low"], row["conf_high"], measure),
        ),
        words.text(
            "summary.difference",
            benchmark=name,
            difference=words.effect(row["difference"], measure),
            level=level,
            interval=words.interval(row["diff_conf_low"], row["diff_conf_high"], measure),
        ),
        words.text(f"summary.{kind}", benchmark=name),
    ]
    return Line(str(row["label"]), tuple(sentences), kind, words.text(f"verdict.{kind}"))


def _failed(results: Results, outcome: Outcome, answers: Agreement, words: Catalogue) -> list[Line]:
    """Return the candidates without an estimate in the period compared, each with its reason."""
    frame = results.findings.frame
    rows = frame[(frame["outcome"] == outcome.column) & (frame["role"] == "candidate")]
    rows = rows[rows["wave"].map(plain).isin(["", plain(answers.wave)])]
    chip = words.text("verdict.missing")
    return [
        Line(str(row["label"]), (str(row["status"]),), "missing", chip)
        for _, row in rows[rows["estimate"].isna()].iterrows()
    ]


def _joint(answers: Agreement, level: float, words: Catalogue) -> tuple[str, ...]:
    rejected = answers.joint.p_value < 1 - level
    return (
        words.text(
            "summary.joint_rejected" if rejected else "summary.joint_kept",
            count=words.number(len(answers.frame)),
            alpha=words.percent(1 - level),
            p=words.p_value(answers.joint.p_value, sentence=True),
        ),
    )


def _listed(results: Results, outcome: Outcome, words: Catalogue) -> OutcomeSummary:
    """Summarise an outcome without a comparison: every answer but the placebos, in turn."""
    frame = results.findings.frame
    rows = frame[(frame["outcome"] == outcome.column) & (frame["role"] != "placebo")]
    measure = measure_of(results, outcome)
    lines = []
    for _, row in rows.iterrows():
        title = titled(words, outcome.label, row["wave"])
        lines.append(Line("", _answer(row, title, (results, measure), words)))
    return OutcomeSummary(outcome.column, outcome.label, (), tuple(lines))


def placebo_count(lines: tuple[Line, ...], words: Catalogue) -> str:
    """Say how many of the placebos find an effect."""
    found = [line.verdict for line in lines]
    fails, total = found.count("fails"), len(found) - found.count("missing")
    return words.text("summary.placebo_count", fails=words.number(fails), total=words.number(total))


def placebos(results: Results, words: Catalogue) -> tuple[Line, ...]:
    """Return the verdict of each placebo on each outcome."""
    frame = results.findings.frame
    names = {o.column: o for o in results.plan.outcomes}
    lines = []
    for _, row in frame[frame["role"] == "placebo"].iterrows():
        outcome = names[row["outcome"]]
        low, high = number(row["conf_low"]), number(row["conf_high"])
        if low is None or high is None:
            known = number(row["estimate"]) is not None
            chip = words.text("verdict.no_interval" if known else "verdict.missing")
            lines.append(Line(row["label"], (str(row["status"]),), "missing", chip))
            continue
        measure = measure_of(results, outcome)
        if row["estimand"] == RELATIVE:
            measure = Measure.of("percent", [row["estimate"], row["std_error"]])
        kind = "fails" if low > 0 or high < 0 else "passes"
        text = words.text(
            "summary.placebo_line",
            outcome=titled(words, outcome.label, row["wave"]),
            effect=words.effect(row["estimate"], measure),
            level=words.percent(results.plan.level),
            interval=words.interval(low, high, measure),
            p=words.p_value(number(row["p_value"]), sentence=True),
        )
        lines.append(Line(row["label"], (text,), kind, words.text(f"verdict.{kind}")))
    return tuple(lines)
