"""Which layers can be switched off, and what is a scenario without each?"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from prakerja_eval.synthetic.effects import Effects

if TYPE_CHECKING:
    from prakerja_eval.synthetic.scenario import Scenario

RECOVERY_ODDS = 0.07  # of batch 11, where there is no revoked place to give out


def _part(name: str, **values: object) -> "Callable[[Scenario], dict[str, Any]]":
    """Return a change of some options of one table."""
    return lambda s: {name: replace(getattr(s, name), **values)}


def _without_revocation(s: "Scenario") -> dict[str, Any]:
    batches = tuple(
        replace(e, recovery=False, odds=RECOVERY_ODDS) if e.recovery else e
        for e in s.lottery.batches
    )
    return {
        "take_up": replace(s.take_up, revoked_2020=0.0, revoked_later=0.0),
        "lottery": replace(s.lottery, batches=batches),
    }


def _without_reapplication(s: "Scenario") -> dict[str, Any]:
    fresh = tuple(e for e in s.lottery.batches if e.first > 0)
    return {"lottery": replace(s.lottery, batches=fresh, reapply=0.0)}


def _without_reachability(s: "Scenario") -> dict[str, Any]:
    return {
        "people": replace(s.people, reach_urban=0.0, reach_education=0.0, reach_smartphone=0.0),
        "take_up": replace(s.take_up, other=s.take_up.reachable),
        "effects": replace(s.effects, other=1.0),
    }


LAYERS: "dict[str, Callable[[Scenario], dict[str, Any]]]" = {
    "reachability": _without_reachability,
    "sampling": _part("people", oversampling=0.0),
    "households": _part("people", same_household=0.0),
    "priority": _part("people", priority=0.0),
    "funnel": _part("funnel", on=False),
    "household_cap": _part("lottery", household_cap=0),
    "reapplication": _without_reapplication,
    "revocation": _without_revocation,
    "non_receipt": _part("take_up", reachable=1.0, other=1.0, ability=0.0, always=0.0),
    "cash": _part("take_up", incentives=0, survey_incentives=0),
    "effects": lambda s: {"effects": Effects(training=s.effects.training, ramp=s.effects.ramp)},
    "dip": _part("outcomes", dip=0.0),
    "selective_response": _part(
        "survey",
        employed=0.0,
        winners=0.0,
        winners_employed=0.0,
        winners_self_employed=0.0,
        winners_owner=0.0,
        winners_new_job=0.0,
        winners_pay=0.0,
    ),
    "non_response": _part("survey", response=1.0, missed=0.0, lost=0.0),
    "item_non_response": _part("survey", item=0.0),
    "heaping": _part("survey", heaping=0.0),
    "misreport": _part("survey", denied=0.0, denied_in_person=0.0, claimed=0.0),
}
