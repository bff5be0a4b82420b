"""Which month is it? Months are counted from January 2020."""

import re

from prakerja_eval.errors import UsageError

YEAR = 2020


def month_number(label: str, key: str = "month") -> int:
    """Return the months from January 2020 to a month written "2021-05".

    Raises
    ------
    UsageError
        If the text is no month.
    """
    found = re.fullmatch(r"([0-9]{4})-([0-9]{2})", label) if isinstance(label, str) else None
    if not found:
        raise UsageError(f'{key} = {label!r} is no month; write it "2021-05".')
    year, month = int(found[1]), int(found[2])
    if not 1 <= month <= 12:
        raise UsageError(f'{key} = {label!r} is no month; months run from "01" to "12".')
    return (year - YEAR) * 12 + month - 1


def month_label(number: int) -> str:
    """Return a month as text."""
    return f"{YEAR + number // 12}-{number % 12 + 1:02d}"
