"""Is the study file right? TOML checked at the door, and everything in it before anything runs."""

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from prakerja_eval import did, lottery, matching
from prakerja_eval.errors import PrakerjaEvalError, UsageError
from prakerja_eval.estimate import specs
from prakerja_eval.panel import Panel, Roles
from prakerja_eval.panel.privacy import refuse_identifiers
from prakerja_eval.panel.read import read_long
from prakerja_eval.panel.table import Table
from prakerja_eval.study import schema
from prakerja_eval.study.schema import Plan

if TYPE_CHECKING:
    from prakerja_eval.study.results import Results


@dataclass(frozen=True, slots=True)
class Study:
    """A declared plan and the place where it stands.

    Attributes
    ----------
    plan : Plan
        The study file.
    path : Path
        Where it was read; paths in it are relative to its folder.
    """

    plan: Plan
    path: Path

    @classmethod
    def read(cls, path: str | Path) -> "Study":
        """Read a study file.

        Raises
        ------
        UsageError
            If the file is missing, is not TOML, or has an unknown key or a value that is not
            allowed; every fault is named at once, an unknown key with the nearest known one.
        """
        place = Path(path)
        if not place.is_file():
            raise UsageError(f"there is no study file {str(path)!r}; check the path.")
        try:
            table = tomllib.loads(place.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"{place.name} is not a TOML file: {error}.") from error
        return cls(_plan(table, place.name), place)

    @property
    def folder(self) -> Path:
        """Return the folder of the study file, to which its paths are relative."""
        return self.path.parent

    def on(self, data: Path) -> "Study":
        """Return the study on a file of data: another one in its place, or one of its own.

        Raises
        ------
        UsageError
            If the study reads several files, and this is none of them.
        """
        if isinstance(self.plan.data, str):
            return replace(self, plan=replace(self.plan, data=str(data.resolve())))
        own = [(self.folder / name).resolve() for name in self.plan.data.values()]
        if data.resolve() not in own:
            named = ", ".join(map(repr, self.plan.data.values()))
            raise UsageError(
                f"the study {self.path.name} reads several files ({named}), and {data.name!r} is "
                "none of them; name one of these."
            )
        return self

    def table(self) -> Table:
        """Read the data as they are, before they are screened for identifiers.

        Raises
        ------
        DataError
            If the data are missing or cannot be read.
        UsageError
            If an option names a column that is not there.
        """
        data, reading = self.plan.data, self.plan.reading
        if reading.codebook is not None:
            reading = replace(reading, codebook=str(self.folder / reading.codebook))
        if reading.mapping is not None and schema.own_mapping(reading):
            reading = replace(reading, mapping=str(self.folder / reading.mapping))
        if isinstance(data, str):
            return read_long(self.folder / data, self.plan.roles, reading)
        whole = all(wave.isdigit() for wave in data)  # TOML's keys are text, whatever they name
        files = {int(w) if whole else w: self.folder / name for w, name in data.items()}
        return read_long(files, self.plan.roles, reading)

    def panel(self) -> Panel:
        """Read the data.

        Raises
        ------
        DataError
            If the data are missing or cannot be read.
        UsageError
            If a role names a column that is not there.
        IdentifierError
            If a column looks like a direct identifier.
        """
        table = self.table()
        refuse_identifiers(table)
        return Panel(table, self.plan.roles)

    def run(self, on_entry: Callable[[str], None] | None = None) -> "Results":
        """Run every entry and return the results.

        Parameters
        ----------
        on_entry : callable, optional
            Called with the name of each entry when it is done, for a progress bar.

        Raises
        ------
        DataError
            If the data are missing or at fault.
        UsageError
            If an entry names a column, value or wave that the data do not have.
        NotEstimableError
            If no entry can be estimated; a single one that cannot is a row with its reason.
        """
        from prakerja_eval.study.run import run

        return run(self, on_entry or (lambda _name: None))


def _plan(table: dict[str, Any], name: str) -> Plan:
    """Validate a study file's tables."""
    adapter = TypeAdapter(Plan)
    try:
        plan = adapter.validate_python(table)
    except ValidationError as error:
        lines = "\n".join(f"- {line}" for line in _faults(error))
        raise UsageError(f"the study file {name} has faults:\n{lines}") from error
    except PrakerjaEvalError as error:
        raise UsageError(f"the study file {name}: {error}") from error
    names = [entry.name for entry in plan.estimates]
    repeated = sorted({n for n in names if names.count(n) > 1})
    if repeated:
        raise UsageError(f"the study file {name} has two estimates named {repeated[0]!r}.")
    roles = [entry.role for entry in plan.estimates]
    if roles.count("benchmark") > 1 or ("candidate" in roles and "benchmark" not in roles):
        raise UsageError(
            f"the study file {name} has {roles.count('benchmark')} estimates with the role "
            "'benchmark'; candidates are compared with exactly one."
        )
    columns = [outcome.column for outcome in plan.outcomes]
    twice = sorted({c for c in columns if columns.count(c) > 1})
    if twice:
        raise UsageError(f"the study file {name} has two outcomes in the column {twice[0]!r}.")
    if not plan.estimates or not plan.outcomes:
        raise UsageError(f"the study file {name} needs an outcome and an entry in [[estimates]].")
    return plan


def _faults(error: ValidationError) -> Iterator[str]:
    """Put pydantic's list into words: where, what, and the nearest key."""
    known = sorted(set(_known_keys()))
    for item in error.errors():
        place = ".".join(str(part) for part in item["loc"])
        if item["type"] == "unexpected_keyword_argument":
            key = str(item["loc"][-1])
            near = get_close_matches(key, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            yield f"{place}: unknown key{hint}"
        elif item["type"] in ("missing", "missing_argument"):
            yield f"{place}: missing"
        else:
            yield f"{place}: {item['msg']} (it is {item['input']!r})"


def _known_keys() -> Iterator[str]:
    """Return the names of all fields that a study file can have."""
    homes = [*vars(schema).values(), *vars(specs).values(), Roles]
    homes += [lottery.Design, did.Design, matching.Nearest, matching.Variance]
    for home in homes:
        if is_dataclass(home):
            yield from (f.name for f in fields(home))
