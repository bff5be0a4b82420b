"""Which outcomes and estimates do these data allow? Each proposed with its reason, or refused."""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd

from prakerja_eval import did, lottery
from prakerja_eval.did.design import Comparison
from prakerja_eval.errors import PrakerjaEvalError
from prakerja_eval.lottery.design import BlockWeights
from prakerja_eval.panel import (
    ArrayRequest,
    Panel,
    Roles,
    UnitArrays,
    adoption,
    outcome_waves,
    treated_units,
)
from prakerja_eval.panel.contract.codes import factorise
from prakerja_eval.panel.guess import constant_within
from prakerja_eval.panel.readers.toml import toml_of
from prakerja_eval.panel.values import to_number
from prakerja_eval.panel.words import suggests
from prakerja_eval.typing import BoolArray

OUTCOMES = 3
COVARIATES = 8
LEVELS = 10
STAGGERED = (
    "treatment starts in several waves: each cohort against people not treated by then, averaged "
    "over waves, so it is not compared with an answer about one wave"
)


@dataclass(frozen=True, slots=True)
class ProposedOutcome:
    """A column that looks like an outcome: label, unit, and why."""

    column: str
    label: str
    unit: str
    why: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """An entry of the study file, as lines of TOML, or commented out (``off``) with its reason."""

    lines: tuple[str, ...]
    why: str
    off: bool = False


def propose_outcomes(panel: Panel) -> list[ProposedOutcome]:
    """Return up to three columns that look like outcomes: amounts and work first."""
    frame = panel.frame
    units, _ = factorise(frame[panel.roles.unit])
    taken = {c for columns in panel.roles.columns().values() for c in columns}
    numeric = [c for c in frame.columns if c not in taken and _numeric(frame[c])]
    if len(panel.waves) > 1:
        numeric = [c for c in numeric if not constant_within(frame[c], units)]
    called = [c for c in numeric if suggests(c, "money") or suggests(c, "employment")]
    others = [c for c in numeric if not suggests(c, "age")]
    chosen = called or others
    return [_outcome(panel, c, bool(called)) for c in chosen[:OUTCOMES]]


def _numeric(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column) and column.nunique() > 1)


def _outcome(panel: Panel, column: str, called: bool) -> ProposedOutcome:
    known = panel.codebook.get(column)
    values = to_number(panel.frame[column])
    share = bool(((values >= 0) & (values <= 1) | np.isnan(values)).all())
    if share:
        unit, why = "share", "its values lie between 0 and 1"
    elif suggests(column, "money"):
        unit, why = "rupiah", "called like an amount; EDIT the unit if it is not rupiah"
    else:
        unit, why = "units", "EDIT the unit"
    name = "called like an outcome" if called else "a number that varies; EDIT which is an outcome"
    label = known.label if known is not None and known.label else column.replace("_", " ")
    return ProposedOutcome(column, " ".join(label.split()).capitalize(), unit, f"{name}; {why}")


def propose(panel: Panel, outcomes: list[ProposedOutcome]) -> list[Proposal]:
    """Return the entries that the roles allow, each tried against the data."""
    if not outcomes:
        return []
    roles = panel.roles
    treated = roles.received is not None or roles.cohort is not None
    both = roles.offer is not None and roles.received is not None
    covariates = _covariates(panel, outcomes)
    out: list[Proposal] = []
    if roles.offer is not None:
        out += [_lottery(panel, "itt", (), outcomes[0].column)]
        out += [_lottery(panel, "itt", covariates, outcomes[0].column)] if covariates else []
    if both:
        out.append(_lottery(panel, "late", covariates, outcomes[0].column))
    compared = both and not out[-1].off
    role = "candidate" if compared else "shown"
    if treated:
        out += [_did(panel, covariates, role, outcomes[0].column)]
        out += [_matching(panel, covariates, role)]
    if not out:
        why = "no column says who won or who was treated: name offer or received under [roles]"
        return [Proposal(_lines("lottery", "Winners against losers", "lottery.itt"), why, off=True)]
    return out


def _lottery(panel: Panel, kind: str, covariates: tuple[str, ...], outcome: str) -> Proposal:
    """Propose a comparison of winners and losers, tried on one outcome."""
    late = kind == "late"
    name = "lottery" if late else "offer_given_before" if covariates else "offer"
    label = "Lottery, effect on those treated" if late else "Winners against losers"
    label += ", given what was known before" if covariates else ""
    options = ['block_weights = "treated"'] if late else []
    options += [f"covariates = {toml_of(covariates)}"] if covariates else []
    design = (f"design = {{ {', '.join(options)} }}",) if options else ()
    role = "benchmark" if late else "shown"
    why = "EDIT: right only if the offer was drawn by lot, at equal odds in a block; else delete"
    why += ". What was known before makes the answer more precise" if covariates else ""
    why += ". Receipt is known, so the other designs are compared with this one" if late else ""
    lines = _lines(name, label, f"lottery.{kind}", role, *design)
    verb = lottery.late if late else lottery.itt
    weights: BlockWeights = "treated" if late else "population"
    try:
        verb(panel, outcome, lottery.Design(block_weights=weights, covariates=covariates))
    except PrakerjaEvalError as error:
        return Proposal(lines, str(error), off=True)
    return Proposal(lines, why)


