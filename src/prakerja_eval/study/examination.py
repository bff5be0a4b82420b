"""Can these data be trusted with an evaluation? Roles, identifiers, faults and what is missing."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from prakerja_eval.errors import DataError, PrakerjaEvalError
from prakerja_eval.panel import Check, Panel, ReadOptions, Roles
from prakerja_eval.panel.privacy import Identifier, refuse_found, screen
from prakerja_eval.panel.table import Note, Table
from prakerja_eval.panel.values import plain_text, to_number
from prakerja_eval.panel.words import suggests
from prakerja_eval.study.door import covariates_of
from prakerja_eval.study.draft import look
from prakerja_eval.study.read import Study
from prakerja_eval.study.schema import AMOUNTS, Plan


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Examination:
    """What a look at a file of data found.

    Attributes
    ----------
    name : str
        Of the file.
    table : Table
        As read.
    panel : Panel or None
        None where no column can be the person id, or where identifiers stand in its way.
    guessed : mapping of str to str
        Role to the reason of the guess; empty where a study file names the roles.
    identifiers : tuple of Identifier
    check : Check
        The faults; empty without a panel.
    """

    name: str
    table: Table
    panel: Panel | None
    guessed: Mapping[str, str]
    identifiers: tuple[Identifier, ...]
    check: Check

    @property
    def notes(self) -> tuple[Note, ...]:
        """Return what was assumed while reading."""
        return self.table.notes

    @property
    def headline(self) -> str:
        """Return what the file is, in a line."""
        rows, columns = self.table.frame.shape
        if self.panel is None:
            return f"{self.name}: {rows:,} rows, {columns} columns"
        people = f"{len(self.panel.units):,} people"
        waves = "" if self.panel.waves == ("",) else f", {len(self.panel.waves)} waves"
        return f"{self.name}: {rows:,} rows, {columns} columns, {people}{waves}"

    def missing(self) -> pd.DataFrame | None:
        """Return the percentage missing by column, wave and arm; None without a panel."""
        if self.panel is None:
            return None
        frame, roles = self.table.frame, self.panel.roles
        keys = [c for c in (roles.wave, roles.offer) if c is not None]
        holes = [c for c in frame.columns if c not in keys and frame[c].isna().any()]
        if not holes:
            return pd.DataFrame()
        by = [frame[c] for c in keys] or [pd.Series("all", index=frame.index, name="rows")]
        shares = frame[holes].isna().groupby(by, sort=True, dropna=False).mean()
        return (100 * shares).T

    def _missing_records(self) -> list[dict[str, object]]:
        table = self.missing()
        if table is None or table.empty:
            return []
        shares = table.T.reset_index()
        long = shares.melt(list(table.columns.names), var_name="name", value_name="percent")
        keys = [str(key) for key in table.columns.names]
        return [
            {
                "column": str(row["name"]),
                **{key: plain_text(row[key]) for key in keys},
                "percent": row["percent"],
            }
            for row in long.to_dict("records")
        ]

    def tree(self) -> dict[str, object]:
        """Return everything as plain values, for JSON."""
        panel = self.panel
        roles = {} if panel is None else panel.roles.columns()
        return {
            "data": self.name,
            "rows": len(self.table.frame),
            "columns": [str(c) for c in self.table.frame.columns],
            "people": None if panel is None else len(panel.units),
            "waves": None if panel is None else [str(w) for w in panel.waves],
            "assumed": [asdict(note) for note in self.notes],
            "roles": {role: list(columns) for role, columns in roles.items()},
            "baseline": None if panel is None else panel.roles.baseline,
            "guessed": dict(self.guessed),
            "identifiers": [asdict(item) for item in self.identifiers],
            "faults": self.check.records,
            "missing": self._missing_records(),
        }

    def raise_if_any(self) -> None:
        """Raise identifiers first, then faults that stop, then roles that nobody can guess.

        Raises
        ------
        IdentifierError
            If a column looks like a direct identifier.
        DataError
            If a fault stops an estimator, or no column can be the person id.
        """
        refuse_found(self.identifiers)
        if self.panel is None:
            raise DataError(
                f"nothing in {self.name!r} names the people: {self.guessed['unit']}. Name the "
                "column under [roles] of a study file, and give it with --study."
            )
        if self.check.errors:
            raise DataError(
                f"{self.name!r} has {len(self.check.errors)} error(s) that stop an evaluation; "
                "they are listed above, each with its remedy."
            )


def examine(
    data: str | Path, study: Study | None = None, options: ReadOptions | None = None
) -> Examination:
    """Look at a file of data: with the roles of a study, or with roles guessed.

    Parameters
    ----------
    data : path
    study : Study, optional
        Its roles, reading options, outcomes and covariates.
    options : ReadOptions, optional
        Without a study: what the file does not say itself.

    Raises
    ------
    DataError
        If the file is missing or unreadable.
    UsageError
        If the study names a column that is not there.
    """
    path = Path(data)
    if study is not None:
        return _with_study(path, study)
    read = look(path, options or ReadOptions())
    found, guess = screen(read.table), read.guess
    if guess.roles is None or _identifies(found, guess.roles):
        return Examination(path.name, read.table, None, guess.reasons, found, Check(()))
    panel = Panel(read.table, guess.roles)
    check = panel.check(money=_written_amounts(read.table))
    return Examination(path.name, read.table, panel, guess.reasons, found, check)


def _written_amounts(table: Table) -> list[str]:
    """Return the columns of text that are called like amounts and mostly hold numbers."""
    found = []
    for column in table.frame.columns:
        values = table.frame[column]
        if suggests(column, "money") and not pd.api.types.is_numeric_dtype(values):
            numbers = np.count_nonzero(~np.isnan(to_number(values)))
            found += [column] if 2 * numbers > values.notna().sum() else []
    return found


def _with_study(path: Path, study: Study) -> Examination:
    """Look at data with the roles of a study, for the designs that it uses.

    Identifiers are told before anything that is wrong with the study, whose message might show
    one.
    """
    own = study.on(path)
    table = own.table()
    found = screen(table)
    blind = Examination(path.name, table, None, {}, found, Check(()))
    if _identifies(found, own.plan.roles):
        return blind
    try:
        panel, check = _checked(table, own.plan)
    except PrakerjaEvalError:
        if found:
            return blind
        raise
    return replace(blind, panel=panel, check=check)


def _checked(table: Table, plan: Plan) -> tuple[Panel, Check]:
    """Make the panel, and check it for the designs, outcomes and covariates of a study."""
    panel = Panel(table, plan.roles)
    covariates = dict.fromkeys(c for entry in plan.estimates for c in covariates_of(entry))
    check = panel.check(
        [o.column for o in plan.outcomes],
        tuple(covariates),
        [o.column for o in plan.outcomes if o.unit in AMOUNTS],
    )
    designs = {entry.estimator.partition(".")[0] for entry in plan.estimates}
    return panel, check.about(*designs)


def _identifies(found: tuple[Identifier, ...], roles: Roles) -> bool:
    """Say whether a role whose values are shown, such as the wave, is a column of identifiers."""
    named = {c for columns in roles.columns().values() for c in columns} - set(roles.id_columns())
    return not named.isdisjoint(item.column for item in found)
