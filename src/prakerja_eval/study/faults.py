"""What is wrong with a study file, in words? Where, what is needed, the nearest known name."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from typing import Any, get_args, get_type_hints

from pydantic import ValidationError

from prakerja_eval import did, lottery, matching
from prakerja_eval.estimate import specs
from prakerja_eval.panel import Roles
from prakerja_eval.study import schema

SHOWN = 40
SEVERAL = ("outcomes", "estimates")
UNION = ("str", "int", "float", "dict[", "list[", "tuple[")
NEEDED = {
    "string": "text in quotation marks",
    "bool": "true or false, without quotation marks",
    "int": "a whole number",
    "float": "a number",
    "list": 'a list in square brackets, such as ["a", "b"]',
    "tuple": 'a list in square brackets, such as ["a", "b"]',
    "dict": "a table, such as { a = 1 }",
    "dataclass": "a table, such as { a = 1 }",
}


def in_words(error: ValidationError) -> Iterator[str]:
    """Yield one line a fault of a study file."""
    found: dict[str, dict[str, str]] = {}
    for item in error.errors():
        found.setdefault(_place(item["loc"]), {})[_fault(item)] = _value(item)
    for place, texts in found.items():
        if any(other.startswith(f"{place}.") for other in found):
            continue  # a table whose fault is inside: that it is no text is not the point
        first, *others = texts  # several where a value may be of either kind
        more = "".join(f", or {text.removeprefix('it must be ')}" for text in others)
        yield f"{place}: {first}{more}{texts[first]}"


def _place(loc: Sequence[int | str]) -> str:
    """Return where a fault stands: `[[estimates]] number 2: design.covariates`."""
    tags = estimators()
    parts = [p for p in loc if p not in tags and not (p in UNION or _of_union(p))]
    text = ""
    for at, part in enumerate(parts):
        if isinstance(part, int):
            text += f" number {part + 1}"
        elif at == 0:
            text = f"[[{part}]]" if part in SEVERAL else str(part)
        else:
            text += (": " if text.startswith("[[") and at == 2 else ".") + str(part)
    return text


def _of_union(part: int | str) -> bool:
    return isinstance(part, str) and part.endswith("]") and part.startswith(UNION)


def _fault(item: Any) -> str:
    """Return what is wrong at a place."""
    kind, loc = item["type"], item["loc"]
    if kind == "unexpected_keyword_argument":
        return f"unknown key{_nearest(str(loc[-1]), sorted(set(_known_keys())))}"
    if kind in ("missing", "missing_argument"):
        return "missing"
    if kind.startswith("union_tag"):
        named = item["input"].get("estimator") if isinstance(item["input"], dict) else None
        if not isinstance(named, str):
            return f"it must name its estimator, one of {_listed(estimators())}"
        return f"there is no estimator {_shown(named)}{_nearest(named, estimators(), estimators())}"
    if loc[-1] in SEVERAL:
        return f"each stands under a heading of its own with two brackets, [[{loc[-1]}]]"
    need = NEEDED.get(kind.partition("_")[0])
    if kind == "literal_error":
        need = f"one of {item['ctx']['expected'].replace(' or ', ', ')}"
    return f"it must be {need}" if need else str(item["msg"])


def _value(item: Any) -> str:
    """Return what stands at a place where something else should, if it is short to say."""
    told = item["type"].startswith(("unexpected", "missing", "union_tag"))
    plain = isinstance(item["input"], str | int | float)
    return f" (it is {_shown(item['input'])})" if plain and not told else ""


def _nearest(name: str, known: Sequence[str], otherwise: Sequence[str] = ()) -> str:
    near = get_close_matches(name, known, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; there are {_listed(otherwise)}" if otherwise else ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names))


def _shown(value: object) -> str:
    """Return a value as it stands in the file, shortened."""
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def estimators() -> tuple[str, ...]:
    """Return the names of all estimators that an entry can have."""
    entries = get_args(get_args(schema.AnyEntry)[0])
    return tuple(n for entry in entries for n in get_args(get_type_hints(entry)["estimator"]))


def _known_keys() -> Iterator[str]:
    """Return the names of all fields that a study file can have."""
    homes = [*vars(schema).values(), *vars(specs).values(), Roles]
    homes += [lottery.Design, did.Design, matching.Nearest, matching.Variance]
    for home in homes:
        if is_dataclass(home):
            yield from (f.name for f in fields(home))
