"""Is an option within what it may be? The key and the allowed range in one message."""

from collections.abc import Iterable
from math import isfinite

from prakerja_eval.errors import UsageError, nearest


def between(key: str, value: float, low: float, high: float) -> None:
    """Refuse a number outside [low, high].

    Raises
    ------
    UsageError
        With the key, the value and the range.
    """
    if not (isfinite(value) and low <= value <= high):
        raise UsageError(
            f"{key} = {value:g} is not allowed; give a number from {low:g} to {high:g}."
        )


def inside(key: str, value: float, low: float, high: float) -> None:
    """Refuse a number that is not strictly between low and high.

    Raises
    ------
    UsageError
        With the key, the value and the range.
    """
    if not (isfinite(value) and low < value < high):
        raise UsageError(
            f"{key} = {value:g} is not allowed; give a number above {low:g} and below {high:g}."
        )


def one_of(key: str, value: object, allowed: Iterable[object]) -> None:
    """Refuse a value that is not among those allowed.

    Raises
    ------
    UsageError
        With the key, the nearest allowed value, and all of them.
    """
    names = list(allowed)
    if value not in names:
        listed = ", ".join(map(str, names))
        raise UsageError(
            f"{key} = {value!r} is not allowed.{nearest(str(value), names)} There are {listed}."
        )
