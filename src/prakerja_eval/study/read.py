"""Is the study file right? TOML checked at the door, and everything in it before anything runs."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from prakerja_eval.errors import PrakerjaEvalError, UsageError
from prakerja_eval.panel import Panel
from prakerja_eval.panel.privacy import refuse_identifiers
from prakerja_eval.panel.read import read_long
from prakerja_eval.panel.table import Table
from prakerja_eval.study import faults, schema
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
        return cls(_plan(_table(place), place.name), place)

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


def _table(place: Path) -> dict[str, Any]:
    """Read the TOML of a study file."""
    shown = repr(str(place))
    other = (
        f" A study file describes the data; `prakerja-eval new {place.name} --out study.toml` "
        "writes one."
    )
    hint = "" if place.suffix.lower() == ".toml" else other
    try:
        if place.is_dir():
            raise UsageError(f"{shown} is a folder; name the study file in it.")
        return tomllib.loads(place.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"there is no study file {shown}; check the path.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{shown} is not a TOML file: it is not text in UTF-8.{hint}") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{shown} is not a TOML file ({error}).{hint}") from error
    except RecursionError as error:
        raise UsageError(
            f"{shown} is not a TOML file that can be read: too many brackets in brackets."
        ) from error
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "the path is none"
        raise UsageError(f"the study file {shown} cannot be read ({why}).") from error


def _plan(table: dict[str, Any], name: str) -> Plan:
    """Validate a study file's tables."""
    adapter = TypeAdapter(Plan)
    try:
        plan = adapter.validate_python(table)
    except ValidationError as error:
        lines = "\n".join(f"- {line}" for line in faults.in_words(error))
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
