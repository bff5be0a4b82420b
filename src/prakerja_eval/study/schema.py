"""What does a study plan? The tables of a study file, one frozen dataclass each.

The options of an estimator are the frozen objects of its wing, so that no option exists twice.
"""

from dataclasses import dataclass, field, fields
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import ConfigDict, Field

from prakerja_eval import did, lottery, matching
from prakerja_eval.did.aggregation import Average, Ends
from prakerja_eval.did.poisson import Scale
from prakerja_eval.did.restrictions import RelativeMagnitudes, Smoothness
from prakerja_eval.errors import UsageError
from prakerja_eval.estimate.specs import (
    AbadieImbens,
    Classical,
    Clustered,
    Inference,
    MultiplierBootstrap,
    Robust,
    WildClusterBootstrap,
)
from prakerja_eval.panel import ReadOptions, Roles, WaveLabel
from prakerja_eval.study.chapter import Chapter, Where

EntryRole: TypeAlias = Literal["benchmark", "candidate", "shown", "placebo"]
AMOUNTS = ("rupiah", "dollars")


@dataclass(frozen=True, slots=True)
class InferenceTable:
    """One of ``{classical = {}}``, ``{robust = {kind = "HC2"}}``, ``{clustered = {by = "..."}}``...

    Parameters
    ----------
    classical, robust, clustered, abadie_imbens, bootstrap, wild : specification, optional
        Exactly one.
    """

    classical: Classical | None = None
    robust: Robust | None = None
    clustered: Clustered | None = None
    abadie_imbens: AbadieImbens | None = None
    bootstrap: MultiplierBootstrap | None = None
    wild: WildClusterBootstrap | None = None

    def __post_init__(self) -> None:
        if len(self._given()) != 1:
            names = ", ".join(f.name for f in fields(self))
            raise UsageError(f"an inference table names exactly one of {names}.")

    def _given(self) -> list[Inference]:
        values = [getattr(self, f.name) for f in fields(self)]
        return [v for v in values if v is not None]

    @property
    def chosen(self) -> Inference:
        """Return the specification."""
        return self._given()[0]


