"""What kind of identifier does a column's name suggest? Word lists in identifiers.toml."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Literal, TypeAlias

from prakerja_eval.panel.words import parts_of

Strength: TypeAlias = Literal["exact", "suspicious"]
Run: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KindWords:
    """The words of one kind, as runs of parts of a name."""

    exact: tuple[Run, ...]
    suspicious: tuple[Run, ...]
    innocent: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """The lists of identifiers.toml."""

    kinds: Mapping[str, KindWords]
    companions: frozenset[str]
    answers: tuple[str, ...]
    frequent_names: tuple[str, ...]
    place_words: tuple[str, ...]
    people: frozenset[str]
    not_phones: frozenset[str]


@lru_cache(maxsize=1)
def words() -> Words:
    """Return the word lists."""
    source = resources.files("prakerja_eval.panel.privacy").joinpath("identifiers.toml")
    tree = tomllib.loads(source.read_text(encoding="utf-8"))
    kinds = {
        kind: KindWords(
            *(_runs(lists.get(key, ())) for key in ("exact", "suspicious", "innocent")),
        )
        for kind, lists in tree["kinds"].items()
    }
    return Words(
        kinds,
        frozenset(tree["companions"]),
        tuple(tree["answers"]),
        tuple(tree["frequent_names"]),
        tuple(tree["place_words"]),
        frozenset(tree["people"]),
        frozenset(tree["not_phones"]),
    )


@lru_cache(maxsize=4096)
def suggested(name: str) -> Mapping[str, Strength]:
    """Return the kinds that a name suggests, each with how strongly."""
    parts = parts_of(name)
    found: dict[str, Strength] = {}
    for kind, lists in words().kinds.items():
        if _innocent(parts, kind):
            continue
        exact = [run for run in lists.exact if _within(run, parts)]
        if any(_alone(run, parts) for run in exact):
            found[kind] = "exact"
        elif exact or any(_within(run, parts) for run in lists.suspicious):
            found[kind] = "suspicious"
    return found


def innocent_of(name: str, kind: str) -> bool:
    """Say whether a name says that a column is not of a kind ("nama_kabupaten")."""
    return _innocent(parts_of(name), kind)


def _innocent(parts: Run, kind: str) -> bool:
    found = [(i, run) for run in words().kinds[kind].innocent for i in _starts(run, parts)]
    if not found or kind != "name":
        return bool(found)
    places = {i: False for i, part in enumerate(parts) if part in words().people}
    places |= {i: True for i, _ in found}
    for word, first in (("nama", True), ("nm", True), ("name", False)):
        if word in parts:
            at = parts.index(word)
            beside = [i for i in places if (i > at) == first]
            return places[min(beside) if first else max(beside)] if beside else True
    return True


def _runs(entries: Iterable[str]) -> tuple[Run, ...]:
    return tuple(tuple(entry.split("_")) for entry in entries)


def _starts(run: Run, parts: Run) -> list[int]:
    k = len(run)
    return [i for i in range(len(parts) - k + 1) if parts[i : i + k] == run]


def _within(run: Run, parts: Run) -> bool:
    return bool(_starts(run, parts))


def _alone(run: Run, parts: Run) -> bool:
    """Say whether nothing but companions stands beside a run."""
    return any(
        set(parts[:i] + parts[i + len(run) :]) <= words().companions for i in _starts(run, parts)
    )
