"""The difference-in-differences wing: what changes over time say."""

from prakerja_eval.did.aggregation import by_calendar, by_cohort, event_study, overall
from prakerja_eval.did.design import Design
from prakerja_eval.did.group_time import group_time
from prakerja_eval.did.two_by_two import two_by_two

__all__ = [
    "Design",
    "by_calendar",
    "by_cohort",
    "event_study",
    "group_time",
    "overall",
    "two_by_two",
]
