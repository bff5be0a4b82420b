"""What is a column probably, by its name? Word lists in Indonesian and English, in words.toml."""

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources

NOT = " not"
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def parts_of(name: str) -> tuple[str, ...]:
    """Split a column name into lower-case words: "hhIncome_2020" is hh, income."""
    return tuple(p.lower() for p in PART.findall(name))


@lru_cache(maxsize=1)
def word_lists() -> Mapping[str, frozenset[tuple[str, ...]]]:
    """Return each list of words.toml as word runs; those that rule a name out under "KIND not"."""
    source = resources.files("prakerja_eval.panel").joinpath("words.toml")
    tree = tomllib.loads(source.read_text(encoding="utf-8"))
    return {
        name + suffix: frozenset(tuple(w.split("_")) for w in table.get(key, ()))
        for name, table in tree.items()
        for key, suffix in (("words", ""), ("not", NOT))
    }


@lru_cache(maxsize=4096)
def suggests(name: str, kind: str) -> bool:
    """Say whether a column's name holds a word of a list ("money", "unit", "offer", ...)."""
    return _holds(name, kind) and not _holds(name, kind + NOT)


def _holds(name: str, words: str) -> bool:
    parts = parts_of(name)
    lengths = {len(run) for run in word_lists()[words]}
    runs = {parts[i : i + k] for k in lengths for i in range(len(parts) - k + 1)}
    return bool(runs & word_lists()[words])
