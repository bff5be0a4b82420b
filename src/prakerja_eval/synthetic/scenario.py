"""What is simulated? A scenario: the options of every layer, in TOML to copy and change."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

from prakerja_eval.errors import UsageError, nearest
from prakerja_eval.synthetic.door import changed, checked
from prakerja_eval.synthetic.effects import Effects
from prakerja_eval.synthetic.funnel import Funnel
from prakerja_eval.synthetic.layers import LAYERS
from prakerja_eval.synthetic.lottery import Lottery
from prakerja_eval.synthetic.outcomes import Outcomes
from prakerja_eval.synthetic.people import People
from prakerja_eval.synthetic.survey import Survey
from prakerja_eval.synthetic.take_up import TakeUp

ROOM = "prakerja_eval.synthetic"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A simulated programme: who applies, who wins, who receives, what it does, who answers.

    Attributes
    ----------
    title, about : str
    account : str
        The account of the conflict between the published answers that the scenario follows:
        "selective_response" (no effect, and winners with work answer more), "non_receipt" (an
        effect on those who can be reached and received, and most others did not receive), or "".
    people, funnel, lottery, take_up, effects, outcomes, survey
        The layers' options.
    name : str
        Of the file it was read from; two scenarios with the same options are equal without it.
    """

    title: str
    about: str = ""
    account: str = ""
    people: People = field(default_factory=People)
    funnel: Funnel = field(default_factory=Funnel)
    lottery: Lottery = field(default_factory=Lottery)
    take_up: TakeUp = field(default_factory=TakeUp)
    effects: Effects = field(default_factory=Effects)
    outcomes: Outcomes = field(default_factory=Outcomes)
    survey: Survey = field(default_factory=Survey)
    name: str = field(default="", compare=False)

    @classmethod
    def named(cls, name: str, account: str | None = None) -> "Scenario":
        """Return a scenario that ships with the package.

        Parameters
        ----------
        name : str
            One of ``Scenario.names()``; "name:account" chooses the account too.
        account : str, optional
            Another account than the scenario's own; for scenarios that follow one.

        Raises
        ------
        UsageError
            For an unknown name or account, with the nearest known one.
        """
        name, account = _parted(name, account)
        if name not in cls.names():
            raise UsageError(
                f"there is no scenario {name!r}.{nearest(str(name), cls.names())} There are "
                f"{', '.join(cls.names())}."
            )
        text = resources.files(ROOM).joinpath("scenarios", f"{name}.toml").read_text("utf-8")
        table = tomllib.loads(text)
        if account is not None:
            if not table.get("account"):
                raise UsageError(
                    f"the scenario {name!r} follows no account, so none can be chosen."
                )
            table["account"] = account
        return _scenario(table, name)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of the scenarios that ship."""
        return _stems("scenarios")

    @classmethod
    def accounts(cls) -> tuple[str, ...]:
        """Return the names of the accounts."""
        return _stems("accounts")

    @classmethod
    def read(cls, path: str | Path) -> "Scenario":
        """Read a scenario from a TOML file.

        Raises
        ------
        UsageError
            If the file is missing, no TOML, or has unknown keys or values that are not allowed:
            every unknown key is named with the nearest known one.
        """
        place = Path(path)
        try:
            text = place.read_text(encoding="utf-8-sig")  # with or without a byte order mark
        except OSError as error:
            raise UsageError(f"there is no scenario {str(path)!r}; check the path.") from error
        except UnicodeDecodeError as error:
            raise UsageError(f"{str(path)!r} is not in UTF-8; save it again as UTF-8.") from error
        try:
            table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise UsageError(
                f"{str(path)!r} is not a TOML file ({error}).{_comma(text, str(error))}"
            ) from error
        if {"estimates", "roles"} & set(table):
            raise UsageError(
                f"{str(path)!r} is a study file, not a scenario; run it with prakerja-eval report, "
                "or name the scenario.toml beside it."
            )
        return _scenario(table, place.stem)

    def without(self, *layers: str) -> "Scenario":
        """Return the scenario with layers switched off; see ``layers.LAYERS``.

        Raises
        ------
        UsageError
            For an unknown layer.
        """
        found = self
        for layer in layers:
            if layer not in LAYERS:
                raise UsageError(
                    f"there is no layer {layer!r}.{nearest(str(layer), LAYERS)} There are "
                    f"{', '.join(LAYERS)}."
                )
            parts = LAYERS[layer](found)
            found = replace(found, **parts)
        return found

    def but(self, **tables: Mapping[str, Any]) -> "Scenario":
        """Return the scenario with other options: ``scenario.but(effects={"work": 0.2})``.

        Raises
        ------
        UsageError
            For an unknown table or option, or a value that is not allowed.
        """
        return changed(self, tables)

    def to_toml(self) -> str:
        """Return the whole scenario as TOML, defaults written out."""
        from prakerja_eval.synthetic.scenario_text import as_toml

        return as_toml(self)


def _parted(name: str, account: str | None) -> tuple[str, str | None]:
    """Return a name and an account from "name:account", or a name and the account given."""
    stem, colon, own = str(name).partition(":")
    if not colon:
        return name, account
    if not own or account not in (None, own):
        other = "" if account is None else f", and account = {account!r} another"
        raise UsageError(
            f"the scenario {name!r} names {f'the account {own!r}' if own else 'no account'} after "
            f"the colon{other}; write {stem!r}, or one account, such as '{stem}:non_receipt'."
        )
    return stem, own


def _comma(text: str, error: str) -> str:
    """Return a hint where the line that fails has a decimal comma."""
    at = re.search(r"at line (\d+)", error)
    line = text.splitlines()[int(at[1]) - 1] if at else ""
    found = re.search(r"(\d+),(\d+)", line)
    return f" Write decimals with a point: {found[1]}.{found[2]}." if found else ""


def _stems(folder: str) -> tuple[str, ...]:
    """Return the names of the TOML files in a folder of this room."""
    files = resources.files(ROOM).joinpath(folder).iterdir()
    return tuple(sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml")))


def _scenario(table: dict[str, Any], name: str) -> Scenario:
    """Validate a scenario's tables over those of its account."""
    account = table.get("account", "")
    if account:
        if account not in _stems("accounts"):
            known = _stems("accounts")
            raise UsageError(
                f"the scenario {name}: there is no account {account!r}."
                f"{nearest(str(account), known)} There are {', '.join(known)}."
            )
        text = resources.files(ROOM).joinpath("accounts", f"{account}.toml").read_text("utf-8")
        table = _over(tomllib.loads(text), table)
    return checked(Scenario, table, name)


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Return the tables of ``below`` with the values of ``above`` in their place."""
    out = dict(below)
    for key, value in above.items():
        nested = isinstance(value, dict) and isinstance(out.get(key), dict)
        out[key] = _over(out[key], value) if nested else value
    return out
