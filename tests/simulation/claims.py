"""What is claimed of a simulated world? Rows, each one answer against one truth."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from prakerja_eval.estimate import Estimate, Inference

from .people import Draw

Estimator = Callable[[object, Draw], Estimate]


@dataclass(frozen=True)
class Row:
    """One estimator with one inference against one truth.

    `side` is "two-sided" or "conservative": then the theory says that the variance is too large,
    and only intervals that are too short count as a miss. A "test" and a "band" are judged by
    coverage alone, and so is an "at least", which may cover too much. `claim` is False for a
    contrast, which shows what goes wrong elsewhere and is not judged.

    `asks` says what is read from the estimate: an "effect", its row `rows[0]`; the "difference" of
    `rows[0]` less `rows[1]` as `compare.agreement` states it; their "contrast", whose influence
    takes block shares as the rows do; the joint test of "equality" of `rows`, or that they are
    "zero"; or the "band" that holds for `rows` at once. Of a lottery's weak instrument it is the
    Anderson-Rubin "set", the "tf" interval or the "usual" one; of its bounds the "interval" of the
    effect.
    """

    name: str
    estimator: str
    inference: Inference | None
    truth: float
    side: str = "two-sided"
    claim: bool = True
    why: str = ""
    asks: Literal[
        "effect",
        "difference",
        "contrast",
        "equality",
        "zero",
        "band",
        "set",
        "tf",
        "usual",
        "interval",
    ] = "effect"
    rows: tuple[int, ...] = (0,)

    @property
    def label(self) -> str:
        """Name the inference."""
        return "default" if self.inference is None else self.inference.label


@dataclass(frozen=True)
class Scenario:
    """A world to draw from, the estimators that run on each draw, and the rows to judge.

    `draws` is how many, fixed beforehand.
    """

    name: str
    about: str
    draw: Callable[[np.random.Generator], Draw]
    estimators: dict[str, Estimator]
    rows: tuple[Row, ...]
    draws: int = 2_000
