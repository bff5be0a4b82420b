"""Who was observed, when, and in which arm? A validated, immutable long table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from prakerja_eval.errors import UsageError
from prakerja_eval.estimate.specs import names_of
from prakerja_eval.panel.adoption import refuse_switching, starts, treated_by_wave
from prakerja_eval.panel.columns import known_column, refuse_damaged_ids, refuse_repeated_names
from prakerja_eval.panel.contract import (
    Asked,
    Check,
    Fault,
    block_labels,
    find_faults,
    standing_faults,
)
from prakerja_eval.panel.contract.codes import Codes
from prakerja_eval.panel.covariates import covariate_matrix, raw_columns
from prakerja_eval.panel.grouped import Grouped, group_labels, without_unknown
from prakerja_eval.panel.requests import ArrayRequest, MomentPlan, Moments, UnitArrays
from prakerja_eval.panel.roles import Roles, WaveLabel
from prakerja_eval.panel.rows import Rows, rows_of
from prakerja_eval.panel.shown import shown_waves
from prakerja_eval.panel.table import Note, Table, Variable
from prakerja_eval.panel.timing import cohort_times
from prakerja_eval.panel.values import as_text, plain_text, to_number
from prakerja_eval.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from prakerja_eval.panel.describe import Description

STRUCTURAL = ("missing_role", "duplicate_unit_wave")


class Panel:
    """Long data, a row a unit and wave, with the roles of its columns.

    Parameters
    ----------
    source : DataFrame or Table
        Copied; the Panel never changes. A Table brings labels, missing reasons and notes along.
    roles : Roles
        Which column is what.

    Raises
    ------
    UsageError
        If a role names a column that is not there, or the baseline is no wave.

    Notes
    -----
    Faults in the values do not stop construction: ``check()`` lists them all, and an estimator
    refuses a panel that has one. Missing outcomes are attrition, no fault.
    """

    __slots__ = (
        "_check",
        "_frame",
        "_rows",
        "_standing",
        "_table",
        "roles",
    )

    roles: Roles
    _frame: pd.DataFrame
    _rows: Rows
    _table: Table
    _check: Callable[[Asked], Check]
    _standing: Callable[[], tuple[Fault, ...]]  # found once, whatever is asked

    def __init__(self, source: pd.DataFrame | Table, roles: Roles) -> None:
        table = source if isinstance(source, Table) else Table(source)
        data = table.frame.reset_index(drop=True)  # copied when written to (pandas 3)
        refuse_repeated_names(data)
        for columns in roles.columns().values():
            for column in columns:
                known_column(data, column)
        refuse_damaged_ids(data, roles.id_columns(), 2.0**53)
        if data[roles.unit].dtype != "str":
            data[roles.unit] = pd.Series(as_text(data[roles.unit]), dtype="str")
        rows = rows_of(data, roles)
        if roles.baseline is not None and roles.baseline not in rows.waves:
            raise UsageError(
                f"Roles(baseline={roles.baseline!r}) is no wave of {roles.wave!r}; there are "
                f"{shown_waves(rows.waves)}.{_as_written(roles.baseline, rows.waves)}"
            )
        self._set("roles", roles)
        self._set("_frame", data)
        self._set("_table", replace(table, frame=data))
        self._set("_rows", rows)
        self._set("_check", lru_cache(maxsize=32)(self._find))
        self._set("_standing", lru_cache(maxsize=1)(self._stand))

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a Panel never changes; where() and the like return another one")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a Panel never changes; where() and the like return another one")

    def __reduce__(self) -> tuple[type["Panel"], tuple[Table, Roles]]:
        return Panel, (self._table, self.roles)

    def __len__(self) -> int:
        return len(self._frame)

    def __repr__(self) -> str:
        named = ", ".join(f"{r}={'/'.join(c)}" for r, c in self.roles.columns().items())
        waves = shown_waves(self._rows.waves)
        return (
            f"Panel: {len(self):,} rows, {len(self._rows.index):,} units, waves {waves or 'none'}\n"
            f"roles: {named}\ncolumns: {', '.join(map(str, self._frame.columns))}"
            + "".join(f"\nassumed: {note.message}" for note in self.notes)
        )

    @property
    def frame(self) -> pd.DataFrame:
        """Return a copy of the long data."""
        return self._frame.copy()

    @property
    def codebook(self) -> Mapping[str, Variable]:
        """Return labels, value labels and missing codes by column, where the file names them."""
        return self._table.codebook

    @property
    def reasons(self) -> pd.DataFrame:
        """Return why values are missing: the frame's rows by the columns with reasons."""
        return self._table.reasons_or_none()

    @property
    def notes(self) -> tuple[Note, ...]:
        """Return what was assumed when the file was read."""
        return self._table.notes

    @property
    def units(self) -> list[str]:
        """Return the unit ids in order of first appearance."""
        return [str(u) for u in self._rows.index]

    @property
    def waves(self) -> tuple[WaveLabel, ...]:
        """Return the wave labels in order; one nameless wave for a cross-section."""
        return self._rows.waves

    def check(
        self,
        outcomes: str | Sequence[str] = (),
        covariates: Sequence[str] = (),
        money: Sequence[str] = (),
    ) -> Check:
        """Return every fault at once, each with its rows, why it matters and its remedy.

        Parameters
        ----------
        outcomes : str or sequence of str
            Columns that must hold numbers that vary.
        covariates : sequence of str
            As an estimator takes them; refused where they are dated after the baseline.
        money : sequence of str
            Columns of amounts, beside those whose names say so ("income", "upah", ...).
        """
        asked = Asked(names_of(outcomes), tuple(covariates), tuple(money))
        bare = (name.partition("^")[0].partition("@")[0] for name in asked.covariates)
        for column in (*asked.outcomes, *asked.money, *bare):
            known_column(self._frame, column)
        return self._check(asked)

    def _find(self, asked: Asked) -> Check:
        return find_faults(self._table, self.roles, asked, (self._rows, self._standing()))

    def _stand(self) -> tuple[Fault, ...]:
        return standing_faults(self._table, self.roles, self._rows)

    def where(self, **conditions: object) -> "Panel":
        """Keep the rows whose columns have one of the values.

        ``panel.where(sample=("nsw_treated", "cps"), year=1978)``; the same in TOML. Values are
        compared as text, so that 1 and "1" are one value. Without the baseline wave the panel has
        no baseline.

        Raises
        ------
        UsageError
            For an unknown column, or if no row is left.
        """
        keep = np.ones(len(self), dtype=bool)
        for column, wanted in conditions.items():
            known_column(self._frame, column)
            several = wanted if isinstance(wanted, list | tuple | set | frozenset) else (wanted,)
            values = {plain_text(v) for v in several}
            keep &= np.isin(as_text(self._frame[column]).astype(str), sorted(values))
        if not keep.any():
            raise UsageError(
                f"no row has the values asked for in {', '.join(conditions)}; "
                "panel.frame shows the values there are."
            )
        part, roles = self._table.take(np.flatnonzero(keep)), self.roles
        if roles.baseline is not None and roles.wave is not None:
            left = as_text(part.frame[roles.wave])
            roles = roles if plain_text(roles.baseline) in left else replace(roles, baseline=None)
        return Panel(part, roles)

    def wide(self, column: str) -> pd.DataFrame:
        """Return a column as (n, T): units in order of appearance by waves in order.

        Raises
        ------
        UsageError
            For an unknown column.
        DataError
            If a row has no unit or wave, or shares them with another row.
        """
        keys = {self.roles.unit, self.roles.wave or self.roles.unit}
        bad = [f for f in self.check().faults if f.code in STRUCTURAL and keys >= set(f.columns)]
        Check(tuple(bad)).raise_if_any()
        values = self._frame[known_column(self._frame, column)]
        return self._rows.by_wave(values, self.roles.unit, self.roles.wave)

    def describe(self) -> "Description":
        """Return who was observed, when and in which arm, what is missing, how values are spread.

        Returns
        -------
        Description
            Small tidy tables; printed, a text; in a notebook or by ``html()``, a page.
        """
        from prakerja_eval.panel.describe import Places, describe

        rows = self._rows
        places = Places(rows.unit, len(rows.index), rows.wave, rows.waves)
        return describe(self._table, self.roles, places)

    def arrays(self, request: ArrayRequest) -> UnitArrays:
        """Answer a request for arrays, a row a unit.

        Raises
        ------
        DataError
            If the panel has any fault (all are named), or a covariate is missing for some units.
        UsageError
            For an unknown column, or a role that the request needs and Roles does not name.
        """
        for role in request.needs:
            if role not in self.roles.columns():
                raise UsageError(f"this estimator needs Roles({role}=...) to name a column.")
        outcomes = () if request.outcome is None else (request.outcome,)
        # a wave named after the baseline is refused where the column is read
        named = tuple(c for c in (*request.covariates, *request.raw) if "@" not in c)
        designs = ("lottery",) if "offer" in request.needs else ("did", "matching")
        faults = self.check(outcomes, named).about(*designs)
        faults.without(*request.tolerated).raise_if_any()
        n = len(self._rows.index)
        outcome = self._numbers(request.outcome) if request.outcome else np.zeros((n, 0))
        covariates, names = np.zeros((n, 0)), tuple[str, ...]()
        if request.covariates:
            indicate = request.missing == "indicator"
            covariates, names = covariate_matrix(
                self, request.covariates, request.covariate_wave, indicate=indicate
            )
        block, block_names = self._blocks()
        weight = self._constant("weight", 1.0)
        return UnitArrays(
            waves=self._rows.waves,
            outcome=outcome,
            covariates=covariates,
            names=names,
            offer=self._constant("offer", np.nan),
            received=self._received(staying=request.cohorts),
            applications=self._applications(),
            cohort=self._cohort(),
            block=block,
            block_names=block_names,
            probability=self._constant("probability", np.nan),
            weight=weight,
            clusters=self._clusters(weight),
            raw=raw_columns(self, request.raw),
        )

    def moments(self, plan: MomentPlan) -> Moments:
        """Answer a request for sufficient statistics by group and missingness pattern.

        Raises
        ------
        DataError
            If the panel has any fault.
        UsageError
            For an unknown column, or a group that varies within a unit.
        """
        grouped = self._grouped(plan)
        return grouped.moments(self._rows.waves, self._clusters(self._constant("weight", 1.0)))

    def _grouped(self, plan: MomentPlan) -> Grouped:
        """Put units into the groups of a plan, with their outcomes."""
        designs = ("did",) if plan.cohorts else ()
        self.check((plan.outcome,)).about(*designs).raise_if_any()
        by = (plan.by,) if isinstance(plan.by, str) else plan.by
        for column in by:
            self._refuse_varying(known_column(self._frame, column))
        labels = pd.DataFrame(
            {c: self._first(c) for c in by}, index=pd.RangeIndex(len(self._rows.index))
        )
        if plan.cohorts:
            received = self._received(staying=True)
            known = starts(self._rows.waves, self._cohort(), received, self.roles)
            labels["start"] = known.start
        codes, groups = group_labels(labels)
        values = self._numbers(plan.outcome)
        weight = self._constant("weight", 1.0)
        if plan.cohorts:
            codes, groups, weight = without_unknown(codes, groups, weight)
        return Grouped(codes, groups, values, weight)

    def _numbers(self, column: str) -> FloatArray:
        """Return a column of a panel without faults as numbers, (n, T); not to be written to."""
        values = self._frame[known_column(self._frame, column)]
        return np.asarray(self._rows.grid(values), dtype=np.float64)

    def _refuse_varying(self, column: str) -> None:
        rows = self._rows
        unit = Codes(rows.unit, len(rows.index), len(rows.waves) if rows.complete else None)
        codes, _ = pd.factorize(self._frame[column])
        varies = int(unit.varies(codes, codes >= 0).sum())
        if varies:
            raise UsageError(
                f"{column!r} varies over waves for {varies} units, so it makes no groups of units."
            )

    def _first(self, column: str) -> np.ndarray:
        """Return each unit's first non-missing value of a column."""
        return self._rows.first_known(self._frame[column])

    def _constant(self, role: str, default: float) -> FloatArray:
        """Return a numeric role by unit: the first value, or the default without the role."""
        column = getattr(self.roles, role)
        if column is None:
            return np.full(len(self._rows.index), default)
        return to_number(pd.Series(self._first(column)))

    def _received(self, *, staying: bool = False) -> FloatArray:
        """Return whether each unit has been treated by each wave, (n, T), NaN where not known."""
        if self.roles.received is None:
            return np.broadcast_to(np.nan, self._rows.shape)
        receipt = self._numbers(self.roles.received)
        if staying:
            refuse_switching(receipt, self.roles)
        return treated_by_wave(receipt)

    def _applications(self) -> FloatArray:
        """Return the applications made by each wave, (n, T): the last number known by then."""
        if self.roles.application is None:
            return np.broadcast_to(np.nan, self._rows.shape)
        made = pd.DataFrame(self._numbers(self.roles.application)).ffill(axis=1)
        return np.asarray(made.to_numpy(dtype=np.float64))

    def _cohort(self) -> FloatArray:
        """Return when treatment starts, on the scale of the waves; infinite for never."""
        if self.roles.cohort is None:
            return np.full(len(self._rows.index), np.nan)
        return cohort_times(pd.Series(self._first(self.roles.cohort)), self._rows.waves)

    def _blocks(self) -> tuple[IntArray, tuple[str, ...]]:
        """Return block codes by unit, and the names of the blocks."""
        if not self.roles.blocks:
            return np.zeros(len(self._rows.index), dtype=np.int64), ("all",)
        first = self._rows.first_known(pd.Series(block_labels(self._frame, self.roles)))
        codes, names = pd.factorize(first, sort=True)
        return np.asarray(codes, dtype=np.int64), tuple(map(str, names))

    def _clusters(self, weight: FloatArray) -> pd.DataFrame:
        """Return the unit table that an Estimate carries."""
        columns: dict[str, object] = {"weight": weight}
        for name, column in self.roles.cluster_columns().items():
            columns[name] = as_text(pd.Series(self._first(column)))
        return pd.DataFrame(columns, index=self._rows.index)


def _as_written(baseline: WaveLabel, waves: tuple[WaveLabel, ...]) -> str:
    """Say how a baseline is written that is a wave but for its quotation marks."""
    alike = [w for w in waves if plain_text(w) == plain_text(baseline)]
    return f" Write it as the waves are: baseline={alike[0]!r}." if alike else ""
