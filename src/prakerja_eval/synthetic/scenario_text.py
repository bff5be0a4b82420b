"""How is a scenario written down? As the TOML that reads back as the same scenario."""

import json
from dataclasses import asdict, fields, is_dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prakerja_eval.synthetic.scenario import Scenario


def as_toml(scenario: "Scenario") -> str:
    """Return the whole scenario as TOML, defaults written out."""
    lines, tables = [], []
    for item in fields(scenario):
        value = getattr(scenario, item.name)
        if is_dataclass(value):
            tables += ["", f"[{item.name}]", *_lines(asdict(value))]  # type: ignore[arg-type]
        elif item.name != "name":
            lines.append(f"{item.name} = {value_text(value)}")
    return "\n".join([*lines, *tables, ""])


def _lines(table: dict[str, Any]) -> list[str]:
    """Return a line a key; what is None is left out."""
    return [f"{key} = {value_text(value)}" for key, value in table.items() if value is not None]


def value_text(value: Any) -> str:
    """Return a value as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # JSON escapes as TOML does, but for the one control character that JSON lets stand
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, dict):
        return "{ " + ", ".join(_lines(value)) + " }"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(value_text(v) for v in value) + "]"
    return repr(value)
