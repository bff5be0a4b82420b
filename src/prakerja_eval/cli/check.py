"""What is wrong with a file of data? A table for people, or JSON for machines."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prakerja_eval.cli.reading import read_options, reading_options
from prakerja_eval.cli.say import one_line, say
from prakerja_eval.errors import PrakerjaEvalError, UsageError

if TYPE_CHECKING:
    from prakerja_eval.study.examination import Examination


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--study", type=click.Path(path_type=Path), help="Study file that names the roles.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@reading_options
def check(data: Path, study: Path | None, as_json: bool, **given: Any) -> None:
    """Check DATA: every fault with its remedy, identifiers, and what is missing.

    Without a study file the roles of the columns are guessed, and the guesses are said.
    """
    try:
        found = _examined(data, study, given)
    except PrakerjaEvalError as error:
        if as_json:
            _say_json({"data": data.name, "error": str(error), "exit_code": error.exit_code})
        raise
    if as_json:
        _say_json(found.tree())
    else:
        say("\n".join(_lines(found)))
    found.raise_if_any()


def _examined(data: Path, study: Path | None, given: dict[str, Any]) -> "Examination":
    """Read and examine the data."""
    from prakerja_eval.study import Study
    from prakerja_eval.study.examination import examine

    options = read_options(given)
    if study is not None and any(v not in (None, "") for v in given.values()):
        raise UsageError("with --study, the options of reading stand under [reading] in that file.")
    return examine(data, None if study is None else Study.read(study), options)


def _say_json(tree: dict[str, object]) -> None:
    say(json.dumps(tree, indent=2, allow_nan=False))


def _lines(found: "Examination") -> Iterator[str]:
    """Yield what was found, in the order in which a person asks."""
    yield one_line(found.headline)
    for note in found.notes:
        yield one_line(f"  assumed: {note.message}")
    yield from _roles(found)
    yield ""
    if found.identifiers:
        yield f"Identifiers: {len(found.identifiers)} column(s) tell who people are."
        for item in found.identifiers:
            yield one_line(f"- {item.column}: {item.kind}, by its {item.by} ({item.count:,} cells)")
            yield one_line(f"  Remedy: {item.remedy}")
    else:
        yield "Identifiers: none found."
    yield ""
    yield repr(found.check)
    yield from _missing(found)


def _roles(found: "Examination") -> Iterator[str]:
    if found.panel is None:
        return
    named = {role: ", ".join(columns) for role, columns in found.panel.roles.columns().items()}
    if found.panel.roles.baseline is not None:
        named["baseline"] = str(found.panel.roles.baseline)
    yield "Roles, guessed from names and values:" if found.guessed else "Roles, as the study says:"
    for role, columns in named.items():
        why = found.guessed.get(role)
        yield one_line(f"  {role:<12} {columns}" + (f"   ({why})" if why else ""))
    for role, why in found.guessed.items():
        if role not in named:
            yield one_line(f"  no {role:<9} {why}")


def _missing(found: "Examination") -> Iterator[str]:
    """Yield the share missing by column, wave and arm."""
    table = found.missing()
    if table is None or table.empty:
        return
    yield ""
    yield "Missing, percent of rows by wave and arm:"
    yield table.to_string(float_format=lambda v: f"{v:.1f}")
