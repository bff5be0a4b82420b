"""What do the estimators say of one simulated world? One line of JSON, the same on every path.

A draw is written as text whether or not it is kept in a folder, so that an interrupted run that
goes on gives what one run would have given.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from prakerja_eval.compare.estimators import LIMIT, Against, Judged
from prakerja_eval.errors import PrakerjaEvalError, UsageError
from prakerja_eval.estimate import Estimate, rename
from prakerja_eval.estimate.estimate import INDEX_COLUMNS, REFERENCE
from prakerja_eval.panel import PanelProtocol
from prakerja_eval.typing import FloatArray

NUMBERS = ("estimate", "std_error", "conf_low", "conf_high", "p_value")
NO_TRUTH = "no truth answers this row"


class TruthProtocol(Protocol):
    """What a diagnosis asks of the truth."""

    def of(self, estimate: Estimate, kind: Literal["effect", "limit"] = ..., /) -> FloatArray:
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
        rows = {name: _answer(world, name, one) for name, one in self.estimators.items()}
        told = {"draw": number, "estimators": rows}
        return json.dumps(told, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def seed_of(seed: int, number: int) -> int:
    """Return the seed of a draw's world: 63 bits of the child ``(number,)`` of SeedSequence(seed).

    That is ``SeedSequence(seed).spawn(number + 1)[number]``, so it depends on no other draw.
    """
    child = np.random.SeedSequence(seed, spawn_key=(number,))
    return int(child.generate_state(1, np.uint64)[0] >> np.uint64(1))


def _answer(world: WorldProtocol, name: str, judged: Judged) -> dict[str, object]:
    """Return the rows of an estimator, or why there are none."""
    try:
        estimate = judged.estimate(world.panel)
        frame = estimate.findings(judged.inference).frame if _tells(estimate) else None
    except PrakerjaEvalError as error:
        return {"refused": str(error)}
    if frame is None:
        kind = type(estimate).__name__
        raise UsageError(f"estimator {name!r} returned a {kind}; it must return an Estimate.")
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


def _tells(estimate: object) -> bool:
    """Say whether this is an Estimate, or answers like one."""
    return hasattr(estimate, "findings")


def truth_of(world: WorldProtocol, estimate: Estimate, against: Against) -> FloatArray:
    """Return the truth that each row is judged against; NaN where there is none."""
    if against is None:
        found = world.truth.of(estimate)
    elif against == LIMIT:
        found = world.truth.of(estimate, LIMIT)
    else:
        found = world.truth.of(rename(estimate, **dict(against)))
    return np.asarray(found, dtype=np.float64)


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
