"""Which month is it? Months are counted from January 2020."""

from prakerja_eval.errors import UsageError

YEAR = 2020


def month_number(label: str, key: str = "month") -> int:
    """Return the months from January 2020 to a month written "2021-05".

    Raises
    ------
    UsageError
        If the text is no month.
    """
    year, dash, month = label.partition("-")
    if not (dash and year.isdigit() and len(year) == 4 and month.isdigit() and len(month) == 2):
        raise UsageError(f'{key} = {label!r} is no month; write it "2021-05".')
    if not 1 <= int(month) <= 12:
        raise UsageError(f'{key} = {label!r} is no month; months run from "01" to "12".')
    return (int(year) - YEAR) * 12 + int(month) - 1


def month_label(number: int) -> str:
    """Return a month as text."""
    return f"{YEAR + number // 12}-{number % 12 + 1:02d}"
