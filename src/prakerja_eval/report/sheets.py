"""Which tables does a report have? Each with its file name and section."""

from collections.abc import Iterator

from prakerja_eval import tables
from prakerja_eval.language import Catalogue
from prakerja_eval.report.lottery_sheets import lottery_sheets
from prakerja_eval.report.picture import slug
from prakerja_eval.report.pictures import covariate_labels, ordered
from prakerja_eval.report.sheet import Sheet
from prakerja_eval.report.summary import benchmark_word
from prakerja_eval.study import Results


def sheets(results: Results, words: Catalogue) -> tuple[Sheet, ...]:
    """Return every table of a report, in the order of its sections."""
    return (
        *_agreements(results, words),
        *_flow(results, words),
        *lottery_sheets(results, words),
        *_balances(results, words),
        *_impacts(results, words),
    )


def _agreements(results: Results, words: Catalogue) -> Iterator[Sheet]:
    outcomes = {o.column: o for o in results.plan.outcomes}
    for answers in results.agreements:
        outcome = outcomes[answers.outcome]
        table = tables.agreement(
            answers,
            unit=outcome.unit,
            title=outcome.label,
            benchmark=benchmark_word(results.plan, words),
            level=results.plan.level,
            catalogue=words,
        )
        yield Sheet("answers", f"agreement_{slug(outcome.column)}", table)


def _flow(results: Results, words: Catalogue) -> Iterator[Sheet]:
    if len(results.flow):
        labels = {o.column: o.label for o in results.plan.outcomes}
        frame = ordered(results.flow, results)
        yield Sheet("flow", "flow", tables.flow(frame, labels=labels, catalogue=words))


def _balances(results: Results, words: Catalogue) -> Iterator[Sheet]:
    frame = results.balance
    for entry in results.plan.estimates if len(frame) else ():
        rows = frame[frame["name"] == entry.name]
        if len(rows):
            labels = covariate_labels(results, words)
            table = tables.balance(rows, title=entry.label, labels=labels, catalogue=words)
            yield Sheet("balance", f"balance_{slug(entry.name)}", table)


def _impacts(results: Results, words: Catalogue) -> Iterator[Sheet]:
    for outcome in results.plan.outcomes:
        table = tables.impact(
            results.findings, outcome=outcome.column, title=outcome.label, catalogue=words
        )
        yield Sheet("impact", f"impact_{slug(outcome.column)}", table)
