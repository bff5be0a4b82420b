"""Is a scenario's TOML right? Unknown keys and wrong kinds, all at once."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from prakerja_eval.errors import UsageError, nearest

Option = TypeVar("Option")


def checked(kind: type[Option], table: dict[str, Any], name: str) -> Option:
    """Return the options that a table of TOML spells out.

    Raises
    ------
    UsageError
        For unknown keys and values of the wrong kind, all at once; then for a value out of range.
    """
    lines = list(_unknown(kind, table, ""))
    if lines:
        raise UsageError(f"the scenario {name} has faults:\n" + "\n".join(f"- {x}" for x in lines))
    try:
        return TypeAdapter(kind).validate_python({**table, "name": name})
    except ValidationError as error:
        raise UsageError(
            f"the scenario {name} has faults:\n"
            + "\n".join(f"- {_place(item['loc'])}: {item['msg']}" for item in error.errors())
        ) from error


def _unknown(kind: Any, table: Any, key: str) -> Iterator[str]:
    """Yield a line for each key that the options do not have."""
    if not (is_dataclass(kind) and isinstance(table, dict)):
        return
    types = get_type_hints(kind)
    known = [f.name for f in fields(kind) if not (key == "" and f.name == "name")]
    for word, value in table.items():
        place = f"{key}.{word}" if key else word
        if word not in known:
            yield f"{place}: unknown key.{nearest(word, known)}"
        elif isinstance(value, list):
            inner = next(iter(get_args(types[word])), None)
            for i, item in enumerate(value):
                yield from _unknown(inner, item, f"{place}, entry {i + 1}")
        else:
            yield from _unknown(types[word], value, place)


def _place(loc: tuple[int | str, ...]) -> str:
    """Return where a fault stands: `lottery.batches, entry 2.odds`."""
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f", entry {part + 1}"
        else:
            text += f".{part}" if text else part
    return text
