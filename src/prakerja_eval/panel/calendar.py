"""Which days does a label mean? Years, months, quarters and days, written as waves are."""

import re
from datetime import date, timedelta

DATED = re.compile(
    r"(?P<year>(?:19|20)\d{2})"
    r"(?:-?Q(?P<quarter>[1-4])|-?(?P<month>0[1-9]|1[0-2])(?:-(?P<day>\d{2})(?:[T ].*)?)?)?"
)


def days_of(label: object) -> tuple[date, date] | None:
    """Return the first and last day of a label; None where it is no date.

    2020, 202002, "2020-02", "2020Q1" and "2020-02-28" are dates; 3 and "endline" are none.
    """
    found = DATED.fullmatch(str(label).removesuffix(".0"))
    if found is None:
        return None
    year, quarter = int(found["year"]), found["quarter"]
    if found["day"] is not None:
        try:
            day = date(year, int(found["month"]), int(found["day"]))
        except ValueError:
            return None
        return day, day
    if quarter is not None:
        first, months = 3 * int(quarter) - 2, 3
    elif found["month"] is not None:
        first, months = int(found["month"]), 1
    else:
        first, months = 1, 12
    after = date(year + (first + months > 12), (first + months - 1) % 12 + 1, 1)
    return date(year, first, 1), after - timedelta(days=1)
