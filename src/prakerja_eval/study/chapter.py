"""What does a study ask of its lottery? The options under ``[lottery]``."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from prakerja_eval import lottery
from prakerja_eval.errors import UsageError
from prakerja_eval.panel import WaveLabel

Where: TypeAlias = dict[str, list[str | int | float]]
Correction: TypeAlias = Literal["holm", "bh", "sharpened_q", "westfall_young", "romano_wolf"]
IndexKind: TypeAlias = Literal["anderson", "kling_liebman_katz"]


@dataclass(frozen=True, slots=True)
class IndexTable:
    """A summary index of several outcomes.

    Parameters
    ----------
    name, label : str
    outcomes : tuple of str
        Columns; at least two.
    kind : {"anderson", "kling_liebman_katz"}
    signs : tuple of int
        1 where more is better, -1 where less is; left out, 1 for all.
    """

    name: str
    label: str
    outcomes: tuple[str, ...]
    kind: IndexKind = "anderson"
    signs: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if len(self.outcomes) < 2:
            raise UsageError(f"the index {self.name!r} needs two outcomes or more.")
        if self.signs and len(self.signs) != len(self.outcomes):
            raise UsageError(
                f"the index {self.name!r} has {len(self.outcomes)} outcomes and "
                f"{len(self.signs)} signs."
            )
        if not set(self.signs) <= {1, -1}:
            raise UsageError(f"the signs of the index {self.name!r} are 1 or -1.")


@dataclass(frozen=True, slots=True)
class BoundsTable:
    """How far attrition may move the answer.

    Parameters
    ----------
    lee : bool
        Lee's bounds, in each outcome and wave with attrition.
    tighten : tuple of str
        Discrete covariates within whose cells they are trimmed.
    trimming : lottery.Trimming
        Weights of the blocks, and in which direction the offer moves answering.
    limits : dict
        Outcome to its smallest and largest possible value, for worst-case bounds.
    kling_liebman : bool
        Sensitivity bounds at .05, .1 and .25 standard deviations.
    """

    lee: bool = True
    tighten: tuple[str, ...] = ()
    trimming: lottery.Trimming = field(default_factory=lottery.Trimming)
    limits: dict[str, tuple[float, float]] = field(default_factory=dict)
    kling_liebman: bool = False


@dataclass(frozen=True, slots=True)
class Chapter:
    """What the report's chapter on the lottery shows.

    Parameters
    ----------
    where : dict
        The people of the lottery: column to admitted values.
    design : lottery.Design
    waves : list, optional
        Outcome waves; left out, all after the baseline.
    covariates : tuple of str
        For balance and for the tests of attrition.
    reps, seed : int
        Draws of the lottery behind p-values and intervals, and their seed.
    families : dict
        Name to outcomes, whose p-values are corrected together; left out, no correction.
    correction : {"holm", "bh", "sharpened_q", "westfall_young", "romano_wolf"}
        The last two use the shared draws of the lottery.
    zeros : tuple of str
        Outcomes with many zeros: levels, percent, Poisson, margins and winsorised.
    quantiles : tuple of float
        Of every outcome that is no share; left out, none.
    subgroups : tuple of str
        Baseline columns whose groups are compared.
    indices : tuple of IndexTable
    bounds : BoundsTable
    """

    where: Where = field(default_factory=dict)
    design: lottery.Design = field(default_factory=lottery.Design)
    waves: list[WaveLabel] | None = None
    covariates: tuple[str, ...] = ()
    reps: int = 9_999
    seed: int = 1
    families: dict[str, tuple[str, ...]] = field(default_factory=dict)
    correction: Correction = "westfall_young"
    zeros: tuple[str, ...] = ()
    quantiles: tuple[float, ...] = ()
    subgroups: tuple[str, ...] = ()
    indices: tuple[IndexTable, ...] = ()
    bounds: BoundsTable = field(default_factory=BoundsTable)

    def __post_init__(self) -> None:
        if self.reps < 99:
            raise UsageError(f"[lottery] reps = {self.reps}: use at least 99 draws.")
        if self.seed < 0:
            raise UsageError(f"[lottery] seed = {self.seed} must be 0 or more.")
        if not all(0 < q < 1 for q in self.quantiles):
            raise UsageError("[lottery] quantiles lie between 0 and 1.")
        named = [o for outcomes in self.families.values() for o in outcomes]
        twice = sorted({o for o in named if named.count(o) > 1})
        if twice:
            raise UsageError(f"[lottery.families] has {twice[0]!r} in two families.")

    def outcomes(self) -> dict[str, tuple[str, ...]]:
        """Return the outcomes that are named, by where."""
        families = {f"[lottery.families] {k}": v for k, v in self.families.items()}
        indices = {f"the index {i.name!r}": i.outcomes for i in self.indices}
        limits = {"[lottery.bounds] limits": tuple(self.bounds.limits)}
        return {"[lottery] zeros": self.zeros, **families, **indices, **limits}
