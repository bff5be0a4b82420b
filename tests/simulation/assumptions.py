"""Which of the simulator's options has a published source, and which is an assumption?

Every option is in one of three lists, and a test keeps them whole: those with a source, those that
are off unless a scenario asks, and the assumptions, printed below the calibration table.
"""

from typing import NamedTuple

from prakerja_eval.synthetic import Scenario

TABLES = ("people", "funnel", "lottery", "take_up", "effects", "outcomes", "survey")


class Assumption(NamedTuple):
    """An option without a published source: "table.option", why, and where its value stands."""

    key: str
    why: str
    scenario: str = "phone_sample"
    account: str = "non_receipt"


# Option -> the figures of the programme it follows. A path or a list may hold values that no
# figure has: those are assumptions, and stand in both lists.
SOURCED = {
    "people.female": "composition.female_admin_2020",
    "people.urban": "composition.urban_sakernas_aug_2020",
    "people.disability": "composition.disability_2020",
    "people.education": "composition.sma_or_higher_sakernas_aug_2020",
    "people.ages": "composition.age_18_35_oct_2020",
    "people.districts": "totals.districts_2020",
    "funnel.e_mail": "funnel.email_verified_share",
    "funnel.identity": "funnel.nik_verified_share",
    "funnel.eligible": "funnel.eligible_share",
    "lottery.batches": "funnel.win_probability.batches_5_6",
    "lottery.household_cap": "eligibility.max_winners_household",
    "take_up.revoked_2020": "take_up.revoked_rate_2020",
    "take_up.revoked_later": "take_up.revoked_rate_2021",
    "take_up.completion": "take_up.completed_2021",
    "take_up.paid": "take_up.incentive_received_2021",
    "take_up.institutions": "totals.training_institutions_feb_2022",
    "take_up.incentive": "benefits.semi_bansos.incentive",
    "take_up.incentives": "benefits.semi_bansos.incentives",
    "take_up.survey_incentive": "benefits.semi_bansos.survey_incentive",
    "take_up.survey_incentives": "benefits.semi_bansos.surveys",
    "take_up.e_wallet": "payment.ewallet_share_oct_2020",
    "outcomes.path": "evaluations.jpal_2021.employed_control",
    "outcomes.self_employed": "composition.entry_cyrus.entrepreneur",
    "outcomes.owner": "evaluations.jpal_2021.owns_business_control",
    "outcomes.certificate": "evaluations.jpal_2021.certificate_control",
    "outcomes.pay": "evaluations.jpal_2021.earnings_control",
    "outcomes.pay_spread": "labour_market.wage_log_sd",
}

# What is no number of the world: who is looked at, when, and what only other scenarios use.
FORM = (
    *("people.frame", "people.provinces", "funnel.on", "lottery.kind", "lottery.fewest_winners"),
    *("survey.waves", "survey.baseline", "survey.mode", "survey.visits"),
    *(f"lottery.selection_{k}" for k in ("constant", "education", "age", "female")),
    *("lottery.selection_ability", "lottery.selection_motivation"),
    *("take_up.ability", "take_up.always", "take_up.always_ability"),
    *("effects.by_batch", "effects.by_month", "effects.displacement"),
    *("effects.anticipation", "effects.anticipated"),
    *("outcomes.urban", "outcomes.dip", "outcomes.dip_months", "outcomes.motivation"),
    *("outcomes.trend_motivation", "outcomes.recovery_education", "outcomes.district"),
    *("survey.employed", "survey.lost", "survey.missed", "survey.claimed"),
)

_RESPONSE = "[not found] no response rate of the phone surveys is published, nor who answers them"
_SOLVED = "solved so that the survey by phone gives the published effect of the offer"
_TILT = "solved for the published effects; that those who did well answer more is the account"
_SPLIT = "only one total is published; the split below it is not"
_SIGN = "several evaluations agree on the sign; the size is not published"

