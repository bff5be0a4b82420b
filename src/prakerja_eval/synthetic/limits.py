"""Is an option within what it may be? The key and the allowed range in one message."""

from collections.abc import Iterable

import numpy as np

from prakerja_eval.errors import UsageError, nearest


def between(key: str, value: object, low: float, high: float) -> None:
    """Refuse what is no number in [low, high].

    Raises
    ------
    UsageError
        With the key, the value and the range.
    """
    if not (_is_number(value) and low <= value <= high):  # type: ignore[operator]
        raise _refusal(key, value, f"a number from {_text(low)} to {_text(high)}")


def inside(key: str, value: object, low: float, high: float) -> None:
    """Refuse what is no number strictly between low and high.

    Raises
    ------
    UsageError
        With the key, the value and the range.
    """
    if not (_is_number(value) and low < value < high):  # type: ignore[operator]
        raise _refusal(key, value, f"a number above {_text(low)} and below {_text(high)}")


def above(key: str, value: object, low: float, high: float) -> None:
    """Refuse what is no number in (low, high].

    Raises
    ------
    UsageError
        With the key, the value and the range.
    """
    if not (_is_number(value) and low < value <= high):  # type: ignore[operator]
        raise _refusal(key, value, f"a number above {_text(low)}, at most {_text(high)}")


def whole(key: str, value: object, low: int, high: int) -> None:
    """Refuse what is no whole number from low to high.

    Raises
    ------
    UsageError
        With the key, the value and the range.
    """
    is_whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not (is_whole and low <= value <= high):  # type: ignore[operator]
        raise _refusal(key, value, f"a whole number from {_text(low)} to {_text(high)}")


def one_of(key: str, value: object, allowed: Iterable[object]) -> None:
    """Refuse a value that is not among those allowed.

    Raises
    ------
    UsageError
        With the key, the nearest allowed value, and all of them.
    """
    names = list(allowed)
    if not any(type(value) is type(name) and value == name for name in names):
        listed = ", ".join(map(str, names))
        raise UsageError(
            f"{key} = {value!r} is not allowed.{nearest(str(value), names)} There are {listed}."
        )


def _refusal(key: str, value: object, wanted: str) -> UsageError:
    """Return the refusal of a value, with its key and what to give instead."""
    return UsageError(f"{key} = {value!r} is not allowed; give {wanted}.")


def _is_number(value: object) -> bool:
    """Return whether a value is a number, and not a truth value."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _text(limit: float) -> str:
    """Return a limit as text: 10,000 and 0.95."""
    return f"{limit:,.0f}" if float(limit).is_integer() else f"{limit:g}"
