"""Whose lottery is read, what is asked of it, and what has no answer?"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from prakerja_eval import lottery
from prakerja_eval.errors import DataError, NotEstimableError, UsageError
from prakerja_eval.estimate import Estimate, infer
from prakerja_eval.language.catalogue import plain
from prakerja_eval.lottery.roster import Roster, roster
from prakerja_eval.panel import Panel
from prakerja_eval.study.chapter import Chapter
from prakerja_eval.study.details import COUNTED, FEW
from prakerja_eval.study.schema import Outcome, Plan
from prakerja_eval.tables.disclosure import SMALLEST_CELL, hide_rows, small_rows
from prakerja_eval.typing import BoolArray

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """The people of the lottery, what is asked of them, and the reasons for what has no answer."""

    panel: Panel
    chapter: Chapter
    plan: Plan
    few: frozenset[tuple[str, str]] = frozenset()  # outcome and wave with few in an arm
    refused: list[tuple[str, str, str]] = field(default_factory=list)

    def tried(self, part: str, outcome: str, make: Callable[[], T]) -> T | None:
        """Return what is made, or note why it cannot be."""
        try:
            return make()
        except (NotEstimableError, DataError, UsageError) as error:
            self.refused.append((part, outcome, _short(str(error))))
            return None

    def about(
        self, outcome: Outcome | str, design: lottery.Design | None = None
    ) -> tuple[Panel, str, lottery.Design]:
        """Return panel, outcome and design as every verb takes them."""
        column = outcome if isinstance(outcome, str) else outcome.column
        return self.panel, column, design or self.chapter.design

    @property
    def when(self) -> dict[str, Any]:
        """Return the waves that the chapter asks for."""
        return {"waves": self.chapter.waves}

    @property
    def received(self) -> bool:
        """Say whether Roles names receipt."""
        return self.panel.roles.received is not None

    @property
    def without_lasso(self) -> lottery.Design:
        """Return the design with the same regression in every draw and sample."""
        return self.chapter.design if self.chapter.design.covariate_model != "lasso" else self.bare

    @property
    def bare(self) -> lottery.Design:
        """Return the design without covariates."""
        return replace(self.chapter.design, covariates=(), covariate_model="ancova")

    def shown(self, frame: pd.DataFrame) -> BoolArray:
        """Say which rows are about outcomes and waves with enough people in both arms."""
        pairs = zip(frame["outcome"].map(str), frame["wave"].map(plain), strict=True)
        return np.array([pair not in self.few for pair in pairs], dtype=bool)


def few_pairs(asked: Asked) -> frozenset[tuple[str, str]]:
    """Return the outcomes and waves in which one to nine people of an arm were observed."""
    found: set[tuple[str, str]] = set()
    for outcome in asked.plan.outcomes:
        about = asked.about(outcome, asked.bare)
        seen: Roster = roster(*about, asked.chapter.waves)
        for t in seen.chosen:
            arms = np.bincount(seen.arm[seen.observed(t)].astype(np.int64), minlength=2)
            if ((arms > 0) & (arms < SMALLEST_CELL)).any():
                found.add((outcome.column, plain(seen.label(t))))
    return frozenset(found)


def _short(reason: str) -> str:
    """Return a reason without the numbers of rows and the remedies of a list of faults."""
    lines = reason.splitlines()
    if len(lines) == 1:
        return reason
    said = [line for line in lines if line.startswith("- error: ")] or lines[:1]
    text = "; ".join(line.removeprefix("- error: ") for line in said)
    return re.sub(r" \(rows [^)]*\)", "", text)


def found(asked: Asked, estimate: Estimate, role: str, label: str = "") -> pd.DataFrame:
    """Return findings with name, label and role, the outcome's unit, and few people hidden."""
    frame = infer(estimate, level=asked.plan.level).frame
    units = frame["outcome"].map({o.column: o.unit for o in asked.plan.outcomes})
    few = rf"fewer than {SMALLEST_CELL} \1"
    frame = frame.assign(unit=units, status=frame["status"].str.replace(COUNTED, few, regex=True))
    for at, (key, value) in enumerate((("name", "lottery"), ("label", label), ("role", role))):
        frame.insert(at, key, value)
    return hide_rows(frame, small_rows(frame) | ~asked.shown(frame), FEW)


def stacked(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all frames that have some, one after the other."""
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
