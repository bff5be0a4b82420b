"""What do the estimators say of one simulated world? One line of JSON, the same on every path.

A draw is written as text whether or not it is kept in a folder, so that an interrupted run that
goes on gives what one run would have given.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from prakerja_eval.compare.estimators import LIMIT, Against, Judged
from prakerja_eval.errors import PrakerjaEvalError, UsageError
from prakerja_eval.estimate import Estimate
from prakerja_eval.estimate.estimate import INDEX_COLUMNS, REFERENCE
from prakerja_eval.panel import PanelProtocol
from prakerja_eval.typing import FloatArray

NUMBERS = ("estimate", "std_error", "conf_low", "conf_high", "p_value")
OWN = ("outcome", "cohort", "wave", "event_time", "subgroup")
NO_TRUTH = "no truth answers this row"


class TruthProtocol(Protocol):
    """What a diagnosis asks of the truth."""

    def of(self, estimate: Estimate, /) -> FloatArray:
        """Return the truth of each row, NaN where none answers it."""


class WorldProtocol(Protocol):
    """What a diagnosis asks of a simulated world."""

    @property
    def panel(self) -> PanelProtocol:
        """Return what estimators see."""

    @property
    def truth(self) -> TruthProtocol:
        """Return what they do not."""


Simulate = Callable[[Any, int, int], WorldProtocol]


@dataclass(frozen=True, slots=True)
class Draws:
    """How draws are made of one scenario.

    Attributes
    ----------
    simulate : callable
        Of scenario, number of applicants and seed.
    scenario : object
    estimators : mapping of name to Judged
    n_applicants, seed : int
    """

    simulate: Simulate
    scenario: object
    estimators: Mapping[str, Judged]
    n_applicants: int
    seed: int

    def text(self, number: int) -> str:
        """Return draw ``number`` as a line of JSON."""
        world = self.simulate(self.scenario, self.n_applicants, seed_of(self.seed, number))
        rows = {name: _answer(world, one) for name, one in self.estimators.items()}
        told = {"draw": number, "estimators": rows}
        return json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def seed_of(seed: int, number: int) -> int:
    """Return the seed of a draw's world: 63 bits of the child ``(number,)`` of SeedSequence(seed).

    That is ``SeedSequence(seed).spawn(number + 1)[number]``, so it depends on no other draw.
    """
    child = np.random.SeedSequence(seed, spawn_key=(number,))
    return int(child.generate_state(1, np.uint64)[0] >> np.uint64(1))


def _answer(world: WorldProtocol, judged: Judged) -> dict[str, object]:
    """Return the rows of an estimator, or why there are none."""
    try:
        estimate = judged.estimate(world.panel)
        frame = estimate.findings(judged.inference).frame
    except PrakerjaEvalError as error:
        return {"refused": str(error)}
    truth = truth_of(world, estimate, judged.against)
    told = {c: frame[c].tolist() for c in (*INDEX_COLUMNS, *NUMBERS, "status")}
    rows = []
    for k, status in enumerate(told["status"]):
        if status == REFERENCE:
            continue  # zero by normalisation: no estimate
        label = {c: _label(told[c][k]) for c in INDEX_COLUMNS}
        numbers = {c: _number(told[c][k]) for c in NUMBERS} | {"truth": _number(truth[k])}
        rows.append({"label": label, **numbers, "status": str(status)})
    return {"rows": rows}


def truth_of(world: WorldProtocol, estimate: Estimate, against: Against) -> FloatArray:
    """Return the truth that each row is judged against; NaN where there is none.

    Raises
    ------
    UsageError
        If the labels that it is judged against fit several truths.
    """
    if against is None:
        return np.asarray(world.truth.of(estimate), dtype=np.float64)
    frame: pd.DataFrame = world.truth.frame  # type: ignore[attr-defined]
    kind = LIMIT if against == LIMIT else "effect"
    truths = frame[frame["kind"] == kind] if "kind" in frame else frame
    rows = estimate.index.to_dict(orient="records")
    return np.array([_one_truth(truths, row, against) for row in rows])


def _one_truth(
    truths: pd.DataFrame, row: Mapping[Any, object], against: Mapping[str, object] | str
) -> float:
    """Return the one truth with the wanted labels, NaN if there is none."""
    wanted = {c: row[c] for c in (*OWN, "estimator")} if against == LIMIT else _wanted(row, against)
    fits = np.ones(len(truths), dtype=bool)
    for column, value in wanted.items():
        fits &= (truths[column].map(_label) == _label(value)).to_numpy(bool) | (
            truths[column].isna().to_numpy(bool) & (_label(value) is None)
        )
    found = truths.loc[fits, "truth"].to_numpy(float)
    if len(found) > 1:
        raise UsageError(
            f"Judged(against={dict(wanted)}) fits {len(found)} truths; name more labels, of "
            f"{', '.join(INDEX_COLUMNS)}."
        )
    return float(found[0]) if len(found) else np.nan


def _wanted(row: Mapping[Any, object], against: Any) -> dict[str, object]:
    return {c: row[c] for c in OWN} | dict(against)


def _label(value: object) -> str | int | float | bool | None:
    """Return a label that JSON can hold; None for what is missing."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    return value if isinstance(value, str | int | float | bool) else str(value)


def _number(value: object) -> float | str | None:
    """Return a number that JSON can hold: null for none, "inf" where an interval has no end."""
    number = np.nan if value is None else float(value)  # type: ignore[arg-type]
    if np.isnan(number):
        return None
    return number if np.isfinite(number) else str(number)
