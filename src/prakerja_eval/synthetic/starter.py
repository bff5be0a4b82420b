"""Which study runs on a scenario's panel as it is? A study file to start from."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import fields

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


def study_text(scenario: Scenario, data: str, n_applicants: int, seed: int) -> str:
    """Return a study file (TOML) that ``prakerja-eval report`` runs on a simulated panel.

    Parameters
    ----------
    scenario : Scenario
    data : str
        Name of the panel's file, beside the study file.
    n_applicants, seed : int
        Of the simulation.
    """
    lines = [*_head(scenario, data, n_applicants, seed), *_roles(roles(scenario)), *_outcomes()]
    for entry in _entries(scenario):
        lines += ["", "[[estimates]]", *_pairs(entry)]
    return "\n".join([*lines, ""])


def _head(scenario: Scenario, data: str, n_applicants: int, seed: int) -> Iterator[str]:
    """Give the study's words."""
    yield "# Run it with: prakerja-eval report study.toml"
    yield "# The people are simulated, so the truth is known: it stands in truth.csv."
    yield ""
    yield from _pairs(
        {
            "title": f"{scenario.title} (synthetic)",
            "question": "What did the programme do to people's work and monthly earnings?",
            "about": f"Synthetic data: {n_applicants:,} simulated applicants, seed {seed}, "
            f"scenario {scenario.title!r}. Nobody in it is real. {scenario.about}".strip(),
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
    difference-in-differences and matching estimate too; else it is that on compliers. Matching
    takes people who receive at one time, and no sampling weights.
    """
    drawn = scenario.lottery.kind != "self_selection"
    crossing = drawn and (_again(scenario) or scenario.take_up.always > 0)
    at_once = len(starts(scenario)) == 1
    if drawn:
        yield from _of_lottery(scenario, crossing)
    yield {
        "name": "did",
        "label": "Difference-in-differences",
        "estimator": "did.two_by_two" if at_once else "did.group_time",
        "role": _role(at_once and not crossing, drawn),
    }
    if at_once and roles(scenario).weight is None:
        yield {
            "name": "matching",
            "label": "Matching on traits",
            "estimator": "matching.att",
            "role": "shown" if crossing else "candidate",
            "covariates": COVARIATES,
        }


def _again(scenario: Scenario) -> bool:
    """Say whether losers can win in a later batch."""
    lottery = scenario.lottery
    return lottery.kind == "person" and lottery.reapply > 0 and len(lottery.batches) > 1


def _of_lottery(scenario: Scenario, crossing: bool) -> Iterator[dict[str, object]]:
    """Give the effects of winning and of receipt."""
    by = roles(scenario).clusters
    drawn_whole = {"clusters": by[0]} if by else {}
    itt = {
        "name": "itt",
        "label": "Lottery, effect of winning",
        "estimator": "lottery.itt",
        "role": "benchmark" if crossing else "shown",
    }
    yield itt | ({"design": drawn_whole} if drawn_whole else {})
    yield {
        "name": "late",
        "label": "Lottery, effect of receipt",
        "estimator": "lottery.late",
        "role": "shown" if crossing else "benchmark",
        "design": {"block_weights": "treated", **drawn_whole},
    }


def _role(comparable: bool, drawn: bool) -> str:
    """Return the role of an answer that is the benchmark where there is no lottery."""
    if not comparable:
        return "shown"
    return "candidate" if drawn else "benchmark"


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
