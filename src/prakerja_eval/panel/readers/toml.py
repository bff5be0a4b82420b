"""How is TOML read and written? Keys checked, with the nearest one offered; values quoted."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from prakerja_eval.errors import UsageError, nearest


def read_toml(path: str | Path, option: str) -> dict[str, Any]:
    """Read a TOML file that an option of ReadOptions names.

    Raises
    ------
    UsageError
        If the file is missing or is not TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(
            f"ReadOptions({option}={str(path)!r}) is not a TOML file: {error}."
        ) from error
    except (OSError, ValueError) as error:
        raise UsageError(
            f"ReadOptions({option}={str(path)!r}): there is no such file, or it cannot be opened; "
            "check the path."
        ) from error


def toml_of(value: object) -> str:
    """Write text, a number, a list or a table of these as a TOML value."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{toml_of(str(k))} = {toml_of(v)}" for k, v in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_of, value))}]"
    # JSON's escapes are TOML's, but for the delete character, which JSON lets through
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def table_of(value: object, where: str, known: Iterable[str] = ()) -> dict[str, Any]:
    """Return a table; where keys are known, no other one may stand in it.

    Raises
    ------
    UsageError
    """
    if not isinstance(value, Mapping):
        raise UsageError(f'{where} must be a table, such as {{ 1 = "yes" }}.')
    keys = tuple(known)
    for key in value:
        if keys and key not in keys:
            raise UsageError(
                f"{where}: unknown key {key!r}.{nearest(key, keys)} Keys: {', '.join(keys)}."
            )
    return dict(value)


def text_of(value: object, where: str) -> str:
    """Return a text.

    Raises
    ------
    UsageError
    """
    if not isinstance(value, str):
        raise UsageError(f"{where} must be text in quotes.")
    return value


def labels_of(value: object, where: str) -> dict[str, str]:
    """Return a table of labels by code, or codes alone as a list.

    Raises
    ------
    UsageError
    """
    if isinstance(value, list):
        if not all(isinstance(v, int | float | str) for v in value):
            raise UsageError(f"{where} must be a list of codes, such as [98, 99].")
        return {str(v): "" for v in value}
    labels = table_of(value, where)
    for code, label in labels.items():
        if not isinstance(label, str):
            raise UsageError(
                f"{where}: the label of {code!r} must be text in quotes; a code with a point in it "
                'stands in quotes too: ".a".'
            )
    return labels