def _did(panel: Panel, covariates: tuple[str, ...], role: str, outcome: str) -> Proposal:
    """Propose difference-in-differences if there is a wave before anyone is treated."""
    bare = tuple(c for c in covariates if "@" not in c)
    with suppress(PrakerjaEvalError):  # of faulty data, which are told below
        if _staggers(panel.arrays(ArrayRequest()), panel.roles):
            return _staggered(panel, bare, outcome)
    method = "dr" if bare else "unconditional"
    design = f'design = {{ method = "{method}", covariates = {toml_of(bare)} }}'
    lines = _lines("did", "Difference-in-differences", "did.two_by_two", role, design)
    if len(panel.waves) < 2 or panel.roles.baseline is None:
        return Proposal(lines, "needs a wave before anyone is treated (roles.baseline)", off=True)
    return _tried(panel, lines, "the treated and the others before and after", bare)


def _staggers(arrays: UnitArrays, roles: Roles) -> bool:
    """Say whether treatment starts in several waves after the first."""
    try:
        known = adoption(arrays, roles)
    except PrakerjaEvalError:
        return False
    later = known.start[np.isfinite(known.start) & (known.start > known.times[0])]
    return len(np.unique(later)) > 1


def _staggered(panel: Panel, covariates: tuple[str, ...], outcome: str) -> Proposal:
    """Propose group-time effects, given covariates if all of them can be estimated so."""
    starts = adoption(panel.arrays(ArrayRequest()), panel.roles).start
    comparison: Comparison = "never_treated" if np.isinf(starts).any() else "not_yet_treated"
    error: PrakerjaEvalError | None = None
    for given in dict.fromkeys((covariates, ())):
        design = did.Design(covariates=given, comparison=comparison, base_period="universal")
        try:
            cells = did.group_time(panel, outcome, design)
        except PrakerjaEvalError as caught:
            error = caught
            continue
        if np.isfinite(cells.theta).all() or not given:
            return Proposal(_staggered_lines(given, comparison), STAGGERED)
    return Proposal(_staggered_lines((), comparison), str(error), off=True)


def _staggered_lines(given: tuple[str, ...], comparison: str) -> tuple[str, ...]:
    method = "dr" if given else "unconditional"
    design = f'design = {{ method = "{method}", covariates = {toml_of(given)}, '
    design += f'comparison = "{comparison}", base_period = "universal" }}'
    label = "Difference-in-differences by cohort and period"
    return _lines("did", label, "did.group_time", "shown", design)


def _matching(panel: Panel, covariates: tuple[str, ...], role: str) -> Proposal:
    named = f"covariates = {toml_of(covariates)}"
    lines = _lines("matching", "Matching", "matching.att", role, named)
    if not covariates:
        why = "needs covariates known for everybody before treatment; none was found"
        return Proposal(lines, why, off=True)
    if panel.roles.weight is not None:
        return Proposal(lines, "matching does not take sampling weights", off=True)
    return _tried(panel, lines, "the treated and people like them", covariates)


def _tried(panel: Panel, lines: tuple[str, ...], why: str, covariates: tuple[str, ...]) -> Proposal:
    """Propose an entry, or comment it out with what stops it."""
    try:
        arrays = panel.arrays(ArrayRequest(None, covariates))
        treated_units(arrays, panel.roles)
        outcome_waves(arrays, panel.roles, None)
    except PrakerjaEvalError as error:
        return Proposal(lines, str(error), off=True)
    return Proposal(lines, why)


def _covariates(panel: Panel, outcomes: list[ProposedOutcome]) -> tuple[str, ...]:
    """Return columns known for everybody before treatment: constant ones, outcomes at baseline.

    Without a wave before treatment only what a programme does not change; never a place's code.
    """
    roles, frame = panel.roles, panel.frame
    taken = {c for columns in roles.columns().values() for c in columns}
    used = {o.column for o in outcomes}
    constant = []
    for column in frame.columns:
        if column in taken or column in used or not frame[column].nunique() > 1:
            continue
        code = _numeric(frame[column]) and suggests(column, "region")
        if code or (roles.baseline is None and not suggests(column, "fixed")):
            continue
        few = _numeric(frame[column]) or frame[column].nunique() <= LEVELS
        if few and _usable(panel, column):
            constant.append(column)
    before = [] if roles.baseline is None else [f"{o.column}@{roles.baseline}" for o in outcomes]
    return tuple([*constant, *(c for c in before if _usable(panel, c))][:COVARIATES])


def _usable(panel: Panel, covariate: str) -> bool:
    """Say whether a covariate is known for all, varies, and does not give the treated away."""
    try:
        arrays = panel.arrays(ArrayRequest(None, (covariate,)))
        treated, known = _ever_treated(panel, arrays)
    except PrakerjaEvalError:
        return False
    matrix, treated = arrays.covariates[known], treated[known]
    for column in matrix.T:
        values = np.unique(column)
        if len(values) < 2 or (len(values) == 2 and _separates(column == values[0], treated)):
            return False
    return True


def _ever_treated(panel: Panel, arrays: UnitArrays) -> tuple[BoolArray, BoolArray]:
    """Return who is treated in any wave, and of whom that is known."""
    if _staggers(arrays, panel.roles):
        start = adoption(arrays, panel.roles).start
        return np.asarray(np.isfinite(start)), np.asarray(~np.isnan(start))
    arms = treated_units(arrays, panel.roles)
    return arms.treated, arms.known


def _separates(one: BoolArray, treated: BoolArray) -> bool:
    """Say whether one of two groups holds treated people only."""
    return bool(treated[one].all() or treated[~one].all())


def _lines(
    name: str, label: str, estimator: str, role: str = "shown", *extra: str
) -> tuple[str, ...]:
    return (
        "[[estimates]]",
        f'name = "{name}"',
        f'label = "{label}"',
        f'estimator = "{estimator}"',
        f'role = "{role}"',
        *extra,
    )