@dataclass(frozen=True, slots=True)
class Outcome:
    """An outcome of the study.

    Parameters
    ----------
    column : str
        Column of the data.
    label : str
        Name in tables and figures.
    unit : str
        "dollars", "rupiah", ...; "share" for an outcome between 0 and 1.
    contains_transfers : bool, optional
        Whether it contains the programme's own cash; left out, the report says that nobody stated
        it of an amount of money.
    """

    column: str
    label: str
    unit: str
    contains_transfers: bool | None = None


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups in which flow and outcome paths are shown.

    Parameters
    ----------
    column : str
        Column of the data, constant within a unit.
    labels : dict
        Value to name, in the order of showing.
    """

    column: str
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """What all entries under ``[[estimates]]`` have.

    Parameters
    ----------
    name : str
        Short, unique, the term that ``verify`` names.
    label : str
        Name in tables and figures.
    role : {"benchmark", "candidate", "shown", "placebo"}
        The benchmark and the candidates answer one question and are compared; "shown" stands in
        the tables alone; a placebo is expected to be zero.
    where : dict
        Rows used: column to admitted values.
    waves : list, optional
        Outcome waves; left out, all after the baseline.
    """

    name: str
    label: str
    role: EntryRole = "shown"
    where: Where = field(default_factory=dict)
    waves: list[WaveLabel] | None = None
    inference: InferenceTable | None = None

    @property
    def chosen(self) -> Inference | None:
        """Return the inference that the entry names, if any."""
        return None if self.inference is None else self.inference.chosen


@dataclass(frozen=True, slots=True)
class LotteryEntry(Entry):
    """The lottery wing: ``estimator = "lottery.itt"`` or ``"lottery.late"``; pooled over waves."""

    estimator: Literal["lottery.itt", "lottery.late"] = "lottery.itt"
    design: lottery.Design = field(default_factory=lottery.Design)
    pooled: bool = False


@dataclass(frozen=True, slots=True)
class DidEntry(Entry):
    """Two-period difference-in-differences; ``base`` is the period before."""

    estimator: Literal["did.two_by_two"] = "did.two_by_two"
    design: did.Design = field(default_factory=did.Design)
    base: WaveLabel | None = None


@dataclass(frozen=True, slots=True)
class MatchingEntry(Entry):
    """Nearest-neighbour matching on the logit score of ``covariates``."""

    estimator: Literal["matching.att"] = "matching.att"
    design: matching.Nearest = field(default_factory=matching.Nearest)
    covariates: tuple[str, ...] = ()
    bias_adjust: bool = False
    variance: matching.Variance = field(default_factory=matching.Variance)


@dataclass(frozen=True, slots=True)
class SensitivityTable:
    """How far trends may fail to be parallel: ``{relative_magnitudes = {m = [0.5, 1]}}``, say.

    Parameters
    ----------
    relative_magnitudes : RelativeMagnitudes, optional
    smoothness : Smoothness, optional
        One of the two, or both.
    target : {"average", "first"}
        Whose interval: the mean effect over event times from 0 on, or that of the first.
    """

    relative_magnitudes: RelativeMagnitudes | None = None
    smoothness: Smoothness | None = None
    target: Literal["average", "first"] = "average"

    def __post_init__(self) -> None:
        if not self.restrictions:
            raise UsageError("a sensitivity table names relative_magnitudes, smoothness, or both.")

    @property
    def restrictions(self) -> list[RelativeMagnitudes | Smoothness]:
        """Return the restrictions named."""
        return [r for r in (self.relative_magnitudes, self.smoothness) if r is not None]


READ: dict[str, tuple[str, ...]] = {
    "did.group_time": (
        *("design", "average", "window", "ends", "balance", "without", "sensitivity"),
    ),
    "did.imputation": ("design", "average", "window", "ends", "balance"),
    "did.sun_abraham": ("average", "window", "ends", "balance", "sensitivity"),
    "did.twfe": ("window",),
    "did.poisson": ("design", "scale"),
}


@dataclass(frozen=True, slots=True)
class StaggeredEntry(Entry):
    """Difference-in-differences of cohorts that start at different times.

    One row an outcome, over cohorts and waves: the average effect, or with "did.twfe" the
    coefficient. Its event study and its cells stand beside it as details.

    Parameters
    ----------
    estimator : {"did.group_time", "did.imputation", "did.sun_abraham", "did.twfe", "did.poisson"}
    design : did.Design
    average : {"cells", "event_times", "cohorts", "waves"}
        As in ``did.overall``.
    window, ends, balance
        Of the event study, as in ``did.event_study``; ``window`` as in ``did.twfe`` for that.
    without : tuple
        Cohorts whose people are left out.
    scale : {"levels", "percent"}
        Of "did.poisson".
    sensitivity : SensitivityTable, optional
        Of the event study; needs a universal base.
    seed : int
        Of the draws behind the simultaneous bands of the event study, and behind ``sensitivity``.
    """

    estimator: Literal[
        "did.group_time", "did.imputation", "did.sun_abraham", "did.twfe", "did.poisson"
    ] = "did.group_time"
    design: did.Design = field(default_factory=did.Design)
    average: Average = "cells"
    window: tuple[float, float] | None = None
    ends: Ends = "dropped"
    balance: float | None = None
    without: tuple[WaveLabel, ...] = ()
    scale: Scale = "levels"
    sensitivity: SensitivityTable | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        read, where = READ[self.estimator], f"the entry {self.name!r}"
        default = {f.name: f.default for f in fields(self)} | {"design": did.Design()}
        for key in dict.fromkeys(name for names in READ.values() for name in names):
            if key not in read and getattr(self, key) != default[key]:
                raise UsageError(
                    f"{where}: {self.estimator} does not read {key!r}; leave it out. "
                    f"It reads {', '.join(read)}."
                )
        if self.waves is not None:
            raise UsageError(f"{where}: {self.estimator} averages over waves; leave 'waves' out.")
        if self.window is not None and not self.window[0] <= self.window[1]:
            raise UsageError(f"{where}: window = {list(self.window)} must run from low to high.")
        if self.ends == "binned" and self.window is None:
            raise UsageError(f"{where}: ends = 'binned' needs window = [low, high].")
        varying = self.estimator == "did.group_time" and self.design.base_period == "varying"
        if self.sensitivity is not None and varying:
            raise UsageError(f"{where}: sensitivity needs base_period = 'universal' in its design.")
        if self.seed < 0:
            raise UsageError(f"{where}: seed = {self.seed} must be 0 or more.")
        if self.estimator == "did.imputation":
            self.design.refuse_beyond(self.estimator, "covariates", "anticipation")
        if self.estimator == "did.poisson":
            self.design.refuse_beyond(self.estimator, "anticipation")

    @property
    def bands(self) -> MultiplierBootstrap:
        """Return the draws behind the bands, by the clusters that the inference names."""
        if isinstance(self.chosen, MultiplierBootstrap):
            return self.chosen
        return MultiplierBootstrap(seed=self.seed, by=getattr(self.chosen, "by", "unit"))


AnyEntry: TypeAlias = Annotated[
    LotteryEntry | DidEntry | StaggeredEntry | MatchingEntry, Field(discriminator="estimator")
]


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole study file.

    Parameters
    ----------
    title : str
        Title of the report.
    question : str
        The question in a sentence.
    about : str
        What the data are and where they come from, in a few sentences.
    data : str or dict
        Path of the data, relative to the study file; or wave to path, for several wave files.
    roles : Roles
        Which column is what.
    outcomes : tuple of Outcome
    estimates : tuple of entries
    spillovers : str
        The assumption on spillovers and displacement; printed in every report.
    groups : Groups, optional
        For flow and paths.
    covariate_labels : dict
        Column to name in the balance figure.
    reading : ReadOptions
        What the data file does not say itself.
    synthetic : bool
        Whether the data are simulated; said on every figure.
    level : float
        Coverage of intervals.
    lottery : Chapter, optional
        What the report's chapter on the lottery shows; left out, it has none.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    title: str
    question: str
    about: str
    data: str | dict[str, str]
    roles: Roles
    outcomes: tuple[Outcome, ...]
    estimates: tuple[AnyEntry, ...]
    spillovers: str
    groups: Groups | None = None
    covariate_labels: dict[str, str] = field(default_factory=dict)
    reading: ReadOptions = field(default_factory=ReadOptions)
    synthetic: bool = False
    level: float = 0.95
    lottery: Chapter | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return the files that the study reads, relative to it: data, codebook, mapping."""
        data = (self.data,) if isinstance(self.data, str) else tuple(self.data.values())
        mapping = self.reading.mapping if own_mapping(self.reading) else None
        extra = (self.reading.codebook, mapping)
        return (*data, *(name for name in extra if name is not None))


def own_mapping(reading: ReadOptions) -> bool:
    """Say whether the mapping is a file of the study's own, and none that ships."""
    return reading.mapping is not None and reading.mapping.endswith(".toml")
