"""Which study runs on a scenario's panel as it is? A study file to start from."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import fields

import pandas as pd

from prakerja_eval.panel import Roles
from prakerja_eval.synthetic.batches import Batches
from prakerja_eval.synthetic.scenario import Scenario
from prakerja_eval.synthetic.scenario_text import value_text
from prakerja_eval.synthetic.world import roles

COVARIATES = ("age", "female", "schooling", "urban")
OUTCOMES = (
    ("employed", "Has work", "share", None),
    ("income", "Monthly earnings, without the programme's cash", "rupiah", False),
)
AMOUNTS = ("employed", "income")
TRUE = (  # estimand, weighting, words before and after the amounts
    ("ITT", "people per block", "winning the first lottery", "(ITT)"),
    ("ATT", "treated people", "receiving", "on those who received (ATT)"),
)


def study_text(
    scenario: Scenario,
    data: str,
    n_applicants: int,
    seed: int,
    truth: pd.DataFrame | None = None,
) -> str:
    """Return a study file (TOML) that ``prakerja-eval report`` runs on a simulated panel.

    Parameters
    ----------
    scenario : Scenario
    data : str
        Name of the panel's file, beside the study file.
    n_applicants, seed : int
        Of the simulation.
    truth : DataFrame, optional
        ``world.truth.frame``; the study then says the true effects.
    """
    words = (
        f"Synthetic data: {n_applicants:,} simulated applicants, seed {seed}, scenario "
        f"{scenario.title!r}. Nobody in it is real. {scenario.about}"
    )
    true = "" if truth is None else true_effects(scenario, truth)
    about = " ".join(f"{words} {true}".split())  # a scenario's lines are no paragraphs
    lines = [*_head(scenario, data, about), *_roles(roles(scenario)), *_outcomes()]
    for entry in _entries(scenario):
        lines += ["", "[[estimates]]", *_pairs(entry)]
    return "\n".join([*lines, ""])


def true_effects(scenario: Scenario, truth: pd.DataFrame) -> str:
    """Return the true effects of winning and of receipt in the last wave, in a sentence.

    Parameters
    ----------
    scenario : Scenario
    truth : DataFrame
        ``world.truth.frame``.
    """
    wave = scenario.survey.waves[-1]
    rows = truth[(truth["kind"] == "effect") & (truth["wave"] == wave)]
    rows = rows[rows["cohort"].isna() & rows["subgroup"].isna()]
    parts = []
    for estimand, weighting, verb, who in TRUE:
        one = rows[(rows["estimand"] == estimand) & (rows["weighting"] == weighting)]
        found = one.drop_duplicates("outcome").set_index("outcome")["truth"].reindex(AMOUNTS)
        if found.notna().all():
            work, pay = (float(found[name]) for name in AMOUNTS)
            amount = f"{'-' if pay < 0 else ''}Rp {abs(pay):,.0f}"
            parts.append(f"{verb} {100 * work:+.1f} points of work and {amount} a month {who}")
    if not parts:
        return ""
    return f"The true effects in {wave}, among these very people: {'; '.join(parts)}."


def _head(scenario: Scenario, data: str, about: str) -> Iterator[str]:
    """Give the study's words."""
    yield "# Run it with: prakerja-eval report study.toml"
    yield "# The people are simulated, so the truth is known: it stands in truth.csv."
    yield ""
    yield from _pairs(
        {
            "title": f"{scenario.title} (synthetic)",
            "question": "What did the programme do to people's work and monthly earnings?",
            "about": about,
            "data": data,
            "synthetic": True,
            "spillovers": "People who receive the programme are assumed to take no jobs from "
            "those who do not. If they did, every effect here is too high as a measure of what "
            "the programme did to all.",
        }
    )


def _roles(found: Roles) -> Iterator[str]:
    """Give the roles that are filled."""
    yield from ("", "[roles]")
    named = {f.name: getattr(found, f.name) for f in fields(found)}
    yield from _pairs({name: value for name, value in named.items() if value})


def _outcomes() -> Iterator[str]:
    """Give the outcomes."""
    for column, label, unit, transfers in OUTCOMES:
        entry = {"column": column, "label": label, "unit": unit}
        yield from ("", "[[outcomes]]")
        yield from _pairs(entry | ({} if transfers is None else {"contains_transfers": transfers}))


def _entries(scenario: Scenario) -> Iterator[dict[str, object]]:
    """Give the estimates: those that answer one question are compared, the others shown.

    Where no loser receives, the lottery's effect of receipt is that on all who receive, which
    difference-in-differences and matching estimate too; else it is that on compliers. Without a
    lottery, matching is right where people chose by nothing but what the panel holds. Matching
    takes people who receive at one time, and no sampling weights or clusters.
    """
    drawn = scenario.lottery.kind != "self_selection"
    crossing = drawn and (_again(scenario) or scenario.take_up.always > 0)
    at_once = len(starts(scenario)) == 1
    clusters = roles(scenario).clusters if drawn else None
    by = clusters if isinstance(clusters, str) or not clusters else clusters[0]
    matched = at_once and roles(scenario).weight is None and not by
    right = not crossing if drawn else matched and _observed(scenario)
    candidate = "candidate" if at_once and right else "shown"
    if drawn:
        yield from _of_lottery("benchmark" if candidate == "candidate" else "shown", by)
    yield {
        "name": "did",
        "label": "Difference-in-differences",
        "estimator": "did.two_by_two" if at_once else "did.group_time",
        "role": candidate,
    } | ({"inference": {"clustered": {"by": by}}} if by else {})
    if matched:
        yield {
            "name": "matching",
            "label": "Matching on traits",
            "estimator": "matching.att",
            "role": candidate if drawn or not right else "benchmark",
            "covariates": COVARIATES,
        }


def _observed(scenario: Scenario) -> bool:
    """Say whether people chose by nothing that the panel does not hold."""
    lottery = scenario.lottery
    return lottery.selection_ability == lottery.selection_motivation == 0


def _again(scenario: Scenario) -> bool:
    """Say whether losers can win in a later batch."""
    lottery = scenario.lottery
    return lottery.kind == "person" and lottery.reapply > 0 and len(lottery.batches) > 1


def _of_lottery(role: str, by: object) -> Iterator[dict[str, object]]:
    """Give the effects of winning (shown) and of receipt, in its role."""
    drawn_whole = {"clusters": by} if by else {}
    itt = {
        "name": "itt",
        "label": "Lottery, effect of winning",
        "estimator": "lottery.itt",
        "role": "shown",
    }
    yield itt | ({"design": drawn_whole} if drawn_whole else {})
    yield {
        "name": "late",
        "label": "Lottery, effect of receipt",
        "estimator": "lottery.late",
        "role": role,
        "design": {"block_weights": "treated", **drawn_whole},
    }


def starts(scenario: Scenario) -> set[int]:
    """Return the waves, by their position, from which people can first have received."""
    survey, delay = scenario.survey, scenario.take_up.delay
    opened = Batches.of(scenario.lottery.batches).months
    found = {bisect_left(survey.months, month + delay) for month in opened}
    return {t for t in found if t < len(survey.months)}


def _pairs(values: dict[str, object]) -> Iterator[str]:
    """Give a line of TOML a key."""
    for key, value in values.items():
        yield f"{key} = {value_text(value)}"