ASSUMPTIONS = (
    Assumption("people.reachable", _RESPONSE + "; at most 6.4 % if the gap is all an effect"),
    Assumption("people.reach_urban", "who can be reached is not published; the sign is a guess"),
    Assumption("people.reach_education", "as for cities"),
    Assumption("people.reach_smartphone", "as for cities"),
    Assumption("people.smartphone", "not published for applicants"),
    Assumption("people.same_household", "applicants a household are not published"),
    Assumption("people.return_migrant", "[not found] their number among recipients"),
    Assumption("people.priority", "the share of priority applicants after batch 3 is not known"),
    Assumption("people.education", _SPLIT + " (91 % with SMA or more)"),
    Assumption("people.ages", _SPLIT + " (79 % aged 18 to 35, 2 % above 55)"),
    Assumption(
        "people.oversampling",
        "how the matched surveys sampled recipients by province is not published; 100,000 "
        "applicants in them are an assumption too",
        "matched_national",
    ),
    Assumption("lottery.batches", "published odds of batches 5, 6, 9 and 11; the rest is assumed"),
    Assumption("lottery.priority_advantage", "[not found] weights of the priority groups"),
    Assumption("lottery.reapply", "[not found] how many losers apply again"),
    Assumption("lottery.reapply_motivation", "[not found] who applies again"),
    Assumption("take_up.reachable", "reported receipt by phone is high, without a number"),
    Assumption(
        "take_up.other", "most say that they did not receive, without a number: the account"
    ),
    Assumption(
        "take_up.other", "that nearly all receive is the account", account="selective_response"
    ),
    Assumption("take_up.delay", "from winning to receiving; not published"),
    Assumption("effects.work", _SOLVED),
    Assumption("effects.work", "the most that a review reports, 2 points", "at_scale", ""),
    Assumption("effects.pay", "5 % of pay in all, between 3 and 8", "at_scale", ""),
    Assumption("effects.self_employed", _SOLVED),
    Assumption("effects.owner", _SOLVED),
    Assumption("effects.changers", _SOLVED),
    Assumption("effects.certificate", _SOLVED),
    Assumption("effects.pay", _SOLVED),
    Assumption("effects.other", "that those out of reach gain nothing is the account"),
    Assumption("effects.account", "text says more accounts; the size is not found"),
    Assumption("effects.lock_in", "a review's sign; the size is not published for the programme"),
    Assumption("effects.training", "courses were short; months are the panel's grain"),
    Assumption("effects.ramp", "not published"),
    Assumption("effects.spread", "not published"),
    Assumption("effects.women", _SIGN),
    Assumption("effects.urban", _SIGN),
    Assumption("effects.senior", _SIGN),
    Assumption("outcomes.path", "the months between the published ones; February 2020 is a guess"),
    Assumption("outcomes.self_employed", "straight lines between the months of Cyrus"),
    Assumption("outcomes.persistence", "no panel of applicants is published"),
    Assumption("outcomes.education", "slope of work by schooling among applicants: not published"),
    Assumption("outcomes.female", "as for schooling"),
    Assumption("outcomes.age", "as for schooling"),
    Assumption("outcomes.formal", "the published 40 % of all workers are no share of employees"),
    Assumption("outcomes.changers", "solved with the path for the losers' 28.3 % with a new job"),
    Assumption("outcomes.account", "not published for losers; an evaluation points to less"),
    Assumption("outcomes.pay_ability", "not published"),
    Assumption("outcomes.heavy", "a heavy tail that surveys of pay have; the share is a guess"),
    Assumption("outcomes.pay_path", "the fall of 2020 among applicants is not published"),
    Assumption("survey.response", _RESPONSE),
    Assumption("survey.response", "in person: not published", "matched_national"),
    Assumption("survey.education", _RESPONSE),
    Assumption("survey.urban", _RESPONSE),
    Assumption("survey.smartphone", _RESPONSE),
    Assumption("survey.calls", "not published"),
    Assumption("survey.item", "not published"),
    Assumption("survey.heaping", "not published; incomes in surveys are round"),
    Assumption("survey.denied", "high reported receipt by phone, without a number"),
    Assumption(
        "survey.denied_in_person",
        "most say that they did not receive, without a number: the account",
        "matched_national",
        "selective_response",
    ),
    *(
        Assumption(f"survey.{key}", _TILT, account="selective_response")
        for key in (
            "winners",
            "winners_employed",
            "winners_self_employed",
            "winners_owner",
            "winners_new_job",
            "winners_pay",
        )
    ),
)


def value_of(assumption: Assumption) -> str:
    """Return an assumption's value, and where it stands if not in the table's own scenario."""
    scenario = Scenario.named(assumption.scenario, account=assumption.account or None)
    table, key = assumption.key.split(".")
    value = getattr(getattr(scenario, table), key)
    if key == "batches":
        value = ", ".join(_batch(entry) for entry in value)
    elif isinstance(value, tuple):
        value = ", ".join(f"{m} {v:g}" for m, v in value) if _path(value) else _list(value)
    named = assumption.scenario.replace("_", " ")
    where = [] if assumption.scenario == "phone_sample" else [named]
    where += ["selective response"] if assumption.account == "selective_response" else []
    return f"{value}" + (f" ({', '.join(where)})" if where else "")


def _batch(entry: object) -> str:
    odds = "recovery" if entry.recovery else f"odds {entry.odds:g}"
    return f"{entry.number}: first {entry.first:g}, {odds}"


def _path(value: tuple[object, ...]) -> bool:
    return bool(value) and isinstance(value[0], tuple)


def _list(value: tuple[float, ...]) -> str:
    return ", ".join(f"{v:g}" for v in value)
