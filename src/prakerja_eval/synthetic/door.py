"""Are a scenario's options right? Unknown keys, wrong kinds and values, all at once."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np

from prakerja_eval.errors import UsageError, nearest

Option = TypeVar("Option")
KINDS: dict[type, str] = {
    str: "text in quotes",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}
RANGE = r"is not allowed; give a (whole )?number"  # of a message on one number
LARGEST = 2**63  # of a whole number in TOML


def checked(kind: type[Option], table: Mapping[str, Any], name: str) -> Option:
    """Return the options that a table of TOML spells out.

    Raises
    ------
    UsageError
        For unknown keys, and values of the wrong kind or out of range, all at once.
    """
    faults = [f"{w}: unknown key." for w in table if w == "name"]  # the file's, never in it
    found: Option = _options(kind, {**table, "name": name}, "", faults)
    refuse(faults, f"the scenario {name}")
    return found


def changed(options: Option, tables: Mapping[str, Mapping[str, Any]]) -> Option:
    """Return options with other values in some of their tables.

    Raises
    ------
    UsageError
        As `checked` does.
    """
    faults: list[str] = []
    known = [f.name for f in fields(options) if is_dataclass(getattr(options, f.name))]  # type: ignore[arg-type]
    parts = {}
    for name, values in tables.items():
        if name in known:
            below = getattr(options, name)
            parts[name] = _options(type(below), values, name, faults, below)
        else:
            faults.append(
                f"{name}: a scenario has no such table.{nearest(name, known)} There are "
                f"{', '.join(known)}."
            )
    refuse(faults, "the change of a scenario")
    return replace(options, **parts)  # type: ignore[type-var]


def refuse(faults: list[str], what: str) -> None:
    """Refuse with every fault.

    Raises
    ------
    UsageError
        If there is any.
    """
    if faults:
        raise UsageError(f"{what} has faults:\n" + "\n".join(f"- {line}" for line in faults))


def _options(kind: Any, table: Any, key: str, faults: list[str], below: Any = None) -> Any:
    """Return options of a kind (over those ``below``), or None with faults."""
    if isinstance(table, kind):
        return table
    if not isinstance(table, Mapping):
        faults.append(f"{key} = {table!r}: give a table of options.")
        return None
    kinds, before = get_type_hints(kind), len(faults)
    required = [f.name for f in fields(kind) if f.default is f.default_factory is MISSING]
    if below is None:
        faults += [f"{_place(key, w)} is missing." for w in required if w not in table]
    values = {}
    for word, value in table.items():
        if word in kinds:
            values[word] = _value(kinds[word], value, _place(key, word), faults)
        else:
            faults.append(f"{_place(key, word)}: unknown key.{nearest(str(word), kinds)}")
    if len(faults) > before:
        numbers = {w: value for w, value in values.items() if isinstance(value, int | float)}
        faults += _out_of_range(kind, numbers)
        return None
    try:
        return kind(**values) if below is None else replace(below, **values)
    except UsageError as error:
        faults.append(str(error))
        return None


def _out_of_range(kind: Any, values: dict[str, Any]) -> list[str]:
    """Return the faults of numbers, each alone; what depends on other options is left to later."""
    found = []
    for word, value in values.items():
        try:
            kind(**{word: value})
        except (UsageError, TypeError) as error:  # TypeError: a required option is not there
            if isinstance(error, UsageError) and re.search(RANGE, str(error)):
                found.append(str(error))
    return found


def _value(kind: Any, value: Any, key: str, faults: list[str]) -> Any:
    """Return a value in its kind, or None with faults."""
    if is_dataclass(kind):
        return _options(kind, value, key, faults)
    if get_origin(kind) is tuple:
        return _list(get_args(kind), value, key, faults)
    allowed = [k for k in get_args(kind) or (kind,) if k is not NoneType]
    if value is None and len(get_args(kind)) > len(allowed):
        return None
    for one in allowed:
        if _is(one, value):
            return one(value)
    faults.append(f"{key} = {value!r}: give {' or '.join(KINDS[k] for k in allowed)}.")
    return None


def _list(kinds: tuple[Any, ...], value: Any, key: str, faults: list[str]) -> Any:
    """Return a list's values in their kinds, or None with faults."""
    if not isinstance(value, list | tuple):
        faults.append(f"{key} = {value!r}: give a list in brackets.")
        return None
    if kinds[-1] is not Ellipsis and len(value) != len(kinds):
        pair = ", ".join(KINDS[k] for k in kinds)
        faults.append(f"{key} = {list(value)!r}: give [{pair}].")
        return None
    each = kinds[:1] * len(value) if kinds[-1] is Ellipsis else kinds
    return tuple(
        _value(kind, item, f"{key}, entry {i}", faults)
        for i, (kind, item) in enumerate(zip(each, value, strict=True), start=1)
    )


def _is(kind: type, value: object) -> bool:
    """Return whether a value is of a kind; a truth value is no number."""
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    if isinstance(value, int | np.integer) and kind in (int, float):
        return bool(-LARGEST <= value < LARGEST)
    return isinstance(value, kind)


def _place(key: str, word: str) -> str:
    return f"{key}.{word}" if key else str(word)
